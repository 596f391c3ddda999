package main

import (
	"context"
	_ "embed"
	"fmt"

	"github.com/go-itsm/itsm"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

//go:embed postgres.sql
var postgresAdded string

// OverPostgres returns the store in which every commit is a transaction of its own,
// whose statements see what was committed while they waited, however the server is
// set up.
//
// Commits come one at a time, because they draw numbers (Commit), and wait for the
// end of a transaction of the host's in which one was made. A help desk asks for no
// more; package storage/postgres shows how it goes without.
func OverPostgres(pool *pgxpool.Pool) *Store {
	return overPgx(pool, func(ctx context.Context) (pgx.Tx, error) {
		return pool.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.ReadCommitted})
	})
}

// WithinPostgres returns the store in which every commit is a savepoint in the
// host's own transaction, and stands or falls with it. It is for one goroutine. The
// transaction is READ COMMITTED, as they are where nobody says otherwise: one of a
// higher level is given up when others have drawn numbers meanwhile.
func WithinPostgres(tx pgx.Tx) *Store { return overPgx(tx, tx.Begin) }

func overPgx(over pgxQuerier, begin func(context.Context) (pgx.Tx, error)) *Store {
	return &Store{pgxHandle(over), func(ctx context.Context, do func(handle) error) error {
		tx, err := begin(ctx)
		if err != nil {
			return err
		}
		// It does nothing after the commit. Also when the context has ended: what
		// is around a savepoint may go on.
		defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }()
		if err := do(pgxHandle(tx)); err != nil {
			return err
		}
		if err := tx.Commit(ctx); err != nil {
			return fmt.Errorf("%w: %w", itsm.ErrUnknown, err)
		}
		return nil
	}}
}

type pgxQuerier interface {
	Query(ctx context.Context, query string, args ...any) (pgx.Rows, error)
}

// pgxHandle is a handle over a pool, a connection or a transaction.
func pgxHandle(over pgxQuerier) handle {
	return func(ctx context.Context, read func(row) error, query string, args ...any) (n int, err error) {
		rows, err := over.Query(ctx, query, args...)
		if err != nil {
			return 0, err
		}
		defer rows.Close()
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
