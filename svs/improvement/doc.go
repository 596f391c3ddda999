// Package improvement is continual improvement: the register of what could be better,
// and each entry's way from an idea to the proof that it helped.
//
// # Seven steps
//
// What is the vision? Where are we now? Where do we want to be? How do we get there?
// Take action. Did we get there? How do we keep the momentum going? The seven steps
// ([Step]) are no one-way street: going back is legal, and counted. Leaving one out is
// found ([Improvement.Skipped]), because without the second and the sixth nobody knows
// whether anything got better.
//
//	register, err := improvement.NewPractice(memory.New[improvement.Improvement](), improvement.Config{Metrics: metrics})
//	ctx := itsm.As(context.Background(), "mia")
//	imp, err := register.Open(ctx, improvement.Log{Title: "Incidents wait for the network team"})
//	imp, err = register.Do(ctx, imp.ID, improvement.SetBaseline{Metric: "wait_hours", From: january, To: february})
//	imp, err = register.Do(ctx, imp.ID, improvement.SetTarget{Target: improvement.Target{Metric: "wait_hours", Value: 8, Better: improvement.Lower}})
//
// # Measured, before and after
//
// A target is bound to a metric. If the host has a metric of that name
// ([Config].Metrics), for example a figure that package valuechain computes from the
// event feed, then baseline and results are what it says, and nobody types them in. The
// value is computed when the action comes in and kept with it, so that a replay needs
// no metric. What came of an improvement ([Outcome]) follows from its measurements; a
// closed one can be measured again, to see whether it lasts.
//
// # The lifecycle
//
//	stateDiagram-v2
//	    [*] --> logged: log
//	    logged --> assessed: assess
//	    logged --> rejected: reject
//	    logged --> cancelled: cancel
//	    assessed --> approved: approve
//	    assessed --> rejected: reject
//	    assessed --> cancelled: cancel
//	    approved --> assessed: reassess
//	    approved --> planned: plan
//	    approved --> in_progress: start
//	    approved --> rejected: reject
//	    approved --> cancelled: cancel
//	    planned --> assessed: reassess
//	    planned --> in_progress: start
//	    planned --> cancelled: cancel
//	    in_progress --> assessed: reassess
//	    in_progress --> planned: replan
//	    in_progress --> measuring: measure
//	    in_progress --> closed: close
//	    in_progress --> cancelled: cancel
//	    measuring --> assessed: reassess
//	    measuring --> planned: replan
//	    measuring --> in_progress: rework
//	    measuring --> closed: close
//	    measuring --> cancelled: cancel
//	    closed --> in_progress: reopen
//	    rejected --> logged: reconsider
//	    closed --> [*]
//	    rejected --> [*]
//	    cancelled --> [*]
//
// These are the actions that an actor may ask for, in the order of an improvement's
// life. Each is a type of its own, and what it does is in its documentation.
//
//   - [Log] puts an idea into the register; [Practice.Open] is the call for that
//   - [Describe], [SetScope], [SetScore] and [SetOwner] say what it is, what it is
//     about, what it is worth and who answers for it
//   - [SetVision], [SetBaseline] and [SetTarget] answer the first three steps
//   - [Assess], [Approve] and [Reject] decide about it
//   - [SetPlan] answers the fourth step, [Start] takes action
//   - [PutOnHold] and [Resume] stand beside the state; [Note] says something about it
//   - [Measure] answers the sixth step, [Close] the seventh
//   - [Cancel] gives it up
//   - [Reassess], [Replan], [Rework], [Reopen] and [Reconsider] go back
//   - [Link], [Unlink] and [SetFields] point to other records, and keep the host's own
//     data
//
// Time does two things, each once in the history, when the host runs an [itsm.Runner] or
// calls RunDue: [AutoResume] ends a hold, and [MissDue] notes that the day of the target
// has passed.
//
// # The register as a whole
//
// [Improvement].Rank orders it. [MomentumOf] says how it moves: how many were logged and
// closed, how many brought what they were for, how long that took, which were closed
// with a step left out, and to which nothing happened.
//
// The terms are those of the continual improvement practice and model of ITIL 4
// (Foundation, 4.6), the words ours.
package improvement
