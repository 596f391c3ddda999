package incident

import (
	"slices"

	"github.com/go-itsm/itsm"
)

// The states of an incident.
const (
	// New is registered; nobody has it yet.
	New itsm.State = "new"
	// Assigned belongs to a group or a person who has not begun.
	Assigned itsm.State = "assigned"
	// InProgress is being worked on.
	InProgress itsm.State = "in_progress"
	// OnHold waits for something outside: [Incident].Hold says for what.
	OnHold itsm.State = "on_hold"
	// Resolved means that service is restored, as far as the desk knows.
	Resolved itsm.State = "resolved"
	// Closed means that nobody objected.
	Closed itsm.State = "closed"
	// Cancelled means that there was nothing to restore: a mistake, or the
	// same as another incident.
	Cancelled itsm.State = "cancelled"
)

// States lists the states in their usual order.
func States() []itsm.State {
	return []itsm.State{New, Assigned, InProgress, OnHold, Resolved, Closed, Cancelled}
}

// DefaultLifecycle returns the lifecycle that an incident has unless the host
// gives another one ([Config].Lifecycle). It is the union of what common
// products permit, with a named action on every edge.
func DefaultLifecycle() *itsm.Lifecycle {
	l, err := itsm.NewLifecycle(spec())
	if err != nil {
		panic("incident: the default lifecycle does not hold: " + err.Error()) // proved by the tests
	}
	return l
}

func spec() itsm.LifecycleSpec {
	open := []itsm.State{New, Assigned, InProgress, OnHold}
	live := append(open, Resolved)
	done := []itsm.State{Resolved, Closed}
	s := itsm.LifecycleSpec{
		Name:    "incident",
		Create:  "report",
		Initial: New,
		States:  States(),
		Ends:    []itsm.State{Closed, Cancelled},
		Cancel:  "cancel",
	}
	// What moves it.
	s.Allow("assign", Assigned, open...)
	s.Allow("unassign", New, Assigned)
	s.Allow("start", InProgress, New, Assigned)
	s.Allow("escalate_functional", Assigned, open...)
	s.Allow("hold", OnHold, open...) // on hold: another reason, or longer
	s.Allow("resume", InProgress, OnHold)
	s.Allow("auto_resume", InProgress, OnHold)
	s.Allow("resolve", Resolved, open...)
	s.Allow("close", Closed, Resolved)
	s.Allow("auto_close", Closed, Resolved)
	s.Allow("reopen", InProgress, done...)
	s.Allow("reject_resolution", Assigned, done...)
	s.Allow("cancel", Cancelled, live...)
	s.Allow("merge", Cancelled, live...)
	// What leaves it where it is.
	for _, action := range []string{"describe", "classify", "assess", "override_priority", "match",
		"propose_major", "accept_major", "reject_major", "demote_major", "assign_role", "post_update",
		"join", "leave", "absorb"} {
		s.Allow(action, "", live...)
	}
	s.Allow("escalate_hierarchical", "", open...)
	s.Allow("miss_update", "", live...)
	s.Allow("log_time", "", append(live, Closed)...)
	s.Allow("mark", "", append(live, Closed)...)
	s.Allow("continue", "", Closed)
	for _, action := range []string{"rate", "start_review", "add_action_item", "complete_action_item"} {
		s.Allow(action, "", done...)
	}
	s.Allow("complete_review", "", Closed) // until then it may still reopen
	for _, action := range []string{"note", "set_parent", "clear_parent", "adopt", "release", "follow_child",
		"link", "unlink", "set_fields"} {
		s.Allow(action, "", States()...)
	}
	return s
}

// AllowUsual is a change for [itsm.Lifecycle.With] that permits in states of the
// host's own what is permitted in progress and leads nowhere else: notes, links,
// status updates and so on.
//
//	longer, err := incident.DefaultLifecycle().With(func(s *itsm.LifecycleSpec) {
//		s.AddState("awaiting_parts")
//		s.Allow("order_parts", "awaiting_parts", incident.InProgress)
//		s.Allow("start", incident.InProgress, "awaiting_parts")
//		s.Allow("cancel", incident.Cancelled, "awaiting_parts")
//	}, incident.AllowUsual("awaiting_parts"))
func AllowUsual(states ...itsm.State) func(*itsm.LifecycleSpec) {
	return itsm.AllowLike(InProgress, states...)
}

// complete permits in states of the host's own what the practice does by itself
// because of another incident or of time. Nobody would think of allowing it, and
// without it a child could not be resolved because of its parent's state.
func complete(s *itsm.LifecycleSpec) {
	known := map[string]bool{}
	for _, t := range s.Transitions {
		known[t.Action] = true
	}
	for _, state := range s.States {
		if slices.Contains(States(), state) {
			continue
		}
		actions := []string{"adopt", "release", "follow_child"}
		if !slices.Contains(s.Ends, state) {
			actions = append(actions, "absorb", "miss_update")
		}
		for _, action := range actions {
			if known[action] {
				s.Stay(action, state)
			}
		}
	}
}

// AllowReinstate is a change for [itsm.Lifecycle.With] that lets cancelled
// incidents be reinstated, which the default lifecycle does not.
func AllowReinstate(s *itsm.LifecycleSpec) { s.Allow("reinstate", New, Cancelled) }
