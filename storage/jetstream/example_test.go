package jetstream_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/incident"
	"github.com/go-itsm/itsm/storage/jetstream"
)

// Two hosts work on the same incidents, each over a connection of its own. The
// server runs within this program; elsewhere there are three, on machines of
// their own.
func Example() {
	ctx := itsm.As(context.Background(), "jin")
	must := func(err error) {
		if err != nil {
			panic(err)
		}
	}
	dir, err := os.MkdirTemp("", "desk")
	must(err)
	defer func() { must(os.RemoveAll(dir)) }()
	nats1, err := server.NewServer(&server.Options{
		Host: "127.0.0.1", Port: server.RANDOM_PORT, JetStream: true, StoreDir: dir, SyncAlways: true, NoLog: true, NoSigs: true,
	})
	must(err)
	nats1.Start()
	defer nats1.WaitForShutdown()
	defer nats1.Shutdown()

	dial := func() *nats.Conn {
		nc, err := nats.Connect(nats1.ClientURL(), nats.RetryOnFailedConnect(true), nats.MaxReconnects(-1))
		must(err)
		return nc
	}
	host := func(nc *nats.Conn, cfg itsm.Config) *incident.Practice {
		store, err := jetstream.Open[incident.Incident](ctx, nc, jetstream.Options{Stream: "INCIDENTS"})
		must(err)
		desk, err := incident.NewPractice(store, incident.Config{Config: cfg})
		must(err)
		return desk
	}
	monday := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	nc1, nc2 := dial(), dial()
	defer nc1.Close()
	defer nc2.Close()
	seoul := host(nc1, itsm.Config{Now: func() time.Time { return monday }})
	berlin := host(nc2, itsm.Config{Now: func() time.Time { return monday.AddDate(0, 1, 0) }})

	inc, err := seoul.Open(ctx, incident.Report{Title: "Mail is down", Impact: itsm.HighImpact, Urgency: itsm.HighUrgency})
	must(err)
	inc, err = berlin.Do(ctx, inc.ID, incident.Resolve{Code: incident.Fixed, Note: "Restarted the queue."})
	must(err)
	fmt.Println("seen from Berlin:", inc.Title, inc.State)

	_, err = seoul.Do(ctx, inc.ID, incident.Resolve{Code: incident.Fixed, Note: "Restarted the queue."})
	fmt.Println("done twice:", err == nil, errors.Is(err, itsm.ErrNotAllowed))

	for d, err := range seoul.Feed(ctx, "") {
		must(err)
		fmt.Println("feed:", d.Event.Version, d.Event.Action, d.Event.To)
	}
	// Output:
	// seen from Berlin: Mail is down resolved
	// done twice: false true
	// feed: 1 report new
	// feed: 2 resolve resolved
}
