package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/go-itsm/itsm/svs"
	"github.com/go-itsm/itsm/svs/improvement"
)

// dimensions is about the four dimensions: who looks at one of them only, overlooks the
// others.
func dimensions() chapter {
	return chapter{
		name:  "dimensions",
		terms: []string{"four dimensions", "organizations and people", "information and technology", "partners and suppliers", "value streams and processes", "supplier", "partner", "business analysis"},
		file:  "unseen.go",
		tell: func(w *world, n *narrator) way {
			a := svs.Assessment{ID: "asm-1", Checklist: "four dimensions", Version: 1, By: "sora", At: w.now, Answers: []svs.Answer{
				{Question: "roles", Score: 2, Finding: n.text("world.finding.roles")},
				{Question: "skills", Score: 4},
				{Question: "culture", Score: 4},
				{Question: "structure", Score: 3},
				{Question: "technology", Score: 4},
				{Question: "automation", Score: 2, Finding: n.text("world.finding.automation")},
				{Question: "information", Score: 3},
				{Question: "streams", Score: 3},
				{Question: "waste", Score: 2, Finding: n.text("world.finding.waste")},
			}, Outside: []svs.Influence{{Factor: svs.Technological, Note: n.text("world.outside"), On: []svs.Dimension{svs.InformationTechnology, svs.PartnersSuppliers}}}}
			r := get(w.register.Practice, w.better)
			fields, err := svs.WithAssessment(r.Meta, a)
			must(err)
			r = do(w, w.register.Practice, "sora", w.better, improvement.SetFields{Fields: fields})
			kept, err := svs.AssessmentsOf(r.Meta)
			must(err)
			const target = 3
			j := kept[0].Judge(svs.DefaultChecklist(), target)
			n.say("dimensions.asked", with{"id": r.ID, "assessment": kept[0].ID, "target": target})
			rows := [][]string{{n.text("dimensions.head.dimension"), n.text("dimensions.head.answered"), n.text("dimensions.head.mean"), n.text("dimensions.head.outside")}}
			for _, d := range j.Dimensions {
				mean := "–"
				if d.Judged > 0 {
					mean = fmt.Sprintf("%.1f %s", d.Mean, strings.Repeat("■", int(d.Mean+0.5)))
				}
				rows = append(rows, []string{n.dimension(d.Dimension), fmt.Sprintf("%d / %d", d.Answered, d.Asked), mean, fmt.Sprint(d.Outside)})
			}
			n.rows(rows)
			for _, x := range kept[0].Outside {
				n.point("dimensions.influence", with{"factor": n.text("dimensions.factor." + string(x.Factor)), "note": x.Note})
			}
			n.line("")
			n.say("dimensions.gaps", with{"gaps": len(j.Gaps)})
			for _, g := range j.Gaps {
				if g.Finding != "" {
					n.point("dimensions.gap", with{"dimension": n.dimension(g.Dimension), "score": g.Score, "finding": g.Finding})
				}
			}
			n.line("")
			var unseen, unanswered []string
			for _, d := range j.Dimensions {
				if d.Answered == 0 {
					unanswered = append(unanswered, n.dimension(d.Dimension))
				}
			}
			for _, f := range j.Unseen {
				unseen = append(unseen, n.text("dimensions.factor."+string(f)))
			}
			n.say("dimensions.unseen", with{"complete": n.yes(j.Complete()), "dimensions": unanswered, "factors": unseen})
			n.lines(w, history(w.register.Practice, w.better), r.Version-1)
			return history(w.register.Practice, w.better)
		},
		check: func(c *checker, a answers) {
			some := map[svs.Dimension]int{svs.InformationTechnology: 4, svs.ValueStreamsProcesses: 0}
			want := []svs.Dimension{svs.OrganizationsPeople, svs.PartnersSuppliers, svs.ValueStreamsProcesses}
			got := a.Unseen(some)
			for _, d := range svs.Dimensions() {
				c.ok(slices.Contains(got, d) || !slices.Contains(want, d), "dimensions.wrong.missing", with{"dimension": c.n.dimension(d)})
				c.ok(!slices.Contains(got, d) || slices.Contains(want, d), "dimensions.wrong.seen", with{"dimension": c.n.dimension(d)})
			}
			c.ok(len(c.wrong) > 0 || slices.Equal(got, want), "dimensions.wrong.order")
		},
	}
}

// dimension is what a dimension is called in the language of the story.
func (n *narrator) dimension(d svs.Dimension) string { return n.title(d.Title()) }

// title is what the glossary calls what the library calls so.
func (n *narrator) title(en string) string {
	t, ok := n.words.term(strings.ToLower(en))
	if !ok {
		return en
	}
	return n.name(t)
}

// yes spells a truth.
func (n *narrator) yes(b bool) string {
	if b {
		return n.text("tour.yes")
	}
	return n.text("tour.no")
}
