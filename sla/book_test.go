package sla_test

import (
	"encoding/json"
	"iter"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm/sla"
)

func hours(n int) time.Duration { return time.Duration(n) * time.Hour }

// resolution is a usual metric.
func resolution(goals ...sla.GoalRule) sla.Metric {
	return sla.Metric{
		Name: "resolution", Calendar: "day", Goals: goals,
		Pause:  sla.Conditions{{"state": {"hold"}, "hold": {"caller"}}},
		Stop:   sla.Conditions{{"state": {"resolved", "closed"}}},
		Cancel: sla.Conditions{{"state": {"cancelled"}}},
	}
}

func gold(metrics ...sla.Metric) sla.Agreement {
	return sla.Agreement{Name: "gold", Version: 1, Kind: sla.ServiceLevel, Service: "mail", Outcome: "people reach each other", Metrics: metrics}
}

func around() sla.Calendar {
	c := sla.AlwaysOpen()
	c.Name = "around"
	return c
}

// calendars are day and around, compiled once.
var calendars = sync.OnceValue(func() []*sla.Hours {
	var all []*sla.Hours
	for _, c := range []sla.Calendar{office("Europe/Berlin", "day"), around()} {
		h, err := c.Compile()
		if err != nil {
			panic(err)
		}
		all = append(all, h)
	}
	return all
})

func book(t testing.TB, agreements ...sla.Agreement) *sla.Book {
	t.Helper()
	b, err := sla.NewBook(calendars(), agreements)
	require.NoError(t, err)
	return b
}

// A life is a record as an agreement sees it, moment by moment.
type life []sla.Snapshot

func (l life) until(n int) iter.Seq2[sla.Snapshot, error] {
	return func(yield func(sla.Snapshot, error) bool) {
		for _, s := range l[:n] {
			if !yield(s, nil) {
				return
			}
		}
	}
}

func randomLife(r *rand.Rand, begin time.Time) life {
	var l life
	at := begin
	facts := sla.FactMap{"state": "new", "priority": "3", "service": "mail"}
	for range 2 + r.IntN(12) {
		l = append(l, sla.Snapshot{At: at, Facts: facts})
		at = at.Add(time.Duration(r.IntN(30*3600)) * time.Second)
		next := sla.FactMap{}
		for k, v := range facts {
			next[k] = v
		}
		switch r.IntN(5) {
		case 0:
			next["priority"] = []string{"1", "2", "3", "4"}[r.IntN(4)]
		case 1:
			next["service"] = []string{"mail", "web"}[r.IntN(2)]
		default:
			next["state"] = []string{"new", "work", "hold", "resolved", "cancelled"}[r.IntN(5)]
			next["hold"] = []string{"caller", "vendor"}[r.IntN(2)]
		}
		facts = next
	}
	return l
}

// TestLateAgreementIsAsIfItHadBeenThere: a clock that follows a record from its
// opening says the same as one that is attached only at the end.
func TestLateAgreementIsAsIfItHadBeenThere(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	begin := time.Date(2026, 3, 26, 9, 0, 0, 0, time.UTC)
	reopens := []sla.Reopen{sla.ReopenResume, sla.ReopenCount, sla.ReopenNever}
	attached := 0
	for range 2000 {
		m := resolution(
			sla.GoalRule{When: sla.Condition{"priority": {"1"}}, Within: hours(r.IntN(30)), Calendar: "around"},
			sla.GoalRule{When: sla.Condition{"priority": {"!4"}}, Within: hours(r.IntN(30))},
		)
		m.Reopen = reopens[r.IntN(len(reopens))]
		a := gold(m)
		l := randomLife(r, begin)
		for i := range l { // what applies does not change here
			l[i].Facts.(sla.FactMap)["priority"] = l[0].Facts.Fact("priority")
		}
		b := book(t, a)
		var live sla.Targets
		for i, s := range l {
			moves, err := b.Review(live, begin, s, l.until(i))
			require.NoError(t, err)
			live = live.Apply(moves)
			standing(t, b, live, moves, s.At)
			again, err := b.Review(live, begin, s, l.until(i))
			require.NoError(t, err)
			require.Empty(t, again, "a review that changes nothing decides nothing")
		}
		last := len(l) - 1
		moves, err := b.Review(nil, begin, l[last], l.until(last))
		require.NoError(t, err)
		late := sla.Targets(nil).Apply(moves)
		require.Len(t, late, 1)
		attached++
		one, err := b.Clock(live[0])
		require.NoError(t, err)
		other, err := b.Clock(late[0])
		require.NoError(t, err)
		for range 5 {
			now := l[last].At.Add(time.Duration(r.IntN(100*3600)) * time.Second)
			x, y := one.At(now), other.At(now)
			x.Reason, y.Reason = "", ""
			require.Equal(t, x, y, "%+v", l)
		}
	}
	require.Equal(t, 2000, attached)
}

// standing proves that what a target says after a move is what its clock says.
func standing(t *testing.T, b *sla.Book, ts sla.Targets, moves []sla.Move, at time.Time) {
	for _, m := range moves {
		target, ok := ts.Find(m.Agreement, m.Metric)
		require.True(t, ok)
		c, err := b.Clock(target)
		require.NoError(t, err)
		r := c.At(at)
		require.Equal(t, r.State, target.State)
		require.Equal(t, r.Paused, target.Paused)
		require.Equal(t, r.Deadline, target.Deadline)
	}
}

// TestChangesAreMeasuredFromTheStart: whatever priorities and services a record
// had in between, what applies in the end counts as if it always had.
func TestChangesAreMeasuredFromTheStart(t *testing.T) {
	r := rand.New(rand.NewPCG(8, 8))
	begin := time.Date(2026, 3, 26, 9, 0, 0, 0, time.UTC)
	for range 2000 {
		a := gold(resolution(
			sla.GoalRule{When: sla.Condition{"priority": {"1"}}, Within: hours(4), Calendar: "around"},
			sla.GoalRule{When: sla.Condition{"priority": {"2"}}, Within: hours(8)},
			sla.GoalRule{Within: hours(40)},
		))
		a.Applies = sla.Conditions{{"service": {"mail"}}}
		b := book(t, a)
		l := randomLife(r, begin)
		for _, s := range l { // nothing ends in this life
			if f := s.Facts.(sla.FactMap); f["state"] == "resolved" || f["state"] == "cancelled" {
				f["state"] = "work"
			}
		}
		last := len(l) - 1
		l[last].Facts.(sla.FactMap)["service"] = "mail"
		var live sla.Targets
		for i, s := range l {
			moves, err := b.Review(live, begin, s, l.until(i))
			require.NoError(t, err)
			live = live.Apply(moves)
			standing(t, b, live, moves, s.At)
		}
		// The same by hand: only the pauses matter.
		want, err := b.Clock(sla.Target{Terms: b.Promises(begin, l[last].Facts)[0].Terms, Marks: pauses(l)})
		require.NoError(t, err)
		have, err := b.Clock(live[0])
		require.NoError(t, err)
		now := l[last].At.Add(hours(r.IntN(60)))
		x, y := want.At(now), have.At(now)
		require.Equal(t, []any{x.State, x.Elapsed, x.Goal, x.Deadline, x.Held}, []any{y.State, y.Elapsed, y.Goal, y.Deadline, y.Held}, "%+v", l)
	}
}

func pauses(l life) []sla.Mark {
	marks := []sla.Mark{{At: l[0].At, Do: sla.Start}}
	for _, s := range l {
		do := sla.Resume
		if s.Facts.Fact("state") == "hold" && s.Facts.Fact("hold") == "caller" {
			do = sla.Pause
		}
		marks = append(marks, sla.Mark{At: s.At, Do: do})
	}
	return marks
}

// TestThresholdsArePassedOnce walks through time and passes what is due; each
// threshold comes once in a cycle, in order, when its share of the goal is used.
func TestThresholdsArePassedOnce(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 9))
	begin := time.Date(2026, 3, 26, 9, 0, 0, 0, time.UTC)
	for range 500 {
		m := resolution(sla.GoalRule{Within: hours(1 + r.IntN(20))})
		m.Thresholds = []sla.Threshold{
			{Percent: 50}, {Percent: 75}, {Percent: 100, Name: "due"}, {After: -30 * time.Minute},
			{After: time.Hour, Every: hours(2), Times: 3, Name: "late"},
		}
		b := book(t, gold(m))
		l := randomLife(r, begin)
		var ts sla.Targets
		pass := func(until time.Time) {
			for {
				next := ts.Next()
				if next.IsZero() || next.After(until) {
					require.Empty(t, b.Pass(ts, until))
					return
				}
				c, err := b.Clock(ts[0])
				require.NoError(t, err)
				before := ts[0]
				ts = ts.Apply(b.Pass(ts, next))
				require.Greater(t, len(ts[0].Passed), len(before.Passed))
				require.True(t, ts.Next().IsZero() || ts.Next().After(next), "time goes on")
				for _, p := range ts[0].Passed[len(before.Passed):] {
					elapsed := c.At(p.At).Elapsed
					goal := c.At(p.At).Goal
					switch p.Threshold {
					case "50%":
						require.GreaterOrEqual(t, elapsed, goal/2)
					case "75%":
						require.GreaterOrEqual(t, elapsed, goal*3/4)
					case "due":
						require.GreaterOrEqual(t, elapsed, goal)
					case "-30m":
						require.GreaterOrEqual(t, elapsed, goal-30*time.Minute)
					case "late", "late#2", "late#3":
						require.GreaterOrEqual(t, elapsed, goal+time.Hour+hours(2*int(p.Threshold[len(p.Threshold)-1]-'1'))*boolean(len(p.Threshold) > 4))
					case sla.ThresholdBreach:
						require.Greater(t, elapsed, goal)
						require.Contains(t, []sla.State{sla.Breached}, c.At(p.At).State)
					default:
						t.Fatal(p.Threshold)
					}
				}
			}
		}
		for i, s := range l {
			pass(s.At)
			moves, err := b.Review(ts, begin, s, l.until(i))
			require.NoError(t, err)
			ts = ts.Apply(moves)
		}
		pass(begin.AddDate(1, 0, 0))
		seen := map[string]bool{}
		for _, p := range ts[0].Passed {
			require.False(t, seen[p.Threshold], p.Threshold)
			seen[p.Threshold] = true
		}
		if c, err := b.Clock(ts[0]); err == nil && c.At(begin.AddDate(1, 0, 0)).State == sla.Breached && !ts[0].Paused {
			require.Len(t, seen, 8)
		}
	}
}

func boolean(b bool) time.Duration {
	if b {
		return 1
	}
	return 0
}

// Moves survive the way through a history.
func TestMovesAreData(t *testing.T) {
	m := resolution(sla.GoalRule{Within: hours(4)})
	m.Thresholds = []sla.Threshold{{Percent: 50, Do: []sla.Escalation{{Do: sla.Notify, To: "desk"}}}}
	b := book(t, gold(m))
	begin := time.Date(2026, 3, 26, 9, 0, 0, 0, time.UTC)
	moves, err := b.Review(nil, begin, sla.Snapshot{At: begin, Facts: sla.FactMap{}}, nil)
	require.NoError(t, err)
	ts := sla.Targets(nil).Apply(moves)
	moves = append(moves, b.Pass(ts, begin.Add(hours(100)))...)
	data, err := json.Marshal(moves)
	require.NoError(t, err)
	var back []sla.Move
	require.NoError(t, json.Unmarshal(data, &back))
	require.Equal(t, moves, back)
}
