package schedules

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"runnel/cmd/runnel/cli"
	"runnel/cmd/runnel/clitest"
	"runnel/cmd/runnel/jobs"
	"runnel/control/controltest"
	rruntime "runnel/runtime"
)

// tested are the commands that tests call.
func tested(e cli.Env) []*cobra.Command { return []*cobra.Command{New(e), jobs.New(e)} }

// steady replaces what differs from run to run.
func steady(s string) string {
	s = regexp.MustCompile(`\b(etl)-[a-z0-9]{5}\b`).ReplaceAllString(s, "$1-xxxxx")
	return regexp.MustCompile(`\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?( UTC|Z| CES?T)`).ReplaceAllString(s, "<time>")
}

// line executes a command line whose words are given, and returns what it
// printed: both streams, one after the other.
func line(t *testing.T, w *clitest.World, words ...string) string {
	t.Helper()
	got := w.In(cli.Env{}, words...)
	if got.Code != 0 {
		t.Errorf("runnel %s: exit %d", strings.Join(words, " "), got.Code)
	}
	return steady(got.Stdout + got.Stderr)
}

// contract: JOB-29, KF-10
func TestLifeOfASchedule(t *testing.T) {
	t.Parallel()
	w := clitest.New(t, tested)
	w.Must("jobs create etl --image busybox")
	for _, c := range []struct {
		words []string
		want  string
	}{
		{[]string{"jobs", "schedule", "etl", "0 3 * * *", "--time-zone", "Europe/Paris", "--concurrency-policy", "forbid", "--service-account", "me@example.com"},
			"Schedule [etl] of job [etl] has been created. It is due next at <time>.\n\nTo see how it is doing, use:\nrunnel schedules describe etl\n"},
		{[]string{"jobs", "schedule", "etl", "0 0 30 2 *", "--schedule-name", "never", "--paused", "--tasks", "2"},
			"Schedule [never] of job [etl] has been created, paused.\n\nTo have it run, use:\nrunnel schedules resume never\n"},
		{[]string{"schedules", "list", "--format", "csv(id,job_name,schedule,timeZone,state,concurrency_policy)"},
			"id,job_name,schedule,time_zone,state,concurrency_policy\netl,etl,0 3 * * *,Europe/Paris,ENABLED,Forbid\nnever,etl,0 0 30 2 *,Etc/UTC,PAUSED,Allow\n"},
		{[]string{"schedules", "describe", "etl"}, `. Schedule etl in region us-central1

Job:                 etl
Schedule:            0 3 * * *
Time zone:           Europe/Paris
State:               enabled
Due next:            <time>
Concurrency policy:  Forbid
Service account:     me@example.com

It has not run yet.
`},
		{[]string{"schedules", "run", "etl"}, "Schedule [etl] has created execution [etl-xxxxx].\n\nView details about this execution by running:\nrunnel jobs executions describe etl-xxxxx\n"},
		{[]string{"schedules", "pause", "etl"}, "Paused schedule [etl].\n"},
		{[]string{"schedules", "update", "etl", "--schedule", "@hourly", "--concurrency-policy", "Replace"}, "Updated schedule [etl].\n"},
		{[]string{"schedules", "describe", "etl", "--format", "value(schedule,timeZone,state,concurrency_policy,runs.len())"}, "@hourly\tEurope/Paris\tPAUSED\tReplace\t1\n"},
		{[]string{"schedules", "resume", "etl"}, "Resumed schedule [etl]: it is due next at <time>.\n"},
		{[]string{"schedules", "list", "--job", "other"}, "Listed 0 items.\n"},
		{[]string{"schedules", "delete", "never", "--quiet"}, "Deleted schedule [never].\n"},
		{[]string{"schedules", "list", "--uri"}, "projects/local/locations/us-central1/jobs/etl\n"},
	} {
		if got := line(t, w, c.words...); got != c.want {
			t.Errorf("runnel %s:\n%swant\n%s", strings.Join(c.words, " "), got, c.want)
		}
	}
}

// contract: KF-10
func TestHistoryTellsWhatBecameOfEachRun(t *testing.T) {
	t.Parallel()
	w := clitest.New(t, tested)
	w.Must("jobs create etl --image busybox --max-retries 0")
	line(t, w, "jobs", "schedule", "etl", "0 0 1 1 *", "--concurrency-policy", "Forbid")
	w.Must("schedules run etl")
	w.Until("the end", func() bool { return strings.Contains(w.Must("schedules describe etl"), "succeeded") })
	w.Instances.Play(func(rruntime.Spec) controltest.Script { return controltest.Script{Hold: true} })
	w.Must("schedules run etl")
	if got := w.Do("schedules run etl"); got.Code != 1 || steady(got.Stderr) != "Schedule [etl] has run nothing: Execution 'etl-xxxxx' had not ended.\n" {
		t.Errorf("while it runs: %+v", got)
	}
	w.Must("jobs delete etl --quiet")
	if got := w.Do("schedules run etl"); got.Code != 1 || !strings.Contains(got.Stderr, "Resource 'etl' of kind 'JOB'") {
		t.Errorf("without its job: %+v", got)
	}
	text := steady(w.Must("schedules describe etl"))
	_, history, _ := strings.Cut(text, "Runs, the last first:\n")
	columns := regexp.MustCompile(` {2,}`).ReplaceAllString(history, "|")
	want := []string{
		"|SCHEDULED|ATTEMPTED|EXECUTION|RESULT",
		"X|by hand|<time>|-|left out: Resource 'etl' of kind 'JOB' in region 'us-central1' in project 'local' does not exist.",
		".|by hand|<time>|-|left out: Execution 'etl-xxxxx' had not ended.",
		".|by hand|<time>|etl-xxxxx|removed",
		".|by hand|<time>|etl-xxxxx|removed",
	}
	if got := strings.Split(strings.TrimSpace(columns), "\n"); !slices.Equal(got, want) {
		t.Errorf("history:\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	w := clitest.New(t, tested)
	w.Must("jobs create etl --image busybox")
	line(t, w, "jobs", "schedule", "etl", "@daily")
	for _, c := range []struct {
		words []string
		code  int
		want  string
	}{
		{[]string{"jobs", "schedule", "etl", "@daily"}, 1, "there is a schedule [etl] already; give another name with --schedule-name, or change that one: runnel schedules update etl"},
		{[]string{"jobs", "schedule", "nix", "@daily"}, 1, "cannot find job [nix]"},
		{[]string{"jobs", "schedule", "etl", "0 25 * * *", "--schedule-name", "b"}, 1, `job.schedule: the hour "25" cannot be read`},
		{[]string{"jobs", "schedule", "etl", "0 0 30 2 *", "--schedule-name", "b"}, 1, `job.schedule: "0 0 30 2 *" never comes: want one that does, or create the schedule paused`},
		{[]string{"jobs", "schedule", "etl", "@daily", "--time-zone", "Mars", "--schedule-name", "b"}, 1, `job.timeZone: "Mars" is not a time zone`},
		{[]string{"jobs", "schedule", "etl", "0", "3", "*"}, 2, `unexpected argument "3": write the cron expression in quotes`},
		{[]string{"jobs", "schedule", "etl"}, 2, "the cron expression is missing"},
		{[]string{"jobs", "schedule"}, 2, "the job's name is missing"},
		{[]string{"jobs", "schedule", "etl", "@daily", "--concurrency-policy", "Perhaps"}, 2, `--concurrency-policy: "Perhaps" is not a policy: want Allow, Forbid or Replace`},
		{[]string{"schedules", "describe", "nix"}, 1, `cannot find schedule [nix] in project [local] region [us-central1]; see "runnel schedules list"`},
		{[]string{"schedules", "pause", "nix"}, 1, "cannot find schedule [nix]"},
		{[]string{"schedules", "delete", "etl"}, 2, "Nobody is here to confirm that"},
		{[]string{"schedules", "update", "etl"}, 2, "nothing to change: name at least one setting"},
		{[]string{"schedules", "update", "etl", "--schedule", "0 0 31 2 *"}, 1, "never comes"},
		{[]string{"schedules", "resume", "etl"}, 1, "Job.state must be PAUSED for ResumeJob"},
		{[]string{"schedules", "create", "etl"}, 2, "unknown command"},
	} {
		got := w.In(cli.Env{}, c.words...)
		if got.Code != c.code || !strings.Contains(got.Stderr, c.want) {
			t.Errorf("runnel %s: exit %d\n%swant %s", strings.Join(c.words, " "), got.Code, got.Stderr, c.want)
		}
	}
}

func TestHelpAndCompletion(t *testing.T) {
	t.Parallel()
	w := clitest.New(t, tested)
	w.Help("schedules")
	w.Help("jobs schedule")
	w.Must("jobs create etl --image busybox")
	line(t, w, "jobs", "schedule", "etl", "@daily", "--schedule-name", "nightly")
	if got := w.Completions("schedules describe "); !slices.Contains(got, "nightly") {
		t.Errorf("completions: %q", got)
	}
}
