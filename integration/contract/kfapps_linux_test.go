package contract

import (
	"regexp"
	"strings"
	"testing"

	"runnel/image/imagetest"
	"runnel/integration/rig"
)

// kfApp is an app of kf's that runs tasks.
type kfApp struct {
	*rig.Daemon
	name string
}

// pushed is an app named after its test, from an image of busybox that has
// neither an entrypoint nor a command.
func pushed(t *testing.T, d *rig.Daemon, flags ...string) *kfApp {
	t.Helper()
	image := d.Host.Image("bare", func() imagetest.Build {
		return imagetest.Build{Layers: []imagetest.Layer{imagetest.MustBusybox(t)}, Config: imagetest.Config{Env: []string{"PATH=/bin"}}}
	})
	a := &kfApp{d, nameOf(t)}
	a.kf(append([]string{"push", a.name, "--task", "--docker-image", image, "-m", "128M", "--cpu-cores", "0.1"}, flags...)...)
	t.Cleanup(func() { a.CLI("kf", "delete", a.name) }) // with what may still run
	return a
}

// kf runs a command of "runnel kf", which must succeed.
func (a *kfApp) kf(args ...string) rig.Result {
	a.Host.Helper()
	return a.CLI(append([]string{"kf"}, args...)...).Exits(0)
}

// submitted is what run-task and run-job say, with the name of the task.
var submitted = regexp.MustCompile(`^Task (\S+-[a-z0-9]{5}) is submitted successfully for execution\.\n$`)

// task is the name of the task that a command says it has submitted.
func (a *kfApp) task(r rig.Result) string {
	a.Host.Helper()
	found := submitted.FindStringSubmatch(r.Stdout)
	if found == nil {
		a.Host.Fatalf("no task is submitted\n%s", r)
	}
	return found[1]
}

// run runs a task of the app.
func (a *kfApp) run(flags ...string) (task string) {
	a.Host.Helper()
	return a.task(a.kf(append([]string{"run-task", a.name}, flags...)...))
}

// statuses are "SUCCEEDED REASON" of the app's tasks, by their names.
func (a *kfApp) statuses() map[string]string {
	a.Host.Helper()
	all := map[string]string{}
	out := a.kf("tasks", a.name, "-o", `jsonpath={range .items[*]}{.metadata.name}/{.status.conditions[0].status} {.status.conditions[0].reason}{"\n"}{end}`).Stdout
	for line := range strings.Lines(out) {
		name, status, _ := strings.Cut(line, "/")
		all[name] = strings.TrimSpace(status)
	}
	return all
}

// until waits until each of some tasks is in a status.
func (a *kfApp) until(status string, tasks ...string) {
	a.Host.Helper()
	a.Until(strings.Join(tasks, " and ")+" to be "+status, func() bool {
		all := a.statuses()
		for _, task := range tasks {
			if all[task] != status {
				return false
			}
		}
		return true
	})
}

// printed is what the tasks of the app have printed, as far as it is kept.
func (a *kfApp) printed() string {
	a.Host.Helper()
	return a.kf("logs", a.name, "--task", "--recent", "-n", "1000").Stdout
}

// matches fails the test unless a line of text is as each of rows says, whatever
// the gaps between its columns.
func matches(t *testing.T, text string, rows ...string) {
	t.Helper()
	for _, row := range rows {
		if !regexp.MustCompile(`(?m)^` + strings.ReplaceAll(row, " ", ` +`) + ` *$`).MatchString(text) {
			t.Errorf("no line is like %s:\n%s", row, text)
		}
	}
}
