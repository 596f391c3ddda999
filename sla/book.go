package sla

import (
	"cmp"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"
)

// A Book holds agreements and the calendars that they name, all versions of them,
// and decides what happens to the targets of a record. A target whose agreement or
// calendar is not in the book any more is withdrawn, and measured from the start by
// what applies instead. It is immutable and safe
// for concurrent use. A nil *Book is an empty one.
type Book struct {
	calendars  Calendars
	agreements []Agreement // by name, then by version
}

// NewBook puts agreements and calendars together. It returns an [ErrInvalid] with
// every finding: what [Agreement.Validate] finds, versions that are there twice,
// calendars that are not there.
func NewBook(calendars []*Hours, agreements []Agreement) (*Book, error) {
	var f findings
	b := &Book{calendars: Calendars{}}
	for i, h := range calendars {
		field := fmt.Sprintf("calendars[%d]", i)
		if h == nil {
			f.check(false, field, "must not be nil")
			continue
		}
		f.name(h.Name(), join(field, "name"))
		f.check(b.calendars[h.Ref()] == nil, field, fmt.Sprintf("is there twice: %s", h.Ref()))
		b.calendars[h.Ref()] = h
	}
	refs := map[string]bool{}
	for i, a := range agreements {
		field := fmt.Sprintf("agreements[%d]", i)
		f.add(field, a.Validate())
		f.check(!refs[a.Ref()], field, fmt.Sprintf("is there twice: %s", a.Ref()))
		refs[a.Ref()] = true
		for j, m := range a.Metrics {
			for k, g := range m.Goals {
				name := cmp.Or(g.Calendar, m.Calendar)
				f.check(name == "" || b.calendars.newest(name) != nil, fmt.Sprintf("%s.metrics[%d].goals[%d].calendar", field, j, k),
					fmt.Sprintf("is not among the calendars: %q", name))
			}
		}
		b.agreements = append(b.agreements, a.clone())
	}
	if err := f.err(); err != nil {
		return nil, err
	}
	slices.SortStableFunc(b.agreements, func(a, c Agreement) int {
		return cmp.Or(strings.Compare(a.Name, c.Name), cmp.Compare(a.Version, c.Version))
	})
	return b, nil
}

// Clock returns the clock of a target; its errors are those of [Calendars.Clock].
func (b *Book) Clock(t Target) (*Clock, error) {
	if b == nil {
		return Calendars(nil).Clock(t)
	}
	return b.calendars.Clock(t)
}

// Hours returns a calendar by its name, the newest version of it, or by its
// [Hours.Ref], and whether it is there.
func (b *Book) Hours(name string) (*Hours, bool) {
	h := b.calendars.newest(name)
	return h, h != nil
}

// Agreement returns a version of an agreement, and whether it is there.
func (b *Book) Agreement(name string, version int) (Agreement, bool) {
	if a := b.find(name, version); a != nil {
		return a.clone(), true
	}
	return Agreement{}, false
}

// Agreements yields every version of every agreement, by name and version.
func (b *Book) Agreements() iter.Seq[Agreement] {
	return func(yield func(Agreement) bool) {
		for i := range b.agreements {
			if !yield(b.agreements[i].clone()) {
				return
			}
		}
	}
}

func (b *Book) find(name string, version int) *Agreement {
	if b == nil {
		return nil
	}
	for i := range b.agreements {
		if a := &b.agreements[i]; a.Name == name && a.Version == version {
			return a
		}
	}
	return nil
}

// A Promise is what an agreement promises to a record, before anything is
// measured.
type Promise struct {
	Agreement string `json:"agreement"`
	Version   int    `json:"version"`
	Kind      Kind   `json:"kind"`
	Metric    string `json:"metric"`
	Terms
}

// Promises lists what is promised to a record that was opened at a moment: one
// for each metric that has a goal for it.
func (b *Book) Promises(opened time.Time, f Facts) []Promise {
	if b == nil {
		return nil
	}
	var all []Promise
	for i := range b.agreements {
		a := &b.agreements[i]
		if !b.inForce(i, opened) {
			continue
		}
		for j := range a.Metrics {
			if m, rule := a.promise(a.Metrics[j].Name, f); rule != nil {
				d := draft{book: b}
				all = append(all, Promise{a.Name, a.Version, a.Kind, m.Name, d.terms(m, rule, f)})
			}
		}
	}
	return all
}

// A Snapshot is a record as an agreement sees it, at the moment at which
// something happened to it.
type Snapshot struct {
	At    time.Time
	Facts Facts
}

// Review decides what happens to a record's targets because of something that
// happened to the record. It returns no moves if nothing does.
//
// Opened is when the record was opened: it decides which version of an agreement
// applies. Past yields the record as it was before, oldest first; it is read only
// when a promise comes to apply to a record that is not new, so that its clock
// then has every pause that there was. Nil means that there was nothing before.
// The error is that of the past.
func (b *Book) Review(ts Targets, opened time.Time, now Snapshot, past iter.Seq2[Snapshot, error]) ([]Move, error) {
	r := review{book: b, opened: opened, now: now, past: past}
	// Those that are there go by the version under which they began.
	for i := range ts {
		d := &draft{book: b, Target: ts[i], phase: ts[i].phase()}
		a := b.find(d.Agreement, d.Version)
		m, rule := a.promise(d.Metric, now.Facts)
		missing := d.missing()
		switch {
		case missing != "":
			d.withdraw(now.At, missing+" is not known any more")
		case rule == nil:
			d.withdraw(now.At, "nothing is promised any more")
		case !d.Withdrawn:
			d.turn(a, m, rule, now)
		}
		if d.Withdrawn && rule != nil {
			if err := r.open(d, a, m, rule); err != nil {
				return nil, err
			}
		}
		r.moves = append(r.moves, d.done(now.At)...)
	}
	if b == nil {
		return r.moves, nil
	}
	ts = ts.Apply(r.moves)
	for i := range b.agreements {
		a := &b.agreements[i]
		if !b.inForce(i, opened) {
			continue
		}
		for j := range a.Metrics {
			m, rule := a.promise(a.Metrics[j].Name, now.Facts)
			if rule == nil || ts.holds(a, m.Name) {
				continue
			}
			d := &draft{book: b, Target: Target{Agreement: a.Name, Metric: m.Name}}
			if err := r.open(d, a, m, rule); err != nil {
				return nil, err
			}
			r.moves = append(r.moves, d.done(now.At)...)
		}
	}
	return r.moves, nil
}

// holds reports whether a metric is there already: under the same version, or
// under another one that still counts.
func (ts Targets) holds(a *Agreement, metric string) bool {
	i := ts.index(a.Name, metric)
	return i >= 0 && (ts[i].Version == a.Version || !ts[i].Withdrawn)
}

// review is one call of [Book.Review].
type review struct {
	book   *Book
	opened time.Time
	now    Snapshot
	past   iter.Seq2[Snapshot, error]
	// before is what past yielded, once it was read.
	before []Snapshot
	moves  []Move
}

// open begins a target, if it is time: as if the promise had been there from the
// beginning.
func (r *review) open(d *draft, a *Agreement, m *Metric, rule *GoalRule) error {
	if !m.Start.holdOr(r.now.Facts, true) {
		return nil
	}
	if r.past != nil && r.before == nil {
		for s, err := range r.past {
			if err != nil {
				return err
			}
			r.before = append(r.before, s)
		}
	}
	terms := d.terms(m, rule, r.now.Facts)
	d.begin(a, terms)
	started := false
	for _, s := range append(slices.Clip(r.before), r.now) {
		switch {
		case started:
		case m.From == FromOpening:
			d.mark(Mark{At: r.opened, Do: Start})
		case m.Start.holdOr(s.Facts, true):
			d.mark(Mark{At: s.At, Do: Start})
		default:
			continue
		}
		d.follow(a, m, terms, s, !started)
		started = true
	}
	return nil
}

// inForce reports whether the i-th agreement is the version that applies to what
// was opened at a moment: the one that came into force last, if it still was.
func (b *Book) inForce(i int, opened time.Time) bool {
	a := &b.agreements[i]
	if opened.Before(a.From) {
		return false
	}
	for j := range b.agreements {
		// Of two that came into force together the higher version counts, and
		// these are in the order of their versions.
		if c := &b.agreements[j]; c.Name == a.Name && !opened.Before(c.From) &&
			(c.From.After(a.From) || c.From.Equal(a.From) && j > i) {
			return false
		}
	}
	return a.Until.IsZero() || opened.Before(a.Until)
}

// promise returns a metric and the goal's rule for a record, nil if nothing is
// promised to it.
func (a *Agreement) promise(metric string, f Facts) (*Metric, *GoalRule) {
	m := a.metric(metric)
	if m == nil || !a.Applies.holdOr(f, true) {
		return nil, nil
	}
	for j := range m.Goals {
		if _, ok := m.Goals[j].goal(f); ok {
			return m, &m.Goals[j]
		}
	}
	return nil, nil
}

// metric returns a metric by its name, nil if there is none; no agreement has any.
func (a *Agreement) metric(name string) *Metric {
	if a == nil {
		return nil
	}
	for i := range a.Metrics {
		if a.Metrics[i].Name == name {
			return &a.Metrics[i]
		}
	}
	return nil
}

// A draft is a target while it is decided what happens to it.
type draft struct {
	book *Book
	Target
	phase phase
	move  *Move // the last of moves, if something was decided
	moves []Move
}

// next returns the move that is being decided.
func (d *draft) next() *Move {
	if d.move == nil {
		d.moves = append(d.moves, Move{Agreement: d.Agreement, Metric: d.Metric})
		d.move = &d.moves[len(d.moves)-1]
	}
	return d.move
}

// mark makes a mark.
func (d *draft) mark(m Mark) {
	switch m.Do {
	case Start, Resume:
		d.phase = counting
	case Retract:
		d.phase = d.before()
	case Pause:
		d.phase = pausing
	case Stop:
		d.phase = stopped
	case Cancel:
		d.phase = cancelled
	case Reset, SetGoal, SetCalendar:
	}
	if n := len(d.Marks); n > 0 {
		// The order of a record's history is that of its versions: the clock of
		// another host may be behind.
		m.At = later(m.At, d.Marks[n-1].At)
	}
	move := d.next()
	move.Marks = append(move.Marks, m)
	d.Marks = append(slices.Clip(d.Marks), m)
}

// before returns what a clock that has ended did before that.
func (d *draft) before() phase {
	for _, m := range slices.Backward(d.Marks) {
		switch m.Do {
		case Pause:
			return pausing
		case Start, Resume:
			return counting
		default:
		}
	}
	return counting
}

// begin begins a cycle.
func (d *draft) begin(a *Agreement, terms Terms) {
	d.move = nil
	d.next().Open = &Opened{Version: a.Version, Kind: a.Kind, Terms: terms}
	d.Version, d.Kind, d.Terms, d.Marks, d.Passed = a.Version, a.Kind, terms, nil, nil
	d.phase, d.Withdrawn = waiting, false
}

// settle says how the target stands, and that this is the end of a move.
func (d *draft) settle(at time.Time) {
	if d.move != nil {
		d.move.Standing = d.stand(at)
		d.move = nil
	}
}

// done returns what was decided.
func (d *draft) done(at time.Time) []Move {
	d.settle(at)
	return d.moves
}

// missing names what a target refers to and the book does not have.
func (d *draft) missing() string {
	if d.book.find(d.Agreement, d.Version) == nil {
		return ref(d.Agreement, d.Version)
	}
	if d.book.calendars[d.Calendar] == nil {
		return d.Calendar
	}
	for _, m := range d.Marks {
		if m.Do == SetCalendar && d.book.calendars[m.Calendar] == nil {
			return m.Calendar
		}
	}
	return ""
}

// withdraw ends a target that nobody promises any more.
func (d *draft) withdraw(at time.Time, why string) {
	if d.phase.live() {
		d.Withdrawn = true
		d.mark(Mark{At: at, Do: Cancel, Reason: why})
		d.settle(at)
	}
}

// turn lets a target follow the record: by other terms first, if it counts.
func (d *draft) turn(a *Agreement, m *Metric, rule *GoalRule, s Snapshot) {
	terms := d.terms(m, rule, s.Facts)
	live := d.phase.live()
	if live {
		d.measureBy(a, m, terms, s.At)
	}
	d.follow(a, m, terms, s, false)
	if !live && d.phase.live() {
		d.measureBy(a, m, terms, s.At)
	}
}

// measureBy makes a target that counts one of other terms, if they are others.
func (d *draft) measureBy(a *Agreement, m *Metric, terms Terms, at time.Time) {
	goal, calendar := d.present()
	switch {
	case terms.Goal == goal && terms.Calendar == calendar:
	case m.Base == FromNow:
		d.again(a, terms, at, Mark{At: at, Do: Cancel, Reason: "another goal applies"})
	default:
		if terms.Calendar != calendar {
			d.mark(Mark{At: at, Do: SetCalendar, Calendar: terms.Calendar})
		}
		if terms.Goal != goal {
			d.mark(Mark{At: at, Do: SetGoal, Goal: terms.Goal})
		}
	}
}

// again ends the cycle with a mark and begins the next. What is paused stays so.
func (d *draft) again(a *Agreement, terms Terms, at time.Time, end Mark) {
	paused, reason := d.phase == pausing, d.reason()
	d.mark(end)
	d.settle(at)
	d.begin(a, terms)
	d.mark(Mark{At: at, Do: Start})
	if paused {
		d.mark(Mark{At: at, Do: Pause, Reason: reason})
	}
}

// reason returns what the last pause was for.
func (d *draft) reason() string {
	for _, m := range slices.Backward(d.Marks) {
		if m.Do == Pause {
			return m.Reason
		}
	}
	return ""
}

// present returns the goal and calendar that are in force.
func (t *Target) present() (Goal, string) {
	goal, calendar := t.Goal, t.Calendar
	for _, m := range t.Marks {
		switch m.Do {
		case SetGoal:
			goal = m.Goal
		case SetCalendar:
			calendar = m.Calendar
		default:
		}
	}
	return goal, calendar
}

// terms returns what a target is to be measured by. Of a calendar that it has
// already it keeps the version.
func (d *draft) terms(m *Metric, rule *GoalRule, f Facts) Terms {
	goal, _ := rule.goal(f)
	name := cmp.Or(rule.Calendar, m.Calendar)
	_, calendar := d.present()
	if have, _, _ := strings.Cut(calendar, "@"); have != name && calendar != name || d.book.calendars[calendar] == nil {
		calendar = d.book.calendars.newest(name).Ref()
	}
	return Terms{Calendar: calendar, Goal: goal}
}

// follow makes the marks that a record's facts call for. Fresh says that the
// cycle began just so.
func (d *draft) follow(a *Agreement, m *Metric, terms Terms, s Snapshot, fresh bool) {
	at, f := s.At, s.Facts
	if c, ok := m.Cancel.find(f); ok {
		if d.phase.live() {
			d.mark(Mark{At: at, Do: Cancel, Reason: c.seen(f)})
		}
		return
	}
	stop, stops := m.Stop.find(f)
	if !d.phase.live() {
		if stops {
			return
		}
		reopen := m.Reopen
		if reopen == ReopenNever && d.phase == cancelled {
			reopen = ReopenResume // there is no result to be left as it is
		}
		switch reopen {
		case ReopenNever:
			return
		case ReopenRestart:
			if !m.Start.holdOr(f, true) {
				return
			}
			d.settle(at)
			d.begin(a, terms)
			d.mark(Mark{At: at, Do: Start})
		case ReopenCount:
			d.mark(Mark{At: at, Do: Retract, Reason: "taken up again"})
		case ReopenResume:
			d.mark(Mark{At: at, Do: Resume, Reason: "taken up again"})
		}
		fresh = true
	}
	if stops {
		d.mark(Mark{At: at, Do: Stop, Reason: stop.seen(f)})
		return
	}
	if c, ok := m.Reset.find(f); ok && !fresh {
		d.again(a, terms, at, Mark{At: at, Do: Stop, Reason: c.seen(f)})
	}
	pause, pauses := m.Pause.find(f)
	switch {
	case pauses && (d.phase == counting || d.reason() != pause.seen(f)):
		d.mark(Mark{At: at, Do: Pause, Reason: pause.seen(f)})
	case !pauses && d.phase == pausing:
		d.mark(Mark{At: at, Do: Resume})
	}
}

// stand resolves the standing of a target at a moment, by its clock.
func (d *draft) stand(at time.Time) Standing {
	c, err := d.book.Clock(d.Target)
	if err != nil {
		// A calendar that is gone: nothing can be measured any more.
		s := Standing{State: d.State, Paused: d.phase == pausing, Withdrawn: d.Withdrawn}
		if d.phase == cancelled {
			s.State = Cancelled
		}
		return s
	}
	r := c.At(later(at, c.tail.since))
	s := Standing{State: r.State, Paused: r.Paused, Deadline: r.Deadline, Withdrawn: d.Withdrawn}
	if d.phase.live() {
		s.Next, s.NextAt = d.nextThreshold(c, r)
	}
	return s
}

// tick is the smallest step of time that records keep: what is past its goal is
// so a tick later at the earliest.
const tick = time.Microsecond

// nextThreshold returns the first threshold that was not passed and when it is.
func (d *draft) nextThreshold(c *Clock, r Reading) (next string, nextAt time.Time) {
	consider := func(name string, at time.Time) {
		if !at.IsZero() && !d.has(name) && (next == "" || at.Before(nextAt)) {
			next, nextAt = name, at
		}
	}
	if m := d.book.find(d.Agreement, d.Version).metric(d.Metric); m != nil {
		for _, t := range m.Thresholds {
			for name, elapsed := range t.steps(r.Goal) {
				consider(name, ceil(c.When(elapsed)))
			}
		}
	}
	switch {
	case !r.Breach.IsZero():
		consider(ThresholdBreach, ceil(r.Breach.Add(1)))
	case !r.Projected.IsZero() && c.face.counts():
		consider(ThresholdBreach, ceil(r.Projected.Add(1)))
	}
	return next, nextAt
}

// ceil rounds a time up to what records keep.
func ceil(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	if down := t.Truncate(tick); down.Before(t) {
		return down.Add(tick)
	}
	return t
}

// steps yields the names of a threshold, more than one if it repeats, and the
// open time at which each is passed.
func (t Threshold) steps(goal time.Duration) iter.Seq2[string, time.Duration] {
	return func(yield func(string, time.Duration) bool) {
		elapsed := Share(goal, t.Percent)
		switch {
		case t.After > 0:
			elapsed = plus(goal, t.After)
		case t.Percent == 0:
			elapsed = max(0, goal+t.After)
		}
		name := t.name()
		for i := range max(1, t.Times) {
			if i > 0 {
				elapsed = plus(elapsed, t.Every)
				name = fmt.Sprintf("%s#%d", t.name(), i+1)
			}
			if !yield(name, elapsed) {
				return
			}
		}
	}
}

// Pass decides what time alone brings: the thresholds that are passed at a moment
// or were before it. It returns no moves if there are none.
func (b *Book) Pass(ts Targets, due time.Time) []Move {
	var moves []Move
	for i := range ts {
		if at := ts[i].NextAt; at.IsZero() || at.After(due) {
			continue
		}
		d := &draft{book: b, Target: ts[i], phase: ts[i].phase()}
		for !d.NextAt.IsZero() && !d.NextAt.After(due) {
			p := Passing{Threshold: d.Next, At: d.NextAt, Do: d.todo(d.Next)}
			d.Passed = append(slices.Clip(d.Passed), p)
			move := d.next()
			move.Passed = append(move.Passed, p)
			d.Standing = d.stand(p.At)
		}
		moves = append(moves, d.done(due)...)
	}
	return moves
}

// todo returns what is to be done at a threshold.
func (d *draft) todo(threshold string) []Escalation {
	m := d.book.find(d.Agreement, d.Version).metric(d.Metric)
	if m == nil {
		return nil
	}
	for _, t := range m.Thresholds {
		for name := range t.steps(0) {
			if name == threshold {
				return slices.Clone(t.Do)
			}
		}
	}
	return nil
}
