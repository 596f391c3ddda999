package problem_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/problem"
)

// A world is a few records of one practice to which things happen by chance: with a
// clock that jumps, mostly forwards.
type world[R any] struct {
	kernel[R]
	rnd       *rand.Rand
	ids       []itsm.ID
	snapshots map[itsm.ID]map[itsm.Version]R
	tried     map[string]int
	done      map[string]int
	// create makes a record's first action, action any other, and sound proves what is
	// always true of a record.
	create func() itsm.Action[R]
	action func(r *R) itsm.Action[R]
	sound  func(ok func(fact bool, says string), r *R)
}

func newWorld[R any](k kernel[R], seed uint64) *world[R] {
	return &world[R]{kernel: k, rnd: rand.New(rand.NewPCG(seed, 0)), snapshots: map[itsm.ID]map[itsm.Version]R{}, tried: map[string]int{}, done: map[string]int{}}
}

func pick[T any](rnd *rand.Rand, from ...T) T { return from[rnd.IntN(len(from))] }

// chances are what random inputs are made of.
type chances struct {
	rnd *rand.Rand
	now func() time.Time
}

func (c chances) oneIn(n int) bool { return c.rnd.IntN(n) == 0 }

func (c chances) said() string {
	if c.oneIn(12) {
		return pick(c.rnd, "", "a\x00b", "\xff", "문제")
	}
	return pick(c.rnd, "needed", "done", "late")
}

func (c chances) time() time.Time {
	if c.oneIn(4) {
		return time.Time{}
	}
	return c.now().Add(time.Duration(c.rnd.Int64N(int64(120*time.Hour))) - 12*time.Hour)
}

func (c chances) names(of ...string) []string {
	var all []string
	for range c.rnd.IntN(3) {
		all = append(all, pick(c.rnd, of...))
	}
	return all
}

func (c chances) ref() itsm.Ref {
	return pick(c.rnd, itsm.Ref{}, incident, itsm.Ref{Kind: "incident", ID: "inc-2"}, itsm.Ref{Kind: "x"})
}

func (c chances) fields() itsm.Fields {
	return itsm.Fields{"x": []byte(pick(c.rnd, `"y"`, `null`, `{`))}
}

// problemWorld is a world of problems.
func problemWorld(o *office, seed uint64) *world[problem.Problem] {
	w := newWorld(o.kernel, seed)
	c := chances{w.rnd, w.clock.now}
	w.create = func() action {
		a := problem.Register{Title: c.said(), Description: c.said(), Services: c.names("mail", "erp"), CIs: c.names("mx-1", "mx-2"), Symptom: pick(w.rnd, "", "no mail"),
			Origin: pick(w.rnd, "", problem.Reactive, problem.Proactive, "x"), Cost: problem.Cost{Incidents: w.rnd.IntN(5) - 1}}
		if c.oneIn(3) {
			a.Incidents = []itsm.Ref{c.ref()}
		}
		if c.oneIn(3) {
			a.Fields = c.fields()
		}
		return a
	}
	causes := func() problem.Identify {
		return problem.Identify{Causes: []problem.Cause{{Text: pick(w.rnd, "a full disk", "human error", c.said()), Evidence: c.said(), Contributing: c.oneIn(5), Dimension: pick(w.rnd, "", problem.PartnersSuppliers)}}}
	}
	w.action = func(r *problem.Problem) action {
		reason := c.said()
		code := pick(w.rnd, problem.ResolutionCodes()...)
		if c.oneIn(2) {
			code = pick(w.rnd, problem.FixApplied, "own")
		}
		accept := problem.AcceptRisk{Owner: "ann", Reason: reason, Review: c.time()}
		forward := map[itsm.State][]action{
			problem.New:           {problem.StartAssessment{}, problem.Investigate{}, causes(), problem.AssessRisk{Estimate: problem.Estimate{Frequency: w.rnd.IntN(20), Harm: time.Hour}}},
			problem.Assess:        {problem.Investigate{}, problem.Requeue{Reason: reason}, problem.PutOnHold{Reason: "x", Until: c.time()}},
			problem.Investigating: {causes(), causes(), fixing, problem.PutOnHold{Reason: "x", Until: c.time()}, problem.StartAssessment{}, accept, w.analyse(c)},
			problem.Identified:    {fixing, fixing, problem.Investigate{Reason: reason}, accept, problem.PutOnHold{Reason: "x", Until: c.time()}, problem.Resolve{Code: code, Note: reason}},
			problem.FixInProgress: {problem.Resolve{Code: code, Note: reason}, problem.Resolve{Code: problem.FixApplied, Note: reason}, problem.StopFix{Reason: reason}, problem.PutOnHold{Reason: "x"}},
			problem.OnHold:        {problem.Resume{}, problem.Resume{}, causes(), fixing, problem.Investigate{}, problem.StartAssessment{}},
			problem.Resolved:      {problem.Monitor{}, problem.Monitor{Until: c.time()}, problem.Close{}, problem.RejectFix{Reason: reason, Incident: c.ref()}, problem.Reopen{Reason: reason}},
			problem.Monitoring:    {problem.Close{}, problem.RejectFix{Reason: reason}, problem.DeclareMajor{Reason: reason}},
			problem.Closed:        {problem.Reopen{Reason: reason}, accept},
		}
		if more := forward[r.State]; len(more) > 0 && !c.oneIn(3) {
			return pick(w.rnd, more...)
		}
		return pick(w.rnd, []action{
			problem.Describe{Title: reason}, problem.Classify{Services: c.names("mail", "erp"), Symptom: pick(w.rnd, "", "no mail")},
			problem.AssessRisk{Estimate: problem.Estimate{Frequency: w.rnd.IntN(9) - 1, Harm: time.Duration(w.rnd.IntN(99)) * time.Hour, Trend: pick(w.rnd, problem.Rising, problem.Falling, "x"), Season: w.rnd.IntN(300), Relief: w.rnd.IntN(120)}},
			problem.OverridePriority{Priority: itsm.Priority(w.rnd.IntN(3)), Reason: reason}, problem.RecordCost{Cost: problem.Cost{Incidents: 3, Money: int64(w.rnd.IntN(9) - 1)}},
			problem.DeclareMajor{Reason: reason}, problem.DemoteMajor{Reason: reason}, problem.DemoteMajor{Reason: reason}, problem.Assign{Person: pick(w.rnd, "", "kim", "ann"), Group: pick(w.rnd, "", "net")},
			problem.StartAssessment{}, problem.Requeue{Reason: reason}, problem.Investigate{}, w.analyse(c), problem.AddTask{Title: reason}, problem.EndTask{Number: w.rnd.IntN(3)}, problem.EndTask{Number: 1, Dropped: true},
			causes(), fixing, problem.StartFix{Plan: reason, Change: c.ref()}, problem.StopFix{Reason: reason}, problem.PutOnHold{Reason: problem.AwaitingVendor, Until: c.time()}, problem.Resume{ByTime: true},
			accept, problem.WithdrawAcceptance{Reason: reason}, problem.Resolve{Code: code, Note: reason}, problem.Monitor{Until: c.time()}, problem.RejectFix{Reason: reason, Incident: c.ref()},
			problem.Reopen{Reason: reason}, problem.Close{Code: code, Note: reason}, problem.Close{},
			problem.Note{Text: reason}, problem.Link{Link: itsm.Link{Rel: pick(w.rnd, problem.ShownBy, problem.MergedFrom), To: c.ref()}}, problem.Unlink{Link: itsm.Link{Rel: problem.ShownBy, To: incident}},
			problem.SetFields{Fields: c.fields()}, problem.StartReview{Lead: reason}, problem.AddActionItem{Title: reason, Owner: "ann"}, problem.CompleteActionItem{Number: w.rnd.IntN(3)},
			problem.CompleteReview{WentWell: "a", WentWrong: "b", Improve: "c", Prevent: reason}, problem.CompleteReview{WentWell: "a", WentWrong: "b", Improve: "c", Prevent: "d"}, problem.LapseAcceptance{}, nil,
		}...)
	}
	w.sound = func(ok func(bool, string), r *problem.Problem) {
		is := func(states ...itsm.State) bool { return slices.Contains(states, r.State) }
		ok(is(problem.OnHold) == (r.Hold != problem.Hold{}), "what is on hold says why, and nothing else does")
		ok(r.Open() == (r.Resolution.Code == ""), "what is open did not end, and what ended says how")
		ok(is(problem.Closed, problem.Cancelled) == !r.Closed.IsZero(), "it says when it was over")
		ok(is(problem.Monitoring) == (r.Observation != problem.Observation{} && !is(problem.Closed)), "what is observed says until when")
		ok(!is(problem.Closed) || !r.Resolution.Code.Accepts() || r.Acceptance.Standing(), "nothing is closed on a risk for which nobody answers")
		ok(!is(problem.Closed, problem.Resolved, problem.Monitoring) || r.Resolution.Code != problem.NoProblem && r.Resolution.Code != problem.Duplicate, "what was cancelled or merged is cancelled")
		ok((r.MergedInto != "") == (r.Resolution.Code == problem.Duplicate), "a duplicate says of what")
		ok(!is(problem.Identified) || len(r.Causes) > 0, "what is identified has causes")
		ok(is(problem.New, problem.Assess, problem.Investigating, problem.OnHold) || !r.ControlEnded.IsZero(), "whatever is behind problem control has ended it")
		ok(!is(problem.New, problem.Assess, problem.Investigating) || r.ControlEnded.IsZero(), "what is not identified is not through with problem control")
		ok(!is(problem.New, problem.Assess, problem.Investigating, problem.Identified) || r.Fix == problem.Fix{}, "what is not fixed has no fix")
		for _, task := range r.Tasks {
			ok(!is(problem.Closed) || !task.Ended.IsZero(), "what is closed has no open task")
		}
		for _, cause := range r.Causes {
			ok(!problem.Prompt(cause.Text) && cause.Evidence != "", "no cause only blames somebody")
		}
	}
	return w
}

// analyse is a random analysis.
func (w *world[R]) analyse(c chances) problem.Analyse {
	text := c.said()
	half := 0.5
	return pick(w.rnd,
		problem.Analyse{Analysis: problem.Analysis{FiveWhys: &problem.FiveWhys{Problem: text, Whys: []problem.Why{{Because: text, Whys: []problem.Why{{Because: "human error"}}}, {Because: "b", Evidence: text}}}}},
		problem.Analyse{Analysis: problem.Analysis{Ishikawa: &problem.Ishikawa{Effect: text, Bones: []problem.Bone{{Category: "people", Causes: []problem.Possible{{Cause: text}}}}}}},
		problem.Analyse{Analysis: problem.Analysis{FaultTree: &problem.FaultTree{Top: "t", Gates: []problem.Gate{{Name: "t", Kind: problem.Or, Inputs: []string{"a"}}}, Events: []problem.BasicEvent{{Name: "a", Text: text, Probability: &half}}}}},
		problem.Analyse{Analysis: problem.Analysis{Comparison: &problem.Comparison{Deviation: text, Rows: []problem.Row{{Aspect: problem.What, Is: text}}}}},
		problem.Analyse{Analysis: problem.Analysis{Pareto: &problem.Pareto{Title: text, Items: []problem.ParetoItem{{Name: "a", Count: 3}}}, Timeline: &problem.Timeline{Entries: []problem.TimelineEntry{{At: c.time(), Kind: problem.ChangeEntry, Text: text}}}}},
		problem.Analyse{})
}

// knownErrorWorld is a world of known errors.
func knownErrorWorld(o *office, seed uint64) *world[problem.KnownError] {
	w := newWorld(o.errors, seed)
	c := chances{w.rnd, w.clock.now}
	w.create = func() errorAction {
		a := problem.Document{Title: c.said(), Problem: pick[itsm.ID](w.rnd, "", "prb-1"), Symptoms: c.names("no mail", "slow"), Services: c.names("mail", "erp"), Cause: pick(w.rnd, "", "a bug", "user error")}
		if c.oneIn(3) {
			a.Fields = c.fields()
		}
		return a
	}
	w.action = func(r *problem.KnownError) errorAction {
		reason := c.said()
		add := problem.AddWorkaround{Title: reason, Steps: "s", Prevents: c.oneIn(2)}
		use := problem.RecordUse{Number: w.rnd.IntN(4), Version: w.rnd.IntN(4), Worked: c.oneIn(2), Incident: c.ref()}
		schedule, vendor, nothing := problem.ScheduleFix{Change: c.ref(), Followed: 7}, problem.HandToVendor{Vendor: problem.Vendor{Name: reason}}, problem.PlanNoAction{Reason: reason, Review: c.time(), Followed: 9}
		forward := map[itsm.State][]errorAction{
			problem.Draft:            {problem.Publish{}, problem.Publish{}, add, problem.DescribeKnownError{Title: "t", Symptoms: []string{"no mail"}}},
			problem.Published:        {schedule, vendor, nothing, use, add, problem.Correct{Note: reason}},
			problem.FixScheduled:     {problem.Correct{Note: reason}, use, problem.Reconsider{Reason: reason}},
			problem.WithVendor:       {problem.Correct{Note: reason}, use, schedule},
			problem.NoActionPlanned:  {use, problem.Reconsider{Reason: reason}, problem.SetReview{Review: c.time()}},
			problem.Corrected:        {problem.Recur{Reason: reason}, problem.CloseKnownError{}},
			problem.KnownErrorClosed: {problem.Recur{Reason: reason}, use},
		}
		if more := forward[r.State]; len(more) > 0 && !c.oneIn(3) {
			return pick(w.rnd, more...)
		}
		return pick(w.rnd, []errorAction{
			problem.DescribeKnownError{Title: reason, Symptoms: c.names("no mail")}, problem.SetCause{Cause: reason}, problem.SetAffected{Services: c.names("mail"), Affected: []problem.Affected{{CI: reason, Versions: c.names("8", "9")}}},
			problem.SetProblem{Problem: pick[itsm.ID](w.rnd, "prb-1", "prb-2", ""), Followed: 3}, problem.SetOwner{Owner: reason}, add, problem.ReviseWorkaround{Number: w.rnd.IntN(4), AddWorkaround: add},
			problem.RetireWorkaround{Number: w.rnd.IntN(6), Reason: reason}, problem.Publish{}, problem.Retract{Reason: reason}, use, schedule, vendor, nothing, problem.Reconsider{Reason: reason, Followed: 2},
			problem.SetReview{Review: c.time()}, problem.Correct{Note: reason}, problem.Recur{Reason: reason}, problem.CloseKnownError{Note: reason}, problem.NoteKnownError{Text: reason},
			problem.KnownErrorLink{Link: itsm.Link{Rel: "x", To: c.ref()}}, problem.KnownErrorUnlink{Link: itsm.Link{Rel: "x", To: incident}}, problem.KnownErrorFields{Fields: c.fields()}, problem.CallReview{}, nil,
		}...)
	}
	w.sound = func(ok func(bool, string), r *problem.KnownError) {
		is := func(states ...itsm.State) bool { return slices.Contains(states, r.State) }
		ok(!r.Public() || len(r.Symptoms) > 0, "what is published can be found")
		ok(!r.Public() || !r.Published.IsZero(), "it says since when")
		ok(is(problem.Corrected) == (!r.Corrected.IsZero() && r.Closed.IsZero()), "what is corrected says when")
		ok(is(problem.KnownErrorClosed, problem.KnownErrorCancelled) == !r.Closed.IsZero(), "it says when it was over")
		ok(is(problem.NoActionPlanned) || r.NoAction == "" || !r.Public(), "no action has a reason while none is planned")
		ok(is(problem.WithVendor) || !r.Public() || r.Vendor == (problem.Vendor{}), "the vendor is named while it has it in hand")
		ok(r.Followed == 0 || r.Followed == 3, "nobody but a problem says that something follows from it")
		n := 0
		for i, wa := range r.Workarounds {
			ok(wa.Number == i+1 && wa.Version == len(wa.Effects), "every version is counted")
			for _, e := range wa.Effects {
				ok(e.Worked >= 0 && e.Failed >= 0, "no count is negative")
				n += e.Worked + e.Failed
			}
		}
		ok(n == r.Worked()+r.Failed() && n >= len(r.Uses), "the uses are counted")
		seen := map[problem.Use]bool{}
		for _, u := range r.Uses {
			u.Worked = false
			ok(u.Incident == itsm.Ref{} || !seen[u], "an incident counts once")
			seen[u] = true
		}
	}
	return w
}

// step does one random thing and returns how many actions were tried.
func (w *world[R]) step() int {
	c := chances{w.rnd, w.clock.now}
	if c.oneIn(3) {
		d := time.Duration(w.rnd.Int64N(int64(90 * time.Minute)))
		if c.oneIn(20) {
			d = -d
		} else if c.oneIn(10) {
			d *= 24
		}
		w.clock.advance(d)
	}
	if c.oneIn(12) {
		n, _, err := w.RunDue(sys)
		require.NoError(w.t, err)
		w.done["due"] += n
		for _, id := range w.ids {
			w.look(id)
		}
		return n
	}
	ctx := as(pick(w.rnd, "kim", "ann"))
	if len(w.ids) < 2 || len(w.ids) < 60 && c.oneIn(15) {
		a := w.create()
		r, err := w.Create(ctx, a)
		if w.expected(a.Action(), err) {
			w.ids = append(w.ids, itsm.MetaOf(&r).ID)
			w.look(itsm.MetaOf(&r).ID)
		}
		return 1
	}
	id := pick(w.rnd, w.ids...)
	before := w.get(id)
	state := func() itsm.State { return itsm.MetaOf(&before).State }
	for range 4 { // mostly one that is not over
		if w.Lifecycle().IsEnd(state()) {
			id = pick(w.rnd, w.ids...)
			before = w.get(id)
		}
	}
	a := w.action(&before)
	var other itsm.ID
	if !w.Lifecycle().IsEnd(state()) && c.oneIn(60) {
		switch any(before).(type) {
		case problem.Problem:
			a = any(problem.Cancel{Reason: c.said()}).(itsm.Action[R])
			if c.oneIn(2) {
				other = pick(w.rnd, w.ids...)
				a = any(problem.Merge{Into: other}).(itsm.Action[R])
			}
		default:
			a = any(problem.CancelKnownError{Reason: c.said()}).(itsm.Action[R])
		}
	}
	called := "nil"
	if a != nil {
		called = a.Action()
	}
	after, err := w.Do(ctx, id, a)
	if !w.expected(called, err) {
		w.same(before, w.get(id), "what is refused changes nothing")
		return 1
	}
	w.same(w.get(id), after, "what was done is stored")
	w.look(id)
	if other != "" {
		w.look(other)
	}
	return 1
}

// same is require.Equal, which takes its time.
func (w *world[R]) same(want, got R, says string) {
	if !reflect.DeepEqual(want, got) {
		require.Equal(w.t, want, got, says)
	}
}

func (w *world[R]) expected(called string, err error) bool {
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

// look takes a snapshot and proves what is always true of a record.
func (w *world[R]) look(id itsm.ID) {
	r := w.get(id)
	m := itsm.MetaOf(&r)
	if w.snapshots[id] == nil {
		w.snapshots[id] = map[itsm.Version]R{}
	}
	w.snapshots[id][m.Version] = r
	w.sound(func(fact bool, says string) {
		if !fact {
			w.t.Fatalf("%s, version %d, %s: not so: %s\n%+v", m.ID, m.Version, m.State, says, r)
		}
	}, &r)
}

// audit proves that history and records agree: now, and as they were at every version
// and time that was looked at.
func (w *world[R]) audit() (compared int) {
	equal := func(want, got R, what string) {
		compared++
		w.same(want, got, what)
	}
	for _, id := range w.ids {
		again, err := w.Replay(w.History(kim, id))
		require.NoError(w.t, err)
		equal(w.get(id), again, "replay")
		data, err := json.Marshal(again)
		require.NoError(w.t, err)
		var kept R
		require.NoError(w.t, json.Unmarshal(data, &kept))
		equal(again, kept, "as a host keeps it")
		var events []itsm.Event
		for e, err := range w.History(kim, id) {
			require.NoError(w.t, err)
			events = append(events, e)
		}
		versions := slices.Sorted(maps.Keys(w.snapshots[id]))
		w.rnd.Shuffle(len(versions), func(i, j int) { versions[i], versions[j] = versions[j], versions[i] })
		for _, v := range versions[:min(len(versions), 6)] {
			got, err := w.AtVersion(kim, id, v)
			require.NoError(w.t, err)
			equal(w.snapshots[id][v], got, fmt.Sprintf("version %d", v))
			last, at := v, events[v-1].At
			for _, e := range events {
				if !e.At.After(at) && e.Version > last {
					last = e.Version
				}
			}
			if want, ok := w.snapshots[id][last]; ok {
				got, err = w.At(kim, id, at)
				require.NoError(w.t, err)
				equal(want, got, "at a time")
			}
		}
	}
	return compared
}

// configs are the ways in which a host may run the practice.
func configs(t testing.TB) []problem.Config {
	return []problem.Config{{}, {Agreements: agreed(t), Observation: 30 * time.Hour}, {Risk: problem.RiskPolicy{Name: "own", Version: 2, Rising: 200, Falling: 50, Bands: []problem.Band{{Priority: 1, From: time.Hour}}}}}
}

// live lets worlds live until enough was done in them.
func live[R any](t *testing.T, total int, make func(seed uint64) *world[R], never ...string) {
	if raceDetector {
		total = 4_000
	}
	if testing.Short() {
		total = 2_000
	}
	tried, done := map[string]int{}, map[string]int{}
	did, actions, equal := 0, 0, 0
	for seed := uint64(1); did < total; seed++ {
		w := make(seed)
		for n := 0; n < 800; {
			k := w.step()
			n += k
			actions += k
		}
		equal += w.audit()
		for name, n := range w.done {
			done[name] += n
			did += n
		}
		for name, n := range w.tried {
			tried[name] += n
		}
	}
	t.Logf("%d actions, %d of them done, %d comparisons with a replay, 0 differences", actions, did, equal)
	t.Logf("done of tried: %v of %v", done, tried)
	if total >= 100_000 {
		for name := range tried {
			if !slices.Contains(never, name) {
				require.NotZero(t, done[name], "%s was never done", name)
			}
		}
	}
}

// Whatever is done, in whatever order and with whatever input: a record is what its
// history leads to, and what must be true of it is.
func TestHistoryIsTheRecord(t *testing.T) {
	live(t, 101_000, func(seed uint64) *world[problem.Problem] {
		return problemWorld(newOffice(t, configs(t)[seed%3]), seed)
	}, "nil", "lapse_acceptance")
}

// And so is a known error.
func TestHistoryIsTheKnownError(t *testing.T) {
	live(t, 101_000, func(seed uint64) *world[problem.KnownError] {
		return knownErrorWorld(newOffice(t, problem.Config{}), seed)
	}, "nil", "call_review")
}

// Many people at once: nobody's work is lost, every record is still what its history
// leads to, and every known error is in line with its problem in the end.
func TestManyAtOnce(t *testing.T) {
	const people, each = 8, 60
	o := newOffice(t, problem.Config{Config: itsm.Config{Attempts: 10_000}})
	shared := []itsm.ID{o.open().ID, o.open().ID, o.open().ID}
	k := o.document(o.get(shared[0]), fallback, problem.Publish{})
	var all sync.WaitGroup
	var mu sync.Mutex
	notes, uses := 0, 0
	for person := range people {
		all.Add(1)
		go func() {
			defer all.Done()
			rnd := rand.New(rand.NewPCG(1, uint64(person)))
			mine := problemWorld(o, uint64(person))
			ctx := as(fmt.Sprintf("p%d", person))
			for range each {
				if rnd.IntN(20) == 0 {
					o.clock.advance(time.Hour)
					if _, _, err := o.RunDue(sys); err != nil {
						t.Error(err)
					}
				}
				id := pick(rnd, shared...)
				r, err := o.Get(ctx, id)
				if err != nil {
					t.Error(err)
				}
				a := mine.action(&r)
				if rnd.IntN(4) == 0 {
					a = problem.Note{Text: "t"}
				}
				_, err = o.Do(ctx, id, a)
				if err != nil && !errors.Is(err, itsm.ErrInvalid) && !errors.Is(err, itsm.ErrNotAllowed) {
					t.Errorf("%T: %v", a, err)
				}
				mu.Lock()
				if _, ok := a.(problem.Note); ok && err == nil {
					notes++
				}
				mu.Unlock()
				if rnd.IntN(4) == 0 {
					_, err := o.errors.Do(ctx, k.ID, problem.RecordUse{Number: 1, Worked: true})
					mu.Lock()
					if err == nil {
						uses++
					} else if !errors.Is(err, itsm.ErrNotAllowed) { // it may have been closed and cancelled
						t.Error(err)
					}
					mu.Unlock()
				}
			}
		}()
	}
	all.Wait()
	got := 0
	for _, id := range shared {
		o.replays(id)
		got += o.get(id).Notes
	}
	require.Equal(t, notes, got)
	require.NotZero(t, notes)
	o.errors.replays(k.ID)
	k = o.errors.get(k.ID)
	require.Equal(t, uses, k.Worked())
	_, err := o.problems.CatchUp(sys, "")
	require.NoError(t, err)
	o.errors.replays(k.ID)
}

// Several hosts run what is due at the same time: each thing happens once.
func TestDueOnManyHosts(t *testing.T) {
	o := newOffice(t, problem.Config{})
	var ids []itsm.ID
	for range 20 {
		ids = append(ids, o.open(fixedActions()...).ID)
	}
	o.clock.advance(30 * 24 * time.Hour)
	var all sync.WaitGroup
	var mu sync.Mutex
	done := 0
	for range 6 {
		host, err := problem.NewPractice(o.store, problem.Config{Config: itsm.Config{Now: o.clock.now}})
		require.NoError(t, err)
		all.Add(1)
		go func() {
			defer all.Done()
			n, _, err := host.RunDue(sys)
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			done += n
			mu.Unlock()
		}()
	}
	all.Wait()
	require.Equal(t, 20, done)
	for _, id := range ids {
		require.Equal(t, []string{"register", "investigate", "identify", "start_fix", "resolve", "monitor", "end_observation"}, o.history(id))
	}
}

// fixedActions lead to a problem that is observed.
func fixedActions() []action {
	return []action{problem.Investigate{}, identify, fixing, fixed, problem.Monitor{}}
}

// A commit that fails, or of which nobody knows whether it failed, leaves nothing half
// done: of several problems, all are as before or all as after.
func TestCommitsFailAsAWhole(t *testing.T) {
	always := func(err error) func() error { return func() error { return err } }
	once := func(err error) func() error {
		failed := false
		return func() error {
			if failed {
				return nil
			}
			failed = true
			return err
		}
	}
	for _, c := range []struct {
		name          string
		before, after func() error
		fails         error
		done          bool
	}{
		{"Down", always(errDown), nil, errDown, false},
		{"DownAfterwards", nil, always(errDown), errDown, true},
		{"UnknownNotDone", once(itsm.ErrUnknown), nil, nil, true},
		{"UnknownDone", nil, once(itsm.ErrUnknown), nil, true},
		{"UnknownForLong", always(itsm.ErrUnknown), nil, itsm.ErrUnknown, false},
		{"Conflict", once(itsm.ErrConflict), nil, nil, true},
		{"ConflictForLong", always(itsm.ErrConflict), nil, itsm.ErrConflict, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := newOffice(t, problem.Config{Config: itsm.Config{Attempts: 3}})
			a, b := o.open(), o.open()
			k := o.document(a)
			before := o.everything()
			over := o.problems.Over(&flaky[problem.Problem]{o.store, o.store, c.before, c.after})
			_, err := over.Do(kim, a.ID, problem.Merge{Into: b.ID})
			if c.fails == nil {
				require.NoError(t, err)
			} else {
				require.ErrorIs(t, err, c.fails)
			}
			if !c.done {
				require.Equal(t, before, o.everything(), "nothing has happened")
				_, err = o.Do(kim, a.ID, problem.Merge{Into: b.ID})
				require.NoError(t, err, "and it can be done later")
			}
			a, b = o.get(a.ID), o.get(b.ID)
			require.Equal(t, b.ID, a.MergedInto)
			require.Equal(t, problem.Cancelled, a.State)
			require.Equal(t, []itsm.Link{{Rel: problem.MergedFrom, To: problem.Ref(a.ID)}}, b.Links)
			o.replays(a.ID)
			o.replays(b.ID)
			// Whatever happened to the notification, the known error catches up.
			_, err = o.problems.CatchUp(sys, "")
			require.NoError(t, err)
			require.Equal(t, b.ID, o.errors.get(k.ID).Problem)
		})
	}
}

// Random failures while random things happen: whatever was done was done as a whole.
func TestRandomFailures(t *testing.T) {
	rounds := 30
	if raceDetector {
		rounds = 6
	}
	for seed := range uint64(rounds) {
		o := newOffice(t, problem.Config{Config: itsm.Config{Attempts: 2}})
		w := problemWorld(o, seed)
		fail := func(errs ...error) func() error {
			return func() error {
				if w.rnd.IntN(10) == 0 {
					return pick(w.rnd, errs...)
				}
				return nil
			}
		}
		shaky := o.problems.Over(&flaky[problem.Problem]{o.store, o.store, fail(errDown, itsm.ErrUnknown, itsm.ErrConflict), fail(errDown, itsm.ErrUnknown)})
		for range 150 {
			w.clock.advance(time.Hour)
			if len(w.ids) < 4 {
				_, _ = shaky.Create(kim, w.create())
			} else {
				id := pick(w.rnd, w.ids...)
				r := w.get(id)
				a := w.action(&r)
				if w.rnd.IntN(30) == 0 {
					a = problem.Merge{Into: pick(w.rnd, w.ids...)}
				}
				_, _ = shaky.Do(kim, id, a)
				if w.rnd.IntN(20) == 0 {
					_, _, _ = shaky.RunDue(sys)
				}
			}
			all := w.everything()
			w.ids = slices.Sorted(maps.Keys(all))
			for id, r := range all {
				w.look(id)
				if r.MergedInto != "" {
					require.Contains(t, all[r.MergedInto].Links, itsm.Link{Rel: problem.MergedFrom, To: problem.Ref(id)})
				}
			}
		}
		for _, id := range w.ids {
			w.replays(id)
		}
	}
}

// Known errors follow their problems on a store that fails: what was missed they catch
// up with, and in the end nothing is missing and nothing was done twice.
func TestKnownErrorsCatchUp(t *testing.T) {
	for seed := range uint64(20) {
		o := newOffice(t, problem.Config{})
		rnd := rand.New(rand.NewPCG(seed, 9))
		p := o.open(problem.Investigate{}, identify)
		k := o.document(p, problem.Publish{})
		// What a host does whose known errors cannot be reached for a while.
		down := true
		shaky := o.known.Over(&failing{o.errors.store, func() error {
			if down && rnd.IntN(3) > 0 {
				return errDown
			}
			return nil
		}})
		cfg := problem.Config{Config: itsm.Config{Now: o.clock.now}, KnownErrors: shaky}
		host, err := problem.NewPractice(o.store, cfg)
		require.NoError(t, err)
		for _, a := range []action{fixing, fixed, problem.RejectFix{Reason: "again"}, fixed, problem.Close{}} {
			_, err := host.Do(kim, p.ID, a)
			require.NoError(t, err, "known errors do not hold their problem up")
		}
		var at itsm.Cursor
		for range 100 {
			if at, err = host.CatchUp(sys, at); err == nil {
				break
			}
			require.ErrorIs(t, err, errDown)
		}
		down = false
		_, err = host.CatchUp(sys, at)
		require.NoError(t, err)
		got := o.errors.get(k.ID)
		require.Equal(t, problem.KnownErrorClosed, got.State)
		again := o.errors.history(k.ID)
		_, err = host.CatchUp(sys, "")
		require.NoError(t, err)
		require.Equal(t, again, o.errors.history(k.ID), "nothing happens twice")
		o.errors.replays(k.ID)
	}
}

// failing is a store of known errors that cannot always be written.
type failing struct {
	store interface {
		itsm.Store[problem.KnownError]
		itsm.Lister[problem.KnownError]
	}
	fail func() error
}

func (s *failing) Load(ctx context.Context, id itsm.ID) (problem.KnownError, error) {
	return s.store.Load(ctx, id)
}

func (s *failing) Commit(ctx context.Context, revs ...itsm.Revision[problem.KnownError]) error {
	if err := s.fail(); err != nil {
		return err
	}
	return s.store.Commit(ctx, revs...)
}

func (s *failing) Events(ctx context.Context, id itsm.ID, after itsm.Version) iter.Seq2[itsm.Event, error] {
	return s.store.Events(ctx, id, after)
}

func (s *failing) List(ctx context.Context, q itsm.Query) (itsm.Page[problem.KnownError], error) {
	return s.store.List(ctx, q)
}
