package sla_test

import (
	"encoding/json"
	"errors"
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

func review(t *testing.T, b *sla.Book, ts sla.Targets, at time.Time, f sla.FactMap) sla.Targets {
	t.Helper()
	moves, err := b.Review(ts, day1, sla.Snapshot{At: at, Facts: f}, nil)
	require.NoError(t, err)
	return ts.Apply(moves)
}

var day1 = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC) // a Monday, ten o'clock in Berlin

// A book says everything that does not fit together.
func TestNewBookFindings(t *testing.T) {
	bad := gold()
	other := gold(resolution(sla.GoalRule{}, sla.GoalRule{Calendar: "night@3"}))
	nameless := compile(t, office("UTC", ""))
	_, err := sla.NewBook([]*sla.Hours{nil, calendars()[0], calendars()[0], nameless}, []sla.Agreement{bad, other})
	require.ErrorIs(t, err, sla.ErrInvalid)
	var got []string
	for _, f := range sla.Findings(err) {
		got = append(got, f.Error())
	}
	require.Equal(t, []string{
		"calendars[0] must not be nil", "calendars[2] is there twice: day@0", "calendars[3].name must not be empty",
		"agreements[0].metrics must not be empty", "agreements[1] is there twice: gold@1",
		`agreements[1].metrics[0].goals[1].calendar is not among the calendars: "night@3"`,
	}, got)
	require.Contains(t, err.Error(), "; ")
}

func TestBookIsReadOnly(t *testing.T) {
	b := book(t, gold(resolution(sla.GoalRule{When: sla.Condition{"a": {"b"}}, Within: time.Hour})))
	for a := range b.Agreements() {
		a.Metrics[0].Goals[0].When["a"][0] = "c"
		break
	}
	a, ok := b.Agreement("gold", 1)
	require.True(t, ok)
	require.Equal(t, "b", a.Metrics[0].Goals[0].When["a"][0])
	_, ok = b.Agreement("gold", 2)
	require.False(t, ok)
	h, ok := b.Hours("day")
	require.True(t, ok)
	require.Equal(t, "day@0", h.Ref())
	_, ok = b.Hours("day@7")
	require.False(t, ok)
	require.Equal(t, []sla.Promise{{Agreement: "gold", Version: 1, Kind: sla.ServiceLevel, Metric: "resolution",
		Terms: sla.Terms{Calendar: "day@0", Goal: sla.Goal{Within: time.Hour}}}}, b.Promises(day1, sla.FactMap{"a": "b"}))
	require.Empty(t, b.Promises(day1, sla.FactMap{}))
}

// A nil book knows nothing, and lets nothing run that nobody promises.
func TestNilBook(t *testing.T) {
	ts := review(t, book(t, gold(resolution(sla.GoalRule{Within: time.Hour}))), nil, day1, sla.FactMap{})
	var none *sla.Book
	require.Empty(t, none.Promises(day1, sla.FactMap{}))
	passed := ts.Apply(none.Pass(ts, day1.Add(hours(100))))
	require.Zero(t, passed.Next())
	require.True(t, passed[0].Breached())
	ts = review(t, none, ts, day1.Add(time.Minute), sla.FactMap{})
	require.Equal(t, sla.Cancelled, ts[0].State)
	require.True(t, ts[0].Withdrawn)
	_, err := none.Clock(ts[0])
	require.ErrorIs(t, err, sla.ErrInvalid)
}

// Which version applies is decided by when the record was opened.
func TestVersions(t *testing.T) {
	version := func(v int, from time.Time, within time.Duration) sla.Agreement {
		a := gold(resolution(sla.GoalRule{Within: within}))
		a.Version, a.From = v, from
		return a
	}
	one, two := version(1, time.Time{}, time.Hour), version(2, day1, 2*time.Hour)
	three := version(3, day1, 3*time.Hour)
	three.Until = day1.Add(time.Hour)
	within := func(b *sla.Book, opened time.Time) time.Duration {
		p := b.Promises(opened, sla.FactMap{})
		if len(p) == 0 {
			return 0
		}
		return p[0].Goal.Within
	}
	b := book(t, two, one)
	require.Equal(t, time.Hour, within(b, day1.Add(-1)))
	require.Equal(t, 2*time.Hour, within(b, day1))
	b = book(t, three, two, one) // of two from the same day, the higher one
	require.Equal(t, 3*time.Hour, within(b, day1))
	require.Zero(t, within(b, day1.Add(time.Hour))) // what has run out is not replaced by what it had replaced

	// A version that is gone takes its clocks with it, and what applies instead
	// has them from the start.
	ts := review(t, book(t, one), nil, day1, sla.FactMap{})
	moves, err := book(t, two).Review(ts, day1, sla.Snapshot{At: day1.Add(30 * time.Minute), Facts: sla.FactMap{}}, nil)
	require.NoError(t, err)
	require.Len(t, moves, 2)
	require.Equal(t, sla.Cancelled, moves[0].State)
	require.Equal(t, "gold@1 is not known any more", moves[0].Marks[0].Reason)
	ts = ts.Apply(moves)
	require.Len(t, ts, 1)
	require.Equal(t, 2, ts[0].Version)

	// So does a version of a calendar.
	next := office("Europe/Berlin", "day")
	next.Version = 1
	b, err = sla.NewBook([]*sla.Hours{compile(t, next)}, []sla.Agreement{two})
	require.NoError(t, err)
	ts = review(t, b, ts, day1.Add(40*time.Minute), sla.FactMap{})
	require.Equal(t, "day@1", ts[0].Calendar)
	require.Equal(t, day1.Add(2*time.Hour), ts[0].Deadline)
}

// A change that counts from now begins a new cycle, and what is paused stays so.
func TestChangeFromNow(t *testing.T) {
	m := resolution(sla.GoalRule{When: sla.Condition{"priority": {"1"}}, Within: time.Hour}, sla.GoalRule{Within: 4 * time.Hour})
	m.Base = sla.FromNow
	b := book(t, gold(m))
	ts := review(t, b, nil, day1, sla.FactMap{"priority": "3"})
	ts = review(t, b, ts, day1.Add(2*time.Hour), sla.FactMap{"priority": "3", "state": "hold", "hold": "caller"})
	moves, err := b.Review(ts, day1, sla.Snapshot{At: day1.Add(3 * time.Hour), Facts: sla.FactMap{"priority": "1", "state": "hold", "hold": "caller"}}, nil)
	require.NoError(t, err)
	require.Len(t, moves, 2)
	require.Equal(t, sla.Cancelled, moves[0].State)
	ts = ts.Apply(moves)
	require.Equal(t, 2, ts[0].Cycle)
	require.Equal(t, sla.Paused, ts[0].State)
	ts = review(t, b, ts, day1.Add(4*time.Hour), sla.FactMap{"priority": "1", "state": "work"})
	require.Equal(t, day1.Add(5*time.Hour), ts[0].Deadline)
}

// Cycles that are reset, and those that begin again.
func TestCycles(t *testing.T) {
	m := sla.Metric{
		Name: "update", Calendar: "around", Goals: []sla.GoalRule{{Within: time.Hour}},
		Start: sla.Conditions{{"answered": {"*"}}}, From: sla.FromCondition,
		Reset: sla.Conditions{{"reply": {"staff"}}}, Stop: sla.Conditions{{"state": {"resolved"}}},
		Pause: sla.Conditions{{"hold": {"*"}}}, Reopen: sla.ReopenRestart,
	}
	b := book(t, gold(m))
	ts := review(t, b, nil, day1, sla.FactMap{})
	require.Empty(t, ts)
	at := func(minutes int) time.Time { return day1.Add(time.Duration(minutes) * time.Minute) }
	ts = review(t, b, ts, at(10), sla.FactMap{"answered": "yes", "reply": "staff"})
	require.Equal(t, at(70), ts[0].Deadline)
	require.Equal(t, 1, ts[0].Cycle)
	moves, err := b.Review(ts, day1, sla.Snapshot{At: at(50), Facts: sla.FactMap{"answered": "yes", "reply": "staff", "hold": "caller"}}, nil)
	require.NoError(t, err)
	require.Equal(t, sla.Met, moves[0].State)
	ts = ts.Apply(moves)
	require.Equal(t, 2, ts[0].Cycle)
	require.Equal(t, sla.Paused, ts[0].State)
	ts = review(t, b, ts, at(60), sla.FactMap{"answered": "yes"})
	require.Equal(t, at(120), ts[0].Deadline)
	ts = review(t, b, ts, at(200), sla.FactMap{"answered": "yes", "state": "resolved"})
	require.Equal(t, sla.Missed, ts[0].State)
	ts = review(t, b, ts, at(300), sla.FactMap{})
	require.Equal(t, sla.Missed, ts[0].State, "what starts it does not hold")
	ts = review(t, b, ts, at(310), sla.FactMap{"answered": "yes"})
	require.Equal(t, 3, ts[0].Cycle)
	require.Equal(t, at(370), ts[0].Deadline)
}

// The past may be out of reach, and then nothing is decided.
func TestReviewPassesErrorsOn(t *testing.T) {
	b := book(t, gold(resolution(sla.GoalRule{Within: time.Hour})))
	lost := func(yield func(sla.Snapshot, error) bool) { yield(sla.Snapshot{}, errLost) }
	_, err := b.Review(nil, day1, sla.Snapshot{At: day1, Facts: sla.FactMap{}}, lost)
	require.ErrorIs(t, err, errLost)
	ts := review(t, b, nil, day1, sla.FactMap{})
	ts[0].Withdrawn, ts[0].State = true, sla.Cancelled
	_, err = b.Review(ts, day1, sla.Snapshot{At: day1, Facts: sla.FactMap{}}, lost)
	require.ErrorIs(t, err, errLost)
}

var errLost = errors.New("lost")

// What is taken up again is measured by what applies then, and a cancellation that
// is taken back leaves no result behind.
func TestReopeningWithAnotherGoal(t *testing.T) {
	m := resolution(sla.GoalRule{When: sla.Condition{"priority": {"1"}}, Within: time.Hour, Calendar: "around"}, sla.GoalRule{Within: 4 * time.Hour})
	b := book(t, gold(m))
	ts := review(t, b, nil, day1, sla.FactMap{})
	ts = review(t, b, ts, day1.Add(30*time.Minute), sla.FactMap{"state": "resolved"})
	ts = review(t, b, ts, day1.Add(2*time.Hour), sla.FactMap{"state": "work", "priority": "1"})
	require.Equal(t, day1.Add(150*time.Minute), ts[0].Deadline)

	m.Reopen = sla.ReopenNever
	b = book(t, gold(m))
	ts = review(t, b, nil, day1, sla.FactMap{})
	ts = review(t, b, ts, day1.Add(30*time.Minute), sla.FactMap{"state": "cancelled"})
	require.Equal(t, sla.Cancelled, ts[0].State)
	ts = review(t, b, ts, day1.Add(2*time.Hour), sla.FactMap{"state": "work"})
	require.Equal(t, day1.Add(5*time.Hour+30*time.Minute), ts[0].Deadline)
}
