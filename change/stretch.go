package change

import (
	"math/bits"
	"slices"
	"time"
)

// An entry is a change in the schedule of an item.
type entry struct {
	start, end uint64 // micros
	of         *Planned
}

// micros is a time as a number that grows with it: microseconds, of which half are
// before 1970.
func micros(t time.Time) uint64 { return uint64(t.UnixMicro()) + 1<<63 }

// outwards returns both ends of a span. What is planned is in whole microseconds, and
// what is asked need not be: rounding outwards finds the same.
func outwards(s Span) (start, end uint64) {
	return micros(s.Start), micros(s.End.Add(time.Microsecond - 1))
}

// How many entries a stretch has before it is divided, how many it keeps then, and
// into how many parts, as a power of two: so that a search waits for memory seldom.
const (
	undivided = 32
	kept      = 4
	digit     = 4
)

// A stretch of time holds the entries that begin in it: it is a node of a priority
// search tree (McCreight 1985) with several entries each. It keeps those that end the
// latest, and passes the others on to the part of it in which they begin. So whatever
// a search looks at is found, but for what lies along the way to the end of the time
// that is asked for, and finding k of n entries costs O(log n + k), however they lie.
//
// Stretches are divided at round numbers and not where the entries are, which needs no
// balancing: the way is never longer than the time has digits, and about log n if the
// entries are spread over it.
//
// The zero value is one without entries.
type stretch struct {
	// It begins at from and is 1<<size long.
	from uint64
	size int
	// entries are in the order of their ends, the latest first.
	entries []entry
	// parts are there once it was divided. They are empty unless it has as many
	// entries as it keeps.
	parts *parts
}

// What a search reads of all parts is side by side.
type parts struct {
	latest [1 << digit]uint64 // the end of the first entry of each; 0 without one
	of     [1 << digit]stretch
}

// partSize is the size of its parts.
func (s *stretch) partSize() int { return max(s.size-digit, 0) }

// part returns in which part a moment is.
func (s *stretch) part(moment uint64) int { return int((moment - s.from) >> s.partSize()) }

// has reports whether a moment is in it.
func (s *stretch) has(moment uint64) bool { return (moment^s.from)>>s.size == 0 }

// insert adds an entry that is not there. The stretch becomes as long as it has to.
func (s *stretch) insert(one entry) {
	switch {
	case len(s.entries) == 0:
		*s = stretch{from: one.start}
	case !s.has(one.start):
		s.widen(one.start)
	}
	s.add(one)
}

// widen makes it as long as it has to be for a moment to be in it. Since that is at
// least twice as long, it happens no more often than the time has digits.
func (s *stretch) widen(moment uint64) {
	size := bits.Len64(s.from ^ moment)
	wide := stretch{from: moment >> size << size, size: size}
	if len(s.entries) <= undivided && s.parts == nil {
		wide.entries = s.entries
	} else {
		s.overlapping(0, 1<<64-1, func(e entry) bool {
			wide.add(e)
			return true
		})
	}
	*s = wide
}

// add adds an entry that begins in it.
func (s *stretch) add(one entry) {
	at, _ := slices.BinarySearchFunc(s.entries, one.end, func(e entry, end uint64) int {
		if e.end > end {
			return -1
		}
		return 1
	})
	limit := undivided
	if s.parts != nil {
		limit = kept
	}
	// What begins in one microsecond cannot be divided.
	if len(s.entries) < limit || s.size == 0 {
		s.entries = slices.Insert(s.entries, at, one)
		return
	}
	if s.parts == nil {
		s.parts = new(parts)
		for _, e := range s.entries[kept:] {
			s.pass(e)
		}
		s.entries = append(make([]entry, 0, kept), s.entries[:kept]...)
	}
	if at < kept {
		last := s.entries[kept-1]
		copy(s.entries[at+1:], s.entries[at:])
		s.entries[at], one = one, last
	}
	s.pass(one)
}

// pass gives an entry to the part in which it begins.
func (s *stretch) pass(one entry) {
	i := s.part(one.start)
	p := &s.parts.of[i]
	if len(p.entries) == 0 {
		size := s.partSize()
		*p = stretch{from: one.start >> size << size, size: size}
	}
	p.add(one)
	s.parts.latest[i] = p.entries[0].end
}

// remove takes an entry out, if it is there.
func (s *stretch) remove(one entry) {
	if len(s.entries) == 0 || !s.has(one.start) {
		return
	}
	if i := slices.Index(s.entries, one); i >= 0 {
		s.entries = slices.Delete(s.entries, i, i+1)
		s.fill()
	} else if s.parts != nil {
		s.parts.remove(s.part(one.start), one)
	}
}

func (p *parts) remove(i int, one entry) {
	p.of[i].remove(one)
	p.latest[i] = 0
	if left := p.of[i].entries; len(left) > 0 {
		p.latest[i] = left[0].end
	}
}

// fill takes from the parts the entry that ends the latest, if there is one.
func (s *stretch) fill() {
	if s.parts == nil {
		return
	}
	i := 0
	for j, end := range s.parts.latest {
		if end > s.parts.latest[i] {
			i = j
		}
	}
	if from := s.parts.of[i].entries; len(from) > 0 {
		one := from[0]
		s.parts.remove(i, one)
		s.entries = append(s.entries, one)
	}
}

// overlapping calls f with every entry that has a moment in common with the time from
// start until just before end, and reports whether f wanted all of them.
func (s *stretch) overlapping(start, end uint64, f func(entry) bool) bool {
	for _, e := range s.entries {
		if e.end <= start {
			return true // and so has everything in the parts
		}
		if e.start < end && !f(e) {
			return false
		}
	}
	if s.parts == nil {
		return true
	}
	for i, latest := range s.parts.latest {
		if s.from+uint64(i)<<s.partSize() >= end {
			break
		}
		if latest > start && !s.parts.of[i].overlapping(start, end, f) {
			return false
		}
	}
	return true
}
