package change_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/change"
	"github.com/go-itsm/itsm/storage/memory"
)

var update = flag.Bool("update", false, "rewrite the golden files and the diagram in doc.go")

func golden(t *testing.T, name, text string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
	}
	have, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(have), text, "go test ./change -update rewrites %s", path)
}

func TestDiagramsAreGolden(t *testing.T) {
	l := change.DefaultLifecycle()
	golden(t, "lifecycle.mmd", l.Mermaid())
	golden(t, "lifecycle.dot", l.DOT())
	for _, m := range change.DefaultModels() {
		part, err := m.Lifecycle(l)
		require.NoError(t, err, m.Name)
		golden(t, m.Name+".mmd", part.Mermaid())
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
	for line := range strings.Lines(change.DefaultLifecycle().Mermaid()) {
		want.WriteString("//\t" + line)
	}
	if *update {
		require.NoError(t, os.WriteFile("doc.go", []byte(head+want.String()+end+tail), 0o644))
		return
	}
	require.Equal(t, want.String(), begin+shown, "go test ./change -update rewrites it")
}

// Every action that an actor can ask for is in the documentation's list.
func TestDocListsEveryAction(t *testing.T) {
	source, err := os.ReadFile("doc.go")
	require.NoError(t, err)
	types := map[string]string{"hold": "PutOnHold"}
	o := newOffice(t, change.Config{})
	options, err := o.WhyNot(mia, o.open("").ID)
	require.NoError(t, err)
	require.Greater(t, len(options), 40)
	for _, one := range options {
		name, ok := types[one.Action]
		if !ok {
			for word := range strings.SplitSeq(one.Action, "_") {
				name += strings.ToUpper(word[:1]) + word[1:]
			}
		}
		require.Contains(t, string(source), "["+name+"]")
	}
}

type edge struct{ from, to itsm.State }

// moves lists the edges of a lifecycle that lead elsewhere.
func moves(l *itsm.Lifecycle) map[edge]bool {
	all := map[edge]bool{}
	for from := range l.States() {
		for _, to := range l.Permitted(from) {
			if from != to {
				all[edge{from, to}] = true
			}
		}
	}
	return all
}

// survey is the machine-readable form of what was read in other products.
type survey struct {
	Canonical map[string]struct {
		Terminal []itsm.State                `json:"terminal"`
		Edges    map[itsm.State][]itsm.State `json:"edges"`
	} `json:"canonical"`
	Products []product `json:"products"`
}

type product struct {
	Name     string                `json:"name"`
	Practice string                `json:"practice"`
	Map      map[string]itsm.State `json:"map"`
	Edges    map[string][]string   `json:"edges"`
}

func readSurvey(t *testing.T) survey {
	dir := os.Getenv("ITSM_SHARED")
	if logs := os.Getenv("ITSM_REAL_LOGS"); dir == "" && logs != "" {
		dir = filepath.Dir(filepath.Clean(logs))
	}
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

// The lifecycle has every edge of the survey's superset, and one more: what was
// carried out without authority is recorded afterwards.
func TestTheLifecycleIsTheSuperset(t *testing.T) {
	canonical := readSurvey(t).Canonical["change"]
	want := map[edge]bool{{change.Draft, change.Review}: true}
	for from, tos := range canonical.Edges {
		for _, to := range tos {
			want[edge{from, to}] = true
		}
	}
	l := change.DefaultLifecycle()
	require.Len(t, want, 46)
	require.Equal(t, want, moves(l))
	for s := range l.States() {
		require.Equal(t, slices.Contains(canonical.Terminal, s), l.IsEnd(s), "%s", s)
	}
}

// path finds a shortest way from one state to another, through a rejection only
// where there is no other.
func path(l *itsm.Lifecycle, from, to itsm.State) []itsm.State {
	if way := pathWithout(l, from, to, change.Rejected); way != nil {
		return way
	}
	return pathWithout(l, from, to, "")
}

func pathWithout(l *itsm.Lifecycle, from, to, avoid itsm.State) []itsm.State {
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
			if !seen[next] && (next != avoid || next == to) {
				seen[next] = true
				ways = append(ways, append(slices.Clone(way), next))
			}
		}
	}
	return nil
}

// standsFor says by which of our models each product's changes are treated.
var standsFor = map[string][]string{
	"snow.change.normal":     {change.ModelNormal, change.ModelLowRisk},
	"snow.change.standard":   {change.ModelStandard},
	"snow.change.emergency":  {change.ModelEmergency},
	"itop.NormalChange":      {change.ModelNormal},
	"itop.EmergencyChange":   {change.ModelEmergency},
	"itop.RoutineChange":     {change.ModelStandard},
	"itop.Change(simple)":    {change.ModelNormal},
	"otrs.Change":            {change.ModelNormal, change.ModelAfterwards},
	"heidsoft.Change.normal": {change.ModelNormal},
}

// Every step that another product's changes take is a legal path of the model that
// stands for it. Most are one step of ours; those that are more, and those that are
// none, are listed.
func TestOtherProductsMapOntoTheModels(t *testing.T) {
	models := map[string]*itsm.Lifecycle{}
	for _, m := range change.DefaultModels() {
		l, err := m.Lifecycle(change.DefaultLifecycle())
		require.NoError(t, err)
		models[m.Name] = l
	}
	var longer, none []string
	machines, steps := 0, 0
	legal := func(product, from, to string, a, b itsm.State, names []string) {
		steps++
		var best []itsm.State
		for _, name := range names {
			if p := path(models[name], a, b); p != nil && (best == nil || len(p) < len(best)) {
				best = p
			}
		}
		switch {
		case best == nil:
			none = append(none, fmt.Sprintf("%s: %s → %s", product, from, to))
		case len(best) > 2:
			longer = append(longer, fmt.Sprintf("%s: %s → %s is %s", product, from, to, strings.Trim(fmt.Sprint(best), "[]")))
		}
	}
	for _, p := range readSurvey(t).Products {
		if p.Practice != "change" {
			continue
		}
		machines++
		names := standsFor[p.Name]
		require.NotEmpty(t, names, p.Name)
		for from, tos := range p.Edges {
			for _, to := range tos {
				legal(p.Name, from, to, p.Map[from], p.Map[to], names)
			}
		}
	}
	// GLPI has no graph: its default profile permits any status after any other.
	// Pending is a hold beside the state.
	glpi := []struct {
		status string
		is     itsm.State
	}{{"new", change.Draft}, {"evaluation", change.Assess}, {"approval", change.Authorize}, {"accepted", change.Scheduled},
		{"testing", change.Testing}, {"qualification", change.Testing}, {"applied", change.Review}, {"review", change.Review},
		{"closed", change.Closed}, {"refused", change.Rejected}, {"cancelled", change.Cancelled}}
	machines++
	for _, from := range glpi {
		for _, to := range glpi {
			if from.status != to.status {
				legal("glpi.Change", from.status, to.status, from.is, to.is, []string{change.ModelNormal, change.ModelAfterwards})
			}
		}
	}
	slices.Sort(longer)
	slices.Sort(none)
	var text strings.Builder
	fmt.Fprintf(&text, "%d machines, %d steps, %d of them one step of ours or none\n\nMore than one step:\n", machines, steps, steps-len(longer)-len(none))
	for _, line := range longer {
		text.WriteString("    " + line + "\n")
	}
	text.WriteString("\nExceptions, which have no path:\n")
	for _, line := range none {
		text.WriteString("    " + line + "\n")
	}
	golden(t, "products.txt", text.String())
	for _, line := range none {
		// What is over stays over: GLPI reopens by giving any status to it.
		require.Regexp(t, `^glpi.Change: (closed|cancelled) → `, line)
	}
}

// Every model of ours: no trap, no state that cannot be reached, and whatever is
// before the implementation can be cancelled. The kernel proved so; here it is
// looked at once more.
func TestEveryModelEnds(t *testing.T) {
	whole := change.DefaultLifecycle()
	for _, m := range change.DefaultModels() {
		l, err := m.Lifecycle(whole)
		require.NoError(t, err, m.Name)
		for s := range l.States() {
			require.NotNil(t, path(l, change.Draft, s), "%s: %s", m.Name, s)
			require.True(t, path(l, s, change.Closed) != nil || s == change.Cancelled, "%s: %s", m.Name, s)
			if s != change.Review && !l.IsEnd(s) {
				to, ok := l.Can(s, "cancel")
				require.True(t, ok && to == change.Cancelled, "%s: %s", m.Name, s)
			}
		}
		data, err := json.Marshal(m)
		require.NoError(t, err)
		again, err := change.ParseModel(data)
		require.NoError(t, err)
		require.Equal(t, m, again)
	}
	data, err := json.Marshal(whole)
	require.NoError(t, err)
	again, err := itsm.ParseLifecycle(data)
	require.NoError(t, err)
	require.True(t, itsm.Diff(whole, again).Empty())
	require.Equal(t, change.States(), slices.Collect(whole.States()))
}

func TestModelsAreRefusedWithEveryFinding(t *testing.T) {
	_, err := change.ParseModel([]byte(`{"name":"a@b","version":"1","type":"minor","steps":{"draft":["assess","assess"]},
		"require":{"assess":["luck"],"nowhere":["low_risk"]},"review":["always","never"],"review_within":"-1h","colour":"red"}`))
	require.Equal(t, []string{"version must be a whole number of at most 64 bits", "colour is not known", "name must not contain @",
		`type must be standard, normal or emergency, is "minor"`, "review_within must not be negative", `steps.draft[1] names "assess" twice`,
		`require.assess[0] is unknown: "luck"`, "require.nowhere is not a state of the model",
		`max_risk must be low, medium, high or very_high, is ""`, `review[1] is unknown: "never"`}, said(err))

	_, err = change.Model{Name: "trap", Type: change.Normal, Steps: map[itsm.State][]itsm.State{
		change.Draft:     {change.Authorize, change.Cancelled, change.Closed},
		change.Authorize: {change.Draft, change.Scheduled},
		change.Scheduled: {change.Implement, change.Cancelled},
		"mars":           {"venus"},
	}}.Lifecycle(change.DefaultLifecycle())
	require.Equal(t, []string{
		"steps.draft[2] no action leads from draft to closed", "steps.mars is not a state of the lifecycle",
		`steps.mars[0] "venus" is not a state of the lifecycle`, "steps.authorize must lead to rejected, which a vote may decide",
		`states[1] "authorize" does not permit "cancel"`, `states[3] "implement" is a trap: no end can be reached from it`,
		`states[4] "closed" cannot be reached from "draft"`}, said(err))
}

func TestNewPracticeRefuses(t *testing.T) {
	models := change.DefaultModels()
	models[0].MaxRisk = "x"
	models[1].Steps[change.Draft] = append(models[1].Steps[change.Draft], change.Implement)
	_, err := change.NewPractice(memory.New[change.Change](), change.Config{
		Models:      append(models, models[2]),
		Templates:   []change.Template{{Name: "t", Title: "t", Model: "x", Risk: change.LowRisk, Plan: change.Plan{Implementation: "i"}}, {Name: "t@"}},
		Risk:        change.RiskPolicy{Name: "r"},
		Authorities: change.AuthorityPolicy{Rules: []change.AuthorityRule{{Authority: "x"}}},
	})
	require.Equal(t, []string{
		`models[0].max_risk must be low, medium, high or very_high, is "x"`,
		"models[1].steps.draft leads to implement before anybody has decided; that needs afterwards",
		"models[6] low_risk@1 is there twice",
		`templates[0].model "x" is not among the models`,
		"templates[1].name must not contain @", "templates[1].title must not be empty", "templates[1].plan.implementation must not be empty",
		`templates[1].risk must be low, medium, high or very_high, is ""`,
		"risk.levels must not be empty", `authorities.rules[0].authority "x" is not among the authorities`,
	}, said(err))
	_, err = change.NewPractice(nil, change.Config{})
	require.ErrorIs(t, err, itsm.ErrInvalid)
}

// rehearse is the host's own.
type rehearse struct{}

func (rehearse) Action() string                          { return "rehearse" }
func (rehearse) Apply(*change.Change, itsm.Moment) error { return nil }

// A host has a state and a model of its own: everything usual is permitted there,
// and the model's requirements hold there too.
func TestAHostsOwnState(t *testing.T) {
	longer, err := change.DefaultLifecycle().With(func(s *itsm.LifecycleSpec) {
		s.AddState("rehearsal")
		s.Allow("rehearse", "rehearsal", change.Planning)
		s.Allow("request_approval", change.Authorize, "rehearsal")
		s.Allow("cancel", change.Cancelled, "rehearsal")
		s.Allow("note", "", "rehearsal")
	}, change.AllowUsual(change.Planning, "rehearsal"))
	require.NoError(t, err)
	own := change.DefaultModels()[1]
	own.Name = "rehearsed"
	own.Steps[change.Planning] = []itsm.State{"rehearsal", change.Cancelled}
	own.Steps["rehearsal"] = []itsm.State{change.Authorize, change.Cancelled}
	own.Require = map[itsm.State][]change.Requirement{"rehearsal": {change.NeedTestPlan, change.NeedPlan}, change.Implement: {change.NeedInWindow, change.NeedLowRisk},
		change.Review: {change.NeedValidation, change.NeedTasks}}
	own.MaxRisk = change.MediumRisk
	o := newOffice(t, change.Config{Lifecycle: longer, Models: []change.Model{own}, Actions: []action{rehearse{}}})
	r := o.open("rehearsed", change.StartPlanning{}, change.SetTasks{Tasks: []change.Step{{Key: "a", Title: "t", Kind: change.ImplementationTask}, {Key: "b", Title: "t", Kind: change.BackOutTask}}})
	o.refuse(mia, r.ID, rehearse{}, "it has no test plan", "it has no plan")
	r = o.do(mia, r.ID, plan, rehearse{}, change.Note{Text: "t"}, change.PutOnHold{Reason: "x"}, change.Resume{}, tonight, change.OverrideRisk{Level: change.HighRisk, Reason: "r"}, ask)
	o.do(as("ann"), r.ID, yes)
	o.do(as("bob"), r.ID, yes)
	o.refuse(mia, r.ID, change.Start{}, "its planned time is 2026-03-02 20:00 to 2026-03-02 22:00 UTC", "its risk is high, and may be medium at most")
	_, err = o.Open(mia, change.Propose{Title: "t"})
	require.Equal(t, []string{`model "normal" is not among the models`}, said(err))
}
