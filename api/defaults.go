package api

import (
	"cloud.google.com/go/run/apiv2/runpb"
	"google.golang.org/protobuf/types/known/durationpb"

	"runnel/contract"
)

// Keys of a container's limits.
const (
	limitCPU    = "cpu"
	limitMemory = "memory"
	limitGPU    = "nvidia.com/gpu"
)

// DefaultJob fills in what job leaves unset, as Cloud Run does when it stores
// one. What is set stays as it was written, whether valid or not.
// Source: run.v2 protos; "Create jobs".
func DefaultJob(job *runpb.Job) {
	if job.Template == nil {
		job.Template = &runpb.ExecutionTemplate{}
	}
	execution := job.Template
	if execution.TaskCount == 0 {
		execution.TaskCount = contract.DefaultTasks
	}
	if execution.Template == nil {
		execution.Template = &runpb.TaskTemplate{}
	}
	task := execution.Template
	if task.Retries == nil {
		task.Retries = &runpb.TaskTemplate_MaxRetries{MaxRetries: contract.DefaultRetries}
	}
	if task.Timeout == nil {
		task.Timeout = durationpb.New(contract.DefaultTaskTimeout)
	}
	if task.ExecutionEnvironment == runpb.ExecutionEnvironment_EXECUTION_ENVIRONMENT_UNSPECIFIED {
		task.ExecutionEnvironment = runpb.ExecutionEnvironment_EXECUTION_ENVIRONMENT_GEN2
	}
	for _, c := range task.Containers {
		defaultLimits(c)
	}
}

// defaultLimits fills in the limits that c leaves out.
func defaultLimits(c *runpb.Container) {
	if c.Resources == nil {
		c.Resources = &runpb.ResourceRequirements{}
	}
	if c.Resources.Limits == nil {
		c.Resources.Limits = map[string]string{}
	}
	limits := c.Resources.Limits
	if _, ok := limits[limitCPU]; !ok {
		limits[limitCPU] = contract.DefaultCPU.String()
	}
	if _, ok := limits[limitMemory]; !ok {
		limits[limitMemory] = contract.DefaultMemory.String()
	}
}
