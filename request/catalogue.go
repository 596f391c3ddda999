package request

import (
	"bytes"
	"encoding/json"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/approval"
	"github.com/go-itsm/itsm/internal/short"
	"github.com/go-itsm/itsm/internal/strict"
	"github.com/go-itsm/itsm/sla"
)

// A CatalogueSpec is a catalogue as data: what [NewCatalogue] verifies, and what the
// JSON form of a catalogue holds.
type CatalogueSpec struct {
	Offerings []Offering `json:"offerings"`
	Models    []Model    `json:"models,omitempty"`
	// Policies are how something is approved, by names that models refer to.
	Policies map[string]approval.Policy `json:"policies,omitempty"`
	// Approvals are what has to be approved of an order as a whole, beside what
	// the models of its items ask for.
	Approvals []OrderApprover `json:"approvals,omitempty"`
	// Zone is the IANA name of the time zone in which its dates are; empty means
	// UTC.
	Zone string `json:"zone,omitempty"`
}

// An OrderApprover is an approval of an order as a whole.
type OrderApprover struct {
	// Policy is the name of one of the catalogue's policies. Where a model asks for
	// it too it is asked once, about the whole order.
	Policy string `json:"policy"`
	// From is a price from which it is needed: an amount of the order's that is at
	// least the one of the same currency and period here. Empty means whatever
	// it costs.
	From Price `json:"from,omitempty"`
}

// A Status is whether an offering can be ordered.
type Status string

const (
	// DraftOffering is not offered yet.
	DraftOffering Status = "draft"
	// Published can be ordered.
	Published Status = "published"
	// Retired cannot be ordered any more. What was ordered goes on.
	Retired Status = "retired"
)

// Statuses lists them.
func Statuses() []Status { return []Status{DraftOffering, Published, Retired} }

// A Kind is what sort of thing a request asks for.
type Kind string

// Kinds of requests: something is to be done, an answer, access or a thing, or
// something said about the service.
const (
	ActionRequest      Kind = "action"
	InformationRequest Kind = "information"
	AccessRequest      Kind = "access"
	Feedback           Kind = "feedback"
)

// Kinds lists them.
func Kinds() []Kind { return []Kind{ActionRequest, InformationRequest, AccessRequest, Feedback} }

// An Offering is what can be ordered: one item, or a bundle of several. Its versions
// stand beside each other in a catalogue; the latest one that is published is
// ordered unless an order says which.
type Offering struct {
	Name    string `json:"name"`
	Version int    `json:"version"`
	Status  Status `json:"status"`
	Title   string `json:"title"`
	Help    string `json:"help,omitempty"`
	// Service and Category are in the host's terms.
	Service  string `json:"service,omitempty"`
	Category string `json:"category,omitempty"`
	Kind     Kind   `json:"kind,omitempty"`
	// See and Order are conditions on who looks and who orders
	// ([Config].Directory): one of them has to hold. Empty means everybody. Who
	// does not see it cannot order it either.
	See   sla.Conditions `json:"see,omitempty"`
	Order sla.Conditions `json:"order,omitempty"`
	Form  Form           `json:"form,omitzero"`
	// Options are what may be chosen besides.
	Options []Option `json:"options,omitempty"`
	// Price is that of one. A bundle's is added to those of its components.
	Price Price `json:"price,omitempty"`
	// MaxQuantity is how many may be ordered at once; 0 means 1.
	MaxQuantity int `json:"max_quantity,omitempty"`
	// Model is the name of the model by which it is fulfilled. A bundle may have
	// none and be only its components.
	Model string `json:"model,omitempty"`
	// Bundle lists what is ordered with it. A bundle in a bundle is refused.
	Bundle []Component `json:"bundle,omitempty"`
	// Expiry is when what was granted ends; the zero value means never.
	Expiry Expiry `json:"expiry,omitzero"`
}

// An Option is something that can be chosen with an offering.
type Option struct {
	Name  string `json:"name"`
	Title string `json:"title,omitempty"`
	Price Price  `json:"price,omitempty"`
	// Group holds options of which at most one can be chosen. Empty means that
	// it can be chosen whatever else is.
	Group string `json:"group,omitempty"`
}

// A Component is a part of a bundle. A variable of its form that has the name of one
// of the bundle's takes its value from there.
type Component struct {
	Offering string `json:"offering"`
	// Version is which; 0 means the latest that is published.
	Version int `json:"version,omitempty"`
	// Optional means that it can be left out ([Line].Leave).
	Optional bool `json:"optional,omitempty"`
	// Options are chosen with it, and Values are what its form is filled in with
	// where the bundle's form does not say.
	Options []string    `json:"options,omitempty"`
	Values  itsm.Fields `json:"values,omitempty"`
}

// An Expiry says when what was granted ends: at the end of a day that was filled
// in, or some time after the item is fulfilled. It is one of both.
type Expiry struct {
	// Variable is the name of one of type [Day], which is the last day, or
	// [Instant]. Where it was not filled in there is no end.
	Variable string `json:"variable,omitempty"`
	// After is so long after the item is fulfilled. JSON: nanoseconds, or text
	// like "720h".
	After time.Duration `json:"after,omitempty"`
	// Extend is how it can be made to last longer ([Extend]); nil means that it
	// has to be ordered anew.
	Extend *Extension `json:"extend,omitempty"`
}

// Limits of a catalogue.
const (
	maxOfferings = 10_000
	maxOptions   = 100
	maxBundle    = 30
	maxQuantity  = 10_000
)

// A Catalogue is what can be ordered, verified. It is immutable and safe for
// concurrent use; a new version of it is another one, under which the practice is
// made anew.
type Catalogue struct {
	spec      CatalogueSpec
	zone      *time.Location
	offerings map[string][]*Offering // by name, the latest version first
	models    map[string]*Model
}

// NewCatalogue verifies a catalogue. It returns an [itsm.ErrInvalid] with everything
// that is wrong with it: forms, prices, names that nothing has, tasks that need each
// other in a circle, policies that nobody can satisfy, components without what their
// forms ask for.
func NewCatalogue(spec CatalogueSpec) (*Catalogue, error) {
	var v itsm.Validation
	c := &Catalogue{spec: spec, offerings: map[string][]*Offering{}, models: map[string]*Model{}}
	// The catalogue's own copy, for which nothing else has a use.
	data, err := json.Marshal(spec)
	if err == nil {
		c.spec = CatalogueSpec{}
		err = json.Unmarshal(data, &c.spec)
	}
	if err != nil {
		return nil, &itsm.FieldError{Reason: "must have a JSON form: " + err.Error()}
	}
	c.zone, err = time.LoadLocation(spec.Zone)
	v.Check(err == nil, "zone", fmt.Sprintf("is not known: %q", short.Text(spec.Zone)))
	for _, policy := range slices.Sorted(maps.Keys(c.spec.Policies)) {
		at := strict.Join("policies", short.Text(policy))
		name(&v, at, policy)
		v.Add(itsm.Under(at, c.spec.Policies[policy].Validate()))
	}
	for i := range c.spec.Models {
		m, at := &c.spec.Models[i], fmt.Sprintf("models[%d]", i)
		m.validate(&v, at)
		v.Check(c.models[m.Name] == nil, at+".name", fmt.Sprintf("is there twice: %q", short.Text(m.Name)))
		for j, a := range m.Approvals {
			c.validatePolicy(&v, fmt.Sprintf("%s.approvals[%d].policy", at, j), a.Policy)
		}
		c.models[m.Name] = m
	}
	v.Check(len(c.spec.Approvals) <= maxApprovals, "approvals", fmt.Sprintf("must be at most %d", maxApprovals))
	for i, a := range c.spec.Approvals {
		at := fmt.Sprintf("approvals[%d]", i)
		c.validatePolicy(&v, at+".policy", a.Policy)
		a.From.validate(&v, at+".from")
		for j, m := range c.spec.Models {
			v.Check(len(a.From) > 0 || !slices.Contains(m.Without, SeekApproval{}.Action()), fmt.Sprintf("models[%d].without", j),
				"must not be seek_approval where every order has to be approved")
		}
	}
	v.Check(len(c.spec.Offerings) <= maxOfferings, "offerings", fmt.Sprintf("must be at most %d", maxOfferings))
	for i := range c.spec.Offerings {
		o, at := &c.spec.Offerings[i], fmt.Sprintf("offerings[%d]", i)
		twice := slices.ContainsFunc(c.offerings[o.Name], func(other *Offering) bool { return other.Version == o.Version })
		v.Check(!twice, at+".version", fmt.Sprintf("is there twice: %s@%d", short.Text(o.Name), o.Version))
		o.validate(&v, at)
		if extend := o.Expiry.Extend; extend != nil && extend.Policy != "" {
			c.validatePolicy(&v, at+".expiry.extend.policy", extend.Policy)
		}
		c.validateModel(&v, at, o)
		c.offerings[o.Name] = append(c.offerings[o.Name], o)
	}
	for _, versions := range c.offerings {
		slices.SortFunc(versions, func(a, b *Offering) int { return b.Version - a.Version })
	}
	for i := range c.spec.Offerings {
		c.validateBundle(&v, fmt.Sprintf("offerings[%d]", i), &c.spec.Offerings[i])
	}
	if err := v.Err(); err != nil {
		return nil, err
	}
	return c, nil
}

// ParseCatalogue reads the JSON form of a catalogue and verifies it. It returns an
// [itsm.ErrInvalid] with every finding.
func ParseCatalogue(data []byte) (*Catalogue, error) {
	spec, err := itsm.ParseJSON[CatalogueSpec](data)
	if err != nil {
		return nil, err
	}
	return NewCatalogue(spec)
}

// MarshalJSON writes the catalogue's data.
func (c *Catalogue) MarshalJSON() ([]byte, error) { return json.Marshal(c.spec) }

func (o *Offering) validate(v *itsm.Validation, at string) {
	name(v, at+".name", o.Name)
	v.Check(o.Version >= 1, at+".version", "must be 1 or more")
	v.Check(slices.Contains(Statuses(), o.Status), at+".status", fmt.Sprintf("must be draft, published or retired, is %q", short.Text(o.Status)))
	plainText(v, at+".title", o.Title, 1, maxTitle)
	plainText(v, at+".help", o.Help, 0, maxNote)
	plainText(v, at+".service", o.Service, 0, maxName)
	plainText(v, at+".category", o.Category, 0, maxName)
	v.Check(o.Kind == "" || slices.Contains(Kinds(), o.Kind), at+".kind", fmt.Sprintf("is unknown: %q", short.Text(o.Kind)))
	validateConditions(v, at+".see", o.See)
	validateConditions(v, at+".order", o.Order)
	o.Form.validate(v, at+".form")
	o.Price.validate(v, at+".price")
	v.Check(o.MaxQuantity >= 0 && o.MaxQuantity <= maxQuantity, at+".max_quantity", fmt.Sprintf("must be from 0 to %d", maxQuantity))
	v.Check(len(o.Options) <= maxOptions, at+".options", fmt.Sprintf("must be at most %d", maxOptions))
	for i, option := range o.Options {
		field := fmt.Sprintf("%s.options[%d]", at, i)
		name(v, field+".name", option.Name)
		plainText(v, field+".title", option.Title, 0, maxTitle)
		plainText(v, field+".group", option.Group, 0, maxName)
		option.Price.validate(v, field+".price")
		v.Check(o.option(option.Name) == &o.Options[i], field+".name", fmt.Sprintf("is there twice: %q", short.Text(option.Name)))
	}
	v.Check(o.Expiry.After >= 0, at+".expiry.after", "must not be negative")
	v.Check(o.Expiry.After == 0 || o.Expiry.Variable == "", at+".expiry", "must have a variable or a time after which it ends, not both")
	if o.Expiry.Variable != "" {
		o.needsTime(v, at+".expiry.variable", o.Expiry.Variable)
	}
	if o.Expiry.Extend != nil {
		v.Check(o.Expiry.After != 0 || o.Expiry.Variable != "", at+".expiry.extend", "must not be given where nothing ends")
		o.Expiry.Extend.validate(v, at+".expiry.extend")
	}
}

func (c *Catalogue) validatePolicy(v *itsm.Validation, at, policy string) {
	_, ok := c.spec.Policies[policy]
	v.Check(ok, at, fmt.Sprintf("is no policy of the catalogue: %q", short.Text(policy)))
}

// needsTime checks that a variable says when.
func (o *Offering) needsTime(v *itsm.Validation, at, variable string) {
	x := o.Form.variable(variable)
	v.Check(x != nil && (x.Type == Day || x.Type == Instant), at, fmt.Sprintf("must be a variable of type date or time: %q", short.Text(variable)))
}

// option returns the option of a name, or nil.
func (o *Offering) option(name string) *Option {
	for i := range o.Options {
		if o.Options[i].Name == name {
			return &o.Options[i]
		}
	}
	return nil
}

// validateModel checks that an offering and its model fit together.
func (c *Catalogue) validateModel(v *itsm.Validation, at string, o *Offering) {
	if o.Model == "" {
		v.Check(len(o.Bundle) > 0, at+".model", "must be given for what is no bundle")
		return
	}
	m := c.models[o.Model]
	if m == nil {
		v.Check(false, at+".model", fmt.Sprintf("is no model of the catalogue: %q", short.Text(o.Model)))
		return
	}
	for _, t := range m.Tasks {
		if t.Opens != "" {
			o.needsTime(v, fmt.Sprintf("%s.model (%s, task %s, opens)", at, short.Text(m.Name), short.Text(t.Key)), t.Opens)
		}
		o.validateFacts(v, fmt.Sprintf("%s.model (%s, task %s, when)", at, short.Text(m.Name), short.Text(t.Key)), t.When)
	}
	for _, a := range m.Approvals {
		o.validateFacts(v, fmt.Sprintf("%s.model (%s, approval %s, when)", at, short.Text(m.Name), short.Text(a.Policy)), a.When)
	}
}

// validateFacts checks that conditions ask for what there is.
func (o *Offering) validateFacts(v *itsm.Validation, at string, when sla.Condition) {
	for _, fact := range slices.Sorted(maps.Keys(when)) {
		variable, choice, listed := strings.Cut(fact, ".")
		ok := fact == factOffering || fact == factQuantity || strings.HasPrefix(fact, factTask)
		if option, is := strings.CutPrefix(fact, factOption); is {
			ok = o.option(option) != nil
		} else if x := o.Form.variable(variable); x != nil {
			ok = !listed && x.Type != SomeOf || listed && x.Type == SomeOf && x.offers(choice)
		}
		v.Check(ok, at, fmt.Sprintf("asks for what there is not: %q", short.Text(fact)))
	}
}

// validateBundle checks that the components are there and that their forms can be
// filled in.
func (c *Catalogue) validateBundle(v *itsm.Validation, at string, o *Offering) {
	v.Check(len(o.Bundle) <= maxBundle, at+".bundle", fmt.Sprintf("must be at most %d", maxBundle))
	for i, part := range o.Bundle {
		field := fmt.Sprintf("%s.bundle[%d]", at, i)
		v.Check(!slices.ContainsFunc(o.Bundle[:i], func(other Component) bool { return other.Offering == part.Offering }), field+".offering",
			fmt.Sprintf("is there twice: %q", short.Text(part.Offering)))
		other, reason := c.find(part.Offering, part.Version)
		if other == nil {
			v.Check(o.Status != Published, field+".offering", reason)
			continue
		}
		if len(other.Bundle) > 0 {
			v.Check(false, field+".offering", fmt.Sprintf("is a bundle itself: %q", short.Text(part.Offering)))
			continue
		}
		other.choose(v, field, part.Options)
		other.Form.answer(v, field+".values", part.Values, false)
		for _, x := range other.Form.Variables {
			have := o.Form.variable(x.Name)
			switch _, given := part.Values[x.Name]; {
			case have != nil:
				v.Check(have.Type == x.Type, field, fmt.Sprintf("takes %q from the bundle's form, where it is a %s and not a %s", x.Name, have.Type, x.Type))
			case x.Required && !given && len(x.When) == 0:
				v.Check(false, field+".values."+x.Name, "must be given: the bundle's form does not ask for it")
			}
		}
	}
}

// find returns an offering that can be ordered, or why there is none.
func (c *Catalogue) find(name string, version int) (*Offering, string) {
	if c == nil {
		return nil, "is not in the catalogue: there is none"
	}
	versions := c.offerings[name]
	for _, o := range versions {
		if o.Status == Published && (version == 0 || o.Version == version) {
			return o, ""
		}
	}
	switch {
	case len(versions) == 0:
		return nil, fmt.Sprintf("is not in the catalogue: %q", short.Text(name))
	case version == 0:
		return nil, fmt.Sprintf("is not published: %q", short.Text(name))
	}
	return nil, fmt.Sprintf("is not published: %s@%d", short.Text(name), version)
}

// Offering returns the version of an offering that is ordered: that one, or with 0
// the latest that is published. It is a copy.
func (c *Catalogue) Offering(name string, version int) (Offering, bool) {
	o, _ := c.find(name, version)
	if o == nil {
		return Offering{}, false
	}
	return o.clone(), true
}

func (o *Offering) clone() Offering {
	var own Offering
	if data, err := json.Marshal(o); err == nil {
		_ = json.Unmarshal(data, &own) // it came from JSON
	}
	return own
}

// An Offer is an offering as somebody sees it.
type Offer struct {
	Offering Offering
	// Orderable says that they may order it and not only look at it.
	Orderable bool
}

// Offers yields what somebody with these facts sees of the catalogue, in its order:
// of each offering the latest version that is published.
func (c *Catalogue) Offers(of sla.Facts) iter.Seq[Offer] {
	return func(yield func(Offer) bool) {
		if c == nil {
			return
		}
		for i := range c.spec.Offerings {
			o := &c.spec.Offerings[i]
			if latest, _ := c.find(o.Name, 0); latest != o || !holds(o.See, of) {
				continue
			}
			if !yield(Offer{o.clone(), holds(o.Order, of)}) {
				return
			}
		}
	}
}

// choose checks the options of an order and returns them.
func (o *Offering) choose(v *itsm.Validation, at string, names []string) []Option {
	var chosen []Option
	for i, name := range names {
		field := fmt.Sprintf("%s.options[%d]", at, i)
		option := o.option(name)
		if option == nil {
			v.Check(false, field, fmt.Sprintf("is no option of %s: %q", o.Name, short.Text(name)))
			continue
		}
		for _, other := range chosen {
			v.Check(other.Name != option.Name, field, fmt.Sprintf("is there twice: %q", option.Name))
			v.Check(other.Name == option.Name || other.Group == "" || other.Group != option.Group, field,
				fmt.Sprintf("cannot be chosen beside %q: only one of %s can", other.Name, short.Text(option.Group)))
		}
		chosen = append(chosen, *option)
	}
	return chosen
}

// end returns when what is granted ends, zero if it does not or only some time
// after it is fulfilled.
func (c *Catalogue) end(o *Offering, answers itsm.Fields) time.Time {
	if o.Expiry.Variable == "" {
		return time.Time{}
	}
	return c.when(answers[o.Expiry.Variable], true)
}

// when returns the moment that was filled in: of a day its beginning, or the
// beginning of the next one.
func (c *Catalogue) when(value json.RawMessage, dayAfter bool) time.Time {
	text, ok := textOf(bytes.TrimSpace(value))
	if !ok {
		return time.Time{}
	}
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return t.UTC()
	}
	var d sla.Date
	if d.UnmarshalText([]byte(text)) != nil {
		return time.Time{}
	}
	if dayAfter {
		d = sla.DateOf(time.Date(d.Year, d.Month, d.Day+1, 12, 0, 0, 0, time.UTC))
	}
	return beginning(d, c.zone)
}

// beginning returns the first moment of a day. Where the clocks go forward at
// midnight, that is not midnight, which does not exist then.
func beginning(d sla.Date, zone *time.Location) time.Time {
	t := time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, zone)
	if sla.DateOf(t) != d { // it went back into the day before
		if _, end := t.ZoneBounds(); sla.DateOf(end) == d {
			t = end
		}
	}
	if sla.DateOf(t.Add(-time.Second)) == d { // midnight comes twice: the first one
		start, _ := t.ZoneBounds()
		_, before := start.Add(-time.Second).Zone()
		_, after := t.Zone()
		t = t.Add(-time.Duration(before-after) * time.Second)
	}
	return t.UTC()
}
