package kf

import (
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"runnel/cmd/runnel/cli"
	"runnel/cmd/runnel/clitest"
	"runnel/control/controltest"
	rimage "runnel/image"
	rruntime "runnel/runtime"
)

// world is a daemon with fake instances, and a command line for its apps.
type world struct {
	*clitest.World
	t *testing.T
}

// tested are the commands that tests call.
func tested(e cli.Env) []*cobra.Command { return []*cobra.Command{New(e)} }

// newWorld starts a daemon whose image has a command; it ends with the test.
func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{clitest.New(t, tested), t}
	w.Images.Configure(controltest.Image, rimage.Config{Cmd: []string{"/hello"}})
	return w
}

// line executes a command of "runnel kf" whose words are given.
func (w *world) line(words ...string) clitest.Outcome {
	w.t.Helper()
	return w.In(cli.Env{}, append([]string{"kf"}, words...)...)
}

// do executes a command of "runnel kf" that has no quotes.
func (w *world) do(line string) clitest.Outcome {
	w.t.Helper()
	return w.Do("kf " + line)
}

// must executes a command of "runnel kf" that has to succeed, and returns its
// result.
func (w *world) must(line string) string {
	w.t.Helper()
	return w.Must("kf " + line)
}

// push makes an app.
func (w *world) push(app string) {
	w.t.Helper()
	w.must("push " + app + " --task --docker-image " + controltest.Image)
}

// submitted is the name of the task that a command has said it has submitted.
func (w *world) submitted(out string) string {
	w.t.Helper()
	found := regexp.MustCompile(`^Task ([a-z0-9-]+-[a-z0-9]{5}) is submitted successfully for execution\.\n$`).FindStringSubmatch(out)
	if found == nil {
		w.t.Fatalf("no task is submitted: %q", out)
	}
	return found[1]
}

// run runs a task of an app, with more words, and returns its name.
func (w *world) run(app string, more ...string) string {
	w.t.Helper()
	got := w.line(append([]string{"run-task", app}, more...)...)
	if got.Code != 0 {
		w.t.Fatalf("run-task: exit %d\n%s", got.Code, got.Stderr)
	}
	return w.submitted(got.Stdout)
}

// hang makes every task run until it is stopped.
func (w *world) hang() {
	w.Instances.Play(func(rruntime.Spec) controltest.Script { return controltest.Script{Hold: true} })
}

// rows are the lines of a table, each with its cells.
func rows(table string) (all [][]string) {
	for line := range strings.Lines(table) {
		all = append(all, regexp.MustCompile(`  +`).Split(strings.TrimSpace(line), -1))
	}
	return all
}

// ended waits until a task has ended.
func (w *world) ended(task string) {
	w.t.Helper()
	w.Until("the end of "+task, func() bool {
		for _, row := range rows(w.must("tasks")) {
			if row[0] == task && row[5] != "Unknown" {
				return true
			}
		}
		return false
	})
}
