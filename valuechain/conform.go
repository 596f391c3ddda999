package valuechain

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/go-itsm/itsm"
)

// ConformOptions says how a log is to be read. The zero value reads a log of
// actions, in which every case has ended.
type ConformOptions struct {
	// States says that entries name the state in which the case is, and not the
	// action: any action that leads there will do. A state that is there again says
	// nothing, because such logs have an entry for every change of any field.
	States bool
	// Open says that cases need not have ended.
	Open bool
}

// A Conformance is how well the cases of a log keep to a lifecycle.
//
// It is found by token replay (Rozinat and van der Aalst, 2008). The lifecycle is a
// net with a place before creation and one for each state; each of its moves takes a
// token from one place and puts one into another. A case begins with a token before
// creation. Each entry takes the token that came last among those from which it is
// permitted. If there is none, the token that it would need is missing, and is made:
// where the first row of the table has it that knows the entry. An entry that the
// table does not have at all has places of its own before and after it, so that it
// misses one token and leaves one. In the end a token is taken from an end state, the
// last that came there; with [ConformOptions].Open, the last of all. What is left then
// remains.
type Conformance struct {
	Cases   int `json:"cases"`
	Fitting int `json:"fitting"`
	Tokens
	// Deviating lists every case that does not fit, in the order of the log.
	Deviating []CaseConformance `json:"deviating,omitempty"`
}

// Tokens is the count of a replay.
type Tokens struct {
	Produced  int `json:"produced"`
	Consumed  int `json:"consumed"`
	Missing   int `json:"missing"`
	Remaining int `json:"remaining"`
}

// Fitness is half of one less the missing by the consumed, and half of one less the
// remaining by the produced: 1 for what fits. It is 1 where there is nothing.
func (t Tokens) Fitness() float64 {
	if t.Consumed == 0 || t.Produced == 0 {
		return 1
	}
	return (1-float64(t.Missing)/float64(t.Consumed))/2 + (1-float64(t.Remaining)/float64(t.Produced))/2
}

// A CaseConformance is how well one case keeps to a lifecycle.
type CaseConformance struct {
	Case string `json:"case"`
	Tokens
	// Deviations are as many as tokens were missing, in order.
	Deviations []Deviation `json:"deviations"`
}

// A DeviationKind is what is wrong with an entry.
type DeviationKind string

// The kinds of deviations.
const (
	// NotPermitted is an action, or a state, that the case could not have come to
	// from where it was.
	NotPermitted DeviationKind = "not_permitted"
	// NotKnown is one that the lifecycle does not have.
	NotKnown DeviationKind = "not_known"
	// NotEnded is a case that stops in a state that is no end.
	NotEnded DeviationKind = "not_ended"
)

// A Deviation is where a case leaves the lifecycle.
type Deviation struct {
	Kind DeviationKind `json:"kind"`
	// Entry is the number of the entry in its trace, from 0; that of the last for
	// NotEnded, -1 if there is none.
	Entry int `json:"entry"`
	// Activity is what the entry says; empty for NotEnded.
	Activity string `json:"activity,omitempty"`
	// State is where the case was; empty before it was created.
	State itsm.State `json:"state,omitempty"`
	// Instead lists what would have been permitted, sorted; where the entry is to
	// lead to another state, only what does. It must not be changed.
	Instead []string `json:"instead,omitempty"`
}

// String explains the deviation in a sentence.
func (d Deviation) String() string {
	where := fmt.Sprintf("in state %q", d.State)
	if d.State == "" {
		where = "before it was created"
	}
	instead := "nothing is"
	if len(d.Instead) > 0 {
		instead = strings.Join(d.Instead, ", ")
	}
	switch d.Kind {
	case NotKnown:
		return fmt.Sprintf("entry %d: %q is not known to the lifecycle", d.Entry+1, d.Activity)
	case NotEnded:
		return fmt.Sprintf("it stops %s, which is no end", where)
	case NotPermitted:
	}
	return fmt.Sprintf("entry %d: %q is not permitted %s; permitted there: %s", d.Entry+1, d.Activity, where, instead)
}

// A Cause is a deviation that several cases have.
type Cause struct {
	Kind     DeviationKind `json:"kind"`
	State    itsm.State    `json:"state,omitempty"`
	Activity string        `json:"activity,omitempty"`
	// Times is how often, Cases in how many cases.
	Times int `json:"times"`
	Cases int `json:"cases"`
}

// Causes lists what goes wrong, most often first, then by kind, state and activity.
func (c Conformance) Causes() []Cause {
	type key struct {
		kind     DeviationKind
		state    itsm.State
		activity string
	}
	sums := map[key]*Cause{}
	last := map[key]int{}
	for i := range c.Deviating {
		for _, d := range c.Deviating[i].Deviations {
			k := key{d.Kind, d.State, d.Activity}
			s := sums[k]
			if s == nil {
				s = &Cause{Kind: d.Kind, State: d.State, Activity: d.Activity}
				sums[k] = s
			}
			s.Times++
			if last[k] != i+1 {
				last[k] = i + 1
				s.Cases++
			}
		}
	}
	out := make([]Cause, 0, len(sums))
	for _, s := range sums {
		out = append(out, *s)
	}
	slices.SortFunc(out, func(a, b Cause) int {
		return cmp.Or(b.Times-a.Times, cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.State, b.State), cmp.Compare(a.Activity, b.Activity))
	})
	return out
}

// Conform replays a log on a lifecycle. It costs time in proportion to the entries;
// cases of the same sequence are replayed once.
func Conform(l *itsm.Lifecycle, log Log, opts ConformOptions) Conformance {
	n := newNet(l, opts.States)
	c := Conformance{Cases: len(log.Traces)}
	results := make([]CaseConformance, len(log.Traces))
	for _, v := range variants(log) {
		tokens, deviations := n.replay(log.Traces[v.traces[0]].Entries, opts.Open)
		for _, t := range v.traces {
			results[t] = CaseConformance{log.Traces[t].Case, tokens, slices.Clone(deviations)}
		}
	}
	for _, r := range results {
		c.Produced += r.Produced
		c.Consumed += r.Consumed
		c.Missing += r.Missing
		c.Remaining += r.Remaining
		if len(r.Deviations) == 0 {
			c.Fitting++
		} else {
			c.Deviating = append(c.Deviating, r)
		}
	}
	return c
}

// net is a lifecycle as places and moves: the empty state is the place before
// creation.
type net struct {
	lifecycle *itsm.Lifecycle
	states    bool
	// moves says where a label leads to from a state, known where it leads to by
	// the first row that has it, permitted lists the labels of a state.
	moves     map[itsm.State]map[string]itsm.State
	known     map[string]itsm.State
	permitted map[itsm.State][]string
}

func newNet(l *itsm.Lifecycle, states bool) *net {
	n := &net{l, states, map[itsm.State]map[string]itsm.State{}, map[string]itsm.State{}, map[itsm.State][]string{}}
	add := func(from itsm.State, action string, to itsm.State) {
		label := action
		if states {
			label = string(to)
		}
		if n.moves[from] == nil {
			n.moves[from] = map[string]itsm.State{}
		}
		n.moves[from][label] = to
		if _, ok := n.known[label]; !ok {
			n.known[label] = to
		}
	}
	add("", l.Create(), l.Initial())
	for _, t := range l.Spec().Transitions {
		for _, from := range t.From {
			to := t.To
			if to == "" {
				to = from
			}
			if !states || to != from {
				add(from, t.Action, to)
			}
		}
	}
	for state, moves := range n.moves {
		for label, to := range moves {
			if to != state {
				n.permitted[state] = append(n.permitted[state], label)
			}
		}
		slices.Sort(n.permitted[state])
	}
	return n
}

func (n *net) replay(entries []Entry, open bool) (Tokens, []Deviation) {
	t := Tokens{Produced: 1}
	tokens := []itsm.State{""} // the last that came is the last
	astray := 0                // tokens behind what the table does not have
	var deviations []Deviation
	for i := range entries {
		label := entries[i].Activity
		now := tokens[len(tokens)-1] // each move takes one and puts one
		if n.states && now != "" && label == string(now) {
			continue
		}
		t.Produced++
		t.Consumed++
		to, known := n.known[label]
		taken := false
		for j := len(tokens) - 1; j >= 0 && !taken; j-- {
			if next, ok := n.moves[tokens[j]][label]; ok {
				tokens = append(slices.Delete(tokens, j, j+1), next)
				taken = true
			}
		}
		if taken {
			continue
		}
		t.Missing++
		d := Deviation{Kind: NotPermitted, Entry: i, Activity: label, State: now, Instead: n.permitted[now]}
		if known {
			tokens = append(tokens, to)
		} else {
			d.Kind, d.Instead = NotKnown, nil
			astray++
		}
		deviations = append(deviations, d)
	}
	t.Consumed++
	last := len(tokens) - 1
	if !open {
		for last >= 0 && !n.lifecycle.IsEnd(tokens[last]) {
			last--
		}
	}
	if last >= 0 {
		tokens = slices.Delete(tokens, last, last+1)
	} else {
		t.Missing++
		deviations = append(deviations, Deviation{Kind: NotEnded, Entry: len(entries) - 1, State: tokens[len(tokens)-1]})
	}
	t.Remaining = len(tokens) + astray
	return t, deviations
}
