package transfer

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"time"

	"github.com/go-itsm/itsm"
)

// ErrDiffers says that the stores do not have the same of a record: the target
// has something that the source has not, or does not give back what it was given.
var ErrDiffers = errors.New("transfer: the stores differ")

// A Source is a store with a feed.
type Source[R any] interface {
	itsm.Store[R]
	itsm.Feeder
}

// A Progress says what was copied.
type Progress struct {
	// Cursor is how far the source's feed was read: where the next copy goes on.
	Cursor itsm.Cursor
	// Records is how many records were looked at, and Events how many events
	// were written.
	Records, Events int
}

// Copy brings what the source's feed has after a cursor, or from the beginning, to
// the target, up to the end of the feed. What the target has already it leaves
// alone. For each record that it comes by it keeps its id in memory.
//
// After an error, the progress is where to go on. Errors: [ErrDiffers];
// [itsm.ErrConflict] if somebody else writes to the target; the stores' own, and the
// context's.
func Copy[R any](ctx context.Context, from Source[R], to itsm.Store[R], after itsm.Cursor) (Progress, error) {
	done := Progress{Cursor: after}
	copied := map[itsm.ID]itsm.Version{}
	for d, err := range from.Feed(ctx, after) {
		if err != nil {
			return done, err
		}
		at, seen := copied[d.Event.Record]
		if !seen || at < d.Event.Version {
			v, n, err := one(ctx, from, to, d.Event.Record)
			if err != nil {
				return done, fmt.Errorf("record %s: %w", d.Event.Record, err)
			}
			copied[d.Event.Record] = v
			done.Events += n
		}
		done.Cursor, done.Records = d.Cursor, len(copied)
	}
	return done, nil
}

// one brings a record up to date and compares it. It returns the record's version
// and how many events were written.
func one[R any](ctx context.Context, from Source[R], to itsm.Store[R], id itsm.ID) (itsm.Version, int, error) {
	record, err := from.Load(ctx, id)
	if err != nil {
		return 0, 0, err
	}
	v := itsm.MetaOf(&record).Version
	history, err := collect(from.Events(ctx, id, 0), v)
	if err != nil {
		return 0, 0, err
	}
	if itsm.Version(len(history)) != v {
		return 0, 0, fmt.Errorf("its version is %d and its history has %d events", v, len(history))
	}
	var at itsm.Version
	switch there, err := to.Load(ctx, id); {
	case err == nil:
		at = itsm.MetaOf(&there).Version
	case !errors.Is(err, itsm.ErrNotFound):
		return 0, 0, err
	}
	if at > v {
		return 0, 0, fmt.Errorf("%w: the target is at version %d, the source at %d", ErrDiffers, at, v)
	}
	if at < v {
		rev := itsm.Revision[R]{Base: at, Record: record, Events: history[at:]}
		if err := commit(ctx, to, rev); err != nil {
			return 0, 0, err
		}
	}
	return v, int(v - at), compare(ctx, to, record, history)
}

// commit commits, and sends again while nobody knows whether it was done.
func commit[R any](ctx context.Context, to itsm.Store[R], rev itsm.Revision[R]) error {
	for attempt := 1; ; attempt++ {
		err := to.Commit(ctx, rev)
		if !errors.Is(err, itsm.ErrUnknown) || attempt == 10 {
			return err
		}
		select {
		case <-time.After(rand.N(time.Millisecond << attempt)):
		case <-ctx.Done():
			return errors.Join(err, ctx.Err())
		}
	}
}

// compare compares a record and its history with what the target has.
func compare[R any](ctx context.Context, to itsm.Store[R], record R, history []itsm.Event) error {
	there, err := to.Load(ctx, itsm.MetaOf(&record).ID)
	if err != nil {
		return err
	}
	if err := same("the record", record, there); err != nil {
		return err
	}
	events, err := collect(to.Events(ctx, itsm.MetaOf(&record).ID, 0), itsm.Version(len(history))+1)
	if err != nil {
		return err
	}
	if len(events) != len(history) {
		return fmt.Errorf("%w: the source has %d events, the target %d", ErrDiffers, len(history), len(events))
	}
	for i := range events {
		if err := same(fmt.Sprintf("event %d", i+1), history[i], events[i]); err != nil {
			return err
		}
	}
	return nil
}

// same compares by the JSON form, which is what stores keep.
func same(what string, want, got any) error {
	w, err := json.Marshal(want)
	g, err2 := json.Marshal(got)
	if err := errors.Join(err, err2); err != nil {
		return err
	}
	if !bytes.Equal(w, g) {
		return fmt.Errorf("%w: %s is %s in the source and %s in the target", ErrDiffers, what, w, g)
	}
	return nil
}

// collect returns the events up to a version.
func collect(events iter.Seq2[itsm.Event, error], last itsm.Version) (all []itsm.Event, err error) {
	for e, err := range events {
		if err != nil {
			return nil, err
		}
		if e.Version > last {
			break
		}
		all = append(all, e)
	}
	return all, nil
}
