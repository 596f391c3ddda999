package main

import (
	"context"
	"fmt"
	"iter"
	"strconv"
	"strings"
	"time"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/incident"
)

// What follows is optional: a practice finds it out by asking the store.

// List returns a page of incidents in the order of their numbers.
func (s *Store) List(ctx context.Context, q itsm.Query) (page itsm.Page[incident.Incident], err error) {
	after, err := position("list", q.After)
	if err != nil {
		return page, err
	}
	var args []any
	arg := func(value any) string { args = append(args, value); return "$" + strconv.Itoa(len(args)) }
	where := `no > ` + arg(after)
	if len(q.States) > 0 {
		var words []string
		for _, state := range q.States {
			words = append(words, arg(statuses[state]))
		}
		where += ` AND status IN (` + strings.Join(words, `, `) + `)`
	}
	for _, key := range q.Where {
		where += ` AND ` + keyed(key.Field) + ` = nullif(` + arg(key.Value) + `, '')`
	}
	// One more than fits says whether there is another page.
	rows, err := s.db(ctx, func(r row) error {
		inc, err := scan(r)
		page.Records = append(page.Records, inc)
		return err
	}, `SELECT `+columns+` FROM tickets WHERE `+where+` ORDER BY no LIMIT `+arg(q.Size()+1), args...)
	if err != nil {
		return itsm.Page[incident.Incident]{}, err
	}
	if rows > q.Size() {
		page.Records = page.Records[:q.Size()]
		last, _ := number(page.Records[q.Size()-1].ID)
		page.Next = cursor("list", last)
	}
	return page, nil
}

// keyed returns where the table has the value of a key (Incident.AppendKeys).
func keyed(field string) string {
	switch field {
	case "assignee":
		return "agent"
	case "group":
		return "team"
	case "caller":
		return "customer"
	case "priority":
		return "CAST(prio AS TEXT)"
	case "service":
		return "rest ->> 'service'"
	case "major":
		return "rest -> 'major' ->> 'status'"
	case "parent":
		return "rest ->> 'parent'"
	}
	return "NULL" // which equals nothing
}

// Feed yields the events of all incidents, in the order of their numbers: which is
// that of the commits, because of how they are drawn (Commit).
func (s *Store) Feed(ctx context.Context, after itsm.Cursor) iter.Seq2[itsm.Delivery, error] {
	return func(yield func(itsm.Delivery, error) bool) {
		at, err := position("feed", after)
		for more := err == nil; more; {
			const batch = 500
			var lines []line
			lines, err = s.lines(ctx, `SELECT seq, body FROM ticket_history WHERE seq > $1 ORDER BY seq LIMIT $2`, at, batch)
			for _, l := range lines {
				at = l.seq
				if !yield(itsm.Delivery{Event: l.event, Cursor: cursor("feed", at)}, nil) {
					return
				}
			}
			more = err == nil && len(lines) == batch
		}
		if err != nil {
			yield(itsm.Delivery{}, err)
		}
	}
}

func cursor(kind string, at int64) itsm.Cursor {
	return itsm.Cursor(kind + "-" + strconv.FormatInt(at, 10))
}

func position(kind string, c itsm.Cursor) (int64, error) {
	if c == "" {
		return 0, nil
	}
	at, err := strconv.ParseInt(strings.TrimPrefix(string(c), kind+"-"), 10, 64)
	if err != nil || c != cursor(kind, at) {
		return 0, &itsm.FieldError{Field: "after", Reason: fmt.Sprintf("is no cursor of a %s here", kind)}
	}
	return at, nil
}

// Due yields the incidents for which it is time, to everybody who asks: the commit
// lets one of them have each due action.
func (s *Store) Due(ctx context.Context, now time.Time) iter.Seq2[itsm.Wake, error] {
	return func(yield func(itsm.Wake, error) bool) {
		wakes, err := s.wakes(ctx, `SELECT no, due FROM tickets WHERE due <= $1 ORDER BY due`, text(now))
		for _, w := range wakes {
			if !yield(w, nil) {
				return
			}
		}
		if err != nil {
			yield(itsm.Wake{}, err)
		}
	}
}

// NextDue returns the earliest due time after a moment.
func (s *Store) NextDue(ctx context.Context, after time.Time) (time.Time, error) {
	wakes, err := s.wakes(ctx, `SELECT no, due FROM tickets WHERE due > $1 ORDER BY due LIMIT 1`, text(after))
	if err != nil || len(wakes) == 0 {
		return time.Time{}, err
	}
	return wakes[0].Due, nil
}

func (s *Store) wakes(ctx context.Context, query string, args ...any) (all []itsm.Wake, err error) {
	_, err = s.db(ctx, func(r row) error {
		var no int64
		var w itsm.Wake
		err := r.Scan(&no, moment{&w.Due})
		w.ID = ticket(no)
		all = append(all, w)
		return err
	}, query, args...)
	return all, err
}
