package itsm

import (
	"cmp"
	"encoding/json"
	"reflect"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-itsm/itsm/internal/strict"
)

// A form writes the JSON of actions of one type, as encoding/json would. Most
// are a few texts, numbers, times and booleans, for which encoding/json takes
// longer than their transition. Where there is more to it, a form leaves it to
// encoding/json. What a form can write is also clean ([shape]).
type form []formField

type formField struct {
	index int
	key   string // quoted, with its colon
	kind  reflect.Kind
	omit  bool // where it is zero
}

// formOf returns the form of a type in which [shapeOf] found nothing wrong, nil
// if there is more to it.
func formOf(t reflect.Type) form {
	if strict.HasOwn(t) {
		return nil
	}
	f := form{}
	for i := range t.NumField() {
		field := t.Field(i)
		name, _ := strict.Name(field)
		name = cmp.Or(name, field.Name)
		kind, omit := field.Type.Kind(), strings.Contains(field.Tag.Get("json"), ",omit")
		switch {
		case !isName(name, "_"):
			return nil
		case field.Type == timeType:
			omit = strings.Contains(field.Tag.Get("json"), ",omitzero") // to encoding/json no time is empty
		case strict.HasOwn(field.Type):
			return nil
		case kind != reflect.String && kind != reflect.Bool && (kind < reflect.Int || kind > reflect.Uint64):
			return nil
		}
		f = append(f, formField{i, `"` + name + `":`, kind, omit})
	}
	return f
}

// append appends the JSON of a value, or reports that it cannot.
func (f form) append(b []byte, v reflect.Value) ([]byte, bool) {
	if f == nil {
		return b, false
	}
	b = append(b, '{')
	for i := range f {
		field, value := &f[i], v.Field(f[i].index)
		if field.omit && value.IsZero() {
			continue
		}
		if len(b) > 1 {
			b = append(b, ',')
		}
		b = append(b, field.key...)
		switch {
		case field.kind == reflect.String:
			text := value.String()
			if !verbatim(text) {
				return b, false
			}
			b = append(append(append(b, '"'), text...), '"')
		case field.kind == reflect.Bool:
			b = strconv.AppendBool(b, value.Bool())
		case value.CanInt():
			b = strconv.AppendInt(b, value.Int(), 10)
		case value.CanUint():
			b = strconv.AppendUint(b, value.Uint(), 10)
		default:
			t := value.Interface().(time.Time)
			if t != instant(t) || t.Year() < 0 || t.Year() > 9999 {
				return b, false
			}
			b = append(t.AppendFormat(append(b, '"'), time.RFC3339Nano), '"')
		}
	}
	return append(b, '}'), true
}

// verbatim reports whether encoding/json writes a text as it stands; it may say
// no to one that it does. Such a text is clean ([cleanText]).
func verbatim(text string) bool {
	var all byteKind
	for i := range len(text) {
		kind := byteKinds[text[i]]
		if kind == special {
			return false
		}
		all |= kind
	}
	return all&multibyte == 0 || utf8.ValidString(text)
}

type byteKind byte

const (
	special   byteKind = 0 // escaped, or begins a character that is
	single    byteKind = 1
	multibyte byteKind = 2 // stands as it is if it is part of a valid character
)

var byteKinds = func() (kinds [256]byteKind) {
	for c := range kinds {
		switch {
		case c < ' ', strings.IndexByte(`"\<>&`, byte(c)) >= 0, c == 0xE2: // of U+2028 and U+2029
		case c < utf8.RuneSelf:
			kinds[c] = single
		default:
			kinds[c] = multibyte
		}
	}
	return kinds
}()

// marshal is json.Marshal with a finding for what goes wrong.
func marshal(a any) ([]byte, error) {
	data, err := json.Marshal(a)
	if err != nil {
		return nil, &FieldError{Field: "data", Reason: err.Error()}
	}
	return data, nil
}
