package itsm

import (
	"fmt"
	"slices"
	"strings"

	"github.com/go-itsm/itsm/internal/short"
)

// verify proves what [NewLifecycle] promises, or lists everything that cannot
// be proved.
func verify(s LifecycleSpec) error {
	var v Validation
	named := func(field, name, marks, allowed string) {
		if name == "" {
			v.Check(false, field, "must not be empty")
			return
		}
		v.Check(isName(name, marks), field, fmt.Sprintf("must be a name of letters, digits%s, is %q", allowed, short.Text(name)))
	}
	action := func(field, a string) { named(field, a, "_.-", ", _, . and -") }
	action("name", s.Name)
	action("create", s.Create)
	v.Check(len(s.States) > 0, "states", "must not be empty")
	v.Check(len(s.Ends) > 0, "ends", "must not be empty")

	declared := map[State]bool{}
	for i, state := range s.States {
		field := fmt.Sprintf("states[%d]", i)
		named(field, string(state), "_", " and _")
		v.Check(!declared[state], field, fmt.Sprintf("declares %q twice", short.Text(state)))
		declared[state] = true
	}
	known := func(field string, state State) {
		v.Check(declared[state], field, fmt.Sprintf("names the unknown state %q", short.Text(state)))
	}
	known("initial", s.Initial)
	isEnd := map[State]bool{}
	for i, end := range s.Ends {
		known(fmt.Sprintf("ends[%d]", i), end)
		v.Check(!isEnd[end], fmt.Sprintf("ends[%d]", i), fmt.Sprintf("declares %q twice", short.Text(end)))
		isEnd[end] = true
	}
	spared := map[State]bool{}
	for i, state := range s.NoCancel {
		field := fmt.Sprintf("no_cancel[%d]", i)
		known(field, state)
		v.Check(s.Cancel != "", field, "is spared from nothing: there is no cancel")
		spared[state] = true
	}

	type edge struct {
		from   State
		action string
	}
	leads := map[edge]State{}
	forward, backward := map[State][]State{}, map[State][]State{}
	for i, t := range s.Transitions {
		field := fmt.Sprintf("transitions[%d]", i)
		action(field+".action", t.Action)
		v.Check(t.Action != s.Create || s.Create == "", field+".action", fmt.Sprintf("is %q, which creates records", short.Text(t.Action)))
		v.Check(len(t.From) > 0, field+".from", "must not be empty")
		if t.To != "" {
			known(field+".to", t.To)
		}
		for j, from := range t.From {
			known(fmt.Sprintf("%s.from[%d]", field, j), from)
			to := t.To
			if to == "" {
				to = from
			}
			e := edge{from, t.Action}
			if other, twice := leads[e]; twice {
				v.Check(false, fmt.Sprintf("%s.from[%d]", field, j),
					fmt.Sprintf("makes %q ambiguous in %q: it leads to %q already", short.Text(t.Action), short.Text(from), short.Text(other)))
				continue
			}
			leads[e] = to
			forward[from] = append(forward[from], to)
			backward[to] = append(backward[to], from)
		}
	}

	reached := walk(forward, s.Initial)
	ending := walk(backward, s.Ends...)
	for i, state := range s.States {
		field := fmt.Sprintf("states[%d]", i)
		v.Check(reached[state], field, fmt.Sprintf("%q cannot be reached from %q", short.Text(state), short.Text(s.Initial)))
		v.Check(ending[state], field, fmt.Sprintf("%q is a trap: no end can be reached from it", short.Text(state)))
		if s.Cancel != "" && !isEnd[state] && !spared[state] {
			to, ok := leads[edge{state, s.Cancel}]
			v.Check(ok, field, fmt.Sprintf("%q does not permit %q", short.Text(state), short.Text(s.Cancel)))
			v.Check(!ok || isEnd[to], field, fmt.Sprintf("%q does not end with %q", short.Text(state), short.Text(s.Cancel)))
		}
	}
	return v.Err()
}

// walk returns every state that can be reached from the given ones.
func walk(next map[State][]State, from ...State) map[State]bool {
	seen := map[State]bool{}
	for todo := slices.Clone(from); len(todo) > 0; {
		state := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if !seen[state] {
			seen[state] = true
			todo = append(todo, next[state]...)
		}
	}
	return seen
}

// isName reports whether a text can be a name of a state or an action: ASCII
// letters and digits and the given marks. It goes into diagrams, events and
// other systems' columns as it is.
func isName(s, marks string) bool {
	for _, c := range []byte(s) {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', strings.IndexByte(marks, c) >= 0:
		default:
			return false
		}
	}
	return s != "" && len(s) <= 64
}
