package itsm

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"
)

// A Tx collects what is decided about one or more records until it is committed
// as a whole. It is valid inside [Practice.Update], [Definition.Prepare] and
// [Definition.Cascade], for one goroutine. After an action that failed it commits
// nothing, even if the error was passed over.
type Tx[R any] struct {
	p   *Practice[R]
	ctx context.Context
	at  Moment
	// touched are the records that were loaded or made, each with what was
	// decided about it: the revision that the store will get.
	touched []*Revision[R]
	// changed are those of them about which something was decided, in that
	// order: a cause comes before its consequences.
	changed []*Revision[R]
	err     error
	// cause is the event whose consequences are being decided, depth how many
	// lie above it. At depth 0 an actor asks.
	cause ID
	depth int
	// why is the event because of which everything here is done, if any.
	why *reason
	// made counts the records that were given an id.
	made int
	// dry says that nothing will be written, byTime that time asks and no
	// actor, resent that a commit may still be on its way.
	dry, byTime, resent bool
	// due is when it was time for what time brings here.
	due time.Time
	// leads is where the action leads that was prepared last at depth 0.
	leads State

	// Room for the common case of one event on one record, which is passed to
	// the store as it stands: a record is large, and copying it is what costs.
	one   [1]Revision[R]
	meta0 *Meta // of one
	event [1]Event
	first [2]*Revision[R]
}

// maxDepth bounds chains of consequences, which would otherwise be able to
// turn in a circle.
const maxDepth = 32

// Moment returns when the Tx decides and for whom.
func (tx *Tx[R]) Moment() Moment { return tx.at }

// Consequence reports whether what is being prepared or cascaded follows from
// something else, rather than being asked for by an actor.
func (tx *Tx[R]) Consequence() bool { return tx.cause != "" || tx.byTime }

// Dry reports that nothing will be written, whatever is decided: this is
// [Practice.Check] or [Practice.WhyNot]. What is asked of others for the sake of
// the record alone can then be left out.
func (tx *Tx[R]) Dry() bool { return tx.dry }

// Get returns a record as it is in this Tx. Unless something is done to the
// record in this Tx too, it may change before the commit. In [Practice.Update]
// it belongs to the caller; in Prepare and Cascade it is for reading only. It
// returns [ErrNotFound] if there is none.
func (tx *Tx[R]) Get(id ID) (R, error) {
	e, err := tx.load(id)
	if err != nil {
		var none R
		return none, err
	}
	return tx.give(e), nil
}

func (tx *Tx[R]) give(e *Revision[R]) R {
	if tx.depth == 0 {
		return tx.p.cloner.Clone(e.Record)
	}
	return e.Record
}

// Walk yields a record as it was after each event of its history, up to and with
// those of this Tx: [Practice.Walk] of them.
func (tx *Tx[R]) Walk(id ID) iter.Seq2[Past[R], error] {
	return tx.p.Walk(func(yield func(Event, error) bool) {
		var own []Event
		for _, e := range tx.touched {
			if MetaOf(&e.Record).ID == id {
				own = e.Events
			}
		}
		for e, err := range tx.p.store.events(tx.ctx, id) {
			if len(own) > 0 && err == nil && e.Version >= own[0].Version {
				break // somebody was faster, and the commit will say so
			}
			if !yield(e, err) {
				return
			}
		}
		for _, e := range own {
			if !yield(e, nil) {
				return
			}
		}
	})
}

// Do does an action to a record and returns the record as it is then, as Get
// does.
func (tx *Tx[R]) Do(id ID, a Action[R]) (R, error) {
	if err := tx.do(id, a); err != nil {
		var none R
		return none, err
	}
	return tx.Get(id)
}

// Create creates a record and returns it, as Get does.
func (tx *Tx[R]) Create(a Action[R]) (R, error) {
	e, err := tx.create(a)
	if err != nil {
		var none R
		return none, err
	}
	return tx.give(e), nil
}

func (tx *Tx[R]) create(a Action[R]) (*Revision[R], error) {
	e := tx.room()
	var fresh R
	e.Record = fresh
	return e, tx.fail("", tx.step(e, a))
}

// newID makes the id of a new record. Where nothing will be written, it is not
// one of the host's.
func (tx *Tx[R]) newID() (ID, error) {
	if tx.dry {
		return NewID(tx.p.def.Prefix, tx.at.At), nil
	}
	if tx.why != nil && tx.p.cfg.NewID == nil {
		return tx.reasonedID()
	}
	id, err := tx.p.cfg.newID(tx.ctx, tx.p.def.Prefix, tx.at.At)
	for _, e := range tx.touched {
		if MetaOf(&e.Record).ID == id {
			return "", fmt.Errorf("%w: %s %s", ErrExists, tx.p.Name(), id)
		}
	}
	if err == nil && (id == "" || !cleanText(string(id))) {
		err = &FieldError{Field: "id", Reason: "must be valid UTF-8 without NUL, and not empty"}
	}
	return id, err
}

func (tx *Tx[R]) newEventID(e *Revision[R]) (ID, error) {
	switch {
	case tx.dry:
		return makeID(eventPrefix, tx.at.At, 0, uint64(len(tx.changed))), nil
	case tx.why != nil:
		return tx.reasonedEventID(e), nil
	}
	return tx.p.cfg.newEventID(tx.ctx, tx.at.At)
}

// Events returns what was decided so far: in order for each record, and the
// records in the order of their first event.
func (tx *Tx[R]) Events() []Event {
	var all []Event
	for _, e := range tx.changed {
		all = append(all, e.Events...)
	}
	return all
}

// revisions returns what there is to commit.
func (tx *Tx[R]) revisions() []Revision[R] {
	if len(tx.changed) == 1 && tx.changed[0] == &tx.one[0] {
		return tx.one[:]
	}
	var revs []Revision[R]
	for _, rev := range tx.changed {
		revs = append(revs, *rev)
	}
	return revs
}

func (tx *Tx[R]) do(id ID, a Action[R]) error {
	e, err := tx.load(id)
	if err == nil {
		err = tx.step(e, a)
	}
	return tx.fail(id, err)
}

// fail remembers an error, so that nothing is committed after it, and says
// once which record it is about, unless that was only being created.
func (tx *Tx[R]) fail(id ID, err error) error {
	if err == nil {
		return nil
	}
	err = settled(err)
	if tx.depth == 0 && isFinding(err) {
		where := tx.p.Name()
		if id != "" {
			where += " " + string(id)
		}
		err = fmt.Errorf("%s: %w", where, err)
	}
	if tx.err == nil {
		tx.err = err
	}
	return err
}

func (tx *Tx[R]) load(id ID) (*Revision[R], error) {
	for _, e := range tx.touched {
		if MetaOf(&e.Record).ID == id {
			return e, nil
		}
	}
	e := tx.room()
	if err := tx.p.store.loadInto(tx.ctx, id, &e.Record); err != nil {
		return nil, err
	}
	e.Base = tx.meta(e).Version
	tx.touched = append(tx.touched, e)
	return e, nil
}

// meta is MetaOf, which takes its time, for a revision's record.
func (tx *Tx[R]) meta(e *Revision[R]) *Meta {
	if e != &tx.one[0] {
		return MetaOf(&e.Record)
	}
	if tx.meta0 == nil {
		tx.meta0 = MetaOf(&e.Record)
	}
	return tx.meta0
}

// room returns a revision whose record is yet to be written.
func (tx *Tx[R]) room() *Revision[R] {
	if tx.touched != nil {
		return new(Revision[R])
	}
	tx.touched, tx.changed = tx.first[:0:1], tx.first[1:1]
	tx.one[0].Base, tx.one[0].Events = 0, tx.event[:0]
	return &tx.one[0]
}

// step is where everything is decided: one action on one record, and what
// follows from it.
func (tx *Tx[R]) step(e *Revision[R], a Action[R]) error {
	p := tx.p
	if tx.depth >= maxDepth {
		return Refuse("more than %d actions follow from one another", maxDepth)
	}
	m := tx.meta(e)
	var room [256]byte
	t, a, written, to, err := tx.decide(e, m, a, room[:0])
	if err != nil {
		return err
	}
	if m.ID == "" {
		// Not before it is decided: the host's numbers are not to be wasted.
		if m.ID, err = tx.newID(); err != nil {
			return err
		}
	}
	before := *m
	if err := a.Apply(&e.Record, tx.at); err != nil {
		return err
	}
	m.seal(&before, to, tx.at.At)
	p.due(&e.Record, m)
	data := slices.Clone(written)
	if data == nil {
		data, err = marshal(a)
	}
	if err != nil {
		return err
	}
	if len(data) > maxAction {
		return &FieldError{Field: "data", Reason: fmt.Sprintf("must have at most %d bytes as JSON, has %d", maxAction, len(data))}
	}
	id, err := tx.newEventID(e)
	if err != nil {
		return err
	}
	if len(e.Events) == 0 {
		tx.changed = append(tx.changed, e)
	}
	e.Events = append(e.Events, Event{
		ID: id, Practice: p.Name(), Record: m.ID, Version: m.Version,
		Action: a.Action(), From: before.State, To: to,
		At: tx.at.At, Actor: tx.at.Actor, Cause: tx.because(), Data: data,
	})
	if before.Version == 0 {
		tx.touched = append(tx.touched, e)
	}
	return tx.follow(e, t, a, len(e.Events)-1)
}

// because is the cause of what is being done.
func (tx *Tx[R]) because() ID {
	if tx.cause == "" && tx.why != nil {
		return tx.why.cause
	}
	return tx.cause
}

// decide answers with the action as it is to be applied, with its JSON if that is
// known, and where it leads; or with everything that speaks against it.
func (tx *Tx[R]) decide(e *Revision[R], m *Meta, a Action[R], room []byte) (*actionType, Action[R], []byte, State, error) {
	p := tx.p
	t, a, data, err := p.admit(a, room)
	if err != nil {
		return nil, nil, nil, "", err
	}
	if tx.depth == 0 {
		if t.derived {
			return nil, nil, nil, "", Refuse("%q happens by itself and cannot be asked for", t.name)
		}
		if err := p.authorize(tx, e, a); err != nil {
			return nil, nil, nil, "", err
		}
	}
	to, err := p.transition(m.State, t.name)
	var findings Validation
	findings.Add(err)
	if t.validates {
		findings.Add(validate(a))
	}
	var prepared Action[R]
	if err == nil {
		if t.guards {
			findings.Add(a.(Guard[R]).Guard(&e.Record, tx.at))
		}
		prepared, err = tx.prepare(e, a)
		if err != nil && !isFinding(err) {
			return nil, nil, nil, "", err
		}
		findings.Add(err)
	}
	if tx.depth == 0 {
		tx.leads = to
		if prepared != nil && prepared.Action() != t.name {
			tx.leads, _ = p.def.Lifecycle.Can(m.State, prepared.Action())
		}
	}
	if err := findings.Err(); err != nil {
		return nil, nil, nil, "", err
	}
	if prepared == nil {
		return t, a, data, to, nil
	}
	// What was prepared is an action like any other, and may be another one.
	instead, a, data, err := p.admit(prepared, room)
	if err == nil && instead != t {
		to, err = p.transition(m.State, instead.name)
	}
	return instead, a, data, to, err
}

func (p *Practice[R]) transition(from State, action string) (State, error) {
	l := p.def.Lifecycle
	to, ok := l.next(from, action)
	if ok {
		return to, nil
	}
	refused := &TransitionError{Action: action, State: from}
	if from == "" {
		refused.Instead = []string{l.Create()}
	}
	for name, to := range l.Permitted(from) {
		if to != from && !p.types[name].derived {
			refused.Instead = append(refused.Instead, name)
		}
	}
	return "", refused
}

func (tx *Tx[R]) prepare(e *Revision[R], a Action[R]) (Action[R], error) {
	if tx.p.def.Prepare == nil {
		return nil, nil
	}
	tx.depth++
	// Also after a panic: a host that recovers and goes on with the Tx must not
	// be taken for a consequence, which nobody authorizes.
	defer func() { tx.depth-- }()
	prepared, err := tx.p.def.Prepare(tx.ctx, tx, &e.Record, a)
	return prepared, settled(err)
}

// follow decides what follows from an action that was applied: on the same
// record first, then on others.
func (tx *Tx[R]) follow(e *Revision[R], t *actionType, a Action[R], done int) error {
	if !t.follows && tx.p.def.Follow == nil && tx.p.def.Cascade == nil {
		return nil
	}
	outer := tx.cause
	tx.depth++
	tx.cause = e.Events[done].ID
	defer func() {
		tx.depth--
		tx.cause = outer
	}()
	if t.follows {
		if next := a.(Follower[R]).Follow(&e.Record, tx.at); next != nil {
			if err := tx.step(e, next); err != nil {
				return err
			}
		}
	}
	if tx.p.def.Follow != nil {
		all, err := tx.p.def.Follow(tx.ctx, tx, &e.Record, a)
		if err != nil {
			return err
		}
		for _, next := range all {
			if err := tx.step(e, next); err != nil {
				return err
			}
		}
	}
	if tx.p.def.Cascade != nil {
		return tx.p.def.Cascade(tx.ctx, tx, &e.Record, a, e.Events[done])
	}
	return nil
}

func (p *Practice[R]) authorize(tx *Tx[R], e *Revision[R], a Action[R]) error {
	if p.cfg.Authorize == nil {
		return nil
	}
	attempt := Attempt{Actor: tx.at.Actor, Practice: p.Name(), Action: a.Action(), Data: a}
	if m := MetaOf(&e.Record); m.Version > 0 {
		attempt.Meta, attempt.Record = *m, e.Record
	}
	if err := p.cfg.Authorize(tx.ctx, attempt); err != nil {
		if !errors.Is(err, ErrDenied) {
			err = fmt.Errorf("%w: %w", ErrDenied, err)
		}
		return fmt.Errorf("%s %s: %s may not %s: %w", p.Name(), MetaOf(&e.Record).ID, tx.at.Actor.ID, a.Action(), err)
	}
	return nil
}

// seal sets what is not an action's to set.
func (m *Meta) seal(before *Meta, to State, at time.Time) {
	m.ID, m.Version, m.State = before.ID, before.Version+1, to
	m.Created, m.Changed, m.Due = before.Created, at, before.Due
	if before.Version == 0 {
		m.Created = at
	}
}

// due sets when time makes something happen next.
func (p *Practice[R]) due(r *R, m *Meta) {
	if p.def.Next != nil {
		t, _ := p.def.Next(r)
		m.Due = instant(t)
	}
}
