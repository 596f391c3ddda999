package change

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/approval"
	"github.com/go-itsm/itsm/sla"
	"github.com/go-itsm/itsm/slm"
)

// Config is what a host decides for its changes. The zero value is ready: the
// default lifecycle, models, risk policy and authorities, no templates, and no
// schedule to collide with.
type Config struct {
	itsm.Config

	// Lifecycle is the host's own; nil means [DefaultLifecycle].
	Lifecycle *itsm.Lifecycle
	// Actions holds a value of each action type of the host's own. Their names
	// must be in the Lifecycle.
	Actions []itsm.Action[Change]
	// Models are the ways to treat a change; none means [DefaultModels]. All
	// versions that open changes refer to have to be here.
	Models []Model
	// Templates are the standard changes, in every version to which open changes
	// refer.
	Templates []Template
	// Risk says how risks are assessed; zero means [DefaultRiskPolicy].
	Risk RiskPolicy
	// Authorities say who authorizes what; zero means [DefaultAuthorityPolicy].
	Authorities AuthorityPolicy
	// People says who has a role, is computed, or has a duty in a change, where
	// an authority's policy asks for it; who authored a change, implements it and
	// asked for its approval the practice knows itself. A name that it does not
	// know is an error. Nil knows nobody.
	People func(ctx context.Context, r Change, kind approval.Kind, name string) ([]string, error)
	// Criticality says how critical a service is: "low", "medium", "high",
	// "critical", or "" if that is not known. Nil knows none.
	Criticality func(service string) string
	// Schedule finds what a planned time collides with; nil means that nothing
	// does. See [Calendar].
	Schedule ConflictFinder
	// History knows how such changes went before; nil knows nothing, so that no
	// template loses its standing. See [Results].
	History History
	// Views are kept up to date with every change after it is committed here. What
	// other hosts commit, they learn by [Practice.CatchUp].
	Views []View
	// Agreements say what is promised about changes; nil means nothing. Conditions
	// may ask for the facts of a [RiskPolicy], and for state, hold (the reason),
	// group, person, risk, approval (the outcome), authority, outcome, action (the
	// name of what was just done), and start, end (the window) and ended as times.
	Agreements *sla.Book

	levels    slm.Levels[Change]
	models    map[string]Model
	templates map[string]Template
}

// A View is something that is made from the records of changes and follows them.
// [Calendar] and [Results] are views. Put may come for the same version more than
// once and late, and must be safe for concurrent use; it does not keep the record.
type View interface {
	Put(r Change)
}

// A Practice is change enablement: it gets as many changes as possible to succeed.
// It is safe for concurrent use. Beside what stands here it has every call of
// [itsm.Practice]: Do, Get, Check, WhyNot, History, At, Decode, List, RunDue and so
// on.
type Practice struct {
	*itsm.Practice[Change]
	cfg Config
}

// NewPractice returns the practice over a store. It returns an [itsm.ErrInvalid]
// with every finding if the host's lifecycle, actions, models, templates and
// policies do not fit together: each model is proved as a lifecycle of its own.
func NewPractice(store itsm.Store[Change], cfg Config) (*Practice, error) {
	if cfg.Lifecycle == nil {
		cfg.Lifecycle = DefaultLifecycle()
	}
	if len(cfg.Models) == 0 {
		cfg.Models = DefaultModels()
	}
	if cfg.Risk.Name == "" && len(cfg.Risk.Levels) == 0 {
		cfg.Risk = DefaultRiskPolicy()
	}
	if len(cfg.Authorities.Authorities) == 0 && len(cfg.Authorities.Rules) == 0 {
		cfg.Authorities = DefaultAuthorityPolicy()
	}
	lifecycle, err := cfg.Lifecycle.With(slm.Permit)
	if err != nil {
		return nil, err
	}
	cfg.Lifecycle = lifecycle
	if err := cfg.check(); err != nil {
		return nil, err
	}
	cfg.levels = cfg.join()
	var kernel *itsm.Practice[Change]
	if len(cfg.Views) > 0 {
		cfg.Notify = cfg.show(cfg.Notify, func() *itsm.Practice[Change] { return kernel })
	}
	kernel, err = itsm.NewPractice(itsm.Definition[Change]{
		Prefix:    "chg",
		Lifecycle: lifecycle,
		Actions:   slices.Concat(actions(), cfg.Actions),
		Derived:   slices.Concat(derived(), slm.Derived[Change]()),
		Next:      cfg.next,
		Prepare:   cfg.prepare,
		Follow:    cfg.levels.Follow,
	}, store, cfg.Config)
	if err != nil {
		return nil, err
	}
	return &Practice{kernel, cfg}, nil
}

// check verifies models, templates and policies, and makes them easy to find.
func (cfg *Config) check() error {
	var v itsm.Validation
	cfg.models = map[string]Model{}
	newest := func(ref string, version int, have int, ok bool) bool { return !ok || have < version }
	for i, m := range cfg.Models {
		path := fmt.Sprintf("models[%d]", i)
		_, err := m.Lifecycle(cfg.Lifecycle)
		v.Add(itsm.Under(path, err))
		for _, from := range []itsm.State{Draft, Planning, Authorize} {
			v.Check(m.Afterwards || !m.permits(from, Implement), path+".steps."+string(from), "leads to implement before anybody has decided; that needs afterwards")
		}
		_, twice := cfg.models[m.Ref()]
		v.Check(!twice, path, fmt.Sprintf("%s is there twice", m.Ref()))
		cfg.models[m.Ref()] = m
		if have, ok := cfg.models[m.Name]; newest(m.Name, m.Version, have.Version, ok) {
			cfg.models[m.Name] = m
		}
	}
	cfg.templates = map[string]Template{}
	for i, t := range cfg.Templates {
		path := fmt.Sprintf("templates[%d]", i)
		v.Add(itsm.Under(path, t.Validate()))
		if t.Model != "" {
			_, ok := cfg.models[t.Model]
			v.Check(ok, path+".model", fmt.Sprintf("%q is not among the models", t.Model))
		}
		_, twice := cfg.templates[t.Ref()]
		v.Check(!twice, path, fmt.Sprintf("%s is there twice", t.Ref()))
		cfg.templates[t.Ref()] = t
		if have, ok := cfg.templates[t.Name]; newest(t.Name, t.Version, have.Version, ok) {
			cfg.templates[t.Name] = t
		}
	}
	v.Add(itsm.Under("risk", cfg.Risk.Validate()))
	v.Add(itsm.Under("authorities", cfg.Authorities.Validate()))
	return v.Err()
}

// show brings the views up to date with what was committed.
func (cfg Config) show(notify func(context.Context, []itsm.Event), kernel func() *itsm.Practice[Change]) func(context.Context, []itsm.Event) {
	views := cfg.Views
	return func(ctx context.Context, events []itsm.Event) {
		var done []itsm.ID
		for _, e := range events {
			if slices.Contains(done, e.Record) {
				continue
			}
			done = append(done, e.Record)
			// It is committed, whatever has become of the caller; and what cannot
			// be read now is caught up with later.
			if r, err := kernel().Get(context.WithoutCancel(ctx), e.Record); err == nil {
				for _, view := range views {
					view.Put(r)
				}
			}
		}
		if notify != nil {
			notify(ctx, events)
		}
	}
}

// CatchUp brings the views ([Config].Views) up to date with what was committed
// after a cursor, here or on another host, and returns the cursor up to which they
// are. A host does so with an empty cursor when it begins, and now and then. It
// returns [itsm.ErrUnsupported] if the store is no [itsm.Feeder].
func (p *Practice) CatchUp(ctx context.Context, after itsm.Cursor) (itsm.Cursor, error) {
	var changed []itsm.ID
	known := map[itsm.ID]bool{}
	last := after
	for news, err := range p.Feed(ctx, after) {
		if err != nil {
			return after, err
		}
		last = news.Cursor
		if !known[news.Event.Record] {
			known[news.Event.Record] = true
			changed = append(changed, news.Event.Record)
		}
	}
	for _, id := range changed {
		r, err := p.Get(ctx, id)
		if err != nil {
			return after, err
		}
		for _, view := range p.cfg.Views {
			view.Put(r)
		}
	}
	return last, nil
}

// Over returns the same practice over another store, such as one bound to a
// transaction of the host's. Views learn of what is done there by
// [Practice.CatchUp].
func (p *Practice) Over(store itsm.Store[Change]) *Practice {
	return &Practice{p.Practice.Over(store), p.cfg}
}

// actions lists the practice's actions in the order of a change's life.
func actions() []itsm.Action[Change] {
	return []itsm.Action[Change]{
		Propose{}, Describe{}, Classify{}, SetModel{},
		Submit{}, AssessRisk{}, OverrideRisk{},
		StartPlanning{}, SetPlan{}, SetTasks{}, SetWindow{}, AcceptConflicts{}, Revise{},
		RequestApproval{}, Vote{}, Delegate{}, Reject{},
		Schedule{}, Assign{}, Start{}, Expedite{}, StartTask{}, CompleteTask{}, StartTesting{}, RecordValidation{},
		Rework{}, Postpone{}, StartBackOut{}, CompleteBackOut{}, Complete{}, RecordUnauthorized{},
		PutOnHold{}, Resume{}, Note{}, Link{}, Unlink{}, SetFields{},
		StartReview{}, AddActionItem{}, CompleteActionItem{}, CompleteReview{}, RecordRecovery{}, Close{}, Cancel{}, Rate{},
	}
}

// derived lists what only the practice itself does.
func derived() []itsm.Action[Change] {
	return []itsm.Action[Change]{
		Approve{}, Disapprove{}, ExpireApproval{}, Reconsider{}, CountVotes{}, AutoResume{}, EndWindow{}, MissReview{},
	}
}

// Open writes a change down. It is Create with the type that it takes.
func (p *Practice) Open(ctx context.Context, proposal Propose) (Change, error) {
	return p.Create(ctx, proposal)
}

// Model returns the model by which a change is treated, and whether it is there.
func (p *Practice) Model(r Change) (Model, bool) {
	m, ok := p.cfg.models[r.Model]
	return m, ok
}

// Standing says why no standard change may be scheduled from a template now, or
// nil; it is [Template.Standing] with what the history knows. It returns an
// [itsm.ErrInvalid] if there is no such template.
func (p *Practice) Standing(ctx context.Context, template string) error {
	return p.cfg.standing(ctx, template)
}

// An Entry of the journal is something that was said about a change.
type Entry struct {
	At    time.Time
	Actor itsm.Actor
	Text  string
}

// Journal yields what was said about a change in notes, oldest first. It reads the
// history; an error ends the sequence.
func (p *Practice) Journal(ctx context.Context, id itsm.ID) iter.Seq2[Entry, error] {
	return itsm.Told(ctx, p.Practice, id, func(e itsm.Event, a itsm.Action[Change]) (Entry, bool) {
		note, ok := a.(Note)
		return Entry{e.At, e.Actor, note.Text}, ok
	}, Note{}.Action())
}

// next says what time brings: the end of a hold, of a window, of a vote, of the
// time for a review, a threshold of an agreement.
func (cfg Config) next(r *Change) (time.Time, itsm.Action[Change]) {
	first := itsm.Earliest[Change]{Lifecycle: cfg.Lifecycle, State: r.State}
	first.Take(r.Approval.Next, CountVotes{Due: r.Approval.Next})
	first.Take(r.Hold.Until, AutoResume{})
	if !r.WindowEnded {
		first.Take(r.Window.End, EndWindow{Due: r.Window.End})
	}
	if r.Review.Completed.IsZero() && !r.Review.Overdue {
		first.Take(r.Review.Due, MissReview{Due: r.Review.Due})
	}
	first.Take(cfg.levels.Next(r))
	return first.Due, first.Action
}

// prepare resolves the host's configuration into an action, and holds a change to
// its model.
func (cfg Config) prepare(ctx context.Context, tx *itsm.Tx[Change], r *Change, action itsm.Action[Change]) (itsm.Action[Change], error) {
	if a, ok := action.(Propose); ok {
		return cfg.propose(a)
	}
	m, known := cfg.models[r.Model]
	if !known {
		return nil, itsm.Refuse("its model %s is not among the host's any more", r.Model)
	}
	now := tx.Moment()
	var v itsm.Validation
	// What the window collides with is found anew whenever it matters.
	seen := gate{window: r.Window, outcome: r.Outcome}
	items := r.Items()
	switch a := action.(type) {
	case SetWindow:
		seen.window = a.Span
	case Schedule:
		seen.window = a.window(r)
	case Classify:
		items = (&Change{Services: a.Services, CIs: a.CIs}).Items()
	case Close:
		seen.outcome, seen.closing = a.outcome(r), true
	}
	switch action.(type) {
	case SetWindow, Schedule, Classify, AcceptConflicts, RequestApproval, Start, Expedite:
		if cfg.Schedule != nil && seen.window.Start.Before(seen.window.End) {
			p := r.AsPlanned()
			p.Span, p.Items = seen.window, items
			all, err := cfg.Schedule.Conflicts(ctx, p)
			if err != nil {
				return nil, err
			}
			seen.conflicts = all[:min(len(all), maxConflicts)]
		}
	}
	to, _ := cfg.Lifecycle.Can(r.State, action.Action())
	switch action.(type) {
	case Approve, Disapprove, ExpireApproval, Reconsider:
		// They follow from votes and time, which nobody holds up.
	default:
		if to != r.State {
			v.Rule(m.permits(r.State, to), fmt.Sprintf("the model %s leads from %s to %s, not to %s", m.Ref(), r.State, list(m.Steps[r.State]), to))
			_, cancel := action.(Cancel)
			v.Rule(!r.onHold() || cancel, "it is on hold")
			need, err := cfg.require(ctx, m, r, to, seen, now.At)
			if err != nil {
				return nil, err
			}
			v.Add(need)
		}
	}
	action, err := cfg.resolve(ctx, r, action, m, seen, now)
	if err != nil && !errors.Is(err, itsm.ErrInvalid) && !errors.Is(err, itsm.ErrNotAllowed) {
		return nil, err
	}
	v.Add(err)
	return action, v.Err()
}

// resolve fills in what an action takes from the host.
func (cfg Config) resolve(ctx context.Context, r *Change, action itsm.Action[Change], m Model, seen gate, now itsm.Moment) (itsm.Action[Change], error) {
	switch a := action.(type) {
	case SetModel:
		to, ok := cfg.models[a.Model]
		if !ok {
			return a, &itsm.FieldError{Field: "model", Reason: fmt.Sprintf("%q is not among the models", a.Model)}
		}
		a.Model, a.Type = to.Ref(), to.Type
		return a, nil
	case Classify:
		a.Conflicts = seen.conflicts
		return a, nil
	case AssessRisk:
		f, err := cfg.known(ctx, r)
		if err != nil {
			return a, err
		}
		a.Risk, err = cfg.Risk.Assess(f, a.Answers)
		return a, err
	case SetWindow:
		a.Conflicts = seen.conflicts
		var v itsm.Validation
		if r.State == Scheduled {
			v.Add(refuseConflicts(r.obstacles(seen.conflicts)))
		}
		return a, v.Err()
	case AcceptConflicts:
		a.Conflicts = seen.conflicts
		return a, nil
	case Schedule:
		a.Conflicts = seen.conflicts
		return a, nil
	case Start:
		a.Conflicts = seen.conflicts
		return a, nil
	case RequestApproval:
		var err error
		a.Conflicts = seen.conflicts
		a.Poll, err = cfg.poll(ctx, r, a.Approvers, now)
		return a, err
	case Expedite:
		var err error
		a.Conflicts, a.Poll = seen.conflicts, Poll{}
		if r.State != Authorize {
			a.Poll, err = cfg.poll(ctx, r, a.Approvers, now)
		}
		return a, err
	case Vote:
		if a.Validate() != nil || r.votes() != nil {
			return a, nil // which say so themselves
		}
		var err error
		a.Standing, err = approval.StandWith(r.Approval.Electorate, r.Approval.Ballots, a.ballot(r.Approval, now))
		return a, err
	case Delegate:
		if r.votes() != nil {
			return a, nil
		}
		e := r.Approval.Electorate
		e.Delegations = append(slices.Clip(e.Delegations), a.delegation(now))
		if err := e.Validate(); err != nil {
			return a, itsm.Under("to", err)
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
	case Complete:
		a.ReviewDue = m.reviewDue(r, a.Outcome, now.At)
		return a, nil
	case CompleteBackOut:
		a.ReviewDue = m.reviewDue(r, BackedOut, now.At)
		return a, nil
	case RecordUnauthorized:
		a.ReviewDue = m.reviewDue(r, a.Outcome, now.At)
		return a, nil
	case PassThreshold:
		return cfg.levels.Prepare(ctx, nil, r, a)
	}
	return nil, nil // nothing to resolve
}

// reviewDue says until when a change has to be reviewed, if it has to.
func (m Model) reviewDue(r *Change, outcome Outcome, now time.Time) time.Time {
	then := *r
	then.Outcome = outcome
	if m.ReviewWithin == 0 || len(m.ReviewNeeded(then)) == 0 {
		return time.Time{}
	}
	return now.Add(m.ReviewWithin)
}

// propose resolves model and template.
func (cfg Config) propose(a Propose) (itsm.Action[Change], error) {
	var v itsm.Validation
	a.Plan, a.Tasks, a.Risk, a.Type = Plan{}, nil, Risk{}, ""
	model := a.Model
	if a.Template != "" {
		t, ok := cfg.templates[a.Template]
		v.Check(ok, "template", fmt.Sprintf("%q is not among the templates", a.Template))
		if ok {
			a.Template, a.Plan, a.Tasks = t.Ref(), t.Plan, slices.Clone(t.Tasks)
			a.Risk = Risk{Level: t.Risk, Policy: "template " + t.Ref(), By: t.By, At: t.Approved}
			if len(a.Services)+len(a.CIs) == 0 {
				a.Services, a.CIs = slices.Clone(t.Services), slices.Clone(t.CIs)
			}
			if a.Category == "" {
				a.Category = t.Category
			}
			if model == "" {
				model = t.Model
			}
			if model == "" {
				model = ModelStandard
			}
		}
	}
	if model == "" {
		model = ModelNormal
	}
	m, ok := cfg.models[model]
	v.Check(ok, "model", fmt.Sprintf("%q is not among the models", model))
	a.Model, a.Type = m.Ref(), m.Type
	return a, v.Err()
}

// poll finds the authority of a change and opens its vote.
func (cfg Config) poll(ctx context.Context, r *Change, approvers []string, now itsm.Moment) (Poll, error) {
	f, err := cfg.known(ctx, r)
	if err != nil {
		return Poll{}, err
	}
	who, ok := cfg.Authorities.For(f)
	if !ok {
		return Poll{}, itsm.Refuse("no authority decides about it")
	}
	p := Poll{Authority: who.Name, Kind: who.Kind}
	nobody := func() error {
		var v itsm.Validation
		v.Check(len(approvers) == 0, "approvers", fmt.Sprintf("must be empty: who votes is settled for the authority %q", who.Name))
		return v.Err()
	}
	if who.Kind == Automation {
		p.Standing = approval.Standing{Outcome: approval.Approved, At: now.At}
		return p, nobody()
	}
	policy := who.Policy
	if len(policy.Rule.Of) > 0 {
		if err := nobody(); err != nil {
			return p, err
		}
	} else {
		if len(approvers) == 0 {
			return p, &itsm.FieldError{Field: "approvers", Reason: fmt.Sprintf("must be given: the authority %q is whom you name", who.Name)}
		}
		policy.Rule.Of = approval.Persons(approvers...)
	}
	p.Electorate, err = approval.Resolve(policy, now.At, cfg.people(ctx, r, now.Actor))
	if err != nil {
		return p, itsm.Under("approvers", err)
	}
	p.Standing, err = approval.Stand(p.Electorate, nil, now.At)
	return p, itsm.Under("approval", err)
}

// people answers who has a duty in a change, and asks the host for everything else.
func (cfg Config) people(ctx context.Context, r *Change, requester itsm.Actor) approval.Resolver {
	return func(kind approval.Kind, name string) ([]string, error) {
		if kind == approval.Duty {
			switch name {
			case DutyAuthor:
				return some(r.Initiator, r.Author), nil
			case DutyImplementer:
				return some(r.Assignment.Person), nil
			case DutyRequester:
				return some(requester.ID), nil
			}
		}
		if cfg.People == nil {
			return nil, itsm.Refuse("nobody knows the %s %q: the host has to say who that is", kind, name)
		}
		return cfg.People(ctx, *r, kind, name)
	}
}

// some lists the names that are there, each once.
func some(names ...string) []string {
	var all []string
	for _, name := range names {
		if name != "" && !slices.Contains(all, name) {
			all = append(all, name)
		}
	}
	return all
}

// standing says what speaks against a template now.
func (cfg Config) standing(ctx context.Context, name string) error {
	t, ok := cfg.templates[name]
	if !ok {
		return &itsm.FieldError{Field: "template", Reason: fmt.Sprintf("%q is not among the templates", name)}
	}
	var track Track
	if cfg.History != nil {
		var err error
		if track, err = cfg.History.Track(ctx, itsm.Key{Field: "template", Value: t.Ref()}); err != nil {
			return err
		}
	}
	return t.Standing(track)
}

// A gate is what a change is looked at with before it may pass, beside its record:
// what the action brings and what was found out.
type gate struct {
	window    Span
	outcome   Outcome
	closing   bool // by an action that may say the outcome
	conflicts []Conflict
}

func refuseConflicts(open []Conflict) error {
	var v itsm.Validation
	for _, c := range open {
		v.Rule(false, "it collides: "+c.String())
	}
	return v.Err()
}

// require says what is missing for a change to enter a state.
func (cfg Config) require(ctx context.Context, m Model, r *Change, to itsm.State, seen gate, now time.Time) (missing, failed error) {
	var v itsm.Validation
	for _, need := range m.Require[to] {
		switch need {
		case NeedRisk:
			v.Rule(r.Risk.Level != "", "its risk is not assessed")
		case NeedLowRisk:
			v.Rule(r.Risk.Level != "", "its risk is not assessed")
			v.Rule(r.Risk.Level == "" || r.Risk.Level.AtMost(m.MaxRisk), fmt.Sprintf("its risk is %s, and may be %s at most", r.Risk.Level, m.MaxRisk))
		case NeedPlan:
			v.Rule(r.Plan.Implementation != "", "it has no plan")
		case NeedBackOutPlan:
			v.Rule(r.Plan.BackOut != "", "it has no back-out plan")
		case NeedTestPlan:
			v.Rule(r.Plan.Test != "", "it has no test plan")
		case NeedWindow:
			v.Rule(seen.window != Span{}, "it has no planned time")
			v.Rule(seen.window == Span{} || r.Plan.BackOutTime <= seen.window.Length(), fmt.Sprintf("its planned time is shorter than the %s that backing out takes", r.Plan.BackOutTime))
		case NeedNoConflict:
			v.Add(refuseConflicts(r.obstacles(seen.conflicts)))
		case NeedInWindow:
			v.Rule(!now.Before(seen.window.Start) && now.Before(seen.window.End), "its planned time is "+seen.window.String())
		case NeedApproval:
			v.Rule(r.Approval.Given(), "it is not authorized")
		case NeedDecision:
			v.Rule(r.State == Rejected || r.Approval.Outcome != approval.Open, "its authority has not decided yet")
			v.Rule(!r.Approval.Retrospective || r.Approval.Outcome != approval.Expired, "its authority did not decide in time, and has to be asked again")
		case NeedTemplate:
			if r.Template == "" {
				v.Rule(false, "it was not made from a template")
				continue
			}
			err := cfg.standing(ctx, r.Template)
			if err != nil && !errors.Is(err, itsm.ErrNotAllowed) && !errors.Is(err, itsm.ErrInvalid) {
				return nil, err
			}
			for _, f := range itsm.Findings(err) {
				v.Rule(false, f.Error())
			}
		case NeedTasks:
			for _, t := range r.Tasks {
				v.Rule(t.over() || t.Kind == BackOutTask || t.Kind == ReviewTask, fmt.Sprintf("task %q is %s", t.Key, t.State))
			}
		case NeedValidation:
			v.Rule(!r.Validation.At.IsZero(), "nobody said whether it works")
		case NeedOutcome:
			if seen.closing {
				v.Check(seen.outcome != "", "outcome", "must not be empty, because nobody said it before")
			} else {
				v.Rule(seen.outcome != "", "it has no outcome")
			}
		case NeedReview:
			then := *r
			then.Outcome = seen.outcome
			if why := m.ReviewNeeded(then); len(why) > 0 && r.State != Rejected {
				v.Rule(!r.Review.Completed.IsZero(), "it has to be reviewed: "+list(why))
			}
		}
	}
	return v.Err(), nil
}

// list writes names one after the other.
func list[S ~string](names []S) string {
	if len(names) == 0 {
		return "nothing"
	}
	var b strings.Builder
	for i, name := range names {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(string(name))
	}
	return b.String()
}
