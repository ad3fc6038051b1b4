package scheduler

import (
	"syscall"
	"testing"
	"time"

	"runnel/contract"
)

// contract: JOB-2, JOB-8, JOB-14
func TestJudge(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name             string
		exit             contract.Exit
		attempt, retries int
		want             Verdict
	}{
		{"exit 0 is success", contract.Exit{}, 0, 3, Done},
		{"exit 0 on the last attempt is success", contract.Exit{}, 3, 3, Done},
		{"any other code is failure", contract.Exit{Code: 255}, 0, 3, Retry},
		{"no retries, one attempt", contract.Exit{Code: 1}, 0, 0, GiveUp},
		{"one retry, two attempts: the first", contract.Exit{Code: 1}, 0, 1, Retry},
		{"one retry, two attempts: the second", contract.Exit{Code: 1}, 1, 1, GiveUp},
		{"ten retries, eleven attempts: the tenth", contract.Exit{Code: 1}, 9, 10, Retry},
		{"ten retries, eleven attempts: the last", contract.Exit{Code: 1}, 10, 10, GiveUp},
		{"a signal is failure", contract.Exit{Signal: syscall.SIGSEGV}, 0, 3, Retry},
		{"memory limit is failure", contract.Exit{Signal: syscall.SIGKILL, OOMKilled: true}, 0, 3, Retry},
		{"memory limit is failure, whatever the code", contract.Exit{OOMKilled: true}, 0, 0, GiveUp},
		{"timeout is failure, whatever the code", contract.Exit{TimedOut: true}, 0, 3, Retry},
		{"an end that nobody saw is failure", contract.Exit{Lost: true}, 0, 3, Retry},
		{"an end that nobody saw uses up attempts", contract.Exit{Lost: true}, 3, 3, GiveUp},
		{"what was cancelled is not retried", contract.Exit{Signal: syscall.SIGTERM, Cancelled: true}, 0, 3, Stop},
		{"what was cancelled has not succeeded", contract.Exit{Cancelled: true}, 0, 3, Stop},
	} {
		if got := Judge(tc.exit, tc.attempt, tc.retries); got != tc.want {
			t.Errorf("%s: got %d, want %d", tc.name, got, tc.want)
		}
	}
}

func TestPauseGrowsToASecond(t *testing.T) {
	t.Parallel()
	var last time.Duration
	for n := 1; n <= 100; n++ {
		p := Pause(n)
		if p < last || p < 50*time.Millisecond || p > time.Second {
			t.Errorf("pause after %d failures is %s, after %s", n, p, last)
		}
		last = p
	}
	if last != time.Second {
		t.Errorf("the pause ends at %s", last)
	}
}

// contract: JOB-6
func TestParallelism(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ requested, tasks, want int }{
		{0, 10, 10}, {1, 10, 1}, {10, 10, 10}, {11, 10, 10},
	} {
		if got := Parallelism(tc.requested, tc.tasks); got != tc.want {
			t.Errorf("Parallelism(%d, %d) = %d, want %d", tc.requested, tc.tasks, got, tc.want)
		}
	}
}
