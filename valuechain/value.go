package valuechain

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/internal/short"
)

// A Kind is a type of values in logs.
type Kind uint8

// The kinds of values. XES has all of them, OCEL the first five.
const (
	KindText Kind = iota
	KindTime
	KindInt
	KindFloat
	KindBool
	// KindID is an identifier, by the standard a UUID.
	KindID
	// KindList holds attributes in an order, whose keys may be there twice.
	KindList
)

// String returns the kind's name in OCEL, and for the others that in XES.
func (k Kind) String() string {
	switch k {
	case KindText:
		return "string"
	case KindTime:
		return "time"
	case KindInt:
		return "integer"
	case KindFloat:
		return "float"
	case KindBool:
		return "boolean"
	case KindID:
		return "id"
	case KindList:
		return "list"
	}
	return fmt.Sprintf("kind(%d)", uint8(k))
}

// A Value is a value in a log, of one of several kinds. The zero value is the empty
// text. Values of text, numbers and so on are immutable; a list belongs to whoever
// made it.
type Value struct {
	kind Kind
	nsec uint32 // of a time
	num  uint64 // seconds since 1970, an integer, the bits of a float, or 1 for true
	text string
	list []Attribute
}

// Text returns a text as a value.
func Text(s string) Value { return Value{text: s} }

// Time returns an instant as a value; its zone is not kept.
func Time(t time.Time) Value {
	return Value{kind: KindTime, num: uint64(t.Unix()), nsec: uint32(t.Nanosecond())}
}

// Int returns a whole number as a value.
func Int(n int64) Value { return Value{kind: KindInt, num: uint64(n)} }

// Float returns a number as a value. Every NaN is the same.
func Float(f float64) Value {
	if f != f {
		f = math.NaN()
	}
	return Value{kind: KindFloat, num: math.Float64bits(f)}
}

// Bool returns a truth as a value.
func Bool(b bool) Value {
	v := Value{kind: KindBool}
	if b {
		v.num = 1
	}
	return v
}

// Identifier returns an identifier as a value: by the standard a UUID, which is not
// checked.
func Identifier(s string) Value { return Value{kind: KindID, text: s} }

// List returns a list as a value. It keeps the attributes.
func List(attributes ...Attribute) Value { return Value{kind: KindList, list: attributes} }

// Kind returns the kind.
func (v Value) Kind() Kind { return v.kind }

// Time returns the instant in UTC, the zero time for another kind.
func (v Value) Time() time.Time {
	if v.kind != KindTime {
		return time.Time{}
	}
	return time.Unix(int64(v.num), int64(v.nsec)).UTC()
}

// Int returns the whole number, 0 for another kind.
func (v Value) Int() int64 {
	if v.kind != KindInt {
		return 0
	}
	return int64(v.num)
}

// Float returns the number, also of an integer; 0 for another kind.
func (v Value) Float() float64 {
	switch v.kind {
	case KindFloat:
		return math.Float64frombits(v.num)
	case KindInt:
		return float64(int64(v.num))
	case KindText, KindTime, KindBool, KindID, KindList:
	}
	return 0
}

// Bool returns the truth, false for another kind.
func (v Value) Bool() bool { return v.kind == KindBool && v.num == 1 }

// List returns the attributes of a list, nil for another kind.
func (v Value) List() []Attribute { return v.list }

// String spells the value as it stands in a file: times in RFC 3339, numbers as XML
// Schema has them. A list is spelled by its values.
func (v Value) String() string {
	switch v.kind {
	case KindText, KindID:
		return v.text
	case KindTime:
		return v.Time().Format(time.RFC3339Nano)
	case KindInt:
		return strconv.FormatInt(int64(v.num), 10)
	case KindFloat:
		switch f := v.Float(); {
		case math.IsInf(f, 1):
			return "INF"
		case math.IsInf(f, -1):
			return "-INF"
		default:
			return strconv.FormatFloat(f, 'g', -1, 64)
		}
	case KindBool:
		return strconv.FormatBool(v.num == 1)
	case KindList:
		parts := make([]string, len(v.list))
		for i := range v.list {
			parts[i] = v.list[i].Value.String()
		}
		return "[" + strings.Join(parts, " ") + "]"
	}
	return ""
}

// parseValue reads what [Value.String] spells, and what XML Schema spells otherwise.
// The reason says what is wrong with it.
func parseValue(kind Kind, text string) (v Value, reason string) {
	switch kind {
	case KindText:
		return Text(text), ""
	case KindID:
		return Identifier(text), ""
	case KindTime:
		if t, ok := parseTime(text); ok {
			return Time(t), ""
		}
		return v, fmt.Sprintf("must be a time such as 2026-03-29T02:30:00Z, is %q", short.Text(text))
	case KindInt:
		if n, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64); err == nil {
			return Int(n), ""
		}
		return v, fmt.Sprintf("must be a whole number of at most 64 bits, is %q", short.Text(text))
	case KindFloat:
		trimmed := strings.TrimSpace(text)
		if f, err := strconv.ParseFloat(trimmed, 64); err == nil && !strings.ContainsAny(trimmed, "xXpP_") {
			return Float(f), ""
		}
		return v, fmt.Sprintf("must be a number, is %q", short.Text(text))
	case KindBool:
		switch strings.ToLower(strings.TrimSpace(text)) {
		case "true", "1":
			return Bool(true), ""
		case "false", "0":
			return Bool(false), ""
		}
		return v, fmt.Sprintf("must be true or false, is %q", short.Text(text))
	case KindList:
	}
	return v, "has no text"
}

// parseTime reads xs:dateTime and its relatives. Without a zone it is UTC.
func parseTime(text string) (time.Time, bool) {
	text = strings.TrimSpace(text)
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02T15:04:05.999999999Z0700", "2006-01-02 15:04:05.999999999Z07:00", time.DateTime} {
		if t, err := time.Parse(layout, text); err == nil && datable(t) {
			return t.UTC(), true
		}
	}
	return time.Time{}, false
}

// datable reports whether a time can be written in every format: its year in UTC is
// one of 1 to 9999.
func datable(t time.Time) bool {
	year := t.UTC().Year()
	return year >= 1 && year <= 9999
}

// An Attribute is something that a log, a case or an entry of it says of itself.
type Attribute struct {
	Key   string
	Value Value
	// Attributes are attributes of the attribute; few tools read them.
	Attributes []Attribute
}

// Find returns the value of a key among attributes.
func Find(attributes []Attribute, key string) (Value, bool) {
	for i := range attributes {
		if attributes[i].Key == key {
			return attributes[i].Value, true
		}
	}
	return Value{}, false
}

// Limits of what is read and written.
const (
	// maxFile is the most bytes of a log that is read.
	maxFile = 1 << 30
	// maxDepth is how deep attributes may be nested.
	maxDepth = 50
	// maxFaults is how many findings are told of one log.
	maxFaults = 200
)

// faults collects findings, but not without an end.
type faults struct {
	v     itsm.Validation
	count int
}

func (f *faults) add(field, reason string) {
	if f.count++; f.count <= maxFaults {
		f.v.Check(false, field, reason)
	}
}

func (f *faults) check(ok bool, field, reason string) {
	if !ok {
		f.add(field, reason)
	}
}

func (f *faults) err() error {
	if f.count > maxFaults {
		f.v.Check(false, "", fmt.Sprintf("has %d more findings", f.count-maxFaults))
		f.count = maxFaults
	}
	return f.v.Err()
}

// isXMLText reports whether a text can stand in XML 1.0.
func isXMLText(s string) bool {
	if !utf8.ValidString(s) {
		return false
	}
	for _, r := range s {
		ok := r == '\t' || r == '\n' || r == '\r' || r >= ' ' && r <= 0xD7FF || r >= 0xE000 && r <= 0xFFFD || r >= 0x10000
		if !ok {
			return false
		}
	}
	return true
}

// isXMLName reports whether a text is an xs:Name, or, without colons, an xs:NCName.
func isXMLName(s string, colons bool) bool {
	for i, r := range s {
		if r == ':' && !colons || !isNameRune(r, i == 0) || r == utf8.RuneError {
			return false
		}
	}
	return s != ""
}

// isNameRune reports whether a character can be in a name (XML 1.0, fifth edition).
func isNameRune(r rune, first bool) bool {
	switch {
	case r == ':' || r == '_' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z':
		return true
	case r >= 0xC0 && r <= 0xD6, r >= 0xD8 && r <= 0xF6, r >= 0xF8 && r <= 0x2FF, r >= 0x370 && r <= 0x37D, r >= 0x37F && r <= 0x1FFF,
		r == 0x200C, r == 0x200D, r >= 0x2070 && r <= 0x218F, r >= 0x2C00 && r <= 0x2FEF, r >= 0x3001 && r <= 0xD7FF,
		r >= 0xF900 && r <= 0xFDCF, r >= 0xFDF0 && r <= 0xFFFD, r >= 0x10000 && r <= 0xEFFFF:
		return true
	case first:
		return false
	}
	return r == '-' || r == '.' || r >= '0' && r <= '9' || r == 0xB7 || r >= 0x300 && r <= 0x36F || r == 0x203F || r == 0x2040
}

// toXMLName makes a name of a text: what cannot be in one becomes an underscore.
func toXMLName(s string, colons bool) string {
	var b strings.Builder
	for i, r := range s {
		switch {
		case i == 0 && r != '_' && !isNameRune(r, true) && isNameRune(r, false):
			b.WriteByte('_')
			b.WriteRune(r)
		case r == ':' && !colons || !isNameRune(r, i == 0) || r == utf8.RuneError:
			b.WriteByte('_')
		default:
			b.WriteRune(r)
		}
	}
	if b.Len() == 0 {
		return "_"
	}
	return b.String()
}
