package problem

import (
	"fmt"
	"slices"
	"time"

	"github.com/go-itsm/itsm"
)

// Limits of a known error.
const (
	maxSymptoms    = 100
	maxWorkarounds = 50
	maxVersions    = 200
	maxUses        = 100
)

// The actions that every practice has. Where a problem's action has the name already, a
// known error's type has a longer one; in the history it is the plain one, "link" or
// "close".
type (
	// KnownErrorLink adds a link to another record; it never changes the other.
	KnownErrorLink = itsm.AddLink[KnownError]
	// KnownErrorUnlink removes a link.
	KnownErrorUnlink = itsm.RemoveLink[KnownError]
	// KnownErrorFields changes the host's own data.
	KnownErrorFields = itsm.SetFields[KnownError]
)

// Document writes a known error down: the action that creates it, as a draft.
// [Problem.Document] makes one of what is known of a problem.
type Document struct {
	Title    string     `json:"title"`
	Problem  itsm.ID    `json:"problem,omitempty"`
	Symptoms []string   `json:"symptoms,omitempty"`
	Cause    string     `json:"cause,omitempty"`
	Services []string   `json:"services,omitempty"`
	Affected []Affected `json:"affected,omitempty"`
	Owner    string     `json:"owner,omitempty"`
	// Followed is the version of the problem of which it says this; what happened to
	// the problem until then it does not follow.
	Followed itsm.Version `json:"followed,omitempty"`
	// Fields is the host's own data.
	Fields itsm.Fields `json:"fields,omitempty"`
}

// Document returns the action that writes a known error down with what is known of the
// problem. It may be completed before it is done.
func (r *Problem) Document() Document {
	d := Document{Title: r.Title, Problem: r.ID, Services: slices.Clone(r.Services), Owner: r.Assignment.Person, Followed: r.Version}
	if r.Symptom != "" {
		d.Symptoms = []string{r.Symptom}
	}
	for _, c := range r.Causes {
		if !c.Contributing && d.Cause == "" {
			d.Cause = c.Text
		}
	}
	for _, ci := range r.CIs {
		d.Affected = append(d.Affected, Affected{CI: ci})
	}
	return d
}

// Action returns "document".
func (Document) Action() string { return "document" }

// Validate checks the texts and names.
func (a Document) Validate() error {
	var v itsm.Validation
	v.Text("problem", string(a.Problem), 0, 500)
	v.Text("owner", a.Owner, 0, maxName)
	v.Add(DescribeKnownError{a.Title, a.Symptoms}.Validate())
	v.Add(SetCause{a.Cause}.Validate())
	v.Add(SetAffected{a.Services, a.Affected}.Validate())
	if len(a.Fields) > 0 {
		v.Add(KnownErrorFields{Fields: a.Fields}.Validate())
	}
	return v.Err()
}

// Apply fills the record.
func (a Document) Apply(r *KnownError, at itsm.Moment) error {
	r.Title, r.Problem, r.Symptoms, r.Cause = a.Title, a.Problem, a.Symptoms, a.Cause
	r.Services, r.Affected, r.Owner, r.Followed = a.Services, a.Affected, a.Owner, a.Followed
	if r.Owner == "" {
		r.Owner = at.Actor.ID
	}
	if len(a.Fields) > 0 {
		return KnownErrorFields{Fields: a.Fields}.Apply(r, at)
	}
	return nil
}

// DescribeKnownError changes title and symptoms.
type DescribeKnownError struct {
	Title    string   `json:"title"`
	Symptoms []string `json:"symptoms,omitempty"`
}

// Action returns "describe".
func (DescribeKnownError) Action() string { return "describe" }

// Validate checks the texts.
func (a DescribeKnownError) Validate() error {
	var v itsm.Validation
	v.Text("title", a.Title, 1, maxTitle)
	v.Texts("symptoms", a.Symptoms, maxSymptoms, maxTitle)
	return v.Err()
}

// Apply sets both. What is not a draft keeps a symptom.
func (a DescribeKnownError) Apply(r *KnownError, _ itsm.Moment) error {
	if len(a.Symptoms) == 0 && r.State != Draft {
		return itsm.Refuse("it is %s: nobody would find it without symptoms", r.State)
	}
	r.Title, r.Symptoms = a.Title, a.Symptoms
	return nil
}

// SetCause says what lies behind the error; empty takes that back.
type SetCause struct {
	Cause string `json:"cause"`
}

// Action returns "set_cause".
func (SetCause) Action() string { return "set_cause" }

// Validate checks the text. That somebody made a mistake is no cause ([Prompt]).
func (a SetCause) Validate() error {
	var v itsm.Validation
	v.Text("cause", a.Cause, 0, maxNote)
	v.Check(!Prompt(a.Cause), "cause", promptReason)
	return v.Err()
}

// Apply sets it.
func (a SetCause) Apply(r *KnownError, _ itsm.Moment) error {
	r.Cause = a.Cause
	return nil
}

// SetAffected says where the error shows; both are set.
type SetAffected struct {
	Services []string   `json:"services,omitempty"`
	Affected []Affected `json:"affected,omitempty"`
}

// Action returns "set_affected".
func (SetAffected) Action() string { return "set_affected" }

// Validate checks the names.
func (a SetAffected) Validate() error {
	var v itsm.Validation
	v.Texts("services", a.Services, maxItems, maxName)
	v.Check(len(a.Affected) <= maxItems, "affected", fmt.Sprintf("must be at most %d", maxItems))
	seen := map[string]bool{}
	for i, item := range a.Affected {
		at := fmt.Sprintf("affected[%d]", i)
		v.Text(at+".ci", item.CI, 1, maxName)
		v.Check(!seen[item.CI], at+".ci", fmt.Sprintf("%q is there twice", item.CI))
		seen[item.CI] = true
		v.Texts(at+".versions", item.Versions, maxVersions, maxName)
	}
	return v.Err()
}

// Apply sets them.
func (a SetAffected) Apply(r *KnownError, _ itsm.Moment) error {
	r.Services, r.Affected = a.Services, a.Affected
	return nil
}

// SetOwner says who looks after it.
type SetOwner struct {
	Owner string `json:"owner"`
}

// Action returns "assign".
func (SetOwner) Action() string { return "assign" }

// Validate checks that it says who.
func (a SetOwner) Validate() error { return itsm.CheckText("owner", a.Owner, 1, maxName) }

// Apply sets it.
func (a SetOwner) Apply(r *KnownError, _ itsm.Moment) error {
	r.Owner = a.Owner
	return nil
}

// Publish shows it to everybody who handles incidents. Neither a cause nor a cure is
// needed for that, nor a workaround: knowing that it is known helps too.
type Publish struct{}

// Action returns "publish".
func (Publish) Action() string { return "publish" }

// Guard refuses what nobody would find.
func (Publish) Guard(r *KnownError, _ itsm.Moment) error {
	if len(r.Symptoms) == 0 {
		return itsm.Refuse("it has no symptoms: nobody would find it")
	}
	return nil
}

// Apply notes when it was published first.
func (Publish) Apply(r *KnownError, at itsm.Moment) error {
	r.publish(at)
	return nil
}

func (r *KnownError) publish(at itsm.Moment) {
	if r.Published.IsZero() {
		r.Published = at.At
	}
}

// plan forgets what was going to be done about it.
func (r *KnownError) plan(followed itsm.Version) {
	r.Fix, r.Vendor, r.NoAction = itsm.Ref{}, Vendor{}, ""
	r.follow(followed)
}

func (r *KnownError) follow(version itsm.Version) { r.Followed = max(r.Followed, version) }

// Retract takes it back to be written anew.
type Retract struct {
	Reason string `json:"reason"`
}

// Action returns "retract".
func (Retract) Action() string { return "retract" }

// Validate checks that it says why.
func (a Retract) Validate() error { return needReason(a.Reason) }

// Apply forgets what was going to be done about it.
func (Retract) Apply(r *KnownError, _ itsm.Moment) error {
	r.plan(0)
	return nil
}

// ScheduleFix says that a change is going to remove it.
type ScheduleFix struct {
	// Change is that change, if there is one already.
	Change itsm.Ref `json:"change,omitzero"`
	// Followed is set by the practice: the version of the problem from which this
	// follows.
	Followed itsm.Version `json:"followed,omitempty"`
}

// Action returns "schedule_fix".
func (ScheduleFix) Action() string { return "schedule_fix" }

// Validate checks the reference.
func (a ScheduleFix) Validate() error {
	if a.Change == (itsm.Ref{}) {
		return nil
	}
	var v itsm.Validation
	v.Ref("change", a.Change)
	return v.Err()
}

// Apply keeps it.
func (a ScheduleFix) Apply(r *KnownError, _ itsm.Moment) error {
	r.plan(a.Followed)
	r.Fix = a.Change
	return nil
}

// HandToVendor says that the vendor has it in hand.
type HandToVendor struct {
	Vendor
}

// Action returns "hand_to_vendor".
func (HandToVendor) Action() string { return "hand_to_vendor" }

// Validate checks that it says to whom.
func (a HandToVendor) Validate() error {
	var v itsm.Validation
	v.Text("name", a.Name, 1, maxName)
	v.Text("reference", a.Reference, 0, maxName)
	return v.Err()
}

// Apply keeps it.
func (a HandToVendor) Apply(r *KnownError, _ itsm.Moment) error {
	r.plan(0)
	r.Vendor = a.Vendor
	return nil
}

// PlanNoAction says that nothing is going to be done, and when that has to be looked at
// again.
type PlanNoAction struct {
	Reason string `json:"reason"`
	// Review is when; zero leaves it as it is.
	Review time.Time `json:"review,omitzero"`
	// Followed is set by the practice.
	Followed itsm.Version `json:"followed,omitempty"`
}

// Action returns "plan_no_action".
func (PlanNoAction) Action() string { return "plan_no_action" }

// Validate checks that it says why.
func (a PlanNoAction) Validate() error { return needReason(a.Reason) }

// Apply keeps it.
func (a PlanNoAction) Apply(r *KnownError, at itsm.Moment) error {
	r.plan(a.Followed)
	r.NoAction = a.Reason
	if a.Review.IsZero() || a.Followed > 0 && !a.Review.After(at.At) {
		return nil // what follows late is not refused
	}
	return SetReview{a.Review}.Apply(r, at)
}

// Reconsider says that what was going to be done about it, or not, is open again.
type Reconsider struct {
	Reason string `json:"reason"`
	// Followed is set by the practice.
	Followed itsm.Version `json:"followed,omitempty"`
}

// Action returns "reconsider".
func (Reconsider) Action() string { return "reconsider" }

// Validate checks that it says why.
func (a Reconsider) Validate() error { return needReason(a.Reason) }

// Apply forgets it.
func (a Reconsider) Apply(r *KnownError, _ itsm.Moment) error {
	r.plan(a.Followed)
	return nil
}

// Correct says that the error is removed.
type Correct struct {
	Note string `json:"note"`
	// Followed is set by the practice.
	Followed itsm.Version `json:"followed,omitempty"`
}

// Action returns "correct".
func (Correct) Action() string { return "correct" }

// Validate checks that it says how.
func (a Correct) Validate() error { return itsm.CheckText("note", a.Note, 1, maxNote) }

// Apply notes when.
func (a Correct) Apply(r *KnownError, at itsm.Moment) error {
	r.Corrected, r.Review, r.ReviewDue = at.At, time.Time{}, false
	r.follow(a.Followed)
	return nil
}

// Recur says that it is there again, or still.
type Recur struct {
	Reason string `json:"reason"`
	// Followed is set by the practice.
	Followed itsm.Version `json:"followed,omitempty"`
}

// Action returns "recur".
func (Recur) Action() string { return "recur" }

// Validate checks that it says why.
func (a Recur) Validate() error { return needReason(a.Reason) }

// Apply counts it where it was corrected.
func (a Recur) Apply(r *KnownError, at itsm.Moment) error {
	if !r.Corrected.IsZero() {
		r.Recurrences++
	}
	r.Corrected, r.Closed = time.Time{}, time.Time{}
	r.plan(a.Followed)
	r.publish(at)
	return nil
}

// CloseKnownError says that it does not matter any more.
type CloseKnownError struct {
	// Note says why, where it was not corrected.
	Note string `json:"note,omitempty"`
	// Followed is set by the practice.
	Followed itsm.Version `json:"followed,omitempty"`
}

// Action returns "close".
func (CloseKnownError) Action() string { return "close" }

// Validate checks the note.
func (a CloseKnownError) Validate() error { return itsm.CheckText("note", a.Note, 0, maxNote) }

// Apply notes when.
func (a CloseKnownError) Apply(r *KnownError, at itsm.Moment) error {
	if a.Note == "" && r.State != Corrected {
		return &itsm.FieldError{Field: "note", Reason: "must not be empty: it was not corrected"}
	}
	r.Closed, r.Review, r.ReviewDue = at.At, time.Time{}, false
	r.follow(a.Followed)
	return nil
}

// CancelKnownError says that there was no such error.
type CancelKnownError struct {
	Reason string `json:"reason"`
}

// Action returns "cancel".
func (CancelKnownError) Action() string { return "cancel" }

// Validate checks that it says why.
func (a CancelKnownError) Validate() error { return needReason(a.Reason) }

// Apply notes when.
func (CancelKnownError) Apply(r *KnownError, at itsm.Moment) error {
	r.Closed, r.Review, r.ReviewDue = at.At, time.Time{}, false
	return nil
}

// SetReview says when it has to be looked at again; zero means never.
type SetReview struct {
	Review time.Time `json:"review,omitzero"`
}

// Action returns "set_review".
func (SetReview) Action() string { return "set_review" }

// Apply keeps it; what was due is done.
func (a SetReview) Apply(r *KnownError, at itsm.Moment) error {
	if !a.Review.IsZero() && !a.Review.After(at.At) {
		return &itsm.FieldError{Field: "review", Reason: "must be after now"}
	}
	r.Review, r.ReviewDue = a.Review, false
	return nil
}

// CallReview is what happens when it has to be looked at again.
type CallReview struct {
	Due time.Time `json:"due"`
}

// Action returns "call_review".
func (CallReview) Action() string { return "call_review" }

// Apply notes it.
func (CallReview) Apply(r *KnownError, _ itsm.Moment) error {
	r.ReviewDue = true
	return nil
}

// SetProblem says whose error it is; empty means that there is no problem here.
type SetProblem struct {
	Problem itsm.ID `json:"problem,omitempty"`
	// Followed is the version of the problem with which the known error is in line;
	// what happened to the problem until then it does not follow.
	Followed itsm.Version `json:"followed,omitempty"`
}

// Action returns "set_problem".
func (SetProblem) Action() string { return "set_problem" }

// Validate checks the id.
func (a SetProblem) Validate() error { return itsm.CheckText("problem", string(a.Problem), 0, 500) }

// Apply keeps it.
func (a SetProblem) Apply(r *KnownError, _ itsm.Moment) error {
	if a.Problem == r.Problem {
		return itsm.Refuse("that is its problem already")
	}
	r.Problem, r.Followed = a.Problem, a.Followed
	return nil
}

// NoteKnownError says something about it. Its text is in the history only.
type NoteKnownError struct {
	Text string `json:"text"`
}

// Action returns "note".
func (NoteKnownError) Action() string { return "note" }

// Validate checks the text.
func (a NoteKnownError) Validate() error { return itsm.CheckText("text", a.Text, 1, maxNote) }

// Apply counts it.
func (NoteKnownError) Apply(r *KnownError, _ itsm.Moment) error {
	r.Notes++
	return nil
}
