package problem

import (
	"cmp"
	"slices"

	"github.com/go-itsm/itsm"
)

// mark is a node of a search tree of incidents by when they began, in which each branch
// knows how many there are below it: a treap, whose random order keeps it balanced. What
// is asked of it takes O(log n).
type mark struct {
	at          int64 // microseconds
	id          itsm.ID
	order       uint64
	size        int
	left, right *mark
}

func (m *mark) count() int {
	if m == nil {
		return 0
	}
	return m.size
}

func (m *mark) sized() *mark {
	m.size = m.left.count() + 1 + m.right.count()
	return m
}

// compare puts an incident before or after that of the mark.
func (m *mark) compare(at int64, id itsm.ID) int {
	return cmp.Or(cmp.Compare(at, m.at), cmp.Compare(id, m.id))
}

// insert returns the tree with n in it.
func (m *mark) insert(n *mark) *mark {
	switch {
	case m == nil:
		return n.sized()
	case n.order < m.order:
		n.left, n.right = m.split(n.at, n.id)
		return n.sized()
	case m.compare(n.at, n.id) < 0:
		m.left = m.left.insert(n)
	default:
		m.right = m.right.insert(n)
	}
	return m.sized()
}

// split divides the tree into what comes before an incident and what comes after it.
func (m *mark) split(at int64, id itsm.ID) (before, after *mark) {
	if m == nil {
		return nil, nil
	}
	if m.compare(at, id) < 0 {
		before, m.left = m.left.split(at, id)
		return before, m.sized()
	}
	m.right, after = m.right.split(at, id)
	return m.sized(), after
}

// remove returns the tree without an incident that is in it.
func (m *mark) remove(at int64, id itsm.ID) *mark {
	if m == nil {
		return nil
	}
	switch order := m.compare(at, id); {
	case order < 0:
		m.left = m.left.remove(at, id)
	case order > 0:
		m.right = m.right.remove(at, id)
	default:
		return m.left.merge(m.right)
	}
	return m.sized()
}

// merge joins two trees, all of the first before all of the second.
func (m *mark) merge(after *mark) *mark {
	switch {
	case m == nil:
		return after
	case after == nil:
		return m
	case m.order < after.order:
		m.right = m.right.merge(after)
		return m.sized()
	}
	after.left = m.merge(after.left)
	return after.sized()
}

// last returns when the latest began.
func (m *mark) last() (at int64, ok bool) {
	for ; m != nil; m = m.right {
		at, ok = m.at, true
	}
	return at, ok
}

// before counts those that began before a moment.
func (m *mark) before(at int64) int {
	n := 0
	for m != nil {
		if m.at < at {
			n += m.left.count() + 1
			m = m.right
		} else {
			m = m.left
		}
	}
	return n
}

// latest lists those that began at a moment or after it, oldest first: the latest of
// them, if they are more than most.
func (m *mark) latest(from int64, most int) []itsm.ID {
	var all []itsm.ID
	var walk func(m *mark)
	walk = func(m *mark) {
		if m == nil || len(all) == most {
			return
		}
		walk(m.right)
		if m.at >= from && len(all) < most {
			all = append(all, m.id)
			walk(m.left)
		}
	}
	walk(m)
	slices.Reverse(all)
	return all
}
