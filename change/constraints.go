package change

import (
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/sla"
)

// Rules say when changes are welcome and when they are barred, as data: a host
// keeps them as JSON and reads them with [ParseRules].
//
//	{
//	  "windows": [{"name": "Sunday night", "calendar": "sundays", "items": [{"kind": "service", "id": "mail"}]}],
//	  "freezes": [
//	    {"name": "year end", "from": "2026-12-18T00:00:00+01:00", "until": "2027-01-04T00:00:00+01:00",
//	     "except": {"types": ["standard"], "changes": ["chg-17"]}},
//	    {"name": "payroll", "calendar": "last two days of a month", "items": [{"kind": "service", "id": "erp"}]}
//	  ],
//	  "depth": 2
//	}
//
// What recurs is a calendar of package sla, by its name, in the civil time of its
// zone.
type Rules struct {
	Windows []MaintenanceWindow `json:"windows,omitempty"`
	Freezes []Freeze            `json:"freezes,omitempty"`
	// Depth is how many steps of dependency count in a collision; 0 means all.
	Depth int `json:"depth,omitempty"`
}

// A MaintenanceWindow is an agreed time in which changes of some items are
// welcome: those in which its calendar is open. An item that has windows may be
// changed in any of them, wholly within one opening; one that has none may be
// changed at any time.
type MaintenanceWindow struct {
	Name     string `json:"name"`
	Calendar string `json:"calendar"`
	// Items are what it is for. None means everything that has no windows of
	// its own.
	Items []itsm.Ref `json:"items,omitempty"`
}

// A Freeze bars changes: from one moment to another, or while a calendar is open,
// or while it is open from one moment to another.
type Freeze struct {
	Name string `json:"name"`
	// From and Until are the time, in [From, Until). A freeze without a calendar
	// needs both; with one, zero means that there is no such limit.
	From  time.Time `json:"from,omitzero"`
	Until time.Time `json:"until,omitzero"`
	// Calendar is open while changes are barred.
	Calendar string `json:"calendar,omitempty"`
	// Items are what is frozen; none means everything.
	Items []itsm.Ref `json:"items,omitempty"`
	// Except is what it does not bar.
	Except Exceptions `json:"except,omitzero"`
	// Absolute says that not even an emergency may be carried out in it.
	Absolute bool `json:"absolute,omitempty"`
}

// Exceptions are changes that a freeze does not bar. Any of them is enough.
type Exceptions struct {
	Types   []Type    `json:"types,omitempty"`
	Models  []string  `json:"models,omitempty"`
	Changes []itsm.ID `json:"changes,omitempty"`
}

func (e Exceptions) has(p Planned) bool {
	return slices.Contains(e.Types, p.Type) && p.Type != "" || slices.Contains(e.Models, modelName(p.Model)) ||
		p.ID != "" && slices.Contains(e.Changes, p.ID)
}

// Validate returns an [itsm.ErrInvalid] with everything that is wrong with the
// rules in themselves: a window that ends before it starts, a freeze without end.
// Whether the calendars are there, [NewConstraints] says.
func (r Rules) Validate() error {
	var v itsm.Validation
	names := map[string]bool{}
	name := func(field, name string) {
		v.Text(field, name, 1, maxName)
		v.Check(!names[name] || name == "", field, fmt.Sprintf("%q is there twice", name))
		names[name] = true
	}
	items := func(field string, items []itsm.Ref) {
		for i, item := range items {
			v.Add(validItem(fmt.Sprintf("%s.items[%d]", field, i), item))
		}
	}
	for i, w := range r.Windows {
		field := fmt.Sprintf("windows[%d]", i)
		name(field+".name", w.Name)
		v.Text(field+".calendar", w.Calendar, 1, maxName)
		items(field, w.Items)
	}
	for i, f := range r.Freezes {
		field := fmt.Sprintf("freezes[%d]", i)
		name(field+".name", f.Name)
		v.Text(field+".calendar", f.Calendar, 0, maxName)
		if f.Calendar == "" {
			v.Check(!f.From.IsZero(), field+".from", "must be set: without a calendar, a freeze is from one moment to another")
			v.Check(!f.Until.IsZero(), field+".until", "must be set: a freeze without end bars everything for ever")
		}
		if !f.From.IsZero() && !f.Until.IsZero() {
			v.Check(f.From.Before(f.Until), field+".until", "must be after from")
		}
		items(field, f.Items)
		for j, t := range f.Except.Types {
			v.Check(slices.Contains(Types(), t), fmt.Sprintf("%s.except.types[%d]", field, j), fmt.Sprintf("is unknown: %q", t))
		}
	}
	v.Check(r.Depth >= 0, "depth", "must not be negative")
	return v.Err()
}

func validItem(field string, item itsm.Ref) error {
	var v itsm.Validation
	v.Text(field+".kind", item.Kind, 1, maxName)
	v.Text(field+".id", string(item.ID), 1, maxName)
	return v.Err()
}

// ParseRules reads the JSON form of rules. It returns an [itsm.ErrInvalid] with
// every finding, as [itsm.ParseJSON] and [Rules.Validate] have them.
func ParseRules(data []byte) (Rules, error) { return itsm.ParseJSON[Rules](data) }

// Constraints are what planned changes have to keep to: rules with their
// calendars, and what depends on what. They are immutable and safe for concurrent
// use as far as the topology is.
type Constraints struct {
	windows  map[itsm.Ref][]window
	general  []window
	freezes  []freeze
	topology Topology
	depth    int
}

type window struct {
	name  string
	hours *sla.Hours
}

type freeze struct {
	Freeze
	hours *sla.Hours // nil without a calendar
}

// NewConstraints puts rules, the calendars that they name and a topology together;
// a nil topology means that nothing depends on anything. It returns an
// [itsm.ErrInvalid] with every finding: what [Rules.Validate] finds, calendars that
// are not there, and freezes whose calendar never closes.
func NewConstraints(hours []*sla.Hours, rules Rules, topology Topology) (*Constraints, error) {
	var v itsm.Validation
	v.Add(rules.Validate())
	byName := map[string]*sla.Hours{}
	for i, h := range hours {
		if h == nil {
			v.Check(false, fmt.Sprintf("hours[%d]", i), "must not be nil")
			continue
		}
		if have, ok := byName[h.Name()]; !ok || have.Version() < h.Version() {
			byName[h.Name()] = h
		}
		byName[h.Ref()] = h
	}
	find := func(field, name string) *sla.Hours {
		h := byName[name]
		v.Check(h != nil || name == "", field, fmt.Sprintf("%q is not among the calendars", name))
		return h
	}
	c := &Constraints{windows: map[itsm.Ref][]window{}, topology: topology, depth: rules.Depth}
	for i, w := range rules.Windows {
		one := window{w.Name, find(fmt.Sprintf("windows[%d].calendar", i), w.Calendar)}
		if len(w.Items) == 0 {
			c.general = append(c.general, one)
		}
		for _, item := range w.Items {
			c.windows[item] = append(c.windows[item], one)
		}
	}
	for i, f := range rules.Freezes {
		field := fmt.Sprintf("freezes[%d].calendar", i)
		one := freeze{f, find(field, f.Calendar)}
		one.Items, one.Except = slices.Clone(f.Items), Exceptions{slices.Clone(f.Except.Types), slices.Clone(f.Except.Models), slices.Clone(f.Except.Changes)}
		if one.hours != nil && f.Until.IsZero() {
			from := f.From
			if from.IsZero() {
				from = time.Unix(0, 0)
			}
			v.Check(one.hours.NextOpen(from).IsZero() || !one.hours.NextClose(from).IsZero(), field, fmt.Sprintf("%q never closes: the freeze has no end", f.Calendar))
		}
		c.freezes = append(c.freezes, one)
	}
	if err := v.Err(); err != nil {
		return nil, err
	}
	return c, nil
}

// obstacle is a conflict, and the earliest start from which it is none.
type obstacle struct {
	Conflict
	// clear finds that start; it is zero if there is none before a limit.
	clear func(until time.Time) time.Time
}

// barred yields what the rules have against a planned change.
func (c *Constraints) barred(p Planned, related []relation) iter.Seq[obstacle] {
	return func(yield func(obstacle) bool) {
		if c == nil {
			return
		}
		for _, f := range c.freezes {
			for con := range f.conflicts(p) {
				if !yield(obstacle{con, func(time.Time) time.Time { return con.End }}) {
					return
				}
			}
		}
		outside := func(kind ConflictKind, item, other itsm.Ref, windows []window) bool {
			if len(windows) == 0 || slices.ContainsFunc(windows, func(w window) bool { return w.holds(p.Span) }) {
				return true
			}
			return yield(obstacle{
				Conflict{Kind: kind, Item: item, Other: other, Name: names(windows), Span: p.Span},
				func(until time.Time) time.Time { return fit(windows, p.Span, until) },
			})
		}
		general := len(p.Items) == 0
		for _, r := range related {
			windows := c.windows[r.item]
			switch {
			case r.kind != own:
				if !outside(r.kind.outside(), r.via, r.item, windows) {
					return
				}
			case len(windows) > 0:
				if !outside(OutsideWindow, r.item, itsm.Ref{}, windows) {
					return
				}
			default:
				general = true // it has no windows of its own
			}
		}
		if general {
			outside(OutsideWindow, itsm.Ref{}, itsm.Ref{}, c.general)
		}
	}
}

// conflicts yields the conflicts of a planned change with a freeze: one for each
// frozen item that it touches.
func (f freeze) conflicts(p Planned) iter.Seq[Conflict] {
	return func(yield func(Conflict) bool) {
		if f.Except.has(p) {
			return
		}
		when, ok := f.meets(p.Span)
		if !ok {
			return
		}
		c := Conflict{Kind: InFreeze, Name: f.Name, Span: when, Final: f.Absolute || p.Type != Emergency}
		if len(f.Items) == 0 {
			yield(c)
			return
		}
		seen := map[itsm.Ref]bool{}
		for _, item := range p.Items {
			if slices.Contains(f.Items, item) && !seen[item] {
				seen[item] = true
				c.Item = item
				if !yield(c) {
					return
				}
			}
		}
	}
}

// meets returns the first piece of the freeze that has a moment in common with a
// span.
func (f freeze) meets(s Span) (Span, bool) {
	limits := Span{f.From, f.Until}
	if !limits.Start.IsZero() && limits.Start.After(s.Start) {
		s.Start = limits.Start
	}
	if !limits.End.IsZero() && limits.End.Before(s.End) {
		s.End = limits.End
	}
	if !s.Start.Before(s.End) {
		return Span{}, false
	}
	if f.hours == nil {
		return limits, true
	}
	open := f.hours.NextOpen(s.Start)
	if open.IsZero() || !open.Before(s.End) {
		return Span{}, false
	}
	piece := Span{f.hours.PreviousOpen(open), f.hours.NextClose(open)}
	if piece.Start.IsZero() || piece.Start.Before(limits.Start) {
		piece.Start = limits.Start
	}
	if !limits.End.IsZero() && (piece.End.IsZero() || piece.End.After(limits.End)) {
		piece.End = limits.End
	}
	return piece, true
}

// holds reports whether a span is wholly within one opening.
func (w window) holds(s Span) bool {
	if !w.hours.IsOpen(s.Start) {
		return false
	}
	end := w.hours.NextClose(s.Start)
	return end.IsZero() || !end.Before(s.End)
}

// fit returns the earliest start from that of a span on at which it would be
// within one of the windows.
func fit(windows []window, s Span, until time.Time) time.Time {
	var earliest time.Time
	for _, w := range windows {
		for t := w.hours.NextOpen(s.Start); !t.IsZero() && t.Before(until); {
			end := w.hours.NextClose(t)
			if end.IsZero() || end.Sub(t) >= s.Length() {
				if earliest.IsZero() || t.Before(earliest) {
					earliest = t
				}
				break
			}
			t = w.hours.NextOpen(end)
		}
	}
	return earliest
}

func names(windows []window) string {
	name := windows[0].name
	for _, w := range windows[1:] {
		name += " or " + w.name
	}
	return name
}
