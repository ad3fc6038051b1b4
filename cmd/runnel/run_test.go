package main

import (
	"encoding/json"
	"errors"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"

	"runnel/cmd/runnel/cli"
	"runnel/contract"
	rimage "runnel/image"
	"runnel/runtime/logfile"
	"runnel/scheduler"
)

// mixed is an execution of two tasks, one of which needs a second attempt.
func mixed() *fakeHost {
	return &fakeHost{
		layers: []rimage.Progress{
			{Layer: "sha256:0123456789abcdef", Total: 3 << 20, State: rimage.Fetching, Current: 1 << 20},
			{Layer: "sha256:0123456789abcdef", Total: 3 << 20, State: rimage.Unpacked, Current: 3 << 20},
			{Layer: "sha256:fedcba9876543210", Total: 10, State: rimage.Shared},
		},
		attempts: []fakeAttempt{
			{0, 0, scheduler.Succeeded, contract.Exit{}, nil, []logfile.Entry{line("stdout", "hello"), line("stderr", "a\tb  c")}, 0},
			{1, 0, scheduler.Pending, contract.Exit{Code: 3}, nil, []logfile.Entry{line("stdout", "first try")}, 0},
			{1, 1, scheduler.Succeeded, contract.Exit{}, nil, []logfile.Entry{line("stdout", "second try")}, 0},
		},
	}
}

// byTask sorts the lines that tasks print, which come in any order between
// tasks, and keeps what follows them.
func byTask(stdout string) string {
	lines := strings.SplitAfter(stdout, "\n")
	n := slices.IndexFunc(lines, func(l string) bool { return strings.HasPrefix(l, "TASK") || strings.HasPrefix(l, `{"execution"`) })
	slices.SortStableFunc(lines[:n], func(a, b string) int { return strings.Compare(a[:1], b[:1]) })
	return strings.Join(lines, "")
}

// contract: JOB-2, JOB-8
func TestRunPrintsLinesAndATable(t *testing.T) {
	t.Parallel()
	h := mixed()
	got := try(t, h, env{}, "run", "--image", "job", "--tasks", "2")
	for _, want := range []string{
		"0 stdout hello\n0 stderr a\tb  c\n",
		"1 stdout first try\n",
		"1 system Container called exit(3).\n1 system The container exited with an error.\n",
		"1 stdout second try\n",
	} {
		if !strings.Contains(byTask(got.stdout), want) {
			t.Errorf("stdout lacks %q", want)
		}
	}
	wantTable := `TASK  ATTEMPTS  STATE      EXIT    DURATION
0     1         Succeeded  exit 0  1.00s
1     2         Succeeded  exit 0  2.00s
`
	if !strings.HasSuffix(got.stdout, wantTable) {
		t.Errorf("stdout is\n%s\nwant it to end with\n%s", got.stdout, wantTable)
	}
	wantErr := `layer 0123456789ab: unpacked 3.0 MiB
layer fedcba987654: already here
Execution [job-abcde] has successfully completed in 3.00s.
`
	if got.stderr != wantErr || got.code != 0 {
		t.Errorf("exit %d, stderr\n%s\nwant\n%s", got.code, got.stderr, wantErr)
	}
	if !h.closed {
		t.Error("the host was left open")
	}
}

// contract: JOB-10, JOB-13, JOB-14, JOB-15
func TestRunTellsHowTasksFailed(t *testing.T) {
	t.Parallel()
	h := &fakeHost{attempts: []fakeAttempt{
		{0, 0, scheduler.Failed, contract.Exit{Code: 7}, nil, nil, 0},
		{1, 0, scheduler.Failed, contract.Exit{Signal: syscall.SIGKILL, OOMKilled: true}, nil, nil, 514 * contract.MiB},
		{2, 0, scheduler.Failed, contract.Exit{Signal: syscall.SIGTERM, TimedOut: true}, nil, nil, 0},
		{3, 0, scheduler.Failed, contract.Exit{}, errors.New("exec: /nosuch: not found"), nil, 0},
	}}
	got := try(t, h, env{}, "run", "--image", "job", "--tasks", "4", "--max-retries", "0", "--task-timeout", "5s")
	wantTable := `TASK  ATTEMPTS  STATE   EXIT                              DURATION
0     1         Failed  exit 7                            1.00s
1     1         Failed  signal 9 (SIGKILL), memory limit  1.00s
2     1         Failed  signal 15 (SIGTERM), timeout      1.00s
3     1         Failed  error                             0.00s
`
	if squeeze(fromWord(got.stdout, "TASK")) != squeeze(wantTable) {
		t.Errorf("table is\n%s\nwant\n%s", fromWord(got.stdout, "TASK"), wantTable)
	}
	for _, want := range []string{
		"1 system Memory limit of 512 MiB exceeded with 514 MiB used.\n1 system Container terminated on signal 9.\n1 system The configured memory limit was reached.\n",
		"2 system Terminating task because it has reached the maximum timeout of 5 seconds.\n2 system Container terminated on signal 15.\n",
		"3 system exec: /nosuch: not found\n",
	} {
		if !strings.Contains(byTask(got.stdout), want) {
			t.Errorf("stdout lacks %q:\n%s", want, got.stdout)
		}
	}
	if want := "The execution failed: 0 of 4 tasks succeeded; task 0: exit 7.\n"; got.stderr != want || got.code != 1 {
		t.Errorf("exit %d, stderr %q, want %q", got.code, got.stderr, want)
	}
}

// squeeze makes runs of blanks one.
func squeeze(s string) string {
	var b strings.Builder
	for line := range strings.Lines(s) {
		b.WriteString(strings.Join(strings.Fields(line), " ") + "\n")
	}
	return b.String()
}

// fromWord is s from the first occurrence of word.
func fromWord(s, word string) string {
	_, after, _ := strings.Cut(s, word)
	return word + after
}

func TestRunPrintsJSONLines(t *testing.T) {
	t.Parallel()
	h := mixed()
	h.attempts[0].lines = append(h.attempts[0].lines, line("stdout", "\xff\x00"))
	got := try(t, h, env{}, "run", "--image", "job", "--tasks", "2", "--format", "json")
	lines := strings.Split(strings.TrimSuffix(byTask(got.stdout), "\n"), "\n")
	for _, l := range lines {
		if !json.Valid([]byte(l)) {
			t.Errorf("no JSON: %s", l)
		}
	}
	for _, want := range []string{
		`{"time":"2026-11-21T18:00:00Z","task":0,"attempt":0,"stream":"stderr","text":"a\tb  c"}`,
		`{"time":"2026-11-21T18:00:00Z","task":0,"attempt":0,"stream":"stdout","text":"\ufffd\u0000","bytes":"/wA="}`,
		`{"time":"2026-11-21T18:00:00Z","task":1,"attempt":1,"stream":"stdout","text":"second try"}`,
	} {
		if !slices.Contains(lines, want) {
			t.Errorf("no line %s in\n%s", want, got.stdout)
		}
	}
	want := `{"execution":{"name":"job-abcde","job":"job","succeeded":true,` +
		`"counts":{"succeeded":2,"failed":0,"cancelled":0,"retried":0},"seconds":3,"tasks":[` +
		`{"index":0,"attempts":1,"state":"Succeeded","exitCode":0,"seconds":1},` +
		`{"index":1,"attempts":2,"state":"Succeeded","exitCode":0,"seconds":2}]}}`
	if last := lines[len(lines)-1]; last != want {
		t.Errorf("last line\n%s\nwant\n%s", last, want)
	}
}

// A large table shows what needs attention.
func TestTableOfManyTasksShowsThoseThatDidNotJustSucceed(t *testing.T) {
	t.Parallel()
	s := summary{tasks: make([]taskRow, 10_000)}
	for i := range s.tasks {
		s.tasks[i] = taskRow{state: scheduler.Succeeded, attempts: 1, ended: true}
	}
	s.tasks[7777] = taskRow{state: scheduler.Failed, attempts: 4, ended: true, exit: contract.Exit{Code: 1}}
	want := "TASK  ATTEMPTS  STATE   EXIT    DURATION\n7777  4         Failed  exit 1  0.00s\n(9999 more tasks)\n"
	if got := string(s.table()); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestRunHandsTheJobOn(t *testing.T) {
	t.Parallel()
	h := &fakeHost{}
	try(t, h, env{}, "run", "--image", "host:5000/some/my_image:v1", "--tasks", "3", "--parallelism", "2",
		"--max-retries", "0", "--task-timeout", "10m5s", "--cpu", "0.5", "--memory", "256Mi",
		"--set-env-vars", "A=1,B=x=y", "--set-env-vars", "^@^C=1,2@D=", "--command", "sh", "--args", "^ ^-c echo,hi",
		"--project", "p", "--region", "r")
	job := h.job
	if job == nil {
		t.Fatal("no job was executed")
	}
	task := job.GetTemplate().GetTemplate()
	c := task.GetContainers()[0]
	got := []any{job.GetName(), job.GetTemplate().GetTaskCount(), job.GetTemplate().GetParallelism(), task.GetMaxRetries(),
		task.GetTimeout().AsDuration().String(), c.GetResources().GetLimits()["cpu"], c.GetResources().GetLimits()["memory"],
		strings.Join(c.GetCommand(), "|"), strings.Join(c.GetArgs(), "|"), len(c.GetEnv()), h.cfg.ProjectID, h.cfg.Region}
	want := []any{"my-image", int32(3), int32(2), int32(0), "10m5s", "0.5", "256Mi", "sh", "-c|echo,hi", 4, "p", "r"}
	if !slices.Equal(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
	for i, want := range []string{"A=1", "B=x=y", "C=1,2", "D="} {
		if e := c.GetEnv()[i]; e.GetName()+"="+e.GetValue() != want {
			t.Errorf("variable %d is %v, want %s", i, e, want)
		}
	}
}

// contract: JOB-1, JOB-2, JOB-4, JOB-9
func TestRunFillsInTheDefaults(t *testing.T) {
	t.Parallel()
	h := &fakeHost{}
	try(t, h, env{}, "run", "--image", "busybox")
	task := h.job.GetTemplate().GetTemplate()
	limits := task.GetContainers()[0].GetResources().GetLimits()
	got := []any{h.job.GetName(), h.job.GetTemplate().GetTaskCount(), task.GetMaxRetries(), task.GetTimeout().GetSeconds(), limits["cpu"], limits["memory"]}
	want := []any{"busybox", int32(1), int32(3), int64(600), "1000m", "512Mi"}
	if !slices.Equal(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}

const jobFile = `apiVersion: run.googleapis.com/v1
kind: Job
metadata:
  name: migrate
spec:
  template:
    spec:
      taskCount: 2
      template:
        spec:
          maxRetries: 1
          containers:
          - image: busybox
`

// contract: JOB-28
func TestRunReadsAJobFile(t *testing.T) {
	t.Parallel()
	path := t.TempDir() + "/job.yaml"
	if err := os.WriteFile(path, []byte(jobFile), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, arg := range []string{path, "-"} {
		h := &fakeHost{}
		try(t, h, env{Env: cli.Env{Stdin: strings.NewReader(jobFile)}}, "run", arg)
		if h.job == nil || !strings.HasSuffix(h.job.GetName(), "migrate") || h.job.GetTemplate().GetTaskCount() != 2 {
			t.Errorf("%s: job is %v", arg, h.job)
		}
	}
}

func TestRunReportsWhatKeepsItFromRunning(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		host *fakeHost
		want string
	}{
		"pull":      {&fakeHost{pullErr: errors.New("pull busybox: registry unreachable")}, "runnel run: cannot pull busybox: registry unreachable\n"},
		"execution": {&fakeHost{executeErr: errors.New("no name is left")}, "runnel run: cannot execute job busybox: no name is left\n"},
		"capacity":  {&fakeHost{pullErr: errors.New("too early"), checkErr: errors.New("task needs 8 CPU; this host offers 2 CPU")}, "runnel run: cannot execute job busybox: task needs 8 CPU; this host offers 2 CPU\n"},
		"clean-up": {&fakeHost{
			attempts: []fakeAttempt{{0, 0, scheduler.Succeeded, contract.Exit{}, nil, nil, 0}},
			closeErr: errors.New("bridge is busy"),
		}, "Execution [job-abcde] has successfully completed in 1.00s.\ncannot clean up: bridge is busy\n"},
	} {
		got := try(t, c.host, env{}, "run", "--image", "busybox")
		if got.code != 1 || got.stderr != c.want {
			t.Errorf("%s: exit %d, %q, want %q", name, got.code, got.stderr, c.want)
		}
		if !c.host.closed {
			t.Errorf("%s: the host was left open", name)
		}
	}
}

// Labels and annotations in the platform's own domains are at home in v1 files,
// whether or not they mean anything here.
func TestJobFileMayCarryThePlatformsAnnotations(t *testing.T) {
	t.Parallel()
	h := &fakeHost{}
	file := strings.Replace(jobFile, "  name: migrate\n", `  name: migrate
  labels:
    run.googleapis.com/satisfiesPzs: "true"
  annotations:
    run.googleapis.com/some-new-thing: x
`, 1)
	got := try(t, h, env{Env: cli.Env{Stdin: strings.NewReader(file)}}, "run", "-")
	if h.job == nil {
		t.Errorf("exit %d, %s", got.code, got.stderr)
	}
}

func TestRunAdvisesAboutLittleMemory(t *testing.T) {
	t.Parallel()
	const note = "note: each task has 256Mi of memory; Cloud Run gives its jobs at least 512Mi\n"
	for memory, want := range map[string]bool{"256Mi": true, "512Mi": false} {
		got := try(t, &fakeHost{}, env{}, "run", "--image", "busybox", "--memory", memory)
		if strings.Contains(got.stderr, note) != want {
			t.Errorf("%s: %q", memory, got.stderr)
		}
	}
}
