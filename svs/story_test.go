package svs_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/change"
	"github.com/go-itsm/itsm/incident"
	"github.com/go-itsm/itsm/knowledge"
	"github.com/go-itsm/itsm/problem"
	"github.com/go-itsm/itsm/request"
	"github.com/go-itsm/itsm/storage/memory"
	"github.com/go-itsm/itsm/svs"
)

// A house has every practice, and every reaction between them.
type house struct {
	t         *testing.T
	now       time.Time
	incidents *incident.Practice
	problems  *problem.Practice
	errors    *problem.KnownErrors
	changes   *change.Practice
	requests  *request.Practice
	articles  *knowledge.Practice
	matcher   *problem.Matcher
	refused   []svs.Refusal
	*svs.System
}

func newHouse(t *testing.T) *house {
	h := &house{t: t, now: monday, matcher: problem.NewMatcher()}
	cfg := itsm.Config{Now: func() time.Time { return h.now }}
	var err error
	h.incidents, err = incident.NewPractice(memory.New[incident.Incident](), incident.Config{Config: cfg,
		Matcher: problem.Hook[incident.Incident, incident.Proposal]{Matcher: h.matcher, Query: func(inc incident.Incident) problem.Query {
			return problem.Query{Text: inc.Title, Service: inc.Service}
		}}})
	require.NoError(t, err)
	h.problems, err = problem.NewPractice(memory.New[problem.Problem](), problem.Config{Config: cfg})
	require.NoError(t, err)
	h.errors, err = problem.NewKnownErrors(memory.New[problem.KnownError](), problem.KnownErrorConfig{Config: cfg, Views: []problem.View[problem.KnownError]{h.matcher}})
	require.NoError(t, err)
	h.changes, err = change.NewPractice(memory.New[change.Change](), change.Config{Config: cfg})
	require.NoError(t, err)
	h.requests, err = request.NewPractice(memory.New[request.Request](), request.Config{Config: cfg})
	require.NoError(t, err)
	h.articles, err = knowledge.NewPractice(memory.New[knowledge.Article](), knowledge.Config{Config: cfg})
	require.NoError(t, err)
	h.System, err = svs.NewSystem(svs.Config{Reactions: h.reactions(),
		Refused: func(_ context.Context, r svs.Refusal) { h.refused = append(h.refused, r) }})
	require.NoError(t, err)
	return h
}

func (h *house) reactions() []svs.Reaction {
	recurrences, err := svs.Recurrences(h.incidents, h.problems, problem.Rules{})
	require.NoError(h.t, err)
	return slices.Concat(
		svs.MajorIncidents(h.incidents, h.problems), recurrences, svs.Symptoms(h.problems, h.incidents),
		svs.KnownErrorOffers(h.errors, h.incidents), svs.Cures(h.problems, h.changes), svs.Confirmations(h.problems, h.incidents, nil),
		svs.Articles(h.incidents, h.articles, nil), svs.StandardChanges(h.requests, h.changes), svs.Misfiled(h.incidents, h.requests),
	)
}

func (h *house) catchUp() {
	h.t.Helper()
	_, err := h.CatchUp(h.t.Context())
	require.NoError(h.t, err)
}

func (h *house) report(title, category string) itsm.ID {
	h.t.Helper()
	inc, err := h.incidents.Open(jin, incident.Report{Title: title, Service: "mail", Category: category, Caller: "jin"})
	require.NoError(h.t, err)
	return inc.ID
}

func (h *house) do(id itsm.ID, actions ...itsm.Action[incident.Incident]) incident.Incident {
	h.t.Helper()
	return doAll(h.t, h.incidents.Practice, id, actions...)
}

func doAll[R any](t *testing.T, p *itsm.Practice[R], id itsm.ID, actions ...itsm.Action[R]) (r R) {
	t.Helper()
	for _, a := range actions {
		var err error
		r, err = p.Do(jin, id, a)
		require.NoError(t, err, a.Action())
	}
	return r
}

func all[R any](t *testing.T, p *itsm.Practice[R]) (records []R) {
	t.Helper()
	for r, err := range p.All(jin, itsm.Query{}) {
		require.NoError(t, err)
		records = append(records, r)
	}
	return records
}

var fixed = incident.Resolve{Code: incident.Fixed, Note: "a new certificate"}

// The same outage three times: a problem is opened, its incidents point to it, its known
// error reaches the fourth, a change removes it, and everybody is told.
func TestStory(t *testing.T) {
	h := newHouse(t)
	var ids []itsm.ID
	for range 3 {
		h.now = h.now.Add(24 * time.Hour)
		id := h.report("No mail, certificate expired", "certificate")
		h.do(id, fixed)
		h.catchUp()
		ids = append(ids, id)
	}
	problems := all(t, h.problems.Practice)
	require.Len(t, problems, 1)
	p := problems[0]
	require.Equal(t, problem.New, p.State)
	require.Equal(t, "mail: certificate", p.Title)
	for _, id := range ids {
		inc, err := h.incidents.Get(jin, id)
		require.NoError(t, err)
		require.Equal(t, incident.Resolved, inc.State, "nothing moves")
		require.Contains(t, inc.Links, itsm.Link{Rel: incident.SymptomOf, To: problem.Ref(p.ID)})
	}
	articles := all(t, h.articles.Practice)
	require.Len(t, articles, 3)
	require.Equal(t, fixed.Note, articles[0].Draft.Resolution)

	fourth := h.report("No mail again", "certificate")
	h.catchUp()
	require.Len(t, all(t, h.problems.Practice), 1, "somebody is looking into that")
	doAll(t, h.problems.Practice, p.ID, problem.Investigate{},
		problem.Identify{Causes: []problem.Cause{{Text: "nobody renews certificates", Evidence: "the calendar"}}})
	known, err := h.errors.Open(jin, problem.Document{Title: "The certificate has run out", Problem: p.ID, Symptoms: []string{"no mail"}, Services: []string{"mail"}})
	require.NoError(t, err)
	doAll(t, h.errors.Practice, known.ID, problem.AddWorkaround{Title: "spare", Steps: "put in the spare one"}, problem.Publish{})
	h.catchUp()
	inc, err := h.incidents.Get(jin, fourth)
	require.NoError(t, err)
	require.Len(t, inc.Proposals, 1)
	require.Equal(t, problem.KnownErrorRef(known.ID), inc.Proposals[0].To)

	doAll(t, h.problems.Practice, p.ID, problem.StartFix{Plan: "renew by itself"})
	h.catchUp()
	changes := all(t, h.changes.Practice)
	require.Len(t, changes, 1)
	require.Contains(t, changes[0].Links, itsm.Link{Rel: change.Solves, To: problem.Ref(p.ID)})
	p, err = h.problems.Get(jin, p.ID)
	require.NoError(t, err)
	require.Contains(t, p.Links, itsm.Link{Rel: problem.FixedBy, To: itsm.Ref{Kind: "change", ID: changes[0].ID}})
	doAll(t, h.changes.Practice, changes[0].ID,
		change.SetPlan{Plan: change.Plan{Implementation: "a job", BackOut: "none", Test: "look"}},
		change.AssessRisk{Answers: map[string]string{"likelihood": "rare", "impact": "nobody"}},
		change.SetWindow{Span: change.Span{Start: h.now.Add(time.Hour), End: h.now.Add(2 * time.Hour)}},
		change.RequestApproval{Approvers: []string{"ann"}})
	_, err = h.changes.Do(itsm.As(t.Context(), "ann"), changes[0].ID, change.Vote{Vote: "approve"})
	require.NoError(t, err)
	h.now = h.now.Add(time.Hour)
	doAll(t, h.changes.Practice, changes[0].ID, change.Start{}, change.Complete{Outcome: change.Successful})
	h.catchUp()
	p, err = h.problems.Get(jin, p.ID)
	require.NoError(t, err)
	require.Equal(t, problem.Monitoring, p.State)
	require.Equal(t, problem.FixApplied, p.Resolution.Code)

	h.now = p.Observation.Until
	_, _, err = h.problems.RunDue(jin)
	require.NoError(t, err)
	h.catchUp()
	for _, id := range ids {
		var said []string
		for n, err := range h.incidents.Journal(jin, id, true) {
			require.NoError(t, err)
			said = append(said, n.Text)
		}
		require.Len(t, said, 1)
		require.Contains(t, said[0], "did not come back")
	}
	require.Empty(t, h.refused)

	// Nothing of it happens again to who reads it all again.
	again, err := svs.NewSystem(svs.Config{Reactions: h.reactions()})
	require.NoError(t, err)
	done, err := again.CatchUp(t.Context())
	require.NoError(t, err)
	require.Zero(t, done)
}

// A major incident that is resolved becomes a problem, unless there is one; a fix that
// fails is stopped, and somebody who reads far behind the others proposes the same.
func TestMajorAndFailedFix(t *testing.T) {
	h := newHouse(t)
	major := []itsm.Action[incident.Incident]{incident.ProposeMajor{Reason: "all of mail"}, incident.AcceptMajor{Reason: "it is", Commander: "mia"}}
	one := h.report("No mail", "")
	h.do(one, major...)
	h.do(one, incident.Resolve{Code: incident.Workaround, Note: "restarted"})
	two := h.report("No mail either", "")
	h.do(two, major...)
	h.do(two, incident.Link{Link: itsm.Link{Rel: incident.SymptomOf, To: itsm.Ref{Kind: "problem", ID: "prb-1"}}}, fixed)
	h.catchUp()
	problems := all(t, h.problems.Practice)
	require.Len(t, problems, 1)
	p := problems[0]
	require.Equal(t, "No mail", p.Title)
	require.Equal(t, []itsm.Link{{Rel: problem.ShownBy, To: itsm.Ref{Kind: "incident", ID: one}}}, p.Links)

	doAll(t, h.problems.Practice, p.ID, problem.Investigate{}, problem.Identify{Causes: []problem.Cause{{Text: "a leak", Evidence: "a graph"}}},
		problem.StartFix{Plan: "an update"})
	h.catchUp()
	c := all(t, h.changes.Practice)[0]
	doAll(t, h.changes.Practice, c.ID, change.Cancel{Reason: "no money"})
	h.catchUp()
	p, err := h.problems.Get(jin, p.ID)
	require.NoError(t, err)
	require.Equal(t, problem.Identified, p.State)

	// A fix that says where it is done needs no other change.
	doAll(t, h.problems.Practice, p.ID, problem.StartFix{Change: itsm.Ref{Kind: "change", ID: "chg-1"}})
	h.catchUp()
	require.Len(t, all(t, h.changes.Practice), 1)
	require.Empty(t, h.refused)

	_, err = svs.Recurrences(h.incidents, h.problems, problem.Rules{Repeats: -1})
	require.ErrorIs(t, err, itsm.ErrInvalid)
}

// Two systems share one reaction that remembers, one of them far behind.
func TestRecurrencesBehind(t *testing.T) {
	h := newHouse(t)
	recurrences, err := svs.Recurrences(h.incidents, h.problems, problem.Rules{})
	require.NoError(t, err)
	for range 3 {
		h.now = h.now.Add(time.Hour)
		h.report("No mail", "certificate")
	}
	ahead, err := svs.NewSystem(svs.Config{Reactions: recurrences})
	require.NoError(t, err)
	done, err := ahead.CatchUp(t.Context())
	require.NoError(t, err)
	require.Equal(t, 1, done)
	h.report("No paper", "paper")
	_, err = ahead.CatchUp(t.Context())
	require.NoError(t, err)
	behind, err := svs.NewSystem(svs.Config{Name: "behind", Reactions: recurrences})
	require.NoError(t, err)
	done, err = behind.CatchUp(t.Context())
	require.NoError(t, err)
	require.Zero(t, done)
	require.Len(t, all(t, h.problems.Practice), 1)
}
