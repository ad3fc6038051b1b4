package v1

import "strconv"

// Job is a job as v1 writes it. Fields are named as in the API; nil and empty
// mean that the field is not there.
type Job struct {
	APIVersion string     `json:"apiVersion"`
	Kind       string     `json:"kind"`
	Metadata   ObjectMeta `json:"metadata"`
	Spec       JobSpec    `json:"spec"`
	// Status is what a server says of the job; a file's is not looked at.
	Status Ignored `json:"status,omitzero"`
}

// ObjectMeta names and labels an object. What only a server sets is accepted
// in a file and not looked at.
type ObjectMeta struct {
	Name              string            `json:"name,omitempty"`
	Labels            map[string]string `json:"labels,omitempty"`
	Annotations       map[string]string `json:"annotations,omitempty"`
	GenerateName      Unsupported       `json:"generateName,omitzero" why:"names are not made up yet; want name"`
	Namespace         Ignored           `json:"namespace,omitzero"`
	CreationTimestamp Ignored           `json:"creationTimestamp,omitzero"`
	DeletionTimestamp Ignored           `json:"deletionTimestamp,omitzero"`
	Generation        Ignored           `json:"generation,omitzero"`
	ResourceVersion   Ignored           `json:"resourceVersion,omitzero"`
	SelfLink          Ignored           `json:"selfLink,omitzero"`
	UID               Ignored           `json:"uid,omitzero"`
	OwnerReferences   Ignored           `json:"ownerReferences,omitzero"`
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

// Container is a task's container.
type Container struct {
	Name       string    `json:"name,omitempty"`
	Image      string    `json:"image,omitempty"`
	Command    []string  `json:"command,omitempty"`
	Args       []string  `json:"args,omitempty"`
	Env        []EnvVar  `json:"env,omitempty"`
	Resources  Resources `json:"resources,omitzero"`
	WorkingDir string    `json:"workingDir,omitempty"`

	// Images are pulled when a job is deployed, whatever the policy says.
	ImagePullPolicy          Ignored     `json:"imagePullPolicy,omitzero"`
	TerminationMessagePath   Ignored     `json:"terminationMessagePath,omitzero"`
	TerminationMessagePolicy Ignored     `json:"terminationMessagePolicy,omitzero"`
	Ports                    Unsupported `json:"ports,omitzero" why:"a job serves no requests, so its container has no port"`
	VolumeMounts             Unsupported `json:"volumeMounts,omitzero" why:"volumes are not supported yet"`
	StartupProbe             Unsupported `json:"startupProbe,omitzero" why:"probes of a job's container are not supported yet"`
	LivenessProbe            Unsupported `json:"livenessProbe,omitzero" why:"probes of a job's container are not supported yet"`
	ReadinessProbe           Unsupported `json:"readinessProbe,omitzero" why:"probes of a job's container are not supported yet"`
	EnvFrom                  Unsupported `json:"envFrom,omitzero" why:"Cloud Run has no such source; want env"`
	SecurityContext          Unsupported `json:"securityContext,omitzero" why:"Cloud Run does not let a container choose it"`
}

// EnvVar is a variable of a container's environment.
type EnvVar struct {
	Name      string      `json:"name,omitempty"`
	Value     string      `json:"value,omitempty"`
	ValueFrom Unsupported `json:"valueFrom,omitzero" why:"secrets are not supported yet; want value"`
}

// Resources are a container's limits.
type Resources struct {
	Limits map[string]Quantity `json:"limits,omitempty"`
	// Requests are accepted and have no meaning: a container gets its limits.
	Requests Ignored `json:"requests,omitzero"`
}

// IsZero reports whether there is nothing to write.
func (r Resources) IsZero() bool { return len(r.Limits) == 0 }

// Quantity is an amount of something. A file may write it as a number.
type Quantity string

// Seconds is a whole number of seconds. It is written as text; a file may
// write it as a number too.
type Seconds int64

// MarshalJSON writes s as text, as the API does.
func (s Seconds) MarshalJSON() ([]byte, error) {
	return []byte(strconv.Quote(strconv.FormatInt(int64(s), 10))), nil
}

// Ignored is a field that is accepted with any value and not looked at.
type Ignored struct{}

// Unsupported is a field that exists in the API and is refused here: its tag
// says why.
type Unsupported struct{}
