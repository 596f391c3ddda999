package memory

import (
	"context"
	"fmt"
	"slices"

	"github.com/go-itsm/itsm"
)

// A draft is a revision of whose record nothing is the caller's any more, made
// ready before the store is locked.
type draft[R any] struct {
	base   itsm.Version
	value  *R           // the caller's where nothing in it can be shared, else own
	own    *R           // borrowed from the store's owns
	meta   *itsm.Meta   // of value
	events []itsm.Event // the caller's
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
	var few [2]draft[R]
	drafts := few[:0]
	for i := range revs {
		drafts = append(drafts, s.draft(&revs[i]))
	}
	err := s.commit(drafts)
	for i := range drafts {
		if own := drafts[i].own; own != nil {
			s.owns.Put(own) // unwiped: it is large, and will be written over
		}
	}
	return err
}

func (s *Store[R]) draft(rev *itsm.Revision[R]) draft[R] {
	d := draft[R]{base: rev.Base, value: &rev.Record, events: rev.Events}
	if s.clone.Shares(d.value) {
		d.own = s.owns.Get().(*R)
		s.clone.Copy(d.own, d.value)
		d.value = d.own
	}
	d.meta = itsm.MetaOf(d.value)
	return d
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
		if !s.log.hasID(int(history[i]), d.events[i].ID) {
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
	n := 0
	for i := range drafts {
		n += len(drafts[i].events)
	}
	s.ids.room(n)
	var few [4]*slot
	taken, end := few[:0], s.log.size
	for i := range drafts {
		for j := range drafts[i].events {
			id := drafts[i].events[j].ID
			one := s.ids.add(id, &s.log, end+len(taken))
			if one == nil {
				for _, one := range slices.Backward(taken) {
					s.ids.remove(one)
				}
				return fmt.Errorf("%w: event %s, for record %s", itsm.ErrExists, id, drafts[i].meta.ID)
			}
			taken = append(taken, one)
		}
	}
	return nil
}

// write cannot fail. What it changes is put into the indexes when somebody asks
// for them ([Store.settle]).
func (s *Store[R]) write(d *draft[R]) {
	rec := d.rec
	if rec == nil {
		rec = &record[R]{number: len(s.created), place: nowhere, history: make([]uint32, 0, 16)}
		rec.meta = itsm.MetaOf(&rec.value)
		s.created = append(s.created, rec)
		s.records[d.meta.ID] = rec
		s.log.records = append(s.log.records, d.meta.ID)
	}
	if !rec.stale {
		rec.stale = true
		s.stale = append(s.stale, rec)
	}
	if !rec.due.Equal(d.meta.Due) {
		s.due.set(rec, d.meta.Due)
	}
	rec.value, rec.shares = *d.value, d.own != nil
	for i := range d.events {
		rec.history = append(rec.history, uint32(s.log.add(&d.events[i], rec.number)))
	}
}
