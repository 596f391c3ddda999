package practicetest_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/practicetest"
	"github.com/go-itsm/itsm/storage/memory"
)

// A loan is a record with a little of everything.
type loan struct {
	itsm.Meta
	Title string    `json:"title"`
	Count int       `json:"count,omitempty"`
	Until time.Time `json:"until,omitzero"`
	Names []string  `json:"names,omitempty"`
	Seen  int       `json:"-"`
}

// fault is what is wrong with the practice at present. The tests that set it do not run
// beside others.
var fault atomic.Value

func faulty(name string) bool { return fault.Load() == name }

// looks counts what makes an action impure.
var looks atomic.Int64

var errLost = errors.New("it got lost")

type lend struct {
	Title string           `json:"title"`
	Share map[string][]int `json:"share,omitempty"`
	Parts [2]bool          `json:"parts"`
	More  *more            `json:"more,omitempty"`
	Rate  float64          `json:"rate"`
	Size  uint8            `json:"size"`
	Asked time.Duration    `json:"asked"`
	Own   itsm.Priority    `json:"own"`
	Tree  node             `json:"tree"`
}

// A node contains itself in every way.
type node struct {
	Kids []node          `json:"kids,omitempty"`
	Else *node           `json:"else,omitempty"`
	By   map[string]node `json:"by,omitempty"`
}

type more struct {
	Fields itsm.Fields `json:"fields,omitempty"`
	Other  itsm.ID     `json:"other"`
}

func (lend) Action() string { return "lend" }

func (a lend) Validate() error {
	var v itsm.Validation
	v.Text("title", a.Title, 1, 100)
	return v.Err()
}

func (a lend) Apply(r *loan, _ itsm.Moment) error { r.Title = a.Title; return nil }

type add struct {
	N    int    `json:"n"`
	Name string `json:"name"`
}

func (add) Action() string { return "add" }

func (a add) Apply(r *loan, _ itsm.Moment) error {
	switch {
	case faulty("impure"):
		r.Count += int(looks.Add(1) % 3)
	case faulty("hidden"):
		r.Seen++
	case faulty("lost") && a.N == 5:
		return errLost
	case faulty("silent") && a.N == 5:
		return itsm.Refuse("")
	case faulty("vague") && a.Name == "":
		return itsm.Refuse("somebody has to do it")
	case faulty("panic") && a.N == 5:
		panic("five")
	}
	r.Count += a.N
	if a.Name != "" {
		r.Names = append(r.Names, a.Name)
	}
	return nil
}

// Follow comes to the end of a loan when there is enough.
func (a add) Follow(r *loan, _ itsm.Moment) itsm.Action[loan] {
	if r.Count > 50 {
		return end{}
	}
	return nil
}

type wait struct {
	Until time.Time `json:"until"`
}

func (wait) Action() string { return "wait" }

func (a wait) Apply(r *loan, at itsm.Moment) error {
	if !a.Until.After(at.At) {
		return &itsm.FieldError{Field: "until", Reason: "must be after now"}
	}
	r.Until = a.Until
	return nil
}

type wake struct{}

func (wake) Action() string { return "wake" }

func (wake) Apply(r *loan, _ itsm.Moment) error {
	if !faulty("restless") {
		r.Until = time.Time{}
	}
	return nil
}

type end struct{}

func (end) Action() string { return "end" }

func (end) Guard(*loan, itsm.Moment) error {
	if faulty("endless") {
		return itsm.Refuse("it does not end")
	}
	return nil
}

func (end) Apply(r *loan, _ itsm.Moment) error { r.Until = time.Time{}; return nil }

const (
	lent  itsm.State = "lent"
	ended itsm.State = "ended"
)

// liar says that what others were faster with was done.
type liar struct{ busy }

type busy interface {
	itsm.Store[loan]
	itsm.DueStore
}

func (l liar) Commit(ctx context.Context, revs ...itsm.Revision[loan]) error {
	err := l.busy.Commit(ctx, revs...)
	if errors.Is(err, itsm.ErrConflict) {
		return nil
	}
	return err
}

// newLoans makes the practice, with what is wrong with it at present.
func newLoans(store itsm.Store[loan], cfg itsm.Config) (*itsm.Practice[loan], error) {
	spec := itsm.LifecycleSpec{Name: "loan", Create: "lend", Initial: lent, States: []itsm.State{lent, ended}, Ends: []itsm.State{ended}}
	for _, name := range []string{"add", "wait", "wake"} {
		spec.Allow(name, "", lent)
	}
	spec.Allow("end", ended, lent)
	l, err := itsm.NewLifecycle(spec)
	if err != nil {
		return nil, err
	}
	var p *itsm.Practice[loan]
	switch _, quiet := store.(*memory.Store[loan]); {
	case faulty("lying") && !quiet:
		store = liar{store.(busy)}
	case faulty("clock"):
		cfg.Now = nil
	case faulty("unasked"):
		cfg.Authorize = nil
	case faulty("twice"):
		cfg.Notify = func(ctx context.Context, events []itsm.Event) {
			if events[0].Action == "add" && events[0].Cause == "" {
				_, _ = p.Do(itsm.WithActor(context.Background(), events[0].Actor), events[0].Record, wait{Until: events[0].At.Add(time.Hour)})
			}
		}
	case faulty("nothing"):
		return nil, errLost
	}
	p, err = itsm.NewPractice(itsm.Definition[loan]{
		Prefix: "lon", Lifecycle: l, Actions: []itsm.Action[loan]{lend{}, add{}, wait{}, end{}}, Derived: []itsm.Action[loan]{wake{}},
		Next: func(r *loan) (time.Time, itsm.Action[loan]) { return r.Until, wake{} },
		Prepare: func(ctx context.Context, tx *itsm.Tx[loan], r *loan, a itsm.Action[loan]) (itsm.Action[loan], error) {
			switch a := a.(type) {
			case lend:
				if faulty("oversized") && a.Size == 5 && !tx.Dry() {
					return a, itsm.Refuse("five are too large")
				}
			case add:
				if faulty("writing") && a.N == 5 && !tx.Dry() {
					_, _ = p.Do(itsm.As(ctx, "mia"), r.ID, add{N: 1})
					return a, itsm.Refuse("five are too many")
				}
				if faulty("unforeseen") && a.N == 5 && !tx.Dry() {
					return a, itsm.Refuse("five are too many")
				}
			}
			return nil, nil
		},
	}, store, cfg)
	return p, err
}

var mia = itsm.As(context.Background(), "mia")

// A right practice keeps all rules.
func TestRight(t *testing.T) {
	practicetest.Test(t, practicetest.Harness[loan]{Actions: 3_000}, newLoans, newLoans)
	require.Empty(t, practicetest.Check(practicetest.Harness[loan]{Actions: 1_000, Sound: func(w *practicetest.World[loan], r *loan, ok func(bool, string)) {
		ok(w.Record(r.ID).Version == r.Version && w.Actor != "", "it is there")
	}, Action: func(w *practicetest.World[loan], r *loan) itsm.Action[loan] {
		w.Same(r.ID, w.Record(r.ID).ID, "it is the one that is there")
		return w.Anything(practicetest.Pick[itsm.Action[loan]](w, add{}, wait{}, end{}))
	}, Audit: func(w *practicetest.World[loan]) {
		w.Check(nil, "nothing")
		w.Same(len(w.IDs), len(slices.Compact(slices.Sorted(slices.Values(w.IDs)))), "every record is known once")
	}}, newLoans))
}

// Each broken practice breaks the rules that it breaks, and every rule is broken by one.
func TestBroken(t *testing.T) {
	broken := map[string][]string{
		"impure":     {"History", "Whole"},
		"hidden":     {"JSON", "History"},
		"lost":       {"Refusal", "Many", "Whole"},
		"silent":     {"Refusal"},
		"writing":    {"Refusal", "Many", "Whole"},
		"vague":      {"Foresee"},
		"unforeseen": {"Foresee"},
		"oversized":  {"Foresee"},
		"clock":      {"Host"},
		"unasked":    {"Host"},
		"restless":   {"Time", "History"},
		"lying":      {"Many", "Whole", "Sound"},
		"twice":      {"Whole", "Many", "History", "Refusal", "Time"},
		"endless":    {"Reach"},
		"nothing":    {"Host"},
		"panic":      {"History", "Many", "Whole", "Time"},
		"false":      {"Sound"},
		"audit":      {"Sound"},
		"hostless":   {"Host"},
		"dead":       {"Reach"},
		"uncreated":  {"Reach"},
	}
	seen := map[string]bool{}
	for name, rules := range broken {
		t.Run(name, func(t *testing.T) {
			fault.Store(name)
			defer fault.Store("")
			h := practicetest.Harness[loan]{Actions: 1_000, Sound: func(_ *practicetest.World[loan], r *loan, ok func(bool, string)) {
				ok(name != "false" || r.Count < 30, "there are never many")
			}}
			hosts := []practicetest.Host[loan]{newLoans}
			switch name {
			case "audit":
				h.Audit = func(w *practicetest.World[loan]) { w.Check(errLost, "looking") }
			case "hostless":
				hosts = nil
			case "dead":
				h.Actions, h.Action = 5_000, func(*practicetest.World[loan], *loan) itsm.Action[loan] { return nil }
			case "uncreated":
				h.Create = func(*practicetest.World[loan]) itsm.Action[loan] { return end{} }
			case "vague", "unforeseen": // for which it looks now and then
				h.Actions = 4_000
			case "endless": // which only shows where there is enough
				h.Actions = 5_000
			}
			failures := practicetest.Check(h, hosts...)
			var got []string
			for _, f := range failures {
				require.Error(t, f.Unwrap())
				require.Contains(t, f.Error(), f.Rule.Sentence)
				got = append(got, f.Rule.Name)
				seen[f.Rule.Name] = true
			}
			require.Contains(t, got, rules[0], "%v", failures)
			require.Subset(t, rules, got, "%v", failures)
		})
	}
	for _, r := range practicetest.Rules() {
		require.True(t, seen[r.Name], "%s is broken by nothing", r.Name)
	}
}

// However many hosts there are, each is lived in, in every way.
func TestEveryHost(t *testing.T) {
	made := make([]atomic.Int64, 12)
	var hosts []practicetest.Host[loan]
	for i := range made {
		hosts = append(hosts, func(store itsm.Store[loan], cfg itsm.Config) (*itsm.Practice[loan], error) {
			made[i].Add(1)
			return newLoans(store, cfg)
		})
	}
	practicetest.Lives(practicetest.Harness[loan]{Actions: 100}, hosts, func(name string, err error) {
		require.NoError(t, err)
		for i := range made {
			require.NotZero(t, made[i].Swap(0), "%s, host %d", name, i)
		}
	})
}

// A fake is a test that keeps what it was told.
type fake struct {
	testing.TB
	said string
}

func (f *fake) Helper() {}
func (f *fake) Fatal(args ...any) {
	f.said = fmt.Sprint(args...)
	runtime.Goexit()
}

func (f *fake) Fatalf(format string, args ...any) {
	f.Fatal(fmt.Sprintf(format, args...))
}

// says returns what a test says that does something, empty if it has nothing to say.
func says(do func(t testing.TB)) string {
	f := new(fake)
	done := make(chan struct{})
	go func() {
		defer close(done)
		do(f)
	}()
	<-done
	return f.said
}

func TestDesk(t *testing.T) {
	d := practicetest.NewDesk(t, newLoans)
	r := d.Made(mia, lend{Title: "saw"})
	require.Equal(t, loan{Meta: itsm.Meta{ID: "lon-1", Version: 1, State: lent, Created: practicetest.Morning(), Changed: practicetest.Morning()}, Title: "saw"}, r)
	r = d.Did(mia, r.ID, add{N: 2, Name: "kim"}, wait{Until: practicetest.Morning().Add(time.Hour)})
	require.Equal(t, practicetest.Morning().Add(2*time.Minute), r.Changed)
	err := d.Refuse(mia, r.ID, wait{}, "until must be after now")
	require.ErrorIs(t, err, itsm.ErrInvalid)
	require.Equal(t, 0, d.Due(0))
	require.Equal(t, 1, d.Due(time.Hour))
	r = d.Did(mia, r.ID, wait{Until: d.Time.Now().Add(time.Hour)})
	require.Equal(t, 1, d.DueAtOnce(time.Hour, newLoans))
	require.Equal(t, []string{"lend", "add", "wait", "wake", "wait", "wake"}, d.Story(r.ID))
	require.Equal(t, []string{"lend add wait wake wait wake"}, d.Stories())
	require.Len(t, d.Records(), 1)
	d.Time.Set(practicetest.Morning())
	require.Equal(t, practicetest.Morning(), d.Time.Now())

	for want, do := range map[string]func(d *practicetest.Desk[loan]){
		"add was not refused":              func(d *practicetest.Desk[loan]) { d.Refuse(mia, r.ID, add{}) },
		"the findings differ":              func(d *practicetest.Desk[loan]) { d.Refuse(mia, r.ID, wait{}, "no") },
		"wait: loan lon-1: until":          func(d *practicetest.Desk[loan]) { d.Did(mia, r.ID, wait{}) },
		"loan: title must not be empty":    func(d *practicetest.Desk[loan]) { d.Made(mia, lend{}) },
		"not found":                        func(d *practicetest.Desk[loan]) { d.Record("lon-9") },
		"without events":                   func(d *practicetest.Desk[loan]) { d.Replays("lon-9") },
		"is not what its history leads to": func(d *practicetest.Desk[loan]) { fault.Store("impure"); d.Did(mia, r.ID, add{N: 1}) },
		"what is refused changes nothing": func(d *practicetest.Desk[loan]) {
			fault.Store("writing")
			d.Refuse(mia, r.ID, add{N: 5}, "five are too many")
		},
		"leaves the due time where it is": func(d *practicetest.Desk[loan]) {
			fault.Store("restless")
			d.Did(mia, r.ID, wait{Until: d.Time.Now().Add(time.Hour)})
			d.Due(2 * time.Hour)
		},
		"it got lost": func(d *practicetest.Desk[loan]) { fault.Store("nothing"); d.DueAtOnce(0, newLoans) },
	} {
		said := says(func(f testing.TB) {
			d := practicetest.NewDesk(f, newLoans)
			d.Made(mia, lend{Title: "saw"})
			do(d)
		})
		fault.Store("")
		require.Contains(t, said, want)
	}
	fault.Store("nothing")
	defer fault.Store("")
	require.Equal(t, "it got lost", says(func(f testing.TB) { practicetest.NewDesk(f, newLoans) }))
}

func TestWith(t *testing.T) {
	given := itsm.Config{Now: practicetest.Morning, NewID: practicetest.Serial(), Attempts: 3,
		Authorize: func(context.Context, itsm.Attempt) error { return nil }, Notify: func(context.Context, []itsm.Event) {}}
	own := practicetest.With(itsm.Config{Attempts: 4}, given)
	require.Equal(t, 4, own.Attempts)
	require.NotNil(t, own.Authorize)
	require.NotNil(t, own.Notify)
	require.NotNil(t, own.NewID)
	require.Equal(t, practicetest.Morning(), own.Now())
	require.Equal(t, 3, practicetest.With(itsm.Config{}, given).Attempts)

	// Who may what, both decide.
	only := func(may string) itsm.Config {
		return itsm.Config{Authorize: func(_ context.Context, a itsm.Attempt) error {
			if a.Action != may && a.Actor.ID != may {
				return errors.New(may + " only")
			}
			return nil
		}}
	}
	both := practicetest.With(only("add"), only("mia")).Authorize
	for _, c := range []struct{ actor, action, says string }{
		{"mia", "add", ""}, {"mia", "end", "add only"}, {"jin", "add", "mia only"}, {"jin", "end", "mia only"},
	} {
		err := both(context.Background(), itsm.Attempt{Actor: itsm.Actor{ID: c.actor}, Action: c.action})
		require.Equal(t, c.says == "", err == nil)
		if err != nil {
			require.EqualError(t, err, c.says)
		}
	}

	// So a host with a rule of its own keeps all rules.
	require.Empty(t, practicetest.Check(practicetest.Harness[loan]{Actions: 1_000}, func(store itsm.Store[loan], given itsm.Config) (*itsm.Practice[loan], error) {
		return newLoans(store, practicetest.With(itsm.Config{Authorize: func(_ context.Context, a itsm.Attempt) error {
			if a.Actor.ID == "jin" && a.Action == "end" {
				return errors.New("jin ends nothing")
			}
			return nil
		}}, given))
	}))
}

// begin puts loans over a store that may fail.
func begin(store *practicetest.Faulty[loan]) (*itsm.Practice[loan], itsm.ID, error) {
	p, err := newLoans(store, itsm.Config{Now: practicetest.Morning, NewID: practicetest.Serial(), Attempts: 3})
	if err != nil {
		return nil, "", err
	}
	r, err := p.Create(mia, lend{Title: "saw"})
	return p, r.ID, err
}

func TestWhole(t *testing.T) {
	told := map[bool]int{}
	practicetest.Whole(t, func(t *testing.T, store *practicetest.Faulty[loan]) practicetest.Call[loan] {
		p, id, err := begin(store)
		require.NoError(t, err)
		return practicetest.Call[loan]{Practice: p, Do: func() error { _, err := p.Do(mia, id, end{}); return err }, Once: true,
			Holds: func(happened bool) error { told[happened]++; return nil }}
	})
	require.Equal(t, map[bool]int{true: 10, false: 4}, told)

	for want, call := range map[string]func(p *itsm.Practice[loan], id itsm.ID) practicetest.Call[loan]{
		"who makes it again does it twice": func(p *itsm.Practice[loan], id itsm.ID) practicetest.Call[loan] {
			return practicetest.Call[loan]{Practice: p, Do: func() error { _, err := p.Do(mia, id, add{}); return err }, Once: true}
		},
		"something has happened": func(p *itsm.Practice[loan], id itsm.ID) practicetest.Call[loan] {
			return practicetest.Call[loan]{Practice: p, Do: func() error {
				_, err := p.Do(mia, id, add{})
				_, _ = p.Over(inner(p, id)).Do(mia, id, add{})
				return err
			}}
		},
		"it returned it got lost, and should have returned <nil>": func(p *itsm.Practice[loan], _ itsm.ID) practicetest.Call[loan] {
			return practicetest.Call[loan]{Practice: p, Do: func() error { return errLost }}
		},
		"nothing was done at all": func(p *itsm.Practice[loan], id itsm.ID) practicetest.Call[loan] {
			return practicetest.Call[loan]{Practice: p, Do: func() error { _, err := p.Check(mia, id, add{}); return err }}
		},
		"what was done differs": func(p *itsm.Practice[loan], id itsm.ID) practicetest.Call[loan] {
			return practicetest.Call[loan]{Practice: p, Do: func() error {
				_, _ = p.Do(mia, id, add{})
				_, err := p.Over(inner(p, id)).Do(mia, id, add{})
				return err
			}}
		},
		"Well: lon-1 is not what its history leads to": func(p *itsm.Practice[loan], id itsm.ID) practicetest.Call[loan] {
			fault.Store("impure")
			return practicetest.Call[loan]{Practice: p, Do: func() error { _, err := p.Do(mia, id, add{}); return err }}
		},
		"of which practice it is": func(*itsm.Practice[loan], itsm.ID) practicetest.Call[loan] { return practicetest.Call[loan]{} },
		"Well: it got lost": func(p *itsm.Practice[loan], id itsm.ID) practicetest.Call[loan] {
			return practicetest.Call[loan]{Practice: p, Do: func() error { _, err := p.Do(mia, id, add{}); return err }, Holds: func(bool) error { return errLost }}
		},
		"NotLoaded: it got lost": func(p *itsm.Practice[loan], id itsm.ID) practicetest.Call[loan] {
			return practicetest.Call[loan]{Practice: p, Do: func() error { _, err := p.Do(mia, id, add{}); return err }, Holds: func(happened bool) error {
				if !happened {
					return errLost
				}
				return nil
			}}
		},
	} {
		err := practicetest.WholeError(func(store *practicetest.Faulty[loan]) (practicetest.Call[loan], error) {
			p, id, err := begin(store)
			behind = store.Store
			return call(p, id), err
		})
		fault.Store("")
		require.ErrorContains(t, err, want)
	}
	err := practicetest.WholeError(func(*practicetest.Faulty[loan]) (practicetest.Call[loan], error) {
		return practicetest.Call[loan]{}, errLost
	})
	require.ErrorIs(t, err, errLost)
}

// behind is the store behind the one that fails.
var behind *memory.Store[loan]

func inner(*itsm.Practice[loan], itsm.ID) itsm.Store[loan] { return behind }

// Chance is the same for the same seed, and has everything in it.
func TestChance(t *testing.T) {
	clock := practicetest.NewClock(practicetest.Morning())
	a, b := practicetest.NewChance(7, clock, "own"), practicetest.NewChance(7, clock, "own")
	texts, ids := map[string]bool{}, map[itsm.ID]bool{}
	never := 0
	a.IDs, b.IDs = []itsm.ID{"x-1"}, []itsm.ID{"x-1"}
	for range 2000 {
		text := a.Text()
		require.Equal(t, text, b.Text())
		texts[text] = true
		at := a.Time()
		require.Equal(t, at, b.Time())
		if at.IsZero() {
			never++
		}
		id := a.ID()
		require.Equal(t, id, b.ID())
		ids[id] = true
		require.Equal(t, a.Names("a", "b"), b.Names("a", "b"))
		require.Equal(t, a.Fields(), b.Fields())
	}
	require.Len(t, texts, 4+4)
	require.Len(t, ids, 3)
	require.Greater(t, never, 300)
	a.IDs = nil
	require.NotEqual(t, itsm.ID("x-1"), a.ID())
}
