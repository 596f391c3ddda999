package sla

import (
	"cmp"
	"slices"
)

// A span is a time of opening within a week, in seconds since the week began.
type span struct {
	open, close int32
	// before counts the open seconds of the week before the span. It is set
	// where openings are counted, and 0 elsewhere.
	before int32
}

// Lists of spans are sorted, and between two of them is a gap. The functions
// below append to such a list and keep it so.

// merge sorts spans in place and joins those that overlap or touch.
func merge(spans []span) []span {
	slices.SortFunc(spans, func(a, b span) int { return cmp.Compare(a.open, b.open) })
	merged := spans[:0]
	for _, s := range spans {
		merged = push(merged, s)
	}
	return merged
}

// push appends a span that begins no earlier than the last one.
func push(spans []span, s span) []span {
	if n := len(spans); n > 0 && s.open <= spans[n-1].close {
		spans[n-1].close = max(spans[n-1].close, s.close)
		return spans
	}
	return append(spans, s)
}

// union appends what is in a or in b.
func union(to, a, b []span) []span {
	for len(a) > 0 || len(b) > 0 {
		if len(b) == 0 || len(a) > 0 && a[0].open <= b[0].open {
			to, a = push(to, a[0]), a[1:]
		} else {
			to, b = push(to, b[0]), b[1:]
		}
	}
	return to
}

// intersection appends what is in a and in b.
func intersection(to, a, b []span) []span {
	for len(a) > 0 && len(b) > 0 {
		s := span{open: max(a[0].open, b[0].open), close: min(a[0].close, b[0].close)}
		if s.open < s.close {
			to = append(to, s)
		}
		if a[0].close < b[0].close {
			a = a[1:]
		} else {
			b = b[1:]
		}
	}
	return to
}

// difference appends what is in a and not in b.
func difference(to, a, b []span) []span {
	for _, s := range a {
		for len(b) > 0 && b[0].close <= s.open {
			b = b[1:]
		}
		for _, cut := range b {
			if cut.open >= s.close {
				break
			}
			if s.open < cut.open {
				to = append(to, span{open: s.open, close: cut.open})
			}
			s.open = cut.close
		}
		if s.open < s.close {
			to = append(to, s)
		}
	}
	return to
}
