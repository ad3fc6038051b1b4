package jobs

import (
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"runnel/cmd/runnel/cli"
	"runnel/cmd/runnel/clitest"
	"runnel/contract"
	"runnel/control/controltest"
	rruntime "runnel/runtime"
)

// world is a daemon with fake instances, and a command line for its jobs.
type world struct {
	*clitest.World
	t *testing.T
}

// tested are the commands that tests call.
func tested(e cli.Env) []*cobra.Command { return []*cobra.Command{New(e)} }

// newWorld starts a daemon; it ends with the test.
func newWorld(t *testing.T) *world {
	t.Helper()
	return &world{clitest.New(t, tested), t}
}

// nowhere is a command line without a daemon.
func nowhere(t *testing.T) *world { return &world{clitest.Nowhere(t, tested), t} }

// fail makes every attempt exit with a code.
func (w *world) fail(code int) {
	w.Instances.Play(func(rruntime.Spec) controltest.Script { return controltest.Script{Exit: contract.Exit{Code: code}} })
}

// hang makes every attempt run until it is stopped.
func (w *world) hang() {
	w.Instances.Play(func(rruntime.Spec) controltest.Script { return controltest.Script{Hold: true} })
}

// in executes a command of "runnel jobs" in an environment.
func (w *world) in(e cli.Env, line ...string) clitest.Outcome {
	w.t.Helper()
	return w.In(e, append([]string{"jobs"}, line...)...)
}

// do executes a command of "runnel jobs" that has no quotes.
func (w *world) do(line string) clitest.Outcome {
	w.t.Helper()
	return w.Do("jobs " + line)
}

// must executes a command of "runnel jobs" that has to succeed, and returns its
// result.
func (w *world) must(line string) string {
	w.t.Helper()
	return w.Must("jobs " + line)
}

// latest is the name of a job's latest execution.
func (w *world) latest(job string) string {
	w.t.Helper()
	return strings.TrimSpace(w.must("describe " + job + " --format value(status.latestCreatedExecution.name)"))
}
