package itsm

import "context"

// An Actor is who does something: a person or a program. The host knows what
// the actor may do ([Config.Authorize]); the history keeps who it was.
type Actor struct {
	// ID is the host's own identifier: a user name, a mail address, a subject
	// of a token.
	ID string `json:"id"`
	// Name is for people to read; optional.
	Name string `json:"name,omitempty"`
}

// System returns the actor of what happens because time passed.
func System() Actor { return Actor{ID: "system"} }

type actorKey struct{}

// known is an actor and what is wrong with it, which is found out once and not
// with everything that it does; and what made it act, if that was an event.
type known struct {
	actor Actor
	err   error
	why   *reason
}

func knownIn(ctx context.Context) *known {
	k, ok := ctx.Value(actorKey{}).(*known)
	if !ok {
		return &known{err: ErrNoActor}
	}
	return k
}

// WithActor returns a context in which everything is done by the actor.
func WithActor(ctx context.Context, a Actor) context.Context {
	k := &known{actor: a, why: knownIn(ctx).why}
	switch {
	case a.ID == "":
		k.err = ErrNoActor
	case !cleanText(a.ID) || !cleanText(a.Name):
		k.err = &FieldError{Field: "actor", Reason: "must be valid UTF-8 without NUL"}
	}
	return context.WithValue(ctx, actorKey{}, k)
}

// As is [WithActor] for an actor without a name.
func As(ctx context.Context, id string) context.Context {
	return WithActor(ctx, Actor{ID: id})
}

// ActorFrom returns the actor of a context, [ErrNoActor] if there is none, or an
// [ErrInvalid] if the actor's id or name is no text that a history can keep:
// valid UTF-8 without NUL.
func ActorFrom(ctx context.Context) (Actor, error) {
	k := knownIn(ctx)
	if k.err != nil {
		return Actor{}, k.err
	}
	return k.actor, nil
}
