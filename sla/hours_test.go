package sla_test

import (
	"math"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm/sla"
)

func compile(t testing.TB, c sla.Calendar) *sla.Hours {
	t.Helper()
	h, err := c.Compile()
	require.NoError(t, err)
	return h
}

// utc reads 2026-03-29T02:30:00Z.
func utc(t testing.TB, text string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339Nano, text)
	require.NoError(t, err)
	return at.UTC()
}

// listed returns the openings between two instants as texts in UTC.
func listed(t testing.TB, h *sla.Hours, from, to string) []string {
	t.Helper()
	var list []string
	for o := range h.Openings(utc(t, from), utc(t, to)) {
		list = append(list, o.Open.Format(time.RFC3339)+" "+o.Close.Format(time.RFC3339))
	}
	return list
}

func at(hour, minute int) time.Duration {
	return time.Duration(hour)*time.Hour + time.Duration(minute)*time.Minute
}

func TestWindows(t *testing.T) {
	night := sla.Window{Open: at(22, 0), Close: at(6, 0)}
	day := sla.Window{Open: at(9, 0), Close: at(17, 0)}
	friday := func(windows ...sla.Window) sla.Week { return sla.Week{time.Friday: windows} }
	// 2 January 2026 was a Friday.
	for name, c := range map[string]struct {
		rules sla.Rules
		want  []string
	}{
		"a day":            {sla.Rules{Weekly: friday(day)}, []string{"2026-01-02T09:00:00Z 2026-01-02T17:00:00Z"}},
		"to the end of it": {sla.Rules{Weekly: friday(sla.Window{Open: at(18, 0), Close: at(24, 0)})}, []string{"2026-01-02T18:00:00Z 2026-01-03T00:00:00Z"}},
		"to midnight":      {sla.Rules{Weekly: friday(sla.Window{Open: at(18, 0), Close: 0})}, []string{"2026-01-02T18:00:00Z 2026-01-03T00:00:00Z"}},
		"overnight":        {sla.Rules{Weekly: friday(night)}, []string{"2026-01-02T22:00:00Z 2026-01-03T06:00:00Z"}},
		"around the clock": {sla.Rules{Weekly: friday(sla.Window{Open: at(9, 0), Close: at(9, 0)})}, []string{"2026-01-02T09:00:00Z 2026-01-03T09:00:00Z"}},
		"from midnight":    {sla.Rules{Weekly: friday(sla.Window{})}, []string{"2026-01-02T00:00:00Z 2026-01-03T00:00:00Z"}},
		"seconds":          {sla.Rules{Weekly: friday(sla.Window{Open: at(9, 0) + time.Second, Close: at(9, 0) + 2*time.Second})}, []string{"2026-01-02T09:00:01Z 2026-01-02T09:00:02Z"}},
		"a break":          {sla.Rules{Weekly: friday(sla.Window{Open: at(13, 0), Close: at(17, 0)}, sla.Window{Open: at(9, 0), Close: at(12, 0)})}, []string{"2026-01-02T09:00:00Z 2026-01-02T12:00:00Z", "2026-01-02T13:00:00Z 2026-01-02T17:00:00Z"}},
		"overlapping":      {sla.Rules{Weekly: friday(day, sla.Window{Open: at(8, 0), Close: at(10, 0)}, sla.Window{Open: at(11, 0), Close: at(12, 0)})}, []string{"2026-01-02T08:00:00Z 2026-01-02T17:00:00Z"}},
		"touching":         {sla.Rules{Weekly: friday(sla.Window{Open: at(9, 0), Close: at(12, 0)}, sla.Window{Open: at(12, 0), Close: at(17, 0)})}, []string{"2026-01-02T09:00:00Z 2026-01-02T17:00:00Z"}},
		"into the next":    {sla.Rules{Weekly: sla.Week{time.Friday: {night}, time.Saturday: {{Open: at(5, 0), Close: at(7, 0)}}}}, []string{"2026-01-02T22:00:00Z 2026-01-03T07:00:00Z"}},
		"all days":         {sla.Rules{Weekly: sla.EveryDay(sla.Window{Close: at(24, 0)})}, []string{"2026-01-01T00:00:00Z 2026-01-05T00:00:00Z"}},

		// Holidays cancel what starts on their date, and nothing else.
		"holiday":           {sla.Rules{Weekly: sla.EveryDay(day), Holidays: []sla.Holiday{{On: "01-02"}}}, []string{"2026-01-01T09:00:00Z 2026-01-01T17:00:00Z", "2026-01-03T09:00:00Z 2026-01-03T17:00:00Z", "2026-01-04T09:00:00Z 2026-01-04T17:00:00Z"}},
		"tail survives":     {sla.Rules{Weekly: friday(night), Holidays: []sla.Holiday{{On: "2026-01-03"}}}, []string{"2026-01-02T22:00:00Z 2026-01-03T06:00:00Z"}},
		"tail is cancelled": {sla.Rules{Weekly: friday(night), Holidays: []sla.Holiday{{On: "2026-01-02"}}}, nil},

		// Exceptions replace a date, and beat holidays.
		"exception":                 {sla.Rules{Weekly: friday(day), Exceptions: map[sla.Date][]sla.Window{date(2026, 1, 2): {{Open: at(10, 0), Close: at(11, 0)}}}}, []string{"2026-01-02T10:00:00Z 2026-01-02T11:00:00Z"}},
		"closed by one":             {sla.Rules{Weekly: friday(day), Exceptions: map[sla.Date][]sla.Window{date(2026, 1, 2): nil}}, nil},
		"on a holiday":              {sla.Rules{Weekly: friday(day), Holidays: []sla.Holiday{{On: "01-02"}}, Exceptions: map[sla.Date][]sla.Window{date(2026, 1, 2): {night}}}, []string{"2026-01-02T22:00:00Z 2026-01-03T06:00:00Z"}},
		"where there is none":       {sla.Rules{Weekly: friday(), Exceptions: map[sla.Date][]sla.Window{date(2026, 1, 4): {{Open: at(23, 0), Close: at(1, 0)}}}}, []string{"2026-01-04T23:00:00Z 2026-01-05T00:00:00Z"}},
		"tail before an exception":  {sla.Rules{Weekly: friday(night), Exceptions: map[sla.Date][]sla.Window{date(2026, 1, 3): nil}}, []string{"2026-01-02T22:00:00Z 2026-01-03T06:00:00Z"}},
		"exception without a tail":  {sla.Rules{Weekly: friday(night), Exceptions: map[sla.Date][]sla.Window{date(2026, 1, 2): {{Open: at(9, 0), Close: at(10, 0)}}}}, []string{"2026-01-02T09:00:00Z 2026-01-02T10:00:00Z"}},
		"holiday listed many times": {sla.Rules{Weekly: friday(day), Holidays: []sla.Holiday{{On: "01-02"}, {On: "2026-01-02"}, {On: "first fri of jan"}}}, nil},
	} {
		c.rules.Exceptions = withOpening(c.rules.Exceptions)
		h := compile(t, sla.Calendar{Zone: "UTC", Rules: c.rules})
		require.Equal(t, c.want, listed(t, h, "2026-01-01T00:00:00Z", "2026-01-05T00:00:00Z"), name)
	}
}

// withOpening adds a distant opening, so that the calendar opens at all.
func withOpening(exceptions map[sla.Date][]sla.Window) map[sla.Date][]sla.Window {
	all := map[sla.Date][]sla.Window{date(2050, 1, 1): {{Close: at(24, 0)}}}
	for d, windows := range exceptions {
		all[d] = windows
	}
	return all
}

// TestDaylightSaving has openings worked out by hand from the published
// transitions of the zones.
func TestDaylightSaving(t *testing.T) {
	allNight := sla.Window{Open: at(22, 0), Close: at(6, 0)}
	for name, c := range map[string]struct {
		zone     string
		window   sla.Window
		from, to string
		want     []string
	}{
		"Berlin, 9 to 17 on the day of the gap": {"Europe/Berlin", sla.Window{Open: at(9, 0), Close: at(17, 0)}, "2026-03-29T00:00:00Z", "2026-03-30T00:00:00Z",
			[]string{"2026-03-29T07:00:00Z 2026-03-29T15:00:00Z"}},
		"Berlin, a window within the gap": {"Europe/Berlin", sla.Window{Open: at(2, 15), Close: at(2, 45)}, "2026-03-28T00:00:00Z", "2026-03-31T00:00:00Z",
			[]string{"2026-03-28T01:15:00Z 2026-03-28T01:45:00Z", "2026-03-30T00:15:00Z 2026-03-30T00:45:00Z"}},
		"Berlin, a window that ends in the gap": {"Europe/Berlin", sla.Window{Open: at(1, 0), Close: at(2, 30)}, "2026-03-29T00:00:00Z", "2026-03-29T12:00:00Z",
			[]string{"2026-03-29T00:00:00Z 2026-03-29T01:00:00Z"}},
		"Berlin, a window that begins in the gap": {"Europe/Berlin", sla.Window{Open: at(2, 30), Close: at(4, 0)}, "2026-03-29T00:00:00Z", "2026-03-29T12:00:00Z",
			[]string{"2026-03-29T01:00:00Z 2026-03-29T02:00:00Z"}},
		"Berlin, a window within the fold comes twice": {"Europe/Berlin", sla.Window{Open: at(2, 15), Close: at(2, 45)}, "2026-10-25T00:00:00Z", "2026-10-25T12:00:00Z",
			[]string{"2026-10-25T00:15:00Z 2026-10-25T00:45:00Z", "2026-10-25T01:15:00Z 2026-10-25T01:45:00Z"}},
		"Berlin, a night of nine hours": {"Europe/Berlin", allNight, "2026-10-24T12:00:00Z", "2026-10-25T12:00:00Z",
			[]string{"2026-10-24T20:00:00Z 2026-10-25T05:00:00Z"}},
		"Berlin, a night of seven hours": {"Europe/Berlin", allNight, "2026-03-28T12:00:00Z", "2026-03-29T12:00:00Z",
			[]string{"2026-03-28T21:00:00Z 2026-03-29T04:00:00Z"}},
		"Berlin, a day of 25 hours": {"Europe/Berlin", sla.Window{Close: at(24, 0)}, "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z",
			[]string{"2026-10-24T22:00:00Z 2026-10-25T23:00:00Z"}},
		// Midnight does not exist: at 24:00 clocks went to 1:00.
		"Santiago, from midnight where there is none": {"America/Santiago", sla.Window{Close: at(2, 0)}, "2024-09-08T00:00:00Z", "2024-09-09T00:00:00Z",
			[]string{"2024-09-08T04:00:00Z 2024-09-08T05:00:00Z"}},
		"Azores, from midnight where there is none": {"Atlantic/Azores", sla.Window{Close: at(2, 0)}, "2026-03-28T12:00:00Z", "2026-03-29T12:00:00Z",
			[]string{"2026-03-29T01:00:00Z 2026-03-29T02:00:00Z"}},
		"Havana, from midnight where there is none": {"America/Havana", sla.Window{Close: at(2, 0)}, "2026-03-08T00:00:00Z", "2026-03-09T00:00:00Z",
			[]string{"2026-03-08T05:00:00Z 2026-03-08T06:00:00Z"}},
		// At 1:00 clocks went back to 0:00: the first hour of the day came twice.
		"Havana, the first hour comes twice": {"America/Havana", sla.Window{Close: at(1, 0)}, "2026-11-01T00:00:00Z", "2026-11-02T00:00:00Z",
			[]string{"2026-11-01T04:00:00Z 2026-11-01T06:00:00Z"}},
		// At 24:00 clocks went back to 23:00 of the day before.
		"Santiago, the last hour comes twice": {"America/Santiago", sla.Window{Open: at(23, 0), Close: at(24, 0)}, "2024-04-07T00:00:00Z", "2024-04-08T00:00:00Z",
			[]string{"2024-04-07T02:00:00Z 2024-04-07T04:00:00Z"}},
		"Lord Howe, half an hour is skipped": {"Australia/Lord_Howe", sla.Window{Open: at(1, 0), Close: at(3, 0)}, "2026-10-03T12:00:00Z", "2026-10-04T12:00:00Z",
			[]string{"2026-10-03T14:30:00Z 2026-10-03T16:00:00Z"}},
		"Lord Howe, half an hour comes twice": {"Australia/Lord_Howe", sla.Window{Open: at(1, 0), Close: at(3, 0)}, "2026-04-04T12:00:00Z", "2026-04-05T12:00:00Z",
			[]string{"2026-04-04T14:00:00Z 2026-04-04T16:30:00Z"}},
		// There was no 30 December 2011 in Apia.
		"Apia, a day that is skipped": {"Pacific/Apia", sla.Window{Open: at(9, 0), Close: at(17, 0)}, "2011-12-29T12:00:00Z", "2012-01-01T12:00:00Z",
			[]string{"2011-12-29T19:00:00Z 2011-12-30T03:00:00Z", "2011-12-30T19:00:00Z 2011-12-31T03:00:00Z", "2011-12-31T19:00:00Z 2012-01-01T03:00:00Z"}},
		// Dublin's standard time is that of summer, and its winter time is an hour
		// less: the offset is what counts.
		"Dublin, spring": {"Europe/Dublin", sla.Window{Open: at(0, 30), Close: at(2, 30)}, "2026-03-29T00:00:00Z", "2026-03-29T12:00:00Z",
			[]string{"2026-03-29T00:30:00Z 2026-03-29T01:30:00Z"}},
		"Dublin, autumn": {"Europe/Dublin", sla.Window{Open: at(0, 30), Close: at(2, 30)}, "2026-10-24T12:00:00Z", "2026-10-25T12:00:00Z",
			[]string{"2026-10-24T23:30:00Z 2026-10-25T02:30:00Z"}},
		// Casablanca goes back an hour for Ramadan: in 2024 on 10 March at 3:00.
		"Casablanca, Ramadan": {"Africa/Casablanca", sla.Window{Open: at(1, 0), Close: at(4, 0)}, "2024-03-09T12:00:00Z", "2024-03-10T12:00:00Z",
			[]string{"2024-03-10T00:00:00Z 2024-03-10T04:00:00Z"}},
		// The last day of leap years, for which package time gives no end of a zone.
		"New York, 31 December 2096": {"America/New_York", sla.Window{Open: at(9, 0), Close: at(17, 0)}, "2096-12-31T00:00:00Z", "2097-01-02T00:00:00Z",
			[]string{"2096-12-31T14:00:00Z 2096-12-31T22:00:00Z", "2097-01-01T14:00:00Z 2097-01-01T22:00:00Z"}},
		"Sydney, 31 December 2096": {"Australia/Sydney", sla.Window{Open: at(9, 0), Close: at(17, 0)}, "2096-12-30T12:00:00Z", "2097-01-01T12:00:00Z",
			[]string{"2096-12-30T22:00:00Z 2096-12-31T06:00:00Z", "2096-12-31T22:00:00Z 2097-01-01T06:00:00Z"}},
		// Paris was 9 minutes and 21 seconds ahead of Greenwich, Monrovia 44 minutes
		// and 30 seconds behind.
		"Paris, by its own sun": {"Europe/Paris", sla.Window{Open: at(12, 0), Close: at(13, 0)}, "1880-01-01T00:00:00Z", "1880-01-02T00:00:00Z",
			[]string{"1880-01-01T11:50:39Z 1880-01-01T12:50:39Z"}},
		"Monrovia, until 7 January 1972": {"Africa/Monrovia", sla.Window{Open: at(9, 0), Close: at(17, 0)}, "1972-01-06T00:00:00Z", "1972-01-08T00:00:00Z",
			[]string{"1972-01-06T09:44:30Z 1972-01-06T17:44:30Z", "1972-01-07T09:00:00Z 1972-01-07T17:00:00Z"}},
	} {
		h := compile(t, sla.Calendar{Zone: c.zone, Rules: sla.Rules{Weekly: sla.EveryDay(c.window)}})
		require.Equal(t, c.want, listed(t, h, c.from, c.to), name)
	}
}

func TestChanges(t *testing.T) {
	c := sla.Calendar{
		Zone: "Europe/Berlin",
		Rules: sla.Rules{
			Weekly:     sla.EveryDay(sla.Window{Open: at(22, 0), Close: at(6, 0)}),
			Holidays:   []sla.Holiday{{On: "06-03", Name: "old"}},
			Exceptions: map[sla.Date][]sla.Window{date(2026, 6, 5): nil},
		},
		Editions: []sla.Edition{
			{From: date(2026, 6, 2), Rules: sla.Rules{Weekly: sla.EveryDay(sla.Window{Open: at(9, 0), Close: at(17, 0)}), Holidays: []sla.Holiday{{On: "06-04", Name: "new"}}}},
			{From: date(2026, 6, 6), Rules: sla.Rules{}},
			{From: date(2026, 6, 7), Rules: sla.Rules{Weekly: sla.EveryDay(sla.Window{Open: at(12, 0), Close: at(13, 0)})}},
		},
	}
	h := compile(t, c)
	require.Equal(t, []string{
		"2026-05-31T20:00:00Z 2026-06-01T04:00:00Z",
		"2026-06-01T20:00:00Z 2026-06-02T04:00:00Z", // the tail runs to its end
		"2026-06-02T07:00:00Z 2026-06-02T15:00:00Z",
		"2026-06-03T07:00:00Z 2026-06-03T15:00:00Z", // the old holiday is gone
		"2026-06-05T07:00:00Z 2026-06-05T15:00:00Z", // and so is the old exception
		"2026-06-07T10:00:00Z 2026-06-07T11:00:00Z",
	}, listed(t, h, "2026-05-31T12:00:00Z", "2026-06-08T00:00:00Z"))
	require.Equal(t, "new", h.Closed(utc(t, "2026-06-04T10:00:00Z")))
	require.Equal(t, "outside hours", h.Closed(utc(t, "2026-06-06T10:00:00Z")))
}

// TestChangeOnADayThatIsSkipped: Apia had no 30 December 2011, on which the hours
// change here from next to nothing.
func TestChangeOnADayThatIsSkipped(t *testing.T) {
	c := sla.Calendar{
		Zone:     "Pacific/Apia",
		Rules:    sla.Rules{Exceptions: map[sla.Date][]sla.Window{date(2010, 1, 1): {{Close: at(24, 0)}}}},
		Editions: []sla.Edition{{From: date(2011, 12, 30), Rules: sla.Rules{Weekly: sla.EveryDay(sla.Window{Open: at(22, 0), Close: at(6, 0)})}}},
	}
	h := compile(t, c)
	want := newOracle(t, c).openings(utc(t, "2011-12-20T00:00:00Z"), utc(t, "2012-02-01T00:00:00Z"))
	require.Equal(t, want, slices.Collect(h.Openings(utc(t, "2011-12-20T00:00:00Z"), utc(t, "2012-02-01T00:00:00Z"))))
	// The night that began on the day that was not ends on the day that was.
	require.Equal(t, utc(t, "2011-12-30T10:00:00Z"), want[0].Open)
}

// TestExceptionsAlone: a calendar that is idle but for one date opens on that
// date, on whichever weekday and however far from UTC.
func TestExceptionsAlone(t *testing.T) {
	for _, zone := range []string{"Pacific/Kiritimati", "Asia/Tokyo", "UTC", "America/New_York", "Pacific/Pago_Pago"} {
		loc, err := time.LoadLocation(zone)
		require.NoError(t, err)
		for day := 1; day <= 14; day++ {
			opens := time.Date(2200, time.July, day, 0, 30, 0, 0, loc).UTC()
			h := compile(t, sla.Calendar{Zone: zone, Rules: sla.Rules{
				Holidays:   []sla.Holiday{{On: "07-01"}, {On: "07-14 or next weekday"}}, // with nothing to cancel
				Exceptions: map[sla.Date][]sla.Window{date(2200, time.July, day): {{Open: at(0, 30), Close: at(1, 0)}}},
			}})
			require.Equal(t, opens, h.NextOpen(utc(t, "2026-01-01T00:00:00Z")))
			require.Equal(t, opens, h.PreviousOpen(utc(t, "2300-01-01T00:00:00Z")))
			require.Equal(t, opens.Add(time.Minute), h.Add(utc(t, "0001-01-01T00:00:00Z"), time.Minute))
		}
	}
}

func TestAdd(t *testing.T) {
	h := compile(t, sla.Calendar{Zone: "UTC", Rules: sla.Rules{Weekly: sla.MondayToFriday(sla.Window{Open: at(9, 0), Close: at(17, 0)})}})
	// 5 January 2026 was a Monday.
	for _, c := range []struct {
		from string
		d    time.Duration
		want string
	}{
		{"2026-01-05T10:00:00Z", time.Hour, "2026-01-05T11:00:00Z"},
		{"2026-01-05T10:00:00Z", 7 * time.Hour, "2026-01-05T17:00:00Z"}, // closing time, not the next morning
		{"2026-01-05T10:00:00Z", 7*time.Hour + 1, "2026-01-06T09:00:00.000000001Z"},
		{"2026-01-05T16:59:59.999999999Z", 1, "2026-01-05T17:00:00Z"},
		{"2026-01-05T16:59:59.999999999Z", 2, "2026-01-06T09:00:00.000000001Z"},
		{"2026-01-05T08:00:00.5Z", time.Second, "2026-01-05T09:00:01Z"},
		{"2026-01-05T17:00:00Z", time.Hour, "2026-01-06T10:00:00Z"},
		{"2026-01-09T17:00:00Z", 1, "2026-01-12T09:00:00.000000001Z"},
		{"2026-01-03T12:00:00Z", 40 * time.Hour, "2026-01-09T17:00:00Z"},
		{"2026-01-03T12:00:00.25Z", 0, "2026-01-03T12:00:00.25Z"}, // where it is, open or not
		{"2026-01-05T10:00:00Z", 0, "2026-01-05T10:00:00Z"},
		{"2026-01-05T11:00:00Z", -time.Hour, "2026-01-05T10:00:00Z"},
		{"2026-01-05T17:00:00Z", -8 * time.Hour, "2026-01-05T09:00:00Z"}, // opening time, not the evening before
		{"2026-01-06T10:00:00Z", -time.Hour, "2026-01-06T09:00:00Z"},
		{"2026-01-06T10:00:00Z", -time.Hour - 1, "2026-01-05T16:59:59.999999999Z"},
		{"2026-01-06T09:00:00Z", -1, "2026-01-05T16:59:59.999999999Z"},
		{"2026-01-05T09:00:00.000000001Z", -1, "2026-01-05T09:00:00Z"},
		{"2026-01-05T09:00:00.000000001Z", -2, "2026-01-02T16:59:59.999999999Z"},
		{"2026-01-04T12:00:00Z", -time.Hour, "2026-01-02T16:00:00Z"},
		{"2026-01-04T12:00:00Z", -16 * time.Hour, "2026-01-01T09:00:00Z"},
	} {
		got := h.Add(utc(t, c.from), c.d)
		require.Equal(t, utc(t, c.want), got, "%s and %v", c.from, c.d)
		if c.d > 0 {
			require.Equal(t, c.d, h.Between(utc(t, c.from), got))
		} else {
			require.Equal(t, -c.d, h.Between(got, utc(t, c.from)))
		}
	}
}

func TestAnswersAreUTCAndWallTime(t *testing.T) {
	h := compile(t, sla.AlwaysOpen())
	here := time.Now() // has a monotonic reading and a location
	for name, got := range map[string]time.Time{
		"Add": h.Add(here, time.Nanosecond), "Add nothing": h.Add(here, 0), "NextOpen": h.NextOpen(here),
	} {
		require.Same(t, time.UTC, got.Location(), name)
		require.Equal(t, got.Round(0), got, "%s has a monotonic reading", name)
	}
	for o := range h.Openings(here, here.Add(time.Hour)) {
		require.Equal(t, sla.Opening{Open: here.UTC().Round(0), Close: here.Add(time.Hour).UTC().Round(0)}, o)
	}
}

func TestNextAndPrevious(t *testing.T) {
	h := compile(t, sla.Calendar{Zone: "UTC", Rules: sla.Rules{Weekly: sla.MondayToFriday(sla.Window{Open: at(9, 0), Close: at(17, 0)})}})
	for _, c := range []struct{ at, nextOpen, nextClose, previousOpen, previousClose string }{
		{"2026-01-05T09:00:00Z", "2026-01-05T09:00:00Z", "2026-01-05T17:00:00Z", "2026-01-05T09:00:00Z", "2026-01-02T17:00:00Z"},
		{"2026-01-05T10:00:00.5Z", "2026-01-05T10:00:00.5Z", "2026-01-05T17:00:00Z", "2026-01-05T09:00:00Z", "2026-01-02T17:00:00Z"},
		{"2026-01-05T16:59:59.999999999Z", "2026-01-05T16:59:59.999999999Z", "2026-01-05T17:00:00Z", "2026-01-05T09:00:00Z", "2026-01-02T17:00:00Z"},
		{"2026-01-05T17:00:00Z", "2026-01-06T09:00:00Z", "2026-01-06T17:00:00Z", "2026-01-05T09:00:00Z", "2026-01-05T17:00:00Z"},
		{"2026-01-05T08:59:59.999999999Z", "2026-01-05T09:00:00Z", "2026-01-05T17:00:00Z", "2026-01-02T09:00:00Z", "2026-01-02T17:00:00Z"},
		{"2026-01-10T12:00:00Z", "2026-01-12T09:00:00Z", "2026-01-12T17:00:00Z", "2026-01-09T09:00:00Z", "2026-01-09T17:00:00Z"},
	} {
		x := utc(t, c.at)
		require.Equal(t, utc(t, c.nextOpen), h.NextOpen(x), c.at)
		require.Equal(t, utc(t, c.nextClose), h.NextClose(x), c.at)
		require.Equal(t, utc(t, c.previousOpen), h.PreviousOpen(x), c.at)
		require.Equal(t, utc(t, c.previousClose), h.PreviousClose(x), c.at)
		require.Equal(t, c.nextOpen == c.at, h.IsOpen(x), c.at)
	}
}

// The ends of time: years 1 to 9999.
func TestEndsOfTime(t *testing.T) {
	first := time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC)
	last := time.Date(9999, 12, 31, 23, 59, 59, 999_999_999, time.UTC)
	now := utc(t, "2026-01-05T12:00:00Z")
	always := compile(t, sla.AlwaysOpen())
	wide, err := sla.AlwaysOpen().CompileFor(sla.Horizon{From: date(1, 1, 1), To: date(9999, 12, 31)})
	require.NoError(t, err)
	for name, h := range map[string]*sla.Hours{"always": always, "wide": wide} {
		require.Zero(t, h.NextClose(now), name)
		require.Zero(t, h.PreviousClose(now), name)
		require.Equal(t, first, h.PreviousOpen(now), name)
		require.Equal(t, first, h.NextOpen(first.Add(-time.Hour)), name)
		require.Zero(t, h.NextOpen(last.Add(1)), name)
		require.Equal(t, first, h.PreviousOpen(last.Add(time.Hour)), name)
		require.Zero(t, h.PreviousOpen(first.Add(-1)), name)
		require.Zero(t, h.PreviousClose(first), name)
		require.True(t, h.IsOpen(first), name)
		require.True(t, h.IsOpen(last), name)
		require.False(t, h.IsOpen(first.Add(-1)), name)
		require.False(t, h.IsOpen(last.Add(1)), name)
		require.Equal(t, "outside hours", h.Closed(last.Add(1)), name)
		require.Equal(t, time.Hour, h.Between(first.Add(-time.Hour), first.Add(time.Hour)), name)
		require.Equal(t, time.Hour, h.Between(last.Add(1-time.Hour), last.Add(24*time.Hour)), name)
		require.Equal(t, time.Duration(math.MaxInt64), h.Between(first, last), name)
		require.Equal(t, time.Duration(math.MaxInt64), h.Between(now, now.Add(math.MaxInt64).Add(math.MaxInt64)), name)
		require.Equal(t, time.Duration(math.MaxInt64), h.Between(now, now.Add(math.MaxInt64)), name)
		require.Equal(t, time.Duration(math.MaxInt64-1), h.Between(now, now.Add(math.MaxInt64-1)), name)
		half := now.Add(time.Second / 2)
		require.Equal(t, time.Duration(math.MaxInt64), h.Between(half, half.Add(math.MaxInt64)), name)
		require.Equal(t, time.Duration(math.MaxInt64-1), h.Between(half, half.Add(math.MaxInt64-1)), name)
		require.Equal(t, now.Add(math.MaxInt64), h.Add(now, math.MaxInt64), name)
		require.Equal(t, now.Add(math.MinInt64), h.Add(now, math.MinInt64), name)
		require.Equal(t, last, h.Add(last.Add(-time.Hour), time.Hour), name)
		require.Zero(t, h.Add(last.Add(-time.Hour), time.Hour+1), name)
		require.Zero(t, h.Add(last.Add(1), 1), name)
		require.Equal(t, last, h.Add(last.Add(time.Hour), -1), name)
		require.Equal(t, first.Add(1), h.Add(first.Add(-time.Hour), 1), name)
		require.Zero(t, h.Add(first.Add(-1), -1), name)
		require.Zero(t, h.Add(first.Add(time.Hour), -time.Hour-1), name)
		require.Equal(t, []sla.Opening{{Open: first, Close: last.Add(1)}}, slices.Collect(h.Openings(first.Add(-time.Hour), last.Add(time.Hour))), name)
		for _, far := range []time.Time{time.Unix(math.MaxInt64/2, 0), time.Unix(math.MinInt64/2, 0)} {
			require.False(t, h.IsOpen(far))
			require.NotPanics(t, func() { h.Add(far, 1); h.Add(far, -1); h.NextClose(far); h.PreviousOpen(far); h.Between(far, now) })
		}
	}
	// A calendar that no longer opens.
	once := compile(t, sla.Calendar{Zone: "UTC", Rules: sla.Rules{Exceptions: map[sla.Date][]sla.Window{date(2026, 1, 5): {{Open: at(9, 0), Close: at(17, 0)}}}}})
	require.Equal(t, utc(t, "2026-01-05T17:00:00Z"), once.Add(now, 5*time.Hour))
	require.Zero(t, once.Add(now, 5*time.Hour+1))
	require.Equal(t, utc(t, "2026-01-05T09:00:00Z"), once.Add(now, -3*time.Hour))
	require.Zero(t, once.Add(now, -3*time.Hour-1))
	require.Zero(t, once.NextOpen(utc(t, "2026-01-05T17:00:00Z")))
	require.Zero(t, once.NextClose(utc(t, "2026-01-05T17:00:00Z")))
	require.Zero(t, once.PreviousOpen(utc(t, "2026-01-05T08:59:59Z")))
	require.Zero(t, once.PreviousClose(utc(t, "2026-01-05T16:59:59Z")))
	require.Equal(t, 8*time.Hour, once.Between(first, last))
}

func TestOpeningsCanBeLeftAndRangedOverAgain(t *testing.T) {
	h := compile(t, sla.Calendar{Zone: "UTC", Rules: sla.Rules{Weekly: sla.MondayToFriday(sla.Window{Open: at(9, 0), Close: at(17, 0)})}})
	// From far before the horizon to far behind it.
	seq := h.Openings(utc(t, "1900-01-01T10:00:00.5Z"), utc(t, "2300-01-01T00:00:00Z"))
	for range 2 {
		var got []sla.Opening
		for o := range seq {
			if got = append(got, o); len(got) == 2 {
				break
			}
		}
		require.Equal(t, []sla.Opening{
			{Open: utc(t, "1900-01-01T10:00:00.5Z"), Close: utc(t, "1900-01-01T17:00:00Z")},
			{Open: utc(t, "1900-01-02T09:00:00Z"), Close: utc(t, "1900-01-02T17:00:00Z")},
		}, got)
	}
	n := 0
	for range seq {
		n++
	}
	// 400 years have 146,097 days, which are 20,871 weeks.
	require.Equal(t, 20_871*5, n)
	for o := range h.Openings(utc(t, "2026-01-05T12:00:00Z"), utc(t, "2026-01-05T12:00:00Z")) {
		require.Fail(t, "nothing lies between an instant and itself", "%v", o)
	}
	for o := range h.Openings(utc(t, "2026-01-05T12:00:00Z"), utc(t, "2020-01-05T12:00:00Z")) {
		require.Fail(t, "nothing lies between an instant and an earlier one", "%v", o)
	}
}

func TestClosed(t *testing.T) {
	berlin := sla.Calendar{
		Name: "Berlin", Zone: "Europe/Berlin",
		Rules: sla.Rules{
			Weekly:     sla.EveryDay(sla.Window{Open: at(22, 0), Close: at(6, 0)}),
			Holidays:   []sla.Holiday{{On: "12-25 or next weekday", Name: "Christmas Day"}, {On: "2026-05-01"}, {On: "2026-05-02", Name: "May Day"}},
			Exceptions: map[sla.Date][]sla.Window{date(2026, 12, 24): nil},
		},
	}
	h := compile(t, berlin)
	require.Equal(t, "", h.Closed(utc(t, "2026-06-01T02:00:00Z")))
	require.Equal(t, "outside hours", h.Closed(utc(t, "2026-06-01T12:00:00Z")))
	require.Equal(t, "holiday", h.Closed(utc(t, "2026-05-01T12:00:00Z")))
	require.Equal(t, "May Day", h.Closed(utc(t, "2026-05-02T21:00:00Z")))
	require.Equal(t, "", h.Closed(utc(t, "2026-05-01T03:00:00Z")), "the tail of the night before")
	require.Equal(t, "exception", h.Closed(utc(t, "2026-12-24T12:00:00Z")))
	require.Equal(t, "Christmas Day", h.Closed(utc(t, "2026-12-25T12:00:00Z")))
	require.Equal(t, "Christmas Day", h.Closed(utc(t, "2026-12-26T03:00:00Z")), "what Christmas cancelled would still be open")
	require.Equal(t, "outside hours", h.Closed(utc(t, "2026-12-26T06:00:00Z")))

	tokyo := berlin
	tokyo.Name, tokyo.Zone, tokyo.Holidays = "", "Asia/Tokyo", []sla.Holiday{{On: "01-01", Name: "Ganjitsu"}}
	both := compile(t, sla.Union(berlin, tokyo))
	require.Equal(t, "Berlin: outside hours; Ganjitsu", both.Closed(utc(t, "2026-01-01T14:00:00Z")))
	all := compile(t, sla.Intersection(berlin, tokyo))
	require.Equal(t, "Ganjitsu", all.Closed(utc(t, "2026-01-01T04:00:00Z")), "Berlin is open then")
	maintenance := sla.Calendar{Name: "maintenance", Zone: "UTC", Rules: sla.Rules{Weekly: sla.EveryDay(sla.Window{Open: at(2, 0), Close: at(3, 0)})}}
	without := compile(t, sla.Difference(berlin, maintenance))
	require.Equal(t, "during maintenance", without.Closed(utc(t, "2026-06-01T02:00:00Z")))
	require.Equal(t, "Berlin: May Day", without.Closed(utc(t, "2026-05-02T23:00:00Z")))
	maintenance.Name = ""
	require.Equal(t, "taken out", compile(t, sla.Difference(berlin, maintenance)).Closed(utc(t, "2026-06-01T02:00:00Z")))
}

// TestNothingIsAllocated holds every question within the horizon to it.
func TestNothingIsAllocated(t *testing.T) {
	h := compile(t, officeBerlin())
	a, b := utc(t, "2026-01-05T12:00:00.5Z"), utc(t, "2036-01-05T12:00:00.5Z")
	for name, ask := range map[string]func(){
		"Add":           func() { sinkTime = h.Add(a, 20_000*time.Hour) },
		"Add back":      func() { sinkTime = h.Add(b, -20_000*time.Hour) },
		"Between":       func() { sinkDuration = h.Between(a, b) },
		"IsOpen":        func() { _ = h.IsOpen(a) },
		"NextOpen":      func() { sinkTime = h.NextOpen(a) },
		"NextClose":     func() { sinkTime = h.NextClose(a) },
		"PreviousOpen":  func() { sinkTime = h.PreviousOpen(a) },
		"PreviousClose": func() { sinkTime = h.PreviousClose(a) },
		"Name":          func() { _ = h.Name() },
	} {
		require.Zero(t, testing.AllocsPerRun(100, ask), name)
	}
}

// TestHoursAreShared is for the race detector.
func TestHoursAreShared(t *testing.T) {
	h := compile(t, sla.Union(officeBerlin(), sla.AlwaysOpen()))
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			x := time.Date(1950+25*i, 1, 1, 0, 0, 0, 0, time.UTC)
			for range 20 {
				x = h.Add(x, 100*time.Hour)
				_ = h.Between(x, x.Add(-100*time.Hour))
				_, _, _, _ = h.NextOpen(x), h.NextClose(x), h.PreviousOpen(x), h.PreviousClose(x)
				_, _ = h.Closed(x), h.Calendar()
				for range h.Openings(x, x.Add(100*time.Hour)) {
				}
			}
		})
	}
	wg.Wait()
}
