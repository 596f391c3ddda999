package main

import (
	"context"
	"encoding/json"
	"errors"
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
	where, args := []string{"no > ?"}, []any{after}
	if len(q.States) > 0 {
		var words []string
		for _, state := range q.States {
			words = append(words, statuses[state])
		}
		list, _ := json.Marshal(words)
		where, args = append(where, "status IN (SELECT value FROM json_each(?))"), append(args, string(list))
	}
	for _, key := range q.Where {
		where, args = append(where, keyed(key.Field)+" = nullif(?, '')"), append(args, key.Value)
	}
	// One more than fits says whether there is another page.
	rows, err := s.db.QueryContext(ctx, `SELECT `+columns+` FROM tickets WHERE `+strings.Join(where, " AND ")+` ORDER BY no LIMIT ?`,
		append(args, q.Size()+1)...)
	if err != nil {
		return page, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		if len(page.Records) == q.Size() {
			last, _ := number(page.Records[q.Size()-1].ID)
			page.Next = cursor("list", last)
			break
		}
		inc, err := scan(rows)
		if err != nil {
			return page, err
		}
		page.Records = append(page.Records, inc)
	}
	return page, rows.Err()
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
		return "rest ->> '$.service'"
	case "major":
		return "rest ->> '$.major.status'"
	case "parent":
		return "rest ->> '$.parent'"
	}
	return "NULL" // which equals nothing
}

// Feed yields the events of all incidents. SQLite lets one transaction write at
// a time, so that seq is the order of the commits. Where several write at once
// it would not be: a number drawn early can be committed late, and would appear
// behind a cursor.
func (s *Store) Feed(ctx context.Context, after itsm.Cursor) iter.Seq2[itsm.Delivery, error] {
	return func(yield func(itsm.Delivery, error) bool) {
		at, err := position("feed", after)
		for more := err == nil; more; {
			const batch = 500
			var lines []line
			lines, err = s.lines(ctx, `SELECT seq, body FROM ticket_history WHERE seq > ? ORDER BY seq LIMIT ?`, at, batch)
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

// Due yields the incidents for which it is time.
func (s *Store) Due(ctx context.Context, now time.Time) iter.Seq2[itsm.Wake, error] {
	return func(yield func(itsm.Wake, error) bool) {
		wakes, err := s.wakes(ctx, `SELECT no, due FROM tickets WHERE due > '' AND due <= ? ORDER BY due`, stamp(now))
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
	wakes, err := s.wakes(ctx, `SELECT no, due FROM tickets WHERE due > ? ORDER BY due LIMIT 1`, stamp(after))
	if err != nil || len(wakes) == 0 {
		return time.Time{}, err
	}
	return wakes[0].Due, nil
}

func (s *Store) wakes(ctx context.Context, query string, args ...any) (all []itsm.Wake, err error) {
	rows, err := s.db.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var no int64
		var w itsm.Wake
		if err := rows.Scan(&no, moment{&w.Due}); err != nil {
			return all, err
		}
		w.ID = ticket(no)
		all = append(all, w)
	}
	return all, rows.Err()
}
