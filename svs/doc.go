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
// # Governance
//
// A governing body evaluates, directs and monitors. What it directs is a [Policy]: a
// predicate over the events of a feed, as data or as the host's own function. A
// [Monitor] reads the feed, and its [PolicyReport] says for each policy how many events
// it was about and which of them broke it, by whom and why: what there is to evaluate.
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
// Everything here but a [Monitor], which gathers and is for one goroutine, is a value or
// a pure function of values, safe for concurrent use as long as nobody changes the
// arguments. What the functions return belongs to the caller.
// The terms are those of ITIL 4, the words ours.
package svs
