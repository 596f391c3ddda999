package problem_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/problem"
)

// One incident more, after so many of the same service and symptom.
func BenchmarkDetectorObserve(b *testing.B) {
	for _, n := range []int{1_000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			d, err := problem.NewDetector(problem.Rules{}, nil)
			require.NoError(b, err)
			tell := func(i int) {
				_, err := d.Observe(problem.Occurrence{Incident: itsm.ID(fmt.Sprint(i)), Service: "mail", Symptom: "down", Began: morning.Add(time.Duration(i) * time.Minute)}, morning)
				require.NoError(b, err)
			}
			for i := range n {
				tell(i)
			}
			b.ReportAllocs()
			b.ResetTimer()
			for i := range b.N {
				tell(n + i%n) // the same ones told anew after the first round
			}
		})
	}
}

// Finding known errors for an incident among ten thousand.
func BenchmarkMatcherFind(b *testing.B) {
	m := problem.NewMatcher()
	for i := range 10_000 {
		m.Put(problem.KnownError{Meta: itsm.Meta{ID: itsm.ID(fmt.Sprint("ke-", i)), Version: 1, State: problem.Published},
			Services: []string{fmt.Sprint("service-", i%100)}, Symptoms: []string{fmt.Sprintf("word%d hangs word%d", i%1000, i%777)}})
	}
	q := problem.Query{Service: "service-7", Text: "word7 stops and word107 is slow"}
	require.NotEmpty(b, m.Find(q))
	b.ReportAllocs()
	for b.Loop() {
		m.Find(q)
	}
}

// The probability and the cut sets of a tree of 60 events: twenty groups that are lost with
// 2 of 3, of which two have to be lost.
func BenchmarkFaultTree(b *testing.B) {
	tree := problem.FaultTree{Top: "top", Gates: []problem.Gate{{Name: "top", Kind: problem.AtLeast, Least: 2}}}
	for g := range 20 {
		group := problem.Gate{Name: fmt.Sprint("g", g), Kind: problem.AtLeast, Least: 2}
		for i := range 3 {
			name := fmt.Sprint("e", g, "-", i)
			tree.Events = append(tree.Events, problem.BasicEvent{Name: name, Probability: chance(0.01)})
			group.Inputs = append(group.Inputs, name)
		}
		tree.Gates[0].Inputs = append(tree.Gates[0].Inputs, group.Name)
		tree.Gates = append(tree.Gates, group)
	}
	b.Run("Probability", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_, err := tree.Probability()
			require.NoError(b, err)
		}
	})
	b.Run("CutSets", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			sets, err := tree.CutSets()
			require.NoError(b, err)
			require.Len(b, sets, 20*19/2*9)
		}
	})
}
