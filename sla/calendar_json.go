package sla

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

const (
	// maxCalendarJSON is the most bytes of a calendar as JSON.
	maxCalendarJSON = 1 << 20
	// maxCalendarDepth is how deep that may be nested: what maxNested calendars
	// need, and some more, so that one too many is said in words of calendars.
	maxCalendarDepth = 64
)

// ParseCalendar reads a calendar's JSON form, such as
//
//	{
//	  "name": "Berlin office", "version": 3, "tz": "Europe/Berlin",
//	  "weekly": {"mon": [["09:00","12:00"],["13:00","17:00"]], "fri": [["22:00","06:00"]]},
//	  "holidays": ["01-01", {"on": "12-25 or next weekday", "name": "Christmas Day"}],
//	  "exceptions": {"2026-12-24": [["09:00","12:00"]], "2026-12-31": []},
//	  "editions": [{"from": "2027-01-01", "weekly": {"mon": [["08:00","16:00"]]}}]
//	}
//
// or {"op": "union", "of": [{…}, {…}]}. At most 1 MiB of valid UTF-8 is read.
//
// It returns an [ErrInvalid] with everything that is wrong: names that are not
// known or there twice, values of the wrong type, and whatever the calendar
// says that cannot be. Whether the zone is known and whether the calendar ever
// opens is for [Calendar.Compile] to say.
func ParseCalendar(data []byte) (Calendar, error) {
	c, err := readJSON(data, maxCalendarJSON, (*reader).calendar)
	if err != nil {
		// What could be read may be wrong in itself too.
		f := findings(Findings(err))
		said := map[string]bool{}
		for _, one := range f {
			said[one.Field] = true
		}
		for _, one := range Findings(c.check(&checker{})) {
			if !covered(said, one.Field) {
				f = append(f, one)
			}
		}
		return Calendar{}, f.err()
	}
	if err := c.check(&checker{}); err != nil {
		return Calendar{}, err
	}
	return c, nil
}

// covered reports whether something is said of a field, or of one that it is a
// part of: what could not be read is not missing as well.
func covered(said map[string]bool, field string) bool {
	for i, c := range field {
		if (c == '.' || c == '[') && said[field[:i]] {
			return true
		}
	}
	return said[field] || said[""]
}

// A jsonValue is JSON of any kind, with the members of objects in order.
type jsonValue struct {
	kind  jsonKind
	text  string // of text and number
	names []string
	items []jsonValue // of list and object
}

type jsonKind int

const (
	jsonNull jsonKind = iota
	jsonText
	jsonNumber
	jsonBool
	jsonList
	jsonObject
)

// A reader turns JSON into values and goes on after a fault.
type reader struct{ findings }

// readJSON reads a value. With an [ErrInvalid] it returns what could be read.
func readJSON[T any](data []byte, limit int, read func(*reader, jsonValue, string) T) (T, error) {
	var none T
	var f findings
	switch {
	case len(data) > limit:
		f.check(false, "", fmt.Sprintf("must have at most %d bytes, has %d", limit, len(data)))
	case !utf8.Valid(data):
		f.check(false, "", "must be valid UTF-8")
	case !json.Valid(data):
		f.check(false, "", "must be JSON: "+syntaxFault(data))
	case jsonDepth(data) > maxCalendarDepth:
		f.check(false, "", fmt.Sprintf("must be nested at most %d deep", maxCalendarDepth))
	}
	if err := f.err(); err != nil {
		return none, err
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	var r reader
	v := read(&r, nextValue(dec), "")
	return v, r.err()
}

// unmarshal serves UnmarshalJSON of one type, which by custom leaves the target
// alone on null.
func unmarshal[T any](data []byte, target *T, read func(*reader, jsonValue, string) T) error {
	if string(bytes.TrimSpace(data)) == "null" {
		return nil
	}
	v, err := readJSON(data, maxCalendarJSON, read)
	if err != nil {
		return err
	}
	*target = v
	return nil
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

// nextValue reads a value of JSON that is known to be valid and not too deep.
func nextValue(dec *json.Decoder) jsonValue {
	token, _ := dec.Token()
	switch t := token.(type) {
	case string:
		return jsonValue{kind: jsonText, text: t}
	case json.Number:
		return jsonValue{kind: jsonNumber, text: t.String()}
	case bool:
		return jsonValue{kind: jsonBool}
	case json.Delim:
		v := jsonValue{kind: jsonList}
		if t == '{' {
			v.kind = jsonObject
		}
		for dec.More() {
			if v.kind == jsonObject {
				name, _ := dec.Token()
				text, _ := name.(string)
				v.names = append(v.names, text)
			}
			v.items = append(v.items, nextValue(dec))
		}
		_, _ = dec.Token()
		return v
	default:
		return jsonValue{}
	}
}

// text, number, list and members report a value of another kind. Null is what
// is not there.

func (r *reader) text(v jsonValue, path string) string {
	r.check(v.kind == jsonText || v.kind == jsonNull, path, "must be text")
	return v.text
}

func (r *reader) number(v jsonValue, path string) int {
	if v.kind == jsonNull {
		return 0
	}
	n, err := strconv.Atoi(v.text)
	r.check(v.kind == jsonNumber && err == nil, path, "must be a whole number")
	return n
}

func list[T any](r *reader, v jsonValue, path string, read func(*reader, jsonValue, string) T) []T {
	r.check(v.kind == jsonList || v.kind == jsonNull, path, "must be a list")
	if v.kind != jsonList {
		return nil
	}
	var items []T
	for i, item := range v.items {
		items = append(items, read(r, item, fmt.Sprintf("%s[%d]", path, i)))
	}
	return items
}

// members calls read for each member of an object; it returns whether it knows
// the name.
func (r *reader) members(v jsonValue, path string, read func(name string, v jsonValue, path string) bool) {
	r.check(v.kind == jsonObject || v.kind == jsonNull, path, "must be an object")
	if v.kind != jsonObject {
		return
	}
	seen := map[string]bool{}
	for i, name := range v.names {
		at := join(path, shorten(name))
		if seen[name] {
			r.check(false, at, "is there twice")
			continue
		}
		seen[name] = true
		if !read(name, v.items[i], at) {
			r.check(false, at, "is not known")
		}
	}
}

// shorten keeps messages readable where a name comes from outside.
func shorten(name string) string {
	const most = 60
	if len(name) > most {
		return strings.ToValidUTF8(name[:most], "") + "…"
	}
	return name
}

func (r *reader) calendar(v jsonValue, path string) Calendar {
	var c Calendar
	r.members(v, path, func(name string, v jsonValue, at string) bool {
		switch name {
		case "name":
			c.Name = r.text(v, at)
		case "version":
			c.Version = r.number(v, at)
		case "tz":
			c.Zone = r.text(v, at)
		case "editions":
			c.Editions = list(r, v, at, (*reader).edition)
		case "op":
			c.Op = Op(r.text(v, at))
		case "of":
			c.Of = list(r, v, at, (*reader).calendar)
		default:
			return r.rule(&c.Rules, name, v, at)
		}
		return true
	})
	r.check(v.kind != jsonNull, path, "must be an object")
	return c
}

func (r *reader) edition(v jsonValue, path string) Edition {
	var c Edition
	r.members(v, path, func(name string, v jsonValue, at string) bool {
		if name == "from" {
			var ok bool
			c.From, ok = parseDate(r.text(v, at))
			r.check(ok || v.kind != jsonText, at, notDate)
			return true
		}
		return r.rule(&c.Rules, name, v, at)
	})
	return c
}

func (r *reader) rule(rules *Rules, name string, v jsonValue, path string) bool {
	switch name {
	case "weekly":
		rules.Weekly = r.week(v, path)
	case "holidays":
		rules.Holidays = list(r, v, path, (*reader).holiday)
	case "exceptions":
		rules.Exceptions = r.exceptions(v, path)
	default:
		return false
	}
	return true
}

func (r *reader) exceptions(v jsonValue, path string) map[Date][]Window {
	var exceptions map[Date][]Window
	r.members(v, path, func(name string, v jsonValue, at string) bool {
		d, ok := parseDate(name)
		windows := list(r, v, at, (*reader).window)
		if !ok {
			r.check(false, at, notDate)
			return true
		}
		if exceptions == nil {
			exceptions = map[Date][]Window{}
		}
		exceptions[d] = windows
		return true
	})
	return exceptions
}

func (r *reader) week(v jsonValue, path string) Week {
	var week Week
	r.members(v, path, func(name string, v jsonValue, at string) bool {
		for _, d := range weekOrder {
			if name == weekdayNames[d] {
				week[d] = list(r, v, at, (*reader).window)
				return true
			}
		}
		return false
	})
	return week
}

func (r *reader) window(v jsonValue, path string) Window {
	if v.kind != jsonList || len(v.items) != 2 {
		r.check(false, path, `must be a window, such as ["09:00","17:00"]`)
		return Window{}
	}
	return Window{
		Open:  r.clock(v.items[0], path+"[0]", notOpen, dayLength-1),
		Close: r.clock(v.items[1], path+"[1]", notClose, dayLength),
	}
}

func (r *reader) clock(v jsonValue, path, reason string, most time.Duration) time.Duration {
	d, ok := parseClock(v.text)
	if v.kind != jsonText || !ok || d > most {
		r.check(false, path, reason)
		return 0
	}
	return d
}

func (r *reader) holiday(v jsonValue, path string) Holiday {
	var h Holiday
	if v.kind == jsonText {
		h.On = v.text
		return h
	}
	if v.kind != jsonObject {
		r.check(false, path, `must be a text, such as "12-25", or an object, such as {"on":"12-25","name":"Christmas Day"}`)
		return h
	}
	r.members(v, path, func(name string, v jsonValue, at string) bool {
		switch name {
		case "on":
			h.On = r.text(v, at)
		case "name":
			h.Name = r.text(v, at)
		default:
			return false
		}
		return true
	})
	return h
}
