package problem_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/practicetest"
	"github.com/go-itsm/itsm/problem"
	"github.com/go-itsm/itsm/sla"
	"github.com/go-itsm/itsm/storage/memory"
)

const day = 24 * time.Hour

// A problem from the registration to the end of its observation.
func TestALife(t *testing.T) {
	o := newOffice(t, problem.Config{})
	r := o.open(problem.StartAssessment{}, problem.Requeue{Reason: "r"}, problem.StartAssessment{}, problem.Investigate{})
	require.Equal(t, "kim", r.Assignment.Person, "who investigates has it")
	require.Zero(t, r.ControlEnded)
	r = o.Did(kim, r.ID, identify)
	control := r.ControlEnded
	require.Equal(t, r.Changed, control)
	r = o.Did(kim, r.ID, fixing, identify)
	require.Equal(t, problem.FixInProgress, r.State, "causes may be added while it is fixed")
	require.Equal(t, control, r.ControlEnded)
	require.Equal(t, []itsm.Link{{Rel: problem.FixedBy, To: fixing.Change}}, r.Links)
	r = o.Did(kim, r.ID, problem.StopFix{Reason: "r"}, fixing)
	require.Len(t, r.Links, 1, "the same change is linked once")
	r = o.Did(kim, r.ID, fixed, problem.Monitor{})
	require.Equal(t, 14*day, r.Observation.Until.Sub(r.Observation.Since))
	require.Equal(t, r.Observation.Until, r.Due)
	require.False(t, r.Open())
	require.Zero(t, o.Due(14*day-time.Second))
	require.Equal(t, 1, o.Due(time.Second))
	r = o.Record(r.ID)
	require.Equal(t, problem.Closed, r.State)
	require.Equal(t, problem.FixApplied, r.Resolution.Code)
	require.True(t, r.Observation.Over)
	require.Zero(t, r.Due)
	require.Equal(t, "system", lastActor(o, r.ID))
	o.Replays(r.ID)
}

func lastActor(o *office, id itsm.ID) (who string) {
	for e, err := range o.History(kim, id) {
		require.NoError(o.T, err)
		who = e.Actor.ID
	}
	return who
}

// Whatever was being done when it was put on hold goes on, by hand or by time.
func TestHoldsResumeWhereTheyWere(t *testing.T) {
	for want, way := range map[itsm.State][]action{
		problem.Assess:        {problem.StartAssessment{}},
		problem.Investigating: {problem.Investigate{}},
		problem.Identified:    {problem.Investigate{}, identify},
		problem.FixInProgress: {problem.Investigate{}, identify, fixing},
	} {
		o := newOffice(t, problem.Config{})
		r := o.open(way...)
		r = o.Did(kim, r.ID, problem.PutOnHold{Reason: problem.AwaitingVendor, Until: o.Time.Now().Add(time.Hour)})
		since := r.Hold.Since
		r = o.Did(kim, r.ID, problem.PutOnHold{Reason: problem.AwaitingBudget, Until: o.Time.Now().Add(2 * time.Hour)})
		require.Equal(t, problem.Hold{Reason: problem.AwaitingBudget, Since: since, Until: r.Hold.Until, From: want}, r.Hold)
		require.Equal(t, want, o.Did(kim, r.ID, problem.Resume{ByTime: true}).State)
		o.Did(kim, r.ID, problem.PutOnHold{Reason: problem.AwaitingOther, Until: o.Time.Now().Add(time.Hour)})
		require.Equal(t, 1, o.Due(2*time.Hour))
		require.Equal(t, want, o.Record(r.ID).State)
		byTime := 0
		for e, err := range o.History(kim, r.ID) {
			require.NoError(t, err)
			if strings.Contains(string(e.Data), `"by_time":true`) {
				byTime++
			}
		}
		require.Equal(t, 1, byTime, "nobody but time says that it was time")
		o.Replays(r.ID)
	}
	o := newOffice(t, problem.Config{})
	r := o.open(problem.Investigate{}, problem.PutOnHold{Reason: "r"})
	require.Equal(t, problem.Assess, o.Did(kim, r.ID, problem.StartAssessment{}).State, "or elsewhere")
	o.Refuse(kim, r.ID, problem.PutOnHold{Reason: "r", Until: morning}, "until must be after now")
}

// A fix that does not hold comes back, and is counted.
func TestNotFixed(t *testing.T) {
	o := newOffice(t, problem.Config{})
	r := o.open(fixedActions()...)
	r = o.Did(kim, r.ID, problem.RejectFix{Reason: "again", Incident: incident})
	require.Equal(t, problem.FixInProgress, r.State)
	require.Equal(t, 1, r.Returns)
	require.Zero(t, r.Resolution)
	require.Zero(t, r.Due, "nothing is observed any more")
	require.Contains(t, r.Links, itsm.Link{Rel: problem.ShownBy, To: incident})
	r = o.Did(kim, r.ID, fixed, problem.RejectFix{Reason: "again", Incident: incident}, fixed, problem.RejectFix{Reason: "again"}, fixed)
	require.Equal(t, 3, r.Returns)
	require.Len(t, r.Links, 2)
	r = o.Did(kim, r.ID, problem.Reopen{Reason: "other cause"})
	require.Equal(t, problem.Investigating, r.State)
	require.Equal(t, 1, r.Reopens)
	require.Zero(t, r.ControlEnded)
	require.Zero(t, r.Fix)
	require.NotEmpty(t, r.Causes, "what was found stays until something else is")
	r = o.Did(kim, r.ID, problem.Resolve{Code: problem.NotReproducible, Note: "n"})
	o.Refuse(kim, r.ID, problem.RejectFix{Reason: "r"}, "it ended as not_reproducible, without a fix: it can be reopened")
	o.Refuse(kim, r.ID, problem.Monitor{}, "it ended as not_reproducible: there is no fix to observe")
	r = o.Did(kim, r.ID, problem.Reopen{Reason: "r"}, problem.Resolve{Code: "own", Note: "n"}, problem.Monitor{Until: o.Time.Now().Add(day)})
	require.Equal(t, problem.Monitoring, r.State, "a code of the host's own may be a fix")
	o.Refuse(kim, r.ID, problem.Reopen{Reason: "r"}, `action "reopen" is not permitted in state "monitoring", from which lead on: close, reject_fix`)
	o.Did(kim, r.ID, problem.Close{})
	o.Did(kim, r.ID, problem.Reopen{Reason: "r"})
}

// A problem ends only if its risk is gone, or somebody answers for it, or it does not
// matter any more.
func TestRiskIsAccepted(t *testing.T) {
	o := newOffice(t, problem.Config{})
	r := o.open(problem.Investigate{}, identify)
	accept := problem.AcceptRisk{Owner: "ann", Reason: "too dear", Review: morning.Add(90 * day)}
	for _, code := range []problem.ResolutionCode{problem.RiskAccepted, problem.WorkaroundAccepted} {
		says := fmt.Sprintf("nobody answers for its risk, which %s leaves: it has to be accepted", code)
		o.Refuse(kim, r.ID, problem.Close{Code: code, Note: "n"}, says)
		o.Refuse(kim, r.ID, problem.Resolve{Code: code, Note: "n"}, says)
	}
	o.Refuse(kim, r.ID, problem.AcceptRisk{Owner: "ann", Reason: "r"}, "review must be given: no risk is accepted for ever")
	o.Refuse(kim, r.ID, problem.AcceptRisk{Owner: "ann", Reason: "r", Review: morning}, "review must be after now")
	r = o.Did(kim, r.ID, accept)
	require.Equal(t, problem.Identified, r.State, "it moves nothing")
	require.True(t, r.Acceptance.Standing())
	require.Equal(t, accept.Review, r.Due)
	r = o.Did(kim, r.ID, problem.Close{Code: problem.RiskAccepted, Note: "as agreed"})
	require.Equal(t, problem.Closed, r.State)
	require.Equal(t, accept.Review, r.Due, "what is closed on it comes back")

	// Renewed in time it stays closed; else it is open again.
	later := accept
	later.Review = morning.Add(180 * day)
	o.Time.Advance(80 * day)
	r = o.Did(kim, r.ID, later)
	require.Equal(t, problem.Closed, r.State)
	require.Zero(t, o.Due(20*day))
	require.Equal(t, 1, o.Due(80*day))
	r = o.Record(r.ID)
	require.Equal(t, problem.Investigating, r.State)
	require.True(t, r.Acceptance.Lapsed)
	require.Equal(t, 1, r.Reopens)
	require.Zero(t, r.Resolution)
	require.Zero(t, r.Closed)
	o.Refuse(kim, r.ID, problem.Close{Code: problem.RiskAccepted, Note: "n"}, "nobody answers for its risk, which risk_accepted leaves: it has to be accepted")

	// In an open problem it lapses where it is, and is withdrawn by hand.
	soon := accept
	soon.Review = o.Time.Now().Add(day)
	r = o.Did(kim, r.ID, soon)
	require.Equal(t, 1, o.Due(2*day))
	require.Equal(t, problem.Investigating, o.Record(r.ID).State)
	o.Did(kim, r.ID, problem.WithdrawAcceptance{Reason: "r"})
	o.Refuse(kim, r.ID, problem.WithdrawAcceptance{Reason: "r"}, "its risk is not accepted")

	// What is fixed has no risk to accept, and an acceptance that there was is over.
	soon.Review = o.Time.Now().Add(day)
	r = o.Did(kim, r.ID, soon, problem.Resolve{Code: problem.FixApplied, Note: "n"})
	require.Zero(t, r.Acceptance)
	o.Refuse(kim, r.ID, soon, "it ended as fix_applied: there is no risk to accept")
	// And what is resolved on an acceptance cannot be closed when that has lapsed.
	r = o.Did(kim, r.ID, problem.Reopen{Reason: "r"})
	soon.Review = o.Time.Now().Add(day)
	r = o.Did(kim, r.ID, soon, problem.Resolve{Code: problem.RiskAccepted, Note: "n"})
	require.Equal(t, 1, o.Due(2*day))
	require.Equal(t, problem.Resolved, o.Record(r.ID).State)
	o.Refuse(kim, r.ID, problem.Close{}, "nobody answers for its risk, which risk_accepted leaves: it has to be accepted")
	o.Did(kim, r.ID, problem.Reopen{Reason: "r"}, problem.Close{Code: problem.NoLongerRelevant, Note: "mail is gone"})
}

// A major problem is reviewed before it is closed, and what has tasks is not closed
// before they are done; an observation that is over waits for that.
func TestWhatHoldsClosingUp(t *testing.T) {
	o := newOffice(t, problem.Config{})
	r := o.open(append([]action{problem.DeclareMajor{Reason: "everybody"}, problem.AddTask{Title: "look", Owner: "ann"}}, fixedActions()...)...)
	o.Refuse(kim, r.ID, problem.DeclareMajor{Reason: "r"}, "it is a major problem already")
	o.Refuse(kim, r.ID, problem.Close{}, "it is a major problem and was not reviewed", "task 1 is open")
	require.Equal(t, 1, o.Due(15*day))
	r = o.Record(r.ID)
	require.Equal(t, problem.Monitoring, r.State)
	require.True(t, r.Observation.Over)
	require.Equal(t, "outlast_observation", o.Story(r.ID)[r.Version-1])
	require.Zero(t, o.Due(15*day), "once")
	o.Refuse(kim, r.ID, problem.AddActionItem{Title: "t", Owner: "ann"}, "its review was not started")
	o.Refuse(kim, r.ID, problem.CompleteActionItem{Number: 1}, "its review has no action item that is open")
	r = o.Did(kim, r.ID, problem.EndTask{Number: 1, Result: "seen"}, problem.StartReview{Lead: "ann"})
	o.Refuse(kim, r.ID, problem.StartReview{Lead: "ann"}, "its review is going on")
	r = o.Did(kim, r.ID, problem.AddActionItem{Title: "alert", Owner: "bob"})
	o.Refuse(kim, r.ID, problem.CompleteActionItem{Number: 2}, "number is not that of an action item")
	o.Refuse(kim, r.ID, problem.CompleteReview{}, "went_well must not be empty", "went_wrong must not be empty", "improve must not be empty", "prevent must not be empty")
	review := problem.CompleteReview{WentWell: "quick", WentWrong: "late", Improve: "alerts", Prevent: "capacity reviews"}
	r = o.Did(kim, r.ID, review, problem.CompleteActionItem{Number: 1}, problem.Close{})
	require.Equal(t, problem.Closed, r.State)
	require.Equal(t, "capacity reviews", r.Review.Prevent)
	o.Refuse(kim, r.ID, problem.AddActionItem{Title: "t", Owner: "ann"}, "its review is completed")
	o.Refuse(kim, r.ID, problem.CompleteActionItem{Number: 1}, "its review has no action item that is open")
	r = o.Did(kim, r.ID, problem.StartReview{Lead: "bob"}, problem.AddActionItem{Title: "t", Owner: "bob"})
	require.Len(t, r.Review.Actions, 2, "what an earlier review wanted stays")
	o.Refuse(kim, r.ID, problem.CompleteActionItem{Number: 1}, "action item 1 is done already")
	r = o.Did(kim, r.ID, problem.Reopen{Reason: "r"}, problem.DemoteMajor{Reason: "few"})
	o.Refuse(kim, r.ID, problem.DemoteMajor{Reason: "r"}, "it is no major problem")
	o.Refuse(kim, r.ID, problem.EndTask{Number: 1}, "it has no task that is open")
	r = o.Did(kim, r.ID, problem.AddTask{Title: "t"}, problem.EndTask{Number: 2, Dropped: true}, problem.AddTask{Title: "t"})
	o.Refuse(kim, r.ID, problem.EndTask{Number: 2}, "task 2 is ended already")
	o.Refuse(kim, r.ID, problem.EndTask{Number: 9}, "number is not that of a task")
}

func TestMerging(t *testing.T) {
	o := newOffice(t, problem.Config{})
	a, b, c := o.open(), o.open(problem.Investigate{}), o.open(problem.Cancel{Reason: "r"})
	require.Equal(t, problem.NoProblem, c.Resolution.Code)
	o.Refuse(kim, a.ID, problem.Merge{Into: a.ID}, "into must be another problem")
	o.Refuse(kim, a.ID, problem.Merge{Into: "prb-9"}, "into there is no problem prb-9")
	o.Refuse(kim, a.ID, problem.Merge{Into: c.ID}, "prb-3 is cancelled: the work must go on in an open problem")
	o.Refuse(kim, a.ID, problem.Merge{}, "into must not be empty")
	a = o.Did(kim, a.ID, problem.Merge{Into: b.ID})
	require.Equal(t, problem.Cancelled, a.State)
	require.Equal(t, problem.Duplicate, a.Resolution.Code)
	b = o.Record(b.ID)
	require.Equal(t, []itsm.Link{{Rel: problem.MergedFrom, To: problem.Ref(a.ID)}}, b.Links)
	o.Refuse(kim, b.ID, problem.Link{Link: itsm.Link{Rel: problem.MergedFrom, To: problem.Ref("x")}}, "rel must not be merged_from, which only merging sets")
	o.Refuse(kim, b.ID, problem.Unlink{Link: b.Links[0]}, "rel must not be merged_from, which only merging sets")
	o.Refuse(kim, b.ID, problem.Close{Code: problem.Duplicate, Note: "n"}, "code must not be duplicate, which only merging sets")
	o.Refuse(kim, b.ID, problem.Resolve{Code: problem.NoProblem, Note: "n"}, "code must not be cancelled, which only cancelling sets")
	o.Replays(b.ID)
	// A store that cannot be read says so.
	broken := o.problems.Over(unreadable{o.Store})
	_, err := broken.Do(kim, b.ID, problem.Merge{Into: "down"})
	require.ErrorIs(t, err, errDown)
}

// unreadable is a store of which one record cannot be read.
type unreadable struct{ itsm.Store[problem.Problem] }

func (s unreadable) Load(ctx context.Context, id itsm.ID) (problem.Problem, error) {
	if id == "down" {
		return problem.Problem{}, errDown
	}
	return s.Store.Load(ctx, id)
}

// exposure is the definition: incidents × harm × what is left × trend × season.
func exposure(e problem.Estimate, trend int64) *big.Rat {
	x := new(big.Rat).SetInt64(int64(e.Harm))
	season := int64(e.Season)
	if season == 0 {
		season = 100
	}
	for _, percent := range []int64{int64(e.Frequency) * 100, 100 - int64(e.Relief), trend, season} {
		x.Mul(x, big.NewRat(percent, 100))
	}
	return x
}

func TestPriorityFollowsFromRisk(t *testing.T) {
	o := newOffice(t, problem.Config{})
	require.Equal(t, "not assessed", problem.Risk{}.String())
	r := o.open(problem.AssessRisk{Estimate: problem.Estimate{Frequency: 4, Harm: 30 * time.Hour, Relief: 50, Trend: problem.Rising, Season: 200}})
	require.Equal(t, 180*time.Hour, r.Risk.Exposure)
	require.Equal(t, itsm.Priority(2), r.Priority)
	require.Equal(t, "P2, 180h0m0s in 30 days: 4 × 30h0m0s × 50 % left by the workaround × 150 % trend × 200 % season", r.Risk.String())
	r = o.Did(kim, r.ID, problem.OverridePriority{Priority: 1, Reason: "Christmas"})
	require.Equal(t, "Christmas", r.PriorityReason)
	r = o.Did(kim, r.ID, problem.AssessRisk{Estimate: problem.Estimate{Frequency: 1, Harm: time.Hour, Trend: problem.Falling}})
	require.Equal(t, itsm.Priority(5), r.Priority)
	require.Empty(t, r.PriorityReason)
	require.Equal(t, "kim", r.Risk.By)
	o.Refuse(kim, r.ID, problem.AssessRisk{Estimate: problem.Estimate{Frequency: -1, Harm: -1, Relief: 101, Trend: "x", Season: -1}},
		"frequency must be 0 to 1000000", "harm must be from 0 to 100 years", "relief must be 0 to 100 percent", `trend must be rising, falling or empty, is "x"`, "season must be 0 to 10000 percent")
	o.Refuse(kim, r.ID, problem.OverridePriority{}, "priority must be 1 or more", "reason must not be empty")

	policy := problem.DefaultRiskPolicy()
	require.NoError(t, policy.Validate())
	data, err := json.Marshal(policy)
	require.NoError(t, err)
	again, err := problem.ParseRiskPolicy(data)
	require.NoError(t, err)
	require.Equal(t, policy, again)
	_, err = problem.ParseRiskPolicy([]byte(`{"name":"","bands":[],"x":1}`))
	require.Equal(t, []string{"x is not known", "name must not be empty", "rising must be 100 to 10000 percent", "bands must be 1 to 99"}, practicetest.Said(err))

	// More of anything that is bad never makes a risk smaller; and it is exact.
	rnd := rand.New(rand.NewPCG(5, 5))
	random := func() problem.Estimate {
		return problem.Estimate{Frequency: rnd.IntN(100), Harm: time.Duration(rnd.Int64N(int64(100 * time.Hour))), Relief: rnd.IntN(101), Trend: practicetest.Pick(rnd, problem.Steady, problem.Rising, problem.Falling), Season: rnd.IntN(400)}
	}
	for range 3000 {
		e := random()
		got := policy.Assess(e)
		want := exposure(e, int64(got.TrendPercent))
		require.Equal(t, new(big.Int).Quo(want.Num(), want.Denom()).Int64(), int64(got.Exposure))
		worse := e
		switch rnd.IntN(4) {
		case 0:
			worse.Frequency++
		case 1:
			worse.Harm += time.Hour
		case 2:
			worse.Relief = max(0, worse.Relief-1)
		case 3:
			worse.Trend = problem.Rising
		}
		require.GreaterOrEqual(t, policy.Assess(worse).Exposure, got.Exposure)
		require.LessOrEqual(t, policy.Assess(worse).Priority, got.Priority)
	}
	require.Equal(t, time.Duration(math.MaxInt64), policy.Assess(problem.Estimate{Frequency: 1_000_000, Harm: 100 * 365 * day, Season: 10_000}).Exposure)
}

// Finishing problem control and resolving are promised apart.
func TestAgreements(t *testing.T) {
	o := newOffice(t, problem.Config{Agreements: agreed(t)})
	r := o.open(problem.Investigate{})
	require.Len(t, r.Targets, 1, "nobody knows yet what a fix takes")
	o.Time.Advance(20 * time.Hour)
	r = o.Did(kim, r.ID, problem.PutOnHold{Reason: problem.AwaitingRecurrence})
	require.Zero(t, o.Due(10*day), "what is on hold has time")
	r = o.Did(kim, r.ID, problem.Resume{})
	require.Equal(t, 1, o.Due(5*time.Hour), "a day, without the hold")
	r = o.Did(kim, r.ID, identify)
	results, err := o.problems.Results(kim, r.ID, o.Time.Now())
	require.NoError(t, err)
	require.Len(t, results, 2)
	require.Equal(t, "control", results[0].Metric)
	require.Equal(t, "mail", results[0].Service)
	require.Equal(t, sla.Missed, results[0].State)
	require.Equal(t, "resolution", results[1].Metric)
	r = o.Did(kim, r.ID, fixing)
	o.Time.Advance(day)
	r = o.Did(kim, r.ID, fixed)
	o.Time.Advance(5 * day)
	r = o.Did(kim, r.ID, problem.RejectFix{Reason: "r"})
	clock, err := o.problems.Clock(r.Targets[1])
	require.NoError(t, err)
	require.Equal(t, day+2*time.Minute, clock.At(o.Time.Now()).Elapsed, "it goes on where it stopped: %s", clock.At(o.Time.Now()).Elapsed)
	r = o.Did(kim, r.ID, problem.AcceptRisk{Owner: "ann", Reason: "r", Review: o.Time.Now().Add(100 * day)})
	require.Zero(t, o.Due(50*day), "while somebody answers for it, nothing is late")
	o.Did(kim, r.ID, problem.WithdrawAcceptance{Reason: "r"})
	require.Equal(t, 1, o.Due(3*day))
	o.Replays(r.ID)
	_, err = o.problems.Results(kim, "prb-9", morning)
	require.ErrorIs(t, err, itsm.ErrNotFound)
}

// What an agreement may ask for is what is documented.
func TestFacts(t *testing.T) {
	names := []string{"state", "phase", "hold", "origin", "priority", "service", "category", "symptom", "group", "person", "major", "control_ended", "accepted", "fix", "resolution", "action", "own", "flag"}
	o := newOffice(t, problem.Config{Agreements: factBook(t, names)})
	r, err := o.problems.Open(kim, problem.Register{Title: "t", Services: []string{"mail"}, Category: "net", Symptom: "down"})
	require.NoError(t, err)
	has := func(want map[string]string) {
		t.Helper()
		r = o.Record(r.ID)
		got := map[string]string{}
		for _, target := range r.Targets {
			for _, name := range names {
				if target.Metric == name {
					got[name] = "known"
				}
			}
		}
		for name := range want {
			require.Equal(t, "known", got[name], "%s in %v", name, got)
		}
	}
	o.Did(kim, r.ID, problem.SetFields{Fields: itsm.Fields{"own": json.RawMessage(`"x"`), "flag": json.RawMessage(`true`)}}, problem.AssessRisk{Estimate: problem.Estimate{Frequency: 1}},
		problem.Assign{Group: "g", Person: "p"}, problem.DeclareMajor{Reason: "r"}, problem.Investigate{}, problem.PutOnHold{Reason: "r"}, problem.Resume{}, identify, fixing,
		problem.AcceptRisk{Owner: "ann", Reason: "r", Review: morning.Add(100 * day)}, problem.Resolve{Code: problem.RiskAccepted, Note: "n"})
	want := map[string]string{}
	for _, name := range names {
		want[name] = ""
	}
	has(want)
}

// factBook has a metric for each fact, which starts once that is there.
func factBook(t *testing.T, names []string) *sla.Book {
	a := sla.Agreement{Name: "facts", Kind: sla.ServiceLevel}
	for _, name := range names {
		a.Metrics = append(a.Metrics, sla.Metric{Name: name, Calendar: "always", Goals: []sla.GoalRule{{Within: time.Hour}}, Start: sla.Conditions{{name: {"*"}}}, Stop: sla.Conditions{{"state": {"never"}}}})
	}
	book, err := sla.NewBook([]*sla.Hours{calendar(t)}, []sla.Agreement{a})
	require.NoError(t, err)
	return book
}

func TestBadInputAndWhyNot(t *testing.T) {
	o := newOffice(t, problem.Config{})
	_, err := o.problems.Open(kim, problem.Register{Origin: "x", Services: []string{"a", "a"}, Symptom: strings.Repeat("x", 201), Incidents: []itsm.Ref{{}, incident, incident},
		Cost: problem.Cost{Incidents: -1, Downtime: -1, Effort: -1, Money: -1}, Fields: itsm.Fields{"": json.RawMessage("1")}})
	require.Equal(t, []string{"title must not be empty", `origin must be reactive or proactive, is "x"`, `services[1] "a" is there twice`, "symptom must have at most 200 characters, has 201",
		"incidents[0].kind must not be empty", "incidents[0].id must not be empty", "incidents[2] incident:inc-1 is there twice",
		"incidents must not be negative", "downtime must not be negative", "effort must not be negative", "money must not be negative", "fields. must not be empty"}, practicetest.Said(err))
	r, err := o.problems.Open(kim, problem.Register{Title: "t", Origin: problem.Proactive, Incidents: []itsm.Ref{incident}, Fields: itsm.Fields{"x": json.RawMessage(` 1`)}})
	require.NoError(t, err)
	require.Equal(t, problem.Proactive, r.Origin)
	o.Refuse(kim, r.ID, problem.Identify{}, "causes must not be empty")
	o.Refuse(kim, r.ID, problem.Identify{Causes: []problem.Cause{{Text: "Human error", Dimension: "x", Contributing: true}}},
		"causes[0].text is a prompt and not a cause: what made the mistake possible, and what would have caught it?", "causes[0].evidence must not be empty", `causes[0].dimension is unknown: "x"`, "causes must not all be contributing")
	o.Refuse(kim, r.ID, problem.Close{}, "code must be given: it was not resolved")
	o.Refuse(kim, r.ID, problem.Close{Code: problem.FixApplied}, "note must not be empty")
	o.Refuse(kim, r.ID, problem.Assign{}, "group or person must be given")
	o.Did(kim, r.ID, problem.Investigate{Reason: "r"}, problem.Assign{Group: "net", Person: "kim"}, problem.Assign{Group: "net", Person: "ann"}, problem.Assign{Group: "db"})
	r = o.Record(r.ID)
	require.Equal(t, 2, r.Reassignments)
	o.Refuse(kim, r.ID, problem.Assign{Group: "db"}, "it is assigned so already")
	o.Refuse(kim, r.ID, problem.StartFix{Change: itsm.Ref{ID: "1"}}, "change.kind must not be empty")
	o.Refuse(kim, r.ID, problem.StartFix{}, "plan or change must be given")
	r = o.Did(kim, r.ID, fixing)
	o.Refuse(kim, r.ID, problem.StopFix{Reason: "r"}, "its causes were not identified: it can be investigated")
	r = o.Did(kim, r.ID, fixed)
	o.Refuse(kim, r.ID, problem.Close{Code: problem.NotReproducible, Note: "n"}, "code is fix_applied already")
	o.Refuse(kim, r.ID, problem.Monitor{Until: morning}, "until must be after now")
	o.Refuse(kim, r.ID, problem.RejectFix{Incident: itsm.Ref{Kind: "incident"}}, "reason must not be empty", "incident.id must not be empty")
	o.Refuse(kim, r.ID, problem.Cancel{Reason: "r"}, `action "cancel" is not permitted in state "resolved", from which lead on: close, monitor, reject_fix, reopen`)
	options, err := o.WhyNot(kim, r.ID)
	require.NoError(t, err)
	possible := map[string]bool{}
	for _, one := range options {
		possible[one.Action] = one.Permitted
	}
	require.True(t, possible["monitor"] && possible["close"] && possible["reopen"] && possible["reject_fix"])
	require.False(t, possible["cancel"] || possible["complete_review"] || possible["withdraw_acceptance"])

	// Lists are full some day.
	for range 200 {
		_, err = o.Do(kim, r.ID, problem.AddTask{Title: "t"})
		require.NoError(t, err)
	}
	o.Refuse(kim, r.ID, problem.AddTask{Title: "t"}, "it has 200 tasks already")
	o.Did(kim, r.ID, problem.StartReview{Lead: "ann"})
	for range 200 {
		_, err = o.Do(kim, r.ID, problem.AddActionItem{Title: "t", Owner: "ann"})
		require.NoError(t, err)
	}
	o.Refuse(kim, r.ID, problem.AddActionItem{Title: "t", Owner: "ann"}, "its review has 200 action items already")
	o.Refuse(kim, r.ID, problem.EndTask{Result: strings.Repeat("x", 32_001)}, "number must be 1 or more", "result must have at most 32000 characters, has 32001")
	o.Refuse(kim, r.ID, problem.CompleteActionItem{}, "number must be 1 or more")

	// Found by what is written on it.
	r, err = o.problems.Open(kim, problem.Register{Title: "t", Services: []string{"mail"}, CIs: []string{"mx-1"}, Symptom: "down"})
	require.NoError(t, err)
	o.Did(kim, r.ID, problem.DeclareMajor{Reason: "r"}, problem.OverridePriority{Priority: 2, Reason: "r"}, problem.Investigate{}, problem.Assign{Group: "net", Person: "uma"})
	for field, value := range map[string]string{"origin": "reactive", "service": "mail", "ci": "mx-1", "symptom": "down", "assignee": "uma", "group": "net", "priority": "2", "major": "true", "phase": "problem_control"} {
		page, err := o.List(kim, itsm.Query{Where: []itsm.Key{{Field: field, Value: value}}})
		require.NoError(t, err)
		require.Len(t, page.Records, 1, field)
		require.Equal(t, r.ID, page.Records[0].ID)
	}
}

func TestJournals(t *testing.T) {
	o := newOffice(t, problem.Config{})
	r := o.open(problem.Note{Text: "one"}, problem.Investigate{}, problem.Note{Text: "two"})
	var texts []string
	for e, err := range o.problems.Journal(kim, r.ID) {
		require.NoError(t, err)
		require.Equal(t, "kim", e.Actor.ID)
		texts = append(texts, e.Text)
	}
	require.Equal(t, []string{"one", "two"}, texts)
	for range o.problems.Journal(kim, r.ID) {
		break
	}
	k := o.document(r, problem.NoteKnownError{Text: "three"})
	for e, err := range o.known.Journal(kim, k.ID) {
		require.NoError(t, err)
		require.Equal(t, "three", e.Text)
	}
	ended, cancel := context.WithCancel(kim)
	cancel()
	for _, err := range o.problems.Journal(ended, r.ID) {
		require.ErrorIs(t, err, context.Canceled)
	}
}

// A host's own clock, ids and rules apply.
func TestHostsConfig(t *testing.T) {
	told := 0
	known, err := problem.NewKnownErrors(memory.New[problem.KnownError](), problem.KnownErrorConfig{Views: []problem.View[problem.KnownError]{problem.NewMatcher()}, Config: itsm.Config{Notify: func(context.Context, []itsm.Event) { told++ }}})
	require.NoError(t, err)
	p, err := problem.NewPractice(memory.New[problem.Problem](), problem.Config{KnownErrors: known, Observation: time.Hour, Config: itsm.Config{
		Authorize: func(_ context.Context, a itsm.Attempt) error {
			if a.Action == "accept_risk" && a.Actor.ID != "ann" {
				return errDown
			}
			return nil
		},
		Notify: func(context.Context, []itsm.Event) { told++ },
	}})
	require.NoError(t, err)
	r, err := p.Open(kim, problem.Register{Title: "t"})
	require.NoError(t, err)
	_, err = known.Open(kim, r.Document())
	require.NoError(t, err)
	_, err = p.Do(kim, r.ID, problem.AcceptRisk{Owner: "ann", Reason: "r", Review: time.Now().Add(time.Hour)})
	require.ErrorIs(t, err, itsm.ErrDenied)
	require.Equal(t, 2, told)
	require.True(t, strings.HasPrefix(string(r.ID), "prb_"))
}
