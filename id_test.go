package itsm_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/storage/memory"
)

func TestNewID(t *testing.T) {
	form := regexp.MustCompile(`^inc_[0-7][0-9a-hjkmnp-tv-z]{25}$`)
	seen := map[itsm.ID]bool{}
	for range 10_000 {
		id := itsm.NewID("inc", monday)
		require.Regexp(t, form, string(id))
		require.False(t, seen[id], "twice")
		seen[id] = true
	}
	require.True(t, strings.HasPrefix(string(itsm.NewID("", monday)), "_"))
	long := strings.Repeat("p", 64)
	require.Len(t, string(itsm.NewID(long, monday)), 64+27)
}

func TestIDsSortByTime(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	first, last := time.UnixMicro(0), time.Date(4253, 1, 1, 0, 0, 0, 0, time.UTC)
	times := []time.Time{first, first.Add(time.Microsecond), monday, monday.Add(time.Microsecond), last}
	for range 2000 {
		times = append(times, time.UnixMicro(r.Int64N(last.UnixMicro())))
	}
	slices.SortFunc(times, time.Time.Compare)
	var before itsm.ID
	for _, at := range times {
		id := itsm.NewID("tkt", at)
		require.Less(t, before, id, "%v", at)
		before = id
		back, ok := itsm.IDTime(id)
		require.True(t, ok)
		require.True(t, at.Equal(back), "%v came back as %v", at, back)
		require.Equal(t, time.UTC, back.Location())
	}
	back, ok := itsm.IDTime(itsm.NewID("a_b", monday.Add(1500*time.Nanosecond)))
	require.True(t, ok)
	require.Equal(t, monday.Add(time.Microsecond), back, "rounded down")
}

func TestIDTimeRefusesOthers(t *testing.T) {
	good := string(itsm.NewID("inc", monday))
	for _, id := range []string{
		"", "INC0010001", good[:len(good)-1], good + "0", strings.ToUpper(good), strings.Replace(good, "_", "-", 1),
		"inc_8" + good[5:], good[:20] + "u" + good[21:], good[:20] + "\x00" + good[21:],
	} {
		_, ok := itsm.IDTime(itsm.ID(id))
		require.False(t, ok, "%q", id)
	}
	_, ok := itsm.IDTime(itsm.ID(good))
	require.True(t, ok)
}

func TestOwnIDs(t *testing.T) {
	number := numbered()
	clock := newClock()
	p := newToy(t, memory.New[Ticket](), itsm.Config{
		Now: clock.Now,
		NewID: func(ctx context.Context, prefix string, at time.Time) (itsm.ID, error) {
			require.Equal(t, monday, at)
			if actor, err := itsm.ActorFrom(ctx); err != nil || actor.ID != "jin" {
				t.Errorf("the caller's context: %v %v", actor, err)
			}
			return number(ctx, prefix, at)
		},
	})
	r := file(t, p, "one")
	require.Equal(t, itsm.ID("tkt_000001"), r.ID)
	do(t, p, r.ID, Add{N: 1})
	require.Equal(t, itsm.ID("evt_000002"), events(t, p, r.ID)[1].ID)

	// An error of the host's own comes through; an id that is taken is refused.
	broken := errors.New("the number server is down")
	fails := newToy(t, memory.New[Ticket](), itsm.Config{
		NewID: func(context.Context, string, time.Time) (itsm.ID, error) { return "", broken },
	})
	_, err := fails.Create(as(t, "jin"), File{Title: "x"})
	require.ErrorIs(t, err, broken)

	store := memory.New[Ticket]()
	same := newToy(t, store, itsm.Config{NewID: func(_ context.Context, prefix string, at time.Time) (itsm.ID, error) {
		if prefix == "tkt" {
			return "tkt_1", nil
		}
		return itsm.NewID(prefix, at), nil
	}})
	first := file(t, same, "first")
	_, err = same.Create(as(t, "jin"), File{Title: "second"})
	require.ErrorIs(t, err, itsm.ErrExists)
	stored, err := same.Get(t.Context(), "tkt_1")
	require.NoError(t, err)
	require.Equal(t, first, stored)

	// An error in the id of an event stops the action.
	half := newToy(t, store, itsm.Config{NewID: func(_ context.Context, prefix string, at time.Time) (itsm.ID, error) {
		if prefix == "evt" {
			return "", broken
		}
		return itsm.NewID(prefix, at), nil
	}})
	_, err = half.Do(as(t, "jin"), "tkt_1", Add{N: 1})
	require.ErrorIs(t, err, broken)
	require.Len(t, events(t, half, "tkt_1"), 1)
}
