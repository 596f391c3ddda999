package sla_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm/sla"
)

// TestAgainstTheWall compares answers with those of the oracle: every zone of
// the IANA database, random calendars, random instants from 1970 to 2100,
// within the horizon and outside it. ITSM_LONG=1 makes more than a million
// comparisons.
func TestAgainstTheWall(t *testing.T) {
	rounds, least := 1, 20_000
	if long() {
		rounds, least = 40, 1_000_000
	}
	names := zones(t)
	compared := 0
	for round := range rounds {
		for i, name := range names {
			m := newMaker(uint64(round*len(names) + i))
			c := m.calendar(name)
			if m.IntN(5) == 0 {
				other := m.calendar(names[m.IntN(len(names))])
				c = []sla.Calendar{sla.Union(c, other), sla.Intersection(c, other), sla.Difference(c, other)}[m.IntN(3)]
			}
			compared += compare(t, m, c, name)
		}
	}
	t.Logf("%d zones, %d comparisons", len(names), compared)
	require.GreaterOrEqual(t, compared, least)
}

// compare makes some comparisons for one calendar and counts them.
func compare(t *testing.T, m maker, c sla.Calendar, zone string) int {
	t.Helper()
	loc, err := time.LoadLocation(zone)
	require.NoError(t, err)
	horizon := sla.Horizon{}
	switch m.IntN(4) {
	case 0: // everything is outside
		horizon = sla.Horizon{From: sla.Date{Year: 2200, Month: 1, Day: 1}, To: sla.Date{Year: 2200, Month: 1, Day: 2}}
	case 1: // much is outside
		horizon.From = m.date()
		horizon.To = sla.DateOf(time.Date(horizon.From.Year+1, horizon.From.Month, 1, 0, 0, 0, 0, time.UTC))
	}
	h, err := c.CompileFor(horizon)
	if err != nil {
		require.EqualError(t, err, "never opens")
		return 0
	}
	o := newOracle(t, c)
	compared := 0
	for range 3 {
		a := m.instant(c, loc)
		b := a.Add(time.Duration(m.IntRange(0, 20*86400))*time.Second + time.Duration(m.Int64N(1e9))).In(loc)
		compared += compareAt(t, h, o, a, b)
	}
	return compared
}

func compareAt(t *testing.T, h *sla.Hours, o *oracle, a, b time.Time) int {
	t.Helper()
	same := func(want, got any, what string) {
		if want != got {
			text, err := json.MarshalIndent(h.Calendar(), "", " ")
			require.NoError(t, err)
			require.Equal(t, want, got, "%s from %v to %v in\n%s", what, a, b, text)
		}
	}
	want := o.openings(a.UTC(), b.UTC())
	i := 0
	for got := range h.Openings(a, b) {
		require.Less(t, i, len(want))
		same(want[i], got, "Openings")
		i++
	}
	same(len(want), i, "number of Openings")
	open := o.between(a, b)
	same(open, h.Between(a, b), "Between")
	same(time.Duration(0), h.Between(b, a.Add(-1)), "Between, turned")
	same(o.open(a.Unix()), h.IsOpen(a), "IsOpen")
	same(o.open(b.Unix()), h.IsOpen(b), "IsOpen")
	same(o.open(a.Unix()), h.Closed(a) == "", "Closed")
	compared := 7 + i
	if len(want) == 0 {
		return compared
	}
	first, last := want[0], want[len(want)-1]
	same(first.Open, h.NextOpen(a), "NextOpen")
	// An opening that is cut at b or a may go on.
	if first.Close.Before(b) {
		same(first.Close, h.NextClose(a), "NextClose")
		compared++
	}
	if last.Open.After(a) {
		same(last.Open, h.PreviousOpen(b.Add(-1)), "PreviousOpen")
		compared++
	}
	if last.Close.Before(b) {
		same(last.Close, h.PreviousClose(b), "PreviousClose")
		compared++
	} else if len(want) > 1 && b.Nanosecond() > 0 {
		same(want[len(want)-2].Close, h.PreviousClose(b), "PreviousClose")
		compared++
	}
	// The earliest instant at which all of it is reached, the latest from which
	// it is, and one in the middle.
	same(last.Close, h.Add(a, open), "Add")
	same(first.Open, h.Add(b, -open), "Add, negative")
	half := open/2 + 1
	if open > 1 {
		same(reach(want, half), h.Add(a, half), "Add, half")
		same(reachBack(want, half), h.Add(b, -half), "Add, negative half")
		compared += 2
	}
	return compared + 3
}

// reach returns the earliest instant at which openings add up to d.
func reach(openings []sla.Opening, d time.Duration) time.Time {
	for _, o := range openings {
		if length := o.Close.Sub(o.Open); d > length {
			d -= length
			continue
		}
		return o.Open.Add(d)
	}
	return time.Time{}
}

// reachBack returns the latest instant from which they do.
func reachBack(openings []sla.Opening, d time.Duration) time.Time {
	for i := len(openings) - 1; i >= 0; i-- {
		if length := openings[i].Close.Sub(openings[i].Open); d > length {
			d -= length
			continue
		}
		return openings[i].Close.Add(-d)
	}
	return time.Time{}
}
