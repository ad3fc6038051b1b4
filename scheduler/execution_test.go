package scheduler

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"cloud.google.com/go/run/apiv2/runpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"runnel/contract"
	rimage "runnel/image"
	rruntime "runnel/runtime"
)

// bubble runs f with a scheduler over a fake host on fake time, and checks that
// all is gone afterwards.
func bubble(t *testing.T, config Config, play func(rruntime.Spec) script, f func(*testing.T, *Scheduler, *host)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHost(t, play)
		config.Create = h.create
		if config.Budget == nil {
			config.Budget = room(100_000)
		}
		if config.Creating == 0 {
			config.Creating = 4
		}
		s := New(somewhere(config))
		f(t, s, h)
		s.Wait()
		h.clean()
		if used := config.Budget.Used(); used != (Resources{}) {
			t.Errorf("still reserved: %s", used)
		}
	})
}

// contract: JOB-8, JOB-18, JOB-19
func TestExecutionOfManyTasksSucceeds(t *testing.T) {
	play := always(script{createTakes: 20 * time.Millisecond, runs: 2 * time.Millisecond})
	bubble(t, Config{ProjectID: "demo", Region: "here"}, play, func(t *testing.T, s *Scheduler, h *host) {
		const n = 1000
		e, status := execute(t, s, testJob(n, 0, 3, time.Minute))
		check(t, status, "succeeded 1000 failed 0 cancelled 0 retried 0")
		c := completed(t, status)
		if c.GetState() != runpb.Condition_CONDITION_SUCCEEDED || c.GetReasons() != nil {
			t.Errorf("condition %v", c)
		}
		if status.GetReconciling() || status.GetCompletionTime() == nil || status.GetStartTime() == nil {
			t.Errorf("status %v", status)
		}
		if want := "projects/demo/locations/here/jobs/migrate/executions/" + e.Name(); status.GetName() != want {
			t.Errorf("name %s, want %s", status.GetName(), want)
		}
		tasks := tasksOf(t, e)
		for i, task := range tasks {
			if task.GetIndex() != int32(i) || task.GetLabels()[StateLabel] != "Succeeded" || task.GetRetried() != 0 ||
				task.GetLastAttemptResult().GetStatus().GetCode() != 0 || task.GetCompletionTime() == nil {
				t.Fatalf("task %d: %v", i, task)
			}
		}
		if h.created != n {
			t.Errorf("%d instances for %d tasks", h.created, n)
		}
		if h.mostCreating != 4 || h.mostDeleting > 4 {
			t.Errorf("%d created and %d deleted at once, want 4", h.mostCreating, h.mostDeleting)
		}
	})
}

// contract: JOB-2, JOB-3, JOB-15, JOB-16, JOB-18, ENV-3
func TestFailingTaskLetsTheOthersRun(t *testing.T) {
	attempts := 0
	play := func(spec rruntime.Spec) script {
		s := script{runs: time.Second}
		if index, attempt := indexOf(spec); index == 1 {
			if attempt != attempts {
				t.Errorf("attempt %d, want %d", attempt, attempts)
			}
			attempts++
			s.exit.Code = 9
		}
		return s
	}
	bubble(t, Config{}, play, func(t *testing.T, s *Scheduler, _ *host) {
		e, status := execute(t, s, testJob(3, 1, 2, time.Minute))
		check(t, status, "succeeded 2 failed 1 cancelled 0 retried 1")
		if attempts != 3 {
			t.Errorf("%d attempts, want 3", attempts)
		}
		c := completed(t, status)
		want := "Task " + e.Name() + "-task1 failed with exit code: 9 and message: The container exited with an error."
		if c.GetMessage() != want || c.GetState() != runpb.Condition_CONDITION_FAILED ||
			c.GetExecutionReason() != runpb.Condition_NON_ZERO_EXIT_CODE {
			t.Errorf("condition %v, want %s", c, want)
		}
		task := tasksOf(t, e)[1]
		r := task.GetLastAttemptResult()
		if r.GetExitCode() != 9 || r.GetTermSignal() != 0 || r.GetStatus().GetCode() != 10 ||
			task.GetRetried() != 2 || task.GetLabels()[StateLabel] != "Failed" {
			t.Errorf("task %v", task)
		}
	})
}

// contract: JOB-2, JOB-18
func TestTaskSucceedsOnItsLastAttempt(t *testing.T) {
	play := func(spec rruntime.Spec) script {
		if _, attempt := indexOf(spec); attempt < 3 {
			return script{runs: time.Second, exit: contract.Exit{Code: 1}}
		}
		return script{runs: time.Second}
	}
	bubble(t, Config{Creating: 1}, play, func(t *testing.T, s *Scheduler, _ *host) {
		begun := time.Now()
		e, status := execute(t, s, testJob(5, 1, 3, time.Minute))
		check(t, status, "succeeded 5 failed 0 cancelled 0 retried 5")
		task := tasksOf(t, e)[0]
		if got := task.GetRetried(); got != 3 {
			t.Errorf("retried %d, want 3", got)
		}
		// Retries queue behind the tasks that were never tried: the first
		// task's attempts begin at 0, 5, 10 and 15 s.
		for what, at := range map[string]struct {
			got  *timestamppb.Timestamp
			want time.Duration
		}{
			"execution starts": {status.GetStartTime(), 0},
			"execution ends":   {status.GetCompletionTime(), 20 * time.Second},
			"task starts":      {task.GetStartTime(), 0},
			"task ends":        {task.GetCompletionTime(), 16 * time.Second},
		} {
			if got := at.got.AsTime().Sub(begun); got != at.want {
				t.Errorf("%s at %s, want %s", what, got, at.want)
			}
		}
	})
}

// contract: JOB-14
func TestMemoryLimitFailsTheAttempt(t *testing.T) {
	exit := contract.Exit{Signal: 9, OOMKilled: true}
	bubble(t, Config{}, always(script{exit: exit}), func(t *testing.T, s *Scheduler, h *host) {
		e, status := execute(t, s, testJob(1, 0, 1, time.Minute))
		check(t, status, "succeeded 0 failed 1 cancelled 0 retried 1")
		want := "Task " + e.Name() + "-task0 failed with message: The configured memory limit was reached."
		if got := completed(t, status).GetMessage(); got != want {
			t.Errorf("message %q, want %q", got, want)
		}
		if r := tasksOf(t, e)[0].GetLastAttemptResult(); r.GetTermSignal() != 9 || r.GetExitCode() != 0 {
			t.Errorf("result %v", r)
		}
		if h.created != 2 {
			t.Errorf("%d attempts, want 2", h.created)
		}
	})
}

// contract: JOB-6
func TestParallelismIsALimit(t *testing.T) {
	bubble(t, Config{}, always(script{runs: time.Second}), func(t *testing.T, s *Scheduler, h *host) {
		begun := time.Now()
		_, status := execute(t, s, testJob(20, 5, 0, time.Minute))
		check(t, status, "succeeded 20 failed 0 cancelled 0 retried 0")
		if h.mostRunning != 5 {
			t.Errorf("%d ran at once, want 5", h.mostRunning)
		}
		if took := time.Since(begun); took != 4*time.Second {
			t.Errorf("took %s, want 4s", took)
		}
	})
}

// contract: JOB-6
func TestWithoutParallelismAsManyRunAsFit(t *testing.T) {
	bubble(t, Config{Budget: room(7)}, always(script{runs: time.Second}), func(t *testing.T, s *Scheduler, h *host) {
		begun := time.Now()
		_, status := execute(t, s, testJob(21, 0, 0, time.Minute))
		check(t, status, "succeeded 21 failed 0 cancelled 0 retried 0")
		if h.mostRunning != 7 {
			t.Errorf("%d ran at once, want 7", h.mostRunning)
		}
		if took := time.Since(begun); took != 3*time.Second {
			t.Errorf("took %s, want 3s", took)
		}
	})
}

// The next instances are created while their predecessors run, and these are
// deleted while their successors do: neither takes any time from the tasks.
func TestCreationAndDeletionAreOffThePath(t *testing.T) {
	play := always(script{createTakes: 300 * time.Millisecond, deleteTakes: 300 * time.Millisecond, runs: time.Second})
	budget := NewBudget(Resources{CPU: 2000, Memory: 100 * contract.GiB})
	bubble(t, Config{Budget: budget, Ahead: 2}, play, func(t *testing.T, s *Scheduler, h *host) {
		begun := time.Now()
		_, status := execute(t, s, testJob(20, 0, 0, time.Minute))
		if took, want := status.GetCompletionTime().AsTime().Sub(begun), 10*time.Second+300*time.Millisecond; took != want {
			t.Errorf("took %s, want %s", took, want)
		}
		// Two run, two are ready, two are on their way out.
		if h.mostCreated > 6 {
			t.Errorf("%d instances at once", h.mostCreated)
		}
	})
}

// Memory is free with the instance only, which may have files in it.
func TestMemoryIsHeldUntilDeletion(t *testing.T) {
	play := always(script{deleteTakes: time.Second, runs: time.Second})
	budget := NewBudget(Resources{CPU: 100_000, Memory: 512 * contract.MiB})
	bubble(t, Config{Budget: budget}, play, func(t *testing.T, s *Scheduler, _ *host) {
		begun := time.Now()
		execute(t, s, testJob(3, 0, 0, time.Minute))
		if took := time.Since(begun); took != 6*time.Second {
			t.Errorf("took %s, want 6s", took)
		}
	})
}

func TestTaskThatCanNeverFitIsRefused(t *testing.T) {
	bubble(t, Config{Budget: NewBudget(Resources{CPU: 500, Memory: contract.GiB})}, nil, func(t *testing.T, s *Scheduler, _ *host) {
		_, err := s.Execute(t.Context(), testJob(1, 0, 0, time.Minute), &rimage.Image{})
		var too *CapacityError
		if !errors.As(err, &too) || err.Error() != "instance needs 1 CPU and 512Mi; this host offers 0.5 CPU and 1Gi" {
			t.Errorf("got %v", err)
		}
	})
}

func TestExecutionsShareTheHostInTurn(t *testing.T) {
	bubble(t, Config{Budget: room(2)}, always(script{runs: time.Second}), func(t *testing.T, s *Scheduler, h *host) {
		first := begin(t, s, testJob(100, 0, 0, time.Minute))
		synctest.Wait()
		begun := time.Now()
		second := begin(t, s, testJob(10, 0, 0, time.Minute))
		wait(t, second)
		// The second gets every other turn.
		if took := time.Since(begun); took > 12*time.Second {
			t.Errorf("the second execution took %s", took)
		}
		if n := statusOf(t, first).GetSucceededCount(); n < 8 {
			t.Errorf("the first execution has only done %d tasks meanwhile", n)
		}
		wait(t, first)
		if h.mostRunning != 2 {
			t.Errorf("%d ran at once, want 2", h.mostRunning)
		}
	})
}

// contract: JOB-18
func TestStatusWhileRunning(t *testing.T) {
	bubble(t, Config{Budget: room(1)}, always(script{runs: time.Minute}), func(t *testing.T, s *Scheduler, _ *host) {
		first := begin(t, s, testJob(1, 0, 0, time.Hour))
		synctest.Wait()
		second := begin(t, s, testJob(2, 0, 0, time.Hour))
		synctest.Wait()

		got := statusOf(t, first)
		if got.GetRunningCount() != 1 || !got.GetReconciling() || got.GetCompletionTime() != nil {
			t.Errorf("running: %v", got)
		}
		wantStates(t, got, "Completed PENDING, ResourcesAvailable SUCCEEDED, Started SUCCEEDED, ContainerReady SUCCEEDED")
		wantStates(t, statusOf(t, second), "Completed PENDING, ResourcesAvailable PENDING, Started PENDING, ContainerReady SUCCEEDED")
		if state := tasksOf(t, second)[1].GetLabels()[StateLabel]; state != "Pending" {
			t.Errorf("state %s, want Pending", state)
		}
		if state := tasksOf(t, first)[0].GetLabels()[StateLabel]; state != "Running" {
			t.Errorf("state %s, want Running", state)
		}
		ctx, stop := context.WithTimeout(context.Background(), time.Second)
		defer stop()
		if _, err := second.Wait(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("wait: %v", err)
		}
		wantStates(t, wait(t, second), "Completed SUCCEEDED, ResourcesAvailable SUCCEEDED, Started SUCCEEDED, ContainerReady SUCCEEDED")
	})
}

// wantStates compares an execution's conditions, in order.
func wantStates(t *testing.T, e *runpb.Execution, want string) {
	t.Helper()
	var got []string
	for _, c := range e.GetConditions() {
		got = append(got, c.GetType()+" "+strings.TrimPrefix(c.GetState().String(), "CONDITION_"))
	}
	if s := strings.Join(got, ", "); s != want {
		t.Errorf("conditions\n got %s\nwant %s", s, want)
	}
}

// An attempt is recorded before its process begins, and its end before anything
// follows from it.
func TestEventsComeBeforeWhatTheyTell(t *testing.T) {
	var events []string
	play := func(spec rruntime.Spec) script {
		_, attempt := indexOf(spec)
		return script{createTakes: 1, startTakes: 1, runs: time.Second, exit: contract.Exit{Code: 1 - attempt}}
	}
	var h *host
	observe := func(ev Event) {
		name := []string{"created", "starting", "stopping", "ended", "task ended", "execution ended"}[ev.Kind]
		events = append(events, fmt.Sprintf("%s %d %s", name, ev.Attempt, ev.State))
		if ev.Kind == AttemptStarting && h.running != 0 {
			t.Error("the process began before the event")
		}
		if ev.Kind == AttemptEnded && !regexp.MustCompile(fmt.Sprintf("^%s-[0-9a-f]{12}-0-%d$", ev.Execution, ev.Attempt)).MatchString(ev.Instance) {
			t.Errorf("instance %s", ev.Instance)
		}
	}
	bubble(t, Config{Observe: observe}, play, func(t *testing.T, s *Scheduler, fake *host) {
		h = fake
		execute(t, s, testJob(1, 0, 1, time.Minute))
		want := "created 0 Pending, starting 0 Running, ended 0 Pending, " +
			"created 1 Pending, starting 1 Running, ended 1 Succeeded, execution ended 0 "
		if got := strings.Join(events, ", "); got != want {
			t.Errorf("events\n got %s\nwant %s", got, want)
		}
	})
}
