package itsm

import "time"

// An Action is something that can be done to a record. It is a value, and three
// things at once: the argument, the decision, and what the history keeps.
//
//	type Resolve struct {
//		Code Code   `json:"code"`
//		Note string `json:"note"`
//	}
//
//	func (Resolve) Action() string { return "resolve" }
//	func (a Resolve) Apply(r *Incident, at itsm.Moment) error { … }
//
// A host's own type works like the library's: give it a name, put the name into
// the lifecycle ([Lifecycle.With]) and the type into the practice's Config.
//
// The type is a struct with value receivers and exported fields that encoding/json
// can write and read back: text, numbers, booleans, times, and structs, slices,
// maps and pointers of these. Text must be valid UTF-8 without NUL; times are
// rounded down to microseconds and turned to UTC before the action is applied,
// so that what is applied is exactly what the history keeps.
//
// An action may also be a [Validator], a [Guard] and a [Follower].
type Action[R any] interface {
	// Action returns the name: the one in the lifecycle's table and in the
	// history. It is a constant of the type.
	Action() string

	// Apply checks the action's conditions on the record and changes it. It is
	// pure and repeatable: it uses nothing but the action, the record and the
	// moment, and keeps no reference to them; the same history always gives
	// the same record. It sees the state before the action; the new state, the
	// version and the times are set by the practice.
	//
	// It returns nil, or everything that it found at once ([Validation]):
	// [ErrNotAllowed] for what the record does not admit, [ErrInvalid] for what
	// is wrong with the input in the light of the record. After an error the
	// record is thrown away.
	Apply(r *R, at Moment) error
}

// A Moment is when something happens and who does it.
type Moment struct {
	// At is UTC and in whole microseconds.
	At    time.Time
	Actor Actor
}

// A Validator is an action that can check itself without a record. Validate
// returns an [ErrInvalid] with every finding. It is asked when the action comes
// in, not when history is replayed: what has happened is not judged by the
// rules of a later day.
type Validator interface {
	Validate() error
}

// A Follower is an action that may lead to another one on the same record, in
// the same commit, with an event of its own: the caller's reply resumes an
// incident on hold, the last vote authorizes a change.
type Follower[R any] interface {
	// Follow is asked after the action was applied, with the record as it is
	// then, and must not change it. It returns nil if nothing follows. What
	// follows is applied under the same rules, and may have followers itself.
	Follow(r *R, at Moment) Action[R]
}

// A Guard is an action with conditions on the record that do not depend on the
// action's input, so that [Practice.WhyNot] can tell about them before there is
// any. Guard must not change the record, and returns an [ErrNotAllowed] with
// every finding. It is asked before Apply, and not in a replay.
type Guard[R any] interface {
	Guard(r *R, at Moment) error
}
