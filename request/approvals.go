package request

import (
	"fmt"
	"slices"
	"time"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/approval"
)

// SeekApproval asks for what has to be approved. Submitting does it for what the
// models ask for; by hand it asks for one more, before or while the request is being
// fulfilled, such as when it turns out to cost more.
type SeekApproval struct {
	// Policy is the name of one of the catalogue's policies.
	Policy string `json:"policy,omitempty"`
	// Items are the numbers of the items that it is about; none means the
	// request as a whole.
	Items  []int  `json:"items,omitempty"`
	Reason string `json:"reason,omitempty"`
	// Approval is set by the practice.
	Approval *Approval `json:"approval,omitempty"`
}

// Action returns "seek_approval".
func (SeekApproval) Action() string { return "seek_approval" }

// Validate checks the reason, which may be empty.
func (a SeekApproval) Validate() error { return itsm.CheckText("reason", a.Reason, 0, maxNote) }

// Apply adds the approval.
func (a SeekApproval) Apply(r *Request, _ itsm.Moment) error {
	var v itsm.Validation
	for i, n := range a.Items {
		v.Check(r.Item(n) != nil, fmt.Sprintf("items[%d]", i), fmt.Sprintf("must be the number of an item, is %d", n))
		v.Check(!slices.Contains(a.Items[:i], n), fmt.Sprintf("items[%d]", i), "is there twice")
	}
	v.Rule(len(r.Approvals) < maxAsked, fmt.Sprintf("a request has at most %d approvals", maxAsked))
	if a.Approval != nil {
		one := *a.Approval
		one.Number = len(r.Approvals) + 1
		r.Approvals = append(r.Approvals, one)
	}
	return v.Err()
}

// Vote is what somebody votes in an approval, for themselves or in another's place.
// The last vote that is needed approves, or refuses, in the same commit.
type Vote struct {
	// Approval is the number of the approval; 0 means the only one that is open.
	Approval int `json:"approval,omitempty"`
	// For is in whose place; empty means in their own.
	For     string        `json:"for,omitempty"`
	Vote    approval.Vote `json:"vote"`
	Comment string        `json:"comment,omitempty"`
	// Outcome and Final are set by the practice: what the votes come to then.
	Outcome approval.Outcome `json:"outcome,omitempty"`
	Final   bool             `json:"final,omitempty"`
}

// Action returns "vote".
func (Vote) Action() string { return "vote" }

// Apply keeps the ballot.
func (a Vote) Apply(r *Request, at itsm.Moment) error {
	one := r.Approval(a.Approval)
	if one == nil {
		return &itsm.FieldError{Field: "approval", Reason: "must be the number of an approval"}
	}
	one.Ballots = append(one.Ballots, a.ballot(one, at))
	one.Outcome, one.Final = a.Outcome, a.Final
	return nil
}

// ballot is the vote, not before those that were cast before it: a clock that went
// back, or another host's, does not make an earlier vote of somebody's the last.
func (a Vote) ballot(one *Approval, at itsm.Moment) approval.Ballot {
	return approval.Ballot{By: at.Actor.ID, For: a.For, Vote: a.Vote, At: one.now(at.At), Comment: a.Comment}
}

// prepare counts the votes with this one.
func (a Vote) prepare(r *Request, at itsm.Moment) (itsm.Action[Request], error) {
	one, err := r.open(a.Approval)
	if err != nil {
		return a, err
	}
	a.Approval = one.Number
	b := a.ballot(one, at)
	var v itsm.Validation
	if err := approval.Admit(one.Electorate, one.Ballots, b); err != nil {
		v.Add(err)
		return a, v.Err()
	}
	a.Outcome, a.Final, err = one.count(at.At, b)
	v.Add(itsm.Under("approval", err))
	return a, v.Err()
}

// open returns the approval of a number that still takes votes; 0 is the only one.
func (r *Request) open(number int) (*Approval, error) {
	if number != 0 {
		one := r.Approval(number)
		switch {
		case one == nil:
			return nil, &itsm.FieldError{Field: "approval", Reason: fmt.Sprintf("must be the number of an approval, is %d", number)}
		case one.Final:
			return nil, itsm.Refuse("approval %d is %s", number, one.Outcome)
		case !r.asks(one):
			return nil, itsm.Refuse("nobody is asked about approval %d: the request is %s", number, r.State)
		}
		return one, nil
	}
	var open []*Approval
	for i := range r.Approvals {
		if one := &r.Approvals[i]; !one.Final && r.asks(one) {
			open = append(open, &r.Approvals[i])
		}
	}
	switch len(open) {
	case 0:
		return nil, itsm.Refuse("no approval is open")
	case 1:
		return open[0], nil
	}
	return nil, &itsm.FieldError{Field: "approval", Reason: fmt.Sprintf("must be given: %d are open", len(open))}
}

// asks reports whether those who vote in an approval are asked: about the order itself
// while it waits for them, about an extension at any time.
func (r *Request) asks(a *Approval) bool { return a.Extends > 0 || r.State == AwaitingApproval }

// now is a moment, but not before the last that was said in the approval.
func (a *Approval) now(at time.Time) time.Time { return a.Electorate.Moment(a.Ballots, at) }

// count says what the votes come to, with some more.
func (a *Approval) count(at time.Time, more ...approval.Ballot) (approval.Outcome, bool, error) {
	d, err := approval.Decide(a.Electorate, slices.Concat(a.Ballots, more), a.now(at))
	return d.Outcome, d.Final, err
}

// Delegate lets another vote in the actor's place, in one approval or in all that
// are open.
type Delegate struct {
	// Approval is the number of the approval; 0 means the only one that is open.
	Approval int    `json:"approval,omitempty"`
	To       string `json:"to"`
	// Until is for how long; zero means until it is decided.
	Until time.Time `json:"until,omitzero"`
}

// Action returns "delegate".
func (Delegate) Action() string { return "delegate" }

// Validate checks that it says to whom.
func (a Delegate) Validate() error { return itsm.CheckText("to", a.To, 1, maxName) }

// Apply keeps the delegation.
func (a Delegate) Apply(r *Request, at itsm.Moment) error {
	one := r.Approval(a.Approval)
	if one == nil {
		return &itsm.FieldError{Field: "approval", Reason: "must be the number of an approval"}
	}
	one.Electorate.Delegations = append(one.Electorate.Delegations, a.delegation(at))
	return nil
}

func (a Delegate) delegation(at itsm.Moment) approval.Delegation {
	return approval.Delegation{Of: at.Actor.ID, To: a.To, From: at.At, Until: a.Until}
}

// prepare finds out whether there is a vote to pass on, and whether it can be.
func (a Delegate) prepare(r *Request, at itsm.Moment) (itsm.Action[Request], error) {
	one, err := r.open(a.Approval)
	if err != nil {
		return a, err
	}
	a.Approval = one.Number
	var v itsm.Validation
	d, err := approval.Decide(one.Electorate, one.Ballots, one.now(at.At))
	v.Add(itsm.Under("approval", err))
	mine := func(t approval.Turn) bool { return slices.Contains(t.By, at.Actor.ID) }
	v.Rule(err != nil || slices.ContainsFunc(d.Needed.May, mine), at.Actor.ID+" is not asked for a vote")
	if a.To != "" {
		with := one.Electorate
		with.Delegations = append(slices.Clone(with.Delegations), a.delegation(at))
		v.Add(with.Validate())
	}
	return a, v.Err()
}

// CountVotes is what happens at the deadline of an approval: those who are silent
// are counted as its policy says, or it expires.
type CountVotes struct {
	Due time.Time `json:"due"`
	// Counts are set by the practice.
	Counts []Count `json:"counts,omitempty"`
}

// A Count is what the votes in one approval came to.
type Count struct {
	Approval int              `json:"approval"`
	Outcome  approval.Outcome `json:"outcome"`
}

// Action returns "count_votes".
func (CountVotes) Action() string { return "count_votes" }

// Apply keeps what they came to.
func (a CountVotes) Apply(r *Request, _ itsm.Moment) error {
	for _, c := range a.Counts {
		if one := r.Approval(c.Approval); one != nil {
			one.Outcome, one.Final = c.Outcome, true
		}
	}
	return nil
}

func (a CountVotes) prepare(r *Request, at itsm.Moment) (itsm.Action[Request], error) {
	a.Counts = nil
	now := at.At
	if a.Due.After(now) {
		now = a.Due
	}
	for i := range r.Approvals {
		one := &r.Approvals[i]
		if one.Final || !r.asks(one) || one.Electorate.Deadline.IsZero() || one.Electorate.Deadline.After(now) {
			continue
		}
		outcome, _, err := one.count(now)
		if err != nil { // nobody can tell what they come to
			outcome = approval.Expired
		}
		a.Counts = append(a.Counts, Count{one.Number, outcome})
	}
	return a, nil
}

// Approve is what follows when nothing has to be approved any more.
type Approve struct{}

// Action returns "approve".
func (Approve) Action() string { return "approve" }

// Guard refuses while something is not approved.
func (Approve) Guard(r *Request, _ itsm.Moment) error { return r.unapproved() }

// Apply sets the milestone.
func (Approve) Apply(r *Request, at itsm.Moment) error {
	r.Milestones.Approved = at.At
	return nil
}

// Proceed is what follows when something was approved while the request was being
// fulfilled.
type Proceed struct{}

// Action returns "proceed".
func (Proceed) Action() string { return "proceed" }

// Guard refuses while something is not approved.
func (Proceed) Guard(r *Request, _ itsm.Moment) error { return r.unapproved() }

// Apply sets the milestone.
func (Proceed) Apply(r *Request, at itsm.Moment) error {
	r.Milestones.Approved = at.At
	return nil
}

// Refuse is what follows when something was not approved, or not in time: the request
// as a whole is rejected, and what had been done already is taken back.
type Refuse struct {
	Approval int              `json:"approval"`
	Outcome  approval.Outcome `json:"outcome"`
}

// Action returns "refuse".
func (Refuse) Action() string { return "refuse" }

// Apply says why.
func (a Refuse) Apply(r *Request, at itsm.Moment) error {
	r.Rejection = fmt.Sprintf("approval %d is %s", a.Approval, a.Outcome)
	if one := r.Approval(a.Approval); one != nil {
		r.Rejection = fmt.Sprintf("%s is %s", one.Policy, a.Outcome)
	}
	r.withdraw(at.At)
	return nil
}

// Reject turns a request down that nobody has to vote about: it is not agreed to be
// delivered.
type Reject struct {
	Reason string `json:"reason"`
}

// Action returns "reject".
func (Reject) Action() string { return "reject" }

// Validate checks the reason.
func (a Reject) Validate() error { return needReason(a.Reason) }

// Apply says why.
func (a Reject) Apply(r *Request, at itsm.Moment) error {
	r.Rejection = a.Reason
	r.withdraw(at.At)
	return nil
}

// voted says what follows from the votes, if anything.
func (r *Request) voted() itsm.Action[Request] {
	for _, a := range r.Approvals {
		if a.Extends == 0 && a.decided() && a.Outcome != approval.Approved {
			return Refuse{a.Number, a.Outcome}
		}
	}
	switch {
	case r.unapproved() != nil:
		return nil
	case r.Milestones.Started.IsZero():
		return Approve{}
	}
	return Proceed{}
}

// deadline returns the first one of the approvals that are asked for and not final.
func (r *Request) deadline() time.Time {
	var first time.Time
	for i := range r.Approvals {
		a := &r.Approvals[i]
		if d := a.Electorate.Deadline; !a.Final && r.asks(a) && before(d, first) {
			first = d
		}
	}
	return first
}
