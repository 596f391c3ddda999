package memory_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/storage/memory"
	"github.com/go-itsm/itsm/storage/storagetest"
)

func TestStore(t *testing.T) {
	storagetest.Test(t, storagetest.Harness[ticket]{
		Open: func(context.Context) (storagetest.Backend[ticket], error) {
			s := memory.New[ticket]()
			return storagetest.Backend[ticket]{Store: s, Other: s, Wall: memory.New[ticket]()}, nil
		},
		Record: func(n int) ticket {
			t := sample(n)
			link := itsm.Link{Rel: "about", To: itsm.Ref{Kind: "ci", ID: t.ID}}
			t.Text, t.Channel, t.Resolved, t.Closed, t.Numbers[3] = "all of it", "phone", start, start, int64(n)
			for _, list := range []*[]itsm.Link{&t.A, &t.B, &t.C, &t.D, &t.E, &t.F, &t.G, &t.H} {
				*list = []itsm.Link{link}
			}
			return t
		},
		Change: func(t *ticket, n int) {
			t.Title = fmt.Sprint(t.Title, n)
			t.A = append(t.A, itsm.Link{Rel: "n", To: itsm.Ref{Kind: "n", ID: itsm.ID(fmt.Sprint(n))}})
			if n%2 == 0 {
				t.State, t.Assignee = "open", fmt.Sprint("a", n)
			}
		},
		Lists: true, Feeds: true, Wakes: true,
	})
}

type (
	noRecord struct{ ID itsm.ID }
	opaque   struct {
		itsm.Meta
		Watch struct{ Any any }
	}
	pointed struct{ *itsm.Meta }
)

func TestNewPanics(t *testing.T) {
	require.PanicsWithValue(t, "memory: memory_test.noRecord does not embed itsm.Meta", func() { memory.New[noRecord]() })
	require.PanicsWithValue(t, "memory: memory_test.pointed does not embed itsm.Meta", func() { memory.New[pointed]() })
	require.PanicsWithValue(t, "memory: memory_test.opaque cannot be kept: clone: memory_test.opaque.Watch.Any is of kind interface"+
		" and cannot be copied; give the type that has it a method Clone", func() { memory.New[opaque]() })
}

func TestCursorsOfAnotherStore(t *testing.T) {
	a, _ := filled(t, 3)
	b, _ := filled(t, 3)
	page, err := a.List(t.Context(), itsm.Query{Limit: 1})
	require.NoError(t, err)
	var feed itsm.Cursor
	for d, err := range a.Feed(t.Context(), "") {
		require.NoError(t, err)
		feed = d.Cursor
		break
	}
	for _, c := range []itsm.Cursor{page.Next, feed, feed + "0", "feed", "-1", "☃", page.Next[:len(page.Next)-1] + "01"} {
		_, err := b.List(t.Context(), itsm.Query{After: c})
		require.ErrorIs(t, err, itsm.ErrInvalid, c)
		if c != page.Next {
			_, err = a.List(t.Context(), itsm.Query{After: c})
			require.ErrorIs(t, err, itsm.ErrInvalid, c)
		}
		for _, err := range b.Feed(t.Context(), c) {
			require.ErrorIs(t, err, itsm.ErrInvalid, c)
		}
	}
}

// Versions beyond what databases can hold are refused.
func TestHugeBase(t *testing.T) {
	s, all := filled(t, 1)
	r := all[0]
	r.Version = math.MaxUint64
	require.ErrorIs(t, s.Commit(t.Context(), next(r)), itsm.ErrInvalid)
	for range s.Events(t.Context(), r.ID, math.MaxUint64) {
		t.Fatal("an event after the last version that there can be")
	}
}

// A list finds what going through all records finds, whatever happened to them.
func TestListProperty(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	s := memory.New[ticket]()
	pick := func(prefix string, n int) string { return fmt.Sprint(prefix, rng.IntN(n)) }
	var all []ticket // in the order of their creation
	for range 20_000 {
		i := rng.IntN(9_000)
		if i >= len(all) {
			i = len(all)
			all = append(all, sample(i))
		}
		r := all[i]
		r.State = itsm.State(pick("s", 4))
		r.Assignee, r.Group, r.Caller = pick("a", 3), pick("g", 20), pick("c", 2_000)
		rev := next(r)
		require.NoError(t, s.Commit(t.Context(), rev))
		all[i] = rev.Record
		if rng.IntN(100) == 0 { // whatever has changed since is indexed then
			_, err := s.List(t.Context(), itsm.Query{Limit: 1})
			require.NoError(t, err)
		}
	}
	require.Greater(t, len(all), 5_000, "more than a chunk of the index")
	for range 150 {
		q := itsm.Query{Limit: 1 + rng.IntN(300)}
		for range rng.IntN(3) {
			q.States = append(q.States, itsm.State(pick("s", 5)))
		}
		for _, key := range []itsm.Key{{Field: "assignee", Value: pick("a", 4)}, {Field: "group", Value: pick("g", 21)}, {Field: "caller", Value: pick("c", 2_000)}} {
			if rng.IntN(3) == 0 {
				q.Where = append(q.Where, key)
			}
		}
		var want, got []itsm.ID
		for i := range all {
			lacks := func(k itsm.Key) bool { return !slices.Contains(all[i].AppendKeys(nil), k) }
			if (len(q.States) == 0 || slices.Contains(q.States, all[i].State)) && !slices.ContainsFunc(q.Where, lacks) {
				want = append(want, all[i].ID)
			}
		}
		for {
			page, err := s.List(t.Context(), q)
			require.NoError(t, err)
			for _, r := range page.Records {
				got = append(got, r.ID)
			}
			if q.After = page.Next; q.After == "" {
				break
			}
			require.Len(t, page.Records, q.Limit)
		}
		require.Equal(t, want, got, q)
	}
}

// What is due is what going through all records finds, in order.
func TestDueProperty(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	s := memory.New[ticket]()
	all := map[int]ticket{}
	for range 1_000 {
		i := rng.IntN(150)
		r, ok := all[i]
		if !ok {
			r = sample(i)
		}
		r.Due = time.Time{}
		if rng.IntN(3) > 0 {
			r.Due = start.Add(time.Duration(rng.IntN(200)) * time.Second)
		}
		rev := next(r)
		require.NoError(t, s.Commit(t.Context(), rev))
		all[i] = rev.Record

		now := start.Add(time.Duration(rng.IntN(200)) * time.Second)
		var want, got []itsm.Wake
		var later time.Time
		for _, r := range all {
			switch {
			case r.Due.IsZero():
			case !r.Due.After(now):
				want = append(want, itsm.Wake{ID: r.ID, Due: r.Due})
			case later.IsZero() || r.Due.Before(later):
				later = r.Due
			}
		}
		for w, err := range s.Due(t.Context(), now) {
			require.NoError(t, err)
			got = append(got, w)
		}
		require.ElementsMatch(t, want, got)
		require.True(t, slices.IsSortedFunc(got, func(a, b itsm.Wake) int { return a.Due.Compare(b.Due) }))
		nextDue, err := s.NextDue(t.Context(), now)
		require.NoError(t, err)
		require.True(t, later.Equal(nextDue), "%v %v", later, nextDue)
	}
}

// An event that came without data leaves without, and what is empty stays so.
func TestEmptyData(t *testing.T) {
	s := memory.New[ticket]()
	rev := next(sample(0))
	second := rev.Events[0]
	rev.Events[0].Data, second.Data = nil, []byte{}
	second.ID, second.Version, rev.Record.Version = "second", 2, 2
	rev.Events = append(rev.Events, second)
	require.NoError(t, s.Commit(t.Context(), rev))
	var events []itsm.Event
	for e, err := range s.Events(t.Context(), rev.Record.ID, 0) {
		require.NoError(t, err)
		events = append(events, e)
	}
	require.Equal(t, rev.Events, events)
}

// The cost of a record is bounded, and an old version costs its events only.
func TestMemoryPerRecord(t *testing.T) {
	if testing.Short() {
		t.Skip("measures")
	}
	one, ten := perRecord(t, 5_000, 1), perRecord(t, 5_000, 10)
	require.Less(t, one, int64(2_000))
	require.Less(t, (ten-one)/9, int64(500))
}

// A record may give a key twice, as where people tag things; it counts once.
func TestRepeatedKeys(t *testing.T) {
	s := memory.New[tagged]()
	commit := func(version itsm.Version, tags ...string) {
		r := tagged{Meta: itsm.Meta{ID: "t", Version: version, State: "on"}, Tags: tags}
		e := itsm.Event{ID: itsm.ID(fmt.Sprint("e", version)), Record: "t", Version: version}
		require.NoError(t, s.Commit(t.Context(), itsm.Revision[tagged]{Base: version - 1, Record: r, Events: []itsm.Event{e}}))
	}
	listed := func(tag string) int {
		page, err := s.List(t.Context(), itsm.Query{Where: []itsm.Key{{Field: "tag", Value: tag}}})
		require.NoError(t, err)
		return len(page.Records)
	}
	commit(1, "a", "a", "b")
	require.Equal(t, []int{1, 1}, []int{listed("a"), listed("b")})
	commit(2)
	require.Equal(t, []int{0, 0}, []int{listed("a"), listed("b")})
	commit(3, "b", "b", "a", "b")
	require.Equal(t, []int{1, 1}, []int{listed("a"), listed("b")})
}

type tagged struct {
	itsm.Meta
	Tags []string `json:"tags,omitempty"`
}

func (r *tagged) AppendKeys(keys []itsm.Key) []itsm.Key {
	for _, tag := range r.Tags {
		keys = append(keys, itsm.Key{Field: "tag", Value: tag})
	}
	return keys
}
