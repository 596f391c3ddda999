package postgres

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/go-itsm/itsm"
)

// List returns the records that match, in the order of their ids, byte by byte;
// for ids that the library makes, that is the order of their creation. It walks
// along the index of whatever is rarest, a key or the states, and looks up the
// rest for each record there.
//
// Errors: [itsm.ErrInvalid] for a cursor that was not made here; [ErrClosed]; the
// context's and the database's.
func (s *Store[R]) List(ctx context.Context, q itsm.Query) (page itsm.Page[R], err error) {
	if err := ctx.Err(); err != nil {
		return page, err
	}
	after, err := s.position(q.After)
	if err != nil {
		return page, err
	}
	w, err := s.plan(ctx, q, after)
	if err != nil || w == nil {
		return page, err
	}
	text, args := w.query(after, q.Size()+1) // one more says whether there is another page
	var id itsm.ID
	err = s.each(ctx, func(rows pgx.Rows) error {
		if len(page.Records) == q.Size() {
			page.Next = s.cursor(id)
			return errEnough
		}
		raw := rows.RawValues()
		id = itsm.ID(raw[0])
		page.Records = append(page.Records, *new(R))
		return decode(raw[1], id, &page.Records[len(page.Records)-1])
	}, text, args...)
	if err != nil {
		return itsm.Page[R]{}, err
	}
	return page, nil
}

// A walk is the way through a list: along an index, or several at once, and past
// what does not match.
type walk struct {
	along  []path
	states []string // to look up; nil for any
	keys   []string // to look up
}

// A path is one stretch of an index, in the order of the records' ids.
type path struct {
	table string
	field string // what is equal there, besides tenant and practice; empty for nothing
	value string
}

var everything = path{table: `itsm_record`}

func alongState(state string) path { return path{`itsm_record`, `state`, state} }
func alongKey(key string) path     { return path{`itsm_key`, `key`, key} }

const (
	// maxPaths is how many states are walked along at once. More than that are
	// looked up.
	maxPaths = 32
	// enough is where counting ends that finds out what is rare.
	enough = 1000
)

// plan chooses along what to walk; nil if nothing can match.
func (s *Store[R]) plan(ctx context.Context, q itsm.Query, after string) (*walk, error) {
	w := &walk{}
	for _, state := range q.States {
		if keepable(string(state)) { // what cannot be kept is nowhere
			w.states = append(w.states, string(state))
		}
	}
	if len(q.States) > 0 && len(w.states) == 0 {
		return nil, nil
	}
	slices.Sort(w.states)
	w.states = slices.Compact(w.states)
	for _, k := range q.Where {
		if !keepable(k.Field) || !keepable(k.Value) {
			return nil, nil
		}
		if key := keyOf(k); !slices.Contains(w.keys, key) {
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
		var err error
		if best, err = s.rarest(ctx, candidates, after); err != nil {
			return nil, err
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

// rarest returns which of several ways has the least along it.
func (s *Store[R]) rarest(ctx context.Context, ways [][]path, after string) (best int, err error) {
	least := enough + 1
	for i, way := range ways {
		n := 0
		for _, p := range way {
			if err == nil && n < least {
				text, args := p.count(after, least-n)
				err = s.each(ctx, func(rows pgx.Rows) error {
					var more int
					err := rows.Scan(&more)
					n += more
					return err
				}, text, args...)
			}
		}
		if err != nil {
			return 0, err
		}
		if n < least {
			best, least = i, n
		}
	}
	return best, nil
}

func (p path) count(after string, most int) (text string, args []any) {
	b := builder{args: []any{after, most}}
	return `SELECT count(*) FROM (SELECT FROM ` + p.table + ` AS n WHERE ` + p.where(&b) + ` LIMIT $4) AS found`, b.args
}

// A builder numbers arguments, of which the first two are tenant and practice.
type builder struct{ args []any }

func (b *builder) arg(value any) string {
	b.args = append(b.args, value)
	return fmt.Sprintf("$%d", len(b.args)+2)
}

// where returns the condition of a path; the third argument is the id after which
// it begins.
func (p path) where(b *builder) string {
	text := `n.tenant = $1 AND n.practice = $2 AND n.id > $3`
	if p.field != "" {
		text += ` AND n.` + p.field + ` = ` + b.arg(p.value)
	}
	return text
}

// query returns the query for the records after an id.
func (w *walk) query(after string, limit int) (text string, args []any) {
	b := builder{args: []any{after, limit}}
	conditions := ""
	if len(w.keys) > 0 {
		keys := b.arg(w.keys)
		conditions = ` AND (SELECT count(*) FROM itsm_key AS k WHERE k.tenant = $1 AND k.practice = $2 AND k.key = ANY (` + keys + `) AND k.id = n.id) = cardinality(` + keys + `)`
	}
	if w.states != nil {
		conditions += ` AND EXISTS (SELECT FROM itsm_record AS o WHERE o.tenant = $1 AND o.practice = $2 AND o.id = n.id AND o.state = ANY (` + b.arg(w.states) + `))`
	}
	var arms []string
	for _, p := range w.along {
		arms = append(arms, `(SELECT n.id FROM `+p.table+` AS n WHERE `+p.where(&b)+conditions+` ORDER BY n.id LIMIT $4)`)
	}
	return `WITH page AS MATERIALIZED (SELECT u.id FROM (` + strings.Join(arms, ` UNION ALL `) + `) AS u ORDER BY u.id LIMIT $4)
		SELECT page.id, r.body FROM page CROSS JOIN LATERAL (
			SELECT o.body FROM itsm_record AS o WHERE o.tenant = $1 AND o.practice = $2 AND o.id = page.id OFFSET 0 -- one by one
		) AS r ORDER BY page.id`, b.args
}

// sortWakes brings wakes into the order of their due times.
func sortWakes(wakes []itsm.Wake) {
	slices.SortFunc(wakes, func(a, b itsm.Wake) int { return cmp.Or(a.Due.Compare(b.Due), cmp.Compare(a.ID, b.ID)) })
}
