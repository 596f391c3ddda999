package itsm

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-itsm/itsm/internal/strict"
)

var timeType = reflect.TypeFor[time.Time]()

// A shape knows one type of an action well enough to bring values of it into
// the form that survives the way through JSON, so that what is applied today
// is what a replay applies later: valid text, UTC times in microseconds, no
// empty lists beside missing ones, and nothing shared with the caller.
type shape struct {
	kind   shapeKind
	fields []shapeField // of a struct
	elem   *shape       // of a slice, array, map or pointer
}

type shapeField struct {
	index int
	name  string // JSON name, empty for an embedded struct
	shape *shape
}

type shapeKind uint8

const (
	plain       shapeKind = iota // numbers, booleans
	text                         // strings
	ownJSON                      // types with a JSON form of their own
	instantKind                  // time.Time
	rawJSON
	structure
	list // slices
	array
	mapping
	pointer
)

// shapeOf examines a type. The findings say what in it the history would lose.
func shapeOf(v *Validation, t reflect.Type, path string, open map[reflect.Type]*shape) *shape {
	if s, ok := open[t]; ok {
		return s
	}
	s := new(shape)
	open[t] = s
	switch {
	case t == timeType:
		s.kind = instantKind
		return s
	case t == reflect.TypeFor[json.RawMessage]():
		s.kind = rawJSON
		return s
	case t == reflect.TypeFor[json.Number]():
		v.Check(false, path, "is a json.Number, whose zero value comes back as another")
		return s
	case strict.HasOwn(t):
		s.kind = ownJSON
		v.Check(strict.Writes(t) && strict.Reads(t), path, "has a JSON form of its own that is not both written by a value and read by a pointer")
		if t.Kind() == reflect.Struct {
			for i := range t.NumField() {
				f := t.Field(i)
				v.Check(!f.Anonymous || !strict.HasOwn(f.Type), join(path, f.Name),
					"is embedded and has a JSON form of its own: the other fields would be lost")
			}
		}
		return s
	}
	switch t.Kind() {
	case reflect.String:
		s.kind = text
	case reflect.Struct:
		s.kind = structure
		for _, name := range ambiguous(t) {
			v.Check(false, join(path, name), "is the JSON name of several embedded fields: the history would lose them")
		}
		for i := range t.NumField() {
			f := t.Field(i)
			name, skip := strict.Name(f)
			where := join(path, f.Name)
			_, options, _ := strings.Cut(f.Tag.Get("json"), ",")
			v.Check(!strings.Contains(options, "string"), where, "must not be written as a string")
			_, ownZero := reflect.New(f.Type).Interface().(interface{ IsZero() bool })
			v.Check(!strings.Contains(options, "omitzero") || f.Type == timeType || f.Type.Kind() != reflect.Pointer && !ownZero, where,
				"must not be left out by an IsZero of its own: what it holds would be lost")
			raw := f.Type == reflect.TypeFor[json.RawMessage]()
			v.Check(!raw || strings.Contains(options, "omit"), where, "is raw JSON and needs omitempty: nil would come back as null")
			v.Check(f.IsExported() || f.Anonymous, where, "is not exported: the history would lose it")
			v.Check(!skip, where, "has no JSON form: the history would lose it")
			v.Check(!f.Anonymous || f.Type.Kind() == reflect.Struct, where, "is embedded and no struct")
			if skip || !f.IsExported() && !f.Anonymous {
				continue
			}
			if name == "" && !f.Anonymous {
				name = f.Name
			}
			if inner := shapeOf(v, f.Type, where, open); inner.kind != plain {
				s.fields = append(s.fields, shapeField{i, name, inner})
			}
		}
	case reflect.Slice:
		s.kind = list // before its elements, which may contain it
		s.elem = shapeOf(v, t.Elem(), path+"[]", open)
	case reflect.Array:
		s.kind = array
		s.elem = shapeOf(v, t.Elem(), path+"[]", open)
	case reflect.Map:
		v.Check(t.Key().Kind() == reflect.String, path, "must be a map with text keys")
		s.kind = mapping
		s.elem = shapeOf(v, t.Elem(), path+"[]", open)
	case reflect.Pointer:
		kind := t.Elem().Kind()
		v.Check(kind != reflect.Slice && kind != reflect.Map && kind != reflect.Pointer, path,
			"points to what can be nil itself, which JSON cannot tell apart")
		s.kind = pointer
		s.elem = shapeOf(v, t.Elem(), path, open)
	case reflect.Interface, reflect.Func, reflect.Chan, reflect.UnsafePointer, reflect.Complex64, reflect.Complex128, reflect.Uintptr, reflect.Invalid:
		v.Check(false, path, fmt.Sprintf("is a %s, which cannot be read back from JSON", t.Kind()))
	case reflect.Bool, reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Float32, reflect.Float64:
	}
	return s
}

// ambiguous lists the JSON names that a struct has more than once, counting those
// of its embedded structs, of which encoding/json keeps one at the most.
func ambiguous(t reflect.Type) []string {
	times := map[string]int{}
	var count func(t reflect.Type)
	count = func(t reflect.Type) {
		for i := range t.NumField() {
			f := t.Field(i)
			name, skip := strict.Name(f)
			switch {
			case skip || !f.IsExported() && !f.Anonymous:
			case f.Anonymous && name == "" && f.Type.Kind() == reflect.Struct:
				count(f.Type)
			default:
				times[cmp.Or(name, f.Name)]++
			}
		}
	}
	count(t)
	return slices.DeleteFunc(sortedKeys(times), func(name string) bool { return times[name] == 1 })
}

// clean reports whether a value needs nothing done to it. It does not allocate.
func (s *shape) clean(v reflect.Value) bool {
	switch s.kind {
	case plain:
		return true
	case text:
		return cleanText(v.String())
	case structure:
		for i := range s.fields {
			if f := &s.fields[i]; !f.shape.clean(v.Field(f.index)) {
				return false
			}
		}
		return true
	case instantKind:
		return v.IsZero()
	case list, mapping, pointer, rawJSON:
		return v.IsNil()
	case array, ownJSON: // are always settled
	}
	return false
}

func cleanText(s string) bool {
	return utf8.ValidString(s) && strings.IndexByte(s, 0) < 0
}

// settle brings a settable value into its lasting form and collects what cannot
// be.
func (s *shape) settle(f *Validation, v reflect.Value, path string) {
	switch s.kind {
	case plain:
	case text:
		f.Check(utf8.ValidString(v.String()), path, "must be valid UTF-8")
		f.Check(strings.IndexByte(v.String(), 0) < 0, path, "must not contain NUL")
	case instantKind:
		t := v.Addr().Interface().(*time.Time)
		*t = instant(*t)
		f.Check(t.Year() >= 0 && t.Year() <= 9999, path, "must be in the years 0 to 9999")
	case ownJSON:
		s.roundTrip(f, v, path)
	case rawJSON:
		if v.Len() == 0 {
			v.SetZero()
			return
		}
		var compact, escaped bytes.Buffer
		err := json.Compact(&compact, v.Bytes())
		f.Check(err == nil, path, "must be JSON")
		f.Check(utf8.Valid(v.Bytes()), path, "must be valid UTF-8")
		json.HTMLEscape(&escaped, compact.Bytes()) // as json.Marshal will
		v.SetBytes(escaped.Bytes())
	case structure:
		for i := range s.fields {
			field := &s.fields[i]
			where := path
			if field.name != "" {
				where = join(path, field.name)
			}
			field.shape.settle(f, v.Field(field.index), where)
		}
	case array:
		for i := range v.Len() {
			s.elem.settleIn(f, v.Index(i), fmt.Sprintf("%s[%d]", path, i))
		}
	case list:
		if v.Len() == 0 {
			v.SetZero()
			return
		}
		own := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
		reflect.Copy(own, v)
		v.Set(own)
		for i := range v.Len() {
			s.elem.settleIn(f, v.Index(i), fmt.Sprintf("%s[%d]", path, i))
		}
	case mapping:
		if v.Len() == 0 {
			v.SetZero()
			return
		}
		own := reflect.MakeMapWithSize(v.Type(), v.Len())
		for it := v.MapRange(); it.Next(); {
			item := reflect.New(v.Type().Elem()).Elem()
			item.Set(it.Value())
			where := join(path, it.Key().String())
			f.Check(cleanText(it.Key().String()), where, "must be valid UTF-8 without NUL")
			s.elem.settleIn(f, item, where)
			own.SetMapIndex(it.Key(), item)
		}
		v.Set(own)
	case pointer:
		if v.IsNil() {
			return
		}
		own := reflect.New(v.Type().Elem())
		own.Elem().Set(v.Elem())
		v.Set(own)
		s.elem.settle(f, v.Elem(), path)
	}
}

// settleIn is settle for an element of a list, array or map, which cannot be left
// out: raw JSON that is nil comes back as null.
func (s *shape) settleIn(f *Validation, v reflect.Value, path string) {
	if s.kind == rawJSON && v.Len() == 0 {
		v.SetBytes([]byte("null"))
	}
	s.settle(f, v, path)
}

// roundTrip sends a value through its own JSON form, so that what is applied is
// what comes back, whatever the form leaves out.
func (s *shape) roundTrip(f *Validation, v reflect.Value, path string) {
	data, err := json.Marshal(v.Interface())
	back := reflect.New(v.Type())
	if err == nil {
		err = json.Unmarshal(data, back.Interface())
	}
	if err != nil {
		f.Check(false, path, "does not survive its own JSON form: "+err.Error())
		return
	}
	v.Set(back.Elem())
}
