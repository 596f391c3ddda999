package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/go-itsm/itsm"
)

// A way is where a record has been in its lifecycle: the diagram of a chapter.
type way struct {
	lifecycle *itsm.Lifecycle
	record    itsm.ID
	events    []itsm.Event
}

// wayOf reads the way of a record from its history.
func wayOf[R any](ctx context.Context, p *itsm.Practice[R], id itsm.ID) (way, error) {
	w := way{lifecycle: p.Lifecycle(), record: id}
	for e, err := range p.History(ctx, id) {
		if err != nil {
			return way{}, err
		}
		w.events = append(w.events, e)
	}
	return w, nil
}

// draw prints a lifecycle with one line a state and where it can go from there: the
// present state marked by ▶, those where it has been by ✓, and the moves that it has
// made in brackets.
func (n *narrator) draw(w way) {
	if len(w.events) == 0 {
		return
	}
	n.heading("tour.diagram", with{"lifecycle": w.lifecycle.Name(), "record": w.record})
	now := w.events[len(w.events)-1].To
	visited, gone := map[itsm.State]bool{}, map[[2]itsm.State]bool{}
	var path []string
	for _, e := range w.events {
		if e.From != e.To {
			gone[[2]itsm.State{e.From, e.To}] = true
			path = append(path, fmt.Sprintf("%s → %s", e.Action, e.To))
		}
		visited[e.To] = true
	}
	longest := 0
	for s := range w.lifecycle.States() {
		longest = max(longest, len(s))
	}
	for s := range w.lifecycle.States() {
		mark := " "
		switch {
		case s == now:
			mark = "▶"
		case visited[s]:
			mark = "✓"
		}
		var to []itsm.State
		for _, next := range w.lifecycle.Permitted(s) {
			if next != s && !slices.Contains(to, next) {
				to = append(to, next)
			}
		}
		var moves []string
		for next := range w.lifecycle.States() {
			switch {
			case !slices.Contains(to, next):
			case gone[[2]itsm.State{s, next}]:
				moves = append(moves, "["+string(next)+"]")
			default:
				moves = append(moves, string(next))
			}
		}
		if w.lifecycle.IsEnd(s) {
			moves = append(moves, "■")
		}
		n.hang(fmt.Sprintf("  %s %-*s → ", mark, longest, s), strings.Join(moves, " · "))
	}
	n.line("")
	n.hang("  "+n.text("tour.way")+" ", strings.Join(path, ", "))
	n.line("")
}
