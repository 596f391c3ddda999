package jetstream_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/storage/enginetest"
	"github.com/go-itsm/itsm/storage/jetstream"
)

// Wherever the connection is cut during a commit, the answer is true, nothing is
// torn, and sending it again brings it into the history exactly once.
func TestCut(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 1)
	for _, kind := range []struct {
		name    string
		ids     bool
		records int
		step    int // in the normal run
	}{
		{"one", false, 1, 1},
		{"two", false, 2, 29},
		{"unique", true, 1, 29},
	} {
		t.Run(kind.name, func(t *testing.T) {
			o := jetstream.Options{Stream: unique(), UniqueEventIDs: kind.ids}
			direct := open(t, c.connect(0), o)
			step := enginetest.Long(kind.step, 1)
			const workers = 8
			var wg sync.WaitGroup
			var all [workers]enginetest.Cuts
			for w := range workers {
				p, err := enginetest.NewProxy(strings.TrimPrefix(c.url(0), "nats://"))
				require.NoError(t, err)
				t.Cleanup(func() { require.NoError(t, p.Close()) })
				nc := connect(t, "nats://"+p.Addr())
				patient := open(t, nc, o)
				// Without patience of its own it leaves the sending to its caller.
				o := o
				o.Patience = time.Nanosecond
				impatient := open(t, nc, o)
				wg.Go(func() {
					all[w], err = enginetest.Cutting{
						Proxy: p, Direct: direct, Ready: func() { connected(nc) }, Name: fmt.Sprint("cut", w), Records: kind.records,
						Store: func(n int) itsm.Store[enginetest.Item] {
							if n%2 == 0 {
								return patient
							}
							return impatient
						},
						Places: func(way enginetest.Way, bytes int) (places []int) {
							if way == enginetest.ToServer && bytes < 500 {
								t.Errorf("%d bytes are less than a commit has", bytes)
							}
							for at := 1 + w*step; at <= bytes; at += workers * step {
								places = append(places, at)
							}
							return places
						},
					}.Run(background)
					if err != nil {
						t.Error(err)
					}
					if n := p.Cuts(); n < all[w].Commits*9/10 {
						t.Errorf("connections were cut %d times in %d commits", n, all[w].Commits)
					}
				})
			}
			wg.Wait()
			var sum enginetest.Cuts
			for _, one := range all {
				sum.Commits, sum.Done, sum.Unknown = sum.Commits+one.Commits, sum.Done+one.Done, sum.Unknown+one.Unknown
			}
			t.Logf("%+v", sum)
			require.Positive(t, sum.Unknown)
			require.Positive(t, sum.Done)
		})
	}
}

// connected waits until a connection has been made again.
func connected(nc *nats.Conn) {
	for !nc.IsConnected() || nc.FlushTimeout(time.Second) != nil {
		time.Sleep(time.Millisecond)
	}
}
