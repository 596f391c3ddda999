package problem

import (
	"fmt"
	"slices"
	"time"

	"github.com/go-itsm/itsm"
)

// StartAssessment finds out whose it is and whether it is worth the work.
type StartAssessment struct{}

// Action returns "start_assessment".
func (StartAssessment) Action() string { return "start_assessment" }

// Apply begins anew: a fix that was going on is given up.
func (StartAssessment) Apply(r *Problem, _ itsm.Moment) error {
	r.restart()
	return nil
}

// restart ends a hold and a fix: problem control is not finished.
func (r *Problem) restart() { r.Hold, r.Fix, r.ControlEnded = Hold{}, Fix{}, time.Time{} }

// Requeue puts an assessed problem back among the new ones.
type Requeue struct {
	Reason string `json:"reason"`
}

// Action returns "requeue".
func (Requeue) Action() string { return "requeue" }

// Validate checks that it says why.
func (a Requeue) Validate() error { return needReason(a.Reason) }

// Apply changes nothing but the state.
func (Requeue) Apply(*Problem, itsm.Moment) error { return nil }

// Investigate begins to look for the causes, also anew: what was found so far did not
// explain it. Where no person is assigned, it is whoever begins.
type Investigate struct {
	Reason string `json:"reason,omitempty"`
}

// Action returns "investigate".
func (Investigate) Action() string { return "investigate" }

// Validate checks the reason.
func (a Investigate) Validate() error { return itsm.CheckText("reason", a.Reason, 0, maxNote) }

// Apply begins problem control anew: a fix that was going on is given up. The causes stay
// as they are until others are identified.
func (Investigate) Apply(r *Problem, at itsm.Moment) error {
	r.Assignment.Take(at)
	r.restart()
	return nil
}

// Analyse records how the causes are looked for: each of the structures that is given
// takes the place of the one of its kind that was there. It may be unfinished; what it
// lacks is marked ([Analysis.Marks]).
type Analyse struct {
	Analysis
}

// Action returns "analyse".
func (Analyse) Action() string { return "analyse" }

// Validate checks the structures.
func (a Analyse) Validate() error { return a.Analysis.Validate() }

// Apply keeps them.
func (a Analyse) Apply(r *Problem, _ itsm.Moment) error {
	r.Analysis.put(a.Analysis)
	return nil
}

// Identify ends problem control: the causes are known, and it is a known error. Where
// they are known already, it says them anew.
type Identify struct {
	Causes []Cause `json:"causes"`
}

// Action returns "identify".
func (Identify) Action() string { return "identify" }

// Validate checks that there are causes, each with evidence. That somebody made a
// mistake is a reason to go on asking and not a cause ([Prompt]).
func (a Identify) Validate() error {
	var v itsm.Validation
	v.Check(len(a.Causes) > 0, "causes", "must not be empty")
	v.Check(len(a.Causes) <= maxCauses, "causes", fmt.Sprintf("must be at most %d", maxCauses))
	contributing := 0
	for i, c := range a.Causes {
		at := fmt.Sprintf("causes[%d]", i)
		v.Text(at+".text", c.Text, 1, maxNote)
		v.Check(!Prompt(c.Text), at+".text", promptReason)
		v.Text(at+".evidence", c.Evidence, 1, maxNote)
		v.Check(c.Dimension == "" || slices.Contains(Dimensions(), c.Dimension), at+".dimension", fmt.Sprintf("is unknown: %q", c.Dimension))
		if c.Contributing {
			contributing++
		}
	}
	v.Check(len(a.Causes) == 0 || contributing < len(a.Causes), "causes", "must not all be contributing")
	return v.Err()
}

// Apply keeps them. A fix that goes on goes on, and one that is on hold is given up.
func (a Identify) Apply(r *Problem, at itsm.Moment) error {
	if r.State == OnHold {
		r.Fix = Fix{}
	}
	r.Causes, r.Hold = a.Causes, Hold{}
	r.endControl(at)
	return nil
}

// endControl notes when problem control was finished.
func (r *Problem) endControl(at itsm.Moment) {
	if r.ControlEnded.IsZero() {
		r.ControlEnded = at.At
	}
}

// StartFix begins to remove the causes, or what stands in for that. Where no person is
// assigned, it is whoever begins.
type StartFix struct {
	// Plan is what is to be done.
	Plan string `json:"plan,omitempty"`
	// Change is where that is done; a link is made of it ([FixedBy]).
	Change itsm.Ref `json:"change,omitzero"`
	// Until is when it is to be done.
	Until time.Time `json:"until,omitzero"`
}

// Action returns "start_fix".
func (StartFix) Action() string { return "start_fix" }

// Validate checks that it says what.
func (a StartFix) Validate() error {
	var v itsm.Validation
	v.Check(a.Plan != "" || a.Change != itsm.Ref{}, "plan", "or change must be given")
	v.Text("plan", a.Plan, 0, maxNote)
	if a.Change != (itsm.Ref{}) {
		v.Ref("change", a.Change)
	}
	return v.Err()
}

// Apply keeps it, and ends problem control.
func (a StartFix) Apply(r *Problem, at itsm.Moment) error {
	r.Assignment.Take(at)
	r.Hold = Hold{}
	r.Fix = Fix{Plan: a.Plan, Change: a.Change, Started: at.At, Until: a.Until}
	r.endControl(at)
	link := itsm.Link{Rel: FixedBy, To: a.Change}
	if a.Change != (itsm.Ref{}) && !slices.Contains(r.Links, link) {
		return Link{Link: link}.Apply(r, at)
	}
	return nil
}

// StopFix gives a fix up; what has to be removed is still known.
type StopFix struct {
	Reason string `json:"reason"`
}

// Action returns "stop_fix".
func (StopFix) Action() string { return "stop_fix" }

// Validate checks that it says why.
func (a StopFix) Validate() error { return needReason(a.Reason) }

// Guard refuses if nothing was identified.
func (StopFix) Guard(r *Problem, _ itsm.Moment) error {
	if len(r.Causes) == 0 {
		return itsm.Refuse("its causes were not identified: it can be investigated")
	}
	return nil
}

// Apply forgets the fix.
func (StopFix) Apply(r *Problem, _ itsm.Moment) error {
	r.Fix = Fix{}
	return nil
}

// PutOnHold says that nothing can be done until something outside happens. Where it is
// on hold already, it says anew for what and how long.
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

// Apply keeps why, until when, since when, and where it is to go on.
func (a PutOnHold) Apply(r *Problem, at itsm.Moment) error {
	if !a.Until.IsZero() && !a.Until.After(at.At) {
		return &itsm.FieldError{Field: "until", Reason: "must be after now"}
	}
	h := Hold{Reason: a.Reason, Note: a.Note, Since: at.At, Until: a.Until, From: r.State}
	if r.State == OnHold {
		h.Since, h.From = r.Hold.Since, r.Hold.From
	}
	r.Hold = h
	return nil
}

// Resume goes on where the problem was put on hold. In the history it is Resume if
// that was the investigation, and else [ResumeAssessment], [ResumeIdentified] or
// [ResumeFix]; from a state of the host's own it goes on with the investigation. Time does
// it too, at the end of a hold. To go on elsewhere, that is begun.
type Resume struct {
	// ByTime is set by the practice.
	ByTime bool `json:"by_time,omitempty"`
}

// Action returns "resume".
func (Resume) Action() string { return "resume" }

// Apply ends the hold.
func (Resume) Apply(r *Problem, _ itsm.Moment) error { return r.resume() }

func (r *Problem) resume() error {
	r.Hold = Hold{}
	return nil
}

// ResumeAssessment goes on with the assessment.
type ResumeAssessment struct {
	ByTime bool `json:"by_time,omitempty"`
}

// Action returns "resume_assessment".
func (ResumeAssessment) Action() string { return "resume_assessment" }

// Apply ends the hold.
func (ResumeAssessment) Apply(r *Problem, _ itsm.Moment) error { return r.resume() }

// ResumeIdentified goes on with a known error.
type ResumeIdentified struct {
	ByTime bool `json:"by_time,omitempty"`
}

// Action returns "resume_identified".
func (ResumeIdentified) Action() string { return "resume_identified" }

// Apply ends the hold.
func (ResumeIdentified) Apply(r *Problem, _ itsm.Moment) error { return r.resume() }

// ResumeFix goes on with the fix.
type ResumeFix struct {
	ByTime bool `json:"by_time,omitempty"`
}

// Action returns "resume_fix".
func (ResumeFix) Action() string { return "resume_fix" }

// Apply ends the hold.
func (ResumeFix) Apply(r *Problem, _ itsm.Moment) error { return r.resume() }

// resumed returns what resuming a problem is.
func resumed(r *Problem, a Resume) itsm.Action[Problem] {
	switch r.Hold.From {
	case Assess:
		return ResumeAssessment(a)
	case Identified:
		return ResumeIdentified(a)
	case FixInProgress:
		return ResumeFix(a)
	}
	return a
}
