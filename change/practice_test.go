package change_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/approval"
	"github.com/go-itsm/itsm/change"
	"github.com/go-itsm/itsm/practicetest"
	"github.com/go-itsm/itsm/sla"
)

// configs are the ways in which a host may run the practice, and the rules of the calendar
// in those that have one.
func configs(t testing.TB) ([]change.Config, *change.Constraints) {
	restart := change.Template{Name: "restart", Version: 1, Title: "Restart", Services: []string{"mail"}, Risk: change.LowRisk, By: "ann", Approved: morning,
		Plan: change.Plan{Implementation: "restart", BackOut: "stop"}, Tasks: []change.Step{{Key: "a", Title: "restart", Kind: change.ImplementationTask}}}
	c, err := change.NewConstraints(nightly(t), change.Rules{
		Windows: []change.MaintenanceWindow{{Name: "w", Calendar: "nights", Items: []itsm.Ref{change.CI("mx-2")}}},
		Freezes: []change.Freeze{{Name: "f", From: morning.Add(50 * time.Hour), Until: morning.Add(60 * time.Hour)}, {Name: "g", Calendar: "mornings", Items: []itsm.Ref{change.Service("erp")}, Absolute: true}},
	}, depends([2]itsm.Ref{change.Service("mail"), change.CI("mx-1")}))
	require.NoError(t, err)
	models := change.DefaultModels()
	for i := range models {
		models[i].ReviewWithin = 5 * time.Hour
		models[i].Require = map[itsm.State][]change.Requirement{change.Closed: {change.NeedDecision, change.NeedOutcome, change.NeedReview, change.NeedValidation, change.NeedTasks}}
	}
	member := func(names ...string) []approval.Member { return approval.Persons(names...) }
	authorities := change.AuthorityPolicy{
		Authorities: []change.Authority{
			{Name: "machine", Kind: change.Automation},
			{Name: "open", Kind: change.CAB, Policy: approval.Policy{Rule: approval.Rule{Need: approval.Majority, Of: member("ann", "bob", "cai")}, Recount: true, Within: 30 * time.Hour, Silence: approval.Abstain}},
			{Name: "short", Kind: change.ECAB, Policy: approval.Policy{Rule: approval.Rule{Need: approval.Any, Of: []approval.Member{{Role: "cab", Substitutes: []approval.Substitute{{Person: "mia", After: time.Hour}}}}}, Within: 3 * time.Hour}},
		},
		Rules: []change.AuthorityRule{{When: sla.Condition{"risk": {"low"}}, Authority: "machine"}, {When: sla.Condition{"type": {"emergency"}}, Authority: "short"}, {Authority: "open"}},
	}
	book, err := sla.NewBook(nightly(t), []sla.Agreement{{Name: "all", Kind: sla.ServiceLevel, Metrics: []sla.Metric{
		change.AuthorizationMetric("mornings", sla.GoalRule{Within: time.Hour}), change.CompletionMetric("nights", sla.GoalRule{Within: 4 * time.Hour})}}})
	require.NoError(t, err)
	book.Agreements()
	people := func(_ context.Context, _ change.Change, kind approval.Kind, name string) ([]string, error) {
		if kind == approval.Role && name == "cab" {
			return []string{"bob", "cai"}, nil
		}
		return nil, itsm.Refuse("unknown")
	}
	return []change.Config{
		{Templates: []change.Template{restart}},
		{Templates: []change.Template{restart}, Agreements: book,
			Criticality: func(s string) string { return map[string]string{"erp": "high", "mail": "low"}[s] }},
		{Templates: []change.Template{restart}, Models: models, Authorities: authorities, People: people, Agreements: book},
	}, c
}

func person(w *world) string { return practicetest.Pick(w, "mia", "ann", "bob", "cai", "mia", "") }

func spanOf(w *world) change.Span {
	s := w.Time()
	return change.Span{Start: s, End: s.Add(time.Duration(w.IntN(8)-1) * time.Hour)}
}
func steps(w *world) (all []change.Step) {
	for range w.IntN(4) {
		all = append(all, change.Step{Key: practicetest.Pick(w, "a", "b", "c", "d"), Title: w.Text(), Kind: practicetest.Pick(w, append(change.TaskKinds(), "x")...), After: w.Names("a", "b", "c")})
	}
	return all
}

func propose(w *world) action {
	return change.Propose{Title: w.Text(), Model: practicetest.Pick(w, "", "", change.ModelNormal, change.ModelLowRisk, change.ModelEmergency, change.ModelAfterwards, change.ModelAfterwards, change.ModelUnauthorized, "x"),
		Template: practicetest.Pick(w, "", "", "restart", "restart@1", "y"), Services: w.Names("mail", "erp"), CIs: w.Names("mx-1", "mx-2"), Committed: w.Time()}
}

// action is a random action with random input; those that lead on come often.
func anything(w *world, r *change.Change) action {
	if !w.Practice.Lifecycle().IsEnd(r.State) && w.OneIn(40) {
		return change.Cancel{Reason: w.Text()}
	}
	reason := w.Text()
	vote := practicetest.Pick(w, approval.Votes()...)
	if w.OneIn(2) {
		vote = approval.Approve
	}
	forward := map[itsm.State][]action{
		change.Draft:     {change.Submit{}, plan, assess, change.SetWindow{Span: spanOf(w)}, ask, change.Schedule{}, change.Expedite{Reason: reason, Approvers: []string{"ann"}}, change.StartPlanning{}, change.RecordUnauthorized{Started: w.Time(), Ended: w.Time(), Outcome: practicetest.Pick(w, change.Outcomes()...), Found: reason}},
		change.Assess:    {plan, assess, change.SetWindow{Span: spanOf(w)}, ask, change.Schedule{}, change.StartPlanning{}},
		change.Planning:  {plan, assess, change.SetWindow{Span: spanOf(w)}, ask, change.Schedule{}, change.SetTasks{Tasks: steps(w)}, change.AcceptConflicts{Reason: reason}, change.Expedite{Reason: reason, Approvers: []string{"ann"}}},
		change.Authorize: {change.Vote{Vote: vote}, change.Vote{Vote: vote, Comment: reason}, change.Delegate{To: person(w)}, change.Expedite{Reason: reason}},
		change.Rejected:  {change.Revise{Reason: reason}, change.StartPlanning{}, change.Close{}, change.Vote{Vote: vote}},
		change.Scheduled: {change.Start{}, change.Start{}, change.SetWindow{Span: spanOf(w)}, change.Vote{Vote: vote}},
		change.Implement: {complete, change.StartTesting{}, change.StartBackOut{Reason: reason}, change.CompleteBackOut{Note: reason}, change.Close{Outcome: change.Successful}, change.Vote{Vote: vote}, change.Postpone{Reason: reason}},
		change.Testing:   {change.RecordValidation{Passed: true}, complete, change.Rework{Reason: reason}, change.StartBackOut{Reason: reason}, change.CompleteBackOut{Note: reason}},
		change.Review:    {change.Close{}, change.Close{}, change.StartReview{Lead: "kim"}, change.CompleteReview{Summary: reason}, change.Vote{Vote: vote}, ask, change.Rework{Reason: reason}, change.RecordValidation{Passed: true}},
	}
	if more := forward[r.State]; len(more) > 0 && !w.OneIn(3) {
		return practicetest.Pick(w, more...)
	}
	return practicetest.Pick(w, []action{
		change.Describe{Title: reason}, change.Classify{Services: w.Names("mail", "erp"), CIs: w.Names("mx-1")}, change.SetModel{Model: practicetest.Pick(w, "normal", "low_risk", "z")},
		change.Submit{}, change.AssessRisk{Answers: map[string]string{practicetest.Pick(w, "impact", "likelihood", "x"): practicetest.Pick(w, "some", "rare", "possible")}},
		change.OverrideRisk{Level: practicetest.Pick(w, append(change.RiskLevels(), "x")...), Reason: reason}, change.StartPlanning{Reason: reason},
		plan, change.SetPlan{Plan: change.Plan{Implementation: reason, BackOutTime: time.Duration(w.IntN(5)-1) * time.Hour}},
		change.SetTasks{Tasks: steps(w)}, change.SetWindow{Span: spanOf(w)}, change.AcceptConflicts{Reason: reason}, change.Revise{Reason: reason},
		change.RequestApproval{Approvers: w.Names("ann", "bob", "mia")}, ask, change.Vote{Vote: vote, For: person(w), Comment: reason}, change.Delegate{To: person(w), Until: w.Time()},
		change.Reject{Reason: reason}, change.Schedule{Start: w.Time(), End: w.Time()}, change.Assign{Person: person(w)}, change.Start{},
		change.StartTask{Key: practicetest.Pick(w, "a", "b", "")}, change.CompleteTask{Key: practicetest.Pick(w, "a", "b", "c"), Result: practicetest.Pick[change.TaskState](w, "", change.TaskDone, change.TaskFailed, change.TaskSkipped, "x")},
		change.StartTesting{}, change.RecordValidation{Note: reason}, change.Rework{Reason: reason}, change.Postpone{Reason: reason},
		change.StartBackOut{Reason: reason}, change.CompleteBackOut{Note: reason}, change.Complete{Outcome: practicetest.Pick(w, change.Outcomes()...), Note: reason},
		change.PutOnHold{Reason: change.AwaitingParts, Until: w.Time()}, change.Resume{}, change.Resume{}, change.Note{Text: reason},
		change.Link{Link: itsm.Link{Rel: practicetest.Pick(w, change.Caused, change.Solves, ""), To: itsm.Ref{Kind: practicetest.Pick(w, "incident", "problem"), ID: "1"}}},
		change.Unlink{Link: itsm.Link{Rel: change.Caused, To: itsm.Ref{Kind: "incident", ID: "1"}}}, change.SetFields{Fields: itsm.Fields{"x": []byte(`"y"`)}},
		change.StartReview{Lead: person(w)}, change.AddActionItem{Title: reason, Owner: person(w)}, change.CompleteActionItem{Number: w.IntN(3)},
		change.CompleteReview{Summary: reason}, change.RecordRecovery{At: w.Time()}, change.Close{Outcome: practicetest.Pick(w, append(change.Outcomes(), "")...), Note: reason},
		change.Rate{Score: w.IntN(7)}, change.EndWindow{}, change.Approve{}, nil,
	}...)
}

// sound proves what is always true of a change.
func sound(made **change.Practice) func(*world, *change.Change, func(bool, string)) {
	return func(_ *world, r *change.Change, ok func(bool, string)) {
		is := func(states ...itsm.State) bool { return slices.Contains(states, r.State) }
		m, known := (*made).Model(*r)
		ok(known && m.Type == r.Type, "its type is its model's")
		ok(!is(change.Authorize) || r.Approval.Outcome == approval.Open, "what waits for its authority is open")
		ok(!is(change.Closed, change.Cancelled) || r.Outcome != "", "what is over has an outcome")
		ok(is(change.Closed, change.Cancelled) == !r.Closed.IsZero(), "it says when it was over")
		ok(!is(change.Closed, change.Cancelled) || r.Hold == change.Hold{}, "what is over is not on hold")
		ok(!is(change.Review) || r.Outcome.Good() || r.Outcome.Bad(), "what is reviewed says what came of it")
		ok(!is(change.Implement, change.Testing) || !r.Started.IsZero() && r.Outcome == "", "what is at work has begun and not ended")
		ok(!is(change.Implement, change.Testing) || m.Name == change.ModelStandard || m.Name == change.ModelLowRisk || r.Approval.Given() || r.Approval.Retrospective, "nothing is carried out without authority")
		ok(r.Outcome != change.BackedOut || r.Unauthorized || !r.BackOut.Completed.IsZero(), "what was backed out says how")
		ok(r.Unauthorized == (m.Name == change.ModelUnauthorized && is(change.Review, change.Closed)), "only what is recorded afterwards is unauthorized")
		ok(!is(change.Closed) || !r.Approval.Retrospective || r.Approval.Outcome != approval.Open && r.Approval.Outcome != approval.Expired, "approval afterwards blocks closing")
		if is(change.Closed) && r.Outcome != change.NotImplemented {
			ok(r.Caused("incident") > 0 || len(m.ReviewNeeded(*r)) == 0 || !r.Review.Completed.IsZero(), "what has to be reviewed was")
		}
	}
}

// Whatever is done, in whatever order and with whatever input, under whatever policy:
// what is true of every practice is true of this one, and what must be true of a change
// is.
func TestHistoryIsTheRecord(t *testing.T) {
	made := new(*change.Practice)
	var hosts []practicetest.Host[change.Change]
	all, rules := configs(t)
	for i, cfg := range all {
		hosts = append(hosts, func(store itsm.Store[change.Change], given itsm.Config) (*itsm.Practice[change.Change], error) {
			switch own := &cfg; i { // with a calendar of its own
			case 1:
				cal, results := change.NewCalendar(rules), change.NewResults(5)
				own.Schedule, own.History, own.Views = cal, results, []change.View{cal, results}
			case 2:
				own.Schedule = change.NewCalendar(nil)
			}
			return host(cfg, made)(store, given)
		})
	}
	practicetest.Test(t, practicetest.Harness[change.Change]{
		Create: propose, Action: anything, Sound: sound(made), Actors: []string{"mia", "ann", "bob", "cai"}, Actions: 101_000, Unforeseen: []string{"close"}, Never: []string{"reconsider"},
	}, hosts...)
}
