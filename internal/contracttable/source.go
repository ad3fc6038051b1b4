package main

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// test is a test function of the module.
type test struct {
	// dir is the directory of its package, relative to the module's root.
	dir, name string
}

// outside reports whether t drives the built programs.
func (t test) outside() bool {
	return t.dir == "integration" || strings.HasPrefix(t.dir, "integration/")
}

func compareTests(a, b test) int {
	// What drives the built programs is the better proof and comes first.
	if a.outside() != b.outside() {
		if a.outside() {
			return -1
		}
		return 1
	}
	return cmp.Or(cmp.Compare(a.dir, b.dir), cmp.Compare(a.name, b.name))
}

// naming is a comment of a test that names a row.
type naming struct {
	row  string
	test test
	// at is the comment's place, "net/dns/server_test.go:12".
	at string
}

// lead begins the comment that names rows, after the slashes.
const lead = "contract:"

// readSources finds what rows the tests of the module name, and the comments
// that look as if they did and do not.
func readSources(fsys fs.FS) (all []naming, faults []error, err error) {
	err = fs.WalkDir(fsys, ".", func(p string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && skipped(d.Name()):
			return fs.SkipDir
		case d.IsDir() || !strings.HasSuffix(p, "_test.go"):
			return nil
		}
		source, err := fs.ReadFile(fsys, p)
		if err != nil {
			return err
		}
		found, wrong, err := readSource(p, source)
		all, faults = append(all, found...), append(faults, wrong...)
		return err
	})
	return all, faults, err
}

// skipped reports whether the go command looks past a directory.
func skipped(name string) bool {
	return name != "." && (name[0] == '.' || name[0] == '_' || slices.Contains([]string{"bin", "testdata", "vendor"}, name))
}

// readSource does so for one file.
func readSource(p string, source []byte) (all []naming, faults []error, err error) {
	fset := token.NewFileSet()
	tree, err := parser.ParseFile(fset, p, source, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return nil, nil, err
	}
	for _, group := range tree.Comments {
		for _, c := range group.List {
			ids, ok := strings.CutPrefix(strings.TrimSpace(strings.TrimPrefix(c.Text, "//")), lead)
			if !ok {
				continue
			}
			at := fmt.Sprintf("%s:%d", p, fset.Position(c.Pos()).Line)
			name := testAround(tree, group)
			if name == "" {
				faults = append(faults, fmt.Errorf("%s: the comment names rows of the contract, and stands neither above a test nor in one", at))
				continue
			}
			found, wrong := readIDs(ids, test{path.Dir(p), name}, at)
			all, faults = append(all, found...), append(faults, wrong...)
		}
	}
	if path.Dir(p) == suiteDir {
		faults = append(faults, nameless(p, tree, all)...)
	}
	return all, faults, nil
}

// nameless are the tests of a file of the suite that no comment says rows of: one
// that is spelt otherwise would go unseen.
func nameless(p string, tree *ast.File, namings []naming) (faults []error) {
	for _, decl := range tree.Decls {
		d, ok := decl.(*ast.FuncDecl)
		if ok && isTest(d) && !slices.ContainsFunc(namings, func(n naming) bool { return n.test.name == d.Name.Name }) {
			faults = append(faults, fmt.Errorf("%s: %s names no row: want a comment above it like // %s JOB-3", p, d.Name.Name, lead))
		}
	}
	return faults
}

// readIDs reads "JOB-1, JOB-2".
func readIDs(ids string, t test, at string) (all []naming, faults []error) {
	fields := strings.FieldsFunc(ids, func(r rune) bool { return r == ',' || unicode.IsSpace(r) })
	if len(fields) == 0 {
		faults = append(faults, fmt.Errorf("%s: the comment names no row", at))
	}
	for _, id := range fields {
		if !rowID.MatchString(id) {
			faults = append(faults, fmt.Errorf("%s: %q is no row's id: want ids alone, like JOB-3, with commas between them", at, id))
			continue
		}
		all = append(all, naming{id, t, at})
	}
	return all, faults
}

// testAround is the test that a comment stands above, or in; "" if there is none.
func testAround(tree *ast.File, group *ast.CommentGroup) string {
	for _, decl := range tree.Decls {
		d, ok := decl.(*ast.FuncDecl)
		if ok && isTest(d) && (d.Doc == group || d.Pos() <= group.Pos() && group.End() <= d.End()) {
			return d.Name.Name
		}
	}
	return ""
}

// isTest reports whether go test runs d and tells of it with -v.
func isTest(d *ast.FuncDecl) bool {
	if d.Recv != nil || d.Name.Name == "TestMain" {
		return false
	}
	for _, kind := range []string{"Test", "Fuzz", "Example"} {
		if rest, ok := strings.CutPrefix(d.Name.Name, kind); ok {
			first, _ := utf8.DecodeRuneInString(rest)
			return rest == "" || !unicode.IsLower(first)
		}
	}
	return false
}
