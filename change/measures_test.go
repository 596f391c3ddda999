package change_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/change"
	"github.com/go-itsm/itsm/sla"
)

// Ten changes whose figures are known by heart.
func TestMeasures(t *testing.T) {
	template := change.Template{Name: "restart", Version: 1, Title: "t", Services: []string{"mail"}, Plan: change.Plan{Implementation: "i"}, Risk: change.LowRisk, Approved: morning, By: "ann"}
	o := newOffice(t, change.Config{Templates: []change.Template{template}})
	for i := range 7 {
		r, err := o.Open(mia, change.Propose{Title: "t", Template: "restart", Committed: o.Time.Now().Add(-10 * time.Hour)})
		require.NoError(t, err)
		now := o.Time.Now()
		done := change.Complete{Outcome: change.Successful}
		if i == 0 {
			done = change.Complete{Outcome: change.SuccessfulWithIssues, Note: "n"}
		}
		o.Did(mia, r.ID, change.Schedule{Start: now, End: now.Add(time.Hour)}, change.Start{}, done, change.Close{}, change.Rate{Score: 5, Process: 3})
	}
	now := o.Time.Now()
	failed, err := o.Open(mia, change.Propose{Title: "t", Template: "restart", Committed: now.Add(-20 * time.Hour)})
	require.NoError(t, err)
	o.Did(mia, failed.ID, change.Schedule{Start: now, End: now.Add(5 * time.Minute)}, change.Start{}, change.StartBackOut{Reason: "r"})
	o.Time.Advance(59 * time.Minute)
	o.Due(0)
	o.Did(mia, failed.ID, change.CompleteBackOut{Note: "n"}, change.StartReview{Lead: "kim"}, change.CompleteReview{Summary: "s"})
	emergency := o.open(change.ModelAfterwards, change.Link{Link: itsm.Link{Rel: change.Remedies, To: itsm.Ref{Kind: "incident", ID: "inc-1"}}},
		change.Expedite{Reason: "r", Approvers: []string{"ann"}}, change.Complete{Outcome: change.Successful},
		change.Link{Link: itsm.Link{Rel: change.Caused, To: itsm.Ref{Kind: "incident", ID: "inc-2"}}}, change.Link{Link: itsm.Link{Rel: change.Caused, To: itsm.Ref{Kind: "problem", ID: "prb-1"}}})
	o.open(change.ModelUnauthorized, change.RecordUnauthorized{Started: morning, Ended: morning.Add(time.Minute), Outcome: change.Successful, Found: "f"})
	o.open("", change.Cancel{Reason: "r"})

	day := change.Span{Start: morning, End: morning.Add(48 * time.Hour)}
	impact := func(itsm.Ref) (time.Duration, bool) { return 3 * time.Hour, true }
	m, err := change.Measure(o.Samples(mia, itsm.Query{}, o.Time.Now()), day, impact)
	require.NoError(t, err)
	require.Equal(t, 10, m.Deployments)
	require.Equal(t, 5.0, m.DeploymentsPerDay)
	require.EqualValues(t, 9, m.LeadTime.Of)
	require.Equal(t, time.Hour, m.RecoveryTime.Value)
	require.Equal(t, sla.Fraction{Part: 2, Of: 10}, m.FailRate)
	require.Equal(t, sla.Fraction{Part: 1, Of: 10}, m.ReworkRate)
	require.Equal(t, sla.Fraction{Part: 7, Of: 8}, m.Timely)
	require.Equal(t, sla.Fraction{Part: 9, Of: 10}, m.Success)
	require.Equal(t, sla.Fraction{Part: 0, Of: 1}, m.Accepted)
	require.Equal(t, sla.Fraction{Part: 7, Of: 8}, m.ByModel[change.ModelStandard].Success)
	require.Equal(t, []int{1, 1, 1}, []int{m.IncidentsCaused, m.ProblemsCaused, m.SourceChanges})
	require.Equal(t, 3*time.Hour, m.IncidentTime.Value)
	require.Equal(t, []float64{5, 3}, []float64{m.Satisfaction, m.ProcessSatisfaction})
	require.Equal(t, sla.Fraction{Part: 1, Of: 10}, m.Emergency)
	require.Equal(t, sla.Fraction{Part: 8, Of: 10}, m.Standard)
	require.Equal(t, sla.Fraction{Part: 1, Of: 10}, m.Unauthorized)
	require.Equal(t, time.Minute, m.Stages[change.Scheduled].Value)
	var rules []string
	for _, l := range m.Lint(change.Limits{Emergency: 5}) {
		rules = append(rules, l.Rule+": "+l.Text)
	}
	require.Equal(t, []string{"emergency_share: 1 of 10 (10.00 %) were emergencies; at most 5 % should be",
		"unauthorized_share: 1 of 10 (10.00 %) were unauthorized; at most 0 % should be",
		"template_success: 7 of 8 (87.50 %) of the changes from restart@1 succeeded; at least 95 % should"}, rules)
	require.Len(t, m.Lint(change.Limits{Unauthorized: 50, Template: 50}), 0)

	// A period in which nothing was done has no shares; what is closed without an
	// outcome or reviewed too late is named.
	none, err := change.Measure(func(yield func(change.Sample, error) bool) {
		var odd change.Change
		odd.ID, odd.State, odd.Closed, odd.Ended, odd.Review.Overdue = "chg-x", change.Closed, morning, morning, true
		yield(change.Sample{Change: odd}, nil)
	}, day, nil)
	require.NoError(t, err)
	require.False(t, none.Success.Defined() || none.LeadTime.Defined())
	require.Len(t, none.Lint(change.Limits{}), 2)
	_, err = change.Measure(nil, change.Span{}, nil)
	require.ErrorIs(t, err, itsm.ErrInvalid)
	_, err = o.Sample(mia, "x", morning)
	require.ErrorIs(t, err, itsm.ErrNotFound)
	s, err := o.Sample(mia, emergency.ID, o.Time.Now().Add(time.Hour))
	require.NoError(t, err)
	require.Greater(t, s.Stages[change.Review], time.Hour)
}

// The clocks of agreements follow votes and states.
func TestAgreements(t *testing.T) {
	always := sla.AlwaysOpen()
	always.Name = "always"
	book, err := sla.NewBook([]*sla.Hours{hours(t, always)}, []sla.Agreement{{Name: "a", Kind: sla.ServiceLevel, Applies: sla.Conditions{{"type": {"normal"}, "services": {"one"}, "criticality": {""}}},
		Metrics: []sla.Metric{change.AuthorizationMetric("always", sla.GoalRule{Within: time.Hour}), change.CompletionMetric("always", sla.GoalRule{By: "end"}, sla.GoalRule{Within: 24 * time.Hour})}}})
	require.NoError(t, err)
	o := newOffice(t, change.Config{Agreements: book})
	r := o.open("", ready(ask)...)
	require.Equal(t, 1, o.Due(2*time.Hour), "the authority is late")
	r = o.Did(as("ann"), r.ID, yes)
	o.Did(mia, r.ID, change.Start{}, complete)
	results, err := o.Results(mia, r.ID, o.Time.Now())
	require.NoError(t, err)
	require.Len(t, results, 2)
	require.Equal(t, "mail", results[0].Service)
	_, err = o.Clock(r.Targets[0])
	require.NoError(t, err)
	_, err = o.Results(mia, "x", morning)
	require.ErrorIs(t, err, itsm.ErrNotFound)
	_, err = change.Approval{}.Decision(morning)
	require.ErrorIs(t, err, itsm.ErrInvalid)
	require.NotNil(t, o.Over(o.Store))
}
