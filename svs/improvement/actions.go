package improvement

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/valuechain"
)

// Limits of what an action takes, in characters, and of what a record holds.
const (
	maxName         = 200
	maxTitle        = 300
	maxNote         = 32_000
	maxStakeholders = 100
	maxResults      = 200
)

// Link, Unlink and SetFields are the actions that every practice has: links to other
// records, and the host's own data.
type (
	// Link adds a link to another record; it never changes the other.
	Link = itsm.AddLink[Improvement]
	// Unlink removes a link.
	Unlink = itsm.RemoveLink[Improvement]
	// SetFields changes the host's own data.
	SetFields = itsm.SetFields[Improvement]
)

func needReason(reason string) error { return itsm.CheckText("reason", reason, 1, maxNote) }

// Log puts an idea into the register: the action that creates an improvement.
type Log struct {
	Title       string `json:"title"`
	Description string `json:"description,omitempty"`
	Source      Source `json:"source,omitempty"`
	// Submitter is whose idea it is; empty means who logs it.
	Submitter string `json:"submitter,omitempty"`
	Scope
}

// Action returns "log".
func (Log) Action() string { return "log" }

// Validate checks the texts and the activity.
func (a Log) Validate() error {
	var v itsm.Validation
	v.Text("title", a.Title, 1, maxTitle)
	v.Text("description", a.Description, 0, maxNote)
	v.Text("source", string(a.Source), 0, maxName)
	v.Text("submitter", a.Submitter, 0, maxName)
	v.Add(a.Scope.Validate())
	return v.Err()
}

// Apply fills the record.
func (a Log) Apply(r *Improvement, at itsm.Moment) error {
	r.Title, r.Description, r.Source, r.Scope = a.Title, a.Description, a.Source, a.Scope
	r.Submitter = a.Submitter
	if r.Submitter == "" {
		r.Submitter = at.Actor.ID
	}
	return nil
}

// Validate checks the names.
func (s Scope) Validate() error {
	var v itsm.Validation
	v.Text("service", s.Service, 0, maxName)
	v.Text("practice", s.Practice, 0, maxName)
	v.Text("activity", string(s.Activity), 0, maxName)
	v.Text("dimension", s.Dimension, 0, maxName)
	known := s.Activity == "" || slices.ContainsFunc(valuechain.Editions(), func(e valuechain.Edition) bool { return e.Has(s.Activity) })
	v.Check(known, "activity", "is none of the service value chain")
	return v.Err()
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
func (a Describe) Apply(r *Improvement, _ itsm.Moment) error {
	r.Title, r.Description = a.Title, a.Description
	return nil
}

// SetScope says what it is about; all of it is set.
type SetScope struct {
	Scope
}

// Action returns "set_scope".
func (SetScope) Action() string { return "set_scope" }

// Apply sets it.
func (a SetScope) Apply(r *Improvement, _ itsm.Moment) error {
	r.Scope = a.Scope
	return nil
}

// SetScore says how much it is worth; all of it is set, and the practice ranks it.
type SetScore struct {
	Benefit int `json:"benefit"`
	Effort  int `json:"effort"`
	Risk    int `json:"risk,omitempty"`
	// Rank is set by the practice.
	Rank int `json:"rank,omitempty"`
}

// Action returns "set_score".
func (SetScore) Action() string { return "set_score" }

// Validate checks that benefit and effort are judged.
func (a SetScore) Validate() error {
	var v itsm.Validation
	v.Check(a.Benefit >= 1 && a.Benefit <= 5, "benefit", "must be 1 to 5")
	v.Check(a.Effort >= 1 && a.Effort <= 5, "effort", "must be 1 to 5")
	v.Check(a.Risk >= 0 && a.Risk <= 5, "risk", "must be 1 to 5, or 0 where it was not judged")
	return v.Err()
}

// Apply sets it.
func (a SetScore) Apply(r *Improvement, _ itsm.Moment) error {
	r.Score = Score(a)
	return nil
}

// SetOwner says who answers for it; empty means nobody.
type SetOwner struct {
	Owner string `json:"owner,omitempty"`
}

// Action returns "set_owner".
func (SetOwner) Action() string { return "set_owner" }

// Validate checks the name.
func (a SetOwner) Validate() error { return itsm.CheckText("owner", a.Owner, 0, maxName) }

// Apply sets it.
func (a SetOwner) Apply(r *Improvement, _ itsm.Moment) error {
	r.Owner = a.Owner
	return nil
}

// SetVision answers step 1: what is the vision?
type SetVision struct {
	Vision
}

// Action returns "set_vision".
func (SetVision) Action() string { return "set_vision" }

// Validate checks the texts.
func (a SetVision) Validate() error {
	var v itsm.Validation
	v.Text("text", a.Text, 1, maxNote)
	v.Text("value", a.Value, 0, maxNote)
	v.Check(len(a.Stakeholders) <= maxStakeholders, "stakeholders", fmt.Sprintf("must be at most %d", maxStakeholders))
	for i, s := range a.Stakeholders {
		v.Text(fmt.Sprintf("stakeholders[%d]", i), s, 1, maxName)
	}
	return v.Err()
}

// Apply sets it.
func (a SetVision) Apply(r *Improvement, _ itsm.Moment) error {
	r.Vision = a.Vision
	return nil
}

// reading is what somebody says, or the host's metric computes, about a window.
type reading struct {
	// Metric names what is measured. If the host has a metric of that name
	// ([Config].Metrics), it computes the value; else the value given counts.
	Metric string  `json:"metric"`
	Value  float64 `json:"value,omitempty"`
	Unit   string  `json:"unit,omitempty"`
	// From and To are the window.
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
	// Measured is set by the practice.
	Measured bool `json:"measured,omitempty"`
}

func (m reading) check(v *itsm.Validation) {
	v.Text("metric", m.Metric, 1, maxName)
	v.Text("unit", m.Unit, 0, maxName)
	v.Check(m.From.Before(m.To), "to", "must be after from")
	v.Check(!math.IsNaN(m.Value) && !math.IsInf(m.Value, 0), "value", "must be a number")
}

func (m reading) at(at itsm.Moment) Measurement {
	return Measurement{Metric: m.Metric, Value: m.Value, Unit: m.Unit, From: m.From, To: m.To, Measured: m.Measured, At: at.At, By: at.Actor.ID}
}

// sameMetric refuses to compare what cannot be.
func sameMetric(v *itsm.Validation, r *Improvement, metric string) {
	have := r.metric()
	v.Rule(have == "" || have == metric, fmt.Sprintf("it is measured by %q", have))
}

// SetBaseline answers step 2: where are we now?
type SetBaseline struct {
	Metric string  `json:"metric"`
	Value  float64 `json:"value,omitempty"`
	Unit   string  `json:"unit,omitempty"`
	// From and To are the window that it is about.
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
	// Measured is set by the practice: the value is then that of the host's metric
	// ([Config].Metrics).
	Measured bool `json:"measured,omitempty"`
}

// Action returns "set_baseline".
func (SetBaseline) Action() string { return "set_baseline" }

// Validate checks metric, value and window.
func (a SetBaseline) Validate() error {
	var v itsm.Validation
	reading(a).check(&v)
	return v.Err()
}

// Apply sets it. Where there are a target or results, it is by their metric.
func (a SetBaseline) Apply(r *Improvement, at itsm.Moment) error {
	var v itsm.Validation
	v.NotAfter("to", a.To, at.At, "now")
	if r.Target != nil || len(r.Results) > 0 {
		sameMetric(&v, r, a.Metric)
	}
	m := reading(a).at(at)
	r.Baseline = &m
	return v.Err()
}

// SetTarget answers step 3: where do we want to be?
type SetTarget struct {
	Target
}

// Action returns "set_target".
func (SetTarget) Action() string { return "set_target" }

// Validate checks metric, value and direction.
func (a SetTarget) Validate() error {
	var v itsm.Validation
	v.Text("metric", a.Metric, 1, maxName)
	v.Check(!math.IsNaN(a.Value) && !math.IsInf(a.Value, 0), "value", "must be a number")
	v.Check(a.Better == Higher || a.Better == Lower, "better", "must be higher or lower")
	return v.Err()
}

// Apply sets it. A baseline by another metric no longer counts where nothing was
// measured since; where something was, the metric stays.
func (a SetTarget) Apply(r *Improvement, _ itsm.Moment) error {
	var v itsm.Validation
	if len(r.Results) > 0 {
		sameMetric(&v, r, a.Metric)
	}
	if r.Baseline != nil && r.Baseline.Metric != a.Metric {
		r.Baseline = nil
	}
	t := a.Target
	r.Target, r.Late = &t, false
	return v.Err()
}

// Assess says that it was looked at.
type Assess struct {
	Note string `json:"note,omitempty"`
}

// Action returns "assess".
func (Assess) Action() string { return "assess" }

// Validate checks the text.
func (a Assess) Validate() error { return itsm.CheckText("note", a.Note, 0, maxNote) }

// Apply sets the milestone.
func (a Assess) Apply(r *Improvement, at itsm.Moment) error {
	r.Milestones.Assessed = at.At
	return nil
}

// Approve says that it is to be done.
type Approve struct {
	Note string `json:"note,omitempty"`
}

// Action returns "approve".
func (Approve) Action() string { return "approve" }

// Validate checks the text.
func (a Approve) Validate() error { return itsm.CheckText("note", a.Note, 0, maxNote) }

// Apply sets the milestone.
func (a Approve) Apply(r *Improvement, at itsm.Moment) error {
	r.Milestones.Approved = at.At
	return nil
}

// Reject says that it is not to be done, and why.
type Reject struct {
	Reason string `json:"reason"`
}

// Action returns "reject".
func (Reject) Action() string { return "reject" }

// Validate checks that there is a reason.
func (a Reject) Validate() error { return needReason(a.Reason) }

// Apply keeps the reason.
func (a Reject) Apply(r *Improvement, at itsm.Moment) error {
	r.Reason, r.Hold, r.Milestones.Ended = a.Reason, nil, at.At
	return nil
}

// Reconsider takes a rejected idea up again.
type Reconsider struct {
	Reason string `json:"reason"`
}

// Action returns "reconsider".
func (Reconsider) Action() string { return "reconsider" }

// Validate checks that there is a reason.
func (a Reconsider) Validate() error { return needReason(a.Reason) }

// Apply forgets why it was rejected.
func (a Reconsider) Apply(r *Improvement, _ itsm.Moment) error {
	r.Reason, r.Milestones.Ended = "", time.Time{}
	r.Backs++
	return nil
}

// SetPlan answers step 4: how do we get there? Small steps beat large ones.
type SetPlan struct {
	Plan
}

// Action returns "plan".
func (SetPlan) Action() string { return "plan" }

// Validate checks the texts.
func (a SetPlan) Validate() error { return a.Plan.check() }

func (p Plan) check() error {
	var v itsm.Validation
	v.Text("text", p.Text, 1, maxNote)
	v.Text("cost", p.Cost, 0, maxName)
	return v.Err()
}

// Apply sets it.
func (a SetPlan) Apply(r *Improvement, _ itsm.Moment) error {
	r.Plan = a.Plan
	return nil
}

// Start takes action: step 5.
type Start struct{}

// Action returns "start".
func (Start) Action() string { return "start" }

// Guard refuses while it is on hold.
func (Start) Guard(r *Improvement, _ itsm.Moment) error { return r.waits() }

// Apply sets the milestone, the first time.
func (Start) Apply(r *Improvement, at itsm.Moment) error {
	if r.Milestones.Started.IsZero() {
		r.Milestones.Started = at.At
	}
	return nil
}

// waits refuses what cannot be done while it is on hold.
func (r *Improvement) waits() error {
	if r.Hold == nil {
		return nil
	}
	return itsm.Refuse("it is on hold: %s", r.Hold.Reason)
}

// Measure answers step 6: did we get there? A closed improvement can be measured too,
// to see whether it lasts.
type Measure struct {
	Metric string  `json:"metric"`
	Value  float64 `json:"value,omitempty"`
	Unit   string  `json:"unit,omitempty"`
	// From and To are the window that it is about.
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
	// Measured is set by the practice, as in [SetBaseline].
	Measured bool `json:"measured,omitempty"`
}

// Action returns "measure".
func (Measure) Action() string { return "measure" }

// Validate checks metric, value and window.
func (a Measure) Validate() error {
	var v itsm.Validation
	reading(a).check(&v)
	return v.Err()
}

// Guard refuses while it is on hold.
func (Measure) Guard(r *Improvement, _ itsm.Moment) error { return r.waits() }

// Apply adds it. What is measured lies after the beginning of the work, and is measured
// by the metric of target and baseline. The outcome of a closed improvement is judged
// anew.
func (a Measure) Apply(r *Improvement, at itsm.Moment) error {
	var v itsm.Validation
	v.NotAfter("to", a.To, at.At, "now")
	sameMetric(&v, r, a.Metric)
	v.Rule(len(r.Results) < maxResults, fmt.Sprintf("it has %d measurements already", maxResults))
	v.Check(a.To.After(r.Milestones.Started), "to", "must be after the work has begun")
	r.Results = append(r.Results, reading(a).at(at))
	r.Milestones.Measured = at.At
	if r.State == Closed {
		r.Outcome = r.outcome()
	}
	return v.Err()
}

// Reassess goes back to ask what it is worth.
type Reassess struct {
	Reason string `json:"reason"`
}

// Action returns "reassess".
func (Reassess) Action() string { return "reassess" }

// Validate checks that there is a reason.
func (a Reassess) Validate() error { return needReason(a.Reason) }

// Apply counts it.
func (a Reassess) Apply(r *Improvement, at itsm.Moment) error {
	r.Backs++
	r.Milestones.Assessed = at.At
	return nil
}

// Replan goes back to the plan, and changes it.
type Replan struct {
	Reason string `json:"reason"`
	Plan
}

// Action returns "replan".
func (Replan) Action() string { return "replan" }

// Validate checks that there are a reason and a plan.
func (a Replan) Validate() error {
	var v itsm.Validation
	v.Add(needReason(a.Reason))
	v.Add(a.Plan.check())
	return v.Err()
}

// Apply sets the plan.
func (a Replan) Apply(r *Improvement, _ itsm.Moment) error {
	r.Backs++
	r.Plan = a.Plan
	return nil
}

// Rework goes back to the work, because the measurements say that it is not done.
type Rework struct {
	Reason string `json:"reason"`
}

// Action returns "rework".
func (Rework) Action() string { return "rework" }

// Validate checks that there is a reason.
func (a Rework) Validate() error { return needReason(a.Reason) }

// Apply counts it.
func (a Rework) Apply(r *Improvement, _ itsm.Moment) error {
	r.Backs++
	return nil
}

// Close answers step 7: how do we keep the momentum going? What came of it follows from
// the measurements.
type Close struct {
	// Lessons are what was learned, and what comes next.
	Lessons string `json:"lessons"`
}

// Action returns "close".
func (Close) Action() string { return "close" }

// Validate checks that something was learned.
func (a Close) Validate() error { return itsm.CheckText("lessons", a.Lessons, 1, maxNote) }

// Guard refuses while it is on hold.
func (Close) Guard(r *Improvement, _ itsm.Moment) error { return r.waits() }

// Apply keeps the lessons and judges the outcome.
func (a Close) Apply(r *Improvement, at itsm.Moment) error {
	r.Lessons, r.Milestones.Ended = a.Lessons, at.At
	r.Outcome = r.outcome()
	return nil
}

// Reopen takes a closed improvement up again, because it does not last.
type Reopen struct {
	Reason string `json:"reason"`
}

// Action returns "reopen".
func (Reopen) Action() string { return "reopen" }

// Validate checks that there is a reason.
func (a Reopen) Validate() error { return needReason(a.Reason) }

// Apply takes the outcome back.
func (a Reopen) Apply(r *Improvement, _ itsm.Moment) error {
	r.Backs++
	r.Outcome, r.Milestones.Ended = "", time.Time{}
	return nil
}

// Cancel gives it up, and says why.
type Cancel struct {
	Reason string `json:"reason"`
}

// Action returns "cancel".
func (Cancel) Action() string { return "cancel" }

// Validate checks that there is a reason.
func (a Cancel) Validate() error { return needReason(a.Reason) }

// Apply keeps the reason.
func (a Cancel) Apply(r *Improvement, at itsm.Moment) error {
	r.Reason, r.Hold, r.Milestones.Ended = a.Reason, nil, at.At
	return nil
}

// PutOnHold says what it waits for.
type PutOnHold struct {
	Reason string `json:"reason"`
	// Until is when it goes on by itself; zero means never.
	Until time.Time `json:"until,omitzero"`
}

// Action returns "hold".
func (PutOnHold) Action() string { return "hold" }

// Validate checks that there is a reason.
func (a PutOnHold) Validate() error { return needReason(a.Reason) }

// Apply sets the hold; one that is there goes on with another reason or time.
func (a PutOnHold) Apply(r *Improvement, at itsm.Moment) error {
	var v itsm.Validation
	v.Check(a.Until.IsZero() || a.Until.After(at.At), "until", "must be after now")
	h := Hold{Reason: a.Reason, Since: at.At, Until: a.Until}
	if r.Hold != nil {
		h.Since = r.Hold.Since
	}
	r.Hold = &h
	return v.Err()
}

// Resume goes on.
type Resume struct{}

// Action returns "resume".
func (Resume) Action() string { return "resume" }

// Guard refuses where it is not on hold.
func (Resume) Guard(r *Improvement, _ itsm.Moment) error { return r.held() }

// Apply ends the hold.
func (Resume) Apply(r *Improvement, _ itsm.Moment) error {
	r.Hold = nil
	return nil
}

func (r *Improvement) held() error {
	if r.Hold == nil {
		return itsm.Refuse("it is not on hold")
	}
	return nil
}

// AutoResume is Resume at the time that was said. Only the practice does it.
type AutoResume struct{}

// Action returns "auto_resume".
func (AutoResume) Action() string { return "auto_resume" }

// Guard refuses where it is not on hold.
func (AutoResume) Guard(r *Improvement, _ itsm.Moment) error { return r.held() }

// Apply ends the hold.
func (AutoResume) Apply(r *Improvement, _ itsm.Moment) error {
	r.Hold = nil
	return nil
}

// MissDue notes that the day on which the target was due has passed. Only the practice
// does it.
type MissDue struct{}

// Action returns "miss_due".
func (MissDue) Action() string { return "miss_due" }

// Apply notes it.
func (MissDue) Apply(r *Improvement, _ itsm.Moment) error {
	r.Late = true
	return nil
}

// Note says something about it. It stands in the history.
type Note struct {
	Text string `json:"text"`
}

// Action returns "note".
func (Note) Action() string { return "note" }

// Validate checks that there is a text.
func (a Note) Validate() error { return itsm.CheckText("text", a.Text, 1, maxNote) }

// Apply has nothing to do: the place of a note is the history.
func (Note) Apply(*Improvement, itsm.Moment) error { return nil }
