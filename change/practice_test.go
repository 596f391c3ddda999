package change_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/approval"
	"github.com/go-itsm/itsm/change"
	"github.com/go-itsm/itsm/sla"
)

// A world is a few changes to which things happen by chance: under one
// configuration, with a clock that jumps, mostly forwards.
type world struct {
	*office
	rnd       *rand.Rand
	ids       []itsm.ID
	snapshots map[itsm.ID]map[itsm.Version]change.Change
	tried     map[string]int
	done      map[string]int
}

// configs are the ways in which a host may run the practice.
func configs(t testing.TB) []change.Config {
	restart := change.Template{Name: "restart", Version: 1, Title: "Restart", Services: []string{"mail"}, Risk: change.LowRisk, By: "ann", Approved: morning,
		Plan: change.Plan{Implementation: "restart", BackOut: "stop"}, Tasks: []change.Step{{Key: "a", Title: "restart", Kind: change.ImplementationTask}}}
	c, err := change.NewConstraints(nightly(t), change.Rules{
		Windows: []change.MaintenanceWindow{{Name: "w", Calendar: "nights", Items: []itsm.Ref{change.CI("mx-2")}}},
		Freezes: []change.Freeze{{Name: "f", From: morning.Add(50 * time.Hour), Until: morning.Add(60 * time.Hour)}, {Name: "g", Calendar: "mornings", Items: []itsm.Ref{change.Service("erp")}, Absolute: true}},
	}, depends([2]itsm.Ref{change.Service("mail"), change.CI("mx-1")}))
	require.NoError(t, err)
	cal, results := change.NewCalendar(c), change.NewResults(5)
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
		{Templates: []change.Template{restart}, Schedule: cal, History: results, Views: []change.View{cal, results}, Agreements: book,
			Criticality: func(s string) string { return map[string]string{"erp": "high", "mail": "low"}[s] }},
		{Templates: []change.Template{restart}, Models: models, Authorities: authorities, People: people, Agreements: book, Schedule: change.NewCalendar(nil)},
	}
}

func pick[T any](w *world, from ...T) T { return from[w.rnd.IntN(len(from))] }

func (w *world) chance(oneIn int) bool { return w.rnd.IntN(oneIn) == 0 }
func (w *world) said() string {
	if w.chance(10) {
		return pick(w, "", "a\x00b", "\xff", "문제")
	}
	return pick(w, "needed", "done", "late")
}
func (w *world) person() string { return pick(w, "mia", "ann", "bob", "cai", "mia", "") }
func (w *world) time() time.Time {
	if w.chance(4) {
		return time.Time{}
	}
	return w.clock.now().Add(time.Duration(w.rnd.Int64N(int64(60*time.Hour))) - 12*time.Hour)
}

func (w *world) span() change.Span {
	s := w.time()
	return change.Span{Start: s, End: s.Add(time.Duration(w.rnd.IntN(8)-1) * time.Hour)}
}
func (w *world) names(of ...string) []string {
	var all []string
	for range w.rnd.IntN(3) {
		all = append(all, pick(w, of...))
	}
	return all
}
func (w *world) steps() (all []change.Step) {
	for range w.rnd.IntN(4) {
		all = append(all, change.Step{Key: pick(w, "a", "b", "c", "d"), Title: w.said(), Kind: pick(w, append(change.TaskKinds(), "x")...), After: w.names("a", "b", "c")})
	}
	return all
}

func (w *world) propose() change.Propose {
	return change.Propose{Title: w.said(), Model: pick(w, "", "", change.ModelNormal, change.ModelLowRisk, change.ModelEmergency, change.ModelAfterwards, change.ModelAfterwards, change.ModelUnauthorized, "x"),
		Template: pick(w, "", "", "restart", "restart@1", "y"), Services: w.names("mail", "erp"), CIs: w.names("mx-1", "mx-2"), Committed: w.time()}
}

// action is a random action with random input; those that lead on come often.
func (w *world) action(r *change.Change) action {
	reason := w.said()
	vote := pick(w, approval.Votes()...)
	if w.chance(2) {
		vote = approval.Approve
	}
	forward := map[itsm.State][]action{
		change.Draft:     {change.Submit{}, plan, assess, change.SetWindow{Span: w.span()}, ask, change.Schedule{}, change.Expedite{Reason: reason, Approvers: []string{"ann"}}, change.StartPlanning{}, change.RecordUnauthorized{Started: w.time(), Ended: w.time(), Outcome: pick(w, change.Outcomes()...), Found: reason}},
		change.Assess:    {plan, assess, change.SetWindow{Span: w.span()}, ask, change.Schedule{}, change.StartPlanning{}},
		change.Planning:  {plan, assess, change.SetWindow{Span: w.span()}, ask, change.Schedule{}, change.SetTasks{Tasks: w.steps()}, change.AcceptConflicts{Reason: reason}, change.Expedite{Reason: reason, Approvers: []string{"ann"}}},
		change.Authorize: {change.Vote{Vote: vote}, change.Vote{Vote: vote, Comment: reason}, change.Delegate{To: w.person()}, change.Expedite{Reason: reason}},
		change.Rejected:  {change.Revise{Reason: reason}, change.StartPlanning{}, change.Close{}, change.Vote{Vote: vote}},
		change.Scheduled: {change.Start{}, change.Start{}, change.SetWindow{Span: w.span()}, change.Vote{Vote: vote}},
		change.Implement: {complete, change.StartTesting{}, change.StartBackOut{Reason: reason}, change.CompleteBackOut{Note: reason}, change.Close{Outcome: change.Successful}, change.Vote{Vote: vote}, change.Postpone{Reason: reason}},
		change.Testing:   {change.RecordValidation{Passed: true}, complete, change.Rework{Reason: reason}, change.StartBackOut{Reason: reason}, change.CompleteBackOut{Note: reason}},
		change.Review:    {change.Close{}, change.Close{}, change.StartReview{Lead: "kim"}, change.CompleteReview{Summary: reason}, change.Vote{Vote: vote}, ask, change.Rework{Reason: reason}, change.RecordValidation{Passed: true}},
	}
	if more := forward[r.State]; len(more) > 0 && !w.chance(3) {
		return pick(w, more...)
	}
	return pick(w, []action{
		change.Describe{Title: reason}, change.Classify{Services: w.names("mail", "erp"), CIs: w.names("mx-1")}, change.SetModel{Model: pick(w, "normal", "low_risk", "z")},
		change.Submit{}, change.AssessRisk{Answers: map[string]string{pick(w, "impact", "likelihood", "x"): pick(w, "some", "rare", "possible")}},
		change.OverrideRisk{Level: pick(w, append(change.RiskLevels(), "x")...), Reason: reason}, change.StartPlanning{Reason: reason},
		plan, change.SetPlan{Plan: change.Plan{Implementation: reason, BackOutTime: time.Duration(w.rnd.IntN(5)-1) * time.Hour}},
		change.SetTasks{Tasks: w.steps()}, change.SetWindow{Span: w.span()}, change.AcceptConflicts{Reason: reason}, change.Revise{Reason: reason},
		change.RequestApproval{Approvers: w.names("ann", "bob", "mia")}, ask, change.Vote{Vote: vote, For: w.person(), Comment: reason}, change.Delegate{To: w.person(), Until: w.time()},
		change.Reject{Reason: reason}, change.Schedule{Start: w.time(), End: w.time()}, change.Assign{Person: w.person()}, change.Start{},
		change.StartTask{Key: pick(w, "a", "b", "")}, change.CompleteTask{Key: pick(w, "a", "b", "c"), Result: pick[change.TaskState](w, "", change.TaskDone, change.TaskFailed, change.TaskSkipped, "x")},
		change.StartTesting{}, change.RecordValidation{Note: reason}, change.Rework{Reason: reason}, change.Postpone{Reason: reason},
		change.StartBackOut{Reason: reason}, change.CompleteBackOut{Note: reason}, change.Complete{Outcome: pick(w, change.Outcomes()...), Note: reason},
		change.PutOnHold{Reason: change.AwaitingParts, Until: w.time()}, change.Resume{}, change.Resume{}, change.Note{Text: reason},
		change.Link{Link: itsm.Link{Rel: pick(w, change.Caused, change.Solves, ""), To: itsm.Ref{Kind: pick(w, "incident", "problem"), ID: "1"}}},
		change.Unlink{Link: itsm.Link{Rel: change.Caused, To: itsm.Ref{Kind: "incident", ID: "1"}}}, change.SetFields{Fields: itsm.Fields{"x": []byte(`"y"`)}},
		change.StartReview{Lead: w.person()}, change.AddActionItem{Title: reason, Owner: w.person()}, change.CompleteActionItem{Number: w.rnd.IntN(3)},
		change.CompleteReview{Summary: reason}, change.RecordRecovery{At: w.time()}, change.Close{Outcome: pick(w, append(change.Outcomes(), "")...), Note: reason},
		change.Rate{Score: w.rnd.IntN(7)}, change.EndWindow{}, change.Approve{}, nil,
	}...)
}

// step does one random thing and returns how many actions were tried.
func (w *world) step() int {
	if w.chance(3) {
		d := time.Duration(w.rnd.Int64N(int64(90 * time.Minute)))
		if w.chance(20) {
			d = -d
		} else if w.chance(10) {
			d *= 12
		}
		w.clock.advance(d)
	}
	if w.chance(12) {
		n, _, err := w.RunDue(sys)
		require.NoError(w.t, err)
		w.done["due"] += n
		for _, id := range w.ids {
			w.look(id)
		}
		return n
	}
	ctx := as(pick(w, "mia", "ann", "bob", "cai"))
	if len(w.ids) == 0 || len(w.ids) < 60 && w.chance(15) {
		r, err := w.Open(ctx, w.propose())
		if w.expected("propose", err) {
			w.ids = append(w.ids, r.ID)
			w.look(r.ID)
		}
		return 1
	}
	id := pick(w, w.ids...)
	before := w.get(id)
	for range 4 { // mostly one that is not over
		if w.Lifecycle().IsEnd(before.State) {
			id = pick(w, w.ids...)
			before = w.get(id)
		}
	}
	a := w.action(&before)
	if !w.Lifecycle().IsEnd(before.State) && w.chance(40) {
		a = change.Cancel{Reason: w.said()}
	}
	called := "nil"
	if a != nil {
		called = a.Action()
	}
	after, err := w.Do(ctx, id, a)
	if w.expected(called, err) {
		w.same(w.get(id), after, "what was done is stored")
	} else {
		w.same(before, w.get(id), "what is refused changes nothing")
		return 1
	}
	w.look(id)
	return 1
}

// same is require.Equal, which takes its time.
func (w *world) same(want, got change.Change, says string) {
	if !reflect.DeepEqual(want, got) {
		require.Equal(w.t, want, got, says)
	}
}

func (w *world) expected(called string, err error) bool {
	w.tried[called]++
	if err == nil {
		w.done[called]++
		return true
	}
	if !errors.Is(err, itsm.ErrInvalid) && !errors.Is(err, itsm.ErrNotAllowed) {
		require.NoError(w.t, err, called)
	}
	require.NotEmpty(w.t, itsm.Findings(err))
	return false
}

// look takes a snapshot and proves what is always true of a change.
func (w *world) look(id itsm.ID) {
	r := w.get(id)
	if w.snapshots[id] == nil {
		w.snapshots[id] = map[itsm.Version]change.Change{}
	}
	w.snapshots[id][r.Version] = r
	ok := func(fact bool, says string) {
		if !fact {
			w.t.Fatalf("%s, version %d, %s: not so: %s\n%+v", r.ID, r.Version, r.State, says, r)
		}
	}
	is := func(states ...itsm.State) bool { return slices.Contains(states, r.State) }
	m, known := w.Model(r)
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
		ok(r.Caused("incident") > 0 || len(m.ReviewNeeded(r)) == 0 || !r.Review.Completed.IsZero(), "what has to be reviewed was")
	}
}

// audit proves that history and records agree: now, and as they were at every
// version and time that was looked at.
func (w *world) audit() (compared int) {
	equal := func(want, got change.Change, what string) {
		compared++
		if !reflect.DeepEqual(want, got) {
			require.Equal(w.t, want, got, what)
		}
	}
	for _, id := range w.ids {
		again, err := w.Replay(w.History(mia, id))
		require.NoError(w.t, err)
		equal(w.get(id), again, "replay")
		var events []itsm.Event
		for e, err := range w.History(mia, id) {
			require.NoError(w.t, err)
			events = append(events, e)
		}
		versions := slices.Sorted(maps.Keys(w.snapshots[id]))
		w.rnd.Shuffle(len(versions), func(i, j int) { versions[i], versions[j] = versions[j], versions[i] })
		for _, v := range versions[:min(len(versions), 6)] {
			got, err := w.AtVersion(mia, id, v)
			require.NoError(w.t, err)
			equal(w.snapshots[id][v], got, fmt.Sprintf("version %d", v))
			last, at := v, events[v-1].At
			for _, e := range events {
				if !e.At.After(at) && e.Version > last {
					last = e.Version
				}
			}
			if want, ok := w.snapshots[id][last]; ok {
				got, err = w.At(mia, id, at)
				require.NoError(w.t, err)
				equal(want, got, "at a time")
			}
		}
	}
	return compared
}

// Whatever is done, in whatever order and with whatever input, under whatever
// policy: a record is what its history leads to, and what must be true of it is.
func TestHistoryIsTheRecord(t *testing.T) {
	total, perWorld := 101_000, 800
	if raceDetector {
		total = 4_000
	}
	if testing.Short() {
		total = 2_000
	}
	tried, done := map[string]int{}, map[string]int{}
	did, actions, equal := 0, 0, 0
	for seed := uint64(1); did < total; seed++ {
		cfg := configs(t)[seed%3]
		w := &world{office: newOffice(t, cfg), rnd: rand.New(rand.NewPCG(seed, 0)),
			snapshots: map[itsm.ID]map[itsm.Version]change.Change{}, tried: tried, done: map[string]int{}}
		for n := 0; n < perWorld; {
			k := w.step()
			n += k
			actions += k
		}
		equal += w.audit()
		for name, n := range w.done {
			done[name] += n
			did += n
		}
	}
	t.Logf("%d actions, %d of them done, %d comparisons with a replay, 0 differences", actions, did, equal)
	t.Logf("done of tried: %v of %v", done, tried)
	if total >= 100_000 {
		for name := range tried {
			if !slices.Contains([]string{"nil", "end_window", "authorize"}, name) {
				require.NotZero(t, done[name], "%s was never done", name)
			}
		}
	}
}
