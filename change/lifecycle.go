package change

import (
	"slices"

	"github.com/go-itsm/itsm"
)

// The states of a change.
const (
	// Draft is written down and not yet handed in.
	Draft itsm.State = "draft"
	// Assess is being assessed: whether it makes sense, and what it risks.
	Assess itsm.State = "assess"
	// Planning is being planned: how, when, and how to get back.
	Planning itsm.State = "planning"
	// Authorize waits for its change authority; what is voted on stands still.
	Authorize itsm.State = "authorize"
	// Rejected was not authorized, or the time to decide ran out.
	Rejected itsm.State = "rejected"
	// Scheduled is authorized and waits for its time.
	Scheduled itsm.State = "scheduled"
	// Implement is being carried out.
	Implement itsm.State = "implement"
	// Testing is carried out and being tested.
	Testing itsm.State = "testing"
	// Review is done, one way or the other: [Change].Outcome says which.
	Review itsm.State = "review"
	// Closed means that nothing is left to be done.
	Closed itsm.State = "closed"
	// Cancelled was given up before it was carried out.
	Cancelled itsm.State = "cancelled"
)

// States lists the states in their usual order.
func States() []itsm.State {
	return []itsm.State{Draft, Assess, Planning, Authorize, Rejected, Scheduled, Implement, Testing, Review, Closed, Cancelled}
}

// DefaultLifecycle returns the lifecycle that changes have unless the host gives
// another one ([Config].Lifecycle). It is the union of what common products permit,
// with a named action on every edge; of these, a change may do what its [Model]
// permits.
func DefaultLifecycle() *itsm.Lifecycle {
	l, err := itsm.NewLifecycle(spec())
	if err != nil {
		panic("change: the default lifecycle does not hold: " + err.Error()) // proved by the tests
	}
	return l
}

func spec() itsm.LifecycleSpec {
	// What is being prepared can be edited; what waits for its authorization, or
	// has it, cannot.
	editable := []itsm.State{Draft, Assess, Planning, Rejected}
	before := append(slices.Clone(editable), Authorize, Scheduled)
	working := []itsm.State{Implement, Testing}
	done := []itsm.State{Review, Closed}
	open := slices.Concat(before, working, []itsm.State{Review})
	s := itsm.LifecycleSpec{
		Name:    "change",
		Create:  "propose",
		Initial: Draft,
		States:  States(),
		Ends:    []itsm.State{Closed, Cancelled},
		Cancel:  "cancel",
		// What was carried out is closed with its outcome.
		NoCancel: []itsm.State{Review},
	}
	// What moves it.
	s.Allow("submit", Assess, Draft)
	s.Allow("revise", Draft, Assess, Planning, Authorize, Rejected)
	s.Allow("start_planning", Planning, Draft, Assess, Authorize, Rejected, Scheduled)
	s.Allow("request_approval", Authorize, Draft, Assess, Planning, Rejected, Scheduled)
	s.Allow("authorize", Scheduled, Authorize)
	s.Allow("disapprove", Rejected, Authorize, Scheduled)
	s.Allow("expire_approval", Rejected, Authorize)
	s.Allow("reconsider", Authorize, Scheduled, Rejected)
	s.Allow("reject", Rejected, Draft, Assess, Planning, Scheduled)
	s.Allow("schedule", Scheduled, Draft, Assess, Planning)
	s.Allow("start", Implement, Scheduled)
	s.Allow("expedite", Implement, Draft, Planning, Authorize)
	s.Allow("record_unauthorized", Review, Draft)
	s.Allow("postpone", Scheduled, Implement)
	s.Allow("start_testing", Testing, Implement)
	s.Allow("rework", Implement, Testing, Review)
	s.Allow("complete", Review, working...)
	s.Allow("complete_back_out", Review, working...)
	s.Allow("close", Closed, Rejected, Implement, Review)
	s.Allow("cancel", Cancelled, append(slices.Clone(before), working...)...)
	// What leaves it where it is.
	for _, action := range []string{"describe", "classify", "set_plan", "set_tasks", "assess_risk", "override_risk"} {
		s.Allow(action, "", editable...)
	}
	s.Allow("set_model", "", Draft)
	for _, action := range []string{"set_window", "accept_conflicts"} {
		s.Allow(action, "", append(slices.Clone(editable), Scheduled)...)
	}
	s.Allow("vote", "", Authorize, Scheduled, Rejected, Implement, Testing, Review)
	s.Allow("count_votes", "", Authorize, Scheduled, Rejected, Implement, Testing, Review)
	s.Allow("delegate", "", Authorize, Scheduled, Rejected, Implement, Testing, Review)
	s.Allow("request_approval", "", Implement, Testing, Review)
	s.Allow("expire_approval", "", Implement, Testing, Review)
	for _, action := range []string{"start_task", "complete_task"} {
		s.Allow(action, "", Assess, Planning, Scheduled, Implement, Testing, Review)
	}
	s.Allow("start_back_out", "", working...)
	s.Allow("record_validation", "", Implement, Testing, Review)
	s.Allow("record_recovery", "", done...)
	s.Allow("end_window", "", append([]itsm.State{Scheduled}, working...)...)
	for _, action := range []string{"assign", "hold", "resume", "auto_resume"} {
		s.Allow(action, "", open...)
	}
	for _, action := range []string{"rate", "start_review", "add_action_item", "complete_action_item"} {
		s.Allow(action, "", done...)
	}
	s.Allow("complete_review", "", done...)
	s.Allow("miss_review", "", Review)
	for _, action := range []string{"note", "link", "unlink", "set_fields"} {
		s.Allow(action, "", States()...)
	}
	return s
}

// AllowUsual is a change for [itsm.Lifecycle.With] that permits in states of the
// host's own what is permitted in one of ours and leads nowhere else: notes,
// links, holds and so on.
//
//	longer, err := change.DefaultLifecycle().With(func(s *itsm.LifecycleSpec) {
//		s.AddState("rehearsal")
//		s.Allow("rehearse", "rehearsal", change.Planning)
//		s.Allow("request_approval", change.Authorize, "rehearsal")
//		s.Allow("cancel", change.Cancelled, "rehearsal")
//	}, change.AllowUsual(change.Planning, "rehearsal"))
func AllowUsual(like itsm.State, states ...itsm.State) func(*itsm.LifecycleSpec) {
	return itsm.AllowLike(like, states...)
}
