package main

import (
	"time"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/incident"
)

// report lets somebody report that the shop is out of service.
func (w *world) report(title string) incident.Incident {
	inc, err := w.incidents.Open(as("jin"), incident.Report{
		Title: w.words.text(title), Service: "shop", CI: "front-1", Category: "certificate", Channel: "phone",
		Impact: itsm.HighImpact, Urgency: itsm.MediumUrgency, Started: w.now.Add(-10 * time.Minute),
	})
	must(err)
	w.follow()
	w.outages = append(w.outages, inc.ID)
	return inc
}

// restoration is about an incident: restore first.
func restoration() chapter {
	return chapter{
		name: "incident",
		terms: []string{
			"incident", "incident management", "incident model", "major incident", "detection", "registration", "classification", "diagnosis",
			"resolution", "closure", "impact", "urgency", "priority", "severity", "escalation", "functional / hierarchical",
			"swarming", "workaround", "configuration item", "configuration management DB", "monitoring and event management",
		},
		file: "restore.go",
		tell: func(w *world, n *narrator) way {
			w.until(day(time.March, 4, 9, 40))
			inc := w.report("world.outage.1")
			n.say("incident.reported", with{"id": inc.ID, "at": inc.Created, "title": inc.Title, "impact": inc.Impact, "urgency": inc.Urgency, "priority": inc.Priority})
			n.say("incident.monitoring")
			w.after(5 * time.Minute)
			do(w, w.incidents.Practice, "mia", inc.ID, incident.Start{})
			w.after(10 * time.Minute)
			do(w, w.incidents.Practice, "mia", inc.ID, incident.EscalateFunctional{Group: "web", Reason: n.text("world.outage.escalated")})
			w.after(5 * time.Minute)
			do(w, w.incidents.Practice, "noor", inc.ID, incident.Start{})
			w.after(35 * time.Minute)
			inc = do(w, w.incidents.Practice, "noor", inc.ID, incident.Resolve{Code: incident.Workaround, Note: n.text("world.outage.workaround")})
			n.say("incident.restored", with{"at": inc.Milestones.Restored, "note": inc.Resolution.Note, "code": inc.Resolution.Code,
				"length": inc.Milestones.Restored.Sub(inc.Milestones.Started)})
			target, _ := inc.Targets.Find("shop", "resolution")
			clock, err := w.incidents.Clock(target)
			must(err)
			reading := clock.Explain(w.now).Reading
			n.say("incident.clock", with{"elapsed": reading.Elapsed, "goal": reading.Goal, "state": reading.State})
			do(w, w.incidents.Practice, "jin", inc.ID, incident.Rate{Score: 4})
			n.lines(w, history(w.incidents.Practice, inc.ID), 0)
			n.heading("incident.contrast")
			for _, key := range []string{"incident.contrast.question", "incident.contrast.end", "incident.contrast.clock", "incident.contrast.here"} {
				n.point(key)
			}
			n.line("")
			return history(w.incidents.Practice, inc.ID)
		},
		check: func(c *checker, a answers) {
			inc := c.w.report("world.outage.1")
			for _, action := range a.Restore() {
				if action == nil {
					c.ok(false, "incident.wrong.nil")
					return
				}
				done, err := c.w.incidents.Do(as("mia"), inc.ID, action)
				if err != nil {
					c.library(err)
					return
				}
				inc = done
			}
			c.ok(inc.State == incident.Resolved, "incident.wrong.state", with{"state": inc.State})
			c.ok(inc.State != incident.Resolved || inc.Resolution.Code == incident.Workaround, "incident.wrong.code", with{"code": inc.Resolution.Code})
		},
	}
}
