package sla_test

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm/sla"
)

// A total is the sum of whatever was added, however long, and its mean that divided by
// their number, towards zero, and rounded to the millisecond.
func TestTotal(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 2_000 {
		var total sla.Total
		sum, n := new(big.Int), 1+rng.IntN(40)
		for range n {
			d := time.Duration(rng.Uint64())
			switch rng.IntN(4) {
			case 0:
				d %= time.Duration(time.Hour)
			case 1:
				d = math.MaxInt64
			case 2:
				d = math.MinInt64 + 1
			}
			total.Add(d)
			sum.Add(sum, big.NewInt(int64(d)))
		}
		mean := new(big.Int).Quo(sum, big.NewInt(int64(n)))
		require.Equal(t, sla.Mean{Value: time.Duration(mean.Int64()).Round(time.Millisecond), Of: int64(n)}, total.Mean("none"))
	}
	var none sla.Total
	require.Equal(t, sla.Mean{Undefined: "nothing"}, none.Mean("nothing"))
	require.Equal(t, sla.Mean{Undefined: "there are none"}, none.Mean(""))

	by := sla.Totals[string]{}
	by.Of("a").Add(time.Hour)
	by.Of("a").Add(3 * time.Hour)
	require.Equal(t, sla.Mean{Value: 2 * time.Hour, Of: 2}, by.Of("a").Mean(""))
	require.Len(t, by, 1)

	var f sla.Fraction
	f.Count(true)
	f.Count(false)
	require.Equal(t, sla.Fraction{Part: 1, Of: 2}, f)
}
