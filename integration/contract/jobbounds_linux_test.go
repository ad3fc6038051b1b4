package contract

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"cloud.google.com/go/run/apiv2/runpb"

	"runnel/integration/rig"
)

// takes checks which values a flag of jobs takes; those that it does not take
// are refused with words.
func (j job) takes(flag string, values, refused []string, words string) {
	j.t.Helper()
	for _, value := range values {
		j.d.CLI("jobs", "update", j.name, flag, value).Exits(0)
	}
	for _, value := range refused {
		if r := j.d.CLI("jobs", "update", j.name, flag, value); r.Code != 2 || !strings.Contains(r.Stderr, words) {
			j.t.Errorf("%s %s: exit %d, want 2 and %q\n%s", flag, value, r.Code, words, r)
		}
	}
}

// contract: JOB-2
func TestJOB2OneRetryMeansTwoAttempts(t *testing.T) {
	d := daemon(t)
	j := newJob(t, d, `echo attempt $CLOUD_RUN_TASK_ATTEMPT; exit 1`)
	j.run()
	if got, want := j.logs(), "attempt 0\nattempt 1\nattempt 2\nattempt 3\n"; got != want {
		t.Errorf("without a word about retries the task prints %q, want %q", got, want)
	}
	for retries, attempts := range map[string]int{"0": 1, "1": 2} {
		j := newJobAs(t, d, nameOf(t, retries), `echo attempt $CLOUD_RUN_TASK_ATTEMPT; exit 1`, "--max-retries", retries)
		j.run()
		if got := strings.Count(j.logs(), "attempt "); got != attempts {
			t.Errorf("%s retries make %d attempts, want %d", retries, got, attempts)
		}
	}
	j.takes("--max-retries", []string{"0", "10"}, []string{"-1", "11"}, "0 to 10")
}

// contract: JOB-4
func TestJOB4EachAttemptHasTheTimeout(t *testing.T) {
	d := daemon(t)
	// The second attempt is well within its own time, and not within the first's.
	j := newJob(t, d, `trap 'exit 1' TERM; [ $CLOUD_RUN_TASK_ATTEMPT = 0 ] && { sleep 1000 & wait; }; sleep 5`, "--max-retries", "1")
	if got := j.show("spec.template.spec.template.spec.timeoutSeconds"); got != "600\n" {
		t.Errorf("without a word about it the timeout is %q", got)
	}
	for text, seconds := range map[string]string{"1": "1\n", "10m5s": "605\n", "168h": "604800\n", "604800": "604800\n", "10": "10\n"} {
		d.CLI("jobs", "update", j.name, "--task-timeout", text).Exits(0)
		if got := j.show("spec.template.spec.template.spec.timeoutSeconds"); got != seconds {
			t.Errorf("%s is %q seconds, want %q", text, got, seconds)
		}
	}
	j.takes("--task-timeout", []string{"10"}, []string{"0", "604801", "168h1s"}, "1 to 604800 seconds")
	x := j.run()
	if took := x.GetCompletionTime().AsTime().Sub(x.GetStartTime().AsTime()); x.GetSucceededCount() != 1 || x.GetRetriedCount() != 1 || took.Seconds() < 14.5 {
		t.Errorf("after %v: %v", took, x)
	}
}

// contract: JOB-5
func TestJOB5ExecutionHasNoTimeoutOfItsOwn(t *testing.T) {
	d := daemon(t)
	x := newJob(t, d, "sleep 8", "--tasks", "2", "--parallelism", "1", "--task-timeout", "14", "--max-retries", "0").run()
	if took := x.GetCompletionTime().AsTime().Sub(x.GetStartTime().AsTime()); x.GetSucceededCount() != 2 || took.Seconds() < 15.5 {
		t.Errorf("after %v: %v", took, x)
	}
}

// contract: JOB-6
func TestJOB6ParallelismBoundsHowManyRun(t *testing.T) {
	d := daemon(t)
	const script = `trap 'exit 5' TERM; echo up; sleep 1000 & wait`
	for parallelism, most := range map[string]int32{"2": 2, "0": 5, "": 5} {
		var flags []string
		if parallelism != "" {
			flags = []string{"--parallelism", parallelism}
		}
		j := newJobAs(t, d, nameOf(t, "of"+parallelism), script, append(flags, "--tasks", "5", "--cpu", "0.08")...)
		x := j.begin()
		j.until(x, "as many run as may", func(x *runpb.Execution) bool { return x.GetRunningCount() == most })
		j.prints("up", int(most))
		if got := j.execution(x).GetRunningCount(); got != most {
			t.Errorf("parallelism %q: %d tasks run", parallelism, got)
		}
		j.cancel(x)
		if got := strings.Count(j.logs(), "up\n"); got != int(most) {
			t.Errorf("parallelism %q: %d tasks have run", parallelism, got)
		}
		if parallelism == "2" {
			j.takes("--parallelism", []string{"5"}, []string{"-1", "6"}, "number of tasks")
		}
	}
}

// contract: JOB-7
func TestJOB7TasksDoNotWaitForThoseBeforeThem(t *testing.T) {
	d := daemon(t)
	j := newJob(t, d, `[ $CLOUD_RUN_TASK_INDEX != 1 ] && exit 0; trap 'exit 5' TERM; sleep 1000 & wait`, "--tasks", "6", "--parallelism", "2")
	x := j.begin()
	j.until(x, "all but one end", func(x *runpb.Execution) bool { return x.GetSucceededCount() == 5 })
	if got, want := j.states(x), []string{"Succeeded", "Running", "Succeeded", "Succeeded", "Succeeded", "Succeeded"}; !slices.Equal(got, want) {
		t.Errorf("the states are %v, want %v", got, want)
	}
	j.cancel(x)
}

// contract: JOB-9
func TestJOB9TaskHasOneCPUAnd512MiB(t *testing.T) {
	d := daemon(t).Host.Serve()
	d.CLI(append([]string{"jobs", "create", nameOf(t)}, d.Host.Script(`trap 'exit 5' TERM; echo up; sleep 1000 & wait`)...)...).Exits(0)
	j := jobCalled(t, d, nameOf(t))
	x := j.begin()
	j.prints("up", 1)
	wanted := map[string]string{
		"cpu.cfs_quota_us": "100000", "cpu.cfs_period_us": "100000", "memory.limit_in_bytes": "536870912",
		"cpu.max": "100000 100000", "memory.max": "536870912",
	}
	found := 0
	for _, dir := range rig.CgroupDirs(t, d.Root) {
		for file, want := range wanted {
			files, _ := filepath.Glob(filepath.Join(dir, nameOf(t)+"-*", file)) // the pattern is fine
			for _, f := range files {
				found++
				if got, _ := os.ReadFile(f); strings.TrimSpace(string(got)) != want {
					t.Errorf("%s is %q, want %s", f, got, want)
				}
			}
		}
	}
	if found < 2 {
		t.Errorf("found %d settings in %q", found, rig.CgroupDirs(t, d.Root))
	}
	j.cancel(x)
}
