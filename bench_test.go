package itsm_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/looplab/fsm"
	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/storage/memory"
)

// A lamp is as small as a record can be, so that what is measured is the kernel.
type lamp struct {
	itsm.Meta
	By string `json:"by"`
}

type (
	install struct{}
	light   struct {
		By string `json:"by"`
	}
	dim struct {
		Why string `json:"why"`
	}
	scrap struct{}
)

func (install) Action() string { return "install" }
func (light) Action() string   { return "light" }
func (dim) Action() string     { return "dim" }
func (scrap) Action() string   { return "scrap" }

func (install) Apply(*lamp, itsm.Moment) error { return nil }
func (dim) Apply(*lamp, itsm.Moment) error     { return nil }
func (scrap) Apply(*lamp, itsm.Moment) error   { return nil }
func (a light) Apply(r *lamp, _ itsm.Moment) error {
	r.By = a.By
	return nil
}

func lamps(tb testing.TB) *itsm.Practice[lamp] { return lampsWith(tb, itsm.Config{}) }

func lampsWith(tb testing.TB, cfg itsm.Config) *itsm.Practice[lamp] {
	spec := itsm.LifecycleSpec{Name: "lamp", Create: "install", Initial: "dark",
		States: []itsm.State{"dark", "lit", "gone"}, Ends: []itsm.State{"gone"}}
	spec.Allow("light", "lit", "dark")
	spec.Allow("dim", "dark", "lit")
	spec.Allow("scrap", "gone", "dark", "lit")
	l, err := itsm.NewLifecycle(spec)
	require.NoError(tb, err)
	p, err := itsm.NewPractice(itsm.Definition[lamp]{
		Prefix: "lmp", Lifecycle: l, Actions: []itsm.Action[lamp]{install{}, light{}, dim{}, scrap{}},
	}, memory.New[lamp](), cfg)
	require.NoError(tb, err)
	return p
}

// BenchmarkDo is one action over the memory store: load, decide, commit with its
// history. In the same run, in turns of quantum actions, it measures one pooled
// transition of a bare looplab/fsm machine with the same table, and reports how
// many of those one action costs. Package incident has the same for a record of
// more than a kilobyte.
func BenchmarkDo(b *testing.B) {
	const quantum, actionsEach = 4096, 8
	ctx := itsm.As(context.Background(), "jin")
	p := lamps(b)
	actions := []itsm.Action[lamp]{light{By: "jin"}, dim{Why: "nobody is here"}}
	ids := make([]itsm.ID, quantum/actionsEach)
	bare := bareMachines(p.Lifecycle())
	var transitions time.Duration
	count := 0
	b.ReportAllocs()
	for n := 0; b.Loop(); n++ {
		if n%quantum == 0 {
			b.StopTimer()
			p = p.Over(memory.New[lamp]())
			for i := range ids {
				r, err := p.Create(ctx, install{})
				require.NoError(b, err)
				ids[i] = r.ID
			}
			begin := time.Now()
			for i := range quantum {
				bare(b, i%2 == 0)
			}
			transitions += time.Since(begin)
			count += quantum
			b.StartTimer()
		}
		if _, err := p.Do(ctx, ids[n%quantum/actionsEach], actions[n%2]); err != nil {
			b.Fatal(err)
		}
	}
	one := float64(transitions.Nanoseconds()) / float64(count)
	b.ReportMetric(one, "ns/transition")
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/one, "transitions/op")
}

// bareMachines returns one transition of a pooled machine, back or forth.
func bareMachines(l *itsm.Lifecycle) func(testing.TB, bool) {
	var table []fsm.EventDesc
	for from := range l.States() {
		for action, to := range l.Permitted(from) {
			table = append(table, fsm.EventDesc{Name: action, Src: []string{string(from)}, Dst: string(to)})
		}
	}
	pool := sync.Pool{New: func() any { return fsm.NewFSM(string(l.Initial()), table, nil) }}
	return func(tb testing.TB, forth bool) {
		from, action, to := "dark", "light", "lit"
		if !forth {
			from, action, to = "lit", "dim", "dark"
		}
		m := pool.Get().(*fsm.FSM)
		m.SetState(from)
		if err := m.Event(context.Background(), action); err != nil || m.Current() != to {
			tb.Fatal(m.Current(), err)
		}
		pool.Put(m)
	}
}
