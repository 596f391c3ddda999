package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"slices"
	"strings"

	"github.com/go-itsm/itsm"
)

const lastRecord = `SELECT coalesce(max(number), 0) FROM itsm_record INDEXED BY itsm_record_all WHERE space = ?`

// List returns the records that match, in the order of their creation. It walks
// along the index of whatever is rarest, a key or the states, and looks up the
// rest for each record there.
//
// Errors: [itsm.ErrInvalid] for a cursor that was not made here, or is further
// than the store; [ErrClosed]; the context's and the database's.
func (s *Store[R]) List(ctx context.Context, q itsm.Query) (page itsm.Page[R], err error) {
	space, last, err := s.extent(ctx, lastRecord)
	if err != nil {
		return page, err
	}
	after, err := position("list", space, q.After, last)
	if err != nil {
		return page, err
	}
	w, err := s.plan(ctx, space.number, q, after)
	if err != nil {
		return page, err
	}
	text, args := w.query(after, q.Size()+1) // one more says whether there is another page
	var number int64
	err = s.each(ctx, func(rows *sql.Rows) error {
		if len(page.Records) == q.Size() {
			page.Next = cursor("list", space, number)
			return errEnough
		}
		var id itsm.ID
		var body sql.RawBytes
		if err := rows.Scan(&number, &id, &body); err != nil {
			return err
		}
		page.Records = append(page.Records, *new(R))
		return decode(body, id, &page.Records[len(page.Records)-1])
	}, text, args...)
	if err != nil {
		return itsm.Page[R]{}, err
	}
	return page, nil
}

// A walk is the way through a list: along an index, or several at once, and past
// what does not match.
type walk struct {
	space  int64
	along  []path
	states []itsm.State // to look up; nil for any
	keys   []itsm.Key   // to look up
}

// A path is one stretch of an index, in the order of the records' numbers.
type path struct {
	from  string // a table, by its index
	where string // what is there equal, besides the space
	args  []any
}

var everything = path{from: `itsm_record AS n INDEXED BY itsm_record_all`}

func alongState(state itsm.State) path {
	return path{`itsm_record AS n INDEXED BY itsm_record_state`, ` AND state = ?`, []any{string(state)}}
}

func alongKey(key itsm.Key) path {
	return path{`itsm_key AS n`, ` AND field = ? AND value = ?`, []any{key.Field, key.Value}}
}

const (
	// maxPaths is how many states are walked along at once. More than that are
	// looked up.
	maxPaths = 32
	// enough is where counting ends that finds out what is rare.
	enough = 1000
)

// plan chooses along what to walk.
func (s *Store[R]) plan(ctx context.Context, space int64, q itsm.Query, after int64) (*walk, error) {
	w := &walk{space: space, states: slices.Compact(slices.Sorted(slices.Values(q.States)))}
	for _, key := range q.Where {
		if !slices.Contains(w.keys, key) {
			w.keys = append(w.keys, key)
		}
	}
	var candidates [][]path
	for _, key := range w.keys {
		candidates = append(candidates, []path{alongKey(key)})
	}
	if n := len(w.states); n > 0 && n <= maxPaths {
		var all []path
		for _, state := range w.states {
			all = append(all, alongState(state))
		}
		candidates = append(candidates, all)
	}
	best := 0
	if len(candidates) > 1 {
		least := enough + 1
		for i, along := range candidates {
			n, err := s.count(ctx, space, along, after, least)
			if err != nil {
				return nil, err
			}
			if n < least {
				best, least = i, n
			}
		}
	}
	switch {
	case len(candidates) == 0:
		w.along = []path{everything}
	case best < len(w.keys):
		w.along, w.keys = candidates[best], slices.Delete(w.keys, best, best+1)
	default:
		w.along, w.states = candidates[best], nil
	}
	return w, nil
}

// count counts what lies along paths, up to a number.
func (s *Store[R]) count(ctx context.Context, space int64, along []path, after int64, most int) (n int, err error) {
	for _, p := range along {
		if err == nil && n < most {
			text, args := p.count(space, after, most-n)
			err = s.each(ctx, func(rows *sql.Rows) error {
				var more int
				err := rows.Scan(&more)
				n += more
				return err
			}, text, args...)
		}
	}
	return n, err
}

func (p path) count(space, after int64, most int) (text string, args []any) {
	text = `SELECT count(*) FROM (SELECT 1 FROM ` + p.from + ` WHERE space = ?` + p.where + ` AND number > ? LIMIT ?)`
	return text, append(append([]any{space}, p.args...), after, most)
}

// query returns the query for the records after a number.
func (w *walk) query(after int64, limit int) (text string, args []any) {
	var b strings.Builder
	b.WriteString(`SELECT r.number, r.id, r.body FROM (`)
	for i, p := range w.along {
		if i > 0 {
			b.WriteString(` UNION ALL `)
		}
		b.WriteString(`SELECT number FROM (SELECT number FROM ` + p.from + ` WHERE space = ?` + p.where + ` AND number > ?`)
		args = append(append(append(args, w.space), p.args...), after)
		for _, key := range w.keys {
			b.WriteString(` AND EXISTS (SELECT 1 FROM itsm_key AS k WHERE k.space = ? AND k.field = ? AND k.value = ? AND k.number = n.number)`)
			args = append(args, w.space, key.Field, key.Value)
		}
		if w.states != nil {
			b.WriteString(` AND (SELECT o.state FROM itsm_record AS o WHERE o.number = n.number) IN (SELECT value FROM json_each(?))`)
			states, _ := json.Marshal(w.states) // never fails on texts
			args = append(args, string(states))
		}
		b.WriteString(` ORDER BY number LIMIT ?)`)
		args = append(args, limit)
	}
	b.WriteString(` ORDER BY 1 LIMIT ?) AS m CROSS JOIN itsm_record AS r ON r.number = m.number ORDER BY m.number`)
	return b.String(), append(args, limit)
}
