package svs

import (
	"context"
	"fmt"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/sla"
	"github.com/go-itsm/itsm/slm"
	"github.com/go-itsm/itsm/svs/improvement"
)

// MissedTargets puts what was promised and missed into the improvement register: an
// agreement's metric whose goal a record of the practice passes. One entry is enough
// for a service, agreement and metric as long as it is open. Service says of which
// service a record is, nil of none.
func MissedTargets[R any](p *itsm.Practice[R], service func(R) string, register *improvement.Practice) []Reaction {
	return []Reaction{On[R]{
		Name: "improvement of what " + p.Name() + " missed", Practice: p, Actions: []string{"pass_threshold"},
		Leads: []Point{{register.Name(), "log"}},
		Decide: func(ctx context.Context, past itsm.Past[R]) (all []Effect, err error) {
			scope := improvement.Scope{Practice: p.Name()}
			if service != nil {
				scope.Service = service(past.Record)
			}
			for _, move := range slm.Moves(past.Action) {
				if move.State != sla.Breached {
					continue
				}
				what := fmt.Sprintf("%s misses the %s of %s", p.Name(), move.Metric, move.Agreement)
				if scope.Service != "" {
					what += ": " + scope.Service
				}
				open, err := registered(ctx, register, scope, what)
				if err != nil {
					return nil, err
				}
				if !open {
					all = append(all, Create(register.Practice, improvement.Log{
						Title: what, Source: improvement.FromSLA, Scope: scope,
						Description: fmt.Sprintf("Missed first by %s on %s.", past.Event.Record, past.Event.At.Format("2 January 2006")),
					}).Named(move.Agreement+" "+move.Metric))
				}
			}
			return all, nil
		},
	}}
}

// registered reports whether an open improvement of the scope has a title.
func registered(ctx context.Context, register *improvement.Practice, scope improvement.Scope, title string) (bool, error) {
	q := itsm.Query{States: open(register.Lifecycle()), Where: []itsm.Key{
		{Field: "source", Value: string(improvement.FromSLA)}, {Field: "practice", Value: scope.Practice}}}
	if scope.Service != "" {
		q.Where = append(q.Where, itsm.Key{Field: "service", Value: scope.Service})
	}
	for one, err := range register.All(ctx, q) {
		if err != nil || one.Title == title {
			return err == nil, err
		}
	}
	return false, nil
}

// open lists the states in which something is left to be done.
func open(l *itsm.Lifecycle) (all []itsm.State) {
	for s := range l.States() {
		if !l.IsEnd(s) {
			all = append(all, s)
		}
	}
	return all
}
