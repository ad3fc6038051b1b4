package contract

import (
	"strconv"
	"strings"
)

// TaskEnv names one attempt of one task, as the container sees it.
type TaskEnv struct {
	Job       string
	Execution string
	// Index runs from 0 to Count-1.
	Index int
	// Attempt starts at 0.
	Attempt int
	Count   int
}

// Environ lists the variables of e as NAME=value, in a fixed order.
// Source: Cloud Run container runtime contract, "Environment variables for jobs".
func (e TaskEnv) Environ() []string {
	return []string{
		"CLOUD_RUN_JOB=" + e.Job,
		"CLOUD_RUN_EXECUTION=" + e.Execution,
		"CLOUD_RUN_TASK_INDEX=" + strconv.Itoa(e.Index),
		"CLOUD_RUN_TASK_ATTEMPT=" + strconv.Itoa(e.Attempt),
		"CLOUD_RUN_TASK_COUNT=" + strconv.Itoa(e.Count),
	}
}

// WorkerPoolEnv names one revision of one worker pool, as its containers see it.
type WorkerPoolEnv struct{ WorkerPool, Revision string }

// Environ lists the variables of e as NAME=value, in a fixed order.
// Source: Cloud Run container runtime contract, "Environment variables for
// worker pools"; CLOUD_RUN_REVISION as Temporal's workers read it.
func (e WorkerPoolEnv) Environ() []string {
	return []string{
		"CLOUD_RUN_WORKER_POOL=" + e.WorkerPool,
		"CLOUD_RUN_WORKER_POOL_REVISION=" + e.Revision,
		"CLOUD_RUN_REVISION=" + e.Revision,
	}
}

// ReservedEnv reports whether name is set by the platform and may not be set
// by the user: PORT and everything that begins with K_, CLOUD_RUN_ or
// X_GOOGLE_.
// Source: Cloud Run container runtime contract; "Configure environment
// variables", reserved names.
func ReservedEnv(name string) bool {
	return name == "PORT" ||
		strings.HasPrefix(name, "K_") ||
		strings.HasPrefix(name, "CLOUD_RUN_") ||
		strings.HasPrefix(name, "X_GOOGLE_")
}
