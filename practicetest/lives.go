package practicetest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/storage/memory"
)

// A life is a way in which worlds are lived in.
type life[R any] struct {
	name string
	// rule is the one of which a panic is a breach.
	rule Rule
	run  func(h Harness[R], hosts []Host[R]) (said string)
}

func lives[R any]() []life[R] {
	return []life[R]{
		{"OneHost", ruleHistory, oneHost[R]},
		{"ManyHosts", ruleTime, manyHosts[R]},
		{"ManyAtOnce", ruleMany, manyAtOnce[R]},
		{"Whole", ruleWhole, wholeOrNot[R]},
		{"Shaky", ruleWhole, shaky[R]},
	}
}

// caught is what was panicked with as what is wrong: with a rule, if nothing else is
// said.
func caught(rule Rule, p any) error {
	if f, ok := p.(Failure); ok {
		return f
	}
	return Failure{rule, fmt.Errorf("a panic: %v\n%s", p, debug.Stack())}
}

// live runs the life. What it panics with is what is wrong.
func (l life[R]) live(h Harness[R], hosts []Host[R]) (said string, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = caught(l.rule, p)
		}
	}()
	if len(hosts) == 0 {
		return "", Failure{ruleHost, errors.New("there is no host")}
	}
	return l.run(h, hosts), nil
}

func newTally() *tally { return &tally{tried: map[string]int{}, done: map[string]int{}} }

func (t *tally) String() string {
	return fmt.Sprintf("%d actions, %d of them done, %d comparisons with a replay, 0 differences\ndone: %v\nof tried: %v",
		t.actions, t.did, t.compared, t.done, t.tried)
}

// worlds lets worlds live, each on the next host, until every host had one and enough was
// done in them.
func worlds[R any](h Harness[R], hosts []Host[R], total int, t *tally, each func(w *World[R])) {
	for seed := 0; seed < len(hosts) || t.did < total; seed++ {
		w := newWorld(h, hosts[seed%len(hosts)], uint64(seed), t)
		func() {
			defer func() {
				switch p := recover().(type) {
				case nil:
				case Failure:
					panic(Failure{p.Rule, fmt.Errorf("%w (world %d)", p.Seen, seed)})
				default:
					panic(p)
				}
			}()
			each(w)
		}()
		if seed >= len(hosts)+100+total/10 {
			panic(Failure{ruleReach, fmt.Errorf("hardly anything can be done: %d of %d actions", t.did, t.actions)})
		}
	}
}

// perWorld is how many actions are tried in a world.
const perWorld = 800

func (w *World[R]) live(n int) {
	for tried := 0; tried < n; {
		k := w.step()
		tried += k
		w.tally.actions += k
	}
	w.audit()
}

// oneHost is what happens day by day.
func oneHost[R any](h Harness[R], hosts []Host[R]) string {
	t := newTally()
	actions := map[string]bool{}
	worlds(h, hosts, h.Actions, t, func(w *World[R]) {
		l := w.Practice.Lifecycle()
		actions[l.Create()] = true
		for s := range l.States() {
			for a := range l.Permitted(s) {
				actions[a] = true
			}
		}
		w.live(perWorld)
	})
	if h.Actions >= 5_000 {
		var missed []string
		for a := range actions {
			if t.done[a] == 0 && !slices.Contains(h.Never, a) {
				missed = append(missed, a)
			}
		}
		if slices.Sort(missed); len(missed) > 0 {
			panic(Failure{ruleReach, fmt.Errorf("%q were never done; the harness may know which input makes sense", missed)})
		}
	}
	return t.String()
}

// manyHosts is oneHost with several that do what is due at the same time.
func manyHosts[R any](h Harness[R], hosts []Host[R]) string {
	t := newTally()
	worlds(h, hosts, max(h.Actions/100, 300), t, func(w *World[R]) {
		var err error
		w.due, err = dueAtOnce(w.Store, w.cfg, w.host)
		w.must(ruleHost, err, "making the practice")
		w.Alone = false
		w.live(perWorld / 4)
	})
	return t.String()
}

// manyAtOnce is what many do to the same records at the same time.
func manyAtOnce[R any](h Harness[R], hosts []Host[R]) string {
	const enough, most = 300, 60 // things done on each host, and worlds that it may take
	total := 0
	for i, host := range hosts {
		for done, seed := 0, 0; done < enough && seed < most; seed++ {
			w := newWorld(h, host, uint64(most*i+seed), newTally())
			w.move(crowded[R]{w.Store})
			n := w.crowd()
			done, total = done+n, total+n
		}
	}
	if total == 0 {
		panic(Failure{ruleReach, errors.New("nothing was ever done")})
	}
	return fmt.Sprintf("%d actions done, %d at once", total, people)
}

// crowded is a store in which others get their turn between what somebody has read and
// what is written.
type crowded[R any] struct{ *memory.Store[R] }

func (c crowded[R]) Commit(ctx context.Context, revs ...itsm.Revision[R]) error {
	time.Sleep(20 * time.Microsecond)
	return c.Store.Commit(ctx, revs...)
}

// people is how many are many.
const people = 8

// A yes is what somebody was told: that a version of a record was made.
type yes struct {
	record  itsm.ID
	version itsm.Version
}

// crowd lets many do something to a few records, and returns how much was done: exactly
// what is in the histories.
func (w *World[R]) crowd() (total int) {
	const each = 20
	said := map[yes]int{}
	for range 100 * perWorld {
		if len(w.IDs) >= 4 {
			break
		}
		w.Actor = Pick(w, w.h.Actors...)
		if r, err := w.Practice.Create(w.ctx(), w.h.Create(w)); err == nil {
			said[yes{itsm.MetaOf(&r).ID, itsm.MetaOf(&r).Version}]++
		}
		w.look()
	}
	if len(w.IDs) == 0 {
		w.fail(ruleReach, "nothing was ever created")
	}
	var all sync.WaitGroup
	var mu sync.Mutex
	var wrong error
	for range people {
		mine := &World[R]{Chance: NewChance(w.Uint64(), w.Clock, w.h.Words...), Practice: w.Practice, Store: w.Store, Done: map[string]int{}, over: maps.Clone(w.over), h: w.h, host: w.host, tally: newTally()}
		mine.IDs = slices.Clone(w.IDs)
		all.Go(func() {
			err := mine.many(each, func(id itsm.ID, v itsm.Version) {
				mu.Lock()
				defer mu.Unlock()
				said[yes{id, v}]++
			})
			mu.Lock()
			defer mu.Unlock()
			if wrong == nil {
				wrong = err
			}
		})
	}
	all.Wait()
	if wrong != nil {
		panic(wrong)
	}
	got := w.answered()
	for y, n := range said {
		if got[y] != n {
			w.fail(ruleMany, "%d were told that they made version %d of %s; the history has %d", n, y.version, y.record, got[y])
		}
		total += n
	}
	for y, n := range got {
		if said[y] != n {
			w.fail(ruleMany, "version %d of %s is in the history, and nobody was told so", y.version, y.record)
		}
	}
	return total
}

// answered reads from the histories what those who asked for it must have been told, and
// proves of every record what is always true.
func (w *World[R]) answered() map[yes]int {
	every, err := records(w.Store)
	w.must(ruleMany, err, "reading the records")
	causes := map[itsm.ID]itsm.ID{}
	for id := range every {
		for _, e := range w.Events(id) {
			causes[e.ID] = e.Cause
		}
	}
	got := map[yes]int{}
	for id, r := range every {
		history := w.Events(id)
		for at, e := range history {
			if e.Cause != "" || e.Actor == itsm.System() {
				continue
			}
			for at+1 < len(history) && follows(history[at+1].ID, e.ID, causes) {
				at++ // the record was returned as it was after what followed
			}
			got[yes{id, history[at].Version}]++
		}
		w.sound(&r)
		again, err := w.Practice.Replay(w.Store.Events(context.Background(), id, 0))
		w.must(ruleHistory, err, "replaying "+string(id))
		w.same(ruleHistory, r, again, "%s, replayed", id)
		w.walk(id)
	}
	return got
}

// follows reports whether an event is a consequence of another one.
func follows(id, of itsm.ID, causes map[itsm.ID]itsm.ID) bool {
	for id = causes[id]; id != ""; id = causes[id] {
		if id == of {
			return true
		}
	}
	return false
}

// many is what one of many does.
func (w *World[R]) many(n int, yes func(itsm.ID, itsm.Version)) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = caught(ruleMany, p)
		}
	}()
	for range n {
		if w.OneIn(20) {
			w.Clock.Advance(time.Duration(w.Int64N(int64(time.Hour))))
			_, err := runDue(w.Practice, w.Clock.Now)
			w.must(ruleTime, err, "what is due")
		}
		w.Actor = Pick(w, w.h.Actors...)
		id, _, a := w.next()
		after, err := w.do(w.ctx(), id, a)
		if err == nil {
			m := itsm.MetaOf(&after)
			yes(m.ID, m.Version)
			w.over[m.ID] = w.Practice.Lifecycle().IsEnd(m.State)
			if id == "" {
				w.IDs = append(w.IDs, m.ID)
			}
		} else if !refusal(err) {
			w.fail(ruleMany, "%s: %w", name(a), err)
		}
	}
	return nil
}

// shaky is oneHost over a store that fails in any way at any time.
func shaky[R any](h Harness[R], hosts []Host[R]) string {
	t := newTally()
	failed := 0
	worlds(h, hosts, max(h.Actions/20, 300), t, func(w *World[R]) {
		fail := func(errs ...error) func() error {
			return func() error {
				if w.OneIn(10) {
					failed++
					return Pick(w, errs...)
				}
				return nil
			}
		}
		w.cfg.Attempts, w.Alone = 2, false
		w.move(&Faulty[R]{Store: w.Store, Before: fail(errDown, itsm.ErrUnknown, itsm.ErrConflict), After: fail(errDown, itsm.ErrUnknown)})
		for range perWorld / 4 {
			t.actions++
			w.jump()
			if w.OneIn(15) {
				_, _, _ = w.Practice.RunDue(asTime) // not all of it
				w.look()
				continue
			}
			id, _, a := w.next()
			t.tried[name(a)]++
			after, err := w.do(w.ctx(), id, a)
			switch {
			case err == nil:
				t.did++
				if id == "" {
					id = itsm.MetaOf(&after).ID
				}
				w.same(ruleWhole, w.Record(id), after, "what %s returned is stored", name(a))
			case refusal(err), errors.Is(err, itsm.ErrConflict):
				var before R
				w.unchanged(ruleWhole, "", before, fmt.Sprintf("%s, which was answered with %v", name(a), err))
			case !errors.Is(err, errDown) && !errors.Is(err, itsm.ErrUnknown):
				w.fail(ruleWhole, "%s: %w", name(a), err)
			}
			w.look()
		}
		w.move(w.Store)
		w.audit()
	})
	return fmt.Sprintf("%d failures\n%v", failed, t)
}

// wholeOrNot does actions of chance over stores that fail in every way.
func wholeOrNot[R any](h Harness[R], hosts []Host[R]) string {
	t := newTally()
	calls := 0
	worlds(h, hosts, max(h.Actions/200, 300), t, func(w *World[R]) {
		for range perWorld / 4 {
			t.actions += w.step()
			if !w.OneIn(10) {
				continue
			}
			id, _, a := w.next()
			actor := w.ctx()
			begin := func(store *Faulty[R]) (Call[R], error) {
				if err := w.copyTo(store); err != nil {
					return Call[R]{}, err
				}
				cfg := w.cfg
				cfg.Attempts, cfg.NewID = 3, prefixed("more-")
				p, err := w.host(store, cfg)
				return Call[R]{Practice: p, Do: func() error {
					if id == "" {
						_, err := p.Create(actor, a)
						return err
					}
					_, err := p.Do(actor, id, a)
					return err
				}}, err
			}
			if _, err := w.Practice.Check(actor, id, a); err != nil {
				continue
			}
			trial, err := begin(&Faulty[R]{Store: memory.New[R]()})
			w.must(ruleHost, err, "making the practice")
			if trial.Do() != nil {
				continue // what only doing it shows
			}
			calls++
			err = whole(begin)
			if err != nil {
				w.fail(ruleWhole, "%s: %w", name(a), err)
			}
		}
		w.audit()
	})
	return fmt.Sprintf("%d calls failed in every way", calls)
}
