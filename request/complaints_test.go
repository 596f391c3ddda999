package request_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/approval"
	"github.com/go-itsm/itsm/request"
)

// What users of other systems complain of where requests are concerned, from public
// threads, each as a test.

func TestComplaint21ReopeningWithinDaysAndByTheRequester(t *testing.T) {
	d := newDesk(t, request.Config{ReopenWindow: 72 * time.Hour})
	again := request.Reopen{Reason: "it is gone"}
	done := func() itsm.ID {
		return d.Did(mia, d.order(chair).ID, request.Start{}, request.CompleteTask{Task: 1}, request.Close{}).ID
	}
	soon, late := done(), done()
	d.Time.Advance(71 * time.Hour)
	require.Equal(t, request.InFulfilment, d.Did(jin, soon, again).State)
	d.Time.Advance(2 * time.Hour)
	d.Refuse(jin, late, again, "it was closed 73h1m0s ago; it can be reopened within 72h0m0s")
}

// managed is a desk where the manager's policy is another one.
func managed(t *testing.T, p approval.Policy) *desk {
	spec := officeSpec()
	spec.Policies["manager"] = p
	c, err := request.NewCatalogue(spec)
	require.NoError(t, err)
	return newDesk(t, request.Config{Catalogue: c})
}

func TestComplaint22OneAcceptanceHidesEveryLaterRefusal(t *testing.T) {
	lee := itsm.As(context.Background(), "lee")
	d := managed(t, approval.Policy{Rule: approval.Rule{Need: approval.All, Of: approval.Persons("kim", "lee")}})
	r := d.Did(kim, d.order(laptop()).ID, approve)
	require.Equal(t, request.AwaitingApproval, r.State)
	require.Equal(t, request.Rejected, d.Did(lee, r.ID, request.Vote{Vote: approval.Reject}).State)
}

func TestComplaint23AChangedVoteIsNotCountedAnew(t *testing.T) {
	lee := itsm.As(context.Background(), "lee")
	d := managed(t, approval.Policy{Rule: approval.Rule{Need: approval.All, Of: approval.Persons("kim", "lee")}})
	r := d.Did(kim, d.order(laptop()).ID, approve, request.Vote{Vote: approval.Withdraw}, approve)
	decision, err := d.Decision(mia, r.ID, 1, d.Time.Now())
	require.NoError(t, err)
	require.Equal(t, []string{"lee"}, decision.Needed.Must, "and nobody else has it in the list of things to do")
	require.Equal(t, request.Approved, d.Did(lee, r.ID, approve).State)
	decision, err = d.Decision(mia, r.ID, 1, d.Time.Now())
	require.NoError(t, err)
	require.Empty(t, decision.Needed.May)
}

func TestComplaint24ThereAreNoStepsAndNoMandatoryOne(t *testing.T) {
	boss := itsm.As(context.Background(), "boss")
	d := managed(t, approval.Policy{Rule: approval.Rule{Need: approval.All, Sequence: true, Of: []approval.Member{
		{Rule: &approval.Rule{Need: approval.Any, Of: approval.Persons("kim", "lee")}}, {Person: "boss"},
	}}})
	r := d.order(laptop())
	d.Refuse(boss, r.ID, approve, "it is not the turn of boss yet")
	d.Did(kim, r.ID, approve)
	require.Equal(t, request.Approved, d.Did(boss, r.ID, approve).State)
}

func TestComplaint25ThereIsNoApprovalAtAll(t *testing.T) {
	d := newDesk(t, request.Config{})
	r := d.order(laptop())
	d.Refuse(mia, r.ID, request.Start{}, `action "start" is not permitted in state "awaiting_approval", from which lead on: cancel, hold, reclassify`)
	require.Equal(t, request.Approved, d.Did(kim, r.ID, approve).State)
}

// Task, item and order say the same after each step, whatever it was.
func TestComplaint26TaskItemAndOrderDoNotAgree(t *testing.T) {
	d := newDesk(t, request.Config{})
	id := d.order(chair, chair, folder("read", "")).ID
	d.Did(mia, id, request.Start{})
	for _, step := range []struct {
		does     action
		items    []request.Outcome
		state    itsm.State
		complete request.Outcome
	}{
		{request.CompleteTask{Task: 1}, []request.Outcome{request.Complete, request.Open, request.Open}, request.InFulfilment, request.Open},
		{request.FailTask{Task: 2, Reason: "sold out"}, []request.Outcome{request.Complete, request.Failed, request.Open}, request.InFulfilment, request.Open},
		{request.RetryTask{Task: 2}, []request.Outcome{request.Complete, request.Open, request.Open}, request.InFulfilment, request.Open},
		{request.CancelItem{Item: 2, Reason: "no"}, []request.Outcome{request.Complete, request.Withdrawn, request.Open}, request.InFulfilment, request.Open},
		{request.CompleteTask{Task: 3}, []request.Outcome{request.Complete, request.Withdrawn, request.Complete}, request.Fulfilled, request.WithIssues},
	} {
		r := d.Did(mia, id, step.does)
		require.Equal(t, step.items, outcomes(r))
		require.Equal(t, step.state, r.State)
		require.Equal(t, step.complete, r.Completion)
	}
}

func TestComplaint32IllegalStepsAreRunIntoBlindly(t *testing.T) {
	d := newDesk(t, request.Config{})
	options, err := d.WhyNot(mia, d.order(laptop()).ID)
	require.NoError(t, err)
	for _, o := range options {
		require.Equal(t, !o.Permitted, len(o.Refused) > 0, "%s says why not", o.Action)
	}
}
