package itsm

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"reflect"
	"time"

	"github.com/go-itsm/itsm/internal/short"
	"github.com/go-itsm/itsm/internal/strict"
)

// A Definition is all that one practice adds to what every practice has: a
// vendor's own practice is a record type, its actions, and one of these.
type Definition[R any] struct {
	// Prefix begins the ids of records: "inc".
	Prefix string

	// Lifecycle says which action is permitted in which state. Its name is the
	// practice's name.
	Lifecycle *Lifecycle

	// Actions holds one value of each type that actors may ask for, in the
	// order of the story: this is the practice's registry. Every action in the
	// lifecycle's table needs its type, here or in Derived.
	Actions []Action[R]

	// Derived holds one value of each type that only the practice itself does:
	// what follows from other actions or from time.
	Derived []Action[R]

	// Next says when time alone makes something happen to a record, and what:
	// the earliest if there are several. It is pure, uses nothing but the
	// record, and answers the zero time if nothing will happen. Nil means that
	// nothing ever does.
	Next func(r *R) (time.Time, Action[R])

	// Prepare resolves what depends on the host (its configuration, other
	// records, its matcher) into the action before it is applied and kept, so
	// that a replay needs none of it. It returns the action to do instead, nil
	// to leave it as it is, or findings. The record is as it is before the
	// action and must not be changed; the action may still be wrong in itself.
	// A nil Prepare means that there is nothing to resolve.
	Prepare func(ctx context.Context, tx *Tx[R], r *R, a Action[R]) (Action[R], error)

	// Follow says what follows on the same record, in the same commit, whatever
	// was done to it: the clocks of an agreement follow its state. It is asked
	// after each action that was applied, those that it returned included, and
	// after the action's own [Follower]; it must not change the record. What
	// depends on the host is resolved into what it returns. A nil Follow means
	// that nothing follows.
	Follow func(ctx context.Context, tx *Tx[R], r *R, a Action[R]) ([]Action[R], error)

	// Cascade does to other records, in the same commit, what follows from an
	// action that was applied to r. It must not change r itself. Nil means
	// that nothing follows.
	Cascade func(ctx context.Context, tx *Tx[R], r *R, a Action[R], e Event) error
}

// actionType is an entry of a practice's registry.
type actionType struct {
	name    string
	typ     reflect.Type
	shape   *shape
	form    form
	derived bool
	// validates, guards and follows say which optional interfaces it has.
	validates, guards, follows bool
}

// check verifies a definition and returns its registry.
func (d Definition[R]) check() (map[string]*actionType, []*actionType, error) {
	var v Validation
	v.Check(isName(d.Prefix, "-"), "prefix", "must be a name of letters, digits and -")
	v.Check(d.Prefix != eventPrefix, "prefix", "must not be that of events")
	if MetaOf(new(R)) == nil {
		v.Check(false, "record", fmt.Sprintf("%s must embed itsm.Meta", reflect.TypeFor[R]()))
	}
	v.Check(d.Lifecycle != nil, "lifecycle", "must not be nil")
	types := map[string]*actionType{}
	var order []*actionType
	add := func(field string, a Action[R], derived bool) {
		typ := reflect.TypeOf(a)
		if typ == nil || typ.Kind() != reflect.Struct {
			v.Check(false, field, fmt.Sprintf("must be a struct and not a pointer, is %T", a))
			return
		}
		name := a.Action()
		field = fmt.Sprintf("%s (%s)", field, name)
		if have, ok := types[name]; ok {
			v.Check(have.typ == typ, field, fmt.Sprintf("is %s, but %q is %s already", typ, name, have.typ))
			return
		}
		_, err := json.Marshal(a)
		v.Check(err == nil, field, "must have a JSON form")
		t := &actionType{name: name, typ: typ, derived: derived}
		_, t.validates = a.(Validator)
		_, t.guards = a.(Guard[R])
		_, t.follows = a.(Follower[R])
		t.shape = shapeOf(&v, typ, typ.Name(), map[reflect.Type]*shape{})
		t.form = formOf(typ)
		types[name] = t
		order = append(order, t)
	}
	for i, a := range d.Actions {
		add(fmt.Sprintf("actions[%d]", i), a, false)
	}
	for i, a := range d.Derived {
		add(fmt.Sprintf("derived[%d]", i), a, true)
	}
	if d.Lifecycle != nil {
		for _, name := range d.Lifecycle.actions() {
			v.Check(types[name] != nil, "lifecycle", fmt.Sprintf("has the action %q, for which there is no type", name))
		}
	}
	return types, order, v.Err()
}

// new returns a settable zero value of the action's type.
func (t *actionType) new() reflect.Value { return reflect.New(t.typ).Elem() }

// zero returns a zero value of the action's type.
func (t *actionType) zero() any { return reflect.Zero(t.typ).Interface() }

// admit finds the type of an action and brings the action into the form in
// which it is applied and kept. It returns its JSON, in room, where that is
// known on the way, else nil.
func (p *Practice[R]) admit(a Action[R], room []byte) (*actionType, Action[R], []byte, error) {
	v := reflect.ValueOf(a)
	if v.Kind() == reflect.Pointer && !v.IsNil() {
		v = v.Elem()
	}
	if !v.IsValid() || v.Kind() != reflect.Struct {
		return nil, nil, nil, &FieldError{Field: "action", Reason: "must not be nil"}
	}
	t, ok := p.types[a.Action()]
	if !ok || t.typ != v.Type() {
		return nil, nil, nil, &FieldError{Field: "action", Reason: fmt.Sprintf("%T is not among the practice's actions", a)}
	}
	data, ok := t.form.append(room, v)
	if !ok {
		data = nil
	}
	if ok || t.shape.clean(v) {
		if v.CanAddr() { // came in as a pointer
			a = v.Interface().(Action[R])
		}
		return t, a, data, nil
	}
	own := t.new()
	own.Set(v)
	var findings Validation
	t.shape.settle(&findings, own, "")
	if err := findings.Err(); err != nil {
		return nil, nil, nil, err
	}
	return t, own.Interface().(Action[R]), nil, nil
}

// decode reads what the history keeps of an action. Unknown names are passed
// over: the type may have lost a field since.
func (p *Practice[R]) decode(e Event) (Action[R], error) {
	t, ok := p.types[e.Action]
	if !ok {
		return nil, &FieldError{Field: "action", Reason: fmt.Sprintf("%q is not among the practice's actions", e.Action)}
	}
	v := t.new()
	if err := json.Unmarshal(e.Data, v.Addr().Interface()); err != nil {
		return nil, &FieldError{Field: "data", Reason: err.Error()}
	}
	return v.Interface().(Action[R]), nil
}

// envelope is the JSON form of an action that comes from outside.
type envelope struct {
	Action string          `json:"action"`
	Data   json.RawMessage `json:"data,omitempty"`
}

// Actions yields a zero value of each action that actors may ask for, in the
// order of the practice's story, for surfaces that are made from them.
func (p *Practice[R]) Actions() iter.Seq[Action[R]] {
	return func(yield func(Action[R]) bool) {
		for _, t := range p.order {
			if !t.derived && !yield(t.zero().(Action[R])) {
				return
			}
		}
	}
}

// Encode returns the JSON form of an action, {"action":"resolve","data":{…}},
// which Decode reads. It returns an [ErrInvalid] for an action that is not the
// practice's or has no JSON form.
func (p *Practice[R]) Encode(a Action[R]) ([]byte, error) {
	t, a, data, err := p.admit(a, nil)
	if err == nil && data == nil {
		data, err = marshal(a)
	}
	if err != nil {
		return nil, err
	}
	return json.Marshal(envelope{t.name, data})
}

// Decode reads an action that comes from outside, from a request, a script or
// an agent: {"action":"resolve","data":{…}}. The input may be anything; it
// returns an [ErrInvalid] with every finding: unknown actions and names,
// repeated names, wrong types, more than 256 KiB, invalid UTF-8, and what the
// action finds wrong with itself. An action that only the practice itself does
// is unknown to it.
func (p *Practice[R]) Decode(data []byte) (Action[R], error) {
	var env envelope
	if err := decodeStrict(data, &env, maxAction); err != nil {
		return nil, err
	}
	t, ok := p.types[env.Action]
	if !ok || t.derived {
		return nil, &FieldError{Field: "action", Reason: fmt.Sprintf("%q is not known", short.Text(env.Action))}
	}
	v := t.new()
	var faults strict.Faults
	if len(env.Data) > 0 && string(env.Data) != "null" {
		faults = strict.Read(env.Data, v.Addr().Interface(), maxAction)
	}
	// What is wrong with the rest is told at once, but nothing twice.
	_, a, _, err := p.admit(v.Interface().(Action[R]), nil)
	if err == nil {
		err = validate(a)
	}
	if err := unread(faults, err); err != nil {
		return nil, err
	}
	return a, nil
}

func validate(a any) error {
	if v, ok := a.(Validator); ok {
		return v.Validate()
	}
	return nil
}
