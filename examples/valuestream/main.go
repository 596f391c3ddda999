// Valuestream follows incidents through a value stream: the stream is data, the work
// is done by the incident practice, and how it flows comes out of the feed of the
// store. Then the same feed is mined without knowing the stream.
//
//	go run ./examples/valuestream
package main

import (
	"context"
	_ "embed"
	"fmt"
	"log"
	"slices"
	"time"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/incident"
	"github.com/go-itsm/itsm/storage/memory"
	"github.com/go-itsm/itsm/valuechain"
)

//go:embed stream.json
var definition []byte

// A deed is something that somebody does at an hour of the week.
type deed struct {
	hour     float64
	incident int
	who      string
	do       itsm.Action[incident.Incident]
}

// story is the week: five incidents, and one network specialist, on whom they wait.
func story() []deed {
	report := func(hour float64, n int, title string) deed {
		return deed{hour, n, "jin", incident.Report{Title: title, Service: "office"}}
	}
	assign := func(hour float64, n int, to string) deed { return deed{hour, n, "desk", incident.Assign{Person: to}} }
	start := func(hour float64, n int, who string) deed { return deed{hour, n, who, incident.Start{}} }
	fixed := func(hour float64, n int, who, note string) deed {
		return deed{hour, n, who, incident.Resolve{Code: incident.Fixed, Note: note}}
	}
	closed := func(hour float64, n int) deed { return deed{hour, n, "desk", incident.Close{}} }
	return []deed{
		report(8, 1, "No mail"), report(8.5, 2, "The printer is out of paper"), report(9, 3, "The network is slow"),
		assign(9, 1, "mia"), assign(9, 2, "mia"), assign(9.5, 3, "mia"),
		start(9, 2, "mia"), fixed(9.5, 2, "mia", "paper"), closed(10, 2),
		start(10, 1, "mia"), {11, 1, "mia", incident.EscalateFunctional{Group: "network", Reason: "it is the network"}}, assign(11.5, 1, "noor"),
		start(12, 3, "mia"), {12.5, 3, "mia", incident.EscalateFunctional{Group: "network", Reason: "it is the network too"}}, assign(13, 3, "noor"),
		report(20, 4, "No calls"), assign(21, 4, "noor"),
		start(30, 1, "noor"), {31, 1, "noor", incident.PutOnHold{Reason: incident.AwaitingVendor}}, {54, 1, "noor", incident.Resume{}}, fixed(55, 1, "noor", "new switch"),
		closed(60, 1),
		start(56, 3, "noor"), fixed(57, 3, "noor", "the same switch"),
		{70, 3, "jin", incident.Reopen{Reason: "still slow at noon"}}, fixed(74, 3, "noor", "a loop in the third floor"), closed(80, 3),
		start(75, 4, "noor"), fixed(76, 4, "noor", "firmware"), closed(90, 4),
		report(100, 5, "No mail again"), assign(101, 5, "noor"),
	}
}

func main() {
	stream, err := valuechain.ParseStream(definition)
	check(err)
	monday := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)

	store := memory.New[incident.Incident]()
	now := monday
	desk, err := incident.NewPractice(store, incident.Config{Config: itsm.Config{Now: func() time.Time { return now }, NewID: numbers()}})
	check(err)
	deeds := story()
	slices.SortStableFunc(deeds, func(a, b deed) int { return int(60 * (a.hour - b.hour)) })
	ids := map[int]itsm.ID{}
	for _, d := range deeds {
		now = monday.Add(time.Duration(d.hour * float64(time.Hour)))
		ctx := itsm.As(context.Background(), d.who)
		var inc incident.Incident
		if r, ok := d.do.(incident.Report); ok {
			inc, err = desk.Open(ctx, r)
			ids[d.incident] = inc.ID
		} else {
			_, err = desk.Do(ctx, ids[d.incident], d.do)
		}
		check(err)
	}

	// Everything below comes out of the feed.
	run, err := valuechain.NewRun(stream, valuechain.Options{})
	check(err)
	moves := valuechain.LogBuilder{Label: valuechain.ByMove}
	_, err = valuechain.ReadFeed(context.Background(), store, "", run.Add, moves.Add)
	check(err)

	fmt.Println("The way of an incident:")
	for it := range run.Items() {
		if it.Origin.ID != ids[3] {
			continue
		}
		for _, v := range it.Visits {
			fmt.Printf("  %-8s  %s to %-9s", v.Step, clock(v.Available), clock(v.Ended))
			for _, w := range v.Worked {
				fmt.Printf("  worked %s to %s", clock(w.From), clock(w.To))
			}
			if v.Returned {
				fmt.Print("  came back")
			}
			fmt.Println()
		}
	}
	fmt.Println()
	fmt.Println("How the work flowed:")
	fmt.Print(run.Report(monday, monday.AddDate(0, 0, 5)))
	fmt.Println()

	fmt.Println("What happens, without knowing the stream:")
	for _, v := range valuechain.Variants(moves.Log())[:2] {
		fmt.Printf("  %d × %v\n", len(v.Cases), v.Activities)
	}
	for _, r := range valuechain.FindRework(moves.Log())[:2] {
		fmt.Printf("  %s comes again in %d of %d\n", r.Activity, r.Cases, len(ids))
	}
	c := valuechain.Conform(incident.DefaultLifecycle(), moves.Log(), valuechain.ConformOptions{Open: true})
	fmt.Printf("  %d of %d keep to the lifecycle, fitness %.2f: the practice lets nobody leave it\n", c.Fitting, c.Cases, c.Fitness())
	fmt.Println()
	fmt.Println("The stream:")
	fmt.Print(stream.Mermaid())
}

// clock spells an instant of the story.
func clock(t time.Time) string {
	if t.IsZero() {
		return "now"
	}
	return t.Format("Mon 15:04")
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
