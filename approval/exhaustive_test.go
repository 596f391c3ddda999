package approval_test

import (
	"iter"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm/approval"
	"github.com/go-itsm/itsm/internal/race"
)

// sparse leaves out policies under the race detector, which is ten times slower.
func sparse[T any](all iter.Seq[T]) iter.Seq[T] {
	return func(yield func(T) bool) {
		i := 0
		for c := range all {
			if i++; race.Detector && i%17 != 0 {
				continue
			}
			if !yield(c) {
				return
			}
		}
	}
}

// Every policy over up to five people, and in each everything that they may have
// voted so far: it is decided if and only if all ways to go on agree.
func TestDecidedAsSoonAsNothingCanChangeAndNeverBefore(t *testing.T) {
	policies, states := 0, 0
	try := func(name string, all iter.Seq[pollCase]) {
		t.Run(name, func(t *testing.T) {
			for c := range sparse(all) {
				policies++
				states += everyState(t, c)
			}
		})
	}
	for n := 1; n <= 5; n++ {
		try("flat", flat(n))
		try("weighted", weighted(n))
	}
	try("nested", nested(2))
	try("nested", nested(3))
	try("nested", nested(4))
	try("made up", madeUp(1, 2000, 4, 3, false))
	try("made up", madeUp(2, 4000, 5, 3, false))
	t.Logf("%d policies, %d states, no difference", policies, states)
	if !race.Detector {
		require.Greater(t, policies, 20_000)
	}
}

// everyState compares the outcome of every state of a policy with the definition,
// and returns how many there are. A state is a number with a digit for each person:
// 0 to 2 are votes and 3 is silence, so that what may become of a silent person's
// state stands before it.
func everyState(t *testing.T, c pollCase) int {
	people, outcome := approval.States(electorate(c.rule, c.out...))
	votes := make([]approval.Vote, len(people))
	const approves, rejects = 1, 2 // what may become of it
	ends := make([]int8, 1<<(2*len(people)))
	states := 0
	for state := range ends {
		full, silent, counts := box{}, -1, true
		for i, person := range people {
			digit := state >> (2 * i) & 3
			switch out := slices.Contains(c.out, person); {
			case out:
				counts = counts && digit == 0 // who may not vote has one state
				votes[i], full[person] = "", vacant
			case digit == 3:
				votes[i], silent = "", i
			default:
				votes[i], full[person] = ballots[digit], ballots[digit]
			}
		}
		if !counts {
			continue
		}
		states++
		switch {
		case silent >= 0:
			for digit := range 3 {
				ends[state] |= ends[state-(3-digit)<<(2*silent)]
			}
		case means(&c.rule, full) == approval.Approve:
			ends[state] = approves
		default:
			ends[state] = rejects
		}
		want := [...]approval.Outcome{approves: approval.Approved, rejects: approval.Rejected, approves | rejects: approval.Open}[ends[state]]
		if got := outcome(votes); got != want {
			require.Equal(t, want, got, "%s without %v and with %v", c.rule, c.out, votes)
		}
	}
	return states
}

// Every list of up to three ballots: each is counted or not, decides or not, as the
// definition says, with turns, changes of mind and withdrawals.
func TestEveryListOfThreeBallots(t *testing.T) {
	policies, lists := 0, 0
	for c := range sparse(madeUp(3, 250, 3, 3, true)) {
		policies++
		lists += everyList(t, c, 3, 3)
	}
	for c := range sparse(madeUp(4, 8, 5, 3, true)) {
		policies++
		lists += everyList(t, c, 5, 3)
	}
	for n := 1; n <= 2; n++ {
		for c := range sparse(flat(n)) {
			policies++
			lists += everyList(t, c, n, 3)
		}
	}
	t.Logf("%d policies, %d lists of ballots, no difference", policies, lists)
}

func everyList(t *testing.T, c pollCase, n, length int) int {
	lists := 0
	e := electorate(c.rule, c.out...)
	people, _ := approval.States(e)
	judge := newJudge(&c.rule, people)
	var cast []approval.Ballot
	var each func(votes box, decided approval.Outcome, by int, uncounted []approval.Code)
	each = func(votes box, decided approval.Outcome, by int, uncounted []approval.Code) {
		lists++
		d, err := approval.Decide(e, cast, opened.Add(time.Hour))
		require.NoError(t, err)
		same := d.Outcome == decided && d.Index == by && len(d.Uncounted) == len(uncounted)
		for i := range uncounted {
			same = same && d.Uncounted[i].Code == uncounted[i]
		}
		if !same {
			require.Fail(t, "differs", "%s without %v: wanted %s by %d, %v, of %v, got\n%s", c.rule, c.out, decided, by, uncounted, cast, d)
		}
		if len(cast) == length {
			return
		}
		for _, person := range names(n) {
			for _, v := range approval.Votes() {
				next, decided, by, uncounted := box{}, decided, by, slices.Clip(uncounted)
				for k, v := range votes {
					next[k] = v
				}
				cast = append(cast, approval.Ballot{By: person, Vote: v, At: opened.Add(time.Duration(len(cast)) * time.Minute)})
				switch {
				case slices.Contains(c.out, person):
					uncounted = append(uncounted, approval.Excluded)
				case !slices.Contains(people, person):
					uncounted = append(uncounted, approval.NoVote)
				case decided != approval.Open:
					uncounted = append(uncounted, approval.Late)
				case !judge.asked(votes)[person]:
					uncounted = append(uncounted, approval.Early)
				default:
					if next[person] = v; v == approval.Withdraw {
						delete(next, person)
					}
					if decided = judge.outcome(next); decided != approval.Open {
						by = len(cast) - 1
					}
				}
				each(next, decided, by, uncounted)
				cast = cast[:len(cast)-1]
			}
		}
	}
	votes := box{}
	for _, person := range c.out {
		votes[person] = vacant
	}
	each(votes, brute(&c.rule, people, votes), -1, nil)
	return lists
}

// Turns do not spoil it: where one asks in turn, and nobody changes their mind, all
// that the definition says can come of it does come of some way to go on.
func TestTurnsReachEveryEnd(t *testing.T) {
	policies, states := 0, 0
	for c := range sparse(madeUp(5, 300, 3, 3, true)) {
		policies++
		people, _ := approval.States(electorate(c.rule, c.out...))
		known := map[[3]approval.Vote]map[approval.Vote]bool{}
		var play func(votes box) map[approval.Vote]bool
		play = func(votes box) map[approval.Vote]bool {
			key := [3]approval.Vote{}
			for i, person := range names(3) {
				key[i] = votes[person]
			}
			if all, ok := known[key]; ok {
				return all
			}
			states++
			all := map[approval.Vote]bool{}
			over := brute(&c.rule, people, votes)
			if over != approval.Open {
				all[map[approval.Outcome]approval.Vote{approval.Approved: approval.Approve, approval.Rejected: approval.Reject}[over]] = true
			}
			moved := false
			for person := range asked(&c.rule, people, votes, false) {
				if _, voted := votes[person]; voted || over != approval.Open {
					continue
				}
				moved = true
				for _, v := range ballots {
					votes[person] = v
					for end := range play(votes) {
						all[end] = true
					}
				}
				delete(votes, person)
			}
			require.True(t, moved || over != approval.Open, "%s: nobody is asked in %v", c.rule, votes)
			require.Equal(t, over == approval.Open, len(all) == 2, "%s in %v", c.rule, votes)
			known[key] = all
			return all
		}
		votes := box{}
		for _, person := range c.out {
			votes[person] = vacant
		}
		play(votes)
	}
	t.Logf("%d policies, %d states", policies, states)
}

// Who is needed: those who may vote, who must, and who would be enough, each by its
// definition.
func TestNeeded(t *testing.T) {
	states := 0
	for c := range sparse(madeUp(6, 400, 4, 3, true)) {
		e := electorate(c.rule, c.out...)
		people, _ := approval.States(e)
		var cast []approval.Ballot
		var each func(i int, votes box)
		each = func(i int, votes box) {
			if i < len(people) {
				each(i+1, votes)
				if asked(&c.rule, people, votes, false)[people[i]] && !slices.Contains(c.out, people[i]) && brute(&c.rule, people, votes) == approval.Open {
					for _, v := range ballots {
						votes[people[i]] = v
						cast = append(cast, approval.Ballot{By: people[i], Vote: v, At: opened})
						each(i+1, votes)
						cast = cast[:len(cast)-1]
					}
					delete(votes, people[i])
				}
				return
			}
			states++
			d, err := approval.Decide(e, cast, opened)
			require.NoError(t, err)
			require.Empty(t, d.Uncounted)
			require.Equal(t, brute(&c.rule, people, votes), d.Outcome)
			explains(t, &c.rule, people, votes, d.Why, true)
			if d.Outcome != approval.Open {
				require.Zero(t, d.Needed)
				return
			}
			require.NotEmpty(t, d.Needed.May)
			require.NotEmpty(t, d.Needed.Enough)
			var must, may []string
			for _, person := range people {
				if _, voted := votes[person]; voted {
					continue
				}
				if asked(&c.rule, people, votes, true)[person] {
					may = append(may, person)
				}
				votes[person] = approval.Reject
				if brute(&c.rule, people, votes) == approval.Rejected {
					must = append(must, person)
				}
				delete(votes, person)
			}
			require.Equal(t, must, d.Needed.Must)
			for i, turn := range d.Needed.May {
				require.Equal(t, approval.Turn{Person: may[i], By: may[i : i+1]}, turn)
			}
			require.Len(t, d.Needed.May, len(may))
			for _, person := range d.Needed.Enough {
				require.NotContains(t, votes, person)
				votes[person] = approval.Approve
			}
			require.Equal(t, approval.Approved, brute(&c.rule, people, votes))
			for _, person := range d.Needed.Enough {
				delete(votes, person)
				require.NotEqual(t, approval.Approved, brute(&c.rule, people, votes), "%s can be spared", person)
				votes[person] = approval.Approve
			}
			for _, person := range d.Needed.Enough {
				delete(votes, person)
			}
		}
		votes := box{}
		for _, person := range c.out {
			votes[person] = vacant
		}
		each(0, votes)
	}
	t.Logf("%d states", states)
	require.Positive(t, states)
}

// explains compares the parts of a reason with what each comes to by its definition.
// Turn says that the rule is asked.
func explains(t *testing.T, r *approval.Rule, people []string, votes box, why approval.Reason, turn bool) {
	sum := map[approval.Outcome]int64{}
	require.Len(t, why.Of, len(r.Of))
	for i, m := range r.Of {
		part := why.Of[i]
		want := approval.Open
		switch vote, voted := votes[m.Person]; {
		case m.Rule != nil:
			if all := ends(m.Rule, people, votes); len(all) == 1 {
				want = map[bool]approval.Outcome{all[approval.Approve]: approval.Approved, all[approval.Reject]: approval.Rejected, all[approval.Abstain]: approval.Abstained}[true]
			}
		case voted:
			want = map[approval.Vote]approval.Outcome{approval.Approve: approval.Approved, approval.Reject: approval.Rejected, approval.Abstain: approval.Abstained, vacant: approval.Vacant}[vote]
		}
		sum[want] += int64(max(m.Weight, 1))
		if want == approval.Open && !turn {
			want = approval.Waiting
		}
		require.Equal(t, want, part.Outcome, "%s with %v\n%s", r, votes, why)
		if m.Rule != nil {
			explains(t, m.Rule, people, votes, part, turn)
		}
		turn = turn && (!r.Sequence || want != approval.Open)
	}
	require.Equal(t, []int64{sum[approval.Approved], sum[approval.Rejected], sum[approval.Abstained], sum[approval.Open], sum[approval.Vacant]},
		[]int64{why.Tally.InFavour, why.Tally.Against, why.Tally.Abstained, why.Tally.Open, why.Tally.Vacant})
}

// The reason why two counts are enough: raising a vote never lowers the outcome.
func TestRaisingAVoteNeverLowersTheOutcome(t *testing.T) {
	order := map[approval.Vote]int{approval.Reject: 0, approval.Abstain: 1, approval.Approve: 2}
	for c := range sparse(madeUp(7, 2000, 3, 3, false)) {
		var each func(i int, votes box)
		each = func(i int, votes box) {
			if i < 3 {
				for _, v := range ballots {
					votes[names(3)[i]] = v
					each(i+1, votes)
				}
				return
			}
			for _, person := range names(3) {
				v := votes[person]
				before := order[means(&c.rule, votes)]
				for _, higher := range ballots[order[v]:] {
					votes[person] = higher
					require.GreaterOrEqual(t, order[means(&c.rule, votes)], before, "%s: %v", c.rule, votes)
				}
				votes[person] = v
			}
		}
		each(0, box{})
	}
}
