package itsm_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm"
)

func TestEarliest(t *testing.T) {
	lifecycle := toyDefinition(1).Lifecycle
	var permitted, state = "", lifecycle.Spec().Initial
	for action := range lifecycle.Permitted(state) {
		permitted = action
	}
	require.NotEmpty(t, permitted)
	first := itsm.Earliest[Ticket]{Lifecycle: lifecycle, State: state}
	first.Take(time.Time{}, nil)
	first.Take(monday, named("not there"))
	first.Take(monday, nil)
	require.Zero(t, first.Due)
	require.Nil(t, first.Action)
	for _, hours := range []int{5, 3, 4, 3} {
		first.Take(monday.Add(time.Duration(hours)*time.Hour), named(permitted))
	}
	require.Equal(t, monday.Add(3*time.Hour), first.Due)
	require.Equal(t, named(permitted), first.Action)
	first.Take(monday.Add(3*time.Hour), Reply{})
	require.Equal(t, named(permitted), first.Action, "what was offered first")
	first.Take(monday, named("not there"))
	require.Equal(t, monday.Add(3*time.Hour), first.Due)
}

// named is an action of any name.
type named string

func (n named) Action() string                 { return string(n) }
func (named) Apply(*Ticket, itsm.Moment) error { return nil }
