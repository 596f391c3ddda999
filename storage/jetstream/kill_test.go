package jetstream_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/storage/jetstream"
)

// The test program is also a node or a writer, to be killed.
const (
	nodeVariable   = "ITSM_TEST_NODE"   // the configuration file
	writerVariable = "ITSM_TEST_WRITER" // the servers, and the writer's name
)

func TestMain(m *testing.M) {
	switch file, writer := os.Getenv(nodeVariable), os.Getenv(writerVariable); {
	case file != "":
		o, err := server.ProcessConfigFile(file)
		if err != nil {
			panic(err)
		}
		s, err := server.NewServer(o)
		if err != nil {
			panic(err)
		}
		s.Start()
		_, _ = io.Copy(io.Discard, os.Stdin) // until whoever started it is gone
	case writer != "":
		var w struct {
			URL, Who string
		}
		if err := json.Unmarshal([]byte(writer), &w); err != nil {
			panic(err)
		}
		nc, err := nats.Connect(w.URL, nats.MaxReconnects(-1), nats.ReconnectWait(10*time.Millisecond), nats.RetryOnFailedConnect(true))
		if err != nil {
			panic(err)
		}
		s, err := jetstream.Open[ticket](background, nc, jetstream.Options{Stream: killStream, Patience: time.Minute})
		if err != nil {
			panic(err)
		}
		go func() {
			_, _ = io.Copy(io.Discard, os.Stdin)
			os.Exit(0)
		}()
		write(background, s, w.Who, func(id itsm.ID) { fmt.Println(id) })
	default:
		os.Exit(m.Run())
	}
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
	programs := make([]*program, 3)
	for i := range 3 {
		c.stop(i)
	}
	begin := func(i int) { programs[i] = run(t, nodeVariable+"="+c.file(t, i), nil) }
	for i := range 3 {
		begin(i)
	}
	c.disturb(t, 60, func(i int) { programs[i].kill() }, begin)
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
		writer, err := json.Marshal(map[string]string{"URL": c.nodes[0].ClientURL(), "Who": fmt.Sprint("k", k)})
		require.NoError(t, err)
		p := run(t, writerVariable+"="+string(writer), a.add)
		a.more(t, 1+rand.IntN(60))
		p.kill()
	}
	a.audit(t, s)
}

// A program is one that can be killed.
type program struct {
	cmd  *exec.Cmd
	read chan struct{}
}

// run starts this program as another, and takes every line that it prints.
func run(t testing.TB, variable string, line func(id itsm.ID)) *program {
	p := &program{cmd: exec.Command(os.Args[0]), read: make(chan struct{})}
	p.cmd.Env = append(os.Environ(), variable)
	_, err := p.cmd.StdinPipe() // which ends with this program
	require.NoError(t, err)
	out, err := p.cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, p.cmd.Start())
	go func() {
		defer close(p.read)
		lines := bufio.NewReader(out)
		for {
			text, err := lines.ReadString('\n')
			if err != nil {
				return // and what is not whole was not told
			}
			line(itsm.ID(strings.TrimSpace(text)))
		}
	}()
	t.Cleanup(p.kill)
	return p
}

func (p *program) kill() {
	_ = p.cmd.Process.Kill()
	<-p.read
	_ = p.cmd.Wait()
}

// file is the configuration of a node.
func (c *cluster) file(t *testing.T, i int) string {
	o := c.options[i]
	var routes []string
	for _, r := range o.Routes {
		routes = append(routes, fmt.Sprintf("%q", r))
	}
	name := fmt.Sprintf("%s/n%d.conf", c.dir, i)
	require.NoError(t, os.WriteFile(name, fmt.Appendf(nil, `
server_name: %s
listen: "127.0.0.1:%d"
jetstream: {store_dir: %q, sync_interval: always, max_mem: 1GB, max_file: 1TB}
cluster: {name: desk, listen: "127.0.0.1:%d", routes: [%s]}
`, o.ServerName, o.Port, o.StoreDir, o.Cluster.Port, strings.Join(routes, ", ")), 0o600))
	return name
}
