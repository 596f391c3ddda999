package incident_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/incident"
	"github.com/go-itsm/itsm/sla"
)

// A world is a few incidents to which things happen by chance: under one
// configuration, with a clock that jumps, mostly forwards.
type world struct {
	*desk
	rnd *rand.Rand
	ids []itsm.ID
	// seen is how far the feed was read.
	seen itsm.Cursor
	// snapshots are the records as they were after each version that was the
	// last of a commit.
	snapshots map[itsm.ID]map[itsm.Version]incident.Incident
	tried     map[string]int
	done      map[string]int
}

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
	rnd := rand.New(rand.NewPCG(1, 1))
	guess := matcher(func(inc incident.Incident) ([]incident.Proposal, error) {
		if rnd.IntN(5) == 0 {
			return nil, errDown
		}
		return []incident.Proposal{{To: itsm.Ref{Kind: "problem", ID: "prb-1"}, Score: rnd.Float64(), Reason: inc.Title}}, nil
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

func newWorld(t testing.TB, seed uint64, cfg incident.Config) *world {
	return &world{
		desk: newDesk(t, cfg), rnd: rand.New(rand.NewPCG(seed, 0)),
		snapshots: map[itsm.ID]map[itsm.Version]incident.Incident{},
		tried:     map[string]int{}, done: map[string]int{},
	}
}

func (w *world) chance(oneIn int) bool { return w.rnd.IntN(oneIn) == 0 }

func pick[T any](w *world, from ...T) T { return from[w.rnd.IntN(len(from))] }

func (w *world) actor() string { return pick(w, "mia", "jin", "lee", "kim") }
func (w *world) text() string {
	return pick(w, "", "x", "again", "문제가 생겼습니다", "a\x00b", "\xff", "long enough", "yes")
}
func (w *world) person() string { return pick(w, "", "mia", "lee", "kim", "jin", "mia", "lee") }
func (w *world) group() string  { return pick(w, "", "messaging", "network", "vendors") }
func (w *world) id() itsm.ID {
	if w.chance(30) {
		return pick[itsm.ID](w, "", "inc-0", "nonsense")
	}
	return pick(w, w.ids...)
}

func (w *world) time() time.Time {
	if w.chance(3) {
		return time.Time{}
	}
	return w.clock.now().Add(time.Duration(w.rnd.Int64N(int64(48*time.Hour))) - 24*time.Hour)
}

// settled changes the text to a usable one, so that most inputs are valid.
func (w *world) said() string {
	if w.chance(6) {
		return w.text()
	}
	return pick(w, "down", "slow", "asked", "known")
}

func (w *world) link() itsm.Link {
	return itsm.Link{Rel: pick(w, incident.CausedBy, incident.SymptomOf, incident.Viewed, incident.Continues, ""),
		To: itsm.Ref{Kind: pick(w, "change", "problem"), ID: itsm.ID(pick(w, "1", "2", "3"))}}
}

func (w *world) fields() itsm.Fields {
	f := itsm.Fields{}
	for range w.rnd.IntN(3) {
		f[pick(w, "seat", "vip", "", "x")] = json.RawMessage(pick(w, "null", ` { "a" : [1, 2] }`, "true", `"text"`, `"2026-03-03T10:00:00Z"`, "{", "1e3"))
	}
	return f
}

// report is a random report.
func (w *world) report() incident.Report {
	r := incident.Report{Title: w.said(), Description: w.said(), Caller: w.person(), Service: w.said(),
		Category: w.text(), Started: w.time(), Detected: w.time()}
	if w.chance(2) {
		r.Started, r.Detected = time.Time{}, time.Time{}
	}
	if w.chance(2) {
		r.Impact, r.Urgency = itsm.Impact(w.rnd.IntN(5)), itsm.Urgency(w.rnd.IntN(5))
	}
	if w.chance(3) {
		r.Fields = w.fields()
	}
	return r
}

// action is a random action with random input.
func (w *world) action() action {
	reason := w.said()
	switch w.rnd.IntN(53) {
	case 0:
		return incident.Describe{Title: w.said(), Description: w.text()}
	case 1:
		return incident.Classify{Service: w.text(), CI: w.text(), Category: w.text()}
	case 2:
		return incident.Assess{Impact: itsm.Impact(w.rnd.IntN(5)), Urgency: itsm.Urgency(w.rnd.IntN(5)), Priority: 9}
	case 3:
		return incident.OverridePriority{Priority: itsm.Priority(w.rnd.IntN(7)), Reason: reason}
	case 4:
		return incident.Match{Proposals: []incident.Proposal{{}}}
	case 5, 6, 7:
		return incident.Assign{Group: w.group(), Person: w.person()}
	case 8:
		return incident.Unassign{Reason: w.text()}
	case 9, 10, 11:
		return incident.Start{}
	case 12:
		return incident.EscalateFunctional{Group: w.group(), Person: w.person(), Reason: reason}
	case 13:
		return incident.EscalateHierarchical{To: w.person(), Reason: reason}
	case 14:
		return incident.Join{Person: w.person(), Skill: w.text()}
	case 15:
		return incident.Leave{Person: w.person()}
	case 16, 17:
		return incident.PutOnHold{Reason: pick(w, incident.AwaitingCaller, incident.AwaitingVendor, "", "weather"), Note: w.text(),
			Until: w.time(), Rule: pick[incident.ResumeRule](w, "", "", "reply", "hand", "x")}
	case 18:
		return incident.Resume{}
	case 19, 20, 21:
		return incident.Note{Text: reason, Public: w.chance(2)}
	case 22:
		return incident.LogTime{Spent: time.Duration(w.rnd.Int64N(int64(25 * time.Hour))), Note: w.text()}
	case 23, 24:
		return incident.Mark{Milestone: pick(w, append(incident.AllMilestones(), "x")...), At: w.time()}
	case 25:
		return incident.ProposeMajor{Reason: reason}
	case 26:
		return incident.AcceptMajor{Reason: reason, Commander: w.person(), Cadence: pick(w, 0, time.Hour, 5*time.Hour, -1, time.Second)}
	case 27:
		return incident.RejectMajor{Reason: reason}
	case 28:
		return incident.DemoteMajor{Reason: reason}
	case 29:
		return incident.AssignRole{Role: pick(w, incident.RoleCommander, incident.RoleScribe, "", "driver"), Person: w.person()}
	case 30:
		return incident.PostUpdate{Text: reason}
	case 31, 32:
		return incident.SetParent{Parent: w.id()}
	case 33:
		return incident.ClearParent{Parent: w.id()}
	case 34:
		return incident.Merge{Into: w.id()}
	case 35:
		return incident.Link{Link: w.link()}
	case 36:
		return incident.Unlink{Link: w.link()}
	case 37:
		return incident.SetFields{Fields: w.fields()}
	case 38, 39, 40:
		return incident.Resolve{Code: incident.ResolutionCode(reason), Note: w.said(), ClosureCategory: w.text(), CloseAt: w.time(), WaitForChildren: w.chance(2)}
	case 41, 42:
		return incident.Close{ClosureCategory: w.text(), Note: w.text()}
	case 43, 44:
		return incident.Reopen{Reason: reason}
	case 45:
		return incident.RejectResolution{Reason: reason, Group: w.group(), Person: w.person()}
	case 46:
		if w.chance(2) {
			return incident.Cancel{Reason: reason}
		}
		return incident.Reinstate{Reason: reason}
	case 47:
		return incident.Rate{Score: w.rnd.IntN(7), Comment: w.text()}
	case 48:
		return incident.StartReview{Lead: w.person()}
	case 49:
		return incident.AddActionItem{Title: reason, Owner: w.person(), Due: w.time()}
	case 50:
		return incident.CompleteActionItem{Number: w.rnd.IntN(3), Note: w.text()}
	case 51:
		return incident.CompleteReview{Summary: reason, Lessons: w.text()}
	}
	return pick(w, list(orderParts{Part: reason}, incident.AutoClose{}, incident.Continue{Reason: reason}, nil, incident.Report{Title: "t"},
		&incident.Note{Text: reason})...)
}

// step does one random thing and returns how many actions were tried.
func (w *world) step() int {
	if w.chance(3) {
		w.jump()
	}
	if w.chance(25) {
		n, _, err := w.RunDue(sys)
		require.NoError(w.t, err)
		w.done["due"] += n
		w.look()
		return n
	}
	ctx := itsm.As(context.Background(), w.actor())
	if len(w.ids) == 0 || len(w.ids) < 8 && w.chance(10) {
		w.tried["report"]++
		inc, err := w.Open(ctx, w.report())
		if w.expected("report", err) {
			require.Equal(w.t, w.get(inc.ID), inc)
		}
		w.look()
		return 1
	}
	id, a := w.id(), w.action()
	called := "nil"
	if a != nil {
		called = a.Action()
	}
	w.tried[called]++
	before, beforeErr := w.Get(ctx, id)
	var after incident.Incident
	var err error
	if r, ok := a.(incident.Reopen); ok && w.chance(2) {
		after, err = w.Practice.Reopen(ctx, id, r.Reason)
		if err == nil {
			id = after.ID
		}
	} else {
		after, err = w.Do(ctx, id, a)
	}
	if w.expected(called, err) {
		require.Equal(w.t, w.get(id), after)
	} else if beforeErr == nil {
		require.Equal(w.t, before, w.get(id), "what is refused changes nothing")
	}
	w.look()
	return 1
}

// expected tells whether it was done, and refuses errors that should not be.
func (w *world) expected(called string, err error) bool {
	if err == nil {
		w.done[called]++
		return true
	}
	if !errors.Is(err, itsm.ErrInvalid) && !errors.Is(err, itsm.ErrNotAllowed) && !errors.Is(err, itsm.ErrNotFound) {
		require.NoError(w.t, err, called)
	}
	require.NotEmpty(w.t, itsm.Findings(err))
	return false
}

func (w *world) jump() {
	d := time.Duration(w.rnd.Int64N(int64(2 * time.Hour)))
	switch w.rnd.IntN(20) {
	case 0:
		d = -d
	case 1:
		d *= 20
	case 2:
		d = 0
	}
	w.clock.advance(d)
}

// look takes snapshots of what has changed, and finds incidents that were
// opened in place of others.
func (w *world) look() {
	var changed []itsm.ID
	for news, err := range w.Feed(mia, w.seen) {
		require.NoError(w.t, err)
		w.seen = news.Cursor
		if !slices.Contains(changed, news.Event.Record) {
			changed = append(changed, news.Event.Record)
		}
	}
	for _, id := range changed {
		r := w.get(id)
		of := w.snapshots[id]
		if of == nil {
			of = map[itsm.Version]incident.Incident{}
			w.snapshots[id] = of
		}
		of[r.Version] = r
		if !slices.Contains(w.ids, id) {
			w.ids = append(w.ids, id)
		}
		w.sound(&r)
	}
}

// sound proves what is always true of an incident.
func (w *world) sound(r *incident.Incident) {
	ok := func(fact bool, says string) {
		if !fact {
			w.t.Fatalf("%s, version %d, %s: not so: %s\n%+v", r.ID, r.Version, r.State, says, *r)
		}
	}
	is := func(states ...itsm.State) bool { return slices.Contains(states, r.State) }
	ok(w.Lifecycle().Has(r.State), "its state is one of the lifecycle's")
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
		child := w.get(c.ID)
		ok(child.Parent == r.ID, "its child knows it")
		ok(child.State == c.State, "it knows its child's state")
		if child.State != incident.Resolved && !w.Lifecycle().IsEnd(child.State) {
			openChildren++
		}
	}
	ok(openChildren == r.OpenChildren(), "it knows how many children are open")
	if r.Parent != "" {
		parent := w.get(r.Parent)
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
			ok(w.get(l.To.ID).MergedInto == r.ID, "what was merged points here")
		case incident.Continues:
			back = incident.ContinuedBy
		case incident.ContinuedBy:
			back = incident.Continues
		}
		if back != "" {
			want := itsm.Link{Rel: back, To: itsm.Ref{Kind: "incident", ID: r.ID}}
			other := w.get(l.To.ID)
			ok(slices.Contains(other.Links, want), "what it continues, or is continued by, points back")
		}
	}
}

// audit proves that history and records agree: now, and as they were at every
// version and time that was looked at. It returns how often it compared.
func (w *world) audit() (compared int) {
	equal := func(want, got incident.Incident, what string) {
		compared++
		if !reflect.DeepEqual(want, got) {
			require.Equal(w.t, want, got, what)
		}
	}
	for _, id := range w.ids {
		stored := w.get(id)
		again, err := w.Replay(w.History(mia, id))
		require.NoError(w.t, err)
		equal(stored, again, "replay")
		var events []itsm.Event
		for e, err := range w.History(mia, id) {
			require.NoError(w.t, err)
			events = append(events, e)
		}
		require.EqualValues(w.t, stored.Version, len(events))
		// Not every version of every record, which would take the square of
		// the time: a few of each.
		versions := slices.Collect(maps.Keys(w.snapshots[id]))
		slices.Sort(versions)
		w.rnd.Shuffle(len(versions), func(i, j int) { versions[i], versions[j] = versions[j], versions[i] })
		for _, v := range versions[:min(len(versions), 12)] {
			got, err := w.AtVersion(mia, id, v)
			require.NoError(w.t, err)
			equal(w.snapshots[id][v], got, fmt.Sprintf("version %d", v))

			t := events[v-1].At
			last := v
			for _, e := range events {
				if !e.At.After(t) && e.Version > last {
					last = e.Version
				}
			}
			if want, ok := w.snapshots[id][last]; ok {
				got, err = w.At(mia, id, t)
				require.NoError(w.t, err)
				equal(want, got, fmt.Sprintf("at %s", t))
			}
		}
		_, err = w.At(mia, id, morning.AddDate(-20, 0, 0))
		require.ErrorIs(w.t, err, itsm.ErrNotFound)
		_, err = w.AtVersion(mia, id, stored.Version+1)
		require.ErrorIs(w.t, err, itsm.ErrNotFound)
	}
	return compared
}

// Whatever is done, in whatever order and with whatever input, under whatever
// policy: a record is what its history leads to, and what must be true of it is.
func TestHistoryIsTheRecord(t *testing.T) {
	// total is how many actions are done in all; three times as many are tried.
	total, perWorld := 101_000, 600
	if raceDetector {
		total = 4_000
	}
	if testing.Short() {
		total = 2_000
	}
	const firstSeed = 20260302
	type sum struct {
		tried, done         map[string]int
		actions, did, equal int
	}
	var mu sync.Mutex
	all := sum{tried: map[string]int{}, done: map[string]int{}}
	for i, cfg := range configs() {
		t.Run(fmt.Sprintf("Config%d", i), func(t *testing.T) {
			for seed := uint64(firstSeed); ; seed++ {
				w := newWorld(t, seed, cfg)
				n := 0
				for n < perWorld {
					n += w.step()
				}
				equal := w.audit()
				mu.Lock()
				all.actions += n
				all.equal += equal
				for name, k := range w.tried {
					all.tried[name] += k
				}
				for name, k := range w.done {
					all.done[name] += k
					all.did += k
				}
				enough := all.did*len(configs()) >= total*(i+1)
				mu.Unlock()
				if t.Failed() {
					t.Fatalf("seed %d", seed)
				}
				if enough {
					break
				}
			}
		})
	}
	t.Logf("seeds from %d: %d actions, %d of them done, %d comparisons with a replay, 0 differences", firstSeed, all.actions, all.did, all.equal)
	t.Logf("done of tried: %v of %v", all.done, all.tried)
	if total >= 100_000 {
		for name, n := range all.tried {
			if n > 0 && !slices.Contains([]string{"nil", "auto_close", "continue"}, name) {
				require.NotZero(t, all.done[name], "%s was never done", name)
			}
		}
	}
}

// Milestones never run backwards, whatever is marked and done and however the
// clock runs.
func TestMilestonesNeverRunBackwards(t *testing.T) {
	rounds := 1000
	if raceDetector {
		rounds = 200
	}
	marks := 0
	for seed := range uint64(rounds) {
		w := newWorld(t, seed, incident.Config{Reopen: incident.ReopenPolicy{Mode: incident.ReopenInPlace}})
		inc := w.open()
		for range 30 {
			w.clock.advance(time.Duration(w.rnd.Int64N(int64(4*time.Hour))) - 2*time.Hour)
			var a action
			switch w.rnd.IntN(9) {
			case 0, 1, 2, 3:
				a = incident.Mark{Milestone: pick(w, incident.AllMilestones()...), At: w.time()}
			case 4:
				a = incident.Note{Text: "t", Public: true}
			case 5:
				a = pick(w, list(resolve, start, assign)...)
			case 6:
				a = pick(w, list(closing, incident.StartReview{Lead: "kim"})...)
			case 7:
				a = incident.CompleteReview{Summary: "s"}
			case 8:
				a = pick(w, list(reopen, incident.PostUpdate{Text: "t"})...)
			}
			before := w.get(inc.ID).Milestones
			after, err := w.Do(mia, inc.ID, a)
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
			w.sound(&after)
		}
		w.replays(inc.ID)
	}
	t.Logf("%d marks in %d histories", marks, rounds)
}

// Many people at once: nobody's work is lost, and every record is still what
// its history leads to.
func TestManyAtOnce(t *testing.T) {
	const people, each = 8, 150
	for i, cfg := range configs() {
		t.Run(fmt.Sprintf("Config%d", i), func(t *testing.T) {
			cfg.Matcher = nil
			cfg.Attempts = 1000
			w := newWorld(t, uint64(i), cfg)
			var shared []itsm.ID
			for range 4 {
				shared = append(shared, w.open(assign).ID)
			}
			var all sync.WaitGroup
			var mu sync.Mutex
			spent, joined := map[itsm.ID]time.Duration{}, 0
			for person := range people {
				all.Add(1)
				go func() {
					defer all.Done()
					mine := &world{desk: w.desk, rnd: rand.New(rand.NewPCG(uint64(i), uint64(person))), ids: shared}
					ctx := itsm.As(context.Background(), fmt.Sprintf("p%d", person))
					for range each {
						if mine.chance(20) {
							w.clock.advance(time.Duration(mine.rnd.Int64N(int64(time.Hour))))
							if _, _, err := w.RunDue(sys); err != nil {
								t.Error(err)
							}
						}
						id, a := mine.id(), mine.action()
						if mine.chance(4) {
							a = incident.LogTime{Spent: time.Minute}
						}
						_, err := w.Do(ctx, id, a)
						switch {
						case err == nil:
							if l, ok := a.(incident.LogTime); ok {
								mu.Lock()
								spent[id] += l.Spent
								joined++
								mu.Unlock()
							}
						case !errors.Is(err, itsm.ErrInvalid) && !errors.Is(err, itsm.ErrNotAllowed) && !errors.Is(err, itsm.ErrNotFound):
							t.Errorf("%T: %v", a, err)
						}
					}
				}()
			}
			all.Wait()
			w.look()
			w.audit()
			for id, want := range spent {
				require.Equal(t, want, w.get(id).TimeSpent)
			}
			require.NotZero(t, joined)
		})
	}
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
	got := d.get(inc.ID)
	require.Equal(t, people*each, got.Reassignments)
	require.EqualValues(t, 2+people*each, got.Version)
	d.replays(inc.ID)
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
	d.clock.advance(3 * time.Hour)
	var all sync.WaitGroup
	var mu sync.Mutex
	done := 0
	for range 6 {
		cfg.Now = d.clock.now
		host, err := incident.NewPractice(d.store, cfg)
		require.NoError(t, err)
		all.Add(1)
		go func() {
			defer all.Done()
			n, _, err := host.RunDue(sys)
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			done += n
			mu.Unlock()
		}()
	}
	all.Wait()
	require.Equal(t, 20+6, done)
	for _, id := range ids {
		names := d.history(id)
		require.Equal(t, []string{"report", "resolve", "auto_close"}, names)
	}
	require.Equal(t, 6, d.get(major.ID).Major.MissedUpdates)
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
			d.do(parent, resolve)
			d.clock.advance(2 * time.Hour)
			return append(children, parent)
		}, func(d *desk, _ []itsm.ID) error { _, _, err := d.RunDue(sys); return err }, 4},
	}
	for _, s := range stories {
		for _, c := range []struct {
			name          string
			before, after func(n int) error
			fails, done   error
		}{
			{"Down", always(errDown), nil, errDown, nil},
			{"DownAfterwards", nil, always(errDown), errDown, errDown},
			{"UnknownNotDone", once(itsm.ErrUnknown), nil, nil, errDown},
			{"UnknownDone", nil, once(itsm.ErrUnknown), nil, errDown},
			{"UnknownForLong", always(itsm.ErrUnknown), nil, itsm.ErrUnknown, nil},
			{"Conflict", once(itsm.ErrConflict), nil, nil, errDown},
			{"ConflictForLong", always(itsm.ErrConflict), nil, itsm.ErrConflict, nil},
		} {
			t.Run(s.name+"/"+c.name, func(t *testing.T) {
				d := newDesk(t, s.cfg)
				ids := s.set(d)
				before := d.everything()
				store := &flaky{Store: d.store, before: c.before, after: c.after}
				cfg := s.cfg
				cfg.Attempts = 3
				numbers := serial()
				for range 50 { // the numbers that the set-up has used
					_, _ = numbers(mia, "inc", morning)
				}
				cfg.NewID = func(ctx context.Context, prefix string, at time.Time) (itsm.ID, error) {
					if prefix == "inc" {
						return numbers(ctx, prefix, at)
					}
					return itsm.NewID(prefix, at), nil
				}
				d.over(dueStore{store, d.store}, cfg)
				err := s.do(d, ids)
				if c.fails == nil {
					require.NoError(t, err)
				} else {
					require.ErrorIs(t, err, c.fails)
				}
				store.before, store.after = nil, nil
				now := d.everything()
				if c.done == nil {
					require.Equal(t, before, now, "nothing has happened")
					require.NoError(t, s.do(d, ids), "and it can be done later")
					now = d.everything()
				}
				require.Len(t, now, s.after)
				changed := 0
				for id, r := range now {
					if !reflect.DeepEqual(r, before[id]) {
						changed++
					}
					d.replays(id)
					if len(r.Children) > 0 {
						d.related(id)
					}
				}
				require.GreaterOrEqual(t, changed, 2)
			})
		}
	}
}

// everything lists all incidents.
func (d *desk) everything() map[itsm.ID]incident.Incident {
	d.t.Helper()
	all := map[itsm.ID]incident.Incident{}
	page, err := d.store.List(mia, itsm.Query{})
	require.NoError(d.t, err)
	for _, r := range page.Records {
		all[r.ID] = r
	}
	return all
}

func always(err error) func(int) error { return func(int) error { return err } }

func once(err error) func(int) error {
	failed := false
	return func(int) error {
		if failed {
			return nil
		}
		failed = true
		return err
	}
}

// dueStore is a flaky store that can say what is due.
type dueStore struct {
	*flaky
	itsm.DueStore
}

// Random failures while random things happen: whatever was done was done as a
// whole.
func TestRandomFailures(t *testing.T) {
	rounds := 40
	if raceDetector {
		rounds = 8
	}
	for seed := range uint64(rounds) {
		cfg := configs()[seed%5]
		cfg.Matcher = nil
		cfg.Attempts = 2
		w := newWorld(t, seed, cfg)
		fail := func(int) error {
			if w.chance(10) {
				return pick(w, errDown, itsm.ErrUnknown, itsm.ErrConflict)
			}
			return nil
		}
		store := &flaky{Store: w.store, before: fail, after: func(int) error {
			if w.chance(10) {
				return pick(w, errDown, itsm.ErrUnknown)
			}
			return nil
		}}
		w.over(dueStore{store, w.store}, cfg)
		for range 150 {
			w.jump()
			ctx := itsm.As(context.Background(), w.actor())
			if len(w.ids) < 4 {
				_, _ = w.Open(ctx, w.report())
				for id := range w.everything() {
					if !slices.Contains(w.ids, id) {
						w.ids = append(w.ids, id)
					}
				}
				slices.Sort(w.ids)
				continue
			}
			if w.chance(20) {
				_, _, _ = w.RunDue(sys)
			}
			_, _ = w.Do(ctx, w.id(), w.action())
			for _, r := range w.everything() {
				if !slices.Contains(w.ids, r.ID) {
					w.ids = append(w.ids, r.ID)
				}
				w.sound(&r)
			}
			slices.Sort(w.ids)
		}
		for _, id := range w.ids {
			w.replays(id)
		}
	}
}
