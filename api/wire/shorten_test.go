package wire_test

import (
	"fmt"
	"strings"
	"testing"

	"cloud.google.com/go/run/apiv2/runpb"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"runnel/api/wire"
	"runnel/control/controltest"
)

// gRPC carries errors in headers, of which clients of some languages take no
// more than 8 KiB.
func TestErrorsFitIntoTheHeadersThatClientsTake(t *testing.T) {
	t.Parallel()
	s := start(t, wire.Config{Control: controltest.New(t).Control})
	jobs := runpb.NewJobsClient(dial(t, s.addr, grpc.WithMaxHeaderListSize(8<<10)))
	many := newJob()
	many.Labels = map[string]string{}
	for i := range 1000 {
		many.Labels[fmt.Sprint("Wrong", i)] = strings.Repeat("ä", 20)
	}
	long := newJob()
	long.Labels = map[string]string{strings.Repeat("X", 100<<10): ""}
	for name, job := range map[string]*runpb.Job{"many": many, "long": long} {
		_, err := jobs.CreateJob(t.Context(), &runpb.CreateJobRequest{Parent: controltest.Parent, JobId: "j", Job: job})
		st := status.Convert(err)
		if st.Code() != codes.InvalidArgument || len(st.Details()) != 1 {
			t.Fatalf("%s: %.300v", name, err)
		}
		if bad, ok := st.Details()[0].(*errdetails.BadRequest); !ok || !strings.HasPrefix(bad.GetFieldViolations()[0].GetField(), "job.labels") {
			t.Errorf("%s: %.300v", name, st.Details())
		}
	}
}
