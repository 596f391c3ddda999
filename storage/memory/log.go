package memory

import (
	"encoding/json"
	"slices"

	"github.com/go-itsm/itsm"
)

// A log keeps events for ever, in the order of their commits. They lie in chunks
// that never move, which costs less than a piece of memory for each, and lets
// what was there be read while more is written.
type log struct {
	chunks [][]itsm.Event
	size   int
	spare  []byte // for the data of events to come
}

const (
	chunkEvents = 64
	spareBytes  = 8 << 10
)

// add writes a copy of an event and returns its position.
func (l *log) add(e *itsm.Event) int {
	position := l.size
	if position%chunkEvents == 0 {
		l.chunks = append(l.chunks, make([]itsm.Event, chunkEvents))
	}
	kept := l.at(position)
	*kept = *e
	kept.Data = l.keep(e.Data)
	l.size++
	return position
}

// keep copies data to where nothing else will be written.
func (l *log) keep(data json.RawMessage) json.RawMessage {
	if len(data) == 0 {
		return data // nil, or empty for ever
	}
	if len(data) > cap(l.spare) {
		l.spare = make([]byte, 0, max(spareBytes, len(data)))
	}
	kept := append(l.spare, data...)
	l.spare = kept[len(kept):]
	return json.RawMessage(slices.Clip(kept))
}

// at returns an event, which is not to be changed. A copy of a log stays what it
// was, and may be read while the log is written.
func (l *log) at(position int) *itsm.Event {
	return &l.chunks[position/chunkEvents][position%chunkEvents]
}
