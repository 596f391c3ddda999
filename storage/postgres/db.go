package postgres

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

var (
	// ErrClosed says that the database was closed before the call, which has
	// done nothing.
	ErrClosed = errors.New("postgres: the database is closed")
	// ErrNewer says that a newer version of this package has made the tables,
	// so that this one must not touch them.
	ErrNewer = errors.New("postgres: the tables are newer than this program")
	// ErrNotMigrated says that the tables are older than this program, or come
	// from another server, and [Config].NoMigration is set.
	ErrNotMigrated = errors.New("postgres: the tables need Migrate")
)

// Config is what a host decides for a [DB]. The zero value is ready.
type Config struct {
	// Lease is how long a record that is due is kept from the other hosts once
	// it was handed to one, which ought to have dealt with it by then. What a host
	// had when it died is late by as much. 0 means 30 s.
	Lease time.Duration
	// NoMigration leaves [Migrate] to the host.
	NoMigration bool
	// RowSecurity names the tenant to the database with every call, for the
	// function [RowSecurity].
	RowSecurity bool
	// Pool may change how connections are made, such as TLS, a tracer, or how
	// many there are; may be nil. The parameters of pgxpool in the address
	// ("pool_max_conns") are read before.
	Pool func(*pgxpool.Config)

	// Slow is from which duration on a commit is logged; 0 means 1 s, less
	// than 0 never.
	Slow time.Duration
	// Log gets the slow commits; nil means slog.Default().
	Log *slog.Logger
	// Now is the clock by which durations are measured; nil means time.Now.
	Now func() time.Time
}

func (c Config) withDefaults() Config {
	if c.Lease <= 0 {
		c.Lease = 30 * time.Second
	}
	if c.Slow == 0 {
		c.Slow = time.Second
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return c
}

// A DB is a pool of connections to a database. It is safe for concurrent use; so
// are several of them, on as many hosts as there are.
type DB struct {
	cfg  Config
	pool *pgxpool.Pool

	// life is held for reading by every call, for writing by Close.
	life   sync.RWMutex
	closed bool
}

// Open connects to a database by its address ("postgres://user@host/database")
// and makes the tables, or brings them to the version that this package needs. The
// tables are in the schema that is first in the connection's search path.
//
// Errors: [ErrNewer], having changed nothing; [ErrNotMigrated]; the context's, and
// the database's.
func Open(ctx context.Context, address string, cfg Config) (_ *DB, err error) {
	pc, err := pgxpool.ParseConfig(address)
	if err != nil {
		return nil, fmt.Errorf("postgres: %w", err)
	}
	cfg = cfg.withDefaults()
	if cfg.Pool != nil {
		cfg.Pool(pc)
	}
	db := &DB{cfg: cfg}
	if db.pool, err = pgxpool.NewWithConfig(ctx, pc); err != nil {
		return nil, fmt.Errorf("postgres: %w", err)
	}
	if err := db.prepare(ctx); err != nil {
		db.pool.Close()
		return nil, fmt.Errorf("postgres: opening: %w", err)
	}
	return db, nil
}

// prepare makes or migrates the tables, or finds that somebody has.
func (db *DB) prepare(ctx context.Context) error {
	if !db.cfg.NoMigration {
		return pgx.BeginFunc(ctx, db.pool, func(tx pgx.Tx) error { return Migrate(ctx, tx) })
	}
	all, err := scripts()
	if err != nil {
		return err
	}
	var there bool
	if err := db.pool.QueryRow(ctx, `SELECT to_regclass('itsm_schema') IS NOT NULL`).Scan(&there); err != nil || !there {
		return errors.Join(err, ErrNotMigrated)
	}
	version, err := versionOf(ctx, db.pool, len(all))
	if err == nil && version == len(all) {
		err = db.pool.QueryRow(ctx, `SELECT count(*) = 1 FROM itsm_server WHERE id = `+server).Scan(&there)
	}
	if err == nil && (version < len(all) || !there) {
		err = ErrNotMigrated
	}
	return err
}

// use keeps the database open while a call is under way.
func (db *DB) use(ctx context.Context) (done func(), err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	db.life.RLock()
	if db.closed {
		db.life.RUnlock()
		return nil, ErrClosed
	}
	return db.life.RUnlock, nil
}

// Close waits for the calls that are under way and closes the connections. Calls
// after it, and sequences that go on after it, return [ErrClosed]; closing again
// does nothing.
func (db *DB) Close() {
	db.life.Lock()
	defer db.life.Unlock()
	if !db.closed {
		db.closed = true
		db.pool.Close()
	}
}

// Health returns nil if the database answers and can be written to, which a
// standby cannot. The context should have a deadline.
//
// Errors: [ErrClosed]; the context's and the database's.
func (db *DB) Health(ctx context.Context) error {
	done, err := db.use(ctx)
	if err != nil {
		return err
	}
	defer done()
	var standby bool
	if err := db.pool.QueryRow(ctx, `SELECT pg_is_in_recovery() OR current_setting('transaction_read_only')::bool FROM itsm_schema LIMIT 1`).Scan(&standby); err != nil {
		return err
	}
	if standby {
		return errors.New("postgres: the server is read-only")
	}
	return nil
}

// A link is what statements can be sent over: a connection, or a transaction.
type link interface {
	Query(ctx context.Context, text string, args ...any) (pgx.Rows, error)
	SendBatch(ctx context.Context, b *pgx.Batch) pgx.BatchResults
}

// A statement is a text and its arguments, of which the first two are always the
// tenant and the practice.
type statement struct {
	text string
	args []any
}

func (s Space) statement(text string, args ...any) statement {
	return statement{text, append([]any{s.Tenant, s.Practice}, args...)}
}

// nameTenant names the tenant to the policies of the tables, for the transaction.
const nameTenant = `SELECT set_config('itsm.tenant', $1, true)`

// send sends statements in one round trip, in one transaction, and calls a
// function for every row of what they return. With secure set, it names the tenant
// first.
func send(ctx context.Context, over link, secure bool, row func(pgx.Rows) error, all ...statement) error {
	if len(all) == 1 && !secure {
		rows, err := over.Query(ctx, all[0].text, all[0].args...)
		return drain(rows, err, row)
	}
	batch := &pgx.Batch{}
	if secure {
		batch.Queue(nameTenant, all[0].args[0])
	}
	for _, s := range all {
		batch.Queue(s.text, s.args...)
	}
	results := over.SendBatch(ctx, batch)
	var err error
	if secure {
		_, err = results.Exec()
	}
	for range all {
		if err == nil {
			var rows pgx.Rows
			rows, err = results.Query()
			err = drain(rows, err, row)
		}
	}
	// The transaction has ended only when this returns.
	if failed := results.Close(); err == nil {
		err = failed
	}
	return err
}

// errEnough ends the reading of rows.
var errEnough = errors.New("enough")

func drain(rows pgx.Rows, err error, row func(pgx.Rows) error) error {
	if err != nil {
		return err
	}
	defer rows.Close()
	for err == nil && rows.Next() {
		err = row(rows)
	}
	rows.Close() // reads to the end of the transaction
	if err == nil || errors.Is(err, errEnough) {
		err = rows.Err()
	}
	return err
}
