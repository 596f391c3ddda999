package request

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
	MoveClocks = slm.MoveClocks[Request]
	// PassThreshold is what happens when a clock comes to a threshold or past
	// its goal. [Assign] and [Escalate] follow in the same commit if that was
	// agreed; a notification is in its moves.
	PassThreshold = slm.PassThreshold[Request]
)

// join joins the agreements to the practice.
func (cfg Config) join() slm.Levels[Request] {
	return slm.Levels[Request]{
		Book: cfg.Agreements,
		Of: func(r *Request) (service, priority string) {
			return alike(r.Items, func(i Item) string { return i.Service }), ""
		},
		Facts: func(r *Request, a itsm.Action[Request], actor itsm.Actor) sla.Facts {
			return facts{r, a, actor}
		},
		Escalate: cfg.escalate,
	}
}

// facts are what an agreement may ask about a request.
type facts struct {
	*Request
	action itsm.Action[Request]
	actor  itsm.Actor
}

// Fact returns a fact by its name: see [Config].Agreements.
func (f facts) Fact(name string) string {
	r := f.Request
	switch name {
	case "state":
		return string(r.State)
	case "hold":
		return string(r.Hold.Reason)
	case "requester":
		return r.Requester
	case "recipient":
		return r.Recipient
	case "channel":
		return r.Channel
	case "group":
		return r.Assignment.Group
	case "person":
		return r.Assignment.Person
	case "completion":
		return string(r.Completion)
	case "action":
		return f.action.Action()
	case "reply":
		return f.reply()
	case "offering":
		return alike(r.Lines, func(l Line) string { return l.Offering })
	case "model":
		return alike(r.Items, func(i Item) string { return i.Model })
	case "service":
		return alike(r.Items, func(i Item) string { return i.Service })
	case "submitted":
		return sla.Instant(r.Milestones.Submitted)
	case "approved":
		return sla.Instant(r.Milestones.Approved)
	case "responded":
		return sla.Instant(r.Milestones.Responded)
	case "started":
		return sla.Instant(r.Milestones.Started)
	case "fulfilled":
		return sla.Instant(r.Milestones.Fulfilled)
	case "closed":
		return sla.Instant(r.Milestones.Closed)
	}
	return r.Fields.Text(name)
}

// alike returns what is the same of all, if there are any.
func alike[T any](all []T, of func(T) string) string {
	same := ""
	for i, one := range all {
		if i == 0 {
			same = of(one)
		} else if of(one) != same {
			return ""
		}
	}
	return same
}

// reply says who has just spoken to the other.
func (f facts) reply() string {
	switch a, ok := f.action.(Note); {
	case !ok || !a.Public:
		return ""
	case f.actor.ID == f.Requester:
		return "requester"
	}
	return "staff"
}

// escalate is what an escalation means for a request, as far as it admits it.
func (cfg Config) escalate(r *Request, e sla.Escalation, why string) itsm.Action[Request] {
	var a itsm.Action[Request]
	switch e.Do {
	case sla.EscalateFunctional:
		if r.Assignment.Group == e.To || r.unapproved() != nil {
			return nil
		}
		a = Assign{Group: e.To}
	case sla.EscalateHierarchical:
		a = Escalate{To: e.To, Reason: why}
	case sla.Notify:
		return nil
	}
	if _, ok := cfg.Lifecycle.Can(r.State, a.Action()); !ok {
		return nil
	}
	return a
}

// Results returns what every clock of a request came to, or how it stands now, for
// reports ([sla.NewReport]). It reads the history. It returns an [itsm.ErrInvalid]
// if a calendar is not in the book any more.
func (p *Practice) Results(ctx context.Context, id itsm.ID, now time.Time) ([]sla.Result, error) {
	return p.cfg.levels.Results(ctx, p.Practice, id, now)
}

// Clock returns the clock of one target of a request, to be read at any moment and
// explained. It returns an [itsm.ErrInvalid] if its calendar is not in the book.
func (p *Practice) Clock(t sla.Target) (*sla.Clock, error) { return p.cfg.levels.Clock(t) }

// FulfilmentMetric is the time from submitting to fulfilment. It pauses while others
// decide (an approval) and while the request waits for its requester, and goes on
// where it stopped when the fulfilment did not hold. Goals may be by offering, which
// makes them the targets of the catalogue:
//
//	request.FulfilmentMetric("office",
//		sla.GoalRule{When: sla.Condition{"offering": {"laptop"}}, Within: 40 * time.Hour},
//		sla.GoalRule{Within: 16 * time.Hour})
func FulfilmentMetric(calendar string, goals ...sla.GoalRule) sla.Metric {
	return sla.Metric{
		Name: "fulfilment", Calendar: calendar, Goals: goals,
		Start:  sla.Conditions{{"submitted": {"*"}}},
		From:   sla.FromCondition,
		Pause:  sla.Conditions{{"state": {string(AwaitingApproval)}}, {"hold": {string(AwaitingRequester)}}},
		Stop:   sla.Conditions{{"state": {string(Fulfilled), string(Closed)}}},
		Cancel: ended(),
	}
}

// ApprovalMetric is the time that others take to decide: what a requester waits for
// that no desk can hasten.
func ApprovalMetric(calendar string, goals ...sla.GoalRule) sla.Metric {
	return sla.Metric{
		Name: "approval", Calendar: calendar, Goals: goals,
		Start:  sla.Conditions{{"state": {string(AwaitingApproval)}}},
		From:   sla.FromCondition,
		Stop:   sla.Conditions{{"approved": {"*"}}, {"state": {string(Rejected)}}},
		Cancel: sla.Conditions{{"state": {string(Cancelled)}}},
	}
}

// ended is where nothing is owed any more.
func ended() sla.Conditions {
	return sla.Conditions{{"state": {string(Cancelled), string(Rejected)}}}
}
