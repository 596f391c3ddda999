// Hosttable puts incident management under a help desk that has had a ticket
// table for years, with columns, words and numbers of its own. The table stays
// the host's; what reads it goes on working.
//
//	go run -C examples/hosttable .
//
// It is a module of its own, so that its driver is nobody else's.
//
// store.go is the store, mapping.go says which column is which field, abilities.go
// is what a store may do besides, migrate.go what becomes of old tickets, host.go
// the host. was.sql has the tables as they were, itsm.sql what is added to them.
package main

import (
	"context"
	"database/sql"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/incident"
)

func main() {
	dir, err := os.MkdirTemp("", "hosttable")
	check(err)
	defer func() { check(os.RemoveAll(dir)) }()
	ctx := context.Background()
	db, err := open(ctx, filepath.Join(dir, "desk.db"), was)
	check(err)
	defer func() { check(db.Close()) }()

	fmt.Println("The ticket table, as it has been for years:")
	show(ctx, db, `SELECT no, subject, status, customer, agent, prio FROM tickets`)

	// Three columns and a history are added, and the old tickets migrated.
	_, err = db.ExecContext(ctx, added)
	check(err)
	check(migrate(ctx, db))

	now := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	clock := func() time.Time { now = now.Add(5 * time.Minute); return now }
	desk, err := newDesk(Over(db), clock)
	check(err)
	mina := itsm.As(ctx, "mina")

	// Old tickets are incidents now, with all that these can do.
	_, err = desk.Do(mina, "INC0000042", incident.Assess{Impact: itsm.MediumImpact, Urgency: itsm.HighUrgency})
	check(err)
	_, err = desk.Do(mina, "INC0000042", incident.Start{})
	check(err)
	_, err = desk.Do(mina, "INC0000041", incident.Resolve{Code: incident.Fixed, Note: "Keepalive was off"})
	check(err)
	_, err = desk.Do(mina, "INC0000040", incident.Resolve{Code: incident.Fixed, Note: "Again?"})
	fmt.Println("\nResolve an archived one?", err)

	// New ones are opened together with what they cost the customer. The second
	// of globex costs more than is left, so there is no ticket either, and no
	// gap in the numbers.
	fmt.Println("\nThree calls come in:")
	for _, report := range []incident.Report{
		{Title: "Mail bounces", Caller: "globex", Service: "mail"},
		{Title: "Mail bounces again", Caller: "globex", Service: "mail"},
		{Title: "Badge does not open the door", Caller: "acme", Fields: itsm.Fields{"floor": []byte("3")}},
	} {
		inc, err := openOnContract(mina, db, clock, report)
		if err != nil {
			fmt.Println("  no:", err)
			continue
		}
		fmt.Printf("  %s %s\n", inc.ID, inc.Title)
	}

	// Three days later, what was resolved closes by itself.
	now = now.Add(72 * time.Hour)
	done, _, err := desk.RunDue(itsm.WithActor(ctx, itsm.System()))
	check(err)
	fmt.Println("\nThree days later, due actions done:", done)

	fmt.Println("\nThe ticket table after that:")
	show(ctx, db, `SELECT no, subject, status, customer, agent, prio FROM tickets`)
	fmt.Println("\nThe contracts:")
	show(ctx, db, `SELECT customer, tickets_left FROM contracts`)
	fmt.Println("\nWhat is remembered of ticket 41, asked in SQL:")
	show(ctx, db, `SELECT version, substr(at, 1, 16) AS at, who, action FROM ticket_history WHERE ticket = 41`)

	// The history alone leads to the same ticket, migrated or not.
	stored, err := desk.Get(mina, "INC0000041")
	check(err)
	replayed, err := desk.Replay(desk.History(mina, stored.ID))
	check(err)
	fmt.Printf("\nReplayed, it is %s by %s at version %d; stored, %s by %s at version %d.\n",
		replayed.State, replayed.Resolution.By, replayed.Version, stored.State, stored.Resolution.By, stored.Version)
}

// show prints what a query answers as a table.
func show(ctx context.Context, db *sql.DB, query string) {
	rows, err := db.QueryContext(ctx, query)
	check(err)
	defer func() { check(rows.Close()) }()
	names, err := rows.Columns()
	check(err)
	table := [][]string{names}
	for rows.Next() {
		cells, into := make([]string, len(names)), make([]any, len(names))
		for i := range cells {
			into[i] = &cells[i]
		}
		check(rows.Scan(into...))
		table = append(table, cells)
	}
	check(rows.Err())
	for _, cells := range table {
		var line strings.Builder
		for i, cell := range cells {
			width := 0
			for _, other := range table {
				width = max(width, len(other[i]))
			}
			fmt.Fprintf(&line, "  %-*s", width, cell)
		}
		fmt.Println(strings.TrimRight(line.String(), " "))
	}
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
