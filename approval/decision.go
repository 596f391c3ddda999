package approval

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// An Outcome is what the votes come to: of the whole, of a rule, of a person.
type Outcome string

const (
	// Open may still become one or the other.
	Open Outcome = "open"
	// Approved is in favour.
	Approved Outcome = "approved"
	// Rejected is not, and no vote could still change that.
	Rejected Outcome = "rejected"
	// Expired was still open at the deadline. Only the whole is.
	Expired Outcome = "expired"

	// Abstained is a person who did, or a rule all of whose voters did. Of the
	// whole it means that it is [Rejected].
	Abstained Outcome = "abstained"
	// Waiting is not asked yet: its turn comes when others are decided.
	Waiting Outcome = "waiting"
	// Vacant is a vote that nobody may cast.
	Vacant Outcome = "vacant"
)

// Outcomes lists them; the whole has one of the first four.
func Outcomes() []Outcome {
	return []Outcome{Open, Approved, Rejected, Expired, Abstained, Waiting, Vacant}
}

// A Decision is how an approval stands at a moment.
type Decision struct {
	// Outcome is one of Open, Approved, Rejected and Expired.
	Outcome Outcome `json:"outcome"`
	// Final says that no ballot counts any more.
	Final bool `json:"final"`
	// At is since when the outcome is what it is; zero while it is open.
	At time.Time `json:"at,omitzero"`
	// Index is that of the ballot that decided, or -1 if none did.
	Index int `json:"index"`
	// Next is when things will change without a ballot, which a host makes a
	// due action: the deadline, or the first moment at which somebody more may
	// vote in the place of one who is asked. Zero means never.
	Next time.Time `json:"next,omitzero"`
	// Needed is who is still needed while it is open.
	Needed Needed `json:"needed,omitzero"`
	// Why is the policy with what each part of it comes to.
	Why Reason `json:"why"`
	// Uncounted has every ballot that does not count, in the order of their
	// times. Those that come after the decision are here.
	Uncounted []Uncounted `json:"uncounted,omitempty"`
}

// Needed is who is still needed.
type Needed struct {
	// May lists those who are asked, have not voted and stand in a rule that is
	// not decided. It is empty once the whole is: nobody keeps a task that is
	// void.
	May []Turn `json:"may,omitempty"`
	// Must lists those, asked or not yet, without whose vote it cannot be
	// approved any more: each of them alone can still reject it.
	Must []string `json:"must,omitempty"`
	// Enough lists people whose approval would be enough, whatever the others
	// do, and of whom none could be spared. There may be other such groups.
	Enough []string `json:"enough,omitempty"`
}

// A Turn is a vote that somebody is asked for.
type Turn struct {
	// Person is whose vote it is.
	Person string `json:"person"`
	// By lists who may cast it now: the person, delegates, substitutes.
	By []string `json:"by"`
}

// An Uncounted ballot does not count.
type Uncounted struct {
	// Index is where it is among the ballots.
	Index  int    `json:"index"`
	Ballot Ballot `json:"ballot"`
	// Code and Reason say why it does not.
	Code   Code   `json:"code"`
	Reason string `json:"reason"`
}

// A Reason is a part of a policy with what it comes to.
type Reason struct {
	// Path is the JSON path of the rule, or of the member that brings the
	// person in: "rule.of[1]".
	Path string `json:"path"`
	// Name is the person, or the rule's name, or what role has nobody.
	Name    string  `json:"name,omitempty"`
	Outcome Outcome `json:"outcome"`
	// Weight and Veto are what it has in the rule that it is a member of.
	Weight int64 `json:"weight"`
	Veto   bool  `json:"veto,omitempty"`
	// Ballot is the one that counts for a person.
	Ballot *Ballot `json:"ballot,omitempty"`
	// Duty is why a person may not vote.
	Duty string `json:"duty,omitempty"`
	// Tally is how the members of a rule voted, and Of is who they are.
	Tally *Tally   `json:"tally,omitempty"`
	Of    []Reason `json:"of,omitempty"`
}

// A Tally is what the members of a rule weigh, by what they come to.
type Tally struct {
	Need     Need `json:"need"`
	Base     Base `json:"base,omitempty"`
	Sequence bool `json:"sequence,omitempty"`
	// Needed is the least weight in favour that is enough, if all who may still
	// vote vote for or against.
	Needed    int64 `json:"needed"`
	InFavour  int64 `json:"in_favour"`
	Against   int64 `json:"against,omitempty"`
	Abstained int64 `json:"abstained,omitempty"`
	Open      int64 `json:"open,omitempty"`
	Vacant    int64 `json:"vacant,omitempty"`
	// Vetoed says that a member with a veto rejected.
	Vetoed bool `json:"vetoed,omitempty"`
}

// decision says how things stand.
func (c *count) decision(now time.Time) Decision {
	d := Decision{
		Outcome: c.outcome, At: c.at, Index: c.ballot, Uncounted: c.uncounted,
		Final: c.closed || c.outcome != Open && !c.Policy.Recount,
	}
	at := path{name: "rule"}
	d.Why = c.reason(c.root, &at, true)
	d.Why.Outcome, d.Why.Weight = c.outcome, 1 // where only yes or no is asked
	if !d.Final {
		d.Next = c.Deadline
	}
	if d.Outcome != Open {
		return d
	}
	c.ask()
	for _, s := range c.seats {
		if s.turn && s.live && s.silent() {
			d.Needed.May = append(d.Needed.May, Turn{s.person, c.voters(s, now, false)})
			c.next(s, now, &d.Next)
		}
	}
	d.Needed.Must, d.Needed.Enough = c.must(), c.enough()
	return d
}

// next brings a time forward to when somebody more may vote for a person.
func (c *count) next(s *seat, now time.Time, next *time.Time) {
	sooner := func(at time.Time) {
		if at.After(now) && (next.IsZero() || at.Before(*next)) {
			*next = at
		}
	}
	for _, stand := range s.stands {
		sooner(stand.from)
	}
	if s.duty != "" {
		return
	}
	for i := range c.Delegations {
		if d := &c.Delegations[i]; d.Of == s.person {
			sooner(d.From)
		}
	}
}

// must returns whose refusal would reject it, whatever the others do.
func (c *count) must() []string {
	var must []string
	for _, s := range c.seats {
		if !s.silent() {
			continue
		}
		s.voted, s.vote = true, no
		if c.root.value(yes) != yes {
			must = append(must, s.person)
		}
		s.voted = false
	}
	return must
}

// enough returns whose approval is enough, leaving out from the last to the first
// whoever can be spared.
func (c *count) enough() []string {
	var enough []string
	var silent []*seat
	for _, s := range c.seats {
		if s.silent() {
			silent = append(silent, s)
			s.voted, s.vote = true, yes
		}
	}
	for _, s := range slices.Backward(silent) {
		s.vote = no
		if c.root.value(no) != yes {
			s.vote = yes
		}
	}
	for _, s := range silent {
		if s.voted = false; s.vote == yes {
			enough = append(enough, s.person)
		}
	}
	return enough
}

// reason explains a rule. Turn says that it is asked.
func (c *count) reason(n *node, at *path, turn bool) Reason {
	s := Tally{Need: n.Need, Base: n.Base, Sequence: n.Sequence}
	if s.Need == "" {
		s.Need = All
	}
	r := Reason{Path: at.String(), Name: n.Name, Tally: &s, Of: make([]Reason, 0, len(n.members))}
	r.Outcome = n.outcome(turn)
	last, wait := 0, false
	for i := range n.members {
		m := &n.members[i]
		if n.Sequence && m.of != last {
			last, turn = m.of, turn && !wait
		}
		wait = wait || !m.decided()
		of := at.item("of", m.of)
		var one Reason
		if m.node != nil {
			of := of.field("rule")
			one = c.reason(m.node, &of, turn)
		} else {
			one = c.person(m.seat, turn)
			one.Path = of.String()
			if m.seat.person == "" {
				one.Name = spell(n.Of[m.of].who())
			}
		}
		one.Weight, one.Veto = m.weight, m.veto
		r.Of = append(r.Of, one)
		switch one.Outcome {
		case Approved:
			s.InFavour += m.weight
		case Rejected:
			s.Against += m.weight
			s.Vetoed = s.Vetoed || m.veto
		case Abstained:
			s.Abstained += m.weight
		case Vacant:
			s.Vacant += m.weight
		case Open, Waiting, Expired:
			s.Open += m.weight
		}
	}
	s.Needed = n.need.least(n.base(sum{yes: s.InFavour, no: s.Against + s.Open, abstained: s.Abstained, vacant: s.Vacant}))
	return r
}

// person explains a vote. Turn says that it is asked for.
func (c *count) person(s *seat, turn bool) Reason {
	r := Reason{Name: s.person, Duty: s.duty, Outcome: Vacant}
	switch {
	case s.voted:
		r.Outcome = s.vote.outcome()
		if s.ballot >= 0 {
			b := c.ballots[s.ballot]
			r.Ballot = &b
		}
	case !s.vacant:
		r.Outcome = open(turn)
	}
	return r
}

// String explains the decision, as lines.
func (d Decision) String() string {
	var b strings.Builder
	b.WriteString(string(d.Outcome))
	if !d.At.IsZero() {
		b.WriteString(" at " + stamp(d.At))
	}
	if d.Outcome != Open && !d.Final {
		b.WriteString(", votes may still change")
	}
	b.WriteString("\n")
	d.Why.write(&b, 1)
	if may := d.Needed.May; len(may) > 0 {
		b.WriteString("asked now: ")
		for i, turn := range may {
			if i > 0 {
				b.WriteString(", ")
			}
			b.WriteString(turn.Person)
			others := slices.DeleteFunc(slices.Clone(turn.By), func(by string) bool { return by == turn.Person })
			if len(others) > 0 {
				b.WriteString(" (or " + strings.Join(others, " or ") + ")")
			}
		}
		b.WriteString("\n")
	}
	if len(d.Needed.Must) > 0 {
		b.WriteString("not without: " + and(d.Needed.Must) + "\n")
	}
	if len(d.Needed.Enough) > 0 {
		b.WriteString("enough: " + and(d.Needed.Enough) + "\n")
	}
	if !d.Next.IsZero() {
		b.WriteString("next: " + stamp(d.Next) + "\n")
	}
	for _, u := range d.Uncounted {
		fmt.Fprintf(&b, "not counted: %s, %s\n", u.Ballot, u.Reason)
	}
	return b.String()
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }

// String explains the part and the parts of it, a line each.
func (r Reason) String() string {
	var b strings.Builder
	r.write(&b, 0)
	return b.String()
}

func (r *Reason) write(b *strings.Builder, depth int) {
	b.WriteString(strings.Repeat("  ", depth) + r.line())
	if r.Weight > 1 {
		b.WriteString(" ×" + strconv.FormatInt(r.Weight, 10))
	}
	if r.Veto {
		b.WriteString(", has a veto")
	}
	b.WriteString("\n")
	for i := range r.Of {
		r.Of[i].write(b, depth+1)
	}
}

// line explains the part without its parts.
func (r *Reason) line() string {
	if r.Tally != nil {
		return r.label() + ": " + string(r.Outcome) + ", " + r.Tally.String()
	}
	text := r.Name + ": " + string(r.Outcome)
	switch {
	case r.Outcome == Open:
		return r.Name + ": has not voted"
	case r.Outcome == Waiting:
		return r.Name + ": not asked"
	case r.Outcome == Vacant && r.Duty != "":
		return text + ", excluded as " + r.Duty
	case r.Outcome == Vacant:
		return text + ", nobody is"
	case r.Ballot == nil:
		return text + " by silence"
	}
	if r.Ballot.By != r.Name {
		text += " by " + r.Ballot.By
	}
	return text + r.Ballot.when()
}

// label names the part: a rule by how it decides.
func (r *Reason) label() string {
	if r.Tally == nil {
		return r.Name
	}
	how := (&Rule{Need: r.Tally.Need, Base: r.Tally.Base, Sequence: r.Tally.Sequence}).how()
	if r.Name != "" {
		return r.Name + " (" + how + ")"
	}
	return how
}

// String says how the members voted: "1 of 2 needed, 1 against".
func (t Tally) String() string {
	text := weigh(t.InFavour, t.Needed)
	for _, part := range []struct {
		n    int64
		what string
	}{{t.Against, "against"}, {t.Abstained, "abstained"}, {t.Open, "open"}, {t.Vacant, "vacant"}} {
		if part.n > 0 {
			text += fmt.Sprintf(", %d %s", part.n, part.what)
		}
	}
	if t.Vetoed {
		text += ", vetoed"
	}
	return text
}

// weigh compares what is in favour with what is needed.
func weigh(have, need int64) string { return fmt.Sprintf("%d in favour of %d needed", have, need) }
