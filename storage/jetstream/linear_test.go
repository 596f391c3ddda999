package jetstream_test

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/storage/jetstream"
)

// What a client of one record asked for and was told. The record's state is its
// events, in order.
type (
	asked struct {
		call   string // "load", "events" or "commit"
		base   int
		commit string // the id of the event
	}
	told struct {
		events string // of "events", in order
		number int    // of events, by "load"
		last   string // by "load"
		err    error  // of a commit
	}
)

var register = (&porcupine.NondeterministicModel{
	Init: func() []any { return []any{""} },
	Step: func(state, input, output any) []any {
		events, in, out := strings.Fields(state.(string)), input.(asked), output.(told)
		switch in.call {
		case "load":
			if out.number == len(events) && (len(events) == 0 || out.last == events[len(events)-1]) {
				return []any{state}
			}
		case "events":
			if out.events == state {
				return []any{state}
			}
		case "commit":
			fits := in.base == len(events)
			written := strings.TrimSpace(state.(string) + " " + in.commit)
			switch {
			case out.err == nil && fits:
				return []any{written}
			case errors.Is(out.err, itsm.ErrUnknown) && fits:
				return []any{state, written}
			case errors.Is(out.err, itsm.ErrUnknown):
				return []any{state}
			case (errors.Is(out.err, itsm.ErrConflict) || errors.Is(out.err, itsm.ErrExists)) && !fits:
				return []any{state}
			}
		}
		return nil
	},
	DescribeOperation: func(input, output any) string { return fmt.Sprintf("%+v -> %+v", input, output) },
}).ToModel()

// Reads and commits of many clients, over handles at different nodes that are
// stopped and started, are in some order in which each sees all before it.
func TestLinearizable(t *testing.T) {
	t.Parallel()
	histories, restarts := 100, 2
	if long() {
		histories, restarts = 10_000, 100
	}
	for _, nodes := range []int{1, 3} {
		t.Run(fmt.Sprint("R", nodes), func(t *testing.T) {
			t.Parallel()
			c := newCluster(t, nodes)
			// Those who have less patience than a restart takes get commits of
			// unknown outcome.
			var handles []*jetstream.Store[ticket]
			for _, patience := range []time.Duration{time.Minute, 50 * time.Millisecond} {
				for i := range nodes {
					open(t, c.connect(i), jetstream.Options{Stream: "L", Replicas: nodes}) // for which there must be time
					handles = append(handles, open(t, c.connect(i), jetstream.Options{Stream: "L", Patience: patience}))
				}
			}
			var wg sync.WaitGroup
			var begun, done, bad, unknown atomic.Int64
			for range 20 {
				wg.Go(func() {
					for n := begun.Add(1); n <= int64(histories); n = begun.Add(1) {
						ops := history(handles, itsm.ID(fmt.Sprint("tck_", n)), uint64(n))
						for _, op := range ops {
							if out := op.Output.(told); errors.Is(out.err, itsm.ErrUnknown) {
								unknown.Add(1)
							}
						}
						switch porcupine.CheckOperationsTimeout(register, ops, time.Minute) {
						case porcupine.Ok:
						case porcupine.Illegal, porcupine.Unknown:
							bad.Add(1)
							t.Errorf("history %d cannot be put in an order: %s", n, describe(ops))
						}
						done.Add(1)
					}
				})
			}
			stopped := make(chan struct{})
			go func() {
				defer close(stopped)
				for k := range restarts {
					for done.Load() < int64((k+1)*histories/(restarts+1)) {
						time.Sleep(time.Millisecond)
					}
					i := rand.IntN(nodes)
					c.stop(i)
					c.start(i)
				}
			}()
			wg.Wait()
			<-stopped
			require.Zero(t, bad.Load())
			t.Logf("%d histories, %d restarts, %d commits of unknown outcome", histories, restarts, unknown.Load())
		})
	}
}

// history has four clients use one record at the same time.
func history(handles []*jetstream.Store[ticket], id itsm.ID, seed uint64) []porcupine.Operation {
	var mu sync.Mutex
	var ops []porcupine.Operation
	var wg sync.WaitGroup
	zero := time.Now()
	for client := range 4 {
		wg.Go(func() {
			rng := rand.New(rand.NewPCG(seed, uint64(client)))
			store := handles[(client+int(seed))%len(handles)]
			known := ticket{Meta: itsm.Meta{ID: id, State: "new"}}
			for n := range 6 {
				in, out, ok := asked{}, told{}, true
				call := time.Since(zero)
				switch rng.IntN(4) {
				case 0:
					in.call = "load"
					r, err := store.Load(background, id)
					if ok = err == nil || errors.Is(err, itsm.ErrNotFound); err == nil {
						known = r
						out.number, out.last = int(r.Version), r.Title
					}
				case 1:
					in.call = "events"
					var ids []string
					for e, err := range store.Events(background, id, 0) {
						if ok = err == nil; !ok {
							break
						}
						ids = append(ids, string(e.ID))
					}
					out.events = strings.Join(ids, " ")
				default:
					rev := next(known)
					in = asked{"commit", int(rev.Base), fmt.Sprintf("%s_%d_%d", id, client, n)}
					rev.Events[0].ID, rev.Record.Title = itsm.ID(in.commit), in.commit
					if out.err = store.Commit(background, rev); out.err == nil {
						known = rev.Record
					}
					// What else goes wrong has not happened.
					ok = out.err == nil || errors.Is(out.err, itsm.ErrUnknown) || errors.Is(out.err, itsm.ErrConflict) || errors.Is(out.err, itsm.ErrExists)
				}
				ends := time.Since(zero)
				if errors.Is(out.err, itsm.ErrUnknown) {
					ends = math.MaxInt64 // it may happen later
				}
				if ok {
					mu.Lock()
					ops = append(ops, porcupine.Operation{ClientId: client, Input: in, Call: int64(call), Output: out, Return: int64(ends)})
					mu.Unlock()
				}
				if errors.Is(out.err, itsm.ErrConflict) || errors.Is(out.err, itsm.ErrExists) {
					if r, err := store.Load(background, id); err == nil {
						known = r
					}
				}
			}
		})
	}
	wg.Wait()
	return ops
}

func describe(ops []porcupine.Operation) string {
	var b strings.Builder
	for _, op := range ops {
		fmt.Fprintf(&b, "\n%d %10d..%10d %s", op.ClientId, op.Call, op.Return, register.DescribeOperation(op.Input, op.Output))
	}
	return b.String()
}

// The check finds what is no order at all.
func TestRegister(t *testing.T) {
	at := func(n int, in asked, out told) porcupine.Operation {
		return porcupine.Operation{ClientId: n, Input: in, Output: out, Call: int64(10 * n), Return: int64(10*n + 5)}
	}
	written := at(0, asked{"commit", 0, "a"}, told{})
	for _, op := range []porcupine.Operation{
		at(1, asked{call: "load"}, told{}), // stale
		at(1, asked{call: "events"}, told{}),
		at(1, asked{"commit", 0, "b"}, told{}), // lost update
		at(1, asked{"commit", 1, "b"}, told{err: itsm.ErrConflict}),
	} {
		require.False(t, porcupine.CheckOperations(register, []porcupine.Operation{written, op}))
	}
	require.True(t, porcupine.CheckOperations(register, []porcupine.Operation{written, at(1, asked{call: "load"}, told{number: 1, last: "a"})}))
}
