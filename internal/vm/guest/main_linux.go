// Package main is the first and only program that the machine of the VM run
// starts: it makes the host that the tests expect, runs them one suite after
// the other, reports on the second serial line, and switches the machine off.
//
// It is process 1 of a machine that exists for one run; it is of no use
// anywhere else.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"runnel/internal/vm/wire"
)

func main() {
	if os.Getpid() != 1 {
		fmt.Fprintln(os.Stderr, "guest: this is the init of a test machine, not a command")
		os.Exit(2)
	}
	if err := run(); err != nil {
		// The report line may not be there yet: the console shows it in any case.
		fmt.Println("guest:", err)
	}
	unix.Sync()
	// Process 1 must not end; if power-off failed there is nothing left to do
	// but wait for the host's deadline.
	_ = unix.Reboot(unix.LINUX_REBOOT_CMD_POWER_OFF)
	select {}
}

// run brings the machine up and runs every suite.
func run() (err error) {
	if err := enterRoot(); err != nil {
		return err
	}
	line, err := openLine("/dev/ttyS1")
	if err != nil {
		return err
	}
	defer line.Close()
	defer func() {
		if err != nil {
			mark(line, wire.Mark{Kind: wire.Trouble, Text: err.Error()})
		}
	}()
	mark(line, wire.Mark{Kind: wire.Hello})
	go beat(line)
	if err := furnish(); err != nil {
		return err
	}
	suites, err := readSuites()
	if err != nil {
		return err
	}
	skip, err := skipped()
	if err != nil {
		return err
	}
	for _, s := range suites[min(skip, len(suites)):] {
		mark(line, wire.Mark{Kind: wire.Begin, Text: s.Package})
		code, took, err := runSuite(s, line)
		if err != nil {
			return fmt.Errorf("run %s: %w", s.Package, err)
		}
		mark(line, wire.Mark{Kind: wire.End, Code: code, Took: took, Text: s.Package})
	}
	mark(line, wire.Mark{Kind: wire.Done})
	return nil
}

// beat says for as long as the machine lives that it does.
func beat(w io.Writer) {
	for range time.Tick(wire.BeatEvery) {
		mark(w, wire.Mark{Kind: wire.Beat})
	}
}

// skipped is how many of the suites an earlier boot has run.
func skipped() (int, error) {
	raw, err := os.ReadFile("/proc/cmdline")
	if err != nil {
		return 0, err
	}
	for arg := range strings.FieldsSeq(string(raw)) {
		if n, ok := strings.CutPrefix(arg, wire.SkipArg); ok {
			return strconv.Atoi(n)
		}
	}
	return 0, nil
}

// mark writes m on a line of its own, whatever stands before it.
func mark(w io.Writer, m wire.Mark) {
	// A dead serial line shows on the host as the missing mark.
	_, _ = fmt.Fprintf(w, "\n%s\n", m)
}

func readSuites() ([]wire.Suite, error) {
	raw, err := os.ReadFile(wire.SuitesFile)
	if err != nil {
		return nil, err
	}
	var suites []wire.Suite
	if err := json.Unmarshal(raw, &suites); err != nil {
		return nil, fmt.Errorf("read %s: %w", wire.SuitesFile, err)
	}
	return suites, nil
}

// openLine opens a serial line that passes every byte as it is.
func openLine(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		return nil, err
	}
	fd := int(f.Fd())
	tio, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("read the settings of %s: %w", path, err)
	}
	tio.Oflag &^= unix.OPOST
	tio.Lflag &^= unix.ECHO | unix.ICANON | unix.ISIG
	if err := unix.IoctlSetTermios(fd, unix.TCSETS, tio); err != nil {
		f.Close()
		return nil, fmt.Errorf("set %s raw: %w", path, err)
	}
	return f, nil
}
