package practicetest

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/storage/memory"
)

// A Clock stands still until it is moved, forwards or backwards. It is safe for
// concurrent use.
type Clock struct {
	mu sync.Mutex
	t  time.Time
}

// NewClock returns a clock that stands at a time.
func NewClock(t time.Time) *Clock { return &Clock{t: t} }

// Now is an [itsm.Config]'s Now.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

// Advance moves the clock.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

// Set moves the clock to a time.
func (c *Clock) Set(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = t
}

// Serial is an [itsm.Config]'s NewID that counts: inc-1, inc-2, evt-1. So tests and
// examples say the same each time. It is safe for concurrent use.
func Serial() func(context.Context, string, time.Time) (itsm.ID, error) {
	var mu sync.Mutex
	last := map[string]int{}
	return func(_ context.Context, prefix string, _ time.Time) (itsm.ID, error) {
		mu.Lock()
		defer mu.Unlock()
		last[prefix]++
		return itsm.ID(fmt.Sprintf("%s-%d", prefix, last[prefix])), nil
	}
}

// Said lists the findings of an error as text.
func Said(err error) []string {
	var all []string
	for _, f := range itsm.Findings(err) {
		all = append(all, f.Error())
	}
	return all
}

// A Desk is where a test works with a practice: over a store in memory, by a clock that
// stands. What does not go as it should fails the test.
//
//	desk := practicetest.NewDesk(t, NewAssets)
//	r := desk.Made(mia, Register{Tag: "N-17", Model: "13 inch"})
//	r = desk.Did(mia, r.ID, Lend{To: "jin", Until: practicetest.Morning().Add(time.Hour)}, Return{})
//	desk.Refuse(mia, r.ID, Retire{}, "there is still data on N-17")
//
// Reading is from the store, so that a test may put the practice over another one.
type Desk[R any] struct {
	// T is the test.
	T testing.TB
	// Time is the practice's clock.
	Time *Clock
	// Store has the records.
	Store *memory.Store[R]
	// Kernel is the practice.
	Kernel *itsm.Practice[R]
}

// Morning is when desks and worlds begin: a Monday at eight.
func Morning() time.Time { return time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC) }

// NewDesk makes the practice as a host does, with a clock that stands at [Morning] and ids
// that count.
func NewDesk[R any](t testing.TB, host Host[R]) *Desk[R] {
	t.Helper()
	d := &Desk[R]{T: t, Time: NewClock(Morning()), Store: memory.New[R]()}
	var err error
	if d.Kernel, err = host(d.Store, itsm.Config{Now: d.Time.Now, NewID: Serial()}); err != nil {
		t.Fatal(err)
	}
	return d
}

// Made creates a record and returns it.
func (d *Desk[R]) Made(ctx context.Context, a itsm.Action[R]) R {
	d.T.Helper()
	r, err := d.Kernel.Create(ctx, a)
	if err != nil {
		d.T.Fatal(err)
	}
	d.Replays(itsm.MetaOf(&r).ID)
	return r
}

// Did does actions, a minute apart, and returns the record as it is then, having
// compared it with its replay.
func (d *Desk[R]) Did(ctx context.Context, id itsm.ID, actions ...itsm.Action[R]) R {
	d.T.Helper()
	for _, a := range actions {
		d.Time.Advance(time.Minute)
		if _, err := d.Kernel.Do(ctx, id, a); err != nil {
			d.T.Fatalf("%s: %v", a.Action(), err)
		}
	}
	d.Replays(id)
	return d.Record(id)
}

// Record returns a record.
func (d *Desk[R]) Record(id itsm.ID) R {
	d.T.Helper()
	r, err := d.Store.Load(context.Background(), id)
	if err != nil {
		d.T.Fatal(err)
	}
	return r
}

// Records returns all records.
func (d *Desk[R]) Records() map[itsm.ID]R {
	d.T.Helper()
	all, err := records(d.Store)
	if err != nil {
		d.T.Fatal(err)
	}
	return all
}

// Replays proves that a record is what its history leads to.
func (d *Desk[R]) Replays(id itsm.ID) {
	d.T.Helper()
	again, err := d.Kernel.Replay(d.Store.Events(context.Background(), id, 0))
	if err != nil {
		d.T.Fatal(err)
	}
	if r := d.Record(id); !reflect.DeepEqual(r, again) {
		d.T.Fatalf("%s is not what its history leads to: %s", id, difference(r, again))
	}
}

// Refuse does an action that must be refused, with exactly these findings, and change
// nothing. It returns the error.
func (d *Desk[R]) Refuse(ctx context.Context, id itsm.ID, a itsm.Action[R], findings ...string) error {
	d.T.Helper()
	before := d.Records()
	_, err := d.Kernel.Do(ctx, id, a)
	if err == nil {
		d.T.Fatalf("%s was not refused", a.Action())
	}
	if said := Said(err); !slices.Equal(findings, said) {
		d.T.Fatalf("the findings differ: %s\n%v", difference(findings, said), err)
	}
	if after := d.Records(); !reflect.DeepEqual(before, after) {
		d.T.Fatalf("what is refused changes nothing: %s", difference(before, after))
	}
	return err
}

// Story lists the actions done to a record.
func (d *Desk[R]) Story(id itsm.ID) []string {
	d.T.Helper()
	var names []string
	for e, err := range d.Store.Events(context.Background(), id, 0) {
		if err != nil {
			d.T.Fatal(err)
		}
		names = append(names, e.Action)
	}
	return names
}

// Stories lists what was done to each record, as text, in order: each is compared
// with its replay.
func (d *Desk[R]) Stories() []string {
	d.T.Helper()
	var all []string
	for id := range d.Records() {
		d.Replays(id)
		all = append(all, strings.Join(d.Story(id), " "))
	}
	slices.Sort(all)
	return all
}

// Due lets time pass, does what it brings, and returns how much that was.
func (d *Desk[R]) Due(after time.Duration) int {
	d.T.Helper()
	d.Time.Advance(after)
	n, err := runDue(d.Kernel, d.Time.Now)
	if err != nil {
		d.T.Fatal(err)
	}
	return n
}

// DueAtOnce is Due on several hosts at the same time, all over the same store.
func (d *Desk[R]) DueAtOnce(after time.Duration, host Host[R]) int {
	d.T.Helper()
	d.Time.Advance(after)
	due, err := dueAtOnce(d.Store, itsm.Config{Now: d.Time.Now, Attempts: 1000}, host)
	if err != nil {
		d.T.Fatal(err)
	}
	n, err := due()
	if err != nil {
		d.T.Fatal(err)
	}
	return n
}

// hosts is how many hosts are as good as any number.
const hosts = 6

// asTime is who asks for what time brings.
var asTime = itsm.WithActor(context.Background(), itsm.System())

// dueAtOnce makes several hosts and returns what does what is due on all of them at the
// same time.
func dueAtOnce[R any](store itsm.Store[R], cfg itsm.Config, host Host[R]) (due func() (int, error), err error) {
	practices := make([]*itsm.Practice[R], hosts)
	for i := range practices {
		if practices[i], err = host(store, cfg); err != nil {
			return nil, err
		}
	}
	return func() (done int, err error) {
		var all sync.WaitGroup
		var mu sync.Mutex
		for _, p := range practices {
			all.Go(func() {
				n, failed := 0, error(nil)
				defer func() {
					if p := recover(); p != nil {
						failed = fmt.Errorf("a panic: %v\n%s", p, debug.Stack())
					}
					mu.Lock()
					defer mu.Unlock()
					done, err = done+n, errors.Join(err, failed)
				}()
				n, failed = runDue(p, cfg.Now)
			})
		}
		all.Wait()
		return done, err
	}, nil
}

// runDue does what is due, all of it, however much it is.
func runDue[R any](p *itsm.Practice[R], now func() time.Time) (done int, err error) {
	for {
		n, next, err := p.RunDue(asTime)
		done += n
		if err != nil || n == 0 || next.IsZero() || next.After(now()) {
			return done, err
		}
	}
}
