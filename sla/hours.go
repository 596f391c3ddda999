package sla

import (
	"fmt"
	"iter"
	"math"
	"strings"
	"time"
)

// Hours are a compiled calendar. They are immutable and safe for concurrent use.
//
// All questions take instants with any location and answer in UTC, exact to the
// nanosecond, for the years 1 to 9999; outside these a calendar is closed. Open
// time is real time: on a day on which clocks change, a window is what the clock
// on the wall shows, so that an hour that is skipped does not count and one that
// comes twice counts twice.
//
// Within the [Horizon], questions cost the same however far apart the instants
// are, and allocate nothing. Outside it they walk: some microseconds for each
// year on the way.
type Hours struct {
	calendar Calendar
	root     *node
	table    table
}

// Compile checks a calendar and compiles it for the years 1970 to 2100. See
// [Calendar.CompileFor].
func (c Calendar) Compile() (*Hours, error) { return c.CompileFor(Horizon{}) }

// CompileFor checks a calendar and compiles it. It returns an [ErrInvalid] with
// everything that is wrong with the calendar and the horizon, zones that are not
// found among it, and for a calendar that is not open for a single second from
// year 1 to 9999. It does not keep the calendar: later changes to its lists do
// no harm.
func (c Calendar) CompileFor(h Horizon) (*Hours, error) {
	h, wrong := h.resolve()
	k := checker{zones: map[string]*time.Location{}, location: h.Location}
	err := c.check(&k)
	if wrong != nil {
		k.findings = append(Findings(err), Findings(wrong)...)
		err = k.err()
	}
	if err != nil {
		return nil, err
	}
	c = c.clone()
	hours := &Hours{calendar: c, root: newNode(&c, k.zones)}
	from, to := h.From.day().second(), h.To.day().second()
	hours.table = newTable(hours.root, floorDiv(from, secondsPerWeek), floorDiv(to-1, secondsPerWeek)+1)
	if hours.table.open() == 0 {
		if _, opens := hours.openFrom(firstSecond); !opens {
			return nil, &Finding{Reason: "never opens"}
		}
	}
	return hours, nil
}

func newNode(c *Calendar, zones map[string]*time.Location) *node {
	n := &node{name: c.Name, op: c.Op}
	if c.Op == "" {
		n.rota = newRota(c, zones[c.Zone])
		return n
	}
	for i := range c.Of {
		n.of = append(n.of, newNode(&c.Of[i], zones))
	}
	return n
}

// Name returns the calendar's name.
func (h *Hours) Name() string { return h.calendar.Name }

// Version returns the calendar's version.
func (h *Hours) Version() int { return h.calendar.Version }

// Ref names the calendar's version, "berlin@3", as clocks and targets refer to it.
func (h *Hours) Ref() string { return ref(h.Name(), h.Version()) }

// Location returns the calendar's time zone, for showing times in; that of the
// first calendar if it combines several.
func (h *Hours) Location() *time.Location {
	n := h.root
	for n.rota == nil {
		n = n.of[0]
	}
	return n.rota.loc
}

// Calendar returns a copy of the calendar, which the caller may change.
func (h *Hours) Calendar() Calendar { return h.calendar.clone() }

// Between returns the open time from a until just before b. It is 0 if b is not
// after a, and the largest Duration, some 292 years, if it is more than that.
func (h *Hours) Between(a, b time.Time) time.Duration {
	from, fromNano := a.Unix(), int64(a.Nanosecond())
	to, toNano := b.Unix(), int64(b.Nanosecond())
	if from > to || from == to && fromNano >= toNano {
		return 0
	}
	if !h.table.holds(from) || !h.table.holds(to) {
		return h.betweenFar(from, fromNano, to, toNano)
	}
	n, open := h.table.rank(from)
	m, stillOpen := h.table.rank(to)
	if !open {
		fromNano = 0
	}
	if !stillOpen {
		toNano = 0
	}
	return duration(m-n, toNano-fromNano)
}

func (h *Hours) betweenFar(from, fromNano, to, toNano int64) time.Duration {
	var seconds, nanos int64
	for p := range h.forward(from) {
		start, end := p.bounds()
		if to < start || seconds > mostSeconds+1 {
			break // which is the largest Duration, whatever the nanoseconds
		}
		seconds += p.open()
		if from >= start {
			n, open := p.rank(from)
			seconds -= n
			if open {
				nanos -= fromNano
			}
		}
		if to < end {
			n, open := p.rank(to)
			seconds -= p.open() - n
			if open {
				nanos += toNano
			}
		}
	}
	return duration(seconds, nanos)
}

// Add returns the instant that open time d away from t is reached.
//
// For a positive d that is the earliest one, not before t, with
// Between(t, it) == d: the time of closing, if that is when it is reached, and
// not the next opening; [Hours.NextOpen] returns that. For a negative d it is the
// latest one, not after t, with Between(it, t) == -d. For 0 it is t.
//
// It returns the zero Time if that is not reached by the end of year 9999, or
// from the beginning of year 1.
func (h *Hours) Add(t time.Time, d time.Duration) time.Time {
	sec, nano := t.Unix(), int64(t.Nanosecond())
	if d == 0 {
		return time.Unix(sec, nano).UTC()
	}
	if h.table.holds(sec) {
		n, open := h.table.rank(sec)
		if !open {
			nano = 0
		}
		if seconds, rest := target(n, nano, d); seconds >= 0 && seconds < h.table.open() {
			return instant(h.table.at(seconds), rest)
		}
	}
	return h.addFar(sec, int64(t.Nanosecond()), d)
}

// target returns the number of the open second in which open time d from one is
// reached, and the nanoseconds that it is reached after the second's beginning:
// up to 999,999,999 if d is negative, and from 1 to 1,000,000,000 if it is not,
// which reaches a round second at the end of the one before.
func target(n, nano int64, d time.Duration) (seconds, nanos int64) {
	seconds, nanos = n+int64(d/time.Second), nano+int64(d%time.Second)
	switch {
	case nanos < 0:
		seconds, nanos = seconds-1, nanos+int64(time.Second)
	case nanos >= int64(time.Second):
		seconds, nanos = seconds+1, nanos-int64(time.Second)
	}
	if d > 0 && nanos == 0 {
		seconds, nanos = seconds-1, int64(time.Second)
	}
	return seconds, nanos
}

func (h *Hours) addFar(sec, nano int64, d time.Duration) time.Time {
	pieces := h.forward(sec)
	if d < 0 {
		pieces = h.backward(sec)
	}
	var seconds, nanos int64
	first := true
	for p := range pieces {
		start, end := p.bounds()
		if first {
			first = false
			var n int64
			open := false
			switch {
			case sec >= end:
				n = p.open()
			case sec >= start:
				n, open = p.rank(sec)
			}
			if !open {
				nano = 0
			}
			seconds, nanos = target(n, nano, d)
		} else if d < 0 {
			seconds += p.open()
		}
		if seconds >= 0 && seconds < p.open() {
			return instant(p.at(seconds), nanos)
		}
		if d > 0 {
			seconds -= p.open()
		}
	}
	return time.Time{}
}

// IsOpen reports whether the calendar is open at t.
func (h *Hours) IsOpen(t time.Time) bool {
	sec := t.Unix()
	if h.table.holds(sec) {
		_, open := h.table.rank(sec)
		return open
	}
	for p := range h.forward(sec) {
		if start, _ := p.bounds(); sec < start {
			break
		}
		_, open := p.rank(sec)
		return open
	}
	return false
}

// NextOpen returns t itself if the calendar is open at t, and otherwise the
// beginning of the next opening. Asked with a deadline that [Hours.Add] returned,
// it says when work goes on after it. It returns the zero Time if the calendar
// does not open any more.
func (h *Hours) NextOpen(t time.Time) time.Time {
	sec := t.Unix()
	switch first, ok := h.openFrom(sec); {
	case !ok:
		return time.Time{}
	case first == sec:
		return instant(sec, int64(t.Nanosecond()))
	default:
		return instant(first, 0)
	}
}

// NextClose returns the end of the opening that t is in, or of the next one. It
// returns the zero Time if there is none, or if the calendar does not close any
// more.
func (h *Hours) NextClose(t time.Time) time.Time {
	if open, ok := h.openFrom(t.Unix()); ok {
		if closed, ok := h.closedFrom(open); ok {
			return instant(closed, 0)
		}
	}
	return time.Time{}
}

// PreviousOpen returns the beginning of the opening that t is in, or of the last
// one before t. It returns the zero Time if there is none.
func (h *Hours) PreviousOpen(t time.Time) time.Time {
	if open, ok := h.lastOpen(t.Unix()); ok {
		return instant(h.lastClosed(open)+1, 0)
	}
	return time.Time{}
}

// PreviousClose returns the end of the last opening that ended by t. It returns
// the zero Time if there is none.
func (h *Hours) PreviousClose(t time.Time) time.Time {
	if open, ok := h.lastOpen(h.lastClosed(t.Unix())); ok {
		return instant(open+1, 0)
	}
	return time.Time{}
}

// An Opening is a time during which a calendar is open: from Open until just
// before Close.
type Opening struct {
	Open, Close time.Time
}

// Openings yields the openings from one instant until just before another, in
// order, cut off at both. Between two of them the calendar is closed: windows
// that overlap or touch make one opening. The sequence can be ranged over again.
func (h *Hours) Openings(from, to time.Time) iter.Seq[Opening] {
	return func(yield func(Opening) bool) {
		first, firstNano := from.Unix(), int64(from.Nanosecond())
		last, lastNano := to.Unix(), int64(to.Nanosecond())
		// cut yields an opening of whole seconds.
		cut := func(open, close int64) bool {
			o := Opening{Open: time.Unix(open, 0).UTC(), Close: time.Unix(close, 0).UTC()}
			if open <= first {
				o.Open = time.Unix(first, firstNano).UTC()
			}
			if close > last {
				o.Close = time.Unix(last, lastNano).UTC()
			}
			return !o.Open.Before(o.Close) || yield(o)
		}
		var begun, ends int64
		more, any := true, false
		for p := range h.forward(first) {
			start, _ := p.bounds()
			if start > last {
				break
			}
			wants := p.spans(max(first, start), func(open, close int64) bool {
				if any && open == ends {
					ends = close
					return ends <= last
				}
				if more = !any || cut(begun, ends); !more {
					return false
				}
				begun, ends, any = open, close, true
				return open <= last
			})
			if !wants {
				break
			}
		}
		if more && any {
			cut(begun, ends)
		}
	}
}

// Closed says why the calendar is closed at t, for people: the name of a
// holiday, or "holiday" if it has none, "exception", or "outside hours". For
// calendars that are combined it says so of those that keep it closed. It
// returns "" if the calendar is open. It takes some microseconds.
func (h *Hours) Closed(t time.Time) string {
	if h.IsOpen(t) {
		return ""
	}
	if sec := t.Unix(); sec < firstSecond || sec >= endSecond {
		return outsideHours
	}
	return h.root.closed(t)
}

const outsideHours = "outside hours"

// openAt reports whether a node is open at an instant.
func (n *node) openAt(sec int64) bool {
	week := floorDiv(sec, secondsPerWeek)
	spans, _ := n.walk().week(week * secondsPerWeek)
	o := openings(spans)
	o.count()
	_, open := o.rank(int32(sec-week*secondsPerWeek), 0, len(o))
	return open
}

// closed says why a node is closed.
func (n *node) closed(t time.Time) string {
	switch n.op {
	case OpUnion, OpIntersection:
		var reasons []string
		for _, one := range n.of {
			if n.op == OpUnion || !one.openAt(t.Unix()) {
				reasons = append(reasons, one.closedNamed(t))
			}
		}
		return strings.Join(reasons, "; ")
	case OpDifference:
		if !n.of[0].openAt(t.Unix()) {
			return n.of[0].closedNamed(t)
		}
		for _, one := range n.of[1:] {
			if one.openAt(t.Unix()) && one.name != "" {
				return "during " + one.name
			}
		}
		return "taken out"
	default:
		return n.rota.closed(t)
	}
}

// closedNamed says whose reason it is, if that has a name.
func (n *node) closedNamed(t time.Time) string {
	if n.name == "" {
		return n.closed(t)
	}
	return fmt.Sprintf("%s: %s", n.name, n.closed(t))
}

// closed says why a rota is closed.
func (r *rota) closed(t time.Time) string {
	civil := t.In(r.loc)
	d := DateOf(civil).day()
	if reason := r.special(d); reason != "" {
		return reason
	}
	// A window of the day before would have run on until now, had that day not
	// been special.
	v, _ := r.at(d - 1)
	second := secondsPerDay + int64(civil.Hour()*3600+civil.Minute()*60+civil.Second())
	for _, w := range v.weekly[(d - 1).weekday()] {
		if second >= w.open && second < w.close {
			return r.special(d - 1)
		}
	}
	return outsideHours
}

// special says what is special about a date, or nothing.
func (r *rota) special(d day) string {
	v, _ := r.at(d)
	if _, ok := v.exceptions[d]; ok {
		return "exception"
	}
	name, ok := v.holidays.name(d)
	if ok && name == "" {
		return "holiday"
	}
	return name
}

// forward yields the pieces of time from the one that a second is in.
func (h *Hours) forward(sec int64) iter.Seq[piece] {
	return func(yield func(piece) bool) {
		from, to := floorDiv(h.table.start, secondsPerWeek), floorDiv(h.table.end, secondsPerWeek)
		week := max(floorDiv(sec, secondsPerWeek), firstWeek)
		if sec >= endSecond {
			return
		}
		for r := range h.root.walk().runs(week, from) {
			if !yield(&r) {
				return
			}
		}
		if week < to && !yield(&h.table) {
			return
		}
		for r := range h.root.walk().runs(max(week, to), endWeek) {
			if !yield(&r) {
				return
			}
		}
	}
}

// backward yields the pieces of time back from the one that a second is in.
func (h *Hours) backward(sec int64) iter.Seq[piece] {
	return func(yield func(piece) bool) {
		from, to := floorDiv(h.table.start, secondsPerWeek), floorDiv(h.table.end, secondsPerWeek)
		week := min(floorDiv(sec, secondsPerWeek)+1, endWeek)
		if sec < firstSecond {
			return
		}
		for r := range h.root.walk().runsBack(week, to) {
			if !yield(&r) {
				return
			}
		}
		if week > from && !yield(&h.table) {
			return
		}
		for r := range h.root.walk().runsBack(min(week, from), firstWeek) {
			if !yield(&r) {
				return
			}
		}
	}
}

// openFrom returns the first open second from one on.
func (h *Hours) openFrom(sec int64) (int64, bool) {
	if h.table.holds(sec) {
		if n, _ := h.table.rank(sec); n < h.table.open() {
			return h.table.at(n), true
		}
	}
	for p := range h.forward(sec) {
		start, _ := p.bounds()
		if n, _ := p.rank(max(sec, start)); n < p.open() {
			return p.at(n), true
		}
	}
	return 0, false
}

// closedFrom returns the first closed second from one on, and whether that is
// within the years that are known.
func (h *Hours) closedFrom(sec int64) (int64, bool) {
	if h.table.holds(sec) {
		if at, ok := closedFrom(&h.table, sec); ok {
			return at, at < endSecond
		}
	}
	for p := range h.forward(sec) {
		if at, ok := closedFrom(p, sec); ok {
			return at, at < endSecond
		}
	}
	return 0, false
}

func closedFrom(p piece, sec int64) (int64, bool) {
	start, end := p.bounds()
	sec = max(sec, start)
	n, _ := p.rank(sec)
	if n = sec - start - n; n < end-start-p.open() {
		return p.closedAt(n), true
	}
	return 0, false
}

// lastOpen returns the last open second up to one.
func (h *Hours) lastOpen(sec int64) (int64, bool) {
	if h.table.holds(sec) {
		if at, ok := lastOpen(&h.table, sec); ok {
			return at, true
		}
	}
	for p := range h.backward(sec) {
		if at, ok := lastOpen(p, sec); ok {
			return at, true
		}
	}
	return 0, false
}

func lastOpen(p piece, sec int64) (int64, bool) {
	_, end := p.bounds()
	n, open := p.rank(min(sec, end-1))
	if open {
		n++
	}
	if n == 0 {
		return 0, false
	}
	return p.at(n - 1), true
}

// lastClosed returns the last closed second up to one. Before the years that are
// known every second is.
func (h *Hours) lastClosed(sec int64) int64 {
	if h.table.holds(sec) {
		if at, ok := lastClosed(&h.table, sec); ok {
			return max(at, firstSecond-1)
		}
	}
	for p := range h.backward(sec) {
		if at, ok := lastClosed(p, sec); ok {
			return max(at, firstSecond-1)
		}
	}
	return firstSecond - 1
}

func lastClosed(p piece, sec int64) (int64, bool) {
	start, end := p.bounds()
	sec = min(sec, end-1)
	n, open := p.rank(sec)
	if n = sec - start - n; !open {
		n++
	}
	if n == 0 {
		return 0, false
	}
	return p.closedAt(n - 1), true
}

// instant returns an instant, or the zero Time from the end of year 9999 on.
func instant(sec, nano int64) time.Time {
	t := time.Unix(sec, nano).UTC()
	if t.Unix() >= endSecond {
		return time.Time{}
	}
	return t
}

// mostSeconds is the whole seconds of the largest Duration.
const mostSeconds = math.MaxInt64 / int64(time.Second)

// duration returns seconds and nanoseconds, of which there may be less than 0,
// or the largest Duration.
func duration(seconds, nanos int64) time.Duration {
	if nanos < 0 {
		seconds, nanos = seconds-1, nanos+int64(time.Second)
	}
	if seconds > mostSeconds || seconds == mostSeconds && nanos > math.MaxInt64%int64(time.Second) {
		return math.MaxInt64
	}
	return time.Duration(seconds*int64(time.Second) + nanos)
}
