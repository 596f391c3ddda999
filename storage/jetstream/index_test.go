package jetstream

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/storage/memory"
)

type loan struct {
	itsm.Meta
	Borrower string   `json:"borrower"`
	Tags     []string `json:"tags"`
}

func (l *loan) AppendKeys(keys []itsm.Key) []itsm.Key {
	keys = append(keys, itsm.Key{Field: "borrower", Value: l.Borrower})
	for _, tag := range l.Tags {
		keys = append(keys, itsm.Key{Field: "tag", Value: tag})
	}
	return keys
}

// The index finds what the reference store lists, whatever was committed.
func TestIndex(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	x, reference := newIndex[loan](), memory.New[loan]()
	log := &stream{Options: Options{Stream: "LOANS"}, name: "LOANS"}
	start := time.Date(2026, 1, 5, 8, 0, 0, 0, time.UTC)
	pick := func(n int) string { return fmt.Sprint(rng.IntN(n)) }
	all := map[itsm.ID]*loan{}
	heads := map[itsm.ID]position{}
	for seq := uint64(1); seq <= 3_000; seq++ {
		if rng.IntN(20) == 0 {
			require.NoError(t, x.apply(stored{seq, []byte(takenTag + "1")}))
			continue
		}
		id := itsm.ID(pick(400))
		l := all[id]
		if l == nil {
			l = &loan{Meta: itsm.Meta{ID: id}}
			all[id] = l
		}
		base := l.Version
		l.Version++
		l.State, l.Borrower, l.Tags, l.Due = itsm.State(pick(3)), pick(5), nil, time.Time{}
		for range rng.IntN(4) {
			l.Tags = append(l.Tags, pick(3))
		}
		if rng.IntN(3) > 0 {
			l.Due = start.Add(time.Duration(rng.IntN(200)) * time.Second)
		}
		rev := itsm.Revision[loan]{Base: base, Record: *l, Events: []itsm.Event{{ID: itsm.ID(fmt.Sprint(seq)), Record: id, Version: l.Version}}}
		require.NoError(t, reference.Commit(t.Context(), rev))
		d, err := newDraft(log, &rev)
		require.NoError(t, err)
		d.at = heads[id]
		heads[id] = position{seq: seq, first: max(d.at.first, 0)}
		if base == 0 {
			heads[id] = position{seq: seq, first: seq}
		}
		require.NoError(t, x.apply(stored{seq, d.payload()}))

		if seq%50 != 0 {
			continue
		}
		q := itsm.Query{Limit: 1 + rng.IntN(100)}
		for range rng.IntN(3) {
			q.States = append(q.States, itsm.State(pick(4)))
		}
		for _, key := range []itsm.Key{{Field: "borrower", Value: pick(6)}, {Field: "tag", Value: pick(4)}, {Field: "tag", Value: pick(3)}} {
			if rng.IntN(3) == 0 {
				q.Where = append(q.Where, key)
			}
		}
		page, err := reference.List(t.Context(), q)
		require.NoError(t, err)
		var want, got []itsm.ID
		for _, l := range page.Records {
			want = append(want, l.ID)
		}
		found := x.find(q, 0)
		for _, at := range found[:min(len(found), q.Limit)] {
			got = append(got, x.byFirst[at.first].id)
			require.Equal(t, heads[got[len(got)-1]].seq, at.seq)
		}
		require.Equal(t, want, got)
		require.Equal(t, page.Next != "", len(found) > q.Limit)
		if len(found) > q.Limit {
			rest := x.find(q, found[q.Limit-1].first)
			require.Equal(t, found[q.Limit], rest[0])
		}

		var due, wakes []itsm.Wake
		now := start.Add(time.Duration(rng.IntN(200)) * time.Second)
		for w, err := range reference.Due(t.Context(), now) {
			require.NoError(t, err)
			due = append(due, w)
		}
		x.due.Scan(func(w itsm.Wake) bool {
			if !w.Due.After(now) {
				wakes = append(wakes, w)
			}
			return true
		})
		require.Equal(t, due, wakes)
	}
	require.Equal(t, uint64(3_000), x.upTo)
}

// What cannot be read is not passed over: it would be missing for ever.
func TestIndexStops(t *testing.T) {
	x := newIndex[loan]()
	for _, data := range []string{"2 0 0 0 1\n{}\n{}", "1 0 0 0 1\n{}\nno record"} {
		require.Error(t, x.apply(stored{1, []byte(data)}))
		require.Zero(t, x.upTo)
		require.Empty(t, x.records)
	}
}
