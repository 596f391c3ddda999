package request

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/approval"
	"github.com/go-itsm/itsm/sla"
	"github.com/go-itsm/itsm/slm"
)

// Config is what a host decides for its requests. The zero value is ready: without a
// catalogue, every request is one that people see to; nothing closes by itself,
// and closed requests stay closed.
type Config struct {
	itsm.Config

	// Lifecycle is the host's own; nil means [DefaultLifecycle]. What time brings
	// and what runs by itself is permitted in the host's own states without
	// being asked for.
	Lifecycle *itsm.Lifecycle
	// Actions holds a value of each action type of the host's own. Their names
	// must be in the Lifecycle.
	Actions []itsm.Action[Request]
	// Catalogue is what can be ordered; nil means nothing. What was submitted
	// needs it no more, so it may change from one day to the next.
	Catalogue *Catalogue
	// Directory says what conditions of the catalogue may ask about a person, such
	// as their department; by names of the host's. An error of its is returned as
	// it is. Nil means that nothing is known of anybody.
	Directory func(ctx context.Context, person string) (sla.Facts, error)
	// Approvers says who has a role, who is computed, and who has a duty, for a
	// policy of the catalogue, when an approval is opened. The request has the
	// items that are to be approved; it is for reading, and only until Approvers
	// returns. The duties "requester" and "recipient" are known without it. Nil
	// means that policies can only name people.
	Approvers func(ctx context.Context, r Request, kind approval.Kind, name string) ([]string, error)
	// RollUp says what the outcomes of items mean for a request; the zero value
	// is [Taint].
	RollUp RollUpPolicy
	// AutoClose says when a fulfilled request closes by itself, given the request
	// as it was before and when it is fulfilled; the zero time means never. Nil
	// means that none ever does. See [After].
	AutoClose func(r Request, fulfilled time.Time) time.Time
	// ReopenWindow is for how long after closing a request can be reopened; 0
	// means not at all. A fulfilled one always can.
	ReopenWindow time.Duration
	// Agreements say what is promised about requests; nil means nothing. Their
	// clocks follow every action in the same commit ([Request].Targets), and what
	// their thresholds bring is done by the Runner. All versions that open
	// requests refer to have to be in the book.
	//
	// Conditions may ask for these facts of a request: state, hold (the reason),
	// requester, recipient, channel, group, person, completion, action (the name
	// of what was just done), reply ("staff" or "requester", when one has just
	// written to the other), submitted, approved, responded, started, fulfilled
	// and closed (when it was), of a request with one line or whose lines are
	// alike the offering, and of one whose items are alike the model and the
	// service, and the host's own fields by their names.
	Agreements *sla.Book
	// levels joins them to the practice, once that is made.
	levels slm.Levels[Request]
}

// After is an auto-close rule: so long after the fulfilment, by the clock on the
// wall.
func After(d time.Duration) func(Request, time.Time) time.Time {
	return func(_ Request, fulfilled time.Time) time.Time { return fulfilled.Add(d) }
}

// A Practice is service request management: it takes orders from a catalogue and
// delivers them as was agreed. It is safe for concurrent use. Beside what stands here
// it has every call of [itsm.Practice]: Do, Get, Check, WhyNot, History, At, Decode,
// List, RunDue and so on.
type Practice struct {
	*itsm.Practice[Request]
	cfg Config
}

// NewPractice returns the practice over a store. It returns an [itsm.ErrInvalid]
// with every finding if the host's lifecycle, actions and catalogue do not fit
// together. For each model it proves that the lifecycle without what the model does
// not have is still one: no trap, no state out of reach, and everything that is open
// can be cancelled.
func NewPractice(store itsm.Store[Request], cfg Config) (*Practice, error) {
	if cfg.Lifecycle == nil {
		cfg.Lifecycle = DefaultLifecycle()
	}
	lifecycle, err := cfg.check()
	if err != nil {
		return nil, err
	}
	cfg.Lifecycle = lifecycle
	cfg.levels = cfg.join()
	kernel, err := itsm.NewPractice(itsm.Definition[Request]{
		Prefix:    "req",
		Lifecycle: lifecycle,
		Actions:   slices.Concat(actions(), cfg.Actions),
		Derived:   slices.Concat(derived(), slm.Derived[Request]()),
		Next:      cfg.next,
		Prepare:   cfg.prepare,
		Follow:    cfg.follow,
	}, store, cfg.Config)
	if err != nil {
		return nil, err
	}
	return &Practice{kernel, cfg}, nil
}

// Over returns the same practice over another store, such as one bound to a
// transaction of the host's.
func (p *Practice) Over(store itsm.Store[Request]) *Practice {
	return &Practice{p.Practice.Over(store), p.cfg}
}

// check verifies the policies and the catalogue against the lifecycle, and returns
// the lifecycle with what the practice itself needs in it.
func (cfg Config) check() (*itsm.Lifecycle, error) {
	var v itsm.Validation
	v.Check(slices.Contains(RollUpPolicies(), cfg.RollUp), "roll_up", "is unknown")
	v.Check(cfg.ReopenWindow >= 0, "reopen_window", "must not be negative")
	lifecycle, err := cfg.Lifecycle.With(complete, slm.Permit)
	v.Add(err)
	if err == nil && cfg.Catalogue != nil {
		for i, m := range cfg.Catalogue.spec.Models {
			_, err := m.Lifecycle(lifecycle)
			for _, f := range itsm.Findings(err) {
				v.Check(false, fmt.Sprintf("catalogue.models[%d] (%s)", i, m.Name), f.Error())
			}
		}
	}
	return lifecycle, v.Err()
}

// actions lists the practice's actions in the order of a request's life.
func actions() []itsm.Action[Request] {
	return []itsm.Action[Request]{
		Order{}, Revise{}, Submit{},
		SeekApproval{}, Vote{}, Delegate{}, Reject{},
		Assign{}, Start{},
		AssignTask{}, StartTask{}, CompleteTask{}, FailTask{}, SkipTask{}, RetryTask{}, AddTask{}, TrackTask{},
		PutOnHold{}, Resume{}, Note{}, LogTime{}, Escalate{},
		FulfilItem{}, CancelItem{}, ReturnItem{}, Extend{},
		Fulfil{}, Close{}, Reopen{}, RejectFulfilment{}, Rate{},
		Cancel{}, Reclassify{},
		Link{}, Unlink{}, SetFields{},
	}
}

// derived lists what only the practice itself does.
func derived() []itsm.Action[Request] {
	return []itsm.Action[Request]{
		Approve{}, Proceed{}, Refuse{}, CountVotes{}, Begin{}, RunTask{}, OpenTasks{}, MissTasks{},
		ResumeSubmitted{}, ResumeApproval{}, ResumeApproved{}, ResumeAssigned{},
		AutoFulfil{}, AutoCancel{}, AutoClose{}, Prolong{}, KeepEnd{}, Expire{},
	}
}

// Order orders something. It is Create with the type that it takes.
func (p *Practice) Order(ctx context.Context, order Order) (Request, error) {
	return p.Create(ctx, order)
}

// Offers yields what somebody sees of the catalogue, and whether they may order it.
// It returns the directory's error.
func (p *Practice) Offers(ctx context.Context, person string) (iter.Seq[Offer], error) {
	facts, err := p.cfg.person(ctx, person)
	if err != nil {
		return nil, err
	}
	return p.cfg.Catalogue.Offers(facts), nil
}

// Decision explains how an approval of a request stands at a moment: what the votes
// come to, why, and who is still needed. It returns an [itsm.ErrInvalid] if there is
// no such approval.
func (p *Practice) Decision(ctx context.Context, id itsm.ID, number int, at time.Time) (approval.Decision, error) {
	r, err := p.Get(ctx, id)
	if err != nil {
		return approval.Decision{}, err
	}
	one := r.Approval(number)
	if one == nil {
		return approval.Decision{}, &itsm.FieldError{Field: "approval", Reason: fmt.Sprintf("must be the number of an approval, is %d", number)}
	}
	var v itsm.Validation
	d, err := approval.Decide(one.Electorate, one.Ballots, at)
	v.Add(itsm.Under("approval", err))
	return d, v.Err()
}

// An Entry of the journal is something that was said about a request.
type Entry struct {
	At    time.Time
	Actor itsm.Actor
	// Public says that it is for the requester too.
	Public bool
	Text   string
}

// Journal yields what was said about a request, oldest first. With public, only what
// the requester may read. It reads the history; an error ends the sequence.
func (p *Practice) Journal(ctx context.Context, id itsm.ID, public bool) iter.Seq2[Entry, error] {
	return itsm.Told(ctx, p.Practice, id, func(e itsm.Event, a itsm.Action[Request]) (Entry, bool) {
		note, ok := a.(Note)
		return Entry{e.At, e.Actor, note.Public, note.Text}, ok && (note.Public || !public)
	}, Note{}.Action())
}

// next says what time brings: the end of a hold, the deadline of an approval, a task
// whose time has come or is over, the end of what was granted, the closing of what
// nobody objected to, a threshold of an agreement.
func (cfg Config) next(r *Request) (time.Time, itsm.Action[Request]) {
	first := itsm.Earliest[Request]{Lifecycle: cfg.Lifecycle, State: r.State}
	switch r.State {
	case OnHold:
		first.Take(r.Hold.Until, Resume{By: "time"})
	case Fulfilled:
		first.Take(r.CloseAt, AutoClose{})
	}
	deadline := r.deadline()
	first.Take(deadline, CountVotes{Due: deadline})
	opens, misses := r.nextTask()
	first.Take(opens, OpenTasks{Due: opens})
	first.Take(misses, MissTasks{Due: misses})
	end := r.nextEnd()
	first.Take(end, Expire{Due: end})
	first.Take(cfg.levels.Next(r))
	return first.Due, first.Action
}

// before reports whether a time is set and before another one, if that is.
func before(t, other time.Time) bool {
	return !t.IsZero() && (other.IsZero() || t.Before(other))
}

// prepare resolves the host's configuration into an action.
func (cfg Config) prepare(ctx context.Context, tx *itsm.Tx[Request], r *Request, action itsm.Action[Request]) (itsm.Action[Request], error) {
	at := tx.Moment()
	if !tx.Consequence() && slices.Contains(r.Without, action.Action()) {
		return nil, itsm.Refuse("its model does not have %q", action.Action())
	}
	switch a := action.(type) {
	case Order:
		draft := *r
		draft.Title, draft.Requester, draft.Recipient, draft.Lines = a.Title, a.Requester, a.Recipient, a.Lines
		draft.people(at)
		_, err := cfg.resolve(ctx, at.At, &draft, !a.Draft)
		return a, err
	case Revise:
		draft := *r
		draft.Recipient, draft.Lines = a.Recipient, a.Lines
		draft.people(at)
		_, err := cfg.resolve(ctx, at.At, &draft, false)
		return a, err
	case Submit:
		return cfg.resolve(ctx, at.At, r, true)
	case SeekApproval:
		return cfg.seek(ctx, tx, r, a)
	case Vote:
		return a.prepare(r, at)
	case Delegate:
		return a.prepare(r, at)
	case CountVotes:
		return a.prepare(r, at)
	case Extend:
		return a.prepare(r, at, cfg, func(policy string) (Approval, error) {
			return cfg.approval(ctx, r, policy, []int{a.Item}, at.At)
		})
	case Resume:
		if !tx.Consequence() {
			a.By = ""
		}
		return a.back(r), nil
	case Fulfil:
		a.CloseAt = cfg.closeAt(r, at.At)
		return a, nil
	case AutoFulfil:
		a.CloseAt = cfg.closeAt(r, at.At)
		return a, nil
	case Reopen:
		switch since := at.At.Sub(r.Milestones.Closed); {
		case r.State != Closed:
		case cfg.ReopenWindow == 0:
			return a, itsm.Refuse("a closed request is not reopened here")
		case since > cfg.ReopenWindow:
			return a, itsm.Refuse("it was closed %s ago; it can be reopened within %s", since.Round(time.Minute), cfg.ReopenWindow)
		}
		return a, nil
	case Link:
		return a, ownRelation(tx, a.Rel)
	case Unlink:
		return a, ownRelation(tx, a.Rel)
	case PassThreshold:
		return cfg.levels.Prepare(ctx, tx, r, a)
	}
	return nil, nil // nothing to resolve
}

// ownRelation refuses relations that say what the practice has done.
func ownRelation(_ *itsm.Tx[Request], rel string) error {
	switch rel {
	case FulfilledBy, ReclassifiedAs, ReclassifiedFrom:
		return &itsm.FieldError{Field: "rel", Reason: fmt.Sprintf("must not be %s, which only the practice sets", rel)}
	}
	return nil
}

// people says who orders and for whom, as [Order] does.
func (r *Request) people(at itsm.Moment) {
	if r.Requester == "" {
		r.Requester = at.Actor.ID
	}
	if r.Recipient == "" {
		r.Recipient = r.Requester
	}
}

func (cfg Config) closeAt(r *Request, at time.Time) time.Time {
	if cfg.AutoClose == nil {
		return time.Time{}
	}
	return cfg.AutoClose(*r, at)
}

// seek opens an approval that somebody asks for.
func (cfg Config) seek(ctx context.Context, tx *itsm.Tx[Request], r *Request, a SeekApproval) (itsm.Action[Request], error) {
	a.Approval = nil
	if tx.Consequence() {
		return a, nil // submitting has opened what the models ask for
	}
	if a.Policy == "" {
		return a, &itsm.FieldError{Field: "policy", Reason: "must not be empty"}
	}
	one, err := cfg.approval(ctx, r, a.Policy, a.Items, tx.Moment().At)
	if err != nil {
		return a, err
	}
	a.Approval = &one
	return a, nil
}

func isFinding(err error) bool {
	return errors.Is(err, itsm.ErrInvalid) || errors.Is(err, itsm.ErrNotAllowed)
}

// follow says what follows from an action: for the clocks of agreements first, which
// are to see each state, and then for the request.
func (cfg Config) follow(ctx context.Context, tx *itsm.Tx[Request], r *Request, a itsm.Action[Request]) ([]itsm.Action[Request], error) {
	all, err := cfg.levels.Follow(ctx, tx, r, a)
	if err != nil {
		return nil, err
	}
	switch a.(type) {
	case MoveClocks, PassThreshold, RunTask:
		return all, nil
	}
	then := cfg.then(r, a)
	if then == nil {
		return append(all, cfg.permitted(r, r.running()...)...), nil
	}
	// What follows from that includes the tasks that begin by themselves.
	return append(all, then), nil
}

// permitted leaves out what a state of the host's own does not admit.
func (cfg Config) permitted(r *Request, actions ...itsm.Action[Request]) []itsm.Action[Request] {
	return slices.DeleteFunc(actions, func(a itsm.Action[Request]) bool {
		_, ok := cfg.Lifecycle.Can(r.State, a.Action())
		return !ok
	})
}

// then is the one step of the request that follows from an action, or nil.
func (cfg Config) then(r *Request, a itsm.Action[Request]) itsm.Action[Request] {
	var next itsm.Action[Request]
	switch a := a.(type) {
	case Order:
		if !a.Draft {
			next = Submit{}
		}
	case Submit:
		switch {
		case len(r.Approvals) > 0:
			next = SeekApproval{}
		case len(r.Items) > 0:
			next = Approve{}
		}
	case SeekApproval, Vote, CountVotes, Extend, Prolong, KeepEnd:
		next = r.extended()
		if next == nil && r.State == AwaitingApproval {
			next = r.voted()
		}
	case Approve:
		if r.Automatic {
			next = Begin{}
		}
	case Start, Begin, Proceed:
		if r.Reopens == 0 {
			next = r.rolledUp()
		}
	case CompleteTask:
		next = r.rolledUpBy(a.Task)
	case FailTask:
		next = r.rolledUpBy(a.Task)
	case SkipTask:
		next = r.rolledUpBy(a.Task)
	case FulfilItem, CancelItem, OpenTasks:
		next = r.rolledUp()
	}
	if next == nil {
		return nil
	}
	if _, ok := cfg.Lifecycle.Can(r.State, next.Action()); !ok {
		return nil
	}
	return next
}

// rolledUpBy is rolledUp for a task that has ended, unless it took something back,
// which is nothing that was ordered.
func (r *Request) rolledUpBy(task int) itsm.Action[Request] {
	if t := r.Task(task); t == nil || t.Undoes > 0 {
		return nil
	}
	return r.rolledUp()
}

// rolledUp says what the outcomes of all parts mean for the request, if there are any
// and they have all ended.
func (r *Request) rolledUp() itsm.Action[Request] {
	if len(r.Items) == 0 && len(r.Tasks) == 0 || r.unapproved() != nil {
		return nil
	}
	outcome := r.Outcome()
	switch outcome.state() {
	case Fulfilled:
		return AutoFulfil{Completion: outcome}
	case Cancelled:
		return AutoCancel{}
	}
	return nil
}
