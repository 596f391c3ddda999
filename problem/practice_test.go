package problem_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/practicetest"
	"github.com/go-itsm/itsm/problem"
	"github.com/go-itsm/itsm/storage/memory"
)

// ref is a reference to something, or to nothing.
func ref(by interface{ IntN(int) int }) itsm.Ref {
	return practicetest.Pick(by, itsm.Ref{}, incident, itsm.Ref{Kind: "incident", ID: "inc-2"}, itsm.Ref{Kind: "x"})
}

// problems is what is known of problems.
func problems() practicetest.Harness[problem.Problem] {
	return practicetest.Harness[problem.Problem]{
		Create: register, Action: anything, Sound: sound, Actors: []string{"kim", "ann"}, Actions: 101_000,
	}
}

func register(w *practicetest.World[problem.Problem]) action {
	a := problem.Register{Title: w.Text(), Description: w.Text(), Services: w.Names("mail", "erp"), CIs: w.Names("mx-1", "mx-2"), Symptom: practicetest.Pick(w, "", "no mail"),
		Origin: practicetest.Pick(w, "", problem.Reactive, problem.Proactive, "x"), Cost: problem.Cost{Incidents: w.IntN(5) - 1}}
	if w.OneIn(3) {
		a.Incidents = []itsm.Ref{ref(w)}
	}
	if w.OneIn(3) {
		a.Fields = w.Fields()
	}
	return a
}

// anything is a random action with random input; those that lead on come often.
func anything(w *practicetest.World[problem.Problem], r *problem.Problem) action {
	if !w.Practice.Lifecycle().IsEnd(r.State) && w.OneIn(60) {
		if w.OneIn(2) {
			return problem.Cancel{Reason: w.Text()}
		}
		return problem.Merge{Into: w.ID()}
	}
	causes := func() problem.Identify {
		return problem.Identify{Causes: []problem.Cause{{Text: practicetest.Pick(w, "a full disk", "human error", w.Text()), Evidence: w.Text(), Contributing: w.OneIn(5), Dimension: practicetest.Pick(w, "", problem.PartnersSuppliers)}}}
	}
	reason := w.Text()
	code := practicetest.Pick(w, problem.ResolutionCodes()...)
	if w.OneIn(2) {
		code = practicetest.Pick(w, problem.FixApplied, "own")
	}
	accept := problem.AcceptRisk{Owner: "ann", Reason: reason, Review: w.Time()}
	forward := map[itsm.State][]action{
		problem.New:           {problem.StartAssessment{}, problem.Investigate{}, causes(), problem.AssessRisk{Estimate: problem.Estimate{Frequency: w.IntN(20), Harm: time.Hour}}},
		problem.Assess:        {problem.Investigate{}, problem.Requeue{Reason: reason}, problem.PutOnHold{Reason: "x", Until: w.Time()}},
		problem.Investigating: {causes(), causes(), fixing, problem.PutOnHold{Reason: "x", Until: w.Time()}, problem.StartAssessment{}, accept, analyse(w)},
		problem.Identified:    {fixing, fixing, problem.Investigate{Reason: reason}, accept, problem.PutOnHold{Reason: "x", Until: w.Time()}, problem.Resolve{Code: code, Note: reason}},
		problem.FixInProgress: {problem.Resolve{Code: code, Note: reason}, problem.Resolve{Code: problem.FixApplied, Note: reason}, problem.StopFix{Reason: reason}, problem.PutOnHold{Reason: "x"}},
		problem.OnHold:        {problem.Resume{}, problem.Resume{}, causes(), fixing, problem.Investigate{}, problem.StartAssessment{}},
		problem.Resolved:      {problem.Monitor{}, problem.Monitor{Until: w.Time()}, problem.Close{}, problem.RejectFix{Reason: reason, Incident: ref(w)}, problem.Reopen{Reason: reason}},
		problem.Monitoring:    {problem.Close{}, problem.RejectFix{Reason: reason}, problem.DeclareMajor{Reason: reason}},
		problem.Closed:        {problem.Reopen{Reason: reason}, accept},
	}
	if more := forward[r.State]; len(more) > 0 && !w.OneIn(3) {
		return practicetest.Pick(w, more...)
	}
	return practicetest.Pick(w, []action{
		problem.Describe{Title: reason}, problem.Classify{Services: w.Names("mail", "erp"), Symptom: practicetest.Pick(w, "", "no mail")},
		problem.AssessRisk{Estimate: problem.Estimate{Frequency: w.IntN(9) - 1, Harm: time.Duration(w.IntN(99)) * time.Hour, Trend: practicetest.Pick(w, problem.Rising, problem.Falling, "x"), Season: w.IntN(300), Relief: w.IntN(120)}},
		problem.OverridePriority{Priority: itsm.Priority(w.IntN(3)), Reason: reason}, problem.RecordCost{Cost: problem.Cost{Incidents: 3, Money: int64(w.IntN(9) - 1)}},
		problem.DeclareMajor{Reason: reason}, problem.DemoteMajor{Reason: reason}, problem.DemoteMajor{Reason: reason}, problem.Assign{Person: practicetest.Pick(w, "", "kim", "ann"), Group: practicetest.Pick(w, "", "net")},
		problem.StartAssessment{}, problem.Requeue{Reason: reason}, problem.Investigate{}, analyse(w), problem.AddTask{Title: reason}, problem.EndTask{Number: w.IntN(3)}, problem.EndTask{Number: 1, Dropped: true},
		causes(), fixing, problem.StartFix{Plan: reason, Change: ref(w)}, problem.StopFix{Reason: reason}, problem.PutOnHold{Reason: problem.AwaitingVendor, Until: w.Time()}, problem.Resume{ByTime: true},
		accept, problem.WithdrawAcceptance{Reason: reason}, problem.Resolve{Code: code, Note: reason}, problem.Monitor{Until: w.Time()}, problem.RejectFix{Reason: reason, Incident: ref(w)},
		problem.Reopen{Reason: reason}, problem.Close{Code: code, Note: reason}, problem.Close{},
		problem.Note{Text: reason}, problem.Link{Link: itsm.Link{Rel: practicetest.Pick(w, problem.ShownBy, problem.MergedFrom), To: ref(w)}}, problem.Unlink{Link: itsm.Link{Rel: problem.ShownBy, To: incident}},
		problem.SetFields{Fields: w.Fields()}, problem.StartReview{Lead: reason}, problem.AddActionItem{Title: reason, Owner: "ann"}, problem.CompleteActionItem{Number: w.IntN(3)},
		problem.CompleteReview{WentWell: "a", WentWrong: "b", Improve: "c", Prevent: reason}, problem.CompleteReview{WentWell: "a", WentWrong: "b", Improve: "c", Prevent: "d"}, problem.LapseAcceptance{}, nil,
	}...)
}

// sound proves what is always true of a problem.
func sound(w *practicetest.World[problem.Problem], r *problem.Problem, ok func(bool, string)) {
	if r.MergedInto != "" {
		back := itsm.Link{Rel: problem.MergedFrom, To: problem.Ref(r.ID)}
		ok(slices.Contains(w.Record(r.MergedInto).Links, back), "that into which it was merged knows it")
	}
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

// analyse is a random analysis.
func analyse(w *practicetest.World[problem.Problem]) problem.Analyse {
	text := w.Text()
	half := 0.5
	return practicetest.Pick(w,
		problem.Analyse{Analysis: problem.Analysis{FiveWhys: &problem.FiveWhys{Problem: text, Whys: []problem.Why{{Because: text, Whys: []problem.Why{{Because: "human error"}}}, {Because: "b", Evidence: text}}}}},
		problem.Analyse{Analysis: problem.Analysis{Ishikawa: &problem.Ishikawa{Effect: text, Bones: []problem.Bone{{Category: "people", Causes: []problem.Possible{{Cause: text}}}}}}},
		problem.Analyse{Analysis: problem.Analysis{FaultTree: &problem.FaultTree{Top: "t", Gates: []problem.Gate{{Name: "t", Kind: problem.Or, Inputs: []string{"a"}}}, Events: []problem.BasicEvent{{Name: "a", Text: text, Probability: &half}}}}},
		problem.Analyse{Analysis: problem.Analysis{Comparison: &problem.Comparison{Deviation: text, Rows: []problem.Row{{Aspect: problem.What, Is: text}}}}},
		problem.Analyse{Analysis: problem.Analysis{Pareto: &problem.Pareto{Title: text, Items: []problem.ParetoItem{{Name: "a", Count: 3}}}, Timeline: &problem.Timeline{Entries: []problem.TimelineEntry{{At: w.Time(), Kind: problem.ChangeEntry, Text: text}}}}},
		problem.Analyse{})
}

// errors is what is known of known errors.
func knownErrors() practicetest.Harness[problem.KnownError] {
	return practicetest.Harness[problem.KnownError]{
		Create: document, Action: anyOfErrors, Sound: soundError, Actors: []string{"kim", "ann"}, Actions: 101_000,
	}
}

func document(w *practicetest.World[problem.KnownError]) errorAction {
	a := problem.Document{Title: w.Text(), Problem: practicetest.Pick[itsm.ID](w, "", "prb-1"), Symptoms: w.Names("no mail", "slow"), Services: w.Names("mail", "erp"), Cause: practicetest.Pick(w, "", "a bug", "user error")}
	if w.OneIn(3) {
		a.Fields = w.Fields()
	}
	return a
}

func anyOfErrors(w *practicetest.World[problem.KnownError], r *problem.KnownError) errorAction {
	if !w.Practice.Lifecycle().IsEnd(r.State) && w.OneIn(60) {
		return problem.CancelKnownError{Reason: w.Text()}
	}
	reason := w.Text()
	add := problem.AddWorkaround{Title: reason, Steps: "s", Prevents: w.OneIn(2)}
	use := problem.RecordUse{Number: w.IntN(4), Version: w.IntN(4), Worked: w.OneIn(2), Incident: ref(w)}
	schedule, vendor, nothing := problem.ScheduleFix{Change: ref(w), Followed: 7}, problem.HandToVendor{Vendor: problem.Vendor{Name: reason}}, problem.PlanNoAction{Reason: reason, Review: w.Time(), Followed: 9}
	forward := map[itsm.State][]errorAction{
		problem.Draft:            {problem.Publish{}, problem.Publish{}, add, problem.DescribeKnownError{Title: "t", Symptoms: []string{"no mail"}}},
		problem.Published:        {schedule, vendor, nothing, use, add, problem.Correct{Note: reason}},
		problem.FixScheduled:     {problem.Correct{Note: reason}, use, problem.Reconsider{Reason: reason}},
		problem.WithVendor:       {problem.Correct{Note: reason}, use, schedule},
		problem.NoActionPlanned:  {use, problem.Reconsider{Reason: reason}, problem.SetReview{Review: w.Time()}},
		problem.Corrected:        {problem.Recur{Reason: reason}, problem.CloseKnownError{}},
		problem.KnownErrorClosed: {problem.Recur{Reason: reason}, use},
	}
	if more := forward[r.State]; len(more) > 0 && !w.OneIn(3) {
		return practicetest.Pick(w, more...)
	}
	return practicetest.Pick(w, []errorAction{
		problem.DescribeKnownError{Title: reason, Symptoms: w.Names("no mail")}, problem.SetCause{Cause: reason}, problem.SetAffected{Services: w.Names("mail"), Affected: []problem.Affected{{CI: reason, Versions: w.Names("8", "9")}}},
		problem.SetProblem{Problem: practicetest.Pick[itsm.ID](w, "prb-1", "prb-2", ""), Followed: 3}, problem.SetOwner{Owner: reason}, add, problem.ReviseWorkaround{Number: w.IntN(4), AddWorkaround: add},
		problem.RetireWorkaround{Number: w.IntN(6), Reason: reason}, problem.Publish{}, problem.Retract{Reason: reason}, use, schedule, vendor, nothing, problem.Reconsider{Reason: reason, Followed: 2},
		problem.SetReview{Review: w.Time()}, problem.Correct{Note: reason}, problem.Recur{Reason: reason}, problem.CloseKnownError{Note: reason}, problem.NoteKnownError{Text: reason},
		problem.KnownErrorLink{Link: itsm.Link{Rel: "x", To: ref(w)}}, problem.KnownErrorUnlink{Link: itsm.Link{Rel: "x", To: incident}}, problem.KnownErrorFields{Fields: w.Fields()}, problem.CallReview{}, nil,
	}...)
}

// soundError proves what is always true of a known error.
func soundError(_ *practicetest.World[problem.KnownError], r *problem.KnownError, ok func(bool, string)) {
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

// configs are the ways in which a host may run the practice.
func configs(t testing.TB) []problem.Config {
	return []problem.Config{{}, {Agreements: agreed(t), Observation: 30 * time.Hour}, {Risk: problem.RiskPolicy{Name: "own", Version: 2, Rising: 200, Falling: 50, Bands: []problem.Band{{Priority: 1, From: time.Hour}}}}}
}

// Whatever is done, in whatever order and with whatever input: what is true of every
// practice is true of this one, and what must be true of a problem is. Its known errors
// follow.
func TestHistoryIsTheRecord(t *testing.T) {
	var hosts []practicetest.Host[problem.Problem]
	for _, cfg := range configs(t) {
		hosts = append(hosts, func(store itsm.Store[problem.Problem], given itsm.Config) (*itsm.Practice[problem.Problem], error) {
			own, known := cfg, new(*problem.KnownErrors)
			if _, err := hostOfErrors(problem.KnownErrorConfig{}, known)(memory.New[problem.KnownError](), given); err != nil {
				return nil, err
			}
			own.KnownErrors = *known
			return host(own, new(*problem.Practice))(store, given)
		})
	}
	practicetest.Test(t, problems(), hosts...)
}

// And so is a known error.
func TestHistoryIsTheKnownError(t *testing.T) {
	practicetest.Test(t, knownErrors(), hostOfErrors(problem.KnownErrorConfig{}, new(*problem.KnownErrors)))
}

// Many people at once: nobody's work is lost, and every known error is in line with its
// problem in the end.
func TestManyAtOnce(t *testing.T) {
	const people, each = 8, 60
	o := newOffice(t, problem.Config{Config: itsm.Config{Attempts: 10_000}})
	shared := []itsm.ID{o.open().ID, o.open().ID, o.open().ID}
	k := o.document(o.Record(shared[0]), fallback, problem.Publish{})
	var all sync.WaitGroup
	var notes, uses atomic.Int64
	for person := range people {
		all.Go(func() {
			by := rand.New(rand.NewPCG(1, uint64(person)))
			ctx := as(fmt.Sprintf("p%d", person))
			for range each {
				if by.IntN(20) == 0 {
					o.Time.Advance(time.Hour)
					if _, _, err := o.RunDue(sys); err != nil {
						t.Error(err)
					}
				}
				_, err := o.Do(ctx, practicetest.Pick(by, shared...), practicetest.Pick[action](by, problem.Investigate{}, identify, fixing, fixed,
					problem.RejectFix{Reason: "again"}, problem.Monitor{}, problem.Close{}, problem.Reopen{Reason: "again"}, problem.PutOnHold{Reason: "x"}, problem.Resume{}))
				if err != nil && !errors.Is(err, itsm.ErrInvalid) && !errors.Is(err, itsm.ErrNotAllowed) {
					t.Error(err)
				}
				if _, err := o.Do(ctx, practicetest.Pick(by, shared...), problem.Note{Text: "t"}); err != nil {
					t.Error(err)
				}
				notes.Add(1)
				if _, err = o.errors.Do(ctx, k.ID, problem.RecordUse{Number: 1, Worked: true}); err == nil {
					uses.Add(1)
				} else if !errors.Is(err, itsm.ErrNotAllowed) { // it may have been closed
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	got := 0
	for _, id := range shared {
		o.Replays(id)
		got += o.Record(id).Notes
	}
	require.EqualValues(t, notes.Load(), got)
	o.errors.Replays(k.ID)
	k = o.errors.Record(k.ID)
	require.EqualValues(t, uses.Load(), k.Worked())
	require.NotZero(t, k.Worked())
	_, err := o.problems.CatchUp(sys, "")
	require.NoError(t, err)
	o.errors.Replays(k.ID)
}

// Several hosts run what is due at the same time: each thing happens once.
func TestDueOnManyHosts(t *testing.T) {
	o := newOffice(t, problem.Config{})
	var ids []itsm.ID
	for range 20 {
		ids = append(ids, o.open(fixedActions()...).ID)
	}
	require.Equal(t, 20, o.DueAtOnce(30*24*time.Hour, host(problem.Config{}, new(*problem.Practice))))
	for _, id := range ids {
		require.Equal(t, []string{"register", "investigate", "identify", "start_fix", "resolve", "monitor", "end_observation"}, o.Story(id))
	}
}

// A commit that fails, or of which nobody knows whether it failed, leaves nothing half
// done: of several problems, all are as before or all as after. Whatever happened to the
// notification, the known error catches up.
func TestCommitsFailAsAWhole(t *testing.T) {
	practicetest.Whole(t, func(t *testing.T, store *practicetest.Faulty[problem.Problem]) practicetest.Call[problem.Problem] {
		o := newOffice(t, problem.Config{Config: itsm.Config{Attempts: 3}})
		a, b := o.open().ID, o.open().ID
		k := o.document(o.Record(a))
		store.Store = o.Store
		over := o.problems.Over(store)
		return practicetest.Call[problem.Problem]{
			Practice: o.Kernel,
			Do:       func() error { _, err := over.Do(kim, a, problem.Merge{Into: b}); return err },
			Holds: func(happened bool) error {
				if !happened {
					return nil
				}
				require.Equal(t, b, o.Record(a).MergedInto)
				require.Equal(t, problem.Cancelled, o.Record(a).State)
				require.Equal(t, []itsm.Link{{Rel: problem.MergedFrom, To: problem.Ref(a)}}, o.Record(b).Links)
				_, err := o.problems.CatchUp(sys, "")
				require.NoError(t, err)
				require.Equal(t, b, o.errors.Record(k.ID).Problem)
				return nil
			},
			Once: true,
		}
	})
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
		shaky := o.known.Over(&failing{o.errors.Store, func() error {
			if down && rnd.IntN(3) > 0 {
				return errDown
			}
			return nil
		}})
		cfg := problem.Config{Config: itsm.Config{Now: o.Time.Now}, KnownErrors: shaky}
		host, err := problem.NewPractice(o.Store, cfg)
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
		got := o.errors.Record(k.ID)
		require.Equal(t, problem.KnownErrorClosed, got.State)
		again := o.errors.Story(k.ID)
		_, err = host.CatchUp(sys, "")
		require.NoError(t, err)
		require.Equal(t, again, o.errors.Story(k.ID), "nothing happens twice")
		o.errors.Replays(k.ID)
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
