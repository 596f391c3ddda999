package sla

import (
	"cmp"
	"fmt"
	"math"
	"math/bits"
	"slices"
	"time"
)

// A State is where a clock stands.
type State string

// The states of a clock. The last three are its ends; what was reopened goes on
// from there.
const (
	// Pending has not started.
	Pending State = "pending"
	// Running counts, within its goal.
	Running State = "running"
	// Paused does not count, and is within its goal.
	Paused State = "paused"
	// Breached is past its goal and has not stopped.
	Breached State = "breached"
	// Met stopped within its goal. Reaching the goal exactly is within.
	Met State = "met"
	// Missed stopped past its goal.
	Missed State = "missed"
	// Cancelled ended without a result.
	Cancelled State = "cancelled"
)

// States lists the states of a clock in the order of its life.
func States() []State {
	return []State{Pending, Running, Paused, Breached, Met, Missed, Cancelled}
}

// IsEnd reports whether a clock in this state counts no more.
func (s State) IsEnd() bool { return s == Met || s == Missed || s == Cancelled }

// A Goal is what a clock measures against: a length of open time, or a date.
type Goal struct {
	// Within is the open time that it may take; 0 is a goal too. JSON:
	// nanoseconds.
	Within time.Duration `json:"within,omitempty"`
	// By, if it is set, is a promised date instead. Nothing moves it: no pause
	// and no calendar.
	By time.Time `json:"by,omitzero"`
}

func (g Goal) validate(f *findings, field string) {
	f.check(g.Within >= 0, join(field, "within"), "must not be negative")
	f.check(g.By.IsZero() || g.Within == 0, join(field, "by"), "and within must not be given together")
}

// A Step is something that happens to a clock.
type Step string

// The steps of a clock. One that does not fit is passed over: pausing what is
// paused changes the reason and nothing else, resuming what runs does nothing.
const (
	// Start begins to count. After the clock has stopped or was cancelled it
	// begins a new cycle, from zero.
	Start Step = "start"
	// Pause stops counting until Resume.
	Pause Step = "pause"
	// Resume goes on counting. After Stop or Cancel it takes up the same cycle
	// again, and the time since does not count.
	Resume Step = "resume"
	// Stop ends the cycle: the clock is met or missed.
	Stop Step = "stop"
	// Retract takes Stop or Cancel back: it is as if it had not happened, so
	// that the time since does count.
	Retract Step = "retract"
	// Reset begins a new cycle at once, from zero. What is paused stays so.
	Reset Step = "reset"
	// Cancel ends the cycle without a result.
	Cancel Step = "cancel"
	// SetGoal measures against another goal from here.
	SetGoal Step = "set_goal"
	// SetCalendar measures in another calendar's hours from here.
	SetCalendar Step = "set_calendar"
)

// Steps lists the steps of a clock.
func Steps() []Step {
	return []Step{Start, Pause, Resume, Stop, Retract, Reset, Cancel, SetGoal, SetCalendar}
}

// A Base says from where on a changed goal or calendar counts.
type Base string

const (
	// FromStart is the default: everything since the cycle's start is measured
	// anew, with the same pauses.
	FromStart Base = ""
	// FromNow keeps what was: a changed calendar applies to what follows, and a
	// changed goal begins a new cycle, from zero.
	FromNow Base = "now"
)

// A Mark is one line of a clock's history.
type Mark struct {
	At time.Time `json:"at"`
	Do Step      `json:"do"`
	// Reason says why, for people: what it waits for, who stopped it.
	Reason string `json:"reason,omitempty"`
	// Goal is the new one of SetGoal.
	Goal Goal `json:"goal,omitzero"`
	// Calendar is the new one of SetCalendar, as [Hours.Ref] names it.
	Calendar string `json:"calendar,omitempty"`
	// Base is from where on a change counts.
	Base Base `json:"base,omitempty"`
}

func (m Mark) validate(f *findings, field string) {
	f.check(slices.Contains(Steps(), m.Do), join(field, "do"), fmt.Sprintf("is unknown: %q", m.Do))
	f.check(!m.At.IsZero(), join(field, "at"), "must be given")
	f.check(m.Base == FromStart || m.Base == FromNow, join(field, "base"), fmt.Sprintf("must be now or empty, is %q", m.Base))
	if m.Do == SetGoal {
		m.Goal.validate(f, join(field, "goal"))
	} else {
		f.check(m.Goal == Goal{}, join(field, "goal"), "goes with set_goal only")
	}
	f.check((m.Calendar != "") == (m.Do == SetCalendar), join(field, "calendar"), "must be given with set_calendar, and only then")
}

// A Clock measures how long something took in open time, against a goal. It is
// the fold of its marks over a goal and a calendar, and keeps no counter: a late
// or backdated mark is put where it belongs, and everything is as if it had been
// there from the beginning.
//
// Reading a clock at a moment after its last mark costs one look-up in the
// calendar, however long it has been running, and allocates nothing. It may be
// read by many at a time, but not while it is changed.
type Clock struct {
	face  face
	tail  tail
	marks []timed
	// goal and hours are those at the beginning.
	goal  Goal
	hours *Hours
}

// timed is a mark with the hours that it names.
type timed struct {
	Mark
	hours *Hours
}

// NewClock returns a clock that measures against a goal in the hours of a
// calendar. Marks may come in any order; those of one moment happen in the order
// given. It returns an [ErrInvalid] with every finding. A mark that changes the
// calendar needs [Calendars.Clock], or [Clock.SetCalendar].
func NewClock(goal Goal, hours *Hours, marks ...Mark) (*Clock, error) {
	return newClock(goal, hours, marks, nil)
}

func newClock(goal Goal, hours *Hours, marks []Mark, calendars Calendars) (*Clock, error) {
	var f findings
	f.check(hours != nil, "calendar", "must not be nil")
	goal.validate(&f, "goal")
	c := &Clock{goal: goal, hours: hours, marks: make([]timed, 0, len(marks))}
	for i, m := range marks {
		field := fmt.Sprintf("marks[%d]", i)
		m.validate(&f, field)
		t := timed{m, nil}
		if m.Do == SetCalendar {
			t.hours = calendars[m.Calendar]
			f.check(t.hours != nil, join(field, "calendar"), fmt.Sprintf("is not known: %q", m.Calendar))
		}
		c.marks = append(c.marks, t)
	}
	if err := f.err(); err != nil {
		return nil, err
	}
	slices.SortStableFunc(c.marks, func(a, b timed) int { return a.At.Compare(b.At) })
	c.settle()
	return c, nil
}

// Do adds a mark, after those of the same moment. It returns an [ErrInvalid] with
// every finding, and then changes nothing. For another calendar there is
// [Clock.SetCalendar].
func (c *Clock) Do(m Mark) error {
	var f findings
	m.validate(&f, "")
	f.check(m.Do != SetCalendar, "do", "must not be set_calendar here")
	if err := f.err(); err != nil {
		return err
	}
	c.insert(timed{m, nil})
	return nil
}

// SetCalendar measures in other hours from a moment on, or, from the start,
// altogether. It returns an [ErrInvalid] with every finding.
func (c *Clock) SetCalendar(at time.Time, hours *Hours, base Base) error {
	if hours == nil {
		return &Finding{Field: "calendar", Reason: "must not be nil"}
	}
	m := Mark{At: at, Do: SetCalendar, Calendar: hours.Ref(), Base: base}
	var f findings
	m.validate(&f, "")
	if err := f.err(); err != nil {
		return err
	}
	c.insert(timed{m, hours})
	return nil
}

func (c *Clock) insert(m timed) {
	at, _ := slices.BinarySearchFunc(c.marks, m, func(have, m timed) int {
		return cmp.Or(have.At.Compare(m.At), -1) // after those of the same moment
	})
	c.marks = slices.Insert(c.marks, at, m)
	c.settle()
}

// settle folds all marks.
func (c *Clock) settle() {
	c.tail = c.fold(len(c.marks))
	c.face = c.tail.face()
}

// Marks returns a copy of the clock's marks in order.
func (c *Clock) Marks() []Mark {
	marks := make([]Mark, len(c.marks))
	for i, m := range c.marks {
		marks[i] = m.Mark
	}
	return marks
}

// A phase is what a clock does between two marks.
type phase uint8

const (
	waiting phase = iota
	counting
	pausing
	stopped
	cancelled
)

func (p phase) live() bool { return p == counting || p == pausing }

// A lap is a stretch of one phase. A cycle is a row of them without a gap.
type lap struct {
	from, to time.Time
	phase    phase
	reason   string
	hours    *Hours
}

// A tail is a clock folded up to one of its marks.
type tail struct {
	hours *Hours
	since time.Time // the last mark; what comes after it is not in laps
	phase phase
	// before is the phase before it ended, to which Retract goes back.
	before phase
	reason string
	goal   Goal
	cycle  int
	start  time.Time // of the cycle
	ended  time.Time // when it stopped or was cancelled, zero if it goes on
	// laps are those of all cycles; the present one begins with laps[first].
	laps  []lap
	first int
	// counted is the open time of the cycle, and held for how long it was
	// paused.
	counted, held time.Duration
	// reached is when counted came to the goal, and passed from when on it is
	// more; zero if it is not.
	reached, passed time.Time
	// broken is when the clock was first past the goal that was then in force,
	// in any cycle: later goals do not undo it.
	broken time.Time
}

// fold folds the first n marks.
func (c *Clock) fold(n int) tail {
	t := tail{goal: c.goal, hours: c.hours}
	for i := range c.marks[:n] {
		t.step(&c.marks[i])
	}
	return t
}

func (t *tail) step(m *timed) {
	t.advance(m.At)
	switch m.Do {
	case Start:
		if !t.phase.live() {
			t.begin(counting, m)
		}
	case Reset:
		switch t.phase {
		case pausing:
			t.begin(pausing, m)
		case counting, stopped:
			t.begin(counting, m)
		case waiting, cancelled:
		}
	case Pause:
		if t.phase.live() {
			t.enter(pausing, m)
		}
	case Resume:
		if t.phase != waiting && t.phase != counting {
			t.enter(counting, m)
		}
	case Stop:
		if t.phase.live() {
			t.before = t.phase
			t.enter(stopped, m)
		}
	case Cancel:
		if t.phase.live() {
			t.before = t.phase
			t.enter(cancelled, m)
		}
	case Retract:
		if t.phase == stopped || t.phase == cancelled {
			t.retract(m)
		}
	case SetGoal:
		t.goal = m.Goal
		if m.Base == FromNow && t.phase.live() {
			t.begin(t.phase, m)
		} else {
			t.recount()
		}
	case SetCalendar:
		t.hours = m.hours
		if m.Base == FromStart {
			for i := t.first; i < len(t.laps); i++ {
				t.laps[i].hours = m.hours
			}
			t.recount()
		}
	}
	t.note()
}

// advance puts the time up to a moment behind the tail.
func (t *tail) advance(at time.Time) {
	if t.phase != waiting && at.After(t.since) {
		t.laps = append(t.laps, lap{t.since, at, t.phase, t.reason, t.hours})
		t.count(&t.laps[len(t.laps)-1])
		t.note()
	}
	t.since = at
}

// note keeps it that the clock was past its goal.
func (t *tail) note() {
	if t.broken.IsZero() {
		t.broken = t.passed
	}
}

func (t *tail) begin(p phase, m *timed) {
	t.cycle++
	t.first, t.start = len(t.laps), m.At
	reason := t.reason
	t.enter(p, m)
	if p == pausing {
		t.reason = reason
	}
	t.recount()
}

func (t *tail) enter(p phase, m *timed) {
	t.phase, t.reason, t.ended = p, m.Reason, time.Time{}
	if !p.live() {
		t.ended = m.At
	}
}

// retract makes the time since it stopped what it would have been.
func (t *tail) retract(m *timed) {
	for i := len(t.laps) - 1; i >= t.first && t.laps[i].phase == t.phase; i-- {
		t.laps[i].phase = t.before
	}
	t.enter(t.before, m)
	t.recount()
}

// recount measures the cycle again.
func (t *tail) recount() {
	t.counted, t.held, t.reached, t.passed = 0, 0, time.Time{}, time.Time{}
	for i := t.first; i < len(t.laps); i++ {
		t.count(&t.laps[i])
	}
}

// counts reports whether time in a phase counts. A pause does not move a promised
// date.
func (t *tail) counts(p phase) bool { return p == counting || p == pausing && !t.goal.By.IsZero() }

// count adds a lap of the cycle to what was measured.
func (t *tail) count(s *lap) {
	if s.phase == pausing {
		t.held = plus(t.held, s.to.Sub(s.from))
	}
	if t.counts(s.phase) {
		before := t.counted
		t.counted = plus(before, s.hours.Between(s.from, s.to))
		if t.goal.By.IsZero() {
			if t.reached.IsZero() && t.counted >= t.goal.Within {
				t.reached = s.hours.Add(s.from, t.goal.Within-before)
			}
			if t.passed.IsZero() && t.counted > t.goal.Within {
				t.passed = s.hours.NextOpen(later(s.from, t.reached))
			}
		}
	}
	if by := t.goal.By; s.phase.live() && !by.IsZero() && t.passed.IsZero() && s.to.After(by) {
		t.passed = later(by, t.start)
	}
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// plus adds durations that are not negative, up to the largest that there is.
func plus(a, b time.Duration) time.Duration {
	if a > math.MaxInt64-b {
		return math.MaxInt64
	}
	return a + b
}

// A Reading is what a clock says at a moment.
type Reading struct {
	At    time.Time `json:"at"`
	State State     `json:"state"`
	// Paused says that nothing counts at present, also where State is Breached.
	Paused bool `json:"paused,omitempty"`
	// Reason is what the last mark that changed the phase gave for it.
	Reason string `json:"reason,omitempty"`
	// Cycle counts from 1; Started and Stopped are those of this cycle, zero if
	// it has not.
	Cycle   int       `json:"cycle,omitempty"`
	Started time.Time `json:"started,omitzero"`
	Stopped time.Time `json:"stopped,omitzero"`
	// Goal is what is measured against: for a promised date, the open time from
	// the start until then.
	Goal time.Duration `json:"goal"`
	// Elapsed is the open time that counted, and Remaining the goal without it:
	// negative when it is past.
	Elapsed   time.Duration `json:"elapsed"`
	Remaining time.Duration `json:"remaining"`
	// Wall is all the time since the cycle started, Held how much of it was
	// paused, by the clock on the wall.
	Wall time.Duration `json:"wall"`
	Held time.Duration `json:"held,omitempty"`
	// Deadline is when Elapsed reaches, or reached, the goal: the earliest such
	// moment, so that it can be the end of a working day. It is zero where there
	// is none: while paused, and when no more hours ever come.
	Deadline time.Time `json:"deadline,omitzero"`
	// Breach is from when on the clock is past its goal; the goal is still met
	// at that moment itself. Zero if it is not past it.
	Breach time.Time `json:"breach,omitzero"`
	// Projected is when Breach will be if nothing changes or, of a paused
	// clock, if it is resumed now. Zero if it is past, has ended, or will not
	// come.
	Projected time.Time `json:"projected,omitzero"`
	// FirstBreach is when the clock was first past the goal that was in force
	// then, in any cycle. A later goal does not undo it.
	FirstBreach time.Time `json:"first_breach,omitzero"`
}

// Percent returns how much of the goal is used up, in percent: 100 at the
// deadline. Of a goal of no time at all, all is used up from the start.
func (r Reading) Percent() float64 {
	if r.Goal <= 0 {
		return 100
	}
	return 100 * float64(r.Elapsed) / float64(r.Goal)
}

// At reads the clock at any moment, also one before its last mark: then it says
// what it would have said with the marks up to that moment.
func (c *Clock) At(now time.Time) Reading {
	if !stampOf(now).before(c.face.since) {
		return c.face.read(now)
	}
	t := c.upTo(now)
	f := t.face()
	return f.read(now)
}

// upTo folds the marks that are not after a moment.
func (c *Clock) upTo(now time.Time) tail {
	n, _ := slices.BinarySearchFunc(c.marks, now, func(m timed, now time.Time) int {
		if m.At.After(now) {
			return 1
		}
		return -1
	})
	if n == len(c.marks) {
		return c.tail
	}
	return c.fold(n)
}

// A face is what is read off a tail, whatever the time: as little memory as it can
// be, close together, as memory is what reading many clocks costs.
type face struct {
	hours    *Hours
	phase    phase
	promised bool // the goal is a date
	cycle    int32
	since    stamp
	counted  time.Duration
	held     time.Duration
	goal     time.Duration
	// deadline is when the goal is or was reached, zero if that is not known,
	// and passes from when on it is passed if the clock counts.
	deadline, passes     stamp
	start, ended, broken stamp
	reason               string
}

func (t *tail) face() face {
	f := face{
		hours: t.hours, phase: t.phase, cycle: int32(t.cycle), since: stampOf(t.since), counted: t.counted, held: t.held,
		goal: t.goal.Within, start: stampOf(t.start), ended: stampOf(t.ended), broken: stampOf(t.broken), reason: t.reason,
	}
	if by := t.goal.By; !by.IsZero() {
		f.promised, f.deadline = true, stampOf(by)
		if t.phase != waiting {
			f.goal, f.passes = t.hours.Between(t.start, by), stampOf(later(by, t.start))
		}
		return f
	}
	deadline := t.reaching()
	f.deadline = stampOf(deadline)
	switch {
	case !t.passed.IsZero():
		f.passes = stampOf(t.passed)
	case t.phase == counting && !deadline.IsZero():
		f.passes = stampOf(t.hours.NextOpen(later(deadline, t.since)))
	}
	return f
}

// counts reports whether time after the last mark counts.
func (f *face) counts() bool { return f.phase == counting || f.phase == pausing && f.promised }

func (f *face) read(now time.Time) Reading {
	r := Reading{
		At: now, Reason: f.reason, Cycle: int(f.cycle), Started: f.start.time(), Stopped: f.ended.time(),
		Goal: f.goal, Deadline: f.deadline.time(), FirstBreach: f.broken.time(),
	}
	if f.phase == waiting {
		r.State, r.Remaining = Pending, r.Goal
		return r
	}
	end := now
	r.Elapsed, r.Held = f.counted, f.held
	switch {
	case !f.phase.live():
		end = r.Stopped
	case f.phase == pausing:
		r.Paused, r.Held = true, plus(r.Held, now.Sub(f.since.time()))
	}
	if f.counts() {
		r.Elapsed = plus(r.Elapsed, f.hours.Between(f.since.time(), now))
	}
	r.Wall, r.Remaining = end.Sub(r.Started), r.Goal-r.Elapsed
	late := r.Elapsed > r.Goal
	if f.promised {
		late = end.After(r.Deadline)
	}
	switch {
	case late:
		r.Breach = f.passes.time()
		if !f.broken.set {
			r.FirstBreach = r.Breach
		}
	case f.counts():
		r.Projected = f.passes.time()
	case f.phase == pausing:
		r.Projected = f.resumed(now)
	}
	r.State = f.phase.state(late)
	return r
}

// resumed is from when on a paused clock is past its goal if it is resumed now.
func (f *face) resumed(now time.Time) time.Time {
	if !f.deadline.set {
		now = f.hours.Add(now, f.goal-f.counted)
	}
	if now.IsZero() {
		return now
	}
	return f.hours.NextOpen(now)
}

// state is that of a clock in a phase, late or not.
func (p phase) state(late bool) State {
	switch {
	case p == waiting:
		return Pending
	case p == cancelled:
		return Cancelled
	case p == stopped && late:
		return Missed
	case p == stopped:
		return Met
	case late:
		return Breached
	case p == pausing:
		return Paused
	}
	return Running
}

// A stamp is an instant in less room than a time.Time. The zero stamp is none.
type stamp struct {
	seconds int64
	nanos   int32
	set     bool
}

func stampOf(t time.Time) stamp {
	if t.IsZero() {
		return stamp{}
	}
	return stamp{t.Unix(), int32(t.Nanosecond()), true}
}

func (s stamp) time() time.Time {
	if !s.set {
		return time.Time{}
	}
	return time.Unix(s.seconds, int64(s.nanos)).UTC()
}

// before reports whether a stamp is before another one, if that is set.
func (s stamp) before(o stamp) bool {
	return o.set && (!s.set || s.seconds < o.seconds || s.seconds == o.seconds && s.nanos < o.nanos)
}

// reaching is when the goal is or was reached, zero if that is not known.
func (t *tail) reaching() time.Time {
	switch {
	case !t.goal.By.IsZero():
		return t.goal.By
	case !t.reached.IsZero():
		return t.reached
	case t.phase == counting:
		return t.hours.Add(t.since, t.goal.Within-t.counted)
	case t.phase == stopped && t.before == counting:
		return t.hours.Add(t.ended, t.goal.Within-t.counted)
	}
	return time.Time{}
}

func (t *tail) ifResumed(at time.Time) time.Time {
	if !t.goal.By.IsZero() || !t.reached.IsZero() {
		return t.reaching()
	}
	return t.hours.Add(later(at, t.since), t.goal.Within-t.counted)
}

// IfResumed returns the deadline that a paused or stopped clock has if it is
// resumed at a moment, and for any other its deadline. It is zero where there is
// none.
func (c *Clock) IfResumed(at time.Time) time.Time {
	t := c.upTo(at)
	if t.phase == pausing || t.phase == stopped {
		return t.ifResumed(at)
	}
	return t.reaching()
}

// When returns the earliest moment of the present cycle at which its elapsed time
// reached d or, if it counts on as it does, will. It is zero if that is not
// known: before the start, while paused, after it stopped short of it.
func (c *Clock) When(d time.Duration) time.Time {
	t := &c.tail
	if t.phase == waiting || d < 0 {
		return time.Time{}
	}
	var counted time.Duration
	for i := t.first; i < len(t.laps); i++ {
		s := &t.laps[i]
		if !t.counts(s.phase) {
			continue
		}
		open := s.hours.Between(s.from, s.to)
		if plus(counted, open) >= d {
			return s.hours.Add(s.from, d-counted)
		}
		counted = plus(counted, open)
	}
	if t.counts(t.phase) {
		return t.hours.Add(t.since, d-counted)
	}
	return time.Time{}
}

// Share returns a part of a goal in percent, rounded down to a nanosecond: what
// [Clock.When] takes for a threshold. A part below 0 is 0, and one too long is the
// longest there is.
func Share(goal time.Duration, percent int) time.Duration {
	if goal <= 0 || percent <= 0 {
		return 0
	}
	hi, lo := bits.Mul64(uint64(goal), uint64(percent))
	if hi >= 100 {
		return math.MaxInt64
	}
	quotient, _ := bits.Div64(hi, lo, 100)
	return time.Duration(min(quotient, math.MaxInt64))
}
