package valuechain_test

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/valuechain"
)

// full is a log of 141,712 entries, as many as the full UCI log has: its sample again
// and again, or where the sample is not here, random cases of its size.
func full(b *testing.B) valuechain.Log {
	const size = 141_712
	var l valuechain.Log
	rnd := rand.New(rand.NewPCG(1, 1))
	states := []string{"New", "Active", "Awaiting User Info", "Awaiting Vendor", "Resolved", "Closed"}
	var sample valuechain.Log
	if _, err := os.Stat(logPath("uci498_sample500.csv.gz")); err == nil {
		sample = uci(b)
	}
	for n := 0; n < size; {
		var tr valuechain.Trace
		if len(sample.Traces) > 0 {
			tr = sample.Traces[len(l.Traces)%len(sample.Traces)]
		} else {
			for i := range 2 + rnd.IntN(12) {
				tr.Entries = append(tr.Entries, valuechain.Entry{Activity: states[rnd.IntN(len(states))], At: at(i)})
			}
		}
		tr.Case = fmt.Sprint(len(l.Traces))
		tr.Entries = tr.Entries[:min(len(tr.Entries), size-n)]
		n += len(tr.Entries)
		l.Traces = append(l.Traces, tr)
	}
	require.Equal(b, size, l.Entries())
	return l
}

func BenchmarkDirectlyFollows(b *testing.B) {
	l := full(b)
	b.Run("141712", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			valuechain.DirectlyFollows(l)
		}
	})
}

func BenchmarkConform(b *testing.B) {
	l := full(b).Map(incidentState)
	life := incidentLife(b)
	b.Run("141712", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			valuechain.Conform(life, l, valuechain.ConformOptions{States: true})
		}
	})
}

func BenchmarkVariants(b *testing.B) {
	l := full(b)
	b.Run("141712", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			valuechain.Variants(l)
		}
	})
}

// BenchmarkRun is one event of the feed, with 1,000 pieces of work in the stream.
func BenchmarkRun(b *testing.B) {
	r := newRun(b, valuechain.RestorationStream(), valuechain.Options{})
	var events []itsm.Event
	f := newFeeder(func(e itsm.Event) { events = append(events, e) })
	for i := range 1000 {
		f.do(i, fmt.Sprint("incident:i", i), "report", "new", nil)
	}
	for i := range 1000 {
		f.do(1000+i, fmt.Sprint("incident:i", i), "start", "in_progress", nil)
		f.do(1000+i, fmt.Sprint("incident:i", i), "hold", "on_hold", nil)
	}
	for _, e := range events {
		r.Add(e)
	}
	b.Run("event", func(b *testing.B) {
		b.ReportAllocs()
		next, version := 1000, itsm.Version(10)
		for b.Loop() {
			e := events[next]
			e.Version = version
			r.Add(e)
			if next++; next == len(events) {
				next, version = 1000, version+1
			}
		}
	})
	b.Run("report", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			r.Report(day, day.Add(1000*time.Hour))
		}
	})
}

func BenchmarkXES(b *testing.B) {
	x := full(b).XES()
	var file bytes.Buffer
	require.NoError(b, valuechain.WriteXES(&file, x))
	b.Run("write", func(b *testing.B) {
		b.ReportAllocs()
		b.SetBytes(int64(file.Len()))
		for b.Loop() {
			_ = valuechain.WriteXES(io.Discard, x)
		}
	})
	b.Run("read", func(b *testing.B) {
		b.ReportAllocs()
		b.SetBytes(int64(file.Len()))
		for b.Loop() {
			if _, err := valuechain.ReadXES(bytes.NewReader(file.Bytes())); err != nil {
				b.Fatal(err)
			}
		}
	})
}
