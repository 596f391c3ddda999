package incident

import (
	"time"

	"github.com/go-itsm/itsm"
)

// StartReview begins the look back at a resolved incident.
type StartReview struct {
	Lead string `json:"lead"`
}

// Action returns "start_review".
func (StartReview) Action() string { return "start_review" }

// Validate checks that somebody leads it.
func (a StartReview) Validate() error { return itsm.CheckText("lead", a.Lead, 1, maxName) }

// Guard refuses a second review.
func (StartReview) Guard(r *Incident, _ itsm.Moment) error {
	if r.Review != nil {
		return itsm.Refuse("its review was started already")
	}
	return nil
}

// Apply starts it.
func (a StartReview) Apply(r *Incident, at itsm.Moment) error {
	r.Review = &Review{Review: itsm.Review{Lead: a.Lead, Started: at.At}}
	return nil
}

// review returns what every review has: of one that was not started, nothing. Apply is
// asked in a replay too, where no Guard was, and a history may be anything.
func (r *Incident) review() *itsm.Review {
	if r.Review == nil {
		return new(itsm.Review)
	}
	return &r.Review.Review
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
func (AddActionItem) Guard(r *Incident, _ itsm.Moment) error { return r.review().Going() }

// Apply adds it under the next number.
func (a AddActionItem) Apply(r *Incident, _ itsm.Moment) error {
	return r.review().Add(itsm.ActionItem{Title: a.Title, Owner: a.Owner, Due: a.Due})
}

// CompleteActionItem says that something that a review wanted is done, also
// after the review.
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
func (CompleteActionItem) Guard(r *Incident, _ itsm.Moment) error { return r.review().Wants() }

// Apply sets when it was done.
func (a CompleteActionItem) Apply(r *Incident, at itsm.Moment) error {
	return r.review().Complete(a.Number, at.At)
}

// CompleteReview ends the review of a closed incident with what was learned. Its
// action items may still be open.
type CompleteReview struct {
	Summary string `json:"summary"`
	Lessons string `json:"lessons,omitempty"`
}

// Action returns "complete_review".
func (CompleteReview) Action() string { return "complete_review" }

// Validate checks the texts.
func (a CompleteReview) Validate() error {
	var v itsm.Validation
	v.Text("summary", a.Summary, 1, maxNote)
	v.Text("lessons", a.Lessons, 0, maxNote)
	return v.Err()
}

// Guard refuses unless a review is going on.
func (CompleteReview) Guard(r *Incident, _ itsm.Moment) error { return r.review().Going() }

// Apply keeps the result and sets the milestone.
func (a CompleteReview) Apply(r *Incident, at itsm.Moment) error {
	if r.Review == nil {
		return r.review().Going()
	}
	r.Review.Summary, r.Review.Lessons, r.Review.Completed = a.Summary, a.Lessons, at.At
	r.Milestones.reach(MilestoneReviewed, at.At)
	return nil
}
