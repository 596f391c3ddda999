package sqlite

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
)

// A Space says whose records a store keeps. What is in one space, no store of
// another sees or feels, whatever the ids.
type Space struct {
	// Tenant is the host's name for the tenant. Empty where there is one only.
	Tenant string
	// Practice is the name of the practice, such as "incident". Several share a
	// file, each in a space of its own.
	Practice string
}

// A spaceRow is a space in the tables.
type spaceRow struct {
	number int64
	mark   string
}

const (
	selectSpace = `SELECT space, mark FROM itsm_space WHERE tenant = ? AND practice = ?`
	insertSpace = `INSERT INTO itsm_space (tenant, practice, mark) VALUES (?, ?, ?)`
)

// findSpace looks a space up; its number is 0 if nothing was ever committed to
// it.
func findSpace(ctx context.Context, from reader, s Space) (found spaceRow, err error) {
	err = from.each(ctx, func(rows *sql.Rows) error { return rows.Scan(&found.number, &found.mark) }, selectSpace, s.Tenant, s.Practice)
	return found, err
}

// makeSpace looks a space up, or makes it.
func makeSpace(ctx context.Context, tx session, s Space) (spaceRow, error) {
	found, err := findSpace(ctx, tx, s)
	if err != nil || found.number != 0 {
		return found, err
	}
	var mark [6]byte
	_, _ = rand.Read(mark[:]) // never fails
	if _, err := tx.exec(ctx, insertSpace, s.Tenant, s.Practice, hex.EncodeToString(mark[:])); err != nil {
		return found, err
	}
	return findSpace(ctx, tx, s)
}
