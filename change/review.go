package change

import (
	"time"

	"github.com/go-itsm/itsm"
)

// StartReview begins the look back at a change that is done.
type StartReview struct {
	Lead string `json:"lead"`
}

// Action returns "start_review".
func (StartReview) Action() string { return "start_review" }

// Validate checks that somebody leads it.
func (a StartReview) Validate() error { return itsm.CheckText("lead", a.Lead, 1, maxName) }

// Guard refuses a second review.
func (StartReview) Guard(r *Change, _ itsm.Moment) error {
	if !r.Review.Started.IsZero() {
		return itsm.Refuse("its review was started already")
	}
	return nil
}

// Apply starts it.
func (a StartReview) Apply(r *Change, at itsm.Moment) error {
	r.Review.Lead, r.Review.Started = a.Lead, at.At
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
func (AddActionItem) Guard(r *Change, _ itsm.Moment) error { return r.Review.Going() }

// Apply adds it under the next number.
func (a AddActionItem) Apply(r *Change, _ itsm.Moment) error {
	return r.Review.Add(itsm.ActionItem{Title: a.Title, Owner: a.Owner, Due: a.Due})
}

// CompleteActionItem says that something that a review wanted is done, also after
// the review.
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
func (CompleteActionItem) Guard(r *Change, _ itsm.Moment) error { return r.Review.Wants() }

// Apply sets when it was done.
func (a CompleteActionItem) Apply(r *Change, at itsm.Moment) error {
	return r.Review.Complete(a.Number, at.At)
}

// CompleteReview ends the review with what was learned. Its action items may still
// be open.
type CompleteReview struct {
	// ObjectivesMet says whether the change did what it was wanted for.
	ObjectivesMet bool `json:"objectives_met"`
	// SideEffects are what else it did.
	SideEffects string `json:"side_effects,omitempty"`
	Summary     string `json:"summary"`
	// Lessons are what should be different next time, such as in the model.
	Lessons string `json:"lessons,omitempty"`
}

// Action returns "complete_review".
func (CompleteReview) Action() string { return "complete_review" }

// Validate checks the texts.
func (a CompleteReview) Validate() error {
	var v itsm.Validation
	v.Text("side_effects", a.SideEffects, 0, maxNote)
	v.Text("summary", a.Summary, 1, maxNote)
	v.Text("lessons", a.Lessons, 0, maxNote)
	return v.Err()
}

// Guard refuses unless a review is going on.
func (CompleteReview) Guard(r *Change, _ itsm.Moment) error { return r.Review.Going() }

// Apply keeps the result.
func (a CompleteReview) Apply(r *Change, at itsm.Moment) error {
	r.Review.ObjectivesMet, r.Review.SideEffects = a.ObjectivesMet, a.SideEffects
	r.Review.Summary, r.Review.Lessons, r.Review.Completed = a.Summary, a.Lessons, at.At
	return nil
}

// MissReview is what happens when a review is wanted and the time for it is over.
type MissReview struct {
	Due time.Time `json:"due"`
}

// Action returns "miss_review".
func (MissReview) Action() string { return "miss_review" }

// Apply notes it.
func (MissReview) Apply(r *Change, _ itsm.Moment) error {
	if !r.Review.Completed.IsZero() {
		return itsm.Refuse("its review is completed")
	}
	r.Review.Overdue = true
	return nil
}
