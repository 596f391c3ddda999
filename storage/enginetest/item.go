package enginetest

import (
	"time"

	"github.com/go-itsm/itsm"
)

// An Item is the record that engines are tested with.
type Item struct {
	itsm.Meta
	// By is the event that led to this version.
	By itsm.ID `json:"by"`
}

// AppendKeys lists items by the event that led to their version, so that every
// commit changes an index.
func (i Item) AppendKeys(keys []itsm.Key) []itsm.Key {
	return append(keys, itsm.Key{Field: "by", Value: string(i.By)})
}

// when is the time of everything that is committed. What engines do with times
// is for package storagetest.
var when = time.Date(2026, 3, 2, 9, 30, 0, 0, time.UTC)

// revise returns the revision that leads to the version after base by an event.
func revise(record itsm.ID, base itsm.Version, event itsm.ID) itsm.Revision[Item] {
	i := Item{By: event}
	i.ID, i.Version, i.State, i.Created, i.Changed = record, base+1, "open", when, when
	return itsm.Revision[Item]{Base: base, Record: i, Events: []itsm.Event{{
		ID: event, Practice: "item", Record: record, Version: base + 1, Action: "edit", To: "open", At: when,
		Actor: itsm.Actor{ID: "jin"}, Data: []byte(`{"note":"something about forty bytes long"}`),
	}}}
}
