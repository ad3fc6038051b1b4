package main

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
)

// dir is where the broken builds are described, one file a row.
const dir = "integration/contract/broken"

// breakage is a build that lacks one thing, and the tests that are to notice.
type breakage struct {
	// row is the row of the contract that does not hold in it.
	row string
	// lost says in a sentence what it no longer does.
	lost  string
	tests []guard
	edits []edit
}

// guard is a test that fails on the broken build.
type guard struct {
	// pkg is its package as the go command takes it, "./integration/contract".
	pkg string
	// name is the test function's.
	name string
}

// String is what the go command is told of it.
func (g guard) String() string { return g.pkg + " " + g.name }

// edit replaces whole lines of a file of the module.
type edit struct {
	file, from, to string
}

// Lines that begin parts of such a file.
const (
	leadLost = "# "
	leadTest = "test "
	leadEdit = "--- "
	between  = "+++"
)

// readBreakage reads the file of a row.
func readBreakage(fsys fs.FS, row string) (breakage, error) {
	name := path.Join(dir, row+".txt")
	text, err := fs.ReadFile(fsys, name)
	if err != nil {
		return breakage{}, err
	}
	b, err := parse(string(text))
	if err != nil {
		return b, fmt.Errorf("%s: %w", name, err)
	}
	b.row = row
	return b, nil
}

// parse reads the sentence, the tests, and the edits, in this order: a file's
// name, the lines that are there, "+++", and those that take their place.
func parse(text string) (b breakage, err error) {
	head, rest, _ := strings.Cut("\n"+text, "\n"+leadEdit)
	for line := range strings.Lines(strings.TrimPrefix(head, "\n")) {
		line = strings.TrimSuffix(line, "\n")
		switch {
		case strings.HasPrefix(line, leadLost):
			b.lost = strings.TrimSpace(b.lost + " " + strings.TrimPrefix(line, leadLost))
		case strings.HasPrefix(line, leadTest):
			f := strings.Fields(line)
			if len(f) != 3 || !strings.HasPrefix(f[1], "./") {
				return b, fmt.Errorf("%q, want test ./PACKAGE TEST", line)
			}
			b.tests = append(b.tests, guard{f[1], f[2]})
		case line != "":
			return b, fmt.Errorf("%q, want a sentence that begins with %q, then tests", line, leadLost)
		}
	}
	if b.lost == "" || len(b.tests) == 0 || rest == "" {
		return b, errors.New("want a sentence, a test and an edit")
	}
	for part := range strings.SplitSeq(rest, "\n"+leadEdit) {
		e, err := parseEdit(part)
		if err != nil {
			return b, err
		}
		b.edits = append(b.edits, e)
	}
	return b, nil
}

// parseEdit reads what follows the lead of an edit.
func parseEdit(part string) (edit, error) {
	file, rest, _ := strings.Cut(part, "\n")
	// The last line of a part that puts nothing in their place is what is between.
	from, to, found := strings.Cut("\n"+rest+"\n", "\n"+between+"\n")
	from = strings.TrimPrefix(from, "\n")
	if !found || from == "" || strings.TrimSpace(file) != file || file == "" {
		return edit{}, fmt.Errorf("edit of %q: want the lines that are there, %s, and those that take their place", file, between)
	}
	return edit{file, from, strings.TrimRight(to, "\n")}, nil
}

// apply makes the edit in the text of its file.
func (e edit) apply(text string) (string, error) {
	// Whole lines, so that what is taken out is not a part of something else.
	in, from := "\n"+text, "\n"+e.from+"\n"
	if n := strings.Count(in, from); n != 1 {
		return "", fmt.Errorf("%s holds the lines to take out %d times, want once:\n%s", e.file, n, e.from)
	}
	to := "\n"
	if e.to != "" {
		to = "\n" + e.to + "\n"
	}
	return strings.TrimPrefix(strings.Replace(in, from, to, 1), "\n"), nil
}

// rows are those that have a broken build.
func rows(fsys fs.FS) (all []string, err error) {
	entries, err := fs.ReadDir(fsys, dir)
	for _, e := range entries {
		row, ok := strings.CutSuffix(e.Name(), ".txt")
		if !ok {
			return nil, fmt.Errorf("%s/%s: want ROW.txt", dir, e.Name())
		}
		all = append(all, row)
	}
	return all, err
}
