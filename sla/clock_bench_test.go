package sla_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm/sla"
)

// BenchmarkMillionClocks reads a million running clocks of different ages at one
// moment: what a dashboard does, or a host that looks for what is due.
func BenchmarkMillionClocks(b *testing.B) {
	const fleet = 1_000_000
	h := compile(b, office("Europe/Berlin", "day"))
	r := rand.New(rand.NewPCG(1, 2))
	now := time.Date(2026, 11, 4, 10, 30, 0, 0, time.UTC)
	clocks := make([]*sla.Clock, fleet)
	for i := range clocks {
		start := now.Add(-time.Duration(r.IntN(60*86400)) * time.Second)
		marks := []sla.Mark{{At: start, Do: sla.Start}}
		if i%3 == 0 {
			marks = append(marks, sla.Mark{At: start.Add(now.Sub(start) / 3), Do: sla.Pause}, sla.Mark{At: start.Add(now.Sub(start) / 2), Do: sla.Resume})
		}
		var err error
		clocks[i], err = sla.NewClock(sla.Goal{Within: time.Duration(1+r.IntN(300)) * time.Hour}, h, marks...)
		require.NoError(b, err)
	}
	b.ReportAllocs()
	for b.Loop() {
		late := 0
		for _, c := range clocks {
			if c.At(now).State == sla.Breached {
				late++
			}
		}
		if late == 0 || late == fleet {
			b.Fatal(late)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/fleet, "ns/clock")
}

// Reading a running clock allocates nothing.
func TestReadingAClockDoesNotAllocate(t *testing.T) {
	h := compile(t, office("Europe/Berlin", "day"))
	now := time.Date(2026, 11, 4, 10, 30, 0, 0, time.UTC)
	for _, marks := range [][]sla.Mark{
		{{At: now.AddDate(-1, 0, 0), Do: sla.Start}},
		{{At: now.AddDate(0, 0, -3), Do: sla.Start}, {At: now.AddDate(0, 0, -2), Do: sla.Pause}},
		{{At: now.AddDate(0, 0, -3), Do: sla.Start}, {At: now.AddDate(0, 0, -2), Do: sla.Stop}},
	} {
		c, err := sla.NewClock(sla.Goal{Within: 100 * time.Hour}, h, marks...)
		require.NoError(t, err)
		require.Zero(t, testing.AllocsPerRun(100, func() { c.At(now) }))
	}
}
