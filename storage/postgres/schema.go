package postgres

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"github.com/jackc/pgx/v5"
)

// The schema is made by the scripts in their order; each leads to the version
// that is its number. A script that was released is never changed.
//
//go:embed schema/*.sql
var schema embed.FS

// scripts returns them, the one that leads to version 1 first.
func scripts() ([]string, error) {
	names, err := fs.Glob(schema, "schema/*.sql")
	var all []string
	for _, name := range names { // sorted
		text, failed := schema.ReadFile(name)
		err = errors.Join(err, failed)
		all = append(all, string(text))
	}
	return all, err
}

// migrating is the advisory lock that lets one host migrate at a time.
const migrating = 0x6974736d // "itsm"

// Migrate brings the tables of this package, in the schema that is first in the
// search path, to the version that it needs: it makes them where there are none.
// All their names begin with "itsm_". [Open] does it by itself; it is for hosts
// that migrate with a user of its own, and set [Config].NoMigration.
//
// Where the tables have come from another server as a dump, whose transaction
// numbers mean nothing here, it gives the events new places in the feed, in the
// same order. Cursors from before are then refused.
//
// Errors: [ErrNewer], having changed nothing; the database's.
func Migrate(ctx context.Context, tx pgx.Tx) error {
	all, err := scripts()
	if err != nil {
		return err
	}
	return migrate(ctx, tx, all)
}

func migrate(ctx context.Context, tx pgx.Tx, all []string) error {
	if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock($1)`, migrating); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `CREATE TABLE IF NOT EXISTS itsm_schema (version bigint PRIMARY KEY)`); err != nil {
		return err
	}
	version, err := versionOf(ctx, tx, len(all))
	if err != nil {
		return err
	}
	for ; version < len(all); version++ {
		if _, err := tx.Exec(ctx, all[version]); err != nil {
			return fmt.Errorf("migrating to version %d: %w", version+1, err)
		}
		if _, err := tx.Exec(ctx, `INSERT INTO itsm_schema (version) VALUES ($1)`, version+1); err != nil {
			return err
		}
	}
	return settle(ctx, tx)
}

// versionOf returns the version of the tables, which must not be newer than the
// latest that is known.
func versionOf(ctx context.Context, tx interface {
	QueryRow(ctx context.Context, text string, args ...any) pgx.Row
}, latest int) (version int, err error) {
	err = tx.QueryRow(ctx, `SELECT coalesce(max(version), 0) FROM itsm_schema`).Scan(&version)
	if err == nil && version > latest {
		err = fmt.Errorf("%w: version %d, this is %d", ErrNewer, version, latest)
	}
	return version, err
}

// server names the server's cluster, which is where the numbers of transactions
// mean something.
const server = `(SELECT system_identifier::text FROM pg_control_system())`

// settle gives events whose transactions are yet to come here, because they were
// another server's, places before all that are to come.
func settle(ctx context.Context, tx pgx.Tx) error {
	var here bool
	err := tx.QueryRow(ctx, `SELECT count(*) = 1 FROM itsm_server WHERE id = `+server).Scan(&here)
	if err != nil || here {
		return err
	}
	var secure bool
	if err := tx.QueryRow(ctx, `SELECT relforcerowsecurity FROM pg_class WHERE oid = 'itsm_event'::regclass`).Scan(&secure); err != nil {
		return err
	}
	texts := []string{
		`LOCK TABLE itsm_event, itsm_record`,
		`UPDATE itsm_event AS e SET xid = '0', position = o.place
			FROM (SELECT tenant, practice, id, row_number() OVER (ORDER BY xid, position) AS place FROM itsm_event) AS o
			WHERE e.tenant = o.tenant AND e.practice = o.practice AND e.id = o.id
			AND EXISTS (SELECT FROM itsm_event WHERE xid >= pg_snapshot_xmax(pg_current_snapshot()))`,
		`UPDATE itsm_record SET xid = '0' WHERE xid >= pg_snapshot_xmax(pg_current_snapshot())`,
		`DELETE FROM itsm_server`,
		`INSERT INTO itsm_server (id) VALUES (` + server + `)`,
	}
	if secure { // the wall is not for who moves all of it
		texts = slices.Concat([]string{
			`ALTER TABLE itsm_event NO FORCE ROW LEVEL SECURITY`, `ALTER TABLE itsm_record NO FORCE ROW LEVEL SECURITY`,
		}, texts, []string{
			`ALTER TABLE itsm_event FORCE ROW LEVEL SECURITY`, `ALTER TABLE itsm_record FORCE ROW LEVEL SECURITY`,
		})
	}
	for _, text := range texts {
		if _, err := tx.Exec(ctx, text); err != nil {
			return fmt.Errorf("settling on this server: %w", err)
		}
	}
	return nil
}

// RowSecurity lets the database itself hold the wall between tenants, for the
// owner of the tables too: a session sees the rows of the tenant that it names, as
// stores do if [Config].RowSecurity is set, and none if it names none. Superusers
// and roles with BYPASSRLS see all, and should not be what a program connects as.
//
// Errors: the database's.
func RowSecurity(ctx context.Context, tx pgx.Tx, on bool) error {
	how := [2]string{`DISABLE`, `NO FORCE`}
	if on {
		how = [2]string{`ENABLE`, `FORCE`}
	}
	for _, table := range []string{`itsm_record`, `itsm_key`, `itsm_event`} {
		if _, err := tx.Exec(ctx, `ALTER TABLE `+table+` `+how[0]+` ROW LEVEL SECURITY, `+how[1]+` ROW LEVEL SECURITY`); err != nil {
			return err
		}
	}
	return nil
}
