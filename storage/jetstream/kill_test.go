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
	"sync/atomic"
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
			s, err := jetstream.Open[ticket](background, nc, jetstream.Options{Stream: killStream, Patience: time.Minute})
			if err != nil {
				return err
			}
			write(background, s, args[1], func(id itsm.ID) { fmt.Println(id) })
			return nil
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
	o := jetstream.Options{Replicas: 3, Patience: time.Minute, SlowCommit: -1}
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
	kills := 6
	if long() {
		kills = 200
	}
	report, err := all.Havoc(t.Context(), hosts, nodes, kills)
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
		c.tb.Cleanup(func() { _ = p.Kill() })
		nodes = append(nodes, p)
	}
	return nodes
}

// dial is what hosts do.
func dial(urls string) (*nats.Conn, error) {
	return nats.Connect(urls, nats.DontRandomize(), nats.MaxReconnects(-1), nats.ReconnectWait(10*time.Millisecond), nats.RetryOnFailedConnect(true))
}

const killStream = "KILL"

// write commits until the context ends: to a record of its own, to one that all
// share, and to a pair that is only ever changed together. It tells every event
// that was acknowledged.
func write(ctx context.Context, s *jetstream.Store[ticket], who string, acknowledged func(id itsm.ID)) {
	for n := 0; ctx.Err() == nil; n++ {
		ids := []itsm.ID{itsm.ID("own_" + who)}
		switch n % 4 {
		case 1:
			ids = []itsm.ID{"shared"}
		case 2:
			ids = []itsm.ID{"pair_a", "pair_b"}
		}
		var revs []itsm.Revision[ticket]
		for _, id := range ids {
			t, err := s.Load(ctx, id)
			switch {
			case errors.Is(err, itsm.ErrNotFound):
				t = ticket{Meta: itsm.Meta{ID: id, State: "new"}}
			case err != nil:
				continue
			}
			rev := next(t)
			rev.Events[0].ID = itsm.ID(fmt.Sprintf("%s_%d_%s", who, n, id))
			revs = append(revs, rev)
		}
		if len(revs) < len(ids) {
			continue
		}
		err := s.Commit(ctx, revs...)
		for ctx.Err() == nil && err != nil && !errors.Is(err, itsm.ErrConflict) && !errors.Is(err, itsm.ErrExists) {
			err = s.Commit(ctx, revs...)
		}
		if err == nil {
			for _, rev := range revs {
				acknowledged(rev.Events[0].ID)
			}
		}
	}
}

// An account is what writers were told.
type account struct {
	mu  sync.Mutex
	ids []itsm.ID
	n   atomic.Int64
}

func (a *account) add(id itsm.ID) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.ids = append(a.ids, id)
	a.n.Add(1)
}

// more waits until more has been acknowledged.
func (a *account) more(t *testing.T, n int) {
	from := a.n.Load()
	require.Eventually(t, func() bool { return a.n.Load() >= from+int64(n) }, 3*time.Minute, time.Millisecond)
}

// audit checks that everything acknowledged is in the history once, and that
// there is nothing by halves.
func (a *account) audit(t *testing.T, s *jetstream.Store[ticket]) {
	feed, history, records := map[itsm.ID]int{}, map[itsm.ID]itsm.Version{}, map[itsm.ID]ticket{}
	// What was under way may still arrive: it has to be the same throughout.
	for before := uint64(math.MaxUint64); ; {
		h, err := s.Health(t.Context())
		require.NoError(t, err)
		if h.Messages == before {
			break
		}
		before = h.Messages
		clear(feed)
		clear(history)
		a.read(t, s, feed, history, records)
	}
	lost, double := 0, 0
	for _, id := range a.ids {
		if feed[id] == 0 {
			lost++
		}
	}
	for _, times := range feed {
		if times > 1 {
			double++
		}
	}
	require.Zero(t, lost, "acknowledged and lost")
	require.Zero(t, double, "in the history twice")
	for id, version := range history {
		require.Equal(t, version, records[id].Version, "a record is as its history says")
		require.Equal(t, int(version), records[id].Count, "a record is as its history says")
	}
	require.Equal(t, history["pair_a"], history["pair_b"], "what is committed together is there together")
	t.Logf("%d acknowledged, %d in the history, 0 lost, 0 double, 0 torn", len(a.ids), len(feed))
}

func (a *account) read(t *testing.T, s *jetstream.Store[ticket], feed map[itsm.ID]int, history map[itsm.ID]itsm.Version, records map[itsm.ID]ticket) {
	for d, err := range s.Feed(t.Context(), "") {
		require.NoError(t, err)
		feed[d.Event.ID]++
		history[d.Event.Record]++
		require.Equal(t, history[d.Event.Record], d.Event.Version, "the versions of a record have no gap")
	}
	for id := range history {
		r, err := s.Load(t.Context(), id)
		require.NoError(t, err)
		records[id] = r
	}
}

// Nodes are stopped and started, one or all, while three hosts write.
func TestNodes(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 3)
	stops := 3
	if long() {
		stops = 50
	}
	c.disturb(t, stops, c.stop, c.start)
}

// Nodes that are programs of their own are killed, one or all.
func TestKilledNodes(t *testing.T) {
	if !long() {
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
	var handles []*jetstream.Store[ticket]
	for i := range 3 {
		handles = append(handles, open(t, c.connect(i), o))
		for k := range 2 {
			wg.Go(func() { write(ctx, handles[i], fmt.Sprintf("w%d%d", i, k), a.add) })
		}
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
	a.audit(t, handles[0])
	require.Eventually(t, func() bool {
		h, err := handles[0].Health(t.Context())
		return err == nil && h.Current == 3
	}, time.Minute, 10*time.Millisecond)
	for _, s := range handles {
		a.audit(t, s)
	}
}

// Hosts are killed while they write, each in the middle of whatever it does.
func TestKilledWriters(t *testing.T) {
	t.Parallel()
	kills := 3
	if long() {
		kills = 500
	}
	c := newCluster(t, 1)
	s := open(t, c.connect(0), jetstream.Options{Stream: killStream})
	var a account
	for k := range kills {
		p := &enginetest.Program{Part: []string{"writer", c.url(0), fmt.Sprint("k", k)}}
		p.Hear(func(line string) { a.add(itsm.ID(line)) })
		require.NoError(t, p.Start())
		a.more(t, 1+rand.IntN(60))
		require.NoError(t, p.Kill())
	}
	a.audit(t, s)
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
