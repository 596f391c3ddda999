package itsm

import (
	"fmt"
	"slices"
	"strings"
)

// arrow is one line of a diagram: every action that leads from one state to
// another.
type arrow struct {
	from, to State
	actions  []string
}

// arrows lists the moves between states in the order of the table. Actions that
// stay in their state are left out: they would hide the shape.
func (l *Lifecycle) arrows() []arrow {
	var all []arrow
	for _, from := range l.spec.States {
		for _, to := range l.spec.States {
			a := arrow{from: from, to: to}
			for _, m := range l.rows[from] {
				if m.to == to && from != to {
					a.actions = append(a.actions, m.action)
				}
			}
			if len(a.actions) > 0 {
				all = append(all, a)
			}
		}
	}
	return all
}

// Mermaid returns the lifecycle as a Mermaid state diagram. Actions that do not
// change the state are left out. The text is the same for the same table.
func (l *Lifecycle) Mermaid() string {
	var b strings.Builder
	b.WriteString("stateDiagram-v2\n")
	fmt.Fprintf(&b, "    [*] --> %s: %s\n", l.spec.Initial, l.spec.Create)
	for _, a := range l.arrows() {
		fmt.Fprintf(&b, "    %s --> %s: %s\n", a.from, a.to, strings.Join(a.actions, " / "))
	}
	for _, end := range l.spec.Ends {
		fmt.Fprintf(&b, "    %s --> [*]\n", end)
	}
	return b.String()
}

// DOT returns the lifecycle as a Graphviz graph, with the same content as
// [Lifecycle.Mermaid].
func (l *Lifecycle) DOT() string {
	var b strings.Builder
	fmt.Fprintf(&b, "digraph %q {\n", l.spec.Name)
	b.WriteString("    rankdir=LR\n    node [shape=box, style=rounded]\n    \"\" [shape=point]\n")
	for _, s := range l.spec.States {
		if slices.Contains(l.spec.Ends, s) {
			fmt.Fprintf(&b, "    %q [peripheries=2]\n", s)
		} else {
			fmt.Fprintf(&b, "    %q\n", s)
		}
	}
	fmt.Fprintf(&b, "    \"\" -> %q [label=%q]\n", l.spec.Initial, l.spec.Create)
	for _, a := range l.arrows() {
		fmt.Fprintf(&b, "    %q -> %q [label=%q]\n", a.from, a.to, strings.Join(a.actions, "\n"))
	}
	b.WriteString("}\n")
	return b.String()
}
