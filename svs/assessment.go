package svs

import (
	"fmt"
	"slices"
	"time"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/internal/short"
)

// A Dimension is one of the four dimensions of service management. Whatever is looked
// at is looked at from all four.
type Dimension string

// The four dimensions of ITIL 4 (Foundation, chapter 3).
const (
	// OrganizationsPeople is structure, roles, skills and culture.
	OrganizationsPeople Dimension = "organizations_people"
	// InformationTechnology is what has to be known, and what it runs on.
	InformationTechnology Dimension = "information_technology"
	// PartnersSuppliers is who else takes part, and on which terms.
	PartnersSuppliers Dimension = "partners_suppliers"
	// ValueStreamsProcesses is how the work goes from demand to value.
	ValueStreamsProcesses Dimension = "value_streams_processes"
)

// Dimensions lists the four dimensions.
func Dimensions() []Dimension {
	return []Dimension{OrganizationsPeople, InformationTechnology, PartnersSuppliers, ValueStreamsProcesses}
}

// Title returns the dimension as people write it.
func (d Dimension) Title() string {
	switch d {
	case OrganizationsPeople:
		return "Organizations and people"
	case InformationTechnology:
		return "Information and technology"
	case PartnersSuppliers:
		return "Partners and suppliers"
	case ValueStreamsProcesses:
		return "Value streams and processes"
	}
	return string(d)
}

// A Factor is a kind of influence from outside that bears on all four dimensions:
// PESTLE.
type Factor string

// The six factors.
const (
	Political     Factor = "political"
	Economic      Factor = "economic"
	Social        Factor = "social"
	Technological Factor = "technological"
	Legal         Factor = "legal"
	Environmental Factor = "environmental"
)

// Factors lists the six factors.
func Factors() []Factor {
	return []Factor{Political, Economic, Social, Technological, Legal, Environmental}
}

// A Question is what an assessment asks about a dimension.
type Question struct {
	// Key is what answers name it by: "skills".
	Key       string    `json:"key"`
	Dimension Dimension `json:"dimension"`
	Text      string    `json:"text"`
}

// A Checklist is the questions that an assessment asks, as data: a host may have its
// own.
type Checklist struct {
	Name      string     `json:"name"`
	Version   int        `json:"version"`
	Questions []Question `json:"questions"`
}

// DefaultChecklist returns questions about each of the four dimensions. It belongs to
// the caller.
func DefaultChecklist() Checklist {
	return Checklist{Name: "four dimensions", Version: 1, Questions: []Question{
		{"structure", OrganizationsPeople, "Does the structure fit what we want to achieve?"},
		{"roles", OrganizationsPeople, "Does everybody know who decides and who answers for what?"},
		{"skills", OrganizationsPeople, "Are there enough people with the skills, and who comes after them?"},
		{"culture", OrganizationsPeople, "Do people say what goes wrong without fear?"},
		{"information", InformationTechnology, "Which information is needed and made, and is it right, safe and exchanged?"},
		{"technology", InformationTechnology, "Does the technology fit with what is there, and can we keep it up?"},
		{"automation", InformationTechnology, "What could a machine do, and do we have the skills for that?"},
		{"compliance", InformationTechnology, "Which rules apply to the data and the technology?"},
		{"dependence", PartnersSuppliers, "On whom do we depend, and what if they fail?"},
		{"contracts", PartnersSuppliers, "Do the contracts say what we need to keep our promises?"},
		{"integration", PartnersSuppliers, "Who holds the suppliers together?"},
		{"exit", PartnersSuppliers, "How would we get out?"},
		{"streams", ValueStreamsProcesses, "Which value streams deliver which offering?"},
		{"performers", ValueStreamsProcesses, "Who performs each step, and who takes over?"},
		{"waste", ValueStreamsProcesses, "Where is waiting, waste and rework?"},
		{"measures", ValueStreamsProcesses, "By which measures do we see that it works?"},
	}}
}

// Validate returns an [itsm.ErrInvalid] with everything that is wrong with a checklist.
func (c Checklist) Validate() error {
	var v itsm.Validation
	v.Text("name", c.Name, 1, maxName)
	v.Check(c.Version >= 0, "version", "must not be negative")
	v.Check(len(c.Questions) > 0 && len(c.Questions) <= 10*maxList, "questions", fmt.Sprintf("must be 1 to %d", 10*maxList))
	seen := map[string]bool{}
	for i, q := range c.Questions {
		field := fmt.Sprintf("questions[%d]", i)
		v.Text(field+".key", q.Key, 1, maxName)
		v.Check(!seen[q.Key], field+".key", "is there twice")
		seen[q.Key] = true
		v.Check(slices.Contains(Dimensions(), q.Dimension), field+".dimension", fmt.Sprintf("is none of the four: %q", short.Text(q.Dimension)))
		v.Text(field+".text", q.Text, 1, maxText)
	}
	return v.Err()
}

// The scores of an answer. 0 means that nothing was judged.
const (
	LowestScore  = 1
	HighestScore = 5
)

// An Assessment is what was found when something was looked at from all four
// dimensions, and from outside. It is plain data; a host keeps it where it belongs, for
// example with the record that it is about ([WithAssessment]).
type Assessment struct {
	// ID is the host's own.
	ID string `json:"id"`
	// Checklist and Version say which questions were asked.
	Checklist string    `json:"checklist,omitempty"`
	Version   int       `json:"version,omitempty"`
	By        string    `json:"by,omitempty"`
	At        time.Time `json:"at"`
	Answers   []Answer  `json:"answers,omitempty"`
	// Outside lists what bears on it from outside.
	Outside []Influence `json:"outside,omitempty"`
}

// An Answer is what was found about a question.
type Answer struct {
	// Question is its key.
	Question string `json:"question"`
	// Score is 1 for the worst to 5 for the best; 0 where it was not judged.
	Score int `json:"score,omitempty"`
	// NotApplicable says that the question makes no sense here, and Finding why.
	NotApplicable bool     `json:"not_applicable,omitempty"`
	Finding       string   `json:"finding,omitempty"`
	Evidence      []string `json:"evidence,omitempty"`
}

// An Influence is what a factor from outside means.
type Influence struct {
	Factor Factor `json:"factor"`
	Note   string `json:"note"`
	// On lists the dimensions that it bears on; empty means none.
	On []Dimension `json:"on,omitempty"`
}

// Validate returns an [itsm.ErrInvalid] with everything that is wrong with the record
// in itself. What it leaves open is found by [Assessment.Judge].
func (a Assessment) Validate() error {
	var v itsm.Validation
	v.Text("id", a.ID, 1, maxName)
	v.Text("by", a.By, 0, maxName)
	v.Check(!a.At.IsZero(), "at", "must be set")
	v.Check(len(a.Answers) <= 10*maxList, "answers", fmt.Sprintf("must be at most %d", 10*maxList))
	v.Check(len(a.Outside) <= maxList, "outside", fmt.Sprintf("must be at most %d", maxList))
	seen := map[string]bool{}
	for i, x := range a.Answers {
		field := fmt.Sprintf("answers[%d]", i)
		v.Text(field+".question", x.Question, 1, maxName)
		v.Check(!seen[x.Question], field+".question", "is there twice")
		seen[x.Question] = true
		v.Check(x.Score >= 0 && x.Score <= HighestScore, field+".score", fmt.Sprintf("must be %d to %d, or 0 where it was not judged", LowestScore, HighestScore))
		v.Check(!x.NotApplicable || x.Score == 0, field+".score", "must not be judged where it does not apply")
		v.Check(!x.NotApplicable || x.Finding != "", field+".finding", "must say why it does not apply")
		v.Text(field+".finding", x.Finding, 0, maxText)
		v.Check(len(x.Evidence) <= maxList, field+".evidence", fmt.Sprintf("must be at most %d", maxList))
		for j, e := range x.Evidence {
			v.Text(fmt.Sprintf("%s.evidence[%d]", field, j), e, 1, maxText)
		}
	}
	for i, x := range a.Outside {
		field := fmt.Sprintf("outside[%d]", i)
		v.Check(slices.Contains(Factors(), x.Factor), field+".factor", fmt.Sprintf("is none of the six: %q", short.Text(x.Factor)))
		v.Text(field+".note", x.Note, 1, maxText)
		for j, d := range x.On {
			v.Check(slices.Contains(Dimensions(), d), fmt.Sprintf("%s.on[%d]", field, j), fmt.Sprintf("is none of the four: %q", short.Text(d)))
		}
	}
	return v.Err()
}

// A Judgement is what an assessment comes to.
type Judgement struct {
	// Dimensions is each of the four, in their order.
	Dimensions []DimensionScore `json:"dimensions"`
	// Gaps lists what is left to be done: questions without an answer, and answers
	// below the target, in the order of the checklist.
	Gaps []Gap `json:"gaps,omitempty"`
	// Unseen lists the factors from outside that nobody looked at.
	Unseen []Factor `json:"unseen,omitempty"`
	// Unknown lists answers to questions that the checklist does not have.
	Unknown []string `json:"unknown,omitempty"`
	// Target is the score that was asked for.
	Target int `json:"target"`
}

// A DimensionScore is how one dimension stands.
type DimensionScore struct {
	Dimension Dimension `json:"dimension"`
	// Answered is how many of its questions were judged or do not apply, Asked how
	// many there are.
	Answered int `json:"answered"`
	Asked    int `json:"asked"`
	// Judged is how many have a score, Mean the mean of those; with 0 it is not
	// defined.
	Judged int     `json:"judged"`
	Mean   float64 `json:"mean,omitempty"`
	// Outside is how many influences from outside bear on it.
	Outside int `json:"outside,omitempty"`
}

// A Gap is a question that is open, or whose answer is not good enough.
type Gap struct {
	Question  string    `json:"question"`
	Dimension Dimension `json:"dimension"`
	Text      string    `json:"text"`
	// Score is the answer's; 0 if there is none.
	Score   int    `json:"score,omitempty"`
	Finding string `json:"finding,omitempty"`
}

// Judge holds the assessment against the questions of a checklist and a score to be
// reached.
func (a Assessment) Judge(c Checklist, target int) Judgement {
	j := Judgement{Target: target}
	answers := map[string]Answer{}
	for _, x := range a.Answers {
		answers[x.Question] = x
		if !slices.ContainsFunc(c.Questions, func(q Question) bool { return q.Key == x.Question }) {
			j.Unknown = append(j.Unknown, x.Question)
		}
	}
	for _, d := range Dimensions() {
		s := DimensionScore{Dimension: d}
		sum := 0
		for _, q := range c.Questions {
			if q.Dimension != d {
				continue
			}
			s.Asked++
			x := answers[q.Key]
			if x.NotApplicable || x.Score > 0 {
				s.Answered++
			}
			if x.Score > 0 {
				s.Judged++
				sum += x.Score
			}
		}
		if s.Judged > 0 {
			s.Mean = float64(sum) / float64(s.Judged)
		}
		for _, x := range a.Outside {
			if slices.Contains(x.On, d) {
				s.Outside++
			}
		}
		j.Dimensions = append(j.Dimensions, s)
	}
	for _, q := range c.Questions {
		if x := answers[q.Key]; !x.NotApplicable && x.Score < max(target, LowestScore) {
			j.Gaps = append(j.Gaps, Gap{q.Key, q.Dimension, q.Text, x.Score, x.Finding})
		}
	}
	for _, f := range Factors() {
		if !slices.ContainsFunc(a.Outside, func(x Influence) bool { return x.Factor == f }) {
			j.Unseen = append(j.Unseen, f)
		}
	}
	return j
}

// Complete reports whether every question of every dimension is answered and every
// factor from outside was looked at.
func (j Judgement) Complete() bool {
	return len(j.Unseen) == 0 && !slices.ContainsFunc(j.Dimensions, func(s DimensionScore) bool { return s.Answered < s.Asked })
}

// Radar returns the scores of the four dimensions as a chart. A dimension without a
// score stands in the middle.
func (j Judgement) Radar(title string) Radar {
	r := Radar{Title: title, Most: HighestScore}
	for _, s := range j.Dimensions {
		r.Axes = append(r.Axes, Axis{Name: s.Dimension.Title(), Value: s.Mean, Target: float64(j.Target)})
	}
	return r
}

// AssessmentsField is the name under which assessments stand in a record's own data.
const AssessmentsField = "assessments"

// AssessmentsOf reads the assessments that stand with a record. It returns an
// [itsm.ErrInvalid] if what stands there is something else.
func AssessmentsOf(m itsm.Meta) ([]Assessment, error) {
	var all []Assessment
	if err := m.Fields.Get(AssessmentsField, &all); err != nil {
		return nil, err
	}
	return all, nil
}

// WithAssessment returns the fields to set so that an assessment stands with a record:
// beside those that stand there, or in place of the one with its id; see
// [WithDecision]. It returns an [itsm.ErrInvalid] with what is wrong with the
// assessment or with what stands there.
func WithAssessment(m itsm.Meta, a Assessment) (itsm.Fields, error) {
	if err := a.Validate(); err != nil {
		return nil, err
	}
	return standWith(m, AssessmentsField, a, func(a Assessment) (time.Time, string) { return a.At, a.ID })
}
