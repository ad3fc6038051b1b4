package main

import (
	"strings"
	"testing"
	"testing/fstest"
)

func TestReadRows(t *testing.T) {
	t.Parallel()
	sections, err := readRows(fstest.MapFS{rowsFile: file("# Rows.\n#\n\n## One\nA-1\tM\tIt holds.\tclaimed\n\n## Two\n" +
		"B-1a\tS\tIt does not.\tnot claimed: there is no such thing\nB-2\tP\tIt may.\tclaimed\n")})
	if err != nil {
		t.Fatal(err)
	}
	if len(sections) != 2 || sections[0].title != "One" || len(sections[0].rows) != 1 || len(sections[1].rows) != 2 {
		t.Fatalf("got %+v", sections)
	}
	if got, want := *sections[0].rows[0], (row{id: "A-1", level: must, holds: "It holds."}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got, want := *sections[1].rows[0], (row{id: "B-1a", level: should, holds: "It does not.", unclaimed: "there is no such thing"}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestBadRows(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		"A-1\tM\tIt holds.":                       "3 columns, want 4",
		"A-1\tM\tIt holds.\tclaimed\tand more":    "5 columns",
		"a-1\tM\tIt holds.\tclaimed":              `"a-1" is no row's id`,
		"A-1ab\tM\tIt holds.\tclaimed":            `"A-1ab" is no row's id`,
		"A-1\tX\tIt holds.\tclaimed":              `A-1: level "X"`,
		"A-1\tM\tIt holds\tclaimed":               "full stop",
		"A-1\tM\tIt holds.\tyes":                  `claim "yes"`,
		"A-1\tM\tIt holds.\t":                     `claim ""`,
		"A-1\tM\tIt holds.\tnot claimed: ":        `claim "not claimed: "`,
		"A-1\tM\tIt holds.\tclaimed: not":         `claim "claimed: not"`,
		"A-0\tM\tIt holds.\tclaimed":              "A-0 is there twice",
		"##A\nA-1\tM\tIt holds.\tclaimed":         "1 columns",
		"A-1\tM\tIt holds.\tclaimed\nB\tM\tx.\tx": "rows.tsv:4: ",
	} {
		_, err := readRows(fstest.MapFS{rowsFile: file("## One\nA-0\tM\tIt holds.\tclaimed\n" + line + "\n")})
		if err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), rowsFile+":") {
			t.Errorf("%q: error %v, want one of %s with %q", line, err, rowsFile, want)
		}
	}
	if _, err := readRows(fstest.MapFS{rowsFile: file("A-1\tM\tIt holds.\tclaimed\n")}); err == nil || !strings.Contains(err.Error(), "before the first section") {
		t.Errorf("without a section: error %v", err)
	}
	if _, err := readOpen(fstest.MapFS{openFile: file("A-1\n")}); err == nil || !strings.Contains(err.Error(), "toprove.tsv:1: A-1: want a tab") {
		t.Errorf("without what is to be shown: error %v", err)
	}
}

func file(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }
