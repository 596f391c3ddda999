package itsm

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// RunDue does everything that is due now, each thing once, and returns how
// often it did something and when to come back: the next due time, now if there
// was more to do than is done at once, zero if nothing is waiting but what cannot
// be done. That is passed over and in the error; it is tried again next time.
//
// Any number of hosts may call it at the same time on the same records: the
// store's compare-and-set lets one of them have each due action, and the others
// find that it is no longer due. It returns [ErrUnsupported] if the store is no
// [DueStore].
func (p *Practice[R]) RunDue(ctx context.Context) (done int, next time.Time, err error) {
	now := p.cfg.now()
	var failed []error
	var backlog bool
	for wake, err := range p.store.due(ctx, now) {
		if err != nil {
			return done, time.Time{}, errors.Join(append(failed, err)...)
		}
		n, more, err := p.elapse(ctx, wake.ID, now)
		done += n
		backlog = backlog || more
		if err != nil {
			failed = append(failed, fmt.Errorf("%s %s: due action: %w", p.Name(), wake.ID, err))
		}
		if ctx.Err() != nil {
			return done, time.Time{}, ctx.Err()
		}
	}
	next, err = p.store.nextDue(ctx, now)
	if err != nil {
		failed = append(failed, err)
	}
	if backlog {
		next = now
	}
	return done, next, errors.Join(failed...)
}

// maxElapse bounds what is done to one record at a time, so that one with a long
// backlog does not keep the others from their turn.
const maxElapse = 1000

// elapse does to one record what time has made due by now, and reports whether
// there is more. What was missed while no host was running happens one by one,
// each as its own event.
func (p *Practice[R]) elapse(ctx context.Context, id ID, now time.Time) (done int, more bool, err error) {
	if p.def.Next == nil {
		return 0, false, nil
	}
	for done < maxElapse {
		tx, err := p.run(ctx, "RunDue", id, nil, func(tx *Tx[R]) error { return tx.elapse(id, now) })
		if err != nil {
			return done, false, err
		}
		if len(tx.changed) == 0 {
			return done, false, nil // somebody else was faster
		}
		done++
		if due := tx.meta(tx.touched[0]).Due; due.IsZero() || due.After(now) {
			return done, false, nil
		}
	}
	return done, true, nil
}

// elapse decides the one thing that is due first, if anything is.
func (tx *Tx[R]) elapse(id ID, now time.Time) error {
	e, err := tx.load(id)
	if errors.Is(err, ErrNotFound) {
		return nil // it is gone
	}
	if err != nil {
		return err
	}
	due, a := tx.p.def.Next(&e.Record)
	due = instant(due)
	if a == nil || due.IsZero() || due.After(now) {
		return nil
	}
	tx.due = due
	// Time asks, not an actor.
	tx.depth++
	tx.byTime = true
	err = tx.step(e, a)
	tx.depth--
	tx.byTime = false
	if err == nil {
		// Or it would be done for ever.
		if again, same := tx.p.def.Next(&e.Record); same != nil && same.Action() == a.Action() && !again.IsZero() && !again.After(due) {
			err = Refuse("%q leaves the due time where it is, %s", a.Action(), due.Format(time.RFC3339))
		}
	}
	return tx.fail(id, err)
}

// Timed is a practice of any record type, as the [Runner] sees it.
type Timed interface {
	Name() string
	RunDue(ctx context.Context) (done int, next time.Time, err error)
	hang(b *bell)
	take(b *bell)
}

// RunnerConfig is what a host decides for a [Runner]. The zero value is ready.
type RunnerConfig struct {
	// Now is the clock by which the runner sleeps; nil means time.Now. It
	// should be the practices' own.
	Now func() time.Time
	// Interval is the longest sleep. A runner wakes by itself for everything
	// that it has seen or that its own practices commit; what other hosts make
	// due earlier is at most this late. 0 means 30 s.
	Interval time.Duration
	// Actor is who the history says it was. Zero means [System].
	Actor Actor
	// Log gets what could not be done; nil means slog.Default().
	Log *slog.Logger
}

// A Runner does the due actions of practices when their time comes: auto-close,
// the end of a hold, a review. A host starts one with [Runner.Run], on as many
// machines as it likes: each due action is in the history once.
type Runner struct {
	cfg       RunnerConfig
	practices []Timed
}

// NewRunner returns a runner for practices. It starts nothing.
func NewRunner(cfg RunnerConfig, practices ...Timed) *Runner {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Interval <= 0 {
		cfg.Interval = 30 * time.Second
	}
	if cfg.Actor.ID == "" {
		cfg.Actor = System()
	}
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	return &Runner{cfg, practices}
}

// Run does what is due and sleeps until something else is, until the context
// ends, whose error it returns. It asks each store once when it starts, once
// when something is due, and once an interval, however much is committed. It
// returns [ErrUnsupported] at once if a practice's store is no [DueStore].
func (r *Runner) Run(ctx context.Context) error {
	ctx = WithActor(ctx, r.cfg.Actor)
	b := &bell{rung: make(chan struct{}, 1)}
	for _, p := range r.practices {
		p.hang(b)
		defer p.take(b)
	}
	for {
		b.reset()
		next, failed, err := r.runDue(ctx)
		if err != nil {
			return err
		}
		if failed {
			b.reset() // or what cannot be done would wake its own runner
		}
		if err := r.sleep(ctx, b, next); err != nil {
			return err
		}
	}
}

// runDue does what is due in every practice and returns when to come back, and
// whether something could not be done.
func (r *Runner) runDue(ctx context.Context) (until time.Time, failed bool, err error) {
	until = r.cfg.Now().Add(r.cfg.Interval)
	for _, p := range r.practices {
		_, next, err := p.RunDue(ctx)
		switch {
		case ctx.Err() != nil:
			return until, failed, ctx.Err()
		case errors.Is(err, ErrUnsupported):
			return until, failed, err
		case err != nil:
			failed = true
			r.cfg.Log.ErrorContext(ctx, "due actions failed", "practice", p.Name(), "error", err)
		}
		if !next.IsZero() && next.Before(until) {
			until = next
		}
	}
	return until, failed, nil
}

// sleep waits until a moment, or an earlier one that the bell names meanwhile.
func (r *Runner) sleep(ctx context.Context, b *bell, until time.Time) error {
	timer := time.NewTimer(until.Sub(r.cfg.Now()))
	defer timer.Stop()
	for {
		if due := b.earliest(); !due.IsZero() && due.Before(until) {
			until = due
			timer.Reset(until.Sub(r.cfg.Now()))
		}
		select {
		case <-timer.C:
			return nil
		case <-b.rung:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// A bell tells a runner what became due at which time since it was last reset,
// so that it need not ask the store.
type bell struct {
	mu   sync.Mutex
	due  time.Time
	rung chan struct{}
}

func (b *bell) ring(due time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.due.IsZero() || due.Before(b.due) {
		b.due = due
		select {
		case b.rung <- struct{}{}:
		default: // rung already
		}
	}
}

func (b *bell) earliest() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.due
}

func (b *bell) reset() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.due = time.Time{}
}

// An alarm holds the bells of the runners that work for a practice. Where there
// are none, ringing costs one atomic load.
type alarm struct {
	count atomic.Int32
	mu    sync.Mutex
	bells map[*bell]bool
}

func (a *alarm) ring(due time.Time) {
	if due.IsZero() || a.count.Load() == 0 {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for b := range a.bells {
		b.ring(due)
	}
}

func (p *Practice[R]) hang(b *bell) {
	p.alarm.mu.Lock()
	defer p.alarm.mu.Unlock()
	if p.alarm.bells == nil {
		p.alarm.bells = map[*bell]bool{}
	}
	p.alarm.bells[b] = true
	p.alarm.count.Store(int32(len(p.alarm.bells)))
}

func (p *Practice[R]) take(b *bell) {
	p.alarm.mu.Lock()
	defer p.alarm.mu.Unlock()
	delete(p.alarm.bells, b)
	p.alarm.count.Store(int32(len(p.alarm.bells)))
}
