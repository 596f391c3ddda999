package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/incident"
	"github.com/go-itsm/itsm/storage/postgres"
)

// A ticket and what it costs are there together or not at all: an incident, and a
// table of the host's own, in one transaction.
func Example() {
	ctx := itsm.As(context.Background(), "mina")
	db, err := postgres.Open(ctx, address, postgres.Config{})
	check(err)
	defer db.Close()
	space := postgres.Space{Tenant: "acme", Practice: "incident"}
	desk, err := incident.NewPractice(postgres.NewStore[incident.Incident](db, space), incident.Config{Config: itsm.Config{
		Now: func() time.Time { return time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC) },
	}})
	check(err)

	host, err := pgx.Connect(ctx, address)
	check(err)
	defer host.Close(ctx)
	_, err = host.Exec(ctx, `CREATE TEMPORARY TABLE contract AS SELECT 1 AS tickets_left`)
	check(err)
	open := func(title string) (inc incident.Incident, err error) {
		err = pgx.BeginFunc(ctx, host, func(tx pgx.Tx) error {
			inc, err = desk.Over(postgres.Within[incident.Incident](tx, space, postgres.Config{})).Open(ctx, incident.Report{Title: title})
			if err != nil {
				return err
			}
			paid, err := tx.Exec(ctx, `UPDATE contract SET tickets_left = tickets_left - 1 WHERE tickets_left > 0`)
			if err == nil && paid.RowsAffected() == 0 {
				err = errors.New("there are no tickets left")
			}
			return err
		})
		return inc, err
	}
	for _, title := range []string{"Checkout answers 503", "Mail bounces"} {
		inc, err := open(title)
		if err != nil {
			fmt.Println(title+":", err)
			continue
		}
		inc, err = desk.Do(ctx, inc.ID, incident.Resolve{Code: incident.Fixed, Note: "Restarted"})
		check(err)
		fmt.Println(title+":", inc.State)
	}
	page, err := desk.List(ctx, itsm.Query{})
	check(err)
	fmt.Println("in the table:", len(page.Records))
	// Output:
	// Checkout answers 503: resolved
	// Mail bounces: there are no tickets left
	// in the table: 1
}

// address is where the example finds a database.
var address = os.Getenv("DATABASE_URL")

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
