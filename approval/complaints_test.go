package approval_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm/approval"
)

// What users of other systems complain of where approvals are concerned, from public
// threads, each as a test.

// "After one acceptance every later refusal still shows validated."
func TestComplaint22OneAcceptanceHidesEveryLaterRefusal(t *testing.T) {
	ballots := cast("ann approve", "bob reject: the window is too short")

	// Where nobody may object, all are heard before it is approved.
	members := approval.Persons("ann", "bob", "cho")
	for i := range members {
		members[i].Veto = true
	}
	e := electorate(approval.Rule{Need: approval.Any, Of: members})
	require.Equal(t, approval.Open, decide(t, e, ballots[:1], at(10)).Outcome)
	require.Equal(t, approval.Rejected, decide(t, e, ballots, at(10)).Outcome)

	// Where the majority of all decides, the first acceptance decides nothing.
	e = electorate(approval.Rule{Need: approval.Majority, Of: approval.Persons("ann", "bob", "cho")})
	d := decide(t, e, ballots, at(10))
	require.Equal(t, approval.Open, d.Outcome)
	require.Equal(t, int64(1), d.Why.Tally.Against)
	require.Equal(t, approval.Rejected, decide(t, e, append(ballots, cast("ann approve", "bob reject", "cho reject")[2]), at(10)).Outcome)

	// Where any one is enough it is approved, and the refusal is there to be seen.
	e = electorate(approval.Rule{Need: approval.Any, Of: approval.Persons("ann", "bob", "cho")})
	d = decide(t, e, ballots, at(10))
	require.Equal(t, approval.Approved, d.Outcome)
	require.Equal(t, []approval.Uncounted{{Index: 1, Ballot: ballots[1], Code: approval.Late, Reason: "it came after the decision"}}, d.Uncounted)
	require.Contains(t, d.String(), `not counted: bob: reject at 2026-03-02 09:02:00 UTC, "the window is too short", it came after the decision`)

	// Where votes may change until the deadline, it is in the tally.
	e.Policy.Recount = true
	d = decide(t, e, ballots, at(10))
	require.Equal(t, approval.Approved, d.Outcome)
	require.False(t, d.Final)
	require.Equal(t, int64(1), d.Why.Tally.Against)
}

// "A changed vote is not computed again."
func TestComplaint23AChangedVoteIsNotCountedAnew(t *testing.T) {
	e := electorate(approval.Rule{Need: approval.Share(2, 3), Of: approval.Persons("ann", "bob", "cho")})
	ballots := cast("ann reject", "bob approve", "ann approve: the back-out plan is there now")
	require.Equal(t, approval.Open, decide(t, e, ballots[:2], at(10)).Outcome)
	d := decide(t, e, ballots, at(10))
	require.Equal(t, approval.Approved, d.Outcome)
	require.Equal(t, 2, d.Index)
	require.Equal(t, &ballots[2], d.Why.Of[0].Ballot)
}

// "Requests that are decided stay in the list of things to do."
func TestComplaint23WhatIsDecidedStaysInTheListOfThingsToDo(t *testing.T) {
	e := electorate(approval.Rule{Of: []approval.Member{
		approval.Of(approval.Any, approval.Persons("ann", "bob")...),
		approval.Of(approval.Any, approval.Persons("cho", "dan")...),
	}})
	asked := func(ballots []approval.Ballot) (people []string) {
		for _, turn := range decide(t, e, ballots, at(10)).Needed.May {
			people = append(people, turn.Person)
		}
		return people
	}
	require.Equal(t, []string{"ann", "bob", "cho", "dan"}, asked(nil))
	require.Equal(t, []string{"cho", "dan"}, asked(cast("ann approve")), "bob is not asked any more")
	require.Empty(t, asked(cast("ann approve", "dan approve")))
	require.Empty(t, asked(cast("ann reject", "bob reject")))
}

// "It does not say whether one, the majority or all have to accept."
func TestComplaint23ItDoesNotSayHowItDecides(t *testing.T) {
	for need, want := range map[approval.Need]string{
		approval.Any: "any of (ann, bob)", approval.Majority: "more than 1/2 of (ann, bob)", approval.All: "all of (ann, bob)", "": "all of (ann, bob)",
		approval.AtLeast(2): "at least 2 of (ann, bob)", approval.Share(2, 3): "at least 2/3 of (ann, bob)",
	} {
		require.Equal(t, want, approval.Policy{Rule: approval.Rule{Need: need, Of: approval.Persons("ann", "bob")}}.String())
	}
}

// "Several approvers by default", "ordered steps", "a step that must not be left out",
// "all have to approve", "levels".
func TestComplaint24ThereAreNoStepsNoLevelsAndOneApproverOnly(t *testing.T) {
	p := approval.Policy{Rule: approval.Rule{Sequence: true, Of: []approval.Member{
		{Computed: "line manager"},
		{Rule: &approval.Rule{Name: "security", Of: []approval.Member{{Role: "security"}}}},
		{Rule: &approval.Rule{Name: "CAB", Need: approval.Majority, Of: []approval.Member{{Role: "cab"}}}},
	}}}
	e, err := approval.Resolve(p, opened, people(map[string][]string{"computed line manager": {"lee"}, "role security": {"sam", "sue"}, "role cab": {"ann", "bob", "cho"}}))
	require.NoError(t, err)
	var ballots []approval.Ballot
	for i, step := range []struct{ line, asked string }{
		{"lee approve", "lee"}, {"sue approve", "sam"}, {"sam approve", "sam"}, {"cho approve", "ann"}, {"ann approve", "ann"},
	} {
		d := decide(t, e, ballots, at(100))
		require.Equal(t, approval.Open, d.Outcome)
		require.Equal(t, step.asked, d.Needed.May[0].Person)
		b := cast(step.line)[0]
		b.At = at(i)
		require.NoError(t, approval.Admit(e, ballots, b))
		ballots = append(ballots, b)
	}
	require.Equal(t, approval.Approved, decide(t, e, ballots, at(100)).Outcome)
	require.ErrorIs(t, approval.Admit(e, nil, cast("ann approve")[0]), approval.ErrRefused, "no step is left out")
}

// "Boards that approve everything": who decides follows from the risk, and the
// smallest authority is a person.
func TestComplaint31EverythingGoesToTheBoard(t *testing.T) {
	policies := map[string]approval.Policy{
		"low":    {Rule: approval.Rule{Need: approval.Any, Of: []approval.Member{{Role: "peer"}}}, Exclude: []string{"author"}},
		"medium": {Rule: approval.Rule{Of: []approval.Member{approval.Of(approval.Any, approval.Member{Role: "peer"}), {Computed: "service owner"}}}, Exclude: []string{"author"}},
		"high":   {Rule: approval.Rule{Need: approval.Share(2, 3), Base: approval.Entitled, Of: []approval.Member{{Role: "cab"}, {Person: "ciso", Veto: true}}}, Exclude: []string{"author"}, Within: 24 * time.Hour},
	}
	host := people(map[string][]string{"role peer": {"ann", "bob"}, "computed service owner": {"lee"}, "role cab": {"ann", "bob", "cho"}, "duty author": {"ann"}})
	for risk, enough := range map[string][]string{"low": {"bob"}, "medium": {"bob", "lee"}, "high": {"bob", "ciso"}} {
		e, err := approval.Resolve(policies[risk], opened, host)
		require.NoError(t, err)
		require.Equal(t, enough, decide(t, e, nil, opened).Needed.Enough, risk)
	}
}
