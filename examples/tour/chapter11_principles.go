package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-itsm/itsm/change"
	"github.com/go-itsm/itsm/svs"
)

// principles is about the guiding principles: which of them applied, and why that was
// written down.
func principles() chapter {
	return chapter{
		name: "principles",
		terms: []string{"service value system", "guiding principle", "focus on value", "start where you are", "progress iteratively with feedback",
			"collaborate and promote visibility", "think and work holistically", "keep it simple and practical", "optimize and automate",
			"governance", "evaluate / direct / monitor", "practice", "practice success factor", "maturity level", "capability level"},
		file: "decide.go",
		tell: func(w *world, n *narrator) way {
			why := func(p svs.Principle) svs.Applied {
				return svs.Applied{Principle: p, Why: n.text("world.why." + string(p))}
			}
			decisions := []svs.Decision{
				{
					ID: "d-1", Title: n.text("world.decision"), Issue: n.text("world.decision.issue"),
					Options: []svs.Option{{Name: n.text("world.decision.image")}, {Name: n.text("world.decision.hand")}},
					Chosen:  n.text("world.decision.image"), Reason: n.text("world.decision.reason"),
					Principles: []svs.Applied{why(svs.FocusOnValue), why(svs.StartWhereYouAre), why(svs.ProgressIteratively), why(svs.OptimizeAndAutomate)},
					SetAside:   []svs.Applied{why(svs.KeepItSimple)}, By: "kim", At: day(time.March, 11, 9, 30),
				},
				{ID: "d-2", Title: n.text("world.decision.freeze"), Chosen: n.text("world.decision.move"), By: "noor", At: day(time.March, 11, 10, 0)},
			}
			c := get(w.changes.Practice, w.change)
			before := c.Version
			for _, d := range decisions {
				fields, err := svs.WithDecision(c.Meta, d)
				must(err)
				c = do(w, w.changes.Practice, d.By, w.change, change.SetFields{Fields: fields})
			}
			kept, err := svs.DecisionsOf(c.Meta)
			must(err)
			n.say("principles.recorded", with{"id": c.ID, "count": len(kept), "title": kept[0].Title, "chosen": kept[0].Chosen, "reason": kept[0].Reason})
			for _, a := range kept[0].Principles {
				n.point("principles.applied", with{"principle": n.title(a.Principle.Title()), "why": a.Why})
			}
			for _, a := range kept[0].SetAside {
				n.point("principles.aside", with{"principle": n.title(a.Principle.Title()), "why": a.Why})
			}
			n.line("")
			n.say("principles.unexplained")
			for _, u := range svs.Unexplained(kept, w.now) {
				n.quote(fmt.Sprintf("%s, %s: “%s”", u.ID, u.Title, strings.Join(u.Lacks, "; ")))
			}
			n.line("")
			var rows [][]string
			for _, use := range svs.PrinciplesUsed(kept) {
				rows = append(rows, []string{n.title(use.Principle.Title()), strings.Repeat("●", use.Followed) + strings.Repeat("○", use.SetAside)})
			}
			n.rows(rows)
			n.say("principles.used")
			n.lines(w, history(w.changes.Practice, w.change), before)
			return history(w.changes.Practice, w.change)
		},
		check: func(c *checker, a answers) {
			d := a.Decide()
			if err := d.Validate(); err != nil {
				c.library(err)
				return
			}
			for _, u := range svs.Unexplained([]svs.Decision{d}, d.At) {
				for _, lack := range u.Lacks {
					c.wrong = append(c.wrong, "“"+lack+"”")
				}
			}
			reasons := []string{}
			for _, applied := range slices.Concat(d.Principles, d.SetAside) {
				c.ok(applied.Why == "" || !slices.Contains(reasons, applied.Why), "principles.wrong.same", with{"why": applied.Why})
				reasons = append(reasons, applied.Why)
			}
		},
	}
}
