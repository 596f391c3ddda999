package main

import (
	"context"
	"database/sql"
	_ "embed"
	"fmt"
	"time"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/incident"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// was is the host as it was before, on either database.
//
//go:embed was.sql
var was string

// A database is what the host needs of either.
type database struct {
	// store has a transaction of its own for every commit.
	store *Store
	// begin runs a function in a transaction of the host's own, with the store
	// and all other statements in it.
	begin func(ctx context.Context, do func(within *Store) error) error
	// run runs a script.
	run func(ctx context.Context, script string) error
	// added is the script for what the library needs beside what was there.
	added string
}

// onSQLite is what the host does on SQLite.
func onSQLite(db *sql.DB) *database {
	return &database{
		store: OverSQLite(db),
		begin: func(ctx context.Context, do func(*Store) error) error {
			tx, err := db.BeginTx(ctx, nil)
			if err != nil {
				return err
			}
			defer func() { _ = tx.Rollback() }() // does nothing after the commit
			if err := do(WithinSQLite(tx)); err != nil {
				return err
			}
			return tx.Commit()
		},
		run:   func(ctx context.Context, script string) error { _, err := db.ExecContext(ctx, script); return err },
		added: sqliteAdded,
	}
}

// onPostgres is what it does on PostgreSQL.
func onPostgres(pool *pgxpool.Pool) *database {
	return &database{
		store: OverPostgres(pool),
		begin: func(ctx context.Context, do func(*Store) error) error {
			return pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error { return do(WithinPostgres(tx)) })
		},
		run:   func(ctx context.Context, script string) error { _, err := pool.Exec(ctx, script); return err },
		added: postgresAdded,
	}
}

// newDesk makes the practice over the ticket table. New tickets get the host's
// next number, over the same connection or transaction as all the rest. Its clock has
// whole seconds, as the table has always had them.
func newDesk(s *Store, now func() time.Time) (*incident.Practice, error) {
	return incident.NewPractice(s, incident.Config{
		Config: itsm.Config{Now: func() time.Time { return now().Truncate(time.Second) }, NewID: func(ctx context.Context, prefix string, at time.Time) (itsm.ID, error) {
			if prefix != "inc" {
				return itsm.NewID(prefix, at), nil // events are not numbered
			}
			no, err := draw(ctx, s.db, "ticket", 1)
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
func openOnContract(ctx context.Context, db *database, now func() time.Time, report incident.Report) (inc incident.Incident, err error) {
	err = db.begin(ctx, func(within *Store) error {
		desk, err := newDesk(within, now)
		if err != nil {
			return err
		}
		if inc, err = desk.Open(ctx, report); err != nil {
			return err
		}
		var left int
		rows, err := within.db(ctx, into(&left), `UPDATE contracts SET tickets_left = tickets_left - 1 WHERE customer = $1 RETURNING tickets_left`, report.Caller)
		switch {
		case err != nil:
			return err
		case rows == 0:
			return fmt.Errorf("%s has no contract", report.Caller)
		case left < 0:
			return fmt.Errorf("the contract of %s has no tickets left", report.Caller)
		}
		return nil
	})
	return inc, err
}
