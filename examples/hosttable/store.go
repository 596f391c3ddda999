package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"iter"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/incident"
)

// A Store keeps incidents in the host's own ticket table. What the table has
// columns for goes there, the rest into one JSON column beside them.
type Store struct {
	db handle
	// atomically runs a function in which everything is written or nothing.
	atomically func(ctx context.Context, do func(db handle) error) error
}

// A handle is what *sql.DB and *sql.Tx have in common.
type handle interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// Over returns the store in which every commit is a transaction of its own.
func Over(db *sql.DB) *Store {
	return &Store{db, func(ctx context.Context, do func(handle) error) error {
		tx, err := db.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		defer func() { _ = tx.Rollback() }() // does nothing after the commit
		if err := do(tx); err != nil {
			return err
		}
		if err := tx.Commit(); err != nil {
			return fmt.Errorf("%w: %w", itsm.ErrUnknown, err)
		}
		return nil
	}}
}

// Within returns the store in which every commit is a part of the host's own
// transaction, and stands or falls with it. It is for one goroutine.
func Within(tx *sql.Tx) *Store {
	return &Store{tx, func(ctx context.Context, do func(handle) error) error {
		if _, err := tx.ExecContext(ctx, `SAVEPOINT itsm`); err != nil {
			return err
		}
		if err := do(tx); err != nil {
			// Also when the context has ended: the transaction may go on.
			_, failed := tx.ExecContext(context.WithoutCancel(ctx), `ROLLBACK TO itsm; RELEASE itsm`)
			return errors.Join(err, failed)
		}
		_, err := tx.ExecContext(ctx, `RELEASE itsm`)
		return err
	}}
}

// Load returns an incident.
func (s *Store) Load(ctx context.Context, id itsm.ID) (incident.Incident, error) {
	no, _ := number(id) // 0 is nobody's
	inc, err := scan(s.db.QueryRowContext(ctx, `SELECT `+columns+` FROM tickets WHERE no = ?`, no))
	if errors.Is(err, sql.ErrNoRows) {
		err = fmt.Errorf("%w: ticket %s", itsm.ErrNotFound, id)
	}
	return inc, err
}

// Commit writes all the revisions or none.
func (s *Store) Commit(ctx context.Context, revs ...itsm.Revision[incident.Incident]) error {
	if err := itsm.CheckRevisions(revs...); err != nil {
		return err
	}
	return s.atomically(ctx, func(db handle) error {
		if there, err := sentBefore(ctx, db, revs); there || err != nil {
			return err
		}
		for i := range revs {
			if err := write(ctx, db, &revs[i]); err != nil {
				return err
			}
		}
		return nil
	})
}

// sentBefore reports whether all the events are in the history already.
func sentBefore(ctx context.Context, db handle, revs []itsm.Revision[incident.Incident]) (there bool, err error) {
	for _, rev := range revs {
		for _, e := range rev.Events {
			no, _ := number(e.Record)
			err := db.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM ticket_history WHERE event = ? AND ticket = ? AND version = ?)`,
				e.ID, no, e.Version).Scan(&there)
			if err != nil || !there {
				return false, err
			}
		}
	}
	return true, nil
}

// write is the compare-and-set, and its history. A statement that changes no
// row says that somebody else was faster.
func write(ctx context.Context, db handle, rev *itsm.Revision[incident.Incident]) error {
	row, err := values(&rev.Record)
	if err != nil {
		return err
	}
	query, refusal := `INSERT INTO tickets (`+columns+`) VALUES (?,?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT DO NOTHING RETURNING no`, itsm.ErrExists
	if rev.Base > 0 {
		query, refusal = `UPDATE tickets SET (`+columns+`) = (?,?,?,?,?,?,?,?,?,?,?,?) WHERE no = ? AND version = ? RETURNING no`, itsm.ErrConflict
		row = append(row, row[0], rev.Base)
	}
	var no int64
	err = db.QueryRowContext(ctx, query, row...).Scan(&no)
	if errors.Is(err, sql.ErrNoRows) {
		err = fmt.Errorf("%w: ticket %s, at version %d", refusal, rev.Record.ID, rev.Base)
	}
	for _, e := range rev.Events {
		if err == nil {
			err = remember(ctx, db, no, e)
		}
	}
	return err
}

// remember writes a line of the history.
func remember(ctx context.Context, db handle, no int64, e itsm.Event) error {
	body, err := json.Marshal(e)
	if err != nil {
		return err
	}
	err = db.QueryRowContext(ctx, `INSERT INTO ticket_history (event, ticket, version, body) VALUES (?,?,?,?) ON CONFLICT DO NOTHING RETURNING ticket`,
		e.ID, no, e.Version, string(body)).Scan(&no)
	if errors.Is(err, sql.ErrNoRows) {
		err = fmt.Errorf("%w: event %s, of ticket %s", itsm.ErrExists, e.ID, e.Record)
	}
	return err
}

// Events yields the history of an incident.
func (s *Store) Events(ctx context.Context, id itsm.ID, after itsm.Version) iter.Seq2[itsm.Event, error] {
	return func(yield func(itsm.Event, error) bool) {
		no, _ := number(id)
		lines, err := s.lines(ctx, `SELECT seq, body FROM ticket_history WHERE ticket = ? AND version > ? ORDER BY version`, no, after)
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
	rows, err := s.db.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var l line
		var body []byte
		if err := errors.Join(rows.Scan(&l.seq, &body), json.Unmarshal(body, &l.event)); err != nil {
			return all, err
		}
		all = append(all, l)
	}
	return all, rows.Err()
}
