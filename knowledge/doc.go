// Package knowledge is knowledge management: what one found out is there for the next who
// needs it, and is kept right by being used.
//
// # Knowledge is a by-product of work
//
// Nobody has to write articles. Who solves a case captures what was seen and what helped,
// in the words of those who had the trouble; who has the same trouble next finds it, uses
// it, and by that says that it is right; and who finds it wrong flags it or fixes it. Reuse
// is review, and what nobody needs costs nothing.
//
//	desk, err := knowledge.NewPractice(memory.New[knowledge.Article](), knowledge.Config{})
//	ctx := itsm.As(context.Background(), "mia")
//	a, err := desk.Capture(ctx, knowledge.Capture{
//		Content: knowledge.Content{Title: "Outlook asks for the password again and again", Issue: "…", Resolution: "…"},
//		From:    itsm.Ref{Kind: "incident", ID: "inc-7"},
//	})
//	a, err = desk.Do(ctx, a.ID, knowledge.Publish{})
//	hits, err := desk.Search(ctx, knowledge.Search{Text: "outlook password", Reader: knowledge.Reader{Reach: knowledge.Internal}})
//	a, err = desk.Do(ctx, hits[0].Article.ID, knowledge.RecordUse{Kind: knowledge.UsedToSolve, For: itsm.Ref{Kind: "incident", ID: "inc-9"}})
//
// # The record
//
// An [Article] has a state, and beside the state what other systems fold into it and lose:
// how sure it is ([Confidence]), for whom it is ([Audience]), who may change it
// ([Governance]), and what readers see meanwhile: its live [Edition]. An article that is
// being revised is a draft again, and its readers go on to read. Old editions are in the
// history ([Practice.Editions], [Revert], [Compare]), so the record does not grow with them.
//
// A translation is an article of its own that knows its source. It is stale when the source
// has a newer edition than the one that it covers.
//
// # Confidence and audience
//
// Work in progress does not yet say what to do; not validated is what nobody vouches for;
// validated is what somebody does, or enough uses ([Config].ValidateAfter), or its review;
// archived is what is retired, and nothing else is. One's own people see every live article
// that is for them, whatever the confidence; others see it once it is validated. So
// published in the sense of older versions of KCS is no state but follows
// ([Article.Public]).
//
// # The lifecycle
//
//	stateDiagram-v2
//	    [*] --> draft: capture
//	    draft --> in_review: submit
//	    draft --> scheduled: schedule
//	    draft --> published: discard / publish
//	    draft --> retired: retire
//	    in_review --> draft: send_back / withdraw
//	    in_review --> scheduled: approve
//	    in_review --> retired: retire
//	    scheduled --> draft: withdraw
//	    scheduled --> published: publish / release
//	    scheduled --> retired: retire
//	    published --> draft: revise
//	    published --> review_due: fall_due
//	    published --> pending_retirement: propose_retirement
//	    published --> retired: expire / retire
//	    review_due --> draft: revise
//	    review_due --> published: complete_review
//	    review_due --> pending_retirement: propose_retirement
//	    review_due --> retired: expire / retire
//	    pending_retirement --> published: keep
//	    pending_retirement --> retired: approve_retirement / expire / retire
//	    retired --> draft: restore
//	    retired --> [*]
//
// These are the actions that an actor may ask for, in the order of an article's life.
//
// Writing:
//   - [Capture] writes it down; [Practice.Capture] is the call for that
//   - [Improve] changes the text; [Revert] brings an older one back
//   - [Classify] says what it is about
//   - [SetAudience], [SetGovernance] and [AssignOwner] say for whom it is, who may change
//     it, and who answers for it
//   - [Plan] says when it has to be looked at again, and until when it is good
//   - [Validate] vouches for it; [Invalidate] takes that back
//   - [ScoreChecklist] holds it against the content standard
//
// Publishing:
//   - [Submit] hands it in to those who have to approve it
//   - [Vote] casts a vote, changes it, or takes it back; [Delegate] passes it on
//   - [Withdraw] takes it back
//   - [Schedule] publishes later, [Publish] now
//   - [Revise] begins a new edition; [Discard] gives it up
//
// Using:
//   - [RecordUse] links it to a case, and says what it was to it
//   - [SampleLink] says whether such a link was right
//   - [Rate] and [Flag] are for readers; [ResolveFlag] answers
//   - [CompleteReview] says that it can stand
//   - [Note] says something about it
//   - [Link] and [Unlink] point to problems, known errors, changes
//   - [SetFields] keeps the host's own data
//
// Ending:
//   - [ProposeRetirement] asks whether it may go; [Keep] takes that back
//   - [Retire] archives it; [Restore] takes it up again
//
// # What happens by itself
//
// The last vote that is needed leads on in the same commit: [Approve] and [Release],
// [SendBack], [ApproveRetirement], [Keep]. A new edition tells its translations
// ([FollowSource]); they find their source by [AdoptTranslation] and [ReleaseTranslation].
// Time does five things, each once in the history, when the host runs an [itsm.Runner] or
// calls RunDue: [CountVotes] when the time to vote is over, [Release] when it is time to
// publish, [FallDue] when somebody has to look at it again, [Expire] when its time is over,
// and [PassThreshold] for the clocks of agreements, which [MoveClocks] starts and stops.
//
// # Who may do what
//
// [Licensing] is the rule of KCS that licences are earned: candidates write, contributors
// validate and publish to their own people, publishers to others, coaches develop people and
// content. A host puts it into its Config, alone or with rules of its own.
//
// # Finding it
//
// [Practice.Search] asks an index (package [github.com/go-itsm/itsm/knowledge/search]) and
// shows a reader what is for them. The index follows every commit; it can be made anew from
// the feed at any time ([Practice.CatchUp]). The same index proposes articles for a new
// incident, each with its reason (search.Matcher).
//
// # Measures
//
// [Measure] computes link rate and accuracy, reuse, staleness, time to publish and the rest
// from [Sample]s, and [Gaps] says what people look for and do not find.
//
// The terms are those of the knowledge management practice of ITIL 4 and of KCS v6 (a
// service mark of the Consortium for Service Innovation), in our words; the states and edges
// are the union of what common products permit.
package knowledge
