package improvement

import "github.com/go-itsm/itsm"

// The states of an improvement.
const (
	// Logged is in the register, and nobody has looked at it yet.
	Logged itsm.State = "logged"
	// Assessed was looked at: what it is worth and what it takes.
	Assessed itsm.State = "assessed"
	// Approved is to be done.
	Approved itsm.State = "approved"
	// Planned has a plan.
	Planned itsm.State = "planned"
	// InProgress is being done.
	InProgress itsm.State = "in_progress"
	// Measuring is done, and it is being measured whether it helped.
	Measuring itsm.State = "measuring"
	// Closed is over: [Improvement].Outcome says what came of it.
	Closed itsm.State = "closed"
	// Rejected is not to be done, at least for now.
	Rejected itsm.State = "rejected"
	// Cancelled was given up.
	Cancelled itsm.State = "cancelled"
)

// States lists the states in their usual order.
func States() []itsm.State {
	return []itsm.State{Logged, Assessed, Approved, Planned, InProgress, Measuring, Closed, Rejected, Cancelled}
}

// DefaultLifecycle returns the lifecycle that improvements have unless the host gives
// another one ([Config].Lifecycle). Its ways back are as many as its ways on, because
// improving is no one-way street.
func DefaultLifecycle() *itsm.Lifecycle {
	l, err := itsm.NewLifecycle(spec())
	if err != nil {
		panic("improvement: the default lifecycle does not hold: " + err.Error()) // proved by the tests
	}
	return l
}

func spec() itsm.LifecycleSpec {
	open := []itsm.State{Logged, Assessed, Approved, Planned, InProgress, Measuring}
	s := itsm.LifecycleSpec{
		Name:    "improvement",
		Create:  "log",
		Initial: Logged,
		States:  States(),
		Ends:    []itsm.State{Closed, Rejected, Cancelled},
		Cancel:  "cancel",
	}
	// What moves it on.
	s.Allow("assess", Assessed, Logged)
	s.Allow("approve", Approved, Assessed)
	s.Allow("reject", Rejected, Logged, Assessed, Approved)
	s.Allow("plan", Planned, Approved, Planned)
	s.Allow("start", InProgress, Approved, Planned)
	s.Allow("measure", Measuring, InProgress, Measuring)
	s.Allow("close", Closed, InProgress, Measuring)
	s.Allow("cancel", Cancelled, open...)
	// What takes it back.
	s.Allow("reassess", Assessed, Approved, Planned, InProgress, Measuring)
	s.Allow("replan", Planned, InProgress, Measuring)
	s.Allow("rework", InProgress, Measuring)
	s.Allow("reopen", InProgress, Closed)
	s.Allow("reconsider", Logged, Rejected)
	// What leaves it where it is.
	for _, action := range []string{"describe", "set_scope", "set_score", "set_owner", "set_vision", "set_baseline", "set_target", "hold", "resume", "auto_resume", "miss_due"} {
		s.Allow(action, "", open...)
	}
	s.Allow("measure", "", Closed) // whether it lasts
	for _, action := range []string{"note", "link", "unlink", "set_fields"} {
		s.Allow(action, "", States()...)
	}
	return s
}

// AllowUsual is a change for [itsm.Lifecycle.With] that permits in states of the host's
// own what is permitted in one of ours and leads nowhere else: notes, links, holds and
// so on.
//
//	longer, err := improvement.DefaultLifecycle().With(func(s *itsm.LifecycleSpec) {
//		s.AddState("piloting")
//		s.Allow("pilot", "piloting", improvement.Planned)
//		s.Allow("start", improvement.InProgress, "piloting")
//		s.Allow("cancel", improvement.Cancelled, "piloting")
//	}, improvement.AllowUsual(improvement.Planned, "piloting"))
func AllowUsual(like itsm.State, states ...itsm.State) func(*itsm.LifecycleSpec) {
	return itsm.AllowLike(like, states...)
}
