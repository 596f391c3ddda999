package problem

import (
	"time"

	"github.com/go-itsm/itsm"
)

// StartReview begins the look back at how the problem was handled. It need not be
// over: a major problem is reviewed before it is closed.
type StartReview struct {
	Lead string `json:"lead"`
}

// Action returns "start_review".
func (StartReview) Action() string { return "start_review" }

// Validate checks that somebody leads it.
func (a StartReview) Validate() error { return itsm.CheckText("lead", a.Lead, 1, maxName) }

// Guard refuses a second review at the same time.
func (StartReview) Guard(r *Problem, _ itsm.Moment) error {
	if !r.Review.Started.IsZero() && r.Review.Completed.IsZero() {
		return itsm.Refuse("its review is going on")
	}
	return nil
}

// Apply starts it. What an earlier one wanted done stays.
func (a StartReview) Apply(r *Problem, at itsm.Moment) error {
	r.Review = Review{Review: itsm.Review{Lead: a.Lead, Started: at.At, Actions: r.Review.Actions}}
	return nil
}

// AddActionItem notes something that the review wants done.
type AddActionItem struct {
	Title string    `json:"title"`
	Owner string    `json:"owner"`
	Due   time.Time `json:"due,omitzero"`
}

// Action returns "add_action_item".
func (AddActionItem) Action() string { return "add_action_item" }

// Validate checks that it says what and who.
func (a AddActionItem) Validate() error {
	return itsm.ActionItem{Title: a.Title, Owner: a.Owner}.Validate()
}

// Guard refuses unless a review is going on.
func (AddActionItem) Guard(r *Problem, _ itsm.Moment) error { return r.Review.Going() }

// Apply adds it under the next number.
func (a AddActionItem) Apply(r *Problem, _ itsm.Moment) error {
	return r.Review.Add(itsm.ActionItem{Title: a.Title, Owner: a.Owner, Due: a.Due})
}

// CompleteActionItem says that something that a review wanted is done, also after the
// review.
type CompleteActionItem struct {
	Number int    `json:"number"`
	Note   string `json:"note,omitempty"`
}

// Action returns "complete_action_item".
func (CompleteActionItem) Action() string { return "complete_action_item" }

// Validate checks number and note.
func (a CompleteActionItem) Validate() error {
	var v itsm.Validation
	v.Check(a.Number > 0, "number", "must be 1 or more")
	v.Text("note", a.Note, 0, maxNote)
	return v.Err()
}

// Guard refuses if there is nothing to complete.
func (CompleteActionItem) Guard(r *Problem, _ itsm.Moment) error { return r.Review.Wants() }

// Apply sets when it was done.
func (a CompleteActionItem) Apply(r *Problem, at itsm.Moment) error {
	return r.Review.Complete(a.Number, at.At)
}

// CompleteReview ends the review with what was learned. Its action items may still be
// open.
type CompleteReview struct {
	WentWell  string `json:"went_well"`
	WentWrong string `json:"went_wrong"`
	Improve   string `json:"improve"`
	Prevent   string `json:"prevent"`
}

// Action returns "complete_review".
func (CompleteReview) Action() string { return "complete_review" }

// Validate checks that each of its questions is answered.
func (a CompleteReview) Validate() error {
	var v itsm.Validation
	v.Text("went_well", a.WentWell, 1, maxNote)
	v.Text("went_wrong", a.WentWrong, 1, maxNote)
	v.Text("improve", a.Improve, 1, maxNote)
	v.Text("prevent", a.Prevent, 1, maxNote)
	return v.Err()
}

// Guard refuses unless a review is going on.
func (CompleteReview) Guard(r *Problem, _ itsm.Moment) error { return r.Review.Going() }

// Apply keeps the result.
func (a CompleteReview) Apply(r *Problem, at itsm.Moment) error {
	r.Review.Completed = at.At
	r.Review.WentWell, r.Review.WentWrong, r.Review.Improve, r.Review.Prevent = a.WentWell, a.WentWrong, a.Improve, a.Prevent
	return nil
}
