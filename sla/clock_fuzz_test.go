package sla_test

import (
	"encoding/binary"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm/sla"
)

// FuzzClock makes marks of any bytes, at any time from year 1 to 9999, and reads
// the clock at any time: it must not panic, and what it says must add up.
func FuzzClock(f *testing.F) {
	f.Add([]byte{0, 0, 0, 0, 0, 0, 0, 1, 0}, int64(1000), int64(50))
	f.Add([]byte("start at nine, pause at ten, and resume whenever it is convenient"), int64(math.MaxInt64), int64(math.MaxInt64))
	begin, end := time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC).Unix(), time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC).Unix()
	instant := func(n int64) time.Time {
		span := end - begin
		return time.Unix(begin+((n%span)+span)%span, ((n%1e9)+1e9)%1e9).UTC()
	}
	other := map[string]*sla.Hours{}
	for _, h := range calendars() {
		other[h.Ref()] = h
	}
	f.Fuzz(func(t *testing.T, data []byte, now, within int64) {
		target := sla.Target{Terms: sla.Terms{Calendar: "day@0", Goal: sla.Goal{Within: time.Duration(within)}}}
		for len(data) >= 9 && len(target.Marks) < 20 {
			n := int64(binary.BigEndian.Uint64(data))
			m := sla.Mark{At: instant(n), Do: sla.Steps()[int(data[8])%len(sla.Steps())]}
			switch data[8] / 16 % 4 {
			case 0: // near the one before, as most marks are
				if k := len(target.Marks); k > 0 {
					m.At = target.Marks[k-1].At.Add(time.Duration(n % int64(100*time.Hour)))
				}
			case 1:
				m.Base = sla.FromNow
			case 2:
				m.Goal = sla.Goal{Within: time.Duration(n)}
			case 3:
				m.Calendar = "around@0"
			}
			if m.Do == sla.SetCalendar && m.Calendar == "" {
				m.Calendar = "around@0"
			}
			data = data[9:]
			target.Marks = append(target.Marks, m)
		}
		c, err := sla.Calendars(other).Clock(target)
		if err != nil {
			require.NotEmpty(t, sla.Findings(err))
			return
		}
		at := instant(now)
		r := c.At(at)
		require.Contains(t, sla.States(), r.State)
		require.GreaterOrEqual(t, r.Elapsed, time.Duration(0))
		if r.State == sla.Pending || r.Wall > 100*365*24*time.Hour {
			return // explaining thousands of years takes a while
		}
		require.LessOrEqual(t, r.Elapsed, r.Wall)
		var counted, all time.Duration
		for _, s := range c.Explain(at).Stretches {
			require.True(t, s.To.After(s.From))
			all += s.Length()
			if s.Counted {
				counted += s.Length()
			}
		}
		require.Equal(t, r.Elapsed, counted)
		require.Equal(t, r.Wall, all)
		if (r.State == sla.Running || r.State == sla.Paused) && !r.Projected.IsZero() {
			require.False(t, r.Projected.Before(at), "what is not past its goal will be later")
		}
	})
}
