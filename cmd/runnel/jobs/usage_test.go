package jobs

import (
	"strings"
	"testing"
)

// Mistakes are told in one line, with exit status 2, before anything happens.
// contract: CLI-2, CLI-13, JOB-1, JOB-2, JOB-4
func TestBadUsage(t *testing.T) {
	t.Parallel()
	w := nowhere(t)
	for line, want := range map[string]string{
		"frobnicate":                               "runnel jobs: unknown command \"frobnicate\"; see runnel jobs --help",
		"exectue etl":                              "runnel jobs: unknown command \"exectue\"; did you mean execute?",
		"executions lst":                           "runnel jobs executions: unknown command \"lst\"; did you mean list?",
		"executions tasks show":                    "runnel jobs executions tasks: unknown command \"show\"",
		"create etl --image b --tsaks 3":           "runnel jobs create: unknown flag --tsaks; did you mean --tasks?",
		"create etl --image b --env A=1":           "runnel jobs create: unknown flag --env; did you mean --set-env-vars?",
		"create etl --image b --tasks many":        "runnel jobs create: --tasks many: want a whole number",
		"create etl --image b --tasks 0":           "runnel jobs create: --tasks 0: want 1 to 10000",
		"create etl --image b --max-retries 11":    "runnel jobs create: --max-retries 11: want 0 to 10",
		"create etl --image b --task-timeout 169h": "runnel jobs create: --task-timeout 169h: ",
		"create etl --image b --async --wait":      "runnel jobs create: --async: cannot stand beside --execute-now or --wait",
		"create a b --image b":                     "runnel jobs create: unexpected argument \"b\": want one job name",
		"create etl --image":                       "runnel jobs create: --image: a value is missing",
		"update":                                   "runnel jobs update: the job's name is missing",
		"update etl":                               "runnel jobs update: nothing to change: name at least one setting",
		"execute":                                  "runnel jobs execute: the job's name is missing",
		"execute etl --wait --async":               "runnel jobs execute: --async: cannot stand beside --wait",
		"execute etl --container c":                "runnel jobs execute: --container c: say what is different",
		"replace":                                  "runnel jobs replace: the job's file is missing",
		"replace /no/such/file":                    "runnel jobs replace: /no/such/file: no such file or directory",
		"describe":                                 "runnel jobs describe: the job's name is missing",
		"describe etl --format xml":                "runnel jobs describe: --format xml: want json, yaml,",
		"describe etl --format value":              "runnel jobs describe: --format value: value needs keys",
		"list all":                                 "runnel jobs list: unexpected argument \"all\": this command takes none",
		"list --limit=-1":                          "runnel jobs list: --limit -1: want 1 or more",
		"list --filter name":                       "runnel jobs list: --filter: name: want KEY=VALUE",
		"list --sort-by a[":                        "runnel jobs list: --sort-by: key a[: a ] is missing",
		"delete":                                   "runnel jobs delete: the job's name is missing",
		"executions cancel":                        "runnel jobs executions cancel: the execution's name is missing",
		"executions delete a b":                    "runnel jobs executions delete: unexpected argument \"b\": want one name",
		"executions describe":                      "runnel jobs executions describe: the execution's name is missing",
		"cancel x":                                 "runnel jobs: unknown command \"cancel\"; did you mean runnel jobs executions cancel?",
		"tasks list":                               "runnel jobs: unknown command \"tasks\"; did you mean runnel jobs executions tasks?",
		"tasks list --execution x":                 "runnel jobs: unknown command \"tasks\"; did you mean runnel jobs executions tasks?",
		"exectue etl --args=a":                     "runnel jobs: unknown command \"exectue\"; did you mean execute?",
		"--frobnicate":                             "runnel jobs: unknown flag --frobnicate; see runnel jobs --help",
		"logs etl --frobnicate":                    "runnel jobs logs: unknown flag --frobnicate; see runnel jobs logs --help",
		"executions list etl":                      "runnel jobs executions list: unexpected argument \"etl\"; did you mean --job etl?",
		"executions tasks list etl-x":              "runnel jobs executions tasks list: unexpected argument \"etl-x\"; did you mean --execution etl-x?",
		"executions tasks list":                    "runnel jobs executions tasks list: --execution is missing",
		"executions tasks describe":                "runnel jobs executions tasks describe: the task's name is missing",
	} {
		got := w.do(line)
		if got.Code != 2 || !strings.HasPrefix(got.Stderr, want) || strings.Count(got.Stderr, "\n") != 1 || got.Stdout != "" {
			t.Errorf("runnel jobs %s: exit %d\n%s%swant %s", line, got.Code, got.Stdout, got.Stderr, want)
		}
	}
}

// What only the daemon can judge is told in the words of the command line.
// contract: CPU-2, ENV-9, IMG-13
func TestWhatTheDaemonRefuses(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.must("create etl --image busybox")
	for line, want := range map[string]string{
		"create UPPER --image busybox":                   "runnel jobs create: NAME: ",
		"create x --image busybox --cpu 1.5":             "runnel jobs create: --cpu 1.5: ",
		"create x --image busybox --memory 8Gi":          "runnel jobs create: --memory 8Gi: ",
		"create x --image busybox --set-env-vars PORT=1": "runnel jobs create: --set-env-vars: ",
		"create x --image busybox --labels A=b":          "runnel jobs create: --labels: ",
		"create x --image busybox --parallelism 2":       "runnel jobs create: --parallelism 2: ",
		"create x --image UPPER":                         "runnel jobs create: --image UPPER: ",
		"update etl --parallelism 9":                     "runnel jobs update: --parallelism 9: ",
	} {
		got := w.do(line)
		if got.Code != 2 || !strings.Contains(got.Stderr, want) {
			t.Errorf("runnel jobs %s: exit %d\n%swant %s", line, got.Code, got.Stderr, want)
		}
	}
	for line, want := range map[string]string{
		"create etl --image busybox":           "job [etl] exists already; change it with",
		"describe nosuch":                      "cannot find job [nosuch] in project [local] region [us-central1]; see \"runnel jobs list\"",
		"update nosuch --tasks 2":              "cannot find job [nosuch]",
		"execute nosuch":                       "cannot find job [nosuch]",
		"delete nosuch -q":                     "cannot find job [nosuch]",
		"executions cancel nosuch -q":          "cannot find execution [nosuch]",
		"executions tasks describe no":         "cannot find task [no]",
		"executions tasks list --execution no": "cannot find execution [no]",
	} {
		got := w.do(line)
		if got.Code != 1 || !strings.Contains(got.Stderr, want) {
			t.Errorf("runnel jobs %s: exit %d\n%swant %s", line, got.Code, got.Stderr, want)
		}
	}
}

// contract: JOB-11
func TestOverridesHoldForOneExecution(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.must("create etl --image busybox --args=-c,true --set-env-vars A=1,B=2 --tasks 2")
	before := w.must("describe etl --format export")
	w.must("execute etl --wait --args=-c,date --update-env-vars B=3,C=4 --tasks 3 --task-timeout 90")
	got := w.must("executions describe " + w.latest("etl") + " --format value(spec.taskCount,spec.template.spec.timeoutSeconds,spec.template.spec.containers[0].args,spec.template.spec.containers[0].env.value)")
	if want := "3\t90\t-c;date\t1;3;4\n"; got != want {
		t.Errorf("the execution has %q, want %q", got, want)
	}
	if after := w.must("describe etl --format export"); after != before {
		t.Errorf("the job was\n%sand is\n%s", before, after)
	}
}

// Every command teaches itself.
func TestHelp(t *testing.T) {
	t.Parallel()
	nowhere(t).Help("jobs")
}
