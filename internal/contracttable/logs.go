package main

import (
	"bufio"
	"errors"
	"io"
	"maps"
	"path"
	"regexp"
	"strings"

	"runnel/internal/vm/wire"
)

// What go test -v prints: where a test begins, its end or that of a part of it, and
// the end of a package.
// Tests of programs print lines that are nearly alike, so all of one is wanted.
var (
	beginOfTest  = regexp.MustCompile(`^=== RUN   ([^/\s]+)$`)
	endOfTest    = regexp.MustCompile(`^( *)--- (PASS|SKIP|FAIL): ([^/\s]+)(/\S+)? \([0-9.]+s\)$`)
	endOfPackage = regexp.MustCompile(`^(ok  |FAIL)\t(\S+)(?:\t(?:[0-9.]+s\b|\(cached\))| \[(?:build|setup) failed\]$)`)
)

// maxLine bounds a line of a log, in bytes. Longer ones are no ends of tests.
const maxLine = 64 << 10

// outcomes gathers what became of the tests of one package. A test that has only
// begun is notRun in it, and has failed at the package's end: it hung, or went down with the others.
type outcomes map[string]outcome

// line takes the next line of the package's output. The worst that is said of a
// test, or of a part of it, holds.
func (o outcomes) line(line string) {
	if m := beginOfTest.FindStringSubmatch(line); m != nil {
		if _, ok := o[m[1]]; !ok {
			o[m[1]] = notRun
		}
		return
	}
	m := endOfTest.FindStringSubmatch(line)
	if m == nil || (m[1] == "") != (m[4] == "") {
		return
	}
	word := map[string]outcome{"PASS": passed, "SKIP": skippedThere, "FAIL": failed}[m[2]]
	o[m[3]] = max(o[m[3]], word)
}

// allTests is the name under which a package has failed as a whole: it was not
// built, or no test says why. What became of its tests is worth nothing then.
const allTests = ""

// end gives what there is to say of a package's tests at its end.
func (o outcomes) end(failedAtAll bool) outcomes {
	for _, word := range o {
		if word == failed || word == notRun { // that is why
			return o
		}
	}
	if failedAtAll {
		return outcomes{allTests: failed}
	}
	return o
}

// readGoTest reads what go test -v printed of many packages. A package's name
// comes after its tests: a log that ends before does not say whose they are.
func readGoTest(module string, log io.Reader) (map[test]outcome, error) {
	all := map[test]outcome{}
	now := outcomes{}
	err := eachLogLine(log, func(line string) {
		now.line(line)
		if m := endOfPackage.FindStringSubmatch(line); m != nil {
			now.end(m[1] == "FAIL").of(module, m[2], all)
			now = outcomes{}
		}
	})
	if err == nil && len(now) > 0 {
		err = errors.New("it ends among the tests of a package: run those again")
	}
	return all, err
}

// readVM reads the log of the VM run, whose marks enclose each package's output.
func readVM(module string, log io.Reader) (map[test]outcome, error) {
	all := map[test]outcome{}
	now, pkg := outcomes{}, ""
	end := func(code int) {
		if pkg != "" {
			now.end(code != 0).of(module, pkg, all)
		}
		now, pkg = outcomes{}, ""
	}
	err := eachLogLine(log, func(line string) {
		m, ok := wire.Parse(line)
		switch {
		case !ok:
			now.line(line)
		case m.Kind == wire.Begin:
			end(0)
			pkg = m.Text
		case m.Kind == wire.End:
			end(m.Code)
		}
	})
	end(0) // a machine that died has run what it said
	return all, err
}

// of adds what became of the tests of the package with an import path. If it has
// failed as a whole that is all there is to say, and if not, it is no longer so.
func (o outcomes) of(module, importPath string, all map[test]outcome) {
	dir, ours := strings.CutPrefix(importPath+"/", module+"/")
	if !ours {
		return
	}
	dir = path.Clean(dir)
	_, whole := o[allTests]
	maps.DeleteFunc(all, func(t test, _ outcome) bool { return t.dir == dir && (whole || t.name == allTests) })
	for name, word := range o {
		if word == notRun {
			word = failed
		}
		all[test{dir, name}] = word
	}
}

// eachLogLine calls do for each line that is no longer than maxLine.
func eachLogLine(log io.Reader, do func(string)) error {
	in := bufio.NewReaderSize(log, maxLine)
	for {
		line, long, err := in.ReadLine()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if !long {
			do(string(line))
			continue
		}
		for long && err == nil {
			_, long, err = in.ReadLine()
		}
	}
}
