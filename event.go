package itsm

import (
	"encoding/json"
	"time"
)

// An Event is one line of a record's history: who did what to it, when, and
// where that led. It is written in the same commit as the record, is never
// changed, and is enough, with those before it, to rebuild the record.
type Event struct {
	// ID is unique in the whole store.
	ID ID `json:"id"`
	// Practice is the name of the practice: "incident".
	Practice string `json:"practice"`
	// Record and Version say whose history this is a line of, and which line.
	// The pair is unique.
	Record  ID      `json:"record"`
	Version Version `json:"version"`
	// Action is the name of the action; From and To are the states before and
	// after it. From is empty for the action that created the record.
	Action string `json:"action"`
	From   State  `json:"from,omitempty"`
	To     State  `json:"to"`
	// At is when it was done: UTC, whole microseconds, by the clock of the
	// host that did it. Order within a record is that of Version.
	At    time.Time `json:"at"`
	Actor Actor     `json:"actor"`
	// Cause is the event that led to this one: in the same commit, as a
	// follow-up or what one record's change did to another, or in a commit of
	// its own, often of another practice ([Because]). Empty if it was asked for.
	Cause ID `json:"cause,omitempty"`
	// Data is the action as JSON.
	Data json.RawMessage `json:"data"`
}

// CloudEvent returns the event in the JSON format of CloudEvents 1.0
// (structured mode). Source is the URI of the program that sends it. The type
// is "itsm.<practice>.<action>" and the subject the record's id.
func (e Event) CloudEvent(source string) ([]byte, error) {
	return json.Marshal(struct {
		SpecVersion string    `json:"specversion"`
		ID          ID        `json:"id"`
		Source      string    `json:"source"`
		Type        string    `json:"type"`
		Subject     ID        `json:"subject"`
		Time        time.Time `json:"time"`
		ContentType string    `json:"datacontenttype"`
		Data        Event     `json:"data"`
	}{"1.0", e.ID, source, "itsm." + e.Practice + "." + e.Action, e.Record, e.At, "application/json", e})
}
