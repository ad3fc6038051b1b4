package controltest

import (
	"cloud.google.com/go/run/apiv2/runpb"
)

// Service creates a service called id in Parent from NewService, waits until it
// is ready and returns its full name.
func (w *World) Service(id string) string {
	w.t.Helper()
	s, op, err := w.Control.CreateService(w.t.Context(), &runpb.CreateServiceRequest{Parent: Parent, ServiceId: id, Service: NewService()})
	if err != nil {
		w.t.Fatalf("create service %s: %v", id, err)
	}
	if done := w.WaitFor(op.GetName()); done.GetError() != nil {
		w.t.Fatalf("create service %s: %v", id, done.GetError())
	}
	return s.GetName()
}

// NewService is what a client sends to create a service.
func NewService() *runpb.Service {
	return &runpb.Service{Template: &runpb.RevisionTemplate{
		Containers: []*runpb.Container{{Image: Image}},
	}}
}
