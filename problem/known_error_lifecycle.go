package problem

import (
	"slices"

	"github.com/go-itsm/itsm"
)

// The states of a known error.
const (
	// Draft is being written.
	Draft itsm.State = "draft"
	// Published is for everybody who handles incidents.
	Published itsm.State = "published"
	// FixScheduled is published, and a change is to remove it.
	FixScheduled itsm.State = "fix_scheduled"
	// WithVendor is published, and the vendor has it in hand.
	WithVendor itsm.State = "with_vendor"
	// NoActionPlanned is published, and nothing is going to be done.
	NoActionPlanned itsm.State = "no_action_planned"
	// Corrected is removed.
	Corrected itsm.State = "corrected"
	// KnownErrorClosed and KnownErrorCancelled are over: it does not matter any more,
	// or was none.
	KnownErrorClosed    itsm.State = "closed"
	KnownErrorCancelled itsm.State = "cancelled"
)

// KnownErrorStates lists the states in their usual order.
func KnownErrorStates() []itsm.State {
	return []itsm.State{Draft, Published, FixScheduled, WithVendor, NoActionPlanned, Corrected, KnownErrorClosed, KnownErrorCancelled}
}

// publicStates are those in which a known error is for those who handle incidents.
func publicStates() []itsm.State {
	return []itsm.State{Published, FixScheduled, WithVendor, NoActionPlanned}
}

// DefaultKnownErrorLifecycle returns the lifecycle that known errors have unless the
// host gives another one ([KnownErrorConfig].Lifecycle).
func DefaultKnownErrorLifecycle() *itsm.Lifecycle {
	l, err := itsm.NewLifecycle(knownErrorSpec())
	if err != nil {
		panic("problem: the default lifecycle of known errors does not hold: " + err.Error()) // proved by the tests
	}
	return l
}

func knownErrorSpec() itsm.LifecycleSpec {
	open := append([]itsm.State{Draft}, publicStates()...)
	begun := append(slices.Clone(open), Corrected)
	s := itsm.LifecycleSpec{
		Name:    "known_error",
		Create:  "document",
		Initial: Draft,
		States:  KnownErrorStates(),
		Ends:    []itsm.State{KnownErrorClosed, KnownErrorCancelled},
		Cancel:  "cancel",
		// What was there and was removed was no mistake.
		NoCancel: []itsm.State{Corrected},
	}
	s.Allow("publish", Published, Draft)
	s.Allow("retract", Draft, publicStates()...)
	s.Allow("schedule_fix", FixScheduled, Published, WithVendor, NoActionPlanned)
	s.Allow("hand_to_vendor", WithVendor, Published, FixScheduled, NoActionPlanned)
	s.Allow("plan_no_action", NoActionPlanned, Published, FixScheduled, WithVendor)
	s.Allow("reconsider", Published, FixScheduled, WithVendor, NoActionPlanned)
	s.Allow("correct", Corrected, publicStates()...)
	s.Allow("recur", Published, Corrected, KnownErrorClosed)
	s.Allow("close", KnownErrorClosed, append(publicStates(), Corrected)...)
	s.Allow("cancel", KnownErrorCancelled, open...)
	s.Allow("schedule_fix", "", FixScheduled)
	s.Allow("hand_to_vendor", "", WithVendor)
	s.Allow("plan_no_action", "", NoActionPlanned)
	for _, action := range []string{
		"describe", "set_cause", "set_affected", "add_workaround", "revise_workaround", "retire_workaround",
		"record_use", "set_review", "call_review", "set_problem", "assign",
	} {
		s.Allow(action, "", begun...)
	}
	s.Allow("record_use", "", KnownErrorClosed)
	for _, action := range []string{"note", "link", "unlink", "set_fields"} {
		s.Allow(action, "", KnownErrorStates()...)
	}
	return s
}
