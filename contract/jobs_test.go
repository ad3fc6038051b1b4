package contract_test

import (
	"testing"
	"time"

	"runnel/contract"
)

// contract: JOB-1 JOB-2 JOB-4 JOB-6
func TestBoundsOfJobs(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		err  error
		ok   bool
	}{
		{"0 tasks", contract.CheckTasks(0), false},
		{"1 task", contract.CheckTasks(1), true},
		{"10,000 tasks", contract.CheckTasks(10_000), true},
		{"10,001 tasks", contract.CheckTasks(10_001), false},
		{"-1 retries", contract.CheckRetries(-1), false},
		{"0 retries", contract.CheckRetries(0), true},
		{"10 retries", contract.CheckRetries(10), true},
		{"11 retries", contract.CheckRetries(11), false},
		{"no timeout", contract.CheckTaskTimeout(0), false},
		{"999 ms", contract.CheckTaskTimeout(999 * time.Millisecond), false},
		{"1 s", contract.CheckTaskTimeout(time.Second), true},
		{"604,800 s", contract.CheckTaskTimeout(604_800 * time.Second), true},
		{"604,801 s", contract.CheckTaskTimeout(604_801 * time.Second), false},
		{"parallelism -1 of 5", contract.CheckParallelism(-1, 5), false},
		{"parallelism 0 of 5", contract.CheckParallelism(0, 5), true},
		{"parallelism 5 of 5", contract.CheckParallelism(5, 5), true},
		{"parallelism 6 of 5", contract.CheckParallelism(6, 5), false},
	} {
		if (tt.err == nil) != tt.ok {
			t.Errorf("%s: %v", tt.name, tt.err)
		}
	}
}

// contract: JOB-1 JOB-2 JOB-4 JOB-12 JOB-20 JOB-21 CPU-8 LIM-1 LIM-7 MD-1 IMG-13 ENV-7
func TestNumbersOfTheContract(t *testing.T) {
	t.Parallel()
	for name, ok := range map[string]bool{
		"one task by default":             contract.DefaultTasks == 1,
		"three retries by default":        contract.DefaultRetries == 3,
		"ten minutes for a task":          contract.DefaultTaskTimeout == 600*time.Second,
		"ten seconds of grace":            contract.GracePeriod == 10*time.Second,
		"ten seconds of help to start":    contract.BoostTime == 10*time.Second,
		"1,000 ended executions":          contract.KeptExecutions == 1000,
		"1,000 executions at once":        contract.RunningExecutions == 1000,
		"25,000 open files":               contract.NoFile == 25000,
		"names of 49 characters":          contract.MaxJobName == 49,
		"32 KiB in a variable":            contract.MaxEnvValue == 32768 && contract.MaxEnvName == 32768,
		"1,000 arguments and variables":   contract.MaxArgs == 1000 && contract.MaxEnvVars == 1000,
		"the metadata server's address":   contract.MetadataAddress == "169.254.169.254",
		"the metadata server's name":      contract.MetadataHost == "metadata.google.internal",
		"the product name of the machine": contract.ProductName == "Google Compute Engine",
	} {
		if !ok {
			t.Errorf("%s: the constant says otherwise", name)
		}
	}
}
