package knowledge

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/approval"
	"github.com/go-itsm/itsm/internal/short"
	"github.com/go-itsm/itsm/knowledge/search"
	"github.com/go-itsm/itsm/sla"
	"github.com/go-itsm/itsm/slm"
)

// Config is what a host decides for its articles. The zero value is ready: the default
// lifecycle, articles in English for one's own people and governed by experience, nothing
// falls due, everybody may do everything, and an index in memory.
type Config struct {
	itsm.Config

	// Lifecycle is the host's own; nil means [DefaultLifecycle].
	Lifecycle *itsm.Lifecycle
	// Actions holds a value of each action type of the host's own. Their names must be
	// in the Lifecycle.
	Actions []itsm.Action[Article]
	// Approvals say who has to approve what; the first that applies counts, and where
	// none does nobody has to. Nil means [DefaultApprovals]; an empty list that nobody
	// ever has to.
	Approvals []ApprovalRule
	// People says who has a role, is computed, or has a duty in an article, where a
	// policy asks for it; who wrote, changed or owns it and who asks for the approval the
	// practice knows itself. A name that it does not know is an error. Nil knows nobody.
	People func(ctx context.Context, r Article, kind approval.Kind, name string) ([]string, error)

	// Locale, Audience, Governance and ReviewEvery are those of what is captured without
	// saying so. Zero means "en", one's own people, experience, and never.
	Locale      string
	Audience    Audience
	Governance  Governance
	ReviewEvery time.Duration
	// ValidateAfter is how often an article has to solve a case as it stands until that
	// validates it; 0 means that it never does.
	ValidateAfter int

	// Agreements say what is promised about articles; nil means nothing. Conditions may
	// ask for the facts of an [ApprovalRule], and for approval (the outcome) and action
	// (the name of what was just done).
	Agreements *sla.Book

	// Index is what [Practice.Search] asks. It is kept up to date with every article
	// after it is committed here, one article at a time, for which the caller waits; what
	// other hosts commit it learns by [Practice.CatchUp]. Nil means one in memory, which
	// begins empty.
	Index search.Index
	// Document completes what is searched of an article, such as by fields of the host's
	// own; it must not change the article. Nil means that it stays as
	// [Article.Document] has it.
	Document func(r Article, d search.Document) search.Document
	// Searched is told each search that was made, except for further pages of one, to
	// learn from those without a hit ([Gaps]). It runs on the caller's goroutine. Nil
	// means nobody.
	Searched func(ctx context.Context, s Searched)

	levels slm.Levels[Article]
}

// A Practice is knowledge management: what somebody found out is there for those who need
// it next. It is safe for concurrent use. Beside what stands here it has every call of
// [itsm.Practice]: Do, Get, Check, WhyNot, History, At, Decode, List, RunDue and so on.
type Practice struct {
	*itsm.Practice[Article]
	cfg     Config
	indexer *indexer
}

// NewPractice returns the practice over a store. It returns an [itsm.ErrInvalid] with every
// finding if the host's lifecycle, actions and rules do not fit together.
func NewPractice(store itsm.Store[Article], cfg Config) (*Practice, error) {
	if cfg.Lifecycle == nil {
		cfg.Lifecycle = DefaultLifecycle()
	}
	if cfg.Approvals == nil {
		cfg.Approvals = DefaultApprovals()
	}
	if cfg.Locale == "" {
		cfg.Locale = "en"
	}
	if cfg.Audience.Reach == "" {
		cfg.Audience.Reach = Internal
	}
	if cfg.Governance == "" {
		cfg.Governance = Experience
	}
	if err := cfg.check(); err != nil {
		return nil, err
	}
	if cfg.Index == nil {
		index, err := search.NewMemory(search.Config{})
		if err != nil {
			return nil, err
		}
		cfg.Index = index
	}
	cfg.levels = cfg.join()
	x := &indexer{index: cfg.Index, complete: cfg.Document, missed: map[itsm.ID]bool{}}
	var kernel *itsm.Practice[Article]
	own := cfg.Config
	own.Notify = cfg.notify(x, func() *itsm.Practice[Article] { return kernel })
	kernel, err := itsm.NewPractice(itsm.Definition[Article]{
		Prefix:    "kba",
		Lifecycle: cfg.Lifecycle,
		Actions:   slices.Concat(actions(), cfg.Actions),
		Derived:   slices.Concat(derived(), slm.Derived[Article]()),
		Next:      cfg.next,
		Prepare:   cfg.prepare,
		Follow:    cfg.levels.Follow,
		Cascade:   cfg.cascade,
	}, store, own)
	if err != nil {
		return nil, err
	}
	return &Practice{kernel, cfg, x}, nil
}

// check verifies rules and defaults, and completes the lifecycle with what the practice
// itself needs in it.
func (cfg *Config) check() error {
	var v itsm.Validation
	names := map[string]bool{}
	for i, rule := range cfg.Approvals {
		path := fmt.Sprintf("approvals[%d]", i)
		v.Add(itsm.Under(path, rule.Validate()))
		key := string(rule.Of) + "/" + rule.Name
		v.Check(!names[key], path+".name", fmt.Sprintf("%q is there twice", short.Text(rule.Name)))
		names[key] = true
	}
	v.Add(itsm.Under("audience", cfg.Audience.Validate()))
	oneOf(&v, "governance", cfg.Governance, Governances())
	v.Text("locale", cfg.Locale, 1, maxName)
	v.Check(cfg.ReviewEvery >= 0, "review_every", "must not be negative")
	v.Check(cfg.ValidateAfter >= 0, "validate_after", "must not be negative")
	lifecycle, err := cfg.Lifecycle.With(complete, slm.Permit)
	v.Add(err)
	cfg.Lifecycle = lifecycle
	return v.Err()
}

// Over returns the same practice over another store, such as one bound to a transaction of
// the host's. The index learns of what is done there by [Practice.CatchUp].
func (p *Practice) Over(store itsm.Store[Article]) *Practice {
	return &Practice{p.Practice.Over(store), p.cfg, p.indexer}
}

// actions lists the practice's actions in the order of an article's life.
func actions() []itsm.Action[Article] {
	return []itsm.Action[Article]{
		Capture{}, Improve{}, Revert{}, Classify{}, SetAudience{}, SetGovernance{}, AssignOwner{}, Plan{},
		Validate{}, Invalidate{}, ScoreChecklist{},
		Submit{}, Vote{}, Delegate{}, Withdraw{}, Schedule{}, Publish{}, Revise{}, Discard{},
		RecordUse{}, SampleLink{}, Rate{}, Flag{}, ResolveFlag{}, CompleteReview{},
		Note{}, Link{}, Unlink{}, SetFields{},
		ProposeRetirement{}, Keep{}, Retire{}, Restore{},
	}
}

// derived lists what only the practice itself does.
func derived() []itsm.Action[Article] {
	return []itsm.Action[Article]{
		Approve{}, SendBack{}, CountVotes{}, Release{}, FallDue{}, Expire{}, ApproveRetirement{},
		AdoptTranslation{}, ReleaseTranslation{}, FollowSource{},
	}
}

// Capture writes an article down. It is Create with the type that it takes.
func (p *Practice) Capture(ctx context.Context, c Capture) (Article, error) {
	return p.Create(ctx, c)
}

// Editions yields the editions of an article, oldest first, each as it was published. It
// reads the history; an error ends the sequence.
func (p *Practice) Editions(ctx context.Context, id itsm.ID) iter.Seq2[Edition, error] {
	return func(yield func(Edition, error) bool) {
		last := 0
		for past, err := range p.Walk(p.History(ctx, id)) {
			if err != nil {
				yield(Edition{}, err)
				return
			}
			if e := past.Record.Live; e != nil && e.Number > last {
				last = e.Number
				if !yield(*e, nil) {
					return
				}
			}
		}
	}
}

// Uses yields every use of an article, oldest first, with who recorded it. It reads the
// history; an error ends the sequence.
func (p *Practice) Uses(ctx context.Context, id itsm.ID) iter.Seq2[Used, error] {
	return itsm.Told(ctx, p.Practice, id, func(e itsm.Event, a itsm.Action[Article]) (Used, bool) {
		switch a := a.(type) {
		case Capture:
			return Used{Use{Kind: CreatedFrom, For: a.From, At: e.At}, 1, e.Actor, ""}, a.From != itsm.Ref{}
		case RecordUse:
			return Used{Use{Kind: a.Kind, For: a.For, At: e.At}, max(a.Count, 1), e.Actor, a.Note}, true
		}
		return Used{}, false
	})
}

// Used is a use and who recorded it.
type Used struct {
	Use
	// Count is how many views it stands for, else 1.
	Count int
	Actor itsm.Actor
	Note  string
}

// An Entry of the journal is something that was said about an article.
type Entry struct {
	At    time.Time
	Actor itsm.Actor
	// Action is what was done as it was said: a note, a flag, a rating.
	Action string
	Text   string
}

// Journal yields what was said about an article, oldest first: notes, flags and what came of
// them, comments on ratings and votes, and what was noted with a change of the text, a review
// or a use. It reads the history; an error ends the sequence.
func (p *Practice) Journal(ctx context.Context, id itsm.ID) iter.Seq2[Entry, error] {
	return itsm.Told(ctx, p.Practice, id, func(e itsm.Event, a itsm.Action[Article]) (Entry, bool) {
		entry := Entry{At: e.At, Actor: e.Actor, Action: e.Action}
		switch a := a.(type) {
		case Note:
			entry.Text = a.Text
		case Flag:
			entry.Text = a.Text
		case ResolveFlag:
			entry.Text = a.Note
		case Rate:
			entry.Text = a.Comment
		case Improve:
			entry.Text = a.Note
		case Submit:
			entry.Text = a.Note
		case Vote:
			entry.Text = a.Comment
		case Validate:
			entry.Text = a.Note
		case Invalidate:
			entry.Text = a.Reason
		case CompleteReview:
			entry.Text = a.Note
		case RecordUse:
			entry.Text = a.Note
		}
		return entry, entry.Text != ""
	})
}

// next says what time brings: the end of a vote, the time to publish, the review, the end, a threshold of an
// agreement.
func (cfg *Config) next(r *Article) (time.Time, itsm.Action[Article]) {
	first := itsm.Earliest[Article]{Lifecycle: cfg.Lifecycle, State: r.State}
	if r.Approval.Outcome == approval.Open {
		first.Take(r.Approval.Next, CountVotes{Due: r.Approval.Next})
	}
	first.Take(r.PublishAt, Release{})
	first.Take(r.ReviewBy, FallDue{Due: r.ReviewBy})
	if r.Live != nil {
		first.Take(r.ExpiresAt, Expire{Due: r.ExpiresAt})
	}
	first.Take(cfg.levels.Next(r))
	return first.Due, first.Action
}

// prepare resolves the host's configuration, and what must be known of other articles, into
// an action.
func (cfg *Config) prepare(ctx context.Context, tx *itsm.Tx[Article], r *Article, action itsm.Action[Article]) (itsm.Action[Article], error) {
	now := tx.Moment()
	switch a := action.(type) {
	case Capture:
		return cfg.capture(tx, a)
	case Restore:
		a.Source = r.Source
		var err error
		if r.Source.Article != "" {
			a.Source, err = cfg.source(tx, "source", r.Source.Article, r.Locale)
		}
		return a, err
	case Revert:
		return cfg.edition(tx, r, a)
	case Publish:
		if r.State == Draft {
			return a, cfg.free(ForPublication, r, "submit")
		}
		return a, nil
	case Schedule:
		if r.State == Draft {
			return a, cfg.free(ForPublication, r, "submit")
		}
		return a, nil
	case Retire:
		if r.Live == nil {
			return a, nil
		}
		return a, cfg.free(ForRetirement, r, "propose_retirement")
	case Submit:
		var err error
		a.Poll, err = cfg.poll(ctx, ForPublication, r, a.Reviewers, now)
		return a, err
	case ProposeRetirement:
		var err error
		a.Poll, err = cfg.poll(ctx, ForRetirement, r, a.Reviewers, now)
		return a, err
	case Vote:
		if a.Validate() != nil || r.votes() != nil {
			return a, nil // which say so themselves
		}
		var err error
		a.Standing, err = approval.StandWith(r.Approval.Electorate, r.Approval.Ballots, a.ballot(r.Approval, now))
		return a, err
	case Delegate:
		if a.Validate() != nil || r.votes() != nil || a.over(now) != nil {
			return a, nil // which say so themselves
		}
		e := r.Approval.Electorate
		e.Delegations = append(slices.Clip(e.Delegations), a.delegation(now))
		var v itsm.Validation
		for _, f := range approval.Findings(e.Validate()) {
			v.Check(false, "to", f.Reason)
		}
		if err := v.Err(); err != nil {
			return a, err
		}
		var err error
		a.Standing, err = approval.Stand(e, r.Approval.Ballots, now.At)
		return a, itsm.Under("approval", err)
	case CountVotes:
		at := now.At
		if a.Due.After(at) {
			at = a.Due
		}
		var err error
		a.Standing, err = approval.Stand(r.Approval.Electorate, r.Approval.Ballots, at)
		return a, itsm.Under("approval", err)
	case RecordUse:
		a.ValidateAfter = cfg.ValidateAfter
		return a, nil
	case PassThreshold:
		return cfg.levels.Prepare(ctx, tx, r, a)
	case Link:
		return a, ownRelation(tx, a.Rel)
	case Unlink:
		return a, ownRelation(tx, a.Rel)
	}
	return nil, nil // nothing to resolve
}

// ownRelation refuses relations that say what the practice has done.
func ownRelation(tx *itsm.Tx[Article], rel string) error {
	if (rel == string(CreatedFrom) || rel == ReplacedBy) && !tx.Consequence() {
		return &itsm.FieldError{Field: "rel", Reason: fmt.Sprintf("must not be %s, which only capturing and retiring set", rel)}
	}
	return nil
}

// free refuses what has to be approved.
func (cfg *Config) free(of Matter, r *Article, instead string) error {
	if rule, ok := cfg.rule(of, r); ok && !rule.Optional {
		return itsm.Refuse("its %s has to be approved by the rule %q: %s", of, rule.Name, instead)
	}
	return nil
}

// capture fills in what the host has settled, and finds what is translated.
func (cfg *Config) capture(tx *itsm.Tx[Article], a Capture) (itsm.Action[Article], error) {
	if a.Locale == "" {
		a.Locale = cfg.Locale
	}
	if a.Audience.Reach == "" && len(a.Audience.Domains) == 0 {
		a.Audience = cfg.Audience
	}
	if a.Governance == "" {
		a.Governance = cfg.Governance
	}
	if a.ReviewEvery == 0 {
		a.ReviewEvery = cfg.ReviewEvery
	}
	a.Source = Source{}
	if a.Translates == "" || a.Validate() != nil {
		return a, nil
	}
	source, err := cfg.source(tx, "translates", a.Translates, a.Locale)
	a.Source = source
	if a.Covers == 0 && !source.Withdrawn {
		a.Covers = source.Edition
	}
	return a, err
}

// edition finds the text of an older edition in the history.
func (cfg *Config) edition(tx *itsm.Tx[Article], r *Article, a Revert) (itsm.Action[Article], error) {
	a.Content, a.Covers = Content{}, 0
	if a.Validate() != nil || a.Guard(r, tx.Moment()) != nil {
		return a, nil // which say so themselves
	}
	for past, err := range tx.Walk(r.ID) {
		if err != nil {
			return a, err
		}
		if e := past.Record.Live; e != nil && e.Number == a.Edition {
			a.Content, a.Covers = e.Content, e.Covers
			var v itsm.Validation
			v.Rule(e.Content != r.Text(), "that is its text already")
			return a, v.Err()
		}
	}
	return a, &itsm.FieldError{Field: "edition", Reason: fmt.Sprintf("must be one of the %d that there were, is %d", r.Editions, a.Edition)}
}

// cascade does to other articles what follows from an action.
func (cfg *Config) cascade(_ context.Context, tx *itsm.Tx[Article], r *Article, action itsm.Action[Article], e itsm.Event) error {
	return cfg.translated(tx, r, action, e)
}
