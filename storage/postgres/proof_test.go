package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/url"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/storage/enginetest"
	"github.com/go-itsm/itsm/storage/postgres"
)

// long says how often something is tried: more where there is time for it.
func long(normal, long int) int {
	if os.Getenv("ITSM_LONG") == "1" {
		return long
	}
	return normal
}

// Two hosts, one of which loses all its connections in the middle of each history,
// and is restarted in every tenth.
func TestLinearizable(t *testing.T) {
	address := fresh(t)
	p := newProxy(t, address)
	ctx := t.Context()
	direct := open(t, address, postgres.Config{})
	var mu sync.RWMutex
	far, err := postgres.Open(ctx, p.address, postgres.Config{NoMigration: true})
	require.NoError(t, err)
	for n := range long(200, 10_000) {
		err := enginetest.History(ctx, fmt.Sprint("h", n), enginetest.Cluster{
			Store: func(client int) itsm.Store[enginetest.Item] {
				if client%2 == 0 {
					return postgres.NewStore[enginetest.Item](direct, items)
				}
				mu.RLock()
				defer mu.RUnlock()
				return postgres.NewStore[enginetest.Item](far, items)
			},
			Disturb: func(ctx context.Context) error {
				p.cut()
				if n%10 > 0 {
					return nil
				}
				far.Close()
				again, err := postgres.Open(ctx, p.address, postgres.Config{NoMigration: true})
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					far = again
				}
				return err
			},
		})
		require.NoError(t, err)
	}
	far.Close()
}

// Three processes run what time and events bring, and are killed while they do, as is
// the server if it is the test's own: everything that was planned happens once.
func TestHavoc(t *testing.T) {
	var others []enginetest.Victim
	address := ""
	if os.Getenv(urlEnv) != "" {
		address = fresh(t)
	} else {
		own, err := newPostmaster() // which nobody else needs
		if err != nil {
			t.Skip(missing)
		}
		t.Cleanup(own.stop)
		address, others = own.address, append(others, own)
	}
	folder := t.TempDir()
	var hosts []enginetest.Host
	for _, name := range []string{"seoul", "berlin", "austin"} {
		hosts = append(hosts, &enginetest.Program{Part: []string{"host", address, folder, name}})
	}
	report, err := tower(open(t, address, postgres.Config{}), folder).Havoc(t.Context(), hosts, others, long(12, 500))
	require.NoError(t, err)
	t.Log(report)
}

// Whenever the writing process is killed: what it acknowledged is there, once and
// whole.
func TestKilled(t *testing.T) {
	address := fresh(t)
	store := postgres.NewStore[enginetest.Item](open(t, address, postgres.Config{}), items)
	var audit enginetest.Audit
	acknowledged := 0
	for range long(20, 500) {
		lines, last, enough := 0, rand.IntN(100), make(chan struct{})
		var ids []itsm.ID
		writer := &enginetest.Program{Part: []string{"writer", with(t, address, "application_name", "itsm_writer")}}
		writer.Hear(func(line string) {
			ids = append(ids, enginetest.Acknowledged(line)...)
			if lines++; lines == last+1 {
				close(enough)
			}
		})
		require.NoError(t, writer.Start())
		<-enough
		time.Sleep(rand.N(2 * time.Millisecond))
		require.NoError(t, writer.Kill())
		acknowledged += len(ids)
		settled(t)
		require.NoError(t, audit.Check(t.Context(), store, ids))
	}
	t.Logf("%d events were acknowledged, %d are there", acknowledged, audit.Events())
}

// settled waits until no transaction of the dead is open any more: the server finds
// out about their end by itself, and may finish what it was sent.
func settled(t *testing.T) {
	ctx := t.Context()
	conn, err := pgx.Connect(ctx, server)
	require.NoError(t, err)
	defer func() { require.NoError(t, conn.Close(ctx)) }()
	require.Eventually(t, func() bool {
		var n int
		err := conn.QueryRow(ctx, `SELECT count(*) FROM pg_stat_activity WHERE application_name = 'itsm_writer'`).Scan(&n)
		return err == nil && n == 0
	}, time.Minute, time.Millisecond)
}

// A proxy stands before the server and cuts connections.
type proxy struct {
	address string
	to      string

	mu    sync.Mutex
	conns map[net.Conn]bool
	// left is how many bytes more are passed on before everything is cut: of
	// those that go to the server, or of those that come from it. Less than 0 for
	// all.
	toServer, toClient int
}

func newProxy(t *testing.T, address string) *proxy {
	u, err := url.Parse(address)
	require.NoError(t, err)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	p := &proxy{to: u.Host, conns: map[net.Conn]bool{}, toServer: -1, toClient: -1}
	u.Host = l.Addr().String()
	p.address = u.String()
	var group sync.WaitGroup
	group.Go(func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			backend, err := net.Dial("tcp", p.to)
			if err != nil {
				_ = client.Close()
				continue
			}
			p.mu.Lock()
			p.conns[client], p.conns[backend] = true, true
			p.mu.Unlock()
			group.Go(func() { p.pass(backend, client, &p.toServer) })
			group.Go(func() { p.pass(client, backend, &p.toClient) })
		}
	})
	t.Cleanup(func() {
		require.NoError(t, l.Close())
		p.cut()
		group.Wait()
	})
	return p
}

// pass passes on what comes, as far as there is something left.
func (p *proxy) pass(to, from net.Conn, left *int) {
	buffer := make([]byte, 64<<10)
	for {
		n, err := from.Read(buffer)
		p.mu.Lock()
		enough := *left >= 0 && n >= *left
		if enough {
			n = *left
		} else if *left >= 0 {
			*left -= n
		}
		p.mu.Unlock()
		if n > 0 {
			if _, failed := to.Write(buffer[:n]); failed != nil {
				err = failed
			}
		}
		if enough {
			p.cut()
			return
		}
		if err != nil {
			_ = to.Close()
			_ = from.Close()
			p.mu.Lock()
			delete(p.conns, to)
			delete(p.conns, from)
			p.mu.Unlock()
			return
		}
	}
}

// cut cuts all connections, and passes on what comes over new ones.
func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.conns {
		_ = c.Close()
	}
	clear(p.conns)
	p.toServer, p.toClient = -1, -1
}

// after lets so many bytes pass in a direction, and then cuts.
func (p *proxy) after(n int, toServer bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if toServer {
		p.toServer = n
	} else {
		p.toClient = n
	}
}

// used returns how many of so many bytes have passed, or false if it was cut.
func (p *proxy) used(n int, toServer bool) (int, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	left := p.toClient
	if toServer {
		left = p.toServer
	}
	p.toServer, p.toClient = -1, -1
	return n - left, left >= 0
}

// Wherever the connection is cut during a commit, at each byte of what goes there and
// of what comes back: the answer is true, nothing is torn, and sent again the commit
// is there once.
func TestCutAtEachByte(t *testing.T) {
	ctx := t.Context()
	address := fresh(t)
	direct := postgres.NewStore[ticket](open(t, address, postgres.Config{}), tickets)
	p := newProxy(t, address)
	one := func(c *pgxpool.Config) { c.MaxConns, c.MinConns = 1, 0 }
	for _, several := range []bool{false, true} {
		for _, toServer := range []bool{true, false} {
			t.Run(fmt.Sprintf("several %v, to the server %v", several, toServer), func(t *testing.T) {
				db := open(t, p.address, postgres.Config{NoMigration: true, Pool: one})
				store := postgres.NewStore[ticket](db, tickets)
				n, unknown, done := 0, 0, 0
				create := func() []itsm.Revision[ticket] {
					n++
					r := sample(n)
					r.ID = itsm.ID(fmt.Sprintf("%v_%v_%d", several, toServer, n))
					revs := []itsm.Revision[ticket]{next(r, "cut")}
					if several {
						r.ID += "_too"
						revs = append(revs, next(r, "cut"))
					}
					return revs
				}
				warm := func() { require.NoError(t, store.Commit(ctx, create()...)) } // connected, and the statements prepared
				warm()
				warm()
				const plenty = 1 << 20
				p.after(plenty, toServer)
				warm()
				bytes, _ := p.used(plenty, toServer)
				require.Greater(t, bytes, 20)
				step := 1
				if toServer {
					step = max(1, bytes/long(100, bytes)) // what is not whole is nothing to the server
				}
				for at := 0; at <= bytes; at += step {
					revs := create()
					p.after(at, toServer)
					err := store.Commit(ctx, revs...)
					p.used(at, toServer)
					switch {
					case err == nil:
						done++
					case errors.Is(err, itsm.ErrUnknown):
						unknown++
					default:
						_, err := direct.Load(ctx, revs[0].Record.ID)
						require.ErrorIs(t, err, itsm.ErrNotFound, "it was said not to be done")
					}
					if err == nil {
						_, err := direct.Load(ctx, revs[0].Record.ID)
						require.NoError(t, err, "it was said to be done")
					}
					require.NoError(t, retry(func() error { return store.Commit(ctx, revs...) }), "sent again, after byte %d", at)
					for _, rev := range revs {
						got, err := direct.Load(ctx, rev.Record.ID)
						require.NoError(t, err)
						require.Equal(t, rev.Record, got)
						events := 0
						for _, err := range direct.Events(ctx, rev.Record.ID, 0) {
							require.NoError(t, err)
							events++
						}
						require.Equal(t, 1, events)
					}
				}
				t.Logf("%d bytes: %d commits done, %d unknown", bytes, done, unknown)
				require.Positive(t, unknown)
			})
		}
	}
}

// retry tries again while nobody knows, or the pool has yet to find out that its
// connection is gone.
func retry(commit func() error) (err error) {
	for range 10 {
		if err = commit(); err == nil || errors.Is(err, itsm.ErrConflict) || errors.Is(err, itsm.ErrExists) {
			return err
		}
	}
	return err
}
