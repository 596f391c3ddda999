package request_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/approval"
	"github.com/go-itsm/itsm/practicetest"
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
		r := d.Did(kim, d.order(laptop()).ID, approve)
		d.Did(mia, r.ID, request.Start{})
		for _, n := range tasks {
			d.Did(mia, r.ID, request.CompleteTask{Task: n})
		}
		return r.ID
	}
	access := func(d *desk) itsm.ID {
		return d.Did(bot, d.order(folder("read", "2026-03-05")).ID, request.CompleteTask{Task: 1}).ID
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
			return d.Did(jin, access(d), request.Extend{Item: 1, LastDay: "2026-03-12"}).ID
		}, do(kim, approve), 2},
		{"Expire", func(d *desk) itsm.ID {
			id := access(d)
			d.Time.Advance(96 * time.Hour)
			return id
		}, func(d *desk, _ itsm.ID) error { _, _, err := d.RunDue(sys); return err }, 2},
	}
}

// A commit that fails, or of which nobody knows whether it failed, leaves nothing half
// done: all of it is there, or nothing, and it can be done again.
func TestCommitsFailAsAWhole(t *testing.T) {
	for _, s := range stories() {
		t.Run(s.name, func(t *testing.T) {
			healthy := newDesk(t, request.Config{})
			begun := s.set(healthy)
			was := len(strings.Fields(strings.Join(healthy.Stories(), " ")))
			require.NoError(t, s.do(healthy, begun))
			require.Equal(t, s.events, len(strings.Fields(strings.Join(healthy.Stories(), " ")))-was)
			practicetest.Whole(t, func(t *testing.T, store *practicetest.Faulty[request.Request]) practicetest.Call[request.Request] {
				d := newDesk(t, request.Config{})
				id := s.set(d)
				store.Store = d.Store
				d.over(store, request.Config{Config: itsm.Config{Attempts: 3}})
				return practicetest.Call[request.Request]{
					Practice: d.Kernel,
					Do:       func() error { return s.do(d, id) },
					Once:     s.name != "Order", // which, made again, is another order
				}
			})
		})
	}
}

// Whoever is asked on the way may fail to answer: the store for the record, the host
// for an id, a directory, those who vote, a permission. Then nothing has happened.
func TestEveryStepMayFail(t *testing.T) {
	for _, s := range stories() {
		healthy := newDesk(t, request.Config{})
		id := s.set(healthy)
		require.NoError(t, s.do(healthy, id))
		done := healthy.Stories()
		failed := map[string]int{}
		for _, step := range []string{"load", "id", "directory", "approvers", "authorize", "commit"} {
			for n := 1; ; n++ {
				d := newDesk(t, request.Config{})
				id := s.set(d)
				before := d.Records()
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
				store := &practicetest.Faulty[request.Request]{Store: d.Store, OnLoad: func() error { return fail("load") }, Before: func() error { return fail("commit") }}
				p, err := request.NewPractice(store, request.Config{Catalogue: office(t),
					Config: itsm.Config{Now: d.Time.Now, Attempts: 1,
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
					require.Equal(t, done, d.Stories())
					continue
				}
				require.Equal(t, before, d.Records(), "%s: %s %d", s.name, step, n)
				failing = false
				require.NoError(t, s.do(d, id))
				require.Equal(t, done, d.Stories())
			}
		}
		t.Logf("%s: failed at %v", s.name, failed)
		require.NotZero(t, failed["commit"])
		require.GreaterOrEqual(t, failed["id"], s.events)
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
	require.Equal(t, append(want, "approve", "begin", "run_task"), d.Story(r.ID))
	d.Replays(r.ID)

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
	require.Equal(t, request.Fulfilled, d.Record(r.ID).State)
	d.Replays(r.ID)
}
