package storagetest_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"maps"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/internal/clone"
	"github.com/go-itsm/itsm/storage/memory"
	"github.com/go-itsm/itsm/storage/storagetest"
)

type (
	id       = itsm.ID
	version  = itsm.Version
	revision = itsm.Revision[sample]
	event    = itsm.Event
	backend  = storagetest.Backend[sample]
	store    = itsm.Store[sample]
	full     interface {
		itsm.Store[sample]
		itsm.Lister[sample]
		itsm.Feeder
		itsm.DueStore
	}
)

// A broken store is a right one with some methods replaced.
type broken struct {
	full
	load   func(ctx context.Context, id id) (sample, error)
	commit func(ctx context.Context, revs ...revision) error
	events func(ctx context.Context, id id, after version) iter.Seq2[event, error]
	list   func(ctx context.Context, q itsm.Query) (itsm.Page[sample], error)
	feed   func(ctx context.Context, after itsm.Cursor) iter.Seq2[itsm.Delivery, error]
	due    func(ctx context.Context, now time.Time) iter.Seq2[itsm.Wake, error]
	next   func(ctx context.Context, after time.Time) (time.Time, error)
}

// breaking returns a store whose methods are those of a right one.
func breaking(s full) *broken {
	return &broken{s, s.Load, s.Commit, s.Events, s.List, s.Feed, s.Due, s.NextDue}
}

func (b *broken) Load(ctx context.Context, id id) (sample, error) { return b.load(ctx, id) }

func (b *broken) Commit(ctx context.Context, revs ...revision) error { return b.commit(ctx, revs...) }

func (b *broken) Events(ctx context.Context, id id, after version) iter.Seq2[event, error] {
	return b.events(ctx, id, after)
}

func (b *broken) List(ctx context.Context, q itsm.Query) (itsm.Page[sample], error) {
	return b.list(ctx, q)
}

func (b *broken) Feed(ctx context.Context, after itsm.Cursor) iter.Seq2[itsm.Delivery, error] {
	return b.feed(ctx, after)
}

func (b *broken) Due(ctx context.Context, now time.Time) iter.Seq2[itsm.Wake, error] {
	return b.due(ctx, now)
}

func (b *broken) NextDue(ctx context.Context, after time.Time) (time.Time, error) {
	return b.next(ctx, after)
}

// A fault makes a right backend wrong. Faults that are about one store replace
// Store, whose Other handle follows.
type fault func(b *backend)

// in makes a fault of one store out of what it does to the methods.
func in(change func(s full, b *broken)) fault {
	return func(b *backend) {
		s := b.Store.(full)
		wrong := breaking(s)
		change(s, wrong)
		b.Store, b.Other = wrong, wrong
	}
}

// mapped changes or leaves out what a sequence yields.
func mapped[T any](seq iter.Seq2[T, error], f func(T) (T, bool)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for v, err := range seq {
			ok := true
			if err == nil {
				v, ok = f(v)
			}
			if ok && !yield(v, err) {
				return
			}
		}
	}
}

func failing[T any](err error) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) { yield(*new(T), err) }
}

// all collects a sequence of a right store.
func all[T any](seq iter.Seq2[T, error]) []T {
	var vs []T
	for v, err := range seq {
		if err != nil {
			panic(err)
		}
		vs = append(vs, v)
	}
	return vs
}

func yields[T any](vs []T) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for _, v := range vs {
			if !yield(v, nil) {
				return
			}
		}
	}
}

// held says whether a store has a revision in its history already.
func held(s full, rev revision) bool {
	history := all(s.Events(context.Background(), rev.Record.ID, rev.Base))
	return len(rev.Events) > 0 && len(history) >= len(rev.Events) && history[0].ID == rev.Events[0].ID
}

func current(s full, id id) version {
	r, _ := s.Load(context.Background(), id)
	return r.Version
}

// based makes a revision fit on another version.
func based(rev revision, base version) revision {
	rev.Base = base
	rev.Events = slices.Clone(rev.Events)
	for i := range rev.Events {
		rev.Events[i].Version = base + version(i) + 1
	}
	rev.Record.Version = base + version(len(rev.Events))
	return rev
}

// A shelf keeps things by key, for callers that come at the same time.
type shelf[K comparable, V any] struct {
	mu sync.Mutex
	m  map[K]V
}

func (s *shelf[K, V]) put(k K, v V) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.m == nil {
		s.m = map[K]V{}
	}
	s.m[k] = v
}

func (s *shelf[K, V]) take(k K) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.m, k)
}

func (s *shelf[K, V]) get(k K) (V, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	v, ok := s.m[k]
	return v, ok
}

func (s *shelf[K, V]) values() []V {
	s.mu.Lock()
	defer s.mu.Unlock()
	var vs []V
	for _, v := range s.m {
		vs = append(vs, v)
	}
	return vs
}

// pause lets everybody else run for a while.
func pause() {
	for range 20 {
		runtime.Gosched()
	}
}

var cloner, _ = clone.Of[sample]()

// A journal is a feed of its own over a store.
type journal struct {
	mu      sync.Mutex
	entries []itsm.Delivery // in the order of their cursors
	known   map[id]bool
}

// add enters events at numbers that the caller has drawn.
func (j *journal) add(events []event, numbers []int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.known == nil {
		j.known = map[id]bool{}
	}
	for i, e := range events {
		if !j.known[e.ID] {
			j.known[e.ID] = true
			e.Data = bytes.Clone(e.Data)
			j.entries = append(j.entries, itsm.Delivery{Event: e, Cursor: itsm.Cursor(fmt.Sprintf("%09d", numbers[i]))})
		}
	}
	slices.SortFunc(j.entries, func(a, b itsm.Delivery) int { return cmp.Compare(a.Cursor, b.Cursor) })
}

func (j *journal) feed(ctx context.Context, after itsm.Cursor) iter.Seq2[itsm.Delivery, error] {
	if _, err := strconv.Atoi(string(after)); err != nil && after != "" {
		return failing[itsm.Delivery](itsm.ErrInvalid)
	}
	if err := ctx.Err(); err != nil {
		return failing[itsm.Delivery](err)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	rest := slices.Clone(j.entries)
	rest = slices.DeleteFunc(rest, func(d itsm.Delivery) bool { return d.Cursor <= after })
	return mapped(yields(rest), func(d itsm.Delivery) (itsm.Delivery, bool) {
		d.Event.Data = bytes.Clone(d.Event.Data)
		return d, true
	})
}

// brokenStores names for each fault the rules that it breaks, and no others.
var brokenStores = []struct {
	name  string
	fault fault
	rules []string
}{
	// Records.

	{"loses a field", in(func(s full, b *broken) {
		b.load = func(ctx context.Context, id id) (sample, error) {
			r, err := s.Load(ctx, id)
			r.Labels = nil
			return r, err
		}
	}), []string{"Load", "ListWhole"}},

	{"rounds times to seconds", in(func(s full, b *broken) {
		b.load = func(ctx context.Context, id id) (sample, error) {
			r, err := s.Load(ctx, id)
			for i := range r.Notes {
				r.Notes[i].At = r.Notes[i].At.Truncate(time.Second)
			}
			return r, err
		}
	}), []string{"Load", "ListWhole"}},

	{"respaces JSON, as jsonb does", in(func(s full, b *broken) {
		b.commit = func(ctx context.Context, revs ...revision) error {
			return s.Commit(ctx, rewritten(revs, func(data []byte) []byte {
				return bytes.ReplaceAll(data, []byte(","), []byte(", "))
			})...)
		}
	}), []string{"Load", "History", "Feed"}},

	{"has JSON in another order", in(func(s full, b *broken) {
		b.commit = func(ctx context.Context, revs ...revision) error {
			return s.Commit(ctx, rewritten(revs, func(data []byte) []byte {
				var meaning any
				if json.Unmarshal(data, &meaning) != nil {
					return data
				}
				sorted, _ := json.Marshal(meaning)
				return sorted
			})...)
		}
	}), []string{"Load", "History", "Feed"}},

	{"has an empty record for what is not there", in(func(s full, b *broken) {
		b.load = func(ctx context.Context, id id) (sample, error) {
			r, err := s.Load(ctx, id)
			if errors.Is(err, itsm.ErrNotFound) {
				return r, nil
			}
			return r, err
		}
	}), []string{"NotFound"}},

	{"hands out an error of its own for what is not there", in(func(s full, b *broken) {
		b.load = func(ctx context.Context, id id) (sample, error) {
			r, err := s.Load(ctx, id)
			if errors.Is(err, itsm.ErrNotFound) {
				return r, errors.New("sql: no rows in result set")
			}
			return r, err
		}
	}), []string{"NotFound"}},

	{"reads the other handle from a replica that lags", func(b *backend) {
		s := b.Store.(full)
		var old shelf[id, sample]
		writer, replica := breaking(s), breaking(s)
		writer.commit = func(ctx context.Context, revs ...revision) error {
			if len(revs) == 1 {
				if before, err := s.Load(ctx, revs[0].Record.ID); err == nil {
					old.put(before.ID, before)
					time.AfterFunc(time.Millisecond, func() { old.take(before.ID) })
				}
			}
			return s.Commit(ctx, revs...)
		}
		replica.load = func(ctx context.Context, id id) (sample, error) {
			if r, ok := old.get(id); ok {
				return cloner.Clone(r), nil
			}
			return s.Load(ctx, id)
		}
		b.Store, b.Other = writer, replica
	}, []string{"Acknowledged"}},

	// Contexts.

	{"ignores that the context has ended", in(func(s full, b *broken) {
		live := context.WithoutCancel
		b.load = func(ctx context.Context, id id) (sample, error) { return s.Load(live(ctx), id) }
		b.commit = func(ctx context.Context, revs ...revision) error { return s.Commit(live(ctx), revs...) }
		b.events = func(ctx context.Context, id id, after version) iter.Seq2[event, error] {
			return s.Events(live(ctx), id, after)
		}
		b.list = func(ctx context.Context, q itsm.Query) (itsm.Page[sample], error) { return s.List(live(ctx), q) }
		b.feed = func(ctx context.Context, c itsm.Cursor) iter.Seq2[itsm.Delivery, error] { return s.Feed(live(ctx), c) }
		b.due = func(ctx context.Context, now time.Time) iter.Seq2[itsm.Wake, error] { return s.Due(live(ctx), now) }
		b.next = func(ctx context.Context, t time.Time) (time.Time, error) { return s.NextDue(live(ctx), t) }
	}), []string{"Cancelled"}},

	{"writes and then says that the context has ended", in(func(s full, b *broken) {
		b.commit = func(ctx context.Context, revs ...revision) error {
			return cmp.Or(s.Commit(context.WithoutCancel(ctx), revs...), ctx.Err())
		}
	}), []string{"Cancelled"}},

	{"ends a sequence early and says nothing when the context has ended", in(func(s full, b *broken) {
		b.events = func(ctx context.Context, id id, after version) iter.Seq2[event, error] {
			if ctx.Err() != nil {
				return yields[event](nil)
			}
			return s.Events(ctx, id, after)
		}
	}), []string{"Cancelled"}},

	// Tenants.

	{"loads the records of other tenants", func(b *backend) {
		s, wall := b.Store.(full), breaking(b.Wall.(full))
		own := b.Wall.(full)
		wall.load = func(ctx context.Context, id id) (sample, error) {
			r, err := own.Load(ctx, id)
			if errors.Is(err, itsm.ErrNotFound) {
				return s.Load(ctx, id)
			}
			return r, err
		}
		b.Wall = wall
	}, []string{"Wall"}},

	{"has one history for the same id of all tenants", func(b *backend) {
		s, wall := b.Store.(full), breaking(b.Wall.(full))
		wall.events = s.Events
		b.Wall = wall
	}, []string{"Wall"}},

	{"lists the records of other tenants", func(b *backend) {
		s, wall := b.Store.(full), breaking(b.Wall.(full))
		wall.list = s.List
		b.Wall = wall
	}, []string{"Wall"}},

	{"has one feed for all tenants", func(b *backend) {
		s, wall := b.Store.(full), breaking(b.Wall.(full))
		wall.feed = s.Feed
		b.Wall = wall
	}, []string{"Wall"}},

	{"wakes the records of other tenants", func(b *backend) {
		s, wall := b.Store.(full), breaking(b.Wall.(full))
		wall.due = s.Due
		b.Wall = wall
	}, []string{"Wall"}},

	{"has unique ids across tenants", func(b *backend) {
		s, wall := b.Store.(full), breaking(b.Wall.(full))
		own := b.Wall.(full)
		wall.commit = func(ctx context.Context, revs ...revision) error {
			if current(s, revs[0].Record.ID) > 0 {
				return itsm.ErrExists
			}
			return own.Commit(ctx, revs...)
		}
		b.Wall = wall
	}, []string{"Wall"}},

	{"has one table for all tenants", func(b *backend) { b.Wall = b.Store }, []string{"Wall"}},

	// Commits.

	{"leaves a record alone that is created twice", in(func(s full, b *broken) {
		b.commit = func(ctx context.Context, revs ...revision) error {
			if err := s.Commit(ctx, revs...); len(revs) > 1 || !errors.Is(err, itsm.ErrExists) ||
				revs[0].Base > 0 || current(s, revs[0].Record.ID) == 0 {
				return err
			}
			return nil
		}
	}), []string{"Exists"}},

	{"takes a second creation for a change", in(func(s full, b *broken) {
		b.commit = func(ctx context.Context, revs ...revision) error {
			err := s.Commit(ctx, revs...)
			if len(revs) == 1 && errors.Is(err, itsm.ErrExists) && revs[0].Base == 0 {
				if v := current(s, revs[0].Record.ID); v > 0 {
					return s.Commit(ctx, based(revs[0], v))
				}
			}
			return err
		}
	}), []string{"Exists"}},

	{"accepts a change to a record that is not there", in(func(s full, b *broken) {
		b.commit = func(ctx context.Context, revs ...revision) error {
			err := s.Commit(ctx, revs...)
			if len(revs) == 1 && errors.Is(err, itsm.ErrConflict) && current(s, revs[0].Record.ID) == 0 {
				return s.Commit(ctx, based(revs[0], 0))
			}
			return err
		}
	}), []string{"Conflict"}},

	{"compares versions with less instead of equal", in(func(s full, b *broken) {
		b.commit = func(ctx context.Context, revs ...revision) error {
			err := s.Commit(ctx, revs...)
			if len(revs) == 1 && errors.Is(err, itsm.ErrConflict) {
				if v := current(s, revs[0].Record.ID); v > 0 && v < revs[0].Base {
					return s.Commit(ctx, based(revs[0], v))
				}
			}
			return err
		}
	}), []string{"Conflict"}},

	{"takes the id of an event twice", in(func(s full, b *broken) {
		b.commit = func(ctx context.Context, revs ...revision) error {
			err := s.Commit(ctx, revs...)
			if len(revs) == 1 && errors.Is(err, itsm.ErrExists) && current(s, revs[0].Record.ID) == revs[0].Base {
				twice := based(revs[0], revs[0].Base)
				for i := range twice.Events {
					twice.Events[i].ID += "_twice"
				}
				return s.Commit(ctx, twice)
			}
			return err
		}
	}), []string{"EventExists"}},

	{"takes a commit that is sent again for a conflict", in(func(s full, b *broken) {
		b.commit = func(ctx context.Context, revs ...revision) error {
			if len(revs) > 0 && held(s, revs[0]) {
				return itsm.ErrConflict
			}
			return s.Commit(ctx, revs...)
		}
	}), []string{"Resend", "ResendSeveral", "ResendRace"}},

	{"remembers only the last commit of a record", in(func(s full, b *broken) {
		b.commit = func(ctx context.Context, revs ...revision) error {
			for _, rev := range revs {
				if held(s, rev) && current(s, rev.Record.ID) > rev.Record.Version {
					return itsm.ErrConflict
				}
			}
			return s.Commit(ctx, revs...)
		}
	}), []string{"Resend", "ResendSeveral"}},

	{"writes again what is sent again", in(func(s full, b *broken) {
		b.commit = func(ctx context.Context, revs ...revision) error {
			if len(revs) == 1 && revs[0].Base > 0 && held(s, revs[0]) {
				again := based(revs[0], current(s, revs[0].Record.ID))
				for i := range again.Events {
					again.Events[i].ID += id(fmt.Sprint("_", again.Base))
				}
				return s.Commit(ctx, again)
			}
			return s.Commit(ctx, revs...)
		}
	}), []string{"Resend", "ResendRace"}},

	{"knows what is sent again only when the first is done", in(func(s full, b *broken) {
		var under shelf[id, bool]
		b.commit = func(ctx context.Context, revs ...revision) error {
			if len(revs) != 1 || len(revs[0].Events) == 0 || revs[0].Base == 0 {
				return s.Commit(ctx, revs...)
			}
			e := revs[0].Events[0].ID
			if _, busy := under.get(e); busy {
				return itsm.ErrExists
			}
			under.put(e, true)
			defer under.take(e)
			if !held(s, revs[0]) {
				pause()
			}
			return s.Commit(ctx, revs...)
		}
	}), []string{"ResendRace"}},

	{"finds nothing wrong with an empty commit", in(func(s full, b *broken) {
		b.commit = func(ctx context.Context, revs ...revision) error {
			if len(revs) == 0 {
				return ctx.Err()
			}
			return s.Commit(ctx, revs...)
		}
	}), []string{"Malformed"}},

	{"mends versions that do not fit", in(func(s full, b *broken) {
		b.commit = func(ctx context.Context, revs ...revision) error {
			if err := s.Commit(ctx, revs...); len(revs) != 1 || len(revs[0].Events) == 0 || !errors.Is(err, itsm.ErrInvalid) {
				return err
			}
			return s.Commit(ctx, based(revs[0], revs[0].Base))
		}
	}), []string{"Malformed"}},

	{"commits several revisions one by one", in(func(s full, b *broken) {
		b.commit = func(ctx context.Context, revs ...revision) error {
			if err := itsm.CheckRevisions(revs...); err != nil {
				return err
			}
			for i, rev := range revs {
				if i > 0 {
					pause()
				}
				if err := s.Commit(ctx, rev); err != nil {
					return err
				}
			}
			return nil
		}
	}), []string{"Torn", "Half"}},

	{"leaves a due time behind when it takes a commit back", in(func(s full, b *broken) {
		var left atomic.Bool
		b.commit = func(ctx context.Context, revs ...revision) error {
			err := s.Commit(ctx, revs...)
			left.Store(left.Load() || err != nil && len(revs) == 4)
			return err
		}
		b.next = func(ctx context.Context, after time.Time) (time.Time, error) {
			if ghost := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC); left.Load() && after.Before(ghost) {
				return ghost, nil
			}
			return s.NextDue(ctx, after)
		}
	}), []string{"Torn"}},

	{"shows the records of a commit one after the other", in(func(s full, b *broken) {
		var old shelf[id, sample]
		b.commit = func(ctx context.Context, revs ...revision) error {
			for _, rev := range revs[min(1, len(revs)):] {
				if r, err := s.Load(ctx, rev.Record.ID); err == nil {
					old.put(r.ID, r)
					defer old.take(r.ID)
				}
			}
			err := s.Commit(ctx, revs...)
			if len(revs) > 1 {
				pause()
			}
			return err
		}
		b.load = func(ctx context.Context, id id) (sample, error) {
			if r, ok := old.get(id); ok && ctx.Err() == nil {
				return cloner.Clone(r), nil
			}
			return s.Load(ctx, id)
		}
	}), []string{"Half"}},

	{"writes the events after their record", in(func(s full, b *broken) {
		var hidden shelf[id, version]
		b.commit = func(ctx context.Context, revs ...revision) error {
			for _, rev := range revs {
				hidden.put(rev.Record.ID, current(s, rev.Record.ID))
				defer hidden.take(rev.Record.ID)
			}
			err := s.Commit(ctx, revs...)
			pause()
			return err
		}
		b.events = func(ctx context.Context, id id, after version) iter.Seq2[event, error] {
			return mapped(s.Events(ctx, id, after), func(e event) (event, bool) {
				last, some := hidden.get(id)
				return e, !some || e.Version <= last
			})
		}
	}), []string{"Half"}},

	{"forgets the last of several records", in(func(s full, b *broken) {
		var old shelf[id, sample]
		b.commit = func(ctx context.Context, revs ...revision) error {
			if n := len(revs); n > 1 && !held(s, revs[n-1]) {
				if r, err := s.Load(ctx, revs[n-1].Record.ID); err == nil {
					old.put(r.ID, r)
				}
			}
			return s.Commit(ctx, revs...)
		}
		b.load = func(ctx context.Context, id id) (sample, error) {
			r, err := s.Load(ctx, id)
			if was, ok := old.get(id); ok && err == nil && was.Version < r.Version {
				return cloner.Clone(was), nil
			}
			return r, err
		}
	}), []string{"Several", "Half"}},

	// Histories.

	{"keeps the last event of a commit only", in(func(s full, b *broken) {
		var forgotten shelf[id, bool]
		b.commit = func(ctx context.Context, revs ...revision) error {
			for _, rev := range revs {
				for i := range len(rev.Events) - 1 {
					forgotten.put(rev.Events[i].ID, true)
				}
			}
			return s.Commit(ctx, revs...)
		}
		b.events = func(ctx context.Context, id id, after version) iter.Seq2[event, error] {
			return mapped(s.Events(ctx, id, after), func(e event) (event, bool) {
				_, gone := forgotten.get(e.ID)
				return e, !gone
			})
		}
	}), []string{"History"}},

	{"forgets who did it", in(func(s full, b *broken) {
		b.events = func(ctx context.Context, id id, after version) iter.Seq2[event, error] {
			return mapped(s.Events(ctx, id, after), func(e event) (event, bool) {
				e.Actor.Name = ""
				return e, true
			})
		}
	}), []string{"History"}},

	{"yields the newest event first", in(func(s full, b *broken) {
		b.events = func(ctx context.Context, id id, after version) iter.Seq2[event, error] {
			if ctx.Err() != nil {
				return s.Events(ctx, id, after)
			}
			history := all(s.Events(ctx, id, after))
			slices.Reverse(history)
			return yields(history)
		}
	}), []string{"HistoryOrder"}},

	{"does not heed the version after which to begin", in(func(s full, b *broken) {
		b.events = func(ctx context.Context, id id, after version) iter.Seq2[event, error] {
			return s.Events(ctx, id, 0)
		}
	}), []string{"HistoryAfter"}},

	{"begins with the version after which to begin", in(func(s full, b *broken) {
		b.events = func(ctx context.Context, id id, after version) iter.Seq2[event, error] {
			return s.Events(ctx, id, max(after, 1)-1)
		}
	}), []string{"HistoryAfter"}},

	{"answers an error for the history of what is not there", in(func(s full, b *broken) {
		b.events = func(ctx context.Context, id id, after version) iter.Seq2[event, error] {
			if _, err := s.Load(ctx, id); err != nil {
				return failing[event](err)
			}
			return s.Events(ctx, id, after)
		}
	}), []string{"NoHistory"}},

	{"goes on when its reader has stopped", in(func(s full, b *broken) {
		b.events = func(ctx context.Context, id id, after version) iter.Seq2[event, error] {
			return func(yield func(event, error) bool) {
				for e, err := range s.Events(ctx, id, after) {
					yield(e, err)
				}
			}
		}
	}), []string{"Stop"}},

	{"holds its lock while what is due is read", in(func(s full, b *broken) {
		var mu sync.RWMutex
		b.commit = func(ctx context.Context, revs ...revision) error {
			mu.Lock()
			defer mu.Unlock()
			return s.Commit(ctx, revs...)
		}
		b.due = func(ctx context.Context, now time.Time) iter.Seq2[itsm.Wake, error] {
			return func(yield func(itsm.Wake, error) bool) {
				mu.RLock()
				defer mu.RUnlock()
				s.Due(ctx, now)(yield)
			}
		}
	}), []string{"Meanwhile"}},

	// Sharing.

	{"shares what it loads", in(func(s full, b *broken) {
		var cache shelf[id, sample]
		b.load = func(ctx context.Context, id id) (sample, error) {
			r, err := s.Load(ctx, id)
			if c, ok := cache.get(id); ok && err == nil && c.Version == r.Version {
				return c, nil
			}
			if err == nil {
				cache.put(id, r)
			}
			return r, err
		}
	}), []string{"OwnLoad"}},

	{"shares records with those who commit", in(func(s full, b *broken) {
		var cache shelf[id, sample]
		b.commit = func(ctx context.Context, revs ...revision) error {
			err := s.Commit(ctx, revs...)
			for _, rev := range revs {
				if err == nil && current(s, rev.Record.ID) == rev.Record.Version {
					cache.put(rev.Record.ID, rev.Record)
				}
			}
			return err
		}
		b.load = func(ctx context.Context, id id) (sample, error) {
			r, err := s.Load(ctx, id)
			if c, ok := cache.get(id); ok && err == nil && c.Version == r.Version {
				return cloner.Clone(c), nil
			}
			return r, err
		}
	}), []string{"OwnCommit"}},

	{"shares events with those who commit", in(func(s full, b *broken) {
		var data shelf[id, []byte]
		b.commit = func(ctx context.Context, revs ...revision) error {
			err := s.Commit(ctx, revs...)
			for _, rev := range revs {
				for _, e := range rev.Events {
					if _, known := data.get(e.ID); err == nil && !known {
						data.put(e.ID, e.Data)
					}
				}
			}
			return err
		}
		b.events = func(ctx context.Context, id id, after version) iter.Seq2[event, error] {
			return mapped(s.Events(ctx, id, after), func(e event) (event, bool) {
				if d, ok := data.get(e.ID); ok {
					e.Data = bytes.Clone(d)
				}
				return e, true
			})
		}
	}), []string{"OwnCommitEvents"}},

	{"shares the events that it yields", in(func(s full, b *broken) {
		b.events = shared(s, func(d []byte) []byte { return d })
	}), []string{"OwnEvents"}},

	{"shares the records that it lists", in(func(s full, b *broken) {
		var cache shelf[id, sample]
		b.list = func(ctx context.Context, q itsm.Query) (itsm.Page[sample], error) {
			page, err := s.List(ctx, q)
			for _, r := range page.Records {
				cache.put(r.ID, r)
			}
			return page, err
		}
		b.load = func(ctx context.Context, id id) (sample, error) {
			r, err := s.Load(ctx, id)
			if c, ok := cache.get(id); ok && err == nil && c.Version == r.Version {
				return cloner.Clone(c), nil
			}
			return r, err
		}
	}), []string{"OwnList"}},

	{"shares the events of its feed", in(func(s full, b *broken) {
		var data shelf[id, []byte]
		b.feed = func(ctx context.Context, after itsm.Cursor) iter.Seq2[itsm.Delivery, error] {
			return mapped(s.Feed(ctx, after), func(d itsm.Delivery) (itsm.Delivery, bool) {
				data.put(d.Event.ID, d.Event.Data)
				return d, true
			})
		}
		b.events = func(ctx context.Context, id id, after version) iter.Seq2[event, error] {
			return mapped(s.Events(ctx, id, after), func(e event) (event, bool) {
				if d, ok := data.get(e.ID); ok {
					e.Data = bytes.Clone(d)
				}
				return e, true
			})
		}
	}), []string{"OwnFeed"}},

	// Concurrency.

	{"loses updates", in(func(s full, b *broken) {
		b.commit = func(ctx context.Context, revs ...revision) error {
			if len(revs) != 1 {
				return s.Commit(ctx, revs...)
			}
			fits := current(s, revs[0].Record.ID) == revs[0].Base
			pause()
			err := s.Commit(ctx, revs...)
			for fits && errors.Is(err, itsm.ErrConflict) {
				err = s.Commit(ctx, based(revs[0], current(s, revs[0].Record.ID)))
			}
			return err
		}
	}), []string{"LostUpdate"}},

	{"acknowledges updates that it loses", in(func(s full, b *broken) {
		b.commit = func(ctx context.Context, revs ...revision) error {
			if len(revs) != 1 {
				return s.Commit(ctx, revs...)
			}
			fits := current(s, revs[0].Record.ID) == revs[0].Base
			pause()
			err := s.Commit(ctx, revs...)
			if fits && errors.Is(err, itsm.ErrConflict) {
				return nil
			}
			return err
		}
	}), []string{"LostUpdate"}},

	{"can list for one caller at a time", in(func(s full, b *broken) {
		var callers atomic.Int32
		b.list = func(ctx context.Context, q itsm.Query) (itsm.Page[sample], error) {
			defer callers.Add(-1)
			if callers.Add(1) > 1 {
				return itsm.Page[sample]{}, errors.New("busy")
			}
			pause()
			return s.List(ctx, q)
		}
	}), []string{"Concurrent"}},

	// Lists.

	{"lists what has any of the keys", in(func(s full, b *broken) {
		b.list = func(ctx context.Context, q itsm.Query) (itsm.Page[sample], error) {
			q.Where = q.Where[:min(1, len(q.Where))]
			return s.List(ctx, q)
		}
	}), []string{"List"}},

	{"heeds keys or states", in(func(s full, b *broken) {
		b.list = func(ctx context.Context, q itsm.Query) (itsm.Page[sample], error) {
			if len(q.Where) > 0 {
				q.States = nil
			}
			return s.List(ctx, q)
		}
	}), []string{"List"}},

	{"lists records by the state in which they were created", in(func(s full, b *broken) {
		b.list = func(ctx context.Context, q itsm.Query) (itsm.Page[sample], error) {
			states := q.States
			q.States = nil
			page, err := s.List(ctx, q)
			page.Records = slices.DeleteFunc(page.Records, func(r sample) bool {
				return len(states) > 0 && !slices.Contains(states, all(s.Events(ctx, r.ID, 0))[0].To)
			})
			return page, err
		}
	}), []string{"List", "ListFresh"}},

	{"lists summaries", in(func(s full, b *broken) {
		b.list = func(ctx context.Context, q itsm.Query) (itsm.Page[sample], error) {
			page, err := s.List(ctx, q)
			for i := range page.Records {
				page.Records[i].Notes = nil
			}
			return page, err
		}
	}), []string{"ListWhole"}},

	{"lists from a view that is one commit behind", in(func(s full, b *broken) {
		var old shelf[string, sample]
		b.commit = func(ctx context.Context, revs ...revision) error {
			if len(revs) != 1 {
				return s.Commit(ctx, revs...)
			}
			before, _ := s.Load(ctx, revs[0].Record.ID)
			err := s.Commit(ctx, revs...)
			if err == nil && before.Version > 0 && before.Version == revs[0].Base {
				old.put("last", before)
			}
			return err
		}
		b.list = func(ctx context.Context, q itsm.Query) (itsm.Page[sample], error) {
			page, err := s.List(ctx, q)
			last, _ := old.get("last")
			for i, r := range page.Records {
				if r.ID == last.ID {
					page.Records[i] = cloner.Clone(last)
				}
			}
			return page, err
		}
	}), []string{"ListFresh", "ListWhole"}},

	{"has no limit if none is given", in(func(s full, b *broken) {
		b.list = func(ctx context.Context, q itsm.Query) (itsm.Page[sample], error) {
			if q.Limit == 0 {
				q.Limit = 1_000_000
			}
			return s.List(ctx, q)
		}
	}), []string{"ListPages"}},

	{"never says that a list ends", in(func(s full, b *broken) {
		b.list = func(ctx context.Context, q itsm.Query) (itsm.Page[sample], error) {
			page, err := s.List(ctx, q)
			if page.Next == "" {
				page.Next = q.After
			}
			return page, err
		}
	}), []string{"ListPages", "ListStable"}},

	{"lists the latest change first", in(func(s full, b *broken) {
		b.list = byOffset(s, func(x, y sample) int { return y.Changed.Compare(x.Changed) })
	}), []string{"ListStable"}},

	{"counts records instead of knowing where it was", in(func(s full, b *broken) {
		b.list = byOffset(s, func(x, y sample) int { return x.Created.Compare(y.Created) })
	}), []string{"ListStable"}},

	{"takes any cursor of a list for the first", in(func(s full, b *broken) {
		b.list = func(ctx context.Context, q itsm.Query) (itsm.Page[sample], error) {
			page, err := s.List(ctx, q)
			if errors.Is(err, itsm.ErrInvalid) {
				q.After = ""
				return s.List(ctx, q)
			}
			return page, err
		}
	}), []string{"ListCursor"}},

	// Feeds.

	{"has a gap in its feed", in(func(s full, b *broken) {
		b.feed = func(ctx context.Context, after itsm.Cursor) iter.Seq2[itsm.Delivery, error] {
			return mapped(s.Feed(ctx, after), func(d itsm.Delivery) (itsm.Delivery, bool) { return d, d.Event.Version != 7 })
		}
	}), []string{"Feed"}},

	{"has events without data in its feed", in(func(s full, b *broken) {
		b.feed = func(ctx context.Context, after itsm.Cursor) iter.Seq2[itsm.Delivery, error] {
			return mapped(s.Feed(ctx, after), func(d itsm.Delivery) (itsm.Delivery, bool) {
				d.Event.Data = nil
				return d, true
			})
		}
	}), []string{"Feed"}},

	{"has the events of a commit in any order in its feed", in(func(s full, b *broken) {
		var j journal
		var mu sync.Mutex
		number := 0
		b.feed = j.feed
		b.commit = func(ctx context.Context, revs ...revision) error {
			mu.Lock()
			defer mu.Unlock()
			if err := s.Commit(ctx, revs...); err != nil {
				return err
			}
			for _, rev := range revs {
				events := slices.Clone(rev.Events)
				slices.Reverse(events)
				var numbers []int
				for range events {
					number++
					numbers = append(numbers, number)
				}
				j.add(events, numbers)
			}
			return nil
		}
	}), []string{"FeedOrder"}},

	{"has a feed by record", in(func(s full, b *broken) {
		byRecord := func(x, y itsm.Delivery) int {
			return cmp.Or(cmp.Compare(x.Event.Record, y.Event.Record), cmp.Compare(x.Event.Version, y.Event.Version))
		}
		b.feed = func(ctx context.Context, after itsm.Cursor) iter.Seq2[itsm.Delivery, error] {
			if after != "" || ctx.Err() != nil {
				return s.Feed(ctx, after)
			}
			feed := all(s.Feed(ctx, ""))
			slices.SortFunc(feed, byRecord)
			return yields(feed)
		}
	}), []string{"FeedOrder", "FeedResume", "FeedBehind"}},

	{"has a cursor for each commit", in(func(s full, b *broken) {
		var last shelf[id, id] // the last event of each event's commit
		b.commit = func(ctx context.Context, revs ...revision) error {
			for _, rev := range revs {
				for _, e := range rev.Events {
					last.put(e.ID, rev.Events[len(rev.Events)-1].ID)
				}
			}
			return s.Commit(ctx, revs...)
		}
		b.feed = func(ctx context.Context, after itsm.Cursor) iter.Seq2[itsm.Delivery, error] {
			cursors := map[id]itsm.Cursor{}
			for d := range s.Feed(ctx, "") {
				cursors[d.Event.ID] = d.Cursor
			}
			return mapped(s.Feed(ctx, after), func(d itsm.Delivery) (itsm.Delivery, bool) {
				if end, ok := last.get(d.Event.ID); ok && cursors[end] != "" {
					d.Cursor = cursors[end]
				}
				return d, true
			})
		}
	}), []string{"FeedResume"}},

	{"begins a feed with the event after which to begin", in(func(s full, b *broken) {
		b.feed = func(ctx context.Context, after itsm.Cursor) iter.Seq2[itsm.Delivery, error] {
			before := itsm.Cursor("")
			for d := range s.Feed(ctx, "") {
				if d.Cursor == after {
					return s.Feed(ctx, before)
				}
				before = d.Cursor
			}
			return s.Feed(ctx, after)
		}
	}), []string{"FeedResume", "FeedBehind"}},

	{"numbers events before they are committed", in(func(s full, b *broken) {
		var j journal
		var number atomic.Int64
		b.feed = j.feed
		b.commit = func(ctx context.Context, revs ...revision) error {
			var events []event
			var numbers []int
			for _, rev := range revs {
				for _, e := range rev.Events {
					events = append(events, e)
					numbers = append(numbers, int(number.Add(1)))
				}
			}
			for range number.Load() % 3 {
				pause()
			}
			if err := s.Commit(ctx, revs...); err != nil {
				return err
			}
			j.add(events, numbers)
			return nil
		}
	}), []string{"FeedBehind"}},

	{"takes any cursor of a feed for the first", in(func(s full, b *broken) {
		b.feed = func(ctx context.Context, after itsm.Cursor) iter.Seq2[itsm.Delivery, error] {
			for _, err := range s.Feed(ctx, after) {
				if errors.Is(err, itsm.ErrInvalid) {
					return s.Feed(ctx, "")
				}
			}
			return s.Feed(ctx, after)
		}
	}), []string{"FeedCursor"}},

	// Due times.

	{"forgets what is due at this very moment", in(func(s full, b *broken) {
		b.due = func(ctx context.Context, now time.Time) iter.Seq2[itsm.Wake, error] {
			return s.Due(ctx, now.Add(-time.Microsecond))
		}
	}), []string{"Due"}},

	{"keeps the due time that a record was created with", in(func(s full, b *broken) {
		var first shelf[id, itsm.Wake]
		b.commit = func(ctx context.Context, revs ...revision) error {
			err := s.Commit(ctx, revs...)
			for _, rev := range revs {
				if err == nil && rev.Base == 0 {
					first.put(rev.Record.ID, itsm.Wake{ID: rev.Record.ID, Due: rev.Record.Due})
				}
			}
			return err
		}
		b.due = func(ctx context.Context, now time.Time) iter.Seq2[itsm.Wake, error] {
			if ctx.Err() != nil {
				return s.Due(ctx, now)
			}
			wakes := slices.DeleteFunc(first.values(), func(w itsm.Wake) bool { return w.Due.IsZero() || w.Due.After(now) })
			slices.SortFunc(wakes, func(x, y itsm.Wake) int { return x.Due.Compare(y.Due) })
			return yields(wakes)
		}
	}), []string{"Due", "DueMoved"}},

	{"wakes too early", in(func(s full, b *broken) {
		b.due = func(ctx context.Context, now time.Time) iter.Seq2[itsm.Wake, error] {
			return s.Due(ctx, now.Add(time.Minute))
		}
	}), []string{"DueEarly"}},

	{"wakes the latest first", in(func(s full, b *broken) {
		b.due = func(ctx context.Context, now time.Time) iter.Seq2[itsm.Wake, error] {
			if ctx.Err() != nil {
				return s.Due(ctx, now)
			}
			wakes := all(s.Due(ctx, now))
			slices.Reverse(wakes)
			return yields(wakes)
		}
	}), []string{"DueOrder"}},

	{"wakes for due times that have been cleared", in(func(s full, b *broken) {
		var first shelf[id, itsm.Wake]
		b.commit = func(ctx context.Context, revs ...revision) error {
			err := s.Commit(ctx, revs...)
			for _, rev := range revs {
				if err == nil && rev.Base == 0 && !rev.Record.Due.IsZero() {
					first.put(rev.Record.ID, itsm.Wake{ID: rev.Record.ID, Due: rev.Record.Due})
				}
			}
			return err
		}
		b.due = func(ctx context.Context, now time.Time) iter.Seq2[itsm.Wake, error] {
			if ctx.Err() != nil {
				return s.Due(ctx, now)
			}
			wakes := all(s.Due(ctx, now))
			for _, w := range first.values() {
				if r, err := s.Load(ctx, w.ID); err == nil && r.Due.IsZero() {
					wakes = append(wakes, w)
				}
			}
			slices.SortFunc(wakes, func(x, y itsm.Wake) int { return x.Due.Compare(y.Due) })
			return yields(wakes)
		}
	}), []string{"DueMoved"}},

	{"wakes what was never there", in(func(s full, b *broken) {
		b.due = func(ctx context.Context, now time.Time) iter.Seq2[itsm.Wake, error] {
			if ctx.Err() != nil {
				return s.Due(ctx, now)
			}
			return yields(append([]itsm.Wake{{ID: "ghost", Due: time.Unix(0, 0)}}, all(s.Due(ctx, now))...))
		}
	}), []string{"DueMoved"}},

	{"says what is due now is due next", in(func(s full, b *broken) {
		b.next = func(ctx context.Context, after time.Time) (time.Time, error) {
			return s.NextDue(ctx, after.Add(-time.Microsecond))
		}
	}), []string{"NextDue"}},

	{"says what was due first is due next", in(func(s full, b *broken) {
		b.next = func(ctx context.Context, after time.Time) (time.Time, error) { return s.NextDue(ctx, time.Time{}) }
	}), []string{"NextDue"}},

	// Everything.

	{"can do only what it must", func(b *backend) {
		b.Store = struct{ store }{b.Store}
		b.Other, b.Wall = nil, nil
	}, []string{"Abilities"}},
}

// shared makes Events yield the same data each time.
func shared(s full, keep func([]byte) []byte) func(context.Context, id, version) iter.Seq2[event, error] {
	var data shelf[id, []byte]
	return func(ctx context.Context, id id, after version) iter.Seq2[event, error] {
		return mapped(s.Events(ctx, id, after), func(e event) (event, bool) {
			if d, ok := data.get(e.ID); ok {
				e.Data = keep(d)
			} else {
				data.put(e.ID, e.Data)
			}
			return e, true
		})
	}
}

// byOffset lists in an order of its own and continues after as many records.
func byOffset(s full, order func(x, y sample) int) func(context.Context, itsm.Query) (itsm.Page[sample], error) {
	return func(ctx context.Context, q itsm.Query) (itsm.Page[sample], error) {
		from := 0
		if q.After != "" {
			var err error
			if from, err = strconv.Atoi(string(q.After)); err != nil {
				return itsm.Page[sample]{}, itsm.ErrInvalid
			}
		}
		size := q.Size()
		q.After, q.Limit = "", 1_000_000
		page, err := s.List(ctx, q)
		if err != nil {
			return page, err
		}
		slices.SortStableFunc(page.Records, order)
		end := min(from+size, len(page.Records))
		if end < len(page.Records) {
			page.Next = itsm.Cursor(strconv.Itoa(end))
		}
		page.Records = page.Records[min(from, end):end]
		return page, nil
	}
}

// rewritten has all the JSON in revisions written in another way.
func rewritten(revs []revision, write func(data []byte) []byte) []revision {
	var all []revision
	for _, rev := range revs {
		rev.Events = slices.Clone(rev.Events)
		rev.Record.Fields = maps.Clone(rev.Record.Fields)
		for name, value := range rev.Record.Fields {
			rev.Record.Fields[name] = write(value)
		}
		for i, e := range rev.Events {
			rev.Events[i].Data = write(e.Data)
		}
		all = append(all, rev)
	}
	return all
}

// oddStores are right, each in a way that the suite must put up with.
var oddStores = []struct {
	name  string
	odd   fault
	tweak func(h *storagetest.Harness[sample])
}{
	{"the reference", func(*backend) {}, nil},

	{"does only what it must", func(b *backend) { b.Store, b.Other, b.Wall = struct{ store }{b.Store}, nil, nil },
		func(h *storagetest.Harness[sample]) { h.Lists, h.Feeds, h.Wakes = false, false, false }},

	{"takes one revision a commit", in(func(s full, b *broken) {
		b.commit = func(ctx context.Context, revs ...revision) error {
			if err := itsm.CheckRevisions(revs...); err == nil && len(revs) > 1 {
				return itsm.ErrSingleRevision
			}
			return s.Commit(ctx, revs...)
		}
	}), func(h *storagetest.Harness[sample]) { h.SingleRevision = true }},

	{"does not find out that the id of an event is taken", in(func(s full, b *broken) {
		b.commit = func(ctx context.Context, revs ...revision) error {
			err := s.Commit(ctx, revs...)
			if !errors.Is(err, itsm.ErrExists) {
				return err
			}
			var twice []revision
			for _, rev := range revs {
				if current(s, rev.Record.ID) != rev.Base {
					return err
				}
				rev = based(rev, rev.Base)
				for i := range rev.Events {
					rev.Events[i].ID += "_twice"
				}
				twice = append(twice, rev)
			}
			return s.Commit(ctx, twice...)
		}
	}), func(h *storagetest.Harness[sample]) { h.TrustsEventIDs = true }},

	{"has JSON as json.Marshal writes it", in(func(s full, b *broken) {
		b.commit = func(ctx context.Context, revs ...revision) error {
			return s.Commit(ctx, rewritten(revs, func(data []byte) []byte {
				if written, err := json.Marshal(json.RawMessage(data)); err == nil {
					return written
				}
				return data
			})...)
		}
	}), func(h *storagetest.Harness[sample]) {
		h.Record = func(n int) sample {
			s := makeSample(n)
			s.Fields = itsm.Fields{"a": json.RawMessage(` { "b" : "<ä>", "a": 1.0 } `)}
			return s
		}
	}},

	{"often does not know what happened", in(func(s full, b *broken) {
		var n atomic.Int64
		b.commit = func(ctx context.Context, revs ...revision) error {
			switch n.Add(1) % 3 {
			case 0:
				return cmp.Or(ctx.Err(), itsm.ErrUnknown)
			case 1:
				if err := s.Commit(ctx, revs...); err != nil {
					return err
				}
				return itsm.ErrUnknown
			}
			return s.Commit(ctx, revs...)
		}
	}), nil},

	{"has a feed that lags", in(func(s full, b *broken) {
		var settled shelf[id, time.Time]
		b.feed = func(ctx context.Context, after itsm.Cursor) iter.Seq2[itsm.Delivery, error] {
			return func(yield func(itsm.Delivery, error) bool) {
				for d, err := range s.Feed(ctx, after) {
					since, ok := settled.get(d.Event.ID)
					if !ok {
						since = time.Now()
						settled.put(d.Event.ID, since)
					}
					if err == nil && time.Since(since) < time.Millisecond || !yield(d, err) {
						return
					}
				}
			}
		}
	}), nil},

	{"hands out what is due to one caller", in(func(s full, b *broken) {
		var leased shelf[itsm.Wake, bool]
		b.due = func(ctx context.Context, now time.Time) iter.Seq2[itsm.Wake, error] {
			return mapped(s.Due(ctx, now), func(w itsm.Wake) (itsm.Wake, bool) {
				_, gone := leased.get(w)
				leased.put(w, true)
				return w, !gone
			})
		}
	}), nil},
}

func newBackend() backend {
	s := memory.New[sample]()
	return backend{Store: s, Other: s, Wall: memory.New[sample]()}
}
