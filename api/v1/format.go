package v1

import (
	"maps"

	"cloud.google.com/go/run/apiv2/runpb"
)

// FormatJob is job in v1. What ParseJob reads of it is the job again, without
// what only a server sets; what v1 has no place for, which is nothing that
// api.ValidateJob lets pass, is left out. Fractions of a second of its timeout
// are rounded up.
func FormatJob(job *runpb.Job, o Options) *Job {
	t := job.GetTemplate()
	labels, annotations := restored(t.GetLabels(), t.GetAnnotations())
	maps.Copy(annotations, taskAnnotations(t.GetTemplate()))
	out := &Job{
		APIVersion: APIVersion, Kind: KindJob,
		Metadata: o.objectMeta(job, pluralJobs, o.jobAnnotations(job), jobLabels(job)),
		Spec: JobSpec{
			StartExecutionToken: job.GetStartExecutionToken(),
			RunExecutionToken:   job.GetRunExecutionToken(),
			Template: &ExecutionTemplate{
				Metadata: TemplateMeta{Labels: labels, Annotations: annotations},
				Spec: &ExecutionSpec{
					Parallelism: nonZero(t.GetParallelism()), TaskCount: nonZero(t.GetTaskCount()),
					Template: &TaskTemplate{Spec: taskSpec(t.GetTemplate())},
				},
			},
		},
	}
	if !o.Export && job.GetUid() != "" {
		out.Status = jobStatus(job)
	}
	return out
}

// jobLabels are the labels that a server gives a job.
func jobLabels(job *runpb.Job) texts {
	labels := texts{}
	if t := job.GetUpdateTime(); t != nil {
		labels[lastUpdatedKey] = labelTime(t.AsTime())
	}
	return labels
}

func jobStatus(job *runpb.Job) *JobStatus {
	s := &JobStatus{
		ObservedGeneration: job.GetObservedGeneration(),
		ExecutionCount:     job.GetExecutionCount(),
	}
	all := append([]*runpb.Condition{job.GetTerminalCondition()}, job.GetConditions()...)
	s.Conditions = conditions(all, job.GetDeleteTime() != nil)
	if x := job.GetLatestCreatedExecution(); x != nil {
		s.LatestCreatedExecution = &ExecutionReference{
			Name:                shortName(x.GetName()),
			CreationTimestamp:   timestamp(x.GetCreateTime()),
			CompletionTimestamp: timestamp(x.GetCompletionTime()),
			DeletionTimestamp:   timestamp(x.GetDeleteTime()),
		}
		if status := x.GetCompletionStatus(); status != 0 {
			s.LatestCreatedExecution.CompletionStatus = status.String()
		}
	}
	return s
}

// taskSpec is what t says in v1, but for what v1 says in annotations.
func taskSpec(t *runpb.TaskTemplate) *TaskSpec {
	s := &TaskSpec{ServiceAccountName: t.GetServiceAccount()}
	if t.GetRetries() != nil {
		retries := t.GetMaxRetries()
		s.MaxRetries = &retries
	}
	if t.GetTimeout() != nil {
		timeout := seconds(t.GetTimeout())
		s.TimeoutSeconds = &timeout
	}
	if a := t.GetNodeSelector().GetAccelerator(); a != "" {
		s.NodeSelector = map[string]string{acceleratorKey: a}
	}
	for _, c := range t.GetContainers() {
		s.Containers = append(s.Containers, container(c))
	}
	return s
}

func container(c *runpb.Container) Container {
	out := Container{
		Name: c.GetName(), Image: c.GetImage(), Command: c.GetCommand(), Args: c.GetArgs(), WorkingDir: c.GetWorkingDir(),
	}
	for _, e := range c.GetEnv() {
		out.Env = append(out.Env, EnvVar{Name: e.GetName(), Value: e.GetValue()})
	}
	for k, v := range c.GetResources().GetLimits() {
		if out.Resources.Limits == nil {
			out.Resources.Limits = map[string]Quantity{}
		}
		out.Resources.Limits[k] = Quantity(v)
	}
	return out
}

// nonZero is n where v1 writes it: 0 and nothing are the same in v2.
func nonZero(n int32) *int32 {
	if n == 0 {
		return nil
	}
	return &n
}
