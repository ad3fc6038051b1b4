package control_test

import (
	"strings"
	"testing"

	"cloud.google.com/go/longrunning/autogen/longrunningpb"
	"cloud.google.com/go/run/apiv2/runpb"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	"runnel/control"
	"runnel/control/controltest"
)

const parent = controltest.Parent

// fails checks the code of an error and that its message holds some text.
func fails(t *testing.T, err error, code codes.Code, text string) {
	t.Helper()
	if status.Code(err) != code || !strings.Contains(status.Convert(err).Message(), text) {
		t.Errorf("got %v; want %v with %q", err, code, text)
	}
}

// violates checks that err says that a field is wrong, in its details and in
// its message.
func violates(t *testing.T, err error, field string) {
	t.Helper()
	fails(t, err, codes.InvalidArgument, field)
	for _, d := range status.Convert(err).Details() {
		if bad, ok := d.(*errdetails.BadRequest); ok {
			for _, v := range bad.GetFieldViolations() {
				if v.GetField() == field {
					return
				}
			}
		}
	}
	t.Errorf("no violation of %s in the details of %v", field, err)
}

// create makes a job that must be accepted.
func create(t *testing.T, w *controltest.World, id string, job *runpb.Job) (*runpb.Job, *longrunningpb.Operation) {
	t.Helper()
	got, op, err := w.Control.CreateJob(t.Context(), &runpb.CreateJobRequest{Parent: parent, JobId: id, Job: job})
	if err != nil {
		t.Fatalf("create %s: %v", id, err)
	}
	return got, op
}

func getJob(t *testing.T, w *controltest.World, name string) *runpb.Job {
	t.Helper()
	job, err := w.Control.Job(t.Context(), name)
	if err != nil {
		t.Fatalf("get %s: %v", name, err)
	}
	return job
}

func tasks(t *testing.T, w *controltest.World, execution string) []*runpb.Task {
	t.Helper()
	all, _, err := w.Control.Tasks(t.Context(), control.Query[*runpb.Task]{Parent: execution, PageSize: 1000})
	if err != nil {
		t.Fatalf("tasks of %s: %v", execution, err)
	}
	return all
}

// completed is the condition that says how an execution ended.
func completed(x *runpb.Execution) *runpb.Condition {
	for _, c := range x.GetConditions() {
		if c.GetType() == "Completed" {
			return c
		}
	}
	return nil
}

// response unpacks what an operation that succeeded has come to.
func response[M interface {
	*runpb.Job | *runpb.Execution | *runpb.Service | *runpb.WorkerPool | *runpb.Revision
}](t *testing.T, op *longrunningpb.Operation) M {
	t.Helper()
	m, err := op.GetResponse().UnmarshalNew()
	if err != nil {
		t.Fatalf("response of %v: %v", op, err)
	}
	return m.(any).(M)
}

// beginUpdate asks for a change of a service, which must be accepted.
func beginUpdate(t *testing.T, w *controltest.World, s *runpb.Service, mask ...string) *longrunningpb.Operation {
	t.Helper()
	r := &runpb.UpdateServiceRequest{Service: s}
	if len(mask) > 0 {
		r.UpdateMask = &fieldmaskpb.FieldMask{Paths: mask}
	}
	_, op, err := w.Control.UpdateService(t.Context(), r)
	if err != nil {
		t.Fatalf("update %s: %v", s.GetName(), err)
	}
	return op
}
