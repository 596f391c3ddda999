package sla_test

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm/sla"
)

// holidaysIn returns the dates of some years on which holidays close a calendar
// that would otherwise be open always.
func holidaysIn(t *testing.T, from, to int, list ...sla.Holiday) []string {
	t.Helper()
	c := sla.AlwaysOpen()
	c.Holidays = list
	h, err := c.CompileFor(sla.Horizon{From: sla.Date{Year: from, Month: 1, Day: 1}, To: sla.Date{Year: to, Month: 12, Day: 31}})
	require.NoError(t, err)
	var dates []string
	for day := time.Date(from, 1, 1, 0, 0, 0, 0, time.UTC); day.Year() <= to; day = day.AddDate(0, 0, 1) {
		switch h.Between(day, day.AddDate(0, 0, 1)) {
		case 0:
			dates = append(dates, day.Format(time.DateOnly))
		case 24 * time.Hour:
		default:
			require.Fail(t, "a part of a day is closed", day.String())
		}
	}
	return dates
}

func TestHolidayRules(t *testing.T) {
	for _, c := range []struct {
		on   []string
		from int
		to   int
		want []string
	}{
		{[]string{"2026-12-25"}, 2025, 2027, []string{"2026-12-25"}},
		{[]string{"12-25"}, 2025, 2027, []string{"2025-12-25", "2026-12-25", "2027-12-25"}},
		{[]string{"02-29"}, 2096, 2104, []string{"2096-02-29", "2104-02-29"}},
		// Memorial Day and Thanksgiving of the United States, from a calendar on paper.
		{[]string{"last mon of may"}, 2024, 2026, []string{"2024-05-27", "2025-05-26", "2026-05-25"}},
		{[]string{"fourth thu of nov"}, 2024, 2026, []string{"2024-11-28", "2025-11-27", "2026-11-26"}},
		{[]string{"first mon of sep"}, 2024, 2026, []string{"2024-09-02", "2025-09-01", "2026-09-07"}},
		{[]string{"second mon of jan", "third mon of jul"}, 2026, 2026, []string{"2026-01-12", "2026-07-20"}},
		{[]string{"last sun of feb"}, 2024, 2024, []string{"2024-02-25"}},
		{[]string{"easter"}, 2024, 2026, []string{"2024-03-31", "2025-04-20", "2026-04-05"}},
		{[]string{"easter-2", "easter+1", "easter+39", "easter+50"}, 2026, 2026, []string{"2026-04-03", "2026-04-06", "2026-05-14", "2026-05-25"}},
		{[]string{"easter-80"}, 2008, 2008, []string{"2008-01-03"}},
		{[]string{"easter+249"}, 2038, 2038, []string{"2038-12-30"}},
		// England: Christmas Day and Boxing Day with their substitutes, as the
		// government listed them.
		{[]string{"12-25 or next weekday", "12-26 or next weekday"}, 2020, 2023, []string{
			"2020-12-25", "2020-12-28", "2021-12-27", "2021-12-28", "2022-12-26", "2022-12-27", "2023-12-25", "2023-12-26"}},
		{[]string{"01-01 or next weekday"}, 2021, 2023, []string{"2021-01-01", "2022-01-03", "2023-01-02"}},
		// A substitute gives way to what is a holiday anyway, wherever that is listed.
		{[]string{"01-01 or next weekday", "2023-01-02", "first tue of jan"}, 2023, 2023, []string{"2023-01-02", "2023-01-03", "2023-01-04"}},
		{[]string{"12-31 or next weekday", "01-01", "01-02"}, 2022, 2023, []string{
			"2022-01-01", "2022-01-02", "2023-01-01", "2023-01-02", "2023-01-03"}}, // 31 December 2022 was a Saturday
		// The United States: Independence Day is moved either way, New Year's Day
		// into the year before.
		{[]string{"07-04 or nearest weekday"}, 2020, 2022, []string{"2020-07-03", "2021-07-05", "2022-07-04"}},
		{[]string{"01-01 or nearest weekday"}, 2021, 2023, []string{"2021-01-01", "2021-12-31", "2023-01-02"}},
		// Both the day and its substitute.
		{[]string{"12-25", "12-25 or next weekday"}, 2021, 2021, []string{"2021-12-25", "2021-12-27"}},
	} {
		var list []sla.Holiday
		for _, on := range c.on {
			list = append(list, sla.Holiday{On: on})
		}
		got := holidaysIn(t, c.from, c.to, list...)
		require.Equal(t, c.want, got, "%v", c.on)
	}
}

// TestEaster compares with another algorithm, and with what the Encyclopaedia's
// tables say of the extremes: 22 March 1818, 25 April 1943 and 2038.
func TestEaster(t *testing.T) {
	c := sla.AlwaysOpen()
	c.Holidays = []sla.Holiday{{On: "easter", Name: "Easter Sunday"}}
	h, err := c.Compile()
	require.NoError(t, err)
	seen := map[time.Duration]bool{}
	for year := 1; year <= 9999; year++ {
		month, day := butcher(year)
		at := time.Date(year, month, day, 12, 0, 0, 0, time.UTC)
		require.Equal(t, "Easter Sunday", h.Closed(at), at)
		seen[at.Sub(time.Date(year, 3, 22, 12, 0, 0, 0, time.UTC))] = true
	}
	require.Len(t, seen, 35, "Easter falls on each of 35 dates")
	for _, d := range []time.Time{
		time.Date(1818, 3, 22, 12, 0, 0, 0, time.UTC), time.Date(1943, 4, 25, 12, 0, 0, 0, time.UTC), time.Date(2038, 4, 25, 12, 0, 0, 0, time.UTC),
	} {
		require.Equal(t, "Easter Sunday", h.Closed(d))
	}
}

func TestHolidayRefused(t *testing.T) {
	for on, reason := range map[string]string{
		"":                              "must be a date",
		"2026-02-29":                    "must be a date",
		"13-01":                         "must be a date",
		"02-30":                         "must be a date",
		"1-1":                           "must be a date",
		"12/25":                         "must be a date",
		"fifth mon of may":              "must be a date",
		"last monday of may":            "must be a date",
		"last mon in may":               "must be a date",
		"last mon of mai":               "must be a date",
		"Last mon of may":               "must be a date",
		"last  mon of may":              "must be a date",
		"easter 1":                      "must be a date",
		"easter+":                       "must be a date",
		"easter+1.5":                    "must be a date",
		"easter+1000":                   "must be a date",
		"easter--1":                     "must be a date",
		"easter-81":                     "easter-80",
		"easter+250":                    "easter+249",
		"12-25 or next":                 "must be a date",
		"12-25 or next weekday ":        "must be a date",
		" or next weekday":              "must be a date",
		"2026-12-25 or next weekday":    "must not move",
		"2026-12-25 or nearest weekday": "must not move",
	} {
		c := sla.AlwaysOpen()
		c.Holidays = []sla.Holiday{{On: "12-25"}, {On: on, Name: "bad"}}
		_, err := c.Compile()
		require.ErrorIs(t, err, sla.ErrInvalid, on)
		require.Equal(t, []string{"holidays[1].on"}, fields(err), on)
		require.Contains(t, err.Error(), reason, on)
	}
}

func TestHolidayText(t *testing.T) {
	for text, want := range map[string]sla.Holiday{
		`"12-25"`:                               {On: "12-25"},
		`{"on":"12-25","name":"Christmas Day"}`: {On: "12-25", Name: "Christmas Day"},
	} {
		h := sla.Holiday{On: "01-06", Name: "Epiphany"} // nothing of it stays
		require.NoError(t, json.Unmarshal([]byte(text), &h))
		require.Equal(t, want, h)
		back, err := json.Marshal(h)
		require.NoError(t, err)
		require.Equal(t, text, string(back))
	}
	for _, bad := range []string{`12`, `[]`, `{"on":12}`, `{"on":"12-25","date":"x"}`, `{"name":"x","name":"y"}`} {
		var h sla.Holiday
		require.ErrorIs(t, json.Unmarshal([]byte(bad), &h), sla.ErrInvalid, bad)
	}
}

func TestDates(t *testing.T) {
	dates := []sla.Date{{Year: 2026, Month: 2, Day: 17}, {Year: 2027, Month: 2, Day: 7}}
	list := sla.Dates("Seollal", slices.Values(dates))
	require.Equal(t, []sla.Holiday{{On: "2026-02-17", Name: "Seollal"}, {On: "2027-02-07", Name: "Seollal"}}, list)
	require.Nil(t, sla.Dates("none", slices.Values(dates[:0])))
}
