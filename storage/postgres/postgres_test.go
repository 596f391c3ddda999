package postgres_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/storage/enginetest"
	"github.com/go-itsm/itsm/storage/memory"
	"github.com/go-itsm/itsm/storage/postgres"
	"github.com/go-itsm/itsm/storage/storagetest"
	"github.com/go-itsm/itsm/storage/transfer"
)

var (
	tickets = postgres.Space{Practice: "ticket"}
	start   = time.Date(2026, 1, 5, 8, 0, 0, 0, time.UTC)
)

// Every rule, over two pools, with another tenant in the same tables; without the
// database's own wall, and with it.
func TestStore(t *testing.T) {
	for _, secure := range []bool{false, true} {
		t.Run(fmt.Sprint("RowSecurity ", secure), func(t *testing.T) {
			address := fresh(t)
			cfg := postgres.Config{RowSecurity: secure}
			db := open(t, address, cfg)
			if secure {
				role := `itsm_role_` + strconv.FormatInt(time.Now().UnixNano(), 10)
				owner := admin(t, address)
				sql(t, owner, `CREATE ROLE `+role+` LOGIN`)
				sql(t, owner, `GRANT USAGE ON SCHEMA `+schemaOf(t, owner)+` TO `+role)
				sql(t, owner, `GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA `+schemaOf(t, owner)+` TO `+role)
				t.Cleanup(func() {
					sql(t, owner, `DROP OWNED BY `+role)
					sql(t, owner, `DROP ROLE `+role)
				})
				require.NoError(t, pgx.BeginFunc(t.Context(), owner, func(tx pgx.Tx) error { return postgres.RowSecurity(t.Context(), tx, true) }))
				cfg.NoMigration = true
				address = as(t, address, role)
				db = open(t, address, cfg)
			}
			other := open(t, address, cfg)
			n := 0
			storagetest.Test(t, enginetest.Harness(func(context.Context) (storagetest.Backend[enginetest.Item], error) {
				n++
				acme := postgres.Space{Tenant: fmt.Sprint("acme", n), Practice: "ticket"}
				return storagetest.Backend[enginetest.Item]{
					Store: postgres.NewStore[enginetest.Item](db, acme),
					Other: postgres.NewStore[enginetest.Item](other, acme),
					Wall:  postgres.NewStore[enginetest.Item](db, postgres.Space{Tenant: fmt.Sprint("globex", n), Practice: "ticket"}),
				}, nil
			}))
		})
	}
}

// admin connects to a database.
func admin(tb testing.TB, address string) *pgx.Conn {
	tb.Helper()
	conn, err := pgx.Connect(context.Background(), address)
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, conn.Close(context.Background())) })
	return conn
}

func sql(tb testing.TB, conn *pgx.Conn, text string, args ...any) {
	tb.Helper()
	_, err := conn.Exec(context.Background(), text, args...)
	require.NoError(tb, err, text)
}

func schemaOf(tb testing.TB, conn *pgx.Conn) (name string) {
	require.NoError(tb, conn.QueryRow(context.Background(), `SELECT quote_ident(current_schema())`).Scan(&name))
	return name
}

// as returns an address with another user.
func as(tb testing.TB, address, role string) string {
	u, err := url.Parse(address)
	require.NoError(tb, err)
	u.User = url.User(role)
	return u.String()
}

// Every statement goes along an index to what it wants, in tables of several
// tenants and practices.
func TestPlans(t *testing.T) {
	ctx := t.Context()
	address := fresh(t)
	db := open(t, address, postgres.Config{})
	for _, space := range []postgres.Space{tickets, {Tenant: "acme", Practice: "ticket"}, {Tenant: "acme", Practice: "other"}} {
		store := postgres.NewStore[enginetest.Item](db, space)
		var revs []itsm.Revision[enginetest.Item]
		for _, r := range enginetest.Fill(t, store, 700) {
			r.Due = start
			revs = append(revs, enginetest.Next(r, "more"))
		}
		require.NoError(t, store.Commit(ctx, revs...))
	}
	conn := admin(t, address)
	sql(t, conn, `ANALYZE itsm_record, itsm_key, itsm_event`)
	r := enginetest.Sample(300)
	all := postgres.Statements(tickets, string(r.ID), uint64(0), start)
	for _, version := range []itsm.Version{0, 2} {
		r.Version = version
		text, args := postgres.Statement(tickets, enginetest.Next(r, "plan"))
		all[fmt.Sprint("commit of version ", version+1)] = postgres.Sent{Text: text, Args: args}
	}
	for name, sent := range all {
		rows, err := conn.Query(ctx, `EXPLAIN `+sent.Text, sent.Args...)
		require.NoError(t, err, name)
		lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
		require.NoError(t, err, name)
		plan := strings.Join(lines, "\n")
		require.NotRegexp(t, `Seq Scan on itsm_`, plan, name)
		require.Regexp(t, `Index (Only )?Scan|Insert on itsm_record`, plan, name)
		if strings.HasPrefix(name, "list by") || name == "feed" || name == "history" {
			require.NotRegexp(t, `Bitmap`, plan, name+": a page of many must come in order")
		}
	}
}

// What is committed within a transaction of the host's own is there for the
// transaction, and stands or falls with it, whatever was refused in it.
func TestWithin(t *testing.T) {
	ctx := t.Context()
	address := fresh(t)
	host := admin(t, address)
	require.NoError(t, pgx.BeginFunc(ctx, host, func(tx pgx.Tx) error { return postgres.Migrate(ctx, tx) }))
	one, two := enginetest.Next(enginetest.Sample(1), "me"), enginetest.Next(enginetest.Sample(2), "me")
	taken := enginetest.Next(enginetest.Sample(3), "me")
	taken.Events[0].ID = one.Events[0].ID
	for _, end := range []func(pgx.Tx) error{
		func(tx pgx.Tx) error { return tx.Rollback(ctx) }, func(tx pgx.Tx) error { return tx.Commit(ctx) },
	} {
		tx, err := host.Begin(ctx)
		require.NoError(t, err)
		store := postgres.Within[enginetest.Item](tx, tickets, postgres.Config{})
		_, err = store.Load(ctx, one.Record.ID)
		require.ErrorIs(t, err, itsm.ErrNotFound)
		require.NoError(t, store.Commit(ctx, one))
		require.NoError(t, store.Commit(ctx, one), "sent again")
		require.ErrorIs(t, store.Commit(ctx, two, taken), itsm.ErrExists)
		require.ErrorIs(t, store.Commit(ctx, taken), itsm.ErrExists)
		_, err = store.Load(ctx, two.Record.ID)
		require.ErrorIs(t, err, itsm.ErrNotFound, "refused with the other")
		now, err := store.Load(ctx, one.Record.ID)
		require.NoError(t, err)
		require.Equal(t, one.Record, now)
		require.NoError(t, store.Commit(ctx, two))
		late, cancel := context.WithCancel(ctx)
		cancel()
		require.ErrorIs(t, store.Commit(late, enginetest.Next(enginetest.Sample(4), "me")), context.Canceled)
		require.NoError(t, end(tx))
		require.Error(t, store.Commit(ctx, taken), "the transaction has ended")
	}
	page, err := postgres.NewStore[enginetest.Item](open(t, address, postgres.Config{}), tickets).List(ctx, itsm.Query{})
	require.NoError(t, err)
	require.Equal(t, []enginetest.Item{one.Record, two.Record}, page.Records)
}

// A transaction that is older than a record's latest change does not write behind
// it, or the feed would have the record's events the wrong way round; one that is
// open holds the feed up, and nothing appears behind a cursor when it ends.
func TestOldTransactions(t *testing.T) {
	ctx := t.Context()
	address := fresh(t)
	db := open(t, address, postgres.Config{})
	store := postgres.NewStore[enginetest.Item](db, tickets)
	fed := func(after itsm.Cursor) (ids []itsm.ID, cursor itsm.Cursor) {
		cursor = after
		for d, err := range store.Feed(ctx, after) {
			require.NoError(t, err)
			ids, cursor = append(ids, d.Event.ID), d.Cursor
		}
		return ids, cursor
	}
	until := func(after itsm.Cursor, want ...itsm.ID) itsm.Cursor {
		var got []itsm.ID
		var cursor itsm.Cursor
		require.Eventually(t, func() bool { got, cursor = fed(after); return len(got) >= len(want) }, time.Minute, time.Millisecond)
		require.Equal(t, want, got)
		return cursor
	}
	one, two := enginetest.Next(enginetest.Sample(1), "me"), enginetest.Next(enginetest.Sample(2), "me")
	require.NoError(t, store.Commit(ctx, one))
	cursor := until("", one.Events[0].ID)

	tx, err := admin(t, address).Begin(ctx)
	require.NoError(t, err)
	old := postgres.Within[enginetest.Item](tx, tickets, postgres.Config{})
	require.NoError(t, old.Commit(ctx, two)) // which gives the transaction its number
	change := enginetest.Next(one.Record, "younger")
	require.NoError(t, store.Commit(ctx, change))
	got, same := fed(cursor)
	require.Empty(t, got, "the older transaction may yet add something before")
	require.Equal(t, cursor, same)
	seen, err := old.Load(ctx, one.Record.ID)
	require.NoError(t, err)
	require.EqualValues(t, 2, seen.Version)
	require.ErrorIs(t, old.Commit(ctx, enginetest.Next(seen, "older")), itsm.ErrConflict)
	require.NoError(t, tx.Commit(ctx))
	until(cursor, two.Events[0].ID, change.Events[0].ID)
}

// What is due is handed to one caller until its lease ends, its due time changes,
// or what it was handed to it is done.
func TestLease(t *testing.T) {
	ctx := t.Context()
	address := fresh(t)
	long := postgres.NewStore[enginetest.Item](open(t, address, postgres.Config{Lease: time.Hour}), tickets)
	short := postgres.NewStore[enginetest.Item](open(t, address, postgres.Config{Lease: time.Microsecond}), postgres.Space{Tenant: "acme", Practice: "ticket"})
	for _, s := range []*postgres.Store[enginetest.Item]{long, short} {
		var revs []itsm.Revision[enginetest.Item]
		for i := range 250 {
			r := enginetest.Sample(i)
			r.Due = start.Add(time.Duration(i) * time.Second)
			revs = append(revs, enginetest.Next(r, "me"))
		}
		require.NoError(t, s.Commit(ctx, revs...))
	}
	due := func(s *postgres.Store[enginetest.Item], most int) (ids []itsm.ID) {
		for w, err := range s.Due(ctx, start.AddDate(1, 0, 0)) {
			require.NoError(t, err)
			require.True(t, start.Add(time.Duration(len(ids))*time.Second).Equal(w.Due) || len(ids) == 0 || s == long)
			if ids = append(ids, w.ID); len(ids) == most {
				break
			}
		}
		return ids
	}
	require.Len(t, due(long, 10), 10, "and a hundred are claimed")
	require.Len(t, due(long, -1), 150)
	require.Empty(t, due(long, -1))
	r, err := long.Load(ctx, enginetest.Sample(7).ID)
	require.NoError(t, err)
	same := enginetest.Next(r, "same due")
	require.NoError(t, long.Commit(ctx, same))
	require.Empty(t, due(long, -1), "the claim is for its due time, which is the same")
	other := enginetest.Next(same.Record, "other due")
	other.Record.Due = other.Record.Due.Add(time.Minute)
	require.NoError(t, long.Commit(ctx, other))
	require.Equal(t, []itsm.ID{r.ID}, due(long, -1))
	for range 2 {
		require.Len(t, due(short, 50), 50, "the lease has ended")
	}
}

// What is made by a newer version is left alone, what is not there or an older one's
// is brought on, and what comes from another server is given places here.
func TestMigrate(t *testing.T) {
	ctx := t.Context()
	address := fresh(t)
	host := admin(t, address)
	migrate := func(more ...string) error {
		return pgx.BeginFunc(ctx, host, func(tx pgx.Tx) error { return postgres.MigrateWith(ctx, tx, more...) })
	}
	_, err := postgres.Open(ctx, address, postgres.Config{NoMigration: true})
	require.ErrorIs(t, err, postgres.ErrNotMigrated)
	require.ErrorContains(t, migrate(`nonsense`), "migrating to version 2")
	var there bool
	require.NoError(t, host.QueryRow(ctx, `SELECT to_regclass('itsm_record') IS NOT NULL`).Scan(&there))
	require.False(t, there, "a migration that fails leaves nothing behind")
	// Several hosts start at the same time.
	errs := make(chan error)
	for range 4 {
		go func() {
			db, err := postgres.Open(ctx, address, postgres.Config{})
			if err == nil {
				db.Close()
			}
			errs <- err
		}()
	}
	for range 4 {
		require.NoError(t, <-errs)
	}
	db := open(t, address, postgres.Config{NoMigration: true})

	// A dump of another server, which had come further.
	store := postgres.NewStore[enginetest.Item](db, tickets)
	all := enginetest.Fill(t, store, 3)
	var cursor itsm.Cursor
	var before, after []itsm.ID
	for d, err := range store.Feed(ctx, "") {
		require.NoError(t, err)
		before, cursor = append(before, d.Event.ID), d.Cursor
	}
	if len(before) < 3 { // while others write on this server
		t.Log("the feed was held up")
	}
	sql(t, host, `UPDATE itsm_event SET xid = '9000000000000'`)
	sql(t, host, `UPDATE itsm_record SET xid = '9000000000000'`)
	sql(t, host, `UPDATE itsm_server SET id = 'elsewhere'`)
	require.NoError(t, pgx.BeginFunc(ctx, host, func(tx pgx.Tx) error { return postgres.RowSecurity(ctx, tx, true) }))
	_, err = postgres.Open(ctx, address, postgres.Config{NoMigration: true})
	require.ErrorIs(t, err, postgres.ErrNotMigrated)
	require.NoError(t, migrate())
	require.NoError(t, host.QueryRow(ctx, `SELECT relforcerowsecurity FROM pg_class WHERE oid = 'itsm_event'::regclass`).Scan(&there))
	require.True(t, there)
	require.NoError(t, pgx.BeginFunc(ctx, host, func(tx pgx.Tx) error { return postgres.RowSecurity(ctx, tx, false) }))
	for d, err := range store.Feed(ctx, "") {
		require.NoError(t, err)
		after = append(after, d.Event.ID)
	}
	require.Len(t, after, 3)
	require.Equal(t, after[:len(before)], before)
	if cursor != "" {
		for _, err := range store.Feed(ctx, cursor) {
			require.ErrorIs(t, err, itsm.ErrInvalid)
		}
	}
	require.NoError(t, store.Commit(ctx, enginetest.Next(all[0], "here")))

	require.NoError(t, migrate(`CREATE TABLE itsm_more (x int)`))
	_, err = postgres.Open(ctx, address, postgres.Config{})
	require.ErrorIs(t, err, postgres.ErrNewer)
	_, err = postgres.Open(ctx, address, postgres.Config{NoMigration: true})
	require.ErrorIs(t, err, postgres.ErrNewer)
}

// Close waits for what is under way, and what comes later is told so.
func TestClose(t *testing.T) {
	ctx := t.Context()
	db := open(t, fresh(t), postgres.Config{})
	store := postgres.NewStore[enginetest.Item](db, tickets)
	enginetest.Fill(t, store, 600)
	require.NoError(t, db.Health(ctx))
	read := 0
	for _, err := range store.Events(ctx, enginetest.Sample(1).ID, 0) {
		require.NoError(t, err)
		db.Close()
		read++
	}
	require.Equal(t, 1, read)
	db.Close()
	_, err := store.Load(ctx, "x")
	require.ErrorIs(t, err, postgres.ErrClosed)
	_, err = store.List(ctx, itsm.Query{})
	require.ErrorIs(t, err, postgres.ErrClosed)
	_, err = store.NextDue(ctx, start)
	require.ErrorIs(t, err, postgres.ErrClosed)
	for _, err := range store.Due(ctx, start) {
		require.ErrorIs(t, err, postgres.ErrClosed)
	}
	for _, err := range store.Events(ctx, "x", 0) {
		require.ErrorIs(t, err, postgres.ErrClosed)
	}
	for _, err := range store.Feed(ctx, "") {
		require.ErrorIs(t, err, postgres.ErrClosed)
	}
	require.ErrorIs(t, store.Commit(ctx, enginetest.Next(enginetest.Sample(1), "me")), postgres.ErrClosed)
	require.ErrorIs(t, db.Health(ctx), postgres.ErrClosed)
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	require.ErrorIs(t, db.Health(cancelled), context.Canceled)
}

// A server that is read-only, or gone, is not healthy.
func TestHealth(t *testing.T) {
	ctx := t.Context()
	address := fresh(t)
	require.NoError(t, open(t, address, postgres.Config{}).Health(ctx))
	readOnly := open(t, with(t, address, "default_transaction_read_only", "on"), postgres.Config{NoMigration: true})
	require.ErrorContains(t, readOnly.Health(ctx), "read-only")
	_, err := postgres.Open(ctx, "postgres://127.0.0.1:1/nowhere?connect_timeout=1", postgres.Config{})
	require.Error(t, err)
	_, err = postgres.Open(ctx, "postgres://%", postgres.Config{})
	require.Error(t, err)
	p, through := newProxy(t, address)
	far := open(t, through, postgres.Config{NoMigration: true, Pool: func(c *pgxpool.Config) { c.MaxConns = 1 }})
	require.NoError(t, far.Health(ctx))
	p.CutAfter(enginetest.ToServer, 0)
	require.Error(t, far.Health(ctx))
}

// What the database cannot keep is refused, with every finding, and nobody finds it.
func TestRefused(t *testing.T) {
	ctx := t.Context()
	type wrong struct {
		itsm.Meta
		F func()
	}
	require.Panics(t, func() { postgres.Within[string](nil, tickets, postgres.Config{}) })
	require.Panics(t, func() { postgres.Within[enginetest.Item](nil, postgres.Space{Tenant: "\x00"}, postgres.Config{}) })
	db := open(t, fresh(t), postgres.Config{})
	w := wrong{}
	w.ID, w.Version = "x", 1
	err := postgres.NewStore[wrong](db, tickets).Commit(ctx, itsm.Revision[wrong]{Record: w, Events: []itsm.Event{{ID: "e", Record: "x", Version: 1}}})
	require.ErrorIs(t, err, itsm.ErrInvalid)
	require.ErrorContains(t, err, "revisions[0].record has no JSON form")

	store := postgres.NewStore[enginetest.Item](db, tickets)
	rev := enginetest.Next(enginetest.Sample(1), "me")
	e := &rev.Events[0]
	rev.Record.ID, rev.Record.State, e.Record = "a\x00b", "\xff", "a\x00b"
	e.ID, e.Action, e.Actor.Name, e.Data = "\xfe", "\x00", "\x00", json.RawMessage(`{`)
	err = store.Commit(ctx, rev)
	require.ErrorIs(t, err, itsm.ErrInvalid)
	require.Len(t, itsm.Findings(err), 6)
	_, err = store.Load(ctx, "a\x00b")
	require.ErrorIs(t, err, itsm.ErrNotFound)
	for range store.Events(ctx, "\xff", 0) {
		t.Error("there is nothing")
	}
	enginetest.Fill(t, store, 3)
	for _, q := range []itsm.Query{{States: []itsm.State{"\x00"}}, {Where: []itsm.Key{{Field: "\xff"}}}} {
		page, err := store.List(ctx, q)
		require.NoError(t, err)
		require.Empty(t, page.Records)
	}
	// A key may have anything, as JSON has it.
	rev = enginetest.Next(enginetest.Sample(7), "me")
	rev.Record.Group = "zero \x00, quote \" and \\"
	require.NoError(t, store.Commit(ctx, rev))
	rev = enginetest.Next(rev.Record, "me")
	rev.Record.Group = "another"
	require.NoError(t, store.Commit(ctx, rev))
	// What was broken by others is not taken for something else.
	sql(t, admin(t, db.Address()), `UPDATE itsm_record SET body = '[]'`)
	_, err = store.Load(ctx, enginetest.Sample(1).ID)
	require.ErrorContains(t, err, "record "+string(enginetest.Sample(1).ID))
	_, err = store.List(ctx, itsm.Query{})
	require.ErrorContains(t, err, "record "+string(enginetest.Sample(0).ID))
}

// What is long is read in parts, and all of it.
func TestParts(t *testing.T) {
	ctx := t.Context()
	store := postgres.NewStore[enginetest.Item](open(t, fresh(t), postgres.Config{Slow: -1}), tickets)
	const n = 1700
	long, large := enginetest.Sample(1), enginetest.Sample(2)
	many := itsm.Revision[enginetest.Item]{Record: long}
	for range n {
		rev := enginetest.Next(many.Record, "long")
		many.Record, many.Events = rev.Record, append(many.Events, rev.Events...)
	}
	require.NoError(t, store.Commit(ctx, many))
	for range 30 {
		rev := enginetest.Next(large, "large")
		rev.Events[0].Data = json.RawMessage(`"` + strings.Repeat("x", 100<<10) + `"`)
		require.NoError(t, store.Commit(ctx, rev))
		large = rev.Record
	}
	for id, want := range map[itsm.ID]int{long.ID: n, large.ID: 30} {
		got := 0
		for e, err := range store.Events(ctx, id, 0) {
			require.NoError(t, err)
			got++
			require.EqualValues(t, got, e.Version)
		}
		require.Equal(t, want, got)
	}
	require.Eventually(t, func() bool {
		got := 0
		for _, err := range store.Feed(ctx, "") {
			require.NoError(t, err)
			got++
		}
		return got == n+30
	}, time.Minute, time.Millisecond)
}

// A list of very many states or keys, or of the same one many times, is a list.
func TestManyStates(t *testing.T) {
	ctx := t.Context()
	store := postgres.NewStore[enginetest.Item](open(t, fresh(t), postgres.Config{}), tickets)
	all := enginetest.Fill(t, store, 30)
	var keys []itsm.Key
	for i := range 200 {
		keys = append(keys, itsm.Key{Field: "group", Value: fmt.Sprint("g", i)})
	}
	page, err := store.List(ctx, itsm.Query{Where: keys})
	require.NoError(t, err)
	require.Empty(t, page.Records)
	var many []itsm.State
	for i := range 1000 {
		many = append(many, itsm.State(fmt.Sprint("state", i)), "open")
	}
	for _, where := range [][]itsm.Key{nil, {{Field: "group", Value: "g4"}, {Field: "group", Value: "g4"}}} {
		var want []itsm.ID
		for _, r := range all {
			if r.State == "open" && (where == nil || r.Group == "g4") {
				want = append(want, r.ID)
			}
		}
		for _, states := range [][]itsm.State{many, {"open", "open"}} {
			page, err := store.List(ctx, itsm.Query{States: states, Where: where})
			require.NoError(t, err)
			var got []itsm.ID
			for _, r := range page.Records {
				got = append(got, r.ID)
			}
			require.Equal(t, want, got)
		}
	}
}

// What a host's log is told.
func TestSlow(t *testing.T) {
	var log bytes.Buffer
	now := start
	store := postgres.NewStore[enginetest.Item](open(t, fresh(t), postgres.Config{
		Now:  func() time.Time { now = now.Add(time.Second); return now },
		Slow: time.Second, Log: slog.New(slog.NewTextHandler(&log, nil)),
	}), tickets)
	require.NoError(t, store.Commit(t.Context(), enginetest.Next(enginetest.Sample(1), "me")))
	require.Contains(t, log.String(), `msg="slow commit" practice=ticket tenant="" record=tck_00000000000000000000000001 revisions=1 took=1s`)
}

// Who is impatient knows what came of it, or that nobody does.
func TestImpatient(t *testing.T) {
	ctx := t.Context()
	address := fresh(t)
	db := open(t, address, postgres.Config{Pool: func(c *pgxpool.Config) { c.MaxConns = 1 }})
	store := postgres.NewStore[enginetest.Item](db, tickets)
	enginetest.Fill(t, store, 1)
	r, err := store.Load(ctx, enginetest.Sample(0).ID)
	require.NoError(t, err)
	tx, err := admin(t, address).Begin(ctx)
	require.NoError(t, err)
	_, err = tx.Exec(ctx, `SELECT FROM itsm_record FOR UPDATE`)
	require.NoError(t, err)
	short, cancel := context.WithTimeout(ctx, 20*time.Millisecond)
	defer cancel()
	rev := enginetest.Next(r, "me")
	errs := make(chan error)
	for range 2 { // one over the connection, and one that waits for it
		go func() { errs <- store.Commit(short, rev) }()
	}
	unknown := 0
	for range 2 {
		err := <-errs
		require.ErrorIs(t, err, context.DeadlineExceeded)
		if errors.Is(err, itsm.ErrUnknown) {
			unknown++
		}
	}
	require.LessOrEqual(t, unknown, 1)
	require.NoError(t, tx.Rollback(ctx))
	require.Eventually(t, func() bool { return store.Commit(ctx, rev) == nil }, time.Minute, time.Millisecond)
	got, err := store.Load(ctx, r.ID)
	require.NoError(t, err)
	require.Equal(t, rev.Record, got)
}

// Two transactions that wait for one another: the database gives one of them up,
// which is a conflict, and nothing of it is there.
func TestDeadlock(t *testing.T) {
	ctx := t.Context()
	address := fresh(t)
	db := open(t, address, postgres.Config{})
	all := enginetest.Fill(t, postgres.NewStore[enginetest.Item](db, tickets), 2)
	var txs [2]pgx.Tx
	var stores [2]*postgres.Store[enginetest.Item]
	for i := range txs {
		tx, err := admin(t, address).Begin(ctx)
		require.NoError(t, err)
		_, err = tx.Exec(ctx, `SET LOCAL deadlock_timeout = '10ms'`)
		require.NoError(t, err)
		txs[i], stores[i] = tx, postgres.Within[enginetest.Item](tx, tickets, postgres.Config{})
		require.NoError(t, stores[i].Commit(ctx, enginetest.Next(all[i], "first")))
	}
	errs := make(chan error)
	for i := range txs {
		go func() {
			err := stores[i].Commit(ctx, enginetest.Next(all[1-i], "second"))
			errs <- errors.Join(err, txs[i].Rollback(ctx))
		}()
	}
	conflicts := 0
	for range txs {
		if err := <-errs; err != nil {
			require.ErrorIs(t, err, itsm.ErrConflict)
			conflicts++
		}
	}
	require.Positive(t, conflicts)
}

// What another store has comes here whole, and from here to another.
func TestTransfer(t *testing.T) {
	ctx := t.Context()
	from, back := memory.New[enginetest.Item](), memory.New[enginetest.Item]()
	events := 0
	for i := range 50 {
		r := enginetest.Sample(i)
		for v := range i%4 + 1 {
			enginetest.Change(&r, v)
			rev := enginetest.Next(r, "me")
			require.NoError(t, from.Commit(ctx, rev))
			r = rev.Record
			events++
		}
	}
	here := postgres.NewStore[enginetest.Item](open(t, fresh(t), postgres.Config{}), tickets)
	for _, way := range []struct {
		from transfer.Source[enginetest.Item]
		to   itsm.Store[enginetest.Item]
	}{{from, here}, {here, back}} {
		var at itsm.Cursor
		for copied := 0; copied < events; { // the server may hold the end of the feed back
			done, err := transfer.Copy(ctx, way.from, way.to, at)
			require.NoError(t, err)
			at, copied = done.Cursor, copied+done.Events
		}
	}
	want, err := from.List(ctx, itsm.Query{})
	require.NoError(t, err)
	got, err := back.List(ctx, itsm.Query{})
	require.NoError(t, err)
	require.Equal(t, want, got)
}

// No call of one tenant sees, guesses or blocks another's record, whatever the
// names and ids.
func FuzzWall(f *testing.F) {
	if server == "" {
		f.Skip(missing)
	}
	db := open(f, fresh(f), postgres.Config{})
	for _, seed := range [][3]string{
		{"", "acme", "1"}, {"acme", "acme ", "inc_1"}, {"a", "A", "' OR 1=1 --"}, {"a\x00", "a", "x\x00y"}, {"é", "e\u0301", "\xff\xfe"}, {"%", "_", "%"}, {"$1", "$2", "$3"},
	} {
		f.Add(seed[0], seed[1], seed[2])
	}
	n := 0
	f.Fuzz(func(t *testing.T, us, them, text string) {
		ok := func(text string) bool { return utf8.ValidString(text) && !strings.Contains(text, "\x00") }
		if us == them || text == "" || !ok(us) || !ok(them) || len(text) > 1000 {
			return
		}
		n++
		ctx := t.Context()
		space := func(name string) postgres.Space {
			return postgres.Space{Tenant: fmt.Sprintf("%d:%d:%s", os.Getpid(), n, name), Practice: "ticket"}
		}
		ours, theirs := postgres.NewStore[enginetest.Item](db, space(us)), postgres.NewStore[enginetest.Item](db, space(them))
		make := func(who string) itsm.Revision[enginetest.Item] {
			r := enginetest.Sample(n)
			r.ID, r.Due, r.Group = itsm.ID(text), start, who
			rev := enginetest.Next(r, "")
			rev.Events[0].ID = itsm.ID(text)
			return rev
		}
		err := ours.Commit(ctx, make("us"))
		if !ok(text) {
			require.ErrorIs(t, err, itsm.ErrInvalid)
			return
		}
		require.NoError(t, err)
		_, err = theirs.Load(ctx, itsm.ID(text))
		require.ErrorIs(t, err, itsm.ErrNotFound)
		for range theirs.Due(ctx, start) {
			t.Fatal("they are woken")
		}
		require.NoError(t, theirs.Commit(ctx, make("them")))
		for store, who := range map[*postgres.Store[enginetest.Item]]string{ours: "us", theirs: "them"} {
			r, err := store.Load(ctx, itsm.ID(text))
			require.NoError(t, err)
			require.Equal(t, make(who).Record, r)
			page, err := store.List(ctx, itsm.Query{States: []itsm.State{r.State}})
			require.NoError(t, err)
			require.Equal(t, []enginetest.Item{r}, page.Records)
			for d, err := range store.Feed(ctx, "") {
				require.NoError(t, err)
				require.Equal(t, make(who).Events[0], d.Event)
				for other := range map[*postgres.Store[enginetest.Item]]bool{ours: true, theirs: true} {
					if other != store {
						for _, err := range other.Feed(ctx, d.Cursor) {
							require.ErrorIs(t, err, itsm.ErrInvalid)
						}
					}
				}
			}
		}
	})
}
