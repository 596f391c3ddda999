package itsm_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/storage/memory"
)

func sequence(events []itsm.Event) iter.Seq2[itsm.Event, error] {
	return func(yield func(itsm.Event, error) bool) {
		for _, e := range events {
			if !yield(e, nil) {
				return
			}
		}
	}
}

func TestReplayNeedsNothingOfTheHost(t *testing.T) {
	p := newToy(t, memory.New[Ticket](), itsm.Config{Now: newClock().Now, NewID: numbered()})
	r := do(t, p, file(t, p, "x").ID, Score{Points: 7}, Wait{Until: monday.Add(time.Hour)}, Reply{})
	require.Equal(t, 70, r.Rank)

	// A practice of another host: another factor, no store to speak of, nobody
	// may do anything, and the clock is broken.
	elsewhere, err := itsm.NewPractice(toyDefinition(99), bare{}, itsm.Config{
		Now: func() time.Time { panic("asked for the time") },
	})
	require.NoError(t, err)
	again, err := elsewhere.Replay(sequence(events(t, p, r.ID)))
	require.NoError(t, err)
	require.Equal(t, r, again)
}

func TestReplayOfDamagedHistories(t *testing.T) {
	clock := newClock()
	p := newToy(t, memory.New[Ticket](), itsm.Config{Now: clock.Now})
	r := do(t, p, file(t, p, "x").ID, Add{N: 1}, Wait{Until: monday.Add(time.Hour)}, Reply{}, Add{N: 2})
	foreign := events(t, p, file(t, p, "y").ID)
	for _, tt := range []struct {
		name   string
		damage func(h []itsm.Event) []itsm.Event
	}{
		{"the first is missing", func(h []itsm.Event) []itsm.Event { return h[1:] }},
		{"a gap", func(h []itsm.Event) []itsm.Event { return slices.Delete(h, 2, 3) }},
		{"twice", func(h []itsm.Event) []itsm.Event { return slices.Insert(h, 1, h[1]) }},
		{"out of order", func(h []itsm.Event) []itsm.Event { h[1], h[2] = h[2], h[1]; return h }},
		{"another record's", func(h []itsm.Event) []itsm.Event { return append(h, foreign...) }},
		{"another record", func(h []itsm.Event) []itsm.Event { h[3].Record = "tkt_0"; return h }},
		{"another practice", func(h []itsm.Event) []itsm.Event { h[0].Practice = "asset"; return h }},
		{"another state before", func(h []itsm.Event) []itsm.Event { h[3].From = stateDone; return h }},
		{"another state after", func(h []itsm.Event) []itsm.Event { h[2].To = stateDone; return h }},
		{"unknown action", func(h []itsm.Event) []itsm.Event { h[1].Action = "explode"; return h }},
		{"no JSON", func(h []itsm.Event) []itsm.Event { h[1].Data = []byte("{"); return h }},
		{"no data", func(h []itsm.Event) []itsm.Event { h[1].Data = nil; return h }},
		{"data of another type", func(h []itsm.Event) []itsm.Event { h[1].Data = []byte(`{"n":"one"}`); return h }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := p.Replay(sequence(tt.damage(events(t, p, r.ID))))
			require.ErrorIs(t, err, itsm.ErrInvalid)
			require.Zero(t, got)
		})
	}
	got, err := p.Replay(sequence(nil))
	require.ErrorIs(t, err, itsm.ErrNotFound)
	require.Zero(t, got)

	// What Apply refuses now, it says; what the store says comes through.
	h := events(t, p, r.ID)
	h[2].At = monday.Add(2 * time.Hour)
	_, err = p.Replay(sequence(h))
	require.ErrorContains(t, err, string(h[2].ID))
	require.ErrorContains(t, err, "until must be in the future")
	down := errors.New("down")
	_, err = p.Replay(func(yield func(itsm.Event, error) bool) { _ = yield(h[0], nil) && yield(itsm.Event{}, down) })
	require.ErrorIs(t, err, down)
	store := &hooked{Store: memory.New[Ticket](), before: func(string) error { return down }}
	_, err = newToy(t, store, itsm.Config{}).At(t.Context(), r.ID, monday)
	require.ErrorIs(t, err, down)
}

func TestAt(t *testing.T) {
	clock := newClock()
	p := newToy(t, memory.New[Ticket](), itsm.Config{Now: clock.Now})
	versions := []Ticket{file(t, p, "x")}
	id := versions[0].ID
	for i := range 5 {
		clock.Advance(time.Minute)
		versions = append(versions, do(t, p, id, Add{N: i}))
	}
	ctx := t.Context()
	for i, want := range versions {
		got, err := p.AtVersion(ctx, id, itsm.Version(i+1))
		require.NoError(t, err)
		require.Equal(t, want, got)
		for _, at := range []time.Duration{0, time.Second, time.Minute - 1} {
			got, err = p.At(ctx, id, want.Changed.Add(at))
			require.NoError(t, err)
			require.Equal(t, want, got)
		}
	}
	_, err := p.At(ctx, id, monday.Add(-1))
	require.ErrorIs(t, err, itsm.ErrNotFound, "not yet")
	for _, v := range []itsm.Version{0, 7} {
		_, err = p.AtVersion(ctx, id, v)
		require.ErrorIs(t, err, itsm.ErrNotFound)
	}

	// A clock that was set back: the last in the order of the history counts.
	clock.Advance(-10 * time.Minute)
	back := do(t, p, id, Add{N: 100})
	got, err := p.At(ctx, id, monday.Add(time.Minute))
	require.NoError(t, err)
	require.Equal(t, back, got)
	require.Equal(t, monday, got.Created)
}

// A record is the fold of its history: after tens of thousands of random
// actions, whatever they led to, the replay is what the store has, and every
// moment on the way is what it was.
func TestReplayIsTheRecord(t *testing.T) {
	const seeds, steps = 8, 5000
	var done, refused int
	for seed := range uint64(seeds) {
		clock := newClock()
		clock.step = time.Millisecond
		p := newToy(t, memory.New[Ticket](), itsm.Config{Now: clock.Now})
		r := rand.New(rand.NewPCG(seed, 7))
		ctx := as(t, "jin")
		type snapshot struct {
			at     time.Time
			record Ticket
		}
		var ids []itsm.ID
		var snapshots []snapshot
		for range steps {
			if r.IntN(20) == 0 {
				clock.Advance(time.Duration(r.IntN(int(3 * time.Hour))))
				_, _, err := p.RunDue(itsm.WithActor(ctx, itsm.System()))
				require.NoError(t, err)
			}
			if len(ids) < 5 || r.IntN(60) == 0 {
				var parent itsm.ID
				if len(ids) > 0 && r.IntN(3) > 0 {
					parent = ids[r.IntN(len(ids))]
				}
				made, err := p.Create(ctx, File{Title: "x", Tags: []string{"<&>"}, Labels: map[string]string{"k\u2028": "v"}, Parent: parent})
				if err == nil {
					ids = append(ids, made.ID)
				} else {
					require.ErrorIs(t, err, itsm.ErrNotAllowed, "the parent may be full")
				}
				continue
			}
			id := ids[r.IntN(len(ids))]
			a := randomAction(r, clock)
			if r.IntN(4) == 0 { // by way of JSON
				data, err := p.Encode(a)
				require.NoError(t, err)
				if a, err = p.Decode(data); err != nil {
					require.ErrorIs(t, err, itsm.ErrInvalid)
					refused++
					continue
				}
			}
			var err error
			if r.IntN(8) == 0 {
				err = p.Update(ctx, func(tx *itsm.Tx[Ticket]) error {
					if _, err := tx.Do(id, a); err != nil {
						return err
					}
					_, err := tx.Do(ids[r.IntN(len(ids))], Add{N: 1})
					return err
				})
			} else {
				_, err = p.Do(ctx, id, a)
			}
			if err != nil {
				require.True(t, errors.Is(err, itsm.ErrInvalid) || errors.Is(err, itsm.ErrNotAllowed), "%v", err)
				refused++
				continue
			}
			done++
			if r.IntN(25) == 0 {
				now, err := p.Get(ctx, id)
				require.NoError(t, err)
				snapshots = append(snapshots, snapshot{clock.Now(), now})
			}
		}
		for _, id := range ids {
			stored, err := p.Get(ctx, id)
			require.NoError(t, err)
			replayed, err := p.Replay(p.History(ctx, id))
			require.NoError(t, err)
			require.Equal(t, stored, replayed, "seed %d, %s", seed, id)
		}
		for _, s := range snapshots {
			then, err := p.At(ctx, s.record.ID, s.at)
			require.NoError(t, err)
			require.Equal(t, s.record, then, "seed %d at %s", seed, s.at)
			then, err = p.AtVersion(ctx, s.record.ID, s.record.Version)
			require.NoError(t, err)
			require.Equal(t, s.record, then)
		}
	}
	t.Logf("%d done, %d refused", done, refused)
	require.GreaterOrEqual(t, done, 20_000)
	require.Greater(t, refused, 1000)
}

func randomAction(r *rand.Rand, clock *clock) itsm.Action[Ticket] {
	words := []string{"", "a", "<b>", "글", "\u2028", "line\nline", `"`, "\\"}
	word := func() string { return words[r.IntN(len(words))] }
	link := itsm.Link{Rel: "r" + word(), To: itsm.Ref{Kind: "k", ID: itsm.ID(fmt.Sprint(r.IntN(5)))}}
	soon := clock.t.Add(time.Duration(r.IntN(int(4*time.Hour)) - int(time.Hour))).In(time.FixedZone("x", 3600*(r.IntN(20)-10)))
	switch r.IntN(24) {
	case 0:
		return Score{Points: r.IntN(600)}
	case 1, 2:
		return Own{Owner: word()}
	case 3, 4:
		return Tag{Tags: slices.Repeat([]string{word()}, r.IntN(4))}
	case 5, 6, 7:
		return Wait{Until: soon}
	case 8, 9:
		return Reply{Text: word()}
	case 10, 11:
		return Watch{Every: time.Duration(r.IntN(int(time.Hour))), Times: r.IntN(4)}
	case 12:
		return Chain{N: r.IntN(4)}
	case 13:
		return Meddle{}
	case 14:
		return Link{Link: link}
	case 15:
		return Unlink{Link: link}
	case 16, 17:
		values := []string{"null", ` "<x>" `, `{ "a": [1, 2.50] }`, "7", "\"\u2028\""}
		f := itsm.Fields{}
		for range r.IntN(4) {
			f["f"+word()] = json.RawMessage(values[r.IntN(len(values))])
		}
		return SetFields{Fields: f}
	case 18:
		return Finish{Note: word()}
	case 19:
		return Close{}
	case 20, 21:
		return Reopen{}
	case 22:
		if r.IntN(8) == 0 {
			return Drop{}
		}
	}
	return Add{N: r.IntN(100) - 50}
}

func TestTold(t *testing.T) {
	p := newToy(t, memory.New[Ticket](), itsm.Config{Now: newClock().Now, NewID: numbered()})
	r := do(t, p, file(t, p, "x").ID, Score{Points: 7}, Wait{Until: monday.Add(time.Hour)}, Reply{}, Score{Points: 9})
	points := func(e itsm.Event, a itsm.Action[Ticket]) (string, bool) {
		score, ok := a.(Score)
		return fmt.Sprintf("%d: %d", e.Version, score.Points), ok
	}
	tell := func(p *itsm.Practice[Ticket], actions ...string) (all []string, err error) {
		for one, failed := range itsm.Told(t.Context(), p, r.ID, points, actions...) {
			if failed != nil {
				return all, failed
			}
			all = append(all, one)
		}
		return all, nil
	}
	for _, actions := range [][]string{nil, {"score"}, {"wait", "score"}} {
		all, err := tell(p, actions...)
		require.NoError(t, err)
		require.Equal(t, []string{"2: 7", fmt.Sprintf("%d: 9", r.Version)}, all)
	}
	all, err := tell(p, "wait")
	require.NoError(t, err)
	require.Empty(t, all)
	for one := range itsm.Told(t.Context(), p, r.ID, points) {
		require.Equal(t, "2: 7", one)
		break
	}

	// What is not asked for need not be known.
	broken := events(t, p, r.ID)
	broken[2].Action = "lost"
	p = newToy(t, kept{memory.New[Ticket](), broken}, itsm.Config{})
	all, err = tell(p, "score")
	require.NoError(t, err)
	require.Len(t, all, 2)
	all, err = tell(p)
	require.ErrorIs(t, err, itsm.ErrInvalid)
	require.Equal(t, []string{"2: 7"}, all)
}

// kept is a store with a history of its own.
type kept struct {
	itsm.Store[Ticket]
	events []itsm.Event
}

func (k kept) Events(context.Context, itsm.ID, itsm.Version) iter.Seq2[itsm.Event, error] {
	return sequence(k.events)
}
