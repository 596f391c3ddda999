package sla_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm/sla"
)

func TestDateText(t *testing.T) {
	for _, good := range []string{"0001-01-01", "1999-12-31", "2000-02-29", "2026-03-29", "9999-12-31"} {
		var d sla.Date
		require.NoError(t, d.UnmarshalText([]byte(good)))
		require.Equal(t, good, d.String())
		text, err := d.MarshalText()
		require.NoError(t, err)
		require.Equal(t, good, string(text))
		want, err := time.Parse(time.DateOnly, good)
		require.NoError(t, err)
		require.Equal(t, sla.DateOf(want), d)
	}
	for _, bad := range []string{
		"", "2026", "2026-3-29", "2026-03-29T00:00", "2026-13-01", "2026-00-01", "2026-02-29", "1900-02-29",
		"2026-04-31", "2026-01-00", "0000-01-01", "+026-01-01", "2026-01-+1", "2026/01/01", "２026-01-01",
	} {
		d := sla.Date{Year: 1, Month: 2, Day: 3}
		err := d.UnmarshalText([]byte(bad))
		require.ErrorIs(t, err, sla.ErrInvalid, bad)
		require.Equal(t, sla.Date{Year: 1, Month: 2, Day: 3}, d, "a date that is not read must stay as it was")
	}
	for _, none := range []sla.Date{{}, {Year: 2026, Month: 2, Day: 29}, {Year: 10_000, Month: 1, Day: 1}, {Year: 2026, Month: 13, Day: 1}} {
		_, err := none.MarshalText()
		require.ErrorIs(t, err, sla.ErrInvalid)
	}
}

func TestDateOfIsLocal(t *testing.T) {
	apia, err := time.LoadLocation("Pacific/Apia")
	require.NoError(t, err)
	at := time.Date(2011, 12, 30, 9, 59, 59, 0, time.UTC)
	require.Equal(t, "2011-12-29", sla.DateOf(at.In(apia)).String())
	require.Equal(t, "2011-12-31", sla.DateOf(at.Add(time.Second).In(apia)).String(), "Apia had no 30 December 2011")
}

func TestWindowText(t *testing.T) {
	for text, want := range map[string]sla.Window{
		`["09:00","17:00"]`:    {Open: 9 * time.Hour, Close: 17 * time.Hour},
		`["00:00","24:00"]`:    {Open: 0, Close: 24 * time.Hour},
		`["22:00","06:00"]`:    {Open: 22 * time.Hour, Close: 6 * time.Hour},
		`["09:00:30","23:59"]`: {Open: 9*time.Hour + 30*time.Second, Close: 24*time.Hour - time.Minute},
		`["00:00:01","00:00"]`: {Open: time.Second},
	} {
		var w sla.Window
		require.NoError(t, json.Unmarshal([]byte(text), &w), text)
		require.Equal(t, want, w)
		back, err := json.Marshal(w)
		require.NoError(t, err)
		require.Equal(t, text, string(back))
	}
	require.Equal(t, "09:00–17:00", sla.Window{Open: 9 * time.Hour, Close: 17 * time.Hour}.String())
	require.Equal(t, "22:00:05–24:00", sla.Window{Open: 22*time.Hour + 5*time.Second, Close: 24 * time.Hour}.String())

	for _, bad := range []string{
		`[]`, `["09:00"]`, `["09:00","17:00","18:00"]`, `"09:00-17:00"`, `{}`, `["9:00","17:00"]`, `["09:00","24:01"]`,
		`["24:00","06:00"]`, `["09:60","17:00"]`, `["09:00:60","17:00"]`, `["09:00",17]`, `["09.00","17:00"]`,
		`["09:00:0","17:00"]`, `["-9:00","17:00"]`, `["09:00","17:00:00.5"]`, `["09:00",null]`,
	} {
		var w sla.Window
		require.ErrorIs(t, json.Unmarshal([]byte(bad), &w), sla.ErrInvalid, bad)
	}
	for _, none := range []sla.Window{
		{Open: 24 * time.Hour}, {Open: -1}, {Close: 25 * time.Hour}, {Open: time.Millisecond, Close: time.Hour},
		{Close: time.Hour + time.Millisecond}, {Close: -time.Hour},
	} {
		_, err := json.Marshal(none)
		require.ErrorIs(t, err, sla.ErrInvalid)
	}
}

func TestWeekText(t *testing.T) {
	week := sla.MondayToFriday(sla.Window{Open: 9 * time.Hour, Close: 17 * time.Hour})
	week[time.Sunday] = []sla.Window{{Open: 10 * time.Hour, Close: 12 * time.Hour}, {Open: 13 * time.Hour, Close: 14 * time.Hour}}
	week[time.Tuesday] = nil
	text, err := json.Marshal(week)
	require.NoError(t, err)
	require.Equal(t, `{"mon":[["09:00","17:00"]],"wed":[["09:00","17:00"]],"thu":[["09:00","17:00"]],"fri":[["09:00","17:00"]],`+
		`"sun":[["10:00","12:00"],["13:00","14:00"]]}`, string(text))
	var back sla.Week
	require.NoError(t, json.Unmarshal(text, &back))
	require.Equal(t, week, back)

	require.False(t, week.IsZero())
	require.True(t, sla.Week{}.IsZero())
	require.True(t, sla.EveryDay().IsZero())
	text, err = json.Marshal(sla.Week{})
	require.NoError(t, err)
	require.Equal(t, "{}", string(text))
	_, err = json.Marshal(sla.EveryDay(sla.Window{Open: -1}))
	require.ErrorIs(t, err, sla.ErrInvalid)

	var w sla.Week
	err = json.Unmarshal([]byte(`{"mon":[["9","17:00"]],"Tue":[],"wed":{},"mon":[],"sun":[["10:00","12:00"]]}`), &w)
	require.ErrorIs(t, err, sla.ErrInvalid)
	require.Equal(t, []string{"mon[0][0]", "Tue", "wed", "mon"}, fields(err))
	require.Equal(t, sla.Week{time.Monday: {{}}, time.Sunday: {{Open: 10 * time.Hour, Close: 12 * time.Hour}}}, w, "what could be read")
	require.NoError(t, json.Unmarshal([]byte("null"), &w))
}

// fields lists the fields of the findings in an error.
func fields(err error) []string {
	var names []string
	for _, one := range sla.Findings(err) {
		names = append(names, one.Field)
	}
	return names
}
