package itsm

import (
	"context"
	"fmt"
	"iter"
	"time"
)

// A backing is a practice's store as the practice sees it: it tells
// Config.Observe of every call, and says so where the store cannot do something.
type backing[R any] struct {
	store    Store[R]
	cfg      *Config
	practice string
	// place loads into a place that is there, see inPlace.
	place func(ctx context.Context, id ID, to *R) error
}

// inPlace is a store whose Load costs so little that returning a large record
// is most of it. It gives a way to load into a place that is there, if store is
// itself: something around it that embeds it has a Load of its own to be asked.
type inPlace[R any] interface {
	InPlace(store Store[R]) func(ctx context.Context, id ID, to *R) error
}

func newBacking[R any](store Store[R], cfg *Config, practice string) backing[R] {
	b := backing[R]{store: store, cfg: cfg, practice: practice}
	if s, ok := store.(inPlace[R]); ok {
		b.place = s.InPlace(store)
	}
	if b.place == nil {
		b.place = func(ctx context.Context, id ID, to *R) (err error) {
			*to, err = store.Load(ctx, id)
			return err
		}
	}
	return b
}

// observe asks the store for something.
func (b *backing[R]) observe(ctx context.Context, method string, id ID, ask func(ctx context.Context) error) {
	if b.cfg.Observe == nil {
		_ = ask(ctx) // who asks has it too
		return
	}
	call := Call{Practice: b.practice, Store: true, Method: method, Record: id}
	b.cfg.observed(ctx, call, func(ctx context.Context) Outcome { return Outcome{Err: ask(ctx)} })
}

// unsupported says what the store cannot do.
func (b *backing[R]) unsupported(what string) error {
	return fmt.Errorf("%s: %s: %w", b.practice, what, ErrUnsupported)
}

func (b *backing[R]) load(ctx context.Context, id ID) (r R, err error) {
	b.observe(ctx, "Load", id, func(ctx context.Context) error {
		r, err = b.store.Load(ctx, id)
		return err
	})
	return r, err
}

func (b *backing[R]) loadInto(ctx context.Context, id ID, to *R) (err error) {
	b.observe(ctx, "Load", id, func(ctx context.Context) error {
		err = b.place(ctx, id, to)
		return err
	})
	return err
}

func (b *backing[R]) commit(ctx context.Context, revs []Revision[R]) (err error) {
	var id ID
	if len(revs) == 1 && b.cfg.Observe != nil {
		id = MetaOf(&revs[0].Record).ID
	}
	b.observe(ctx, "Commit", id, func(ctx context.Context) error {
		err = b.store.Commit(ctx, revs...)
		return err
	})
	return err
}

func (b *backing[R]) events(ctx context.Context, id ID) iter.Seq2[Event, error] {
	return observedSeq(b, ctx, "Events", id, func(ctx context.Context) iter.Seq2[Event, error] {
		return b.store.Events(ctx, id, 0)
	})
}

func (b *backing[R]) list(ctx context.Context, q Query) (page Page[R], err error) {
	l, ok := b.store.(Lister[R])
	if !ok {
		return page, b.unsupported("list")
	}
	b.observe(ctx, "List", "", func(ctx context.Context) error {
		page, err = l.List(ctx, q)
		return err
	})
	return page, err
}

func (b *backing[R]) feed(ctx context.Context, after Cursor) iter.Seq2[Delivery, error] {
	f, ok := b.store.(Feeder)
	if !ok {
		return func(yield func(Delivery, error) bool) { yield(Delivery{}, b.unsupported("feed")) }
	}
	return observedSeq(b, ctx, "Feed", "", func(ctx context.Context) iter.Seq2[Delivery, error] {
		return f.Feed(ctx, after)
	})
}

func (b *backing[R]) due(ctx context.Context, now time.Time) iter.Seq2[Wake, error] {
	d, ok := b.store.(DueStore)
	if !ok {
		return func(yield func(Wake, error) bool) { yield(Wake{}, b.unsupported("due actions")) }
	}
	return observedSeq(b, ctx, "Due", "", func(ctx context.Context) iter.Seq2[Wake, error] {
		return d.Due(ctx, now)
	})
}

func (b *backing[R]) nextDue(ctx context.Context, after time.Time) (next time.Time, err error) {
	d, ok := b.store.(DueStore)
	if !ok {
		return next, b.unsupported("due actions")
	}
	b.observe(ctx, "NextDue", "", func(ctx context.Context) error {
		next, err = d.NextDue(ctx, after)
		return err
	})
	return next, err
}

// observedSeq is a sequence of a store's. It begins when it is ranged over and
// ends with its loop.
func observedSeq[R, E any](b *backing[R], ctx context.Context, method string, id ID, open func(ctx context.Context) iter.Seq2[E, error]) iter.Seq2[E, error] {
	if b.cfg.Observe == nil {
		return open(ctx)
	}
	return func(yield func(E, error) bool) {
		b.observe(ctx, method, id, func(ctx context.Context) (last error) {
			for e, err := range open(ctx) {
				last = err
				if !yield(e, err) {
					break
				}
			}
			return last
		})
	}
}
