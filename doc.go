// Package itsm is the kernel of a library of ITIL 4 primitives that other
// programs embed: incidents, problems, changes and requests, and in time
// knowledge, each with a verified lifecycle, a history that rebuilds the record,
// and storage that the host implements over the tables it already has.
//
// The idea behind it: IT service management does not ask whether the servers
// are up, but whether the service gives its users what was agreed. Practices
// that look alike stay apart, because an incident restores and a problem
// prevents, and everything is improved on evidence.
//
// # Where to begin
//
// With a practice over memory, which is ten lines:
//
//	desk, err := incident.NewPractice(memory.New[incident.Incident](), incident.Config{})
//	…
//	ctx := itsm.As(context.Background(), "jin")
//	inc, err := desk.Open(ctx, incident.Report{Title: "Mail is down", Impact: itsm.HighImpact, Urgency: itsm.HighUrgency})
//	inc, err = desk.Do(ctx, inc.ID, incident.Resolve{Code: incident.Fixed, Note: "Restarted the queue."})
//
// and then:
//
//   - package [github.com/go-itsm/itsm/incident] to see what can be done to an
//     incident;
//   - "go run ./examples/quickstart" in a clone, to see it happen;
//   - "go run ./examples/tour", to walk through all of it, in English or Korean;
//   - [Store], to keep records in your own tables, and package
//     [github.com/go-itsm/itsm/storage/storagetest] to prove that right;
//   - package [github.com/go-itsm/itsm/sla], to measure against what was agreed;
//   - [Definition], to make a practice of your own, and package
//     [github.com/go-itsm/itsm/practicetest] to prove that right.
//
// # Rooms
//
//   - itsm, here: the words and contracts that every practice shares.
//   - incident: restores service, and remembers how.
//   - change: decides about changes, schedules them, and learns from them.
//   - problem: finds what lies behind incidents, and removes it.
//   - request: fulfils what users may ask for, and takes it back.
//   - knowledge: keeps what was found out, and right by its being used; with
//     knowledge/search, an index for records of any practice.
//   - valuechain: value streams, how real work flows through them, process mining.
//   - sla: calendars, clocks, agreements and reports; usable alone.
//   - slm: joins agreements and their clocks to the records of any practice.
//   - approval: says whether something is approved, why, and who is still needed;
//     usable alone.
//   - svs: the practices as one system, in which what happens in one leads to
//     something in another, once; principles, dimensions, policies, maturity.
//     svs/improvement is the improvement register.
//   - practicetest: what is true of every practice as sentences, and their proof.
//   - storage/memory: the reference store.
//   - storage/sqlite: a file, for a program on one machine; a module of its own.
//   - storage/jetstream: NATS JetStream, for many hosts over several nodes.
//   - storage/postgres: PostgreSQL, for several hosts; a module of its own.
//   - storage/transfer: from one store to another.
//   - storage/storagetest: the rules of a store as sentences, and their proof.
//   - storage/enginetest: what more an engine has to prove; a module of its own.
//   - telemetry: tells OpenTelemetry what all of them do; a module of its own.
//   - examples: one story a folder.
//
// Practices import this package, sla, slm and approval, and never each other; what connects their
// records is a [Ref].
//
// # Six ideas
//
// An [Action] is a value: the argument, the decision and what the history
// keeps, in one. [Practice.Do] does it, [Practice.Check] says what it would do,
// [Practice.WhyNot] says what could be done and why the rest could not,
// [Practice.Decode] reads it from JSON, [Practice.Replay] does a history again.
//
// A [Lifecycle] is a verified, immutable table of states and actions, decided
// by looplab/fsm. A host extends it with [Lifecycle.With]; [Diff] says which
// records that would strand.
//
// A record is a struct that embeds [Meta]. What other systems fold into its
// state and lose, such as hold, escalation and major status, stands beside it.
//
// An [Event] is one line of history, written with the record or not at all.
//
// A [Store] decides nothing: it reads, compares one number and writes. What
// more it can do it says by being a [Lister], a [Feeder] or a [DueStore].
//
// A [Practice] is load, decide, commit, and again if somebody was faster. It is
// generic: a vendor's own is a record, a table and its actions, about a hundred
// lines.
//
// # Time, actors, errors
//
// The only clock is [Config].Now. What happens because time passed is an action
// too, done by a [Runner] on as many hosts as there are, once in the history.
// Times are UTC and whole microseconds.
//
// Who does something travels in the context ([As]); without an actor nothing is
// done. [Config].Authorize may refuse. What was done because of an event elsewhere
// says so, and is done once ([Because]).
//
// Errors are branched on by sentinel ([ErrNotFound], [ErrConflict],
// [ErrInvalid], …) and explained by [Findings]: everything that is wrong with an
// input, not the first thing.
//
// # Names
//
// ITIL is a registered trade mark of PeopleCert. This library is based on
// concepts of ITIL 4; it is neither certified nor endorsed, and its texts are
// its own.
package itsm
