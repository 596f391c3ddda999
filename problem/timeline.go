package problem

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-itsm/itsm"
)

// A Timeline puts what happened in order, to see what changed before it began.
type Timeline struct {
	// Onset is when the trouble began, as far as that is known.
	Onset   time.Time       `json:"onset,omitzero"`
	Entries []TimelineEntry `json:"entries"`
}

// A TimelineEntry is something that happened.
type TimelineEntry struct {
	At   time.Time `json:"at"`
	Kind EntryKind `json:"kind"`
	Text string    `json:"text"`
	// Source is how that is known: a log, a person.
	Source string `json:"source,omitempty"`
	// To points to a record of it: a change, an incident.
	To itsm.Ref `json:"to,omitzero"`
}

// An EntryKind says what an entry is.
type EntryKind string

const (
	// ChangeEntry is something that was made different: a change, a deployment, another
	// load, another person.
	ChangeEntry EntryKind = "change"
	// SignalEntry is something that showed it: an alert, an incident, a complaint.
	SignalEntry EntryKind = "signal"
	// ActionEntry is something that was done against it.
	ActionEntry EntryKind = "action"
	// FactEntry is anything else.
	FactEntry EntryKind = "fact"
)

// EntryKinds lists the kinds.
func EntryKinds() []EntryKind {
	return []EntryKind{ChangeEntry, SignalEntry, ActionEntry, FactEntry}
}

// Validate returns an [itsm.ErrInvalid] with everything that is wrong with the entries.
func (t Timeline) Validate() error {
	var v itsm.Validation
	v.Check(len(t.Entries) > 0 && len(t.Entries) <= maxBranch, "entries", fmt.Sprintf("must be 1 to %d", maxBranch))
	for i, e := range t.Entries {
		at := fmt.Sprintf("entries[%d]", i)
		v.Check(!e.At.IsZero(), at+".at", "must be given")
		v.Check(slices.Contains(EntryKinds(), e.Kind), at+".kind", fmt.Sprintf("must be change, signal, action or fact, is %q", e.Kind))
		v.Text(at+".text", e.Text, 1, maxNote)
		v.Text(at+".source", e.Source, 0, maxName)
		if e.To != (itsm.Ref{}) {
			v.Ref(at+".to", e.To)
		}
	}
	return v.Err()
}

// Ordered returns the entries in the order of time; those of one moment stay as they
// are.
func (t Timeline) Ordered() []TimelineEntry {
	all := slices.Clone(t.Entries)
	slices.SortStableFunc(all, func(a, b TimelineEntry) int { return a.At.Compare(b.At) })
	return all
}

// ChangesBefore lists what was made different in so long a time before the onset, or at
// it, the nearest first: where to look first. A window of 0 has no limit. Without an
// onset there are none.
func (t Timeline) ChangesBefore(window time.Duration) []TimelineEntry {
	var all []TimelineEntry
	for _, e := range slices.Backward(t.Ordered()) {
		if e.Kind != ChangeEntry || t.Onset.IsZero() || e.At.After(t.Onset) || window > 0 && t.Onset.Sub(e.At) > window {
			continue
		}
		all = append(all, e)
	}
	return all
}

// Marks says whether the onset is known, whether something shows it earlier, whether a
// change comes before it, and which entries have no source.
func (t Timeline) Marks() []Mark {
	var all []Mark
	add := func(where, text string) { all = append(all, Mark{where, text}) }
	if t.Onset.IsZero() {
		add("onset", "is not known")
	} else if len(t.ChangesBefore(0)) == 0 {
		add("entries", "have no change before the onset: something may be missing")
	}
	for i, e := range t.Entries {
		at := fmt.Sprintf("entries[%d]", i)
		if e.Kind == SignalEntry && !t.Onset.IsZero() && e.At.Before(t.Onset) {
			add(at, "is a signal before the onset: it may have begun earlier")
		}
		if e.Source == "" && e.To == (itsm.Ref{}) {
			add(at, "has no source")
		}
	}
	return all
}

// stamp is how times are printed: UTC.
const stamp = "2006-01-02 15:04:05"

// Mermaid draws the timeline, by days in UTC.
func (t Timeline) Mermaid() string {
	var b strings.Builder
	b.WriteString("timeline\n")
	day, begun := "", t.Onset.IsZero()
	entry := func(at time.Time, text string) {
		at = at.UTC()
		if d := at.Format(time.DateOnly); d != day {
			day = d
			fmt.Fprintf(&b, "    section %s\n", d)
		}
		// A colon would begin another column.
		column := func(text string) string { return strings.ReplaceAll(label(text), ":", "#58;") }
		fmt.Fprintf(&b, "    %s : %s\n", column(at.Format(time.TimeOnly)), column(oneLine(text)))
	}
	for _, e := range t.Ordered() {
		if !begun && e.At.After(t.Onset) {
			begun = true
			entry(t.Onset, "ONSET")
		}
		entry(e.At, fmt.Sprintf("%s, %s", e.Kind, e.Text))
	}
	if !begun {
		entry(t.Onset, "ONSET")
	}
	return b.String()
}

// String prints the timeline, an entry a line, in UTC, and what changed before the
// onset.
func (t Timeline) String() string {
	var b strings.Builder
	begun := t.Onset.IsZero()
	onset := func() {
		begun = true
		fmt.Fprintf(&b, "%s  ONSET\n", t.Onset.UTC().Format(stamp))
	}
	for _, e := range t.Ordered() {
		if !begun && e.At.After(t.Onset) {
			onset()
		}
		fmt.Fprintf(&b, "%s  %-6s  %s", e.At.UTC().Format(stamp), e.Kind, oneLine(e.Text))
		if e.To != (itsm.Ref{}) {
			fmt.Fprintf(&b, " (%s)", e.To)
		}
		if e.Source != "" {
			fmt.Fprintf(&b, " [%s]", oneLine(e.Source))
		}
		b.WriteByte('\n')
	}
	if !begun {
		onset()
	}
	for _, e := range t.ChangesBefore(0) {
		fmt.Fprintf(&b, "  changed %s before: %s\n", t.Onset.Sub(e.At).Round(time.Second), oneLine(e.Text))
	}
	for _, m := range t.Marks() {
		fmt.Fprintf(&b, "  ! %s\n", m)
	}
	return b.String()
}
