package problem

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/sla"
	"github.com/go-itsm/itsm/slm"
)

// Config is what a host decides for its problems. The zero value is ready: the default
// lifecycle and risk policy, and nothing promised.
type Config struct {
	itsm.Config

	// Lifecycle is the host's own; nil means [DefaultLifecycle].
	Lifecycle *itsm.Lifecycle
	// Actions holds a value of each action type of the host's own. Their names must be
	// in the Lifecycle.
	Actions []itsm.Action[Problem]
	// Risk says how problems are put in order; zero means [DefaultRiskPolicy].
	Risk RiskPolicy
	// Observation is how long a fix has to prove itself, unless [Monitor] says until
	// when; 0 means 14 days.
	Observation time.Duration
	// KnownErrors are those that follow what happens to their problems: a problem that
	// is fixed corrects them, one that comes back brings them back
	// ([KnownErrors.Follow]). They follow after each commit here; what was missed, they
	// follow by [Practice.CatchUp]. Nil means that none do.
	KnownErrors *KnownErrors
	// Views are kept up to date with every problem after it is committed here. What
	// other hosts commit, they learn by [Practice.CatchUp].
	Views []View[Problem]
	// Agreements say what is promised about problems; nil means nothing. Finishing
	// problem control and resolving are promised apart ([ControlMetric],
	// [ResolutionMetric]). Conditions may ask for state, phase, hold (the reason),
	// origin, priority ("1"), service (the first), category, symptom, group, person,
	// major ("yes"), control_ended (when it was), accepted and fix ("yes"), resolution
	// (the code), action (the name of what was just done), and the host's own fields by
	// their names.
	Agreements *sla.Book

	levels slm.Levels[Problem]
}

// defaultObservation is how long a fix has to prove itself where nobody says anything.
const defaultObservation = 14 * 24 * time.Hour

// A Practice is problem management: it finds what lies behind incidents, and removes
// it. It is safe for concurrent use. Beside what stands here it has every call of
// [itsm.Practice]: Do, Get, Check, WhyNot, History, At, Decode, List, RunDue and so on.
type Practice struct {
	*itsm.Practice[Problem]
	cfg Config
}

// NewPractice returns the practice over a store. It returns an [itsm.ErrInvalid] with
// every finding if the host's lifecycle, actions and policy do not fit together.
func NewPractice(store itsm.Store[Problem], cfg Config) (*Practice, error) {
	if cfg.Lifecycle == nil {
		cfg.Lifecycle = DefaultLifecycle()
	}
	if cfg.Risk.Name == "" && len(cfg.Risk.Bands) == 0 {
		cfg.Risk = DefaultRiskPolicy()
	}
	if cfg.Observation == 0 {
		cfg.Observation = defaultObservation
	}
	lifecycle, err := cfg.Lifecycle.With(slm.Permit)
	if err != nil {
		return nil, err
	}
	cfg.Lifecycle = lifecycle
	var v itsm.Validation
	v.Add(itsm.Under("risk", cfg.Risk.Validate()))
	v.Check(cfg.Observation > 0 && cfg.Observation <= maxTime, "observation", "must be positive and at most 100 years")
	if err := v.Err(); err != nil {
		return nil, err
	}
	cfg.levels = cfg.join()
	var kernel *itsm.Practice[Problem]
	if cfg.KnownErrors != nil || len(cfg.Views) > 0 {
		cfg.Notify = also(cfg.Notify, func(ctx context.Context, events []itsm.Event) {
			// What cannot be done now is caught up with.
			last := map[itsm.ID]itsm.Event{}
			for _, e := range events {
				last[e.Record] = e
			}
			for _, e := range events {
				_ = cfg.lead(ctx, kernel, e, last[e.Record])
			}
			_ = show(ctx, kernel, cfg.Views, events)
		})
	}
	kernel, err = itsm.NewPractice(itsm.Definition[Problem]{
		Prefix:    "prb",
		Lifecycle: lifecycle,
		Actions:   slices.Concat(actions(), cfg.Actions),
		Derived:   slices.Concat(derived(), slm.Derived[Problem]()),
		Next:      cfg.next,
		Prepare:   cfg.prepare,
		Follow:    cfg.levels.Follow,
		Cascade:   cascade,
	}, store, cfg.Config)
	if err != nil {
		return nil, err
	}
	return &Practice{kernel, cfg}, nil
}

// Over returns the same practice over another store, such as one bound to a transaction
// of the host's. Known errors and views learn of what is done there by
// [Practice.CatchUp]; to let known errors follow in the same transaction, the host calls
// [KnownErrors.Follow] in it, over their store in that transaction.
func (p *Practice) Over(store itsm.Store[Problem]) *Practice {
	return &Practice{p.Practice.Over(store), p.cfg}
}

// actions lists the practice's actions in the order of a problem's life.
func actions() []itsm.Action[Problem] {
	return []itsm.Action[Problem]{
		Register{}, Describe{}, Classify{}, AssessRisk{}, OverridePriority{}, RecordCost{}, DeclareMajor{}, DemoteMajor{},
		Assign{}, StartAssessment{}, Requeue{},
		Investigate{}, Analyse{}, AddTask{}, EndTask{}, Identify{},
		StartFix{}, StopFix{}, PutOnHold{}, Resume{}, AcceptRisk{}, WithdrawAcceptance{},
		Resolve{}, Monitor{}, RejectFix{}, Reopen{}, Close{}, Cancel{}, Merge{},
		Note{}, Link{}, Unlink{}, SetFields{},
		StartReview{}, AddActionItem{}, CompleteActionItem{}, CompleteReview{},
	}
}

// derived lists what only the practice itself does.
func derived() []itsm.Action[Problem] {
	return []itsm.Action[Problem]{
		ResumeAssessment{}, ResumeIdentified{}, ResumeFix{}, LapseAcceptance{}, EndObservation{}, OutlastObservation{}, Absorb{},
	}
}

// Open registers a problem. It is Create with the type that it takes.
func (p *Practice) Open(ctx context.Context, problem Register) (Problem, error) {
	return p.Create(ctx, problem)
}

// Journal yields what was said about a problem in notes, oldest first. It reads the
// history; an error ends the sequence.
func (p *Practice) Journal(ctx context.Context, id itsm.ID) iter.Seq2[Entry, error] {
	return itsm.Told(ctx, p.Practice, id, func(e itsm.Event, a itsm.Action[Problem]) (Entry, bool) {
		note, ok := a.(Note)
		return Entry{e.At, e.Actor, note.Text}, ok
	}, Note{}.Action())
}

// next says what time brings: the end of a hold, of an observation, of an acceptance, a
// threshold of an agreement.
func (cfg Config) next(r *Problem) (time.Time, itsm.Action[Problem]) {
	first := itsm.Earliest[Problem]{Lifecycle: cfg.Lifecycle, State: r.State}
	first.Take(r.Hold.Until, Resume{})
	if r.Acceptance.Standing() {
		first.Take(r.Acceptance.Review, LapseAcceptance{Due: r.Acceptance.Review})
	}
	if until := r.Observation.Until; !r.Observation.Over {
		if r.closable(r.Resolution.Code) == nil {
			first.Take(until, EndObservation{Due: until})
		} else {
			first.Take(until, OutlastObservation{Due: until})
		}
	}
	first.Take(cfg.levels.Next(r))
	return first.Due, first.Action
}

// prepare resolves what depends on the host or on other problems into an action.
func (cfg Config) prepare(ctx context.Context, tx *itsm.Tx[Problem], r *Problem, action itsm.Action[Problem]) (itsm.Action[Problem], error) {
	switch a := action.(type) {
	case AssessRisk:
		if a.Validate() != nil {
			return nil, nil // which says so itself
		}
		a.Risk = cfg.Risk.Assess(a.Estimate)
		return a, nil
	case Monitor:
		if a.Until.IsZero() {
			a.Until = tx.Moment().At.Add(cfg.Observation)
		}
		return a, nil
	case Resume:
		a.ByTime = tx.Consequence()
		return resumed(r, a), nil
	case Merge:
		return nil, cfg.mergeable(tx, r, a.Into)
	case Link:
		return nil, ownRelation(tx, a.Rel)
	case Unlink:
		return nil, ownRelation(tx, a.Rel)
	case PassThreshold:
		return cfg.levels.Prepare(ctx, tx, r, a)
	}
	return nil, nil // nothing to resolve
}

// ownRelation refuses a relation that says what the practice has done.
func ownRelation(tx *itsm.Tx[Problem], rel string) error {
	if rel == MergedFrom && !tx.Consequence() {
		return &itsm.FieldError{Field: "rel", Reason: fmt.Sprintf("must not be %s, which only merging sets", rel)}
	}
	return nil
}

func (cfg Config) mergeable(tx *itsm.Tx[Problem], r *Problem, into itsm.ID) error {
	if into == "" || into == r.ID {
		return nil // Validate or Apply says so
	}
	target, err := tx.Get(into)
	switch {
	case errors.Is(err, itsm.ErrNotFound):
		return &itsm.FieldError{Field: "into", Reason: fmt.Sprintf("there is no problem %s", into)}
	case err != nil:
		return err
	}
	if _, ok := cfg.Lifecycle.Can(target.State, Absorb{}.Action()); !ok {
		return itsm.Refuse("%s is %s: the work must go on in an open problem", into, target.State)
	}
	return nil
}

// cascade does to other problems what follows from an action.
func cascade(_ context.Context, tx *itsm.Tx[Problem], r *Problem, action itsm.Action[Problem], _ itsm.Event) error {
	if a, ok := action.(Merge); ok {
		_, err := tx.Do(a.Into, Absorb{From: r.ID})
		return err
	}
	return nil
}

// lead lets the known errors follow an event, with which the events up to last were
// committed.
func (cfg Config) lead(ctx context.Context, p *itsm.Practice[Problem], e, last itsm.Event) error {
	if cfg.KnownErrors == nil {
		return nil
	}
	return cfg.KnownErrors.follow(ctx, e, func() (Problem, bool, error) {
		r, err := p.Get(ctx, e.Record)
		if err != nil || r.Version == last.Version && r.Changed.Equal(last.At) && r.State == last.To {
			return r, true, err
		}
		// More has happened since; or it has not happened here, but in a transaction of
		// the host's that may yet be rolled back.
		for past, err := range p.Walk(p.History(ctx, e.Record)) {
			if err != nil || past.Event.ID == e.ID {
				return past.Record, true, err
			}
		}
		return r, false, nil
	})
}

// CatchUp lets the known errors ([Config].KnownErrors) follow what was committed after a
// cursor, here or on another host, brings the views ([Config].Views) up to date with it,
// and returns the cursor up to which they are. What known errors followed before they do
// not follow again. A host does so with an empty cursor when it begins, and now and then.
// It returns [itsm.ErrUnsupported] if the store is no [itsm.Feeder], and an error of
// [KnownErrors.Follow] with the cursor before what failed.
func (p *Practice) CatchUp(ctx context.Context, after itsm.Cursor) (itsm.Cursor, error) {
	var news []itsm.Event
	last := after
	for d, err := range p.Feed(ctx, after) {
		if err != nil {
			return after, err
		}
		if err := p.cfg.lead(ctx, p.Practice, d.Event, d.Event); err != nil {
			return last, err
		}
		news, last = append(news, d.Event), d.Cursor
	}
	if err := show(ctx, p.Practice, p.cfg.Views, news); err != nil {
		return after, err
	}
	return last, nil
}
