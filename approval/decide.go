package approval

import (
	"slices"
	"time"
)

// Decide counts the ballots that were cast until now, and says what they come to,
// why, and who is still needed. It is pure: the same arguments give the same
// decision on any machine at any time, so that a stored electorate and its ballots
// are all the history an approval needs. Asked with an earlier time, it says how
// things stood then.
//
// Ballots count in the order of their times, and in the order given where those
// are equal. Each is looked at as things stood when it was cast: one that may not
// count is in [Decision.Uncounted], with the reason. While the vote is open, a later
// ballot of a person takes the place of the earlier one. As soon as no further
// ballot of those who have not voted can change the outcome it is decided, and never
// before; from then on it is final, unless the policy says [Policy.Recount].
//
// It returns an [ErrInvalid] with every finding if the electorate or a ballot is
// wrong in itself. An electorate that nobody can satisfy is rejected from the
// beginning. It takes time in proportion to the ballots times the places of people
// in rules.
func Decide(e Electorate, ballots []Ballot, now time.Time) (Decision, error) {
	t, err := poll(&e, ballots, now)
	if err != nil {
		return Decision{}, err
	}
	t.pass(now)
	return t.decision(now), nil
}

// Admit returns nil if a ballot would count after those given, an [ErrInvalid] with
// every finding if something is wrong in itself, or a [Refusal]. A host asks before
// it stores the ballot, or stores it anyway and lets [Decide] say that it did not
// count.
func Admit(e Electorate, ballots []Ballot, b Ballot) error {
	if err := b.Validate(); err != nil {
		return err
	}
	t, err := poll(&e, ballots, b.At)
	if err != nil {
		return err
	}
	t.pass(b.At)
	if r := t.refuse(&b); r != nil {
		return r
	}
	return nil
}

// A count is an assembly on its way through the ballots.
type count struct {
	*assembly
	ballots []Ballot
	// outcome is what they come to so far, at since when, ballot by which one.
	outcome Outcome
	at      time.Time
	ballot  int
	// closed says that the deadline has passed.
	closed    bool
	uncounted []Uncounted
}

// poll counts the ballots cast until a moment.
func poll(e *Electorate, ballots []Ballot, until time.Time) (*count, error) {
	if err := e.check(); err != nil {
		return nil, err
	}
	var f findings
	root := path{}
	for i := range ballots {
		at := root.item("ballots", i)
		ballots[i].validate(&f, &at)
	}
	if err := f.err(); err != nil {
		return nil, err
	}
	c := &count{assembly: newAssembly(e), ballots: ballots, outcome: Open, ballot: -1}
	c.ask()
	c.note(e.Opened, -1)
	for n, order := 0, inTime(ballots); n < len(ballots); n++ {
		i := n
		if order != nil {
			i = order[n]
		}
		b := &ballots[i]
		if b.At.After(until) {
			break
		}
		c.pass(b.At)
		if r := c.refuse(b); r != nil {
			c.uncounted = append(c.uncounted, Uncounted{Index: i, Ballot: *b, Code: r.Code, Reason: r.Reason})
			continue
		}
		s := c.by[b.seat()]
		s.voted, s.vote, s.ballot = b.Vote != Withdraw, b.Vote.value(), i
		c.note(b.At, i)
		if c.sequence {
			c.ask()
		}
	}
	return c, nil
}

// inTime returns the order of ballots by time, or nil if it is that in which they
// are.
func inTime(ballots []Ballot) []int {
	byTime := func(a, b Ballot) int { return a.At.Compare(b.At) }
	if slices.IsSortedFunc(ballots, byTime) {
		return nil
	}
	order := make([]int, len(ballots))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int { return byTime(ballots[i], ballots[j]) })
	return order
}

// note keeps what the votes come to now.
func (c *count) note(at time.Time, ballot int) {
	switch o := c.assembly.outcome(); o {
	case c.outcome:
	case Open:
		c.outcome, c.at, c.ballot = Open, time.Time{}, -1
	default:
		c.outcome, c.at, c.ballot = o, at, ballot
	}
}

// pass lets time pass. At the deadline what is open is decided by silence, or
// expires.
func (c *count) pass(now time.Time) {
	if c.closed || c.Deadline.IsZero() || now.Before(c.Deadline) {
		return
	}
	c.closed = true
	if c.outcome != Open {
		return
	}
	c.at, c.ballot, c.outcome = c.Deadline, -1, Expired
	if c.Policy.Silence == "" {
		return
	}
	for _, s := range c.seats {
		if s.silent() {
			s.voted, s.vote, s.ballot = true, c.Policy.Silence.value(), -1
		}
	}
	c.outcome = c.assembly.outcome()
}

// refuse says why a ballot does not count as things stand. Who has no vote is told
// so at any time: only what voters say is late.
func (c *count) refuse(b *Ballot) *Refusal {
	if duty := c.duty(b.By); duty != "" {
		return &Refusal{Excluded, b.By + " is excluded as " + duty}
	}
	s := c.by[b.seat()]
	switch {
	case s == nil:
		return &Refusal{NoVote, b.seat() + " has no vote"}
	case b.By != s.person && !slices.Contains(c.voters(s, b.At, false), b.By):
		return &Refusal{NoVote, b.By + " may not vote for " + s.person}
	case c.closed:
		return &Refusal{Late, "it came after the deadline"}
	case c.outcome != Open && !c.Policy.Recount:
		return &Refusal{Late, "it came after the decision"}
	case b.At.Before(c.Opened):
		return &Refusal{Early, "the vote was not open yet"}
	case !s.turn:
		return &Refusal{Early, "it is not the turn of " + s.person + " yet"}
	case b.By != s.person && s.voted && c.ballots[s.ballot].By == s.person:
		return &Refusal{Overruled, s.person + " has voted in person"}
	case b.Comment == "" && slices.Contains(c.Policy.Comment, b.Vote):
		return &Refusal{NoComment, "it must say why"}
	}
	return nil
}
