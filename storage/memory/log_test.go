package memory

import (
	"encoding/json"
	"fmt"
	"hash/maphash"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm"
)

// randomEvent has every field, some of them empty or larger than a chunk.
func randomEvent(rng *rand.Rand) itsm.Event {
	text := func() string {
		switch rng.IntN(8) {
		case 0:
			return ""
		case 1:
			return strings.Repeat("대기", rng.IntN(200))
		default:
			return fmt.Sprint("text", rng.IntN(1000))
		}
	}
	e := itsm.Event{
		ID: itsm.ID(text()), Practice: text(), Record: itsm.ID(text()), Version: itsm.Version(rng.Uint64()), Action: text(),
		From: itsm.State(text()), To: itsm.State(text()), Actor: itsm.Actor{ID: text(), Name: text()}, Cause: itsm.ID(text()),
	}
	if rng.IntN(4) > 0 {
		e.At = time.UnixMicro(rng.Int64N(1<<55) - 1<<54).UTC()
	}
	switch rng.IntN(10) {
	case 0:
		e.Data = json.RawMessage{}
	case 1:
		e.Data = json.RawMessage(strings.Repeat("x", rng.IntN(2*mostChunk)))
	case 2:
	default:
		e.Data = json.RawMessage(fmt.Sprintf(`{"n":%d}`, rng.IntN(1000)))
	}
	return e
}

// What a log was given is what it has, whatever comes after it, and a copy of it
// stays what it was.
func TestLog(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	var l, early log
	var want []itsm.Event
	for i := range 3_000 {
		e := randomEvent(rng)
		record := rng.IntN(len(l.records) + 1)
		if record == len(l.records) {
			l.records = append(l.records, e.Record)
		}
		e.Record = l.records[record]
		want = append(want, e)
		require.Equal(t, i, l.add(&e, record))
		if i == 1_000 {
			early = l
		}
	}
	require.Equal(t, 3_000, l.size)
	require.Equal(t, 1_001, early.size)
	for i := range want {
		got := l.at(i)
		require.Equal(t, want[i], got)
		require.True(t, l.hasID(i, want[i].ID))
		require.False(t, l.hasID(i, want[i].ID+"x"))
		if i < early.size {
			require.Equal(t, want[i], early.at(i))
		}
		clear(got.Data)
		require.Equal(t, want[i], l.at(i), "what was read belongs to the reader")
	}
}

// The ids are a set, also where their hashes are the same: of 200,000, about five
// pairs are.
func TestIDs(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 10))
	var l log
	x, model := ids{seed: maphash.MakeSeed()}, map[itsm.ID]bool{}
	for len(model) < 200_000 {
		id := itsm.ID(fmt.Sprint(rng.IntN(700_000)))
		x.room(2)
		s := x.add(id, &l, l.size)
		if model[id] || s == nil {
			require.Equal(t, model[id], s == nil, id)
			continue
		}
		if rng.IntN(10) == 0 { // and is taken back, after another
			other := x.add(itsm.ID("-"+id), &l, l.size+1)
			require.NotSame(t, s, other)
			x.remove(other)
			x.remove(s)
			continue
		}
		model[id] = true
		l.add(&itsm.Event{ID: id}, 0)
	}
	require.Equal(t, len(model), x.used)
	found := 0
	for id := range model {
		if x.add(id, &l, l.size) == nil {
			found++
		}
	}
	require.Equal(t, len(model), found)
}
