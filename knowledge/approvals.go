package knowledge

import (
	"context"
	"fmt"
	"time"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/approval"
	"github.com/go-itsm/itsm/sla"
)

// An ApprovalRule says who has to approve that an article is published, or taken away.
type ApprovalRule struct {
	// Name is for people, and kept with the vote.
	Name string `json:"name"`
	// Of is what is to be approved.
	Of Matter `json:"of"`
	// When says for which articles, by the facts state, governance, audience (how far it
	// is to reach), confidence, category, locale, author, owner, live, flagged and stale
	// ("yes"), and the host's own fields by theirs. Empty means all.
	When sla.Condition `json:"when,omitempty"`
	// Optional leaves it to whoever publishes or retires whether to ask. Otherwise nothing
	// is published or retired unasked.
	Optional bool `json:"optional,omitempty"`
	// Policy is who decides. One without members leaves it to whoever asks to name
	// them. It may not count again after the decision: what is published has been read.
	Policy approval.Policy `json:"policy"`
}

// DefaultApprovals are the rules that hold unless the host gives others: what has to comply
// is published when everybody who is named approves, and retired when one of them does.
// What experience governs needs no approval; whoever wants one names those of whom one has
// to approve. Nobody approves what they wrote.
func DefaultApprovals() []ApprovalRule {
	comply := sla.Condition{"governance": {string(Compliance)}}
	exclude := []string{DutyAuthor, DutyEditor}
	return []ApprovalRule{
		{Name: "compliance", Of: ForPublication, When: comply, Policy: approval.Policy{Rule: approval.Rule{Need: approval.All}, Exclude: exclude}},
		{Name: "compliance", Of: ForRetirement, When: comply, Policy: approval.Policy{Rule: approval.Rule{Need: approval.Any}, Exclude: []string{DutyRequester}}},
		{Name: "peer", Of: ForPublication, Optional: true, Policy: approval.Policy{Rule: approval.Rule{Need: approval.Any}, Exclude: exclude}},
	}
}

// Duties that the practice knows itself, for the Exclude of a policy: who captured the
// article, who has changed its text, who answers for it, and who asks for the approval.
const (
	DutyAuthor    = "author"
	DutyEditor    = "editor"
	DutyOwner     = "owner"
	DutyRequester = "requester"
)

// Validate returns an [itsm.ErrInvalid] with every finding.
func (a ApprovalRule) Validate() error {
	var v itsm.Validation
	v.Text("name", a.Name, 1, maxName)
	oneOf(&v, "of", a.Of, []Matter{ForPublication, ForRetirement})
	v.Check(!a.Policy.Recount, "policy.recount", "must be false: what is published has been read")
	for _, f := range approval.Findings(a.Policy.Validate()) {
		if f.Field != "rule.of" || len(a.Policy.Rule.Of) > 0 {
			v.Check(false, "policy."+f.Field, f.Reason)
		}
	}
	return v.Err()
}

// ParseApprovalRule reads the JSON form of a rule. It returns an [itsm.ErrInvalid] with
// every finding.
func ParseApprovalRule(data []byte) (ApprovalRule, error) { return itsm.ParseJSON[ApprovalRule](data) }

// Submit hands a draft in to those who have to approve it. Where nobody has to, it is
// approved in the same commit. Until they have decided, the text stands still.
type Submit struct {
	// Reviewers are those who vote, where the policy leaves that open; otherwise nobody
	// is to be named.
	Reviewers []string `json:"reviewers,omitempty"`
	// PublishAt is when it is to be published once it is approved; zero means at once.
	PublishAt time.Time `json:"publish_at,omitzero"`
	Note      string    `json:"note,omitempty"`

	// Poll is set by the practice: who decides.
	Poll Poll `json:"poll,omitzero"`
}

// A Poll is a rule with the people that it came to.
type Poll struct {
	Rule       string              `json:"rule,omitempty"`
	Electorate approval.Electorate `json:"electorate,omitzero"`
	Standing   approval.Standing   `json:"standing"`
}

// Action returns "submit".
func (Submit) Action() string { return "submit" }

// Validate checks the names.
func (a Submit) Validate() error {
	var v itsm.Validation
	v.Texts("reviewers", a.Reviewers, maxReviewers, maxName)
	v.Text("note", a.Note, 0, maxNote)
	return v.Err()
}

// Guard refuses what says nothing yet, and what would not be seen: its time is over.
func (Submit) Guard(r *Article, at itsm.Moment) error {
	var v itsm.Validation
	v.Add(r.says())
	v.Add(r.over(at))
	return v.Err()
}

// Apply opens the vote.
func (a Submit) Apply(r *Article, at itsm.Moment) error {
	var v itsm.Validation
	v.Check(a.PublishAt.IsZero() || a.PublishAt.After(at.At), "publish_at", "must be after now")
	v.Check(a.PublishAt.IsZero() || r.ExpiresAt.IsZero() || a.PublishAt.Before(r.ExpiresAt), "publish_at", "must be before it expires")
	r.PublishAt = a.PublishAt
	r.open(ForPublication, a.Poll, at)
	return v.Err()
}

// Follow approves where no vote is needed.
func (Submit) Follow(r *Article, _ itsm.Moment) itsm.Action[Article] { return r.settle() }

// open asks those who decide.
func (r *Article) open(of Matter, p Poll, at itsm.Moment) {
	r.Approval = Approval{Of: of, Rule: p.Rule, Electorate: p.Electorate, Requested: at.At, By: at.Actor.ID}
	r.stand(p.Standing)
}

// stand keeps how the vote stands.
func (r *Article) stand(s approval.Standing) {
	r.Approval.Outcome, r.Approval.Decided, r.Approval.Next, r.Approval.Asked = s.Outcome, s.At, s.Next, s.Asked
}

// settle says what follows from how the vote stands.
func (r *Article) settle() itsm.Action[Article] {
	approved := r.Approval.Outcome == approval.Approved
	switch {
	case r.Approval.Outcome == approval.Open:
	case r.State == InReview && approved:
		return Approve{}
	case r.State == InReview:
		return SendBack{Outcome: r.Approval.Outcome}
	case r.State == PendingRetirement && approved:
		return ApproveRetirement{}
	case r.State == PendingRetirement:
		return Keep{}
	}
	return nil
}

// Vote casts a vote, changes one, or takes it back. The last one that is needed decides, in
// the same commit.
type Vote struct {
	Vote approval.Vote `json:"vote"`
	// For is in whose place; empty means in one's own.
	For string `json:"for,omitempty"`
	// Comment says why.
	Comment string `json:"comment,omitempty"`
	// Standing is set by the practice: how the vote stands then.
	Standing approval.Standing `json:"standing,omitzero"`
}

// Action returns "vote".
func (Vote) Action() string { return "vote" }

// Validate checks the vote.
func (a Vote) Validate() error {
	return itsm.Under("", a.ballot(Approval{}, itsm.Moment{Actor: itsm.Actor{ID: "somebody"}, At: time.Unix(0, 0)}).Validate())
}

func (a Vote) ballot(in Approval, at itsm.Moment) approval.Ballot {
	return approval.Ballot{By: at.Actor.ID, For: a.For, Vote: a.Vote, At: in.Electorate.Moment(in.Ballots, at.At), Comment: a.Comment}
}

// Guard refuses unless people vote about the article.
func (Vote) Guard(r *Article, _ itsm.Moment) error { return r.votes() }

func (r *Article) votes() error {
	var v itsm.Validation
	v.Rule(r.Approval.Outcome == approval.Open, "nobody votes about it")
	v.Rule(len(r.Approval.Ballots) < maxBallots, fmt.Sprintf("there are %d votes already", maxBallots))
	return v.Err()
}

// Apply keeps the vote.
func (a Vote) Apply(r *Article, at itsm.Moment) error {
	r.Approval.Ballots = append(r.Approval.Ballots, a.ballot(r.Approval, at))
	r.stand(a.Standing)
	return nil
}

// Follow moves the article to where the vote stands.
func (Vote) Follow(r *Article, _ itsm.Moment) itsm.Action[Article] { return r.settle() }

// Delegate lets another vote in one's own place for a time.
type Delegate struct {
	To string `json:"to"`
	// Until is when that ends; zero means with the vote.
	Until time.Time `json:"until,omitzero"`
	// Standing is set by the practice.
	Standing approval.Standing `json:"standing,omitzero"`
}

// Action returns "delegate".
func (Delegate) Action() string { return "delegate" }

// Validate checks the name.
func (a Delegate) Validate() error { return itsm.CheckText("to", a.To, 1, maxName) }

// Guard refuses unless people vote about the article.
func (Delegate) Guard(r *Article, _ itsm.Moment) error { return r.votes() }

func (a Delegate) delegation(at itsm.Moment) approval.Delegation {
	return approval.Delegation{Of: at.Actor.ID, To: a.To, From: at.At, Until: a.Until}
}

// over refuses a delegation whose time is over before it begins.
func (a Delegate) over(at itsm.Moment) error {
	var v itsm.Validation
	v.Check(a.Until.IsZero() || a.Until.After(at.At), "until", "must be after now")
	return v.Err()
}

// Apply keeps the delegation.
func (a Delegate) Apply(r *Article, at itsm.Moment) error {
	if err := a.over(at); err != nil {
		return err
	}
	r.Approval.Electorate.Delegations = append(r.Approval.Electorate.Delegations, a.delegation(at))
	r.stand(a.Standing)
	return nil
}

// Follow moves the article to where the vote stands: its time may have been over.
func (Delegate) Follow(r *Article, _ itsm.Moment) itsm.Action[Article] { return r.settle() }

// CountVotes is what time does to a vote: its deadline passes, or somebody may vote in the
// place of one who did not.
type CountVotes struct {
	// Due is when that was.
	Due      time.Time         `json:"due"`
	Standing approval.Standing `json:"standing,omitzero"`
}

// Action returns "count_votes".
func (CountVotes) Action() string { return "count_votes" }

// Apply keeps how the vote stands.
func (a CountVotes) Apply(r *Article, _ itsm.Moment) error {
	r.stand(a.Standing)
	return nil
}

// Follow moves the article to where the vote stands.
func (CountVotes) Follow(r *Article, _ itsm.Moment) itsm.Action[Article] { return r.settle() }

// Approve is what a vote in favour of a draft does: it is validated, and published at its
// time, or at once.
type Approve struct{}

// Action returns "approve".
func (Approve) Action() string { return "approve" }

// Apply raises the confidence: what its reviewers approve, they vouch for.
func (Approve) Apply(r *Article, _ itsm.Moment) error {
	r.Confidence = Validated
	return nil
}

// Follow publishes it, unless its time is yet to come.
func (Approve) Follow(r *Article, at itsm.Moment) itsm.Action[Article] {
	if r.PublishAt.After(at.At) {
		return nil
	}
	return Release{}
}

// SendBack is what a vote against a draft does, or that nobody decided in time.
type SendBack struct {
	Outcome approval.Outcome `json:"outcome"`
}

// Action returns "send_back".
func (SendBack) Action() string { return "send_back" }

// Apply forgets when it was to be published.
func (SendBack) Apply(r *Article, _ itsm.Moment) error {
	r.PublishAt = time.Time{}
	return nil
}

// rule finds the first rule that asks for an approval.
func (cfg *Config) rule(of Matter, r *Article) (ApprovalRule, bool) {
	for _, rule := range cfg.Approvals {
		if rule.Of == of && rule.When.Holds(facts{Article: r}) {
			return rule, true
		}
	}
	return ApprovalRule{}, false
}

// poll finds who has to approve something, and opens the vote.
func (cfg *Config) poll(ctx context.Context, of Matter, r *Article, reviewers []string, now itsm.Moment) (Poll, error) {
	rule, ok := cfg.rule(of, r)
	policy := rule.Policy
	var v itsm.Validation
	switch {
	case !ok:
		v.Check(len(reviewers) == 0, "reviewers", "must be empty: nobody has to approve it")
		return Poll{Standing: approval.Standing{Outcome: approval.Approved, At: now.At}}, v.Err()
	case len(policy.Rule.Of) > 0:
		v.Check(len(reviewers) == 0, "reviewers", fmt.Sprintf("must be empty: who votes is settled by the rule %q", rule.Name))
	default:
		v.Check(len(reviewers) > 0, "reviewers", fmt.Sprintf("must be given: by the rule %q they are whom you name", rule.Name))
		policy.Rule.Of = approval.Persons(reviewers...)
	}
	if err := v.Err(); err != nil {
		return Poll{}, err
	}
	p := Poll{Rule: rule.Name}
	var err error
	if p.Electorate, err = approval.Resolve(policy, now.At, cfg.people(ctx, r, now.Actor)); err != nil {
		return p, itsm.Under("reviewers", err)
	}
	p.Standing, err = approval.Stand(p.Electorate, nil, now.At)
	return p, itsm.Under("approval", err)
}

// people answers who has a duty in an article, and asks the host for everything else.
func (cfg *Config) people(ctx context.Context, r *Article, requester itsm.Actor) approval.Resolver {
	return func(kind approval.Kind, name string) ([]string, error) {
		if kind == approval.Duty {
			switch name {
			case DutyAuthor:
				return []string{r.Author}, nil
			case DutyEditor:
				return r.Editors, nil
			case DutyOwner:
				return []string{r.Owner}, nil
			case DutyRequester:
				return []string{requester.ID}, nil
			}
		}
		if cfg.People == nil {
			return nil, itsm.Refuse("nobody knows the %s %q: the host has to say who that is", kind, name)
		}
		return cfg.People(ctx, *r, kind, name)
	}
}
