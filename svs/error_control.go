package svs

import (
	"context"
	"fmt"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/change"
	"github.com/go-itsm/itsm/incident"
	"github.com/go-itsm/itsm/knowledge"
	"github.com/go-itsm/itsm/problem"
)

// problemField is the field of a change that was proposed for a problem.
const problemField = "problem"

// KnownErrorOffers lets the open incidents of its services look again when a known
// error is published ([incident.Match]): the host's matcher proposes it to those that
// it fits.
func KnownErrorOffers(errors *problem.KnownErrors, incidents *incident.Practice) []Reaction {
	return []Reaction{On[problem.KnownError]{
		Name: "offer of a known error", Practice: errors.Practice, Actions: []string{"publish"},
		Leads: []Point{{incidentKind, "match"}},
		Decide: func(ctx context.Context, past itsm.Past[problem.KnownError]) (all []Effect, err error) {
			open := []itsm.State{incident.New, incident.Assigned, incident.InProgress, incident.OnHold}
			for _, service := range past.Record.Services {
				for inc, err := range incidents.All(ctx, itsm.Query{States: open, Where: []itsm.Key{{Field: "service", Value: service}}}) {
					if err != nil {
						return nil, err
					}
					all = append(all, Do(incidents.Practice, inc.ID, incident.Match{}))
				}
			}
			return all, nil
		},
	}}
}

// Cures let a change remove a problem, without anybody in between: a fix that is begun
// without saying in which change proposes one; when the change was successful the
// problem is resolved, and observed; when it was not, or was given up, the fix is
// stopped, and what has to be removed is still known.
func Cures(problems *problem.Practice, changes *change.Practice) []Reaction {
	return []Reaction{
		On[problem.Problem]{
			Name: "change for a problem", Practice: problems.Practice, Actions: []string{"start_fix"},
			Leads: []Point{{changeKind, "propose"}},
			Decide: func(_ context.Context, past itsm.Past[problem.Problem]) ([]Effect, error) {
				p := &past.Record
				if p.Fix.Change != (itsm.Ref{}) {
					return nil, nil
				}
				propose := change.Propose{Title: p.Title, Description: p.Fix.Plan, Reason: "removes problem " + string(p.ID),
					Services: p.Services, CIs: p.CIs, Category: p.Category}
				if err := propose.Fields.Set(problemField, p.ID); err != nil {
					return nil, err
				}
				return []Effect{Create(changes.Practice, propose)}, nil
			},
		},
		On[change.Change]{
			Name: "problem and change", Practice: changes.Practice, Actions: []string{"propose"},
			Leads: []Point{{problemKind, "link"}, {changeKind, "link"}},
			Decide: func(_ context.Context, past itsm.Past[change.Change]) ([]Effect, error) {
				var of itsm.ID
				if past.Record.Fields.Get(problemField, &of) != nil || of == "" {
					return nil, nil
				}
				return []Effect{
					Do(problems.Practice, of, problem.Link{Link: itsm.Link{Rel: problem.FixedBy, To: itsm.Ref{Kind: changeKind, ID: past.Record.ID}}}),
					Do(changes.Practice, past.Record.ID, change.Link{Link: itsm.Link{Rel: change.Solves, To: problem.Ref(of)}}),
				}, nil
			},
		},
		On[change.Change]{
			Name: "problem after its change", Practice: changes.Practice, Actions: []string{"complete", "complete_back_out", "cancel"},
			Leads: []Point{{problemKind, "resolve"}, {problemKind, "monitor"}, {problemKind, "stop_fix"}},
			Decide: func(ctx context.Context, past itsm.Past[change.Change]) (all []Effect, err error) {
				c := &past.Record
				what := fmt.Sprintf("change %s: %s", c.ID, c.Outcome)
				for _, of := range solves(c) {
					if !c.Outcome.Good() {
						all = append(all, Do(problems.Practice, of, problem.StopFix{Reason: what}))
						continue
					}
					all = append(all, Do(problems.Practice, of, problem.Resolve{Code: problem.FixApplied, Note: what}).Named("resolve"),
						Do(problems.Practice, of, problem.Monitor{}).Named("monitor"))
				}
				return all, nil
			},
		},
	}
}

// solves lists the problems that a change is for.
func solves(c *change.Change) (all []itsm.ID) {
	for _, l := range c.Links {
		if l.Rel == change.Solves && l.To.Kind == problemKind {
			all = append(all, l.To.ID)
		}
	}
	return all
}

// Confirmations tell those who had the trouble that it is gone for good: when the
// observation of a fix is over, each incident of the problem gets a public note. Say is
// what it says, in the words and the language of the host's users; nil says so in
// English.
func Confirmations(problems *problem.Practice, incidents *incident.Practice, say func(problem.Problem) string) []Reaction {
	if say == nil {
		say = func(p problem.Problem) string {
			return fmt.Sprintf("What was behind this is removed, and did not come back: %s (problem %s).", p.Title, p.ID)
		}
	}
	return []Reaction{On[problem.Problem]{
		Name: "confirmation of a fix", Practice: problems.Practice, Actions: []string{"end_observation"},
		Leads: []Point{{incidentKind, "note"}},
		Decide: func(_ context.Context, past itsm.Past[problem.Problem]) (all []Effect, err error) {
			for _, id := range shownBy(&past.Record) {
				all = append(all, Do(incidents.Practice, id, incident.Note{Public: true, Text: say(past.Record)}))
			}
			return all, nil
		},
	}}
}

// Articles capture what was found out when an incident is resolved, as a draft for
// those who know, unless something that was known before has helped. Worth says of
// which incidents; nil means of those that were fixed.
func Articles(incidents *incident.Practice, articles *knowledge.Practice, worth func(incident.Incident) bool) []Reaction {
	if worth == nil {
		worth = func(inc incident.Incident) bool { return inc.Resolution.Code == incident.Fixed }
	}
	return []Reaction{On[incident.Incident]{
		Name: "article of a resolution", Practice: incidents.Practice, Actions: []string{"resolve"},
		Leads: []Point{{knowledgeKind, "capture"}},
		Decide: func(_ context.Context, past itsm.Past[incident.Incident]) ([]Effect, error) {
			inc := past.Record
			if linked(&inc, incident.SolvedBy) || !worth(inc) {
				return nil, nil
			}
			return []Effect{Create(articles.Practice, knowledge.Capture{
				Content: knowledge.Content{Title: inc.Title, Issue: inc.Description, Resolution: inc.Resolution.Note},
				Owner:   inc.Resolution.By, Category: inc.Category, Services: list(inc.Service), CIs: list(inc.CI),
				From: itsm.Ref{Kind: incidentKind, ID: inc.ID},
			})}, nil
		},
	}}
}
