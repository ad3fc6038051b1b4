package main

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// contract is everything that is known of the rows and of their tests.
type contract struct {
	// module is the path of the Go module.
	module   string
	sections []section
	open     []openRow
	namings  []naming
	results  results
	// misplaced are the comments that name rows badly.
	misplaced []error
	// texts are the files that are written, as they are; one that there is not
	// yet is empty.
	texts map[string]string
}

// read reads the module's rows, tests and earlier results.
func read(fsys fs.FS) (*contract, error) {
	c := &contract{texts: map[string]string{}}
	var errs [6]error
	c.module, errs[0] = readModule(fsys)
	c.sections, errs[1] = readRows(fsys)
	c.open, errs[2] = readOpen(fsys)
	c.namings, c.misplaced, errs[3] = readSources(fsys)
	c.results, errs[4] = readResults(fsys)
	for _, name := range []string{openFile, resultsFile, tableFile, readmeFile} {
		text, err := fs.ReadFile(fsys, name)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs[5] = errors.Join(errs[5], err)
		}
		c.texts[name] = string(text)
	}
	if err := errors.Join(errs[:]...); err != nil {
		return nil, err
	}
	for _, o := range c.open {
		if r := c.row(o.id); r != nil {
			r.open = o.what
		}
	}
	return c, nil
}

// readModule reads the module's path.
func readModule(fsys fs.FS) (string, error) {
	text, err := fs.ReadFile(fsys, "go.mod")
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(string(text)) {
		if path, ok := strings.CutPrefix(line, "module "); ok {
			return strings.TrimSpace(path), nil
		}
	}
	return "", errors.New("go.mod names no module")
}

// row is the one with an id, or nil.
func (c *contract) row(id string) *row {
	for _, s := range c.sections {
		for _, r := range s.rows {
			if r.id == id {
				return r
			}
		}
	}
	return nil
}

// testsOf are the tests that name r, each once and in order.
func (c *contract) testsOf(r *row) []test {
	return c.tests(func(n naming) bool { return n.row == r.id })
}

// tests are those of the namings that match.
func (c *contract) tests(match func(naming) bool) (all []test) {
	for _, n := range c.namings {
		if match(n) {
			all = append(all, n.test)
		}
	}
	slices.SortFunc(all, compareTests)
	return slices.Compact(all)
}

// verdict says whether r is proved on h. One test that fails there unproves it;
// one that passes proves it, if others had to be skipped there.
func (c *contract) verdict(r *row, h host) outcome {
	seen := map[outcome]bool{}
	for _, t := range c.testsOf(r) {
		seen[c.results[t][h]] = true
	}
	for _, o := range []outcome{failed, passed, skippedThere} {
		if seen[o] {
			return o
		}
	}
	return notRun
}

// proved reports whether r is promised and shown to hold on h.
func (c *contract) proved(r *row, h host) bool {
	return r.unclaimed == "" && c.verdict(r, h) == passed
}

// fromOutside reports whether r is proved on h by a test that drives the built
// programs there.
func (c *contract) fromOutside(r *row, h host) bool {
	return c.proved(r, h) && slices.ContainsFunc(c.testsOf(r), func(t test) bool {
		return t.outside() && c.results[t][h] == passed
	})
}

// shrink takes rows that have a test by now off the list of those to prove.
func (c *contract) shrink() {
	named := func(id string) bool {
		r := c.row(id)
		return r != nil && len(c.testsOf(r)) > 0
	}
	var kept strings.Builder
	for line := range strings.Lines(c.texts[openFile]) {
		id, _, _ := strings.Cut(line, "\t")
		if !named(id) {
			kept.WriteString(line)
			continue
		}
		c.row(id).open = ""
	}
	c.texts[openFile] = kept.String()
	c.open = slices.DeleteFunc(c.open, func(o openRow) bool { return named(o.id) })
}

// faults are the ways in which rows, tests and the list of what is open do not
// agree.
func (c *contract) faults() (all []error) {
	all = append(all, c.misplaced...)
	for _, n := range c.namings {
		if c.row(n.row) == nil {
			all = append(all, fmt.Errorf("%s: %s names %s, which is no row of %s", n.at, n.test.name, n.row, rowsFile))
		}
	}
	for _, s := range c.sections {
		for _, r := range s.rows {
			if r.unclaimed == "" && r.open == "" && len(c.testsOf(r)) == 0 {
				all = append(all, fmt.Errorf("%s is claimed and no test names it: write one, or a line in %s that says what it would have to show", r.id, openFile))
			}
		}
	}
	all = append(all, c.misnamed()...)
	return append(all, c.openFaults()...)
}

// suiteDir is the package whose tests are each called after a row.
const suiteDir = "integration/contract"

// misnamed are the tests of the suite that are not called after a row that they
// name.
func (c *contract) misnamed() (all []error) {
	for _, t := range c.tests(func(n naming) bool { return n.test.dir == suiteDir }) {
		if !slices.ContainsFunc(c.namings, func(n naming) bool { return n.test == t && calledAfter(t.name, n.row) }) {
			all = append(all, fmt.Errorf("%s: %s is called after none of the rows that it names: want the row first, as in TestJOB3FailsAfterAllWereTried", suiteDir, t.name))
		}
	}
	return all
}

// calledAfter reports whether the name of a test begins with a row, TestJOB3... or
// TestERR500a..., and goes on with another word.
func calledAfter(name, row string) bool {
	rest, ok := strings.CutPrefix(name, "Test"+strings.ReplaceAll(row, "-", ""))
	first, _ := utf8.DecodeRuneInString(rest)
	return ok && unicode.IsUpper(first)
}

// openFaults are the lines of the list of what is open that do not belong there.
func (c *contract) openFaults() (all []error) {
	seen := map[string]bool{}
	for _, o := range c.open {
		r := c.row(o.id)
		switch {
		case r == nil:
			all = append(all, fmt.Errorf("%s: %s is no row of %s", openFile, o.id, rowsFile))
		case seen[o.id]:
			all = append(all, fmt.Errorf("%s: %s is there twice", openFile, o.id))
		case r.unclaimed != "":
			all = append(all, fmt.Errorf("%s: %s is not claimed: nothing is open", openFile, o.id))
		case len(c.testsOf(r)) > 0:
			all = append(all, fmt.Errorf("%s: %s has a test now, %s: take the line out", openFile, o.id, c.testsOf(r)[0].name))
		}
		seen[o.id] = true
	}
	return all
}
