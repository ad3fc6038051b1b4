// Package testlog finds in what go test -v printed the tests that failed, and what
// they said: in a long run of tests that take turns the two stand far apart.
package testlog

import (
	"bufio"
	"errors"
	"io"
	"regexp"
	"strings"
)

// What go test -v prints between the lines of the tests. Tests that run side by
// side take turns: each turn begins with the test's name.
var (
	turn         = regexp.MustCompile(`^=== (RUN|PAUSE|CONT|NAME)\s+(\S*)$`)
	endOfTest    = regexp.MustCompile(`^--- (PASS|SKIP|FAIL): (\S+) \([0-9.]+s\)$`)
	endOfPackage = regexp.MustCompile(`^(ok  |FAIL|\?   )\t(\S+)`)
	death        = regexp.MustCompile(`^(panic|fatal error): `)
)

// Bounds of what is kept: the lines of one test, and the bytes of one line.
const (
	maxLines = 30
	maxLine  = 64 << 10
)

// failure is a test that failed, or a package that failed without one: it was not
// built, or ended in the middle.
type failure struct {
	pkg, test string
	// lines are the last of what it printed, maxLines at most.
	lines []string
}

// String names what failed.
func (f failure) String() string {
	if f.test == "" {
		return f.pkg
	}
	return f.pkg + " " + f.test
}

// Reader follows what the tests of one package after the other print. The zero
// Reader is ready for use.
type Reader struct {
	found []failure
	// pkg holds the failures of the package whose lines are read: its name comes
	// after them.
	pkg []failure
	// now is the test whose turn it is, empty between tests.
	now string
	// lines are what each test has printed that has not ended, and under the empty
	// name what the package did.
	lines map[string][]string
	// last are the first maxLines lines of what the process said as it died.
	last []string
}

// Read takes a whole log. Its error is the log's own.
func (r *Reader) Read(log io.Reader) error {
	in := bufio.NewReaderSize(log, maxLine)
	for {
		line, more, err := in.ReadLine()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		r.Line(string(line))
		for more && err == nil { // the rest of a line that is longer
			_, more, err = in.ReadLine()
		}
	}
}

// Line takes the next line, without its end.
func (r *Reader) Line(line string) {
	if m := turn.FindStringSubmatch(line); m != nil {
		r.now, _, _ = strings.Cut(m[2], "/")
		return
	}
	if m := endOfTest.FindStringSubmatch(line); m != nil {
		if m[1] == "FAIL" {
			r.pkg = append(r.pkg, failure{test: m[2], lines: r.lines[m[2]]})
		}
		delete(r.lines, m[2])
		return
	}
	if m := endOfPackage.FindStringSubmatch(line); m != nil {
		r.End(m[2], m[1] == "FAIL")
		return
	}
	if death.MatchString(line) || len(r.last) > 0 && len(r.last) < maxLines {
		r.last = append(r.last, line)
	}
	r.keep("", line)
	if r.now != "" {
		r.keep(r.now, line)
	}
}

// End says that the lines of a package are over, where none of them does. A package
// whose process died has its last words to show, and one that failed without a test
// that says so the last lines of all.
func (r *Reader) End(pkg string, failed bool) {
	switch {
	case failed && len(r.last) > 0:
		r.pkg = append(r.pkg, failure{lines: r.last})
	case failed && len(r.pkg) == 0:
		r.pkg = []failure{{lines: r.lines[""]}}
	}
	for _, f := range r.pkg {
		f.pkg = pkg
		r.found = append(r.found, f)
	}
	r.pkg, r.now, r.lines, r.last = nil, "", nil, nil
}

// keep adds a line to those of a test, or to the package's.
func (r *Reader) keep(test, line string) {
	if r.lines == nil {
		r.lines = map[string][]string{}
	}
	lines := append(r.lines[test], line)
	r.lines[test] = lines[max(0, len(lines)-maxLines):]
}
