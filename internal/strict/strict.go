// Package strict reads JSON that comes from outside. Other than encoding/json it
// knows the names of fields in one spelling only, refuses those that are not known or
// there twice, and goes on after a fault, so that whoever wrote the JSON is told
// everything at once.
package strict

import (
	"bytes"
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-itsm/itsm/internal/short"
)

// maxDepth is how deep JSON may be nested. Reading it costs time in proportion.
const maxDepth = 100

// A Fault is one thing that is wrong with what was read.
type Fault struct {
	// Field is the path of the JSON field, empty for the whole: "rule.of[1].weight".
	Field string
	// Reason is a sentence without its subject: "must be text".
	Reason string
}

const twice = "is there twice"

// Faults are all of them, in the order of the JSON.
type Faults []Fault

// Whole reports whether the whole could not be read.
func (f Faults) Whole() bool {
	return slices.ContainsFunc(f, func(one Fault) bool { return one.Field == "" })
}

// Cover returns a function that reports whether something is said of a field, or of
// one that it is a part of: what could not be read is not missing as well.
func (f Faults) Cover() func(field string) bool {
	said := map[string]bool{}
	for _, one := range f {
		if one.Reason != twice { // of which the first was read
			said[one.Field] = true
		}
	}
	return func(field string) bool {
		for i, c := range field {
			if (c == '.' || c == '[') && said[field[:i]] {
				return true
			}
		}
		return said[field] || said[""]
	}
}

// Read reads at most so many bytes of JSON into a value, to which target points and
// which must be zero. What could be read is there also where faults are returned.
// Null is what is not there; as the whole, and as an element of a list of objects, it is
// a fault. Times are turned to UTC, and lengths of time are text such as "1h30m", or nanoseconds. A
// type that reads itself is asked to; where its error says what is wrong, in the way of
// itsm.Findings, that is told under the field that it is read for.
func Read(data []byte, target any, most int) Faults {
	var r reader
	switch {
	case len(data) > most:
		r.fault("", fmt.Sprintf("must have at most %d bytes, has %d", most, len(data)))
	case !utf8.Valid(data):
		r.fault("", "must be valid UTF-8")
	case !json.Valid(data):
		r.fault("", "must be JSON: "+syntaxFault(data))
	case depth(data) > maxDepth:
		r.fault("", fmt.Sprintf("must be nested at most %d deep", maxDepth))
	default:
		to := reflect.ValueOf(target).Elem()
		whole := to.Type()
		for whole.Kind() == reflect.Pointer {
			whole = whole.Elem()
		}
		if whole.Kind() == reflect.Struct && isNull(bytes.TrimSpace(data)) {
			r.fault("", "must be an object")
		}
		r.read(to, data, "")
	}
	return r.faults
}

func syntaxFault(data []byte) string {
	var raw json.RawMessage
	if err := json.Unmarshal(data, &raw); err != nil {
		return err.Error()
	}
	return "malformed"
}

// depth returns how deep valid JSON is nested.
func depth(data []byte) int {
	level, deepest, quoted := 0, 0, false
	for i := 0; i < len(data); i++ {
		switch c := data[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			level++
			deepest = max(deepest, level)
		case c == '}' || c == ']':
			level--
		}
	}
	return deepest
}

func isNull(raw []byte) bool { return string(raw) == "null" }

type reader struct{ faults Faults }

func (r *reader) fault(path, reason string) { r.faults = append(r.faults, Fault{path, reason}) }

// read reads valid JSON into a settable value.
func (r *reader) read(to reflect.Value, raw json.RawMessage, path string) {
	raw = bytes.TrimSpace(raw)
	if isNull(raw) {
		return
	}
	if Reads(to.Type()) {
		r.leaf(to, raw, path)
		return
	}
	switch to.Kind() {
	case reflect.Pointer:
		to.Set(reflect.New(to.Type().Elem()))
		r.read(to.Elem(), raw, path)
	case reflect.Struct:
		fields := fieldsOf(to.Type())
		r.members(raw, path, func(name, at string, value json.RawMessage) {
			if index, ok := fields[name]; ok {
				r.read(to.FieldByIndex(index), value, at)
			} else {
				r.fault(at, "is not known")
			}
		})
	case reflect.Slice, reflect.Array:
		r.list(to, raw, path)
	case reflect.Map:
		r.mapping(to, raw, path)
	default:
		r.leaf(to, raw, path)
	}
}

func (r *reader) list(to reflect.Value, raw json.RawMessage, path string) {
	elem := to.Type().Elem()
	if elem.Kind() == reflect.Uint8 {
		r.leaf(to, raw, path)
		return
	}
	var items []json.RawMessage
	if err := json.Unmarshal(raw, &items); err != nil {
		r.fault(path, "must be a list")
		return
	}
	switch {
	case len(items) == 0: // is as good as none
	case to.Kind() == reflect.Slice:
		to.Set(reflect.MakeSlice(to.Type(), len(items), len(items)))
	case len(items) > to.Len():
		r.fault(path, fmt.Sprintf("must have at most %d elements, has %d", to.Len(), len(items)))
		return
	}
	for i, item := range items {
		at := fmt.Sprintf("%s[%d]", path, i)
		switch {
		case !isNull(item):
			r.read(to.Index(i), item, at)
		case Reads(elem):
			r.fault(at, "must not be null")
		case elem.Kind() == reflect.Struct:
			r.fault(at, "must be an object")
		}
	}
}

func (r *reader) mapping(to reflect.Value, raw json.RawMessage, path string) {
	t := to.Type()
	if t.Key().Kind() != reflect.String && !readsText(t.Key()) {
		r.leaf(to, raw, path)
		return
	}
	to.Set(reflect.MakeMap(t))
	r.members(raw, path, func(name, at string, value json.RawMessage) {
		item := reflect.New(t.Elem()).Elem()
		if t.Elem() == reflect.TypeFor[json.RawMessage]() {
			item.SetBytes(bytes.Clone(value)) // null too
		} else {
			r.read(item, value, at)
		}
		key := reflect.New(t.Key())
		if text, ok := key.Interface().(encoding.TextUnmarshaler); ok {
			if err := text.UnmarshalText([]byte(name)); err != nil {
				r.refused(at, "is no name that fits", err)
				return
			}
		} else {
			key.Elem().SetString(name)
		}
		to.SetMapIndex(key.Elem(), item)
	})
}

// leaf leaves a value to encoding/json and says in our words what it should have
// been.
func (r *reader) leaf(to reflect.Value, raw json.RawMessage, path string) {
	err := json.Unmarshal(raw, to.Addr().Interface())
	switch kind, t := to.Kind(), to.Type(); {
	case t == reflect.TypeFor[time.Time]():
		if err != nil {
			r.fault(path, "must be a time in RFC 3339, such as 2026-03-29T02:30:00Z")
			return
		}
		to.Set(reflect.ValueOf(to.Interface().(time.Time).UTC()))
	case err == nil:
	case t == reflect.TypeFor[time.Duration]():
		var spelled string
		_ = json.Unmarshal(raw, &spelled) // what is no text is no duration either
		d, err := time.ParseDuration(spelled)
		if err != nil {
			r.fault(path, `must be a duration, such as "1h30m", or nanoseconds`)
		}
		to.SetInt(int64(d))
	case readsText(t) && !readsJSON(t) && raw[0] != '"':
		r.fault(path, "must be text")
	case HasOwn(t):
		r.refused(path, "does not fit: "+short.Text(string(raw)), err)
	case kind == reflect.String:
		r.fault(path, "must be text")
	case kind == reflect.Bool:
		r.fault(path, "must be true or false")
	case to.CanInt():
		r.fault(path, fmt.Sprintf("must be a whole number of at most %d bits", t.Bits()))
	case to.CanUint():
		r.fault(path, fmt.Sprintf("must be a whole number from 0 of at most %d bits", t.Bits()))
	case to.CanFloat():
		r.fault(path, "must be a number")
	default:
		r.fault(path, "does not fit: "+short.Text(string(raw)))
	}
}

// refused tells what a type that reads itself found, or, if that is nothing that
// people understand, a reason.
func (r *reader) refused(path, reason string, err error) {
	found := false
	var tell func(err error)
	tell = func(err error) {
		switch e := err.(type) {
		case interface{ Finding() (field, reason string) }:
			field, reason := e.Finding()
			r.fault(Join(path, field), reason)
			found = true
		case interface{ Refusal() string }:
			r.fault(path, e.Refusal())
			found = true
		case interface{ Unwrap() []error }:
			for _, one := range e.Unwrap() {
				tell(one)
			}
		case interface{ Unwrap() error }:
			tell(e.Unwrap())
		}
	}
	tell(err)
	if !found {
		r.fault(path, reason)
	}
}

// members calls f for each member of an object, once for each name.
func (r *reader) members(raw json.RawMessage, path string, f func(name, at string, value json.RawMessage)) {
	Members(raw, path, r.fault, f)
}

// Members calls f for each member of valid JSON that should be an object, with its
// path, and reports whether it is one. It tells of that, and of names that are there
// twice, by fault.
func Members(raw json.RawMessage, path string, fault func(field, reason string), f func(name, at string, value json.RawMessage)) bool {
	dec := json.NewDecoder(bytes.NewReader(raw))
	if open, err := dec.Token(); err != nil || open != json.Delim('{') {
		fault(path, "must be an object")
		return false
	}
	seen := map[string]bool{}
	for dec.More() {
		token, _ := dec.Token()
		name, _ := token.(string)
		at := Join(path, short.Text(name))
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil {
			fault(at, "must be JSON")
			return false
		}
		if seen[name] {
			fault(at, twice)
			continue
		}
		seen[name] = true
		f(name, at, value)
	}
	return true
}

// Join puts a field under another: "rule" and "of[1]" is "rule.of[1]".
func Join(path, field string) string {
	if path == "" || field == "" || field[0] == '[' {
		return path + field
	}
	return path + "." + field
}

// fieldsOf maps the JSON names of a struct, as encoding/json sees them, to their
// places.
func fieldsOf(t reflect.Type) map[string][]int {
	fields := map[string][]int{}
	for _, f := range reflect.VisibleFields(t) {
		name, skip := Name(f)
		if skip || !f.IsExported() || f.Anonymous && name == "" {
			continue
		}
		if name == "" {
			name = f.Name
		}
		if have, ok := fields[name]; !ok || len(f.Index) < len(have) {
			fields[name] = f.Index
		}
	}
	return fields
}

// Name returns the name in a field's json tag, and whether the field is left out
// altogether.
func Name(f reflect.StructField) (name string, skip bool) {
	tag := f.Tag.Get("json")
	if tag == "-" {
		return "", true
	}
	name, _, _ = strings.Cut(tag, ",")
	return name, false
}

// HasOwn reports whether a type, or a pointer to it, has a JSON form of its own, to
// write or to read.
func HasOwn(t reflect.Type) bool { return Writes(reflect.PointerTo(t)) || Reads(t) }

// Writes reports whether a value of a type writes itself.
func Writes(t reflect.Type) bool {
	return t.Implements(reflect.TypeFor[json.Marshaler]()) || t.Implements(reflect.TypeFor[encoding.TextMarshaler]())
}

// Reads reports whether a pointer to a type reads itself.
func Reads(t reflect.Type) bool { return readsJSON(t) || readsText(t) }

func readsJSON(t reflect.Type) bool {
	return reflect.PointerTo(t).Implements(reflect.TypeFor[json.Unmarshaler]())
}

func readsText(t reflect.Type) bool {
	return reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextUnmarshaler]())
}
