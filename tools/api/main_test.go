package main

import (
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

const source = `package p

import "io"

const Answer int8 = 42
const hidden = 1

var Err error

type Word string

type Box[T any] struct {
	io.Reader
	Value  T ` + "`json:\"value,omitzero\"`" + `
	inside int
}

func (b *Box[T]) Open(key string, more ...int) (value T, err error) { return }
func (b *Box[T]) shut() {}

type Opener[T any] interface{ Open(key string) T }

type Same = Box[int]

func Make[T any](value T) *Box[T] { return nil }
`

func TestList(t *testing.T) {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, "p.go", source, 0)
	if err != nil {
		t.Fatal(err)
	}
	conf := types.Config{Importer: importer.ForCompiler(fset, "source", nil)}
	pkg, err := conf.Check("example.org/p", fset, []*ast.File{file}, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"const Answer int8 = 42",
		"type Box[T any] struct",
		"type Box struct, Reader io.Reader (embedded)",
		"type Box struct, Value T `json:\"value,omitzero\"`",
		"method (*p.Box[T]) Open(string, ...int) (T, error)",
		"var Err error",
		"func Make[T any](T) *p.Box[T]",
		"type Opener[T any] interface",
		"type Opener interface, Open(string) T",
		"type Same = p.Box[int]",
		"type Word string",
	}
	got := list(pkg)
	for i := range want {
		want[i] = "pkg example.org/p, " + want[i]
	}
	if !slices.Equal(got, want) {
		t.Errorf("the list is\n%q\nnot\n%q", got, want)
	}
}

// A list that was just written is the same; one that lacks a line is not.
func TestRun(t *testing.T) {
	module, list := t.TempDir(), filepath.Join(t.TempDir(), "api", "p.txt")
	for name, text := range map[string]string{"go.mod": "module example.org/p\n\ngo 1.26\n", "p.go": source} {
		if err := os.WriteFile(filepath.Join(module, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := run(module, list, false); err == nil {
		t.Error("no list is as good as one")
	}
	if err := run(module, list, true); err != nil {
		t.Fatal(err)
	}
	if err := run(module, list, false); err != nil {
		t.Error(err)
	}
	if err := os.Truncate(list, 20); err != nil {
		t.Fatal(err)
	}
	if err := run(module, list, false); err == nil {
		t.Error("a list without its end is as good as one with it")
	}
}
