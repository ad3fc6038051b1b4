package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"runnel/internal/vm/wire"
)

// What the guest says around the tests.
var (
	begin   = wire.Mark{Kind: wire.Begin, Text: "runnel/a"}.String()
	endGood = wire.Mark{Kind: wire.End, Text: "runnel/a"}.String()
	endBad  = wire.Mark{Kind: wire.End, Code: 1, Text: "runnel/a"}.String()
	endOOM  = wire.Mark{Kind: wire.End, Code: 137, Text: "runnel/a"}.String()
)

func TestVerdict(t *testing.T) {
	t.Parallel()
	died := errors.New("it was unplugged")
	hello, done := wire.Mark{Kind: wire.Hello}.String(), wire.Mark{Kind: wire.Done}.String()
	for name, c := range map[string]struct {
		lines []string
		died  error
		want  []error // what the verdict is
		shows string  // what the report or the verdict says
	}{
		"passed":       {lines: []string{begin, "--- PASS: TestA (0.00s)", "    --- PASS: TestA/b (0.00s)", "PASS", endGood}, shows: "vm: 2 passed, 0 skipped"},
		"one skipped":  {lines: []string{begin, "--- PASS: TestA (0.00s)", "--- SKIP: TestB (0.00s)", endGood}, shows: "1 passed, 1 skipped"},
		"one failed":   {lines: []string{begin, "    a_test.go:3: why", "--- FAIL: TestA (0.00s)", endBad}, want: []error{errTests}, shows: "a_test.go:3: why"},
		"exited":       {lines: []string{begin, "--- PASS: TestA (0.00s)", endBad}, want: []error{errTests}, shows: "exit status 1"},
		"killed":       {lines: []string{begin, "=== RUN   TestA", endOOM}, want: []error{errTests}, shows: "killed by signal 9 during TestA"},
		"out of time":  {lines: []string{begin, "=== RUN   TestA", "panic: test timed out after 12m0s", endBad}, want: []error{errTests}, shows: "out of time during TestA"},
		"no test":      {lines: []string{begin, "testing: warning: no tests to run", "PASS", endGood}, want: []error{errTests}, shows: "no test ran"},
		"only skipped": {lines: []string{begin, "--- SKIP: TestA (0.00s)", "PASS", endGood}, want: []error{errTests}, shows: "1 skipped"},
		"panic of VM":  {lines: []string{begin, "=== RUN   TestA"}, died: died, want: []error{errMachine, died}, shows: "during runnel/a, after TestA had begun: it was unplugged"},
		"panic after a failure": {lines: []string{begin, "--- FAIL: TestA (0.00s)", endBad}, died: died,
			want: []error{errTests, errMachine, died}, shows: "runnel/a"},
		"never started": {died: died, want: []error{errMachine, died}, shows: "before it was up"},
		"not run":       {lines: []string{done}, want: []error{errMachine}, shows: "did not run runnel/a"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			packages := []testPackage{{path: "runnel/a"}}
			r := newReport(nil)
			if name != "never started" {
				r.line(hello)
			}
			for _, line := range c.lines {
				r.line(line)
			}
			err := r.verdict(packages, c.died)
			for _, each := range []error{errTests, errMachine, died} {
				if errors.Is(err, each) != slices.Contains(c.want, each) {
					t.Errorf("verdict is %v, want %v", err, c.want)
				}
			}
			var out strings.Builder
			r.print(&out, packages)
			if all := out.String() + fmt.Sprint(err); !strings.Contains(all, c.shows) {
				t.Errorf("nothing shows %q:\n%s", c.shows, all)
			}
		})
	}
}

func TestReportTellsOfWhatDidNotBuild(t *testing.T) {
	t.Parallel()
	packages := []testPackage{{path: "runnel/a", broken: errors.New("undefined: x")}}
	r := newReport(nil)
	var out strings.Builder
	r.print(&out, packages)
	if err := r.verdict(packages, nil); !errors.Is(err, errTests) || errors.Is(err, errMachine) || !strings.Contains(out.String(), "undefined: x") {
		t.Errorf("verdict %v, report:\n%s", err, &out)
	}
}

// Where every line was shown, what failed is told once more, at the end.
func TestReportEndsWithWhatFailed(t *testing.T) {
	t.Parallel()
	r := newReport(io.Discard)
	for _, line := range []string{begin, "=== RUN   TestA", "    a_test.go:3: why", "--- FAIL: TestA (0.00s)", "=== RUN   TestB", "--- PASS: TestB (0.00s)", endBad} {
		r.line(line)
	}
	var out strings.Builder
	if err := r.print(&out, []testPackage{{path: "runnel/a"}, {path: "runnel/never"}}); err != nil {
		t.Fatal(err)
	}
	if want := "failed: runnel/a TestA\n        a_test.go:3: why\n\n1 failed:\n    runnel/a TestA\n"; !strings.HasSuffix(out.String(), want) {
		t.Errorf("it ends otherwise than with %q:\n%s", want, &out)
	}
}

func TestReportTellsWhyTheGuestGaveUp(t *testing.T) {
	t.Parallel()
	r := newReport(nil)
	r.line(wire.Mark{Kind: wire.Hello}.String())
	r.line(wire.Mark{Kind: wire.Trouble, Text: "mount /sys: busy"}.String())
	if !r.up || r.done || r.trouble != "mount /sys: busy" {
		t.Errorf("up %v, done %v, trouble %q", r.up, r.done, r.trouble)
	}
}
