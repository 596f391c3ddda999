package problem_test

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
	"github.com/go-itsm/itsm/problem"
	"github.com/go-itsm/itsm/storage/memory"
)

var update = flag.Bool("update", false, "rewrite the golden files and the diagrams in doc.go")

func golden(t *testing.T, name, text string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
	}
	have, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(have), text, "go test ./problem -update rewrites %s", path)
}

func TestDiagramsAreGolden(t *testing.T) {
	golden(t, "lifecycle.mmd", problem.DefaultLifecycle().Mermaid())
	golden(t, "lifecycle.dot", problem.DefaultLifecycle().DOT())
	golden(t, "known_error.mmd", problem.DefaultKnownErrorLifecycle().Mermaid())
	golden(t, "known_error.dot", problem.DefaultKnownErrorLifecycle().DOT())
}

// The diagrams in the package's documentation are the generated ones: that of problems,
// then that of known errors.
func TestDocShowsTheDiagrams(t *testing.T) {
	const begin, end = "//\tstateDiagram-v2\n", "//\n"
	source, err := os.ReadFile("doc.go")
	require.NoError(t, err)
	rest := string(source)
	var whole strings.Builder
	for _, l := range []*itsm.Lifecycle{problem.DefaultLifecycle(), problem.DefaultKnownErrorLifecycle()} {
		head, after, ok := strings.Cut(rest, begin)
		require.True(t, ok)
		shown, tail, ok := strings.Cut(after, end)
		require.True(t, ok)
		var want strings.Builder
		for line := range strings.Lines(l.Mermaid()) {
			want.WriteString("//\t" + line)
		}
		whole.WriteString(head + want.String() + end)
		rest = tail
		if !*update {
			require.Equal(t, want.String(), begin+shown, "go test ./problem -update rewrites it")
		}
	}
	if *update {
		require.NoError(t, os.WriteFile("doc.go", []byte(whole.String()+rest), 0o644))
	}
}

// Every action that an actor can ask for is in the documentation's list.
func TestDocListsEveryAction(t *testing.T) {
	source, err := os.ReadFile("doc.go")
	require.NoError(t, err)
	o := newOffice(t, problem.Config{})
	n := 0
	listed := func(a any) {
		n++
		name := strings.TrimPrefix(fmt.Sprintf("%T", a), "problem.")
		for generic, ours := range map[string]string{
			"itsm.AddLink[github.com/go-itsm/itsm/problem.Problem]": "Link", "itsm.RemoveLink[github.com/go-itsm/itsm/problem.Problem]": "Unlink",
			"itsm.SetFields[github.com/go-itsm/itsm/problem.Problem]": "SetFields", "itsm.AddLink[github.com/go-itsm/itsm/problem.KnownError]": "KnownErrorLink",
			"itsm.RemoveLink[github.com/go-itsm/itsm/problem.KnownError]": "KnownErrorUnlink", "itsm.SetFields[github.com/go-itsm/itsm/problem.KnownError]": "KnownErrorFields",
		} {
			if name == generic {
				name = ours
			}
		}
		require.Contains(t, string(source), "["+name+"]")
	}
	for a := range o.Actions() {
		listed(a)
	}
	for a := range o.errors.Actions() {
		listed(a)
	}
	require.Greater(t, n, 55)
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

// The lifecycle has every edge of the survey's superset, and no other.
func TestTheLifecycleIsTheSuperset(t *testing.T) {
	canonical := readSurvey(t).Canonical["problem"]
	want := map[edge]bool{}
	for from, tos := range canonical.Edges {
		for _, to := range tos {
			want[edge{from, to}] = true
		}
	}
	l := problem.DefaultLifecycle()
	require.Len(t, want, 45)
	require.Equal(t, want, moves(l))
	for s := range l.States() {
		require.Equal(t, slices.Contains(canonical.Terminal, s), l.IsEnd(s), "%s", s)
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

// graphless are products of which the states are known and no graph: GLPI's default
// profile permits any status after any other, and of BMC only the states are documented.
// So any move from one status to another has to have a way.
func graphless() map[string]map[string]itsm.State {
	return map[string]map[string]itsm.State{
		"glpi.Problem": {"new": problem.New, "accepted": problem.Assess, "assigned": problem.Investigating, "planned": problem.Investigating,
			"pending": problem.OnHold, "solved": problem.Resolved, "observed": problem.Monitoring, "closed": problem.Closed},
		"bmc.Problem": {"Draft": problem.New, "Under Review": problem.Assess, "Request for Authorization": problem.Assess, "Assigned": problem.Investigating,
			"Under Investigation": problem.Investigating, "Pending": problem.OnHold, "Completed": problem.Resolved, "Rejected": problem.Cancelled,
			"Closed": problem.Closed, "Cancelled": problem.Cancelled},
	}
}

// legal sorts the steps of other products: those that are one step of ours or none, those
// that are a longer way, and those that have no way.
type legal struct {
	t            *testing.T
	l            *itsm.Lifecycle
	steps        int
	longer, none []string
}

func (g *legal) step(product, from, to string, a, b itsm.State) {
	g.steps++
	require.True(g.t, g.l.Has(a) && g.l.Has(b), "%s: %s → %s", product, from, to)
	switch p := path(g.l, a, b); {
	case p == nil:
		g.none = append(g.none, fmt.Sprintf("%s: %s → %s", product, from, to))
	case len(p) > 2:
		g.longer = append(g.longer, fmt.Sprintf("%s: %s → %s is %s", product, from, to, strings.Trim(fmt.Sprint(p), "[]")))
	}
}

func (g *legal) all(product string, states map[string]itsm.State) {
	for from, a := range states {
		for to, b := range states {
			if from != to {
				g.step(product, from, to, a, b)
			}
		}
	}
}

func (g *legal) String() string {
	slices.Sort(g.longer)
	slices.Sort(g.none)
	var b strings.Builder
	fmt.Fprintf(&b, "%d steps, %d of them one step of ours or none\n\nMore than one step:\n", g.steps, g.steps-len(g.longer)-len(g.none))
	for _, line := range g.longer {
		b.WriteString("    " + line + "\n")
	}
	b.WriteString("\nExceptions, which have no path:\n")
	for _, line := range g.none {
		b.WriteString("    " + line + "\n")
	}
	return b.String()
}

// Every step that another product's problems take is one step of ours, none, or a way
// that is listed; those that have none are listed too.
func TestOtherProductsMapOntoTheLifecycle(t *testing.T) {
	g := &legal{t: t, l: problem.DefaultLifecycle()}
	machines := 0
	for _, p := range readSurvey(t).Products {
		if p.Practice != "problem" {
			continue
		}
		machines++
		for from, tos := range p.Edges {
			for _, to := range tos {
				g.step(p.Name, from, to, p.Map[from], p.Map[to])
			}
		}
	}
	require.Equal(t, 3, machines)
	require.Empty(t, g.longer, "the products that have a graph need one step")
	require.Empty(t, g.none)
	for name, states := range graphless() {
		g.all(name, states)
	}
	golden(t, "products.txt", g.String())
	for _, line := range g.none {
		// What was no problem stays none.
		require.Regexp(t, `^bmc.Problem: (Cancelled|Rejected) → `, line)
	}
}

// BMC's known errors have a lifecycle of their own, and so have ours.
func TestKnownErrorsMapOntoTheirLifecycle(t *testing.T) {
	g := &legal{t: t, l: problem.DefaultKnownErrorLifecycle()}
	g.all("bmc.KnownError", map[string]itsm.State{"Assigned": problem.Published, "Scheduled For Correction": problem.FixScheduled,
		"Assigned to Vendor": problem.WithVendor, "No Action Planned": problem.NoActionPlanned, "Corrected": problem.Corrected,
		"Closed": problem.KnownErrorClosed, "Cancelled": problem.KnownErrorCancelled})
	golden(t, "known_error_products.txt", g.String())
	for _, line := range g.none {
		require.Regexp(t, `^bmc.KnownError: Cancelled → `, line)
	}
}

// Everything ends, whatever is open can be cancelled, and the table comes back from
// JSON.
func TestEverythingEnds(t *testing.T) {
	for l, cancelled := range map[*itsm.Lifecycle]itsm.State{problem.DefaultLifecycle(): problem.Cancelled, problem.DefaultKnownErrorLifecycle(): problem.KnownErrorCancelled} {
		kept := []itsm.State{problem.Resolved, problem.Monitoring, problem.Corrected}
		for s := range l.States() {
			require.NotNil(t, path(l, l.Initial(), s), "%s", s)
			require.True(t, path(l, s, "closed") != nil || s == cancelled, "%s", s)
			if !slices.Contains(kept, s) && !l.IsEnd(s) {
				to, ok := l.Can(s, "cancel")
				require.True(t, ok && to == cancelled, "%s", s)
			}
		}
		data, err := json.Marshal(l)
		require.NoError(t, err)
		again, err := itsm.ParseLifecycle(data)
		require.NoError(t, err)
		require.True(t, itsm.Diff(l, again).Empty())
	}
	require.Equal(t, problem.States(), slices.Collect(problem.DefaultLifecycle().States()))
	require.Equal(t, problem.KnownErrorStates(), slices.Collect(problem.DefaultKnownErrorLifecycle().States()))
}

func TestPhasesFollowFromTheState(t *testing.T) {
	phases := map[itsm.State]problem.Phase{}
	for _, s := range problem.States() {
		phases[s] = problem.PhaseOf(s)
	}
	require.Equal(t, map[itsm.State]problem.Phase{
		problem.New: problem.Identification, problem.Assess: problem.Identification, problem.Investigating: problem.ProblemControl, problem.Identified: problem.ProblemControl,
		problem.FixInProgress: problem.ErrorControl, problem.Resolved: problem.ErrorControl, problem.Monitoring: problem.ErrorControl, problem.OnHold: "", problem.Closed: "", problem.Cancelled: "",
	}, phases)
	require.Len(t, problem.Phases(), 3)
	o := newOffice(t, problem.Config{})
	r := o.open(problem.StartAssessment{}, problem.PutOnHold{Reason: problem.AwaitingRecurrence})
	require.Equal(t, problem.Identification, r.Phase(), "what is on hold is in the phase in which that began")
	r = o.do(kim, r.ID, problem.Investigate{}, problem.PutOnHold{Reason: problem.AwaitingVendor})
	require.Equal(t, problem.ProblemControl, r.Phase())
	r = o.do(kim, r.ID, fixing, problem.PutOnHold{Reason: problem.AwaitingChange})
	require.Equal(t, problem.ErrorControl, r.Phase())
	require.True(t, r.Open())
}

func TestNewPracticeRefuses(t *testing.T) {
	_, err := problem.NewPractice(memory.New[problem.Problem](), problem.Config{
		Risk:        problem.RiskPolicy{Name: "r", Version: -1, Rising: 90, Falling: 101, Bands: []problem.Band{{Priority: 2, From: 1}, {Priority: 2, From: 1}, {}}},
		Observation: -1,
	})
	require.Equal(t, []string{
		"risk.version must not be negative", "risk.rising must be 100 to 10000 percent", "risk.falling must be 0 to 100 percent",
		"risk.bands[1].priority must be lower than the one before", "risk.bands[1].from must be less than the one before",
		"risk.bands[2].priority must be 1 to 254", "risk.bands[2].from must be positive", "risk.bands[2].priority must be lower than the one before",
		"observation must be positive and at most 100 years",
	}, said(err))
	_, err = problem.NewPractice(nil, problem.Config{})
	require.ErrorIs(t, err, itsm.ErrInvalid)
	_, err = problem.NewKnownErrors(nil, problem.KnownErrorConfig{})
	require.ErrorIs(t, err, itsm.ErrInvalid)
}

// verify is the host's own.
type verify struct{}

func (verify) Action() string                            { return "verify" }
func (verify) Apply(*problem.Problem, itsm.Moment) error { return nil }

// A host has a state of its own: everything usual is permitted there.
func TestAHostsOwnState(t *testing.T) {
	longer, err := problem.DefaultLifecycle().With(func(s *itsm.LifecycleSpec) {
		s.AddState("verifying")
		s.Allow("verify", "verifying", problem.FixInProgress)
		s.Allow("resolve", problem.Resolved, "verifying")
		s.Allow("cancel", problem.Cancelled, "verifying")
		s.Allow("note", "", "verifying")
	}, problem.AllowUsual(problem.FixInProgress, "verifying"))
	require.NoError(t, err)
	o := newOffice(t, problem.Config{Lifecycle: longer, Actions: []action{verify{}}})
	r := o.open(problem.Investigate{}, fixing, verify{}, problem.Note{Text: "t"}, problem.AddTask{Title: "look"}, problem.EndTask{Number: 1}, identify)
	require.EqualValues(t, "verifying", r.State)
	require.True(t, r.Open())
	require.Empty(t, r.Phase())
	r = o.do(kim, r.ID, fixed)
	require.Equal(t, problem.Resolved, r.State)
	// And a known error too.
	quiet, err := problem.DefaultKnownErrorLifecycle().With(func(s *itsm.LifecycleSpec) { s.Forbid("call_review") })
	require.NoError(t, err)
	known, err := problem.NewKnownErrors(memory.New[problem.KnownError](), problem.KnownErrorConfig{Lifecycle: quiet})
	require.NoError(t, err)
	k, err := known.Open(kim, problem.Document{Title: "t"})
	require.NoError(t, err)
	k, err = known.Do(kim, k.ID, problem.SetReview{Review: k.Created.AddDate(1, 0, 0)})
	require.NoError(t, err)
	require.Zero(t, k.Due)
}
