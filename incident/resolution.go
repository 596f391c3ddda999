package incident

import (
	"time"

	"github.com/go-itsm/itsm"
)

// Resolve says that service is restored and how. Whether the cause is known is
// another matter: that is a problem's.
type Resolve struct {
	Code ResolutionCode `json:"code"`
	Note string         `json:"note"`
	// ClosureCategory is the cause as seen now; optional, [Close] can say it.
	ClosureCategory string `json:"closure_category,omitempty"`

	// CloseAt and WaitForChildren are set by the practice.
	CloseAt         time.Time `json:"close_at,omitzero"`
	WaitForChildren bool      `json:"wait_for_children,omitempty"`
}

// Action returns "resolve".
func (Resolve) Action() string { return "resolve" }

// Validate checks that it says how.
func (a Resolve) Validate() error {
	var v itsm.Validation
	v.Text("code", string(a.Code), 1, maxName)
	v.Text("note", a.Note, 1, maxNote)
	v.Text("closure_category", a.ClosureCategory, 0, maxName)
	return v.Err()
}

// Apply keeps the resolution and sets the milestones that come with it.
func (a Resolve) Apply(r *Incident, at itsm.Moment) error {
	r.Hold = Hold{}
	r.Resolution = Resolution{Code: a.Code, Note: a.Note, By: at.Actor.ID, At: at.At}
	if a.ClosureCategory != "" {
		r.ClosureCategory = a.ClosureCategory
	}
	r.CloseAt, r.WaitForChildren = a.CloseAt, a.WaitForChildren
	r.Major.UpdateDue = time.Time{}
	r.Milestones.reachFirst(MilestoneFirstResponse, at.At)
	r.Milestones.reachFirst(MilestoneRestored, at.At)
	r.Milestones.reach(MilestoneResolved, at.At)
	return nil
}

// Close ends a resolved incident: the caller agrees, or nobody objects.
type Close struct {
	// ClosureCategory is the cause as seen in the end; empty leaves what the
	// resolution said.
	ClosureCategory string `json:"closure_category,omitempty"`
	Note            string `json:"note,omitempty"`
}

// Action returns "close".
func (Close) Action() string { return "close" }

// Validate checks the texts.
func (a Close) Validate() error {
	var v itsm.Validation
	v.Text("closure_category", a.ClosureCategory, 0, maxName)
	v.Text("note", a.Note, 0, maxNote)
	return v.Err()
}

// Guard refuses while children are open that have to be waited for.
func (Close) Guard(r *Incident, _ itsm.Moment) error { return r.childrenDone() }

func (r *Incident) childrenDone() error {
	if n := r.OpenChildren(); n > 0 && r.WaitForChildren {
		return itsm.Refuse("%d of its %d child incidents are open", n, len(r.Children))
	}
	return nil
}

// Apply sets category and milestone.
func (a Close) Apply(r *Incident, at itsm.Moment) error {
	if a.ClosureCategory != "" {
		r.ClosureCategory = a.ClosureCategory
	}
	r.close(at)
	return nil
}

func (r *Incident) close(at itsm.Moment) {
	r.CloseAt = time.Time{}
	r.Milestones.reach(MilestoneClosed, at.At)
}

// AutoClose closes a resolved incident because nobody objected in time.
type AutoClose struct{}

// Action returns "auto_close".
func (AutoClose) Action() string { return "auto_close" }

// Guard is that of [Close].
func (AutoClose) Guard(r *Incident, _ itsm.Moment) error { return r.childrenDone() }

// Apply sets the milestone.
func (AutoClose) Apply(r *Incident, at itsm.Moment) error {
	r.close(at)
	return nil
}

// Reopen takes up the work again because the resolution did not hold. Where
// nobody is assigned, it is whoever reopens, except the caller, whose own way is
// [RejectResolution]. What it does to a closed incident is the host's policy
// ([ReopenPolicy]).
type Reopen struct {
	Reason string `json:"reason"`
}

// Action returns "reopen".
func (Reopen) Action() string { return "reopen" }

// Validate checks the reason.
func (a Reopen) Validate() error { return needReason(a.Reason) }

// Apply counts it and forgets the resolution, which the history keeps.
func (Reopen) Apply(r *Incident, at itsm.Moment) error {
	if at.Actor.ID != r.Caller {
		r.take(at)
	}
	r.Reopens++
	r.revive(at)
	return nil
}

// revive forgets how it ended.
func (r *Incident) revive(at itsm.Moment) {
	r.Resolution = Resolution{}
	r.CloseAt, r.WaitForChildren = time.Time{}, false
	m := &r.Milestones
	m.Restored, m.Resolved, m.Closed, m.Reviewed = time.Time{}, time.Time{}, time.Time{}, time.Time{}
	if r.Review != nil {
		r.Review.Completed = time.Time{}
	}
	r.Major.promise(at.At)
}

// RejectResolution is the caller saying that it still does not work: the
// incident goes back to those who had it, or to others. The host's policy for
// closed incidents is that of [Reopen].
type RejectResolution struct {
	Reason string `json:"reason"`
	// Group and Person say to whom; empty means those who had it.
	Group  string `json:"group,omitempty"`
	Person string `json:"person,omitempty"`
}

// Action returns "reject_resolution".
func (RejectResolution) Action() string { return "reject_resolution" }

// Validate checks the texts.
func (a RejectResolution) Validate() error {
	var v itsm.Validation
	v.Add(needReason(a.Reason))
	v.Text("group", a.Group, 0, maxName)
	v.Text("person", a.Person, 0, maxName)
	return v.Err()
}

// Apply counts it and assigns the incident.
func (a RejectResolution) Apply(r *Incident, at itsm.Moment) error {
	to := Assignment{Group: a.Group, Person: a.Person}
	if to == (Assignment{}) {
		to = r.Assignment
	}
	if to == (Assignment{}) {
		return &itsm.FieldError{Field: "group", Reason: "or person must be given: nobody had it before"}
	}
	r.assign(to, at)
	r.Reopens++
	r.revive(at)
	return nil
}

// Continue is what reopening a closed incident becomes where the host's policy
// is to open a new one in its place.
type Continue struct {
	Reason string `json:"reason"`
}

// Action returns "continue".
func (Continue) Action() string { return "continue" }

// Guard refuses to continue an incident twice.
func (Continue) Guard(r *Incident, _ itsm.Moment) error {
	for _, l := range r.Links {
		if l.Rel == ContinuedBy {
			return itsm.Refuse("it is continued by %s already", l.To.ID)
		}
	}
	return nil
}

// Apply counts it: the resolution did not hold.
func (Continue) Apply(r *Incident, _ itsm.Moment) error {
	r.Reopens++
	return nil
}

// Cancel ends an incident that is none.
type Cancel struct {
	Reason string `json:"reason"`
}

// Action returns "cancel".
func (Cancel) Action() string { return "cancel" }

// Validate checks the reason.
func (a Cancel) Validate() error { return needReason(a.Reason) }

// Apply stops what waits for time.
func (Cancel) Apply(r *Incident, _ itsm.Moment) error {
	r.stop()
	return nil
}

func (r *Incident) stop() {
	r.Hold, r.CloseAt, r.WaitForChildren = Hold{}, time.Time{}, false
	r.Major.UpdateDue = time.Time{}
}

// Reinstate takes back a cancellation. The default lifecycle does not permit
// it: see [AllowReinstate].
type Reinstate struct {
	Reason string `json:"reason"`
}

// Action returns "reinstate".
func (Reinstate) Action() string { return "reinstate" }

// Validate checks the reason.
func (a Reinstate) Validate() error { return needReason(a.Reason) }

// Guard refuses for one that was merged, which stays what it is: the same as
// another.
func (Reinstate) Guard(r *Incident, _ itsm.Moment) error {
	if r.MergedInto != "" {
		return itsm.Refuse("it is merged into %s", r.MergedInto)
	}
	return nil
}

// Apply puts the incident back into the queue.
func (Reinstate) Apply(r *Incident, at itsm.Moment) error {
	r.Assignment = Assignment{}
	r.revive(at)
	return nil
}
