// Package lifecycletest is what the tests of this module's own practices have in common
// about lifecycles: that diagrams and documents show what the code does, and that what
// other products' records go through can be told in ours. It is for tests only.
package lifecycletest

import (
	"encoding/json"
	"flag"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"github.com/go-itsm/itsm"
)

// update is set by a test's -update.
var update = flag.Bool("update", false, "rewrite the golden files and the diagrams in doc.go")

// A T is what is needed of a *testing.T, which production code must not reach.
type T interface {
	Helper()
	Fatalf(format string, args ...any)
	Skip(args ...any)
}

func must(t T, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("%v", err)
	}
}

func same[V any](t T, want, got V, says string) {
	t.Helper()
	if !reflect.DeepEqual(want, got) {
		t.Fatalf("%s: not\n%v\nbut\n%v", says, want, got)
	}
}

// Golden proves that a text is what a file in testdata has.
func Golden(t T, name, text string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		must(t, os.MkdirAll("testdata", 0o755))
		must(t, os.WriteFile(path, []byte(text), 0o644))
	}
	have, err := os.ReadFile(path)
	must(t, err)
	same(t, string(have), text, path+", which go test -update rewrites")
}

// Diagrams proves that the diagrams of a lifecycle are the golden ones: name.mmd and
// name.dot.
func Diagrams(t T, name string, l *itsm.Lifecycle) {
	t.Helper()
	Golden(t, name+".mmd", l.Mermaid())
	Golden(t, name+".dot", l.DOT())
}

// DocShows proves that the diagrams in doc.go are those of the lifecycles, in order.
func DocShows(t T, lifecycles ...*itsm.Lifecycle) {
	t.Helper()
	const begin, end = "//\tstateDiagram-v2\n", "//\n"
	source, err := os.ReadFile("doc.go")
	must(t, err)
	rest := string(source)
	var whole strings.Builder
	for _, l := range lifecycles {
		head, after, ok := strings.Cut(rest, begin)
		shown, tail, closed := strings.Cut(after, end)
		if !ok || !closed {
			t.Fatalf("doc.go shows too few diagrams")
		}
		var want strings.Builder
		for line := range strings.Lines(l.Mermaid()) {
			want.WriteString("//\t" + line)
		}
		if !*update {
			same(t, want.String(), begin+shown, "the diagram in doc.go, which go test -update rewrites")
		}
		whole.WriteString(head + want.String() + end)
		rest = tail
	}
	if *update {
		must(t, os.WriteFile("doc.go", []byte(whole.String()+rest), 0o644))
	}
}

// DocLists proves that doc.go links every action, and that there are more than a few.
// Prefix is what the names of the actions begin with that every practice has.
func DocLists[R any](t T, actions iter.Seq[itsm.Action[R]], prefix string, more int) {
	t.Helper()
	source, err := os.ReadFile("doc.go")
	must(t, err)
	usual := map[reflect.Type]string{
		reflect.TypeFor[itsm.AddLink[R]](): prefix + "Link", reflect.TypeFor[itsm.RemoveLink[R]](): prefix + "Unlink",
		reflect.TypeFor[itsm.SetFields[R]](): prefix + "SetFields",
	}
	if prefix != "" {
		usual[reflect.TypeFor[itsm.SetFields[R]]()] = prefix + "Fields"
	}
	n := 0
	for a := range actions {
		n++
		typ := reflect.TypeOf(a)
		name, ok := usual[typ]
		if !ok {
			name = typ.Name()
		}
		if !strings.Contains(string(source), "["+name+"]") {
			t.Fatalf("doc.go does not list [%s]", name)
		}
	}
	if n <= more {
		t.Fatalf("there are only %d actions", n)
	}
}

// An Edge is a step between two states.
type Edge struct{ From, To itsm.State }

// Moves lists the actions on every edge of a lifecycle that leads elsewhere.
func Moves(l *itsm.Lifecycle) map[Edge][]string {
	all := map[Edge][]string{}
	for from := range l.States() {
		for action, to := range l.Permitted(from) {
			if from != to {
				all[Edge{from, to}] = append(all[Edge{from, to}], action)
			}
		}
	}
	return all
}

// Path finds a shortest way from one state to another, through none of those to be
// avoided, but for its end. It is nil if there is none.
func Path(l *itsm.Lifecycle, from, to itsm.State, avoid ...itsm.State) []itsm.State {
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
			if !seen[next] && (next == to || !slices.Contains(avoid, next)) {
				seen[next] = true
				ways = append(ways, append(slices.Clone(way), next))
			}
		}
	}
	return nil
}

// Holds proves of a lifecycle that its states are these, in this order, that each is
// reached from the first, that from each some end is, and that it comes back from JSON.
func Holds(t T, l *itsm.Lifecycle, states ...itsm.State) {
	t.Helper()
	same(t, states, slices.Collect(l.States()), "the states")
	for _, s := range states {
		if Path(l, l.Initial(), s) == nil {
			t.Fatalf("%s is never reached", s)
		}
		if !slices.ContainsFunc(states, func(end itsm.State) bool { return l.IsEnd(end) && Path(l, s, end) != nil }) {
			t.Fatalf("%s never ends", s)
		}
	}
	data, err := json.Marshal(l)
	must(t, err)
	again, err := itsm.ParseLifecycle(data)
	must(t, err)
	if !itsm.Diff(l, again).Empty() {
		t.Fatalf("it comes back from JSON as another")
	}
}

// Cancels proves that whatever is open can be cancelled, but for some.
func Cancels(t T, l *itsm.Lifecycle, cancelled itsm.State, but ...itsm.State) {
	t.Helper()
	for s := range l.States() {
		if to, ok := l.Can(s, "cancel"); !l.IsEnd(s) && !slices.Contains(but, s) && (!ok || to != cancelled) {
			t.Fatalf("%s cannot be cancelled", s)
		}
	}
}

// A Survey is the machine-readable form of what was read in other products.
type Survey struct {
	// Canonical has the union of them for each practice.
	Canonical map[string]Machine `json:"canonical"`
	Products  []Product          `json:"products"`
}

// A Machine is what the records of a practice go through.
type Machine struct {
	Init     []itsm.State                `json:"init"`
	Terminal []itsm.State                `json:"terminal"`
	Edges    map[itsm.State][]itsm.State `json:"edges"`
}

// A Product is another product's machine for a practice, and which state each of its own
// is in ours.
type Product struct {
	Name     string                `json:"name"`
	Practice string                `json:"practice"`
	Map      map[string]itsm.State `json:"map"`
	Edges    map[string][]string   `json:"edges"`
}

// ReadSurvey reads mappings.json, or skips the test where there is none.
func ReadSurvey(t T) Survey {
	t.Helper()
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
	var s Survey
	must(t, json.Unmarshal(data, &s))
	return s
}

// Of yields the products that have a practice.
func (s Survey) Of(practice string) iter.Seq[Product] {
	return func(yield func(Product) bool) {
		for _, p := range s.Products {
			if p.Practice == practice && !yield(p) {
				return
			}
		}
	}
}

// IsSuperset proves that a lifecycle has every edge of the survey's union, and of others
// only these, and ends where it ends.
func (s Survey) IsSuperset(t T, l *itsm.Lifecycle, more ...Edge) {
	t.Helper()
	m := s.Canonical[l.Name()]
	want, have := map[Edge]bool{}, map[Edge]bool{}
	for _, e := range more {
		want[e] = true
	}
	for from, tos := range m.Edges {
		for _, to := range tos {
			want[Edge{from, to}] = true
		}
	}
	for e := range Moves(l) {
		have[e] = true
	}
	same(t, want, have, "the edges")
	same(t, true, slices.Contains(m.Init, l.Initial()), "it begins where it begins")
	for one := range l.States() {
		same(t, slices.Contains(m.Terminal, one), l.IsEnd(one), string(one)+" is an end")
	}
}

// Steps sorts the steps of other products: those that are one step of ours or none, those
// that are a longer way, and those that have no way.
type Steps struct {
	Machines, N  int
	Longer, None []string
}

// Step adds one: from a status to another, for which stand the states a and b. Way is the
// shortest way from a to b, nil if there is none.
func (s *Steps) Step(product, from, to string, way []itsm.State) {
	s.N++
	switch {
	case way == nil:
		s.None = append(s.None, fmt.Sprintf("%s: %s → %s", product, from, to))
	case len(way) > 2:
		s.Longer = append(s.Longer, fmt.Sprintf("%s: %s → %s is %s", product, from, to, strings.Trim(fmt.Sprint(way), "[]")))
	}
	slices.Sort(s.Longer)
	slices.Sort(s.None)
}

// Add adds all steps of a product.
func (s *Steps) Add(t T, p Product, way func(a, b itsm.State) []itsm.State) {
	t.Helper()
	s.Machines++
	for from, tos := range p.Edges {
		for _, to := range tos {
			a, b := p.Map[from], p.Map[to]
			if a == "" || b == "" {
				t.Fatalf("%s: %s or %s stands for no state", p.Name, from, to)
			}
			s.Step(p.Name, from, to, way(a, b))
		}
	}
}

// AddGraphless adds the steps of a product of which only the states are known: any after
// any other.
func (s *Steps) AddGraphless(t T, name string, states map[string]itsm.State, way func(a, b itsm.State) []itsm.State) {
	t.Helper()
	p := Product{Name: name, Map: states, Edges: map[string][]string{}}
	for from := range states {
		for to := range states {
			if from != to {
				p.Edges[from] = append(p.Edges[from], to)
			}
		}
	}
	s.Add(t, p, way)
}

// Ways is the shortest way in a lifecycle.
func Ways(l *itsm.Lifecycle) func(a, b itsm.State) []itsm.State {
	return func(a, b itsm.State) []itsm.State { return Path(l, a, b) }
}

// String lists those that are more than one step.
func (s *Steps) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d steps, %d of them one step of ours or none\n\nMore than one step:\n", s.N, s.N-len(s.Longer)-len(s.None))
	for _, line := range s.Longer {
		b.WriteString("    " + line + "\n")
	}
	b.WriteString("\nExceptions, which have no path:\n")
	for _, line := range s.None {
		b.WriteString("    " + line + "\n")
	}
	return b.String()
}
