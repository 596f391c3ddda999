package itsm_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/storage/memory"
)

type depthKey struct{}

func depth(ctx context.Context) int {
	n, _ := ctx.Value(depthKey{}).(int)
	return n
}

// An observer writes down what it is told, each call below the one that it came
// from.
type observer struct{ lines []string }

func (o *observer) observe(ctx context.Context, c itsm.Call) (context.Context, func(itsm.Outcome)) {
	of := c.Practice
	if c.Store {
		of += "'s store"
	}
	record := strings.TrimPrefix(string(c.Record), "tkt_") // the hand-made ids of these tests
	line := strings.Join(strings.Fields(fmt.Sprint(strings.Repeat("> ", depth(ctx)), of, ": ", c.Method, " ", record, " ", c.Action, " ", c.Reaction)), " ")
	at := len(o.lines)
	o.lines = append(o.lines, line+" …")
	return context.WithValue(ctx, depthKey{}, depth(ctx)+1), func(out itsm.Outcome) {
		for _, e := range out.Events {
			line += fmt.Sprintf(" +%s/%d", e.Action, e.Version)
		}
		if out.Attempts > 1 {
			line += fmt.Sprintf(" in %d attempts", out.Attempts)
		}
		if !out.Since.IsZero() {
			line += " since " + out.Since.Format("15:04")
		}
		if out.Err != nil && out.Err.Error() == "itsm: it did not return" {
			line += " ! " + out.Err.Error()
		}
		for _, known := range []error{itsm.ErrNotFound, itsm.ErrNotAllowed, itsm.ErrInvalid, itsm.ErrDenied, itsm.ErrConflict, itsm.ErrUnknown, itsm.ErrNoActor, itsm.ErrExists} {
			if errors.Is(out.Err, known) {
				line += " ! " + known.Error()
			}
		}
		o.lines[at] = line
	}
}

// taken returns what was written down, and begins anew.
func (o *observer) taken() (lines []string) {
	lines, o.lines = o.lines, nil
	return lines
}

func TestObserve(t *testing.T) {
	c, o := newClock(), &observer{}
	store := &hooked{Store: memory.New[Ticket]()}
	n := 0
	var notified, authorized int
	p := newToy(t, store, itsm.Config{Now: c.Now, Observe: o.observe,
		NewID: func(ctx context.Context, prefix string, at time.Time) (itsm.ID, error) {
			if prefix == "tkt" {
				n++
				return itsm.ID(fmt.Sprint("tkt_", n)), nil
			}
			return itsm.NewID(prefix, at), nil
		},
		Notify: func(ctx context.Context, _ []itsm.Event) { notified = depth(ctx) },
		Authorize: func(ctx context.Context, a itsm.Attempt) error {
			authorized = depth(ctx)
			if a.Actor.ID == "mallory" {
				return errors.New("not her")
			}
			return nil
		}})
	jin := as(t, "jin")
	all := func(seq func(yield func(itsm.Event, error) bool)) {
		for range seq {
			continue
		}
	}
	for _, c := range []struct {
		name string
		do   func()
		want []string
	}{
		{"Create", func() { _, _ = p.Create(jin, File{Title: "one"}) },
			[]string{"ticket: Create file +file/1", "> ticket's store: Commit 1"}},
		{"CreateWithCascade", func() { _, _ = p.Create(jin, File{Title: "two", Parent: "tkt_1"}) },
			[]string{"ticket: Create file +file/1 +gain/2", "> ticket's store: Load 1", "> ticket's store: Commit"}},
		{"Do", func() { _, _ = p.Do(jin, "tkt_2", Own{}) },
			[]string{"ticket: Do 2 own +own/2", "> ticket's store: Load 2", "> ticket's store: Commit 2"}},
		{"DoByPointer", func() { _, _ = p.Do(jin, "tkt_2", &Add{N: 1}) },
			[]string{"ticket: Do 2 add +add/3", "> ticket's store: Load 2", "> ticket's store: Commit 2"}},
		{"DoNothing", func() { _, _ = p.Do(jin, "tkt_2", nil) },
			[]string{"ticket: Do 2 ! itsm: invalid", "> ticket's store: Load 2"}},
		{"DoNilPointer", func() { _, _ = p.Do(jin, "tkt_2", (*Add)(nil)) },
			[]string{"ticket: Do 2 ! itsm: invalid", "> ticket's store: Load 2"}},
		{"DoWhatNobodyKnows", func() { _, _ = p.Do(jin, "tkt_2", stranger{}) },
			[]string{"ticket: Do 2 ! itsm: invalid", "> ticket's store: Load 2"}},
		{"Missing", func() { _, _ = p.Do(jin, "tkt_9", Own{}) },
			[]string{"ticket: Do 9 own ! itsm: not found", "> ticket's store: Load 9 ! itsm: not found"}},
		{"NotAllowed", func() { _, _ = p.Do(jin, "tkt_2", Reopen{}) },
			[]string{"ticket: Do 2 reopen ! itsm: not allowed", "> ticket's store: Load 2"}},
		{"Denied", func() { _, _ = p.Do(as(t, "mallory"), "tkt_2", Own{}) },
			[]string{"ticket: Do 2 own ! itsm: denied", "> ticket's store: Load 2"}},
		{"NobodyAsks", func() { _, _ = p.Do(t.Context(), "tkt_2", Own{}) },
			[]string{"ticket: Do 2 own ! itsm: no actor"}},
		{"Update", func() {
			_ = p.Update(jin, func(tx *itsm.Tx[Ticket]) error {
				_, err := tx.Do("tkt_1", Add{N: 1})
				if err == nil {
					_, err = tx.Do("tkt_2", Add{N: 1})
				}
				return err
			})
		}, []string{"ticket: Update +add/3 +add/4", "> ticket's store: Load 1", "> ticket's store: Load 2", "> ticket's store: Commit"}},
		{"Check", func() { _, _ = p.Check(jin, "tkt_2", Finish{}) },
			[]string{"ticket: Check 2 finish ! itsm: invalid", "> ticket's store: Load 2"}},
		{"WhyNot", func() { _, _ = p.WhyNot(jin, "tkt_2") },
			[]string{"ticket: WhyNot 2", "> ticket's store: Load 2", "> ticket's store: Load 1"}},
		{"Get", func() { _, _ = p.Get(jin, "tkt_9") },
			[]string{"ticket's store: Load 9 ! itsm: not found"}},
		{"List", func() { _, _ = p.List(jin, itsm.Query{After: "nonsense"}) },
			[]string{"ticket's store: List ! itsm: invalid"}},
		{"History", func() { all(p.History(jin, "tkt_2")) },
			[]string{"ticket's store: Events 2"}},
		{"Feed", func() {
			for range p.Feed(jin, "") {
				break // a loop that is left ends it too
			}
		}, []string{"ticket's store: Feed"}},
		{"FeedFromNowhere", func() {
			for range p.Feed(jin, "nonsense") {
				continue
			}
		}, []string{"ticket's store: Feed ! itsm: invalid"}},
		{"Unread", func() { _ = p.History(jin, "tkt_2") }, nil},
		{"Conflict", func() {
			faster := true
			store.before = func(call string) error {
				if call != "commit" || !faster {
					return nil
				}
				faster = false
				return itsm.ErrConflict
			}
			_, _ = p.Do(jin, "tkt_2", Add{N: 1})
			store.before = nil
		}, []string{"ticket: Do 2 add +add/5 in 2 attempts", "> ticket's store: Load 2", "> ticket's store: Commit 2 ! itsm: changed by somebody else",
			"> ticket's store: Load 2", "> ticket's store: Commit 2"}},
		{"Unknown", func() {
			dead := true
			store.after = func(call string, err error) error {
				if call != "commit" || !dead {
					return err
				}
				dead = false
				return itsm.ErrUnknown
			}
			_, _ = p.Do(jin, "tkt_2", Add{N: 1})
			store.after = nil
		}, []string{"ticket: Do 2 add +add/6", "> ticket's store: Load 2", "> ticket's store: Commit 2 ! itsm: outcome unknown", "> ticket's store: Commit 2"}},
		{"Due", func() {
			// Two things become due at different times, and somebody is late.
			_, _ = p.Do(jin, "tkt_1", Watch{Every: 10 * time.Minute, Times: 3})
			c.Advance(25 * time.Minute)
			o.taken()
			_, _, _ = p.RunDue(jin)
		}, []string{"ticket's store: Due",
			"ticket: RunDue 1 +beat/5 since 09:10", "> ticket's store: Load 1", "> ticket's store: Commit 1",
			"ticket: RunDue 1 +beat/6 since 09:20", "> ticket's store: Load 1", "> ticket's store: Commit 1",
			"ticket's store: NextDue"}},
		{"DueForSomebodyElse", func() {
			c.Advance(10 * time.Minute)
			other := newToy(t, store.Store, itsm.Config{Now: c.Now})
			store.before = func(call string) error {
				if call == "load" {
					_, _, _ = other.RunDue(jin)
				}
				return nil
			}
			_, _, _ = p.RunDue(jin)
			store.before = nil
		}, []string{"ticket's store: Due", "ticket: RunDue 1", "> ticket's store: Load 1", "ticket's store: NextDue"}},
		{"Panic", func() {
			require.Panics(t, func() {
				_ = p.Update(jin, func(*itsm.Tx[Ticket]) error { panic("oh") })
			})
		}, []string{"ticket: Update ! itsm: it did not return"}},
		{"PanicInStore", func() {
			store.before = func(string) error { panic("oh") }
			require.Panics(t, func() { _, _ = p.WhyNot(jin, "tkt_2") })
			store.before = nil
		}, []string{"ticket: WhyNot 2 ! itsm: it did not return", "> ticket's store: Load 2 ! itsm: it did not return"}},
		{"PanicInALoop", func() {
			require.Panics(t, func() {
				for range p.Feed(jin, "") {
					panic("oh")
				}
			})
		}, []string{"ticket's store: Feed ! itsm: it did not return"}},
		{"Because", func() {
			cause := itsm.Event{ID: "evt_1", At: monday.Add(30 * time.Minute)}
			_, _ = p.Do(itsm.Because(jin, cause, "greet"), "tkt_2", Add{N: 1})
		}, []string{"ticket: Do 2 add greet +add/7 since 09:30", "> ticket's store: Load 2", "> ticket's store: Events 2", "> ticket's store: Commit 2"}},
		{"BecauseAgain", func() {
			cause := itsm.Event{ID: "evt_1", At: monday.Add(30 * time.Minute)}
			_, _ = p.Do(itsm.Because(jin, cause, "greet"), "tkt_2", Add{N: 1})
		}, []string{"ticket: Do 2 add greet ! itsm: exists already", "> ticket's store: Load 2", "> ticket's store: Events 2"}},
		{"Over", func() {
			over := p.Over(memory.New[Ticket]())
			_, _ = over.Get(jin, "tkt_1")
		}, []string{"ticket's store: Load 1 ! itsm: not found"}},
		{"Unsupported", func() {
			over := p.Over(bare{store})
			_, err := over.List(jin, itsm.Query{})
			require.ErrorIs(t, err, itsm.ErrUnsupported)
			for _, err := range over.Feed(jin, "") {
				require.ErrorIs(t, err, itsm.ErrUnsupported)
			}
			_, _, err = over.RunDue(jin)
			require.ErrorIs(t, err, itsm.ErrUnsupported)
		}, nil},
	} {
		o.taken()
		c.do()
		require.Equal(t, c.want, o.taken(), c.name)
	}
	require.Equal(t, 1, notified, "what a call leads to comes from its context")
	require.Equal(t, 1, authorized)
}

// A stranger is an action that the practice does not have, by a name that it has.
type stranger struct{}

func (stranger) Action() string                   { return "of my own making" }
func (stranger) Apply(*Ticket, itsm.Moment) error { return nil }

// An observer may have nothing to say of how a call ends.
func TestObserveBeginningsOnly(t *testing.T) {
	var begun int
	p := newToy(t, memory.New[Ticket](), itsm.Config{Observe: func(ctx context.Context, _ itsm.Call) (context.Context, func(itsm.Outcome)) {
		begun++
		return ctx, nil
	}})
	r := file(t, p, "one")
	_, err := p.WhyNot(as(t, "jin"), r.ID)
	require.NoError(t, err)
	require.Len(t, events(t, p, r.ID), 1)
	require.Equal(t, 5, begun)
}
