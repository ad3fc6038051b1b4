package main

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"runnel/internal/vm/wire"
)

// errTests says that the machine did its work and the tests did not pass.
var errTests = errors.New("tests failed")

// report gathers what the guest says, line by line.
type report struct {
	// up and done are set by the first and the last mark of the guest.
	up, done bool
	trouble  string
	verbose  bool
	suites   map[string]*suiteReport
	now      *suiteReport
}

// suiteReport is what became of one package's tests.
type suiteReport struct {
	passed, failed, skipped int
	ended                   bool
	code                    int
	took                    time.Duration
	output                  []string
}

func newReport(verbose bool) *report {
	return &report{verbose: verbose, suites: map[string]*suiteReport{}}
}

// line takes the next line of the guest.
func (r *report) line(line string) {
	if m, ok := wire.Parse(line); ok {
		r.mark(m)
		return
	}
	if r.now == nil || line == "" {
		return
	}
	r.now.output = append(r.now.output, line)
	switch text := strings.TrimSpace(line); {
	case strings.HasPrefix(text, "--- PASS: "):
		r.now.passed++
	case strings.HasPrefix(text, "--- FAIL: "):
		r.now.failed++
	case strings.HasPrefix(text, "--- SKIP: "):
		r.now.skipped++
	}
	if r.verbose {
		fmt.Println(line)
	}
}

func (r *report) mark(m wire.Mark) {
	switch m.Kind {
	case wire.Hello:
		r.up = true
	case wire.Begin:
		r.now = &suiteReport{}
		r.suites[m.Text] = r.now
	case wire.End:
		if s := r.suites[m.Text]; s != nil {
			s.ended, s.code, s.took = true, m.Code, m.Took
		}
		r.now = nil
	case wire.Trouble:
		r.trouble = m.Text
	case wire.Done:
		r.done = true
	}
}

// ok says whether the suite ran something to a good end.
func (s *suiteReport) ok() bool {
	return s != nil && s.ended && s.code == 0 && s.failed == 0 && s.passed > 0
}

// verdict is nil if every package's tests are fine.
func (r *report) verdict(packages []testPackage) error {
	for _, p := range packages {
		if !r.suites[p.path].ok() {
			return errTests
		}
	}
	return nil
}

// print writes one line per package in the manner of go test, and before it
// the output of those that failed.
func (r *report) print(w io.Writer, packages []testPackage, log string) {
	for _, p := range packages {
		s := r.suites[p.path]
		if p.broken != nil {
			fmt.Fprintf(w, "%v\nFAIL\t%s\tvm: not built\n", p.broken, p.path)
			continue
		}
		if s != nil && !s.ok() && !r.verbose {
			fmt.Fprintln(w, strings.Join(s.output, "\n"))
		}
		fmt.Fprintln(w, s.summary(p.path))
	}
	if r.trouble != "" {
		fmt.Fprintln(w, "the guest gave up:", r.trouble)
	}
	fmt.Fprintln(w, "vm: all output is in", log)
}

func (s *suiteReport) summary(path string) string {
	switch {
	case s == nil:
		return fmt.Sprintf("FAIL\t%s\tvm: not run", path)
	case !s.ended:
		return fmt.Sprintf("FAIL\t%s\tvm: did not end", path)
	}
	word, why := "ok  ", ""
	if !s.ok() {
		word, why = "FAIL", fmt.Sprintf(", %d failed, exit status %d", s.failed, s.code)
		if s.passed+s.failed == 0 {
			why += ", no test ran"
		}
	}
	return fmt.Sprintf("%s\t%s\tvm: %d passed, %d skipped%s, %.1fs", word, path, s.passed, s.skipped, why, s.took.Seconds())
}
