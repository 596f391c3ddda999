package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/incident"
	"github.com/go-itsm/itsm/sla"
	"github.com/go-itsm/itsm/slm"
	"github.com/go-itsm/itsm/storage/storagetest"
	"github.com/stretchr/testify/require"
)

// The store keeps every rule there is, over the host's own table.
func TestOver(t *testing.T) {
	storagetest.Test(t, storagetest.Harness[incident.Incident]{
		Open: func(ctx context.Context) (storagetest.Backend[incident.Incident], error) {
			file := filepath.Join(t.TempDir(), "desk.db")
			db, err := open(ctx, file, was, added, empty)
			if err != nil {
				return storagetest.Backend[incident.Incident]{}, err
			}
			other, err := open(ctx, file)
			return storagetest.Backend[incident.Incident]{
				Store: Over(db),
				Other: Over(other),
				Close: func() error { return errors.Join(other.Close(), db.Close()) },
			}, err
		},
		Record: sample,
		Change: change,
		Lists:  true, Feeds: true, Wakes: true,
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

// What is committed within a transaction of the host's own is there for the
// transaction, and gone with it.
func TestWithin(t *testing.T) {
	ctx := t.Context()
	db, err := open(ctx, filepath.Join(t.TempDir(), "desk.db"), was, added, empty)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	create := func(n int) itsm.Revision[incident.Incident] {
		inc := sample(n)
		inc.Version = 1
		return itsm.Revision[incident.Incident]{Record: inc, Events: []itsm.Event{
			{ID: "evt-" + inc.ID, Practice: "incident", Record: inc.ID, Version: 1, Action: "report", To: inc.State},
		}}
	}
	count := func(query interface {
		QueryRowContext(context.Context, string, ...any) *sql.Row
	}) (n int) {
		require.NoError(t, query.QueryRowContext(ctx, `SELECT count(*) FROM tickets JOIN ticket_history ON ticket = no`).Scan(&n))
		return n
	}

	tx, err := db.BeginTx(ctx, nil)
	require.NoError(t, err)
	store := Within(tx)
	require.NoError(t, store.Commit(ctx, create(1)))
	require.NoError(t, store.Commit(ctx, create(1)), "sent again")
	// A commit that is refused leaves nothing in the transaction, which goes on.
	taken := create(3)
	taken.Events[0].ID = create(1).Events[0].ID
	require.ErrorIs(t, store.Commit(ctx, create(2), taken), itsm.ErrExists)
	require.Equal(t, 1, count(tx))
	require.NoError(t, store.Commit(ctx, create(2)))
	require.Equal(t, 2, count(tx))
	require.NoError(t, tx.Rollback())
	require.Equal(t, 0, count(db))
}

// What has no place in the table is refused rather than lost, and what the
// table has no meaning for is not taken for something else.
func TestRefused(t *testing.T) {
	ctx := t.Context()
	db, err := open(ctx, filepath.Join(t.TempDir(), "desk.db"), was, added)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	inc := sample(1)
	inc.ID, inc.State, inc.Version = "INC42", "awaiting_parts", 1
	err = Over(db).Commit(ctx, itsm.Revision[incident.Incident]{Record: inc, Events: []itsm.Event{
		{ID: "evt-1", Record: inc.ID, Version: 1, To: inc.State},
	}})
	require.ErrorIs(t, err, itsm.ErrInvalid)
	require.Len(t, itsm.Findings(err), 2)

	for _, id := range []itsm.ID{"INC42", "42", "INC00000042", "INC0000042 ", "INC-000042", ""} {
		_, err := Over(db).Load(ctx, id)
		require.ErrorIs(t, err, itsm.ErrNotFound, id)
	}
	for column, value := range map[string]string{"status": "lost", "opened": "yesterday", "rest": "{"} {
		_, err := db.ExecContext(ctx, `UPDATE tickets SET `+column+` = ? WHERE no = 42`, value)
		require.NoError(t, err)
		_, err = Over(db).Load(ctx, "INC0000042")
		require.Error(t, err)
		require.NotErrorIs(t, err, itsm.ErrNotFound)
	}
}

// A ticket and its cost are there together or not at all.
func TestOpenOnContract(t *testing.T) {
	ctx := itsm.As(t.Context(), "mina")
	db, err := open(ctx, filepath.Join(t.TempDir(), "desk.db"), was, added)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	state := func() (tickets, last, left int) {
		require.NoError(t, db.QueryRowContext(ctx, `SELECT (SELECT count(*) FROM tickets), (SELECT last FROM numbers),
			(SELECT tickets_left FROM contracts WHERE customer = 'globex')`).Scan(&tickets, &last, &left))
		return tickets, last, left
	}
	for _, want := range []error{nil, errors.New("the contract of globex has no tickets left")} {
		_, err := openOnContract(ctx, db, time.Now, incident.Report{Title: "Mail bounces", Caller: "globex"})
		require.Equal(t, want, err)
		tickets, last, left := state()
		require.Equal(t, []int{4, 43, 0}, []int{tickets, last, left})
	}
	_, err = openOnContract(ctx, db, time.Now, incident.Report{Title: "Hello", Caller: "nobody"})
	require.ErrorIs(t, err, sql.ErrNoRows)
}

// An old ticket is the fold of its history from the day of its migration on.
func TestMigrate(t *testing.T) {
	ctx := t.Context()
	db, err := open(ctx, filepath.Join(t.TempDir(), "desk.db"), was, added)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	require.NoError(t, migrate(ctx, db))
	desk, err := newDesk(Over(db), time.Now)
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
}
