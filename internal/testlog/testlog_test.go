package testlog

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
)

func TestRead(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		log  []string
		want []failure
	}{
		"all is well": {
			[]string{"=== RUN   TestA", "    a_test.go:1: fine", "--- PASS: TestA (0.00s)", "--- SKIP: TestB (0.00s)", "PASS", "ok  \tm/a\t0.1s", "?   \tm/none\t[no test files]"},
			nil,
		},
		"tests that take turns": {
			[]string{"=== RUN   TestA", "=== PAUSE TestA", "=== RUN   TestB", "=== PAUSE TestB", "=== CONT  TestA", "a1", "=== CONT  TestB", "b1", "=== NAME  TestA", "a2",
				"--- FAIL: TestA (0.10s)", "=== NAME  TestB", "b2", "--- PASS: TestB (0.10s)", "FAIL", "FAIL\tm/a\t0.3s"},
			[]failure{{"m/a", "TestA", []string{"a1", "a2"}}},
		},
		"a part of a test": {
			[]string{"=== RUN   TestA", "=== RUN   TestA/one", "    a_test.go:1: 1, want 2", "=== NAME  TestA", "--- FAIL: TestA (0.10s)", "    --- FAIL: TestA/one (0.10s)", "FAIL", "FAIL\tm/a\t0.3s"},
			[]failure{{"m/a", "TestA", []string{"    a_test.go:1: 1, want 2"}}},
		},
		"the name of the package comes last": {
			[]string{"--- FAIL: TestA (0.10s)", "FAIL", "FAIL\tm/a\t0.3s", "--- FAIL: TestA (0.10s)", "FAIL", "FAIL\tm/b\t0.3s"},
			[]failure{{"m/a", "TestA", nil}, {"m/b", "TestA", nil}},
		},
		"a process that died": {
			[]string{"=== RUN   TestA", "--- PASS: TestA (0.00s)", "=== RUN   TestB", "panic: oh", "goroutine 7", "FAIL\tm/a\t0.3s"},
			[]failure{{"m/a", "", []string{"panic: oh", "goroutine 7"}}},
		},
		"a process that died after a failure": {
			[]string{"=== RUN   TestA", "a1", "--- FAIL: TestA (0.00s)", "panic: oh", "goroutine 7", "FAIL\tm/a\t0.3s", "--- FAIL: TestB (0.00s)", "FAIL", "FAIL\tm/b\t0.3s"},
			[]failure{{"m/a", "TestA", []string{"a1"}}, {"m/a", "", []string{"panic: oh", "goroutine 7"}}, {"m/b", "TestB", nil}},
		},
		"a package that does not build": {
			[]string{"# m/a", "a.go:1:1: expected 'package'", "FAIL\tm/a [build failed]", "ok  \tm/b\t0.1s"},
			[]failure{{"m/a", "", []string{"# m/a", "a.go:1:1: expected 'package'"}}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var r Reader
			err := r.Read(strings.NewReader(strings.Join(c.log, "\n") + "\n"))
			if err != nil || !reflect.DeepEqual(r.found, c.want) {
				var said strings.Builder
				r.Tell(&said)
				t.Errorf("%v: %s; want %d failures", err, &said, len(c.want))
			}
		})
	}
}

// What is kept is bounded, whatever a test prints.
func TestReadKeepsTheLastLines(t *testing.T) {
	t.Parallel()
	var log strings.Builder
	fmt.Fprintf(&log, "=== RUN   TestA\n%s\n", strings.Repeat("long", maxLine))
	for n := range 10 * maxLines {
		fmt.Fprintln(&log, n)
	}
	fmt.Fprint(&log, "--- FAIL: TestA (0.00s)\nFAIL\nFAIL\tm/a\t0.1s\n")
	var r Reader
	err := r.Read(strings.NewReader(log.String()))
	got := r.found
	if err != nil || len(got) != 1 || len(got[0].lines) != maxLines {
		t.Fatalf("%d failures, %v: %.300q; want one with %d lines", len(got), err, got, maxLines)
	}
	if last := got[0].lines[maxLines-1]; last != fmt.Sprint(10*maxLines-1) {
		t.Errorf("the last line kept is %q, want the last that was printed", last)
	}
}

func TestTellEndsWithTheNames(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	r := Reader{found: []failure{{"m/a", "TestA", []string{"why"}}, {"m/b", "", nil}}}
	if err := r.Tell(&out); err != nil {
		t.Fatal(err)
	}
	want := "\nfailed: m/a TestA\n    why\n\nfailed: m/b\n\n2 failed:\n    m/a TestA\n    m/b\n"
	if out.String() != want {
		t.Errorf("%q, want %q", out.String(), want)
	}
}
