package valuechain

import (
	"fmt"
	"slices"
	"strings"

	"github.com/go-itsm/itsm/internal/mermaid"
)

// Mermaid returns the stream as a Mermaid flowchart: the steps in their order, each
// with its activity, and what they pass on; what goes back and exceptions are
// dotted. The text is the same for the same stream.
func (s Stream) Mermaid() string {
	var b strings.Builder
	b.WriteString("flowchart LR\n")
	fmt.Fprintf(&b, "    demand([\"%s: %s\"])\n", mermaid.Escape(s.Demand.Who), mermaid.Escape(s.Demand.What))
	for i := range s.Steps {
		t := &s.Steps[i]
		fmt.Fprintf(&b, "    s%d[\"%d. %s<br/>%s\"]:::%s\n", i+1, i+1, mermaid.Escape(t.title()), mermaid.Escape(string(t.Activity)), class(t.Activity))
	}
	fmt.Fprintf(&b, "    value([\"%s: %s\"])\n", mermaid.Escape(s.Value.Who), mermaid.Escape(s.Value.What))
	var others []string // who is beside the steps, by number
	node := func(name string) string {
		switch k := s.index(name); {
		case k >= 0:
			return fmt.Sprintf("s%d", k+1)
		case name == DemandNode || name == ValueNode:
			return name
		}
		k := slices.Index(others, name)
		if k < 0 {
			k = len(others)
			others = append(others, name)
			fmt.Fprintf(&b, "    o%d([\"%s\"])\n", k+1, mermaid.Escape(name))
		}
		return fmt.Sprintf("o%d", k+1)
	}
	for i := range s.Steps {
		t := &s.Steps[i]
		for _, in := range t.Inputs {
			if s.index(in.From) < 0 {
				from := node(in.From)
				fmt.Fprintf(&b, "    %s -->|\"%s\"| s%d\n", from, mermaid.Escape(in.What), i+1)
			}
		}
		for _, out := range t.Outputs {
			line := "-->"
			if out.Back {
				line = "-.->"
			}
			to := node(out.To)
			fmt.Fprintf(&b, "    s%d %s|\"%s\"| %s\n", i+1, line, mermaid.Escape(out.What), to)
		}
		for _, x := range t.Exceptions {
			if x.To != "" {
				fmt.Fprintf(&b, "    s%d -. \"%s\" .-> %s\n", i+1, mermaid.Escape(x.When), node(x.To))
			}
		}
	}
	return b.String()
}

// class is a class name for an activity, which a host styles with classDef.
func class(a Activity) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_' {
			return r
		}
		return '_'
	}, "a_"+string(a))
}
