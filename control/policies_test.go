package control_test

import (
	"encoding/base64"
	"strings"
	"testing"

	"cloud.google.com/go/iam/apiv1/iampb"
	"cloud.google.com/go/run/apiv2/runpb"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	"runnel/control/controltest"
)

func TestPolicies(t *testing.T) {
	t.Parallel()
	w := controltest.New(t)
	name := w.Job("hello", 1)
	p, err := w.Control.Policy(t.Context(), name)
	if err != nil || base64.StdEncoding.EncodeToString(p.GetEtag()) != "ACAB" || len(p.GetBindings()) != 0 {
		t.Fatalf("never written: %v, %v", p, err)
	}
	p.Bindings = []*iampb.Binding{{Role: "roles/run.invoker", Members: []string{"allUsers"}}}
	first, err := w.Control.SetPolicy(t.Context(), name, p, nil)
	if err != nil || !strings.HasPrefix(base64.StdEncoding.EncodeToString(first.GetEtag()), "Bw") || first.GetVersion() != 1 {
		t.Fatalf("written: %v, %v", first, err)
	}
	_, err = w.Control.SetPolicy(t.Context(), name, p, nil)
	fails(t, err, codes.Aborted, "Conflict")
	w.Restart()
	second, err := w.Control.SetPolicy(t.Context(), name, &iampb.Policy{Etag: first.GetEtag()}, &fieldmaskpb.FieldMask{Paths: []string{"etag"}})
	if err != nil || len(second.GetBindings()) != 1 || string(second.GetEtag()) == string(first.GetEtag()) {
		t.Errorf("only the etag: %v, %v", second, err)
	}
	_, err = w.Control.SetPolicy(t.Context(), name, &iampb.Policy{Bindings: []*iampb.Binding{{}}}, nil)
	violates(t, err, "policy.bindings.role")
	_, err = w.Control.SetPolicy(t.Context(), name, &iampb.Policy{Bindings: []*iampb.Binding{{Role: "invoker", Members: []string{"allUsers"}}}}, nil)
	violates(t, err, "policy.bindings.role")
	_, err = w.Control.Policy(t.Context(), parent+"/jobs/none")
	fails(t, err, codes.NotFound, "'none'")
	_, op, err := w.Control.DeleteJob(t.Context(), &runpb.DeleteJobRequest{Name: name})
	if err != nil {
		t.Fatal(err)
	}
	w.WaitFor(op.GetName())
	w.Job("hello", 1)
	if p, err = w.Control.Policy(t.Context(), name); err != nil || len(p.GetBindings()) != 0 {
		t.Errorf("a new job has the old one's policy: %v, %v", p, err)
	}
}

func TestPermissionsAreAllGranted(t *testing.T) {
	t.Parallel()
	w := controltest.New(t)
	name := w.Job("hello", 1)
	got, err := w.Control.TestPermissions(t.Context(), name, []string{"run.jobs.run", "run.jobs.get"})
	if err != nil || len(got) != 2 {
		t.Errorf("got %v, %v", got, err)
	}
	_, err = w.Control.TestPermissions(t.Context(), name, []string{"run.*"})
	violates(t, err, "permissions")
}

func TestLocationsAreTheDefaultAndThoseInUse(t *testing.T) {
	t.Parallel()
	w := controltest.New(t)
	_, _, err := w.Control.CreateJob(t.Context(), &runpb.CreateJobRequest{Parent: "projects/mine/locations/europe-west1", JobId: "hello", Job: controltest.NewJob(1)})
	if err != nil {
		t.Fatal(err)
	}
	number := w.Control.ProjectNumber("mine")
	if w.Control.ProjectID(number) != "mine" || w.Control.ProjectNumber("local") != controltest.ProjectNumber || len(number) != 12 {
		t.Errorf("the number of a project: %s", number)
	}
	got, err := w.Control.Locations(t.Context(), "projects/"+number)
	if err != nil || len(got) != 2 || got[0].GetName() != "projects/mine/locations/europe-west1" || got[1].GetLocationId() != "us-central1" {
		t.Errorf("got %v, %v", got, err)
	}
}
