package sqlite_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/storage/enginetest"
	"github.com/go-itsm/itsm/storage/sqlite"
)

// BenchmarkCommit measures durable commits, each a new version of one of 1,000
// records, and the same rows written by prepared statements alone: over one
// connection, each in a transaction of its own, or as many in a transaction as
// there are clients. They take turns in short rounds, each of them first in every
// other, so that the disk's moods come to all alike; the percentage is the median of
// the rounds, since one sync may take as long as a hundred.
func BenchmarkCommit(b *testing.B) {
	for _, clients := range []int{1, 16} {
		b.Run(fmt.Sprintf("%d clients", clients), func(b *testing.B) {
			store := sqlite.NewStore[enginetest.Item](open(b, temp(b), sqlite.Config{}), tickets)
			contestants := []contestant{{"store", enginetest.Fill(b, store, 1000), func(revs ...itsm.Revision[enginetest.Item]) {
				require.NoError(b, store.Commit(context.Background(), revs...))
			}, clients}}
			alone, all := bareOver(b)
			contestants = append(contestants, contestant{"statements", all, alone.commit, 1})
			if clients > 1 {
				grouped, all := bareOver(b)
				contestants = append(contestants, contestant{"grouped", all, grouped.commit, 1})
			}
			took := make([]time.Duration, len(contestants))
			var shares []float64
			const round = 96
			b.ResetTimer()
			for done := 0; done < b.N; done += round {
				now := make([]time.Duration, len(contestants))
				for turn := range contestants {
					i := (turn + done/round) % len(contestants)
					c := contestants[i]
					group := 1
					if c.name == "grouped" {
						group = clients
					}
					start := time.Now()
					c.round(round, group)
					now[i] = time.Since(start)
					took[i] += now[i]
				}
				shares = append(shares, 100*now[1].Seconds()/now[0].Seconds())
			}
			commits := float64((b.N + round - 1) / round * round)
			for i, c := range contestants {
				b.ReportMetric(commits/took[i].Seconds(), c.name+"/s")
			}
			slices.Sort(shares)
			b.ReportMetric(shares[len(shares)/2], "%")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// A contestant commits to records of its own.
type contestant struct {
	name    string
	all     []enginetest.Item
	commit  func(revs ...itsm.Revision[enginetest.Item])
	clients int
}

// round makes n commits, some in one call.
func (c contestant) round(n, group int) {
	var clients sync.WaitGroup
	each := n / c.clients
	for client := range c.clients {
		clients.Go(func() {
			revs := make([]itsm.Revision[enginetest.Item], group)
			for done := 0; done < each; done += group {
				for i := range revs {
					t := &c.all[client*each+done+i]
					revs[i] = enginetest.Next(*t, "bench")
					*t = revs[i].Record
				}
				c.commit(revs...)
			}
		})
	}
	clients.Wait()
}

// A bare writes the rows of a commit without a store.
type bare struct{ begins, update, insert, commits *sql.Stmt }

func bareOver(b *testing.B) (*bare, []enginetest.Item) {
	file := temp(b)
	db, err := sqlite.Open(b.Context(), file, sqlite.Config{})
	require.NoError(b, err)
	all := enginetest.Fill(b, sqlite.NewStore[enginetest.Item](db, tickets), 1000)
	require.NoError(b, db.Close())
	pool, err := sql.Open("sqlite", file+"?_pragma=synchronous(FULL)")
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, pool.Close()) })
	conn, err := pool.Conn(b.Context())
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, conn.Close()) })
	prepare := func(text string) *sql.Stmt {
		stmt, err := conn.PrepareContext(b.Context(), text)
		require.NoError(b, err)
		return stmt
	}
	return &bare{
		begins: prepare(`BEGIN IMMEDIATE`), commits: prepare(`COMMIT`),
		update: prepare(`UPDATE itsm_record SET version = ?, body = ? WHERE space = 1 AND id = ? AND version = ?`),
		insert: prepare(`INSERT INTO itsm_event (space, id, practice, record, version, action, from_state, to_state, at, actor, actor_name, cause, data)
			VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`),
	}, all
}

func (x *bare) run(stmt *sql.Stmt, args ...any) {
	if _, err := stmt.Exec(args...); err != nil {
		panic(err)
	}
}

func (x *bare) commit(revs ...itsm.Revision[enginetest.Item]) {
	x.run(x.begins)
	for _, rev := range revs {
		body, _ := json.Marshal(&rev.Record)
		x.run(x.update, rev.Record.Version, string(body), rev.Record.ID, rev.Base)
		for _, e := range rev.Events {
			x.run(x.insert, e.ID, e.Practice, e.Record, e.Version, e.Action, e.From, e.To, e.At.UnixMicro(), e.Actor.ID, e.Actor.Name, e.Cause, string(e.Data))
		}
	}
	x.run(x.commits)
}

// BenchmarkFeed reads a feed from its start, of 100,000 events, or 1,000,000
// with ITSM_LONG=1.
func BenchmarkFeed(b *testing.B) {
	n := 100_000
	if os.Getenv("ITSM_LONG") == "1" {
		n = 1_000_000
	}
	store := sqlite.NewStore[enginetest.Item](open(b, temp(b), sqlite.Config{Relaxed: true}), tickets)
	all := enginetest.Fill(b, store, 1000)
	for done := len(all); done < n; done += len(all) {
		var revs []itsm.Revision[enginetest.Item]
		for i := range all {
			rev := enginetest.Next(all[i], "fill")
			all[i] = rev.Record
			revs = append(revs, rev)
		}
		require.NoError(b, store.Commit(b.Context(), revs...))
	}
	var most uint64
	var m runtime.MemStats
	for b.Loop() {
		got := 0
		for _, err := range store.Feed(b.Context(), "") {
			require.NoError(b, err)
			if got++; got%10_000 == 0 {
				runtime.ReadMemStats(&m)
				most = max(most, m.HeapAlloc)
			}
		}
		require.Equal(b, n, got)
	}
	b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "events/s")
	b.ReportMetric(float64(most)/(1<<20), "MB-heap")
}

// BenchmarkLoad reads one record of 10,000.
func BenchmarkLoad(b *testing.B) {
	store := sqlite.NewStore[enginetest.Item](open(b, temp(b), sqlite.Config{}), tickets)
	all := enginetest.Fill(b, store, 10_000)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		_, err := store.Load(b.Context(), all[i*7919%len(all)].ID)
		require.NoError(b, err)
	}
}

// BenchmarkList reads a page of 100 records out of 100,000.
func BenchmarkList(b *testing.B) {
	store := sqlite.NewStore[enginetest.Item](open(b, temp(b), sqlite.Config{}), tickets)
	enginetest.Fill(b, store, 100_000)
	for _, bench := range []struct {
		name string
		q    itsm.Query
	}{
		{"all", itsm.Query{}},
		{"states", itsm.Query{States: []itsm.State{"new", "open"}}},
		{"group", itsm.Query{States: []itsm.State{"new"}, Where: []itsm.Key{{Field: "group", Value: "g4"}}}},
		{"rare", itsm.Query{Where: []itsm.Key{{Field: "group", Value: "g7"}, {Field: "caller", Value: "c7"}}}},
		{"none", itsm.Query{Where: []itsm.Key{{Field: "assignee", Value: "a7"}, {Field: "caller", Value: "c8"}}}},
	} {
		page, err := store.List(b.Context(), bench.q)
		require.NoError(b, err)
		b.Run(fmt.Sprintf("%s of %d", bench.name, len(page.Records)), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, err := store.List(b.Context(), bench.q)
				require.NoError(b, err)
			}
		})
	}
}

// BenchmarkGrowth measures what a record of one event and what another event
// takes of the disk.
func BenchmarkGrowth(b *testing.B) {
	for b.Loop() {
		const n = 10_000
		file := filepath.Join(b.TempDir(), "desk.db")
		size := func(events int) float64 {
			db, err := sqlite.Open(b.Context(), file, sqlite.Config{Relaxed: true})
			require.NoError(b, err)
			store := sqlite.NewStore[enginetest.Item](db, tickets)
			all := enginetest.Fill(b, store, n)
			for range events - 1 {
				for i := range all {
					rev := enginetest.Next(all[i], "more")
					all[i] = rev.Record
					require.NoError(b, store.Commit(b.Context(), rev))
				}
			}
			require.NoError(b, db.Close())
			info, err := os.Stat(file)
			require.NoError(b, err)
			require.NoError(b, os.Remove(file))
			return float64(info.Size()) / n
		}
		one := size(1)
		b.ReportMetric(one, "B/record")
		b.ReportMetric((size(3)-one)/2, "B/event")
	}
}
