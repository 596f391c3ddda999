package memory

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// A set is a set, in order, and is empty when everything was taken out.
func TestSet(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	const size = 20_000
	s, model := new(set), map[int]bool{}
	check := func() {
		var want []int
		for n := range size {
			if model[n] {
				want = append(want, n)
			}
		}
		sel := selection{size: size, all: []rest{s.rest()}}
		require.Equal(t, want, slices.Collect(sel.from(0)))
	}
	for round := range 20 {
		for range 1_000 {
			n := rng.IntN(size)
			if round%2 == 1 {
				n = rng.IntN(100) * 200 // sparse, and often the same
			}
			if model[n] {
				s.remove(n)
				delete(model, n)
			} else {
				s.add(n)
				model[n] = true
			}
		}
		check()
	}
	for n := range model {
		s.add(n) // again, which changes nothing
	}
	check()
	for n := range model {
		s.remove(n)
	}
	require.True(t, s.empty())
}

// A key that no record has any more leaves nothing behind.
func TestIndexForgets(t *testing.T) {
	x := index[string]{}
	for n := range 10_000 {
		x.add("a", n)
		x.add("b", n/2)
	}
	require.Len(t, x, 2)
	for n := range 5_000 {
		x.remove("b", n)
	}
	require.Len(t, x, 1)
	for n := range 10_000 {
		x.remove("a", n)
	}
	require.Empty(t, x)
}

func BenchmarkSet(b *testing.B) {
	for _, bench := range []struct {
		name string
		step int
	}{{"dense", 2}, {"sparse", 1_000}} {
		b.Run(bench.name, func(b *testing.B) {
			s := new(set)
			const size = 100_000
			for n := 0; n < size; n += bench.step {
				s.add(n)
			}
			b.ReportAllocs()
			n := 0
			for b.Loop() {
				s.add(n + 1)
				s.remove(n + 1)
				n = (n + 7*bench.step) % size
			}
		})
	}
}
