package itsm_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/storage/memory"
)

func TestWhyNot(t *testing.T) {
	denied := errors.New("only the lead may")
	store := memory.New[Ticket]()
	p := newToy(t, store, itsm.Config{Now: newClock().Now, Authorize: func(_ context.Context, a itsm.Attempt) error {
		if a.Action == "chain" && a.Actor.ID != "lead" {
			return denied
		}
		return nil
	}})
	parent := file(t, p, "parent")
	r, err := p.Create(as(t, "jin"), File{Title: "x", Tags: []string{"mail"}, Parent: parent.ID})
	require.NoError(t, err)
	ask := func(actor string) map[string]itsm.Option {
		options, err := p.WhyNot(as(t, actor), r.ID)
		require.NoError(t, err)
		byName := map[string]itsm.Option{}
		var names []string
		for _, o := range options {
			names = append(names, o.Action)
			byName[o.Action] = o
		}
		require.Equal(t, []string{
			"score", "add", "own", "tag", "wait", "reply", "watch", "curse", "chain", "meddle",
			"link", "unlink", "set_fields", "finish", "close", "reopen", "drop",
		}, names, "all that can be asked for, in the order of the definition; nothing derived, and not what creates")
		return byName
	}
	says := func(errs itsm.Refusals) (all []string) {
		for _, err := range errs {
			all = append(all, err.Error())
		}
		return all
	}

	o := ask("jin")
	require.Equal(t, itsm.Option{Action: "own", Permitted: true, To: stateOpen}, o["own"])
	require.Equal(t, itsm.Option{Action: "drop", Permitted: true, To: stateClosed}, o["drop"])
	require.Equal(t, itsm.Option{
		Action: "score", Permitted: true, To: stateOpen,
		Needs: []*itsm.FieldError{{Field: "points", Reason: "must be 1 to 1000"}},
	}, o["score"], "it needs input and nothing else")
	require.Equal(t, []*itsm.FieldError{{Field: "until", Reason: "must be in the future"}}, o["wait"].Needs, "what Apply finds about it too")
	require.True(t, o["wait"].Permitted)
	require.Equal(t, stateWaiting, o["wait"].To)
	require.Len(t, o["link"].Needs, 3)

	finish := o["finish"]
	require.False(t, finish.Permitted)
	require.Empty(t, finish.To)
	require.Equal(t, []*itsm.FieldError{{Field: "note", Reason: "must not be empty"}}, finish.Needs)
	require.Equal(t, []string{"it has no points", "it is nobody's"}, says(finish.Refused), "the guard's")

	reopen := o["reopen"]
	require.False(t, reopen.Permitted)
	var step *itsm.TransitionError
	require.ErrorAs(t, reopen.Refused[0], &step)
	require.Equal(t, stateOpen, step.State)

	chain := o["chain"]
	require.False(t, chain.Permitted)
	require.ErrorIs(t, chain.Refused[0], itsm.ErrDenied)
	require.ErrorIs(t, chain.Refused[0], denied)
	require.True(t, ask("lead")["chain"].Permitted)

	// It is only a question.
	require.Len(t, events(t, p, r.ID), 1)
	require.Len(t, events(t, p, parent.ID), 2)

	// What it promises holds: what needs nothing can be done.
	do(t, p, r.ID, Own{}, Score{Points: 1})
	for name, option := range ask("jin") {
		if !option.Permitted || len(option.Needs) > 0 {
			continue
		}
		a, err := p.Decode([]byte(`{"action":"` + name + `"}`))
		require.NoError(t, err)
		would, err := p.Check(as(t, "jin"), r.ID, a)
		require.NoError(t, err, name)
		require.Equal(t, option.To, would.State)
	}

	data, err := json.Marshal([]itsm.Option{o["own"], o["score"], finish, reopen})
	require.NoError(t, err)
	require.JSONEq(t, `[
		{"action":"own","permitted":true,"to":"open"},
		{"action":"score","permitted":true,"to":"open","needs":[{"field":"points","reason":"must be 1 to 1000"}]},
		{"action":"finish","permitted":false,"needs":[{"field":"note","reason":"must not be empty"}],
			"refused":["it has no points","it is nobody's"]},
		{"action":"reopen","permitted":false,
			"refused":["action \"reopen\" is not permitted in state \"open\", from which lead on: drop, finish, wait"]}
	]`, string(data))
}

func TestWhyNotPassesFailuresOn(t *testing.T) {
	down := errors.New("down")
	store := &hooked{Store: memory.New[Ticket]()}
	p := newToy(t, store, itsm.Config{Now: newClock().Now})
	parent := file(t, p, "parent")
	kid, err := p.Create(as(t, "jin"), File{Title: "kid", Parent: parent.ID})
	require.NoError(t, err)
	loads := 0
	store.before = func(string) error {
		if loads++; loads > 1 {
			return down
		}
		return nil
	}
	_, err = p.WhyNot(as(t, "jin"), kid.ID)
	require.ErrorIs(t, err, down, "the parent could not be loaded: nobody knows")
	ctx, cancel := context.WithTimeout(as(t, "jin"), -time.Second)
	defer cancel()
	_, err = p.WhyNot(ctx, kid.ID)
	require.ErrorIs(t, err, context.DeadlineExceeded)
}
