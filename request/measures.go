package request

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"
	"time"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/sla"
)

// A Sample is a request with what its history says of the way it went: what measures
// are made from.
type Sample struct {
	Request Request
	// Stages is the time spent in each state, by the clock on the wall.
	Stages map[itsm.State]time.Duration
	// Ended is when it came into the state that it is in; for what is closed, when
	// it was fulfilled.
	Ended time.Time
	// SelfService says that the requester ordered it without anybody's help.
	SelfService bool
	// Touches counts what others than the requester did, by hand: not what happened
	// by itself, and not what automations and standard changes answered.
	Touches int
	// Deviations counts what the model does not foresee: tasks that failed, were
	// skipped by hand or added, and that the fulfilment did not hold.
	Deviations int
}

// Sample reads a request and its history. What it spends in its present state is
// counted until now.
func (p *Practice) Sample(ctx context.Context, id itsm.ID, now time.Time) (Sample, error) {
	r, err := p.Get(ctx, id)
	if err != nil {
		return Sample{}, err
	}
	s := Sample{Request: r, Stages: map[itsm.State]time.Duration{}}
	var state itsm.State
	var since time.Time
	for e, err := range p.History(ctx, id) {
		if err != nil {
			return Sample{}, err
		}
		if state != "" && e.At.After(since) {
			s.Stages[state] += e.At.Sub(since)
		}
		if e.To != state {
			s.Ended = e.At
		}
		if e.From == "" {
			s.SelfService = e.Actor.ID == r.Requester
		}
		state, since = e.To, e.At
		if e.Cause != "" {
			continue
		}
		a, err := p.Done(e)
		if err != nil {
			return Sample{}, err
		}
		unattended := false
		switch a := a.(type) {
		case AddTask, RejectFulfilment, Reopen:
			s.Deviations++
		case FailTask:
			s.Deviations++
			unattended = r.unattended(a.Task)
		case SkipTask:
			s.Deviations++
		case CompleteTask:
			unattended = r.unattended(a.Task)
		}
		if !unattended && e.Actor != itsm.System() && e.Actor.ID != r.Requester {
			s.Touches++
		}
	}
	if r.State == Closed {
		s.Ended = r.Milestones.Fulfilled
	}
	if !p.Lifecycle().IsEnd(state) && now.After(since) {
		s.Stages[state] += now.Sub(since)
	}
	return s, nil
}

func (r *Request) unattended(task int) bool {
	t := r.Task(task)
	return t != nil && t.unattended()
}

// Samples yields a sample of every request that matches a query. It returns
// [itsm.ErrUnsupported] if the store is no [itsm.Lister]; an error ends the
// sequence.
func (p *Practice) Samples(ctx context.Context, q itsm.Query, now time.Time) iter.Seq2[Sample, error] {
	return func(yield func(Sample, error) bool) {
		for r, err := range p.All(ctx, q) {
			var s Sample
			if err == nil {
				s, err = p.Sample(ctx, r.ID, now)
			}
			if !yield(s, err) || err != nil {
				return
			}
		}
	}
}

// Measures are the figures of a period: of the requests that ended in it, one way or
// the other. They are those of the success factors of the practice. Shares are exact
// fractions, and of nothing there is none.
type Measures struct {
	Start time.Time `json:"start"`
	End   time.Time `json:"end"`
	// Fulfilled, Rejected and Cancelled count them.
	Fulfilled int `json:"fulfilled"`
	Rejected  int `json:"rejected"`
	Cancelled int `json:"cancelled"`

	// Procedures that fit: NoProcedure is the share of the fulfilled for which
	// there was no offering, Deviated the share in which something was not as the
	// model foresees, and Automated the share of which every task was done by an
	// automation or a standard change; by model its figures.
	NoProcedure sla.Fraction            `json:"no_procedure"`
	Deviated    sla.Fraction            `json:"deviated"`
	Automated   sla.Fraction            `json:"automated"`
	ByModel     map[string]ModelFigures `json:"by_model,omitempty"`

	// Fulfilled as agreed: InTime is the share of those with an agreement whose
	// every goal was met, Whole the share of which everything was delivered, and
	// Held the share that was not taken up again. LeadTime is from submitting to
	// fulfilment, ApprovalWait the time in which they waited for votes, of those
	// that did; Stages is the mean time in each state.
	InTime       sla.Fraction            `json:"in_time"`
	Whole        sla.Fraction            `json:"whole"`
	Held         sla.Fraction            `json:"held"`
	LeadTime     sla.Mean                `json:"lead_time"`
	ApprovalWait sla.Mean                `json:"approval_wait"`
	Stages       map[itsm.State]sla.Mean `json:"stages,omitempty"`
	// IncidentsCaused counts the incidents that came of what was delivered
	// ([Caused]).
	IncidentsCaused int `json:"incidents_caused"`

	// Effort and satisfaction: SelfService is the share that the requester ordered
	// alone, Touches how often somebody had to do something by hand, on average,
	// and Satisfaction the mean of the answers, from 1 to 5; 0 where there are
	// none.
	SelfService  sla.Fraction `json:"self_service"`
	Touches      float64      `json:"touches"`
	Satisfaction float64      `json:"satisfaction"`
}

// ModelFigures are those of the items of one model: the share that was delivered as it
// was ordered, the time from the submitting of the request until they were, and the
// work logged for requests of this model alone.
type ModelFigures struct {
	Success sla.Fraction `json:"success"`
	Time    sla.Mean     `json:"time"`
	Work    sla.Mean     `json:"work"`
}

// Measure computes the measures of the period [start, end) from samples, each once. It
// is pure. An error of the samples' is returned as it is; a period that ends before
// it starts is an [itsm.ErrInvalid].
func Measure(samples iter.Seq2[Sample, error], start, end time.Time) (Measures, error) {
	m := Measures{Start: start, End: end, ByModel: map[string]ModelFigures{}, Stages: map[itsm.State]sla.Mean{}}
	if !start.Before(end) {
		return m, &itsm.FieldError{Field: "end", Reason: "must be after start"}
	}
	var lead, wait sla.Total
	var touches, touched, scores, scored int64
	stages, times, work := sla.Totals[itsm.State]{}, sla.Totals[string]{}, sla.Totals[string]{}
	for s, err := range samples {
		if err != nil {
			return Measures{}, err
		}
		r := &s.Request
		if s.Ended.Before(start) || !s.Ended.Before(end) {
			continue
		}
		switch r.State {
		case Fulfilled, Closed:
			m.Fulfilled++
		case Rejected:
			m.Rejected++
			continue
		case Cancelled:
			m.Cancelled++
			continue
		default:
			continue
		}
		m.NoProcedure.Count(len(r.Lines) == 0)
		m.Deviated.Count(s.Deviations > 0)
		if own := slices.DeleteFunc(slices.Clone(r.Tasks), func(t Task) bool { return t.Undoes > 0 }); len(own) > 0 {
			m.Automated.Count(!slices.ContainsFunc(own, func(t Task) bool { return !t.unattended() && t.State != TaskSkipped }))
		}
		if len(r.Targets) > 0 {
			m.InTime.Count(!slices.ContainsFunc(r.Targets, func(t sla.Target) bool {
				return t.Standing.State == sla.Missed || t.Standing.State == sla.Breached
			}))
		}
		m.Whole.Count(r.Completion == Complete)
		m.Held.Count(r.Reopens == 0)
		m.SelfService.Count(s.SelfService)
		lead.Add(r.Milestones.Fulfilled.Sub(r.Milestones.Submitted))
		if d := s.Stages[AwaitingApproval]; d > 0 {
			wait.Add(d)
		}
		touches, touched = touches+int64(s.Touches), touched+1
		if r.Satisfaction.Score > 0 {
			scores, scored = scores+int64(r.Satisfaction.Score), scored+1
		}
		for state, d := range s.Stages {
			stages.Of(state).Add(d)
		}
		for _, i := range r.Items {
			figures := m.ByModel[i.Model]
			if i.Outcome != Withdrawn {
				figures.Success.Count(i.Outcome == Complete)
				times.Of(i.Model).Add(i.Ended.Sub(r.Milestones.Submitted))
			}
			m.ByModel[i.Model] = figures
		}
		if model := alike(r.Items, func(i Item) string { return i.Model }); model != "" {
			work.Of(model).Add(r.TimeSpent)
		}
		for _, l := range r.Links {
			if l.Rel == Caused && l.To.Kind == "incident" {
				m.IncidentsCaused++
			}
		}
	}
	m.LeadTime, m.ApprovalWait = lead.Mean(""), wait.Mean("")
	m.Touches, m.Satisfaction = average(touches, touched), average(scores, scored)
	for model, figures := range m.ByModel {
		figures.Time, figures.Work = times.Of(model).Mean(""), work.Of(model).Mean("")
		m.ByModel[model] = figures
	}
	for state, t := range stages {
		m.Stages[state] = t.Mean("")
	}
	return m, nil
}

// average is the mean of n numbers, 0 of none.
func average(sum, n int64) float64 {
	if n == 0 {
		return 0
	}
	return float64(sum) / float64(n)
}

// Limits are what a lint goes by, in percent. Zero values mean those given.
type Limits struct {
	// NoProcedure is the most that may be in no catalogue; 0 means 20.
	NoProcedure int
	// Deviated is the most that may not go as their models foresee; 0 means 20.
	Deviated int
	// Model is the least of a model's items that has to be delivered as ordered;
	// 0 means 95.
	Model int
}

// A Lint is something in the measures that people should look at.
type Lint struct {
	// Rule names what is looked for: "no_procedure_share", "deviation_share",
	// "model_success".
	Rule string `json:"rule"`
	// Text says what was found, as a sentence.
	Text string `json:"text"`
}

// Lint lists what people should look at: offerings that are missing, models that do not
// describe what is done, models whose items are not delivered.
func (m Measures) Lint(l Limits) []Lint {
	for _, limit := range []struct {
		is      *int
		usually int
	}{{&l.NoProcedure, 20}, {&l.Deviated, 20}, {&l.Model, 95}} {
		if *limit.is == 0 {
			*limit.is = limit.usually
		}
	}
	var all []Lint
	over := func(f sla.Fraction, percent int) bool { return f.Part*100 > f.Of*int64(percent) }
	if over(m.NoProcedure, l.NoProcedure) {
		all = append(all, Lint{"no_procedure_share", fmt.Sprintf("for %s there was no offering; at most %d %% should have none", m.NoProcedure, l.NoProcedure)})
	}
	if over(m.Deviated, l.Deviated) {
		all = append(all, Lint{"deviation_share", fmt.Sprintf("%s did not go as their models foresee; at most %d %% should not", m.Deviated, l.Deviated)})
	}
	for _, model := range slices.Sorted(maps.Keys(m.ByModel)) {
		if f := m.ByModel[model].Success; f.Part*100 < f.Of*int64(l.Model) {
			all = append(all, Lint{"model_success", fmt.Sprintf("%s of the items of model %s were delivered as ordered; at least %d %% should be", f, model, l.Model)})
		}
	}
	return all
}
