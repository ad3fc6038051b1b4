package v1

// Execution is one execution of a job, as v1 writes it.
type Execution struct {
	APIVersion string           `json:"apiVersion"`
	Kind       string           `json:"kind"`
	Metadata   ObjectMeta       `json:"metadata"`
	Spec       ExecutionSpec    `json:"spec"`
	Status     *ExecutionStatus `json:"status,omitempty"`
}

// Task is one task of an execution, as v1 writes it.
type Task struct {
	APIVersion string      `json:"apiVersion"`
	Kind       string      `json:"kind"`
	Metadata   ObjectMeta  `json:"metadata"`
	Spec       TaskSpec    `json:"spec"`
	Status     *TaskStatus `json:"status,omitempty"`
}

// JobStatus says whether a job can be run, and how often it was.
type JobStatus struct {
	ObservedGeneration     int64               `json:"observedGeneration,omitempty"`
	Conditions             []Condition         `json:"conditions,omitempty"`
	ExecutionCount         int32               `json:"executionCount,omitempty"`
	LatestCreatedExecution *ExecutionReference `json:"latestCreatedExecution,omitempty"`
}

// ExecutionReference is a short account of an execution.
type ExecutionReference struct {
	Name                string `json:"name,omitempty"`
	CreationTimestamp   string `json:"creationTimestamp,omitempty"`
	CompletionTimestamp string `json:"completionTimestamp,omitempty"`
	DeletionTimestamp   string `json:"deletionTimestamp,omitempty"`
	CompletionStatus    string `json:"completionStatus,omitempty"`
}

// ExecutionStatus says how far an execution has come. Counts are of tasks.
type ExecutionStatus struct {
	ObservedGeneration int64       `json:"observedGeneration,omitempty"`
	Conditions         []Condition `json:"conditions,omitempty"`
	StartTime          string      `json:"startTime,omitempty"`
	CompletionTime     string      `json:"completionTime,omitempty"`
	RunningCount       int32       `json:"runningCount,omitempty"`
	SucceededCount     int32       `json:"succeededCount,omitempty"`
	FailedCount        int32       `json:"failedCount,omitempty"`
	CancelledCount     int32       `json:"cancelledCount,omitempty"`
	RetriedCount       int32       `json:"retriedCount,omitempty"`
	LogURI             string      `json:"logUri,omitempty"`
}

// TaskStatus says how far a task has come.
type TaskStatus struct {
	ObservedGeneration int64          `json:"observedGeneration,omitempty"`
	Conditions         []Condition    `json:"conditions,omitempty"`
	Index              int32          `json:"index,omitempty"`
	Retried            int32          `json:"retried,omitempty"`
	StartTime          string         `json:"startTime,omitempty"`
	CompletionTime     string         `json:"completionTime,omitempty"`
	LastAttemptResult  *AttemptResult `json:"lastAttemptResult,omitempty"`
	LogURI             string         `json:"logUri,omitempty"`
}

// AttemptResult is what an attempt of a task came to. At most one of ExitCode
// and TermSignal is not zero.
type AttemptResult struct {
	Status     AttemptStatus `json:"status"`
	ExitCode   int32         `json:"exitCode,omitempty"`
	TermSignal int32         `json:"termSignal,omitempty"`
}

// AttemptStatus is a code of google.rpc.Code and what it was about.
type AttemptStatus struct {
	Code    int32  `json:"code,omitempty"`
	Message string `json:"message,omitempty"`
}

// Condition is one thing that holds ("True"), does not hold ("False") or is
// being worked on ("Unknown").
type Condition struct {
	Type               string `json:"type"`
	Status             string `json:"status"`
	Reason             string `json:"reason,omitempty"`
	Message            string `json:"message,omitempty"`
	Severity           string `json:"severity,omitempty"`
	LastTransitionTime string `json:"lastTransitionTime,omitempty"`
}
