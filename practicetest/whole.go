package practicetest

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/storage/memory"
)

var errDown = errors.New("the store is down")

// A Faulty store is one in memory that fails as it is told. It is safe for concurrent use
// while nobody changes its fields.
type Faulty[R any] struct {
	*memory.Store[R]
	mu sync.Mutex
	// OnLoad is asked before a record is read, Before and After when a commit is to
	// happen and when it has: what they return is what the store answers. Nil means that
	// nothing fails.
	OnLoad, Before, After func() error
}

func (f *Faulty[R]) ask(what func() error) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if what == nil {
		return nil
	}
	return what()
}

// Load is that of the store, unless it fails.
func (f *Faulty[R]) Load(ctx context.Context, id itsm.ID) (r R, err error) {
	if err := f.ask(f.OnLoad); err != nil {
		return r, err
	}
	return f.Store.Load(ctx, id)
}

// Commit is that of the store, unless it fails before or after. That others were faster it
// does not say of what it has written already: no store does.
func (f *Faulty[R]) Commit(ctx context.Context, revs ...itsm.Revision[R]) error {
	if err := f.ask(f.Before); err != nil && !(errors.Is(err, itsm.ErrConflict) && f.written(revs)) {
		return err
	}
	if err := f.Store.Commit(ctx, revs...); err != nil {
		return err
	}
	return f.ask(f.After)
}

// written reports whether revisions are in the history already.
func (f *Faulty[R]) written(revs []itsm.Revision[R]) bool {
	for _, rev := range revs {
		for e := range f.Events(context.Background(), rev.Events[0].Record, rev.Base) {
			return e.ID == rev.Events[0].ID
		}
	}
	return false
}

// A Call is one call that changes something, perhaps several records.
type Call[R any] struct {
	// Practice is the practice, over whatever store: by it, each record that the call has
	// changed must be what its history leads to.
	Practice *itsm.Practice[R]
	// Do makes the call. It is made again where it failed and nothing has happened.
	Do func() error
	// Holds says whether what a practice keeps beside its store agrees with it, when the
	// call has happened or has not; nil means that there is nothing.
	Holds func(happened bool) error
	// Once says that who makes the call again is refused, or nothing happens.
	Once bool
}

// A fault is a way in which a commit fails.
type fault struct {
	name                  string
	onLoad, before, after error
	// always says that it fails each time, and not only the first.
	always bool
	// fails is what the call must return, happened whether it has happened then.
	fails    error
	happened bool
}

func faults() []fault {
	return []fault{
		{name: "Well", happened: true},
		{name: "NotLoaded", onLoad: errDown, always: true, fails: errDown},
		{name: "Down", before: errDown, always: true, fails: errDown},
		{name: "DownAfterwards", after: errDown, always: true, fails: errDown, happened: true},
		{name: "UnknownNotDone", before: itsm.ErrUnknown, happened: true},
		{name: "UnknownDone", after: itsm.ErrUnknown, happened: true},
		{name: "UnknownForLong", before: itsm.ErrUnknown, always: true, fails: itsm.ErrUnknown},
		{name: "UnknownAfterwardsForLong", after: itsm.ErrUnknown, always: true, fails: itsm.ErrUnknown, happened: true},
		{name: "Conflict", before: itsm.ErrConflict, happened: true},
		{name: "ConflictForLong", before: itsm.ErrConflict, always: true, fails: itsm.ErrConflict},
	}
}

// Whole proves that a call happens as a whole or not at all, and once, however its store
// fails: that it cannot be read or written, that a commit is lost before or after it has
// happened, that nobody knows, that others were faster; that, where nothing has happened,
// it can be made again; and that each record is what its history leads to then.
//
// Begin puts a practice over the store, does what was before, and returns the call; it may
// put another store in memory into the one that it is given. It does the same each time,
// and sets [itsm.Config].Attempts to 3 or so, or each failure takes seconds.
func Whole[R any](t *testing.T, begin func(t *testing.T, store *Faulty[R]) Call[R]) {
	var well []string
	for _, f := range faults() {
		ok := t.Run(f.name, func(t *testing.T) {
			did, err := prove(f, well, func(store *Faulty[R]) (Call[R], error) { return begin(t, store), nil })
			if err != nil {
				t.Fatal(Failure{ruleWhole, err})
			}
			well = did
		})
		if !ok && well == nil {
			return
		}
	}
}

// whole is Whole without a test.
func whole[R any](begin func(store *Faulty[R]) (Call[R], error)) (err error) {
	var well []string
	for _, f := range faults() {
		if well, err = prove(f, well, begin); err != nil {
			return fmt.Errorf("%s: %w", f.name, err)
		}
	}
	return nil
}

// prove makes a call over a store with a fault, and returns what was done then: the same
// as when it went well, if that is known.
func prove[R any](f fault, well []string, begin func(store *Faulty[R]) (Call[R], error)) ([]string, error) {
	store := &Faulty[R]{Store: memory.New[R]()}
	call, err := begin(store)
	if err != nil {
		return nil, err
	}
	before, err := records(store.Store)
	if err != nil {
		return nil, err
	}
	if call.Practice == nil {
		return nil, errors.New("the call does not say of which practice it is")
	}
	was, err := histories(store.Store)
	if err != nil {
		return nil, err
	}
	asked := false
	answer := func(err error) func() error {
		if err == nil {
			return nil
		}
		return func() error {
			asked = true
			now := err
			if !f.always {
				err = nil
			}
			return now
		}
	}
	store.OnLoad, store.Before, store.After = answer(f.onLoad), answer(f.before), answer(f.after)
	err = call.Do()
	store.OnLoad, store.Before, store.After = nil, nil, nil
	if f.onLoad != nil && (!asked || err == nil) {
		f.fails, f.happened = nil, true // it reads nothing, or only when it was done
	}
	if !errors.Is(err, f.fails) {
		return nil, fmt.Errorf("it returned %v, and should have returned %v", err, f.fails)
	}
	holds := func(happened bool) error {
		if call.Holds == nil {
			return nil
		}
		return call.Holds(happened)
	}
	if !f.happened {
		after, err := records(store.Store)
		if err != nil {
			return nil, err
		}
		if !reflect.DeepEqual(before, after) {
			return nil, fmt.Errorf("something has happened: %s", difference(before, after))
		}
		if err := holds(false); err != nil {
			return nil, err
		}
		if err := call.Do(); err != nil {
			return nil, fmt.Errorf("it cannot be done later: %w", err)
		}
	}
	done, err := replayed(call.Practice, store.Store, before)
	if err != nil {
		return nil, err
	}
	if slices.Equal(was, done) {
		return nil, errors.New("nothing was done at all")
	}
	if well != nil && !slices.Equal(well, done) {
		return nil, fmt.Errorf("what was done differs: %s", difference(well, done))
	}
	if err := holds(true); err != nil {
		return nil, err
	}
	if !call.Once {
		return done, nil
	}
	if err := call.Do(); err != nil && !refusal(err) {
		return nil, fmt.Errorf("once more: %w", err)
	}
	again, err := replayed(call.Practice, store.Store, before)
	if err == nil && !slices.Equal(done, again) {
		err = fmt.Errorf("who makes it again does it twice: %s", difference(done, again))
	}
	return done, err
}

// replayed is histories, having compared each record that is not as it was before with its
// replay.
func replayed[R any](p *itsm.Practice[R], store *memory.Store[R], before map[itsm.ID]R) ([]string, error) {
	now, err := records(store)
	if err != nil {
		return nil, err
	}
	for id, r := range now {
		if was, ok := before[id]; ok && reflect.DeepEqual(was, r) {
			continue
		}
		again, err := p.Replay(store.Events(context.Background(), id, 0))
		if err != nil {
			return nil, fmt.Errorf("replaying %s: %w", id, err)
		}
		if !reflect.DeepEqual(r, again) {
			return nil, fmt.Errorf("%s is not what its history leads to: %s", id, difference(r, again))
		}
	}
	return histories(store)
}

// histories lists what was done to each record and where that led, as text, in order.
func histories[R any](store *memory.Store[R]) ([]string, error) {
	every, err := records(store)
	if err != nil {
		return nil, err
	}
	var all []string
	for id := range every {
		history, err := events(store, id)
		if err != nil {
			return nil, err
		}
		var b strings.Builder
		for _, e := range history {
			fmt.Fprintf(&b, "%s → %s; ", e.Action, e.To)
		}
		all = append(all, b.String())
	}
	slices.Sort(all)
	return all, nil
}

// copyTo copies a world's records and their histories.
func (w *World[R]) copyTo(store itsm.Store[R]) error {
	for _, id := range w.IDs {
		rev := itsm.Revision[R]{Record: w.Record(id), Events: w.Events(id)}
		if err := store.Commit(context.Background(), rev); err != nil {
			return err
		}
	}
	return nil
}

// prefixed counts on where another count stopped.
func prefixed(prefix itsm.ID) func(context.Context, string, time.Time) (itsm.ID, error) {
	ids := Serial()
	return func(ctx context.Context, kind string, at time.Time) (itsm.ID, error) {
		id, err := ids(ctx, kind, at)
		return prefix + id, err
	}
}
