package main

import (
	"fmt"
	"time"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/change"
	"github.com/go-itsm/itsm/examples/tour/exercises"
	"github.com/go-itsm/itsm/incident"
	"github.com/go-itsm/itsm/knowledge"
	"github.com/go-itsm/itsm/problem"
	"github.com/go-itsm/itsm/sla"
	"github.com/go-itsm/itsm/svs"
)

// Answers are one function for each exercise: the learner's, or those of a test.
type answers struct {
	Deadline   func(hours *sla.Hours, ordered time.Time, goal time.Duration) time.Time
	Restore    func() []itsm.Action[incident.Incident]
	SameAgain  func(a, b incident.Incident) bool
	Cause      func() problem.Cause
	Resolution func(inc incident.Incident) incident.Resolve
	Window     func(schedule *change.Calendar, c change.Planned, until time.Time) change.Span
	Improve    func(text knowledge.Content) knowledge.Content
	Reached    func(baseline, target, measured float64) bool
	Efficiency func(steps []exercises.StepTime) float64
	Unseen     func(answered map[svs.Dimension]int) []svs.Dimension
	Decide     func() svs.Decision
	Delivered  func(hours *sla.Hours, week sla.Period, outages []sla.Period) float64
}

// mine are the learner's.
func mine() answers {
	return answers{
		Deadline: exercises.Deadline, Restore: exercises.Restore, SameAgain: exercises.SameAgain, Cause: exercises.Cause,
		Resolution: exercises.Resolution, Window: exercises.Window, Improve: exercises.Improve, Reached: exercises.Reached,
		Efficiency: exercises.Efficiency, Unseen: exercises.Unseen, Decide: exercises.Decide, Delivered: exercises.Delivered,
	}
}

// A checker looks at an answer and says what is wrong with it.
type checker struct {
	n *narrator
	w *world
	// wrong is what was said.
	wrong []string
}

// ok says what is wrong unless it is right.
func (c *checker) ok(right bool, key string, values ...with) {
	if !right {
		c.wrong = append(c.wrong, c.n.text(key, values...))
	}
}

// library says what the library refuses.
func (c *checker) library(err error) {
	for _, f := range itsm.Findings(err) {
		c.wrong = append(c.wrong, "“"+f.Error()+"”")
	}
}

// judge looks at the answer to the exercise of a chapter, says what is wrong with it
// and gives a hint, and reports whether nothing is.
func (n *narrator) judge(number int, a answers) bool {
	c := chapters()[number-1]
	wrong := n.look(c, a)
	if len(wrong) == 0 {
		n.say("check.right", with{"number": number, "title": n.text(c.name + ".title")})
		return true
	}
	n.say("check.wrong", with{"number": number, "file": "examples/tour/exercises/" + c.file})
	for _, text := range wrong {
		n.quote(text)
	}
	n.line("")
	n.hang(n.text("check.hint")+" ", n.text(c.name+".hint"))
	return false
}

// look returns what is wrong with an answer. An answer that panics is wrong as well.
func (n *narrator) look(c chapter, a answers) (wrong []string) {
	checker := &checker{n: n, w: newWorld(n.words)}
	defer func() {
		if r := recover(); r != nil {
			wrong = append(checker.wrong, n.text("check.panic", with{"reason": fmt.Sprint(r)}))
		}
	}()
	c.check(checker, a)
	return checker.wrong
}
