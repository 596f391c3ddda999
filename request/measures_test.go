package request_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/approval"
	"github.com/go-itsm/itsm/request"
	"github.com/go-itsm/itsm/sla"
)

// Eight requests whose figures are known by heart.
func TestMeasures(t *testing.T) {
	d := newDesk(t, request.Config{Agreements: agreements(t)})
	d.Time.Advance(2 * time.Hour) // the office is open
	// Four by an automation, of which one was taken up again, and one of two items.
	for i := range 3 {
		r := d.order(folder("read", ""))
		r = d.Did(bot, r.ID, request.CompleteTask{Task: 1})
		if i == 0 {
			d.Did(mia, r.ID, request.Link{Link: itsm.Link{Rel: request.Caused, To: itsm.Ref{Kind: "incident", ID: "inc-1"}}})
		}
	}
	again := d.Did(bot, d.order(folder("read", "")).ID, request.CompleteTask{Task: 1}).ID
	d.Did(jin, again, request.Reopen{Reason: "not open"})
	d.Did(mia, again, request.AddTask{Item: 1, Title: "Look", Automation: "x"})
	d.Did(bot, again, request.CompleteTask{Task: 2})
	// One laptop that waited an hour for its vote, failed in part and took too long.
	late := d.order(laptop())
	d.Time.Advance(59 * time.Minute)
	d.Did(kim, late.ID, approve)
	d.Did(mia, late.ID, request.Start{}, request.LogTime{Spent: 3 * time.Hour}, request.CompleteTask{Task: 1}, request.CompleteTask{Task: 2})
	d.Time.Advance(100 * time.Hour)
	d.Due(0)
	d.Did(mia, late.ID, request.FailTask{Task: 4, Reason: "nobody there"}, request.Close{})
	d.Did(jin, late.ID, request.Rate{Score: 2})
	// One for which there is no offering, written down by mia.
	other, err := d.Order(mia, request.Order{Title: "A tree", Requester: "jin"})
	require.NoError(t, err)
	d.Did(mia, other.ID, request.Start{}, request.Fulfil{}, request.Rate{Score: 5})
	d.Did(kim, d.order(laptop()).ID, request.Vote{Vote: approval.Reject})
	d.Did(jin, d.order(chair).ID, request.Cancel{Reason: "no"})
	d.order(chair) // which is open

	samples := d.Samples(mia, itsm.Query{}, d.Time.Now())
	m, err := request.Measure(samples, morning, d.Time.Now().Add(time.Hour))
	require.NoError(t, err)
	require.Equal(t, []int{6, 1, 1}, []int{m.Fulfilled, m.Rejected, m.Cancelled})
	of := func(part, of int64) sla.Fraction { return sla.Fraction{Part: part, Of: of} }
	require.Equal(t, of(1, 6), m.NoProcedure)
	require.Equal(t, of(2, 6), m.Deviated)
	require.Equal(t, of(4, 5), m.Automated)
	require.Equal(t, of(5, 6), m.InTime)
	require.Equal(t, of(5, 6), m.Whole)
	require.Equal(t, of(5, 6), m.Held)
	require.Equal(t, of(5, 6), m.SelfService)
	require.Equal(t, time.Hour, m.ApprovalWait.Value)
	require.EqualValues(t, 1, m.ApprovalWait.Of)
	require.EqualValues(t, 6, m.LeadTime.Of)
	require.Equal(t, of(4, 4), m.ByModel["access"].Success)
	require.Equal(t, of(0, 1), m.ByModel["device"].Success)
	require.Equal(t, 3*time.Hour, m.ByModel["device"].Work.Value)
	require.Equal(t, 1, m.IncidentsCaused)
	require.Equal(t, 3.5, m.Satisfaction)
	// By hand: one link; one task added; vote, start, time, two tasks, the failure, the
	// end; and order, start, end and answer of what mia wrote down.
	require.Equal(t, 13.0/6, m.Touches)
	require.Equal(t, time.Hour, m.Stages[request.AwaitingApproval].Value)

	var rules []string
	for _, l := range m.Lint(request.Limits{NoProcedure: 10}) {
		rules = append(rules, l.Rule+": "+l.Text)
	}
	require.Equal(t, []string{
		"no_procedure_share: for 1 of 6 (16.66 %) there was no offering; at most 10 % should have none",
		"deviation_share: 2 of 6 (33.33 %) did not go as their models foresee; at most 20 % should not",
		"model_success: 0 of 1 (0.00 %) of the items of model device were delivered as ordered; at least 95 % should be",
	}, rules)

	// A period in which nothing ended has no shares.
	none, err := request.Measure(samples, morning, morning.Add(time.Minute))
	require.NoError(t, err)
	require.False(t, none.InTime.Defined() || none.LeadTime.Defined())
	require.Empty(t, none.Lint(request.Limits{}))
	_, err = request.Measure(samples, morning, morning)
	require.ErrorIs(t, err, itsm.ErrInvalid)
	_, err = d.Sample(mia, "x", morning)
	require.ErrorIs(t, err, itsm.ErrNotFound)
	_, err = request.Measure(func(yield func(request.Sample, error) bool) { yield(request.Sample{}, errDown) }, morning, d.Time.Now())
	require.ErrorIs(t, err, errDown)
}
