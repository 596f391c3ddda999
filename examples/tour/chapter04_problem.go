package main

import (
	"slices"
	"time"

	"github.com/go-itsm/itsm/problem"
)

// cause is about the problem behind the incidents: why it happens at all.
func cause() chapter {
	return chapter{
		name:  "problem",
		terms: []string{"problem control", "root cause", "known error", "error control", "technical debt"},
		file:  "cause.go",
		tell: func(w *world, n *narrator) way {
			w.until(day(time.March, 10, 9, 0))
			p := do(w, w.problems.Practice, "kim", w.problem, problem.AssessRisk{Estimate: problem.Estimate{Frequency: 12, Harm: 20 * time.Hour}}, problem.Investigate{})
			n.say("problem.risk", with{"id": p.ID, "priority": p.Priority, "cost": p.Risk.Exposure.Hours()})
			whys := problem.FiveWhys{Problem: n.text("world.why.0"), Whys: []problem.Why{{
				Because: n.text("world.why.1"), Evidence: n.text("world.why.1.evidence"), Whys: []problem.Why{
					{Because: "human error", Evidence: n.text("world.why.blame.evidence")},
					{Because: n.text("world.why.2"), Evidence: n.text("world.why.2.evidence"), Whys: []problem.Why{
						{Because: n.text("world.why.3"), Evidence: n.text("world.why.3.evidence"), Remedy: n.text("world.why.3.remedy")},
					}},
				},
			}}}
			w.after(2 * time.Hour)
			p = do(w, w.problems.Practice, "noor", w.problem, problem.Analyse{Analysis: problem.Analysis{FiveWhys: &whys}})
			n.say("problem.whys")
			n.verbatim(p.Analysis.FiveWhys.String())
			_, err := w.problems.Check(as("noor"), w.problem, problem.Identify{Causes: []problem.Cause{{Text: "human error", Evidence: n.text("world.why.blame.evidence")}}})
			n.say("problem.blame")
			n.findings(err)
			w.after(time.Hour)
			root := whys.Roots()[slices.IndexFunc(whys.Roots(), func(y problem.Why) bool { return y.Remedy != "" })]
			p = do(w, w.problems.Practice, "noor", w.problem, problem.Identify{Causes: []problem.Cause{{Text: root.Because, Evidence: root.Evidence, Dimension: problem.ValueStreamsProcesses}}})
			n.say("problem.identified", with{"id": p.ID, "state": p.State, "phase": p.Phase(), "cause": p.Causes[0].Text, "evidence": p.Causes[0].Evidence})
			n.lines(w, history(w.problems.Practice, w.problem), 1)
			return history(w.problems.Practice, w.problem)
		},
		check: func(c *checker, a answers) {
			p, err := c.w.problems.Open(as("kim"), problem.Register{Title: "shop: certificate", Services: []string{"shop"}})
			must(err)
			_ = do(c.w, c.w.problems.Practice, "kim", p.ID, problem.Investigate{})
			_, err = c.w.problems.Check(as("kim"), p.ID, problem.Identify{Causes: []problem.Cause{a.Cause()}})
			c.library(err)
		},
	}
}
