package scheduler

import (
	"syscall"
	"testing"
	"time"

	"runnel/contract"
	rruntime "runnel/runtime"
)

// contract: JOB-4, JOB-13
func TestTimeout(t *testing.T) {
	for _, tc := range []struct {
		name     string
		play     script
		after    time.Duration
		code     int32
		signal   int32
		status   int32
		wantKill int
	}{
		{"ends in time", script{runs: 2*time.Second - 1}, 2*time.Second - 1, 0, 0, 0, 0},
		{"chooses its code", script{runs: time.Hour, onTerm: &contract.Exit{Code: 7}}, 2 * time.Second, 7, 0, 4, 0},
		{"chooses 0, and has failed all the same", script{runs: time.Hour, onTerm: &contract.Exit{}}, 2 * time.Second, 0, 0, 4, 0},
		{"ends by SIGTERM", script{runs: time.Hour}, 2 * time.Second, 0, int32(syscall.SIGTERM), 4, 0},
		{"ends in the grace period", script{runs: 5 * time.Second, deaf: true}, 5 * time.Second, 0, 0, 4, 0},
		{"is killed after it", script{runs: time.Hour, deaf: true}, 12 * time.Second, 0, int32(syscall.SIGKILL), 4, 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			bubble(t, Config{}, always(tc.play), func(t *testing.T, s *Scheduler, h *host) {
				begun := time.Now()
				e, status := execute(t, s, testJob(1, 0, 0, 2*time.Second))
				if took := time.Since(begun); took != tc.after {
					t.Errorf("took %s, want %s", took, tc.after)
				}
				r := tasksOf(t, e)[0].GetLastAttemptResult()
				if r.GetExitCode() != tc.code || r.GetTermSignal() != tc.signal || r.GetStatus().GetCode() != tc.status {
					t.Errorf("result %v", r)
				}
				want := "succeeded 0 failed 1 cancelled 0 retried 0"
				if tc.status == 0 {
					want = "succeeded 1 failed 0 cancelled 0 retried 0"
				}
				check(t, status, want)
				if h.killed != tc.wantKill {
					t.Errorf("killed %d times, want %d", h.killed, tc.wantKill)
				}
			})
		})
	}
}

// contract: JOB-4
func TestEachRetryGetsTheFullTime(t *testing.T) {
	play := func(spec rruntime.Spec) script {
		if _, attempt := indexOf(spec); attempt < 2 {
			return script{runs: time.Hour}
		}
		return script{runs: 99 * time.Second}
	}
	var stopping int
	observe := func(ev Event) {
		if ev.Kind == AttemptStopping && ev.Exit.TimedOut && !ev.Exit.Cancelled {
			stopping++
		}
	}
	bubble(t, Config{Observe: observe}, play, func(t *testing.T, s *Scheduler, _ *host) {
		begun := time.Now()
		_, status := execute(t, s, testJob(1, 0, 3, 100*time.Second))
		check(t, status, "succeeded 1 failed 0 cancelled 0 retried 1")
		if took := time.Since(begun); took != 299*time.Second {
			t.Errorf("took %s, want 299s", took)
		}
		if stopping != 2 {
			t.Errorf("%d timeouts told, want 2", stopping)
		}
	})
}

// contract: JOB-5
func TestExecutionHasNoTimeoutOfItsOwn(t *testing.T) {
	bubble(t, Config{}, always(script{runs: 9 * time.Second}), func(t *testing.T, s *Scheduler, _ *host) {
		_, status := execute(t, s, testJob(5, 1, 0, 10*time.Second))
		check(t, status, "succeeded 5 failed 0 cancelled 0 retried 0")
	})
}

// contract: JOB-4
func TestLongestTimeout(t *testing.T) {
	play := always(script{runs: contract.MaxTaskTimeout - time.Second})
	bubble(t, Config{}, play, func(t *testing.T, s *Scheduler, _ *host) {
		_, status := execute(t, s, testJob(1, 0, 0, contract.MaxTaskTimeout))
		check(t, status, "succeeded 1 failed 0 cancelled 0 retried 0")
	})
}
