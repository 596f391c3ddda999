package enginetest

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/storage/storagetest"
)

// An Item is the record that engines are tested with: a ticket of the usual size that
// is listed by three keys, and may have a field of every kind.
type Item struct {
	itsm.Meta
	// By is the event that led to this version, where that is looked at. The item is
	// then listed by it too, so that every commit changes an index.
	By       itsm.ID         `json:"by,omitempty"`
	Title    string          `json:"title"`
	Text     string          `json:"text"`
	Group    string          `json:"group"`
	Assignee string          `json:"assignee"`
	Caller   string          `json:"caller"`
	Resolved time.Time       `json:"resolved,omitzero"`
	Numbers  []int64         `json:"numbers,omitempty"`
	Count    int             `json:"count,omitempty"`
	Share    float64         `json:"share,omitempty"`
	Urgent   bool            `json:"urgent,omitempty"`
	Reviewed *time.Time      `json:"reviewed,omitempty"`
	Notes    []Note          `json:"notes,omitempty"`
	Watchers map[string]bool `json:"watchers,omitempty"`
}

// A Note is part of an [Item].
type Note struct {
	By   string    `json:"by"`
	At   time.Time `json:"at"`
	Tags []string  `json:"tags"`
}

// AppendKeys lists an item by who has it, and by the event if that is named.
func (i *Item) AppendKeys(keys []itsm.Key) []itsm.Key {
	if i.By != "" {
		keys = append(keys, itsm.Key{Field: "by", Value: string(i.By)})
	}
	return append(keys,
		itsm.Key{Field: "assignee", Value: i.Assignee},
		itsm.Key{Field: "group", Value: i.Group},
		itsm.Key{Field: "caller", Value: i.Caller})
}

// start is the time of everything that is committed. What engines do with times is
// for package storagetest.
var start = time.Date(2026, 1, 5, 8, 0, 0, 0, time.UTC)

func state(n int) itsm.State { return [...]itsm.State{"new", "open", "closed"}[n%3] }

// Sample makes the n-th item: new, open or closed.
func Sample(n int) Item {
	i := Item{
		Title: "printer on fire ☎ 'ü\" 한글", Text: "all of it is burning, and nobody knows where the water is",
		Group: "g" + strconv.Itoa(n%20), Assignee: "a" + strconv.Itoa(n%500), Caller: "c" + strconv.Itoa(n%10_000),
		Resolved: start, Numbers: []int64{int64(n), 1<<63 - 1, -1 << 63},
	}
	i.ID = itsm.ID(fmt.Sprintf("tck_%026d", n))
	i.State = state(n)
	i.Created, i.Changed = start, start
	return i
}

// full makes the n-th item with everything that an item can have.
func full(n int) Item {
	i := Sample(n)
	at := start.Add(time.Duration(n) * time.Hour)
	i.By, i.Count, i.Share, i.Urgent, i.Reviewed = itsm.ID(fmt.Sprint("evt_", n)), n+1, float64(n)+0.5, n%2 == 0, &at
	i.Notes = []Note{{By: "jin", At: at, Tags: []string{"<a>", "b"}}, {By: "sam", At: at}}
	i.Watchers = map[string]bool{"alex": true, "kim": false}
	return i
}

// Change changes an item, its state and who has it among it.
func Change(i *Item, n int) {
	i.State = state(n + len(i.Group))
	i.Assignee = "a" + strconv.Itoa(n%5)
	i.Numbers = append(i.Numbers, int64(n))
}

// Next makes the revision that follows an item by one event, whose id says who made
// it.
func Next(i Item, who string) itsm.Revision[Item] {
	base := i.Version
	i.Version++
	return itsm.Revision[Item]{Base: base, Record: i, Events: []itsm.Event{{
		ID: itsm.ID(fmt.Sprintf("evt_%s_%d_%s", i.ID, i.Version, who)), Practice: "ticket", Record: i.ID, Version: i.Version,
		Action: "edit", From: i.State, To: i.State, At: start, Actor: itsm.Actor{ID: "jin", Name: "Jin Kim"},
		Data: json.RawMessage(`{"note":"something about forty bytes long"}`),
	}}}
}

// revise makes the revision that leads to the version after base by an event, which
// the item names.
func revise(record itsm.ID, base itsm.Version, event itsm.ID) itsm.Revision[Item] {
	i := Item{Meta: itsm.Meta{ID: record, Version: base, State: "open", Created: start, Changed: start}, By: event}
	rev := Next(i, "")
	rev.Events[0].ID = event
	return rev
}

// Fill creates the first n samples, many in a commit, and returns them.
func Fill(tb testing.TB, store itsm.Store[Item], n int) []Item {
	tb.Helper()
	all := make([]Item, n)
	var revs []itsm.Revision[Item]
	for i := range n {
		rev := Next(Sample(i), "fill")
		all[i] = rev.Record
		if revs = append(revs, rev); len(revs) == 1000 || i == n-1 {
			if err := store.Commit(tb.Context(), revs...); err != nil {
				tb.Fatal(err)
			}
			revs = revs[:0]
		}
	}
	return all
}

// Harness returns what package storagetest needs to test an engine with items. What
// else it is to know is set in what is returned.
func Harness(open func(ctx context.Context) (storagetest.Backend[Item], error)) storagetest.Harness[Item] {
	return storagetest.Harness[Item]{Open: open, Record: full, Change: Change, Lists: true, Feeds: true, Wakes: true}
}

// Long says how often something is tried: more if there is time for it, which
// ITSM_LONG=1 says. (Tests need -timeout 2h then.)
func Long(normal, long int) int {
	if os.Getenv("ITSM_LONG") == "1" {
		return long
	}
	return normal
}
