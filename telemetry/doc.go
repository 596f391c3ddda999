// Package telemetry tells OpenTelemetry what practices and their stores do: how
// long it takes, what is refused and what fails, and how late runners and
// reactions are. It is a module of its own because of OpenTelemetry.
//
//	tel, err := telemetry.New(telemetry.Config{})
//	cfg := itsm.Config{Observe: tel.Observe}
//	desk, err := incident.NewPractice(store, incident.Config{Config: cfg})
//
// It works over every store, also a host's own. What only an engine knows of
// has its place in the engine's configuration:
//
//	db, err := sqlite.Open(ctx, file, sqlite.Config{Batch: tel.Batch})
//	store, err := jetstream.Open[incident.Incident](ctx, nc, jetstream.Options{Retry: tel.Retry})
//
// For the statements below a store there are tracers of the drivers, which find
// the span of the store's call in their context.
//
// # Traces
//
// A span is a [itsm.Call]: "incident resolve" where an action is asked for,
// "incident RunDue" for each thing that time brings, "incident store Commit" for
// what the store is asked below it. Its attributes say which record, and what it
// was because of; each event that it led to is an event of the span, with the id
// that it has in the history, so that one leads to the other. A refusal is no error
// of the program: the span's status is an error only for what should not have
// happened. error.type has both.
//
// # Metrics
//
//	itsm.practice.duration  s          histogram  itsm.practice, itsm.method, itsm.action, error.type
//	itsm.practice.retries   {retry}    counter    itsm.practice: decided again, as somebody else was faster
//	itsm.events             {event}    counter    itsm.practice, itsm.action, itsm.state: where it led
//	itsm.lag                s          histogram  itsm.practice, itsm.action, itsm.reason: due or reaction
//	itsm.store.duration     s          histogram  itsm.practice, itsm.method, error.type: a feed, a history and
//	                                              what is due with what their reader did
//	itsm.store.retries      {retry}    counter    itsm.method, error.type: conflict or no_answer
//	itsm.store.batch.size   {commit}   histogram  error.type
//	itsm.store.batch.duration  s       histogram  error.type
//
// Their attributes have few values each, those of the practice's lifecycle; ids and
// names of people are in none. Names follow OpenTelemetry's conventions, which
// have no words for this domain.
//
// An action over memory, of 2 µs, takes 3 µs more with instruments that nobody reads, 4
// with metrics and 9 with spans: what BenchmarkObserve measured, and little beside a store
// that writes to a disk.
//
// "Are our servers up?" is not what they answer, nor whether the service gives what
// was agreed: that is asked of the records, by the measures of the practices.
package telemetry
