package itsm

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
	// maxAction is the most bytes of one action as JSON.
	maxAction = 256 << 10
	// maxDefinition is the most bytes of a lifecycle or matrix as JSON.
	maxDefinition = 1 << 20
	// maxDepthJSON is how deep JSON from outside may be nested. Reading it
	// costs time in proportion.
	maxDepthJSON = 100
)

// decodeStrict reads JSON into a value, which must point to its zero value.
// Other than encoding/json it goes on after the first fault: it returns an
// [ErrInvalid] with every unknown or repeated name and every value of the wrong
// type.
func decodeStrict(data []byte, target any, limit int) error {
	var v Validation
	switch {
	case len(data) > limit:
		v.Check(false, "", fmt.Sprintf("must have at most %d bytes, has %d", limit, len(data)))
	case !utf8.Valid(data):
		v.Check(false, "", "must be valid UTF-8")
	case !json.Valid(data):
		v.Check(false, "", "must be JSON: "+syntaxFault(data))
	case depth(data) > maxDepthJSON:
		v.Check(false, "", fmt.Sprintf("must be nested at most %d deep", maxDepthJSON))
	default:
		decodeInto(&v, reflect.ValueOf(target).Elem(), data, "")
	}
	return v.Err()
}

// DecodeStrict reads a definition that comes from outside, such as a catalogue or
// a practice's policies, for a host's own practice as for those of this module. It
// reads at most 1 MiB of valid UTF-8, nested at most 100 deep, and returns an
// [ErrInvalid] with every finding: names that are not known or there twice, and
// values of the wrong type. Lengths of time may be text such as "48h".
func DecodeStrict[T any](data []byte) (T, error) {
	var v, none T
	if err := decodeStrict(data, &v, maxDefinition); err != nil {
		return none, err
	}
	return v, nil
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

func syntaxFault(data []byte) string {
	var raw json.RawMessage
	if err := json.Unmarshal(data, &raw); err != nil {
		return err.Error()
	}
	return "malformed"
}

// decodeInto reads valid JSON into a settable value.
func decodeInto(v *Validation, target reflect.Value, raw json.RawMessage, path string) {
	raw = bytes.TrimSpace(raw)
	if string(raw) == "null" {
		return
	}
	if reads(target.Type()) {
		decodeLeaf(v, target, raw, path)
		return
	}
	switch target.Kind() {
	case reflect.Pointer:
		target.Set(reflect.New(target.Type().Elem()))
		decodeInto(v, target.Elem(), raw, path)
	case reflect.Struct:
		if raw[0] != '{' {
			v.Check(false, path, "must be an object")
			return
		}
		fields := jsonFields(target.Type())
		members(v, raw, path, func(name string, value json.RawMessage) {
			index, ok := fields[name]
			if !ok {
				v.Check(false, join(path, name), "is not known")
				return
			}
			decodeInto(v, target.FieldByIndex(index), value, join(path, name))
		})
	case reflect.Slice, reflect.Array:
		if target.Type().Elem().Kind() == reflect.Uint8 {
			decodeLeaf(v, target, raw, path)
			return
		}
		if raw[0] != '[' {
			v.Check(false, path, "must be a list")
			return
		}
		var items []json.RawMessage
		if err := json.Unmarshal(raw, &items); err != nil {
			v.Check(false, path, "must be a list")
			return
		}
		if target.Kind() == reflect.Slice {
			target.Set(reflect.MakeSlice(target.Type(), len(items), len(items)))
		} else if len(items) > target.Len() {
			v.Check(false, path, fmt.Sprintf("must have at most %d elements, has %d", target.Len(), len(items)))
			return
		}
		for i, item := range items {
			decodeInto(v, target.Index(i), item, fmt.Sprintf("%s[%d]", path, i))
		}
	case reflect.Map:
		if raw[0] != '{' || target.Type().Key().Kind() != reflect.String {
			v.Check(false, path, "must be an object")
			return
		}
		target.Set(reflect.MakeMap(target.Type()))
		members(v, raw, path, func(name string, value json.RawMessage) {
			item := reflect.New(target.Type().Elem()).Elem()
			if item.Type() == reflect.TypeFor[json.RawMessage]() {
				item.SetBytes(bytes.Clone(value))
			} else {
				decodeInto(v, item, value, join(path, name))
			}
			target.SetMapIndex(reflect.ValueOf(name).Convert(target.Type().Key()), item)
		})
	default:
		decodeLeaf(v, target, raw, path)
	}
}

// decodeLeaf leaves a value to encoding/json and says in our words what it
// should have been.
func decodeLeaf(v *Validation, target reflect.Value, raw json.RawMessage, path string) {
	if err := json.Unmarshal(raw, target.Addr().Interface()); err == nil {
		return
	}
	if target.Type() == durationType {
		var spelled string
		_ = json.Unmarshal(raw, &spelled)
		d, err := time.ParseDuration(spelled)
		v.Check(err == nil, path, `must be a duration, such as "1h30m", or nanoseconds`)
		target.SetInt(int64(d))
		return
	}
	reason := "does not fit: " + shorten(raw)
	switch kind := target.Kind(); {
	case target.Type() == timeType:
		reason = "must be a time in RFC 3339, such as 2026-03-29T02:30:00Z"
	case hasOwnJSON(target.Type()): // and says itself what it takes
	case kind == reflect.String:
		reason = "must be text"
	case kind == reflect.Bool:
		reason = "must be true or false"
	case target.CanInt():
		reason = fmt.Sprintf("must be a whole number of at most %d bits", target.Type().Bits())
	case target.CanUint():
		reason = fmt.Sprintf("must be a whole number from 0 of at most %d bits", target.Type().Bits())
	case target.CanFloat():
		reason = "must be a number"
	}
	v.Check(false, path, reason)
}

// members calls f for each member of a JSON object and finds repeated names.
func members(v *Validation, raw json.RawMessage, path string, f func(name string, value json.RawMessage)) {
	dec := json.NewDecoder(bytes.NewReader(raw))
	if _, err := dec.Token(); err != nil {
		return
	}
	seen := map[string]bool{}
	for dec.More() {
		token, err := dec.Token()
		if err != nil {
			return
		}
		name, _ := token.(string)
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil {
			v.Check(false, join(path, name), "must be JSON")
			return
		}
		if seen[name] {
			v.Check(false, join(path, name), "is there twice")
			continue
		}
		seen[name] = true
		f(name, value)
	}
}

func join(path, name string) string {
	name = shorten([]byte(name))
	if path == "" {
		return name
	}
	return path + "." + name
}

// shorten keeps messages readable where a text comes from outside.
func shorten(raw []byte) string {
	const most = 60
	text := strings.ToValidUTF8(string(raw[:min(len(raw), most)]), "")
	if len(raw) > most {
		text += "…"
	}
	return text
}

// jsonFields maps the JSON names of a struct, as encoding/json sees them, to
// their places.
func jsonFields(t reflect.Type) map[string][]int {
	fields := map[string][]int{}
	for _, f := range reflect.VisibleFields(t) {
		name, skip := jsonName(f)
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

// jsonName returns the name in a field's json tag, and whether the field is
// left out altogether.
func jsonName(f reflect.StructField) (name string, skip bool) {
	tag := f.Tag.Get("json")
	if tag == "-" {
		return "", true
	}
	name, _, _ = strings.Cut(tag, ",")
	return name, false
}
