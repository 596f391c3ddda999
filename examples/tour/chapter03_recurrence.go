package main

import (
	"time"

	"github.com/go-itsm/itsm/incident"
)

// recurrence is about the same thing again and again: incidents that were all handled
// well, and what nobody sees who looks at one of them.
func recurrence() chapter {
	return chapter{
		name:  "recurrence",
		terms: []string{"recurrence", "reactive", "proactive", "problem", "problem management", "reliability", "downtime", "mean time between failures", "mean time to restore service"},
		file:  "sameagain.go",
		tell: func(w *world, n *narrator) way {
			for i, at := range []time.Time{day(time.March, 6, 14, 20), day(time.March, 9, 10, 5)} {
				w.until(at)
				inc := w.report([]string{"world.outage.2", "world.outage.3"}[i])
				if i == 1 { // the third one: the rule is met by the report
					n.say("recurrence.third", with{"id": inc.ID, "at": inc.Created, "title": inc.Title})
				} else {
					n.say("recurrence.second", with{"id": inc.ID, "at": inc.Created, "title": inc.Title})
				}
				w.after(10 * time.Minute)
				do(w, w.incidents.Practice, "noor", inc.ID, incident.Start{})
				w.after([]time.Duration{30 * time.Minute, 75 * time.Minute}[i])
				do(w, w.incidents.Practice, "noor", inc.ID, incident.Resolve{Code: incident.Workaround, Note: n.text("world.outage.workaround")})
				do(w, w.incidents.Practice, "jin", inc.ID, incident.Rate{Score: 2 - i})
			}
			var up, down time.Duration
			var rows [][]string
			var restored time.Time
			for _, id := range w.outages {
				inc := get(w.incidents.Practice, id)
				out := inc.Outage()
				if !restored.IsZero() {
					up += out.Start.Sub(restored)
				}
				down, restored = down+out.Restored.Sub(out.Start), out.Restored
				met := n.text("recurrence.met")
				if target, _ := inc.Targets.Find("shop", "resolution"); target.Breached() {
					met = n.text("recurrence.missed")
				}
				rows = append(rows, []string{string(id), n.spell(out.Start), n.length(out.Restored.Sub(out.Start)), string(inc.State), met})
			}
			n.rows(rows)
			count := len(w.outages)
			n.say("recurrence.figures", with{"mtrs": down / time.Duration(count), "mtbf": up / time.Duration(count-1), "count": count})

			p := all(w.problems.Practice)[0]
			w.problem = p.ID
			n.say("recurrence.problem", with{"id": p.ID, "title": p.Title, "at": p.Created, "state": p.State})
			n.quote("“" + p.Description + "”")
			n.line("")
			n.say("recurrence.unmoved")
			n.lines(w, history(w.problems.Practice, p.ID), 0)
			return history(w.problems.Practice, p.ID)
		},
		check: func(c *checker, a answers) {
			of := func(title, service, category string) incident.Incident {
				return incident.Incident{Title: title, Service: service, Category: category}
			}
			for _, pair := range []struct {
				key  string
				a, b incident.Incident
				same bool
			}{
				{"recurrence.wrong.words", of("Nobody can pay", "shop", "certificate"), of("Security warning at checkout", "shop", "certificate"), true},
				{"recurrence.wrong.service", of("It is down", "shop", "certificate"), of("It is down", "mail", "certificate"), false},
				{"recurrence.wrong.symptom", of("It is down", "shop", "certificate"), of("It is down", "shop", "slow"), false},
				{"recurrence.wrong.unknown", of("It is down", "shop", ""), of("It is down", "shop", ""), false},
			} {
				c.ok(a.SameAgain(pair.a, pair.b) == pair.same, pair.key)
			}
		},
	}
}
