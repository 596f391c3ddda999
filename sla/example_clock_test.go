package sla_test

import (
	"fmt"
	"log"
	"time"

	"github.com/go-itsm/itsm/sla"
)

// A clock over a weekend, with a pause.
func ExampleClock() {
	office := sla.Calendar{Name: "office", Version: 1, Zone: "Europe/Berlin", Rules: sla.Rules{
		Weekly:   sla.MondayToFriday(sla.Window{Open: 9 * time.Hour, Close: 17 * time.Hour}),
		Holidays: []sla.Holiday{{On: "05-01", Name: "May Day"}},
	}}
	hours, err := office.Compile()
	if err != nil {
		log.Fatal(err)
	}
	at := func(day, hour int) time.Time { return time.Date(2026, 4, day, hour, 0, 0, 0, hours.Location()) }
	clock, err := sla.NewClock(sla.Goal{Within: 8 * time.Hour}, hours,
		sla.Mark{At: at(30, 12), Do: sla.Start}, // a Thursday
		sla.Mark{At: at(30, 14), Do: sla.Pause, Reason: "caller"},
		sla.Mark{At: at(30, 16), Do: sla.Resume})
	if err != nil {
		log.Fatal(err)
	}
	now := at(34, 10) // the Monday after
	r := clock.At(now)
	fmt.Printf("%s: %s of %s, due %s\n", r.State, r.Elapsed, r.Goal, r.Deadline.In(hours.Location()).Format("Mon 15:04"))
	for _, s := range clock.Explain(now).Stretches {
		fmt.Printf("%-8s %s\n", s.Length(), s.Why)
	}
	// Output:
	// running: 4h0m0s of 8h0m0s, due Mon 14:00
	// 2h0m0s   open
	// 2h0m0s   paused: caller
	// 1h0m0s   open
	// 7h0m0s   outside hours
	// 24h0m0s  May Day
	// 57h0m0s  outside hours
	// 1h0m0s   open
}

// What is agreed is data, and what follows from it too.
func ExampleBook() {
	agreement, err := sla.ParseAgreement([]byte(`{
		"name": "gold", "version": 1, "kind": "sla", "service": "mail", "outcome": "people reach each other",
		"metrics": [{
			"name": "resolution", "calendar": "always",
			"pause": [{"hold": ["caller"]}], "stop": [{"state": ["resolved"]}],
			"goals": [{"when": {"priority": ["1"]}, "within": "4h"}, {"within": "24h"}],
			"thresholds": [{"percent": 75, "do": [{"do": "notify", "to": "the desk"}]}]
		}]
	}`))
	if err != nil {
		log.Fatal(err)
	}
	always := sla.AlwaysOpen()
	always.Name = "always"
	hours, err := always.Compile()
	if err != nil {
		log.Fatal(err)
	}
	book, err := sla.NewBook([]*sla.Hours{hours}, []sla.Agreement{agreement})
	if err != nil {
		log.Fatal(err)
	}

	opened := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	var targets sla.Targets
	happens := func(hour int, facts sla.FactMap) {
		now := sla.Snapshot{At: opened.Add(time.Duration(hour) * time.Hour), Facts: facts}
		for !targets.Next().IsZero() && !targets.Next().After(now.At) { // a Runner does that
			targets = targets.Apply(book.Pass(targets, targets.Next()))
		}
		moves, err := book.Review(targets, opened, now, nil)
		if err != nil {
			log.Fatal(err)
		}
		targets = targets.Apply(moves)
		t := targets[0]
		fmt.Printf("%s  %-8s  due %-5s  passed %d\n", now.At.Format("15:04"), t.State, t.Deadline.Format("15:04"), len(t.Passed))
	}
	happens(0, sla.FactMap{"state": "new", "priority": "2"})
	happens(1, sla.FactMap{"state": "new", "priority": "1"})
	happens(2, sla.FactMap{"state": "on_hold", "hold": "caller", "priority": "1"})
	happens(3, sla.FactMap{"state": "in_progress", "priority": "1"})
	happens(5, sla.FactMap{"state": "resolved", "priority": "1"})
	// Output:
	// 09:00  running   due 09:00  passed 0
	// 10:00  running   due 13:00  passed 0
	// 11:00  paused    due 00:00  passed 0
	// 12:00  running   due 14:00  passed 0
	// 14:00  met       due 14:00  passed 1
}
