// Hosttable puts incident management under a help desk that has had a ticket
// table for years, with columns, words and numbers of its own. The table stays
// the host's; what reads it goes on working. The story is told on SQLite, and then
// once more on PostgreSQL: on the one that ITSM_POSTGRES_URL names, or on a server
// that is started for it, if one is installed.
//
//	go run -C examples/hosttable .
//
// It is a module of its own, so that its drivers are nobody else's.
//
// store.go is the store, mapping.go says which column is which field, abilities.go
// is what a store may do besides, migrate.go what becomes of old tickets, host.go
// the host, whose tables was.sql has as they were. What the databases have
// different is in sqlite.go and postgres.go, and in sqlite.sql and postgres.sql,
// which have what is added to the tables.
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"time"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/incident"
	"github.com/go-itsm/itsm/storage/enginetest/pgserver"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

func main() {
	defer func() { // when all else is cleaned away
		switch failed := recover().(type) {
		case nil:
		case failure:
			log.Fatal(failed)
		default:
			panic(failed)
		}
	}()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	var first, second bytes.Buffer
	tellOnSQLite(ctx, io.MultiWriter(os.Stdout, &first))

	address, stopServer, err := pgserver.Find()
	if err != nil {
		fmt.Println("\nIt is not told again on PostgreSQL:", err)
		return
	}
	defer stopServer()
	tellOnPostgres(ctx, &second, address)
	if second.String() != first.String() {
		check(errors.New("on PostgreSQL it is another story:\n" + second.String()))
	}
	fmt.Println("\nOn PostgreSQL, every word of this is the same.")
}

func tellOnSQLite(ctx context.Context, out io.Writer) {
	dir, err := os.MkdirTemp("", "hosttable")
	check(err)
	defer func() { check(os.RemoveAll(dir)) }()
	db, err := OpenSQLite(filepath.Join(dir, "desk.db"))
	check(err)
	defer func() { check(db.Close()) }()
	tell(ctx, out, onSQLite(db))
}

func tellOnPostgres(ctx context.Context, out io.Writer, address string) {
	cfg, drop, err := ownSchema(ctx, address)
	check(err)
	defer func() { check(drop()) }()
	pool, err := pgxpool.NewWithConfig(ctx, cfg)
	check(err)
	defer pool.Close()
	tell(ctx, out, onPostgres(pool))
}

// ownSchema makes a schema that nobody else uses, and says how to get there.
func ownSchema(ctx context.Context, address string) (cfg *pgxpool.Config, drop func() error, err error) {
	if cfg, err = pgxpool.ParseConfig(address); err != nil {
		return nil, nil, err
	}
	admin, err := pgx.Connect(ctx, address)
	if err != nil {
		return nil, nil, err
	}
	ctx = context.WithoutCancel(ctx)
	name := fmt.Sprintf("hosttable_%d_%d", os.Getpid(), time.Now().UnixNano())
	if _, err := admin.Exec(ctx, `CREATE SCHEMA `+name); err != nil {
		return nil, nil, errors.Join(err, admin.Close(ctx))
	}
	cfg.ConnConfig.RuntimeParams["search_path"] = name
	return cfg, func() error {
		_, err := admin.Exec(ctx, `DROP SCHEMA `+name+` CASCADE`)
		return errors.Join(err, admin.Close(ctx))
	}, nil
}

// tell tells the story.
func tell(ctx context.Context, out io.Writer, db *database) {
	check(db.run(ctx, was))
	fmt.Fprintln(out, "The ticket table, as it has been for years:")
	show(ctx, out, db, `no, subject, status, customer, agent, prio`, `tickets ORDER BY no`)

	// Three columns and a history are added, and the old tickets migrated.
	check(db.run(ctx, db.added))
	check(migrate(ctx, db.store))

	now := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	clock := func() time.Time { now = now.Add(5 * time.Minute); return now }
	desk, err := newDesk(db.store, clock)
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
	fmt.Fprintln(out, "\nResolve an archived one?", err)

	// New ones are opened together with what they cost the customer. The second
	// of globex costs more than is left, so there is no ticket either, and no
	// gap in the numbers.
	fmt.Fprintln(out, "\nThree calls come in:")
	for _, report := range []incident.Report{
		{Title: "Mail bounces", Caller: "globex", Service: "mail"},
		{Title: "Mail bounces again", Caller: "globex", Service: "mail"},
		{Title: "Badge does not open the door", Caller: "acme", Fields: itsm.Fields{"floor": []byte("3")}},
	} {
		inc, err := openOnContract(mina, db, clock, report)
		if err != nil {
			fmt.Fprintln(out, "  no:", err)
			continue
		}
		fmt.Fprintf(out, "  %s %s\n", inc.ID, inc.Title)
	}

	// Three days later, what was resolved closes by itself.
	now = now.Add(72 * time.Hour)
	done, _, err := desk.RunDue(itsm.WithActor(ctx, itsm.System()))
	check(err)
	fmt.Fprintln(out, "\nThree days later, due actions done:", done)

	fmt.Fprintln(out, "\nThe ticket table after that:")
	show(ctx, out, db, `no, subject, status, customer, agent, prio`, `tickets ORDER BY no`)
	fmt.Fprintln(out, "\nThe contracts:")
	show(ctx, out, db, `customer, tickets_left`, `contracts ORDER BY customer`)
	fmt.Fprintln(out, "\nWhat is remembered of ticket 41, asked in SQL:")
	show(ctx, out, db, `version, at, who, action`, `ticket_history WHERE ticket = 41 ORDER BY version`)

	// The history alone leads to the same ticket, migrated or not.
	stored, err := desk.Get(mina, "INC0000041")
	check(err)
	replayed, err := desk.Replay(desk.History(mina, stored.ID))
	check(err)
	fmt.Fprintf(out, "\nReplayed, it is %s by %s at version %d; stored, %s by %s at version %d.\n",
		replayed.State, replayed.Resolution.By, replayed.Version, stored.State, stored.Resolution.By, stored.Version)
}

// show prints columns of a table.
func show(ctx context.Context, out io.Writer, db *database, columns, from string) {
	names := strings.Split(columns, ", ")
	table := [][]string{names}
	_, err := db.store.db(ctx, func(r row) error {
		cells, places := make([]string, len(names)), make([]any, len(names))
		for i := range cells {
			places[i] = &cells[i]
		}
		table = append(table, cells)
		return r.Scan(places...)
	}, `SELECT `+columns+` FROM `+from)
	check(err)
	for _, cells := range table {
		var line strings.Builder
		for i, cell := range cells {
			width := 0
			for _, other := range table {
				width = max(width, len(other[i]))
			}
			fmt.Fprintf(&line, "  %-*s", width, cell)
		}
		fmt.Fprintln(out, strings.TrimRight(line.String(), " "))
	}
}

// A failure is what main gives up with.
type failure struct{ error }

// check gives up, cleaning away on the way out what was begun.
func check(err error) {
	if err != nil {
		panic(failure{err})
	}
}
