package itsm

import (
	"fmt"
	"slices"
	"strings"
)

// A LifecycleDiff says how one lifecycle differs from another, and what that
// means for the records that exist.
type LifecycleDiff struct {
	AddedStates   []State `json:"added_states,omitempty"`
	RemovedStates []State `json:"removed_states,omitempty"`
	// Added and Removed list single moves; a move that leads elsewhere now is
	// in both.
	Added   []Move `json:"added,omitempty"`
	Removed []Move `json:"removed,omitempty"`
	// Stranded lists the states in which a record may be today and of which
	// the new lifecycle knows nothing: such records could never move again.
	Stranded []Stranded `json:"stranded,omitempty"`
}

// A Move is one step: an action that leads from one state to another.
type Move struct {
	From   State  `json:"from"`
	Action string `json:"action"`
	To     State  `json:"to"`
}

func (m Move) String() string { return fmt.Sprintf("%s --%s--> %s", m.From, m.Action, m.To) }

// Stranded is a state without a future in a new lifecycle.
type Stranded struct {
	State State `json:"state"`
	// Nearest lists the states that the new lifecycle still has and that took
	// the fewest steps to reach in the old one: where to move records before
	// the change.
	Nearest []State `json:"nearest,omitempty"`
}

// Diff compares two lifecycles. Records in every state of Stranded must be
// moved before the new lifecycle is put to use.
func Diff(old, replacement *Lifecycle) LifecycleDiff {
	var d LifecycleDiff
	for s := range replacement.States() {
		if !old.Has(s) {
			d.AddedStates = append(d.AddedStates, s)
		}
	}
	for s := range old.States() {
		if !replacement.Has(s) {
			d.RemovedStates = append(d.RemovedStates, s)
			d.Stranded = append(d.Stranded, Stranded{s, nearest(old, replacement, s)})
		}
	}
	d.Removed = missing(old, replacement)
	d.Added = missing(replacement, old)
	return d
}

// Empty reports whether the two lifecycles are the same.
func (d LifecycleDiff) Empty() bool {
	return len(d.AddedStates)+len(d.RemovedStates)+len(d.Added)+len(d.Removed) == 0
}

// String lists the differences, a line each.
func (d LifecycleDiff) String() string {
	var b strings.Builder
	for _, s := range d.AddedStates {
		fmt.Fprintf(&b, "+ state %s\n", s)
	}
	for _, s := range d.RemovedStates {
		fmt.Fprintf(&b, "- state %s\n", s)
	}
	for _, m := range d.Added {
		fmt.Fprintf(&b, "+ %s\n", m)
	}
	for _, m := range d.Removed {
		fmt.Fprintf(&b, "- %s\n", m)
	}
	for _, s := range d.Stranded {
		fmt.Fprintf(&b, "! records in %s are stranded; nearest: %v\n", s.State, s.Nearest)
	}
	return b.String()
}

// missing lists the moves that a has and b has not.
func missing(a, b *Lifecycle) []Move {
	var moves []Move
	for from := range a.States() {
		for action, to := range a.Permitted(from) {
			if other, ok := b.Can(from, action); !ok || other != to {
				moves = append(moves, Move{from, action, to})
			}
		}
	}
	return moves
}

// nearest walks the old lifecycle from a state, level by level, until it meets
// states that the new one still has.
func nearest(old, replacement *Lifecycle, from State) []State {
	seen := map[State]bool{from: true}
	for level := []State{from}; len(level) > 0; {
		var found, next []State
		for _, s := range level {
			for _, to := range old.Permitted(s) {
				if seen[to] {
					continue
				}
				seen[to] = true
				next = append(next, to)
				if replacement.Has(to) {
					found = append(found, to)
				}
			}
		}
		if len(found) > 0 {
			slices.Sort(found)
			return found
		}
		level = next
	}
	return nil
}
