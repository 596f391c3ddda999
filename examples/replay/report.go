package main

import (
	"cmp"
	"context"
	"iter"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/incident"
)

// A Report is what a service desk wants to know about its incidents.
type Report struct {
	Dataset     string            `json:"dataset"`
	Source      string            `json:"source"`
	Definitions map[string]string `json:"definitions"`
	// ByPriority has a group for each priority and one for "all".
	ByPriority      map[string]*Group `json:"by_priority"`
	Backlog         []Month           `json:"month_end_backlog"`
	DirectlyFollows DirectlyFollows   `json:"directly_follows"`
	Lifecycle       Conformance       `json:"lifecycle"`
	Agreements      Agreements        `json:"agreements"`
	MadeSLA         *MadeSLA          `json:"made_sla,omitempty"`
}

func definitions() map[string]string {
	return map[string]string{
		"clock":                        "whole seconds; the log states no zone and is read as UTC",
		"business_seconds":             "seconds in [09:00,17:00) UTC, Monday to Friday, without holidays; 0 where the end is before the beginning",
		"mean":                         "sum/n",
		"median":                       "the middle value; the mean of the two middle ones when n is even",
		"p90_nearest_rank":             "the value at rank ceil(0.9*n), counted from 1, of the sorted values",
		"p90_linear":                   "linear interpolation at index 0.9*(n-1) (R type 7)",
		"month_end":                    "T is the first instant of the next month; before means < T",
		"opened":                       "opened_at",
		"priority":                     "of the incident's last row",
		"row_order":                    "as in the file",
		"time_to_resolve_field":        "resolved_at - opened_at",
		"time_to_first_Resolved_event": "time of the first row in Resolved - opened_at",
		"time_to_last_Resolved_entry":  "time of the last row that enters Resolved from another state, or begins in it, - opened_at",
		"time_to_close":                "closed_at - opened_at",
		"reopened_by_field":            "reopen_count was above 0",
		"reopened_by_event":            "a row in Resolved or Closed is followed by one in another state",
		"reassigned_by_field":          "reassignment_count of the last row is above 0",
		"reassigned_by_group_change":   "assignment_group has a second value; ? does not count",
		"first_time_resolve":           "resolved_at is there, no reassignment, no reopening; share of those with resolved_at",
		"not_closed":                   "opened_at < T and not closed_at < T",
		"not_done_by_state":            "opened_at < T and the last row before T, if any, is neither Resolved nor Closed",
		"lifecycle":                    "a move is two rows of an incident with different states; it is permitted if one action of the default lifecycle leads there",
		"agreements":                   "compared with what the record or its history says; see also differences",
		"lifecycle.inferred_actions":   "what the replay did to reach the log's next state and the log does not have",
		"lifecycle.refused_actions":    "what the log has and the lifecycle does not permit where the record is; the record stays as it is",
		"lifecycle.rows_not_followed":  "rows whose state the record could not follow",
		"lifecycle.begin_after_new":    "incidents whose first row is not New: their first moves are not in the log",
	}
}

// A Group is the figures of some of the incidents.
type Group struct {
	Incidents       int      `json:"incidents"`
	Rows            int      `json:"events"`
	ResolveField    Duration `json:"time_to_resolve_field"`
	ResolvedMissing int      `json:"resolved_at_missing"`
	FirstResolved   Duration `json:"time_to_first_Resolved_event"`
	LastResolved    Duration `json:"time_to_last_Resolved_entry"`
	NoResolved      int      `json:"no_Resolved_event"`
	Close           Duration `json:"time_to_close"`
	ReopenedField   Share    `json:"reopened_by_field"`
	ReopenedRows    Share    `json:"reopened_by_event"`
	ReopenMoves     int      `json:"reopen_transitions"`
	ReassignedField Share    `json:"reassigned_by_field"`
	ReassignedGroup Share    `json:"reassigned_by_group_change"`
	Reassignments   int      `json:"reassignment_count_sum_last_row"`
	FirstTime       Share    `json:"first_time_resolve"`
	OnHold          Share    `json:"ever_on_hold"`
	MadeSLA         Share    `json:"made_sla_true_last_row"`
}

// A Month is what was left to do at its end.
type Month struct {
	Month         string         `json:"month"`
	Opened        int            `json:"opened_before_T"`
	NotClosed     int            `json:"not_closed"`
	NotDone       int            `json:"not_done_by_state"`
	NotClosedByPr map[string]int `json:"not_closed_by_priority"`
	NotDoneByPr   map[string]int `json:"not_done_by_state_by_priority"`
}

// DirectlyFollows counts which state of the log comes after which.
type DirectlyFollows struct {
	Dataset     string   `json:"dataset"`
	Cases       int      `json:"cases"`
	Rows        int      `json:"events"`
	Transitions []Follow `json:"transitions"`
}

// A Follow is one row's state and the next one's.
type Follow struct {
	From  string `json:"frm"`
	To    string `json:"to"`
	Count int    `json:"count"`
}

// Conformance says how the log's moves fit our default lifecycle.
type Conformance struct {
	Moves        int          `json:"moves"`
	Permitted    int          `json:"permitted"`
	Share        figure       `json:"share"`
	NotPermitted []Forbidden  `json:"not_permitted"`
	Actions      int          `json:"actions"`
	Inferred     []NamedCount `json:"inferred_actions"`
	Refused      []NamedCount `json:"refused_actions"`
	Kept         int          `json:"rows_not_followed"`
	BeginLater   int          `json:"begin_after_new"`
}

// A Forbidden move is one for which the lifecycle has no single action, and what
// the replay did instead: nothing, where the state means nothing to us.
type Forbidden struct {
	Follow
	Instead []string `json:"instead,omitempty"`
}

// A NamedCount is how often something happened.
type NamedCount struct {
	Name  string `json:"name"`
	Count int    `json:"count"`
}

// Agreements compares what the log says with what our records and histories say.
type Agreements struct {
	Reopens      Agreement `json:"reopen_count_on_every_row"`
	Matrix       Agreement `json:"priority_on_every_row"`
	LastResolved Agreement `json:"last_resolved_in_history"`
	Resolved     Agreement `json:"resolved_milestone"`
	Closed       Agreement `json:"closed_at_milestone"`
	ClosedRow    Agreement `json:"closed_at_last_row_in_Closed"`
	Replay       Agreement `json:"replayed_history_is_the_record"`
}

// A course is what the history of one incident tells about it.
type course struct {
	id     itsm.ID
	opened time.Time // zero if the log does not say
	rows   []sighting
	last   Seen
	// What the rows add up to.
	reopens  int // highest that the log says
	moves    int // out of Resolved and Closed
	groups   []string
	onHold   bool
	first    time.Time // in Resolved
	entered  time.Time // Resolved, last
	resolved bool      // there is a row in Resolved
	closed   time.Time // of the last row in Closed
	// What the practice did.
	own time.Time // last entry into our Resolved that the log has
}

// A sighting is a row's state and time.
type sighting struct {
	state string
	at    time.Time // zero if the log does not say
}

// A reporter reads the feed of all histories.
type reporter struct {
	courses map[itsm.ID]*course
	order   []*course
	instead map[[2]string][]string // how each kind of move was replayed
	named   struct{ inferred, refused map[string]int }
	report  *Report
}

// NewReport reads everything that the desk did and says what it adds up to.
func NewReport(ctx context.Context, d *Desk, source string, replay, madeSLA bool) (*Report, error) {
	r := &reporter{
		courses: map[itsm.ID]*course{}, instead: map[[2]string][]string{},
		report: &Report{Dataset: "incident log, replayed through the incident practice", Source: source, Definitions: definitions()},
	}
	r.named.inferred, r.named.refused = map[string]int{}, map[string]int{}
	for delivery, err := range d.Feed(ctx, "") {
		if err == nil {
			err = r.read(d, &delivery.Event)
		}
		if err != nil {
			return nil, err
		}
	}
	r.figures()
	r.report.Backlog = r.backlog()
	r.directlyFollows(source)
	r.conformance(incident.DefaultLifecycle())
	if madeSLA {
		var err error
		if r.report.MadeSLA, err = r.madeSLA(); err != nil {
			return nil, err
		}
	}
	r.report.Agreements.Reopens, r.report.Agreements.Matrix = d.Reopens, d.Matrix
	return r.report, r.compare(ctx, d, replay)
}

// read takes in one line of the history.
func (r *reporter) read(d *Desk, e *itsm.Event) error {
	c := r.courses[e.Record]
	switch e.Action {
	case "report":
		a, err := d.Done(*e)
		if err != nil {
			return err
		}
		c = &course{id: e.Record, opened: a.(incident.Report).Detected}
		r.courses[e.Record] = c
		r.order = append(r.order, c)
	case Seen{}.Action():
		a, err := d.Done(*e)
		if err != nil {
			return err
		}
		r.see(c, a.(Seen), e.At)
		return nil
	}
	r.report.Lifecycle.Actions++
	if len(c.rows) == 0 {
		return nil
	}
	inferred := slices.Contains(c.last.Inferred, e.Action)
	if e.From != e.To && e.To == incident.Resolved && !inferred {
		c.own = e.At
	}
	moves := e.From != e.To || e.Action == incident.PutOnHold{}.Action() // for another reason
	if n := len(c.rows); n > 1 && moves && (inferred || goals[c.last.State].reached(e.To)) {
		pair := [2]string{c.rows[n-2].state, c.last.State}
		if !slices.Contains(r.instead[pair], e.Action) {
			r.instead[pair] = append(r.instead[pair], e.Action)
		}
	}
	return nil
}

func isDone(state string) bool { return state == "Resolved" || state == "Closed" }

// see takes in a row of the log.
func (r *reporter) see(c *course, s Seen, at time.Time) {
	if s.Undated {
		at = time.Time{}
	}
	before := ""
	if n := len(c.rows); n > 0 {
		before = c.rows[n-1].state
	} else if s.State != "New" {
		r.report.Lifecycle.BeginLater++
	}
	if s.State == "Resolved" {
		if !c.resolved {
			c.resolved, c.first = true, at
		}
		if before != "Resolved" {
			c.entered = at
		}
	}
	if s.State == "Closed" {
		c.closed = at
	}
	if isDone(before) && !isDone(s.State) {
		c.moves++
	}
	if s.Group != "" && !slices.Contains(c.groups, s.Group) {
		c.groups = append(c.groups, s.Group)
	}
	c.onHold = c.onHold || strings.HasPrefix(s.State, "Awaiting")
	c.reopens = max(c.reopens, s.Reopens)
	c.rows = append(c.rows, sighting{s.State, at})
	c.last = s
	for _, name := range s.Inferred {
		r.named.inferred[name]++
	}
	for _, name := range s.Refused {
		r.named.refused[name]++
	}
	if s.Kept {
		r.report.Lifecycle.Kept++
	}
}

// priority is the group of an incident: the label of its last row.
func (c *course) priority() string { return cmp.Or(c.last.Priority, missing) }

// figures are those of all incidents, and those of each priority.
func (r *reporter) figures() {
	groups := map[string][]*course{"all": r.order}
	for _, c := range r.order {
		groups[c.priority()] = append(groups[c.priority()], c)
	}
	r.report.ByPriority = map[string]*Group{}
	for label, members := range groups {
		r.report.ByPriority[label] = newGroup(members)
	}
}

func newGroup(members []*course) *Group {
	g := &Group{Incidents: len(members)}
	var field, first, last, closed spans
	done := 0
	for _, c := range members {
		g.Rows += len(c.rows)
		field.add(c.opened, c.last.Resolved)
		first.add(c.opened, c.first)
		last.add(c.opened, c.entered)
		closed.add(c.opened, c.last.Closed)
		if !c.last.Resolved.IsZero() {
			done++
		}
		g.NoResolved += one(!c.resolved)
		g.ReopenedField.Count += one(c.reopens > 0)
		g.ReopenedRows.Count += one(c.moves > 0)
		g.ReopenMoves += c.moves
		g.ReassignedField.Count += one(c.last.Reassignments > 0)
		g.ReassignedGroup.Count += one(len(c.groups) > 1)
		g.Reassignments += c.last.Reassignments
		g.FirstTime.Count += one(!c.last.Resolved.IsZero() && c.last.Reassignments == 0 && c.reopens == 0)
		g.OnHold.Count += one(c.onHold)
		g.MadeSLA.Count += one(c.last.MadeSLA)
	}
	g.ResolvedMissing = len(members) - done
	g.ResolveField, g.FirstResolved = field.duration(), first.duration()
	g.LastResolved, g.Close = last.duration(), closed.duration()
	for _, s := range []*Share{&g.ReopenedField, &g.ReopenedRows, &g.ReassignedField, &g.ReassignedGroup, &g.OnHold, &g.MadeSLA} {
		s.Of = len(members)
	}
	g.FirstTime.Of = done
	return g
}

func one(yes bool) int {
	if yes {
		return 1
	}
	return 0
}

// backlog counts what was left at the end of each month in which the log has
// anything.
func (r *reporter) backlog() []Month {
	var from, to time.Time
	for _, c := range r.order {
		if !c.opened.IsZero() && (from.IsZero() || c.opened.Before(from)) {
			from = c.opened
		}
		to = latest(to, c.opened, c.last.Closed)
		for _, s := range c.rows {
			to = latest(to, s.at)
		}
	}
	months := []Month{}
	for end := range monthEnds(from, to) {
		m := Month{Month: end.AddDate(0, -1, 0).Format("2006-01"), NotClosedByPr: map[string]int{}, NotDoneByPr: map[string]int{}}
		for _, c := range r.order {
			if c.opened.IsZero() || !c.opened.Before(end) {
				continue
			}
			m.Opened++
			if c.last.Closed.IsZero() || !c.last.Closed.Before(end) {
				m.NotClosed++
				m.NotClosedByPr[c.priority()]++
			}
			if !isDone(c.stateBefore(end)) {
				m.NotDone++
				m.NotDoneByPr[c.priority()]++
			}
		}
		months = append(months, m)
	}
	return months
}

// stateBefore is that of the last row, in the order of the file, with a time
// before t.
func (c *course) stateBefore(t time.Time) string {
	for _, s := range slices.Backward(c.rows) {
		if !s.at.IsZero() && s.at.Before(t) {
			return s.state
		}
	}
	return ""
}

// monthEnds yields the first instant after each month from one time to another.
func monthEnds(from, to time.Time) iter.Seq[time.Time] {
	return func(yield func(time.Time) bool) {
		if from.IsZero() {
			return
		}
		for end := firstOfNextMonth(from); yield(end) && !end.After(to); end = firstOfNextMonth(end) {
		}
	}
}

func firstOfNextMonth(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month()+1, 1, 0, 0, 0, 0, time.UTC)
}

func latest(times ...time.Time) time.Time { return slices.MaxFunc(times, time.Time.Compare) }

// directlyFollows lists the pairs, the most frequent first, then as they came.
func (r *reporter) directlyFollows(source string) {
	f := DirectlyFollows{Dataset: source, Cases: len(r.order), Transitions: []Follow{}}
	place := map[[2]string]int{}
	for _, c := range r.order {
		f.Rows += len(c.rows)
		for i := 1; i < len(c.rows); i++ {
			pair := [2]string{c.rows[i-1].state, c.rows[i].state}
			if _, known := place[pair]; !known {
				place[pair] = len(f.Transitions)
				f.Transitions = append(f.Transitions, Follow{From: pair[0], To: pair[1]})
			}
			f.Transitions[place[pair]].Count++
		}
	}
	slices.SortStableFunc(f.Transitions, func(a, b Follow) int { return cmp.Compare(b.Count, a.Count) })
	r.report.DirectlyFollows = f
}

// conformance asks the default lifecycle about every kind of move.
func (r *reporter) conformance(l *itsm.Lifecycle) {
	c := &r.report.Lifecycle
	c.NotPermitted = []Forbidden{}
	for _, f := range r.report.DirectlyFollows.Transitions {
		if f.From == f.To {
			continue
		}
		c.Moves += f.Count
		if permits(l, f.From, f.To) {
			c.Permitted += f.Count
		} else {
			c.NotPermitted = append(c.NotPermitted, Forbidden{f, r.instead[[2]string{f.From, f.To}]})
		}
	}
	c.Share = share(c.Permitted, c.Moves)
	c.Inferred, c.Refused = byCount(r.named.inferred), byCount(r.named.refused)
}

// permits reports whether one action leads from one of the log's states to
// another: the lifecycle is a table that can be asked.
func permits(l *itsm.Lifecycle, from, to string) bool {
	target, known := goals[to]
	if _, also := goals[from]; !also || !known {
		return false
	}
	for state := range l.States() {
		if !goals[from].reached(state) {
			continue
		}
		for _, next := range l.Permitted(state) {
			if target.reached(next) {
				return true
			}
		}
	}
	return false
}

func byCount(counts map[string]int) []NamedCount {
	list := []NamedCount{}
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		list = append(list, NamedCount{name, counts[name]})
	}
	slices.SortStableFunc(list, func(a, b NamedCount) int { return cmp.Compare(b.Count, a.Count) })
	return list
}

// minute spells a time as precisely as the log does.
func minute(t time.Time) string { return t.Format("2006-01-02 15:04") }

// compare lays the log beside our own records, and each record beside what its
// history leads to.
func (r *reporter) compare(ctx context.Context, d *Desk, replay bool) error {
	a := &r.report.Agreements
	for inc, err := range d.All(ctx, itsm.Query{Limit: 1000}) {
		if err != nil {
			return err
		}
		c, m := r.courses[inc.ID], &inc.Milestones
		if !c.entered.IsZero() {
			a.LastResolved.check(c.own.Equal(c.entered), "%s: %s, the log's last row that enters Resolved %s", inc.ID, minute(c.own), minute(c.entered))
			if !m.Resolved.IsZero() {
				a.Resolved.check(m.Resolved.Equal(c.entered), "%s: %s, the log's last row that enters Resolved %s", inc.ID, minute(m.Resolved), minute(c.entered))
			}
		}
		if !m.Closed.IsZero() && !c.last.Closed.IsZero() {
			a.Closed.check(m.Closed.Equal(c.last.Closed), "%s: %s, closed_at %s", inc.ID, minute(m.Closed), minute(c.last.Closed))
		}
		if !c.closed.IsZero() && !c.last.Closed.IsZero() {
			a.ClosedRow.check(c.closed.Equal(c.last.Closed), "%s: %s, closed_at %s", inc.ID, minute(c.closed), minute(c.last.Closed))
		}
		if replay {
			again, err := d.Practice.Practice.Replay(d.History(ctx, inc.ID))
			if err != nil {
				return err
			}
			a.Replay.check(reflect.DeepEqual(inc, again), "%s: its history leads elsewhere", inc.ID)
		}
	}
	return nil
}
