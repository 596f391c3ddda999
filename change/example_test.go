package change_test

import (
	"context"
	"fmt"
	"time"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/approval"
	"github.com/go-itsm/itsm/change"
	"github.com/go-itsm/itsm/practicetest"
	"github.com/go-itsm/itsm/storage/memory"
)

// A change from the proposal to its end, at low risk: one colleague decides.
func Example() {
	now := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	office, err := change.NewPractice(memory.New[change.Change](), change.Config{
		Config: itsm.Config{Now: func() time.Time { return now }, NewID: practicetest.Serial()},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	mia, ann := itsm.As(context.Background(), "mia"), itsm.As(context.Background(), "ann")
	c, err := office.Open(mia, change.Propose{Title: "Mail 8", Services: []string{"mail"}})
	for _, a := range []itsm.Action[change.Change]{
		change.SetPlan{Plan: change.Plan{Implementation: "install", BackOut: "reinstall 7", Test: "send a mail"}},
		change.AssessRisk{Answers: map[string]string{"likelihood": "rare", "impact": "some"}},
		change.SetWindow{Span: change.Span{Start: now.Add(10 * time.Hour), End: now.Add(12 * time.Hour)}},
		change.RequestApproval{Approvers: []string{"ann"}},
	} {
		if err == nil {
			c, err = office.Do(mia, c.ID, a)
		}
	}
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("risk %s; %s is asked: %v\n", c.Risk, c.Approval.Authority, c.Approval.Asked)
	c, _ = office.Do(ann, c.ID, change.Vote{Vote: approval.Approve})
	fmt.Println(c.State, c.Approval.Outcome)

	now = c.Window.Start
	_, _ = office.Do(mia, c.ID, change.Start{})
	_, _ = office.Do(mia, c.ID, change.Complete{Outcome: change.Successful})
	c, _ = office.Do(mia, c.ID, change.Close{})
	fmt.Println(c.State, c.Outcome)
	// Output:
	// risk low, 2 points: impact: some +2; peer is asked: [ann]
	// scheduled approved
	// closed successful
}

// A host's own model is data, and is proved when it is put to use.
func ExampleParseModel() {
	m, err := change.ParseModel([]byte(`{
		"name": "pipeline", "version": 1, "type": "standard",
		"steps": {"draft": ["scheduled"], "scheduled": ["implement", "cancelled"], "implement": ["scheduled"]},
		"require": {"scheduled": ["luck"]}
	}`))
	fmt.Println(err)
	m, err = change.ParseModel([]byte(`{
		"name": "pipeline", "version": 1, "type": "standard",
		"steps": {"draft": ["scheduled"], "scheduled": ["implement", "cancelled"], "implement": ["scheduled", "testing"]}
	}`))
	fmt.Println(err)
	_, err = m.Lifecycle(change.DefaultLifecycle())
	for _, f := range itsm.Findings(err) {
		fmt.Println(f)
	}
	// Output:
	// require.scheduled[0] is unknown: "luck"
	// <nil>
	// states[0] "draft" does not permit "cancel"
	// states[3] "testing" is a trap: no end can be reached from it
}

// A collision is a pure function of what is planned.
func ExampleConstraints_Conflicts() {
	at := func(hour int) time.Time { return time.Date(2026, 3, 2, hour, 0, 0, 0, time.UTC) }
	rules := change.Rules{Freezes: []change.Freeze{{Name: "audit", From: at(18), Until: at(19)}}}
	constraints, err := change.NewConstraints(nil, rules, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	schedule := []change.Planned{{ID: "chg-1", Span: change.Span{Start: at(20), End: at(22)}, Items: []itsm.Ref{change.CI("db-1")}}}
	p := change.Planned{Span: change.Span{Start: at(18), End: at(21)}, Items: []itsm.Ref{change.CI("db-1")}}
	for _, c := range constraints.Conflicts(p, schedule) {
		fmt.Println(c)
	}
	// Output:
	// changes are frozen from 2026-03-02 18:00 to 2026-03-02 19:00 UTC (audit); no exception is provided for
	// ci:db-1 is touched by chg-1 from 2026-03-02 20:00 to 2026-03-02 22:00 UTC
}
