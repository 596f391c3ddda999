package problem

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"

	"github.com/go-itsm/itsm"
)

// An Analysis is how the causes of a problem are looked for: structures, each with rules
// of its own, and not a box of text. What is nil was not done. The techniques are common
// quality literature; ITIL names them and prescribes none.
type Analysis struct {
	FiveWhys   *FiveWhys   `json:"five_whys,omitempty"`
	Ishikawa   *Ishikawa   `json:"ishikawa,omitempty"`
	FaultTree  *FaultTree  `json:"fault_tree,omitempty"`
	Comparison *Comparison `json:"comparison,omitempty"`
	Pareto     *Pareto     `json:"pareto,omitempty"`
	Timeline   *Timeline   `json:"timeline,omitempty"`
}

// A Technique is what each of the structures is.
type Technique interface {
	// Validate returns an [itsm.ErrInvalid] with everything that makes it no such
	// structure, such as a gate that nothing leads to. That cannot be recorded.
	Validate() error
	// Marks lists what it still lacks, such as evidence. That can be recorded, and
	// shows where it is printed.
	Marks() []Mark
	// Mermaid draws it as a Mermaid diagram.
	Mermaid() string
	// String prints it as text.
	String() string
}

// A Mark is something that an analysis still lacks.
type Mark struct {
	// Where is the path of what is meant: "whys[0].whys[1]".
	Where string `json:"where"`
	// Text says what is lacking, as a sentence without its subject.
	Text string `json:"text"`
}

// String is the mark in a line.
func (m Mark) String() string { return m.Where + " " + m.Text }

// part is a technique by its name in JSON.
type part struct {
	name string
	Technique
}

// parts lists what there is.
func (a Analysis) parts() []part {
	var all []part
	if a.FiveWhys != nil {
		all = append(all, part{"five_whys", *a.FiveWhys})
	}
	if a.Ishikawa != nil {
		all = append(all, part{"ishikawa", *a.Ishikawa})
	}
	if a.FaultTree != nil {
		all = append(all, part{"fault_tree", *a.FaultTree})
	}
	if a.Comparison != nil {
		all = append(all, part{"comparison", *a.Comparison})
	}
	if a.Pareto != nil {
		all = append(all, part{"pareto", *a.Pareto})
	}
	if a.Timeline != nil {
		all = append(all, part{"timeline", *a.Timeline})
	}
	return all
}

// Techniques lists the structures that there are.
func (a Analysis) Techniques() []Technique {
	var all []Technique
	for _, p := range a.parts() {
		all = append(all, p.Technique)
	}
	return all
}

// Validate returns an [itsm.ErrInvalid] with everything that is wrong with the
// structures, or if there is none.
func (a Analysis) Validate() error {
	var v itsm.Validation
	v.Check(a != Analysis{}, "", "must have at least one structure")
	for _, p := range a.parts() {
		v.Add(itsm.Under(p.name, p.Validate()))
	}
	return v.Err()
}

// ParseAnalysis reads the JSON form of an analysis. It returns an [itsm.ErrInvalid] with
// every finding, as [itsm.ParseJSON] and [Analysis.Validate] have them.
func ParseAnalysis(data []byte) (Analysis, error) { return itsm.ParseJSON[Analysis](data) }

// Marks lists what the structures still lack.
func (a Analysis) Marks() []Mark {
	var all []Mark
	for _, p := range a.parts() {
		for _, m := range p.Marks() {
			all = append(all, Mark{p.name + "." + m.Where, m.Text})
		}
	}
	return all
}

// put takes the structures of another analysis that there are.
func (a *Analysis) put(b Analysis) {
	if b.FiveWhys != nil {
		a.FiveWhys = b.FiveWhys
	}
	if b.Ishikawa != nil {
		a.Ishikawa = b.Ishikawa
	}
	if b.FaultTree != nil {
		a.FaultTree = b.FaultTree
	}
	if b.Comparison != nil {
		a.Comparison = b.Comparison
	}
	if b.Pareto != nil {
		a.Pareto = b.Pareto
	}
	if b.Timeline != nil {
		a.Timeline = b.Timeline
	}
}

// promptReason is what is said of a cause that is none.
const promptReason = "is a prompt and not a cause: what made the mistake possible, and what would have caught it?"

// Prompt reports whether a text says no more than that somebody made a mistake. That is
// where the questions begin, and not where they end.
func Prompt(text string) bool {
	words := strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	if len(words) > 6 {
		return false // it says more
	}
	said := " " + strings.Join(words, " ") + " "
	for _, phrase := range []string{
		"human error", "human mistake", "human failure", "human factor", "user error", "operator error", "pilot error",
		"carelessness", "careless", "negligence", "inattention", "made a mistake", "made an error", "forgot", "forgotten",
	} {
		if strings.Contains(said, " "+phrase+" ") {
			return true
		}
	}
	return false
}

// source is a cause, which asks for evidence, and, at the end, for more than blame.
type source struct {
	where, text, evidence string
	leaf                  bool
}

// marks says what the cause lacks.
func (s source) marks() []Mark {
	var all []Mark
	if s.evidence == "" {
		all = append(all, Mark{s.where, "has no evidence"})
	}
	if s.leaf && Prompt(s.text) {
		all = append(all, Mark{s.where, promptReason})
	}
	return all
}

// label makes a text fit for a Mermaid label in quotes: it cannot end the label, and
// says what it said.
func label(text string) string {
	var b strings.Builder
	for _, r := range text {
		switch {
		case r == '\n':
			b.WriteString("<br/>")
		case r < ' ' || r == 0x7f || r == '\u2028' || r == '\u2029':
			b.WriteByte(' ')
		case strings.ContainsRune("\"#<>&`;\\", r):
			fmt.Fprintf(&b, "#%d;", r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// oneLine makes a text fit for one line.
func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

// probability prints one.
func probability(p float64) string { return strconv.FormatFloat(p, 'g', 6, 64) }
