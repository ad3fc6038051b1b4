package control_test

import (
	"strings"
	"testing"

	"cloud.google.com/go/run/apiv2/runpb"

	"runnel/control"
	"runnel/control/controltest"
	"runnel/scheduler/serving"
)

// redeploy has a service make a new revision, and returns its full name.
func redeploy(t *testing.T, w *controltest.World, service, arg string) string {
	t.Helper()
	s := getService(t, w, service)
	s.Template.Containers[0].Args = []string{arg}
	s, op := updateService(t, w, s)
	if op.GetError() != nil {
		t.Fatalf("deploy %s: %v", arg, op.GetError())
	}
	return s.GetLatestReadyRevision()
}

// share sets the traffic of a service: targets are such as hello-1=50, =50 for
// the latest one, hello-1#tag=0.
func share(t *testing.T, w *controltest.World, service string, targets ...*runpb.TrafficTarget) *runpb.Service {
	t.Helper()
	s, op := updateService(t, w, &runpb.Service{Name: service, Traffic: targets}, "traffic")
	if op.GetError() != nil {
		t.Fatalf("share %v: %v", targets, op.GetError())
	}
	return s
}

func to(revision string, percent int32, tag string) *runpb.TrafficTarget {
	return &runpb.TrafficTarget{Revision: revision, Percent: percent, Tag: tag}
}

// contract: TR-3 TR-4 TR-5 REV-6
func TestTrafficStaysWhereItIsPinned(t *testing.T) {
	t.Parallel()
	w := controltest.New(t)
	name := w.Service("hello")
	first := getService(t, w, name).GetLatestReadyRevision()
	second := redeploy(t, w, name, "2")
	a, b := shortName(first), shortName(second)
	if got := w.Fleet.Split(name); got != b+"=100" {
		t.Errorf("latest: %s", got)
	}
	share(t, w, name, to(a, 30, ""), to(b, 70, ""))
	if got := w.Fleet.Split(name); got != a+"=30 "+b+"=70" {
		t.Errorf("split: %s", got)
	}
	third := redeploy(t, w, name, "3")
	if got := w.Fleet.Split(name); got != a+"=30 "+b+"=70" {
		t.Errorf("after a deployment: %s", got)
	}
	r := getRevision(t, w, third)
	if c := condition(r.GetConditions(), "Active"); c.GetRevisionReason() != runpb.Condition_RETIRED || c.GetSeverity() != runpb.Condition_INFO {
		t.Errorf("the third one has no traffic: %v", r)
	}
	s := share(t, w, name, to(a, 100, ""))
	if got := w.Fleet.Split(name); got != a+"=100" || s.GetTrafficStatuses()[0].GetRevision() != a {
		t.Errorf("rolled back: %s", got)
	}
	if c := condition(getRevision(t, w, second).GetConditions(), "Active"); c.GetState() != runpb.Condition_CONDITION_FAILED {
		t.Errorf("the second one is retired: %v", c)
	}
	if c := condition(getRevision(t, w, first).GetConditions(), "Active"); c.GetState() != succeeded || c.GetReasons() != nil {
		t.Errorf("the first one is active again: %v", c)
	}
	share(t, w, name, to("", 100, ""))
	if got := w.Fleet.Split(name); got != shortName(third)+"=100" {
		t.Errorf("back to latest: %s", got)
	}
	if n := len(revisions(t, w, name)); n != 3 {
		t.Errorf("%d revisions", n)
	}
}

// contract: TAG-1 SC-15
func TestTagsHaveNamesOfTheirOwn(t *testing.T) {
	t.Parallel()
	w := controltest.New(t)
	name := w.Service("hello")
	a := shortName(getService(t, w, name).GetLatestReadyRevision())
	b := shortName(redeploy(t, w, name, "2"))
	s := share(t, w, name, to("", 100, ""), to(a, 0, "old"))
	if got := w.Fleet.Split(name); got != b+"=100 "+a+"#old=0" {
		t.Errorf("served is %s", got)
	}
	if uri := s.GetTrafficStatuses()[1].GetUri(); uri != "http://old---hello.run.localhost" {
		t.Errorf("the tag is at %s", uri)
	}
	served, _ := w.Fleet.Service(name)
	hosts := strings.Join(served.Traffic[1].TagHosts, " ")
	if hosts != "old---hello-123456789012.us-central1.run.localhost old---hello.run.localhost" {
		t.Errorf("hosts %s", hosts)
	}
	scale, _ := w.Fleet.Scale(name + "/revisions/" + a)
	if scale != (serving.Scale{Max: 100, Manual: -1}) {
		t.Errorf("scale %v", scale)
	}
	if c := condition(getRevision(t, w, name+"/revisions/"+a).GetConditions(), "Active"); c.GetState() != succeeded {
		t.Errorf("a tagged one is active: %v", c)
	}
}

// contract: TAG-3
func TestTheOldestIdleTagMakesRoom(t *testing.T) {
	t.Parallel()
	w := controltest.Start(t, controltest.Options{Control: func(c *control.Config) { c.KeepTags = 3 }})
	one, two := w.Service("one"), w.Service("two")
	a := shortName(getService(t, w, one).GetLatestReadyRevision())
	share(t, w, one, to("", 100, "busy"), to(a, 0, "oldest"))
	share(t, w, two, to("", 100, ""), to("", 0, "second"))
	s := share(t, w, two, to("", 100, ""), to("", 0, "second"), to("", 0, "third"))
	if len(s.GetTraffic()) != 3 {
		t.Errorf("got %v", s.GetTraffic())
	}
	w.Eventually("the oldest tag to go", func() bool { return w.Fleet.Split(one) == a+"#busy=100" })
	if got := getService(t, w, one); len(got.GetTraffic()) != 1 {
		t.Errorf("got %v", got.GetTraffic())
	}
}

// contract: URL-1 URL-2 ING-1
func TestWhereAServiceIs(t *testing.T) {
	t.Parallel()
	w := controltest.Start(t, controltest.Options{Control: func(c *control.Config) {
		c.Domain, c.URL = "example.com", func(host string) string { return "https://" + host + ":8443" }
	}})
	name := w.Service("hello")
	if got := getService(t, w, name).GetUri(); got != "https://hello.example.com:8443" {
		t.Errorf("it is at %s", got)
	}
	s, op, err := w.Control.CreateService(t.Context(), &runpb.CreateServiceRequest{Parent: "projects/mine/locations/mars", ServiceId: "hello", Service: controltest.NewService()})
	if err != nil {
		t.Fatal(err)
	}
	w.WaitFor(op.GetName())
	served, _ := w.Fleet.Service(s.GetName())
	want := "hello-" + w.Control.ProjectNumber("mine") + ".mars.example.com"
	if len(served.Hosts) != 1 || served.Hosts[0] != want || s.GetUri() != "https://"+want+":8443" {
		t.Errorf("elsewhere it is at %v, %s", served.Hosts, s.GetUri())
	}
	for _, row := range []struct {
		change          *runpb.Service
		mask            string
		hosts, internal bool
	}{
		{&runpb.Service{DefaultUriDisabled: true}, "default_uri_disabled", false, false},
		{&runpb.Service{}, "defaultUriDisabled", true, false},
		{&runpb.Service{Ingress: runpb.IngressTraffic_INGRESS_TRAFFIC_INTERNAL_ONLY}, "ingress", true, true},
		{&runpb.Service{Ingress: runpb.IngressTraffic_INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER}, "ingress", true, true},
		{&runpb.Service{Ingress: runpb.IngressTraffic_INGRESS_TRAFFIC_NONE}, "ingress", false, false},
		{&runpb.Service{}, "ingress", true, false},
	} {
		row.change.Name = name
		s, _ := updateService(t, w, row.change, row.mask)
		served, _ := w.Fleet.Service(name)
		if len(served.Hosts) > 0 != row.hosts || served.Internal != row.internal {
			t.Errorf("%v: hosts %v, internal %v", row.change, served.Hosts, served.Internal)
		}
		if s.GetDefaultUriDisabled() && (s.GetUri() != "" || len(s.GetUrls()) > 0) {
			t.Errorf("it is nowhere, but says %v", s)
		}
	}
}

// contract: SC-2 SC-12 DIS-1
func TestScaleOfAService(t *testing.T) {
	t.Parallel()
	w := controltest.New(t)
	name := w.Service("hello")
	first := getService(t, w, name).GetLatestReadyRevision()
	second := redeploy(t, w, name, "2")
	share(t, w, name, to(shortName(first), 50, ""), to(shortName(second), 50, ""))
	three, none := int32(3), int32(0)
	for _, row := range []struct {
		scaling  *runpb.ServiceScaling
		a, b     serving.Scale
		disabled bool
	}{
		{&runpb.ServiceScaling{MinInstanceCount: 4}, serving.Scale{Min: 2, Max: 100, Manual: -1}, serving.Scale{Min: 2, Max: 100, Manual: -1}, false},
		{&runpb.ServiceScaling{MinInstanceCount: 1, MaxInstanceCount: 5}, serving.Scale{Min: 1, Max: 3, Manual: -1}, serving.Scale{Min: 0, Max: 2, Manual: -1}, false},
		{&runpb.ServiceScaling{ScalingMode: runpb.ServiceScaling_MANUAL, ManualInstanceCount: &three}, serving.Scale{Max: 100, Manual: 2}, serving.Scale{Max: 100, Manual: 1}, false},
		{&runpb.ServiceScaling{ScalingMode: runpb.ServiceScaling_MANUAL, ManualInstanceCount: &none}, serving.Scale{Manual: -1}, serving.Scale{Manual: -1}, true},
		{nil, serving.Scale{Max: 100, Manual: -1}, serving.Scale{Max: 100, Manual: -1}, false},
	} {
		updateService(t, w, &runpb.Service{Name: name, Scaling: row.scaling}, "scaling")
		a, _ := w.Fleet.Scale(first)
		b, _ := w.Fleet.Scale(second)
		served, _ := w.Fleet.Service(name)
		if a != row.a || b != row.b || served.Disabled != row.disabled {
			t.Errorf("%v: got %v and %v, disabled %v", row.scaling, a, b, served.Disabled)
		}
	}
	// A disabled service can be deployed to.
	updateService(t, w, &runpb.Service{Name: name, Scaling: &runpb.ServiceScaling{ScalingMode: runpb.ServiceScaling_MANUAL, ManualInstanceCount: &none}}, "scaling")
	third := redeploy(t, w, name, "3")
	if scale, _ := w.Fleet.Scale(third); scale.Max != 0 || len(w.Fleet.Living(third)) != 0 {
		t.Errorf("it is disabled: %v, %v", scale, w.Fleet.Living(third))
	}
}
