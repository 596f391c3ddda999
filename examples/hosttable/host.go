package main

import (
	"context"
	"database/sql"
	_ "embed"
	"fmt"
	"time"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/incident"
	_ "modernc.org/sqlite" // the driver
)

// was.sql is the host as it was before; itsm.sql is what the library needs
// beside it.
var (
	//go:embed was.sql
	was string
	//go:embed itsm.sql
	added string
)

// open opens a database file. Transactions begin by waiting for their turn to
// write, so that none has to be given up half-way.
func open(ctx context.Context, file string, schema ...string) (*sql.DB, error) {
	db, err := sql.Open("sqlite", "file:"+file+"?_txlock=immediate&_pragma=journal_mode(wal)&_pragma=busy_timeout(10000)")
	if err != nil {
		return nil, err
	}
	for _, statements := range schema {
		if _, err := db.ExecContext(ctx, statements); err != nil {
			return nil, err
		}
	}
	return db, nil
}

// newDesk makes the practice over the ticket table. New tickets get the host's
// next number, over the same connection or transaction as all the rest.
func newDesk(s *Store, now func() time.Time) (*incident.Practice, error) {
	return incident.NewPractice(s, incident.Config{
		Config: itsm.Config{Now: now, NewID: func(ctx context.Context, prefix string, at time.Time) (itsm.ID, error) {
			if prefix != "inc" {
				return itsm.NewID(prefix, at), nil // events are not numbered
			}
			var no int64
			err := s.db.QueryRowContext(ctx, `UPDATE numbers SET last = last + 1 WHERE name = 'ticket' RETURNING last`).Scan(&no)
			return ticket(no), err
		}},
		AutoClose: incident.After(72 * time.Hour),
		// What the migration wrote (migrate.go) can be read; nobody can ask for it,
		// because the lifecycle does not have it.
		Actions: []itsm.Action[incident.Incident]{Migrate{}},
	})
}

// openOnContract opens an incident and takes it off the customer's contract, or
// does neither: a practice is cheap enough to make one for a transaction.
func openOnContract(ctx context.Context, db *sql.DB, now func() time.Time, report incident.Report) (inc incident.Incident, err error) {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return inc, err
	}
	defer func() { _ = tx.Rollback() }() // does nothing after the commit
	desk, err := newDesk(Within(tx), now)
	if err != nil {
		return inc, err
	}
	if inc, err = desk.Open(ctx, report); err != nil {
		return inc, err
	}
	var left int
	err = tx.QueryRowContext(ctx, `UPDATE contracts SET tickets_left = tickets_left - 1 WHERE customer = ? RETURNING tickets_left`, report.Caller).Scan(&left)
	if err != nil {
		return inc, err
	}
	if left < 0 {
		return inc, fmt.Errorf("the contract of %s has no tickets left", report.Caller)
	}
	return inc, tx.Commit()
}
