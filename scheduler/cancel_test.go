package scheduler

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"cloud.google.com/go/run/apiv2/runpb"

	"runnel/contract"
	rimage "runnel/image"
	rruntime "runnel/runtime"
)

// contract: JOB-12, JOB-19
func TestCancel(t *testing.T) {
	for _, tc := range []struct {
		name   string
		play   script
		cancel func(*Execution)
		after  time.Duration
		killed int
	}{
		{"by SIGTERM", script{runs: time.Hour}, (*Execution).Cancel, 0, 0},
		{"by SIGTERM that is answered with 0", script{runs: time.Hour, onTerm: &contract.Exit{}}, (*Execution).Cancel, 0, 0},
		{"by SIGKILL after 10 s", script{runs: time.Hour, deaf: true}, (*Execution).Cancel, 10 * time.Second, 3},
		{"by SIGKILL at once", script{runs: time.Hour, deaf: true}, (*Execution).Kill, 0, 3},
		{"twice", script{runs: time.Hour, deaf: true}, func(e *Execution) {
			e.Cancel()
			<-time.After(4 * time.Second)
			e.Cancel()
			e.Cancel()
		}, 4 * time.Second, 3},
	} {
		t.Run(tc.name, func(t *testing.T) {
			bubble(t, Config{}, always(tc.play), func(t *testing.T, s *Scheduler, h *host) {
				e := begin(t, s, testJob(100, 3, 3, 24*time.Hour))
				synctest.Wait()
				if n := statusOf(t, e).GetRunningCount(); n != 3 {
					t.Fatalf("%d run, want 3", n)
				}
				begun := time.Now()
				tc.cancel(e)
				status := wait(t, e)
				if took := time.Since(begun); took != tc.after {
					t.Errorf("took %s, want %s", took, tc.after)
				}
				check(t, status, "succeeded 0 failed 0 cancelled 100 retried 0")
				c := completed(t, status)
				if c.GetExecutionReason() != runpb.Condition_CANCELLED || c.GetState() != runpb.Condition_CONDITION_FAILED {
					t.Errorf("condition %v", c)
				}
				if h.killed != tc.killed {
					t.Errorf("killed %d, want %d", h.killed, tc.killed)
				}
				ran, waited := tasksOf(t, e)[0], tasksOf(t, e)[99]
				if ran.GetLastAttemptResult().GetStatus().GetCode() != 1 || waited.GetLastAttemptResult().GetStatus().GetCode() != 1 ||
					ran.GetLabels()[StateLabel] != "Cancelled" || waited.GetStartTime() != nil {
					t.Errorf("tasks %v and %v", ran, waited)
				}
				if h.created > 3+4 {
					t.Errorf("%d instances were created", h.created)
				}
			})
		})
	}
}

// contract: JOB-12
func TestEndOfContextCancels(t *testing.T) {
	bubble(t, Config{}, always(script{runs: time.Hour, deaf: true}), func(t *testing.T, s *Scheduler, h *host) {
		ctx, stop := context.WithCancel(t.Context())
		e, err := s.Execute(ctx, testJob(2, 1, 0, 24*time.Hour), &rimage.Image{})
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		begun := time.Now()
		stop()
		check(t, wait(t, e), "succeeded 0 failed 0 cancelled 2 retried 0")
		if took := time.Since(begun); took != 10*time.Second || h.killed != 1 {
			t.Errorf("took %s with %d killed, want 10s and 1: the end of the context is gentle", took, h.killed)
		}
	})
}

// contract: JOB-12
func TestCancelDuringCreation(t *testing.T) {
	bubble(t, Config{}, always(script{createTakes: time.Minute, runs: time.Hour}), func(t *testing.T, s *Scheduler, h *host) {
		e := begin(t, s, testJob(50, 0, 0, 24*time.Hour))
		<-time.After(time.Second)
		begun := time.Now()
		e.Cancel()
		status := wait(t, e)
		check(t, status, "succeeded 0 failed 0 cancelled 50 retried 0")
		if took := time.Since(begun); took != 0 || h.created != 0 {
			t.Errorf("took %s, %d created", took, h.created)
		}
		wantStates(t, status, "Completed FAILED, ResourcesAvailable PENDING, Started FAILED, ContainerReady SUCCEEDED")
	})
}

// contract: JOB-12, JOB-18
func TestCancelKeepsWhatHasEnded(t *testing.T) {
	play := func(spec rruntime.Spec) script {
		switch index, _ := indexOf(spec); index {
		case 0:
			return script{runs: time.Second}
		case 1:
			return script{runs: time.Second, exit: contract.Exit{Code: 3}}
		}
		return script{runs: time.Hour}
	}
	bubble(t, Config{}, play, func(t *testing.T, s *Scheduler, _ *host) {
		e := begin(t, s, testJob(3, 0, 0, 24*time.Hour))
		<-time.After(2 * time.Second)
		if c := completed(t, statusOf(t, e)); c.GetState() != runpb.Condition_CONDITION_PENDING || c.GetReasons() != nil {
			t.Errorf("condition %v", c)
		}
		e.Cancel()
		status := wait(t, e)
		check(t, status, "succeeded 1 failed 1 cancelled 1 retried 0")
		if r := completed(t, status).GetExecutionReason(); r != runpb.Condition_CANCELLED {
			t.Errorf("reason %s", r)
		}
	})
}

// A cancelled execution that still waits for its last instance does not stand
// in the way of others.
func TestCancelLeavesTheQueue(t *testing.T) {
	play := func(spec rruntime.Spec) script {
		if strings.HasPrefix(spec.ID, "migrate-") {
			index, _ := indexOf(spec)
			return script{runs: time.Hour, deaf: index == 1}
		}
		return script{runs: time.Second}
	}
	bubble(t, Config{Budget: room(2), Creating: 1}, play, func(t *testing.T, s *Scheduler, _ *host) {
		other := func(tasks int) *runpb.Job {
			job := testJob(tasks, 0, 0, time.Minute)
			job.Name = "other"
			return job
		}
		long := begin(t, s, testJob(1, 0, 0, 24*time.Hour))
		synctest.Wait()
		large := testJob(1, 0, 0, 24*time.Hour)
		large.GetTemplate().GetTemplate().GetContainers()[0].Resources.Limits["cpu"] = "2"
		waits := begin(t, s, large)
		synctest.Wait()
		small := begin(t, s, other(1))
		<-time.After(time.Minute)
		if n := statusOf(t, small).GetSucceededCount(); n != 0 {
			t.Errorf("a small task overtook a large one")
		}
		waits.Cancel()
		wait(t, small)
		long.Kill()

		// The same for one of whose instances one ends at once, the other late.
		long = begin(t, s, testJob(3, 0, 0, 24*time.Hour))
		synctest.Wait()
		small = begin(t, s, other(1))
		synctest.Wait()
		begun := time.Now()
		long.Cancel()
		wait(t, small)
		if took := time.Since(begun); took > 2*time.Second {
			t.Errorf("took %s", took)
		}
	})
}

// contract: JOB-12, JOB-18
func TestCancellingShows(t *testing.T) {
	bubble(t, Config{}, always(script{runs: time.Hour, deaf: true}), func(t *testing.T, s *Scheduler, _ *host) {
		e := begin(t, s, testJob(1, 0, 0, 24*time.Hour))
		synctest.Wait()
		e.Cancel()
		synctest.Wait()
		status := statusOf(t, e)
		if c := completed(t, status); c.GetState() != runpb.Condition_CONDITION_PENDING || c.GetExecutionReason() != runpb.Condition_CANCELLING {
			t.Errorf("condition %v", c)
		}
		if status.GetGeneration() != 2 {
			t.Errorf("generation %d, want 2", status.GetGeneration())
		}
		wait(t, e)
	})
}

func TestCancelAfterTheEndChangesNothing(t *testing.T) {
	bubble(t, Config{}, always(script{deleteTakes: time.Second}), func(t *testing.T, s *Scheduler, _ *host) {
		e := begin(t, s, testJob(2, 0, 0, time.Minute))
		synctest.Wait() // the tasks have ended, their instances are being deleted
		e.Cancel()
		status := wait(t, e)
		e.Cancel()
		e.Kill()
		check(t, status, "succeeded 2 failed 0 cancelled 0 retried 0")
		if g := status.GetGeneration(); g != 1 {
			t.Errorf("generation %d, want 1", g)
		}
		if c := completed(t, statusOf(t, e)); c.GetState() != runpb.Condition_CONDITION_SUCCEEDED {
			t.Errorf("condition %v", c)
		}
	})
}

// A task that is between two attempts is cancelled like one that waits for its
// first.
func TestCancelBetweenAttempts(t *testing.T) {
	play := func(spec rruntime.Spec) script {
		if _, attempt := indexOf(spec); attempt > 0 {
			return script{createTakes: time.Minute}
		}
		return script{exit: contract.Exit{Code: 5}}
	}
	bubble(t, Config{}, play, func(t *testing.T, s *Scheduler, _ *host) {
		e := begin(t, s, testJob(9, 0, 3, time.Minute))
		<-time.After(time.Second)
		task := tasksOf(t, e)[0]
		if task.GetLabels()[StateLabel] != "Pending" || task.GetLastAttemptResult().GetExitCode() != 5 {
			t.Errorf("task %v", task)
		}
		e.Cancel()
		check(t, wait(t, e), "succeeded 0 failed 0 cancelled 9 retried 0")
	})
}

// An instance that ends by itself in the very moment in which it is to be
// stopped was not stopped.
func TestEndBeatsTheReasonToStop(t *testing.T) {
	t.Parallel()
	for range 100 {
		l := &loop{Execution: newExecution(&plan{}), scheduler: New(Config{})}
		l.Cancel()
		ended := make(chan struct{})
		if why := l.reasonToStop(time.Hour, ended); !why.Cancelled {
			t.Errorf("still running: %+v", why)
		}
		close(ended)
		if why := l.reasonToStop(time.Hour, ended); why != (contract.Exit{}) {
			t.Errorf("ended: %+v", why)
		}
	}
}
