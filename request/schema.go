package request

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/internal/short"
	"github.com/go-itsm/itsm/internal/strict"
	"github.com/go-itsm/itsm/sla"
)

const (
	dialect = "https://json-schema.org/draft/2020-12/schema"
	// maxSchema is the most bytes of a schema that comes from outside.
	maxSchema = 1 << 20
)

// Schema writes the form as JSON Schema (draft 2020-12), which [ParseSchema] reads
// back: an object whose properties are the variables in their order, without
// additional ones. It accepts what [Form.Answer] accepts, judged with the defaults
// filled in, within the limits that a record has (16 KiB a value, numbers without
// an exponent). It returns an [itsm.ErrInvalid] with every finding for a form that
// is wrong in itself.
func (f Form) Schema() ([]byte, error) {
	if err := f.Validate(); err != nil {
		return nil, err
	}
	var top object
	top.set("$schema", dialect)
	top.text("title", f.Title)
	top.text("description", f.Help)
	top.set("type", "object")
	properties := object{}
	var required []string
	var conditions []any
	for _, x := range f.Variables {
		properties.set(x.Name, x.schema())
		switch {
		case len(x.When) > 0:
			conditions = append(conditions, x.condition(f))
		case x.Required:
			required = append(required, x.Name)
		}
	}
	top.set("properties", properties)
	if len(required) > 0 {
		top.set("required", required)
	}
	top.set("additionalProperties", false)
	if len(conditions) > 0 {
		top.set("allOf", conditions)
	}
	return json.Marshal(top)
}

// schema is what a property says about its value.
func (x Variable) schema() object {
	var o object
	o.text("title", x.Title)
	o.text("description", x.Help)
	count := func(keyword string, n int) {
		if n > 0 {
			o.set(keyword, n)
		}
	}
	switch x.Type {
	case Text:
		o.set("type", "string")
		count("minLength", x.MinLength)
		count("maxLength", x.MaxLength)
		o.text("pattern", x.Pattern)
	case Number, Integer:
		o.set("type", string(x.Type))
		if x.Min != "" {
			o.set("minimum", json.RawMessage(x.Min))
		}
		if x.Max != "" {
			o.set("maximum", json.RawMessage(x.Max))
		}
	case Boolean:
		o.set("type", "boolean")
	case Day:
		o.set("type", "string")
		o.set("format", "date")
	case Instant:
		o.set("type", "string")
		o.set("format", "date-time")
	case OneOf:
		o.set("type", "string")
		o.choices(x.Choices)
	case SomeOf:
		o.set("type", "array")
		items := object{}
		items.set("type", "string")
		items.choices(x.Choices)
		o.set("items", items)
		o.set("uniqueItems", true)
		count("minItems", x.MinItems)
		count("maxItems", x.MaxItems)
	}
	if len(x.Default) > 0 {
		o.set("default", x.Default)
	}
	return o
}

// condition says where a variable is asked: there it may be required, and
// elsewhere it must not be there.
func (x Variable) condition(f Form) object {
	properties, names := object{}, slices.Sorted(maps.Keys(x.When))
	for _, name := range names {
		if values := x.When[name]; !slices.Equal(values, []string{"*"}) {
			i := slices.IndexFunc(f.Variables, func(other Variable) bool { return other.Name == name })
			var enum []any
			for _, value := range values {
				if f.Variables[i].Type == Boolean {
					enum = append(enum, value == "true")
				} else {
					enum = append(enum, value)
				}
			}
			properties.set(name, object{{"enum", enum}})
		}
	}
	var holds, all object
	if len(properties) > 0 {
		holds.set("properties", properties)
	}
	holds.set("required", names)
	all.set("if", holds)
	if x.Required {
		all.set("then", object{{"required", []string{x.Name}}})
	}
	all.set("else", object{{"properties", object{{x.Name, false}}}})
	return all
}

// An object is JSON whose members have an order.
type object []member

type member struct {
	name  string
	value any
}

func (o *object) set(name string, value any) { *o = append(*o, member{name, value}) }

func (o *object) text(name, value string) {
	if value != "" {
		o.set(name, value)
	}
}

// choices are an enumeration, or alternatives with titles if any has one.
func (o *object) choices(choices []Choice) {
	var enum, oneOf []any
	titled := false
	for _, c := range choices {
		enum = append(enum, c.Value)
		one := object{{"const", c.Value}}
		one.text("title", c.Title)
		oneOf = append(oneOf, one)
		titled = titled || c.Title != ""
	}
	if titled {
		o.set("oneOf", oneOf)
	} else {
		o.set("enum", enum)
	}
}

// MarshalJSON writes the members in their order.
func (o object) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, m := range o {
		if i > 0 {
			b.WriteByte(',')
		}
		name, err := json.Marshal(m.name)
		if err != nil {
			return nil, err
		}
		value, err := json.Marshal(m.value)
		if err != nil {
			return nil, err
		}
		b.Write(name)
		b.WriteByte(':')
		b.Write(value)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// ParseSchema reads a form from JSON Schema. It understands the part of draft
// 2020-12 that [Form.Schema] writes, and refuses everything else: what a form
// cannot express is never ignored. It returns an [itsm.ErrInvalid] with every
// finding.
//
// An object has type "object", "additionalProperties": false, "properties",
// "required", "title", "description", "$schema" and "allOf". A property has "type",
// "title", "description", "default", and
//
//	"string"             minLength, maxLength, pattern (RE2), or format "date" or
//	                     "date-time", or enum of texts, or oneOf of const with title
//	"number", "integer"  minimum, maximum
//	"boolean"
//	"array"              items of "string" with enum or oneOf, uniqueItems true,
//	                     minItems, maxItems
//
// A member of allOf says where one variable x is asked:
//
//	{"if": {"properties": {"a": {"enum": ["b", "c"]}}, "required": ["a"]},
//	 "then": {"required": ["x"]},
//	 "else": {"properties": {"x": false}}}
//
// where "then" may be missing, and "if" may have more than one variable, each of
// which has to be in its "required".
func ParseSchema(data []byte) (Form, error) {
	var v itsm.Validation
	switch {
	case len(data) > maxSchema:
		v.Check(false, "", fmt.Sprintf("must have at most %d bytes, has %d", maxSchema, len(data)))
	case !utf8.Valid(data):
		v.Check(false, "", "must be valid UTF-8")
	case !json.Valid(data):
		v.Check(false, "", "must be JSON")
	}
	if err := v.Err(); err != nil {
		return Form{}, err
	}
	p := schemaParser{v: &v}
	form := p.form(data)
	if v.Err() == nil {
		form.validate(&v, "")
	}
	if err := v.Err(); err != nil {
		return Form{}, err
	}
	return form, nil
}

type schemaParser struct {
	v *itsm.Validation
	// boolean says which variables are, whose values in conditions are no texts.
	boolean map[string]bool
}

// keyword reads one member of a schema.
type keyword func(at string, value json.RawMessage)

// object reads an object whose members are all known. What is there says which
// members it has.
func (p *schemaParser) object(at string, raw json.RawMessage, known map[string]keyword) (has map[string]bool, ok bool) {
	has = map[string]bool{}
	ok = p.members(at, raw, func(name, field string, value json.RawMessage) {
		read, ok := known[name]
		if !ok {
			p.v.Check(false, field, "is not supported")
			return
		}
		has[name] = true
		read(field, value)
	})
	return has, ok
}

// members reads the members of an object in their order.
func (p *schemaParser) members(at string, raw json.RawMessage, f func(name, field string, value json.RawMessage)) bool {
	return strict.Members(raw, at, func(field, reason string) { p.v.Check(false, field, reason) }, f)
}

// into reads a member of a plain type.
func into[T any](p *schemaParser, target *T, what string) keyword {
	return func(at string, value json.RawMessage) {
		p.v.Check(!isNull(value) && json.Unmarshal(value, target) == nil, at, "must be "+what)
	}
}

// count reads a bound on a length. 0 is none.
func (p *schemaParser) count(target *int) keyword {
	return func(at string, value json.RawMessage) {
		p.v.Check(json.Unmarshal(value, target) == nil && !isNull(value) && *target >= 0, at, "must be a whole number from 0")
	}
}

// bound reads a number exactly.
func (p *schemaParser) bound(target *sla.Decimal) keyword {
	return func(at string, value json.RawMessage) {
		*target = sla.Decimal(bytes.TrimSpace(value))
		_, err := target.Rat()
		p.v.Check(err == nil, at, notDecimal)
	}
}

func (p *schemaParser) form(raw json.RawMessage) Form {
	var f Form
	var required []string
	var conditions []json.RawMessage
	var kind, draft string
	closed := true // is open
	p.boolean = map[string]bool{}
	has, ok := p.object("", raw, map[string]keyword{
		"$schema":              into(p, &draft, "text"),
		"title":                into(p, &f.Title, "text"),
		"description":          into(p, &f.Help, "text"),
		"type":                 into(p, &kind, "text"),
		"required":             into(p, &required, "a list of texts"),
		"additionalProperties": into(p, &closed, "false"),
		"allOf":                into(p, &conditions, "a list"),
		"properties": func(at string, value json.RawMessage) {
			p.members(at, value, func(name, field string, value json.RawMessage) {
				x := p.variable(name, field, value)
				f.Variables = append(f.Variables, x)
				p.boolean[name] = x.Type == Boolean
			})
		},
	})
	if !ok {
		return f
	}
	p.v.Check(!has["$schema"] || draft == dialect, "$schema", "must be "+dialect)
	p.v.Check(kind == "object", "type", "must be object")
	p.v.Check(!closed, "additionalProperties", "must be false: a form has no other variables")
	for i, name := range required {
		at := fmt.Sprintf("required[%d]", i)
		x := f.variable(name)
		if x == nil {
			p.v.Check(false, at, fmt.Sprintf("names the unknown property %q", short.Text(name)))
			continue
		}
		p.v.Check(!x.Required, at, fmt.Sprintf("is there twice: %q", short.Text(name)))
		x.Required = true
	}
	for i, raw := range conditions {
		p.condition(&f, fmt.Sprintf("allOf[%d]", i), raw)
	}
	return f
}

// variable returns the variable of a name, or nil.
func (f *Form) variable(name string) *Variable {
	for i := range f.Variables {
		if f.Variables[i].Name == name {
			return &f.Variables[i]
		}
	}
	return nil
}

func (p *schemaParser) variable(name, at string, raw json.RawMessage) Variable {
	x := Variable{Name: name}
	var kind, format string
	var unique bool
	choices := func(at string, value json.RawMessage) { x.Choices = p.choices(at, value) }
	has, ok := p.object(at, raw, map[string]keyword{
		"title":       into(p, &x.Title, "text"),
		"description": into(p, &x.Help, "text"),
		"type":        into(p, &kind, "text"),
		"format":      into(p, &format, "text"),
		"minLength":   p.count(&x.MinLength),
		"maxLength":   p.count(&x.MaxLength),
		"pattern":     into(p, &x.Pattern, "text"),
		"minimum":     p.bound(&x.Min),
		"maximum":     p.bound(&x.Max),
		"minItems":    p.count(&x.MinItems),
		"maxItems":    p.count(&x.MaxItems),
		"uniqueItems": into(p, &unique, "true"),
		"enum":        choices,
		"oneOf":       choices,
		"items": func(at string, value json.RawMessage) {
			var of string
			has, ok := p.object(at, value, map[string]keyword{"type": into(p, &of, "text"), "enum": choices, "oneOf": choices})
			if ok {
				p.v.Check(of == "string", at+".type", "must be string")
				p.v.Check(has["enum"] != has["oneOf"], at, "must have enum or oneOf")
			}
		},
		"default": func(at string, value json.RawMessage) {
			p.v.Check(!isNull(value), at, "must not be null")
			var compact bytes.Buffer
			p.v.Check(json.Compact(&compact, value) == nil, at, "must be JSON")
			x.Default = compact.Bytes()
		},
	})
	if !ok {
		return x
	}
	refuse := func(keywords ...string) {
		for _, k := range keywords {
			p.v.Check(!has[k], at+"."+k, fmt.Sprintf("is not supported for type %s", short.Text(kind)))
		}
	}
	listed := has["enum"] || has["oneOf"]
	switch kind {
	case "string":
		refuse("minimum", "maximum", "minItems", "maxItems", "uniqueItems", "items")
		p.v.Check(!has["enum"] || !has["oneOf"], at, "must not have both enum and oneOf")
		p.v.Check(!has["format"] || !listed, at, "must not have both a format and choices")
		switch {
		case listed:
			x.Type = OneOf
		case !has["format"]:
			x.Type = Text
		case format == "date":
			x.Type = Day
		case format == "date-time":
			x.Type = Instant
		default:
			x.Type = Text
			p.v.Check(false, at+".format", "must be date or date-time")
		}
	case "number", "integer":
		x.Type = Type(kind)
		refuse("format", "minLength", "maxLength", "pattern", "minItems", "maxItems", "uniqueItems", "items", "enum", "oneOf")
	case "boolean":
		x.Type = Boolean
		refuse("format", "minLength", "maxLength", "pattern", "minimum", "maximum", "minItems", "maxItems", "uniqueItems", "items", "enum", "oneOf")
	case "array":
		x.Type = SomeOf
		refuse("format", "minLength", "maxLength", "pattern", "minimum", "maximum", "enum", "oneOf")
		p.v.Check(has["items"], at, "must have items")
		p.v.Check(unique, at+".uniqueItems", "must be true")
	default:
		p.v.Check(false, at+".type", "must be string, number, integer, boolean or array")
	}
	return x
}

// choices reads an enumeration of texts, or alternatives of const and title.
func (p *schemaParser) choices(at string, raw json.RawMessage) []Choice {
	var list []json.RawMessage
	if json.Unmarshal(raw, &list) != nil {
		p.v.Check(false, at, "must be a list")
		return nil
	}
	choices := make([]Choice, 0, len(list))
	for i, one := range list {
		field := fmt.Sprintf("%s[%d]", at, i)
		var c Choice
		if text, ok := textOf(one); ok {
			c.Value = text
		} else {
			p.object(field, one, map[string]keyword{"const": into(p, &c.Value, "text"), "title": into(p, &c.Title, "text")})
		}
		choices = append(choices, c)
	}
	return choices
}

// condition reads where a variable is asked.
func (p *schemaParser) condition(f *Form, at string, raw json.RawMessage) {
	when := sla.Condition{}
	var names, required, hidden []string
	has, ok := p.object(at, raw, map[string]keyword{
		"if": func(at string, value json.RawMessage) {
			p.object(at, value, map[string]keyword{
				"required": into(p, &names, "a list of texts"),
				"properties": func(at string, value json.RawMessage) {
					p.members(at, value, func(name, field string, value json.RawMessage) {
						when[name] = p.values(name, field, value)
					})
				},
			})
		},
		"then": func(at string, value json.RawMessage) {
			p.object(at, value, map[string]keyword{"required": into(p, &required, "a list of texts")})
		},
		"else": func(at string, value json.RawMessage) {
			p.object(at, value, map[string]keyword{"properties": func(at string, value json.RawMessage) {
				p.members(at, value, func(name, field string, value json.RawMessage) {
					p.v.Check(string(bytes.TrimSpace(value)) == "false", field, "must be false")
					hidden = append(hidden, name)
				})
			}})
		},
	})
	if !ok {
		return
	}
	for name := range maps.Keys(when) {
		p.v.Check(slices.Contains(names, name), at+".if.required", fmt.Sprintf("must have %q", short.Text(name)))
	}
	for _, name := range names {
		if _, ok := when[name]; !ok {
			when[name] = []string{"*"}
		}
	}
	if !has["if"] || len(when) == 0 || len(hidden) != 1 {
		p.v.Check(false, at, "must say with if and else where one variable is asked")
		return
	}
	x := f.variable(hidden[0])
	switch {
	case x == nil:
		p.v.Check(false, at+".else.properties", fmt.Sprintf("names the unknown property %q", short.Text(hidden[0])))
		return
	case len(x.When) > 0:
		p.v.Check(false, at, fmt.Sprintf("says a second time where %q is asked", short.Text(x.Name)))
	case x.Required:
		p.v.Check(false, at, fmt.Sprintf("says where %q is asked, which is always required", short.Text(x.Name)))
	}
	p.v.Check(!has["then"] || slices.Equal(required, hidden), at+".then.required", fmt.Sprintf("must be only %q", short.Text(x.Name)))
	x.When, x.Required = when, has["then"]
}

// values reads which values of a variable a condition is about.
func (p *schemaParser) values(name, at string, raw json.RawMessage) []string {
	var enum []json.RawMessage
	p.object(at, raw, map[string]keyword{"enum": into(p, &enum, "a list")})
	values := make([]string, 0, len(enum))
	for i, one := range enum {
		field := fmt.Sprintf("%s.enum[%d]", at, i)
		var yes bool
		text, ok := textOf(one)
		if p.boolean[name] {
			if ok = !isNull(one) && json.Unmarshal(one, &yes) == nil; ok {
				text = strconv.FormatBool(yes)
			}
			p.v.Check(ok, field, "must be true or false")
		} else {
			p.v.Check(ok && text != "*", field, "must be text other than *")
		}
		values = append(values, text)
	}
	p.v.Check(len(values) > 0, at, "must have an enum with a value")
	return values
}
