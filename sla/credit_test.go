package sla_test

import (
	"encoding/json"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm/sla"
)

// publishedBands are those that a large provider publishes: below 99.9 % a tenth
// of the price, below 99 % a quarter, below 95 % all of it.
func publishedBands() []sla.CreditBand {
	return []sla.CreditBand{{Below: "99.9", Credit: "10"}, {Below: "99", Credit: "25"}, {Below: "95", Credit: "100"}}
}

func reachedIn(month int, metric string, level sla.Fraction, fee sla.Decimal) sla.Reached {
	return sla.Reached{Agreement: "gold", Metric: metric, Period: monthOf26(month), Level: level, Fee: fee}
}

func creditsOf(t *testing.T, terms sla.CreditTerms, given []sla.Credit, reached ...sla.Reached) []sla.Credit {
	t.Helper()
	before := slices.Clone(given)
	got, err := terms.Credits(reached, given)
	require.NoError(t, err)
	require.Equal(t, before, given)
	return got
}

func amountsOf(credits []sla.Credit) []sla.Decimal {
	var all []sla.Decimal
	for _, c := range credits {
		all = append(all, c.Amount)
	}
	return all
}

func TestCreditsInBands(t *testing.T) {
	terms := sla.CreditTerms{Bands: publishedBands(), Places: 2}
	for _, tt := range []struct {
		level sla.Fraction
		want  []sla.Decimal
	}{
		{sla.Fraction{Part: 1000, Of: 1000}, nil},
		{sla.Fraction{Part: 999, Of: 1000}, nil}, // reached exactly
		{sla.Fraction{Part: 998_999, Of: 1_000_000}, []sla.Decimal{"50.03"}},
		{sla.Fraction{Part: 99, Of: 100}, []sla.Decimal{"50.03"}},
		{sla.Fraction{Part: 989, Of: 1000}, []sla.Decimal{"125.06"}},
		{sla.Fraction{Part: 95, Of: 100}, []sla.Decimal{"125.06"}},
		{sla.Fraction{Part: 94, Of: 100}, []sla.Decimal{"500.25"}},
		{sla.Fraction{Part: 0, Of: 100}, []sla.Decimal{"500.25"}},
		{sla.Fraction{}, nil}, // nothing was measured
	} {
		require.Equal(t, tt.want, amountsOf(creditsOf(t, terms, nil, reachedIn(1, "availability", tt.level, "500.25"))), "%v", tt.level)
	}
	// Won have no places.
	terms.Places = 0
	require.Equal(t, []sla.Decimal{"1235"}, amountsOf(creditsOf(t, terms, nil, reachedIn(1, "availability", sla.Fraction{Part: 995, Of: 1000}, "12345"))))
}

func TestNothingIsCreditedTwice(t *testing.T) {
	terms := sla.CreditTerms{Bands: publishedBands(), Places: 2}
	bad := sla.Fraction{Part: 98, Of: 100}
	reached := []sla.Reached{reachedIn(1, "availability", bad, "100"), reachedIn(2, "availability", bad, "100"), reachedIn(1, "resolution", bad, "100"),
		reachedIn(1, "availability", bad, "100")} // the same again
	other := reachedIn(1, "availability", bad, "100")
	other.Agreement = "silver"
	reached = append(reached, other)
	given := creditsOf(t, terms, nil, reached...)
	require.Equal(t, []sla.Decimal{"25.00", "25.00", "25.00", "25.00"}, amountsOf(given))
	require.Empty(t, creditsOf(t, terms, given, reached...))
	// Nor after a detour by JSON and another time zone.
	text, err := json.Marshal(given)
	require.NoError(t, err)
	var back []sla.Credit
	require.NoError(t, json.Unmarshal(text, &back))
	for i := range reached {
		reached[i].Period = sla.Period{From: reached[i].Period.From.In(time.FixedZone("", 3600)), To: reached[i].Period.To.In(time.FixedZone("", 3600))}
	}
	require.Empty(t, creditsOf(t, terms, back, reached...))
	roundTrip(t, given)

	// A quarter that has these months in it would credit them again.
	quarter := reachedIn(1, "availability", bad, "300")
	quarter.Period.To = year26.AddDate(0, 3, 0)
	_, err = terms.Credits([]sla.Reached{quarter, reachedIn(1, "availability", bad, "1"), reachedIn(1, "availability", bad, "2")}, given[:1])
	require.Equal(t, []string{"reached[0].period overlaps that of given[0]", "reached[1].period overlaps that of reached[0]",
		"reached[2].period overlaps that of reached[0]", "reached[2] says something else than reached[1]"}, wrongs(t, err))
}

func TestCaps(t *testing.T) {
	bad := sla.Fraction{Part: 98, Of: 100} // a quarter
	terms := sla.CreditTerms{Bands: publishedBands(), PeriodCap: "40", YearCap: "100.555", Places: 2}
	given := creditsOf(t, terms, nil,
		reachedIn(1, "availability", bad, "100"), reachedIn(1, "resolution", bad, "100"), reachedIn(1, "response", bad, "100"),
		reachedIn(2, "availability", bad, "200"), reachedIn(3, "availability", bad, "200"), reachedIn(4, "availability", bad, "200"))
	require.Equal(t, []sla.Decimal{"25.00", "15.00", "0.00", "50.00", "10.55", "0.00"}, amountsOf(given))
	by := []string{}
	for _, c := range given {
		by = append(by, c.CappedBy)
	}
	require.Equal(t, []string{"", "period", "period", "", "year", "year"}, by)
	require.Empty(t, creditsOf(t, terms, given, reachedIn(4, "availability", bad, "200")), "what a cap left nothing of is not asked for again")
	// The next year has a cap of its own, also where it begins in February.
	require.Equal(t, []sla.Decimal{"50.00"}, amountsOf(creditsOf(t, terms, given, reachedIn(13, "availability", bad, "200"))))
	terms.YearFrom = time.Date(2024, 2, 29, 0, 0, 0, 0, time.UTC)
	require.Equal(t, []sla.Decimal{"100.55"}, amountsOf(creditsOf(t, terms, given[:3], reachedIn(4, "availability", bad, "4000"))))
	// A credit of just what the caps leave is not cut.
	exact := creditsOf(t, sla.CreditTerms{Bands: publishedBands(), PeriodCap: "25", YearCap: "25", Places: 2}, nil, reachedIn(1, "availability", bad, "100"))
	require.Equal(t, []sla.Decimal{"25.00"}, amountsOf(exact))
	require.Empty(t, exact[0].CappedBy)
	// January is of the contract's year before: there 40 of 100.555 were given.
	require.Equal(t, []sla.Decimal{"60.55"}, amountsOf(creditsOf(t, terms, given[:3], reachedIn(2, "availability", bad, "4000"))))
}

// However credits come in, no cap is passed and no band exceeded.
func TestCapsHoldAlways(t *testing.T) {
	rnd := rand.New(rand.NewPCG(6, 6))
	terms := sla.CreditTerms{Bands: publishedBands(), PeriodCap: "33.3", YearCap: "777.77", Places: 2}
	var given []sla.Credit
	period, year := map[time.Time]*big.Rat{}, map[int]*big.Rat{}
	seen := map[string]bool{}
	for range 400 {
		r := reachedIn(1+rnd.IntN(24), []string{"a", "b", "c"}[rnd.IntN(3)], sla.Fraction{Part: 900 + rnd.Int64N(101), Of: 1000}, "321.09")
		for _, c := range creditsOf(t, terms, given, r) {
			key := c.Metric + c.Period.String()
			require.False(t, seen[key])
			seen[key] = true
			amount := ratOf(t, c.Amount)
			require.LessOrEqual(t, amount.Cmp(ratOf(t, c.Full)), 0)
			require.Equal(t, c.CappedBy != "", amount.Cmp(ratOf(t, c.Full)) < 0)
			if period[c.Period.From] == nil {
				period[c.Period.From] = new(big.Rat)
			}
			if year[c.Period.From.Year()] == nil {
				year[c.Period.From.Year()] = new(big.Rat)
			}
			p, y := period[c.Period.From], year[c.Period.From.Year()]
			require.LessOrEqual(t, p.Add(p, amount).Cmp(big.NewRat(321_09*333, 100*1000)), 0)
			require.LessOrEqual(t, y.Add(y, amount).Cmp(big.NewRat(777_77, 100)), 0)
			given = append(given, c)
		}
	}
	require.Len(t, year, 2)
	require.Zero(t, year[2026].Cmp(big.NewRat(777_77, 100)), "the cap is reached to the cent")
}

func TestCreditTermsAreStrict(t *testing.T) {
	terms := sla.CreditTerms{
		Bands:     []sla.CreditBand{{Below: "99", Credit: "10"}, {Below: "99.5", Credit: "5"}, {Below: "0.95", Credit: "0"}, {Below: "x", Credit: "101"}},
		PeriodCap: "0", YearCap: "-1", Places: 10,
	}
	require.Equal(t, []string{
		"bands[1].below is 99.5, not below the band before", "bands[1].credit is 5, not more than the band before",
		`bands[2].below must be in percent, from 1 to 100, is "0.95"`, `bands[2].credit must be in percent, more than 0 and at most 100, is "0"`,
		`bands[3].below must be a decimal number such as "12.50", with up to 40 digits before and behind the point`,
		`bands[3].credit must be in percent, more than 0 and at most 100, is "101"`,
		`period_cap must be in percent, more than 0 and at most 100, is "0"`, "year_cap must not be negative", "places must be 0 to 9",
	}, wrongs(t, terms.Validate()))
	twice := sla.CreditTerms{Bands: []sla.CreditBand{{Below: "99", Credit: "10"}, {Below: "99.0", Credit: "10.0"}}, Places: 9}
	require.Equal(t, []string{"bands[1].below is 99.0, not below the band before", "bands[1].credit is 10.0, not more than the band before"}, wrongs(t, twice.Validate()))
	require.Equal(t, []string{"bands must have a band", "year_from goes with year_cap only"}, wrongs(t, sla.CreditTerms{YearFrom: year26}.Validate()))
	_, err := sla.CreditTerms{Bands: publishedBands()}.Credits([]sla.Reached{{Level: sla.Fraction{Part: 2, Of: 1}}}, []sla.Credit{{Amount: "much"}})
	require.Equal(t, []string{"reached[0].agreement must be given", "reached[0].metric must be given", "reached[0].period.from must be given",
		"reached[0].period.to must be after from", "reached[0].level.part must be 0 to of", "reached[0].fee must be given",
		`given[0].amount must be a decimal number such as "12.50", with up to 40 digits before and behind the point`}, wrongs(t, err))
	roundTrip(t, sla.CreditTerms{Bands: publishedBands(), PeriodCap: "50", YearCap: "1000", YearFrom: year26, Places: 2})
}
