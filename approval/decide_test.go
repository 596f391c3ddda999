package approval_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm/approval"
)

// at is so many minutes after the opening.
func at(minutes int) time.Time { return opened.Add(time.Duration(minutes) * time.Minute) }

// cast makes ballots a minute apart: "ann approve", "bob for ann reject", with a
// comment after a colon.
func cast(lines ...string) []approval.Ballot {
	var all []approval.Ballot
	for i, line := range lines {
		line, comment, _ := strings.Cut(line, ": ")
		words := strings.Fields(line)
		b := approval.Ballot{By: words[0], Vote: approval.Vote(words[len(words)-1]), At: at(i + 1), Comment: comment}
		if len(words) == 4 {
			b.For = words[2]
		}
		all = append(all, b)
	}
	return all
}

func decide(t testing.TB, e approval.Electorate, ballots []approval.Ballot, now time.Time) approval.Decision {
	t.Helper()
	d, err := approval.Decide(e, ballots, now)
	require.NoError(t, err)
	return d
}

// people is a resolver from a table of "role cab", "duty author".
func people(table map[string][]string) approval.Resolver {
	return func(kind approval.Kind, name string) ([]string, error) {
		found, ok := table[string(kind)+" "+name]
		if !ok {
			return nil, errors.New("not known")
		}
		return found, nil
	}
}

// codes are those of the ballots that do not count.
func codes(d approval.Decision) map[int]approval.Code {
	all := map[int]approval.Code{}
	for _, u := range d.Uncounted {
		all[u.Index] = u.Code
	}
	return all
}

func TestDecide(t *testing.T) {
	two := approval.Rule{Need: approval.AtLeast(2), Of: approval.Persons("ann", "bob", "cho")}
	cab := approval.Rule{Need: approval.Majority, Base: approval.Cast, Of: approval.Persons("ann", "bob", "cho")}
	veto := approval.Rule{Need: approval.Any, Of: approval.Persons("ann", "bob")}
	veto.Of[1].Veto = true
	steps := approval.Rule{Sequence: true, Of: []approval.Member{{Person: "ann"}, approval.Of(approval.Any, approval.Persons("bob", "cho")...)}}
	fallback := approval.Rule{Need: approval.Any, Sequence: true, Of: approval.Persons("ann", "bob")}
	for name, tt := range map[string]struct {
		rule    approval.Rule
		ballots []approval.Ballot
		want    approval.Outcome
		by      int // the ballot that decided
		codes   map[int]approval.Code
	}{
		"nobody voted":                      {two, nil, approval.Open, -1, nil},
		"enough":                            {two, cast("ann approve", "cho approve"), approval.Approved, 1, nil},
		"one against may still be enough":   {two, cast("ann approve", "cho reject"), approval.Open, -1, nil},
		"two against cannot be":             {two, cast("ann reject", "cho reject"), approval.Rejected, 1, nil},
		"abstentions do not help":           {two, cast("ann abstain", "cho abstain"), approval.Rejected, 1, nil},
		"abstentions leave votes cast":      {cab, cast("ann abstain", "bob abstain", "cho approve"), approval.Approved, 2, nil},
		"all abstain":                       {cab, cast("ann abstain", "bob abstain", "cho abstain"), approval.Rejected, 2, nil},
		"change of mind":                    {two, cast("ann reject", "ann approve", "bob approve"), approval.Approved, 2, nil},
		"the other way round":               {two, cast("ann approve", "ann reject", "bob approve"), approval.Open, -1, nil},
		"withdrawn":                         {two, cast("ann approve", "ann withdraw", "bob approve"), approval.Open, -1, nil},
		"withdrawn, and again":              {two, cast("ann approve", "ann withdraw", "bob approve", "ann approve"), approval.Approved, 3, nil},
		"nothing to withdraw":               {two, cast("ann withdraw"), approval.Open, -1, nil},
		"final":                             {two, cast("ann approve", "bob approve", "bob reject"), approval.Approved, 1, map[int]approval.Code{2: approval.Late}},
		"a veto has to be waited for":       {veto, cast("ann approve"), approval.Open, -1, nil},
		"a veto not used":                   {veto, cast("ann approve", "bob abstain"), approval.Approved, 1, nil},
		"a veto":                            {veto, cast("ann approve", "bob reject"), approval.Rejected, 1, nil},
		"a veto first":                      {veto, cast("bob reject"), approval.Rejected, 0, nil},
		"not one's turn":                    {steps, cast("bob approve", "ann approve", "bob approve"), approval.Approved, 2, map[int]approval.Code{0: approval.Early}},
		"what is cast stays cast":           {steps, cast("ann approve", "bob reject", "ann withdraw", "ann approve", "cho reject"), approval.Rejected, 4, nil},
		"a first step against ends it":      {steps, cast("ann reject", "bob approve"), approval.Rejected, 0, map[int]approval.Code{1: approval.Late}},
		"the next is asked after a refusal": {fallback, cast("ann reject", "bob approve"), approval.Approved, 1, nil},
		"and not after an approval":         {fallback, cast("bob approve", "ann approve"), approval.Approved, 1, map[int]approval.Code{0: approval.Early}},
		"no vote":                           {two, cast("zoe approve", "ann for zoe approve", "zoe for ann approve"), approval.Open, -1, map[int]approval.Code{0: approval.NoVote, 1: approval.NoVote, 2: approval.NoVote}},
		"for oneself":                       {two, cast("ann for ann approve", "bob approve"), approval.Approved, 1, nil},
	} {
		t.Run(name, func(t *testing.T) {
			d := decide(t, electorate(tt.rule), tt.ballots, at(100))
			require.Equal(t, tt.want, d.Outcome, "%s", d)
			require.Equal(t, tt.by, d.Index)
			require.Equal(t, tt.want != approval.Open, d.Final)
			if tt.codes == nil {
				tt.codes = map[int]approval.Code{}
			}
			require.Equal(t, tt.codes, codes(d))
			require.Equal(t, tt.want, d.Why.Outcome)
			if tt.by >= 0 {
				require.Equal(t, tt.ballots[tt.by].At, d.At)
				require.Equal(t, approval.Open, decide(t, electorate(tt.rule), tt.ballots, tt.ballots[tt.by].At.Add(-1)).Outcome, "as it was before")
				require.Empty(t, d.Needed)
			} else {
				require.Zero(t, d.At)
			}
		})
	}
}

func TestDecideRefusesWhatIsWrong(t *testing.T) {
	e := electorate(approval.Rule{Of: approval.Persons("ann")})
	_, err := approval.Decide(e, []approval.Ballot{{}, {By: "ann", For: "\xff", Vote: "yes", At: opened, Comment: strings.Repeat("é", 10_001)}}, opened)
	require.ErrorIs(t, err, approval.ErrInvalid)
	require.Equal(t, []string{
		"ballots[0].by must not be empty", `ballots[0].vote must be approve, reject, abstain or withdraw, is ""`, "ballots[0].at must be given",
		"ballots[1].for must be valid UTF-8 without NUL", `ballots[1].vote must be approve, reject, abstain or withdraw, is "yes"`,
		"ballots[1].comment must have at most 10000 characters, has 10001",
	}, reasons(err))
	e.Opened = time.Time{}
	_, err = approval.Decide(e, nil, opened)
	require.Equal(t, []string{"opened must be given"}, reasons(err))
	require.ErrorIs(t, approval.Admit(e, nil, cast("ann approve")[0]), approval.ErrInvalid)
	require.Equal(t, []string{"by must not be empty", "at must be given"}, reasons(approval.Admit(e, nil, approval.Ballot{Vote: approval.Approve})))
}

func TestAdmit(t *testing.T) {
	e := electorate(approval.Rule{Of: approval.Persons("ann", "bob")}, "zoe")
	e.Policy.Comment = []approval.Vote{approval.Reject}
	e.Deadline = at(60)
	admit := func(ballots []approval.Ballot, b approval.Ballot) approval.Code {
		err := approval.Admit(e, ballots, b)
		if err == nil {
			return ""
		}
		require.ErrorIs(t, err, approval.ErrRefused)
		require.NotErrorIs(t, err, approval.ErrInvalid)
		var r *approval.Refusal
		require.ErrorAs(t, err, &r)
		require.Equal(t, r.Reason, err.Error())
		return r.Code
	}
	require.Empty(t, admit(nil, cast("ann approve")[0]))
	require.Equal(t, approval.NoComment, admit(nil, cast("ann reject")[0]))
	require.Empty(t, admit(nil, cast("ann reject: too risky")[0]))
	require.Equal(t, approval.Excluded, admit(nil, cast("zoe for ann approve")[0]))
	require.Equal(t, approval.NoVote, admit(nil, cast("kim approve")[0]))
	require.Equal(t, approval.Early, admit(nil, approval.Ballot{By: "ann", Vote: approval.Approve, At: at(-1)}))
	require.Equal(t, approval.Late, admit(nil, approval.Ballot{By: "ann", Vote: approval.Approve, At: at(60)}))
	require.Empty(t, admit(nil, approval.Ballot{By: "ann", Vote: approval.Approve, At: at(60).Add(-1)}))
	require.Equal(t, approval.Late, admit(cast("ann approve", "bob approve"), approval.Ballot{By: "ann", Vote: approval.Approve, At: at(5)}))
	require.Empty(t, admit(cast("ann approve", "bob approve"), approval.Ballot{By: "ann", Vote: approval.Approve, At: at(1)}), "as things stood then")
}

// Ballots count in the order of their times, whatever their order in the list, and a
// decision of a moment knows nothing of what came later.
func TestOrderIsThatOfTime(t *testing.T) {
	e := electorate(approval.Rule{Need: approval.AtLeast(2), Of: approval.Persons("ann", "bob", "cho")})
	ballots := cast("ann approve", "ann reject", "bob approve", "cho approve")
	inOrder := decide(t, e, ballots, at(100))
	require.Equal(t, 3, inOrder.Index)
	ballots[0], ballots[3] = ballots[3], ballots[0]
	shuffled := decide(t, e, ballots, at(100))
	require.Equal(t, 0, shuffled.Index)
	require.Equal(t, inOrder.Why, shuffled.Why)
	require.Equal(t, approval.Open, decide(t, e, ballots, at(3)).Outcome)
	require.Equal(t, at(1), ballots[3].At, "the caller's ballots stay as they are")

	// Those of one moment count in the order given, however many there are.
	e.Policy.Recount = true
	ballots = []approval.Ballot{{By: "cho", Vote: approval.Approve, At: at(2)}}
	for i := range 99 {
		ballots = append(ballots, approval.Ballot{By: "ann", Vote: ballotsOf(i), At: at(1)})
	}
	require.Equal(t, "99", decide(t, e, append(ballots, approval.Ballot{By: "ann", Vote: approval.Reject, At: at(1), Comment: "99"}), at(100)).Why.Of[0].Ballot.Comment)
}

// ballotsOf changes a mind all the time.
func ballotsOf(i int) approval.Vote { return approval.Votes()[i%4] }

func TestRecount(t *testing.T) {
	e := electorate(approval.Rule{Need: approval.AtLeast(2), Of: approval.Persons("ann", "bob", "cho")})
	e.Policy.Recount = true
	e.Deadline = at(60)
	ballots := cast("ann approve", "bob approve", "bob reject", "cho reject", "cho approve")
	for i, want := range []approval.Outcome{approval.Open, approval.Approved, approval.Open, approval.Rejected, approval.Approved} {
		d := decide(t, e, ballots[:i+1], at(10))
		require.Equal(t, want, d.Outcome)
		require.False(t, d.Final)
		require.Empty(t, d.Uncounted)
		require.Equal(t, at(60), d.Next)
		if want != approval.Open {
			require.Equal(t, i, d.Index)
			require.Contains(t, d.String(), "votes may still change")
		} else {
			require.Equal(t, -1, d.Index)
			require.Zero(t, d.At)
		}
	}
	ballots = append(ballots, approval.Ballot{By: "ann", Vote: approval.Reject, At: at(60)})
	d := decide(t, e, ballots, at(60))
	require.Equal(t, approval.Approved, d.Outcome)
	require.True(t, d.Final)
	require.Zero(t, d.Next)
	require.Equal(t, map[int]approval.Code{5: approval.Late}, codes(d))
}

func TestDeadline(t *testing.T) {
	rule := approval.Rule{Need: approval.Majority, Base: approval.Cast, Of: approval.Persons("ann", "bob", "cho")}
	for name, tt := range map[string]struct {
		silence approval.Vote
		ballots []approval.Ballot
		want    approval.Outcome
	}{
		"expires":                    {"", cast("ann approve"), approval.Expired},
		"silence rejects":            {approval.Reject, cast("ann approve"), approval.Rejected},
		"silence approves":           {approval.Approve, cast("ann reject"), approval.Approved},
		"silence leaves it to them":  {approval.Abstain, cast("ann approve"), approval.Approved},
		"or to those against":        {approval.Abstain, cast("ann reject"), approval.Rejected},
		"nobody at all decides":      {approval.Abstain, nil, approval.Rejected},
		"nobody at all consents":     {approval.Approve, nil, approval.Approved},
		"what is decided stays so":   {approval.Reject, cast("ann approve", "bob approve"), approval.Approved},
		"what is refused stays so":   {approval.Approve, cast("ann reject", "bob reject"), approval.Rejected},
		"a ballot in time decides":   {"", append(cast("ann approve"), approval.Ballot{By: "bob", Vote: approval.Approve, At: at(60).Add(-1)}), approval.Approved},
		"one at the deadline is not": {"", append(cast("ann approve"), approval.Ballot{By: "bob", Vote: approval.Approve, At: at(60)}), approval.Expired},
	} {
		t.Run(name, func(t *testing.T) {
			e := electorate(rule)
			e.Policy.Silence, e.Deadline = tt.silence, at(60)
			d := decide(t, e, tt.ballots, at(60))
			require.Equal(t, tt.want, d.Outcome)
			require.True(t, d.Final)
			require.Zero(t, d.Next)
			require.Zero(t, d.Needed)
			if d.Index < 0 {
				require.Equal(t, at(60), d.At)
				before := decide(t, e, tt.ballots, at(60).Add(-1))
				require.Equal(t, approval.Open, before.Outcome)
				require.Equal(t, at(60), before.Next)
				require.Equal(t, len(tt.silence) > 0, strings.Contains(d.String(), "by silence"))
			}
		})
	}
	// A practice over which nobody has power is not approved by silence.
	e := electorate(approval.Rule{Of: approval.Persons("ann")}, "ann")
	e.Policy.Silence, e.Deadline = approval.Approve, at(60)
	require.Equal(t, approval.Rejected, decide(t, e, nil, at(60)).Outcome)
}

func TestDelegation(t *testing.T) {
	e := electorate(approval.Rule{Of: approval.Persons("ann", "bob", "cho")}, "zoe")
	e.Delegations = []approval.Delegation{
		{Of: "ann", To: "dan", From: at(10), Until: at(20)},
		{Of: "dan", To: "eve", From: at(10), Until: at(15)},
		{Of: "bob", To: "dan"},
		{Of: "cho", To: "zoe"},
		{Of: "zoe", To: "kim"},
	}
	require.NoError(t, e.Validate())
	by := func(by, of string, minute int) approval.Ballot {
		return approval.Ballot{By: by, For: of, Vote: approval.Approve, At: at(minute)}
	}
	code := func(ballots []approval.Ballot, b approval.Ballot) approval.Code {
		var r *approval.Refusal
		if errors.As(approval.Admit(e, ballots, b), &r) {
			return r.Code
		}
		return ""
	}
	require.Equal(t, approval.NoVote, code(nil, by("dan", "ann", 9)))
	require.Empty(t, code(nil, by("dan", "ann", 10)))
	require.Equal(t, approval.NoVote, code(nil, by("dan", "ann", 20)))
	require.Empty(t, code(nil, by("eve", "ann", 14)), "passed on")
	require.Equal(t, approval.NoVote, code(nil, by("eve", "ann", 15)))
	require.Equal(t, approval.NoVote, code(nil, by("dan", "", 12)), "dan has no vote of his own")
	require.Equal(t, approval.Excluded, code(nil, by("zoe", "cho", 12)), "separation of duties holds for a delegate")
	require.Equal(t, approval.NoVote, code(nil, by("kim", "cho", 12)), "nor do the excluded pass on what they were passed")

	// The delegate votes once for each, and who votes in person has the last word.
	ballots := []approval.Ballot{by("dan", "ann", 11), by("dan", "bob", 11)}
	d := decide(t, e, ballots, at(12))
	require.Equal(t, []approval.Turn{{Person: "cho", By: []string{"cho"}}}, d.Needed.May)
	ballots = append(ballots, approval.Ballot{By: "ann", Vote: approval.Withdraw, At: at(13)})
	d = decide(t, e, ballots, at(13))
	require.Equal(t, []approval.Turn{{Person: "ann", By: []string{"ann", "dan", "eve"}}, {Person: "cho", By: []string{"cho"}}}, d.Needed.May)
	ballots = append(ballots, approval.Ballot{By: "ann", Vote: approval.Abstain, At: at(14)})
	require.Equal(t, approval.Rejected, decide(t, e, ballots, at(14)).Outcome)
	e.Policy.Recount = true
	require.Equal(t, approval.Overruled, code(ballots, by("dan", "ann", 15)))

	// Whom it is of, it is void for: the author's vote is not passed on.
	e = electorate(approval.Rule{Need: approval.Any, Of: approval.Persons("ann", "bob")}, "ann")
	e.Delegations = []approval.Delegation{{Of: "ann", To: "dan"}}
	require.Equal(t, approval.NoVote, code(nil, by("dan", "ann", 1)))
}

// What moves without a ballot: substitutes and delegates that begin, the deadline.
func TestNext(t *testing.T) {
	rule := approval.Rule{Of: approval.Persons("ann", "bob")}
	rule.Of[0].Substitutes = []approval.Substitute{{Person: "dan", After: 30 * time.Minute}, {Person: "eve", After: 40 * time.Minute}}
	e := electorate(rule)
	e.Deadline = at(60)
	e.Delegations = []approval.Delegation{{Of: "bob", To: "kim", From: at(35)}}
	for _, tt := range []struct {
		now, next time.Time
		by        []string
	}{
		{at(0), at(30), []string{"ann"}},
		{at(30), at(35), []string{"ann", "dan"}},
		{at(35), at(40), []string{"ann", "dan"}},
		{at(40), at(60), []string{"ann", "dan", "eve"}},
		{at(60), time.Time{}, nil},
	} {
		d := decide(t, e, nil, tt.now)
		require.Equal(t, tt.next, d.Next)
		if tt.by != nil {
			require.Equal(t, tt.by, d.Needed.May[0].By)
		}
	}
	require.Equal(t, at(35), decide(t, e, cast("ann approve"), at(5)).Next, "ann needs no substitute any more")
	e.Deadline = time.Time{}
	require.Zero(t, decide(t, e, nil, at(40)).Next)
}

func TestSubstitutes(t *testing.T) {
	p := approval.Policy{
		Rule: approval.Rule{Of: []approval.Member{
			{Person: "ann", Substitutes: []approval.Substitute{{Role: "head", After: time.Hour}}},
			{Person: "bob", Substitutes: []approval.Substitute{{Computed: "deputy"}}},
		}},
		Exclude: []string{"author"},
	}
	e, err := approval.Resolve(p, opened, people(map[string][]string{"role head": {"eve", "dan"}, "computed deputy": {"kim"}, "duty author": {"ann", "eve"}}))
	require.NoError(t, err)
	// Ann is the author: dan stands in from the beginning, and eve never.
	d := decide(t, e, nil, opened)
	require.Equal(t, []approval.Turn{{Person: "ann", By: []string{"dan"}}, {Person: "bob", By: []string{"bob", "kim"}}}, d.Needed.May)
	d = decide(t, e, cast("ann approve", "eve for ann approve", "dan for ann approve", "kim for bob reject"), at(10))
	require.Equal(t, map[int]approval.Code{0: approval.Excluded, 1: approval.Excluded}, codes(d))
	require.Equal(t, approval.Rejected, d.Outcome)
	require.Equal(t, "dan", d.Why.Of[0].Ballot.By)
	require.Equal(t, "author", d.Why.Of[0].Duty)
}

func TestResolve(t *testing.T) {
	p, err := approval.ParsePolicy([]byte(normalChange))
	require.NoError(t, err)
	host := map[string][]string{
		"computed line manager": {"lee"}, "role head": {"kim"}, "role cab": {"cho", "ann", "bob", "ann"},
		"duty author": {"ann"}, "duty implementer": nil,
	}
	delegation := approval.Delegation{Of: "bob", To: "dan"}
	e, err := approval.Resolve(p, opened, people(host), delegation)
	require.NoError(t, err)
	require.Equal(t, approval.Electorate{
		Policy: p,
		Answers: []approval.Answer{
			{Kind: approval.Computed, Name: "line manager", People: []string{"lee"}},
			{Kind: approval.Role, Name: "head", People: []string{"kim"}},
			{Kind: approval.Role, Name: "cab", People: []string{"ann", "bob", "cho"}},
			{Kind: approval.Duty, Name: "author", People: []string{"ann"}},
			{Kind: approval.Duty, Name: "implementer"},
		},
		Delegations: []approval.Delegation{delegation}, Opened: opened, Deadline: opened.Add(48 * time.Hour),
	}, e)
	require.Equal(t, []string{"cho", "ann", "bob", "ann"}, host["role cab"], "the host's list stays as it is")
	data, err := json.Marshal(e)
	require.NoError(t, err)
	again, err := approval.ParseElectorate(data)
	require.NoError(t, err)
	require.Equal(t, e, again)

	t.Run("what the host does not know", func(t *testing.T) {
		delete(host, "role cab")
		delete(host, "duty author")
		_, err := approval.Resolve(p, opened, people(host))
		require.EqualError(t, err, "approval: role \"cab\": not known\napproval: duty \"author\": not known")
		require.NotErrorIs(t, err, approval.ErrInvalid)
		_, err = approval.Resolve(p, opened, nil)
		require.ErrorContains(t, err, "there is no resolver")
	})
	t.Run("a policy that is wrong", func(t *testing.T) {
		_, err := approval.Resolve(approval.Policy{}, opened, nil)
		require.Equal(t, []string{"rule.of must not be empty: nobody approves nothing"}, reasons(err))
	})
}

// Whom separation of duties leaves decides, if the policy says so; if nobody is left
// that is a finding, and never an approval.
func TestSeparationOfDuties(t *testing.T) {
	boards := approval.Rule{Of: []approval.Member{
		{Rule: &approval.Rule{Need: approval.All, Base: approval.Entitled, Of: []approval.Member{{Role: "security"}}}},
		{Rule: &approval.Rule{Need: approval.AtLeast(2), Of: []approval.Member{{Role: "cab"}}}},
		{Person: "lee"},
	}}
	p := approval.Policy{Rule: boards, Exclude: []string{"author", "implementer"}}
	host := func(author, implementer string) approval.Resolver {
		return people(map[string][]string{"role security": {"sam"}, "role cab": {"ann", "bob"}, "duty author": {author}, "duty implementer": {implementer}})
	}
	_, err := approval.Resolve(p, opened, host("zoe", "zoe"))
	require.NoError(t, err)
	for _, tt := range []struct {
		author, implementer string
		want                []string
	}{
		{"sam", "zoe", []string{"policy.rule.of[0].rule cannot be approved by anybody: at most 0 in favour of 1 needed; sam is excluded as author"}},
		{"zoe", "ann", []string{"policy.rule.of[1].rule cannot be approved by anybody: at most 1 in favour of 2 needed; ann is excluded as implementer"}},
		{"sam", "bob", []string{
			"policy.rule.of[0].rule cannot be approved by anybody: at most 0 in favour of 1 needed; sam is excluded as author",
			"policy.rule.of[1].rule cannot be approved by anybody: at most 1 in favour of 2 needed; bob is excluded as implementer",
		}},
		{"lee", "zoe", []string{"policy.rule cannot be approved by anybody: at most 2 in favour of 3 needed; lee is excluded as author"}},
	} {
		_, err := approval.Resolve(p, opened, host(tt.author, tt.implementer))
		require.ErrorIs(t, err, approval.ErrInvalid)
		require.Equal(t, tt.want, reasons(err))
	}

	// Somebody becomes the implementer while the vote is open.
	e, err := approval.Resolve(p, opened, host("zoe", "zoe"))
	require.NoError(t, err)
	e.Answers[3].People = []string{"zoe", "ann"}
	require.Error(t, e.Validate())
	d := decide(t, e, cast("ann approve"), at(10))
	require.Equal(t, approval.Rejected, d.Outcome)
	require.Equal(t, opened, d.At)
	require.Equal(t, -1, d.Index)

	// The author on the board: missed, or not counted, as the policy says.
	for base, want := range map[approval.Base]approval.Outcome{approval.Everyone: approval.Open, approval.Entitled: approval.Approved, approval.Cast: approval.Approved} {
		e := electorate(approval.Rule{Need: approval.Share(2, 3), Base: base, Of: approval.Persons("ann", "bob", "cho", "dan")}, "ann")
		require.NoError(t, e.Validate())
		require.Equal(t, want, decide(t, e, cast("bob approve", "cho approve"), at(10)).Outcome, base)
	}

	// A role that nobody has is missed too.
	p = approval.Policy{Rule: approval.Rule{Of: []approval.Member{{Role: "security"}, {Person: "lee"}}}}
	_, err = approval.Resolve(p, opened, people(map[string][]string{"role security": {}}))
	require.Equal(t, []string{"policy.rule cannot be approved by anybody: at most 1 in favour of 2 needed; role security is nobody"}, reasons(err))
	p.Rule.Need = approval.Any
	e, err = approval.Resolve(p, opened, people(map[string][]string{"role security": {}}))
	require.NoError(t, err)
	d = decide(t, e, cast("lee approve"), at(10))
	require.Equal(t, approval.Approved, d.Outcome)
	require.Contains(t, d.String(), "role security: vacant, nobody is")
}

// A person has one vote, which counts once in each rule that they are in.
func TestOnePersonManyPlaces(t *testing.T) {
	p := approval.Policy{Rule: approval.Rule{Of: []approval.Member{
		{Rule: &approval.Rule{Need: approval.AtLeast(2), Of: []approval.Member{{Role: "security"}, {Role: "network", Weight: 1}, {Person: "bob"}}}},
		{Rule: &approval.Rule{Need: approval.Any, Of: []approval.Member{{Role: "security"}}}},
	}}}
	host := people(map[string][]string{"role security": {"ann"}, "role network": {"ann", "cho"}})
	e, err := approval.Resolve(p, opened, host)
	require.NoError(t, err)
	d := decide(t, e, cast("ann approve"), at(10))
	require.Equal(t, approval.Open, d.Outcome)
	require.Equal(t, int64(1), d.Why.Of[0].Tally.InFavour, "two hats are one head")
	require.Equal(t, approval.Approved, d.Why.Of[1].Outcome)
	require.Len(t, d.Why.Of[0].Of, 3)
	d = decide(t, e, cast("ann approve", "cho approve"), at(10))
	require.Equal(t, approval.Approved, d.Outcome)

	// The greatest weight counts, and a veto from either.
	p = approval.Policy{Rule: approval.Rule{Need: approval.AtLeast(3), Of: []approval.Member{{Role: "security"}, {Role: "network", Weight: 3, Veto: true}}}}
	e, err = approval.Resolve(p, opened, host)
	require.NoError(t, err)
	require.Equal(t, approval.Rejected, decide(t, e, cast("cho approve", "ann reject"), at(10)).Outcome)
	require.Equal(t, approval.Approved, decide(t, e, cast("cho abstain", "ann approve"), at(10)).Outcome)

	// Two members that come to the same one person.
	p = approval.Policy{Rule: approval.Rule{Sequence: true, Of: []approval.Member{{Role: "security"}, {Person: "ann"}, {Person: "bob"}}}}
	e, err = approval.Resolve(p, opened, host)
	require.NoError(t, err)
	require.Equal(t, approval.Approved, decide(t, e, cast("ann approve", "bob approve"), at(10)).Outcome)
}

func TestDistinct(t *testing.T) {
	rule := approval.Rule{Of: []approval.Member{{Person: "ann"}, {Person: "bob", Substitutes: []approval.Substitute{{Person: "dan"}}}, {Person: "cho"}}}
	e := electorate(rule)
	e.Delegations = []approval.Delegation{{Of: "ann", To: "bob"}, {Of: "cho", To: "kim"}, {Of: "kim", To: "dan"}}
	require.NoError(t, e.Validate())
	// Without it, one pair of eyes is enough for two votes.
	require.Equal(t, approval.Approved, decide(t, e, cast("bob approve", "bob for ann approve", "cho approve"), at(10)).Outcome)
	e.Policy.Distinct = true
	want := []string{
		"policy.distinct must not let bob vote for ann as well as for themselves",
		"policy.distinct must not let dan vote for both bob and cho",
	}
	require.Equal(t, want, reasons(e.Validate()))
	_, err := approval.Decide(e, nil, opened)
	require.Equal(t, want, reasons(err))
	e.Delegations = []approval.Delegation{{Of: "ann", To: "eve"}, {Of: "cho", To: "kim"}}
	require.NoError(t, e.Validate())
}

func TestElectorateFindsEverything(t *testing.T) {
	e := electorate(approval.Rule{Of: []approval.Member{{Person: "ann"}, {Role: "cab"}, {Role: "ops", Substitutes: []approval.Substitute{{Role: "head"}}}}})
	e.Policy.Exclude = []string{"author"}
	e.Deadline = opened
	e.Delegations = []approval.Delegation{
		{Of: "", To: "bob"}, {Of: "ann", To: "ann"}, {Of: "ann", To: "bob", From: at(2), Until: at(1)},
	}
	require.Equal(t, []string{
		`answers must say who is role "cab"`, `answers must say who is role "ops"`, `answers must say who is role "head"`,
		`answers must say who is duty "author"`, "deadline must be after opened",
		"delegations[0].of must not be empty", "delegations[1].to must be somebody else", "delegations[2].until must be after from",
	}, reasons(e.Validate()))

	e = electorate(approval.Rule{Of: []approval.Member{{Role: "cab"}}})
	e.Answers = []approval.Answer{{Kind: approval.Role, Name: "cab", People: []string{"ann", "ann", ""}}, {Kind: approval.Role, Name: "cab"}, {Kind: "group"}}
	require.Equal(t, []string{
		`answers[0].people[1] is there twice: "ann"`, "answers[0].people[2] must not be empty", `answers[1] is there twice: role "cab"`,
		`answers[2].kind must be role, computed or duty, is "group"`, "answers[2].name must not be empty",
	}, reasons(e.Validate()))

	crowd := make([]string, 1001)
	e.Answers = []approval.Answer{{Kind: approval.Role, Name: "cab", People: crowd}}
	require.Equal(t, []string{"answers[0] must not bring the people to more than 1000"}, reasons(e.Validate()))
	e.Answers[0].People = nil
	e.Delegations = make([]approval.Delegation, 201)
	require.Equal(t, []string{"delegations must be at most 200, are 201"}, reasons(e.Validate()))

	// A role in very many rules.
	e = electorate(approval.Rule{})
	crowd = nil
	for i := range 1000 {
		crowd = append(crowd, "p"+strings.Repeat("x", i%150)+string(rune('a'+i/150)))
	}
	e.Answers = []approval.Answer{{Kind: approval.Role, Name: "cab", People: crowd}}
	for range 10 {
		e.Policy.Rule.Of = append(e.Policy.Rule.Of, approval.Of(approval.Any, approval.Member{Role: "cab"}))
	}
	require.Equal(t, []string{"policy must come to at most 10000 places of people in rules"}, reasons(e.Validate()))
	e.Policy.Rule.Of = e.Policy.Rule.Of[:9]
	require.NoError(t, e.Validate())

	_, err := approval.ParseElectorate([]byte(`{"policy":{"rule":{"of":[{"person":"ann"}]}},"opened":"today","deadline":null,"answers":[],"x":1}`))
	require.Equal(t, []string{"opened must be a time in RFC 3339, such as 2026-03-29T02:30:00Z", "x is not known"}, reasons(err))
}

func TestDelegationsGoRoundInNoCircle(t *testing.T) {
	link := func(of, to string, from, until int) approval.Delegation {
		d := approval.Delegation{Of: of, To: to, From: at(from)}
		if until > 0 {
			d.Until = at(until)
		}
		return d
	}
	for name, tt := range map[string]struct {
		delegations []approval.Delegation
		want        []string
	}{
		"each other at different times": {[]approval.Delegation{link("ann", "bob", 1, 5), link("bob", "ann", 5, 9)}, nil},
		"each other at the same time": {[]approval.Delegation{link("ann", "bob", 1, 6), link("bob", "ann", 5, 9)},
			[]string{"delegations[1] closes a circle: bob would vote for themselves"}},
		"always": {[]approval.Delegation{{Of: "ann", To: "bob"}, {Of: "bob", To: "ann"}},
			[]string{"delegations[0] closes a circle: ann would vote for themselves", "delegations[1] closes a circle: bob would vote for themselves"}},
		"three": {[]approval.Delegation{link("cho", "ann", 3, 0), link("ann", "bob", 1, 0), link("bob", "cho", 2, 4)},
			[]string{"delegations[0] closes a circle: cho would vote for themselves"}},
		"four times":     {[]approval.Delegation{link("a", "b", 1, 0), link("b", "c", 1, 0), link("c", "d", 1, 0), link("d", "e", 1, 0)}, nil},
		"not five times": {[]approval.Delegation{link("a", "b", 1, 0), link("b", "c", 1, 0), link("d", "e", 1, 0), link("e", "f", 1, 0), link("c", "d", 2, 0)}, []string{"delegations[4] makes a chain of 5 delegations: a vote may be passed on 4 times"}},
		"unless apart":   {[]approval.Delegation{link("a", "b", 1, 2), link("b", "c", 1, 0), link("d", "e", 1, 0), link("e", "f", 1, 0), link("c", "d", 2, 0)}, nil},
		"to two":         {[]approval.Delegation{link("a", "b", 1, 0), link("a", "c", 1, 0), link("b", "d", 1, 0), link("c", "d", 1, 0)}, nil},
		"a long circle": {[]approval.Delegation{link("a", "b", 1, 0), link("b", "c", 1, 0), link("c", "d", 1, 0), link("d", "e", 1, 0), link("e", "f", 1, 0), link("f", "g", 1, 0), link("g", "a", 2, 0)},
			[]string{
				"delegations[0] makes a chain of 6 delegations: a vote may be passed on 4 times", "delegations[1] makes a chain of 6 delegations: a vote may be passed on 4 times",
				"delegations[2] makes a chain of 6 delegations: a vote may be passed on 4 times", "delegations[3] makes a chain of 6 delegations: a vote may be passed on 4 times",
				"delegations[4] makes a chain of 6 delegations: a vote may be passed on 4 times", "delegations[5] makes a chain of 6 delegations: a vote may be passed on 4 times",
				"delegations[6] makes a chain of 11 delegations: a vote may be passed on 4 times",
			}},
	} {
		t.Run(name, func(t *testing.T) {
			e := electorate(approval.Rule{Of: approval.Persons("ann")})
			e.Delegations = tt.delegations
			require.Equal(t, tt.want, reasons(e.Validate()))
		})
	}
}

func TestWhy(t *testing.T) {
	p, err := approval.ParsePolicy([]byte(normalChange))
	require.NoError(t, err)
	p.Recount = false
	e, err := approval.Resolve(p, opened, people(map[string][]string{
		"computed line manager": {"lee"}, "role head": {"kim"}, "role cab": {"ann", "bob", "cho"}, "duty author": {"ann"}, "duty implementer": {"zoe"},
	}), approval.Delegation{Of: "bob", To: "dan"})
	require.NoError(t, err)
	ballots := cast("cho approve", "lee approve", "dan for bob abstain: I was not there", "cho reject", "cho reject: no way back", "ciso approve", "ciso reject: unsafe", "bob approve")
	var text strings.Builder
	for i := range ballots {
		d := decide(t, e, ballots, ballots[i].At)
		text.WriteString(d.String() + "\n")
		if i == len(ballots)-1 {
			data, err := json.MarshalIndent(d, "", "  ")
			require.NoError(t, err)
			golden(t, "decision.json", string(data)+"\n")
			golden(t, "decision.mermaid", d.Mermaid())
			require.Contains(t, strings.ReplaceAll(d.String(), "\n  ", "\n"), d.Why.String())
		}
	}
	golden(t, "why.txt", text.String())
}
