package main

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/go-itsm/itsm/examples/tour/exercises"
	"github.com/go-itsm/itsm/incident"
	"github.com/go-itsm/itsm/valuechain"
)

// flowing is about the value stream: how the work of the month flowed from demand to
// value.
func flowing() chapter {
	return chapter{
		name: "flow",
		terms: []string{"service value chain", "value stream", "plan", "improve", "engage", "design and transition", "obtain/build", "deliver and support",
			"throughput", "lead time", "bottleneck", "work in progress", "capacity and performance management"},
		file: "efficiency.go",
		tell: func(w *world, n *narrator) way {
			run, err := valuechain.NewRun(valuechain.RestorationStream(), valuechain.Options{})
			must(err)
			moves := valuechain.LogBuilder{Label: valuechain.ByMove}
			restoring := []string{"incident", "problem", "change"}
			for _, e := range w.events() {
				if slices.Contains(restoring, e.Practice) {
					run.Add(e)
				}
				if e.Practice == "incident" {
					moves.Add(e)
				}
			}
			from, to := day(time.March, 2, 0, 0), day(time.April, 1, 0, 0)
			report := run.Report(from, to)
			n.say("flow.stream", with{"from": n.date(from), "to": n.date(to), "arrived": report.Whole.Arrived, "finished": report.Whole.Finished})
			rows := [][]string{{n.text("flow.head.step"), n.text("flow.head.activity"), n.text("flow.head.finished"), n.text("flow.head.lead"), n.text("flow.head.process"), n.text("flow.head.usable")}}
			share := func(v float64, ok bool) string {
				if !ok {
					return "–"
				}
				return fmt.Sprintf("%.1f %%", 100*v)
			}
			length := func(s valuechain.Spread) string {
				if s.N == 0 {
					return "–"
				}
				return n.length(s.Mean)
			}
			for _, s := range report.Steps {
				activity, _ := n.words.term(activityTerm(s.Activity))
				rows = append(rows, []string{n.text("flow.step." + s.Step), n.name(activity), fmt.Sprint(s.Finished), length(s.Lead), length(s.Process), share(s.Usable.Value())})
			}
			n.rows(rows)
			efficiency, known := report.Whole.Efficiency()
			little, _ := report.Whole.Little()
			n.say("flow.figures", with{"lead": report.Whole.Lead.Mean, "median": report.Whole.Lead.Median, "efficiency": share(efficiency, known), "wip": report.Whole.WIP, "little": little})
			if report.Constraint != nil {
				n.say("flow.constraint", with{"step": n.text("flow.step." + report.Constraint.Step), "share": share(report.Constraint.Share, true)})
			}
			n.say("flow.mined")
			for _, v := range valuechain.Variants(moves.Log()) {
				n.quote(fmt.Sprintf("%d × %s", len(v.Cases), strings.Join(v.Activities, " → ")))
			}
			n.line("")
			conformance := valuechain.Conform(incident.DefaultLifecycle(), moves.Log(), valuechain.ConformOptions{Open: true})
			n.say("flow.conform", with{"fitting": conformance.Fitting, "cases": conformance.Cases, "fitness": conformance.Fitness()})
			return history(w.incidents.Practice, w.outages[0])
		},
		check: func(c *checker, a answers) {
			steps := []exercises.StepTime{{Lead: 4 * time.Hour, Process: 2 * time.Hour}, {Lead: 36 * time.Hour, Process: time.Hour}}
			got := a.Efficiency(steps)
			c.ok(math.Abs(got-0.075) < 1e-9, "flow.wrong", with{"got": fmt.Sprintf("%.1f %%", 100*got)})
			got = a.Efficiency(nil)
			c.ok(got == 0, "flow.wrong.nothing", with{"got": fmt.Sprint(got)})
		},
	}
}

// activityTerm is what the glossary calls an activity.
func activityTerm(a valuechain.Activity) string {
	longer := map[valuechain.Activity]string{
		valuechain.DesignTransition: "design and transition", valuechain.ObtainBuild: "obtain/build", valuechain.DeliverSupport: "deliver and support",
	}
	return cmp.Or(longer[a], string(a))
}

// name is what a term is called in the language of the story, without what else it is
// called.
func (n *narrator) name(t term) string {
	if n.words.lang == "ko" {
		ko, _, _ := strings.Cut(t.ko, " (")
		return ko
	}
	return t.en
}
