// Package problem is problem management: an outage that was mended comes back until
// somebody asks why it happened at all.
//
// # What a problem is for
//
// A problem is whatever lies, or could lie, behind one or more incidents. An incident
// asks how people get on with their work, and ends when they do; its ticket is closed,
// its agreement met, and the cause lives on. Five such tickets are five successes, and
// one expensive error that nobody sees, unless something adds them up and somebody has
// the time to look. So a problem has a record of its own, with another clock, another
// end and other people: it asks why, and whether that is worth removing. It may exist
// before the first incident; pointing at it changes no incident; and no incident waits
// for it.
//
//	office, err := problem.NewPractice(memory.New[problem.Problem](), problem.Config{})
//	ctx := itsm.As(context.Background(), "kim")
//	p, err := office.Open(ctx, problem.Register{Title: "Mail stops on Mondays", Services: []string{"mail"}})
//	p, err = office.Do(ctx, p.ID, problem.Investigate{})
//	p, err = office.Do(ctx, p.ID, problem.Identify{Causes: []problem.Cause{{Text: "the queue's disk is too small", Evidence: "df, 3 March"}}})
//	p, err = office.Do(ctx, p.ID, problem.StartFix{Change: itsm.Ref{Kind: "change", ID: "chg-7"}})
//	p, err = office.Do(ctx, p.ID, problem.Resolve{Code: problem.FixApplied, Note: "a larger disk"})
//	p, err = office.Do(ctx, p.ID, problem.Monitor{}) // and it is closed in 14 days, unless it comes back
//
// # The record
//
// A [Problem] has a state, and beside the state what other systems fold into it and
// lose: what it is expected to cost ([Risk]) and has cost ([Cost]), who answers for the
// risk that stays ([Acceptance]), how it ended ([Resolution]), how long a fix has to
// prove itself ([Observation]). The three phases follow from the state
// ([Problem.Phase]): identification, problem control, error control.
//
// # The lifecycle
//
//	stateDiagram-v2
//	    [*] --> new: register
//	    new --> assess: start_assessment
//	    new --> investigating: investigate
//	    new --> identified: identify
//	    new --> resolved: resolve
//	    new --> closed: close
//	    new --> cancelled: cancel / merge
//	    assess --> new: requeue
//	    assess --> investigating: investigate
//	    assess --> on_hold: hold
//	    assess --> resolved: resolve
//	    assess --> closed: close
//	    assess --> cancelled: cancel / merge
//	    investigating --> assess: start_assessment
//	    investigating --> identified: identify
//	    investigating --> fix_in_progress: start_fix
//	    investigating --> on_hold: hold
//	    investigating --> resolved: resolve
//	    investigating --> closed: close
//	    investigating --> cancelled: cancel / merge
//	    identified --> investigating: investigate
//	    identified --> fix_in_progress: start_fix
//	    identified --> on_hold: hold
//	    identified --> resolved: resolve
//	    identified --> closed: close
//	    identified --> cancelled: cancel / merge
//	    fix_in_progress --> investigating: investigate
//	    fix_in_progress --> identified: stop_fix
//	    fix_in_progress --> on_hold: hold
//	    fix_in_progress --> resolved: resolve
//	    fix_in_progress --> closed: close
//	    fix_in_progress --> cancelled: cancel / merge
//	    on_hold --> assess: resume_assessment / start_assessment
//	    on_hold --> investigating: investigate / resume
//	    on_hold --> identified: identify / resume_identified
//	    on_hold --> fix_in_progress: resume_fix / start_fix
//	    on_hold --> resolved: resolve
//	    on_hold --> closed: close
//	    on_hold --> cancelled: cancel / merge
//	    resolved --> investigating: reopen
//	    resolved --> fix_in_progress: reject_fix
//	    resolved --> monitoring: monitor
//	    resolved --> closed: close
//	    monitoring --> fix_in_progress: reject_fix
//	    monitoring --> closed: close / end_observation
//	    closed --> investigating: lapse_acceptance / reopen
//	    closed --> [*]
//	    cancelled --> [*]
//
// These are the actions that an actor may ask for, in the order of a problem's life.
//
// Identification:
//   - [Register] writes it down; [Practice.Open] is the call for that, and
//     [Proposal.Register] makes one of what the [Detector] proposes
//   - [Describe] and [Classify] say what it is about
//   - [AssessRisk] says what it is expected to cost, from which the priority follows;
//     [OverridePriority] sets another one, with the reason
//   - [RecordCost] says what it has cost
//   - [DeclareMajor] and [DemoteMajor] say whether it has to be reviewed before the end
//   - [Assign] gives it to a group or a person
//   - [StartAssessment] and [Requeue] find out whose it is
//
// Problem control:
//   - [Investigate] looks for the causes
//   - [Analyse] records how: see below
//   - [AddTask] and [EndTask] follow the work
//   - [Identify] says what the causes are
//
// Error control:
//   - [StartFix] begins to remove them, [StopFix] gives that up
//   - [PutOnHold] says what it waits for, [Resume] goes on where it was
//   - [AcceptRisk] says who answers for what stays, and until when;
//     [WithdrawAcceptance] takes that back
//   - [Resolve] says that it is removed or accepted, and how that is known
//   - [Monitor] observes whether it comes back; [RejectFix] says that it did
//   - [Reopen] investigates anew
//   - [Close] says that it is over: only if the risk is removed, or somebody answers for
//     it, or it does not matter any more
//   - [Cancel] says that there was no problem, [Merge] that it is the same as another
//
// At any time:
//   - [Note] says something about it
//   - [Link] and [Unlink] point to incidents, changes, known errors
//   - [SetFields] keeps the host's own data
//   - [StartReview], [AddActionItem], [CompleteActionItem] and [CompleteReview] are the
//     look back, which a major problem needs before it is closed
//
// # What happens by itself
//
// Time does four things, each once in the history, when the host runs an [itsm.Runner]
// or calls RunDue: it resumes what is on hold until then, in the history as [Resume],
// [ResumeAssessment], [ResumeIdentified] or [ResumeFix]; [LapseAcceptance] when an
// acceptance was to be reviewed and was not, which opens again what was closed on it;
// [EndObservation] closes what did not come back, or [OutlastObservation] notes that
// something else is still to be done; and [PassThreshold] for the clocks of agreements,
// which [MoveClocks] starts and stops. Finishing problem control and resolving are
// promised apart ([ControlMetric], [ResolutionMetric]), because nobody can say what a
// fix takes before it is known what is to be fixed. [Absorb] is what a merge does to the
// other problem.
//
// # Known errors
//
// A [KnownError] is for those who handle incidents: its symptoms, its workarounds with
// their versions and how often each helped. It is a record of its own, kept by
// [KnownErrors], and is published before a cure exists. Incidents link to it and copy
// nothing.
//
//	stateDiagram-v2
//	    [*] --> draft: document
//	    draft --> published: publish
//	    draft --> cancelled: cancel
//	    published --> draft: retract
//	    published --> fix_scheduled: schedule_fix
//	    published --> with_vendor: hand_to_vendor
//	    published --> no_action_planned: plan_no_action
//	    published --> corrected: correct
//	    published --> closed: close
//	    published --> cancelled: cancel
//	    fix_scheduled --> draft: retract
//	    fix_scheduled --> published: reconsider
//	    fix_scheduled --> with_vendor: hand_to_vendor
//	    fix_scheduled --> no_action_planned: plan_no_action
//	    fix_scheduled --> corrected: correct
//	    fix_scheduled --> closed: close
//	    fix_scheduled --> cancelled: cancel
//	    with_vendor --> draft: retract
//	    with_vendor --> published: reconsider
//	    with_vendor --> fix_scheduled: schedule_fix
//	    with_vendor --> no_action_planned: plan_no_action
//	    with_vendor --> corrected: correct
//	    with_vendor --> closed: close
//	    with_vendor --> cancelled: cancel
//	    no_action_planned --> draft: retract
//	    no_action_planned --> published: reconsider
//	    no_action_planned --> fix_scheduled: schedule_fix
//	    no_action_planned --> with_vendor: hand_to_vendor
//	    no_action_planned --> corrected: correct
//	    no_action_planned --> closed: close
//	    no_action_planned --> cancelled: cancel
//	    corrected --> published: recur
//	    corrected --> closed: close
//	    closed --> published: recur
//	    closed --> [*]
//	    cancelled --> [*]
//
// Its actions, in the order of its life:
//   - [Document] writes it down ([KnownErrors.Open]; [Problem.Document] fills it in),
//     [DescribeKnownError], [SetCause], [SetAffected], [SetProblem] and [SetOwner] correct it
//   - [AddWorkaround], [ReviseWorkaround] and [RetireWorkaround] say how to live with it,
//     [RecordUse] whether that helped
//   - [Publish] shows it, [Retract] takes it back to be written anew
//   - [ScheduleFix], [HandToVendor], [PlanNoAction] and [Reconsider] say what is going to
//     be done, [SetReview] when to look at it again ([CallReview])
//   - [Correct] says that it is removed, [Recur] that it is back
//   - [CloseKnownError] says that it does not matter any more, [CancelKnownError] that it was none
//   - [NoteKnownError], [KnownErrorLink], [KnownErrorUnlink] and [KnownErrorFields] are as everywhere
//
// A known error names its problem, and the problem does not name it: there is nothing to
// fall out of step. What happens to the problem it follows ([KnownErrors.Follow]), in the
// host's transaction where both stores are in one, and a moment later elsewhere. A
// [Matcher] finds it for a new incident, with the reason; a [Hook] makes that an
// incident.Matcher.
//
// # Causes
//
// How causes are looked for is not a box of text: [FiveWhys], [Ishikawa], [FaultTree],
// [Comparison] (Kepner and Tregoe), [Pareto] and [Timeline] are structures that know
// their rules ([Technique]). Each marks what it lacks, such as evidence; none lets
// "human error" stand as an end ([Prompt]); each draws itself as Mermaid and prints
// itself as text. A fault tree knows its probability and its minimal cut sets exactly.
//
// # Recurrence
//
// A [Detector] follows the feed of incidents and proposes to look into what comes back:
// the same service and symptom again and again, a major incident, a workaround that no
// longer works, a week far above those before it. A [Proposal] has its evidence and its
// cost to date; it opens nothing and changes no incident.
//
// # Measures
//
// [Measure] computes the problem performance index, the age of the backlog, the
// incidents of each known error and more; [RepeatRate] compares before and after a fix;
// [Waiting] says which incidents there is something to tell.
//
// The terms are those of the problem management practice of ITIL 4; the states and edges
// are the union of what common products permit.
package problem
