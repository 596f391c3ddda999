package enginetest_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/storage/enginetest"
	"github.com/go-itsm/itsm/storage/memory"
)

type store interface {
	itsm.Store[enginetest.Item]
	itsm.Feeder
}

func newStore() store { return memory.New[enginetest.Item]() }

// The reference store is linearizable, whatever is said to disturb it.
func TestHistory(t *testing.T) {
	s := newStore()
	for n := range 50 {
		disturbed := false
		require.NoError(t, enginetest.History(t.Context(), fmt.Sprint("h", n), enginetest.Cluster{
			Store:   func(int) itsm.Store[enginetest.Item] { return flaky{s, new(atomic.Int32)} },
			Disturb: func(context.Context) error { disturbed = true; return nil },
		}))
		require.True(t, disturbed)
	}
}

// flaky does not always know what it has done, and now and then does nothing.
type flaky struct {
	store
	n *atomic.Int32
}

func (f flaky) Commit(ctx context.Context, revs ...itsm.Revision[enginetest.Item]) error {
	switch f.n.Add(1) % 4 {
	case 0:
		return errors.Join(itsm.ErrUnknown, f.store.Commit(ctx, revs...))
	case 1:
		return itsm.ErrUnknown
	case 2:
		return errors.New("not now")
	}
	return f.store.Commit(ctx, revs...)
}

// What breaks the rule is found, in one of many histories.
func TestHistoryFinds(t *testing.T) {
	for name, broken := range map[string]func(store) itsm.Store[enginetest.Item]{
		"stale":      func(s store) itsm.Store[enginetest.Item] { return &stale{store: s} },
		"forgetful":  func(s store) itsm.Store[enginetest.Item] { return &forgetful{store: s} },
		"half blind": func(s store) itsm.Store[enginetest.Item] { return late{s} },
		"refusing":   func(s store) itsm.Store[enginetest.Item] { return &refusing{store: s} },
		"rewriting":  func(s store) itsm.Store[enginetest.Item] { return rewriting{s} },
	} {
		t.Run(name, func(t *testing.T) {
			var err error
			for n := 0; n < 200 && err == nil; n++ {
				s := broken(newStore())
				err = enginetest.History(t.Context(), "h", enginetest.Cluster{Store: func(int) itsm.Store[enginetest.Item] { return s }})
			}
			require.ErrorContains(t, err, "is not linearizable")
		})
	}
	// And what no history could say.
	for name, s := range map[string]itsm.Store[enginetest.Item]{"wrong record": wrong{newStore()}, "gap": gap{newStore()}} {
		var err error
		for n := 0; n < 50 && err == nil; n++ {
			err = enginetest.History(t.Context(), fmt.Sprint("h", n), enginetest.Cluster{
				Store:   func(int) itsm.Store[enginetest.Item] { return s },
				Disturb: func(context.Context) error { return nil },
			})
		}
		require.ErrorContains(t, err, "client", name)
	}
}

// stale loads what was there before the latest commit.
type stale struct {
	store
	n atomic.Int32
}

func (s *stale) Load(ctx context.Context, id itsm.ID) (enginetest.Item, error) {
	i, err := s.store.Load(ctx, id)
	if err == nil && i.Version > 1 && s.n.Add(1)%3 == 0 {
		for e, err := range s.Events(ctx, id, i.Version-2) {
			i.Version, i.By = e.Version, e.ID
			return i, err
		}
	}
	return i, err
}

// forgetful acknowledges a commit without writing it.
type forgetful struct {
	store
	n atomic.Int32
}

func (s *forgetful) Commit(ctx context.Context, revs ...itsm.Revision[enginetest.Item]) error {
	if s.n.Add(1)%5 == 0 {
		return nil
	}
	return s.store.Commit(ctx, revs...)
}

// late has histories without their latest event.
type late struct{ store }

func (s late) Events(ctx context.Context, id itsm.ID, after itsm.Version) iter.Seq2[itsm.Event, error] {
	return func(yield func(itsm.Event, error) bool) {
		i, _ := s.Load(ctx, id)
		for e, err := range s.store.Events(ctx, id, after) {
			if e.Version == i.Version || !yield(e, err) {
				return
			}
		}
	}
}

// refusing answers that somebody was faster when nobody was.
type refusing struct {
	store
	n atomic.Int32
}

func (s *refusing) Commit(ctx context.Context, revs ...itsm.Revision[enginetest.Item]) error {
	if s.n.Add(1)%5 == 0 {
		return itsm.ErrConflict
	}
	return s.store.Commit(ctx, revs...)
}

// rewriting has histories that end as they should, and begin otherwise.
type rewriting struct{ store }

func (s rewriting) Events(ctx context.Context, id itsm.ID, after itsm.Version) iter.Seq2[itsm.Event, error] {
	return func(yield func(itsm.Event, error) bool) {
		i, _ := s.Load(ctx, id)
		for e, err := range s.store.Events(ctx, id, after) {
			if e.Version < i.Version {
				e.ID = "another"
			}
			if !yield(e, err) {
				return
			}
		}
	}
}

type wrong struct{ store }

func (s wrong) Load(ctx context.Context, id itsm.ID) (enginetest.Item, error) {
	i, err := s.store.Load(ctx, id)
	i.ID = "another"
	return i, err
}

type gap struct{ store }

func (s gap) Events(ctx context.Context, id itsm.ID, _ itsm.Version) iter.Seq2[itsm.Event, error] {
	return s.store.Events(ctx, id, 1)
}

// What was written and acknowledged is there, and an audit finds what is not.
func TestAudit(t *testing.T) {
	ctx := t.Context()
	s := newStore()
	var audit enginetest.Audit
	for round := 1; round <= 3; round++ {
		var out bytes.Buffer
		full := &limited{Buffer: &out, left: 100}
		require.ErrorIs(t, enginetest.Write(ctx, s, fmt.Sprint("w", round), 0, full), errFull)
		var ids []itsm.ID
		for line := range strings.Lines(out.String()) {
			ids = append(ids, enginetest.Acknowledged(line)...)
		}
		require.Greater(t, len(ids), 100, "some lines are about two events")
		require.NoError(t, audit.Check(ctx, s, ids))
		require.GreaterOrEqual(t, audit.Events(), round*len(ids)/2)
	}
	require.ErrorContains(t, audit.Check(ctx, s, []itsm.ID{"evt_missing"}), "lost")

	for want, broken := range map[string]func(store) store{
		"is there twice": func(s store) store { return repeated{s} },
		"comes after":    func(s store) store { return behind{s} },
		"its history":    func(s store) store { return torn{s} },
		"which has":      func(s store) store { return missing{s} },
	} {
		require.ErrorContains(t, new(enginetest.Audit).Check(ctx, broken(s), nil), want)
	}
	// A pair that is not whole.
	var out strings.Builder
	require.ErrorIs(t, enginetest.Write(ctx, single{newStore()}, "w", 0, &out), itsm.ErrSingleRevision)
	for _, id := range []itsm.ID{"pair0_a", "pair0_b"} {
		half := newStore()
		i := enginetest.Item{By: "evt_1"}
		i.ID, i.Version = id, 1
		require.NoError(t, half.Commit(ctx, itsm.Revision[enginetest.Item]{Record: i, Events: []itsm.Event{{ID: "evt_1", Record: i.ID, Version: 1}}}))
		require.ErrorContains(t, new(enginetest.Audit).Check(ctx, half, nil), "committed together", id)
	}
}

// Who writes goes on when a store is away for a while, and is in the history once.
func TestWriteGoesOn(t *testing.T) {
	s := newStore()
	away := &broken{store: s}
	var out bytes.Buffer
	full := &limited{Buffer: &out, left: 200}
	require.ErrorIs(t, enginetest.Write(t.Context(), away, "w", time.Minute, full), errFull)
	require.Greater(t, away.n.Load(), int32(200))
	var ids []itsm.ID
	for line := range strings.Lines(out.String()) {
		ids = append(ids, enginetest.Acknowledged(line)...)
	}
	require.NoError(t, new(enginetest.Audit).Check(t.Context(), s, ids))
	// What is lost, or done by others, is told at once.
	require.ErrorIs(t, enginetest.Write(t.Context(), &refusing{store: newStore()}, "w", time.Minute, io.Discard), itsm.ErrConflict)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, enginetest.Write(ctx, newStore(), "w", time.Minute, io.Discard), context.Canceled)
}

// Where nothing may be away, a commit that fails is told at once; but not one of which
// nobody knows.
func TestWriteStops(t *testing.T) {
	locked := errors.New("database is locked")
	s := &moody{store: newStore(), mood: func(n int32, _ func() error) error {
		if n%10 > 0 {
			return locked
		}
		return errHonest
	}}
	full := func() io.Writer { return &limited{Buffer: new(bytes.Buffer), left: 10} }
	require.ErrorIs(t, enginetest.Write(t.Context(), s, "w", 0, full()), locked)
	require.ErrorIs(t, enginetest.Write(t.Context(), s, "w", time.Minute, full()), errFull)
	s = &moody{store: newStore(), mood: func(n int32, commit func() error) error {
		switch n % 3 {
		case 0:
			return itsm.ErrUnknown
		case 1:
			return errors.Join(itsm.ErrUnknown, commit())
		}
		return errHonest
	}}
	require.ErrorIs(t, enginetest.Write(t.Context(), s, "w", 0, full()), errFull)
	require.Greater(t, s.n.Load(), int32(10))
}

// A moody store does, with its n-th commit, what its mood is.
type moody struct {
	store
	n    atomic.Int32
	mood func(n int32, commit func() error) error // the answer, if it is not errHonest
}

func (s *moody) Commit(ctx context.Context, revs ...itsm.Revision[enginetest.Item]) error {
	commit := func() error { return s.store.Commit(ctx, revs...) }
	if err := s.mood(s.n.Add(1), commit); !errors.Is(err, errHonest) {
		return err
	}
	return commit()
}

// broken fails now and then, and is no worse for it.
type broken struct {
	store
	n atomic.Int32
}

func (s *broken) Load(ctx context.Context, id itsm.ID) (enginetest.Item, error) {
	if s.n.Add(1)%3 == 0 {
		return enginetest.Item{}, errors.New("not now")
	}
	return s.store.Load(ctx, id)
}

func (s *broken) Commit(ctx context.Context, revs ...itsm.Revision[enginetest.Item]) error {
	switch s.n.Add(1) % 5 {
	case 0:
		return errors.New("not now")
	case 1:
		return errors.Join(itsm.ErrUnknown, s.store.Commit(ctx, revs...))
	}
	return s.store.Commit(ctx, revs...)
}

var errFull = errors.New("full")

// limited takes so many writes.
type limited struct {
	*bytes.Buffer
	left int
}

func (l *limited) Write(b []byte) (int, error) {
	if l.left--; l.left < 0 {
		return 0, errFull
	}
	return l.Buffer.Write(b)
}

type repeated struct{ store }

func (s repeated) Feed(ctx context.Context, after itsm.Cursor) iter.Seq2[itsm.Delivery, error] {
	return func(yield func(itsm.Delivery, error) bool) {
		for d, err := range s.store.Feed(ctx, after) {
			for range 2 {
				if !yield(d, err) {
					return
				}
			}
		}
	}
}

type behind struct{ store }

func (s behind) Feed(ctx context.Context, after itsm.Cursor) iter.Seq2[itsm.Delivery, error] {
	return func(yield func(itsm.Delivery, error) bool) {
		for d, err := range s.store.Feed(ctx, after) {
			if d.Event.Version != 2 && !yield(d, err) {
				return
			}
		}
	}
}

type torn struct{ store }

func (s torn) Load(ctx context.Context, id itsm.ID) (enginetest.Item, error) {
	i, err := s.store.Load(ctx, id)
	i.Version++
	return i, err
}

type missing struct{ store }

func (s missing) Load(context.Context, itsm.ID) (enginetest.Item, error) {
	return enginetest.Item{}, itsm.ErrNotFound
}

type single struct{ store }

func (s single) Commit(ctx context.Context, revs ...itsm.Revision[enginetest.Item]) error {
	if len(revs) > 1 {
		return itsm.ErrSingleRevision
	}
	return s.store.Commit(ctx, revs...)
}
