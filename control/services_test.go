package control_test

import (
	"regexp"
	"strings"
	"testing"

	"cloud.google.com/go/longrunning/autogen/longrunningpb"
	"cloud.google.com/go/run/apiv2/runpb"
	"google.golang.org/grpc/codes"

	"runnel/control"
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

// getRevision reads a revision, which must exist.
func getRevision(t *testing.T, w *controltest.World, name string) *runpb.Revision {
	t.Helper()
	r, err := w.Control.Revision(t.Context(), name)
	if err != nil {
		t.Fatalf("get %s: %v", name, err)
	}
	return r
}

const succeeded = runpb.Condition_CONDITION_SUCCEEDED

// contract: TR-1 REV-3 REV-8 URL-1 ENV-5
func TestServiceGetsReady(t *testing.T) {
	t.Parallel()
	w := controltest.New(t)
	s, op := createService(t, w, "hello", controltest.NewService())
	if !s.GetReconciling() || s.GetGeneration() != 1 || s.GetUid() == "" || op.GetDone() || s.GetObservedGeneration() != 0 {
		t.Errorf("at first: %v", s)
	}
	got := response[*runpb.Service](t, w.WaitFor(op.GetName()))
	if got.GetTerminalCondition().GetState() != succeeded || got.GetReconciling() || got.GetObservedGeneration() != 1 || got.GetGeneration() != 1 {
		t.Errorf("in the end: %v", got)
	}
	for _, kind := range []string{"RoutesReady", "ConfigurationsReady"} {
		if condition(got.GetConditions(), kind).GetState() != succeeded {
			t.Errorf("%s: %v", kind, got.GetConditions())
		}
	}
	if got.GetUri() != "http://hello.run.localhost" || got.GetUrls()[0] != "http://hello-123456789012.us-central1.run.localhost" {
		t.Errorf("it is at %q, %q", got.GetUri(), got.GetUrls())
	}
	status := got.GetTrafficStatuses()
	if len(status) != 1 || status[0].GetPercent() != 100 || status[0].GetType() != runpb.TrafficTargetAllocationType_TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST {
		t.Errorf("traffic: %v", status)
	}
	r := getRevision(t, w, got.GetLatestReadyRevision())
	if got.GetLatestReadyRevision() != got.GetLatestCreatedRevision() || !regexp.MustCompile(`/hello-00001-[a-z]{3}$`).MatchString(r.GetName()) {
		t.Errorf("revisions: %v", got)
	}
	for _, kind := range []string{"Ready", "ResourcesAvailable", "ContainerReady", "ContainerHealthy", "Active"} {
		if condition(r.GetConditions(), kind).GetState() != succeeded {
			t.Errorf("%s: %v", kind, r.GetConditions())
		}
	}
	if w.Fleet.Split(got.GetName()) != shortName(r.GetName())+"=100" || r.GetService() != "hello" || r.GetObservedGeneration() != 1 {
		t.Errorf("served is %s, revision %v", w.Fleet.Split(got.GetName()), r)
	}
}

// contract: REV-1 REV-8
func TestOnlyTheTemplateMakesRevisions(t *testing.T) {
	t.Parallel()
	w := controltest.New(t)
	name := w.Service("hello")
	for i, row := range []struct {
		what      string
		change    func(*runpb.Service)
		revisions int
	}{
		{"nothing", func(*runpb.Service) {}, 1},
		{"labels", func(s *runpb.Service) { s.Labels = map[string]string{"a": "b"} }, 1},
		{"scaling", func(s *runpb.Service) { s.Scaling = &runpb.ServiceScaling{MinInstanceCount: 1} }, 1},
		{"traffic", func(s *runpb.Service) { s.Traffic[0].Tag = "blue" }, 1},
		{"ingress", func(s *runpb.Service) { s.Ingress = runpb.IngressTraffic_INGRESS_TRAFFIC_INTERNAL_ONLY }, 1},
		{"environment", func(s *runpb.Service) {
			s.Template.Containers[0].Env = []*runpb.EnvVar{{Name: "A", Values: &runpb.EnvVar_Value{Value: "1"}}}
		}, 2},
		{"template's labels", func(s *runpb.Service) { s.Template.Labels = map[string]string{"a": "b"} }, 3},
		{"template's scaling", func(s *runpb.Service) { s.Template.Scaling.MinInstanceCount = 1 }, 4},
	} {
		s := getService(t, w, name)
		before := s.GetGeneration()
		row.change(s)
		got, op := updateService(t, w, s)
		if op.GetError() != nil || len(revisions(t, w, name)) != row.revisions {
			t.Errorf("%s: %d revisions, want %d; %v", row.what, len(revisions(t, w, name)), row.revisions, op.GetError())
		}
		want := before + 1
		if i == 0 {
			want = before
		}
		if got.GetGeneration() != want || got.GetObservedGeneration() != want {
			t.Errorf("%s: generation %d and %d observed, want %d", row.what, got.GetGeneration(), got.GetObservedGeneration(), want)
		}
	}
	if n := shortName(getService(t, w, name).GetLatestReadyRevision()); !strings.HasPrefix(n, "hello-00008-") {
		t.Errorf("the last one is %s, of the 8th generation", n)
	}
}

// contract: ENV-5
func TestNamedRevisions(t *testing.T) {
	t.Parallel()
	w := controltest.New(t)
	spec := controltest.NewService()
	spec.Template.Revision = "hello-v1"
	s, op := createService(t, w, "hello", spec)
	w.WaitFor(op.GetName())
	s = getService(t, w, s.GetName())
	if shortName(s.GetLatestReadyRevision()) != "hello-v1" || s.GetTemplate().GetRevision() != "hello-v1" {
		t.Errorf("got %v", s)
	}
	s.Template.Containers[0].Args = []string{"x"}
	_, _, err := w.Control.UpdateService(t.Context(), &runpb.UpdateServiceRequest{Service: s})
	fails(t, err, codes.AlreadyExists, "Revision named 'hello-v1' with different configuration already exists.")
	s.Template.Revision = "hello-v2"
	s, _ = updateService(t, w, s)
	if shortName(s.GetLatestReadyRevision()) != "hello-v2" {
		t.Errorf("got %v", s)
	}
	// A change of something else than the name is not a change of that revision.
	s.Template.Containers[0].Args = []string{"y"}
	s, _ = updateService(t, w, s, "template.containers")
	if !strings.HasPrefix(shortName(s.GetLatestReadyRevision()), "hello-00003-") || s.GetTemplate().GetRevision() != "" {
		t.Errorf("got %v", s)
	}
	s, _, err = w.Control.UpdateService(control.WithNewRevision(t.Context()), &runpb.UpdateServiceRequest{Service: s})
	if err != nil || !strings.HasPrefix(shortName(s.GetLatestCreatedRevision()), "hello-00004-") {
		t.Errorf("a new one without a change: %v, %v", s, err)
	}
}

// contract: REV-7 IMG-13
func TestServiceRequestsThatAreRefused(t *testing.T) {
	t.Parallel()
	w := controltest.New(t)
	name := w.Service("hello")
	ctx := t.Context()
	_, _, err := w.Control.CreateService(ctx, &runpb.CreateServiceRequest{Parent: parent, ServiceId: "hello", Service: controltest.NewService()})
	fails(t, err, codes.AlreadyExists, "'hello'")
	_, _, err = w.Control.CreateService(ctx, &runpb.CreateServiceRequest{Parent: parent, ServiceId: strings.Repeat("a", 50), Service: controltest.NewService()})
	fails(t, err, codes.InvalidArgument, "violation in CreateServiceRequest.serviceId")
	_, _, err = w.Control.UpdateService(ctx, &runpb.UpdateServiceRequest{Service: &runpb.Service{Name: parent + "/services/other", Template: controltest.NewService().GetTemplate()}})
	fails(t, err, codes.NotFound, "Resource 'other' of kind 'SERVICE'")
	s := getService(t, w, name)
	stale := s.GetEtag()
	s.Description = "new"
	s, _ = updateService(t, w, s)
	s.Etag = stale
	_, _, err = w.Control.UpdateService(ctx, &runpb.UpdateServiceRequest{Service: s})
	fails(t, err, codes.Aborted, "Conflict for resource 'hello'")
	_, _, err = w.Control.DeleteService(ctx, &runpb.DeleteServiceRequest{Name: name, Etag: stale})
	fails(t, err, codes.Aborted, "Conflict")
	s.Etag, s.Traffic = "", []*runpb.TrafficTarget{{Revision: "hello-none", Percent: 100}}
	_, _, err = w.Control.UpdateService(ctx, &runpb.UpdateServiceRequest{Service: s})
	violates(t, err, "service.traffic[0].revision")
	s.Traffic, s.Template.Containers[0].Image = nil, "UPPER//case"
	_, _, err = w.Control.UpdateService(ctx, &runpb.UpdateServiceRequest{Service: s})
	fails(t, err, codes.InvalidArgument, "service.template.containers[0].image")
	_, err = w.Control.Revision(ctx, name+"/revisions/none")
	fails(t, err, codes.NotFound, "Resource 'none' of kind 'REVISION'")
}

// contract: REV-7
func TestServiceThatIsOnlyValidated(t *testing.T) {
	t.Parallel()
	w := controltest.New(t)
	s, op, err := w.Control.CreateService(t.Context(), &runpb.CreateServiceRequest{Parent: parent, ServiceId: "hello", Service: controltest.NewService(), ValidateOnly: true})
	if err != nil || !op.GetDone() || s.GetTemplate().GetTimeout().GetSeconds() != 300 {
		t.Errorf("got %v, %v, %v", s, op, err)
	}
	if _, err = w.Control.Service(t.Context(), parent+"/services/hello"); err == nil {
		t.Error("it was created")
	}
	s, op, err = w.Control.UpdateService(t.Context(), &runpb.UpdateServiceRequest{
		Service: &runpb.Service{Name: parent + "/services/hello", Template: controltest.NewService().GetTemplate()}, AllowMissing: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	if w.WaitFor(op.GetName()); getService(t, w, "projects/local/locations/-/services/hello").GetUid() != s.GetUid() {
		t.Errorf("allow_missing: %v", s)
	}
	got, op, err := w.Control.DeleteService(t.Context(), &runpb.DeleteServiceRequest{Name: s.GetName(), ValidateOnly: true})
	if err != nil || !op.GetDone() || getService(t, w, got.GetName()).GetDeleteTime() != nil {
		t.Errorf("delete: %v, %v, %v", got, op, err)
	}
}

func TestServicesArePaged(t *testing.T) {
	t.Parallel()
	w := controltest.New(t)
	for _, id := range []string{"a", "b", "c"} {
		w.Service(id)
	}
	var got []string
	for token := ""; ; {
		all, next, err := w.Control.Services(t.Context(), control.Query[*runpb.Service]{Parent: parent, PageSize: 1, PageToken: token})
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range all {
			got = append(got, shortName(s.GetName()))
		}
		if token = next; token == "" {
			break
		}
	}
	if strings.Join(got, "") != "cba" {
		t.Errorf("got %v", got)
	}
}
