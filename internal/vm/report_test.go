package main

import (
	"errors"
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
	for name, c := range map[string]struct {
		lines []string
		ok    bool
		shows string
	}{
		"passed":        {[]string{begin, "--- PASS: TestA (0.00s)", "    --- PASS: TestA/b (0.00s)", "PASS", endGood}, true, "vm: 2 passed, 0 skipped"},
		"one skipped":   {[]string{begin, "--- PASS: TestA (0.00s)", "--- SKIP: TestB (0.00s)", endGood}, true, "1 passed, 1 skipped"},
		"one failed":    {[]string{begin, "    a_test.go:3: why", "--- FAIL: TestA (0.00s)", endBad}, false, "a_test.go:3: why"},
		"killed":        {[]string{begin, "--- PASS: TestA (0.00s)", endOOM}, false, "exit status 137"},
		"no test":       {[]string{begin, "testing: warning: no tests to run", "PASS", endGood}, false, "no test ran"},
		"only skipped":  {[]string{begin, "--- SKIP: TestA (0.00s)", "PASS", endGood}, false, "1 skipped"},
		"panic of VM":   {[]string{begin, "--- PASS: TestA (0.00s)"}, false, "did not end"},
		"never started": {nil, false, "not run"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			packages := []testPackage{{path: "runnel/a"}}
			r := newReport(false)
			for _, line := range c.lines {
				r.line(line)
			}
			if err := r.verdict(packages); (err == nil) != c.ok {
				t.Errorf("verdict is %v, want good: %v", err, c.ok)
			}
			var out strings.Builder
			r.print(&out, packages, "log")
			if !strings.Contains(out.String(), c.shows) {
				t.Errorf("the report does not show %q:\n%s", c.shows, &out)
			}
		})
	}
}

func TestReportTellsOfWhatDidNotBuild(t *testing.T) {
	t.Parallel()
	packages := []testPackage{{path: "runnel/a", broken: errors.New("undefined: x")}}
	r := newReport(false)
	var out strings.Builder
	r.print(&out, packages, "log")
	if r.verdict(packages) == nil || !strings.Contains(out.String(), "undefined: x") {
		t.Errorf("verdict %v, report:\n%s", r.verdict(packages), &out)
	}
}

func TestReportTellsWhyTheGuestGaveUp(t *testing.T) {
	t.Parallel()
	r := newReport(false)
	r.line(wire.Mark{Kind: wire.Hello}.String())
	r.line(wire.Mark{Kind: wire.Trouble, Text: "mount /sys: busy"}.String())
	var out strings.Builder
	r.print(&out, nil, "log")
	if !r.up || r.done || !strings.Contains(out.String(), "mount /sys: busy") {
		t.Errorf("up %v, done %v, report:\n%s", r.up, r.done, &out)
	}
}
