package problem

import (
	"fmt"
	"time"

	"github.com/go-itsm/itsm"
)

// AcceptRisk says that somebody answers for the risk that stays, and when that has to
// be looked at again. It moves nothing: with it the problem may be put on hold,
// resolved or closed. It renews an acceptance too, also of what is closed.
type AcceptRisk struct {
	// Owner is who answers for it: the product or service owner.
	Owner  string `json:"owner"`
	Reason string `json:"reason"`
	// Review is when the acceptance ends unless it is renewed.
	Review time.Time `json:"review"`
}

// Action returns "accept_risk".
func (AcceptRisk) Action() string { return "accept_risk" }

// Validate checks that it says who, why and until when.
func (a AcceptRisk) Validate() error {
	var v itsm.Validation
	v.Text("owner", a.Owner, 1, maxName)
	v.Add(needReason(a.Reason))
	v.Check(!a.Review.IsZero(), "review", "must be given: no risk is accepted for ever")
	return v.Err()
}

// Guard refuses for what is over in another way.
func (AcceptRisk) Guard(r *Problem, _ itsm.Moment) error {
	if c := r.Resolution.Code; c != "" && !c.Accepts() {
		return itsm.Refuse("it ended as %s: there is no risk to accept", c)
	}
	return nil
}

// Apply keeps it.
func (a AcceptRisk) Apply(r *Problem, at itsm.Moment) error {
	if !a.Review.After(at.At) {
		return &itsm.FieldError{Field: "review", Reason: "must be after now"}
	}
	r.Acceptance = Acceptance{Owner: a.Owner, Reason: a.Reason, By: at.Actor.ID, At: at.At, Review: a.Review}
	return nil
}

// WithdrawAcceptance says that nobody answers for the risk any longer. To withdraw that of
// a closed problem, it is reopened.
type WithdrawAcceptance struct {
	Reason string `json:"reason"`
}

// Action returns "withdraw_acceptance".
func (WithdrawAcceptance) Action() string { return "withdraw_acceptance" }

// Validate checks that it says why.
func (a WithdrawAcceptance) Validate() error { return needReason(a.Reason) }

// Guard refuses if there is none.
func (WithdrawAcceptance) Guard(r *Problem, _ itsm.Moment) error {
	if r.Acceptance == (Acceptance{}) {
		return itsm.Refuse("its risk is not accepted")
	}
	return nil
}

// Apply forgets it.
func (WithdrawAcceptance) Apply(r *Problem, _ itsm.Moment) error {
	r.Acceptance = Acceptance{}
	return nil
}

// LapseAcceptance is what happens when an acceptance has to be looked at again and
// nobody has renewed it. What was closed on it is open again.
type LapseAcceptance struct {
	Due time.Time `json:"due"`
}

// Action returns "lapse_acceptance".
func (LapseAcceptance) Action() string { return "lapse_acceptance" }

// Apply notes it.
func (LapseAcceptance) Apply(r *Problem, _ itsm.Moment) error {
	r.Acceptance.Lapsed = true
	if r.State == Closed {
		r.revive()
	}
	return nil
}

// settle says why a problem must not end with a code now: it ends if the risk is
// removed, if somebody answers for what stays of it, or if it does not affect the
// organization any more.
func (r *Problem) settle(code ResolutionCode) error {
	var v itsm.Validation
	v.Rule(!code.Accepts() || r.Acceptance.Standing(), fmt.Sprintf("nobody answers for its risk, which %s leaves: it has to be accepted", code))
	return v.Err()
}

// settled keeps how it ended.
func (r *Problem) settled(code ResolutionCode, note string, at itsm.Moment) {
	r.Hold = Hold{}
	r.Resolution = Resolution{Code: code, Note: note, By: at.Actor.ID, At: at.At}
	if !code.Accepts() {
		r.Acceptance = Acceptance{}
	}
	r.endControl(at)
}

// revive forgets how it ended: it is investigated anew.
func (r *Problem) revive() {
	r.Reopens++
	r.Resolution, r.Observation, r.Closed = Resolution{}, Observation{}, time.Time{}
	r.restart()
}

func validEnd(code ResolutionCode, note string) error {
	var v itsm.Validation
	v.Text("code", string(code), 1, maxName)
	v.Check(code != Duplicate, "code", "must not be duplicate, which only merging sets")
	v.Check(code != NoProblem, "code", "must not be cancelled, which only cancelling sets")
	v.Text("note", note, 1, maxNote)
	return v.Err()
}

// Resolve says that the problem is removed, or that what stays of it is accepted, and
// how that is known.
type Resolve struct {
	Code ResolutionCode `json:"code"`
	Note string         `json:"note"`
}

// Action returns "resolve".
func (Resolve) Action() string { return "resolve" }

// Validate checks code and note.
func (a Resolve) Validate() error { return validEnd(a.Code, a.Note) }

// Apply refuses what leaves a risk for which nobody answers.
func (a Resolve) Apply(r *Problem, at itsm.Moment) error {
	if err := r.settle(a.Code); err != nil {
		return err
	}
	r.settled(a.Code, a.Note, at)
	return nil
}

// Monitor begins the observation of a problem that is resolved: it has to prove that it
// does not come back. If nothing happens it is closed at the end.
type Monitor struct {
	// Until is when it ends; zero means by the host's rule ([Config].Observation).
	Until time.Time `json:"until,omitzero"`
}

// Action returns "monitor".
func (Monitor) Action() string { return "monitor" }

// Guard refuses where nothing was done that has to prove itself.
func (Monitor) Guard(r *Problem, _ itsm.Moment) error {
	if !r.Resolution.Code.Fixes() {
		return itsm.Refuse("it ended as %s: there is no fix to observe", r.Resolution.Code)
	}
	return nil
}

// Apply keeps since and until when.
func (a Monitor) Apply(r *Problem, at itsm.Moment) error {
	if !a.Until.After(at.At) {
		return &itsm.FieldError{Field: "until", Reason: "must be after now"}
	}
	r.Observation = Observation{Since: at.At, Until: a.Until}
	return nil
}

// EndObservation is what happens at the end of an observation in which the problem did
// not come back.
type EndObservation struct {
	Due time.Time `json:"due"`
}

// Action returns "end_observation".
func (EndObservation) Action() string { return "end_observation" }

// Apply closes it.
func (EndObservation) Apply(r *Problem, at itsm.Moment) error {
	if err := r.closable(r.Resolution.Code); err != nil {
		return err
	}
	r.Observation.Over, r.Closed = true, at.At
	return nil
}

// OutlastObservation is what happens at the end of an observation where something is
// still left to be done before the problem may be closed.
type OutlastObservation struct {
	Due time.Time `json:"due"`
}

// Action returns "outlast_observation".
func (OutlastObservation) Action() string { return "outlast_observation" }

// Apply notes it.
func (OutlastObservation) Apply(r *Problem, _ itsm.Moment) error {
	r.Observation.Over = true
	return nil
}

// closable lists what has to be done before the problem is closed with a code.
func (r *Problem) closable(code ResolutionCode) error {
	var v itsm.Validation
	v.Add(r.settle(code))
	v.Rule(!r.Major || !r.Review.Completed.IsZero(), "it is a major problem and was not reviewed")
	v.Add(r.tasksDone())
	return v.Err()
}

// RejectFix says that the problem came back: the fix did not hold, and is taken up
// again.
type RejectFix struct {
	Reason string `json:"reason"`
	// Incident is one that shows it; a link is made of it ([ShownBy]).
	Incident itsm.Ref `json:"incident,omitzero"`
}

// Action returns "reject_fix".
func (RejectFix) Action() string { return "reject_fix" }

// Validate checks that it says why.
func (a RejectFix) Validate() error {
	var v itsm.Validation
	v.Add(needReason(a.Reason))
	if a.Incident != (itsm.Ref{}) {
		v.Ref("incident", a.Incident)
	}
	return v.Err()
}

// Guard refuses unless something was fixed.
func (RejectFix) Guard(r *Problem, _ itsm.Moment) error {
	if !r.Resolution.Code.Fixes() {
		return itsm.Refuse("it ended as %s, without a fix: it can be reopened", r.Resolution.Code)
	}
	return nil
}

// Apply counts it.
func (a RejectFix) Apply(r *Problem, at itsm.Moment) error {
	r.Returns++
	r.Resolution, r.Observation = Resolution{}, Observation{}
	link := itsm.Link{Rel: ShownBy, To: a.Incident}
	for _, have := range r.Links {
		if have == link {
			return nil
		}
	}
	if a.Incident == (itsm.Ref{}) {
		return nil
	}
	return Link{Link: link}.Apply(r, at)
}

// Reopen investigates anew what was resolved or closed: the causes were others, or the
// risk is not acceptable any longer.
type Reopen struct {
	Reason string `json:"reason"`
}

// Action returns "reopen".
func (Reopen) Action() string { return "reopen" }

// Validate checks that it says why.
func (a Reopen) Validate() error { return needReason(a.Reason) }

// Apply forgets how it ended, which the history keeps. Where no person is assigned, it
// is whoever reopens.
func (Reopen) Apply(r *Problem, at itsm.Moment) error {
	r.Assignment.Take(at)
	r.Acceptance = Acceptance{}
	r.revive()
	return nil
}

// Close says that the problem is over. It is admitted if the risk is removed, if
// somebody answers for what stays of it, or if the problem does not affect the
// organization any more; otherwise it stays open and is looked at again.
type Close struct {
	// Code is how it ended; of what is resolved that was said before.
	Code ResolutionCode `json:"code,omitempty"`
	Note string         `json:"note,omitempty"`
}

// Action returns "close".
func (Close) Action() string { return "close" }

// Validate checks code and note, if they are given.
func (a Close) Validate() error {
	if a.Code != "" {
		return validEnd(a.Code, a.Note)
	}
	var v itsm.Validation
	v.Text("note", a.Note, 0, maxNote)
	return v.Err()
}

// Guard refuses while something is left to be done.
func (Close) Guard(r *Problem, _ itsm.Moment) error { return r.closable(r.Resolution.Code) }

// Apply keeps how and when it ended.
func (a Close) Apply(r *Problem, at itsm.Moment) error {
	var v itsm.Validation
	if had := r.Resolution.Code; had != "" {
		v.Check(a.Code == "" || a.Code == had, "code", fmt.Sprintf("is %s already", had))
	} else {
		v.Check(a.Code != "", "code", "must be given: it was not resolved")
		v.Add(r.settle(a.Code))
		r.settled(a.Code, a.Note, at)
	}
	r.Observation.Over = r.Observation != Observation{}
	r.Closed = at.At
	return v.Err()
}

// Cancel says that there was no problem.
type Cancel struct {
	Reason string `json:"reason"`
}

// Action returns "cancel".
func (Cancel) Action() string { return "cancel" }

// Validate checks that it says why.
func (a Cancel) Validate() error { return needReason(a.Reason) }

// Apply keeps the reason.
func (a Cancel) Apply(r *Problem, at itsm.Moment) error {
	r.settled(NoProblem, a.Reason, at)
	r.Closed = at.At
	return nil
}

// Merge says that this problem is the same as another one, in which the work goes on.
type Merge struct {
	Into itsm.ID `json:"into"`
}

// Action returns "merge".
func (Merge) Action() string { return "merge" }

// Validate checks that it says into which.
func (a Merge) Validate() error { return itsm.CheckText("into", string(a.Into), 1, 500) }

// Apply points to the other.
func (a Merge) Apply(r *Problem, at itsm.Moment) error {
	if a.Into == r.ID {
		return &itsm.FieldError{Field: "into", Reason: "must be another problem"}
	}
	r.settled(Duplicate, "", at)
	r.MergedInto, r.Closed = a.Into, at.At
	return nil
}

// Absorb is what merging does to the problem in which the work goes on.
type Absorb struct {
	From itsm.ID `json:"from"`
}

// Action returns "absorb".
func (Absorb) Action() string { return "absorb" }

// Apply points to the one merged.
func (a Absorb) Apply(r *Problem, at itsm.Moment) error {
	return Link{Link: itsm.Link{Rel: MergedFrom, To: Ref(a.From)}}.Apply(r, at)
}
