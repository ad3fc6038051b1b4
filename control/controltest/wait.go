package controltest

import (
	"context"
	"time"

	"cloud.google.com/go/longrunning/autogen/longrunningpb"
	"cloud.google.com/go/run/apiv2/runpb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// WaitFor returns the operation once it is done.
func (w *World) WaitFor(operation string) *longrunningpb.Operation {
	w.t.Helper()
	op, err := w.Control.WaitOperation(context.Background(), operation, patience)
	if err != nil {
		w.t.Fatalf("wait for %s: %v", operation, err)
	}
	if !op.GetDone() {
		w.t.Fatalf("%s is not done: %v", operation, op)
	}
	return op
}

// Run begins an execution of the job with the full name.
func (w *World) Run(job string) (*runpb.Execution, *longrunningpb.Operation) {
	w.t.Helper()
	x, op, err := w.Control.RunJob(w.t.Context(), &runpb.RunJobRequest{Name: job})
	if err != nil {
		w.t.Fatalf("run %s: %v", job, err)
	}
	return x, op
}

// Execution returns the execution with the full name once it is as ok wants it.
func (w *World) Execution(name string, ok func(*runpb.Execution) bool) *runpb.Execution {
	w.t.Helper()
	var x *runpb.Execution
	w.Eventually("execution "+name, func() bool {
		var err error
		if x, err = w.Control.Execution(w.t.Context(), name); err != nil {
			w.t.Fatalf("get %s: %v", name, err)
		}
		return ok(x)
	})
	return x
}

// Ended returns the execution with the full name once it has ended.
func (w *World) Ended(name string) *runpb.Execution {
	w.t.Helper()
	return w.Execution(name, func(x *runpb.Execution) bool { return x.GetCompletionTime() != nil })
}

// Gone returns when there is no execution with the full name any more.
func (w *World) Gone(name string) {
	w.t.Helper()
	w.Eventually("the end of "+name, func() bool {
		_, err := w.Control.Execution(w.t.Context(), name)
		return status.Code(err) == codes.NotFound
	})
}

// Eventually returns when ok does, and ends the test if it does not soon.
func (w *World) Eventually(what string, ok func() bool) {
	w.t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(patience); !ok(); <-tick.C {
		if time.Now().After(deadline) {
			w.t.Fatalf("waited in vain for %s", what)
		}
	}
}
