package main

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

const example = `# Masks are
# left out.
test ./integration/contract TestATK29
test ./runtime TestSpec
--- runtime/spec.go
	masks()
+++
	// masks()
--- runtime/first.go
c
+++
--- runtime/other.go
a
b
+++
`

func TestParse(t *testing.T) {
	t.Parallel()
	got, err := parse(example)
	want := breakage{
		lost:  "Masks are left out.",
		tests: []guard{{"./integration/contract", "TestATK29"}, {"./runtime", "TestSpec"}},
		edits: []edit{{"runtime/spec.go", "\tmasks()", "\t// masks()"}, {"runtime/first.go", "c", ""}, {"runtime/other.go", "a\nb", ""}},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v\nwant %+v", got, err, want)
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	for what, text := range map[string]string{
		"no sentence":     strings.ReplaceAll(example, "# ", ""),
		"no test":         strings.ReplaceAll(example, "test ./", "# "),
		"no edit":         "# Masks.\ntest ./runtime TestSpec\n",
		"a bare package":  strings.ReplaceAll(example, "./runtime", "runtime"),
		"nothing between": strings.ReplaceAll(example, "+++", "++"),
		"nothing to take": "# Masks.\ntest ./runtime TestSpec\n--- a.go\n+++\nx\n",
	} {
		if got, err := parse(text); err == nil {
			t.Errorf("%s: taken as %+v", what, got)
		}
	}
}

func TestEditIsOfWholeLinesThatAreThereOnce(t *testing.T) {
	t.Parallel()
	e := edit{file: "f", from: "b", to: "B"}
	for text, want := range map[string]string{
		"a\nb\nc\n": "a\nB\nc\n",
		"b\nc\n":    "B\nc\n",
		"a\nbb\n":   "",
		"b\na\nb\n": "",
	} {
		got, err := e.apply(text)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q becomes %q, %v, want %q", text, got, err, want)
		}
	}
	e.to = ""
	if got, err := e.apply("a\nb\nc\n"); got != "a\nc\n" || err != nil {
		t.Errorf("nothing in its place: %q, %v", got, err)
	}
}

func TestChooseTakesRowsThatAreDescribed(t *testing.T) {
	t.Parallel()
	fsys := fstest.MapFS{dir + "/ATK-1.txt": {Data: []byte(example)}, dir + "/ATK-2.txt": {Data: []byte(example)}}
	for _, c := range []struct{ names, want []string }{
		{nil, []string{"ATK-1", "ATK-2"}},
		{[]string{"ATK-2"}, []string{"ATK-2"}},
	} {
		got, err := choose(fsys, c.names)
		if err != nil {
			t.Fatal(err)
		}
		var rows []string
		for _, b := range got {
			rows = append(rows, b.row)
		}
		if !slices.Equal(rows, c.want) {
			t.Errorf("of %q it takes %q, want %q", c.names, rows, c.want)
		}
	}
	if _, err := choose(fsys, []string{"atk-1"}); err == nil || !strings.Contains(err.Error(), `"atk-1"`) || !strings.Contains(err.Error(), "ATK-1 ATK-2") {
		t.Errorf("a row that is not described: %v, want its name and those that are", err)
	}
}
