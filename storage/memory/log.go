package memory

import (
	"encoding/binary"
	"encoding/json"
	"hash/maphash"
	"time"

	"github.com/go-itsm/itsm"
)

// A log keeps events for ever, in the order of their commits. They are what
// there will be most of, so they lie packed in chunks in which there is nothing
// that the garbage collector would have to follow. Chunks never move and what is
// written is never changed: a copy of a log stays what it was, and may be read
// while the log is written.
type log struct {
	chunks [][]byte // the first is small, in case there are few
	used   int      // of the last chunk
	places []*[placesEach]place
	size   int
	// What nearly every event would repeat is kept once: the ids of the records,
	// by their numbers, and the practice of the first event.
	records  []itsm.ID
	practice string
}

// A place is where an event lies packed.
type place struct{ chunk, start uint32 }

const (
	leastChunk = 1 << 10
	mostChunk  = 64 << 10
	placesEach = 128
)

// add writes a copy of an event of the record with a number and returns its
// position.
func (l *log) add(e *itsm.Event, record int) int {
	size := 0
	if l.size == 0 {
		l.practice = e.Practice
	} else {
		size = len(l.chunks[len(l.chunks)-1])
	}
	if most := packedSize(e); l.used+most > size {
		size = max(min(2*size, mostChunk), leastChunk, most)
		l.chunks, l.used = append(l.chunks, make([]byte, size)), 0
	}
	position, last := l.size, len(l.chunks)-1
	if position%placesEach == 0 {
		l.places = append(l.places, new([placesEach]place))
	}
	l.places[position/placesEach][position%placesEach] = place{uint32(last), uint32(l.used)}
	l.used += len(l.pack(l.chunks[last][l.used:l.used], e, record))
	l.size++
	return position
}

// packed returns an event as it lies there, and what follows it.
func (l *log) packed(position int) []byte {
	p := l.places[position/placesEach][position%placesEach]
	return l.chunks[p.chunk][p.start:]
}

// at returns an event, which shares nothing with the log.
func (l *log) at(position int) itsm.Event { return l.unpack(l.packed(position)) }

// hasID reports whether the event at a position has an id.
func (l *log) hasID(position int, id itsm.ID) bool {
	text, _ := next(l.packed(position))
	return string(text) == string(id)
}

// packedSize returns at least the bytes that an event takes.
func packedSize(e *itsm.Event) int {
	return 12*binary.MaxVarintLen64 + len(e.ID) + len(e.Practice) + len(e.Action) + len(e.From) + len(e.To) +
		len(e.Actor.ID) + len(e.Actor.Name) + len(e.Cause) + len(e.Data)
}

// pack appends the texts of an event, its numbers and its data.
func (l *log) pack(b []byte, e *itsm.Event, record int) []byte {
	practice, own := "", uint64(0)
	if e.Practice != l.practice {
		practice, own = e.Practice, 1
	}
	for _, text := range [...]string{string(e.ID), practice, e.Action, string(e.From), string(e.To),
		e.Actor.ID, e.Actor.Name, string(e.Cause)} {
		if b = binary.AppendUvarint(b, uint64(len(text))); text != "" {
			b = append(b, text...)
		}
	}
	b = binary.AppendUvarint(b, uint64(record)<<1|own)
	b = binary.AppendUvarint(b, uint64(e.Version))
	b = binary.AppendVarint(b, e.At.UnixMicro())
	if e.Data == nil {
		return append(b, 0)
	}
	b = binary.AppendUvarint(b, uint64(len(e.Data)+1)) // what is empty is not nil
	return append(b, e.Data...)
}

func (l *log) unpack(b []byte) itsm.Event {
	var sizes [8]int
	rest := b
	for i := range sizes {
		var text []byte
		text, rest = next(rest)
		sizes[i] = len(text)
	}
	// One piece of memory for all texts, with their sizes in between.
	all, at := string(b[:len(b)-len(rest)]), 0
	text := func(i int) string {
		_, n := binary.Uvarint(b[at:])
		at += n + sizes[i]
		return all[at-sizes[i] : at]
	}
	e := itsm.Event{
		ID: itsm.ID(text(0)), Practice: text(1), Action: text(2), From: itsm.State(text(3)), To: itsm.State(text(4)),
		Actor: itsm.Actor{ID: text(5), Name: text(6)}, Cause: itsm.ID(text(7)),
	}
	number := func() uint64 {
		value, n := binary.Uvarint(rest)
		rest = rest[n:]
		return value
	}
	record := number()
	e.Record = l.records[record>>1]
	if record&1 == 0 {
		e.Practice = l.practice
	}
	e.Version = itsm.Version(number())
	micros, n := binary.Varint(rest)
	e.At, rest = time.UnixMicro(micros).UTC(), rest[n:]
	if size := int(number()); size > 0 {
		e.Data = append(json.RawMessage{}, rest[:size-1]...)
	}
	return e
}

// next returns the first text of what is packed, and the rest.
func next(b []byte) (text, rest []byte) {
	size, n := binary.Uvarint(b)
	return b[n : n+int(size)], b[n+int(size):]
}

// ids finds events by their ids: a hash table of positions, which compares with
// what is in the log. A map would have every id in it once more.
type ids struct {
	seed  maphash.Seed
	slots []slot // a power of two of them, a quarter of them free; a chain ends with a free one
	used  int
}

// A slot has the upper half of an id's hash, by which it is found, and the
// position plus one; it is zero if it is free.
type slot struct{ hash, position uint32 }

// room makes sure of room for n more.
func (x *ids) room(n int) {
	size := max(len(x.slots), 64)
	for x.used+n > size/4*3 {
		size *= 2
	}
	if size == len(x.slots) {
		return
	}
	old := x.slots
	x.slots = make([]slot, size)
	for _, s := range old {
		if s.position != 0 {
			*x.free(s.hash) = s
		}
	}
}

// free returns the end of a chain.
func (x *ids) free(hash uint32) *slot {
	for i := int(hash); ; i++ {
		if s := &x.slots[i&(len(x.slots)-1)]; s.position == 0 {
			return s
		}
	}
}

// add enters an event that will be at a position of the log, for which there is
// room, and returns its slot: nil if the log has one with its id already.
func (x *ids) add(id itsm.ID, l *log, position int) *slot {
	hash := uint32(maphash.String(x.seed, string(id)) >> 32)
	for i := int(hash); ; i++ {
		switch s := &x.slots[i&(len(x.slots)-1)]; {
		case s.position == 0:
			*s = slot{hash, uint32(position + 1)}
			x.used++
			return s
		case s.hash == hash && int(s.position) <= l.size && l.hasID(int(s.position)-1, id):
			return nil
		}
	}
}

// remove takes back what was added last.
func (x *ids) remove(s *slot) {
	*s = slot{}
	x.used--
}
