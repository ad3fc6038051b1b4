package api_test

import (
	"testing"
	"time"

	"cloud.google.com/go/run/apiv2/runpb"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"

	"runnel/api"
)

// contract: JOB-1 JOB-2 JOB-4 JOB-9 CPU-1 MEM-1 LIM-8
func TestDefaultJob(t *testing.T) {
	t.Parallel()
	job := sample()
	api.DefaultJob(job)
	want := &runpb.Job{Template: &runpb.ExecutionTemplate{TaskCount: 1, Template: &runpb.TaskTemplate{
		Containers: []*runpb.Container{{
			Image:     "nginx",
			Resources: &runpb.ResourceRequirements{Limits: map[string]string{"cpu": "1000m", "memory": "512Mi"}},
		}},
		Retries:              retries(3),
		Timeout:              durationpb.New(600 * time.Second),
		ExecutionEnvironment: runpb.ExecutionEnvironment_EXECUTION_ENVIRONMENT_GEN2,
	}}}
	if !proto.Equal(job, want) {
		t.Errorf("DefaultJob = %v\nwant %v", job, want)
	}
	if err := api.ValidateJob(job); err != nil {
		t.Errorf("the defaults are refused: %v", err)
	}
	api.DefaultJob(job)
	if !proto.Equal(job, want) {
		t.Errorf("twice: %v\nwant %v", job, want)
	}
}

func TestDefaultJobKeepsWhatIsSet(t *testing.T) {
	t.Parallel()
	job := sample()
	job.Template.TaskCount, job.Template.Parallelism = 7, 2
	task(job).Retries, task(job).Timeout = retries(0), durationpb.New(time.Second)
	task(job).ExecutionEnvironment = runpb.ExecutionEnvironment_EXECUTION_ENVIRONMENT_GEN1
	setLimits(job, "cpu", "2")
	api.DefaultJob(job)
	limits := container(job).Resources.Limits
	if job.Template.TaskCount != 7 || job.Template.Parallelism != 2 || task(job).GetMaxRetries() != 0 ||
		task(job).Timeout.AsDuration() != time.Second || limits["cpu"] != "2" || limits["memory"] != "512Mi" ||
		task(job).ExecutionEnvironment != runpb.ExecutionEnvironment_EXECUTION_ENVIRONMENT_GEN1 {
		t.Errorf("DefaultJob changed what was set: %v", job)
	}
}

func TestDefaultJobOfNothing(t *testing.T) {
	t.Parallel()
	job := &runpb.Job{}
	api.DefaultJob(job)
	checkPaths(t, api.ValidateJob(job), []string{"template.template.containers"})
	checkPaths(t, api.ValidateJob(nil), []string{"template"})
}
