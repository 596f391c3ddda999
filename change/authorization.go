package change

import (
	"fmt"
	"time"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/approval"
)

// RequestApproval asks the change authority that decides about a change of this
// type, model and risk. Until it has decided, what is voted on stands still. One
// that authorizes by rules does so in the same commit.
type RequestApproval struct {
	// Approvers are those who vote, where the authority's policy leaves that open;
	// otherwise nobody is to be named.
	Approvers []string `json:"approvers,omitempty"`
	Note      string   `json:"note,omitempty"`

	// Poll and Conflicts are set by the practice: who decides, and what the
	// window collides with now.
	Poll      Poll       `json:"poll,omitzero"`
	Conflicts []Conflict `json:"conflicts,omitempty"`
}

// A Poll is an authority with the people that it came to.
type Poll struct {
	Authority  string              `json:"authority"`
	Kind       AuthorityKind       `json:"kind"`
	Electorate approval.Electorate `json:"electorate,omitzero"`
	Standing   approval.Standing   `json:"standing"`
}

// Action returns "request_approval".
func (RequestApproval) Action() string { return "request_approval" }

// Validate checks the names.
func (a RequestApproval) Validate() error {
	var v itsm.Validation
	v.Texts("approvers", a.Approvers, maxApprovers, maxName)
	v.Text("note", a.Note, 0, maxNote)
	return v.Err()
}

// Guard refuses, once the work has begun, unless there is nothing that was decided
// or will be.
func (RequestApproval) Guard(r *Change, _ itsm.Moment) error {
	if r.Started.IsZero() || r.State == Scheduled {
		return nil
	}
	var v itsm.Validation
	v.Rule(r.Approval.Retrospective, "no approval afterwards is wanted")
	v.Rule(!r.Approval.Given() && r.Approval.Outcome != approval.Open, "its authority was asked already")
	return v.Err()
}

// Apply opens the vote.
func (a RequestApproval) Apply(r *Change, at itsm.Moment) error {
	r.Conflicts = a.Conflicts
	r.open(a.Poll, at)
	return nil
}

// Follow authorizes where no vote is needed.
func (RequestApproval) Follow(r *Change, _ itsm.Moment) itsm.Action[Change] { return r.settle() }

// open asks an authority.
func (r *Change) open(p Poll, at itsm.Moment) {
	r.Approval = Approval{
		Authority: p.Authority, Kind: p.Kind, Electorate: p.Electorate,
		Requested: at.At, By: at.Actor.ID,
		Retrospective: r.Approval.Retrospective, Rounds: r.Approval.Rounds + 1,
	}
	r.stand(p.Standing)
}

// stand keeps how the vote stands.
func (r *Change) stand(s approval.Standing) {
	r.Approval.Outcome, r.Approval.Decided, r.Approval.Next, r.Approval.Asked = s.Outcome, s.At, s.Next, s.Asked
}

// settle says what follows from how the vote stands. Beside a change that is being
// carried out, nothing does; everywhere else its state follows the vote.
func (r *Change) settle() itsm.Action[Change] {
	switch outcome := r.Approval.Outcome; {
	case outcome == approval.Approved && r.State == Authorize:
		return Approve{}
	case outcome == approval.Rejected && (r.State == Authorize || r.State == Scheduled):
		return Disapprove{}
	case outcome == approval.Expired && r.State == Authorize:
		return ExpireApproval{}
	case outcome == approval.Approved && r.State == Rejected,
		outcome == approval.Open && (r.State == Rejected || r.State == Scheduled):
		return Reconsider{}
	}
	return nil
}

// Vote casts a vote, changes one, or takes it back. The last one that is needed
// authorizes the change or rejects it, in the same commit.
type Vote struct {
	Vote approval.Vote `json:"vote"`
	// For is in whose place; empty means in one's own.
	For string `json:"for,omitempty"`
	// Comment says why.
	Comment string `json:"comment,omitempty"`
	// Standing is set by the practice: how the vote stands then.
	Standing approval.Standing `json:"standing,omitzero"`
}

// Action returns "vote".
func (Vote) Action() string { return "vote" }

// Validate checks the vote.
func (a Vote) Validate() error {
	return itsm.Under("", a.ballot(Approval{}, itsm.Moment{Actor: itsm.Actor{ID: "somebody"}, At: time.Unix(0, 0)}).Validate())
}

func (a Vote) ballot(in Approval, at itsm.Moment) approval.Ballot {
	return approval.Ballot{By: at.Actor.ID, For: a.For, Vote: a.Vote, At: in.Electorate.Moment(in.Ballots, at.At), Comment: a.Comment}
}

// Guard refuses unless people vote about the change.
func (Vote) Guard(r *Change, _ itsm.Moment) error { return r.votes() }

func (r *Change) votes() error {
	var v itsm.Validation
	v.Rule(r.Approval.asked() && len(r.Approval.Electorate.Policy.Rule.Of) > 0, "nobody votes about it")
	v.Rule(r.Started.IsZero() || r.Approval.Retrospective, "the work has begun with its authority")
	v.Rule(len(r.Approval.Ballots) < maxBallots, fmt.Sprintf("there are %d votes already", maxBallots))
	return v.Err()
}

// Apply keeps the vote.
func (a Vote) Apply(r *Change, at itsm.Moment) error {
	r.Approval.Ballots = append(r.Approval.Ballots, a.ballot(r.Approval, at))
	r.stand(a.Standing)
	return nil
}

// Follow moves the change to where the vote stands.
func (Vote) Follow(r *Change, _ itsm.Moment) itsm.Action[Change] { return r.settle() }

// Delegate lets another vote in one's own place for a time.
type Delegate struct {
	To string `json:"to"`
	// Until is when that ends; zero means with the vote.
	Until time.Time `json:"until,omitzero"`
	// Standing is set by the practice.
	Standing approval.Standing `json:"standing,omitzero"`
}

// Action returns "delegate".
func (Delegate) Action() string { return "delegate" }

// Validate checks the name.
func (a Delegate) Validate() error { return itsm.CheckText("to", a.To, 1, maxName) }

// Guard refuses unless people vote about the change.
func (Delegate) Guard(r *Change, _ itsm.Moment) error {
	if err := r.votes(); err != nil {
		return err
	}
	if r.Approval.Outcome != approval.Open {
		return itsm.Refuse("it is decided")
	}
	return nil
}

func (a Delegate) delegation(at itsm.Moment) approval.Delegation {
	return approval.Delegation{Of: at.Actor.ID, To: a.To, From: at.At, Until: a.Until}
}

// Apply keeps the delegation.
func (a Delegate) Apply(r *Change, at itsm.Moment) error {
	if !a.Until.IsZero() && !a.Until.After(at.At) {
		return &itsm.FieldError{Field: "until", Reason: "must be after now"}
	}
	r.Approval.Electorate.Delegations = append(r.Approval.Electorate.Delegations, a.delegation(at))
	r.stand(a.Standing)
	return nil
}

// Follow moves the change to where the vote stands: its time may have been over.
func (Delegate) Follow(r *Change, _ itsm.Moment) itsm.Action[Change] { return r.settle() }

// CountVotes is what time does to a vote: its deadline passes, or somebody may vote
// in the place of one who did not.
type CountVotes struct {
	// Due is when that was.
	Due      time.Time         `json:"due"`
	Standing approval.Standing `json:"standing,omitzero"`
}

// Action returns "count_votes".
func (CountVotes) Action() string { return "count_votes" }

// Apply keeps how the vote stands.
func (a CountVotes) Apply(r *Change, _ itsm.Moment) error {
	r.stand(a.Standing)
	return nil
}

// Follow moves the change to where the vote stands.
func (CountVotes) Follow(r *Change, _ itsm.Moment) itsm.Action[Change] { return r.settle() }

// Approve is what a vote in favour does: the change is authorized, and scheduled.
type Approve struct{}

// Action returns "authorize".
func (Approve) Action() string { return "authorize" }

// Apply changes nothing but the state.
func (Approve) Apply(*Change, itsm.Moment) error { return nil }

// Disapprove is what a vote against does.
type Disapprove struct{}

// Action returns "disapprove".
func (Disapprove) Action() string { return "disapprove" }

// Apply changes nothing but the state.
func (Disapprove) Apply(*Change, itsm.Moment) error { return nil }

// ExpireApproval is what happens when the time to decide is over and nobody has.
type ExpireApproval struct{}

// Action returns "expire_approval".
func (ExpireApproval) Action() string { return "expire_approval" }

// Apply changes nothing but the state.
func (ExpireApproval) Apply(*Change, itsm.Moment) error { return nil }

// Reconsider is what a change of mind does, where the policy recounts: the change
// waits for its authority again, or is authorized after all.
type Reconsider struct{}

// Action returns "reconsider".
func (Reconsider) Action() string { return "reconsider" }

// Apply changes nothing but the state.
func (Reconsider) Apply(*Change, itsm.Moment) error { return nil }

// Follow authorizes what is authorized after all.
func (Reconsider) Follow(r *Change, _ itsm.Moment) itsm.Action[Change] { return r.settle() }

// Reject turns a change down before its authority is asked, or takes back what it
// said, with the reason. Where a vote is open, only the vote decides.
type Reject struct {
	Reason string `json:"reason"`
}

// Action returns "reject".
func (Reject) Action() string { return "reject" }

// Validate checks that it says why.
func (a Reject) Validate() error { return needReason(a.Reason) }

// Apply keeps the reason.
func (a Reject) Apply(r *Change, at itsm.Moment) error {
	r.Approval = Approval{Outcome: approval.Rejected, By: at.Actor.ID, Decided: at.At, Reason: a.Reason, Rounds: r.Approval.Rounds}
	return nil
}

// Expedite begins the work before the authority has decided, where the model
// permits that ([Model].Afterwards). The authority is asked now, unless it was
// already, and what it says is wanted before the change is closed.
type Expedite struct {
	Reason string `json:"reason"`
	// Approvers are those who vote, where the authority's policy leaves that open.
	Approvers []string `json:"approvers,omitempty"`

	// Poll and Conflicts are set by the practice.
	Poll      Poll       `json:"poll,omitzero"`
	Conflicts []Conflict `json:"conflicts,omitempty"`
}

// Action returns "expedite".
func (Expedite) Action() string { return "expedite" }

// Validate checks reason and names.
func (a Expedite) Validate() error {
	var v itsm.Validation
	v.Add(needReason(a.Reason))
	v.Texts("approvers", a.Approvers, maxApprovers, maxName)
	return v.Err()
}

// Apply begins the work and the vote.
func (a Expedite) Apply(r *Change, at itsm.Moment) error {
	r.Conflicts = a.Conflicts
	if r.State != Authorize {
		r.open(a.Poll, at)
	}
	r.Approval.Retrospective = true
	r.begin(at)
	return nil
}

// begin is what the beginning of the work does.
func (r *Change) begin(at itsm.Moment) {
	r.Assignment.Take(at)
	r.Started = at.At
}
