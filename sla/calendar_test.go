package sla_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm/sla"
)

// full is a calendar with something in every field.
const full = `{
  "name": "Berlin office", "version": 3, "tz": "Europe/Berlin",
  "weekly": {"mon": [["09:00","12:00"],["13:00","17:00"]], "fri": [["22:00","06:00"]]},
  "holidays": ["01-01", {"on": "12-25 or next weekday", "name": "Christmas Day"}],
  "exceptions": {"2026-12-24": [["09:00","12:00"]], "2026-12-31": []},
  "editions": [{"from": "2027-01-01", "weekly": {"mon": [["08:00","16:00"]]}, "holidays": ["easter"]}]
}`

func TestParseCalendar(t *testing.T) {
	c, err := sla.ParseCalendar([]byte(full))
	require.NoError(t, err)
	nine, noon := 9*time.Hour, 12*time.Hour
	want := sla.Calendar{
		Name: "Berlin office", Version: 3, Zone: "Europe/Berlin",
		Rules: sla.Rules{
			Weekly: sla.Week{
				time.Monday: {{Open: nine, Close: noon}, {Open: 13 * time.Hour, Close: 17 * time.Hour}},
				time.Friday: {{Open: 22 * time.Hour, Close: 6 * time.Hour}},
			},
			Holidays: []sla.Holiday{{On: "01-01"}, {On: "12-25 or next weekday", Name: "Christmas Day"}},
			Exceptions: map[sla.Date][]sla.Window{
				{Year: 2026, Month: 12, Day: 24}: {{Open: nine, Close: noon}},
				{Year: 2026, Month: 12, Day: 31}: nil,
			},
		},
		Editions: []sla.Edition{{
			From: sla.Date{Year: 2027, Month: 1, Day: 1},
			Rules: sla.Rules{
				Weekly:   sla.Week{time.Monday: {{Open: 8 * time.Hour, Close: 16 * time.Hour}}},
				Holidays: []sla.Holiday{{On: "easter"}},
			},
		}},
	}
	require.Equal(t, want, c)

	union := sla.Union(c, sla.Difference(sla.AlwaysOpen(), sla.Intersection(c)))
	for _, one := range []sla.Calendar{c, union, sla.AlwaysOpen()} {
		text, err := json.Marshal(one)
		require.NoError(t, err)
		back, err := sla.ParseCalendar(text)
		require.NoError(t, err)
		require.Equal(t, one, back)
		// encoding/json reads the same, if less strictly.
		var loose sla.Calendar
		require.NoError(t, json.Unmarshal(text, &loose))
		again, err := json.Marshal(loose)
		require.NoError(t, err)
		require.Equal(t, string(text), string(again))
	}
}

func TestParseCalendarRefusesEverythingAtOnce(t *testing.T) {
	_, err := sla.ParseCalendar([]byte(`{
		"name": 7, "version": 1.5, "tz": "Local", "zone": "UTC",
		"weekly": {"mon": [["9:00","17:00"],["09:00"]], "Mon": [], "tue": "always", "wed": [["09:00","25:00"]]},
		"holidays": ["never", 12, {"on": "12-25", "day": 1}, "2026-01-01 or next weekday"],
		"exceptions": {"2026-02-29": [], "2026-03-01": [["24:00","24:00"]], "2026-03-02": {}},
		"editions": [{"from": "2027-01-01"}, {"from": "2027-01-01", "tz": "UTC"}, {"weekly": {}}, {"from": 2027}],
		"of": [],
		"version": 2
	}`))
	require.ErrorIs(t, err, sla.ErrInvalid)
	require.ElementsMatch(t, []string{
		"name", "version", "tz", "zone",
		"weekly.mon[0][0]", "weekly.mon[1]", "weekly.Mon", "weekly.tue", "weekly.wed[0][1]",
		"holidays[0].on", "holidays[1]", "holidays[2].day", "holidays[3].on",
		"exceptions.2026-02-29", "exceptions.2026-03-01[0][0]", "exceptions.2026-03-02",
		"editions[1].from", "editions[1].tz", "editions[2].from", "editions[3].from",
		"version",
	}, fields(err), "%v", err)
}

// A day with a fault hides nothing that is wrong with the others.
func TestParseCalendarJudgesTheRestOfAWeek(t *testing.T) {
	_, err := sla.ParseCalendar([]byte(`{"tz":"UTC","weekly":{"mon":[["9","12:00"]],"tue":[` +
		strings.Repeat(`["09:00","12:00"],`, 100) + `["09:00","12:00"]]}}`))
	require.ErrorIs(t, err, sla.ErrInvalid)
	require.EqualError(t, err, `weekly.mon[0][0] must be a time of day in whole seconds from "00:00" to "23:59:59"; `+
		`weekly.tue must have at most 100 windows`)
	_, err = sla.ParseCalendar([]byte(`{"op":"union","of":[{"tz":"UTC"}],"weekly":{"mon":[["09:00","12:00"]],"Tue":[]}}`))
	require.Equal(t, []string{"weekly.Tue", "weekly"}, fields(err))
}

func TestParseCalendarRefusesWhatIsNoCalendar(t *testing.T) {
	for name, c := range map[string]struct{ text, reason string }{
		"nothing":       {"", "must be JSON"},
		"cut off":       {`{"tz":"UTC"`, "must be JSON"},
		"two values":    {`{"tz":"UTC"} {}`, "must be JSON"},
		"a list":        {`[]`, "must be an object"},
		"null":          {`null`, "must be an object"},
		"not UTF-8":     {"{\"tz\":\"UTC\xff\"}", "must be valid UTF-8"},
		"too large":     {`{"tz":"UTC"` + strings.Repeat(" ", 1<<20) + `}`, "must have at most 1048576 bytes"},
		"too deep":      {strings.Repeat(`[`, 101) + strings.Repeat(`]`, 101), "must be nested at most 100 deep"},
		"twice":         {`{"tz":"UTC","tz":"UTC"}`, "tz is there twice"},
		"case":          {`{"TZ":"UTC"}`, "TZ is not known"},
		"no zone":       {`{}`, "tz must name a time zone"},
		"op":            {`{"op":"xor","of":[{"tz":"UTC"}]}`, "op must be union, intersection, difference"},
		"nobody":        {`{"op":"union"}`, "of must list at least one calendar"},
		"one":           {`{"op":"difference","of":[{"tz":"UTC"}]}`, "of must list at least two calendars"},
		"of without op": {`{"tz":"UTC","of":[{"tz":"UTC"}]}`, "of needs an op"},
		"both":          {`{"op":"union","tz":"UTC","of":[{"tz":"UTC"}]}`, "tz must be empty where calendars are combined"},
		"inside":        {`{"op":"union","of":[{"tz":"UTC"},{"tz":"UTC","holidays":["x"]}]}`, "of[1].holidays[0].on must be"},
		"a long name":   {`{"tz":"UTC","` + strings.Repeat("x", 200) + `":1}`, strings.Repeat("x", 60) + "… is not known"},
		"version":       {`{"tz":"UTC","version":-1}`, "version must not be negative"},
		"nothing in of": {`{"op":"union","of":[null]}`, "of[0] must be an object"},
	} {
		_, err := sla.ParseCalendar([]byte(c.text))
		require.ErrorIs(t, err, sla.ErrInvalid, name)
		require.Contains(t, err.Error(), c.reason, name)
		require.Less(t, len(err.Error()), 400, name)
	}
}

// TestManyFindings: a text that is wrong in as many places as it has room for is
// refused in no more time than one that is right.
func TestManyFindings(t *testing.T) {
	began := time.Now()
	_, err := sla.ParseCalendar([]byte(`{"tz":"UTC","holidays":[` + strings.Repeat("7,", 400_000) + `7]}`))
	require.Equal(t, 400_001, len(sla.Findings(err))) // not Len, which would print them all
	require.Less(t, time.Since(began), 20*time.Second)
}

// TestNullIsNothing: null in place of a value is as if its name were not there.
func TestNullIsNothing(t *testing.T) {
	c, err := sla.ParseCalendar([]byte(`{"name":null,"version":null,"tz":"UTC","weekly":{"mon":null},"holidays":null,
		"exceptions":{"2026-01-01":null},"editions":null,"op":null,"of":null}`))
	require.NoError(t, err)
	require.Equal(t, sla.Calendar{Zone: "UTC", Rules: sla.Rules{Exceptions: map[sla.Date][]sla.Window{{Year: 2026, Month: 1, Day: 1}: nil}}}, c)
}

func TestCompileRefuses(t *testing.T) {
	window := sla.Window{Open: 9 * time.Hour, Close: 17 * time.Hour}
	office := sla.Calendar{Zone: "UTC", Rules: sla.Rules{Weekly: sla.MondayToFriday(window)}}
	with := func(change func(c *sla.Calendar)) sla.Calendar {
		c := office
		change(&c)
		return c
	}
	many := func(n int, c sla.Calendar) []sla.Calendar {
		list := make([]sla.Calendar, n)
		for i := range list {
			list[i] = c
		}
		return list
	}
	endless := make([]sla.Calendar, 1)
	endless[0] = sla.Calendar{Op: sla.OpUnion, Of: endless}
	deep := office
	for range 8 {
		deep = sla.Union(deep)
	}
	_, err := deep.Compile()
	require.NoError(t, err, "calendars nested as deep as they may be")
	_, err = sla.Union(many(32, office)...).Compile()
	require.NoError(t, err, "as many calendars as there may be")

	for name, c := range map[string]struct {
		calendar sla.Calendar
		reason   string
	}{
		"nothing":         {sla.Calendar{}, "tz must name a time zone"},
		"no zone":         {with(func(c *sla.Calendar) { c.Zone = "" }), "tz must name a time zone"},
		"local":           {with(func(c *sla.Calendar) { c.Zone = "Local" }), "tz must name a time zone"},
		"unknown zone":    {with(func(c *sla.Calendar) { c.Zone = "Europe/Atlantis" }), "tz cannot be found: unknown time zone Europe/Atlantis"},
		"a path":          {with(func(c *sla.Calendar) { c.Zone = "../../etc/passwd" }), "tz cannot be found"},
		"window":          {with(func(c *sla.Calendar) { c.Weekly[0] = []sla.Window{{Open: -1}} }), "weekly.sun[0][0] must be a time of day"},
		"half a second":   {with(func(c *sla.Calendar) { c.Weekly[0] = []sla.Window{{Close: time.Second / 2}} }), "weekly.sun[0][1] must be a time of day in whole seconds"},
		"windows":         {with(func(c *sla.Calendar) { c.Weekly[0] = make([]sla.Window, 101) }), "weekly.sun must have at most 100 windows"},
		"windows in all":  {sla.Union(many(32, with(func(c *sla.Calendar) { c.Weekly = sla.EveryDay(window, window, window) }))...), "must have at most 500 windows a week in all"},
		"no date":         {with(func(c *sla.Calendar) { c.Exceptions = map[sla.Date][]sla.Window{{}: nil} }), "exceptions.0000-00-00 must be a date"},
		"no start":        {with(func(c *sla.Calendar) { c.Editions = []sla.Edition{{}} }), "editions[0].from must be a date"},
		"order":           {with(func(c *sla.Calendar) { c.Editions = []sla.Edition{{From: date(2027, 1, 1)}, {From: date(2026, 1, 1)}} }), "editions[1].from must be later"},
		"bytes in a name": {with(func(c *sla.Calendar) { c.Name = "\xff" }), "name must be valid UTF-8"},
		"deep":            {sla.Union(deep), "must be nested at most 8 deep"},
		"endless":         {sla.Calendar{Op: sla.OpUnion, Of: endless}, "must be nested at most 8 deep"},
		"many":            {sla.Union(many(33, office)...), "must combine at most 32 calendars"},
		"zone of one":     {sla.Union(office, with(func(c *sla.Calendar) { c.Zone = "X" })), "of[1].tz cannot be found"},
		"yearly": {with(func(c *sla.Calendar) {
			for i := range 501 {
				c.Holidays = append(c.Holidays, sla.Holiday{On: fmt.Sprintf("easter+%d", i%250)})
			}
		}), "must have at most 500 holidays of every year in all"},
		"dates": {with(func(c *sla.Calendar) { c.Holidays = sla.Dates("", everyDay(100_001)) }), "must have at most 100000 holidays of one date in all"},
		"exceptions": {with(func(c *sla.Calendar) {
			c.Exceptions = map[sla.Date][]sla.Window{}
			for d := range everyDay(100_001) {
				c.Exceptions[d] = nil
			}
		}), "must have at most 100000 exceptions in all"},
		"editions": {with(func(c *sla.Calendar) {
			for d := range everyDay(1_001) {
				c.Editions = append(c.Editions, sla.Edition{From: d})
			}
		}), "must have at most 1000 editions in all"},
	} {
		_, err := c.calendar.Compile()
		require.ErrorIs(t, err, sla.ErrInvalid, name)
		require.Contains(t, err.Error(), c.reason, name)
		require.Len(t, sla.Findings(err), 1, "%s: %v", name, err)
	}
}

func date(year int, month time.Month, day int) sla.Date {
	return sla.Date{Year: year, Month: month, Day: day}
}

// everyDay yields that many days from 2000-01-01.
func everyDay(n int) func(yield func(sla.Date) bool) {
	return func(yield func(sla.Date) bool) {
		for i := range n {
			if !yield(sla.DateOf(time.Date(2000, 1, 1+i, 0, 0, 0, 0, time.UTC))) {
				return
			}
		}
	}
}

func TestNeverOpenIsRefused(t *testing.T) {
	morning := sla.Calendar{Zone: "Europe/Berlin", Rules: sla.Rules{Weekly: sla.EveryDay(sla.Window{Open: 6 * time.Hour, Close: 12 * time.Hour})}}
	evening := sla.Calendar{Zone: "Europe/Berlin", Rules: sla.Rules{Weekly: sla.EveryDay(sla.Window{Open: 12 * time.Hour, Close: 6 * time.Hour})}}
	empty := sla.Calendar{Zone: "Asia/Tokyo"}
	closed := morning
	for i := range 12 {
		for day := range 31 {
			closed.Holidays = append(closed.Holidays, sla.Holiday{On: fmt.Sprintf("%02d-%02d", i+1, min(day+1, time.Date(2000, time.Month(i+2), 0, 0, 0, 0, 0, time.UTC).Day()))})
		}
	}
	// 02:30 to 02:45 on the one day on which Berlin has no such time.
	gap := sla.Calendar{Zone: "Europe/Berlin", Rules: sla.Rules{Exceptions: map[sla.Date][]sla.Window{
		date(2026, 3, 29): {{Open: 150 * time.Minute, Close: 165 * time.Minute}}}}}
	for name, c := range map[string]sla.Calendar{
		"no window":                   empty,
		"a holiday on every day":      closed,
		"an hour that is skipped":     gap,
		"two that never meet":         sla.Intersection(morning, evening),
		"nothing is left":             sla.Difference(morning, sla.Union(morning, evening)),
		"nothing of everything":       sla.Difference(evening, sla.AlwaysOpen()),
		"nothing and nothing":         sla.Union(gap, empty),
		"exceptions that are no help": {Zone: "UTC", Rules: sla.Rules{Exceptions: map[sla.Date][]sla.Window{date(2026, 1, 1): {}}}},
	} {
		began := time.Now()
		_, err := c.Compile()
		require.EqualError(t, err, "never opens", name)
		require.ErrorIs(t, err, sla.ErrInvalid)
		require.Less(t, time.Since(began), 10*time.Second, name)
	}
	// What opens once, however far away, does open.
	for _, year := range []int{1, 1969, 2026, 2101, 9999} {
		once := sla.Intersection(sla.AlwaysOpen(), sla.Calendar{Zone: "America/Havana", Rules: sla.Rules{Exceptions: map[sla.Date][]sla.Window{
			date(year, 7, 1): {{Open: 9 * time.Hour, Close: 9*time.Hour + time.Second}}}}})
		h, err := once.Compile()
		require.NoError(t, err, year)
		opens := h.NextOpen(time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC))
		require.Equal(t, year, opens.Year())
		require.Equal(t, opens.Add(time.Second), h.NextClose(opens))
		require.Equal(t, opens, h.PreviousOpen(time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)))
		require.Zero(t, h.NextOpen(opens.Add(time.Second)))
	}
}

func TestHorizonRefuses(t *testing.T) {
	_, err := sla.AlwaysOpen().CompileFor(sla.Horizon{From: date(2026, 2, 29), To: sla.Date{Year: 10_000}})
	require.Equal(t, []string{"horizon.from", "horizon.to"}, fields(err))
	_, err = sla.AlwaysOpen().CompileFor(sla.Horizon{From: date(2026, 1, 1), To: date(2026, 1, 1)})
	require.EqualError(t, err, "horizon.to must be after horizon.from")
	_, err = sla.Calendar{Version: -1}.CompileFor(sla.Horizon{From: date(2200, 1, 1)})
	require.Equal(t, []string{"version", "tz", "horizon.to"}, fields(err), "what is wrong with both is said at once")
}

func TestHorizonLocation(t *testing.T) {
	asked := map[string]int{}
	horizon := sla.Horizon{Location: func(name string) (*time.Location, error) {
		asked[name]++
		return map[string]*time.Location{"Mars/Olympus": time.FixedZone("MTC", 2376)}[name], nil
	}}
	mars := sla.AlwaysOpen()
	mars.Zone = "Mars/Olympus"
	mars.Weekly = sla.EveryDay(sla.Window{Open: 9 * time.Hour, Close: 17 * time.Hour})
	h, err := sla.Union(mars, mars).CompileFor(horizon)
	require.NoError(t, err)
	require.Equal(t, map[string]int{"Mars/Olympus": 1}, asked, "a zone is looked up once")
	require.Equal(t, time.Date(2026, 1, 5, 8, 20, 24, 0, time.UTC), h.NextOpen(time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)))

	// A zone of the host's may be further from UTC than any on Earth.
	once := sla.Calendar{Zone: "Far", Rules: sla.Rules{Exceptions: map[sla.Date][]sla.Window{date(2026, 1, 1): {{Close: 24 * time.Hour}}}}}
	for _, days := range []int{-100, 100} {
		h, err := once.CompileFor(sla.Horizon{Location: func(string) (*time.Location, error) { return time.FixedZone("far", days*86400), nil }})
		require.NoError(t, err)
		require.Equal(t, time.Date(2026, 1, 1-days, 0, 0, 0, 0, time.UTC), h.NextOpen(time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)))
	}

	mars.Zone = "Mars/Elysium"
	_, err = mars.CompileFor(horizon)
	require.EqualError(t, err, "tz cannot be found: no location")
	mars.Zone = "Local"
	_, err = mars.CompileFor(horizon)
	require.ErrorIs(t, err, sla.ErrInvalid)
	require.NotContains(t, asked, "Local")
}

// TestHoursKeepNothing: what a caller does to a calendar before or after does not
// change compiled hours.
func TestHoursKeepNothing(t *testing.T) {
	c, err := sla.ParseCalendar([]byte(full))
	require.NoError(t, err)
	of := []sla.Calendar{c}
	union := sla.Union(of...)
	h, err := union.Compile()
	require.NoError(t, err)
	spoil := func(c sla.Calendar) {
		c.Of[0].Name = "spoilt"
		c.Of[0].Weekly[time.Monday][0].Open = 0
		c.Of[0].Holidays[0].On = "spoilt"
		c.Of[0].Exceptions[date(2026, 12, 24)][0].Open = 0
		delete(c.Of[0].Exceptions, date(2026, 12, 31))
		c.Of[0].Editions[0].Weekly[time.Monday][0].Open = 0
		c.Of[0].Editions[0].Holidays[0].On = "spoilt"
	}
	want, err := json.Marshal(h.Calendar())
	require.NoError(t, err)
	spoil(h.Calendar())
	spoil(union)
	of[0].Name = "spoilt"
	got, err := json.Marshal(h.Calendar())
	require.NoError(t, err)
	require.Equal(t, string(want), string(got))
	require.True(t, h.IsOpen(time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)))
	require.False(t, h.IsOpen(time.Date(2026, 11, 23, 7, 59, 59, 999_999_999, time.UTC)))
	require.Equal(t, sla.OpUnion, h.Calendar().Op)
}

func TestHoursNameAndVersion(t *testing.T) {
	c := sla.AlwaysOpen()
	c.Name, c.Version = "always", 7
	h, err := c.Compile()
	require.NoError(t, err)
	require.Equal(t, "always", h.Name())
	require.Equal(t, 7, h.Version())
	require.Equal(t, c, h.Calendar())
}
