package approval

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-itsm/itsm/internal/short"
)

// A Policy is how something is approved, as a value: it can be written down,
// stored, compared and shown. It names people, and roles and duties that the host
// knows; [Resolve] makes an [Electorate] of it, in which everybody has a name.
//
//	{
//	  "name": "normal change",
//	  "rule": {"sequence": true, "of": [
//	    {"computed": "line manager"},
//	    {"rule": {"name": "CAB", "need": "more than 1/2", "base": "entitled", "of": [
//	      {"role": "cab"},
//	      {"person": "ciso", "veto": true}
//	    ]}}
//	  ]},
//	  "exclude": ["author", "implementer"],
//	  "within": "48h"
//	}
type Policy struct {
	// Name is for people.
	Name string `json:"name,omitempty"`
	// Rule says who has to be in favour.
	Rule Rule `json:"rule"`
	// Exclude lists duties in what is to be approved, in the host's terms, such
	// as "author" and "implementer". Whoever has one of them votes neither for
	// themselves nor for others, and passes their vote to nobody.
	Exclude []string `json:"exclude,omitempty"`
	// Distinct keeps it so that there are as many people as there are votes:
	// nobody may be able to vote for another who has a vote of their own, or
	// for two.
	Distinct bool `json:"distinct,omitempty"`
	// Comment lists the votes that must say why.
	Comment []Vote `json:"comment,omitempty"`
	// Within is how long there is to decide. 0 means that there is no deadline,
	// unless the host sets one in the electorate. JSON: nanoseconds, or text
	// like "48h".
	Within time.Duration `json:"within,omitempty"`
	// Silence is what those count as at the deadline who have not voted: it may
	// be [Approve], [Reject] or [Abstain]. Empty means that nothing is decided
	// for them and the outcome is [Expired].
	Silence Vote `json:"silence,omitempty"`
	// Recount lets votes change after the decision, until the deadline or for
	// as long as the host asks: the outcome is always that of the latest vote
	// of each. Without it a decision is final, and what comes later is shown as
	// [Late].
	Recount bool `json:"recount,omitempty"`
}

// A Rule is so much of its members. There is no other kind of rule: one after the
// other, weights, veto and rules within rules are only more to say about the
// members.
//
// A rule is decided, one way or the other, as soon as no further vote can change
// it.
type Rule struct {
	// Name is for people: "CAB".
	Name string `json:"name,omitempty"`
	// Need is how much of it; empty means all.
	Need Need `json:"need,omitempty"`
	// Base is what a share is of.
	Base Base `json:"base,omitempty"`
	// Sequence asks the members one after the other: the turn of one comes when
	// those before it are decided, one way or the other. Without it they are
	// asked all at once. Ballots cast stay cast if an earlier member is open
	// again.
	Sequence bool `json:"sequence,omitempty"`
	// Of lists the members.
	Of []Member `json:"of"`
}

// A Member is part of a rule: a person, everybody who has a role or whom the host
// computes, or a rule. It is exactly one of these. Several people are several
// members, each with the weight and veto given here; they are asked together.
//
// A person has one vote, which counts wherever the policy has them: once in each
// rule, with the greatest weight that it gives them.
type Member struct {
	Person   string `json:"person,omitempty"`
	Role     string `json:"role,omitempty"`
	Computed string `json:"computed,omitempty"`
	Rule     *Rule  `json:"rule,omitempty"`
	// Weight is how much it counts; 0 means 1.
	Weight int `json:"weight,omitempty"`
	// Veto rejects the rule that it is a member of when it rejects, whatever the
	// others say. So the rule cannot be approved before it has spoken.
	Veto bool `json:"veto,omitempty"`
	// Substitutes may vote in the place of the people given here. A rule has
	// none of its own.
	Substitutes []Substitute `json:"substitutes,omitempty"`
}

// A Substitute stands in for a person because the policy says so; a [Delegation]
// is for a person to make. It is exactly one of a person, a role, or computed.
//
// One that stands in after a time is an escalation: [Decision.Next] says when to
// tell them.
type Substitute struct {
	Person   string `json:"person,omitempty"`
	Role     string `json:"role,omitempty"`
	Computed string `json:"computed,omitempty"`
	// After is how long after the opening they may vote. They may from the
	// beginning for one who is excluded. JSON: nanoseconds, or text like "24h".
	After time.Duration `json:"after,omitempty"`
}

// Persons returns a member for each person.
func Persons(names ...string) []Member {
	members := make([]Member, len(names))
	for i, name := range names {
		members[i].Person = name
	}
	return members
}

// Of returns a rule as a member of another.
func Of(need Need, members ...Member) Member {
	return Member{Rule: &Rule{Need: need, Of: members}}
}

const (
	// maxDepth is how deep rules may stand in rules.
	maxDepth = 16
	// maxMembers is the most members and substitutes of a policy, and the most
	// people of an electorate.
	maxMembers = 1000
	// maxDuties is the most duties that a policy excludes.
	maxDuties = 100
	// maxWeight bounds a weight so that sums fit.
	maxWeight = 1_000_000
)

// Validate returns an [ErrInvalid] with every finding if the policy is wrong in
// itself, which includes a rule that nobody can satisfy. What its roles come to,
// [Resolve] says.
func (p Policy) Validate() error {
	c := checker{room: maxMembers, within: p.Within}
	c.policy(&p, &path{})
	return c.err()
}

// A checker finds what is wrong with a policy.
type checker struct {
	findings
	// room is for how many more members and substitutes there is room. It keeps
	// a rule that contains itself from going on for ever.
	room   int
	within time.Duration
}

func (c *checker) policy(p *Policy, at *path) {
	c.text(p.Name, at.field("name"), maxName)
	rule := at.field("rule")
	c.rule(&p.Rule, &rule, 1)
	if c.room < 0 {
		c.add(rule, "must have at most %d members and substitutes in all", maxMembers)
	}
	if n := len(p.Exclude); n > maxDuties {
		c.add(at.field("exclude"), "must be at most %d, are %d", maxDuties, n)
	} else {
		c.names(p.Exclude, at, "exclude")
	}
	for i, v := range p.Comment {
		if i == len(Votes()) {
			c.add(at.field("comment"), "must be at most %d, are %d", i, len(p.Comment))
			break
		}
		if !slices.Contains(Votes(), v) {
			c.add(at.item("comment", i), "must be approve, reject, abstain or withdraw, is %q", short.Text(v))
		}
		if slices.Contains(p.Comment[:i], v) {
			c.add(at.item("comment", i), "is there twice: %q", short.Text(v))
		}
	}
	c.check(p.Within >= 0, at.field("within"), "must not be negative")
	if !slices.Contains([]Vote{"", Approve, Reject, Abstain}, p.Silence) {
		c.add(at.field("silence"), "must be approve, reject, abstain or empty, is %q", short.Text(p.Silence))
	}
}

func (c *checker) rule(r *Rule, at *path, depth int) {
	c.text(r.Name, at.field("name"), maxName)
	t, reason := r.Need.parse()
	c.check(reason == "", at.field("need"), reason)
	if !slices.Contains(Bases(), r.Base) {
		c.add(at.field("base"), "must be entitled, cast or empty, is %q", short.Text(r.Base))
	} else {
		c.check(r.Base == Everyone || t.weight == 0, at.field("base"), "must be empty where the need is no share")
	}
	c.check(len(r.Of) > 0, at.field("of"), "must not be empty: nobody approves nothing")
	if c.room -= len(r.Of); c.room < 0 {
		return
	}
	weight, open := int64(0), false
	for i := range r.Of {
		m, at := &r.Of[i], at.item("of", i)
		kind, name := m.who()
		if kind != "" && slices.ContainsFunc(r.Of[:i], func(other Member) bool {
			k, n := other.who()
			return k == kind && n == name
		}) {
			c.add(at.field(string(kind)), "is there twice: %q", name)
		}
		c.member(m, &at, depth)
		weight += m.weight()
		open = open || kind == Role || kind == Computed
	}
	if len(r.Of) > 0 && !open && t.weight > weight {
		c.add(at.field("need"), "must be at most %d, which is what all members weigh, is %d", weight, t.weight)
	}
}

func (c *checker) member(m *Member, at *path, depth int) {
	c.who(at, "person, role, computed or rule", m.Rule != nil, m.Person, m.Role, m.Computed)
	if m.Weight < 0 || m.Weight > maxWeight {
		c.add(at.field("weight"), "must be from 0 to %d, is %d", maxWeight, m.Weight)
	}
	if m.Rule != nil {
		c.check(len(m.Substitutes) == 0, at.field("substitutes"), "must be empty: they stand in for people, not for a rule")
	}
	if c.room -= len(m.Substitutes); c.room < 0 {
		return
	}
	for i := range m.Substitutes {
		s, at := &m.Substitutes[i], at.item("substitutes", i)
		c.who(&at, "person, role or computed", false, s.Person, s.Role, s.Computed)
		c.check(s.Person == "" || s.Person != m.Person, at.field("person"), "must be another than the member")
		c.check(s.After >= 0, at.field("after"), "must not be negative")
		c.check(c.within <= 0 || s.After < c.within, at.field("after"), "must be before the deadline")
	}
	if m.Rule == nil {
		return
	}
	rule := at.field("rule")
	if depth == maxDepth {
		c.add(rule, "must be at most %d deep", maxDepth)
		return
	}
	c.rule(m.Rule, &rule, depth+1)
}

// who checks that exactly one of the ways to say who is used.
func (c *checker) who(at *path, ways string, rule bool, person, role, computed string) {
	n := 0
	if rule {
		n++
	}
	for _, way := range []struct{ name, field string }{{person, "person"}, {role, "role"}, {computed, "computed"}} {
		if way.name != "" {
			n++
			c.text(way.name, at.field(way.field), maxName)
		}
	}
	if n != 1 {
		c.add(*at, "must have exactly one of %s, has %d", ways, n)
	}
}

// weight returns what the member counts.
func (m *Member) weight() int64 { return max(int64(m.Weight), 1) }

// size counts the members of the rule and of the rules in it.
func (r *Rule) size() int {
	n := len(r.Of)
	for i := range r.Of {
		if r.Of[i].Rule != nil {
			n += r.Of[i].Rule.size()
		}
	}
	return n
}

// who returns how the people of a member are found: as whom, and by which name.
// The kind is "person" for one who is named and empty for a rule.
func (m *Member) who() (Kind, string) { return who(m.Person, m.Role, m.Computed) }

func (s *Substitute) who() (Kind, string) { return who(s.Person, s.Role, s.Computed) }

func who(person, role, computed string) (Kind, string) {
	switch {
	case person != "":
		return "person", person
	case role != "":
		return Role, role
	case computed != "":
		return Computed, computed
	}
	return "", ""
}

// String returns the policy as a sentence.
func (p Policy) String() string {
	var b strings.Builder
	if p.Name != "" {
		b.WriteString(p.Name + ": ")
	}
	room := maxMembers
	p.Rule.write(&b, &room)
	if len(p.Exclude) > 0 {
		b.WriteString("; not by the " + strings.Join(p.Exclude, " or the "))
	}
	if p.Distinct {
		b.WriteString("; each vote by another person")
	}
	if len(p.Comment) > 0 {
		b.WriteString("; with a comment to " + strings.Join(texts(p.Comment), " or "))
	}
	if p.Within > 0 {
		b.WriteString("; within " + p.Within.String())
	}
	if p.Silence != "" {
		fmt.Fprintf(&b, "; silence counts as %s", p.Silence)
	}
	if p.Recount {
		b.WriteString("; votes may change after the decision")
	}
	return b.String()
}

func texts(votes []Vote) []string {
	all := make([]string, len(votes))
	for i, v := range votes {
		all[i] = string(v)
	}
	return all
}

// String returns the rule as part of a sentence: "more than 1/2 of (ann, bob)".
func (r Rule) String() string {
	var b strings.Builder
	room := maxMembers
	r.write(&b, &room)
	return b.String()
}

func (r *Rule) write(b *strings.Builder, room *int) {
	if r.Name != "" {
		b.WriteString(r.Name + ": ")
	}
	b.WriteString(r.how() + " of (")
	for i := range r.Of {
		if *room--; *room < 0 {
			b.WriteString("…")
			break
		}
		if i > 0 {
			b.WriteString(", ")
		}
		r.Of[i].write(b, room)
	}
	b.WriteString(")")
}

// how says how a rule decides, without its members.
func (r *Rule) how() string {
	how := string(r.Need)
	if how == "" {
		how = string(All)
	}
	if r.Base != Everyone {
		how += " " + string(r.Base)
	}
	if r.Sequence {
		how += " in sequence"
	}
	return how
}

func (m *Member) write(b *strings.Builder, room *int) {
	if m.Rule != nil {
		m.Rule.write(b, room)
	} else {
		b.WriteString(spell(m.who()))
	}
	if m.Weight > 1 {
		b.WriteString(" ×" + strconv.Itoa(m.Weight))
	}
	if m.Veto {
		b.WriteString(" with veto")
	}
	for i, s := range m.Substitutes {
		if i == 0 {
			b.WriteString(", or in their place ")
		} else {
			b.WriteString(" or ")
		}
		b.WriteString(spell(s.who()))
		if s.After > 0 {
			b.WriteString(" after " + s.After.String())
		}
	}
}

// spell names people as a policy does.
func spell(kind Kind, name string) string {
	if kind == Role {
		return "role " + name
	}
	return name
}
