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
	maxActionItems   = 200
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

func needReason(reason string) error { return needText("reason", reason, maxNote) }

func needText(field, text string, maximum int) error {
	var v itsm.Validation
	v.Text(field, text, 1, maximum)
	return v.Err()
}

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

// Assign gives the incident to a group, to a person, or to a person in a group.
type Assign struct {
	Group  string `json:"group,omitempty"`
	Person string `json:"person,omitempty"`
}

// Action returns "assign".
func (Assign) Action() string { return "assign" }

// Validate checks that it names somebody.
func (a Assign) Validate() error { return Assignment(a).validate() }

func (a Assignment) validate() error {
	var v itsm.Validation
	v.Check(a != Assignment{}, "group", "or person must be given")
	v.Text("group", a.Group, 0, maxName)
	v.Text("person", a.Person, 0, maxName)
	return v.Err()
}

// Apply refuses what would change nothing.
func (a Assign) Apply(r *Incident, at itsm.Moment) error {
	if r.State == Assigned && r.Assignment == Assignment(a) {
		return itsm.Refuse("it is assigned so already")
	}
	r.assign(Assignment(a), at)
	return nil
}

func (r *Incident) assign(to Assignment, at itsm.Moment) {
	had := r.Assignment
	if had.Group != "" && had.Group != to.Group || had.Person != "" && had.Person != to.Person {
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
func (a Unassign) Validate() error {
	var v itsm.Validation
	v.Text("reason", a.Reason, 0, maxNote)
	return v.Err()
}

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
	if r.Assignment.Person == "" {
		r.Assignment.Person = at.Actor.ID
	}
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
	v.Add(Assignment{a.Group, a.Person}.validate())
	v.Add(needReason(a.Reason))
	return v.Err()
}

// Apply assigns it and counts the level.
func (a EscalateFunctional) Apply(r *Incident, at itsm.Moment) error {
	to := Assignment{a.Group, a.Person}
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
func (a Leave) Validate() error { return needText("person", a.Person, maxName) }

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
	v.Check(slices.Contains(resumeRules(), a.Rule), "rule", fmt.Sprintf("must be reply, hand or empty, is %q", a.Rule))
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
	r.Review.Completed = time.Time{}
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
	to := Assignment{a.Group, a.Person}
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

// Merge says that this incident is the same as another one, in which the work
// goes on.
type Merge struct {
	Into itsm.ID `json:"into"`
}

// Action returns "merge".
func (Merge) Action() string { return "merge" }

// Validate checks that it says into which.
func (a Merge) Validate() error { return needText("into", string(a.Into), maxName) }

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
func (a SetParent) Validate() error { return needText("parent", string(a.Parent), maxName) }

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

// Note adds something said about the incident. Its text is in the history only
// ([Practice.Journal]); a public note is for the caller too.
type Note struct {
	Text   string `json:"text"`
	Public bool   `json:"public,omitempty"`
}

// Action returns "note".
func (Note) Action() string { return "note" }

// Validate checks the text.
func (a Note) Validate() error { return needText("text", a.Text, maxNote) }

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
	r.Satisfaction = Satisfaction{a.Score, a.Comment, at.At}
	return nil
}
