package incident

import (
	"strconv"
	"time"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/slm"
)

// An Incident is a service that stopped or got worse without that having been
// planned, and what is being done to restore it. It is changed by actions only;
// what was said about it (notes, updates) is in its history, see
// [Practice.Journal], so that a record stays small however long it lives.
//
// Times are UTC and whole microseconds; the zero value of a field means that
// there is nothing to say.
type Incident struct {
	itsm.Meta

	Title       string `json:"title"`
	Description string `json:"description,omitempty"`
	// Caller is who has the trouble, in the host's terms: an actor with this
	// id who writes a note is the caller replying.
	Caller string `json:"caller"`
	// Channel is how it came in: phone, mail, monitoring.
	Channel string `json:"channel,omitempty"`
	// Service and CI are what is affected, as the host calls them.
	Service string `json:"service,omitempty"`
	CI      string `json:"ci,omitempty"`
	// Category is the symptom, as seen when it came in. The cause, as seen at
	// the end, is ClosureCategory: two fields, because mixing them hides both.
	Category        string `json:"category,omitempty"`
	ClosureCategory string `json:"closure_category,omitempty"`

	Impact   itsm.Impact   `json:"impact,omitempty"`
	Urgency  itsm.Urgency  `json:"urgency,omitempty"`
	Priority itsm.Priority `json:"priority,omitempty"`
	// PriorityReason says why the priority is not the matrix's.
	PriorityReason string `json:"priority_reason,omitempty"`

	Assignment Assignment `json:"assignment,omitzero"`
	// Reassignments counts how often it was taken from a group or person and
	// given to another. The first assignment is none, nor is naming a person in
	// the group that has it.
	Reassignments int        `json:"reassignments,omitempty"`
	Escalation    Escalation `json:"escalation,omitzero"`
	// Collaborators are those who help without it having been handed over to
	// them (swarming), in the order in which they joined.
	Collaborators []Collaborator `json:"collaborators,omitempty"`

	// Hold says why nothing is being done; zero unless the state is OnHold.
	Hold Hold `json:"hold,omitzero"`
	// Resolution is zero until it is resolved, and again after reopening. What
	// is cancelled afterwards keeps it.
	Resolution Resolution `json:"resolution,omitzero"`
	// CloseAt is when a resolved incident closes by itself.
	CloseAt time.Time `json:"close_at,omitzero"`
	// Reopens counts how often a resolution did not hold.
	Reopens int `json:"reopens,omitempty"`

	// MergedInto is the incident that this one was found to be the same as.
	MergedInto itsm.ID `json:"merged_into,omitempty"`
	// Parent and Children connect an incident with those that are part of it.
	// There is one level: a parent has no parent.
	Parent   itsm.ID `json:"parent,omitempty"`
	Children []Child `json:"children,omitempty"`
	// WaitForChildren says that it cannot be closed while a child is open.
	WaitForChildren bool `json:"wait_for_children,omitempty"`

	Major      Major      `json:"major,omitzero"`
	Milestones Milestones `json:"milestones"`

	// Clocks are what is promised about it and how that stands, by the
	// agreements that apply ([Config].Agreements).
	slm.Clocks

	// PublicNotes and InternalNotes count what is in the journal.
	PublicNotes   int `json:"public_notes,omitempty"`
	InternalNotes int `json:"internal_notes,omitempty"`
	// TimeSpent is the work logged. JSON: nanoseconds.
	TimeSpent time.Duration `json:"time_spent,omitempty"`

	// Proposals is what the [Matcher] found last, best first.
	Proposals []Proposal `json:"proposals,omitempty"`
	// Satisfaction is what the caller thought of it in the end, nil if nobody
	// knows.
	Satisfaction *Satisfaction `json:"satisfaction,omitempty"`
	// Review is the look back, nil until it is started.
	Review *Review `json:"review,omitempty"`
}

// AppendKeys lists by which keys incidents can be found: assignee, group,
// service, caller, priority ("1"), major and parent.
func (r *Incident) AppendKeys(keys []itsm.Key) []itsm.Key {
	add := func(field, value string) {
		if value != "" {
			keys = append(keys, itsm.Key{Field: field, Value: value})
		}
	}
	add("assignee", r.Assignment.Person)
	add("group", r.Assignment.Group)
	add("service", r.Service)
	add("caller", r.Caller)
	if r.Priority > 0 {
		add("priority", strconv.Itoa(int(r.Priority)))
	}
	add("major", string(r.Major.Status))
	add("parent", string(r.Parent))
	return keys
}

// OpenChildren returns how many children are open.
func (r *Incident) OpenChildren() int {
	n := 0
	for _, c := range r.Children {
		if c.Open {
			n++
		}
	}
	return n
}

// An Assignment says whose an incident is: a group's, or one person's in it.
type Assignment = itsm.Assignment

// Escalation counts levels. Functional escalation hands the incident over to
// people with other skills; hierarchical escalation tells people with more
// authority and leaves it where it is.
type Escalation struct {
	Functional   int `json:"functional,omitempty"`
	Hierarchical int `json:"hierarchical,omitempty"`
	// To is whom the last hierarchical escalation told.
	To string `json:"to,omitempty"`
}

// A Collaborator helps with an incident that is somebody else's.
type Collaborator struct {
	Person string    `json:"person"`
	Skill  string    `json:"skill,omitempty"`
	Joined time.Time `json:"joined"`
}

// A HoldReason says what an incident waits for. A host may use reasons of its
// own beside these.
type HoldReason string

// What incidents wait for, as most products have it.
const (
	AwaitingCaller   HoldReason = "caller"
	AwaitingVendor   HoldReason = "vendor"
	AwaitingChange   HoldReason = "change"
	AwaitingProblem  HoldReason = "problem"
	AwaitingParts    HoldReason = "parts"
	AwaitingApproval HoldReason = "approval"
	AwaitingOther    HoldReason = "other"
)

// A ResumeRule says what ends a hold besides people and time.
type ResumeRule string

const (
	// ResumeByReason is the default: the caller's reply resumes what waits for
	// the caller, and nothing else.
	ResumeByReason ResumeRule = ""
	// ResumeOnReply means that the caller's reply resumes, whatever is waited for.
	ResumeOnReply ResumeRule = "reply"
	// ResumeByHand means that a reply does not resume.
	ResumeByHand ResumeRule = "hand"
)

// Resume rules as a list, for validation and for user interfaces.
func resumeRules() []ResumeRule { return []ResumeRule{ResumeByReason, ResumeOnReply, ResumeByHand} }

// Hold is why an incident is on hold and what ends that.
type Hold struct {
	Reason HoldReason `json:"reason"`
	Note   string     `json:"note,omitempty"`
	Since  time.Time  `json:"since"`
	// Until is when it resumes by itself.
	Until time.Time `json:"until,omitzero"`
	// Rule is ResumeOnReply or ResumeByHand.
	Rule ResumeRule `json:"rule"`
}

// A ResolutionCode says how service was restored. A host may use codes of its
// own beside these.
type ResolutionCode string

// How incidents are resolved, as most products have it.
const (
	Fixed             ResolutionCode = "fixed"
	Workaround        ResolutionCode = "workaround"
	KnownError        ResolutionCode = "known_error"
	ResolvedByChange  ResolutionCode = "resolved_by_change"
	ResolvedByProblem ResolutionCode = "resolved_by_problem"
	ResolvedByCaller  ResolutionCode = "resolved_by_caller"
	UserError         ResolutionCode = "user_error"
	Duplicate         ResolutionCode = "duplicate"
	NoFaultFound      ResolutionCode = "no_fault_found"
	OtherResolution   ResolutionCode = "other"
)

// A Resolution is how service was restored.
type Resolution struct {
	Code ResolutionCode `json:"code"`
	Note string         `json:"note"`
	By   string         `json:"by"`
	At   time.Time      `json:"at"`
}

// A Child is another incident that is part of this one, and its state.
type Child struct {
	ID    itsm.ID    `json:"id"`
	State itsm.State `json:"state"`
	// Open says that it is neither resolved nor at an end.
	Open bool `json:"open,omitempty"`
}

// A Proposal is something that may help: a known error, an article, a similar
// incident.
type Proposal = itsm.Proposal

// Satisfaction is the caller's answer, from 1 (bad) to 5 (good).
type Satisfaction struct {
	Score   int       `json:"score"`
	Comment string    `json:"comment,omitempty"`
	At      time.Time `json:"at"`
}

// A Review is the look back after an incident is resolved.
type Review struct {
	itsm.Review
	// Summary and Lessons are its result.
	Summary string `json:"summary,omitempty"`
	Lessons string `json:"lessons,omitempty"`
}

// Relations of an incident's links, read from the incident. MergedFrom, Continues
// and ContinuedBy are set by merging and reopening, and cannot be set or removed
// by [Link] and [Unlink].
const (
	// CausedBy points to the change that broke something.
	CausedBy = "caused_by"
	// SymptomOf points to the problem behind it.
	SymptomOf = "symptom_of"
	// SolvedBy points to the change, known error or article that helped.
	SolvedBy = "solved_by"
	// Viewed and Rejected point to articles that were read and did not help.
	Viewed   = "viewed"
	Rejected = "rejected"
	// MergedFrom points to an incident that was found to be the same.
	MergedFrom = "merged_from"
	// Continues and ContinuedBy connect a closed incident with the one that
	// was opened when its resolution did not hold.
	Continues   = "continues"
	ContinuedBy = "continued_by"
	// ReclassifiedAs points to the request that it really was.
	ReclassifiedAs = "reclassified_as"
)

// isOpen reports whether there is still something to restore. A host's own states
// are open as far as the record can tell.
func isOpen(s itsm.State) bool { return s != Resolved && s != Closed && s != Cancelled }
