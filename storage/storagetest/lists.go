package storagetest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/go-itsm/itsm"
)

// foreign is a cursor that no store makes.
const foreign itsm.Cursor = "☃ no store makes such a cursor"

// listCases are about itsm.Lister.
func listCases[R any]() []testCase[R] {
	return []testCase[R]{
		{Rule{"List", "List returns the records that are in one of the states and have all of the keys, and no others."}, lists,
			func(ctx context.Context, l *lab[R]) error {
				at, err := l.many(ctx)
				if err != nil {
					return err
				}
				var committed []R
				for i, v := range at {
					committed = append(committed, l.record(i, v))
				}
				for _, q := range queries(committed) {
					found, err := l.list(ctx, l.Store, q)
					if err != nil {
						return err
					}
					want := matching(q, committed)
					got := slices.Sorted(maps.Keys(found))
					if !slices.Equal(got, want) {
						return fmt.Errorf("List of states %q with the keys %q has the records %q, not %q", q.States, q.Where, got, want)
					}
				}
				return nil
			}},
		{Rule{"ListWhole", "A listed record is the same as the loaded one, field by field."}, lists,
			func(ctx context.Context, l *lab[R]) error {
				at, err := l.many(ctx)
				if err != nil {
					return err
				}
				found, err := l.list(ctx, l.Store, itsm.Query{})
				if err != nil {
					return err
				}
				for i := range at {
					loaded, err := l.Store.Load(ctx, l.id(i))
					if err != nil {
						return err
					}
					if listed, ok := found[l.id(i)]; ok {
						if d := difference(loaded, listed); d != "" {
							return fmt.Errorf("%s in a list: %s", l.id(i), d)
						}
					}
				}
				return nil
			}},
		{Rule{"ListFresh", "A list shows what was acknowledged before it was asked for."}, lists,
			func(ctx context.Context, l *lab[R]) error {
				for i := range 3 {
					for v := itsm.Version(1); v <= 4; v++ {
						if err := l.write(ctx, l.rev(i, v)); err != nil {
							return err
						}
						found, err := l.list(ctx, l.handle(i), itsm.Query{States: []itsm.State{l.meta(i, v).State}})
						if err != nil {
							return err
						}
						r, ok := found[l.id(i)]
						if !ok {
							return fmt.Errorf("%s is at version %d and not in the list of its state", l.id(i), v)
						}
						if got := itsm.MetaOf(&r).Version; got != v {
							return fmt.Errorf("%s is at version %d and in the list at %d", l.id(i), v, got)
						}
					}
				}
				return nil
			}},
		{Rule{"ListPages", "The pages of a list have every record once, none has more than Limit (or 100), and the last has no Next."}, lists,
			func(ctx context.Context, l *lab[R]) error {
				const n = 110
				if err := l.fill(ctx, n); err != nil {
					return err
				}
				state := []itsm.State{l.meta(0, 1).State}
				for _, limit := range []int{0, 1, 7, n - 1, n, n + 1} {
					for _, q := range []itsm.Query{{Limit: limit}, {Limit: limit, States: state}} {
						all, err := l.list(ctx, l.Store, q)
						if err != nil {
							return err
						}
						seen, err := l.walk(ctx, q, func(int) error { return nil })
						if err != nil {
							return err
						}
						if err := once(seen, slices.Collect(maps.Keys(all))); err != nil {
							return fmt.Errorf("pages of %d: %w", q.Size(), err)
						}
					}
				}
				return nil
			}},
		{Rule{"ListStable", "A record that matches from the first page to the last is listed once, whatever is committed in between."}, lists,
			func(ctx context.Context, l *lab[R]) error {
				return errors.Join(l.disturbed(ctx, itsm.Query{Limit: 4}, 0), l.disturbed(ctx, itsm.Query{Limit: 3}, samples))
			}},
		{Rule{"ListCursor", "List answers ErrInvalid for a cursor that the store did not make."}, lists,
			func(ctx context.Context, l *lab[R]) error {
				if err := l.fill(ctx, 2); err != nil {
					return err
				}
				_, err := l.Store.(itsm.Lister[R]).List(ctx, itsm.Query{After: foreign})
				if !errors.Is(err, itsm.ErrInvalid) {
					return fmt.Errorf("List answers %s", quoted(err))
				}
				return nil
			}},
	}
}

// many commits samples, and changes some. It returns their versions.
func (l *lab[R]) many(ctx context.Context) ([]itsm.Version, error) {
	if err := l.fill(ctx, samples); err != nil {
		return nil, err
	}
	at := make([]itsm.Version, samples)
	for i := range at {
		at[i] = 1
		for ; at[i] < itsm.Version(i%4+1); at[i]++ {
			if err := l.write(ctx, l.rev(i, at[i]+1)); err != nil {
				return nil, err
			}
		}
	}
	return at, nil
}

func keysOf[R any](r *R) []itsm.Key {
	if indexed, ok := any(r).(itsm.Indexed); ok {
		return indexed.AppendKeys(nil)
	}
	return nil
}

// queries asks for what there is, alone and together, and for what there is
// not.
func queries[R any](records []R) []itsm.Query {
	some := func(states []itsm.State, keys ...itsm.Key) itsm.Query { return itsm.Query{States: states, Where: keys} }
	all := []itsm.Query{some(nil), some([]itsm.State{"no such state"}), some(nil, itsm.Key{Field: "no such field", Value: "x"})}
	const enough = 8
	for i := range enough {
		state, next := itsm.MetaOf(&records[i]).State, itsm.MetaOf(&records[i+1]).State
		all = append(all, some([]itsm.State{state}), some([]itsm.State{state, next}))
		keys := keysOf(&records[i])
		for k, key := range keys {
			other := keys[(k+1)%len(keys)]
			all = append(all, some(nil, key), some(nil, key, other), some([]itsm.State{state}, key, other),
				some([]itsm.State{next}, key), some([]itsm.State{state}, key, itsm.Key{Field: key.Field, Value: "no such value"}))
		}
	}
	return all
}

// matching returns the ids of the records that match, sorted.
func matching[R any](q itsm.Query, records []R) []itsm.ID {
	var ids []itsm.ID
	for i := range records {
		m, keys := itsm.MetaOf(&records[i]), keysOf(&records[i])
		lacks := func(key itsm.Key) bool { return !slices.Contains(keys, key) }
		if (len(q.States) == 0 || slices.Contains(q.States, m.State)) && !slices.ContainsFunc(q.Where, lacks) {
			ids = append(ids, m.ID)
		}
	}
	slices.Sort(ids)
	return ids
}

// walk goes from page to page and does something after each.
func (l *lab[R]) walk(ctx context.Context, q itsm.Query, between func(page int) error) (map[itsm.ID]int, error) {
	const enough = 1000
	seen := map[itsm.ID]int{}
	for page := range enough {
		p, err := l.Store.(itsm.Lister[R]).List(ctx, q)
		if err != nil {
			return nil, fmt.Errorf("List: %w", err)
		}
		if len(p.Records) > q.Size() {
			return nil, fmt.Errorf("a page of at most %d has %d records", q.Size(), len(p.Records))
		}
		for i := range p.Records {
			seen[itsm.MetaOf(&p.Records[i]).ID]++
		}
		if p.Next == "" {
			return seen, nil
		}
		q.After = p.Next
		if err := between(page); err != nil {
			return nil, err
		}
	}
	return nil, fmt.Errorf("there is no end after %d pages", enough)
}

func once(seen map[itsm.ID]int, want []itsm.ID) error {
	for _, id := range want {
		if seen[id] != 1 {
			return fmt.Errorf("%s is listed %d times", id, seen[id])
		}
	}
	return nil
}

// disturbed lists samples, from a first one on, while they are changed, each
// many times, and others are created. It lists the states of half of them, so
// that there are records that come and go.
func (l *lab[R]) disturbed(ctx context.Context, q itsm.Query, first int) error {
	const n = 20
	at := map[int]itsm.Version{}
	throughout := map[itsm.ID]bool{}
	for i := first; i < first+n; i++ {
		if err := l.write(ctx, l.rev(i, 1)); err != nil {
			return err
		}
		at[i] = 1
		throughout[l.id(i)] = true
	}
	if first > 0 {
		q.States = []itsm.State{l.meta(first, 1).State}
		for i := range at {
			throughout[l.id(i)] = slices.Contains(q.States, l.meta(i, 1).State)
		}
	}
	created := first + n
	seen, err := l.walk(ctx, q, func(page int) error {
		if page >= n {
			return nil // or what is created would make the list go on for ever
		}
		for k := range 5 {
			i := first + (page*7+k*3)%n
			at[i]++
			if err := l.write(ctx, l.rev(i, at[i])); err != nil {
				return err
			}
			if len(q.States) > 0 && !slices.Contains(q.States, l.meta(i, at[i]).State) {
				throughout[l.id(i)] = false
			}
		}
		created++
		return l.write(ctx, l.rev(created, 1))
	})
	if err != nil {
		return err
	}
	var want []itsm.ID
	for id, matches := range throughout {
		if matches {
			want = append(want, id)
		}
	}
	slices.Sort(want)
	return once(seen, want)
}
