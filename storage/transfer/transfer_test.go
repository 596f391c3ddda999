package transfer_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/storage/memory"
	"github.com/go-itsm/itsm/storage/transfer"
)

type note struct {
	itsm.Meta
	Text string `json:"text"`
}

type store = *memory.Store[note]

var start = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

// write commits a new version of a note.
func write(t *testing.T, s itsm.Store[note], id itsm.ID, text string) {
	n, err := s.Load(t.Context(), id)
	if err != nil {
		require.ErrorIs(t, err, itsm.ErrNotFound)
		n.ID, n.Created = id, start
	}
	base := n.Version
	n.Version, n.State, n.Text, n.Changed = base+1, "open", text, start
	require.NoError(t, s.Commit(t.Context(), itsm.Revision[note]{Base: base, Record: n, Events: []itsm.Event{{
		ID: itsm.ID(fmt.Sprintf("%s-%d-%s", id, n.Version, text)), Practice: "note", Record: id, Version: n.Version, Action: "write", To: "open",
		At: start, Actor: itsm.Actor{ID: "jin"}, Data: []byte(`{"text":"` + text + `"}`),
	}}}))
}

func Example() {
	ctx := context.Background()
	old, target := memory.New[note](), memory.New[note]()
	commit := func(v itsm.Version, text string) {
		n := note{Text: text}
		n.ID, n.Version, n.State = "note1", v, "open"
		err := old.Commit(ctx, itsm.Revision[note]{Base: v - 1, Record: n, Events: []itsm.Event{
			{ID: itsm.ID(fmt.Sprint("evt", v)), Practice: "note", Record: "note1", Version: v, Action: "write", To: "open"},
		}})
		if err != nil {
			panic(err)
		}
	}
	commit(1, "The printer is on fire.")

	at, err := transfer.Copy(ctx, old, target, "") // the program runs on
	fmt.Println(at.Records, at.Events, err)
	commit(2, "It is out.")
	at, err = transfer.Copy(ctx, old, target, at.Cursor) // and has been stopped
	fmt.Println(at.Records, at.Events, err)
	n, err := target.Load(ctx, "note1")
	fmt.Println(n.Version, n.Text, err)
	// Output:
	// 1 1 <nil>
	// 1 1 <nil>
	// 2 It is out. <nil>
}

// What was copied is the same, in however many goes, while the source is written to.
func TestCopy(t *testing.T) {
	ctx := t.Context()
	from, to := memory.New[note](), memory.New[note]()
	var at transfer.Progress
	events := 0
	for round := range 4 {
		for i := range 30 {
			write(t, from, itsm.ID(fmt.Sprint("n", i%(7+round))), fmt.Sprint(round))
		}
		// And while it is copied.
		busy := hooked{store: from, onLoad: func() { write(t, from, "hot", "x") }}
		var err error
		at, err = transfer.Copy(ctx, busy, itsm.Store[note](to), at.Cursor)
		require.NoError(t, err)
		events += at.Events
	}
	at, err := transfer.Copy(ctx, from, to, at.Cursor)
	require.NoError(t, err)
	events += at.Events
	want := 0
	for d, err := range from.Feed(ctx, "") {
		require.NoError(t, err)
		want++
		a, err := from.Load(ctx, d.Event.Record)
		require.NoError(t, err)
		b, err := to.Load(ctx, d.Event.Record)
		require.NoError(t, err)
		require.Equal(t, a, b)
		got := 0
		for e, err := range to.Events(ctx, d.Event.Record, d.Event.Version-1) {
			require.NoError(t, err)
			require.Equal(t, d.Event, e)
			got++
			break
		}
		require.Equal(t, 1, got)
	}
	require.Equal(t, want, events)
	// All of it once more, which writes nothing.
	again, err := transfer.Copy(ctx, from, to, "")
	require.NoError(t, err)
	require.Zero(t, again.Events)
	require.Equal(t, 11, again.Records)
}

// hooked does something before it loads, and may answer what it should not.
type hooked struct {
	store
	onLoad   func()
	load     func(note, error) (note, error)
	events   func(iter.Seq2[itsm.Event, error]) iter.Seq2[itsm.Event, error]
	feed     error
	onCommit func() error
}

func (h hooked) Load(ctx context.Context, id itsm.ID) (note, error) {
	if h.onLoad != nil {
		h.onLoad()
	}
	n, err := h.store.Load(ctx, id)
	if h.load != nil {
		return h.load(n, err)
	}
	return n, err
}

func (h hooked) Events(ctx context.Context, id itsm.ID, after itsm.Version) iter.Seq2[itsm.Event, error] {
	events := h.store.Events(ctx, id, after)
	if h.events != nil {
		return h.events(events)
	}
	return events
}

func (h hooked) Feed(ctx context.Context, after itsm.Cursor) iter.Seq2[itsm.Delivery, error] {
	if h.feed == nil {
		return h.store.Feed(ctx, after)
	}
	return func(yield func(itsm.Delivery, error) bool) { yield(itsm.Delivery{}, h.feed) }
}

func (h hooked) Commit(ctx context.Context, revs ...itsm.Revision[note]) error {
	if h.onCommit != nil {
		if err := h.onCommit(); err != nil {
			return err
		}
	}
	return h.store.Commit(ctx, revs...)
}

// What is not the same, or goes wrong on the way, is said, and which record it was.
func TestCopyFails(t *testing.T) {
	ctx := t.Context()
	gone := errors.New("gone")
	from := memory.New[note]()
	write(t, from, "a", "one")
	write(t, from, "b", "one")
	write(t, from, "b", "two")
	fill := func(do func(store)) store {
		s := memory.New[note]()
		do(s)
		return s
	}
	empty := func() store { return fill(func(store) {}) }
	failing := func(iter.Seq2[itsm.Event, error]) iter.Seq2[itsm.Event, error] {
		return func(yield func(itsm.Event, error) bool) { yield(itsm.Event{}, gone) }
	}
	none := func(iter.Seq2[itsm.Event, error]) iter.Seq2[itsm.Event, error] {
		return func(func(itsm.Event, error) bool) {}
	}
	for name, tt := range map[string]struct {
		from hooked
		to   hooked
		want error
		text string
	}{
		"another history":   {hooked{store: from}, hooked{store: fill(func(s store) { write(t, s, "b", "other"); write(t, s, "b", "two") })}, transfer.ErrDiffers, "record b: transfer: the stores differ: event 1"},
		"another record":    {hooked{store: from}, hooked{store: fill(func(s store) { write(t, s, "a", "other") })}, transfer.ErrDiffers, "record a"},
		"further":           {hooked{store: from}, hooked{store: fill(func(s store) { write(t, s, "a", "one"); write(t, s, "a", "more") })}, transfer.ErrDiffers, "at version 2"},
		"feed":              {hooked{store: from, feed: gone}, hooked{store: empty()}, gone, ""},
		"load":              {hooked{store: from, load: func(n note, _ error) (note, error) { return n, gone }}, hooked{store: empty()}, gone, ""},
		"events":            {hooked{store: from, events: failing}, hooked{store: empty()}, gone, ""},
		"history too short": {hooked{store: from, events: none}, hooked{store: empty()}, nil, "its history has 0 events"},
		"load there":        {hooked{store: from}, hooked{store: empty(), load: func(n note, _ error) (note, error) { return n, gone }}, gone, ""},
		"commit":            {hooked{store: from}, hooked{store: empty(), onCommit: func() error { return gone }}, gone, ""},
		"unknown for ever":  {hooked{store: from}, hooked{store: empty(), onCommit: func() error { return itsm.ErrUnknown }}, itsm.ErrUnknown, ""},
		"events there":      {hooked{store: from}, hooked{store: empty(), events: failing}, gone, ""},
		"no events there":   {hooked{store: from}, hooked{store: empty(), events: none}, transfer.ErrDiffers, "the target 0"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := transfer.Copy(ctx, tt.from, itsm.Store[note](tt.to), "")
			require.Error(t, err)
			if tt.want != nil {
				require.ErrorIs(t, err, tt.want)
			}
			require.ErrorContains(t, err, tt.text)
		})
	}
	// A commit of unknown outcome is sent again, and once is enough.
	sent := 0
	to := hooked{store: empty()}
	to.onCommit = func() error {
		if sent++; sent%2 == 1 {
			return itsm.ErrUnknown
		}
		return nil
	}
	at, err := transfer.Copy(ctx, from, itsm.Store[note](to), "")
	require.NoError(t, err)
	require.Equal(t, 3, at.Events)
	// Who gives up while nobody knows is told both.
	late, cancel := context.WithCancel(ctx)
	_, err = transfer.Copy(late, from, itsm.Store[note](hooked{store: empty(), onCommit: func() error { cancel(); return itsm.ErrUnknown }}), "")
	require.ErrorIs(t, err, itsm.ErrUnknown)
	require.ErrorIs(t, err, context.Canceled)
}
