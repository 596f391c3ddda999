package jetstream_test

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	natsjs "github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/storage/enginetest"
	"github.com/go-itsm/itsm/storage/jetstream"
)

// What a durable commit costs, beside bare publishes of messages as large with
// the same expectation to streams like it. The two take turns, so that both see
// the same machine; "of-bare" is how many commits there are for each 100 bare
// publishes in the same time.
func BenchmarkCommit(b *testing.B) {
	for _, nodes := range []int{1, 3} {
		c := newCluster(b, nodes)
		for _, clients := range []int{1, 16} {
			b.Run(fmt.Sprintf("R%d/%d", nodes, clients), func(b *testing.B) {
				b.ReportAllocs()
				nc := c.connect(0)
				name := unique()
				store := open(b, nc, jetstream.Options{Stream: name, Replicas: nodes})
				js, err := natsjs.New(nc)
				require.NoError(b, err)
				bare := unique()
				_, err = js.CreateStream(b.Context(), natsjs.StreamConfig{
					Name: bare, Subjects: []string{bare + ".>"}, Replicas: nodes, AllowDirect: true, AllowAtomicPublish: true,
					DenyDelete: true, DenyPurge: true, Discard: natsjs.DiscardNew,
				})
				require.NoError(b, err)
				size := messageSize(b, nc, store)
				// Who leads is who syncs first, and may be the node that is asked.
				c.lead(b, nc, bare)
				c.lead(b, nc, name)
				var tookStore, tookBare time.Duration
				body := make([]byte, size)
				part := max(b.N/50, clients)
				b.ResetTimer()
				for done, round := 0, 0; done < b.N; done, round = done+part, round+1 {
					n := min(part, b.N-done)
					commits := func() {
						b.StartTimer()
						defer b.StopTimer()
						tookStore += race(clients, n, func(client, i int) {
							rev := create(itsm.ID(fmt.Sprintf("tck_%d_%d_%016d", client, round, i)))
							if err := store.Commit(background, rev); err != nil {
								panic(err)
							}
						})
					}
					publishes := func() {
						tookBare += race(clients, n, func(client, i int) {
							subject := fmt.Sprintf("%s.r.tck_%d_%d_%016d", bare, client, round, i)
							if _, err := js.Publish(background, subject, body, natsjs.WithExpectLastSequencePerSubject(0)); err != nil {
								panic(err)
							}
						})
					}
					b.StopTimer()
					if round%2 == 0 {
						commits()
						publishes()
					} else {
						publishes()
						commits()
					}
				}
				b.ReportMetric(float64(b.N)/tookStore.Seconds(), "commits/s")
				b.ReportMetric(float64(b.N)/tookBare.Seconds(), "bare/s")
				b.ReportMetric(100*tookBare.Seconds()/tookStore.Seconds(), "%of-bare")
			})
		}
	}
}

// lead makes the first node the leader of a stream.
func (c *cluster) lead(tb testing.TB, nc *nats.Conn, stream string) {
	if len(c.nodes) == 1 {
		return
	}
	js, err := natsjs.New(nc)
	require.NoError(tb, err)
	require.Eventually(tb, func() bool {
		s, err := js.Stream(background, stream)
		if err == nil && s.CachedInfo().Cluster.Leader == "n0" {
			return true
		}
		_, _ = nc.Request("$JS.API.STREAM.LEADER.STEPDOWN."+stream, []byte(`{"placement":{"preferred":"n0"}}`), time.Second)
		return false
	}, time.Minute, 50*time.Millisecond)
}

// race has clients do n things and returns how long that took.
func race(clients, n int, do func(client, i int)) time.Duration {
	var left atomic.Int64
	left.Store(int64(n))
	var all sync.WaitGroup
	began := time.Now()
	for client := range clients {
		all.Go(func() {
			for i := 0; left.Add(-1) >= 0; i++ {
				do(client, i)
			}
		})
	}
	all.Wait()
	return time.Since(began)
}

// messageSize returns the size of what a commit writes.
func messageSize(tb testing.TB, nc *nats.Conn, store *jetstream.Store[enginetest.Item]) int {
	before, err := store.Health(background)
	require.NoError(tb, err)
	require.NoError(tb, store.Commit(background, create("tck_1_1_0000000000000000_size")))
	js, err := natsjs.New(nc)
	require.NoError(tb, err)
	stream, err := js.Stream(background, before.Stream)
	require.NoError(tb, err)
	m, err := stream.GetMsg(background, before.Messages+1)
	require.NoError(tb, err)
	return len(m.Data)
}

func BenchmarkLoad(b *testing.B) {
	for _, nodes := range []int{1, 3} {
		c := newCluster(b, nodes)
		store := open(b, c.connect(nodes-1), jetstream.Options{Stream: "LOAD", Replicas: nodes})
		for i := range 1000 {
			require.NoError(b, store.Commit(b.Context(), create(itsm.ID(strconv.Itoa(i)))))
		}
		b.Run(fmt.Sprint("R", nodes), func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				_, err := store.Load(background, itsm.ID(strconv.Itoa(i%1000)))
				require.NoError(b, err)
			}
		})
	}
}

// One of several revisions in a commit, and one commit with unique event ids.
func BenchmarkBatch(b *testing.B) {
	for _, nodes := range []int{1, 3} {
		c := newCluster(b, nodes)
		for _, ids := range []bool{false, true} {
			b.Run(fmt.Sprintf("R%d/unique=%v", nodes, ids), func(b *testing.B) {
				store := open(b, c.connect(0), jetstream.Options{Stream: unique(), Replicas: nodes, UniqueEventIDs: ids})
				for i := 0; b.Loop(); i++ {
					revs := []itsm.Revision[enginetest.Item]{create(itsm.ID(fmt.Sprint("a", i)))}
					if !ids {
						revs = append(revs, create(itsm.ID(fmt.Sprint("b", i))))
					}
					require.NoError(b, store.Commit(background, revs...))
				}
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "commits/s")
			})
		}
	}
}

// The feed from its start: a million events with ITSM_LONG, else a tenth. Memory is what
// is held beyond the start, at its highest.
func BenchmarkFeed(b *testing.B) {
	n := enginetest.Long(100_000, 1_000_000)
	// The server is a program of its own, so that its memory is not counted.
	dir, port := b.TempDir(), ports(b, 1)[0]
	file := filepath.Join(dir, "node.conf")
	require.NoError(b, os.WriteFile(file, fmt.Appendf(nil, "listen: \"127.0.0.1:%d\"\njetstream: {store_dir: %q}\n", port, dir), 0o600))
	node := &enginetest.Program{Part: []string{"node", file}}
	require.NoError(b, node.Start())
	b.Cleanup(func() { _ = node.Kill() })
	nc := connect(b, fmt.Sprintf("nats://127.0.0.1:%d", port))
	store := open(b, nc, jetstream.Options{Stream: "FEED"})
	race(64, n, func(client, i int) {
		if err := store.Commit(background, create(itsm.ID(fmt.Sprintf("tck_%d_%d", client, i)))); err != nil {
			panic(err)
		}
	})
	store = open(b, nc, jetstream.Options{Stream: "FEED"})
	b.Run("events", func(b *testing.B) {
		b.ReportAllocs()
		var highest, before uint64
		for b.Loop() {
			before = heap()
			read := 0
			for _, err := range store.Feed(background, "") {
				require.NoError(b, err)
				if read++; read%(n/10) == 0 {
					highest = max(highest, heap())
				}
			}
			require.Equal(b, n, read)
		}
		b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "events/s")
		b.ReportMetric(float64(highest-min(before, highest))/(1<<20), "MB-above")
	})
	b.Run("index", func(b *testing.B) {
		for b.Loop() {
			fresh := open(b, nc, jetstream.Options{Stream: "FEED"})
			before := heap()
			_, err := fresh.NextDue(background, time.Time{})
			require.NoError(b, err)
			b.ReportMetric(float64(heap()-min(before, heap()))/float64(n), "B/record")
			runtime.KeepAlive(fresh)
		}
		b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "records/s")
	})
	b.Run("list", func(b *testing.B) {
		for b.Loop() {
			page, err := store.List(background, itsm.Query{States: []itsm.State{"new"}})
			require.NoError(b, err)
			require.Len(b, page.Records, 100)
		}
	})
}

// heap is what is in use.
func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
