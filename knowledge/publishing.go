package knowledge

import (
	"slices"
	"time"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/approval"
)

// Publish makes the draft the live edition, where nobody has to approve that, or before
// the time for which it is scheduled.
type Publish struct{}

// Action returns "publish".
func (Publish) Action() string { return "publish" }

// Guard refuses what would not be seen: its time is over.
func (Publish) Guard(r *Article, at itsm.Moment) error { return r.over(at) }

func (r *Article) over(at itsm.Moment) error {
	if !r.ExpiresAt.IsZero() && !r.ExpiresAt.After(at.At) {
		return itsm.Refuse("its time is over since %s: plan another", r.ExpiresAt.Format(time.RFC3339))
	}
	return nil
}

// Apply publishes.
func (Publish) Apply(r *Article, at itsm.Moment) error {
	r.publish(at)
	return nil
}

// Schedule publishes later, where nobody has to approve that, or at another time than was
// planned. What [Submit] hands in says itself when it is to be published.
type Schedule struct {
	At time.Time `json:"at"`
}

// Action returns "schedule".
func (Schedule) Action() string { return "schedule" }

// Guard refuses what says nothing yet.
func (Schedule) Guard(r *Article, _ itsm.Moment) error { return r.says() }

func (r *Article) says() error {
	if r.Confidence == WIP {
		return itsm.Refuse("it does not say what to do yet")
	}
	return nil
}

// Apply keeps the time.
func (a Schedule) Apply(r *Article, at itsm.Moment) error {
	var v itsm.Validation
	v.Check(a.At.After(at.At), "at", "must be after now")
	v.Check(r.ExpiresAt.IsZero() || a.At.Before(r.ExpiresAt), "at", "must be before it expires")
	r.PublishAt = a.At
	return v.Err()
}

// Release is what happens when the time for which it is scheduled comes, or at once after
// its review if there is none.
type Release struct{}

// Action returns "release".
func (Release) Action() string { return "release" }

// Apply publishes.
func (Release) Apply(r *Article, at itsm.Moment) error {
	r.publish(at)
	return nil
}

// Withdraw takes a draft back that waits for its review or for its time.
type Withdraw struct {
	Reason string `json:"reason,omitempty"`
}

// Action returns "withdraw".
func (Withdraw) Action() string { return "withdraw" }

// Validate checks the reason, which may be empty.
func (a Withdraw) Validate() error { return itsm.CheckText("reason", a.Reason, 0, maxNote) }

// Apply ends the vote and the waiting.
func (Withdraw) Apply(r *Article, _ itsm.Moment) error {
	r.Approval, r.PublishAt = Approval{}, time.Time{}
	return nil
}

// Revise begins a new edition: the article is a draft again, and readers go on to see the
// edition that there is.
type Revise struct {
	Reason string `json:"reason,omitempty"`
}

// Action returns "revise".
func (Revise) Action() string { return "revise" }

// Validate checks the reason, which may be empty.
func (a Revise) Validate() error { return Withdraw(a).Validate() }

// Apply makes a draft of the live edition.
func (Revise) Apply(r *Article, at itsm.Moment) error {
	r.draft(at)
	return nil
}

func (r *Article) draft(at itsm.Moment) {
	now := r.working()
	now.Since = at.At
	r.Draft = &now
}

// Discard gives a revision up; the live edition stays what it is.
type Discard struct {
	Reason string `json:"reason,omitempty"`
}

// Action returns "discard".
func (Discard) Action() string { return "discard" }

// Validate checks the reason, which may be empty.
func (a Discard) Validate() error { return Withdraw(a).Validate() }

// Guard refuses where there is no live edition.
func (Discard) Guard(r *Article, _ itsm.Moment) error {
	if r.Live == nil {
		return itsm.Refuse("it has no live edition to go back to; it can be retired")
	}
	return nil
}

// Apply drops the draft.
func (Discard) Apply(r *Article, _ itsm.Moment) error {
	r.Draft = nil
	r.Confidence = r.Live.Confidence
	return nil
}

// Plan says how long the article may stand until somebody has to look at it again, and
// until when it is good. It replaces what was planned before; zero means for ever.
type Plan struct {
	ReviewEvery time.Duration `json:"review_every,omitempty"`
	ExpiresAt   time.Time     `json:"expires_at,omitzero"`
}

// Action returns "plan".
func (Plan) Action() string { return "plan" }

// Validate checks the time.
func (a Plan) Validate() error {
	var v itsm.Validation
	v.Check(a.ReviewEvery >= 0, "review_every", "must not be negative")
	return v.Err()
}

// Apply keeps it.
func (a Plan) Apply(r *Article, at itsm.Moment) error {
	var v itsm.Validation
	v.Check(a.ExpiresAt.IsZero() || a.ExpiresAt.After(at.At), "expires_at", "must be after now")
	v.Check(a.ExpiresAt.IsZero() || a.ExpiresAt.After(r.PublishAt), "expires_at", "must be after it is published")
	r.ReviewEvery, r.ExpiresAt = a.ReviewEvery, a.ExpiresAt
	r.setReviewBy()
	return v.Err()
}

// FallDue is what happens when somebody has to look at a published article again.
type FallDue struct {
	// Due is since when.
	Due time.Time `json:"due"`
}

// Action returns "fall_due".
func (FallDue) Action() string { return "fall_due" }

// Apply changes nothing but the state.
func (FallDue) Apply(*Article, itsm.Moment) error { return nil }

// CompleteReview says that somebody has looked at a published article and that it can
// stand. It also follows from using it and from improving it, where experience governs.
type CompleteReview struct {
	Note string `json:"note,omitempty"`
}

// Action returns "complete_review".
func (CompleteReview) Action() string { return "complete_review" }

// Validate checks the note.
func (a CompleteReview) Validate() error { return itsm.CheckText("note", a.Note, 0, maxNote) }

// Apply sets when it is to be looked at next.
func (CompleteReview) Apply(r *Article, at itsm.Moment) error {
	r.reviewedAt(at.At)
	return nil
}

// Expire is what happens when the time is over until which an article is good: it is
// retired; where a new edition is being worked on, only the live one is taken away.
type Expire struct {
	Due time.Time `json:"due"`
}

// Action returns "expire".
func (Expire) Action() string { return "expire" }

// Apply takes the live edition away.
func (a Expire) Apply(r *Article, at itsm.Moment) error {
	r.ExpiresAt = time.Time{}
	if r.Draft != nil {
		r.Live, r.ReviewBy = nil, time.Time{}
		return nil
	}
	r.Retirement = Retirement{Reason: "its time is over", By: at.Actor.ID, At: at.At}
	r.retire(at)
	return nil
}

// ProposeRetirement asks those who have to approve it whether the article is to be taken
// away. Where nobody has to, it is retired in the same commit.
type ProposeRetirement struct {
	Reason string `json:"reason"`
	// Replacement is the article to be used instead.
	Replacement itsm.ID `json:"replacement,omitempty"`
	// Reviewers are those who vote, where the policy leaves that open.
	Reviewers []string `json:"reviewers,omitempty"`

	// Poll is set by the practice.
	Poll Poll `json:"poll,omitzero"`
}

// Action returns "propose_retirement".
func (ProposeRetirement) Action() string { return "propose_retirement" }

// Validate checks reason and names.
func (a ProposeRetirement) Validate() error {
	var v itsm.Validation
	v.Add(Retire{Reason: a.Reason, Replacement: a.Replacement}.Validate())
	v.Texts("reviewers", a.Reviewers, maxReviewers, maxName)
	return v.Err()
}

// Apply opens the vote.
func (a ProposeRetirement) Apply(r *Article, at itsm.Moment) error {
	if a.Replacement == r.ID {
		return &itsm.FieldError{Field: "replacement", Reason: "must be another article"}
	}
	r.Retirement = Retirement{Reason: a.Reason, By: at.Actor.ID, At: at.At, Replacement: a.Replacement}
	r.open(ForRetirement, a.Poll, at)
	return nil
}

// Follow retires it where nobody has to approve that.
func (ProposeRetirement) Follow(r *Article, _ itsm.Moment) itsm.Action[Article] { return r.settle() }

// ApproveRetirement is what a vote in favour of a retirement does.
type ApproveRetirement struct{}

// Action returns "approve_retirement".
func (ApproveRetirement) Action() string { return "approve_retirement" }

// Apply takes it away.
func (ApproveRetirement) Apply(r *Article, at itsm.Moment) error {
	r.retire(at)
	return nil
}

// Keep takes the proposal to retire an article back, or is what a vote against it does.
type Keep struct {
	Reason string `json:"reason,omitempty"`
}

// Action returns "keep".
func (Keep) Action() string { return "keep" }

// Validate checks the reason, which may be empty.
func (a Keep) Validate() error { return Withdraw(a).Validate() }

// Apply ends the vote.
func (Keep) Apply(r *Article, _ itsm.Moment) error {
	if r.Approval.Outcome == approval.Open {
		r.Approval = Approval{}
	}
	r.Retirement = Retirement{}
	return nil
}

// Retire archives an article: from any state, where nobody has to approve that. What was
// never published needs nobody's approval.
type Retire struct {
	Reason string `json:"reason"`
	// Replacement is the article to be used instead, as for a duplicate.
	Replacement itsm.ID `json:"replacement,omitempty"`
}

// Action returns "retire".
func (Retire) Action() string { return "retire" }

// Validate checks that it says why.
func (a Retire) Validate() error {
	var v itsm.Validation
	v.Add(needReason(a.Reason))
	v.Text("replacement", string(a.Replacement), 0, maxName)
	return v.Err()
}

// Apply takes it away.
func (a Retire) Apply(r *Article, at itsm.Moment) error {
	if a.Replacement == r.ID {
		return &itsm.FieldError{Field: "replacement", Reason: "must be another article"}
	}
	r.Retirement = Retirement{Reason: a.Reason, By: at.Actor.ID, At: at.At, Replacement: a.Replacement}
	r.retire(at)
	return nil
}

// retire archives it. Its last text stays in the record, as a draft that nobody sees.
func (r *Article) retire(at itsm.Moment) {
	r.draft(at)
	r.Live = nil
	if r.Approval.Outcome == approval.Open {
		r.Approval = Approval{}
	}
	r.Confidence, r.Retired = Archived, at.At
	r.PublishAt, r.ReviewBy = time.Time{}, time.Time{}
	link := itsm.Link{Rel: ReplacedBy, To: ref(r.Retirement.Replacement)}
	if r.Retirement.Replacement != "" && len(r.Links) < maxLinks && !slices.Contains(r.Links, link) {
		r.Links = append(r.Links, link)
	}
}

// Restore takes an article up again that was retired, as a draft for which nobody vouches
// yet.
type Restore struct {
	Reason string `json:"reason"`
	// Source is set by the practice: how the article stands that it translates.
	Source Source `json:"source,omitzero"`
}

// Action returns "restore".
func (Restore) Action() string { return "restore" }

// Validate checks that it says why.
func (a Restore) Validate() error { return needReason(a.Reason) }

// Apply makes it a draft.
func (a Restore) Apply(r *Article, at itsm.Moment) error {
	r.Confidence = NotValidated
	r.regrade()
	r.Retirement, r.Retired = Retirement{}, time.Time{}
	if !r.ExpiresAt.After(at.At) {
		r.ExpiresAt = time.Time{}
	}
	r.Source = a.Source
	r.draft(at)
	return nil
}
