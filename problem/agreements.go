package problem

import (
	"context"
	"strings"
	"time"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/sla"
	"github.com/go-itsm/itsm/slm"
)

// MoveClocks and PassThreshold are what the agreements do by themselves
// ([Config].Agreements).
type (
	// MoveClocks is what follows from an action for the clocks of the agreements that
	// apply: they start, pause, stop.
	MoveClocks = slm.MoveClocks[Problem]
	// PassThreshold is what happens when a clock comes to a threshold or past its
	// goal. What is to be done then is in its moves for the host to send.
	PassThreshold = slm.PassThreshold[Problem]
)

// join joins the agreements to the practice.
func (cfg Config) join() slm.Levels[Problem] {
	return slm.Levels[Problem]{
		Book: cfg.Agreements,
		Of: func(r *Problem) (service, priority string) {
			return strings.Join(r.Services, ", "), sla.Number(int(r.Priority))
		},
		Facts: func(r *Problem, a itsm.Action[Problem], _ itsm.Actor) sla.Facts {
			return facts{Problem: r, action: a.Action()}
		},
	}
}

// facts are what agreements may ask about a problem.
type facts struct {
	*Problem
	// action is what was just done.
	action string
}

// Fact returns a fact by its name: see [Config].Agreements.
func (f facts) Fact(name string) string {
	r := f.Problem
	switch name {
	case "state":
		return string(r.State)
	case "phase":
		return string(r.Phase())
	case "hold":
		return string(r.Hold.Reason)
	case "origin":
		return string(r.Origin)
	case "priority":
		return sla.Number(int(r.Priority))
	case "service":
		if len(r.Services) > 0 {
			return r.Services[0]
		}
		return ""
	case "category":
		return r.Category
	case "symptom":
		return r.Symptom
	case "group":
		return r.Assignment.Group
	case "person":
		return r.Assignment.Person
	case "major":
		return sla.Yes(r.Major)
	case "control_ended":
		return sla.Instant(r.ControlEnded)
	case "accepted":
		return sla.Yes(r.Acceptance.Standing())
	case "fix":
		return sla.Yes(r.Fix != Fix{})
	case "resolution":
		return string(r.Resolution.Code)
	case "action":
		return f.action
	}
	return r.Fields.Text(name)
}

// Results returns what every clock of a problem came to, or how it stands now, for
// reports ([sla.NewReport]). It reads the history. It returns an [itsm.ErrInvalid] if a
// calendar is not in the book any more.
func (p *Practice) Results(ctx context.Context, id itsm.ID, now time.Time) ([]sla.Result, error) {
	return p.cfg.levels.Results(ctx, p.Practice, id, now)
}

// Clock returns the clock of one target of a problem, to be read at any moment and
// explained. It returns an [itsm.ErrInvalid] if its calendar is not in the book.
func (p *Practice) Clock(t sla.Target) (*sla.Clock, error) { return p.cfg.levels.Clock(t) }

// ControlMetric is the time from the registration until problem control is finished:
// the causes are known, or it is over without that. It pauses while the problem is on
// hold, and goes on where it stopped when the problem is investigated anew.
func ControlMetric(calendar string, goals ...sla.GoalRule) sla.Metric {
	return sla.Metric{
		Name: "control", Calendar: calendar, Goals: goals,
		Pause:  sla.Conditions{{"state": {string(OnHold)}}},
		Stop:   sla.Conditions{{"control_ended": {"*"}}},
		Cancel: cancelled(),
	}
}

// ResolutionMetric is the time from the end of problem control, before which nobody can
// say what it takes, until the problem is resolved. It pauses while the problem is on
// hold or somebody answers for the risk, and goes on where it stopped when a fix does
// not hold.
func ResolutionMetric(calendar string, goals ...sla.GoalRule) sla.Metric {
	return sla.Metric{
		Name: "resolution", Calendar: calendar, Goals: goals,
		Start:  sla.Conditions{{"control_ended": {"*"}}},
		From:   sla.FromCondition,
		Pause:  sla.Conditions{{"state": {string(OnHold)}}, {"accepted": {"yes"}}, {"control_ended": {""}}},
		Stop:   sla.Conditions{{"state": {string(Resolved), string(Monitoring), string(Closed)}}},
		Cancel: cancelled(),
	}
}

func cancelled() sla.Conditions { return sla.Conditions{{"state": {string(Cancelled)}}} }
