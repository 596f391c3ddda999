package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/go-itsm/itsm"
)

// A session is a transaction, as those see it who read and write in it.
type session interface {
	exec(ctx context.Context, text string, args ...any) (changed int64, err error)
	each(ctx context.Context, row func(*sql.Rows) error, text string, args ...any) error
}

// A commit is what one call is to write. Nothing in it is the caller's any more,
// who may be gone before it is written.
type commit struct {
	space Space
	known int64 // the number of the space, 0 if not known
	revs  []revision

	answer error         // once done is closed
	done   chan struct{} // nil where nobody waits
	made   spaceRow      // the space, if it was looked up
}

// A revision is one of itsm's, in the form of the tables.
type revision struct {
	id            string
	base, version int64
	state         string
	due           sql.NullInt64
	keys          string
	body          string
	events        [][]any // arguments of insertEvent but for the space
}

// encode brings revisions that were checked into the form of the tables.
func encode[R any](revs []itsm.Revision[R]) ([]revision, error) {
	all := make([]revision, len(revs))
	for i := range revs {
		r, m := &all[i], itsm.MetaOf(&revs[i].Record)
		body, err := json.Marshal(&revs[i].Record)
		if err != nil {
			return nil, &itsm.FieldError{Field: fmt.Sprintf("revisions[%d].record", i), Reason: "has no JSON form: " + err.Error()}
		}
		*r = revision{
			id: string(m.ID), base: int64(revs[i].Base), version: int64(m.Version), state: string(m.State),
			keys: keysOf(&revs[i].Record), body: string(body), events: make([][]any, len(revs[i].Events)),
		}
		if !m.Due.IsZero() {
			r.due = sql.NullInt64{Int64: m.Due.UnixMicro(), Valid: true}
		}
		for j := range revs[i].Events {
			e := &revs[i].Events[j]
			var data any
			if e.Data != nil {
				data = string(e.Data)
			}
			r.events[j] = []any{string(e.ID), e.Practice, string(e.Record), int64(e.Version), e.Action, string(e.From), string(e.To),
				e.At.UnixMicro(), e.Actor.ID, e.Actor.Name, string(e.Cause), data}
		}
	}
	return all, nil
}

// keysOf returns the keys of a record as JSON: [["assignee","jin"]], sorted, and
// each once.
func keysOf[R any](r *R) string {
	indexed, ok := any(r).(itsm.Indexed)
	if !ok {
		return "[]"
	}
	pairs := [][2]string{}
	for _, k := range indexed.AppendKeys(nil) {
		pairs = append(pairs, [2]string{k.Field, k.Value})
	}
	slices.SortFunc(pairs, func(a, b [2]string) int { return slices.Compare(a[:], b[:]) })
	text, _ := json.Marshal(slices.Compact(pairs)) // never fails on texts
	return string(text)
}

const (
	findRecord = `SELECT number, version, state, due, keys FROM itsm_record WHERE space = ? AND id = ?`
	findEvent  = `SELECT 1 FROM itsm_event WHERE space = ? AND record = ? AND version = ? AND id = ?`

	insertRecord = `INSERT INTO itsm_record (space, id, version, state, due, keys, body) VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING number`
	updateBody   = `UPDATE itsm_record SET version = ?, body = ? WHERE space = ? AND id = ? AND version = ? AND state = ? AND due IS ? AND keys = ?`
	updateRecord = `UPDATE itsm_record SET version = ?, body = ?, state = ?, due = ?, keys = ? WHERE number = ?`

	insertKey = `INSERT INTO itsm_key (space, field, value, number) VALUES (?, ?, ?, ?)`
	deleteKey = `DELETE FROM itsm_key WHERE space = ? AND field = ? AND value = ? AND number = ?`

	insertEvent = `INSERT INTO itsm_event (space, id, practice, record, version, action, from_state, to_state, at, actor, actor_name, cause, data)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`
)

// A row is a record as it is, before a commit.
type row struct {
	number, version int64
	state, keys     string
	due             sql.NullInt64
}

// write writes the commit, and reports whether there was anything to write. After
// an error the transaction has a part of it and must be undone.
func (c *commit) write(ctx context.Context, tx session) (wrote bool, err error) {
	space := c.known
	if space == 0 {
		if c.made, err = makeSpace(ctx, tx, c.space); err != nil {
			return false, err
		}
		space = c.made.number
	}
	if len(c.revs) == 1 {
		if wrote, err := c.revs[0].writeBody(ctx, tx, space); wrote || err != nil {
			return wrote, err
		}
	}
	rows := make([]row, len(c.revs))
	resent := true
	for i := range c.revs {
		err := tx.each(ctx, func(r *sql.Rows) error {
			return r.Scan(&rows[i].number, &rows[i].version, &rows[i].state, &rows[i].due, &rows[i].keys)
		}, findRecord, space, c.revs[i].id)
		if err == nil && resent {
			resent, err = c.revs[i].isIn(ctx, tx, space, rows[i])
		}
		if err != nil {
			return false, err
		}
	}
	if resent {
		return false, nil
	}
	for i := range c.revs {
		if err := c.revs[i].check(rows[i]); err != nil {
			return false, err
		}
	}
	for i := range c.revs {
		if err := c.revs[i].write(ctx, tx, space, rows[i]); err != nil {
			return false, err
		}
	}
	return true, nil
}

// isIn reports whether the revision is in the history already.
func (r *revision) isIn(ctx context.Context, tx session, space int64, was row) (bool, error) {
	if was.version < r.version {
		return false, nil
	}
	for _, e := range r.events {
		found := false
		err := tx.each(ctx, func(*sql.Rows) error { found = true; return nil }, findEvent, space, r.id, e[3], e[0])
		if err != nil || !found {
			return false, err
		}
	}
	return true, nil
}

// check is the compare of compare-and-set.
func (r *revision) check(was row) error {
	switch {
	case r.base == 0 && was.number != 0:
		return fmt.Errorf("%w: record %s", itsm.ErrExists, r.id)
	case r.base > 0 && was.number == 0:
		return fmt.Errorf("%w: record %s is not there", itsm.ErrConflict, r.id)
	case was.version != r.base:
		return fmt.Errorf("%w: record %s is at version %d, not %d", itsm.ErrConflict, r.id, was.version, r.base)
	}
	return nil
}

func (r *revision) write(ctx context.Context, tx session, space int64, was row) (err error) {
	if was.number == 0 {
		err = tx.each(ctx, func(rows *sql.Rows) error { return rows.Scan(&was.number) },
			insertRecord, space, r.id, r.version, r.state, r.due, r.keys, r.body)
		was.keys = "[]"
	} else {
		_, err = tx.exec(ctx, updateRecord, r.version, r.body, r.state, r.due, r.keys, was.number)
	}
	if err == nil && was.keys != r.keys {
		err = r.rekey(ctx, tx, space, was)
	}
	if err != nil {
		return err
	}
	return r.remember(ctx, tx, space)
}

// writeBody does it all in the most common case, that a new version of a record
// differs in nothing that is in an index, and reports whether it was that.
func (r *revision) writeBody(ctx context.Context, tx session, space int64) (bool, error) {
	if r.base == 0 {
		return false, nil
	}
	changed, err := tx.exec(ctx, updateBody, r.version, r.body, space, r.id, r.base, r.state, r.due, r.keys)
	if err != nil || changed == 0 {
		return false, err
	}
	return true, r.remember(ctx, tx, space)
}

// remember writes the events.
func (r *revision) remember(ctx context.Context, tx session, space int64) error {
	for _, e := range r.events {
		added, err := tx.exec(ctx, insertEvent, append([]any{space}, e...)...)
		if err == nil && added == 0 {
			err = fmt.Errorf("%w: event %s, for record %s", itsm.ErrExists, e[0], r.id)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// rekey takes the keys away that a record no longer has, and adds the new ones.
func (r *revision) rekey(ctx context.Context, tx session, space int64, was row) error {
	var old, now [][2]string
	err := errors.Join(json.Unmarshal([]byte(was.keys), &old), json.Unmarshal([]byte(r.keys), &now))
	for _, k := range old {
		if err == nil && !slices.Contains(now, k) {
			_, err = tx.exec(ctx, deleteKey, space, k[0], k[1], was.number)
		}
	}
	for _, k := range now {
		if err == nil && !slices.Contains(old, k) {
			_, err = tx.exec(ctx, insertKey, space, k[0], k[1], was.number)
		}
	}
	return err
}
