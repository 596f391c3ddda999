package incident_test

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/incident"
	"github.com/go-itsm/itsm/storage/memory"
)

// What ends a hold: the caller's public reply where that is the rule, and time.
func TestHoldEnds(t *testing.T) {
	reply := incident.Note{Text: "error 42", Public: true}
	for _, c := range []struct {
		name    string
		hold    incident.PutOnHold
		who     context.Context
		note    incident.Note
		resumes bool
	}{
		{"CallerReplies", incident.PutOnHold{Reason: incident.AwaitingCaller}, jin, reply, true},
		{"CallerWritesInternally", incident.PutOnHold{Reason: incident.AwaitingCaller}, jin, incident.Note{Text: "x"}, false},
		{"AnotherWrites", incident.PutOnHold{Reason: incident.AwaitingCaller}, mia, reply, false},
		{"VendorIsAwaited", incident.PutOnHold{Reason: incident.AwaitingVendor}, jin, reply, false},
		{"VendorIsAwaitedByRule", incident.PutOnHold{Reason: incident.AwaitingVendor, Rule: incident.ResumeOnReply}, jin, reply, true},
		{"CallerIsAwaitedByHand", incident.PutOnHold{Reason: incident.AwaitingCaller, Rule: incident.ResumeByHand}, jin, reply, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := newDesk(t, incident.Config{})
			inc := d.open(start, c.hold)
			got, err := d.Do(c.who, inc.ID, c.note)
			require.NoError(t, err)
			d.Replays(inc.ID)
			if !c.resumes {
				require.Equal(t, incident.OnHold, got.State)
				require.Equal(t, inc.Hold, got.Hold)
				return
			}
			require.Equal(t, incident.InProgress, got.State)
			require.Zero(t, got.Hold)
			require.Equal(t, inc.Version+2, got.Version, "the reply and what follows are two lines of history")
			var events []itsm.Event
			for e := range d.History(mia, inc.ID) {
				events = append(events, e)
			}
			last := events[len(events)-1]
			require.Equal(t, "auto_resume", last.Action)
			require.Equal(t, events[len(events)-2].ID, last.Cause)
			require.JSONEq(t, `{"by":"reply"}`, string(last.Data))
		})
	}
	t.Run("ReplyWhileNotOnHold", func(t *testing.T) {
		d := newDesk(t, incident.Config{})
		inc := d.open(start)
		got, err := d.Do(jin, inc.ID, reply)
		require.NoError(t, err)
		require.Equal(t, inc.Version+1, got.Version)
		require.Zero(t, got.Milestones.FirstResponse, "what the caller says is no response")
	})
	t.Run("Time", func(t *testing.T) {
		d := newDesk(t, incident.Config{})
		inc := d.open(start, incident.PutOnHold{Reason: incident.AwaitingVendor, Until: morning.Add(time.Hour)})
		d.Time.Set(morning.Add(time.Hour - time.Microsecond))
		require.Zero(t, d.Due(0))
		require.Equal(t, 1, d.Due(time.Microsecond))
		require.Zero(t, d.Due(time.Hour))
		got := d.Record(inc.ID)
		require.Equal(t, incident.InProgress, got.State)
		require.Zero(t, got.Hold)
		require.Zero(t, got.Due)
		d.Replays(inc.ID)
	})
	t.Run("LongerThanSaid", func(t *testing.T) {
		d := newDesk(t, incident.Config{})
		inc := d.open(start, incident.PutOnHold{Reason: "vendor", Until: morning.Add(time.Hour)},
			incident.PutOnHold{Reason: "vendor", Until: morning.Add(48 * time.Hour)})
		require.Zero(t, d.Due(47*time.Hour))
		require.Equal(t, 1, d.Due(time.Hour))
		d.Replays(inc.ID)
	})
}

func TestAutoClose(t *testing.T) {
	t.Run("NobodyObjects", func(t *testing.T) {
		d := newDesk(t, incident.Config{AutoClose: incident.After(72 * time.Hour)})
		inc := d.open(resolve)
		require.Zero(t, d.Due(72*time.Hour-time.Microsecond))
		require.Equal(t, 1, d.Due(time.Microsecond))
		require.Zero(t, d.Due(time.Hour), "once")
		got := d.Record(inc.ID)
		require.Equal(t, incident.Closed, got.State)
		require.Equal(t, inc.CloseAt, got.Milestones.Closed)
		require.Zero(t, got.CloseAt)
		d.Replays(inc.ID)
	})
	t.Run("SomebodyObjects", func(t *testing.T) {
		d := newDesk(t, incident.Config{AutoClose: incident.After(72 * time.Hour)})
		inc := d.open(assign, resolve, reopen)
		require.Zero(t, d.Due(100*time.Hour))
		require.Equal(t, incident.InProgress, d.Record(inc.ID).State)
		inc = d.Did(mia, inc.ID, resolve)
		require.Equal(t, d.Time.Now().Add(72*time.Hour), inc.Due, "from the latest resolution")
	})
	t.Run("ByTheHostsCalendar", func(t *testing.T) {
		nextMonday := func(inc incident.Incident, resolved time.Time) time.Time {
			if inc.Category == "security" {
				return time.Time{} // never by itself
			}
			for day := 1; ; day++ {
				if at := resolved.AddDate(0, 0, day); at.Weekday() == time.Monday {
					return at
				}
			}
		}
		d := newDesk(t, incident.Config{AutoClose: nextMonday})
		require.Equal(t, morning.AddDate(0, 0, 7).Add(time.Minute), d.open(resolve).Due)
		require.Zero(t, d.open(incident.Classify{Category: "security"}, resolve).Due)
	})
	t.Run("TheCallerSaysWhenInVain", func(t *testing.T) {
		d := newDesk(t, incident.Config{})
		inc := d.open(incident.Resolve{Code: "fixed", Note: "n", CloseAt: morning, WaitForChildren: true})
		require.Zero(t, inc.CloseAt)
		require.False(t, inc.WaitForChildren)
	})
}

func TestReopenPolicies(t *testing.T) {
	reject := incident.RejectResolution{Reason: "no", Group: "messaging"}
	t.Run("Forbid", func(t *testing.T) {
		d := newDesk(t, incident.Config{})
		inc := d.open(resolve, closing)
		d.Refuse(mia, inc.ID, reopen, "a closed incident is not reopened here")
		d.Refuse(jin, inc.ID, reject, "a closed incident is not reopened here")
		_, err := d.Practice.Reopen(mia, inc.ID, "r")
		require.ErrorIs(t, err, itsm.ErrNotAllowed)
		d.Did(mia, d.open(assign, resolve).ID, reopen) // a resolved one can always be
	})
	t.Run("InPlaceWithinWindow", func(t *testing.T) {
		for _, a := range list(reopen, reject) {
			d := newDesk(t, incident.Config{Reopen: incident.ReopenPolicy{Mode: incident.ReopenInPlace, Window: 24 * time.Hour}})
			inc := d.open(resolve, closing)
			d.Time.Advance(24*time.Hour + time.Microsecond)
			d.Refuse(mia, inc.ID, a, "it was closed 24h0m0s ago; it can be reopened within 24h0m0s")
			d.Time.Advance(-time.Microsecond)
			_, err := d.Do(mia, inc.ID, a)
			require.NoError(t, err, "the boundary is within")
			require.Equal(t, 1, d.Record(inc.ID).Reopens)
			d.Replays(inc.ID)
		}
	})
	t.Run("InPlaceForEver", func(t *testing.T) {
		d := newDesk(t, incident.Config{Reopen: incident.ReopenPolicy{Mode: incident.ReopenInPlace}})
		inc := d.open(resolve, closing)
		d.Time.Advance(10 * 365 * 24 * time.Hour)
		again, err := d.Practice.Reopen(mia, inc.ID, "still")
		require.NoError(t, err)
		require.Equal(t, inc.ID, again.ID)
		require.Equal(t, incident.InProgress, again.State)
	})
	t.Run("Clone", func(t *testing.T) {
		for _, reopening := range []func(d *desk, id itsm.ID) error{
			func(d *desk, id itsm.ID) error { _, err := d.Do(mia, id, reopen); return err },
			func(d *desk, id itsm.ID) error { _, err := d.Do(jin, id, reject); return err },
			func(d *desk, id itsm.ID) error {
				inc, err := d.Practice.Reopen(mia, id, "down again")
				require.EqualValues(d.T, "inc-2", inc.ID)
				return err
			},
		} {
			var commits []int
			d := newDesk(t, incident.Config{Reopen: incident.ReopenPolicy{Mode: incident.ReopenClone}})
			counted := counting{d.Store, func(n int) error { commits = append(commits, n); return nil }}
			d.over(counted, incident.Config{Reopen: incident.ReopenPolicy{Mode: incident.ReopenClone}})
			old := d.open(incident.Describe{Title: "No mail", Description: "since eight"}, incident.Classify{Service: "mail", CI: "mx1", Category: "outage"},
				incident.Assess{Impact: 1, Urgency: 1}, incident.SetFields{Fields: itsm.Fields{"seat": []byte(`"4B"`)}}, assign,
				accept, resolve, closing)
			commits = nil
			d.Time.Advance(time.Hour)
			require.NoError(t, reopening(d, old.ID))
			require.Equal(t, []int{2}, commits, "both records in one commit")

			was := d.Record(old.ID)
			require.Equal(t, incident.Closed, was.State)
			require.Equal(t, 1, was.Reopens)
			require.Equal(t, []itsm.Link{{Rel: incident.ContinuedBy, To: itsm.Ref{Kind: "incident", ID: "inc-2"}}}, was.Links)
			require.Equal(t, old.Resolution, was.Resolution)
			made := d.Record("inc-2")
			now := d.Time.Now()
			require.Equal(t, incident.Incident{
				Meta: itsm.Meta{ID: "inc-2", Version: 1, State: incident.New, Created: now, Changed: now,
					Links: []itsm.Link{{Rel: incident.Continues, To: itsm.Ref{Kind: "incident", ID: old.ID}}}, Fields: old.Fields},
				Title: "No mail", Description: "since eight", Caller: "jin", Service: "mail", CI: "mx1", Category: "outage",
				Impact: 1, Urgency: 1, Priority: 1, Milestones: incident.Milestones{Detected: now},
			}, made)
			d.Replays(old.ID)
			d.Replays(made.ID)

			d.Refuse(mia, old.ID, reopen, "it is continued by inc-2 already")
			d.Refuse(jin, old.ID, reject, "it is continued by inc-2 already")
			d.Refuse(mia, old.ID, incident.Unlink{Link: was.Links[0]}, "rel must not be continued_by, which only merging and reopening set")
		}
	})
	t.Run("CallerReopensWhatAGroupHas", func(t *testing.T) {
		d := newDesk(t, incident.Config{})
		inc := d.open(incident.Assign{Group: "messaging"}, resolve)
		inc, err := d.Do(jin, inc.ID, reopen)
		require.NoError(t, err)
		require.Equal(t, incident.Assignment{Group: "messaging"}, inc.Assignment, "the caller does not repair it")
	})
}

func TestMerge(t *testing.T) {
	merge := func(id itsm.ID) action { return incident.Merge{Into: id} }
	t.Run("OK", func(t *testing.T) {
		var commits []int
		d := newDesk(t, incident.Config{})
		d.over(counting{d.Store, func(n int) error { commits = append(commits, n); return nil }}, incident.Config{})
		target, same := d.open(start), d.open(accept, incident.PutOnHold{Reason: "vendor", Until: morning.Add(time.Hour)})
		commits = nil
		got := d.Did(mia, same.ID, merge(target.ID))
		require.Equal(t, []int{2}, commits, "both records in one commit")
		require.Equal(t, incident.Cancelled, got.State)
		require.Equal(t, target.ID, got.MergedInto)
		require.Zero(t, got.Hold)
		require.Zero(t, got.Due)
		into := d.Record(target.ID)
		require.Equal(t, incident.InProgress, into.State)
		require.Equal(t, []itsm.Link{{Rel: incident.MergedFrom, To: itsm.Ref{Kind: "incident", ID: same.ID}}}, into.Links)
		d.Replays(target.ID)
	})
	t.Run("Chain", func(t *testing.T) {
		d := newDesk(t, incident.Config{})
		a, b, c := d.open(), d.open(), d.open()
		d.Did(mia, a.ID, merge(b.ID))
		d.Did(mia, b.ID, merge(c.ID))
		require.Equal(t, b.ID, d.Record(a.ID).MergedInto)
		require.Equal(t, c.ID, d.Record(b.ID).MergedInto)
		d.Refuse(mia, c.ID, merge(a.ID), "inc-1 is merged into inc-2")
		d.Refuse(mia, d.open().ID, merge(b.ID), "inc-2 is merged into inc-3")
	})
	t.Run("TargetNotOpen", func(t *testing.T) {
		d := newDesk(t, incident.Config{})
		for _, target := range []itsm.ID{d.open(resolve).ID, d.open(resolve, closing).ID, d.open(incident.Cancel{Reason: "r"}).ID} {
			d.Refuse(mia, d.open().ID, merge(target), string(target)+" is "+string(d.Record(target).State)+": the work must go on in an open incident")
		}
	})
	t.Run("Resolved", func(t *testing.T) {
		d := newDesk(t, incident.Config{AutoClose: incident.After(time.Hour)})
		target, same := d.open(), d.open(resolve)
		require.Zero(t, d.Did(mia, same.ID, merge(target.ID)).Due)
		require.Zero(t, d.Due(2*time.Hour))
	})
	t.Run("Parent", func(t *testing.T) {
		d := newDesk(t, incident.Config{})
		parent := d.open()
		child := d.open(incident.SetParent{Parent: parent.ID})
		d.Refuse(mia, parent.ID, merge(d.open().ID), "it has child incidents")
		d.Did(mia, child.ID, merge(parent.ID))
		require.Equal(t, []incident.Child{{ID: child.ID, State: incident.Cancelled}}, d.Record(parent.ID).Children)
		require.Zero(t, func() int { r := d.Record(parent.ID); return r.OpenChildren() }())
		d.Replays(parent.ID)
	})
	t.Run("NotReinstated", func(t *testing.T) {
		cfg := incident.Config{}
		cfg.Lifecycle, _ = incident.DefaultLifecycle().With(incident.AllowReinstate)
		d := newDesk(t, cfg)
		target, same := d.open(), d.open()
		d.Did(mia, same.ID, merge(target.ID))
		d.Refuse(mia, same.ID, incident.Reinstate{}, "reason must not be empty", "it is merged into inc-1")
	})
	t.Run("NotReinstatedByDefault", func(t *testing.T) {
		d := newDesk(t, incident.Config{})
		d.Refuse(mia, d.open(incident.Cancel{Reason: "r"}).ID, incident.Reinstate{Reason: "r"},
			`action "reinstate" is not permitted in state "cancelled", from which nothing leads on`)
	})
}

// family opens a parent with children.
func (d *desk) family(children int) (parent itsm.ID, ids []itsm.ID) {
	d.T.Helper()
	parent = d.open(assign).ID
	for range children {
		ids = append(ids, d.open(incident.SetParent{Parent: parent}).ID)
	}
	d.related(parent)
	return parent, ids
}

// related proves that parent and children agree about each other.
func (d *desk) related(parent itsm.ID) {
	d.T.Helper()
	p := d.Record(parent)
	open := 0
	for _, c := range p.Children {
		child := d.Record(c.ID)
		require.Equal(d.T, parent, child.Parent)
		require.Equal(d.T, child.State, c.State)
		if child.State != incident.Resolved && !d.Lifecycle().IsEnd(child.State) {
			open++
		}
		d.Replays(c.ID)
	}
	require.Equal(d.T, open, p.OpenChildren())
	d.Replays(parent)
}

func TestChildren(t *testing.T) {
	t.Run("Family", func(t *testing.T) {
		d := newDesk(t, incident.Config{})
		parent, children := d.family(2)
		d.Refuse(mia, children[0], incident.SetParent{Parent: parent}, "it has a parent already")
		d.Refuse(mia, parent, incident.SetParent{Parent: d.open().ID}, "it has child incidents")
		d.Refuse(mia, d.open().ID, incident.SetParent{Parent: children[0]}, "inc-2 is itself part of inc-1")
		d.Refuse(mia, d.open().ID, incident.SetParent{Parent: d.open(resolve).ID}, "inc-7 is resolved: it takes no children")
		d.Did(mia, children[0], incident.ClearParent{})
		require.Zero(t, d.Record(children[0]).Parent)
		require.Len(t, d.Record(parent).Children, 1)
		d.related(parent)
		d.Did(mia, children[1], incident.ClearParent{})
		require.Nil(t, d.Record(parent).Children)
		d.Replays(parent)
		d.Did(mia, parent, incident.SetParent{Parent: children[0]}) // the other way round
		d.related(children[0])
	})
	t.Run("Independent", func(t *testing.T) {
		d := newDesk(t, incident.Config{})
		parent, children := d.family(1)
		d.Did(mia, parent, resolve, closing)
		require.Equal(t, incident.New, d.Record(children[0]).State)
		d.related(parent)
	})
	t.Run("Cascade", func(t *testing.T) {
		var commits []int
		cfg := incident.Config{Children: incident.ChildrenCascade, AutoClose: incident.After(24 * time.Hour)}
		d := newDesk(t, cfg)
		d.over(counting{d.Store, func(n int) error { commits = append(commits, n); return nil }}, cfg)
		parent, children := d.family(4)
		d.Did(mia, children[1], hold)
		d.Did(mia, children[2], incident.Cancel{Reason: "r"})
		d.Did(mia, children[3], incident.Resolve{Code: incident.NoFaultFound, Note: "worked for me"})
		commits = nil
		d.Did(mia, parent, resolve)
		require.Equal(t, []int{3}, commits, "the parent and the two that were open, in one commit")
		for _, id := range children[:2] {
			got := d.Record(id)
			require.Equal(t, incident.Resolved, got.State)
			require.Equal(t, d.Record(parent).Resolution, got.Resolution)
			require.Equal(t, d.Record(parent).CloseAt, got.CloseAt)
		}
		require.Equal(t, incident.NoFaultFound, d.Record(children[3]).Resolution.Code)
		require.Equal(t, incident.Cancelled, d.Record(children[2]).State)
		d.related(parent)

		d.Did(mia, parent, reopen)
		require.Equal(t, incident.Resolved, d.Record(children[0]).State, "reopening the parent leaves them")
		d.Did(mia, children[0], reopen)
		d.Did(mia, parent, resolve)
		require.Equal(t, incident.Resolved, d.Record(children[0]).State)
		commits = nil
		d.Did(mia, parent, closing)
		require.Equal(t, []int{4}, commits)
		for _, id := range []itsm.ID{children[0], children[1], children[3]} {
			require.Equal(t, incident.Closed, d.Record(id).State)
		}
		d.related(parent)
	})
	t.Run("CascadeByTime", func(t *testing.T) {
		d := newDesk(t, incident.Config{Children: incident.ChildrenCascade, AutoClose: incident.After(24 * time.Hour)})
		parent, children := d.family(2)
		d.Did(mia, parent, resolve)
		require.NotZero(t, d.Due(24*time.Hour))
		require.Equal(t, incident.Closed, d.Record(parent).State)
		require.Equal(t, incident.Closed, d.Record(children[0]).State)
		require.Zero(t, d.Due(24*time.Hour))
		d.related(parent)
	})
	t.Run("CascadeIsRefusedAsAWhole", func(t *testing.T) {
		cfg := incident.Config{Children: incident.ChildrenCascade}
		cfg.Lifecycle, _ = incident.DefaultLifecycle().With(func(s *itsm.LifecycleSpec) { s.Forbid("resolve", incident.New) })
		d := newDesk(t, cfg)
		parent, children := d.family(2)
		d.Did(mia, children[0], start)
		_, err := d.Do(mia, parent, resolve)
		require.ErrorIs(t, err, itsm.ErrNotAllowed)
		require.ErrorContains(t, err, "child inc-3")
		require.Equal(t, incident.Assigned, d.Record(parent).State)
		require.Equal(t, incident.InProgress, d.Record(children[0]).State)
	})
	t.Run("Block", func(t *testing.T) {
		d := newDesk(t, incident.Config{Children: incident.ChildrenBlock, AutoClose: incident.After(24 * time.Hour)})
		parent, children := d.family(2)
		got := d.Did(mia, parent, resolve)
		require.True(t, got.WaitForChildren)
		require.NotZero(t, got.CloseAt)
		require.Zero(t, got.Due, "there is nothing to do before the children are")
		d.Refuse(mia, parent, closing, "2 of its 2 child incidents are open")
		require.Zero(t, d.Due(48*time.Hour))
		d.Did(mia, children[0], incident.Cancel{Reason: "r"})
		require.Zero(t, d.Due(0))
		d.Refuse(mia, parent, closing, "1 of its 2 child incidents are open")
		d.Did(mia, children[1], resolve)
		require.Equal(t, got.CloseAt, d.Record(parent).Due, "it has been time for long")
		require.Equal(t, 1, d.Due(0))
		require.Equal(t, incident.Closed, d.Record(parent).State)
		d.related(parent)
	})
	t.Run("BlockAgain", func(t *testing.T) {
		d := newDesk(t, incident.Config{Children: incident.ChildrenBlock})
		parent, children := d.family(1)
		d.Did(mia, children[0], assign, resolve)
		d.Did(mia, parent, resolve)
		d.Did(mia, children[0], reopen)
		d.Refuse(mia, parent, closing, "1 of its 1 child incidents are open")
		d.Did(mia, children[0], incident.ClearParent{})
		d.Did(mia, parent, closing)
		require.Equal(t, incident.Closed, d.Record(parent).State)
	})
	t.Run("BlockUntilReleased", func(t *testing.T) {
		d := newDesk(t, incident.Config{Children: incident.ChildrenBlock, AutoClose: incident.After(time.Hour)})
		parent, children := d.family(1)
		d.Did(mia, parent, resolve)
		require.Zero(t, d.Due(2*time.Hour))
		d.Did(mia, children[0], incident.ClearParent{})
		require.Equal(t, 1, d.Due(0))
		d.Replays(parent)
	})
}

// A host's own states are states like ours: what is in them counts as open, can
// have children and be one, and its updates are missed.
func TestStatesOfTheHost(t *testing.T) {
	lifecycle, err := incident.DefaultLifecycle().With(func(s *itsm.LifecycleSpec) {
		s.AddState("awaiting_parts")
		s.Allow("order_parts", "awaiting_parts", incident.Assigned, incident.InProgress)
		s.Allow("start", incident.InProgress, "awaiting_parts")
		s.Allow("cancel", incident.Cancelled, "awaiting_parts")
		s.States = append(s.States, "archived")
		s.Ends = append(s.Ends, "archived")
		s.Allow("archive", "archived", incident.Closed)
	})
	require.NoError(t, err)
	cfg := incident.Config{Lifecycle: lifecycle, Children: incident.ChildrenBlock,
		Actions: list(orderParts{}, archive{})}
	d := newDesk(t, cfg)
	d.Refuse(mia, d.open(start, orderParts{Part: "disk"}).ID, incident.Note{Text: "ordered"},
		`action "note" is not permitted in state "awaiting_parts", from which lead on: cancel, start`)
	usual, err := lifecycle.With(incident.AllowUsual("awaiting_parts"))
	require.NoError(t, err)
	for action, to := range usual.Permitted(incident.InProgress) {
		if to == incident.InProgress {
			_, ok := usual.Can("awaiting_parts", action)
			require.True(t, ok, action)
		}
	}
	d = newDesk(t, cfg)
	require.Equal(t, lifecycle.Mermaid(), d.Lifecycle().Mermaid())

	parent, children := d.family(2)
	d.Did(mia, children[0], start, orderParts{Part: "disk"})
	d.related(parent)
	d.Did(mia, parent, resolve)
	d.Did(mia, children[1], resolve)
	d.Refuse(mia, parent, closing, "1 of its 2 child incidents are open")
	d.Did(mia, children[0], start, resolve, closing, archive{})
	d.related(parent)
	d.Did(mia, parent, closing)
	d.Did(mia, parent, archive{})
	d.Did(mia, children[1], reopen, incident.ClearParent{}) // out of an archived one
	d.related(parent)

	waiting := d.open(start, accept, orderParts{Part: "disk"})
	child := d.open(incident.SetParent{Parent: waiting.ID})
	d.Did(mia, child.ID, resolve)
	d.Did(mia, d.open().ID, incident.Merge{Into: waiting.ID})
	require.Equal(t, 1, d.Due(31*time.Minute))
	require.Equal(t, 1, d.Record(waiting.ID).Major.MissedUpdates)
	d.related(waiting.ID)
	d.Refuse(mia, d.open().ID, incident.Merge{Into: parent}, "inc-1 is archived: the work must go on in an open incident")
	d.Refuse(mia, d.open().ID, incident.SetParent{Parent: parent}, "inc-1 is archived: it takes no children")
}

type orderParts struct {
	Part string `json:"part"`
}

func (orderParts) Action() string { return "order_parts" }

func (a orderParts) Apply(r *incident.Incident, _ itsm.Moment) error {
	if a.Part == "" {
		return &itsm.FieldError{Field: "part", Reason: "must not be empty"}
	}
	return r.Fields.Set("part", a.Part)
}

type archive struct{}

func (archive) Action() string                                  { return "archive" }
func (archive) Apply(_ *incident.Incident, _ itsm.Moment) error { return nil }

// The whole machine of a major incident's status: every action in every status.
func TestMajorStatus(t *testing.T) {
	ways := map[incident.MajorStatus][]action{
		incident.NotMajor:      nil,
		incident.MajorProposed: list(incident.ProposeMajor{Reason: "r"}),
		incident.MajorAccepted: list(accept),
		incident.MajorRejected: list(incident.ProposeMajor{Reason: "r"}, incident.RejectMajor{Reason: "r"}),
		incident.MajorDemoted:  list(accept, incident.DemoteMajor{Reason: "r"}),
	}
	const no = ""
	legal := map[incident.MajorStatus][4]string{ // propose, accept, reject, demote
		incident.NotMajor:      {"proposed", "accepted", no, no},
		incident.MajorProposed: {no, "accepted", "rejected", no},
		incident.MajorAccepted: {no, no, no, "demoted"},
		incident.MajorRejected: {"proposed", "accepted", no, no},
		incident.MajorDemoted:  {"proposed", "accepted", no, no},
	}
	for status, way := range ways {
		for i, a := range list(incident.ProposeMajor{Reason: "s"}, incident.AcceptMajor{Reason: "s", Commander: "lee"},
			incident.RejectMajor{Reason: "s"}, incident.DemoteMajor{Reason: "s"}) {
			d := newDesk(t, incident.Config{})
			inc := d.open(way...)
			require.Equal(t, status, inc.Major.Status)
			if legal[status][i] == no {
				_, err := d.Do(mia, inc.ID, a)
				require.ErrorIs(t, err, itsm.ErrNotAllowed, "%s when %s", a.Action(), status)
				continue
			}
			got := d.Did(mia, inc.ID, a)
			require.EqualValues(t, legal[status][i], got.Major.Status)
			require.Equal(t, "s", got.Major.Reason)
			require.Equal(t, got.Major.Status == incident.MajorAccepted, !got.Major.UpdateDue.IsZero())
			require.Equal(t, inc.State, got.State, "it stands beside the state")
		}
	}
}

// A promised update that is not given is missed once, however late one looks.
func TestUpdateCadence(t *testing.T) {
	d := newDesk(t, incident.Config{UpdateCadence: time.Hour})
	inc := d.open(assign, start, accept)
	accepted := d.Time.Now()
	require.Equal(t, accepted.Add(time.Hour), inc.Due)
	require.Zero(t, d.Due(time.Hour-time.Microsecond))
	require.Equal(t, 3, d.Due(2*time.Hour+time.Microsecond), "at one, two and three hours")
	require.Zero(t, d.Due(0))
	got := d.Record(inc.ID)
	require.Equal(t, 3, got.Major.MissedUpdates)
	require.Equal(t, accepted.Add(4*time.Hour), got.Due)
	d.Replays(inc.ID)

	got = d.Did(mia, inc.ID, incident.PostUpdate{Text: "sorry"})
	require.Equal(t, d.Time.Now().Add(time.Hour), got.Due)
	require.Equal(t, 1, got.Major.Updates)
	d.Did(mia, inc.ID, hold)
	require.Equal(t, 1, d.Due(time.Hour), "those affected wait, whatever the desk waits for")
	d.Did(mia, inc.ID, resolve)
	require.Zero(t, d.Due(100*time.Hour), "a resolved one promises nothing")
	got = d.Did(mia, inc.ID, reopen)
	require.Equal(t, d.Time.Now().Add(time.Hour), got.Due)

	given := d.open(incident.AcceptMajor{Reason: "r", Commander: "kim", Cadence: 15 * time.Minute})
	require.Equal(t, d.Time.Now().Add(15*time.Minute), given.Due)
	require.Equal(t, 30*time.Minute, newDesk(t, incident.Config{}).open(accept).Major.Cadence)
}

// The earliest of what time brings comes first.
func TestDueActionsInOrder(t *testing.T) {
	d := newDesk(t, incident.Config{})
	inc := d.open(incident.AcceptMajor{Reason: "r", Commander: "kim", Cadence: 10 * time.Minute},
		incident.PutOnHold{Reason: "vendor", Until: morning.Add(15 * time.Minute)})
	require.Equal(t, morning.Add(11*time.Minute), inc.Due)
	require.Equal(t, 3, d.Due(20*time.Minute)) // 11, 15, 21
	names := d.Story(inc.ID)
	require.Equal(t, []string{"miss_update", "auto_resume", "miss_update"}, names[len(names)-3:])
	d.Replays(inc.ID)
}

// Several people may help without it being taken from anybody.
func TestSwarming(t *testing.T) {
	d := newDesk(t, incident.Config{})
	inc := d.open(assign, start, incident.Join{Person: "lee", Skill: "dns"}, incident.Join{Person: "kim", Skill: "storage"},
		incident.Join{Person: "ada"}, incident.Leave{Person: "kim"})
	require.Equal(t, "mia", inc.Assignment.Person)
	require.Zero(t, inc.Reassignments)
	require.Equal(t, []incident.Collaborator{{"lee", "dns", morning.Add(3 * time.Minute)}, {"ada", "", morning.Add(5 * time.Minute)}}, inc.Collaborators)
	require.Len(t, d.Did(mia, inc.ID, incident.Join{Person: "kim"}).Collaborators, 3)
}

func TestMatcher(t *testing.T) {
	ke := incident.Proposal{To: itsm.Ref{Kind: "problem", ID: "prb-3"}, Score: 0.9, Reason: "same service and symptom"}
	asked := 0
	cfg := func(proposals []incident.Proposal, err error) incident.Config {
		asked = 0
		return incident.Config{Matcher: matcher(func(inc incident.Incident) ([]incident.Proposal, error) {
			asked++
			if inc.Title == "" {
				return nil, errors.New("asked about nothing")
			}
			return proposals, err
		})}
	}
	t.Run("Proposes", func(t *testing.T) {
		d := newDesk(t, cfg([]incident.Proposal{ke}, nil))
		inc := d.open()
		require.Equal(t, []incident.Proposal{ke}, inc.Proposals)
		require.Equal(t, 1, asked)
		d.Replays(inc.ID)
		_, err := d.At(mia, inc.ID, d.Time.Now())
		require.NoError(t, err)
		require.Equal(t, 1, asked, "history does not ask again")
		d.Did(mia, inc.ID, incident.Match{Proposals: []incident.Proposal{{Reason: "mine"}}})
		require.Equal(t, 2, asked)
		require.Equal(t, []incident.Proposal{ke}, d.Record(inc.ID).Proposals)
	})
	t.Run("SeesTheReport", func(t *testing.T) {
		var saw incident.Incident
		d := newDesk(t, incident.Config{Matcher: matcher(func(inc incident.Incident) ([]incident.Proposal, error) {
			saw = inc
			return nil, nil
		})})
		_, err := d.Open(mia, incident.Report{Title: "t", Service: "mail", Category: "outage", Impact: 1, Urgency: 1,
			Fields: itsm.Fields{"seat": []byte("4")}})
		require.NoError(t, err)
		require.Equal(t, "mail", saw.Service)
		require.EqualValues(t, 1, saw.Priority)
		require.Equal(t, "mia", saw.Caller)
		require.Contains(t, saw.Fields, "seat")
	})
	t.Run("Fails", func(t *testing.T) {
		d := newDesk(t, cfg([]incident.Proposal{ke}, errDown))
		inc := d.open()
		require.Equal(t, []incident.Proposal{ke}, inc.Proposals)
		for e := range d.History(mia, inc.ID) {
			a, err := d.Done(e)
			require.NoError(t, err)
			require.Equal(t, "the store is down", a.(incident.Report).MatchError)
		}
		err := d.Refuse(mia, inc.ID, incident.Match{}, "incident inc-1: the matcher failed: the store is down")
		require.ErrorIs(t, err, errDown)
		require.ErrorIs(t, err, itsm.ErrNotAllowed)
	})
	t.Run("IsEnded", func(t *testing.T) {
		for _, do := range []func(d *desk, ctx context.Context) error{
			func(d *desk, ctx context.Context) error {
				_, err := d.Open(ctx, incident.Report{Title: "t"})
				return err
			},
			func(d *desk, ctx context.Context) error { _, err := d.Do(ctx, "inc-1", incident.Match{}); return err },
		} {
			ctx, cancel := context.WithCancel(mia)
			ends := false
			d := newDesk(t, incident.Config{Matcher: matcher(func(incident.Incident) ([]incident.Proposal, error) {
				if ends {
					cancel()
					return nil, ctx.Err()
				}
				return nil, nil
			})})
			d.open()
			ends = true
			require.ErrorIs(t, do(d, ctx), context.Canceled)
		}
	})
	t.Run("IsNotAskedAboutWhatIsInvalid", func(t *testing.T) {
		d := newDesk(t, cfg(nil, nil))
		for _, bad := range []incident.Report{{}, {Title: "t", Impact: 1}, {Title: "t", Impact: 9, Urgency: 9},
			{Title: "t", Detected: morning.Add(time.Hour)}} {
			_, err := d.Open(mia, bad)
			require.ErrorIs(t, err, itsm.ErrInvalid)
		}
		require.Zero(t, asked)
	})
	t.Run("TalksNonsense", func(t *testing.T) {
		to := ke.To
		nonsense := []incident.Proposal{
			{}, {To: itsm.Ref{Kind: "problem"}}, {To: itsm.Ref{Kind: "problem", ID: "\xff"}}, {To: itsm.Ref{Kind: "\x00", ID: "1"}},
			{To: to, Score: math.NaN()}, {To: to, Score: math.Inf(1)}, {To: to, Score: math.Inf(-1)},
			{To: to, Reason: "a\xff\x00b"}, {To: to, Reason: strings.Repeat("ö", 100_000)},
		}
		for range 30 {
			nonsense = append(nonsense, ke)
		}
		d := newDesk(t, cfg(nonsense, errors.New(strings.Repeat("x", 300_000)+"\xff")))
		inc := d.open()
		require.Len(t, inc.Proposals, 20)
		require.Equal(t, []float64{0, math.MaxFloat64, -math.MaxFloat64}, []float64{inc.Proposals[0].Score, inc.Proposals[1].Score, inc.Proposals[2].Score})
		require.Equal(t, "a\uFFFDb", inc.Proposals[3].Reason)
		require.Equal(t, strings.Repeat("ö", 300), inc.Proposals[4].Reason)
		d.Replays(inc.ID)
	})
	t.Run("ContinuedIsAskedAbout", func(t *testing.T) {
		c := cfg([]incident.Proposal{ke}, nil)
		c.Reopen.Mode = incident.ReopenClone
		d := newDesk(t, c)
		inc := d.open(resolve, closing)
		made, err := d.Practice.Reopen(mia, inc.ID, "again")
		require.NoError(t, err)
		require.Equal(t, []incident.Proposal{ke}, made.Proposals)
	})
}

// Authorize sees what is asked for, with the record, and not what follows.
func TestAuthorize(t *testing.T) {
	var asked []string
	cfg := incident.Config{Children: incident.ChildrenCascade}
	cfg.Authorize = func(_ context.Context, a itsm.Attempt) error {
		asked = append(asked, a.Action)
		if r, ok := a.Record.(incident.Incident); ok && a.Action == "close" && r.Resolution.By == a.Actor.ID {
			return errors.New("who resolved it does not close it")
		}
		return nil
	}
	d := newDesk(t, cfg)
	parent, _ := d.family(2)
	asked = nil
	d.Did(mia, parent, resolve)
	require.Equal(t, []string{"resolve"}, asked)
	_, err := d.Do(mia, parent, closing)
	require.ErrorIs(t, err, itsm.ErrDenied)
	_, err = d.Do(jin, parent, closing)
	require.NoError(t, err)
}

// A milestone is set where the actions and people say, and never before an
// earlier one.
func TestMilestonesByAction(t *testing.T) {
	d := newDesk(t, incident.Config{Reopen: incident.ReopenPolicy{Mode: incident.ReopenInPlace}})
	inc, err := d.Open(mia, incident.Report{Title: "t", Caller: "jin", Started: morning.Add(-time.Hour)})
	require.NoError(t, err)
	d.Did(mia, inc.ID, assign, incident.Note{Text: "t", Public: true}, incident.Mark{Milestone: incident.MilestoneIdentified},
		incident.Mark{Milestone: incident.MilestoneMitigated}, incident.Mark{Milestone: incident.MilestoneRestored},
		resolve, closing, incident.StartReview{Lead: "kim"}, incident.CompleteReview{Summary: "s"})
	m := d.Record(inc.ID).Milestones
	at := func(minutes int) time.Time { return morning.Add(time.Duration(minutes) * time.Minute) }
	require.Equal(t, incident.Milestones{Started: at(-60), Detected: at(0), Acknowledged: at(1), FirstResponse: at(2),
		Identified: at(3), Mitigated: at(4), Restored: at(5), Resolved: at(6), Closed: at(7), Reviewed: at(9)}, m)
	for i, name := range incident.AllMilestones() {
		require.False(t, m.Get(name).IsZero())
		if i > 0 {
			require.False(t, m.Get(name).Before(m.Get(incident.AllMilestones()[i-1])))
		}
	}
	require.Zero(t, m.Get("lunch"))
	require.Equal(t, incident.Milestones{Started: at(-60), Detected: at(0), Acknowledged: at(1), FirstResponse: at(2),
		Identified: at(3), Mitigated: at(4)}, d.Did(mia, inc.ID, reopen).Milestones)
	d.Refuse(mia, inc.ID, incident.Mark{Milestone: "lunch"}, `milestone is unknown: "lunch"`)
}

// A clock that runs backwards moves a milestone as little as keeps the order.
func TestMilestonesOfABackwardClock(t *testing.T) {
	d := newDesk(t, incident.Config{})
	inc := d.open()
	d.Time.Set(morning.Add(-time.Hour))
	for _, a := range list(assign, incident.PostUpdate{Text: "t"}, resolve, closing) {
		_, err := d.Do(mia, inc.ID, a)
		require.NoError(t, err)
	}
	m := d.Record(inc.ID).Milestones
	require.Equal(t, incident.Milestones{Detected: morning, Acknowledged: morning, FirstResponse: morning,
		Restored: morning, Resolved: morning, Closed: morning}, m)
	d.Replays(inc.ID)
}

// A practice over a store that takes one revision at a time does all that needs
// but one.
func TestSingleRevisionStore(t *testing.T) {
	d := newDesk(t, incident.Config{Children: incident.ChildrenCascade})
	d.over(counting{memory.New[incident.Incident](), func(revs int) error {
		if revs > 1 {
			return itsm.ErrSingleRevision
		}
		return nil
	}}, incident.Config{})
	a, err := d.Open(mia, incident.Report{Title: "t"})
	require.NoError(t, err)
	b, err := d.Open(mia, incident.Report{Title: "t"})
	require.NoError(t, err)
	_, err = d.Do(mia, a.ID, incident.Merge{Into: b.ID})
	require.ErrorIs(t, err, itsm.ErrSingleRevision)
	_, err = d.Do(mia, a.ID, resolve)
	require.NoError(t, err)
}

// handBack is an action of a host's from which another follows.
type handBack struct{}

func (handBack) Action() string                                  { return "hand_back" }
func (handBack) Apply(_ *incident.Incident, _ itsm.Moment) error { return nil }
func (handBack) Follow(*incident.Incident, itsm.Moment) action {
	return incident.PutOnHold{Reason: incident.AwaitingVendor}
}

// A parent knows where its child has come to in the end, through whatever
// states.
func TestChildThatGoesOn(t *testing.T) {
	l, err := incident.DefaultLifecycle().With(func(s *itsm.LifecycleSpec) { s.Allow("hand_back", incident.Assigned, incident.InProgress) })
	require.NoError(t, err)
	d := newDesk(t, incident.Config{Lifecycle: l, Actions: list(handBack{})})
	parent, children := d.family(1)
	got := d.Did(mia, children[0], start, handBack{})
	require.Equal(t, incident.OnHold, got.State)
	d.related(parent)
}

// A host may replace the lifecycle altogether: what it does not name cannot be
// done, and all else is as ever.
func TestLifecycleOfTheHost(t *testing.T) {
	s := itsm.LifecycleSpec{Name: "incident", Create: "report", Initial: "open", States: []itsm.State{"open", "done"}, Ends: []itsm.State{"done"}}
	s.Allow("archive", "done", "open")
	s.Allow("note", "", "open", "done")
	s.Allow("set_parent", "", "open")
	s.Allow("adopt", "", "open")
	s.Allow("follow_child", "", "open")
	l, err := itsm.NewLifecycle(s)
	require.NoError(t, err)
	d := newDesk(t, incident.Config{Lifecycle: l, Actions: list(archive{})})
	parent := d.open(incident.Note{Text: "t"})
	child := d.open(incident.SetParent{Parent: parent.ID})
	require.Equal(t, 1, func() int { r := d.Record(parent.ID); return r.OpenChildren() }())
	d.Did(mia, child.ID, archive{})
	require.Zero(t, func() int { r := d.Record(parent.ID); return r.OpenChildren() }())
	_, err = d.Do(mia, parent.ID, resolve)
	require.ErrorIs(t, err, itsm.ErrNotAllowed)
	d.Did(mia, parent.ID, archive{})
	d.Did(mia, child.ID, incident.Note{Text: "its parent, which is done, hears nothing of notes"})
}

// The same practice over another store decides alike.
func TestOver(t *testing.T) {
	d := newDesk(t, incident.Config{Children: incident.ChildrenCascade})
	d.Practice = d.Over(d.Store)
	parent, children := d.family(1)
	d.Did(mia, parent, resolve)
	require.Equal(t, incident.Resolved, d.Record(children[0]).State)
}
