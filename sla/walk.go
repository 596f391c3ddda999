package sla

import (
	"iter"
	"slices"
)

// Openings are made in weeks of UTC, which begin on Thursdays as the Unix epoch
// does. Most weeks of a calendar are alike, and a run of such weeks is made at
// once: that makes it cheap to compile many years, and to walk through the
// millennia outside.

const secondsPerWeek = 7 * secondsPerDay

// The time that calendars know: from the beginning of year 1 until just before
// the end of year 9999, in UTC. Outside they are closed.
const (
	firstSecond = -62_135_596_800
	endSecond   = 253_402_300_800
	firstWeek   = (firstSecond - secondsPerWeek + 1) / secondsPerWeek // rounded down
	endWeek     = (endSecond-1)/secondsPerWeek + 1
)

// A node is a calendar made ready to be walked through: a rota, or a way of
// combining other nodes. It does not change.
type node struct {
	name string
	rota *rota
	op   Op
	of   []*node
}

// A walk makes the openings of a node, week by week: those of a rota, or of two
// walks combined. Each walk is its caller's.
type walk struct {
	rota        *rotaWalk
	op          Op
	left, right *walk

	// The week that was made last: its openings, and until where all weeks are
	// like it.
	made         []span
	start, until int64
}

func (n *node) walk() *walk {
	if n.rota != nil {
		return &walk{rota: &rotaWalk{rota: n.rota}}
	}
	if n.op == OpDifference {
		return &walk{op: OpDifference, left: n.of[0].walk(), right: combine(OpUnion, n.of[1:])}
	}
	return combine(n.op, n.of)
}

// combine makes a tree of pairs: lists of spans are merged fastest when they are
// of about the same length.
func combine(op Op, of []*node) *walk {
	if len(of) == 1 {
		return of[0].walk()
	}
	half := len(of) / 2
	return &walk{op: op, left: combine(op, of[:half]), right: combine(op, of[half:])}
}

// week returns the openings in the week that begins at an instant, and one
// until which all weeks that follow have the same. The openings are valid until
// the next call.
func (w *walk) week(start int64) (openings []span, until int64) {
	if start < w.start || start+secondsPerWeek > w.until {
		w.start = start
		w.made, w.until = w.make(w.made[:0], start)
	}
	return w.made, w.until
}

func (w *walk) make(to []span, start int64) (openings []span, until int64) {
	if w.rota != nil {
		return w.rota.week(to, start)
	}
	// Where one side decides alone, it also decides for how long.
	left, same := w.left.week(start)
	switch {
	case len(left) == 0 && w.op != OpUnion, isFull(left) && w.op == OpUnion:
		return append(to, left...), same
	}
	right, until := w.right.week(start)
	switch {
	case len(right) == 0 && w.op == OpIntersection, isFull(right) && w.op == OpUnion:
		return append(to, right...), until
	case isFull(right) && w.op == OpDifference:
		return to, until
	}
	until = min(until, same)
	switch w.op {
	case OpUnion:
		to = union(to, left, right)
	case OpIntersection:
		to = intersection(to, left, right)
	case OpDifference:
		to = difference(to, left, right)
	}
	return to, until
}

func isFull(spans []span) bool {
	return len(spans) == 1 && spans[0].open == 0 && spans[0].close == secondsPerWeek
}

// A run is a number of weeks that have the same openings, in seconds since the
// week began.
type run struct {
	week, weeks int64
	openings    openings
}

// runs yields the runs from one week to just before another, in order. What a
// run holds is valid until the next one is asked for.
func (w *walk) runs(from, to int64) iter.Seq[run] {
	return func(yield func(run) bool) {
		for from < to {
			start := from * secondsPerWeek
			spans, until := w.week(start)
			r := run{week: from, weeks: 1, openings: spans}
			if from == firstWeek || from == endWeek-1 {
				r.openings = known(spans, start)
			} else {
				r.weeks = max(1, min(floorDiv(until, secondsPerWeek), to, endWeek-1)-from)
			}
			r.openings.count()
			if from += r.weeks; !yield(r) {
				return
			}
		}
	}
}

// runsBack yields the runs from just before a week back to another one.
func (w *walk) runsBack(from, to int64) iter.Seq[run] {
	return func(yield func(run) bool) {
		// Weeks are alike from one on, not up to one: so they are made forward,
		// in pieces that grow the further it goes.
		const least, most = 4, 4096
		var piece []run
		for size := int64(least); from > to; size = min(2*size, most) {
			start := max(to, from-size)
			piece = piece[:0]
			for r := range w.runs(start, from) {
				r.openings = slices.Clone(r.openings)
				piece = append(piece, r)
			}
			for _, r := range slices.Backward(piece) {
				if !yield(r) {
					return
				}
			}
			from = start
		}
	}
}

// known cuts off what lies outside the time that calendars know.
func known(spans []span, start int64) []span {
	low, high := max(firstSecond-start, 0), min(endSecond-start, secondsPerWeek)
	return intersection(nil, spans, []span{{open: int32(low), close: int32(high)}})
}
