package approval_test

import (
	"errors"
	"fmt"
	"time"

	"github.com/go-itsm/itsm/approval"
)

// A normal change: first the line manager, then the board, without its author.
func Example() {
	policy := approval.Policy{
		Name: "normal change",
		Rule: approval.Rule{Sequence: true, Of: []approval.Member{
			{Computed: "line manager"},
			{Rule: &approval.Rule{Name: "CAB", Need: approval.Majority, Base: approval.Entitled, Of: []approval.Member{
				{Role: "cab"},
				{Person: "ciso", Veto: true},
			}}},
		}},
		Exclude: []string{"author"},
		Within:  48 * time.Hour,
	}
	directory := func(kind approval.Kind, name string) ([]string, error) {
		switch string(kind) + " " + name {
		case "computed line manager":
			return []string{"lee"}, nil
		case "role cab":
			return []string{"ann", "bob", "cho"}, nil
		case "duty author":
			return []string{"ann"}, nil
		}
		return nil, errors.New("not known")
	}
	monday := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	electorate, err := approval.Resolve(policy, monday, directory)
	if err != nil {
		fmt.Println(err)
		return
	}

	ballots := []approval.Ballot{
		{By: "lee", Vote: approval.Approve, At: monday.Add(time.Hour)},
		{By: "bob", Vote: approval.Reject, At: monday.Add(2 * time.Hour), Comment: "no back-out plan"},
		{By: "bob", Vote: approval.Approve, At: monday.Add(3 * time.Hour), Comment: "now there is one"},
	}
	decision, err := approval.Decide(electorate, ballots, monday.Add(4*time.Hour))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(decision)

	ballots = append(ballots, approval.Ballot{By: "ciso", Vote: approval.Approve, At: monday.Add(5 * time.Hour)})
	decision, err = approval.Decide(electorate, ballots, monday.Add(6*time.Hour))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(decision)
	// Output:
	// open
	//   all in sequence: open, 1 in favour of 2 needed, 1 open
	//     lee: approved at 2026-03-02 10:00:00 UTC
	//     CAB (more than 1/2 entitled): open, 1 in favour of 2 needed, 2 open, 1 vacant
	//       ann: vacant, excluded as author
	//       bob: approved at 2026-03-02 12:00:00 UTC, "now there is one"
	//       cho: has not voted
	//       ciso: has not voted, has a veto
	// asked now: cho, ciso
	// not without: ciso
	// enough: ciso
	// next: 2026-03-04 09:00:00 UTC
	//
	// approved at 2026-03-02 14:00:00 UTC
	//   all in sequence: approved, 2 in favour of 2 needed
	//     lee: approved at 2026-03-02 10:00:00 UTC
	//     CAB (more than 1/2 entitled): approved, 2 in favour of 2 needed, 1 open, 1 vacant
	//       ann: vacant, excluded as author
	//       bob: approved at 2026-03-02 12:00:00 UTC, "now there is one"
	//       cho: has not voted
	//       ciso: approved at 2026-03-02 14:00:00 UTC, has a veto
}

// All the usual ways to decide are one idea.
func ExampleNeed() {
	board := approval.Persons("ann", "bob", "cho", "dan")
	for _, need := range []approval.Need{approval.All, approval.Any, approval.AtLeast(3), approval.Share(2, 3), approval.Majority} {
		electorate, err := approval.Resolve(approval.Policy{Rule: approval.Rule{Need: need, Of: board}}, time.Unix(1, 0), nil)
		if err != nil {
			fmt.Println(err)
			return
		}
		decision, err := approval.Decide(electorate, nil, time.Unix(1, 0))
		fmt.Println(need, decision.Why.Tally.Needed, err)
	}
	// Output:
	// all 4 <nil>
	// any 1 <nil>
	// at least 3 3 <nil>
	// at least 2/3 3 <nil>
	// more than 1/2 3 <nil>
}

// A policy that cannot work is refused with everything that is wrong with it.
func ExampleParsePolicy() {
	_, err := approval.ParsePolicy([]byte(`{
		"rule": {"need": "two", "of": [{"person": "ann"}, {"rule": {"need": "at least 3", "of": [{"person": "ann"}, {"person": "bob"}]}}]},
		"exclude": ["author", "author"],
		"deadline": "tomorrow"
	}`))
	for _, finding := range approval.Findings(err) {
		fmt.Println(finding)
	}
	// Output:
	// deadline is not known
	// rule.need must be "all", "any", "at least 2", "at least 2/3" or "more than 1/2", is "two"
	// rule.of[1].rule.need must be at most 2, which is what all members weigh, is 3
	// exclude[1] is there twice: "author"
}

// Separation of duties may leave nobody. That is a finding, and not an approval.
func ExampleResolve() {
	policy := approval.Policy{
		Rule:    approval.Rule{Need: approval.AtLeast(2), Of: []approval.Member{{Role: "dba"}}},
		Exclude: []string{"author", "implementer"},
	}
	_, err := approval.Resolve(policy, time.Unix(1, 0), func(kind approval.Kind, name string) ([]string, error) {
		return map[string][]string{"dba": {"ann", "bob"}, "author": {"cho"}, "implementer": {"bob"}}[name], nil
	})
	fmt.Println(err)
	// Output:
	// policy.rule cannot be approved by anybody: at most 1 in favour of 2 needed; bob is excluded as implementer
}

// A ballot that would not count is refused at the door.
func ExampleAdmit() {
	monday := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	electorate := approval.Electorate{
		Policy:      approval.Policy{Rule: approval.Rule{Of: approval.Persons("ann", "bob")}},
		Delegations: []approval.Delegation{{Of: "ann", To: "kim", Until: monday.AddDate(0, 0, 7)}},
		Opened:      monday,
	}
	for _, ballot := range []approval.Ballot{
		{By: "kim", For: "ann", Vote: approval.Approve, At: monday.AddDate(0, 0, 6)},
		{By: "kim", For: "ann", Vote: approval.Approve, At: monday.AddDate(0, 0, 7)},
		{By: "kim", Vote: approval.Approve, At: monday},
	} {
		err := approval.Admit(electorate, nil, ballot)
		fmt.Println(err, errors.Is(err, approval.ErrRefused))
	}
	// Output:
	// <nil> false
	// kim may not vote for ann true
	// kim has no vote true
}

// An escalation is a substitute who stands in after a time; the decision says when
// that is, so that a due action can tell them.
func ExampleSubstitute() {
	monday := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	electorate := approval.Electorate{
		Policy: approval.Policy{Rule: approval.Rule{Of: []approval.Member{
			{Person: "ann", Substitutes: []approval.Substitute{{Person: "head of operations", After: 24 * time.Hour}}},
		}}},
		Opened:   monday,
		Deadline: monday.Add(48 * time.Hour),
	}
	for now := monday; !now.IsZero(); {
		decision, err := approval.Decide(electorate, nil, now)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(now.Format("Mon 15:04"), decision.Outcome, decision.Needed.May)
		now = decision.Next
	}
	// Output:
	// Mon 09:00 open [{ann [ann]}]
	// Tue 09:00 open [{ann [ann head of operations]}]
	// Wed 09:00 expired []
}

// What was decided, as a diagram.
func ExampleDecision_Mermaid() {
	monday := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	electorate := approval.Electorate{Policy: approval.Policy{Rule: approval.Rule{Need: approval.AtLeast(2), Of: approval.Persons("ann", "bob", "cho")}}, Opened: monday}
	decision, err := approval.Decide(electorate, []approval.Ballot{
		{By: "ann", Vote: approval.Reject, At: monday}, {By: "cho", Vote: approval.Reject, At: monday},
	}, monday)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(decision.Mermaid())
	// Output:
	// flowchart TD
	//     n0["at least 2"]:::rejected
	//     n1(["ann"]):::rejected
	//     n0 --> n1
	//     n2(["bob"]):::open
	//     n0 --> n2
	//     n3(["cho"]):::rejected
	//     n0 --> n3
	//     classDef open fill:#fff4ce,stroke:#8a6d00
	//     classDef rejected fill:#fde7e9,stroke:#a4262c
}
