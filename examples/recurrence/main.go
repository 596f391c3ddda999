// Recurrence has the same mail outage on five Mondays, twice. The first time it is
// handled as five good tickets: quick, within the agreement, and again next week. The
// second time somebody asks why: the recurrence is noticed, a problem is opened, a known
// error published, a change made. At the end are the numbers of both.
//
//	go run ./examples/recurrence
package main

import (
	"context"
	"fmt"
	"log"
	"slices"
	"strings"
	"time"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/approval"
	"github.com/go-itsm/itsm/change"
	"github.com/go-itsm/itsm/incident"
	"github.com/go-itsm/itsm/problem"
	"github.com/go-itsm/itsm/sla"
	"github.com/go-itsm/itsm/storage/memory"
)

// first is the first of five Mondays, at eight in the morning.
var first = time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)

const (
	mondays = 5
	day     = 24 * time.Hour
)

// A company has a mail service that stops on Mondays, because the weekly report fills the
// disk of its queue, and people who look after it.
type company struct {
	now      time.Time
	repaired bool // the disk is large enough

	desk     *incident.Practice
	detector *problem.Detector
	feed     itsm.Cursor
	// Only where somebody asks why.
	problems *problem.Practice
	known    *problem.KnownErrors
	changes  *change.Practice
	invested time.Duration
}

func newCompany() *company {
	c := &company{now: first}
	last := map[string]int{}
	cfg := itsm.Config{
		Now: func() time.Time { return c.now },
		NewID: func(_ context.Context, prefix string, _ time.Time) (itsm.ID, error) {
			last[prefix]++
			return itsm.ID(fmt.Sprintf("%s-%d", prefix, last[prefix])), nil
		},
	}
	matcher := problem.NewMatcher()
	var err error
	c.detector, err = problem.NewDetector(problem.Rules{Repeats: 2, Window: 14 * day}, nil)
	check(err)
	c.known, err = problem.NewKnownErrors(memory.New[problem.KnownError](), problem.KnownErrorConfig{Config: cfg, Views: []problem.View[problem.KnownError]{matcher}})
	check(err)
	c.problems, err = problem.NewPractice(memory.New[problem.Problem](), problem.Config{Config: cfg, KnownErrors: c.known, Views: []problem.View[problem.Problem]{c.detector}})
	check(err)
	c.changes, err = change.NewPractice(memory.New[change.Change](), change.Config{Config: cfg})
	check(err)
	c.desk, err = incident.NewPractice(memory.New[incident.Incident](), incident.Config{
		Config: cfg, Agreements: agreement(),
		Matcher: problem.Hook[incident.Incident, incident.Proposal]{
			Matcher: matcher,
			Query: func(i incident.Incident) problem.Query {
				return problem.Query{Service: i.Service, CI: i.CI, Text: i.Title + " " + i.Category}
			},
		},
	})
	check(err)
	return c
}

// agreement is what was promised to the business: mail is back within two hours.
func agreement() *sla.Book {
	always, err := sla.Calendar{Name: "always", Zone: "UTC", Rules: sla.Rules{Weekly: sla.EveryDay(sla.Window{Close: 24 * time.Hour})}}.Compile()
	check(err)
	book, err := sla.NewBook([]*sla.Hours{always}, []sla.Agreement{{Name: "mail", Kind: sla.ServiceLevel, Service: "mail",
		Metrics: []sla.Metric{incident.ResolutionMetric("always", sla.GoalRule{Within: 2 * time.Hour})}}})
	check(err)
	return book
}

func as(who string) context.Context { return itsm.As(context.Background(), who) }

// outage is what the desk does on a Monday on which mail stops: it restarts the queue, and
// gets quicker at it. If somebody knows a better way, it takes that.
func (c *company) outage(week int) {
	c.now = first.AddDate(0, 0, 7*week)
	inc, err := c.desk.Open(as("jin"), incident.Report{Title: "No mail since eight", Service: "mail", Category: "no mail", Impact: 1, Urgency: 1})
	check(err)
	do := func(a itsm.Action[incident.Incident]) {
		inc, err = c.desk.Do(as("mia"), inc.ID, a)
		check(err)
	}
	do(incident.Start{})
	if len(inc.Proposals) == 0 {
		took := time.Duration(100-15*week) * time.Minute
		c.now = c.now.Add(took)
		do(incident.LogTime{Spent: took})
		do(incident.Resolve{Code: incident.Fixed, Note: "Restarted the queue."})
		fmt.Printf("  %s  %s: down for %s, restarted\n", c.date(), inc.ID, took)
		return
	}
	p := inc.Proposals[0]
	fmt.Printf("  %s  %s: the desk is told of %s (%s)\n", c.date(), inc.ID, p.To, p.Reason)
	c.now = c.now.Add(10 * time.Minute)
	do(incident.LogTime{Spent: 10 * time.Minute})
	do(incident.Link{Link: itsm.Link{Rel: incident.SolvedBy, To: p.To}})
	do(incident.Resolve{Code: incident.KnownError, Note: "Switched to the second queue, as the known error says."})
	_, err = c.known.Do(as("mia"), p.To.ID, problem.RecordUse{Number: 1, Worked: true, Incident: itsm.Ref{Kind: "incident", ID: inc.ID}})
	check(err)
	fmt.Printf("              down for 10m0s, by the workaround\n")
}

// watch reads what happened to incidents, and returns what is worth a look.
func (c *company) watch() []problem.Proposal {
	var all []problem.Proposal
	for news, err := range c.desk.Feed(as("kim"), c.feed) {
		check(err)
		proposals, err := c.detector.Event(news.Event)
		check(err)
		all = append(all, proposals...)
		c.feed = news.Cursor
	}
	return all
}

// ask opens a problem because of a proposal, finds out why, and publishes how to live
// with it until that is removed.
func (c *company) ask(p problem.Proposal) problem.Problem {
	fmt.Printf("              proposed: %s, %s down so far\n", p.Reason, p.Cost.Downtime)
	r, err := c.problems.Open(as("kim"), p.Register())
	check(err)
	for _, id := range p.Incidents { // which changes nothing about them
		_, err := c.desk.Do(as("kim"), id, incident.Link{Link: itsm.Link{Rel: incident.SymptomOf, To: problem.Ref(r.ID)}})
		check(err)
	}
	whys := problem.FiveWhys{Problem: "Mail stops on Mondays", Whys: []problem.Why{{
		Because: "the queue's disk is full", Evidence: "df on both Mondays", Whys: []problem.Why{
			{Because: "the weekly report is mailed to everybody at eight", Evidence: "cron", Remedy: "mail a link"},
			{Because: "nothing watches that disk", Evidence: "the monitoring's configuration", Remedy: "an alert, and a larger disk"},
		},
	}}}
	r = c.act(r.ID,
		problem.AssessRisk{Estimate: problem.Estimate{Frequency: 4, Harm: 60 * time.Hour}},
		problem.Investigate{},
		problem.Analyse{Analysis: problem.Analysis{FiveWhys: &whys}},
		problem.Identify{Causes: []problem.Cause{{Text: "the disk of the queue is too small for the weekly report", Evidence: "df, cron", Dimension: problem.InformationTechnology}}})
	c.invested += 6 * time.Hour
	fmt.Printf("              %s, %s: %s\n", r.ID, r.State, r.Risk)
	for line := range strings.Lines(whys.String()) {
		fmt.Print("                ", line)
	}
	k, err := c.known.Open(as("kim"), r.Document())
	check(err)
	for _, a := range []itsm.Action[problem.KnownError]{
		problem.AddWorkaround{Title: "Second queue", Steps: "Stop the first queue and switch over to the second."},
		problem.Publish{},
	} {
		k, err = c.known.Do(as("kim"), k.ID, a)
		check(err)
	}
	fmt.Printf("              %s is %s, and there is no cure yet\n", k.ID, k.State)
	return r
}

// fix removes the cause by a change, and lets it prove itself.
func (c *company) fix(id itsm.ID) {
	c.now = c.now.Add(2 * day).Truncate(day).Add(20 * time.Hour)
	work, err := c.changes.Open(as("kim"), change.Propose{Title: "A larger disk for the queue", Services: []string{"mail"}})
	check(err)
	do := func(who string, actions ...itsm.Action[change.Change]) {
		for _, a := range actions {
			work, err = c.changes.Do(as(who), work.ID, a)
			check(err)
		}
	}
	do("kim",
		change.Link{Link: itsm.Link{Rel: change.Solves, To: problem.Ref(id)}},
		change.SetPlan{Plan: change.Plan{Implementation: "grow the disk, add the alert", BackOut: "use the old disk", Test: "send the report"}},
		change.AssessRisk{Answers: map[string]string{"likelihood": "rare", "impact": "some"}},
		change.SetWindow{Span: change.Span{Start: c.now, End: c.now.Add(2 * time.Hour)}},
		change.RequestApproval{Approvers: []string{"ann"}})
	do("ann", change.Vote{Vote: approval.Approve})
	c.act(id, problem.StartFix{Change: itsm.Ref{Kind: "change", ID: work.ID}})
	do("kim", change.Start{}, change.Complete{Outcome: change.Successful}, change.Close{})
	c.repaired, c.invested = true, c.invested+3*time.Hour
	r := c.act(id, problem.Resolve{Code: problem.FixApplied, Note: "the disk holds ten weekly reports"}, problem.Monitor{})
	fmt.Printf("  %s  %s is %s, %s is %s until %s\n", c.date(), work.ID, work.Outcome, r.ID, r.State, r.Observation.Until.Format("2 January"))
}

func (c *company) act(id itsm.ID, actions ...itsm.Action[problem.Problem]) problem.Problem {
	var r problem.Problem
	for _, a := range actions {
		var err error
		r, err = c.problems.Do(as("kim"), id, a)
		check(err)
	}
	return r
}

func (c *company) date() string { return c.now.Format("Mon _2 Jan") }

// run lets the five Mondays pass.
func (c *company) run(asking bool) {
	var looked itsm.ID
	for week := range mondays {
		if !c.repaired {
			c.outage(week)
		}
		for _, p := range c.watch() {
			if asking {
				looked = c.ask(p).ID
			}
		}
		if c.repaired || looked == "" {
			continue
		}
		if used, err := c.known.Get(as("kim"), "ke-1"); err == nil && used.Worked() > 0 {
			c.fix(looked)
		}
	}
	c.now = first.AddDate(0, 0, 7*mondays)
	_, _, err := c.problems.RunDue(itsm.WithActor(context.Background(), itsm.System()))
	check(err)
}

// report is what the numbers of the five weeks are.
func (c *company) report() []string {
	var incidents, met int
	var down, effort time.Duration
	for inc, err := range c.desk.All(as("kim"), itsm.Query{}) {
		check(err)
		incidents++
		o := inc.Outage()
		down += o.Restored.Sub(o.Start)
		effort += inc.TimeSpent
		results, err := c.desk.Results(as("kim"), inc.ID, c.now)
		check(err)
		for _, r := range results {
			if r.State == sla.Met {
				met++
			}
		}
	}
	mean := down / time.Duration(incidents)
	m, err := problem.Measure(c.problems.All(as("kim"), itsm.Query{}), c.known.All(as("kim"), itsm.Query{}), c.detector.Occurrences(),
		problem.Period{Start: first, End: c.now})
	check(err)
	before, after := "nobody asked", "nobody asked"
	for r, err := range c.problems.All(as("kim"), itsm.Query{}) {
		check(err)
		repeats, err := problem.RepeatRate(r, []itsm.ID{"ke-1"}, c.detector.Occurrences(), 14*day, c.now)
		check(err)
		before, after = fmt.Sprint(repeats.Before), fmt.Sprint(repeats.After)
	}
	return []string{
		fmt.Sprint(incidents), fmt.Sprintf("%d of %d", met, incidents), down.String(), mean.Round(time.Minute).String(),
		effort.String(), c.invested.String(), m.Unexplained.String(), m.PPI.String(), before, after,
	}
}

func main() {
	fmt.Println("Five good tickets, each within the agreement, and each quicker than the one before:")
	tickets := newCompany()
	tickets.run(false)

	fmt.Println("\nAnd with a problem, a known error and a change:")
	asked := newCompany()
	asked.run(true)

	r, err := asked.problems.Get(as("kim"), "prb-1")
	check(err)
	k, err := asked.known.Get(as("kim"), "ke-1")
	check(err)
	fmt.Printf("  %s  %s is %s, %s is %s\n", asked.date(), r.ID, r.State, k.ID, k.State)

	fmt.Printf("\n%-36s %-20s %s\n", "after five weeks", "five good tickets", "somebody asked why")
	names := []string{"outages", "within the agreement", "mail was down", "mean time to restore", "work of the desk",
		"work on the problem", "incidents that nothing explains", "problem performance index", "outages, 14 days before the fix", "outages, 14 days after the fix"}
	left, right := tickets.report(), asked.report()
	for i, name := range names {
		fmt.Printf("%-36s %-20s %s\n", name, left[i], right[i])
	}
	fmt.Println("\nThe history of", r.ID+":")
	var history []string
	for e, err := range asked.problems.History(as("kim"), r.ID) {
		check(err)
		history = append(history, e.Action)
	}
	fmt.Println(" ", strings.Join(slices.Compact(history), ", "))
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
