package itsm

import (
	"fmt"
	"time"
)

// maxActionItems is the most that a review may want done.
const maxActionItems = 200

// A Review is the look back at how a record was handled. A practice that has one embeds
// it in a type of its own, which adds what that review asks about; its actions are made
// of the methods. The zero value is a review that was not started.
type Review struct {
	Lead      string    `json:"lead,omitempty"`
	Started   time.Time `json:"started,omitzero"`
	Completed time.Time `json:"completed,omitzero"`
	// Actions are what it wants done, which may be open when it is completed.
	Actions []ActionItem `json:"actions,omitempty"`
}

// An ActionItem is something that a review wants done.
type ActionItem struct {
	// Number counts from 1 within the review.
	Number int       `json:"number"`
	Title  string    `json:"title"`
	Owner  string    `json:"owner"`
	Due    time.Time `json:"due,omitzero"`
	Done   time.Time `json:"done,omitzero"`
}

// Validate checks that an action item says what and who: a title of at most 300 and an
// owner of at most 200 characters.
func (i ActionItem) Validate() error {
	var v Validation
	v.Text("title", i.Title, 1, 300)
	v.Text("owner", i.Owner, 1, 200)
	return v.Err()
}

// Going returns an [ErrNotAllowed] unless the review is going on.
func (r *Review) Going() error {
	var v Validation
	v.Rule(!r.Started.IsZero(), "its review was not started")
	v.Rule(r.Completed.IsZero(), "its review is completed")
	return v.Err()
}

// Add adds an action item under the next number. It returns an [ErrNotAllowed] if the
// review was not started or has 200 already.
func (r *Review) Add(i ActionItem) error {
	n := len(r.Actions)
	var v Validation
	v.Rule(!r.Started.IsZero(), "its review was not started")
	v.Rule(n < maxActionItems, fmt.Sprintf("its review has %d action items already", n))
	if err := v.Err(); err != nil {
		return err
	}
	i.Number = n + 1
	r.Actions = append(r.Actions, i)
	return nil
}

// Wants returns an [ErrNotAllowed] unless an action item is open.
func (r *Review) Wants() error {
	for _, i := range r.Actions {
		if i.Done.IsZero() {
			return nil
		}
	}
	return Refuse("its review has no action item that is open")
}

// Complete says when the action item of a number was done. It returns an [ErrInvalid]
// if there is none, and an [ErrNotAllowed] if it is done already.
func (r *Review) Complete(number int, at time.Time) error {
	if number < 1 || number > len(r.Actions) {
		return &FieldError{Field: "number", Reason: "is not that of an action item"}
	}
	item := &r.Actions[number-1]
	if !item.Done.IsZero() {
		return Refuse("action item %d is done already", number)
	}
	item.Done = at
	return nil
}
