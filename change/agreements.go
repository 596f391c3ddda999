package change

import (
	"cmp"
	"context"
	"strings"
	"time"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/approval"
	"github.com/go-itsm/itsm/sla"
	"github.com/go-itsm/itsm/slm"
)

// MoveClocks and PassThreshold are what the agreements do by themselves
// ([Config].Agreements).
type (
	// MoveClocks is what follows from an action for the clocks of the
	// agreements that apply: they start, pause, stop.
	MoveClocks = slm.MoveClocks[Change]
	// PassThreshold is what happens when a clock comes to a threshold or past
	// its goal. What is to be done then is in its moves for the host to send.
	PassThreshold = slm.PassThreshold[Change]
)

// join joins the agreements to the practice.
func (cfg Config) join() slm.Levels[Change] {
	return slm.Levels[Change]{
		Book: cfg.Agreements,
		Of: func(r *Change) (service, priority string) {
			return strings.Join(r.Services, ", "), string(r.Risk.Level)
		},
		Facts: func(r *Change, a itsm.Action[Change], _ itsm.Actor) sla.Facts {
			return facts{Change: r, action: a.Action()}
		},
	}
}

// facts are what policies and agreements may ask about a change.
type facts struct {
	*Change
	// action is what was just done, and history and criticality are what was asked
	// of the host; each may be empty.
	action, history, criticality string
}

// Fact returns a fact by its name: see [RiskPolicy] and [Config].Agreements.
func (f facts) Fact(name string) string {
	r := f.Change
	switch name {
	case "state":
		return string(r.State)
	case "hold":
		return string(r.Hold.Reason)
	case "type":
		return string(r.Type)
	case "model":
		return modelName(r.Model)
	case "template":
		return r.Template
	case "category":
		return r.Category
	case "initiator":
		return r.Initiator
	case "group":
		return r.Assignment.Group
	case "person":
		return r.Assignment.Person
	case "risk":
		return string(r.Risk.Level)
	case "approval":
		return string(r.Approval.Outcome)
	case "authority":
		return r.Approval.Authority
	case "outcome":
		return string(r.Outcome)
	case "services":
		return quantity(len(r.Services))
	case "cis":
		return quantity(len(r.CIs))
	case "plan":
		return sla.Yes(r.Plan.Implementation != "")
	case "back_out_plan":
		return sla.Yes(r.Plan.BackOut != "")
	case "test_plan":
		return sla.Yes(r.Plan.Test != "")
	case "conflict":
		return sla.Yes(len(r.Conflicts) > 0)
	case "action":
		return f.action
	case "history":
		return f.history
	case "criticality":
		return f.criticality
	case "start":
		return sla.Instant(r.Window.Start)
	case "end":
		return sla.Instant(r.Window.End)
	case "ended":
		return sla.Instant(r.Ended)
	}
	return r.Fields.Text(name)
}

func quantity(n int) string {
	switch {
	case n == 0:
		return "none"
	case n == 1:
		return "one"
	case n <= 5:
		return "few"
	}
	return "many"
}

// known gathers the facts that have to be asked of the host.
func (cfg Config) known(ctx context.Context, r *Change) (facts, error) {
	f := facts{Change: r}
	if cfg.Criticality != nil {
		order := []string{"", "low", "medium", "high", "critical"}
		rank := func(c string) int {
			for i, one := range order {
				if one == c {
					return i
				}
			}
			return 0
		}
		for _, s := range r.Services {
			if c := cfg.Criticality(s); rank(c) > rank(f.criticality) {
				f.criticality = c
			}
		}
	}
	if cfg.History != nil {
		var all Track
		for _, key := range r.AppendKeys(nil) {
			wanted := key.Field == "template"
			if r.Template == "" {
				wanted = key.Field == "service" || key.Field == "ci"
			}
			if wanted {
				t, err := cfg.History.Track(ctx, key)
				if err != nil {
					return f, err
				}
				all.Done += t.Done
				all.Good += t.Good
			}
		}
		f.history = all.Grade()
	}
	f.history = cmp.Or(f.history, "none")
	return f, nil
}

// Results returns what every clock of a change came to, or how it stands now, for
// reports ([sla.NewReport]). It reads the history. It returns an [itsm.ErrInvalid]
// if a calendar is not in the book any more.
func (p *Practice) Results(ctx context.Context, id itsm.ID, now time.Time) ([]sla.Result, error) {
	return p.cfg.levels.Results(ctx, p.Practice, id, now)
}

// Clock returns the clock of one target of a change, to be read at any moment and
// explained. It returns an [itsm.ErrInvalid] if its calendar is not in the book.
func (p *Practice) Clock(t sla.Target) (*sla.Clock, error) { return p.cfg.levels.Clock(t) }

// AuthorizationMetric is the time that a change waits for its authority. It pauses
// while the change is on hold, and each time the authority is asked begins anew.
func AuthorizationMetric(calendar string, goals ...sla.GoalRule) sla.Metric {
	return sla.Metric{
		Name: "authorization", Calendar: calendar, Goals: goals,
		Start:  sla.Conditions{{"approval": {string(approval.Open)}}},
		From:   sla.FromCondition,
		Pause:  sla.Conditions{{"hold": {"*"}}},
		Stop:   sla.Conditions{{"approval": {string(approval.Approved), string(approval.Rejected), string(approval.Expired)}}},
		Cancel: sla.Conditions{{"state": {string(Cancelled)}}, {"approval": {""}}},
		Reopen: sla.ReopenRestart,
	}
}

// CompletionMetric is the time from the proposal until the change is carried out.
// It pauses while the change is on hold.
func CompletionMetric(calendar string, goals ...sla.GoalRule) sla.Metric {
	return sla.Metric{
		Name: "completion", Calendar: calendar, Goals: goals,
		Pause:  sla.Conditions{{"hold": {"*"}}},
		Stop:   sla.Conditions{{"state": {string(Review), string(Closed)}}},
		Cancel: sla.Conditions{{"state": {string(Cancelled)}}, {"state": {string(Closed)}, "outcome": {string(NotImplemented)}}},
	}
}
