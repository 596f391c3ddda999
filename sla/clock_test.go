package sla_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm/sla"
)

// naive is a clock by definition: it looks at every minute of its life and asks
// the calendar whether that is open.
type naive struct {
	goal  sla.Goal
	hours *sla.Hours
	marks []sla.Mark // in order
	other map[string]*sla.Hours
}

type minute struct {
	phase string // counting, paused, ended
	hours *sla.Hours
}

// life lists the minutes of the present cycle up to now, and what was in force.
func (n naive) life(now time.Time) (start time.Time, cycle int, minutes []minute, phase string, goal sla.Goal, hours *sla.Hours) {
	goal, hours, phase = n.goal, n.hours, "pending"
	before := ""
	at := n.marks[0].At
	live := func() bool { return phase == "counting" || phase == "paused" }
	begin := func(m sla.Mark, p string) { start, minutes, phase, cycle = m.At, nil, p, cycle+1 }
	for i := 0; ; {
		for ; i < len(n.marks) && !n.marks[i].At.After(at); i++ {
			m := n.marks[i]
			switch m.Do {
			case sla.Start:
				if !live() {
					begin(m, "counting")
				}
			case sla.Reset:
				switch phase {
				case "paused":
					begin(m, "paused")
				case "counting", "met":
					begin(m, "counting")
				}
			case sla.Pause:
				if live() {
					phase = "paused"
				}
			case sla.Resume:
				if phase != "pending" {
					phase = "counting"
				}
			case sla.Stop:
				if live() {
					before, phase = phase, "met"
				}
			case sla.Cancel:
				if live() {
					before, phase = phase, "cancelled"
				}
			case sla.Retract:
				if phase == "met" || phase == "cancelled" {
					for j := len(minutes) - 1; j >= 0 && minutes[j].phase == phase; j-- {
						minutes[j].phase = before
					}
					phase = before
				}
			case sla.SetGoal:
				goal = m.Goal
				if m.Base == sla.FromNow && live() {
					begin(m, phase)
				}
			case sla.SetCalendar:
				hours = n.other[m.Calendar]
				if m.Base == sla.FromStart {
					for j := range minutes {
						minutes[j].hours = hours
					}
				}
			}
		}
		if !at.Before(now) {
			return start, cycle, minutes, phase, goal, hours
		}
		if phase != "pending" {
			minutes = append(minutes, minute{phase, hours})
		}
		at = at.Add(time.Minute)
	}
}

// check compares a clock with the definition at a moment.
func (n naive) check(t *testing.T, c *sla.Clock, now time.Time) {
	start, cycle, minutes, phase, goal, hours := n.life(now)
	r := c.At(now)
	about := fmt.Sprintf("%+v at %s", n.marks, now)
	require.Equal(t, cycle, r.Cycle, about)
	if phase == "pending" {
		require.Equal(t, sla.Pending, r.State, about)
		return
	}
	counts := func(phase string) bool { return phase == "counting" || phase == "paused" && !goal.By.IsZero() }
	var elapsed, held, want time.Duration
	want = goal.Within
	var deadline, breach time.Time
	at := start
	step := func(s minute) {
		if counts(s.phase) {
			if goal.By.IsZero() && deadline.IsZero() && elapsed == want {
				deadline = at
			}
			if s.hours.IsOpen(at) {
				if goal.By.IsZero() && breach.IsZero() && elapsed == want {
					breach = at
				}
				elapsed += time.Minute
				if goal.By.IsZero() && deadline.IsZero() && elapsed == want {
					deadline = at.Add(time.Minute)
				}
			}
		}
		if s.phase == "paused" {
			held += time.Minute
		}
		at = at.Add(time.Minute)
	}
	// What was resumed after a stop has stopped stretches within; the last one
	// is not part of it any more.
	last := len(minutes)
	if phase != "counting" && phase != "paused" {
		for last > 0 && minutes[last-1].phase == phase {
			last--
		}
	}
	for _, s := range minutes[:last] {
		step(s)
	}
	ended := start.Add(time.Duration(last) * time.Minute)
	require.Equal(t, elapsed, r.Elapsed, about)
	require.Equal(t, held, r.Held, about)
	require.Equal(t, ended.Sub(start), r.Wall, about)
	late := elapsed > want
	if !goal.By.IsZero() {
		late = ended.After(goal.By)
		deadline = goal.By
		require.Equal(t, goal.By, r.Deadline, about)
	}
	switch {
	case phase == "cancelled":
		require.Equal(t, sla.Cancelled, r.State, about)
	case phase == "met" && late:
		require.Equal(t, sla.Missed, r.State, about)
	case phase == "met":
		require.Equal(t, sla.Met, r.State, about)
	case late:
		require.Equal(t, sla.Breached, r.State, about)
	case phase == "paused":
		require.Equal(t, sla.Paused, r.State, about)
	default:
		require.Equal(t, sla.Running, r.State, about)
	}
	if goal.By.IsZero() {
		if late {
			require.Equal(t, breach, r.Breach, about)
		} else {
			require.Zero(t, r.Breach, about)
		}
		if deadline.IsZero() && phase == "counting" {
			for range 60 * 1440 { // go on counting
				if elapsed == want {
					deadline = at
					break
				}
				step(minute{"counting", hours})
			}
		}
		if phase == "counting" || !deadline.IsZero() {
			require.Equal(t, deadline, r.Deadline, about)
		}
	}
	// The explanation adds up.
	e := c.Explain(now)
	var counted, all time.Duration
	for i, s := range e.Stretches {
		require.NotEmpty(t, s.Why)
		if i > 0 {
			require.Equal(t, e.Stretches[i-1].To, s.From, about)
		}
		all += s.Length()
		if s.Counted {
			counted += s.Length()
		}
	}
	require.Equal(t, r.Elapsed, counted, "%s\n%s", about, e)
	require.Equal(t, r.Wall, all, "%s\n%s", about, e)
}

// TestClockIsItsDefinition compares clocks of random histories with one that
// counts every minute.
func TestClockIsItsDefinition(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 1))
	day, night := compile(t, office("Europe/Berlin", "day")), compile(t, sla.Calendar{
		Name: "night", Zone: "America/New_York", Rules: sla.Rules{Weekly: sla.EveryDay(sla.Window{Open: 22 * time.Hour, Close: 2 * time.Hour})},
	})
	other := map[string]*sla.Hours{day.Ref(): day, night.Ref(): night}
	begin := time.Date(2026, 3, 27, 6, 0, 0, 0, time.UTC) // before a clock change in Berlin
	runs := 3000
	if testing.Short() {
		runs = 300
	}
	for range runs {
		n := naive{goal: sla.Goal{Within: time.Duration(r.IntN(8*60)) * time.Minute}, hours: day, other: other}
		if r.IntN(8) == 0 {
			n.goal = sla.Goal{By: begin.Add(time.Duration(r.IntN(3300)) * time.Minute)}
		}
		for range 1 + r.IntN(9) {
			m := sla.Mark{At: begin.Add(time.Duration(r.IntN(4300)) * time.Minute), Do: sla.Steps()[r.IntN(len(sla.Steps()))]}
			if r.IntN(3) == 0 {
				m.Base = sla.FromNow
			}
			switch m.Do {
			case sla.SetGoal:
				m.Goal.Within = time.Duration(r.IntN(8*60)) * time.Minute
				if r.IntN(5) == 0 {
					m.Goal = sla.Goal{By: m.At.Add(time.Duration(r.IntN(1700)) * time.Minute)}
				}
			case sla.SetCalendar:
				m.Calendar = []string{day.Ref(), night.Ref()}[r.IntN(2)]
			default:
			}
			n.marks = append(n.marks, m)
		}
		n.marks = append(n.marks, sla.Mark{At: begin, Do: sla.Start})
		target := sla.Target{Terms: sla.Terms{Calendar: day.Ref(), Goal: n.goal}, Marks: n.marks}
		c, err := sla.Calendars(other).Clock(target)
		require.NoError(t, err)
		slices.SortStableFunc(n.marks, func(a, b sla.Mark) int { return a.At.Compare(b.At) })
		require.Equal(t, n.marks, c.Marks())
		for range 3 {
			n.check(t, c, begin.Add(time.Duration(r.IntN(5000))*time.Minute))
		}
		n.check(t, c, n.marks[r.IntN(len(n.marks))].At)
		n.check(t, c, begin.Add(5000*time.Minute))
	}
}

func office(zone, name string) sla.Calendar {
	return sla.Calendar{Name: name, Zone: zone, Rules: sla.Rules{Weekly: sla.MondayToFriday(sla.Window{Open: 9 * time.Hour, Close: 17 * time.Hour})}}
}

func newClock(t *testing.T, goal sla.Goal, marks ...sla.Mark) *sla.Clock {
	t.Helper()
	c, err := sla.NewClock(goal, compile(t, office("UTC", "day")), marks...)
	require.NoError(t, err)
	return c
}

// What is wrong with a clock is said at once, and changes nothing.
func TestClockFindings(t *testing.T) {
	_, err := sla.NewClock(sla.Goal{Within: -1, By: day1}, nil,
		sla.Mark{Do: "jump", Base: "x", Calendar: "day@0", Goal: sla.Goal{Within: 1}}, sla.Mark{At: day1, Do: sla.SetCalendar}, sla.Mark{At: day1, Do: sla.SetGoal, Goal: sla.Goal{Within: -1}})
	require.ErrorIs(t, err, sla.ErrInvalid)
	var got []string
	for _, f := range sla.Findings(err) {
		got = append(got, f.Error())
	}
	require.Equal(t, []string{
		"calendar must not be nil", "goal.within must not be negative", "goal.by and within must not be given together",
		`marks[0].do is unknown: "jump"`, "marks[0].at must be given", `marks[0].base must be now or empty, is "x"`,
		"marks[0].goal goes with set_goal only", "marks[0].calendar must be given with set_calendar, and only then",
		"marks[1].calendar must be given with set_calendar, and only then", `marks[1].calendar is not known: ""`,
		"marks[2].goal.within must not be negative",
	}, got)
	require.Nil(t, sla.Findings(nil))

	c := newClock(t, sla.Goal{Within: time.Hour})
	require.Error(t, c.Do(sla.Mark{At: day1, Do: "jump"}))
	require.Error(t, c.Do(sla.Mark{At: day1, Do: sla.SetCalendar, Calendar: "day@0"}))
	require.Error(t, c.SetCalendar(day1, nil, sla.FromStart))
	require.Error(t, c.SetCalendar(time.Time{}, compile(t, around()), sla.FromStart))
	require.Empty(t, c.Marks())
	require.Equal(t, sla.Pending, c.At(day1).State)
	require.Zero(t, c.When(0))
	_, err = sla.Calendars{}.Clock(sla.Target{})
	require.ErrorIs(t, err, sla.ErrInvalid)
}

// A late mark is put where it belongs.
func TestLateMarks(t *testing.T) {
	c := newClock(t, sla.Goal{Within: 4 * time.Hour}, sla.Mark{At: day1, Do: sla.Start}, sla.Mark{At: day1.Add(3 * time.Hour), Do: sla.Stop})
	require.Equal(t, 3*time.Hour, c.At(day1.Add(5*time.Hour)).Elapsed)
	require.NoError(t, c.Do(sla.Mark{At: day1.Add(2 * time.Hour), Do: sla.Resume}))
	require.NoError(t, c.Do(sla.Mark{At: day1.Add(time.Hour), Do: sla.Pause, Reason: "said later"}))
	r := c.At(day1.Add(5 * time.Hour))
	require.Equal(t, 2*time.Hour, r.Elapsed)
	require.Equal(t, time.Hour, r.Held)
	require.Equal(t, sla.Met, r.State)
	// And any moment before is what it would have been.
	r = c.At(day1.Add(90 * time.Minute))
	require.Equal(t, sla.Paused, r.State)
	require.Equal(t, "said later", r.Reason)
	require.Equal(t, day1.Add(5*time.Hour), c.IfResumed(day1.Add(2*time.Hour)))
	require.Equal(t, day1.Add(7*time.Hour), c.IfResumed(day1.Add(5*time.Hour)), "stopped: resumed then, with two hours left")
	require.Equal(t, day1.Add(4*time.Hour), c.IfResumed(day1.Add(30*time.Minute)), "it runs")
}

// A breach is a fact that a later goal does not undo.
func TestFirstBreach(t *testing.T) {
	c := newClock(t, sla.Goal{Within: time.Hour}, sla.Mark{At: day1, Do: sla.Start})
	require.NoError(t, c.Do(sla.Mark{At: day1.Add(2 * time.Hour), Do: sla.SetGoal, Goal: sla.Goal{Within: 4 * time.Hour}}))
	require.Equal(t, sla.Breached, c.At(day1.Add(90*time.Minute)).State)
	r := c.At(day1.Add(3 * time.Hour))
	require.Equal(t, sla.Running, r.State)
	require.Zero(t, r.Breach)
	require.Equal(t, day1.Add(time.Hour), r.FirstBreach)
	require.Equal(t, day1.Add(4*time.Hour), r.Projected)
	require.InDelta(t, 75, r.Percent(), 0)
	require.InDelta(t, 100, newClock(t, sla.Goal{}).At(day1).Percent(), 0)
	require.NoError(t, c.SetCalendar(day1.Add(3*time.Hour), compile(t, around()), sla.FromStart))
	require.Equal(t, "around@0", c.Explain(day1.Add(3*time.Hour)).Calendar)
}

func TestShare(t *testing.T) {
	require.Equal(t, 90*time.Minute, sla.Share(2*time.Hour, 75))
	require.Equal(t, time.Duration(0), sla.Share(1, 50))
	require.Equal(t, time.Duration(0), sla.Share(time.Hour, -1))
	require.Equal(t, time.Duration(math.MaxInt64), sla.Share(math.MaxInt64, 100))
	require.Equal(t, time.Duration(math.MaxInt64), sla.Share(math.MaxInt64, 101))
	require.Equal(t, time.Duration(math.MaxInt64), sla.Share(math.MaxInt64, math.MaxInt))
	for _, s := range sla.States() {
		require.Equal(t, s == sla.Met || s == sla.Missed || s == sla.Cancelled, s.IsEnd())
	}
}

// Spans longer than a Duration holds do not turn into short ones.
func TestClockOfAThousandYears(t *testing.T) {
	always := compile(t, around())
	c, err := sla.NewClock(sla.Goal{Within: math.MaxInt64}, always, sla.Mark{At: time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC).Add(1), Do: sla.Start},
		sla.Mark{At: time.Date(500, 1, 1, 0, 0, 0, 0, time.UTC), Do: sla.Pause}, sla.Mark{At: time.Date(1000, 1, 1, 0, 0, 0, 0, time.UTC), Do: sla.Resume})
	require.NoError(t, err)
	r := c.At(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
	require.Equal(t, time.Duration(math.MaxInt64), r.Elapsed)
	require.Equal(t, time.Duration(math.MaxInt64), r.Held)
}

// The course of a clock ends where its reading is, and its shades are what did
// not count.
func TestBurnDownOfAClock(t *testing.T) {
	c := newClock(t, sla.Goal{Within: 8 * time.Hour}, sla.Mark{At: day1, Do: sla.Start},
		sla.Mark{At: day1.Add(time.Hour), Do: sla.Pause}, sla.Mark{At: day1.Add(2 * time.Hour), Do: sla.Resume})
	now := day1.Add(30 * time.Hour)
	b := c.Explain(now).BurnDown()
	require.NoError(t, b.Validate())
	require.Equal(t, c.At(now).Remaining, b.Points[len(b.Points)-1].Remaining)
	require.Equal(t, []sla.Period{{From: day1.Add(time.Hour), To: day1.Add(2 * time.Hour)}}, b.Paused)
	require.Equal(t, []sla.Period{{From: day1.Add(8 * time.Hour), To: day1.Add(24 * time.Hour)}}, b.Closed)
	svg, err := b.SVG(time.UTC)
	require.NoError(t, err)
	require.Contains(t, svg, "<svg")
}
