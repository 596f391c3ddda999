package problem

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/go-itsm/itsm"
)

// A Comparison describes a problem by what it is and what it could be and is not, after
// Kepner and Tregoe: what is distinct about the one, and what changed there, suggests
// causes; a cause is probable if it explains both sides of every row.
type Comparison struct {
	// Deviation is what is wrong with what.
	Deviation string `json:"deviation"`
	Rows      []Row  `json:"rows"`
	// Candidates are possible causes, and what testing them against the rows gave.
	Candidates []Candidate `json:"candidates,omitempty"`
}

// An Aspect is what a row asks about.
type Aspect string

// The aspects.
const (
	What   Aspect = "what"
	Where  Aspect = "where"
	When   Aspect = "when"
	Extent Aspect = "extent"
)

// Aspects lists the aspects.
func Aspects() []Aspect { return []Aspect{What, Where, When, Extent} }

// A Row compares one aspect.
type Row struct {
	Aspect Aspect `json:"aspect"`
	Is     string `json:"is"`
	IsNot  string `json:"is_not,omitempty"`
	// Distinction is what is peculiar to the one, and Change what became different
	// there.
	Distinction string `json:"distinction,omitempty"`
	Change      string `json:"change,omitempty"`
}

// A Candidate is a possible cause.
type Candidate struct {
	Cause string `json:"cause"`
	// Answers say for each row, in their order, whether the cause explains it.
	Answers []Answer `json:"answers,omitempty"`
	// Verified is how the cause was proved in the end.
	Verified string `json:"verified,omitempty"`
}

// An Answer says whether a cause explains a row: what is, and what is not.
type Answer struct {
	Explains bool `json:"explains"`
	// Assuming is what has to be true for that.
	Assuming string `json:"assuming,omitempty"`
}

// Validate returns an [itsm.ErrInvalid] with everything that is wrong with the table.
func (c Comparison) Validate() error {
	var v itsm.Validation
	v.Text("deviation", c.Deviation, 1, maxNote)
	v.Check(len(c.Rows) > 0 && len(c.Rows) <= maxBranch, "rows", fmt.Sprintf("must be 1 to %d", maxBranch))
	for i, row := range c.Rows {
		at := fmt.Sprintf("rows[%d]", i)
		v.Check(slices.Contains(Aspects(), row.Aspect), at+".aspect", fmt.Sprintf("must be what, where, when or extent, is %q", row.Aspect))
		v.Text(at+".is", row.Is, 1, maxNote)
		v.Text(at+".is_not", row.IsNot, 0, maxNote)
		v.Text(at+".distinction", row.Distinction, 0, maxNote)
		v.Text(at+".change", row.Change, 0, maxNote)
	}
	v.Check(len(c.Candidates) <= maxCauses, "candidates", fmt.Sprintf("must be at most %d", maxCauses))
	for i, one := range c.Candidates {
		at := fmt.Sprintf("candidates[%d]", i)
		v.Text(at+".cause", one.Cause, 1, maxNote)
		v.Text(at+".verified", one.Verified, 0, maxNote)
		v.Check(len(one.Answers) == 0 || len(one.Answers) == len(c.Rows), at+".answers",
			fmt.Sprintf("must be one for each of %d rows, or none, are %d", len(c.Rows), len(one.Answers)))
		for j, a := range one.Answers {
			v.Text(fmt.Sprintf("%s.answers[%d].assuming", at, j), a.Assuming, 0, maxNote)
		}
	}
	return v.Err()
}

// Probable lists the candidates that explain every row, those that need the fewest
// assumptions first.
func (c Comparison) Probable() []Candidate {
	var all []Candidate
	for _, one := range c.Candidates {
		if n, _ := one.score(); n == len(c.Rows) && n > 0 {
			all = append(all, one)
		}
	}
	slices.SortStableFunc(all, func(a, b Candidate) int {
		_, m := a.score()
		_, n := b.score()
		return cmp.Compare(m, n)
	})
	return all
}

// score counts the rows that a candidate explains, and what it assumes for that.
func (c Candidate) score() (explains, assuming int) {
	for _, a := range c.Answers {
		if a.Explains {
			explains++
			if a.Assuming != "" {
				assuming++
			}
		}
	}
	return explains, assuming
}

// Marks lists the aspects that were not described, the rows without another side, the
// candidates that were not tested, and those that only blame somebody.
func (c Comparison) Marks() []Mark {
	var all []Mark
	add := func(where, text string) { all = append(all, Mark{where, text}) }
	for _, aspect := range Aspects() {
		if !slices.ContainsFunc(c.Rows, func(r Row) bool { return r.Aspect == aspect }) {
			add("rows", fmt.Sprintf("say nothing about %q", aspect))
		}
	}
	for i, row := range c.Rows {
		if row.IsNot == "" {
			add(fmt.Sprintf("rows[%d]", i), "does not say what it could be and is not")
		}
	}
	for i, one := range c.Candidates {
		at := fmt.Sprintf("candidates[%d]", i)
		n, assuming := one.score()
		switch {
		case len(one.Answers) == 0:
			add(at, "was not tested against the rows")
		case n == len(c.Rows) && one.Verified == "":
			add(at, fmt.Sprintf("explains every row with %d assumptions and was not verified", assuming))
		}
		if Prompt(one.Cause) {
			add(at, promptReason)
		}
	}
	return all
}

// Mermaid draws the candidates and the rows that they explain; dotted is what they
// explain only under an assumption, and crossed out what they do not.
func (c Comparison) Mermaid() string {
	var b strings.Builder
	b.WriteString("flowchart LR\n")
	fmt.Fprintf(&b, "    d[\"%s\"]\n", label(c.Deviation))
	for i, row := range c.Rows {
		fmt.Fprintf(&b, "    d --- r%d[\"%s: %s<br/>not: %s\"]\n", i, row.Aspect, label(row.Is), label(cmp.Or(row.IsNot, "?")))
	}
	for i, one := range c.Candidates {
		fmt.Fprintf(&b, "    c%d([\"%s\"])\n", i, label(one.Cause))
		for j, a := range one.Answers {
			switch {
			case !a.Explains:
				fmt.Fprintf(&b, "    c%d --x r%d\n", i, j)
			case a.Assuming != "":
				fmt.Fprintf(&b, "    c%d -.->|\"%s\"| r%d\n", i, label(a.Assuming), j)
			default:
				fmt.Fprintf(&b, "    c%d --> r%d\n", i, j)
			}
		}
	}
	return b.String()
}

// String prints the table and what it comes to.
func (c Comparison) String() string {
	var b strings.Builder
	b.WriteString(oneLine(c.Deviation) + "\n")
	for _, row := range c.Rows {
		fmt.Fprintf(&b, "  %-6s is: %s; is not: %s", row.Aspect, oneLine(row.Is), oneLine(cmp.Or(row.IsNot, "?")))
		if row.Distinction != "" {
			fmt.Fprintf(&b, "; distinct: %s", oneLine(row.Distinction))
		}
		if row.Change != "" {
			fmt.Fprintf(&b, "; changed: %s", oneLine(row.Change))
		}
		b.WriteByte('\n')
	}
	for _, one := range c.Candidates {
		n, assuming := one.score()
		fmt.Fprintf(&b, "  cause? %s: explains %d of %d, assuming %d", oneLine(one.Cause), n, len(c.Rows), assuming)
		if one.Verified != "" {
			fmt.Fprintf(&b, " [%s]", oneLine(one.Verified))
		}
		b.WriteByte('\n')
	}
	for _, m := range c.Marks() {
		fmt.Fprintf(&b, "  ! %s\n", m)
	}
	return b.String()
}
