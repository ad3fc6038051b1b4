package v2_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"cloud.google.com/go/iam/apiv1/iampb"
	"cloud.google.com/go/run/apiv2/runpb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	"runnel/api/rest"
	v2 "runnel/api/v2"
	"runnel/control/controltest"
)

// door is a world and the REST door to it.
type door struct {
	t     *testing.T
	world *controltest.World
	rest  http.Handler
}

func open(t *testing.T) *door {
	w := controltest.New(t)
	tr := rest.New(rest.Config{Rules: v2.Rules(), Flags: v2.Flags()})
	v2.Register(tr, w.Control)
	return &door{t, w, tr}
}

const services = "/v2/" + controltest.Parent + "/services"

// call sends a request and wants code for an answer.
func (d *door) call(code int, method, path, body string) map[string]any {
	d.t.Helper()
	r := httptest.NewRequestWithContext(d.t.Context(), method, path, strings.NewReader(body))
	w := httptest.NewRecorder()
	d.rest.ServeHTTP(w, r)
	if w.Code != code {
		d.t.Fatalf("%s %s = %d, want %d\n%s", method, path, w.Code, code, w.Body)
	}
	var answer map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
		d.t.Fatalf("%s %s: %v\n%s", method, path, err, w.Body)
	}
	return answer
}

// apply is a call that answers with an operation; its end is returned.
func (d *door) apply(method, path, body string) map[string]any {
	d.t.Helper()
	op := d.call(http.StatusOK, method, path, body)
	name, _ := op["name"].(string)
	done := d.call(http.StatusOK, "POST", "/v2/"+name+":wait", `{"timeout":"30s"}`)
	if done["done"] != true || done["error"] != nil {
		d.t.Fatalf("%s %s: %v", method, path, done)
	}
	for _, part := range []string{"metadata", "response"} {
		about, _ := done[part].(map[string]any)
		if kind, _ := about["@type"].(string); !strings.HasPrefix(kind, "type.googleapis.com/google.cloud.run.v2.") {
			d.t.Errorf("%s %s: the %s is %v", method, path, part, about)
		}
	}
	return done["response"].(map[string]any)
}

const container = `{"image":"` + controltest.Image + `"}`

// contract: REV-1 REV-7 REV-8 TR-1
func TestAServiceLivesOverREST(t *testing.T) {
	t.Parallel()
	d := open(t)
	made := d.apply("POST", services+"?serviceId=hello&$alt=json;enum-encoding=int",
		`{"name":"ignored","ingress":1,"launchStage":4,"template":{"containers":[`+container+`],"maxInstanceRequestConcurrency":"7"}}`)
	if made["name"] != controltest.Parent+"/services/hello" || made["generation"] != "1" || made["ingress"] != "INGRESS_TRAFFIC_ALL" {
		t.Errorf("made: %v", made)
	}
	first := made["latestReadyRevision"].(string)
	etag := made["etag"].(string)

	if got := d.apply("PATCH", services+"/hello?updateMask=description", `{"description":"d"}`); got["latestReadyRevision"] != first || got["generation"] != "2" || got["description"] != "d" {
		t.Errorf("described: %v", got)
	}
	stale, err := json.Marshal(map[string]any{"etag": etag})
	if err != nil {
		t.Fatal(err)
	}
	d.call(http.StatusConflict, "PATCH", services+"/hello?updateMask=description", string(stale))

	got := d.apply("PATCH", services+"/hello?updateMask=template.maxInstanceRequestConcurrency,traffic",
		`{"template":{"maxInstanceRequestConcurrency":9},"traffic":[{"type":"TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION","revision":"`+short(first)+`","percent":60},{"type":1,"percent":40,"tag":"new"}]}`)
	second := got["latestReadyRevision"].(string)
	if second == first || got["description"] != "d" {
		t.Errorf("changed: %v", got)
	}
	if statuses, _ := got["trafficStatuses"].([]any); len(statuses) != 2 {
		t.Errorf("traffic: %v", got["trafficStatuses"])
	}
	if got := d.call(http.StatusOK, "GET", "/v2/"+first, ""); got["service"] != "hello" || got["generation"] != "1" {
		t.Errorf("the first revision: %v", got)
	}
	if got := d.call(http.StatusOK, "GET", services+"/-/revisions?pageSize=1", ""); got["nextPageToken"] == nil || got["revisions"].([]any)[0].(map[string]any)["name"] != second {
		t.Errorf("revisions: %v", got)
	}
	d.call(http.StatusBadRequest, "DELETE", "/v2/"+first, "")
	if got := d.call(http.StatusOK, "GET", services, ""); len(got["services"].([]any)) != 1 || got["unreachable"] != nil {
		t.Errorf("services: %v", got)
	}
	if gone := d.apply("DELETE", services+"/hello", ""); gone["deleteTime"] == nil {
		t.Errorf("deleted: %v", gone)
	}
	d.call(http.StatusNotFound, "GET", services+"/hello", "")
}

func short(name string) string { return name[strings.LastIndex(name, "/")+1:] }

func TestANewRevisionCanBeForced(t *testing.T) {
	t.Parallel()
	d := open(t)
	body := `{"template":{"containers":[` + container + `]}}`
	first := d.apply("POST", services+"?serviceId=hello", body)["latestReadyRevision"]
	for query, renewed := range map[string]bool{"": false, "?forceNewRevision=false": false, "?forceNewRevision=true": true, "?force_new_revision=1&updateMask=description": true} {
		next := d.apply("PATCH", services+"/hello"+query, body)["latestReadyRevision"]
		if (next != first) != renewed {
			t.Errorf("%q: %v after %v", query, next, first)
		}
		first = next
	}
	d.call(http.StatusBadRequest, "PATCH", services+"/hello?forceNewRevision=perhaps", body)
	d.call(http.StatusBadRequest, "PATCH", services+"/hello?forceNewRevision=true&forceNewRevision=true", body)
	d.call(http.StatusBadRequest, "DELETE", services+"/hello?forceNewRevision=true", "")
}

func TestADryRunOfAServiceStoresNothing(t *testing.T) {
	t.Parallel()
	d := open(t)
	body := `{"template":{"containers":[` + container + `]}}`
	d.call(http.StatusOK, "POST", services+"?serviceId=hello&validateOnly=true", body)
	d.call(http.StatusNotFound, "GET", services+"/hello", "")
	d.apply("PATCH", services+"/hello?allowMissing=true", body)
	d.call(http.StatusOK, "DELETE", services+"/hello?validateOnly=true", "")
	d.call(http.StatusOK, "GET", services+"/hello", "")
}

func TestServicesAreListedByLocation(t *testing.T) {
	t.Parallel()
	d := open(t)
	answer := d.call(http.StatusBadRequest, "GET", "/v2/projects/local/locations/-/services", "")
	if text, _ := json.Marshal(answer); !strings.Contains(string(text), "parent: ") || !strings.Contains(string(text), "INVALID_ARGUMENT") {
		t.Errorf("%s", text)
	}
	d.call(http.StatusOK, "GET", "/v2/projects/local/locations/-/jobs", "")
	d.call(http.StatusNotFound, "GET", services+"/hello/revisions/hello-1/op:exportStatus", "")
}

func TestServicesAnswerOverGRPC(t *testing.T) {
	t.Parallel()
	w := controltest.New(t)
	name := w.Service("hello")
	c := serve(t, w.Control)
	client := runpb.NewServicesClient(c)
	s, err := client.GetService(t.Context(), &runpb.GetServiceRequest{Name: name})
	if err != nil || s.GetUri() == "" {
		t.Fatalf("%v, %v", s, err)
	}
	op, err := client.UpdateService(t.Context(), &runpb.UpdateServiceRequest{
		Service: &runpb.Service{Name: name, Description: "d"}, UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"description"}},
	})
	if err != nil || op.GetName() == "" {
		t.Errorf("%v, %v", op, err)
	}
	revisions, err := runpb.NewRevisionsClient(c).ListRevisions(t.Context(), &runpb.ListRevisionsRequest{Parent: name})
	if err != nil || len(revisions.GetRevisions()) != 1 {
		t.Errorf("%v, %v", revisions, err)
	}
	policy := &iampb.Policy{Bindings: []*iampb.Binding{{Role: "roles/run.invoker", Members: []string{"allUsers"}}}}
	if _, err := client.SetIamPolicy(t.Context(), &iampb.SetIamPolicyRequest{Resource: name, Policy: policy}); err != nil {
		t.Error(err)
	}
	if got, err := client.GetIamPolicy(t.Context(), &iampb.GetIamPolicyRequest{Resource: name}); err != nil || len(got.GetBindings()) != 1 {
		t.Errorf("%v, %v", got, err)
	}
	granted, err := client.TestIamPermissions(t.Context(), &iampb.TestIamPermissionsRequest{Resource: name, Permissions: []string{"run.services.setIamPolicy"}})
	if err != nil || len(granted.GetPermissions()) != 1 {
		t.Errorf("%v, %v", granted, err)
	}
	if _, err := client.GetService(t.Context(), &runpb.GetServiceRequest{Name: controltest.Parent + "/services/none"}); status.Code(err) != codes.NotFound {
		t.Errorf("none: %v", err)
	}
	if op, err := client.DeleteService(t.Context(), &runpb.DeleteServiceRequest{Name: name}); err != nil || op.GetName() == "" {
		t.Errorf("%v, %v", op, err)
	}
}
