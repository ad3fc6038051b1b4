package v1

import (
	"errors"

	"cloud.google.com/go/run/apiv2/runpb"
	"google.golang.org/protobuf/types/known/durationpb"

	"runnel/api"
	"runnel/contract"
)

// resource converts j to the common vocabulary. It checks only what gets lost
// on the way: there, 0 and nothing are the same in several fields.
func (j *Job) resource() (*runpb.Job, error) {
	errs := j.Metadata.checkName("job")
	job := &runpb.Job{
		Name:        j.Metadata.Name,
		Labels:      j.Metadata.Labels,
		Annotations: j.Metadata.Annotations,
	}
	switch start, run := j.Spec.StartExecutionToken, j.Spec.RunExecutionToken; {
	case start != "" && run != "":
		errs = append(errs, api.FieldError{Path: "spec.runExecutionToken", Message: "cannot be set together with startExecutionToken: want one of them"})
	case start != "":
		job.CreateExecution = &runpb.Job_StartExecutionToken{StartExecutionToken: start}
	case run != "":
		job.CreateExecution = &runpb.Job_RunExecutionToken{RunExecutionToken: run}
	}
	if t := j.Spec.Template; t != nil {
		job.Template = &runpb.ExecutionTemplate{Labels: t.Metadata.Labels, Annotations: t.Metadata.Annotations}
		if t.Spec != nil {
			errs = append(errs, t.Spec.resource(job.Template)...)
		}
	}
	errs = append(errs, liftAnnotations(job)...)
	job.Labels, job.Annotations = carried(job.Labels, job.Annotations)
	if t := job.Template; t != nil {
		t.Labels, t.Annotations = carried(t.Labels, t.Annotations)
	}
	return job, errs.Err()
}

// resource fills in the rest of t.
func (s *ExecutionSpec) resource(t *runpb.ExecutionTemplate) (errs api.FieldErrors) {
	if s.Parallelism != nil {
		t.Parallelism = *s.Parallelism
	}
	if s.TaskCount != nil {
		t.TaskCount = *s.TaskCount
		if err := contract.CheckTasks(int64(t.TaskCount)); err != nil {
			errs = append(errs, api.FieldError{Path: "spec.template.spec.taskCount", Message: err.Error()})
		}
	}
	if s.Template == nil || s.Template.Spec == nil {
		return errs
	}
	task := s.Template.Spec
	t.Template = &runpb.TaskTemplate{ServiceAccount: task.ServiceAccountName}
	if task.MaxRetries != nil {
		t.Template.Retries = &runpb.TaskTemplate_MaxRetries{MaxRetries: *task.MaxRetries}
	}
	if task.TimeoutSeconds != nil {
		// Seconds are copied, not multiplied: any number fits.
		t.Template.Timeout = &durationpb.Duration{Seconds: int64(*task.TimeoutSeconds)}
	}
	for k, v := range task.NodeSelector {
		if k != acceleratorKey {
			errs = append(errs, api.FieldError{Path: taskPath + ".nodeSelector[\"" + k + "\"]", Message: "is not a selector of Cloud Run: want " + acceleratorKey})
			continue
		}
		t.Template.NodeSelector = &runpb.NodeSelector{Accelerator: v}
	}
	for _, c := range task.Containers {
		t.Template.Containers = append(t.Template.Containers, c.resource())
	}
	return errs
}

func (c *Container) resource() *runpb.Container {
	return &runpb.Container{
		Name: c.Name, Image: c.Image, Command: c.Command, Args: c.Args, WorkingDir: c.WorkingDir,
		Env: environment(c.Env), Resources: c.Resources.resource(),
	}
}

func environment(env []EnvVar) (out []*runpb.EnvVar) {
	for _, e := range env {
		out = append(out, &runpb.EnvVar{Name: e.Name, Values: &runpb.EnvVar_Value{Value: e.Value}})
	}
	return out
}

// withPaths is what a validation has found, with the paths of v1.
func withPaths(err error, path func(string) string) error {
	var fields api.FieldErrors
	if errors.As(err, &fields) {
		return fields.WithPaths(path)
	}
	return err
}

// seconds is d in whole seconds, rounded up: an attempt is never given less
// than it was promised.
func seconds(d *durationpb.Duration) Seconds {
	whole := d.GetSeconds()
	if d.GetNanos() > 0 {
		whole++
	}
	return Seconds(whole)
}
