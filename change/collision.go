package change

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/go-itsm/itsm"
)

// A Span is a time from Start until just before End.
type Span struct {
	Start time.Time `json:"start"`
	End   time.Time `json:"end"`
}

// Length returns how long it is.
func (s Span) Length() time.Duration { return s.End.Sub(s.Start) }

// Overlaps reports whether two spans have a moment in common.
func (s Span) Overlaps(other Span) bool {
	return s.Start.Before(other.End) && other.Start.Before(s.End)
}

// String returns both ends in UTC.
func (s Span) String() string {
	const minutes = "2006-01-02 15:04"
	return s.Start.UTC().Format(minutes) + " to " + s.End.UTC().Format(minutes) + " UTC"
}

// Planned is what the change schedule says of one change: when it is to be
// carried out, and what it touches.
type Planned struct {
	ID    itsm.ID `json:"id,omitempty"`
	Type  Type    `json:"type,omitempty"`
	Model string  `json:"model,omitempty"`
	Span
	// Items are the services and configuration items that it touches:
	// {"service", "mail"}, {"ci", "db-1"}.
	Items []itsm.Ref `json:"items,omitempty"`
}

// A ConflictKind says what a planned change collides with. The kinds are those
// that common products tell apart.
type ConflictKind string

const (
	// AlreadyScheduled means that another change touches the same item then.
	AlreadyScheduled ConflictKind = "already_scheduled"
	// ParentScheduled means that another change touches then what depends on the
	// item, or what the item is part of.
	ParentScheduled ConflictKind = "parent_scheduled"
	// ChildScheduled means that another change touches then what the item depends
	// on, or what is part of it.
	ChildScheduled ConflictKind = "child_scheduled"
	// OutsideWindow means that the item has maintenance windows, and the change is
	// not wholly in one of them.
	OutsideWindow ConflictKind = "outside_window"
	// ParentOutsideWindow says so of what depends on the item.
	ParentOutsideWindow ConflictKind = "parent_outside_window"
	// ChildOutsideWindow says so of what the item depends on.
	ChildOutsideWindow ConflictKind = "child_outside_window"
	// InFreeze means that changes are barred then.
	InFreeze ConflictKind = "in_freeze"
)

// ConflictKinds lists the kinds, the worst first.
func ConflictKinds() []ConflictKind {
	return []ConflictKind{InFreeze, AlreadyScheduled, ParentScheduled, ChildScheduled,
		OutsideWindow, ParentOutsideWindow, ChildOutsideWindow}
}

// A Conflict is one thing that a planned change collides with, and why.
type Conflict struct {
	Kind ConflictKind `json:"kind"`
	// Item is what the change touches. It is zero where everything is meant.
	Item itsm.Ref `json:"item,omitzero"`
	// Other is the item that depends on it, or that it depends on, where the
	// conflict is there.
	Other itsm.Ref `json:"other,omitzero"`
	// With is the other change.
	With itsm.ID `json:"with,omitempty"`
	// Name is that of the freeze, or of the maintenance windows.
	Name string `json:"name,omitempty"`
	// Span is the time of the other change or of the freeze, as far as it is one
	// piece; for a window that is missed, the time of the change itself.
	Span
	// Final says that nobody may accept it: the change has to move.
	Final bool `json:"final,omitempty"`
}

// String explains the conflict in a sentence, whose times are in UTC and say so.
func (c Conflict) String() string {
	switch c.Kind {
	case AlreadyScheduled:
		return fmt.Sprintf("%s is touched by %s from %s", c.Item, c.With, c.Span)
	case ParentScheduled:
		return fmt.Sprintf("%s, which depends on %s, is touched by %s from %s", c.Other, c.Item, c.With, c.Span)
	case ChildScheduled:
		return fmt.Sprintf("%s, on which %s depends, is touched by %s from %s", c.Other, c.Item, c.With, c.Span)
	case OutsideWindow:
		if c.Item == (itsm.Ref{}) {
			return fmt.Sprintf("%s is not within %s", c.Span, c.Name)
		}
		return fmt.Sprintf("%s is not within %s of %s", c.Span, c.Name, c.Item)
	case ParentOutsideWindow:
		return fmt.Sprintf("%s is not within %s of %s, which depends on %s", c.Span, c.Name, c.Other, c.Item)
	case ChildOutsideWindow:
		return fmt.Sprintf("%s is not within %s of %s, on which %s depends", c.Span, c.Name, c.Other, c.Item)
	case InFreeze:
		what := "changes are"
		if c.Item != (itsm.Ref{}) {
			what = c.Item.String() + " is"
		}
		final := ""
		if c.Final {
			final = "; no exception is provided for"
		}
		return fmt.Sprintf("%s frozen from %s (%s)%s", what, c.Span, c.Name, final)
	}
	return string(c.Kind)
}

// compare orders conflicts: the worst kind first, then by what they are about.
func (c Conflict) compare(d Conflict) int {
	kinds := ConflictKinds()
	return cmp.Or(
		cmp.Compare(slices.Index(kinds, c.Kind), slices.Index(kinds, d.Kind)),
		compareRefs(c.Item, d.Item), compareRefs(c.Other, d.Other),
		c.Start.Compare(d.Start), cmp.Compare(c.With, d.With), cmp.Compare(c.Name, d.Name))
}

func compareRefs(a, b itsm.Ref) int {
	return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.ID, b.ID))
}

// same reports whether two conflicts are one thing, so that whoever accepted the
// one accepted the other: the same other change at the same time, the same freeze.
func (c Conflict) same(d Conflict) bool {
	return c.Kind == d.Kind && c.Item == d.Item && c.Other == d.Other && c.With == d.With && c.Name == d.Name &&
		c.Start.Equal(d.Start) && c.End.Equal(d.End) && c.Final == d.Final
}

// A Topology is the host's knowledge of what depends on what. It must be safe for
// concurrent use and answer quickly; it may contain circles. What it does not know
// has neither parents nor children.
type Topology interface {
	// Parents returns what depends on an item directly, or what it is part of:
	// who feels it when the item is changed. The caller only reads it.
	Parents(item itsm.Ref) []itsm.Ref
	// Children returns what an item depends on directly, or what is part of it.
	// The caller only reads it.
	Children(item itsm.Ref) []itsm.Ref
}

// relation is an item that has to do with one that a change touches.
type relation struct {
	item, via itsm.Ref
	kind      relationKind
}

type relationKind uint8

const (
	own relationKind = iota
	parent
	child
)

func (k relationKind) scheduled() ConflictKind {
	return [...]ConflictKind{AlreadyScheduled, ParentScheduled, ChildScheduled}[k]
}

func (k relationKind) outside() ConflictKind {
	return [...]ConflictKind{OutsideWindow, ParentOutsideWindow, ChildOutsideWindow}[k]
}

// related lists every item that has to do with the given ones, each once: the
// items themselves, what depends on them, what they depend on. It walks level by
// level, so that each is found on its shortest way.
func (c *Constraints) related(items []itsm.Ref) []relation {
	found := relations{all: make([]relation, 0, 2+3*len(items))}
	for _, item := range items {
		found.add(relation{item, item, own})
	}
	if c == nil || c.topology == nil {
		return found.all
	}
	mine := len(found.all)
	for _, way := range []struct {
		kind relationKind
		next func(itsm.Ref) []itsm.Ref
	}{{parent, c.topology.Parents}, {child, c.topology.Children}} {
		level := found.all[:mine:mine]
		for depth := 0; len(level) > 0 && (c.depth == 0 || depth < c.depth); depth++ {
			begin := len(found.all)
			for _, r := range level {
				for _, item := range way.next(r.item) {
					found.add(relation{item, r.via, way.kind})
				}
			}
			level = found.all[begin:len(found.all):len(found.all)]
		}
	}
	return found.all
}

// relations are a list without an item that is there twice. Few are looked through;
// many are looked up.
type relations struct {
	all  []relation
	seen map[itsm.Ref]bool
}

const few = 16

func (s *relations) add(r relation) {
	switch {
	case s.seen[r.item], s.seen == nil && slices.ContainsFunc(s.all, func(have relation) bool { return have.item == r.item }):
		return
	case s.seen != nil:
		s.seen[r.item] = true
	case len(s.all) == few:
		s.seen = map[itsm.Ref]bool{r.item: true}
		for _, have := range s.all {
			s.seen[have.item] = true
		}
	}
	s.all = append(s.all, r)
}

// Conflicts is the definition of a collision: what a planned change collides with,
// given the whole schedule, the worst first. Two changes collide if their times
// overlap and one touches an item that the other touches, that depends on it, or
// on which it depends. It is pure, and looks at every change of the schedule: a
// [Calendar] answers the same in less time. A nil *Constraints has no windows, no
// freezes and no dependencies.
func (c *Constraints) Conflicts(p Planned, schedule []Planned) []Conflict {
	var all []Conflict
	related := c.related(p.Items)
	for _, other := range schedule {
		if other.ID == p.ID || !p.Overlaps(other.Span) {
			continue
		}
		for _, r := range related {
			if slices.Contains(other.Items, r.item) {
				all = append(all, r.collision(other.ID, other.Span))
			}
		}
	}
	for f := range c.barred(p, related) {
		all = append(all, f.Conflict)
	}
	slices.SortFunc(all, Conflict.compare)
	return all
}

// collision is the conflict with another change that touches a related item.
func (r relation) collision(with itsm.ID, when Span) Conflict {
	c := Conflict{Kind: r.kind.scheduled(), Item: r.via, With: with, Span: when}
	if r.kind != own {
		c.Other = r.item
	}
	return c
}
