package memory

import (
	"context"
	"fmt"
	"slices"

	"github.com/go-itsm/itsm"
)

// A batch is what one commit is about to write, made ready before the store is
// locked. It is used again and again.
type batch[R any] struct {
	drafts []draft[R]
}

// A draft is a revision of whose record nothing is the caller's any more.
type draft[R any] struct {
	base   itsm.Version
	value  *R // the caller's where nothing in it can be shared, else own
	own    R
	shares bool
	meta   *itsm.Meta   // of value
	events []itsm.Event // the caller's
	keys   []itsm.Key   // borrowed: the batch uses it again
	rec    *record[R]   // that is there, nil if none
}

// Commit writes all the revisions or none.
//
// Errors: [itsm.ErrInvalid], [itsm.ErrExists], [itsm.ErrConflict]; the
// context's.
func (s *Store[R]) Commit(ctx context.Context, revs ...itsm.Revision[R]) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := itsm.CheckRevisions(revs...); err != nil {
		return err
	}
	b := s.batches.Get().(*batch[R])
	b.fill(s, revs)
	err := s.commit(b.drafts)
	b.clear()
	s.batches.Put(b)
	return err
}

func (b *batch[R]) fill(s *Store[R], revs []itsm.Revision[R]) {
	for i := range revs {
		if i == cap(b.drafts) {
			b.drafts = append(b.drafts, draft[R]{})
		}
		b.drafts = b.drafts[:i+1]
		d, rev := &b.drafts[i], &revs[i]
		d.base = rev.Base
		d.value = &rev.Record
		if d.shares = s.clone.Shares(d.value); d.shares {
			s.clone.Copy(&d.own, d.value)
			d.value = &d.own
		}
		d.meta = itsm.MetaOf(d.value)
		d.events = rev.Events
		if indexed, ok := any(d.value).(itsm.Indexed); ok {
			d.keys = distinct(indexed.AppendKeys(d.keys[:0]))
		}
	}
}

// distinct drops repeated keys in place: a record may well have the same tag
// twice. There are few.
func distinct(keys []itsm.Key) []itsm.Key {
	kept := keys[:0]
	for _, key := range keys {
		if !slices.Contains(kept, key) {
			kept = append(kept, key)
		}
	}
	return kept
}

// clear makes the batch ready for the next commit. The values are not wiped:
// they are large, and the next commit writes over them.
func (b *batch[R]) clear() {
	for i := range b.drafts {
		d := &b.drafts[i]
		d.value, d.meta, d.events, d.rec = nil, nil, nil, nil
	}
	b.drafts = b.drafts[:0]
}

// commit checks everything before it writes anything.
func (s *Store[R]) commit(drafts []draft[R]) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	resent := 0
	for i := range drafts {
		d := &drafts[i]
		d.rec = s.records[d.meta.ID]
		if s.resent(d) {
			resent++
		}
	}
	if resent == len(drafts) {
		return nil
	}
	for i := range drafts {
		if err := s.check(&drafts[i]); err != nil {
			return err
		}
	}
	if err := s.reserve(drafts); err != nil {
		return err
	}
	for i := range drafts {
		s.write(&drafts[i])
	}
	return nil
}

// resent reports whether the draft is in the history already.
func (s *Store[R]) resent(d *draft[R]) bool {
	if d.rec == nil || d.base > itsm.Version(len(d.rec.history)) {
		return false
	}
	history := d.rec.history[d.base:]
	if len(history) < len(d.events) {
		return false
	}
	for i := range d.events {
		if s.log.at(history[i]).ID != d.events[i].ID {
			return false
		}
	}
	return true
}

func (s *Store[R]) check(d *draft[R]) error {
	switch {
	case d.base == 0 && d.rec != nil:
		return fmt.Errorf("%w: record %s", itsm.ErrExists, d.meta.ID)
	case d.base > 0 && d.rec == nil:
		return fmt.Errorf("%w: record %s is not there", itsm.ErrConflict, d.meta.ID)
	case d.base > 0 && d.rec.meta.Version != d.base:
		return fmt.Errorf("%w: record %s is at version %d, not %d", itsm.ErrConflict, d.meta.ID, d.rec.meta.Version, d.base)
	}
	return nil
}

// reserve takes the ids of the events, or gives back what it took if one of
// them is taken already.
func (s *Store[R]) reserve(drafts []draft[R]) error {
	for i := range drafts {
		d := &drafts[i]
		for j := range d.events {
			free := len(s.ids)
			if s.ids[d.events[j].ID] = struct{}{}; len(s.ids) > free {
				continue
			}
			for _, e := range d.events[:j] {
				delete(s.ids, e.ID)
			}
			for _, before := range drafts[:i] {
				for _, e := range before.events {
					delete(s.ids, e.ID)
				}
			}
			return fmt.Errorf("%w: event %s, for record %s", itsm.ErrExists, d.events[j].ID, d.meta.ID)
		}
	}
	return nil
}

// write cannot fail. It touches an index only where its key has changed.
func (s *Store[R]) write(d *draft[R]) {
	rec := d.rec
	if rec == nil {
		rec = &record[R]{number: len(s.created), place: nowhere, history: make([]int, 0, 8)}
		rec.meta = itsm.MetaOf(&rec.value)
		s.created = append(s.created, rec)
		s.records[d.meta.ID] = rec
		s.states.add(d.meta.State, rec.number)
	} else if rec.meta.State != d.meta.State {
		s.states[rec.meta.State].remove(rec.number) // its set is kept: there are few states
		s.states.add(d.meta.State, rec.number)
	}
	if !slices.Equal(rec.keys, d.keys) {
		s.reindex(rec, d.keys)
	}
	if !rec.due.Equal(d.meta.Due) {
		s.due.set(rec, d.meta.Due)
	}
	rec.value, rec.shares = *d.value, d.shares
	for i := range d.events {
		rec.history = append(rec.history, s.log.add(&d.events[i]))
	}
}

func (s *Store[R]) reindex(rec *record[R], keys []itsm.Key) {
	for _, key := range rec.keys {
		if !slices.Contains(keys, key) {
			s.keys.remove(key, rec.number)
		}
	}
	for _, key := range keys {
		if !slices.Contains(rec.keys, key) {
			s.keys.add(key, rec.number)
		}
	}
	rec.keys = slices.Clone(keys)
}
