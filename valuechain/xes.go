package valuechain

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/go-itsm/itsm/internal/short"
)

// XES is a log in the model of IEEE 1849-2016, the eXtensible Event Stream: what
// its XML form holds, with nothing left out. [Log.XES] and [XES.Log] lead to and from
// what process mining needs of it.
type XES struct {
	Extensions []Extension
	// TraceGlobals and EventGlobals are attributes that every trace and every event
	// has, with the value for those that do not say.
	TraceGlobals []Attribute
	EventGlobals []Attribute
	Classifiers  []Classifier
	Attributes   []Attribute
	Traces       []XESTrace
	// Events are events that belong to no trace.
	Events []XESEvent
}

// A XESTrace is a case of a XES log.
type XESTrace struct {
	Attributes []Attribute
	Events     []XESEvent
}

// A XESEvent is an event of a XES log: here an entry, and not what ITIL calls an
// event.
type XESEvent struct {
	Attributes []Attribute
}

// An Extension gives attributes with a prefix their meaning.
type Extension struct {
	Name, Prefix, URI string
}

// A Classifier says by which attributes events, or traces, are the same.
type Classifier struct {
	Name string
	// Scope is "event" or "trace"; empty means "event".
	Scope string
	Keys  []string
}

// Keys of the standard extensions.
const (
	KeyName     = "concept:name"
	KeyTime     = "time:timestamp"
	KeyResource = "org:resource"
	KeyGroup    = "org:group"
)

// StandardExtensions returns the extensions of the standard that the package's own
// logs use: Concept, Time and Organizational.
func StandardExtensions() []Extension {
	return []Extension{
		{"Concept", "concept", "http://www.xes-standard.org/concept.xesext"},
		{"Time", "time", "http://www.xes-standard.org/time.xesext"},
		{"Organizational", "org", "http://www.xes-standard.org/org.xesext"},
	}
}

// XES returns the log in the model of XES: names, times, resources and groups as
// attributes of the standard extensions, and a classifier by name.
func (l Log) XES() *XES {
	x := &XES{
		Extensions:   StandardExtensions(),
		TraceGlobals: []Attribute{{Key: KeyName, Value: Text("unknown")}},
		EventGlobals: []Attribute{{Key: KeyName, Value: Text("unknown")}},
		Classifiers:  []Classifier{{Name: "Activity", Keys: []string{KeyName}}},
	}
	for i := range l.Traces {
		t := XESTrace{Attributes: []Attribute{{Key: KeyName, Value: Text(l.Traces[i].Case)}}}
		for _, e := range l.Traces[i].Entries {
			as := []Attribute{{Key: KeyName, Value: Text(e.Activity)}}
			if !e.At.IsZero() {
				as = append(as, Attribute{Key: KeyTime, Value: Time(e.At)})
			}
			if e.Resource != "" {
				as = append(as, Attribute{Key: KeyResource, Value: Text(e.Resource)})
			}
			if e.Group != "" {
				as = append(as, Attribute{Key: KeyGroup, Value: Text(e.Group)})
			}
			t.Events = append(t.Events, XESEvent{as})
		}
		x.Traces = append(x.Traces, t)
	}
	return x
}

// Log returns the traces for process mining. Activities are named by the attributes
// of the given keys, joined with "+"; without keys by [KeyName]. What an event or a
// trace does not say is what the globals say. A case without a name has the number of
// its trace, from 1.
func (x *XES) Log(keys ...string) Log {
	if len(keys) == 0 {
		keys = []string{KeyName}
	}
	l := Log{Traces: make([]Trace, len(x.Traces))}
	for i := range x.Traces {
		t := &l.Traces[i]
		t.Case = strconv.Itoa(i + 1)
		if v, ok := lookUp(x.Traces[i].Attributes, x.TraceGlobals, KeyName); ok {
			t.Case = v.String()
		}
		t.Entries = make([]Entry, len(x.Traces[i].Events))
		for j := range t.Entries {
			as := x.Traces[i].Events[j].Attributes
			get := func(key string) Value {
				v, _ := lookUp(as, x.EventGlobals, key)
				return v
			}
			e := &t.Entries[j]
			e.At, e.Resource, e.Group = get(KeyTime).Time(), get(KeyResource).String(), get(KeyGroup).String()
			if len(keys) == 1 {
				e.Activity = get(keys[0]).String()
				continue
			}
			parts := make([]string, len(keys))
			for k, key := range keys {
				parts[k] = get(key).String()
			}
			e.Activity = strings.Join(parts, "+")
		}
	}
	return l
}

func lookUp(as, globals []Attribute, key string) (Value, bool) {
	if v, ok := Find(as, key); ok {
		return v, true
	}
	return Find(globals, key)
}

// Validate returns an [itsm.ErrInvalid] with what keeps the log from being written as
// the standard's schema and text have it, at most some hundreds of findings:
//
//   - keys are XML names, and there once in each component;
//   - texts are what XML can hold, times in the years 1 to 9999;
//   - names of extensions and classifiers are XML names without colons;
//   - the keys of classifiers are globals;
//   - attributes are nested at most 50 deep.
//
// Many published logs have keys and names with spaces: see [XES.Rename].
func (x *XES) Validate() error {
	var f faults
	for i, e := range x.Extensions {
		field := fmt.Sprintf("extension[%d]", i)
		f.check(isXMLName(e.Name, false), field+".name", fmt.Sprintf("must be an XML name without colons, is %q", short.Text(e.Name)))
		f.check(isXMLName(e.Prefix, false), field+".prefix", fmt.Sprintf("must be an XML name without colons, is %q", short.Text(e.Prefix)))
		f.check(e.URI != "" && isXMLText(e.URI) && !strings.ContainsAny(e.URI, " \t\r\n<>\"{}|\\^`"), field+".uri", fmt.Sprintf("must be a URI, is %q", short.Text(e.URI)))
	}
	checkAttributes(&f, "global[trace]", x.TraceGlobals, false, 1)
	checkAttributes(&f, "global[event]", x.EventGlobals, false, 1)
	for i, c := range x.Classifiers {
		field := fmt.Sprintf("classifier[%d]", i)
		f.check(isXMLName(c.Name, false), field+".name", fmt.Sprintf("must be an XML name without colons, is %q", short.Text(c.Name)))
		f.check(c.Scope == "" || c.Scope == "event" || c.Scope == "trace", field+".scope", fmt.Sprintf("must be event or trace, is %q", short.Text(c.Scope)))
		f.check(len(c.Keys) > 0, field+".keys", "must not be empty")
		globals := x.EventGlobals
		if c.Scope == "trace" {
			globals = x.TraceGlobals
		}
		for j, key := range c.Keys {
			_, ok := Find(globals, key)
			f.check(ok, fmt.Sprintf("%s.keys[%d]", field, j), fmt.Sprintf("must be one of the globals, is %q", short.Text(key)))
		}
	}
	checkAttributes(&f, "log", x.Attributes, false, 1)
	for i := range x.Traces {
		checkComponent(&f, x.Traces[i].Attributes, func() string { return fmt.Sprintf("trace[%d]", i) })
		for j := range x.Traces[i].Events {
			checkComponent(&f, x.Traces[i].Events[j].Attributes, func() string { return fmt.Sprintf("trace[%d].event[%d]", i, j) })
		}
	}
	for i := range x.Events {
		checkComponent(&f, x.Events[i].Attributes, func() string { return fmt.Sprintf("event[%d]", i) })
	}
	return f.err()
}

// checkComponent is checkAttributes for the many that have nothing wrong, so that
// their place is spelled only where it is needed.
func checkComponent(f *faults, as []Attribute, where func() string) {
	for i := range as {
		a := &as[i]
		if a.Attributes != nil || a.Value.kind == KindList || attributeFault(a) != "" {
			checkAttributes(f, where(), as, false, 1)
			return
		}
	}
	if len(repeated(as)) > 0 {
		checkAttributes(f, where(), as, false, 1)
	}
}

// repeated returns the numbers of the attributes whose key came before.
func repeated(as []Attribute) []int {
	var again []int
	if len(as) <= 16 {
		for i := range as {
			if _, ok := Find(as[:i], as[i].Key); ok {
				again = append(again, i)
			}
		}
		return again
	}
	seen := make(map[string]bool, len(as))
	for i := range as {
		if seen[as[i].Key] {
			again = append(again, i)
		}
		seen[as[i].Key] = true
	}
	return again
}

func checkAttributes(f *faults, field string, as []Attribute, list bool, depth int) {
	if depth > maxDepth && len(as) > 0 {
		f.add(field, fmt.Sprintf("is nested more than %d deep", maxDepth))
		return
	}
	if !list {
		for _, i := range repeated(as) {
			f.add(field+"."+short.Text(as[i].Key), "is there twice")
		}
	}
	for i := range as {
		a := &as[i]
		at := field + "." + short.Text(a.Key)
		if reason := attributeFault(a); reason != "" {
			f.add(at, reason)
		}
		checkAttributes(f, at, a.Attributes, false, depth+1)
		checkAttributes(f, at, a.Value.list, true, depth+1)
	}
}

// attributeFault says what is wrong with an attribute by itself.
func attributeFault(a *Attribute) string {
	switch {
	case !isXMLName(a.Key, true):
		return "must have an XML name as its key"
	case !isXMLText(a.Value.text):
		return "must be text that XML can hold"
	case a.Value.kind == KindTime && !datable(a.Value.Time()):
		return "must be in the years 1 to 9999"
	}
	return ""
}

// Rename gives everything whose name the schema does not admit one that it does: what
// cannot be in a name becomes an underscore, so that "organization involved" becomes
// "organization_involved". It changes the log; names that become the same are found
// by [XES.Validate].
func (x *XES) Rename() {
	var rename func(as []Attribute)
	rename = func(as []Attribute) {
		for i := range as {
			if !isXMLName(as[i].Key, true) {
				as[i].Key = toXMLName(as[i].Key, true)
			}
			rename(as[i].Attributes)
			rename(as[i].Value.list)
		}
	}
	for i := range x.Extensions {
		e := &x.Extensions[i]
		e.Name, e.Prefix = toXMLName(e.Name, false), toXMLName(e.Prefix, false)
	}
	for i := range x.Classifiers {
		c := &x.Classifiers[i]
		c.Name = toXMLName(c.Name, false)
		for j := range c.Keys {
			c.Keys[j] = toXMLName(c.Keys[j], true)
		}
	}
	rename(x.TraceGlobals)
	rename(x.EventGlobals)
	rename(x.Attributes)
	for i := range x.Traces {
		rename(x.Traces[i].Attributes)
		for j := range x.Traces[i].Events {
			rename(x.Traces[i].Events[j].Attributes)
		}
	}
	for i := range x.Events {
		rename(x.Events[i].Attributes)
	}
}
