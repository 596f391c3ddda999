package change

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/sla"
)

// A RiskLevel is what a risk comes to. Levels have names and no numbers, because
// products count them in both directions.
type RiskLevel string

// The levels, from the least to the greatest.
const (
	LowRisk      RiskLevel = "low"
	MediumRisk   RiskLevel = "medium"
	HighRisk     RiskLevel = "high"
	VeryHighRisk RiskLevel = "very_high"
)

// RiskLevels lists the levels, the least first.
func RiskLevels() []RiskLevel { return []RiskLevel{LowRisk, MediumRisk, HighRisk, VeryHighRisk} }

func (l RiskLevel) known() bool { return slices.Contains(RiskLevels(), l) }

// AtMost reports whether the level is known and not greater than another.
func (l RiskLevel) AtMost(other RiskLevel) bool {
	i := slices.Index(RiskLevels(), l)
	return i >= 0 && i <= slices.Index(RiskLevels(), other)
}

// A Risk is what may go wrong with a change, and how that was found out.
type Risk struct {
	Level RiskLevel `json:"level"`
	// Score is the sum of the points of Reasons.
	Score   int          `json:"score"`
	Reasons []RiskReason `json:"reasons,omitempty"`
	// Answers are those to the questions of the policy, by their names.
	Answers map[string]string `json:"answers,omitempty"`
	// Policy is the version by which it was assessed: "default@1".
	Policy string `json:"policy,omitempty"`
	// Override says why the level is not that of the score.
	Override string    `json:"override,omitempty"`
	By       string    `json:"by,omitempty"`
	At       time.Time `json:"at,omitzero"`
}

// A RiskReason is one thing that makes a risk greater, or, with points below 0,
// smaller.
type RiskReason struct {
	Name   string `json:"name"`
	Points int    `json:"points"`
}

// String explains the risk in a line.
func (r Risk) String() string {
	s := fmt.Sprintf("%s, %d points", r.Level, r.Score)
	for i, reason := range r.Reasons {
		s += cmp.Or(map[int]string{0: ": "}[i], ", ") + fmt.Sprintf("%s %+d", reason.Name, reason.Points)
	}
	if r.Override != "" {
		s += "; set by hand: " + r.Override
	}
	return s
}

// A RiskPolicy says how a risk is assessed, as data: questions that people answer,
// and conditions on what is known. Each adds points, and the sum gives the level.
//
// Conditions may ask for these facts: type, model (the name), category, template,
// initiator, services and cis (how many: "none", "one", "few" up to five, "many"),
// criticality (the highest of its services, [Config].Criticality), plan,
// back_out_plan and test_plan ("yes" if there is one), conflict ("yes" if its window
// collides with something), history ("none", "good", "mixed" or "bad": how changes
// from the same template, or of the same services and CIs, went; [Track.Grade]),
// answers as "answer.impact", and the host's own fields by their names.
type RiskPolicy struct {
	Name      string      `json:"name"`
	Version   int         `json:"version"`
	Questions []Question  `json:"questions,omitempty"`
	Factors   []Factor    `json:"factors,omitempty"`
	Levels    []LevelRule `json:"levels"`
}

// A Question is something that only people know.
type Question struct {
	Name    string   `json:"name"`
	Text    string   `json:"text"`
	Answers []Answer `json:"answers"`
	// Required says that it must be answered.
	Required bool `json:"required,omitempty"`
}

// An Answer is a possible one, and its points.
type Answer struct {
	Value  string `json:"value"`
	Text   string `json:"text,omitempty"`
	Points int    `json:"points,omitempty"`
}

// A Factor is a condition that makes a risk greater, or, with points below 0,
// smaller.
type Factor struct {
	Name   string        `json:"name"`
	When   sla.Condition `json:"when"`
	Points int           `json:"points"`
}

// A LevelRule says from how many points on the level is this one. What is below
// the first has the first.
type LevelRule struct {
	Level RiskLevel `json:"level"`
	From  int       `json:"from"`
}

// Ref names a policy's version: "default@1".
func (p RiskPolicy) Ref() string { return p.Name + "@" + strconv.Itoa(p.Version) }

// maxPoints keeps sums of points far from what an int holds.
const maxPoints = 1_000_000

// Validate returns an [itsm.ErrInvalid] with everything that is wrong with the
// policy.
func (p RiskPolicy) Validate() error {
	var v itsm.Validation
	v.Text("name", p.Name, 1, maxName)
	v.Check(p.Version >= 0, "version", "must not be negative")
	points := func(field string, n int) {
		v.Check(n >= -maxPoints && n <= maxPoints, field, fmt.Sprintf("must be from -%d to %[1]d", maxPoints))
	}
	v.Check(len(p.Questions) <= maxQuestions, "questions", fmt.Sprintf("must be at most %d", maxQuestions))
	v.Check(len(p.Factors) <= maxQuestions, "factors", fmt.Sprintf("must be at most %d", maxQuestions))
	for i, q := range p.Questions {
		field := fmt.Sprintf("questions[%d]", i)
		v.Text(field+".name", q.Name, 1, maxName)
		v.Check(!slices.ContainsFunc(p.Questions[:i], func(o Question) bool { return o.Name == q.Name }), field+".name", fmt.Sprintf("%q is there twice", q.Name))
		v.Check(len(q.Answers) > 0, field+".answers", "must not be empty")
		for j, a := range q.Answers {
			at := fmt.Sprintf("%s.answers[%d]", field, j)
			v.Text(at+".value", a.Value, 1, maxName)
			v.Check(!slices.ContainsFunc(q.Answers[:j], func(o Answer) bool { return o.Value == a.Value }), at+".value", fmt.Sprintf("%q is there twice", a.Value))
			points(at+".points", a.Points)
		}
	}
	for i, f := range p.Factors {
		field := fmt.Sprintf("factors[%d]", i)
		v.Text(field+".name", f.Name, 1, maxName)
		v.Check(len(f.When) > 0, field+".when", "must not be empty")
		points(field+".points", f.Points)
	}
	v.Check(len(p.Levels) > 0, "levels", "must not be empty")
	for i, l := range p.Levels {
		field := fmt.Sprintf("levels[%d]", i)
		v.Check(l.Level.known(), field+".level", fmt.Sprintf("must be low, medium, high or very_high, is %q", l.Level))
		if i > 0 {
			before := p.Levels[i-1]
			v.Check(before.From < l.From, field+".from", "must be more than that of the level before")
			v.Check(!l.Level.known() || !l.Level.AtMost(before.Level), field+".level", "must be greater than the level before")
		}
	}
	return v.Err()
}

// ParseRiskPolicy reads the JSON form of a policy. It returns an [itsm.ErrInvalid]
// with every finding, as [itsm.ParseJSON] and [RiskPolicy.Validate] have them.
func ParseRiskPolicy(data []byte) (RiskPolicy, error) { return itsm.ParseJSON[RiskPolicy](data) }

// Assess scores a risk from answers and facts: pure, and each point explained. It
// returns an [itsm.ErrInvalid] with every finding: questions that are not the
// policy's or not answered, answers that are none of theirs.
func (p RiskPolicy) Assess(facts sla.Facts, answers map[string]string) (Risk, error) {
	var v itsm.Validation
	risk := Risk{Policy: p.Ref()}
	if len(answers) > 0 {
		risk.Answers = maps.Clone(answers)
	}
	add := func(name string, points int) {
		if points != 0 {
			risk.Reasons = append(risk.Reasons, RiskReason{name, points})
			risk.Score += points
		}
	}
	asked := map[string]bool{}
	for _, q := range p.Questions {
		asked[q.Name] = true
		value, answered := answers[q.Name]
		i := slices.IndexFunc(q.Answers, func(a Answer) bool { return a.Value == value })
		switch {
		case !answered:
			v.Check(!q.Required, "answers."+q.Name, "must be given")
		case i < 0:
			v.Check(false, "answers."+q.Name, fmt.Sprintf("%q is none of its answers", value))
		default:
			add(q.Name+": "+value, q.Answers[i].Points)
		}
	}
	for _, name := range keys(answers) {
		v.Check(asked[name], "answers."+name, "is no question of the policy")
	}
	for _, f := range p.Factors {
		if f.When.Holds(withAnswers{facts, answers}) {
			add(f.Name, f.Points)
		}
	}
	for i, l := range p.Levels {
		if i == 0 || risk.Score >= l.From {
			risk.Level = l.Level
		}
	}
	return risk, v.Err()
}

// withAnswers are facts with the answers among them.
type withAnswers struct {
	sla.Facts
	answers map[string]string
}

func (f withAnswers) Fact(name string) string {
	const prefix = "answer."
	if len(name) > len(prefix) && name[:len(prefix)] == prefix {
		return f.answers[name[len(prefix):]]
	}
	return f.Facts.Fact(name)
}

// DefaultRiskPolicy returns the policy that a host has unless it brings its own.
// It asks how likely it is to go wrong and who would feel it, and weighs what is
// known: how critical the services are, how much is touched, whether there is a way
// back, and how such changes went before.
func DefaultRiskPolicy() RiskPolicy {
	yes := []string{"yes"}
	return RiskPolicy{
		Name: "default", Version: 1,
		Questions: []Question{
			{Name: "likelihood", Text: "How likely is it to go wrong?", Answers: []Answer{
				{Value: "rare"}, {Value: "possible", Points: 2}, {Value: "likely", Points: 4}}},
			{Name: "impact", Text: "Who would feel it?", Answers: []Answer{
				{Value: "nobody"}, {Value: "some", Points: 2}, {Value: "everybody", Points: 4}}},
			{Name: "technology", Text: "Is the technology new to those who do it?", Answers: []Answer{
				{Value: "known"}, {Value: "new", Points: 2}}},
			{Name: "rehearsed", Text: "Was it rehearsed, or is it rolled out in small steps?", Answers: []Answer{
				{Value: "no"}, {Value: "yes", Points: -2}}},
		},
		Factors: []Factor{
			{Name: "critical service", When: sla.Condition{"criticality": {"high", "critical"}}, Points: 3},
			{Name: "several configuration items", When: sla.Condition{"cis": {"few"}}, Points: 1},
			{Name: "many configuration items", When: sla.Condition{"cis": {"many"}}, Points: 2},
			{Name: "no back-out plan", When: sla.Condition{"back_out_plan": {""}}, Points: 3},
			{Name: "no test plan", When: sla.Condition{"test_plan": {""}}, Points: 1},
			{Name: "collides with something", When: sla.Condition{"conflict": yes}, Points: 2},
			{Name: "such changes failed before", When: sla.Condition{"history": {"bad"}}, Points: 3},
			{Name: "such changes had a failure", When: sla.Condition{"history": {"mixed"}}, Points: 1},
			{Name: "such changes went well", When: sla.Condition{"history": {"good"}}, Points: -1},
			{Name: "cannot wait", When: sla.Condition{"type": {string(Emergency)}}, Points: 2},
		},
		Levels: []LevelRule{{LowRisk, 0}, {MediumRisk, 3}, {HighRisk, 7}, {VeryHighRisk, 11}},
	}
}
