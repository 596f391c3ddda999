package storagetest_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/storage/storagetest"
)

// sample is a record with a field of every kind.
type sample struct {
	itsm.Meta
	Title    string              `json:"title"`
	Assignee string              `json:"assignee"`
	Group    string              `json:"group"`
	Count    int                 `json:"count"`
	Share    float64             `json:"share"`
	Urgent   bool                `json:"urgent"`
	Resolved *time.Time          `json:"resolved"`
	Notes    []note              `json:"notes"`
	Watchers map[string]bool     `json:"watchers"`
	Scores   [2]int              `json:"scores"`
	Labels   map[string][]string `json:"labels"`
}

type note struct {
	By   string    `json:"by"`
	At   time.Time `json:"at"`
	Tags []string  `json:"tags"`
}

func (s *sample) AppendKeys(keys []itsm.Key) []itsm.Key {
	return append(keys, itsm.Key{Field: "assignee", Value: s.Assignee}, itsm.Key{Field: "group", Value: s.Group})
}

var states = []itsm.State{"new", "open", "closed"}

func makeSample(n int) sample {
	at := time.Date(2026, 1, 2, 3, 4, 5, 6000, time.UTC).Add(time.Duration(n) * time.Hour)
	return sample{
		Meta:     itsm.Meta{State: states[n%3]},
		Title:    fmt.Sprintf("printer %d on fire", n),
		Assignee: fmt.Sprint("person ", n%5),
		Group:    fmt.Sprint("group ", n%4),
		Count:    n + 1,
		Share:    float64(n) + 0.5,
		Urgent:   n%2 == 0,
		Resolved: &at,
		Notes:    []note{{By: "jin", At: at, Tags: []string{"a", "b"}}, {By: "sam", At: at}},
		Watchers: map[string]bool{"alex": true, "kim": false},
		Scores:   [2]int{n, 1},
		Labels:   map[string][]string{"floor": {"1", "2"}},
	}
}

func changeSample(s *sample, n int) {
	s.Title = fmt.Sprint(s.Title, " ", n)
	s.Notes = append(s.Notes, note{By: fmt.Sprint("writer ", n), At: s.Created})
	s.Watchers[fmt.Sprint("watcher ", n)] = true
	if n%2 == 0 {
		s.State = states[(n/2)%3]
		s.Assignee = fmt.Sprint("person ", n%5)
	}
}

// harness is that of memory stores, which have neither tenants nor hosts: a
// tenant is a store of its own, and another host is given the same one.
func harness() storagetest.Harness[sample] {
	return storagetest.Harness[sample]{
		Open:   func(context.Context) (backend, error) { return newBackend(), nil },
		Record: makeSample,
		Change: changeSample,
		Lists:  true, Feeds: true, Wakes: true,
	}
}

// with is the harness of a backend that is changed before each rule.
func with(change fault) storagetest.Harness[sample] {
	h := harness()
	h.Patience = 500 * time.Millisecond
	h.Open = func(context.Context) (backend, error) {
		b := newBackend()
		change(&b)
		return b, nil
	}
	return h
}

func names(failures []storagetest.Failure) []string {
	var all []string
	for _, f := range failures {
		all = append(all, f.Rule.Name)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func text(failures []storagetest.Failure) string {
	var b strings.Builder
	for _, f := range failures {
		fmt.Fprintln(&b, f)
	}
	return b.String()
}

func TestMemory(t *testing.T) { storagetest.Test(t, harness()) }

// Each broken store fails the rules that it breaks and no others, and every
// rule is broken by some store. Some are broken only when callers meet in them,
// which on a busy machine they may not: such a store is looked at again.
func TestBrokenStores(t *testing.T) {
	broken := map[string]bool{"Harness": true, "Single": true} // which have tests of their own
	for _, c := range brokenStores {
		for _, rule := range c.rules {
			broken[rule] = true
		}
		t.Run(c.name, func(t *testing.T) {
			slices.Sort(c.rules)
			var caught []string
			for look := 0; look < 5 && !slices.Equal(c.rules, caught); look++ {
				failures := storagetest.Check(t.Context(), with(c.fault))
				require.Subset(t, c.rules, names(failures), text(failures))
				caught = append(caught, names(failures)...)
				slices.Sort(caught)
				caught = slices.Compact(caught)
			}
			require.Equal(t, c.rules, caught)
		})
	}
	for _, rule := range storagetest.Rules() {
		require.True(t, broken[rule.Name], "no store breaks %s", rule.Name)
	}
}

// What is only odd is not held against a store.
func TestOddStores(t *testing.T) {
	for _, c := range oddStores {
		t.Run(c.name, func(t *testing.T) {
			h := with(c.odd)
			h.Patience = 10 * time.Second
			if c.tweak != nil {
				c.tweak(&h)
			}
			failures := storagetest.Check(t.Context(), h)
			require.Empty(t, failures, text(failures))
		})
	}
}

// A harness that shows too little is a failure too, lest a store seem right.
func TestHarness(t *testing.T) {
	var kept []note
	for _, c := range []struct {
		name  string
		spoil func(h *storagetest.Harness[sample])
		seen  string
	}{
		{"OneState", func(h *storagetest.Harness[sample]) {
			h.Record = func(n int) sample {
				s := makeSample(n)
				s.State = "new"
				return s
			}
		}, "the samples' states are map[new:true]"},
		{"SameIDs", func(h *storagetest.Harness[sample]) {
			h.Record = func(n int) sample {
				s := makeSample(n)
				s.ID = "the same"
				return s
			}
		}, "40 samples have 1 ids"},
		{"EmptyField", func(h *storagetest.Harness[sample]) {
			h.Record = func(n int) sample {
				s := makeSample(n)
				s.Notes = nil
				return s
			}
		}, "Notes is empty in every sample"},
		{"Random", func(h *storagetest.Harness[sample]) {
			var n atomic.Int64
			h.Change = func(s *sample, _ int) { s.Count = int(n.Add(1)) }
		}, "two makings of a sample differ: Count is"},
		{"Sharing", func(h *storagetest.Harness[sample]) {
			h.Record = func(n int) sample {
				s := makeSample(0)
				if kept == nil {
					kept = s.Notes
				}
				s.State, s.Notes = states[n%3], kept
				return s
			}
		}, "two makings of a sample share memory"},
		{"NoChange", func(h *storagetest.Harness[sample]) { h.Change = func(*sample, int) {} }, "Change changes nothing"},
		{"ChangedID", func(h *storagetest.Harness[sample]) { h.Change = func(s *sample, _ int) { s.ID = "x" } }, "Change changes the ID"},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := with(func(*backend) {})
			h.Patience = time.Millisecond // only the first rule is of interest
			c.spoil(&h)
			failures := storagetest.Check(t.Context(), h)
			require.NotEmpty(t, failures)
			require.Equal(t, "Harness", failures[0].Rule.Name)
			require.ErrorContains(t, failures[0], c.seen)
		})
	}
	t.Run("NoRecord", func(t *testing.T) {
		failures := storagetest.Check(t.Context(), storagetest.Harness[int]{
			Open: func(context.Context) (storagetest.Backend[int], error) {
				return storagetest.Backend[int]{Store: none{}}, nil
			},
			Record: func(n int) int { return n },
			Change: func(*int, int) {},
		})
		require.ErrorContains(t, failures[0], "int does not embed itsm.Meta")
	})
	t.Run("SingleRevision", func(t *testing.T) {
		h := with(func(*backend) {})
		h.SingleRevision = true
		require.Equal(t, []string{"Single"}, names(storagetest.Check(t.Context(), h)))
	})
}

// none is a store of what is no record.
type none struct{ itsm.Store[int] }

// What goes wrong around a rule is a failure of the rule.
func TestOpen(t *testing.T) {
	broken := errors.New("no connection")
	for _, c := range []struct {
		name string
		open func(context.Context) (backend, error)
		seen string
	}{
		{"Error", func(context.Context) (backend, error) { return backend{}, broken }, "opening the backend: no connection"},
		{"NoStore", func(context.Context) (backend, error) { return backend{}, nil }, "there is no Store in it"},
		{"Missing", nil, "the harness lacks Open, Record or Change"},
		{"Close", func(context.Context) (backend, error) {
			b := newBackend()
			b.Close = func() error { return broken }
			return b, nil
		}, "no connection"},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := harness()
			h.Open = c.open
			failures := storagetest.Check(t.Context(), h)
			require.Len(t, failures, 1, "without a store there is nothing else to test")
			for _, f := range failures {
				require.ErrorContains(t, f, c.seen)
				require.ErrorContains(t, f, f.Rule.Sentence)
			}
			if c.name == "Error" {
				require.ErrorIs(t, failures[0], broken)
			}
		})
	}
}

// A store whose every call fails is told so under every rule, and none hangs.
func TestUselessStores(t *testing.T) {
	useless := errors.New("disk full")
	for _, c := range []struct {
		name  string
		fault fault
		rule  string
	}{
		{"Load", in(func(_ full, b *broken) {
			b.load = func(context.Context, id) (sample, error) { return sample{}, useless }
		}), "Load"},
		{"Commit", in(func(_ full, b *broken) {
			b.commit = func(context.Context, ...revision) error { return useless }
		}), "Torn"},
		{"Unknown", in(func(_ full, b *broken) {
			b.commit = func(context.Context, ...revision) error { return itsm.ErrUnknown }
		}), "ListStable"},
		{"Events", in(func(_ full, b *broken) {
			b.events = func(context.Context, id, version) iter.Seq2[event, error] { return failing[event](useless) }
		}), "HistoryAfter"},
		{"List", in(func(_ full, b *broken) {
			b.list = func(context.Context, itsm.Query) (itsm.Page[sample], error) { return itsm.Page[sample]{}, useless }
		}), "ListFresh"},
		{"Feed", in(func(_ full, b *broken) {
			b.feed = func(context.Context, itsm.Cursor) iter.Seq2[itsm.Delivery, error] {
				return failing[itsm.Delivery](useless)
			}
		}), "FeedBehind"},
		{"Due", in(func(_ full, b *broken) {
			b.due = func(context.Context, time.Time) iter.Seq2[itsm.Wake, error] { return failing[itsm.Wake](useless) }
			b.next = func(context.Context, time.Time) (time.Time, error) { return time.Time{}, useless }
		}), "NextDue"},
		{"Wall", func(b *backend) {
			wall := breaking(b.Wall.(full))
			wall.commit = func(context.Context, ...revision) error { return useless }
			b.Wall = wall
		}, "Wall"},
	} {
		t.Run(c.name, func(t *testing.T) {
			failures := storagetest.Check(t.Context(), with(c.fault))
			require.Contains(t, names(failures), c.rule)
		})
	}
}

func TestRules(t *testing.T) {
	seen := map[string]bool{}
	for _, rule := range storagetest.Rules() {
		require.False(t, seen[rule.Name] || seen[rule.Sentence], rule)
		require.Regexp(t, `^[A-Z][A-Za-z]+$`, rule.Name)
		require.Regexp(t, `^[A-Z].*[a-z]\.$`, rule.Sentence)
		seen[rule.Name], seen[rule.Sentence] = true, true
	}
}
