package change

import (
	"time"

	"github.com/go-itsm/itsm"
)

// StartPlanning begins, or begins again, to plan the change. What an authority said
// about the plan that was is void.
type StartPlanning struct {
	Reason string `json:"reason,omitempty"`
}

// Action returns "start_planning".
func (StartPlanning) Action() string { return "start_planning" }

// Validate checks the reason, which may be empty.
func (a StartPlanning) Validate() error { return itsm.CheckText("reason", a.Reason, 0, maxNote) }

// Apply ends a vote about it.
func (StartPlanning) Apply(r *Change, _ itsm.Moment) error {
	r.withdraw()
	return nil
}

// SetPlan sets the plan, all of it.
type SetPlan struct {
	Plan
}

// Action returns "set_plan".
func (SetPlan) Action() string { return "set_plan" }

// Validate checks the texts and the time.
func (a SetPlan) Validate() error { return a.Plan.validate("") }

func (p Plan) validate(path string) error {
	var v itsm.Validation
	v.Text(path+"implementation", p.Implementation, 1, maxNote)
	v.Text(path+"back_out", p.BackOut, 0, maxNote)
	v.Text(path+"trigger", p.Trigger, 0, maxNote)
	v.Text(path+"test", p.Test, 0, maxNote)
	v.Text(path+"communication", p.Communication, 0, maxNote)
	v.Check(p.BackOutTime >= 0, path+"back_out_time", "must not be negative")
	return v.Err()
}

// Apply sets it.
func (a SetPlan) Apply(r *Change, _ itsm.Moment) error {
	r.Plan = a.Plan
	return nil
}

// SetWindow says when the change is to be carried out, and finds out what that
// collides with. While it is being prepared, conflicts are only shown; what is
// scheduled moves only to where there are none.
type SetWindow struct {
	Span
	// Conflicts are set by the practice.
	Conflicts []Conflict `json:"conflicts,omitempty"`
}

// Action returns "set_window".
func (SetWindow) Action() string { return "set_window" }

// Validate checks that it ends after it starts.
func (a SetWindow) Validate() error { return a.Span.validate() }

func (s Span) validate() error {
	var v itsm.Validation
	v.Check(!s.Start.IsZero(), "start", "must be given")
	v.Check(!s.End.IsZero(), "end", "must be given")
	v.Check(s.Start.IsZero() || s.End.IsZero() || s.Start.Before(s.End), "end", "must be after start")
	v.Check(s.Start.IsZero() || s.End.IsZero() || s.Length() <= maxWindow, "end", "must be at most a year after start")
	return v.Err()
}

// maxWindow is how long a change may take at most.
const maxWindow = 366 * 24 * time.Hour

// Apply sets the window and what it collides with.
func (a SetWindow) Apply(r *Change, at itsm.Moment) error {
	return r.setWindow(a.Span, a.Conflicts, at)
}

func (r *Change) setWindow(s Span, conflicts []Conflict, at itsm.Moment) error {
	if !s.End.After(at.At) {
		return &itsm.FieldError{Field: "end", Reason: "must be after now"}
	}
	r.Window, r.Conflicts, r.WindowEnded = s, conflicts, false
	return nil
}

// AcceptConflicts answers for what the window collides with, with a reason: it is
// then no obstacle, until something else is in the way.
type AcceptConflicts struct {
	Reason string `json:"reason"`
	// Conflicts are set by the practice: what it collides with now.
	Conflicts []Conflict `json:"conflicts,omitempty"`
}

// Action returns "accept_conflicts".
func (AcceptConflicts) Action() string { return "accept_conflicts" }

// Validate checks that it says why.
func (a AcceptConflicts) Validate() error { return needReason(a.Reason) }

// Apply refuses where there is nothing to accept, and what nobody may accept.
func (a AcceptConflicts) Apply(r *Change, at itsm.Moment) error {
	var v itsm.Validation
	v.Rule(len(a.Conflicts) > 0, "it collides with nothing")
	for _, c := range a.Conflicts {
		v.Rule(!c.Final, "it has to move: "+c.String())
	}
	r.Conflicts = a.Conflicts
	r.Accepted = Acceptance{By: at.Actor.ID, At: at.At, Reason: a.Reason, Conflicts: a.Conflicts}
	return v.Err()
}

// obstacles lists the conflicts for which nobody answers.
func (r *Change) obstacles(conflicts []Conflict) []Conflict {
	var open []Conflict
	for _, c := range conflicts {
		accepted := false
		for _, a := range r.Accepted.Conflicts {
			accepted = accepted || a.same(c)
		}
		if !accepted || c.Final {
			open = append(open, c)
		}
	}
	return open
}

// Schedule puts a change on the schedule whose model wants no vote. The window may
// be given here or have been set before.
type Schedule struct {
	Start time.Time `json:"start,omitzero"`
	End   time.Time `json:"end,omitzero"`
	// Conflicts are set by the practice.
	Conflicts []Conflict `json:"conflicts,omitempty"`
}

// Action returns "schedule".
func (Schedule) Action() string { return "schedule" }

func (a Schedule) window(r *Change) Span {
	if a.Start.IsZero() && a.End.IsZero() {
		return r.Window
	}
	return Span{a.Start, a.End}
}

// Validate checks that the window ends after it starts, if it is given.
func (a Schedule) Validate() error {
	if a.Start.IsZero() && a.End.IsZero() {
		return nil
	}
	return Span{a.Start, a.End}.validate()
}

// Apply sets the window.
func (a Schedule) Apply(r *Change, at itsm.Moment) error {
	w := a.window(r)
	if w == (Span{}) {
		r.Conflicts = nil // the model does not ask for a window
		return nil
	}
	return r.setWindow(w, a.Conflicts, at)
}
