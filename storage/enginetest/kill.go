package enginetest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"github.com/go-itsm/itsm"
)

// writers is how many work at the same time in a process.
const writers = 4

// Write commits as fast as it can: pairs of records together that are its own, of
// which who is part of the name, and one record and one pair that all who write want.
// After each commit that is acknowledged it writes the ids of its events to out, in a
// line. It goes on until the context ends or the process is killed; but it returns
// what no store may answer, and an error if a call has had no other answer for longer
// than the store may be away. That is 0 where nothing but writers dies: then nothing
// fails but a commit of unknown outcome.
func Write(ctx context.Context, store itsm.Store[Item], who string, away time.Duration, out io.Writer) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var mu sync.Mutex
	say := func(ids []itsm.ID) error {
		mu.Lock()
		defer mu.Unlock()
		_, err := fmt.Fprintln(out, ids)
		return err
	}
	var group sync.WaitGroup
	for n := range writers {
		group.Go(func() {
			own := fmt.Sprintf("%s_%d", who, n)
			for work := 0; ctx.Err() == nil; work++ {
				records := []itsm.ID{itsm.ID(own + first), itsm.ID(own + second)}
				switch work % 4 {
				case 1, 3:
					records = []itsm.ID{"hot"}
				case 2:
					records = []itsm.ID{"hot" + first, "hot" + second}
				}
				ids, err := advance(ctx, store, away, records)
				faster := errors.Is(err, itsm.ErrConflict) || errors.Is(err, itsm.ErrExists)
				switch {
				case err == nil:
					err = say(ids)
				case work%4 != 0 && faster: // which is nobody in the case of its own
					err = nil
				}
				if err != nil {
					stop(err) // the first error counts
				}
			}
		})
	}
	group.Wait()
	return context.Cause(ctx)
}

// What is committed together has the same name, and one of these at its end.
const first, second = "_a", "_b"

// advance commits the next versions of records in one commit, and returns the ids of
// their events.
func advance(ctx context.Context, store itsm.Store[Item], away time.Duration, records []itsm.ID) (events []itsm.ID, err error) {
	var revs []itsm.Revision[Item]
	for _, id := range records {
		var i Item
		if err := insist(ctx, away, func() (err error) { i, err = store.Load(ctx, id); return err }); err != nil && !errors.Is(err, itsm.ErrNotFound) {
			return nil, err
		}
		event := itsm.NewID("evt", time.Now())
		revs, events = append(revs, revise(id, i.Version, event)), append(events, event)
	}
	return events, insist(ctx, away, func() error { return store.Commit(ctx, revs...) })
}

// patience is for how long an answer is insisted on.
const patience = time.Minute

// insist makes a call until there is an answer: a commit of unknown outcome is sent
// again, and what was not done is done again as long as the store may be away.
func insist(ctx context.Context, away time.Duration, call func() error) error {
	for begun := time.Now(); ; time.Sleep(time.Millisecond) {
		err := call()
		if err == nil || ctx.Err() != nil {
			return err
		}
		long := away
		if errors.Is(err, itsm.ErrUnknown) {
			long = max(away, patience)
		}
		if time.Since(begun) >= long {
			return err
		}
		for _, answer := range []error{itsm.ErrNotFound, itsm.ErrConflict, itsm.ErrExists, itsm.ErrInvalid, itsm.ErrSingleRevision} {
			if errors.Is(err, answer) {
				return err
			}
		}
	}
}

// Acknowledged returns the ids in a line of [Write].
func Acknowledged(line string) (ids []itsm.ID) {
	for id := range strings.FieldsSeq(strings.Trim(line, "[]\n")) {
		ids = append(ids, itsm.ID(id))
	}
	return ids
}

// An Audit follows a store through the deaths of those who write to it. The zero
// value is ready for an empty store.
type Audit struct {
	cursor itsm.Cursor
	events map[itsm.ID]bool
	last   map[itsm.ID]itsm.Event // of each record
}

// Events is how many events there are.
func (a *Audit) Events() int { return len(a.events) }

// Check reads what is new in the store's feed, and returns an error if something
// that was acknowledged is not there, if something is there twice, or if what
// was committed together is not there together.
func (a *Audit) Check(ctx context.Context, store interface {
	itsm.Store[Item]
	itsm.Feeder
}, acknowledged []itsm.ID) error {
	if a.events == nil {
		a.events, a.last = map[itsm.ID]bool{}, map[itsm.ID]itsm.Event{}
	}
	for d, err := range store.Feed(ctx, a.cursor) {
		if err != nil {
			return err
		}
		e := d.Event
		if a.events[e.ID] {
			return fmt.Errorf("event %s is there twice", e.ID)
		}
		if at := a.last[e.Record].Version; e.Version != at+1 {
			return fmt.Errorf("version %d of %s comes after version %d", e.Version, e.Record, at)
		}
		a.events[e.ID], a.last[e.Record], a.cursor = true, e, d.Cursor
	}
	for _, id := range acknowledged {
		if !a.events[id] {
			return fmt.Errorf("event %s was acknowledged and is lost", id)
		}
	}
	for id, e := range a.last {
		i, err := store.Load(ctx, id)
		if err != nil {
			return fmt.Errorf("record %s, which has events: %w", id, err)
		}
		if i.Version != e.Version || i.By != e.ID {
			return fmt.Errorf("record %s is at version %d by %s, and its history at %d by %s", id, i.Version, i.By, e.Version, e.ID)
		}
	}
	for id, e := range a.last {
		for half, other := range map[string]string{first: second, second: first} { // or one that is missing is not missed
			if name, ok := strings.CutSuffix(string(id), half); ok {
				if v := a.last[itsm.ID(name+other)].Version; v != e.Version {
					return fmt.Errorf("records %s and %s are committed together, and at versions %d and %d", id, name+other, e.Version, v)
				}
			}
		}
	}
	return nil
}

// Kill starts a program that calls [Write], kills it after some lines, and returns
// what was acknowledged.
func Kill(writer *Program) (acknowledged []itsm.ID, err error) {
	lines, last, enough := 0, rand.IntN(100), make(chan struct{})
	writer.Hear(func(line string) {
		acknowledged = append(acknowledged, Acknowledged(line)...)
		if lines++; lines == last+1 {
			close(enough)
		}
	})
	if err := writer.Start(); err != nil {
		return nil, err
	}
	select {
	case <-enough:
		time.Sleep(rand.N(2 * time.Millisecond))
	case <-writer.heard: // it ends by itself, which is an error
	}
	err = writer.Kill()
	return acknowledged, err
}
