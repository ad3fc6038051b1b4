package wire_test

import (
	"strings"
	"testing"

	"cloud.google.com/go/run/apiv2/runpb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"runnel/api/rest"
	"runnel/api/wire"
	"runnel/control/controltest"
)

// A message of some bytes for each value must not become a request that takes a
// thousand times as much.
func TestHowManyValuesAMessageHoldsIsBounded(t *testing.T) {
	t.Parallel()
	s := start(t, wire.Config{Control: controltest.New(t).Control})
	jobs := runpb.NewJobsClient(dial(t, s.addr))
	request := func(n int) *runpb.CreateJobRequest {
		task := &runpb.TaskTemplate{}
		for range n {
			task.Containers = append(task.Containers, &runpb.Container{})
		}
		return &runpb.CreateJobRequest{Parent: "projects/p/locations/r", JobId: "j", ValidateOnly: true, Job: &runpb.Job{Template: &runpb.ExecutionTemplate{Template: task}}}
	}
	if _, err := jobs.CreateJob(t.Context(), request(rest.MaxValues)); status.Code(err) != codes.Internal || !strings.Contains(err.Error(), "values") {
		t.Errorf("too many: %.300v", err)
	}
	if _, err := jobs.CreateJob(t.Context(), request(rest.MaxValues-10)); status.Code(err) != codes.InvalidArgument {
		t.Errorf("many: %.300v", err)
	}
	labels := map[string]string{}
	for _, c := range "abcdefghij" {
		labels[string(c)] = strings.Repeat("{", 1000)
	}
	if _, err := jobs.CreateJob(t.Context(), &runpb.CreateJobRequest{JobId: "j", Job: &runpb.Job{Labels: labels}}); status.Code(err) != codes.InvalidArgument {
		t.Errorf("long texts: %.300v", err)
	}
}
