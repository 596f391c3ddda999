package problem

import (
	"fmt"
	"slices"
	"strings"

	"github.com/go-itsm/itsm"
)

// An Ishikawa diagram gathers possible causes of an effect by category, so that none is
// forgotten because another was thought of first.
type Ishikawa struct {
	Effect string `json:"effect"`
	Bones  []Bone `json:"bones"`
}

// A Bone is a category and what was thought of in it. The four [Dimensions] are
// categories that leave little out; a host may use others.
type Bone struct {
	Category string     `json:"category"`
	Causes   []Possible `json:"causes,omitempty"`
}

// A Possible cause, and what may lie behind it.
type Possible struct {
	Cause string `json:"cause"`
	// Verdict says what became of it.
	Verdict Verdict `json:"verdict,omitempty"`
	// Evidence is why.
	Evidence string     `json:"evidence,omitempty"`
	Causes   []Possible `json:"causes,omitempty"`
}

// A Verdict says what became of a possible cause.
type Verdict string

const (
	// Untested is the zero value: nobody has looked yet.
	Untested Verdict = ""
	// Confirmed is a cause.
	Confirmed Verdict = "confirmed"
	// RuledOut is none.
	RuledOut Verdict = "ruled_out"
)

// NewIshikawa returns a diagram with the four dimensions of service management as its
// bones.
func NewIshikawa(effect string) Ishikawa {
	d := Ishikawa{Effect: effect}
	for _, dimension := range Dimensions() {
		d.Bones = append(d.Bones, Bone{Category: string(dimension)})
	}
	return d
}

// Validate returns an [itsm.ErrInvalid] with everything that is wrong with the diagram.
func (d Ishikawa) Validate() error {
	var v itsm.Validation
	v.Text("effect", d.Effect, 1, maxNote)
	v.Check(len(d.Bones) > 0 && len(d.Bones) <= maxItems, "bones", fmt.Sprintf("must be 1 to %d", maxItems))
	n := 0
	var walk func(path string, all []Possible, depth int)
	walk = func(path string, all []Possible, depth int) {
		n += len(all)
		if depth > maxDepth || n > maxBranch {
			return
		}
		for i, c := range all {
			at := fmt.Sprintf("%s[%d]", path, i)
			v.Text(at+".cause", c.Cause, 1, maxNote)
			v.Text(at+".evidence", c.Evidence, 0, maxNote)
			v.Check(slices.Contains([]Verdict{Untested, Confirmed, RuledOut}, c.Verdict), at+".verdict",
				fmt.Sprintf("must be confirmed, ruled_out or empty, is %q", c.Verdict))
			v.Check(depth < maxDepth || len(c.Causes) == 0, at+".causes", fmt.Sprintf("must be at most %d deep", maxDepth))
			walk(at+".causes", c.Causes, depth+1)
		}
	}
	for i, bone := range d.Bones {
		at := fmt.Sprintf("bones[%d]", i)
		v.Text(at+".category", bone.Category, 1, maxName)
		v.Check(!slices.ContainsFunc(d.Bones[:i], func(o Bone) bool { return o.Category == bone.Category }), at+".category",
			fmt.Sprintf("%q is there twice", bone.Category))
		walk(at+".causes", bone.Causes, 1)
	}
	v.Check(n <= maxBranch, "bones", fmt.Sprintf("must have at most %d causes", maxBranch))
	return v.Err()
}

// each calls f for every bone, with depth 0, and every cause below it.
func (d Ishikawa) each(f func(where string, depth int, bone Bone, c Possible)) {
	for i, bone := range d.Bones {
		at := fmt.Sprintf("bones[%d]", i)
		f(at, 0, bone, Possible{})
		var walk func(path string, depth int, all []Possible)
		walk = func(path string, depth int, all []Possible) {
			for i, c := range all {
				at := fmt.Sprintf("%s[%d]", path, i)
				f(at, depth, bone, c)
				walk(at+".causes", depth+1, c.Causes)
			}
		}
		walk(at+".causes", 1, bone.Causes)
	}
}

// marks says what one cause, or, with depth 0, one bone, lacks.
func (c Possible) marks(where string, depth int, bone Bone) []Mark {
	switch {
	case depth == 0 && len(bone.Causes) == 0:
		return []Mark{{where, "is empty: nobody has thought about it"}}
	case depth == 0 || c.Verdict == Untested && !Prompt(c.Cause):
		return nil
	case c.Verdict == Untested:
		return source{where, c.Cause, "-", len(c.Causes) == 0}.marks()
	case c.Verdict == RuledOut:
		return source{where, "", c.Evidence, false}.marks()
	}
	return source{where, c.Cause, c.Evidence, len(c.Causes) == 0}.marks()
}

// Marks lists the categories that nobody has thought about, the verdicts without
// evidence, and the ends at which only somebody is blamed.
func (d Ishikawa) Marks() []Mark {
	var all []Mark
	d.each(func(where string, depth int, bone Bone, c Possible) {
		all = append(all, c.marks(where, depth, bone)...)
	})
	return all
}

// Mermaid draws the diagram as a flowchart: the bones lead to the effect.
func (d Ishikawa) Mermaid() string {
	var b strings.Builder
	fmt.Fprintf(&b, "flowchart LR\n    e[\"%s\"]\n", label(d.Effect))
	parents, n := []string{}, 0
	d.each(func(where string, depth int, bone Bone, c Possible) {
		id, to := fmt.Sprintf("c%d", n), "e"
		n++
		text := label(c.Cause)
		if depth == 0 {
			text = label(bone.Category)
		} else {
			to = parents[depth-1]
		}
		parents = append(parents[:depth], id)
		if c.Verdict != Untested {
			text += "<br/>" + label(string(c.Verdict))
		}
		for _, m := range c.marks(where, depth, bone) {
			text += "<br/>(" + label(m.Text) + ")"
		}
		fmt.Fprintf(&b, "    %s[\"%s\"] --> %s\n", id, text, to)
	})
	return b.String()
}

// String prints the diagram, a category or cause a line.
func (d Ishikawa) String() string {
	var b strings.Builder
	b.WriteString(oneLine(d.Effect) + "\n")
	d.each(func(where string, depth int, bone Bone, c Possible) {
		indent := strings.Repeat("  ", depth+1)
		if depth == 0 {
			fmt.Fprintf(&b, "%s%s:\n", indent, oneLine(bone.Category))
		} else {
			fmt.Fprintf(&b, "%s%s", indent, oneLine(c.Cause))
			if c.Verdict != Untested {
				fmt.Fprintf(&b, ": %s", c.Verdict)
			}
			if c.Evidence != "" {
				fmt.Fprintf(&b, " [%s]", oneLine(c.Evidence))
			}
			b.WriteByte('\n')
		}
		for _, m := range c.marks(where, depth, bone) {
			fmt.Fprintf(&b, "%s  ! %s\n", indent, m.Text)
		}
	})
	return b.String()
}
