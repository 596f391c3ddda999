package change

import (
	"time"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/approval"
	"github.com/go-itsm/itsm/slm"
)

// A Change is something new, different or withdrawn that may touch a service, from
// the proposal to the look back at it. It is changed by actions only.
//
// Times are UTC and whole microseconds; the zero value of a field means that there
// is nothing to say.
type Change struct {
	itsm.Meta

	Title       string `json:"title"`
	Description string `json:"description,omitempty"`
	// Reason is why it is wanted.
	Reason string `json:"reason,omitempty"`
	// Initiator wants it, Author proposed it in the system; often one person.
	Initiator string `json:"initiator"`
	Author    string `json:"author"`
	// Type is that of its model, and Model the model's version: "normal@1".
	Type  Type   `json:"type"`
	Model string `json:"model"`
	// Template is the version of the template that it was made from: "restart@2".
	Template string `json:"template,omitempty"`
	// Services and CIs are what it touches, as the host calls them.
	Services []string `json:"services,omitempty"`
	CIs      []string `json:"cis,omitempty"`
	Category string   `json:"category,omitempty"`

	Assignment Assignment `json:"assignment,omitzero"`
	Risk       Risk       `json:"risk,omitzero"`
	Plan       Plan       `json:"plan,omitzero"`
	// Tasks are the plan's steps, in the order in which they were given.
	Tasks []Task `json:"tasks,omitempty"`

	// Window is when it is to be carried out.
	Window Span `json:"window,omitzero"`
	// WindowEnded says that this time is over; MissedWindows counts how often that
	// came before the work had begun, and Overran says that it came before the
	// work was done.
	WindowEnded   bool `json:"window_ended,omitempty"`
	MissedWindows int  `json:"missed_windows,omitempty"`
	Overran       bool `json:"overran,omitempty"`
	// Conflicts are what the window collided with when it was last looked at, and
	// Accepted those that somebody answers for.
	Conflicts []Conflict `json:"conflicts,omitempty"`
	Accepted  Acceptance `json:"accepted,omitzero"`

	// Approval is how its authorization stands, beside the state.
	Approval Approval `json:"approval,omitzero"`
	// Hold says why nothing is being done, beside the state.
	Hold Hold `json:"hold,omitzero"`

	// Committed is when what it deploys was finished by those who made it: the
	// start of its lead time, if it is known.
	Committed time.Time `json:"committed,omitzero"`
	// Started and Ended are when it was carried out, Recovered when service was
	// back after it had failed, and Closed when nothing was left to be done.
	Started   time.Time `json:"started,omitzero"`
	Ended     time.Time `json:"ended,omitzero"`
	Recovered time.Time `json:"recovered,omitzero"`
	Closed    time.Time `json:"closed,omitzero"`
	// Reworks counts how often the work had to be taken up again.
	Reworks    int        `json:"reworks,omitempty"`
	BackOut    BackOut    `json:"back_out,omitzero"`
	Validation Validation `json:"validation,omitzero"`
	// Outcome is what came of it, beside the state, and OutcomeNote says more.
	Outcome     Outcome `json:"outcome,omitempty"`
	OutcomeNote string  `json:"outcome_note,omitempty"`
	// Unauthorized says that it was carried out without anybody's authority and
	// recorded afterwards.
	Unauthorized bool `json:"unauthorized,omitempty"`

	Review       PostImplementationReview `json:"review,omitzero"`
	Satisfaction Satisfaction             `json:"satisfaction,omitzero"`

	// Clocks are what is promised about it and how that stands, by the
	// agreements that apply ([Config].Agreements).
	slm.Clocks

	// Notes counts what is in the journal.
	Notes int `json:"notes,omitempty"`
}

// AppendKeys lists by which keys changes can be found: type, model (its name),
// template (its version), service, ci, assignee, group, initiator, risk, outcome,
// approval, approver (each person who may vote now) and unauthorized ("true").
func (r *Change) AppendKeys(keys []itsm.Key) []itsm.Key {
	add := func(field, value string) {
		if value != "" {
			keys = append(keys, itsm.Key{Field: field, Value: value})
		}
	}
	add("type", string(r.Type))
	add("model", modelName(r.Model))
	add("template", r.Template)
	for _, s := range r.Services {
		add("service", s)
	}
	for _, ci := range r.CIs {
		add("ci", ci)
	}
	add("assignee", r.Assignment.Person)
	add("group", r.Assignment.Group)
	add("initiator", r.Initiator)
	add("risk", string(r.Risk.Level))
	add("outcome", string(r.Outcome))
	add("approval", string(r.Approval.Outcome))
	for _, person := range r.Approval.Asked {
		add("approver", person)
	}
	if r.Unauthorized {
		add("unauthorized", "true")
	}
	return keys
}

// Items lists what the change touches: its services, and then its configuration
// items.
func (r *Change) Items() []itsm.Ref {
	items := make([]itsm.Ref, 0, len(r.Services)+len(r.CIs))
	for _, s := range r.Services {
		items = append(items, Service(s))
	}
	for _, ci := range r.CIs {
		items = append(items, CI(ci))
	}
	return items
}

// Service and CI are the references by which the change schedule and a [Topology]
// know services and configuration items.
func Service(id string) itsm.Ref { return itsm.Ref{Kind: "service", ID: itsm.ID(id)} }

// CI is the reference to a configuration item.
func CI(id string) itsm.Ref { return itsm.Ref{Kind: "ci", ID: itsm.ID(id)} }

// AsPlanned returns what the change schedule says of the change.
func (r *Change) AsPlanned() Planned {
	return Planned{ID: r.ID, Type: r.Type, Model: r.Model, Span: r.Window, Items: r.Items()}
}

// Caused counts the records of a kind that the change caused, as its links say:
// "incident", "problem".
func (r *Change) Caused(kind string) int { return r.linked(Caused, kind) }

func (r *Change) linked(rel, kind string) int {
	n := 0
	for _, l := range r.Links {
		if l.Rel == rel && l.To.Kind == kind {
			n++
		}
	}
	return n
}

// An Assignment says whose a change is: a group's, or one person's in it.
type Assignment = itsm.Assignment

// A Plan is how the change is to be carried out, and how to get back.
type Plan struct {
	// Implementation is what is to be done.
	Implementation string `json:"implementation"`
	// BackOut is how to get back, Trigger what makes that necessary, and
	// BackOutTime how long it takes, which has to fit into the window.
	BackOut     string        `json:"back_out,omitempty"`
	Trigger     string        `json:"trigger,omitempty"`
	BackOutTime time.Duration `json:"back_out_time,omitempty"`
	// Test is how to know that it worked.
	Test string `json:"test,omitempty"`
	// Communication is who is told what.
	Communication string `json:"communication,omitempty"`
}

// An Acceptance is somebody's answer for conflicts.
type Acceptance struct {
	By     string    `json:"by"`
	At     time.Time `json:"at"`
	Reason string    `json:"reason"`
	// Conflicts are those that were accepted, and no others.
	Conflicts []Conflict `json:"conflicts"`
}

// Approval is how the authorization of a change stands: who decides, and the votes
// that were cast. With them, [approval.Decide] says why it stands so and who is
// still needed ([Approval.Decision]).
type Approval struct {
	// Authority is the change authority that decides, and Kind what kind it is.
	Authority string        `json:"authority,omitempty"`
	Kind      AuthorityKind `json:"kind,omitempty"`
	// Electorate is the authority's policy with the people that it came to when
	// they were asked, and Ballots what they voted.
	Electorate approval.Electorate `json:"electorate,omitzero"`
	Ballots    []approval.Ballot   `json:"ballots,omitempty"`
	// Outcome is open, approved, rejected or expired; empty while nobody is asked.
	Outcome approval.Outcome `json:"outcome,omitempty"`
	// Asked lists who may cast a vote now.
	Asked []string `json:"asked,omitempty"`
	// Requested and Decided are when, By who asked, and Reason what was said when
	// it was taken back.
	Requested time.Time `json:"requested,omitzero"`
	By        string    `json:"by,omitempty"`
	Decided   time.Time `json:"decided,omitzero"`
	Reason    string    `json:"reason,omitempty"`
	// Next is when things change without a vote.
	Next time.Time `json:"next,omitzero"`
	// Retrospective says that the work began before the decision.
	Retrospective bool `json:"retrospective,omitempty"`
	// Rounds counts how often an authority was asked.
	Rounds int `json:"rounds,omitempty"`
}

// Given reports whether the change is authorized.
func (a Approval) Given() bool { return a.Outcome == approval.Approved }

// asked reports whether an authority was asked, decided whether it is done.
func (a Approval) asked() bool   { return a.Outcome != "" }
func (a Approval) decided() bool { return a.asked() && a.Outcome != approval.Open }

// Decision explains how the vote stands at a moment: the outcome, why, and who is
// still needed. It returns an [itsm.ErrInvalid] if nobody votes about the change.
func (a Approval) Decision(now time.Time) (approval.Decision, error) {
	if len(a.Electorate.Policy.Rule.Of) == 0 {
		return approval.Decision{}, &itsm.FieldError{Field: "approval", Reason: "is not a matter of votes"}
	}
	d, err := approval.Decide(a.Electorate, a.Ballots, now)
	return d, itsm.Under("approval", err)
}

// A HoldReason says what a change waits for. A host may use reasons of its own
// beside these.
type HoldReason string

// What changes wait for.
const (
	AwaitingInformation HoldReason = "information"
	AwaitingVendor      HoldReason = "vendor"
	AwaitingParts       HoldReason = "parts"
	AwaitingChange      HoldReason = "change"
	AwaitingOther       HoldReason = "other"
)

// Hold is why nothing is being done about a change. It stands beside the state,
// which stays what it is.
type Hold struct {
	Reason HoldReason `json:"reason"`
	Note   string     `json:"note,omitempty"`
	Since  time.Time  `json:"since"`
	// Until is when it ends by itself.
	Until time.Time `json:"until,omitzero"`
}

// A BackOut is the back-out that was carried out.
type BackOut struct {
	Reason  string    `json:"reason"`
	Started time.Time `json:"started"`
	By      string    `json:"by"`
	// Completed is when everything was as before, and Note says how that is known.
	Completed time.Time `json:"completed,omitzero"`
	Note      string    `json:"note,omitempty"`
}

// A Validation says whether the change did what it should.
type Validation struct {
	Passed bool      `json:"passed"`
	Note   string    `json:"note,omitempty"`
	By     string    `json:"by"`
	At     time.Time `json:"at"`
}

// An Outcome is what came of a change, beside its state.
type Outcome string

const (
	// Successful did what it should.
	Successful Outcome = "successful"
	// SuccessfulWithIssues did what it should, and something else as well.
	SuccessfulWithIssues Outcome = "successful_with_issues"
	// Failed did not, and is still there.
	Failed Outcome = "failed"
	// BackedOut did not, and everything is as it was before.
	BackedOut Outcome = "backed_out"
	// NotImplemented was never carried out.
	NotImplemented Outcome = "not_implemented"
)

// Outcomes lists the outcomes.
func Outcomes() []Outcome {
	return []Outcome{Successful, SuccessfulWithIssues, Failed, BackedOut, NotImplemented}
}

// Good reports whether the change did what it should.
func (o Outcome) Good() bool { return o == Successful || o == SuccessfulWithIssues }

// Bad reports whether it was carried out and did not.
func (o Outcome) Bad() bool { return o == Failed || o == BackedOut }

// A PostImplementationReview is the look back at a change.
type PostImplementationReview struct {
	itsm.Review
	// Due is until when it is wanted, and Overdue says that this is past.
	Due     time.Time `json:"due,omitzero"`
	Overdue bool      `json:"overdue,omitempty"`
	// ObjectivesMet, SideEffects, Summary and Lessons are its result.
	ObjectivesMet bool   `json:"objectives_met,omitempty"`
	SideEffects   string `json:"side_effects,omitempty"`
	Summary       string `json:"summary,omitempty"`
	Lessons       string `json:"lessons,omitempty"`
}

// Satisfaction is what those who wanted the change thought of it, from 1 (bad) to 5
// (good): with the change, and with the way in which it was handled.
type Satisfaction struct {
	Score   int       `json:"score"`
	Process int       `json:"process,omitempty"`
	Comment string    `json:"comment,omitempty"`
	At      time.Time `json:"at"`
}

// Relations of a change's links, read from the change.
const (
	// Caused points to an incident or problem that came of it.
	Caused = "caused"
	// Solves points to the problem or incident that it removes.
	Solves = "solves"
	// Remedies points to the incident, or the change that failed, because of which
	// it had to be made without having been planned.
	Remedies = "remedies"
	// RequestedBy points to the service request that started it.
	RequestedBy = "requested_by"
	// PartOf points to the release or the change that it is part of.
	PartOf = "part_of"
)
