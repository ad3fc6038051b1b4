package contract

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path"
	"slices"
	"strings"
	"testing"

	"cloud.google.com/go/run/apiv2/runpb"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
)

// contract: REV-1
func TestREV1ChangesOfTheTemplateAloneMakeRevisions(t *testing.T) {
	s := serviceOf(t, daemon(t))
	s.deploys("--set-env-vars", "IS=first").Exits(0)
	first := s.revisions()[0]
	for i, change := range []func(*runpb.RevisionTemplate){
		func(of *runpb.RevisionTemplate) { of.Containers[0].Env = nil },
		func(of *runpb.RevisionTemplate) { of.MaxInstanceRequestConcurrency = 7 },
		func(of *runpb.RevisionTemplate) { of.Timeout = durationpb.New(1e9) },
		func(of *runpb.RevisionTemplate) { of.Labels = map[string]string{"a": "b"} },
	} {
		if err := s.change("template", func(v *runpb.Service) { change(v.Template) }); err != nil {
			t.Fatal(err)
		}
		if n := len(s.revisions()); n != i+2 {
			t.Errorf("after change %d of the template there are %d revisions", i, n)
		}
	}
	all := s.revisions()
	for mask, change := range map[string]func(*runpb.Service){
		"labels":  func(v *runpb.Service) { v.Labels = map[string]string{"team": "web"} },
		"traffic": func(v *runpb.Service) { v.Traffic = toRevisions(first.GetName(), 100) },
		"scaling": func(v *runpb.Service) { v.Scaling = &runpb.ServiceScaling{MaxInstanceCount: 2} },
	} {
		if err := s.change(mask, change); err != nil {
			t.Fatal(err)
		}
		if n := len(s.revisions()); n != len(all) {
			t.Errorf("after a change of %s there are %d revisions, want %d", mask, n, len(all))
		}
	}
	now := s.revisions()[len(all)-1]
	if now.GetName() != first.GetName() || now.GetGeneration() != 1 || len(now.GetContainers()) != 1 || !proto.Equal(now.GetContainers()[0], first.GetContainers()[0]) {
		t.Errorf("the first one was\n%v\nand is\n%v", first, now)
	}
}

// toRevisions are shares of revisions, by their full names: each with its percent.
func toRevisions(shares ...any) (all []*runpb.TrafficTarget) {
	for i := 0; i+1 < len(shares); i += 2 {
		all = append(all, &runpb.TrafficTarget{
			Type:     runpb.TrafficTargetAllocationType_TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION,
			Revision: path.Base(shares[i].(string)), Percent: int32(shares[i+1].(int)),
		})
	}
	return all
}

// conditionsOf are the conditions that version 1 of the API shows at a path.
func (s *ownService) conditionsOf(at string) (statuses map[string]string) {
	s.t.Helper()
	var shown struct {
		Status struct {
			Conditions []struct{ Type, Status, Reason string }
		}
	}
	apiCall(s.Daemon, http.MethodGet, knative+at, "").Is(s.Host, 200).Decode(s.Host, &shown)
	statuses = map[string]string{}
	for _, c := range shown.Status.Conditions {
		statuses[c.Type] = strings.TrimSpace(c.Status + " " + c.Reason)
	}
	return statuses
}

// contract: REV-3
func TestREV3ConditionsOfServicesAndRevisions(t *testing.T) {
	s := serviceOf(t, daemon(t))
	s.starts().Exits(0)
	first := s.latest()
	is := func(at string, want map[string]string) {
		t.Helper()
		got := s.conditionsOf(at)
		for kind, status := range want {
			if got[kind] != status {
				t.Errorf("%s: %s is %q, want %q", at, kind, got[kind], status)
			}
		}
	}
	well := map[string]string{"Ready": "True", "ConfigurationsReady": "True", "RoutesReady": "True"}
	is("/services/"+s.name, well)
	is("/revisions/"+first, map[string]string{"Ready": "True", "ResourcesAvailable": "True", "ContainerHealthy": "True", "Active": "True"})
	s.deploys().Exits(0)
	s.Eventually("the first one is retired", func() bool { return s.conditionsOf("/revisions/" + first)["Active"] == "False Retired" })
	s.CLI("deploy", s.name, "--image", s.Host.Shell(), "--args", "^\x01^exit 7", "--deploy-health-check").Exits(1)
	is("/services/"+s.name, map[string]string{"Ready": "False HealthCheckContainerError", "ConfigurationsReady": "False HealthCheckContainerError", "RoutesReady": "True"})
}

// contract: REV-4
func TestREV4OldRevisionServesOnWhenTheNewOneFails(t *testing.T) {
	s := serviceOf(t, daemon(t))
	s.starts().Exits(0)
	old := s.latest()
	s.starts("--set-env-vars", "LISTEN=127.0.0.1", "--startup-probe", "tcpSocket.port=8080,periodSeconds=1,failureThreshold=1").Exits(1)
	v := s.is()
	if path.Base(v.GetLatestReadyRevision()) != old || v.GetLatestCreatedRevision() == v.GetLatestReadyRevision() {
		t.Errorf("%s is ready, %s was made last; %s was ready before", v.GetLatestReadyRevision(), v.GetLatestCreatedRevision(), old)
	}
	if got := s.answers(20); got[old] != 20 {
		t.Errorf("20 requests are answered by %v", got)
	}
}

// contract: REV-5
func TestREV5FailuresHaveCloudRunsReasons(t *testing.T) {
	d := daemon(t)
	shut := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) }))
	defer shut.Close()
	for i, c := range []struct {
		image, args, reason string
	}{
		{d.Host.Shell(), "exit 7", "HEALTH_CHECK_CONTAINER_ERROR"},
		{d.Host.Shell(), "exec /nosuch", "HEALTH_CHECK_CONTAINER_ERROR"},
		{"oci-archive:/nosuch.tar", "", "CONTAINER_MISSING"},
		{strings.TrimPrefix(shut.URL, "http://") + "/team/web:1", "", "CONTAINER_IMAGE_UNAUTHORIZED"},
	} {
		s := serviceOf(t, d, fmt.Sprint(i))
		d.CLI("deploy", s.name, "--image", c.image, "--args", "^\x01^"+c.args, "--memory", "128Mi", "--allow-unauthenticated").Exits(1)
		all := s.call(http.MethodGet, "/revisions", "").Is(d.Host, 200)
		if !strings.Contains(all.Body, `"`+c.reason+`"`) {
			t.Errorf("%s %s: want %s\n%s", c.image, c.args, c.reason, all.Body)
		}
	}
}

// contract: REV-6
func TestREV6OnlyRetiredRevisionsCanBeDeleted(t *testing.T) {
	s := serviceOf(t, daemon(t))
	for range 3 {
		s.deploys().Exits(0)
	}
	all := s.revisions()
	remove := func(r *runpb.Revision) int {
		return s.call(http.MethodDelete, "/revisions/"+path.Base(r.GetName()), "").Code
	}
	if err := s.change("traffic", func(v *runpb.Service) { v.Traffic = toRevisions(all[1].GetName(), 100) }); err != nil {
		t.Fatal(err)
	}
	for i, want := range []int{400, 400, 200} { // the latest, the one that serves, one that is retired
		if code := remove(all[i]); code != want {
			t.Errorf("delete revision %d: %d, want %d", len(all)-i, code, want)
		}
	}
	s.Eventually("the retired one is gone", func() bool { return len(s.revisions()) == 2 })
}

// contract: REV-8
func TestREV8GenerationsCount(t *testing.T) {
	s := serviceOf(t, daemon(t))
	for _, want := range []string{"1", "2"} {
		s.deploys().Exits(0)
		var second map[string]any
		s.call(http.MethodGet, "", "").Is(s.Host, 200).Decode(s.Host, &second)
		if second["generation"] != want || second["observedGeneration"] != want {
			t.Errorf("version 2 has %#v and %#v, want the string %s", second["generation"], second["observedGeneration"], want)
		}
		var first struct {
			Metadata struct{ Generation json.RawMessage }
			Status   struct{ ObservedGeneration json.RawMessage }
		}
		apiCall(s.Daemon, http.MethodGet, knative+"/services/"+s.name, "").Is(s.Host, 200).Decode(s.Host, &first)
		if got := []string{string(first.Metadata.Generation), string(first.Status.ObservedGeneration)}; !slices.Equal(got, []string{want, want}) {
			t.Errorf("version 1 has %v, want the number %s", got, want)
		}
	}
}
