package sqlite_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"time"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/incident"
	"github.com/go-itsm/itsm/storage/sqlite"
)

// A desk that is still there after the program has ended: two tenants in a file.
func Example() {
	dir, err := os.MkdirTemp("", "desk")
	check(err)
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "desk.db")
	ctx := itsm.As(context.Background(), "mina")

	// desk is what the program does each time that it starts.
	desk := func(tenant string) (*incident.Practice, *sqlite.DB) {
		db, err := sqlite.Open(ctx, file, sqlite.Config{})
		check(err)
		store := sqlite.NewStore[incident.Incident](db, sqlite.Space{Tenant: tenant, Practice: "incident"})
		p, err := incident.NewPractice(store, incident.Config{Config: itsm.Config{
			Now: func() time.Time { return time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC) },
		}})
		check(err)
		return p, db
	}

	acme, db := desk("acme")
	inc, err := acme.Open(ctx, incident.Report{Title: "Checkout answers 503"})
	check(err)
	check(db.Backup(ctx, file+".monday"))
	check(db.Close())

	acme, db = desk("acme") // the next day
	inc, err = acme.Do(ctx, inc.ID, incident.Resolve{Code: incident.Fixed, Note: "Restarted"})
	check(err)
	for e, err := range acme.History(ctx, inc.ID) {
		check(err)
		fmt.Println(e.Version, e.Action, e.Actor.ID)
	}
	check(db.Close())

	globex, db := desk("globex")
	_, err = globex.Get(ctx, inc.ID)
	fmt.Println("globex:", errors.Is(err, itsm.ErrNotFound))
	check(db.Close())
	// Output:
	// 1 report mina
	// 2 resolve mina
	// globex: true
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
