package request_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/approval"
	"github.com/go-itsm/itsm/request"
	"github.com/go-itsm/itsm/sla"
)

// A story is one call that does several things in one commit.
type story struct {
	name string
	set  func(d *desk) itsm.ID // what was before
	do   func(d *desk, id itsm.ID) error
	// events is how many it writes.
	events int
}

func stories() []story {
	do := func(ctx context.Context, a action) func(*desk, itsm.ID) error {
		return func(d *desk, id itsm.ID) error {
			_, err := d.Do(ctx, id, a)
			return err
		}
	}
	device := func(d *desk, tasks ...int) itsm.ID {
		r := d.as(kim, d.order(laptop()).ID, approve)
		d.do(r.ID, request.Start{})
		for _, n := range tasks {
			d.do(r.ID, request.CompleteTask{Task: n})
		}
		return r.ID
	}
	access := func(d *desk) itsm.ID {
		return d.as(bot, d.order(folder("read", "2026-03-05")).ID, request.CompleteTask{Task: 1}).ID
	}
	return []story{
		{"Order", func(d *desk) itsm.ID { return d.order(chair).ID }, func(d *desk, _ itsm.ID) error {
			_, err := d.Order(jin, request.Order{Title: "Access", Lines: []request.Line{folder("read", "")}})
			return err
		}, 5},
		{"LastVote", func(d *desk) itsm.ID { return d.order(folder("write", "")).ID }, do(kim, approve), 4},
		{"Refusal", func(d *desk) itsm.ID { return d.order(laptop()).ID }, do(kim, request.Vote{Vote: approval.Reject}), 2},
		{"LastTask", func(d *desk) itsm.ID { return device(d, 1, 2) }, do(mia, request.CompleteTask{Task: 4}), 2},
		{"Cancel", func(d *desk) itsm.ID { return device(d, 1, 2) }, do(jin, request.Cancel{Reason: "no"}), 1},
		{"Extend", access, do(jin, request.Extend{Item: 1, LastDay: "2026-03-12"}), 1},
		{"Prolong", func(d *desk) itsm.ID {
			return d.as(jin, access(d), request.Extend{Item: 1, LastDay: "2026-03-12"}).ID
		}, do(kim, approve), 2},
		{"Expire", func(d *desk) itsm.ID {
			id := access(d)
			d.clock.advance(96 * time.Hour)
			return id
		}, func(d *desk, _ itsm.ID) error { _, _, err := d.RunDue(sys); return err }, 2},
	}
}

// histories lists what was done to every request, as text, in order.
func (d *desk) histories() []string {
	var all []string
	for id := range d.everything() {
		d.replays(id)
		all = append(all, strings.Join(d.history(id), " "))
	}
	slices.Sort(all)
	return all
}

func always(err error) func() error { return func() error { return err } }

func nth(n int, err error) func() error {
	return func() error {
		if n--; n == 0 {
			return err
		}
		return nil
	}
}

// A commit that fails, or of which nobody knows whether it failed, leaves nothing half
// done: all of it is there, or nothing, and it can be done again.
func TestCommitsFailAsAWhole(t *testing.T) {
	for _, s := range stories() {
		healthy := newDesk(t, request.Config{})
		begun := s.set(healthy)
		was := healthy.histories()
		require.NoError(t, s.do(healthy, begun))
		done := healthy.histories()
		require.Equal(t, s.events, len(strings.Fields(strings.Join(done, " ")))-len(strings.Fields(strings.Join(was, " "))))
		for _, c := range []struct {
			name          string
			before, after func() error
			fails         error
			done          bool
		}{
			{"Down", always(errDown), nil, errDown, false},
			{"DownAfterwards", nil, always(errDown), errDown, true},
			{"UnknownNotDone", nth(1, itsm.ErrUnknown), nil, nil, true},
			{"UnknownDone", nil, nth(1, itsm.ErrUnknown), nil, true},
			{"UnknownForLong", always(itsm.ErrUnknown), nil, itsm.ErrUnknown, false},
			{"UnknownAfterwardsForLong", nil, always(itsm.ErrUnknown), itsm.ErrUnknown, true},
			{"Conflict", nth(1, itsm.ErrConflict), nil, nil, true},
			{"ConflictForLong", always(itsm.ErrConflict), nil, itsm.ErrConflict, false},
		} {
			t.Run(s.name+"/"+c.name, func(t *testing.T) {
				d := newDesk(t, request.Config{})
				id := s.set(d)
				before := d.everything()
				store := &flaky{Store: d.store, DueStore: d.store, before: c.before, after: c.after}
				d.over(store, request.Config{Config: itsm.Config{Attempts: 3}})
				err := s.do(d, id)
				if c.fails == nil {
					require.NoError(t, err)
				} else {
					require.ErrorIs(t, err, c.fails)
				}
				store.before, store.after = nil, nil
				if !c.done {
					require.Equal(t, before, d.everything(), "nothing has happened")
					require.NoError(t, s.do(d, id), "and it can be done later")
				}
				require.Equal(t, done, d.histories())
				if s.name == "Order" {
					return // which, done again, is another order
				}
				// Who tries again does not do it twice.
				if err := s.do(d, id); err != nil {
					require.NotEmpty(t, itsm.Findings(err))
				}
				require.Equal(t, done, d.histories())
			})
		}
	}
}

// Whoever is asked on the way may fail to answer: the store for the record, the host
// for an id, a directory, those who vote, a permission. Then nothing has happened.
func TestEveryStepMayFail(t *testing.T) {
	for _, s := range stories() {
		healthy := newDesk(t, request.Config{})
		id := s.set(healthy)
		require.NoError(t, s.do(healthy, id))
		done := healthy.histories()
		failed := map[string]int{}
		for _, step := range []string{"load", "id", "directory", "approvers", "authorize", "commit"} {
			for n := 1; ; n++ {
				d := newDesk(t, request.Config{})
				id := s.set(d)
				before := d.everything()
				failing := true
				left := n
				fail := func(at string) error {
					if at == step && failing {
						if left--; left == 0 {
							return errDown
						}
					}
					return nil
				}
				store := &flaky{Store: loading{d.store, func() error { return fail("load") }}, DueStore: d.store, before: func() error { return fail("commit") }}
				p, err := request.NewPractice(store, request.Config{Catalogue: office(t),
					Config: itsm.Config{Now: d.clock.now, Attempts: 1,
						NewID: func(_ context.Context, prefix string, at time.Time) (itsm.ID, error) {
							return itsm.NewID(prefix, at), fail("id")
						},
						Authorize: func(context.Context, itsm.Attempt) error { return fail("authorize") },
					},
					Directory: func(ctx context.Context, person string) (sla.Facts, error) {
						if err := fail("directory"); err != nil {
							return nil, err
						}
						return directory(ctx, person)
					},
					Approvers: func(ctx context.Context, r request.Request, kind approval.Kind, name string) ([]string, error) {
						if err := fail("approvers"); err != nil {
							return nil, err
						}
						return approvers(ctx, r, kind, name)
					}})
				require.NoError(t, err)
				d.Practice = p
				err = s.do(d, id)
				if left > 0 {
					require.NoError(t, err) // it does not ask so often
					break
				}
				require.Error(t, err, "%s: %s %d", s.name, step, n)
				failed[step]++
				if s.name == "Expire" && step == "load" && n > 1 { // when it looks whether more is due
					require.Equal(t, done, d.histories())
					continue
				}
				require.Equal(t, before, d.everything(), "%s: %s %d", s.name, step, n)
				failing = false
				require.NoError(t, s.do(d, id))
				require.Equal(t, done, d.histories())
			}
		}
		t.Logf("%s: failed at %v", s.name, failed)
		require.NotZero(t, failed["commit"])
		require.GreaterOrEqual(t, failed["id"], s.events)
	}
}

// loading is a store that may fail to load.
type loading struct {
	itsm.Store[request.Request]
	fail func() error
}

func (l loading) Load(ctx context.Context, id itsm.ID) (request.Request, error) {
	if err := l.fail(); err != nil {
		return request.Request{}, err
	}
	return l.Store.Load(ctx, id)
}

// Random failures while random things happen: whatever was done was done as a whole.
func TestRandomFailures(t *testing.T) {
	rounds := 24
	if testing.Short() || raceDetector {
		rounds = 4
	}
	all := configs(t)
	for seed := range uint64(rounds) {
		cfg := all[int(seed)%len(all)]
		w := newWorld(t, seed, cfg)
		cfg.Attempts = 2
		fail := func(errs ...error) func() error {
			return func() error {
				if w.chance(10) {
					return pick(w, errs...)
				}
				return nil
			}
		}
		store := &flaky{Store: w.store, DueStore: w.store, before: fail(errDown, itsm.ErrUnknown, itsm.ErrConflict), after: fail(errDown, itsm.ErrUnknown)}
		w.over(store, cfg)
		for range 200 {
			if w.chance(3) {
				w.jump()
			}
			if len(w.ids) == 0 || w.chance(15) {
				_, _ = w.Order(jin, w.newOrder())
			} else if w.chance(15) {
				_, _, _ = w.RunDue(sys)
			} else {
				r := w.get(pick(w, w.ids...))
				actor, a := w.fitting(&r)
				_, _ = w.Do(itsm.As(context.Background(), actor), r.ID, a)
			}
			for id, r := range w.everything() {
				if !slices.Contains(w.ids, id) {
					w.ids = append(w.ids, id)
				}
				w.states[id] = r.State
				w.sound(&r)
			}
			slices.Sort(w.ids)
		}
		for _, id := range w.ids {
			w.replays(id)
		}
	}
}

// Many people at once: nobody's work is lost, and every record is still what its
// history leads to.
func TestManyAtOnce(t *testing.T) {
	people, each := 8, 150
	if testing.Short() || raceDetector {
		people, each = 6, 50
	}
	for i, cfg := range configs(t) {
		t.Run(fmt.Sprintf("Config%d", i), func(t *testing.T) {
			cfg.Attempts = 1000
			w := newWorld(t, uint64(i), cfg)
			var shared []itsm.ID
			for _, line := range []request.Line{laptop("dock"), folder("write", "2026-03-09"), chair, account()} {
				shared = append(shared, w.order(line, chair).ID)
			}
			var all sync.WaitGroup
			var mu sync.Mutex
			spent, did := map[itsm.ID]time.Duration{}, 0
			for person := range people {
				all.Go(func() {
					mine := &world{desk: w.desk, rnd: rand.New(rand.NewPCG(uint64(i), uint64(person))), ids: shared, states: map[itsm.ID]itsm.State{}}
					for range each {
						if mine.chance(20) {
							w.clock.advance(time.Duration(mine.rnd.Int64N(int64(time.Hour))))
							if _, _, err := w.RunDue(sys); err != nil {
								t.Error(err)
							}
						}
						r, err := w.Get(mia, pick(mine, shared...))
						if err != nil {
							t.Error(err)
							return
						}
						actor, a := mine.fitting(&r)
						switch a.(type) {
						case request.Cancel, request.Reclassify:
							continue // there would be nothing left to do
						}
						if mine.chance(4) {
							a = request.LogTime{Spent: time.Minute}
						}
						_, err = w.Do(itsm.As(context.Background(), actor), r.ID, a)
						switch {
						case err == nil:
							mu.Lock()
							if l, ok := a.(request.LogTime); ok {
								spent[r.ID] += l.Spent
							}
							did++
							mu.Unlock()
						case !errors.Is(err, itsm.ErrInvalid) && !errors.Is(err, itsm.ErrNotAllowed):
							t.Errorf("%T: %v", a, err)
						}
					}
				})
			}
			all.Wait()
			w.look()
			w.audit()
			for id, want := range spent {
				require.Equal(t, want, w.get(id).TimeSpent)
			}
			require.NotZero(t, did)
		})
	}
}

// Of many who vote at the same time, each is counted once, and what follows happens
// once; and of many who do the same task, one does it.
func TestOneOfManyIsTheLast(t *testing.T) {
	const people = 16
	voters := make([]string, people)
	for i := range voters {
		voters[i] = fmt.Sprint("v", i)
	}
	spec := officeSpec()
	spec.Policies["manager"] = approval.Policy{Rule: approval.Rule{Need: approval.All, Of: approval.Persons(voters...)}}
	catalogue, err := request.NewCatalogue(spec)
	require.NoError(t, err)
	d := newDesk(t, request.Config{Config: itsm.Config{Attempts: 1000}, Catalogue: catalogue})
	r := d.order(folder("write", ""))
	var all sync.WaitGroup
	for _, v := range voters {
		all.Go(func() {
			if _, err := d.Do(itsm.As(context.Background(), v), r.ID, approve); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	var want []string
	want = append(want, "order", "submit", "seek_approval")
	for range voters {
		want = append(want, "vote")
	}
	require.Equal(t, append(want, "approve", "begin", "run_task"), d.history(r.ID))
	d.replays(r.ID)

	var mu sync.Mutex
	did := 0
	for _, v := range voters {
		all.Go(func() {
			_, err := d.Do(itsm.As(context.Background(), v), r.ID, request.CompleteTask{Task: 1})
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				did++
			} else if !errors.Is(err, itsm.ErrNotAllowed) {
				t.Error(err)
			}
		})
	}
	all.Wait()
	require.Equal(t, 1, did)
	require.Equal(t, request.Fulfilled, d.get(r.ID).State)
	d.replays(r.ID)
}
