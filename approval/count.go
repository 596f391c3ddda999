package approval

import (
	"slices"
	"time"
)

// Why counting is exact.
//
// A vote and what becomes of a rule are one of three values, in this order: no,
// abstains, yes. Whatever a policy says, raising one vote in that order never
// lowers the outcome: not where shares are of the votes cast, not with vetoes, and
// not where one person stands in several rules, because their vote is raised in
// all of them at once (a test tries all of them). So among all the ways in which
// the silent may yet vote, all of them voting no gives the least outcome and all of
// them voting yes the greatest. If these two agree, so do all the others, and if
// they do not, two ways are known that differ. Two counts, not 3ⁿ, tell whether a
// further ballot can change anything.
//
// Turns do not spoil that. While a rule is undecided, some undecided member of it
// has its turn, and so some silent person: every way to vote can be reached.

// A value is what a vote, or a rule, comes to.
type value int8

const (
	no value = iota
	abstains
	yes
)

// values of votes.
func (v Vote) value() value {
	switch v {
	case Approve:
		return yes
	case Abstain:
		return abstains
	case Reject, Withdraw:
	}
	return no
}

// A seat is the vote of one person, who stands in one or more rules.
type seat struct {
	person string
	// duty is why they may not vote themselves; vacant says that nobody may.
	duty   string
	vacant bool
	stands []stand
	// voted says that vote counts, ballot by which ballot; -1 is none.
	voted  bool
	vote   value
	ballot int
	// turn says that they are asked; live that they are in a rule that their
	// vote may decide.
	turn, live bool
	// placed says that a rule has the seat, and another may.
	placed bool
}

// silent reports whether somebody may still vote here and has not.
func (s *seat) silent() bool { return !s.voted && !s.vacant }

// A stand is somebody who may vote in another's place, from when.
type stand struct {
	person string
	from   time.Time
}

// A node is a rule, ready to be counted.
type node struct {
	*Rule
	up      *node
	member  int // of up
	need    threshold
	members []member
}

// path returns where in an electorate the rule is.
func (n *node) path() path {
	if n.up == nil {
		return path{&path{nil, "policy", -1}, "rule", -1}
	}
	up := n.up.path()
	of := up.item("of", n.member)
	return of.field("rule")
}

// A member is a seat or a rule that has a weight in another.
type member struct {
	seat   *seat
	node   *node
	weight int64
	veto   bool
	// of is the index of the Member that it comes from. Those of one are asked
	// together.
	of int
}

// An assembly is an electorate, ready to be counted, and the votes.
type assembly struct {
	*Electorate
	root  *node
	seats []*seat
	by    map[string]*seat
	room  []seat
	// sequence says that a rule is in sequence.
	sequence bool
}

// newAssembly makes the seats of an electorate that was checked.
func newAssembly(e *Electorate) *assembly {
	places := e.places()
	t := &assembly{Electorate: e, by: make(map[string]*seat, places), room: make([]seat, 0, places)}
	t.seats = make([]*seat, 0, places)
	t.root = t.node(&e.Policy.Rule, nil, 0)
	return t
}

func (t *assembly) node(r *Rule, up *node, at int) *node {
	n := &node{Rule: r, up: up, member: at, members: make([]member, 0, len(r.Of))}
	n.need, _ = r.Need.parse()
	t.sequence = t.sequence || r.Sequence
	for i := range r.Of {
		m := &r.Of[i]
		one := member{weight: m.weight(), veto: m.Veto, of: i}
		kind, name := m.who()
		switch {
		case m.Rule != nil:
			one.node = t.node(m.Rule, n, i)
			n.members = append(n.members, one)
		case kind == Role || kind == Computed:
			people := t.answer(kind, name).People
			for _, person := range people {
				t.place(n, one, person, m)
			}
			if len(people) == 0 {
				one.seat = t.seat("", "") // which is missed
				one.seat.vacant = true
				n.members = append(n.members, one)
			}
		default:
			t.place(n, one, name, m)
		}
	}
	return n
}

// place gives a person a place in a rule.
func (t *assembly) place(n *node, one member, person string, m *Member) {
	one.seat = t.by[person]
	if one.seat == nil {
		one.seat = t.seat(person, t.duty(person))
		t.by[person] = one.seat
		t.seats = append(t.seats, one.seat)
	}
	t.substitutes(one.seat, m)
	n.add(one)
}

// seat makes a seat for a person who may not vote if they have a duty.
func (t *assembly) seat(person, duty string) *seat {
	t.room = append(t.room, seat{person: person, duty: duty, vacant: duty != "", ballot: -1})
	return &t.room[len(t.room)-1] // there is room for all: they do not move
}

// add gives a seat to the rule. A person counts once in it.
func (n *node) add(one member) {
	if one.seat.placed {
		for i := range n.members {
			if have := &n.members[i]; have.seat == one.seat {
				have.weight, have.veto = max(have.weight, one.weight), have.veto || one.veto
				return
			}
		}
	}
	one.seat.placed = true
	n.members = append(n.members, one)
}

// substitutes notes who may vote in a seat's place. It is not vacant if there is
// one.
func (t *assembly) substitutes(s *seat, m *Member) {
	for i := range m.Substitutes {
		sub := &m.Substitutes[i]
		from := t.Opened
		if s.duty == "" {
			from = from.Add(sub.After)
		}
		kind, name := sub.who()
		people := []string{name}
		if a := t.answer(kind, name); a != nil {
			people = a.People
		}
		for _, person := range people {
			if person != s.person && t.duty(person) == "" {
				s.stands = append(s.stands, stand{person, from})
				s.vacant = false
			}
		}
	}
}

// voters returns who may cast the vote of a seat at a moment, or ever: whose it is,
// those they have passed it on to, substitutes.
func (t *assembly) voters(s *seat, at time.Time, ever bool) []string {
	var voters []string
	if s.duty == "" {
		voters = append(voters, s.person)
		for i := 0; i < len(voters); i++ {
			for j := range t.Delegations {
				d := &t.Delegations[j]
				if d.Of == voters[i] && (ever || d.active(at)) && t.duty(d.To) == "" && !slices.Contains(voters, d.To) {
					voters = append(voters, d.To)
				}
			}
		}
	}
	for _, stand := range s.stands {
		if (ever || !at.Before(stand.from)) && !slices.Contains(voters, stand.person) {
			voters = append(voters, stand.person)
		}
	}
	return voters
}

// A sum is what the members of a rule weigh.
type sum struct {
	yes, no, abstained, vacant int64
	vetoed                     bool
}

// sum adds up the members if the silent are taken to vote in one way.
func (n *node) sum(silent value) sum {
	var all sum
	for i := range n.members {
		m := &n.members[i]
		v, ok := m.value(silent)
		switch {
		case !ok:
			all.vacant += m.weight
		case v == yes:
			all.yes += m.weight
		case v == abstains:
			all.abstained += m.weight
		default:
			all.no += m.weight
			all.vetoed = all.vetoed || m.veto
		}
	}
	return all
}

// value returns what a member comes to; not ok if nobody can vote there.
func (m *member) value(silent value) (v value, ok bool) {
	switch {
	case m.node != nil:
		return m.node.value(silent), true
	case m.seat.voted:
		return m.seat.vote, true
	}
	return silent, !m.seat.vacant
}

// base returns what a share is of.
func (n *node) base(s sum) int64 {
	base := s.yes + s.no
	if n.Base != Cast {
		base += s.abstained
	}
	if n.Base == Everyone {
		base += s.vacant
	}
	return base
}

// value returns what the rule comes to if the silent are taken to vote in one way.
func (n *node) value(silent value) value {
	s := n.sum(silent)
	base := n.base(s)
	switch {
	case s.vetoed:
		return no
	case base == 0 && n.need.weight == 0:
		// All there are abstained; if there is nobody, nobody approves.
		if s.abstained > 0 {
			return abstains
		}
		return no
	case s.yes >= n.need.least(base):
		return yes
	}
	return no
}

// decided reports whether no further vote can change what the member comes to.
func (m *member) decided() bool {
	if m.node == nil {
		return !m.seat.silent()
	}
	return m.node.decided()
}

func (n *node) decided() bool { return n.value(no) == n.value(yes) }

// outcome returns what the rule comes to. Turn says that it is asked.
func (n *node) outcome(turn bool) Outcome {
	if v := n.value(no); v == n.value(yes) {
		return v.outcome()
	}
	return open(turn)
}

// outcome returns what is decided.
func (v value) outcome() Outcome {
	switch v {
	case yes:
		return Approved
	case abstains:
		return Abstained
	case no:
	}
	return Rejected
}

// open is what is not decided.
func open(turn bool) Outcome {
	if turn {
		return Open
	}
	return Waiting
}

// outcome returns what the votes come to. It is decided as soon as no further vote
// can change it, and not before.
func (t *assembly) outcome() Outcome {
	switch {
	case t.root.value(no) == yes:
		return Approved
	case t.root.value(yes) != yes:
		return Rejected
	}
	return Open
}

// ask finds out who has their turn, and whose vote may decide.
func (t *assembly) ask() {
	for _, s := range t.seats {
		s.turn, s.live = false, false
	}
	t.root.ask(true)
}

func (n *node) ask(live bool) {
	live = live && !n.decided()
	last, wait := 0, false
	for i := range n.members {
		m := &n.members[i]
		if n.Sequence && m.of != last {
			if wait {
				return
			}
			last = m.of
		}
		if m.node != nil {
			m.node.ask(live)
		} else {
			m.seat.turn = true
			m.seat.live = m.seat.live || live
		}
		wait = wait || n.Sequence && !m.decided()
	}
}

// satisfiable finds why a rule cannot be approved whoever votes: in the rules in it
// if they are to blame, else here.
func (n *node) satisfiable(f *findings) {
	if n.value(yes) == yes {
		return
	}
	found := len(*f)
	for i := range n.members {
		if m := &n.members[i]; m.node != nil {
			m.node.satisfiable(f)
		}
	}
	if len(*f) > found {
		return
	}
	s := n.sum(yes)
	at := n.path()
	f.add(at, "cannot be approved by anybody: %s", n.vacancy(s))
}

// vacancy says who is missing.
func (n *node) vacancy(s sum) string {
	text := "at most " + weigh(s.yes, n.need.least(n.base(s)))
	var missing []string
	for i := range n.members {
		m := &n.members[i]
		if m.seat == nil || !m.seat.vacant {
			continue
		}
		if m.seat.person == "" {
			missing = append(missing, spell(n.Of[m.of].who())+" is nobody")
		} else {
			missing = append(missing, m.seat.person+" is excluded as "+m.seat.duty)
		}
	}
	if len(missing) > 0 {
		text += "; " + and(missing)
	}
	return text
}

// distinct finds people who may come to vote for others, and have a vote of their
// own or may vote for two.
func (t *assembly) distinct(f *findings) {
	at := path{&path{nil, "policy", -1}, "distinct", -1}
	first := map[string]string{}
	for _, s := range t.seats {
		for _, person := range t.voters(s, time.Time{}, true) {
			if person == s.person {
				continue
			}
			if t.by[person] != nil {
				f.add(at, "must not let %s vote for %s as well as for themselves", person, s.person)
			}
			if other, ok := first[person]; ok {
				f.add(at, "must not let %s vote for both %s and %s", person, other, s.person)
			} else {
				first[person] = s.person
			}
		}
	}
}
