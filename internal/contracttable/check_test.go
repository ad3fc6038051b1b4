package main

import (
	"os"
	"slices"
	"testing"
)

func TestRowsAndTestsOfTheModuleAgree(t *testing.T) {
	t.Parallel()
	c, err := read(os.DirFS("../.."))
	if err != nil {
		t.Fatal(err)
	}
	if len(c.rows()) < 290 || len(c.namings) < 700 {
		t.Fatalf("found %d rows, named %d times: is this the module's root?", len(c.rows()), len(c.namings))
	}
	faults := c.faults()
	for _, fault := range faults {
		t.Error(fault)
	}
	if len(faults) > 0 {
		return
	}
	for _, r := range c.rows() {
		own := func(n naming) bool { return n.test.dir == suiteDir && n.row == r.id && calledAfter(n.test.name, r.id) }
		if r.unclaimed == "" && r.open == "" && !slices.ContainsFunc(c.namings, own) {
			t.Errorf("%s has no test of its own in %s", r.id, suiteDir)
		}
	}
	written, err := c.files()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range written {
		if f.text != c.texts[f.path] {
			t.Errorf("%s is not what the rows, the tests and the results make of it: run make contract", f.path)
		}
	}
}
