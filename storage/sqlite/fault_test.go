package sqlite_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/storage/enginetest"
	"github.com/go-itsm/itsm/storage/sqlite"
	sqlitedriver "modernc.org/sqlite"
)

// faulty is the driver with a fault that a test can set: the call of a number
// fails, before it has done anything or after it has done everything.
var faulty = &faults{}

func init() { sql.Register("faulty", faulty) }

var errFault = errors.New("the disk has a fault")

type faults struct {
	mu    sync.Mutex
	left  int // calls until one fails; 0 for none
	after bool
	text  string // of what failed
}

// set has the n-th call from now on fail.
func (f *faults) set(n int, after bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.left, f.after, f.text = n, after, ""
}

// clear takes the fault away, and says which statement has failed.
func (f *faults) clear() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.left = 0
	return f.text
}

// around makes a call, unless it is its turn to fail.
func around[T any](f *faults, text string, call func() (T, error)) (T, error) {
	f.mu.Lock()
	fails := f.left == 1
	if f.left > 0 {
		f.left--
	}
	if fails {
		f.text = text
	}
	after := f.after
	f.mu.Unlock()
	var none T
	if fails && !after {
		return none, errFault
	}
	result, err := call()
	if fails {
		return none, errors.Join(errFault, err)
	}
	return result, err
}

func (f *faults) Open(name string) (driver.Conn, error) {
	conn, err := new(sqlitedriver.Driver).Open(name)
	if err != nil {
		return nil, err
	}
	return faultyConn{conn, f}, nil
}

type faultyConn struct {
	driver.Conn
	f *faults
}

func (c faultyConn) BeginTx(ctx context.Context, o driver.TxOptions) (driver.Tx, error) {
	return c.Conn.(driver.ConnBeginTx).BeginTx(ctx, o)
}

func (c faultyConn) PrepareContext(ctx context.Context, text string) (driver.Stmt, error) {
	stmt, err := around(c.f, "prepare "+text, func() (driver.Stmt, error) {
		return c.Conn.(driver.ConnPrepareContext).PrepareContext(ctx, text)
	})
	if err != nil {
		return nil, err
	}
	return faultyStmt{stmt, text, c.f}, nil
}

type faultyStmt struct {
	driver.Stmt
	text string
	f    *faults
}

func (s faultyStmt) ExecContext(ctx context.Context, args []driver.NamedValue) (driver.Result, error) {
	return around(s.f, s.text, func() (driver.Result, error) { return s.Stmt.(driver.StmtExecContext).ExecContext(ctx, args) })
}

func (s faultyStmt) QueryContext(ctx context.Context, args []driver.NamedValue) (driver.Rows, error) {
	var rows driver.Rows
	_, err := around(s.f, s.text, func() (_ any, err error) {
		rows, err = s.Stmt.(driver.StmtQueryContext).QueryContext(ctx, args)
		return nil, err
	})
	if err != nil && rows != nil {
		err = errors.Join(err, rows.Close())
	}
	return rows, err
}

// Whatever step of a commit fails, the answer is true: a commit was done, was not
// done, or nobody can say; and sent again it is done once. The next commit finds
// everything in order.
func TestFaults(t *testing.T) {
	for _, several := range []bool{false, true} {
		for _, after := range []bool{false, true} {
			t.Run(fmt.Sprintf("several %v, after %v", several, after), func(t *testing.T) {
				unknown := 0
				for step := 1; ; step++ {
					failed, outcome := faultAt(t, step, several, after)
					if failed == "" {
						require.Greater(t, step, 5)
						break
					}
					if outcome == "unknown" {
						unknown++
						require.Equal(t, "COMMIT", failed)
					}
				}
				require.Positive(t, unknown)
				if !several {
					require.Equal(t, 1, unknown, "only the last step leaves it open")
				}
			})
		}
	}
}

// faultAt has a step of a transaction fail, in which one commit is written or three.
func faultAt(t *testing.T, step int, several, after bool) (failed, outcome string) {
	ctx := t.Context()
	file := temp(t)
	db := open(t, file, sqlite.Config{Driver: "faulty"})
	store := sqlite.NewStore[enginetest.Item](db, tickets)
	all := enginetest.Fill(t, store, 4)
	var revs []itsm.Revision[enginetest.Item]
	for i := range 3 {
		enginetest.Change(&all[i], i+1)
		revs = append(revs, enginetest.Next(all[i], "faulty"))
	}
	taken := enginetest.Next(all[3], "faulty")
	taken.Events[0].ID = "evt_" + all[0].ID + "_1_fill"

	var errs []error
	if several {
		// They line up behind another process, and share a transaction then.
		release := lock(t, file)
		sent := append(slices.Clone(revs), taken)
		var calls atomic.Int32
		faulty.set(step, after)
		errs = together(func(i int) error {
			if i == 4 {
				for calls.Load() < 4 {
					runtime.Gosched()
				}
				release()
				return nil
			}
			calls.Add(1)
			return store.Commit(ctx, sent[i])
		}, 5)[:4]
	} else {
		revs = revs[:1]
		faulty.set(step, after)
		errs = []error{store.Commit(ctx, revs[0]), itsm.ErrExists}
	}
	failed = faulty.clear()
	outcome = "done"
	for i, rev := range revs {
		now, err := store.Load(ctx, rev.Record.ID)
		require.NoError(t, err)
		switch err := errs[i]; {
		case err == nil:
			require.Equal(t, rev.Record.Version, now.Version)
		case errors.Is(err, itsm.ErrUnknown):
			require.Equal(t, after, now.Version == rev.Record.Version)
			outcome = "unknown"
		default:
			require.ErrorIs(t, err, errFault)
			require.Equal(t, rev.Base, now.Version, failed)
			outcome = "not done"
		}
	}
	if last := errs[len(errs)-1]; !errors.Is(last, errFault) {
		require.ErrorIs(t, last, itsm.ErrExists)
	}
	for _, rev := range revs {
		require.NoError(t, store.Commit(ctx, rev), "sent again")
		now, err := store.Load(ctx, rev.Record.ID)
		require.NoError(t, err)
		require.Equal(t, rev.Record, now)
		n := 0
		for e, err := range store.Events(ctx, rev.Record.ID, 0) {
			require.NoError(t, err)
			n++
			require.EqualValues(t, n, e.Version)
		}
		require.EqualValues(t, now.Version, n)
		page, err := store.List(ctx, itsm.Query{States: []itsm.State{now.State}, Where: []itsm.Key{{Field: "assignee", Value: now.Assignee}}})
		require.NoError(t, err)
		require.Contains(t, page.Records, now)
	}
	require.ErrorIs(t, store.Commit(ctx, taken), itsm.ErrExists)
	return failed, outcome
}

// lock takes the place of the one that writes, as another process would.
func lock(t *testing.T, file string) (release func()) {
	raw, err := sql.Open("sqlite", file)
	require.NoError(t, err)
	conn, err := raw.Conn(t.Context())
	require.NoError(t, err)
	_, err = conn.ExecContext(t.Context(), `BEGIN IMMEDIATE`)
	require.NoError(t, err)
	return sync.OnceFunc(func() {
		_, err := conn.ExecContext(context.Background(), `ROLLBACK`)
		require.NoError(t, errors.Join(err, conn.Close(), raw.Close()))
	})
}

// together does something n times at once and returns what came of it.
func together(do func(i int) error, n int) []error {
	errs := make([]error, n)
	var group sync.WaitGroup
	for i := range n {
		group.Go(func() { errs[i] = do(i) })
	}
	group.Wait()
	return errs
}
