package contract_test

import (
	"slices"
	"strings"
	"testing"

	"runnel/contract"
)

// contract: ENV-3
func TestTaskEnviron(t *testing.T) {
	t.Parallel()
	got := contract.TaskEnv{Job: "j", Execution: "j-abcde", Index: 2, Attempt: 1, Count: 3}.Environ()
	want := []string{
		"CLOUD_RUN_JOB=j", "CLOUD_RUN_EXECUTION=j-abcde", "CLOUD_RUN_TASK_INDEX=2",
		"CLOUD_RUN_TASK_ATTEMPT=1", "CLOUD_RUN_TASK_COUNT=3",
	}
	if !slices.Equal(got, want) {
		t.Errorf("Environ = %q, want %q", got, want)
	}
	// contract: ENV-9
	for _, v := range got {
		if name, _, _ := strings.Cut(v, "="); !contract.ReservedEnv(name) {
			t.Errorf("%s is set by the platform and not reserved", name)
		}
	}
}

// contract: ENV-4
func TestWorkerPoolEnviron(t *testing.T) {
	t.Parallel()
	got := contract.WorkerPoolEnv{WorkerPool: "w", Revision: "w-00001-abc"}.Environ()
	want := []string{"CLOUD_RUN_WORKER_POOL=w", "CLOUD_RUN_WORKER_POOL_REVISION=w-00001-abc", "CLOUD_RUN_REVISION=w-00001-abc"}
	if !slices.Equal(got, want) {
		t.Errorf("Environ = %q, want %q", got, want)
	}
	for _, v := range got {
		if name, _, _ := strings.Cut(v, "="); !contract.ReservedEnv(name) {
			t.Errorf("%s is set by the platform and not reserved", name)
		}
	}
}

// contract: ENV-9
func TestReservedEnv(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bool{
		"PORT": true, "K_SERVICE": true, "K_": true, "CLOUD_RUN_JOB": true, "X_GOOGLE_FOO": true,
		"PORTS": false, "MY_PORT": false, "port": false, "KAFKA": false, "k_service": false, "CLOUD_RUNNER": false, "X_FOO": false,
	} {
		if got := contract.ReservedEnv(name); got != want {
			t.Errorf("ReservedEnv(%q) = %v", name, got)
		}
	}
}
