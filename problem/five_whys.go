package problem

import (
	"fmt"
	"strings"

	"github.com/go-itsm/itsm"
)

// FiveWhys asks why until something is found that can be changed. It branches where
// there is more than one reason. Five is a habit and not a rule.
type FiveWhys struct {
	// Problem is what the first question is about.
	Problem string `json:"problem"`
	// Whys are the answers to that question.
	Whys []Why `json:"whys"`
}

// A Why is one answer, and the answers to why that was so.
type Why struct {
	Because string `json:"because"`
	// Evidence is how that is known.
	Evidence string `json:"evidence,omitempty"`
	// Remedy is what can be done about it; the questions may end there.
	Remedy string `json:"remedy,omitempty"`
	Whys   []Why  `json:"whys,omitempty"`
}

// Limits of trees of causes.
const (
	maxDepth  = 20
	maxBranch = 500
)

// Validate returns an [itsm.ErrInvalid] with everything that is wrong with the tree.
func (w FiveWhys) Validate() error {
	var v itsm.Validation
	v.Text("problem", w.Problem, 1, maxNote)
	v.Check(len(w.Whys) > 0, "whys", "must not be empty")
	n := 0
	var walk func(path string, all []Why, depth int)
	walk = func(path string, all []Why, depth int) {
		n += len(all)
		if depth > maxDepth || n > maxBranch {
			return
		}
		for i, one := range all {
			at := fmt.Sprintf("%s[%d]", path, i)
			v.Text(at+".because", one.Because, 1, maxNote)
			v.Text(at+".evidence", one.Evidence, 0, maxNote)
			v.Text(at+".remedy", one.Remedy, 0, maxNote)
			v.Check(depth < maxDepth || len(one.Whys) == 0, at+".whys", fmt.Sprintf("must be at most %d deep", maxDepth))
			walk(at+".whys", one.Whys, depth+1)
		}
	}
	walk("whys", w.Whys, 1)
	v.Check(n <= maxBranch, "whys", fmt.Sprintf("must be at most %d, with those below them", maxBranch))
	return v.Err()
}

// each calls f for every answer, each before those below it.
func (w FiveWhys) each(f func(where string, depth int, y Why)) {
	var walk func(path string, depth int, all []Why)
	walk = func(path string, depth int, all []Why) {
		for i, y := range all {
			at := fmt.Sprintf("%s[%d]", path, i)
			f(at, depth, y)
			walk(at+".whys", depth+1, y.Whys)
		}
	}
	walk("whys", 1, w.Whys)
}

// marks says what one answer lacks.
func (y Why) marks(where string) []Mark {
	leaf := len(y.Whys) == 0
	all := source{where, y.Because, y.Evidence, leaf}.marks()
	if leaf && y.Remedy == "" && !Prompt(y.Because) {
		all = append(all, Mark{where, "ends without a remedy: it is not known whether it can be changed"})
	}
	return all
}

// Marks lists the answers without evidence, and the ends at which nothing can be done or
// only somebody is blamed.
func (w FiveWhys) Marks() []Mark {
	var all []Mark
	w.each(func(where string, _ int, y Why) { all = append(all, y.marks(where)...) })
	return all
}

// Roots lists the ends: the causes that can be changed.
func (w FiveWhys) Roots() []Why {
	var all []Why
	w.each(func(_ string, _ int, y Why) {
		if len(y.Whys) == 0 {
			all = append(all, y)
		}
	})
	return all
}

// Mermaid draws the tree as a flowchart, from the problem down.
func (w FiveWhys) Mermaid() string {
	var b strings.Builder
	fmt.Fprintf(&b, "flowchart TD\n    p[\"%s\"]\n", label(w.Problem))
	parents, n := []string{"p"}, 0
	w.each(func(where string, depth int, y Why) {
		id := fmt.Sprintf("w%d", n)
		n++
		parents = append(parents[:depth], id)
		text := label(y.Because)
		for _, m := range y.marks(where) {
			text += "<br/>(" + label(m.Text) + ")"
		}
		fmt.Fprintf(&b, "    %s -->|why?| %s[\"%s\"]\n", parents[depth-1], id, text)
		if y.Remedy != "" {
			fmt.Fprintf(&b, "    %s -.-> %sr([\"%s\"])\n", id, id, label(y.Remedy))
		}
	})
	return b.String()
}

// String prints the tree, an answer a line.
func (w FiveWhys) String() string {
	var b strings.Builder
	b.WriteString(oneLine(w.Problem) + "\n")
	w.each(func(where string, depth int, y Why) {
		indent := strings.Repeat("  ", depth)
		fmt.Fprintf(&b, "%swhy? %s", indent, oneLine(y.Because))
		if y.Evidence != "" {
			fmt.Fprintf(&b, " [%s]", oneLine(y.Evidence))
		}
		b.WriteByte('\n')
		if y.Remedy != "" {
			fmt.Fprintf(&b, "%s  remedy: %s\n", indent, oneLine(y.Remedy))
		}
		for _, m := range y.marks(where) {
			fmt.Fprintf(&b, "%s  ! %s\n", indent, m.Text)
		}
	})
	return b.String()
}
