package problem

import (
	"slices"
	"strconv"
	"time"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/slm"
)

// A Problem is whatever lies, or could lie, behind one or more incidents, and what is
// being done to find and to remove it. It is changed by actions only; what was said
// about it is in its history, see [Practice.Journal].
//
// Times are UTC and whole microseconds; the zero value of a field means that there is
// nothing to say.
type Problem struct {
	itsm.Meta

	Title       string `json:"title"`
	Description string `json:"description,omitempty"`
	// Origin says whether incidents led to it, and Source what did: a proposal of the
	// [Detector], a vendor, an audit.
	Origin Origin `json:"origin"`
	Source string `json:"source,omitempty"`
	// Author registered it.
	Author string `json:"author"`
	// Services and CIs are what is affected, as the host calls them.
	Services []string `json:"services,omitempty"`
	CIs      []string `json:"cis,omitempty"`
	// Category says whose matter it looks like, and Symptom how the incidents show it,
	// in the words of their categories.
	Category string `json:"category,omitempty"`
	Symptom  string `json:"symptom,omitempty"`

	// Risk is what it is expected to cost as long as it stays, and Priority what
	// follows from that.
	Risk     Risk          `json:"risk,omitzero"`
	Priority itsm.Priority `json:"priority,omitempty"`
	// PriorityReason says why the priority is not that of the risk.
	PriorityReason string `json:"priority_reason,omitempty"`
	// Cost is what it has cost so far.
	Cost Cost `json:"cost,omitzero"`

	Assignment Assignment `json:"assignment,omitzero"`
	// Reassignments counts how often it was taken from a group or person and given to
	// another.
	Reassignments int `json:"reassignments,omitempty"`
	// Major says that it harms so much that the way in which it was handled has to be
	// looked at before it is closed ([Review]), and MajorReason why.
	Major       bool   `json:"major,omitempty"`
	MajorReason string `json:"major_reason,omitempty"`

	// Hold says why nothing is being done; zero unless the state is OnHold.
	Hold Hold `json:"hold,omitzero"`
	// Analysis is how its causes are looked for, and Causes what was found. There may
	// be several, and they may lie in any of the four dimensions.
	Analysis Analysis `json:"analysis,omitzero"`
	Causes   []Cause  `json:"causes,omitempty"`
	// ControlEnded is when problem control was finished: the causes were known, or it
	// was over without that. Zero again while it is investigated anew.
	ControlEnded time.Time `json:"control_ended,omitzero"`

	// Fix is what removes the causes.
	Fix Fix `json:"fix,omitzero"`
	// Acceptance is somebody's answer for the risk that stays.
	Acceptance Acceptance `json:"acceptance,omitzero"`
	// Resolution is zero until it is resolved, closed or cancelled, and again after it
	// came back.
	Resolution Resolution `json:"resolution,omitzero"`
	// Observation is the time after a fix in which it has to prove itself.
	Observation Observation `json:"observation,omitzero"`
	// Returns counts how often a fix did not hold, Reopens how often the investigation
	// began anew after a resolution.
	Returns int `json:"returns,omitempty"`
	Reopens int `json:"reopens,omitempty"`
	// Closed is when it was over.
	Closed time.Time `json:"closed,omitzero"`
	// MergedInto is the problem that this one was found to be the same as.
	MergedInto itsm.ID `json:"merged_into,omitempty"`

	Tasks  []Task `json:"tasks,omitempty"`
	Review Review `json:"review,omitzero"`

	// Clocks are what is promised about it and how that stands, by the agreements that
	// apply ([Config].Agreements).
	slm.Clocks

	// Notes counts what is in the journal.
	Notes int `json:"notes,omitempty"`
}

// AppendKeys lists by which keys problems can be found: origin, service, ci, symptom,
// assignee, group, priority ("1"), major ("true"), resolution (the code), and phase.
func (r *Problem) AppendKeys(keys []itsm.Key) []itsm.Key {
	add := func(field, value string) {
		if value != "" {
			keys = append(keys, itsm.Key{Field: field, Value: value})
		}
	}
	add("origin", string(r.Origin))
	for _, s := range r.Services {
		add("service", s)
	}
	for _, ci := range r.CIs {
		add("ci", ci)
	}
	add("symptom", r.Symptom)
	add("assignee", r.Assignment.Person)
	add("group", r.Assignment.Group)
	if r.Priority > 0 {
		add("priority", strconv.Itoa(int(r.Priority)))
	}
	if r.Major {
		add("major", "true")
	}
	add("resolution", string(r.Resolution.Code))
	add("phase", string(r.Phase()))
	return keys
}

// Ref is the reference to a problem.
func Ref(id itsm.ID) itsm.Ref { return itsm.Ref{Kind: "problem", ID: id} }

// A Phase is one of the three of problem management.
type Phase string

// The phases; what is over is in none.
const (
	// Identification ends with a problem that is worth being looked into.
	Identification Phase = "identification"
	// ProblemControl ends with known errors.
	ProblemControl Phase = "problem_control"
	// ErrorControl ends with a cure, or with a risk that somebody answers for.
	ErrorControl Phase = "error_control"
)

// Phases lists the phases in their order.
func Phases() []Phase { return []Phase{Identification, ProblemControl, ErrorControl} }

// PhaseOf returns the phase to which a state belongs, "" for what is over, on hold, or
// a state of the host's own.
func PhaseOf(s itsm.State) Phase {
	switch s {
	case New, Assess:
		return Identification
	case Investigating, Identified:
		return ProblemControl
	case FixInProgress, Resolved, Monitoring:
		return ErrorControl
	}
	return ""
}

// Phase returns the phase that the problem is in: it follows from the state. What is
// on hold is in the phase in which it was put there.
func (r *Problem) Phase() Phase {
	if r.State == OnHold {
		return PhaseOf(r.Hold.From)
	}
	return PhaseOf(r.State)
}

// Open reports whether the problem is neither resolved nor at an end. A host's own
// states are open.
func (r *Problem) Open() bool {
	return r.State != Resolved && r.State != Monitoring && r.State != Closed && r.State != Cancelled
}

// An Origin says on which side of the first incident a problem was found.
type Origin string

const (
	// Reactive follows incidents, and stops them from coming back.
	Reactive Origin = "reactive"
	// Proactive precedes them: it comes from vendors, developers, audits and trends,
	// and stops the first one.
	Proactive Origin = "proactive"
)

// Origins lists the origins.
func Origins() []Origin { return []Origin{Reactive, Proactive} }

// Cost is what incidents have cost.
type Cost struct {
	// Incidents counts them.
	Incidents int `json:"incidents,omitempty"`
	// Downtime is how long they lasted, together; Effort the work that was put into
	// them. JSON: nanoseconds, or text like "1h30m".
	Downtime time.Duration `json:"downtime,omitempty"`
	Effort   time.Duration `json:"effort,omitempty"`
	// Money is in the smallest unit of the host's currency.
	Money int64 `json:"money,omitempty"`
}

// An Assignment says whose a problem is: a group's, or one person's in it.
type Assignment = itsm.Assignment

// A HoldReason says what a problem waits for. A host may use reasons of its own beside
// these.
type HoldReason string

// What problems wait for.
const (
	AwaitingRecurrence  HoldReason = "recurrence" // nothing can be learned until it happens again
	AwaitingInformation HoldReason = "information"
	AwaitingVendor      HoldReason = "vendor"
	AwaitingChange      HoldReason = "change"
	AwaitingBudget      HoldReason = "budget"
	AwaitingOther       HoldReason = "other"
)

// Hold is why a problem is on hold.
type Hold struct {
	Reason HoldReason `json:"reason"`
	Note   string     `json:"note,omitempty"`
	Since  time.Time  `json:"since"`
	// Until is when it resumes by itself.
	Until time.Time `json:"until,omitzero"`
	// From is the state to which it resumes.
	From itsm.State `json:"from"`
}

// A Dimension is one of the four of service management. Causes may lie in any of them.
type Dimension string

// The four dimensions.
const (
	OrganizationsPeople   Dimension = "organizations_people"
	InformationTechnology Dimension = "information_technology"
	PartnersSuppliers     Dimension = "partners_suppliers"
	ValueStreamsProcesses Dimension = "value_streams_processes"
)

// Dimensions lists the dimensions.
func Dimensions() []Dimension {
	return []Dimension{OrganizationsPeople, InformationTechnology, PartnersSuppliers, ValueStreamsProcesses}
}

// A Cause is one of those that were found.
type Cause struct {
	Text string `json:"text"`
	// Dimension is where it lies, if that was said.
	Dimension Dimension `json:"dimension,omitempty"`
	// Evidence is how that is known.
	Evidence string `json:"evidence"`
	// Contributing says that it made things worse, and did not bring them about.
	Contributing bool `json:"contributing,omitempty"`
}

// A Fix is what removes the causes.
type Fix struct {
	// Plan is what is to be done, and Change where: a change, an improvement.
	Plan   string   `json:"plan,omitempty"`
	Change itsm.Ref `json:"change,omitzero"`
	// Started is when that began, and Until when it is to be done.
	Started time.Time `json:"started,omitzero"`
	Until   time.Time `json:"until,omitzero"`
}

// An Acceptance is somebody's answer for the risk that stays.
type Acceptance struct {
	// Owner is who answers for it: the product or service owner.
	Owner  string    `json:"owner"`
	Reason string    `json:"reason"`
	By     string    `json:"by"`
	At     time.Time `json:"at"`
	// Review is when it has to be looked at again, and Lapsed says that this is past
	// and nobody did.
	Review time.Time `json:"review"`
	Lapsed bool      `json:"lapsed,omitempty"`
}

// Standing reports whether somebody answers for the risk now.
func (a Acceptance) Standing() bool { return !a.At.IsZero() && !a.Lapsed }

// A ResolutionCode says how a problem ended. A host may use codes of its own beside
// these for what is no longer a risk.
type ResolutionCode string

const (
	// FixApplied removed the causes.
	FixApplied ResolutionCode = "fix_applied"
	// WorkaroundAccepted leaves them where they are and lives with the workaround.
	WorkaroundAccepted ResolutionCode = "workaround_accepted"
	// RiskAccepted leaves them where they are.
	RiskAccepted ResolutionCode = "risk_accepted"
	// NoLongerRelevant does not affect the organization any more.
	NoLongerRelevant ResolutionCode = "no_longer_relevant"
	// NotReproducible could not be found.
	NotReproducible ResolutionCode = "not_reproducible"
	// Duplicate was merged into another; only merging sets it.
	Duplicate ResolutionCode = "duplicate"
	// NoProblem was none; only cancelling sets it.
	NoProblem ResolutionCode = "cancelled"
)

// ResolutionCodes lists the codes.
func ResolutionCodes() []ResolutionCode {
	return []ResolutionCode{FixApplied, WorkaroundAccepted, RiskAccepted, NoLongerRelevant, NotReproducible, Duplicate, NoProblem}
}

// Accepts reports whether a resolution leaves a risk for which somebody has to answer.
func (c ResolutionCode) Accepts() bool { return c == WorkaroundAccepted || c == RiskAccepted }

// Fixes reports whether a resolution did something that has to prove itself: a fix, or
// whatever a code of the host's own means.
func (c ResolutionCode) Fixes() bool {
	return c == FixApplied || c != "" && !slices.Contains(ResolutionCodes(), c)
}

// A Resolution is how a problem ended.
type Resolution struct {
	Code ResolutionCode `json:"code"`
	Note string         `json:"note,omitempty"`
	By   string         `json:"by"`
	At   time.Time      `json:"at"`
}

// An Observation is the time after a fix in which the problem must not come back.
type Observation struct {
	Since time.Time `json:"since"`
	Until time.Time `json:"until"`
	// Over says that the time is over although the problem could not be closed then.
	Over bool `json:"over,omitempty"`
}

// A Task is a step of the work on a problem.
type Task struct {
	// Number counts from 1 within the problem.
	Number int       `json:"number"`
	Title  string    `json:"title"`
	Owner  string    `json:"owner,omitempty"`
	Due    time.Time `json:"due,omitzero"`
	// Ended is when it was done or dropped, and Result what came of it.
	Ended   time.Time `json:"ended,omitzero"`
	Dropped bool      `json:"dropped,omitempty"`
	Result  string    `json:"result,omitempty"`
}

// A Review is the look back at how a problem was handled. Where it is a major one, it
// comes before the end.
type Review struct {
	itsm.Review
	// WentWell, WentWrong, Improve and Prevent are what it asks about: what to keep,
	// what to stop, what to do better, and what would keep such problems away.
	WentWell  string `json:"went_well,omitempty"`
	WentWrong string `json:"went_wrong,omitempty"`
	Improve   string `json:"improve,omitempty"`
	Prevent   string `json:"prevent,omitempty"`
}

// Relations of a problem's links, read from the problem.
const (
	// ShownBy points to an incident that shows it.
	ShownBy = "shown_by"
	// CausedBy points to the change that broke something.
	CausedBy = "caused_by"
	// FixedBy points to the change or improvement that removes it. [StartFix] sets it.
	FixedBy = "fixed_by"
	// MergedFrom points to a problem that was found to be the same. It is set by
	// merging, and cannot be set or removed by [Link] and [Unlink].
	MergedFrom = "merged_from"
)
