package controltest

import (
	"cloud.google.com/go/run/apiv2/runpb"
)

// WorkerPool creates a worker pool called id in Parent from NewWorkerPool, waits
// until it is ready and returns its full name.
func (w *World) WorkerPool(id string) string {
	w.t.Helper()
	p, op, err := w.Control.CreateWorkerPool(w.t.Context(), &runpb.CreateWorkerPoolRequest{Parent: Parent, WorkerPoolId: id, WorkerPool: NewWorkerPool()})
	if err != nil {
		w.t.Fatalf("create worker pool %s: %v", id, err)
	}
	if done := w.WaitFor(op.GetName()); done.GetError() != nil {
		w.t.Fatalf("create worker pool %s: %v", id, done.GetError())
	}
	return p.GetName()
}

// NewWorkerPool is what a client sends to create a worker pool.
func NewWorkerPool() *runpb.WorkerPool {
	return &runpb.WorkerPool{Template: &runpb.WorkerPoolRevisionTemplate{
		Containers: []*runpb.Container{{Image: Image}},
	}}
}
