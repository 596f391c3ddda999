package request_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/approval"
	"github.com/go-itsm/itsm/incident"
	"github.com/go-itsm/itsm/practicetest"
	"github.com/go-itsm/itsm/request"
	"github.com/go-itsm/itsm/sla"
	"github.com/go-itsm/itsm/storage/memory"
)

// From order over approval and tasks to the end: each step is in the history, and
// the last task fulfils.
func TestALaptop(t *testing.T) {
	d := newDesk(t, request.Config{AutoClose: request.After(72 * time.Hour)})
	r := d.order(laptop("dock", "large"))
	require.Equal(t, request.AwaitingApproval, r.State)
	require.Equal(t, "1550.50 EUR + 9.90 EUR a month", r.Price.String())
	require.Equal(t, 2, r.Items[0].Version)
	// The requester is among the managers, and has no vote on their own request.
	d.Refuse(jin, r.ID, approve, "jin is excluded as requester")
	d.Refuse(mia, r.ID, request.Start{}, `action "start" is not permitted in state "awaiting_approval", from which lead on: cancel, hold, reclassify`)
	r = d.Did(kim, r.ID, approve)
	require.Equal(t, request.Approved, r.State)
	r = d.Did(mia, r.ID, request.Assign{Group: "desk"}, request.Start{})
	require.Equal(t, []request.TaskState{"ready", "waiting", "waiting", "waiting"}, states(r))
	d.Refuse(mia, r.ID, request.CompleteTask{Task: 2}, "task 2 is waiting")
	d.Refuse(mia, r.ID, request.Fulfil{}, "4 of its tasks are open")
	r = d.Did(mia, r.ID, request.CompleteTask{Task: 1}, request.StartTask{Task: 3}, request.CompleteTask{Task: 3}, request.CompleteTask{Task: 2}, request.CompleteTask{Task: 4})
	require.Equal(t, request.Fulfilled, r.State)
	require.Equal(t, request.Complete, r.Completion)
	require.Equal(t, 1, d.Due(72*time.Hour))
	require.Equal(t, request.Closed, d.Record(r.ID).State)
	require.Equal(t, []string{"order", "submit", "seek_approval", "vote", "approve", "assign", "start", "complete_task", "start_task",
		"complete_task", "complete_task", "complete_task", "auto_fulfil", "auto_close"}, d.Story(r.ID))
	// What was granted for a time ends, though the request is closed: what was done
	// is taken back, the last first.
	require.Equal(t, 1, d.Due(1000*time.Hour))
	r = d.Record(r.ID)
	require.Equal(t, request.Closed, r.State)
	require.Equal(t, 3, r.Undoing())
	var undone []int
	for _, task := range r.Tasks[4:] {
		undone = append(undone, task.Undoes)
	}
	require.Equal(t, []int{4, 2, 1}, undone)
	require.Equal(t, []request.TaskState{"ready", "waiting", "waiting"}, states(r)[4:])
	d.Refuse(mia, r.ID, request.RetryTask{Task: 1}, "no task is failed")
	r = d.Did(mia, r.ID, request.CompleteTask{Task: 5}, request.FailTask{Task: 6, Reason: "lost"})
	require.Equal(t, request.TaskWaiting, r.Task(7).State, "in order")
	r = d.Did(mia, r.ID, request.RetryTask{Task: 6}, request.CompleteTask{Task: 6}, request.CompleteTask{Task: 7})
	require.False(t, r.Items[0].Return.Done.IsZero())
	require.Zero(t, r.Undoing())
	require.Equal(t, request.Closed, r.State)
	require.Zero(t, r.Due)
}

// Where the models are automatic, ordering is all that a person does: the history
// tells the automation what to run.
func TestAutomation(t *testing.T) {
	d := newDesk(t, request.Config{})
	line := account()
	line.Values["first_day"] = []byte(`"2026-03-09"`)
	r := d.order(line)
	require.Equal(t, request.InFulfilment, r.State)
	require.Equal(t, []string{"order", "submit", "approve", "begin", "run_task"}, d.Story(r.ID))
	var run request.RunTask
	for e, err := range d.History(bot, r.ID) {
		require.NoError(t, err)
		if e.Action == "run_task" {
			a, err := d.Done(e)
			require.NoError(t, err)
			run = a.(request.RunTask)
		}
	}
	require.Equal(t, request.RunTask{Task: 1, Automation: "find_account", Key: "check", Recipient: "jin", Offering: "account", Quantity: 1, Values: line.Values}, run)
	r = d.Did(bot, r.ID, request.CompleteTask{Task: 1, Result: "free"}, request.CompleteTask{Task: 2, Result: "jin"})
	// The greeting waits for the first day, which begins at midnight in Berlin.
	require.Equal(t, []request.TaskState{"done", "done", "waiting"}, states(r))
	require.Equal(t, time.Date(2026, 3, 8, 23, 0, 0, 0, time.UTC), r.Due)
	require.Equal(t, 1, d.Due(r.Due.Sub(d.Time.Now())))
	r = d.Record(r.ID)
	require.Equal(t, request.TaskReady, r.Task(3).State)
	require.Equal(t, 1, d.Due(5*time.Hour))
	r = d.Record(r.ID)
	require.True(t, r.Task(3).Missed)
	r = d.Did(mia, r.ID, request.CompleteTask{Task: 3})
	require.Equal(t, request.Fulfilled, r.State)

	// Where the name is taken, no account is created, and what needs it goes on.
	r = d.order(account())
	r = d.Did(bot, r.ID, request.CompleteTask{Task: 1, Result: "taken"})
	require.Equal(t, []request.TaskState{"done", "skipped", "ready"}, states(r))
}

// A standard change is started by the request through a link; that the requester may
// have it is shown, and not asked again.
func TestStandardChange(t *testing.T) {
	d := newDesk(t, request.Config{})
	r := d.Did(kim, d.order(folder("write", "")).ID, approve)
	require.Equal(t, request.InFulfilment, r.State)
	require.Equal(t, request.TaskRunning, r.Task(1).State)
	change, err := r.StandardChange(1)
	require.NoError(t, err)
	require.Equal(t, request.StandardChange{Template: "std-access", Title: "Open the folder", Requester: "jin", Recipient: "jin", Service: "files",
		Request: itsm.Ref{Kind: "request", ID: r.ID}, Task: 1, Approvals: []request.ApprovalGiven{{Policy: "manager", By: []string{"kim"}}}}, change)
	to := itsm.Ref{Kind: "change", ID: "chg-7"}
	r = d.Did(bot, r.ID, request.TrackTask{Task: 1, Record: to}, request.CompleteTask{Task: 1})
	require.Equal(t, &to, r.Task(1).Record)
	require.Equal(t, []itsm.Link{{Rel: request.FulfilledBy, To: to}}, r.Links)
	require.Equal(t, request.Fulfilled, r.State)
	_, err = r.StandardChange(9)
	require.ErrorIs(t, err, itsm.ErrInvalid)
	// Reading needs no approval.
	require.Equal(t, request.InFulfilment, d.order(folder("read", "")).State)
}

// Votes: refusal, deadline, delegation, budget.
func TestApprovals(t *testing.T) {
	t.Run("Refused", func(t *testing.T) {
		d := newDesk(t, request.Config{})
		r := d.Did(kim, d.order(laptop()).ID, request.Vote{Vote: approval.Reject, Comment: "no money"})
		require.Equal(t, request.Rejected, r.State)
		require.Equal(t, "manager is rejected", r.Rejection)
		r = d.Did(jin, r.ID, request.Revise{Title: "A chair then", Lines: []request.Line{chair}}, request.Submit{})
		require.Equal(t, request.Approved, r.State)
		require.Empty(t, r.Rejection)
		require.Len(t, r.Items, 1)
	})
	t.Run("Expired", func(t *testing.T) {
		d := newDesk(t, request.Config{})
		r := d.order(laptop())
		require.Equal(t, morning.Add(48*time.Hour), r.Due)
		require.Equal(t, 1, d.Due(48*time.Hour))
		r = d.Record(r.ID)
		require.Equal(t, request.Rejected, r.State)
		require.Equal(t, "manager is expired", r.Rejection)
	})
	t.Run("Budget", func(t *testing.T) {
		d := newDesk(t, request.Config{})
		line := laptop()
		line.Quantity = 2
		r := d.order(line)
		require.Len(t, r.Approvals, 2)
		d.Refuse(kim, r.ID, approve, "approval must be given: 2 are open")
		d.Did(kim, r.ID, request.Vote{Approval: 1, Vote: approval.Approve})
		d.Refuse(kim, r.ID, request.Vote{Approval: 1, Vote: approval.Reject}, "approval 1 is approved")
		d.Refuse(kim, r.ID, approve, "kim has no vote")
		d.Refuse(kim, r.ID, request.Vote{Approval: 7}, "approval must be the number of an approval, is 7")
		d.Refuse(kim, r.ID, request.Delegate{To: "bob"}, "kim is not asked for a vote")
		lee, ann, bob := itsm.As(context.Background(), "lee"), itsm.As(context.Background(), "ann"), itsm.As(context.Background(), "bob")
		d.Refuse(lee, r.ID, request.Delegate{To: "lee"}, "delegations[0].to must be somebody else")
		d.Did(lee, r.ID, request.Delegate{To: "bob"})
		d.Did(ann, r.ID, approve)
		decision, err := d.Decision(mia, r.ID, 2, d.Time.Now())
		require.NoError(t, err)
		require.Equal(t, []approval.Turn{{Person: "lee", By: []string{"lee", "bob"}}}, decision.Needed.May)
		_, err = d.Decision(mia, r.ID, 3, d.Time.Now())
		require.ErrorIs(t, err, itsm.ErrInvalid)
		r = d.Did(bob, r.ID, request.Vote{Vote: approval.Approve, For: "lee"})
		require.Equal(t, request.Approved, r.State)
	})
	t.Run("Further", func(t *testing.T) {
		d := newDesk(t, request.Config{})
		r := d.Did(mia, d.Did(kim, d.order(laptop()).ID, approve).ID, request.Start{}, request.CompleteTask{Task: 1})
		d.Refuse(mia, r.ID, request.SeekApproval{}, "policy must not be empty")
		d.Refuse(mia, r.ID, request.SeekApproval{Policy: "x"}, `policy is no policy of the catalogue: "x"`)
		d.Refuse(mia, r.ID, request.SeekApproval{Policy: "budget", Items: []int{4}}, "items[0] must be the number of an item, is 4")
		r = d.Did(mia, r.ID, request.SeekApproval{Policy: "budget", Items: []int{1}, Reason: "dearer"})
		require.Equal(t, request.AwaitingApproval, r.State)
		r = d.Did(mia, r.ID, request.PutOnHold{Reason: request.AwaitingVendor})
		d.Refuse(mia, r.ID, request.Assign{Group: "desk"}, "approval 2, budget, is not given")
		r = d.Did(mia, r.ID, request.Resume{})
		require.Equal(t, request.AwaitingApproval, r.State)
		lee, ann := itsm.As(context.Background(), "lee"), itsm.As(context.Background(), "ann")
		again := d.Did(ann, d.Did(lee, r.ID, approve).ID, approve)
		require.Equal(t, request.InFulfilment, again.State)
		// Refused in mid-work, what was done is taken back.
		d.Did(mia, r.ID, request.SeekApproval{Policy: "budget"})
		r = d.Did(ann, r.ID, request.Vote{Vote: approval.Reject})
		require.Equal(t, request.Rejected, r.State)
		require.Equal(t, 1, r.Undoing())
		d.Refuse(jin, r.ID, request.Submit{}, "its fulfilment had begun: order it anew")
	})
}

// Where votes may change until a deadline it is waited for, and the silent count as
// their policy says: one early acceptance never hides a later refusal.
func TestVotesThatChange(t *testing.T) {
	spec := officeSpec()
	spec.Policies["manager"] = approval.Policy{Rule: approval.Rule{Need: approval.All, Of: approval.Persons("kim", "lee")},
		Recount: true, Within: 24 * time.Hour, Silence: approval.Approve}
	catalogue, err := request.NewCatalogue(spec)
	require.NoError(t, err)
	d := newDesk(t, request.Config{Catalogue: catalogue})
	lee := itsm.As(context.Background(), "lee")
	changed, silent := d.order(laptop()).ID, d.order(laptop()).ID
	require.Equal(t, request.AwaitingApproval, d.Did(lee, d.Did(kim, changed, approve).ID, approve).State, "it may still change")
	d.Did(kim, changed, request.Vote{Vote: approval.Reject})
	d.Did(kim, silent, approve)
	require.Equal(t, 2, d.Due(24*time.Hour))
	require.Equal(t, request.Rejected, d.Record(changed).State)
	require.Equal(t, request.Approved, d.Record(silent).State)
	d.Replays(changed)
	d.Replays(silent)
}

// Cancelling takes back what was done, the last first, and what was being done.
func TestCancelTakesBack(t *testing.T) {
	d := newDesk(t, request.Config{})
	r := d.Did(mia, d.Did(kim, d.order(laptop(), folder("read", "2026-12-31")).ID, approve).ID, request.Start{},
		request.CompleteTask{Task: 1}, request.CompleteTask{Task: 2}, request.StartTask{Task: 4})
	require.Equal(t, request.TaskRunning, r.Task(5).State, "the folder runs by itself")
	r = d.Did(mia, r.ID, request.Cancel{Reason: "left"})
	require.Equal(t, request.Cancelled, r.State)
	require.Equal(t, request.Withdrawn, r.Completion)
	require.Equal(t, []request.TaskState{"done", "done", "skipped", "cancelled", "cancelled", "running", "waiting", "waiting", "waiting"}, states(r))
	var undone []int
	for _, task := range r.Tasks[5:] {
		undone = append(undone, task.Undoes)
	}
	require.Equal(t, []int{5, 4, 2, 1}, undone)
	d.Refuse(mia, r.ID, request.CompleteTask{Task: 4}, "task 4 is not open any more: the request is cancelled")
	r = d.Did(mia, r.ID, request.CompleteTask{Task: 6}, request.SkipTask{Task: 7, Reason: "never handed over"}, request.CompleteTask{Task: 8}, request.CompleteTask{Task: 9})
	require.Zero(t, r.Undoing())
	require.Equal(t, request.Cancelled, r.State)
}

// Some of it: one item cancelled leaves issues, all of them cancel.
func TestPartialFulfilment(t *testing.T) {
	d := newDesk(t, request.Config{})
	r := d.order(chair, chair, chair)
	r = d.Did(mia, r.ID, request.Start{}, request.CompleteTask{Task: 1}, request.CancelItem{Item: 2, Reason: "enough"}, request.FailTask{Task: 3, Reason: "sold out"})
	require.Equal(t, []request.Outcome{request.Complete, request.Withdrawn, request.Failed}, outcomes(r))
	require.Equal(t, request.Fulfilled, r.State)
	require.Equal(t, request.WithIssues, r.Completion)
	// Not what was ordered: the work is taken up again.
	d.Refuse(jin, r.ID, request.CancelItem{Item: 1, Reason: "r"}, `action "cancel_item" is not permitted in state "fulfilled", from which lead on: cancel, close, reclassify, reject_fulfilment, reopen`)
	r = d.Did(jin, r.ID, request.RejectFulfilment{Reason: "one is missing"})
	require.Equal(t, request.Assigned, r.State)
	r = d.Did(mia, r.ID, request.Start{})
	require.Equal(t, request.InFulfilment, r.State)
	d.Refuse(mia, r.ID, request.AddTask{Item: 2, Title: "t"}, "item 2 is not wanted any more")
	r = d.Did(mia, r.ID, request.RetryTask{Task: 3}, request.AddTask{Item: 3, Title: "Call the other shop", Needs: []int{3}}, request.CompleteTask{Task: 3})
	require.Equal(t, request.Open, r.Outcome())
	r = d.Did(mia, r.ID, request.CompleteTask{Task: 4})
	require.Equal(t, request.WithIssues, r.Completion)
	require.Equal(t, request.Complete, r.Items[2].Outcome)
	require.Equal(t, 1, r.Reopens)

	r = d.order(chair, chair)
	r = d.Did(mia, r.ID, request.CancelItem{Item: 1, Reason: "r"}, request.CancelItem{Item: 2, Reason: "r"})
	require.Equal(t, request.Cancelled, r.State)
	require.Equal(t, "auto_cancel", d.Story(r.ID)[len(d.Story(r.ID))-1])

	// What needs a failed task is given up, and comes back with it.
	r = d.Did(mia, d.Did(kim, d.order(laptop(), chair).ID, approve).ID, request.Start{}, request.FailTask{Task: 1, Reason: "r"})
	require.Equal(t, []request.TaskState{"failed", "cancelled", "cancelled", "cancelled", "ready"}, states(r))
	require.Equal(t, request.Failed, r.Items[0].Outcome)
	r = d.Did(mia, r.ID, request.RetryTask{Task: 1})
	require.Equal(t, []request.TaskState{"ready", "waiting", "waiting", "waiting", "ready"}, states(r))
	r = d.Did(mia, r.ID, request.FailTask{Task: 1, Reason: "r"}, request.SkipTask{Task: 1, Reason: "had one"})
	require.Equal(t, []request.TaskState{"skipped", "ready", "skipped", "waiting", "ready"}, states(r))
}

// A bundle is several items with the values of its form.
func TestBundle(t *testing.T) {
	d := newDesk(t, request.Config{})
	values := itsm.Fields{"login": []byte(`"newbie"`), "until": []byte(`"2026-06-30"`), "first_day": []byte(`"2026-03-02"`)}
	r := d.order(request.Line{Offering: "start", Values: values})
	require.Len(t, r.Items, 3)
	require.Equal(t, "1360.50 EUR + 9.90 EUR a month", r.Price.String())
	require.Equal(t, itsm.Fields{"login": values["login"], "first_day": values["first_day"]}, r.Items[0].Values)
	require.Equal(t, []string{"dock"}, r.Items[1].Options)
	// The end of the last day, in Berlin's summer.
	require.Equal(t, time.Date(2026, 6, 30, 22, 0, 0, 0, time.UTC), r.Items[2].Until)
	require.Equal(t, []int{2}, r.Approvals[0].Items)

	r = d.order(request.Line{Offering: "start", Values: values, Leave: []string{"laptop"}})
	require.Len(t, r.Items, 2)
	require.Equal(t, request.InFulfilment, r.State)
	r = d.Did(bot, r.ID, request.CompleteTask{Task: 4}, request.CompleteTask{Task: 1, Result: "free"}, request.CompleteTask{Task: 2}, request.CompleteTask{Task: 3})
	require.Equal(t, request.Fulfilled, r.State)
	r = d.Did(jin, r.ID, request.ReturnItem{Item: 1, Reason: "leaving early"})
	require.Equal(t, request.TaskRunning, r.Task(5).State)
	d.Refuse(jin, r.ID, request.ReturnItem{Item: 1, Reason: "r"}, "item 1 is not delivered and not returned")
	require.Equal(t, 2, d.Due(r.Due.Sub(d.Time.Now())), "and the approval of the other request expires")
	r = d.Record(r.ID)
	require.Equal(t, "expired", r.Items[1].Return.Reason)
	require.Equal(t, "std-access-off", r.Task(6).Change)
}

// Everything that is wrong with an order is told at once, and nothing is stored.
func TestBadOrders(t *testing.T) {
	d := newDesk(t, request.Config{})
	_, err := d.Order(jin, request.Order{Lines: []request.Line{
		{Offering: "rocket"},
		{Offering: "laptop", Version: 1},
		{Offering: "laptop", Quantity: 4, Options: []string{"small", "large", "gold", "small"}, Values: itsm.Fields{"system": []byte(`7`), "which": []byte(`"x"`), "colour": []byte(`"red"`)}},
		{Offering: "start", Values: itsm.Fields{"until": []byte(`"yesterday"`)}, Leave: []string{"account", "moon"}},
		{Offering: "folder", Values: itsm.Fields{"level": []byte(`"read"`), "until": []byte(`"2026-03-01"`)}},
	}})
	require.ErrorIs(t, err, itsm.ErrInvalid)
	require.Subset(t, practicetest.Said(err), []string{
		`lines[0].offering is not in the catalogue: "rocket"`,
		`lines[1].offering is not published: laptop@1`,
		`lines[2].quantity must be at most 3`,
		`lines[2].values.system must be text`,
		`lines[2].values.which must not be given: it is asked only where system other`,
		`lines[2].values.colour is not a variable of the form`,
		`lines[2].options[1] cannot be chosen beside "small": only one of size can`,
		`lines[2].options[2] is no option of laptop: "gold"`,
		`lines[2].options[3] is there twice: "small"`,
		`lines[3].values.login must be given`,
		`lines[3].values.until must be a date such as 2026-03-29`,
		`lines[3].leave[0] must not be left out: account`,
		`lines[3].leave[1] is no component of start: "moon"`,
		`lines[4].values.until must not be over already`,
	})
	// Who may not order is told so; who does not see it is not told that it is there.
	guest := itsm.As(context.Background(), "guest")
	_, err = d.Order(guest, request.Order{Lines: []request.Line{laptop(), folder("read", ""), account()}})
	require.Equal(t, []string{"guest may not order laptop", `lines[1].offering is not in the catalogue: "folder"`, "guest is not eligible for account"}, practicetest.Said(err))
	_, err = d.Order(jin, request.Order{Title: "", Links: []itsm.Link{{}}, Origin: &itsm.Ref{}})
	require.Equal(t, []string{"title or lines must be given", "origin.kind must not be empty", "origin.id must not be empty", "links[0].rel must not be empty", "links[0].to.kind must not be empty", "links[0].to.id must not be empty"}, practicetest.Said(err))
	page, err := d.List(mia, itsm.Query{})
	require.NoError(t, err)
	require.Empty(t, page.Records)
	// A draft may be incomplete, but not wrong.
	_, err = d.Order(jin, request.Order{Draft: true, Lines: []request.Line{{Offering: "account", Values: itsm.Fields{"login": []byte(`7`)}}}})
	require.Equal(t, []string{"lines[0].values.login must be text"}, practicetest.Said(err))
	r, err := d.Order(jin, request.Order{Draft: true, Lines: []request.Line{{Offering: "account"}}})
	require.NoError(t, err)
	d.Refuse(jin, r.ID, request.Submit{}, "lines[0].values.login must be given")
	r = d.Did(jin, r.ID, request.Revise{Lines: []request.Line{account()}, Recipient: "mia"}, request.Submit{})
	require.Equal(t, "An account", r.Title)
	require.Equal(t, "mia", r.Recipient)
}

func TestHostErrors(t *testing.T) {
	down := errors.New("the directory is down")
	d := newDesk(t, request.Config{Directory: func(context.Context, string) (sla.Facts, error) { return nil, down }})
	for _, line := range []request.Line{laptop(), account()} {
		_, err := d.Order(jin, request.Order{Lines: []request.Line{line}})
		require.ErrorIs(t, err, down)
	}
	_, err := d.Offers(jin, "jin")
	require.ErrorIs(t, err, down)
	d = newDesk(t, request.Config{Approvers: func(context.Context, request.Request, approval.Kind, string) ([]string, error) { return nil, down }})
	_, err = d.Order(jin, request.Order{Lines: []request.Line{laptop()}})
	require.ErrorIs(t, err, down)
	d = newDesk(t, request.Config{Approvers: func(context.Context, request.Request, approval.Kind, string) ([]string, error) {
		return []string{"jin"}, nil
	}})
	_, err = d.Order(jin, request.Order{Lines: []request.Line{laptop()}})
	require.ErrorIs(t, err, itsm.ErrNotAllowed, "nobody is left who may approve")
}

func TestOffers(t *testing.T) {
	d := newDesk(t, request.Config{})
	see := func(person string) map[string]bool {
		offers, err := d.Offers(mia, person)
		require.NoError(t, err)
		all := map[string]bool{}
		for o := range offers {
			require.Equal(t, request.Published, o.Offering.Status)
			all[o.Offering.Name] = o.Orderable
		}
		return all
	}
	require.Equal(t, map[string]bool{"question": true, "chair": true, "account": true, "laptop": true, "folder": true, "start": true}, see("jin"))
	require.Equal(t, map[string]bool{"question": true, "chair": true, "account": true, "laptop": false, "start": true}, see("guest"))
}

// What a model does not have is refused, and said beforehand.
func TestModelsWithout(t *testing.T) {
	d := newDesk(t, request.Config{})
	r := d.order(request.Line{Offering: "question"})
	require.Equal(t, request.Approved, r.State)
	d.Refuse(mia, r.ID, request.PutOnHold{Reason: "x"}, `its model does not have "hold"`)
	r = d.Did(mia, r.ID, request.Note{Text: "42", Public: true}, request.Fulfil{})
	require.Equal(t, request.Complete, r.Items[0].Outcome)
	_, err := d.Order(jin, request.Order{Lines: []request.Line{{Offering: "question"}, laptop()}})
	require.Equal(t, []string{"lines cannot be ordered so: something has to be approved, which a model does not permit"}, practicetest.Said(err))
}

// A request for which there is no offering is one that people see to.
func TestWithoutOffering(t *testing.T) {
	d := newDesk(t, request.Config{ReopenWindow: 24 * time.Hour})
	r := d.order()
	require.Equal(t, request.Submitted, r.State)
	r = d.Did(mia, r.ID, request.PutOnHold{Reason: request.AwaitingRequester, Until: d.Time.Now().Add(time.Hour)})
	require.Equal(t, request.Submitted, d.Did(jin, r.ID, request.Note{Text: "here", Public: true}).State)
	d.Did(mia, r.ID, request.PutOnHold{Reason: request.AwaitingVendor, Until: d.Time.Now().Add(time.Hour)})
	require.Equal(t, 1, d.Due(time.Hour))
	r = d.Did(mia, r.ID, request.Start{}, request.AddTask{Title: "Ask around"}, request.CompleteTask{Task: 1})
	require.Equal(t, request.Fulfilled, r.State)
	r = d.Did(mia, r.ID, request.Close{}, request.Rate{Score: 4}, request.Reopen{Reason: "no"}, request.AddTask{Title: "Ask again"})
	require.Equal(t, request.InFulfilment, r.State)
	r = d.Did(mia, r.ID, request.SkipTask{Task: 2, Reason: "r"}, request.Close{})
	d.Time.Advance(25 * time.Hour)
	d.Refuse(jin, r.ID, request.Reopen{Reason: "r"}, "it was closed 25h0m0s ago; it can be reopened within 24h0m0s")
	require.Equal(t, request.Rejected, d.Did(mia, d.order().ID, request.Reject{Reason: "not ours"}).State)
	r = d.Did(mia, d.order().ID, request.Fulfil{})
	require.Equal(t, request.Complete, r.Completion)
	var texts []string
	for e, err := range d.Journal(mia, "req-1", true) {
		require.NoError(t, err)
		texts = append(texts, e.Text)
	}
	require.Equal(t, []string{"here"}, texts)
}

// Both ways round, linked, and nothing is lost.
func TestFiledByMistake(t *testing.T) {
	d := newDesk(t, request.Config{})
	help, err := incident.NewPractice(memory.New[incident.Incident](), incident.Config{Config: itsm.Config{Now: d.Time.Now, NewID: practicetest.Serial()}})
	require.NoError(t, err)
	r := d.order(laptop())
	d.Did(mia, r.ID, request.SetFields{Fields: itsm.Fields{"room": []byte("7")}}, request.Link{Link: itsm.Link{Rel: "about", To: itsm.Ref{Kind: "ci", ID: "pc-1"}}})
	r = d.Record(r.ID)
	m := r.Misfiled()
	inc, err := help.Open(mia, incident.Report{Title: m.Title, Description: m.Description, Caller: m.Requester, Channel: m.Channel, Service: m.Service, Detected: m.Opened, Fields: m.Fields})
	require.NoError(t, err)
	for _, l := range m.Links {
		inc, err = help.Do(mia, inc.ID, incident.Link{Link: l})
		require.NoError(t, err)
	}
	r = d.Did(mia, r.ID, request.Reclassify{To: itsm.Ref{Kind: "incident", ID: inc.ID}, Reason: "it is broken"})
	require.Equal(t, request.Cancelled, r.State)
	require.Contains(t, r.Links, itsm.Link{Rel: request.ReclassifiedAs, To: itsm.Ref{Kind: "incident", ID: inc.ID}})
	require.Contains(t, inc.Links, itsm.Link{Rel: request.ReclassifiedFrom, To: itsm.Ref{Kind: "request", ID: r.ID}})
	require.Contains(t, inc.Links, itsm.Link{Rel: "about", To: itsm.Ref{Kind: "ci", ID: "pc-1"}})
	require.Equal(t, "jin", inc.Caller)
	var lines []request.Line
	require.NoError(t, inc.Fields.Get("request_lines", &lines))
	require.Equal(t, r.Lines, lines)

	from := itsm.Ref{Kind: "incident", ID: inc.ID}
	back, err := d.Order(mia, request.Order{Title: inc.Title, Description: inc.Description, Requester: inc.Caller, Channel: inc.Channel,
		Fields: inc.Fields, Links: inc.Links, Lines: lines, Origin: &from})
	require.NoError(t, err)
	require.Contains(t, back.Links, itsm.Link{Rel: request.ReclassifiedFrom, To: from})
	require.Equal(t, request.AwaitingApproval, back.State)
	d.Refuse(mia, back.ID, request.Unlink{Link: itsm.Link{Rel: request.ReclassifiedFrom, To: from}}, "rel must not be reclassified_from, which only the practice sets")
}

// A closed request stays closed unless the host says for how long not.
func TestClosedStaysClosed(t *testing.T) {
	d := newDesk(t, request.Config{})
	r := d.Did(mia, d.order().ID, request.Fulfil{}, request.Close{})
	d.Refuse(jin, r.ID, request.Reopen{Reason: "r"}, "a closed request is not reopened here")
}

// What was granted is extended: with votes where the offering says so, beside the state,
// and only as far and as often as was agreed.
func TestExtension(t *testing.T) {
	granted := func(t *testing.T) (*desk, request.Request) {
		d := newDesk(t, request.Config{AutoClose: request.After(time.Hour)})
		r := d.order(folder("read", "2026-03-05"))
		return d, d.Did(bot, r.ID, request.CompleteTask{Task: 1})
	}
	day := func(d int) time.Time { return time.Date(2026, 3, d, 23, 0, 0, 0, time.UTC) } // midnight in Berlin
	ask := request.Extend{Item: 1, LastDay: "2026-03-12", Reason: "not done yet"}
	t.Run("Approved", func(t *testing.T) {
		d, r := granted(t)
		require.Equal(t, 1, d.Due(2*time.Hour))
		r = d.Did(jin, r.ID, ask)
		require.Equal(t, request.Closed, r.State)
		require.Equal(t, day(5), r.Items[0].Until, "not before it is approved")
		require.Equal(t, request.Longer{Until: day(12), By: "jin", Reason: "not done yet", Approval: 1}, r.Items[0].Longer)
		require.Equal(t, d.Time.Now().Add(48*time.Hour), r.Due)
		d.Refuse(jin, r.ID, ask, "no item is granted until a time that can be extended", "item 1 is not granted until a time that can be extended")
		d.Refuse(mia, r.ID, approve, "mia has no vote")
		r = d.Did(kim, r.ID, approve)
		require.Equal(t, day(12), r.Items[0].Until)
		require.Equal(t, 1, r.Items[0].Extended)
		require.Zero(t, r.Items[0].Longer)
		require.Equal(t, request.Closed, r.State)
		require.Equal(t, day(12), r.Due)
		d.Refuse(kim, r.ID, approve, "no approval is open")
		require.Equal(t, []string{"order", "submit", "approve", "begin", "run_task", "complete_task", "auto_fulfil", "auto_close", "extend", "vote", "prolong"}, d.Story(r.ID))
		// Twice is as often as it can be.
		r = d.Did(kim, d.Did(jin, r.ID, request.Extend{Item: 1, Until: day(20)}).ID, approve)
		d.Refuse(jin, r.ID, request.Extend{Item: 1, Until: day(22)}, "item 1 was extended 2 times, as often as it can be")
		require.Equal(t, 1, d.Due(r.Due.Sub(d.Time.Now())))
		r = d.Record(r.ID)
		require.Equal(t, 1, r.Undoing())
		c, err := r.StandardChange(1)
		require.NoError(t, err)
		require.Empty(t, c.Approvals, "they were about its length")
	})
	t.Run("Rejected", func(t *testing.T) {
		d, r := granted(t)
		r = d.Did(kim, d.Did(jin, r.ID, ask).ID, request.Vote{Vote: approval.Reject})
		require.Equal(t, day(5), r.Items[0].Until)
		require.Zero(t, r.Items[0].Extended)
		require.Equal(t, request.Fulfilled, r.State)
		require.Contains(t, d.Story(r.ID), "keep_end")
		d.Did(jin, r.ID, ask) // and may ask again
	})
	t.Run("NobodyVotes", func(t *testing.T) {
		d, r := granted(t)
		d.Did(jin, r.ID, ask)
		d.Due(48 * time.Hour)
		r = d.Record(r.ID)
		require.Equal(t, approval.Expired, r.Approvals[0].Outcome)
		require.Zero(t, r.Items[0].Longer)
		require.Contains(t, d.Story(r.ID), "keep_end")
		d.Replays(r.ID)
	})
	t.Run("TheEndComesFirst", func(t *testing.T) {
		d, r := granted(t)
		d.Time.Advance(60 * time.Hour)
		d.Did(jin, r.ID, ask)
		d.Due(28 * time.Hour)
		r = d.Record(r.ID)
		require.Equal(t, "expired", r.Items[0].Return.Reason)
		require.Equal(t, approval.Expired, r.Approvals[0].Outcome)
		d.Refuse(kim, r.ID, approve, "no approval is open")
		d.Replays(r.ID)
	})
	t.Run("BesideAnotherApproval", func(t *testing.T) {
		d := newDesk(t, request.Config{})
		id := d.order(folder("read", "2026-03-05"), laptop()).ID
		d.Did(kim, id, approve)
		d.Did(mia, id, request.Start{}, request.CompleteTask{Task: 1}, ask, request.SeekApproval{Policy: "manager", Items: []int{2}})
		d.Refuse(kim, id, approve, "approval must be given: 2 are open")
		r := d.Did(kim, id, request.Vote{Approval: 2, Vote: approval.Approve})
		require.Equal(t, request.AwaitingApproval, r.State)
		require.Equal(t, day(12), r.Items[0].Until)
		r = d.Did(mia, id, request.PutOnHold{Reason: request.AwaitingStock})
		d.Refuse(kim, id, request.Vote{Approval: 3, Vote: approval.Approve}, "nobody is asked about approval 3: the request is on_hold")
		d.Did(mia, id, request.Resume{})
		r = d.Did(kim, id, approve)
		require.Equal(t, request.InFulfilment, r.State)
	})
	t.Run("WithoutVote", func(t *testing.T) {
		d := newDesk(t, request.Config{})
		r := d.order(laptop())
		d.Did(kim, r.ID, approve)
		r = d.Did(mia, r.ID, request.Start{}, request.CompleteTask{Task: 1}, request.CompleteTask{Task: 2}, request.CompleteTask{Task: 4})
		until := r.Items[0].Until.Add(time.Hour)
		r = d.Did(mia, r.ID, request.Extend{Item: 1, Until: until})
		require.Equal(t, until, r.Items[0].Until)
		require.Equal(t, []string{"extend", "prolong"}, d.Story(r.ID)[len(d.Story(r.ID))-2:])
		// Taken up again, it is granted anew.
		r = d.Did(mia, r.ID, request.Extend{Item: 1, Until: until.Add(time.Hour)}, request.Reopen{Reason: "a key is missing"}, request.AddTask{Item: 1, Title: "Bring a key"})
		require.Zero(t, r.Items[0].Until)
	})
	t.Run("Refused", func(t *testing.T) {
		d, r := granted(t)
		d.Refuse(jin, r.ID, request.Extend{Item: 1}, "until or last_day must be given")
		d.Refuse(jin, r.ID, request.Extend{Item: 1, Until: morning}, "until must be after 2026-03-05T23:00:00Z, when it ends anyhow", "until must be after now")
		d.Refuse(jin, r.ID, request.Extend{Item: 2, Until: day(9), LastDay: "soon"}, "last_day must not be given beside until", "last_day must be a day such as 2026-06-30",
			"item must be the number of an item, is 2")
		d.Refuse(jin, r.ID, request.Extend{Item: 1, LastDay: "2026-05-01"}, "until must be at most 720h0m0s later than 2026-03-05T23:00:00Z")
		other := d.order(account())
		d.Refuse(jin, other.ID, ask, "no item is granted until a time that can be extended", "item 1 is not granted until a time that can be extended")
		bare, err := request.NewPractice(d.Store, request.Config{Config: itsm.Config{Now: d.Time.Now}})
		require.NoError(t, err)
		_, err = bare.Do(jin, r.ID, ask)
		require.Equal(t, []string{`policy is no policy of the catalogue: "manager"`}, practicetest.Said(err))
		spec := officeSpec()
		spec.Offerings[1].Expiry.Extend = &request.Extension{Policy: "x", Longest: -1, Times: -1}
		_, err = request.NewCatalogue(spec)
		require.Equal(t, []string{"offerings[1].expiry.extend must not be given where nothing ends", "offerings[1].expiry.extend.longest must not be negative",
			"offerings[1].expiry.extend.times must not be negative", `offerings[1].expiry.extend.policy is no policy of the catalogue: "x"`}, practicetest.Said(err))
	})
}

// The price of the whole order may have to be approved, where no item's has.
func TestOrderApprovals(t *testing.T) {
	d := newDesk(t, request.Config{})
	one, many := laptop("large"), laptop()
	one.Quantity, many.Quantity = 1, 3
	r := d.order(one)
	require.Len(t, r.Approvals, 1)
	r = d.order(one, one, one, one)
	require.Equal(t, "5600.00 EUR + 39.60 EUR a month", r.Price.String())
	require.Len(t, r.Approvals, 2)
	require.Equal(t, "budget", r.Approvals[1].Policy)
	require.Empty(t, r.Approvals[1].Items, "it is about the request as a whole")
	require.Equal(t, []int{1, 2, 3, 4}, r.Approvals[0].Items)
	r = d.order(many, one, one) // where an item needs it too, it is asked once
	require.Len(t, r.Approvals, 2)
	require.Empty(t, r.Approvals[1].Items)

	spec := officeSpec()
	spec.Approvals = []request.OrderApprover{{Policy: "x", From: request.Price{{Value: "-1", Currency: "EUR"}}}, {Policy: "budget"}}
	_, err := request.NewCatalogue(spec)
	require.Equal(t, []string{`approvals[0].policy is no policy of the catalogue: "x"`, "approvals[0].from[0].value must not be negative",
		"models[1].without must not be seek_approval where every order has to be approved"}, practicetest.Said(err))
}

// A clock that goes back, or another host's, undoes no vote: the last is the last.
func TestVotesOnABackwardClock(t *testing.T) {
	lee, ann := itsm.As(context.Background(), "lee"), itsm.As(context.Background(), "ann")
	t.Run("TheyCount", func(t *testing.T) {
		d := newDesk(t, request.Config{})
		r := d.Did(mia, d.order(chair).ID, request.Start{}, request.SeekApproval{Policy: "budget"})
		d.Did(lee, r.ID, approve)
		d.Time.Advance(-30 * time.Second)
		r = d.Did(ann, r.ID, approve)
		require.Equal(t, request.InFulfilment, r.State)
	})
	t.Run("AChangeOfMind", func(t *testing.T) {
		spec := officeSpec()
		spec.Policies["budget"] = approval.Policy{Rule: approval.Rule{Need: approval.All, Of: approval.Persons("lee", "ann")}, Recount: true}
		catalogue, err := request.NewCatalogue(spec)
		require.NoError(t, err)
		d := newDesk(t, request.Config{Catalogue: catalogue})
		r := d.Did(mia, d.order(chair).ID, request.Start{}, request.SeekApproval{Policy: "budget"})
		d.Did(lee, r.ID, approve)
		d.Time.Advance(-time.Hour)
		r = d.Did(lee, r.ID, request.Vote{Vote: approval.Reject})
		require.Equal(t, request.Rejected, r.State)
	})
}

// What was given up because a task of another item had failed is wanted again with it,
// unless it was given back meanwhile.
func TestRetryReachesOtherItems(t *testing.T) {
	d := newDesk(t, request.Config{RollUp: request.Majority})
	r := d.order(folder("read", "2026-03-05"), chair, chair)
	r = d.Did(mia, r.ID, request.Start{}, request.AddTask{Item: 2, Title: "Tell them", Needs: []int{1}}, request.AddTask{Item: 3, Title: "Tell them too", Needs: []int{1}},
		request.CompleteTask{Task: 2}, request.CompleteTask{Task: 3}, request.AddTask{Title: "Wait"}, request.FailTask{Task: 1, Reason: "no folder"})
	require.Equal(t, []request.Outcome{request.Failed, request.WithIssues, request.WithIssues}, outcomes(r))
	r = d.Did(mia, r.ID, request.ReturnItem{Item: 3, Reason: "not needed"}, request.RetryTask{Task: 1})
	require.Equal(t, []request.Outcome{request.Open, request.Open, request.WithIssues}, outcomes(r))
	require.Equal(t, []request.TaskState{request.TaskRunning, request.TaskDone, request.TaskDone, request.TaskWaiting, request.TaskCancelled, request.TaskReady}, states(r))
}
