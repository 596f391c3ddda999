package incident

import (
	"slices"

	"github.com/go-itsm/itsm"
)

// Merge says that this incident is the same as another one, in which the work
// goes on.
type Merge struct {
	Into itsm.ID `json:"into"`
}

// Action returns "merge".
func (Merge) Action() string { return "merge" }

// Validate checks that it says into which.
func (a Merge) Validate() error { return itsm.CheckText("into", string(a.Into), 1, maxName) }

// Guard refuses while others are part of it.
func (Merge) Guard(r *Incident, _ itsm.Moment) error {
	if len(r.Children) > 0 {
		return itsm.Refuse("it has child incidents")
	}
	return nil
}

// Apply points to the other.
func (a Merge) Apply(r *Incident, _ itsm.Moment) error {
	if a.Into == r.ID {
		return &itsm.FieldError{Field: "into", Reason: "must be another incident"}
	}
	r.MergedInto = a.Into
	r.stop()
	return nil
}

// Absorb is what merging does to the incident in which the work goes on.
type Absorb struct {
	From itsm.ID `json:"from"`
}

// Action returns "absorb".
func (Absorb) Action() string { return "absorb" }

// Apply points to the one merged.
func (a Absorb) Apply(r *Incident, at itsm.Moment) error {
	return Link{Link: itsm.Link{Rel: MergedFrom, To: ref(a.From)}}.Apply(r, at)
}

// SetParent makes the incident part of another one.
type SetParent struct {
	Parent itsm.ID `json:"parent"`
}

// Action returns "set_parent".
func (SetParent) Action() string { return "set_parent" }

// Validate checks that it says of which.
func (a SetParent) Validate() error { return itsm.CheckText("parent", string(a.Parent), 1, maxName) }

// Guard refuses a second parent and a second level.
func (SetParent) Guard(r *Incident, _ itsm.Moment) error {
	var v itsm.Validation
	v.Rule(r.Parent == "", "it has a parent already")
	v.Rule(len(r.Children) == 0, "it has child incidents")
	return v.Err()
}

// Apply points to the parent.
func (a SetParent) Apply(r *Incident, _ itsm.Moment) error {
	if a.Parent == r.ID {
		return &itsm.FieldError{Field: "parent", Reason: "must be another incident"}
	}
	r.Parent = a.Parent
	return nil
}

// ClearParent takes the incident out of its parent.
type ClearParent struct {
	// Parent is set by the practice.
	Parent itsm.ID `json:"parent,omitempty"`
}

// Action returns "clear_parent".
func (ClearParent) Action() string { return "clear_parent" }

// Guard refuses if there is none.
func (ClearParent) Guard(r *Incident, _ itsm.Moment) error {
	if r.Parent == "" {
		return itsm.Refuse("it has no parent")
	}
	return nil
}

// Apply forgets the parent.
func (ClearParent) Apply(r *Incident, _ itsm.Moment) error {
	r.Parent = ""
	return nil
}

// Adopt is what setting a parent does to the parent.
type Adopt struct {
	Child Child `json:"child"`
}

// Action returns "adopt".
func (Adopt) Action() string { return "adopt" }

// Apply adds the child.
func (a Adopt) Apply(r *Incident, _ itsm.Moment) error {
	if len(r.Children) >= maxChildren {
		return itsm.Refuse("it has %d child incidents already", maxChildren)
	}
	r.Children = append(r.Children, a.Child)
	return nil
}

// Release is what clearing a parent does to the parent.
type Release struct {
	Child itsm.ID `json:"child"`
}

// Action returns "release".
func (Release) Action() string { return "release" }

// Apply removes the child.
func (a Release) Apply(r *Incident, _ itsm.Moment) error {
	r.Children = slices.DeleteFunc(r.Children, func(c Child) bool { return c.ID == a.Child })
	if len(r.Children) == 0 {
		r.Children = nil
	}
	return nil
}

// FollowChild is what a child's change of state does to its parent.
type FollowChild struct {
	Child Child `json:"child"`
}

// Action returns "follow_child".
func (FollowChild) Action() string { return "follow_child" }

// Apply keeps the child's state.
func (a FollowChild) Apply(r *Incident, _ itsm.Moment) error {
	for i := range r.Children {
		if r.Children[i].ID == a.Child.ID {
			r.Children[i] = a.Child
		}
	}
	return nil
}
