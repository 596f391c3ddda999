package slm

import (
	"context"
	"fmt"
	"iter"
	"time"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/sla"
)

// Clocks is what a record type embeds.
type Clocks struct {
	// Targets are what is promised about the record and how that stands, in
	// the order in which their clocks began. A book makes a clock of each
	// ([sla.Book.Clock]), to be read at any moment.
	Targets sla.Targets `json:"targets,omitempty"`
}

// ServiceLevels returns the record's clocks. Embedding Clocks is what makes a
// record one that can be promised something.
func (c *Clocks) ServiceLevels() *Clocks { return c }

// clocksOf returns the clocks of a record, nil if its type does not embed them.
func clocksOf[R any](r *R) *Clocks {
	if rec, ok := any(r).(interface{ ServiceLevels() *Clocks }); ok {
		return rec.ServiceLevels()
	}
	return nil
}

// MoveClocks is what follows from an action for the clocks of the agreements that
// apply: they start, pause, stop. It happens by itself, in the same commit.
type MoveClocks[R any] struct {
	Moves []sla.Move `json:"moves"`
}

// Action returns "move_clocks".
func (MoveClocks[R]) Action() string { return "move_clocks" }

// Apply moves the clocks.
func (a MoveClocks[R]) Apply(r *R, _ itsm.Moment) error { return move(r, a.Moves) }

// PassThreshold is what happens when a clock comes to a threshold of its
// agreement, or past its goal. It happens by itself, once for each in a cycle. What
// is to be done then follows in the same commit, as far as the practice can do it;
// a notification stands in its moves for the host to send.
type PassThreshold[R any] struct {
	// Due is when it was passed.
	Due time.Time `json:"due"`
	// Moves are set by the practice.
	Moves []sla.Move `json:"moves,omitempty"`
}

// Action returns "pass_threshold".
func (PassThreshold[R]) Action() string { return "pass_threshold" }

// Apply notes it.
func (a PassThreshold[R]) Apply(r *R, _ itsm.Moment) error { return move(r, a.Moves) }

func move[R any](r *R, moves []sla.Move) error {
	c := clocksOf(r)
	if c == nil {
		return itsm.Refuse("%T does not embed slm.Clocks", *r)
	}
	c.Targets = c.Targets.Apply(moves)
	return nil
}

// Moves returns those of an action, if it is one of this package's.
func Moves[R any](a itsm.Action[R]) []sla.Move {
	switch a := a.(type) {
	case MoveClocks[R]:
		return a.Moves
	case PassThreshold[R]:
		return a.Moves
	}
	return nil
}

// Derived lists the actions of this package, for [itsm.Definition].Derived.
func Derived[R any]() []itsm.Action[R] {
	return []itsm.Action[R]{MoveClocks[R]{}, PassThreshold[R]{}}
}

// Permit is a change for [itsm.Lifecycle.With] that permits the actions of this
// package in every state in which they are not yet: clocks follow whatever happens,
// and do not decide about it.
func Permit(s *itsm.LifecycleSpec) {
	for _, action := range []string{MoveClocks[struct{}]{}.Action(), PassThreshold[struct{}]{}.Action()} {
		missing := map[itsm.State]bool{}
		for _, state := range s.States {
			missing[state] = true
		}
		for _, t := range s.Transitions {
			for _, state := range t.From {
				if t.Action == action {
					delete(missing, state)
				}
			}
		}
		var states []itsm.State
		for _, state := range s.States {
			if missing[state] {
				states = append(states, state)
			}
		}
		if len(states) > 0 {
			s.Allow(action, "", states...)
		}
	}
}

// Levels joins a book of agreements to a practice. Its methods are those of an
// [itsm.Definition]; it is immutable once it is in use.
type Levels[R any] struct {
	// Book holds what is promised, in every version to which records refer. Nil
	// means that nothing is promised any more.
	Book *sla.Book
	// Facts says what an agreement may ask about a record after an action of an
	// actor. It must be given, be pure, and keep nothing of what it is given.
	Facts func(r *R, a itsm.Action[R], actor itsm.Actor) sla.Facts
	// Of says of which service and priority a record is, for its Results. Nil means
	// of none.
	Of func(r *R) (service, priority string)
	// Escalate returns what an escalation means for a record: an action, or nil
	// if nothing is to be done or can be. It is not asked about
	// [sla.Notify]. Nil means that nothing is ever done but noted.
	Escalate func(r *R, e sla.Escalation, why string) itsm.Action[R]
}

// Follow says what follows from an action: for the clocks, and from a threshold for
// those at work.
func (l Levels[R]) Follow(_ context.Context, tx *itsm.Tx[R], r *R, a itsm.Action[R]) ([]itsm.Action[R], error) {
	targets := clocksOf(r).Targets
	if l.Book == nil && len(targets) == 0 {
		return nil, nil
	}
	switch a := a.(type) {
	case MoveClocks[R]:
		return nil, nil
	case PassThreshold[R]:
		return l.escalations(r, a), nil
	}
	at := tx.Moment()
	m := itsm.MetaOf(r)
	now := sla.Snapshot{At: at.At, Facts: l.Facts(r, a, at.Actor)}
	var past iter.Seq2[sla.Snapshot, error]
	if m.Version > 1 {
		past = l.past(tx, m)
	}
	moves, err := l.Book.Review(targets, m.Created, now, past)
	if err != nil || len(moves) == 0 {
		return nil, err
	}
	return []itsm.Action[R]{MoveClocks[R]{moves}}, nil
}

// past yields a record as it was before its present version.
func (l Levels[R]) past(tx *itsm.Tx[R], m *itsm.Meta) iter.Seq2[sla.Snapshot, error] {
	return func(yield func(sla.Snapshot, error) bool) {
		for p, err := range tx.Walk(m.ID) {
			if err != nil {
				yield(sla.Snapshot{}, err)
				return
			}
			if p.Event.Version >= m.Version || !yield(sla.Snapshot{At: p.Event.At, Facts: l.Facts(&p.Record, p.Action, p.Event.Actor)}, nil) {
				return
			}
		}
	}
}

func (l Levels[R]) escalations(r *R, a PassThreshold[R]) []itsm.Action[R] {
	if l.Escalate == nil {
		return nil
	}
	var all []itsm.Action[R]
	done := map[sla.Escalation]bool{} // once, however many clocks ask for it
	for _, m := range a.Moves {
		for _, p := range m.Passed {
			for _, e := range p.Do {
				if e.Do == sla.Notify || done[e] {
					continue // the host reads it in the history
				}
				done[e] = true
				why := fmt.Sprintf("%s, %s: %s", m.Agreement, m.Metric, p.Threshold)
				if action := l.Escalate(r, e, why); action != nil {
					all = append(all, action)
				}
			}
		}
	}
	return all
}

// Prepare resolves a threshold that is due; any other action it leaves as it is.
func (l Levels[R]) Prepare(_ context.Context, _ *itsm.Tx[R], r *R, a itsm.Action[R]) (itsm.Action[R], error) {
	p, ok := a.(PassThreshold[R])
	if !ok {
		return nil, nil
	}
	p.Moves = l.Book.Pass(clocksOf(r).Targets, p.Due)
	return p, nil
}

// Next says when the next threshold is passed.
func (l Levels[R]) Next(r *R) (time.Time, itsm.Action[R]) {
	due := clocksOf(r).Targets.Next()
	if due.IsZero() {
		return due, nil
	}
	return due, PassThreshold[R]{Due: due}
}

// Results returns what every clock of a record came to, or how it stands now, for
// reports; it reads the record and its history. It returns an [itsm.ErrInvalid] if a
// calendar is not in the book any more, or the store's error.
func (l Levels[R]) Results(ctx context.Context, p *itsm.Practice[R], id itsm.ID, now time.Time) ([]sla.Result, error) {
	r, err := p.Get(ctx, id)
	if err != nil {
		return nil, err
	}
	var service, priority string
	if l.Of != nil {
		service, priority = l.Of(&r)
	}
	history := itsm.Told(ctx, p, id, func(_ itsm.Event, a itsm.Action[R]) ([]sla.Move, bool) { return Moves(a), true },
		MoveClocks[R]{}.Action(), PassThreshold[R]{}.Action())
	results, err := l.Book.Results(history, now)
	if err != nil {
		return nil, itsm.Under("", err)
	}
	for i := range results {
		results[i].Record, results[i].Service, results[i].Priority = string(id), service, priority
	}
	return results, nil
}

// Clock returns the clock of one target of a record, to be read at any moment and
// explained. It returns an [itsm.ErrInvalid] if its calendar is not in the book.
func (l Levels[R]) Clock(t sla.Target) (*sla.Clock, error) {
	c, err := l.Book.Clock(t)
	if err != nil {
		return nil, itsm.Under("", err)
	}
	return c, nil
}
