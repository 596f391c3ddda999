package knowledge

import (
	"fmt"
	"slices"
	"time"

	"github.com/go-itsm/itsm"
)

// A UseKind is what an article was to the work on another record. It is also the relation
// by which that record, or this one, links to the other.
type UseKind string

const (
	// UsedToSolve says that it solved the case.
	UsedToSolve UseKind = "used_to_solve"
	// CreatedFrom says that it was captured in the work on the case.
	CreatedFrom UseKind = "created_from"
	// Viewed says that somebody looked at it.
	Viewed UseKind = "viewed"
	// Rejected says that it was proposed, or looked at, and did not help.
	Rejected UseKind = "rejected"
)

// UseKinds lists them.
func UseKinds() []UseKind { return []UseKind{UsedToSolve, CreatedFrom, Viewed, Rejected} }

// A Use is that an article was used.
type Use struct {
	Kind UseKind `json:"kind"`
	// For is the record in whose work it was: an incident. It is zero for views that
	// have no case.
	For itsm.Ref  `json:"for,omitzero"`
	At  time.Time `json:"at"`
}

// Usage counts how often an article was used. Each use is in the history
// ([Practice.Uses]).
type Usage struct {
	Solved   int `json:"solved,omitempty"`
	Created  int `json:"created,omitempty"`
	Viewed   int `json:"viewed,omitempty"`
	Rejected int `json:"rejected,omitempty"`
	// Unchanged counts how often it has solved a case since its text last changed.
	Unchanged int `json:"unchanged,omitempty"`
	// Last is when it was last used to solve a case.
	Last time.Time `json:"last,omitzero"`
	// Recent are the latest 50 uses for a case, oldest first. One that is among them is
	// not counted again.
	Recent []Use `json:"recent,omitempty"`
	// Sampled counts the uses at which somebody looked whether the link was right, and
	// Relevant those where it was.
	Sampled  int `json:"sampled,omitempty"`
	Relevant int `json:"relevant,omitempty"`
}

func (u *Usage) add(use Use, n int) {
	switch use.Kind {
	case UsedToSolve:
		u.Solved += n
		u.Unchanged += n
		u.Last = use.At
	case CreatedFrom:
		u.Created += n
	case Viewed:
		u.Viewed += n
	case Rejected:
		u.Rejected += n
	}
	if use.For == (itsm.Ref{}) {
		return
	}
	if len(u.Recent) == maxRecent {
		u.Recent = slices.Delete(u.Recent, 0, 1)
	}
	u.Recent = append(u.Recent, use)
}

// RecordUse says that the article was used in the work on a record, and how: the link
// between them. Reuse is review: what solves a case was looked at, and is not due for a
// review until its time has passed again, unless it has to comply.
type RecordUse struct {
	Kind UseKind  `json:"kind"`
	For  itsm.Ref `json:"for,omitzero"`
	// Count is how many views without a case these are, for a host that gathers them; 0
	// means 1.
	Count int    `json:"count,omitempty"`
	Note  string `json:"note,omitempty"`
	// ValidateAfter is set by the practice: [Config].ValidateAfter.
	ValidateAfter int `json:"validate_after,omitempty"`
}

// Action returns "record_use".
func (RecordUse) Action() string { return "record_use" }

// Validate checks kind, record and count.
func (a RecordUse) Validate() error {
	var v itsm.Validation
	oneOf(&v, "kind", a.Kind, UseKinds())
	if a.Kind != Viewed || a.For != (itsm.Ref{}) {
		v.Ref("for", a.For)
	}
	v.Check(a.Count >= 0 && a.Count <= maxViews, "count", fmt.Sprintf("must be from 0 to %d", maxViews))
	v.Check(a.Count <= 1 || a.Kind == Viewed && a.For == (itsm.Ref{}), "count", "must be 1 where it is not views without a case")
	v.Text("note", a.Note, 0, maxNote)
	return v.Err()
}

// Apply counts it.
func (a RecordUse) Apply(r *Article, at itsm.Moment) error {
	if a.For == r.Ref() {
		return &itsm.FieldError{Field: "for", Reason: "must be another record"}
	}
	if a.For != (itsm.Ref{}) && slices.ContainsFunc(r.Usage.Recent, func(u Use) bool { return u.Kind == a.Kind && u.For == a.For }) {
		return itsm.Refuse("that it was %s for %s is recorded already", a.Kind, a.For)
	}
	r.Usage.add(Use{Kind: a.Kind, For: a.For, At: at.At}, max(a.Count, 1))
	if a.Kind == UsedToSolve && r.Governance == Experience && r.Live != nil {
		r.reviewedAt(at.At)
	}
	return nil
}

// Follow validates what was used often enough as it stands, and completes a review that
// was due.
func (a RecordUse) Follow(r *Article, at itsm.Moment) itsm.Action[Article] {
	if a.Kind != UsedToSolve {
		return nil
	}
	if validate := (Validate{Note: fmt.Sprintf("used %d times as it stands", r.Usage.Unchanged)}); a.ValidateAfter > 0 &&
		r.Usage.Unchanged >= a.ValidateAfter && r.Draft == nil && validate.Guard(r, at) == nil {
		return validate
	}
	return r.reviewed()
}

// SampleLink says whether a use was right: the sample from which the accuracy of links is
// known.
type SampleLink struct {
	For itsm.Ref `json:"for"`
	// Relevant says that the article was about the case.
	Relevant bool   `json:"relevant"`
	Note     string `json:"note,omitempty"`
}

// Action returns "sample_link".
func (SampleLink) Action() string { return "sample_link" }

// Validate checks the record.
func (a SampleLink) Validate() error {
	var v itsm.Validation
	v.Ref("for", a.For)
	v.Text("note", a.Note, 0, maxNote)
	return v.Err()
}

// Guard refuses where there is nothing to look at.
func (SampleLink) Guard(r *Article, _ itsm.Moment) error {
	if r.Usage.Solved+r.Usage.Created == 0 {
		return itsm.Refuse("it was used for no case")
	}
	return nil
}

// Apply counts it.
func (a SampleLink) Apply(r *Article, _ itsm.Moment) error {
	r.Usage.Sampled++
	if a.Relevant {
		r.Usage.Relevant++
	}
	return nil
}

// A FlagKind is what may be wrong with an article. A host may use kinds of its own.
type FlagKind string

// What may be wrong with an article.
const (
	Incorrect  FlagKind = "incorrect"
	Outdated   FlagKind = "outdated"
	Incomplete FlagKind = "incomplete"
	Unclear    FlagKind = "unclear"
	Duplicate  FlagKind = "duplicate"
)

// Flagged is something that somebody found wrong.
type Flagged struct {
	// Number counts from 1 within the article.
	Number int       `json:"number"`
	Kind   FlagKind  `json:"kind"`
	Text   string    `json:"text,omitempty"`
	By     string    `json:"by"`
	At     time.Time `json:"at"`
}

// Flag says what is wrong with an article, where whoever found it cannot fix it: flag it or
// fix it.
type Flag struct {
	Kind FlagKind `json:"kind"`
	Text string   `json:"text,omitempty"`
}

// Action returns "flag".
func (Flag) Action() string { return "flag" }

// maxFlagText keeps a hundred open flags within the bounds of a record.
const maxFlagText = 1000

// Validate checks kind and text.
func (a Flag) Validate() error {
	var v itsm.Validation
	v.Text("kind", string(a.Kind), 1, maxName)
	v.Text("text", a.Text, 0, maxFlagText)
	return v.Err()
}

// Guard refuses where too many are open.
func (Flag) Guard(r *Article, _ itsm.Moment) error {
	if len(r.Flags) >= maxFlags {
		return itsm.Refuse("%d flags are open already", maxFlags)
	}
	return nil
}

// Apply adds it.
func (a Flag) Apply(r *Article, at itsm.Moment) error {
	r.Flagged++
	r.Flags = append(r.Flags, Flagged{Number: r.Flagged, Kind: a.Kind, Text: a.Text, By: at.Actor.ID, At: at.At})
	return nil
}

// ResolveFlag says what came of a flag. [Improve] resolves those that it fixes.
type ResolveFlag struct {
	Number int `json:"number"`
	// Declined says that nothing was wrong.
	Declined bool   `json:"declined,omitempty"`
	Note     string `json:"note,omitempty"`
}

// Action returns "resolve_flag".
func (ResolveFlag) Action() string { return "resolve_flag" }

// Validate checks the note, which says why if it is declined.
func (a ResolveFlag) Validate() error {
	var v itsm.Validation
	least := 0
	if a.Declined {
		least = 1
	}
	v.Text("note", a.Note, least, maxNote)
	return v.Err()
}

// Guard refuses where none is open.
func (ResolveFlag) Guard(r *Article, _ itsm.Moment) error {
	if len(r.Flags) == 0 {
		return itsm.Refuse("no flag is open")
	}
	return nil
}

// Apply removes it.
func (a ResolveFlag) Apply(r *Article, _ itsm.Moment) error {
	i := slices.IndexFunc(r.Flags, func(f Flagged) bool { return f.Number == a.Number })
	if i < 0 {
		return &itsm.FieldError{Field: "number", Reason: fmt.Sprintf("must be the number of an open flag, is %d", a.Number)}
	}
	r.Flags = slices.Delete(r.Flags, i, i+1)
	if len(r.Flags) == 0 {
		r.Flags = nil
	}
	return nil
}

// Rating is what readers thought of an article.
type Rating struct {
	Helpful   int `json:"helpful,omitempty"`
	Unhelpful int `json:"unhelpful,omitempty"`
}

// Rate says whether it helped a reader. What they say is in the history.
type Rate struct {
	Helpful bool   `json:"helpful"`
	Comment string `json:"comment,omitempty"`
}

// Action returns "rate".
func (Rate) Action() string { return "rate" }

// Validate checks the comment.
func (a Rate) Validate() error { return itsm.CheckText("comment", a.Comment, 0, maxNote) }

// Guard refuses what no reader has seen.
func (Rate) Guard(r *Article, _ itsm.Moment) error {
	if r.Live == nil {
		return itsm.Refuse("it has no live edition")
	}
	return nil
}

// Apply counts it.
func (a Rate) Apply(r *Article, _ itsm.Moment) error {
	if a.Helpful {
		r.Rating.Helpful++
	} else {
		r.Rating.Unhelpful++
	}
	return nil
}

// A Checklist is how an article did by the content standard: criteria met of those that
// apply. It is for coaching, and no review of what the article says.
type Checklist struct {
	Met        int `json:"met"`
	Applicable int `json:"applicable"`
	// Unmet are the criteria that it did not meet.
	Unmet []string  `json:"unmet,omitempty"`
	By    string    `json:"by"`
	At    time.Time `json:"at"`
}

// A Criterion of the content standard.
type Criterion struct {
	Name string `json:"name"`
	Met  bool   `json:"met,omitempty"`
	// NotApplicable says that it does not apply to this article.
	NotApplicable bool `json:"not_applicable,omitempty"`
}

// Criteria lists the usual criteria of a content standard, by name.
func Criteria() []string {
	return []string{"unique", "complete", "clear", "title", "links", "metadata"}
}

// ScoreChecklist holds an article against the content standard.
type ScoreChecklist struct {
	Criteria []Criterion `json:"criteria"`
	Note     string      `json:"note,omitempty"`
}

// Action returns "score_checklist".
func (ScoreChecklist) Action() string { return "score_checklist" }

// Validate checks the criteria.
func (a ScoreChecklist) Validate() error {
	var v itsm.Validation
	v.Check(len(a.Criteria) > 0, "criteria", "must not be empty")
	var names []string
	for i, c := range a.Criteria[:min(len(a.Criteria), maxCriteria)] {
		v.Check(!c.Met || !c.NotApplicable, fmt.Sprintf("criteria[%d]", i), "cannot be met if it does not apply")
	}
	for _, c := range a.Criteria {
		names = append(names, c.Name)
	}
	v.Texts("criteria", names, maxCriteria, maxName)
	v.Text("note", a.Note, 0, maxNote)
	return v.Err()
}

// Apply keeps the score.
func (a ScoreChecklist) Apply(r *Article, at itsm.Moment) error {
	score := Checklist{By: at.Actor.ID, At: at.At}
	for _, c := range a.Criteria {
		switch {
		case c.NotApplicable:
			continue
		case c.Met:
			score.Met++
		default:
			score.Unmet = append(score.Unmet, c.Name)
		}
		score.Applicable++
	}
	r.Checklist = score
	return nil
}
