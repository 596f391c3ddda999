package change

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/sla"
)

// A Sample is a change with how long it was in each state: what measures are made
// from.
type Sample struct {
	Change Change
	// Stages is the time spent in each state, by the clock on the wall.
	Stages map[itsm.State]time.Duration
}

// Sample reads a change and its history. What it spends in its present state is
// counted until now.
func (p *Practice) Sample(ctx context.Context, id itsm.ID, now time.Time) (Sample, error) {
	r, err := p.Get(ctx, id)
	if err != nil {
		return Sample{}, err
	}
	s := Sample{Change: r, Stages: map[itsm.State]time.Duration{}}
	var state itsm.State
	var since time.Time
	for e, err := range p.History(ctx, id) {
		if err != nil {
			return Sample{}, err
		}
		if state != "" && e.At.After(since) {
			s.Stages[state] += e.At.Sub(since)
		}
		state, since = e.To, e.At
	}
	if !p.Lifecycle().IsEnd(state) && now.After(since) {
		s.Stages[state] += now.Sub(since)
	}
	return s, nil
}

// Samples yields a sample of every change that matches a query. It returns
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

// Measures are the figures of a period: of the changes that were carried out in it,
// by when the work ended. Shares are exact fractions, and of nothing there is none.
type Measures struct {
	Period Span `json:"period"`
	// Deployments counts the changes that were carried out.
	Deployments int `json:"deployments"`

	// The five DORA metrics. LeadTime is from when the work was committed, or, if
	// that is not known, from when the change was proposed, until it was carried
	// out; DeploymentsPerDay is how often. RecoveryTime is from the end of a change
	// that failed, or the beginning of its back-out, until service was back. FailRate
	// is the share that failed, was backed out, or caused an incident, and ReworkRate
	// the share that was made only to remedy something ([Remedies]).
	LeadTime          sla.Mean     `json:"lead_time"`
	DeploymentsPerDay float64      `json:"deployments_per_day"`
	RecoveryTime      sla.Mean     `json:"recovery_time"`
	FailRate          sla.Fraction `json:"fail_rate"`
	ReworkRate        sla.Fraction `json:"rework_rate"`

	// Timely and effective: Timely is the share of those with a planned time that
	// were done in it (the timeliness index), Success the share with a good outcome,
	// Accepted the share of the reviewed that met their objectives; by model the
	// success, and the mean time from the proposal to the end of the work.
	Timely   sla.Fraction            `json:"timely"`
	Success  sla.Fraction            `json:"success"`
	Accepted sla.Fraction            `json:"accepted"`
	ByModel  map[string]ModelFigures `json:"by_model,omitempty"`
	// Stages is the mean time in each state, of the changes that were in it.
	Stages map[itsm.State]sla.Mean `json:"stages,omitempty"`

	// Negative impact: the incidents and problems that came of changes, and the
	// changes that they came of. How long the incidents lasted is known from
	// [Impact], if it is given.
	IncidentsCaused int      `json:"incidents_caused"`
	ProblemsCaused  int      `json:"problems_caused"`
	SourceChanges   int      `json:"source_changes"`
	IncidentTime    sla.Mean `json:"incident_time"`

	// Stakeholders: the mean of the answers, from 1 to 5, with the changes and with
	// the process; 0 where there are none.
	Satisfaction        float64 `json:"satisfaction"`
	ProcessSatisfaction float64 `json:"process_satisfaction"`

	// Governance: the shares that were emergencies, standard changes, and
	// unauthorized, and what does not comply: closed without an outcome, or
	// reviewed too late.
	Emergency     sla.Fraction `json:"emergency"`
	Standard      sla.Fraction `json:"standard"`
	Unauthorized  sla.Fraction `json:"unauthorized"`
	NoOutcome     []itsm.ID    `json:"no_outcome,omitempty"`
	ReviewOverdue []itsm.ID    `json:"review_overdue,omitempty"`
	// Templates is the success of each version of a template.
	Templates map[string]sla.Fraction `json:"templates,omitempty"`
}

// ModelFigures are those of one model.
type ModelFigures struct {
	Success sla.Fraction `json:"success"`
	Time    sla.Mean     `json:"time"`
}

// Impact says how long an incident lasted that a change caused, and whether that is
// known.
type Impact func(incident itsm.Ref) (time.Duration, bool)

// Measure computes the measures of a period from samples, each once. It is pure. An
// error of the samples' is returned as it is; a period that ends before it starts is
// an [itsm.ErrInvalid]. A nil impact knows nothing.
func Measure(samples iter.Seq2[Sample, error], period Span, impact Impact) (Measures, error) {
	m := Measures{Period: period, ByModel: map[string]ModelFigures{}, Stages: map[itsm.State]sla.Mean{}, Templates: map[string]sla.Fraction{}}
	if !period.Start.Before(period.End) {
		return m, &itsm.FieldError{Field: "period.end", Reason: "must be after period.start"}
	}
	var lead, recovery, incidents sla.Total
	stages, times := sla.Totals[itsm.State]{}, sla.Totals[string]{}
	within := func(t time.Time) bool { return !t.Before(period.Start) && t.Before(period.End) }
	var scores, scored, process, judged int64
	for s, err := range samples {
		if err != nil {
			return Measures{}, err
		}
		r := s.Change
		if within(r.Closed) && r.State == Closed && r.Outcome == "" {
			m.NoOutcome = append(m.NoOutcome, r.ID)
		}
		if r.Review.Overdue && within(r.Ended) {
			m.ReviewOverdue = append(m.ReviewOverdue, r.ID)
		}
		if !within(r.Ended) || !r.Outcome.Good() && !r.Outcome.Bad() {
			continue
		}
		m.Deployments++
		from := r.Committed
		if from.IsZero() {
			from = r.Created
		}
		if !r.Unauthorized {
			lead.Add(r.Ended.Sub(from))
		}
		if !r.Recovered.IsZero() && r.Outcome.Bad() {
			broke := r.Ended
			if !r.BackOut.Started.IsZero() {
				broke = r.BackOut.Started
			}
			recovery.Add(r.Recovered.Sub(broke))
		}
		m.FailRate.Count(r.Outcome.Bad() || r.Caused("incident") > 0)
		m.ReworkRate.Count(r.linked(Remedies, "incident")+r.linked(Remedies, "change") > 0)
		m.Success.Count(r.Outcome.Good())
		m.Emergency.Count(r.Type == Emergency)
		m.Standard.Count(r.Type == Standard)
		m.Unauthorized.Count(r.Unauthorized)
		if r.Window != (Span{}) {
			m.Timely.Count(!r.Overran && r.MissedWindows == 0 && !r.Ended.After(r.Window.End))
		}
		if !r.Review.Completed.IsZero() {
			m.Accepted.Count(r.Review.ObjectivesMet)
		}
		name := modelName(r.Model)
		figures := m.ByModel[name]
		figures.Success.Count(r.Outcome.Good())
		m.ByModel[name] = figures
		if r.Template != "" {
			f := m.Templates[r.Template]
			f.Count(r.Outcome.Good())
			m.Templates[r.Template] = f
		}
		times.Of(name).Add(r.Ended.Sub(r.Created))
		for state, d := range s.Stages {
			stages.Of(state).Add(d)
		}
		if n, p := r.Caused("incident"), r.Caused("problem"); n+p > 0 {
			m.IncidentsCaused += n
			m.ProblemsCaused += p
			m.SourceChanges++
		}
		for _, l := range r.Links {
			if l.Rel == Caused && l.To.Kind == "incident" && impact != nil {
				if d, ok := impact(l.To); ok {
					incidents.Add(d)
				}
			}
		}
		if r.Satisfaction.Score > 0 {
			scores, scored = scores+int64(r.Satisfaction.Score), scored+1
		}
		if r.Satisfaction.Process > 0 {
			process, judged = process+int64(r.Satisfaction.Process), judged+1
		}
	}
	m.LeadTime, m.RecoveryTime, m.IncidentTime = lead.Mean(""), recovery.Mean(""), incidents.Mean("")
	m.DeploymentsPerDay = float64(m.Deployments) / (period.Length().Hours() / 24)
	m.Satisfaction, m.ProcessSatisfaction = average(scores, scored), average(process, judged)
	for name, t := range times {
		figures := m.ByModel[name]
		figures.Time = t.Mean("")
		m.ByModel[name] = figures
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

// Limits are what a lint goes by. Zero values mean those given.
type Limits struct {
	// Emergency is the most percent of changes that may be emergencies; 0 means 10.
	Emergency int
	// Template is the least percent of a template's changes that have to succeed;
	// 0 means 95.
	Template int
	// Unauthorized is the most percent that may be unauthorized; 0 means 0.
	Unauthorized int
}

// A Lint is something in the measures that people should look at.
type Lint struct {
	// Rule names what is looked for: "emergency_share", "unauthorized_share",
	// "closed_without_outcome", "review_overdue", "template_success".
	Rule string `json:"rule"`
	// Text says what was found, as a sentence.
	Text string `json:"text"`
	// Changes are those that are meant, if it is about single ones.
	Changes []itsm.ID `json:"changes,omitempty"`
}

// Lint lists what people should look at: too many emergencies or unauthorized
// changes, changes closed without an outcome or not reviewed in time, templates whose
// changes fail too often.
func (m Measures) Lint(l Limits) []Lint {
	if l.Emergency == 0 {
		l.Emergency = 10
	}
	if l.Template == 0 {
		l.Template = 95
	}
	var all []Lint
	over := func(f sla.Fraction, percent int) bool { return f.Part*100 > f.Of*int64(percent) }
	if over(m.Emergency, l.Emergency) {
		all = append(all, Lint{Rule: "emergency_share", Text: fmt.Sprintf("%s were emergencies; at most %d %% should be", m.Emergency, l.Emergency)})
	}
	if over(m.Unauthorized, l.Unauthorized) {
		all = append(all, Lint{Rule: "unauthorized_share", Text: fmt.Sprintf("%s were unauthorized; at most %d %% should be", m.Unauthorized, l.Unauthorized)})
	}
	if len(m.NoOutcome) > 0 {
		all = append(all, Lint{"closed_without_outcome", fmt.Sprintf("%d were closed without an outcome", len(m.NoOutcome)), slices.Clone(m.NoOutcome)})
	}
	if len(m.ReviewOverdue) > 0 {
		all = append(all, Lint{"review_overdue", fmt.Sprintf("%d were not reviewed in time", len(m.ReviewOverdue)), slices.Clone(m.ReviewOverdue)})
	}
	for _, ref := range keys(m.Templates) {
		if f := m.Templates[ref]; f.Part*100 < f.Of*int64(l.Template) {
			all = append(all, Lint{Rule: "template_success", Text: fmt.Sprintf("%s of the changes from %s succeeded; at least %d %% should", f, ref, l.Template)})
		}
	}
	return all
}
