package incident

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/sla"
	"github.com/go-itsm/itsm/slm"
)

// Config is what a host decides for its incidents. The zero value is ready:
// the default lifecycle, the 3×3 matrix, closed incidents stay closed, nothing
// closes by itself, children are independent, no matcher.
type Config struct {
	itsm.Config

	// Lifecycle is the host's own; nil means [DefaultLifecycle]. What the
	// practice does by itself, such as following a child, is permitted in the
	// host's own states without being asked for.
	Lifecycle *itsm.Lifecycle
	// Actions holds a value of each action type of the host's own. Their names
	// must be in the Lifecycle.
	Actions []itsm.Action[Incident]
	// Matrix gives the priority; zero means [itsm.StandardMatrix].
	Matrix itsm.Matrix
	// AutoClose says when a resolved incident closes by itself, given the
	// incident as it was before and when it is resolved; the zero time means
	// never. Nil means that none ever does. See [After].
	AutoClose func(inc Incident, resolved time.Time) time.Time
	// Reopen is what reopening does to a closed incident; zero forbids it. A
	// resolved one can always be reopened.
	Reopen ReopenPolicy
	// Children is what resolving and closing a parent means for its children.
	Children ChildPolicy
	// UpdateCadence is how often a major incident promises status updates
	// unless [AcceptMajor] says otherwise; 0 means 30 minutes.
	UpdateCadence time.Duration
	// Matcher proposes known errors and articles for new incidents; nil means
	// that nothing is proposed.
	Matcher Matcher
	// Agreements say what is promised about incidents; nil means nothing. Their
	// clocks follow every action in the same commit ([Incident].Targets), and
	// what their thresholds bring is done by the Runner. All versions that open
	// incidents refer to have to be in the book.
	//
	// Conditions may ask for these facts of an incident: state, hold (the
	// reason), priority, impact, urgency ("1"), service, ci, category, caller,
	// channel, group, person, major, resolution (the code), each [Milestone] by
	// its name (when it was reached), reply ("staff" or "caller", when one has
	// just written to the other), action (the name of what was just done), and
	// the host's own fields by theirs.
	Agreements *sla.Book
	// levels joins them to the practice, once that is made.
	levels slm.Levels[Incident]
}

// After is an auto-close rule: so long after the resolution, by the clock on
// the wall.
func After(d time.Duration) func(Incident, time.Time) time.Time {
	return func(_ Incident, resolved time.Time) time.Time { return resolved.Add(d) }
}

// A Matcher finds what may help with an incident: known errors, articles,
// similar incidents. It is asked when an incident is reported, before it has
// an id, and by [Match], but not in dry runs. It must be safe for concurrent use
// and should be quick: the report waits for it. What it proposes comes best
// first; at most 20 are kept. If it fails, the incident is registered all the
// same, with the error in the report.
type Matcher interface {
	Match(ctx context.Context, inc Incident) ([]Proposal, error)
}

// Matchers are several as one: that of the known errors and that of the articles.
// Their scores have scales of their own, so what they find is taken in turn, the best
// of each, then the second best of each; what two of them find is kept where it comes
// first. If one of them fails, its error is returned with what the others found.
type Matchers []Matcher

// Match asks each in turn.
func (ms Matchers) Match(ctx context.Context, inc Incident) ([]Proposal, error) {
	found := make([][]Proposal, len(ms))
	var failed []error
	rows := 0
	for i, m := range ms {
		var err error
		found[i], err = m.Match(ctx, inc)
		failed = append(failed, err)
		rows = max(rows, len(found[i]))
	}
	var all []Proposal
	seen := map[itsm.Ref]bool{}
	for row := range rows {
		for _, one := range found {
			if row < len(one) && !seen[one[row].To] {
				seen[one[row].To] = true
				all = append(all, one[row])
			}
		}
	}
	return all, errors.Join(failed...)
}

// A ReopenPolicy is what reopening does to a closed incident.
type ReopenPolicy struct {
	Mode ReopenMode
	// Window is for how long after closing [ReopenInPlace] works; 0 means for
	// ever.
	Window time.Duration
}

// A ReopenMode is one of three ways to treat a closed incident whose resolution
// did not hold.
type ReopenMode int

const (
	// ReopenForbid refuses: who has trouble again reports it again.
	ReopenForbid ReopenMode = iota
	// ReopenInPlace takes up the same record.
	ReopenInPlace
	// ReopenClone leaves it closed and opens a new one that continues it.
	ReopenClone
)

// A ChildPolicy is what resolving and closing a parent means for its children.
type ChildPolicy int

const (
	// ChildrenIndependent means nothing.
	ChildrenIndependent ChildPolicy = iota
	// ChildrenCascade resolves and closes the children with the parent, in the
	// same commit: one that does not admit it, such as in a state of the host's
	// own without "resolve", keeps the parent from it. Reopening the parent
	// leaves them as they are.
	ChildrenCascade
	// ChildrenBlock keeps the parent from being closed while a child is open.
	ChildrenBlock
)

// A Practice is incident management: it restores service and remembers how. It
// is safe for concurrent use. Beside what stands here it has every call of
// [itsm.Practice]: Do, Get, Check, WhyNot, History, At, Decode, List, RunDue and
// so on.
type Practice struct {
	*itsm.Practice[Incident]
	levels slm.Levels[Incident]
}

// NewPractice returns the practice over a store. It returns an
// [itsm.ErrInvalid] with every finding if the host's lifecycle and actions do
// not fit together.
func NewPractice(store itsm.Store[Incident], cfg Config) (*Practice, error) {
	if cfg.Lifecycle == nil {
		cfg.Lifecycle = DefaultLifecycle()
	}
	if cfg.UpdateCadence <= 0 {
		cfg.UpdateCadence = 30 * time.Minute
	}
	lifecycle, err := cfg.check()
	if err != nil {
		return nil, err
	}
	cfg.Lifecycle = lifecycle
	cfg.levels = cfg.join()
	kernel, err := itsm.NewPractice(itsm.Definition[Incident]{
		Prefix:    "inc",
		Lifecycle: lifecycle,
		Actions:   slices.Concat(actions(), cfg.Actions),
		Derived:   slices.Concat(derived(), slm.Derived[Incident]()),
		Next:      cfg.next,
		Prepare:   cfg.prepare,
		Follow:    cfg.levels.Follow,
		Cascade:   cfg.cascade,
	}, store, cfg.Config)
	if err != nil {
		return nil, err
	}
	return &Practice{kernel, cfg.levels}, nil
}

// Over returns the same practice over another store, such as one bound to a
// transaction of the host's.
func (p *Practice) Over(store itsm.Store[Incident]) *Practice {
	return &Practice{p.Practice.Over(store), p.levels}
}

// check verifies the policies and returns the lifecycle with what the practice
// itself needs in it.
func (cfg Config) check() (*itsm.Lifecycle, error) {
	var v itsm.Validation
	v.Check(cfg.Reopen.Mode >= ReopenForbid && cfg.Reopen.Mode <= ReopenClone, "reopen.mode", "is unknown")
	v.Check(cfg.Reopen.Window >= 0, "reopen.window", "must not be negative")
	v.Check(cfg.Children >= ChildrenIndependent && cfg.Children <= ChildrenBlock, "children", "is unknown")
	lifecycle, err := cfg.Lifecycle.With(complete, slm.Permit)
	v.Add(err)
	return lifecycle, v.Err()
}

// open reports whether there is still something to restore in a state, also in
// one of the host's own.
func (cfg *Config) open(s itsm.State) bool { return isOpen(s) && !cfg.Lifecycle.IsEnd(s) }

// actions lists the practice's actions in the order of an incident's life.
func actions() []itsm.Action[Incident] {
	return []itsm.Action[Incident]{
		Report{}, Describe{}, Classify{}, Assess{}, OverridePriority{}, Match{},
		Assign{}, Unassign{}, Start{}, EscalateFunctional{}, EscalateHierarchical{}, Join{}, Leave{},
		PutOnHold{}, Resume{}, Note{}, LogTime{}, Mark{},
		ProposeMajor{}, AcceptMajor{}, RejectMajor{}, DemoteMajor{}, AssignRole{}, PostUpdate{},
		SetParent{}, ClearParent{}, Merge{}, Link{}, Unlink{}, SetFields{},
		Resolve{}, Close{}, Reopen{}, RejectResolution{}, Cancel{}, Reinstate{},
		Rate{}, StartReview{}, AddActionItem{}, CompleteActionItem{}, CompleteReview{},
	}
}

// derived lists what only the practice itself does.
func derived() []itsm.Action[Incident] {
	return []itsm.Action[Incident]{
		AutoResume{}, AutoClose{}, MissUpdate{}, Continue{}, Absorb{}, Adopt{}, Release{}, FollowChild{},
	}
}

// Open registers an incident. It is Create with the type that it takes.
func (p *Practice) Open(ctx context.Context, report Report) (Incident, error) {
	return p.Create(ctx, report)
}

// Reopen takes up an incident whose resolution did not hold and returns the one
// in which the work goes on: the same, or, by policy, a new one.
func (p *Practice) Reopen(ctx context.Context, id itsm.ID, reason string) (Incident, error) {
	inc, err := p.Do(ctx, id, Reopen{Reason: reason})
	if err != nil || inc.State != Closed {
		return inc, err
	}
	i := slices.IndexFunc(inc.Links, func(l itsm.Link) bool { return l.Rel == ContinuedBy })
	if i < 0 {
		return inc, nil
	}
	return p.Get(ctx, inc.Links[i].To.ID)
}

// An Entry of the journal is something that was said about an incident.
type Entry struct {
	At    time.Time
	Actor itsm.Actor
	// Public says that it is for the caller too.
	Public bool
	Text   string
}

// Journal yields what was said about an incident, oldest first: its notes and
// status updates. With public, only what the caller may read. It reads the
// history; an error ends the sequence.
func (p *Practice) Journal(ctx context.Context, id itsm.ID, public bool) iter.Seq2[Entry, error] {
	return itsm.Told(ctx, p.Practice, id, func(e itsm.Event, a itsm.Action[Incident]) (Entry, bool) {
		entry := Entry{At: e.At, Actor: e.Actor, Public: true}
		switch a := a.(type) {
		case Note:
			entry.Text, entry.Public = a.Text, a.Public
		case PostUpdate:
			entry.Text = a.Text
		}
		return entry, entry.Public || !public
	}, Note{}.Action(), PostUpdate{}.Action())
}

// next says what time brings: the end of a hold, a status update that was not
// given, the closing of what nobody objected to, a threshold of an agreement.
func (cfg *Config) next(r *Incident) (due time.Time, what itsm.Action[Incident]) {
	switch {
	case r.State == OnHold:
		due, what = r.Hold.Until, AutoResume{By: "time"}
	case r.State == Resolved && r.childrenDone() == nil:
		due, what = r.CloseAt, AutoClose{}
	}
	if update := r.Major.UpdateDue; cfg.open(r.State) && before(update, due) {
		due, what = update, MissUpdate{Due: update}
	}
	if len(r.Targets) > 0 {
		if threshold, pass := cfg.levels.Next(r); before(threshold, due) {
			due, what = threshold, pass
		}
	}
	return due, what
}

// before reports whether a time is set and before another one, if that is.
func before(t, other time.Time) bool {
	return !t.IsZero() && (other.IsZero() || t.Before(other))
}

// prepare resolves the host's configuration, and what must be known of other
// incidents, into an action.
func (cfg *Config) prepare(ctx context.Context, tx *itsm.Tx[Incident], r *Incident, action itsm.Action[Incident]) (itsm.Action[Incident], error) {
	now := tx.Moment().At
	switch a := action.(type) {
	case Report:
		return cfg.prepareReport(ctx, tx, a)
	case Assess:
		var err error
		a.Priority, err = cfg.Matrix.Priority(a.Impact, a.Urgency)
		return a, err
	case OverridePriority:
		var v itsm.Validation
		lowest := cfg.Matrix.Lowest()
		v.Check(a.Priority <= lowest, "priority", fmt.Sprintf("must be at most %d", lowest))
		return a, v.Err()
	case Match:
		a.Proposals = nil
		if cfg.Matcher == nil {
			return a, itsm.Refuse("there is no matcher")
		}
		if tx.Dry() {
			return a, nil
		}
		proposals, err := cfg.Matcher.Match(ctx, *r)
		if err != nil {
			if ended := ctx.Err(); ended != nil {
				return a, ended
			}
			return a, &matchError{err}
		}
		a.Proposals = best(proposals)
		return a, nil
	case AcceptMajor:
		a.Cadence = cmp.Or(a.Cadence, cfg.UpdateCadence)
		return a, nil
	case PassThreshold:
		return cfg.levels.Prepare(ctx, tx, r, a)
	case Resolve:
		a.CloseAt, a.WaitForChildren = time.Time{}, cfg.Children == ChildrenBlock
		if cfg.AutoClose != nil {
			a.CloseAt = cfg.AutoClose(*r, now)
		}
		return a, nil
	case Reopen:
		return cfg.reopen(r, a, a.Reason, tx.Moment())
	case RejectResolution:
		return cfg.reopen(r, a, a.Reason, tx.Moment())
	case Merge:
		return a, cfg.mergeable(tx, r, a.Into)
	case SetParent:
		return a, cfg.adoptable(tx, r, a.Parent)
	case ClearParent:
		a.Parent = r.Parent
		return a, nil
	case Link:
		return a, ownRelation(tx, a.Rel)
	case Unlink:
		return a, ownRelation(tx, a.Rel)
	}
	return nil, nil // nothing to resolve
}

// ownRelation refuses relations that say what the practice has done.
func ownRelation(tx *itsm.Tx[Incident], rel string) error {
	switch rel {
	case MergedFrom, Continues, ContinuedBy:
		if !tx.Consequence() {
			return &itsm.FieldError{Field: "rel", Reason: fmt.Sprintf("must not be %s, which only merging and reopening set", rel)}
		}
	}
	return nil
}

// matchError is a [Match] that failed. It is refused, so that [Practice.WhyNot]
// answers about everything else, and wraps the matcher's own error.
type matchError struct{ err error }

func (e *matchError) Error() string        { return "the matcher failed: " + e.err.Error() }
func (e *matchError) Unwrap() error        { return e.err }
func (e *matchError) Is(target error) bool { return target == itsm.ErrNotAllowed }

func (cfg *Config) prepareReport(ctx context.Context, tx *itsm.Tx[Incident], a Report) (itsm.Action[Incident], error) {
	a.Priority, a.Proposals, a.MatchError = 0, nil, ""
	if !tx.Consequence() {
		a.Continues = ""
	}
	var v itsm.Validation
	if a.Impact > 0 && a.Urgency > 0 {
		var err error
		a.Priority, err = cfg.Matrix.Priority(a.Impact, a.Urgency)
		v.Add(err)
	}
	if v.Err() == nil && cfg.Matcher != nil && !tx.Dry() && a.Validate() == nil {
		var draft Incident
		if err := a.Apply(&draft, tx.Moment()); err != nil {
			return a, nil // Apply will say so itself
		}
		proposals, err := cfg.Matcher.Match(ctx, draft)
		if err != nil {
			if ended := ctx.Err(); ended != nil {
				return a, ended
			}
			a.MatchError = tidy(err.Error())
		}
		a.Proposals = best(proposals)
	}
	return a, v.Err()
}

// best keeps as many proposals as a record holds, of those that point somewhere,
// in a form that the history can keep: whatever a matcher returns, it does not
// stand in the way of a report.
func best(proposals []Proposal) []Proposal {
	var kept []Proposal
	for _, p := range proposals {
		link := itsm.Link{Rel: SolvedBy, To: itsm.Ref{Kind: tidy(p.To.Kind), ID: itsm.ID(tidy(string(p.To.ID)))}}
		if link.To != p.To || (Link{Link: link}).Validate() != nil {
			continue
		}
		p.Reason = tidy(p.Reason)
		p.Score = max(-math.MaxFloat64, min(math.MaxFloat64, p.Score))
		if math.IsNaN(p.Score) {
			p.Score = 0
		}
		if kept = append(kept, p); len(kept) == maxProposals {
			break
		}
	}
	return kept
}

// tidy makes a text from outside fit for the history.
func tidy(text string) string {
	text = strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\x00", "")
	if runes := []rune(text); len(runes) > maxReason {
		text = string(runes[:maxReason])
	}
	return text
}

// reopen says what becomes of an action that reopens: itself, or, by policy, a
// new incident in place of a closed one.
func (cfg *Config) reopen(r *Incident, a itsm.Action[Incident], reason string, at itsm.Moment) (itsm.Action[Incident], error) {
	if r.State == Closed && cfg.Reopen.Mode == ReopenClone {
		next := Continue{Reason: reason}
		return next, next.Guard(r, at)
	}
	return a, cfg.Reopen.admit(r, at.At)
}

// admit refuses what the policy does not allow for a closed incident.
func (p ReopenPolicy) admit(r *Incident, now time.Time) error {
	if r.State != Closed {
		return nil
	}
	closed := r.Milestones.Closed
	switch {
	case p.Mode != ReopenInPlace:
		return itsm.Refuse("a closed incident is not reopened here")
	case p.Window > 0 && now.Sub(closed) > p.Window:
		return itsm.Refuse("it was closed %s ago; it can be reopened within %s",
			now.Sub(closed).Round(time.Minute), p.Window)
	}
	return nil
}

// other returns another incident that an action names, or a finding.
func other(tx *itsm.Tx[Incident], field string, id itsm.ID) (Incident, error) {
	inc, err := tx.Get(id)
	if errors.Is(err, itsm.ErrNotFound) {
		err = &itsm.FieldError{Field: field, Reason: fmt.Sprintf("there is no incident %s", id)}
	}
	return inc, err
}

func (cfg *Config) mergeable(tx *itsm.Tx[Incident], r *Incident, into itsm.ID) error {
	if into == "" || into == r.ID {
		return nil // Validate or Apply says so
	}
	target, err := other(tx, "into", into)
	switch {
	case err != nil:
		return err
	case target.MergedInto != "":
		return itsm.Refuse("%s is merged into %s", into, target.MergedInto)
	case !cfg.open(target.State):
		return itsm.Refuse("%s is %s: the work must go on in an open incident", into, target.State)
	}
	return nil
}

func (cfg *Config) adoptable(tx *itsm.Tx[Incident], r *Incident, parent itsm.ID) error {
	if parent == "" || parent == r.ID {
		return nil // Validate or Apply says so
	}
	p, err := other(tx, "parent", parent)
	if err != nil {
		return err
	}
	var v itsm.Validation
	v.Rule(cfg.open(p.State), fmt.Sprintf("%s is %s: it takes no children", parent, p.State))
	v.Rule(p.Parent == "", fmt.Sprintf("%s is itself part of %s", parent, p.Parent))
	return v.Err()
}

// cascade does to other incidents what follows from an action.
func (cfg *Config) cascade(_ context.Context, tx *itsm.Tx[Incident], r *Incident, action itsm.Action[Incident], e itsm.Event) error {
	switch a := action.(type) {
	case Merge:
		if _, err := tx.Do(a.Into, Absorb{From: r.ID}); err != nil {
			return err
		}
	case SetParent:
		_, err := tx.Do(a.Parent, Adopt{cfg.child(r)})
		return err
	case ClearParent:
		_, err := tx.Do(a.Parent, Release{Child: r.ID})
		return err
	case Continue:
		return continued(tx, r)
	case Resolve:
		if cfg.Children == ChildrenCascade {
			open := func(c Child) bool { return c.Open }
			if err := eachChild(tx, r, open, a); err != nil {
				return err
			}
		}
	case Close, AutoClose:
		if cfg.Children == ChildrenCascade {
			resolved := func(c Child) bool { return c.State == Resolved }
			if err := eachChild(tx, r, resolved, Close{Note: "closed with its parent"}); err != nil {
				return err
			}
		}
	}
	if r.Parent != "" && e.From != e.To {
		_, err := tx.Do(r.Parent, FollowChild{cfg.child(r)})
		return err
	}
	return nil
}

// child is how a parent knows an incident.
func (cfg *Config) child(r *Incident) Child {
	return Child{ID: r.ID, State: r.State, Open: cfg.open(r.State)}
}

// eachChild does an action to those of the children that are asked for. The list
// is copied because each of them changes it.
func eachChild(tx *itsm.Tx[Incident], r *Incident, which func(Child) bool, a itsm.Action[Incident]) error {
	for _, c := range slices.Clone(r.Children) {
		if which(c) {
			if _, err := tx.Do(c.ID, a); err != nil {
				return fmt.Errorf("child %s: %w", c.ID, err)
			}
		}
	}
	return nil
}

// continued opens the incident that goes on for a closed one.
func continued(tx *itsm.Tx[Incident], r *Incident) error {
	made, err := tx.Create(Report{
		Title: r.Title, Description: r.Description, Caller: r.Caller, Channel: r.Channel,
		Service: r.Service, CI: r.CI, Category: r.Category, Impact: r.Impact, Urgency: r.Urgency,
		Fields: r.Fields, Continues: r.ID,
	})
	if err != nil {
		return err
	}
	_, err = tx.Do(r.ID, Link{Link: itsm.Link{Rel: ContinuedBy, To: ref(made.ID)}})
	return err
}
