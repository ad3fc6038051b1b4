package main

import (
	"bufio"
	"io"
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
	endOfPackage = regexp.MustCompile(`^(?:ok  |FAIL)\t(\S+)\t[0-9.]+s\b`)
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

// readGoTest reads what go test -v printed of many packages. A package's name
// comes after its tests.
func readGoTest(module string, log io.Reader) (map[test]outcome, error) {
	all := map[test]outcome{}
	now := outcomes{}
	err := eachLogLine(log, func(line string) {
		now.line(line)
		if m := endOfPackage.FindStringSubmatch(line); m != nil {
			now.of(module, m[1], all)
			now = outcomes{}
		}
	})
	return all, err
}

// readVM reads the log of the VM run, whose marks enclose each package's output.
func readVM(module string, log io.Reader) (map[test]outcome, error) {
	all := map[test]outcome{}
	now, pkg := outcomes{}, ""
	end := func() {
		if pkg != "" {
			now.of(module, pkg, all)
		}
		now, pkg = outcomes{}, ""
	}
	err := eachLogLine(log, func(line string) {
		m, ok := wire.Parse(line)
		switch {
		case !ok:
			now.line(line)
		case m.Kind == wire.Begin:
			end()
			pkg = m.Text
		case m.Kind == wire.End:
			end()
		}
	})
	end() // a machine that died has run what it said
	return all, err
}

// of adds what became of the tests of the package with an import path.
func (o outcomes) of(module, importPath string, all map[test]outcome) {
	dir, ours := strings.CutPrefix(importPath+"/", module+"/")
	if !ours {
		return
	}
	for name, word := range o {
		if word == notRun {
			word = failed
		}
		all[test{path.Clean(dir), name}] = word
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
