package main

import (
	"io/fs"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// rowsFile has the rows of the contract.
const rowsFile = "integration/contract/rows.tsv"

// Every claimed row about attacks and registries has a broken build, and what
// that takes out is still in its place.
func TestEveryAttackHasABrokenBuild(t *testing.T) {
	t.Parallel()
	fsys := os.DirFS("../..")
	have, err := rows(fsys)
	if err != nil {
		t.Fatal(err)
	}
	text, err := fs.ReadFile(fsys, rowsFile)
	if err != nil {
		t.Fatal(err)
	}
	want := regexp.MustCompile(`(?m)^((?:ATK|REG)-\d+)\t.*\tclaimed$`).FindAllStringSubmatch(string(text), -1)
	if len(want) < 40 {
		t.Errorf("%d rows in %s, want those of attacks and registries", len(want), rowsFile)
	}
	for _, m := range want {
		if !slices.Contains(have, m[1]) {
			t.Errorf("%s is claimed, and %s/%s.txt does not say on which build its test fails", m[1], dir, m[1])
		}
	}
	for _, row := range have {
		b, err := readBreakage(fsys, row)
		if err != nil {
			t.Error(err)
			continue
		}
		b.check(t, fsys)
	}
}

// check looks that the edits can be made and that the tests are there.
func (b breakage) check(t *testing.T, fsys fs.FS) {
	t.Helper()
	for _, e := range b.edits {
		text, err := fs.ReadFile(fsys, e.file)
		if err == nil {
			_, err = e.apply(string(text))
		}
		if err != nil {
			t.Errorf("%s: %v", b.row, err)
		}
	}
	for _, g := range b.tests {
		files, err := fs.Glob(fsys, path.Clean(g.pkg)+"/*_test.go")
		if err != nil {
			t.Error(err)
		}
		if !slices.ContainsFunc(files, func(f string) bool {
			text, err := fs.ReadFile(fsys, f)
			return err == nil && strings.Contains(string(text), "\nfunc "+g.name+"(t *testing.T) {")
		}) {
			t.Errorf("%s: there is no %s in %s", b.row, g.name, g.pkg)
		}
	}
}
