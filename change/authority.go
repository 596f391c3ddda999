package change

import (
	"fmt"
	"slices"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/approval"
	"github.com/go-itsm/itsm/sla"
)

// An AuthorityKind is what kind of change authority decides. A host may use kinds
// of its own beside these.
type AuthorityKind string

const (
	// Automation authorizes at once: rules did, or the pipeline's tests do.
	Automation AuthorityKind = "automation"
	// Peer is a colleague of whoever does it.
	Peer AuthorityKind = "peer"
	// Delegated is a person to whom the authority was given.
	Delegated AuthorityKind = "delegated"
	// CAB is a change advisory board. It is one kind of authority and not a must:
	// boards outside the team slow changes down without fewer of them failing.
	CAB AuthorityKind = "cab"
	// ECAB is the one for emergencies.
	ECAB AuthorityKind = "ecab"
)

// An Authority is a person, a group or a rule that authorizes changes.
type Authority struct {
	Name string        `json:"name"`
	Kind AuthorityKind `json:"kind"`
	// Policy says who has to be in favour. [Automation] has none. A policy whose
	// rule has no members is one for those whom [RequestApproval] names.
	Policy approval.Policy `json:"policy,omitzero"`
}

// An AuthorityRule says whose authority a change needs.
type AuthorityRule struct {
	When      sla.Condition `json:"when,omitempty"`
	Authority string        `json:"authority"`
}

// AuthorityPolicy says which authority decides about which change, as data: the
// first rule that applies. Conditions may ask for the facts of a [RiskPolicy], and
// for risk, the level ("" if it was not assessed).
//
//	{
//	  "authorities": [
//	    {"name": "colleague", "kind": "peer", "policy": {"rule": {"need": "any"}, "exclude": ["author"]}},
//	    {"name": "board", "kind": "cab", "policy": {"rule": {"need": "more than 1/2", "of": [{"role": "cab"}]}, "within": "72h"}}
//	  ],
//	  "rules": [{"when": {"risk": ["low"]}, "authority": "colleague"}, {"authority": "board"}]
//	}
type AuthorityPolicy struct {
	Authorities []Authority     `json:"authorities"`
	Rules       []AuthorityRule `json:"rules"`
}

// Validate returns an [itsm.ErrInvalid] with everything that is wrong with it: also
// if there may be changes about which nobody decides.
func (p AuthorityPolicy) Validate() error {
	var v itsm.Validation
	names := map[string]bool{}
	for i, a := range p.Authorities {
		field := fmt.Sprintf("authorities[%d]", i)
		v.Text(field+".name", a.Name, 1, maxName)
		v.Check(!names[a.Name], field+".name", fmt.Sprintf("%q is there twice", a.Name))
		names[a.Name] = true
		v.Text(field+".kind", string(a.Kind), 1, maxName)
		policy := a.Policy
		switch {
		case a.Kind == Automation:
			v.Check(len(policy.Rule.Of) == 0, field+".policy", "must not name anybody: automation does not vote")
			continue
		case len(policy.Rule.Of) == 0:
			policy.Rule.Of = approval.Persons("somebody") // the rest of it can be wrong all the same
		}
		v.Add(itsm.Under(field+".policy", policy.Validate()))
	}
	for i, r := range p.Rules {
		field := fmt.Sprintf("rules[%d]", i)
		v.Check(names[r.Authority], field+".authority", fmt.Sprintf("%q is not among the authorities", r.Authority))
	}
	v.Check(len(p.Rules) > 0 && len(p.Rules[len(p.Rules)-1].When) == 0, "rules", "must end with one without a condition, so that somebody decides about every change")
	return v.Err()
}

// For returns the authority that decides about a change with these facts.
func (p AuthorityPolicy) For(facts sla.Facts) (Authority, bool) {
	for _, r := range p.Rules {
		if r.When.Holds(facts) {
			i := slices.IndexFunc(p.Authorities, func(a Authority) bool { return a.Name == r.Authority })
			if i < 0 {
				break
			}
			return p.Authorities[i], true
		}
	}
	return Authority{}, false
}

// ParseAuthorityPolicy reads its JSON form. It returns an [itsm.ErrInvalid] with
// every finding, as [itsm.ParseJSON] and [AuthorityPolicy.Validate] have them.
func ParseAuthorityPolicy(data []byte) (AuthorityPolicy, error) {
	return itsm.ParseJSON[AuthorityPolicy](data)
}

// The duties in a change that policies may exclude from voting; the practice knows
// who has them, and the host may know others.
const (
	// DutyAuthor is who proposed the change and who wants it.
	DutyAuthor = "author"
	// DutyImplementer is the person to whom it is assigned.
	DutyImplementer = "implementer"
	// DutyRequester is who asked for the approval.
	DutyRequester = "requester"
)

// DefaultAuthorityPolicy returns the policy that a host has unless it brings its
// own. Those who vote are named in [RequestApproval]; nobody votes about a change
// of their own:
//
//   - automation authorizes standard changes;
//   - an ECAB decides about emergencies, any one of its members;
//   - one peer is enough for a low risk, one delegated person for a medium one;
//   - a CAB decides about everything else, by more than half of its members.
func DefaultAuthorityPolicy() AuthorityPolicy {
	who := func(name string, kind AuthorityKind, need approval.Need) Authority {
		return Authority{name, kind, approval.Policy{Name: name, Rule: approval.Rule{Name: name, Need: need}, Exclude: []string{DutyAuthor}}}
	}
	is := func(fact string, value string) sla.Condition { return sla.Condition{fact: {value}} }
	return AuthorityPolicy{
		Authorities: []Authority{
			{Name: "automation", Kind: Automation},
			who("peer", Peer, approval.Any),
			who("delegated person", Delegated, approval.Any),
			who("CAB", CAB, approval.Majority),
			who("ECAB", ECAB, approval.Any),
		},
		Rules: []AuthorityRule{
			{is("type", string(Standard)), "automation"},
			{is("type", string(Emergency)), "ECAB"},
			{is("risk", string(LowRisk)), "peer"},
			{is("risk", string(MediumRisk)), "delegated person"},
			{nil, "CAB"},
		},
	}
}
