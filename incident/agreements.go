package incident

import (
	"context"
	"time"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/sla"
	"github.com/go-itsm/itsm/slm"
)

// MoveClocks and PassThreshold are what the agreements do by themselves
// ([Config].Agreements).
type (
	// MoveClocks is what follows from an action for the clocks of the
	// agreements that apply: they start, pause, stop.
	MoveClocks = slm.MoveClocks[Incident]
	// PassThreshold is what happens when a clock comes to a threshold or past
	// its goal. [EscalateFunctional] and [EscalateHierarchical] follow in the
	// same commit if that was agreed; a notification is in its moves.
	PassThreshold = slm.PassThreshold[Incident]
)

// join joins the agreements to the practice.
func (cfg Config) join() slm.Levels[Incident] {
	return slm.Levels[Incident]{
		Book: cfg.Agreements,
		Of: func(r *Incident) (service, priority string) {
			return r.Service, sla.Number(int(r.Priority))
		},
		Facts: func(r *Incident, a itsm.Action[Incident], actor itsm.Actor) sla.Facts {
			return facts{r, a, actor}
		},
		Escalate: cfg.escalate,
	}
}

// facts are what an agreement may ask about an incident.
type facts struct {
	*Incident
	action itsm.Action[Incident]
	actor  itsm.Actor
}

// Fact returns a fact by its name: see [Config].Agreements.
func (f facts) Fact(name string) string {
	r := f.Incident
	switch name {
	case "state":
		return string(r.State)
	case "hold":
		return string(r.Hold.Reason)
	case "priority":
		return sla.Number(int(r.Priority))
	case "impact":
		return sla.Number(int(r.Impact))
	case "urgency":
		return sla.Number(int(r.Urgency))
	case "service":
		return r.Service
	case "ci":
		return r.CI
	case "category":
		return r.Category
	case "caller":
		return r.Caller
	case "channel":
		return r.Channel
	case "group":
		return r.Assignment.Group
	case "person":
		return r.Assignment.Person
	case "major":
		return string(r.Major.Status)
	case "resolution":
		return string(r.Resolution.Code)
	case "action":
		return f.action.Action()
	case "reply":
		return f.reply()
	}
	if t := r.Milestones.Get(Milestone(name)); !t.IsZero() {
		return t.Format(time.RFC3339Nano)
	}
	return r.Fields.Text(name)
}

// reply says who has just spoken to the other.
func (f facts) reply() string {
	switch a := f.action.(type) {
	case Note:
		if !a.Public {
			return ""
		}
		if f.actor.ID == f.Caller {
			return "caller"
		}
	case PostUpdate:
	default:
		return ""
	}
	return "staff"
}

// escalate is what an escalation means for an incident, as far as it admits it.
func (cfg Config) escalate(r *Incident, e sla.Escalation, why string) itsm.Action[Incident] {
	var a itsm.Action[Incident]
	switch e.Do {
	case sla.EscalateFunctional:
		if r.Assignment.Group == e.To {
			return nil // it is theirs already
		}
		a = EscalateFunctional{Group: e.To, Reason: why}
	case sla.EscalateHierarchical:
		a = EscalateHierarchical{To: e.To, Reason: why}
	case sla.Notify:
		return nil
	}
	if _, ok := cfg.Lifecycle.Can(r.State, a.Action()); !ok {
		return nil
	}
	return a
}

// Results returns what every clock of an incident came to, or how it stands now,
// for reports ([sla.NewReport]). It reads the history. It returns an
// [itsm.ErrInvalid] if a calendar is not in the book any more.
func (p *Practice) Results(ctx context.Context, id itsm.ID, now time.Time) ([]sla.Result, error) {
	return p.levels.Results(ctx, p.Practice, id, now)
}

// Outage returns the incident as availability sees it: from when service began to
// fail, or from its detection where that is not known, to its restoration. It is
// what [sla.AvailabilityTerms] measure.
func (r *Incident) Outage() sla.Outage {
	m := &r.Milestones
	start := m.Started
	if start.IsZero() {
		start = m.Detected
	}
	return sla.Outage{Record: string(r.ID), Start: start, Acknowledged: m.Acknowledged, Restored: m.Restored}
}

// Clock returns the clock of one target of an incident, to be read at any moment
// and explained. It returns an [itsm.ErrInvalid] if its calendar is not in the book.
func (p *Practice) Clock(t sla.Target) (*sla.Clock, error) { return p.levels.Clock(t) }

// ResponseMetric is the time until the caller first hears from somebody: a public
// note, a status update, or the resolution. Nothing pauses it, and what was
// answered once stays answered. Goals are by priority, for instance:
//
//	incident.ResponseMetric("berlin",
//		sla.GoalRule{When: sla.Condition{"priority": {"1"}}, Within: 15 * time.Minute},
//		sla.GoalRule{Within: 4 * time.Hour})
func ResponseMetric(calendar string, goals ...sla.GoalRule) sla.Metric {
	return sla.Metric{
		Name: "response", Calendar: calendar, Goals: goals,
		Stop:   sla.Conditions{{string(MilestoneFirstResponse): {"*"}}},
		Cancel: cancelled(),
		Reopen: sla.ReopenNever,
	}
}

// ResolutionMetric is the time until service is restored. It pauses while the
// incident waits for its caller, and goes on where it stopped when a resolution
// did not hold.
func ResolutionMetric(calendar string, goals ...sla.GoalRule) sla.Metric {
	return sla.Metric{
		Name: "resolution", Calendar: calendar, Goals: goals,
		Pause:  waitsForCaller(),
		Stop:   sla.Conditions{{"state": {string(Resolved), string(Closed)}}},
		Cancel: cancelled(),
	}
}

// UpdateMetric is the time from one word to the caller to the next, as long as
// the incident is open. It begins with the first response, which has a target of
// its own, and each update begins a new cycle.
func UpdateMetric(calendar string, goals ...sla.GoalRule) sla.Metric {
	return sla.Metric{
		Name: "update", Calendar: calendar, Goals: goals,
		Start:  sla.Conditions{{string(MilestoneFirstResponse): {"*"}}},
		From:   sla.FromCondition,
		Pause:  waitsForCaller(),
		Reset:  sla.Conditions{{"reply": {"staff"}}},
		Stop:   sla.Conditions{{"state": {string(Resolved), string(Closed)}}},
		Cancel: cancelled(),
	}
}

// ReplyMetric is the time in which a caller who wrote gets an answer: it runs only
// while somebody owes one.
func ReplyMetric(calendar string, goals ...sla.GoalRule) sla.Metric {
	return sla.Metric{
		Name: "reply", Calendar: calendar, Goals: goals,
		Start:  sla.Conditions{{"reply": {"caller"}}},
		From:   sla.FromCondition,
		Stop:   sla.Conditions{{"reply": {"staff"}}, {"state": {string(Resolved), string(Closed)}}},
		Cancel: cancelled(),
		Reopen: sla.ReopenRestart,
	}
}

func waitsForCaller() sla.Conditions {
	return sla.Conditions{{"hold": {string(AwaitingCaller)}}}
}

func cancelled() sla.Conditions { return sla.Conditions{{"state": {string(Cancelled)}}} }
