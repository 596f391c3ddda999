package jetstream_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/storage/enginetest"
	"github.com/go-itsm/itsm/storage/jetstream"
)

// Reads and commits of many clients, over handles at different nodes that are
// stopped and started, are in some order in which each sees all before it.
func TestLinearizable(t *testing.T) {
	t.Parallel()
	histories, restarts := enginetest.Long(100, 10_000), enginetest.Long(2, 100)
	for _, nodes := range []int{1, 3} {
		t.Run(fmt.Sprint("R", nodes), func(t *testing.T) {
			t.Parallel()
			c := newCluster(t, nodes)
			// Those who have less patience than a restart takes get commits of
			// unknown outcome.
			var handles []itsm.Store[enginetest.Item]
			for _, patience := range []time.Duration{time.Minute, 50 * time.Millisecond} {
				for i := range nodes {
					open(t, c.connect(i), jetstream.Options{Stream: "L", Replicas: nodes}) // for which there must be time
					handles = append(handles, open(t, c.connect(i), jetstream.Options{Stream: "L", Patience: patience}))
				}
			}
			var wg sync.WaitGroup
			var begun atomic.Int64
			var restart sync.Mutex
			for range 20 {
				wg.Go(func() {
					for n := int(begun.Add(1)); n <= histories; n = int(begun.Add(1)) {
						all := enginetest.Cluster{Store: func(client int) itsm.Store[enginetest.Item] { return handles[(client+n)%len(handles)] }}
						if n%(histories/(restarts+1)) == 0 {
							all.Disturb = func(context.Context) error {
								restart.Lock()
								defer restart.Unlock()
								i := rand.IntN(nodes)
								c.stop(i)
								c.start(i)
								return nil
							}
						}
						if err := enginetest.History(background, fmt.Sprint("h", n), all); err != nil {
							t.Error(err)
						}
					}
				})
			}
			wg.Wait()
		})
	}
}
