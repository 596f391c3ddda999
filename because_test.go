package itsm_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/storage/memory"
)

// What is done because of an event is done once for each record and reaction, has
// the event as its cause, and ids that sort by the event's time.
func TestBecause(t *testing.T) {
	clk := newClock()
	p := newToy(t, memory.New[Ticket](), itsm.Config{Now: clk.Now})
	source := events(t, p, file(t, p, "source").ID)[0]
	one, two := file(t, p, "one"), file(t, p, "two")
	clk.Advance(time.Hour)
	ctx := itsm.Because(as(t, "mia"), source, "count")

	for _, id := range []itsm.ID{one.ID, two.ID} {
		got, err := p.Do(ctx, id, Add{N: 5})
		require.NoError(t, err)
		require.Equal(t, 5, got.Points)
		for range 3 {
			_, err = p.Do(ctx, id, Add{N: 5})
			require.ErrorIs(t, err, itsm.ErrExists)
		}
		do(t, p, id, Add{N: 1})
		_, err = p.Do(ctx, id, Add{N: 7})
		require.ErrorIs(t, err, itsm.ErrExists, "whatever else was done, and whatever it would do now")
		got, err = p.Get(t.Context(), id)
		require.NoError(t, err)
		require.Equal(t, 6, got.Points)
		e := events(t, p, id)[1]
		require.Equal(t, source.ID, e.Cause)
		require.Equal(t, itsm.Actor{ID: "mia"}, e.Actor)
		require.Equal(t, clk.Now(), e.At)
		at, ok := itsm.IDTime(e.ID)
		require.True(t, ok)
		require.Equal(t, source.At, at)
	}
	for _, again := range []context.Context{
		itsm.Because(as(t, "mia"), source, "count twice"),
		itsm.Because(as(t, "mia"), events(t, p, two.ID)[0], "count"),
	} {
		_, err := p.Do(again, one.ID, Add{N: 10})
		require.NoError(t, err, "another reaction, or another cause")
	}
	all := events(t, p, one.ID)
	require.Len(t, all, 5)
	require.Empty(t, all[2].Cause, "it was asked for")
}

// Creating happens once too, and what is refused because it was done before says
// that it was done.
func TestBecauseRefused(t *testing.T) {
	for name, cfg := range map[string]itsm.Config{
		"own ids": {}, "the host's numbers": {NewID: numbered()},
	} {
		t.Run(name, func(t *testing.T) {
			cfg.Now = newClock().Now
			p := newToy(t, memory.New[Ticket](), cfg)
			source := events(t, p, file(t, p, "source").ID)[0]
			ctx := itsm.Because(as(t, "mia"), source, "follow up")
			made, err := p.Create(ctx, File{Title: "follow-up"})
			require.NoError(t, err)
			_, err = p.Create(ctx, File{Title: "follow-up"})
			require.ErrorIs(t, err, itsm.ErrExists)
			require.Equal(t, source.ID, events(t, p, made.ID)[0].Cause)
			if cfg.NewID == nil {
				_, err = p.Create(ctx, File{})
				require.ErrorIs(t, err, itsm.ErrExists)
			}
			_, err = p.Create(itsm.Because(as(t, "mia"), source, "other"), File{})
			require.ErrorIs(t, err, itsm.ErrInvalid)

			until := Wait{Until: monday.Add(time.Hour)}
			_, err = p.Do(ctx, made.ID, until)
			require.NoError(t, err)
			_, err = p.Do(ctx, made.ID, until)
			require.ErrorIs(t, err, itsm.ErrExists, "not ErrNotAllowed, which it is now")
			other := itsm.Because(as(t, "mia"), source, "other")
			_, err = p.Do(other, made.ID, until)
			require.ErrorIs(t, err, itsm.ErrNotAllowed)
			_, err = p.Do(other, "tic_none", until)
			require.ErrorIs(t, err, itsm.ErrNotFound)

			// Follow-ups and cascades are part of it.
			kid, err := p.Create(itsm.Because(as(t, "mia"), source, "kid"), File{Title: "kid", Parent: made.ID})
			require.NoError(t, err)
			_, err = p.Do(itsm.Because(as(t, "mia"), source, "answer"), made.ID, Reply{Text: "x"})
			require.NoError(t, err)
			_, err = p.Do(itsm.Because(as(t, "mia"), source, "answer"), made.ID, Reply{Text: "x"})
			require.ErrorIs(t, err, itsm.ErrExists)
			all := events(t, p, made.ID)
			require.Equal(t, []string{"file", "wait", "gain", "reply", "wake"}, actionsOf(all))
			require.Equal(t, []itsm.ID{source.ID, source.ID, events(t, p, kid.ID)[0].ID, source.ID, all[3].ID},
				[]itsm.ID{all[0].Cause, all[1].Cause, all[2].Cause, all[3].Cause, all[4].Cause})
		})
	}
}

// Who acts and why are said in either order; why is not who.
func TestBecauseNobody(t *testing.T) {
	p := newToy(t, memory.New[Ticket](), itsm.Config{Now: newClock().Now})
	source := events(t, p, file(t, p, "source").ID)[0]
	ctx := itsm.Because(t.Context(), source, "x")
	_, err := p.Create(ctx, File{Title: "x"})
	require.ErrorIs(t, err, itsm.ErrNoActor)
	made, err := p.Create(itsm.As(ctx, "mia"), File{Title: "x"})
	require.NoError(t, err)
	require.Equal(t, source.ID, events(t, p, made.ID)[0].Cause)
	require.Equal(t, "mia", events(t, p, made.ID)[0].Actor.ID)
}

// An actor asks for what is done because of an event: it is authorized, and what
// only the practice does cannot be asked for.
func TestBecauseIsAskedFor(t *testing.T) {
	p := newToy(t, memory.New[Ticket](), itsm.Config{Now: newClock().Now, Authorize: func(_ context.Context, a itsm.Attempt) error {
		if a.Actor.ID == "nobody" {
			return errors.New("no")
		}
		return nil
	}})
	r := file(t, p, "source")
	ctx := itsm.Because(as(t, "nobody"), events(t, p, r.ID)[0], "x")
	_, err := p.Do(ctx, r.ID, Add{N: 1})
	require.ErrorIs(t, err, itsm.ErrDenied)
	_, err = p.Do(itsm.As(ctx, "mia"), r.ID, Beat{})
	require.ErrorIs(t, err, itsm.ErrNotAllowed)
}

// Many hosts that react to the same event at the same time, over a store that
// often cannot say what happened, do it once.
func TestBecauseRace(t *testing.T) {
	store := &hooked{Store: memory.New[Ticket]()}
	var mu sync.Mutex
	n := 0
	store.after = func(call string, err error) error {
		mu.Lock()
		defer mu.Unlock()
		if n++; call == "commit" && err == nil && n%3 == 0 {
			return itsm.ErrUnknown
		}
		return err
	}
	p := newToy(t, store, itsm.Config{Now: newClock().Now})
	source, target := file(t, p, "source"), file(t, p, "target")
	for i, e := range append(events(t, p, source.ID), events(t, p, target.ID)...) {
		var wg sync.WaitGroup
		var done [8]error
		for host := range done {
			wg.Go(func() {
				_, done[host] = p.Do(itsm.Because(as(t, "host"), e, "add"), target.ID, Add{N: 1})
			})
		}
		wg.Wait()
		first := 0
		for _, err := range done {
			if err == nil {
				first++
				continue
			}
			require.ErrorIs(t, err, itsm.ErrExists)
		}
		require.NotZero(t, first)
		got, err := p.Get(t.Context(), target.ID)
		require.NoError(t, err)
		require.Equal(t, i+1, got.Points)
	}
}

// What the store cannot answer is its own error, and no answer.
func TestBecauseFailingStore(t *testing.T) {
	broken := errors.New("no disk")
	var fails string
	store := &hooked{Store: memory.New[Ticket](), before: func(call string) error {
		if call == fails {
			return broken
		}
		return nil
	}}
	p := newToy(t, store, itsm.Config{Now: newClock().Now})
	r := file(t, p, "source")
	ctx := itsm.Because(as(t, "mia"), events(t, p, r.ID)[0], "x")
	for _, call := range []string{"load", "events", "commit"} {
		fails = call
		_, err := p.Do(ctx, r.ID, Add{N: 1})
		require.ErrorIs(t, err, broken, call)
	}
	for _, call := range []string{"load", "commit"} {
		fails = call
		_, err := p.Create(ctx, File{Title: "x"})
		require.ErrorIs(t, err, broken, call)
		_, err = p.Create(ctx, File{})
		require.Error(t, err)
	}
	fails = ""
	got, err := p.Do(ctx, r.ID, Add{N: 1})
	require.NoError(t, err)
	require.Equal(t, 1, got.Points)

	// Several records in one commit are once each, and all or none.
	two, three := file(t, p, "two"), file(t, p, "three")
	both := func(ids ...itsm.ID) error {
		return p.Update(itsm.Because(as(t, "mia"), events(t, p, r.ID)[0], "both"), func(tx *itsm.Tx[Ticket]) error {
			for _, id := range ids {
				if _, err := tx.Do(id, Add{N: 1}); err != nil {
					return err
				}
			}
			for range ids {
				if _, err := tx.Create(File{Title: "new"}); err != nil {
					return err
				}
			}
			return nil
		})
	}
	require.NoError(t, both(r.ID, two.ID))
	require.ErrorIs(t, both(three.ID, two.ID), itsm.ErrExists)
	require.Len(t, events(t, p, three.ID), 1)
}
