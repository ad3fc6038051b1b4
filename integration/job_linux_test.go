package integration

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"runnel/integration/rig"
	"runnel/internal/testenv"
)

// contract: JOB-1 JOB-8 ENV-3 ENV-6 LIM-6
func TestTasksKnowWhoTheyAre(t *testing.T) {
	h := openHost(t)
	o := runJSON(h, h.Script(`env | sort | grep -e ^CLOUD_RUN_ -e ^MY_; echo pid $$; echo to stderr >&2`,
		"--tasks", "3", "--set-env-vars", "MY_A=1,MY_B=x y")...)
	o.Exits(0)
	if !regexp.MustCompile(`^[a-z][a-z0-9-]*-[a-z0-9]{5}$`).MatchString(o.execution.Name) {
		t.Errorf("execution name %q", o.execution.Name)
	}
	for i := range 3 {
		want := strings.Join([]string{
			"CLOUD_RUN_EXECUTION=" + o.execution.Name,
			"CLOUD_RUN_JOB=" + o.execution.Job,
			"CLOUD_RUN_TASK_ATTEMPT=0",
			"CLOUD_RUN_TASK_COUNT=3",
			fmt.Sprintf("CLOUD_RUN_TASK_INDEX=%d", i),
			"MY_A=1", "MY_B=x y",
			"pid 1",
		}, "\n")
		if got := o.text(i, "stdout"); got != want {
			t.Errorf("task %d prints\n%s\nwant\n%s", i, got, want)
		}
		if got := o.text(i, "stderr"); got != "to stderr" {
			t.Errorf("task %d prints %q to standard error", i, got)
		}
	}
	if c := o.execution.Counts; c.Succeeded != 3 || c.Failed+c.Cancelled+c.Retried != 0 || !o.execution.Succeeded {
		t.Errorf("result %+v", o.execution)
	}
}

// contract: JOB-2 ENV-3
func TestFailedTaskIsRetried(t *testing.T) {
	h := openHost(t)
	o := runJSON(h, h.Script(`echo attempt $CLOUD_RUN_TASK_ATTEMPT
		[ $CLOUD_RUN_TASK_INDEX != 2 ] || [ $CLOUD_RUN_TASK_ATTEMPT -ge 2 ] || exit 9`, "--tasks", "4")...)
	o.Exits(0)
	for i, want := range []int{1, 1, 3, 1} {
		if got := o.task(i); got.Attempts != want || got.State != "Succeeded" || *got.ExitCode != 0 {
			t.Errorf("task %d: %+v, want %d attempts", i, got, want)
		}
	}
	if got, want := o.text(2, "stdout"), "attempt 0\nattempt 1\nattempt 2"; got != want {
		t.Errorf("task 2 prints %q, want %q", got, want)
	}
	if got := o.execution.Counts; got.Succeeded != 4 || got.Retried != 1 || got.Failed != 0 {
		t.Errorf("counts %+v", got)
	}
	if got := strings.Count(o.text(2, "system"), "Container called exit(9)."); got != 2 {
		t.Errorf("%d failures are told of task 2, want 2\n%s", got, o.Result)
	}
}

// contract: JOB-2 JOB-3
func TestExecutionFailsAfterEveryTaskWasTried(t *testing.T) {
	h := openHost(t)
	r := h.Run(h.Script(`echo I am $CLOUD_RUN_TASK_INDEX; [ $CLOUD_RUN_TASK_INDEX != 0 ] || exit 3`,
		"--tasks", "4", "--parallelism", "1", "--max-retries", "1")...)
	r.Exits(1)
	for i := range 4 {
		if want := fmt.Sprintf("%d stdout I am %d\n", i, i); !strings.Contains(r.Stdout, want) {
			t.Errorf("task %d did not run\n%s", i, r)
		}
	}
	for _, row := range []string{`(?m)^TASK +ATTEMPTS +STATE +EXIT +DURATION$`, `(?m)^0 +2 +Failed +exit 3 +\S+s$`, `(?m)^3 +1 +Succeeded +exit 0 +\S+s$`} {
		if !regexp.MustCompile(row).MatchString(r.Stdout) {
			t.Errorf("the table has no row like %s\n%s", row, r)
		}
	}
	if want := "The execution failed: 3 of 4 tasks succeeded; task 0: exit 3."; !strings.Contains(r.Stderr, want) {
		t.Errorf("want %q\n%s", want, r)
	}
}

// contract: JOB-6 JOB-7
func TestParallelismIsABound(t *testing.T) {
	rig.HostOnly(t, "it does not depend on the kernel's version")
	h := openHost(t)
	// The clock in /proc/uptime is the same for all; what lies between the two
	// lines lies within the task's life.
	script := h.Script(`cat /proc/uptime; until [ -e /tmp/end ]; do sleep 0.05; done; cat /proc/uptime`, "--format", "json", "--tasks", "8", "--cpu", "0.1", "--memory", "128Mi")
	for _, c := range []struct {
		flags       []string
		least, most int
	}{
		{[]string{"--parallelism", "1"}, 1, 1},
		{[]string{"--parallelism", "3"}, 2, 3},
		{nil, 4, 8},
	} {
		root := h.KeptRoot()
		p := h.Start(slices.Concat(script, c.flags, []string{"--root", root})...)
		endOnceSoManyRun(p, root, c.least)
		o := readJSON(p.Wait().Exits(0))
		if got := mostAtOnce(o); got < c.least || got > c.most {
			t.Errorf("%v: %d tasks at once, want %d to %d", c.flags, got, c.least, c.most)
		}
	}
}

// endOnceSoManyRun has the tasks of a run go on until so many run at a time, and
// then each end that has begun, until the run is over.
func endOnceSoManyRun(p *rig.Process, root string, least int) {
	p.Host.Helper()
	seen := false
	testenv.Eventually(p.Host, rig.Patience(), func() bool {
		var tasks []string
		for _, pid := range processesOf(p.Host, []string{root}) {
			// Before it executes the script it may not have its own root yet.
			if testenv.IsFirst(pid) && rig.Environ(pid)["CLOUD_RUN_TASK_INDEX"] != "" {
				tasks = append(tasks, pid)
			}
		}
		seen = seen || strings.Count(p.Stdout.String(), `"stream":"stdout"`) >= least // the first line of each
		for _, pid := range tasks {
			if seen {
				_ = os.WriteFile("/proc/"+pid+"/root/tmp/end", nil, 0o600) // it may have ended
			}
		}
		return p.Ended()
	}, least, "tasks run at a time, and all of them come to their end")
}

// mostAtOnce is how many tasks ran at a time, each from the first to the second
// uptime it printed.
func mostAtOnce(o output) (most int) {
	o.Host.Helper()
	times := make([][2]float64, len(o.execution.Tasks))
	for i := range times {
		texts := o.texts(i, "stdout")
		if len(texts) != 2 {
			o.Host.Fatalf("task %d prints %q", i, texts)
		}
		for k, text := range texts {
			first, _, _ := strings.Cut(text, " ")
			at, err := strconv.ParseFloat(first, 64)
			if err != nil {
				o.Host.Fatal(err)
			}
			times[i][k] = at
		}
	}
	for _, a := range times {
		n := 0
		for _, b := range times {
			if b[0] <= a[0] && a[0] < b[1] {
				n++
			}
		}
		most = max(most, n)
	}
	return most
}

// contract: JOB-1
func TestManyShortTasks(t *testing.T) {
	h := openHost(t)
	tasks := 500
	if testing.Short() {
		tasks = 50
	}
	r := h.Run("--image", h.Shell(), "--command", "/bin/true", "--tasks", strconv.Itoa(tasks))
	r.Exits(0)
	if tasks > 100 && r.Stdout != fmt.Sprintf("All %d tasks succeeded at their first attempt.\n", tasks) {
		t.Errorf("the table is\n%s", r)
	}
}

// contract: JOB-4 ENV-8 CPU-2 MEM-4 IMG-15
func TestJobFile(t *testing.T) {
	rig.HostOnly(t, "it does not depend on the kernel's version")
	h := openHost(t)
	file := filepath.Join(t.TempDir(), "job.yaml")
	text := `apiVersion: run.googleapis.com/v1
kind: Job
metadata:
  name: nightly
spec:
  template:
    spec:
      taskCount: 2
      parallelism: 1
      template:
        spec:
          maxRetries: 0
          timeoutSeconds: "30"
          containers:
          - image: ` + h.Shell() + `
            args: ['echo "$CLOUD_RUN_JOB $MODE $CLOUD_RUN_TASK_INDEX $0"', '$(MODE)']
            env:
            - {name: MODE, value: first}
            - {name: MODE, value: last}
            resources:
              limits: {cpu: 500m, memory: 256Mi}
`
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	o := runJSON(h, file)
	o.Exits(0)
	if o.execution.Job != "nightly" || !strings.HasPrefix(o.execution.Name, "nightly-") {
		t.Errorf("job %q, execution %q", o.execution.Job, o.execution.Name)
	}
	if got := o.text(1, "stdout"); got != "nightly last 1 $(MODE)" {
		t.Errorf("task 1 prints %q", got)
	}
	piped := h.StartWith(func(cmd *exec.Cmd) { cmd.Stdin = strings.NewReader(text) }, "run", "-").Wait().Exits(0)
	if !strings.Contains(piped.Stdout, "1 stdout nightly last 1 $(MODE)\n") {
		t.Errorf("from standard input\n%s", piped)
	}
}

// contract: LOG-1 LOG-11
func TestOutputKeepsItsOrder(t *testing.T) {
	rig.HostOnly(t, "it does not depend on the kernel's version")
	h := openHost(t)
	const lines = 20000
	o := runJSON(h, h.Script(fmt.Sprintf(`seq %d; printf 'no newline at the end'`, lines), "--tasks", "2")...)
	o.Exits(0)
	for i := range 2 {
		texts := o.texts(i, "stdout")
		if len(texts) != lines+1 || texts[lines] != "no newline at the end" {
			t.Fatalf("task %d: %d lines, the last %q", i, len(texts), texts[len(texts)-1])
		}
		for k := range lines {
			if texts[k] != strconv.Itoa(k+1) {
				t.Fatalf("task %d: line %d is %q", i, k+1, texts[k])
			}
		}
	}
}

func TestTwoRunsDoNotDisturbEachOther(t *testing.T) {
	rig.HostOnly(t, "it does not depend on the kernel's version")
	h := openHost(t)
	var runs []*rig.Process
	for i := range 2 {
		runs = append(runs, h.Start(h.Script(fmt.Sprintf(`echo run %d; sleep 1; wget -q -O - --header 'Metadata-Flavor: Google' http://metadata.google.internal/computeMetadata/v1/project/project-id`, i),
			"--tasks", "3", "--cpu", "0.2", "--memory", "128Mi", "--project", fmt.Sprintf("project-%d", i))...))
	}
	for i, p := range runs {
		r := p.Wait().Exits(0)
		if n := strings.Count(r.Stdout, fmt.Sprintf("stdout run %d\n", i)); n != 3 {
			t.Errorf("run %d: %d greetings, want 3\n%s", i, n, r)
		}
		if n := strings.Count(r.Stdout, fmt.Sprintf("stdout project-%d\n", i)); n != 3 {
			t.Errorf("run %d: its metadata server answered %d times, want 3\n%s", i, n, r)
		}
	}
	// More if one swept what the other was about to lock.
	if roots := h.KnownRoots(); len(roots) < 2 {
		t.Errorf("roots %q, want two", roots)
	}
}

// The test's own look at cgroups must be able to fail.
func TestInstancesLiveBelowTheRootsGroup(t *testing.T) {
	h := openHost(t)
	root := h.KeptRoot()
	p := h.Start(h.Script(`echo up; trap 'exit 0' TERM; sleep 1000 & wait`, "--root", root)...)
	p.Says(p.Stdout, "up")
	if dirs := rig.CgroupDirs(t, root); len(dirs) == 0 {
		t.Errorf("no cgroup for root %s in %q", root, rig.CgroupTrees(t))
	}
	if left := h.Left(nil); len(left) < 3 {
		t.Errorf("while runnel and its shim are at work, all there is to see is %q", left)
	}
	p.Signal(2)
	p.Wait().Exits(130)
}
