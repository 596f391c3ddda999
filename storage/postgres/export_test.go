package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/go-itsm/itsm"
)

// Statement returns what is sent for a commit, for those who send it without a store.
func Statement[R any](space Space, rev itsm.Revision[R]) (text string, args []any) {
	all, err := encode([]itsm.Revision[R]{rev})
	if err != nil {
		panic(err)
	}
	s := all[0].statement(space, false)
	return s.text, s.args
}

// A Sent is a statement and arguments of the usual kind.
type Sent struct {
	Text string
	Args []any
}

// Statements returns all statements that stores send, but for those of Statement.
func Statements(space Space, id string, at, due any) map[string]Sent {
	all := map[string]Sent{}
	add := func(name, text string, args ...any) {
		s := space.statement(text, args...)
		all[name] = Sent{s.text, s.args}
	}
	add("load", loadRecord, id)
	add("lock", lockRecords, []string{id, "x"})
	add("version", selectVersion, id)
	add("count events", countEvents, id, []string{"x"}, []int64{1})
	add("events by id", selectEvents, []string{"x", "y"})
	add("history", selectHistory, id, 1, partSize)
	add("feed", selectFeed, at, 0, 1<<40, partSize)
	add("horizon", horizon, at, 1)
	add("due", claimDue, due, 1000, claims, due, "x")
	add("next due", selectNextDue, due)
	state, key := alongState("new"), alongKey(keyOf(itsm.Key{Field: "group", Value: "g4"}))
	keys := []string{keyOf(itsm.Key{Field: "assignee", Value: "a4"}), keyOf(itsm.Key{Field: "caller", Value: "c4"})}
	for name, w := range map[string]walk{
		"all": {along: []path{everything}}, "state": {along: []path{state}}, "states": {along: []path{state, alongState("open"), alongState("closed")}},
		"key": {along: []path{key}}, "keys": {along: []path{key}, keys: keys},
		"key and states": {along: []path{key}, states: []string{"new", "open"}}, "state and keys": {along: []path{state}, keys: keys},
	} {
		text, args := w.query(id, 101)
		add("list by "+name, text, args...)
	}
	for name, p := range map[string]path{"state": state, "key": key} {
		text, args := p.count(id, 1000)
		add("count by "+name, text, args...)
	}
	return all
}

// MigrateWith migrates with scripts after those that there are.
func MigrateWith(ctx context.Context, tx pgx.Tx, more ...string) error {
	all, err := scripts()
	if err != nil {
		return err
	}
	return migrate(ctx, tx, append(all, more...))
}

// Address returns how a database is reached.
func (db *DB) Address() string { return db.pool.Config().ConnString() }
