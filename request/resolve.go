package request

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/approval"
	"github.com/go-itsm/itsm/internal/short"
	"github.com/go-itsm/itsm/sla"
)

// A resolver finds out what an order comes to, by the host's configuration.
type resolver struct {
	cfg Config
	ctx context.Context
	at  time.Time
	r   *Request
	v   itsm.Validation
	out Submit
	// asked are the policies that items ask for, in their order.
	asked []asked
	// models are those of the items.
	models []*Model
	people map[string]sla.Facts
}

type asked struct {
	policy string
	items  []int
}

// resolve says what the lines of an order come to. Unless all is given, it only
// checks what is there. The error is not nil if something was found, or if the host
// could not be asked.
func (cfg Config) resolve(ctx context.Context, at time.Time, r *Request, all bool) (Submit, error) {
	x := &resolver{cfg: cfg, ctx: ctx, at: at, r: r, people: map[string]sla.Facts{}}
	x.out.RollUp = cfg.RollUp
	for i, line := range r.Lines {
		if i == maxLines {
			break // Validate says so
		}
		if err := x.line(i, line, all); err != nil {
			return Submit{}, err
		}
	}
	x.v.Check(len(x.out.Items) <= maxItems, "lines", fmt.Sprintf("must come to at most %d items, come to %d", maxItems, len(x.out.Items)))
	x.v.Check(len(x.out.Tasks) <= maxAllTasks, "lines", fmt.Sprintf("must come to at most %d tasks, come to %d", maxAllTasks, len(x.out.Tasks)))
	x.whole()
	x.without()
	if err := x.v.Err(); err != nil || !all {
		return Submit{}, err
	}
	if err := x.approvals(); err != nil {
		return Submit{}, err
	}
	return x.out, x.v.Err()
}

// line resolves one line.
func (x *resolver) line(i int, line Line, all bool) error {
	at := fmt.Sprintf("lines[%d]", i)
	o, reason := x.cfg.Catalogue.find(line.Offering, line.Version)
	if o == nil {
		x.v.Check(line.Offering == "", at+".offering", reason) // Validate says that it is empty
		return nil
	}
	if err := x.entitled(at, o); err != nil {
		return err
	}
	quantity := max(line.Quantity, 1)
	x.v.Check(quantity <= max(o.MaxQuantity, 1), at+".quantity", fmt.Sprintf("must be at most %d", max(o.MaxQuantity, 1)))
	var filled itsm.Validation
	answers := o.Form.answer(&filled, at+".values", line.Values, all)
	x.v.Add(filled.Err())
	chosen := o.choose(&x.v, at, line.Options)
	for j, left := range line.Leave {
		field := fmt.Sprintf("%s.leave[%d]", at, j)
		k := slices.IndexFunc(o.Bundle, func(c Component) bool { return c.Offering == left })
		x.v.Check(k >= 0, field, fmt.Sprintf("is no component of %s: %q", o.Name, short.Text(left)))
		x.v.Check(k < 0 || o.Bundle[k].Optional, field, fmt.Sprintf("must not be left out: %s", short.Text(left)))
		x.v.Check(!slices.Contains(line.Leave[:j], left), field, "is there twice")
	}
	if x.out.Title == "" {
		x.out.Title = o.Title
	}
	if o.Model != "" {
		if err := x.item(at, i, o, quantity, chosen, answers); err != nil {
			return err
		}
	} else {
		x.out.Price = Total(x.out.Price, price(o, chosen).Times(quantity))
	}
	for _, c := range o.Bundle {
		if slices.Contains(line.Leave, c.Offering) {
			continue
		}
		if err := x.component(fmt.Sprintf("%s (%s)", at, c.Offering), i, o, c, quantity, answers, all, filled.Err() == nil); err != nil {
			return err
		}
	}
	return nil
}

// component resolves a part of a bundle. It has been agreed that who may order the
// bundle may order its parts. What is wrong with the bundle's form is not told again
// for each of them.
func (x *resolver) component(at string, line int, bundle *Offering, c Component, quantity int, answers itsm.Fields, all, filled bool) error {
	o, reason := x.cfg.Catalogue.find(c.Offering, c.Version)
	if o == nil {
		x.v.Check(false, at, reason)
		return nil
	}
	values := itsm.Fields{}
	for name, value := range c.Values {
		values[name] = value
	}
	for _, variable := range o.Form.Variables {
		if value, ok := answers[variable.Name]; ok && bundle.Form.variable(variable.Name) != nil {
			values[variable.Name] = value
		}
	}
	// What was filled in for the bundle may not be asked here.
	own := itsm.Fields{}
	for _, variable := range o.Form.Variables {
		if value, ok := values[variable.Name]; ok && variable.asked(own) {
			own[variable.Name] = value
		}
	}
	var v itsm.Validation
	own = o.Form.answer(&v, at, own, all)
	if filled {
		x.v.Add(v.Err())
	}
	return x.item(at, line, o, quantity, o.choose(&x.v, at, c.Options), own)
}

// entitled checks that the requester may order an offering. Of what they do not see
// they are told what they would be told of what is not there.
func (x *resolver) entitled(at string, o *Offering) error {
	if len(o.See)+len(o.Order) == 0 {
		return nil
	}
	facts, err := x.person(x.r.Requester)
	if err != nil {
		return err
	}
	switch {
	case !holds(o.See, facts):
		x.v.Check(false, at+".offering", fmt.Sprintf("is not in the catalogue: %q", o.Name))
	case !holds(o.Order, facts):
		x.v.Rule(false, fmt.Sprintf("%s may not order %s", x.r.Requester, o.Name))
	}
	return nil
}

// person asks the host, once for each.
func (x *resolver) person(id string) (sla.Facts, error) {
	if f, ok := x.people[id]; ok {
		return f, nil
	}
	f, err := x.cfg.person(x.ctx, id)
	if err == nil {
		x.people[id] = f
	}
	return f, err
}

// person returns what the host's directory says of somebody.
func (cfg Config) person(ctx context.Context, id string) (sla.Facts, error) {
	if cfg.Directory == nil {
		return sla.FactMap{}, nil
	}
	f, err := cfg.Directory(ctx, id)
	if err == nil && f == nil {
		f = sla.FactMap{}
	}
	return f, err
}

func price(o *Offering, chosen []Option) Price {
	prices := []Price{o.Price}
	for _, option := range chosen {
		prices = append(prices, option.Price)
	}
	return Total(prices...)
}

// item adds an item with its tasks and what has to be approved for it.
func (x *resolver) item(at string, line int, o *Offering, quantity int, chosen []Option, answers itsm.Fields) error {
	m := x.cfg.Catalogue.models[o.Model]
	item := Item{Number: len(x.out.Items) + 1, Line: line, Offering: o.Name, Version: o.Version, Title: o.Title,
		Model: m.Name, Service: o.Service, Quantity: quantity, Values: answers,
		Price: price(o, chosen).Times(quantity), RollUp: m.RollUp, Lasts: o.Expiry.After, Extend: o.Expiry.Extend}
	for _, option := range chosen {
		item.Options = append(item.Options, option.Name)
	}
	if item.Until = x.cfg.Catalogue.end(o, answers); !item.Until.IsZero() {
		x.v.Check(item.Until.After(x.at), at+".values."+o.Expiry.Variable, "must not be over already")
	}
	if len(m.Eligible) > 0 {
		facts, err := x.person(x.r.Recipient)
		if err != nil {
			return err
		}
		x.v.Rule(holds(m.Eligible, facts), fmt.Sprintf("%s is not eligible for %s", x.r.Recipient, o.Name))
	}
	x.out.Automatic = m.Automatic && (x.out.Automatic || len(x.out.Items) == 0)
	x.out.Price = Total(x.out.Price, item.Price)
	x.out.Items = append(x.out.Items, item)
	x.models = append(x.models, m)
	for _, a := range m.Approvals {
		if !a.When.Holds(ordered{item: &item}) || len(a.From) > 0 && !item.Price.reaches(a.From) {
			continue
		}
		one := x.ask(a.Policy)
		if !slices.Contains(one.items, item.Number) {
			one.items = append(one.items, item.Number)
		}
	}
	first := len(x.out.Tasks) + 1
	for _, t := range m.Tasks {
		task := Task{Number: len(x.out.Tasks) + 1, Item: item.Number, Key: t.Key, Title: t.Title, State: TaskWaiting,
			Group: t.Group, Automation: t.Automation, Change: t.Change, When: t.When, Within: t.Within, Undo: t.Undo}
		for _, need := range t.Needs {
			j := slices.IndexFunc(m.Tasks, func(other TaskModel) bool { return other.Key == need })
			task.Needs = append(task.Needs, first+j)
		}
		if t.Opens != "" {
			task.Opens = x.cfg.Catalogue.when(bytes.TrimSpace(answers[t.Opens]), false)
		}
		x.out.Tasks = append(x.out.Tasks, task)
	}
	return nil
}

// ask returns what is asked by a policy: once, whoever wants it.
func (x *resolver) ask(policy string) *asked {
	i := slices.IndexFunc(x.asked, func(other asked) bool { return other.policy == policy })
	if i < 0 {
		i = len(x.asked)
		x.asked = append(x.asked, asked{policy: policy})
	}
	return &x.asked[i]
}

// whole adds what has to be approved for the order as a whole.
func (x *resolver) whole() {
	if x.cfg.Catalogue == nil || len(x.out.Items) == 0 {
		return
	}
	for _, a := range x.cfg.Catalogue.spec.Approvals {
		if len(a.From) == 0 || x.out.Price.reaches(a.From) {
			x.ask(a.Policy).items = nil
		}
	}
}

// without puts together what the models do not have, and proves that what is left
// is a lifecycle.
func (x *resolver) without() {
	for _, m := range x.models {
		for _, action := range m.Without {
			if !slices.Contains(x.out.Without, action) {
				x.out.Without = append(x.out.Without, action)
			}
		}
	}
	slices.Sort(x.out.Without)
	if len(x.asked) > 0 && slices.Contains(x.out.Without, SeekApproval{}.Action()) {
		x.v.Check(false, "lines", "cannot be ordered so: something has to be approved, which a model does not permit")
	}
	if len(x.models) < 2 || len(x.out.Without) == 0 {
		return // each model by itself was proved with the practice
	}
	if _, err := without(x.cfg.Lifecycle, x.out.Without); err != nil {
		x.v.Check(false, "lines", "cannot be ordered together: what their models have in common is no lifecycle")
	}
}

// approvals asks the host who votes.
func (x *resolver) approvals() error {
	r := *x.r
	r.Items, r.Price = x.out.Items, x.out.Price
	for _, a := range x.asked {
		one, err := x.cfg.approval(x.ctx, &r, a.policy, a.items, x.at)
		if err != nil {
			if !isFinding(err) {
				return err
			}
			x.v.Add(err)
			continue
		}
		one.Number = len(x.out.Approvals) + 1
		x.out.Approvals = append(x.out.Approvals, one)
	}
	return nil
}

// approval opens an approval by a policy of the catalogue.
func (cfg Config) approval(ctx context.Context, r *Request, policy string, items []int, at time.Time) (Approval, error) {
	var p approval.Policy
	ok := false
	if cfg.Catalogue != nil {
		p, ok = cfg.Catalogue.spec.Policies[policy]
	}
	if !ok {
		return Approval{}, &itsm.FieldError{Field: "policy", Reason: fmt.Sprintf("is no policy of the catalogue: %q", short.Text(policy))}
	}
	e, err := approval.Resolve(p, at, func(kind approval.Kind, name string) ([]string, error) {
		switch {
		case kind == approval.Duty && name == "requester":
			return []string{r.Requester}, nil
		case kind == approval.Duty && name == "recipient":
			return []string{r.Recipient}, nil
		case cfg.Approvers == nil:
			return nil, fmt.Errorf("request: Config.Approvers is not there to say who it is")
		}
		return cfg.Approvers(ctx, *r, kind, name)
	})
	if found := approval.Findings(err); len(found) > 0 {
		var v itsm.Validation
		for _, f := range found {
			v.Rule(false, fmt.Sprintf("approval by %s: %s", policy, f))
		}
		return Approval{}, v.Err()
	}
	if err != nil {
		return Approval{}, err
	}
	one := Approval{Policy: policy, Items: items, Electorate: e}
	one.Outcome, one.Final, err = one.count(at)
	return one, err
}
