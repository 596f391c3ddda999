package valuechain

import (
	"fmt"
	"slices"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/internal/short"
)

// Validate verifies the stream in the edition that it names. It returns an
// [itsm.ErrInvalid] with everything that cannot be proved:
//
//   - it starts with the demand, and ends in value;
//   - every step can be reached from the demand without going back, and leads to
//     value, or to an activity whose stream goes on with what it puts out;
//   - the steps are free of loops but for the outputs that go back, and those go
//     back to a step from which one gets here;
//   - every output is an input of where it goes to, and every input an output of
//     where it comes from;
//   - what crosses the border of the organization passes through an activity of
//     the edition's Contact, or along a row of its table;
//   - names are names and known, and watches hand over outputs that there are.
func (s Stream) Validate() error {
	e, ok := FindEdition(s.Edition)
	if !ok {
		var v itsm.Validation
		v.Check(false, "edition", fmt.Sprintf("is unknown: %q", short.Text(s.Edition)))
		return v.Err()
	}
	return s.ValidateIn(e)
}

// ValidateIn is [Stream.Validate] for an edition of the host's own, whatever the
// stream names.
func (s Stream) ValidateIn(e Edition) error {
	var v itsm.Validation
	checkName(&v, "name", s.Name)
	v.Check(s.Version >= 0, "version", "must not be negative")
	v.Text("title", s.Title, 0, maxTitle)
	v.Text("demand.what", s.Demand.What, 1, maxTitle)
	v.Text("value.what", s.Value.What, 1, maxTitle)
	checkNeighbour(&v, e, "demand.who", s.Demand.Who)
	checkNeighbour(&v, e, "value.who", s.Value.Who)
	v.Check(len(s.Steps) > 0, "steps", "must not be empty")
	if len(s.Steps) > maxSteps {
		v.Check(false, "steps", fmt.Sprintf("must be at most %d", maxSteps))
		return v.Err()
	}
	for i := range s.Steps {
		s.checkStep(&v, e, i)
	}
	for i, j := range s.Joins {
		field := fmt.Sprintf("joins[%d]", i)
		checkName(&v, field+".from", j.From)
		v.Text(field+".rel", j.Rel, 1, maxTitle)
		checkName(&v, field+".to", j.To)
		v.Check(!slices.Contains(s.Joins[:i], j), field, "is there twice")
	}
	s.checkGraph(&v, e)
	return v.Err()
}

// checkNeighbour checks the name of who is beside the steps.
func checkNeighbour(v *itsm.Validation, e Edition, field, name string) {
	v.Check(slices.Contains(Parties(), Party(name)) || e.Has(Activity(name)), field,
		fmt.Sprintf("must be a party or an activity, is %q", short.Text(name)))
}

func (s *Stream) checkStep(v *itsm.Validation, e Edition, i int) {
	t := &s.Steps[i]
	field := fmt.Sprintf("steps[%d]", i)
	checkName(v, field+".name", t.Name)
	if t.Name != "" {
		v.Check(reserved(t.Name) || s.index(t.Name) == i, field+".name", fmt.Sprintf("is there twice: %q", short.Text(t.Name)))
		taken := reserved(t.Name) || slices.Contains(Parties(), Party(t.Name)) || e.Has(Activity(t.Name))
		v.Check(!taken, field+".name", fmt.Sprintf("must not be that of a party or an activity, is %q", short.Text(t.Name)))
	}
	v.Check(e.Has(t.Activity), field+".activity", fmt.Sprintf("is none of edition %s: %q", e.Name, short.Text(t.Activity)))
	v.Check(t.Effort >= 0, field+".effort", "must not be negative")
	for _, text := range []struct {
		name, text string
		most       int
	}{
		{"title", t.Title, maxTitle}, {"trigger", t.Trigger, maxText}, {"owner", t.Owner, maxTitle}, {"adds", t.Adds, maxText}, {"harm", t.Harm, maxText},
		{"dimensions.organizations_people", t.Dimensions.OrganizationsPeople, maxText},
		{"dimensions.information_technology", t.Dimensions.InformationTechnology, maxText},
		{"dimensions.partners_suppliers", t.Dimensions.PartnersSuppliers, maxText},
		{"dimensions.value_streams_processes", t.Dimensions.ValueStreamsProcesses, maxText},
	} {
		v.Text(field+"."+text.name, text.text, 0, text.most)
	}
	list := func(name string, n int) {
		v.Check(n <= maxList, field+"."+name, fmt.Sprintf("must be at most %d", maxList))
	}
	texts := func(name string, all []string) {
		list(name, len(all))
		for j, text := range all {
			v.Text(fmt.Sprintf("%s.%s[%d]", field, name, j), text, 1, maxText)
		}
	}
	texts("roles", t.Roles)
	texts("constraints", t.Constraints)
	texts("metrics", t.Metrics)
	list("practices", len(t.Practices))
	for j, p := range t.Practices {
		v.Text(fmt.Sprintf("%s.practices[%d].practice", field, j), p.Practice, 1, maxTitle)
		v.Text(fmt.Sprintf("%s.practices[%d].how", field, j), p.How, 0, maxText)
	}
	list("actions", len(t.Actions))
	for j, a := range t.Actions {
		v.Text(fmt.Sprintf("%s.actions[%d].what", field, j), a.What, 1, maxText)
		texts(fmt.Sprintf("actions[%d].tasks", j), a.Tasks)
	}
	list("exceptions", len(t.Exceptions))
	for j, x := range t.Exceptions {
		at := fmt.Sprintf("%s.exceptions[%d]", field, j)
		v.Text(at+".when", x.When, 1, maxText)
		v.Text(at+".do", x.Do, 0, maxText)
		v.Check(x.To == "" || s.index(x.To) >= 0, at+".to", fmt.Sprintf("is no step: %q", short.Text(x.To)))
	}
	s.checkInputs(v, e, i, field)
	s.checkOutputs(v, e, i, field)
	list("watch", len(t.Watch))
	for j, w := range t.Watch {
		at := fmt.Sprintf("%s.watch[%d]", field, j)
		checkName(v, at+".practice", w.Practice)
		v.Check(slices.Contains(Marks(), w.Does), at+".does", fmt.Sprintf("must be one of %v, is %q", Marks(), short.Text(w.Does)))
		v.Check(w.Action != "" || w.To != "", at, "must name an action or a state")
		v.Check(w.Output == "" || w.Does == Finish, at+".output", "is handed over by finish only")
		has := slices.ContainsFunc(t.Outputs, func(o Output) bool { return o.What == w.Output })
		v.Check(w.Output == "" || has, at+".output", fmt.Sprintf("is none of the step's outputs: %q", short.Text(w.Output)))
	}
}

func (s *Stream) checkInputs(v *itsm.Validation, e Edition, i int, field string) {
	t := &s.Steps[i]
	v.Check(len(t.Inputs) > 0, field+".inputs", "must not be empty")
	v.Check(len(t.Inputs) <= maxList, field+".inputs", fmt.Sprintf("must be at most %d", maxList))
	for j, in := range t.Inputs {
		at := fmt.Sprintf("%s.inputs[%d]", field, j)
		v.Text(at+".what", in.What, 1, maxTitle)
		v.Check(!slices.Contains(t.Inputs[:j], in), at, "is there twice")
		k := s.index(in.From)
		switch {
		case in.From == DemandNode:
			s.checkContact(v, e, at+".from", t.Activity, s.Demand.Who, s.Demand.Who, string(t.Activity))
		case k < 0:
			checkEnd(v, e, at+".from", in.From)
			s.checkContact(v, e, at+".from", t.Activity, in.From, in.From, string(t.Activity))
		default:
			provided := slices.ContainsFunc(s.Steps[k].Outputs, func(o Output) bool { return o.What == in.What && o.To == t.Name })
			v.Check(provided, at, fmt.Sprintf("%q is no output of %q to this step", short.Text(in.What), short.Text(in.From)))
		}
	}
}

func (s *Stream) checkOutputs(v *itsm.Validation, e Edition, i int, field string) {
	t := &s.Steps[i]
	v.Check(len(t.Outputs) > 0, field+".outputs", "must not be empty")
	v.Check(len(t.Outputs) <= maxList, field+".outputs", fmt.Sprintf("must be at most %d", maxList))
	for j, out := range t.Outputs {
		at := fmt.Sprintf("%s.outputs[%d]", field, j)
		v.Text(at+".what", out.What, 1, maxTitle)
		v.Check(!slices.ContainsFunc(t.Outputs[:j], func(o Output) bool { return o.What == out.What && o.To == out.To }), at, "is there twice")
		k := s.index(out.To)
		v.Check(k >= 0 || !out.Back, at+".back", "leads to no step")
		switch {
		case out.To == ValueNode:
			s.checkContact(v, e, at+".to", t.Activity, s.Value.Who, string(t.Activity), s.Value.Who)
		case k < 0:
			checkEnd(v, e, at+".to", out.To)
			s.checkContact(v, e, at+".to", t.Activity, out.To, string(t.Activity), out.To)
		default:
			taken := slices.ContainsFunc(s.Steps[k].Inputs, func(in Input) bool { return in.What == out.What && in.From == t.Name })
			v.Check(taken, at, fmt.Sprintf("is an orphan: %q takes no %q from this step", short.Text(out.To), short.Text(out.What)))
		}
	}
}

// checkEnd checks what is named where a step could be.
func checkEnd(v *itsm.Validation, e Edition, field, name string) {
	v.Check(slices.Contains(Parties(), Party(name)) || e.Has(Activity(name)), field,
		fmt.Sprintf("is no step, no party and no activity: %q", short.Text(name)))
}

// checkContact checks that an activity may pass something to the outside, or get
// something from there.
func (s *Stream) checkContact(v *itsm.Validation, e Edition, field string, a Activity, party, from, to string) {
	if !Party(party).Outside() || len(e.Contact) == 0 || slices.Contains(e.Contact, a) || !e.Has(a) {
		return
	}
	v.Check(len(e.Passes(from, to)) > 0, field,
		fmt.Sprintf("crosses the border to %s outside of %v", short.Text(party), e.Contact))
}

// checkGraph proves what is about the whole.
func (s *Stream) checkGraph(v *itsm.Validation, e Edition) {
	g := s.graph()
	ends := slices.Clone(g.last)
	for i := range s.Steps {
		if slices.ContainsFunc(s.Steps[i].Outputs, func(o Output) bool { return e.Has(Activity(o.To)) }) {
			ends = append(ends, i)
		}
	}
	v.Check(len(g.first) > 0, "steps", "do not start with the demand: no step has an input from it")
	v.Check(len(g.last) > 0, "steps", "do not end in value: no step has an output to it")
	fromDemand, toValue := walk(g.next, g.first), walk(g.before, ends)
	onward := make([]map[int]bool, len(s.Steps)) // what can be reached by leaving a step
	for i := range s.Steps {
		onward[i] = walk(g.next, g.next[i])
	}
	for i := range s.Steps {
		field := fmt.Sprintf("steps[%d]", i)
		name := short.Text(s.Steps[i].Name)
		v.Check(len(g.first) == 0 || fromDemand[i], field, fmt.Sprintf("%q cannot be reached from the demand", name))
		v.Check(len(g.last) == 0 || toValue[i], field, fmt.Sprintf("%q leads neither to value nor to another stream", name))
		v.Check(!onward[i][i], field, fmt.Sprintf("%q comes back to itself by outputs that do not go back", name))
		for j, out := range s.Steps[i].Outputs {
			if k := s.index(out.To); k >= 0 && out.Back {
				v.Check(k == i || onward[k][i], fmt.Sprintf("%s.outputs[%d].back", field, j),
					fmt.Sprintf("does not go back: one does not get here from %q", short.Text(out.To)))
			}
		}
	}
}

// graph is the steps by number: where the demand comes in, where value comes out,
// and who follows whom by outputs that do not go back.
type graph struct {
	first, last  []int
	next, before [][]int
}

func (s *Stream) graph() graph {
	g := graph{next: make([][]int, len(s.Steps)), before: make([][]int, len(s.Steps))}
	byName := make(map[string]int, len(s.Steps))
	for i := len(s.Steps) - 1; i >= 0; i-- {
		byName[s.Steps[i].Name] = i
	}
	for i := range s.Steps {
		if slices.ContainsFunc(s.Steps[i].Inputs, func(in Input) bool { return in.From == DemandNode }) {
			g.first = append(g.first, i)
		}
		if slices.ContainsFunc(s.Steps[i].Outputs, func(o Output) bool { return o.To == ValueNode }) {
			g.last = append(g.last, i)
		}
		for _, out := range s.Steps[i].Outputs {
			if k, ok := byName[out.To]; ok && !reserved(out.To) && !out.Back && !slices.Contains(g.next[i], k) {
				g.next[i] = append(g.next[i], k)
				g.before[k] = append(g.before[k], i)
			}
		}
	}
	return g
}

// walk returns what can be reached from some steps, themselves included.
func walk(next [][]int, from []int) map[int]bool {
	seen := map[int]bool{}
	for todo := slices.Clone(from); len(todo) > 0; {
		i := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if !seen[i] {
			seen[i] = true
			todo = append(todo, next[i]...)
		}
	}
	return seen
}

// A Warning is something about a stream that is worth a question, and wrong only
// if the answer is.
type Warning struct {
	// Field is the path of the JSON field: "steps[2].outputs[0]".
	Field string `json:"field"`
	// Text is a sentence without its subject.
	Text string `json:"text"`
}

func (w Warning) String() string { return w.Field + " " + w.Text }

// Warnings lists what the edition's table of who passes what to whom does not
// have: it lists examples, so nothing of it is an error. An edition without a
// table has no warnings.
func (s Stream) Warnings(e Edition) []Warning {
	var all []Warning
	if len(e.Exchanges) == 0 {
		return nil
	}
	warn := func(field, from, to string) {
		if from != to && len(e.Passes(from, to)) == 0 {
			all = append(all, Warning{field, fmt.Sprintf("passes something from %s to %s, which the table of edition %s has not", from, to, e.Name)})
		}
	}
	for i := range s.Steps {
		t := &s.Steps[i]
		for j, in := range t.Inputs {
			from := in.From
			if from == DemandNode {
				from = s.Demand.Who
			}
			if s.index(in.From) < 0 {
				warn(fmt.Sprintf("steps[%d].inputs[%d]", i, j), from, string(t.Activity))
			}
		}
		for j, out := range t.Outputs {
			to := out.To
			if to == ValueNode {
				to = s.Value.Who
			} else if k := s.index(to); k >= 0 {
				to = string(s.Steps[k].Activity)
			}
			warn(fmt.Sprintf("steps[%d].outputs[%d]", i, j), string(t.Activity), to)
		}
	}
	return all
}
