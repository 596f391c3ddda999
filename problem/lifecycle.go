package problem

import (
	"slices"

	"github.com/go-itsm/itsm"
)

// The states of a problem.
const (
	// New is registered, and nobody has looked at it.
	New itsm.State = "new"
	// Assess is being assessed: whose it is, and whether it is worth the work.
	Assess itsm.State = "assess"
	// Investigating is being looked into.
	Investigating itsm.State = "investigating"
	// Identified is known and not yet removed: a known error.
	Identified itsm.State = "identified"
	// FixInProgress is being removed.
	FixInProgress itsm.State = "fix_in_progress"
	// OnHold waits for something outside.
	OnHold itsm.State = "on_hold"
	// Resolved is removed, or somebody answers for what stays.
	Resolved itsm.State = "resolved"
	// Monitoring is removed, and has to prove it.
	Monitoring itsm.State = "monitoring"
	// Closed is over.
	Closed itsm.State = "closed"
	// Cancelled was no problem, or is part of another one.
	Cancelled itsm.State = "cancelled"
)

// States lists the states in their usual order.
func States() []itsm.State {
	return []itsm.State{New, Assess, Investigating, Identified, FixInProgress, OnHold, Resolved, Monitoring, Closed, Cancelled}
}

// DefaultLifecycle returns the lifecycle that problems have unless the host gives
// another one ([Config].Lifecycle). It is the union of what common products permit,
// with a named action on every edge.
func DefaultLifecycle() *itsm.Lifecycle {
	l, err := itsm.NewLifecycle(spec())
	if err != nil {
		panic("problem: the default lifecycle does not hold: " + err.Error()) // proved by the tests
	}
	return l
}

func spec() itsm.LifecycleSpec {
	working := []itsm.State{Assess, Investigating, Identified, FixInProgress}
	open := append([]itsm.State{New, OnHold}, working...)
	solved := []itsm.State{Resolved, Monitoring}
	begun := slices.Concat(open, solved)
	kept := append(slices.Clone(begun), Closed)
	s := itsm.LifecycleSpec{
		Name:    "problem",
		Create:  "register",
		Initial: New,
		States:  States(),
		Ends:    []itsm.State{Closed, Cancelled},
		Cancel:  "cancel",
		// What was done is not undone by saying that there was no problem.
		NoCancel: solved,
	}
	// What moves it.
	s.Allow("start_assessment", Assess, New, Investigating, OnHold)
	s.Allow("requeue", New, Assess)
	s.Allow("investigate", Investigating, New, Assess, Identified, FixInProgress, OnHold)
	s.Allow("identify", Identified, New, Investigating, OnHold)
	s.Allow("start_fix", FixInProgress, Investigating, Identified, OnHold)
	s.Allow("stop_fix", Identified, FixInProgress)
	s.Allow("hold", OnHold, working...)
	s.Allow("resume_assessment", Assess, OnHold)
	s.Allow("resume", Investigating, OnHold)
	s.Allow("resume_identified", Identified, OnHold)
	s.Allow("resume_fix", FixInProgress, OnHold)
	s.Allow("resolve", Resolved, open...)
	s.Allow("monitor", Monitoring, Resolved)
	s.Allow("end_observation", Closed, Monitoring)
	s.Allow("reject_fix", FixInProgress, solved...)
	s.Allow("reopen", Investigating, Resolved, Closed)
	s.Allow("close", Closed, begun...)
	s.Allow("cancel", Cancelled, open...)
	s.Allow("merge", Cancelled, open...)
	// An acceptance that nobody renewed does not close a problem any longer.
	s.Allow("lapse_acceptance", Investigating, Closed)
	// What leaves it where it is.
	s.Allow("lapse_acceptance", "", begun...)
	s.Allow("withdraw_acceptance", "", begun...)
	s.Allow("outlast_observation", "", Monitoring)
	s.Allow("identify", "", Identified, FixInProgress)
	s.Allow("hold", "", OnHold)
	s.Allow("absorb", "", open...)
	for _, action := range []string{
		"describe", "classify", "assess_risk", "override_priority", "assign", "analyse",
		"add_task", "end_task", "declare_major", "demote_major",
	} {
		s.Allow(action, "", begun...)
	}
	for _, action := range []string{
		"accept_risk", "record_cost", "start_review", "add_action_item", "complete_action_item", "complete_review",
	} {
		s.Allow(action, "", kept...)
	}
	for _, action := range []string{"note", "link", "unlink", "set_fields"} {
		s.Allow(action, "", States()...)
	}
	return s
}

// AllowUsual is a change for [itsm.Lifecycle.With] that permits in states of the
// host's own what is permitted in one of ours and leads nowhere else: notes, links,
// tasks and so on.
//
//	longer, err := problem.DefaultLifecycle().With(func(s *itsm.LifecycleSpec) {
//		s.AddState("verifying")
//		s.Allow("verify", "verifying", problem.FixInProgress)
//		s.Allow("resolve", problem.Resolved, "verifying")
//		s.Allow("cancel", problem.Cancelled, "verifying")
//	}, problem.AllowUsual(problem.FixInProgress, "verifying"))
func AllowUsual(like itsm.State, states ...itsm.State) func(*itsm.LifecycleSpec) {
	return itsm.AllowLike(like, states...)
}
