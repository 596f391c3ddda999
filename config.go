package itsm

import (
	"context"
	"math/rand/v2"
	"time"
)

// Config is what a host decides for its practices; the same value fits all of
// them. The zero value is ready to use.
type Config struct {
	// Now is the clock. Nil means time.Now. Whatever it returns is turned to
	// UTC and rounded down to whole microseconds.
	Now func() time.Time

	// NewID makes the ids of records and events: the prefix is the practice's
	// ("inc"), or "evt" for an event. A host that has numbers of its own
	// returns them here for the prefixes that it numbers. Ids must be unique
	// within a store. Nil means the package's [NewID].
	NewID func(ctx context.Context, prefix string, at time.Time) (ID, error)

	// Authorize is asked before anything that an actor asks for, and refuses
	// with any error; the caller gets it as an [ErrDenied]. It is not asked
	// about consequences: follow-ups, cascades and what time brings. Nil
	// means that every actor may do everything.
	Authorize func(ctx context.Context, attempt Attempt) error

	// Notify is told the events of each commit after it has happened, in
	// order. It cannot fail the commit, and it is not told when the program
	// dies in between: what must not be missed reads the store's feed
	// ([Feeder]). It runs on the caller's goroutine. Nil means nobody.
	Notify func(ctx context.Context, events []Event)

	// Observe is told that a call begins, of a practice and of its store, for
	// metrics and traces; package telemetry has it for OpenTelemetry. It returns
	// the context to go on with, which comes from the one that it was given, and a
	// function that is told how the call ended, or nil. A sequence begins when it is
	// ranged over and ends with its loop. It runs on the goroutine of the call, for
	// several at the same time. Nil means nobody, which costs nothing.
	Observe func(ctx context.Context, call Call) (context.Context, func(Outcome))

	// Attempts is how often a decision is made again after somebody else
	// changed the record in between, and how often a commit of unknown outcome
	// is sent, before giving up with [ErrConflict] or [ErrUnknown]. 0 means 20.
	Attempts int
}

// An Attempt is what [Config.Authorize] decides about.
type Attempt struct {
	Actor    Actor
	Practice string
	// Action is the action's name and Data the action itself: a type of the
	// practice's package or of the host's.
	Action string
	Data   any
	// Meta and Record are the record as it is before the action, as the
	// practice's record type: to be read, and only until Authorize returns.
	// Both are zero for the action that creates one.
	Meta   Meta
	Record any
}

// defaultAttempts with the back-off of [pause] lasts about two seconds.
const defaultAttempts = 20

func (c Config) attempts() int {
	if c.Attempts <= 0 {
		return defaultAttempts
	}
	return c.Attempts
}

func (c Config) now() time.Time {
	if c.Now == nil {
		return instant(time.Now())
	}
	return instant(c.Now())
}

func (c Config) newID(ctx context.Context, prefix string, at time.Time) (ID, error) {
	if c.NewID != nil {
		return c.NewID(ctx, prefix, at)
	}
	return NewID(prefix, at), nil
}

// newEventID is newID for events. Their default ids need to be unique, for which
// 64 random bits in a microsecond do, but nobody gains anything from guessing
// one, and there are many.
func (c Config) newEventID(ctx context.Context, at time.Time) (ID, error) {
	if c.NewID != nil {
		return c.NewID(ctx, eventPrefix, at)
	}
	random := rand.Uint64()
	return makeID(eventPrefix, at, random>>56, random), nil
}

// instant is the form of every time that is kept: UTC, whole microseconds, no
// monotonic clock.
func instant(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return time.UnixMicro(t.UnixMicro()).UTC()
}
