package request_test

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
	"github.com/go-itsm/itsm/approval"
	"github.com/go-itsm/itsm/request"
	"github.com/go-itsm/itsm/sla"
	"github.com/go-itsm/itsm/storage/memory"
)

// A world is a few requests to which things happen by chance: under one
// configuration, with a clock that jumps, mostly forwards.
type world struct {
	*desk
	rnd *rand.Rand
	ids []itsm.ID
	// seen is how far the feed was read.
	seen itsm.Cursor
	// snapshots are the records as they were after each version that was the
	// last of a commit.
	snapshots map[itsm.ID]map[itsm.Version]request.Request
	states    map[itsm.ID]itsm.State
	tried     map[string]int
	done      map[string]int
}

// ship is an action of the host's own.
type ship struct {
	Parcel string `json:"parcel"`
}

func (ship) Action() string                            { return "ship" }
func (ship) Apply(*request.Request, itsm.Moment) error { return nil }

// configs are the ways in which a host may run the practice.
func configs(t testing.TB) []request.Config {
	extended, err := request.DefaultLifecycle().With(func(s *itsm.LifecycleSpec) {
		s.AddState("awaiting_delivery")
		s.Allow("ship", "awaiting_delivery", request.Assigned, request.InFulfilment)
		s.Allow("start", request.InFulfilment, "awaiting_delivery")
		s.Allow("cancel", request.Cancelled, "awaiting_delivery")
		s.Allow("auto_fulfil", request.Fulfilled, "awaiting_delivery")
	}, request.AllowUsual("awaiting_delivery"))
	require.NoError(t, err)
	own := []action{ship{}}
	return []request.Config{
		{},
		{AutoClose: request.After(6 * time.Hour), ReopenWindow: 48 * time.Hour, Agreements: agreements(t)},
		{AutoClose: request.After(24 * time.Hour), RollUp: request.AllOrNothing, Lifecycle: extended, Actions: own, ReopenWindow: time.Hour},
		{RollUp: request.Majority, Lifecycle: extended, Actions: own, Agreements: agreements(t), AutoClose: func(r request.Request, at time.Time) time.Time {
			if len(r.Items) == 1 {
				return time.Time{}
			}
			return at.Add(-time.Minute) // at once
		}},
	}
}

// agreements is a book with the metrics of the package and escalations.
func agreements(t testing.TB) *sla.Book {
	var hours []*sla.Hours
	for _, c := range []sla.Calendar{
		{Name: "office", Zone: "Europe/Berlin", Rules: sla.Rules{Weekly: sla.MondayToFriday(sla.Window{Open: 9 * time.Hour, Close: 17 * time.Hour})}},
		{Name: "around", Zone: "UTC", Rules: sla.Rules{Weekly: sla.EveryDay(sla.Window{Close: 24 * time.Hour})}},
	} {
		h, err := c.Compile()
		require.NoError(t, err)
		hours = append(hours, h)
	}
	fulfilment := request.FulfilmentMetric("office", sla.GoalRule{When: sla.Condition{"offering": {"chair"}}, Within: 4 * time.Hour}, sla.GoalRule{Within: 16 * time.Hour})
	fulfilment.Thresholds = []sla.Threshold{
		{Percent: 50, Do: []sla.Escalation{{Do: sla.Notify, To: "desk"}}},
		{Percent: 75, Do: []sla.Escalation{{Do: sla.EscalateFunctional, To: "second line"}, {Do: sla.EscalateHierarchical, To: "head"}}},
	}
	book, err := sla.NewBook(hours, []sla.Agreement{{Name: "all", Kind: sla.ServiceLevel,
		Metrics: []sla.Metric{fulfilment, request.ApprovalMetric("around", sla.GoalRule{Within: 24 * time.Hour})}}})
	require.NoError(t, err)
	return book
}

func newWorld(t testing.TB, seed uint64, cfg request.Config) *world {
	return &world{
		desk: newDesk(t, cfg), rnd: rand.New(rand.NewPCG(seed, 0)),
		snapshots: map[itsm.ID]map[itsm.Version]request.Request{}, states: map[itsm.ID]itsm.State{},
		tried: map[string]int{}, done: map[string]int{},
	}
}

func (w *world) chance(oneIn int) bool { return w.rnd.IntN(oneIn) == 0 }

func pick[T any](w *world, from ...T) T { return from[w.rnd.IntN(len(from))] }

func (w *world) text() string {
	return pick(w, "", "x", "again", "신청합니다", "a\x00b", "\xff", "long enough", "yes")
}

// said is mostly a usable text, so that most inputs are valid.
func (w *world) said() string {
	if w.chance(8) {
		return w.text()
	}
	return pick(w, "free", "taken", "asked", "known")
}

func (w *world) person() string { return pick(w, "", "mia", "lee", "kim", "jin", "ann") }
func (w *world) small() int     { return w.rnd.IntN(5) }

func (w *world) id() itsm.ID {
	if w.chance(40) {
		return pick[itsm.ID](w, "", "req-0")
	}
	id := w.ids[0]
	for range 8 { // the latest, and mostly one that is not over
		id = pick(w, w.ids[max(0, len(w.ids)-12):]...)
		if !w.Lifecycle().IsEnd(w.states[id]) || w.chance(8) {
			break
		}
	}
	return id
}

func (w *world) time() time.Time {
	if w.chance(3) {
		return time.Time{}
	}
	return w.clock.now().Add(time.Duration(w.rnd.Int64N(int64(48*time.Hour))) - 12*time.Hour)
}

func (w *world) day() string {
	return sla.DateOf(w.clock.now().AddDate(0, 0, w.rnd.IntN(5)-1)).String()
}

func (w *world) line() request.Line {
	l := request.Line{Values: itsm.Fields{}}
	switch w.rnd.IntN(9) {
	case 0, 1:
		l = laptop(pick(w, []string{"dock"}, []string{"large"}, nil, []string{"small", "large"})...)
		l.Quantity = w.rnd.IntN(5)
	case 2, 3:
		l = account()
		if w.chance(2) {
			l.Values["first_day"] = json.RawMessage(`"` + w.day() + `"`)
		}
	case 4, 5:
		l = folder(pick(w, "read", "write", "admin", "none"), pick(w, "", w.day(), w.day()))
	case 6:
		l = request.Line{Offering: "start", Values: itsm.Fields{"login": json.RawMessage(` "new" `), "until": json.RawMessage(`"` + w.day() + `"`)}, Leave: pick(w, nil, []string{"laptop"}, []string{"account"})}
	case 7:
		l.Offering, l.Quantity = "chair", w.rnd.IntN(12)
	case 8:
		l.Offering = pick(w, "question", "rocket", "")
	}
	return l
}

func (w *world) lines() []request.Line {
	var all []request.Line
	for range w.rnd.IntN(4) {
		all = append(all, w.line())
	}
	return all
}

func (w *world) newOrder() request.Order {
	a := request.Order{Title: w.said(), Requester: w.person(), Recipient: w.person(), Lines: w.lines(), Draft: w.chance(6)}
	if w.chance(10) {
		a.Origin = &itsm.Ref{Kind: "incident", ID: itsm.ID(w.said())}
		a.Fields = w.fields()
	}
	return a
}

func (w *world) fields() itsm.Fields {
	f := itsm.Fields{}
	for range w.rnd.IntN(3) {
		f[pick(w, "seat", "vip", "", "x")] = json.RawMessage(pick(w, "null", ` { "a" : [1, 2] }`, "true", `"text"`, "{", "1e3"))
	}
	return f
}

func (w *world) undo() *request.Undo {
	if w.chance(2) {
		return nil
	}
	return &request.Undo{Title: w.said(), Automation: w.text()}
}

// task is mostly one that there is and that can be worked on.
func (w *world) task(id itsm.ID) int {
	r, err := w.Get(mia, id)
	if err != nil || len(r.Tasks) == 0 || w.chance(8) {
		return w.rnd.IntN(8)
	}
	var open []int
	for _, t := range r.Tasks {
		if t.State == request.TaskReady || t.State == request.TaskRunning {
			open = append(open, t.Number)
		}
	}
	if len(open) == 0 || w.chance(4) {
		return 1 + w.rnd.IntN(len(r.Tasks))
	}
	return pick(w, open...)
}

// action is a random action with random input.
func (w *world) action(id itsm.ID) action {
	reason := w.said()
	switch w.rnd.IntN(48) {
	case 0:
		return request.Revise{Title: w.said(), Lines: w.lines(), Recipient: w.person()}
	case 1, 2:
		return request.Submit{Title: "forged", Automatic: true, Items: []request.Item{{Number: 1}}}
	case 3:
		return request.SeekApproval{Policy: pick(w, "manager", "budget", "budget", ""), Items: pick(w, nil, nil, []int{1}, []int{1, 1}), Approval: &request.Approval{}}
	case 4, 5, 6, 7, 8, 9:
		return request.Vote{Approval: pick(w, 0, 0, 0, 1, 2, 3), For: pick(w, "", "", "", "kim", "lee"), Vote: pick(w, append(approval.Votes(), approval.Approve, approval.Approve, approval.Approve, "x")...),
			Comment: w.text(), Outcome: approval.Approved, Final: true}
	case 10:
		return request.Delegate{Approval: pick(w, 0, 0, 1), To: w.person(), Until: w.time()}
	case 11:
		return request.Reject{Reason: reason}
	case 12, 13:
		return request.Assign{Group: pick(w, "", "desk", "second line"), Person: w.person()}
	case 14, 15, 16, 17:
		return request.Start{}
	case 18:
		return request.AssignTask{Task: w.task(id), Group: w.said(), Person: w.person()}
	case 19:
		return request.StartTask{Task: w.task(id)}
	case 20, 21, 22, 23, 24, 25, 26, 27:
		return request.CompleteTask{Task: w.task(id), Result: pick(w, "free", "free", reason), Note: w.text()}
	case 28:
		return request.FailTask{Task: w.task(id), Reason: reason}
	case 29:
		return request.SkipTask{Task: w.task(id), Reason: reason}
	case 30:
		return request.RetryTask{Task: w.task(id)}
	case 31:
		return request.AddTask{Item: w.small(), Title: reason, Needs: pick(w, nil, []int{1}, []int{2, w.small()}), Automation: pick(w, "", "x"), Undo: w.undo()}
	case 32:
		return request.TrackTask{Task: w.task(id), Record: itsm.Ref{Kind: "change", ID: itsm.ID(reason)}}
	case 33, 34:
		return request.PutOnHold{Reason: pick(w, request.AwaitingRequester, request.AwaitingVendor, ""), Note: w.text(), Until: w.time()}
	case 35, 36:
		return request.Resume{By: "forged"}
	case 37:
		return request.Note{Text: reason, Public: w.chance(2)}
	case 38:
		return pick[action](w, (request.LogTime{Spent: time.Duration(w.rnd.Int64N(int64(25 * time.Hour)))}), request.Escalate{To: w.person(), Reason: reason}, request.SetFields{Fields: w.fields()})
	case 39:
		return request.FulfilItem{Item: w.small(), Note: w.text()}
	case 40:
		return request.CancelItem{Item: w.small(), Reason: reason}
	case 41:
		return pick[action](w, (request.ReturnItem{Item: w.small(), Reason: reason}), request.Extend{Item: w.small(), Until: w.time(), LastDay: pick(w, "", "", w.day(), "x"), Approval: &request.Approval{}})
	case 42:
		return request.Fulfil{CloseAt: w.time()}
	case 43:
		return request.Close{Note: w.text()}
	case 44:
		return pick[action](w, (request.Reopen{Reason: reason}), request.Rate{Score: w.small()})
	case 45:
		return request.RejectFulfilment{Reason: reason, Group: pick(w, "", "desk")}
	case 46:
		return pick[action](w, (request.Cancel{Reason: reason}), request.Reclassify{To: itsm.Ref{Kind: "incident", ID: "inc-1"}, Reason: reason})
	}
	link := itsm.Link{Rel: pick(w, "about", request.FulfilledBy), To: itsm.Ref{Kind: "ci", ID: itsm.ID(pick(w, "1", "2"))}}
	return pick[action](w, (ship{Parcel: reason}), request.Link{Link: link}, request.Unlink{Link: link}, request.AutoClose{}, request.Approve{}, nil, request.RunTask{Task: 1}, &request.Note{Text: reason})
}

// fitting is an action that fits what a request is, by somebody who may do it: what
// people do who look before they act.
func (w *world) fitting(r *request.Request) (string, action) {
	actor := pick(w, "mia", "mia", "jin", "lee")
	why := pick(w, "asked", "known")
	is := func(states ...itsm.State) bool { return slices.Contains(states, r.State) }
	var all []action
	if w.chance(2) {
		all = append(all, request.Note{Text: why, Public: w.chance(2)})
	}
	if w.chance(3) {
		all = append(all, request.SetFields{Fields: itsm.Fields{"x": json.RawMessage(pick(w, "1", "2", `"y"`))}},
			request.Link{Link: itsm.Link{Rel: "about", To: itsm.Ref{Kind: "ci", ID: itsm.ID(fmt.Sprint(w.rnd.IntN(1000)))}}})
	}
	if len(r.Links) > 0 && r.Links[0].Rel == "about" {
		all = append(all, request.Unlink{Link: r.Links[0]})
	}
	often := func(n int, a ...action) {
		for range n {
			all = append(all, a...)
		}
	}
	for i := range r.Approvals {
		one := &r.Approvals[i]
		if one.Final || one.Extends == 0 && !is(request.AwaitingApproval) || one.Extends > 0 && !is(request.AwaitingApproval, request.InFulfilment, request.Fulfilled, request.Closed) {
			continue
		}
		d, err := approval.Decide(one.Electorate, one.Ballots, latest(w.clock.now(), *one))
		require.NoError(w.t, err)
		if len(d.Needed.May) == 0 {
			continue
		}
		turn := pick(w, d.Needed.May...)
		actor = pick(w, turn.By...)
		v := request.Vote{Approval: one.Number, Vote: pick(w, approval.Approve, approval.Approve, approval.Approve, approval.Approve, approval.Abstain, approval.Reject), Comment: why}
		if actor != turn.Person {
			v.For = turn.Person
		}
		often(5, v)
		all = append(all, request.Delegate{Approval: one.Number, To: pick(w, "bob", "ann")})
		break
	}
	working := is(request.AwaitingApproval, request.Assigned, request.InFulfilment, request.OnHold)
	for _, t := range r.Tasks {
		if !working && t.Undoes == 0 || is(request.Draft, request.Submitted, request.Approved) {
			continue
		}
		switch t.State {
		case request.TaskReady:
			often(3, request.StartTask{Task: t.Number}, request.CompleteTask{Task: t.Number, Result: pick(w, "free", "free", "taken")})
			all = append(all, request.AssignTask{Task: t.Number, Group: "desk"}, request.TrackTask{Task: t.Number, Record: itsm.Ref{Kind: "change", ID: "c"}})
		case request.TaskRunning:
			often(6, request.CompleteTask{Task: t.Number, Result: pick(w, "free", "free", "taken")})
			all = append(all, request.FailTask{Task: t.Number, Reason: why}, request.SkipTask{Task: t.Number, Reason: why})
		case request.TaskFailed:
			all = append(all, request.RetryTask{Task: t.Number}, request.SkipTask{Task: t.Number, Reason: why})
		default:
		}
	}
	until := w.clock.now().Add(time.Duration(1+w.rnd.IntN(200)) * time.Hour)
	for _, i := range r.Items {
		switch {
		case i.Outcome == request.Open && is(request.Assigned, request.InFulfilment, request.OnHold):
			all = append(all, request.CancelItem{Item: i.Number, Reason: why}, request.FulfilItem{Item: i.Number}, request.AddTask{Item: i.Number, Title: why, Undo: w.undo()})
		case (i.Outcome == request.Complete || i.Outcome == request.WithIssues) && is(request.InFulfilment, request.Fulfilled, request.Closed):
			all = append(all, request.ReturnItem{Item: i.Number, Reason: why})
			if !i.Until.IsZero() {
				often(3, request.Extend{Item: i.Number, Until: i.Until.Add(time.Duration(1+w.rnd.IntN(400)) * time.Hour)})
			}
		}
	}
	switch r.State {
	case request.Draft, request.Rejected:
		often(6, request.Submit{}, request.Revise{Title: why, Lines: []request.Line{pick(w, chair, folder("read", ""), folder("write", ""), laptop("dock"))}})
	case request.Submitted, request.Approved:
		often(4, request.Start{}, request.Assign{Group: "desk", Person: "mia"})
	case request.Assigned, request.InFulfilment:
		often(2, request.Start{}, request.Fulfil{}, request.Assign{Group: pick(w, "desk", "second line")})
		all = append(all, request.SeekApproval{Policy: "budget"}, ship{Parcel: why}, request.Escalate{To: "head", Reason: why}, request.LogTime{Spent: time.Minute},
			request.AddTask{Title: why}, request.PutOnHold{Reason: request.AwaitingVendor, Until: until})
	case request.OnHold:
		often(5, request.Resume{})
	case request.Fulfilled:
		often(2, request.Close{}, request.Rate{Score: 1 + w.rnd.IntN(5)}, request.Reopen{Reason: why}, request.RejectFulfilment{Reason: why, Group: "desk"})
	}
	all = slices.DeleteFunc(all, func(a action) bool {
		_, ok := w.Lifecycle().Can(r.State, a.Action())
		return !ok || slices.Contains(r.Without, a.Action())
	})
	if len(all) == 0 {
		return actor, request.Note{Text: why, Public: true}
	}
	return actor, pick(w, all...)
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
	ctx := itsm.As(context.Background(), pick(w, "mia", "jin", "lee", "kim", "ann", "bot"))
	if len(w.ids) == 0 || w.chance(18) {
		w.tried["order"]++
		r, err := w.Order(ctx, w.newOrder())
		if w.expected("order", err) {
			require.Equal(w.t, w.get(r.ID), r)
		}
		w.look()
		return 1
	}
	id := w.id()
	before, beforeErr := w.Get(ctx, id)
	var a action
	switch {
	case beforeErr == nil && !w.chance(5):
		actor, fits := w.fitting(&before)
		ctx, a = itsm.As(context.Background(), actor), fits
	default:
		a = w.action(id)
	}
	called := "nil"
	if a != nil {
		called = a.Action()
	}
	w.tried[called]++
	after, err := w.Do(ctx, id, a)
	if w.expected(called, err) {
		w.same(w.get(id), after, "what was done is stored")
		w.look()
	} else if beforeErr == nil {
		w.same(before, w.get(id), "what is refused changes nothing")
	}
	return 1
}

// same is require.Equal, which takes its time.
func (w *world) same(want, got request.Request, says string) {
	if !reflect.DeepEqual(want, got) {
		require.Equal(w.t, want, got, says)
	}
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

// look takes snapshots of what has changed.
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
			of = map[itsm.Version]request.Request{}
			w.snapshots[id] = of
		}
		of[r.Version], w.states[id] = r, r.State
		if !slices.Contains(w.ids, id) {
			w.ids = append(w.ids, id)
		}
		w.sound(&r)
	}
}

// latest is a moment, but not before the last vote: a clock that went back undoes none.
func latest(at time.Time, a request.Approval) time.Time {
	for _, b := range a.Ballots {
		if b.At.After(at) {
			at = b.At
		}
	}
	return at
}

// sound proves what is always true of a request.
func (w *world) sound(r *request.Request) {
	ok := func(fact bool, says string) {
		if !fact {
			w.t.Fatalf("%s, version %d, %s: not so: %s\n%+v\n%s", r.ID, r.Version, r.State, says, *r, w.history(r.ID))
		}
	}
	is := func(states ...itsm.State) bool { return slices.Contains(states, r.State) }
	ok(w.Lifecycle().Has(r.State), "its state is one of the lifecycle's")
	ok((r.Hold != request.Hold{}) == is(request.OnHold), "it has a hold exactly while it is on hold")
	ok((r.Rejection != "") == is(request.Rejected), "it says why exactly while it is rejected")
	ok((r.Completion != request.Open) == is(request.Fulfilled, request.Closed, request.Cancelled, request.Rejected), "it has a completion exactly when it has ended")
	ok(!r.Milestones.Fulfilled.IsZero() == is(request.Fulfilled, request.Closed) || is(request.Cancelled), "what is fulfilled says when")
	ok(r.CloseAt.IsZero() || is(request.Fulfilled), "only what is fulfilled will close by itself")
	approved := true
	for i, a := range r.Approvals {
		ok(a.Number == i+1, "approvals are numbered")
		d, err := approval.Decide(a.Electorate, a.Ballots, latest(w.clock.now(), a))
		ok(err == nil, "its votes can be counted")
		ok(a.Final || d.Outcome == a.Outcome || !a.Electorate.Deadline.IsZero(), "it knows what they come to")
		approved = approved && (a.Extends > 0 || a.Outcome == approval.Approved)
	}
	ok(approved || is(request.Draft, request.Submitted, request.AwaitingApproval, request.Rejected, request.Cancelled, request.OnHold), "nothing is delivered that is not approved")
	started := !r.Milestones.Started.IsZero()
	for i, t := range r.Tasks {
		ok(t.Number == i+1, "tasks are numbered")
		open := t.State.Outcome() == request.Open
		ok(open == t.Ended.IsZero(), "what has ended says when")
		ok(!open || t.Undoes > 0 || !is(request.Fulfilled, request.Closed, request.Cancelled, request.Rejected), "where it is over, no task is open but what takes back")
		ok(started || t.Undoes > 0 || t.State != request.TaskReady && t.State != request.TaskRunning, "nothing is done before it began")
		if t.Undoes > 0 {
			done := r.Tasks[t.Undoes-1]
			ok(done.UndoneBy == t.Number, "what is taken back knows by what")
			ok(done.State == request.TaskDone || done.State == request.TaskCancelled, "only what was done is taken back")
		} else if t.State == request.TaskReady || t.State == request.TaskRunning || t.State == request.TaskDone {
			for _, n := range t.Needs {
				s := r.Tasks[n-1].State
				ok(s == request.TaskDone || s == request.TaskSkipped || w.done["skip_task"]+w.done["add_task"] > 0, "what it needs had ended well")
			}
		}
	}
	for i, item := range r.Items {
		ok(item.Number == i+1, "items are numbered")
		ok((item.Outcome == request.Open) == item.Ended.IsZero(), "what has an outcome says since when")
		ok(item.Outcome != request.Open || !is(request.Fulfilled, request.Closed, request.Cancelled, request.Rejected), "where it is over, no item is open")
		var parts []request.Outcome
		undoing := false
		for _, t := range r.Tasks {
			if t.Item == item.Number && t.Undoes == 0 {
				parts = append(parts, t.State.Outcome())
			}
			undoing = undoing || t.Item == item.Number && t.Undoes > 0 && t.State != request.TaskDone && t.State != request.TaskSkipped
		}
		if len(parts) > 0 && item.Outcome != request.Withdrawn && started {
			ok(item.Outcome == request.RollUp(item.RollUp, parts...), "its outcome is that of its tasks")
		}
		ok(item.Longer == request.Longer{} || item.Return.Opened.IsZero() && item.Longer.Until.After(item.Until), "only what is granted is asked to last longer")
		ok(item.Return.Opened.IsZero() || item.Return.Done.IsZero() == undoing, "it is returned when all is taken back")
	}
	if is(request.Fulfilled, request.Closed) {
		ok(r.Outcome() == r.Completion || r.Completion == request.Complete && len(r.Items)+len(r.Tasks) == 0, "its completion is that of its parts")
	}
	ok(r.Price.String() == request.Total(prices(r)...).String(), "its price is that of its items")
	if cancel, can := w.Lifecycle().Can(r.State, "cancel"); !w.Lifecycle().IsEnd(r.State) {
		ok(can && w.Lifecycle().IsEnd(cancel), "what is open can be cancelled")
		if w.chance(20) {
			_, err := w.Check(mia, r.ID, request.Cancel{Reason: "r"})
			ok(err == nil, "and is, if somebody wants it")
		}
	}
}

func prices(r *request.Request) []request.Price {
	var all []request.Price
	for _, item := range r.Items {
		all = append(all, item.Price)
	}
	if slices.ContainsFunc(r.Items, func(i request.Item) bool { return r.Lines[i.Line].Offering == "start" }) {
		for _, l := range r.Lines {
			if l.Offering == "start" {
				all = append(all, request.Price{{Value: "10", Currency: "EUR"}})
			}
		}
	}
	return all
}

// audit proves that history and records agree: now, and as they were at every
// version and time that was looked at. It returns how often it compared.
func (w *world) audit() (compared int) {
	equal := func(want, got request.Request, what string) {
		compared++
		if !reflect.DeepEqual(want, got) {
			require.Equal(w.t, want, got, what)
		}
	}
	bare := bare(w)
	for _, id := range w.ids {
		stored := w.get(id)
		// Replay needs no configuration: another practice, without a catalogue.
		again, err := bare.Replay(w.History(mia, id))
		require.NoError(w.t, err)
		again.Due = stored.Due // which only the practice's own lifecycle tells
		equal(stored, again, "replay without a catalogue")
		again, err = w.Replay(w.History(mia, id))
		require.NoError(w.t, err)
		equal(stored, again, "replay")
		var events []itsm.Event
		for e, err := range w.History(mia, id) {
			require.NoError(w.t, err)
			events = append(events, e)
		}
		require.EqualValues(w.t, stored.Version, len(events))
		versions := slices.Sorted(maps.Keys(w.snapshots[id]))
		w.rnd.Shuffle(len(versions), func(i, j int) { versions[i], versions[j] = versions[j], versions[i] })
		for _, v := range versions[:min(len(versions), 3)] {
			got, err := w.AtVersion(mia, id, v)
			require.NoError(w.t, err)
			equal(w.snapshots[id][v], got, fmt.Sprintf("version %d", v))
			t, last := events[v-1].At, v
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

// bare is the practice of a host that knows only the actions.
func bare(w *world) *request.Practice {
	cfg := request.Config{Lifecycle: w.Lifecycle()}
	if w.Lifecycle().Has("awaiting_delivery") {
		cfg.Actions = []action{ship{}}
	}
	p, err := request.NewPractice(w.store, cfg)
	require.NoError(w.t, err)
	return p
}

// Whatever is done, in whatever order and with whatever input, under whatever
// policy: a record is what its history leads to, and what must be true of it is.
func TestHistoryIsTheRecord(t *testing.T) {
	// total is how many actions are done in all.
	total, perWorld := 101_000, 900
	if raceDetector {
		total = 4_000
	}
	if testing.Short() {
		total = 2_000
	}
	const firstSeed = 20260302
	tried, done := map[string]int{}, map[string]int{}
	actions, did, compared := 0, 0, 0
	all := configs(t)
	for i, cfg := range all {
		t.Run(fmt.Sprintf("Config%d", i), func(t *testing.T) {
			for seed := uint64(firstSeed); did*len(all) < total*(i+1); seed++ {
				w := newWorld(t, seed, cfg)
				for n := 0; n < perWorld; {
					k := w.step()
					n += k
					actions += k
				}
				compared += w.audit()
				for name, k := range w.tried {
					tried[name] += k
				}
				for name, k := range w.done {
					done[name] += k
					did += k
				}
				if t.Failed() {
					t.Fatalf("seed %d", seed)
				}
			}
		})
	}
	t.Logf("seeds from %d: %d random actions, %d of them done, %d comparisons with a replay, 0 differences", firstSeed, actions, did, compared)
	t.Logf("done of tried: %v of %v", done, tried)
	if total >= 100_000 {
		for name, n := range tried {
			if n > 0 && !slices.Contains([]string{"nil", "auto_close", "approve", "run_task"}, name) {
				require.NotZero(t, done[name], "%s was never done", name)
			}
		}
	}
}

// Several hosts run what is due at the same time: each thing happens once.
func TestDueOnManyHosts(t *testing.T) {
	d := newDesk(t, request.Config{})
	var ids []itsm.ID
	for range 10 {
		ids = append(ids, d.order(folder("read", "2026-03-03")).ID)
		d.as(bot, ids[len(ids)-1], request.CompleteTask{Task: 1})
	}
	d.clock.advance(72 * time.Hour)
	var all sync.WaitGroup
	for range 6 {
		host, err := request.NewPractice(d.store, request.Config{Config: itsm.Config{Now: d.clock.now}, Catalogue: office(t)})
		require.NoError(t, err)
		all.Go(func() {
			if _, _, err := host.RunDue(sys); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	for _, id := range ids {
		require.Equal(t, []string{"order", "submit", "approve", "begin", "run_task", "complete_task", "auto_fulfil", "expire", "run_task"}, d.history(id))
		d.replays(id)
	}
}

// Clocks of agreements follow: what others decide is not the desk's time.
func TestAgreements(t *testing.T) {
	d := newDesk(t, request.Config{Agreements: agreements(t)})
	r := d.order(laptop())
	d.due(24 * time.Hour)
	r = d.as(kim, r.ID, approve)
	target, ok := r.Targets.Find("all", "fulfilment")
	require.True(t, ok)
	c, err := d.Clock(target)
	require.NoError(t, err)
	require.Zero(t, c.At(d.clock.now()).Elapsed.Round(time.Minute), "the approval took a day, which is not counted")
	require.Equal(t, []string{"order", "submit", "move_clocks", "seek_approval", "move_clocks", "vote", "approve", "move_clocks"}, d.history(r.ID))
	d.due(14 * time.Hour) // 75 % of two working days
	d.due(48 * time.Hour)
	r = d.get(r.ID)
	require.Equal(t, "second line", r.Assignment.Group)
	results, err := d.Results(mia, r.ID, d.clock.now())
	require.NoError(t, err)
	require.Len(t, results, 2)
	_, err = d.Results(mia, "req-9", d.clock.now())
	require.ErrorIs(t, err, itsm.ErrNotFound)
}

// Every fact that an agreement may ask for is what the request says.
func TestFacts(t *testing.T) {
	calendar, err := sla.Calendar{Name: "around", Zone: "UTC", Rules: sla.Rules{Weekly: sla.EveryDay(sla.Window{Close: 24 * time.Hour})}}.Compile()
	require.NoError(t, err)
	facts := map[string]string{"requester": "jin", "recipient": "mia", "channel": "portal", "offering": "laptop", "model": "device", "service": "", "person": "mia", "group": "desk",
		"state": "fulfilled", "completion": "complete", "hold": "stock", "action": "start", "reply": "staff", "submitted": "*", "approved": "*", "responded": "*", "started": "*", "fulfilled": "*", "closed": "*", "seat": "12", "vip": "true"}
	var all []sla.Agreement
	for name, value := range facts {
		when := sla.Condition{name: {value}}
		all = append(all, sla.Agreement{Name: name, Kind: sla.ServiceLevel, Applies: sla.Conditions{when},
			Metrics: []sla.Metric{{Name: "m", Calendar: "around", Goals: []sla.GoalRule{{Within: time.Hour}}, Stop: sla.Conditions{{"state": {"never"}}}}}})
	}
	wrong := sla.Agreement{Name: "wrong", Kind: sla.ServiceLevel, Applies: sla.Conditions{{"requester": {"mia"}}, {"reply": {"requester"}}, {"unknown": {"*"}}}, Metrics: all[0].Metrics}
	book, err := sla.NewBook([]*sla.Hours{calendar}, append(all, wrong))
	require.NoError(t, err)
	d := newDesk(t, request.Config{Agreements: book})
	r, err := d.Order(jin, request.Order{Channel: "portal", Recipient: "mia", Lines: []request.Line{laptop()}, Fields: itsm.Fields{"seat": []byte(`"12"`), "vip": []byte("true")}})
	require.NoError(t, err)
	d.as(kim, r.ID, approve)
	r = d.do(r.ID, request.Assign{Group: "desk", Person: "mia"}, request.PutOnHold{Reason: request.AwaitingStock}, request.Resume{}, request.Start{}, request.Note{Text: "soon", Public: true},
		request.CompleteTask{Task: 1}, request.CompleteTask{Task: 2}, request.CompleteTask{Task: 4}, request.Close{})
	for name := range facts {
		_, ok := r.Targets.Find(name, "m")
		require.True(t, ok, name)
	}
	_, ok := r.Targets.Find("wrong", "m")
	require.False(t, ok)
	d.as(jin, r.ID, request.Note{Text: "thanks", Public: true})
	r = d.get(r.ID)
	_, ok = r.Targets.Find("wrong", "m")
	require.True(t, ok, "the requester has written")

	// The same practice over another store knows nothing of it.
	_, err = d.Over(memory.New[request.Request]()).Get(mia, r.ID)
	require.ErrorIs(t, err, itsm.ErrNotFound)
	require.Error(t, request.Model{}.Validate())
}
