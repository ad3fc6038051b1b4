package contract

import (
	"fmt"
	"time"
)

// Bounds and defaults of jobs.
// Source: "Create jobs", "Set maximum retries", "Set task timeout",
// "Set parallelism", run.v2 protos.
const (
	MinTasks     = 1
	MaxTasks     = 10_000
	DefaultTasks = 1

	MaxRetries     = 10
	DefaultRetries = 3

	DefaultTaskTimeout = 10 * time.Minute
	MinTaskTimeout     = time.Second
	MaxTaskTimeout     = 168 * time.Hour

	// MaxJobName is the longest name of a job or a service.
	MaxJobName = 49
)

// What every instance gets.
// Source: Cloud Run container runtime contract.
const (
	// GracePeriod lies between SIGTERM and SIGKILL.
	GracePeriod = 10 * time.Second
	// NoFile is RLIMIT_NOFILE, soft and hard alike.
	NoFile = 25_000
	// MetadataAddress is where the metadata server and the resolver answer.
	MetadataAddress = "169.254.169.254"
	// MetadataHost is the name of the metadata server.
	MetadataHost = "metadata.google.internal"
	// ProductName is what /sys/class/dmi/id/product_name reads.
	ProductName = "Google Compute Engine"
)

// Bounds of a container's configuration.
// Source: "Quotas and limits", run.v2 protos.
const (
	// MaxEnvName and MaxEnvValue are in bytes.
	MaxEnvName  = 32_768
	MaxEnvValue = 32_768
	// MaxEnvVars and MaxArgs are per container.
	MaxEnvVars = 1000
	MaxArgs    = 1000
)

// CheckTasks says whether an execution may have n tasks.
func CheckTasks(n int64) error {
	if n < MinTasks || n > MaxTasks {
		return fmt.Errorf("%d tasks are not possible: want %d to %d", n, MinTasks, MaxTasks)
	}
	return nil
}

// CheckParallelism says whether n of tasks tasks may be the most that run at
// once; 0 leaves it to the host.
func CheckParallelism(n, tasks int64) error {
	switch {
	case n < 0:
		return fmt.Errorf("a parallelism of %d is not possible: want 0, for as many as fit, to the number of tasks", n)
	case n > tasks:
		return fmt.Errorf("a parallelism of %d is more than the number of tasks: want at most %d, or 0 for as many as fit", n, tasks)
	}
	return nil
}

// CheckRetries says whether a task may be retried n times after its first
// attempt.
func CheckRetries(n int64) error {
	if n < 0 || n > MaxRetries {
		return fmt.Errorf("%d retries are not possible: want 0 to %d", n, MaxRetries)
	}
	return nil
}

// CheckTaskTimeout says whether an attempt of a task may be given d.
func CheckTaskTimeout(d time.Duration) error {
	if d < MinTaskTimeout || d > MaxTaskTimeout {
		return fmt.Errorf("a timeout of %gs is not possible: want %d to %d seconds (168 hours)", d.Seconds(), int64(MinTaskTimeout/time.Second), int64(MaxTaskTimeout/time.Second))
	}
	return nil
}

// How many executions there may be.
// Source: "Quotas and limits": executions of a job that are kept once they have
// ended, and executions of a region that run at once.
const (
	KeptExecutions    = 1000
	RunningExecutions = 1000
)
