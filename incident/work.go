package incident

import (
	"fmt"
	"slices"
	"time"

	"github.com/go-itsm/itsm"
)

// Assign gives the incident to a group, to a person, or to a person in a group.
type Assign struct {
	Group  string `json:"group,omitempty"`
	Person string `json:"person,omitempty"`
}

// Action returns "assign".
func (Assign) Action() string { return "assign" }

// Validate checks that it names somebody.
func (a Assign) Validate() error { return Assignment(a).Validate() }

// Apply refuses what would change nothing.
func (a Assign) Apply(r *Incident, at itsm.Moment) error {
	if r.State == Assigned && r.Assignment == Assignment(a) {
		return itsm.Refuse("it is assigned so already")
	}
	r.assign(Assignment(a), at)
	return nil
}

func (r *Incident) assign(to Assignment, at itsm.Moment) {
	if to.TakenFrom(r.Assignment) {
		r.Reassignments++
	}
	r.Assignment = to
	r.Hold = Hold{}
	r.Milestones.reachFirst(MilestoneAcknowledged, at.At)
}

// Unassign puts the incident back into the queue.
type Unassign struct {
	Reason string `json:"reason,omitempty"`
}

// Action returns "unassign".
func (Unassign) Action() string { return "unassign" }

// Validate checks the reason, which may be empty.
func (a Unassign) Validate() error { return itsm.CheckText("reason", a.Reason, 0, maxNote) }

// Apply takes the assignment away.
func (Unassign) Apply(r *Incident, _ itsm.Moment) error {
	r.Assignment = Assignment{}
	return nil
}

// Start begins the work. Where nobody is assigned, it is whoever starts.
type Start struct{}

// Action returns "start".
func (Start) Action() string { return "start" }

// Apply makes sure that somebody is assigned.
func (Start) Apply(r *Incident, at itsm.Moment) error {
	r.take(at)
	return nil
}

// take makes sure that somebody has it: who begins the work, if nobody had.
func (r *Incident) take(at itsm.Moment) {
	r.Assignment.Take(at)
	r.Hold = Hold{}
	r.Milestones.reachFirst(MilestoneAcknowledged, at.At)
}

// EscalateFunctional hands the incident over to people with other skills.
type EscalateFunctional struct {
	Group  string `json:"group,omitempty"`
	Person string `json:"person,omitempty"`
	Reason string `json:"reason"`
}

// Action returns "escalate_functional".
func (EscalateFunctional) Action() string { return "escalate_functional" }

// Validate checks that it says to whom and why.
func (a EscalateFunctional) Validate() error {
	var v itsm.Validation
	v.Add(Assignment{Group: a.Group, Person: a.Person}.Validate())
	v.Add(needReason(a.Reason))
	return v.Err()
}

// Apply assigns it and counts the level.
func (a EscalateFunctional) Apply(r *Incident, at itsm.Moment) error {
	to := Assignment{Group: a.Group, Person: a.Person}
	if r.Assignment == to {
		return itsm.Refuse("it is theirs already")
	}
	r.assign(to, at)
	r.Escalation.Functional++
	return nil
}

// EscalateHierarchical tells somebody with more authority; the incident stays
// where it is.
type EscalateHierarchical struct {
	To     string `json:"to"`
	Reason string `json:"reason"`
}

// Action returns "escalate_hierarchical".
func (EscalateHierarchical) Action() string { return "escalate_hierarchical" }

// Validate checks that it says to whom and why.
func (a EscalateHierarchical) Validate() error {
	var v itsm.Validation
	v.Text("to", a.To, 1, maxName)
	v.Add(needReason(a.Reason))
	return v.Err()
}

// Apply counts the level.
func (a EscalateHierarchical) Apply(r *Incident, _ itsm.Moment) error {
	r.Escalation.Hierarchical++
	r.Escalation.To = a.To
	return nil
}

// Join adds somebody who helps without taking over: swarming.
type Join struct {
	Person string `json:"person"`
	Skill  string `json:"skill,omitempty"`
}

// Action returns "join".
func (Join) Action() string { return "join" }

// Validate checks the names.
func (a Join) Validate() error {
	var v itsm.Validation
	v.Text("person", a.Person, 1, maxName)
	v.Text("skill", a.Skill, 0, maxName)
	return v.Err()
}

// Apply adds the collaborator; one who is there already is refused.
func (a Join) Apply(r *Incident, at itsm.Moment) error {
	var v itsm.Validation
	v.Rule(!slices.ContainsFunc(r.Collaborators, a.same), a.Person+" is helping already")
	v.Rule(len(r.Collaborators) < maxCollaborators, fmt.Sprintf("%d are helping already", maxCollaborators))
	r.Collaborators = append(r.Collaborators, Collaborator{a.Person, a.Skill, at.At})
	return v.Err()
}

func (a Join) same(c Collaborator) bool { return c.Person == a.Person }

// Leave ends somebody's help.
type Leave struct {
	Person string `json:"person"`
}

// Action returns "leave".
func (Leave) Action() string { return "leave" }

// Validate checks that it says who.
func (a Leave) Validate() error { return itsm.CheckText("person", a.Person, 1, maxName) }

// Guard refuses if nobody is helping.
func (Leave) Guard(r *Incident, _ itsm.Moment) error {
	if len(r.Collaborators) == 0 {
		return itsm.Refuse("nobody is helping")
	}
	return nil
}

// Apply removes the collaborator; one who is not there is refused.
func (a Leave) Apply(r *Incident, _ itsm.Moment) error {
	i := slices.IndexFunc(r.Collaborators, Join{Person: a.Person}.same)
	if i < 0 {
		return itsm.Refuse("%q is not helping", a.Person)
	}
	r.Collaborators = slices.Delete(r.Collaborators, i, i+1)
	if len(r.Collaborators) == 0 {
		r.Collaborators = nil
	}
	return nil
}

// PutOnHold says that nothing can be done until something outside happens. Where
// that is known already, it says anew for what and how long.
type PutOnHold struct {
	Reason HoldReason `json:"reason"`
	Note   string     `json:"note,omitempty"`
	// Until is when it resumes by itself; zero means never.
	Until time.Time `json:"until,omitzero"`
	// Rule says whether the caller's reply resumes it; empty goes by Reason.
	Rule ResumeRule `json:"rule,omitempty"`
}

// Action returns "hold".
func (PutOnHold) Action() string { return "hold" }

// Validate checks reason, note and rule.
func (a PutOnHold) Validate() error {
	var v itsm.Validation
	v.Text("reason", string(a.Reason), 1, maxName)
	v.Text("note", a.Note, 0, maxNote)
	if !slices.Contains(resumeRules(), a.Rule) {
		v.Check(false, "rule", fmt.Sprintf("must be reply, hand or empty, is %q", a.Rule))
	}
	return v.Err()
}

// Apply keeps why and until when, and since when it has been on hold.
func (a PutOnHold) Apply(r *Incident, at itsm.Moment) error {
	if !a.Until.IsZero() && !a.Until.After(at.At) {
		return &itsm.FieldError{Field: "until", Reason: "must be after now"}
	}
	rule := a.Rule
	if rule == ResumeByReason {
		rule = ResumeByHand
		if a.Reason == AwaitingCaller {
			rule = ResumeOnReply
		}
	}
	since := at.At
	if r.State == OnHold {
		since = r.Hold.Since
	}
	r.Hold = Hold{Reason: a.Reason, Note: a.Note, Since: since, Until: a.Until, Rule: rule}
	return nil
}

// Resume goes on with the work. Where nobody is assigned, it is whoever resumes.
type Resume struct{}

// Action returns "resume".
func (Resume) Action() string { return "resume" }

// Apply ends the hold.
func (Resume) Apply(r *Incident, at itsm.Moment) error {
	r.take(at)
	return nil
}

// AutoResume is what ends a hold by itself: its time, or the caller's reply.
type AutoResume struct {
	// By is "time" or "reply".
	By string `json:"by"`
}

// Action returns "auto_resume".
func (AutoResume) Action() string { return "auto_resume" }

// Apply ends the hold.
func (AutoResume) Apply(r *Incident, _ itsm.Moment) error {
	r.Hold = Hold{}
	return nil
}
