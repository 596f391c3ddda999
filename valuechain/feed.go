package valuechain

import (
	"context"
	"encoding/json"

	"github.com/go-itsm/itsm"
)

// ReadFeed hands the events of a store's feed after a cursor to everybody who wants
// them, in their order, until there is no more, and returns the cursor to go on
// from: after if there was nothing new.
//
//	cursor, err = valuechain.ReadFeed(ctx, store, cursor, run.Add, log.Add)
//
// It returns the context's error, or the store's, with the cursor of the last event
// that was handed over.
func ReadFeed(ctx context.Context, store itsm.Feeder, after itsm.Cursor, add ...func(itsm.Event)) (itsm.Cursor, error) {
	for d, err := range store.Feed(ctx, after) {
		if err != nil {
			return after, err
		}
		for _, f := range add {
			f(d.Event)
		}
		after = d.Cursor
	}
	return after, nil
}

// LinksOf returns the link that an event adds to its record: that of the action
// "link", which every practice has. Others have none.
func LinksOf(e itsm.Event) []itsm.Link {
	if e.Action != "link" {
		return nil
	}
	var l itsm.Link
	if json.Unmarshal(e.Data, &l) != nil || l.To.Kind == "" || l.To.ID == "" {
		return nil
	}
	return []itsm.Link{l}
}
