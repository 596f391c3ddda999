package itsm

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"time"
)

// A reason is the event because of which something is done.
type reason struct {
	cause    ID
	at       time.Time
	reaction string
}

// Because returns a context for what follows from an event in a commit of its
// own, usually in another practice: a problem that is proposed because a major
// incident was resolved. Reaction names what is done, and is part of what makes it
// happen once:
//
//	for d, err := range incidents.Feed(ctx, cursor) {
//		…
//		_, err := problems.Open(itsm.Because(ctx, d.Event, "propose"), problem.Report{…})
//		if err != nil && !errors.Is(err, itsm.ErrExists) {
//			return err
//		}
//		…
//	}
//
// What is done in it has the event as its Cause, and ids that are derived from the
// event, the reaction and the record. Whoever does the same again, on another host
// or after a crash, gets [ErrExists], and nothing is written; of two who do it at
// the same moment, both may be told that it is done. So a reaction that is delivered
// at least once has its effect exactly once. Once means once for each record, and
// one record created in a practice; what is to happen more often takes another
// name for each. Ids of events are derived even if [Config.NewID] is set; those of
// records are then the host's, and that one is created once rests on a store that
// finds out whether the id of an event is taken.
//
// The actor of the context stays, and is still needed.
func Because(ctx context.Context, cause Event, reaction string) context.Context {
	k := *knownIn(ctx)
	k.why = &reason{cause.ID, cause.At, reaction}
	return context.WithValue(ctx, actorKey{}, &k)
}

// id derives the n-th id of what is done to a record, or of what is created.
func (w *reason) id(prefix, practice string, record ID, n int) ID {
	h := sha256.New()
	for _, text := range [...]string{prefix, string(w.cause), w.reaction, practice, string(record)} {
		// Hashes never fail to be written to. Lengths keep the texts apart.
		_, _ = fmt.Fprintf(h, "%d:%s", len(text), text)
	}
	_, _ = fmt.Fprint(h, n)
	sum := h.Sum(nil)
	return makeID(prefix, w.at, uint64(sum[8]), binary.BigEndian.Uint64(sum))
}

// reasonedID is the id of the next record. If it is there, this was done before.
func (tx *Tx[R]) reasonedID() (ID, error) {
	id := tx.why.id(tx.p.def.Prefix, tx.p.Name(), "", tx.made)
	tx.made++
	_, err := tx.p.store.load(tx.ctx, id)
	switch {
	case err == nil:
		return "", tx.doneBefore(id)
	case errors.Is(err, ErrNotFound):
		return id, nil
	}
	return "", err
}

// reasonedEventID is the id of the next event of a record: by its number among what
// is done to it here, and, if it is new, by that among the new ones.
func (tx *Tx[R]) reasonedEventID(e *Revision[R]) ID {
	n := len(e.Events)
	if e.Base > 0 {
		return tx.why.id(eventPrefix, tx.p.Name(), MetaOf(&e.Record).ID, n)
	}
	created := 0
	for _, one := range tx.touched {
		if one == e {
			break
		}
		if one.Base == 0 {
			created++
		}
	}
	return tx.why.id(eventPrefix, tx.p.Name(), ID(fmt.Sprintf("#%d", created)), n)
}

// once answers for what was decided because of an event, and for what was refused:
// it may have been done before, and not be possible for a second time. It looks into
// the histories of the records, so that it need not rely on a store that knows every
// id of every event.
func (tx *Tx[R]) once(refused error) error {
	if tx.why == nil || refused != nil && !isFinding(refused) {
		return refused
	}
	for _, e := range tx.touched {
		if e.Base == 0 {
			continue
		}
		if err := tx.notBefore(MetaOf(&e.Record).ID); err != nil {
			return err
		}
	}
	if refused != nil && len(tx.touched) == 0 && tx.p.cfg.NewID == nil {
		_, err := tx.reasonedID() // what was refused is a new record
		if err != nil {
			return err
		}
	}
	return refused
}

// notBefore looks into the history of a record.
func (tx *Tx[R]) notBefore(record ID) error {
	first := tx.why.id(eventPrefix, tx.p.Name(), record, 0)
	for e, err := range tx.p.store.events(tx.ctx, record) {
		if err != nil {
			return err
		}
		if e.ID == first {
			return tx.doneBefore(record)
		}
	}
	return nil
}

func (tx *Tx[R]) doneBefore(record ID) error {
	return fmt.Errorf("%s %s: %s because of %s: %w", tx.p.Name(), record, tx.why.reaction, tx.why.cause, ErrExists)
}
