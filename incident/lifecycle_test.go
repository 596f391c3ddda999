package incident_test

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/incident"
	"github.com/go-itsm/itsm/storage/memory"
)

var update = flag.Bool("update", false, "rewrite the golden files and the diagram in doc.go")

func TestDiagramsAreGolden(t *testing.T) {
	l := incident.DefaultLifecycle()
	for name, text := range map[string]string{"lifecycle.mmd": l.Mermaid(), "lifecycle.dot": l.DOT()} {
		path := filepath.Join("testdata", name)
		if *update {
			require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
		}
		golden, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Equal(t, string(golden), text, "go test ./incident -update rewrites %s", path)
	}
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
	for line := range strings.Lines(incident.DefaultLifecycle().Mermaid()) {
		want.WriteString("//\t" + line)
	}
	if *update {
		require.NoError(t, os.WriteFile("doc.go", []byte(head+want.String()+end+tail), 0o644))
		return
	}
	require.Equal(t, want.String(), begin+shown, "go test ./incident -update rewrites it")
}

// Every action that an actor can ask for is in the documentation's list.
func TestDocListsEveryAction(t *testing.T) {
	source, err := os.ReadFile("doc.go")
	require.NoError(t, err)
	types := map[string]string{"hold": "PutOnHold"}
	d := newDesk(t, incident.Config{})
	options, err := d.WhyNot(mia, d.open().ID)
	require.NoError(t, err)
	require.Greater(t, len(options), 35)
	for _, o := range options {
		name, ok := types[o.Action]
		if !ok {
			for word := range strings.SplitSeq(o.Action, "_") {
				name += strings.ToUpper(word[:1]) + word[1:]
			}
		}
		require.Contains(t, string(source), "["+name+"]")
	}
}

// edge is a step between two states.
type edge struct{ from, to itsm.State }

// superset is what 14 products' incidents may do, typed in from the survey of
// them: 25 edges, the last of which is off by default.
var superset = []struct {
	edge
	actions []string
}{
	{edge{"new", "assigned"}, []string{"assign", "escalate_functional"}},
	{edge{"new", "in_progress"}, []string{"start"}},
	{edge{"new", "on_hold"}, []string{"hold"}},
	{edge{"new", "resolved"}, []string{"resolve"}},
	{edge{"new", "cancelled"}, []string{"cancel", "merge"}},
	{edge{"assigned", "new"}, []string{"unassign"}},
	{edge{"assigned", "in_progress"}, []string{"start"}},
	{edge{"assigned", "on_hold"}, []string{"hold"}},
	{edge{"assigned", "resolved"}, []string{"resolve"}},
	{edge{"assigned", "cancelled"}, []string{"cancel", "merge"}},
	{edge{"in_progress", "assigned"}, []string{"assign", "escalate_functional"}},
	{edge{"in_progress", "on_hold"}, []string{"hold"}},
	{edge{"in_progress", "resolved"}, []string{"resolve"}},
	{edge{"in_progress", "cancelled"}, []string{"cancel", "merge"}},
	{edge{"on_hold", "assigned"}, []string{"assign", "escalate_functional"}},
	{edge{"on_hold", "in_progress"}, []string{"auto_resume", "resume"}},
	{edge{"on_hold", "resolved"}, []string{"resolve"}},
	{edge{"on_hold", "cancelled"}, []string{"cancel", "merge"}},
	{edge{"resolved", "closed"}, []string{"auto_close", "close"}},
	{edge{"resolved", "assigned"}, []string{"reject_resolution"}},
	{edge{"resolved", "in_progress"}, []string{"reopen"}},
	{edge{"resolved", "cancelled"}, []string{"cancel", "merge"}},
	{edge{"closed", "in_progress"}, []string{"reopen"}},
	{edge{"closed", "assigned"}, []string{"reject_resolution"}},
	{edge{"cancelled", "new"}, []string{"reinstate"}},
}

// moves lists the actions on every edge of a lifecycle that leads elsewhere.
func moves(l *itsm.Lifecycle) map[edge][]string {
	all := map[edge][]string{}
	for from := range l.States() {
		for action, to := range l.Permitted(from) {
			if from != to {
				all[edge{from, to}] = append(all[edge{from, to}], action)
			}
		}
	}
	return all
}

func TestEveryEdgeHasANamedAction(t *testing.T) {
	require.Len(t, superset, 25)
	reinstating, err := incident.DefaultLifecycle().With(incident.AllowReinstate)
	require.NoError(t, err)
	want := map[edge][]string{}
	for _, row := range superset {
		want[row.edge] = row.actions
	}
	require.Equal(t, want, moves(reinstating))

	delete(want, edge{"cancelled", "new"})
	require.Equal(t, want, moves(incident.DefaultLifecycle()))
	to, ok := incident.DefaultLifecycle().Can(incident.Assigned, "assign")
	require.True(t, ok && to == incident.Assigned, "reassigning")
}

// survey is the machine-readable form of what was read in other products.
type survey struct {
	Canonical map[string]machine `json:"canonical"`
	Products  []product          `json:"products"`
}

type machine struct {
	Init     []itsm.State                `json:"init"`
	Terminal []itsm.State                `json:"terminal"`
	Edges    map[itsm.State][]itsm.State `json:"edges"`
}

type product struct {
	Name     string                `json:"name"`
	Practice string                `json:"practice"`
	Map      map[string]itsm.State `json:"map"`
	Edges    map[string][]string   `json:"edges"`
}

func readSurvey(t *testing.T) survey {
	dir := os.Getenv("ITSM_SHARED")
	if dir == "" {
		dir = filepath.Join("..", "..", "shared")
	}
	data, err := os.ReadFile(filepath.Join(dir, "mappings.json"))
	if err != nil {
		t.Skip("there is no mappings.json; ITSM_SHARED says in which directory it is")
	}
	var s survey
	require.NoError(t, json.Unmarshal(data, &s))
	return s
}

func TestSurveyAgrees(t *testing.T) {
	canonical := readSurvey(t).Canonical["incident"]
	l, err := incident.DefaultLifecycle().With(incident.AllowReinstate)
	require.NoError(t, err)
	require.Equal(t, []itsm.State{l.Initial()}, canonical.Init)
	var want, have []edge
	for from, tos := range canonical.Edges {
		for _, to := range tos {
			want = append(want, edge{from, to})
		}
	}
	for e := range moves(l) {
		have = append(have, e)
	}
	require.ElementsMatch(t, want, have)
	for s := range l.States() {
		require.Equal(t, slices.Contains(canonical.Terminal, s), l.IsEnd(s), "%s", s)
	}
}

// Every step that another product's incidents take is one of ours, or stays in
// its state: its history can be told in our terms.
func TestOtherProductsMapOntoTheLifecycle(t *testing.T) {
	// The steps of products that have no counterpart. None of the incident
	// machines needs one.
	exceptions := map[string][][2]string{}

	s := readSurvey(t)
	l := incident.DefaultLifecycle()
	legal := moves(l)
	machines, steps := 0, 0
	for _, p := range s.Products {
		if p.Practice != "incident" {
			continue
		}
		machines++
		for from, tos := range p.Edges {
			for _, to := range tos {
				steps++
				a, b := p.Map[from], p.Map[to]
				require.True(t, l.Has(a) && l.Has(b), "%s: %s → %s", p.Name, from, to)
				ok := a == b || legal[edge{a, b}] != nil
				excepted := slices.Contains(exceptions[p.Name], [2]string{from, to})
				require.Equal(t, !excepted, ok, "%s: %s → %s is %s → %s", p.Name, from, to, a, b)
			}
		}
	}
	require.GreaterOrEqual(t, machines, 4)
	t.Logf("%d machines, %d steps", machines, steps)
}

func TestStates(t *testing.T) {
	l := incident.DefaultLifecycle()
	require.Equal(t, incident.States(), slices.Collect(l.States()))
	require.Equal(t, "incident", l.Name())
	require.Equal(t, "report", l.Create())
	data, err := json.Marshal(l)
	require.NoError(t, err)
	again, err := itsm.ParseLifecycle(data)
	require.NoError(t, err)
	require.True(t, itsm.Diff(l, again).Empty())
}

func TestNewPracticeRefuses(t *testing.T) {
	store := memory.New[incident.Incident]()
	unknown, err := incident.DefaultLifecycle().With(func(s *itsm.LifecycleSpec) {
		s.Allow("teleport", incident.Closed, incident.New)
	})
	require.NoError(t, err)
	for _, c := range []struct {
		name     string
		cfg      incident.Config
		findings []string
	}{
		{"Policies", incident.Config{Reopen: incident.ReopenPolicy{Mode: 7, Window: -1}, Children: 9}, []string{
			"reopen.mode is unknown", "reopen.window must not be negative", "children is unknown"}},
		{"NegativePolicies", incident.Config{Reopen: incident.ReopenPolicy{Mode: -1}, Children: -1}, []string{
			"reopen.mode is unknown", "children is unknown"}},
		{"ActionWithoutType", incident.Config{Lifecycle: unknown}, []string{
			`lifecycle has the action "teleport", for which there is no type`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := incident.NewPractice(store, c.cfg)
			require.ErrorIs(t, err, itsm.ErrInvalid)
			require.Equal(t, c.findings, said(err))
		})
	}
	_, err = incident.NewPractice(nil, incident.Config{})
	require.ErrorIs(t, err, itsm.ErrInvalid)
}
