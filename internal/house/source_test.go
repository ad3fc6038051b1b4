package house

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// module is the name of the Go module.
const module = "runnel"

// file is one Go file of the module.
type file struct {
	// path is relative to the module's root: "net/plan.go".
	path  string
	tree  *ast.File
	lines int
	fset  *token.FileSet
}

// dir is the directory of f, which is its import path within the module.
func (f file) dir() string { return path.Dir(f.path) }

// isTest reports whether f is part of tests only.
func (f file) isTest() bool { return strings.HasSuffix(f.path, "_test.go") }

// isLinux reports whether the name of f restricts it to Linux.
func (f file) isLinux() bool {
	return strings.HasSuffix(strings.TrimSuffix(f.path, "_test.go"), "_linux") || strings.HasSuffix(f.path, "_linux.go")
}

// at names a place in f for a person: "net/plan.go:12".
func (f file) at(pos token.Pos) string {
	return f.path + ":" + strconv.Itoa(f.fset.Position(pos).Line)
}

// dependency is one import of a file.
type dependency struct {
	path, name string
	pos        token.Pos
}

// imports lists what f imports. The name is empty where f gives none.
func (f file) imports() []dependency {
	var all []dependency
	for _, spec := range f.tree.Imports {
		d := dependency{pos: spec.Pos()}
		d.path, _ = strconv.Unquote(spec.Path.Value)
		if spec.Name != nil {
			d.name = spec.Name.Name
		}
		all = append(all, d)
	}
	return all
}

// within reports whether the import path p is root or below it.
func within(p, root string) bool {
	return p == root || strings.HasPrefix(p, root+"/")
}

// parse reads one file.
func parse(path string, source []byte) (file, error) {
	fset := token.NewFileSet()
	tree, err := parser.ParseFile(fset, path, source, parser.ParseComments)
	return file{path: path, tree: tree, lines: bytes.Count(source, []byte("\n")), fset: fset}, err
}

// load reads every Go file that people have written under the module's root.
func load(t *testing.T, root string) []file {
	t.Helper()
	var files []file
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if name := d.Name(); d.IsDir() && p != root &&
			(strings.HasPrefix(name, ".") || slices.Contains([]string{"bin", "testdata", "vendor"}, name)) {
			return fs.SkipDir
		}
		if !strings.HasSuffix(p, ".go") || d.IsDir() {
			return nil
		}
		source, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, p)
		if err != nil {
			return err
		}
		f, err := parse(filepath.ToSlash(rel), source)
		if err == nil && !ast.IsGenerated(f.tree) {
			files = append(files, f)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}
