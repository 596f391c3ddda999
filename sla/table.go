package sla

import "math/bits"

// A piece is a part of a calendar's time, with its openings counted: the table
// of the horizon, or a run of weeks outside. Instants are whole seconds.
type piece interface {
	// bounds returns the first second and the one after the last.
	bounds() (start, end int64)
	// open returns how many seconds are open.
	open() int64
	// rank returns how many seconds are open before one of the piece, and
	// whether that one is.
	rank(sec int64) (n int64, open bool)
	// at and closedAt return the second that has n open, or closed, ones before
	// it in the piece and is open, or closed, itself. There must be one.
	at(n int64) int64
	closedAt(n int64) int64
	// spans calls yield with each opening, cut at the ends of weeks, from the
	// week that a second of the piece is in. It returns whether yield always
	// wanted more.
	spans(from int64, yield func(open, close int64) bool) bool
}

func (r *run) bounds() (start, end int64) {
	return r.week * secondsPerWeek, (r.week + r.weeks) * secondsPerWeek
}

func (r *run) open() int64 { return r.weeks * int64(r.openings.total()) }

func (r *run) rank(sec int64) (int64, bool) {
	sec -= r.week * secondsPerWeek
	n, open := r.openings.rank(int32(sec%secondsPerWeek), 0, len(r.openings))
	return sec/secondsPerWeek*int64(r.openings.total()) + int64(n), open
}

func (r *run) at(n int64) int64 {
	total := int64(r.openings.total())
	return (r.week+n/total)*secondsPerWeek + int64(r.openings.at(int32(n%total), 0, len(r.openings)))
}

func (r *run) closedAt(n int64) int64 {
	total := secondsPerWeek - int64(r.openings.total())
	return (r.week+n/total)*secondsPerWeek + int64(r.openings.closedAt(int32(n%total)))
}

func (r *run) spans(from int64, yield func(open, close int64) bool) bool {
	start, end := r.bounds()
	switch r.openings.total() {
	case 0:
		return true
	case secondsPerWeek:
		return yield(start, end)
	}
	for at := start + (from-start)/secondsPerWeek*secondsPerWeek; at < end; at += secondsPerWeek {
		for _, o := range r.openings {
			if !yield(at+int64(o.open), at+int64(o.close)) {
				return false
			}
		}
	}
	return true
}

// A table answers in constant time. It holds the weeks of the horizon by their
// numbers; as most of them are alike, a week is no more than the count of what
// is open before it and the number of a pattern.
type table struct {
	start, end int64
	// weeks holds one entry for each week, and one for the end: the seconds that
	// are open before it, and in the lowest patternBits the number of its
	// pattern.
	weeks    []uint64
	patterns []pattern
	// buckets finds weeks by open seconds: entry b is the last week with no
	// more than b<<shift before it.
	buckets []uint32
	shift   uint
}

const patternBits = 24

// A pattern is the openings of a week, with an index into them: entry b is the
// number of spans that begin before second b<<indexShift, or that have fewer
// open seconds before them.
type pattern struct {
	openings openings
	byTime   [indexSize]uint32
	byOpen   [indexSize]uint32
}

const (
	indexShift = 15
	indexSize  = secondsPerWeek>>indexShift + 2
)

func newPattern(o openings) pattern {
	p := pattern{openings: o}
	for b := range int32(indexSize) {
		i, j := 0, 0
		if b > 0 {
			i, j = int(p.byTime[b-1]), int(p.byOpen[b-1])
		}
		for i < len(o) && o[i].open < b<<indexShift {
			i++
		}
		for j < len(o) && o[j].before < b<<indexShift {
			j++
		}
		p.byTime[b], p.byOpen[b] = uint32(i), uint32(j)
	}
	return p
}

func (p *pattern) rank(second int32) (int32, bool) {
	b := second >> indexShift
	return p.openings.rank(second, int(p.byTime[b]), int(p.byTime[b+1]))
}

func (p *pattern) at(n int32) int32 {
	b := n >> indexShift
	return p.openings.at(n, int(p.byOpen[b]), int(p.byOpen[b+1]))
}

func newTable(n *node, from, to int64) table {
	t := table{start: from * secondsPerWeek, end: to * secondsPerWeek, weeks: make([]uint64, 0, to-from+1)}
	known := map[string]uint64{}
	var key []byte
	var before uint64
	for r := range n.walk().runs(from, to) {
		key = key[:0]
		for _, o := range r.openings {
			key = append(key, byte(o.open), byte(o.open>>8), byte(o.open>>16), byte(o.close), byte(o.close>>8), byte(o.close>>16))
		}
		number, ok := known[string(key)]
		if !ok {
			number = uint64(len(t.patterns))
			known[string(key)] = number
			t.patterns = append(t.patterns, newPattern(append(openings(nil), r.openings...)))
		}
		for range r.weeks {
			t.weeks = append(t.weeks, before<<patternBits|number)
			before += uint64(r.openings.total())
		}
	}
	t.weeks = append(t.weeks, before<<patternBits)
	t.patterns = append([]pattern(nil), t.patterns...) // no larger than it needs to be
	t.index()
	return t
}

// index makes about as many buckets as there are weeks.
func (t *table) index() {
	open := uint64(t.open())
	t.shift = uint(bits.Len64(open / uint64(len(t.weeks))))
	t.buckets = make([]uint32, open>>t.shift+2)
	week := uint32(0)
	for b := range t.buckets {
		for int(week+1) < len(t.weeks)-1 && t.before(week+1) <= uint64(b)<<t.shift {
			week++
		}
		t.buckets[b] = week
	}
}

func (t *table) before(week uint32) uint64 { return t.weeks[week] >> patternBits }

func (t *table) pattern(week uint32) *pattern { return &t.patterns[t.weeks[week]&(1<<patternBits-1)] }

func (t *table) holds(sec int64) bool { return sec >= t.start && sec < t.end }

func (t *table) bounds() (start, end int64) { return t.start, t.end }

func (t *table) open() int64 { return int64(t.weeks[len(t.weeks)-1] >> patternBits) }

func (t *table) rank(sec int64) (int64, bool) {
	since := uint64(sec - t.start)
	word := t.weeks[since/secondsPerWeek]
	n, open := t.patterns[word&(1<<patternBits-1)].rank(int32(since % secondsPerWeek))
	return int64(word>>patternBits) + int64(n), open
}

func (t *table) at(n int64) int64 {
	b := uint64(n) >> t.shift
	low, high := t.buckets[b], t.buckets[b+1]
	for low < high {
		if mid := low + (high-low+1)/2; t.before(mid) <= uint64(n) {
			low = mid
		} else {
			high = mid - 1
		}
	}
	word := t.weeks[low]
	p := &t.patterns[word&(1<<patternBits-1)]
	return t.start + int64(low)*secondsPerWeek + int64(p.at(int32(uint64(n)-word>>patternBits)))
}

func (t *table) closedAt(n int64) int64 {
	low, high := uint32(0), uint32(len(t.weeks)-2)
	for low < high {
		mid := low + (high-low+1)/2
		if closed := int64(mid)*secondsPerWeek - int64(t.before(mid)); closed <= n {
			low = mid
		} else {
			high = mid - 1
		}
	}
	closed := int64(low)*secondsPerWeek - int64(t.before(low))
	return t.start + int64(low)*secondsPerWeek + int64(t.pattern(low).openings.closedAt(int32(n-closed)))
}

func (t *table) spans(from int64, yield func(open, close int64) bool) bool {
	for week := (from - t.start) / secondsPerWeek; week < int64(len(t.weeks)-1); week++ {
		at := t.start + week*secondsPerWeek
		for _, o := range t.pattern(uint32(week)).openings {
			if !yield(at+int64(o.open), at+int64(o.close)) {
				return false
			}
		}
	}
	return true
}
