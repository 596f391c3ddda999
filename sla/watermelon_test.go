package sla_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm/sla"
)

func TestColoursOfAService(t *testing.T) {
	target := func(met, of int64) sla.Indicator {
		return sla.Indicator{Name: "resolution", Level: sla.Fraction{Part: met, Of: of}, AtLeast: "95"}
	}
	outcome := func(reopened, of int64) sla.Indicator {
		return sla.Indicator{Name: "reopened", Level: sla.Fraction{Part: reopened, Of: of}, AtMost: "5"}
	}
	type is = []sla.Indicator
	for _, tt := range []struct {
		name              string
		targets, outcomes is
		want              [3]sla.Colour
		reasons           int
	}{
		{"all well", is{target(95, 100)}, is{outcome(5, 100)}, [3]sla.Colour{sla.Green, sla.Green, sla.Green}, 1},
		{"a watermelon", is{target(95, 100)}, is{outcome(51, 1000)}, [3]sla.Colour{sla.Watermelon, sla.Green, sla.Red}, 2},
		{"one red outcome of three is enough", is{target(1, 1)}, is{outcome(0, 1), outcome(1, 1), {Name: "x", AtLeast: "1"}}, [3]sla.Colour{sla.Watermelon, sla.Green, sla.Red}, 3},
		{"no outcome", is{target(1, 1)}, nil, [3]sla.Colour{sla.Grey, sla.Green, sla.Grey}, 1},
		{"an outcome that nobody measured", is{target(1, 1)}, is{outcome(0, 1), outcome(0, 0)}, [3]sla.Colour{sla.Grey, sla.Green, sla.Grey}, 1},
		{"red all through", is{target(94, 100), target(1, 1)}, is{outcome(1, 1)}, [3]sla.Colour{sla.Red, sla.Red, sla.Red}, 2},
		{"targets that nobody needs", is{target(94, 100)}, is{outcome(0, 1)}, [3]sla.Colour{sla.Red, sla.Red, sla.Green}, 2},
		{"no targets and a red outcome", nil, is{outcome(1, 1)}, [3]sla.Colour{sla.Red, sla.Grey, sla.Red}, 2},
		{"red targets and nothing known", is{target(0, 1)}, nil, [3]sla.Colour{sla.Red, sla.Red, sla.Grey}, 2},
		{"nothing", nil, nil, [3]sla.Colour{sla.Grey, sla.Grey, sla.Grey}, 2},
	} {
		v, err := sla.CheckWatermelon(tt.targets, tt.outcomes)
		require.NoError(t, err)
		require.Equal(t, tt.want, [3]sla.Colour{v.Colour, v.Targets, v.Outcomes}, tt.name)
		require.Len(t, v.Reasons, tt.reasons, "%s: %v", tt.name, v.Reasons)
		require.NotEmpty(t, v.Text())
		again, err := sla.CheckWatermelon(tt.targets, tt.outcomes)
		require.NoError(t, err)
		require.Equal(t, v, again)
		roundTrip(t, v)
		roundTrip(t, tt.outcomes)
	}
}

// What is printed is on the side of the goal on which the figure is.
func TestReasonsShowTheDifference(t *testing.T) {
	v, err := sla.CheckWatermelon(nil, []sla.Indicator{
		{Name: "journeys", Level: sla.Fraction{Part: 9_989_999, Of: 10_000_000}, AtLeast: "99.9"},
		{Name: "reopened\n", Level: sla.Fraction{Part: 2, Of: 3}, AtMost: "5"},
		{Name: "nps", Level: sla.Fraction{Part: -1, Of: 3}, AtLeast: "-10.5"},
	})
	require.NoError(t, err)
	require.Equal(t, []string{
		"outcome journeys is 99.89999 % (9989999 of 10000000) and should be at least 99.9 %",
		"outcome reopened\ufffd is 66.7 % (2 of 3) and should be at most 5 %",
		"outcome nps is -33.3 % (-1 of 3) and should be at least -10.5 %",
		"no target is given",
	}, v.Reasons)
}

func TestIndicatorsThatAreWrong(t *testing.T) {
	_, err := sla.CheckWatermelon([]sla.Indicator{{Level: sla.Fraction{Of: -1}}}, []sla.Indicator{{Name: "x", AtLeast: "1", AtMost: "many"}})
	require.Equal(t, []string{"targets[0].name must be given", "targets[0].level.of must not be negative",
		"targets[0].at_least or at_most must be given, and not both", "outcomes[0].at_least or at_most must be given, and not both",
		`outcomes[0].at_most must be a decimal number such as "12.50", with up to 40 digits before and behind the point`}, wrongs(t, err))
}
