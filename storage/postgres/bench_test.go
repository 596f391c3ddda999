package postgres_test

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/storage/enginetest"
	"github.com/go-itsm/itsm/storage/postgres"
)

func setPool(max int32) func(*pgxpool.Config) {
	return func(c *pgxpool.Config) { c.MaxConns, c.MinConns = max, max }
}

// BenchmarkCommit measures durable commits, each a new version of one of 1,000
// records, and the same statement with the same arguments through pgx alone. They
// take turns in short rounds, so that the disk's moods come to both alike.
func BenchmarkCommit(b *testing.B) {
	for _, clients := range []int{1, 16} {
		b.Run(fmt.Sprintf("%d clients", clients), func(b *testing.B) {
			ctx := context.Background()
			address := fresh(b)
			db := open(b, address, postgres.Config{Pool: setPool(16)})
			store := postgres.NewStore[enginetest.Item](db, tickets)
			alone := postgres.Space{Tenant: "alone", Practice: "ticket"}
			pool, err := pgxpool.New(ctx, with(b, address, "pool_max_conns", "16"))
			require.NoError(b, err)
			b.Cleanup(pool.Close)
			contestants := []struct {
				name   string
				all    []enginetest.Item
				commit func(rev itsm.Revision[enginetest.Item]) error
				took   time.Duration
			}{
				{"store", enginetest.Fill(b, store, 1000), func(rev itsm.Revision[enginetest.Item]) error { return store.Commit(ctx, rev) }, 0},
				{"pgx", enginetest.Fill(b, postgres.NewStore[enginetest.Item](db, alone), 1000), func(rev itsm.Revision[enginetest.Item]) error {
					text, args := postgres.Statement(alone, rev)
					var n, unused int
					return pool.QueryRow(ctx, text, args...).Scan(&n, &unused)
				}, 0},
			}
			const round = 96
			b.ResetTimer()
			for done := 0; done < b.N; done += round {
				for i := range contestants {
					c := &contestants[i]
					start := time.Now()
					var group sync.WaitGroup
					each := round / clients
					for client := range clients {
						group.Go(func() {
							for k := range each {
								t := &c.all[client*each+k]
								rev := enginetest.Next(*t, "bench")
								if err := c.commit(rev); err != nil {
									panic(err)
								}
								*t = rev.Record
							}
						})
					}
					group.Wait()
					c.took += time.Since(start)
				}
			}
			commits := float64((b.N + round - 1) / round * round)
			for _, c := range contestants {
				b.ReportMetric(commits/c.took.Seconds(), c.name+"/s")
			}
			b.ReportMetric(100*contestants[1].took.Seconds()/contestants[0].took.Seconds(), "%")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// BenchmarkFeed reads a feed from its start, of 100,000 events, or 1,000,000
// with ITSM_LONG=1.
func BenchmarkFeed(b *testing.B) {
	n := enginetest.Long(100_000, 1_000_000)
	address := fresh(b)
	store := postgres.NewStore[enginetest.Item](open(b, address, postgres.Config{}), tickets)
	conn := admin(b, address)
	sql(b, conn, `INSERT INTO itsm_event (tenant, practice, id, name, record, version, action, from_state, to_state, at, actor, actor_name, cause, data)
		SELECT '', 'ticket', 'evt_' || i, 'ticket', 'tck_' || i % 1000, i / 1000 + 1, 'edit', 'open', 'open', $1, 'jin', 'Jin Kim', '',
			'{"note":"something about forty bytes long"}' FROM generate_series(0, $2::int - 1) AS i`, start, n)
	sql(b, conn, `ANALYZE itsm_event`)
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

// BenchmarkDue has four workers claim 20,000 records that are due, or 1,000,000
// with ITSM_LONG=1, none of them twice.
func BenchmarkDue(b *testing.B) {
	ctx := context.Background()
	n := enginetest.Long(20_000, 1_000_000)
	address := fresh(b)
	conn := admin(b, address)
	db := open(b, address, postgres.Config{Lease: time.Hour})
	var took time.Duration
	for b.Loop() {
		b.StopTimer()
		sql(b, conn, `TRUNCATE itsm_record`)
		sql(b, conn, `INSERT INTO itsm_record (tenant, practice, id, version, state, due, keys, body)
			SELECT '', 'ticket', 'tck_' || i, 1, 'open', $1::timestamptz + i * interval '1 millisecond', '[]', json_build_object('id', 'tck_' || i, 'text', repeat('x', 600))
			FROM generate_series(1, $2::int) AS i`, start, n)
		sql(b, conn, `ANALYZE itsm_record`)
		seen := make([]map[itsm.ID]bool, 4)
		var claimed atomic.Int64
		b.StartTimer()
		begun := time.Now()
		var group sync.WaitGroup
		for w := range seen {
			seen[w] = map[itsm.ID]bool{}
			group.Go(func() {
				store := postgres.NewStore[enginetest.Item](db, tickets)
				for wake, err := range store.Due(ctx, start.AddDate(1, 0, 0)) {
					if err != nil {
						panic(err)
					}
					seen[w][wake.ID] = true
					claimed.Add(1)
				}
			})
		}
		group.Wait()
		took += time.Since(begun)
		all := map[itsm.ID]bool{}
		for _, some := range seen {
			for id := range some {
				all[id] = true
			}
		}
		require.EqualValues(b, n, claimed.Load())
		require.Len(b, all, n)
	}
	b.ReportMetric(float64(n)*float64(b.N)/took.Seconds(), "claims/s")
}
