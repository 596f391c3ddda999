package sqlite_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/storage/enginetest"
	"github.com/go-itsm/itsm/storage/sqlite"
)

// long says how often something is tried: more where there is time for it.
func long(normal, long int) int {
	if os.Getenv("ITSM_LONG") == "1" {
		return long
	}
	return normal
}

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
	for n := range long(200, 10_000) {
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

const writerEnv = "ITSM_SQLITE_WRITER"

// TestMain is also the process that writes until it is killed.
func TestMain(m *testing.M) {
	file := os.Getenv(writerEnv)
	if file == "" {
		os.Exit(m.Run())
	}
	ctx := context.Background()
	db, err := sqlite.Open(ctx, file, sqlite.Config{})
	if err == nil {
		err = enginetest.Write(ctx, sqlite.NewStore[enginetest.Item](db, items), os.Stdout)
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// Whenever the writing process is killed: what it acknowledged is there, once and
// whole.
func TestKilled(t *testing.T) {
	file := temp(t)
	var audit enginetest.Audit
	acknowledged := 0
	for range long(20, 500) {
		writer := exec.Command(os.Args[0])
		writer.Env = append(os.Environ(), writerEnv+"="+file)
		writer.Stderr = os.Stderr
		out, err := writer.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, writer.Start())
		lines, last := 0, rand.IntN(100)
		ids, err := enginetest.Acknowledged(out, func() {
			if lines++; lines == last+1 {
				time.AfterFunc(rand.N(2*time.Millisecond), func() { _ = writer.Process.Kill() })
			}
		})
		require.NoError(t, err)
		require.Error(t, writer.Wait(), "it was killed")
		require.Greater(t, lines, last)
		acknowledged += len(ids)

		db, err := sqlite.Open(t.Context(), file, sqlite.Config{})
		require.NoError(t, err)
		require.NoError(t, audit.Check(t.Context(), sqlite.NewStore[enginetest.Item](db, items), ids))
		require.NoError(t, db.Close())
	}
	raw, err := sql.Open("sqlite", file)
	require.NoError(t, err)
	var verdict string
	require.NoError(t, raw.QueryRowContext(t.Context(), `PRAGMA integrity_check`).Scan(&verdict))
	require.NoError(t, raw.Close())
	require.Equal(t, "ok", verdict)
	t.Logf("%d events were acknowledged, %d are there", acknowledged, audit.Events())
}
