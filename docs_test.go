package itsm_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const modulePath = "github.com/go-itsm/itsm"

// sources calls f for every non-test Go file of the repository, nested modules
// included, with the directory that it is in.
func sources(t *testing.T, f func(dir string, file *ast.File, at *token.FileSet)) {
	t.Helper()
	files := 0
	require.NoError(t, filepath.WalkDir(".", func(name string, d fs.DirEntry, err error) error {
		switch base := d.Name(); {
		case err != nil:
			return err
		case d.IsDir() && name != "." && (base == "testdata" || base[0] == '.' || base[0] == '_'):
			return fs.SkipDir
		case d.IsDir() || !strings.HasSuffix(base, ".go") || strings.HasSuffix(base, "_test.go"):
			return nil
		}
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, name, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		files++
		f(path.Dir(filepath.ToSlash(name)), file, set)
		return nil
	}))
	require.Greater(t, files, 20)
}

// Everything that others can use says what it is.
func TestEverythingExportedIsDocumented(t *testing.T) {
	packages, documented := map[string]bool{}, map[string]bool{}
	names := 0
	sources(t, func(dir string, file *ast.File, set *token.FileSet) {
		if strings.HasPrefix(dir, "examples") {
			return
		}
		packages[dir] = true
		documented[dir] = documented[dir] || file.Doc != nil
		need := func(name *ast.Ident, docs ...*ast.CommentGroup) {
			if !name.IsExported() {
				return
			}
			names++
			if !slices.ContainsFunc(docs, func(doc *ast.CommentGroup) bool { return strings.TrimSpace(doc.Text()) != "" }) {
				t.Errorf("%s: %s has no doc comment", set.Position(name.Pos()), name.Name)
			}
		}
		for _, decl := range file.Decls {
			switch decl := decl.(type) {
			case *ast.FuncDecl:
				if decl.Recv == nil || ast.IsExported(receiver(decl.Recv.List[0].Type)) && !wellKnown(decl.Name.Name) {
					need(decl.Name, decl.Doc)
				}
			case *ast.GenDecl:
				for _, spec := range decl.Specs {
					switch spec := spec.(type) {
					case *ast.TypeSpec:
						need(spec.Name, spec.Doc, decl.Doc)
						if i, ok := spec.Type.(*ast.InterfaceType); ok && spec.Name.IsExported() && len(i.Methods.List) > 1 {
							for _, m := range i.Methods.List {
								for _, name := range m.Names {
									need(name, m.Doc, spec.Doc, decl.Doc)
								}
							}
						}
					case *ast.ValueSpec:
						for _, name := range spec.Names {
							need(name, spec.Doc, spec.Comment, decl.Doc)
						}
					}
				}
			}
		}
	})
	for dir := range packages {
		if !documented[dir] {
			t.Errorf("package %s has no package comment", dir)
		}
	}
	require.Greater(t, names, 150)
}

// wellKnown are the methods whose names say it all.
func wellKnown(method string) bool { return method == "Error" || method == "String" }

// receiver returns the name of a receiver's type.
func receiver(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.StarExpr:
		return receiver(e.X)
	case *ast.IndexExpr:
		return receiver(e.X)
	case *ast.IndexListExpr:
		return receiver(e.X)
	case *ast.Ident:
		return e.Name
	}
	return ""
}

// room returns the first folder of a package's place: "incident", "storage",
// and "" for the root.
func room(dir string) string {
	if dir == "." {
		return ""
	}
	first, _, _ := strings.Cut(dir, "/")
	return first
}

// mayImport is the arrows of the house: which of our own packages production
// code in a folder may import.
func mayImport(dir, imported string) bool {
	practices := []string{"incident", "problem", "change", "request", "knowledge"}
	from, to := room(dir), room(imported)
	if to == "internal" { // what is nobody's business is everybody's tool
		return from != "internal" || strings.HasPrefix(imported, "internal/")
	}
	switch {
	case dir == imported, from == "examples", from == "tools":
		return true
	case from == "", from == "sla", from == "approval", from == "internal" && dir != "internal/lifecycletest":
		return from != "" && from == to
	case from == "slm": // joins agreements to the records of any practice
		return to == "" || to == "sla"
	case dir == "storage/enginetest": // proves engines with the suite, and with reactions
		return to == "" || to == "svs" || imported == "storage/storagetest"
	case dir == "knowledge/search": // finds records of any practice
		return to == ""
	case slices.Contains(practices, from):
		return to == "" || to == "sla" || to == "slm" || to == "approval" || to == from
	case from == "practicetest", dir == "internal/lifecycletest": // for tests of practices, any
		return to == "" || from == "practicetest" && imported == "storage/memory"
	case from == "valuechain":
		return to == "" || to == from
	case from == "storage", from == "telemetry":
		return to == ""
	case dir == "svs/improvement": // a practice like the others
		return to == "" || to == "valuechain"
	case from == "svs", from == "interop":
		return to != "examples" && to != "tools" && to != "storage"
	}
	return false
}

func TestArrows(t *testing.T) {
	sources(t, func(dir string, file *ast.File, set *token.FileSet) {
		for _, spec := range file.Imports {
			name, err := strconv.Unquote(spec.Path.Value)
			require.NoError(t, err)
			if name != modulePath && !strings.HasPrefix(name, modulePath+"/") {
				continue
			}
			imported := "."
			if name != modulePath {
				imported = strings.TrimPrefix(name, modulePath+"/")
			}
			if !mayImport(dir, imported) {
				t.Errorf("%s: %s must not import %s", set.Position(spec.Pos()), dir, name)
			}
		}
	})
	// The rule itself.
	for _, tt := range []struct {
		from, to string
		want     bool
	}{
		{".", "internal/clone", true}, {".", "sla", false}, {".", "incident", false}, {"incident", ".", true},
		{"incident", "sla", true}, {"incident", "slm", true}, {"slm", "sla", true}, {"slm", "incident", false}, {"sla", "slm", false}, {"incident", "problem", false}, {"problem", "incident", false}, {"problem", "slm", true}, {"sla", ".", false}, {"approval", "internal/x", true},
		{"storage/memory", ".", true}, {"storage/memory", "internal/clone", true}, {"storage/sqlite", "incident", false}, {"telemetry", ".", true}, {"telemetry", "svs", false},
		{"storage/sqlite", "storage/memory", false}, {"valuechain", "incident", false}, {"valuechain", "svs", false}, {"svs", "incident", true},
		{"knowledge", "knowledge/search", true}, {"knowledge/search", ".", true}, {"knowledge/search", "knowledge", false}, {"incident", "knowledge/search", false},
		{"svs", "svs/improvement", true}, {"svs/improvement", "valuechain", true}, {"svs/improvement", "svs", false}, {"svs/improvement", "incident", false},
		{"internal/clone", ".", false}, {"internal/lifecycletest", ".", true}, {"internal/lifecycletest", "incident", false},
		{"practicetest", ".", true}, {"practicetest", "storage/memory", true}, {"practicetest", "storage/storagetest", false}, {"practicetest", "incident", false}, {"incident", "practicetest", false}, {"examples/ownpractice", "practicetest", true}, {"examples/hosttable", "storage/storagetest", true}, {"storage/enginetest", "storage/storagetest", true}, {"storage/enginetest", "storage/memory", false}, {"elsewhere", ".", false},
	} {
		require.Equal(t, tt.want, mayImport(tt.from, tt.to), "%s → %s", tt.from, tt.to)
	}
}

func goList(t *testing.T, args ...string) []byte {
	t.Helper()
	out, err := exec.Command("go", append([]string{"list"}, args...)...).Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		t.Fatalf("go list %v: %s", args, exit.Stderr)
	}
	require.NoError(t, err)
	return out
}

// What a program gets that uses the root module: the standard library,
// looplab/fsm, golang.org/x/exp and ourselves, and nothing for tests.
func TestProductionReachesLittle(t *testing.T) {
	type pkg struct {
		ImportPath string
		Standard   bool
		Deps       []string
		Module     *struct{ Path string }
	}
	known := map[string]pkg{}
	dec := json.NewDecoder(bytes.NewReader(goList(t, "-deps", "-json=ImportPath,Standard,Deps,Module", "./...")))
	for {
		var p pkg
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else {
			require.NoError(t, err)
		}
		known[p.ImportPath] = p
	}
	ours := 0
	for name, p := range known {
		if p.Module == nil || p.Module.Path != modulePath {
			continue
		}
		ours++
		dir := strings.TrimPrefix(strings.TrimPrefix(name, modulePath), "/")
		if room(dir) == "examples" {
			continue
		}
		for _, dep := range append(p.Deps, name) {
			d := known[dep]
			if d.Standard {
				if dep == "testing" && dir != "storage/storagetest" && dir != "practicetest" {
					t.Errorf("%s reaches package testing", name)
				}
				continue
			}
			require.NotNil(t, d.Module, dep)
			if !slices.Contains([]string{modulePath, "github.com/looplab/fsm", "golang.org/x/exp"}, d.Module.Path) {
				t.Errorf("%s reaches %s", name, dep)
			}
		}
	}
	require.Greater(t, ours, 4)
}

// The modules that the root module's users see in their go.sum.
func TestDependencies(t *testing.T) {
	modules := strings.Fields(string(goList(t, "-m", "-f", "{{if not .Main}}{{.Path}}@{{.Version}}{{end}}", "all")))
	golden(t, "deps.golden", fmt.Sprintln(strings.Join(modules, "\n")))
}
