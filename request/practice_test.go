package request_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/approval"
	"github.com/go-itsm/itsm/practicetest"
	"github.com/go-itsm/itsm/request"
	"github.com/go-itsm/itsm/sla"
	"github.com/go-itsm/itsm/storage/memory"
)

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

// text is any text, said mostly a usable one, so that most inputs are valid.
func text(w *world) string {
	return practicetest.Pick(w, "", "x", "again", "신청합니다", "a\x00b", "\xff", "long enough", "yes")
}

func said(w *world) string {
	if w.OneIn(8) {
		return text(w)
	}
	return practicetest.Pick(w, "free", "taken", "asked", "known")
}

func person(w *world) string { return practicetest.Pick(w, "", "mia", "lee", "kim", "jin", "ann") }

func day(w *world) string {
	return sla.DateOf(w.Clock.Now().AddDate(0, 0, w.IntN(5)-1)).String()
}

func line(w *world) request.Line {
	l := request.Line{Values: itsm.Fields{}}
	switch w.IntN(9) {
	case 0, 1:
		l = laptop(practicetest.Pick(w, []string{"dock"}, []string{"large"}, nil, []string{"small", "large"})...)
		l.Quantity = w.IntN(5)
	case 2, 3:
		l = account()
		if w.OneIn(2) {
			l.Values["first_day"] = json.RawMessage(`"` + day(w) + `"`)
		}
	case 4, 5:
		l = folder(practicetest.Pick(w, "read", "write", "admin", "none"), practicetest.Pick(w, "", day(w), day(w)))
	case 6:
		l = request.Line{Offering: "start", Values: itsm.Fields{"login": json.RawMessage(` "new" `), "until": json.RawMessage(`"` + day(w) + `"`)}, Leave: practicetest.Pick(w, nil, []string{"laptop"}, []string{"account"})}
	case 7:
		l.Offering, l.Quantity = "chair", w.IntN(12)
	case 8:
		l.Offering = practicetest.Pick(w, "question", "rocket", "")
	}
	return l
}

func lines(w *world) []request.Line {
	var all []request.Line
	for range w.IntN(4) {
		all = append(all, line(w))
	}
	return all
}

func newOrder(w *world) action {
	a := request.Order{Title: said(w), Requester: person(w), Recipient: person(w), Lines: lines(w), Draft: w.OneIn(6)}
	if w.OneIn(10) {
		a.Origin = &itsm.Ref{Kind: "incident", ID: itsm.ID(said(w))}
		a.Fields = w.Fields()
	}
	return a
}

func undo(w *world) *request.Undo {
	if w.OneIn(2) {
		return nil
	}
	return &request.Undo{Title: said(w), Automation: text(w)}
}

// task is mostly one that there is and that can be worked on.
func task(w *world, r *request.Request) int {
	if len(r.Tasks) == 0 || w.OneIn(8) {
		return w.IntN(8)
	}
	var open []int
	for _, t := range r.Tasks {
		if t.State == request.TaskReady || t.State == request.TaskRunning {
			open = append(open, t.Number)
		}
	}
	if len(open) == 0 || w.OneIn(4) {
		return 1 + w.IntN(len(r.Tasks))
	}
	return practicetest.Pick(w, open...)
}

// action is what people do, mostly those who look before they act.
func anyAction(w *world, r *request.Request) action {
	if w.OneIn(5) {
		return anything(w, r)
	}
	return fitting(w, r)
}

// anything is a random action with random input.
func anything(w *world, r *request.Request) action {
	reason := said(w)
	switch w.IntN(48) {
	case 0:
		return request.Revise{Title: said(w), Lines: lines(w), Recipient: person(w)}
	case 1, 2:
		return request.Submit{Title: "forged", Automatic: true, Items: []request.Item{{Number: 1}}}
	case 3:
		return request.SeekApproval{Policy: practicetest.Pick(w, "manager", "budget", "budget", ""), Items: practicetest.Pick(w, nil, nil, []int{1}, []int{1, 1}), Approval: &request.Approval{}}
	case 4, 5, 6, 7, 8, 9:
		return request.Vote{Approval: practicetest.Pick(w, 0, 0, 0, 1, 2, 3), For: practicetest.Pick(w, "", "", "", "kim", "lee"), Vote: practicetest.Pick(w, append(approval.Votes(), approval.Approve, approval.Approve, approval.Approve, "x")...),
			Comment: text(w), Outcome: approval.Approved, Final: true}
	case 10:
		return request.Delegate{Approval: practicetest.Pick(w, 0, 0, 1), To: person(w), Until: w.Time()}
	case 11:
		return request.Reject{Reason: reason}
	case 12, 13:
		return request.Assign{Group: practicetest.Pick(w, "", "desk", "second line"), Person: person(w)}
	case 14, 15, 16, 17:
		return request.Start{}
	case 18:
		return request.AssignTask{Task: task(w, r), Group: said(w), Person: person(w)}
	case 19:
		return request.StartTask{Task: task(w, r)}
	case 20, 21, 22, 23, 24, 25, 26, 27:
		return request.CompleteTask{Task: task(w, r), Result: practicetest.Pick(w, "free", "free", reason), Note: text(w)}
	case 28:
		return request.FailTask{Task: task(w, r), Reason: reason}
	case 29:
		return request.SkipTask{Task: task(w, r), Reason: reason}
	case 30:
		return request.RetryTask{Task: task(w, r)}
	case 31:
		return request.AddTask{Item: w.IntN(5), Title: reason, Needs: practicetest.Pick(w, nil, []int{1}, []int{2, w.IntN(5)}), Automation: practicetest.Pick(w, "", "x"), Undo: undo(w)}
	case 32:
		return request.TrackTask{Task: task(w, r), Record: itsm.Ref{Kind: "change", ID: itsm.ID(reason)}}
	case 33, 34:
		return request.PutOnHold{Reason: practicetest.Pick(w, request.AwaitingRequester, request.AwaitingVendor, ""), Note: text(w), Until: w.Time()}
	case 35, 36:
		return request.Resume{By: "forged"}
	case 37:
		return request.Note{Text: reason, Public: w.OneIn(2)}
	case 38:
		return practicetest.Pick[action](w, (request.LogTime{Spent: time.Duration(w.Int64N(int64(25 * time.Hour)))}), request.Escalate{To: person(w), Reason: reason}, request.SetFields{Fields: w.Fields()})
	case 39:
		return request.FulfilItem{Item: w.IntN(5), Note: text(w)}
	case 40:
		return request.CancelItem{Item: w.IntN(5), Reason: reason}
	case 41:
		return practicetest.Pick[action](w, (request.ReturnItem{Item: w.IntN(5), Reason: reason}), request.Extend{Item: w.IntN(5), Until: w.Time(), LastDay: practicetest.Pick(w, "", "", day(w), "x"), Approval: &request.Approval{}})
	case 42:
		return request.Fulfil{CloseAt: w.Time()}
	case 43:
		return request.Close{Note: text(w)}
	case 44:
		return practicetest.Pick[action](w, (request.Reopen{Reason: reason}), request.Rate{Score: w.IntN(5)})
	case 45:
		return request.RejectFulfilment{Reason: reason, Group: practicetest.Pick(w, "", "desk")}
	case 46:
		return practicetest.Pick[action](w, (request.Cancel{Reason: reason}), request.Reclassify{To: itsm.Ref{Kind: "incident", ID: "inc-1"}, Reason: reason})
	}
	link := itsm.Link{Rel: practicetest.Pick(w, "about", request.FulfilledBy), To: itsm.Ref{Kind: "ci", ID: itsm.ID(practicetest.Pick(w, "1", "2"))}}
	return practicetest.Pick[action](w, (ship{Parcel: reason}), request.Link{Link: link}, request.Unlink{Link: link}, request.AutoClose{}, request.Approve{}, nil, request.RunTask{Task: 1}, &request.Note{Text: reason})
}

// fitting is an action that fits what a request is, by somebody who may do it: what
// people do who look before they act.
func fitting(w *world, r *request.Request) action {
	w.Actor = practicetest.Pick(w, "mia", "mia", "jin", "lee")
	why := practicetest.Pick(w, "asked", "known")
	is := func(states ...itsm.State) bool { return slices.Contains(states, r.State) }
	var all []action
	if w.OneIn(2) {
		all = append(all, request.Note{Text: why, Public: w.OneIn(2)})
	}
	if w.OneIn(3) {
		all = append(all, request.SetFields{Fields: itsm.Fields{"x": json.RawMessage(practicetest.Pick(w, "1", "2", `"y"`))}},
			request.Link{Link: itsm.Link{Rel: "about", To: itsm.Ref{Kind: "ci", ID: itsm.ID(fmt.Sprint(w.IntN(1000)))}}})
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
		d, err := approval.Decide(one.Electorate, one.Ballots, latest(w.Clock.Now(), *one))
		w.Check(err, "counting the votes")
		if len(d.Needed.May) == 0 {
			continue
		}
		turn := practicetest.Pick(w, d.Needed.May...)
		w.Actor = practicetest.Pick(w, turn.By...)
		v := request.Vote{Approval: one.Number, Vote: practicetest.Pick(w, approval.Approve, approval.Approve, approval.Approve, approval.Approve, approval.Abstain, approval.Reject), Comment: why}
		if w.Actor != turn.Person {
			v.For = turn.Person
		}
		often(5, v)
		all = append(all, request.Delegate{Approval: one.Number, To: practicetest.Pick(w, "bob", "ann")})
		break
	}
	working := is(request.AwaitingApproval, request.Assigned, request.InFulfilment, request.OnHold)
	for _, t := range r.Tasks {
		if !working && t.Undoes == 0 || is(request.Draft, request.Submitted, request.Approved) {
			continue
		}
		switch t.State {
		case request.TaskReady:
			often(3, request.StartTask{Task: t.Number}, request.CompleteTask{Task: t.Number, Result: practicetest.Pick(w, "free", "free", "taken")})
			all = append(all, request.AssignTask{Task: t.Number, Group: "desk"}, request.TrackTask{Task: t.Number, Record: itsm.Ref{Kind: "change", ID: "c"}})
		case request.TaskRunning:
			often(6, request.CompleteTask{Task: t.Number, Result: practicetest.Pick(w, "free", "free", "taken")})
			all = append(all, request.FailTask{Task: t.Number, Reason: why}, request.SkipTask{Task: t.Number, Reason: why})
		case request.TaskFailed:
			all = append(all, request.RetryTask{Task: t.Number}, request.SkipTask{Task: t.Number, Reason: why})
		default:
		}
	}
	until := w.Clock.Now().Add(time.Duration(1+w.IntN(200)) * time.Hour)
	for _, i := range r.Items {
		switch {
		case i.Outcome == request.Open && is(request.Assigned, request.InFulfilment, request.OnHold):
			all = append(all, request.CancelItem{Item: i.Number, Reason: why}, request.FulfilItem{Item: i.Number}, request.AddTask{Item: i.Number, Title: why, Undo: undo(w)})
		case (i.Outcome == request.Complete || i.Outcome == request.WithIssues) && is(request.InFulfilment, request.Fulfilled, request.Closed):
			all = append(all, request.ReturnItem{Item: i.Number, Reason: why})
			if !i.Until.IsZero() {
				often(3, request.Extend{Item: i.Number, Until: i.Until.Add(time.Duration(1+w.IntN(400)) * time.Hour)})
			}
		}
	}
	switch r.State {
	case request.Draft, request.Rejected:
		often(6, request.Submit{}, request.Revise{Title: why, Lines: []request.Line{practicetest.Pick(w, chair, folder("read", ""), folder("write", ""), laptop("dock"))}})
	case request.Submitted, request.Approved:
		often(4, request.Start{}, request.Assign{Group: "desk", Person: "mia"})
	case request.Assigned, request.InFulfilment:
		often(2, request.Start{}, request.Fulfil{}, request.Assign{Group: practicetest.Pick(w, "desk", "second line")})
		all = append(all, request.SeekApproval{Policy: "budget"}, ship{Parcel: why}, request.Escalate{To: "head", Reason: why}, request.LogTime{Spent: time.Minute},
			request.AddTask{Title: why}, request.PutOnHold{Reason: request.AwaitingVendor, Until: until})
	case request.OnHold:
		often(5, request.Resume{})
	case request.Fulfilled:
		often(2, request.Close{}, request.Rate{Score: 1 + w.IntN(5)}, request.Reopen{Reason: why}, request.RejectFulfilment{Reason: why, Group: "desk"})
	}
	all = slices.DeleteFunc(all, func(a action) bool {
		_, ok := w.Practice.Lifecycle().Can(r.State, a.Action())
		return !ok || slices.Contains(r.Without, a.Action())
	})
	if len(all) == 0 {
		return request.Note{Text: why, Public: true}
	}
	return practicetest.Pick(w, all...)
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
func sound(w *world, r *request.Request, ok func(bool, string)) {
	is := func(states ...itsm.State) bool { return slices.Contains(states, r.State) }
	ok((r.Hold != request.Hold{}) == is(request.OnHold), "it has a hold exactly while it is on hold")
	ok((r.Rejection != "") == is(request.Rejected), "it says why exactly while it is rejected")
	ok((r.Completion != request.Open) == is(request.Fulfilled, request.Closed, request.Cancelled, request.Rejected), "it has a completion exactly when it has ended")
	ok(!r.Milestones.Fulfilled.IsZero() == is(request.Fulfilled, request.Closed) || is(request.Cancelled), "what is fulfilled says when")
	ok(r.CloseAt.IsZero() || is(request.Fulfilled), "only what is fulfilled will close by itself")
	approved := true
	for i, a := range r.Approvals {
		ok(a.Number == i+1, "approvals are numbered")
		d, err := approval.Decide(a.Electorate, a.Ballots, latest(w.Clock.Now(), a))
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
				ok(s == request.TaskDone || s == request.TaskSkipped || w.Done["skip_task"]+w.Done["add_task"] > 0, "what it needs had ended well")
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
	if cancel, can := w.Practice.Lifecycle().Can(r.State, "cancel"); !w.Practice.Lifecycle().IsEnd(r.State) {
		ok(can && w.Practice.Lifecycle().IsEnd(cancel), "what is open can be cancelled")
		if w.OneIn(20) {
			_, err := w.Practice.Check(mia, r.ID, request.Cancel{Reason: "r"})
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

// audit proves that the time that was logged is that of the history, and that a replay
// needs no configuration: not even a catalogue.
func audit(w *world) {
	cfg := request.Config{Lifecycle: w.Practice.Lifecycle()}
	if cfg.Lifecycle.Has("awaiting_delivery") {
		cfg.Actions = []action{ship{}}
	}
	bare, err := request.NewPractice(w.Store, cfg)
	w.Check(err, "making the practice of a host that knows only the actions")
	for _, id := range w.IDs {
		stored := w.Record(id)
		again, err := bare.Replay(bare.History(mia, id))
		w.Check(err, "replaying without a catalogue")
		again.Due = stored.Due // which only the practice's own lifecycle tells
		w.Same(stored, again, "replay without a catalogue")
		var spent time.Duration
		for _, e := range w.Events(id) {
			a, err := w.Practice.Done(e)
			w.Check(err, "reading an event")
			if l, ok := a.(request.LogTime); ok {
				spent += l.Spent
			}
		}
		w.Same(spent, stored.TimeSpent, "the time spent")
	}
}

// Whatever is done, in whatever order and with whatever input, under whatever policy:
// what is true of every practice is true of this one, and what must be true of a request
// is.
func TestHistoryIsTheRecord(t *testing.T) {
	var hosts []practicetest.Host[request.Request]
	for _, cfg := range configs(t) {
		hosts = append(hosts, host(t, cfg, new(*request.Practice)))
	}
	practicetest.Test(t, practicetest.Harness[request.Request]{
		Create: newOrder, Action: anyAction, Sound: sound, Audit: audit, Actors: []string{"mia", "jin", "lee", "kim", "ann", "bot"}, Actions: 101_000,
	}, hosts...)
}

// Several hosts run what is due at the same time: each thing happens once.
func TestDueOnManyHosts(t *testing.T) {
	d := newDesk(t, request.Config{})
	var ids []itsm.ID
	for range 10 {
		ids = append(ids, d.order(folder("read", "2026-03-03")).ID)
		d.Did(bot, ids[len(ids)-1], request.CompleteTask{Task: 1})
	}
	require.Equal(t, len(ids), d.DueAtOnce(72*time.Hour, host(t, request.Config{}, new(*request.Practice))))
	for _, id := range ids {
		require.Equal(t, []string{"order", "submit", "approve", "begin", "run_task", "complete_task", "auto_fulfil", "expire", "run_task"}, d.Story(id))
		d.Replays(id)
	}
}

// Clocks of agreements follow: what others decide is not the desk's time.
func TestAgreements(t *testing.T) {
	d := newDesk(t, request.Config{Agreements: agreements(t)})
	r := d.order(laptop())
	d.Due(24 * time.Hour)
	r = d.Did(kim, r.ID, approve)
	target, ok := r.Targets.Find("all", "fulfilment")
	require.True(t, ok)
	c, err := d.Clock(target)
	require.NoError(t, err)
	require.Zero(t, c.At(d.Time.Now()).Elapsed.Round(time.Minute), "the approval took a day, which is not counted")
	require.Equal(t, []string{"order", "submit", "move_clocks", "seek_approval", "move_clocks", "vote", "approve", "move_clocks"}, d.Story(r.ID))
	d.Due(14 * time.Hour) // 75 % of two working days
	d.Due(48 * time.Hour)
	r = d.Record(r.ID)
	require.Equal(t, "second line", r.Assignment.Group)
	results, err := d.Results(mia, r.ID, d.Time.Now())
	require.NoError(t, err)
	require.Len(t, results, 2)
	_, err = d.Results(mia, "req-9", d.Time.Now())
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
	d.Did(kim, r.ID, approve)
	r = d.Did(mia, r.ID, request.Assign{Group: "desk", Person: "mia"}, request.PutOnHold{Reason: request.AwaitingStock}, request.Resume{}, request.Start{}, request.Note{Text: "soon", Public: true},
		request.CompleteTask{Task: 1}, request.CompleteTask{Task: 2}, request.CompleteTask{Task: 4}, request.Close{})
	for name := range facts {
		_, ok := r.Targets.Find(name, "m")
		require.True(t, ok, name)
	}
	_, ok := r.Targets.Find("wrong", "m")
	require.False(t, ok)
	d.Did(jin, r.ID, request.Note{Text: "thanks", Public: true})
	r = d.Record(r.ID)
	_, ok = r.Targets.Find("wrong", "m")
	require.True(t, ok, "the requester has written")

	// The same practice over another store knows nothing of it.
	_, err = d.Over(memory.New[request.Request]()).Get(mia, r.ID)
	require.ErrorIs(t, err, itsm.ErrNotFound)
	require.Error(t, request.Model{}.Validate())
}
