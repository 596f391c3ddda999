package jetstream_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	natsjs "github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm"
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
		_, err := jetstream.Open[ticket](c.tb.Context(), nc, jetstream.Options{Stream: "READY", Replicas: len(c.nodes)})
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

func open(tb testing.TB, nc *nats.Conn, o jetstream.Options) *jetstream.Store[ticket] {
	if o.Patience == 0 {
		o.Patience = time.Minute // the machine may be busy
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	s, err := jetstream.Open[ticket](tb.Context(), nc, o)
	require.NoError(tb, err)
	return s
}

// A ticket is a record with a field of every kind.
type ticket struct {
	itsm.Meta
	Title    string          `json:"title"`
	Assignee string          `json:"assignee"`
	Group    string          `json:"group"`
	Count    int             `json:"count"`
	Share    float64         `json:"share"`
	Urgent   bool            `json:"urgent"`
	Resolved *time.Time      `json:"resolved"`
	Notes    []note          `json:"notes"`
	Watchers map[string]bool `json:"watchers"`
}

type note struct {
	By   string    `json:"by"`
	At   time.Time `json:"at"`
	Tags []string  `json:"tags"`
}

func (t *ticket) AppendKeys(keys []itsm.Key) []itsm.Key {
	return append(keys, itsm.Key{Field: "assignee", Value: t.Assignee}, itsm.Key{Field: "group", Value: t.Group})
}

var (
	start  = time.Date(2026, 1, 5, 8, 0, 0, 0, time.UTC)
	states = []itsm.State{"new", "open", "closed"}
)

func sample(n int) ticket {
	at := start.Add(time.Duration(n) * time.Hour)
	return ticket{
		Meta:     itsm.Meta{State: states[n%3]},
		Title:    fmt.Sprintf("printer %d <on> \"fire\" 불", n),
		Assignee: fmt.Sprint("person ", n%5),
		Group:    fmt.Sprint("group ", n%4),
		Count:    n + 1,
		Share:    float64(n) + 0.5,
		Urgent:   n%2 == 0,
		Resolved: &at,
		Notes:    []note{{By: "jin", At: at, Tags: []string{"a", "b"}}, {By: "sam", At: at}},
		Watchers: map[string]bool{"alex": true, "kim": false},
	}
}

func change(t *ticket, n int) {
	t.Title = fmt.Sprint("changed ", n)
	t.Count += n
	t.State = states[(n+len(t.Assignee)+t.Count)%3]
	t.Assignee = fmt.Sprint("person ", (t.Count+n)%5)
}

// create is the first revision of a small ticket.
func create(id itsm.ID) itsm.Revision[ticket] {
	return next(ticket{Meta: itsm.Meta{ID: id, State: "new", Created: start}, Title: "printer on fire"})
}

// next is the revision that follows a ticket, by one event.
func next(t ticket) itsm.Revision[ticket] {
	base := t.Version
	t.Version++
	t.Changed = start.Add(time.Duration(base) * time.Second)
	t.Count++
	return itsm.Revision[ticket]{Base: base, Record: t, Events: []itsm.Event{{
		ID: "evt_" + t.ID + "_" + itsm.ID(strconv.FormatUint(uint64(t.Version), 10)), Practice: "ticket", Record: t.ID, Version: t.Version,
		Action: "edit", From: t.State, To: t.State, At: t.Changed, Actor: itsm.Actor{ID: "jin", Name: "Jin Kim"},
		Data: json.RawMessage(`{"note":"something about forty bytes long"}`),
	}}}
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

// long reports whether the long run is asked for: ITSM_LONG=1, and -timeout 2h.
func long() bool { return os.Getenv("ITSM_LONG") != "" }

// background is for calls whose test goes on without them.
var background = context.Background()
