package jetstream

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/RoaringBitmap/roaring/v2/roaring64"
	"github.com/tidwall/btree"

	"github.com/go-itsm/itsm"
)

// An index is what the stream says about the records as they are now: where each
// is, its state, keys and due time. Whoever asks it reads what has been written
// since it was last asked, up to the end of the stream at that time, so that it
// has everything that was acknowledged. It can always be made again.
type index[R any] struct {
	turn    chan struct{} // has room for who uses it
	upTo    uint64        // what has been read of the stream
	records map[itsm.ID]*entry
	byFirst map[uint64]*entry
	// all, states and keys have the sequences of the first messages of
	// records, which are the order of their creation.
	all    *roaring64.Bitmap
	states map[itsm.State]*roaring64.Bitmap
	keys   map[itsm.Key]*roaring64.Bitmap
	due    *btree.BTreeG[itsm.Wake]
}

// An entry is what is known about a record.
type entry struct {
	id    itsm.ID
	at    position
	state itsm.State
	keys  []itsm.Key
	due   time.Time
}

func newIndex[R any]() *index[R] {
	return &index[R]{
		turn:    make(chan struct{}, 1),
		records: map[itsm.ID]*entry{},
		byFirst: map[uint64]*entry{},
		all:     roaring64.New(),
		states:  map[itsm.State]*roaring64.Bitmap{},
		keys:    map[itsm.Key]*roaring64.Bitmap{},
		due: btree.NewBTreeGOptions(func(a, b itsm.Wake) bool {
			return cmp.Or(a.Due.Compare(b.Due), cmp.Compare(a.ID, b.ID)) < 0
		}, btree.Options{NoLocks: true}),
	}
}

// current gives a function the index with everything that was acknowledged
// before it was asked for.
func (s *Store[R]) current(ctx context.Context, call string, use func(x *index[R])) error {
	x := s.index
	end, err := s.stream.end(ctx, call)
	if err != nil {
		return err
	}
	select {
	case x.turn <- struct{}{}:
		defer func() { <-x.turn }()
	case <-ctx.Done():
		return ctx.Err()
	}
	for m, err := range s.stream.read(ctx, call, x.upTo+1, end, "") {
		if err != nil {
			return err
		}
		if err := x.apply(m); err != nil {
			return fmt.Errorf("jetstream: message %d of stream %s: %w", m.seq, s.stream.name, err)
		}
	}
	use(x)
	return nil
}

// apply takes note of a message.
func (x *index[R]) apply(m stored) error {
	f, ok, err := parseFrame(m.data)
	if err != nil {
		return err
	}
	if !ok {
		x.upTo = m.seq
		return nil
	}
	r, err := parseRecord[R](f.record())
	if err != nil {
		return err
	}
	meta := itsm.MetaOf(&r)
	rec := x.records[meta.ID]
	if rec == nil {
		rec = &entry{id: meta.ID, at: position{first: cmp.Or(f.first, m.seq)}}
		x.records[rec.id] = rec
		x.byFirst[rec.at.first] = rec
		x.all.Add(rec.at.first)
	} else {
		x.states[rec.state].Remove(rec.at.first)
	}
	rec.at.version, rec.at.seq = f.version(), m.seq
	rec.state = meta.State
	put(x.states, rec.state, rec.at.first)
	x.setKeys(rec, &r)
	x.setDue(rec, meta.Due)
	x.upTo = m.seq
	return nil
}

func (x *index[R]) setKeys(rec *entry, r *R) {
	var keys []itsm.Key
	if indexed, ok := any(r).(itsm.Indexed); ok {
		keys = indexed.AppendKeys(nil)
	}
	if slices.Equal(rec.keys, keys) {
		return
	}
	for _, key := range rec.keys {
		set := x.keys[key]
		if set == nil {
			continue // it was there twice
		}
		if set.Remove(rec.at.first); set.IsEmpty() {
			delete(x.keys, key)
		}
	}
	for _, key := range keys {
		put(x.keys, key, rec.at.first)
	}
	rec.keys = slices.Clip(keys)
}

func put[K comparable](sets map[K]*roaring64.Bitmap, key K, first uint64) {
	if sets[key] == nil {
		sets[key] = roaring64.New()
	}
	sets[key].Add(first)
}

func (x *index[R]) setDue(rec *entry, due time.Time) {
	if rec.due.Equal(due) {
		return
	}
	if !rec.due.IsZero() {
		x.due.Delete(itsm.Wake{ID: rec.id, Due: rec.due})
	}
	if !due.IsZero() {
		x.due.Set(itsm.Wake{ID: rec.id, Due: due})
	}
	rec.due = due
}

// find returns where the records are that match, in the order of their creation,
// beginning after a first message, and one more than fit on a page.
func (x *index[R]) find(q itsm.Query, after uint64) []position {
	sets := []*roaring64.Bitmap{x.all}
	for _, key := range q.Where {
		sets = append(sets, orEmpty(x.keys[key]))
	}
	if len(q.States) > 0 {
		var any []*roaring64.Bitmap
		for _, state := range q.States {
			any = append(any, orEmpty(x.states[state]))
		}
		sets = append(sets, roaring64.FastOr(any...))
	}
	set := x.all
	if len(sets) > 1 {
		set = roaring64.FastAnd(sets[1:]...)
	}
	var found []position
	it := set.Iterator()
	for it.AdvanceIfNeeded(after + 1); it.HasNext() && len(found) <= q.Size(); {
		found = append(found, x.byFirst[it.Next()].at)
	}
	return found
}

func orEmpty(set *roaring64.Bitmap) *roaring64.Bitmap {
	if set == nil {
		return roaring64.New()
	}
	return set
}

// List returns the records that match, in the order of their creation, as they
// were when it was asked for. A cursor is good for every handle to the stream.
//
// Errors: [itsm.ErrInvalid] for a cursor of another stream; the context's; those
// of the connection.
func (s *Store[R]) List(ctx context.Context, q itsm.Query) (page itsm.Page[R], err error) {
	if err := ctx.Err(); err != nil {
		return itsm.Page[R]{}, err
	}
	after, _, err := s.stream.place("list", q.After)
	if err != nil {
		return itsm.Page[R]{}, err
	}
	var found []position
	if err := s.current(ctx, "List", func(x *index[R]) { found = x.find(q, after) }); err != nil {
		return itsm.Page[R]{}, err
	}
	if len(found) > q.Size() {
		found = found[:q.Size()]
		page.Next = s.stream.cursor("list", found[len(found)-1].first, 0)
	}
	seqs := make([]uint64, len(found))
	for i, at := range found {
		seqs[i] = at.seq
	}
	messages, err := s.stream.at(ctx, "List", seqs...)
	if err != nil {
		return itsm.Page[R]{}, err
	}
	page.Records = make([]R, len(messages))
	for i, data := range messages {
		f, err := s.stream.revision(stored{seqs[i], data})
		if err == nil {
			page.Records[i], err = parseRecord[R](f.record())
		}
		if err != nil {
			return itsm.Page[R]{}, err
		}
	}
	return page, nil
}

// Due yields the records that are due, as they are when the iteration begins,
// to every caller that asks.
//
// Errors: the context's; those of the connection.
func (s *Store[R]) Due(ctx context.Context, now time.Time) iter.Seq2[itsm.Wake, error] {
	return sequence(ctx, func(yield func(itsm.Wake) bool) error {
		var wakes []itsm.Wake
		err := s.current(ctx, "Due", func(x *index[R]) {
			x.due.Scan(func(w itsm.Wake) bool {
				if w.Due.After(now) {
					return false
				}
				wakes = append(wakes, w)
				return true
			})
		})
		for _, w := range wakes {
			if !yield(w) {
				break
			}
		}
		return err
	})
}

// NextDue returns the earliest due time after a moment, zero if there is none.
//
// Errors: the context's; those of the connection.
func (s *Store[R]) NextDue(ctx context.Context, after time.Time) (next time.Time, err error) {
	if err := ctx.Err(); err != nil {
		return time.Time{}, err
	}
	err = s.current(ctx, "NextDue", func(x *index[R]) {
		// Before the first id at the moment after it.
		x.due.Ascend(itsm.Wake{Due: after.Add(1)}, func(w itsm.Wake) bool {
			next = w.Due
			return false
		})
	})
	return next, err
}
