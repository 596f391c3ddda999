package memory_test

import (
	"encoding/json"
	"fmt"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/storage/memory"
)

// ticket is a record of the usual size: 700 bytes, listed by three keys.
type ticket struct {
	itsm.Meta
	Title, Text, Group, Assignee, Caller, Channel string
	Resolved, Closed                              time.Time
	Numbers                                       [20]int64
	A, B, C, D, E, F, G, H                        []itsm.Link
}

func (t *ticket) AppendKeys(keys []itsm.Key) []itsm.Key {
	return append(keys,
		itsm.Key{Field: "assignee", Value: t.Assignee},
		itsm.Key{Field: "group", Value: t.Group},
		itsm.Key{Field: "caller", Value: t.Caller})
}

var start = time.Date(2026, 1, 5, 8, 0, 0, 0, time.UTC)

// next makes a revision of one event.
func next(r ticket) itsm.Revision[ticket] {
	base := r.Version
	r.Version++
	return itsm.Revision[ticket]{Base: base, Record: r, Events: []itsm.Event{{
		ID: itsm.ID("evt_" + string(r.ID) + "_" + strconv.FormatUint(uint64(r.Version), 10)), Practice: "ticket",
		Record: r.ID, Version: r.Version, Action: "edit", To: r.State, At: start,
		Actor: itsm.Actor{ID: "jin"}, Data: json.RawMessage(`{"note":"something about forty bytes long"}`),
	}}}
}

func sample(n int) ticket {
	t := ticket{Title: "printer on fire", Group: "g" + strconv.Itoa(n%20), Assignee: "a" + strconv.Itoa(n%500),
		Caller: "c" + strconv.Itoa(n%10_000)}
	t.ID = itsm.ID(fmt.Sprintf("tck_%026d", n))
	t.State = []itsm.State{"new", "open", "closed", "closed"}[n%4]
	t.Created, t.Changed = start, start
	if n%2 == 0 {
		t.Due = start.Add(time.Duration(n) * time.Second)
	}
	return t
}

func filled(tb testing.TB, n int) (*memory.Store[ticket], []ticket) {
	s := memory.New[ticket]()
	all := make([]ticket, n)
	for i := range n {
		rev := next(sample(i))
		require.NoError(tb, s.Commit(tb.Context(), rev))
		all[i] = rev.Record
	}
	return s, all
}

func BenchmarkLoad(b *testing.B) {
	s, all := filled(b, 10_000)
	ctx := b.Context()
	b.Run("1", func(b *testing.B) {
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			_, _ = s.Load(ctx, all[i%len(all)].ID)
		}
	})
	b.Run("parallel", func(b *testing.B) {
		b.ReportAllocs()
		b.RunParallel(func(pb *testing.PB) {
			for i := 0; pb.Next(); i++ {
				_, _ = s.Load(ctx, all[i%len(all)].ID)
			}
		})
	})
}

func BenchmarkCommit(b *testing.B) {
	for _, bench := range []struct {
		name   string
		change func(t *ticket, i int)
	}{
		{"create", nil},
		{"update", func(*ticket, int) {}},
		{"state", func(t *ticket, i int) { t.State = []itsm.State{"new", "open", "closed"}[i%3] }},
		{"assignee", func(t *ticket, i int) { t.Assignee = []string{"jin", "sam", "alex"}[i%3] }},
		{"due", func(t *ticket, i int) { t.Due = start.Add(time.Duration(i*7919%100_000) * time.Second) }},
	} {
		b.Run(bench.name, func(b *testing.B) {
			const n = 10_000
			b.ReportAllocs()
			b.StopTimer()
			ctx := b.Context()
			s, all := memory.New[ticket](), make([]ticket, n)
			if bench.change != nil {
				s, all = filled(b, n)
			}
			revs := make([]itsm.Revision[ticket], n)
			for done := 0; done < b.N; {
				for i := range revs {
					if bench.change == nil {
						revs[i] = next(sample(done + i))
						continue
					}
					bench.change(&all[i], done/n+i)
					revs[i] = next(all[i])
					all[i] = revs[i].Record
				}
				b.StartTimer()
				for i := 0; i < n && done < b.N; i, done = i+1, done+1 {
					if err := s.Commit(ctx, revs[i:i+1]...); err != nil {
						b.Fatal(err)
					}
				}
				b.StopTimer()
			}
		})
	}
}

func BenchmarkList(b *testing.B) {
	s, _ := filled(b, 100_000)
	ctx := b.Context()
	for _, bench := range []struct {
		name string
		q    itsm.Query
	}{
		{"all", itsm.Query{}},
		{"state", itsm.Query{States: []itsm.State{"new", "open"}}},
		{"group", itsm.Query{States: []itsm.State{"new"}, Where: []itsm.Key{{Field: "group", Value: "g4"}}}},
		{"rare", itsm.Query{Where: []itsm.Key{{Field: "assignee", Value: "a7"}, {Field: "caller", Value: "c7"}}}},
		{"none", itsm.Query{Where: []itsm.Key{{Field: "assignee", Value: "a7"}, {Field: "caller", Value: "c8"}}}},
	} {
		page, err := s.List(ctx, bench.q)
		require.NoError(b, err)
		b.Run(fmt.Sprintf("%s/%d", bench.name, len(page.Records)), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, _ = s.List(ctx, bench.q)
			}
		})
	}
}

func BenchmarkDue(b *testing.B) {
	s, _ := filled(b, 100_000)
	ctx := b.Context()
	for _, n := range []int{1, 100, 50_000} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			b.ReportAllocs()
			now := start.Add(time.Duration(2*n-1) * time.Second)
			for b.Loop() {
				got := 0
				for range s.Due(ctx, now) {
					got++
				}
				if got != n {
					b.Fatal(got)
				}
			}
		})
	}
	b.Run("next", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_, _ = s.NextDue(ctx, start.Add(-1))
		}
	})
}

func BenchmarkFeed(b *testing.B) {
	s, _ := filled(b, 10_000)
	b.ReportAllocs()
	for b.Loop() {
		for range s.Feed(b.Context(), "") {
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/10_000, "ns/event")
}

// BenchmarkMemory measures what a record costs beyond itself and its events.
func BenchmarkMemory(b *testing.B) {
	for _, events := range []int{1, 10} {
		b.Run(fmt.Sprintf("%d events", events), func(b *testing.B) {
			for b.Loop() {
				b.ReportMetric(float64(perRecord(b, 20_000, events)), "B/record")
			}
		})
	}
}

func perRecord(tb testing.TB, records, events int) int64 {
	before := heap()
	s := memory.New[ticket]()
	for i := range records {
		t := sample(i)
		for range events {
			rev := next(t)
			require.NoError(tb, s.Commit(tb.Context(), rev))
			t = rev.Record
		}
	}
	_, err := s.List(tb.Context(), itsm.Query{Limit: 1}) // so that they are indexed
	require.NoError(tb, err)
	used := heap() - before
	runtime.KeepAlive(s)
	return used / int64(records)
}

func heap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
