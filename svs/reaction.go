package svs

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"

	"github.com/go-itsm/itsm"
)

// A Point is an action of a practice: where a reaction begins, or where it leads.
type Point struct {
	Practice string `json:"practice"`
	Action   string `json:"action"`
}

// String returns "incident.resolve".
func (p Point) String() string { return p.Practice + "." + p.Action }

// A Reaction is what an event of one practice leads to in another. It is a value of
// type [On]; a [System] carries it out.
type Reaction interface {
	rule() rule
}

// On is a reaction to actions of one practice:
//
//	svs.On[incident.Incident]{
//		Name: "propose", Practice: incidents.Practice, Actions: []string{"resolve"},
//		Leads: []svs.Point{{"problem", "report"}},
//		Decide: func(ctx context.Context, past itsm.Past[incident.Incident]) ([]svs.Effect, error) {
//			if past.Record.Major.Status != incident.MajorAccepted {
//				return nil, nil
//			}
//			return []svs.Effect{svs.Create(problems.Practice, problem.Report{…})}, nil
//		},
//	}
type On[R any] struct {
	// Name says what it does, in a word or a few. It is unique in a system, and
	// must stay: it is part of what makes an effect happen once.
	Name string
	// Practice is whose events it reacts to, Actions to which of them. Its store
	// is an [itsm.Feeder].
	Practice *itsm.Practice[R]
	Actions  []string
	// Leads lists every action that Decide may ask for. It is what shows that the
	// reactions of a system do not set each other off for ever.
	Leads []Point
	// Decide says what is to be done because of an event; nothing, often. It gets
	// the record as it was right after the event, and changes nothing. After a
	// crash it is asked again, when some of what it said may be done already: what
	// else it reads should not be moved by that, lest it say something else. An
	// error other than
	// [itsm.ErrInvalid], [itsm.ErrNotAllowed], [itsm.ErrDenied] and
	// [itsm.ErrNotFound] holds up the feed until it is mended.
	Decide func(ctx context.Context, past itsm.Past[R]) ([]Effect, error)
}

// An Effect is one thing that a reaction does: an action on a record, or a new
// record. It is made by [Do] and [Create].
type Effect struct {
	target practice
	action string
	record itsm.ID // none for a new one
	key    string
	do     func(ctx context.Context) error
	or     func(why error) Effect
}

// Do is the effect that does an action to a record.
func Do[R any](p *itsm.Practice[R], id itsm.ID, a itsm.Action[R]) Effect {
	return Effect{target: p, action: a.Action(), record: id, do: func(ctx context.Context) error {
		_, err := p.Do(ctx, id, a)
		return err
	}}
}

// Create is the effect that creates a record.
func Create[R any](p *itsm.Practice[R], a itsm.Action[R]) Effect {
	return Effect{target: p, action: a.Action(), do: func(ctx context.Context) error {
		_, err := p.Create(ctx, a)
		return err
	}}
}

// Named returns the effect with a name that tells it from the other effects of the
// same event and reaction on the same record, or from the other records that they
// create. Without names there is one of each. It must be the same when Decide is
// asked again.
func (e Effect) Named(name string) Effect {
	e.key = name
	return e
}

// Or returns the effect with what is to be done instead if it is refused, given why.
// That is then done in its place, under its own name.
func (e Effect) Or(instead func(why error) Effect) Effect {
	e.or = instead
	return e
}

// Point returns where the effect leads.
func (e Effect) Point() Point { return Point{e.target.Name(), e.action} }

// A practice is an [itsm.Practice] of any record type.
type practice interface {
	Name() string
	Lifecycle() *itsm.Lifecycle
	Feed(ctx context.Context, after itsm.Cursor) iter.Seq2[itsm.Delivery, error]
}

// A rule is a reaction of any record type.
type rule struct {
	field   string // where it stands in the config
	name    string
	source  practice
	actions []string
	leads   []Point
	decide  func(ctx context.Context, e itsm.Event) ([]Effect, error)
	missing []string
}

func (o On[R]) rule() rule {
	r := rule{name: o.Name, actions: slices.Clone(o.Actions), leads: slices.Clone(o.Leads)}
	if o.Practice == nil {
		r.missing = append(r.missing, "practice")
	} else {
		r.source = o.Practice
	}
	if o.Decide == nil {
		r.missing = append(r.missing, "decide")
	}
	r.decide = func(ctx context.Context, e itsm.Event) ([]Effect, error) {
		past, err := pastOf(ctx, o.Practice, e)
		if err != nil {
			return nil, err
		}
		return o.Decide(ctx, past)
	}
	return r
}

// pastOf returns what an event did, and the record after it.
func pastOf[R any](ctx context.Context, p *itsm.Practice[R], e itsm.Event) (past itsm.Past[R], err error) {
	past.Event = e
	if past.Action, err = p.Done(e); err == nil {
		past.Record, err = p.Get(ctx, e.Record)
	}
	if err == nil && itsm.MetaOf(&past.Record).Version != e.Version {
		past.Record, err = p.AtVersion(ctx, e.Record, e.Version) // it has moved on since
	}
	if err != nil {
		// What cannot be read is no refusal: it must not be passed over.
		err = fmt.Errorf("event %s cannot be read: %v", e.ID, err)
	}
	return past, err
}

// refused reports whether an error is an answer rather than a failure.
func refused(err error) bool {
	for _, one := range []error{itsm.ErrInvalid, itsm.ErrNotAllowed, itsm.ErrDenied, itsm.ErrNotFound} {
		if errors.Is(err, one) {
			return true
		}
	}
	return false
}
