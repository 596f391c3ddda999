package sqlite

import (
	"context"
	"database/sql"
	"iter"
	"math"
	"time"

	"github.com/go-itsm/itsm"
)

const (
	selectDue = `SELECT number, id, due FROM itsm_record INDEXED BY itsm_record_due
		WHERE space = ? AND due IS NOT NULL AND due <= ? AND (due, number) > (?, ?) ORDER BY due, number LIMIT ?`
	selectNextDue = `SELECT due FROM itsm_record INDEXED BY itsm_record_due
		WHERE space = ? AND due IS NOT NULL AND due > ? ORDER BY due LIMIT 1`
)

// Due yields the records that are due, to every caller: without a lease, because
// those who share a file are few, and the commit lets one of them have each due
// action.
//
// Errors: [ErrClosed]; the context's and the database's.
func (s *Store[R]) Due(ctx context.Context, now time.Time) iter.Seq2[itsm.Wake, error] {
	return func(yield func(itsm.Wake, error) bool) {
		space, err := s.find(ctx)
		var part []itsm.Wake
		due, number := int64(math.MinInt64), int64(0)
		for more := err == nil; more; {
			part = part[:0]
			err = s.each(ctx, func(rows *sql.Rows) error {
				var w itsm.Wake
				err := rows.Scan(&number, &w.ID, &due)
				w.Due = time.UnixMicro(due).UTC()
				part = append(part, w)
				return err
			}, selectDue, space.number, now.UnixMicro(), due, number, partSize)
			for _, w := range part {
				if !yield(w, nil) {
					return
				}
			}
			more = err == nil && len(part) == partSize
		}
		if err != nil {
			yield(itsm.Wake{}, err)
		}
	}
}

// NextDue returns the earliest due time after a moment, zero if there is none.
//
// Errors: [ErrClosed]; the context's and the database's.
func (s *Store[R]) NextDue(ctx context.Context, after time.Time) (next time.Time, err error) {
	space, err := s.find(ctx)
	if err != nil {
		return next, err
	}
	err = s.each(ctx, func(rows *sql.Rows) error {
		var due int64
		err := rows.Scan(&due)
		next = time.UnixMicro(due).UTC()
		return err
	}, selectNextDue, space.number, after.UnixMicro())
	return next, err
}
