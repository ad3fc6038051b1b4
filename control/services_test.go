package control_test

import (
	"testing"

	"cloud.google.com/go/longrunning/autogen/longrunningpb"
	"cloud.google.com/go/run/apiv2/runpb"

	"runnel/control/controltest"
)

// createService makes a service that must be accepted.
func createService(t *testing.T, w *controltest.World, id string, s *runpb.Service) (*runpb.Service, *longrunningpb.Operation) {
	t.Helper()
	got, op, err := w.Control.CreateService(t.Context(), &runpb.CreateServiceRequest{Parent: parent, ServiceId: id, Service: s})
	if err != nil {
		t.Fatalf("create %s: %v", id, err)
	}
	return got, op
}

// updateService changes a service, which must be accepted, and returns it once
// the operation is done.
func updateService(t *testing.T, w *controltest.World, s *runpb.Service, mask ...string) (*runpb.Service, *longrunningpb.Operation) {
	t.Helper()
	op := beginUpdate(t, w, s, mask...)
	op = w.WaitFor(op.GetName())
	return getService(t, w, s.GetName()), op
}

// getService reads a service, which must exist.
func getService(t *testing.T, w *controltest.World, name string) *runpb.Service {
	t.Helper()
	s, err := w.Control.Service(t.Context(), name)
	if err != nil {
		t.Fatalf("get %s: %v", name, err)
	}
	return s
}

// contract: TR-1 REV-3 REV-8
func TestServiceGetsReady(t *testing.T) {
	t.Parallel()
	w := controltest.New(t)
	s, op := createService(t, w, "hello", controltest.NewService())
	if !s.GetReconciling() || s.GetGeneration() != 1 || s.GetUid() == "" || op.GetDone() {
		t.Errorf("at first: %v", s)
	}
	got := response[*runpb.Service](t, w.WaitFor(op.GetName()))
	t.Log(got, w.Fleet.Events())
	if got.GetTerminalCondition().GetState() != runpb.Condition_CONDITION_SUCCEEDED || got.GetReconciling() || got.GetObservedGeneration() != 1 {
		t.Errorf("in the end: %v", got)
	}
	if got.GetLatestReadyRevision() == "" || got.GetLatestReadyRevision() != got.GetLatestCreatedRevision() {
		t.Errorf("revisions: %v", got)
	}
	r, err := w.Control.Revision(t.Context(), got.GetLatestReadyRevision())
	t.Log(r, err)
}
