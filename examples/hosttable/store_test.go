package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/incident"
	"github.com/go-itsm/itsm/sla"
	"github.com/go-itsm/itsm/slm"
	"github.com/go-itsm/itsm/storage/enginetest/pgserver"
	"github.com/go-itsm/itsm/storage/storagetest"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"
)

// server is the address of a PostgreSQL; missing says why there is none.
var (
	server  string
	missing error
)

func TestMain(m *testing.M) {
	var stop func()
	if server, stop, missing = pgserver.Find(); missing != nil && os.Getenv(pgserver.Required) == "1" {
		fmt.Fprintln(os.Stderr, missing)
		os.Exit(1)
	}
	code := m.Run()
	stop()
	os.Exit(code)
}

// A fresh function makes a database with the host's tables and opens it twice, as
// two hosts have it.
type fresh func(ctx context.Context) (one, other *database, end func() error, err error)

// onEach runs a test over each kind of database.
func onEach(t *testing.T, test func(t *testing.T, open fresh)) {
	t.Run("sqlite", func(t *testing.T) {
		test(t, func(ctx context.Context) (one, other *database, end func() error, err error) {
			file := filepath.Join(t.TempDir(), "desk.db")
			db, err := OpenSQLite(file)
			if err != nil {
				return nil, nil, nil, err
			}
			db2, err := OpenSQLite(file)
			one, other = onSQLite(db), onSQLite(db2)
			return one, other, func() error { return errors.Join(db2.Close(), db.Close()) }, errors.Join(err, one.run(ctx, was), one.run(ctx, one.added))
		})
	})
	t.Run("postgres", func(t *testing.T) {
		if missing != nil {
			t.Skip(missing)
		}
		test(t, func(ctx context.Context) (one, other *database, end func() error, err error) {
			cfg, drop, err := ownSchema(ctx, server)
			if err != nil {
				return nil, nil, nil, err
			}
			pool, err := pgxpool.NewWithConfig(ctx, cfg.Copy())
			if err != nil {
				return nil, nil, nil, err
			}
			// Some servers are set up like this for other programs' sake.
			cfg.ConnConfig.RuntimeParams["default_transaction_isolation"] = "repeatable read"
			pool2, err := pgxpool.NewWithConfig(ctx, cfg)
			one, other = onPostgres(pool), onPostgres(pool2)
			return one, other, func() error { pool2.Close(); pool.Close(); return drop() }, errors.Join(err, one.run(ctx, was), one.run(ctx, one.added))
		})
	})
}

// desk makes a database for a test.
func (f fresh) desk(t *testing.T) *database {
	t.Helper()
	db, _, end, err := f(context.WithoutCancel(t.Context()))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, end()) })
	return db
}

// numbers reads a row of numbers.
func numbers(t *testing.T, db handle, query string, n int) []int {
	t.Helper()
	all, places := make([]int, n), make([]any, n)
	for i := range all {
		places[i] = &all[i]
	}
	_, err := db(t.Context(), into(places...), query)
	require.NoError(t, err)
	return all
}

// The store keeps every rule there is, over the host's own table.
func TestStore(t *testing.T) {
	onEach(t, func(t *testing.T, open fresh) {
		storagetest.Test(t, storagetest.Harness[incident.Incident]{
			Open: func(ctx context.Context) (storagetest.Backend[incident.Incident], error) {
				one, other, end, err := open(ctx)
				if err != nil {
					return storagetest.Backend[incident.Incident]{}, err
				}
				return storagetest.Backend[incident.Incident]{Store: one.store, Other: other.store, Close: end}, one.run(ctx, empty)
			},
			Record: sample,
			Change: change,
			Lists:  true, Feeds: true, Wakes: true,
		})
	})
}

// empty takes away what the host had before.
const empty = `DELETE FROM tickets`

// sample makes an incident with every field filled.
func sample(n int) incident.Incident {
	at := func(minutes int) time.Time {
		return time.Date(2026, 3, 2, 9, n, 0, 123456000, time.UTC).Add(time.Duration(minutes) * time.Minute)
	}
	word := func(s string) string { return fmt.Sprintf("%s %d ☎ 'ü\" 한글", s, n) }
	states := incident.States()
	return incident.Incident{
		Meta:  itsm.Meta{ID: ticket(int64(n + 1)), State: states[n%len(states)]},
		Title: word("title"), Description: word("description"), Caller: fmt.Sprint("caller", n%3), Channel: "phone",
		Service: fmt.Sprint("service", n%4), CI: word("ci"), Category: word("category"), ClosureCategory: word("closure"),
		Impact: 1, Urgency: 2, Priority: itsm.Priority(n%3 + 1), PriorityReason: word("reason"),
		Assignment:    incident.Assignment{Group: fmt.Sprint("group", n%2), Person: fmt.Sprint("person", n%5)},
		Reassignments: 3,
		Escalation:    incident.Escalation{Functional: 1, Hierarchical: 2, To: "boss"},
		Collaborators: []incident.Collaborator{{Person: "kim", Skill: "nets", Joined: at(4)}},
		Hold:          incident.Hold{Reason: incident.AwaitingVendor, Note: word("note"), Since: at(5), Until: at(50), Rule: incident.ResumeByHand},
		Resolution:    incident.Resolution{Code: incident.Fixed, Note: word("note"), By: "mina", At: at(6)},
		CloseAt:       at(60), Reopens: 1,
		MergedInto: ticket(7), Parent: ticket(int64(n%2 + 8)), WaitForChildren: true,
		Children: []incident.Child{{ID: ticket(70), State: incident.New}},
		Major: incident.Major{
			Status: incident.MajorAccepted, Reason: word("major"), Roles: map[incident.MajorRole]string{incident.RoleScribe: "kim"},
			Cadence: time.Hour, UpdateDue: at(67), Updates: 1, MissedUpdates: 2,
		},
		Milestones: incident.Milestones{
			Started: at(0), Detected: at(1), Acknowledged: at(2), FirstResponse: at(3), Identified: at(4),
			Mitigated: at(5), Restored: at(6), Resolved: at(7), Closed: at(8), Reviewed: at(9),
		},
		Clocks: slm.Clocks{Targets: sla.Targets{{
			Agreement: "gold", Version: 2, Kind: sla.ServiceLevel, Metric: "resolution", Cycle: 1,
			Terms: sla.Terms{Calendar: "office@1", Goal: sla.Goal{Within: 8 * time.Hour}},
			Marks: []sla.Mark{{At: at(0), Do: sla.Start, Reason: word("reason")}, {At: at(1), Do: sla.SetGoal, Goal: sla.Goal{By: at(90)}},
				{At: at(2), Do: sla.SetCalendar, Calendar: "office@2", Base: sla.FromNow}},
			Passed:   []sla.Passing{{Threshold: "50%", At: at(3), Do: []sla.Escalation{{Do: sla.Notify, To: word("desk")}}}},
			Standing: sla.Standing{State: sla.Breached, Paused: true, Withdrawn: true, Deadline: at(90), Next: "75%", NextAt: at(91)},
		}}},
		PublicNotes: 4, InternalNotes: 5, TimeSpent: 90 * time.Minute,
		Proposals:    []incident.Proposal{{To: itsm.Ref{Kind: "article", ID: "kb_1"}, Score: 0.75, Reason: word("match")}},
		Satisfaction: &incident.Satisfaction{Score: 4, Comment: word("thanks"), At: at(10)},
		Review: &incident.Review{
			Review: itsm.Review{
				Lead: "jin", Started: at(8), Completed: at(9),
				Actions: []itsm.ActionItem{{Number: 1, Title: word("item"), Owner: "jin", Due: at(99), Done: at(98)}},
			},
			Summary: word("summary"), Lessons: word("lessons"),
		},
	}
}

// change changes what has a column and what has not, and what is listed by.
func change(r *incident.Incident, n int) {
	states := incident.States()
	r.State = states[(n+len(r.Title))%len(states)]
	r.Title = fmt.Sprint("changed ", n)
	r.Assignment.Person = fmt.Sprint("person", n%5)
	r.Description = fmt.Sprint("changed ", n)
	r.Service = fmt.Sprint("service", n%4)
}

// created makes the revision that creates a sample.
func created(n int) itsm.Revision[incident.Incident] {
	inc := sample(n)
	inc.Version, inc.Created, inc.Changed = 1, time.Unix(0, 0), time.Unix(0, 0)
	return itsm.Revision[incident.Incident]{Record: inc, Events: []itsm.Event{
		{ID: "evt-" + inc.ID, Practice: "incident", Record: inc.ID, Version: 1, Action: "report", To: inc.State},
	}}
}

// What is committed within a transaction of the host's own is there for the
// transaction, and gone with it.
func TestWithin(t *testing.T) {
	onEach(t, func(t *testing.T, open fresh) {
		ctx, db := t.Context(), open.desk(t)
		count := func(db handle) int {
			return numbers(t, db, `SELECT count(*) FROM tickets JOIN ticket_history ON ticket = no`, 1)[0]
		}
		enough := errors.New("enough")
		err := db.begin(ctx, func(store *Store) error {
			require.NoError(t, store.Commit(ctx, created(1)))
			require.NoError(t, store.Commit(ctx, created(1)), "sent again")
			// A commit that is refused leaves nothing in the transaction, which goes on.
			taken := created(3)
			taken.Events[0].ID = created(1).Events[0].ID
			require.ErrorIs(t, store.Commit(ctx, created(2), taken), itsm.ErrExists)
			require.Equal(t, 1, count(store.db))
			require.NoError(t, store.Commit(ctx, created(2)))
			require.Equal(t, 2, count(store.db))
			return enough
		})
		require.ErrorIs(t, err, enough)
		require.Equal(t, 0, count(db.store.db))
	})
}

// What has no place in the table is refused rather than lost, and what the
// table has no meaning for is not taken for something else.
func TestRefused(t *testing.T) {
	onEach(t, func(t *testing.T, open fresh) {
		ctx, db := t.Context(), open.desk(t)
		rev := created(1)
		rev.Record.ID, rev.Record.State, rev.Events[0].Record = "INC42", "awaiting_parts", "INC42"
		err := db.store.Commit(ctx, rev)
		require.ErrorIs(t, err, itsm.ErrInvalid)
		require.Len(t, itsm.Findings(err), 2)

		for _, id := range []itsm.ID{"INC42", "42", "INC00000042", "INC0000042 ", "INC-000042", "INC99999999999", ""} {
			_, err := db.store.Load(ctx, id)
			require.ErrorIs(t, err, itsm.ErrNotFound, id)
		}
		for _, nonsense := range []string{`status = 'lost'`, `opened = 'infinity'`, `rest = '[]'`} {
			_, err := db.store.db(ctx, nil, `UPDATE tickets SET `+nonsense+` WHERE no = 42 RETURNING no`)
			require.NoError(t, err)
			_, err = db.store.Load(ctx, "INC0000042")
			require.Error(t, err, nonsense)
			require.NotErrorIs(t, err, itsm.ErrNotFound)
			require.NoError(t, db.run(ctx, `UPDATE tickets SET status = 'open', opened = updated, rest = '{}'`))
		}
	})
}

// A ticket and its cost are there together or not at all.
func TestOpenOnContract(t *testing.T) {
	onEach(t, func(t *testing.T, open fresh) {
		ctx, db := itsm.As(t.Context(), "mina"), open.desk(t)
		for _, want := range []string{"", "the contract of globex has no tickets left"} {
			_, err := openOnContract(ctx, db, time.Now, incident.Report{Title: "Mail bounces", Caller: "globex"})
			if want == "" {
				require.NoError(t, err)
			} else {
				require.EqualError(t, err, want)
			}
			require.Equal(t, []int{4, 43, 0}, numbers(t, db.store.db, `SELECT (SELECT count(*) FROM tickets),
				(SELECT last FROM numbers WHERE name = 'ticket'), (SELECT tickets_left FROM contracts WHERE customer = 'globex')`, 3))
		}
		_, err := openOnContract(ctx, db, time.Now, incident.Report{Title: "Hello", Caller: "nobody"})
		require.EqualError(t, err, "nobody has no contract")
	})
}

// Many at once open tickets until the contract ends, and change one meanwhile:
// none is paid for that is not there, no number is left out, and who follows the
// feed has missed nothing.
func TestAtOnce(t *testing.T) {
	const callers, calls, paid = 6, 5, 20
	onEach(t, func(t *testing.T, open fresh) {
		ctx, db := itsm.As(t.Context(), "mina"), open.desk(t)
		require.NoError(t, db.run(ctx, fmt.Sprint(`UPDATE contracts SET tickets_left = `, paid)))
		require.NoError(t, migrate(ctx, db.store))
		desk, err := newDesk(db.store, time.Now)
		require.NoError(t, err)
		var opened, refused atomic.Int32
		var all sync.WaitGroup
		for range callers {
			all.Go(func() {
				for range calls {
					_, err := openOnContract(ctx, db, time.Now, incident.Report{Title: "Hello", Caller: "acme"})
					if err == nil {
						opened.Add(1)
					} else if strings.Contains(err.Error(), "no tickets left") {
						refused.Add(1)
					} else {
						t.Error(err)
					}
					if _, err := desk.Do(ctx, "INC0000041", incident.LogTime{Spent: time.Minute}); err != nil {
						t.Error(err)
					}
				}
			})
		}
		var followed []itsm.ID
		var at itsm.Cursor
		follow := func() {
			for d, err := range db.store.Feed(ctx, at) {
				if err != nil {
					t.Error(err)
					return
				}
				followed, at = append(followed, d.Event.ID), d.Cursor
			}
		}
		done := make(chan struct{})
		go func() { all.Wait(); close(done) }()
		for going := true; going; follow() {
			select {
			case <-done:
				going = false
			default:
			}
		}
		var whole []itsm.ID
		for d, err := range db.store.Feed(ctx, "") {
			require.NoError(t, err)
			whole = append(whole, d.Event.ID)
		}
		require.Equal(t, whole, followed)
		require.Len(t, whole, 2*3+paid+callers*calls)
		require.EqualValues(t, paid, opened.Load())
		require.EqualValues(t, callers*calls-paid, refused.Load())
		require.Equal(t, []int{3 + paid, 42 + paid, 42 + paid, 0}, numbers(t, db.store.db, `SELECT (SELECT count(*) FROM tickets), (SELECT max(no) FROM tickets),
			(SELECT last FROM numbers WHERE name = 'ticket'), (SELECT tickets_left FROM contracts WHERE customer = 'acme')`, 4))
		inc, err := desk.Get(ctx, "INC0000041")
		require.NoError(t, err)
		require.Equal(t, callers*calls*time.Minute, inc.TimeSpent)
	})
}

// What the library writes is in the host's form, and what is read is what the history
// says.
func TestForm(t *testing.T) {
	onEach(t, func(t *testing.T, open fresh) {
		ctx, db := itsm.As(t.Context(), "mina"), open.desk(t)
		desk, err := newDesk(db.store, time.Now)
		require.NoError(t, err)
		inc, err := desk.Open(ctx, incident.Report{Title: "Hello", Caller: "acme", Fields: itsm.Fields{"seat": []byte(`{"row":[1,2],"at":1.0}`)}})
		require.NoError(t, err)
		inc, err = desk.Do(ctx, inc.ID, incident.Resolve{Code: incident.Fixed, Note: "It was nothing"})
		require.NoError(t, err)
		replayed, err := desk.Replay(desk.History(ctx, inc.ID))
		require.NoError(t, err)
		stored, err := desk.Get(ctx, inc.ID)
		require.NoError(t, err)
		require.Equal(t, inc, stored)
		require.Equal(t, inc, replayed)

		var opened, updated, due string
		rows, err := db.store.db(ctx, func(r row) error {
			err := r.Scan(&opened, &updated, &due)
			for _, text := range []string{opened, updated, due} {
				require.Regexp(t, `^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$`, text)
			}
			return err
		}, `SELECT CAST(opened AS TEXT), CAST(updated AS TEXT), CAST(coalesce(due, opened) AS TEXT) FROM tickets ORDER BY no`)
		require.NoError(t, err)
		require.Equal(t, 4, rows)
		require.Equal(t, inc.Due.Format(time.DateTime), due)
	})
}

// An old ticket is the fold of its history from the day of its migration on.
func TestMigrate(t *testing.T) {
	onEach(t, func(t *testing.T, open fresh) {
		ctx, db := t.Context(), open.desk(t)
		require.NoError(t, migrate(ctx, db.store))
		desk, err := newDesk(db.store, time.Now)
		require.NoError(t, err)
		n := 0
		for stored, err := range desk.All(ctx, itsm.Query{}) {
			require.NoError(t, err)
			replayed, err := desk.Replay(desk.History(ctx, stored.ID))
			require.NoError(t, err)
			require.Equal(t, stored, replayed)
			n++
		}
		require.Equal(t, 3, n)
	})
}
