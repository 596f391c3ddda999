package storagetest

import (
	"context"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"

	"github.com/go-itsm/itsm"
)

// tell writes a history of seven versions, with the events of another record
// in between.
func (l *lab[R]) tell(ctx context.Context) error {
	return l.write(ctx, l.rev(0, 1), l.rev(1, 1), l.rev(0, 2), l.span(0, 3, 5), l.span(1, 2, 3), l.rev(0, 6), l.rev(0, 7))
}

// historyCases are about Events.
func historyCases[R any]() []testCase[R] {
	return []testCase[R]{
		{Rule{"History", "Events has every event of the record as it was committed, and no other."}, 0,
			func(ctx context.Context, l *lab[R]) error {
				if err := l.tell(ctx); err != nil {
					return err
				}
				for i, n := range []itsm.Version{7, 3} {
					history, err := l.history(ctx, l.Store, i, 0)
					if err != nil {
						return err
					}
					slices.SortFunc(history, func(a, b itsm.Event) int { return int(a.Version) - int(b.Version) })
					if len(history) != int(n) {
						return fmt.Errorf("Events of %s has the versions %v, of 1 to %d", l.id(i), versions(history), n)
					}
					for k, e := range history {
						if d := difference(l.event(i, itsm.Version(k+1)), e); d != "" {
							return fmt.Errorf("event %d of %s: %s", k+1, l.id(i), d)
						}
					}
				}
				return nil
			}},
		{Rule{"HistoryOrder", "Events yields the oldest event first."}, 0,
			func(ctx context.Context, l *lab[R]) error {
				if err := l.tell(ctx); err != nil {
					return err
				}
				for after := range itsm.Version(7) {
					history, err := l.history(ctx, l.Store, 0, after)
					if err != nil {
						return err
					}
					if vs := versions(history); !slices.IsSorted(vs) {
						return fmt.Errorf("Events yields the versions %v", vs)
					}
				}
				return nil
			}},
		{Rule{"HistoryAfter", "Events after a version yields all later events and none of the others."}, 0,
			func(ctx context.Context, l *lab[R]) error {
				if err := l.tell(ctx); err != nil {
					return err
				}
				all, err := l.history(ctx, l.Store, 0, 0)
				if err != nil {
					return err
				}
				for _, after := range []itsm.Version{1, 2, 3, 4, 5, 6, 7, 8, 1000, math.MaxInt64} {
					some, err := l.history(ctx, l.Store, 0, after)
					if err != nil {
						return err
					}
					got, want := versions(some), versions(all)
					want = slices.DeleteFunc(want, func(v itsm.Version) bool { return v <= after })
					slices.Sort(got)
					slices.Sort(want)
					if !slices.Equal(got, want) {
						return fmt.Errorf("Events after version %d yields the versions %v, not %v", after, got, want)
					}
				}
				return nil
			}},
		{Rule{"NoHistory", "A record that is not there has no events, which is no error."}, 0,
			func(ctx context.Context, l *lab[R]) error {
				if err := l.write(ctx, l.rev(0, 1)); err != nil {
					return err
				}
				history, err := l.history(ctx, l.Store, 1, 0)
				if err != nil {
					return err
				}
				if len(history) > 0 {
					return fmt.Errorf("Events yields %q", eventIDs(history))
				}
				return nil
			}},
		{Rule{"Stop", "A reader may stop in the middle of a sequence."}, 0,
			func(ctx context.Context, l *lab[R]) error {
				return l.sequences(ctx, func(_ int, err error) (bool, error) { return false, err })
			}},
		{Rule{"Meanwhile", "While a sequence is read, the store can be used, by its reader too."}, 0,
			func(ctx context.Context, l *lab[R]) error {
				// It writes to another record, and not for ever, lest a
				// sequence that shows what comes in never end.
				v := itsm.Version(0)
				return l.within(func() error {
					return l.sequences(ctx, func(n int, err error) (bool, error) {
						if err != nil || n > 2 {
							return true, err
						}
						v++
						return true, errors.Join(l.write(ctx, l.rev(2, v)), l.is(ctx, l.Store, 2, v))
					})
				})
			}},
	}
}

// sequences reads all the sequences that the store has, each with two elements
// or more. The body gets the element's number, and says whether to go on.
func (l *lab[R]) sequences(ctx context.Context, body func(n int, err error) (bool, error)) error {
	l.due = dueIn(1, 2, 0)
	if err := l.tell(ctx); err != nil {
		return err
	}
	n := 0
	var failed error
	each := func(err error) bool {
		var goOn bool
		goOn, failed = body(n, err)
		n++
		return goOn && failed == nil
	}
	for _, err := range l.Store.Events(ctx, l.id(0), 0) {
		if !each(err) {
			break
		}
	}
	if s, ok := l.Store.(itsm.Feeder); ok && failed == nil {
		n = 0
		for _, err := range s.Feed(ctx, "") {
			if !each(err) {
				break
			}
		}
	}
	if s, ok := l.Store.(itsm.DueStore); ok && failed == nil {
		n = 0
		for _, err := range s.Due(ctx, epoch.AddDate(1, 0, 0)) {
			if !each(err) {
				break
			}
		}
	}
	return failed
}

// sharingCases are about memory that a store must not share with its callers.
func sharingCases[R any]() []testCase[R] {
	return []testCase[R]{
		{Rule{"OwnLoad", "What is done to a loaded record does not show in the store."}, 0,
			func(ctx context.Context, l *lab[R]) error {
				return l.owns(ctx, func(*itsm.Revision[R]) (any, error) {
					r, err := l.Store.Load(ctx, l.id(0))
					return &r, err
				})
			}},
		{Rule{"OwnCommit", "What is done to a record after its commit does not show in the store."}, 0,
			func(ctx context.Context, l *lab[R]) error {
				return l.owns(ctx, func(rev *itsm.Revision[R]) (any, error) { return &rev.Record, nil })
			}},
		{Rule{"OwnCommitEvents", "What is done to an event after its commit does not show in the store."}, 0,
			func(ctx context.Context, l *lab[R]) error {
				return l.owns(ctx, func(rev *itsm.Revision[R]) (any, error) { return &rev.Events, nil })
			}},
		{Rule{"OwnEvents", "What is done to an event that Events yielded does not show in the store."}, 0,
			func(ctx context.Context, l *lab[R]) error {
				return l.owns(ctx, func(*itsm.Revision[R]) (any, error) {
					history, err := l.history(ctx, l.Store, 0, 0)
					return &history, err
				})
			}},
		{Rule{"OwnList", "What is done to a listed record does not show in the store."}, lists,
			func(ctx context.Context, l *lab[R]) error {
				return l.owns(ctx, func(*itsm.Revision[R]) (any, error) {
					page, err := l.Store.(itsm.Lister[R]).List(ctx, itsm.Query{})
					return &page, err
				})
			}},
		{Rule{"OwnFeed", "What is done to an event of the feed does not show in the store."}, feeds,
			func(ctx context.Context, l *lab[R]) error {
				return l.owns(ctx, func(*itsm.Revision[R]) (any, error) {
					feed, err := l.feed(ctx, l.Store.(itsm.Feeder), "", 2)
					return &feed, err
				})
			}},
	}
}

// owns commits a revision and destroys what the caller has of it. That must not
// change what the store has.
func (l *lab[R]) owns(ctx context.Context, callers func(rev *itsm.Revision[R]) (any, error)) error {
	rev := l.span(0, 1, 2)
	if err := l.write(ctx, rev); err != nil {
		return err
	}
	before, err := l.whole(ctx)
	if err != nil {
		return err
	}
	has, err := callers(&rev)
	if err != nil {
		return err
	}
	scramble(reflect.ValueOf(has).Elem())
	after, err := l.whole(ctx)
	if err != nil {
		return err
	}
	if before != after {
		return fmt.Errorf("%s has become %s", before, after)
	}
	return nil
}

// whole returns a record and its history in words.
func (l *lab[R]) whole(ctx context.Context) (string, error) {
	text, err := l.text(ctx, l.Store, 0)
	if err != nil {
		return "", err
	}
	history, err := l.history(ctx, l.Store, 0, 0)
	if err != nil {
		return "", err
	}
	for _, e := range history {
		text += fmt.Sprintf(" %s %q", e.ID, e.Data)
	}
	return text, nil
}
