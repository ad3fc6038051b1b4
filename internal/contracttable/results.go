package main

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
)

// resultsFile keeps what became of the tests that name rows, one a line, with
// nothing that differs between two runs alike: no times, no machine.
const resultsFile = "docs/contract-results.tsv"

// host is a kind of machine that tests run on.
type host int

// The kinds of host, in the order of the columns.
const (
	onHost host = iota
	inVM
	hosts int = iota
)

// String heads the column of h.
func (h host) String() string {
	return [...]string{"host, cgroup v1", "VM, cgroup v2"}[h]
}

// outcome is what became of a test on a host, the worse the greater.
type outcome int

// The outcomes. A test of which a part was skipped was skipped.
const (
	notRun outcome = iota
	passed
	skippedThere
	failed
)

// words are the outcomes as files and tables call them.
var words = [...]string{"-", "pass", "skip", "fail"}

// results is what became of each test on each host.
type results map[test][hosts]outcome

func (r results) set(t test, h host, o outcome) {
	on := r[t]
	on[h] = o
	r[t] = on
}

// readResults reads what earlier runs left; nothing if there was none.
func readResults(fsys fs.FS) (results, error) {
	all := results{}
	err := eachLine(fsys, resultsFile, func(line string) error {
		fields := strings.Split(line, "\t")
		if len(fields) != 2+hosts {
			return fmt.Errorf("%d columns, want %d", len(fields), 2+hosts)
		}
		for h, word := range fields[2:] {
			o := slices.Index(words[:], word)
			if o < 0 {
				return fmt.Errorf("%q, want one of %q", word, words)
			}
			all.set(test{fields[0], fields[1]}, host(h), outcome(o))
		}
		return nil
	})
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return all, err
}

// text is the file, of the given tests alone: whatever names no row goes.
func (r results) text(tests []test) string {
	var out strings.Builder
	fmt.Fprint(&out, "# What became of the tests that name rows of the contract, by the last runs. Made by make contract.\n# package\ttest")
	for h := range hosts {
		fmt.Fprintf(&out, "\t%s", host(h))
	}
	fmt.Fprintln(&out)
	for _, t := range tests {
		on, known := r[t]
		if !known {
			continue
		}
		fmt.Fprintf(&out, "%s\t%s", t.dir, t.name)
		for _, o := range on {
			fmt.Fprintf(&out, "\t%s", words[o])
		}
		fmt.Fprintln(&out)
	}
	return out.String()
}
