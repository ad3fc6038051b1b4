package control_test

import (
	"testing"

	"cloud.google.com/go/iam/apiv1/iampb"
	"cloud.google.com/go/run/apiv2/runpb"

	"runnel/control/controltest"
)

// public is a policy by which everybody may call a service.
func public() *iampb.Policy {
	return &iampb.Policy{Bindings: []*iampb.Binding{{Role: "roles/run.invoker", Members: []string{"allUsers"}}}}
}

// contract: AUTH-3 AUTH-4
func TestPolicyOfAServiceSaysWhoMayCall(t *testing.T) {
	t.Parallel()
	w := controltest.New(t)
	name := w.Service("hello")
	served, _ := w.Fleet.Service(name)
	if served.Public || served.Allows("a@example.com") {
		t.Errorf("a new service is not private: %v", served)
	}
	set := func(p *iampb.Policy) {
		t.Helper()
		if _, err := w.Control.SetPolicy(t.Context(), name, p, nil); err != nil {
			t.Fatal(err)
		}
		// It is in force at once.
		served, _ = w.Fleet.Service(name)
	}
	set(public())
	if !served.Public {
		t.Error("allUsers may not call")
	}
	bind := func(role string, members ...string) *iampb.Policy {
		return &iampb.Policy{Bindings: []*iampb.Binding{{Role: role, Members: members}}}
	}
	for _, row := range []struct {
		role, member, caller string
		want                 bool
	}{
		{"roles/run.invoker", "serviceAccount:a@p.iam.gserviceaccount.com", "a@p.iam.gserviceaccount.com", true},
		{"roles/run.invoker", "serviceAccount:A@p.iam.gserviceaccount.com", "a@P.iam.gserviceaccount.com", true},
		{"roles/run.invoker", "serviceAccount:a@p.iam.gserviceaccount.com", "b@p.iam.gserviceaccount.com", false},
		{"roles/run.invoker", "user:me@example.com", "me@example.com", true},
		{"roles/run.admin", "user:me@example.com", "me@example.com", true},
		{"roles/run.viewer", "user:me@example.com", "me@example.com", false},
		{"roles/run.invoker", "group:me@example.com", "me@example.com", false},
		{"roles/run.invoker", "domain:example.com", "me@example.com", true},
		{"roles/run.invoker", "domain:example.com", "me@notexample.com", false},
		{"roles/run.invoker", "allAuthenticatedUsers", "who@ever.com", true},
	} {
		set(bind(row.role, row.member))
		if served.Public || served.Allows(row.caller) != row.want {
			t.Errorf("%s for %s: public %v, %s allowed %v", row.role, row.member, served.Public, row.caller, served.Allows(row.caller))
		}
	}
	w.Restart()
	if served, _ = w.Fleet.Service(name); served.Public || !served.Allows("who@ever.com") {
		t.Error("the policy is forgotten by a restart")
	}
}

// contract: AUTH-3 AUTH-4
func TestServiceWithoutInvokerCheck(t *testing.T) {
	t.Parallel()
	w := controltest.New(t)
	name := w.Service("hello")
	change := &runpb.Service{Name: name, InvokerIamDisabled: true, CustomAudiences: []string{"https://hello.example.com"}}
	updateService(t, w, change, "invokerIamDisabled", "custom_audiences")
	served, _ := w.Fleet.Service(name)
	if !served.Public {
		t.Error("the check is not disabled")
	}
	for _, want := range []string{"https://hello.example.com", "http://hello.run.localhost"} {
		found := false
		for _, a := range served.Audiences {
			found = found || a == want
		}
		if !found {
			t.Errorf("%s is no audience: %v", want, served.Audiences)
		}
	}
	if len(getService(t, w, name).GetTemplate().GetContainers()) != 1 || len(revisions(t, w, name)) != 1 {
		t.Error("what the mask does not name has changed")
	}
}
