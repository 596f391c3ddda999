package itsm

import (
	"context"
	"encoding/json"
	"errors"
)

// An Option is one action and whether it can be done to a record now.
type Option struct {
	// Action is the action's name.
	Action string `json:"action"`
	// Permitted says that nothing but input is missing.
	Permitted bool `json:"permitted"`
	// To is the state that it would lead to, empty if it is not permitted.
	To State `json:"to,omitempty"`
	// Needs lists what the action requires of its input.
	Needs []*FieldError `json:"needs,omitempty"`
	// Refused lists why it is not permitted: *[TransitionError], *[RuleError],
	// and an [ErrDenied].
	Refused Refusals `json:"refused,omitempty"`
}

// Refusals are errors whose JSON form is their messages.
type Refusals []error

// MarshalJSON writes the messages.
func (r Refusals) MarshalJSON() ([]byte, error) {
	messages := make([]string, len(r))
	for i, err := range r {
		messages[i] = err.Error()
	}
	return json.Marshal(messages)
}

// WhyNot tells for every action, in the order of the practice's story, whether
// the actor could do it to the record now; if not, everything that speaks
// against it, and if so, what input it needs. It is what buttons, help texts
// and agents go by; only doing it is binding.
func (p *Practice[R]) WhyNot(ctx context.Context, id ID) (options []Option, err error) {
	p.observe(ctx, "WhyNot", id, nil, func(ctx context.Context) Outcome {
		options, err = p.options(ctx, id)
		return Outcome{Err: err}
	})
	return options, err
}

func (p *Practice[R]) options(ctx context.Context, id ID) (options []Option, err error) {
	tx, err := p.begin(ctx)
	if err != nil {
		return nil, err
	}
	e, err := tx.load(id)
	if err != nil {
		return nil, err
	}
	for _, t := range p.order {
		if t.derived || t.name == p.def.Lifecycle.Create() {
			continue
		}
		o, err := p.option(tx, e, t)
		if err != nil {
			return nil, err
		}
		options = append(options, o)
	}
	return options, nil
}

func (p *Practice[R]) option(tx *Tx[R], e *Revision[R], t *actionType) (Option, error) {
	try := &Tx[R]{p: p, ctx: tx.ctx, at: tx.at, dry: true}
	mine := &Revision[R]{Base: e.Base, Record: p.cloner.Clone(e.Record)}
	try.touched = append(try.touched, mine)

	o := Option{Action: t.name, Permitted: true}
	err := try.step(mine, t.zero().(Action[R]))
	for _, f := range Findings(err) {
		var field *FieldError
		switch {
		case errors.As(f, &field):
			o.Needs = append(o.Needs, field)
		case errors.Is(f, ErrNotAllowed), errors.Is(f, ErrDenied):
			o.Refused = append(o.Refused, f)
			o.Permitted = false
		default:
			return o, f
		}
	}
	if o.Permitted {
		o.To = try.leads
	}
	return o, nil
}
