package problem

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/go-itsm/itsm"
)

// KnownErrorConfig is what a host decides for its known errors. The zero value is ready.
type KnownErrorConfig struct {
	itsm.Config

	// Lifecycle is the host's own; nil means [DefaultKnownErrorLifecycle].
	Lifecycle *itsm.Lifecycle
	// Actions holds a value of each action type of the host's own. Their names must be
	// in the Lifecycle.
	Actions []itsm.Action[KnownError]
	// Views are kept up to date with every known error after it is committed here. What
	// other hosts commit, they learn by [KnownErrors.CatchUp].
	Views []View[KnownError]
}

// KnownErrors is the practice that keeps known errors: the known error database. It is
// safe for concurrent use. Beside what stands here it has every call of
// [itsm.Practice].
type KnownErrors struct {
	*itsm.Practice[KnownError]
	cfg KnownErrorConfig
}

// NewKnownErrors returns the practice over a store. It returns an [itsm.ErrInvalid] with
// every finding if the host's lifecycle and actions do not fit together.
func NewKnownErrors(store itsm.Store[KnownError], cfg KnownErrorConfig) (*KnownErrors, error) {
	if cfg.Lifecycle == nil {
		cfg.Lifecycle = DefaultKnownErrorLifecycle()
	}
	var kernel *itsm.Practice[KnownError]
	if len(cfg.Views) > 0 {
		cfg.Notify = also(cfg.Notify, func(ctx context.Context, events []itsm.Event) {
			_ = show(ctx, kernel, cfg.Views, events) // what cannot be read now is caught up with
		})
	}
	kernel, err := itsm.NewPractice(itsm.Definition[KnownError]{
		Prefix:    "ke",
		Lifecycle: cfg.Lifecycle,
		Actions:   slices.Concat(knownErrorActions(), cfg.Actions),
		Derived:   []itsm.Action[KnownError]{CallReview{}},
		Next:      cfg.next,
		Prepare:   unfollowed,
	}, store, cfg.Config)
	if err != nil {
		return nil, err
	}
	return &KnownErrors{kernel, cfg}, nil
}

// Over returns the same practice over another store, such as one bound to a
// transaction of the host's. Views learn of what is done there by
// [KnownErrors.CatchUp].
func (k *KnownErrors) Over(store itsm.Store[KnownError]) *KnownErrors {
	return &KnownErrors{k.Practice.Over(store), k.cfg}
}

// knownErrorActions lists the actions in the order of a known error's life.
func knownErrorActions() []itsm.Action[KnownError] {
	return []itsm.Action[KnownError]{
		Document{}, DescribeKnownError{}, SetCause{}, SetAffected{}, SetProblem{}, SetOwner{},
		AddWorkaround{}, ReviseWorkaround{}, RetireWorkaround{}, Publish{}, Retract{}, RecordUse{},
		ScheduleFix{}, HandToVendor{}, PlanNoAction{}, Reconsider{}, SetReview{},
		Correct{}, Recur{}, CloseKnownError{}, CancelKnownError{},
		NoteKnownError{}, KnownErrorLink{}, KnownErrorUnlink{}, KnownErrorFields{},
	}
}

// Open writes a known error down. It is Create with the type that it takes.
func (k *KnownErrors) Open(ctx context.Context, d Document) (KnownError, error) {
	return k.Create(ctx, d)
}

// Of yields the known errors of a problem. It returns [itsm.ErrUnsupported] if the store
// is no [itsm.Lister]; an error ends the sequence.
func (k *KnownErrors) Of(ctx context.Context, problem itsm.ID) iter.Seq2[KnownError, error] {
	return k.All(ctx, itsm.Query{Where: []itsm.Key{{Field: "problem", Value: string(problem)}}})
}

// next says when it has to be looked at again.
func (cfg KnownErrorConfig) next(r *KnownError) (time.Time, itsm.Action[KnownError]) {
	if _, ok := cfg.Lifecycle.Can(r.State, CallReview{}.Action()); !ok || r.Review.IsZero() || r.ReviewDue {
		return time.Time{}, nil
	}
	return r.Review, CallReview{Due: r.Review}
}

// following marks the context of what follows from a problem.
type following struct{}

// unfollowed keeps actors from saying that something follows from a problem.
func unfollowed(ctx context.Context, _ *itsm.Tx[KnownError], _ *KnownError, action itsm.Action[KnownError]) (itsm.Action[KnownError], error) {
	if ctx.Value(following{}) != nil {
		return nil, nil
	}
	switch a := action.(type) {
	case ScheduleFix:
		a.Followed = 0
		return a, nil
	case PlanNoAction:
		a.Followed = 0
		return a, nil
	case Reconsider:
		a.Followed = 0
		return a, nil
	case Correct:
		a.Followed = 0
		return a, nil
	case Recur:
		a.Followed = 0
		return a, nil
	case CloseKnownError:
		a.Followed = 0
		return a, nil
	}
	return nil, nil
}

// leads reports whether something may follow for known errors from what was done to a
// problem.
func leads(action string) bool {
	switch action {
	case "start_fix", "resume_fix", "stop_fix", "start_assessment", "investigate", "identify", "accept_risk", "withdraw_acceptance", "lapse_acceptance",
		"resolve", "close", "end_observation", "reject_fix", "reopen", "absorb":
		return true
	}
	return false
}

// follow says what follows for a known error from what was done to its problem: the
// problem as it was then, and the name of the action. It is pure.
func follow(p *Problem, action string, version itsm.Version, k *KnownError) []itsm.Action[KnownError] {
	why := fmt.Sprintf("problem %s: %s", p.ID, action)
	all := func(actions ...itsm.Action[KnownError]) []itsm.Action[KnownError] { return actions }
	schedule := ScheduleFix{Change: p.Fix.Change, Followed: version}
	nothing := PlanNoAction{Reason: p.Acceptance.Reason, Review: p.Acceptance.Review, Followed: version}
	removed := k.State == Corrected || k.State == KnownErrorClosed
	switch action {
	case "start_fix", "resume_fix":
		return all(schedule)
	case "accept_risk":
		return all(nothing)
	case "withdraw_acceptance":
		if k.State == NoActionPlanned {
			return all(Reconsider{why, version})
		}
	case "stop_fix", "start_assessment", "investigate", "identify":
		if k.State == FixScheduled && p.Fix == (Fix{}) {
			return all(Reconsider{why, version})
		}
	case "reject_fix":
		if removed {
			return all(Recur{why, version}, schedule)
		}
		return all(schedule)
	case "lapse_acceptance", "reopen":
		switch {
		case k.State == NoActionPlanned:
			return all(Reconsider{why, version})
		case removed:
			return all(Recur{why, version})
		}
	case "resolve", "close", "end_observation":
		note := cmp.Or(p.Resolution.Note, why)
		switch code := p.Resolution.Code; {
		case code.Accepts() && k.State != NoActionPlanned:
			return all(nothing)
		case code == NoLongerRelevant:
			return all(CloseKnownError{note, version})
		case code.Fixes() && action == "resolve":
			return all(Correct{note, version})
		case code.Fixes() && k.State == Corrected:
			return all(CloseKnownError{Followed: version})
		case code.Fixes():
			return all(Correct{note, version}, CloseKnownError{Followed: version})
		}
	}
	return nil
}

// Follow does to the known errors of a problem what follows from an event of the
// problem, which is given as it was after the event, or after all that was committed with
// it: a fix that is begun is scheduled, one that is applied corrects them, one that did
// not hold brings them back; what is accepted has no action planned; and those of a
// problem that was merged belong to the other one from then on. It is done by the event's
// actor. What they have followed they do not follow again, so it may be called for the
// same event as often as one likes, on as many hosts; each known error is a commit of its
// own. [KnownErrorConfig].Authorize is asked about it as about anything else.
//
// A problem and its known errors are in two stores. Where both are bound to one
// transaction of the host's ([Practice.Over], [KnownErrors.Over]) they change together;
// elsewhere the known errors follow a little later ([Config].KnownErrors,
// [Practice.CatchUp]).
//
// It returns [itsm.ErrUnsupported] if the store is no [itsm.Lister].
func (k *KnownErrors) Follow(ctx context.Context, p Problem, e itsm.Event) error {
	return k.follow(ctx, e, func() (Problem, bool, error) { return p, true, nil })
}

// follow is Follow for a problem that is read only if there is somebody to follow it. It
// says whether the event has happened at all.
func (k *KnownErrors) follow(ctx context.Context, e itsm.Event, read func() (Problem, bool, error)) error {
	if !leads(e.Action) {
		return nil
	}
	of := e.Record
	if e.Action == (Absorb{}).Action() {
		var a Absorb
		if err := json.Unmarshal(e.Data, &a); err != nil {
			return &itsm.FieldError{Field: "data", Reason: err.Error()}
		}
		of = a.From
	}
	var all []itsm.ID
	for one, err := range k.Of(ctx, of) {
		if err != nil {
			return err
		}
		if of != e.Record || one.Followed < e.Version {
			all = append(all, one.ID)
		}
	}
	if len(all) == 0 {
		return nil
	}
	p, happened, err := read()
	if err != nil || !happened {
		return err
	}
	ctx = context.WithValue(itsm.WithActor(ctx, e.Actor), following{}, true)
	for _, id := range all {
		err := k.Update(ctx, func(tx *itsm.Tx[KnownError]) error {
			r, err := tx.Get(id)
			if err != nil || r.Problem != of {
				return err // somebody was faster
			}
			if of != e.Record {
				_, err := tx.Do(id, SetProblem{Problem: e.Record, Followed: e.Version})
				return err
			}
			if r.Followed >= e.Version {
				return nil
			}
			for _, a := range follow(&p, e.Action, e.Version, &r) {
				if _, ok := k.Lifecycle().Can(r.State, a.Action()); !ok {
					return nil // people have moved it elsewhere
				}
				if r, err = tx.Do(id, a); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// CatchUp brings the views ([KnownErrorConfig].Views) up to date with what was committed
// after a cursor, here or on another host, and returns the cursor up to which they are.
// A host does so with an empty cursor when it begins, and now and then. It returns
// [itsm.ErrUnsupported] if the store is no [itsm.Feeder].
func (k *KnownErrors) CatchUp(ctx context.Context, after itsm.Cursor) (itsm.Cursor, error) {
	var news []itsm.Event
	last := after
	for d, err := range k.Feed(ctx, after) {
		if err != nil {
			return after, err
		}
		news, last = append(news, d.Event), d.Cursor
	}
	if err := show(ctx, k.Practice, k.cfg.Views, news); err != nil {
		return after, err
	}
	return last, nil
}

// Journal yields what was said about a known error in notes, oldest first. It reads the
// history; an error ends the sequence.
func (k *KnownErrors) Journal(ctx context.Context, id itsm.ID) iter.Seq2[Entry, error] {
	return itsm.Told(ctx, k.Practice, id, func(e itsm.Event, a itsm.Action[KnownError]) (Entry, bool) {
		note, ok := a.(NoteKnownError)
		return Entry{e.At, e.Actor, note.Text}, ok
	}, NoteKnownError{}.Action())
}
