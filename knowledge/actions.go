package knowledge

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/internal/short"
)

// Limits of what an action takes, in characters, and of what a record holds.
const (
	maxName         = 200
	maxTitle        = 300
	maxContent      = 60_000
	maxNote         = 32_000
	maxItems        = 1000
	maxLinks        = 1000
	maxTags         = 100
	maxDomains      = 100
	maxEditors      = 200
	maxReviewers    = 200
	maxBallots      = 1000
	maxFlags        = 100
	maxRecent       = 50
	maxTranslations = 100
	maxCriteria     = 100
	maxViews        = 1_000_000_000
)

// Link, Unlink and SetFields are the actions that every practice has: links to other
// records, and the host's own data.
type (
	// Link adds a link to another record; it never changes the other.
	Link = itsm.AddLink[Article]
	// Unlink removes a link.
	Unlink = itsm.RemoveLink[Article]
	// SetFields changes the host's own data.
	SetFields = itsm.SetFields[Article]
)

func needReason(reason string) error { return itsm.CheckText("reason", reason, 1, maxNote) }

// oneOf checks that a value is one of those that there are.
func oneOf[S ~string](v *itsm.Validation, field string, value S, all []S) {
	v.Check(slices.Contains(all, value), field, fmt.Sprintf("must be %s, is %q", list(all), short.Text(value)))
}

// list writes names as "a, b or c".
func list[S ~string](names []S) string {
	var b strings.Builder
	for i, name := range names {
		switch {
		case i > 0 && i == len(names)-1:
			b.WriteString(" or ")
		case i > 0:
			b.WriteString(", ")
		}
		b.WriteString(string(name))
	}
	return b.String()
}

// Validate returns an [itsm.ErrInvalid] with every finding.
func (c Content) Validate() error {
	var v itsm.Validation
	v.Text("title", c.Title, 1, maxTitle)
	n := 0
	for _, text := range c.Parts() {
		n += utf8.RuneCountInString(text)
	}
	v.Check(n <= maxContent, "", fmt.Sprintf("must have at most %d characters in all, has %d", maxContent, n))
	return v.Err()
}

// Capture writes an article down: the action that creates it, as a draft. What does not
// yet say what to do is work in progress; others with the same trouble find it all the
// same, once it is published to one's own people.
type Capture struct {
	Content
	// Locale is its language; empty means the host's ([Config].Locale).
	Locale   string   `json:"locale,omitempty"`
	Category string   `json:"category,omitempty"`
	Services []string `json:"services,omitempty"`
	CIs      []string `json:"cis,omitempty"`
	Tags     []string `json:"tags,omitempty"`
	// Owner answers for it; empty means who captures it.
	Owner string `json:"owner,omitempty"`
	// Audience is for whom it is to be; zero means the host's default, or one's own
	// people.
	Audience Audience `json:"audience,omitzero"`
	// Governance is who may change it; empty means the host's default, or [Experience].
	Governance Governance `json:"governance,omitempty"`
	// From is the record in whose work it was captured, such as an incident.
	From itsm.Ref `json:"from,omitzero"`
	// Translates is the article of which it is a translation, and Covers the edition
	// that it says the same as; 0 means the live one.
	Translates itsm.ID `json:"translates,omitempty"`
	Covers     int     `json:"covers,omitempty"`
	// ReviewEvery is how long it may stand until somebody has to look at it again; 0
	// means the host's default.
	ReviewEvery time.Duration `json:"review_every,omitempty"`
	// Fields is the host's own data.
	Fields itsm.Fields `json:"fields,omitempty"`

	// Source is set by the practice: how the article stands that it translates.
	Source Source `json:"source,omitzero"`
}

// Action returns "capture".
func (Capture) Action() string { return "capture" }

// Validate checks texts, names and the rest.
func (a Capture) Validate() error {
	var v itsm.Validation
	v.Add(a.Content.Validate())
	v.Text("locale", a.Locale, 0, maxName)
	v.Text("owner", a.Owner, 0, maxName)
	v.Add(Classify{Category: a.Category, Services: a.Services, CIs: a.CIs, Tags: a.Tags}.Validate())
	if a.Audience.Reach != "" || len(a.Audience.Domains) > 0 {
		v.Add(itsm.Under("audience", a.Audience.Validate()))
	}
	if a.Governance != "" {
		oneOf(&v, "governance", a.Governance, Governances())
	}
	if a.From != (itsm.Ref{}) {
		v.Ref("from", a.From)
	}
	v.Text("translates", string(a.Translates), 0, maxName)
	v.Check(a.Covers >= 0, "covers", "must not be negative")
	v.Check(a.ReviewEvery >= 0, "review_every", "must not be negative")
	if len(a.Fields) > 0 {
		v.Add(SetFields{Fields: a.Fields}.Validate())
	}
	return v.Err()
}

// Apply fills the record.
func (a Capture) Apply(r *Article, at itsm.Moment) error {
	if err := a.Source.admits(a.Covers, "covers"); err != nil {
		return err
	}
	r.Draft = &Manuscript{Content: a.Content, Covers: a.Covers, Since: at.At}
	r.Locale, r.Category, r.Services, r.CIs, r.Tags = a.Locale, a.Category, a.Services, a.CIs, a.Tags
	r.Author, r.Owner = at.Actor.ID, a.Owner
	if r.Owner == "" {
		r.Owner = at.Actor.ID
	}
	r.touch(at.Actor.ID)
	r.Audience, r.Governance, r.ReviewEvery, r.Source = a.Audience, a.Governance, a.ReviewEvery, a.Source
	r.regrade()
	if len(a.Fields) > 0 {
		if err := (SetFields{Fields: a.Fields}).Apply(r, at); err != nil {
			return err
		}
	}
	if a.From != (itsm.Ref{}) {
		r.Links = append(r.Links, itsm.Link{Rel: string(CreatedFrom), To: a.From})
		r.Usage.add(Use{Kind: CreatedFrom, For: a.From, At: at.At}, 1)
	}
	return nil
}

// regrade sees to it that only what says what to do is more than work in progress.
func (r *Article) regrade() {
	switch resolved := r.Text().Resolved(); {
	case !resolved:
		r.Confidence = WIP
	case r.Confidence != Validated:
		r.Confidence = NotValidated
	}
}

// Improve changes the text: flag it or fix it. The text of a draft is changed as it
// stands. Of what is published by experience, a new edition is published at once; what has
// to comply is revised first ([Revise]). Fixing what is due for a review is the review.
type Improve struct {
	Content
	// Covers is the edition of its source that a translation says the same as now; 0
	// means that this is as it was.
	Covers int `json:"covers,omitempty"`
	// Resolves are the numbers of flags that it deals with.
	Resolves []int `json:"resolves,omitempty"`
	// Note says what was changed, and why.
	Note string `json:"note,omitempty"`
}

// Action returns "improve".
func (Improve) Action() string { return "improve" }

// Validate checks the texts.
func (a Improve) Validate() error {
	var v itsm.Validation
	v.Add(a.Content.Validate())
	v.Check(a.Covers >= 0, "covers", "must not be negative")
	v.Text("note", a.Note, 0, maxNote)
	v.Check(len(a.Resolves) <= maxFlags, "resolves", fmt.Sprintf("must be at most %d", maxFlags))
	return v.Err()
}

// Guard refuses where what is published has to comply.
func (Improve) Guard(r *Article, _ itsm.Moment) error { return r.rewritable() }

func (r *Article) rewritable() error {
	if r.Draft == nil && r.Governance == Compliance {
		return itsm.Refuse("what has to comply is revised before it is changed")
	}
	return nil
}

// Apply changes the text.
func (a Improve) Apply(r *Article, at itsm.Moment) error {
	var v itsm.Validation
	v.Add(r.Source.admits(a.Covers, "covers"))
	for i, n := range a.Resolves {
		v.Check(slices.ContainsFunc(r.Flags, func(f Flagged) bool { return f.Number == n }), fmt.Sprintf("resolves[%d]", i), fmt.Sprintf("must be the number of an open flag, is %d", n))
	}
	v.Check(a.Content != r.Text() || a.Covers > 0 && a.Covers != r.working().Covers || len(a.Resolves) > 0, "", "must change something")
	if err := v.Err(); err != nil {
		return err
	}
	r.rewrite(a.Content, a.Covers, at)
	r.Flags = slices.DeleteFunc(r.Flags, func(f Flagged) bool { return slices.Contains(a.Resolves, f.Number) })
	if len(r.Flags) == 0 {
		r.Flags = nil
	}
	return nil
}

// Follow completes the review that was due.
func (Improve) Follow(r *Article, _ itsm.Moment) itsm.Action[Article] { return r.reviewed() }

// working returns the text that is being worked on, as it is.
func (r *Article) working() Manuscript {
	switch {
	case r.Draft != nil:
		return *r.Draft
	case r.Live != nil:
		return Manuscript{Content: r.Live.Content, Covers: r.Live.Covers}
	}
	return Manuscript{}
}

// rewrite gives it another text: the draft, or, where there is none, a new edition.
func (r *Article) rewrite(text Content, covers int, at itsm.Moment) {
	was := r.working()
	if covers == 0 {
		covers = was.Covers
	}
	r.touch(at.Actor.ID)
	publish := r.Draft == nil
	if publish {
		was.Since = at.At
	}
	changed := was.Content != text
	r.Draft = &Manuscript{Content: text, Covers: covers, Since: was.Since}
	if changed && r.Governance == Compliance && r.Confidence == Validated {
		r.Confidence = NotValidated
	}
	r.regrade()
	if publish {
		r.publish(at)
	}
}

// publish makes the draft the live edition.
func (r *Article) publish(at itsm.Moment) {
	if r.Draft == nil {
		return // in a state of the host's own
	}
	r.Editions++
	r.Live = &Edition{
		Content: r.Draft.Content, Number: r.Editions, Confidence: r.Confidence, Audience: r.Audience,
		Covers: r.Draft.Covers, At: at.At, By: at.Actor.ID,
	}
	r.Draft, r.PublishAt = nil, time.Time{}
	r.Usage.Unchanged = 0
	if r.Published.IsZero() {
		r.Published = at.At
	}
	r.reviewedAt(at.At)
}

// reviewedAt says that somebody has looked at it.
func (r *Article) reviewedAt(t time.Time) {
	r.Reviewed = t
	r.setReviewBy()
}

func (r *Article) setReviewBy() {
	r.ReviewBy = time.Time{}
	if r.ReviewEvery > 0 && !r.Reviewed.IsZero() {
		r.ReviewBy = r.Reviewed.Add(r.ReviewEvery)
	}
}

// reviewed is what follows where a review was due and something is as good as one.
func (r *Article) reviewed() itsm.Action[Article] {
	if r.State == ReviewDue && r.Governance == Experience {
		return CompleteReview{}
	}
	return nil
}

// Revert brings back the text of an older edition, as [Improve] would.
type Revert struct {
	// Edition is the number of the edition.
	Edition int    `json:"edition"`
	Reason  string `json:"reason"`

	// Content and Covers are set by the practice: those of the edition.
	Content Content `json:"content,omitzero"`
	Covers  int     `json:"covers,omitempty"`
}

// Action returns "revert".
func (Revert) Action() string { return "revert" }

// Validate checks the number and that it says why.
func (a Revert) Validate() error {
	var v itsm.Validation
	v.Check(a.Edition > 0, "edition", "must be the number of an edition")
	v.Add(needReason(a.Reason))
	return v.Err()
}

// Guard refuses where there is no older text.
func (Revert) Guard(r *Article, _ itsm.Moment) error {
	var v itsm.Validation
	v.Rule(r.Editions > 0, "there is no edition yet")
	v.Add(r.rewritable())
	return v.Err()
}

// Apply changes the text.
func (a Revert) Apply(r *Article, at itsm.Moment) error {
	r.rewrite(a.Content, a.Covers, at)
	return nil
}

// Follow completes the review that was due.
func (Revert) Follow(r *Article, _ itsm.Moment) itsm.Action[Article] { return r.reviewed() }

// Classify says what it is about. It replaces what was said before.
type Classify struct {
	Category string   `json:"category,omitempty"`
	Services []string `json:"services,omitempty"`
	CIs      []string `json:"cis,omitempty"`
	Tags     []string `json:"tags,omitempty"`
}

// Action returns "classify".
func (Classify) Action() string { return "classify" }

// Validate checks the names.
func (a Classify) Validate() error {
	var v itsm.Validation
	v.Text("category", a.Category, 0, maxName)
	v.Texts("services", a.Services, maxItems, maxName)
	v.Texts("cis", a.CIs, maxItems, maxName)
	v.Texts("tags", a.Tags, maxTags, maxName)
	return v.Err()
}

// Apply keeps it.
func (a Classify) Apply(r *Article, _ itsm.Moment) error {
	r.Category, r.Services, r.CIs, r.Tags = a.Category, a.Services, a.CIs, a.Tags
	return nil
}

// SetAudience says for whom it is. For the live edition that holds at once, unless it has
// to comply and more people would see it: then with the next edition, when that is
// approved.
type SetAudience struct {
	Audience
}

// Action returns "set_audience".
func (SetAudience) Action() string { return "set_audience" }

// Apply keeps it.
func (a SetAudience) Apply(r *Article, _ itsm.Moment) error {
	r.Audience = a.Audience
	if r.Live != nil && (r.Governance != Compliance || a.within(r.Live.Audience)) {
		r.Live.Audience = a.Audience
	}
	return nil
}

// SetGovernance says who may change it.
type SetGovernance struct {
	Governance Governance `json:"governance"`
}

// Action returns "set_governance".
func (SetGovernance) Action() string { return "set_governance" }

// Validate checks the value.
func (a SetGovernance) Validate() error {
	var v itsm.Validation
	oneOf(&v, "governance", a.Governance, Governances())
	return v.Err()
}

// Apply keeps it.
func (a SetGovernance) Apply(r *Article, _ itsm.Moment) error {
	r.Governance = a.Governance
	return nil
}

// AssignOwner says who answers for it.
type AssignOwner struct {
	Owner string `json:"owner"`
}

// Action returns "assign_owner".
func (AssignOwner) Action() string { return "assign_owner" }

// Validate checks the name.
func (a AssignOwner) Validate() error { return itsm.CheckText("owner", a.Owner, 1, maxName) }

// Apply keeps it.
func (a AssignOwner) Apply(r *Article, _ itsm.Moment) error {
	r.Owner = a.Owner
	return nil
}

// Validate, as an action, vouches for the text: it was found to be right. What has to
// comply is validated by its review instead.
type Validate struct {
	Note string `json:"note,omitempty"`
}

// Action returns "validate".
func (Validate) Action() string { return "validate" }

// Validate checks the note.
func (a Validate) Validate() error { return itsm.CheckText("note", a.Note, 0, maxNote) }

// Guard refuses what cannot be vouched for.
func (Validate) Guard(r *Article, _ itsm.Moment) error {
	var v itsm.Validation
	v.Rule(r.Confidence != WIP, "it does not say what to do yet")
	v.Rule(r.Confidence != Validated, "it is validated")
	v.Rule(r.Governance != Compliance, "what has to comply is validated by its review")
	return v.Err()
}

// Apply raises the confidence.
func (Validate) Apply(r *Article, _ itsm.Moment) error {
	r.Confidence = Validated
	if r.Draft == nil && r.Live != nil {
		r.Live.Confidence = Validated
	}
	return nil
}

// Invalidate says that nobody can vouch for it any more, what is live included: others
// than one's own people do not see it until it is validated again.
type Invalidate struct {
	Reason string `json:"reason"`
}

// Action returns "invalidate".
func (Invalidate) Action() string { return "invalidate" }

// Validate checks that it says why.
func (a Invalidate) Validate() error { return needReason(a.Reason) }

// Guard refuses where nobody has vouched.
func (Invalidate) Guard(r *Article, _ itsm.Moment) error {
	if r.Confidence != Validated && (r.Live == nil || r.Live.Confidence != Validated) {
		return itsm.Refuse("it is not validated")
	}
	return nil
}

// Apply lowers the confidence.
func (Invalidate) Apply(r *Article, _ itsm.Moment) error {
	if r.Confidence == Validated {
		r.Confidence = NotValidated
	}
	if r.Live != nil && r.Live.Confidence == Validated {
		r.Live.Confidence = NotValidated
	}
	return nil
}

// Note says something about the article for those who work on it.
type Note struct {
	Text string `json:"text"`
}

// Action returns "note".
func (Note) Action() string { return "note" }

// Validate checks the text.
func (a Note) Validate() error { return itsm.CheckText("text", a.Text, 1, maxNote) }

// Apply counts it; the text is in the history ([Practice.Journal]).
func (Note) Apply(r *Article, _ itsm.Moment) error {
	r.Notes++
	return nil
}
