package main

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"strings"
)

// Where the rows stand, and those that are claimed and have no test yet.
const (
	rowsFile = "integration/contract/rows.tsv"
	openFile = "integration/contract/toprove.tsv"
)

// level is how much a row is wanted.
type level string

// The levels: must hold, should hold, preview.
const (
	must    level = "M"
	should  level = "S"
	preview level = "P"
)

// levels are all of them, in the order in which tables show them.
func levels() []level { return []level{must, should, preview} }

// row is one promise of the contract.
type row struct {
	id    string
	level level
	// holds is the promise, in one sentence.
	holds string
	// unclaimed says why Runnel does not make it; empty if it does.
	unclaimed string
	// open says what a test would have to show, of a row that none names.
	open string
}

// section is a group of rows under one heading.
type section struct {
	title string
	rows  []*row
}

// rowID is what a row may be called.
var rowID = regexp.MustCompile(`^[A-Z]+-[0-9]+[a-z]?$`)

// readRows reads the rows: sections begin with "## ", comments with "# ", and a
// row is its id, level, sentence, and "claimed" or "not claimed: why".
func readRows(fsys fs.FS) ([]section, error) {
	var sections []section
	seen := map[string]bool{}
	err := eachLine(fsys, rowsFile, func(line string) error {
		if title, ok := strings.CutPrefix(line, "## "); ok {
			sections = append(sections, section{title: title})
			return nil
		}
		r, err := parseRow(line)
		switch {
		case err != nil:
			return err
		case len(sections) == 0:
			return fmt.Errorf("%s stands before the first section, \"## title\"", r.id)
		case seen[r.id]:
			return fmt.Errorf("%s is there twice", r.id)
		}
		seen[r.id] = true
		last := &sections[len(sections)-1]
		last.rows = append(last.rows, r)
		return nil
	})
	return sections, err
}

func parseRow(line string) (*row, error) {
	fields := strings.Split(line, "\t")
	if len(fields) != 4 {
		return nil, fmt.Errorf("%d columns, want 4: id, level, sentence, claim", len(fields))
	}
	r := &row{id: fields[0], level: level(fields[1]), holds: fields[2]}
	why, unclaimed := strings.CutPrefix(fields[3], "not claimed: ")
	switch {
	case !rowID.MatchString(r.id):
		return nil, fmt.Errorf("%q is no row's id: want one like JOB-3", r.id)
	case r.level != must && r.level != should && r.level != preview:
		return nil, fmt.Errorf("%s: level %q, want M, S or P", r.id, r.level)
	case !strings.HasSuffix(r.holds, "."):
		return nil, fmt.Errorf("%s: want a sentence that ends with a full stop", r.id)
	case unclaimed && why != "":
		r.unclaimed = why
	case fields[3] != "claimed":
		return nil, fmt.Errorf("%s: claim %q, want \"claimed\" or \"not claimed: why\"", r.id, fields[3])
	}
	return r, nil
}

// openRow is a line of the list of what is still to be proved.
type openRow struct{ id, what string }

// readOpen reads that list: an id, and what a test would have to show.
func readOpen(fsys fs.FS) ([]openRow, error) {
	var all []openRow
	err := eachLine(fsys, openFile, func(line string) error {
		id, what, _ := strings.Cut(line, "\t")
		if what == "" {
			return fmt.Errorf("%s: want a tab, and what a test is to show", id)
		}
		all = append(all, openRow{id, what})
		return nil
	})
	return all, err
}

// eachLine calls do for each line of a file that is neither empty nor a comment,
// and returns all that was wrong, each with its place.
func eachLine(fsys fs.FS, name string, do func(string) error) error {
	f, err := fsys.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	var errs []error
	in := bufio.NewScanner(f)
	for n := 1; in.Scan(); n++ {
		line := in.Text()
		if line == "" || line == "#" || strings.HasPrefix(line, "# ") {
			continue
		}
		if err := do(line); err != nil {
			errs = append(errs, fmt.Errorf("%s:%d: %w", name, n, err))
		}
	}
	return errors.Join(append(errs, in.Err())...)
}
