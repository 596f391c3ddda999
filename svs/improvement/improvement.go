package improvement

import (
	"fmt"
	"time"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/valuechain"
)

// A Source is what an idea came of. A host may have others.
type Source string

// The usual sources.
const (
	FromIdea     Source = "idea"
	FromIncident Source = "incident"
	FromProblem  Source = "problem"
	FromChange   Source = "change"
	FromReview   Source = "review"
	FromSurvey   Source = "survey"
	FromSLA      Source = "sla"
	FromAudit    Source = "audit"
)

// A Direction says which values of a metric are better.
type Direction string

// The directions.
const (
	Higher Direction = "higher"
	Lower  Direction = "lower"
)

// An Outcome is what came of an improvement, by its measurements.
type Outcome string

// The outcomes.
const (
	// Achieved reached its target.
	Achieved Outcome = "achieved"
	// Partly moved the metric in the right direction, but not as far.
	Partly Outcome = "partly"
	// NotAchieved did not move it, or moved it the wrong way.
	NotAchieved Outcome = "not_achieved"
	// Unmeasured cannot be told: there is no target, no measurement after the work, or,
	// where the target was missed, no baseline.
	Unmeasured Outcome = "unmeasured"
)

// Improvement is an entry of the improvement register: something that could be better,
// and its way through the seven steps of the model ([Step]).
type Improvement struct {
	itsm.Meta
	Title       string `json:"title"`
	Description string `json:"description,omitempty"`
	Source      Source `json:"source,omitempty"`
	Submitter   string `json:"submitter"`
	Owner       string `json:"owner,omitempty"`
	Scope
	Score
	// Vision is step 1: what it is for.
	Vision Vision `json:"vision,omitzero"`
	// Baseline is step 2, Target step 3.
	Baseline *Measurement `json:"baseline,omitempty"`
	Target   *Target      `json:"target,omitempty"`
	// Plan is step 4.
	Plan Plan `json:"plan,omitzero"`
	// Results are step 6: what was measured since the work began, oldest first.
	Results []Measurement `json:"results,omitempty"`
	// Lessons are step 7.
	Lessons string  `json:"lessons,omitempty"`
	Outcome Outcome `json:"outcome,omitempty"`
	// Reason is why it was rejected or cancelled.
	Reason string `json:"reason,omitempty"`
	// Hold is set while it waits for something; it stands beside the state.
	Hold *Hold `json:"hold,omitempty"`
	// Late says that the day on which the target was due has passed.
	Late bool `json:"late,omitempty"`
	// Backs counts how often it went back in the model.
	Backs      int        `json:"backs,omitempty"`
	Milestones Milestones `json:"milestones,omitzero"`
}

// Scope is what an improvement is about, by the host's names.
type Scope struct {
	Service  string `json:"service,omitempty"`
	Practice string `json:"practice,omitempty"`
	// Activity is one of the service value chain, Dimension one of the four.
	Activity  valuechain.Activity `json:"activity,omitempty"`
	Dimension string              `json:"dimension,omitempty"`
}

// Score is how much it is worth, each from 1 to 5; 0 means that it was not judged.
type Score struct {
	Benefit int `json:"benefit,omitempty"`
	Effort  int `json:"effort,omitempty"`
	Risk    int `json:"risk,omitempty"`
	// Rank orders the register: more comes first ([Config].Rank).
	Rank int `json:"rank,omitempty"`
}

// Vision is what an improvement is for.
type Vision struct {
	Text string `json:"text"`
	// Value is what it will be worth, and to whom.
	Value        string   `json:"value,omitempty"`
	Stakeholders []string `json:"stakeholders,omitempty"`
}

// A Measurement is a value of a metric.
type Measurement struct {
	Metric string  `json:"metric"`
	Value  float64 `json:"value"`
	Unit   string  `json:"unit,omitempty"`
	// From and To are the window that it is about.
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
	// Measured says that the host's metric computed it ([Config].Metrics), and nobody
	// typed it in.
	Measured bool      `json:"measured,omitempty"`
	At       time.Time `json:"at"`
	By       string    `json:"by"`
}

// A Target is the value that a metric is to have.
type Target struct {
	Metric string    `json:"metric"`
	Value  float64   `json:"value"`
	Better Direction `json:"better"`
	// Due is when; zero means that no day was set.
	Due time.Time `json:"due,omitzero"`
}

// met reports whether a value reaches the target.
func (t *Target) met(value float64) bool {
	if t.Better == Lower {
		return value <= t.Value
	}
	return value >= t.Value
}

// Plan is how to get there.
type Plan struct {
	Text string `json:"text"`
	// Experiment says that it is a trial, of which it is open whether it will help.
	Experiment bool   `json:"experiment,omitempty"`
	Cost       string `json:"cost,omitempty"`
}

// Hold is what an improvement waits for.
type Hold struct {
	Reason string    `json:"reason"`
	Since  time.Time `json:"since"`
	// Until is when it goes on by itself; zero means never.
	Until time.Time `json:"until,omitzero"`
}

// Milestones are when it came to a state, the last time.
type Milestones struct {
	Assessed time.Time `json:"assessed,omitzero"`
	Approved time.Time `json:"approved,omitzero"`
	// Started is the first time.
	Started  time.Time `json:"started,omitzero"`
	Measured time.Time `json:"measured,omitzero"`
	// Ended is when it was closed, rejected or cancelled.
	Ended time.Time `json:"ended,omitzero"`
}

// AppendKeys lists by owner, submitter, source, service, practice and activity.
func (r *Improvement) AppendKeys(keys []itsm.Key) []itsm.Key {
	for _, k := range []itsm.Key{
		{Field: "owner", Value: r.Owner}, {Field: "submitter", Value: r.Submitter}, {Field: "source", Value: string(r.Source)},
		{Field: "service", Value: r.Service}, {Field: "practice", Value: r.Practice}, {Field: "activity", Value: string(r.Activity)},
	} {
		if k.Value != "" {
			keys = append(keys, k)
		}
	}
	return keys
}

// metric returns the metric that the improvement is measured by; empty if none was
// chosen.
func (r *Improvement) metric() string {
	switch {
	case r.Target != nil:
		return r.Target.Metric
	case r.Baseline != nil:
		return r.Baseline.Metric
	}
	return ""
}

// A Step is one of the seven of the continual improvement model, from 1. They are no
// one-way street: going back is legal, leaving one out is not ([Improvement.Skipped]).
type Step int

// The seven steps (Foundation, 4.6).
const (
	WhatIsTheVision        Step = 1
	WhereAreWeNow          Step = 2
	WhereDoWeWantToBe      Step = 3
	HowDoWeGetThere        Step = 4
	TakeAction             Step = 5
	DidWeGetThere          Step = 6
	HowDoWeKeepTheMomentum Step = 7
	numberOfSteps          Step = 7
)

// String returns the step's question.
func (s Step) String() string {
	switch s {
	case WhatIsTheVision:
		return "What is the vision?"
	case WhereAreWeNow:
		return "Where are we now?"
	case WhereDoWeWantToBe:
		return "Where do we want to be?"
	case HowDoWeGetThere:
		return "How do we get there?"
	case TakeAction:
		return "Take action"
	case DidWeGetThere:
		return "Did we get there?"
	case HowDoWeKeepTheMomentum:
		return "How do we keep the momentum going?"
	}
	return fmt.Sprintf("step(%d)", int(s))
}

// Done reports whether there is evidence of a step: a vision, a baseline, a target, a
// plan, the beginning of the work, a measurement since then, lessons.
func (r *Improvement) Done(s Step) bool {
	switch s {
	case WhatIsTheVision:
		return r.Vision.Text != ""
	case WhereAreWeNow:
		return r.Baseline != nil
	case WhereDoWeWantToBe:
		return r.Target != nil
	case HowDoWeGetThere:
		return r.Plan.Text != ""
	case TakeAction:
		return !r.Milestones.Started.IsZero()
	case DidWeGetThere:
		return len(r.Results) > 0
	case HowDoWeKeepTheMomentum:
		return r.Lessons != ""
	}
	return false
}

// Step returns the first step of which there is no evidence, 0 if there is of all.
func (r *Improvement) Step() Step {
	for s := WhatIsTheVision; s <= numberOfSteps; s++ {
		if !r.Done(s) {
			return s
		}
	}
	return 0
}

// A Skip is a step that was left out, or came too late to say anything.
type Skip struct {
	Step   Step   `json:"step"`
	Reason string `json:"reason"`
}

func (s Skip) String() string { return fmt.Sprintf("%d. %s %s", int(s.Step), s.Step, s.Reason) }

// Skipped lists the steps of which there is no evidence although a later one was taken,
// and a baseline that was taken after the work had begun. The classic failures are 2
// and 6: without them nobody knows whether it got better.
func (r *Improvement) Skipped() []Skip {
	latest := Step(0)
	for s := WhatIsTheVision; s <= numberOfSteps; s++ {
		if r.Done(s) {
			latest = s
		}
	}
	if r.State == Closed {
		latest = numberOfSteps + 1
	}
	var all []Skip
	for s := WhatIsTheVision; s <= numberOfSteps; s++ {
		started := r.Milestones.Started
		switch {
		case s < latest && !r.Done(s):
			all = append(all, Skip{s, "was left out"})
		case s == WhereAreWeNow && r.Baseline != nil && !started.IsZero() && r.Baseline.To.After(started):
			all = append(all, Skip{s, "was answered after the work had begun"})
		}
	}
	return all
}

// A Result is what an improvement brought, by its metric.
type Result struct {
	Before float64 `json:"before"`
	After  float64 `json:"after"`
	Target float64 `json:"target"`
	Met    bool    `json:"met"`
	// Share is how much of the way to the target was gone: 1 is all of it, less than 0
	// the wrong way. It is defined if there is a baseline other than the target.
	Share float64 `json:"share"`
	Known bool    `json:"known"`
}

// Result compares the last measurement with target and baseline. It reports false if
// there is no target or no measurement.
func (r *Improvement) Result() (Result, bool) {
	if r.Target == nil || len(r.Results) == 0 {
		return Result{}, false
	}
	out := Result{After: r.Results[len(r.Results)-1].Value, Target: r.Target.Value}
	out.Met = r.Target.met(out.After)
	if r.Baseline != nil {
		out.Before = r.Baseline.Value
		if out.Known = out.Target != out.Before; out.Known {
			out.Share = (out.After - out.Before) / (out.Target - out.Before)
		}
	}
	return out, true
}

// outcome is what the measurements say.
func (r *Improvement) outcome() Outcome {
	result, ok := r.Result()
	switch {
	case !ok:
		return Unmeasured
	case result.Met:
		return Achieved
	case r.Baseline == nil:
		return Unmeasured
	case r.Target.Better == Lower && result.After < result.Before, r.Target.Better == Higher && result.After > result.Before:
		return Partly
	}
	return NotAchieved
}
