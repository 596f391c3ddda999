package sla_test

import (
	"encoding/json"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm/sla"
)

// FuzzCalendar reads any text as a calendar and asks it about any instants of
// the years 1 to 9999: nothing may panic or go on for ever, a refusal says what
// is wrong, and answers agree with each other.
func FuzzCalendar(f *testing.F) {
	year := int64(365 * 86400)
	for _, text := range []string{
		full,
		`{"tz":"UTC","weekly":{"mon":[["00:00","24:00"]]}}`,
		`{"tz":"America/Santiago","weekly":{"sun":[["23:00","01:00"]],"sat":[["00:00","00:00"]]},"holidays":["easter-2"]}`,
		`{"tz":"Pacific/Apia","weekly":{"fri":[["09:00:01","09:00:00"]]},"editions":[{"from":"2011-12-30"}]}`,
		`{"op":"difference","of":[{"tz":"UTC","weekly":{"mon":[["00:00","24:00"]]}},{"tz":"Asia/Tokyo","weekly":{"mon":[["09:00","10:00"]]}}]}`,
		`{"op":"intersection","of":[{"op":"union","of":[{"tz":"Europe/Berlin","weekly":{"sun":[["01:00","04:00"]]}}]},{"tz":"America/New_York","weekly":{"sat":[["12:00","24:00"]]}}]}`,
		`{"tz":"UTC","exceptions":{"9999-12-31":[["22:00","06:00"]],"0001-01-01":[["00:00","00:00:01"]]}}`,
		`{"tz":"UTC","weekly":{"mon":[]},"holidays":["12-25 or next weekday","01-01 or nearest weekday"]}`,
		`{"tz":"Local"}`, `{"op":"union"}`, `[]`, `{"tz":"UTC","tz":"UTC"}`, "{\"\xff\":1}", `{"holidays":[{"on":"last fri of nov"}]}`,
	} {
		f.Add(text, int64(0), int64(0), int64(8*time.Hour))
		f.Add(text, 56*year, 55*year+12_345, int64(math.MinInt64))
		f.Add(text, -1969*year, 8029*year, int64(math.MaxInt64))
	}
	f.Fuzz(func(t *testing.T, text string, from, length, d int64) {
		c, err := sla.ParseCalendar([]byte(text))
		if err != nil {
			requireFindings(t, err)
			return
		}
		h, err := c.CompileFor(sla.Horizon{From: date(2020, 1, 1), To: date(2030, 1, 1)})
		if err != nil {
			requireFindings(t, err)
			return
		}
		form, err := json.Marshal(c)
		require.NoError(t, err)
		back, err := sla.ParseCalendar(form)
		require.NoError(t, err)
		require.Equal(t, c, back)

		// Seconds of the years 1 to 9999.
		clamp := func(sec int64) int64 {
			return yearOne + int64(uint64(sec-yearOne)%uint64(yearTenThou-yearOne))
		}
		a := time.Unix(clamp(from), int64(uint64(length)%1e9)).UTC()
		b := time.Unix(clamp(from+length), int64(uint64(from)%1e9)).UTC()
		if b.Before(a) {
			a, b = b, a
		}
		checkAnswers(t, h, a, b, time.Duration(d))
	})
}

// FuzzHours compares random calendars, of which the numbers choose one, with the
// oracle: some days of any year from 1 to 9999.
func FuzzHours(f *testing.F) {
	names := zones(f)
	for i := range int64(20) {
		f.Add(uint64(i), i*15_000_000_000, i*50_000)
	}
	f.Fuzz(func(t *testing.T, seed uint64, from, length int64) {
		m := newMaker(seed)
		c := m.calendar(names[m.IntN(len(names))])
		if m.IntN(3) == 0 {
			c = sla.Difference(c, m.calendar(names[m.IntN(len(names))]))
		}
		h, err := c.CompileFor(sla.Horizon{From: date(2026, 1, 1), To: date(2027, 1, 1)})
		if err != nil {
			require.EqualError(t, err, "never opens")
			return
		}
		a := time.Unix(yearOne+int64(uint64(from)%uint64(yearTenThou-yearOne)), int64(seed%1e9)).UTC()
		b := a.Add(time.Duration(uint64(length)%uint64(30*24*time.Hour/time.Second)) * time.Second)
		compareAt(t, h, newOracle(t, c), a, b)
	})
}

func requireFindings(t *testing.T, err error) {
	t.Helper()
	require.ErrorIs(t, err, sla.ErrInvalid)
	require.NotEmpty(t, sla.Findings(err))
	for _, one := range sla.Findings(err) {
		require.NotEmpty(t, one.Reason)
	}
}

// checkAnswers holds what is asked of a calendar against what else it says.
func checkAnswers(t *testing.T, h *sla.Hours, a, b time.Time, d time.Duration) {
	t.Helper()
	const ever = time.Duration(math.MaxInt64)
	open := h.Between(a, b)
	require.GreaterOrEqual(t, open, time.Duration(0))
	require.LessOrEqual(t, open, b.Sub(a))
	if open > 0 && open < ever {
		require.Equal(t, open, h.Between(a, h.Add(a, open)))
		require.Equal(t, open, h.Between(h.Add(b, -open), b))
		require.False(t, h.Add(a, open).After(b))
		require.False(t, h.Add(b, -open).Before(a))
	}
	switch x := h.Add(a, d); {
	case d == 0:
		require.Equal(t, a, x)
	case x.IsZero():
	case d > 0:
		require.Equal(t, d, h.Between(a, x))
		require.Less(t, h.Between(a, x.Add(-1)), d)
	case d > -ever:
		require.Equal(t, -d, h.Between(x, a))
		require.Less(t, h.Between(x.Add(1), a), -d)
	}
	require.Equal(t, h.IsOpen(a), h.Closed(a) == "")
	next := h.NextOpen(a)
	if h.IsOpen(a) {
		require.Equal(t, a, next)
	} else if !next.IsZero() {
		require.True(t, next.After(a) && h.IsOpen(next) && !h.IsOpen(next.Add(-1)))
		require.Zero(t, h.Between(a, next))
	}
	if closes := h.NextClose(a); !closes.IsZero() {
		require.True(t, closes.After(a) && !h.IsOpen(closes) && h.IsOpen(closes.Add(-1)))
		require.False(t, next.IsZero())
		require.Equal(t, min(ever, closes.Sub(next)), h.Between(a, closes))
	}
	if opened := h.PreviousOpen(b); !opened.IsZero() {
		require.True(t, !opened.After(b) && h.IsOpen(opened) && !h.IsOpen(opened.Add(-1)))
	}
	if closed := h.PreviousClose(b); !closed.IsZero() {
		require.True(t, !closed.After(b) && !h.IsOpen(closed) && h.IsOpen(closed.Add(-1)))
	}
	// The first openings, which add up.
	var sum time.Duration
	last, n := a, 0
	for o := range h.Openings(a, b) {
		require.True(t, o.Open.Before(o.Close) && !o.Open.Before(last) && !o.Close.After(b))
		if sum += o.Close.Sub(o.Open); o.Close.Sub(a) == ever {
			return
		}
		last = o.Close
		if n++; n == 50 {
			break
		}
	}
	require.Equal(t, h.Between(a, last), sum)
	if n < 50 {
		require.Equal(t, open, sum)
	}
}
