package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm"
)

// Every statement that is run more than once for all time goes along an index to
// what it wants, and comes back in order without sorting more than a page.
func TestPlans(t *testing.T) {
	ctx := t.Context()
	db, err := Open(ctx, filepath.Join(t.TempDir(), "desk.db"), Config{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })

	texts := map[string]string{
		"findRecord": findRecord, "findEvent": findEvent, "updateBody": updateBody, "updateRecord": updateRecord, "deleteKey": deleteKey,
		"selectSpace": selectSpace, "loadRecord": loadRecord, "selectHistory": selectHistory, "selectFeed": selectFeed,
		"eventAt": eventAt, "lastEvent": lastEvent, "lastRecord": lastRecord, "selectDue": selectDue, "selectNextDue": selectNextDue,
	}
	state, key, other := alongState("new"), alongKey(itsm.Key{Field: "group", Value: "g"}), itsm.Key{Field: "assignee", Value: "a"}
	for name, w := range map[string]walk{
		"all": {along: []path{everything}}, "state": {along: []path{state}}, "states": {along: []path{state, alongState("open"), alongState("closed")}},
		"key": {along: []path{key}}, "keys": {along: []path{key}, keys: []itsm.Key{other, other}},
		"key and states": {along: []path{key}, states: []itsm.State{"new", "open"}}, "state and keys": {along: []path{state}, keys: []itsm.Key{other}},
		"all by states": {along: []path{everything}, states: []itsm.State{"new"}},
	} {
		texts["list: "+name], _ = w.query(0, 101)
	}
	for name, p := range map[string]path{"state": state, "key": key} {
		texts["count: "+name], _ = p.count(1, 0, 1000)
	}
	for name, text := range texts {
		var plan []string
		rows, err := db.readers.db.QueryContext(ctx, `EXPLAIN QUERY PLAN `+text, make([]any, strings.Count(text, "?"))...)
		require.NoError(t, err, name)
		require.NoError(t, drain(rows, nil, func(rows *sql.Rows) error {
			var id, parent, unused int
			var detail string
			err := rows.Scan(&id, &parent, &unused, &detail)
			plan = append(plan, detail)
			return err
		}))
		searches := 0
		for _, detail := range plan {
			switch {
			case strings.HasPrefix(detail, "SEARCH ") && (strings.Contains(detail, "INDEX") || strings.Contains(detail, "PRIMARY KEY")):
				searches++
			case strings.HasPrefix(detail, "SCAN m"), strings.HasPrefix(detail, "SCAN (subquery"), strings.HasPrefix(detail, "SCAN json_each"): // a page, or the query's own states
			case strings.HasPrefix(detail, "SCAN "), strings.Contains(detail, "TEMP B-TREE") && !strings.HasPrefix(name, "list: "):
				t.Errorf("%s: %s", name, strings.Join(plan, " | "))
			}
		}
		require.Positive(t, searches, "%s: %v", name, plan)
		t.Log(name, ": ", strings.Join(plan, " | "))
	}
}

// What is made by a newer version is left alone; what is made by an older one is
// brought on, once.
func TestMigrate(t *testing.T) {
	ctx := t.Context()
	file := filepath.Join(t.TempDir(), "desk.db")
	db, err := Open(ctx, file, Config{})
	require.NoError(t, err)
	all, err := scripts()
	require.NoError(t, err)
	newer := append(all, `CREATE TABLE itsm_more (x); INSERT INTO itsm_more VALUES (7)`)
	for range 2 {
		tx, err := db.writer.db.BeginTx(ctx, nil)
		require.NoError(t, err)
		require.NoError(t, migrate(ctx, tx, newer))
		require.NoError(t, tx.Commit())
	}
	var n int
	require.NoError(t, db.writer.db.QueryRowContext(ctx, `SELECT count(*) FROM itsm_more`).Scan(&n))
	require.Equal(t, 1, n)
	require.NoError(t, db.Close())

	_, err = Open(ctx, file, Config{})
	require.ErrorIs(t, err, ErrNewer)
	require.ErrorContains(t, err, fmt.Sprintf("version %d, this is %d", len(newer), len(all)))

	// A migration that fails leaves nothing behind.
	db, err = Open(ctx, filepath.Join(t.TempDir(), "other.db"), Config{})
	require.NoError(t, err)
	tx, err := db.writer.db.BeginTx(ctx, nil)
	require.NoError(t, err)
	require.ErrorContains(t, migrate(ctx, tx, append(all, `CREATE TABLE itsm_more (x); nonsense`)), fmt.Sprintf("migrating to version %d", len(newer)))
	require.NoError(t, tx.Rollback())
	require.Error(t, db.writer.db.QueryRowContext(ctx, `SELECT count(*) FROM itsm_more`).Scan(&n))
	require.NoError(t, db.Close())
}

// Who may choose the states of a list does not fill the memory with statements.
func TestPreparedAreFew(t *testing.T) {
	ctx := context.Background()
	db, err := Open(ctx, filepath.Join(t.TempDir(), "desk.db"), Config{})
	require.NoError(t, err)
	for n := range 2 * maxPrepared {
		text := fmt.Sprintf("SELECT %d", n)
		require.NoError(t, db.readers.each(ctx, func(rows *sql.Rows) error {
			var got int
			err := rows.Scan(&got)
			require.Equal(t, n, got)
			return err
		}, text))
	}
	kept := 0
	db.readers.prepared.Range(func(any, any) bool { kept++; return true })
	require.Equal(t, maxPrepared, kept)
	require.Error(t, db.readers.each(ctx, nil, `nonsense`))
	require.NoError(t, db.Close())
}
