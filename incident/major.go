package incident

import (
	"slices"
	"time"

	"github.com/go-itsm/itsm"
)

// MajorStatus says whether an incident is a major one: harm so great that the
// ordinary way of handling is not enough. It stands beside the state, because a
// major incident is worked on like any other, only by more people.
type MajorStatus string

const (
	// NotMajor is the zero value: nobody thinks so.
	NotMajor MajorStatus = ""
	// MajorProposed waits for somebody to decide.
	MajorProposed MajorStatus = "proposed"
	// MajorAccepted is a major incident, with roles and status updates.
	MajorAccepted MajorStatus = "accepted"
	// MajorRejected was proposed and is none.
	MajorRejected MajorStatus = "rejected"
	// MajorDemoted was one, and is an ordinary incident again.
	MajorDemoted MajorStatus = "demoted"
)

// A MajorRole is something that one person does in a major incident. A host may
// use roles of its own beside these.
type MajorRole string

// Roles in a major incident.
const (
	// RoleCommander decides and coordinates.
	RoleCommander MajorRole = "commander"
	// RoleScribe writes down what happens.
	RoleScribe MajorRole = "scribe"
	// RoleLiaison speaks with those affected.
	RoleLiaison MajorRole = "liaison"
	// RoleOperations leads the technical work.
	RoleOperations MajorRole = "operations"
)

// Major is the status of a major incident, who does what in it, and when those
// affected were and will be told.
type Major struct {
	Status MajorStatus `json:"status,omitempty"`
	// Reason is what was said at the last change of status.
	Reason string               `json:"reason,omitempty"`
	Roles  map[MajorRole]string `json:"roles,omitempty"`
	// Cadence is how often a status update is promised. JSON: nanoseconds.
	Cadence time.Duration `json:"cadence,omitempty"`
	// UpdateDue is when the next one is; zero while none is promised.
	UpdateDue time.Time `json:"update_due,omitzero"`
	// Updates counts those that were given, MissedUpdates those that were not.
	Updates       int `json:"updates,omitempty"`
	MissedUpdates int `json:"missed_updates,omitempty"`
}

// promise sets when the next update is due.
func (m *Major) promise(from time.Time) {
	m.UpdateDue = time.Time{}
	if m.Status == MajorAccepted && m.Cadence > 0 {
		m.UpdateDue = from.Add(m.Cadence)
	}
}

// needMajor refuses unless the status is one of those from which a change of
// status may be made.
func needMajor(r *Incident, action string, from ...MajorStatus) error {
	if slices.Contains(from, r.Major.Status) {
		return nil
	}
	status := string(r.Major.Status)
	if status == "" {
		status = "no major incident"
	}
	return itsm.Refuse("it is %s: cannot %s", status, action)
}

// ProposeMajor proposes that an incident is a major one.
type ProposeMajor struct {
	Reason string `json:"reason"`
}

// Action returns "propose_major".
func (ProposeMajor) Action() string { return "propose_major" }

// Validate checks the reason.
func (a ProposeMajor) Validate() error { return needReason(a.Reason) }

// Guard refuses if it is one, or proposed, already.
func (ProposeMajor) Guard(r *Incident, _ itsm.Moment) error {
	return needMajor(r, "propose it", NotMajor, MajorRejected, MajorDemoted)
}

// Apply sets the status.
func (a ProposeMajor) Apply(r *Incident, _ itsm.Moment) error {
	r.Major.Status, r.Major.Reason = MajorProposed, a.Reason
	return nil
}

// AcceptMajor declares a major incident, proposed or not.
type AcceptMajor struct {
	Reason string `json:"reason"`
	// Commander is who coordinates; required.
	Commander string `json:"commander"`
	// Cadence is how often status updates are promised; 0 takes that of
	// [Config]. JSON: nanoseconds, or text like "30m".
	Cadence time.Duration `json:"cadence,omitempty"`
}

// Action returns "accept_major".
func (AcceptMajor) Action() string { return "accept_major" }

// Validate checks reason, commander and cadence.
func (a AcceptMajor) Validate() error {
	var v itsm.Validation
	v.Add(needReason(a.Reason))
	v.Text("commander", a.Commander, 1, maxName)
	v.Check(a.Cadence >= 0, "cadence", "must not be negative")
	v.Check(a.Cadence == 0 || a.Cadence >= time.Minute, "cadence", "must be a minute or more")
	return v.Err()
}

// Guard refuses if it is one already.
func (AcceptMajor) Guard(r *Incident, _ itsm.Moment) error {
	return needMajor(r, "accept it", NotMajor, MajorProposed, MajorRejected, MajorDemoted)
}

// Apply sets the status, the commander and when the first update is due.
func (a AcceptMajor) Apply(r *Incident, at itsm.Moment) error {
	m := &r.Major
	m.Status, m.Reason, m.Cadence = MajorAccepted, a.Reason, a.Cadence
	m.assign(RoleCommander, a.Commander)
	m.UpdateDue = time.Time{}
	if isOpen(r.State) {
		m.promise(at.At)
	}
	return nil
}

func (m *Major) assign(role MajorRole, person string) {
	if m.Roles == nil {
		m.Roles = map[MajorRole]string{}
	}
	m.Roles[role] = person
}

// RejectMajor says that a proposed incident is no major one.
type RejectMajor struct {
	Reason string `json:"reason"`
}

// Action returns "reject_major".
func (RejectMajor) Action() string { return "reject_major" }

// Validate checks the reason.
func (a RejectMajor) Validate() error { return needReason(a.Reason) }

// Guard refuses unless it is proposed.
func (RejectMajor) Guard(r *Incident, _ itsm.Moment) error {
	return needMajor(r, "reject it", MajorProposed)
}

// Apply sets the status.
func (a RejectMajor) Apply(r *Incident, _ itsm.Moment) error {
	r.Major.Status, r.Major.Reason = MajorRejected, a.Reason
	return nil
}

// DemoteMajor makes a major incident an ordinary one again.
type DemoteMajor struct {
	Reason string `json:"reason"`
}

// Action returns "demote_major".
func (DemoteMajor) Action() string { return "demote_major" }

// Validate checks the reason.
func (a DemoteMajor) Validate() error { return needReason(a.Reason) }

// Guard refuses unless it is accepted.
func (DemoteMajor) Guard(r *Incident, _ itsm.Moment) error {
	return needMajor(r, "demote it", MajorAccepted)
}

// Apply sets the status; no further updates are due.
func (a DemoteMajor) Apply(r *Incident, at itsm.Moment) error {
	r.Major.Status, r.Major.Reason = MajorDemoted, a.Reason
	r.Major.promise(at.At)
	return nil
}

// AssignRole gives somebody a role in a major incident; an empty person takes
// it away.
type AssignRole struct {
	Role   MajorRole `json:"role"`
	Person string    `json:"person"`
}

// Action returns "assign_role".
func (AssignRole) Action() string { return "assign_role" }

// Validate checks role and person.
func (a AssignRole) Validate() error {
	var v itsm.Validation
	v.Text("role", string(a.Role), 1, maxName)
	v.Text("person", a.Person, 0, maxName)
	v.Check(a.Role != RoleCommander || a.Person != "", "person", "must not be empty: there is always a commander")
	return v.Err()
}

// Guard refuses unless it is a major incident.
func (AssignRole) Guard(r *Incident, _ itsm.Moment) error {
	return needMajor(r, "assign a role", MajorAccepted)
}

// Apply sets the role.
func (a AssignRole) Apply(r *Incident, _ itsm.Moment) error {
	if a.Person == "" {
		delete(r.Major.Roles, a.Role)
		return nil
	}
	r.Major.assign(a.Role, a.Person)
	if len(r.Major.Roles) > maxRoles {
		return itsm.Refuse("a major incident has at most %d roles", maxRoles)
	}
	return nil
}

// PostUpdate tells those affected how things stand. In a major incident it is
// what the cadence promises.
type PostUpdate struct {
	Text string `json:"text"`
}

// Action returns "post_update".
func (PostUpdate) Action() string { return "post_update" }

// Validate checks the text.
func (a PostUpdate) Validate() error { return itsm.CheckText("text", a.Text, 1, maxNote) }

// Apply counts the update and promises the next.
func (PostUpdate) Apply(r *Incident, at itsm.Moment) error {
	r.Major.Updates++
	r.Milestones.reachFirst(MilestoneFirstResponse, at.At)
	r.Major.UpdateDue = time.Time{}
	if isOpen(r.State) {
		r.Major.promise(at.At)
	}
	return nil
}

// MissUpdate is what happens when a promised status update is not given in
// time. It happens by itself, once for each.
type MissUpdate struct {
	// Due is when it was promised.
	Due time.Time `json:"due"`
}

// Action returns "miss_update".
func (MissUpdate) Action() string { return "miss_update" }

// Apply counts it and promises the next one, a cadence after the one missed.
func (a MissUpdate) Apply(r *Incident, _ itsm.Moment) error {
	r.Major.MissedUpdates++
	r.Major.promise(a.Due)
	return nil
}
