package problem

import (
	"slices"

	"github.com/go-itsm/itsm"
)

// decisions is a fault tree as a binary decision diagram (Bryant, 1986): a graph of
// questions about one basic event each, always in the same order, in which no question
// is there twice. From it the probability follows exactly even where events are shared,
// and, because a fault tree is coherent (more failures never repair anything), the
// minimal cut sets (Rauzy, 1993).
type decisions struct {
	nodes []decision
	ids   map[decision]int
	memo  map[[2]int]int
	// event is the basic event of each level, level the level of each event, in the
	// order in which they are met from the top.
	event, level []int
	p            []float64
}

// A decision asks whether the event of a level happens. Nodes 0 and 1 are the answers no
// and yes.
type decision struct{ level, no, yes int }

const (
	never  = 0
	always = 1
)

// decisions makes the diagram of a valid tree.
func (t FaultTree) decisions() (*decisions, int, error) {
	d := &decisions{ids: map[decision]int{}, memo: map[[2]int]int{}, level: make([]int, len(t.Events))}
	d.nodes = []decision{{level: len(t.Events)}, {level: len(t.Events)}}
	gates, events := map[string]*Gate{}, map[string]int{}
	for i := range t.Gates {
		gates[t.Gates[i].Name] = &t.Gates[i]
	}
	for i, e := range t.Events {
		events[e.Name] = i
		p := 0.0
		if e.Probability != nil {
			p = *e.Probability
		}
		d.p = append(d.p, p)
	}
	met := map[string]bool{}
	var order func(name string)
	order = func(name string) {
		if met[name] {
			return
		}
		met[name] = true
		if g := gates[name]; g != nil {
			for _, in := range g.Inputs {
				order(in)
			}
			return
		}
		d.level[events[name]] = len(d.event)
		d.event = append(d.event, events[name])
	}
	order(t.Top)
	built := map[string]int{}
	var build func(name string) int
	build = func(name string) int {
		if n, ok := built[name]; ok {
			return n
		}
		n := never
		if g := gates[name]; g != nil {
			inputs := make([]int, len(g.Inputs))
			for i, in := range g.Inputs {
				inputs[i] = build(in)
			}
			n = d.atLeast(g.least(), inputs)
		} else {
			n = d.node(decision{d.level[events[name]], never, always})
		}
		built[name] = n
		return n
	}
	top := build(t.Top)
	if d.full() {
		return nil, 0, itsm.Refuse("the fault tree is too large to be computed exactly")
	}
	return d, top, nil
}

// least is how many inputs a gate needs.
func (g Gate) least() int {
	switch g.Kind {
	case AtLeast:
		return g.Least
	case And:
		return len(g.Inputs)
	case Or:
	}
	return 1
}

// full reports whether the diagram has grown too large; what is built from then on is
// not used.
func (d *decisions) full() bool { return len(d.nodes) > maxDecisions || len(d.memo) > 10*maxDecisions }

// node returns the node that asks a question.
func (d *decisions) node(q decision) int {
	if q.no == q.yes || d.full() {
		return q.no
	}
	n, ok := d.ids[q]
	if !ok {
		n = len(d.nodes)
		d.nodes = append(d.nodes, q)
		d.ids[q] = n
	}
	return n
}

// or and and join two diagrams.
func (d *decisions) or(a, b int) int { return d.join(a, b, always) }

func (d *decisions) and(a, b int) int { return d.join(a, b, never) }

// join is or if always decides, and and if never does.
func (d *decisions) join(a, b, decides int) int {
	switch {
	case a == b, b == 1-decides:
		return a
	case a == 1-decides:
		return b
	case a == decides || b == decides || d.full():
		return decides
	}
	if a > b {
		a, b = b, a
	}
	// The operation is in the sign, so that one memory serves both.
	key := [2]int{a, b}
	if decides == never {
		key = [2]int{-a, -b}
	}
	if n, ok := d.memo[key]; ok {
		return n
	}
	x, y := d.nodes[a], d.nodes[b]
	level := min(x.level, y.level)
	if x.level > level {
		x = decision{level, a, a}
	}
	if y.level > level {
		y = decision{level, b, b}
	}
	n := d.node(decision{level, d.join(x.no, y.no, decides), d.join(x.yes, y.yes, decides)})
	d.memo[key] = n
	return n
}

// atLeast is true where so many of the inputs are: row by row, it knows for the inputs
// so far where at least 0, 1, 2 … of them are. It begins with the last, so that each
// further one asks before those that are there, and what is there stays as it is.
func (d *decisions) atLeast(k int, inputs []int) int {
	row := make([]int, k+1)
	row[0] = always
	for _, in := range slices.Backward(inputs) {
		for j := k; j > 0; j-- {
			row[j] = d.or(row[j], d.and(in, row[j-1]))
		}
	}
	return row[k]
}

// probability of a node: each event happens or not, whatever the others do.
func (d *decisions) probability(top int) float64 {
	all := make([]float64, len(d.nodes))
	all[always] = 1
	for n := 2; n < len(d.nodes); n++ { // each comes after those that it leads to
		q := d.nodes[n]
		p := d.p[d.event[q.level]]
		all[n] = p*all[q.yes] + (1-p)*all[q.no]
	}
	return all[top]
}

// A cutSet is a set of levels.
type cutSet [maxEvents / 64]uint64

func (s cutSet) has(level int) bool { return s[level/64]>>(level%64)&1 == 1 }

func (s cutSet) with(level int) cutSet {
	s[level/64] |= 1 << (level % 64)
	return s
}

// covers reports whether the set has everything that another has.
func (s cutSet) covers(other cutSet) bool {
	for i := range s {
		if s[i]&other[i] != other[i] {
			return false
		}
	}
	return true
}

// cutSets returns the minimal cut sets of a node: those of its no, and, with its event,
// those of its yes that do not already have one of the former.
func (d *decisions) cutSets(top int) ([]cutSet, error) {
	all := make([][]cutSet, len(d.nodes))
	all[always] = []cutSet{{}}
	needed := make([]bool, len(d.nodes))
	needed[top] = true
	for n := len(d.nodes) - 1; n > 1; n-- {
		if needed[n] {
			needed[d.nodes[n].no], needed[d.nodes[n].yes] = true, true
		}
	}
	work := 0
	for n := 2; n < len(d.nodes); n++ {
		if !needed[n] {
			continue
		}
		q := d.nodes[n]
		if work += len(all[q.yes]) * len(all[q.no]); work > maxComparisons {
			return nil, itsm.Refuse("the fault tree is too large for its minimal cut sets to be found")
		}
		sets := slices.Clone(all[q.no])
		for _, s := range all[q.yes] {
			if !slices.ContainsFunc(all[q.no], s.covers) {
				sets = append(sets, s.with(q.level))
			}
		}
		if len(sets) > maxCutSets {
			return nil, itsm.Refuse("more than %d sets of events bring about one of the fault tree's gates", maxCutSets)
		}
		all[n] = sets
	}
	return all[top], nil
}
