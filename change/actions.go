package change

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/go-itsm/itsm"
)

// Limits of what an action takes, in characters, and of what a record holds.
const (
	maxName      = 200
	maxTitle     = 300
	maxNote      = 32_000
	maxItems     = 1000
	maxTasks     = 200
	maxConflicts = 100
	maxBallots   = 1000
	maxApprovers = 200
	maxQuestions = 100
)

// Link, Unlink and SetFields are the actions that every practice has: links to
// other records, and the host's own data.
type (
	// Link adds a link to another record; it never changes the other.
	Link = itsm.AddLink[Change]
	// Unlink removes a link.
	Unlink = itsm.RemoveLink[Change]
	// SetFields changes the host's own data.
	SetFields = itsm.SetFields[Change]
)

func needReason(reason string) error { return itsm.CheckText("reason", reason, 1, maxNote) }

func keys[K ~string, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }

// Propose writes a change down: the action that creates it, as a draft.
type Propose struct {
	Title       string `json:"title"`
	Description string `json:"description,omitempty"`
	// Reason is why it is wanted.
	Reason string `json:"reason,omitempty"`
	// Initiator is who wants it; empty means who proposes it.
	Initiator string `json:"initiator,omitempty"`
	// Model is the name of a model, or a version of it ("normal@1"); empty means
	// the template's, or normal.
	Model string `json:"model,omitempty"`
	// Template is the name of a template, or a version of it. What the template
	// says is taken over, where nothing else is given.
	Template string   `json:"template,omitempty"`
	Services []string `json:"services,omitempty"`
	CIs      []string `json:"cis,omitempty"`
	Category string   `json:"category,omitempty"`
	// Committed is when what it deploys was finished by those who made it.
	Committed time.Time `json:"committed,omitzero"`
	// Fields is the host's own data.
	Fields itsm.Fields `json:"fields,omitempty"`

	// The practice sets the rest: Type by the model, the others by the template.
	Type  Type   `json:"type,omitempty"`
	Plan  Plan   `json:"plan,omitzero"`
	Tasks []Step `json:"tasks,omitempty"`
	Risk  Risk   `json:"risk,omitzero"`
}

// Action returns "propose".
func (Propose) Action() string { return "propose" }

// Validate checks the texts and names.
func (a Propose) Validate() error {
	var v itsm.Validation
	v.Text("title", a.Title, 1, maxTitle)
	v.Text("description", a.Description, 0, maxNote)
	v.Text("reason", a.Reason, 0, maxNote)
	v.Text("initiator", a.Initiator, 0, maxName)
	v.Text("category", a.Category, 0, maxName)
	v.Texts("services", a.Services, maxItems, maxName)
	v.Texts("cis", a.CIs, maxItems, maxName)
	if len(a.Fields) > 0 {
		v.Add(SetFields{Fields: a.Fields}.Validate())
	}
	return v.Err()
}

// Apply fills the record.
func (a Propose) Apply(r *Change, at itsm.Moment) error {
	var v itsm.Validation
	v.NotAfter("committed", a.Committed, at.At, "now")
	r.Title, r.Description, r.Reason = a.Title, a.Description, a.Reason
	r.Initiator, r.Author = a.Initiator, at.Actor.ID
	if r.Initiator == "" {
		r.Initiator = at.Actor.ID
	}
	r.Type, r.Model, r.Template = a.Type, a.Model, a.Template
	r.Services, r.CIs, r.Category = a.Services, a.CIs, a.Category
	r.Committed, r.Plan, r.Risk = a.Committed, a.Plan, a.Risk
	for _, s := range a.Tasks {
		r.Tasks = append(r.Tasks, Task{Step: s, State: TaskOpen})
	}
	if len(a.Fields) > 0 {
		v.Add(SetFields{Fields: a.Fields}.Apply(r, at))
	}
	return v.Err()
}

// Describe changes title, description and reason.
type Describe struct {
	Title       string `json:"title"`
	Description string `json:"description,omitempty"`
	Reason      string `json:"reason,omitempty"`
}

// Action returns "describe".
func (Describe) Action() string { return "describe" }

// Validate checks the texts.
func (a Describe) Validate() error {
	var v itsm.Validation
	v.Text("title", a.Title, 1, maxTitle)
	v.Text("description", a.Description, 0, maxNote)
	v.Text("reason", a.Reason, 0, maxNote)
	return v.Err()
}

// Apply sets them.
func (a Describe) Apply(r *Change, _ itsm.Moment) error {
	r.Title, r.Description, r.Reason = a.Title, a.Description, a.Reason
	return nil
}

// Classify says what the change touches; all three are set. What it collides with
// is found anew.
type Classify struct {
	Services []string `json:"services,omitempty"`
	CIs      []string `json:"cis,omitempty"`
	Category string   `json:"category,omitempty"`
	// Conflicts are set by the practice.
	Conflicts []Conflict `json:"conflicts,omitempty"`
}

// Action returns "classify".
func (Classify) Action() string { return "classify" }

// Validate checks the names.
func (a Classify) Validate() error {
	var v itsm.Validation
	v.Texts("services", a.Services, maxItems, maxName)
	v.Texts("cis", a.CIs, maxItems, maxName)
	v.Text("category", a.Category, 0, maxName)
	return v.Err()
}

// Apply sets them.
func (a Classify) Apply(r *Change, _ itsm.Moment) error {
	r.Services, r.CIs, r.Category, r.Conflicts = a.Services, a.CIs, a.Category, a.Conflicts
	return nil
}

// SetModel treats a draft by another model.
type SetModel struct {
	// Model is the name of a model, or a version of it.
	Model string `json:"model"`
	// Type is set by the practice.
	Type Type `json:"type,omitempty"`
}

// Action returns "set_model".
func (SetModel) Action() string { return "set_model" }

// Validate checks that it says which.
func (a SetModel) Validate() error { return itsm.CheckText("model", a.Model, 1, maxName) }

// Apply sets model and type.
func (a SetModel) Apply(r *Change, _ itsm.Moment) error {
	r.Model, r.Type = a.Model, a.Type
	return nil
}

// Submit hands a draft in for assessment.
type Submit struct{}

// Action returns "submit".
func (Submit) Action() string { return "submit" }

// Apply changes nothing but the state.
func (Submit) Apply(*Change, itsm.Moment) error { return nil }

// Revise takes the change back to be written anew. A vote about it ends.
type Revise struct {
	Reason string `json:"reason"`
}

// Action returns "revise".
func (Revise) Action() string { return "revise" }

// Validate checks that it says why.
func (a Revise) Validate() error { return needReason(a.Reason) }

// Apply ends the vote.
func (Revise) Apply(r *Change, _ itsm.Moment) error {
	r.withdraw()
	return nil
}

// withdraw takes back what an authority said or was asked: what is edited again has
// to be authorized again.
func (r *Change) withdraw() { r.Approval = Approval{Rounds: r.Approval.Rounds} }

// AssessRisk assesses what may go wrong, by the answers given and by what is known.
type AssessRisk struct {
	// Answers are to the questions of the host's [RiskPolicy], by their names.
	Answers map[string]string `json:"answers,omitempty"`
	// Risk is set by the practice.
	Risk Risk `json:"risk,omitzero"`
}

// Action returns "assess_risk".
func (AssessRisk) Action() string { return "assess_risk" }

// Validate checks the answers' texts.
func (a AssessRisk) Validate() error {
	var v itsm.Validation
	v.Check(len(a.Answers) <= maxQuestions, "answers", fmt.Sprintf("must be at most %d", maxQuestions))
	for _, name := range keys(a.Answers) {
		v.Text("answers."+name, a.Answers[name], 1, maxName)
	}
	return v.Err()
}

// Apply keeps the result. It undoes an overridden one.
func (a AssessRisk) Apply(r *Change, at itsm.Moment) error {
	r.Risk = a.Risk
	r.Risk.By, r.Risk.At = at.Actor.ID, at.At
	return nil
}

// OverrideRisk sets another level than the policy's, with the reason.
type OverrideRisk struct {
	Level  RiskLevel `json:"level"`
	Reason string    `json:"reason"`
}

// Action returns "override_risk".
func (OverrideRisk) Action() string { return "override_risk" }

// Validate checks level and reason.
func (a OverrideRisk) Validate() error {
	var v itsm.Validation
	v.Check(a.Level.known(), "level", fmt.Sprintf("must be low, medium, high or very_high, is %q", a.Level))
	v.Add(needReason(a.Reason))
	return v.Err()
}

// Apply sets it, and keeps what the policy had found.
func (a OverrideRisk) Apply(r *Change, at itsm.Moment) error {
	r.Risk.Level, r.Risk.Override = a.Level, a.Reason
	r.Risk.By, r.Risk.At = at.Actor.ID, at.At
	return nil
}

// Assign gives the change to a group, to a person, or to a person in a group: who
// carries it out. It does not move it.
type Assign struct {
	Group  string `json:"group,omitempty"`
	Person string `json:"person,omitempty"`
}

// Action returns "assign".
func (Assign) Action() string { return "assign" }

// Validate checks that it names somebody.
func (a Assign) Validate() error { return Assignment(a).Validate() }

// Apply refuses what would change nothing.
func (a Assign) Apply(r *Change, _ itsm.Moment) error {
	if r.Assignment == Assignment(a) {
		return itsm.Refuse("it is assigned so already")
	}
	r.Assignment = Assignment(a)
	return nil
}

// Note says something about the change. Its text is in the history only
// ([Practice.Journal]).
type Note struct {
	Text string `json:"text"`
}

// Action returns "note".
func (Note) Action() string { return "note" }

// Validate checks the text.
func (a Note) Validate() error { return itsm.CheckText("text", a.Text, 1, maxNote) }

// Apply counts it.
func (Note) Apply(r *Change, _ itsm.Moment) error {
	r.Notes++
	return nil
}

// PutOnHold says that nothing can be done until something outside happens. The
// state stays what it is, and nobody moves the change until it is resumed, other
// than to end it; votes and time go on. Where it is on hold already, it says anew
// for what and how long.
type PutOnHold struct {
	Reason HoldReason `json:"reason"`
	Note   string     `json:"note,omitempty"`
	// Until is when it ends by itself; zero means never.
	Until time.Time `json:"until,omitzero"`
}

// Action returns "hold".
func (PutOnHold) Action() string { return "hold" }

// Validate checks reason and note.
func (a PutOnHold) Validate() error {
	var v itsm.Validation
	v.Text("reason", string(a.Reason), 1, maxName)
	v.Text("note", a.Note, 0, maxNote)
	return v.Err()
}

// Apply keeps why and until when, and since when it has been on hold.
func (a PutOnHold) Apply(r *Change, at itsm.Moment) error {
	if !a.Until.IsZero() && !a.Until.After(at.At) {
		return &itsm.FieldError{Field: "until", Reason: "must be after now"}
	}
	since := at.At
	if r.onHold() {
		since = r.Hold.Since
	}
	r.Hold = Hold{Reason: a.Reason, Note: a.Note, Since: since, Until: a.Until}
	return nil
}

func (r *Change) onHold() bool { return r.Hold != Hold{} }

// Resume goes on.
type Resume struct{}

// Action returns "resume".
func (Resume) Action() string { return "resume" }

// Guard refuses if it is not on hold.
func (Resume) Guard(r *Change, _ itsm.Moment) error {
	if !r.onHold() {
		return itsm.Refuse("it is not on hold")
	}
	return nil
}

// Apply ends the hold.
func (Resume) Apply(r *Change, _ itsm.Moment) error {
	r.Hold = Hold{}
	return nil
}

// AutoResume is what time does to a hold.
type AutoResume struct{}

// Action returns "auto_resume".
func (AutoResume) Action() string { return "auto_resume" }

// Apply ends the hold.
func (AutoResume) Apply(r *Change, _ itsm.Moment) error {
	r.Hold = Hold{}
	return nil
}

// Rate says how satisfied those are who wanted the change, from 1 (bad) to 5
// (good). The last answer counts.
type Rate struct {
	// Score is about the change, Process about how it was handled; 0 is no answer
	// to the latter.
	Score   int    `json:"score"`
	Process int    `json:"process,omitempty"`
	Comment string `json:"comment,omitempty"`
}

// Action returns "rate".
func (Rate) Action() string { return "rate" }

// Validate checks scores and comment.
func (a Rate) Validate() error {
	var v itsm.Validation
	v.Check(a.Score >= 1 && a.Score <= 5, "score", "must be 1 to 5")
	v.Check(a.Process >= 0 && a.Process <= 5, "process", "must be 1 to 5, or 0 for no answer")
	v.Text("comment", a.Comment, 0, maxNote)
	return v.Err()
}

// Apply keeps the answer.
func (a Rate) Apply(r *Change, at itsm.Moment) error {
	r.Satisfaction = Satisfaction{a.Score, a.Process, a.Comment, at.At}
	return nil
}
