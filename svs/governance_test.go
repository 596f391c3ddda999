package svs_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/sla"
	"github.com/go-itsm/itsm/storage/memory"
	"github.com/go-itsm/itsm/svs"
)

// twice says that a lamp must not be lit more than once.
func twice(p *itsm.Practice[Lamp]) svs.Rule {
	return svs.Must[Lamp]{Practice: p, Actions: []string{"light"}, Holds: func(past itsm.Past[Lamp]) error {
		if past.Record.Lit > 1 {
			return fmt.Errorf("lit %d times", past.Record.Lit)
		}
		return nil
	}}
}

// A governed hall has a clock that goes on by an hour with each event.
func governed(t *testing.T) (now *time.Time, a, b *itsm.Practice[Lamp]) {
	now = new(time.Time)
	*now = monday
	cfg := itsm.Config{Now: func() time.Time { return *now }}
	return now, lamps(t, "a", memory.New[Lamp](), cfg), lamps(t, "b", memory.New[Lamp](), cfg)
}

func TestEvaluate(t *testing.T) {
	now, a, b := governed(t)
	first := hang(t, a)
	lit := func(at time.Duration, p *itsm.Practice[Lamp], id itsm.ID) {
		*now = monday.Add(at)
		light(t, p, id, Light{})
	}
	day := 24 * time.Hour
	lit(1*time.Hour, a, first.ID) // before: kept
	lit(2*time.Hour, a, first.ID) // before: not kept
	other := hang(t, b)
	lit(day, a, first.ID) // at the beginning of the period: not kept
	lit(day+time.Hour, b, other.ID)
	lit(day+2*time.Hour, b, other.ID) // not kept
	lit(2*day, b, other.ID)           // after the period
	period := sla.Period{From: monday.Add(day), To: monday.Add(2 * day)}

	policies := []svs.Policy{
		{Name: "once", Why: "lamps last longer", Owner: "ann", Tolerance: "66.6", Rules: []svs.Rule{twice(a), twice(b)}},
		{Name: "once, from noon", Why: "as above", Owner: "ann", From: monday.Add(day + time.Hour), To: monday.Add(day + 2*time.Hour),
			Rules: []svs.Rule{twice(b)}},
		{Name: "by jin", Why: "nobody else may", Owner: "bob", Rules: []svs.Rule{svs.Must[Lamp]{Practice: b,
			Holds: func(past itsm.Past[Lamp]) error {
				if past.Event.Actor.ID != "jin" {
					return errors.New("by somebody else")
				}
				return nil
			}}}},
		{Name: "no breaking", Why: "they are dear", Owner: "bob", Rules: []svs.Rule{svs.Must[Lamp]{Practice: a, Actions: []string{"break"},
			Holds: func(itsm.Past[Lamp]) error { return errors.New("broken") }}}},
	}
	got, err := svs.Evaluate(t.Context(), period, policies...)
	require.NoError(t, err)
	require.Equal(t, []svs.Compliance{
		{Policy: "once", Owner: "ann", Kept: sla.Fraction{Part: 1, Of: 3}, Before: sla.Fraction{Part: 1, Of: 2}, Tolerable: false},
		{Policy: "once, from noon", Owner: "ann", Kept: sla.Fraction{Part: 1, Of: 1}, Tolerable: true},
		{Policy: "by jin", Owner: "bob", Kept: sla.Fraction{Part: 4, Of: 4}, Before: sla.Fraction{Part: 1, Of: 1}, Tolerable: true},
		{Policy: "no breaking", Owner: "bob", Tolerable: true},
	}, got.Policies)
	require.Len(t, got.Breaches, 2)
	require.Equal(t, []string{"lit 3 times", "lit 2 times"}, []string{got.Breaches[0].Finding, got.Breaches[1].Finding})
	require.Equal(t, fmt.Sprintf(`policy           owner  kept               before             tolerable
once             ann    1 of 3 (33.33 %%)   1 of 2 (50.00 %%)   no
once, from noon  ann    1 of 1 (100.00 %%)  undefined          yes
by jin           bob    4 of 4 (100.00 %%)  1 of 1 (100.00 %%)  yes
no breaking      bob    undefined          undefined          yes
once: a %s, light by jin on 2026-03-03 09:00: lit 3 times
once: b %s, light by jin on 2026-03-03 11:00: lit 2 times
`, first.ID, other.ID), got.Text())

	policies[0].Tolerance = "66.7"
	got, err = svs.Evaluate(t.Context(), period, policies...)
	require.NoError(t, err)
	require.True(t, got.Policies[0].Tolerable, "two of three may")
}

func TestPolicyFindings(t *testing.T) {
	_, a, _ := governed(t)
	fine := svs.Must[Lamp]{Practice: a, Holds: func(itsm.Past[Lamp]) error { return nil }}
	bad := []svs.Policy{
		{},
		{Name: "x", Why: "y", Owner: "z", From: monday, To: monday, Tolerance: "101", Rules: []svs.Rule{nil, svs.Must[Lamp]{}, svs.Must[Lamp]{Practice: a, Actions: []string{"fly"}}}},
		{Name: "x", Why: "y", Owner: "z", Tolerance: "much", Rules: []svs.Rule{fine}},
	}
	period := sla.Period{From: monday, To: monday.Add(time.Hour)}
	_, err := svs.Evaluate(t.Context(), period, bad...)
	require.ErrorIs(t, err, itsm.ErrInvalid)
	var fields []string
	for _, f := range itsm.Findings(err) {
		var field *itsm.FieldError
		require.ErrorAs(t, f, &field)
		fields = append(fields, field.Field)
	}
	require.Equal(t, []string{"policies[0].name", "policies[0].why", "policies[0].owner", "policies[0].rules",
		"policies[1].to", "policies[1].tolerance", "policies[1].rules[0]", "policies[1].rules[1].holds", "policies[1].rules[1].practice",
		"policies[1].rules[2].holds", "policies[1].rules[2].actions[0]", "policies[2].tolerance", "policies[2].name"}, fields)
	_, err = svs.Evaluate(t.Context(), sla.Period{From: monday, To: monday})
	require.ErrorIs(t, err, itsm.ErrInvalid)
}

func TestMonitorStops(t *testing.T) {
	_, a, _ := governed(t)
	hang(t, a)
	hang(t, a)
	all := svs.Policy{Name: "x", Why: "y", Owner: "z", Rules: []svs.Rule{svs.Must[Lamp]{Practice: a, Holds: func(itsm.Past[Lamp]) error { return nil }}}}
	period := sla.Period{From: monday, To: monday.Add(time.Hour)}
	n := 0
	for _, err := range svs.Monitor(t.Context(), period, all) {
		require.NoError(t, err)
		n++
		break
	}
	require.Equal(t, 1, n)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := svs.Evaluate(ended, period, all)
	require.ErrorIs(t, err, context.Canceled)

	// An event that cannot be read is an error, and no case.
	h := newHall()
	w := newHost(t, h, nil)
	r := hang(t, w.a)
	old := history(t, w.a)[0]
	old.ID, old.Version, old.Action, old.From, old.To, old.Data = "evt_old", 2, "break", "whole", "whole", []byte(`[]`)
	r.Version = 2
	require.NoError(t, h.stores["a"].Commit(jin, itsm.Revision[Lamp]{Base: 1, Record: r, Events: []itsm.Event{old}}))
	all.Rules = []svs.Rule{svs.Must[Lamp]{Practice: w.a, Holds: func(itsm.Past[Lamp]) error { return nil }}}
	_, err = svs.Evaluate(t.Context(), period, all)
	require.ErrorContains(t, err, "cannot be read")
}
