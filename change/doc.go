// Package change is change enablement: as many changes as possible succeed, because
// their risks were assessed, somebody with authority wanted them, and they do not get
// in each other's way.
//
// # What a change is for
//
// A change is anything that is made new, made different or taken away and may touch a
// service. The practice does not hold changes up; it finds out which of them need a
// second look, and how much of one. So how a change is treated is data: its [Model].
// A standard change is authorized beforehand, by a [Template] that keeps its standing
// while its changes succeed. A normal one is assessed, and its risk says who decides:
// rules, a peer, a person, a board. An emergency is carried out first where it must
// be, and then stays open until somebody has decided about it.
//
//	office, err := change.NewPractice(memory.New[change.Change](), change.Config{})
//	ctx := itsm.As(context.Background(), "mia")
//	c, err := office.Open(ctx, change.Propose{Title: "Mail 8", Services: []string{"mail"}})
//	c, err = office.Do(ctx, c.ID, change.SetPlan{Plan: change.Plan{Implementation: "…", BackOut: "…"}})
//	c, err = office.Do(ctx, c.ID, change.AssessRisk{Answers: map[string]string{"impact": "some"}})
//	c, err = office.Do(ctx, c.ID, change.SetWindow{Span: change.Span{Start: tonight, End: later}})
//	c, err = office.Do(ctx, c.ID, change.RequestApproval{Approvers: []string{"ann"}})
//	c, err = office.Do(itsm.As(ctx, "ann"), c.ID, change.Vote{Vote: approval.Approve}) // scheduled
//
// # The record
//
// A [Change] has a state, and beside the state what other systems fold into it and
// lose: how its authorization stands ([Approval]), whether it is on hold ([Hold]), what
// came of it ([Outcome]), whether it was unauthorized, what it collides with
// ([Conflict]), and what was learned ([PostImplementationReview]).
//
// # The lifecycle
//
//	stateDiagram-v2
//	    [*] --> draft: propose
//	    draft --> assess: submit
//	    draft --> planning: start_planning
//	    draft --> authorize: request_approval
//	    draft --> rejected: reject
//	    draft --> scheduled: schedule
//	    draft --> implement: expedite
//	    draft --> review: record_unauthorized
//	    draft --> cancelled: cancel
//	    assess --> draft: revise
//	    assess --> planning: start_planning
//	    assess --> authorize: request_approval
//	    assess --> rejected: reject
//	    assess --> scheduled: schedule
//	    assess --> cancelled: cancel
//	    planning --> draft: revise
//	    planning --> authorize: request_approval
//	    planning --> rejected: reject
//	    planning --> scheduled: schedule
//	    planning --> implement: expedite
//	    planning --> cancelled: cancel
//	    authorize --> draft: revise
//	    authorize --> planning: start_planning
//	    authorize --> rejected: disapprove / expire_approval
//	    authorize --> scheduled: authorize
//	    authorize --> implement: expedite
//	    authorize --> cancelled: cancel
//	    rejected --> draft: revise
//	    rejected --> planning: start_planning
//	    rejected --> authorize: reconsider / request_approval
//	    rejected --> closed: close
//	    rejected --> cancelled: cancel
//	    scheduled --> planning: start_planning
//	    scheduled --> authorize: reconsider / request_approval
//	    scheduled --> rejected: disapprove / reject
//	    scheduled --> implement: start
//	    scheduled --> cancelled: cancel
//	    implement --> scheduled: postpone
//	    implement --> testing: start_testing
//	    implement --> review: complete / complete_back_out
//	    implement --> closed: close
//	    implement --> cancelled: cancel
//	    testing --> implement: rework
//	    testing --> review: complete / complete_back_out
//	    testing --> cancelled: cancel
//	    review --> implement: rework
//	    review --> closed: close
//	    closed --> [*]
//	    cancelled --> [*]
//
// This is what all models together may do; each is a part of it, proved as a lifecycle
// of its own when the practice is made ([Model.Lifecycle]).
//
// These are the actions that an actor may ask for, in the order of a change's life.
//
// Registration:
//   - [Propose] writes it down; [Practice.Open] is the call for that
//   - [Describe] changes title, description and reason
//   - [Classify] says which services and configuration items it touches
//   - [SetModel] treats a draft by another model
//
// Assessment and planning:
//   - [Submit] hands it in
//   - [AssessRisk] scores the risk, each point explained; [OverrideRisk] sets another level
//   - [StartPlanning] begins to plan
//   - [SetPlan] says how, how to get back, and how to know that it worked
//   - [SetTasks] sets the steps, which may wait for each other
//   - [SetWindow] says when, and finds what that collides with
//   - [AcceptConflicts] answers for it
//   - [Revise] takes it back to be written anew
//
// Authorization. What waits for it cannot be edited:
//   - [RequestApproval] asks the authority that the change needs
//   - [Vote] casts a vote, changes it, or takes it back; [Delegate] passes it on
//   - [Reject] turns it down without a vote, or takes an authorization back
//   - [Schedule] puts it on the schedule where no vote is needed
//
// Carrying it out:
//   - [Assign] says who does it
//   - [Start] begins; [Expedite] begins before anybody has decided
//   - [StartTask] and [CompleteTask] follow the steps
//   - [StartTesting], [RecordValidation] and [Rework] are for knowing that it works
//   - [Postpone] waits for another time
//   - [StartBackOut] and [CompleteBackOut] undo it
//   - [Complete] ends the work with what came of it
//   - [RecordUnauthorized] records what nobody had authorized
//
// At any time:
//   - [PutOnHold] and [Resume] stand beside the state
//   - [Note] says something about it
//   - [Link] and [Unlink] point to incidents it caused, problems it solves, requests
//   - [SetFields] keeps the host's own data
//
// Looking back:
//   - [StartReview], [AddActionItem], [CompleteActionItem] and [CompleteReview] are the
//     post-implementation review, mandatory where the model says so
//   - [RecordRecovery] says when service was back after a failure
//   - [Close] says that nothing is left to be done
//   - [Cancel] gives it up before it is carried out
//   - [Rate] is the satisfaction of those who wanted it
//
// # What happens by itself
//
// The last vote that is needed leads on in the same commit: [Approve], [Disapprove],
// and, where a policy recounts after a change of mind, [Reconsider]. Time does five
// things, each once in the history, when the host runs an [itsm.Runner] or calls
// RunDue: [CountVotes] when the time to vote is over ([ExpireApproval] may follow) or
// a substitute's comes, [AutoResume], [EndWindow] when the planned time is over and
// the change is not, [MissReview], and [PassThreshold] for the clocks of agreements,
// which [MoveClocks] starts and stops.
//
// # The schedule
//
// A [Calendar] knows what is planned; [Constraints] are maintenance windows, freezes
// and what depends on what. [Constraints.Conflicts] defines a collision, as a pure
// function: times overlap, and what one change touches the other touches too, depends
// on, or is needed by. The calendar finds the same through an index, and the next
// time that is free ([Calendar.NextFree]).
//
// A calendar is a view of what was committed. Two hosts that schedule in the same
// instant may not see each other's change; as the work begins ([Start]) it is looked
// at again, and by then it shows.
//
// # Measures
//
// [Measure] computes the five DORA metrics and those of the practice success factors
// from [Sample]s, and [Measures.Lint] says what they should make people look at.
//
// The terms are those of the change enablement practice of ITIL 4; the states and edges
// are the union of what common products permit.
package change
