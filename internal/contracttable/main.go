// Command contracttable writes docs/contract.md, the table of every row of the
// contract and the tests that prove it, and the short one in README.md.
//
// It reads the rows (integration/contract), the comments of the tests that name
// them, and what became of the tests on both kinds of host: the logs it is
// given, and beyond them docs/contract-results.tsv, where it keeps what logs
// have said. It takes rows that have a test now off the list of those to prove.
// Its own tests check that all of it agrees. It runs no test and needs no
// privilege.
//
//	go run ./internal/contracttable -host .cache/host/tests.log -vm .cache/vm/run/tests.log
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// logFile is what one run of the tests has printed.
type logFile struct {
	host host
	path string
}

func main() {
	root := flag.String("root", ".", "the `directory` of the checkout")
	var logs []logFile
	take := func(h host) func(string) error {
		return func(path string) error {
			logs = append(logs, logFile{h, path})
			return nil
		}
	}
	flag.Func("host", "take results from the `log` of go test -v on a host with cgroup v1", take(onHost))
	flag.Func("vm", "take results from the `log` of the VM run", take(inVM))
	flag.Parse()
	if err := run(*root, logs); err != nil {
		fmt.Fprintln(os.Stderr, "cannot write the table of the contract:")
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// run brings what is written below root up to date. It writes nothing if the
// rows and the tests do not agree.
func run(root string, logs []logFile) error {
	c, err := read(os.DirFS(root))
	if err != nil {
		return err
	}
	c.shrink()
	if faults := c.faults(); len(faults) > 0 {
		return errors.Join(faults...)
	}
	for _, l := range logs {
		if err := c.takeLog(l); err != nil {
			return err
		}
	}
	written, err := c.files()
	if err != nil {
		return err
	}
	for _, f := range written {
		if err := os.WriteFile(filepath.Join(root, f.path), []byte(f.text), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// takeLog takes over what a log says of the tests.
func (c *contract) takeLog(l logFile) error {
	f, err := os.Open(l.path)
	if err != nil {
		return err
	}
	defer f.Close()
	read := map[host]func(string, io.Reader) (map[test]outcome, error){onHost: readGoTest, inVM: readVM}
	said, err := read[l.host](c.module, f)
	if err != nil {
		return fmt.Errorf("read %s: %w", l.path, err)
	}
	for t, o := range said {
		if t.name != allTests {
			c.results.set(t, l.host, o)
			continue
		}
		for _, named := range c.tests(func(n naming) bool { return n.test.dir == t.dir }) {
			c.results.set(named, l.host, o)
		}
	}
	return nil
}
