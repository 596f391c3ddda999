package jetstream_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/go-itsm/itsm/storage/jetstream"
	"github.com/go-itsm/itsm/storage/storagetest"
)

// The suite is passed on a single node and on three, over handles at different
// nodes; where event ids are kept unique, without exception.
func TestStore(t *testing.T) {
	t.Parallel()
	for _, nodes := range []int{1, 3} {
		t.Run(fmt.Sprint("R", nodes), func(t *testing.T) {
			c := newCluster(t, nodes)
			one, other, third := c.connect(0), c.connect(nodes/2), c.connect(nodes-1)
			for _, ids := range []bool{false, true} {
				t.Run(fmt.Sprintf("UniqueEventIDs=%v", ids), func(t *testing.T) {
					storagetest.Test(t, storagetest.Harness[ticket]{
						Open: func(context.Context) (storagetest.Backend[ticket], error) {
							o := jetstream.Options{Stream: unique(), Tenant: "acme", Replicas: nodes, UniqueEventIDs: ids}
							wall := o
							wall.Tenant = "globex"
							return storagetest.Backend[ticket]{
								Store: open(t, one, o), Other: open(t, other, o), Wall: open(t, third, wall),
								Close: func() error { return remove(one, o.Stream+"_acme", o.Stream+"_globex") },
							}, nil
						},
						Record: sample, Change: change, TrustsEventIDs: !ids, Lists: true, Feeds: true, Wakes: true,
					})
				})
			}
		})
	}
}
