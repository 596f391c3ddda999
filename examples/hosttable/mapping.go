package main

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/incident"
)

// columns are those of the table, in the order of values and scan.
const columns = `no, subject, status, customer, agent, team, prio, opened, updated, version, due, rest`

// places are where values go in a statement.
const places = `($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`

// statuses are the host's words for the states.
var statuses = map[itsm.State]string{
	incident.New: "open", incident.Assigned: "dispatched", incident.InProgress: "working", incident.OnHold: "waiting",
	incident.Resolved: "done", incident.Closed: "archived", incident.Cancelled: "void",
}

// rest is what the table has no columns for. The names beside the incident hide
// its fields of the same JSON names, because they are nearer to the surface.
type rest struct {
	*incident.Incident
	ID         hidden `json:"id,omitzero"`
	Version    hidden `json:"version,omitzero"`
	State      hidden `json:"state,omitzero"`
	Created    hidden `json:"created,omitzero"`
	Changed    hidden `json:"changed,omitzero"`
	Due        hidden `json:"due,omitzero"`
	Title      hidden `json:"title,omitzero"`
	Caller     hidden `json:"caller,omitzero"`
	Assignment hidden `json:"assignment,omitzero"`
	Priority   hidden `json:"priority,omitzero"`
}

type hidden struct{}

// values turns an incident into a row.
func values(inc *incident.Incident) ([]any, error) {
	no, ok := number(inc.ID)
	status, known := statuses[inc.State]
	var v itsm.Validation
	v.Check(ok, "id", fmt.Sprintf("must be the number of a ticket, is %q", inc.ID))
	v.Check(known, "state", fmt.Sprintf("has no word in the ticket table: %q", inc.State))
	if err := v.Err(); err != nil {
		return nil, err
	}
	others, err := json.Marshal(rest{Incident: inc})
	return []any{no, inc.Title, status, inc.Caller, inc.Assignment.Person, inc.Assignment.Group, int(inc.Priority),
		stamp(inc.Created), stamp(inc.Changed), inc.Version, stamp(inc.Due), string(others)}, err
}

// scan turns a row into an incident.
func scan(r row) (incident.Incident, error) {
	var inc incident.Incident
	var no int64
	var status string
	var others []byte
	err := r.Scan(&no, &inc.Title, &status, &inc.Caller, &inc.Assignment.Person, &inc.Assignment.Group, &inc.Priority,
		moment{&inc.Created}, moment{&inc.Changed}, &inc.Version, moment{&inc.Due}, &others)
	if err != nil {
		return inc, err
	}
	inc.ID = ticket(no)
	for state, word := range statuses {
		if word == status {
			inc.State = state
		}
	}
	if inc.State == "" {
		return inc, fmt.Errorf("ticket %s has the status %q, which is no state", inc.ID, status)
	}
	return inc, json.Unmarshal(others, &rest{Incident: &inc})
}

// ticket and number turn the table's numbers into the names that people know
// and back: 42 is INC0000042.
func ticket(no int64) itsm.ID { return itsm.ID(fmt.Sprintf("INC%07d", no)) }

func number(id itsm.ID) (no int64, ok bool) {
	_, err := fmt.Sscanf(string(id), "INC%d", &no)
	if err != nil || no <= 0 || ticket(no) != id { // INC42 is nobody's name
		return 0, false
	}
	return no, true
}

// stamp turns a time into what the table has for it, NULL for none; moment turns
// it back. In the table times are in UTC and do not say so, and have a fraction of a
// second only if there is one. SQLite has them as texts, and compares those.
func stamp(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return text(t)
}

func text(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05.999999") }

type moment struct{ *time.Time }

// Scan reads a column.
func (m moment) Scan(column any) error {
	t, ok := column.(time.Time)
	if !ok && column != nil {
		return fmt.Errorf("is no time: %v", column)
	}
	*m.Time = t.UTC()
	return nil
}
