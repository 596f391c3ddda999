package request

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/internal/short"
	"github.com/go-itsm/itsm/internal/strict"
	"github.com/go-itsm/itsm/sla"
)

// A Form is what has to be said to order something: typed variables, some of which
// are asked only where others have certain values. It is a value; [Form.Schema]
// writes it as JSON Schema, and [ParseSchema] reads it.
type Form struct {
	Title string `json:"title,omitempty"`
	Help  string `json:"help,omitempty"`
	// Variables are in the order in which they are asked.
	Variables []Variable `json:"variables,omitempty"`
}

// A Type is what kind of value a variable has.
type Type string

const (
	// Text is any text; MinLength, MaxLength and Pattern bound it.
	Text Type = "text"
	// Number is an exact decimal number without an exponent; Min and Max bound it.
	Number Type = "number"
	// Integer is a whole number; Min and Max bound it.
	Integer Type = "integer"
	// Boolean is true or false.
	Boolean Type = "boolean"
	// Day is a civil date, as text: "2026-03-29".
	Day Type = "date"
	// Instant is a date and time with its zone, as text in RFC 3339.
	Instant Type = "time"
	// OneOf is one of Choices, as text.
	OneOf Type = "one_of"
	// SomeOf is a list of different Choices; MinItems and MaxItems bound it.
	SomeOf Type = "some_of"
)

// Types lists them.
func Types() []Type {
	return []Type{Text, Number, Integer, Boolean, Day, Instant, OneOf, SomeOf}
}

// A Variable is one question of a form.
type Variable struct {
	// Name is by which the value is found: letters, digits and _.
	Name  string `json:"name"`
	Title string `json:"title,omitempty"`
	Help  string `json:"help,omitempty"`
	Type  Type   `json:"type"`
	// Required means that there has to be a value where the variable is asked.
	Required bool `json:"required,omitempty"`
	// When says where it is asked: variables before it, each with the values
	// of which it must have one, "true" and "false" for a [Boolean], and "*" for
	// any value. Only a Boolean and a [OneOf] can be asked for more than "*".
	// Where it is not asked there must be no value. Empty means always.
	When sla.Condition `json:"when,omitempty"`

	// MinLength and MaxLength are in characters (code points); 0 is no bound.
	MinLength int `json:"min_length,omitempty"`
	MaxLength int `json:"max_length,omitempty"`
	// Pattern is a regular expression (RE2) that the text has to match
	// somewhere; empty is none.
	Pattern string `json:"pattern,omitempty"`
	// Min and Max are inclusive; empty is no bound.
	Min sla.Decimal `json:"min,omitempty"`
	Max sla.Decimal `json:"max,omitempty"`
	// Choices are what can be chosen.
	Choices []Choice `json:"choices,omitempty"`
	// MinItems and MaxItems bound how many are chosen; 0 is no bound.
	MinItems int `json:"min_items,omitempty"`
	MaxItems int `json:"max_items,omitempty"`
	// Default is the value where none is given. What is required has none.
	Default json.RawMessage `json:"default,omitempty"`
}

// A Choice is one value that can be chosen.
type Choice struct {
	Value string `json:"value"`
	// Title is for people; empty means Value.
	Title string `json:"title,omitempty"`
}

// Limits of a form and of what is filled in.
const (
	maxVariables = 100
	maxChoices   = 500
	maxPattern   = 500
	maxValue     = 16 << 10 // bytes of one value as JSON
)

// Validate returns an [itsm.ErrInvalid] with everything that is wrong with the form
// in itself.
func (f Form) Validate() error {
	var v itsm.Validation
	f.validate(&v, "")
	return v.Err()
}

func (f Form) validate(v *itsm.Validation, path string) {
	v.Text(strict.Join(path, "title"), f.Title, 0, maxTitle)
	v.Text(strict.Join(path, "help"), f.Help, 0, maxNote)
	v.Check(len(f.Variables) <= maxVariables, strict.Join(path, "variables"), fmt.Sprintf("must be at most %d", maxVariables))
	before := map[string]Variable{}
	for i, x := range f.Variables {
		at := strict.Join(path, fmt.Sprintf("variables[%d]", i))
		_, twice := before[x.Name]
		v.Check(!twice, at+".name", fmt.Sprintf("is there twice: %q", short.Text(x.Name)))
		x.validate(v, at)
		x.validateWhen(v, at+".when", before)
		before[x.Name] = x
	}
}

func (x Variable) validate(v *itsm.Validation, at string) {
	name(v, at+".name", x.Name)
	v.Text(at+".title", x.Title, 0, maxTitle)
	v.Text(at+".help", x.Help, 0, maxNote)
	if !slices.Contains(Types(), x.Type) {
		v.Check(false, at+".type", fmt.Sprintf("is unknown: %q", short.Text(x.Type)))
		return
	}
	only := func(set bool, field string, types ...Type) {
		v.Check(!set || slices.Contains(types, x.Type), at+"."+field, fmt.Sprintf("must not be given for type %s", x.Type))
	}
	only(x.MinLength != 0, "min_length", Text)
	only(x.MaxLength != 0, "max_length", Text)
	only(x.Pattern != "", "pattern", Text)
	only(x.Min != "", "min", Number, Integer)
	only(x.Max != "", "max", Number, Integer)
	only(len(x.Choices) > 0, "choices", OneOf, SomeOf)
	only(x.MinItems != 0, "min_items", SomeOf)
	only(x.MaxItems != 0, "max_items", SomeOf)
	for _, n := range []struct {
		least, most int
		field       string
	}{{x.MinLength, x.MaxLength, "length"}, {x.MinItems, x.MaxItems, "items"}} {
		v.Check(n.least >= 0, at+".min_"+n.field, "must not be negative")
		v.Check(n.most >= 0, at+".max_"+n.field, "must not be negative")
		v.Check(n.most <= 0 || n.least <= n.most, at+".max_"+n.field, fmt.Sprintf("must be at least %d", n.least))
	}
	if x.Pattern != "" {
		v.Check(len(x.Pattern) <= maxPattern, at+".pattern", fmt.Sprintf("must have at most %d bytes", maxPattern))
		_, err := regexp.Compile(x.Pattern)
		v.Check(err == nil, at+".pattern", "must be a regular expression of RE2")
	}
	least, errLeast := x.Min.Rat()
	most, errMost := x.Max.Rat()
	v.Check(errLeast == nil, at+".min", notDecimal)
	v.Check(errMost == nil, at+".max", notDecimal)
	v.Check(x.Type != Integer || errLeast != nil || least.IsInt(), at+".min", "must be a whole number")
	v.Check(x.Type != Integer || errMost != nil || most.IsInt(), at+".max", "must be a whole number")
	if x.Min != "" && x.Max != "" && errLeast == nil && errMost == nil {
		v.Check(least.Cmp(most) <= 0, at+".max", fmt.Sprintf("must be at least %s", x.Min))
	}
	if x.Type == OneOf || x.Type == SomeOf {
		v.Check(len(x.Choices) > 0 && len(x.Choices) <= maxChoices, at+".choices", fmt.Sprintf("must be from 1 to %d", maxChoices))
		v.Check(x.MinItems <= len(x.Choices), at+".min_items", "must be at most as many as there are choices")
	}
	seen := map[string]bool{}
	for i, c := range x.Choices {
		where := fmt.Sprintf("%s.choices[%d]", at, i)
		plainText(v, where+".value", c.Value, 1, maxName)
		v.Text(where+".title", c.Title, 0, maxTitle)
		v.Check(!seen[c.Value], where+".value", fmt.Sprintf("is there twice: %q", short.Text(c.Value)))
		seen[c.Value] = true
	}
	if len(x.Default) > 0 {
		v.Check(!x.Required, at+".default", "must not be given for what is required: it would never be missing")
		if reason := x.check(x.Default); reason != "" {
			v.Check(false, at+".default", reason)
		}
	}
}

func (x Variable) validateWhen(v *itsm.Validation, at string, before map[string]Variable) {
	for _, asked := range slices.Sorted(maps.Keys(x.When)) {
		field := at + "." + short.Text(asked)
		other, ok := before[asked]
		if !ok {
			v.Check(false, field, "must be a variable before this one")
			continue
		}
		values := x.When[asked]
		v.Check(len(values) > 0, field, "must list a value")
		if slices.Equal(values, []string{"*"}) {
			continue
		}
		for _, value := range values {
			ok := false
			switch other.Type {
			case Boolean:
				ok = value == "true" || value == "false"
			case OneOf:
				ok = slices.ContainsFunc(other.Choices, func(c Choice) bool { return c.Value == value }) &&
					value != "*" && !strings.HasPrefix(value, "!")
			case Text, Number, Integer, Day, Instant, SomeOf:
			}
			v.Check(ok, field, fmt.Sprintf("cannot have the value %q", short.Text(value)))
		}
	}
}

// Answer checks what was filled in and returns it as it is kept: with the defaults
// where nothing was given. It returns an [itsm.ErrInvalid] with every finding: what
// is missing, what was not asked, unknown names, and values of the wrong type or out
// of bounds. The fields of the findings are the names of the variables.
func (f Form) Answer(values itsm.Fields) (itsm.Fields, error) {
	var v itsm.Validation
	answers := f.answer(&v, "", values, true)
	return answers, v.Err()
}

// answer is Answer; unless all is given, what is missing is not missed yet.
func (f Form) answer(v *itsm.Validation, path string, values itsm.Fields, all bool) itsm.Fields {
	answers := itsm.Fields{}
	known := map[string]bool{}
	for _, x := range f.Variables {
		known[x.Name] = true
		at := strict.Join(path, x.Name)
		value, given := values[x.Name]
		given = given && !isNull(value)
		asked := x.asked(answers)
		switch {
		case given && !asked && all:
			v.Check(false, at, "must not be given: it is asked only where "+x.When.String())
		case given:
			if reason := x.check(value); reason != "" {
				v.Check(false, at, reason)
			}
			answers[x.Name] = bytes.Clone(value)
		case asked && len(x.Default) > 0:
			answers[x.Name] = bytes.Clone(x.Default)
		case asked && x.Required && all:
			v.Check(false, at, "must be given")
		}
	}
	for _, given := range slices.Sorted(maps.Keys(values)) {
		v.Check(known[given], strict.Join(path, short.Text(given)), "is not a variable of the form")
	}
	if len(answers) == 0 {
		return nil
	}
	return answers
}

// asked reports whether the variable is asked, given those before it. A value that
// is empty text is one: what is asked for with "*" is whether there is any.
func (x Variable) asked(answers itsm.Fields) bool {
	for name, values := range x.When {
		if _, ok := answers[name]; !ok {
			return false
		}
		if !slices.Equal(values, []string{"*"}) && !slices.Contains(values, answersAsFacts(answers).Fact(name)) {
			return false
		}
	}
	return true
}

func isNull(value json.RawMessage) bool {
	trimmed := bytes.TrimSpace(value)
	return len(trimmed) == 0 || string(trimmed) == "null"
}

// check says what is wrong with a value, if anything.
func (x Variable) check(value json.RawMessage) string {
	if len(value) > maxValue {
		return fmt.Sprintf("must have at most %d bytes", maxValue)
	}
	switch x.Type {
	case Boolean:
		if s := string(bytes.TrimSpace(value)); s != "true" && s != "false" {
			return "must be true or false"
		}
	case Number, Integer:
		return x.checkNumber(value)
	case SomeOf:
		return x.checkList(value)
	case Text, Day, Instant, OneOf:
		text, ok := textOf(value)
		if !ok {
			return "must be text"
		}
		return x.checkText(text)
	}
	return ""
}

// textOf reads a JSON text.
func textOf(value json.RawMessage) (string, bool) {
	trimmed := bytes.TrimSpace(value)
	var text string
	if len(trimmed) == 0 || trimmed[0] != '"' || json.Unmarshal(trimmed, &text) != nil {
		return "", false
	}
	return text, true
}

func (x Variable) checkText(text string) string {
	switch x.Type {
	case Day:
		var d sla.Date
		if d.UnmarshalText([]byte(text)) != nil {
			return "must be a date such as 2026-03-29"
		}
	case Instant:
		if _, err := time.Parse(time.RFC3339, text); err != nil {
			return "must be a time in RFC 3339, such as 2026-03-29T02:30:00Z"
		}
	case OneOf:
		if !x.offers(text) {
			return "must be " + x.among()
		}
	case Text, Number, Integer, Boolean, SomeOf:
		n := utf8.RuneCountInString(text)
		switch {
		case strings.Contains(text, "\x00"):
			return "must not contain NUL"
		case n < x.MinLength:
			return fmt.Sprintf("must have at least %d characters, has %d", x.MinLength, n)
		case x.MaxLength > 0 && n > x.MaxLength:
			return fmt.Sprintf("must have at most %d characters, has %d", x.MaxLength, n)
		}
		if x.Pattern != "" {
			if re, err := regexp.Compile(x.Pattern); err != nil || !re.MatchString(text) {
				return fmt.Sprintf("must match %s", x.Pattern)
			}
		}
	}
	return ""
}

func (x Variable) checkNumber(value json.RawMessage) string {
	n := sla.Decimal(bytes.TrimSpace(value))
	r, err := n.Rat()
	switch {
	case n == "" || err != nil:
		return "must be a number such as 12.50, without an exponent, with up to 40 digits before and behind the point"
	case x.Type == Integer && !r.IsInt():
		return "must be a whole number"
	}
	if least, err := x.Min.Rat(); x.Min != "" && err == nil && r.Cmp(least) < 0 {
		return fmt.Sprintf("must be at least %s", x.Min)
	}
	if most, err := x.Max.Rat(); x.Max != "" && err == nil && r.Cmp(most) > 0 {
		return fmt.Sprintf("must be at most %s", x.Max)
	}
	return ""
}

func (x Variable) checkList(value json.RawMessage) string {
	var items []json.RawMessage
	if json.Unmarshal(value, &items) != nil {
		return "must be a list"
	}
	seen := map[string]bool{}
	for _, item := range items {
		text, ok := textOf(item)
		switch {
		case !ok:
			return "must be a list of texts"
		case !x.offers(text):
			return fmt.Sprintf("has %q, and must have only %s", short.Text(text), x.among())
		case seen[text]:
			return fmt.Sprintf("has %q twice", text)
		}
		seen[text] = true
	}
	switch {
	case len(items) < x.MinItems:
		return fmt.Sprintf("must have at least %d, has %d", x.MinItems, len(items))
	case x.MaxItems > 0 && len(items) > x.MaxItems:
		return fmt.Sprintf("must have at most %d, has %d", x.MaxItems, len(items))
	}
	return ""
}

func (x Variable) offers(value string) bool {
	return slices.ContainsFunc(x.Choices, func(c Choice) bool { return c.Value == value })
}

// among lists the choices for people, the first of them if there are many.
func (x Variable) among() string {
	const most = 10
	var values []string
	for _, c := range x.Choices[:min(len(x.Choices), most)] {
		values = append(values, short.Text(c.Value))
	}
	if len(x.Choices) > most {
		values = append(values, "…")
	}
	return "one of " + strings.Join(values, ", ")
}

// answersAsFacts lets conditions ask about what was filled in: a text by what it
// says, a number as it is written, true and false as such, and each choice of a
// list by the variable's name, a point and the choice, which is "true".
type answersAsFacts itsm.Fields

// Fact returns what was filled in under a name.
func (a answersAsFacts) Fact(name string) string {
	if value, ok := a[name]; ok {
		if text, ok := textOf(value); ok {
			return text
		}
		if trimmed := bytes.TrimSpace(value); len(trimmed) > 0 && trimmed[0] != '[' && trimmed[0] != '{' {
			return string(trimmed)
		}
	}
	variable, choice, ok := strings.Cut(name, ".")
	if !ok {
		return ""
	}
	var chosen []string
	if json.Unmarshal(a[variable], &chosen) == nil && slices.Contains(chosen, choice) {
		return "true"
	}
	return ""
}

const notDecimal = "must be a decimal number such as 12.50"

// name checks a name by which something in a catalogue is found.
func name(v *itsm.Validation, field, text string) {
	ok := text != "" && len(text) <= 64 && strings.Trim(text, nameMarks) == ""
	v.Check(ok, field, fmt.Sprintf("must be a name of letters, digits, - and _, is %q", short.Text(text)))
}

const nameMarks = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"

// plainText checks a text that comes from a catalogue: what actions say is checked
// by the kernel.
func plainText(v *itsm.Validation, field, text string, least, most int) {
	v.Text(field, text, least, most)
	v.Check(utf8.ValidString(text) && !strings.Contains(text, "\x00"), field, "must be valid UTF-8 without NUL")
}
