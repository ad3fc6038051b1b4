package main

import (
	"maps"
	"strings"
	"testing"

	"runnel/internal/vm/wire"
)

func TestReadGoTest(t *testing.T) {
	t.Parallel()
	a := func(name string) test { return test{"a", name} }
	for name, c := range map[string]struct {
		log  []string
		want map[test]outcome
	}{
		"one of each": {
			[]string{"=== RUN   TestA", "--- PASS: TestA (0.00s)", "--- SKIP: TestB (1.50s)", "--- FAIL: TestC (10.01s)", "FAIL", "FAIL\tm/a\t11.5s"},
			map[test]outcome{a("TestA"): passed, a("TestB"): skippedThere, a("TestC"): failed},
		},
		"packages": {
			[]string{"--- PASS: TestA (0.00s)", "PASS", "ok  \tm/a\t0.1s", "?   \tm/none\t[no test files]", "--- PASS: TestA (0.00s)", "ok  \tm/a/b\t0.1s\tcoverage: 1%", "--- PASS: TestA (0.00s)", "ok  \tm\t0.1s"},
			map[test]outcome{a("TestA"): passed, {"a/b", "TestA"}: passed, {".", "TestA"}: passed},
		},
		"another module's": {
			[]string{"--- PASS: TestA (0.00s)", "ok  \tmore/a\t0.1s"},
			map[test]outcome{},
		},
		"a part was skipped": {
			[]string{"--- PASS: TestA (0.00s)", "    --- PASS: TestA/x (0.00s)", "    --- SKIP: TestA/y (0.00s)", "--- PASS: TestB (0.00s)", "ok  \tm/a\t0.1s"},
			map[test]outcome{a("TestA"): skippedThere, a("TestB"): passed},
		},
		"twice": {
			[]string{"--- FAIL: TestA (0.00s)", "--- PASS: TestA (0.00s)", "FAIL\tm/a\t0.1s"},
			map[test]outcome{a("TestA"): failed},
		},
		"killed": {
			[]string{"--- PASS: TestA (0.00s)", "=== RUN   TestB", "panic: test timed out after 30m0s", "FAIL\tm/a\t1800.5s"},
			map[test]outcome{a("TestA"): passed, a("TestB"): failed},
		},
		"failed though no test did": {
			[]string{"--- PASS: TestA (0.00s)", "panic: after all of them", "FAIL\tm/a\t0.1s", "--- PASS: TestC (0.00s)", "ok  \tm/c\t(cached)"},
			map[test]outcome{a(allTests): failed, {"c", "TestC"}: passed},
		},
		"failed as a whole after it had run, and the other way round": {
			[]string{"--- PASS: TestA (0.00s)", "ok  \tm/a\t0.1s", "FAIL\tm/a [build failed]", "FAIL\tm/c [setup failed]", "--- PASS: TestC (0.00s)", "ok  \tm/c\t0.1s"},
			map[test]outcome{a(allTests): failed, {"c", "TestC"}: passed},
		},
		"not built": {
			[]string{"--- PASS: TestA (0.00s)", "ok  \tm/a\t0.1s", "# m/b", "FAIL\tm/b [build failed]", "--- PASS: TestC (0.00s)", "ok  \tm/c\t0.1s"},
			map[test]outcome{a("TestA"): passed, {"b", allTests}: failed, {"c", "TestC"}: passed},
		},
		"what a program under test prints": {
			[]string{"--- PASS: TestA (0.00s)", "    --- PASS: TestX (0.00s)", "--- PASS: TestA/x (0.00s)", "--- PASS: TestY (soon)", "ok  \tm/b\tvm: 1 passed, 0 skipped, 0.0s", "ok  \tm/a\t0.1s"},
			map[test]outcome{a("TestA"): passed},
		},
		"lines of any length": {
			[]string{strings.Repeat("x", 3*maxLine), "--- PASS: TestA (0.00s)", strings.Repeat("x", maxLine) + "--- PASS: TestB (0.00s)", "ok  \tm/a\t0.1s"},
			map[test]outcome{a("TestA"): passed},
		},
	} {
		got, err := readGoTest("m", strings.NewReader(strings.Join(c.log, "\n")))
		if err != nil || !maps.Equal(got, c.want) {
			t.Errorf("%s: got %v, error %v, want %v", name, got, err, c.want)
		}
	}
}

func TestReadGoTestRefusesWhatIsCutOff(t *testing.T) {
	t.Parallel()
	if got, err := readGoTest("m", strings.NewReader("ok  \tm/a\t0.1s\n--- FAIL: TestA (0.00s)\n")); err == nil {
		t.Errorf("taken as %v", got)
	}
}

func TestReadVM(t *testing.T) {
	t.Parallel()
	mark := func(kind wire.Kind, text string) string { return wire.Mark{Kind: kind, Text: text}.String() }
	log := []string{
		mark(wire.Hello, ""), "--- PASS: TestNobodys (0.00s)",
		mark(wire.Begin, "m/a"), "--- PASS: TestA (0.00s)", mark(wire.Beat, ""), "--- SKIP: TestB (0.00s)", "ok  \tm/b\t0.1s", mark(wire.End, "m/a"),
		"--- PASS: TestNobodys (0.00s)",
		mark(wire.Begin, "m/b"), "--- FAIL: TestA (0.00s)", "--- PASS: TestC (0.00s)", "=== RUN   TestD", // and the machine is gone
	}
	want := map[test]outcome{{"a", "TestA"}: passed, {"a", "TestB"}: skippedThere, {"b", "TestA"}: failed, {"b", "TestC"}: passed, {"b", "TestD"}: failed}
	got, err := readVM("m", strings.NewReader(strings.Join(log, "\r\n")))
	if err != nil || !maps.Equal(got, want) {
		t.Errorf("got %v, error %v, want %v", got, err, want)
	}
}
