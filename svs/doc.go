// Package svs is the service value system: what turns opportunity and demand into
// value. It has five components, guiding principles, governance, the service value
// chain, practices and continual improvement, and four dimensions from which all of it
// is looked at.
//
// # Principles and decisions
//
// The seven guiding principles ([Principles]) are recommendations for every decision,
// and each comes with questions to ask ([Principle.Questions]). A [Decision] records
// what was decided, between what, why, and which principles it follows or sets aside.
// [Unexplained] lists the decisions of which something is not explained, and
// [PrinciplesUsed] the principles that never applied.
//
// # Four dimensions, and what is outside
//
// An [Assessment] looks at something from the four dimensions, by the questions of a
// [Checklist], and at what bears on it from outside: politics, economy, society,
// technology, law, environment. [Assessment.Judge] says what is complete, where the
// gaps are and which factors nobody looked at, and draws it ([Radar]).
//
// Decisions and assessments are plain data. They can stand with any record of any
// practice, in its own fields ([WithDecision], [WithAssessment]), and so in its history.
//
// # Practices and maturity
//
// [ManagementPractices] lists the 34 practices with their purpose, and what those have to
// be able to do of which the library does the work. How capable a practice is follows
// from criteria and evidence ([Criteria.Capability]): a level holds only if all of its
// criteria and all levels below hold. How mature the whole is, is how mature the least
// of its components is ([MaturityOf]). The official criteria are licensed, so a host
// brings its own, and what comes out is no official rating.
//
// Continual improvement is a practice of its own: package
// [github.com/go-itsm/itsm/svs/improvement].
//
// # Reactions
//
// A system puts practices together: what happens in one leads to something in another.
//
// Practices do not know each other, because an incident is restored whether or not
// anybody looks for its cause. But an organization wants the one to lead to the
// other. That is a [Reaction]: a value that says which actions of a practice it
// listens to, decides what follows, and lists where it may lead. A [System] follows
// the feeds of the practices and carries reactions out:
//
//	sys, err := svs.NewSystem(svs.Config{
//		Reactions: []svs.Reaction{svs.On[incident.Incident]{
//			Name: "ask for a change", Practice: incidents.Practice, Actions: []string{"resolve"},
//			Leads: []svs.Point{{"change", "propose"}},
//			Decide: func(ctx context.Context, past itsm.Past[incident.Incident]) ([]svs.Effect, error) { … },
//		}},
//		Cursors: table, // where the feeds were read to
//	})
//	go sys.Run(ctx)
//
// # Once
//
// Events are read at least once, and every effect happens once: what is done because
// of an event has ids that are derived from it ([itsm.Because]), so that doing it
// again is refused by the store itself. Any number of hosts may run the same system,
// and each of them may die between any two steps. Nothing is lost either, because a
// cursor is saved only after what it has passed was done or refused. What is refused
// is told ([Config].Refused): by the record, by [itsm.Config.Authorize], or by the
// reaction.
//
// # No circles
//
// A system whose reactions could set each other off for ever is refused when it is
// built, with every circle in it. That is why a reaction lists what it leads to, and
// why an effect that it did not list is an error. What a practice does by itself, as a
// consequence, is not listed: a circle through that is stopped when it has turned for
// 64 events in a row.
//
// # Shipped
//
//   - [MajorIncidents]: a major incident that is resolved becomes a problem
//   - [Recurrences]: what comes back becomes a problem
//   - [Symptoms]: the incidents by which a problem was found point to it
//   - [KnownErrorOffers]: a published known error is offered to open incidents
//   - [Cures]: a fix is done by a change, after which the problem is observed
//   - [Confirmations]: those who had the trouble hear that it is gone
//   - [Articles]: what was found out is captured
//   - [StandardChanges]: tasks of requests are done by standard changes
//
// # Governance
//
// A [Policy] is what a governing body directs, as predicates over the histories of
// records. [Monitor] lists where it was kept and where it was not, and [Evaluate]
// compares a period with the one before it.
//
// # The same week, seen twice
//
// Traditional operations ask whether the servers were up, and service management
// whether the service gave its users what was agreed. [Facts] of one week are seen by
// both, as a computed table ([Facts.Views]).
//
// What is not a [System] is a value or a pure function of values, safe for concurrent use as
// long as nobody changes the arguments. What the functions return belongs to the caller.
// The terms are those of ITIL 4, the words ours.
package svs
