package itsm_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/storage/memory"
)

// A jar keeps one value as it was applied.
type jar[T any] struct {
	itsm.Meta
	V T `json:"v"`
}

type blow[T any] struct{}

func (blow[T]) Action() string                   { return "blow" }
func (blow[T]) Apply(*jar[T], itsm.Moment) error { return nil }

type fill[T any] struct {
	V T `json:"v"`
}

func (fill[T]) Action() string { return "fill" }
func (a fill[T]) Apply(r *jar[T], _ itsm.Moment) error {
	r.V = a.V
	return nil
}

// survives applies a value and replays it. It reports whether the type was
// admitted at all.
func survives[T any](t *testing.T, value T) (admitted bool) {
	t.Helper()
	spec := itsm.LifecycleSpec{Name: "jar", Create: "blow", Initial: "whole", States: []itsm.State{"whole"}, Ends: []itsm.State{"whole"}}
	spec.Allow("fill", "", "whole")
	l, err := itsm.NewLifecycle(spec)
	require.NoError(t, err)
	p, err := itsm.NewPractice(itsm.Definition[jar[T]]{
		Prefix: "jar", Lifecycle: l, Actions: []itsm.Action[jar[T]]{blow[T]{}, fill[T]{}},
	}, memory.New[jar[T]](), itsm.Config{})
	if errors.Is(err, itsm.ErrInvalid) {
		return false
	}
	require.NoError(t, err)
	ctx := itsm.As(t.Context(), "jin")
	r, err := p.Create(ctx, blow[T]{})
	require.NoError(t, err)
	r, err = p.Do(ctx, r.ID, fill[T]{value})
	require.NoError(t, err)
	again, err := p.Replay(p.History(ctx, r.ID))
	require.NoError(t, err)
	require.Equal(t, r, again)
	return true
}

type byPointer int

func (p *byPointer) MarshalJSON() ([]byte, error) { return []byte(`"x"`), nil }
func (p *byPointer) UnmarshalJSON([]byte) error   { return nil }

type writeOnly struct{ N int }

func (writeOnly) MarshalText() ([]byte, error) { return []byte("x"), nil }

// A day forgets the time of day.
type day struct{ t time.Time }

func (d day) MarshalJSON() ([]byte, error) { return json.Marshal(d.t.Format(time.DateOnly)) }
func (d *day) UnmarshalJSON(data []byte) (err error) {
	var s string
	if err = json.Unmarshal(data, &s); err == nil {
		d.t, err = time.Parse(time.DateOnly, s)
	}
	return err
}

type shout string

func (s shout) MarshalText() ([]byte, error)     { return []byte(strings.ToUpper(string(s))), nil }
func (s *shout) UnmarshalText(text []byte) error { *s = shout(text); return nil }

type odd struct{ N, M int }

func (o odd) IsZero() bool { return o.N == 0 }

type inner struct {
	Name string `json:"name"`
}

// What the practice admits, a replay brings back; what it could not, the practice
// refuses to be made of.
func TestWhatIsAppliedIsReplayed(t *testing.T) {
	require.True(t, survives(t, day{time.Now()}), "it is applied as it comes back")
	require.True(t, survives(t, shout("quiet")))
	require.True(t, survives(t, shout("\xff")))
	require.True(t, survives(t, []json.RawMessage{nil, []byte(` { "a" : "<" } `)}))
	require.True(t, survives(t, map[string]json.RawMessage{"a": nil}))
	require.True(t, survives(t, [2]json.RawMessage{}))
	require.True(t, survives(t, time.Now()))
	require.True(t, survives(t, struct{ inner }{inner{"x"}}))

	require.False(t, survives(t, byPointer(3)), "written by a pointer only")
	require.False(t, survives(t, writeOnly{}), "never read")
	require.False(t, survives(t, json.Number("")))
	require.False(t, survives(t, struct {
		O odd `json:"o,omitzero"`
	}{odd{0, 3}}))
	require.False(t, survives(t, struct {
		P *time.Time `json:"p,omitzero"`
	}{}))
	require.False(t, survives(t, struct {
		inner
		Other string `json:"name"`
	}{}), "one name for two fields")
	require.False(t, survives(t, struct {
		R json.RawMessage `json:"r"`
	}{}))
}

// A due action after which it is still due is not done: it would be for ever.
func TestDueActionThatStandsStill(t *testing.T) {
	l := lamps(t).Lifecycle()
	past := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
	p, err := itsm.NewPractice(itsm.Definition[lamp]{
		Prefix: "lmp", Lifecycle: l, Actions: []itsm.Action[lamp]{install{}, light{}, dim{}, scrap{}},
		Next: func(r *lamp) (time.Time, itsm.Action[lamp]) {
			if r.State == "lit" {
				return past, dim{}
			}
			return past, light{}
		},
	}, memory.New[lamp](), itsm.Config{})
	require.NoError(t, err)
	ctx := itsm.As(t.Context(), "jin")
	r, err := p.Create(ctx, install{})
	require.NoError(t, err)

	// Two actions in turn are two things; there is an end to how often at a time.
	done, next, err := p.RunDue(ctx)
	require.NoError(t, err)
	require.Equal(t, 1000, done)
	require.False(t, next.IsZero(), "there is more to do")
	require.WithinDuration(t, time.Now(), next, time.Minute)

	still, err := itsm.NewPractice(itsm.Definition[lamp]{
		Prefix: "lmp", Lifecycle: mustWith(t, l, func(s *itsm.LifecycleSpec) { s.Allow("flicker", "", "dark", "lit") }),
		Actions: []itsm.Action[lamp]{install{}, light{}, dim{}, scrap{}, flicker{}},
		Next:    func(*lamp) (time.Time, itsm.Action[lamp]) { return past, flicker{} },
	}, memory.New[lamp](), itsm.Config{})
	require.NoError(t, err)
	r, err = still.Create(ctx, install{})
	require.NoError(t, err)
	done, _, err = still.RunDue(ctx)
	require.ErrorIs(t, err, itsm.ErrNotAllowed)
	require.ErrorContains(t, err, `"flicker" leaves the due time where it is`)
	require.Zero(t, done)
	after, err := still.Get(ctx, r.ID)
	require.NoError(t, err)
	require.Equal(t, r, after, "nothing was written")
}

type flicker struct{}

func (flicker) Action() string                 { return "flicker" }
func (flicker) Apply(*lamp, itsm.Moment) error { return nil }

func mustWith(t *testing.T, l *itsm.Lifecycle, change func(*itsm.LifecycleSpec)) *itsm.Lifecycle {
	longer, err := l.With(change)
	require.NoError(t, err)
	return longer
}

// Findings about a long name do not repeat it for every place in which it is.
func TestLifecycleFindingsAreShort(t *testing.T) {
	const n = 4000
	_, err := itsm.ParseLifecycle([]byte(`{"name":"x","create":"c","initial":"a","states":["a"],"ends":["a"],"transitions":[{"action":"` +
		strings.Repeat("z", n) + `","from":["a"` + strings.Repeat(`,"a"`, n) + `]}]}`))
	require.ErrorIs(t, err, itsm.ErrInvalid)
	require.Less(t, len(err.Error()), n*200)
}
