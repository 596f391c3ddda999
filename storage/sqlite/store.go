package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"iter"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"github.com/go-itsm/itsm"
)

// A Store keeps the records of one space: those of one practice for one tenant.
// Make it with [NewStore], or with [Within]. It holds nothing but where to look,
// and any number of them may be used for the same space.
type Store[R any] struct {
	space Space
	db    *DB     // nil within a transaction of the host's
	host  *hostTx // nil otherwise
}

// NewStore returns the store of a space in a database. It is safe for concurrent
// use. Every store of a space must be of the same type of record, which is kept
// as JSON: what has no JSON form is not kept. It panics if *R is no
// [itsm.Record], which is an error of the program.
func NewStore[R any](db *DB, space Space) *Store[R] {
	mustBeRecord[R]()
	return &Store[R]{space: space, db: db}
}

// Within returns the store of a space within a transaction of the host's, in a
// database that has the tables ([Migrate]). What is committed to it stands or falls
// with the transaction, and a commit that is refused leaves nothing in it. It is
// for one goroutine, and for as long as the transaction.
//
// The transaction should begin as one that writes (the driver's
// "_txlock=immediate"), or SQLite may refuse its first commit because another
// transaction has written since. It panics if *R is no [itsm.Record].
func Within[R any](tx *sql.Tx, space Space) *Store[R] {
	mustBeRecord[R]()
	return &Store[R]{space: space, host: &hostTx{tx}}
}

func mustBeRecord[R any]() {
	if itsm.MetaOf(new(R)) == nil {
		panic(fmt.Sprintf("sqlite: %T does not embed itsm.Meta", *new(R)))
	}
}

// A hostTx is a transaction that a host has begun and will end.
type hostTx struct{ tx *sql.Tx }

func (h *hostTx) exec(ctx context.Context, text string, args ...any) (int64, error) {
	result, err := h.tx.ExecContext(ctx, text, args...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

func (h *hostTx) each(ctx context.Context, row func(*sql.Rows) error, text string, args ...any) error {
	rows, err := h.tx.QueryContext(ctx, text, args...)
	return drain(rows, err, row)
}

// commit writes in a savepoint, so that the transaction can go on after a refusal.
func (h *hostTx) commit(ctx context.Context, c *commit) error {
	if _, err := h.exec(ctx, `SAVEPOINT itsm`); err != nil {
		return err
	}
	_, err := c.write(ctx, h)
	ctx = context.WithoutCancel(ctx) // the transaction may go on after the context
	var failed error
	if err != nil {
		_, failed = h.exec(ctx, `ROLLBACK TO itsm`)
	}
	if failed == nil {
		_, failed = h.exec(ctx, `RELEASE itsm`)
	}
	if failed != nil {
		return fmt.Errorf("%w (and undoing it: %w)", err, failed)
	}
	return err
}

// A reader runs queries.
type reader interface {
	each(ctx context.Context, row func(*sql.Rows) error, text string, args ...any) error
}

// each runs a query over the database or within the host's transaction.
func (s *Store[R]) each(ctx context.Context, row func(*sql.Rows) error, text string, args ...any) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	var from reader = s.host
	if s.db != nil {
		done, err := s.db.use(ctx)
		if err != nil {
			return err
		}
		defer done()
		from = &s.db.readers
	}
	err := from.each(ctx, row, text, args...)
	if err != nil && ctx.Err() != nil {
		return fmt.Errorf("%w: %w", ctx.Err(), err)
	}
	return err
}

// find returns the row of the space; its number is 0, which no space has, if
// nothing was ever committed to it.
func (s *Store[R]) find(ctx context.Context) (spaceRow, error) {
	if s.db == nil {
		return findSpace(ctx, s, s.space)
	}
	if row, ok := s.db.spaces.Load(s.space); ok {
		return row.(spaceRow), ctx.Err()
	}
	row, err := findSpace(ctx, s, s.space)
	if err == nil && row.number != 0 {
		s.db.spaces.Store(s.space, row)
	}
	return row, err
}

const loadRecord = `SELECT body FROM itsm_record WHERE space = ? AND id = ?`

// Load returns the record.
//
// Errors: [itsm.ErrNotFound]; [ErrClosed]; the context's and the database's.
func (s *Store[R]) Load(ctx context.Context, id itsm.ID) (r R, err error) {
	space, err := s.find(ctx)
	if err != nil {
		return r, err
	}
	found := false
	err = s.each(ctx, func(rows *sql.Rows) error {
		found = true
		var body sql.RawBytes
		if err := rows.Scan(&body); err != nil {
			return err
		}
		return decode(body, id, &r)
	}, loadRecord, space.number, string(id))
	if err == nil && !found {
		err = fmt.Errorf("%w: record %s", itsm.ErrNotFound, id)
	}
	return r, err
}

// decode reads a record. Its id may have bytes that JSON has not.
func decode[R any](body []byte, id itsm.ID, r *R) error {
	if err := json.Unmarshal(body, r); err != nil {
		return fmt.Errorf("record %s: %w", id, err)
	}
	itsm.MetaOf(r).ID = id
	return nil
}

// Commit writes all the revisions or none, on the disk (but see
// [Config].Relaxed) when it returns nil. It waits for its turn and for other
// processes that write, and gives up, having done nothing, when the context ends
// meanwhile; within a transaction of the host's it waits for nothing.
//
// Errors: [itsm.ErrInvalid], also for a record that has no JSON form;
// [itsm.ErrExists]; [itsm.ErrConflict]; [itsm.ErrUnknown] if the disk failed while
// the transaction was being written, or if the context ended then; [ErrClosed];
// the context's; the database's, having done nothing.
func (s *Store[R]) Commit(ctx context.Context, revs ...itsm.Revision[R]) (err error) {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := itsm.CheckRevisions(revs...); err != nil {
		return err
	}
	c := &commit{space: s.space}
	if c.revs, err = encode(revs); err != nil {
		return err
	}
	if s.db == nil {
		return s.host.commit(ctx, c)
	}
	done, err := s.db.use(ctx)
	if err != nil {
		return err
	}
	defer done()
	c.done = make(chan struct{})
	if row, ok := s.db.spaces.Load(s.space); ok {
		c.known = row.(spaceRow).number
	}
	start := s.db.cfg.Now()
	err = s.db.writer.commit(ctx, c)
	if err == nil && c.known == 0 {
		s.db.spaces.Store(s.space, c.made)
	}
	if took := s.db.cfg.Now().Sub(start); s.db.cfg.Slow > 0 && took >= s.db.cfg.Slow {
		s.db.cfg.Log.LogAttrs(ctx, slog.LevelWarn, "slow commit", slog.String("practice", s.space.Practice),
			slog.String("tenant", s.space.Tenant), slog.String("record", c.revs[0].id), slog.Int("revisions", len(revs)),
			slog.Duration("took", took), slog.Any("error", err))
	}
	return err
}

const (
	eventColumns = `seq, id, practice, record, version, action, from_state, to_state, at, actor, actor_name, cause, data`

	selectHistory = `SELECT ` + eventColumns + ` FROM itsm_event WHERE space = ? AND record = ? AND version > ? ORDER BY version LIMIT ?`
	selectFeed    = `SELECT ` + eventColumns + ` FROM itsm_event INDEXED BY itsm_event_feed WHERE space = ? AND seq > ? AND seq <= ? ORDER BY seq LIMIT ?`
	eventAt       = `SELECT id FROM itsm_event WHERE space = ? AND seq = ?`
	lastEvent     = `SELECT coalesce(max(seq), 0) FROM itsm_event INDEXED BY itsm_event_feed WHERE space = ?`
)

// Sequences are read in parts of so many elements, or so many bytes of data, so
// that neither a connection nor much memory is held while their readers think.
const (
	partSize  = 500
	partBytes = 1 << 20
)

// A line is an event and its place in the feed.
type line struct {
	seq   int64
	event itsm.Event
}

// lines reads a part of a history or feed, over what was there before, and
// reports whether there may be more.
func (s *Store[R]) lines(ctx context.Context, part []line, text string, args ...any) (_ []line, more bool, err error) {
	size := 0
	err = s.each(ctx, func(rows *sql.Rows) error {
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

// scan reads a row of eventColumns and returns the size of its data.
func (l *line) scan(rows *sql.Rows) (int, error) {
	e := &l.event
	var at, version int64
	var data sql.RawBytes
	err := rows.Scan(&l.seq, &e.ID, &e.Practice, &e.Record, &version, &e.Action, &e.From, &e.To, &at,
		&e.Actor.ID, &e.Actor.Name, &e.Cause, &data)
	e.Version, e.At = itsm.Version(version), time.UnixMicro(at).UTC()
	if data != nil {
		e.Data = append(json.RawMessage{}, data...)
	}
	return len(data), err
}

// Events yields the record's history.
//
// Errors: [ErrClosed]; the context's and the database's.
func (s *Store[R]) Events(ctx context.Context, id itsm.ID, after itsm.Version) iter.Seq2[itsm.Event, error] {
	return func(yield func(itsm.Event, error) bool) {
		space, err := s.find(ctx)
		var part []line
		from := int64(min(after, 1<<63-1))
		for more := err == nil; more; {
			part, more, err = s.lines(ctx, part[:0], selectHistory, space.number, string(id), from)
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

// Feed yields the events of the space in the order of their commits, up to the
// last one that there is when the iteration begins.
//
// Errors: [itsm.ErrInvalid] for a cursor that was not made here, or whose event is
// not here, as when an older copy has taken the file's place; [ErrClosed]; the context's and the database's.
func (s *Store[R]) Feed(ctx context.Context, cursor itsm.Cursor) iter.Seq2[itsm.Delivery, error] {
	return func(yield func(itsm.Delivery, error) bool) {
		space, last, err := s.extent(ctx, lastEvent)
		var from int64
		if err == nil {
			from, err = s.resume(ctx, space, cursor)
		}
		var part []line
		for more := err == nil; more; {
			part, more, err = s.lines(ctx, part[:0], selectFeed, space.number, from, last)
			for i := range part {
				from = part[i].seq
				if !yield(itsm.Delivery{Event: part[i].event, Cursor: after(space, from, part[i].event.ID)}, nil) {
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

// extent returns the space and how far a feed or list of it goes.
func (s *Store[R]) extent(ctx context.Context, text string) (space spaceRow, last int64, err error) {
	if space, err = s.find(ctx); err == nil {
		err = s.each(ctx, func(rows *sql.Rows) error { return rows.Scan(&last) }, text, space.number)
	}
	return space, last, err
}

// cursor names a place in a list of a space.
func cursor(kind string, space spaceRow, at int64) itsm.Cursor {
	return itsm.Cursor(kind + "-" + space.mark + "-" + strconv.FormatInt(at, 10))
}

// position reads a cursor, which is valid if this space could have made it.
func position(kind string, space spaceRow, c itsm.Cursor, last int64) (int64, error) {
	if c == "" {
		return 0, nil
	}
	at, err := strconv.ParseInt(string(c[strings.LastIndexByte(string(c), '-')+1:]), 10, 64)
	if err != nil || at < 0 || at > last || c != cursor(kind, space, at) {
		return 0, foreign(kind)
	}
	return at, nil
}

func foreign(kind string) error {
	return &itsm.FieldError{Field: "after", Reason: "is no " + kind + " cursor of this store"}
}

// after names the place after an event in the feed, and which event that is: in an
// older copy of the file there may be another one in its place.
func after(space spaceRow, seq int64, event itsm.ID) itsm.Cursor {
	return cursor(fmt.Sprintf("feed-%08x", crc32.ChecksumIEEE([]byte(event))), space, seq)
}

// resume returns the place of a cursor in the feed.
func (s *Store[R]) resume(ctx context.Context, space spaceRow, c itsm.Cursor) (int64, error) {
	if c == "" {
		return 0, nil
	}
	seq, err := strconv.ParseInt(string(c[strings.LastIndexByte(string(c), '-')+1:]), 10, 64)
	if err != nil {
		return 0, foreign("feed")
	}
	there := false
	err = s.each(ctx, func(rows *sql.Rows) error {
		var id itsm.ID
		err := rows.Scan(&id)
		there = c == after(space, seq, id)
		return err
	}, eventAt, space.number, seq)
	if err == nil && !there {
		err = foreign("feed")
	}
	return seq, err
}
