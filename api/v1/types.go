package v1

import "strconv"

// Job is a job as v1 writes it. Fields are named as in the API; nil and empty
// mean that the field is not there.
//
// In all types of this package, a field tagged set:"server" is written by a
// server only: who reads a file or a request accepts it with any value and
// does not look at it.
type Job struct {
	APIVersion string     `json:"apiVersion"`
	Kind       string     `json:"kind"`
	Metadata   ObjectMeta `json:"metadata"`
	Spec       JobSpec    `json:"spec"`
	Status     *JobStatus `json:"status,omitempty" set:"server"`
}

// JobSpec says what a job runs.
type JobSpec struct {
	Template            *ExecutionTemplate `json:"template,omitempty"`
	StartExecutionToken string             `json:"startExecutionToken,omitempty"`
	RunExecutionToken   string             `json:"runExecutionToken,omitempty"`
}

// ExecutionTemplate is what every execution of a job is made from.
type ExecutionTemplate struct {
	Metadata TemplateMeta   `json:"metadata,omitzero"`
	Spec     *ExecutionSpec `json:"spec,omitempty"`
}

// TemplateMeta labels the executions of a job.
type TemplateMeta struct {
	Name              Ignored           `json:"name,omitzero"`
	Labels            map[string]string `json:"labels,omitempty"`
	Annotations       map[string]string `json:"annotations,omitempty"`
	CreationTimestamp Ignored           `json:"creationTimestamp,omitzero"`
}

// IsZero reports whether there is nothing to write.
func (m TemplateMeta) IsZero() bool { return len(m.Labels) == 0 && len(m.Annotations) == 0 }

// ExecutionSpec says how many tasks run, and how many at once.
type ExecutionSpec struct {
	Parallelism *int32        `json:"parallelism,omitempty"`
	TaskCount   *int32        `json:"taskCount,omitempty"`
	Template    *TaskTemplate `json:"template,omitempty"`
	// DelayExecution allows an execution to start late. Starting at once is
	// within what it asks for.
	DelayExecution Ignored `json:"delayExecution,omitzero"`
}

// TaskTemplate is what every task of an execution is made from.
type TaskTemplate struct {
	Spec *TaskSpec `json:"spec,omitempty"`
}

// TaskSpec says what a task runs and how often it is tried.
type TaskSpec struct {
	Containers         []Container       `json:"containers,omitempty"`
	MaxRetries         *int32            `json:"maxRetries,omitempty"`
	TimeoutSeconds     *Seconds          `json:"timeoutSeconds,omitempty"`
	ServiceAccountName string            `json:"serviceAccountName,omitempty"`
	NodeSelector       map[string]string `json:"nodeSelector,omitempty"`
	Volumes            Unsupported       `json:"volumes,omitzero" why:"volumes are not supported yet"`
	GracePeriod        Unsupported       `json:"terminationGracePeriodSeconds,omitzero" why:"a grace period other than 10 seconds is not supported yet"`
}

// Seconds is a whole number of seconds. It is written as text; a file may
// write it as a number too.
type Seconds int64

// MarshalJSON writes s as text, as the API does.
func (s Seconds) MarshalJSON() ([]byte, error) {
	return []byte(strconv.Quote(strconv.FormatInt(int64(s), 10))), nil
}

// Ignored is a field that is accepted with any value and not looked at.
type Ignored struct{}

// Unsupported is a field that exists in the API and is refused here, unless it
// is an empty list: its tag says why.
type Unsupported struct{}
