package approval

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-itsm/itsm/internal/short"
)

// A Kind is how the host is asked for people.
type Kind string

const (
	// Role asks who has a role: "cab".
	Role Kind = "role"
	// Computed asks for whom the host computes: "line manager" of the one who
	// wants the approval.
	Computed Kind = "computed"
	// Duty asks who has a duty in what is to be approved: "author".
	Duty Kind = "duty"
)

// Kinds lists them.
func Kinds() []Kind { return []Kind{Role, Computed, Duty} }

// A Resolver is the host's knowledge of its people. Nobody is a good answer; a
// name that it does not know is an error, lest a misspelt duty excludes nobody.
type Resolver func(kind Kind, name string) (people []string, err error)

// An Answer is what the host said who it is, kept so that counting the votes
// again needs no host and gives the same result when people have moved on.
type Answer struct {
	Kind   Kind     `json:"kind"`
	Name   string   `json:"name"`
	People []string `json:"people,omitempty"`
}

// A Delegation lets another vote in one's place for a time, and pass that on. It
// is void for whoever is excluded, on either side, and is of one's own vote, not of
// those that one stands in for as a [Substitute]. A delegate votes once for each
// that they stand in for; who votes in person has the last word.
type Delegation struct {
	// Of is who passes their vote on, To who may cast it.
	Of string `json:"of"`
	To string `json:"to"`
	// From and Until are when: in [From, Until). Zero means that there is no
	// such limit.
	From  time.Time `json:"from,omitzero"`
	Until time.Time `json:"until,omitzero"`
}

// active reports whether the delegation is in force.
func (d *Delegation) active(at time.Time) bool {
	return !at.Before(d.From) && (d.Until.IsZero() || at.Before(d.Until))
}

// maxChain is over how many people a vote may be passed on.
const maxChain = 4

// An Electorate is a policy with the people that it comes to: who may decide about
// one thing, from when, until when. It is plain data to be stored beside the
// ballots; together they are all that [Decide] needs.
//
// A host may change it while the vote is open, such as by one more delegation or a
// deadline in its own calendar; [Electorate.Validate] then says whether that makes
// sense.
type Electorate struct {
	Policy Policy `json:"policy"`
	// Answers has one for each role, computed name and duty in the policy.
	Answers []Answer `json:"answers,omitempty"`
	// Delegations are what the people arranged among themselves.
	Delegations []Delegation `json:"delegations,omitempty"`
	// Opened is when votes were first accepted.
	Opened time.Time `json:"opened"`
	// Deadline is when it is too late. Zero means never.
	Deadline time.Time `json:"deadline,omitzero"`
}

// Resolve asks the host once for each role, computed name and duty of a policy, and
// opens the vote.
//
// It returns an [ErrInvalid] with every finding: what is wrong with the policy, and
// if it is right in itself, why it cannot be approved by those who are left once
// the excluded are taken away. An error of the host's is returned as it is, with
// what was asked for.
func Resolve(p Policy, opened time.Time, host Resolver, delegations ...Delegation) (Electorate, error) {
	if err := p.Validate(); err != nil {
		return Electorate{}, err
	}
	e := Electorate{Policy: p, Delegations: slices.Clone(delegations), Opened: opened}
	if p.Within > 0 {
		e.Deadline = opened.Add(p.Within)
	}
	var failed []error
	for kind, name := range p.asks() {
		if e.answer(kind, name) != nil {
			continue
		}
		var people []string
		err := errors.New("there is no resolver")
		if host != nil {
			people, err = host(kind, name)
		}
		if err != nil {
			failed = append(failed, fmt.Errorf("approval: %s %q: %w", kind, name, err))
		}
		// In order, whatever the host's is, and each person once.
		people = slices.Clone(people)
		slices.Sort(people)
		e.Answers = append(e.Answers, Answer{Kind: kind, Name: name, People: slices.Compact(people)})
	}
	if len(failed) > 0 {
		return Electorate{}, errors.Join(failed...)
	}
	if err := e.Validate(); err != nil {
		return Electorate{}, err
	}
	return e, nil
}

// asks yields what the host has to be asked for, in the order of the policy.
func (p *Policy) asks() func(func(Kind, string) bool) {
	return func(yield func(Kind, string) bool) {
		room := maxMembers
		if !p.Rule.asks(&room, yield) {
			return
		}
		for _, duty := range p.Exclude {
			if !yield(Duty, duty) {
				return
			}
		}
	}
}

func (r *Rule) asks(room *int, yield func(Kind, string) bool) bool {
	for i := range r.Of {
		m := &r.Of[i]
		if *room--; *room < 0 {
			return false
		}
		if kind, name := m.who(); kind == Role || kind == Computed {
			if !yield(kind, name) {
				return false
			}
		}
		for j := range m.Substitutes {
			if kind, name := m.Substitutes[j].who(); kind == Role || kind == Computed {
				if !yield(kind, name) {
					return false
				}
			}
		}
		if m.Rule != nil && !m.Rule.asks(room, yield) {
			return false
		}
	}
	return true
}

// answer returns what the host said, or nil.
func (e *Electorate) answer(kind Kind, name string) *Answer {
	for i := range e.Answers {
		if a := &e.Answers[i]; a.Name == name && a.Kind == kind {
			return a
		}
	}
	return nil
}

// duty returns by which duty a person is excluded, if by any.
func (e *Electorate) duty(person string) string {
	for _, duty := range e.Policy.Exclude {
		if a := e.answer(Duty, duty); a != nil && slices.Contains(a.People, person) {
			return duty
		}
	}
	return ""
}

// Validate returns an [ErrInvalid] with every finding if the electorate is wrong in
// itself or nobody can satisfy its policy.
func (e Electorate) Validate() error {
	if err := e.check(); err != nil {
		return err
	}
	var f findings
	newAssembly(&e).root.satisfiable(&f)
	return f.err()
}

// check finds what makes it impossible to count.
func (e *Electorate) check() error {
	c := checker{room: maxMembers}
	policy := path{name: "policy"}
	c.policy(&e.Policy, &policy)
	root, people := path{}, 0
	for i := range e.Answers {
		if i == maxAnswers {
			c.add(path{name: "answers"}, "must be at most %d, are %d", maxAnswers, len(e.Answers))
			break
		}
		a, at := &e.Answers[i], root.item("answers", i)
		if !slices.Contains(Kinds(), a.Kind) {
			c.add(at.field("kind"), "must be role, computed or duty, is %q", short.Text(a.Kind))
		}
		c.name(a.Name, at.field("name"))
		if e.answer(a.Kind, a.Name) != a {
			c.add(at, "is there twice: %s %q", a.Kind, a.Name)
		}
		if people += len(a.People); people > maxMembers {
			c.add(at, "must not bring the people to more than %d", maxMembers)
			break
		}
		c.names(a.People, &at, "people")
	}
	if len(c.findings) == 0 {
		for kind, name := range e.Policy.asks() {
			if e.answer(kind, name) == nil {
				c.add(path{name: "answers"}, "must say who is %s %q", kind, name)
			}
		}
	}
	c.check(!e.Opened.IsZero(), path{name: "opened"}, "must be given")
	c.check(e.Deadline.IsZero() || e.Deadline.After(e.Opened), path{name: "deadline"}, "must be after opened")
	e.delegations(&c.findings)
	if len(c.findings) == 0 && e.places() > maxPlaces {
		c.add(path{name: "policy"}, "must come to at most %d places of people in rules", maxPlaces)
	}
	if len(c.findings) == 0 && e.Policy.Distinct {
		newAssembly(e).distinct(&c.findings)
	}
	return c.err()
}

// maxAnswers is the most that a policy can ask for.
const maxAnswers = maxMembers + maxDuties

// maxPlaces is the most places of people in rules.
const maxPlaces = 10_000

// places returns at least how many there are: a role may stand in many rules.
func (e *Electorate) places() int {
	n := e.Policy.Rule.size()
	for kind, name := range e.Policy.asks() {
		n += len(e.answer(kind, name).People)
	}
	return n
}

// maxDelegations is the most delegations of an electorate.
const maxDelegations = 200

// delegations checks them. A circle, or a chain that is too long, is found at the
// moment when the last of its links begins.
func (e *Electorate) delegations(f *findings) {
	root := path{}
	if n := len(e.Delegations); n > maxDelegations {
		f.add(path{name: "delegations"}, "must be at most %d, are %d", maxDelegations, n)
		return
	}
	for i := range e.Delegations {
		d, at := &e.Delegations[i], root.item("delegations", i)
		f.name(d.Of, at.field("of"))
		f.name(d.To, at.field("to"))
		f.check(d.Of != d.To, at.field("to"), "must be somebody else")
		f.check(d.Until.IsZero() || d.Until.After(d.From), at.field("until"), "must be after from")
		if d.Of == d.To || !d.active(d.From) {
			continue
		}
		on := e.steps(d.To, d.From, true)
		if slices.ContainsFunc(on, func(step []string) bool { return slices.Contains(step, d.Of) }) {
			f.add(at, "closes a circle: %s would vote for themselves", d.Of)
			continue
		}
		if n := len(e.steps(d.Of, d.From, false)) + 1 + len(on); n > maxChain {
			f.add(at, "makes a chain of %s: a vote may be passed on %d times", plural(n, "delegation"), maxChain)
		}
	}
}

// steps follows delegations in force at a moment from a person, on or back, and
// returns whom it comes to after one, after two, and so on. There is one step more
// than a chain may have if it is longer.
func (e *Electorate) steps(person string, at time.Time, on bool) [][]string {
	var steps [][]string
	for here := []string{person}; len(steps) <= maxChain; {
		var next []string
		for i := range e.Delegations {
			d := &e.Delegations[i]
			from, to := d.Of, d.To
			if !on {
				from, to = to, from
			}
			if d.active(at) && slices.Contains(here, from) && !slices.Contains(next, to) {
				next = append(next, to)
			}
		}
		if next == nil {
			break
		}
		steps = append(steps, next)
		here = next
	}
	return steps
}

// plural says how many.
func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// and lists names.
func and(names []string) string {
	if n := len(names); n > 1 {
		return strings.Join(names[:n-1], ", ") + " and " + names[n-1]
	}
	return strings.Join(names, "")
}
