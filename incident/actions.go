package incident

import (
	"fmt"
	"slices"
	"time"

	"github.com/go-itsm/itsm"
)

// Limits of what an action takes, in characters, and of what a record holds.
const (
	maxName          = 200
	maxTitle         = 300
	maxNote          = 32_000
	maxCollaborators = 100
	maxRoles         = 50
	maxChildren      = 1000
	maxProposals     = 20
	maxReason        = 300 // of a proposal
)

// Link, Unlink and SetFields are the actions that every practice has: links to
// other records, and the host's own data.
type (
	// Link adds a link to another record; it never changes the other.
	Link = itsm.AddLink[Incident]
	// Unlink removes a link.
	Unlink = itsm.RemoveLink[Incident]
	// SetFields changes the host's own data.
	SetFields = itsm.SetFields[Incident]
)

func needReason(reason string) error { return itsm.CheckText("reason", reason, 1, maxNote) }

// Report registers an incident: the action that creates it.
type Report struct {
	Title       string `json:"title"`
	Description string `json:"description,omitempty"`
	// Caller is who has the trouble; empty means who reports it.
	Caller   string `json:"caller,omitempty"`
	Channel  string `json:"channel,omitempty"`
	Service  string `json:"service,omitempty"`
	CI       string `json:"ci,omitempty"`
	Category string `json:"category,omitempty"`
	// Impact and Urgency are judged together or not yet.
	Impact  itsm.Impact  `json:"impact,omitempty"`
	Urgency itsm.Urgency `json:"urgency,omitempty"`
	// Started is when service began to fail, Detected when it was noticed;
	// zero means unknown, and now.
	Started  time.Time `json:"started,omitzero"`
	Detected time.Time `json:"detected,omitzero"`
	// Fields is the host's own data.
	Fields itsm.Fields `json:"fields,omitempty"`

	// The practice sets the rest, whatever is given: Priority by the matrix;
	// Proposals, or MatchError, by the matcher; Continues where it is opened
	// in place of a closed incident.
	Priority   itsm.Priority `json:"priority,omitempty"`
	Proposals  []Proposal    `json:"proposals,omitempty"`
	MatchError string        `json:"match_error,omitempty"`
	Continues  itsm.ID       `json:"continues,omitempty"`
}

// Action returns "report".
func (Report) Action() string { return "report" }

// Validate checks the texts and times.
func (a Report) Validate() error {
	var v itsm.Validation
	v.Text("title", a.Title, 1, maxTitle)
	v.Text("description", a.Description, 0, maxNote)
	for _, f := range []struct{ field, text string }{
		{"caller", a.Caller}, {"channel", a.Channel}, {"service", a.Service}, {"ci", a.CI}, {"category", a.Category},
	} {
		v.Text(f.field, f.text, 0, maxName)
	}
	v.Check((a.Impact == 0) == (a.Urgency == 0), "urgency", "and impact must be judged together")
	if !a.Detected.IsZero() {
		v.NotAfter("started", a.Started, a.Detected, "detected")
	}
	if len(a.Fields) > 0 {
		v.Add(SetFields{Fields: a.Fields}.Validate())
	}
	return v.Err()
}

// Apply fills the record.
func (a Report) Apply(r *Incident, at itsm.Moment) error {
	var v itsm.Validation
	v.NotAfter("started", a.Started, at.At, "now")
	v.NotAfter("detected", a.Detected, at.At, "now")
	r.Title, r.Description = a.Title, a.Description
	r.Caller, r.Channel = a.Caller, a.Channel
	if r.Caller == "" {
		r.Caller = at.Actor.ID
	}
	r.Service, r.CI, r.Category = a.Service, a.CI, a.Category
	r.Impact, r.Urgency, r.Priority = a.Impact, a.Urgency, a.Priority
	r.Proposals = a.Proposals
	r.Milestones.Started, r.Milestones.Detected = a.Started, a.Detected
	if a.Detected.IsZero() {
		r.Milestones.Detected = at.At
	}
	if len(a.Fields) > 0 {
		v.Add(SetFields{Fields: a.Fields}.Apply(r, at))
	}
	if a.Continues != "" {
		r.Links = append(r.Links, itsm.Link{Rel: Continues, To: ref(a.Continues)})
	}
	return v.Err()
}

func ref(id itsm.ID) itsm.Ref { return itsm.Ref{Kind: "incident", ID: id} }

// Describe changes title and description.
type Describe struct {
	Title       string `json:"title"`
	Description string `json:"description,omitempty"`
}

// Action returns "describe".
func (Describe) Action() string { return "describe" }

// Validate checks the texts.
func (a Describe) Validate() error {
	var v itsm.Validation
	v.Text("title", a.Title, 1, maxTitle)
	v.Text("description", a.Description, 0, maxNote)
	return v.Err()
}

// Apply sets both.
func (a Describe) Apply(r *Incident, _ itsm.Moment) error {
	r.Title, r.Description = a.Title, a.Description
	return nil
}

// Classify says what is affected and what the symptom is; all three are set.
type Classify struct {
	Service  string `json:"service,omitempty"`
	CI       string `json:"ci,omitempty"`
	Category string `json:"category,omitempty"`
}

// Action returns "classify".
func (Classify) Action() string { return "classify" }

// Validate checks the texts.
func (a Classify) Validate() error {
	var v itsm.Validation
	v.Text("service", a.Service, 0, maxName)
	v.Text("ci", a.CI, 0, maxName)
	v.Text("category", a.Category, 0, maxName)
	return v.Err()
}

// Apply sets them.
func (a Classify) Apply(r *Incident, _ itsm.Moment) error {
	r.Service, r.CI, r.Category = a.Service, a.CI, a.Category
	return nil
}

// Assess judges impact and urgency; the matrix gives the priority. It undoes an
// overridden one.
type Assess struct {
	Impact  itsm.Impact  `json:"impact"`
	Urgency itsm.Urgency `json:"urgency"`
	// Priority is set by the practice.
	Priority itsm.Priority `json:"priority,omitempty"`
}

// Action returns "assess".
func (Assess) Action() string { return "assess" }

// Apply sets all three.
func (a Assess) Apply(r *Incident, _ itsm.Moment) error {
	r.Impact, r.Urgency, r.Priority, r.PriorityReason = a.Impact, a.Urgency, a.Priority, ""
	return nil
}

// OverridePriority sets a priority other than the matrix's, with the reason.
type OverridePriority struct {
	Priority itsm.Priority `json:"priority"`
	Reason   string        `json:"reason"`
}

// Action returns "override_priority".
func (OverridePriority) Action() string { return "override_priority" }

// Validate checks that both are there.
func (a OverridePriority) Validate() error {
	var v itsm.Validation
	v.Check(a.Priority > 0, "priority", "must be 1 or more")
	v.Add(needReason(a.Reason))
	return v.Err()
}

// Apply sets both.
func (a OverridePriority) Apply(r *Incident, _ itsm.Moment) error {
	r.Priority, r.PriorityReason = a.Priority, a.Reason
	return nil
}

// Match asks the [Matcher] again for what may help.
type Match struct {
	// Proposals are set by the practice.
	Proposals []Proposal `json:"proposals,omitempty"`
}

// Action returns "match".
func (Match) Action() string { return "match" }

// Apply keeps the proposals.
func (a Match) Apply(r *Incident, _ itsm.Moment) error {
	r.Proposals = a.Proposals
	return nil
}

// Note adds something said about the incident. Its text is in the history only
// ([Practice.Journal]); a public note is for the caller too.
type Note struct {
	Text   string `json:"text"`
	Public bool   `json:"public,omitempty"`
}

// Action returns "note".
func (Note) Action() string { return "note" }

// Validate checks the text.
func (a Note) Validate() error { return itsm.CheckText("text", a.Text, 1, maxNote) }

// Apply counts the note. The first public one that is not the caller's is the
// first response.
func (a Note) Apply(r *Incident, at itsm.Moment) error {
	if !a.Public {
		r.InternalNotes++
		return nil
	}
	r.PublicNotes++
	if at.Actor.ID != r.Caller {
		r.Milestones.reachFirst(MilestoneFirstResponse, at.At)
	}
	return nil
}

// Follow resumes an incident on hold when the caller replies, if that is its
// rule.
func (a Note) Follow(r *Incident, at itsm.Moment) itsm.Action[Incident] {
	if a.Public && at.Actor.ID == r.Caller && r.State == OnHold && r.Hold.Rule == ResumeOnReply {
		return AutoResume{By: "reply"}
	}
	return nil
}

// LogTime adds time that somebody worked on it.
type LogTime struct {
	// Spent is positive and at most 24 hours. JSON: nanoseconds, or text like
	// "1h30m".
	Spent time.Duration `json:"spent"`
	Note  string        `json:"note,omitempty"`
}

// Action returns "log_time".
func (LogTime) Action() string { return "log_time" }

// Validate checks the time.
func (a LogTime) Validate() error {
	var v itsm.Validation
	v.Check(a.Spent > 0 && a.Spent <= 24*time.Hour, "spent", "must be positive and at most 24 hours")
	v.Text("note", a.Note, 0, maxNote)
	return v.Err()
}

// Apply adds it up.
func (a LogTime) Apply(r *Incident, _ itsm.Moment) error {
	r.TimeSpent += a.Spent
	return nil
}

// Mark sets a milestone by hand. It may not be in the future, nor run backwards
// among the others.
type Mark struct {
	Milestone Milestone `json:"milestone"`
	// At is when it was reached; zero means now.
	At time.Time `json:"at,omitzero"`
}

// Action returns "mark".
func (Mark) Action() string { return "mark" }

// Validate checks that it is a milestone that is set by hand.
func (a Mark) Validate() error {
	var v itsm.Validation
	v.Check(slices.Contains(AllMilestones(), a.Milestone), "milestone", fmt.Sprintf("is unknown: %q", a.Milestone))
	switch a.Milestone {
	case MilestoneResolved, MilestoneClosed, MilestoneReviewed:
		v.Check(false, "milestone", "is set by the action of its name")
	default:
	}
	return v.Err()
}

// Apply sets it.
func (a Mark) Apply(r *Incident, at itsm.Moment) error {
	t := a.At
	if t.IsZero() {
		t = at.At
	}
	if t.After(at.At) {
		return &itsm.FieldError{Field: "at", Reason: "must not be after now"}
	}
	return r.Milestones.mark(a.Milestone, t)
}

// Rate says how satisfied the caller is, from 1 (bad) to 5 (good). The last
// answer counts.
type Rate struct {
	Score   int    `json:"score"`
	Comment string `json:"comment,omitempty"`
}

// Action returns "rate".
func (Rate) Action() string { return "rate" }

// Validate checks score and comment.
func (a Rate) Validate() error {
	var v itsm.Validation
	v.Check(a.Score >= 1 && a.Score <= 5, "score", "must be 1 to 5")
	v.Text("comment", a.Comment, 0, maxNote)
	return v.Err()
}

// Apply keeps the answer.
func (a Rate) Apply(r *Incident, at itsm.Moment) error {
	r.Satisfaction = &Satisfaction{a.Score, a.Comment, at.At}
	return nil
}
