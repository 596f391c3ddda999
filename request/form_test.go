package request_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/big"
	"math/rand/v2"
	"regexp"
	"slices"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/practicetest"
	"github.com/go-itsm/itsm/request"
	"github.com/go-itsm/itsm/sla"
)

// A schemaJudge is JSON Schema by its own definition, as far as forms use it: no
// code of the package, and another way to the same verdict.
type schemaJudge struct{ t testing.TB }

func (j schemaJudge) accepts(schema, value any) bool {
	if b, ok := schema.(bool); ok {
		return b
	}
	s := schema.(map[string]any)
	for keyword, arg := range s {
		ok := true
		switch keyword {
		case "$schema", "title", "description", "default", "then", "else":
		case "type":
			ok = j.is(arg.(string), value)
		case "enum":
			ok = slices.ContainsFunc(arg.([]any), func(one any) bool { return fmt.Sprintf("%T%v", one, one) == fmt.Sprintf("%T%v", value, value) })
		case "const":
			ok = arg == value
		case "oneOf":
			n := 0
			for _, one := range arg.([]any) {
				if j.accepts(one, value) {
					n++
				}
			}
			ok = n == 1
		case "allOf":
			for _, one := range arg.([]any) {
				ok = ok && j.accepts(one, value)
			}
		case "if":
			branch := "else"
			if j.accepts(arg, value) {
				branch = "then"
			}
			if next, has := s[branch]; has {
				ok = j.accepts(next, value)
			}
		case "properties":
			if o, is := value.(map[string]any); is {
				for name, of := range arg.(map[string]any) {
					if v, has := o[name]; has {
						ok = ok && j.accepts(of, v)
					}
				}
			}
		case "additionalProperties":
			require.Equal(j.t, false, arg)
			for name := range value.(map[string]any) {
				_, known := s["properties"].(map[string]any)[name]
				ok = ok && known
			}
		case "required":
			for _, name := range arg.([]any) {
				_, has := value.(map[string]any)[name.(string)]
				ok = ok && has
			}
		case "minLength", "maxLength":
			if text, is := value.(string); is {
				ok = within(keyword[:3], utf8.RuneCountInString(text), arg)
			}
		case "minItems", "maxItems":
			if list, is := value.([]any); is {
				ok = within(keyword[:3], len(list), arg)
			}
		case "pattern":
			if text, is := value.(string); is {
				ok = regexp.MustCompile(arg.(string)).MatchString(text)
			}
		case "format":
			if text, is := value.(string); is {
				layout := map[string]string{"date": time.DateOnly, "date-time": time.RFC3339}[arg.(string)]
				_, err := time.Parse(layout, text)
				ok = err == nil
			}
		case "minimum", "maximum":
			if n, is := value.(json.Number); is {
				sign := rat(n).Cmp(rat(arg.(json.Number)))
				ok = keyword == "minimum" && sign >= 0 || keyword == "maximum" && sign <= 0
			}
		case "items":
			if list, is := value.([]any); is {
				for _, one := range list {
					ok = ok && j.accepts(arg, one)
				}
			}
		case "uniqueItems":
			if list, is := value.([]any); is {
				seen := map[string]bool{}
				for _, one := range list {
					ok = ok && !seen[fmt.Sprint(one)]
					seen[fmt.Sprint(one)] = true
				}
			}
		default:
			require.Fail(j.t, "a keyword that the judge does not know", keyword)
		}
		if !ok {
			return false
		}
	}
	return true
}

func within(which string, n int, bound any) bool {
	b, _ := bound.(json.Number).Int64()
	return which == "min" && int64(n) >= b || which == "max" && int64(n) <= b
}

func rat(n json.Number) *big.Rat {
	r, _ := new(big.Rat).SetString(string(n))
	return r
}

func (j schemaJudge) is(kind string, value any) bool {
	switch v := value.(type) {
	case string:
		return kind == "string"
	case bool:
		return kind == "boolean"
	case json.Number:
		return kind == "number" || kind == "integer" && rat(v).IsInt()
	case []any:
		return kind == "array"
	case map[string]any:
		return kind == "object"
	}
	return false
}

func parsed(t testing.TB, data []byte) any {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	var v any
	require.NoError(t, dec.Decode(&v))
	return v
}

// randomForm is a form that is right in itself.
func randomForm(rnd *rand.Rand) request.Form {
	var f request.Form
	for i := range 1 + rnd.IntN(5) {
		x := request.Variable{Name: fmt.Sprintf("v%d", i), Type: request.Types()[rnd.IntN(8)], Required: rnd.IntN(2) == 0}
		if rnd.IntN(3) == 0 {
			x.Title, x.Help = "Which <one>?", "help"
		}
		switch x.Type {
		case request.Text:
			x.MinLength, x.MaxLength = rnd.IntN(3), 3+rnd.IntN(3)
			if rnd.IntN(3) == 0 {
				x.Pattern = "^[a-c]+$"
			}
		case request.Number, request.Integer:
			x.Min, x.Max = "-2", "3"
		case request.OneOf, request.SomeOf:
			for _, c := range []string{"a", "b", "c"}[:1+rnd.IntN(3)] {
				choice := request.Choice{Value: c}
				if rnd.IntN(2) == 0 {
					choice.Title = "Title of " + c
				}
				x.Choices = append(x.Choices, choice)
			}
			if x.Type == request.SomeOf {
				x.MinItems, x.MaxItems = rnd.IntN(2), rnd.IntN(2)*2
			}
		case request.Boolean, request.Day, request.Instant:
		}
		if i > 0 && rnd.IntN(2) == 0 {
			other := f.Variables[rnd.IntN(i)]
			values := []string{"*"}
			switch {
			case other.Type == request.Boolean:
				values = []string{"true"}
			case other.Type == request.OneOf:
				values = []string{other.Choices[0].Value}
			}
			x.When = sla.Condition{other.Name: values}
		}
		if !x.Required && x.Type == request.Boolean && rnd.IntN(2) == 0 {
			x.Default = json.RawMessage("true")
		}
		f.Variables = append(f.Variables, x)
	}
	return f
}

func randomValues(rnd *rand.Rand, f request.Form) itsm.Fields {
	values := itsm.Fields{}
	for _, x := range f.Variables {
		if rnd.IntN(5) == 0 {
			continue
		}
		fit := map[request.Type][]string{
			request.Text: {`"abc"`, `"aab"`, `"äöü"`, `""`}, request.Number: {"1", "2.5", "-2.000", "9"}, request.Integer: {"1", "2.0", "-3", "0.5"},
			request.Boolean: {"true", "false"}, request.Day: {`"2026-03-29"`, `"2026-02-30"`}, request.Instant: {`"2026-03-29T02:30:00Z"`, `"2026-03-29"`},
			request.OneOf: {`"a"`, `"a"`, `"b"`}, request.SomeOf: {`["a"]`, `["a","b"]`, `[]`, `["a","a"]`},
		}[x.Type]
		if rnd.IntN(12) == 0 {
			fit = []string{`"z"`, "7", "true", "[1]", "{}"}
		}
		values[x.Name] = json.RawMessage(fit[rnd.IntN(len(fit))])
	}
	if rnd.IntN(20) == 0 {
		values["other"] = json.RawMessage("1")
	}
	return values
}

// A form accepts what its schema accepts, and the schema leads back to the form.
func TestFormsAndSchemasAgree(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	accepted, rounds := 0, 0
	for range 1500 {
		f := randomForm(rnd)
		data, err := f.Schema()
		require.NoError(t, err)
		back, err := request.ParseSchema(data)
		require.NoError(t, err, "%s", data)
		require.Equal(t, f, back, "%s", data)
		schema := parsed(t, data)
		for range 12 {
			rounds++
			values := randomValues(rnd, f)
			// A schema's defaults are notes: it judges what is filled in.
			filled := itsm.Fields{}
			for name, value := range values {
				filled[name] = value
			}
			for _, x := range f.Variables {
				if _, given := filled[x.Name]; !given && len(x.Default) > 0 && asked(x, filled) {
					filled[x.Name] = x.Default
				}
			}
			raw, err := json.Marshal(filled)
			require.NoError(t, err)
			answers, err := f.Answer(values)
			require.Equal(t, schemaJudge{t}.accepts(schema, parsed(t, raw)), err == nil, "%s\n%s\n%v", data, raw, err)
			if err == nil {
				accepted++
				if len(filled) > 0 {
					require.Equal(t, filled, answers)
				}
			}
		}
	}
	require.Greater(t, accepted, rounds/10)
	t.Logf("%d answers judged by form and schema, %d accepted, 0 differences", rounds, accepted)
}

// asked is where a variable is asked, by the definition.
func asked(x request.Variable, values itsm.Fields) bool {
	for name, of := range x.When {
		var v any
		if values[name] == nil || json.Unmarshal(values[name], &v) != nil {
			return false
		}
		if !slices.Contains(of, "*") && !slices.Contains(of, fmt.Sprint(v)) {
			return false
		}
	}
	return true
}

// Everything that is wrong with a form is told at once.
func TestBadForms(t *testing.T) {
	f := request.Form{Variables: []request.Variable{
		{Name: "a b", Type: "colour"},
		{Name: "x", Type: request.Text, MinLength: 5, MaxLength: 2, Pattern: "(", Min: "1", Choices: []request.Choice{{Value: "a"}}},
		{Name: "x", Type: request.Integer, Min: "0.5", Max: "z", Default: []byte("1.5")},
		{Name: "y", Type: request.OneOf, Choices: []request.Choice{{Value: ""}, {Value: "b"}, {Value: "b"}}, When: sla.Condition{"z": {"1"}, "x": {"7"}}},
		{Name: "z", Type: request.SomeOf, MinItems: -1, MaxItems: -2, When: sla.Condition{"y": {"c"}, "x": {}}},
		{Name: "w", Type: request.Number, Min: "3", Max: "2", Required: true, Default: []byte(`"a"`)},
	}}
	require.Equal(t, []string{
		`variables[0].name must be a name of letters, digits, - and _, is "a b"`, `variables[0].type is unknown: "colour"`,
		"variables[1].min must not be given for type text", "variables[1].choices must not be given for type text", "variables[1].max_length must be at least 5",
		"variables[1].pattern must be a regular expression of RE2",
		`variables[2].name is there twice: "x"`, "variables[2].max must be a decimal number such as 12.50", "variables[2].min must be a whole number", "variables[2].default must be a whole number",
		"variables[3].choices[0].value must not be empty", `variables[3].choices[2].value is there twice: "b"`, `variables[3].when.x cannot have the value "7"`, "variables[3].when.z must be a variable before this one",
		"variables[4].min_items must not be negative", "variables[4].max_items must not be negative", "variables[4].choices must be from 1 to 500", "variables[4].when.x must list a value", `variables[4].when.y cannot have the value "c"`,
		"variables[5].max must be at least 3", "variables[5].default must not be given for what is required: it would never be missing", "variables[5].default must be a number such as 12.50, without an exponent, with up to 40 digits before and behind the point",
	}, practicetest.Said(f.Validate()))
	_, err := f.Schema()
	require.ErrorIs(t, err, itsm.ErrInvalid)
}

// What a form cannot express is refused and never ignored.
func TestSchemasThatAreNoForms(t *testing.T) {
	for _, c := range []struct {
		schema string
		says   []string
	}{
		{`[]`, []string{"must be an object"}},
		{`{`, []string{"must be JSON"}},
		{"\"\xff\"", []string{"must be valid UTF-8"}},
		{`{"type":"object","properties":{}}`, []string{"additionalProperties must be false: a form has no other variables"}},
		{`{"$schema":"http://json-schema.org/draft-07/schema#","type":"array","additionalProperties":true,"$id":"x","minProperties":1}`,
			[]string{"$id is not supported", "minProperties is not supported", "$schema must be https://json-schema.org/draft/2020-12/schema", "type must be object", "additionalProperties must be false: a form has no other variables"}},
		{`{"type":"object","additionalProperties":false,"required":["b","a","a"],"properties":{
			"a":{"type":"string","format":"email","minimum":1},"c":{"type":["string","null"]},"d":{"type":"array","items":{"type":"number"}},
			"e":{"type":"boolean","enum":[true]},"f":{"type":"number","multipleOf":2,"minimum":"x"},"g":{"type":"string","minLength":-1,"minLength":2,"default":null},
			"h":{"type":"string","enum":[1],"oneOf":[{"const":"x","minLength":1}]},"i":7}}`,
			[]string{"properties.a.minimum is not supported for type string", "properties.a.format must be date or date-time",
				"properties.c.type must be text", "properties.c.type must be string, number, integer, boolean or array",
				"properties.d.items.type must be string", "properties.d.items must have enum or oneOf", "properties.d.uniqueItems must be true",
				"properties.e.enum[0] must be an object", "properties.e.enum is not supported for type boolean",
				"properties.f.multipleOf is not supported", "properties.f.minimum must be a decimal number such as 12.50",
				"properties.g.minLength must be a whole number from 0", "properties.g.minLength is there twice", "properties.g.default must not be null",
				"properties.h.enum[0] must be an object", "properties.h.oneOf[0].minLength is not supported", "properties.h must not have both enum and oneOf",
				"properties.i must be an object", `required[0] names the unknown property "b"`, `required[2] is there twice: "a"`}},
		{`{"type":"object","additionalProperties":false,"properties":{"a":{"type":"boolean"},"b":{"type":"string"}},"required":["b"],"allOf":[
			{"if":{"properties":{"a":{"enum":["true"]}}},"else":{"properties":{"b":false}}},
			{"if":{"required":["a"]},"then":{"required":["a"]},"else":{"properties":{"c":true}}}, {"not":{}}, {"if":{"required":["a"]}}]}`,
			[]string{"allOf[0].if.properties.a.enum[0] must be true or false", `allOf[0].if.required must have "a"`, `allOf[0] says where "b" is asked, which is always required`,
				"allOf[1].else.properties.c must be false", `allOf[1].else.properties names the unknown property "c"`,
				"allOf[2].not is not supported", "allOf[2] must say with if and else where one variable is asked", "allOf[3] must say with if and else where one variable is asked"}},
	} {
		_, err := request.ParseSchema([]byte(c.schema))
		require.ErrorIs(t, err, itsm.ErrInvalid, c.schema)
		require.ElementsMatch(t, c.says, practicetest.Said(err), c.schema)
	}
	_, err := request.ParseSchema(bytes.Repeat([]byte(" "), 1<<20+1))
	require.ErrorIs(t, err, itsm.ErrInvalid)
}

// FuzzParseSchema: a form or refused; a form survives its own schema.
func FuzzParseSchema(f *testing.F) {
	rnd := rand.New(rand.NewPCG(3, 4))
	for range 20 {
		data, err := randomForm(rnd).Schema()
		require.NoError(f, err)
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		form, err := request.ParseSchema(data)
		if err != nil {
			require.ErrorIs(t, err, itsm.ErrInvalid)
			require.NotEmpty(t, itsm.Findings(err))
			return
		}
		again, err := form.Schema()
		require.NoError(t, err)
		back, err := request.ParseSchema(again)
		require.NoError(t, err)
		third, err := back.Schema()
		require.NoError(t, err)
		require.Equal(t, string(again), string(third))
	})
}

// FuzzParseCatalogue: a catalogue or refused with findings; one survives its JSON.
func FuzzParseCatalogue(f *testing.F) {
	data, err := json.Marshal(officeSpec())
	require.NoError(f, err)
	f.Add(data)
	f.Add([]byte(`{"offerings":[{"name":"a","version":1,"status":"published","title":"A","bundle":[{"offering":"a"}]}],"zone":"Nowhere","policies":{"":{}}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := request.ParseCatalogue(data)
		if err != nil {
			require.ErrorIs(t, err, itsm.ErrInvalid)
			require.NotEmpty(t, itsm.Findings(err))
			return
		}
		again, err := json.Marshal(c)
		require.NoError(t, err)
		_, err = request.ParseCatalogue(again)
		require.NoError(t, err)
	})
}

// FuzzDecode lets anything come in from outside. It is an action or refused; the
// action is done or refused; and whatever was done, the record is what its history
// leads to.
func FuzzDecode(f *testing.F) {
	d := newDesk(f, request.Config{})
	w := &world{Chance: practicetest.NewChance(1, d.Time)}
	for range 60 {
		if a := anything(w, &request.Request{}); a != nil {
			if data, err := d.Encode(a); err == nil {
				f.Add(data, uint8(w.IntN(5)))
			}
		}
	}
	f.Fuzz(func(t *testing.T, data []byte, way uint8) {
		d := newDesk(t, request.Config{})
		r := d.order([]request.Line{laptop(), account(), folder("read", "2026-04-01"), chair}[way%4])
		if r.State == request.Approved {
			r = d.Did(mia, r.ID, request.Start{})
		}
		a, err := d.Decode(data)
		if err != nil {
			require.ErrorIs(t, err, itsm.ErrInvalid)
			return
		}
		again, err := d.Encode(a)
		require.NoError(t, err)
		b, err := d.Decode(again)
		require.NoError(t, err)
		require.Equal(t, a, b)
		_, err = d.Do(mia, r.ID, a)
		require.True(t, err == nil || errorsAre(err), "%v", err)
		_, err = d.Create(mia, a)
		require.True(t, err == nil || errorsAre(err), "%v", err)
		d.Due(100 * time.Hour)
		d.Replays(r.ID)
	})
}

func errorsAre(err error) bool { return len(itsm.Findings(err)) > 0 }
