package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"sync"
	"sync/atomic"
)

// A pool is a database handle that keeps its statements prepared.
type pool struct {
	db       *sql.DB
	prepared sync.Map // text → *sql.Stmt
	count    atomic.Int32
}

// maxPrepared is how many statements are kept prepared, by each connection.
const maxPrepared = 100

// each calls a function for every row of a query's result.
func (p *pool) each(ctx context.Context, row func(*sql.Rows) error, text string, args ...any) error {
	stmt, err := p.statement(ctx, text)
	if err != nil {
		return err
	}
	if stmt == nil {
		rows, err := p.db.QueryContext(ctx, text, args...)
		return drain(rows, err, row)
	}
	rows, err := stmt.QueryContext(ctx, args...)
	return drain(rows, err, row)
}

// statement returns a prepared statement, or nil if there are too many. Each
// shape of a list's query has a text of its own: hosts have few, but who may
// choose the states of a query from outside could make many.
func (p *pool) statement(ctx context.Context, text string) (*sql.Stmt, error) {
	if stmt, ok := p.prepared.Load(text); ok {
		return stmt.(*sql.Stmt), nil
	}
	if p.count.Add(1) > maxPrepared {
		p.count.Add(-1)
		return nil, nil
	}
	stmt, err := p.db.PrepareContext(ctx, text)
	if err != nil {
		p.count.Add(-1)
		return nil, err
	}
	if there, ok := p.prepared.LoadOrStore(text, stmt); ok {
		p.count.Add(-1)
		return there.(*sql.Stmt), stmt.Close()
	}
	return stmt, nil
}

func (p *pool) close() error {
	if p.db == nil {
		return nil
	}
	return p.db.Close() // and with it the connections, which have the statements
}

// errEnough ends the reading of rows.
var errEnough = errors.New("enough")

func drain(rows *sql.Rows, err error, row func(*sql.Rows) error) error {
	if err != nil {
		return err
	}
	for err == nil && rows.Next() {
		err = row(rows)
	}
	if err == nil {
		err = rows.Err()
	}
	if errors.Is(err, errEnough) {
		err = nil
	}
	return errors.Join(err, rows.Close())
}

// discard closes a connection rather than giving it back to its pool.
func discard(conn *sql.Conn) {
	_ = conn.Raw(func(any) error { return driver.ErrBadConn }) // which database/sql closes
	_ = conn.Close()
}
