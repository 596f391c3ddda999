package sla

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Calendars are compiled calendars by their [Hours.Ref]. Every version that a
// clock refers to has to be among them.
type Calendars map[string]*Hours

// Clock returns the clock of a target. It returns an [ErrInvalid] with every
// finding if it refers to a calendar that is not there.
func (cs Calendars) Clock(t Target) (*Clock, error) {
	hours := cs[t.Calendar]
	if hours == nil {
		return nil, &Finding{Field: "calendar", Reason: fmt.Sprintf("is not known: %q", t.Calendar)}
	}
	return newClock(t.Goal, hours, t.Marks, cs)
}

// newest returns the newest version of a calendar by its name, or the one that a
// reference with a version names.
func (cs Calendars) newest(name string) *Hours {
	if strings.Contains(name, "@") {
		return cs[name]
	}
	var found *Hours
	for _, h := range cs {
		if h.Name() == name && (found == nil || h.Version() > found.Version()) {
			found = h
		}
	}
	return found
}

// A Target is one metric of one agreement for one record: what a record keeps of
// it, as a value. What it holds is the goal and calendar, each with its version,
// and the marks of the present cycle, of which [Calendars.Clock] makes a clock
// again. Its standing was resolved from these when the last mark was made, so that
// a list can be sorted by deadline without any calendar.
type Target struct {
	Agreement string `json:"agreement"`
	Version   int    `json:"version"`
	Kind      Kind   `json:"kind"`
	Metric    string `json:"metric"`
	// Terms are those of the present cycle at its start.
	Terms
	// Cycle counts from 1.
	Cycle int    `json:"cycle"`
	Marks []Mark `json:"marks"`
	// Passed are the thresholds that were passed in this cycle.
	Passed []Passing `json:"passed,omitempty"`
	Standing
}

// Terms are what a cycle is measured by.
type Terms struct {
	Calendar string `json:"calendar"`
	Goal     Goal   `json:"goal,omitzero"`
}

// A Standing is how a target stands after its last mark.
type Standing struct {
	State State `json:"state"`
	// Paused says that it does not count, also where State is Breached.
	Paused bool `json:"paused,omitempty"`
	// Withdrawn says that it was cancelled because nothing is promised any more.
	Withdrawn bool `json:"withdrawn,omitempty"`
	// Deadline is that of [Reading].
	Deadline time.Time `json:"deadline,omitzero"`
	// Next is the next threshold and NextAt when it is passed if nothing
	// happens before; zero if none will be.
	Next   string    `json:"next,omitempty"`
	NextAt time.Time `json:"next_at,omitzero"`
}

// A Passing is a threshold and when it was passed.
type Passing struct {
	Threshold string    `json:"threshold"`
	At        time.Time `json:"at"`
	// Do is what was to be done then.
	Do []Escalation `json:"do,omitempty"`
}

// Is reports whether a target is that of an agreement's metric.
func (t Target) Is(agreement, metric string) bool {
	return t.Agreement == agreement && t.Metric == metric
}

// Breached reports whether it was found past its goal in this cycle, whatever
// the goal is now.
func (t Target) Breached() bool { return t.has(ThresholdBreach) }

func (t Target) has(threshold string) bool {
	return slices.ContainsFunc(t.Passed, func(p Passing) bool { return p.Threshold == threshold })
}

// phase returns what its clock does.
func (t *Target) phase() phase {
	switch {
	case t.State == Cancelled:
		return cancelled
	case t.State == Met || t.State == Missed:
		return stopped
	case t.State == Pending:
		return waiting
	case t.Paused:
		return pausing
	}
	return counting
}

// A Move is what happens to one target of a record: the decision of a [Book] as
// a value, which needs neither agreements nor calendars to be applied.
type Move struct {
	Agreement string `json:"agreement"`
	Metric    string `json:"metric"`
	// Open, if it is there, begins a new target, or a new cycle of the one that
	// is there.
	Open *Opened `json:"open,omitempty"`
	// Marks are the new ones, Passed the thresholds that were passed.
	Marks  []Mark    `json:"marks,omitempty"`
	Passed []Passing `json:"passed,omitempty"`
	// Standing is how it stands afterwards.
	Standing
}

// Opened is what a new cycle is measured by.
type Opened struct {
	Version int  `json:"version"`
	Kind    Kind `json:"kind"`
	Terms
}

// Targets are those of one record, in the order in which they began.
type Targets []Target

// Find returns a target by its agreement and metric.
func (ts Targets) Find(agreement, metric string) (Target, bool) {
	if i := ts.index(agreement, metric); i >= 0 {
		return ts[i], true
	}
	return Target{}, false
}

func (ts Targets) index(agreement, metric string) int {
	return slices.IndexFunc(ts, func(t Target) bool { return t.Is(agreement, metric) })
}

// Apply returns the targets after moves. It changes nothing that it was given,
// and keeps nothing of the moves.
func (ts Targets) Apply(moves []Move) Targets {
	after := slices.Clone(ts)
	for _, m := range moves {
		i := after.index(m.Agreement, m.Metric)
		if i < 0 {
			i = len(after)
			after = append(after, Target{Agreement: m.Agreement, Metric: m.Metric})
		}
		after[i].apply(m)
	}
	return after
}

func (t *Target) apply(m Move) {
	if m.Open != nil {
		t.Version, t.Kind, t.Terms = m.Open.Version, m.Open.Kind, m.Open.Terms
		t.Cycle++
		t.Marks, t.Passed = nil, nil
	}
	t.Marks = slices.Concat(t.Marks, m.Marks)
	t.Passed = slices.Concat(t.Passed, m.Passed)
	for i := range t.Passed {
		t.Passed[i].Do = slices.Clone(t.Passed[i].Do)
	}
	t.Standing = m.Standing
}

// Next returns when the first threshold of any target is passed, zero if none
// will be.
func (ts Targets) Next() time.Time {
	var next time.Time
	for i := range ts {
		if at := ts[i].NextAt; !at.IsZero() && (next.IsZero() || at.Before(next)) {
			next = at
		}
	}
	return next
}
