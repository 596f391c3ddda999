package svs

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/incident"
	"github.com/go-itsm/itsm/problem"
)

// Kinds of the references between the practices, which are their names.
const (
	incidentKind   = "incident"
	problemKind    = "problem"
	changeKind     = "change"
	requestKind    = "request"
	knowledgeKind  = "knowledge"
	reactionSource = "major incident"
)

// MajorIncidents makes a problem of each major incident that is resolved, unless
// somebody has pointed to one: service is restored, and nobody knows yet why it was
// lost. The problem is new; whether it is worth the work is for people to say.
func MajorIncidents(incidents *incident.Practice, problems *problem.Practice) []Reaction {
	return []Reaction{On[incident.Incident]{
		Name: "problem of a major incident", Practice: incidents.Practice, Actions: []string{"resolve"},
		Leads: []Point{{problemKind, "register"}},
		Decide: func(_ context.Context, past itsm.Past[incident.Incident]) ([]Effect, error) {
			inc := &past.Record
			if inc.Major.Status != incident.MajorAccepted || linked(inc, incident.SymptomOf) {
				return nil, nil
			}
			return []Effect{Create(problems.Practice, problem.Register{
				Title: inc.Title, Description: inc.Resolution.Note, Source: reactionSource, Symptom: inc.Category,
				Services: list(inc.Service), CIs: list(inc.CI), Incidents: []itsm.Ref{{Kind: incidentKind, ID: inc.ID}},
			})}, nil
		},
	}}
}

func list(one string) []string {
	if one == "" {
		return nil
	}
	return []string{one}
}

// Symptoms lets the incidents by which a problem was found point to it. That moves
// none of them: where they stand is for those who restore service.
func Symptoms(problems *problem.Practice, incidents *incident.Practice) []Reaction {
	return []Reaction{On[problem.Problem]{
		Name: "symptoms of a problem", Practice: problems.Practice, Actions: []string{"register"},
		Leads: []Point{{incidentKind, "link"}},
		Decide: func(_ context.Context, past itsm.Past[problem.Problem]) (all []Effect, err error) {
			for _, id := range shownBy(&past.Record) {
				all = append(all, Do(incidents.Practice, id, incident.Link{
					Link: itsm.Link{Rel: incident.SymptomOf, To: problem.Ref(past.Record.ID)}}))
			}
			return all, nil
		},
	}}
}

// shownBy lists the incidents of a problem.
func shownBy(p *problem.Problem) (all []itsm.ID) {
	for _, l := range p.Links {
		if l.Rel == problem.ShownBy && l.To.Kind == incidentKind {
			all = append(all, l.To.ID)
		}
	}
	return all
}

// Recurrences makes a problem of what a [problem.Detector] proposes by the rules:
// what comes back again and again, what its workaround no longer helps against, what
// surges. Major incidents are those of [MajorIncidents]. Nothing is made of what an
// open problem names the service and symptom of: somebody is looking into that.
//
// The detector is in memory. The first event that it is asked about lets it read the
// incidents from the beginning. It returns an [itsm.ErrInvalid] for rules that are.
func Recurrences(incidents *incident.Practice, problems *problem.Practice, rules problem.Rules) ([]Reaction, error) {
	rules.Off = append(slices.Clone(rules.Off), problem.MajorIncident)
	watch := &watch{incidents: incidents, rules: rules, actions: told(incidents.Lifecycle())}
	if err := watch.restart(); err != nil {
		return nil, err
	}
	return []Reaction{On[incident.Incident]{
		Name: "problem of a recurrence", Practice: incidents.Practice, Actions: watch.actions,
		Leads: []Point{{problemKind, "register"}},
		Decide: func(ctx context.Context, past itsm.Past[incident.Incident]) (all []Effect, err error) {
			proposals, err := watch.proposals(ctx, past.Event)
			for _, p := range proposals {
				known, err := lookedInto(ctx, problems, p)
				if err != nil {
					return nil, err
				}
				if !known {
					all = append(all, Create(problems.Practice, p.Register()).Named(fmt.Sprint(p.Rule, " ", p.Service, " ", p.Symptom, " ", p.KnownError)))
				}
			}
			return all, err
		},
	}}, nil
}

// told lists the actions by which an incident shows that something comes back, as far
// as a lifecycle has them. A link may show it too; what is proposed because of one is
// acted upon with the next of these, because [Symptoms] link.
func told(l *itsm.Lifecycle) (all []string) {
	has := actionsOf(l)
	for _, a := range []string{"report", "classify", "resolve", "reopen", "reject_resolution", "continue", "mark", "reinstate"} {
		if has[a] {
			all = append(all, a)
		}
	}
	return all
}

// lookedInto reports whether a problem is open that is about the same.
func lookedInto(ctx context.Context, problems *problem.Practice, p problem.Proposal) (bool, error) {
	if p.Service == "" || p.Symptom == "" {
		return false, nil
	}
	page, err := problems.List(ctx, itsm.Query{States: open(problems.Lifecycle()), Limit: 1,
		Where: []itsm.Key{{Field: "service", Value: p.Service}, {Field: "symptom", Value: p.Symptom}}})
	return len(page.Records) > 0, err
}

// A watch is a detector that is told of events in the order of the feed, each once,
// whatever it is asked about.
type watch struct {
	incidents *incident.Practice
	rules     problem.Rules
	actions   []string // that it is asked about

	mu       sync.Mutex
	detector *problem.Detector
	cursor   itsm.Cursor
	pending  []problem.Proposal // because of others
	seen     map[itsm.ID][]problem.Proposal
}

func (w *watch) restart() (err error) {
	w.detector, err = problem.NewDetector(w.rules, nil)
	w.cursor, w.pending, w.seen = "", nil, map[itsm.ID][]problem.Proposal{}
	return err
}

// maxSeen bounds what is remembered of what was asked about before.
const maxSeen = 10_000

// proposals returns what is proposed because of an event, the same whenever it is asked.
func (w *watch) proposals(ctx context.Context, e itsm.Event) ([]problem.Proposal, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	proposals, found := w.seen[e.ID]
	if found {
		return proposals, nil
	}
	proposals, found, err := w.read(ctx, e.ID)
	if found || err != nil {
		return proposals, err
	}
	// It was passed long ago: somebody who has the same reaction is far behind.
	if err := w.restart(); err != nil {
		return nil, err
	}
	proposals, _, err = w.read(ctx, e.ID)
	return proposals, err
}

// read goes on with the feed until it comes to an event.
func (w *watch) read(ctx context.Context, id itsm.ID) (proposals []problem.Proposal, found bool, err error) {
	if len(w.seen) > maxSeen {
		clear(w.seen)
	}
	for d, err := range w.incidents.Feed(ctx, w.cursor) {
		if err != nil {
			return nil, false, err
		}
		proposals, err := w.detector.Event(d.Event)
		if err != nil {
			// It must not seem to be refused.
			return nil, false, fmt.Errorf("event %s cannot be read: %v", d.Event.ID, err)
		}
		w.cursor = d.Cursor
		w.pending = append(w.pending, proposals...)
		if slices.Contains(w.actions, d.Event.Action) {
			proposals, w.pending = w.pending, nil
			if d.Event.ID == id {
				w.seen[id] = proposals
				return proposals, true, nil
			}
		}
	}
	return nil, false, nil
}
