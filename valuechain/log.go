package valuechain

import (
	"iter"
	"slices"
	"time"

	"github.com/go-itsm/itsm"
)

// A Log is what happened in each of many cases: what process mining reads. It is
// plain data and belongs to whoever has it. Discovery and conformance use the order
// in which entries stand, never their times, because the clocks of several hosts
// do not make an order.
type Log struct {
	Traces []Trace `json:"traces"`
}

// A Trace is the entries of one case, in their order.
type Trace struct {
	Case    string  `json:"case"`
	Entries []Entry `json:"entries"`
}

// An Entry is something that happened in a case.
type Entry struct {
	// Activity is what happened: an action, or the state that was entered.
	Activity string `json:"activity"`
	// At is when, in any zone; zero if it is not known.
	At time.Time `json:"at,omitzero"`
	// Resource is who did it, Group the team; empty if it is not known.
	Resource string `json:"resource,omitempty"`
	Group    string `json:"group,omitempty"`
}

// Entries returns how many entries the log has.
func (l Log) Entries() int {
	n := 0
	for i := range l.Traces {
		n += len(l.Traces[i].Entries)
	}
	return n
}

// Map returns the log with other activities: another log's words, or fewer of them.
// Entries whose activity becomes empty are left out; cases are not.
func (l Log) Map(rename func(Entry) string) Log {
	out := Log{Traces: make([]Trace, len(l.Traces))}
	for i, t := range l.Traces {
		out.Traces[i] = Trace{Case: t.Case, Entries: make([]Entry, 0, len(t.Entries))}
		for _, e := range t.Entries {
			if e.Activity = rename(e); e.Activity != "" {
				out.Traces[i].Entries = append(out.Traces[i].Entries, e)
			}
		}
	}
	return out
}

// A Label says what an event is called in a log; an empty label leaves it out.
type Label func(itsm.Event) string

// ByAction calls an event by its action: "resolve".
func ByAction(e itsm.Event) string { return e.Action }

// ByState calls an event by the state that it leads to from another one, and leaves
// out what stays where it is.
func ByState(e itsm.Event) string {
	if e.From == e.To {
		return ""
	}
	return string(e.To)
}

// ByMove calls an event that leads to another state by its action, and leaves out
// the others.
func ByMove(e itsm.Event) string {
	if e.From == e.To {
		return ""
	}
	return e.Action
}

// Of restricts a label to the events of some practices.
func (label Label) Of(practices ...string) Label {
	return func(e itsm.Event) string {
		if !slices.Contains(practices, e.Practice) {
			return ""
		}
		return label(e)
	}
}

// A LogBuilder gathers a log from entries of many cases, mixed as they come. The
// zero value calls events by their actions. It is not safe for concurrent use.
type LogBuilder struct {
	// Label calls events by name; nil means [ByAction].
	Label Label

	traces []Trace
	at     map[string]int
}

// Append adds an entry to a case, after those that it has.
func (b *LogBuilder) Append(id string, e Entry) {
	if b.at == nil {
		b.at = map[string]int{}
	}
	i, ok := b.at[id]
	if !ok {
		i = len(b.traces)
		b.at[id] = i
		b.traces = append(b.traces, Trace{Case: id})
	}
	b.traces[i].Entries = append(b.traces[i].Entries, e)
}

// Add adds an event to the case of its record, with the actor as the resource. A host
// whose practices number their records alike gives each practice a builder of its own
// ([Label.Of]).
func (b *LogBuilder) Add(e itsm.Event) {
	label := b.Label
	if label == nil {
		label = ByAction
	}
	if name := label(e); name != "" {
		b.Append(string(e.Record), Entry{Activity: name, At: e.At, Resource: e.Actor.ID})
	}
}

// Log returns what was gathered so far, the cases in the order in which they came
// up. It belongs to the caller.
func (b *LogBuilder) Log() Log {
	l := Log{Traces: slices.Clone(b.traces)}
	for i := range l.Traces {
		l.Traces[i].Entries = slices.Clone(l.Traces[i].Entries)
	}
	return l
}

// NewLog returns the log of events, as a history or a feed yields them. It returns
// the error with which they end, if any.
func NewLog(events iter.Seq2[itsm.Event, error], label Label) (Log, error) {
	b := LogBuilder{Label: label}
	for e, err := range events {
		if err != nil {
			return Log{}, err
		}
		b.Add(e)
	}
	return b.Log(), nil
}
