package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"

	"github.com/go-itsm/itsm"
)

// A writer is the one connection of a DB that writes. What costs in a commit is
// the sync of the disk, so commits that come at the same time share one: they
// line up in a queue, and whose turn it is writes all that is waiting, in one
// transaction, for the others too. No goroutine of its own is needed for that.
type writer struct {
	cfg  *Config
	db   *sql.DB
	turn chan struct{} // holds a token while somebody writes

	mu    sync.Mutex
	queue []*commit

	// What follows belongs to the one whose turn it is.
	conn     *sql.Conn
	prepared map[string]*sql.Stmt
	grouped  bool // several commits shared the last transaction
}

// maxBatch is how many commits share a transaction at the most.
const maxBatch = 256

// commit has a commit written and returns its answer. What it waits for, until
// the context ends, is its turn and other processes.
func (w *writer) commit(ctx context.Context, c *commit) error {
	w.mu.Lock()
	w.queue = append(w.queue, c)
	w.mu.Unlock()
	for {
		select {
		case <-c.done:
			return c.answer
		case w.turn <- struct{}{}:
			err := w.lead(ctx, c)
			<-w.turn
			if err != nil {
				return err
			}
		case <-ctx.Done():
			if w.leave(c) {
				return ctx.Err()
			}
			select {
			case <-c.done: // which is better than not to know
				return c.answer
			default:
				return fmt.Errorf("%w: %w", itsm.ErrUnknown, ctx.Err())
			}
		}
	}
}

// leave takes a commit out of the queue, if it is still there.
func (w *writer) leave(c *commit) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	i := slices.Index(w.queue, c)
	if i >= 0 {
		w.queue = slices.Delete(w.queue, i, i+1)
	}
	return i >= 0
}

// take takes what is waiting, or as much of it as one transaction may have.
func (w *writer) take() []*commit {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := min(len(w.queue), maxBatch)
	batch := slices.Clone(w.queue[:n])
	w.queue = slices.Delete(w.queue, 0, n)
	return batch
}

// lead writes a batch, of which a commit is part if it was not written by
// somebody else. It returns an error if its context has ended before anything
// was done; the others of the batch wait on.
func (w *writer) lead(ctx context.Context, c *commit) error {
	select {
	case <-c.done:
		return nil
	default:
	}
	if w.grouped {
		// Those who were answered just now are about to come again.
		runtime.Gosched()
	}
	start := w.cfg.Now()
	err := w.begin(ctx)
	if err != nil && ctx.Err() != nil {
		w.leave(c)
		return ctx.Err()
	}
	batch := w.take() // with all who came while others were writing
	w.grouped = len(batch) > 1
	if err == nil {
		err = w.write(batch)
	}
	if w.cfg.Batch != nil {
		w.cfg.Batch(len(batch), w.cfg.Now().Sub(start), err)
	}
	for _, c := range batch {
		if err != nil {
			c.answer = err
		}
		close(c.done)
	}
	return nil
}

// begin begins a transaction.
func (w *writer) begin(ctx context.Context) (err error) {
	if w.conn == nil {
		w.prepared = map[string]*sql.Stmt{}
		if w.conn, err = w.db.Conn(ctx); err != nil {
			w.conn = nil
			return err
		}
	}
	if _, err = w.exec(ctx, `BEGIN IMMEDIATE`); err != nil {
		w.drop() // it may have begun just when the context ended
	}
	return err
}

// abandon ends a transaction in which nothing was written, or nothing is to
// stay.
func (w *writer) abandon() {
	if _, err := w.exec(context.Background(), `ROLLBACK`); err != nil {
		w.drop()
	}
}

// drop gives the connection up, and what it has begun; the next transaction gets
// another.
func (w *writer) drop() {
	w.forget()
	discard(w.conn)
	w.conn = nil
}

// forget closes the statements. SQLite does not close a connection, nor end its
// transaction, as long as there is one.
func (w *writer) forget() {
	for _, stmt := range w.prepared {
		_ = stmt.Close()
	}
	w.prepared = nil
}

// write writes a batch in the transaction that has begun and ends it. Each commit has
// its answer then, unless there is an error, which is that of all: what a commit
// was told, it was told about the others of its batch too.
func (w *writer) write(batch []*commit) error {
	ctx := context.Background() // nobody's alone
	written := false
	for _, c := range batch {
		if len(batch) > 1 {
			if _, err := w.exec(ctx, `SAVEPOINT one`); err != nil {
				w.abandon()
				return err
			}
		}
		wrote, err := c.write(ctx, w)
		c.answer = err
		written = written || wrote && err == nil
		if len(batch) > 1 {
			var failed error
			if err != nil {
				_, failed = w.exec(ctx, `ROLLBACK TO one`)
			}
			if failed == nil {
				_, failed = w.exec(ctx, `RELEASE one`)
			}
			if failed != nil { // some errors end the transaction
				w.abandon()
				return errors.Join(err, failed)
			}
		}
	}
	if !written {
		w.abandon()
		return nil
	}
	if _, err := w.exec(ctx, `COMMIT`); err != nil {
		// It may have reached the disk, and may not.
		w.drop()
		return fmt.Errorf("%w: %w", itsm.ErrUnknown, err)
	}
	return nil
}

// exec runs a statement that returns no rows, and says how many it changed.
func (w *writer) exec(ctx context.Context, text string, args ...any) (int64, error) {
	stmt, err := w.statement(ctx, text)
	if err != nil {
		return 0, err
	}
	result, err := stmt.ExecContext(ctx, args...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// each calls a function for every row of a query's result.
func (w *writer) each(ctx context.Context, row func(*sql.Rows) error, text string, args ...any) error {
	stmt, err := w.statement(ctx, text)
	if err != nil {
		return err
	}
	rows, err := stmt.QueryContext(ctx, args...)
	return drain(rows, err, row)
}

func (w *writer) statement(ctx context.Context, text string) (*sql.Stmt, error) {
	stmt := w.prepared[text]
	if stmt != nil {
		return stmt, nil
	}
	stmt, err := w.conn.PrepareContext(ctx, text)
	if err == nil {
		w.prepared[text] = stmt
	}
	return stmt, err
}

// probe takes and returns the place of the one that writes.
func (w *writer) probe(ctx context.Context) error {
	select {
	case w.turn <- struct{}{}:
		defer func() { <-w.turn }()
	case <-ctx.Done():
		return ctx.Err()
	}
	if err := w.begin(ctx); err != nil {
		return err
	}
	w.abandon()
	return nil
}

// close ends the connection. Nobody writes any more.
func (w *writer) close() error {
	if w.db == nil {
		return nil
	}
	var err error
	if w.conn != nil {
		w.forget()
		err = w.conn.Close()
	}
	return errors.Join(err, w.db.Close())
}
