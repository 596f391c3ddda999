package telemetry

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"github.com/go-itsm/itsm"
)

// scope is who measures.
const scope = "github.com/go-itsm/itsm/telemetry"

// The attributes.
const (
	practiceKey  = attribute.Key("itsm.practice")
	methodKey    = attribute.Key("itsm.method")
	actionKey    = attribute.Key("itsm.action")
	recordKey    = attribute.Key("itsm.record.id")
	reactionKey  = attribute.Key("itsm.reaction")
	reasonKey    = attribute.Key("itsm.reason")
	attemptKey   = attribute.Key("itsm.attempt")
	stateKey     = attribute.Key("itsm.state")
	fromKey      = attribute.Key("itsm.state.from")
	versionKey   = attribute.Key("itsm.record.version")
	eventKey     = attribute.Key("itsm.event.id")
	errorTypeKey = attribute.Key("error.type")
)

// Config is what a host decides. The zero value is ready to use.
type Config struct {
	// Tracers and Meters are where spans and measurements go. Nil means the
	// providers that were registered globally, then or later.
	Tracers trace.TracerProvider
	Meters  metric.MeterProvider
	// Attributes are put on every span and every measurement: the tenant, for
	// example.
	Attributes []attribute.KeyValue
	// Span returns more attributes for the span of a call, such as who asks
	// ([itsm.ActorFrom]), where that may be kept. It is not asked for spans
	// that nobody records. May be nil.
	Span func(ctx context.Context, call itsm.Call) []attribute.KeyValue
	// Now is the clock by which durations are measured; nil means time.Now.
	Now func() time.Time
}

// A Telemetry is what hosts put into the configurations of practices and
// engines. It is safe for concurrent use.
type Telemetry struct {
	cfg    Config
	tracer trace.Tracer

	duration, lag, storeDuration, batchSize, batchDuration recorder
	retries, events, storeRetries                          metric.Int64Counter

	known sync.Map // series → metric.MeasurementOption
}

// recorder is a histogram of whole numbers or of seconds.
type recorder = metric.Float64Histogram

// New makes the instruments. It returns the error of a meter that refuses one.
func New(cfg Config) (*Telemetry, error) {
	if cfg.Tracers == nil {
		cfg.Tracers = otel.GetTracerProvider()
	}
	if cfg.Meters == nil {
		cfg.Meters = otel.GetMeterProvider()
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	t := &Telemetry{cfg: cfg, tracer: cfg.Tracers.Tracer(scope)}
	meter := cfg.Meters.Meter(scope)
	var failed error
	histogram := func(name, unit, text string, bounds ...float64) recorder {
		h, err := meter.Float64Histogram(name, metric.WithUnit(unit), metric.WithDescription(text), metric.WithExplicitBucketBoundaries(bounds...))
		failed = errors.Join(failed, err)
		return h
	}
	counter := func(name, unit, text string) metric.Int64Counter {
		c, err := meter.Int64Counter(name, metric.WithUnit(unit), metric.WithDescription(text))
		failed = errors.Join(failed, err)
		return c
	}
	// The conventions' bounds for a database's calls, and some for memory.
	calls := []float64{0.00001, 0.0001, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10}
	t.duration = histogram("itsm.practice.duration", "s", "How long what a practice was asked took.", calls...)
	t.retries = counter("itsm.practice.retries", "{retry}", "Decisions that were made again because somebody else was faster.")
	t.events = counter("itsm.events", "{event}", "What was done to records.")
	t.lag = histogram("itsm.lag", "s", "How much later than its reason something was done that nobody asked for.",
		0.01, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 900, 3600, 14400, 86400)
	t.storeDuration = histogram("itsm.store.duration", "s", "How long a call of a store took, and a sequence with what its reader did.", calls...)
	t.storeRetries = counter("itsm.store.retries", "{retry}", "Attempts of a store that nobody answered, or that met another.")
	t.batchSize = histogram("itsm.store.batch.size", "{commit}", "How many commits shared a transaction.", 1, 2, 4, 8, 16, 32, 64, 128)
	t.batchDuration = histogram("itsm.store.batch.duration", "s", "How long a transaction took that commits shared.", calls...)
	return t, failed
}

// A series is what a measurement is of. There are few, since each of its words is
// one of few.
type series struct {
	practice, method, action, state, reason, errorType string
}

// of returns a series as the instruments take it.
func (t *Telemetry) of(s series) metric.MeasurementOption {
	if known, ok := t.known.Load(s); ok {
		return known.(metric.MeasurementOption)
	}
	attributes := slices.Clone(t.cfg.Attributes)
	for _, a := range [...]attribute.KeyValue{practiceKey.String(s.practice), methodKey.String(s.method), actionKey.String(s.action),
		stateKey.String(s.state), reasonKey.String(s.reason), errorTypeKey.String(s.errorType)} {
		if a.Value.AsString() != "" {
			attributes = append(attributes, a)
		}
	}
	option := metric.WithAttributeSet(attribute.NewSet(attributes...))
	t.known.Store(s, option)
	return option
}

// Observe is for [itsm.Config].Observe.
func (t *Telemetry) Observe(ctx context.Context, call itsm.Call) (context.Context, func(itsm.Outcome)) {
	start := t.cfg.Now()
	ctx, span := t.tracer.Start(ctx, name(call), trace.WithTimestamp(start))
	if span.IsRecording() {
		span.SetAttributes(practiceKey.String(call.Practice), methodKey.String(call.Method))
		span.SetAttributes(t.cfg.Attributes...)
		for _, a := range []attribute.KeyValue{recordKey.String(string(call.Record)), actionKey.String(call.Action), reactionKey.String(call.Reaction)} {
			if a.Value.AsString() != "" {
				span.SetAttributes(a)
			}
		}
		if t.cfg.Span != nil {
			span.SetAttributes(t.cfg.Span(ctx, call)...)
		}
	}
	return ctx, func(o itsm.Outcome) {
		end := t.cfg.Now()
		t.measure(ctx, call, o, end.Sub(start))
		tell(span, call, o)
		span.End(trace.WithTimestamp(end))
	}
}

// name is what a span is called.
func name(call itsm.Call) string {
	switch {
	case call.Store:
		return call.Practice + " store " + call.Method
	case call.Action == "":
		return call.Practice + " " + call.Method
	case call.Method == "Check":
		return call.Practice + " Check " + call.Action
	}
	return call.Practice + " " + call.Action
}

func (t *Telemetry) measure(ctx context.Context, call itsm.Call, o itsm.Outcome, took time.Duration) {
	duration := t.duration
	if call.Store {
		duration = t.storeDuration
	}
	of := series{practice: call.Practice, method: call.Method, action: call.Action, errorType: errorType(o.Err)}
	duration.Record(ctx, took.Seconds(), t.of(of))
	if o.Attempts > 1 {
		t.retries.Add(ctx, int64(o.Attempts-1), t.of(series{practice: call.Practice}))
	}
	for _, e := range o.Events {
		t.events.Add(ctx, 1, t.of(series{practice: e.Practice, action: e.Action, state: string(e.To)}))
	}
	if !o.Since.IsZero() && len(o.Events) > 0 {
		e, reason := o.Events[0], "due"
		if call.Reaction != "" {
			reason = "reaction"
		}
		late := max(0, e.At.Sub(o.Since)) // by the clocks of two hosts, which may differ
		t.lag.Record(ctx, late.Seconds(), t.of(series{practice: e.Practice, action: e.Action, reason: reason}))
	}
}

// tell says at the end of a span what came of it.
func tell(span trace.Span, call itsm.Call, o itsm.Outcome) {
	if !span.IsRecording() {
		return
	}
	for _, e := range o.Events {
		span.AddEvent(e.Action, trace.WithTimestamp(e.At), trace.WithAttributes(eventKey.String(string(e.ID)), recordKey.String(string(e.Record)),
			versionKey.Int64(int64(e.Version)), fromKey.String(string(e.From)), stateKey.String(string(e.To))))
	}
	if o.Attempts > 1 {
		span.SetAttributes(attemptKey.Int(o.Attempts))
	}
	if o.Err == nil {
		return
	}
	kind := errorType(o.Err)
	span.SetAttributes(errorTypeKey.String(kind))
	if !refusal(kind) && (kind != conflict || !call.Store) { // a store's is followed by another attempt
		span.RecordError(o.Err)
		span.SetStatus(codes.Error, o.Err.Error())
	}
}

// Batch is for the Batch of package storage/sqlite's configuration.
func (t *Telemetry) Batch(commits int, took time.Duration, err error) {
	of := t.of(series{errorType: errorType(err)})
	t.batchSize.Record(context.Background(), float64(commits), of)
	t.batchDuration.Record(context.Background(), took.Seconds(), of)
}

// Retry is for the Retry of package storage/jetstream's options. The call's span
// is told too.
func (t *Telemetry) Retry(ctx context.Context, method string, attempt int, err error) {
	kind := errorType(err)
	if kind == other {
		kind = "no_answer"
	}
	t.storeRetries.Add(ctx, 1, t.of(series{method: method, errorType: kind}))
	if span := trace.SpanFromContext(ctx); span.IsRecording() {
		span.AddEvent("retry", trace.WithAttributes(attemptKey.Int(attempt), errorTypeKey.String(kind), attribute.String("error.message", err.Error())))
	}
}
