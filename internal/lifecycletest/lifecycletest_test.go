package lifecycletest

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm"
)

// A fake is a test that keeps what it was told.
type fake struct {
	said    string
	skipped bool
}

func (f *fake) Helper() {}
func (f *fake) Fatalf(format string, args ...any) {
	f.said = fmt.Sprintf(format, args...)
	runtime.Goexit()
}
func (f *fake) Skip(...any) { f.skipped = true; runtime.Goexit() }

// says returns what a test says that does something, empty if it has nothing to say.
func says(do func(t T)) string {
	f := new(fake)
	done := make(chan struct{})
	go func() {
		defer close(done)
		do(f)
	}()
	<-done
	if f.skipped {
		return "skipped"
	}
	return f.said
}

type loan struct{ itsm.Meta }

type end struct{}

func (end) Action() string                 { return "end" }
func (end) Apply(*loan, itsm.Moment) error { return nil }

func lifecycle(t *testing.T, change ...func(*itsm.LifecycleSpec)) *itsm.Lifecycle {
	s := itsm.LifecycleSpec{Name: "loan", Create: "lend", Initial: "lent", States: []itsm.State{"lent", "late", "ended"}, Ends: []itsm.State{"ended"}}
	s.Allow("fall_due", "late", "lent")
	s.Allow("end", "ended", "late")
	s.Allow("cancel", "ended", "lent")
	for _, c := range change {
		c(&s)
	}
	l, err := itsm.NewLifecycle(s)
	require.NoError(t, err)
	return l
}

func TestDocuments(t *testing.T) {
	t.Chdir(t.TempDir())
	l := lifecycle(t)
	const source = "// Package loan.\n//\n//\tstateDiagram-v2\n//\told\n//\n// See [end], [KnownLink].\npackage loan\n"
	require.NoError(t, os.WriteFile("doc.go", []byte(source), 0o600))
	require.Contains(t, says(func(t T) { Diagrams(t, "x", l) }), "no such file")
	require.Contains(t, says(func(t T) { DocShows(t, l) }), "the diagram in doc.go")
	*update = true
	Diagrams(t, "x", l)
	DocShows(t, l)
	*update = false
	Diagrams(t, "x", l)
	DocShows(t, l)
	require.Contains(t, says(func(t T) { Golden(t, "x.mmd", "other") }), "which go test -update rewrites")
	require.Contains(t, says(func(t T) { DocShows(t, l, l) }), "too few diagrams")
	shown, err := os.ReadFile("doc.go")
	require.NoError(t, err)
	require.Contains(t, string(shown), "//\t    lent --> late: fall_due\n")
	require.Contains(t, string(shown), "// See [end], [KnownLink].\npackage loan\n")

	DocLists(t, slices.Values([]itsm.Action[loan]{end{}, itsm.AddLink[loan]{}}), "Known", 1)
	require.Equal(t, "doc.go does not list [Link]", says(func(t T) { DocLists(t, slices.Values([]itsm.Action[loan]{itsm.AddLink[loan]{}}), "", 0) }))
	require.Equal(t, "doc.go does not list [KnownFields]", says(func(t T) { DocLists(t, slices.Values([]itsm.Action[loan]{itsm.SetFields[loan]{}}), "Known", 0) }))
	require.Equal(t, "there are only 1 actions", says(func(t T) { DocLists(t, slices.Values([]itsm.Action[loan]{end{}}), "", 1) }))
}

func TestLifecycles(t *testing.T) {
	l := lifecycle(t)
	require.Equal(t, map[Edge][]string{{"lent", "late"}: {"fall_due"}, {"late", "ended"}: {"end"}, {"lent", "ended"}: {"cancel"}}, Moves(l))
	require.Equal(t, []itsm.State{"lent", "ended"}, Path(l, "lent", "ended"))
	require.Nil(t, Path(l, "ended", "lent"))
	longer := lifecycle(t, func(s *itsm.LifecycleSpec) { s.Forbid("cancel") })
	require.Equal(t, []itsm.State{"lent", "late", "ended"}, Path(longer, "lent", "ended"))
	require.Nil(t, Path(longer, "lent", "ended", "late"))
	require.Equal(t, []itsm.State{"lent", "late"}, Path(longer, "lent", "late", "late"))
	Holds(t, l, "lent", "late", "ended")
	require.Contains(t, says(func(t T) { Holds(t, l, "lent", "ended", "late") }), "the states")
	Cancels(t, l, "ended", "late")
	require.Equal(t, "late cannot be cancelled", says(func(t T) { Cancels(t, l, "ended") }))
	require.Equal(t, "lent cannot be cancelled", says(func(t T) { Cancels(t, l, "late", "late") }))
}

func TestSurvey(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("ITSM_SHARED", dir)
	require.Equal(t, "skipped", says(func(t T) { ReadSurvey(t) }))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "mappings.json"), []byte(`{
		"canonical":{"loan":{"init":["lent"],"terminal":["ended"],"edges":{"lent":["late"],"late":["ended"]}}},
		"products":[{"name":"p","practice":"loan","map":{"A":"lent","B":"late","C":"ended"},"edges":{"A":["B","C"],"B":["A"]}},{"name":"q","practice":"x"}]}`), 0o600))
	s := ReadSurvey(t)
	t.Setenv("ITSM_SHARED", "")
	t.Setenv("ITSM_REAL_LOGS", filepath.Join(dir, "logs"))
	require.Equal(t, s, ReadSurvey(t))
	t.Setenv("ITSM_REAL_LOGS", "")
	deep := filepath.Join(dir, "a", "b", "c")
	require.NoError(t, os.MkdirAll(deep, 0o700))
	t.Chdir(deep)
	require.Equal(t, "skipped", says(func(t T) { ReadSurvey(t) }))

	l := lifecycle(t)
	s.IsSuperset(t, l, Edge{"lent", "ended"})
	require.Contains(t, says(func(t T) { s.IsSuperset(t, l) }), "the edges")
	s.Canonical["loan"] = Machine{Init: []itsm.State{"late"}, Terminal: []itsm.State{"ended"}, Edges: s.Canonical["loan"].Edges}
	require.Contains(t, says(func(t T) { s.IsSuperset(t, l, Edge{"lent", "ended"}) }), "where it begins")
	s.Canonical["loan"] = Machine{Init: []itsm.State{"lent"}, Edges: s.Canonical["loan"].Edges}
	require.Contains(t, says(func(t T) { s.IsSuperset(t, l, Edge{"lent", "ended"}) }), "ended is an end")

	longer := lifecycle(t, func(s *itsm.LifecycleSpec) { s.Forbid("cancel") })
	var steps Steps
	for p := range s.Of("loan") {
		steps.Add(t, p, Ways(longer))
		require.Equal(t, "p: A or D stands for no state", says(func(t T) {
			new(Steps).Add(t, Product{Name: "p", Map: p.Map, Edges: map[string][]string{"A": {"D"}}}, Ways(longer))
		}))
		break
	}
	steps.AddGraphless(t, "g", map[string]itsm.State{"1": "lent", "2": "late"}, Ways(longer))
	require.Equal(t, 2, steps.Machines)
	require.Equal(t, `5 steps, 2 of them one step of ours or none

More than one step:
    p: A → C is lent late ended

Exceptions, which have no path:
    g: 2 → 1
    p: B → A
`, steps.String())
}
