package itsm

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"
	"unicode/utf8"
)

// An ID names a record or an event. Ids made by the library are time-ordered
// and say what they name ([NewID]); a host may use its own numbers instead
// ([Config.NewID]).
type ID string

// A Version counts the events of one record: 1 is its creation.
type Version uint64

// A State is a state of a lifecycle, such as incident.Resolved. Each practice
// declares its own as constants and lists them in its lifecycle.
type State string

// Meta is what every record has in common. A record type embeds it:
//
//	type Incident struct {
//		itsm.Meta
//		Title string `json:"title"`
//	}
//
// The practice keeps it; an action's Apply may change Links and Fields only,
// anything else that it sets here is set back.
//
// All times are UTC and whole microseconds, which is what every common
// database keeps.
type Meta struct {
	ID      ID      `json:"id"`
	Version Version `json:"version"`
	State   State   `json:"state"`
	// Created and Changed are the times of the first and the latest event.
	Created time.Time `json:"created"`
	Changed time.Time `json:"changed"`
	// Due is when time alone will make something happen to the record, zero if
	// nothing will. Stores index it for the [Runner].
	Due time.Time `json:"due,omitzero"`
	// Links are references to other records, oldest first.
	Links []Link `json:"links,omitempty"`
	// Fields is the host's own data.
	Fields Fields `json:"fields,omitempty"`
}

// Header returns the record's Meta. Embedding Meta is what makes a struct a
// [Record].
func (m *Meta) Header() *Meta { return m }

// A Record is a pointer to a struct that embeds [Meta].
type Record interface{ Header() *Meta }

// MetaOf returns the Meta of a record, or nil if *R is no [Record].
func MetaOf[R any](r *R) *Meta {
	if rec, ok := any(r).(Record); ok {
		return rec.Header()
	}
	return nil
}

// A Key is a field of a record and its value, by which records are listed:
// {"assignee", "jin"}.
type Key struct {
	Field string `json:"field"`
	Value string `json:"value"`
}

// Indexed is what a record type implements (with a value or pointer receiver)
// to be listed by more than its state: it appends the keys under which it is
// to be found; one that is there twice counts once. Stores index them. It is
// pure: stores call it while they commit or list.
type Indexed interface {
	AppendKeys(keys []Key) []Key
}

// A Ref points to a record of any practice, here or elsewhere. It is a value:
// following it is the host's, and pointing at something never changes it.
type Ref struct {
	// Kind is the practice's name ("problem"), or the host's word for what it
	// keeps itself ("ci", "asset", "url").
	Kind string `json:"kind"`
	ID   ID     `json:"id"`
}

func (r Ref) String() string { return r.Kind + ":" + string(r.ID) }

// A Link is a reference with its meaning, read from the record that has it:
// this incident is "caused_by" that change.
type Link struct {
	Rel string `json:"rel"`
	To  Ref    `json:"to"`
}

// A Proposal is a record that may help with another one: a known error or an
// article for a new incident. It points there and copies nothing.
type Proposal struct {
	To Ref `json:"to"`
	// Score orders proposals, the highest first; its scale is that of whoever
	// proposes.
	Score float64 `json:"score"`
	// Reason says why it was proposed.
	Reason string `json:"reason"`
}

// Fields holds a host's own data by name, each value as compact JSON. It is
// copied with the record, kept in the history through [SetFields], and not
// looked into.
type Fields map[string]json.RawMessage

// Set stores a value under a name. It returns an [ErrInvalid] if the value has
// no JSON form.
func (f *Fields) Set(name string, value any) error {
	data, err := json.Marshal(value)
	if err != nil {
		return &FieldError{Field: name, Reason: "has no JSON form: " + err.Error()}
	}
	if *f == nil {
		*f = Fields{}
	}
	(*f)[name] = data
	return nil
}

// Get reads the value under a name into target, which is left alone if there
// is none. It returns an [ErrInvalid] if the value does not fit.
func (f Fields) Get(name string, target any) error {
	data, ok := f[name]
	if !ok {
		return nil
	}
	if err := json.Unmarshal(data, target); err != nil {
		return &FieldError{Field: name, Reason: "does not fit: " + err.Error()}
	}
	return nil
}

// Text returns the value under a name for conditions and lists: a text as it is,
// anything else as its JSON, and "" if there is none.
func (f Fields) Text(name string) string {
	var text string
	if f.Get(name, &text) != nil {
		return string(f[name]) // a number, true or false
	}
	return text
}

// Limits of what a record carries, so that its size is bounded.
const (
	maxLinks     = 1000
	maxFields    = 200
	maxFieldName = 100
	maxFieldSize = 16 << 10
)

// AddLink is the action that adds a link to any record. Each practice gives it
// a name of its own and lists it: incident.Link is AddLink[Incident].
type AddLink[R any] struct {
	Link
}

// Action returns "link".
func (AddLink[R]) Action() string { return "link" }

// Validate checks that the relation, kind and id are there.
func (a AddLink[R]) Validate() error {
	var v Validation
	v.Text("rel", a.Rel, 1, 100)
	v.Ref("to", a.To)
	return v.Err()
}

// Apply adds the link; a link that is there already is refused.
func (a AddLink[R]) Apply(r *R, _ Moment) error {
	m := MetaOf(r)
	var v Validation
	v.Rule(!slices.Contains(m.Links, a.Link), fmt.Sprintf("the link %s %s is there already", a.Rel, a.To))
	v.Rule(len(m.Links) < maxLinks, fmt.Sprintf("a record has at most %d links", maxLinks))
	m.Links = append(m.Links, a.Link)
	return v.Err()
}

// RemoveLink is the action that removes a link from any record.
type RemoveLink[R any] struct {
	Link
}

// Action returns "unlink".
func (RemoveLink[R]) Action() string { return "unlink" }

// Validate checks that the relation, kind and id are there.
func (a RemoveLink[R]) Validate() error { return AddLink[R](a).Validate() }

// Guard refuses if there is no link.
func (RemoveLink[R]) Guard(r *R, _ Moment) error {
	if len(MetaOf(r).Links) == 0 {
		return Refuse("there is no link")
	}
	return nil
}

// Apply removes the link; one that is not there is refused.
func (a RemoveLink[R]) Apply(r *R, _ Moment) error {
	m := MetaOf(r)
	i := slices.Index(m.Links, a.Link)
	if i < 0 {
		return Refuse("there is no link %s %s", a.Rel, a.To)
	}
	m.Links = slices.Delete(m.Links, i, i+1)
	if len(m.Links) == 0 {
		m.Links = nil
	}
	return nil
}

// SetFields is the action that changes the host's own data on any record: each
// name is set to its value, and removed where the value is null.
type SetFields[R any] struct {
	Fields Fields `json:"fields"`
}

// Action returns "set_fields".
func (SetFields[R]) Action() string { return "set_fields" }

// Validate checks names and values.
func (a SetFields[R]) Validate() error {
	var v Validation
	v.Check(len(a.Fields) > 0, "fields", "must not be empty")
	for _, name := range slices.Sorted(maps.Keys(a.Fields)) {
		field, value := "fields."+name, a.Fields[name]
		v.Text(field, name, 1, maxFieldName)
		v.Check(len(value) <= maxFieldSize, field, fmt.Sprintf("must have at most %d bytes", maxFieldSize))
		v.Check(json.Valid(value), field, "must be JSON")
		v.Check(utf8.Valid(value), field, "must be valid UTF-8")
	}
	return v.Err()
}

// Apply sets and removes the fields.
func (a SetFields[R]) Apply(r *R, _ Moment) error {
	m := MetaOf(r)
	for name, value := range a.Fields {
		var compact bytes.Buffer
		if err := json.Compact(&compact, value); err != nil {
			return &FieldError{Field: "fields." + name, Reason: "must be JSON"}
		}
		if compact.String() == "null" {
			delete(m.Fields, name)
			continue
		}
		if m.Fields == nil {
			m.Fields = Fields{}
		}
		m.Fields[name] = compact.Bytes()
	}
	if len(m.Fields) == 0 {
		m.Fields = nil
	}
	if len(m.Fields) > maxFields {
		return Refuse("a record has at most %d fields of the host's own", maxFields)
	}
	return nil
}
