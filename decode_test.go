package itsm_test

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm"
)

func TestDecode(t *testing.T) {
	p := newBoxes(t)
	one := 1
	for _, tt := range []struct {
		json string
		want itsm.Action[Box]
	}{
		{`{"action":"pack"}`, Pack{}},
		{` { "data" : null , "action" : "pack" } `, Pack{}},
		{`{"action":"pack","data":{}}`, Pack{}},
		{`{"action":"checked","data":{"n":1,"s":"글로벌"}}`, Checked{N: 1, S: "글로벌"}},
		{`{"action":"pack","data":{"paper":"red","bows":["x"],"text":"t","kind":"k","flag":true,"int":-128,"uint":65535,"float":1e3,
			"at":"2026-03-02T18:00:00.0000019+09:00","span":"1h30m","level":"high",
			"items":[{"name":"a","tags":[],"count":1},{"at":"2026-03-02T09:00:00Z"}],"by_name":{"x":{"name":"y"},"z":null},
			"next":{"tags":["q"]},"times":[],"ends":[{"name":"from"},{"name":"to"}],"raw":{ "any": [1] },
			"raws":{"a":null,"b":[ 1 ]},"blob":"AP8=","lists":[[],["x"],null],"Maps":{"k":"v"}}}`,
			Pack{
				Wrapping: Wrapping{Paper: "red", Bows: []string{"x"}}, Text: "t", Kind: "k", Flag: true, Int: -128, Uint: 65535, Float: 1000,
				At: monday.Add(time.Microsecond), Span: 90 * time.Minute, Level: 1,
				Items:  []Item{{Name: "a", Count: &one}, {At: monday}},
				ByName: map[Kind]Item{"x": {Name: "y"}, "z": {}},
				Next:   &Item{Tags: []string{"q"}}, Ends: [2]Item{{Name: "from"}, {Name: "to"}},
				Raw: json.RawMessage(`{"any":[1]}`), Raws: itsm.Fields{"a": json.RawMessage("null"), "b": json.RawMessage("[1]")},
				Blob: []byte{0, 255}, Lists: [][]string{nil, {"x"}, nil}, Maps: map[string]string{"k": "v"},
			}},
		{`{"action":"pack","data":{"span":5400000000000}}`, Pack{Span: 90 * time.Minute}},
		{`{"action":"pack","data":{"text":null,"int":null,"at":null,"items":null,"next":null,"span":null,"blob":null,"ends":null,"raw":null}}`, Pack{}},
		{`{"action":"tree","data":{"next":{"next":{"name":"deep"}},"map":{"a":null}}}`,
			Tree{Next: &Tree{Next: &Tree{Name: "deep"}}, Map: map[string]*Tree{"a": nil}}},
	} {
		got, err := p.Decode([]byte(tt.json))
		require.NoError(t, err, tt.json)
		require.Equal(t, tt.want, got)
		again, err := p.Encode(got)
		require.NoError(t, err)
		back, err := p.Decode(again)
		require.NoError(t, err, "%s", again)
		require.Equal(t, tt.want, back)
	}
}

func TestDecodeRefusesWithAllFindings(t *testing.T) {
	p := newBoxes(t)
	long := strings.Repeat("x", 100)
	for _, tt := range []struct {
		name, json string
		want       []string
	}{
		{"nothing", ``, []string{"must be JSON: unexpected end of JSON input"}},
		{"no JSON", `{"action":pack}`, []string{"must be JSON: invalid character 'p' looking for beginning of value"}},
		{"two values", `{"action":"pack"} {}`, []string{"must be JSON: invalid character '{' after top-level value"}},
		{"no object", `["pack"]`, []string{"must be an object"}},
		{"null", `null`, []string{"must be an object"}},
		{"no action", `{}`, []string{`action "" is not known`}},
		{"action is no text", `{"action":7,"daat":{}}`, []string{"action must be text", "daat is not known"}},
		{"names in another case are other names", `{"Action":"pack"}`, []string{"Action is not known"}},
		{"unknown", `{"action":"explode"}`, []string{`action "explode" is not known`}},
		{"unknown and long", `{"action":"` + long + `"}`, []string{`action "` + long[:60] + `…" is not known`}},
		{"derived", `{"action":"hidden"}`, []string{`action "hidden" is not known`}},
		{"data is no object", `{"action":"pack","data":[]}`, []string{"must be an object"}},
		{"repeated", `{"action":"pack","data":{"text":"a","text":"b","next":{"name":"x","name":1}},"action":"tree"}`, []string{"action is there twice"}},
		{"repeated inside", `{"action":"pack","data":{"text":"a","text":"b","next":{"name":"x","name":1}}}`, []string{
			"text is there twice", "next.name is there twice"}},
		{"unknown inside", `{"action":"pack","data":{"txt":1,"items":[{},{"nam":2}],"by_name":{"a":{"x":1}},"Paper":"","Wrapping":{},"` + long + `":1}}`, []string{
			"txt is not known", "items[1].nam is not known", "by_name.a.x is not known",
			"Paper is not known", "Wrapping is not known", long[:60] + "… is not known"}},
		{"wrong types, all of them", `{"action":"pack","data":{"text":1,"flag":"yes","int":128,"uint":-1,"float":"1","at":"yesterday","span":"soon",
			"level":"medium","items":{},"by_name":[],"next":7,"blob":"?","times":["x",1],"maps":{},"lists":[{}],"kind":{}}}`, []string{
			"text must be text",
			"flag must be true or false",
			"int must be a whole number of at most 8 bits",
			"uint must be a whole number from 0 of at most 16 bits",
			"float must be a number",
			"at must be a time in RFC 3339, such as 2026-03-29T02:30:00Z",
			`span must be a duration, such as "1h30m", or nanoseconds`,
			`level does not fit: "medium"`,
			"items must be a list",
			"by_name must be an object",
			"next must be an object",
			`blob does not fit: "?"`,
			"times[0] must be a time in RFC 3339, such as 2026-03-29T02:30:00Z",
			"times[1] must be a time in RFC 3339, such as 2026-03-29T02:30:00Z",
			"maps is not known",
			"lists[0] must be a list",
			"kind must be text",
		}},
		{"whole numbers only", `{"action":"pack","data":{"int":1.5,"uint":1e2}}`, []string{
			"int must be a whole number of at most 8 bits", "uint must be a whole number from 0 of at most 16 bits"}},
		{"span", `{"action":"pack","data":{"span":{}}}`, []string{`span must be a duration, such as "1h30m", or nanoseconds`}},
		{"what the action finds itself", `{"action":"checked","data":{"s":"long"}}`, []string{
			"n must be positive", "s must have at most 3 characters, has 4"}},
		{"NUL", `{"action":"pack","data":{"text":"a\u0000"}}`, []string{"text must not contain NUL"}},
		{"the year 10000 in UTC", `{"action":"pack","data":{"at":"9999-12-31T23:59:59-01:00"}}`, []string{"at must be in the years 0 to 9999"}},
		{"invalid UTF-8", "{\"action\":\"pack\",\"data\":{\"text\":\"\xff\"}}", []string{"must be valid UTF-8"}},
		{"too long", `{"action":"pack","data":{"text":"` + strings.Repeat("x", 256<<10) + `"}}`,
			[]string{fmt.Sprintf("must have at most 262144 bytes, has %d", 256<<10+len(`{"action":"pack","data":{"text":""}}`))}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a, err := p.Decode([]byte(tt.json))
			require.Equal(t, tt.want, messages(err))
			require.ErrorIs(t, err, itsm.ErrInvalid)
			require.Nil(t, a)
		})
	}
	deep := func(n int) string { return strings.Repeat(`{"next":`, n) + "{}" + strings.Repeat("}", n) }
	_, err := p.Decode([]byte(`{"action":"tree","data":` + deep(98) + `}`))
	require.NoError(t, err, "as deep as is taken")
	_, err = p.Decode([]byte(`{"action":"tree","data":` + deep(99) + `}`))
	require.Equal(t, []string{"must be nested at most 100 deep"}, messages(err))
	_, err = p.Decode([]byte(`{"action":"tree","data":` + strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000) + `}`))
	require.ErrorIs(t, err, itsm.ErrInvalid)
}

// An event's data may be older than its type: names that the type has lost are
// passed over.
func TestDone(t *testing.T) {
	p := newBoxes(t)
	a, err := p.Done(itsm.Event{Action: "hidden", Data: json.RawMessage(`{"lost":1}`)})
	require.NoError(t, err)
	require.Equal(t, Hidden{}, a)
	_, err = p.Done(itsm.Event{Action: "gone", Data: json.RawMessage(`{}`)})
	require.Equal(t, []string{`action "gone" is not among the practice's actions`}, messages(err))
	for _, data := range []string{"", "{", `{"text":1}`} {
		_, err = p.Done(itsm.Event{Action: "pack", Data: json.RawMessage(data)})
		require.ErrorIs(t, err, itsm.ErrInvalid, data)
		require.Equal(t, []string{"data"}, fields(err))
	}
}

func TestEncode(t *testing.T) {
	p := newBoxes(t)
	data, err := p.Encode(Pack{Text: "x", At: time.Date(2026, 3, 2, 18, 0, 0, 0, time.FixedZone("", 9*3600))})
	require.NoError(t, err)
	require.JSONEq(t, `{"action":"pack","data":{"text":"x","at":"2026-03-02T09:00:00Z","Maps":null}}`, string(data))
	_, err = p.Encode(nil)
	require.ErrorIs(t, err, itsm.ErrInvalid)
	_, err = p.Encode(impostor{})
	require.ErrorIs(t, err, itsm.ErrInvalid)
	_, err = p.Encode(NaN{F: math.Inf(1)})
	require.ErrorIs(t, err, itsm.ErrInvalid)
}

func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		`{"action":"pack","data":{"paper":"red","bows":["x"],"text":"t","kind":"k","flag":true,"int":-128,"uint":65535,"float":1e3,` +
			`"at":"2026-03-02T18:00:00.0000019+09:00","span":"1h30m","level":"high","items":[{"name":"a","tags":[],"count":1}],` +
			`"by_name":{"x":{"name":"y"},"z":null},"next":{"tags":["q"]},"times":[],"ends":[{},{"name":"to"}],"raw":{ "any": [1] },` +
			`"raws":{"a":null,"b":[ 1 ]},"blob":"AP8=","lists":[[],["x"],null],"Maps":{"k":"v"}}}`,
		`{"action":"tree","data":{"kids":[{"kids":[]}],"next":{"next":null},"map":{"a":{},"b":null},"tags":[{"text":"","tags":[{}]}]}}`,
		`{"action":"checked","data":{"n":1,"s":"x"}}`, `{"action":"hidden"}`, `{"action":"nan","data":{"f":-0}}`,
		`{"action":"pack","data":{"text":1,"text":2}}`, `null`, `[]`, `{"action":"pack","data":{"raw":"\u003c<\u2028","at":"0000-01-01T00:00:00+01:00"}}`,
	} {
		f.Add([]byte(seed))
	}
	p := newBoxes(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		a, err := p.Decode(data)
		if err != nil {
			require.ErrorIs(t, err, itsm.ErrInvalid)
			require.NotEmpty(t, itsm.Findings(err))
			return
		}
		encoded, err := p.Encode(a)
		require.NoError(t, err)
		if len(encoded) > 256<<10 {
			return // escaping made it longer than what is taken
		}
		again, err := p.Decode(encoded)
		require.NoError(t, err, "%s", encoded)
		require.Equal(t, a, again)
		// And what the history keeps is what was applied.
		var env struct {
			Action string          `json:"action"`
			Data   json.RawMessage `json:"data"`
		}
		require.NoError(t, json.Unmarshal(encoded, &env))
		done, err := p.Done(itsm.Event{Action: env.Action, Data: env.Data})
		require.NoError(t, err)
		require.Equal(t, a, done)
	})
}

// A rota is a definition that a host keeps as data.
type rota struct {
	Name  string        `json:"name"`
	Shift time.Duration `json:"shift"`
	Crew  []string      `json:"crew"`
}

func (r rota) Validate() error {
	var v itsm.Validation
	v.Text("name", r.Name, 1, 10)
	v.Check(r.Shift > 0, "shift", "must be positive")
	v.Check(len(r.Crew) > 0, "crew", "must not be empty")
	return v.Err()
}

// A moody type finds something that is no field's.
type moody struct{}

func (moody) Validate() error { return itsm.Refuse("not today") }

func TestParseJSON(t *testing.T) {
	got, err := itsm.ParseJSON[rota]([]byte(`{"name":"night","shift":"8h","crew":["mia"]}`))
	require.NoError(t, err)
	require.Equal(t, rota{"night", 8 * time.Hour, []string{"mia"}}, got)
	_, err = itsm.ParseJSON[map[string]int]([]byte(`{"a":1}`))
	require.NoError(t, err)
	// What is not there has nothing wrong with it, in whichever way it is not there.
	for _, in := range []string{`x`, ` null `, `[]`} {
		_, err := itsm.ParseJSON[*rota]([]byte(in))
		require.Len(t, itsm.Findings(err), 1, in)
		_, err = itsm.ParseJSON[moody]([]byte(in))
		require.Len(t, itsm.Findings(err), 1, in)
	}
	for in, want := range map[string][]string{
		`{`:  {"must be JSON: unexpected end of JSON input"},
		`[]`: {"must be an object"},
		`{"name":7,"shift":"soon","crw":[]}`: {
			"name must be text", `shift must be a duration, such as "1h30m", or nanoseconds`, "crw is not known", "crew must not be empty"},
		`{"name":"a name too long","shift":"-1s","crew":["mia"]}`: {"name must have at most 10 characters, has 15", "shift must be positive"},
	} {
		got, err := itsm.ParseJSON[rota]([]byte(in))
		require.ErrorIs(t, err, itsm.ErrInvalid)
		require.Zero(t, got)
		var said []string
		for _, f := range itsm.Findings(err) {
			said = append(said, f.Error())
		}
		require.Equal(t, want, said, in)
	}
}
