package storagetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"

	"github.com/go-itsm/itsm"
)

// publish commits events of three records, and returns for each event of which
// commit it is.
func (l *lab[R]) publish(ctx context.Context) (commits map[itsm.ID]int, err error) {
	commits = map[itsm.ID]int{}
	for n, revs := range [][]itsm.Revision[R]{
		{l.rev(0, 1)}, {l.rev(1, 1)}, {l.rev(0, 2)}, {l.span(1, 2, 4)}, {l.rev(2, 1)}, {l.span(0, 3, 4)},
		{l.rev(2, 2), l.span(1, 5, 6), l.rev(0, 5)}, {l.rev(1, 7)},
	} {
		if l.SingleRevision {
			err = l.write(ctx, revs...)
		} else {
			err = l.commit(ctx, l.Store, revs...)
		}
		if err != nil {
			return nil, fmt.Errorf("commit of %s: %w", describe(revs...), err)
		}
		for _, rev := range revs {
			for _, e := range rev.Events {
				commits[e.ID] = n
			}
		}
	}
	return commits, nil
}

// published publishes and reads all of the feed.
func (l *lab[R]) published(ctx context.Context) (commits map[itsm.ID]int, feed []itsm.Delivery, err error) {
	if commits, err = l.publish(ctx); err == nil {
		feed, err = l.feed(ctx, l.Store.(itsm.Feeder), "", len(commits))
	}
	return commits, feed, err
}

// feedCases are about itsm.Feeder.
func feedCases[R any]() []testCase[R] {
	return []testCase[R]{
		{Rule{"Feed", "The feed has every event once, as it was committed."}, feeds,
			func(ctx context.Context, l *lab[R]) error {
				commits, feed, err := l.published(ctx)
				if err != nil {
					return err
				}
				if len(feed) != len(commits) {
					return fmt.Errorf("of %d events the feed has %q", len(commits), feedIDs(feed))
				}
				number := map[itsm.ID]int{l.id(0): 0, l.id(1): 1, l.id(2): 2}
				for _, d := range feed {
					if _, ok := commits[d.Event.ID]; !ok {
						return fmt.Errorf("%s is in the feed for a second time, or was never committed", d.Event.ID)
					}
					delete(commits, d.Event.ID)
					if d := difference(l.event(number[d.Event.Record], d.Event.Version), d.Event); d != "" {
						return fmt.Errorf("an event in the feed: %s", d)
					}
				}
				return nil
			}},
		{Rule{"FeedOrder", "The feed is in the order of the commits, and has the events of a record in the order of their versions."}, feeds,
			func(ctx context.Context, l *lab[R]) error {
				commits, feed, err := l.published(ctx)
				if err != nil {
					return err
				}
				last, at := 0, map[itsm.ID]itsm.Version{}
				for _, d := range feed {
					e := d.Event
					if commits[e.ID] < last {
						return fmt.Errorf("%s comes after events that were committed later: %q", e.ID, feedIDs(feed))
					}
					if e.Version < at[e.Record] {
						return fmt.Errorf("%s comes after version %d: %q", e.ID, at[e.Record], feedIDs(feed))
					}
					last, at[e.Record] = commits[e.ID], e.Version
				}
				return nil
			}},
		{Rule{"FeedResume", "A feed that is resumed at a cursor goes on with the event after it."}, feeds,
			func(ctx context.Context, l *lab[R]) error {
				s := l.Store.(itsm.Feeder)
				_, feed, err := l.published(ctx)
				if err != nil {
					return err
				}
				for n, d := range feed {
					rest, err := readFeed(ctx, s, d.Cursor)
					if err != nil {
						return err
					}
					if got, want := feedIDs(rest), feedIDs(feed[n+1:]); !slices.Equal(got, want) {
						return fmt.Errorf("after event %d of %d the feed goes on with %q, not %q", n+1, len(feed), got, want)
					}
				}
				if len(feed) == 0 {
					return nil
				}
				if err := l.write(ctx, l.rev(2, 3)); err != nil {
					return err
				}
				added, err := l.feed(ctx, s, feed[len(feed)-1].Cursor, 1)
				if err != nil {
					return err
				}
				for _, d := range added {
					if d.Event.ID != l.event(2, 3).ID {
						return fmt.Errorf("after the last event the feed goes on with %q, not with what is new", feedIDs(added))
					}
				}
				return nil
			}},
		{Rule{"FeedBehind", "While others commit, no event appears behind a cursor that was handed out."}, feeds,
			func(ctx context.Context, l *lab[R]) error { return l.follow(ctx, 4, 10, 3) }},
		{Rule{"FeedCursor", "Feed answers ErrInvalid for a cursor that the store did not make."}, feeds,
			func(ctx context.Context, l *lab[R]) error {
				if err := l.fill(ctx, 2); err != nil {
					return err
				}
				if _, err := readFeed(ctx, l.Store.(itsm.Feeder), foreign); !errors.Is(err, itsm.ErrInvalid) {
					return fmt.Errorf("Feed answers %s", quoted(err))
				}
				return nil
			}},
	}
}

// follow reads a feed from cursor to cursor while writers commit, and then once
// more as a whole: what only the second reader sees appeared behind a cursor. The
// writers go from round to round together, and the reader has been there at the
// end of each: however little of the machine is free, none of them may be done
// before the others begin.
func (l *lab[R]) follow(ctx context.Context, writers, rounds, commits int) error {
	s := l.Store.(itsm.Feeder)
	var followed []itsm.Delivery
	for round := range rounds {
		var left atomic.Int32
		left.Store(int32(writers))
		all := []func() error{func() error {
			for goOn := true; goOn; {
				goOn = left.Load() > 0
				more, err := readFeed(ctx, s, end(followed))
				if err != nil {
					return err
				}
				followed = append(followed, more...)
			}
			return nil
		}}
		for n := range writers {
			all = append(all, func() error {
				defer left.Add(-1)
				for v := range commits {
					if err := l.commit(ctx, l.handle(n), l.rev(n, itsm.Version(round*commits+v+1))); err != nil {
						return err
					}
				}
				return nil
			})
		}
		if err := l.together(all...); err != nil {
			return err
		}
	}
	rest, err := l.feed(ctx, s, end(followed), writers*rounds*commits-len(followed))
	if err != nil {
		return err
	}
	followed = append(followed, rest...)
	whole, err := readFeed(ctx, s, "")
	if err != nil {
		return err
	}
	seen := map[itsm.ID]bool{}
	for _, d := range followed {
		seen[d.Event.ID] = true
	}
	for n, d := range whole {
		if !seen[d.Event.ID] {
			return fmt.Errorf("%s, number %d of %d, appeared behind the cursor of a reader", d.Event.ID, n+1, len(whole))
		}
	}
	if got, want := feedIDs(followed), feedIDs(whole); !slices.Equal(got, want) {
		return fmt.Errorf("who follows the feed gets %d events, who reads it as a whole %d, and not in the same order", len(got), len(want))
	}
	return nil
}

// end is the cursor after what was read of a feed.
func end(feed []itsm.Delivery) itsm.Cursor {
	if len(feed) == 0 {
		return ""
	}
	return feed[len(feed)-1].Cursor
}
