package approval_test

import (
	"iter"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-itsm/itsm/approval"
)

// What a policy means, written down without any of the cleverness of the package:
// what a rule comes to if everybody has voted, and by trying all the ways in which
// those who have not voted may yet vote, whether it is decided.

// A box is what everybody voted, by name. Who is missing has not voted; "vacant" is
// who may not.
type box map[string]approval.Vote

const vacant approval.Vote = "vacant"

// ballots are the votes that count.
var ballots = []approval.Vote{approval.Reject, approval.Abstain, approval.Approve}

// means is what a rule comes to when everybody has voted: a vote.
func means(r *approval.Rule, votes box) approval.Vote {
	inFavour, against, abstained, missing := 0, 0, 0, 0
	for _, m := range r.Of {
		weight := m.Weight
		if weight == 0 {
			weight = 1
		}
		vote := votes[m.Person]
		if m.Rule != nil {
			vote = means(m.Rule, votes)
		}
		switch vote {
		case approval.Approve:
			inFavour += weight
		case approval.Abstain:
			abstained += weight
		case vacant:
			missing += weight
		case approval.Reject:
			if m.Veto {
				return approval.Reject
			}
			against += weight
		default:
			panic("somebody has not voted")
		}
	}
	need := string(r.Need)
	n, p, q := numbers(need)
	if n > 0 {
		if inFavour >= n {
			return approval.Approve
		}
		return approval.Reject
	}
	base := inFavour + against
	if r.Base != approval.Cast {
		base += abstained
	}
	if r.Base == approval.Everyone {
		base += missing
	}
	enough := inFavour*q >= p*base
	if strings.HasPrefix(need, "more") {
		enough = inFavour*q > p*base
	}
	switch {
	case base == 0 && abstained > 0:
		return approval.Abstain
	case base > 0 && enough:
		return approval.Approve
	}
	return approval.Reject
}

// numbers reads a need: so much, or p of q parts.
func numbers(need string) (n, p, q int) {
	switch need {
	case "any":
		return 1, 0, 0
	case "all":
		return 0, 1, 1
	}
	first, second, _ := strings.Cut(need[strings.LastIndex(need, " ")+1:], "/")
	p, _ = strconv.Atoi(first)
	q, _ = strconv.Atoi(second)
	if q == 0 {
		return p, 0, 0
	}
	return 0, p, q
}

// ends is the set of what a rule may come to, whatever the silent vote.
func ends(r *approval.Rule, people []string, votes box) map[approval.Vote]bool {
	all := map[approval.Vote]bool{}
	var try func([]string)
	try = func(rest []string) {
		if len(rest) == 0 {
			all[means(r, votes)] = true
			return
		}
		if _, voted := votes[rest[0]]; voted {
			try(rest[1:])
			return
		}
		for _, v := range ballots {
			votes[rest[0]] = v
			try(rest[1:])
		}
		delete(votes, rest[0])
	}
	try(people)
	return all
}

// brute is the outcome: decided if all ends agree.
func brute(r *approval.Rule, people []string, votes box) approval.Outcome {
	all := ends(r, people, votes)
	switch {
	case !all[approval.Approve]:
		return approval.Rejected
	case len(all) == 1:
		return approval.Approved
	}
	return approval.Open
}

// asked is who has their turn: in a sequence, those up to the first member that is
// not decided. In what is open only, it leaves out rules that are decided.
func asked(r *approval.Rule, people []string, votes box, inOpen bool) map[string]bool {
	all := map[string]bool{}
	if inOpen && len(ends(r, people, votes)) == 1 {
		return all
	}
	for _, m := range r.Of {
		decided := false
		if m.Rule != nil {
			for person := range asked(m.Rule, people, votes, inOpen) {
				all[person] = true
			}
			decided = len(ends(m.Rule, people, votes)) == 1
		} else {
			all[m.Person] = true
			_, decided = votes[m.Person]
		}
		if r.Sequence && !decided {
			break
		}
	}
	return all
}

// A judge answers for one policy from memory where it can.
type judge struct {
	*approval.Rule
	people   []string
	outcomes map[[5]approval.Vote]approval.Outcome
	turns    map[[5]approval.Vote]map[string]bool
}

func newJudge(r *approval.Rule, people []string) *judge {
	return &judge{r, people, map[[5]approval.Vote]approval.Outcome{}, map[[5]approval.Vote]map[string]bool{}}
}

// key is the votes of everybody.
func key(votes box) (k [5]approval.Vote) {
	for i, person := range names(5) {
		k[i] = votes[person]
	}
	return k
}

func (j *judge) outcome(votes box) approval.Outcome {
	k := key(votes)
	if _, ok := j.outcomes[k]; !ok {
		j.outcomes[k] = brute(j.Rule, j.people, votes)
	}
	return j.outcomes[k]
}

func (j *judge) asked(votes box) map[string]bool {
	k := key(votes)
	if _, ok := j.turns[k]; !ok {
		j.turns[k] = asked(j.Rule, j.people, votes, false)
	}
	return j.turns[k]
}

// names are n people.
func names(n int) []string { return []string{"ann", "bob", "cho", "dan", "eve"}[:n] }

var opened = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

// electorate is that of a rule with people by name, some of whom may not vote.
func electorate(r approval.Rule, out ...string) approval.Electorate {
	e := approval.Electorate{Policy: approval.Policy{Rule: r}, Opened: opened}
	if len(out) > 0 {
		e.Policy.Exclude = []string{"author"}
		e.Answers = []approval.Answer{{Kind: approval.Duty, Name: "author", People: out}}
	}
	return e
}

// A case is a rule and who may not vote in it.
type pollCase struct {
	rule approval.Rule
	out  []string
}

// shares are all shares of up to n parts, each in lowest terms.
func shares(n int) []approval.Need {
	needs := []approval.Need{approval.All, approval.MoreThan(0, 1)}
	for q := 1; q <= n; q++ {
		for p := 1; p < q; p++ {
			if q%p == 0 && p > 1 || q == 4 && p == 2 {
				continue
			}
			needs = append(needs, approval.Share(p, q), approval.MoreThan(p, q))
		}
	}
	return needs
}

// needs yields every need of n members that have a weight in all, with every base.
func needs(n, weight int) iter.Seq2[approval.Need, approval.Base] {
	return func(yield func(approval.Need, approval.Base) bool) {
		for k := 1; k <= weight; k++ {
			if !yield(approval.AtLeast(k), approval.Everyone) {
				return
			}
		}
		if !yield(approval.Any, approval.Everyone) {
			return
		}
		for _, need := range shares(n) {
			for _, base := range approval.Bases() {
				if !yield(need, base) {
					return
				}
			}
		}
	}
}

// flat yields every rule over n people without weights, with every number of vetoes
// and of people who may not vote, with a veto and without.
func flat(n int) iter.Seq[pollCase] {
	return func(yield func(pollCase) bool) {
		for need, base := range needs(n, n) {
			for vetoes := range n + 1 {
				for outWith := range vetoes + 1 {
					for outWithout := range n - vetoes + 1 {
						members := approval.Persons(names(n)...)
						for i := range vetoes {
							members[i].Veto = true
						}
						out := slices.Concat(names(n)[:outWith], names(n)[vetoes:vetoes+outWithout])
						if !yield(pollCase{approval.Rule{Need: need, Base: base, Of: members}, out}) {
							return
						}
					}
				}
			}
		}
	}
}

// weighted yields every rule over n people with weights from 1 to 3, with no veto
// and with one of the lightest or the heaviest.
func weighted(n int) iter.Seq[pollCase] {
	return func(yield func(pollCase) bool) {
		weights := make([]int, n)
		var each func(i, least int) bool
		each = func(i, least int) bool {
			if i < n {
				for w := least; w <= 3; w++ {
					if weights[i] = w; !each(i+1, w) {
						return false
					}
				}
				return true
			}
			sum := 0
			for _, w := range weights {
				sum += w
			}
			for need, base := range needs(min(n, 3), sum) {
				for _, veto := range []int{-1, 0, n - 1} {
					members := approval.Persons(names(n)...)
					for i := range members {
						members[i].Weight, members[i].Veto = weights[i], i == veto
					}
					if !yield(pollCase{approval.Rule{Need: need, Base: base, Of: members}, nil}) {
						return false
					}
				}
			}
			return true
		}
		each(0, 1)
	}
}

// inner are the needs of rules in rules.
var inner = []struct {
	need approval.Need
	base approval.Base
}{
	{approval.All, approval.Cast}, {approval.All, approval.Everyone}, {approval.Any, approval.Everyone},
	{approval.Majority, approval.Cast}, {approval.Majority, approval.Entitled},
}

// nested yields every rule of two rules over any people of n, who may stand in both,
// with every one of the inner needs for each of the three and a veto of the first.
func nested(n int) iter.Seq[pollCase] {
	return func(yield func(pollCase) bool) {
		for left := 1; left < 1<<n; left++ {
			for right := left; right < 1<<n; right++ {
				for i := range inner {
					for j := range inner {
						for k := range inner {
							for _, veto := range []bool{false, true} {
								r := approval.Rule{Need: inner[i].need, Base: inner[i].base, Of: []approval.Member{
									{Rule: &approval.Rule{Need: inner[j].need, Base: inner[j].base, Of: subset(n, left)}, Veto: veto},
									{Rule: &approval.Rule{Need: inner[k].need, Base: inner[k].base, Of: subset(n, right)}},
								}}
								if !yield(pollCase{r, nil}) {
									return
								}
							}
						}
					}
				}
			}
		}
	}
}

func subset(n, bits int) []approval.Member {
	var people []string
	for i, person := range names(n) {
		if bits>>i&1 == 1 {
			people = append(people, person)
		}
	}
	return approval.Persons(people...)
}

// anyRule makes up a rule over n people, who may stand anywhere in it, in at most so
// many levels.
func anyRule(rnd *rand.Rand, n, levels int, sequences bool) approval.Rule {
	people := slices.Clone(names(n))
	rnd.Shuffle(n, func(i, j int) { people[i], people[j] = people[j], people[i] })
	var r approval.Rule
	weight := 0
	for range 1 + rnd.IntN(3) {
		var m approval.Member
		if levels > 1 && rnd.IntN(2) == 0 {
			in := anyRule(rnd, n, levels-1, sequences)
			m.Rule = &in
		} else if len(people) > 0 {
			m.Person, people = people[0], people[1:]
		} else {
			continue
		}
		m.Weight, m.Veto = 1+rnd.IntN(3), rnd.IntN(4) == 0
		weight += m.Weight
		r.Of = append(r.Of, m)
	}
	if rnd.IntN(3) == 0 {
		r.Need = approval.AtLeast(1 + rnd.IntN(weight))
	} else {
		all := shares(5)
		r.Need, r.Base = all[rnd.IntN(len(all))], approval.Bases()[rnd.IntN(3)]
	}
	r.Sequence = sequences && rnd.IntN(2) == 0
	return r
}

// madeUp yields so many rules that were made up, with some people who may not vote.
func madeUp(seed uint64, count, n, levels int, sequences bool) iter.Seq[pollCase] {
	return func(yield func(pollCase) bool) {
		rnd := rand.New(rand.NewPCG(seed, 4))
		for range count {
			c := pollCase{rule: anyRule(rnd, n, levels, sequences)}
			if rnd.IntN(3) == 0 {
				c.out = names(n)[:1+rnd.IntN(2)]
			}
			if !yield(c) {
				return
			}
		}
	}
}
