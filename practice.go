package itsm

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/go-itsm/itsm/internal/clone"
)

const eventPrefix = "evt"

// A Practice does actions to records: it loads, decides, commits, and decides
// again when somebody was faster. It is what the practices of this module and
// a vendor's own are made of, holds no record, and is safe for concurrent use.
//
// To join a transaction of its own, a host takes the practice over a store that
// is bound to the transaction ([Practice.Over]).
//
// Everything that changes a record needs an actor in the context ([As]) and
// returns, beside what it says itself:
//
//   - [ErrNoActor], without one;
//   - [ErrDenied], if [Config.Authorize] refused;
//   - [ErrInvalid] and [ErrNotAllowed], with every finding ([Findings]), and
//     nothing was written;
//   - [ErrNotFound], if there is no such record;
//   - [ErrConflict], if others kept changing the record for [Config.Attempts]
//     tries, and nothing was written;
//   - [ErrUnknown], if the store could not say whether it was written;
//   - the context's error, or the store's own.
type Practice[R any] struct {
	def    Definition[R]
	store  backing[R]
	cfg    Config
	types  map[string]*actionType
	order  []*actionType
	cloner *clone.Cloner[R]
	alarm  alarm
	idle   sync.Pool // of *Tx[R]
}

// NewPractice puts a practice together. It returns an [ErrInvalid] with every
// finding if the definition does not fit together: an action without a type, a
// type that JSON cannot bring back, a record that does not embed [Meta].
func NewPractice[R any](def Definition[R], store Store[R], cfg Config) (*Practice[R], error) {
	var v Validation
	types, order, err := def.check()
	v.Add(err)
	v.Check(store != nil, "store", "must not be nil")
	cloner, err := clone.Of[R]()
	if err != nil {
		v.Check(false, "record", err.Error())
	}
	if err := v.Err(); err != nil {
		return nil, err
	}
	def.Actions, def.Derived = slices.Clone(def.Actions), slices.Clone(def.Derived)
	p := &Practice[R]{def: def, cfg: cfg, types: types, order: order, cloner: cloner}
	p.store = newBacking(store, &p.cfg, p.Name())
	return p, nil
}

// Over returns the same practice over another store, such as one that is bound
// to a transaction of the host's, in which several practices then commit
// together. It costs next to nothing. What happens after a commit here happens
// before the host's: [Config.Notify] is told of events that may yet be rolled
// back, and runners are not told what became due; they find out after their
// [RunnerConfig].Interval. Where a conflict cannot be resolved by reading again
// in the same transaction, the host sets [Config.Attempts] to 1 and repeats all
// of it.
func (p *Practice[R]) Over(store Store[R]) *Practice[R] {
	over := &Practice[R]{def: p.def, cfg: p.cfg, types: p.types, order: p.order, cloner: p.cloner}
	over.store = newBacking(store, &over.cfg, p.Name())
	return over
}

// Name returns the name of the practice, such as "incident".
func (p *Practice[R]) Name() string { return p.def.Lifecycle.Name() }

// Lifecycle returns the practice's lifecycle.
func (p *Practice[R]) Lifecycle() *Lifecycle { return p.def.Lifecycle }

// Create creates a record with the lifecycle's creating action. It returns
// [ErrExists] if [Config.NewID] gave an id that is taken.
func (p *Practice[R]) Create(ctx context.Context, a Action[R]) (made R, err error) {
	tx, err := p.run(ctx, "Create", "", a, func(tx *Tx[R]) error {
		_, err := tx.create(a)
		return err
	})
	if err == nil {
		made = tx.one[0].Record // the first that was made room for
		p.recycle(tx)
	}
	return made, err
}

// Do does an action to a record and returns the record as it is then.
func (p *Practice[R]) Do(ctx context.Context, id ID, a Action[R]) (done R, err error) {
	tx, err := p.run(ctx, "Do", id, a, func(tx *Tx[R]) error { return tx.do(id, a) })
	if err == nil {
		done = tx.one[0].Record
		p.recycle(tx)
	}
	return done, err
}

// Update does several actions to one or more records in one commit: all happen
// or none. The function decides; it is called again, with a new Tx, if somebody
// else changed one of the records in between, so it must have no other effect.
// Over a store that takes only single revisions, touching more than one record
// fails with [ErrSingleRevision].
func (p *Practice[R]) Update(ctx context.Context, decide func(tx *Tx[R]) error) error {
	_, err := p.run(ctx, "Update", "", nil, decide)
	return err
}

// Get returns a record, which belongs to the caller. It returns [ErrNotFound]
// if there is none.
func (p *Practice[R]) Get(ctx context.Context, id ID) (R, error) {
	return p.store.load(ctx, id)
}

// List returns a page of records. It returns [ErrUnsupported] if the store is no
// [Lister].
func (p *Practice[R]) List(ctx context.Context, q Query) (Page[R], error) {
	return p.store.list(ctx, q)
}

// All yields every record that matches a query, page by page, from q.After on.
// An error ends the sequence.
func (p *Practice[R]) All(ctx context.Context, q Query) iter.Seq2[R, error] {
	return func(yield func(R, error) bool) {
		for {
			page, err := p.List(ctx, q)
			if err != nil {
				var none R
				yield(none, err)
				return
			}
			for _, r := range page.Records {
				if !yield(r, nil) {
					return
				}
			}
			if page.Next == "" {
				return
			}
			q.After = page.Next
		}
	}
}

// Feed yields the events of all records in commit order after a cursor. The
// sequence is one [ErrUnsupported] if the store is no [Feeder].
func (p *Practice[R]) Feed(ctx context.Context, after Cursor) iter.Seq2[Delivery, error] {
	return p.store.feed(ctx, after)
}

// Check decides about an action without doing it: it returns the record as it
// would be, or what Do would return. Nothing is written. Without an id it
// decides about an action that creates a record.
func (p *Practice[R]) Check(ctx context.Context, id ID, a Action[R]) (checked R, err error) {
	p.observe(ctx, "Check", id, a, func(ctx context.Context) Outcome {
		checked, err = p.check(ctx, id, a)
		return Outcome{Err: err}
	})
	return checked, err
}

func (p *Practice[R]) check(ctx context.Context, id ID, a Action[R]) (R, error) {
	var none R
	tx, err := p.begin(ctx)
	if err != nil {
		return none, err
	}
	tx.dry = true
	if id == "" {
		return tx.Create(a)
	}
	if err := tx.do(id, a); err != nil {
		return none, err
	}
	return tx.touched[0].Record, nil
}

// run is what every call is that may change something, under the eyes of
// Config.Observe.
func (p *Practice[R]) run(ctx context.Context, method string, id ID, a Action[R], decide func(tx *Tx[R]) error) (tx *Tx[R], err error) {
	p.observe(ctx, method, id, a, func(ctx context.Context) Outcome {
		var o Outcome
		tx, o.Attempts, err = p.decide(ctx, decide)
		if o.Err = err; err == nil && p.cfg.Observe != nil {
			o.Events, o.Since = tx.Events(), tx.due
			if tx.why != nil && len(o.Events) > 0 {
				o.Since = tx.why.at
			}
		}
		return o
	})
	return tx, err
}

// decide is load → decide → commit → retry on conflict.
func (p *Practice[R]) decide(ctx context.Context, decide func(tx *Tx[R]) error) (_ *Tx[R], attempt int, err error) {
	for attempt = 1; ; attempt++ {
		tx, err := p.begin(ctx)
		if err != nil {
			return nil, attempt, err
		}
		if err := tx.once(cmp.Or(decide(tx), tx.err)); err != nil {
			return nil, attempt, err
		}
		err = p.commit(ctx, tx)
		if err == nil {
			return tx, attempt, nil
		}
		if !errors.Is(err, ErrConflict) || attempt == p.cfg.attempts() {
			return nil, attempt, err
		}
		if err := pause(ctx, attempt); err != nil {
			return nil, attempt, err
		}
	}
}

func (p *Practice[R]) begin(ctx context.Context) (*Tx[R], error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	k := knownIn(ctx)
	if k.err != nil {
		return nil, k.err
	}
	tx, _ := p.idle.Get().(*Tx[R])
	if tx == nil {
		tx = new(Tx[R])
	}
	tx.p, tx.ctx, tx.at, tx.why = p, ctx, Moment{At: p.cfg.now(), Actor: k.actor}, k.why
	return tx, nil
}

// recycle keeps a Tx that no caller has seen for the next call. Its room is not
// wiped: it is as large as a record, and is written over. A store that was sent
// the revisions twice may still be reading the first.
func (p *Practice[R]) recycle(tx *Tx[R]) {
	if tx.resent {
		return
	}
	tx.ctx, tx.touched, tx.changed, tx.why, tx.made = nil, nil, nil, nil, 0
	p.idle.Put(tx)
}

// commit writes what a Tx decided. While the outcome is unknown it sends the
// same revisions again: their event ids make them happen once. What the store
// then answers settles it, unless it only says that it could not be asked.
func (p *Practice[R]) commit(ctx context.Context, tx *Tx[R]) error {
	revs := tx.revisions()
	if len(revs) == 0 {
		return nil
	}
	for attempt := 1; ; attempt++ {
		err := p.store.commit(ctx, revs)
		if err == nil {
			break
		}
		settled := errors.Is(err, ErrConflict) || errors.Is(err, ErrExists)
		if tx.resent && !settled && !errors.Is(err, ErrUnknown) {
			// That it was not done now says nothing of what was sent before.
			err = fmt.Errorf("%w: %w", ErrUnknown, err)
		}
		if !errors.Is(err, ErrUnknown) || attempt == p.cfg.attempts() {
			return err
		}
		if ended := pause(ctx, attempt); ended != nil {
			return errors.Join(err, ended)
		}
		tx.resent = true
	}
	for _, e := range tx.changed {
		p.alarm.ring(tx.meta(e).Due)
	}
	if p.cfg.Notify != nil {
		p.cfg.Notify(ctx, tx.Events())
	}
	return nil
}

// pause waits before the next attempt: a random time of up to 1 ms, doubled
// with each attempt up to 256 ms, so that writers of one hot record spread out.
func pause(ctx context.Context, attempt int) error {
	most := time.Millisecond << min(attempt-1, 8)
	timer := time.NewTimer(rand.N(most))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
