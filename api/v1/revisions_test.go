package v1_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"cloud.google.com/go/run/apiv2/runpb"

	"runnel/control/controltest"
)

// contract: REV-3
func TestRevisionsAreRead(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	first := c.deploy("hello").text("status latestReadyRevisionName")
	c.deploy("other")
	c.call(http.StatusOK, "PUT", serving+"/services/hello", strings.Replace(serviceBody("hello", "", ""), "abcdefghij", "bbbbbbbbbb", 1))
	second := c.until(serving+"/services/hello", ready).text("status latestReadyRevisionName")

	r := c.until(serving+"/revisions/"+second, settled)
	r.expect(map[string]string{
		"kind": "Revision", "apiVersion": "serving.knative.dev/v1",
		"metadata labels serving.knative.dev/service":                 "hello",
		"metadata labels serving.knative.dev/configuration":           "hello",
		"metadata labels serving.knative.dev/configurationGeneration": "2",
		"metadata labels serving.knative.dev/route":                   "hello",
		"metadata labels client.knative.dev/nonce":                    "bbbbbbbbbb",
		"metadata selfLink":          "/apis/serving.knative.dev/v1/namespaces/" + controltest.ProjectNumber + "/revisions/" + second,
		"spec containerConcurrency":  "80",
		"status conditions 0 type":   "Ready",
		"status conditions 0 status": "True",
		"status observedGeneration":  "1",
		"status serviceName":         "hello",
	})
	if got := r.text("status imageDigest"); !strings.Contains(got, "@sha256:") || r.text("status containerStatuses 0 imageDigest") != got {
		t.Errorf("imageDigest = %s", got)
	}
	for query, want := range map[string]string{
		"?labelSelector=serving.knative.dev/service+%3D+hello":                                  second + " " + first,
		"?labelSelector=serving.knative.dev/service%3Dhello&limit=1":                            second,
		"?labelSelector=client.knative.dev/nonce+%3D+bbbbbbbbbb":                                second,
		"?labelSelector=serving.knative.dev/service=none":                                       "",
		"?labelSelector=serving.knative.dev/service=hello,client.knative.dev/nonce!=bbbbbbbbbb": first,
	} {
		list := c.call(http.StatusOK, "GET", serving+"/revisions"+query, "")
		list.expect(map[string]string{"kind": "RevisionList", "apiVersion": "serving.knative.dev/v1"})
		if got := names(list); got != want {
			t.Errorf("%s: %q, want %q", query, got, want)
		}
	}
	if got := strings.Fields(names(c.call(http.StatusOK, "GET", located+"/revisions", ""))); len(got) != 3 {
		t.Errorf("in the location there are %v", got)
	}

	c.call(http.StatusBadRequest, "DELETE", serving+"/revisions/"+second, "").expect(map[string]string{"error status": "FAILED_PRECONDITION"})
	c.call(http.StatusOK, "DELETE", serving+"/revisions/"+first+"?dryRun=all", "")
	c.call(http.StatusOK, "GET", located+"/revisions/"+first, "")
	c.call(http.StatusOK, "DELETE", serving+"/revisions/"+first, "").
		expect(map[string]string{"status": "Success", "details name": first, "details kind": "revisions", "details group": "serving.knative.dev"})
	c.gone(serving + "/revisions/" + first)
	c.call(http.StatusNotFound, "DELETE", serving+"/revisions/"+first, "")
}

// contract: TR-1 TR-3 TR-4
func TestTrafficStaysWhereItWasPut(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	first := c.deploy("hello").text("status latestReadyRevisionName")
	pinned := func(nonce, traffic string) string {
		body := strings.Replace(serviceBody("hello", "", ""), "abcdefghij", nonce, 1)
		return strings.Replace(body, `"spec":{"template"`, `"spec":{"traffic":[`+traffic+`],"template"`, 1)
	}
	const none = `{"revisionName":"REVISION","percent":100},{"latestRevision":true,"percent":0,"tag":"next"}`
	for _, nonce := range []string{"bbbbbbbbbb", "cccccccccc"} {
		c.call(http.StatusOK, "PUT", serving+"/services/hello", pinned(nonce, strings.Replace(none, "REVISION", first, 1)))
		service := c.until(serving+"/services/hello", ready)
		latest := service.text("status latestReadyRevisionName")
		if latest == first {
			t.Errorf("%s: no new revision", nonce)
		}
		service.expect(map[string]string{
			"spec traffic 0 revisionName": first, "spec traffic 0 latestRevision": "null", "spec traffic 1 tag": "next", "spec traffic 1 revisionName": "null",
			"status traffic 0 revisionName": first, "status traffic 0 percent": "100", "status traffic 1 percent": "null",
			"status traffic 1 revisionName": latest, "status traffic 1 latestRevision": "true",
		})
		if url := service.text("status traffic 1 url"); !strings.Contains(url, "//next---hello") {
			t.Errorf("the tag's url is %s", url)
		}
	}
}

// Whoever waits for a service as gcloud does is shown one of v1.
func TestTheOperationOfAServiceIsWaitedFor(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	c.world.Fleet.Play(func(*runpb.Revision) controltest.Trial { return controltest.Trial{Hold: true} })
	posted := c.call(http.StatusOK, "POST", serving+"/services", serviceBody("hello", "", ""))
	id := posted.text("metadata annotations run.googleapis.com/operation-id")
	posted.expect(map[string]string{"status conditions 0 status": "Unknown"})
	path := located + "/operations/" + id
	c.call(http.StatusOK, "POST", path+":wait", `{"timeout":"0.01s"}`).expect(map[string]string{
		"name": controltest.Parent + "/operations/" + id, "done": "null", "response": "null",
		"metadata apiVersion": "serving.knative.dev/v1", "metadata metadata name": "hello", "metadata status conditions 0 status": "Unknown",
	})
	done := make(chan object, 1)
	go func() { done <- c.call(http.StatusOK, "POST", path+":wait", `{"timeout":"30s"}`) }()
	// Whether the trial has begun or not: it ends.
	c.world.Fleet.Play(func(*runpb.Revision) controltest.Trial { return controltest.Trial{} })
	c.world.Fleet.Release()
	select {
	case o := <-done:
		o.expect(map[string]string{
			"done": "true", "error": "null", "response @type": "type.googleapis.com/google.cloud.run.v1.Service",
			"response metadata name": "hello", "response metadata namespace": controltest.ProjectNumber,
			"response status conditions 0 status": "True", "response metadata generation": "1", "response status observedGeneration": "1",
		})
	case <-time.After(time.Minute):
		t.Fatal("the operation does not end")
	}
	c.call(http.StatusOK, "GET", located+"/operations", "").expect(map[string]string{"operations 0 response kind": "Service"})
	c.call(http.StatusOK, "PUT", serving+"/services/hello", serviceBody("hello", `,"annotations":{"run.googleapis.com/operation-id":"`+id+`"}`, "")).
		expect(map[string]string{"metadata generation": "1"})
}

// contract: REV-4
func TestAServiceThatFailsSaysSo(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	first := c.deploy("hello").text("status latestReadyRevisionName")
	c.world.Images.Fail("registry.example/none:1", http.ErrMissingFile)
	body := strings.Replace(serviceBody("hello", "", ""), "busybox", "registry.example/none:1", 1)
	id := c.call(http.StatusOK, "PUT", serving+"/services/hello", body).text("metadata annotations run.googleapis.com/operation-id")
	c.until(serving+"/services/hello", settled).expect(map[string]string{
		"status conditions 0 status": "False", "status conditions 1 status": "False", "status latestReadyRevisionName": first,
	})
	op := c.call(http.StatusOK, "POST", located+"/operations/"+id+":wait", `{"timeout":"30s"}`)
	if op.text("done") != "true" || op.text("error message") == "null" || op.text("response") != "null" {
		t.Errorf("the operation is %v", op.tree)
	}
}

func TestServicesHavePolicies(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	c.deploy("hello")
	const path = located + "/services/hello:"
	c.call(http.StatusOK, "GET", path+"getIamPolicy?options.requestedPolicyVersion=3", "").expect(map[string]string{"etag": "ACAB"})
	c.call(http.StatusOK, "POST", path+"setIamPolicy", `{"policy":{"bindings":[{"role":"roles/run.invoker","members":["allUsers"]}],"etag":"ACAB"}}`)
	c.call(http.StatusOK, "GET", path+"getIamPolicy", "").expect(map[string]string{"bindings 0 members 0": "allUsers"})
	c.call(http.StatusConflict, "POST", path+"setIamPolicy", `{"policy":{"etag":"ACAB"}}`)
	c.call(http.StatusOK, "POST", path+"testIamPermissions", `{"permissions":["run.services.setIamPolicy"]}`).expect(map[string]string{"permissions 0": "run.services.setIamPolicy"})
	c.call(http.StatusNotFound, "GET", located+"/services/none:getIamPolicy", "")
	c.call(http.StatusNotFound, "POST", path+"fly", "")
}

func TestBadRequestsAboutServicesAreRefusedWithThePath(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	c.deploy("there")
	good := serviceBody("new", "", "")
	const services, spec = serving + "/services", "spec.template.spec."
	in := func(old, new string) string { return strings.Replace(good, old, new, 1) }
	for _, tt := range []struct{ name, method, path, body, field, message string }{
		{"empty", "POST", services, "", "", "want a Service"},
		{"a job", "POST", services, body("x", ""), "kind", "Job is not accepted here: want Service"},
		{"a service for a job", "POST", namespace + "/jobs", good, "kind", "Service is not accepted here: want Job"},
		{"unknown field", "POST", services, in(`"containers"`, `"container":1,"containers"`), spec + "container", "did you mean containers?"},
		{"no image", "POST", services, in(`"image":"busybox",`, ``), spec + "containers[0].image", "missing"},
		{"time", "POST", services, in(`"containers"`, `"timeoutSeconds":3601,"containers"`), spec + "timeoutSeconds", ""},
		{"concurrency", "POST", services, in(`"containers"`, `"containerConcurrency":1001,"containers"`), spec + "containerConcurrency", ""},
		{"port", "POST", services, in(`9090`, `65536`), spec + "containers[0].ports[0].containerPort", ""},
		{"ingress", "POST", services, in(`"new"`, `"new","annotations":{"run.googleapis.com/ingress":"public"}`), `metadata.annotations["run.googleapis.com/ingress"]`, "want all"},
		{"minimum", "POST", services, in(`"labels":{`, `"annotations":{"autoscaling.knative.dev/minScale":"9","autoscaling.knative.dev/maxScale":"8"},"labels":{`), `spec.template.metadata.annotations["autoscaling.knative.dev/minScale"]`, "more than the maximum"},
		{"revision", "POST", services, serviceBody("new", "", `,"name":"old-1"`), "spec.template.metadata.name", ""},
		{"percent", "POST", services, in(`"spec":{"template"`, `"spec":{"traffic":[{"latestRevision":true,"percent":99}],"template"`), "spec.traffic", "sum to 99"},
		{"no such revision", "PUT", services + "/there", strings.Replace(serviceBody("there", "", ""), `"spec":{"template"`, `"spec":{"traffic":[{"revisionName":"there-9","percent":100}],"template"`, 1), "spec.traffic[0].revisionName", "there-9"},
		{"long name", "POST", services, in(`"new"`, `"n`+strings.Repeat("x", 49)+`"`), "metadata.name", ""},
		{"other name", "PUT", services + "/there", good, "metadata.name", "differs"},
		{"other project", "POST", services, in(`"new"`, `"new","namespace":"elsewhere"`), "metadata.namespace", "differs"},
		{"bad version", "PUT", services + "/new", in(`"new"`, `"new","resourceVersion":"5"`), "metadata.resourceVersion", ""},
		{"dry run", "POST", services + "?dryRun=some", good, "", "dryRun"},
		{"selector", "GET", serving + "/revisions?labelSelector=a+b", "", "", "labelSelector"},
		{"dash", "GET", services + "/-", "", "", "not a name"},
	} {
		o := c.call2(t, tt.name, tt.method, tt.path, tt.body)
		o.expect(map[string]string{"error status": "INVALID_ARGUMENT", "error code": "400"})
		if !strings.Contains(o.text("error message"), tt.message) {
			t.Errorf("%s: %s", tt.name, o.text("error message"))
		}
		if got, _ := o.at("error", "details", "0", "fieldViolations", "0", "field").(string); got != tt.field {
			t.Errorf("%s: the field is %s, want %s", tt.name, got, tt.field)
		}
	}
}
