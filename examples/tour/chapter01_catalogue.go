package main

import (
	"time"

	"github.com/go-itsm/itsm/approval"
	"github.com/go-itsm/itsm/request"
)

// catalogue is about demand: what may be asked for, and what was promised about it.
func catalogue() chapter {
	return chapter{
		name: "catalogue",
		terms: []string{
			"service", "service management", "product", "value", "value co-creation", "demand", "opportunity", "output", "outcome",
			"cost", "risk", "utility", "warranty", "stakeholder", "service provider", "service consumer", "customer", "user",
			"sponsor", "service relationship", "service catalogue", "service offering", "goods", "access to resources",
			"service action", "service request", "request model", "approval", "fulfilment", "service desk", "help desk",
			"single point of contact", "self-service", "service level", "service level management", "SLA", "OLA", "underpinning contract",
		},
		file: "deadline.go",
		tell: func(w *world, n *narrator) way {
			n.say("catalogue.shop")
			n.say("catalogue.offering", with{"offering": n.text("world.offering")})
			w.until(day(time.February, 27, 15, 0))
			ordered, err := w.requests.Order(as("jin"), request.Order{Recipient: "ara", Lines: []request.Line{{Offering: "phone-desk"}}})
			must(err)
			w.order = ordered.ID
			n.say("catalogue.ordered", with{"id": ordered.ID, "at": ordered.Created, "state": ordered.State})
			w.after(30 * time.Minute)
			r := do(w, w.requests.Practice, "kim", w.order, request.Vote{Vote: approval.Approve})
			for _, t := range r.Tasks {
				n.point("catalogue.item", with{"number": t.Number, "title": t.Title, "state": t.State})
			}
			n.line("")

			target, _ := r.Targets.Find("workplace", "fulfilment")
			n.say("catalogue.promise", with{"goal": target.Goal.Within, "deadline": target.Deadline, "outcome": n.text("world.workplace.outcome")})
			w.until(day(time.March, 3, 10, 0))
			do(w, w.requests.Practice, "mia", w.order, request.CompleteTask{Task: 1}, request.CompleteTask{Task: 2})
			w.after(90 * time.Minute)
			r = do(w, w.requests.Practice, "mia", w.order, request.CompleteTask{Task: 3})

			target, _ = r.Targets.Find("workplace", "fulfilment")
			clock, err := w.requests.Clock(target)
			must(err)
			e := clock.Explain(w.now)
			n.heading("catalogue.clock")
			var rows [][]string
			for _, s := range e.Stretches {
				counted := n.text("catalogue.notcounted")
				if s.Counted {
					counted = n.length(s.Length())
				}
				rows = append(rows, []string{n.spell(s.From), n.spell(s.To), counted, s.Why})
			}
			n.rows(rows)
			n.say("catalogue.fulfilled", with{"id": r.ID, "at": r.Milestones.Fulfilled, "state": r.State,
				"elapsed": e.Reading.Elapsed, "goal": e.Reading.Goal, "wall": e.Reading.At.Sub(ordered.Created)})
			n.say("catalogue.value")
			n.lines(w, history(w.requests.Practice, w.order), 0)
			return history(w.requests.Practice, w.order)
		},
		check: func(c *checker, a answers) {
			hours, err := officeHours(c.n.words)
			must(err)
			for _, ordered := range []time.Time{day(time.March, 3, 9, 0), day(time.February, 27, 15, 0), day(time.March, 4, 11, 0)} {
				const goal = 8 * time.Hour
				got, want := a.Deadline(hours, ordered, goal), hours.Add(ordered, goal)
				c.ok(got.Equal(want), "catalogue.wrong", with{"ordered": ordered, "goal": goal, "got": got, "open": hours.Between(ordered, got)})
			}
		},
	}
}
