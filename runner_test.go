package itsm_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/storage/memory"
)

// start runs a runner until the returned function is called, which returns what
// Run returned.
func start(t *testing.T, cfg itsm.RunnerConfig, p ...itsm.Timed) (stop func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	result := make(chan error, 1)
	go func() { result <- itsm.NewRunner(cfg, p...).Run(ctx) }()
	return func() error {
		cancel()
		return <-result
	}
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// last returns the last event with an action.
func last(t *testing.T, p *itsm.Practice[Ticket], id itsm.ID, action string) (found itsm.Event) {
	t.Helper()
	for _, e := range events(t, p, id) {
		if e.Action == action {
			found = e
		}
	}
	require.NotEmpty(t, found.ID, "there is no %s", action)
	return found
}

func TestRunnerIsOnTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newToy(t, memory.New[Ticket](), itsm.Config{})
		begin := time.Now().UTC()
		early := file(t, p, "due before the runner starts")
		do(t, p, early.ID, Wait{Until: begin.Add(time.Minute)})
		time.Sleep(2 * time.Minute)

		stop := start(t, itsm.RunnerConfig{Interval: 24 * time.Hour}, p)
		synctest.Wait()
		e := last(t, p, early.ID, "wake")
		require.Equal(t, begin.Add(2*time.Minute), e.At, "at once")
		require.Equal(t, itsm.System(), e.Actor)
		require.Equal(t, `{"by":"time"}`, string(e.Data))
		require.Empty(t, e.Cause)

		// It plans to sleep for hours. Then something is due in an hour, and
		// something else before that, and that is called off again.
		r, s := file(t, p, "r"), file(t, p, "s")
		synctest.Wait()
		now := time.Now().UTC()
		do(t, p, r.ID, Wait{Until: now.Add(time.Hour)})
		time.Sleep(10 * time.Minute)
		do(t, p, s.ID, Wait{Until: now.Add(20*time.Minute + 1500*time.Nanosecond)})
		time.Sleep(5 * time.Minute)
		do(t, p, s.ID, Reply{}, Wait{Until: now.Add(16 * time.Minute)})
		time.Sleep(20 * time.Minute)
		require.Equal(t, now.Add(16*time.Minute), last(t, p, s.ID, "wake").At)
		time.Sleep(time.Hour)
		require.Equal(t, now.Add(time.Hour), last(t, p, r.ID, "wake").At)

		// And what recurs comes every time.
		now = time.Now().UTC()
		do(t, p, r.ID, Watch{Every: 7 * time.Minute, Times: 3})
		time.Sleep(time.Hour)
		var beats []time.Time
		for _, e := range events(t, p, r.ID) {
			if e.Action == "beat" {
				beats = append(beats, e.At)
			}
		}
		require.Equal(t, []time.Time{now.Add(7 * time.Minute), now.Add(14 * time.Minute), now.Add(21 * time.Minute)}, beats)
		require.ErrorIs(t, stop(), context.Canceled)
	})
}

// What another host makes due is at most an interval late.
func TestRunnerSeesOtherHosts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := memory.New[Ticket]()
		here, there := newToy(t, store, itsm.Config{}), newToy(t, store, itsm.Config{})
		stop := start(t, itsm.RunnerConfig{Actor: itsm.Actor{ID: "night"}}, here)
		time.Sleep(time.Second)
		r := file(t, there, "x")
		until := time.Now().Add(2 * time.Second).UTC()
		do(t, there, r.ID, Wait{Until: until})
		time.Sleep(time.Minute)
		e := last(t, here, r.ID, "wake")
		require.WithinRange(t, e.At, until, until.Add(30*time.Second))
		require.Equal(t, itsm.Actor{ID: "night"}, e.Actor)
		require.ErrorIs(t, stop(), context.Canceled)
	})
}

// A runner asks its store when it starts, when something is due, and once an
// interval: counted.
func TestRunnerDoesNotPoll(t *testing.T) {
	run := func(t *testing.T, interval time.Duration, work func(p *itsm.Practice[Ticket])) map[string]int {
		calls := map[string]int{}
		synctest.Test(t, func(t *testing.T) {
			store := &hooked{Store: memory.New[Ticket]()}
			var counting atomic.Bool
			store.before = func(call string) error {
				if counting.Load() {
					calls[call]++
				}
				return nil
			}
			p := newToy(t, store, itsm.Config{})
			stop := start(t, itsm.RunnerConfig{Interval: interval, Log: quiet()}, p)
			synctest.Wait()
			work(p)
			synctest.Wait()
			counting.Store(true)
			time.Sleep(10*time.Hour - time.Second)
			synctest.Wait()
			require.ErrorIs(t, stop(), context.Canceled)
		})
		return calls
	}
	require.Equal(t, map[string]int{"due": 1199, "next due": 1199},
		run(t, 30*time.Second, func(*itsm.Practice[Ticket]) {}), "nothing is due: once an interval")
	require.Equal(t, map[string]int{"due": 9, "next due": 9}, run(t, time.Hour, func(p *itsm.Practice[Ticket]) {
		for range 500 {
			r := file(t, p, "x")
			do(t, p, r.ID, Wait{Until: time.Now().Add(100 * time.Hour)})
		}
	}), "however much is committed")

	const beats = 10
	calls := run(t, 100*time.Hour, func(p *itsm.Practice[Ticket]) {
		do(t, p, file(t, p, "x").ID, Watch{Every: 10 * time.Minute, Times: beats})
	})
	require.Equal(t, beats, calls["commit"])
	require.Equal(t, beats, calls["due"], "once when something is due")
	require.Equal(t, beats, calls["next due"])
	require.LessOrEqual(t, calls["load"], 2*beats)

	calls = run(t, time.Hour, func(p *itsm.Practice[Ticket]) {
		do(t, p, file(t, p, "x").ID, Curse{At: time.Now().Add(time.Second)})
	})
	require.LessOrEqual(t, calls["due"], 11, "what cannot be done is tried once an interval")
}

// Eight hosts, each with a practice and a runner of its own, over one store:
// everything happens once and on time.
func TestManyRunners(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const hosts, tickets, beats = 8, 40, 3
		store := memory.New[Ticket]()
		var stops []func() error
		var told atomic.Int64
		for range hosts {
			p := newToy(t, store, itsm.Config{Attempts: 1000, Notify: func(_ context.Context, all []itsm.Event) { told.Add(int64(len(all))) }})
			stops = append(stops, start(t, itsm.RunnerConfig{Interval: 20 * time.Second}, p))
		}
		p := newToy(t, store, itsm.Config{})
		begin := time.Now().UTC()
		due := map[itsm.ID]time.Time{}
		for i := range tickets {
			r := file(t, p, "x")
			due[r.ID] = begin.Add(time.Duration(1+i%7) * time.Minute)
			do(t, p, r.ID, Wait{Until: due[r.ID]}, Watch{Every: time.Minute, Times: beats})
		}
		time.Sleep(time.Hour)
		for id, at := range due {
			require.Equal(t, 1, count(t, p, id, "wake"))
			require.Equal(t, beats, count(t, p, id, "beat"))
			require.WithinRange(t, last(t, p, id, "wake").At, at, at.Add(time.Second))
			stored, err := p.Get(t.Context(), id)
			require.NoError(t, err)
			require.Equal(t, beats, stored.Beats)
			require.True(t, stored.Due.IsZero())
		}
		for _, stop := range stops {
			require.ErrorIs(t, stop(), context.Canceled)
		}
		require.EqualValues(t, tickets*(1+beats), told.Load(), "and is told of once")
	})
}

// A host dies, or loses its store, at every single step that it takes; others
// take over. Whatever the step and the way to die: each due action is in the
// history once, and none is lost.
func TestRunnersDieAtEveryStep(t *testing.T) {
	down := errors.New("down")
	type kill struct {
		name  string
		after bool // the call, rather than before it
		do    func(cancel func(), answer error) error
	}
	kills := []kill{
		{"context ends before", false, func(cancel func(), _ error) error { cancel(); return nil }},
		{"context ends after", true, func(cancel func(), answer error) error { cancel(); return answer }},
		{"dies before", false, func(func(), error) error { runtime.Goexit(); return nil }},
		{"dies after", true, func(func(), error) error { runtime.Goexit(); return nil }},
		{"store fails before", false, func(func(), error) error { return down }},
		{"store fails after", true, func(func(), error) error { return down }},
		{"unknown before", false, func(func(), error) error { return itsm.ErrUnknown }},
		{"unknown after", true, func(func(), error) error { return itsm.ErrUnknown }},
	}
	for _, k := range kills {
		for _, together := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/together=%v", k.name, together), func(t *testing.T) {
				points := map[string]int{}
				for step := 1; ; step++ {
					call := dieAt(t, step, k.after, together, k.do)
					if call == "" {
						break // it never came that far
					}
					points[call]++
				}
				for _, call := range []string{"due", "due next", "load", "commit", "next due"} {
					// Together they share the work as it comes.
					require.True(t, together || points[call] > 0, "killed at each kind of step: %v", points)
				}
				t.Logf("killed at %v", points)
			})
		}
	}
}

// dieAt lets a host die at its nth call and returns which that was.
func dieAt(t *testing.T, step int, after, together bool, die func(cancel func(), answer error) error) (at string) {
	synctest.Test(t, func(t *testing.T) {
		store := memory.New[Ticket]()
		p := newToy(t, store, itsm.Config{})
		begin := time.Now()
		waits, beats := file(t, p, "waits"), file(t, p, "beats")
		kid, err := p.Create(as(t, "jin"), File{Title: "kid", Parent: waits.ID})
		require.NoError(t, err)
		do(t, p, waits.ID, Wait{Until: begin.Add(time.Minute)})
		do(t, p, beats.ID, Watch{Every: time.Minute, Times: 3})
		do(t, p, kid.ID, Wait{Until: begin.Add(time.Minute)})

		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		calls, killed := 0, false
		victim := &hooked{Store: store}
		victim.before = func(call string) error {
			calls++
			if calls == step && !after && !killed {
				at, killed = call, true
				return die(cancel, nil)
			}
			return nil
		}
		victim.after = func(call string, answer error) error {
			if calls == step && after && !killed {
				at, killed = call, true
				return die(cancel, answer)
			}
			return answer
		}
		first := newToy(t, victim, itsm.Config{})
		go func() {
			_ = itsm.NewRunner(itsm.RunnerConfig{Interval: 150 * time.Second, Log: quiet()}, first).Run(ctx)
		}()
		if !together {
			time.Sleep(4 * time.Minute)
		}
		other := newToy(t, store, itsm.Config{})
		stop := start(t, itsm.RunnerConfig{Log: quiet()}, other)
		time.Sleep(6 * time.Minute)
		cancel()
		require.ErrorIs(t, stop(), context.Canceled)
		synctest.Wait()

		require.Equal(t, 1, count(t, p, waits.ID, "wake"), "step %d: %s", step, at)
		require.Equal(t, 3, count(t, p, beats.ID, "beat"), "step %d: %s", step, at)
		require.Equal(t, 1, count(t, p, kid.ID, "wake"), "step %d: %s", step, at)
		require.Equal(t, 2, count(t, p, waits.ID, "track"), "the kid's parent heard of each of its steps once")
		for _, id := range []itsm.ID{waits.ID, beats.ID, kid.ID} {
			stored, err := p.Get(t.Context(), id)
			require.NoError(t, err)
			require.Equal(t, stateOpen, stored.State)
			require.True(t, stored.Due.IsZero(), "nothing is left to be done")
			replayed, err := p.Replay(p.History(t.Context(), id))
			require.NoError(t, err)
			require.Equal(t, stored, replayed)
		}
	})
	return at
}

// One record whose due action cannot be done keeps nothing else waiting, and
// is told of.
func TestPoisonedRecord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newToy(t, memory.New[Ticket](), itsm.Config{})
		var log bytes.Buffer
		begin := time.Now().UTC()
		cursed := file(t, p, "cursed")
		do(t, p, cursed.ID, Curse{At: begin.Add(time.Minute)})
		var others []Ticket
		for i := range 3 { // due before it, with it, after it
			r := file(t, p, "x")
			others = append(others, do(t, p, r.ID, Wait{Until: begin.Add(time.Minute + time.Duration(i-1)*time.Second)}))
		}
		stop := start(t, itsm.RunnerConfig{Log: slog.New(slog.NewTextHandler(&log, nil))}, p)
		time.Sleep(2 * time.Minute)
		require.ErrorIs(t, stop(), context.Canceled)
		for _, r := range others {
			require.Equal(t, r.Until, last(t, p, r.ID, "wake").At)
		}
		require.Zero(t, count(t, p, cursed.ID, "hex"))
		require.Contains(t, log.String(), string(cursed.ID))
		require.Contains(t, log.String(), "the hex does not work")
		require.Contains(t, log.String(), "practice=ticket")

		n, _, err := p.RunDue(as(t, "jin"))
		require.Zero(t, n)
		require.ErrorIs(t, err, itsm.ErrNotAllowed)
		require.ErrorContains(t, err, string(cursed.ID))
		// Once it can be done or is not asked for any more, it is quiet.
		do(t, p, cursed.ID, Drop{})
		_, _, err = p.RunDue(as(t, "jin"))
		require.NoError(t, err)
	})
}

// forgetful has lost a record.
type forgetful struct {
	*memory.Store[Ticket]
	lost itsm.ID
}

func (s *forgetful) Load(ctx context.Context, id itsm.ID) (Ticket, error) {
	if id == s.lost {
		return Ticket{}, itsm.ErrNotFound
	}
	return s.Store.Load(ctx, id)
}

// A record that is gone is not due; one whose consequences fail is, also where
// they fail because something else is gone.
func TestRunDueOfLostRecords(t *testing.T) {
	clock := newClock()
	store := &forgetful{Store: memory.New[Ticket]()}
	p := newToy(t, store, itsm.Config{Now: clock.Now})
	parent := file(t, p, "parent")
	kid, err := p.Create(as(t, "jin"), File{Title: "kid", Parent: parent.ID})
	require.NoError(t, err)
	do(t, p, kid.ID, Wait{Until: monday.Add(time.Minute)})
	clock.Advance(time.Hour)
	store.lost = kid.ID
	n, _, err := p.RunDue(as(t, "jin"))
	require.NoError(t, err)
	require.Zero(t, n)
	store.lost = parent.ID
	_, _, err = p.RunDue(as(t, "jin"))
	require.ErrorIs(t, err, itsm.ErrNotFound)
	require.ErrorContains(t, err, string(kid.ID))
	store.lost = ""
	n, _, err = p.RunDue(as(t, "jin"))
	require.NoError(t, err)
	require.Equal(t, 1, n)
}

func TestRunDueCatchesUp(t *testing.T) {
	clock := newClock()
	store := &hooked{Store: memory.New[Ticket]()}
	p := newToy(t, store, itsm.Config{Now: clock.Now})
	r, s := file(t, p, "x"), file(t, p, "y")
	do(t, p, r.ID, Watch{Every: 10 * time.Minute, Times: 5})
	do(t, p, s.ID, Wait{Until: monday.Add(time.Hour)})
	ctx := as(t, "night")

	n, next, err := p.RunDue(ctx)
	require.NoError(t, err)
	require.Zero(t, n)
	require.Equal(t, monday.Add(10*time.Minute), next)

	clock.Advance(35 * time.Minute)
	n, next, err = p.RunDue(ctx)
	require.NoError(t, err)
	require.Equal(t, 3, n, "one by one, each its own event")
	require.Equal(t, monday.Add(40*time.Minute), next)
	var due []string
	for _, e := range events(t, p, r.ID)[2:] {
		require.Equal(t, monday.Add(35*time.Minute), e.At, "when it was done")
		require.Equal(t, itsm.Actor{ID: "night"}, e.Actor)
		due = append(due, string(e.Data))
	}
	require.Equal(t, []string{
		`{"due":"2026-03-02T09:10:00Z"}`, `{"due":"2026-03-02T09:20:00Z"}`, `{"due":"2026-03-02T09:30:00Z"}`,
	}, due, "for when it was due")

	clock.Advance(5 * time.Hour)
	n, next, err = p.RunDue(ctx)
	require.NoError(t, err)
	require.Equal(t, 3, n)
	require.Zero(t, next)

	// Failures of the store: what was done is counted, the rest is told.
	do(t, p, s.ID, Wait{Until: clock.Now().Add(time.Minute)})
	do(t, p, r.ID, Watch{Every: 2 * time.Minute, Times: 1})
	clock.Advance(time.Hour)
	down := errors.New("down")
	for _, call := range []string{"due", "load", "next due"} {
		store.before = func(c string) error {
			if c == call {
				return down
			}
			return nil
		}
		n, next, err = p.RunDue(ctx)
		require.ErrorIs(t, err, down, call)
		require.Zero(t, next)
		if call == "next due" {
			require.Equal(t, 2, n)
		} else {
			require.Zero(t, n)
		}
	}
	store.before = nil
	_, _, err = p.RunDue(t.Context())
	require.NoError(t, err, "nothing is due: nobody is needed")
	do(t, p, s.ID, Wait{Until: clock.Now().Add(time.Minute)})
	clock.Advance(time.Hour)
	_, _, err = p.RunDue(t.Context())
	require.ErrorIs(t, err, itsm.ErrNoActor)
}

// A practice in which nothing is ever due, over a store that thinks otherwise.
func TestRunDueWithoutNext(t *testing.T) {
	clock := newClock()
	store := memory.New[Ticket]()
	p := newToy(t, store, itsm.Config{Now: clock.Now})
	r := file(t, p, "x")
	do(t, p, r.ID, Wait{Until: monday.Add(time.Minute)})
	d := toyDefinition(1)
	d.Next, d.Prepare, d.Cascade = nil, nil, nil
	timeless, err := itsm.NewPractice(d, store, itsm.Config{Now: clock.Now})
	require.NoError(t, err)
	clock.Advance(time.Hour)
	n, _, err := timeless.RunDue(as(t, "jin"))
	require.NoError(t, err)
	require.Zero(t, n)
	got, err := timeless.Do(as(t, "jin"), r.ID, Meddle{})
	require.NoError(t, err)
	require.Equal(t, monday.Add(time.Minute), got.Due, "it keeps what it does not know about")
}

func TestRunnerOfSeveralPractices(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stores := []*memory.Store[Ticket]{memory.New[Ticket](), memory.New[Ticket]()}
		a, b := newToy(t, stores[0], itsm.Config{}), newToy(t, stores[1], itsm.Config{})
		stop := start(t, itsm.RunnerConfig{Interval: time.Hour}, a, b)
		again := start(t, itsm.RunnerConfig{Interval: time.Hour}, a, b)
		time.Sleep(time.Second)
		ra, rb := file(t, a, "a"), file(t, b, "b")
		now := time.Now().UTC()
		do(t, a, ra.ID, Wait{Until: now.Add(time.Minute)})
		do(t, b, rb.ID, Wait{Until: now.Add(30 * time.Second)})
		time.Sleep(2 * time.Minute)
		require.Equal(t, now.Add(time.Minute), last(t, a, ra.ID, "wake").At)
		require.Equal(t, now.Add(30*time.Second), last(t, b, rb.ID, "wake").At)
		require.Equal(t, 1, count(t, a, ra.ID, "wake"))
		require.ErrorIs(t, stop(), context.Canceled)
		require.ErrorIs(t, again(), context.Canceled)
		do(t, a, ra.ID, Wait{Until: time.Now().Add(time.Minute)})
		time.Sleep(time.Hour)
		require.Equal(t, 1, count(t, a, ra.ID, "wake"), "nobody runs any more")
	})
}
