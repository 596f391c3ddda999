package sla_test

import (
	"encoding/json"
	"errors"
	"math"
	"math/big"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm/sla"
)

// wrongs returns what was found, in words.
func wrongs(t *testing.T, err error) []string {
	t.Helper()
	require.ErrorIs(t, err, sla.ErrInvalid)
	var all []string
	for _, f := range sla.Findings(err) {
		all = append(all, f.Error())
	}
	return all
}

// ratOf reads a decimal as big.Rat does.
func ratOf(t *testing.T, d sla.Decimal) *big.Rat {
	t.Helper()
	r, err := d.Rat()
	require.NoError(t, err)
	return r
}

// roundTrip requires that JSON brings a value back.
func roundTrip[T any](t *testing.T, v T) {
	t.Helper()
	text, err := json.Marshal(v)
	require.NoError(t, err)
	var back T
	require.NoError(t, json.Unmarshal(text, &back))
	require.Equal(t, v, back)
}

func TestDecimalIsText(t *testing.T) {
	for _, d := range []sla.Decimal{"0", "0.0", "-0", "7", "-12.50", "99.999", sla.Decimal(strings.Repeat("9", 40) + "." + strings.Repeat("9", 40))} {
		want, ok := new(big.Rat).SetString(string(d))
		require.True(t, ok)
		require.Zero(t, want.Cmp(ratOf(t, d)), d)
	}
	require.Zero(t, ratOf(t, "").Sign())
	for _, d := range []sla.Decimal{"-", ".", "1.", ".5", "+1", "01", "-01", "1e3", "1/3", "0x1", "1_000", " 1", "1 ", "--1", "1.2.3", "Inf", "NaN", "١",
		sla.Decimal(strings.Repeat("9", 41)), sla.Decimal("0." + strings.Repeat("9", 41))} {
		_, err := d.Rat()
		require.ErrorIs(t, err, sla.ErrInvalid, d)
	}
}

func TestDecimalRoundsHalvesAwayFromZero(t *testing.T) {
	for _, tt := range []struct {
		n, d   int64
		places int
		want   sla.Decimal
	}{
		{125, 1000, 2, "0.13"}, {-125, 1000, 2, "-0.13"}, {124, 1000, 2, "0.12"}, {1249999, 10000000, 2, "0.12"},
		{1, 3, 3, "0.333"}, {2, 3, 0, "1"}, {1, 2, 0, "1"}, {-1, 1000, 2, "0.00"}, {5, 1, 2, "5.00"}, {5, 1, -1, "5"},
	} {
		require.Equal(t, tt.want, sla.NewDecimal(big.NewRat(tt.n, tt.d), tt.places))
	}
	require.Equal(t, sla.Decimal(""), sla.NewDecimal(nil, 2))
	require.Len(t, sla.NewDecimal(big.NewRat(1, 3), 1000), 42)
}

func TestSum(t *testing.T) {
	got, err := sla.Sum("0.1", "0.2", "-0.30", "12")
	require.NoError(t, err)
	require.Equal(t, sla.Decimal("12.00"), got)
	got, err = sla.Sum()
	require.NoError(t, err)
	require.Equal(t, sla.Decimal("0"), got)
	_, err = sla.Sum("1", "x", "2", "y")
	require.Len(t, wrongs(t, err), 2)
}

// The parts add up to the whole, and none is a unit or more from its exact share.
func TestSplitLosesNothing(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 1))
	for range 500 {
		places := rnd.IntN(4)
		cents := rnd.Int64N(1_000_000)
		unit := new(big.Rat).SetFrac64(1, int64(math.Pow10(places)))
		whole := new(big.Rat).Mul(big.NewRat(cents, 1), unit)
		weights, sum := make([]sla.Decimal, 1+rnd.IntN(8)), int64(0)
		for i := range weights {
			w := rnd.Int64N(100)
			if i == 0 {
				w++
			}
			sum += w
			weights[i] = sla.Decimal(strconv.FormatInt(w, 10))
		}
		parts, err := sla.Split(sla.NewDecimal(whole, places), places, weights...)
		require.NoError(t, err)
		require.Len(t, parts, len(weights))
		total, err := sla.Sum(parts...)
		require.NoError(t, err)
		require.Equal(t, sla.NewDecimal(whole, places), total)
		for i, p := range parts {
			share := ratOf(t, weights[i])
			share.Mul(share.Quo(share, big.NewRat(sum, 1)), whole)
			off := new(big.Rat).Sub(ratOf(t, p), share)
			require.Negative(t, off.Abs(off).Cmp(unit))
		}
	}
	parts, err := sla.Split("0.05", 2, "1", "1", "0", "1")
	require.NoError(t, err)
	require.Equal(t, []sla.Decimal{"0.02", "0.02", "0.00", "0.01"}, parts)
}

func TestSplitRefuses(t *testing.T) {
	_, err := sla.Split("-1.005", -1, "0", "-1", "x")
	require.Equal(t, []string{
		"total must not be negative", "places must be 0 to 9", "weights[1] must not be negative",
		`weights[2] must be a decimal number such as "12.50", with up to 40 digits before and behind the point`,
		"weights must have one above 0", "total must have at most -1 places"}, wrongs(t, err))
	_, err = sla.Split("1.005", 2, "1")
	require.Equal(t, []string{"total must have at most 2 places"}, wrongs(t, err))
	_, err = sla.Split("1", 2)
	require.Equal(t, []string{"weights must have one above 0"}, wrongs(t, err))
}

func TestFractionIsNeverBetterThanItIs(t *testing.T) {
	for _, tt := range []struct {
		f      sla.Fraction
		places int
		want   string
	}{
		{sla.Fraction{2, 3}, 2, "66.66"},
		{sla.Fraction{999_999, 1_000_000}, 2, "99.99"},
		{sla.Fraction{99_895, 100_000}, 1, "99.8"}, // rounded to nearest it would look like 99.9
		{sla.Fraction{7, 7}, 2, "100.00"},
		{sla.Fraction{0, 7}, 0, "0"},
		{sla.Fraction{-1, 3}, 1, "-33.4"},
		{sla.Fraction{math.MaxInt64, math.MaxInt64}, 3, "100.000"},
		{sla.Fraction{math.MaxInt64 - 1, math.MaxInt64}, 3, "99.999"},
		{sla.Fraction{1, 2}, -5, "50"},
		{sla.Fraction{}, 2, "undefined"},
		{sla.Fraction{0, -1}, 2, "undefined"},
	} {
		require.Equal(t, tt.want, tt.f.Percent(tt.places), "%v", tt.f)
	}
	require.Equal(t, "239 of 240 (99.58 %)", sla.Fraction{239, 240}.String())
	require.Equal(t, "undefined", sla.Fraction{}.String())
	roundTrip(t, sla.Fraction{239, 240})
}

func TestFractionReaches(t *testing.T) {
	for _, tt := range []struct {
		f    sla.Fraction
		want bool
	}{
		{sla.Fraction{999, 1000}, true}, {sla.Fraction{9989999, 10000000}, false}, {sla.Fraction{1, 1}, true}, {sla.Fraction{}, false},
	} {
		got, err := tt.f.Reaches("99.9")
		require.NoError(t, err)
		require.Equal(t, tt.want, got, "%v", tt.f)
	}
	_, err := sla.Fraction{1, 1}.Reaches("all")
	require.ErrorIs(t, err, sla.ErrInvalid)
}

func TestMeanSaysWhyThereIsNone(t *testing.T) {
	require.Equal(t, "358h30m (of 2)", sla.Mean{Value: 358*time.Hour + 30*time.Minute, Of: 2}.String())
	require.Equal(t, "undefined: there was no outage", sla.Mean{Undefined: "there was no outage"}.String())
	require.Equal(t, "undefined", sla.Mean{}.String())
	require.Equal(t, "10m (of 1)", sla.Mean{Value: 10 * time.Minute, Of: 1}.String())
	require.Equal(t, "20s (of 1)", sla.Mean{Value: 20 * time.Second, Of: 1}.String())
	require.Equal(t, "1h0m5s (of 1)", sla.Mean{Value: time.Hour + 5*time.Second, Of: 1}.String())
	require.False(t, sla.Mean{}.Defined())
}

func TestFindingsOfOtherErrors(t *testing.T) {
	require.Nil(t, sla.Findings(errors.New("another")))
}
