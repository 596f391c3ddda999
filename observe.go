package itsm

import (
	"context"
	"errors"
	"reflect"
	"time"
)

// A Call is something that a practice is asked to do, or that it asks of its
// store: what [Config.Observe] is told of.
type Call struct {
	Practice string
	// Store says that it is the practice that asks, and its store that is asked.
	Store bool
	// Method is the method's name: Create, Do, Update, Check, WhyNot or RunDue
	// of a [Practice], where each thing that time brings is a RunDue of its own;
	// of a store Load, Commit, Events, List, Feed, Due or NextDue.
	Method string
	// Record is the record that it is about; empty where it is about none yet, or
	// about several.
	Record ID
	// Action is the name of the action that is asked for, one of the practice's;
	// empty where none is, or not one.
	Action string
	// Reaction is the name under which it is done [Because] of an event; empty
	// for what somebody asks for, for what time brings, and for the store.
	Reaction string
}

// An Outcome is how a [Call] ended.
type Outcome struct {
	// Err is what the caller gets.
	Err error
	// Events are what was committed, in order; none for what only reads. They
	// are to be read, and not to be changed.
	Events []Event
	// Attempts is how often it was decided: more than once if somebody else
	// was faster. 0 for what is not decided.
	Attempts int
	// Since is when there was reason for the events: when it was due, for what
	// time brought, and when that happened [Because] of which they did. By how
	// much they are later is the lag of runners and reactions. Zero if there are
	// no events, and for what somebody asked for.
	Since time.Time
}

// errNoReturn is told of a call that ends otherwise, as by a panic.
var errNoReturn = errors.New("itsm: it did not return")

// observed does something that Config.Observe is told of, if there is one.
func (c *Config) observed(ctx context.Context, call Call, do func(ctx context.Context) Outcome) {
	ctx, end := c.Observe(ctx, call)
	o := Outcome{Err: errNoReturn}
	if end != nil {
		defer func() { end(o) }()
	}
	o = do(ctx)
}

// observe does what the practice is asked to do.
func (p *Practice[R]) observe(ctx context.Context, method string, id ID, a Action[R], do func(ctx context.Context) Outcome) {
	if p.cfg.Observe == nil {
		do(ctx)
		return
	}
	call := Call{Practice: p.Name(), Method: method, Record: id}
	if v := reflect.ValueOf(a); v.IsValid() && (v.Kind() != reflect.Pointer || !v.IsNil()) {
		if t := p.types[a.Action()]; t != nil {
			call.Action = t.name
		}
	}
	if why := knownIn(ctx).why; why != nil {
		call.Reaction = why.reaction
	}
	p.cfg.observed(ctx, call, do)
}
