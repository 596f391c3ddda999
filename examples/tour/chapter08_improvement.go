package main

import (
	"fmt"
	"time"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/incident"
	"github.com/go-itsm/itsm/svs"
	"github.com/go-itsm/itsm/svs/improvement"
	"github.com/go-itsm/itsm/valuechain"
)

// improving is about continual improvement: seven steps, and a figure before and after.
func improving() chapter {
	return chapter{
		name: "improvement",
		terms: []string{"continual improvement", "improvement register", "baseline", "service review", "customer satisfaction",
			"availability management", "service continuity", "information security", "risk management", "error budget"},
		file: "reached.go",
		tell: func(w *world, n *narrator) way {
			w.until(day(time.March, 18, 9, 0))
			var missed []itsm.ID
			for _, id := range w.outages {
				inc := get(w.incidents.Practice, id)
				if target, _ := inc.Targets.Find("shop", "resolution"); target.Breached() {
					missed = append(missed, id)
				}
			}
			idea, err := w.register.Open(as("sora"), improvement.Log{Title: n.text("world.idea"), Source: improvement.FromSLA, Scope: improvement.Scope{
				Service: "shop", Practice: "incident management", Activity: valuechain.Improve, Dimension: string(svs.ValueStreamsProcesses)}})
			must(err)
			w.better = idea.ID
			n.say("improvement.logged", with{"id": idea.ID, "title": idea.Title, "missed": missed})
			r := do(w, w.register.Practice, "sora", idea.ID,
				improvement.SetVision{Vision: improvement.Vision{Text: n.text("world.idea.vision")}},
				improvement.SetBaseline{Metric: downtime, Unit: "h", From: day(time.March, 2, 0, 0), To: day(time.March, 16, 0, 0)},
				improvement.SetTarget{Target: improvement.Target{Metric: downtime, Value: 1, Better: improvement.Lower, Due: day(time.April, 2, 0, 0)}},
				improvement.SetScore{Benefit: 5, Effort: 2, Risk: 1}, improvement.Assess{}, improvement.Approve{},
				improvement.SetPlan{Plan: improvement.Plan{Text: n.text("world.idea.plan"), Experiment: true}}, improvement.Start{})
			n.say("improvement.before", with{"from": n.date(r.Baseline.From), "to": n.date(r.Baseline.To), "hours": r.Baseline.Value, "target": r.Target.Value, "due": n.date(r.Target.Due)})

			// The observation of the fix ends, and something else fails.
			w.until(day(time.March, 20, 11, 0))
			other, err := w.incidents.Open(as("jin"), incident.Report{Title: n.text("world.slow"), Service: "shop", Category: "slow", Impact: itsm.MediumImpact, Urgency: itsm.MediumUrgency, Started: w.now})
			must(err)
			do(w, w.incidents.Practice, "mia", other.ID, incident.Start{})
			w.after(24 * time.Minute)
			do(w, w.incidents.Practice, "mia", other.ID, incident.Resolve{Code: incident.Fixed, Note: n.text("world.slow.note")})
			w.until(day(time.April, 1, 9, 0))
			p := get(w.problems.Practice, w.problem)
			n.say("improvement.observed", with{"id": p.ID, "state": p.State, "until": p.Observation.Until, "known": w.known, "error": get(w.errors.Practice, w.known).State})
			for entry, err := range w.incidents.Journal(as("jin"), w.outages[0], true) {
				must(err)
				n.quote(string(w.outages[0]) + ": “" + entry.Text + "”")
			}
			n.line("")
			r = do(w, w.register.Practice, "sora", w.better,
				improvement.Measure{Metric: downtime, Unit: "h", From: day(time.March, 18, 0, 0), To: day(time.April, 1, 0, 0)})
			result, _ := r.Result()
			n.say("improvement.after", with{"id": other.ID, "before": result.Before, "after": result.After, "target": result.Target, "share": fmt.Sprintf("%.0f", 100*result.Share)})
			r = do(w, w.register.Practice, "sora", w.better, improvement.Close{Lessons: n.text("world.idea.lessons")})
			for step := improvement.WhatIsTheVision; step <= improvement.HowDoWeKeepTheMomentum; step++ {
				done := " "
				if r.Done(step) {
					done = "✓"
				}
				n.line(fmt.Sprintf("  %s %d. %s", done, int(step), n.text(fmt.Sprintf("improvement.step.%d", int(step)))))
			}
			n.line("")
			n.say("improvement.outcome", with{"outcome": r.Outcome, "skipped": len(r.Skipped())})
			n.lines(w, history(w.register.Practice, w.better), 0)
			return history(w.register.Practice, w.better)
		},
		check: func(c *checker, a answers) {
			for _, x := range []struct {
				key                        string
				baseline, target, measured float64
				reached                    bool
			}{
				{"improvement.wrong.better", 6, 1, 4, false},
				{"improvement.wrong.exact", 6, 1, 1, true},
				{"improvement.wrong.worse", 6, 1, 7, false},
				{"improvement.wrong.there", 0.5, 1, 0.5, true},
			} {
				c.ok(a.Reached(x.baseline, x.target, x.measured) == x.reached, x.key, with{"baseline": x.baseline, "target": x.target, "measured": x.measured})
			}
		},
	}
}
