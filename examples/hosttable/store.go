package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/incident"
)

// A Store keeps incidents in the host's own ticket table. What the table has
// columns for goes there, the rest into one JSON column beside them. Both
// databases understand its statements.
type Store struct {
	db handle
	// atomically runs a function in which everything is written or nothing.
	atomically func(ctx context.Context, do func(db handle) error) error
}

// A handle runs a statement, over a database or in a transaction. It has each row
// read by a function, and returns how many there were.
type handle func(ctx context.Context, read func(row) error, query string, args ...any) (rows int, err error)

type row interface{ Scan(places ...any) error }

// into reads a row into variables.
func into(places ...any) func(row) error {
	return func(r row) error { return r.Scan(places...) }
}

// Load returns an incident.
func (s *Store) Load(ctx context.Context, id itsm.ID) (inc incident.Incident, err error) {
	no, _ := number(id) // 0 is nobody's
	rows, err := s.db(ctx, func(r row) error { inc, err = scan(r); return err }, `SELECT `+columns+` FROM tickets WHERE no = $1`, no)
	if err == nil && rows == 0 {
		err = fmt.Errorf("%w: ticket %s", itsm.ErrNotFound, id)
	}
	return inc, err
}

// Commit writes all the revisions or none.
func (s *Store) Commit(ctx context.Context, revs ...itsm.Revision[incident.Incident]) error {
	if err := itsm.CheckRevisions(revs...); err != nil {
		return err
	}
	lines := 0
	for _, rev := range revs {
		lines += len(rev.Events)
	}
	return s.atomically(ctx, func(db handle) error {
		// From here on one writes at a time, which SQLite sees to by itself: what
		// was sent before is seen, commits do not wait for one another in a circle,
		// and no line of the history appears before one that is there.
		seq, err := draw(ctx, db, "history", lines)
		if err != nil {
			return err
		}
		if there, err := sentBefore(ctx, db, revs); there || err != nil {
			return err
		}
		for i := range revs {
			if err := write(ctx, db, &revs[i], seq); err != nil {
				return err
			}
			seq += int64(len(revs[i].Events))
		}
		return nil
	})
}

// draw draws some of the host's numbers and returns the first. Until the end of
// the transaction others wait for theirs.
func draw(ctx context.Context, db handle, name string, some int) (first int64, err error) {
	rows, err := db(ctx, into(&first), `UPDATE numbers SET last = last + $1 WHERE name = $2 RETURNING last - $1 + 1`, some, name)
	if err == nil && rows == 0 {
		err = fmt.Errorf("there are no numbers for %q", name)
	}
	return first, err
}

// sentBefore reports whether all the events are in the history already.
func sentBefore(ctx context.Context, db handle, revs []itsm.Revision[incident.Incident]) (there bool, err error) {
	for _, rev := range revs {
		for _, e := range rev.Events {
			no, _ := number(e.Record)
			rows, err := db(ctx, nil, `SELECT seq FROM ticket_history WHERE event = $1 AND ticket = $2 AND version = $3`, e.ID, no, e.Version)
			if err != nil || rows == 0 {
				return false, err
			}
		}
	}
	return true, nil
}

// write is the compare-and-set, and its history. A statement that changes no
// row says that somebody else was faster.
func write(ctx context.Context, db handle, rev *itsm.Revision[incident.Incident], seq int64) error {
	args, err := values(&rev.Record)
	if err != nil {
		return err
	}
	query, refusal := `INSERT INTO tickets (`+columns+`) VALUES `+places+` ON CONFLICT DO NOTHING RETURNING no`, itsm.ErrExists
	if rev.Base > 0 {
		query, refusal = `UPDATE tickets SET (`+columns+`) = `+places+` WHERE no = $1 AND version = $13 RETURNING no`, itsm.ErrConflict
		args = append(args, rev.Base)
	}
	rows, err := db(ctx, nil, query, args...)
	if err == nil && rows == 0 {
		err = fmt.Errorf("%w: ticket %s, at version %d", refusal, rev.Record.ID, rev.Base)
	}
	for i, e := range rev.Events {
		if err == nil {
			err = remember(ctx, db, seq+int64(i), e)
		}
	}
	return err
}

// remember writes a line of the history.
func remember(ctx context.Context, db handle, seq int64, e itsm.Event) error {
	body, err := json.Marshal(e)
	if err != nil {
		return err
	}
	no, _ := number(e.Record)
	rows, err := db(ctx, nil, `INSERT INTO ticket_history (seq, event, ticket, version, body) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING RETURNING seq`,
		seq, e.ID, no, e.Version, string(body))
	if err == nil && rows == 0 {
		err = fmt.Errorf("%w: event %s, of ticket %s", itsm.ErrExists, e.ID, e.Record)
	}
	return err
}

// Events yields the history of an incident.
func (s *Store) Events(ctx context.Context, id itsm.ID, after itsm.Version) iter.Seq2[itsm.Event, error] {
	return func(yield func(itsm.Event, error) bool) {
		no, _ := number(id)
		lines, err := s.lines(ctx, `SELECT seq, body FROM ticket_history WHERE ticket = $1 AND version > $2 ORDER BY version`, no, after)
		for _, l := range lines {
			if !yield(l.event, nil) {
				return
			}
		}
		if err != nil {
			yield(itsm.Event{}, err)
		}
	}
}

type line struct {
	seq   int64
	event itsm.Event
}

// lines reads a part of the history to its end before anybody gets any of it:
// who goes through it may use the store meanwhile, over the same connection.
func (s *Store) lines(ctx context.Context, query string, args ...any) (all []line, err error) {
	_, err = s.db(ctx, func(r row) error {
		var l line
		var body []byte
		err := errors.Join(r.Scan(&l.seq, &body), json.Unmarshal(body, &l.event))
		all = append(all, l)
		return err
	}, query, args...)
	return all, err
}
