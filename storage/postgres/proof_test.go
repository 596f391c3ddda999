package postgres_test

import (
	"context"
	"fmt"
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
	"github.com/go-itsm/itsm/storage/enginetest/pgserver"
	"github.com/go-itsm/itsm/storage/postgres"
)

// Two hosts, one of which loses all its connections in the middle of each history,
// and is restarted in every tenth.
func TestLinearizable(t *testing.T) {
	address := fresh(t)
	p, through := newProxy(t, address)
	ctx := t.Context()
	direct := open(t, address, postgres.Config{})
	var mu sync.RWMutex
	far, err := postgres.Open(ctx, through, postgres.Config{NoMigration: true})
	require.NoError(t, err)
	for n := range enginetest.Long(200, 10_000) {
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
				p.Cut()
				if n%10 > 0 {
					return nil
				}
				far.Close()
				again, err := postgres.Open(ctx, through, postgres.Config{NoMigration: true})
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
	if os.Getenv(pgserver.URL) != "" {
		address = fresh(t)
	} else {
		own, err := pgserver.New() // which nobody else needs
		if server == "" {
			t.Skip(missing)
		}
		require.NoError(t, err)
		t.Cleanup(own.Stop)
		address, others = own.Address, append(others, own)
	}
	folder := t.TempDir()
	var hosts []enginetest.Host
	for _, name := range []string{"seoul", "berlin", "austin"} {
		hosts = append(hosts, &enginetest.Program{Part: []string{"host", address, folder, name}})
	}
	report, err := tower(open(t, address, postgres.Config{}), folder).Havoc(t.Context(), hosts, others, enginetest.Long(12, 500))
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
	for range enginetest.Long(20, 500) {
		ids, err := enginetest.Kill(&enginetest.Program{Part: []string{"writer", with(t, address, "application_name", "itsm_writer")}})
		require.NoError(t, err)
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

// newProxy puts a proxy before the server, and returns the address by which it is
// reached there.
func newProxy(t *testing.T, address string) (p *enginetest.Proxy, through string) {
	u, err := url.Parse(address)
	require.NoError(t, err)
	p, err = enginetest.NewProxy(u.Host)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, p.Close()) })
	u.Host = p.Addr()
	return p, u.String()
}

// Wherever the connection is cut during a commit, at each byte of what goes there and
// of what comes back: the answer is true, nothing is torn, and sent again the commit
// is there once.
func TestCutAtEachByte(t *testing.T) {
	address := fresh(t)
	direct := postgres.NewStore[enginetest.Item](open(t, address, postgres.Config{}), items)
	p, through := newProxy(t, address)
	one := func(c *pgxpool.Config) { c.MaxConns, c.MinConns = 1, 0 }
	store := postgres.NewStore[enginetest.Item](open(t, through, postgres.Config{NoMigration: true, Pool: one}), items)
	for _, records := range []int{1, 2} {
		t.Run(fmt.Sprint(records, " records"), func(t *testing.T) {
			cuts, err := enginetest.Cutting{
				Proxy: p, Direct: direct, Name: fmt.Sprint("cut", records), Records: records,
				Store: func(int) itsm.Store[enginetest.Item] { return store },
				Places: func(way enginetest.Way, bytes int) (places []int) {
					step := 1
					if way == enginetest.ToServer {
						step = max(1, bytes/enginetest.Long(100, bytes)) // what is not whole is nothing to the server
					}
					for at := 0; at <= bytes; at += step {
						places = append(places, at)
					}
					return places
				},
			}.Run(t.Context())
			require.NoError(t, err)
			t.Logf("%+v", cuts)
			require.Greater(t, cuts.Commits, 100)
			require.Positive(t, cuts.Unknown)
		})
	}
}
