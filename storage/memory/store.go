package memory

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"hash/maphash"
	"iter"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/internal/clone"
)

// A Store keeps records of type R in memory. Make it with [New]. It is safe for
// concurrent use and must not be copied.
type Store[R any] struct {
	clone *clone.Cloner[R]
	// name makes the cursors of this store recognizable.
	name string
	owns sync.Pool // of *R, for commits

	// mu guards what follows. An event is never changed and a history only
	// ever grows, so they may be read without it; a record is written over by
	// its next version, so it is copied under it.
	mu      sync.RWMutex
	records map[itsm.ID]*record[R]
	created []*record[R] // by record.number
	log     log
	ids     ids
	due     queue[R]

	// indexing guards the indexes, and stale, the records that have changed
	// since they were put into them, against others that hold mu for reading.
	// Who holds it for writing needs nothing else.
	indexing sync.Mutex
	stale    []*record[R]
	states   index[itsm.State]
	keys     index[itsm.Key]
}

// A record is the latest version and the way there.
type record[R any] struct {
	number  int // counts records in the order of their creation
	value   R
	shares  bool       // value has something that a copy must have its own of
	meta    *itsm.Meta // of value
	history []uint32   // positions in the log
	due     time.Time  // by which it is queued, at place
	place   int
	stale   bool // it has changed since it was indexed, if it was, by state and keys
	indexed bool
	state   itsm.State
	keys    []itsm.Key
}

// New returns an empty store. It panics if *R is no [itsm.Record], or if R has
// a field that cannot be copied: an interface, a channel, a function, or an
// unexported field that holds references, in a type that has no method
//
//	Clone() X
//
// of its own. Both are errors of the program, found by any test that gets here.
func New[R any]() *Store[R] {
	if itsm.MetaOf(new(R)) == nil {
		panic(fmt.Sprintf("memory: %T does not embed itsm.Meta", *new(R)))
	}
	cloner, err := clone.Of[R]()
	if err != nil {
		panic(fmt.Sprintf("memory: %T cannot be kept: %v", *new(R), err))
	}
	var name [6]byte
	_, _ = rand.Read(name[:]) // never fails
	return &Store[R]{
		clone:   cloner,
		name:    hex.EncodeToString(name[:]),
		owns:    sync.Pool{New: func() any { return new(R) }},
		records: map[itsm.ID]*record[R]{},
		ids:     ids{seed: maphash.MakeSeed()},
		states:  index[itsm.State]{},
		keys:    index[itsm.Key]{},
	}
}

// Load returns a copy of the record.
//
// Errors: [itsm.ErrNotFound]; the context's.
func (s *Store[R]) Load(ctx context.Context, id itsm.ID) (value R, err error) {
	if err := ctx.Err(); err != nil {
		return value, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	switch rec := s.records[id]; {
	case rec == nil:
		err = notFound(id)
	case rec.shares:
		value = s.clone.Clone(rec.value)
	default:
		value = rec.value
	}
	return value, err
}

// InPlace is for package itsm, which has a place for the record that it loads:
// a way to copy it there, which is much cheaper than through the results of
// Load. It returns nil if it is not this store that is asked about but one
// around it, which may have a Load of its own.
func (s *Store[R]) InPlace(store itsm.Store[R]) func(ctx context.Context, id itsm.ID, to *R) error {
	if store != itsm.Store[R](s) {
		return nil
	}
	return s.copyTo
}

func (s *Store[R]) copyTo(ctx context.Context, id itsm.ID, to *R) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	rec := s.records[id]
	if rec == nil {
		return notFound(id)
	}
	if rec.shares {
		s.clone.Copy(to, &rec.value)
	} else {
		*to = rec.value
	}
	return nil
}

func notFound(id itsm.ID) error { return fmt.Errorf("%w: record %s", itsm.ErrNotFound, id) }

// Events yields copies of the record's events as they are when the iteration
// begins.
//
// Errors: the context's.
func (s *Store[R]) Events(ctx context.Context, id itsm.ID, after itsm.Version) iter.Seq2[itsm.Event, error] {
	return func(yield func(itsm.Event, error) bool) {
		if err := ctx.Err(); err != nil {
			yield(itsm.Event{}, err)
			return
		}
		var history []uint32
		s.mu.RLock()
		log := s.log
		if rec := s.records[id]; rec != nil {
			history = rec.history
		}
		s.mu.RUnlock()
		for _, position := range history[min(after, itsm.Version(len(history))):] {
			if !yield(log.at(int(position)), nil) {
				return
			}
		}
	}
}

// Feed yields copies of the events of all records, in the order of their
// commits, as they are when the iteration begins.
//
// Errors: [itsm.ErrInvalid] for a cursor of another store; the context's.
func (s *Store[R]) Feed(ctx context.Context, after itsm.Cursor) iter.Seq2[itsm.Delivery, error] {
	return func(yield func(itsm.Delivery, error) bool) {
		if err := ctx.Err(); err != nil {
			yield(itsm.Delivery{}, err)
			return
		}
		s.mu.RLock()
		log := s.log
		s.mu.RUnlock()
		from, err := s.position("feed", after, log.size)
		if err != nil {
			yield(itsm.Delivery{}, err)
			return
		}
		for position := from; position < log.size; position++ {
			if !yield(itsm.Delivery{Event: log.at(position), Cursor: s.cursor("feed", position+1)}, nil) {
				return
			}
		}
	}
}

// List returns copies of the records that match, in the order of their
// creation.
//
// Errors: [itsm.ErrInvalid] for a cursor of another store; the context's.
func (s *Store[R]) List(ctx context.Context, q itsm.Query) (itsm.Page[R], error) {
	if err := ctx.Err(); err != nil {
		return itsm.Page[R]{}, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	from, err := s.position("list", q.After, len(s.created))
	if err != nil {
		return itsm.Page[R]{}, err
	}
	s.settle()
	sel := selection{size: len(s.created), ofAny: len(q.States) > 0}
	for _, state := range q.States {
		sel.any = append(sel.any, s.states[state].rest())
	}
	for _, key := range q.Where {
		sel.all = append(sel.all, s.keys[key].rest())
	}
	var page itsm.Page[R]
	found := make([]*record[R], 0, min(q.Size(), len(s.created)-from))
	for n := range sel.from(from) {
		if len(found) == q.Size() {
			page.Next = s.cursor("list", n)
			break
		}
		found = append(found, s.created[n])
	}
	page.Records = make([]R, len(found))
	for i, rec := range found {
		s.clone.Copy(&page.Records[i], &rec.value)
	}
	return page, nil
}

// Due yields the records that are due, as they are when the iteration begins,
// to every caller.
//
// Errors: the context's.
func (s *Store[R]) Due(ctx context.Context, now time.Time) iter.Seq2[itsm.Wake, error] {
	return func(yield func(itsm.Wake, error) bool) {
		if err := ctx.Err(); err != nil {
			yield(itsm.Wake{}, err)
			return
		}
		s.mu.RLock()
		wakes := s.due.until(now, 0, nil)
		s.mu.RUnlock()
		slices.SortFunc(wakes, compareWakes)
		for _, w := range wakes {
			if !yield(w, nil) {
				return
			}
		}
	}
}

// NextDue returns the earliest due time after a moment, zero if there is none.
//
// Errors: the context's.
func (s *Store[R]) NextDue(ctx context.Context, after time.Time) (time.Time, error) {
	if err := ctx.Err(); err != nil {
		return time.Time{}, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.due.next(after, 0, time.Time{}), nil
}

// cursor names a position in a list or feed of this store.
func (s *Store[R]) cursor(kind string, position int) itsm.Cursor {
	return itsm.Cursor(kind + "-" + s.name + "-" + strconv.Itoa(position))
}

// position reads a cursor, which is valid if this store could have made it.
func (s *Store[R]) position(kind string, c itsm.Cursor, end int) (int, error) {
	if c == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(string(c[strings.LastIndexByte(string(c), '-')+1:]))
	if err != nil || n < 0 || n > end || c != s.cursor(kind, n) {
		return 0, &itsm.FieldError{Field: "after", Reason: "is no " + kind + " cursor of this store"}
	}
	return n, nil
}
