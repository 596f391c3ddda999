package telemetry_test

import (
	"context"
	"fmt"
	"log"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/incident"
	"github.com/go-itsm/itsm/storage/memory"
	"github.com/go-itsm/itsm/telemetry"
)

func Example() {
	// A host has an exporter of its own, and registers its providers.
	spans := tracetest.NewInMemoryExporter()
	tel, err := telemetry.New(telemetry.Config{Tracers: sdktrace.NewTracerProvider(sdktrace.WithSyncer(spans))})
	if err != nil {
		log.Fatal(err)
	}
	cfg := incident.Config{Config: itsm.Config{Observe: tel.Observe}}
	desk, err := incident.NewPractice(memory.New[incident.Incident](), cfg)
	if err != nil {
		log.Fatal(err)
	}
	ctx := itsm.As(context.Background(), "mina")
	inc, err := desk.Open(ctx, incident.Report{Title: "Mail is down", Impact: itsm.HighImpact, Urgency: itsm.HighUrgency})
	if err != nil {
		log.Fatal(err)
	}
	_, err = desk.Do(ctx, inc.ID, incident.Reopen{Reason: "It is down again."})
	fmt.Println("May it be reopened?", err == nil)

	for _, s := range spans.GetSpans() { // the inner ones end first
		fmt.Println(s.Name)
		for _, a := range s.Attributes {
			if a.Key == "error.type" {
				fmt.Println("  refused:", a.Value.AsString())
			}
		}
		for _, e := range s.Events {
			fmt.Println("  event:", e.Name)
		}
	}
	// Output:
	// May it be reopened? false
	// incident store Commit
	// incident report
	//   event: report
	// incident store Load
	// incident reopen
	//   refused: not_allowed
}
