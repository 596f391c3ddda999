package improvement_test

import (
	"context"
	"errors"
	"iter"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/practicetest"
	"github.com/go-itsm/itsm/storage/memory"
	"github.com/go-itsm/itsm/svs/improvement"
	"github.com/go-itsm/itsm/valuechain"
)

// One idea through all seven steps.
func TestSevenSteps(t *testing.T) {
	d := newDesk(t, improvement.Config{})
	r := d.open()
	require.Equal(t, "mia", r.Submitter)
	require.Equal(t, improvement.WhatIsTheVision, r.Step())
	for i, a := range underway {
		r = d.Did(mia, r.ID, a)
		require.Empty(t, r.Skipped())
		require.Equal(t, []improvement.Step{2, 3, 4, 4, 4, 5, 6}[i], r.Step())
	}
	r = d.Did(mia, r.ID, d.measured(14))
	require.Equal(t, improvement.Measuring, r.State)
	result, ok := r.Result()
	require.True(t, ok)
	require.Equal(t, improvement.Result{Before: 20, After: 14, Target: 8, Share: 0.5, Known: true}, result)
	r = d.Did(mia, r.ID, improvement.Rework{Reason: "half of it"}, d.measured(8))
	require.Equal(t, 1, r.Backs)
	r = d.Did(mia, r.ID, lessons)
	require.Equal(t, improvement.Closed, r.State)
	require.Equal(t, improvement.Achieved, r.Outcome)
	require.Zero(t, r.Step())
	require.Empty(t, r.Skipped())

	// It did not last.
	r = d.Did(mia, r.ID, d.measured(19))
	require.Equal(t, improvement.Closed, r.State)
	require.Equal(t, improvement.Partly, r.Outcome)
	r = d.Did(mia, r.ID, improvement.Reopen{Reason: "one of the two left"})
	require.Empty(t, r.Outcome)
	require.Zero(t, r.Milestones.Ended)
	r = d.Did(mia, r.ID, improvement.Replan{Reason: "again", Plan: improvement.Plan{Text: "three more"}}, improvement.Reassess{Reason: "worth it?"}, improvement.Cancel{Reason: "no"})
	require.Equal(t, improvement.Cancelled, r.State)
	require.Equal(t, 4, r.Backs)
	require.Equal(t, "no", r.Reason)
	started := r.Milestones.Started
	require.False(t, started.IsZero())
	require.Equal(t, []itsm.Key{{Field: "submitter", Value: "mia"}, {Field: "source", Value: "review"}, {Field: "service", Value: "mail"},
		{Field: "practice", Value: "incident_management"}, {Field: "activity", Value: "deliver_support"}}, r.AppendKeys(nil))
}

func TestSkipped(t *testing.T) {
	d := newDesk(t, improvement.Config{})
	text := func(r improvement.Improvement) (all []string) {
		for _, s := range r.Skipped() {
			all = append(all, s.String())
		}
		return all
	}
	r := d.open(improvement.Assess{}, improvement.Approve{}, improvement.Start{}, lessons)
	require.Equal(t, improvement.Unmeasured, r.Outcome)
	require.Equal(t, []string{
		"1. What is the vision? was left out", "2. Where are we now? was left out", "3. Where do we want to be? was left out", "4. How do we get there? was left out",
		"6. Did we get there? was left out",
	}, text(r))
	// A baseline that is taken when the work has begun says little.
	r = d.open(vision, improvement.Assess{}, improvement.Approve{}, planned, improvement.Start{})
	late := before
	late.To = d.Time.Now().Add(30 * time.Second)
	r = d.Did(mia, r.ID, late)
	require.Equal(t, []string{"2. Where are we now? was answered after the work had begun", "3. Where do we want to be? was left out"}, text(r))
	// In between nothing is missed that may yet come.
	require.Empty(t, text(d.open(vision)))
	require.Equal(t, []string{"1. What is the vision? was left out"}, text(d.open(before)))
	require.Equal(t, "step(9)", improvement.Step(9).String())
	require.False(t, (&improvement.Improvement{}).Done(9))
	require.Equal(t, "Take action", improvement.TakeAction.String())
}

func TestOutcomes(t *testing.T) {
	for _, tt := range []struct {
		baseline, target bool
		better           improvement.Direction
		goal, after      float64
		want             improvement.Outcome
	}{
		{true, true, improvement.Lower, 8, 8, improvement.Achieved}, {true, true, improvement.Lower, 8, 7, improvement.Achieved},
		{true, true, improvement.Lower, 8, 19, improvement.Partly}, {true, true, improvement.Lower, 8, 20, improvement.NotAchieved}, {true, true, improvement.Lower, 8, 21, improvement.NotAchieved},
		{true, true, improvement.Higher, 30, 30, improvement.Achieved}, {true, true, improvement.Higher, 30, 21, improvement.Partly}, {true, true, improvement.Higher, 30, 20, improvement.NotAchieved},
		{true, true, improvement.Lower, 20, 25, improvement.NotAchieved},
		{false, true, improvement.Lower, 8, 8, improvement.Achieved}, {false, true, improvement.Lower, 8, 9, improvement.Unmeasured},
		{true, false, "", 0, 9, improvement.Unmeasured},
	} {
		d := newDesk(t, improvement.Config{})
		var way []action
		if tt.baseline {
			way = append(way, before)
		}
		if tt.target {
			way = append(way, improvement.SetTarget{Target: improvement.Target{Metric: "wait", Value: tt.goal, Better: tt.better}})
		}
		r := d.open(append(way, improvement.Assess{}, improvement.Approve{}, improvement.Start{})...)
		r = d.Did(mia, r.ID, d.measured(tt.after), lessons)
		require.Equal(t, tt.want, r.Outcome, "%+v", tt)
		result, ok := r.Result()
		require.Equal(t, tt.target, ok)
		require.Equal(t, tt.baseline && tt.target && tt.goal != 20, result.Known)
		require.Equal(t, tt.want == improvement.Achieved, result.Met)
	}
}

// What the host can measure, nobody types in; and a replay measures nothing.
func TestTheHostMeasures(t *testing.T) {
	asked := 0
	value, fails := 20.0, error(nil)
	d := newDesk(t, improvement.Config{Metrics: map[string]improvement.Metric{"wait": func(_ context.Context, from, to time.Time) (float64, error) {
		asked++
		require.True(t, from.Before(to))
		return value, fails
	}}})
	lie := before
	lie.Value = 99
	r := d.open(lie)
	require.Equal(t, 20.0, r.Baseline.Value)
	require.True(t, r.Baseline.Measured)
	require.Equal(t, "mia", r.Baseline.By)
	value = 7
	r = d.Did(mia, r.ID, wanted, improvement.Assess{}, improvement.Approve{}, improvement.Start{})
	r = d.Did(mia, r.ID, d.measured(99))
	require.Equal(t, 7.0, r.Results[0].Value)
	n := asked
	d.Replays(r.ID)
	require.Equal(t, n, asked)

	d.Time.Advance(time.Hour)
	fails = errors.New("the feed is down")
	_, err := d.Do(mia, r.ID, d.measured(1))
	require.ErrorIs(t, err, fails)
	fails, value = nil, math.NaN()
	d.Refuse(mia, r.ID, d.measured(1), "metric has no value in this window: NaN")
	bad := d.measured(1)
	bad.From = bad.To
	d.Refuse(mia, r.ID, bad, "to must be after from")
	// Another metric is what somebody says.
	other := d.open(improvement.SetBaseline{Metric: "mood", Value: 3, From: before.From, To: before.To})
	require.False(t, other.Baseline.Measured)
}

func TestBadInput(t *testing.T) {
	d := newDesk(t, improvement.Config{})
	_, err := d.Open(mia, improvement.Log{Source: improvement.Source(strings.Repeat("x", 201)), Scope: improvement.Scope{Activity: "sleep", Service: strings.Repeat("x", 201)}})
	require.Equal(t, []string{"title must not be empty", "source must have at most 200 characters, has 201", "service must have at most 200 characters, has 201", "activity is none of the service value chain"}, practicetest.Said(err))
	_, err = d.Open(context.Background(), improvement.Log{Title: "x"})
	require.ErrorIs(t, err, itsm.ErrNoActor)
	r, err := d.Open(jin, improvement.Log{Title: "x", Submitter: "kim"})
	require.NoError(t, err)
	require.Equal(t, "kim", r.Submitter)

	r = d.open()
	d.Refuse(mia, r.ID, improvement.Describe{}, "title must not be empty")
	d.Refuse(mia, r.ID, improvement.SetScope{Scope: improvement.Scope{Activity: "sleep"}}, "activity is none of the service value chain")
	d.Refuse(mia, r.ID, improvement.SetScore{Risk: 6}, "benefit must be 1 to 5", "effort must be 1 to 5", "risk must be 1 to 5, or 0 where it was not judged")
	d.Refuse(mia, r.ID, improvement.SetOwner{Owner: strings.Repeat("x", 201)}, "owner must have at most 200 characters, has 201")
	d.Refuse(mia, r.ID, improvement.SetVision{Vision: improvement.Vision{Stakeholders: []string{""}}}, "text must not be empty", "stakeholders[0] must not be empty")
	d.Refuse(mia, r.ID, improvement.SetVision{Vision: improvement.Vision{Text: "x", Stakeholders: slices.Repeat([]string{"x"}, 101)}}, "stakeholders must be at most 100")
	d.Refuse(mia, r.ID, improvement.SetBaseline{}, "metric must not be empty", "to must be after from")
	d.Refuse(mia, r.ID, improvement.SetBaseline{Metric: "m", From: morning, To: morning.AddDate(1, 0, 0)}, "to must not be after now")
	d.Refuse(mia, r.ID, improvement.SetTarget{}, "metric must not be empty", "better must be higher or lower")
	d.Refuse(mia, r.ID, improvement.Reject{}, "reason must not be empty")
	d.Refuse(mia, r.ID, improvement.Cancel{}, "reason must not be empty")
	d.Refuse(mia, r.ID, improvement.PutOnHold{}, "reason must not be empty")
	d.Refuse(mia, r.ID, improvement.PutOnHold{Reason: "x", Until: morning.AddDate(-1, 0, 0)}, "until must be after now")
	d.Refuse(mia, r.ID, improvement.Note{}, "text must not be empty")
	d.Refuse(mia, r.ID, improvement.Resume{}, "it is not on hold")
	d.Refuse(mia, r.ID, improvement.Assess{Note: strings.Repeat("x", 32_001)}, "note must have at most 32000 characters, has 32001")
	d.Did(mia, r.ID, improvement.Assess{})
	d.Refuse(mia, r.ID, improvement.Approve{Note: strings.Repeat("x", 32_001)}, "note must have at most 32000 characters, has 32001")
	d.Did(mia, r.ID, improvement.Approve{})
	d.Refuse(mia, r.ID, improvement.SetPlan{}, "text must not be empty")
	d.Refuse(mia, r.ID, improvement.Reassess{}, "reason must not be empty")
	d.Did(mia, r.ID, improvement.Start{})
	d.Refuse(mia, r.ID, improvement.Replan{}, "reason must not be empty", "text must not be empty")
	d.Refuse(mia, r.ID, improvement.Close{}, "lessons must not be empty")
	d.Refuse(mia, r.ID, improvement.Measure{}, "metric must not be empty", "to must be after from")
	d.Refuse(mia, r.ID, improvement.Measure{Metric: "m", From: morning.AddDate(0, 0, -2), To: morning.AddDate(0, 0, -1)}, "to must be after the work has begun")
	d.Did(mia, r.ID, d.measured(1))
	d.Refuse(mia, r.ID, improvement.Rework{}, "reason must not be empty")
	d.Did(mia, r.ID, lessons)
	d.Refuse(mia, r.ID, improvement.Reopen{}, "reason must not be empty")
	rejected := d.open(improvement.Reject{Reason: "too dear"})
	require.Equal(t, "too dear", rejected.Reason)
	d.Refuse(mia, rejected.ID, improvement.Reconsider{}, "reason must not be empty")
	again := d.Did(mia, rejected.ID, improvement.Reconsider{Reason: "cheaper now"})
	require.Empty(t, again.Reason)
	require.Equal(t, improvement.Logged, again.State)
}

// What is compared is measured by one metric.
func TestOneMetric(t *testing.T) {
	d := newDesk(t, improvement.Config{})
	other := improvement.SetTarget{Target: improvement.Target{Metric: "mood", Value: 4, Better: improvement.Higher}}
	r := d.open(before, other)
	require.Nil(t, r.Baseline) // that of another metric says nothing any more
	d.Refuse(mia, r.ID, before, `it is measured by "mood"`)
	r = d.Did(mia, r.ID, improvement.Assess{}, improvement.Approve{}, improvement.Start{})
	d.Refuse(mia, r.ID, d.measured(3), `it is measured by "mood"`)
	mood := d.measured(3)
	mood.Metric = "mood"
	r = d.Did(mia, r.ID, mood)
	d.Refuse(mia, r.ID, wanted, `it is measured by "mood"`)
	// A result without target and baseline binds as well.
	r = d.open(before, improvement.Assess{}, improvement.Approve{}, improvement.Start{})
	r = d.Did(mia, r.ID, d.measured(3))
	d.Refuse(mia, r.ID, other, `it is measured by "wait"`)
	for range 199 {
		_, err := d.Do(mia, r.ID, d.measured(1))
		require.NoError(t, err)
	}
	d.Refuse(mia, r.ID, d.measured(1), "it has 200 measurements already")
}

func TestHoldAndTime(t *testing.T) {
	d := newDesk(t, improvement.Config{})
	due := improvement.SetTarget{Target: improvement.Target{Metric: "wait", Value: 8, Better: improvement.Lower, Due: morning.Add(48 * time.Hour)}}
	r := d.open(before, due, improvement.Assess{}, improvement.Approve{}, improvement.PutOnHold{Reason: "no people", Until: morning.Add(24 * time.Hour)})
	since := r.Hold.Since
	d.Refuse(mia, r.ID, improvement.Start{}, "it is on hold: no people")
	r = d.Did(mia, r.ID, improvement.PutOnHold{Reason: "still none", Until: morning.Add(30 * time.Hour)})
	require.Equal(t, since, r.Hold.Since)
	require.Equal(t, 0, d.Due(24*time.Hour))
	require.Equal(t, 1, d.Due(7*time.Hour))
	require.Nil(t, d.Record(r.ID).Hold)
	r = d.Did(mia, r.ID, improvement.Start{}, improvement.PutOnHold{Reason: "again"})
	d.Refuse(mia, r.ID, lessons, "it is on hold: again")
	d.Refuse(mia, r.ID, d.measured(1), "it is on hold: again")
	r = d.Did(mia, r.ID, improvement.Resume{})
	require.Equal(t, 1, d.Due(20*time.Hour))
	require.True(t, d.Record(r.ID).Late)
	require.Equal(t, 0, d.Due(1000*time.Hour))
	due.Due = d.Time.Now().Add(time.Hour) // another day
	r = d.Did(mia, r.ID, due)
	require.False(t, r.Late)
	r = d.Did(mia, r.ID, lessons)
	require.Equal(t, 0, d.Due(1000*time.Hour)) // what is closed misses nothing
	require.False(t, d.Record(r.ID).Late)
	d.Replays(r.ID)
	require.Nil(t, d.open(improvement.PutOnHold{Reason: "x"}, improvement.Reject{Reason: "y"}).Hold)
	require.Nil(t, d.open(improvement.PutOnHold{Reason: "x"}, improvement.Cancel{Reason: "y"}).Hold)
}

func TestTheRest(t *testing.T) {
	d := newDesk(t, improvement.Config{Rank: func(benefit, effort, risk int) int { return 10*benefit - effort - risk }})
	r := d.open(improvement.SetScore{Benefit: 5, Effort: 2, Risk: 1, Rank: 999}, improvement.SetOwner{Owner: "kim"}, improvement.Describe{Title: "t", Description: "d"},
		improvement.SetScope{Scope: improvement.Scope{Service: "phone", Dimension: "partners_suppliers"}}, improvement.Note{Text: "hm"},
		improvement.Link{Link: itsm.Link{Rel: "from", To: itsm.Ref{Kind: "problem", ID: "prb-1"}}})
	require.Equal(t, 47, r.Rank)
	require.Equal(t, "kim", r.Owner)
	require.Equal(t, improvement.Scope{Service: "phone", Dimension: "partners_suppliers"}, r.Scope)
	require.Len(t, r.Links, 1)
	require.Equal(t, 250, newDesk(t, improvement.Config{}).open(improvement.SetScore{Benefit: 5, Effort: 2}).Rank)
	other := d.Over(memory.New[improvement.Improvement]())
	_, err := other.Get(mia, r.ID)
	require.ErrorIs(t, err, itsm.ErrNotFound)
	require.Equal(t, "improvement", other.Name())
}

func TestMomentum(t *testing.T) {
	d := newDesk(t, improvement.Config{})
	from := morning.AddDate(0, 0, 7)
	stalled := d.open(vision)
	old := d.open(improvement.Assess{}, improvement.Approve{}, improvement.Start{}, lessons)
	gone := d.open(improvement.Reject{Reason: "no"})
	slow := d.open(underway...)
	d.Time.Set(from)
	slow = d.Did(mia, slow.ID, d.measured(8), lessons)
	quick := d.open(improvement.Assess{}, improvement.Approve{}, improvement.Start{}, lessons)
	open := d.open()
	d.open(improvement.Reject{Reason: "no"})
	d.open(improvement.Cancel{Reason: "no"})
	all := func(fails error) iter.Seq2[improvement.Improvement, error] {
		return func(yield func(improvement.Improvement, error) bool) {
			page, err := d.List(mia, itsm.Query{})
			require.NoError(t, err)
			for _, r := range page.Records {
				if !yield(r, nil) {
					return
				}
			}
			if fails != nil {
				yield(improvement.Improvement{}, fails)
			}
		}
	}
	to := from.AddDate(0, 0, 7)
	m, err := improvement.MomentumOf(all(nil), from, to)
	require.NoError(t, err)
	cycle := (slow.Milestones.Ended.Sub(slow.Created) + quick.Milestones.Ended.Sub(quick.Created)) / 2
	require.Equal(t, improvement.Momentum{
		Logged: 4, Closed: 2, Rejected: 1, Cancelled: 1, Open: 2, Cycle: cycle, Stalled: []itsm.ID{stalled.ID},
		Outcomes: map[improvement.Outcome]int{improvement.Achieved: 1, improvement.Unmeasured: 1}, Skipped: map[itsm.ID][]improvement.Skip{quick.ID: quick.Skipped()},
	}, m)
	delivered, ok := m.Delivered()
	require.True(t, ok)
	require.Equal(t, 0.5, delivered)
	require.NotEqual(t, old.ID, gone.ID)

	m, err = improvement.MomentumOf(all(nil), morning.AddDate(-1, 0, 0), morning.AddDate(0, 0, -1))
	require.NoError(t, err)
	require.Equal(t, improvement.Momentum{}, m)
	_, ok = m.Delivered()
	require.False(t, ok)
	require.NotEmpty(t, open.ID)
	broken := errors.New("broken")
	_, err = improvement.MomentumOf(all(broken), from, to)
	require.ErrorIs(t, err, broken)
}

// anything is an action that is now and then the next one on the way.
func anything(w *practicetest.World[improvement.Improvement], r *improvement.Improvement) action {
	now, metric := w.Clock.Now(), practicetest.Pick(w, "wait", "counted")
	target := improvement.Target{Metric: metric, Value: float64(w.IntN(30)), Better: practicetest.Pick(w, improvement.Higher, improvement.Lower), Due: w.Time()}
	forward := map[itsm.State][]action{
		improvement.Logged:     {improvement.Assess{}},
		improvement.Assessed:   {improvement.Approve{}},
		improvement.Approved:   {planned, improvement.Start{}},
		improvement.Planned:    {improvement.Start{}},
		improvement.InProgress: {improvement.Measure{Metric: metric, Value: float64(w.IntN(30)), From: now.Add(-time.Hour), To: now}, lessons},
		improvement.Measuring:  {improvement.Measure{Metric: metric, Value: float64(w.IntN(30)), From: now.Add(-time.Hour), To: now}, lessons, improvement.Rework{Reason: w.Text()}},
		improvement.Rejected:   {improvement.Reconsider{Reason: w.Text()}},
	}[r.State]
	switch {
	case r.Hold != nil && w.OneIn(2):
		return improvement.Resume{}
	case len(forward) > 0 && w.OneIn(3):
		return practicetest.Pick(w, forward...)
	case w.OneIn(40):
		return practicetest.Pick[action](w, improvement.Reject{Reason: w.Text()}, improvement.Cancel{Reason: w.Text()})
	case w.OneIn(3):
		return practicetest.Pick[action](w, vision, planned, improvement.SetBaseline{Metric: metric, Value: 3, From: now.Add(-time.Hour), To: now}, improvement.SetTarget{Target: target},
			improvement.PutOnHold{Reason: "h", Until: now.Add(time.Hour)}, improvement.Note{Text: "n"}, improvement.SetScore{Benefit: 1 + w.IntN(5), Effort: 1 + w.IntN(5)},
			improvement.Reassess{Reason: w.Text()}, improvement.Replan{Reason: w.Text(), Plan: improvement.Plan{Text: "p"}}, improvement.Reopen{Reason: w.Text()})
	}
	var all []action
	for a := range w.Practice.Actions() {
		if _, over := a.(improvement.Cancel); !over {
			all = append(all, a)
		}
	}
	return w.Anything(practicetest.Pick(w, all...))
}

// Whatever is done by chance, what is true of every practice holds, and what must be true
// of an improvement is.
func TestAnythingByChance(t *testing.T) {
	counted := func(_ context.Context, from, to time.Time) (float64, error) { return to.Sub(from).Hours(), nil }
	made := new(*improvement.Practice)
	practicetest.Test(t, practicetest.Harness[improvement.Improvement]{
		Create: func(w *practicetest.World[improvement.Improvement]) action {
			return improvement.Log{Title: w.Text(), Source: improvement.FromReview, Submitter: w.Text(), Scope: improvement.Scope{Service: w.Text(), Activity: practicetest.Pick[valuechain.Activity](w, "", "deliver_support", "sleep")}}
		},
		Action: anything,
		Sound: func(_ *practicetest.World[improvement.Improvement], r *improvement.Improvement, ok func(bool, string)) {
			is := func(states ...itsm.State) bool { return slices.Contains(states, r.State) }
			ok(is(improvement.Closed) == (r.Outcome != ""), "what is closed has an outcome, and nothing else has")
			ok(is(improvement.Closed, improvement.Rejected, improvement.Cancelled) == !r.Milestones.Ended.IsZero(), "it says when it ended")
			ok(r.Hold == nil || !is(improvement.Closed, improvement.Rejected, improvement.Cancelled), "what is over is not on hold")
			ok(!is(improvement.InProgress, improvement.Measuring) || !r.Milestones.Started.IsZero(), "what is at work says since when")
			ok((len(r.Results) == 0) == r.Milestones.Measured.IsZero(), "what was measured says when")
			for _, s := range r.Skipped() {
				ok(s.String() != "", "what was left out has a name")
			}
		},
		Actions: 12_000,
	}, host(improvement.Config{}, made), host(improvement.Config{Metrics: map[string]improvement.Metric{"counted": counted}}, made))
}

// FuzzDecode lets anything come in from outside. It is an action or refused; the action
// is done or refused; and whatever was done, the record is what its history leads to.
func FuzzDecode(f *testing.F) {
	d := newDesk(f, improvement.Config{})
	for i, a := range append(slices.Clone(underway), d.measured(3), lessons, improvement.PutOnHold{Reason: "x"}) {
		data, err := d.Encode(a)
		require.NoError(f, err)
		f.Add(data, uint8(i))
	}
	for _, s := range []string{``, `null`, `{"action":"measure"}`, `{"action":"set_target","data":{"metric":"m","value":1e308,"better":"lower","due":"0001-01-01T00:00:00Z"}}`} {
		f.Add([]byte(s), uint8(2))
	}
	states := [][]action{nil, underway, append(slices.Clone(underway), lessons), {improvement.Cancel{Reason: "r"}}}
	f.Fuzz(func(t *testing.T, data []byte, way uint8) {
		d := newDesk(t, improvement.Config{})
		r := d.open(states[int(way)%len(states)]...)
		a, err := d.Decode(data)
		if err != nil {
			require.ErrorIs(t, err, itsm.ErrInvalid)
			require.NotEmpty(t, itsm.Findings(err))
			return
		}
		for _, do := range []func() error{
			func() error { _, err := d.Do(mia, r.ID, a); return err },
			func() error { _, err := d.Create(mia, a); return err },
		} {
			err := do()
			require.True(t, err == nil || errors.Is(err, itsm.ErrInvalid) || errors.Is(err, itsm.ErrNotAllowed), "%v", err)
		}
		d.Due(time.Hour)
		d.Replays(r.ID)
		now := d.Record(r.ID)
		now.Skipped()
		now.Result()
	})
}

func BenchmarkDo(b *testing.B) {
	d := newDesk(b, improvement.Config{})
	r := d.open()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := d.Do(mia, r.ID, improvement.SetScore{Benefit: 3, Effort: 2}); err != nil {
			b.Fatal(err)
		}
	}
}
