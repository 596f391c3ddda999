package change_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/change"
	"github.com/go-itsm/itsm/practicetest"
)

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
		return o.Did(as("ann"), r.ID, yes).ID
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
			o.Time.Advance(24 * time.Hour)
			return id
		}, func(o *office, _ itsm.ID) error { _, _, err := o.RunDue(sys); return err }},
	}
}

// A commit that fails, or of which nobody knows whether it failed, leaves nothing half
// done, in the store and in the schedule: all of it is there, or nothing, and it can be
// done again.
func TestCommitsFailAsAWhole(t *testing.T) {
	for _, s := range stories() {
		t.Run(s.name, func(t *testing.T) {
			practicetest.Whole(t, func(t *testing.T, store *practicetest.Faulty[change.Change]) practicetest.Call[change.Change] {
				cal := change.NewCalendar(nil)
				o := newOffice(t, change.Config{Views: []change.View{cal}})
				id := s.set(o)
				_, was := cal.Planned(id)
				store.Store = o.Store
				kernel, err := host(change.Config{Views: []change.View{cal}}, &o.Practice)(store, itsm.Config{Now: o.Time.Now, Attempts: 3})
				require.NoError(t, err)
				return practicetest.Call[change.Change]{Practice: kernel, Once: true, Do: func() error { return s.do(o, id) }, Holds: func(happened bool) error {
					if _, planned := cal.Planned(id); !happened && planned != was {
						return errors.New("it is in the schedule")
					}
					return nil
				}}
			})
		})
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
		r := o.Record(id)
		require.Equal(t, change.Scheduled, r.State)
		count := map[string]int{}
		for _, name := range o.Story(id) {
			count[name]++
		}
		require.Equal(t, 1, count["authorize"])
		require.Equal(t, people, count["note"])
		require.Equal(t, len(r.Approval.Ballots), count["vote"])
		require.Greater(t, 2*count["vote"], people, "a majority")
		o.Replays(id)
		p, planned := cal.Planned(id)
		require.True(t, planned)
		require.Equal(t, r.Window, p.Span)
	}
	require.Len(t, cal.Between(span(-100, 100)), 4)

	// Many hosts run what is due: each window ends once.
	require.Equal(t, len(ids), o.DueAtOnce(48*time.Hour, host(change.Config{}, new(*change.Practice))))
	for _, id := range ids {
		require.Equal(t, 1, o.Record(id).MissedWindows)
	}
}
