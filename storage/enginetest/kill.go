package enginetest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/go-itsm/itsm"
)

// writers is how many pairs of records [Write] works on at the same time.
const writers = 4

func pair(n int) [2]itsm.ID {
	return [2]itsm.ID{itsm.ID(fmt.Sprintf("pair%d_a", n)), itsm.ID(fmt.Sprintf("pair%d_b", n))}
}

// Write commits as fast as it can, pairs of records together and one that all
// writers want, until something fails, which it returns, or the process is killed. After each commit
// that is acknowledged it writes the ids of its events to out, in a line.
func Write(ctx context.Context, store itsm.Store[Item], out io.Writer) error {
	var mu sync.Mutex
	say := func(ids ...itsm.ID) error {
		mu.Lock()
		defer mu.Unlock()
		_, err := fmt.Fprintln(out, ids)
		return err
	}
	// advance commits the next version of records.
	advance := func(records ...itsm.ID) error {
		var revs []itsm.Revision[Item]
		var events []itsm.ID
		for _, id := range records {
			i, err := store.Load(ctx, id)
			if err != nil && !errors.Is(err, itsm.ErrNotFound) {
				return err
			}
			event := itsm.NewID("evt", time.Now())
			revs, events = append(revs, revise(id, i.Version, event)), append(events, event)
		}
		err := store.Commit(ctx, revs...)
		for errors.Is(err, itsm.ErrUnknown) && ctx.Err() == nil {
			err = store.Commit(ctx, revs...)
		}
		if err != nil {
			return err
		}
		return say(events...)
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var group sync.WaitGroup
	for n := range writers {
		group.Go(func() {
			records := pair(n)
			for {
				err := advance(records[0], records[1])
				if err == nil {
					if err = advance("hot"); errors.Is(err, itsm.ErrConflict) || errors.Is(err, itsm.ErrExists) {
						err = nil
					}
				}
				if err != nil {
					stop(err) // the first error counts
					return
				}
			}
		})
	}
	group.Wait()
	return context.Cause(ctx)
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
	for n := range writers {
		records := pair(n)
		if v, w := a.last[records[0]].Version, a.last[records[1]].Version; v != w {
			return fmt.Errorf("records %v are committed together, and at versions %d and %d", records, v, w)
		}
	}
	return nil
}
