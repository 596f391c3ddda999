package valuechain_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/valuechain"
)

func TestEditionsHold(t *testing.T) {
	require.Len(t, valuechain.ITIL4().Activities, 6)
	require.Len(t, valuechain.Version5().Activities, 8)
	for _, e := range valuechain.Editions() {
		require.NoError(t, e.Validate(), e.Name)
		found, ok := valuechain.FindEdition(e.Name)
		require.True(t, ok)
		require.Equal(t, e, found)
		for _, r := range e.Activities {
			require.NotEmpty(t, r.Purpose)
			require.NotEmpty(t, r.Title)
			require.NotEmpty(t, r.StandsFor)
		}
	}
	four, ok := valuechain.FindEdition("")
	require.True(t, ok)
	require.Equal(t, "4", four.Name)
	_, ok = valuechain.FindEdition("3")
	require.False(t, ok)
	var names []valuechain.Activity
	for _, r := range four.Activities {
		names = append(names, r.Activity)
	}
	require.Equal(t, valuechain.Activities(), names)
}

// The eight activities of the newer edition are mapped onto the six, both ways.
func TestEditionsMapOntoEachOther(t *testing.T) {
	four, five := valuechain.ITIL4(), valuechain.Version5()
	for activity, want := range map[valuechain.Activity][]valuechain.Activity{
		valuechain.Discover: {valuechain.Plan, valuechain.Engage}, valuechain.Design: {valuechain.DesignTransition},
		valuechain.Acquire: {valuechain.ObtainBuild}, valuechain.Build: {valuechain.ObtainBuild}, valuechain.Transition: {valuechain.DesignTransition},
		valuechain.Operate: {valuechain.DeliverSupport}, valuechain.Deliver: {valuechain.DeliverSupport}, valuechain.Support: {valuechain.DeliverSupport},
	} {
		require.Equal(t, want, five.In(four, activity), activity)
	}
	for activity, want := range map[valuechain.Activity][]valuechain.Activity{
		valuechain.Plan: {valuechain.Discover}, valuechain.Engage: {valuechain.Discover}, valuechain.Improve: nil,
		valuechain.DesignTransition: {valuechain.Design, valuechain.Transition}, valuechain.ObtainBuild: {valuechain.Acquire, valuechain.Build},
		valuechain.DeliverSupport: {valuechain.Operate, valuechain.Deliver, valuechain.Support},
	} {
		require.Equal(t, want, four.In(five, activity), activity)
	}
	require.Empty(t, four.In(five, "nothing"))
}

// A reading of the table that the package was not made from: who may pass anything
// to whom, a line for each who.
func TestWhoPassesWhatToWhom(t *testing.T) {
	e := valuechain.ITIL4()
	const all = "plan improve engage design_transition obtain_build deliver_support"
	want := map[string]string{
		"governing_body":    "plan",
		"customers":         "engage",
		"users":             "engage",
		"market":            "engage",
		"suppliers":         "engage obtain_build",
		"plan":              "improve engage design_transition obtain_build deliver_support",
		"improve":           "plan engage design_transition obtain_build deliver_support governing_body",
		"engage":            "plan improve design_transition obtain_build deliver_support customers",
		"design_transition": "plan improve engage obtain_build deliver_support",
		"obtain_build":      "plan improve engage design_transition deliver_support",
		"deliver_support":   "improve engage design_transition obtain_build customers users",
	}
	others := words(all + " governing_body customers users market suppliers")
	for from, tos := range want {
		for _, to := range others {
			require.Equal(t, contains(words(tos), to), len(e.Passes(from, to)) > 0, "%s → %s", from, to)
		}
	}
	require.Equal(t, []string{"goods and services"}, e.Passes("suppliers", "obtain_build"))
	require.Empty(t, e.Passes("plan", "plan"))
	for _, p := range valuechain.Parties() {
		require.Equal(t, p != valuechain.GoverningBody, p.Outside(), p)
	}
	require.False(t, valuechain.Party("plan").Outside())
}

func TestAnEditionOfOnesOwn(t *testing.T) {
	own := valuechain.Edition{
		Name:       "ours",
		Activities: []valuechain.ActivityRole{{Activity: "sell", StandsFor: []valuechain.Activity{valuechain.Engage}}, {Activity: "make"}},
		Contact:    []valuechain.Activity{"sell"},
		Exchanges:  []valuechain.Exchange{{From: "sell", To: "make", What: []string{"orders"}}},
	}
	require.NoError(t, own.Validate())
	require.Equal(t, []valuechain.Activity{"sell"}, valuechain.ITIL4().In(own, valuechain.Engage))
	own.Activities = append(own.Activities, valuechain.ActivityRole{Activity: "sell"}, valuechain.ActivityRole{Activity: "users"},
		valuechain.ActivityRole{Activity: "all"}, valuechain.ActivityRole{Activity: "a b"}, valuechain.ActivityRole{StandsFor: []valuechain.Activity{"build"}})
	own.Name, own.Contact = "", append(own.Contact, "x")
	own.Exchanges = append(own.Exchanges, valuechain.Exchange{From: "y", To: "z"}, valuechain.Exchange{From: "all", To: "all", What: []string{""}})
	err := own.Validate()
	require.ErrorIs(t, err, itsm.ErrInvalid)
	require.Equal(t, []string{
		"name must not be empty",
		`activities[2].activity is taken already: "sell"`,
		`activities[3].activity is taken already: "users"`,
		`activities[4].activity is taken already: "all"`,
		`activities[5].activity must be a name of at most 64 letters, digits, _, . and -, is "a b"`,
		"activities[6].activity must not be empty",
		`activities[6].stands_for[0] is none of the six activities: "build"`,
		`contact[1] is no activity: "x"`,
		`exchanges[1].from is no activity and no party: "y"`,
		`exchanges[1].to is no activity and no party: "z"`,
		"exchanges[1].what must not be empty",
		"exchanges[2].what[0] must not be empty",
	}, findings(err))
}
