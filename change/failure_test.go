package change_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/change"
)

// A flaky store fails commits and loads as it is told.
type flaky struct {
	itsm.Store[change.Change]
	itsm.DueStore
	mu sync.Mutex
	// load is asked before a record is read, before and after a commit when it is
	// to happen and when it has.
	load, before, after func() error
}

func (f *flaky) ask(what func() error) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if what == nil {
		return nil
	}
	return what()
}

func (f *flaky) Load(ctx context.Context, id itsm.ID) (change.Change, error) {
	if err := f.ask(f.load); err != nil {
		return change.Change{}, err
	}
	return f.Store.Load(ctx, id)
}

func (f *flaky) Commit(ctx context.Context, revs ...itsm.Revision[change.Change]) error {
	if err := f.ask(f.before); err != nil {
		return err
	}
	if err := f.Store.Commit(ctx, revs...); err != nil {
		return err
	}
	return f.ask(f.after)
}

// A story is one call that does several things in one commit.
type story struct {
	name string
	set  func(o *office) itsm.ID // what was before
	do   func(o *office, id itsm.ID) error
}

func stories() []story {
	do := func(who string, a action) func(*office, itsm.ID) error {
		return func(o *office, id itsm.ID) error {
			_, err := o.Do(as(who), id, a)
			return err
		}
	}
	scheduled := func(o *office) itsm.ID {
		r := o.open("", ready(ask)...)
		return o.do(as("ann"), r.ID, yes).ID
	}
	return []story{
		{"Ask", func(o *office) itsm.ID { return o.open("", ready()...).ID }, do("mia", ask)},
		{"LastVote", func(o *office) itsm.ID { return o.open("", ready(ask)...).ID }, do("ann", yes)},
		{"Refusal", func(o *office) itsm.ID {
			return o.open("", ready(change.RequestApproval{Approvers: []string{"ann"}})...).ID
		}, do("ann", no)},
		{"Expedite", func(o *office) itsm.ID { return o.open(change.ModelAfterwards, plan).ID }, do("mia", change.Expedite{Reason: "now", Approvers: []string{"ann"}})},
		{"EndWindow", func(o *office) itsm.ID {
			id := scheduled(o)
			o.clock.advance(24 * time.Hour)
			return id
		}, func(o *office, _ itsm.ID) error { _, _, err := o.RunDue(sys); return err }},
	}
}

// everything lists all changes, and histories what was done to each, as text.
func (o *office) everything() map[itsm.ID]change.Change {
	o.t.Helper()
	all := map[itsm.ID]change.Change{}
	page, err := o.store.List(mia, itsm.Query{})
	require.NoError(o.t, err)
	for _, r := range page.Records {
		all[r.ID] = r
	}
	return all
}

func (o *office) histories() []string {
	var all []string
	for id := range o.everything() {
		o.replays(id)
		all = append(all, strings.Join(o.history(id), " "))
	}
	slices.Sort(all)
	return all
}

func always(err error) func() error { return func() error { return err } }

func once(err error) func() error {
	return func() error {
		was := err
		err = nil
		return was
	}
}

// A commit that fails, or of which nobody knows whether it failed, leaves nothing half
// done, in the store and in the schedule: all of it is there, or nothing, and it can be
// done again.
func TestCommitsFailAsAWhole(t *testing.T) {
	for _, s := range stories() {
		healthy := newOffice(t, change.Config{})
		begun := s.set(healthy)
		require.NoError(t, s.do(healthy, begun))
		done := healthy.histories()
		for _, c := range []struct {
			name                string
			load, before, after func() error
			fails               error
			done                bool
		}{
			{"NotLoaded", always(errDown), nil, nil, errDown, false},
			{"Down", nil, always(errDown), nil, errDown, false},
			{"DownAfterwards", nil, nil, always(errDown), errDown, true},
			{"UnknownNotDone", nil, once(itsm.ErrUnknown), nil, nil, true},
			{"UnknownDone", nil, nil, once(itsm.ErrUnknown), nil, true},
			{"UnknownForLong", nil, always(itsm.ErrUnknown), nil, itsm.ErrUnknown, false},
			{"UnknownAfterwardsForLong", nil, nil, always(itsm.ErrUnknown), itsm.ErrUnknown, true},
			{"Conflict", nil, once(itsm.ErrConflict), nil, nil, true},
			{"ConflictForLong", nil, always(itsm.ErrConflict), nil, itsm.ErrConflict, false},
		} {
			t.Run(s.name+"/"+c.name, func(t *testing.T) {
				cal := change.NewCalendar(nil)
				o := newOffice(t, change.Config{Views: []change.View{cal}})
				id := s.set(o)
				before := o.everything()
				_, was := cal.Planned(id)
				store := &flaky{Store: o.store, DueStore: o.store, load: c.load, before: c.before, after: c.after}
				p, err := change.NewPractice(store, change.Config{Config: itsm.Config{Now: o.clock.now, Attempts: 3}, Views: []change.View{cal}})
				require.NoError(t, err)
				o.Practice = p
				err = s.do(o, id)
				if c.fails == nil {
					require.NoError(t, err)
				} else {
					require.ErrorIs(t, err, c.fails)
				}
				store.load, store.before, store.after = nil, nil, nil
				if !c.done {
					require.Equal(t, before, o.everything(), "nothing has happened")
					_, planned := cal.Planned(id)
					require.Equal(t, was, planned, "nor in the schedule")
					require.NoError(t, s.do(o, id), "and it can be done later")
				}
				require.Equal(t, done, o.histories())
				// Who tries again does not do it twice.
				if err := s.do(o, id); err != nil {
					require.NotEmpty(t, itsm.Findings(err))
				}
				require.Equal(t, done, o.histories())
			})
		}
	}
}

// Of many who vote and many who work at the same time, each is counted once, and what
// follows happens once; and no two changes that are scheduled at once go unseen.
func TestManyAtOnce(t *testing.T) {
	const people = 16
	voters := make([]string, people)
	for i := range voters {
		voters[i] = fmt.Sprint("v", i)
	}
	cal := change.NewCalendar(nil)
	o := newOffice(t, change.Config{Config: itsm.Config{Attempts: 1000}, Schedule: cal, Views: []change.View{cal}})
	var ids []itsm.ID
	for i := range 4 {
		w := tonight
		w.Start, w.End = w.Start.Add(time.Duration(3*i)*time.Hour), w.End.Add(time.Duration(3*i)*time.Hour)
		ids = append(ids, o.open("", plan, assess, w, change.OverrideRisk{Level: change.HighRisk, Reason: "known"}, change.RequestApproval{Approvers: voters}).ID)
	}
	var all sync.WaitGroup
	for _, id := range ids {
		for _, v := range voters {
			all.Go(func() {
				if _, err := o.Do(as(v), id, yes); err != nil && !errors.Is(err, itsm.ErrNotAllowed) {
					t.Error(err)
				}
				if _, err := o.Do(as(v), id, change.Note{Text: "voted"}); err != nil {
					t.Error(err)
				}
			})
		}
	}
	all.Wait()
	for _, id := range ids {
		r := o.get(id)
		require.Equal(t, change.Scheduled, r.State)
		count := map[string]int{}
		for _, name := range o.history(id) {
			count[name]++
		}
		require.Equal(t, 1, count["authorize"])
		require.Equal(t, people, count["note"])
		require.Equal(t, len(r.Approval.Ballots), count["vote"])
		require.Greater(t, 2*count["vote"], people, "a majority")
		o.replays(id)
		p, planned := cal.Planned(id)
		require.True(t, planned)
		require.Equal(t, r.Window, p.Span)
	}
	require.Len(t, cal.Between(span(-100, 100)), 4)

	// Many hosts run what is due: each window ends once.
	o.clock.advance(48 * time.Hour)
	for range 6 {
		host, err := change.NewPractice(o.store, change.Config{Config: itsm.Config{Now: o.clock.now}})
		require.NoError(t, err)
		all.Go(func() {
			if _, _, err := host.RunDue(sys); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	for _, id := range ids {
		require.Equal(t, 1, o.get(id).MissedWindows)
	}
}
