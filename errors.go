package itsm

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/go-itsm/itsm/internal/strict"
)

// Callers branch on these sentinels with [errors.Is]. Details ride in
// [FieldError], [RuleError] and [TransitionError]; nobody needs to parse a
// message.
var (
	// ErrNotFound says that no record has the id.
	ErrNotFound = errors.New("itsm: not found")
	// ErrExists says that a record with the id, or an event with the id of one
	// of the new events, is there already.
	ErrExists = errors.New("itsm: exists already")
	// ErrConflict says that somebody else changed the record in between. A
	// practice reloads and decides again; it gives up with this error after
	// [Config.Attempts] tries.
	ErrConflict = errors.New("itsm: changed by somebody else")
	// ErrUnknown says that a commit may or may not have happened, as when the
	// connection died. Committing the same revisions again is safe.
	ErrUnknown = errors.New("itsm: outcome unknown")
	// ErrDenied says that [Config.Authorize] refused.
	ErrDenied = errors.New("itsm: denied")
	// ErrNoActor says that the context names no actor: an audit trail must not
	// guess who it was.
	ErrNoActor = errors.New("itsm: no actor")
	// ErrInvalid says that the input is wrong in itself. [Findings] lists all
	// that is wrong with it.
	ErrInvalid = errors.New("itsm: invalid")
	// ErrNotAllowed says that the input may be fine but the record, as it is
	// now, does not admit the action.
	ErrNotAllowed = errors.New("itsm: not allowed")
	// ErrUnsupported says that the store lacks an optional ability, such as
	// lists or a feed.
	ErrUnsupported = errors.New("itsm: not supported by this store")
	// ErrSingleRevision says that the store can commit only one revision at a
	// time, so that what has to change several records together cannot be done
	// over it.
	ErrSingleRevision = errors.New("itsm: this store commits one revision at a time")
)

// A FieldError is one finding about the input. It is an [ErrInvalid].
type FieldError struct {
	// Field is the path of the JSON field: "title", "assignment.group",
	// "links[2].to". It is empty when the input as a whole is meant.
	Field string `json:"field,omitempty"`
	// Reason says what is wrong with it, as a sentence without its subject:
	// "must not be empty".
	Reason string `json:"reason"`
}

func (e *FieldError) Error() string {
	if e.Field == "" {
		return e.Reason
	}
	return e.Field + " " + e.Reason
}

// Finding returns field and reason. So what a type that reads itself finds is told
// under the field that it is read for, as [ParseJSON] does.
func (e *FieldError) Finding() (field, reason string) { return e.Field, e.Reason }

// Is reports that a field error is an [ErrInvalid].
func (e *FieldError) Is(target error) bool { return target == ErrInvalid }

// A RuleError is a condition of an action that the record does not meet. It is
// an [ErrNotAllowed].
type RuleError struct {
	// Reason is a sentence: "two child incidents are still open".
	Reason string `json:"reason"`
}

func (e *RuleError) Error() string { return e.Reason }

// Refusal returns the reason, for those who gather refusals of several packages.
func (e *RuleError) Refusal() string { return e.Reason }

// Is reports that a rule error is an [ErrNotAllowed].
func (e *RuleError) Is(target error) bool { return target == ErrNotAllowed }

// A TransitionError says that the lifecycle has no such action in the record's
// state, and what leads on from there instead. It is an [ErrNotAllowed].
type TransitionError struct {
	Action string `json:"action"`
	State  State  `json:"state"`
	// Instead lists the actions that can be asked for in State and lead to
	// another one, sorted.
	Instead []string `json:"instead"`
}

func (e *TransitionError) Error() string {
	instead := strings.Join(e.Instead, ", ")
	switch {
	case e.State == "":
		return fmt.Sprintf("action %q does not create a record; that does %s", e.Action, instead)
	case instead == "":
		return fmt.Sprintf("action %q is not permitted in state %q, from which nothing leads on", e.Action, e.State)
	}
	return fmt.Sprintf("action %q is not permitted in state %q, from which lead on: %s", e.Action, e.State, instead)
}

// Is reports that a transition error is an [ErrNotAllowed].
func (e *TransitionError) Is(target error) bool { return target == ErrNotAllowed }

// Findings lists every finding in an error, in order: each a *[FieldError], a
// *[RuleError], a *[TransitionError], or an error that holds none of them. It
// returns nil for nil.
//
// What another package finds takes part: an error with a method
// Finding() (field, reason string) is listed as a FieldError, one with a method
// Refusal() string as a RuleError. Those of packages sla and approval have them.
func Findings(err error) []error {
	switch e := err.(type) {
	case nil:
		return nil
	case *FieldError, *RuleError, *TransitionError:
	case interface{ Finding() (field, reason string) }:
		field, reason := e.Finding()
		return []error{&FieldError{Field: field, Reason: reason}}
	case interface{ Refusal() string }:
		return []error{&RuleError{Reason: e.Refusal()}}
	case interface{ Unwrap() []error }:
		var all []error
		for _, one := range e.Unwrap() {
			all = append(all, Findings(one)...)
		}
		if slices.ContainsFunc(all, isDetail) {
			return all
		}
	case interface{ Unwrap() error }:
		// What wraps a finding says where it was found, which its reader knows;
		// what wraps anything else is kept for what it says.
		if all := Findings(e.Unwrap()); slices.ContainsFunc(all, isDetail) {
			return all
		}
	}
	return []error{err}
}

// Under returns what is wrong with a part of an input as what is wrong with the
// whole: the [Findings] of err, each FieldError under the part's field. An error
// without findings, and nil, are returned as they are. With an empty field it only
// puts what another package found into FieldErrors and RuleErrors.
func Under(field string, err error) error {
	all := Findings(err)
	if !slices.ContainsFunc(all, isDetail) {
		return err
	}
	for i, f := range all {
		if e, ok := f.(*FieldError); ok {
			all[i] = &FieldError{Field: strict.Join(field, e.Field), Reason: e.Reason}
		}
	}
	return (&Validation{all}).Err()
}

func isDetail(err error) bool {
	switch err.(type) {
	case *FieldError, *RuleError, *TransitionError:
		return true
	}
	return false
}

// settled is an error of an action's or a practice's own as an [ErrInvalid] or an
// [ErrNotAllowed], if it is what another package found.
func settled(err error) error {
	if err == nil || isFinding(err) {
		return err
	}
	return Under("", err)
}

// isFinding reports whether an error is about the input or the record, so that
// more findings may stand beside it, rather than a failure on the way.
func isFinding(err error) bool {
	return errors.Is(err, ErrInvalid) || errors.Is(err, ErrNotAllowed)
}
