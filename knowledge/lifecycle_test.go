package knowledge_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/knowledge"
)

var update = flag.Bool("update", false, "rewrite the golden files and the diagram in doc.go")

func golden(t *testing.T, name, text string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
	}
	have, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(have), text, "go test ./knowledge -update rewrites %s", path)
}

func TestDiagramsAreGolden(t *testing.T) {
	l := knowledge.DefaultLifecycle()
	golden(t, "lifecycle.mmd", l.Mermaid())
	golden(t, "lifecycle.dot", l.DOT())
}

// The diagram in the package's documentation is the generated one.
func TestDocShowsTheDiagram(t *testing.T) {
	const begin, end = "//\tstateDiagram-v2\n", "//\n"
	source, err := os.ReadFile("doc.go")
	require.NoError(t, err)
	head, rest, ok := strings.Cut(string(source), begin)
	require.True(t, ok)
	shown, tail, ok := strings.Cut(rest, end)
	require.True(t, ok)
	var want strings.Builder
	for line := range strings.Lines(knowledge.DefaultLifecycle().Mermaid()) {
		want.WriteString("//\t" + line)
	}
	if *update {
		require.NoError(t, os.WriteFile("doc.go", []byte(head+want.String()+end+tail), 0o644))
		return
	}
	require.Equal(t, want.String(), begin+shown, "go test ./knowledge -update rewrites it")
}

// Every action that an actor can ask for is in the documentation's list.
func TestDocListsEveryAction(t *testing.T) {
	source, err := os.ReadFile("doc.go")
	require.NoError(t, err)
	l := newLibrary(t, knowledge.Config{})
	options, err := l.WhyNot(mia, l.write().ID)
	require.NoError(t, err)
	require.Greater(t, len(options), 30)
	for _, one := range options {
		var name string
		for word := range strings.SplitSeq(one.Action, "_") {
			name += strings.ToUpper(word[:1]) + word[1:]
		}
		require.Contains(t, string(source), "["+name+"]")
	}
}

// path finds a shortest way from one state to another.
func path(l *itsm.Lifecycle, from, to itsm.State) []itsm.State {
	ways := [][]itsm.State{{from}}
	seen := map[itsm.State]bool{from: true}
	for len(ways) > 0 {
		way := ways[0]
		ways = ways[1:]
		last := way[len(way)-1]
		if last == to {
			return way
		}
		for _, next := range l.Permitted(last) {
			if !seen[next] {
				seen[next] = true
				ways = append(ways, append(slices.Clone(way), next))
			}
		}
	}
	return nil
}

// What other products' articles go through, from their documents and sources: each state,
// what it is here, and where it leads. KCS moves freely between its confidences, which
// stand beside the state here.
var products = []struct {
	name  string
	is    map[string]itsm.State
	edges map[string][]string
}{
	{"ServiceNow", map[string]itsm.State{"draft": knowledge.Draft, "review": knowledge.InReview, "scheduled for publish": knowledge.Scheduled,
		"published": knowledge.Published, "pending retirement": knowledge.PendingRetirement, "retired": knowledge.Retired},
		map[string][]string{"draft": {"review", "published"}, "review": {"draft", "published", "scheduled for publish"}, "scheduled for publish": {"published"},
			"published": {"pending retirement", "retired"}, "pending retirement": {"published", "retired"}}},
	{"Zammad", map[string]itsm.State{"draft": knowledge.Draft, "internal": knowledge.Published, "published": knowledge.Published, "archived": knowledge.Retired},
		map[string][]string{"draft": {"internal", "published"}, "internal": {"published", "archived"}, "published": {"archived", "internal"}, "archived": {"draft", "internal"}}},
	{"GLPI", map[string]itsm.State{"before begin_date": knowledge.Scheduled, "visible": knowledge.Published, "after end_date": knowledge.Retired},
		map[string][]string{"before begin_date": {"visible"}, "visible": {"after end_date"}, "after end_date": {"visible"}}},
	{"frappe", map[string]itsm.State{"Draft": knowledge.Draft, "Published": knowledge.Published, "Archived": knowledge.Retired},
		map[string][]string{"Draft": {"Published", "Archived"}, "Published": {"Draft", "Archived"}, "Archived": {"Draft", "Published"}}},
	{"heidsoft", map[string]itsm.State{"not published": knowledge.Draft, "is_published": knowledge.Published},
		map[string][]string{"not published": {"is_published"}, "is_published": {"not published"}}},
}

// Every step that another product's articles take is a legal path. Most are one step of
// ours; those that are more are listed.
func TestOtherProductsMapOntoTheLifecycle(t *testing.T) {
	l := knowledge.DefaultLifecycle()
	steps := 0
	var longer []string
	for _, p := range products {
		for _, from := range slices.Sorted(maps.Keys(p.edges)) {
			for _, to := range p.edges[from] {
				steps++
				a, b := p.is[from], p.is[to]
				require.NotEmpty(t, a, from)
				require.NotEmpty(t, b, to)
				way := path(l, a, b)
				require.NotNil(t, way, "%s: %s → %s", p.name, from, to)
				if len(way) > 2 {
					longer = append(longer, fmt.Sprintf("%s: %s → %s is %s", p.name, from, to, strings.Trim(fmt.Sprint(way), "[]")))
				}
			}
		}
	}
	require.Equal(t, []string{
		"GLPI: after end_date → visible is retired draft published",
		"ServiceNow: review → published is in_review scheduled published", // in one commit
		"Zammad: archived → internal is retired draft published",
		"frappe: Archived → Published is retired draft published",
	}, slices.Sorted(slices.Values(longer)))
	require.Equal(t, 29, steps)
}

// The states of the survey are those of the lifecycle, but for archived, which is the
// confidence of what is retired.
func TestStates(t *testing.T) {
	l := knowledge.DefaultLifecycle()
	require.Equal(t, knowledge.States(), slices.Collect(l.States()))
	require.Equal(t, "draft in_review scheduled published review_due pending_retirement retired", strings.Trim(fmt.Sprint(knowledge.States()), "[]"))
	for s := range l.States() {
		require.NotNil(t, path(l, knowledge.Draft, s))
		require.NotNil(t, path(l, s, knowledge.Retired))
	}
	data, err := json.Marshal(l)
	require.NoError(t, err)
	again, err := itsm.ParseLifecycle(data)
	require.NoError(t, err)
	require.True(t, itsm.Diff(l, again).Empty())
}

// Every combination of state and confidence is reached by actors, or there is a reason why
// it is not.
func TestEveryStateAndConfidence(t *testing.T) {
	half := knowledge.Improve{Content: knowledge.Content{Title: "t", Issue: "i"}}
	later := func(l *library) knowledge.Schedule { return knowledge.Schedule{At: l.clock.now().Add(time.Hour)} }
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
						require.Equal(t, 1, l.due(2*time.Hour))
						continue
					}
					l.do(mia, id, a)
				}
				require.Equal(t, s, l.get(id).State)
				require.Equal(t, c, l.get(id).Confidence)
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
	l.refuse(mia, id, submit, "it does not say what to do yet")
	l.refuse(mia, id, later(l), "it does not say what to do yet")
	l.refuse(mia, id, vouch, "it does not say what to do yet")
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
	require.Equal(t, 1, l.due(20*time.Hour))
	r = l.get(r.ID)
	require.Nil(t, r.Live)
	require.Equal(t, itsm.State("legal_check"), r.State)
	r = l.do(mia, r.ID, publish)
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
	}, said(err))
	_, err = knowledge.NewPractice(nil, knowledge.Config{})
	require.ErrorIs(t, err, itsm.ErrInvalid)
	rule, err := knowledge.ParseApprovalRule([]byte(`{"name":"legal","of":"publication","when":{"category":["law"]},"policy":{"rule":{"of":[{"role":"legal"}]},"within":"48h"}}`))
	require.NoError(t, err)
	require.Equal(t, 48*time.Hour, rule.Policy.Within)
}
