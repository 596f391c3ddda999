// Change follows a normal change: the time it was planned for collides with
// another one and it moves, its board changes its mind, it fails and is backed out,
// and the review says what to do better.
//
//	go run ./examples/change
package main

import (
	"context"
	"fmt"
	"log"
	"time"
	_ "time/tzdata" // so that it runs where the system has no time zones

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/approval"
	"github.com/go-itsm/itsm/change"
	"github.com/go-itsm/itsm/sla"
	"github.com/go-itsm/itsm/storage/memory"
)

// topology knows that mail depends on the database. A host asks its CMDB.
type topology struct{}

func (topology) Parents(item itsm.Ref) []itsm.Ref {
	if item == change.CI("db-1") {
		return []itsm.Ref{change.Service("mail")}
	}
	return nil
}

func (topology) Children(item itsm.Ref) []itsm.Ref {
	if item == change.Service("mail") {
		return []itsm.Ref{change.CI("db-1")}
	}
	return nil
}

// calendar is the change schedule: the database may be changed at night, and
// nothing at the end of the year.
func calendar() *change.Calendar {
	nights, err := sla.Calendar{Name: "nights", Zone: "Europe/Berlin",
		Rules: sla.Rules{Weekly: sla.EveryDay(sla.Window{Open: 20 * time.Hour, Close: 2 * time.Hour})}}.Compile()
	check(err)
	rules, err := change.ParseRules([]byte(`{
		"windows": [{"name": "the nights", "calendar": "nights", "items": [{"kind": "ci", "id": "db-1"}]}],
		"freezes": [{"name": "year end", "from": "2026-12-18T00:00:00+01:00", "until": "2027-01-04T00:00:00+01:00"}]
	}`))
	check(err)
	c, err := change.NewConstraints([]*sla.Hours{nights}, rules, topology{})
	check(err)
	return change.NewCalendar(c)
}

func main() {
	berlin, err := time.LoadLocation("Europe/Berlin")
	check(err)
	now := time.Date(2026, 3, 2, 9, 0, 0, 0, berlin)
	schedule := calendar()
	last := map[string]int{}
	office, err := change.NewPractice(memory.New[change.Change](), change.Config{
		Config: itsm.Config{
			Now: func() time.Time { return now },
			NewID: func(_ context.Context, prefix string, _ time.Time) (itsm.ID, error) {
				last[prefix]++
				return itsm.ID(fmt.Sprintf("%s-%d", prefix, last[prefix])), nil
			},
		},
		Schedule:    schedule,
		Views:       []change.View{schedule},
		Criticality: func(string) string { return "high" },
	})
	check(err)
	as := func(who string) context.Context { return itsm.As(context.Background(), who) }
	do := func(who string, id itsm.ID, actions ...itsm.Action[change.Change]) change.Change {
		var c change.Change
		for _, a := range actions {
			now = now.Add(time.Minute)
			c, err = office.Do(as(who), id, a)
			check(err)
		}
		return c
	}
	at := func(t time.Time) string { return t.In(berlin).Format("Mon 15:04") }
	tonight := time.Date(2026, 3, 2, 20, 0, 0, 0, berlin)

	// The mail service gets a patch tonight: low risk, and a peer agrees.
	patch, err := office.Open(as("jin"), change.Propose{Title: "Patch of the mail servers", Services: []string{"mail"}})
	check(err)
	do("jin", patch.ID,
		change.SetPlan{Plan: change.Plan{Implementation: "patch", BackOut: "restore", Test: "send"}},
		change.OverrideRisk{Level: change.LowRisk, Reason: "done every month"},
		change.SetWindow{Span: change.Span{Start: tonight, End: tonight.Add(2 * time.Hour)}},
		change.RequestApproval{Approvers: []string{"kim"}})
	patch = do("kim", patch.ID, change.Vote{Vote: approval.Approve})
	fmt.Printf("%s, %q, is %s: %s decided.\n", patch.ID, patch.Title, patch.State, patch.Approval.Authority)

	// Mia wants a new version of the database, which mail depends on.
	c, err := office.Open(as("mia"), change.Propose{Title: "Database 16", Reason: "15 is out of support", Services: []string{"billing"}, CIs: []string{"db-1"}})
	check(err)
	c = do("mia", c.ID,
		change.Submit{},
		change.StartPlanning{},
		change.SetPlan{Plan: change.Plan{Implementation: "stop, upgrade, start", BackOut: "restore the snapshot", BackOutTime: time.Hour, Test: "run the queries"}},
		change.SetTasks{Tasks: []change.Step{
			{Key: "snapshot", Title: "Take a snapshot", Kind: change.ImplementationTask},
			{Key: "upgrade", Title: "Upgrade", Kind: change.ImplementationTask, After: []string{"snapshot"}},
			{Key: "queries", Title: "Run the queries", Kind: change.TestingTask, After: []string{"upgrade"}},
			{Key: "restore", Title: "Restore the snapshot", Kind: change.BackOutTask},
		}},
		change.AssessRisk{Answers: map[string]string{"likelihood": "possible", "impact": "everybody"}},
		change.SetWindow{Span: change.Span{Start: tonight.Add(time.Hour), End: tonight.Add(3 * time.Hour)}})
	fmt.Printf("\n%s, %q, has a risk: %s.\n", c.ID, c.Title, c.Risk)
	for _, conflict := range c.Conflicts {
		fmt.Printf("At %s it collides: %s.\n", at(c.Window.Start), conflict)
	}
	_, err = office.Do(as("mia"), c.ID, change.RequestApproval{Approvers: []string{"ann", "bob", "cai"}})
	fmt.Println("So nobody is asked about it:", itsm.Findings(err)[0])

	free, ok := schedule.NextFree(c.AsPlanned(), c.Window.Start, tonight.AddDate(0, 0, 7))
	fmt.Printf("The next two hours that are free: %s to %s (%t).\n", at(free.Start), at(free.End), ok)
	c = do("mia", c.ID, change.SetWindow{Span: free}, change.RequestApproval{Approvers: []string{"ann", "bob", "cai"}})

	// Such a risk is the board's, and one of its members changes her mind.
	fmt.Printf("\nThe %s is asked: %v.\n", c.Approval.Authority, c.Approval.Asked)
	for _, vote := range []struct {
		who     string
		what    approval.Vote
		comment string
	}{
		{"ann", approval.Reject, "is there a way back?"},
		{"bob", approval.Approve, ""},
		{"ann", approval.Approve, "I have seen the snapshot"},
	} {
		c = do(vote.who, c.ID, change.Vote{Vote: vote.what, Comment: vote.comment})
		fmt.Printf("  %s votes %s: %s, %s\n", vote.who, vote.what, c.Approval.Outcome, c.State)
	}
	_, err = office.Do(as("cai"), c.ID, change.Vote{Vote: approval.Reject})
	fmt.Println("  cai is late:", itsm.Findings(err)[0])

	// It does not work, and goes back.
	now = free.Start
	c = do("mia", c.ID, change.Start{}, change.CompleteTask{Key: "snapshot"}, change.CompleteTask{Key: "upgrade"}, change.StartTesting{},
		change.CompleteTask{Key: "queries", Result: change.TaskFailed, Note: "billing is ten times slower"}, change.RecordValidation{Note: "too slow"},
		change.StartBackOut{Reason: "billing is ten times slower"})
	now = now.Add(40 * time.Minute)
	c = do("mia", c.ID, change.CompleteTask{Key: "restore"}, change.CompleteBackOut{Note: "the queries are as fast as before"})
	fmt.Printf("\nAt %s it is %s, in %s.\n", at(c.Ended), c.Outcome, c.State)
	_, err = office.Do(as("mia"), c.ID, change.Close{})
	fmt.Println("It cannot be closed:", itsm.Findings(err)[0])
	c = do("kim", c.ID, change.StartReview{Lead: "kim"},
		change.AddActionItem{Title: "Rehearse with a copy of billing's data", Owner: "mia"},
		change.CompleteReview{Summary: "an index was dropped", Lessons: "test with data of real size"},
		change.Close{})
	fmt.Printf("After the review it is %s. Lesson: %s.\n", c.State, c.Review.Lessons)

	m, err := change.Measure(office.Samples(as("kim"), itsm.Query{}, now), change.Span{Start: tonight, End: tonight.AddDate(0, 0, 1)}, nil)
	check(err)
	fmt.Printf("\nFail rate %s; service was back after %s.\n", m.FailRate, m.RecoveryTime.Value)
	fmt.Println("\nIts history:")
	for e, err := range office.History(as("kim"), c.ID) {
		check(err)
		fmt.Printf("  %s  %-4s %-18s %s\n", at(e.At), e.Actor.ID, e.Action, e.To)
	}
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
