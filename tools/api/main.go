// Api lists everything that the module exports, one line each, and compares the
// list with the one in api/itsm.txt: so that nothing that others build on comes,
// goes or becomes something else without anybody saying so. What is listed
// includes the JSON names of fields and the values of constants, because
// histories that are kept somewhere have them too.
//
//	go run -C tools ./api          compares
//	go run -C tools ./api -write   writes the list
package main

import (
	"errors"
	"flag"
	"fmt"
	"go/token"
	"go/types"
	"log"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/tools/go/packages"
)

func main() {
	log.SetFlags(0)
	module := flag.String("module", "..", "folder of the module")
	file := flag.String("list", "../api/itsm.txt", "file with the list")
	write := flag.Bool("write", false, "write the list instead of comparing")
	flag.Parse()
	if err := run(*module, *file, *write); err != nil {
		log.Fatal(err)
	}
}

func run(module, file string, write bool) error {
	now, err := load(module)
	if err != nil {
		return err
	}
	if write {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			return err
		}
		return os.WriteFile(file, []byte(strings.Join(now, "\n")+"\n"), 0o644)
	}
	data, err := os.ReadFile(file)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	gone, come := compare(strings.Split(strings.TrimSpace(string(data)), "\n"), now)
	if len(gone)+len(come) == 0 {
		return nil
	}
	for _, line := range gone {
		fmt.Println("-", line)
	}
	for _, line := range come {
		fmt.Println("+", line)
	}
	return errors.New("what the module exports is not what api/itsm.txt says; " +
		"if that is meant, run go run -C tools ./api -write and say in CHANGELOG.md why")
}

// compare returns what only one of two lists has.
func compare(was, is []string) (gone, come []string) {
	only := func(these, those []string) (lines []string) {
		for _, line := range these {
			if !slices.Contains(those, line) {
				lines = append(lines, line)
			}
		}
		return lines
	}
	return only(was, is), only(is, was)
}

// load lists what the packages of a module export.
func load(dir string) ([]string, error) {
	pkgs, err := packages.Load(&packages.Config{
		Mode: packages.NeedName | packages.NeedTypes | packages.NeedImports | packages.NeedDeps,
		Dir:  dir,
	}, "./...")
	if err != nil {
		return nil, err
	}
	var lines []string
	for _, p := range pkgs {
		if p.Name == "main" || slices.Contains(strings.Split(p.PkgPath, "/"), "internal") {
			continue
		}
		if len(p.Errors) > 0 {
			return nil, p.Errors[0]
		}
		lines = append(lines, list(p.Types)...)
	}
	slices.Sort(lines)
	return lines, nil
}

// list lists what a package exports.
func list(pkg *types.Package) []string {
	var lines []string
	add := func(format string, args ...any) {
		lines = append(lines, "pkg "+pkg.Path()+", "+fmt.Sprintf(format, args...))
	}
	for _, name := range pkg.Scope().Names() {
		if !token.IsExported(name) {
			continue
		}
		switch obj := pkg.Scope().Lookup(name).(type) {
		case *types.Const:
			add("const %s %s = %s", name, text(obj.Type()), obj.Val().ExactString())
		case *types.Var:
			add("var %s %s", name, text(obj.Type()))
		case *types.Func:
			add("func %s%s", name, signature(obj.Signature()))
		case *types.TypeName:
			listType(add, obj)
		}
	}
	return lines
}

func listType(add func(format string, args ...any), obj *types.TypeName) {
	if obj.IsAlias() {
		add("type %s = %s", obj.Name(), text(types.Unalias(obj.Type())))
		return
	}
	named := obj.Type().(*types.Named)
	name := obj.Name()
	if params := named.TypeParams(); params.Len() > 0 {
		var each []string
		for p := range params.TypeParams() {
			each = append(each, p.Obj().Name()+" "+text(p.Constraint()))
		}
		name += "[" + strings.Join(each, ", ") + "]"
	}
	switch t := named.Underlying().(type) {
	case *types.Struct:
		add("type %s struct", name)
		for i := range t.NumFields() {
			if f := t.Field(i); f.Exported() {
				embedded := map[bool]string{true: " (embedded)"}[f.Embedded()]
				add("type %s struct, %s %s%s%s", obj.Name(), f.Name(), text(f.Type()), embedded, tag(t.Tag(i)))
			}
		}
	case *types.Interface:
		add("type %s interface", name)
		for m := range t.Methods() {
			add("type %s interface, %s%s", obj.Name(), m.Name(), signature(m.Signature()))
		}
	default:
		add("type %s %s", name, text(t))
	}
	for m := range named.Methods() {
		if m.Exported() {
			add("method (%s) %s%s", text(m.Signature().Recv().Type()), m.Name(), signature(m.Signature()))
		}
	}
}

func tag(raw string) string {
	if raw == "" {
		return ""
	}
	return " `" + raw + "`"
}

// signature returns parameters and results without their names, which nobody
// can build on.
func signature(s *types.Signature) string {
	nameless := func(t *types.Tuple) *types.Tuple {
		var vars []*types.Var
		for v := range t.Variables() {
			vars = append(vars, types.NewParam(token.NoPos, nil, "", v.Type()))
		}
		return types.NewTuple(vars...)
	}
	var params []*types.TypeParam
	for p := range s.TypeParams().TypeParams() {
		params = append(params, types.NewTypeParam(types.NewTypeName(token.NoPos, nil, p.Obj().Name(), nil), p.Constraint()))
	}
	bare := types.NewSignatureType(nil, nil, params, nameless(s.Params()), nameless(s.Results()), s.Variadic())
	return strings.TrimPrefix(text(bare), "func")
}

// text writes a type with the names of packages, not their paths.
func text(t types.Type) string { return types.TypeString(t, (*types.Package).Name) }
