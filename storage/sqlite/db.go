package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	_ "modernc.org/sqlite" // registers the driver "sqlite"
)

var (
	// ErrClosed says that the database was closed before the call, which has
	// done nothing.
	ErrClosed = errors.New("sqlite: the database is closed")
	// ErrNewer says that a newer version of this package has made the tables,
	// so that this one must not touch them.
	ErrNewer = errors.New("sqlite: the tables are newer than this program")
)

// Config is what a host decides for a [DB]. The zero value is ready.
type Config struct {
	// Relaxed leaves it to the system when commits reach the disk
	// (synchronous=NORMAL): they are faster, and a power failure may take the
	// latest of them, never a part of one. It is for what can be had again.
	Relaxed bool
	// BusyTimeout is how long a commit waits while another process writes to
	// the file, unless its context ends before. 0 means 5 s.
	BusyTimeout time.Duration
	// Readers is how many connections read at the same time. 0 means 8.
	Readers int

	// Slow is from which duration on a commit is logged; 0 means 1 s, less
	// than 0 never.
	Slow time.Duration
	// Log gets the slow commits; nil means slog.Default().
	Log *slog.Logger
	// Now is the clock by which durations are measured; nil means time.Now.
	Now func() time.Time
	// Batch is told of each transaction that writes: how many commits shared it,
	// how long it took with the wait for other processes, and how it ended. It is
	// called by the goroutine of one of the commits, and should be quick. Nil
	// means nobody. Calls are the practice's to tell of ([itsm.Config].Observe).
	Batch func(commits int, took time.Duration, err error)

	// Driver is the name under which database/sql knows the driver: that of
	// modernc.org/sqlite, or something around it that the host has registered.
	// Empty means "sqlite".
	Driver string
}

func (c Config) withDefaults() Config {
	if c.BusyTimeout <= 0 {
		c.BusyTimeout = 5 * time.Second
	}
	if c.Readers <= 0 {
		c.Readers = 8
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
	if c.Driver == "" {
		c.Driver = "sqlite"
	}
	return c
}

// A DB is a database file. It is safe for concurrent use; so are several of
// them on the same file, in one process or in several on one machine.
type DB struct {
	cfg     Config
	readers pool
	writer  writer
	spaces  sync.Map // Space → spaceRow, those that are known to be committed

	// life is held for reading by every call, for writing by Close.
	life   sync.RWMutex
	closed bool
}

// Open opens a database file and makes it, readable for its owner only, if it
// is not there. It makes the tables, or brings them to the version that this
// package needs. The file must be on a local disk: SQLite's write-ahead log does
// not work over a network.
//
// Errors: [ErrNewer], having changed nothing; the context's, and the system's.
func Open(ctx context.Context, file string, cfg Config) (_ *DB, err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	cfg = cfg.withDefaults()
	if file, err = filepath.Abs(file); err != nil {
		return nil, err
	}
	made, err := os.OpenFile(file, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := made.Close(); err != nil {
		return nil, err
	}
	synchronous := "FULL"
	if cfg.Relaxed {
		synchronous = "NORMAL"
	}
	db := &DB{cfg: cfg}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("sqlite: opening %s: %w", file, err), db.Close())
		}
	}()
	busy := fmt.Sprintf("busy_timeout(%d)", max(cfg.BusyTimeout.Milliseconds(), 1))
	db.writer.cfg = &db.cfg
	db.writer.turn = make(chan struct{}, 1)
	if db.writer.db, err = sql.Open(cfg.Driver, source(file, busy, "journal_mode(WAL)", "synchronous("+synchronous+")")); err != nil {
		return nil, err
	}
	db.writer.db.SetMaxOpenConns(1)
	if err := db.prepare(ctx); err != nil {
		return nil, err
	}
	if db.readers.db, err = sql.Open(cfg.Driver, source(file, busy, "query_only(1)")); err != nil {
		return nil, err
	}
	db.readers.db.SetMaxOpenConns(cfg.Readers)
	db.readers.db.SetMaxIdleConns(cfg.Readers)
	return db, nil
}

// source names a file and its pragmas as the driver wants it.
func source(file string, pragmas ...string) string {
	path := filepath.ToSlash(file)
	if !strings.HasPrefix(path, "/") { // C:/…
		path = "/" + path
	}
	u := url.URL{Scheme: "file", Path: path, RawQuery: url.Values{"_pragma": pragmas, "_txlock": {"immediate"}}.Encode()}
	return u.String()
}

// prepare makes or migrates the tables.
func (db *DB) prepare(ctx context.Context) error {
	var mode string
	if err := db.writer.db.QueryRowContext(ctx, `PRAGMA journal_mode`).Scan(&mode); err != nil {
		return err
	}
	if mode != "wal" {
		return fmt.Errorf("there is no write-ahead log here, the journal's mode is %q", mode)
	}
	tx, err := db.writer.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // does nothing after the commit
	if err := Migrate(ctx, tx); err != nil {
		return err
	}
	return tx.Commit()
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

// Close waits for the calls that are under way and closes the file. Calls after
// it, and sequences that go on after it, return [ErrClosed]; closing again does
// nothing.
func (db *DB) Close() error {
	db.life.Lock()
	defer db.life.Unlock()
	if db.closed {
		return nil
	}
	db.closed = true
	return errors.Join(db.readers.close(), db.writer.close())
}

// Health returns nil if the database can be read and written: it reads, and takes
// and returns the place of the one that writes. It waits for its turn behind the
// commits, so the context should have a deadline.
//
// Errors: [ErrClosed]; the context's and the database's.
func (db *DB) Health(ctx context.Context) error {
	done, err := db.use(ctx)
	if err != nil {
		return err
	}
	defer done()
	read := db.readers.each(ctx, func(*sql.Rows) error { return nil }, `SELECT count(*) FROM itsm_schema`)
	return errors.Join(read, db.writer.probe(ctx))
}

// Backup writes a copy of the database, as it is at one moment, to a file that
// must not exist yet. Reads and commits go on meanwhile. The copy is a database
// like any other: to restore it, put it in the place of the file while that is
// closed, and remove the files with "-wal" and "-shm" beside it. Readers of feeds
// that were further than the copy are told so: [Store.Feed] refuses their cursors.
//
// Errors: [ErrClosed], [fs.ErrExist]; the context's and the database's.
func (db *DB) Backup(ctx context.Context, file string) error {
	done, err := db.use(ctx)
	if err != nil {
		return err
	}
	defer done()
	made, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	err = db.copyTo(ctx, file) // which takes an empty file
	err = errors.Join(err, made.Sync(), made.Close())
	if err != nil {
		if failed := os.Remove(file); failed != nil && !errors.Is(failed, fs.ErrNotExist) {
			err = errors.Join(err, failed)
		}
	}
	return err
}

func (db *DB) copyTo(ctx context.Context, file string) error {
	conn, err := db.readers.db.Conn(ctx)
	if err != nil {
		return err
	}
	defer discard(conn) // it is no reader any more
	if _, err = conn.ExecContext(ctx, `PRAGMA query_only = 0`); err == nil {
		_, err = conn.ExecContext(ctx, `VACUUM INTO ?`, file)
	}
	return err
}
