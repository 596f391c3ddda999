package telemetry_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	metricnoop "go.opentelemetry.io/otel/metric/noop"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
	tracenoop "go.opentelemetry.io/otel/trace/noop"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/incident"
	"github.com/go-itsm/itsm/storage/memory"
	"github.com/go-itsm/itsm/telemetry"
)

var monday = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

// A lab is a desk under observation.
type lab struct {
	t       *testing.T
	spans   *tracetest.InMemoryExporter
	reader  *sdkmetric.ManualReader
	tracer  trace.Tracer
	tel     *telemetry.Telemetry
	desk    *incident.Practice
	now     time.Time
	watch   time.Time
	fail    func(call string) error // before a call of the store
	numbers int
	told    []string // ids of events
}

// failing is a store that may fail before it does something.
type failing struct {
	*memory.Store[incident.Incident]
	lab *lab
}

func (f failing) Commit(ctx context.Context, revs ...itsm.Revision[incident.Incident]) error {
	if f.lab.fail != nil {
		if err := f.lab.fail("Commit"); err != nil {
			return err
		}
	}
	return f.Store.Commit(ctx, revs...)
}

func newLab(t *testing.T) *lab {
	l := &lab{t: t, spans: tracetest.NewInMemoryExporter(), reader: sdkmetric.NewManualReader(), now: monday, watch: monday}
	tracers := sdktrace.NewTracerProvider(sdktrace.WithSyncer(l.spans))
	l.tracer = tracers.Tracer("the host")
	var err error
	l.tel, err = telemetry.New(telemetry.Config{
		Tracers: tracers, Meters: sdkmetric.NewMeterProvider(sdkmetric.WithReader(l.reader)),
		Attributes: []attribute.KeyValue{attribute.String("tenant", "acme")},
		Span: func(ctx context.Context, call itsm.Call) []attribute.KeyValue {
			a, err := itsm.ActorFrom(ctx)
			if err != nil || call.Store {
				return nil
			}
			return []attribute.KeyValue{attribute.String("who", a.ID)}
		},
		// Every call takes a millisecond longer than what it asks for.
		Now: func() time.Time { l.watch = l.watch.Add(time.Millisecond); return l.watch },
	})
	require.NoError(t, err)
	l.desk, err = incident.NewPractice(failing{memory.New[incident.Incident](), l}, incident.Config{AutoClose: incident.After(time.Hour), Config: itsm.Config{
		Now: func() time.Time { return l.now }, Observe: l.tel.Observe,
		NewID: func(_ context.Context, prefix string, at time.Time) (itsm.ID, error) {
			l.numbers++
			return itsm.ID(fmt.Sprint(prefix, l.numbers)), nil
		},
	}})
	require.NoError(t, err)
	return l
}

func text(all []attribute.KeyValue) string {
	var parts []string
	for _, a := range all {
		switch a.Key {
		case "itsm.practice", "tenant": // they are everywhere, see TestEverywhere
		case "itsm.event.id", "exception.type": // see TestStory; a name of Go's
		default:
			parts = append(parts, fmt.Sprint(strings.TrimPrefix(string(a.Key), "itsm."), "=", a.Value.String()))
		}
	}
	slices.Sort(parts)
	return strings.Join(parts, " ")
}

// story returns the spans that ended, below those that they belong to, and
// forgets them.
func (l *lab) story() (lines []string) {
	all := l.spans.GetSpans()
	l.spans.Reset()
	var below func(parent trace.SpanID, indent string)
	below = func(parent trace.SpanID, indent string) {
		for _, s := range all {
			if s.Parent.SpanID() != parent {
				continue
			}
			line := fmt.Sprintf("%s%s: %s %v", indent, s.Name, text(s.Attributes), s.EndTime.Sub(s.StartTime))
			for _, e := range s.Events {
				line += fmt.Sprintf(" | %s %s", e.Name, text(e.Attributes))
				for _, a := range e.Attributes {
					if a.Key == "itsm.event.id" {
						l.told = append(l.told, a.Value.AsString())
					}
				}
			}
			if s.Status.Code != codes.Unset {
				line += fmt.Sprint(" ! ", s.Status.Code, " ", s.Status.Description)
			}
			lines = append(lines, line)
			below(s.SpanContext.SpanID(), indent+"> ")
		}
	}
	below(trace.SpanID{}, "")
	return lines
}

// figures returns what was measured: of a histogram the number and the sum.
func (l *lab) figures() (lines []string) {
	var rm metricdata.ResourceMetrics
	require.NoError(l.t, l.reader.Collect(context.Background(), &rm))
	for _, scope := range rm.ScopeMetrics {
		require.Equal(l.t, "github.com/go-itsm/itsm/telemetry", scope.Scope.Name)
		for _, m := range scope.Metrics {
			switch data := m.Data.(type) {
			case metricdata.Histogram[float64]:
				for _, p := range data.DataPoints {
					lines = append(lines, fmt.Sprintf("%s %s: %d, %.6g %s", m.Name, text(p.Attributes.ToSlice()), p.Count, p.Sum, m.Unit))
				}
			case metricdata.Sum[int64]:
				for _, p := range data.DataPoints {
					lines = append(lines, fmt.Sprintf("%s %s: %d %s", m.Name, text(p.Attributes.ToSlice()), p.Value, m.Unit))
				}
			}
		}
	}
	slices.Sort(lines)
	return lines
}

func TestStory(t *testing.T) {
	l := newLab(t)
	jin := itsm.As(t.Context(), "jin")

	_, err := l.desk.Open(jin, incident.Report{Title: "Mail is down", Impact: itsm.HighImpact, Urgency: itsm.HighUrgency})
	require.NoError(t, err)
	require.Equal(t, []string{
		"incident report: action=report method=Create who=jin 3ms | report record.id=inc1 record.version=1 state.from= state=new",
		"> incident store Commit: method=Commit record.id=inc1 1ms",
	}, l.story())

	// A refusal is no error of the program.
	_, err = l.desk.Do(jin, "inc1", incident.Resume{})
	require.ErrorIs(t, err, itsm.ErrNotAllowed)
	_, err = l.desk.Do(jin, "inc9", incident.Start{})
	require.ErrorIs(t, err, itsm.ErrNotFound)
	require.Equal(t, []string{
		"incident resume: action=resume error.type=not_allowed method=Do record.id=inc1 who=jin 3ms",
		"> incident store Load: method=Load record.id=inc1 1ms",
		"incident start: action=start error.type=not_found method=Do record.id=inc9 who=jin 3ms",
		"> incident store Load: error.type=not_found method=Load record.id=inc9 1ms",
	}, l.story())

	// Somebody else was faster.
	faster := true
	l.fail = func(string) error {
		if !faster {
			return nil
		}
		faster = false
		return itsm.ErrConflict
	}
	_, err = l.desk.Do(jin, "inc1", incident.Start{})
	require.NoError(t, err)
	require.Equal(t, []string{
		"incident start: action=start attempt=2 method=Do record.id=inc1 who=jin 9ms | start record.id=inc1 record.version=2 state.from=new state=in_progress",
		"> incident store Load: method=Load record.id=inc1 1ms",
		"> incident store Commit: error.type=conflict method=Commit record.id=inc1 1ms",
		"> incident store Load: method=Load record.id=inc1 1ms",
		"> incident store Commit: method=Commit record.id=inc1 1ms",
	}, l.story())

	// What should not have happened.
	l.fail = func(string) error { return errors.New("the disk is full") }
	_, err = l.desk.Do(jin, "inc1", incident.Resolve{Code: incident.Fixed, Note: "Restarted."})
	require.Error(t, err)
	l.fail = nil
	require.Equal(t, []string{
		"incident resolve: action=resolve error.type=_OTHER method=Do record.id=inc1 who=jin 5ms | exception exception.message=the disk is full ! Error the disk is full",
		"> incident store Load: method=Load record.id=inc1 1ms",
		"> incident store Commit: error.type=_OTHER method=Commit record.id=inc1 1ms | exception exception.message=the disk is full ! Error the disk is full",
	}, l.story())

	// What follows from an event 5 seconds later, and what time brings 2 minutes
	// late.
	l.now = monday.Add(5 * time.Second)
	because := itsm.Because(jin, itsm.Event{ID: "evt99", At: monday}, "cure")
	_, err = l.desk.Do(because, "inc1", incident.Resolve{Code: incident.Fixed, Note: "Restarted."})
	require.NoError(t, err)
	inc, err := l.desk.Get(jin, "inc1")
	require.NoError(t, err)
	l.now = inc.Due.Add(2 * time.Minute)
	done, _, err := l.desk.RunDue(jin)
	require.NoError(t, err)
	require.Equal(t, 1, done)
	require.Equal(t, []string{
		"incident resolve: action=resolve method=Do reaction=cure record.id=inc1 who=jin 7ms | resolve record.id=inc1 record.version=3 state.from=in_progress state=resolved",
		"> incident store Load: method=Load record.id=inc1 1ms",
		"> incident store Events: method=Events record.id=inc1 1ms",
		"> incident store Commit: method=Commit record.id=inc1 1ms",
		"incident store Load: method=Load record.id=inc1 1ms",
		"incident RunDue: method=RunDue record.id=inc1 who=jin 5ms | auto_close record.id=inc1 record.version=4 state.from=resolved state=closed",
		"> incident store Load: method=Load record.id=inc1 1ms",
		"> incident store Commit: method=Commit record.id=inc1 1ms",
		"incident store Due: method=Due 7ms",
		"incident store NextDue: method=NextDue 1ms",
	}, l.story())
	told := l.told
	for e, err := range l.desk.History(jin, "inc1") {
		require.NoError(t, err)
		require.NotEmpty(t, told)
		require.Equal(t, string(e.ID), told[0], "a trace leads to the history")
		told = told[1:]
	}
	require.Empty(t, told)

	require.Equal(t, []string{
		"itsm.events action=auto_close state=closed: 1 {event}",
		"itsm.events action=report state=new: 1 {event}",
		"itsm.events action=resolve state=resolved: 1 {event}",
		"itsm.events action=start state=in_progress: 1 {event}",
		"itsm.lag action=auto_close reason=due: 1, 120 s",
		"itsm.lag action=resolve reason=reaction: 1, 5 s",
		"itsm.practice.duration action=report method=Create: 1, 0.003 s",
		"itsm.practice.duration action=resolve error.type=_OTHER method=Do: 1, 0.005 s",
		"itsm.practice.duration action=resolve method=Do: 1, 0.007 s",
		"itsm.practice.duration action=resume error.type=not_allowed method=Do: 1, 0.003 s",
		"itsm.practice.duration action=start error.type=not_found method=Do: 1, 0.003 s",
		"itsm.practice.duration action=start method=Do: 1, 0.009 s",
		"itsm.practice.duration method=RunDue: 1, 0.005 s",
		"itsm.practice.retries : 1 {retry}",
		"itsm.store.duration error.type=_OTHER method=Commit: 1, 0.001 s",
		"itsm.store.duration error.type=conflict method=Commit: 1, 0.001 s",
		"itsm.store.duration error.type=not_found method=Load: 1, 0.001 s",
		"itsm.store.duration method=Commit: 4, 0.004 s",
		"itsm.store.duration method=Due: 1, 0.007 s",
		"itsm.store.duration method=Events: 2, 0.002 s",
		"itsm.store.duration method=Load: 7, 0.007 s",
		"itsm.store.duration method=NextDue: 1, 0.001 s",
	}, l.figures())
}

// The spans of a practice belong to the host's, and those of a driver to the
// store's.
func TestContext(t *testing.T) {
	l := newLab(t)
	ctx, request := l.tracer.Start(itsm.As(t.Context(), "jin"), "POST /incidents")
	l.fail = nil
	_, err := l.desk.Check(ctx, "", incident.Report{Title: "Mail is down", Impact: itsm.HighImpact, Urgency: itsm.HighUrgency})
	require.NoError(t, err)
	_, err = l.desk.WhyNot(ctx, "inc9")
	require.Error(t, err)
	request.End()
	require.Equal(t, []string{"POST /incidents", "> incident Check report", "> incident WhyNot", "> > incident store Load"}, names(l.story()))
}

func names(story []string) (names []string) {
	for _, line := range story {
		name, _, _ := strings.Cut(line, ":")
		names = append(names, name)
	}
	return names
}

// Clocks of two hosts may differ, but nothing is done before its reason is there.
func TestLagIsNotNegative(t *testing.T) {
	l := newLab(t)
	because := itsm.Because(itsm.As(t.Context(), "jin"), itsm.Event{ID: "evt99", At: monday.Add(time.Second)}, "open")
	_, err := l.desk.Open(because, incident.Report{Title: "Mail is down", Impact: itsm.HighImpact, Urgency: itsm.HighUrgency})
	require.NoError(t, err)
	require.Contains(t, l.figures(), "itsm.lag action=report reason=reaction: 1, 0 s")
}

// What is on everything is on everything.
func TestEverywhere(t *testing.T) {
	l := newLab(t)
	_, err := l.desk.Open(itsm.As(t.Context(), "jin"), incident.Report{Title: "Mail is down", Impact: itsm.HighImpact, Urgency: itsm.HighUrgency})
	require.NoError(t, err)
	l.tel.Batch(1, time.Second, nil)
	for _, s := range l.spans.GetSpans() {
		require.Contains(t, s.Attributes, attribute.String("tenant", "acme"))
		require.Contains(t, s.Attributes, attribute.String("itsm.practice", "incident"))
	}
	var rm metricdata.ResourceMetrics
	require.NoError(t, l.reader.Collect(t.Context(), &rm))
	points := 0
	has := func(set attribute.Set) {
		points++
		v, _ := set.Value("tenant")
		require.Equal(t, "acme", v.AsString())
	}
	for _, m := range rm.ScopeMetrics[0].Metrics {
		require.NotEmpty(t, m.Description)
		switch data := m.Data.(type) {
		case metricdata.Histogram[float64]:
			has(data.DataPoints[0].Attributes)
		case metricdata.Sum[int64]:
			has(data.DataPoints[0].Attributes)
		}
	}
	require.Equal(t, 5, points)
}

// What engines tell.
func TestEngines(t *testing.T) {
	l := newLab(t)
	l.tel.Batch(3, 20*time.Millisecond, nil)
	l.tel.Batch(2, 30*time.Millisecond, nil)
	l.tel.Batch(1, time.Second, errors.New("the disk is full"))
	ctx, span := l.tracer.Start(t.Context(), "incident store Commit")
	l.tel.Retry(ctx, "Commit", 2, fmt.Errorf("%w: wrong last sequence", itsm.ErrConflict))
	l.tel.Retry(t.Context(), "Load", 1, errors.New("no leader")) // in no span
	span.End()
	require.Regexp(t, `^incident store Commit: .* \| retry attempt=2 error.message=itsm: changed by somebody else: wrong last sequence error.type=conflict$`, l.story()[0])
	require.Equal(t, []string{
		"itsm.store.batch.duration : 2, 0.05 s",
		"itsm.store.batch.duration error.type=_OTHER: 1, 1 s",
		"itsm.store.batch.size : 2, 5 {commit}",
		"itsm.store.batch.size error.type=_OTHER: 1, 1 {commit}",
		"itsm.store.retries error.type=conflict method=Commit: 1 {retry}",
		"itsm.store.retries error.type=no_answer method=Load: 1 {retry}",
	}, l.figures())
}

// Every error has one of few words.
func TestErrorTypes(t *testing.T) {
	l := newLab(t)
	refusals := map[string]bool{"not_found": true, "exists": true, "denied": true, "no_actor": true, "invalid": true, "not_allowed": true}
	for _, c := range []struct {
		err  error
		want string
	}{
		{itsm.ErrNotFound, "not_found"},
		{itsm.ErrExists, "exists"},
		{itsm.ErrConflict, "conflict"},
		{itsm.ErrUnknown, "unknown"},
		{itsm.ErrDenied, "denied"},
		{itsm.ErrNoActor, "no_actor"},
		{itsm.ErrInvalid, "invalid"},
		{&itsm.FieldError{Field: "title", Reason: "must not be empty"}, "invalid"},
		{itsm.ErrNotAllowed, "not_allowed"},
		{itsm.Refuse("not today"), "not_allowed"},
		{itsm.ErrUnsupported, "unsupported"},
		{itsm.ErrSingleRevision, "single_revision"},
		{context.Canceled, "canceled"},
		{context.DeadlineExceeded, "timeout"},
		{fmt.Errorf("%w: %w", itsm.ErrUnknown, context.Canceled), "unknown"},
		{errors.New("the disk is full"), "_OTHER"},
	} {
		for _, err := range []error{c.err, fmt.Errorf("inc1: %w", c.err)} {
			for _, store := range []bool{true, false} {
				_, end := l.tel.Observe(t.Context(), itsm.Call{Practice: "incident", Method: "Commit", Store: store})
				end(itsm.Outcome{Err: err})
				span := l.spans.GetSpans()[0]
				l.spans.Reset()
				require.Contains(t, span.Attributes, attribute.String("error.type", c.want))
				failed := !refusals[c.want] && (c.want != "conflict" || !store)
				require.Equal(t, failed, span.Status.Code == codes.Error, "%v of the store: %t", err, store)
			}
		}
	}
}

// Without providers, the global ones serve, also those that come later.
func TestGlobal(t *testing.T) {
	spans, reader := tracetest.NewInMemoryExporter(), sdkmetric.NewManualReader()
	tel, err := telemetry.New(telemetry.Config{})
	require.NoError(t, err)
	tracers, meters := otel.GetTracerProvider(), otel.GetMeterProvider()
	otel.SetTracerProvider(sdktrace.NewTracerProvider(sdktrace.WithSyncer(spans)))
	otel.SetMeterProvider(sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader)))
	defer func() { otel.SetTracerProvider(tracers); otel.SetMeterProvider(meters) }()
	_, end := tel.Observe(t.Context(), itsm.Call{Practice: "incident", Method: "Update"})
	end(itsm.Outcome{})
	require.Equal(t, "incident Update", spans.GetSpans()[0].Name)
	var rm metricdata.ResourceMetrics
	require.NoError(t, reader.Collect(t.Context(), &rm))
	require.Equal(t, "itsm.practice.duration", rm.ScopeMetrics[0].Metrics[0].Name)
}

// A meter that refuses is heard of.
func TestRefusingMeter(t *testing.T) {
	_, err := telemetry.New(telemetry.Config{Meters: refusing{}})
	require.ErrorContains(t, err, "no more instruments")
	require.Len(t, strings.Split(err.Error(), "\n"), 8, "all of them")
}

type refusing struct{ metricnoop.MeterProvider }

func (refusing) Meter(string, ...metric.MeterOption) metric.Meter { return refusingMeter{} }

type refusingMeter struct{ metricnoop.Meter }

func (refusingMeter) Float64Histogram(name string, _ ...metric.Float64HistogramOption) (metric.Float64Histogram, error) {
	return metricnoop.Float64Histogram{}, errors.New("no more instruments: " + name)
}

func (refusingMeter) Int64Counter(name string, _ ...metric.Int64CounterOption) (metric.Int64Counter, error) {
	return metricnoop.Int64Counter{}, errors.New("no more instruments: " + name)
}

// What being observed costs an action: nobody, somebody who does not listen, and
// all of it recorded.
func BenchmarkObserve(b *testing.B) {
	for name, cfg := range map[string]*telemetry.Config{
		"nobody": nil,
		"noop":   {Tracers: tracenoop.NewTracerProvider(), Meters: metricnoop.NewMeterProvider()},
		"metrics": {Tracers: tracenoop.NewTracerProvider(),
			Meters: sdkmetric.NewMeterProvider(sdkmetric.WithReader(sdkmetric.NewManualReader()))},
		"all": {Tracers: sdktrace.NewTracerProvider(), Meters: sdkmetric.NewMeterProvider(sdkmetric.WithReader(sdkmetric.NewManualReader()))},
	} {
		b.Run(name, func(b *testing.B) {
			var c itsm.Config
			if cfg != nil {
				tel, err := telemetry.New(*cfg)
				require.NoError(b, err)
				c.Observe = tel.Observe
			}
			desk, err := incident.NewPractice(memory.New[incident.Incident](), incident.Config{Config: c})
			require.NoError(b, err)
			ctx := itsm.As(b.Context(), "jin")
			inc, err := desk.Open(ctx, incident.Report{Title: "Mail is down", Impact: itsm.HighImpact, Urgency: itsm.HighUrgency})
			require.NoError(b, err)
			b.ReportAllocs()
			for n := 0; b.Loop(); n++ {
				_, err := desk.Do(ctx, inc.ID, incident.Assess{Impact: itsm.HighImpact, Urgency: []itsm.Urgency{itsm.HighUrgency, itsm.LowUrgency}[n%2]})
				if err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
