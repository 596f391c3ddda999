package valuechain

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/go-itsm/itsm/internal/short"
)

// The JSON form, as the schema of OCEL 2.0 has it. Values are always texts there.
type (
	ocelJSON struct {
		ObjectTypes []ocelTypeJSON   `json:"objectTypes"`
		EventTypes  []ocelTypeJSON   `json:"eventTypes"`
		Objects     []ocelObjectJSON `json:"objects"`
		Events      []ocelEventJSON  `json:"events"`
	}
	ocelTypeJSON struct {
		Name       string              `json:"name"`
		Attributes []ocelAttributeJSON `json:"attributes"`
	}
	ocelAttributeJSON struct {
		Name string `json:"name"`
		Type string `json:"type"`
	}
	ocelEventJSON struct {
		ID         string             `json:"id"`
		Type       string             `json:"type"`
		Time       string             `json:"time"`
		Attributes []ocelPropertyJSON `json:"attributes,omitempty"`
		Relations  []ocelRelationJSON `json:"relationships,omitempty"`
	}
	ocelObjectJSON struct {
		ID         string             `json:"id"`
		Type       string             `json:"type"`
		Attributes []ocelPropertyJSON `json:"attributes,omitempty"`
		Relations  []ocelRelationJSON `json:"relationships,omitempty"`
	}
	ocelPropertyJSON struct {
		Name  string          `json:"name"`
		Value json.RawMessage `json:"value"`
		Time  string          `json:"time,omitempty"`

		text *string // the value, where it is read from XML
	}
	ocelRelationJSON struct {
		Object    string `json:"objectId"`
		Qualifier string `json:"qualifier"`
	}
)

// WriteOCEL writes a log as JSON: valid by the schema of OCEL 2.0, which has all
// values as texts. Nothing is written if [OCEL.Validate] finds something; it returns
// that, or the writer's error.
func WriteOCEL(w io.Writer, o *OCEL) error {
	if err := o.Validate(); err != nil {
		return err
	}
	out := bufio.NewWriterSize(w, 64<<10)
	list := func(name string, n int, item func(i int) any) error {
		_, _ = fmt.Fprintf(out, "%q: [", name) // the writer keeps its first error for Flush
		for i := range n {
			data, err := json.Marshal(item(i))
			if err != nil {
				return err
			}
			if i > 0 {
				_ = out.WriteByte(',')
			}
			_, _ = out.WriteString("\n  ")
			_, _ = out.Write(data)
		}
		_, err := out.WriteString("\n]")
		return err
	}
	next := func(text string) error {
		_, err := out.WriteString(text)
		return err
	}
	return errors.Join(
		next("{"),
		list("objectTypes", len(o.ObjectTypes), func(i int) any { return typeJSON(o.ObjectTypes[i]) }),
		next(",\n"),
		list("eventTypes", len(o.EventTypes), func(i int) any { return typeJSON(o.EventTypes[i]) }),
		next(",\n"),
		list("objects", len(o.Objects), func(i int) any {
			x := &o.Objects[i]
			return ocelObjectJSON{x.ID, x.Type, propertiesJSON(x.Properties, true), relationsJSON(x.Relations)}
		}),
		next(",\n"),
		list("events", len(o.Events), func(i int) any {
			x := &o.Events[i]
			return ocelEventJSON{x.ID, x.Type, spellTime(x.At), propertiesJSON(x.Properties, false), relationsJSON(x.Relations)}
		}),
		next("}\n"),
		out.Flush(),
	)
}

func spellTime(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

func typeJSON(t OCELType) ocelTypeJSON {
	out := ocelTypeJSON{Name: t.Name, Attributes: make([]ocelAttributeJSON, len(t.Attributes))}
	for i, a := range t.Attributes {
		out.Attributes[i] = ocelAttributeJSON{a.Name, a.Kind.String()}
	}
	return out
}

func propertiesJSON(properties []Property, timed bool) []ocelPropertyJSON {
	out := make([]ocelPropertyJSON, len(properties))
	for i, p := range properties {
		value, _ := json.Marshal(p.Value.String()) // a text always has a JSON form
		out[i] = ocelPropertyJSON{Name: p.Name, Value: value}
		if timed {
			out[i].Time = spellSince(p.At)
		}
	}
	return out
}

// spellSince spells from when a value holds.
func spellSince(t time.Time) string {
	if t.IsZero() {
		t = beginning()
	}
	return spellTime(t)
}

func relationsJSON(relations []Relation) []ocelRelationJSON {
	out := make([]ocelRelationJSON, len(relations))
	for i, r := range relations {
		out[i] = ocelRelationJSON(r)
	}
	return out
}

// ReadOCEL reads a log from JSON of at most 1 GiB in the form of OCEL 2.0. Values may
// be texts, as the schema has them, or numbers and truths, as many tools write them;
// the type says what they are. Names that the form does not have are passed over.
//
// It returns an [itsm.ErrInvalid] with what is wrong with the log, or the reader's
// error.
func ReadOCEL(r io.Reader) (*OCEL, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxFile+1))
	if err != nil {
		return nil, err
	}
	var f faults
	switch {
	case len(data) > maxFile:
		f.add("", fmt.Sprintf("must have at most %d bytes", maxFile))
		return nil, f.err()
	case !utf8.Valid(data):
		f.add("", "must be valid UTF-8")
		return nil, f.err()
	}
	var in ocelJSON
	if err := json.Unmarshal(data, &in); err != nil {
		var wrong *json.UnmarshalTypeError
		if !errors.As(err, &wrong) {
			f.add("", "must be JSON: "+err.Error())
			return nil, f.err()
		}
		f.add(wrong.Field, fmt.Sprintf("must not be a %s", wrong.Value))
	}
	return in.log(&f)
}

// log makes a log of what was read, unless something is wrong with it.
func (in *ocelJSON) log(f *faults) (*OCEL, error) {
	o := &OCEL{}
	eventTypes := readTypes(f, "eventTypes", in.EventTypes, &o.EventTypes)
	objectTypes := readTypes(f, "objectTypes", in.ObjectTypes, &o.ObjectTypes)
	for i := range in.Objects {
		x := &in.Objects[i]
		field := func() string { return fmt.Sprintf("objects[%d]", i) }
		o.Objects = append(o.Objects, OCELObject{
			ID: x.ID, Type: x.Type, Properties: readProperties(f, field, x.Attributes, objectTypes[x.Type], true), Relations: readRelations(x.Relations),
		})
	}
	for i := range in.Events {
		x := &in.Events[i]
		field := func() string { return fmt.Sprintf("events[%d]", i) }
		at, ok := parseTime(x.Time)
		if !ok {
			f.add(field()+".time", fmt.Sprintf("must be a time such as 2026-03-29T02:30:00Z, is %q", short.Text(x.Time)))
		}
		o.Events = append(o.Events, OCELEvent{
			ID: x.ID, Type: x.Type, At: at, Properties: readProperties(f, field, x.Attributes, eventTypes[x.Type], false), Relations: readRelations(x.Relations),
		})
	}
	err := f.err()
	if err == nil { // else what could not be read would be found again
		err = o.Validate()
	}
	if err != nil {
		return nil, err
	}
	return o, nil
}

// readTypes reads types and returns the kinds of their attributes.
func readTypes(f *faults, field string, in []ocelTypeJSON, into *[]OCELType) map[string]map[string]Kind {
	known := map[string]map[string]Kind{}
	for i, t := range in {
		out := OCELType{Name: t.Name}
		kinds := map[string]Kind{}
		for j, a := range t.Attributes {
			kind, ok := ocelKind(a.Type)
			if !ok {
				f.add(fmt.Sprintf("%s[%d].attributes[%d].type", field, i, j), fmt.Sprintf("must be string, time, integer, float or boolean, is %q", short.Text(a.Type)))
			}
			out.Attributes = append(out.Attributes, OCELAttribute{a.Name, kind})
			kinds[a.Name] = kind
		}
		*into = append(*into, out)
		known[t.Name] = kinds
	}
	return known
}

func ocelKind(name string) (Kind, bool) {
	for k := KindText; k <= KindBool; k++ {
		if k.String() == name {
			return k, true
		}
	}
	return KindText, false
}

func readProperties(f *faults, field func() string, in []ocelPropertyJSON, kinds map[string]Kind, timed bool) []Property {
	var out []Property
	for i, p := range in {
		text, ok := scalar(p.Value, kinds[p.Name])
		if p.text != nil {
			text, ok = *p.text, true
		}
		value, reason := parseValue(kinds[p.Name], text)
		if !ok {
			reason = "must be a text, a number or a truth"
		}
		if reason != "" {
			f.add(fmt.Sprintf("%s.attributes[%d].value", field(), i), reason)
		}
		property := Property{Name: p.Name, Value: value}
		if timed {
			if property.At, ok = readSince(p.Time); !ok {
				f.add(fmt.Sprintf("%s.attributes[%d].time", field(), i), fmt.Sprintf("must be a time such as 2026-03-29T02:30:00Z, is %q", short.Text(p.Time)))
			}
		}
		out = append(out, property)
	}
	return out
}

// readSince reads from when a value holds.
func readSince(text string) (time.Time, bool) {
	if text == "" || text == "0" { // as older files have it
		return time.Time{}, true
	}
	t, ok := parseTime(text)
	if t.Equal(beginning()) {
		return time.Time{}, true
	}
	return t, ok
}

// scalar returns the text of a JSON value that is none of a list, an object and null.
func scalar(raw json.RawMessage, kind Kind) (string, bool) {
	raw = bytes.TrimSpace(raw)
	switch {
	case len(raw) == 0:
		return "", false
	case raw[0] == '"':
		var s string
		err := json.Unmarshal(raw, &s)
		return s, err == nil
	case raw[0] == '{' || raw[0] == '[' || string(raw) == "null":
		return "", false
	}
	text := string(raw)
	if n, err := strconv.ParseFloat(text, 64); kind == KindInt && err == nil && math.Abs(n) < 1<<53 && n == math.Trunc(n) && bytes.ContainsAny(raw, ".eE") {
		text = strconv.FormatInt(int64(n), 10) // some tools write 3.0
	}
	return text, true
}

func readRelations(in []ocelRelationJSON) []Relation {
	var out []Relation
	for _, r := range in {
		out = append(out, Relation(r))
	}
	return out
}
