package main

import (
	"context"
	"database/sql"
	_ "embed"
	"errors"
	"fmt"

	"github.com/go-itsm/itsm"
	_ "modernc.org/sqlite" // the driver
)

//go:embed sqlite.sql
var sqliteAdded string

// OpenSQLite opens a database file. Transactions begin by waiting for their turn to
// write, so that none has to be given up half-way.
func OpenSQLite(file string) (*sql.DB, error) {
	return sql.Open("sqlite", "file:"+file+"?_txlock=immediate&_pragma=journal_mode(wal)&_pragma=busy_timeout(10000)")
}

// OverSQLite returns the store in which every commit is a transaction of its own.
func OverSQLite(db *sql.DB) *Store {
	return &Store{sqlHandle(db), func(ctx context.Context, do func(handle) error) error {
		tx, err := db.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		defer func() { _ = tx.Rollback() }() // does nothing after the commit
		if err := do(sqlHandle(tx)); err != nil {
			return err
		}
		if err := tx.Commit(); err != nil {
			return fmt.Errorf("%w: %w", itsm.ErrUnknown, err)
		}
		return nil
	}}
}

// WithinSQLite returns the store in which every commit is a part of the host's own
// transaction, and stands or falls with it. It is for one goroutine.
func WithinSQLite(tx *sql.Tx) *Store {
	return &Store{sqlHandle(tx), func(ctx context.Context, do func(handle) error) error {
		if _, err := tx.ExecContext(ctx, `SAVEPOINT itsm`); err != nil {
			return err
		}
		if err := do(sqlHandle(tx)); err != nil {
			// Also when the context has ended: the transaction may go on.
			_, failed := tx.ExecContext(context.WithoutCancel(ctx), `ROLLBACK TO itsm; RELEASE itsm`)
			return errors.Join(err, failed)
		}
		_, err := tx.ExecContext(ctx, `RELEASE itsm`)
		return err
	}}
}

// sqlHandle is a handle over a *sql.DB or a *sql.Tx.
func sqlHandle(over interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}) handle {
	return func(ctx context.Context, read func(row) error, query string, args ...any) (n int, err error) {
		rows, err := over.QueryContext(ctx, query, args...)
		if err != nil {
			return 0, err
		}
		defer func() { err = errors.Join(err, rows.Close()) }()
		for ; rows.Next(); n++ {
			if read != nil {
				err = read(rows)
			}
			if err != nil {
				return n, err
			}
		}
		return n, rows.Err()
	}
}
