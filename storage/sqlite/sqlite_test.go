package sqlite_test

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/storage/enginetest"
	"github.com/go-itsm/itsm/storage/memory"
	"github.com/go-itsm/itsm/storage/sqlite"
	"github.com/go-itsm/itsm/storage/storagetest"
	"github.com/go-itsm/itsm/storage/transfer"
)

var (
	tickets = sqlite.Space{Practice: "ticket"}
	start   = time.Date(2026, 1, 5, 8, 0, 0, 0, time.UTC)
	states  = []itsm.State{"new", "open", "closed"}
)

func open(tb testing.TB, file string, cfg sqlite.Config) *sqlite.DB {
	tb.Helper()
	db, err := sqlite.Open(tb.Context(), file, cfg)
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, db.Close()) })
	return db
}

func temp(tb testing.TB) string { return filepath.Join(tb.TempDir(), "desk.db") }

// Every rule, over two handles of a file, with another tenant in the same file.
func TestStore(t *testing.T) {
	storagetest.Test(t, enginetest.Harness(func(ctx context.Context) (storagetest.Backend[enginetest.Item], error) {
		file := temp(t)
		db, err := sqlite.Open(ctx, file, sqlite.Config{})
		if err != nil {
			return storagetest.Backend[enginetest.Item]{}, err
		}
		other, err := sqlite.Open(ctx, file, sqlite.Config{})
		if err != nil {
			return storagetest.Backend[enginetest.Item]{}, errors.Join(err, db.Close())
		}
		acme := sqlite.Space{Tenant: "acme", Practice: "ticket"}
		return storagetest.Backend[enginetest.Item]{
			Store: sqlite.NewStore[enginetest.Item](db, acme),
			Other: sqlite.NewStore[enginetest.Item](other, acme),
			Wall:  sqlite.NewStore[enginetest.Item](db, sqlite.Space{Tenant: "globex", Practice: "ticket"}),
			Close: func() error { return errors.Join(other.Close(), db.Close()) },
		}, nil
	}))
}

// What is committed within a transaction of the host's own is there for the
// transaction, and stands or falls with it, whatever was refused in it.
func TestWithin(t *testing.T) {
	ctx := t.Context()
	file := temp(t)
	host, err := sql.Open("sqlite", file+"?_txlock=immediate&_pragma=journal_mode(WAL)&_pragma=foreign_keys(1)")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, host.Close()) })
	begin := func() *sql.Tx {
		tx, err := host.BeginTx(ctx, nil)
		require.NoError(t, err)
		return tx
	}
	tx := begin()
	require.NoError(t, sqlite.Migrate(ctx, tx))
	require.NoError(t, tx.Commit())

	one, two := enginetest.Next(enginetest.Sample(1), "me"), enginetest.Next(enginetest.Sample(2), "me")
	taken := enginetest.Next(enginetest.Sample(3), "me")
	taken.Events[0].ID = one.Events[0].ID
	for _, end := range []func(*sql.Tx) error{(*sql.Tx).Rollback, (*sql.Tx).Commit} {
		tx := begin()
		store := sqlite.Within[enginetest.Item](tx, tickets)
		_, err := store.Load(ctx, one.Record.ID)
		require.ErrorIs(t, err, itsm.ErrNotFound)
		require.NoError(t, store.Commit(ctx, one))
		require.NoError(t, store.Commit(ctx, one), "sent again")
		require.ErrorIs(t, store.Commit(ctx, two, taken), itsm.ErrExists)
		_, err = store.Load(ctx, two.Record.ID)
		require.ErrorIs(t, err, itsm.ErrNotFound, "refused with the other")
		now, err := store.Load(ctx, one.Record.ID)
		require.NoError(t, err)
		require.Equal(t, one.Record, now)
		for range store.Feed(ctx, "") {
			require.NoError(t, store.Commit(ctx, two), "while it is read")
		}
		late, cancel := context.WithCancel(ctx)
		cancel()
		require.ErrorIs(t, store.Commit(late, enginetest.Next(enginetest.Sample(4), "me")), context.Canceled)
		require.NoError(t, end(tx))
		require.Error(t, store.Commit(ctx, taken), "the transaction has ended")
	}
	// And beside it, what the adapter has opened itself.
	store := sqlite.NewStore[enginetest.Item](open(t, file, sqlite.Config{}), tickets)
	page, err := store.List(ctx, itsm.Query{})
	require.NoError(t, err)
	require.Equal(t, []enginetest.Item{one.Record, two.Record}, page.Records)
}

// Every rule holds within a transaction too, but for what needs two at a time.
func TestWithinKeepsTheRules(t *testing.T) {
	h := enginetest.Harness(func(ctx context.Context) (storagetest.Backend[enginetest.Item], error) {
		host, err := sql.Open("sqlite", temp(t)+"?_txlock=immediate")
		if err != nil {
			return storagetest.Backend[enginetest.Item]{}, err
		}
		tx, err := host.BeginTx(ctx, nil)
		if err != nil {
			return storagetest.Backend[enginetest.Item]{}, err
		}
		return storagetest.Backend[enginetest.Item]{
			Store: sqlite.Within[enginetest.Item](tx, tickets),
			Wall:  sqlite.Within[enginetest.Item](tx, sqlite.Space{Tenant: "globex", Practice: "ticket"}),
			Close: func() error { return errors.Join(tx.Rollback(), host.Close()) },
		}, sqlite.Migrate(ctx, tx)
	})
	oneAtATime := []string{"LostUpdate", "ResendRace", "Half", "Concurrent", "FeedBehind"}
	for _, f := range storagetest.Check(t.Context(), h) {
		if !slices.Contains(oneAtATime, f.Rule.Name) {
			t.Error(f)
		}
	}
}

// Close waits for what is under way, and what comes later is told so.
func TestClose(t *testing.T) {
	ctx := t.Context()
	file := temp(t)
	db := open(t, file, sqlite.Config{})
	store := sqlite.NewStore[enginetest.Item](db, tickets)
	enginetest.Fill(t, store, 1200)
	release := lock(t, file)
	var group sync.WaitGroup
	begun := make(chan struct{})
	group.Go(func() {
		close(begun)
		err := store.Commit(ctx, enginetest.Next(enginetest.Sample(5000), "me"))
		if err != nil { // it came after Close
			require.ErrorIs(t, err, sqlite.ErrClosed)
		}
	})
	<-begun
	group.Go(func() { release() })
	read := 0
	for _, err := range store.Feed(ctx, "") {
		if read++; read == 10 {
			require.NoError(t, db.Close())
		}
		if read > 500 { // what had been read before is given all the same
			require.ErrorIs(t, err, sqlite.ErrClosed)
		}
	}
	require.Equal(t, 501, read)
	group.Wait()
	require.NoError(t, db.Close(), "again")
	_, err := store.Load(ctx, "x")
	require.ErrorIs(t, err, sqlite.ErrClosed)
	_, err = store.List(ctx, itsm.Query{})
	require.ErrorIs(t, err, sqlite.ErrClosed)
	_, err = store.NextDue(ctx, start)
	require.ErrorIs(t, err, sqlite.ErrClosed)
	for _, err := range store.Due(ctx, start) {
		require.ErrorIs(t, err, sqlite.ErrClosed)
	}
	for _, err := range store.Events(ctx, "x", 0) {
		require.ErrorIs(t, err, sqlite.ErrClosed)
	}
	require.ErrorIs(t, store.Commit(ctx, enginetest.Next(enginetest.Sample(1), "me")), sqlite.ErrClosed)
	require.ErrorIs(t, db.Health(ctx), sqlite.ErrClosed)
	require.ErrorIs(t, db.Backup(ctx, file+".copy"), sqlite.ErrClosed)
}

// Who waits for another process can give up, having done nothing, and those who
// wait behind go on; who does not is told after a while.
func TestBusy(t *testing.T) {
	ctx := t.Context()
	file := temp(t)
	var log bytes.Buffer
	db := open(t, file, sqlite.Config{BusyTimeout: 50 * time.Millisecond, Slow: time.Nanosecond, Log: slog.New(slog.NewTextHandler(&log, nil))})
	store := sqlite.NewStore[enginetest.Item](db, tickets)
	release := lock(t, file)
	require.ErrorContains(t, store.Commit(ctx, enginetest.Next(enginetest.Sample(1), "me")), "locked")
	require.ErrorContains(t, db.Health(ctx), "locked")
	require.Contains(t, log.String(), `msg="slow commit" practice=ticket tenant="" record=tck_00000000000000000000000001 revisions=1`)
	short, cancel := context.WithTimeout(ctx, time.Millisecond)
	defer cancel()
	for _, err := range together(func(i int) error { return store.Commit(short, enginetest.Next(enginetest.Sample(i), "me")) }, 4) {
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.NotErrorIs(t, err, itsm.ErrUnknown)
	}
	release()
	require.NoError(t, db.Health(ctx))
	page, err := store.List(ctx, itsm.Query{})
	require.NoError(t, err)
	require.Empty(t, page.Records)

	patient := sqlite.NewStore[enginetest.Item](open(t, file, sqlite.Config{Slow: -1}), tickets)
	release = lock(t, file)
	giveUp, cancel := context.WithCancel(ctx)
	errs := together(func(i int) error {
		switch i {
		case 0:
			return patient.Commit(giveUp, enginetest.Next(enginetest.Sample(0), "me"))
		case 1:
			return patient.Commit(ctx, enginetest.Next(enginetest.Sample(1), "me"))
		}
		cancel()
		release()
		return nil
	}, 3)
	require.NoError(t, errs[1])
	if errs[0] != nil { // or it was as fast as that
		require.ErrorIs(t, errs[0], context.Canceled)
	}
}

// A copy is whole while commits go on, and cursors that are further than a copy
// are refused rather than skipping what comes in their place.
func TestBackup(t *testing.T) {
	ctx := t.Context()
	file := temp(t)
	db := open(t, file, sqlite.Config{})
	store := sqlite.NewStore[enginetest.Item](db, tickets)
	all := enginetest.Fill(t, store, 100)
	copied := file + ".copy"
	require.NoError(t, db.Backup(ctx, copied))
	require.ErrorIs(t, db.Backup(ctx, copied), fs.ErrExist)
	require.Error(t, db.Backup(ctx, filepath.Join(file, "nowhere")))
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	require.ErrorIs(t, db.Backup(cancelled, file+".2"), context.Canceled)
	require.NoFileExists(t, file+".2")
	var cursors [2]itsm.Cursor // the last in the copy, and one later
	for d, err := range store.Feed(ctx, "") {
		require.NoError(t, err)
		cursors[0] = d.Cursor
	}
	require.NoError(t, store.Commit(ctx, enginetest.Next(all[0], "later")))
	for d, err := range store.Feed(ctx, cursors[0]) {
		require.NoError(t, err)
		cursors[1] = d.Cursor
	}
	info, err := os.Stat(copied)
	require.NoError(t, err)
	require.Equal(t, fs.FileMode(0o600), info.Mode().Perm())

	restored := sqlite.NewStore[enginetest.Item](open(t, copied, sqlite.Config{}), tickets)
	refused := func(why string) {
		for _, err := range restored.Feed(ctx, cursors[1]) {
			require.ErrorIs(t, err, itsm.ErrInvalid, why)
		}
	}
	page, err := restored.List(ctx, itsm.Query{Limit: 1000})
	require.NoError(t, err)
	require.Equal(t, all, page.Records)
	for range restored.Feed(ctx, cursors[0]) {
		t.Error("there is nothing after the last event")
	}
	refused("there is nothing as far as that")
	for i := range 3 {
		require.NoError(t, restored.Commit(ctx, enginetest.Next(all[i], "after the restore")))
	}
	refused("there is something else in its place")
	other := sqlite.NewStore[enginetest.Item](open(t, temp(t), sqlite.Config{}), tickets)
	enginetest.Fill(t, other, 1000)
	for _, err := range other.Feed(ctx, cursors[0]) {
		require.ErrorIs(t, err, itsm.ErrInvalid, "another file's")
	}
}

// What is long is read in parts, and all of it.
func TestParts(t *testing.T) {
	ctx := t.Context()
	store := sqlite.NewStore[enginetest.Item](open(t, temp(t), sqlite.Config{}), tickets)
	const n = 1700
	due := start
	var revs []itsm.Revision[enginetest.Item]
	for i := range n {
		r := enginetest.Sample(i)
		r.Due = due.Add(time.Duration(i/7) * time.Second) // several at the same time
		revs = append(revs, enginetest.Next(r, "fill"))
	}
	// One record with a long history, and one with large events.
	long, large := enginetest.Sample(n), enginetest.Sample(n+1)
	many := itsm.Revision[enginetest.Item]{Record: long}
	for range n {
		rev := enginetest.Next(many.Record, "long")
		many.Record, many.Events = rev.Record, append(many.Events, rev.Events...)
	}
	require.NoError(t, store.Commit(ctx, many))
	require.NoError(t, store.Commit(ctx, revs...))
	for range 40 {
		rev := enginetest.Next(large, "large")
		rev.Events[0].Data = json.RawMessage(`"` + strings.Repeat("x", 100<<10) + `"`)
		require.NoError(t, store.Commit(ctx, rev))
		large = rev.Record
	}
	count := func(seq iter.Seq2[itsm.Event, error]) (got int) {
		for e, err := range seq {
			require.NoError(t, err)
			got++
			require.EqualValues(t, got, e.Version)
		}
		return got
	}
	require.Equal(t, n, count(store.Events(ctx, long.ID, 0)))
	require.Equal(t, 40, count(store.Events(ctx, large.ID, 0)))
	got := 0
	for _, err := range store.Feed(ctx, "") {
		require.NoError(t, err)
		got++
	}
	require.Equal(t, n+n+40, got)
	got = 0
	seen := map[itsm.ID]bool{}
	for w, err := range store.Due(ctx, start.AddDate(1, 0, 0)) {
		require.NoError(t, err)
		require.Equal(t, due.Add(time.Duration(got/7)*time.Second), w.Due)
		got++
		seen[w.ID] = true
	}
	require.Equal(t, n, got)
	require.Len(t, seen, n)
}

// A list of very many states, or of the same one many times, is a list.
func TestManyStates(t *testing.T) {
	ctx := t.Context()
	store := sqlite.NewStore[enginetest.Item](open(t, temp(t), sqlite.Config{}), tickets)
	all := enginetest.Fill(t, store, 30)
	var many []itsm.State
	for i := range 1000 {
		many = append(many, itsm.State(fmt.Sprint("state", i)), "open")
	}
	var keys []itsm.Key
	for i := range 200 {
		keys = append(keys, itsm.Key{Field: "group", Value: fmt.Sprint("g", i)})
	}
	page, err := store.List(ctx, itsm.Query{Where: keys})
	require.NoError(t, err)
	require.Empty(t, page.Records)
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

// What a host is told of the transactions that write.
func TestBatch(t *testing.T) {
	ctx := t.Context()
	var told []string
	now := start
	db := open(t, temp(t), sqlite.Config{Now: func() time.Time { now = now.Add(time.Second); return now }, Slow: -1,
		Batch: func(commits int, took time.Duration, err error) {
			told = append(told, fmt.Sprintf("%d in %v: %v", commits, took, err))
		}})
	store := sqlite.NewStore[enginetest.Item](db, tickets)
	require.NoError(t, store.Commit(ctx, enginetest.Next(enginetest.Sample(1), "me")))
	require.ErrorIs(t, store.Commit(ctx, enginetest.Next(enginetest.Sample(1), "you")), itsm.ErrExists, "which is no failure of the transaction")
	require.Equal(t, []string{"1 in 1s: <nil>", "1 in 1s: <nil>"}, told)
}

// What cannot be kept is refused, and what was broken by others is not taken for
// something else.
func TestRefused(t *testing.T) {
	ctx := t.Context()
	type wrong struct {
		itsm.Meta
		F func()
	}
	require.Panics(t, func() { sqlite.NewStore[string](nil, tickets) })
	require.Panics(t, func() { sqlite.Within[string](nil, tickets) })
	file := temp(t)
	db := open(t, file, sqlite.Config{})
	w := wrong{}
	w.ID, w.Version = "x", 1
	err := sqlite.NewStore[wrong](db, tickets).Commit(ctx, itsm.Revision[wrong]{Record: w, Events: []itsm.Event{{ID: "e", Record: "x", Version: 1}}})
	require.ErrorIs(t, err, itsm.ErrInvalid)
	require.ErrorContains(t, err, "revisions[0].record has no JSON form")

	store := sqlite.NewStore[enginetest.Item](db, tickets)
	enginetest.Fill(t, store, 1)
	raw, err := sql.Open("sqlite", file)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, raw.Close()) })
	_, err = raw.ExecContext(ctx, `UPDATE itsm_record SET body = '{'`)
	require.NoError(t, err)
	_, err = store.Load(ctx, enginetest.Sample(0).ID)
	require.ErrorContains(t, err, "record "+string(enginetest.Sample(0).ID))
	_, err = store.List(ctx, itsm.Query{})
	require.ErrorContains(t, err, "record "+string(enginetest.Sample(0).ID))
	for _, q := range []itsm.Query{{States: states}, {Where: []itsm.Key{{Field: "a"}, {Field: "b"}}}} {
		_, err = raw.ExecContext(ctx, `DROP TABLE IF EXISTS itsm_key; DROP INDEX IF EXISTS itsm_record_state`)
		require.NoError(t, err)
		_, err = store.List(ctx, q)
		require.Error(t, err)
	}
	_, err = raw.ExecContext(ctx, `DROP TABLE itsm_event; DROP INDEX itsm_record_due`)
	require.NoError(t, err)
	for _, err := range store.Feed(ctx, "") {
		require.ErrorContains(t, err, "no such table")
	}
	for _, err := range store.Due(ctx, start) {
		require.ErrorContains(t, err, "no such index")
	}
	require.Error(t, store.Commit(ctx, enginetest.Next(enginetest.Sample(1), "me")))
}

// What is no database, or no place for one, is not opened, nor harmed.
func TestOpenRefuses(t *testing.T) {
	ctx := t.Context()
	file := temp(t)
	require.NoError(t, os.WriteFile(file, []byte(strings.Repeat("this is a letter, ", 100)), 0o600))
	_, err := sqlite.Open(ctx, file, sqlite.Config{})
	require.ErrorContains(t, err, "not a database")
	_, err = sqlite.Open(ctx, filepath.Join(file, "desk.db"), sqlite.Config{})
	require.Error(t, err)
	_, err = sqlite.Open(ctx, temp(t), sqlite.Config{Driver: "no such driver"})
	require.Error(t, err)
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	_, err = sqlite.Open(cancelled, temp(t), sqlite.Config{})
	require.ErrorIs(t, err, context.Canceled)
	// Any name will do.
	for _, name := range []string{"a b?c#d%20é.db", "x&_pragma=query_only(1).db"} {
		name = filepath.Join(t.TempDir(), name)
		require.NoError(t, sqlite.NewStore[enginetest.Item](open(t, name, sqlite.Config{Relaxed: true, Readers: 1}), tickets).Commit(ctx, enginetest.Next(enginetest.Sample(1), "me")))
		info, err := os.Stat(name)
		require.NoError(t, err)
		require.Equal(t, fs.FileMode(0o600), info.Mode().Perm())
	}
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
	here := sqlite.NewStore[enginetest.Item](open(t, temp(t), sqlite.Config{}), tickets)
	for _, way := range []struct {
		from transfer.Source[enginetest.Item]
		to   itsm.Store[enginetest.Item]
	}{{from, here}, {here, back}} {
		done, err := transfer.Copy(ctx, way.from, way.to, "")
		require.NoError(t, err)
		require.Equal(t, transfer.Progress{Cursor: done.Cursor, Records: 50, Events: events}, done)
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
	db, err := sqlite.Open(f.Context(), filepath.Join(f.TempDir(), "desk.db"), sqlite.Config{Relaxed: true})
	require.NoError(f, err)
	f.Cleanup(func() { require.NoError(f, db.Close()) })
	for _, seed := range [][3]string{
		{"", "acme", "1"}, {"acme", "acme ", "inc_1"}, {"a", "A", "' OR 1=1 --"}, {"a\x00", "a", "x\x00y"}, {"é", "e\u0301", "\xff\xfe"}, {"%", "_", "%"},
	} {
		f.Add(seed[0], seed[1], seed[2])
	}
	n := 0
	f.Fuzz(func(t *testing.T, us, them, text string) {
		if us == them || text == "" {
			return
		}
		n++
		ctx := t.Context()
		space := func(name string) sqlite.Space {
			return sqlite.Space{Tenant: fmt.Sprintf("%d:%s", n, name), Practice: "ticket"}
		}
		ours, theirs := sqlite.NewStore[enginetest.Item](db, space(us)), sqlite.NewStore[enginetest.Item](db, space(them))
		make := func(who string) itsm.Revision[enginetest.Item] {
			r := enginetest.Sample(n)
			r.ID, r.Due, r.Group = itsm.ID(text), start, who
			rev := enginetest.Next(r, "")
			rev.Events[0].ID = itsm.ID(text)
			return rev
		}
		require.NoError(t, ours.Commit(ctx, make("us")))
		_, err := theirs.Load(ctx, itsm.ID(text))
		require.ErrorIs(t, err, itsm.ErrNotFound)
		for range theirs.Feed(ctx, "") {
			t.Fatal("they see an event")
		}
		for range theirs.Due(ctx, start) {
			t.Fatal("they are woken")
		}
		require.NoError(t, theirs.Commit(ctx, make("them")))
		for store, who := range map[*sqlite.Store[enginetest.Item]]string{ours: "us", theirs: "them"} {
			r, err := store.Load(ctx, itsm.ID(text))
			require.NoError(t, err)
			require.Equal(t, make(who).Record, r)
			page, err := store.List(ctx, itsm.Query{States: []itsm.State{r.State}})
			require.NoError(t, err)
			require.Equal(t, []enginetest.Item{r}, page.Records)
			var cursor itsm.Cursor
			for d, err := range store.Feed(ctx, "") {
				require.NoError(t, err)
				require.Equal(t, make(who).Events[0], d.Event)
				cursor = d.Cursor
			}
			for other := range map[*sqlite.Store[enginetest.Item]]bool{ours: true, theirs: true} {
				if other != store {
					for _, err := range other.Feed(ctx, cursor) {
						require.ErrorIs(t, err, itsm.ErrInvalid)
					}
				}
			}
		}
	})
}
