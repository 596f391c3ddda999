// Package approval decides whether something is approved: by whom, when, why, and who
// is still needed. It serves every practice alike. A change is authorized with it, a
// service request approved, an article published.
//
// # A policy is so much of its members
//
// All, any, two of three, two thirds, a majority of the votes cast: a [Rule] needs so
// much of its members, and a [Member] is a person, everybody who has a role or is
// computed, or a rule. Weights, vetoes, one after the other, and whom a share is of are
// only more to say about members. There is no second kind of rule.
//
//	policy := approval.Policy{
//		Rule: approval.Rule{Sequence: true, Of: []approval.Member{
//			{Computed: "line manager"},
//			{Rule: &approval.Rule{Name: "CAB", Need: approval.Majority, Base: approval.Entitled, Of: []approval.Member{
//				{Role: "cab"},
//				{Person: "ciso", Veto: true},
//			}}},
//		}},
//		Exclude: []string{"author", "implementer"},
//		Within:  48 * time.Hour,
//	}
//
// A board is one kind of authority and not a must: a rule that needs any one peer other
// than the author is as good a policy, and often a better one. Which policy is asked for
// is for the practice to say, by type, model and risk.
//
// # From policy to decision
//
// [Resolve] asks the host once who has the roles and the duties, and keeps the answers:
// an [Electorate]. [Decide] counts [Ballot] values over it. Both are plain data, so that
// a record that keeps them can be counted again at any time, anywhere, by anybody, with
// the same result, and as of any moment in between.
//
//	electorate, err := approval.Resolve(policy, now, directory)
//	…
//	err = approval.Admit(electorate, ballots, ballot)
//	ballots = append(ballots, ballot)
//	decision, err := approval.Decide(electorate, ballots, now)
//
// A [Decision] has the outcome, whether it is final and since when, who is asked now and
// who of them cannot be done without ([Needed]), why ([Reason], a tree of the same shape
// as the policy, which is also text and a diagram), the ballots that do not count, and
// when something will happen without a ballot ([Decision.Next]).
//
// # When it is decided
//
// As soon as no further ballot of those who have not voted can change the outcome, and
// never before. That is exact, also where shares are of the votes cast, where vetoes are
// open, and where one person stands in several rules. So two refusals end a vote that
// needs two of three; an approval by one does not end a vote in which another has a veto;
// and nobody is asked for what cannot matter any more.
//
// Until then people may change their minds: the latest ballot of each counts. After it
// the decision is final, and what comes later is shown beside it and counts no more; or
// the policy says [Policy.Recount], and the latest ballots count until the deadline. One
// early acceptance hides no later refusal: where everybody's objection matters, give
// everybody a veto, and all are heard first.
//
// # People
//
// A person has one vote, wherever and by however many roles the policy has them, and it
// counts once in each rule. A [Delegation] lets another cast it for a time, a [Substitute]
// from a time on, which is how silence is escalated. Whoever is excluded, as the author
// is, votes neither for themselves nor for others, and their vote is passed on to nobody;
// a substitute that the policy names may have it. [Policy.Distinct] sees to it that there
// are as many people as votes.
//
// Who may not vote is missed, unless the rule's [Base] leaves them out. What nobody can
// satisfy is a finding of [Resolve], and rejected; an empty electorate approves nothing.
//
// # Silence
//
// At the deadline an open vote is [Expired], or the silent count as the policy says
// ([Policy.Silence]): as against, as in favour, which is consent by silence, or as
// abstaining, which leaves it to those who voted.
//
// Everything here is a value or a pure function of values, safe for concurrent use as
// long as nobody changes the arguments. The package imports none of the module's other
// packages that can be used, so that it can be used alone.
package approval
