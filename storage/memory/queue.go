package memory

import (
	"cmp"
	"time"

	"github.com/go-itsm/itsm"
)

// nowhere is the place of a record that is not in the queue.
const nowhere = -1

// A queue is a binary heap of the records that have a due time, the earliest
// first. Each record knows its place, so that it can be moved.
type queue[R any] []*record[R]

// set gives a record its due time; zero takes it out of the queue.
func (q *queue[R]) set(rec *record[R], due time.Time) {
	rec.due = due
	switch {
	case rec.place == nowhere:
		*q = append(*q, nil)
		q.put(len(*q)-1, rec)
		q.up(rec.place)
	case !due.IsZero():
		q.down(rec.place)
		q.up(rec.place)
	default:
		end := len(*q) - 1
		last := (*q)[end]
		(*q)[end] = nil
		*q = (*q)[:end]
		if last != rec {
			q.put(rec.place, last)
			q.down(last.place)
			q.up(last.place)
		}
		rec.place = nowhere
	}
}

func (q queue[R]) put(place int, rec *record[R]) {
	q[place] = rec
	rec.place = place
}

func (q queue[R]) up(place int) {
	for place > 0 {
		parent := (place - 1) / 2
		if !q[place].due.Before(q[parent].due) {
			return
		}
		q.swap(place, parent)
		place = parent
	}
}

func (q queue[R]) down(place int) {
	for {
		child := 2*place + 1
		if child >= len(q) {
			return
		}
		if other := child + 1; other < len(q) && q[other].due.Before(q[child].due) {
			child = other
		}
		if !q[child].due.Before(q[place].due) {
			return
		}
		q.swap(place, child)
		place = child
	}
}

func (q queue[R]) swap(i, j int) {
	a, b := q[i], q[j]
	q.put(i, b)
	q.put(j, a)
}

// until appends what is due, in no order, from a place downwards: below a
// record that is not due, nothing is.
func (q queue[R]) until(now time.Time, place int, wakes []itsm.Wake) []itsm.Wake {
	if place >= len(q) || q[place].due.After(now) {
		return wakes
	}
	wakes = append(wakes, itsm.Wake{ID: q[place].meta.ID, Due: q[place].due})
	wakes = q.until(now, 2*place+1, wakes)
	return q.until(now, 2*place+2, wakes)
}

// next returns the earliest due time after a moment, from a place downwards,
// or what was the earliest before.
func (q queue[R]) next(after time.Time, place int, earliest time.Time) time.Time {
	if place >= len(q) {
		return earliest
	}
	if due := q[place].due; due.After(after) {
		if earliest.IsZero() || due.Before(earliest) {
			return due
		}
		return earliest
	}
	earliest = q.next(after, 2*place+1, earliest)
	return q.next(after, 2*place+2, earliest)
}

// compareWakes orders by time; the ids only make the order the same each time.
func compareWakes(a, b itsm.Wake) int {
	if c := a.Due.Compare(b.Due); c != 0 {
		return c
	}
	return cmp.Compare(a.ID, b.ID)
}
