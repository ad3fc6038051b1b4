// Package wire is what the host and the guest of the VM run say to each other:
// the list of suites that the host leaves on the disk, and the marks that the
// guest puts between the lines of their output.
//
// It does no I/O and needs no privilege.
package wire

import (
	"fmt"
	"strings"
	"time"
)

// SuitesFile is where the guest finds its []Suite as JSON, ModulesFile the
// kernel modules to insert before the disk can be mounted, one path a line.
const (
	SuitesFile  = "/suites.json"
	ModulesFile = "/modules.list"
)

// SkipArg, on the kernel's command line, is followed by how many suites, from
// the first, the guest is to leave out.
const SkipArg = "runnel.skip="

// BeatEvery is the time between two beats of the guest.
const BeatEvery = 10 * time.Second

// Suite is one test binary to run.
type Suite struct {
	// Package is the import path whose tests these are.
	Package string
	// Dir is the working directory, the same as on the host.
	Dir string
	// Args are the binary, as an absolute path, and its arguments.
	Args []string
	// Env holds NAME=value, and is the whole environment.
	Env []string
}

// Kind says what a mark announces.
type Kind string

// The marks, in the order in which a good run shows them.
const (
	// Hello says that the guest is up.
	Hello Kind = "hello"
	// Begin and End enclose the output of one suite.
	Begin Kind = "begin"
	End   Kind = "end"
	// Beat says, every BeatEvery and between any two lines, that the guest lives.
	Beat Kind = "beat"
	// Trouble says why the guest gives up.
	Trouble Kind = "trouble"
	// Done says that every suite was run.
	Done Kind = "done"
)

// Mark is one line of the guest's own between the lines of the tests.
type Mark struct {
	Kind Kind
	// Code is the exit status of the suite, with End.
	Code int
	// Took is how long the suite ran, with End.
	Took time.Duration
	// Text is the package of Begin and End, and the reason of Trouble.
	Text string
}

// lead begins the line of a mark; no test prints it.
const lead = "\x01vm "

// String is the line of m, without its end.
func (m Mark) String() string {
	return fmt.Sprintf("%s%s %d %d %s", lead, m.Kind, m.Code, m.Took, strings.ReplaceAll(m.Text, "\n", " "))
}

// Parse reads a line; ok is false if it is no mark.
func Parse(line string) (m Mark, ok bool) {
	rest, ok := strings.CutPrefix(line, lead)
	if !ok {
		return Mark{}, false
	}
	if _, err := fmt.Sscanf(rest, "%s %d %d", &m.Kind, &m.Code, &m.Took); err != nil {
		return Mark{}, false
	}
	if fields := strings.SplitN(rest, " ", 4); len(fields) == 4 {
		m.Text = fields[3]
	}
	return m, true
}
