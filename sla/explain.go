package sla

import (
	"fmt"
	"strings"
	"text/tabwriter"
	"time"
)

// A Stretch is a part of a clock's cycle for which there is one reason to count
// it, or not to.
type Stretch struct {
	From    time.Time `json:"from"`
	To      time.Time `json:"to"`
	Counted bool      `json:"counted"`
	// Paused says that the clock was paused then.
	Paused bool `json:"paused,omitempty"`
	// Why is the reason, for people: "open", "paused: caller", "outside hours",
	// the name of a holiday.
	Why string `json:"why"`
}

// Length returns how long the stretch is by the clock on the wall.
func (s Stretch) Length() time.Duration { return s.To.Sub(s.From) }

// An Explanation is a reading and where it comes from: every stretch of the
// cycle, one after the other without a gap. Those that counted add up to
// Reading.Elapsed, and all of them to Reading.Wall, to the nanosecond.
type Explanation struct {
	Reading   Reading   `json:"reading"`
	Calendar  string    `json:"calendar"`
	Stretches []Stretch `json:"stretches"`
	// Zone is that of the calendar, in which String shows times.
	zone *time.Location
}

// Explain reads the clock at a moment and says how the figures came about. It
// takes time in proportion to the openings of the cycle.
func (c *Clock) Explain(now time.Time) Explanation {
	t := c.upTo(now)
	f := t.face()
	e := Explanation{Reading: f.read(now), Calendar: t.hours.Ref(), zone: t.hours.Location()}
	for i := t.first; i < len(t.laps); i++ {
		if s := &t.laps[i]; e.Reading.Stopped.IsZero() || s.from.Before(e.Reading.Stopped) {
			e.explain(&t, s)
		}
	}
	if t.phase.live() {
		e.explain(&t, &lap{t.since, now, t.phase, t.reason, t.hours})
	}
	return e
}

func (e *Explanation) explain(t *tail, s *lap) {
	if !s.phase.live() { // and was taken up again
		e.add(Stretch{From: s.from, To: s.to, Why: "stopped"})
		return
	}
	paused := ""
	if s.phase == pausing {
		paused = "paused"
		if s.reason != "" {
			paused += ": " + s.reason
		}
		if !t.counts(pausing) {
			e.add(Stretch{From: s.from, To: s.to, Paused: true, Why: paused})
			return
		}
		paused = " (" + paused + ", which does not move a promised date)"
	}
	at := s.from
	for o := range s.hours.Openings(s.from, s.to) {
		e.closed(s.hours, at, o.Open)
		e.add(Stretch{From: o.Open, To: o.Close, Counted: true, Why: "open" + paused})
		at = o.Close
	}
	e.closed(s.hours, at, s.to)
}

// closed adds time in which nothing is open, divided at the midnights at which the
// reason becomes another.
func (e *Explanation) closed(h *Hours, from, to time.Time) {
	for at := from; at.Before(to); {
		next := dawn(civil(at.In(h.Location())).AddDate(0, 0, 1), h.Location())
		if !next.After(at) || next.After(to) {
			next = to
		}
		e.add(Stretch{From: at, To: next, Why: h.Closed(at)})
		at = next
	}
}

// add adds a stretch, or makes the one before longer.
func (e *Explanation) add(s Stretch) {
	if !s.To.After(s.From) {
		return
	}
	s.From, s.To = s.From.UTC(), s.To.UTC()
	if n := len(e.Stretches); n > 0 {
		if last := &e.Stretches[n-1]; last.Counted == s.Counted && last.Paused == s.Paused && last.Why == s.Why {
			last.To = s.To
			return
		}
	}
	e.Stretches = append(e.Stretches, s)
}

// BurnDown returns the course of the clock for a chart. It needs a stretch, which
// a clock has from a moment after its start on.
func (e Explanation) BurnDown() BurnDown {
	left := e.Reading.Goal
	b := BurnDown{Goal: left}
	for i, s := range e.Stretches {
		if i == 0 {
			b.Points = append(b.Points, BurnPoint{At: s.From, Remaining: left})
		}
		switch {
		case s.Counted:
			left -= s.Length()
		case s.Paused:
			b.Paused = append(b.Paused, Period{s.From, s.To})
		default:
			b.Closed = append(b.Closed, Period{s.From, s.To})
		}
		b.Points = append(b.Points, BurnPoint{At: s.To, Remaining: left})
	}
	return b
}

// String returns the explanation as a table, in the calendar's time zone.
func (e Explanation) String() string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	const stamp = "Mon 2006-01-02 15:04:05 -07:00"
	in := func(t time.Time) string {
		if t.IsZero() {
			return "none"
		}
		if e.zone != nil {
			t = t.In(e.zone)
		}
		return t.Format(stamp)
	}
	for _, s := range e.Stretches {
		counted := "-"
		if s.Counted {
			counted = s.Length().String()
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", in(s.From), in(s.To), counted, s.Why)
	}
	r := e.Reading
	fmt.Fprintf(w, "\t%s at\t%s\t%s of %s, calendar %s\n", r.State, in(r.At), r.Elapsed, r.Goal, e.Calendar)
	fmt.Fprintf(w, "\tdeadline\t%s\t%s left\n", in(r.Deadline), r.Remaining)
	_ = w.Flush() // a strings.Builder takes everything
	return b.String()
}
