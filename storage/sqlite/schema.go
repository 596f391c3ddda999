package sqlite

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
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

// Migrate brings the tables of this package in a database to the version that
// it needs, within a transaction of the host's: it makes them where there are
// none. All their names begin with "itsm_". [Open] does it by itself; it is for
// hosts that keep the tables in a database of their own and use [Within].
//
// Errors: [ErrNewer], having changed nothing; the database's.
func Migrate(ctx context.Context, tx *sql.Tx) error {
	all, err := scripts()
	if err != nil {
		return err
	}
	return migrate(ctx, tx, all)
}

func migrate(ctx context.Context, tx *sql.Tx, all []string) error {
	if _, err := tx.ExecContext(ctx, `CREATE TABLE IF NOT EXISTS itsm_schema (version INTEGER NOT NULL) STRICT`); err != nil {
		return err
	}
	version := 0
	if err := tx.QueryRowContext(ctx, `SELECT coalesce(max(version), 0) FROM itsm_schema`).Scan(&version); err != nil {
		return err
	}
	if version > len(all) {
		return fmt.Errorf("%w: version %d, this is %d", ErrNewer, version, len(all))
	}
	for ; version < len(all); version++ {
		if _, err := tx.ExecContext(ctx, all[version]); err != nil {
			return fmt.Errorf("migrating to version %d: %w", version+1, err)
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO itsm_schema (version) VALUES (?)`, version+1); err != nil {
			return err
		}
	}
	return nil
}
