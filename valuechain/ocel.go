package valuechain

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/internal/short"
)

// OCEL is a log in the model of OCEL 2.0, the Object-Centric Event Log: entries that
// each have to do with several objects, and objects that have to do with each other.
// What one case is need not be decided before the log is written: an incident, the
// problem behind it and the change that solves it are in one log, and [OCEL.Log] looks
// at it from any of them.
type OCEL struct {
	EventTypes  []OCELType
	ObjectTypes []OCELType
	Events      []OCELEvent
	Objects     []OCELObject
}

// An OCELType is a type of events or of objects, and the attributes that they may
// have.
type OCELType struct {
	Name       string
	Attributes []OCELAttribute
}

// An OCELAttribute is an attribute of a type. Its kind is one of text, time, integer,
// float and boolean.
type OCELAttribute struct {
	Name string
	Kind Kind
}

// An OCELEvent is an event of an OCEL log: here an entry, and not what ITIL calls an
// event.
type OCELEvent struct {
	ID, Type   string
	At         time.Time
	Properties []Property
	Relations  []Relation
}

// An OCELObject is something that entries are about: a record of a practice, or what
// it points to.
type OCELObject struct {
	ID, Type string
	// Properties have the time from which they hold.
	Properties []Property
	Relations  []Relation
}

// A Property is a value of an attribute. At is from when it holds, for an object: zero
// means from the beginning, which files spell as 1970-01-01T00:00:00Z. Events have
// none.
type Property struct {
	Name  string
	Value Value
	At    time.Time
}

// A Relation leads to an object, with its meaning.
type Relation struct {
	Object    string
	Qualifier string
}

// beginning is the time that stands in files for what holds from the beginning.
func beginning() time.Time { return time.Unix(0, 0).UTC() }

// Validate returns an [itsm.ErrInvalid] with everything, up to some hundreds of
// findings, that is wrong with a log:
//
//   - the names of types, the ids of events and those of objects are there once;
//   - everything has a type that there is, and its values are of an attribute of the
//     type and of its kind;
//   - relations lead to objects that there are;
//   - texts are what XML can hold, numbers are finite, times lie in the years 1 to
//     9999, and an object's value has not the time that stands for the beginning.
func (o *OCEL) Validate() error {
	var f faults
	objects := make(map[string]bool, len(o.Objects))
	for i := range o.Objects {
		objects[o.Objects[i].ID] = true
	}
	events := make(map[string]bool, len(o.Events))
	types := checkTypes(&f, "eventTypes", o.EventTypes)
	for i := range o.Events {
		e := &o.Events[i]
		field := func() string { return fmt.Sprintf("events[%d]", i) }
		checkID(&f, field, e.ID, events)
		attributes := checkType(&f, field, e.Type, types)
		if e.At.IsZero() || !datable(e.At) {
			f.add(field()+".time", "must be set, in the years 1 to 9999")
		}
		checkProperties(&f, field, e.Properties, attributes, false)
		checkRelations(&f, field, e.Relations, objects)
	}
	types = checkTypes(&f, "objectTypes", o.ObjectTypes)
	seen := make(map[string]bool, len(o.Objects))
	for i := range o.Objects {
		object := &o.Objects[i]
		field := func() string { return fmt.Sprintf("objects[%d]", i) }
		checkID(&f, field, object.ID, seen)
		attributes := checkType(&f, field, object.Type, types)
		checkProperties(&f, field, object.Properties, attributes, true)
		checkRelations(&f, field, object.Relations, objects)
	}
	return f.err()
}

func checkTypes(f *faults, field string, types []OCELType) map[string]map[string]Kind {
	known := map[string]map[string]Kind{}
	for i, t := range types {
		at := fmt.Sprintf("%s[%d]", field, i)
		f.check(t.Name != "" && isXMLText(t.Name), at+".name", fmt.Sprintf("must be text, is %q", short.Text(t.Name)))
		_, twice := known[t.Name]
		f.check(!twice, at+".name", fmt.Sprintf("is there twice: %q", short.Text(t.Name)))
		attributes := map[string]Kind{}
		for j, a := range t.Attributes {
			at := fmt.Sprintf("%s.attributes[%d]", at, j)
			f.check(a.Name != "" && isXMLText(a.Name), at+".name", fmt.Sprintf("must be text, is %q", short.Text(a.Name)))
			_, twice := attributes[a.Name]
			f.check(!twice, at+".name", fmt.Sprintf("is there twice: %q", short.Text(a.Name)))
			f.check(a.Kind <= KindBool, at+".type", fmt.Sprintf("must be string, time, integer, float or boolean, is %s", a.Kind))
			attributes[a.Name] = a.Kind
		}
		known[t.Name] = attributes
	}
	return known
}

func checkID(f *faults, field func() string, id string, seen map[string]bool) {
	if id == "" || !isXMLText(id) {
		f.add(field()+".id", fmt.Sprintf("must be text, is %q", short.Text(id)))
	}
	if seen[id] {
		f.add(field()+".id", fmt.Sprintf("is there twice: %q", short.Text(id)))
	}
	seen[id] = true
}

func checkType(f *faults, field func() string, name string, types map[string]map[string]Kind) map[string]Kind {
	attributes, ok := types[name]
	if !ok {
		f.add(field()+".type", fmt.Sprintf("is unknown: %q", short.Text(name)))
	}
	return attributes
}

// checkProperties checks values against the attributes of a type; nil attributes are
// those of a type that is unknown, which is a finding already.
func checkProperties(f *faults, field func() string, properties []Property, attributes map[string]Kind, timed bool) {
	seen := map[string]bool{}
	for i := range properties {
		p := &properties[i]
		at := func() string { return fmt.Sprintf("%s.attributes[%d]", field(), i) }
		kind, known := attributes[p.Name]
		switch {
		case attributes == nil:
		case !known:
			f.add(at()+".name", fmt.Sprintf("is no attribute of the type: %q", short.Text(p.Name)))
		case kind != p.Value.kind:
			f.add(at()+".value", fmt.Sprintf("must be %s, is %s", kind, p.Value.kind))
		}
		switch {
		case p.Value.kind > KindBool:
			f.add(at()+".value", fmt.Sprintf("must be string, time, integer, float or boolean, is %s", p.Value.kind))
		case !isXMLText(p.Value.text):
			f.add(at()+".value", "must be text that every format can hold")
		case p.Value.kind == KindTime && !datable(p.Value.Time()):
			f.add(at()+".value", "must be in the years 1 to 9999")
		case p.Value.kind == KindFloat && (math.IsInf(p.Value.Float(), 0) || math.IsNaN(p.Value.Float())):
			f.add(at()+".value", "must be finite")
		}
		if !timed {
			if seen[p.Name] {
				f.add(at()+".name", fmt.Sprintf("is there twice: %q", short.Text(p.Name)))
			}
			seen[p.Name] = true
			if !p.At.IsZero() {
				f.add(at()+".time", "must not be set: an event's value has no time of its own")
			}
			continue
		}
		if !p.At.IsZero() && (!datable(p.At) || p.At.Equal(beginning())) {
			f.add(at()+".time", "must be in the years 1 to 9999 and not 1970-01-01T00:00:00Z, which stands for the beginning")
		}
	}
}

func checkRelations(f *faults, field func() string, relations []Relation, objects map[string]bool) {
	for i, r := range relations {
		if !objects[r.Object] {
			f.add(fmt.Sprintf("%s.relationships[%d].objectId", field(), i), fmt.Sprintf("is no object: %q", short.Text(r.Object)))
		}
		if !isXMLText(r.Qualifier) {
			f.add(fmt.Sprintf("%s.relationships[%d].qualifier", field(), i), "must be text that every format can hold")
		}
	}
}

// Log looks at the log from one type of objects: each of them is a case, with the
// entries that are related to it, in the order of their times, or of the log where
// those are the same. Activities are the types of events; the resource is the value of
// the event's attribute "actor".
func (o *OCEL) Log(objectType string) Log {
	at := map[string]int{}
	var l Log
	for i := range o.Objects {
		if o.Objects[i].Type == objectType {
			at[o.Objects[i].ID] = len(l.Traces)
			l.Traces = append(l.Traces, Trace{Case: o.Objects[i].ID})
		}
	}
	order := make([]int, len(o.Events))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return o.Events[a].At.Compare(o.Events[b].At) })
	last := make([]int, len(l.Traces)) // the last entry of a case, from 1
	for n, i := range order {
		e := &o.Events[i]
		entry := Entry{Activity: e.Type, At: e.At}
		for j := range e.Properties {
			if e.Properties[j].Name == actorProperty {
				entry.Resource = e.Properties[j].Value.String()
			}
		}
		for _, r := range e.Relations {
			if t, ok := at[r.Object]; ok && last[t] != n+1 {
				last[t] = n + 1
				l.Traces[t].Entries = append(l.Traces[t].Entries, entry)
			}
		}
	}
	return l
}

// actorProperty names who did it.
const actorProperty = "actor"

// An OCELBuilder gathers a log from the events of a feed. Every record is an object of
// its practice's type with its state over time, and everything that a record links to
// is an object too. An event has the type "practice.action", relates to its record, to
// the record of the event that caused it ("cause"), and to what it links to (by the
// link's relation). The zero value is ready. It is not safe for concurrent use.
type OCELBuilder struct {
	// Links returns the links that an event adds to its record. Nil means [LinksOf].
	Links func(itsm.Event) []itsm.Link
	// Data keeps each action's own data as a text of JSON, as the attribute "data".
	// It may say more than is to leave the house.
	Data bool

	events      []OCELEvent
	objects     []OCELObject
	at          map[string]int     // of objects
	records     map[itsm.ID]string // of events
	eventTypes  map[string]bool
	objectTypes map[string]bool
}

// Add adds an event.
func (b *OCELBuilder) Add(e itsm.Event) {
	if b.at == nil {
		b.at, b.records = map[string]int{}, map[itsm.ID]string{}
		b.eventTypes, b.objectTypes = map[string]bool{}, map[string]bool{}
	}
	links := b.Links
	if links == nil {
		links = LinksOf
	}
	record := itsm.Ref{Kind: e.Practice, ID: e.Record}
	i := b.object(record)
	id := b.objects[i].ID
	b.records[e.ID] = id
	event := OCELEvent{ID: string(e.ID), Type: e.Practice + "." + e.Action, At: e.At.UTC(), Relations: []Relation{{id, "record"}}}
	b.eventTypes[event.Type] = true
	property := func(name string, v Value) {
		event.Properties = append(event.Properties, Property{Name: name, Value: v})
	}
	property(actorProperty, Text(e.Actor.ID))
	property("version", Int(int64(e.Version)))
	if e.From != "" {
		property("from", Text(string(e.From)))
	}
	property("to", Text(string(e.To)))
	if b.Data && len(e.Data) > 0 {
		property("data", Text(string(e.Data)))
	}
	if cause, ok := b.records[e.Cause]; ok && e.Cause != "" && cause != id {
		event.Relations = append(event.Relations, Relation{cause, "cause"})
	}
	if e.From != e.To {
		b.objects[i].Properties = append(b.objects[i].Properties, Property{Name: "state", Value: Text(string(e.To)), At: e.At.UTC()})
	}
	for _, l := range links(e) {
		to := b.objects[b.object(l.To)].ID
		r := Relation{to, l.Rel}
		if own := &b.objects[i].Relations; !slices.Contains(*own, r) {
			*own = append(*own, r)
		}
		if !slices.Contains(event.Relations, r) {
			event.Relations = append(event.Relations, r)
		}
	}
	b.events = append(b.events, event)
}

// object returns the number of a record's object.
func (b *OCELBuilder) object(ref itsm.Ref) int {
	id := ref.String()
	i, ok := b.at[id]
	if !ok {
		i = len(b.objects)
		b.at[id] = i
		b.objects = append(b.objects, OCELObject{ID: id, Type: ref.Kind})
		b.objectTypes[ref.Kind] = true
	}
	return i
}

// Log returns what was gathered so far: types by name, events and objects in the
// order in which they came up. It belongs to the caller.
func (b *OCELBuilder) Log() *OCEL {
	o := &OCEL{Events: slices.Clone(b.events), Objects: slices.Clone(b.objects)}
	attributes := []OCELAttribute{{actorProperty, KindText}, {"version", KindInt}, {"from", KindText}, {"to", KindText}}
	if b.Data {
		attributes = append(attributes, OCELAttribute{"data", KindText})
	}
	for name := range b.eventTypes {
		o.EventTypes = append(o.EventTypes, OCELType{name, slices.Clone(attributes)})
	}
	for name := range b.objectTypes {
		o.ObjectTypes = append(o.ObjectTypes, OCELType{name, []OCELAttribute{{"state", KindText}}})
	}
	byName := func(a, b OCELType) int { return cmp.Compare(a.Name, b.Name) }
	slices.SortFunc(o.EventTypes, byName)
	slices.SortFunc(o.ObjectTypes, byName)
	for i := range o.Events {
		o.Events[i].Properties, o.Events[i].Relations = slices.Clone(o.Events[i].Properties), slices.Clone(o.Events[i].Relations)
	}
	for i := range o.Objects {
		o.Objects[i].Properties, o.Objects[i].Relations = slices.Clone(o.Objects[i].Properties), slices.Clone(o.Objects[i].Relations)
	}
	return o
}
