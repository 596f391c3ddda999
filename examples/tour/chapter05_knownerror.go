package main

import (
	"strings"
	"time"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/incident"
	"github.com/go-itsm/itsm/problem"
)

// knownError is about living with an error until it is removed.
func knownError() chapter {
	return chapter{
		name:  "knownerror",
		terms: []string{"known error database"},
		file:  "resolution.go",
		tell: func(w *world, n *narrator) way {
			w.until(day(time.March, 10, 13, 30))
			inc := w.report("world.outage.4")
			n.say("knownerror.open", with{"id": inc.ID, "at": inc.Created, "title": inc.Title, "proposals": len(inc.Proposals)})
			p := get(w.problems.Practice, w.problem)
			document := p.Document()
			document.Title, document.Symptoms = n.text("world.known.title"), []string{n.text("world.known.symptom")}
			k, err := w.errors.Open(as("noor"), document)
			must(err)
			w.known = k.ID
			k = do(w, w.errors.Practice, "noor", k.ID,
				problem.AddWorkaround{Title: n.text("world.known.workaround"), Steps: n.text("world.known.steps")}, problem.Publish{})
			n.say("knownerror.published", with{"id": k.ID, "problem": p.ID, "state": k.State, "workaround": k.Workarounds[0].Title, "steps": k.Workarounds[0].Steps})
			inc = get(w.incidents.Practice, inc.ID)
			n.say("knownerror.offered", with{"id": inc.ID})
			for _, proposal := range inc.Proposals {
				n.point("knownerror.proposal", with{"to": proposal.To.ID, "reason": proposal.Reason})
			}
			n.line("")
			do(w, w.incidents.Practice, "mia", inc.ID, incident.Start{}, incident.Link{Link: itsm.Link{Rel: incident.SymptomOf, To: problem.Ref(w.problem)}})
			w.after(6 * time.Minute)
			inc = do(w, w.incidents.Practice, "mia", inc.ID, incident.Resolve{Code: incident.KnownError, Note: string(k.ID)})
			_ = do(w, w.errors.Practice, "mia", k.ID, problem.RecordUse{Number: 1, Worked: true, Incident: itsm.Ref{Kind: "incident", ID: inc.ID}})
			do(w, w.incidents.Practice, "jin", inc.ID, incident.Rate{Score: 5})
			first := get(w.incidents.Practice, w.outages[0])
			took := func(inc incident.Incident) time.Duration { return inc.Milestones.Restored.Sub(inc.Milestones.Detected) }
			n.say("knownerror.faster", with{"id": inc.ID, "now": took(inc), "first": first.ID, "then": took(first), "who": inc.Resolution.By, "before": first.Resolution.By})
			n.lines(w, history(w.incidents.Practice, inc.ID), 0)
			return history(w.errors.Practice, w.known)
		},
		check: func(c *checker, a answers) {
			with1 := incident.Incident{Proposals: []incident.Proposal{
				{To: itsm.Ref{Kind: "knowledge", ID: "kb-7"}}, {To: problem.KnownErrorRef("ke-3"), Reason: "same service"}}}
			got := a.Resolution(with1)
			c.ok(got.Code == incident.KnownError, "knownerror.wrong.code", with{"code": got.Code})
			c.ok(strings.Contains(got.Note, "ke-3"), "knownerror.wrong.note", with{"note": got.Note})
			plain := a.Resolution(incident.Incident{})
			c.ok(plain.Code != incident.KnownError && plain.Validate() == nil, "knownerror.wrong.none", with{"code": plain.Code})
		},
	}
}
