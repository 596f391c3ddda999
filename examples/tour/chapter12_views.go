package main

import (
	"fmt"
	"math"
	"time"

	"github.com/go-itsm/itsm/incident"
	"github.com/go-itsm/itsm/sla"
	"github.com/go-itsm/itsm/svs"
)

// views is about the same two weeks, seen by those who run servers and by those who
// answer for services.
func views() chapter {
	return chapter{
		name:  "views",
		terms: []string{"charging", "service credit", "watermelon effect", "experience level agreement"},
		file:  "delivered.go",
		tell: func(w *world, n *narrator) way {
			period := sla.Period{From: day(time.March, 2, 0, 0), To: day(time.March, 16, 0, 0)}
			var seen []incident.Incident
			for _, inc := range all(w.incidents.Practice) {
				if inc.Service == "shop" && !inc.Created.Before(period.From) && inc.Created.Before(period.To) {
					seen = append(seen, inc)
				}
			}
			patch := sla.Period{From: day(time.March, 11, 22, 0), To: day(time.March, 11, 23, 0)}
			v, err := svs.Facts{
				Period:   period,
				Elements: []svs.Element{{Name: "front-1"}, {Name: "db-1", Down: []sla.Period{patch}}},
				Services: []svs.AgreedService{{Name: "shop", Hours: w.office, Percent: "99"}}, Incidents: seen,
				Tariff: sla.Tariff{Model: sla.FixedPrice, Places: 2,
					Elements: map[string]sla.Decimal{"server": "400.00"}, Levels: map[string]sla.LevelPrice{"gold": {PerUser: "12.50"}}},
				Consumed: []sla.Consumption{{Service: "shop", Elements: map[string]sla.Decimal{"server": "2"}, Level: "gold", Users: 60}},
			}.Views()
			must(err)
			n.say("views.question", with{"from": n.date(period.From), "to": n.date(period.To), "incidents": len(seen)})
			percent := func(f sla.Fraction) string { return f.Percent(2) + " %" }
			of := func(f sla.Fraction) string { return fmt.Sprintf("%d/%d", f.Part, f.Of) }
			n.rows([][]string{
				{"", n.text("views.operations"), n.text("views.management")},
				{n.text("views.looked"), n.text("views.up", with{"up": percent(v.Up)}), n.text("views.delivered", with{"delivered": percent(v.Delivered)})},
				{"", "", n.text("views.agreed", with{"kept": of(v.AsAgreed)})},
				{n.text("views.how"), n.text("views.busiest", with{"share": of(v.ByTheBusiest)}), n.text("views.known", with{"share": of(v.WithKnowledge)})},
				{n.text("views.done"), n.text("views.restore", with{"mean": v.Restore.Value}), n.text("views.repeated", with{"repeated": of(v.Repeated), "understood": of(v.Understood)})},
				{n.text("views.charged"), n.text("views.element", with{"amount": v.Charges.Total.ByElement}), n.text("views.level", with{"amount": v.Charges.Total.ByLevel})},
				{n.text("views.judged"), n.text("views.up", with{"up": percent(v.Up)}), n.text("views.satisfied", with{"satisfied": of(v.Satisfied)})},
			})
			n.say("views.watermelon", with{"up": percent(v.Up), "delivered": percent(v.Delivered)})
			n.say("views.whole")
			last := seen[len(seen)-1].ID
			return history(w.incidents.Practice, last)
		},
		check: func(c *checker, a answers) {
			hours, err := officeHours(c.n.words)
			must(err)
			week := sla.Period{From: day(time.March, 9, 0, 0), To: day(time.March, 16, 0, 0)}
			for _, x := range []struct {
				key  string
				out  []sla.Period
				want float64
			}{
				{"views.wrong.nothing", nil, 1},
				{"views.wrong.inside", []sla.Period{{From: day(time.March, 9, 9, 0), To: day(time.March, 9, 11, 0)}}, 38.0 / 40},
				{"views.wrong.night", []sla.Period{{From: day(time.March, 10, 20, 0), To: day(time.March, 11, 6, 0)}}, 1},
				{"views.wrong.noon", []sla.Period{{From: day(time.March, 12, 11, 0), To: day(time.March, 12, 14, 0)}}, 38.0 / 40},
			} {
				got := a.Delivered(hours, week, x.out)
				c.ok(math.Abs(got-x.want) < 1e-9, x.key, with{"got": fmt.Sprintf("%.2f %%", 100*got), "want": fmt.Sprintf("%.2f %%", 100*x.want)})
			}
		},
	}
}
