package main

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"runnel/internal/testlog"
	"runnel/internal/vm/wire"
)

// What can be wrong with a run that took place.
var (
	// errTests says that tests failed, or could not be built.
	errTests = errors.New("tests failed")
	// errMachine says that the machine failed, or was out of time: what it had
	// not yet run is neither good nor bad.
	errMachine = errors.New("the machine, not a test, failed")
)

// report gathers what the guest says, line by line.
type report struct {
	// up and done are set by the first and the last mark of the guest.
	up, done bool
	trouble  string
	// shown is where each line of the tests goes as it comes; nil for nowhere.
	shown  io.Writer
	suites map[string]*suiteReport
	now    *suiteReport // the suite that runs, nil between two
}

// suiteReport is what became of one package's tests.
type suiteReport struct {
	path string
	// test is the one that was last begun, or gone on with.
	test string
	// late says that the suite was ended by its own time limit.
	late                    bool
	passed, failed, skipped int
	ended                   bool
	code                    int
	took                    time.Duration
	output                  []string
}

func newReport(shown io.Writer) *report {
	return &report{shown: shown, suites: map[string]*suiteReport{}}
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
	case strings.HasPrefix(text, "panic: test timed out after "):
		r.now.late = true
	case strings.HasPrefix(text, "=== "): // RUN, CONT or NAME
		if fields := strings.Fields(text); len(fields) == 3 {
			r.now.test = fields[2]
		}
	}
	if r.shown != nil {
		fmt.Fprintln(r.shown, line)
	}
}

func (r *report) mark(m wire.Mark) {
	switch m.Kind {
	case wire.Hello:
		r.up = true
	case wire.Begin:
		r.now = &suiteReport{path: m.Text}
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

// ended is how many suites have run to their end.
func (r *report) ended() (n int) {
	for _, s := range r.suites {
		if s.ended {
			n++
		}
	}
	return n
}

// ok says whether the suite ran something to a good end.
func (s *suiteReport) ok() bool {
	return s != nil && s.ended && s.code == 0 && s.failed == 0 && s.passed > 0
}

// verdict is nil if every package's tests are fine. It tells failed tests, which
// are errTests, from a machine that died, which is errMachine; there may be
// both. died is why the machine ended before it was done.
func (r *report) verdict(packages []testPackage, died error) error {
	var failed, missing []string
	for _, p := range packages {
		switch s := r.suites[p.path]; {
		case p.broken != nil || s != nil && s.ended && !s.ok():
			failed = append(failed, p.path)
		case s == nil || !s.ended:
			missing = append(missing, p.path)
		}
	}
	var errs []error
	if len(failed) > 0 {
		errs = append(errs, fmt.Errorf("%w: %s", errTests, strings.Join(failed, ", ")))
	}
	if died == nil && len(missing) > 0 {
		died = fmt.Errorf("it did not run %s", strings.Join(missing, ", "))
	}
	if died != nil {
		errs = append(errs, fmt.Errorf("%w%s: %w", errMachine, r.at(), died))
	}
	return errors.Join(errs...)
}

// at tells what the machine was doing when it ended.
func (r *report) at() string {
	switch {
	case !r.up:
		return " before it was up"
	case r.now == nil:
		return ""
	case r.now.test == "":
		return " during " + r.now.path
	}
	return " during " + r.now.path + ", after " + r.now.test + " had begun"
}

// print writes one line per package in the manner of go test, and before it
// the output of those that failed. Where all has been shown that is far up by now:
// what failed is told again, shortly.
func (r *report) print(w io.Writer, packages []testPackage) error {
	for _, p := range packages {
		s := r.suites[p.path]
		if p.broken != nil {
			fmt.Fprintf(w, "%v\nFAIL\t%s\tvm: not built\n", p.broken, p.path)
			continue
		}
		if s != nil && !s.ok() && r.shown == nil {
			fmt.Fprintln(w, strings.Join(s.output, "\n"))
		}
		fmt.Fprintln(w, s.summary(p.path))
	}
	if r.shown != nil {
		return r.printFailures(w, packages)
	}
	return nil
}

// printFailures tells which tests failed.
func (r *report) printFailures(w io.Writer, packages []testPackage) error {
	var failures testlog.Reader
	for _, p := range packages {
		s := r.suites[p.path]
		if s == nil {
			continue
		}
		for _, line := range s.output {
			failures.Line(line)
		}
		failures.End(p.path, s.ended && !s.ok())
	}
	return failures.Tell(w)
}

func (s *suiteReport) summary(path string) string {
	switch {
	case s == nil:
		return fmt.Sprintf("????\t%s\tvm: not run", path)
	case !s.ended:
		return fmt.Sprintf("????\t%s\tvm: did not end: %d passed, %d skipped, %d failed", path, s.passed, s.skipped, s.failed)
	}
	word, why := "ok  ", ""
	if !s.ok() {
		word, why = "FAIL", fmt.Sprintf(", %d failed, %s", s.failed, s.end())
		if s.passed+s.failed == 0 {
			why += ", no test ran"
		}
	}
	return fmt.Sprintf("%s\t%s\tvm: %d passed, %d skipped%s, %.1fs", word, path, s.passed, s.skipped, why, s.took.Seconds())
}

// end tells how the suite's process ended. The guest counts exit statuses as a
// shell does.
func (s *suiteReport) end() string {
	switch {
	case s.late:
		return "out of time during " + s.test
	case s.code > 128:
		return fmt.Sprintf("killed by signal %d during %s", s.code-128, s.test)
	}
	return fmt.Sprintf("exit status %d", s.code)
}
