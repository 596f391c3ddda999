package problem_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/internal/lifecycletest"
	"github.com/go-itsm/itsm/internal/race"
	"github.com/go-itsm/itsm/practicetest"
	"github.com/go-itsm/itsm/problem"
)

func chance(p float64) *float64 { return &p }

// happens is the definition of a fault tree: whether the top event happens where these
// basic events do.
func happens(t problem.FaultTree, events uint) bool {
	var is func(name string) bool
	is = func(name string) bool {
		for i, e := range t.Events {
			if e.Name == name {
				return events>>i&1 == 1
			}
		}
		for _, g := range t.Gates {
			if g.Name != name {
				continue
			}
			n := 0
			for _, in := range g.Inputs {
				if is(in) {
					n++
				}
			}
			switch g.Kind {
			case problem.And:
				return n == len(g.Inputs)
			case problem.AtLeast:
				return n >= g.Least
			default:
				return n > 0
			}
		}
		panic(name)
	}
	return is(t.Top)
}

// bruteForce sums up the probabilities of all combinations of basic events in which the
// top event happens, and keeps those combinations no smaller part of which is enough.
func bruteForce(t problem.FaultTree) (float64, [][]string) {
	sum, n := 0.0, len(t.Events)
	enough := make([]bool, 1<<n)
	for events := range uint(1 << n) {
		if enough[events] = happens(t, events); !enough[events] {
			continue
		}
		p := 1.0
		for i, e := range t.Events {
			if events>>i&1 == 1 {
				p *= *e.Probability
			} else {
				p *= 1 - *e.Probability
			}
		}
		sum += p
	}
	var minimal []uint
	for events := range uint(1 << n) {
		smaller := enough[events]
		for i := range n {
			if events>>i&1 == 1 && enough[events&^(1<<i)] {
				smaller = false
			}
		}
		if smaller {
			minimal = append(minimal, events)
		}
	}
	sets := [][]string{}
	for _, events := range minimal {
		var names []string
		for i, e := range t.Events {
			if events>>i&1 == 1 {
				names = append(names, e.Name)
			}
		}
		sets = append(sets, names)
	}
	slices.SortFunc(sets, func(a, b []string) int {
		if len(a) != len(b) {
			return len(a) - len(b)
		}
		return slices.Compare(a, b)
	})
	return sum, sets
}

// randomTree makes a tree of up to so many basic events. Some of them, and some gates,
// are needed more than once.
func randomTree(rnd *rand.Rand, most int) problem.FaultTree {
	var t problem.FaultTree
	var free []string
	for i := range 1 + rnd.IntN(most) {
		p := practicetest.Pick(rnd, 0, 1, 0.5, rnd.Float64(), rnd.Float64(), rnd.Float64()/1000)
		t.Events = append(t.Events, problem.BasicEvent{Name: string(rune('a' + i)), Probability: &p})
		free = append(free, string(rune('a'+i)))
	}
	all := slices.Clone(free)
	for len(free) > 1 || len(t.Gates) == 0 && rnd.IntN(4) > 0 {
		g := problem.Gate{Name: fmt.Sprintf("g%d", len(t.Gates)), Kind: practicetest.Pick(rnd, problem.Or, problem.And, problem.AtLeast)}
		for range 1 + rnd.IntN(min(4, len(free))) {
			i := rnd.IntN(len(free))
			g.Inputs = append(g.Inputs, free[i])
			free = slices.Delete(free, i, i+1)
		}
		for range rnd.IntN(3) {
			if shared := practicetest.Pick(rnd, all...); !slices.Contains(g.Inputs, shared) {
				g.Inputs = append(g.Inputs, shared)
			}
		}
		if g.Kind == problem.AtLeast {
			g.Least = 1 + rnd.IntN(len(g.Inputs))
		}
		rnd.Shuffle(len(g.Inputs), func(i, j int) { g.Inputs[i], g.Inputs[j] = g.Inputs[j], g.Inputs[i] })
		t.Gates = append(t.Gates, g)
		free, all = append(free, g.Name), append(all, g.Name)
	}
	t.Top = free[0]
	// The order in which they are given says nothing.
	rnd.Shuffle(len(t.Gates), func(i, j int) { t.Gates[i], t.Gates[j] = t.Gates[j], t.Gates[i] })
	return t
}

// Probability and minimal cut sets are those of the definition, for every tree of up to
// ten basic events that chance makes.
func TestFaultTreesAreExact(t *testing.T) {
	trees := 4_000
	if race.Detector || testing.Short() {
		trees = 300
	}
	rnd := rand.New(rand.NewPCG(1, 1))
	gates, shared, sets, worst := 0, 0, 0, 0.0
	for range trees {
		tree := randomTree(rnd, 10)
		require.NoError(t, tree.Validate())
		wantP, wantSets := bruteForce(tree)
		p, err := tree.Probability()
		require.NoError(t, err)
		worst = max(worst, math.Abs(p-wantP))
		require.InDelta(t, wantP, p, 1e-12)
		got, err := tree.CutSets()
		require.NoError(t, err)
		require.Equal(t, wantSets, got, "%+v", tree)
		gates += len(tree.Gates)
		sets += len(got)
		needed := map[string]int{}
		for _, g := range tree.Gates {
			for _, in := range g.Inputs {
				needed[in]++
			}
		}
		for _, n := range needed {
			if n > 1 {
				shared++
			}
		}
	}
	require.NotZero(t, shared)
	t.Logf("%d trees, %d gates, %d inputs of more than one gate, %d minimal cut sets, all as by brute force; greatest difference of a probability %.1e", trees, gates, shared, sets, worst)
}

func pump() problem.FaultTree {
	return problem.FaultTree{Top: "dry", Gates: []problem.Gate{
		{Name: "dry", Text: "No mail", Kind: problem.Or, Inputs: []string{"queue", "servers"}},
		{Name: "servers", Text: "Servers are down", Kind: problem.AtLeast, Least: 2, Inputs: []string{"mx-1", "mx-2", "mx-3"}},
	}, Events: []problem.BasicEvent{
		{Name: "queue", Text: "The queue's disk is full", Probability: chance(0.02), Evidence: "df, 3 March"},
		{Name: "mx-1", Probability: chance(0.1), Evidence: "log"}, {Name: "mx-2", Probability: chance(0.1), Evidence: "log"}, {Name: "mx-3", Probability: chance(0.1)},
	}}
}

// By hand: 2 of 3 at 0.1 is 3·0.01·0.9 + 0.001 = 0.028; with 0.02, 1 − 0.972·0.98.
func TestAFaultTree(t *testing.T) {
	tree := pump()
	p, err := tree.Probability()
	require.NoError(t, err)
	require.InDelta(t, 0.04744, p, 1e-12)
	sets, err := tree.CutSets()
	require.NoError(t, err)
	require.Equal(t, [][]string{{"queue"}, {"mx-1", "mx-2"}, {"mx-1", "mx-3"}, {"mx-2", "mx-3"}}, sets)
	lifecycletest.Golden(t, "fault_tree.txt", tree.String()+"\n"+tree.Mermaid())
	require.Equal(t, []problem.Mark{{Where: "events[3]", Text: "has no evidence"}}, tree.Marks())

	tree.Events[0].Probability, tree.Events[2].Text = nil, "Operator error"
	_, err = tree.Probability()
	require.Equal(t, []string{"events[0].probability is not known"}, practicetest.Said(err))
	tree.Gates[0].Inputs = []string{"servers"}
	tree.Events = tree.Events[1:]
	require.Equal(t, []problem.Mark{{Where: "gates[0]", Text: "has one input: another may be missing"},
		{Where: "events[1]", Text: "is a prompt and not a cause: what made the mistake possible, and what would have caught it?"},
		{Where: "events[2]", Text: "has no evidence"}}, tree.Marks())
	single := problem.FaultTree{Top: "a", Events: []problem.BasicEvent{{Name: "a", Probability: chance(0.5)}}}
	p, err = single.Probability()
	require.NoError(t, err)
	require.Equal(t, 0.5, p)
}

func TestFaultTreesAreRefusedWithEveryFinding(t *testing.T) {
	nan := math.NaN()
	tree := problem.FaultTree{Top: "z", Gates: []problem.Gate{
		{Name: "a", Kind: "xor", Inputs: []string{"b", "b", "q"}}, {Name: "b", Kind: problem.And, Least: 1, Inputs: []string{"a"}},
		{Name: "c", Kind: problem.AtLeast, Least: 3, Inputs: []string{"e", "a"}}, {Name: "d", Kind: problem.Or}, {Name: "", Kind: problem.Or, Inputs: []string{"e"}},
	}, Events: []problem.BasicEvent{{Name: "e", Probability: chance(2)}, {Name: "a", Probability: &nan}, {Name: "f", Probability: chance(-1)}}}
	require.Equal(t, []string{
		"events[0].probability must be from 0 to 1", "events[1].probability must be from 0 to 1", "events[2].probability must be from 0 to 1",
		`gates[0].name "a" is there twice`, `gates[0].kind must be or, and or at_least, is "xor"`, `gates[0].inputs[1] "b" is there twice`,
		"gates[1].least is only for at_least", "gates[2].least must be 1 to the 2 of its inputs", "gates[3].inputs must be 1 to 256", "gates[4].name must not be empty",
		`top "z" is neither a gate nor an event`, `gates[0].inputs[2] "q" is neither a gate nor an event`, `gates[2] "c" leads nowhere`, `gates[3] "d" leads nowhere`,
		`gates[4] "" leads nowhere`, `events[2] "f" leads nowhere`, `gates turn in a circle at "a"`,
	}, practicetest.Said(tree.Validate()))
	_, err := tree.CutSets()
	require.ErrorIs(t, err, itsm.ErrInvalid)
	_, err = tree.Probability()
	require.ErrorIs(t, err, itsm.ErrInvalid)
	require.NotPanics(t, func() { _, _ = tree.String(), tree.Mermaid() })
	tree.Top = "a"
	require.NotPanics(t, func() { _, _ = tree.String(), tree.Mermaid() })
	require.Len(t, practicetest.Said(problem.FaultTree{Gates: make([]problem.Gate, 501)}.Validate()), 2)
}

// grid is a tree whose size is known: k of n, or an or of ands.
func grid(kind problem.GateKind, least, n int) problem.FaultTree {
	tree := problem.FaultTree{Top: "top", Gates: []problem.Gate{{Name: "top", Kind: kind, Least: least}}}
	for i := range n {
		name := fmt.Sprintf("e%03d", i)
		tree.Events = append(tree.Events, problem.BasicEvent{Name: name, Probability: chance(0.5)})
		tree.Gates[0].Inputs = append(tree.Gates[0].Inputs, name)
	}
	return tree
}

// A hundred of 200 is more sets than there are atoms, and still has a probability; what
// is too large says so.
func TestLargeFaultTrees(t *testing.T) {
	p, err := grid(problem.AtLeast, 101, 201).Probability()
	require.NoError(t, err)
	require.InDelta(t, 0.5, p, 1e-9, "more than half of an odd number of coins")
	_, err = grid(problem.AtLeast, 101, 201).CutSets()
	require.ErrorIs(t, err, itsm.ErrNotAllowed)
	sets, err := grid(problem.AtLeast, 2, 140).CutSets()
	require.NoError(t, err)
	require.Len(t, sets, 140*139/2)
	_, err = grid(problem.AtLeast, 2, 142).CutSets()
	require.Equal(t, []string{"more than 10000 sets of events bring about one of the fault tree's gates"}, practicetest.Said(err))

	// Pairs far apart in the order are what a decision diagram is worst at.
	bad := problem.FaultTree{Top: "top", Gates: []problem.Gate{{Name: "top", Kind: problem.Or}, {Name: "first", Kind: problem.Or}}}
	for i := range 40 {
		for _, side := range []string{"a", "b"} {
			bad.Events = append(bad.Events, problem.BasicEvent{Name: fmt.Sprint(side, i), Probability: chance(0.5)})
		}
		bad.Gates[1].Inputs = append(bad.Gates[1].Inputs, fmt.Sprint("a", i))
		bad.Gates = append(bad.Gates, problem.Gate{Name: fmt.Sprint("pair", i), Kind: problem.And, Inputs: []string{fmt.Sprint("a", i), fmt.Sprint("b", i)}})
		bad.Gates[0].Inputs = append(bad.Gates[0].Inputs, fmt.Sprint("pair", i))
	}
	guard := problem.Gate{Name: "both", Kind: problem.And, Inputs: []string{"first", "pairs"}}
	bad.Gates[0].Name = "pairs"
	bad.Gates = append(bad.Gates, guard)
	bad.Top = "both"
	require.NoError(t, bad.Validate())
	_, err = bad.Probability()
	require.Equal(t, []string{"the fault tree is too large to be computed exactly"}, practicetest.Said(err))
	_, err = bad.CutSets()
	require.ErrorIs(t, err, itsm.ErrNotAllowed)
	require.NotPanics(t, func() { _ = bad.String() })
}
