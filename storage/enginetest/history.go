package enginetest

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/go-itsm/itsm"
)

// A Cluster is what a history is made on: stores over the same records.
type Cluster struct {
	// Store returns the store of a client: clients are numbered from 0. It is
	// asked before each call, so that it may be another one after a restart.
	// Clients should not all have the same handle.
	Store func(client int) itsm.Store[Item]
	// Disturb restarts something, in the middle of each history; may be nil.
	// A call that meets it may fail with any error: unless that is
	// [itsm.ErrUnknown], it has done nothing.
	Disturb func(ctx context.Context) error
}

// How large a history is. The checker's time grows fast with what happens at the
// same time to one record.
const (
	clients = 4
	calls   = 12
	records = 2
)

// History has clients load, read histories and commit at the same time, some of
// them impatient, and returns an error if there is no order of their calls, each
// between its beginning and its end, in which every answer is right. The name is
// part of all ids, so that many histories can share a store.
func History(ctx context.Context, name string, c Cluster) error {
	h := &history{Cluster: c, name: name, start: time.Now()}
	h.begun.L = &h.mu
	errs := make([]error, clients+1)
	var group sync.WaitGroup
	for n := range clients {
		group.Go(func() {
			errs[n] = h.client(ctx, n)
			h.stop()
		})
	}
	if c.Disturb != nil {
		group.Go(func() {
			h.wait(clients * calls / 2)
			errs[clients] = c.Disturb(ctx)
		})
	}
	group.Wait()
	if err := errors.Join(errs...); err != nil {
		return err
	}
	if porcupine.CheckOperations(model, h.operations) {
		return nil
	}
	text := "the history " + name + " is not linearizable:"
	slices.SortFunc(h.operations, func(a, b porcupine.Operation) int { return int(a.Call - b.Call) })
	for _, o := range h.operations {
		text += fmt.Sprintf("\n\t%v..%v client %d: %+v: %+v", time.Duration(o.Call), time.Duration(o.Return), o.ClientId, o.Input, o.Output)
	}
	return errors.New(text)
}

// A history is what clients asked and saw.
type history struct {
	Cluster
	name  string
	start time.Time

	mu         sync.Mutex
	begun      sync.Cond // a call has begun, or a client has ended
	count      int
	operations []porcupine.Operation
}

// A question is a call, an answer what it returned.
type question struct {
	record itsm.ID
	call   string       // "load", "events" or "commit"
	base   itsm.Version // of a commit
	event  itsm.ID      // of a commit
}

type answer struct {
	version itsm.Version // that was seen, 0 for none
	by      itsm.ID      // that led to it
	events  string       // all of them, if that was the question
	refused bool         // of a commit: its base is not the version
	unknown bool         // of a commit: nobody can say
}

// model is one record as every store must seem to keep it: its events, in order.
var model = func() porcupine.Model {
	m := porcupine.NondeterministicModel{
		Partition: func(all []porcupine.Operation) (parts [][]porcupine.Operation) {
			byRecord := map[itsm.ID][]porcupine.Operation{}
			for _, o := range all {
				id := o.Input.(question).record
				byRecord[id] = append(byRecord[id], o)
			}
			for _, part := range byRecord {
				parts = append(parts, part)
			}
			return parts
		},
		Init: func() []any { return []any{""} },
		Step: func(at, in, out any) []any {
			events, q, a := at.(string), in.(question), out.(answer)
			all := strings.Fields(events)
			fits, then := q.base == itsm.Version(len(all)), strings.TrimSpace(events+" "+string(q.event))
			right := false
			switch {
			case q.call == "load":
				right = a.version == itsm.Version(len(all)) && (len(all) == 0 || string(a.by) == all[len(all)-1])
			case q.call == "events":
				right = a.events == events
			case a.unknown && fits:
				return []any{events, then}
			case a.unknown:
				right = true
			case a.refused:
				right = !fits
			case fits:
				return []any{then}
			}
			if right {
				return []any{events}
			}
			return nil
		},
	}
	return m.ToModel()
}()

// wait waits until so many calls have begun.
func (h *history) wait(n int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for h.count < n {
		h.begun.Wait()
	}
}

// stop says that a client calls no more, so that nobody waits for it.
func (h *history) stop() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.count += calls
	h.begun.Broadcast()
}

func (h *history) begin() int64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.count++
	h.begun.Broadcast()
	return int64(time.Since(h.start))
}

func (h *history) end(client int, q question, call int64, a answer) {
	o := porcupine.Operation{ClientId: client, Input: q, Call: call, Output: a, Return: int64(time.Since(h.start))}
	if a.unknown {
		o.Return = math.MaxInt64 // it may happen as late as that
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.operations = append(h.operations, o)
}

// client makes its calls. It commits on top of what it saw last, which is often
// out of date.
func (h *history) client(ctx context.Context, n int) error {
	var seen [records]itsm.Version
	for i := range calls {
		k := rand.IntN(records)
		q := question{record: itsm.ID(fmt.Sprintf("%s_%d", h.name, k))}
		patience := ctx
		cancel := func() {}
		if rand.IntN(4) == 0 {
			patience, cancel = context.WithTimeout(ctx, rand.N(time.Millisecond))
		}
		var a answer
		var done bool
		var err error
		call := h.begin()
		switch rand.IntN(5) {
		case 0, 1:
			q.call = "load"
			a, done, err = load(patience, h.Store(n), q.record)
		case 2:
			q.call = "events"
			a, done, err = events(patience, h.Store(n), q.record)
		default:
			q.call, q.base, q.event = "commit", seen[k], itsm.ID(fmt.Sprintf("%s_c%d_%d", q.record, n, i))
			a, done, err = h.commit(ctx, patience, n, q)
		}
		cancel()
		if err != nil {
			return fmt.Errorf("client %d: %+v: %w", n, q, err)
		}
		if !done {
			continue
		}
		h.end(n, q, call, a)
		switch {
		case q.call != "commit":
			seen[k] = a.version
		case !a.refused && !a.unknown:
			seen[k] = q.base + 1
		}
	}
	return nil
}

// load returns what a call saw, and whether it saw anything.
func load(ctx context.Context, s itsm.Store[Item], id itsm.ID) (answer, bool, error) {
	i, err := s.Load(ctx, id)
	switch {
	case errors.Is(err, itsm.ErrNotFound):
		return answer{}, true, nil
	case err != nil:
		return answer{}, false, nil
	case i.ID != id:
		return answer{}, false, fmt.Errorf("loading returns %s", i.ID)
	}
	return answer{version: i.Version, by: i.By}, true, nil
}

// events returns a history, which must have no gap.
func events(ctx context.Context, s itsm.Store[Item], id itsm.ID) (answer, bool, error) {
	var a answer
	for e, err := range s.Events(ctx, id, 0) {
		switch {
		case err != nil:
			return answer{}, false, nil
		case e.Record != id || e.Version != a.version+1:
			return answer{}, false, fmt.Errorf("version %d of %s comes after version %d", e.Version, e.Record, a.version)
		}
		a = answer{version: e.Version, by: e.ID, events: strings.TrimSpace(a.events + " " + string(e.ID))}
	}
	return a, true, nil
}

// commit commits. Half of the commits with an unknown outcome are sent again
// until it is known.
func (h *history) commit(ctx, patience context.Context, client int, q question) (answer, bool, error) {
	rev := revise(q.record, q.base, q.event)
	err := h.Store(client).Commit(patience, rev)
	unknown := errors.Is(err, itsm.ErrUnknown)
	for again := 0; unknown && err != nil && rand.IntN(2) == 0 && again < 100; again++ {
		err = h.Store(client).Commit(ctx, rev)
		if errors.Is(err, itsm.ErrConflict) || errors.Is(err, itsm.ErrExists) {
			break
		}
	}
	switch {
	case err == nil:
		return answer{}, true, nil
	case errors.Is(err, itsm.ErrConflict), errors.Is(err, itsm.ErrExists):
		return answer{refused: true}, true, nil
	case unknown:
		return answer{unknown: true}, true, nil
	}
	return answer{}, false, ctx.Err() // it has done nothing
}
