package problem

import (
	"cmp"
	"slices"

	"github.com/go-itsm/itsm"
)

// node is one of a search tree of incidents by when they began, in which each branch
// knows how many there are below it: a treap, whose random order keeps it balanced. What
// is asked of it takes O(log n).
type node struct {
	at          int64 // microseconds
	id          itsm.ID
	order       uint64
	size        int
	left, right *node
}

func (t *node) count() int {
	if t == nil {
		return 0
	}
	return t.size
}

func (t *node) sized() *node {
	t.size = t.left.count() + 1 + t.right.count()
	return t
}

// compare puts an incident before or after that of the node.
func (t *node) compare(at int64, id itsm.ID) int {
	return cmp.Or(cmp.Compare(at, t.at), cmp.Compare(id, t.id))
}

// insert returns the tree with n in it.
func (t *node) insert(n *node) *node {
	switch {
	case t == nil:
		return n.sized()
	case n.order < t.order:
		n.left, n.right = t.split(n.at, n.id)
		return n.sized()
	case t.compare(n.at, n.id) < 0:
		t.left = t.left.insert(n)
	default:
		t.right = t.right.insert(n)
	}
	return t.sized()
}

// split divides the tree into what comes before an incident and what comes after it.
func (t *node) split(at int64, id itsm.ID) (before, after *node) {
	if t == nil {
		return nil, nil
	}
	if t.compare(at, id) < 0 {
		before, t.left = t.left.split(at, id)
		return before, t.sized()
	}
	t.right, after = t.right.split(at, id)
	return t.sized(), after
}

// remove returns the tree without an incident that is in it.
func (t *node) remove(at int64, id itsm.ID) *node {
	if t == nil {
		return nil
	}
	switch order := t.compare(at, id); {
	case order < 0:
		t.left = t.left.remove(at, id)
	case order > 0:
		t.right = t.right.remove(at, id)
	default:
		return t.left.merge(t.right)
	}
	return t.sized()
}

// merge joins two trees, all of the first before all of the second.
func (t *node) merge(after *node) *node {
	switch {
	case t == nil:
		return after
	case after == nil:
		return t
	case t.order < after.order:
		t.right = t.right.merge(after)
		return t.sized()
	}
	after.left = t.merge(after.left)
	return after.sized()
}

// last returns when the latest began.
func (t *node) last() (at int64, ok bool) {
	for ; t != nil; t = t.right {
		at, ok = t.at, true
	}
	return at, ok
}

// before counts those that began before a moment.
func (t *node) before(at int64) int {
	n := 0
	for t != nil {
		if t.at < at {
			n += t.left.count() + 1
			t = t.right
		} else {
			t = t.left
		}
	}
	return n
}

// latest lists those that began at a moment or after it, oldest first: the latest of
// them, if they are more than most.
func (t *node) latest(from int64, most int) []itsm.ID {
	var all []itsm.ID
	var walk func(t *node)
	walk = func(t *node) {
		if t == nil || len(all) == most {
			return
		}
		walk(t.right)
		if t.at >= from && len(all) < most {
			all = append(all, t.id)
			walk(t.left)
		}
	}
	walk(t)
	slices.Reverse(all)
	return all
}
