package storagetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-itsm/itsm"
)

// concurrencyCases are about callers that come at the same time. Where there is
// another handle, half of them come through it.
func concurrencyCases[R any]() []testCase[R] {
	return []testCase[R]{
		{Rule{"LostUpdate", "Of the writers that build on the same version at the same time, exactly one is acknowledged."}, 0,
			func(ctx context.Context, l *lab[R]) error { return l.race(ctx, 8, 5) }},
		{Rule{"ResendRace", "A commit that is sent several times at once is acknowledged each time and written once."}, 0,
			func(ctx context.Context, l *lab[R]) error {
				for v := itsm.Version(1); v <= 10; v++ {
					var senders []func() error
					for n := range 4 {
						senders = append(senders, func() error { return l.commit(ctx, l.handle(n), l.rev(0, v)) })
					}
					if err := l.together(senders...); err != nil {
						return fmt.Errorf("version %d, sent %d times at once: %w", v, len(senders), err)
					}
					if err := l.is(ctx, l.Store, 0, v); err != nil {
						return err
					}
				}
				return nil
			}},
		{Rule{"Half", "Who sees a part of a commit sees the rest: its events, and the other records."}, 0,
			func(ctx context.Context, l *lab[R]) error { return l.halves(ctx, 25) }},
		{Rule{"Concurrent", "All methods can be called at the same time."}, 0,
			func(ctx context.Context, l *lab[R]) error { return l.crowd(ctx, 4, 20) }},
	}
}

// handle returns the n-th caller's handle.
func (l *lab[R]) handle(n int) itsm.Store[R] {
	if l.Other != nil && n%2 == 1 {
		return l.Other
	}
	return l.Store
}

// race has writers commit to one record, again and again until each has been
// acknowledged a number of times.
func (l *lab[R]) race(ctx context.Context, writers, times int) error {
	if err := l.write(ctx, l.rev(0, 1)); err != nil {
		return err
	}
	var mu sync.Mutex
	acknowledged, latest := map[itsm.Version]itsm.ID{}, time.Now()
	stuck := func() bool {
		mu.Lock()
		defer mu.Unlock()
		return time.Since(latest) > l.Patience
	}
	writer := func(n int) error {
		for done, try := 0, 0; done < times; try++ {
			v, err := l.version(ctx, l.handle(n), 0)
			if err != nil {
				return err
			}
			// Each try is a commit of its own: who reads a version twice and
			// builds on it twice must not seem to send the same again.
			rev := by(fmt.Sprintf("writer%d_%d", n, try), l.rev(0, v+1))
			switch err := l.commit(ctx, l.handle(n), rev); {
			case errors.Is(err, itsm.ErrConflict) && !stuck():
				continue
			case err != nil:
				return fmt.Errorf("commit of %s: %w", describe(rev), err)
			}
			done++
			mu.Lock()
			before, twice := acknowledged[v+1]
			acknowledged[v+1], latest = rev.Events[0].ID, time.Now()
			mu.Unlock()
			if twice {
				return fmt.Errorf("version %d was acknowledged as both %s and %s", v+1, before, rev.Events[0].ID)
			}
		}
		return nil
	}
	var all []func() error
	for n := range writers {
		all = append(all, func() error { return writer(n) })
	}
	if err := l.together(all...); err != nil {
		return err
	}
	last, err := l.version(ctx, l.Store, 0)
	if err != nil {
		return err
	}
	if want := itsm.Version(1 + writers*times); last != want {
		return fmt.Errorf("after %d acknowledged commits the record is at version %d, not %d", writers*times, last, want)
	}
	history, err := l.history(ctx, l.Store, 0, 0)
	if err != nil {
		return err
	}
	acknowledged[1] = l.event(0, 1).ID
	for _, e := range history {
		if id := acknowledged[e.Version]; e.ID != id {
			return fmt.Errorf("version %d was acknowledged as %s and is %s in the history", e.Version, id, e.ID)
		}
	}
	return nil
}

// halves has readers look at two records that are always committed together,
// or at one where the store cannot do that.
func (l *lab[R]) halves(ctx context.Context, last itsm.Version) error {
	records := 2
	if l.SingleRevision {
		records = 1
	}
	commit := func(v itsm.Version) error {
		var revs []itsm.Revision[R]
		for i := range records {
			revs = append(revs, l.rev(i, v))
		}
		return l.commit(ctx, l.Store, revs...)
	}
	if err := commit(1); err != nil {
		return err
	}
	// The writer waits until each commit has been looked at, twice, because a
	// look may have begun before it.
	const readers = 2
	var looks [readers]atomic.Int64
	var stop atomic.Bool
	writer := func() error {
		defer stop.Store(true)
		for v := itsm.Version(2); v <= last && !stop.Load(); v++ {
			if err := commit(v); err != nil {
				return err
			}
			for n := range looks {
				for until := looks[n].Load() + 2; looks[n].Load() < until && !stop.Load(); {
					time.Sleep(20 * time.Microsecond) // and leave the processor to an engine in another process
				}
			}
		}
		return nil
	}
	// look loads a record, and then must find what was committed with it.
	look := func(s itsm.Store[R], i int) error {
		v, err := l.version(ctx, s, i)
		if err != nil {
			return err
		}
		for other := range records {
			w, err := l.version(ctx, s, other)
			if err != nil {
				return err
			}
			if w < v {
				return fmt.Errorf("%s was seen at version %d and then %s, which is committed with it, at %d", l.id(i), v, l.id(other), w)
			}
			history, err := l.history(ctx, s, other, v-1)
			if err != nil {
				return err
			}
			if len(history) == 0 {
				return fmt.Errorf("%s was seen at version %d and then %s without the event of that version", l.id(i), v, l.id(other))
			}
		}
		return nil
	}
	all := []func() error{writer}
	for n := range readers {
		all = append(all, func() error {
			defer stop.Store(true)
			for !stop.Load() {
				if err := look(l.handle(n), n%records); err != nil {
					return err
				}
				looks[n].Add(1)
				time.Sleep(time.Microsecond)
			}
			return nil
		})
	}
	return l.together(all...)
}

// crowd calls everything at once. What it finds besides errors is for the race
// detector.
func (l *lab[R]) crowd(ctx context.Context, callers, rounds int) error {
	l.due = dueIn(1, 2, 3)
	if err := l.write(ctx, l.rev(0, 1)); err != nil {
		return err
	}
	shared := func(n int) error {
		v, err := l.version(ctx, l.handle(n), 0)
		if err != nil {
			return err
		}
		err = l.commit(ctx, l.handle(n), by(fmt.Sprint("caller", n), l.rev(0, v+1)))
		if errors.Is(err, itsm.ErrConflict) {
			return nil
		}
		return err
	}
	caller := func(n int) error {
		s := l.handle(n)
		for v := itsm.Version(1); v <= itsm.Version(rounds); v++ {
			if err := l.commit(ctx, s, l.rev(n+1, v)); err != nil {
				return fmt.Errorf("commit to a record that nobody else writes: %w", err)
			}
			_, err := l.history(ctx, s, n+1, 0)
			errs := []error{err, l.is(ctx, s, n+1, v), shared(n)}
			if s, ok := s.(itsm.Lister[R]); ok {
				_, err := s.List(ctx, itsm.Query{States: []itsm.State{l.meta(n+1, v).State}})
				errs = append(errs, err)
			}
			if s, ok := s.(itsm.Feeder); ok {
				_, err := readFeed(ctx, s, "")
				errs = append(errs, err)
			}
			if s, ok := s.(itsm.DueStore); ok {
				_, err := woken(ctx, s, epoch)
				errs = append(errs, err)
				_, err = s.NextDue(ctx, epoch)
				errs = append(errs, err)
			}
			if err := errors.Join(errs...); err != nil {
				return err
			}
		}
		return nil
	}
	var all []func() error
	for n := range callers {
		all = append(all, func() error { return caller(n) })
	}
	return l.together(all...)
}
