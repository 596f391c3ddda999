package change_test

import (
	"context"
	"encoding/json"
	"errors"
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

// A normal change from the draft to its end, and what follows by itself.
func TestNormalChange(t *testing.T) {
	o := newOffice(t, change.Config{})
	r := o.open("")
	require.Equal(t, "normal@1", r.Model)
	o.Refuse(mia, r.ID, ask, "its risk is not assessed", "it has no plan", "it has no back-out plan", "it has no planned time")
	o.Refuse(mia, r.ID, change.Schedule{}, "the model normal@1 leads from draft to assess, planning, authorize, rejected, cancelled, not to scheduled",
		"it is not authorized", "it has no planned time")
	r = o.Did(mia, r.ID, append(ready(), change.Submit{}, change.StartPlanning{})...)
	require.Equal(t, change.LowRisk, r.Risk.Level)
	o.Refuse(mia, r.ID, change.RequestApproval{}, `approvers must be given: the authority "peer" is whom you name`)
	o.Refuse(mia, r.ID, change.RequestApproval{Approvers: []string{"mia"}}, `approvers.policy.rule cannot be approved by anybody: at most 0 in favour of 1 needed; mia is excluded as author`)
}

func TestVotesLeadOn(t *testing.T) {
	o := newOffice(t, change.Config{})
	r := o.open("", ready(change.OverrideRisk{Level: change.VeryHighRisk, Reason: "new"}, ask)...)
	require.Equal(t, change.Authorize, r.State)
	require.Equal(t, change.CAB, r.Approval.Kind)
	require.Equal(t, []string{"ann", "bob", "cai"}, r.Approval.Asked)
	// What is voted on stands still.
	_, err := o.Do(mia, r.ID, change.Describe{Title: "x"})
	require.ErrorIs(t, err, itsm.ErrNotAllowed)
	_, err = o.Do(mia, r.ID, yes)
	require.Len(t, practicetest.Said(err), 1)
	require.Contains(t, practicetest.Said(err)[0], "mia")
	o.Did(as("ann"), r.ID, no)
	o.Did(as("ann"), r.ID, yes) // a change of mind
	d, err := o.Record(r.ID).Approval.Decision(o.Time.Now())
	require.NoError(t, err)
	require.Equal(t, approval.Open, d.Outcome)
	r = o.Did(as("bob"), r.ID, yes)
	require.Equal(t, change.Scheduled, r.State)
	require.True(t, r.Approval.Given())
	require.Equal(t, []string{"vote", "vote", "vote", "authorize"}, o.Story(r.ID)[6:])
	_, err = o.Do(as("cai"), r.ID, no)
	require.ErrorIs(t, err, itsm.ErrNotAllowed) // too late, and told so

	// To plan anew voids what was said.
	r = o.Did(mia, r.ID, change.StartPlanning{Reason: "other disks"})
	require.Equal(t, change.Approval{Rounds: 1}, r.Approval)
	o.Did(mia, r.ID, ask)
	o.Did(as("bob"), r.ID, no)
	r = o.Did(as("cai"), r.ID, no)
	require.Equal(t, change.Rejected, r.State)
	require.Equal(t, 2, r.Approval.Rounds)
	r = o.Did(mia, r.ID, change.Close{Note: "not now"})
	require.Equal(t, change.NotImplemented, r.Outcome)
}

// board is a host with a policy of its own.
func board(p approval.Policy, people func(context.Context, change.Change, approval.Kind, string) ([]string, error)) change.Config {
	return change.Config{People: people, Authorities: change.AuthorityPolicy{
		Authorities: []change.Authority{{Name: "board", Kind: change.CAB, Policy: p}},
		Rules:       []change.AuthorityRule{{Authority: "board"}},
	}}
}

func TestRecountFollowsChangesOfMind(t *testing.T) {
	o := newOffice(t, board(approval.Policy{Rule: approval.Rule{Need: approval.Majority, Of: approval.Persons("ann", "bob", "cai")}, Recount: true}, nil))
	r := o.open("", ready(change.RequestApproval{})...)
	o.Refuse(mia, o.open("", ready()...).ID, ask, `approvers must be empty: who votes is settled for the authority "board"`)
	o.Did(as("ann"), r.ID, yes)
	require.Equal(t, change.Scheduled, o.Did(as("bob"), r.ID, yes).State)
	require.Equal(t, change.Authorize, o.Did(as("bob"), r.ID, change.Vote{Vote: approval.Withdraw}).State)
	require.Equal(t, change.Scheduled, o.Did(as("cai"), r.ID, yes).State)
	o.Did(as("bob"), r.ID, no)
	require.Equal(t, change.Rejected, o.Did(as("cai"), r.ID, no).State)
	require.Equal(t, change.Scheduled, o.Did(as("cai"), r.ID, yes).State)
	require.Equal(t, []string{"vote", "reconsider", "authorize"}, o.Story(r.ID)[len(o.Story(r.ID))-3:])
}

func TestVotesExpire(t *testing.T) {
	people := func(_ context.Context, r change.Change, kind approval.Kind, name string) ([]string, error) {
		switch {
		case name == "cab":
			return []string{"ann", r.Author}, nil
		case name == "down":
			return nil, errDown
		}
		return nil, itsm.Refuse("no such %s", kind)
	}
	policy := approval.Policy{Rule: approval.Rule{Of: []approval.Member{{Role: "cab", Substitutes: []approval.Substitute{{Person: "dan", After: time.Hour}}}}}, Exclude: []string{"author", "implementer", "requester"}, Within: 2 * time.Hour}
	policy.Rule.Need = approval.Any
	o := newOffice(t, board(policy, people))
	r := o.open("", ready(change.RequestApproval{})...)
	require.Equal(t, 1, o.Due(time.Hour), "the substitute's turn")
	require.Contains(t, o.Record(r.ID).Approval.Asked, "dan")
	o.Did(as("ann"), r.ID, change.Delegate{To: "eve"})
	require.Contains(t, o.Record(r.ID).Approval.Asked, "eve")
	_, err := o.Do(as("ann"), r.ID, change.Delegate{To: "ann"})
	require.ErrorIs(t, err, itsm.ErrInvalid)
	require.Equal(t, 1, o.Due(time.Hour))
	r = o.Record(r.ID)
	require.Equal(t, change.Rejected, r.State)
	require.Equal(t, approval.Expired, r.Approval.Outcome)
	require.Equal(t, []string{"count_votes", "expire_approval"}, o.Story(r.ID)[len(o.Story(r.ID))-2:])

	policy.Rule.Of[0].Role = "down"
	o = newOffice(t, board(policy, people))
	_, err = o.Do(mia, o.open("", ready()...).ID, change.RequestApproval{})
	require.ErrorIs(t, err, errDown)
	o = newOffice(t, board(policy, nil))
	_, err = o.Do(mia, o.open("", ready()...).ID, change.RequestApproval{})
	require.ErrorIs(t, err, itsm.ErrNotAllowed)
}

// An emergency is carried out first, and cannot be closed before its authority has
// decided.
func TestApprovalAfterwardsBlocksClosing(t *testing.T) {
	cfg := board(approval.Policy{Rule: approval.Rule{Of: approval.Persons("ann")}, Within: time.Hour}, nil)
	cfg.Models = change.DefaultModels()
	for i := range cfg.Models {
		cfg.Models[i].ReviewWithin = 24 * time.Hour
	}
	o := newOffice(t, cfg)
	r := o.open(change.ModelAfterwards, change.Expedite{Reason: "on fire"}, complete)
	require.True(t, r.Approval.Retrospective)
	o.Refuse(mia, r.ID, change.Close{}, "its authority has not decided yet", "it has to be reviewed: always")
	o.Refuse(mia, r.ID, change.RequestApproval{}, "its authority was asked already")
	require.Equal(t, 1, o.Due(2*time.Hour))
	r = o.Did(mia, r.ID, change.StartReview{Lead: "kim"}, change.AddActionItem{Title: "t", Owner: "kim"})
	require.Equal(t, change.Review, r.State)
	o.Refuse(mia, r.ID, change.Close{}, "its authority did not decide in time, and has to be asked again", "it has to be reviewed: always")
	require.Equal(t, 1, o.Due(25*time.Hour))
	require.True(t, o.Record(r.ID).Review.Overdue)
	o.Did(mia, r.ID, change.CompleteReview{Summary: "s"}, change.RequestApproval{})
	o.Did(as("ann"), r.ID, no)
	r = o.Did(mia, r.ID, change.CompleteActionItem{Number: 1}, change.Rate{Score: 4, Process: 2}, change.Close{})
	require.Equal(t, change.Closed, r.State)
	m, _ := o.Model(r)
	r.Model = "x"
	_, ok := o.Model(r)
	require.False(t, ok)
	m.Review = change.ReviewReasons()
	require.Equal(t, []change.ReviewReason{change.ReviewAlways, change.ReviewUnauthorized}, m.ReviewNeeded(r))
	require.Equal(t, "mia", r.Assignment.Person)
}

func TestBackOutAndReview(t *testing.T) {
	o := newOffice(t, change.Config{})
	tasks := change.SetTasks{Tasks: []change.Step{
		{Key: "install", Title: "Install", Kind: change.ImplementationTask}, {Key: "test", Title: "Test", Kind: change.TestingTask, After: []string{"install"}},
		{Key: "back", Title: "Put back", Kind: change.BackOutTask}}}
	r := o.open("", ready(tasks, ask)...)
	r = o.Did(as("ann"), r.ID, yes)
	o.Refuse(mia, r.ID, change.StartTask{Key: "install"}, "the implementation has not begun")
	o.Did(mia, r.ID, change.Start{}, change.StartTask{Key: "install"})
	o.Refuse(mia, r.ID, change.StartTask{Key: "test"}, `task "install" has to be done before, and is started`)
	o.Refuse(mia, r.ID, change.StartTask{Key: "back"}, "the back-out has not begun")
	o.Refuse(mia, r.ID, change.StartTask{Key: "x"}, `key "x" is no task of this change`)
	o.Refuse(mia, r.ID, change.Cancel{Reason: "r"}, `task "install" is started: it has to be completed or backed out`)
	o.Refuse(mia, r.ID, change.CompleteBackOut{Note: "n"}, "its back-out has not begun")
	o.Did(mia, r.ID, change.CompleteTask{Key: "install"}, change.StartTesting{}, change.CompleteTask{Key: "test", Result: change.TaskFailed},
		change.RecordValidation{Note: "no mail"}, change.StartBackOut{Reason: "no mail"})
	o.Refuse(mia, r.ID, complete, "it is being backed out")
	o.Refuse(mia, r.ID, change.StartBackOut{Reason: "r"}, "it is being backed out")
	r = o.Did(mia, r.ID, change.CompleteTask{Key: "back"}, change.CompleteBackOut{Note: "mail flows"})
	require.Equal(t, change.BackedOut, r.Outcome)
	require.Equal(t, change.Review, r.State)
	o.Refuse(mia, r.ID, change.Close{}, "it has to be reviewed: backed_out")
	o.Refuse(mia, r.ID, change.Close{Outcome: change.Successful}, "it has to be reviewed: backed_out")
	o.Refuse(mia, r.ID, change.CompleteReview{Summary: "s"}, "its review was not started")
	o.Refuse(mia, r.ID, change.RecordRecovery{At: morning.Add(-time.Hour)}, "at must not be before the work began")
	o.Did(mia, r.ID, change.StartReview{Lead: "kim"}, change.CompleteReview{Summary: "the disk was full", Lessons: "look at the disk"})
	r = o.Did(mia, r.ID, change.RecordRecovery{}, change.Close{})
	require.Equal(t, change.Closed, r.State)
	_, err := o.Do(mia, r.ID, change.Rework{Reason: "r"})
	require.ErrorIs(t, err, itsm.ErrNotAllowed)
}

func TestTaskOrder(t *testing.T) {
	step := func(key string, after ...string) change.Step {
		return change.Step{Key: key, Title: "t", Kind: change.ImplementationTask, After: after}
	}
	order, err := change.TaskOrder([]change.Step{step("c", "a", "b"), step("b", "a"), step("a"), step("d")})
	require.NoError(t, err)
	require.Equal(t, []string{"a", "b", "c", "d"}, order)
	o := newOffice(t, change.Config{})
	r := o.open("")
	o.Refuse(mia, r.ID, change.SetTasks{Tasks: []change.Step{step("a", "b"), step("b", "c"), step("c", "b"), step("d", "d", "x"), step("d"), {Key: "", Kind: "x"}, step("e")}},
		"tasks[5].title must not be empty", `tasks[5].kind is unknown: "x"`, `tasks[4].key "d" is there twice`, "tasks[5].key must not be empty",
		`tasks[3].after[1] "x" is no task of this change`, "tasks[1].after goes round in a circle: b after c after b", "tasks[3].after goes round in a circle: d after d")
	r = o.Did(mia, r.ID, change.StartPlanning{}, change.SetTasks{Tasks: []change.Step{{Key: "p", Title: "t", Kind: change.PlanningTask}, step("a")}}, change.CompleteTask{Key: "p"})
	o.Refuse(mia, r.ID, change.SetTasks{Tasks: []change.Step{step("a")}}, `task "p" is done: it cannot be left out`)
	o.Refuse(mia, r.ID, change.CompleteTask{Key: "p"}, `task "p" is done already`)
	r = o.Did(mia, r.ID, change.SetTasks{Tasks: []change.Step{{Key: "p", Title: "new", Kind: change.PlanningTask}}})
	require.Equal(t, change.TaskDone, r.Tasks[0].State)
	require.Equal(t, "new", r.Tasks[0].Title)
}

// A template loses its standing when its changes fail, and a new version begins
// anew.
func TestTemplatesLoseTheirStanding(t *testing.T) {
	one := change.Template{Name: "restart", Version: 1, Title: "Restart", Services: []string{"mail"}, Category: "restart", Risk: change.LowRisk,
		Plan: change.Plan{Implementation: "i", BackOut: "b"}, Approved: morning, By: "ann", MinRuns: 4, MinSuccess: 75}
	two := one
	two.Version = 2
	draft := change.Template{Name: "draft", Title: "t", Services: []string{"mail"}, Plan: one.Plan, Risk: change.LowRisk, Retired: true}
	results := change.NewResults(0)
	o := newOffice(t, change.Config{Templates: []change.Template{one, two, draft}, History: results, Views: []change.View{results}})
	run := func(template string, outcome change.Outcome) error {
		r, err := o.Open(mia, change.Propose{Title: "t", Template: template})
		require.NoError(t, err)
		require.Equal(t, change.Standard, r.Type)
		require.Equal(t, []string{"mail"}, r.Services)
		w := change.Span{Start: o.Time.Now(), End: o.Time.Now().Add(time.Hour)}
		if _, err = o.Do(mia, r.ID, change.Schedule{Start: w.Start, End: w.End}); err == nil {
			o.Did(mia, r.ID, change.Start{}, change.Complete{Outcome: outcome, Note: "n"})
		}
		return err
	}
	require.NoError(t, run("restart@1", change.Failed))
	require.NoError(t, run("restart@1", change.Successful))
	require.NoError(t, run("restart@1", change.Failed))
	err := run("restart@1", change.Successful)
	require.Equal(t, []string{"the template restart@1 has lost its standing: 2 of 3 changes did not succeed, of 4 at most 1 may"}, practicetest.Said(err))
	require.Error(t, o.Standing(mia, "restart@1"))
	require.NoError(t, o.Standing(mia, "restart"))
	require.NoError(t, run("restart", change.Successful))
	require.Equal(t, []string{"the template draft@0 is not approved", "the template draft@0 is retired"}, practicetest.Said(run("draft", "")))
	require.ErrorIs(t, o.Standing(mia, "x"), itsm.ErrInvalid)
	track, err := results.Track(mia, itsm.Key{Field: "service", Value: "mail"})
	require.NoError(t, err)
	require.Equal(t, change.Track{Done: 4, Good: 2}, track)
	require.Equal(t, "bad", track.Grade())
	require.Equal(t, "mixed", change.Track{Done: 10, Good: 9}.Grade())
	require.Equal(t, "good", change.Track{Done: 10, Good: 10}.Grade())

	_, err = o.Open(mia, change.Propose{Title: "t", Template: "x", Model: "y"})
	require.Equal(t, []string{`template "x" is not among the templates`, `model "y" is not among the models`}, practicetest.Said(err))
	_, err = change.ParseTemplate([]byte(`{"name":"a@","version":-1,"tasks":[{"key":"a","title":"t","kind":"planning","after":["a"]}],"approved":"2026-03-02T08:00:00Z","min_success":101,"min_runs":-1,"plan":{"back_out_time":"-1s"}}`))
	require.Len(t, practicetest.Said(err), 10)
	r := o.open(change.ModelStandard)
	o.Refuse(mia, r.ID, change.Schedule{}, "it was not made from a template", "it has no planned time")
}

func TestRiskIsExplained(t *testing.T) {
	o := newOffice(t, change.Config{Criticality: func(s string) string { return map[string]string{"mail": "high"}[s] }})
	r := o.open("", change.AssessRisk{Answers: map[string]string{"likelihood": "possible", "impact": "everybody", "rehearsed": "yes"}})
	require.Equal(t, change.VeryHighRisk, r.Risk.Level)
	require.Equal(t, "very_high, 11 points: likelihood: possible +2, impact: everybody +4, rehearsed: yes -2, critical service +3, no back-out plan +3, no test plan +1", r.Risk.String())
	o.Refuse(mia, r.ID, change.AssessRisk{Answers: map[string]string{"likelihood": "never", "moon": "full"}}, `answers.likelihood "never" is none of its answers`, "answers.moon is no question of the policy")
	r = o.Did(mia, r.ID, change.OverrideRisk{Level: change.LowRisk, Reason: "rehearsed twice"})
	require.Contains(t, r.Risk.String(), "; set by hand: rehearsed twice")
	data, err := json.Marshal(change.DefaultRiskPolicy())
	require.NoError(t, err)
	again, err := change.ParseRiskPolicy(data)
	require.NoError(t, err)
	require.Equal(t, change.DefaultRiskPolicy(), again)
	_, err = change.ParseRiskPolicy([]byte(`{"name":"","version":-1,"questions":[{"name":"a","answers":[{"value":"x"},{"value":"x","points":9999999}]},{"name":"a"}],
		"factors":[{"name":"f","when":{}}],"levels":[{"level":"high","from":3},{"level":"low","from":3},{"level":"x","from":9}]}`))
	require.Len(t, practicetest.Said(err), 10)
	policy := change.RiskPolicy{Name: "p", Questions: []change.Question{{Name: "q", Required: true, Answers: []change.Answer{{Value: "a"}}}},
		Factors: []change.Factor{{Name: "f", When: sla.Condition{"answer.q": {"a"}, "x": {"y"}}, Points: 5}}, Levels: []change.LevelRule{{change.LowRisk, 2}}}
	_, err = policy.Assess(sla.FactMap{}, nil)
	require.Equal(t, []string{"answers.q must be given"}, practicetest.Said(err))
	risk, err := policy.Assess(sla.FactMap{"x": "y"}, map[string]string{"q": "a"})
	require.NoError(t, err)
	require.Equal(t, 5, risk.Score)
}

func TestAuthorityPolicies(t *testing.T) {
	data, err := json.Marshal(change.DefaultAuthorityPolicy())
	require.NoError(t, err)
	again, err := change.ParseAuthorityPolicy(data)
	require.NoError(t, err)
	require.Equal(t, change.DefaultAuthorityPolicy().Rules, again.Rules)
	_, err = change.ParseAuthorityPolicy([]byte(`{"authorities":[{"name":"a","kind":"automation","policy":{"rule":{"of":[{"person":"x"}]}}},
		{"name":"a","kind":"cab","policy":{"rule":{"need":"perhaps","of":[{"role":"cab"}]},"within":"48h"}}],"rules":[{"when":{"risk":["low"]},"authority":"b"}]}`))
	require.Len(t, practicetest.Said(err), 5)
	for _, c := range []struct{ risk, typ, want string }{{"low", "normal", "peer"}, {"medium", "normal", "delegated person"}, {"", "normal", "CAB"}, {"very_high", "normal", "CAB"}, {"low", "emergency", "ECAB"}, {"low", "standard", "automation"}} {
		a, ok := change.DefaultAuthorityPolicy().For(sla.FactMap{"risk": c.risk, "type": c.typ})
		require.True(t, ok)
		require.Equal(t, c.want, a.Name)
	}
	_, ok := change.AuthorityPolicy{Rules: []change.AuthorityRule{{Authority: "x"}}}.For(sla.FactMap{})
	require.False(t, ok)
}

// Conflicts are shown while it is planned, keep it from being authorized, and can be
// accepted, until something else is in the way.
func TestConflictsHoldAChangeUp(t *testing.T) {
	cal := change.NewCalendar(nil)
	o := newOffice(t, change.Config{Schedule: cal, Views: []change.View{cal}})
	first := o.open("", ready(ask)...)
	_, planned := cal.Planned(first.ID)
	require.True(t, planned)
	r := o.open("", ready()...)
	require.Len(t, r.Conflicts, 2)
	collides := []string{"it collides: ci:mx-1 is touched by chg-1 from 2026-03-02 20:00 to 2026-03-02 22:00 UTC", "it collides: service:mail is touched by chg-1 from 2026-03-02 20:00 to 2026-03-02 22:00 UTC"}
	o.Refuse(mia, r.ID, ask, collides...)
	free, ok := cal.NextFree(r.AsPlanned(), r.Window.Start, morning.Add(48*time.Hour))
	require.True(t, ok)
	require.Equal(t, morning.Add(14*time.Hour), free.Start)
	r = o.Did(mia, r.ID, change.AcceptConflicts{Reason: "both are small"}, ask)
	require.Equal(t, change.Authorize, r.State)
	r = o.Did(as("ann"), r.ID, yes)
	o.Did(mia, r.ID, change.SetWindow{Span: change.Span{Start: tonight.Start.Add(time.Hour), End: tonight.End}}) // that is answered for
	require.NoError(t, cal.Set(change.Planned{ID: "chg-9", Span: tonight.Span, Items: []itsm.Ref{change.CI("mx-1")}}))
	o.Refuse(mia, r.ID, tonight, "it collides: ci:mx-1 is touched by chg-9 from 2026-03-02 20:00 to 2026-03-02 22:00 UTC")
	cal.Remove("chg-9")
	r = o.Did(mia, r.ID, change.SetWindow{Span: free})
	require.Empty(t, r.Conflicts)
	o.Refuse(mia, r.ID, change.AcceptConflicts{Reason: "r"}, "it collides with nothing")
	o.Refuse(mia, r.ID, change.SetWindow{Span: change.Span{Start: morning, End: morning.Add(-time.Hour)}}, "end must be after start")
	require.Equal(t, 1, o.Due(24*time.Hour), "the window of what is scheduled is over")
	require.Equal(t, 1, o.Record(r.ID).MissedWindows)
	o.Did(mia, first.ID, change.Cancel{Reason: "r"})
	_, planned = cal.Planned(first.ID)
	require.False(t, planned)

	// A calendar that begins later learns the same from the feed.
	late, results := change.NewCalendar(nil), change.NewResults(1)
	other, err := change.NewPractice(o.Store, change.Config{Views: []change.View{late, results}})
	require.NoError(t, err)
	cursor, err := other.CatchUp(mia, "")
	require.NoError(t, err)
	require.Equal(t, cal.Between(span(-100, 1000)), late.Between(span(-100, 1000)))
	o.Did(mia, r.ID, change.Cancel{Reason: "r"})
	_, err = other.CatchUp(mia, cursor)
	require.NoError(t, err)
	require.Empty(t, late.Between(span(-100, 1000)))
	first.Version = 1
	late.Put(first)
	require.Empty(t, late.Between(span(-100, 1000)), "what was is passed over")

	o = newOffice(t, change.Config{Schedule: broken{}})
	_, err = o.Do(mia, o.open("").ID, tonight)
	require.ErrorIs(t, err, errDown)
}

type broken struct{}

func (broken) Conflicts(context.Context, change.Planned) ([]change.Conflict, error) {
	return nil, errDown
}
func (broken) Track(context.Context, itsm.Key) (change.Track, error) { return change.Track{}, errDown }

// In a freeze only an emergency goes through, with a reason, and not in an absolute
// one.
func TestFreezes(t *testing.T) {
	f := change.Freeze{Name: "year end", From: morning, Until: morning.Add(1000 * time.Hour)}
	c, err := change.NewConstraints(nil, change.Rules{Freezes: []change.Freeze{f}}, nil)
	require.NoError(t, err)
	o := newOffice(t, change.Config{Schedule: change.NewCalendar(c)})
	r := o.open("", ready()...)
	o.Refuse(mia, r.ID, change.AcceptConflicts{Reason: "r"}, "it has to move: changes are frozen from 2026-03-02 08:00 to 2026-04-13 00:00 UTC (year end); no exception is provided for")
	r = o.open(change.ModelEmergency, plan, tonight)
	o.Refuse(mia, r.ID, ask, "it collides: changes are frozen from 2026-03-02 08:00 to 2026-04-13 00:00 UTC (year end)")
	require.Equal(t, change.ECAB, o.Did(mia, r.ID, change.AcceptConflicts{Reason: "mail is down"}, ask).Approval.Kind)
	_, ok := change.NewCalendar(c).NextFree(r.AsPlanned(), morning, morning.Add(900*time.Hour))
	require.False(t, ok)
}

func TestHoldStandsBesideTheState(t *testing.T) {
	o := newOffice(t, change.Config{})
	r := o.open("", ready(ask, change.PutOnHold{Reason: change.AwaitingVendor, Until: morning.Add(5 * time.Hour)})...)
	o.Did(as("ann"), r.ID, yes) // votes go on
	r = o.Record(r.ID)
	require.Equal(t, change.Scheduled, r.State)
	o.Refuse(mia, r.ID, change.Start{}, "it is on hold")
	o.Refuse(mia, r.ID, change.PutOnHold{Reason: "x", Until: morning}, "until must be after now")
	require.Equal(t, 1, o.Due(6*time.Hour))
	o.Refuse(mia, r.ID, change.Resume{}, "it is not on hold")
	r = o.Did(mia, r.ID, change.PutOnHold{Reason: "x"}, change.PutOnHold{Reason: "y"}, change.Resume{}, change.Start{}, change.Postpone{Reason: "r"})
	require.Equal(t, change.Scheduled, r.State)
	require.Zero(t, r.Started)
	r = o.Did(mia, r.ID, change.PutOnHold{Reason: "x"}, change.Cancel{Reason: "r"})
	require.Zero(t, r.Hold)
}

func TestUnauthorized(t *testing.T) {
	o := newOffice(t, change.Config{})
	record := change.RecordUnauthorized{Started: morning.Add(-3 * time.Hour), Ended: morning.Add(-2 * time.Hour), Outcome: change.Failed, Found: "an incident led to it"}
	r := o.open("")
	o.Refuse(mia, r.ID, record, "the model normal@1 leads from draft to assess, planning, authorize, rejected, cancelled, not to review")
	r = o.Did(mia, r.ID, change.SetModel{Model: change.ModelUnauthorized}, record)
	require.True(t, r.Unauthorized)
	o.Refuse(mia, r.ID, change.Rework{Reason: "r"}, "it was recorded after it had been carried out", "the model unauthorized@1 leads from review to closed, not to implement")
	o.Refuse(mia, r.ID, change.Close{}, "it has to be reviewed: always")
	o.Refuse(mia, o.open(change.ModelUnauthorized).ID, change.RecordUnauthorized{Ended: morning.Add(time.Hour), Outcome: change.NotImplemented}, "started must be given",
		"outcome must be successful, successful_with_issues, failed or backed_out, is \"not_implemented\"", "found must not be empty")
	r = o.Did(mia, r.ID, change.StartReview{Lead: "kim"}, change.CompleteReview{Summary: "s"}, change.Close{})
	keys := r.AppendKeys(nil)
	require.Contains(t, keys, itsm.Key{Field: "unauthorized", Value: "true"})
}

// Decode refuses bad input with every finding, and WhyNot says what is missing.
func TestBadInputAndWhyNot(t *testing.T) {
	o := newOffice(t, change.Config{})
	_, err := o.Decode([]byte(`{"action":"set_window","data":{"start":"2026-03-02T20:00:00Z","end":"2026-03-02T18:00:00Z","x":1}}`))
	require.Equal(t, []string{"x is not known", "end must be after start"}, practicetest.Said(err))
	r := o.open("")
	options, err := o.WhyNot(mia, r.ID)
	require.NoError(t, err)
	i := slices.IndexFunc(options, func(o itsm.Option) bool { return o.Action == "request_approval" })
	require.False(t, options[i].Permitted)
	require.Len(t, options[i].Refused, 4)
	// A model that is gone is told, not guessed.
	gone, err := change.NewPractice(o.Store, change.Config{Models: []change.Model{change.DefaultModels()[0]}})
	require.NoError(t, err)
	_, err = gone.Do(mia, r.ID, change.Note{Text: "t"})
	require.Equal(t, []string{"its model normal@1 is not among the host's any more"}, practicetest.Said(err))
	o.Did(mia, r.ID, change.Note{Text: "hello"}, change.Assign{Group: "messaging"}, change.Classify{Services: []string{"web"}})
	o.Refuse(mia, r.ID, change.Assign{Group: "messaging"}, "it is assigned so already")
	for e, err := range o.Journal(mia, r.ID) {
		require.NoError(t, err)
		require.Equal(t, "hello", e.Text)
	}
	o = newOffice(t, change.Config{History: broken{}})
	_, err = o.Do(mia, o.open("").ID, assess)
	require.True(t, errors.Is(err, errDown))
}
