package change

import (
	"cmp"
	"context"
	"hash/maphash"
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
// change: for each item, the changes that touch it are in a search tree by their
// start, in which each branch knows the latest end below it. A question takes
// O(r (log n + k)), for r items that have to do with the change, n changes of one
// item and k conflicts there.
//
// It is a view: the practice keeps it up to date if it is among [Config].Views. It
// is safe for concurrent use.
type Calendar struct {
	rules *Constraints
	// seed makes the shape of the trees unpredictable, and with it no order of
	// changes bad.
	seed maphash.Seed

	mu      sync.RWMutex
	byItem  map[itsm.Ref]*node
	planned map[itsm.ID]Planned
	// versions are those of the records last seen, so that a late reader does
	// not bring back what was.
	versions map[itsm.ID]itsm.Version
}

// NewCalendar returns a calendar without any change in it. Without constraints,
// changes collide with each other only.
func NewCalendar(rules *Constraints) *Calendar {
	return &Calendar{rules: rules, seed: maphash.MakeSeed(), byItem: map[itsm.Ref]*node{},
		planned: map[itsm.ID]Planned{}, versions: map[itsm.ID]itsm.Version{}}
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
	p.Items = slices.Clone(p.Items)
	start, end := p.Start.UnixMicro(), p.End.UnixMicro()
	p.Span = spanOf(start, end)
	c.planned[p.ID] = p
	for i, item := range p.Items {
		if !slices.Contains(p.Items[:i], item) {
			n := &node{start: start, end: end, last: end, id: p.ID, order: maphash.Comparable(c.seed, p.ID)}
			c.byItem[item] = c.byItem[item].insert(n)
		}
	}
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
	for i, item := range p.Items {
		if slices.Contains(p.Items[:i], item) {
			continue
		}
		if root := c.byItem[item].remove(p.Start.UnixMicro(), id); root != nil {
			c.byItem[item] = root
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
	p.Items = slices.Clone(p.Items)
	return p, ok
}

// Between lists what is planned in a span, in the order of time: the schedule as
// it is published.
func (c *Calendar) Between(s Span) []Planned {
	c.mu.RLock()
	defer c.mu.RUnlock()
	var all []Planned
	for _, p := range c.planned {
		if p.Overlaps(s) {
			p.Items = slices.Clone(p.Items)
			all = append(all, p)
		}
	}
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
		// What is planned is in whole microseconds, and what is asked need not be:
		// rounding outwards finds the same.
		start, end := p.Start.UnixMicro(), p.End.Add(time.Microsecond-1).UnixMicro()
		for _, r := range related {
			more := c.byItem[r.item].overlapping(start, end, func(n *node) bool {
				if n.id == p.ID {
					return true
				}
				when := spanOf(n.start, n.end)
				return yield(obstacle{r.collision(n.id, when), func(time.Time) time.Time { return when.End }})
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

// A node is a change in the tree of one item: a treap, ordered by start and id from
// left to right, and by random numbers from top to bottom, which keeps it shallow
// whatever comes in which order. It has the size of a cache line, because walking is
// waiting for memory.
type node struct {
	start, end  int64 // microseconds since 1970
	last        int64 // the latest end at or below the node
	order       uint64
	left, right *node
	id          itsm.ID
}

func spanOf(start, end int64) Span {
	return Span{time.UnixMicro(start).UTC(), time.UnixMicro(end).UTC()}
}

func (n *node) compare(start int64, id itsm.ID) int {
	return cmp.Or(cmp.Compare(n.start, start), cmp.Compare(n.id, id))
}

// settle recomputes what a node knows of those below it.
func (n *node) settle() *node {
	n.last = n.end
	for _, below := range [...]*node{n.left, n.right} {
		if below != nil {
			n.last = max(n.last, below.last)
		}
	}
	return n
}

// split divides a tree into what comes before a key and what does not.
func (n *node) split(start int64, id itsm.ID) (before, rest *node) {
	if n == nil {
		return nil, nil
	}
	if n.compare(start, id) < 0 {
		n.right, rest = n.right.split(start, id)
		return n.settle(), rest
	}
	before, n.left = n.left.split(start, id)
	return before, n.settle()
}

// join puts two trees together of which everything in the first comes before
// everything in the second.
func join(a, b *node) *node {
	switch {
	case a == nil:
		return b
	case b == nil:
		return a
	case a.order > b.order:
		a.right = join(a.right, b)
		return a.settle()
	}
	b.left = join(a, b.left)
	return b.settle()
}

// insert adds a node that is not in the tree and returns the new root.
func (n *node) insert(one *node) *node {
	if n == nil || one.order > n.order {
		one.left, one.right = n.split(one.start, one.id)
		return one.settle()
	}
	if n.compare(one.start, one.id) < 0 {
		n.right = n.right.insert(one)
	} else {
		n.left = n.left.insert(one)
	}
	return n.settle()
}

// remove takes a node out and returns the new root.
func (n *node) remove(start int64, id itsm.ID) *node {
	if n == nil {
		return nil
	}
	switch order := n.compare(start, id); {
	case order == 0:
		return join(n.left, n.right)
	case order < 0:
		n.right = n.right.remove(start, id)
	default:
		n.left = n.left.remove(start, id)
	}
	return n.settle()
}

// overlapping calls f with every node that overlaps a span, and reports whether f
// wanted all of them.
func (n *node) overlapping(start, end int64, f func(*node) bool) bool {
	if n == nil || n.last <= start {
		return true // everything here is over before
	}
	if !n.left.overlapping(start, end, f) {
		return false
	}
	if n.start >= end {
		return true // this and everything to the right begins later
	}
	return (n.end <= start || f(n)) && n.right.overlapping(start, end, f)
}
