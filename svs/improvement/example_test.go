package improvement_test

import (
	"context"
	"fmt"
	"time"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/incident"
	"github.com/go-itsm/itsm/practicetest"
	"github.com/go-itsm/itsm/storage/memory"
	"github.com/go-itsm/itsm/svs/improvement"
	"github.com/go-itsm/itsm/valuechain"
)

// An improvement whose baseline and result come out of the feed of the incident
// practice: nobody types them in.
func Example() {
	now := time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)
	cfg := itsm.Config{Now: func() time.Time { return now }, NewID: practicetest.Serial()}
	incidents := memory.New[incident.Incident]()
	desk, err := incident.NewPractice(incidents, incident.Config{Config: cfg})
	if err != nil {
		fmt.Println(err)
		return
	}
	// leadTime is the mean time from a call to its resolution, in hours.
	leadTime := func(ctx context.Context, from, to time.Time) (float64, error) {
		run, err := valuechain.NewRun(valuechain.RestorationStream(), valuechain.Options{})
		if err != nil {
			return 0, err
		}
		_, err = valuechain.ReadFeed(ctx, incidents, "", run.Add)
		return run.Report(from, to).Whole.Lead.Mean.Hours(), err
	}
	register, err := improvement.NewPractice(memory.New[improvement.Improvement](), improvement.Config{
		Config: cfg, Metrics: map[string]improvement.Metric{"lead_time": leadTime},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx := itsm.As(context.Background(), "mia")
	week := func(hours time.Duration) (from, to time.Time) {
		from = now
		inc, err := desk.Open(ctx, incident.Report{Title: "No mail"})
		now = now.Add(hours * time.Hour)
		if err == nil {
			_, err = desk.Do(ctx, inc.ID, incident.Resolve{Code: incident.Fixed, Note: "restarted"})
		}
		if err != nil {
			fmt.Println(err)
		}
		now = from.AddDate(0, 0, 7)
		return from, now
	}

	from, to := week(20)
	imp, err := register.Open(ctx, improvement.Log{Title: "Restore mail within a morning", Source: improvement.FromReview})
	for _, a := range []itsm.Action[improvement.Improvement]{
		improvement.SetBaseline{Metric: "lead_time", Unit: "h", From: from, To: to},
		improvement.SetTarget{Target: improvement.Target{Metric: "lead_time", Value: 4, Better: improvement.Lower}},
		improvement.Assess{}, improvement.Approve{}, improvement.Start{},
	} {
		if err == nil {
			imp, err = register.Do(ctx, imp.ID, a)
		}
	}
	from, to = week(8)
	if err == nil {
		_, err = register.Do(ctx, imp.ID, improvement.Measure{Metric: "lead_time", Unit: "h", From: from, To: to})
	}
	if err == nil {
		imp, err = register.Do(ctx, imp.ID, improvement.Close{Lessons: "the desk can restart the queue by itself"})
	}
	if err != nil {
		fmt.Println(err)
		return
	}
	result, _ := imp.Result()
	fmt.Printf("from %.0f h to %.0f h of %.0f h, %.0f %% of the way: %s\n", result.Before, result.After, result.Target, 100*result.Share, imp.Outcome)
	for _, s := range imp.Skipped() {
		fmt.Println(s)
	}
	// Output:
	// from 20 h to 8 h of 4 h, 75 % of the way: partly
	// 1. What is the vision? was left out
	// 4. How do we get there? was left out
}
