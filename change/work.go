package change

import (
	"fmt"
	"slices"
	"time"

	"github.com/go-itsm/itsm"
)

// Start begins to carry the change out. Where no person is assigned, it is whoever
// starts.
type Start struct {
	// Conflicts are set by the practice: what the window collides with now.
	Conflicts []Conflict `json:"conflicts,omitempty"`
}

// Action returns "start".
func (Start) Action() string { return "start" }

// Apply keeps when and who. A vote that could still be recounted is over: from now
// on it is a back-out that takes a change back.
func (a Start) Apply(r *Change, at itsm.Moment) error {
	r.Conflicts = a.Conflicts
	if !r.Approval.Retrospective {
		r.Approval.Next, r.Approval.Asked = time.Time{}, nil
	}
	r.begin(at)
	return nil
}

// Postpone stops the work before anything is done and waits for another time.
type Postpone struct {
	Reason string `json:"reason"`
}

// Action returns "postpone".
func (Postpone) Action() string { return "postpone" }

// Validate checks that it says why.
func (a Postpone) Validate() error { return needReason(a.Reason) }

// Guard refuses once something was done that a back-out would have to undo.
func (Postpone) Guard(r *Change, _ itsm.Moment) error {
	var v itsm.Validation
	v.Rule(r.BackOut.Started.IsZero(), "its back-out has begun")
	for _, t := range r.Tasks {
		v.Rule(t.Kind != ImplementationTask || t.State == TaskOpen || t.State == TaskSkipped, fmt.Sprintf("task %q is %s: it has to be completed or backed out", t.Key, t.State))
	}
	return v.Err()
}

// Apply forgets that the work had begun.
func (Postpone) Apply(r *Change, _ itsm.Moment) error {
	r.Started = time.Time{}
	return nil
}

// StartTesting ends the work for now, to see whether it does what it should.
type StartTesting struct{}

// Action returns "start_testing".
func (StartTesting) Action() string { return "start_testing" }

// Guard refuses during a back-out.
func (StartTesting) Guard(r *Change, _ itsm.Moment) error { return notBackingOut(r) }

// Apply changes nothing but the state.
func (StartTesting) Apply(*Change, itsm.Moment) error { return nil }

func (r *Change) backingOut() bool {
	return !r.BackOut.Started.IsZero() && r.BackOut.Completed.IsZero()
}

func notBackingOut(r *Change) error {
	if r.backingOut() {
		return itsm.Refuse("it is being backed out")
	}
	return nil
}

// RecordValidation says whether the change does what it should. The last word
// counts.
type RecordValidation struct {
	Passed bool   `json:"passed"`
	Note   string `json:"note,omitempty"`
}

// Action returns "record_validation".
func (RecordValidation) Action() string { return "record_validation" }

// Validate checks the note.
func (a RecordValidation) Validate() error { return itsm.CheckText("note", a.Note, 0, maxNote) }

// Apply keeps it.
func (a RecordValidation) Apply(r *Change, at itsm.Moment) error {
	r.Validation = Validation{a.Passed, a.Note, at.Actor.ID, at.At}
	return nil
}

// Rework takes the work up again, from a test or from the review: what was said to
// come of it is void.
type Rework struct {
	Reason string `json:"reason"`
}

// Action returns "rework".
func (Rework) Action() string { return "rework" }

// Validate checks that it says why.
func (a Rework) Validate() error { return needReason(a.Reason) }

// Guard refuses during a back-out, and for what was recorded afterwards.
func (Rework) Guard(r *Change, _ itsm.Moment) error {
	var v itsm.Validation
	v.Add(notBackingOut(r))
	v.Rule(!r.Unauthorized, "it was recorded after it had been carried out")
	return v.Err()
}

// Apply counts it.
func (Rework) Apply(r *Change, _ itsm.Moment) error {
	r.Reworks++
	r.Outcome, r.OutcomeNote, r.Ended, r.Recovered = "", "", time.Time{}, time.Time{}
	r.BackOut, r.Validation, r.Review = BackOut{}, Validation{}, PostImplementationReview{}
	return nil
}

// StartBackOut begins to undo what was done, as the plan says.
type StartBackOut struct {
	Reason string `json:"reason"`
}

// Action returns "start_back_out".
func (StartBackOut) Action() string { return "start_back_out" }

// Validate checks that it says why.
func (a StartBackOut) Validate() error { return needReason(a.Reason) }

// Guard refuses a second one.
func (StartBackOut) Guard(r *Change, _ itsm.Moment) error { return notBackingOut(r) }

// Apply keeps when and who.
func (a StartBackOut) Apply(r *Change, at itsm.Moment) error {
	r.BackOut = BackOut{Reason: a.Reason, Started: at.At, By: at.Actor.ID}
	return nil
}

// CompleteBackOut says that everything is as it was before the change, which ends
// the work.
type CompleteBackOut struct {
	// Note says how that is known.
	Note string `json:"note"`
	// ReviewDue is set by the practice.
	ReviewDue time.Time `json:"review_due,omitzero"`
}

// Action returns "complete_back_out".
func (CompleteBackOut) Action() string { return "complete_back_out" }

// Validate checks the note.
func (a CompleteBackOut) Validate() error { return itsm.CheckText("note", a.Note, 1, maxNote) }

// Guard refuses unless a back-out was begun.
func (CompleteBackOut) Guard(r *Change, _ itsm.Moment) error {
	if !r.backingOut() {
		return itsm.Refuse("its back-out has not begun")
	}
	return nil
}

// Apply sets the outcome. With the back-out, service is restored.
func (a CompleteBackOut) Apply(r *Change, at itsm.Moment) error {
	r.BackOut.Completed, r.BackOut.Note = at.At, a.Note
	r.finish(BackedOut, a.Note, a.ReviewDue, at)
	r.Recovered = at.At
	return nil
}

// finish ends the work.
func (r *Change) finish(outcome Outcome, note string, review time.Time, at itsm.Moment) {
	r.Outcome, r.OutcomeNote, r.Ended, r.Review.Due = outcome, note, at.At, review
}

// Complete ends the work with what came of it.
type Complete struct {
	// Outcome is successful, successful_with_issues or failed; what was backed out
	// is completed by [CompleteBackOut].
	Outcome Outcome `json:"outcome"`
	Note    string  `json:"note,omitempty"`
	// ReviewDue is set by the practice.
	ReviewDue time.Time `json:"review_due,omitzero"`
}

// Action returns "complete".
func (Complete) Action() string { return "complete" }

// Validate checks the outcome, of which issues and failures need a word.
func (a Complete) Validate() error {
	var v itsm.Validation
	v.Check(slices.Contains([]Outcome{Successful, SuccessfulWithIssues, Failed}, a.Outcome), "outcome",
		fmt.Sprintf("must be successful, successful_with_issues or failed, is %q", a.Outcome))
	v.Add(wordAbout(a.Outcome, a.Note))
	return v.Err()
}

func wordAbout(outcome Outcome, note string) error {
	var v itsm.Validation
	least := 0
	if outcome != "" && outcome != Successful {
		least = 1
	}
	v.Text("note", note, least, maxNote)
	return v.Err()
}

// Guard refuses during a back-out.
func (Complete) Guard(r *Change, _ itsm.Moment) error { return notBackingOut(r) }

// Apply sets the outcome.
func (a Complete) Apply(r *Change, at itsm.Moment) error {
	r.finish(a.Outcome, a.Note, a.ReviewDue, at)
	return nil
}

// RecordUnauthorized records a change that was carried out without anybody's
// authority, after it was found. Its model is one for such changes.
type RecordUnauthorized struct {
	// Started and Ended are when it was carried out, as far as that is known.
	Started time.Time `json:"started"`
	Ended   time.Time `json:"ended"`
	// Outcome is what came of it, and Found how it was found.
	Outcome Outcome `json:"outcome"`
	Found   string  `json:"found"`
	// ReviewDue is set by the practice.
	ReviewDue time.Time `json:"review_due,omitzero"`
}

// Action returns "record_unauthorized".
func (RecordUnauthorized) Action() string { return "record_unauthorized" }

// Validate checks times, outcome and text.
func (a RecordUnauthorized) Validate() error {
	var v itsm.Validation
	v.Check(!a.Started.IsZero(), "started", "must be given")
	v.Check(!a.Ended.IsZero(), "ended", "must be given")
	v.Check(!a.Ended.Before(a.Started), "ended", "must not be before started")
	v.Check(a.Outcome.Good() || a.Outcome.Bad(), "outcome", fmt.Sprintf("must be successful, successful_with_issues, failed or backed_out, is %q", a.Outcome))
	v.Text("found", a.Found, 1, maxNote)
	return v.Err()
}

// Apply keeps all that.
func (a RecordUnauthorized) Apply(r *Change, at itsm.Moment) error {
	var v itsm.Validation
	v.NotAfter("ended", a.Ended, at.At, "now")
	r.Unauthorized = true
	r.finish(a.Outcome, a.Found, a.ReviewDue, at)
	r.Started, r.Ended = a.Started, a.Ended
	return v.Err()
}

// RecordRecovery says when service was back after the change had failed.
type RecordRecovery struct {
	// At is when; zero means now.
	At time.Time `json:"at,omitzero"`
}

// Action returns "record_recovery".
func (RecordRecovery) Action() string { return "record_recovery" }

// Guard refuses unless it failed.
func (RecordRecovery) Guard(r *Change, _ itsm.Moment) error {
	if !r.Outcome.Bad() && r.Caused("incident") == 0 {
		return itsm.Refuse("it neither failed nor caused an incident")
	}
	return nil
}

// Apply keeps it: not in the future, and not before the work began.
func (a RecordRecovery) Apply(r *Change, at itsm.Moment) error {
	t := a.At
	if t.IsZero() {
		t = at.At
	}
	var v itsm.Validation
	v.NotAfter("at", t, at.At, "now")
	v.Check(!t.Before(r.Started), "at", "must not be before the work began")
	r.Recovered = t
	return v.Err()
}

// Close says that nothing is left to be done.
type Close struct {
	// Outcome is what came of it, where that was not said before; what was
	// rejected is not implemented.
	Outcome Outcome `json:"outcome,omitempty"`
	Note    string  `json:"note,omitempty"`
}

// Action returns "close".
func (Close) Action() string { return "close" }

// Validate checks the outcome, of which issues and failures need a word.
func (a Close) Validate() error {
	var v itsm.Validation
	v.Check(a.Outcome == "" || slices.Contains([]Outcome{Successful, SuccessfulWithIssues, Failed}, a.Outcome), "outcome",
		fmt.Sprintf("must be successful, successful_with_issues, failed or empty, is %q", a.Outcome))
	v.Add(wordAbout(a.Outcome, a.Note))
	return v.Err()
}

// Guard refuses during a back-out.
func (Close) Guard(r *Change, _ itsm.Moment) error { return notBackingOut(r) }

// outcome is what the change has when it is closed.
func (a Close) outcome(r *Change) Outcome {
	switch {
	case r.State == Rejected:
		return NotImplemented
	case r.Outcome != "":
		return r.Outcome
	}
	return a.Outcome
}

// Apply refuses another outcome than the one that was said.
func (a Close) Apply(r *Change, at itsm.Moment) error {
	outcome := a.outcome(r)
	if a.Outcome != "" && a.Outcome != outcome {
		return &itsm.FieldError{Field: "outcome", Reason: fmt.Sprintf("is %s already", outcome)}
	}
	if r.Outcome == "" {
		r.Outcome, r.OutcomeNote = outcome, a.Note
		if !r.Started.IsZero() {
			r.Ended = at.At
		}
	}
	r.Closed, r.Hold, r.Review.Due = at.At, Hold{}, time.Time{}
	return nil
}

// Cancel gives the change up.
type Cancel struct {
	Reason string `json:"reason"`
}

// Action returns "cancel".
func (Cancel) Action() string { return "cancel" }

// Validate checks that it says why.
func (a Cancel) Validate() error { return needReason(a.Reason) }

// Guard refuses once something was done that has to be completed or backed out.
func (Cancel) Guard(r *Change, at itsm.Moment) error {
	if r.Started.IsZero() {
		return nil
	}
	return Postpone{}.Guard(r, at)
}

// Apply keeps the reason.
func (a Cancel) Apply(r *Change, at itsm.Moment) error {
	r.Outcome, r.OutcomeNote, r.Closed, r.Hold = NotImplemented, a.Reason, at.At, Hold{}
	return nil
}

// EndWindow is what happens when the planned time is over and the change is not.
type EndWindow struct {
	Due time.Time `json:"due"`
}

// Action returns "end_window".
func (EndWindow) Action() string { return "end_window" }

// Apply notes whether the time was missed or not enough.
func (EndWindow) Apply(r *Change, _ itsm.Moment) error {
	r.WindowEnded = true
	if r.State == Scheduled {
		r.MissedWindows++
	} else {
		r.Overran = true
	}
	return nil
}
