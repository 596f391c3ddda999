package main

import (
	"context"
	"encoding/json"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/incident"
)

// Migrate is what the history says of a ticket that is older than the history:
// how it was when the library found it.
type Migrate struct {
	Ticket incident.Incident `json:"ticket"`
}

// Action returns "migrate".
func (Migrate) Action() string { return "migrate" }

// Apply makes the incident what it was.
func (a Migrate) Apply(r *incident.Incident, _ itsm.Moment) error {
	meta := r.Meta
	*r = a.Ticket
	r.Meta = meta
	return nil
}

// migrate gives each ticket that is older than the history the two lines that
// are known of it: that it was opened, and how it was when it was last touched.
func migrate(ctx context.Context, s *Store) error {
	page, err := s.List(ctx, itsm.Query{Limit: 1_000_000})
	if err != nil {
		return err
	}
	return s.atomically(ctx, func(db handle) error {
		seq, err := draw(ctx, db, "history", 2*len(page.Records))
		if err != nil {
			return err
		}
		for _, inc := range page.Records {
			opened := itsm.Event{
				ID: "opened-" + inc.ID, Practice: "incident", Record: inc.ID, Version: 1,
				Action: "report", To: incident.New, At: inc.Created, Actor: itsm.Actor{ID: inc.Caller},
			}
			found := itsm.Event{
				ID: "found-" + inc.ID, Practice: "incident", Record: inc.ID, Version: 2,
				Action: "migrate", From: incident.New, To: inc.State, At: inc.Changed, Actor: itsm.Actor{ID: "migration"},
			}
			if opened.Data, err = json.Marshal(incident.Report{Title: inc.Title, Caller: inc.Caller}); err != nil {
				return err
			}
			if found.Data, err = json.Marshal(Migrate{inc}); err != nil {
				return err
			}
			for _, e := range []itsm.Event{opened, found} {
				if err := remember(ctx, db, seq, e); err != nil {
					return err
				}
				seq++
			}
		}
		return nil
	})
}
