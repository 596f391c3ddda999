package storagetest

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/go-itsm/itsm"
)

func minute(n int) time.Time { return epoch.Add(time.Duration(n) * time.Minute) }

// dueIn gives the first samples due times in minutes from the epoch, the same
// in all their versions; 0 is none.
func dueIn(minutes ...int) func(int, itsm.Version) time.Time {
	return func(i int, _ itsm.Version) time.Time {
		if i >= len(minutes) || minutes[i] == 0 {
			return time.Time{}
		}
		return minute(minutes[i])
	}
}

// schedule commits samples of which some are due in time, some late, and some
// never. One gets its due time in its second version.
func (l *lab[R]) schedule(ctx context.Context) (n int, err error) {
	minutes := []int{7, 3, 0, 5, 9, 1, 5, 4, 0, 6, 8, 2}
	l.due = func(i int, v itsm.Version) time.Time {
		if i == 2 && v == 2 {
			return minute(3)
		}
		return dueIn(minutes...)(i, v)
	}
	if err := l.fill(ctx, len(minutes)); err != nil {
		return 0, err
	}
	return len(minutes), l.write(ctx, l.rev(2, 2), l.rev(3, 2))
}

// dueCases are about itsm.DueStore. None asks a store twice for what is due: it
// may keep what it gave to one caller from the next.
func dueCases[R any]() []testCase[R] {
	return []testCase[R]{
		{Rule{"Due", "Due yields every record whose due time is not after now."}, wakes,
			func(ctx context.Context, l *lab[R]) error {
				n, given, err := l.scheduled(ctx)
				if err != nil {
					return err
				}
				for i := range n {
					v, err := l.version(ctx, l.Store, i)
					if err != nil {
						return err
					}
					m := l.meta(i, v)
					is := func(w itsm.Wake) bool { return w.ID == m.ID }
					if !m.Due.IsZero() && !m.Due.After(minute(5)) && !slices.ContainsFunc(given, is) {
						return fmt.Errorf("%s is due at %v and is not given at %v", m.ID, m.Due, minute(5))
					}
				}
				return nil
			}},
		{Rule{"DueEarly", "Due yields no record before its time, and none without a due time."}, wakes,
			func(ctx context.Context, l *lab[R]) error {
				_, given, err := l.scheduled(ctx)
				if err != nil {
					return err
				}
				for _, w := range given {
					if w.Due.IsZero() || w.Due.After(minute(5)) {
						return fmt.Errorf("%s is due at %v and is given at %v", w.ID, w.Due, minute(5))
					}
				}
				return nil
			}},
		{Rule{"DueOrder", "Due yields the earliest record first."}, wakes,
			func(ctx context.Context, l *lab[R]) error {
				_, given, err := l.scheduled(ctx)
				if err != nil {
					return err
				}
				if !slices.IsSortedFunc(given, func(a, b itsm.Wake) int { return a.Due.Compare(b.Due) }) {
					return fmt.Errorf("Due yields %v", given)
				}
				return nil
			}},
		{Rule{"DueMoved", "Due yields no record for a due time that it no longer has."}, wakes,
			func(ctx context.Context, l *lab[R]) error {
				now := [4]time.Time{{}, minute(9), minute(1), minute(3)} // in the second version
				l.due = func(i int, v itsm.Version) time.Time {
					if v == 1 {
						return minute(1)
					}
					return now[i]
				}
				if err := l.fill(ctx, len(now)); err != nil {
					return err
				}
				for i := range now {
					if err := l.write(ctx, l.rev(i, 2)); err != nil {
						return err
					}
				}
				given, err := woken(ctx, l.Store.(itsm.DueStore), minute(5))
				if err != nil {
					return err
				}
				for _, w := range given {
					i := 0
					for l.id(i) != w.ID {
						if i++; i == len(now) {
							return fmt.Errorf("%s is due and was never committed", w.ID)
						}
					}
					if !w.Due.Equal(now[i]) {
						return fmt.Errorf("%s is given as due at %v, and is due at %v (zero is never)", w.ID, w.Due, now[i])
					}
				}
				return nil
			}},
		{Rule{"NextDue", "NextDue returns the earliest due time after the moment, and zero if there is none."}, wakes,
			func(ctx context.Context, l *lab[R]) error {
				s := l.Store.(itsm.DueStore)
				next := func(after, want time.Time) error {
					got, err := s.NextDue(ctx, after)
					if err != nil {
						return fmt.Errorf("NextDue: %w", err)
					}
					if !got.Equal(want) {
						return fmt.Errorf("NextDue after %v is %v, not %v", after, got, want)
					}
					return nil
				}
				if err := next(time.Time{}, time.Time{}); err != nil {
					return err
				}
				if _, err := l.schedule(ctx); err != nil {
					return err
				}
				for n := range 9 {
					if err := next(minute(n), minute(n+1)); err != nil {
						return err
					}
				}
				for _, c := range []struct{ after, want time.Time }{
					{time.Time{}, minute(1)},
					{minute(5).Add(-time.Microsecond), minute(5)},
					{minute(5).Add(time.Microsecond), minute(6)},
					{minute(9), time.Time{}},
				} {
					if err := next(c.after, c.want); err != nil {
						return err
					}
				}
				return nil
			}},
	}
}

// scheduled schedules records and returns how many, and those that are given as due
// at minute 5.
func (l *lab[R]) scheduled(ctx context.Context) (n int, given []itsm.Wake, err error) {
	if n, err = l.schedule(ctx); err == nil {
		given, err = woken(ctx, l.Store.(itsm.DueStore), minute(5))
	}
	return n, given, err
}
