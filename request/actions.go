package request

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
	maxResult   = 1000
	maxLines    = 50
	maxItems    = 100
	maxAllTasks = 500 // without those that take others back
	maxAsked    = 50  // approvals of a request
)

// Link, Unlink and SetFields are the actions that every practice has: links to
// other records, and the host's own data.
type (
	// Link adds a link to another record; it never changes the other.
	Link = itsm.AddLink[Request]
	// Unlink removes a link.
	Unlink = itsm.RemoveLink[Request]
	// SetFields changes the host's own data.
	SetFields = itsm.SetFields[Request]
)

func needReason(reason string) error { return itsm.CheckText("reason", reason, 1, maxNote) }

// Order asks for something: the action that creates a request. Unless it is a draft
// it is submitted in the same commit.
type Order struct {
	// Title is for people; empty means the title of what the first line orders.
	Title       string `json:"title,omitempty"`
	Description string `json:"description,omitempty"`
	// Requester is who orders; empty means the actor. Recipient is who is to get
	// it; empty means the requester.
	Requester string `json:"requester,omitempty"`
	Recipient string `json:"recipient,omitempty"`
	Channel   string `json:"channel,omitempty"`
	// Lines are what is ordered. None are needed for what is in no catalogue.
	Lines []Line `json:"lines,omitempty"`
	// Draft keeps it to be completed and submitted later: what is missing in its
	// forms is not missed yet.
	Draft bool `json:"draft,omitempty"`
	// Origin is the record that was found to be a request: an incident filed by
	// mistake. It is linked.
	Origin *itsm.Ref `json:"origin,omitempty"`
	// Links and Fields are those to begin with.
	Links  []itsm.Link `json:"links,omitempty"`
	Fields itsm.Fields `json:"fields,omitempty"`
}

// Action returns "order".
func (Order) Action() string { return "order" }

// Validate checks the texts.
func (a Order) Validate() error {
	var v itsm.Validation
	v.Check(a.Title != "" || len(a.Lines) > 0, "title", "or lines must be given")
	v.Text("title", a.Title, 0, maxTitle)
	v.Text("description", a.Description, 0, maxNote)
	for _, f := range []struct{ field, text string }{
		{"requester", a.Requester}, {"recipient", a.Recipient}, {"channel", a.Channel},
	} {
		v.Text(f.field, f.text, 0, maxName)
	}
	validateLines(&v, a.Lines)
	if a.Origin != nil {
		v.Ref("origin", *a.Origin)
	}
	seen := map[itsm.Link]bool{}
	for i, l := range a.Links {
		at := fmt.Sprintf("links[%d]", i)
		v.Add(itsm.Under(at, Link{Link: l}.Validate()))
		v.Check(!seen[l], at, "is there twice")
		seen[l] = true
	}
	if len(a.Fields) > 0 {
		v.Add(SetFields{Fields: a.Fields}.Validate())
	}
	return v.Err()
}

// validateLines checks what can be checked without a catalogue.
func validateLines(v *itsm.Validation, lines []Line) {
	v.Check(len(lines) <= maxLines, "lines", fmt.Sprintf("must be at most %d", maxLines))
	for i, l := range lines {
		at := fmt.Sprintf("lines[%d]", i)
		v.Text(at+".offering", l.Offering, 1, maxName)
		v.Check(l.Version >= 0, at+".version", "must not be negative")
		v.Check(l.Quantity >= 0 && l.Quantity <= maxQuantity, at+".quantity", fmt.Sprintf("must be from 0 to %d", maxQuantity))
	}
}

// Apply fills the record.
func (a Order) Apply(r *Request, at itsm.Moment) error {
	r.Title, r.Description, r.Channel = a.Title, a.Description, a.Channel
	r.Requester, r.Recipient = a.Requester, a.Recipient
	if r.Requester == "" {
		r.Requester = at.Actor.ID
	}
	if r.Recipient == "" {
		r.Recipient = r.Requester
	}
	r.Lines = a.Lines
	var v itsm.Validation
	for _, l := range a.Links {
		v.Add(Link{Link: l}.Apply(r, at))
	}
	if from := (itsm.Link{Rel: ReclassifiedFrom}); a.Origin != nil {
		if from.To = *a.Origin; !slices.Contains(r.Links, from) {
			v.Add(Link{Link: from}.Apply(r, at))
		}
	}
	if len(a.Fields) > 0 {
		v.Add(SetFields{Fields: a.Fields}.Apply(r, at))
	}
	return v.Err()
}

// Revise changes what is ordered while it is a draft, or after it was rejected. All
// of it is set.
type Revise struct {
	Title       string `json:"title,omitempty"`
	Description string `json:"description,omitempty"`
	Recipient   string `json:"recipient,omitempty"`
	Lines       []Line `json:"lines,omitempty"`
}

// Action returns "revise".
func (Revise) Action() string { return "revise" }

// Validate checks the texts.
func (a Revise) Validate() error {
	var v itsm.Validation
	v.Check(a.Title != "" || len(a.Lines) > 0, "title", "or lines must be given")
	v.Text("title", a.Title, 0, maxTitle)
	v.Text("description", a.Description, 0, maxNote)
	v.Text("recipient", a.Recipient, 0, maxName)
	validateLines(&v, a.Lines)
	return v.Err()
}

// Guard refuses once the fulfilment had begun.
func (Revise) Guard(r *Request, _ itsm.Moment) error { return r.untouched() }

// Apply sets it, and forgets what the order came to before.
func (a Revise) Apply(r *Request, _ itsm.Moment) error {
	r.Items, r.Tasks, r.Approvals, r.Price = nil, nil, nil, nil
	r.Title, r.Description, r.Lines, r.Recipient = a.Title, a.Description, a.Lines, a.Recipient
	if r.Recipient == "" {
		r.Recipient = r.Requester
	}
	return nil
}

// untouched refuses for what was begun: its tasks are the record of what was done.
func (r *Request) untouched() error {
	if !r.Milestones.Started.IsZero() {
		return itsm.Refuse("its fulfilment had begun: order it anew")
	}
	return nil
}

// Submit orders what was put together. The catalogue says what that comes to: items,
// tasks, approvals, price. Where nothing has to be approved it is approved in the
// same commit, and begins if its models are automatic.
type Submit struct {
	// The practice sets all of this.
	Title     string       `json:"title,omitempty"`
	Items     []Item       `json:"items,omitempty"`
	Tasks     []Task       `json:"tasks,omitempty"`
	Approvals []Approval   `json:"approvals,omitempty"`
	Price     Price        `json:"price,omitempty"`
	RollUp    RollUpPolicy `json:"roll_up,omitempty"`
	Without   []string     `json:"without,omitempty"`
	Automatic bool         `json:"automatic,omitempty"`
}

// Action returns "submit".
func (Submit) Action() string { return "submit" }

// Guard refuses once the fulfilment had begun.
func (Submit) Guard(r *Request, _ itsm.Moment) error { return r.untouched() }

// Apply keeps what the order comes to.
func (a Submit) Apply(r *Request, at itsm.Moment) error {
	if r.Title == "" {
		r.Title = a.Title
	}
	r.Items, r.Tasks, r.Approvals, r.Price = a.Items, a.Tasks, a.Approvals, a.Price
	r.RollUp, r.Without, r.Automatic = a.RollUp, a.Without, a.Automatic
	r.Rejection, r.Completion = "", Open
	r.Milestones.Submitted = at.At
	return nil
}

// Note adds something said about the request. Its text is in the history only
// ([Practice.Journal]); a public note is for the requester too. The requester's
// public note resumes what waits for the requester.
type Note struct {
	Text   string `json:"text"`
	Public bool   `json:"public,omitempty"`
}

// Action returns "note".
func (Note) Action() string { return "note" }

// Validate checks the text.
func (a Note) Validate() error { return itsm.CheckText("text", a.Text, 1, maxNote) }

// Apply counts the note. The first public one that is not the requester's is the
// first response.
func (a Note) Apply(r *Request, at itsm.Moment) error {
	if !a.Public {
		r.InternalNotes++
		return nil
	}
	r.PublicNotes++
	if at.Actor.ID != r.Requester && r.Milestones.Responded.IsZero() && !r.Milestones.Submitted.IsZero() {
		r.Milestones.Responded = at.At
	}
	return nil
}

// Follow resumes a request on hold when the requester replies.
func (a Note) Follow(r *Request, at itsm.Moment) itsm.Action[Request] {
	if a.Public && at.Actor.ID == r.Requester && r.State == OnHold && r.Hold.Reason == AwaitingRequester {
		return Resume{By: "reply"}
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
func (a LogTime) Apply(r *Request, _ itsm.Moment) error {
	r.TimeSpent += a.Spent
	return nil
}

// Escalate tells somebody with more authority; the request stays where it is.
type Escalate struct {
	To     string `json:"to"`
	Reason string `json:"reason"`
}

// Action returns "escalate".
func (Escalate) Action() string { return "escalate" }

// Validate checks that it says to whom and why.
func (a Escalate) Validate() error {
	var v itsm.Validation
	v.Text("to", a.To, 1, maxName)
	v.Add(needReason(a.Reason))
	return v.Err()
}

// Apply changes nothing: that it was said is in the history.
func (Escalate) Apply(*Request, itsm.Moment) error { return nil }

// Rate says how satisfied the requester is, from 1 (bad) to 5 (good). The last
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
func (a Rate) Apply(r *Request, at itsm.Moment) error {
	r.Satisfaction = Satisfaction{a.Score, a.Comment, at.At}
	return nil
}
