package jetstream_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	natsjs "github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/storage/enginetest"
	"github.com/go-itsm/itsm/storage/jetstream"
)

// A cluster is one server or three, in this process and on loopback.
type cluster struct {
	tb      testing.TB
	dir     string
	options []*server.Options
	mu      sync.Mutex
	nodes   []*server.Server
}

// newCluster starts n nodes, which sync every write to the disk.
func newCluster(tb testing.TB, n int) *cluster {
	c := &cluster{tb: tb, dir: tb.TempDir(), nodes: make([]*server.Server, n)}
	clients, routes := ports(tb, n), ports(tb, n)
	for i := range n {
		o := &server.Options{
			ServerName: fmt.Sprint("n", i), Host: "127.0.0.1", Port: clients[i], NoSigs: true, NoLog: true,
			JetStream: true, StoreDir: filepath.Join(c.dir, fmt.Sprint("n", i)), SyncAlways: true,
			JetStreamMaxMemory: 1 << 30, JetStreamMaxStore: 1 << 40,
		}
		if n > 1 {
			o.Cluster = server.ClusterOpts{Name: "desk", Host: "127.0.0.1", Port: routes[i]}
			for _, port := range routes {
				o.Routes = append(o.Routes, server.RoutesFromStr(fmt.Sprintf("nats://127.0.0.1:%d", port))...)
			}
		}
		c.options = append(c.options, o)
	}
	for i := range n {
		c.start(i)
	}
	tb.Cleanup(func() {
		for i := range n {
			c.stop(i)
		}
	})
	c.ready()
	return c
}

// ports finds free ones.
func ports(tb testing.TB, n int) (free []int) {
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(tb, err)
		defer func() { _ = l.Close() }()
		free = append(free, l.Addr().(*net.TCPAddr).Port)
	}
	return free
}

func (c *cluster) start(i int) {
	s, err := server.NewServer(c.options[i].Clone())
	require.NoError(c.tb, err)
	s.Start()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.nodes[i] = s
}

func (c *cluster) stop(i int) {
	c.mu.Lock()
	s := c.nodes[i]
	c.mu.Unlock()
	s.Shutdown()
	s.WaitForShutdown()
}

// ready waits until the cluster can make streams.
func (c *cluster) ready() {
	for _, s := range c.nodes {
		require.True(c.tb, s.ReadyForConnections(30*time.Second))
	}
	nc := c.connect(0)
	defer nc.Close()
	require.Eventually(c.tb, func() bool {
		_, err := jetstream.Open[enginetest.Item](c.tb.Context(), nc, jetstream.Options{Stream: "READY", Replicas: len(c.nodes)})
		return err == nil
	}, time.Minute, 10*time.Millisecond)
}

// connect connects to a node, and to that node only.
func (c *cluster) connect(i int, options ...nats.Option) *nats.Conn {
	return connect(c.tb, c.url(i), options...)
}

func (c *cluster) url(i int) string { return fmt.Sprintf("nats://127.0.0.1:%d", c.options[i].Port) }

func connect(tb testing.TB, url string, options ...nats.Option) *nats.Conn {
	options = append([]nats.Option{
		nats.MaxReconnects(-1), nats.ReconnectWait(10 * time.Millisecond), nats.ReconnectJitter(0, 0), nats.IgnoreDiscoveredServers(),
		nats.RetryOnFailedConnect(true), nats.Timeout(5 * time.Second), nats.ErrorHandler(func(*nats.Conn, *nats.Subscription, error) {}),
	}, options...)
	nc, err := nats.Connect(url, options...)
	require.NoError(tb, err)
	tb.Cleanup(nc.Close)
	return nc
}

func open(tb testing.TB, nc *nats.Conn, o jetstream.Options) *jetstream.Store[enginetest.Item] {
	if o.Patience == 0 {
		o.Patience = time.Minute // the machine may be busy
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	s, err := jetstream.Open[enginetest.Item](tb.Context(), nc, o)
	require.NoError(tb, err)
	return s
}

var start = time.Date(2026, 1, 5, 8, 0, 0, 0, time.UTC)

// create is the first revision of a small ticket.
func create(id itsm.ID) itsm.Revision[enginetest.Item] {
	return enginetest.Next(enginetest.Item{Meta: itsm.Meta{ID: id, State: "new", Created: start}, Title: "printer on fire"}, "me")
}

// remove removes streams, so that a cluster need not carry them along.
func remove(nc *nats.Conn, names ...string) (err error) {
	js, err := natsjs.New(nc)
	for _, name := range names {
		err = errors.Join(err, js.DeleteStream(background, name))
	}
	return err
}

// unique returns the name of a stream that there was not before.
func unique() string { return fmt.Sprint("S", streams.Add(1)) }

var streams atomic.Int64

// background is for calls whose test goes on without them.
var background = context.Background()
