package approval

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/go-itsm/itsm/internal/short"
)

// A Need says how much of a rule's weight has to be in favour. All the usual
// ways to decide are this one idea:
//
//	"all"             everything; this is what an empty need means
//	"any"             at least one member, whatever its weight
//	"at least 3"      so much weight, which is so many members where none has a weight
//	"at least 2/3"    an exact share, compared in whole numbers: nothing is rounded
//	"more than 1/2"   more than that share
//
// What a share is of, the rule's [Base] says.
type Need string

const (
	// All needs everything.
	All Need = "all"
	// Any needs one member.
	Any Need = "any"
	// Majority needs more than half.
	Majority Need = "more than 1/2"
)

// AtLeast needs so much weight.
func AtLeast(weight int) Need { return Need(fmt.Sprintf("at least %d", weight)) }

// Share needs p of q parts or more: Share(2, 3) is two thirds.
func Share(p, q int) Need { return Need(fmt.Sprintf("at least %d/%d", p, q)) }

// MoreThan needs more than p of q parts: MoreThan(1, 2) is [Majority].
func MoreThan(p, q int) Need { return Need(fmt.Sprintf("more than %d/%d", p, q)) }

// maxNeed bounds the numbers of a need, so that their products with weights fit.
const maxNeed = 1_000_000

// A threshold is a need in numbers: weight, or p of q parts.
type threshold struct {
	weight int64 // 0 if it is a share
	p, q   int64
	more   bool // than p of q
}

// parse reads a need. The reason says what is wrong with it, if anything.
func (n Need) parse() (t threshold, reason string) {
	if n == "" || n == All {
		return threshold{p: 1, q: 1}, ""
	}
	if n == Any {
		return threshold{weight: 1}, ""
	}
	text, least := strings.CutPrefix(string(n), "at least ")
	if !least {
		text, t.more = strings.CutPrefix(string(n), "more than ")
	}
	first, second, share := strings.Cut(text, "/")
	p, ok := whole(first)
	q := int64(1)
	if share && ok {
		q, ok = whole(second)
	}
	switch {
	case !least && !t.more, !ok, t.more && !share:
		return t, fmt.Sprintf(`must be "all", "any", "at least 2", "at least 2/3" or "more than 1/2", is %q`, short.Text(n))
	case p > maxNeed || q > maxNeed:
		return t, fmt.Sprintf("must have numbers of at most %d", maxNeed)
	case least && p == 0:
		return t, "must not be reached by nothing"
	case !share:
		return threshold{weight: p}, ""
	case q == 0, p > q, t.more && p == q:
		return t, "must be a share that can be reached"
	}
	t.p, t.q = p, q
	return t, ""
}

// whole reads a whole number from 0, written in one way.
func whole(text string) (int64, bool) {
	n, err := strconv.ParseUint(text, 10, 32)
	return int64(n), err == nil && (text[0] != '0' || text == "0")
}

// least returns the weight in favour that a base needs.
func (t threshold) least(base int64) int64 {
	switch {
	case t.weight > 0:
		return t.weight
	case t.more:
		return t.p*base/t.q + 1
	}
	return max((t.p*base+t.q-1)/t.q, 1) // an empty base approves nothing
}

// A Base says what a share is of. Each leaves out more than the one before.
type Base string

const (
	// Everyone is the default: all members of the rule, whether they may vote
	// and do or not. What is not in favour counts as if it were against, so
	// that an abstention never helps, and whom separation of duties keeps from
	// voting is missed.
	Everyone Base = ""
	// Entitled leaves out those who may not vote and whom nobody may stand in
	// for: the author who sits on the board.
	Entitled Base = "entitled"
	// Cast leaves out those who abstained as well: a share of the votes for and
	// against. A rule all of whose voters abstain abstains itself.
	Cast Base = "cast"
)

// Bases lists them.
func Bases() []Base { return []Base{Everyone, Entitled, Cast} }

// A Vote is what a ballot says.
type Vote string

const (
	// Approve is in favour.
	Approve Vote = "approve"
	// Reject is against.
	Reject Vote = "reject"
	// Abstain is neither. What it counts as, the rule's [Base] says; it is never
	// in favour and never a veto.
	Abstain Vote = "abstain"
	// Withdraw takes the ballot back, as if it had not been cast.
	Withdraw Vote = "withdraw"
)

// Votes lists them.
func Votes() []Vote { return []Vote{Approve, Reject, Abstain, Withdraw} }
