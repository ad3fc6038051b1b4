package workerpools

import (
	"context"
	"errors"
	"regexp"
	"testing"

	"cloud.google.com/go/run/apiv2/runpb"
	"github.com/spf13/cobra"

	"runnel/cmd/runnel/cli"
	"runnel/cmd/runnel/clitest"
	"runnel/control/controltest"
)

// world is a daemon with a fake fleet, and a command line for its worker pools.
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

// fail has revisions not become ready from now on.
func (w *world) fail(why string) {
	w.Fleet.Play(func(*runpb.Revision) controltest.Trial { return controltest.Trial{Err: errors.New(why)} })
}

// pool is a worker pool as it stands.
func (w *world) pool(id string) *runpb.WorkerPool {
	w.t.Helper()
	p, err := w.Control.WorkerPool(context.Background(), controltest.Parent+"/workerPools/"+id)
	if err != nil {
		w.t.Fatal(err)
	}
	return p
}

// steady replaces what differs from run to run.
func steady(s string) string {
	s = regexp.MustCompile(`(-\d{5}-)[a-z]{3}\b`).ReplaceAllString(s, "${1}xxx")
	return regexp.MustCompile(`\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?( UTC|Z)`).ReplaceAllString(s, "<time>")
}

// expect executes a command line, and compares how it ends and what it says.
func (w *world) expect(line string, code int, stderr string) {
	w.t.Helper()
	if got := w.Do(line); got.Code != code || steady(got.Stderr) != stderr {
		w.t.Errorf("runnel %s: exit %d, want %d\n%swant\n%s", line, got.Code, code, steady(got.Stderr), stderr)
	}
}
