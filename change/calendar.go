package change

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/go-itsm/itsm"
)

// A ConflictFinder tells what a planned change collides with. [Calendar] is one; a
// host whose schedule is in its own tables may bring another. It must be safe for
// concurrent use. Conflicts are in the order in which they are to be shown; at
// most 100 are kept.
type ConflictFinder interface {
	Conflicts(ctx context.Context, p Planned) ([]Conflict, error)
}

// A Calendar is the change schedule: what is planned, and what it has to keep to.
// It finds the same conflicts as [Constraints.Conflicts] without looking at every
// change: for each item, the changes that touch it are in a priority search tree, by
// when they begin and by when they end. A question takes O(r log n + k), for r items
// that have to do with the change, at most n changes of one item and k conflicts,
// wherever in the schedule these are.
//
// It is a view: the practice keeps it up to date if it is among [Config].Views. It
// is safe for concurrent use.
type Calendar struct {
	rules *Constraints

	mu sync.RWMutex
	// everything is what is planned, and byItem what is of each item.
	everything stretch
	byItem     map[itsm.Ref]stretch
	planned    map[itsm.ID]*Planned
	// versions are those of the records last seen, so that a late reader does
	// not bring back what was.
	versions map[itsm.ID]itsm.Version
}

// NewCalendar returns a calendar without any change in it. Without constraints,
// changes collide with each other only.
func NewCalendar(rules *Constraints) *Calendar {
	return &Calendar{rules: rules, byItem: map[itsm.Ref]stretch{},
		planned: map[itsm.ID]*Planned{}, versions: map[itsm.ID]itsm.Version{}}
}

// Set puts a planned change in, in the place of what was planned of the same id.
// Times are kept in UTC and rounded down to microseconds, as those of records are.
// It returns an [itsm.ErrInvalid] if it has no id or does not end after its start.
func (c *Calendar) Set(p Planned) error {
	var v itsm.Validation
	v.Check(p.ID != "", "id", "must not be empty")
	v.Check(p.Start.Before(p.End), "end", "must be after start")
	if err := v.Err(); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.remove(p.ID)
	c.set(p)
	return nil
}

func (c *Calendar) set(p Planned) {
	p = p.clone()
	p.Start, p.End = time.UnixMicro(p.Start.UnixMicro()).UTC(), time.UnixMicro(p.End.UnixMicro()).UTC()
	c.planned[p.ID] = &p
	one := p.entry()
	c.everything.insert(one)
	for i, item := range p.Items {
		if !slices.Contains(p.Items[:i], item) {
			all := c.byItem[item]
			all.insert(one)
			c.byItem[item] = all
		}
	}
}

func (p *Planned) entry() entry { return entry{micros(p.Start), micros(p.End), p} }

func (p *Planned) clone() Planned {
	own := *p
	own.Items = slices.Clone(p.Items)
	return own
}

// Remove takes a change out; it does nothing if it is not in.
func (c *Calendar) Remove(id itsm.ID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.remove(id)
}

func (c *Calendar) remove(id itsm.ID) {
	p, ok := c.planned[id]
	if !ok {
		return
	}
	delete(c.planned, id)
	one := p.entry()
	c.everything.remove(one)
	for i, item := range p.Items {
		if slices.Contains(p.Items[:i], item) {
			continue
		}
		all := c.byItem[item]
		if all.remove(one); len(all.entries) > 0 {
			c.byItem[item] = all
		} else {
			delete(c.byItem, item)
		}
	}
}

// Put makes the calendar say what a change's record says: it is in while the
// change has a planned time and waits for its authorization, is scheduled, or is
// being carried out. An older version of a record than was seen is passed over.
func (c *Calendar) Put(r Change) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if r.Version < c.versions[r.ID] {
		return
	}
	c.versions[r.ID] = r.Version
	c.remove(r.ID)
	switch r.State {
	case Authorize, Scheduled, Implement, Testing:
		if p := r.AsPlanned(); p.Start.Before(p.End) {
			c.set(p)
		}
	default:
	}
}

// Planned returns what is planned of a change, and whether it is in.
func (c *Calendar) Planned(id itsm.ID) (Planned, bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	p, ok := c.planned[id]
	if !ok {
		return Planned{}, false
	}
	return p.clone(), true
}

// Between lists what is planned in a span, in the order of time: the schedule as
// it is published.
func (c *Calendar) Between(s Span) []Planned {
	c.mu.RLock()
	defer c.mu.RUnlock()
	var all []Planned
	start, end := outwards(s)
	c.everything.overlapping(start, end, func(one entry) bool {
		all = append(all, one.of.clone())
		return true
	})
	slices.SortFunc(all, func(a, b Planned) int { return cmp.Or(a.Start.Compare(b.Start), cmp.Compare(a.ID, b.ID)) })
	return all
}

// Conflicts tells what a planned change collides with, the worst first. What is in
// the calendar under its own id is not in its way. It never fails.
func (c *Calendar) Conflicts(_ context.Context, p Planned) ([]Conflict, error) {
	return c.conflicts(p), nil
}

func (c *Calendar) conflicts(p Planned) []Conflict {
	var all []Conflict
	for o := range c.obstacles(p, c.rules.related(p.Items)) {
		all = append(all, o.Conflict)
	}
	slices.SortFunc(all, Conflict.compare)
	return all
}

func (c *Calendar) obstacles(p Planned, related []relation) func(yield func(obstacle) bool) {
	return func(yield func(obstacle) bool) {
		c.mu.RLock()
		defer c.mu.RUnlock()
		start, end := outwards(p.Span)
		for _, r := range related {
			all := c.byItem[r.item]
			more := all.overlapping(start, end, func(one entry) bool {
				if one.of.ID == p.ID {
					return true
				}
				return yield(obstacle{r.collision(one.of.ID, one.of.Span), func(time.Time) time.Time { return one.of.End }})
			})
			if !more {
				return
			}
		}
		c.rules.barred(p, related)(yield)
	}
}

// NextFree returns the earliest span of the planned change's length that begins in
// [from, until) and collides with nothing, and whether there is one. From every
// start that does not do it goes on at the earliest at which nothing of what was
// in the way there is any more, so that none is passed over.
func (c *Calendar) NextFree(p Planned, from, until time.Time) (Span, bool) {
	length := p.Length()
	if length <= 0 {
		return Span{}, false
	}
	related := c.rules.related(p.Items)
	for t := from; t.Before(until); {
		p.Span = Span{t, t.Add(length)}
		next := t
		for o := range c.obstacles(p, related) {
			clear := o.clear(until)
			if clear.IsZero() {
				return Span{}, false
			}
			if clear.After(next) {
				next = clear
			}
		}
		if next.Equal(t) {
			return p.Span, true
		}
		t = next
	}
	return Span{}, false
}
