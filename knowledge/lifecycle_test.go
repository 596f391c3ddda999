package knowledge_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/internal/lifecycletest"
	"github.com/go-itsm/itsm/knowledge"
	"github.com/go-itsm/itsm/practicetest"
)

func TestDocuments(t *testing.T) {
	lifecycletest.Diagrams(t, "lifecycle", knowledge.DefaultLifecycle())
	lifecycletest.DocShows(t, knowledge.DefaultLifecycle())
	lifecycletest.DocLists(t, newLibrary(t, knowledge.Config{}).Actions(), "", 30)
	lifecycletest.Holds(t, knowledge.DefaultLifecycle(), knowledge.States()...)
}

// What other products' articles go through, from their documents and sources: each state,
// what it is here, and where it leads. KCS moves freely between its confidences, which
// stand beside the state here.
var products = []lifecycletest.Product{
	{Name: "ServiceNow", Map: map[string]itsm.State{"draft": knowledge.Draft, "review": knowledge.InReview, "scheduled for publish": knowledge.Scheduled,
		"published": knowledge.Published, "pending retirement": knowledge.PendingRetirement, "retired": knowledge.Retired},
		Edges: map[string][]string{"draft": {"review", "published"}, "review": {"draft", "published", "scheduled for publish"}, "scheduled for publish": {"published"},
			"published": {"pending retirement", "retired"}, "pending retirement": {"published", "retired"}}},
	{Name: "Zammad", Map: map[string]itsm.State{"draft": knowledge.Draft, "internal": knowledge.Published, "published": knowledge.Published, "archived": knowledge.Retired},
		Edges: map[string][]string{"draft": {"internal", "published"}, "internal": {"published", "archived"}, "published": {"archived", "internal"}, "archived": {"draft", "internal"}}},
	{Name: "GLPI", Map: map[string]itsm.State{"before begin_date": knowledge.Scheduled, "visible": knowledge.Published, "after end_date": knowledge.Retired},
		Edges: map[string][]string{"before begin_date": {"visible"}, "visible": {"after end_date"}, "after end_date": {"visible"}}},
	{Name: "frappe", Map: map[string]itsm.State{"Draft": knowledge.Draft, "Published": knowledge.Published, "Archived": knowledge.Retired},
		Edges: map[string][]string{"Draft": {"Published", "Archived"}, "Published": {"Draft", "Archived"}, "Archived": {"Draft", "Published"}}},
	{Name: "heidsoft", Map: map[string]itsm.State{"not published": knowledge.Draft, "is_published": knowledge.Published},
		Edges: map[string][]string{"not published": {"is_published"}, "is_published": {"not published"}}},
}

// Every step that another product's articles take is a legal path. Most are one step of
// ours; those that are more are listed.
func TestOtherProductsMapOntoTheLifecycle(t *testing.T) {
	var steps lifecycletest.Steps
	for _, p := range products {
		steps.Add(t, p, lifecycletest.Ways(knowledge.DefaultLifecycle()))
	}
	require.Empty(t, steps.None)
	require.Equal(t, []string{
		"GLPI: after end_date → visible is retired draft published",
		"ServiceNow: review → published is in_review scheduled published", // in one commit
		"Zammad: archived → internal is retired draft published",
		"frappe: Archived → Published is retired draft published",
	}, steps.Longer)
	require.Equal(t, 29, steps.N)
}

// The states of the survey are those of the lifecycle, but for archived, which is the
// confidence of what is retired.
func TestStates(t *testing.T) {
	require.Equal(t, "draft in_review scheduled published review_due pending_retirement retired", strings.Trim(fmt.Sprint(knowledge.States()), "[]"))
	for s := range knowledge.DefaultLifecycle().States() {
		require.NotNil(t, lifecycletest.Path(knowledge.DefaultLifecycle(), s, knowledge.Retired))
	}
}

// Every combination of state and confidence is reached by actors, or there is a reason why
// it is not.
func TestEveryStateAndConfidence(t *testing.T) {
	half := knowledge.Improve{Content: knowledge.Content{Title: "t", Issue: "i"}}
	later := func(l *library) knowledge.Schedule { return knowledge.Schedule{At: l.Time.Now().Add(time.Hour)} }
	every := knowledge.Plan{ReviewEvery: time.Hour}
	vouch := knowledge.Validate{}
	ask := knowledge.ProposeRetirement{Reason: "r", Reviewers: []string{"bob"}}
	rules := append(knowledge.DefaultApprovals(), knowledge.ApprovalRule{Name: "named", Of: knowledge.ForRetirement, Policy: knowledge.DefaultApprovals()[1].Policy})
	type way func(l *library) []action
	do := func(actions ...action) way { return func(*library) []action { return actions } }
	none := func(says string) any { return says }
	const unfinished = "what does not say what to do is neither handed in nor scheduled"
	const archived = "what is archived is retired, and only that"
	combinations := map[itsm.State]map[knowledge.Confidence]any{
		knowledge.Draft:             {knowledge.WIP: do(half), knowledge.NotValidated: do(), knowledge.Validated: do(vouch)},
		knowledge.InReview:          {knowledge.WIP: none(unfinished), knowledge.NotValidated: do(submit), knowledge.Validated: do(vouch, submit)},
		knowledge.Scheduled:         {knowledge.WIP: none(unfinished), knowledge.NotValidated: way(func(l *library) []action { return []action{later(l)} }), knowledge.Validated: way(func(l *library) []action { return []action{vouch, later(l)} })},
		knowledge.Published:         {knowledge.WIP: do(half, publish), knowledge.NotValidated: do(publish), knowledge.Validated: do(publish, vouch)},
		knowledge.ReviewDue:         {knowledge.WIP: do(half, every, publish, nil), knowledge.NotValidated: do(every, publish, nil), knowledge.Validated: do(every, publish, vouch, nil)},
		knowledge.PendingRetirement: {knowledge.WIP: do(half, publish, ask), knowledge.NotValidated: do(publish, ask), knowledge.Validated: do(vouch, publish, ask)},
		knowledge.Retired:           {knowledge.Archived: do(retire)},
	}
	reached := 0
	for _, s := range knowledge.States() {
		for _, c := range knowledge.Confidences() {
			switch how := combinations[s][c].(type) {
			case way:
				l := newLibrary(t, knowledge.Config{Approvals: rules})
				id := l.write().ID
				for _, a := range how(l) {
					if a == nil {
						require.Equal(t, 1, l.Due(2*time.Hour))
						continue
					}
					l.Did(mia, id, a)
				}
				require.Equal(t, s, l.Record(id).State)
				require.Equal(t, c, l.Record(id).Confidence)
				reached++
			case string:
				require.Equal(t, unfinished, how)
			default: // what is archived is retired, and only that: see TestHistoryIsTheRecord
				require.NotEqual(t, s == knowledge.Retired, c == knowledge.Archived, archived)
			}
		}
	}
	require.Equal(t, 17, reached)
	l := newLibrary(t, knowledge.Config{})
	id := l.write(half).ID
	l.Refuse(mia, id, submit, "it does not say what to do yet")
	l.Refuse(mia, id, later(l), "it does not say what to do yet")
	l.Refuse(mia, id, vouch, "it does not say what to do yet")
}

// askLegal is the host's own.
type askLegal struct{}

func (askLegal) Action() string                              { return "ask_legal" }
func (askLegal) Apply(*knowledge.Article, itsm.Moment) error { return nil }

// A host has a state and an action of its own: everything usual is permitted there, and
// what the practice does by itself happens there, too.
func TestAHostsOwnState(t *testing.T) {
	longer, err := knowledge.DefaultLifecycle().With(func(s *itsm.LifecycleSpec) {
		s.AddState("legal_check")
		s.Allow("ask_legal", "legal_check", knowledge.Draft)
		s.Allow("submit", knowledge.InReview, "legal_check")
		s.Allow("publish", knowledge.Published, "legal_check")
		s.Allow("retire", knowledge.Retired, "legal_check")
		s.Allow("note", "", "legal_check")
	}, knowledge.AllowUsual(knowledge.InReview, "legal_check"))
	require.NoError(t, err)
	l := newLibrary(t, knowledge.Config{Lifecycle: longer, Actions: []action{askLegal{}}})
	r := l.write(publish, knowledge.Plan{ExpiresAt: morning.Add(10 * time.Hour)}, knowledge.Revise{}, askLegal{}, knowledge.Note{Text: "t"}, knowledge.Flag{Kind: knowledge.Unclear})
	require.NotNil(t, r.Live)
	require.Equal(t, 1, l.Due(20*time.Hour))
	r = l.Record(r.ID)
	require.Nil(t, r.Live)
	require.Equal(t, itsm.State("legal_check"), r.State)
	r = l.Did(mia, r.ID, publish)
	require.Equal(t, 2, r.Live.Number)
}

func TestNewPracticeRefuses(t *testing.T) {
	rules := []knowledge.ApprovalRule{{Name: "a", Of: "b"}, {Name: "a", Of: knowledge.ForPublication}, {Of: knowledge.ForPublication}, {Name: "a", Of: knowledge.ForPublication}}
	rules[0].Policy.Recount = true
	rules[2].Policy.Within = -1
	_, err := knowledge.NewPractice(nil, knowledge.Config{Approvals: rules, Audience: knowledge.Audience{Reach: "moon", Domains: []string{"", "x", "x"}},
		Governance: "anarchy", Locale: strings.Repeat("x", 201), ReviewEvery: -1, ValidateAfter: -1})
	require.Equal(t, []string{
		`approvals[0].of must be publication or retirement, is "b"`, "approvals[0].policy.recount must be false: what is published has been read",
		"approvals[2].name must not be empty", "approvals[2].policy.within must not be negative", `approvals[3].name "a" is there twice`,
		`audience.reach must be internal, partner, customer or public, is "moon"`, "audience.domains[0] must not be empty", `audience.domains[2] "x" is there twice`,
		`governance must be experience or compliance, is "anarchy"`, "locale must have at most 200 characters, has 201",
		"review_every must not be negative", "validate_after must not be negative",
	}, practicetest.Said(err))
	_, err = knowledge.NewPractice(nil, knowledge.Config{})
	require.ErrorIs(t, err, itsm.ErrInvalid)
	rule, err := knowledge.ParseApprovalRule([]byte(`{"name":"legal","of":"publication","when":{"category":["law"]},"policy":{"rule":{"of":[{"role":"legal"}]},"within":"48h"}}`))
	require.NoError(t, err)
	require.Equal(t, 48*time.Hour, rule.Policy.Within)
}
