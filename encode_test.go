package itsm_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/storage/memory"
)

type term string

// A wide action has fields of each kind that is written without encoding/json,
// with and without omission.
type wide struct {
	Text     string        `json:"text"`
	Word     term          `json:"word,omitempty"`
	Yes      bool          `json:"yes"`
	No       bool          `json:"no,omitempty"`
	Small    int8          `json:"small"`
	Large    int64         `json:"large,omitempty"`
	Count    uint64        `json:"count"`
	Few      uint8         `json:"few,omitzero"`
	Spent    time.Duration `json:"spent,omitempty"`
	At       time.Time     `json:"at"`
	Until    time.Time     `json:"until,omitzero"`
	Never    time.Time     `json:"never,omitempty"`
	Untagged string
}

// A tall action has one field more, of a kind that is not.
type tall struct {
	Text  string  `json:"text"`
	Ratio float64 `json:"ratio"`
}

func (wide) Action() string                     { return "wide" }
func (tall) Action() string                     { return "tall" }
func (wide) Apply(*jar[int], itsm.Moment) error { return nil }
func (tall) Apply(*jar[int], itsm.Moment) error { return nil }
func (a wide) settled() itsm.Action[jar[int]] {
	a.At, a.Until, a.Never = micros(a.At), micros(a.Until), micros(a.Never)
	return a
}
func micros(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }
func randomText(rng *rand.Rand, among []string) (s string) {
	for range rng.IntN(4) {
		s += among[rng.IntN(len(among))]
	}
	return s
}

// What the history keeps of an action is what encoding/json writes.
func TestHistoryIsJSON(t *testing.T) {
	spec := itsm.LifecycleSpec{Name: "jar", Create: "blow", Initial: "whole", States: []itsm.State{"whole"}, Ends: []itsm.State{"whole"}}
	spec.Allow("wide", "", "whole")
	spec.Allow("tall", "", "whole")
	l, err := itsm.NewLifecycle(spec)
	require.NoError(t, err)
	p, err := itsm.NewPractice(itsm.Definition[jar[int]]{
		Prefix: "jar", Lifecycle: l, Actions: []itsm.Action[jar[int]]{blow[int]{}, wide{}, tall{}},
	}, memory.New[jar[int]](), itsm.Config{})
	require.NoError(t, err)
	ctx := itsm.As(t.Context(), "jin")
	r, err := p.Create(ctx, blow[int]{})
	require.NoError(t, err)

	texts := []string{"plain text, with 'marks' / and so on.", "\x7f", "\"", "\\", "<", ">", "&", "\n", "\x01", "ü", "대기 중", "한",
		"\u2027", "\u2028", "\u2029", "\u202a", "😀", "\ufffd", "e\u0301"}
	zones := []*time.Location{time.UTC, time.Local, time.FixedZone("east", 9*3600)}
	rng := rand.New(rand.NewPCG(11, 12))
	some := func() time.Time {
		switch rng.IntN(4) {
		case 0:
			return time.Time{}
		case 1:
			return time.Unix(rng.Int64N(1<<34), 0).In(zones[rng.IntN(len(zones))])
		default:
			return time.Unix(rng.Int64N(1<<34), rng.Int64N(1e9)).In(zones[rng.IntN(len(zones))])
		}
	}
	var want []string
	for range 3_000 {
		var a itsm.Action[jar[int]]
		if rng.IntN(4) == 0 {
			a = tall{randomText(rng, texts), rng.NormFloat64()}
		} else {
			a = wide{
				Text: randomText(rng, texts), Word: term(randomText(rng, texts)), Yes: rng.IntN(2) == 0, No: rng.IntN(2) == 0,
				Small: int8(rng.Int()), Large: rng.Int64() >> rng.IntN(64), Count: rng.Uint64(), Few: uint8(rng.IntN(3)),
				Spent: time.Duration(rng.IntN(2)) * time.Hour, At: some(), Until: some(), Never: some(), Untagged: randomText(rng, texts),
			}
		}
		_, err := p.Do(ctx, r.ID, a)
		require.NoError(t, err)
		if w, ok := a.(wide); ok {
			a = w.settled()
		}
		data, err := json.Marshal(a)
		require.NoError(t, err)
		want = append(want, string(data))
	}
	version := itsm.Version(0)
	for e, err := range p.History(ctx, r.ID) {
		require.NoError(t, err)
		if version++; version > 1 {
			require.Equal(t, want[version-2], string(e.Data))
		}
	}
	require.EqualValues(t, len(want)+1, version)
	for _, bad := range []string{"\xff", "a\x00b", "\xe2\x80", "대\xeb"} {
		for _, a := range []itsm.Action[jar[int]]{wide{Text: bad}, wide{Word: term(bad)}, tall{Text: bad}} {
			_, err := p.Do(ctx, r.ID, a)
			require.ErrorIs(t, err, itsm.ErrInvalid, fmt.Sprintf("%q", bad))
		}
	}
}
