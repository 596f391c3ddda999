package slm_test

import (
	"context"
	"fmt"
	"log"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/sla"
	"github.com/go-itsm/itsm/slm"
	"github.com/go-itsm/itsm/storage/memory"
)

// A Repair is a practice of a vendor's own.
type Repair struct {
	itsm.Meta
	slm.Clocks
	Parts string `json:"parts,omitempty"`
	Chief string `json:"chief,omitempty"`
}

type (
	accept struct{}
	order  struct {
		Parts string `json:"parts"`
	}
	arrive struct{}
	finish struct{}
	redo   struct{}
	tell   struct {
		Chief string `json:"chief"`
	}
)

func (accept) Action() string { return "accept" }
func (order) Action() string  { return "order" }
func (arrive) Action() string { return "arrive" }
func (finish) Action() string { return "finish" }
func (redo) Action() string   { return "redo" }
func (tell) Action() string   { return "tell" }

func (accept) Apply(*Repair, itsm.Moment) error { return nil }
func (a order) Apply(r *Repair, _ itsm.Moment) error {
	r.Parts = a.Parts
	return nil
}
func (arrive) Apply(r *Repair, _ itsm.Moment) error {
	r.Parts = ""
	return nil
}
func (finish) Apply(*Repair, itsm.Moment) error { return nil }
func (redo) Apply(*Repair, itsm.Moment) error   { return nil }
func (a tell) Apply(r *Repair, _ itsm.Moment) error {
	r.Chief = a.Chief
	return nil
}

// facts are what an agreement may ask about a repair.
type facts struct{ r *Repair }

func (f facts) Fact(name string) string {
	switch name {
	case "state":
		return string(f.r.State)
	case "parts":
		return f.r.Parts
	}
	return ""
}

func levels(b *sla.Book) slm.Levels[Repair] {
	return slm.Levels[Repair]{
		Book:  b,
		Of:    func(r *Repair) (service, priority string) { return "workshop", string(r.State) },
		Facts: func(r *Repair, _ itsm.Action[Repair], _ itsm.Actor) sla.Facts { return facts{r} },
		Escalate: func(_ *Repair, e sla.Escalation, _ string) itsm.Action[Repair] {
			if e.Do == sla.EscalateHierarchical {
				return tell{e.To}
			}
			return nil
		},
	}
}

func workshop(l slm.Levels[Repair], store itsm.Store[Repair], now func() time.Time) (*itsm.Practice[Repair], error) {
	spec := itsm.LifecycleSpec{
		Name: "repair", Create: "accept", Initial: "open", States: []itsm.State{"open", "done"}, Ends: []itsm.State{"done"},
		Transitions: []itsm.Transition{
			{Action: "order", From: []itsm.State{"open"}}, {Action: "arrive", From: []itsm.State{"open"}}, {Action: "tell", From: []itsm.State{"open"}},
			{Action: "finish", From: []itsm.State{"open"}, To: "done"}, {Action: "redo", From: []itsm.State{"done"}, To: "open"},
		},
	}
	plain, err := itsm.NewLifecycle(spec)
	if err != nil {
		return nil, err
	}
	lifecycle, err := plain.With(slm.Permit)
	if err != nil {
		return nil, err
	}
	return itsm.NewPractice(itsm.Definition[Repair]{
		Prefix: "rep", Lifecycle: lifecycle,
		Actions: []itsm.Action[Repair]{accept{}, order{}, arrive{}, finish{}, redo{}, tell{}},
		Derived: slm.Derived[Repair](), Follow: l.Follow, Prepare: l.Prepare, Next: l.Next,
	}, store, itsm.Config{Now: now})
}

func agreed() *sla.Book {
	always := sla.AlwaysOpen()
	always.Name = "always"
	h, err := always.Compile()
	if err != nil {
		log.Fatal(err)
	}
	b, err := sla.NewBook([]*sla.Hours{h}, []sla.Agreement{{
		Name: "workshop", Kind: sla.OperationalLevel,
		Metrics: []sla.Metric{{
			Name: "repair", Calendar: "always", Reopen: sla.ReopenRestart,
			Pause: sla.Conditions{{"parts": {"*"}}}, Stop: sla.Conditions{{"state": {"done"}}},
			Goals: []sla.GoalRule{{Within: 8 * time.Hour}},
			Thresholds: []sla.Threshold{
				{Percent: 50, Do: []sla.Escalation{{Do: sla.Notify, To: "workshop"}}},
				{Percent: 75, Do: []sla.Escalation{{Do: sla.EscalateHierarchical, To: "ann"}, {Do: sla.EscalateFunctional, To: "nobody"}}},
			},
		}},
	}})
	if err != nil {
		log.Fatal(err)
	}
	return b
}

// A vendor's own practice with clocks.
func Example() {
	now := time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)
	l := levels(agreed())
	p, err := workshop(l, memory.New[Repair](), func() time.Time { return now })
	check(err)
	ctx := itsm.As(context.Background(), "kim")
	r, err := p.Create(ctx, accept{})
	check(err)
	after := func(d time.Duration, a itsm.Action[Repair]) {
		now = now.Add(d)
		_, _, err := p.RunDue(itsm.WithActor(ctx, itsm.System())) // a Runner does that
		check(err)
		r, err = p.Do(ctx, r.ID, a)
		check(err)
	}
	after(2*time.Hour, order{Parts: "disk"})
	after(24*time.Hour, arrive{})
	after(5*time.Hour, finish{})
	for e, err := range p.History(ctx, r.ID) {
		check(err)
		a, err := p.Done(e)
		check(err)
		fmt.Printf("%s  %s", e.At.Format("Mon 15:04"), e.Action)
		for _, m := range slm.Moves(a) {
			for _, mark := range m.Marks {
				fmt.Printf("  %s", mark.Do)
			}
			for _, passed := range m.Passed {
				fmt.Printf("  %s", passed.Threshold)
			}
		}
		fmt.Println()
	}
	results, err := l.Results(ctx, p, r.ID, now)
	check(err)
	fmt.Println(results[0].State, results[0].Elapsed, "of", results[0].Goal)
	// Output:
	// Mon 08:00  accept
	// Mon 08:00  move_clocks  start
	// Mon 10:00  order
	// Mon 10:00  move_clocks  pause
	// Tue 10:00  arrive
	// Tue 10:00  move_clocks  resume
	// Tue 15:00  pass_threshold  50%
	// Tue 15:00  pass_threshold  75%
	// Tue 15:00  tell
	// Tue 15:00  finish
	// Tue 15:00  move_clocks  stop
	// met 7h0m0s of 8h0m0s
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

// Many hosts pass what is due; the history has it once.
func TestThresholdsOnManyHosts(t *testing.T) {
	var mu sync.Mutex
	now := time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)
	clock := func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		return now
	}
	store := memory.New[Repair]()
	l := levels(agreed())
	p, err := workshop(l, store, clock)
	require.NoError(t, err)
	ctx := itsm.As(context.Background(), "kim")
	var ids []itsm.ID
	for range 50 {
		r, err := p.Create(ctx, accept{})
		require.NoError(t, err)
		ids = append(ids, r.ID)
	}
	mu.Lock()
	now = now.Add(100 * time.Hour)
	mu.Unlock()
	var hosts sync.WaitGroup
	for host := range 4 {
		own, err := workshop(l, store, clock)
		require.NoError(t, err)
		hosts.Go(func() {
			for {
				n, next, err := own.RunDue(itsm.As(context.Background(), fmt.Sprintf("host-%d", host)))
				if err == nil && n == 0 && next.IsZero() {
					return
				}
			}
		})
	}
	hosts.Wait()
	for _, id := range ids {
		r, err := p.Get(ctx, id)
		require.NoError(t, err)
		var passed []string
		for _, one := range r.Targets[0].Passed {
			passed = append(passed, one.Threshold)
		}
		require.Equal(t, []string{"50%", "75%", "breach"}, passed)
		require.Equal(t, "ann", r.Chief)
		again, err := p.Replay(p.History(ctx, id))
		require.NoError(t, err)
		require.Equal(t, r, again)
	}
}

// Every cycle has its result, those that are over too.
func TestResults(t *testing.T) {
	now := time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)
	store := memory.New[Repair]()
	l := levels(agreed())
	p, err := workshop(l, store, func() time.Time { return now })
	require.NoError(t, err)
	ctx := itsm.As(context.Background(), "kim")
	r, err := p.Create(ctx, accept{})
	require.NoError(t, err)
	for _, a := range []itsm.Action[Repair]{finish{}, redo{}, finish{}, redo{}} {
		now = now.Add(9 * time.Hour)
		_, err = p.Do(ctx, r.ID, a)
		require.NoError(t, err)
	}
	results, err := l.Results(ctx, p, r.ID, now.Add(time.Hour))
	require.NoError(t, err)
	var states []sla.State
	for _, one := range results {
		require.NoError(t, one.Validate())
		require.Equal(t, string(r.ID), one.Record)
		require.Equal(t, "workshop", one.Service)
		require.Equal(t, "open", one.Priority)
		states = append(states, one.State)
	}
	require.Equal(t, []sla.State{sla.Missed, sla.Missed, sla.Running}, states)
	require.Equal(t, time.Hour, results[2].Elapsed)

	_, err = l.Results(ctx, p, "rep-9", now)
	require.ErrorIs(t, err, itsm.ErrNotFound)

	// Without the book nothing can be measured, and nothing goes on.
	none := levels(nil)
	_, err = none.Results(ctx, p, r.ID, now)
	require.ErrorIs(t, err, itsm.ErrInvalid)
	r, err = p.Get(ctx, r.ID)
	require.NoError(t, err)
	_, err = none.Clock(r.Targets[0])
	require.ErrorIs(t, err, itsm.ErrInvalid)
	c, err := l.Clock(r.Targets[0])
	require.NoError(t, err)
	require.Equal(t, sla.Running, c.At(now).State)
	bare, err := workshop(none, store, func() time.Time { return now })
	require.NoError(t, err)
	r, err = bare.Do(ctx, r.ID, order{Parts: "disk"})
	require.NoError(t, err)
	require.Equal(t, sla.Cancelled, r.Targets[0].State)

	// What is agreed later is measured from the start, with the pauses.
	start := now
	late, err := bare.Create(ctx, accept{})
	require.NoError(t, err)
	require.Empty(t, late.Targets)
	for _, a := range []itsm.Action[Repair]{order{Parts: "disk"}, arrive{}} {
		now = now.Add(2 * time.Hour)
		late, err = bare.Do(ctx, late.ID, a)
		require.NoError(t, err)
	}
	late, err = p.Do(ctx, late.ID, tell{"ann"})
	require.NoError(t, err)
	require.Equal(t, start.Add(10*time.Hour), late.Targets[0].Deadline)
	again, err := p.Replay(p.History(ctx, late.ID))
	require.NoError(t, err)
	require.Equal(t, late, again)
}

// The actions need a record that embeds Clocks.
func TestRecordsWithoutClocks(t *testing.T) {
	type bare struct{ itsm.Meta }
	var r bare
	require.ErrorIs(t, slm.MoveClocks[bare]{}.Apply(&r, itsm.Moment{}), itsm.ErrNotAllowed)
	require.ErrorIs(t, slm.PassThreshold[bare]{}.Apply(&r, itsm.Moment{}), itsm.ErrNotAllowed)
	require.Nil(t, slm.Moves[Repair](tell{}))
}
