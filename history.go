package itsm

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"time"
)

// History yields the events of a record, oldest first; none if there is no such
// record. An error ends the sequence.
func (p *Practice[R]) History(ctx context.Context, id ID) iter.Seq2[Event, error] {
	return p.store.events(ctx, id)
}

// Done returns the action that an event keeps, as its own type. It returns an
// [ErrInvalid] if the practice has no such action.
func (p *Practice[R]) Done(e Event) (Action[R], error) { return p.decode(e) }

// Told yields what is to be told of the history of a record, oldest first, such as a
// journal of what was said about it. Tell is asked about each event and the action that
// it keeps, or, if actions are named, only about those, so that the others need not be
// read; it returns what is to be told, if anything. An error ends the sequence: the
// store's, or an [ErrInvalid] if the practice does not have an action.
func Told[R, T any](ctx context.Context, p *Practice[R], id ID, tell func(e Event, a Action[R]) (T, bool), actions ...string) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		for e, err := range p.History(ctx, id) {
			if err == nil && len(actions) > 0 && !slices.Contains(actions, e.Action) {
				continue
			}
			var a Action[R]
			if err == nil {
				a, err = p.Done(e)
			}
			if err != nil {
				yield(none, err)
				return
			}
			if one, ok := tell(e, a); ok && !yield(one, nil) {
				return
			}
		}
	}
}

// Replay folds a whole history into the record that it leads to: what the store
// has, field by field. It needs no store and no configuration. It returns an
// [ErrInvalid] if the events are not one record's, in order and without a gap,
// and [ErrNotFound] if there are none.
func (p *Practice[R]) Replay(history iter.Seq2[Event, error]) (R, error) {
	return p.fold(history, func(Event) bool { return true })
}

// At returns the record as it was at a moment: after the last event, in the
// order of its history, that is not later. It returns [ErrNotFound] if there
// was no record yet.
func (p *Practice[R]) At(ctx context.Context, id ID, t time.Time) (R, error) {
	var last Version
	for e, err := range p.History(ctx, id) {
		if err != nil {
			var none R
			return none, err
		}
		if !e.At.After(t) {
			last = e.Version
		}
	}
	return p.AtVersion(ctx, id, last)
}

// AtVersion returns the record as it was at a version. It returns [ErrNotFound]
// if there is no such version.
func (p *Practice[R]) AtVersion(ctx context.Context, id ID, version Version) (R, error) {
	r, err := p.fold(p.History(ctx, id), func(e Event) bool { return e.Version <= version })
	if err == nil && MetaOf(&r).Version != version {
		err = fmt.Errorf("%s %s at version %d: %w", p.Name(), id, version, ErrNotFound)
	}
	return r, err
}

// A Past is a record as it was after an event, and what was done to it then.
type Past[R any] struct {
	Event  Event
	Action Action[R]
	Record R
}

// Walk yields the record after each event of a history, oldest first: what a
// report over its whole life reads. Each record belongs to the caller. Errors are
// those of [Practice.Replay] and end the sequence; an empty history yields
// nothing.
func (p *Practice[R]) Walk(history iter.Seq2[Event, error]) iter.Seq2[Past[R], error] {
	return func(yield func(Past[R], error) bool) {
		var r R
		for e, err := range history {
			var a Action[R]
			if err == nil {
				a, err = p.redo(&r, e)
			}
			if err != nil {
				yield(Past[R]{}, err)
				return
			}
			if !yield(Past[R]{e, a, p.cloner.Clone(r)}, nil) {
				return
			}
		}
	}
}

func (p *Practice[R]) fold(history iter.Seq2[Event, error], include func(Event) bool) (R, error) {
	var r, none R
	for e, err := range history {
		if err != nil {
			return none, err
		}
		if !include(e) {
			break
		}
		if _, err := p.redo(&r, e); err != nil {
			return none, err
		}
	}
	if MetaOf(&r).Version == 0 {
		return none, fmt.Errorf("%s without events: %w", p.Name(), ErrNotFound)
	}
	return r, nil
}

// redo does to a record what an event of its history did.
func (p *Practice[R]) redo(r *R, e Event) (Action[R], error) {
	m := MetaOf(r)
	if m.Version == 0 {
		m.ID = e.Record
	}
	if e.Record != m.ID || e.Version != m.Version+1 || e.From != m.State || e.Practice != p.Name() {
		return nil, &FieldError{Field: string(e.ID), Reason: fmt.Sprintf(
			"does not follow version %d of %s %s in state %q", m.Version, p.Name(), m.ID, m.State)}
	}
	a, err := p.decode(e)
	if err != nil {
		return nil, fmt.Errorf("event %s: %w", e.ID, err)
	}
	before := *m
	if err := a.Apply(r, Moment{At: e.At, Actor: e.Actor}); err != nil {
		return nil, fmt.Errorf("event %s: %s: %w", e.ID, e.Action, err)
	}
	m.seal(&before, e.To, e.At)
	p.due(r, m)
	return a, nil
}
