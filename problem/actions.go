package problem

import (
	"fmt"
	"slices"
	"time"

	"github.com/go-itsm/itsm"
)

// Limits of what an action takes, in characters, and of what a record holds.
const (
	maxName     = 200
	maxTitle    = 300
	maxNote     = 32_000
	maxItems    = 1000
	maxCauses   = 50
	maxTasks    = 200
	maxEvidence = 100
	maxTime     = 100 * 365 * 24 * time.Hour
)

// Link, Unlink and SetFields are the actions that every practice has: links to other
// records, and the host's own data.
type (
	// Link adds a link to another record; it never changes the other.
	Link = itsm.AddLink[Problem]
	// Unlink removes a link.
	Unlink = itsm.RemoveLink[Problem]
	// SetFields changes the host's own data.
	SetFields = itsm.SetFields[Problem]
)

func needReason(reason string) error { return itsm.CheckText("reason", reason, 1, maxNote) }

// Register writes a problem down: the action that creates it. [Proposal.Register]
// makes one of what the [Detector] proposes.
type Register struct {
	Title       string `json:"title"`
	Description string `json:"description,omitempty"`
	// Origin is empty for reactive.
	Origin   Origin   `json:"origin,omitempty"`
	Source   string   `json:"source,omitempty"`
	Services []string `json:"services,omitempty"`
	CIs      []string `json:"cis,omitempty"`
	Category string   `json:"category,omitempty"`
	Symptom  string   `json:"symptom,omitempty"`
	// Incidents are some that show it, at most 100; links are made of them
	// ([ShownBy]).
	Incidents []itsm.Ref `json:"incidents,omitempty"`
	// Cost is what it has cost so far.
	Cost Cost `json:"cost,omitzero"`
	// Fields is the host's own data.
	Fields itsm.Fields `json:"fields,omitempty"`
}

// Action returns "register".
func (Register) Action() string { return "register" }

// Validate checks the texts and names.
func (a Register) Validate() error {
	var v itsm.Validation
	v.Text("title", a.Title, 1, maxTitle)
	v.Text("description", a.Description, 0, maxNote)
	v.Check(a.Origin == "" || slices.Contains(Origins(), a.Origin), "origin", fmt.Sprintf("must be reactive or proactive, is %q", a.Origin))
	v.Text("source", a.Source, 0, maxName)
	v.Add(Classify{a.Services, a.CIs, a.Category, a.Symptom}.Validate())
	v.Check(len(a.Incidents) <= maxEvidence, "incidents", fmt.Sprintf("must be at most %d", maxEvidence))
	for i, inc := range a.Incidents {
		at := fmt.Sprintf("incidents[%d]", i)
		v.Ref(at, inc)
		v.Check(!slices.Contains(a.Incidents[:i], inc), at, fmt.Sprintf("%s is there twice", inc))
	}
	v.Add(RecordCost{a.Cost}.Validate())
	if len(a.Fields) > 0 {
		v.Add(SetFields{Fields: a.Fields}.Validate())
	}
	return v.Err()
}

// Apply fills the record.
func (a Register) Apply(r *Problem, at itsm.Moment) error {
	r.Title, r.Description, r.Author = a.Title, a.Description, at.Actor.ID
	r.Origin, r.Source = a.Origin, a.Source
	if r.Origin == "" {
		r.Origin = Reactive
	}
	r.Services, r.CIs, r.Category, r.Symptom = a.Services, a.CIs, a.Category, a.Symptom
	r.Cost = a.Cost
	for _, inc := range a.Incidents {
		r.Links = append(r.Links, itsm.Link{Rel: ShownBy, To: inc})
	}
	if len(a.Fields) > 0 {
		return SetFields{Fields: a.Fields}.Apply(r, at)
	}
	return nil
}

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
func (a Describe) Apply(r *Problem, _ itsm.Moment) error {
	r.Title, r.Description = a.Title, a.Description
	return nil
}

// Classify says what is affected, whose matter it looks like, and what the symptom is;
// all four are set.
type Classify struct {
	Services []string `json:"services,omitempty"`
	CIs      []string `json:"cis,omitempty"`
	Category string   `json:"category,omitempty"`
	Symptom  string   `json:"symptom,omitempty"`
}

// Action returns "classify".
func (Classify) Action() string { return "classify" }

// Validate checks the names.
func (a Classify) Validate() error {
	var v itsm.Validation
	v.Texts("services", a.Services, maxItems, maxName)
	v.Texts("cis", a.CIs, maxItems, maxName)
	v.Text("category", a.Category, 0, maxName)
	v.Text("symptom", a.Symptom, 0, maxName)
	return v.Err()
}

// Apply sets them.
func (a Classify) Apply(r *Problem, _ itsm.Moment) error {
	r.Services, r.CIs, r.Category, r.Symptom = a.Services, a.CIs, a.Category, a.Symptom
	return nil
}

// RecordCost says what the problem has cost so far; what was said before is replaced.
type RecordCost struct {
	Cost
}

// Action returns "record_cost".
func (RecordCost) Action() string { return "record_cost" }

// Validate checks that nothing is negative.
func (a RecordCost) Validate() error {
	var v itsm.Validation
	v.Check(a.Incidents >= 0, "incidents", "must not be negative")
	v.Check(a.Downtime >= 0, "downtime", "must not be negative")
	v.Check(a.Effort >= 0, "effort", "must not be negative")
	v.Check(a.Money >= 0, "money", "must not be negative")
	return v.Err()
}

// Apply sets it.
func (a RecordCost) Apply(r *Problem, _ itsm.Moment) error {
	r.Cost = a.Cost
	return nil
}

// Assign gives the problem to a group, to a person, or to a person in a group. It does
// not move it.
type Assign struct {
	Group  string `json:"group,omitempty"`
	Person string `json:"person,omitempty"`
}

// Action returns "assign".
func (Assign) Action() string { return "assign" }

// Validate checks that it names somebody.
func (a Assign) Validate() error { return Assignment(a).Validate() }

// Apply refuses what would change nothing, and counts what is taken from somebody.
func (a Assign) Apply(r *Problem, _ itsm.Moment) error {
	to := Assignment(a)
	if to == r.Assignment {
		return itsm.Refuse("it is assigned so already")
	}
	if to.TakenFrom(r.Assignment) {
		r.Reassignments++
	}
	r.Assignment = to
	return nil
}

// DeclareMajor says that the problem harms so much that the way in which it was
// handled has to be reviewed before it is closed.
type DeclareMajor struct {
	Reason string `json:"reason"`
}

// Action returns "declare_major".
func (DeclareMajor) Action() string { return "declare_major" }

// Validate checks that it says why.
func (a DeclareMajor) Validate() error { return needReason(a.Reason) }

// Guard refuses if it is one.
func (DeclareMajor) Guard(r *Problem, _ itsm.Moment) error {
	if r.Major {
		return itsm.Refuse("it is a major problem already")
	}
	return nil
}

// Apply sets it.
func (a DeclareMajor) Apply(r *Problem, _ itsm.Moment) error {
	r.Major, r.MajorReason = true, a.Reason
	return nil
}

// DemoteMajor says that it is an ordinary problem after all.
type DemoteMajor struct {
	Reason string `json:"reason"`
}

// Action returns "demote_major".
func (DemoteMajor) Action() string { return "demote_major" }

// Validate checks that it says why.
func (a DemoteMajor) Validate() error { return needReason(a.Reason) }

// Guard refuses unless it is one.
func (DemoteMajor) Guard(r *Problem, _ itsm.Moment) error {
	if !r.Major {
		return itsm.Refuse("it is no major problem")
	}
	return nil
}

// Apply sets it.
func (a DemoteMajor) Apply(r *Problem, _ itsm.Moment) error {
	r.Major, r.MajorReason = false, a.Reason
	return nil
}

// Note says something about the problem. Its text is in the history only
// ([Practice.Journal]).
type Note struct {
	Text string `json:"text"`
}

// Action returns "note".
func (Note) Action() string { return "note" }

// Validate checks the text.
func (a Note) Validate() error { return itsm.CheckText("text", a.Text, 1, maxNote) }

// Apply counts it.
func (Note) Apply(r *Problem, _ itsm.Moment) error {
	r.Notes++
	return nil
}

// AddTask adds a step of the work.
type AddTask struct {
	Title string    `json:"title"`
	Owner string    `json:"owner,omitempty"`
	Due   time.Time `json:"due,omitzero"`
}

// Action returns "add_task".
func (AddTask) Action() string { return "add_task" }

// Validate checks that it says what.
func (a AddTask) Validate() error {
	var v itsm.Validation
	v.Text("title", a.Title, 1, maxTitle)
	v.Text("owner", a.Owner, 0, maxName)
	return v.Err()
}

// Apply adds it under the next number.
func (a AddTask) Apply(r *Problem, _ itsm.Moment) error {
	n := len(r.Tasks)
	if n >= maxTasks {
		return itsm.Refuse("it has %d tasks already", n)
	}
	r.Tasks = append(r.Tasks, Task{Number: n + 1, Title: a.Title, Owner: a.Owner, Due: a.Due})
	return nil
}

// EndTask says that a task is done, or that it is not needed any more.
type EndTask struct {
	Number  int    `json:"number"`
	Dropped bool   `json:"dropped,omitempty"`
	Result  string `json:"result,omitempty"`
}

// Action returns "end_task".
func (EndTask) Action() string { return "end_task" }

// Validate checks number and result.
func (a EndTask) Validate() error {
	var v itsm.Validation
	v.Check(a.Number > 0, "number", "must be 1 or more")
	v.Text("result", a.Result, 0, maxNote)
	return v.Err()
}

// Guard refuses if there is nothing to end.
func (EndTask) Guard(r *Problem, _ itsm.Moment) error {
	if r.tasksDone() == nil {
		return itsm.Refuse("it has no task that is open")
	}
	return nil
}

// tasksDone lists the tasks that are not.
func (r *Problem) tasksDone() error {
	var v itsm.Validation
	for _, t := range r.Tasks {
		v.Rule(!t.Ended.IsZero(), fmt.Sprintf("task %d is open", t.Number))
	}
	return v.Err()
}

// Apply sets when and what came of it.
func (a EndTask) Apply(r *Problem, at itsm.Moment) error {
	if a.Number < 1 || a.Number > len(r.Tasks) {
		return &itsm.FieldError{Field: "number", Reason: "is not that of a task"}
	}
	t := &r.Tasks[a.Number-1]
	if !t.Ended.IsZero() {
		return itsm.Refuse("task %d is ended already", a.Number)
	}
	t.Ended, t.Dropped, t.Result = at.At, a.Dropped, a.Result
	return nil
}
