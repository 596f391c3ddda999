package jetstream_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/storage/enginetest"
	"github.com/go-itsm/itsm/storage/jetstream"
)

// TestMain is also the nodes and hosts that are killed.
func TestMain(m *testing.M) {
	enginetest.Play(map[string]func(args ...string) error{
		"node": func(args ...string) error {
			o, err := server.ProcessConfigFile(args[0])
			if err != nil {
				return err
			}
			s, err := server.NewServer(o)
			if err != nil {
				return err
			}
			s.Start()
			s.WaitForShutdown()
			return nil
		},
		"writer": func(args ...string) error {
			nc, err := dial(args[0])
			if err != nil {
				return err
			}
			s, err := jetstream.Open[enginetest.Item](background, nc, jetstream.Options{Stream: killStream, Patience: time.Minute})
			if err != nil {
				return err
			}
			return enginetest.Write(background, s, args[1], 0, os.Stdout)
		},
		"host": func(args ...string) error {
			nc, err := dial(args[0])
			if err != nil {
				return err
			}
			all, err := tower(nc, args[1])
			if err != nil {
				return err
			}
			return all.Run(background, args[2], os.Stdout)
		},
	})
	os.Exit(m.Run())
}

// tower is over a cluster of three.
func tower(nc *nats.Conn, folder string) (t enginetest.Tower, err error) {
	o := jetstream.Options{Replicas: 3, Patience: time.Minute, Slow: -1}
	o.Stream = "BELLS"
	bells, err := jetstream.Open[enginetest.Bell](background, nc, o)
	if err != nil {
		return t, err
	}
	o.Stream = "ECHOES"
	echoes, err := jetstream.Open[enginetest.Echo](background, nc, o)
	return enginetest.Tower{Bells: bells, Echoes: echoes, Folder: folder}, err
}

// Three processes run what time and events bring over three nodes that are processes,
// and any of all these is killed: everything that was planned happens once.
func TestHavoc(t *testing.T) {
	c := newCluster(t, 3)
	nodes, urls := c.programs(), []string{}
	for i := range nodes {
		urls = append(urls, c.url(i))
	}
	folder := t.TempDir()
	var hosts []enginetest.Host
	for i, name := range []string{"seoul", "berlin", "austin"} {
		// Each talks to a node of its own first.
		own := strings.Join(append(slices.Clone(urls[i:]), urls[:i]...), ",")
		hosts = append(hosts, &enginetest.Program{Part: []string{"host", own, folder, name}})
	}
	all, err := tower(connect(t, strings.Join(urls, ",")), folder)
	require.NoError(t, err)
	report, err := all.Havoc(t.Context(), hosts, nodes, enginetest.Long(6, 200))
	require.NoError(t, err)
	t.Log(report)
}

// programs makes programs of the nodes, which go on where they are.
func (c *cluster) programs() (nodes []enginetest.Victim) {
	for i := range c.nodes {
		c.stop(i)
	}
	for i := range c.nodes {
		p := &enginetest.Program{Part: []string{"node", c.file(i)}}
		require.NoError(c.tb, p.Start())
		c.tb.Cleanup(func() { require.NoError(c.tb, p.Kill()) })
		nodes = append(nodes, p)
	}
	return nodes
}

// dial is what hosts do.
func dial(urls string) (*nats.Conn, error) {
	return nats.Connect(urls, nats.DontRandomize(), nats.MaxReconnects(-1), nats.ReconnectWait(10*time.Millisecond), nats.RetryOnFailedConnect(true))
}

const killStream = "KILL"

// An account is what writers in this process were told.
type account struct {
	mu  sync.Mutex
	ids []itsm.ID
}

// Write takes a line of [enginetest.Write].
func (a *account) Write(line []byte) (int, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.ids = append(a.ids, enginetest.Acknowledged(string(line))...)
	return len(line), nil
}

func (a *account) count() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.ids)
}

// more waits until more has been acknowledged.
func (a *account) more(t *testing.T, n int) {
	from := a.count()
	require.Eventually(t, func() bool { return a.count() >= from+n }, 3*time.Minute, time.Millisecond)
}

// check has all that was acknowledged audited. What was under way may still arrive:
// it has to be the same throughout.
func check(t *testing.T, s *jetstream.Store[enginetest.Item], acknowledged []itsm.ID) {
	for before := uint64(math.MaxUint64); ; {
		var audit enginetest.Audit
		err := audit.Check(t.Context(), s, acknowledged)
		h, failed := s.Health(t.Context())
		require.NoError(t, failed)
		if h.Messages == before {
			require.NoError(t, err)
			t.Logf("%d events were acknowledged, %d are there", len(acknowledged), audit.Events())
			return
		}
		before = h.Messages
	}
}

// Nodes are stopped and started, one or all, while three hosts write.
func TestNodes(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 3)
	c.disturb(t, enginetest.Long(3, 50), c.stop, c.start)
}

// Nodes that are programs of their own are killed, one or all.
func TestKilledNodes(t *testing.T) {
	if enginetest.Long(0, 1) == 0 {
		t.Skip("takes minutes: set ITSM_LONG=1")
	}
	c := newCluster(t, 3)
	nodes := c.programs()
	c.disturb(t, 60, func(i int) { require.NoError(t, nodes[i].Kill()) }, func(i int) { require.NoError(t, nodes[i].Start()) })
}

// disturb stops nodes at random and starts them again while hosts write, and then
// asks for the account.
func (c *cluster) disturb(t *testing.T, times int, stop, start func(i int)) {
	o := jetstream.Options{Stream: killStream, Replicas: 3, Patience: time.Minute}
	var a account
	ctx, cancel := context.WithCancel(background)
	var wg sync.WaitGroup
	var handles []*jetstream.Store[enginetest.Item]
	for i := range 3 {
		handles = append(handles, open(t, c.connect(i), o))
		wg.Go(func() {
			if err := enginetest.Write(ctx, handles[i], fmt.Sprint("w", i), time.Minute, &a); !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
		})
	}
	for k := range times {
		a.more(t, 20)
		down := []int{rand.IntN(3)}
		if k%3 == 2 {
			down = rand.Perm(3)[:1+rand.IntN(3)]
		}
		for _, i := range down {
			stop(i)
		}
		for _, i := range down {
			start(i)
		}
	}
	a.more(t, 20)
	cancel()
	wg.Wait()
	check(t, handles[0], a.ids)
	require.Eventually(t, func() bool {
		h, err := handles[0].Health(t.Context())
		return err == nil && h.Current == 3
	}, time.Minute, 10*time.Millisecond)
	for _, s := range handles {
		check(t, s, a.ids)
	}
}

// Hosts are killed while they write, each in the middle of whatever it does.
func TestKilledWriters(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 1)
	s := open(t, c.connect(0), jetstream.Options{Stream: killStream})
	var all []itsm.ID
	for k := range enginetest.Long(3, 500) {
		// What one has sent may arrive when it is dead: the next has records of its own.
		ids, err := enginetest.Kill(&enginetest.Program{Part: []string{"writer", c.url(0), fmt.Sprint("k", k)}})
		require.NoError(t, err)
		all = append(all, ids...)
	}
	check(t, s, all)
}

// file is the configuration of a node.
func (c *cluster) file(i int) string {
	o := c.options[i]
	var routes []string
	for _, r := range o.Routes {
		routes = append(routes, fmt.Sprintf("%q", r))
	}
	name := fmt.Sprintf("%s/n%d.conf", c.dir, i)
	require.NoError(c.tb, os.WriteFile(name, fmt.Appendf(nil, `
server_name: %s
listen: "127.0.0.1:%d"
jetstream: {store_dir: %q, sync_interval: always, max_mem: 1GB, max_file: 1TB}
cluster: {name: desk, listen: "127.0.0.1:%d", routes: [%s]}
`, o.ServerName, o.Port, o.StoreDir, o.Cluster.Port, strings.Join(routes, ", ")), 0o600))
	return name
}
