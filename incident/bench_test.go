package incident_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/looplab/fsm"
	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/incident"
	"github.com/go-itsm/itsm/sla"
	"github.com/go-itsm/itsm/storage/memory"
)

// life is what usually happens to an incident after it was reported.
var life = list(
	incident.Assign{Group: "messaging", Person: "mia"},
	incident.Start{},
	incident.Note{Text: "We are on it; mail should be back within the hour.", Public: true},
	incident.PutOnHold{Reason: incident.AwaitingVendor, Note: "waiting for the spare disk"},
	incident.Resume{},
	incident.Note{Text: "the disk is in, the file system is being checked"},
	incident.Resolve{Code: incident.Fixed, Note: "disk replaced and file system checked"},
	incident.Close{ClosureCategory: "hardware"},
)

// fleet is how many incidents live side by side before the store is replaced, so
// that the growth of memory is not what is measured.
const fleet = 128

// quantum is how many of either are measured in turn: enough for each of them to
// make garbage of its own to be collected several times.
const quantum = 1 << 16

// bench is a desk with a fleet of incidents that go through their lives one after
// the other.
type bench struct {
	*incident.Practice
	ids  []itsm.ID
	next int
	cfg  incident.Config
}

func (w *bench) renew(b testing.TB) {
	store := memory.New[incident.Incident]()
	if w.Practice == nil {
		w.cfg.AutoClose = incident.After(72 * time.Hour)
		p, err := incident.NewPractice(store, w.cfg)
		require.NoError(b, err)
		w.Practice = p
	}
	w.Practice, w.ids, w.next = w.Over(store), w.ids[:0], 0
	for i := range fleet {
		inc, err := w.Open(mia, incident.Report{Title: fmt.Sprintf("No mail on floor %d", i), Caller: "jin", Service: "mail", Impact: 2, Urgency: 1})
		require.NoError(b, err)
		w.ids = append(w.ids, inc.ID)
	}
}

// over reports whether every life of the fleet is over.
func (w *bench) over() bool { return w.Practice == nil || w.next == len(w.ids)*len(life) }

// do does the next action: the first incident's whole life, then the second's.
func (w *bench) do(b testing.TB) {
	i := w.next
	w.next++
	if _, err := w.Do(mia, w.ids[i/len(life)], life[i%len(life)]); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkDo is one action: load, decide, commit with its history. It measures
// a bare transition of the same table in the same run, a quantum of each in
// turn, and reports how many of these one action costs.
func BenchmarkDo(b *testing.B) {
	var w bench
	bare := newTransition()
	var transitions time.Duration
	var count int
	b.ReportAllocs()
	b.ResetTimer()
	for n := 0; n < b.N; n++ {
		if w.over() {
			b.StopTimer()
			w.renew(b)
			b.StartTimer()
		}
		if n%quantum == 0 {
			b.StopTimer()
			begin := time.Now()
			for range quantum {
				bare.step(b)
			}
			transitions += time.Since(begin)
			count += quantum
			b.StartTimer()
		}
		w.do(b)
	}
	b.StopTimer()
	one := float64(transitions.Nanoseconds()) / float64(count)
	b.ReportMetric(one, "ns/transition")
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/one, "transitions/op")
}

// transition is a looplab/fsm machine on the default lifecycle's table, used as
// one should: pooled, because making one is dear.
type transition struct {
	machines sync.Pool
	steps    []step
	next     int
}

type step struct {
	from, to itsm.State
	action   string
}

func newTransition() *transition {
	l := incident.DefaultLifecycle()
	var table []fsm.EventDesc
	for from := range l.States() {
		for action, to := range l.Permitted(from) {
			table = append(table, fsm.EventDesc{Name: action, Src: []string{string(from)}, Dst: string(to)})
		}
	}
	t := &transition{machines: sync.Pool{New: func() any { return fsm.NewFSM(string(l.Initial()), table, nil) }}}
	state := l.Initial()
	for _, a := range life {
		to, _ := l.Can(state, a.Action())
		t.steps = append(t.steps, step{state, to, a.Action()})
		state = to
	}
	return t
}

// step takes the next transition of the usual life.
func (t *transition) step(b testing.TB) {
	s := &t.steps[t.next%len(t.steps)]
	t.next++
	m := t.machines.Get().(*fsm.FSM)
	m.SetState(string(s.from))
	err := m.Event(context.Background(), s.action)
	to := m.Current()
	t.machines.Put(m)
	if to != string(s.to) || err != nil && s.from != s.to {
		b.Fatal(to, err)
	}
}

// BenchmarkDoPromised is one action where two clocks follow it, the usual response
// and resolution: five of the eight actions of a life move one of them.
func BenchmarkDoPromised(b *testing.B) {
	book, err := sla.NewBook(office(b), []sla.Agreement{gold(
		incident.ResponseMetric("office", sla.GoalRule{Within: time.Hour}),
		incident.ResolutionMetric("office", sla.GoalRule{Within: 8 * time.Hour}),
	)})
	require.NoError(b, err)
	w := bench{cfg: incident.Config{Agreements: book}}
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		if w.over() {
			b.StopTimer()
			w.renew(b)
			b.StartTimer()
		}
		w.do(b)
	}
}

// BenchmarkTransition is what BenchmarkDo is compared with: one transition and
// nothing else.
func BenchmarkTransition(b *testing.B) {
	t := newTransition()
	b.ReportAllocs()
	for b.Loop() {
		t.step(b)
	}
}

func BenchmarkOpen(b *testing.B) {
	var w bench
	report := incident.Report{Title: "No mail", Caller: "jin", Service: "mail", Impact: 2, Urgency: 1}
	b.ReportAllocs()
	b.ResetTimer()
	for n := 0; n < b.N; n++ {
		if n%fleet == 0 {
			b.StopTimer()
			w.renew(b)
			b.StartTimer()
		}
		if _, err := w.Open(mia, report); err != nil {
			b.Fatal(err)
		}
	}
}

// halfway returns a fleet of which each has begun.
func halfway(b *testing.B) *bench {
	w := new(bench)
	w.renew(b)
	for w.next < len(w.ids)*3 {
		w.do(b)
	}
	return w
}

func BenchmarkGet(b *testing.B) {
	w := halfway(b)
	b.ReportAllocs()
	for n := 0; b.Loop(); n++ {
		if _, err := w.Get(mia, w.ids[n%fleet]); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCheck(b *testing.B) {
	w := halfway(b)
	b.ReportAllocs()
	for n := 0; b.Loop(); n++ {
		if _, err := w.Check(mia, w.ids[n%fleet], life[6]); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkWhyNot(b *testing.B) {
	w := halfway(b)
	b.ReportAllocs()
	for n := 0; b.Loop(); n++ {
		if _, err := w.WhyNot(mia, w.ids[n%fleet]); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkReplay folds the nine events of a usual life.
func BenchmarkReplay(b *testing.B) {
	w := new(bench)
	w.renew(b)
	for !w.over() {
		w.do(b)
	}
	b.ReportAllocs()
	for n := 0; b.Loop(); n++ {
		if _, err := w.Replay(w.History(mia, w.ids[n%fleet])); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(1+len(life)), "ns/event")
}

// BenchmarkResolveCascade resolves a parent with ten children in one commit.
func BenchmarkResolveCascade(b *testing.B) {
	b.ReportAllocs()
	for range b.N {
		b.StopTimer()
		d := newDesk(b, incident.Config{Children: incident.ChildrenCascade})
		parent := d.open().ID
		for range 10 {
			d.open(incident.SetParent{Parent: parent})
		}
		b.StartTimer()
		if _, err := d.Do(mia, parent, resolve); err != nil {
			b.Fatal(err)
		}
	}
}
