package itsm

import (
	"cmp"
	"context"
	"encoding/json"
	"iter"
	"slices"
	"sync"

	"github.com/looplab/fsm"
)

// A Transition is a row of a lifecycle's table: an action, the states in which
// it is permitted, and the state that it leads to.
type Transition struct {
	Action string  `json:"action"`
	From   []State `json:"from"`
	// To is the state after the action. Empty means that the state stays what
	// it is, as for a note.
	To State `json:"to,omitempty"`
}

// A LifecycleSpec is a lifecycle as data: what [NewLifecycle] verifies, and
// what a lifecycle's JSON form holds.
type LifecycleSpec struct {
	// Name is the practice's name.
	Name string `json:"name"`
	// Create is the action that creates a record, in state Initial.
	Create  string `json:"create"`
	Initial State  `json:"initial"`
	// States lists every state in the order in which people think of them.
	States []State `json:"states"`
	// Ends are the states in which nothing is left to be done. There may still
	// be ways out of them, such as reopening.
	Ends []State `json:"ends"`
	// Cancel is the action that must be permitted in every state that is not
	// an end. Empty means that the practice makes no such promise.
	Cancel string `json:"cancel,omitempty"`
	// NoCancel lists the states for which, beside the ends, the promise does not
	// hold: what was done cannot be undone by saying that it is cancelled.
	NoCancel []State `json:"no_cancel,omitempty"`
	// Transitions is the table.
	Transitions []Transition `json:"transitions"`
}

// AddState adds states before the first of the ends in the order of States.
func (s *LifecycleSpec) AddState(states ...State) {
	at := len(s.States)
	for i, state := range s.States {
		if slices.Contains(s.Ends, state) {
			at = i
			break
		}
	}
	s.States = slices.Insert(s.States, at, states...)
}

// Allow permits an action in the given states; it leads to another, or, with
// an empty to, nowhere else.
func (s *LifecycleSpec) Allow(action string, to State, from ...State) {
	s.Transitions = append(s.Transitions, Transition{Action: action, From: from, To: to})
}

// Stay permits an action that leaves the state as it is, in those of the given states
// in which it is not permitted yet.
func (s *LifecycleSpec) Stay(action string, states ...State) {
	var missing []State
	for _, state := range states {
		if !slices.ContainsFunc(s.Transitions, func(t Transition) bool {
			return t.Action == action && slices.Contains(t.From, state)
		}) {
			missing = append(missing, state)
		}
	}
	if len(missing) > 0 {
		s.Allow(action, "", missing...)
	}
}

// AllowLike is a change for [Lifecycle.With] that permits in states of the host's own
// what is permitted in another one and leads nowhere else, such as notes and links.
func AllowLike(like State, states ...State) func(*LifecycleSpec) {
	return func(s *LifecycleSpec) {
		for _, t := range s.Transitions {
			if t.To == "" && slices.Contains(t.From, like) {
				s.Stay(t.Action, states...)
			}
		}
	}
}

// Forbid takes an action away from the given states, or from every state if
// none is given.
func (s *LifecycleSpec) Forbid(action string, from ...State) {
	var kept []Transition
	for _, t := range s.Transitions {
		if t.Action == action {
			t.From = slices.DeleteFunc(slices.Clone(t.From), func(f State) bool {
				return len(from) == 0 || slices.Contains(from, f)
			})
			if len(t.From) == 0 {
				continue
			}
		}
		kept = append(kept, t)
	}
	s.Transitions = kept
}

func (s LifecycleSpec) clone() LifecycleSpec {
	s.States, s.Ends, s.NoCancel = slices.Clone(s.States), slices.Clone(s.Ends), slices.Clone(s.NoCancel)
	s.Transitions = slices.Clone(s.Transitions)
	for i := range s.Transitions {
		s.Transitions[i].From = slices.Clone(s.Transitions[i].From)
	}
	return s
}

// A Lifecycle is a verified, immutable table of states and actions. Every
// transition is decided by a looplab/fsm machine made from it; questions
// ([Lifecycle.Can], [Lifecycle.Permitted]) are answered from an index of the
// same table without allocating. It is safe for concurrent use.
type Lifecycle struct {
	spec LifecycleSpec
	// rows holds the permitted actions of each state, sorted by name.
	rows map[State][]move
	ends map[State]bool
	// machines holds idle looplab machines: making one for each transition
	// costs ten times as much as the transition.
	machines sync.Pool
}

type move struct {
	action string
	to     State
}

// NewLifecycle verifies a table and returns it as a lifecycle, or an
// [ErrInvalid] with everything that is wrong with it. It proves that
//
//   - every state is declared once, and everything mentions declared states;
//   - no action leads from one state to two;
//   - every state can be reached from the initial one;
//   - from every state an end can be reached;
//   - every state that is not an end can be cancelled, which leads to an end,
//     if and as far as the spec says so.
func NewLifecycle(spec LifecycleSpec) (*Lifecycle, error) {
	if err := verify(spec); err != nil {
		return nil, err
	}
	l := &Lifecycle{spec: spec.clone(), rows: map[State][]move{}, ends: map[State]bool{}}
	var events []fsm.EventDesc
	for _, t := range l.spec.Transitions {
		for _, from := range t.From {
			to := t.To
			if to == "" {
				to = from
			}
			l.rows[from] = append(l.rows[from], move{t.Action, to})
			events = append(events, fsm.EventDesc{Name: t.Action, Src: []string{string(from)}, Dst: string(to)})
		}
	}
	for _, row := range l.rows {
		slices.SortFunc(row, func(a, b move) int { return cmp.Compare(a.action, b.action) })
	}
	for _, end := range l.spec.Ends {
		l.ends[end] = true
	}
	l.machines.New = func() any { return fsm.NewFSM(string(l.spec.Initial), events, nil) }
	return l, nil
}

// With returns the lifecycle with changes made to a copy of its table, verified
// again:
//
//	longer, err := lifecycle.With(func(s *itsm.LifecycleSpec) {
//		s.AddState("awaiting_parts")
//		s.Allow("order_parts", "awaiting_parts", incident.InProgress)
//		s.Allow("start", incident.InProgress, "awaiting_parts")
//		s.Allow("cancel", incident.Cancelled, "awaiting_parts")
//	})
func (l *Lifecycle) With(changes ...func(*LifecycleSpec)) (*Lifecycle, error) {
	spec := l.Spec()
	for _, change := range changes {
		change(&spec)
	}
	return NewLifecycle(spec)
}

// Spec returns a copy of the table.
func (l *Lifecycle) Spec() LifecycleSpec { return l.spec.clone() }

// MarshalJSON writes the table.
func (l *Lifecycle) MarshalJSON() ([]byte, error) { return json.Marshal(l.spec) }

// ParseLifecycle reads the JSON form of a lifecycle and verifies it. It returns
// an [ErrInvalid] with every finding.
func ParseLifecycle(data []byte) (*Lifecycle, error) {
	var spec LifecycleSpec
	if err := decodeStrict(data, &spec, maxDefinition); err != nil {
		return nil, err
	}
	return NewLifecycle(spec)
}

// Name returns the name of the practice.
func (l *Lifecycle) Name() string { return l.spec.Name }

// Initial returns the state of a new record.
func (l *Lifecycle) Initial() State { return l.spec.Initial }

// Create returns the name of the action that creates a record.
func (l *Lifecycle) Create() string { return l.spec.Create }

// States yields every state in the order of the table.
func (l *Lifecycle) States() iter.Seq[State] { return slices.Values(l.spec.States) }

// IsEnd reports whether nothing is left to be done in a state.
func (l *Lifecycle) IsEnd(s State) bool { return l.ends[s] }

// Has reports whether the lifecycle has a state.
func (l *Lifecycle) Has(s State) bool { return slices.Contains(l.spec.States, s) }

// Can reports whether an action is permitted in a state, and where it leads.
func (l *Lifecycle) Can(s State, action string) (to State, ok bool) {
	row := l.rows[s]
	lo, hi := 0, len(row)
	for lo < hi {
		if mid := (lo + hi) / 2; row[mid].action < action {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	if lo < len(row) && row[lo].action == action {
		return row[lo].to, true
	}
	return "", false
}

// Permitted yields the actions that are permitted in a state, sorted, each with
// the state that it leads to.
func (l *Lifecycle) Permitted(s State) iter.Seq2[string, State] {
	row := l.rows[s]
	return func(yield func(string, State) bool) {
		for i := range row {
			if !yield(row[i].action, row[i].to) {
				return
			}
		}
	}
}

// actions lists every action of the table, sorted.
func (l *Lifecycle) actions() []string {
	names := map[string]bool{l.spec.Create: true}
	for _, t := range l.spec.Transitions {
		names[t.Action] = true
	}
	return sortedKeys(names)
}

// next lets the machine decide a transition. An empty state means that the
// record is being created.
func (l *Lifecycle) next(from State, action string) (to State, ok bool) {
	if from == "" {
		return l.spec.Initial, action == l.spec.Create
	}
	m := l.machines.Get().(*fsm.FSM)
	m.SetState(string(from))
	// The background context is deliberate: looplab/fsm wedges a machine whose
	// context ends in mid-transition, and nothing here waits.
	err := m.Event(context.Background(), action)
	to = State(m.Current())
	l.machines.Put(m)
	_, stays := err.(fsm.NoTransitionError)
	return to, err == nil || stays
}
