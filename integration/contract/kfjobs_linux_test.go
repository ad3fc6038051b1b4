package contract

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// history is "SUCCEEDED REASON" of each task of a Kf job, the oldest first.
func (a *kfApp) history(job string) []string {
	a.Host.Helper()
	out := a.kf("job-history", job, "-o", `jsonpath={range .items[*]}{.status.conditions[0].status} {.status.conditions[0].reason}{"\n"}{end}`).Stdout
	return strings.FieldsFunc(strings.ReplaceAll(out, "True \n", "True\n"), func(r rune) bool { return r == '\n' })
}

// has waits until the tasks of a Kf job are in these statuses, the oldest first.
func (a *kfApp) has(job string, statuses ...string) {
	a.Host.Helper()
	var got []string
	a.Host.Cleanup(func() {
		if a.Host.Failed() {
			a.Host.Logf("the history of %s: %q", job, got)
		}
	})
	a.Until(fmt.Sprintf("the tasks of %s to be %q", job, statuses), func() bool {
		got = a.history(job)
		return fmt.Sprint(got) == fmt.Sprint(statuses)
	})
}

// fire has the schedule of a Kf job run it, as its time would.
func (a *kfApp) fire(job string) { a.Host.Helper(); a.CLI("schedules", "run", job).Exits(0) }

// contract: KF-10
func TestKF10JobsAreMadeRunScheduledListedAndDeleted(t *testing.T) {
	d := daemon(t)
	a := pushed(t, d, "--env", "A=1")
	job, plain := nameOf(t, "job"), nameOf(t, "plain")
	a.kf("create-job", a.name, job, "echo tick $A", "-s", "0 2 29 2 *", "-c", "Replace").Shows("Job " + job + " created.")
	a.kf("create-job", a.name, plain, goesOn)
	matches(t, a.kf("jobs").Stdout, `Name Schedule Suspend LastSchedule ConcurrencyPolicy Age Ready Reason`,
		job+` 0 2 29 2 \* <nil> <nil> Replace \d+[smh] True <nil>`, plain+` 0 0 30 2 \* true <nil> Always \d+[smh] True <nil>`)
	if table := a.kf("job-schedules").Stdout; strings.Contains(table, plain) || !strings.Contains(table, job) {
		t.Errorf("job-schedules:\n%s", table)
	}

	byHand := a.task(a.kf("run-job", job))
	a.fire(job)
	a.has(job, "True", "True")
	matches(t, a.kf("job-history", job).Stdout, byHand+` 1 `+byHand+` \d+[sm] \S+s True <nil>`)
	if out := a.CLI("kf", "logs", job, "--task", "--recent").Exits(0).Stdout; strings.Count(out, " tick 1\n") != 2 {
		t.Errorf("it has printed:\n%s", out)
	}

	a.kf("schedule-job", plain, "0 3 29 2 *")
	matches(t, a.kf("job-schedules").Stdout, plain+` 0 3 29 2 \* <nil> <nil> Always .*`)
	a.kf("delete-job-schedule", plain).Shows("Job schedule for " + plain + " deleted.")
	matches(t, a.kf("jobs").Stdout, plain+` 0 0 30 2 \* true .*`)

	// What runs is ended with its job.
	going := a.task(a.kf("run-job", plain))
	a.until("Unknown Running", going)
	a.kf("delete-job", plain).Shows("Deleted job [" + plain + "].")
	if all := a.statuses(); all[going] != "" {
		t.Errorf("the task of the job that was deleted is %s", all[going])
	}
	a.CLI("kf", "run-job", plain).Exits(1).Shows("cannot find job [" + plain + "]")
}

// contract: KF-11
// The daemon is away while two minutes come.
func TestKF11NewestMissedScheduleIsCaughtUp(t *testing.T) {
	d := daemon(t)
	a := pushed(t, d.Host.Serve())
	if left := untilMinute(); left < 20*time.Second {
		<-time.After(left) // it would come too early
	}
	both, one := nameOf(t, "both"), nameOf(t, "one")
	a.kf("create-job", a.name, both, goesOn, "-s", "* * * * *")
	a.kf("create-job", a.name, one, goesOn, "-s", "* * * * *", "-c", "Forbid")
	a.Stop()
	<-time.After(untilMinute() + time.Minute + time.Second)
	a.Start()
	a.Until("the schedule is caught up", func() bool { return a.caughtUp(both) == 1 })
	a.has(one, "Unknown Running")
	// The next minute comes, and what runs does not end.
	<-time.After(untilMinute())
	a.Until("two tasks to run at once", func() bool {
		all := a.history(both)
		return len(all) > 1 && strings.Count(fmt.Sprint(all), "Unknown Running") == len(all)
	})
	a.has(one, "Unknown Running")
	if n := a.caughtUp(both); n != 1 {
		t.Errorf("%d runs have been caught up, want one", n)
	}
}

// caughtUp is how many runs of a Kf job's schedule were caught up. It fails the
// test unless each says how many minutes were left out before it.
func (a *kfApp) caughtUp(job string) (n int) {
	a.Host.Helper()
	var s struct {
		UserUpdateTime time.Time
		Runs           []struct {
			ScheduleTime time.Time
			Missed       int
		}
	}
	text := a.CLI("schedules", "describe", job, "--format", "json").Exits(0).Stdout
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		a.Host.Fatalf("%v in %s", err, text)
	}
	before := s.UserUpdateTime.Truncate(time.Minute)
	for _, run := range slices.Backward(s.Runs) { // the newest is first
		if gap := run.ScheduleTime.Sub(before); gap != time.Duration(run.Missed+1)*time.Minute {
			a.Host.Errorf("a run is %v after the one before, and has left out %d", gap, run.Missed)
		}
		if before = run.ScheduleTime; run.Missed > 0 {
			n++
		}
	}
	return n
}

// untilMinute is how long it takes until the next minute begins.
func untilMinute() time.Duration {
	return time.Until(time.Now().Truncate(time.Minute).Add(time.Minute))
}
