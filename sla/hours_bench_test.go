package sla_test

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"sort"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm/sla"
)

// officeBerlin is what the measurements are made with: eight hours a day, clocks
// that change, and the holidays of a German state.
func officeBerlin() sla.Calendar {
	return sla.Calendar{
		Name: "Berlin office",
		Zone: "Europe/Berlin",
		Rules: sla.Rules{
			Weekly: sla.MondayToFriday(sla.Window{Open: 9 * time.Hour, Close: 17 * time.Hour}),
			Holidays: []sla.Holiday{
				{On: "01-01"}, {On: "03-08"}, {On: "easter-2"}, {On: "easter+1"}, {On: "05-01"},
				{On: "easter+39"}, {On: "easter+50"}, {On: "10-03"}, {On: "12-25"}, {On: "12-26"},
			},
		},
	}
}

// spans are what is asked for: a day, a week, a year and ten years of work.
var spans = []time.Duration{8 * time.Hour, 40 * time.Hour, 2_000 * time.Hour, 20_000 * time.Hour}

// starts returns instants from all over thirty years, the same in every run, as
// tickets do not come in the order of the table.
func starts() []time.Time {
	r := rand.New(rand.NewPCG(1, 2))
	list := make([]time.Time, 1024)
	for i := range list {
		list[i] = time.Unix(946684800+r.Int64N(30*365*86400), r.Int64N(1e9)).UTC()
	}
	return list
}

// bare is the least that such a look-up can do: prefix sums over the flat list
// of openings, and buckets into it by time and by open time. It knows neither
// zones nor nanoseconds and is what ours is measured against.
type bare struct {
	open, before     []int64
	start            int64
	byTime, byOpen   []int32
	byTimeS, byOpenS uint
}

func newBare(h *sla.Hours) *bare {
	from, to := time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2101, 1, 1, 0, 0, 0, 0, time.UTC)
	b := &bare{start: from.Unix(), byTimeS: 17, byOpenS: 15}
	total := int64(0)
	for o := range h.Openings(from, to) {
		b.open, b.before = append(b.open, o.Open.Unix()), append(b.before, total)
		total += int64(o.Close.Sub(o.Open) / time.Second)
	}
	b.open, b.before = append(b.open, to.Unix()), append(b.before, total)
	index := func(keys []int64, from, to int64, shift uint) []int32 {
		list := make([]int32, (to-from)>>shift+2)
		for i := range list {
			list[i] = int32(sort.Search(len(keys), func(k int) bool { return keys[k] > from+int64(i)<<shift }))
		}
		return list
	}
	b.byTime = index(b.open, b.start, to.Unix(), b.byTimeS)
	b.byOpen = index(b.before, 0, total, b.byOpenS)
	return b
}

func find(keys []int64, x int64, low, high int32) int32 {
	for low < high {
		if mid := (low + high) / 2; keys[mid] <= x {
			low = mid + 1
		} else {
			high = mid
		}
	}
	return low - 1
}

func (b *bare) rank(sec int64) int64 {
	i := (sec - b.start) >> b.byTimeS
	k := find(b.open, sec, b.byTime[i], b.byTime[i+1])
	if k < 0 {
		return 0
	}
	return min(b.before[k]+sec-b.open[k], b.before[k+1])
}

func (b *bare) add(sec, d int64) int64 {
	n := b.rank(sec) + d - 1
	i := n >> b.byOpenS
	k := find(b.before, n, b.byOpen[i], b.byOpen[i+1])
	return b.open[k] + n - b.before[k] + 1
}

func (b *bare) between(from, to int64) int64 { return b.rank(to) - b.rank(from) }

// perOp measures a function by itself, so that one benchmark can report ratios.
func perOp(b *testing.B, f func(i int)) float64 {
	b.Helper()
	const rounds, loops = 7, 100_000
	best := 0.0
	for range rounds {
		began := time.Now()
		for i := range loops {
			f(i)
		}
		if ns := float64(time.Since(began)) / loops; best == 0 || ns < best {
			best = ns
		}
	}
	return best
}

var (
	sinkTime     time.Time
	sinkDuration time.Duration
	sinkInt      int64
)

func BenchmarkAdd(b *testing.B) {
	h, err := officeBerlin().Compile()
	require.NoError(b, err)
	flat, from := newBare(h), starts()
	measure := func(d time.Duration) float64 {
		return perOp(b, func(i int) { sinkTime = h.Add(from[i&1023], d) })
	}
	short := measure(spans[0])
	for _, d := range spans {
		b.Run(fmt.Sprintf("%.0fh", d.Hours()), func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				sinkTime = h.Add(from[i&1023], d)
			}
			b.StopTimer()
			mine := measure(d)
			b.ReportMetric(mine/short, "x/8h")
			b.ReportMetric(mine/perOp(b, func(i int) { sinkInt = flat.add(from[i&1023].Unix(), int64(d/time.Second)) }), "x/bare")
		})
	}
}

func BenchmarkBetween(b *testing.B) {
	h, err := officeBerlin().Compile()
	require.NoError(b, err)
	flat, from := newBare(h), starts()
	ends := func(d time.Duration) []time.Time {
		list := make([]time.Time, len(from))
		for i := range list {
			list[i] = h.Add(from[i], d)
		}
		return list
	}
	measure := func(d time.Duration) float64 {
		to := ends(d)
		return perOp(b, func(i int) { sinkDuration = h.Between(from[i&1023], to[i&1023]) })
	}
	short := measure(spans[0])
	for _, d := range spans {
		b.Run(fmt.Sprintf("%.0fh", d.Hours()), func(b *testing.B) {
			to := ends(d)
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				sinkDuration = h.Between(from[i&1023], to[i&1023])
			}
			b.StopTimer()
			mine := measure(d)
			b.ReportMetric(mine/short, "x/8h")
			b.ReportMetric(mine/perOp(b, func(i int) { sinkInt = flat.between(from[i&1023].Unix(), to[i&1023].Unix()) }), "x/bare")
		})
	}
}

// BenchmarkCompile compiles the years 1970 to 2100 and reports what a calendar
// year costs in time, and an opening in memory, everything included.
func BenchmarkCompile(b *testing.B) {
	lunch := officeBerlin()
	lunch.Weekly = sla.MondayToFriday(
		sla.Window{Open: 9 * time.Hour, Close: 12 * time.Hour}, sla.Window{Open: 13 * time.Hour, Close: 17 * time.Hour})
	tokyo := officeBerlin()
	tokyo.Zone = "Asia/Tokyo"
	newYork := officeBerlin()
	newYork.Zone = "America/New_York"
	for _, c := range []struct {
		name     string
		calendar sla.Calendar
	}{
		{"office", officeBerlin()},
		{"lunch", lunch},
		{"three zones", sla.Union(officeBerlin(), tokyo, newYork)},
		{"always", sla.AlwaysOpen()},
	} {
		b.Run(c.name, func(b *testing.B) {
			const years = 131
			for b.Loop() {
				_, err := c.calendar.Compile()
				require.NoError(b, err)
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/years, "µs/year")
			b.StopTimer()
			h, err := c.calendar.Compile()
			require.NoError(b, err)
			openings := 0
			for range h.Openings(time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2101, 1, 1, 0, 0, 0, 0, time.UTC)) {
				openings++
			}
			bytes := heldBytes(b, c.calendar)
			b.ReportMetric(bytes/float64(openings), "B/opening")
			b.ReportMetric(bytes, "B/calendar")
		})
	}
}

// heldBytes measures what compiled calendars keep alive.
func heldBytes(b *testing.B, c sla.Calendar) float64 {
	const many = 50
	list := make([]*sla.Hours, many)
	live := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := live()
	for i := range list {
		var err error
		list[i], err = c.Compile()
		require.NoError(b, err)
	}
	after := live()
	runtime.KeepAlive(list)
	return float64(after-before) / many
}
