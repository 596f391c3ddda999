package itsm

import (
	"github.com/go-itsm/itsm/internal/short"
	"github.com/go-itsm/itsm/internal/strict"
)

const (
	// maxAction is the most bytes of one action as JSON.
	maxAction = 256 << 10
	// maxDefinition is the most bytes of a lifecycle or matrix as JSON.
	maxDefinition = 1 << 20
)

// ParseJSON reads a value that comes from outside, such as a definition that a host
// keeps as data: a change model, a catalogue. The type is one of exported fields
// with json tags; lengths of time are text such as "1h30m", or nanoseconds, and times
// are turned to UTC. At most 1 MiB of valid UTF-8 is read.
//
// It returns an [ErrInvalid] with everything that is wrong at once: names that are
// not known or there twice, values of the wrong type, and, if the value is a
// [Validator], what it finds wrong with itself, except where it could not be read.
func ParseJSON[T any](data []byte) (T, error) {
	var value, none T
	faults := strict.Read(data, &value, maxDefinition)
	var wrong error
	if !faults.Whole() { // else there is nothing to judge
		wrong = validate(value)
	}
	if err := unread(faults, wrong); err != nil {
		return none, err
	}
	return value, nil
}

// decodeStrict reads JSON into a value, which must point to its zero value. It
// returns an [ErrInvalid] with everything that is wrong.
func decodeStrict(data []byte, target any, most int) error {
	return unread(strict.Read(data, target, most), nil)
}

// unread returns what could not be read, and what was found wrong with the rest.
func unread(faults strict.Faults, wrong error) error {
	var v Validation
	for _, f := range faults {
		v.Check(false, f.Field, f.Reason)
	}
	covered := faults.Cover()
	for _, f := range Findings(wrong) {
		if field, ok := f.(*FieldError); !ok || !covered(field.Field) {
			v.Add(f)
		}
	}
	return v.Err()
}

// join puts a field under another.
func join(path, name string) string { return strict.Join(path, short.Text(name)) }
