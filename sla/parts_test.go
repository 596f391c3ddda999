package sla_test

import (
	"fmt"
	"math/big"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm/sla"
)

func upOf(t *testing.T, p sla.Part) *big.Rat {
	t.Helper()
	r, err := p.Availability()
	require.NoError(t, err)
	return r
}

// Figures as they are published.
func TestPublishedAvailabilities(t *testing.T) {
	one := func(percents ...sla.Decimal) []sla.Part {
		var parts []sla.Part
		for _, p := range percents {
			parts = append(parts, sla.Single("", p))
		}
		return parts
	}
	for _, tt := range []struct {
		part sla.Part
		want string
	}{
		{sla.Series("", one("99.9", "99.9", "99.8")...), "0.996004998"}, // .996005
		{sla.Parallel("", one("99.5", "99.5")...), "0.999975"},          // 99.9975 %
		{sla.KOfN("", 2, one("99", "99", "99")...), "0.999702"},         // not only rounded
		{sla.Series("", one("100")...), "1"},
		{sla.Parallel("", one("0", "0")...), "0"},
		{sla.Series("", sla.Parallel("", one("99.5", "99.5")...), sla.Single("", "99.9")), "0.998975025"},
	} {
		want, _ := new(big.Rat).SetString(tt.want)
		require.Zero(t, want.Cmp(upOf(t, tt.part)), "%s, not %s", tt.want, upOf(t, tt.part).FloatString(12))
	}
}

// randomPart is a tree of parts; its leaves are collected in the order in which
// works asks for them.
func randomPart(rnd *rand.Rand, depth int, leaves *[]*big.Rat) sla.Part {
	if depth == 0 || len(*leaves) > 7 || rnd.IntN(3) == 0 {
		hundredths := rnd.Int64N(10001)
		*leaves = append(*leaves, big.NewRat(hundredths, 10000))
		return sla.Single("part", sla.NewDecimal(big.NewRat(hundredths, 100), 2))
	}
	of := make([]sla.Part, 1+rnd.IntN(4))
	for i := range of {
		of[i] = randomPart(rnd, depth-1, leaves)
	}
	switch rnd.IntN(3) {
	case 0:
		return sla.Series("all", of...)
	case 1:
		return sla.Parallel("any", of...)
	}
	return sla.KOfN("some", 1+rnd.IntN(len(of)), of...)
}

// standsUp says whether a part is up, given which leaves are.
func standsUp(p sla.Part, up func() bool) bool {
	if p.Arrangement == "" {
		return up()
	}
	n := 0
	for _, q := range p.Of {
		if standsUp(q, up) { // all are asked, so that each leaf has its turn
			n++
		}
	}
	need := map[sla.Arrangement]int{sla.InSeries: len(p.Of), sla.InParallel: 1, sla.KOutOfN: p.Needed}
	return n >= need[p.Arrangement]
}

// The availability is the probability of all combinations of what is up and down
// in which the whole is up, exactly.
func TestAvailabilityAgainstAllCombinations(t *testing.T) {
	rnd := rand.New(rand.NewPCG(2, 2))
	for range 150 {
		var leaves []*big.Rat
		p := randomPart(rnd, 3, &leaves)
		if len(leaves) > 12 {
			continue
		}
		want := new(big.Rat)
		for combination := range 1 << len(leaves) {
			next, chance := 0, big.NewRat(1, 1)
			up := standsUp(p, func() bool {
				isUp := combination>>next&1 == 1
				if isUp {
					chance.Mul(chance, leaves[next])
				} else {
					chance.Mul(chance, new(big.Rat).Sub(big.NewRat(1, 1), leaves[next]))
				}
				next++
				return isUp
			})
			if up {
				want.Add(want, chance)
			}
		}
		require.Zero(t, want.Cmp(upOf(t, p)))
		roundTrip(t, p)
	}
}

// One of n is parallel, n of n is series; a thousand parts are no trouble.
func TestKOfNAtItsEnds(t *testing.T) {
	parts := make([]sla.Part, 40)
	for i := range parts {
		parts[i] = sla.Single("", sla.Decimal(fmt.Sprintf("9%d.%03d", i%10, i*17)))
	}
	require.Zero(t, upOf(t, sla.Series("", parts...)).Cmp(upOf(t, sla.KOfN("", 40, parts...))))
	require.Zero(t, upOf(t, sla.Parallel("", parts...)).Cmp(upOf(t, sla.KOfN("", 1, parts...))))

	many := make([]sla.Part, 999)
	for i := range many {
		many[i] = sla.Single("", "99.999")
	}
	start := time.Now()
	half := upOf(t, sla.KOfN("", 500, many...))
	require.Positive(t, half.Cmp(big.NewRat(999, 1000)))
	require.Less(t, time.Since(start), 10*time.Second)
	upOf(t, sla.Series("", append(slices.Clone(many[:998]), sla.Single("", "50"))...)) // a thousand with the whole
	_, err := sla.Series("", append(many, many[0])...).Availability()
	require.Equal(t, []string{"of must have at most 1000 parts in all"}, wrongs(t, err))
}

func TestPartsThatAreWrong(t *testing.T) {
	bad := sla.Series("", sla.Part{}, sla.Single("", "100.1"), sla.Single("", "-1"), sla.Single("", "ten"), sla.Parallel(""),
		sla.KOfN("", 3, sla.Single("", "1")), sla.Part{Arrangement: "star", Of: []sla.Part{sla.Single("", "1")}},
		sla.Part{Percent: "1", Needed: 1, Of: []sla.Part{{}}}, sla.Part{Arrangement: sla.InSeries, Percent: "1", Needed: 1, Of: []sla.Part{sla.Single("", "1")}})
	_, err := bad.Availability()
	require.Equal(t, []string{
		"of[0].percent must be given for a part without parts", "of[1].percent must be at most 100", "of[2].percent must not be negative",
		`of[3].percent must be a decimal number such as "12.50", with up to 40 digits before and behind the point`,
		"of[4].of must have a part", "of[5].needed must be 1 to 1, is 3", `of[6].arrangement must be series, parallel or k_of_n, is "star"`,
		"of[7].of needs an arrangement", "of[7].needed goes with k_of_n only",
		"of[8].percent follows from the parts and must not be given", "of[8].needed goes with k_of_n only",
	}, wrongs(t, err))
	text, err := sla.Series("", sla.Single("a\nb", "100")).Explain()
	require.NoError(t, err)
	require.Equal(t, "part: 100.000000 %, down 0s in 30 days, all needed\n  a\ufffdb: 100.000000 %, down 0s in 30 days\n", text)
	_, err = bad.Explain()
	require.ErrorIs(t, err, sla.ErrInvalid)
	deep := sla.Single("", "99")
	for range 120 {
		deep = sla.Series("", deep)
	}
	_, err = deep.Availability()
	require.Equal(t, []string{strings.Repeat("of[0].", 99) + "of[0] is too deep"}, wrongs(t, err))
}
