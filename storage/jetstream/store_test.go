package jetstream_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/storage/enginetest"
	"github.com/go-itsm/itsm/storage/jetstream"
	"github.com/go-itsm/itsm/storage/storagetest"
)

// The suite is passed on a single node and on three, over handles at different
// nodes; where event ids are kept unique, without exception.
func TestStore(t *testing.T) {
	t.Parallel()
	for _, nodes := range []int{1, 3} {
		t.Run(fmt.Sprint("R", nodes), func(t *testing.T) {
			t.Parallel()
			c := newCluster(t, nodes)
			one, other, third := c.connect(0), c.connect(nodes/2), c.connect(nodes-1)
			for _, ids := range []bool{false, true} {
				t.Run(fmt.Sprintf("UniqueEventIDs=%v", ids), func(t *testing.T) {
					if ids && enginetest.Long(0, 1) == 0 {
						t.Skip("takes a minute more: set ITSM_LONG=1")
					}
					h := enginetest.Harness(func(context.Context) (storagetest.Backend[enginetest.Item], error) {
						o := jetstream.Options{Stream: unique(), Tenant: "acme", Replicas: nodes, UniqueEventIDs: ids}
						wall := o
						wall.Tenant = "globex"
						return storagetest.Backend[enginetest.Item]{
							Store: open(t, one, o), Other: open(t, other, o), Wall: open(t, third, wall),
							Close: func() error { return remove(one, o.Stream+"_acme", o.Stream+"_globex") },
						}, nil
					})
					h.TrustsEventIDs = !ids
					h.Patience = time.Minute // the machine may be busy
					storagetest.Test(t, h)
				})
			}
		})
	}
}

// Where event ids are kept unique, one that is taken by an event of any record
// is refused, through whichever handle it comes, and nothing is written.
func TestUniqueEventIDs(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 1)
	o := jetstream.Options{Stream: "DESK", UniqueEventIDs: true}
	handles := []*jetstream.Store[enginetest.Item]{open(t, c.connect(0), o), open(t, c.connect(0), o)}
	taken := create("a")
	taken.Events[0].ID = "taken.> *"
	require.NoError(t, handles[0].Commit(t.Context(), taken))
	for _, s := range handles {
		require.NoError(t, s.Commit(t.Context(), taken), "the same again")
		for _, rev := range []itsm.Revision[enginetest.Item]{create("b"), enginetest.Next(taken.Record, "me")} {
			rev.Events[0].ID = taken.Events[0].ID
			require.ErrorIs(t, s.Commit(t.Context(), rev), itsm.ErrExists)
			require.ErrorIs(t, s.Commit(t.Context(), create("c"), rev), itsm.ErrExists)
		}
		page, err := s.List(t.Context(), itsm.Query{})
		require.NoError(t, err)
		require.Equal(t, []enginetest.Item{taken.Record}, page.Records)
	}
	require.NoError(t, handles[1].Commit(t.Context(), enginetest.Next(taken.Record, "me"), create("b")))
	n := 0
	for _, err := range handles[0].Feed(t.Context(), "") {
		require.NoError(t, err)
		n++
	}
	require.Equal(t, 3, n)
}
