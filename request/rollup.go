package request

import "github.com/go-itsm/itsm"

// An Outcome is what became of a task, an item or a whole request, beside its state.
type Outcome string

const (
	// Open is not ended yet.
	Open Outcome = ""
	// Complete is what was asked for.
	Complete Outcome = "complete"
	// WithIssues is a part of it.
	WithIssues Outcome = "with_issues"
	// Failed could not be done.
	Failed Outcome = "failed"
	// Withdrawn is not wanted any more.
	Withdrawn Outcome = "cancelled"
	// Skipped was not needed: it counts for nothing.
	Skipped Outcome = "skipped"
)

// Outcomes lists them.
func Outcomes() []Outcome {
	return []Outcome{Open, Complete, WithIssues, Failed, Withdrawn, Skipped}
}

// A RollUpPolicy says what the outcomes of parts mean for the whole.
type RollUpPolicy string

const (
	// Taint is the default: one part that was cancelled, failed or has issues
	// leaves the whole with issues.
	Taint RollUpPolicy = ""
	// AllOrNothing means that the whole has failed unless every part is complete.
	AllOrNothing RollUpPolicy = "all_or_nothing"
	// Majority means that the whole is complete if more than half of its parts
	// are, and has failed otherwise.
	Majority RollUpPolicy = "majority"
)

// RollUpPolicies lists them.
func RollUpPolicies() []RollUpPolicy { return []RollUpPolicy{Taint, AllOrNothing, Majority} }

// RollUp says what the outcomes of parts mean for the whole: those of tasks for
// their item, and those of items for the request. It is pure, and it is the only
// place where this is decided:
//
//	any part open                          open
//	no part, or all skipped                complete
//	all complete (the skipped apart)       complete
//	all cancelled                          cancelled
//	else, Taint         none complete      failed
//	                    any complete       with issues
//	      AllOrNothing                     failed
//	      Majority      over half complete complete
//	                    else               failed
//
// A part with issues is not complete, but something of it is: under Taint the whole
// has issues.
func RollUp(policy RollUpPolicy, parts ...Outcome) Outcome {
	count := map[Outcome]int{}
	for _, part := range parts {
		count[part]++
	}
	n := len(parts) - count[Skipped]
	switch {
	case count[Open] > 0:
		return Open
	case count[Complete] == n: // none at all is all of none
		return Complete
	case count[Withdrawn] == n:
		return Withdrawn
	case policy == Majority && 2*count[Complete] > n:
		return Complete
	case policy == Taint && count[Complete]+count[WithIssues] > 0:
		return WithIssues
	}
	return Failed
}

// state is what the outcome of the whole means for the state of a request.
func (o Outcome) state() itsm.State {
	switch o {
	case Complete, WithIssues, Failed, Skipped:
		return Fulfilled
	case Withdrawn:
		return Cancelled
	case Open:
	}
	return ""
}
