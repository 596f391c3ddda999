package valuechain_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/valuechain"
)

func TestValues(t *testing.T) {
	now := time.Date(2026, 3, 29, 2, 30, 0, 123456789, time.FixedZone("x", 3600))
	for _, tt := range []struct {
		v    valuechain.Value
		kind valuechain.Kind
		name string
		text string
	}{
		{valuechain.Text("a"), valuechain.KindText, "string", "a"},
		{valuechain.Time(now), valuechain.KindTime, "time", "2026-03-29T01:30:00.123456789Z"},
		{valuechain.Int(-5), valuechain.KindInt, "integer", "-5"},
		{valuechain.Float(0.1), valuechain.KindFloat, "float", "0.1"},
		{valuechain.Float(math.Inf(1)), valuechain.KindFloat, "float", "INF"},
		{valuechain.Float(math.Inf(-1)), valuechain.KindFloat, "float", "-INF"},
		{valuechain.Float(math.NaN()), valuechain.KindFloat, "float", "NaN"},
		{valuechain.Bool(true), valuechain.KindBool, "boolean", "true"},
		{valuechain.Bool(false), valuechain.KindBool, "boolean", "false"},
		{valuechain.Identifier("u"), valuechain.KindID, "id", "u"},
		{valuechain.List(valuechain.Attribute{Value: valuechain.Int(1)}, valuechain.Attribute{Value: valuechain.Text("b")}), valuechain.KindList, "list", "[1 b]"},
		{valuechain.Value{}, valuechain.KindText, "string", ""},
	} {
		require.Equal(t, tt.kind, tt.v.Kind())
		require.Equal(t, tt.name, tt.kind.String())
		require.Equal(t, tt.text, tt.v.String())
		if tt.kind != valuechain.KindTime {
			require.Zero(t, tt.v.Time())
		}
		if tt.kind != valuechain.KindInt {
			require.Zero(t, tt.v.Int())
		}
		require.Equal(t, tt.text == "true", tt.v.Bool())
		require.Equal(t, tt.kind == valuechain.KindList, tt.v.List() != nil)
	}
	require.True(t, now.Equal(valuechain.Time(now).Time()))
	require.Equal(t, -5.0, valuechain.Int(-5).Float())
	require.Equal(t, 0.1, valuechain.Float(0.1).Float())
	require.Zero(t, valuechain.Text("1").Float())
	require.Equal(t, "kind(99)", valuechain.Kind(99).String())
}

// randomText is any text that XML can hold, blanks and signs included.
func randomText(rnd *rand.Rand) string {
	alphabet := []rune("ab \t\n\r<>&\"'`é漢😀\u0085\u2028")
	var b strings.Builder
	for range rnd.IntN(6) {
		b.WriteRune(alphabet[rnd.IntN(len(alphabet))])
	}
	return b.String()
}

func randomTime(rnd *rand.Rand) time.Time {
	return time.Unix(rnd.Int64N(253402300800+62135596800)-62135596800, rnd.Int64N(2)*rnd.Int64N(1e9)).UTC()
}

// randomValue is any value of the first so many kinds.
func randomValue(rnd *rand.Rand, kinds int) valuechain.Value {
	switch rnd.IntN(kinds) {
	case 0:
		return valuechain.Time(randomTime(rnd))
	case 1:
		return valuechain.Int(int64(rnd.Uint64()) >> rnd.IntN(64))
	case 2:
		return valuechain.Float(math.Ldexp(rnd.Float64()-0.5, rnd.IntN(200)-100))
	case 3:
		return valuechain.Bool(rnd.IntN(2) == 0)
	case 5:
		return valuechain.Identifier(randomText(rnd))
	case 6:
		return valuechain.Float([]float64{math.Inf(1), math.Inf(-1), math.NaN(), 0, math.Copysign(0, -1)}[rnd.IntN(5)])
	}
	return valuechain.Text(randomText(rnd))
}

func randomAttributes(rnd *rand.Rand, most, depth int) []valuechain.Attribute {
	var all []valuechain.Attribute
	keys := rnd.Perm(20)
	for i := range rnd.IntN(most + 1) {
		a := valuechain.Attribute{Key: fmt.Sprintf("k%d:é.-_%d", keys[i], keys[i]), Value: randomValue(rnd, 8)}
		if depth > 0 && rnd.IntN(6) == 0 {
			a.Attributes = randomAttributes(rnd, 3, depth-1)
		}
		if depth > 0 && rnd.IntN(6) == 0 {
			list := randomAttributes(rnd, 3, depth-1)
			if len(list) > 0 {
				list = append(list, list[0]) // keys of a list may come again
			}
			a.Value = valuechain.List(list...)
		}
		all = append(all, a)
	}
	return all
}

func randomXES(rnd *rand.Rand) *valuechain.XES {
	x := &valuechain.XES{
		TraceGlobals: randomAttributes(rnd, 2, 0), EventGlobals: randomAttributes(rnd, 2, 1), Attributes: randomAttributes(rnd, 4, 3),
	}
	if rnd.IntN(2) == 0 {
		x.Extensions = valuechain.StandardExtensions()[:1+rnd.IntN(3)]
	}
	if len(x.EventGlobals) > 0 {
		x.Classifiers = append(x.Classifiers, valuechain.Classifier{Name: "By", Keys: []string{x.EventGlobals[0].Key}})
	}
	if len(x.TraceGlobals) > 0 {
		x.Classifiers = append(x.Classifiers, valuechain.Classifier{Name: "Case", Scope: "trace", Keys: []string{x.TraceGlobals[0].Key}})
	}
	for range rnd.IntN(4) {
		tr := valuechain.XESTrace{Attributes: randomAttributes(rnd, 3, 1)}
		for range rnd.IntN(4) {
			tr.Events = append(tr.Events, valuechain.XESEvent{Attributes: randomAttributes(rnd, 5, 2)})
		}
		x.Traces = append(x.Traces, tr)
	}
	for range rnd.IntN(2) {
		x.Events = append(x.Events, valuechain.XESEvent{Attributes: randomAttributes(rnd, 3, 0)})
	}
	return x
}

func TestXESComesBackEqual(t *testing.T) {
	for seed := range uint64(rounds(1000)) {
		x := randomXES(rand.New(rand.NewPCG(seed, 4)))
		var file bytes.Buffer
		require.NoError(t, valuechain.WriteXES(&file, x))
		requireXESSchema(t, file.Bytes())
		back, err := valuechain.ReadXES(&file)
		require.NoError(t, err)
		require.Equal(t, x, back)
	}
}

// The Volvo log with every column, as XES and back.
func TestTheVolvoLogAsXES(t *testing.T) {
	x := &valuechain.XES{Extensions: valuechain.StandardExtensions(),
		Attributes: []valuechain.Attribute{{Key: "concept:name", Value: valuechain.Text("closed problems")}}}
	numbers := map[string]int{}
	for _, r := range rows(t, "bpic2013_closed_problems.csv.gz") {
		i, ok := numbers[r["case_id"]]
		if !ok {
			i = len(x.Traces)
			numbers[r["case_id"]] = i
			x.Traces = append(x.Traces, valuechain.XESTrace{Attributes: []valuechain.Attribute{{Key: "concept:name", Value: valuechain.Text(r["case_id"])}}})
		}
		when, err := time.Parse(time.RFC3339, r["time"])
		require.NoError(t, err)
		e := []valuechain.Attribute{
			{Key: "concept:name", Value: valuechain.Text(r["status"])}, {Key: "lifecycle:transition", Value: valuechain.Text(r["sub_status"])},
			{Key: "time:timestamp", Value: valuechain.Time(when)}, {Key: "org:group", Value: valuechain.Text(r["support_team"])},
		}
		for _, column := range []string{"impact", "org_line", "product"} {
			e = append(e, valuechain.Attribute{Key: column, Value: valuechain.Text(r[column])})
		}
		x.Traces[i].Events = append(x.Traces[i].Events, valuechain.XESEvent{Attributes: e})
	}
	require.Len(t, x.Traces, 1487)
	var file bytes.Buffer
	require.NoError(t, valuechain.WriteXES(&file, x))
	requireXESSchema(t, file.Bytes())
	back, err := valuechain.ReadXES(bytes.NewReader(file.Bytes()))
	require.NoError(t, err)
	require.Equal(t, x, back)
	// What mining finds in it is what it finds in the table.
	require.Equal(t, valuechain.Variants(volvo(t)), valuechain.Variants(back.Log("concept:name", "lifecycle:transition").Map(func(e valuechain.Entry) string {
		return strings.Replace(e.Activity, "+", "/", 1)
	})))
}

func TestALogAsXES(t *testing.T) {
	l := logOf("a b", "", "b")
	l.Traces[0].Entries[0].Resource, l.Traces[0].Entries[0].Group = "ann", "desk"
	l.Traces[0].Entries[1].At = time.Time{}
	var file bytes.Buffer
	require.NoError(t, valuechain.WriteXES(&file, l.XES()))
	golden(t, "log.xes", file.String())
	requireXESSchema(t, file.Bytes())
	back, err := valuechain.ReadXES(&file)
	require.NoError(t, err)
	require.Equal(t, valuechain.DirectlyFollows(l), valuechain.DirectlyFollows(back.Log()))
	require.Equal(t, l.Traces[0], back.Log().Traces[0])
	require.Equal(t, "ann+desk", back.Log("org:resource", "org:group").Traces[0].Entries[0].Activity)
	// What a trace or an event does not say, the globals do.
	back.Traces[1] = valuechain.XESTrace{Events: []valuechain.XESEvent{{}}}
	require.Equal(t, valuechain.Trace{Case: "unknown", Entries: []valuechain.Entry{{Activity: "unknown"}}}, back.Log().Traces[1])
	back.TraceGlobals = nil
	require.Equal(t, "2", back.Log().Traces[1].Case)
}

// A file as older tools write it: with a namespace, comments, their own XML
// attributes, keys with blanks, and times in every zone.
const older = `<?xml version="1.0" encoding="UTF-8" ?>
<!-- made by hand -->
<log xes.version="1.0" xes.features="nested-attributes" openxes.version="1.0RC7" xmlns="http://www.xes-standard.org/">
	<extension name="Concept" prefix="concept" uri="http://www.xes-standard.org/concept.xesext"/>
	<global scope="trace"><string key="concept:name" value="?"/></global>
	<global scope="event"><string key="concept:name" value="?"/><string key="resource country" value="?"/></global>
	<classifier name="Activity classifier" keys="concept:name 'resource country'"/>
	<classifier name="One" keys="concept:name"/>
	<string key="creator" value="&#x41;&amp;B"/>
	<trace>
		<string key="concept:name" value="1"/>
		<event>
			<string key="concept:name" value="a"/>
			<date key="time:timestamp" value="2010-03-31T16:59:42+02:00"/>
			<date key="local" value="2010-03-31T16:59:42.5"/>
			<int key="n" value=" 7 "/><float key="f" value="1E3"/><boolean key="b" value="1"/><id key="i" value="x"/>
			<list key="l"><string key="of" value="list"/><values><int key="n" value="1"/><int key="n" value="2"/></values></list>
			<string key="resource country" value="se"><string key="why" value="born"/></string>
		</event>
	</trace>
</log>`

func TestAnOlderFile(t *testing.T) {
	x, err := valuechain.ReadXES(strings.NewReader(older))
	require.NoError(t, err)
	require.Equal(t, []valuechain.Classifier{{Name: "Activity classifier", Keys: []string{"concept:name", "resource country"}}, {Name: "One", Keys: []string{"concept:name"}}}, x.Classifiers)
	require.Equal(t, []valuechain.Attribute{{Key: "creator", Value: valuechain.Text("A&B")}}, x.Attributes)
	require.Equal(t, []valuechain.Attribute{
		{Key: "concept:name", Value: valuechain.Text("a")},
		{Key: "time:timestamp", Value: valuechain.Time(time.Date(2010, 3, 31, 14, 59, 42, 0, time.UTC))},
		{Key: "local", Value: valuechain.Time(time.Date(2010, 3, 31, 16, 59, 42, 5e8, time.UTC))},
		{Key: "n", Value: valuechain.Int(7)}, {Key: "f", Value: valuechain.Float(1000)}, {Key: "b", Value: valuechain.Bool(true)}, {Key: "i", Value: valuechain.Identifier("x")},
		{Key: "l", Value: valuechain.List(valuechain.Attribute{Key: "n", Value: valuechain.Int(1)}, valuechain.Attribute{Key: "n", Value: valuechain.Int(2)}),
			Attributes: []valuechain.Attribute{{Key: "of", Value: valuechain.Text("list")}}},
		{Key: "resource country", Value: valuechain.Text("se"), Attributes: []valuechain.Attribute{{Key: "why", Value: valuechain.Text("born")}}},
	}, x.Traces[0].Events[0].Attributes)

	// Its names are not those of the schema, until they are renamed.
	err = valuechain.WriteXES(io.Discard, x)
	require.ErrorIs(t, err, itsm.ErrInvalid)
	require.Equal(t, []string{
		"global[event].resource country must have an XML name as its key",
		`classifier[0].name must be an XML name without colons, is "Activity classifier"`,
		"trace[0].event[0].resource country must have an XML name as its key",
	}, findings(err))
	x.Rename()
	var file bytes.Buffer
	require.NoError(t, valuechain.WriteXES(&file, x))
	requireXESSchema(t, file.Bytes())
	back, err := valuechain.ReadXES(&file)
	require.NoError(t, err)
	require.Equal(t, x, back)
	require.Equal(t, []string{"concept:name", "resource_country"}, back.Classifiers[0].Keys)
}

func TestXESThatCannotBeWritten(t *testing.T) {
	deep := valuechain.Attribute{Key: "a"}
	for range 60 {
		deep = valuechain.Attribute{Key: "a", Attributes: []valuechain.Attribute{deep}}
	}
	many := make([]valuechain.Attribute, 20)
	for i := range many {
		many[i].Key = fmt.Sprint("k", i%19)
	}
	x := &valuechain.XES{
		Extensions:   []valuechain.Extension{{Name: "a:b", Prefix: "1", URI: "no uri"}},
		TraceGlobals: []valuechain.Attribute{{Key: "t"}},
		Classifiers:  []valuechain.Classifier{{Name: "", Scope: "log"}, {Name: "C", Keys: []string{"t"}}, {Name: "D", Scope: "trace", Keys: []string{"t"}}},
		Attributes:   []valuechain.Attribute{{Key: "a", Value: valuechain.Text("\x00")}, {Key: "a", Value: valuechain.Text("\xff")}, {Key: ""}, deep},
		Traces: []valuechain.XESTrace{{Events: []valuechain.XESEvent{
			{Attributes: []valuechain.Attribute{{Key: "t", Value: valuechain.Time(time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC))}}},
			{Attributes: many},
			{Attributes: []valuechain.Attribute{{Key: "l", Value: valuechain.List(valuechain.Attribute{Key: "x y"}, valuechain.Attribute{Key: "x y"})}}},
		}}},
		Events: []valuechain.XESEvent{{Attributes: []valuechain.Attribute{{Key: "-"}}}},
	}
	var file bytes.Buffer
	err := valuechain.WriteXES(&file, x)
	require.Zero(t, file.Len())
	require.ErrorIs(t, err, itsm.ErrInvalid)
	require.Equal(t, []string{
		`extension[0].name must be an XML name without colons, is "a:b"`, `extension[0].prefix must be an XML name without colons, is "1"`, `extension[0].uri must be a URI, is "no uri"`,
		`classifier[0].name must be an XML name without colons, is ""`, `classifier[0].scope must be event or trace, is "log"`, "classifier[0].keys must not be empty",
		`classifier[1].keys[0] must be one of the globals, is "t"`,
		"log.a is there twice", "log.a is there twice", "log.a must be text that XML can hold", "log.a must be text that XML can hold", "log. must have an XML name as its key",
		"log" + strings.Repeat(".a", 50) + " is nested more than 50 deep",
		"trace[0].event[0].t must be in the years 1 to 9999", "trace[0].event[1].k0 is there twice",
		"trace[0].event[2].l.x y must have an XML name as its key", "trace[0].event[2].l.x y must have an XML name as its key",
		"event[0].- must have an XML name as its key",
	}, findings(err))
	// Not without an end.
	x = &valuechain.XES{Attributes: make([]valuechain.Attribute, 500)}
	require.Len(t, findings(x.Validate()), 201)
	require.Contains(t, x.Validate().Error(), "has 799 more findings")
	// A renamed log has names, whatever it had.
	x = &valuechain.XES{
		Extensions: []valuechain.Extension{{Name: "", Prefix: "a b", URI: "u:x"}}, Classifiers: []valuechain.Classifier{{Name: "1 2", Keys: []string{"9"}}},
		EventGlobals: []valuechain.Attribute{{Key: "9"}}, TraceGlobals: []valuechain.Attribute{{Key: "\xff"}},
		Events: []valuechain.XESEvent{{Attributes: []valuechain.Attribute{{Key: "-é:"}}}},
	}
	x.Rename()
	require.NoError(t, x.Validate())
	require.Equal(t, valuechain.Classifier{Name: "_1_2", Keys: []string{"_9"}}, x.Classifiers[0])
	require.Equal(t, "_-é:", x.Events[0].Attributes[0].Key)
}

func TestXESThatCannotBeRead(t *testing.T) {
	deep := strings.Repeat(`<string key="a" value="">`, 60) + strings.Repeat(`</string>`, 60)
	for _, tt := range []struct {
		file string
		want []string
	}{
		{"", []string{"ends before its time"}},
		{"<log>", []string{"must be XML: unexpected EOF (line 1)"}},
		{"no xml", []string{"ends before its time"}},
		{"<a></a>", []string{`must begin with the element log, begins with "a" (line 1)`}},
		{"<log><trace></log>", []string{"must be XML: element <trace> closed by </log> (line 1)"}},
		{`<?xml version="1.0" encoding="latin1"?><log/>`, []string{`xml: encoding "latin1" declared but Decoder.CharsetReader is nil`}},
		{`<!DOCTYPE log [<!ENTITY a "b">]><log>` + "\n" + `<string key="x" value="&a;"/></log>`, []string{"must be XML: invalid character entity &a; (line 2)"}},
		{"<log>\n<int key='n' value='x'/>\n<date key='d' value='yesterday'/><float key='f' value='0x1p3'/><boolean key='b' value='maybe'/>\n<int key='n' value='1'/></log>", []string{
			`log.n must be a whole number of at most 64 bits, is "x" (line 2)`, `log.d must be a time such as 2026-03-29T02:30:00Z, is "yesterday" (line 3)`,
			`log.f must be a number, is "0x1p3" (line 3)`, `log.b must be true or false, is "maybe" (line 3)`, "log.n is there twice (line 4)"}},
		{"<log><other/><extension><a/></extension><classifier>x</classifier><global scope='log'/></log>", []string{
			`log must not hold the element "other" (line 1)`, `extension must not hold the element "a" (line 1)`, `classifier must not hold text in classifier: "x" (line 1)`,
			`global must have the scope event or trace, has "log" (line 1)`}},
		{"<log><trace><event><event/></event><trace/><string value='x'/></trace></log>", []string{
			`trace[0].event must not hold the element "event" (line 1)`, `trace[0] must not hold the element "trace" (line 1)`, "trace[0] has an attribute without a key (line 1)"}},
		{"<log><event><list key='l'><values/><values/></list></event></log>", []string{"event[0].l has its values twice (line 1)"}},
		{"<log>" + deep + "</log>", []string{"log" + strings.Repeat(".a", 50) + " is nested more than 50 deep (line 1)"}},
	} {
		_, err := valuechain.ReadXES(strings.NewReader(tt.file))
		require.ErrorIs(t, err, itsm.ErrInvalid, tt.file)
		require.Equal(t, tt.want, findings(err), tt.file)
	}
	dead := errors.New("the disk is dead")
	_, err := valuechain.ReadXES(io.MultiReader(strings.NewReader("<log>"), failing{dead}))
	require.ErrorIs(t, err, dead)
	require.ErrorIs(t, valuechain.WriteXES(failing{dead}, logOf("a").XES()), dead)
}

// failing reads and writes nothing.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error)  { return 0, f.err }
func (f failing) Write([]byte) (int, error) { return 0, f.err }

// element is XML as it is, for checks that share nothing with the package's readers.
type element struct {
	name     string
	attrs    map[string]string
	children []*element
	text     string
}

func parseXML(t *testing.T, file []byte) *element {
	t.Helper()
	d := xml.NewDecoder(bytes.NewReader(file))
	stack := []*element{{}}
	for {
		token, err := d.Token()
		if err == io.EOF {
			break
		}
		require.NoError(t, err)
		top := stack[len(stack)-1]
		switch token := token.(type) {
		case xml.StartElement:
			require.Empty(t, token.Name.Space)
			e := &element{name: token.Name.Local, attrs: map[string]string{}}
			for _, a := range token.Attr {
				require.Empty(t, a.Name.Space)
				e.attrs[a.Name.Local] = a.Value
			}
			top.children = append(top.children, e)
			stack = append(stack, e)
		case xml.EndElement:
			stack = stack[:len(stack)-1]
		case xml.CharData:
			top.text += string(token)
		}
	}
	require.Len(t, stack[0].children, 1)
	return stack[0].children[0]
}

var patterns = map[string]*regexp.Regexp{}

// has checks the XML attributes of an element: name, pattern, and "?" before what may
// be missing.
func (e *element) has(t *testing.T, pairs ...string) {
	t.Helper()
	known := map[string]bool{}
	for i := 0; i < len(pairs); i += 2 {
		name, optional := strings.CutPrefix(pairs[i], "?")
		known[name] = true
		value, ok := e.attrs[name]
		require.True(t, ok || optional, "%s needs %s", e.name, name)
		if ok {
			re := patterns[pairs[i+1]]
			if re == nil {
				re = regexp.MustCompile(`(?s)\A(` + pairs[i+1] + `)\z`)
				patterns[pairs[i+1]] = re
			}
			require.True(t, re.MatchString(value), "%s.%s is %q", e.name, name, value)
		}
	}
	for name := range e.attrs {
		require.True(t, known[name], "%s has no %s", e.name, name)
	}
}

const (
	// The characters of names as XML 1.0 has them in its fifth edition.
	nameStart = `A-Z_a-z\x{C0}-\x{D6}\x{D8}-\x{F6}\x{F8}-\x{2FF}\x{370}-\x{37D}\x{37F}-\x{1FFF}\x{200C}\x{200D}\x{2070}-\x{218F}` +
		`\x{2C00}-\x{2FEF}\x{3001}-\x{D7FF}\x{F900}-\x{FDCF}\x{FDF0}-\x{FFFD}\x{10000}-\x{EFFFF}`
	nameRest = nameStart + `.0-9\x{B7}\x{300}-\x{36F}\x{203F}\x{2040}`
	ncName   = `[` + nameStart + `][` + nameRest + `-]*`
	xmlName  = `[:` + nameStart + `][:` + nameRest + `-]*`
	dateTime = `[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})`
	anything = `.*`
)

// requireXESSchema holds a file against what the published schema of IEEE 1849-2016
// says, as we read it: which elements stand where, in which order, and of which types
// their XML attributes are. Beyond the schema, keys are there once.
func requireXESSchema(t *testing.T, file []byte) {
	t.Helper()
	log := parseXML(t, file)
	require.Equal(t, "log", log.name)
	log.has(t, "xes.version", `[0-9]+(\.[0-9]+)?`, "?xes.features", `([^\s]+( [^\s]+)*)?`)
	var attributes func(e *element, unique bool)
	attribute := func(e *element) {
		value := map[string]string{"string": anything, "id": anything, "date": dateTime, "int": `-?[0-9]+`, "boolean": "true|false",
			"float": `-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?|INF|-INF|NaN`}[e.name]
		children := e.children
		if e.name == "list" {
			e.has(t, "key", xmlName)
			require.NotEmpty(t, children)
			last := children[len(children)-1]
			require.Equal(t, "values", last.name)
			last.has(t, "key", xmlName)
			attributes(&element{children: last.children}, false)
			children = children[:len(children)-1]
		} else {
			require.NotEmpty(t, value, e.name)
			e.has(t, "key", xmlName, "value", value)
			if e.name == "int" {
				_, err := strconv.ParseInt(e.attrs["value"], 10, 64)
				require.NoError(t, err)
			}
		}
		attributes(&element{children: children}, true)
	}
	attributes = func(e *element, unique bool) {
		keys := map[string]bool{}
		for _, c := range e.children {
			require.False(t, unique && keys[c.attrs["key"]], "%s twice", c.attrs["key"])
			keys[c.attrs["key"]] = true
			attribute(c)
		}
	}
	// in divides children into runs, in the order of the schema.
	in := func(e *element, order ...string) map[string][]*element {
		out, at := map[string][]*element{}, 0
		require.Empty(t, strings.TrimSpace(e.text))
		for _, c := range e.children {
			name := c.name
			if !slices.Contains(order, name) {
				name = "attributes"
			}
			for at < len(order) && order[at] != name {
				at++
			}
			require.Less(t, at, len(order), "%s must not come here in %s", c.name, e.name)
			out[name] = append(out[name], c)
		}
		return out
	}
	parts := in(log, "extension", "global", "classifier", "attributes", "trace", "event")
	for _, e := range parts["extension"] {
		e.has(t, "name", ncName, "prefix", ncName, "uri", `\S+`)
		require.Empty(t, e.children)
	}
	for _, e := range parts["global"] {
		e.has(t, "?scope", ncName)
		attributes(e, true)
	}
	for _, e := range parts["classifier"] {
		e.has(t, "name", ncName, "?scope", ncName, "keys", `\S+( \S+)*`)
		require.Empty(t, e.children)
	}
	attributes(&element{children: parts["attributes"]}, true)
	for _, e := range parts["trace"] {
		e.has(t)
		inner := in(e, "attributes", "event")
		attributes(&element{children: inner["attributes"]}, true)
		for _, ev := range inner["event"] {
			ev.has(t)
			attributes(ev, true)
		}
	}
	for _, e := range parts["event"] {
		e.has(t)
		attributes(e, true)
	}
}
