package valuechain_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/valuechain"
)

func randomOCEL(rnd *rand.Rand) *valuechain.OCEL {
	o := &valuechain.OCEL{}
	types := func(prefix string) []valuechain.OCELType {
		var all []valuechain.OCELType
		for i := range rnd.IntN(4) {
			t := valuechain.OCELType{Name: fmt.Sprint(prefix, i, randomText(rnd))}
			for j := range rnd.IntN(5) {
				t.Attributes = append(t.Attributes, valuechain.OCELAttribute{Name: fmt.Sprint("a", j, randomText(rnd)), Kind: valuechain.Kind(rnd.IntN(5))})
			}
			all = append(all, t)
		}
		return all
	}
	o.EventTypes, o.ObjectTypes = types("e"), types("o")
	properties := func(ty valuechain.OCELType, timed bool) []valuechain.Property {
		var all []valuechain.Property
		for _, a := range ty.Attributes {
			times := rnd.IntN(2)
			if timed {
				times = rnd.IntN(3)
			}
			for range times {
				v := randomValue(rnd, 5)
				for v.Kind() != a.Kind {
					v = randomValue(rnd, 5)
				}
				p := valuechain.Property{Name: a.Name, Value: v}
				if timed && rnd.IntN(2) == 0 {
					p.At = randomTime(rnd)
				}
				all = append(all, p)
			}
		}
		return all
	}
	n := 0
	if len(o.ObjectTypes) > 0 {
		n = rnd.IntN(6)
	}
	id := func(i int) string { return fmt.Sprint("x", i, "<&\"' é") }
	relations := func() []valuechain.Relation {
		var all []valuechain.Relation
		for range rnd.IntN(4) {
			if n > 0 {
				all = append(all, valuechain.Relation{Object: id(rnd.IntN(n)), Qualifier: randomText(rnd)})
			}
		}
		return all
	}
	for i := range n {
		ty := o.ObjectTypes[rnd.IntN(len(o.ObjectTypes))]
		o.Objects = append(o.Objects, valuechain.OCELObject{ID: id(i), Type: ty.Name, Properties: properties(ty, true), Relations: relations()})
	}
	for i := range rnd.IntN(6) {
		if len(o.EventTypes) > 0 {
			ty := o.EventTypes[rnd.IntN(len(o.EventTypes))]
			o.Events = append(o.Events, valuechain.OCELEvent{ID: fmt.Sprint("e", i), Type: ty.Name, At: randomTime(rnd), Properties: properties(ty, false), Relations: relations()})
		}
	}
	return o
}

func TestOCELComesBackEqual(t *testing.T) {
	for seed := range uint64(rounds(1000)) {
		o := randomOCEL(rand.New(rand.NewPCG(seed, 5)))
		var file bytes.Buffer
		require.NoError(t, valuechain.WriteOCEL(&file, o))
		requireOCELSchema(t, file.Bytes())
		back, err := valuechain.ReadOCEL(&file)
		require.NoError(t, err)
		require.Equal(t, o, back)

		file.Reset()
		require.NoError(t, valuechain.WriteOCELXML(&file, o))
		requireOCELXMLSchema(t, file.Bytes())
		back, err = valuechain.ReadOCELXML(&file)
		require.NoError(t, err)
		require.Equal(t, o, back)
	}
}

// A feed of three practices as one log, and the log as seen from each of them.
func TestAFeedAsOCEL(t *testing.T) {
	b := valuechain.OCELBuilder{Data: true}
	f := newFeeder(b.Add)
	f.do(0, "incident:i1", "report", "new", nil)
	f.do(1, "incident:i1", "start", "in_progress", nil)
	f.link(2, "incident:i1", "caused_by", "problem:p1")
	f.link(2, "incident:i1", "caused_by", "problem:p1")
	f.do(3, "problem:p1", "open", "new", nil)
	cause := f.last.ID
	e := itsm.Event{ID: "follow", Practice: "incident", Record: "i1", Version: 9, Action: "note", From: "in_progress", To: "in_progress", At: at(3), Cause: cause,
		Actor: itsm.Actor{ID: "system"}}
	b.Add(e)
	own := e
	own.ID, own.Version, own.Cause = "follow again", 10, "follow" // of the same record
	b.Add(own)
	f.link(4, "incident:i1", "affects", "ci:db")
	o := b.Log()
	require.NoError(t, o.Validate())
	var file bytes.Buffer
	require.NoError(t, valuechain.WriteOCEL(&file, o))
	golden(t, "feed.jsonocel", file.String())
	requireOCELSchema(t, file.Bytes())
	back, err := valuechain.ReadOCEL(bytes.NewReader(file.Bytes()))
	require.NoError(t, err)
	require.Equal(t, o, back)
	file.Reset()
	require.NoError(t, valuechain.WriteOCELXML(&file, o))
	golden(t, "feed.xmlocel", file.String())
	requireOCELXMLSchema(t, file.Bytes())

	incidents := o.Log("incident")
	require.Equal(t, []string{"incident.report", "incident.start", "incident.link", "incident.link", "incident.note", "incident.note", "incident.link"}, valuechain.Variants(incidents)[0].Activities)
	require.Equal(t, "system", incidents.Traces[0].Entries[4].Resource)
	require.Equal(t, []string{"incident.link", "incident.link", "problem.open", "incident.note"}, valuechain.Variants(o.Log("problem"))[0].Activities)
	require.Equal(t, "ci:db", o.Log("ci").Traces[0].Case)
	require.Empty(t, o.Log("change").Traces)

	// What the builder gave belongs to who has it, and the data stays where it is
	// unless it is asked for.
	o.Events[0].Properties[0].Name = "changed"
	o.Objects[0].Properties[0].Name = "changed"
	require.Equal(t, back, b.Log())
	var plain valuechain.OCELBuilder
	plain.Links = func(itsm.Event) []itsm.Link { return nil }
	plain.Add(f.last)
	require.Len(t, plain.Log().Objects, 1)
	require.NotContains(t, plain.Log().EventTypes[0].Attributes, valuechain.OCELAttribute{Name: "data", Kind: valuechain.KindText})
	require.Equal(t, &valuechain.OCEL{}, (&valuechain.OCELBuilder{}).Log())
}

// Entries are ordered by their times, and those of the same time as they stand.
func TestOCELOrder(t *testing.T) {
	o := &valuechain.OCEL{
		EventTypes: []valuechain.OCELType{{Name: "a"}, {Name: "b"}}, ObjectTypes: []valuechain.OCELType{{Name: "o"}},
		Objects: []valuechain.OCELObject{{ID: "x", Type: "o"}},
		Events: []valuechain.OCELEvent{
			{ID: "1", Type: "b", At: at(5), Relations: []valuechain.Relation{{Object: "x"}}}, {ID: "2", Type: "a", At: at(5), Relations: []valuechain.Relation{{Object: "x"}, {Object: "x", Qualifier: "again"}}},
			{ID: "3", Type: "a", At: at(1), Relations: []valuechain.Relation{{Object: "x"}}}, {ID: "4", Type: "a", At: at(2)},
		},
	}
	require.Equal(t, []string{"a", "b", "a"}, valuechain.Variants(o.Log("o"))[0].Activities)
}

func TestOCELThatCannotBeWritten(t *testing.T) {
	epoch := time.Unix(0, 0)
	o := &valuechain.OCEL{
		EventTypes:  []valuechain.OCELType{{Name: ""}, {Name: "a", Attributes: []valuechain.OCELAttribute{{Name: "n", Kind: valuechain.KindInt}, {Name: "n"}, {Name: "", Kind: valuechain.KindList}}}, {Name: "a"}},
		ObjectTypes: []valuechain.OCELType{{Name: "o", Attributes: []valuechain.OCELAttribute{{Name: "f", Kind: valuechain.KindFloat}, {Name: "t", Kind: valuechain.KindTime}, {Name: "s"}}}},
		Events: []valuechain.OCELEvent{
			{ID: "", Type: "b", Relations: []valuechain.Relation{{Object: "y", Qualifier: "\x00"}}, Properties: []valuechain.Property{{Name: "z", Value: valuechain.Int(1)}}},
			{ID: "1", Type: "", At: at(1), Properties: []valuechain.Property{{Name: "z", Value: valuechain.Int(1)}}},
			{ID: "1", Type: "a", At: at(1)},
		},
		Objects: []valuechain.OCELObject{
			{ID: "x", Type: "o", Properties: []valuechain.Property{
				{Name: "f", Value: valuechain.Float(math.Inf(1))}, {Name: "f", Value: valuechain.Int(1)}, {Name: "t", Value: valuechain.Time(time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC))},
				{Name: "s", Value: valuechain.Text("\x01"), At: epoch}, {Name: "f", Value: valuechain.List()},
			}},
			{ID: "x", Type: "p"},
		},
	}
	o.EventTypes[2].Attributes = []valuechain.OCELAttribute{{Name: "k"}}
	o.Events[2].Properties = []valuechain.Property{{Name: "k", At: at(1)}, {Name: "k"}}
	want := []string{
		`eventTypes[0].name must be text, is ""`, `eventTypes[1].attributes[1].name is there twice: "n"`, `eventTypes[1].attributes[2].name must be text, is ""`,
		"eventTypes[1].attributes[2].type must be string, time, integer, float or boolean, is list", `eventTypes[2].name is there twice: "a"`,
		`events[0].id must be text, is ""`, `events[0].type is unknown: "b"`, "events[0].time must be set, in the years 1 to 9999",
		`events[0].relationships[0].objectId is no object: "y"`, "events[0].relationships[0].qualifier must be text that every format can hold",
		`events[1].attributes[0].name is no attribute of the type: "z"`,
		`events[2].id is there twice: "1"`, "events[2].attributes[0].time must not be set: an event's value has no time of its own", `events[2].attributes[1].name is there twice: "k"`,
		"objects[0].attributes[0].value must be finite", "objects[0].attributes[1].value must be float, is integer", "objects[0].attributes[2].value must be in the years 1 to 9999",
		"objects[0].attributes[3].value must be text that every format can hold",
		"objects[0].attributes[3].time must be in the years 1 to 9999 and not 1970-01-01T00:00:00Z, which stands for the beginning",
		"objects[0].attributes[4].value must be float, is list", "objects[0].attributes[4].value must be string, time, integer, float or boolean, is list",
		`objects[1].id is there twice: "x"`, `objects[1].type is unknown: "p"`,
	}
	for _, write := range []func(io.Writer, *valuechain.OCEL) error{valuechain.WriteOCEL, valuechain.WriteOCELXML} {
		var file bytes.Buffer
		err := write(&file, o)
		require.Zero(t, file.Len())
		require.ErrorIs(t, err, itsm.ErrInvalid)
		require.Equal(t, want, findings(err))
		dead := errors.New("the disk is dead")
		require.ErrorIs(t, write(failing{dead}, &valuechain.OCEL{}), dead)
	}
}

// Values as other tools write them, and everything that is wrong with a file.
func TestOCELOfOtherTools(t *testing.T) {
	o, err := valuechain.ReadOCEL(strings.NewReader(`{"generator":"x","objectTypes":[{"name":"o","attributes":[{"name":"price","type":"float"},{"name":"n","type":"integer"},
		{"name":"b","type":"boolean"},{"name":"s","type":"string"},{"name":"t","type":"time"}]}],"eventTypes":[{"name":"e","attributes":[]}],
		"objects":[{"id":"x","type":"o","attributes":[{"name":"price","value":2,"time":"1970-01-01T00:00:00Z"},{"name":"n","value":3.0,"time":"1970-01-01T01:00:00+01:00"},{"name":"b","value":true,"time":"0"},
		{"name":"s","value":1.50},{"name":"t","value":"2026-01-01 10:00:00","time":"2026-01-01T10:00:00.5+02:00"}]}],
		"events":[{"id":"1","type":"e","time":"2022-01-09T15:00:00.000000Z","relationships":null}]}`))
	require.NoError(t, err)
	require.Equal(t, []valuechain.Property{
		{Name: "price", Value: valuechain.Float(2)}, {Name: "n", Value: valuechain.Int(3)}, {Name: "b", Value: valuechain.Bool(true)}, {Name: "s", Value: valuechain.Text("1.50")},
		{Name: "t", Value: valuechain.Time(time.Date(2026, 1, 1, 10, 0, 0, 0, time.UTC)), At: time.Date(2026, 1, 1, 8, 0, 0, 5e8, time.UTC)},
	}, o.Objects[0].Properties)

	o, err = valuechain.ReadOCELXML(strings.NewReader(`<log><events><event id="1" type="e" time="2022-01-09T15:00:00Z"><attributes><attribute name="n">7</attribute></attributes>
		<objects><relationship object-id="x" qualifier="q"/></objects></event></events>
		<object-types><object-type name="o"><attributes/></object-type></object-types><event-types><event-type name="e"><attributes><attribute name="n" type="integer"/></attributes></event-type></event-types>
		<objects><object id="x" type="o"><attributes/><objects/></object></objects></log>`))
	require.NoError(t, err)
	require.Equal(t, []valuechain.OCELEvent{{ID: "1", Type: "e", At: time.Date(2022, 1, 9, 15, 0, 0, 0, time.UTC), Properties: []valuechain.Property{{Name: "n", Value: valuechain.Int(7)}},
		Relations: []valuechain.Relation{{Object: "x", Qualifier: "q"}}}}, o.Events)

	for _, tt := range []struct {
		file string
		want []string
	}{
		{"", []string{"must be JSON: unexpected end of JSON input"}},
		{"\xff", []string{"must be valid UTF-8"}},
		{`{"events":[{"id":7,"type":"e"}]}`, []string{"events.id must not be a number", `events[0].time must be a time such as 2026-03-29T02:30:00Z, is ""`}},
		{`{"objectTypes":[{"name":"o","attributes":[{"name":"a","type":"int"},{"name":"n","type":"integer"}]}],"objects":[{"id":"x","type":"o","attributes":[{"name":"a","value":null},
			{"name":"a","value":[1]},{"name":"n","value":"x","time":"soon"},{"name":"n"}]}],"events":[{"id":"1","type":"e","time":"now"}]}`, []string{
			`objectTypes[0].attributes[0].type must be string, time, integer, float or boolean, is "int"`,
			"objects[0].attributes[0].value must be a text, a number or a truth", "objects[0].attributes[1].value must be a text, a number or a truth",
			`objects[0].attributes[2].value must be a whole number of at most 64 bits, is "x"`, `objects[0].attributes[2].time must be a time such as 2026-03-29T02:30:00Z, is "soon"`,
			"objects[0].attributes[3].value must be a text, a number or a truth", `events[0].time must be a time such as 2026-03-29T02:30:00Z, is "now"`}},
		{`{"events":[{"id":"1","type":"e","time":"2026-01-01T00:00:00Z"}]}`, []string{`events[0].type is unknown: "e"`}},
	} {
		o, err := valuechain.ReadOCEL(strings.NewReader(tt.file))
		require.Nil(t, o)
		require.ErrorIs(t, err, itsm.ErrInvalid, tt.file)
		require.Equal(t, tt.want, findings(err), tt.file)
	}
	for _, tt := range []struct {
		file string
		want []string
	}{
		{"<log>", []string{"must be XML: unexpected EOF (line 1)"}},
		{"<ocel/>", []string{`must begin with the element log, begins with "ocel" (line 1)`}},
		{"<log><a/><objects><event/></objects><events><event time='x'><a/></event></events><object-types><object-type><attributes><attribute name='x'><b/></attribute></attributes></object-type></object-types></log>", []string{
			` must not hold the element "a" (line 1)`, `objects must not hold the element "event" (line 1)`, `events[0] must not hold the element "a" (line 1)`, `attributes[0] must not hold the element "b" (line 1)`}},
		{"<log><objects><object id='x' type='o'><attributes><attribute name='a'>1<b/></attribute></attributes></object></objects></log>", []string{`objects[0].attribute must not hold the element "b" (line 1)`}},
		{"<log><objects><object id='x' type='o'><attributes><attribute name='a'>1", []string{"must be XML: unexpected EOF (line 1)"}},
		{"<log><objects><object id='x' type='o'><attributes><attribute name='a'>1<b>", []string{`objects[0].attribute must not hold the element "b" (line 1)`, "must be XML: unexpected EOF (line 1)"}},
		{"<log><objects><object id='x' type='o'/></objects></log>", []string{`objects[0].type is unknown: "o"`}},
	} {
		o, err := valuechain.ReadOCELXML(strings.NewReader(tt.file))
		require.Nil(t, o)
		require.ErrorIs(t, err, itsm.ErrInvalid, tt.file)
		for i, f := range findings(err) {
			require.Equal(t, strings.TrimSpace(tt.want[i]), f, tt.file)
		}
		require.Len(t, findings(err), len(tt.want))
	}
	dead := errors.New("the disk is dead")
	_, err = valuechain.ReadOCEL(failing{dead})
	require.ErrorIs(t, err, dead)
	_, err = valuechain.ReadOCELXML(failing{dead})
	require.ErrorIs(t, err, dead)
}

// requireOCELSchema holds a file against what the published JSON schema of OCEL 2.0
// says, as we read it: which members there are, which must be, and that all are texts,
// those of time in RFC 3339.
func requireOCELSchema(t *testing.T, file []byte) {
	t.Helper()
	var log map[string][]map[string]any
	require.NoError(t, json.Unmarshal(file, &log))
	require.Len(t, log, 4)
	texts := func(where string, o map[string]any, needed ...string) {
		for _, name := range needed {
			require.IsType(t, "", o[name], "%s.%s", where, name)
		}
		if when, ok := o["time"]; ok {
			require.Regexp(t, dateTime, when)
		}
	}
	each := func(where string, o map[string]any, name string, must bool, needed ...string) {
		list, ok := o[name]
		require.True(t, ok || !must, "%s needs %s", where, name)
		if !ok {
			return
		}
		items, ok := list.([]any)
		require.True(t, ok, "%s.%s must be a list", where, name)
		for _, item := range items {
			texts(where+"."+name, item.(map[string]any), needed...)
			require.Len(t, item, len(needed))
		}
	}
	for _, name := range []string{"eventTypes", "objectTypes"} {
		require.NotNil(t, log[name])
		for _, ty := range log[name] {
			texts(name, ty, "name")
			each(name, ty, "attributes", true, "name", "type")
		}
	}
	for _, e := range log["events"] {
		texts("events", e, "id", "type", "time")
		each("events", e, "attributes", false, "name", "value")
		each("events", e, "relationships", false, "objectId", "qualifier")
	}
	for _, o := range log["objects"] {
		texts("objects", o, "id", "type")
		each("objects", o, "attributes", false, "name", "value", "time")
		each("objects", o, "relationships", false, "objectId", "qualifier")
	}
}

// requireOCELXMLSchema holds a file against what the published XML schema of OCEL 2.0
// says, as we read it, with its keys and references.
func requireOCELXMLSchema(t *testing.T, file []byte) {
	t.Helper()
	log := parseXML(t, file)
	require.Equal(t, "log", log.name)
	log.has(t)
	names := func(e *element) (all []string) {
		for _, c := range e.children {
			all = append(all, c.name)
		}
		return all
	}
	require.Equal(t, []string{"object-types", "event-types", "objects", "events"}, names(log))
	blank := regexp.MustCompile(`^\s*$`)
	types := map[string]map[string]bool{}
	for i, name := range []string{"object-type", "event-type"} {
		log.children[i].has(t)
		for _, ty := range log.children[i].children {
			require.Equal(t, name, ty.name)
			ty.has(t, "name", anything)
			require.Equal(t, []string{"attributes"}, names(ty))
			key := name + ":" + ty.attrs["name"]
			require.Nil(t, types[key])
			types[key] = map[string]bool{}
			for _, a := range ty.children[0].children {
				require.Equal(t, "attribute", a.name)
				a.has(t, "name", anything, "type", "string|time|integer|float|boolean")
				require.False(t, types[key][a.attrs["name"]])
				types[key][a.attrs["name"]] = true
			}
		}
	}
	objects := map[string]string{}
	for _, o := range log.children[2].children {
		o.has(t, "id", anything, "type", anything)
		_, twice := objects[o.attrs["id"]]
		require.False(t, twice)
		objects[o.attrs["id"]] = o.attrs["type"]
	}
	events := map[string]bool{}
	part := func(e *element, ty string, timed bool) {
		require.NotNil(t, types[ty], ty)
		require.Equal(t, []string{"attributes", "objects"}, names(e))
		require.Regexp(t, blank, e.text)
		for _, a := range e.children[0].children {
			require.Equal(t, "attribute", a.name)
			if timed {
				a.has(t, "name", anything, "time", dateTime)
			} else {
				a.has(t, "name", anything)
			}
			require.Empty(t, a.children)
			require.True(t, types[ty][a.attrs["name"]])
		}
		for _, r := range e.children[1].children {
			require.Equal(t, "object", r.name)
			r.has(t, "object-id", anything, "qualifier", anything, "type", anything)
			require.Equal(t, objects[r.attrs["object-id"]], r.attrs["type"])
			require.NotEmpty(t, r.attrs["type"])
		}
	}
	for _, o := range log.children[2].children {
		require.Equal(t, "object", o.name)
		part(o, "object-type:"+o.attrs["type"], true)
	}
	for _, e := range log.children[3].children {
		require.Equal(t, "event", e.name)
		e.has(t, "id", anything, "type", anything, "time", dateTime)
		require.False(t, events[e.attrs["id"]])
		events[e.attrs["id"]] = true
		part(e, "event-type:"+e.attrs["type"], false)
	}
	require.True(t, slices.Contains(names(log), "events"))
}
