package incident

import (
	"context"
	"iter"
	"strconv"
	"time"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/sla"
)

// MoveClocks is what follows from an action for the clocks of the agreements that
// apply ([Config].Agreements): they start, pause, stop. It happens by itself, in
// the same commit, and holds what was decided, so that a replay needs neither
// agreements nor calendars.
type MoveClocks struct {
	Moves []sla.Move `json:"moves"`
}

// Action returns "move_clocks".
func (MoveClocks) Action() string { return "move_clocks" }

// Apply moves the clocks.
func (a MoveClocks) Apply(r *Incident, _ itsm.Moment) error {
	r.Targets = r.Targets.Apply(a.Moves)
	return nil
}

// PassThreshold is what happens when a clock comes to a threshold of its
// agreement, or past its goal. It happens by itself, once for each in a cycle;
// what is to be done then follows in the same commit ([EscalateFunctional],
// [EscalateHierarchical]), and a notification is in its moves for the host to send.
type PassThreshold struct {
	// Due is when it was passed.
	Due time.Time `json:"due"`
	// Moves are set by the practice.
	Moves []sla.Move `json:"moves,omitempty"`
}

// Action returns "pass_threshold".
func (PassThreshold) Action() string { return "pass_threshold" }

// Apply notes it.
func (a PassThreshold) Apply(r *Incident, _ itsm.Moment) error {
	r.Targets = r.Targets.Apply(a.Moves)
	return nil
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
		return number(int(r.Priority))
	case "impact":
		return number(int(r.Impact))
	case "urgency":
		return number(int(r.Urgency))
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
	var text string
	if r.Fields.Get(name, &text) != nil {
		return string(r.Fields[name]) // a number, true or false
	}
	return text
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

func number(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

// follow says what follows from an action for the clocks, and from a threshold for
// those at work.
func (cfg Config) follow(_ context.Context, tx *itsm.Tx[Incident], r *Incident, action itsm.Action[Incident]) ([]itsm.Action[Incident], error) {
	switch a := action.(type) {
	case MoveClocks:
		return nil, nil
	case PassThreshold:
		return cfg.escalations(r, a), nil
	}
	if cfg.Agreements == nil && len(r.Targets) == 0 {
		return nil, nil
	}
	at := tx.Moment()
	now := sla.Snapshot{At: at.At, Facts: facts{r, action, at.Actor}}
	var past iter.Seq2[sla.Snapshot, error]
	if r.Version > 1 {
		past = earlier(tx, r)
	}
	moves, err := cfg.Agreements.Review(r.Targets, r.Created, now, past)
	if err != nil || len(moves) == 0 {
		return nil, err
	}
	return []itsm.Action[Incident]{MoveClocks{moves}}, nil
}

// earlier yields an incident as it was before its present version.
func earlier(tx *itsm.Tx[Incident], r *Incident) iter.Seq2[sla.Snapshot, error] {
	return func(yield func(sla.Snapshot, error) bool) {
		for p, err := range tx.Walk(r.ID) {
			if err == nil && p.Event.Version >= r.Version {
				return
			}
			if !yield(sla.Snapshot{At: p.Event.At, Facts: facts{&p.Record, p.Action, p.Event.Actor}}, err) || err != nil {
				return
			}
		}
	}
}

// escalations are what a threshold wants done, as far as the incident admits it.
func (cfg Config) escalations(r *Incident, a PassThreshold) []itsm.Action[Incident] {
	var all []itsm.Action[Incident]
	allowed := func(action itsm.Action[Incident]) bool {
		_, ok := cfg.Lifecycle.Can(r.State, action.Action())
		return ok
	}
	group := r.Assignment.Group
	for _, m := range a.Moves {
		for _, p := range m.Passed {
			for _, do := range p.Do {
				why := m.Agreement + ", " + m.Metric + ": " + p.Threshold
				switch do.Do {
				case sla.Notify: // the host reads it in the history
				case sla.EscalateFunctional:
					if e := (EscalateFunctional{Group: do.To, Reason: why}); do.To != group && allowed(e) {
						all = append(all, e)
						group = do.To
					}
				case sla.EscalateHierarchical:
					if e := (EscalateHierarchical{To: do.To, Reason: why}); allowed(e) {
						all = append(all, e)
					}
				}
			}
		}
	}
	return all
}

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

// known puts what sla finds into the kernel's words.
func known(err error) error {
	var v itsm.Validation
	for _, f := range sla.Findings(err) {
		v.Check(false, f.Field, f.Reason)
	}
	if found := v.Err(); found != nil {
		return found
	}
	return err
}

// Clock returns the clock of one target of an incident, to be read at any moment
// and explained. It returns an [itsm.ErrInvalid] if its calendar is not in the book.
func (p *Practice) Clock(t sla.Target) (*sla.Clock, error) {
	c, err := p.agreements.Clock(t)
	if err != nil {
		return nil, known(err)
	}
	return c, nil
}
