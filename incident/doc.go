// Package incident is incident management: a service stopped or got worse without
// that having been planned, and people need it back.
//
// # What an incident is for
//
// An incident is one event, and its question is: how do people get on with their
// work? It ends when service is restored, by a fix, by a workaround, or because
// there was no fault. It never asks for the cause. That is a problem's question,
// with another clock, other skills and another end, and mixing the two does harm
// both ways: closing on restoration would let the cause live on unseen, and waiting
// for the cause would lengthen the outage. So nothing here requires a cause, a
// problem, or that a problem is solved; an incident points to one with a [Link], and
// pointing changes neither.
//
//	desk, err := incident.NewPractice(memory.New[incident.Incident](), incident.Config{})
//	ctx := itsm.As(context.Background(), "mia")
//	inc, err := desk.Open(ctx, incident.Report{Title: "No mail since eight", Caller: "jin"})
//	inc, err = desk.Do(ctx, inc.ID, incident.Start{})
//	inc, err = desk.Do(ctx, inc.ID, incident.Resolve{Code: incident.Workaround, Note: "second server"})
//
// # The record
//
// An [Incident] has a state, and beside the state what other systems fold into it
// and lose: why it is on hold and until when ([Hold]), whether it is a major incident
// ([Major]), how far it was escalated ([Escalation]), how it was resolved
// ([Resolution]), which incident it was merged into and which it is part of, and when
// it reached each [Milestone], and what is promised about it by which agreement and
// how that stands ([sla.Targets]). The symptom (Category) and the cause as it looked in
// the end (ClosureCategory) are two fields. What was said about it is in its history
// and not in the record: [Practice.Journal].
//
// # The lifecycle
//
//	stateDiagram-v2
//	    [*] --> new: report
//	    new --> assigned: assign / escalate_functional
//	    new --> in_progress: start
//	    new --> on_hold: hold
//	    new --> resolved: resolve
//	    new --> cancelled: cancel / merge
//	    assigned --> new: unassign
//	    assigned --> in_progress: start
//	    assigned --> on_hold: hold
//	    assigned --> resolved: resolve
//	    assigned --> cancelled: cancel / merge
//	    in_progress --> assigned: assign / escalate_functional
//	    in_progress --> on_hold: hold
//	    in_progress --> resolved: resolve
//	    in_progress --> cancelled: cancel / merge
//	    on_hold --> assigned: assign / escalate_functional
//	    on_hold --> in_progress: auto_resume / resume
//	    on_hold --> resolved: resolve
//	    on_hold --> cancelled: cancel / merge
//	    resolved --> assigned: reject_resolution
//	    resolved --> in_progress: reopen
//	    resolved --> closed: auto_close / close
//	    resolved --> cancelled: cancel / merge
//	    closed --> assigned: reject_resolution
//	    closed --> in_progress: reopen
//	    closed --> [*]
//	    cancelled --> [*]
//
// These are the actions that an actor may ask for, in the order of an incident's
// life. Each is a type of its own, and what it does is in its documentation.
//
// Registration and classification:
//   - [Report] registers it; [Practice.Open] is the call for that
//   - [Describe] changes title and description
//   - [Classify] says which service, which configuration item and which symptom
//   - [Assess] judges impact and urgency, from which the priority follows
//   - [OverridePriority] sets another priority, with the reason
//   - [Match] asks the host's [Matcher] for what may help
//
// Getting it to the right people:
//   - [Assign] gives it to a group or a person
//   - [Unassign] puts it back into the queue
//   - [Start] begins the work
//   - [EscalateFunctional] hands it to people with other skills
//   - [EscalateHierarchical] tells people with more authority
//   - [Join] and [Leave] are for those who help without taking over: swarming
//
// The work:
//   - [PutOnHold] says what it waits for, and what ends that
//   - [Resume] goes on
//   - [Note] says something about it, to the caller or among those at work
//   - [LogTime] adds up the work
//   - [Mark] sets a milestone by hand
//
// Major incidents:
//   - [ProposeMajor], [AcceptMajor], [RejectMajor] and [DemoteMajor] decide whether it is one
//   - [AssignRole] says who does what
//   - [PostUpdate] tells those affected how things stand
//
// Its relations to others:
//   - [SetParent] and [ClearParent] make it part of another incident
//   - [Merge] says that it is the same as another
//   - [Link] and [Unlink] point to changes, problems, articles
//   - [SetFields] keeps the host's own data
//
// The end, and when that did not hold:
//   - [Resolve] says that service is restored, and how
//   - [Close] says that nobody objects
//   - [Reopen] and [RejectResolution] take the work up again
//   - [Cancel] says that there was nothing to restore
//   - [Reinstate] takes that back, where the lifecycle permits it ([AllowReinstate])
//
// Looking back:
//   - [Rate] is the caller's satisfaction
//   - [StartReview], [AddActionItem], [CompleteActionItem] and [CompleteReview] are the review after it
//
// # What happens by itself
//
// Time does four things, each exactly once in the history, when the host runs an
// [itsm.Runner] or calls RunDue: [AutoResume] ends a hold at the time that was said,
// [MissUpdate] counts a status update of a major incident that was promised and not
// given, [PassThreshold] notes that a clock has come to a threshold of its agreement
// or past its goal and escalates as was agreed, and [AutoClose] closes what was
// resolved and not objected to.
//
// The rest follows from something else, in the same commit: the caller's public note
// resumes what waits for the caller (AutoResume again); [MoveClocks] starts, pauses
// and stops the clocks of the agreements that apply; [Absorb] is what a merge does
// to the incident in which the work goes on; [Adopt], [Release] and [FollowChild] keep
// a parent's list of its children; [Continue] is what reopening a closed incident
// becomes where the policy is to open a new one.
//
// # Policies
//
// What organizations do differently is in [Config], and whatever depends on it is
// resolved into the action before the action is kept, so that a replay of the history
// needs none of it:
//   - Matrix derives the priority
//   - AutoClose says when a resolved incident closes, by any calendar
//   - Reopen says what becomes of a closed one that is reopened ([ReopenPolicy])
//   - Children says what a parent's end means for its children ([ChildPolicy])
//   - UpdateCadence is how often a major incident promises an update
//   - Matcher proposes known errors and articles
//   - Agreements are what is promised ([ResponseMetric], [ResolutionMetric],
//     [UpdateMetric], [ReplyMetric], or the host's own metrics)
//   - Lifecycle and Actions are the host's own states and actions
//
// The terms are those of the incident management practice of ITIL 4; the states and
// edges are the union of what common products permit.
package incident
