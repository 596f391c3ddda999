package storagetest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"time"

	"github.com/go-itsm/itsm"
)

// samples is how many samples a rule looks at that wants many.
const samples = 40

// harnessCases are about what the other rules build on.
func harnessCases[R any]() []testCase[R] {
	return []testCase[R]{
		{Rule{harnessRule, "The harness makes samples that show enough: filled, in several states, the same each time, sharing nothing."}, 0,
			func(_ context.Context, l *lab[R]) error {
				if itsm.MetaOf(new(R)) == nil {
					return fmt.Errorf("%T does not embed itsm.Meta", *new(R))
				}
				l.due = func(int, itsm.Version) time.Time { return epoch }
				ids, states, empty := map[itsm.ID]bool{}, map[itsm.State]bool{}, map[string]int{}
				for i := range samples {
					m := l.meta(i, 1)
					ids[m.ID], states[m.State] = true, true
					for _, path := range empties("", reflect.ValueOf(l.record(i, 1))) {
						empty[path]++
					}
				}
				var errs []error
				check := func(ok bool, format string, args ...any) {
					if !ok {
						errs = append(errs, fmt.Errorf(format, args...))
					}
				}
				check(len(ids) == samples, "%d samples have %d ids", samples, len(ids))
				check(len(states) > 1 && !states[""], "the samples' states are %v: at least two are needed, and none empty", states)
				for path, n := range empty {
					check(n < samples, "%s is empty in every sample", path)
				}
				made, again := l.record(0, 3), l.record(0, 3)
				d := difference(made, again)
				check(d == "", "two makings of a sample differ: %s", d)
				before, _ := json.Marshal(made)
				scramble(reflect.ValueOf(&again).Elem())
				after, _ := json.Marshal(made)
				check(string(before) == string(after), "two makings of a sample share memory: %s has become %s", before, after)
				changed := l.record(0, 1)
				l.Change(&changed, 2)
				check(difference(l.record(0, 1), changed) != "", "Change changes nothing")
				check(itsm.MetaOf(&changed).ID == l.id(0), "Change changes the ID")
				return errors.Join(errs...)
			}},
		{Rule{"Abilities", "The store has the abilities that the harness says it must have."}, 0,
			func(_ context.Context, l *lab[R]) error {
				for _, must := range []struct {
					ask  bool
					need need
				}{{l.Lists, lists}, {l.Feeds, feeds}, {l.Wakes, wakes}} {
					if why := l.lacks(must.need); must.ask && why != "" {
						return errors.New(why)
					}
				}
				return nil
			}},
	}
}

// recordCases are about one record at a time.
func recordCases[R any]() []testCase[R] {
	return []testCase[R]{
		{Rule{"Load", "Load returns the record as it was last committed, field by field, and JSON byte by byte."}, 0,
			func(ctx context.Context, l *lab[R]) error {
				for i := range 4 {
					for _, rev := range []itsm.Revision[R]{l.rev(i, 1), l.rev(i, 2), l.span(i, 3, 5)} {
						if err := l.write(ctx, rev); err != nil {
							return err
						}
						if err := l.holds(ctx, l.Store, i, rev.Base+itsm.Version(len(rev.Events))); err != nil {
							return err
						}
					}
				}
				return nil
			}},
		{Rule{"NotFound", "Load answers ErrNotFound for a record that was never committed."}, 0,
			func(ctx context.Context, l *lab[R]) error {
				missing := func() error {
					if _, err := l.Store.Load(ctx, l.id(1)); !errors.Is(err, itsm.ErrNotFound) {
						return fmt.Errorf("Load answers %s, not %q", quoted(err), itsm.ErrNotFound)
					}
					return nil
				}
				if err := missing(); err != nil {
					return err
				}
				if err := l.write(ctx, l.rev(0, 1)); err != nil {
					return err
				}
				return missing()
			}},
		{Rule{"Acknowledged", "Another handle to the same records sees what was acknowledged to the first, at once, and the other way round."}, otherHandle,
			func(ctx context.Context, l *lab[R]) error {
				handles := [2]itsm.Store[R]{l.Store, l.Other}
				for v := itsm.Version(1); v <= 20; v++ {
					writer, reader := handles[v%2], handles[(v+1)%2]
					if err := l.commit(ctx, writer, l.rev(0, v)); err != nil {
						return fmt.Errorf("commit of version %d on top of the other handle's: %w", v, err)
					}
					if err := l.is(ctx, reader, 0, v); err != nil {
						return err
					}
					history, err := l.history(ctx, reader, 0, v-1)
					if err != nil {
						return err
					}
					if !slices.Contains(versions(history), v) {
						return fmt.Errorf("the event of version %d is not seen through the other handle", v)
					}
				}
				return nil
			}},
		{Rule{"Cancelled", "When its context has ended, every method answers the context's error and does nothing."}, 0,
			func(ctx context.Context, l *lab[R]) error {
				if err := l.write(ctx, l.rev(0, 1)); err != nil {
					return err
				}
				cancelled, cancel := context.WithCancel(ctx)
				cancel()
				late, cancel := context.WithDeadline(ctx, time.Unix(0, 0))
				defer cancel()
				return l.writesNothing(ctx, 2, func() error {
					return errors.Join(l.cancelled(cancelled), l.cancelled(late))
				})
			}},
		{Rule{"Wall", "What one tenant does, another with the same ids neither sees nor feels."}, otherTenant,
			func(ctx context.Context, l *lab[R]) error { return l.wall(ctx) }},
	}
}

// cancelled calls every method with a context that has ended.
func (l *lab[R]) cancelled(ctx context.Context) error {
	var errs []error
	answers := func(method string, err error) {
		if !errors.Is(err, ctx.Err()) {
			errs = append(errs, fmt.Errorf("%s answers %s, not %q", method, quoted(err), ctx.Err()))
		}
	}
	_, err := l.Store.Load(ctx, l.id(0))
	answers("Load", err)
	answers("Commit of a new record", l.Store.Commit(ctx, l.rev(1, 1)))
	answers("Commit of a change", l.Store.Commit(ctx, l.rev(0, 2)))
	_, err = l.history(ctx, l.Store, 0, 0)
	answers("Events", err)
	if s, ok := l.Store.(itsm.Lister[R]); ok {
		_, err := s.List(ctx, itsm.Query{})
		answers("List", err)
	}
	if s, ok := l.Store.(itsm.Feeder); ok {
		_, err := readFeed(ctx, s, "")
		answers("Feed", err)
	}
	if s, ok := l.Store.(itsm.DueStore); ok {
		_, err := woken(ctx, s, epoch)
		answers("Due", err)
		_, err = s.NextDue(ctx, epoch)
		answers("NextDue", err)
	}
	return errors.Join(errs...)
}

// wall has two tenants write the same ids, and one of them an id of its own.
func (l *lab[R]) wall(ctx context.Context) error {
	l.due = func(int, itsm.Version) time.Time { return epoch }
	for v := itsm.Version(1); v <= 3; v++ {
		if err := l.write(ctx, l.rev(0, v)); err != nil {
			return err
		}
	}
	if err := l.write(ctx, l.rev(1, 1)); err != nil {
		return err
	}
	if err := l.commit(ctx, l.Wall, l.rev(0, 1)); err != nil {
		return fmt.Errorf("a record whose id another tenant has: %w", err)
	}
	if err := errors.Join(l.is(ctx, l.Wall, 0, 1), l.is(ctx, l.Store, 0, 3)); err != nil {
		return err
	}
	if _, err := l.Wall.Load(ctx, l.id(1)); !errors.Is(err, itsm.ErrNotFound) {
		return fmt.Errorf("Load of what only another tenant has answers %s", quoted(err))
	}
	for i, want := range []int{1, 0} {
		history, err := l.history(ctx, l.Wall, i, 0)
		if err != nil {
			return err
		}
		if len(history) != want {
			return fmt.Errorf("%s has the events %q, of which some are another tenant's", l.id(i), eventIDs(history))
		}
	}
	if _, ok := l.Wall.(itsm.Lister[R]); ok {
		found, err := l.list(ctx, l.Wall, itsm.Query{})
		if err != nil {
			return err
		}
		if r := found[l.id(0)]; len(found) != 1 || itsm.MetaOf(&r).Version != 1 {
			return fmt.Errorf("a list shows %d records of two tenants as one's", len(found))
		}
	}
	if s, ok := l.Wall.(itsm.Feeder); ok {
		feed, err := l.feed(ctx, s, "", 1)
		if err != nil {
			return err
		}
		if len(feed) != 1 {
			return fmt.Errorf("the feed has the events %q, of which some are another tenant's", feedIDs(feed))
		}
	}
	if s, ok := l.Wall.(itsm.DueStore); ok {
		wakes, err := woken(ctx, s, epoch)
		if err != nil {
			return err
		}
		if len(wakes) != 1 {
			return fmt.Errorf("%d records are due, of which some are another tenant's", len(wakes))
		}
	}
	return nil
}
