package compare

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/rickar/cal/v2"
	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm/sla"
)

// spans are a day, a week, a year and ten years of work.
var spans = []time.Duration{8 * time.Hour, 40 * time.Hour, 2_000 * time.Hour, 20_000 * time.Hour}

type three struct {
	compiled *sla.Hours
	rickar   *cal.BusinessCalendar
	walk     *DayWalk
	loc      *time.Location
}

func offices(t testing.TB) three {
	t.Helper()
	compiled, err := Office().Compile()
	require.NoError(t, err)
	walk, err := NewDayWalk(Office())
	require.NoError(t, err)
	return three{compiled, Rickar(), walk, walk.loc}
}

// starts returns instants of thirty years, most of them in office hours.
func starts(loc *time.Location, n int) []time.Time {
	r := rand.New(rand.NewPCG(1, 2))
	list := make([]time.Time, n)
	for i := range list {
		list[i] = time.Date(1995+r.IntN(30), 1, 1+r.IntN(365), 7+r.IntN(12), r.IntN(60), r.IntN(60), 0, loc)
	}
	return list
}

// TestAllThreeAgree on this office. A deadline at closing time is the exception:
// rickar/cal moves some of those to the next opening.
func TestAllThreeAgree(t *testing.T) {
	o := offices(t)
	compared := 0
	for i, from := range starts(o.loc, 200) {
		for _, d := range append(spans, time.Duration(i+1)*7*time.Minute+time.Second) {
			want := o.compiled.Add(from, d)
			require.Equal(t, want, o.walk.Add(from, d).UTC(), "%v and %v", from, d)
			require.Equal(t, d, o.walk.Between(from, want))
			require.Equal(t, d, o.compiled.Between(from, want))
			require.Equal(t, d, o.rickar.WorkHoursInRange(from, want.In(o.loc)), "%v to %v", from, want)
			if local := want.In(o.loc); local.Hour() != 17 {
				require.Equal(t, want, o.rickar.AddWorkHours(from, d).UTC(), "%v and %v", from, d)
				compared++
			}
		}
	}
	require.Greater(t, compared, 500)
	t.Logf("%d spans", compared)
}

// TestWalkAgreesOnNights: where days have the usual 24 hours, the walk knows as
// much as compiled hours do.
func TestWalkAgreesOnNights(t *testing.T) {
	office := Office()
	office.Zone = "Asia/Tokyo"
	office.Weekly = sla.EveryDay(sla.Window{Open: 8 * time.Hour, Close: 12 * time.Hour}, sla.Window{Open: 22 * time.Hour, Close: 6 * time.Hour})
	office.Exceptions = map[sla.Date][]sla.Window{{Year: 2026, Month: 6, Day: 1}: {{Open: 13 * time.Hour, Close: 15 * time.Hour}}}
	office.Holidays = append(office.Holidays, sla.Holiday{On: "05-04"})
	compiled, err := office.Compile()
	require.NoError(t, err)
	walk, err := NewDayWalk(office)
	require.NoError(t, err)
	from := time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC)
	for i := range 500 {
		a := from.Add(time.Duration(i) * 97 * time.Minute)
		d := time.Duration(i+1) * 31 * time.Minute
		b := compiled.Add(a, d)
		require.Equal(t, b, walk.Add(a, d).UTC())
		require.Equal(t, d, walk.Between(a, b))
	}
	office.Zone = "Atlantis"
	_, err = NewDayWalk(office)
	require.Error(t, err)
}

var (
	sinkTime     time.Time
	sinkDuration time.Duration
)

// compare measures three functions beside each other: each in turn, for some
// rounds, of which the best counts, so that what else the machine does spoils
// none of them more than another. It reports nanoseconds a call, and how many
// times the first is faster.
func compare(b *testing.B, compiled, rickar, walk func(i int)) {
	b.Helper()
	ways := []struct {
		name string
		call func(i int)
		best float64
	}{{"compiled", compiled, 0}, {"rickar", rickar, 0}, {"daywalk", walk, 0}}
	for b.Loop() {
		for range 5 {
			for k := range ways {
				way := &ways[k]
				calls, began := 0, time.Now()
				for time.Since(began) < 20*time.Millisecond {
					for range 256 {
						way.call(calls)
						calls++
						if calls&15 == 0 && time.Since(began) > 200*time.Millisecond {
							break
						}
					}
				}
				if ns := float64(time.Since(began)) / float64(calls); way.best == 0 || ns < way.best {
					way.best = ns
				}
			}
		}
	}
	b.ReportMetric(0, "ns/op")
	for _, way := range ways {
		b.ReportMetric(way.best, way.name+"-ns")
		b.ReportMetric(way.best/ways[0].best, "x-"+way.name)
	}
}

// keepDates lets rickar/cal keep every date that is asked for. Its default is
// three years of them, which ten years overflow.
func keepDates(b *testing.B) {
	before := cal.CacheMaxSize
	cal.CacheMaxSize = 100 * 366
	b.Cleanup(func() { cal.CacheMaxSize = before })
}

func BenchmarkAdd(b *testing.B) {
	keepDates(b)
	o := offices(b)
	from := starts(o.loc, 256)
	for _, d := range spans {
		b.Run(fmt.Sprintf("%.0fh", d.Hours()), func(b *testing.B) {
			compare(b,
				func(i int) { sinkTime = o.compiled.Add(from[i&255], d) },
				func(i int) { sinkTime = o.rickar.AddWorkHours(from[i&255], d) },
				func(i int) { sinkTime = o.walk.Add(from[i&255], d) })
		})
	}
}

func BenchmarkBetween(b *testing.B) {
	keepDates(b)
	o := offices(b)
	from := starts(o.loc, 256)
	for _, d := range spans {
		to := make([]time.Time, len(from))
		for i := range to {
			to[i] = o.compiled.Add(from[i], d).In(o.loc)
		}
		b.Run(fmt.Sprintf("%.0fh", d.Hours()), func(b *testing.B) {
			compare(b,
				func(i int) { sinkDuration = o.compiled.Between(from[i&255], to[i&255]) },
				func(i int) { sinkDuration = o.rickar.WorkHoursInRange(from[i&255], to[i&255]) },
				func(i int) { sinkDuration = o.walk.Between(from[i&255], to[i&255]) })
		})
	}
}
