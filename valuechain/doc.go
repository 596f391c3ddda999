// Package valuechain is the service value chain at work: the activities by which an
// organization turns demand into value, the streams that lead through them, and what
// the records of real work say about how it flows.
//
// # Activities and streams
//
// ITIL 4 has six activities ([Activities]); the newer edition has eight, which map
// onto them ([Edition.In]). They have no fixed order. Who usually passes what to whom is
// a table ([Edition.Passes]), and what is not in it is worth a question and never an
// error ([Stream.Warnings]).
//
// A [Stream] is one scenario from end to end: a demand, the steps that it takes, and
// the value for somebody. Each [Step] belongs to one activity, takes something in and
// hands something over; where work goes back, the output says so. A stream is data, and
// [Stream.Validate] proves that it holds together: that it starts with the demand and
// ends in value, that every output is somebody's input, that no loop is hidden, and
// that everything from outside passes through engage. Two come along: the development
// of a new service and the restoration of a live one ([DevelopmentStream],
// [RestorationStream]).
//
// # Work that flows
//
// A step watches for events of records ([Watch]). A [Run] reads the event feed, follows
// each piece of work from step to step, over all the records that belong to it, and
// keeps when it arrived, when somebody worked on it and when it was handed over:
//
//	run, err := valuechain.NewRun(valuechain.RestorationStream(), valuechain.Options{})
//	…
//	cursor, err = valuechain.ReadFeed(ctx, store, cursor, run.Add)
//	report := run.Report(monday, nextMonday)
//
// No figure of a [Report] is entered by hand. These are the terms:
//
//   - lead time is from available to handed over, waiting included;
//   - process time is what somebody worked in it, wait time the rest;
//   - flow efficiency is process time by lead time, both in sum: 3 hours of 40 are
//     7.5 %;
//   - %C&A, percent complete and accurate, is how much of what a step handed over did
//     not come back, judged by who received it; rolled, it is the product over the
//     steps: 90 %, 80 % and 95 % make 68.4 %;
//   - WIP is how much was in work on average, throughput how much was finished in a
//     unit of time; in a stable system WIP is throughput by lead time (Little's law):
//     4 a day of 6 days each are 24;
//   - the constraint is the step where most work waits on its way to value. To improve
//     another one only makes its queue longer (theory of constraints).
//
// Lengths of time are real time, or those of a calendar ([Options].Elapsed). What is not
// defined says so: the figures of nothing, and the process time of work of which nobody
// said when it began.
//
// # Mining what happened
//
// Process mining asks the same records without knowing a stream. A [Log] is what
// happened in each case, from the feed ([LogBuilder]) or from another system's export:
//
//   - [DirectlyFollows] discovers what comes right after what, [Variants] the different
//     ways through, [FindRework] what is done again, [FindPingPong] who hands work to and
//     fro;
//   - [Conform] replays a log on a lifecycle by tokens: how well it fits, and every
//     case that does not, with each place where it leaves the lifecycle and what would
//     have been permitted there.
//
// Other tools read and write logs too: [ReadXES] and [WriteXES] are IEEE 1849-2016,
// [ReadOCEL], [WriteOCEL], [ReadOCELXML] and [WriteOCELXML] are OCEL 2.0, in which an
// incident, its problem and its change are in one log ([OCELBuilder]). What is written is
// valid by the published schemas, and comes back equal.
//
// Everything is a value or a pure function of values but [Run], [LogBuilder] and
// [OCELBuilder], which gather, are for one goroutine, and can be made again from the
// feed at any time. Errors are [itsm.ErrInvalid] with every finding, or those of a
// reader, writer or store.
//
// The activities, the table and the steps of the two streams are those of ITIL 4
// (Foundation, 4.5; Create, Deliver and Support, chapter 4), the words ours.
package valuechain
