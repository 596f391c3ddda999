package request

import (
	"slices"

	"github.com/go-itsm/itsm"
)

// The states of a request.
const (
	// Draft is being put together by who orders.
	Draft itsm.State = "draft"
	// Submitted is ordered; nobody has seen to it yet.
	Submitted itsm.State = "submitted"
	// AwaitingApproval waits for votes.
	AwaitingApproval itsm.State = "awaiting_approval"
	// Approved means that nothing has to be approved any more.
	Approved itsm.State = "approved"
	// Rejected was not approved, or not accepted. It may be revised and submitted
	// again.
	Rejected itsm.State = "rejected"
	// Assigned belongs to a group or a person who has not begun.
	Assigned itsm.State = "assigned"
	// InFulfilment is being delivered.
	InFulfilment itsm.State = "in_fulfilment"
	// OnHold waits for something outside: [Request].Hold says for what.
	OnHold itsm.State = "on_hold"
	// Fulfilled is delivered, as far as the desk knows; [Request].Completion says
	// whether all of it.
	Fulfilled itsm.State = "fulfilled"
	// Closed means that nobody objected.
	Closed itsm.State = "closed"
	// Cancelled is not wanted any more. What had been done is taken back.
	Cancelled itsm.State = "cancelled"
)

// States lists the states in their usual order.
func States() []itsm.State {
	return []itsm.State{Draft, Submitted, AwaitingApproval, Approved, Rejected, Assigned, InFulfilment, OnHold, Fulfilled, Closed, Cancelled}
}

// DefaultLifecycle returns the lifecycle that a request has unless the host gives
// another one ([Config].Lifecycle). It is the union of what common products permit,
// with a named action on every edge.
func DefaultLifecycle() *itsm.Lifecycle {
	l, err := itsm.NewLifecycle(spec())
	if err != nil {
		panic("request: the default lifecycle does not hold: " + err.Error()) // proved by the tests
	}
	return l
}

func spec() itsm.LifecycleSpec {
	// In these nothing is delivered yet.
	early := []itsm.State{Submitted, AwaitingApproval, Approved}
	open := append(slices.Clone(early), Assigned, InFulfilment, OnHold)
	live := append(slices.Clone(open), Fulfilled)
	s := itsm.LifecycleSpec{
		Name:    "request",
		Create:  "order",
		Initial: Draft,
		States:  States(),
		Ends:    []itsm.State{Rejected, Closed, Cancelled},
		Cancel:  "cancel",
	}
	// What moves it.
	s.Allow("submit", Submitted, Draft, Rejected)
	s.Allow("seek_approval", AwaitingApproval, Submitted, InFulfilment)
	s.Allow("approve", Approved, Submitted, AwaitingApproval)
	s.Allow("proceed", InFulfilment, AwaitingApproval)
	s.Allow("refuse", Rejected, AwaitingApproval)
	s.Allow("reject", Rejected, Submitted)
	s.Allow("assign", Assigned, Submitted, Approved, Assigned, InFulfilment, OnHold)
	s.Allow("start", InFulfilment, Submitted, Approved, Assigned)
	s.Allow("begin", InFulfilment, Approved)
	s.Allow("hold", OnHold, open...) // on hold: another reason, or longer
	s.Allow("resume", InFulfilment, OnHold)
	s.Allow("resume_submitted", Submitted, OnHold)
	s.Allow("resume_approval", AwaitingApproval, OnHold)
	s.Allow("resume_approved", Approved, OnHold)
	s.Allow("resume_assigned", Assigned, OnHold)
	s.Allow("fulfil", Fulfilled, Submitted, Approved, Assigned, InFulfilment, OnHold)
	s.Allow("auto_fulfil", Fulfilled, Assigned, InFulfilment, OnHold)
	s.Allow("close", Closed, Fulfilled)
	s.Allow("auto_close", Closed, Fulfilled)
	s.Allow("reject_fulfilment", Assigned, Fulfilled)
	s.Allow("reopen", InFulfilment, Fulfilled, Closed)
	s.Allow("cancel", Cancelled, append(slices.Clone(live), Draft)...)
	s.Allow("reclassify", Cancelled, append(slices.Clone(live), Draft)...)
	s.Allow("auto_cancel", Cancelled, open...)
	// What leaves it where it is.
	s.Allow("revise", "", Draft, Rejected)
	// What was granted may be extended, and that may have to be approved.
	for _, action := range []string{"vote", "delegate", "count_votes", "extend", "prolong", "keep_end"} {
		s.Allow(action, "", AwaitingApproval, Assigned, InFulfilment, OnHold, Fulfilled, Closed)
	}
	s.Allow("fulfil_item", "", Assigned, InFulfilment, OnHold)
	s.Allow("cancel_item", "", Submitted, Approved, Assigned, InFulfilment, OnHold)
	s.Allow("add_task", "", Assigned, InFulfilment, OnHold)
	s.Allow("return", "", Assigned, InFulfilment, OnHold, Fulfilled, Closed)
	s.Allow("expire", "", AwaitingApproval, Assigned, InFulfilment, OnHold, Fulfilled, Closed)
	// Tasks that take something back go on after the end.
	for _, action := range []string{"assign_task", "start_task", "run_task", "open_tasks", "miss_tasks", "complete_task",
		"fail_task", "skip_task", "retry_task", "track_task", "escalate"} {
		s.Allow(action, "", AwaitingApproval, Assigned, InFulfilment, OnHold, Fulfilled, Closed, Cancelled, Rejected)
	}
	s.Allow("log_time", "", append(slices.Clone(live), Closed, Cancelled, Rejected)...)
	s.Allow("rate", "", Fulfilled, Closed)
	for _, action := range []string{"note", "link", "unlink", "set_fields"} {
		s.Allow(action, "", States()...)
	}
	return s
}

// AllowUsual is a change for [itsm.Lifecycle.With] that permits in states of the
// host's own what is permitted in fulfilment and leads nowhere else: notes, tasks,
// items and so on.
//
//	longer, err := request.DefaultLifecycle().With(func(s *itsm.LifecycleSpec) {
//		s.AddState("awaiting_delivery")
//		s.Allow("ship", "awaiting_delivery", request.InFulfilment)
//		s.Allow("start", request.InFulfilment, "awaiting_delivery")
//		s.Allow("cancel", request.Cancelled, "awaiting_delivery")
//	}, request.AllowUsual("awaiting_delivery"))
func AllowUsual(states ...itsm.State) func(*itsm.LifecycleSpec) {
	return itsm.AllowLike(InFulfilment, states...)
}

// complete permits in states of the host's own what time brings and what runs by
// itself. Nobody would think of allowing it, and without it access would not end
// while the request is in such a state.
func complete(s *itsm.LifecycleSpec) {
	known := map[string]bool{}
	for _, t := range s.Transitions {
		known[t.Action] = true
	}
	for _, state := range s.States {
		if slices.Contains(States(), state) {
			continue
		}
		for _, action := range []string{"run_task", "open_tasks", "miss_tasks", "count_votes", "prolong", "keep_end", "expire"} {
			if known[action] {
				s.Stay(action, state)
			}
		}
	}
}
