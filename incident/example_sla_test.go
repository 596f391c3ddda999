package incident_test

import (
	"context"
	"fmt"
	"log"
	"slices"
	"strings"
	"time"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/incident"
	"github.com/go-itsm/itsm/sla"
	"github.com/go-itsm/itsm/storage/memory"
)

// Three incidents under one agreement, and how it was kept.
func ExamplePractice_Results() {
	office := sla.Calendar{Name: "office", Version: 1, Zone: "Europe/Berlin", Rules: sla.Rules{
		Weekly: sla.MondayToFriday(sla.Window{Open: 9 * time.Hour, Close: 17 * time.Hour}),
	}}
	hours, err := office.Compile()
	check(err)
	book, err := sla.NewBook([]*sla.Hours{hours}, []sla.Agreement{{
		Name: "gold", Version: 1, Kind: sla.ServiceLevel, Service: "mail", Outcome: "people reach each other",
		Metrics: []sla.Metric{
			incident.ResponseMetric("office", sla.GoalRule{Within: time.Hour}),
			incident.ResolutionMetric("office", sla.GoalRule{Within: 8 * time.Hour}),
		},
	}})
	check(err)

	now := time.Date(2026, 3, 6, 14, 0, 0, 0, hours.Location()) // a Friday
	desk, err := incident.NewPractice(memory.New[incident.Incident](), incident.Config{
		Config: itsm.Config{Now: func() time.Time { return now }}, Agreements: book,
	})
	check(err)
	ctx := itsm.As(context.Background(), "mia")
	var ids []itsm.ID
	for range 3 {
		inc, err := desk.Open(ctx, incident.Report{Title: "No mail", Caller: "jin", Service: "mail"})
		check(err)
		ids = append(ids, inc.ID)
	}
	now = now.Add(30 * time.Minute)
	_, err = desk.Do(ctx, ids[0], incident.Note{Text: "We are on it.", Public: true})
	check(err)
	for _, id := range ids[:2] {
		now = now.Add(69 * time.Hour)
		_, err = desk.Do(ctx, id, incident.Resolve{Code: incident.Fixed, Note: "Restarted the queue."})
		check(err)
	}

	var results []sla.Result
	for _, id := range ids {
		of, err := desk.Results(ctx, id, now)
		check(err)
		results = append(results, of...)
	}
	march := sla.Period{From: time.Date(2026, 3, 1, 0, 0, 0, 0, hours.Location()), To: time.Date(2026, 4, 1, 0, 0, 0, 0, hours.Location())}
	report, err := sla.NewReport(march, slices.Values(results), sla.ReportOptions{By: []sla.Dimension{sla.ByAgreement, sla.ByMetric}})
	check(err)
	for _, row := range report.Rows {
		fmt.Println(strings.Join(row.Key, "/"), row.Compliance(), "kept")
	}
	// What the users had of the service, by the same records: the third outage
	// goes on until the end of the month.
	var outages []sla.Outage
	for inc, err := range desk.All(ctx, itsm.Query{Where: []itsm.Key{{Field: "service", Value: "mail"}}}) {
		check(err)
		outages = append(outages, inc.Outage())
	}
	availability, err := sla.AvailabilityTerms{Period: march, Agreed: hours.Between}.Measure(outages)
	check(err)
	fmt.Println("available", availability.Fraction.Percent(2), "% of the hours agreed")
	// Output:
	// gold/resolution 1 of 3 (33.33 %) kept
	// gold/response 1 of 3 (33.33 %) kept
	// available 21.02 % of the hours agreed
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
