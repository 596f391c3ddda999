// Quickstart takes an incident from its report to its resolution, and shows what
// the library knows about it then. There is nothing to install:
//
//	go run ./examples/quickstart
package main

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/incident"
	"github.com/go-itsm/itsm/storage/memory"
)

func main() {
	// An incident, from trouble to service restored. Everything is done by
	// somebody, and the context says who.
	jin, mina := itsm.As(context.Background(), "jin"), itsm.As(context.Background(), "mina")
	desk, err := incident.NewPractice(memory.New[incident.Incident](), incident.Config{Config: still()})
	check(err)
	inc, err := desk.Open(jin, incident.Report{
		Title: "Checkout answers 503", Service: "webshop", Impact: itsm.HighImpact, Urgency: itsm.HighUrgency,
	})
	check(err)
	inc, err = desk.Do(mina, inc.ID, incident.Start{})
	check(err)
	inc, err = desk.Do(mina, inc.ID, incident.Resolve{Code: incident.Workaround, Note: "Switched to the other payment gateway"})
	check(err)
	fmt.Printf("%s %q is %s: %s, restored after %v by %s\n", inc.ID, inc.Title, inc.State, inc.Priority,
		inc.Milestones.Restored.Sub(inc.Milestones.Detected), inc.Resolution.By)

	// Nothing is lost on the way: each action is a line of the history, written
	// in the same commit as the record. The lines alone rebuild it.
	fmt.Println("\nIts history:")
	for e, err := range desk.History(jin, inc.ID) {
		check(err)
		fmt.Printf("  %d  %s  %-4s  %-7s  %s\n", e.Version, e.At.Format("15:04"), e.Actor.ID, e.Action, e.Data)
	}

	// And before: what was known ten minutes in?
	then, err := desk.At(jin, inc.ID, inc.Created.Add(10*time.Minute))
	check(err)
	fmt.Printf("\nTen minutes in, it was %s with %s.\n", then.State, then.Assignment.Person)

	// What can be done now, what that needs, and why not the rest: all that a
	// user interface, or an agent, wants to know before it asks.
	fmt.Println("\nWhat now?")
	options, err := desk.WhyNot(jin, inc.ID)
	check(err)
	for _, o := range options {
		switch o.Action {
		case "close", "reopen", "resolve", "complete_action_item":
			fmt.Printf("  %-20s  %s\n", o.Action, advice(o))
		}
	}

	// Whoever asks anyway is told everything that is wrong at once, and nothing
	// is written.
	_, err = desk.Open(jin, incident.Report{Impact: itsm.HighImpact})
	fmt.Println("\nA report without a title?")
	for _, finding := range itsm.Findings(err) {
		fmt.Println("  -", finding)
	}

	// The rules behind all this are a table that was proved to hold when it was
	// built. It draws itself: paste this into any Markdown as a mermaid block.
	fmt.Println("\nThe life of an incident:")
	fmt.Print(desk.Lifecycle().Mermaid())
}

func advice(o itsm.Option) string {
	switch {
	case !o.Permitted:
		return fmt.Sprint("no: ", o.Refused[0])
	case len(o.Needs) > 0:
		return fmt.Sprintf("yes, to %s, given its %s", o.To, o.Needs[0].Field)
	}
	return fmt.Sprint("yes, to ", o.To)
}

// still makes the program print the same each time: a clock that moves on by
// six minutes whenever it is looked at, and ids that count. Without it (the
// zero Config) the clock is the real one, and ids are unique in the world.
func still() itsm.Config {
	now, count := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC), 0
	return itsm.Config{
		Now: func() time.Time {
			now = now.Add(6 * time.Minute)
			return now
		},
		NewID: func(_ context.Context, prefix string, _ time.Time) (itsm.ID, error) {
			count++
			return itsm.ID(fmt.Sprintf("%s-%d", prefix, count)), nil
		},
	}
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
