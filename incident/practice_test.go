package incident_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/incident"
	"github.com/go-itsm/itsm/internal/race"
	"github.com/go-itsm/itsm/practicetest"
	"github.com/go-itsm/itsm/sla"
)

// configs are the ways in which a host may run the practice.
func configs() []incident.Config {
	extended, err := incident.DefaultLifecycle().With(incident.AllowReinstate, func(s *itsm.LifecycleSpec) {
		s.AddState("awaiting_parts")
		s.Allow("order_parts", "awaiting_parts", incident.Assigned, incident.InProgress)
		s.Allow("start", incident.InProgress, "awaiting_parts")
		s.Allow("cancel", incident.Cancelled, "awaiting_parts")
		s.Allow("resolve", incident.Resolved, "awaiting_parts")
	}, incident.AllowUsual("awaiting_parts"))
	if err != nil {
		panic(err)
	}
	guess := matcher(func(inc incident.Incident) ([]incident.Proposal, error) {
		if len(inc.Description) > 4 {
			return nil, errDown
		}
		return []incident.Proposal{{To: itsm.Ref{Kind: "problem", ID: "prb-1"}, Score: float64(len(inc.Title)), Reason: inc.Title}}, nil
	})
	parts := list(orderParts{})
	promises := everyAgreement()
	return []incident.Config{
		{},
		{AutoClose: incident.After(6 * time.Hour), Reopen: incident.ReopenPolicy{Mode: incident.ReopenInPlace, Window: 12 * time.Hour},
			Children: incident.ChildrenBlock, Lifecycle: extended, Actions: parts, Agreements: promises},
		{AutoClose: incident.After(24 * time.Hour), Reopen: incident.ReopenPolicy{Mode: incident.ReopenClone},
			Children: incident.ChildrenCascade, Matcher: guess, UpdateCadence: 4 * time.Hour},
		{AutoClose: func(inc incident.Incident, t time.Time) time.Time {
			if inc.Priority == 1 {
				return time.Time{}
			}
			return t.Add(-time.Minute) // at once
		}, Reopen: incident.ReopenPolicy{Mode: incident.ReopenInPlace}, Children: incident.ChildrenCascade, Lifecycle: extended, Actions: parts, Agreements: promises},
		{Reopen: incident.ReopenPolicy{Mode: incident.ReopenClone}, Children: incident.ChildrenBlock,
			AutoClose: incident.After(time.Hour), Matcher: guess, Lifecycle: extended, Actions: parts},
	}
}

// everyAgreement is a book with everything that an agreement can say.
func everyAgreement() *sla.Book {
	var hours []*sla.Hours
	for _, c := range []sla.Calendar{
		{Name: "office", Zone: "Europe/Berlin", Rules: sla.Rules{Weekly: sla.MondayToFriday(sla.Window{Open: 9 * time.Hour, Close: 17 * time.Hour})}},
		{Name: "around", Zone: "UTC", Rules: sla.Rules{Weekly: sla.EveryDay(sla.Window{Close: 24 * time.Hour})}},
	} {
		h, err := c.Compile()
		if err != nil {
			panic(err)
		}
		hours = append(hours, h)
	}
	escalate := []sla.Threshold{
		{Percent: 50, Do: []sla.Escalation{{Do: sla.Notify, To: "desk"}}},
		{Percent: 75, Do: []sla.Escalation{{Do: sla.EscalateFunctional, To: "second line"}, {Do: sla.EscalateHierarchical, To: "head"}}},
		{After: time.Hour, Every: time.Hour, Times: 3, Do: []sla.Escalation{{Do: sla.EscalateFunctional, To: "third line"}}},
	}
	urgent := sla.GoalRule{When: sla.Condition{"priority": {"1"}}, Within: 90 * time.Minute, Calendar: "around"}
	resolution := incident.ResolutionMetric("office", urgent, sla.GoalRule{Within: 8 * time.Hour})
	resolution.Thresholds = escalate
	counted := resolution
	counted.Name, counted.Reopen, counted.Base, counted.From = "counted", sla.ReopenCount, sla.FromNow, sla.FromCondition
	counted.Start = sla.Conditions{{"group": {"*"}}}
	restarted := resolution
	restarted.Name, restarted.Reopen = "restarted", sla.ReopenRestart
	promised := sla.Metric{Name: "promised", Calendar: "office", Goals: []sla.GoalRule{{By: "seat"}}, Stop: resolution.Stop, Cancel: resolution.Cancel}
	book, err := sla.NewBook(hours, []sla.Agreement{
		{Name: "all", Kind: sla.ServiceLevel, Metrics: []sla.Metric{
			incident.ResponseMetric("office", urgent, sla.GoalRule{Within: 4 * time.Hour}), resolution, counted, restarted, promised,
			incident.UpdateMetric("around", sla.GoalRule{Within: time.Hour}), incident.ReplyMetric("office", sla.GoalRule{When: sla.Condition{"priority": {"!3"}}, Within: time.Hour}),
		}},
		{Name: "mail", Kind: sla.OperationalLevel, Applies: sla.Conditions{{"service": {"x"}}}, Metrics: []sla.Metric{resolution}},
		{Name: "mail", Version: 1, Kind: sla.OperationalLevel, From: morning.Add(24 * time.Hour), Applies: sla.Conditions{{"service": {"x"}}}, Metrics: []sla.Metric{restarted}},
	})
	if err != nil {
		panic(err)
	}
	return book
}

// text is any text, said mostly a usable one, so that most inputs are valid.
func text(w *world) string {
	return practicetest.Pick(w, "", "x", "again", "문제가 생겼습니다", "a\x00b", "\xff", "long enough", "yes")
}

func said(w *world) string {
	if w.OneIn(6) {
		return text(w)
	}
	return practicetest.Pick(w, "down", "slow", "asked", "known")
}

func person(w *world) string {
	return practicetest.Pick(w, "", "mia", "lee", "kim", "jin", "mia", "lee")
}
func group(w *world) string { return practicetest.Pick(w, "", "messaging", "network", "vendors") }
func link(w *world) itsm.Link {
	return itsm.Link{Rel: practicetest.Pick(w, incident.CausedBy, incident.SymptomOf, incident.Viewed, incident.Continues, ""),
		To: itsm.Ref{Kind: practicetest.Pick(w, "change", "problem"), ID: itsm.ID(practicetest.Pick(w, "1", "2", "3"))}}
}

// report is a random report.
func report(w *world) action {
	r := incident.Report{Title: said(w), Description: said(w), Caller: person(w), Service: said(w),
		Category: text(w), Started: w.Time(), Detected: w.Time()}
	if w.OneIn(2) {
		r.Started, r.Detected = time.Time{}, time.Time{}
	}
	if w.OneIn(2) {
		r.Impact, r.Urgency = itsm.Impact(w.IntN(5)), itsm.Urgency(w.IntN(5))
	}
	if w.OneIn(3) {
		r.Fields = w.Fields()
	}
	return r
}

// action is a random action with random input.
func anything(w *world, _ *incident.Incident) action {
	reason := said(w)
	switch w.IntN(53) {
	case 0:
		return incident.Describe{Title: said(w), Description: text(w)}
	case 1:
		return incident.Classify{Service: text(w), CI: text(w), Category: text(w)}
	case 2:
		return incident.Assess{Impact: itsm.Impact(w.IntN(5)), Urgency: itsm.Urgency(w.IntN(5)), Priority: 9}
	case 3:
		return incident.OverridePriority{Priority: itsm.Priority(w.IntN(7)), Reason: reason}
	case 4:
		return incident.Match{Proposals: []incident.Proposal{{}}}
	case 5, 6, 7:
		return incident.Assign{Group: group(w), Person: person(w)}
	case 8:
		return incident.Unassign{Reason: text(w)}
	case 9, 10, 11:
		return incident.Start{}
	case 12:
		return incident.EscalateFunctional{Group: group(w), Person: person(w), Reason: reason}
	case 13:
		return incident.EscalateHierarchical{To: person(w), Reason: reason}
	case 14:
		return incident.Join{Person: person(w), Skill: text(w)}
	case 15:
		return incident.Leave{Person: person(w)}
	case 16, 17:
		return incident.PutOnHold{Reason: practicetest.Pick(w, incident.AwaitingCaller, incident.AwaitingVendor, "", "weather"), Note: text(w),
			Until: w.Time(), Rule: practicetest.Pick[incident.ResumeRule](w, "", "", "reply", "hand", "x")}
	case 18:
		return incident.Resume{}
	case 19, 20, 21:
		return incident.Note{Text: reason, Public: w.OneIn(2)}
	case 22:
		return incident.LogTime{Spent: time.Duration(w.Int64N(int64(25 * time.Hour))), Note: text(w)}
	case 23, 24:
		return incident.Mark{Milestone: practicetest.Pick(w, append(incident.AllMilestones(), "x")...), At: w.Time()}
	case 25:
		return incident.ProposeMajor{Reason: reason}
	case 26:
		return incident.AcceptMajor{Reason: reason, Commander: person(w), Cadence: practicetest.Pick(w, 0, time.Hour, 5*time.Hour, -1, time.Second)}
	case 27:
		return incident.RejectMajor{Reason: reason}
	case 28:
		return incident.DemoteMajor{Reason: reason}
	case 29:
		return incident.AssignRole{Role: practicetest.Pick(w, incident.RoleCommander, incident.RoleScribe, "", "driver"), Person: person(w)}
	case 30:
		return incident.PostUpdate{Text: reason}
	case 31, 32:
		return incident.SetParent{Parent: w.ID()}
	case 33:
		return incident.ClearParent{Parent: w.ID()}
	case 34:
		return incident.Merge{Into: w.ID()}
	case 35:
		return incident.Link{Link: link(w)}
	case 36:
		return incident.Unlink{Link: link(w)}
	case 37:
		return incident.SetFields{Fields: w.Fields()}
	case 38, 39, 40:
		return incident.Resolve{Code: incident.ResolutionCode(reason), Note: said(w), ClosureCategory: text(w), CloseAt: w.Time(), WaitForChildren: w.OneIn(2)}
	case 41, 42:
		return incident.Close{ClosureCategory: text(w), Note: text(w)}
	case 43, 44:
		return incident.Reopen{Reason: reason}
	case 45:
		return incident.RejectResolution{Reason: reason, Group: group(w), Person: person(w)}
	case 46:
		if w.OneIn(2) {
			return incident.Cancel{Reason: reason}
		}
		return incident.Reinstate{Reason: reason}
	case 47:
		return incident.Rate{Score: w.IntN(7), Comment: text(w)}
	case 48:
		return incident.StartReview{Lead: person(w)}
	case 49:
		return incident.AddActionItem{Title: reason, Owner: person(w), Due: w.Time()}
	case 50:
		return incident.CompleteActionItem{Number: w.IntN(3), Note: text(w)}
	case 51:
		return incident.CompleteReview{Summary: reason, Lessons: text(w)}
	}
	return practicetest.Pick(w, list(orderParts{Part: reason}, incident.AutoClose{}, incident.Continue{Reason: reason}, nil, incident.Report{Title: "t"},
		&incident.Note{Text: reason})...)
}

// sound proves what is always true of an incident.
func sound(w *world, r *incident.Incident, ok func(bool, string)) {
	is := func(states ...itsm.State) bool { return slices.Contains(states, r.State) }
	ok((r.Hold != incident.Hold{}) == is(incident.OnHold), "it has a hold exactly while it is on hold")
	ok(r.Hold.Rule != incident.ResumeByReason || !is(incident.OnHold), "the rule of a hold is decided")
	resolved := r.Resolution != incident.Resolution{}
	ok(!is(incident.Resolved, incident.Closed) || resolved, "what is resolved says how")
	ok(!resolved || is(incident.Resolved, incident.Closed, incident.Cancelled), "what is not resolved does not say how")
	ok(!r.Milestones.Resolved.IsZero() == resolved, "it has the milestone exactly if it has a resolution")
	ok(!r.Milestones.Closed.IsZero() == is(incident.Closed), "it has the milestone exactly while it is closed")
	ok(r.CloseAt.IsZero() || is(incident.Resolved), "only what is resolved will close by itself")
	ok(!r.WaitForChildren || is(incident.Resolved, incident.Closed), "only what is resolved waits for children")
	ok(r.MergedInto == "" || is(incident.Cancelled), "what is merged is cancelled")
	ok(!is(incident.New) || r.Assignment == incident.Assignment{}, "what is new is nobody's")
	ok(!is(incident.Assigned) || r.Assignment != incident.Assignment{}, "what is assigned is somebody's")
	ok(r.Assignment == incident.Assignment{} || !r.Milestones.Acknowledged.IsZero(), "what is somebody's was acknowledged")
	open := is(incident.New, incident.Assigned, incident.InProgress, incident.OnHold, "awaiting_parts")
	ok(r.Major.UpdateDue.IsZero() || open && r.Major.Status == incident.MajorAccepted, "updates are due of open major incidents")
	ok(r.Major.Status != incident.MajorAccepted || r.Major.Roles[incident.RoleCommander] != "", "a major incident has a commander")
	ok(r.Major.Status != incident.MajorAccepted || !open || !r.Major.UpdateDue.IsZero(), "an open major incident promises an update")
	ok(r.Parent == "" || len(r.Children) == 0, "there is one level of children")
	ok(r.Priority <= 5 && (r.PriorityReason == "" || r.Priority > 0), "the priority is one of the matrix's")
	review := incident.Review{}
	if r.Review != nil {
		review = *r.Review
	}
	ok(review.Completed.IsZero() == r.Milestones.Reviewed.IsZero(), "a completed review is a milestone")
	ok(r.Due.IsZero() || open || !r.CloseAt.IsZero(), "nothing is due of what is over")
	var last time.Time
	for _, name := range incident.AllMilestones() {
		if at := r.Milestones.Get(name); !at.IsZero() {
			ok(!at.Before(last), "milestones do not run backwards: "+string(name))
			last = at
		}
	}
	for i, item := range review.Actions {
		ok(item.Number == i+1, "action items are numbered")
	}
	openChildren := 0
	for _, c := range r.Children {
		child := w.Record(c.ID)
		ok(child.Parent == r.ID, "its child knows it")
		ok(child.State == c.State, "it knows its child's state")
		if child.State != incident.Resolved && !w.Practice.Lifecycle().IsEnd(child.State) {
			openChildren++
		}
	}
	ok(openChildren == r.OpenChildren(), "it knows how many children are open")
	if r.Parent != "" {
		parent := w.Record(r.Parent)
		known := 0
		for _, c := range parent.Children {
			if c.ID == r.ID {
				known++
			}
		}
		ok(known == 1, "its parent knows it, once")
	}
	for _, l := range r.Links {
		back := ""
		switch l.Rel {
		case incident.MergedFrom:
			ok(w.Record(l.To.ID).MergedInto == r.ID, "what was merged points here")
		case incident.Continues:
			back = incident.ContinuedBy
		case incident.ContinuedBy:
			back = incident.Continues
		}
		if back != "" {
			want := itsm.Link{Rel: back, To: itsm.Ref{Kind: "incident", ID: r.ID}}
			other := w.Record(l.To.ID)
			ok(slices.Contains(other.Links, want), "what it continues, or is continued by, points back")
		}
	}
}

// spent proves that the time that was logged is that of the history.
func spent(w *world) {
	for _, id := range w.IDs {
		var all time.Duration
		for _, e := range w.Events(id) {
			a, err := w.Practice.Done(e)
			w.Check(err, "reading an event")
			if l, ok := a.(incident.LogTime); ok {
				all += l.Spent
			}
		}
		w.Same(all, w.Record(id).TimeSpent, "the time spent")
	}
}

// known is what is known of incidents.
func known(total int) practicetest.Harness[incident.Incident] {
	return practicetest.Harness[incident.Incident]{
		Create: report, Action: anything, Sound: sound, Audit: spent, Records: 8, Actions: total, Unforeseen: []string{"match"},
	}
}

// Whatever is done, in whatever order and with whatever input, under whatever policy:
// what is true of every practice is true of this one, and what must be true of an
// incident is.
func TestHistoryIsTheRecord(t *testing.T) {
	var hosts []practicetest.Host[incident.Incident]
	for _, cfg := range configs() {
		hosts = append(hosts, host(cfg, new(*incident.Practice)))
	}
	practicetest.Test(t, known(101_000), hosts...)
}

// Milestones never run backwards, whatever is marked and done and however the
// clock runs.
func TestMilestonesNeverRunBackwards(t *testing.T) {
	rounds := 1000
	if race.Detector {
		rounds = 200
	}
	marks := 0
	for seed := range uint64(rounds) {
		d := newDesk(t, incident.Config{Reopen: incident.ReopenPolicy{Mode: incident.ReopenInPlace}})
		by := practicetest.NewChance(seed, d.Time)
		inc := d.open()
		for range 30 {
			d.Time.Advance(time.Duration(by.Int64N(int64(4*time.Hour))) - 2*time.Hour)
			var a action
			switch by.IntN(9) {
			case 0, 1, 2, 3:
				a = incident.Mark{Milestone: practicetest.Pick(by, incident.AllMilestones()...), At: by.Time()}
			case 4:
				a = incident.Note{Text: "t", Public: true}
			case 5:
				a = practicetest.Pick(by, list(resolve, start, assign)...)
			case 6:
				a = practicetest.Pick(by, list(closing, incident.StartReview{Lead: "kim"})...)
			case 7:
				a = incident.CompleteReview{Summary: "s"}
			case 8:
				a = practicetest.Pick(by, list(reopen, incident.PostUpdate{Text: "t"})...)
			}
			before := d.Record(inc.ID).Milestones
			after, err := d.Do(mia, inc.ID, a)
			if err != nil {
				require.True(t, errors.Is(err, itsm.ErrInvalid) || errors.Is(err, itsm.ErrNotAllowed))
				continue
			}
			if m, ok := a.(incident.Mark); ok {
				marks++
				for _, name := range incident.AllMilestones() {
					require.Equal(t, name == m.Milestone, name == m.Milestone || before.Get(name) != after.Milestones.Get(name), "%s", name)
				}
			}
			var last time.Time
			for _, name := range incident.AllMilestones() {
				if at := after.Milestones.Get(name); !at.IsZero() {
					require.False(t, at.Before(last), "%s", name)
					last = at
				}
			}
		}
		d.Replays(inc.ID)
	}
	t.Logf("%d marks in %d histories", marks, rounds)
}

// Reassigning at the same time: each counts, in the order of the history.
func TestReassigningAtOnce(t *testing.T) {
	d := newDesk(t, incident.Config{Config: itsm.Config{Attempts: 1000}})
	inc := d.open(assign)
	var all sync.WaitGroup
	const people, each = 8, 40
	for person := range people {
		all.Add(1)
		go func() {
			defer all.Done()
			for i := range each {
				_, err := d.Do(mia, inc.ID, incident.Assign{Person: fmt.Sprintf("p%d-%d", person, i)})
				if err != nil {
					t.Error(err)
				}
			}
		}()
	}
	all.Wait()
	got := d.Record(inc.ID)
	require.Equal(t, people*each, got.Reassignments)
	require.EqualValues(t, 2+people*each, got.Version)
	d.Replays(inc.ID)
}

// Several hosts run what is due at the same time: each thing happens once.
func TestDueOnManyHosts(t *testing.T) {
	cfg := incident.Config{AutoClose: incident.After(time.Hour)}
	d := newDesk(t, cfg)
	var ids []itsm.ID
	for range 20 {
		ids = append(ids, d.open(resolve).ID)
	}
	major := d.open(accept)
	require.Equal(t, 20+6, d.DueAtOnce(3*time.Hour, host(cfg, new(*incident.Practice))))
	for _, id := range ids {
		names := d.Story(id)
		require.Equal(t, []string{"report", "resolve", "auto_close"}, names)
	}
	require.Equal(t, 6, d.Record(major.ID).Major.MissedUpdates)
}

// A commit that fails, or of which nobody knows whether it failed, leaves
// nothing half done: of several incidents, all are as before or all as after.
func TestCommitsFailAsAWhole(t *testing.T) {
	type story struct {
		name string
		cfg  incident.Config
		// set makes a few incidents, do changes several of them.
		set func(d *desk) []itsm.ID
		do  func(d *desk, ids []itsm.ID) error
		// after is how many incidents there are when it is done.
		after int
	}
	stories := []story{
		{"Merge", incident.Config{}, func(d *desk) []itsm.ID { return []itsm.ID{d.open().ID, d.open().ID} },
			func(d *desk, ids []itsm.ID) error {
				_, err := d.Do(mia, ids[0], incident.Merge{Into: ids[1]})
				return err
			}, 2},
		{"Adopt", incident.Config{}, func(d *desk) []itsm.ID { return []itsm.ID{d.open().ID, d.open().ID} },
			func(d *desk, ids []itsm.ID) error {
				_, err := d.Do(mia, ids[0], incident.SetParent{Parent: ids[1]})
				return err
			}, 2},
		{"Cascade", incident.Config{Children: incident.ChildrenCascade}, func(d *desk) []itsm.ID {
			parent, children := d.family(5)
			return append(children, parent)
		}, func(d *desk, ids []itsm.ID) error { _, err := d.Do(mia, ids[5], resolve); return err }, 6},
		{"Clone", incident.Config{Reopen: incident.ReopenPolicy{Mode: incident.ReopenClone}}, func(d *desk) []itsm.ID {
			return []itsm.ID{d.open(resolve, closing).ID}
		}, func(d *desk, ids []itsm.ID) error { _, err := d.Practice.Reopen(mia, ids[0], "r"); return err }, 2},
		{"Due", incident.Config{Children: incident.ChildrenCascade, AutoClose: incident.After(time.Hour)}, func(d *desk) []itsm.ID {
			parent, children := d.family(3)
			d.Did(mia, parent, resolve)
			d.Time.Advance(2 * time.Hour)
			return append(children, parent)
		}, func(d *desk, _ []itsm.ID) error { _, _, err := d.RunDue(sys); return err }, 4},
	}
	for _, s := range stories {
		t.Run(s.name, func(t *testing.T) {
			practicetest.Whole(t, func(t *testing.T, store *practicetest.Faulty[incident.Incident]) practicetest.Call[incident.Incident] {
				d := newDesk(t, s.cfg)
				ids := s.set(d)
				before := d.Records()
				store.Store = d.Store
				cfg := s.cfg
				cfg.Attempts = 3
				numbers := practicetest.Serial()
				cfg.NewID = func(ctx context.Context, prefix string, at time.Time) (itsm.ID, error) {
					id, err := numbers(ctx, prefix, at)
					return "more-" + id, err
				}
				d.over(store, cfg)
				return practicetest.Call[incident.Incident]{Practice: d.Kernel, Do: func() error { return s.do(d, ids) }, Holds: func(happened bool) error {
					if !happened {
						return nil
					}
					now := d.Records()
					require.Len(t, now, s.after)
					changed := 0
					for id, r := range now {
						if !reflect.DeepEqual(r, before[id]) {
							changed++
						}
						if len(r.Children) > 0 {
							d.related(id)
						}
					}
					require.GreaterOrEqual(t, changed, 2)
					return nil
				}}
			})
		})
	}
}
