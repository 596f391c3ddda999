// Slaclock follows the clock of one agreement over a weekend: a pause, a change of
// priority, and the night in which Berlin puts its clocks forward. Every figure is
// explained.
//
//	go run ./examples/slaclock
package main

import (
	"context"
	"fmt"
	"log"
	"strings"
	"time"
	_ "time/tzdata" // so that it runs where the system has no time zones

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/incident"
	"github.com/go-itsm/itsm/sla"
	"github.com/go-itsm/itsm/storage/memory"
)

// book is what was agreed. It is all data: a vendor keeps it as JSON.
func book() *sla.Book {
	office := sla.Calendar{
		Name: "office", Version: 1, Zone: "Europe/Berlin",
		Rules: sla.Rules{
			Weekly:   sla.MondayToFriday(sla.Window{Open: 9 * time.Hour, Close: 12 * time.Hour}, sla.Window{Open: 13 * time.Hour, Close: 18 * time.Hour}),
			Holidays: []sla.Holiday{{On: "easter-2", Name: "Good Friday"}, {On: "easter+1", Name: "Easter Monday"}},
		},
	}
	always := sla.AlwaysOpen()
	always.Name, always.Version, always.Zone = "always", 1, "Europe/Berlin"
	var hours []*sla.Hours
	for _, c := range []sla.Calendar{office, always} {
		h, err := c.Compile()
		check(err)
		hours = append(hours, h)
	}
	resolution := incident.ResolutionMetric("office",
		sla.GoalRule{When: sla.Condition{"priority": {"1"}}, Within: 72 * time.Hour, Calendar: "always"},
		sla.GoalRule{Within: 16 * time.Hour},
	)
	resolution.Thresholds = []sla.Threshold{
		{Percent: 50},
		{Percent: 75, Do: []sla.Escalation{{Do: sla.EscalateHierarchical, To: "head of operations"}}},
	}
	b, err := sla.NewBook(hours, []sla.Agreement{{
		Name: "gold", Version: 1, Kind: sla.ServiceLevel, Service: "mail", Outcome: "people reach each other",
		Applies: sla.Conditions{{"service": {"mail"}}}, Metrics: []sla.Metric{resolution},
	}})
	check(err)
	return b
}

func main() {
	berlin, err := time.LoadLocation("Europe/Berlin")
	check(err)
	var now time.Time
	at := func(month time.Month, day, hour, minute int) {
		now = time.Date(2026, month, day, hour, minute, 0, 0, berlin)
	}
	agreements := book()
	desk, err := incident.NewPractice(memory.New[incident.Incident](), incident.Config{
		Config:     itsm.Config{Now: func() time.Time { return now }, NewID: numbers()},
		Agreements: agreements,
	})
	check(err)
	jin, mia, system := itsm.As(context.Background(), "jin"), itsm.As(context.Background(), "mia"), itsm.WithActor(context.Background(), itsm.System())

	// show reads the clock as it is now, and says where the figure comes from.
	show := func(title string, id itsm.ID) {
		inc, err := desk.Get(mia, id)
		check(err)
		target, _ := inc.Targets.Find("gold", "resolution")
		clock, err := agreements.Clock(target)
		check(err)
		fmt.Printf("%s\n%s\n", title, indent(clock.Explain(now).String()))
	}

	at(time.March, 27, 15, 0)
	inc, err := desk.Open(jin, incident.Report{Title: "Mail is slow", Service: "mail", Impact: itsm.LowImpact, Urgency: itsm.MediumUrgency})
	check(err)
	_, err = desk.Do(mia, inc.ID, incident.Start{})
	check(err)
	at(time.March, 27, 17, 0)
	show("Friday afternoon. The goal is 16 hours in which the office is open:", inc.ID)

	_, err = desk.Do(mia, inc.ID, incident.PutOnHold{Reason: incident.AwaitingCaller, Note: "Since when?"})
	check(err)
	at(time.March, 27, 17, 30)
	show("It waits for the caller, so it has no deadline; nobody promised to do without an answer:", inc.ID)

	_, err = desk.Do(jin, inc.ID, incident.Note{Text: "Since the update.", Public: true})
	check(err)
	at(time.March, 28, 10, 0)
	show("The answer resumed it. On Saturday the office is closed:", inc.ID)

	_, err = desk.Do(mia, inc.ID, incident.Assess{Impact: itsm.HighImpact, Urgency: itsm.HighUrgency})
	check(err)
	show("Now nobody gets any mail: priority 1 means 72 hours by the clock on the wall. The\n"+
		"change counts from the start, and the pause is kept:", inc.ID)

	// Time alone brings the rest. A Runner does this by itself.
	at(time.March, 30, 9, 0)
	_, _, err = desk.RunDue(system)
	check(err)
	show("In the night to Sunday Berlin went from 02:00 to 03:00, an hour that never was.\n"+
		"The deadline is the Monday of 72 real hours, half an hour of pause, and one on the clock:", inc.ID)

	_, err = desk.Do(mia, inc.ID, incident.Resolve{Code: incident.Fixed, Note: "Rolled the update back"})
	check(err)
	at(time.April, 7, 9, 0)
	show("Restored, and in time. What is met stays met:", inc.ID)

	fmt.Println("What the history says about the clock:")
	for e, err := range desk.History(mia, inc.ID) {
		check(err)
		a, err := desk.Done(e)
		check(err)
		when := e.At.In(berlin).Format("Mon 15:04")
		switch a := a.(type) {
		case incident.MoveClocks:
			for _, m := range a.Moves {
				for _, mark := range m.Marks {
					fmt.Println(strings.TrimRight(fmt.Sprintf("  %s  %-15s  %s", when, mark.Do, mark.Reason), " "))
				}
			}
		case incident.PassThreshold:
			for _, m := range a.Moves {
				for _, p := range m.Passed {
					fmt.Printf("  %s  passed %s, due %s\n", when, p.Threshold, p.At.In(berlin).Format("Mon 15:04"))
				}
			}
		case incident.EscalateHierarchical:
			fmt.Printf("  %s  told the %s\n", when, a.To)
		}
	}
}

func indent(text string) string {
	return "  " + strings.ReplaceAll(strings.TrimRight(text, "\n"), "\n", "\n  ") + "\n"
}

// numbers makes ids that are the same in each run.
func numbers() func(context.Context, string, time.Time) (itsm.ID, error) {
	n := 0
	return func(_ context.Context, prefix string, _ time.Time) (itsm.ID, error) {
		n++
		return itsm.ID(fmt.Sprintf("%s-%d", prefix, n)), nil
	}
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
