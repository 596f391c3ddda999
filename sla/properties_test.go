package sla_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm/sla"
)

// properties calls check for random calendars of random zones, of which some are
// combined, each compiled for the years 1970 to 2100.
func properties(t *testing.T, seed uint64, rounds int, check func(m maker, h *sla.Hours, loc *time.Location)) {
	t.Helper()
	if long() {
		rounds *= 100
	}
	names := zones(t)
	for round := range rounds {
		m := newMaker(seed + uint64(round))
		zone := names[m.IntN(len(names))]
		c := m.calendar(zone)
		switch other := m.calendar(names[m.IntN(len(names))]); m.IntN(6) {
		case 0:
			c = sla.Union(c, other)
		case 1:
			c = sla.Intersection(c, other)
		case 2:
			c = sla.Difference(c, other)
		}
		h, err := c.Compile()
		if err != nil {
			require.EqualError(t, err, "never opens")
			continue
		}
		loc, err := time.LoadLocation(zone)
		require.NoError(t, err)
		check(m, h, loc)
	}
}

// TestAddAndBetweenAreInverse: Add finds the earliest instant at which Between
// reaches a duration, forwards, and the latest one from which it does, backwards.
func TestAddAndBetweenAreInverse(t *testing.T) {
	properties(t, 1_000, 80, func(m maker, h *sla.Hours, loc *time.Location) {
		for range 10 {
			x := m.instant(h.Calendar(), loc)
			d := time.Duration(1 + m.Int64N(int64(3_000*time.Hour)))
			if later := h.Add(x, d); !later.IsZero() {
				require.False(t, later.Before(x))
				require.Equal(t, d, h.Between(x, later))
				require.Equal(t, d-1, h.Between(x, later.Add(-1)), "it is reached earlier than Add says")
			} else {
				require.Less(t, h.Between(x, time.Date(9999, 12, 31, 23, 59, 59, 999_999_999, time.UTC)), d)
			}
			if earlier := h.Add(x, -d); !earlier.IsZero() {
				require.False(t, earlier.After(x))
				require.Equal(t, d, h.Between(earlier, x))
				require.Equal(t, d-1, h.Between(earlier.Add(1), x), "it is reached from later than Add says")
			} else {
				require.Less(t, h.Between(time.Date(1, 1, 1, 0, 0, 0, 1, time.UTC), x), d)
			}
			require.True(t, h.Add(x, 0).Equal(x))
		}
	})
}

// TestBetweenIsAdditiveAndMonotone, and is never more than what has passed.
func TestBetweenIsAdditiveAndMonotone(t *testing.T) {
	properties(t, 2_000, 60, func(m maker, h *sla.Hours, loc *time.Location) {
		for range 15 {
			list := []time.Time{m.instant(h.Calendar(), loc), m.instant(h.Calendar(), loc), m.instant(h.Calendar(), loc)}
			slices.SortFunc(list, time.Time.Compare)
			a, b, c := list[0], list[1], list[2]
			require.Equal(t, h.Between(a, c), h.Between(a, b)+h.Between(b, c))
			require.GreaterOrEqual(t, h.Between(a, c), h.Between(a, b))
			require.LessOrEqual(t, h.Between(a, b), b.Sub(a))
			require.Zero(t, h.Between(b, a.Add(-1)))
			require.Zero(t, h.Between(a, a))
			d, e := time.Duration(m.Int64N(1e15)), time.Duration(m.Int64N(1e15))
			if half := h.Add(a, d); !half.IsZero() && d > 0 && e > 0 {
				require.Equal(t, h.Add(a, d+e), h.Add(half, e), "adding twice is adding the sum")
			}
			if later := h.Add(b, d); !later.IsZero() {
				require.False(t, later.Before(h.Add(a, d)), "who starts earlier is not later")
			}
		}
	})
}

// TestOpeningsAddUp: they are in order, apart, open, closed in between, and add
// up to what Between says.
func TestOpeningsAddUp(t *testing.T) {
	properties(t, 3_000, 80, func(m maker, h *sla.Hours, loc *time.Location) {
		for range 5 {
			a := m.instant(h.Calendar(), loc)
			b := a.Add(time.Duration(m.Int64N(int64(10_000 * time.Hour))))
			var sum time.Duration
			previous := a.Add(-1)
			for o := range h.Openings(a, b) {
				require.True(t, o.Open.Before(o.Close))
				require.True(t, previous.Before(o.Open), "two openings that touch are one")
				require.False(t, o.Open.Before(a) || o.Close.After(b))
				require.True(t, h.IsOpen(o.Open) && h.IsOpen(o.Close.Add(-1)))
				require.Equal(t, o.Open, h.NextOpen(previous.Add(1)))
				require.Equal(t, "", h.Closed(o.Open))
				if o.Close.Before(b) {
					require.False(t, h.IsOpen(o.Close))
					require.NotEmpty(t, h.Closed(o.Close))
					require.Equal(t, o.Close, h.NextClose(o.Open))
					require.Equal(t, o.Close, h.PreviousClose(o.Close))
				}
				if o.Open.After(a) {
					require.False(t, h.IsOpen(o.Open.Add(-1)))
					require.Equal(t, o.Open, h.PreviousOpen(o.Close.Add(-1)))
				}
				sum += o.Close.Sub(o.Open)
				previous = o.Close
			}
			require.Equal(t, h.Between(a, b), sum)
		}
	})
}

// TestHorizonChangesNothing but the cost: the same calendar compiled for other
// years answers everything alike, from within, from outside and across the edge.
func TestHorizonChangesNothing(t *testing.T) {
	properties(t, 4_000, 100, func(m maker, h *sla.Hours, loc *time.Location) {
		from := m.date()
		to := sla.DateOf(time.Date(from.Year, from.Month, from.Day+1+m.IntN(2_000), 0, 0, 0, 0, time.UTC))
		narrow, err := h.Calendar().CompileFor(sla.Horizon{From: from, To: to})
		require.NoError(t, err)
		for range 10 {
			a, b := m.instant(h.Calendar(), loc), m.instant(h.Calendar(), loc)
			if m.IntN(2) == 0 {
				a = time.Date(from.Year, from.Month, from.Day, 0, 0, m.IntN(2_000_000)-1_000_000, 0, time.UTC)
			}
			d := time.Duration(m.Int64N(int64(20_000*time.Hour))) - 10_000*time.Hour
			require.Equal(t, h.Between(a, b), narrow.Between(a, b))
			require.Equal(t, h.Add(a, d), narrow.Add(a, d))
			require.Equal(t, h.Add(b, d), narrow.Add(b, d))
			require.Equal(t, h.IsOpen(a), narrow.IsOpen(a))
			require.Equal(t, h.NextOpen(a), narrow.NextOpen(a))
			require.Equal(t, h.NextClose(a), narrow.NextClose(a))
			require.Equal(t, h.PreviousOpen(a), narrow.PreviousOpen(a))
			require.Equal(t, h.PreviousClose(a), narrow.PreviousClose(a))
			end := a.Add(2_000 * time.Hour)
			require.Equal(t, slices.Collect(h.Openings(a, end)), slices.Collect(narrow.Openings(a, end)))
		}
	})
}

// TestAlgebraIsPointwise: a combined calendar is open exactly when its parts say
// so, whatever their zones and however deep they are nested.
func TestAlgebraIsPointwise(t *testing.T) {
	names := zones(t)
	rounds := 25
	if long() {
		rounds *= 100
	}
	for round := range rounds {
		m := newMaker(5_000 + uint64(round))
		// A random formula of some depth, and the same as a function.
		var formula func(depth int) (sla.Calendar, func(x time.Time) bool)
		formula = func(depth int) (sla.Calendar, func(x time.Time) bool) {
			if depth == 0 || m.IntN(3) == 0 {
				c := m.calendar(names[m.IntN(len(names))])
				if m.IntN(8) == 0 {
					c = sla.AlwaysOpen()
				}
				h, err := c.Compile()
				if err != nil {
					return c, func(time.Time) bool { return false }
				}
				return c, h.IsOpen
			}
			a, inA := formula(depth - 1)
			b, inB := formula(depth - 1)
			c, inC := formula(depth - 1)
			switch m.IntN(4) {
			case 0:
				return sla.Union(a, b, c), func(x time.Time) bool { return inA(x) || inB(x) || inC(x) }
			case 1:
				return sla.Intersection(a, b), func(x time.Time) bool { return inA(x) && inB(x) }
			case 2:
				return sla.Difference(a, b), func(x time.Time) bool { return inA(x) && !inB(x) }
			default:
				return sla.Calendar{Op: sla.OpDifference, Of: []sla.Calendar{a, b, c}}, func(x time.Time) bool { return inA(x) && !inB(x) && !inC(x) }
			}
		}
		c, open := formula(2)
		h, err := c.Compile()
		if err != nil {
			require.EqualError(t, err, "never opens")
		}
		for range 300 {
			x := m.instant(c, time.UTC)
			if err != nil {
				require.False(t, open(x))
				continue
			}
			require.Equal(t, open(x), h.IsOpen(x))
			require.Equal(t, open(x), h.Closed(x) == "")
			// Just before and after each edge, where mistakes are.
			for _, edge := range []time.Time{h.NextClose(x), h.PreviousClose(x), h.PreviousOpen(x)} {
				if !edge.IsZero() {
					require.Equal(t, open(edge), h.IsOpen(edge))
					require.Equal(t, open(edge.Add(-1)), h.IsOpen(edge.Add(-1)))
					require.NotEqual(t, h.IsOpen(edge), h.IsOpen(edge.Add(-1)))
				}
			}
		}
	}
}

// TestFarWalks: what has to go through the millennia ends soon.
func TestFarWalks(t *testing.T) {
	tokyo := officeBerlin()
	tokyo.Zone = "Asia/Tokyo"
	newYork := officeBerlin()
	newYork.Zone = "America/New_York"
	now, end := utc(t, "2026-01-05T12:00:00Z"), utc(t, "9999-12-31T00:00:00Z")
	rare := officeBerlin()
	rare.Weekly = sla.Week{time.Monday: {{Open: at(9, 0), Close: at(9, 0) + time.Second}}}
	for name, h := range map[string]*sla.Hours{
		"office":      compile(t, officeBerlin()),
		"three zones": compile(t, sla.Union(officeBerlin(), tokyo, newYork)),
		"rare":        compile(t, rare),
		"always":      compile(t, sla.AlwaysOpen()),
	} {
		began := time.Now()
		sum := h.Between(now, end)
		got := h.Add(now, sum)
		require.False(t, got.IsZero() || got.After(end), name)
		require.Equal(t, sum, h.Between(now, got), name)
		if name == "rare" {
			require.Zero(t, h.Add(now, sum+time.Hour), name)
			require.Zero(t, h.Add(now, -sum), name)
		}
		t.Logf("%s: %v", name, time.Since(began))
		require.Less(t, time.Since(began), 20*time.Second, "%s: a walk that does not end", name)
	}
}
