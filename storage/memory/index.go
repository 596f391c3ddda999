package memory

import (
	"cmp"
	"iter"
	"math/bits"
	"slices"

	"github.com/go-itsm/itsm"
)

// settle puts what has changed into the indexes. Most changes are followed by
// others to the same record before anybody lists, so that doing it now costs
// less than doing it with every commit. The caller holds mu.
func (s *Store[R]) settle() {
	s.indexing.Lock()
	defer s.indexing.Unlock()
	var keys []itsm.Key
	for _, rec := range s.stale {
		rec.stale = false
		if state := rec.meta.State; !rec.indexed || rec.state != state {
			if rec.indexed {
				s.states[rec.state].remove(rec.number) // its set is kept: there are few states
			}
			s.states.add(state, rec.number)
			rec.indexed, rec.state = true, state
		}
		if indexed, ok := any(&rec.value).(itsm.Indexed); ok {
			keys = distinct(indexed.AppendKeys(keys[:0]))
			if !slices.Equal(rec.keys, keys) {
				s.reindex(rec, keys)
			}
		}
	}
	clear(s.stale)
	s.stale = s.stale[:0]
}

func (s *Store[R]) reindex(rec *record[R], keys []itsm.Key) {
	for _, key := range rec.keys {
		if !slices.Contains(keys, key) {
			s.keys.remove(key, rec.number)
		}
	}
	for _, key := range keys {
		if !slices.Contains(rec.keys, key) {
			s.keys.add(key, rec.number)
		}
	}
	rec.keys = slices.Clone(keys)
}

// distinct drops repeated keys in place: a record may well have the same tag
// twice. There are few.
func distinct(keys []itsm.Key) []itsm.Key {
	for i := 1; i < len(keys); {
		if slices.Contains(keys[:i], keys[i]) {
			keys = slices.Delete(keys, i, i+1)
		} else {
			i++
		}
	}
	return keys
}

// An index has the set of records for each key that any record has.
type index[K comparable] map[K]*set

func (x index[K]) add(key K, number int) {
	s := x[key]
	if s == nil {
		s = new(set)
		x[key] = s
	}
	s.add(number)
}

func (x index[K]) remove(key K, number int) {
	s := x[key]
	s.remove(number)
	if s.empty() {
		delete(x, key)
	}
}

// A set of record numbers, in order: a bitmap of which only the words that are
// not zero are kept. It suits a state with half of all records as well as an
// assignee with three.
type set struct {
	chunks []chunk // by base, none empty but the last one left
}

func (s *set) empty() bool {
	return len(s.chunks) == 0 || len(s.chunks) == 1 && s.chunks[0].mask == 0
}

// A chunk is 4096 bits, in 64 words of 64.
type chunk struct {
	base  int      // the first number, divided by 4096
	mask  uint64   // which of the words are kept
	words []uint64 // those that are
}

// locate takes a number apart: its chunk's base, and the bits that stand for
// it in the chunk's mask and in the word.
func locate(number int) (base int, inMask, inWord uint64) {
	return number >> 12, 1 << (number >> 6 & 63), 1 << (number & 63)
}

// search returns where the chunk of a base is, or belongs. Often it is the last.
func (s *set) search(base int) (int, bool) {
	if last := len(s.chunks) - 1; last < 0 || s.chunks[last].base < base {
		return last + 1, false
	} else if s.chunks[last].base == base {
		return last, true
	}
	return slices.BinarySearchFunc(s.chunks, base, func(c chunk, base int) int { return cmp.Compare(c.base, base) })
}

func (s *set) add(number int) {
	base, inMask, inWord := locate(number)
	i, ok := s.search(base)
	switch {
	case ok:
	case len(s.chunks) == 1 && s.chunks[0].mask == 0:
		i, s.chunks[0].base = 0, base // its room is used again
	default:
		s.chunks = slices.Insert(s.chunks, i, chunk{base: base})
	}
	c := &s.chunks[i]
	at := c.at(inMask)
	if c.mask&inMask == 0 {
		c.mask |= inMask
		c.words = slices.Insert(c.words, at, 0)
	}
	c.words[at] |= inWord
}

// remove removes a number that is in the set.
func (s *set) remove(number int) {
	base, inMask, inWord := locate(number)
	i, _ := s.search(base)
	c := &s.chunks[i]
	at := c.at(inMask)
	c.words[at] &^= inWord
	if c.words[at] != 0 {
		return
	}
	c.mask &^= inMask
	c.words = slices.Delete(c.words, at, at+1)
	if c.mask == 0 && len(s.chunks) > 1 {
		s.chunks = slices.Delete(s.chunks, i, i+1)
	}
}

// at returns where in words a bit of the mask is found, or belongs.
func (c *chunk) at(inMask uint64) int { return bits.OnesCount64(c.mask & (inMask - 1)) }

// word returns the word for a bit of the mask.
func (c *chunk) word(inMask uint64) uint64 {
	if c.mask&inMask == 0 {
		return 0
	}
	return c.words[c.at(inMask)]
}

// rest returns all of the set, to be walked through. It is fine for nil.
func (s *set) rest() rest {
	if s == nil {
		return rest{}
	}
	return rest{chunks: s.chunks}
}

// A rest is what is left of a set on a walk in order.
type rest struct {
	chunks []chunk
	here   chunk // where the walk is
}

// move goes on to the chunk with a base, or to an empty one in its place.
func (r *rest) move(base int) {
	for len(r.chunks) > 0 && r.chunks[0].base < base {
		r.chunks = r.chunks[1:]
	}
	r.here = chunk{}
	if len(r.chunks) > 0 && r.chunks[0].base == base {
		r.here = r.chunks[0]
	}
}

// A selection is of the numbers below size that are in at least one set of any,
// if ofAny, and in every set of all.
type selection struct {
	size  int
	ofAny bool
	any   []rest
	all   []rest
}

// from yields the numbers from a first one on. A selection can be walked
// through once.
func (s *selection) from(first int) iter.Seq[int] {
	return func(yield func(int) bool) {
		for base := first >> 12; base<<12 < s.size; base++ {
			for mask := s.mask(base); mask != 0; mask &= mask - 1 {
				start := base<<12 + bits.TrailingZeros64(mask)<<6
				for word := s.word(mask & -mask); word != 0; word &= word - 1 {
					number := start + bits.TrailingZeros64(word)
					if number < first {
						continue
					}
					if number >= s.size || !yield(number) {
						return
					}
				}
			}
		}
	}
}

// mask moves all sets to a base and says which words may have numbers.
func (s *selection) mask(base int) uint64 {
	mask := ^uint64(0)
	if s.ofAny {
		mask = 0
	}
	for i := range s.any {
		s.any[i].move(base)
		mask |= s.any[i].here.mask
	}
	for i := range s.all {
		s.all[i].move(base)
		mask &= s.all[i].here.mask
	}
	return mask
}

// word says which numbers are selected in the word for a bit of the mask.
func (s *selection) word(inMask uint64) uint64 {
	word := ^uint64(0)
	if s.ofAny {
		word = 0
	}
	for i := range s.any {
		word |= s.any[i].here.word(inMask)
	}
	for i := range s.all {
		word &= s.all[i].here.word(inMask)
	}
	return word
}
