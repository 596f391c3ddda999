package sla_test

import (
	"encoding/csv"
	"fmt"
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm/sla"
)

func plainTariff() sla.Tariff {
	return sla.Tariff{
		Model:    sla.FixedPrice,
		Elements: map[string]sla.Decimal{"cpu_hour": "0.035", "licence": "12", "gigabyte": "0.08"},
		Levels:   map[string]sla.LevelPrice{"gold": {PerService: "200", PerUser: "9.50"}, "bronze": {PerUser: "4"}},
		Places:   2,
	}
}

func usedInMarch() []sla.Consumption {
	return []sla.Consumption{
		{Service: "mail", Elements: map[string]sla.Decimal{"cpu_hour": "1441", "licence": "50", "gigabyte": "900.5"}, Level: "bronze", Users: 50},
		{Service: "shop", Elements: map[string]sla.Decimal{"cpu_hour": "8640", "gigabyte": "1200"}, Level: "gold", Users: 12},
	}
}

// By hand: mail 50.435 + 600 + 72.04 = 722.475, shop 302.4 + 96 = 398.4.
func TestChargesBothWays(t *testing.T) {
	got, err := plainTariff().Charge(usedInMarch())
	require.NoError(t, err)
	require.Equal(t, sla.Charges{
		Billed: true,
		Rows: []sla.Charge{
			{Service: "mail", ByElement: "722.48", ByLevel: "200.00", Difference: "-522.48"},
			{Service: "shop", ByElement: "398.40", ByLevel: "314.00", Difference: "-84.40"},
		},
		Total: sla.Charge{ByElement: "1120.88", ByLevel: "514.00", Difference: "-606.88"},
	}, got)
	roundTrip(t, got)
	roundTrip(t, plainTariff())
	roundTrip(t, usedInMarch())

	plus := plainTariff()
	plus.Model, plus.Margin = sla.CostPlus, "7.5"
	got, err = plus.Charge(usedInMarch())
	require.NoError(t, err)
	require.Equal(t, sla.Decimal("776.66"), got.Rows[0].ByElement) // 722.475 × 1.075 = 776.660625
	require.Equal(t, sla.Decimal("200.00"), got.Rows[0].ByLevel)

	free := plainTariff()
	free.Model = sla.NotCharged
	got, err = free.Charge(usedInMarch())
	require.NoError(t, err)
	require.False(t, got.Billed)
	require.Contains(t, got.Text(), "not billed")
}

// An invoice adds up: the total is the sum of what is printed, in each column and
// across.
func TestInvoicesAddUp(t *testing.T) {
	rnd := rand.New(rand.NewPCG(8, 8))
	for range 100 {
		var consumed []sla.Consumption
		for i := range rnd.IntN(20) {
			consumed = append(consumed, sla.Consumption{Service: fmt.Sprint(i), Level: []string{"gold", "bronze"}[rnd.IntN(2)], Users: rnd.Int64N(1000),
				Elements: map[string]sla.Decimal{"cpu_hour": sla.NewDecimal(big.NewRat(rnd.Int64N(1_000_000), 1000), 3)}})
		}
		got, err := plainTariff().Charge(consumed)
		require.NoError(t, err)
		for _, column := range []func(sla.Charge) sla.Decimal{
			func(c sla.Charge) sla.Decimal { return c.ByElement }, func(c sla.Charge) sla.Decimal { return c.ByLevel }, func(c sla.Charge) sla.Decimal { return c.Difference },
		} {
			sum := new(big.Rat)
			for _, r := range got.Rows {
				sum.Add(sum, ratOf(t, column(r)))
			}
			require.Zero(t, sum.Cmp(ratOf(t, column(got.Total))))
		}
	}
}

func TestWhatHasNoPriceIsNotFree(t *testing.T) {
	_, err := plainTariff().Charge([]sla.Consumption{{Service: "vpn", Elements: map[string]sla.Decimal{"gpu_hour": "1", "licence": "-1"}, Level: "silver", Users: -1}})
	require.Equal(t, []string{"consumed[0].users must not be negative", "consumed[0].elements.gpu_hour has no price",
		"consumed[0].elements.licence must not be negative", `consumed[0].level has no price: "silver"`}, wrongs(t, err))
	_, err = sla.Tariff{Model: "gift", Margin: "x", Elements: map[string]sla.Decimal{"a": "-1", "b": "y"},
		Levels: map[string]sla.LevelPrice{"gold": {PerService: "z", PerUser: "-1"}}, Places: -1}.Charge([]sla.Consumption{{Level: "gold", Elements: map[string]sla.Decimal{"b": "1"}}})
	const number = ` must be a decimal number such as "12.50", with up to 40 digits before and behind the point`
	require.Equal(t, []string{`tariff.model must be one of [none cost cost_plus fixed market], is "gift"`, "tariff.margin" + number,
		"tariff.margin must be given with cost_plus, and only then", "tariff.elements.a must not be negative", "tariff.elements.b" + number,
		"tariff.levels.gold.per_service" + number, "tariff.levels.gold.per_user must not be negative", "tariff.places must be 0 to 9"}, wrongs(t, err))
}

func TestChargesAsCSV(t *testing.T) {
	consumed := usedInMarch()
	consumed[0].Service = "@mail"
	got, err := plainTariff().Charge(consumed)
	require.NoError(t, err)
	rows, err := csv.NewReader(strings.NewReader(got.CSV())).ReadAll()
	require.NoError(t, err)
	require.Equal(t, [][]string{
		{"scope", "service", "by_element", "by_level", "difference"},
		{"row", "'@mail", "722.48", "200.00", "-522.48"}, // a negative number of ours stays a number
		{"row", "shop", "398.40", "314.00", "-84.40"},
		{"total", "", "1120.88", "514.00", "-606.88"},
	}, rows)
}
