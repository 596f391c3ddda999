package problem

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/go-itsm/itsm"
)

// A FaultTree says which events together bring another one about, down to basic events
// that can happen by themselves. It is a directed graph without cycles: an event may be
// among the causes of several others, and counts once in the results
// ([FaultTree.Probability], [FaultTree.CutSets]).
type FaultTree struct {
	// Top names the gate or basic event that is to be explained.
	Top    string       `json:"top"`
	Gates  []Gate       `json:"gates,omitempty"`
	Events []BasicEvent `json:"events"`
}

// A GateKind says how many of a gate's inputs bring its event about.
type GateKind string

const (
	// Or needs one of them.
	Or GateKind = "or"
	// And needs all.
	And GateKind = "and"
	// AtLeast needs k of them ([Gate].Least), as where redundancy is lost.
	AtLeast GateKind = "at_least"
)

// A Gate is an event that others bring about.
type Gate struct {
	Name string   `json:"name"`
	Text string   `json:"text,omitempty"`
	Kind GateKind `json:"kind"`
	// Least is how many of the inputs an AtLeast gate needs.
	Least int `json:"least,omitempty"`
	// Inputs are names of gates and basic events, each once.
	Inputs []string `json:"inputs"`
}

// A BasicEvent can happen by itself, and independently of the others.
type BasicEvent struct {
	Name string `json:"name"`
	Text string `json:"text,omitempty"`
	// Probability is from 0 to 1, in whatever time the tree is about; nil if it is not
	// known.
	Probability *float64 `json:"probability,omitempty"`
	// Evidence is how it is known that it happens, or did.
	Evidence string `json:"evidence,omitempty"`
}

// Limits of fault trees.
const (
	maxGates       = 500
	maxEvents      = 256 // the width of a cut set
	maxCutSets     = 10_000
	maxDecisions   = 200_000
	maxComparisons = 50_000_000 // of cut sets: well under a second
)

// Validate returns an [itsm.ErrInvalid] with everything that is wrong with the tree:
// names that are there twice or nowhere, circles, gates without inputs or that nothing
// needs, probabilities that are none.
func (t FaultTree) Validate() error {
	var v itsm.Validation
	v.Check(len(t.Gates) <= maxGates, "gates", fmt.Sprintf("must be at most %d", maxGates))
	v.Check(len(t.Events) > 0 && len(t.Events) <= maxEvents, "events", fmt.Sprintf("must be 1 to %d", maxEvents))
	if v.Err() != nil {
		return v.Err() // and the rest is not worth the time
	}
	gates, known, needed := map[string]*Gate{}, map[string]bool{}, map[string]bool{t.Top: true}
	declare := func(at, name string) {
		v.Text(at+".name", name, 1, maxName)
		v.Check(!known[name], at+".name", fmt.Sprintf("%q is there twice", name))
		known[name] = true
	}
	for i, e := range t.Events {
		at := fmt.Sprintf("events[%d]", i)
		declare(at, e.Name)
		v.Text(at+".text", e.Text, 0, maxNote)
		v.Text(at+".evidence", e.Evidence, 0, maxNote)
		v.Check(e.Probability == nil || *e.Probability >= 0 && *e.Probability <= 1, at+".probability", "must be from 0 to 1")
	}
	for i := range t.Gates {
		g := &t.Gates[i]
		at := fmt.Sprintf("gates[%d]", i)
		declare(at, g.Name)
		gates[g.Name] = g
		v.Text(at+".text", g.Text, 0, maxNote)
		v.Check(slices.Contains([]GateKind{Or, And, AtLeast}, g.Kind), at+".kind", fmt.Sprintf("must be or, and or at_least, is %q", g.Kind))
		v.Check(len(g.Inputs) > 0 && len(g.Inputs) <= maxEvents, at+".inputs", fmt.Sprintf("must be 1 to %d", maxEvents))
		if g.Kind == AtLeast {
			v.Check(g.Least >= 1 && g.Least <= len(g.Inputs), at+".least", fmt.Sprintf("must be 1 to the %d of its inputs", len(g.Inputs)))
		} else {
			v.Check(g.Least == 0, at+".least", "is only for at_least")
		}
		for j, name := range g.Inputs {
			v.Check(!slices.Contains(g.Inputs[:j], name), fmt.Sprintf("%s.inputs[%d]", at, j), fmt.Sprintf("%q is there twice", name))
			needed[name] = true
		}
	}
	v.Check(known[t.Top], "top", fmt.Sprintf("%q is neither a gate nor an event", t.Top))
	for i, g := range t.Gates {
		at := fmt.Sprintf("gates[%d]", i)
		for j, name := range g.Inputs {
			v.Check(known[name], fmt.Sprintf("%s.inputs[%d]", at, j), fmt.Sprintf("%q is neither a gate nor an event", name))
		}
		v.Check(needed[g.Name], at, fmt.Sprintf("%q leads nowhere", g.Name))
	}
	for i, e := range t.Events {
		v.Check(needed[e.Name], fmt.Sprintf("events[%d]", i), fmt.Sprintf("%q leads nowhere", e.Name))
	}
	// A circle is found on the way down, where a gate is met again above itself.
	const open, done = 1, 2
	seen := map[string]int{}
	var walk func(name string)
	walk = func(name string) {
		g := gates[name]
		if g == nil || seen[name] == done {
			return
		}
		if seen[name] == open {
			v.Check(false, "gates", fmt.Sprintf("turn in a circle at %q", name))
			return
		}
		seen[name] = open
		for _, in := range g.Inputs {
			walk(in)
		}
		seen[name] = done
	}
	for _, g := range t.Gates {
		walk(g.Name)
	}
	return v.Err()
}

// find returns the gate or the event of a name.
func (t FaultTree) find(name string) (*Gate, *BasicEvent) {
	for i := range t.Gates {
		if t.Gates[i].Name == name {
			return &t.Gates[i], nil
		}
	}
	for i := range t.Events {
		if t.Events[i].Name == name {
			return nil, &t.Events[i]
		}
	}
	return nil, nil
}

// Marks lists the gates with one input, the events without evidence, and those that
// only blame somebody.
func (t FaultTree) Marks() []Mark {
	var all []Mark
	for i, g := range t.Gates {
		if len(g.Inputs) == 1 {
			all = append(all, Mark{fmt.Sprintf("gates[%d]", i), "has one input: another may be missing"})
		}
	}
	for i, e := range t.Events {
		all = append(all, e.marks(i)...)
	}
	return all
}

func (e BasicEvent) marks(i int) []Mark {
	return source{fmt.Sprintf("events[%d]", i), cmp.Or(e.Text, e.Name), e.Evidence, true}.marks()
}

// Probability returns how probable the top event is, from 0 to 1: exactly, up to the
// rounding of floating point, however often an event is needed. It returns what
// [FaultTree.Validate] finds, an [itsm.ErrInvalid] if a probability is not known, and an
// [itsm.ErrNotAllowed] for a tree that is too large to be computed exactly.
func (t FaultTree) Probability() (float64, error) {
	var v itsm.Validation
	v.Add(t.Validate())
	for i, e := range t.Events {
		v.Check(e.Probability != nil, fmt.Sprintf("events[%d].probability", i), "is not known")
	}
	if err := v.Err(); err != nil {
		return 0, err
	}
	d, top, err := t.decisions()
	if err != nil {
		return 0, err
	}
	return d.probability(top), nil
}

// CutSets returns the minimal cut sets: every set of basic events that brings the top
// event about and no smaller part of which does. The smallest come first; a set of one
// is a single point of failure. Within a set, and among sets of one size, the events are
// in the order of Events. It returns what [FaultTree.Validate] finds, and an
// [itsm.ErrNotAllowed] if there are more than 10,000, of the top or on the way to it, or
// the tree is too large.
func (t FaultTree) CutSets() ([][]string, error) {
	if err := t.Validate(); err != nil {
		return nil, err
	}
	d, top, err := t.decisions()
	if err != nil {
		return nil, err
	}
	sets, err := d.cutSets(top)
	if err != nil {
		return nil, err
	}
	all := make([][]int, len(sets))
	for i, s := range sets {
		for e := range t.Events {
			if s.has(d.level[e]) {
				all[i] = append(all[i], e)
			}
		}
	}
	slices.SortFunc(all, func(a, b []int) int { return cmp.Or(cmp.Compare(len(a), len(b)), slices.Compare(a, b)) })
	names := make([][]string, len(all))
	for i, s := range all {
		for _, e := range s {
			names[i] = append(names[i], t.Events[e].Name)
		}
	}
	return names, nil
}

// Mermaid draws the tree from the top down.
func (t FaultTree) Mermaid() string {
	var b strings.Builder
	b.WriteString("flowchart TD\n")
	ids := map[string]string{}
	for i, g := range t.Gates {
		ids[g.Name] = fmt.Sprintf("g%d", i)
		kind := string(g.Kind)
		if g.Kind == AtLeast {
			kind = fmt.Sprintf("at least %d of %d", g.Least, len(g.Inputs))
		}
		fmt.Fprintf(&b, "    g%d[\"%s<br/>%s\"]\n", i, label(cmp.Or(g.Text, g.Name)), strings.ToUpper(kind))
	}
	for i, e := range t.Events {
		ids[e.Name] = fmt.Sprintf("e%d", i)
		text := label(cmp.Or(e.Text, e.Name))
		if e.Probability != nil {
			text += "<br/>p = " + probability(*e.Probability)
		}
		for _, m := range e.marks(i) {
			text += "<br/>(" + label(m.Text) + ")"
		}
		fmt.Fprintf(&b, "    e%d((\"%s\"))\n", i, text)
	}
	for i, g := range t.Gates {
		for _, in := range g.Inputs {
			if id, ok := ids[in]; ok {
				fmt.Fprintf(&b, "    g%d --> %s\n", i, id)
			}
		}
	}
	return b.String()
}

// String prints the tree, each gate once with all below it, and, as far as they can be
// computed, the probability and the minimal cut sets.
func (t FaultTree) String() string {
	var b strings.Builder
	shown := map[string]bool{}
	var walk func(name string, depth int)
	walk = func(name string, depth int) {
		b.WriteString(strings.Repeat("  ", depth))
		g, e := t.find(name)
		switch {
		case e != nil:
			b.WriteString(oneLine(cmp.Or(e.Text, e.Name)))
			if e.Probability != nil {
				b.WriteString(", p = " + probability(*e.Probability))
			}
			if e.Evidence != "" {
				fmt.Fprintf(&b, " [%s]", oneLine(e.Evidence))
			}
			b.WriteByte('\n')
		case g != nil:
			fmt.Fprintf(&b, "%s: ", oneLine(cmp.Or(g.Text, g.Name)))
			switch g.Kind {
			case AtLeast:
				fmt.Fprintf(&b, "at least %d of", g.Least)
			case And:
				b.WriteString("all of")
			case Or:
				b.WriteString("one of")
			}
			if shown[name] {
				b.WriteString(" those above\n")
				return
			}
			shown[name] = true
			b.WriteByte('\n')
			for _, in := range g.Inputs {
				walk(in, depth+1)
			}
		}
	}
	walk(t.Top, 0)
	if p, err := t.Probability(); err == nil {
		fmt.Fprintf(&b, "  probability: %s\n", probability(p))
	}
	if sets, err := t.CutSets(); err == nil {
		for _, s := range sets {
			fmt.Fprintf(&b, "  enough: %s\n", oneLine(strings.Join(s, " and ")))
		}
	}
	for _, m := range t.Marks() {
		fmt.Fprintf(&b, "  ! %s\n", m)
	}
	return b.String()
}
