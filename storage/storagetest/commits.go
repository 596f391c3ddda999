package storagetest

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/go-itsm/itsm"
)

// commitCases are about what a commit takes, and what it refuses whole.
func commitCases[R any]() []testCase[R] {
	return []testCase[R]{
		{Rule{"Exists", "Creating a record that is there already answers ErrExists and writes nothing."}, 0,
			func(ctx context.Context, l *lab[R]) error {
				for v := itsm.Version(1); v <= 2; v++ {
					if err := l.write(ctx, l.rev(0, v)); err != nil {
						return err
					}
					if err := l.refused(ctx, 1, itsm.ErrExists, by("another", l.span(0, 1, v))); err != nil {
						return err
					}
				}
				return nil
			}},
		{Rule{"Conflict", "A commit on top of a version that the record does not have answers ErrConflict and writes nothing."}, 0,
			func(ctx context.Context, l *lab[R]) error {
				if err := l.write(ctx, l.rev(0, 1), l.rev(0, 2), l.rev(0, 3)); err != nil {
					return err
				}
				return errors.Join(
					l.refused(ctx, 2, itsm.ErrConflict, by("old", l.rev(0, 3))),
					l.refused(ctx, 2, itsm.ErrConflict, by("older", l.span(0, 2, 4))),
					l.refused(ctx, 2, itsm.ErrConflict, by("ahead", l.rev(0, 5))),
					l.refused(ctx, 2, itsm.ErrConflict, by("missing", l.rev(1, 2))),
				)
			}},
		{Rule{"EventExists", "An event id that another event has is refused with ErrExists, and nothing is written."}, uniqueIDs,
			func(ctx context.Context, l *lab[R]) error {
				if err := errors.Join(l.fill(ctx, 2), l.write(ctx, l.rev(0, 2))); err != nil {
					return err
				}
				taken := func(rev itsm.Revision[R]) itsm.Revision[R] {
					rev.Events[len(rev.Events)-1].ID = l.event(0, 1).ID
					return rev
				}
				return errors.Join(
					l.refused(ctx, 3, itsm.ErrExists, taken(l.rev(0, 3))),
					l.refused(ctx, 3, itsm.ErrExists, taken(l.span(0, 3, 5))),
					l.refused(ctx, 3, itsm.ErrExists, taken(l.rev(1, 2))),
					l.refused(ctx, 3, itsm.ErrExists, taken(l.rev(2, 1))),
				)
			}},
		{Rule{"Resend", "A commit that is sent again answers nil and writes nothing, however much was committed since."}, 0,
			func(ctx context.Context, l *lab[R]) error {
				sent := []func() itsm.Revision[R]{
					func() itsm.Revision[R] { return l.rev(0, 1) },
					func() itsm.Revision[R] { return l.rev(0, 2) },
					func() itsm.Revision[R] { return l.span(0, 3, 5) },
					func() itsm.Revision[R] { return l.rev(0, 6) },
				}
				for i, rev := range sent {
					if err := l.write(ctx, rev()); err != nil {
						return err
					}
					for _, rev := range sent[:i+1] {
						if err := l.resent(ctx, rev()); err != nil {
							return err
						}
					}
				}
				return nil
			}},
		{Rule{"ResendSeveral", "A commit of several revisions that is sent again answers nil and writes nothing."}, several,
			func(ctx context.Context, l *lab[R]) error {
				if err := l.fill(ctx, 1); err != nil {
					return err
				}
				both := func() []itsm.Revision[R] { return []itsm.Revision[R]{l.span(0, 2, 3), l.rev(1, 1)} }
				if err := l.commit(ctx, l.Store, both()...); err != nil {
					return err
				}
				if err := l.resent(ctx, both()...); err != nil {
					return err
				}
				if err := l.write(ctx, l.rev(1, 2)); err != nil {
					return err
				}
				return l.resent(ctx, both()...)
			}},
		{Rule{"Malformed", "What itsm.CheckRevisions refuses answers ErrInvalid and writes nothing."}, 0,
			func(ctx context.Context, l *lab[R]) error {
				if err := l.fill(ctx, 2); err != nil {
					return err
				}
				with := func(change func(rev *itsm.Revision[R])) []itsm.Revision[R] {
					rev := l.span(0, 2, 3)
					change(&rev)
					return []itsm.Revision[R]{rev}
				}
				var errs []error
				for _, revs := range [][]itsm.Revision[R]{
					{},
					{l.rev(0, 2), by("again", l.rev(0, 2))},
					with(func(rev *itsm.Revision[R]) { rev.Events = nil }),
					with(func(rev *itsm.Revision[R]) { rev.Events = rev.Events[:1] }),
					with(func(rev *itsm.Revision[R]) { slices.Reverse(rev.Events) }),
					with(func(rev *itsm.Revision[R]) { rev.Base = 0 }),
					with(func(rev *itsm.Revision[R]) { itsm.MetaOf(&rev.Record).ID = "" }),
					with(func(rev *itsm.Revision[R]) { itsm.MetaOf(&rev.Record).Version = 2 }),
					with(func(rev *itsm.Revision[R]) { rev.Events[0].ID = "" }),
					with(func(rev *itsm.Revision[R]) { rev.Events[1].ID = rev.Events[0].ID }),
					with(func(rev *itsm.Revision[R]) { rev.Events[1].Record = l.id(1) }),
					with(func(rev *itsm.Revision[R]) { rev.Events[1].Version = 2 }),
				} {
					errs = append(errs, l.refused(ctx, 2, itsm.ErrInvalid, revs...))
				}
				return errors.Join(errs...)
			}},
		{Rule{"Several", "A commit of several revisions writes them all."}, several,
			func(ctx context.Context, l *lab[R]) error {
				if err := l.fill(ctx, 2); err != nil {
					return err
				}
				if err := l.commit(ctx, l.Store, l.rev(0, 2), l.rev(2, 1), l.span(1, 2, 3)); err != nil {
					return err
				}
				return errors.Join(l.is(ctx, l.Store, 0, 2), l.is(ctx, l.Store, 1, 3), l.is(ctx, l.Store, 2, 1))
			}},
		{Rule{"Torn", "When one of several revisions is refused, nothing of the others is written: no record, event, list or due time."}, several,
			func(ctx context.Context, l *lab[R]) error {
				if err := l.fill(ctx, 3); err != nil {
					return err
				}
				good := func() []itsm.Revision[R] { return []itsm.Revision[R]{l.rev(0, 2), l.span(1, 2, 3), l.rev(3, 1)} }
				taken := l.rev(2, 2)
				taken.Events[0].ID = l.event(0, 1).ID
				var errs []error
				for _, bad := range []struct {
					rev   itsm.Revision[R]
					want  error
					needs need
				}{
					{by("ahead", l.rev(2, 3)), itsm.ErrConflict, 0},
					{by("another", l.rev(2, 1)), itsm.ErrExists, 0},
					{taken, itsm.ErrExists, uniqueIDs},
				} {
					if l.lacks(bad.needs) != "" {
						continue
					}
					for at := range len(good()) + 1 {
						errs = append(errs, l.refused(ctx, 4, bad.want, slices.Insert(good(), at, bad.rev)...))
					}
				}
				return errors.Join(errs...)
			}},
		{Rule{"Single", "A store that takes one revision a commit refuses several with ErrSingleRevision, and writes nothing."}, single,
			func(ctx context.Context, l *lab[R]) error {
				if err := l.fill(ctx, 1); err != nil {
					return err
				}
				return l.refused(ctx, 2, itsm.ErrSingleRevision, l.rev(0, 2), l.rev(1, 1))
			}},
	}
}

// resent sends again what was committed.
func (l *lab[R]) resent(ctx context.Context, revs ...itsm.Revision[R]) error {
	return l.writesNothing(ctx, 2, func() error {
		if err := l.commit(ctx, l.Store, revs...); err != nil {
			return fmt.Errorf("commit of %s, sent again, answers %q", describe(revs...), err)
		}
		return nil
	})
}
