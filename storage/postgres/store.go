package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"iter"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/go-itsm/itsm"
)

// A Store keeps the records of one space: those of one practice for one tenant.
// Make it with [NewStore], or with [Within]. It holds nothing but where to look,
// and any number of them may be used for the same space.
type Store[R any] struct {
	space  Space
	cfg    *Config
	db     *DB    // nil within a transaction of the host's
	tx     pgx.Tx // nil otherwise
	secure bool
}

// NewStore returns the store of a space in a database. It is safe for concurrent
// use. Every store of a space must be of the same type of record, which is kept
// as JSON: what has no JSON form is not kept. It panics if *R is no
// [itsm.Record], or if a name of the space is not UTF-8 or has a zero byte, which
// are errors of the program.
func NewStore[R any](db *DB, space Space) *Store[R] {
	mustBeRecord[R]()
	space.check()
	return &Store[R]{space: space, cfg: &db.cfg, db: db, secure: db.cfg.RowSecurity}
}

// Within returns the store of a space within a transaction of the host's, in a
// database that has the tables ([Migrate]), with the same configuration as [Open]
// has, of which only Lease and RowSecurity matter. What is committed to it stands
// or falls with the transaction, and a commit that is refused leaves nothing in it.
// It is for one goroutine, and for as long as the transaction.
//
// A transaction that was given its number before a record was last changed, because
// it has written something else before, gets [itsm.ErrConflict] for that record
// and should be begun anew. It panics as NewStore does.
func Within[R any](tx pgx.Tx, space Space, cfg Config) *Store[R] {
	mustBeRecord[R]()
	space.check()
	cfg = cfg.withDefaults()
	return &Store[R]{space: space, cfg: &cfg, tx: tx, secure: cfg.RowSecurity}
}

func mustBeRecord[R any]() {
	if itsm.MetaOf(new(R)) == nil {
		panic(fmt.Sprintf("postgres: %T does not embed itsm.Meta", *new(R)))
	}
}

// each sends a statement over a connection or within the host's transaction, and
// calls a function for every row that it returns.
func (s *Store[R]) each(ctx context.Context, row func(pgx.Rows) error, text string, args ...any) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	var over link = s.tx
	if s.db != nil {
		done, err := s.db.use(ctx)
		if err != nil {
			return err
		}
		defer done()
		over = s.db.pool
	}
	err := send(ctx, over, s.secure, row, s.space.statement(text, args...))
	if err != nil && ctx.Err() != nil && !errors.Is(err, ctx.Err()) {
		err = fmt.Errorf("%w: %w", ctx.Err(), err)
	}
	return err
}

const loadRecord = `SELECT body FROM itsm_record WHERE tenant = $1 AND practice = $2 AND id = $3`

// Load returns the record.
//
// Errors: [itsm.ErrNotFound]; [ErrClosed]; the context's and the database's.
func (s *Store[R]) Load(ctx context.Context, id itsm.ID) (r R, err error) {
	found := false
	if keepable(string(id)) {
		err = s.each(ctx, func(rows pgx.Rows) error {
			found = true
			return decode(rows.RawValues()[0], id, &r)
		}, loadRecord, string(id))
	} else {
		err = ctx.Err()
	}
	if err == nil && !found {
		err = fmt.Errorf("%w: record %s", itsm.ErrNotFound, id)
	}
	return r, err
}

// decode reads a record.
func decode[R any](body []byte, id itsm.ID, r *R) error {
	if err := json.Unmarshal(body, r); err != nil {
		return fmt.Errorf("record %s: %w", id, err)
	}
	return nil
}

// Commit writes all the revisions or none. One revision takes one round trip, and
// so do several; a refusal takes a few more.
//
// Errors: [itsm.ErrInvalid], also for what the database cannot keep: a record that
// has no JSON form, texts that are not UTF-8 or have a zero byte, data that is no
// JSON; [itsm.ErrExists]; [itsm.ErrConflict], also where the database gave up one of
// several transactions that waited for one another; [itsm.ErrUnknown] if the
// connection died, or the context ended, once the commit was on its way;
// [ErrClosed]; the context's; the database's, having done nothing.
func (s *Store[R]) Commit(ctx context.Context, revs ...itsm.Revision[R]) (err error) {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := itsm.CheckRevisions(revs...); err != nil {
		return err
	}
	all, err := encode(revs)
	if err != nil {
		return err
	}
	if s.db == nil {
		return s.commitWithin(ctx, all)
	}
	done, err := s.db.use(ctx)
	if err != nil {
		return err
	}
	defer done()
	start := s.cfg.Now()
	err = s.commit(ctx, all)
	if took := s.cfg.Now().Sub(start); s.cfg.Slow > 0 && took >= s.cfg.Slow {
		s.cfg.Log.LogAttrs(ctx, slog.LevelWarn, "slow commit", slog.String("practice", s.space.Practice),
			slog.String("tenant", s.space.Tenant), slog.String("record", all[0].id), slog.Int("revisions", len(revs)),
			slog.Duration("took", took), slog.Any("error", err))
	}
	return err
}

func (s *Store[R]) commit(ctx context.Context, revs []revision) error {
	conn, err := s.db.pool.Acquire(ctx)
	if err != nil {
		return err // nothing was sent
	}
	defer conn.Release()
	err = outcome(write(ctx, conn, s.secure, s.space, revs))
	if errors.Is(err, errRefused) {
		err = verdict(ctx, conn, s.secure, s.space, revs)
		if err != nil && !errors.Is(err, itsm.ErrExists) && !errors.Is(err, itsm.ErrConflict) {
			// It may have been refused because it is there already.
			err = fmt.Errorf("%w: %w", itsm.ErrUnknown, err)
		}
	}
	return err
}

// commitWithin writes in a savepoint, so that the transaction can go on after a
// refusal.
func (s *Store[R]) commitWithin(ctx context.Context, revs []revision) error {
	savepoint, err := s.tx.Begin(ctx)
	if err != nil {
		return err
	}
	err = write(ctx, savepoint, s.secure, s.space, revs)
	if err == nil {
		return savepoint.Commit(ctx)
	}
	if failed := savepoint.Rollback(context.WithoutCancel(ctx)); failed != nil {
		return errors.Join(err, failed)
	}
	if errors.Is(err, errRefused) {
		err = verdict(ctx, s.tx, s.secure, s.space, revs)
	}
	return err
}

const (
	eventColumns = `id, name, record, version, action, from_state, to_state, at, actor, actor_name, cause, data`

	selectHistory = `SELECT ` + eventColumns + `, '0'::xid8, 0::bigint FROM itsm_event
		WHERE tenant = $1 AND practice = $2 AND record = $3 AND version > $4 ORDER BY version LIMIT $5`
	selectFeed = `SELECT ` + eventColumns + `, xid, position FROM itsm_event
		WHERE tenant = $1 AND practice = $2 AND (xid, position) > ($3, $4) AND xid < $5 ORDER BY xid, position LIMIT $6`
	// Whatever is below the oldest transaction that has not ended has ended, and
	// nothing will be added there.
	horizon = `SELECT pg_snapshot_xmin(pg_current_snapshot()),
		coalesce((SELECT id FROM itsm_event WHERE tenant = $1 AND practice = $2 AND xid = $3 AND position = $4), '')`
)

// Sequences are read in parts of so many elements, or so many bytes of data, so
// that neither a connection nor much memory is held while their readers think.
const (
	partSize  = 500
	partBytes = 1 << 20
)

// A place is where an event is in the feed.
type place struct {
	xid      uint64
	position int64
}

// A line is an event and its place in the feed.
type line struct {
	place
	event itsm.Event
}

// lines reads a part of a history or feed, over what was there before, and
// reports whether there may be more.
func (s *Store[R]) lines(ctx context.Context, part []line, text string, args ...any) (_ []line, more bool, err error) {
	size := 0
	err = s.each(ctx, func(rows pgx.Rows) error {
		var l line
		n, err := l.scan(rows)
		if err != nil {
			return err
		}
		part = append(part, l)
		if size += n; size > partBytes {
			more = true
			return errEnough
		}
		return nil
	}, text, append(args, partSize)...)
	return part, more || len(part) == partSize, err
}

// scan reads a row of eventColumns and a place, and returns the size of its data.
func (l *line) scan(rows pgx.Rows) (int, error) {
	e := &l.event
	err := rows.Scan(&e.ID, &e.Practice, &e.Record, &e.Version, &e.Action, &e.From, &e.To, &e.At, &e.Actor.ID, &e.Actor.Name, &e.Cause,
		(*[]byte)(&e.Data), &l.xid, &l.position)
	e.At = e.At.UTC()
	return len(e.Data), err
}

// Events yields the record's history.
//
// Errors: [ErrClosed]; the context's and the database's.
func (s *Store[R]) Events(ctx context.Context, id itsm.ID, after itsm.Version) iter.Seq2[itsm.Event, error] {
	return func(yield func(itsm.Event, error) bool) {
		err := ctx.Err()
		var part []line
		from := int64(min(after, 1<<63-1))
		for more := err == nil && keepable(string(id)); more; {
			part, more, err = s.lines(ctx, part[:0], selectHistory, string(id), from)
			for i := range part {
				from = int64(part[i].event.Version)
				if !yield(part[i].event, nil) {
					return
				}
			}
			more = more && err == nil
		}
		if err != nil {
			yield(itsm.Event{}, err)
		}
	}
}

// Feed yields the events of the space in an order in which they were committed, up
// to the last for which it is certain, when the iteration begins, that no earlier
// one is still to come. That is held up by the oldest transaction of the server
// that writes, whatever it writes.
//
// Errors: [itsm.ErrInvalid] for a cursor that was not made here, or whose event is
// not here; [ErrClosed]; the context's and the database's.
func (s *Store[R]) Feed(ctx context.Context, cursor itsm.Cursor) iter.Seq2[itsm.Delivery, error] {
	return func(yield func(itsm.Delivery, error) bool) {
		at, until, err := s.resume(ctx, cursor)
		var part []line
		for more := err == nil; more; {
			part, more, err = s.lines(ctx, part[:0], selectFeed, at.xid, at.position, until)
			for i := range part {
				at = part[i].place
				if !yield(itsm.Delivery{Event: part[i].event, Cursor: s.after(at, part[i].event.ID)}, nil) {
					return
				}
			}
			more = more && err == nil
		}
		if err != nil {
			yield(itsm.Delivery{}, err)
		}
	}
}

// resume returns the place of a cursor, and up to which transaction the feed can be
// read.
func (s *Store[R]) resume(ctx context.Context, c itsm.Cursor) (at place, until uint64, err error) {
	if _, err := fmt.Sscanf(string(c), "feed-%x-%d-%d", new(uint32), &at.xid, &at.position); c != "" && err != nil {
		return at, 0, foreign("feed")
	}
	var id itsm.ID
	err = s.each(ctx, func(rows pgx.Rows) error { return rows.Scan(&until, &id) }, horizon, at.xid, at.position)
	if err == nil && c != "" && c != s.after(at, id) {
		err = foreign("feed")
	}
	return at, until, err
}

// after names the place after an event in the feed, and which event that is: in a
// restored database there may be another one in its place.
func (s *Store[R]) after(at place, event itsm.ID) itsm.Cursor {
	return itsm.Cursor(fmt.Sprintf("feed-%08x-%d-%d", s.sum(string(event)), at.xid, at.position))
}

// sum recognizes what belongs to the space.
func (s *Store[R]) sum(text string) uint32 {
	return crc32.ChecksumIEEE([]byte(s.space.Tenant + "\x00" + s.space.Practice + "\x00" + text))
}

func foreign(kind string) error {
	return &itsm.FieldError{Field: "after", Reason: "is no " + kind + " cursor of this store"}
}

// cursor names the place after a record in a list.
func (s *Store[R]) cursor(id itsm.ID) itsm.Cursor {
	return itsm.Cursor("list-" + strconv.FormatUint(uint64(s.sum(string(id))), 16) + "-" + string(id))
}

// position returns the id in a cursor of a list.
func (s *Store[R]) position(c itsm.Cursor) (string, error) {
	if c == "" {
		return "", nil
	}
	_, rest, _ := strings.Cut(string(c), "-")
	_, id, _ := strings.Cut(rest, "-")
	if !keepable(id) || c != s.cursor(itsm.ID(id)) {
		return "", foreign("list")
	}
	return id, nil
}

const (
	// The claim of a record ends with the lease, or when its due time changes. Who goes
	// on begins behind what it has seen: what is claimed stands in the index too, and
	// would be looked at again with each part.
	claimDue = `WITH due AS (
			SELECT id FROM itsm_record
			WHERE tenant = $1 AND practice = $2 AND due <= $3 AND (due, id) > ($6, $7)
				AND (claimed IS NULL OR claimed <= clock_timestamp())
			ORDER BY due, id LIMIT $5 FOR NO KEY UPDATE SKIP LOCKED
		)
		UPDATE itsm_record AS r SET claimed = clock_timestamp() + $4 * interval '1 microsecond'
		WHERE r.tenant = $1 AND r.practice = $2 AND r.id = ANY (ARRAY (SELECT id FROM due)) RETURNING r.id, r.due`
	selectNextDue = `SELECT due FROM itsm_record WHERE tenant = $1 AND practice = $2 AND due > $3 ORDER BY due LIMIT 1`
)

// claims is how many records are claimed at a time.
const claims = 100

// Due yields the records that are due and that no other caller has been handed
// within [Config].Lease, by the database's clock. It claims them a hundred at a time:
// those that a caller does not get to are free again after the lease.
//
// Errors: [ErrClosed]; the context's and the database's.
func (s *Store[R]) Due(ctx context.Context, now time.Time) iter.Seq2[itsm.Wake, error] {
	return func(yield func(itsm.Wake, error) bool) {
		var err error
		var part []itsm.Wake
		var last itsm.Wake // before all that is due
		for more := true; more; {
			part = part[:0]
			err = s.each(ctx, func(rows pgx.Rows) error {
				var w itsm.Wake
				err := rows.Scan(&w.ID, &w.Due)
				w.Due = w.Due.UTC()
				part = append(part, w)
				return err
			}, claimDue, now.UTC(), s.cfg.Lease.Microseconds(), claims, last.Due, string(last.ID))
			if err != nil {
				break
			}
			sortWakes(part)
			if len(part) > 0 {
				last = part[len(part)-1]
			}
			for _, w := range part {
				if !yield(w, nil) {
					return
				}
			}
			more = len(part) == claims
		}
		if err != nil {
			yield(itsm.Wake{}, err)
		}
	}
}

// NextDue returns the earliest due time after a moment, zero if there is none.
//
// Errors: [ErrClosed]; the context's and the database's.
func (s *Store[R]) NextDue(ctx context.Context, after time.Time) (next time.Time, err error) {
	err = s.each(ctx, func(rows pgx.Rows) error { return rows.Scan(&next) }, selectNextDue, after.UTC())
	if !next.IsZero() {
		next = next.UTC()
	}
	return next, err
}
