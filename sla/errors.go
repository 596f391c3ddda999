package sla

import (
	"errors"
	"strings"

	"github.com/go-itsm/itsm/internal/found"
)

// ErrInvalid says that a value is wrong in itself: a calendar, a goal, an
// agreement. [Findings] lists everything that is wrong with it.
var ErrInvalid = errors.New("sla: invalid")

// A Finding is one thing that is wrong with a value. It is an [ErrInvalid].
type Finding struct {
	// Field is the path of the JSON field: "weekly.mon[0]", "goals[2].within".
	// It is empty when the value as a whole is meant.
	Field string `json:"field,omitempty"`
	// Reason says what is wrong with it, as a sentence without its subject:
	// "must not be empty".
	Reason string `json:"reason"`
}

func (f *Finding) Error() string {
	if f.Field == "" {
		return f.Reason
	}
	return f.Field + " " + f.Reason
}

// Is reports that a finding is an [ErrInvalid].
func (f *Finding) Is(target error) bool { return target == ErrInvalid }

// Finding returns field and reason, for those who gather findings of several packages.
func (f *Finding) Finding() (field, reason string) { return f.Field, f.Reason }

// Findings lists what is wrong with a value, in the order of its fields. It
// returns nil for an error that is no [ErrInvalid].
func Findings(err error) []*Finding {
	var one *Finding
	var all findings
	switch {
	case errors.As(err, &all):
		return all
	case errors.As(err, &one):
		return []*Finding{one}
	}
	return nil
}

// findings collects them, so that a value is refused with all of them at once.
type findings []*Finding

// check adds a finding unless ok.
func (f *findings) check(ok bool, field, reason string) {
	if !ok {
		*f = append(*f, &Finding{Field: field, Reason: reason})
	}
}

// add adds what another check found, each under a field.
func (f *findings) add(field string, err error) {
	for _, one := range Findings(err) {
		f.check(false, join(field, one.Field), one.Reason)
	}
}

// err returns nil if nothing was found.
func (f findings) err() error {
	switch len(f) {
	case 0:
		return nil
	case 1:
		return f[0]
	}
	return f
}

func (f findings) Error() string { return found.Line(f) }

func (f findings) Is(target error) bool { return target == ErrInvalid }

func (f findings) Unwrap() []error { return found.Errors(f) }

// join puts a field under another.
func join(parent, field string) string {
	if parent == "" || field == "" || strings.HasPrefix(field, "[") {
		return parent + field
	}
	return parent + "." + field
}
