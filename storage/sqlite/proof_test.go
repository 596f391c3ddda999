package sqlite_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/storage/enginetest"
	"github.com/go-itsm/itsm/storage/sqlite"
)

var items = sqlite.Space{Practice: "item"}

// A host opens a file, again and again.
type host struct {
	file string
	mu   sync.RWMutex
	db   *sqlite.DB
}

func (h *host) open(ctx context.Context) error {
	db, err := sqlite.Open(ctx, h.file, sqlite.Config{})
	if err != nil {
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.db = db
	return nil
}

func (h *host) store() *sqlite.Store[enginetest.Item] {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return sqlite.NewStore[enginetest.Item](h.db, items)
}

// Two hosts on one file, one of which is restarted in the middle of each history.
func TestLinearizable(t *testing.T) {
	file := temp(t)
	hosts := [2]*host{{file: file}, {file: file}}
	for _, h := range hosts {
		require.NoError(t, h.open(t.Context()))
	}
	for n := range enginetest.Long(200, 10_000) {
		err := enginetest.History(t.Context(), fmt.Sprint("h", n), enginetest.Cluster{
			Store: func(client int) itsm.Store[enginetest.Item] { return hosts[client%2].store() },
			Disturb: func(ctx context.Context) error {
				return errors.Join(hosts[n%2].db.Close(), hosts[n%2].open(ctx))
			},
		})
		require.NoError(t, err)
	}
	for _, h := range hosts {
		require.NoError(t, h.db.Close())
	}
}

// TestMain is also the processes that are killed.
func TestMain(m *testing.M) {
	enginetest.Play(map[string]func(args ...string) error{
		"writer": func(args ...string) error {
			ctx := context.Background()
			db, err := sqlite.Open(ctx, args[0], sqlite.Config{})
			if err != nil {
				return err
			}
			return enginetest.Write(ctx, sqlite.NewStore[enginetest.Item](db, items), "w", 0, os.Stdout)
		},
		"host": func(args ...string) error {
			ctx := context.Background()
			db, err := sqlite.Open(ctx, args[0], sqlite.Config{})
			if err != nil {
				return err
			}
			return tower(db, args[1]).Run(ctx, args[2], os.Stdout)
		},
	})
	os.Exit(m.Run())
}

// tower is over a file that many processes have open.
func tower(db *sqlite.DB, folder string) enginetest.Tower {
	return enginetest.Tower{
		Bells:  sqlite.NewStore[enginetest.Bell](db, sqlite.Space{Practice: "bell"}),
		Echoes: sqlite.NewStore[enginetest.Echo](db, sqlite.Space{Practice: "echo"}),
		Folder: folder,
	}
}

// Three processes work on one file and run what time and events bring, and are
// killed while they do: everything that was planned happens once.
func TestHavoc(t *testing.T) {
	file, folder := temp(t), t.TempDir()
	db := open(t, file, sqlite.Config{})
	var hosts []enginetest.Host
	for _, name := range []string{"seoul", "berlin", "austin"} {
		hosts = append(hosts, &enginetest.Program{Part: []string{"host", file, folder, name}})
	}
	report, err := tower(db, folder).Havoc(t.Context(), hosts, nil, enginetest.Long(12, 500))
	require.NoError(t, err)
	t.Log(report)
	intact(t, file)
}

// Whenever the writing process is killed: what it acknowledged is there, once and
// whole.
func TestKilled(t *testing.T) {
	file := temp(t)
	var audit enginetest.Audit
	acknowledged := 0
	for range enginetest.Long(20, 500) {
		ids, err := enginetest.Kill(&enginetest.Program{Part: []string{"writer", file}})
		require.NoError(t, err)
		acknowledged += len(ids)

		db, err := sqlite.Open(t.Context(), file, sqlite.Config{})
		require.NoError(t, err)
		require.NoError(t, audit.Check(t.Context(), sqlite.NewStore[enginetest.Item](db, items), ids))
		require.NoError(t, db.Close())
	}
	intact(t, file)
	t.Logf("%d events were acknowledged, %d are there", acknowledged, audit.Events())
}

// intact has the database check its file.
func intact(t *testing.T, file string) {
	raw, err := sql.Open("sqlite", file)
	require.NoError(t, err)
	var verdict string
	require.NoError(t, raw.QueryRowContext(t.Context(), `PRAGMA integrity_check`).Scan(&verdict))
	require.NoError(t, raw.Close())
	require.Equal(t, "ok", verdict)
}
