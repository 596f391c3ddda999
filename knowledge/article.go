package knowledge

import (
	"slices"
	"strings"
	"time"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/approval"
	"github.com/go-itsm/itsm/slm"
)

// An Article is something that somebody found out and others may need, in one language,
// from its capture until it is retired. It is changed by actions only.
//
// What readers see is its live edition; what is being worked on, its draft. Older editions
// are in its history ([Practice.Editions]), and so is each use, so that the record stays
// small however long it lives.
//
// Times are UTC and whole microseconds; the zero value of a field means that there is
// nothing to say.
type Article struct {
	itsm.Meta

	// Draft is the text that is being worked on; nil while there is none.
	Draft *Manuscript `json:"draft,omitempty"`
	// Live is the edition that readers see; nil before the first and after the last.
	Live *Edition `json:"live,omitempty"`
	// Editions counts those that there were.
	Editions int `json:"editions,omitempty"`

	// Locale is the language in which it is written, as the host calls it: "en", "ko".
	Locale   string `json:"locale"`
	Category string `json:"category,omitempty"`
	// Services and CIs are what it is about, and Tags other words by which it is found.
	Services []string `json:"services,omitempty"`
	CIs      []string `json:"cis,omitempty"`
	Tags     []string `json:"tags,omitempty"`

	// Author captured it, Owner answers for it, and Editors have changed its text, in
	// the order in which they first did.
	Author  string   `json:"author"`
	Owner   string   `json:"owner"`
	Editors []string `json:"editors,omitempty"`

	// Confidence is how sure it is that the text is right that is being worked on, or
	// of the live edition if none is.
	Confidence Confidence `json:"confidence"`
	// Audience is for whom it is to be. What that changes for the live edition of what
	// has to comply, the next edition brings.
	Audience   Audience   `json:"audience"`
	Governance Governance `json:"governance"`

	// Approval is how its review before publication, or its retirement, stands, or how
	// the last one ended, beside the state.
	Approval Approval `json:"approval,omitzero"`
	// PublishAt is when it is to be published, and ExpiresAt when readers are no longer
	// to see it.
	PublishAt time.Time `json:"publish_at,omitzero"`
	ExpiresAt time.Time `json:"expires_at,omitzero"`
	// ReviewEvery is how long it may stand until somebody has to look at it again; 0
	// means for ever. ReviewBy is when that is, and Reviewed when it was last done: by a
	// review, or by using it.
	ReviewEvery time.Duration `json:"review_every,omitempty"`
	ReviewBy    time.Time     `json:"review_by,omitzero"`
	Reviewed    time.Time     `json:"reviewed,omitzero"`

	// Source is of what it is a translation; zero for what is none.
	Source Source `json:"source,omitzero"`
	// Translations are those of it.
	Translations []Translation `json:"translations,omitempty"`

	Usage Usage `json:"usage,omitzero"`
	// Flags are what somebody found wrong with it and nobody has dealt with yet. Flagged
	// counts all that there were; [Flag] numbers count up with it.
	Flags   []Flagged `json:"flags,omitempty"`
	Flagged int       `json:"flagged,omitempty"`
	Rating  Rating    `json:"rating,omitzero"`
	// Checklist is how it last did by the content standard.
	Checklist Checklist `json:"checklist,omitzero"`

	// Retirement is why it is to be retired, or was.
	Retirement Retirement `json:"retirement,omitzero"`
	// Published is when its first edition was, and Retired when it was taken away.
	Published time.Time `json:"published,omitzero"`
	Retired   time.Time `json:"retired,omitzero"`

	// Clocks are what is promised about it and how that stands, by the agreements that
	// apply ([Config].Agreements).
	slm.Clocks

	// Notes counts what is in the journal.
	Notes int `json:"notes,omitempty"`
}

// Content is a text, in the parts that make it easy to find and to use: what those who need
// it see and say, what it needs, what to do about it. What has no such parts, such as a
// how-to, is its Body.
//
// All parts together have at most 60,000 characters, the title 300. What is longer, and
// what is no text, is kept elsewhere and linked to. As JSON an action has at most 256 KiB,
// which such a text fills only if most of it are characters that JSON escapes.
type Content struct {
	Title string `json:"title"`
	// Issue is what is wrong or wanted, in the words of those who have it.
	Issue string `json:"issue,omitempty"`
	// Environment is where it happens: products, versions, what was changed.
	Environment string `json:"environment,omitempty"`
	// Resolution is what to do.
	Resolution string `json:"resolution,omitempty"`
	// Cause is why it happens.
	Cause string `json:"cause,omitempty"`
	Body  string `json:"body,omitempty"`
}

// Resolved reports whether it says what to do. What does not is work in progress.
func (c Content) Resolved() bool {
	return strings.TrimSpace(c.Resolution) != "" || strings.TrimSpace(c.Body) != ""
}

// Parts yields the parts by their names, in their order, the empty ones too.
func (c Content) Parts() func(yield func(name, text string) bool) {
	return func(yield func(name, text string) bool) {
		_ = yield("title", c.Title) && yield("issue", c.Issue) && yield("environment", c.Environment) &&
			yield("resolution", c.Resolution) && yield("cause", c.Cause) && yield("body", c.Body)
	}
}

// A Manuscript is a text that is being worked on.
type Manuscript struct {
	Content
	// Covers is the edition of its source that a translation says the same as.
	Covers int `json:"covers,omitempty"`
	// Since is when the work on it began.
	Since time.Time `json:"since"`
}

// An Edition is a text as it was published. Editions are counted from 1.
type Edition struct {
	Content
	Number int `json:"number"`
	// Confidence is how sure it is that this edition is right, and Audience for whom it
	// is.
	Confidence Confidence `json:"confidence"`
	Audience   Audience   `json:"audience"`
	// Covers is the edition of its source that a translation says the same as.
	Covers int `json:"covers,omitempty"`
	// At is when it was published, and By who did.
	At time.Time `json:"at"`
	By string    `json:"by"`
}

// Text returns the text that is being worked on, or the live edition's if none is.
func (r *Article) Text() Content {
	switch {
	case r.Draft != nil:
		return r.Draft.Content
	case r.Live != nil:
		return r.Live.Content
	}
	return Content{}
}

// covers returns the edition of its source that it says the same as: what readers see.
func (r *Article) covers() int {
	switch {
	case r.Live != nil:
		return r.Live.Covers
	case r.Draft != nil:
		return r.Draft.Covers
	}
	return 0
}

// Stale says why what readers see is not to be relied upon, or "": its review is overdue,
// or it is a translation and its source has moved on, or is not published.
func (r *Article) Stale() string {
	switch {
	case r.State == Retired:
		return ""
	case r.State == ReviewDue:
		return "its review is due"
	case r.Source.Article != "" && r.Source.Withdrawn:
		return "its source is not published"
	case r.Source.Article != "" && r.covers() < r.Source.Edition:
		return "its source has a newer edition"
	}
	return ""
}

// Confidence is how sure it is that an article is right (KCS v6).
type Confidence string

const (
	// WIP is work in progress: it does not yet say what to do.
	WIP Confidence = "wip"
	// NotValidated says what to do, and nobody vouches for it.
	NotValidated Confidence = "not_validated"
	// Validated was found to be right.
	Validated Confidence = "validated"
	// Archived is not used any more.
	Archived Confidence = "archived"
)

// Confidences lists them in the order in which they grow.
func Confidences() []Confidence { return []Confidence{WIP, NotValidated, Validated, Archived} }

// Governance is who may change and publish an article.
type Governance string

const (
	// Experience leaves it to those who work with it: anybody with a licence, and a
	// use is a review.
	Experience Governance = "experience"
	// Compliance wants each edition approved, because it has to be right in somebody
	// else's eyes: law, safety, contracts.
	Compliance Governance = "compliance"
)

// Governances lists them.
func Governances() []Governance { return []Governance{Experience, Compliance} }

// Approval is how a review before publication or a retirement stands: who decides, and the
// votes that were cast. With them, [approval.Decide] says why it stands so and who is still
// needed ([Approval.Decision]).
type Approval struct {
	// Of is what is to be approved.
	Of Matter `json:"of,omitempty"`
	// Rule is the name of the host's rule that asked for it.
	Rule string `json:"rule,omitempty"`
	// Electorate is the rule's policy with the people that it came to when they were
	// asked, and Ballots what they voted.
	Electorate approval.Electorate `json:"electorate,omitzero"`
	Ballots    []approval.Ballot   `json:"ballots,omitempty"`
	// Outcome is open, approved, rejected or expired; empty while nobody is asked.
	Outcome approval.Outcome `json:"outcome,omitempty"`
	// Asked lists who may cast a vote now.
	Asked []string `json:"asked,omitempty"`
	// Requested and Decided are when, and By who asked.
	Requested time.Time `json:"requested,omitzero"`
	By        string    `json:"by,omitempty"`
	Decided   time.Time `json:"decided,omitzero"`
	// Next is when things change without a vote.
	Next time.Time `json:"next,omitzero"`
}

// A Matter is what an approval is about.
type Matter string

// What may have to be approved.
const (
	// ForPublication is that the draft becomes the live edition.
	ForPublication Matter = "publication"
	// ForRetirement is that the article is taken away.
	ForRetirement Matter = "retirement"
)

// Decision explains how the vote stands at a moment: the outcome, why, and who is still
// needed. It returns an [itsm.ErrInvalid] if nobody votes about the article.
func (a Approval) Decision(now time.Time) (approval.Decision, error) {
	if len(a.Electorate.Policy.Rule.Of) == 0 {
		return approval.Decision{}, &itsm.FieldError{Field: "approval", Reason: "is not a matter of votes"}
	}
	d, err := approval.Decide(a.Electorate, a.Ballots, now)
	return d, itsm.Under("approval", err)
}

// A Retirement is why an article is to be taken away, or was.
type Retirement struct {
	Reason string    `json:"reason"`
	By     string    `json:"by"`
	At     time.Time `json:"at"`
	// Replacement is the article to be used instead, as for a duplicate.
	Replacement itsm.ID `json:"replacement,omitempty"`
}

// Relations of an article's links, read from the article, beside that of [CreatedFrom].
const (
	// ReplacedBy points to the article to be used instead.
	ReplacedBy = "replaced_by"
	// Documents points to the problem, known error or change that it tells about.
	Documents = "documents"
)

// AppendKeys lists by which keys articles can be found: locale, category, service, ci, tag,
// author, owner, confidence, audience (how far it reaches), governance, source (the article
// that it translates), approver (each person who may vote now), flagged ("true") and stale
// ("true").
func (r *Article) AppendKeys(keys []itsm.Key) []itsm.Key {
	add := func(field, value string) {
		if value != "" {
			keys = append(keys, itsm.Key{Field: field, Value: value})
		}
	}
	keys = r.subjects(keys)
	add("author", r.Author)
	add("owner", r.Owner)
	add("confidence", string(r.Confidence))
	add("audience", string(r.Audience.Reach))
	add("governance", string(r.Governance))
	add("source", string(r.Source.Article))
	for _, person := range r.Approval.Asked {
		add("approver", person)
	}
	if len(r.Flags) > 0 {
		add("flagged", "true")
	}
	if r.Stale() != "" {
		add("stale", "true")
	}
	return keys
}

// subjects are the keys that say what it is about.
func (r *Article) subjects(keys []itsm.Key) []itsm.Key {
	add := func(field string, values ...string) {
		for _, value := range values {
			if value != "" {
				keys = append(keys, itsm.Key{Field: field, Value: value})
			}
		}
	}
	add("locale", r.Locale)
	add("category", r.Category)
	add("service", r.Services...)
	add("ci", r.CIs...)
	add("tag", r.Tags...)
	return keys
}

// Ref is the reference by which other records know the article.
func (r *Article) Ref() itsm.Ref { return ref(r.ID) }

func ref(id itsm.ID) itsm.Ref { return itsm.Ref{Kind: Kind, ID: id} }

// Kind is the kind of references to articles, and the practice's name.
const Kind = "knowledge"

// touch remembers who has changed the text.
func (r *Article) touch(by string) {
	if !slices.Contains(r.Editors, by) && len(r.Editors) < maxEditors {
		r.Editors = append(r.Editors, by)
	}
}
