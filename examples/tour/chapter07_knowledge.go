package main

import (
	"time"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/incident"
	"github.com/go-itsm/itsm/knowledge"
)

// knowing is about knowledge: what one person found out helps the next.
func knowing() chapter {
	return chapter{
		name: "knowledge",
		terms: []string{"knowledge management", "knowledge article", "knowledge base", "data/information/knowledge/wisdom",
			"validated", "archived", "audience", "coach", "contributor / publisher"},
		file: "improve.go",
		tell: func(w *world, n *narrator) way {
			w.until(day(time.March, 12, 13, 20))
			trouble := func(title string) incident.Incident {
				inc, err := w.incidents.Open(as("ara"), incident.Report{Title: n.text(title), Service: "workplace", Category: "headset", Impact: itsm.LowImpact, Urgency: itsm.MediumUrgency})
				must(err)
				w.follow()
				w.headsets = append(w.headsets, inc.ID)
				return inc
			}
			first := trouble("world.headset.1")
			do(w, w.incidents.Practice, "mia", first.ID, incident.Start{})
			w.after(40 * time.Minute)
			do(w, w.incidents.Practice, "mia", first.ID, incident.Resolve{Code: incident.Fixed, Note: n.text("world.headset.fix")})
			a := all(w.articles.Practice)[0]
			w.article = a.ID
			n.say("knowledge.captured", with{"incident": first.ID, "title": first.Title, "id": a.ID, "at": a.Created, "state": a.State, "confidence": a.Confidence})
			w.after(20 * time.Minute)
			text := a.Text()
			text.Issue, text.Environment = n.text("world.article.issue"), n.text("world.article.environment")
			a = do(w, w.articles.Practice, "mia", a.ID, knowledge.Improve{Content: text}, knowledge.Publish{})
			n.say("knowledge.published", with{"id": a.ID, "state": a.State, "confidence": a.Confidence, "edition": a.Live.Number})
			for i, title := range []string{"world.headset.2", "world.headset.3"} {
				w.until(day(time.March, 13+3*i, 9, 30))
				inc := trouble(title)
				do(w, w.incidents.Practice, "jin", inc.ID, incident.Start{})
				w.after(4 * time.Minute)
				for _, p := range inc.Proposals {
					n.point("knowledge.proposed", with{"incident": inc.ID, "title": inc.Title, "to": p.To.ID, "reason": p.Reason})
				}
				do(w, w.incidents.Practice, "jin", inc.ID,
					incident.Link{Link: itsm.Link{Rel: incident.SolvedBy, To: itsm.Ref{Kind: "knowledge", ID: a.ID}}},
					incident.Resolve{Code: incident.Fixed, Note: string(a.ID)})
				a = do(w, w.articles.Practice, "jin", a.ID, knowledge.RecordUse{Kind: knowledge.UsedToSolve, For: itsm.Ref{Kind: "incident", ID: inc.ID}})
				n.point("knowledge.used", with{"id": a.ID, "count": a.Usage.Solved, "confidence": a.Confidence})
			}
			n.line("")
			var rows [][]string
			for _, id := range w.headsets {
				inc := get(w.incidents.Practice, id)
				rows = append(rows, []string{string(id), inc.Title, n.length(inc.Milestones.Restored.Sub(inc.Milestones.Detected)), inc.Resolution.By})
			}
			n.rows(rows)
			n.say("knowledge.reused", with{"articles": len(all(w.articles.Practice)), "incidents": len(w.headsets)})
			for _, p := range all(w.problems.Practice)[1:] {
				n.say("knowledge.problem", with{"id": p.ID, "title": p.Title, "state": p.State})
			}
			n.lines(w, history(w.articles.Practice, w.article), 0)
			return history(w.articles.Practice, w.article)
		},
		check: func(c *checker, a answers) {
			draft := knowledge.Content{Title: "The headset has no sound", Issue: "", Resolution: ""}
			got := a.Improve(draft)
			if err := got.Validate(); err != nil {
				c.library(err)
				return
			}
			c.ok(got.Title == draft.Title, "knowledge.wrong.title", with{"title": got.Title})
			c.ok(got.Issue != "", "knowledge.wrong.issue")
			c.ok(got.Resolution != "", "knowledge.wrong.resolution")
			c.ok(got.Body == "", "knowledge.wrong.body", with{"body": got.Body})
		},
	}
}
