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
// often it did something and when to come back: the next due time, zero if
// nothing is waiting. What cannot be done is passed over and in the error; it
// is tried again next time.
//
// Any number of hosts may call it at the same time on the same records: the
// store's compare-and-set lets one of them have each due action, and the others
// find that it is no longer due. It returns [ErrUnsupported] if the store is no
// [DueStore].
func (p *Practice[R]) RunDue(ctx context.Context) (done int, next time.Time, err error) {
	store, ok := p.store.(DueStore)
	if !ok {
		return 0, time.Time{}, fmt.Errorf("%s: due actions: %w", p.Name(), ErrUnsupported)
	}
	now := p.cfg.now()
	var failed []error
	for wake, err := range store.Due(ctx, now) {
		if err != nil {
			return done, time.Time{}, errors.Join(append(failed, err)...)
		}
		n, err := p.elapse(ctx, wake.ID, now)
		done += n
		if err != nil {
			failed = append(failed, fmt.Errorf("%s %s: due action: %w", p.Name(), wake.ID, err))
		}
		if ctx.Err() != nil {
			return done, time.Time{}, ctx.Err()
		}
	}
	next, err = store.NextDue(ctx, now)
	if err != nil {
		failed = append(failed, err)
	}
	return done, next, errors.Join(failed...)
}

// maxElapse bounds what is done to one record at a time, so that a practice
// whose due action leaves the due time where it is cannot keep the others from
// their turn.
const maxElapse = 1000

// elapse does to one record what time has made due by now. What was missed
// while no host was running happens one by one, each as its own event.
func (p *Practice[R]) elapse(ctx context.Context, id ID, now time.Time) (done int, err error) {
	if p.def.Next == nil {
		return 0, nil
	}
	for done < maxElapse {
		tx, err := p.run(ctx, func(tx *Tx[R]) error {
			e, err := tx.load(id)
			if errors.Is(err, ErrNotFound) {
				return nil // it is gone
			}
			if err != nil {
				return err
			}
			due, a := p.def.Next(&e.Record)
			if a == nil || due.IsZero() || instant(due).After(now) {
				return nil
			}
			tx.depth++ // time asks, not an actor
			defer func() { tx.depth-- }()
			return tx.fail(id, tx.step(e, a))
		})
		if err != nil {
			return done, err
		}
		if len(tx.touched) == 0 || len(tx.touched[0].Events) == 0 {
			return done, nil
		}
		done++
	}
	return done, fmt.Errorf("still due after %d due actions", done)
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
		next, err := r.runDue(ctx)
		if err != nil {
			return err
		}
		if err := r.sleep(ctx, b, next); err != nil {
			return err
		}
	}
}

// runDue does what is due in every practice and returns when to come back.
func (r *Runner) runDue(ctx context.Context) (time.Time, error) {
	until := r.cfg.Now().Add(r.cfg.Interval)
	for _, p := range r.practices {
		_, next, err := p.RunDue(ctx)
		switch {
		case ctx.Err() != nil:
			return until, ctx.Err()
		case errors.Is(err, ErrUnsupported):
			return until, err
		case err != nil:
			r.cfg.Log.ErrorContext(ctx, "due actions failed", "practice", p.Name(), "error", err)
		}
		if !next.IsZero() && next.Before(until) {
			until = next
		}
	}
	return until, nil
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
