package approval

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"time"
	"unicode/utf8"
)

const (
	// maxJSON is the most bytes of a policy or an electorate as JSON.
	maxJSON = 1 << 20
	// maxJSONDepth is how deep that may be nested: what maxDepth rules need, and
	// some more, so that one too many is said in words of policies.
	maxJSONDepth = 100
)

// ParsePolicy reads a policy's JSON form, of which there is an example at [Policy].
// Lengths of time are text such as "48h", or nanoseconds, as they are written. At
// most 1 MiB of valid UTF-8 is read. It returns an [ErrInvalid] with everything that
// is wrong: names that are not known or there twice, values of the wrong type, and
// what [Policy.Validate] finds.
func ParsePolicy(data []byte) (Policy, error) { return parse(data, Policy.Validate) }

// ParseElectorate reads an electorate's JSON form in the way of [ParsePolicy].
func ParseElectorate(data []byte) (Electorate, error) { return parse(data, Electorate.Validate) }

// parse reads a value and validates it. What could not be read is not found missing
// as well.
func parse[T any](data []byte, validate func(T) error) (T, error) {
	var v, none T
	var f findings
	switch {
	case len(data) > maxJSON:
		f.add(path{}, "must have at most %d bytes, has %d", maxJSON, len(data))
	case !utf8.Valid(data):
		f.add(path{}, "must be valid UTF-8")
	case !json.Valid(data):
		f.add(path{}, "must be JSON: %s", syntaxFault(data))
	case jsonDepth(data) > maxJSONDepth:
		f.add(path{}, "must be nested at most %d deep", maxJSONDepth)
	case bytes.TrimSpace(data)[0] != '{':
		f.add(path{}, "must be an object")
	}
	if err := f.err(); err != nil {
		return none, err
	}
	root := path{}
	f.read(reflect.ValueOf(&v).Elem(), data, &root)
	said := map[string]bool{}
	for _, one := range f {
		said[one.Field] = true
	}
	for _, one := range Findings(validate(v)) {
		if !said[one.Field] {
			f = append(f, one)
		}
	}
	if err := f.err(); err != nil {
		return none, err
	}
	return v, nil
}

func syntaxFault(data []byte) string {
	var raw json.RawMessage
	if err := json.Unmarshal(data, &raw); err != nil {
		return err.Error()
	}
	return "malformed"
}

// jsonDepth returns how deep valid JSON is nested.
func jsonDepth(data []byte) int {
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

// read reads valid JSON into a settable value and goes on after a fault. Null is
// what is not there.
func (f *findings) read(to reflect.Value, raw json.RawMessage, at *path) {
	raw = bytes.TrimSpace(raw)
	if string(raw) == "null" {
		return
	}
	switch kind := to.Kind(); {
	case to.Type() == reflect.TypeFor[time.Time]():
		var t time.Time
		f.check(json.Unmarshal(raw, &t) == nil, *at, "must be a time in RFC 3339, such as 2026-03-29T02:30:00Z")
		to.Set(reflect.ValueOf(t.UTC()))
	case to.Type() == reflect.TypeFor[time.Duration]():
		f.duration(to, raw, at)
	case kind == reflect.Pointer:
		to.Set(reflect.New(to.Type().Elem()))
		f.read(to.Elem(), raw, at)
	case kind == reflect.Struct:
		f.object(to, raw, at)
	case kind == reflect.Slice:
		var items []json.RawMessage
		if json.Unmarshal(raw, &items) != nil {
			f.check(false, *at, "must be a list")
			return
		}
		if len(items) > 0 { // as it is written
			to.Set(reflect.MakeSlice(to.Type(), len(items), len(items)))
		}
		for i, item := range items {
			element := path{at.up, at.name, i}
			f.read(to.Index(i), item, &element)
		}
	case kind == reflect.String:
		f.check(json.Unmarshal(raw, to.Addr().Interface()) == nil, *at, "must be text")
	case kind == reflect.Bool:
		f.check(json.Unmarshal(raw, to.Addr().Interface()) == nil, *at, "must be true or false")
	default:
		f.check(json.Unmarshal(raw, to.Addr().Interface()) == nil, *at, "must be a whole number")
	}
}

// duration reads a length of time, as text or in nanoseconds.
func (f *findings) duration(to reflect.Value, raw json.RawMessage, at *path) {
	var spelled string
	if json.Unmarshal(raw, to.Addr().Interface()) == nil {
		return
	}
	_ = json.Unmarshal(raw, &spelled) // what is no text is no duration either
	d, err := time.ParseDuration(spelled)
	f.check(err == nil, *at, `must be a duration, such as "1h30m", or nanoseconds`)
	to.SetInt(int64(d))
}

// object reads the members of an object into the fields of a struct.
func (f *findings) object(to reflect.Value, raw json.RawMessage, at *path) {
	dec := json.NewDecoder(bytes.NewReader(raw))
	if open, _ := dec.Token(); open != json.Delim('{') {
		f.check(false, *at, "must be an object")
		return
	}
	seen := map[string]bool{}
	for dec.More() {
		token, _ := dec.Token()
		name := fmt.Sprint(token)
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil {
			f.check(false, *at, "must be JSON")
			return
		}
		field := at.field(shorten(name))
		if seen[name] {
			f.check(false, field, "is there twice")
			continue
		}
		seen[name] = true
		if known := jsonField(to, name); known.IsValid() {
			f.read(known, value, &field)
		} else {
			f.check(false, field, "is not known")
		}
	}
}

// jsonField returns the field of a struct that has a name in JSON.
func jsonField(v reflect.Value, name string) reflect.Value {
	for i := range v.NumField() {
		if tag, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ","); tag == name {
			return v.Field(i)
		}
	}
	return reflect.Value{}
}
