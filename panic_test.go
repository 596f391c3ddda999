package itsm

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
)

// A host that recovers from a panic and goes on with its Tx is asked for what it
// may do as before.
func TestTxAfterAPanic(t *testing.T) {
	type record struct{ Meta }
	tx := &Tx[record]{cause: "outer"}
	tx.p = &Practice[record]{def: Definition[record]{
		Prepare: func(context.Context, *Tx[record], *record, Action[record]) (Action[record], error) { panic("prepare") },
		Cascade: func(context.Context, *Tx[record], *record, Action[record], Event) error { panic("cascade") },
	}}
	e := &Revision[record]{Events: []Event{{ID: "evt"}}}
	require.Panics(t, func() { _, _ = tx.prepare(e, nil) })
	require.Zero(t, tx.depth)
	require.Panics(t, func() { _ = tx.follow(e, &actionType{}, nil, 0) })
	require.Zero(t, tx.depth)
	require.Equal(t, ID("outer"), tx.cause)
}
