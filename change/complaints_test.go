package change_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/approval"
	"github.com/go-itsm/itsm/change"
	"github.com/go-itsm/itsm/practicetest"
)

// What users of other systems complain of where changes are concerned, from public
// threads, each as a test.

// votedBy is an office in which one policy is for everything.
func votedBy(t *testing.T, policy approval.Policy) *office {
	return newOffice(t, change.Config{Authorities: change.AuthorityPolicy{
		Authorities: []change.Authority{{Name: "board", Kind: change.CAB, Policy: policy}},
		Rules:       []change.AuthorityRule{{Authority: "board"}},
	}})
}

func TestComplaint22OneAcceptanceHidesEveryLaterRefusal(t *testing.T) {
	o := votedBy(t, approval.Policy{Rule: approval.Rule{Need: approval.All, Of: approval.Persons("ann", "bob")}})
	r := o.open("", ready(change.RequestApproval{})...)
	r = o.Did(as("ann"), r.ID, yes)
	require.Equal(t, change.Authorize, r.State)
	r = o.Did(as("bob"), r.ID, no)
	require.Equal(t, change.Rejected, r.State)
	require.Equal(t, approval.Rejected, r.Approval.Outcome)
}

func TestComplaint23AChangedVoteIsNotCountedAnew(t *testing.T) {
	o := votedBy(t, approval.Policy{Rule: approval.Rule{Need: approval.All, Of: approval.Persons("ann", "bob")}, Recount: true})
	r := o.open("", ready(change.RequestApproval{})...)
	o.Did(as("ann"), r.ID, yes)
	require.Equal(t, change.Scheduled, o.Did(as("bob"), r.ID, yes).State)
	require.Equal(t, change.Rejected, o.Did(as("ann"), r.ID, no).State)
	require.Equal(t, change.Scheduled, o.Did(as("ann"), r.ID, yes).State)
	// Also where the clock went back between the two.
	o.Time.Advance(-time.Hour)
	require.Equal(t, change.Rejected, o.Did(as("ann"), r.ID, no).State)
}

func TestComplaint24ThereIsOneApproverAndNoOrder(t *testing.T) {
	o := votedBy(t, approval.Policy{Rule: approval.Rule{Need: approval.All, Sequence: true, Of: []approval.Member{
		{Rule: &approval.Rule{Name: "team", Need: approval.Any, Of: approval.Persons("ann", "bob")}},
		{Rule: &approval.Rule{Name: "board", Need: approval.Majority, Of: approval.Persons("cai", "dan", "eve")}},
	}}})
	r := o.open("", ready(change.RequestApproval{})...)
	_, err := o.Do(as("cai"), r.ID, yes)
	require.ErrorIs(t, err, itsm.ErrNotAllowed, "it is the team's turn")
	o.Did(as("bob"), r.ID, yes)
	o.Did(as("eve"), r.ID, yes)
	require.Equal(t, change.Scheduled, o.Did(as("cai"), r.ID, yes).State)
}

func TestComplaint25ThereIsNoApprovalAtAll(t *testing.T) {
	o := newOffice(t, change.Config{})
	r := o.open("", ready(ask)...)
	o.Refuse(mia, r.ID, change.Start{}, `action "start" is not permitted in state "authorize", from which lead on: cancel, expedite, revise, start_planning`)
	o.Refuse(mia, r.ID, yes, "mia is excluded as author")
	require.Equal(t, change.Scheduled, o.Did(as("ann"), r.ID, yes).State)
}

// A freeze is seen when a time is chosen, long before anybody is asked, and, if it was
// proclaimed later, before the work begins.
func TestComplaint30FreezesAreSeenTooLate(t *testing.T) {
	freeze := change.Freeze{Name: "year end", From: tonight.Start, Until: tonight.End}
	under := func(rules change.Rules) change.Config {
		c, err := change.NewConstraints(nil, rules, nil)
		require.NoError(t, err)
		return change.Config{Schedule: change.NewCalendar(c)}
	}
	o := newOffice(t, under(change.Rules{Freezes: []change.Freeze{freeze}}))
	r := o.open("", plan, assess, tonight)
	require.Equal(t, change.Draft, r.State)
	require.Len(t, r.Conflicts, 1)
	require.Equal(t, change.InFreeze, r.Conflicts[0].Kind)

	o = newOffice(t, under(change.Rules{}))
	r = o.open("", ready(ask)...)
	require.Empty(t, o.Did(as("ann"), r.ID, yes).Conflicts)
	cfg := under(change.Rules{Freezes: []change.Freeze{freeze}})
	cfg.Now = o.Time.Now
	later, err := change.NewPractice(o.Store, cfg)
	require.NoError(t, err)
	o.Time.Advance(12 * time.Hour)
	_, err = later.Do(mia, r.ID, change.Start{})
	require.Equal(t, []string{"it collides: changes are frozen from 2026-03-02 20:00 to 2026-03-02 22:00 UTC (year end); no exception is provided for"}, practicetest.Said(err))
}

func TestComplaint31EverythingGoesToTheBoard(t *testing.T) {
	o := newOffice(t, change.Config{})
	kinds := map[change.RiskLevel]change.AuthorityKind{change.LowRisk: change.Peer, change.MediumRisk: change.Delegated, change.HighRisk: change.CAB}
	for risk, kind := range kinds {
		r := o.open("", ready(change.OverrideRisk{Level: risk, Reason: "known"}, ask)...)
		require.Equal(t, kind, r.Approval.Kind, "%s", risk)
	}
}

// Who integrates is told what may be done, what it needs and why the rest may not, before
// and after.
func TestComplaint32IllegalTransitionsAreRunIntoBlindly(t *testing.T) {
	o := newOffice(t, change.Config{})
	r := o.open("")
	options, err := o.WhyNot(mia, r.ID)
	require.NoError(t, err)
	said := map[string]bool{}
	for _, option := range options {
		said[option.Action] = option.Permitted
		require.Equal(t, !option.Permitted, len(option.Refused) > 0, "%s says why not", option.Action)
		if !option.Permitted {
			_, err := o.Do(mia, r.ID, map[string]action{"start": change.Start{}, "close": change.Close{}, "complete": complete}[option.Action])
			require.Error(t, err)
		}
	}
	require.True(t, said["set_plan"] && said["cancel"])
	require.False(t, said["start"] || said["close"] || said["complete"])
	_, err = o.Do(mia, r.ID, change.Start{})
	var blind *itsm.TransitionError
	require.ErrorAs(t, err, &blind)
	require.Contains(t, blind.Instead, "submit")
}
