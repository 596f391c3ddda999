package svs_test

import (
	"context"
	"fmt"
	"time"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/change"
	"github.com/go-itsm/itsm/incident"
	"github.com/go-itsm/itsm/storage/memory"
	"github.com/go-itsm/itsm/svs"
)

// An incident that was worked around asks for a change by itself, once, however often
// its event is read.
func Example() {
	cfg := itsm.Config{
		Now: func() time.Time { return time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC) },
	}
	incidents, err := incident.NewPractice(memory.New[incident.Incident](), incident.Config{Config: cfg})
	if err != nil {
		fmt.Println(err)
		return
	}
	changes, err := change.NewPractice(memory.New[change.Change](), change.Config{Config: cfg})
	if err != nil {
		fmt.Println(err)
		return
	}

	cure := svs.On[incident.Incident]{
		Name: "cure", Practice: incidents.Practice, Actions: []string{"resolve"},
		Leads: []svs.Point{{Practice: "change", Action: "propose"}},
		Decide: func(_ context.Context, past itsm.Past[incident.Incident]) ([]svs.Effect, error) {
			inc := past.Record
			if inc.Resolution.Code != incident.Workaround {
				return nil, nil
			}
			return []svs.Effect{svs.Create(changes.Practice, change.Propose{
				Title: "Cure: " + inc.Title, Reason: inc.Resolution.Note, Services: []string{inc.Service},
			})}, nil
		},
	}
	sys, err := svs.NewSystem(svs.Config{Reactions: []svs.Reaction{cure}})
	if err != nil {
		fmt.Println(err)
		return
	}

	ctx := itsm.As(context.Background(), "mia")
	inc, err := incidents.Open(ctx, incident.Report{Title: "No mail", Service: "mail", Impact: 1, Urgency: 1})
	if err == nil {
		inc, err = incidents.Do(ctx, inc.ID, incident.Resolve{Code: incident.Workaround, Note: "the queue was restarted"})
	}
	fmt.Println(inc.State, err)

	done, err := sys.CatchUp(ctx)
	fmt.Println(done, err)
	for c, err := range changes.All(ctx, itsm.Query{}) {
		fmt.Printf("%s: %s (%s) %v\n", c.State, c.Title, c.Reason, err)
	}

	// A second host begins with the first event.
	other, _ := svs.NewSystem(svs.Config{Reactions: []svs.Reaction{cure}})
	done, err = other.CatchUp(ctx)
	fmt.Println(done, err)
	// Output:
	// resolved <nil>
	// 1 <nil>
	// draft: Cure: No mail (the queue was restarted) <nil>
	// 0 <nil>
}
