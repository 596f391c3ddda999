// Package request is service request management: somebody asks for something that
// has been agreed to be delivered, and gets it as was agreed.
//
// # What a request is for
//
// A request is the promise made to a user: an account, a laptop, access until a day,
// an answer. It is no failure, so it is no incident; and it is no change either,
// though a change may be how it is fulfilled. That somebody may have something is
// approved here; that something may be modified is authorized there. A standard
// change is authorized beforehand, so a request starts it through a link and nobody
// is asked twice ([Request.StandardChange]).
//
//	desk, err := request.NewPractice(memory.New[request.Request](), request.Config{Catalogue: catalogue})
//	ctx := itsm.As(context.Background(), "jin")
//	req, err := desk.Order(ctx, request.Order{Lines: []request.Line{{Offering: "laptop"}}})
//	req, err = desk.Do(itsm.As(ctx, "mia"), req.ID, request.Start{})
//
// # The catalogue
//
// A [Catalogue] is a value with everything that can be ordered: [Offering]s in
// versions with a status, bundles of them, options, a [Form] with typed variables
// (JSON Schema in and out: [Form.Schema], [ParseSchema]), a [Price] once and
// recurring in exact decimals, and who sees and may order what. A [Model] says how it
// is fulfilled: who is eligible, who approves, which tasks need which others, and how
// each is taken back. All of it is verified together ([NewCatalogue]).
//
// Submitting resolves the order by the catalogue of that day into the request. From
// then on the request needs no catalogue, and neither does a replay of its history.
//
// # The record
//
// A [Request] has a state, and beside the state what other systems fold into it and
// lose: what was ordered ([Line]), what is to be delivered and what became of it
// ([Item]), what has to be approved with the votes ([Approval]), what has to be done
// ([Task]), why it is on hold, whether all of it was delivered ([Outcome]), what was
// granted until when, and how it is being taken back ([Return]). Task, item and
// request agree because one function says what the parts mean for the whole:
// [RollUp].
//
// # The lifecycle
//
//	stateDiagram-v2
//	    [*] --> draft: order
//	    draft --> submitted: submit
//	    draft --> cancelled: cancel / reclassify
//	    submitted --> awaiting_approval: seek_approval
//	    submitted --> approved: approve
//	    submitted --> rejected: reject
//	    submitted --> assigned: assign
//	    submitted --> in_fulfilment: start
//	    submitted --> on_hold: hold
//	    submitted --> fulfilled: fulfil
//	    submitted --> cancelled: auto_cancel / cancel / reclassify
//	    awaiting_approval --> approved: approve
//	    awaiting_approval --> rejected: refuse
//	    awaiting_approval --> in_fulfilment: proceed
//	    awaiting_approval --> on_hold: hold
//	    awaiting_approval --> cancelled: auto_cancel / cancel / reclassify
//	    approved --> assigned: assign
//	    approved --> in_fulfilment: begin / start
//	    approved --> on_hold: hold
//	    approved --> fulfilled: fulfil
//	    approved --> cancelled: auto_cancel / cancel / reclassify
//	    rejected --> submitted: submit
//	    assigned --> in_fulfilment: start
//	    assigned --> on_hold: hold
//	    assigned --> fulfilled: auto_fulfil / fulfil
//	    assigned --> cancelled: auto_cancel / cancel / reclassify
//	    in_fulfilment --> awaiting_approval: seek_approval
//	    in_fulfilment --> assigned: assign
//	    in_fulfilment --> on_hold: hold
//	    in_fulfilment --> fulfilled: auto_fulfil / fulfil
//	    in_fulfilment --> cancelled: auto_cancel / cancel / reclassify
//	    on_hold --> submitted: resume_submitted
//	    on_hold --> awaiting_approval: resume_approval
//	    on_hold --> approved: resume_approved
//	    on_hold --> assigned: assign / resume_assigned
//	    on_hold --> in_fulfilment: resume
//	    on_hold --> fulfilled: auto_fulfil / fulfil
//	    on_hold --> cancelled: auto_cancel / cancel / reclassify
//	    fulfilled --> assigned: reject_fulfilment
//	    fulfilled --> in_fulfilment: reopen
//	    fulfilled --> closed: auto_close / close
//	    fulfilled --> cancelled: cancel / reclassify
//	    closed --> in_fulfilment: reopen
//	    rejected --> [*]
//	    closed --> [*]
//	    cancelled --> [*]
//
// These are the actions that an actor may ask for, in the order of a request's life.
// Each is a type of its own, and what it does is in its documentation.
//
// Ordering:
//   - [Order] puts it together and submits it; [Practice.Order] is the call for that
//   - [Revise] changes a draft, or what was rejected
//   - [Submit] orders it: from then on what was asked for stands
//
// Approval:
//   - [Vote] approves, rejects, abstains or withdraws a vote
//   - [Delegate] lets another vote
//   - [SeekApproval] asks for one more than the model foresees
//   - [Reject] turns down what nobody has to vote about
//
// Fulfilment:
//   - [Assign] gives it to a group or a person
//   - [Start] begins it
//   - [AssignTask], [StartTask] and [CompleteTask] do its tasks
//   - [FailTask], [SkipTask] and [RetryTask] are for what does not work, or is not needed
//   - [AddTask] adds one that the model does not foresee
//   - [TrackTask] says where it is done: in a standard change, say
//   - [PutOnHold] says what it waits for, [Resume] goes on
//   - [FulfilItem] and [CancelItem] end one item while the others go on
//   - [Note], [LogTime], [Escalate], [Link], [Unlink] and [SetFields] are as elsewhere
//
// The end, and when that did not hold:
//   - [Fulfil] says that everything is delivered
//   - [Close] says that nobody objects
//   - [Reopen] and [RejectFulfilment] take the work up again
//   - [Rate] is the requester's satisfaction
//   - [ReturnItem] gives back what was delivered
//   - [Extend] asks that what was granted until a time lasts longer
//   - [Cancel] says that it is not wanted any more: what was done is taken back
//   - [Reclassify] says that it is no request, but an incident
//
// # What happens by itself
//
// Time does these things, each exactly once in the history, when the host runs an
// [itsm.Runner] or calls RunDue: [CountVotes] counts the silent at the deadline of an
// approval, [OpenTasks] and [MissTasks] open a task on its day and note that one took
// too long, [Expire] opens the return of what was granted, [Resume] ends a hold,
// [AutoClose] closes what nobody objected to, and [PassThreshold] notes what an
// agreement says.
//
// The rest follows from something else, in the same commit: the last vote that is
// needed becomes [Approve], [Proceed] or [Refuse], and about an extension [Prolong] or
// [KeepEnd]; [Begin] starts what is automatic;
// [RunTask] tells the host's automation what to do; the last task becomes
// [AutoFulfil], the last cancelled item [AutoCancel]; a resumed request goes back to
// where it was ([ResumeSubmitted], [ResumeApproval], [ResumeApproved],
// [ResumeAssigned]); and [MoveClocks] moves the clocks of agreements.
//
// An automation is not called from here. It reads RunTask in the feed of events,
// which holds all that it needs, and answers with CompleteTask or FailTask.
//
// # Taking back
//
// A task of a model may say how it is taken back ([Undo]). Cancelling a request, or an
// item of it, and the end of what was granted do the same thing: for everything that
// was done they open the tasks that take it back, the last first, each when the one
// before has ended. These tasks go on beside the state, also when the request is
// closed or cancelled ([Request.Undoing]).
//
// # Measures
//
// [Measure] computes what the success factors of the practice ask for from [Sample]s:
// what was in time and whole, what there is no procedure for, what was automated, how
// long votes took. [Measures.Lint] says what they should make people look at.
//
// The terms are those of the service request management practice of ITIL 4; the
// states and edges are the union of what common products permit.
package request
