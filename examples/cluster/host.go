package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"sync"
	"time"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/incident"
)

// playHost opens incidents and resolves what anybody has opened, and runs what
// time brings. It prints every event that was acknowledged to it.
func playHost(name, urls string) {
	ctx := itsm.As(context.Background(), name)
	var mu sync.Mutex
	said := json.NewEncoder(os.Stdout)
	desk, err := open(ctx, urls, incident.Config{Config: itsm.Config{Notify: func(_ context.Context, events []itsm.Event) {
		mu.Lock()
		defer mu.Unlock()
		for _, e := range events {
			must(said.Encode(e))
		}
	}}}, 3)
	must(err)
	quiet := slog.New(slog.NewTextHandler(io.Discard, nil)) // that others are faster is no news here
	runner := itsm.NewRunner(itsm.RunnerConfig{Interval: 200 * time.Millisecond, Actor: itsm.Actor{ID: name}, Log: quiet}, desk)
	go func() { must(runner.Run(ctx)) }()
	for n := 1; ; n++ {
		// What fails is the picture's to show, by what is not done.
		_, _ = desk.Open(ctx, incident.Report{Title: fmt.Sprintf("%s %d: mail is down", name, n), Impact: itsm.MediumImpact, Urgency: itsm.HighUrgency})
		page, err := desk.List(ctx, itsm.Query{States: []itsm.State{incident.New}, Limit: 10})
		if err == nil && len(page.Records) > 0 {
			inc := page.Records[rand.IntN(len(page.Records))] // that others look at too
			_, _ = desk.Do(ctx, inc.ID, incident.Resolve{Code: incident.Fixed, Note: "Restarted the queue."})
		}
		time.Sleep(5 * time.Millisecond)
	}
}
