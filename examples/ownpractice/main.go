// Ownpractice shows what a vendor builds on the library without touching it: a
// practice of one's own (asset.go: assets that are lent and come back), and a
// state and an action of one's own in a practice of the library's (parts.go:
// incidents that wait for a spare part).
//
//	go run ./examples/ownpractice
package main

import (
	"context"
	"fmt"
	"iter"
	"log"
	"time"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/incident"
	"github.com/go-itsm/itsm/storage/memory"
)

func main() {
	// One Config fits all practices. This one has a clock that the story moves
	// and ids that count, so that it is the same story each time.
	now := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC) // a Monday
	count := map[string]int{}
	cfg := itsm.Config{
		Now: func() time.Time { return now },
		NewID: func(_ context.Context, prefix string, _ time.Time) (itsm.ID, error) {
			count[prefix]++
			return itsm.ID(fmt.Sprintf("%s-%d", prefix, count[prefix])), nil
		},
	}
	desk, err := NewDesk(memory.New[incident.Incident](), cfg)
	check(err)
	assets, err := NewAssets(memory.New[Asset](), cfg)
	check(err)
	mina := itsm.As(context.Background(), "mina")

	fmt.Println("Monday. Two notebooks are in stock; jin's own stays dark.")
	spare, err := assets.Create(mina, Register{Tag: "N-17", Model: "13 inch"})
	check(err)
	_, err = assets.Create(mina, Register{Tag: "N-18", Model: "15 inch"})
	check(err)
	inc, err := desk.Open(itsm.As(mina, "jin"), incident.Report{Title: "My notebook stays dark", CI: "N-03"})
	check(err)

	fmt.Println("Mina starts, orders a panel, and lends jin N-17 until Wednesday.")
	now = now.Add(time.Hour)
	_, err = assets.Do(mina, spare.ID, Lend{To: "jin", Until: now.AddDate(0, 0, 2)})
	check(err)
	// Several actions in one commit: all happen or none.
	err = desk.Update(mina, func(tx *itsm.Tx[incident.Incident]) error {
		for _, a := range []itsm.Action[incident.Incident]{
			incident.Start{},
			OrderParts{Part: "panel", Expected: now.AddDate(0, 0, 3)},
			// Practices do not know one another: a link is a value.
			incident.Link{Link: itsm.Link{Rel: "replaced_meanwhile_by", To: itsm.Ref{Kind: "asset", ID: spare.ID}}},
		} {
			if _, err := tx.Do(inc.ID, a); err != nil {
				return err
			}
		}
		return nil
	})
	check(err)
	inc, err = desk.Get(mina, inc.ID)
	check(err)
	var order OrderParts
	check(inc.Fields.Get("order", &order))
	fmt.Printf("  %s is %s: a %s, expected on %s\n", inc.ID, inc.State, order.Part, order.Expected.Weekday())

	// Time is nothing but a call: whatever runs RunDue (a Runner, a cron job, on
	// one machine or on ten) makes each due action happen once.
	fmt.Println("Thursday. The panel is there; N-17 is not.")
	now = now.AddDate(0, 0, 3)
	for range 2 {
		n, _, err := assets.RunDue(itsm.WithActor(mina, itsm.System()))
		check(err)
		fmt.Printf("  due actions done: %d\n", n)
	}
	_, err = desk.Do(mina, inc.ID, incident.Start{})
	check(err)
	_, err = desk.Do(mina, inc.ID, incident.Resolve{Code: incident.Fixed, Note: "New panel"})
	check(err)

	fmt.Println("N-17 comes back, with a dent. May it go?")
	_, err = assets.Do(mina, spare.ID, Return{})
	check(err)
	_, err = assets.Do(mina, spare.ID, Retire{})
	fmt.Println("  no:", err)
	_, err = assets.Do(mina, spare.ID, Wipe{})
	check(err)
	spare, err = assets.Do(mina, spare.ID, Retire{})
	check(err)
	fmt.Printf("  yes, once it is wiped: %s is %s\n", spare.Tag, spare.State)

	fmt.Println("\nWhat the vendor's practice remembers of N-17:")
	tell(assets.History(mina, spare.ID))
	fmt.Println("\nWhat the library's practice remembers of the incident:")
	tell(desk.History(mina, inc.ID))

	fmt.Println("\nWhat the host's state did to the life of an incident:")
	for _, move := range itsm.Diff(incident.DefaultLifecycle(), desk.Lifecycle()).Added {
		if move.From != move.To {
			fmt.Println("  +", move)
		}
	}
	fmt.Println("\nThe life of an asset:")
	fmt.Print(assets.Lifecycle().Mermaid())
}

func tell(history iter.Seq2[itsm.Event, error]) {
	for e, err := range history {
		check(err)
		fmt.Printf("  %s  %-6s  %-11s  %-14s  %s\n", e.At.Format("Mon 15:04"), e.Actor.ID, e.Action, e.To, e.Data)
	}
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
