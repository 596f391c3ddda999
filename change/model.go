package change

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-itsm/itsm"
)

// A Type is what kind of a change it is, and so how it comes to its authorization.
type Type string

const (
	// Standard is authorized beforehand: its risk was assessed once, when its
	// template was approved.
	Standard Type = "standard"
	// Normal is assessed, and authorized by the authority that its risk asks for.
	Normal Type = "normal"
	// Emergency cannot wait: it is tested and assessed as far as time permits, has
	// an authority of its own, and is always reviewed.
	Emergency Type = "emergency"
)

// Types lists the types.
func Types() []Type { return []Type{Standard, Normal, Emergency} }

// A Requirement is something that must be so before a change may enter a state.
type Requirement string

const (
	// NeedRisk wants the risk assessed.
	NeedRisk Requirement = "risk"
	// NeedLowRisk wants it to be no greater than the model's MaxRisk.
	NeedLowRisk Requirement = "low_risk"
	// NeedPlan wants a plan.
	NeedPlan Requirement = "plan"
	// NeedBackOutPlan wants a way back.
	NeedBackOutPlan Requirement = "back_out_plan"
	// NeedTestPlan wants a way to know that it worked.
	NeedTestPlan Requirement = "test_plan"
	// NeedWindow wants a planned start and end.
	NeedWindow Requirement = "window"
	// NeedNoConflict wants the planned time to collide with nothing that was not
	// accepted.
	NeedNoConflict Requirement = "no_conflict"
	// NeedInWindow wants it to be that time now.
	NeedInWindow Requirement = "in_window"
	// NeedApproval wants it authorized.
	NeedApproval Requirement = "approval"
	// NeedDecision wants what its authority was asked, also afterwards, to be
	// decided, one way or the other.
	NeedDecision Requirement = "decision"
	// NeedTemplate wants it made from a template in good standing.
	NeedTemplate Requirement = "template"
	// NeedTasks wants every task of the plan done or skipped.
	NeedTasks Requirement = "tasks"
	// NeedValidation wants it said whether it worked.
	NeedValidation Requirement = "validation"
	// NeedOutcome wants an outcome.
	NeedOutcome Requirement = "outcome"
	// NeedReview wants the review completed, if there has to be one.
	NeedReview Requirement = "review"
)

// Requirements lists them.
func Requirements() []Requirement {
	return []Requirement{NeedRisk, NeedLowRisk, NeedPlan, NeedBackOutPlan, NeedTestPlan, NeedWindow, NeedNoConflict, NeedInWindow,
		NeedApproval, NeedDecision, NeedTemplate, NeedTasks, NeedValidation, NeedOutcome, NeedReview}
}

// A ReviewReason makes the review after a change mandatory.
type ReviewReason string

const (
	// ReviewAlways wants it in any case.
	ReviewAlways ReviewReason = "always"
	// ReviewFailed wants it if the change failed.
	ReviewFailed ReviewReason = "failed"
	// ReviewBackedOut wants it if the change was backed out.
	ReviewBackedOut ReviewReason = "backed_out"
	// ReviewIssues wants it if the change succeeded with issues.
	ReviewIssues ReviewReason = "successful_with_issues"
	// ReviewIncident wants it if the change caused an incident, as its links say.
	ReviewIncident ReviewReason = "caused_incident"
	// ReviewOverran wants it if the work went on after the planned end.
	ReviewOverran ReviewReason = "overran"
	// ReviewUnauthorized wants it if nobody had authorized the change, or its
	// authority refused afterwards.
	ReviewUnauthorized ReviewReason = "unauthorized"
)

// ReviewReasons lists them.
func ReviewReasons() []ReviewReason {
	return []ReviewReason{ReviewAlways, ReviewFailed, ReviewBackedOut, ReviewIssues, ReviewIncident, ReviewOverran, ReviewUnauthorized}
}

// A Model is a repeatable way to treat a kind of change, as data: which of the
// lifecycle's steps it takes, what must be so before each, and whether it is
// reviewed. It names states, and the actions follow from the lifecycle.
//
//	{
//	  "name": "database", "version": 3, "type": "normal", "title": "Changes of the database",
//	  "steps": {
//	    "draft": ["assess", "cancelled"], "assess": ["authorize", "draft", "cancelled"],
//	    "authorize": ["scheduled", "rejected", "draft", "cancelled"], "rejected": ["draft", "cancelled"],
//	    "scheduled": ["implement", "cancelled"], "implement": ["testing", "review"],
//	    "testing": ["implement", "review"], "review": ["closed"]
//	  },
//	  "require": {"authorize": ["risk", "plan", "back_out_plan"], "scheduled": ["approval"], "closed": ["outcome", "review"]},
//	  "review": ["failed", "backed_out"]
//	}
type Model struct {
	Name    string `json:"name"`
	Version int    `json:"version"`
	Type    Type   `json:"type"`
	// Title and Description are for people.
	Title       string `json:"title,omitempty"`
	Description string `json:"description,omitempty"`
	// Steps lists for each state where a change may go from there.
	Steps map[itsm.State][]itsm.State `json:"steps"`
	// Require lists what must be so before a change may enter a state. It is asked
	// of people: what follows by itself from votes or time is not held up.
	Require map[itsm.State][]Requirement `json:"require,omitempty"`
	// MaxRisk is what [NeedLowRisk] admits at most.
	MaxRisk RiskLevel `json:"max_risk,omitempty"`
	// Review is what makes the review mandatory, where the model requires it.
	Review []ReviewReason `json:"review,omitempty"`
	// Afterwards says that the work may begin before its authority has decided:
	// it is asked as the work begins ([Expedite]), and what it says is wanted
	// before the change is closed.
	Afterwards bool `json:"afterwards,omitempty"`
	// ReviewWithin is how long there is for the review. 0 means that there is no
	// limit. JSON: nanoseconds, or text like "72h".
	ReviewWithin time.Duration `json:"review_within,omitempty"`
}

// Ref names a model's version: "normal@1".
func (m Model) Ref() string { return m.Name + "@" + strconv.Itoa(m.Version) }

// modelName returns the name in a model's reference.
func modelName(ref string) string {
	name, _, _ := strings.Cut(ref, "@")
	return name
}

// Validate returns an [itsm.ErrInvalid] with everything that is wrong with a model
// in itself. Whether its steps are those of a lifecycle and lead to an end,
// [Model.Lifecycle] says.
func (m Model) Validate() error {
	var v itsm.Validation
	v.Text("name", m.Name, 1, maxName)
	v.Check(!strings.Contains(m.Name, "@"), "name", "must not contain @")
	v.Check(m.Version >= 0, "version", "must not be negative")
	v.Check(slices.Contains(Types(), m.Type), "type", fmt.Sprintf("must be standard, normal or emergency, is %q", m.Type))
	v.Text("title", m.Title, 0, maxTitle)
	v.Text("description", m.Description, 0, maxNote)
	v.Check(len(m.Steps) > 0, "steps", "must not be empty")
	v.Check(m.ReviewWithin >= 0, "review_within", "must not be negative")
	for _, state := range keys(m.Steps) {
		for i, to := range m.Steps[state] {
			v.Check(!slices.Contains(m.Steps[state][:i], to), fmt.Sprintf("steps.%s[%d]", state, i), fmt.Sprintf("names %q twice", to))
		}
	}
	lowRisk := false
	for _, state := range keys(m.Require) {
		v.Check(m.has(state), "require."+string(state), "is not a state of the model")
		for i, need := range m.Require[state] {
			v.Check(slices.Contains(Requirements(), need), fmt.Sprintf("require.%s[%d]", state, i), fmt.Sprintf("is unknown: %q", need))
			lowRisk = lowRisk || need == NeedLowRisk
		}
	}
	if m.MaxRisk != "" || lowRisk {
		v.Check(m.MaxRisk.known(), "max_risk", fmt.Sprintf("must be low, medium, high or very_high, is %q", m.MaxRisk))
	}
	for i, reason := range m.Review {
		v.Check(slices.Contains(ReviewReasons(), reason), fmt.Sprintf("review[%d]", i), fmt.Sprintf("is unknown: %q", reason))
	}
	return v.Err()
}

// has reports whether a state is one of the model's.
func (m Model) has(state itsm.State) bool {
	if _, ok := m.Steps[state]; ok {
		return true
	}
	for _, tos := range m.Steps {
		if slices.Contains(tos, state) {
			return true
		}
	}
	return false
}

// Lifecycle returns the part of a lifecycle that the model's changes have, as a
// lifecycle of its own: verified, with every action that leads along one of its
// steps or stays where it is. It returns an [itsm.ErrInvalid] with everything that
// is wrong: steps on which the lifecycle has no action, states that cannot be
// reached, traps, states before the implementation that cannot be cancelled, and a
// vote that would lead nowhere.
func (m Model) Lifecycle(whole *itsm.Lifecycle) (*itsm.Lifecycle, error) {
	var v itsm.Validation
	v.Add(m.Validate())
	base := whole.Spec()
	part := base
	part.States, part.Ends, part.NoCancel, part.Transitions = nil, nil, nil, nil
	for _, s := range base.States {
		if m.has(s) || s == base.Initial {
			part.States = append(part.States, s)
		}
	}
	for _, s := range base.Ends {
		if m.has(s) {
			part.Ends = append(part.Ends, s)
		}
	}
	for _, s := range part.States {
		if s == Implement || s == Testing || slices.Contains(base.NoCancel, s) {
			part.NoCancel = append(part.NoCancel, s)
		}
	}
	for _, from := range keys(m.Steps) {
		v.Check(whole.Has(from), "steps."+string(from), "is not a state of the lifecycle")
		for i, to := range m.Steps[from] {
			field := fmt.Sprintf("steps.%s[%d]", from, i)
			v.Check(whole.Has(to), field, fmt.Sprintf("%q is not a state of the lifecycle", to))
			v.Check(!whole.Has(from) || !whole.Has(to) || leads(whole, from, to), field, fmt.Sprintf("no action leads from %s to %s", from, to))
		}
	}
	for _, to := range []itsm.State{Scheduled, Rejected} {
		v.Check(!m.has(Authorize) || m.permits(Authorize, to), "steps.authorize", fmt.Sprintf("must lead to %s, which a vote may decide", to))
	}
	for _, from := range part.States {
		for action, to := range whole.Permitted(from) {
			switch {
			case from == to:
				part.Allow(action, "", from)
			case m.permits(from, to):
				part.Allow(action, to, from)
			}
		}
	}
	l, err := itsm.NewLifecycle(part)
	v.Add(err)
	return l, v.Err()
}

// permits reports whether a step is one of the model's.
func (m Model) permits(from, to itsm.State) bool { return slices.Contains(m.Steps[from], to) }

func leads(l *itsm.Lifecycle, from, to itsm.State) bool {
	for _, s := range l.Permitted(from) {
		if s == to {
			return true
		}
	}
	return false
}

// ParseModel reads the JSON form of a model. It returns an [itsm.ErrInvalid] with
// every finding, as [itsm.ParseJSON] and [Model.Validate] have them.
func ParseModel(data []byte) (Model, error) { return itsm.ParseJSON[Model](data) }

// ReviewNeeded lists why a change has to be reviewed by its model; nothing if it
// has not.
func (m Model) ReviewNeeded(r Change) []ReviewReason {
	var why []ReviewReason
	for _, reason := range m.Review {
		var holds bool
		switch reason {
		case ReviewAlways:
			holds = true
		case ReviewFailed:
			holds = r.Outcome == Failed
		case ReviewBackedOut:
			holds = r.Outcome == BackedOut
		case ReviewIssues:
			holds = r.Outcome == SuccessfulWithIssues
		case ReviewIncident:
			holds = r.Caused("incident") > 0
		case ReviewOverran:
			holds = r.Overran
		case ReviewUnauthorized:
			holds = r.Unauthorized || r.Approval.Retrospective && r.Approval.decided() && !r.Approval.Given()
		}
		if holds {
			why = append(why, reason)
		}
	}
	return why
}

// The names of the models that a host has unless it brings its own: see
// [DefaultModels].
const (
	ModelStandard     = "standard"
	ModelNormal       = "normal"
	ModelLowRisk      = "low_risk"
	ModelEmergency    = "emergency"
	ModelAfterwards   = "emergency_afterwards"
	ModelUnauthorized = "unauthorized"
)

// DefaultModels returns the models that a host has unless it brings its own:
//
//   - standard: from an approved template in good standing, straight to the schedule;
//   - normal: assessed, planned, authorized by the authority that its risk asks for;
//   - low_risk: a normal change whose risk is low enough to need no vote;
//   - emergency: authorized by an authority of its own, always reviewed;
//   - emergency_afterwards: carried out first, which keeps it open until its
//     authority has decided;
//   - unauthorized: found to have been carried out without authorization, and
//     recorded afterwards.
func DefaultModels() []Model {
	bad := []ReviewReason{ReviewFailed, ReviewBackedOut, ReviewIncident, ReviewUnauthorized}
	ending := []Requirement{NeedDecision, NeedOutcome, NeedReview}
	// carryOut adds what all models have in common from the schedule on.
	carryOut := func(steps map[itsm.State][]itsm.State) map[itsm.State][]itsm.State {
		steps[Implement] = append(steps[Implement], Scheduled, Testing, Review, Cancelled)
		steps[Testing] = []itsm.State{Implement, Review, Cancelled}
		steps[Review] = []itsm.State{Implement, Closed}
		return steps
	}
	rejected := []itsm.State{Draft, Planning, Authorize, Closed, Cancelled}
	return []Model{{
		Name: ModelStandard, Version: 1, Type: Standard, Title: "Standard change",
		Description: "Authorized beforehand: a template whose risk was assessed when it was approved.",
		Steps: carryOut(map[itsm.State][]itsm.State{
			Draft:     {Planning, Scheduled, Cancelled},
			Planning:  {Draft, Scheduled, Cancelled},
			Scheduled: {Planning, Implement, Cancelled},
			Implement: {Closed},
		}),
		Require: map[itsm.State][]Requirement{
			Scheduled: {NeedTemplate, NeedWindow, NeedNoConflict},
			Implement: {NeedWindow, NeedNoConflict},
			Closed:    ending,
		},
		Review: bad,
	}, {
		Name: ModelNormal, Version: 1, Type: Normal, Title: "Normal change",
		Description: "Assessed, planned, and authorized by the authority that its risk asks for.",
		Steps: carryOut(map[itsm.State][]itsm.State{
			Draft:     {Assess, Planning, Authorize, Rejected, Cancelled},
			Assess:    {Draft, Planning, Authorize, Rejected, Cancelled},
			Planning:  {Draft, Authorize, Rejected, Cancelled},
			Authorize: {Draft, Planning, Scheduled, Rejected, Cancelled},
			Rejected:  rejected,
			Scheduled: {Planning, Authorize, Implement, Rejected, Cancelled},
		}),
		Require: map[itsm.State][]Requirement{
			Authorize: {NeedRisk, NeedPlan, NeedBackOutPlan, NeedWindow, NeedNoConflict},
			Scheduled: {NeedApproval, NeedWindow},
			Implement: {NeedApproval, NeedWindow, NeedNoConflict},
			Closed:    ending,
		},
		Review: bad,
	}, {
		Name: ModelLowRisk, Version: 1, Type: Normal, Title: "Normal change of low risk",
		Description: "Assessed, and at low risk scheduled without a vote; otherwise like a normal change.",
		Steps: carryOut(map[itsm.State][]itsm.State{
			Draft:     {Assess, Planning, Rejected, Cancelled},
			Assess:    {Draft, Planning, Scheduled, Rejected, Cancelled},
			Planning:  {Draft, Scheduled, Rejected, Cancelled},
			Rejected:  {Draft, Planning, Closed, Cancelled},
			Scheduled: {Planning, Implement, Rejected, Cancelled},
			Implement: {Closed},
		}),
		Require: map[itsm.State][]Requirement{
			Scheduled: {NeedLowRisk, NeedPlan, NeedBackOutPlan, NeedWindow, NeedNoConflict},
			Implement: {NeedLowRisk, NeedWindow, NeedNoConflict},
			Closed:    ending,
		},
		MaxRisk: LowRisk,
		Review:  bad,
	}, {
		Name: ModelEmergency, Version: 1, Type: Emergency, Title: "Emergency change",
		Description: "Cannot wait: authorized by an authority of its own, always reviewed.",
		Steps: carryOut(map[itsm.State][]itsm.State{
			Draft:     {Planning, Authorize, Rejected, Cancelled},
			Planning:  {Draft, Authorize, Rejected, Cancelled},
			Authorize: {Draft, Planning, Scheduled, Rejected, Cancelled},
			Rejected:  rejected,
			Scheduled: {Planning, Authorize, Implement, Rejected, Cancelled},
		}),
		Require: map[itsm.State][]Requirement{
			Authorize: {NeedPlan, NeedNoConflict},
			Scheduled: {NeedApproval},
			Implement: {NeedApproval, NeedNoConflict},
			Closed:    ending,
		},
		Review: []ReviewReason{ReviewAlways},
	}, {
		Name: ModelAfterwards, Version: 1, Type: Emergency, Title: "Emergency change with approval afterwards",
		Description: "Carried out at once; it stays open until its authority has decided.",
		Afterwards:  true,
		Steps: carryOut(map[itsm.State][]itsm.State{
			Draft:     {Planning, Authorize, Implement, Rejected, Cancelled},
			Planning:  {Draft, Authorize, Implement, Rejected, Cancelled},
			Authorize: {Draft, Planning, Scheduled, Implement, Rejected, Cancelled},
			Rejected:  rejected,
			Scheduled: {Planning, Authorize, Implement, Rejected, Cancelled},
		}),
		Require: map[itsm.State][]Requirement{
			Scheduled: {NeedApproval},
			Closed:    ending,
		},
		Review: []ReviewReason{ReviewAlways},
	}, {
		Name: ModelUnauthorized, Version: 1, Type: Normal, Title: "Unauthorized change",
		Description: "Found to have been carried out without authorization, and recorded afterwards.",
		Steps: map[itsm.State][]itsm.State{
			Draft:  {Review, Cancelled},
			Review: {Closed},
		},
		Require: map[itsm.State][]Requirement{Closed: {NeedOutcome, NeedReview}},
		Review:  []ReviewReason{ReviewAlways},
	}}
}
