package svs_test

import (
	"context"
	"errors"
	"iter"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/storage/memory"
	"github.com/go-itsm/itsm/svs"
)

var monday = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

// A Lamp is the record of three practices that are the same but for their names:
// what lights one lights others.
type Lamp struct {
	itsm.Meta
	Lit int     `json:"lit,omitempty"`
	By  itsm.ID `json:"by,omitempty"`
}

type (
	// Hang creates a lamp.
	Hang struct {
		By itsm.ID `json:"by,omitempty"`
	}
	// Light counts.
	Light struct{}
	// Break can be done once.
	Break struct{}
	// Glow is derived: it follows from Light.
	Glow struct{}
)

func (Hang) Action() string                       { return "hang" }
func (a Hang) Apply(r *Lamp, _ itsm.Moment) error { r.By = a.By; return nil }

func (Light) Action() string                     { return "light" }
func (Light) Apply(r *Lamp, _ itsm.Moment) error { r.Lit++; return nil }

func (Light) Follow(*Lamp, itsm.Moment) itsm.Action[Lamp] { return Glow{} }

func (Break) Action() string                     { return "break" }
func (Break) Apply(_ *Lamp, _ itsm.Moment) error { return nil }

func (Glow) Action() string                     { return "glow" }
func (Glow) Apply(_ *Lamp, _ itsm.Moment) error { return nil }

func lamps(t testing.TB, name string, store itsm.Store[Lamp], cfg itsm.Config) *itsm.Practice[Lamp] {
	l, err := itsm.NewLifecycle(itsm.LifecycleSpec{
		Name: name, Create: "hang", Initial: "whole", States: []itsm.State{"whole", "broken"}, Ends: []itsm.State{"broken"},
		Transitions: []itsm.Transition{
			{From: []itsm.State{"whole"}, Action: "light"}, {From: []itsm.State{"whole"}, Action: "glow"},
			{From: []itsm.State{"whole"}, Action: "break", To: "broken"},
		},
	})
	require.NoError(t, err)
	p, err := itsm.NewPractice(itsm.Definition[Lamp]{
		Prefix: name, Lifecycle: l,
		Actions: []itsm.Action[Lamp]{Hang{}, Light{}, Break{}}, Derived: []itsm.Action[Lamp]{Glow{}},
	}, store, cfg)
	require.NoError(t, err)
	return p
}

// A hall has three practices over memory, whose stores outlive those who use them.
type hall struct {
	stores map[string]*memory.Store[Lamp]
	saved  map[string]itsm.Cursor
	mu     sync.Mutex
}

func newHall() *hall {
	h := &hall{stores: map[string]*memory.Store[Lamp]{}, saved: map[string]itsm.Cursor{}}
	for _, name := range []string{"a", "b", "c"} {
		h.stores[name] = memory.New[Lamp]()
	}
	return h
}

func (h *hall) Cursor(_ context.Context, reader string) (itsm.Cursor, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.saved[reader], nil
}

func (h *hall) SaveCursor(_ context.Context, reader string, c itsm.Cursor) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.saved[reader] = c
	return nil
}

// A life is a process: after so many steps it is dead, and nothing that it asks for
// happens any more. What it was just doing may have happened.
type life struct {
	mu   sync.Mutex
	left int
	rng  *rand.Rand
}

var errDead = errors.New("the process is dead")

func (l *life) step(do func() error) error {
	if l == nil {
		return do()
	}
	l.mu.Lock()
	l.left--
	dying, dead, happened := l.left == 0, l.left < 0, l.rng.IntN(2) == 0
	l.mu.Unlock()
	switch {
	case dead || dying && !happened:
		return errDead
	case dying:
		_ = do()
		return errDead
	}
	return do()
}

type mortal struct {
	*memory.Store[Lamp]
	life *life
}

func (m mortal) Load(ctx context.Context, id itsm.ID) (r Lamp, err error) {
	err = m.life.step(func() (err error) { r, err = m.Store.Load(ctx, id); return err })
	return r, err
}

func (m mortal) Commit(ctx context.Context, revs ...itsm.Revision[Lamp]) error {
	return m.life.step(func() error { return m.Store.Commit(ctx, revs...) })
}

func (m mortal) Events(ctx context.Context, id itsm.ID, after itsm.Version) iter.Seq2[itsm.Event, error] {
	return func(yield func(itsm.Event, error) bool) {
		if err := m.life.step(func() error { return nil }); err != nil {
			yield(itsm.Event{}, err)
			return
		}
		m.Store.Events(ctx, id, after)(yield)
	}
}

func (m mortal) Feed(ctx context.Context, after itsm.Cursor) iter.Seq2[itsm.Delivery, error] {
	return func(yield func(itsm.Delivery, error) bool) {
		for d, err := range m.Store.Feed(ctx, after) {
			if dead := m.life.step(func() error { return nil }); dead != nil {
				yield(itsm.Delivery{}, dead)
				return
			}
			if !yield(d, err) {
				return
			}
		}
	}
}

type mortalCursors struct {
	*hall
	life *life
}

func (m mortalCursors) Cursor(ctx context.Context, reader string) (c itsm.Cursor, err error) {
	err = m.life.step(func() (err error) { c, err = m.hall.Cursor(ctx, reader); return err })
	return c, err
}

func (m mortalCursors) SaveCursor(ctx context.Context, reader string, c itsm.Cursor) error {
	return m.life.step(func() error { return m.hall.SaveCursor(ctx, reader, c) })
}

// A host is one process over a hall.
type host struct {
	a, b, c *itsm.Practice[Lamp]
	cfg     svs.Config
	refused []svs.Refusal
}

// newHost reacts so: a lamp that is hung in a hangs one in b and, unless it is the
// first, lights the copy of the first; what is lit in b lights every lamp in c twice
// over; what breaks in a breaks the copy of the first, which can be done once.
func newHost(t testing.TB, h *hall, l *life) *host {
	cfg := itsm.Config{Now: func() time.Time { return monday }}
	w := &host{}
	for name, p := range map[string]**itsm.Practice[Lamp]{"a": &w.a, "b": &w.b, "c": &w.c} {
		*p = lamps(t, name, mortal{h.stores[name], l}, cfg)
	}
	copyOfFirst := func(ctx context.Context, not itsm.ID) (itsm.ID, error) {
		first, err := w.a.List(ctx, itsm.Query{Limit: 1})
		if err != nil || first.Records[0].ID == not {
			return "", err
		}
		for r, err := range w.b.All(ctx, itsm.Query{}) {
			if err != nil || r.By == first.Records[0].ID {
				return r.ID, err
			}
		}
		return "", errors.New("the first has no copy yet")
	}
	w.cfg = svs.Config{
		Cursors: mortalCursors{h, l},
		Refused: func(_ context.Context, r svs.Refusal) { w.refused = append(w.refused, r) },
		Reactions: []svs.Reaction{
			svs.On[Lamp]{
				Name: "copy", Practice: w.a, Actions: []string{"hang"},
				Leads: []svs.Point{{Practice: "b", Action: "hang"}, {Practice: "b", Action: "light"}},
				Decide: func(ctx context.Context, past itsm.Past[Lamp]) ([]svs.Effect, error) {
					effects := []svs.Effect{svs.Create(w.b, Hang{By: past.Record.ID})}
					id, err := copyOfFirst(ctx, past.Record.ID)
					if id != "" {
						effects = append(effects, svs.Do(w.b, id, Light{}))
					}
					return effects, err
				},
			},
			svs.On[Lamp]{
				Name: "spread", Practice: w.b, Actions: []string{"glow"},
				Leads: []svs.Point{{Practice: "c", Action: "light"}},
				Decide: func(ctx context.Context, _ itsm.Past[Lamp]) (all []svs.Effect, err error) {
					for r, err := range w.c.All(ctx, itsm.Query{}) {
						if err != nil {
							return nil, err
						}
						all = append(all, svs.Do(w.c, r.ID, Light{}), svs.Do(w.c, r.ID, Light{}).Named("again"))
					}
					return all, nil
				},
			},
			svs.On[Lamp]{
				Name: "break", Practice: w.a, Actions: []string{"break"},
				Leads: []svs.Point{{Practice: "b", Action: "break"}},
				Decide: func(ctx context.Context, _ itsm.Past[Lamp]) ([]svs.Effect, error) {
					id, err := copyOfFirst(ctx, "")
					return []svs.Effect{svs.Do(w.b, id, Break{})}, err
				},
			},
		},
	}
	return w
}

func (w *host) system(t testing.TB) *svs.System {
	s, err := svs.NewSystem(w.cfg)
	require.NoError(t, err)
	return s
}

var jin = itsm.As(context.Background(), "jin")

func hang(t testing.TB, p *itsm.Practice[Lamp]) Lamp {
	r, err := p.Create(jin, Hang{})
	require.NoError(t, err)
	return r
}

func light(t testing.TB, p *itsm.Practice[Lamp], id itsm.ID, a itsm.Action[Lamp]) {
	_, err := p.Do(jin, id, a)
	require.NoError(t, err)
}

func history(t testing.TB, p *itsm.Practice[Lamp]) (all []itsm.Event) {
	for d, err := range p.Feed(jin, "") {
		require.NoError(t, err)
		all = append(all, d.Event)
	}
	return all
}

func TestReactions(t *testing.T) {
	h := newHall()
	w := newHost(t, h, nil)
	lamp := hang(t, w.c)
	first := hang(t, w.a)
	s := w.system(t)
	done, err := s.CatchUp(t.Context())
	require.NoError(t, err)
	require.Equal(t, 1, done)
	copied, err := w.b.List(jin, itsm.Query{})
	require.NoError(t, err)
	require.Equal(t, first.ID, copied.Records[0].By)
	require.Equal(t, history(t, w.a)[0].ID, history(t, w.b)[0].Cause)
	require.Equal(t, itsm.System(), history(t, w.b)[0].Actor)

	hang(t, w.a)
	done, err = s.CatchUp(t.Context())
	require.NoError(t, err)
	require.Equal(t, 4, done, "hung, lit, and the lamp in c twice")
	got, err := w.c.Get(jin, lamp.ID)
	require.NoError(t, err)
	require.Equal(t, 2, got.Lit)

	// Another host that knows nothing of where this one is does nothing again.
	other := newHost(t, h, nil)
	other.cfg.Cursors = nil
	done, err = other.system(t).CatchUp(t.Context())
	require.NoError(t, err)
	require.Zero(t, done)
	require.Empty(t, other.refused)

	// What is refused is told, and passed over.
	light(t, w.a, first.ID, Break{})
	second := hang(t, w.a)
	light(t, w.a, second.ID, Break{})
	_, err = s.CatchUp(t.Context())
	require.NoError(t, err)
	require.Len(t, w.refused, 2, "the second was hung beside a broken lamp, and could not break it again")
	for _, r := range w.refused {
		require.ErrorIs(t, r.Err, itsm.ErrNotAllowed)
		require.Equal(t, copied.Records[0].ID, r.Record)
		require.Equal(t, "b", r.Effect.Practice)
	}
}

// Whoever dies at whatever step, each effect is there once and none is missing.
func TestKilled(t *testing.T) {
	schedules := 1000
	if testing.Short() {
		schedules = 100
	}
	for seed := range uint64(schedules) {
		rng := rand.New(rand.NewPCG(seed, 7))
		h := newHall()
		outside := newHost(t, h, nil)
		for range 1 + rng.IntN(2) {
			hang(t, outside.c)
		}
		var hung []itsm.ID
		act := func() {
			if len(hung) > 1 && rng.IntN(3) == 0 {
				light(t, outside.a, hung[0], Break{})
				hung = hung[1:]
				return
			}
			hung = append(hung, hang(t, outside.a).ID)
		}
		for range 2 + rng.IntN(4) {
			act()
		}
		for kills := 1 + rng.IntN(6); kills > 0; kills-- {
			// One or two hosts at the same time, each with its own death.
			var wg sync.WaitGroup
			for range 1 + rng.IntN(2) {
				l := &life{left: 1 + rng.IntN(40), rng: rand.New(rand.NewPCG(seed, rng.Uint64()))}
				s := newHost(t, h, l).system(t)
				wg.Go(func() { _, _ = s.CatchUp(context.Background()) })
			}
			wg.Wait()
			if rng.IntN(2) == 0 {
				act()
			}
		}
		_, err := outside.system(t).CatchUp(t.Context())
		require.NoError(t, err)

		// Each lamp of a has one copy, and each that was not the first lit one lamp,
		// unless that was broken by then. Each light in b lit each lamp of c twice.
		b := history(t, outside.b)
		count := map[string]int{}
		for _, e := range b {
			if e.Action != "glow" {
				count[e.Action+" because of "+string(e.Cause)]++
			}
		}
		for what, n := range count {
			require.Equal(t, 1, n, "seed %d: %s", seed, what)
		}
		broken := slices.ContainsFunc(b, func(e itsm.Event) bool { return e.Action == "break" })
		for i, e := range history(t, outside.a) {
			if e.Action != "hang" {
				continue
			}
			require.Equal(t, 1, count["hang because of "+string(e.ID)], "seed %d: %d", seed, i)
			if i > 0 && !broken {
				require.Equal(t, 1, count["light because of "+string(e.ID)], "seed %d: %d", seed, i)
			}
		}
		lights := map[itsm.ID]int{}
		for _, e := range history(t, outside.c) {
			if e.Action == "light" {
				lights[e.Record]++
			}
		}
		glows := 0
		for _, e := range b {
			if e.Action == "glow" {
				glows++
			}
		}
		for id, n := range lights {
			require.Equal(t, 2*glows, n, "seed %d: %s", seed, id)
		}
		if glows > 0 {
			require.NotEmpty(t, lights)
		}
	}
}

func TestNewSystemFindings(t *testing.T) {
	w := newHost(t, newHall(), nil)
	twin := lamps(t, "a", memory.New[Lamp](), itsm.Config{})
	nothing := func(context.Context, itsm.Past[Lamp]) ([]svs.Effect, error) { return nil, nil }
	_, err := svs.NewSystem(svs.Config{Reactions: []svs.Reaction{
		nil,
		svs.On[Lamp]{},
		svs.On[Lamp]{Name: "x", Practice: w.a, Actions: []string{"hang", "hang", "fly"}, Decide: nothing},
		svs.On[Lamp]{Name: "x", Practice: twin, Actions: []string{"hang"}, Decide: nothing,
			Leads: []svs.Point{{Practice: "a", Action: "fly"}, {Practice: "elsewhere", Action: "fly"}}},
	}})
	require.ErrorIs(t, err, itsm.ErrInvalid)
	var fields []string
	for _, f := range itsm.Findings(err) {
		var field *itsm.FieldError
		require.ErrorAs(t, f, &field)
		fields = append(fields, field.Field)
	}
	require.Equal(t, []string{"reactions[0]", "reactions[1].name", "reactions[1].practice", "reactions[1].decide",
		"reactions[1].actions", "reactions[2].actions[1]", "reactions[2].actions[2]", "reactions[3].name",
		"reactions[3].practice", "reactions[3].leads[0]"}, fields)
}

// Every circle is found.
func TestCircles(t *testing.T) {
	w := newHost(t, newHall(), nil)
	nothing := func(context.Context, itsm.Past[Lamp]) ([]svs.Effect, error) { return nil, nil }
	on := func(name string, p *itsm.Practice[Lamp], action string, leads ...svs.Point) svs.Reaction {
		return svs.On[Lamp]{Name: name, Practice: p, Actions: []string{action}, Leads: leads, Decide: nothing}
	}
	point := func(p, a string) svs.Point { return svs.Point{Practice: p, Action: a} }
	for name, c := range map[string]struct {
		reactions []svs.Reaction
		circles   []string
	}{
		"none": {[]svs.Reaction{on("1", w.a, "hang", point("b", "hang")), on("2", w.b, "hang", point("c", "hang")),
			on("3", w.a, "hang", point("c", "hang"))}, nil},
		"itself": {[]svs.Reaction{on("1", w.a, "hang", point("a", "hang"))}, []string{"1 → 1"}},
		"two": {[]svs.Reaction{on("1", w.a, "hang", point("b", "light")), on("2", w.b, "light", point("a", "hang"))},
			[]string{"1 → 2 → 1"}},
		"three and one": {[]svs.Reaction{on("z", w.a, "hang", point("b", "hang")), on("y", w.b, "hang", point("c", "hang")),
			on("x", w.c, "hang", point("a", "hang"), point("c", "hang"))}, []string{"x → x", "x → z → y → x"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := svs.NewSystem(svs.Config{Reactions: c.reactions})
			if c.circles == nil {
				require.NoError(t, err)
				return
			}
			require.ErrorIs(t, err, itsm.ErrInvalid)
			var found []string
			for _, f := range itsm.Findings(err) {
				var field *itsm.FieldError
				require.ErrorAs(t, f, &field)
				found = append(found, strings.TrimPrefix(field.Reason, "could turn in a circle: "))
			}
			require.Equal(t, c.circles, found)
		})
	}
}

// What is wrong with a reaction itself, or with a store, holds up its feed and no
// other, and goes on where it was.
func TestFailures(t *testing.T) {
	h := newHall()
	w := newHost(t, h, nil)
	hang(t, w.a)
	var effects []svs.Effect
	var failed error
	w.cfg.Reactions = append(w.cfg.Reactions, svs.On[Lamp]{
		Name: "wrong", Practice: w.c, Actions: []string{"hang"}, Leads: []svs.Point{{Practice: "b", Action: "light"}},
		Decide: func(context.Context, itsm.Past[Lamp]) ([]svs.Effect, error) { return effects, failed },
	})
	s := w.system(t)
	lamp := hang(t, w.c)
	hang(t, w.b)
	for name, c := range map[string]struct {
		effects []svs.Effect
		err     error
		want    string
	}{
		"not listed": {[]svs.Effect{svs.Do(w.c, lamp.ID, Light{})}, nil, "c.light is not among what it leads to"},
		"not made":   {[]svs.Effect{{}}, nil, "an effect was not made by Do or Create"},
		"twice":      {[]svs.Effect{svs.Do(w.b, "x", Light{}), svs.Do(w.b, "x", Light{})}, nil, "both named"},
		"failed":     {nil, errors.New("no network"), "no network"},
	} {
		t.Run(name, func(t *testing.T) {
			effects, failed = c.effects, c.err
			hang(t, w.a)
			done, err := s.CatchUp(t.Context())
			require.ErrorContains(t, err, c.want)
			require.ErrorContains(t, err, "reactions to c: wrong, because of ")
			require.NotZero(t, done, "the other feeds go on")
		})
	}
	effects, failed = nil, itsm.Refuse("not today")
	w.refused = nil
	_, err := s.CatchUp(t.Context())
	require.NoError(t, err)
	require.Len(t, w.refused, 1)
	require.Equal(t, "wrong", w.refused[0].Reaction)
	require.Zero(t, w.refused[0].Effect)

	ended, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = s.CatchUp(ended)
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorIs(t, s.Skip(ended), context.Canceled)
}

// An event that cannot be read is not passed over.
func TestUnreadable(t *testing.T) {
	h := newHall()
	w := newHost(t, h, nil)
	r := hang(t, w.a)
	old := history(t, w.a)[0]
	old.ID, old.Version, old.Action, old.From, old.To, old.Data = "evt_old", 2, "break", "whole", "whole", []byte(`[]`)
	r.Version = 2
	require.NoError(t, h.stores["a"].Commit(jin, itsm.Revision[Lamp]{Base: 1, Record: r, Events: []itsm.Event{old}}))
	for range 2 {
		_, err := w.system(t).CatchUp(t.Context())
		require.ErrorContains(t, err, "event evt_old cannot be read")
	}
	require.Len(t, history(t, w.b), 1)
}

// A system that is added later reacts to what comes.
func TestSkip(t *testing.T) {
	w := newHost(t, newHall(), nil)
	w.cfg.Reactions = []svs.Reaction{svs.On[Lamp]{
		Name: "copy", Practice: w.a, Actions: []string{"hang"}, Leads: []svs.Point{{Practice: "b", Action: "hang"}},
		Decide: func(_ context.Context, past itsm.Past[Lamp]) ([]svs.Effect, error) {
			return []svs.Effect{svs.Create(w.b, Hang{By: past.Record.ID})}, nil
		},
	}}
	s := w.system(t)
	require.NoError(t, s.Skip(t.Context()), "there is nothing yet")
	for range 3 {
		hang(t, w.a)
	}
	require.NoError(t, s.Skip(t.Context()))
	done, err := s.CatchUp(t.Context())
	require.NoError(t, err)
	require.Zero(t, done)
	hang(t, w.a)
	done, err = s.CatchUp(t.Context())
	require.NoError(t, err)
	require.Equal(t, 1, done)
}

// The cursor is saved now and then when nothing happens, so that a restart does not
// begin from far behind.
func TestSaves(t *testing.T) {
	h := newHall()
	w := newHost(t, h, nil)
	lamp := hang(t, w.a)
	s := w.system(t)
	_, err := s.CatchUp(t.Context())
	require.NoError(t, err)
	for range 300 {
		light(t, w.a, lamp.ID, Light{}) // two events each, to which nobody reacts
	}
	l := &life{left: 400, rng: rand.New(rand.NewPCG(1, 1))}
	_, err = newHost(t, h, l).system(t).CatchUp(t.Context())
	require.ErrorIs(t, err, errDead)
	read := 0
	for _, err := range w.a.Feed(jin, h.saved["svs/a"]) {
		require.NoError(t, err)
		read++
	}
	require.Less(t, read, 600-200)
}

// Run reacts when it is woken, and else after an interval; what fails is tried again.
func TestRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newHost(t, newHall(), nil)
		var fails atomic.Bool
		fails.Store(true)
		var mu sync.Mutex
		var all []time.Duration
		seen := func() []time.Duration {
			mu.Lock()
			defer mu.Unlock()
			return slices.Clone(all)
		}
		begin := time.Now()
		w.cfg.Reactions = []svs.Reaction{svs.On[Lamp]{
			Name: "see", Practice: w.a, Actions: []string{"hang"},
			Decide: func(context.Context, itsm.Past[Lamp]) ([]svs.Effect, error) {
				mu.Lock()
				all = append(all, time.Since(begin))
				mu.Unlock()
				if fails.Load() {
					return nil, errors.New("not yet")
				}
				return nil, nil
			},
		}}
		w.cfg.Log = slog.New(slog.DiscardHandler)
		s := w.system(t)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- s.Run(ctx) }()
		at := func(d time.Duration) {
			time.Sleep(d - time.Since(begin))
			synctest.Wait()
		}
		at(500 * time.Millisecond)
		hang(t, w.a)
		s.Wake()
		s.Wake()
		at(700 * time.Millisecond)
		require.Equal(t, []time.Duration{500 * time.Millisecond}, seen())
		s.Wake() // what failed is not tried any sooner
		at(1600 * time.Millisecond)
		fails.Store(false)
		at(2600 * time.Millisecond)
		require.Equal(t, []time.Duration{500 * time.Millisecond, 1500 * time.Millisecond, 2500 * time.Millisecond}, seen())
		hang(t, w.a)
		at(4 * time.Second)
		require.Len(t, seen(), 4)
		cancel()
		require.ErrorIs(t, <-ended, context.Canceled)
	})
}

// Stores without a feed are no place to react to.
func TestNoFeed(t *testing.T) {
	w := newHost(t, newHall(), nil)
	p := lamps(t, "a", struct{ itsm.Store[Lamp] }{memory.New[Lamp]()}, itsm.Config{})
	w.cfg.Reactions = []svs.Reaction{svs.On[Lamp]{Name: "x", Practice: p, Actions: []string{"hang"},
		Decide: func(context.Context, itsm.Past[Lamp]) ([]svs.Effect, error) { return nil, nil }}}
	s := w.system(t)
	require.ErrorIs(t, s.Run(t.Context()), itsm.ErrUnsupported)
	require.ErrorIs(t, s.Skip(t.Context()), itsm.ErrUnsupported)
}

func TestMermaid(t *testing.T) {
	w := newHost(t, newHall(), nil)
	require.Equal(t, strings.TrimPrefix(`
flowchart LR
    p0["a.hang"]
    p1["b.hang"]
    p0 -->|copy| p1
    p2["b.light"]
    p0 -->|copy| p2
    p3["b.glow"]
    p4["c.light"]
    p3 -->|spread| p4
    p5["a.break"]
    p6["b.break"]
    p5 -->|break| p6
`, "\n"), w.system(t).Mermaid())
}

// Reactions that set each other off by what follows from what they do are stopped.
func TestCircleByConsequence(t *testing.T) {
	w := newHost(t, newHall(), nil)
	a, b := hang(t, w.a), hang(t, w.b)
	to := func(name string, from *itsm.Practice[Lamp], p *itsm.Practice[Lamp], id itsm.ID) svs.Reaction {
		return svs.On[Lamp]{Name: name, Practice: from, Actions: []string{"glow"}, Leads: []svs.Point{{Practice: p.Name(), Action: "light"}},
			Decide: func(context.Context, itsm.Past[Lamp]) ([]svs.Effect, error) {
				return []svs.Effect{svs.Do(p, id, Light{})}, nil
			}}
	}
	w.cfg.Reactions = []svs.Reaction{to("there", w.a, w.b, b.ID), to("back", w.b, w.a, a.ID)}
	s := w.system(t)
	light(t, w.a, a.ID, Light{})
	_, err := s.CatchUp(t.Context())
	require.ErrorContains(t, err, "the reactions turn in a circle")
	n := len(history(t, w.a))
	require.Less(t, n, 100)
	_, err = s.CatchUp(t.Context())
	require.Error(t, err)
	require.Len(t, history(t, w.a), n)
}

// What was refused may have something to be done instead, once.
func TestInstead(t *testing.T) {
	w := newHost(t, newHall(), nil)
	lamp := hang(t, w.b)
	light(t, w.b, lamp.ID, Break{})
	var why string
	leads := []svs.Point{{Practice: "b", Action: "light"}, {Practice: "c", Action: "hang"}}
	w.cfg.Reactions = []svs.Reaction{svs.On[Lamp]{
		Name: "light", Practice: w.a, Actions: []string{"hang"}, Leads: leads[:1],
		Decide: func(_ context.Context, past itsm.Past[Lamp]) ([]svs.Effect, error) {
			return []svs.Effect{svs.Do(w.b, lamp.ID, Light{}).Or(func(err error) svs.Effect {
				why = err.Error()
				return svs.Create(w.c, Hang{By: past.Record.ID})
			})}, nil
		},
	}}
	hang(t, w.a)
	_, err := w.system(t).CatchUp(t.Context())
	require.ErrorContains(t, err, "c.hang is not among what it leads to")

	w.cfg.Reactions = []svs.Reaction{svs.On[Lamp]{Name: "light", Practice: w.a, Actions: []string{"hang"}, Leads: leads,
		Decide: w.cfg.Reactions[0].(svs.On[Lamp]).Decide}}
	for want := 1; want >= 0; want-- {
		w.cfg.Cursors = nil
		done, err := w.system(t).CatchUp(t.Context())
		require.NoError(t, err)
		require.Equal(t, want, done)
	}
	require.Contains(t, why, "broken")
	require.Empty(t, w.refused)
	require.Len(t, history(t, w.c), 1)
}

// Long feeds do not make a system remember all that was in them.
func TestManyChains(t *testing.T) {
	w := newHost(t, newHall(), nil)
	w.cfg.Reactions = []svs.Reaction{svs.On[Lamp]{Name: "copy", Practice: w.a, Actions: []string{"light"},
		Decide: func(context.Context, itsm.Past[Lamp]) ([]svs.Effect, error) { return nil, nil }}}
	s := w.system(t)
	lamp := hang(t, w.a)
	for range 5 {
		for range 1000 {
			light(t, w.a, lamp.ID, Light{})
		}
		lamp = hang(t, w.a) // histories stay short
		_, err := s.CatchUp(t.Context())
		require.NoError(t, err)
	}
}
