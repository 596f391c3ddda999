package approval

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/go-itsm/itsm/internal/mermaid"
)

// Mermaid returns the policy as a Mermaid flowchart. The text is the same for the
// same policy.
func (p Policy) Mermaid() string {
	room := maxMembers
	return (&Reason{Name: p.Rule.Name, Tally: p.Rule.tally(), Of: p.Rule.parts(&room)}).mermaid()
}

// tally is that of a rule for which nobody has voted.
func (r *Rule) tally() *Tally { return &Tally{Need: r.Need, Base: r.Base, Sequence: r.Sequence} }

// parts are the members of a rule for which nobody has voted.
func (r *Rule) parts(room *int) []Reason {
	var parts []Reason
	for i := range r.Of {
		m := &r.Of[i]
		if *room--; *room < 0 {
			break
		}
		part := Reason{Weight: m.weight(), Veto: m.Veto}
		if m.Rule != nil {
			part.Name, part.Tally, part.Of = m.Rule.Name, m.Rule.tally(), m.Rule.parts(room)
		} else {
			part.Name = spell(m.who())
		}
		parts = append(parts, part)
	}
	return parts
}

// Mermaid returns the policy as a Mermaid flowchart in which each part has the
// colour of what it comes to. The text is the same for the same decision.
func (d Decision) Mermaid() string { return d.Why.mermaid() }

func (r *Reason) mermaid() string {
	var b strings.Builder
	b.WriteString("flowchart TD\n")
	classes, n := map[Outcome]bool{}, 0
	r.draw(&b, classes, &n)
	for _, class := range []struct {
		of    Outcome
		style string
	}{
		{Open, "fill:#fff4ce,stroke:#8a6d00"},
		{Approved, "fill:#dff6dd,stroke:#107c10"},
		{Rejected, "fill:#fde7e9,stroke:#a4262c"},
		{Expired, "fill:#e1dfdd,stroke:#605e5c"},
		{Abstained, "fill:#f3f2f1,stroke:#605e5c"},
		{Waiting, "fill:#ffffff,stroke:#605e5c,stroke-dasharray:4"},
		{Vacant, "fill:#ffffff,stroke:#a4262c,stroke-dasharray:4"},
	} {
		if classes[class.of] {
			fmt.Fprintf(&b, "    classDef %s %s\n", class.of, class.style)
		}
	}
	return b.String()
}

// draw draws the part and what is under it, and numbers them from n.
func (r *Reason) draw(b *strings.Builder, classes map[Outcome]bool, n *int) {
	id := *n
	*n++
	shape := [2]string{"[", "]"}
	if r.Tally == nil {
		shape = [2]string{"([", "])"}
	}
	fmt.Fprintf(b, "    n%d%s\"%s\"%s", id, shape[0], mermaid.Escape(r.label()), shape[1])
	if r.Outcome != "" {
		classes[r.Outcome] = true
		b.WriteString(":::" + string(r.Outcome))
	}
	b.WriteString("\n")
	for i := range r.Of {
		child := *n
		r.Of[i].draw(b, classes, n)
		var on []string
		if r.Tally != nil && r.Tally.Sequence {
			on = append(on, strconv.Itoa(i+1)+".")
		}
		if r.Of[i].Weight > 1 {
			on = append(on, "×"+strconv.FormatInt(r.Of[i].Weight, 10))
		}
		if r.Of[i].Veto {
			on = append(on, "veto")
		}
		label := ""
		if len(on) > 0 {
			label = "|" + strings.Join(on, " ") + "|"
		}
		fmt.Fprintf(b, "    n%d -->%s n%d\n", id, label, child)
	}
}
