package v1_test

import (
	"net/http"
	"strings"
	"testing"

	"cloud.google.com/go/run/apiv2/runpb"
	"sigs.k8s.io/yaml"

	v1 "runnel/api/v1"
	"runnel/control/controltest"
)

const (
	serving = "/apis/serving.knative.dev/v1/namespaces/" + controltest.Project
	located = "/v1/" + controltest.Parent
)

// serviceBody is a service as clients send it; meta and template are more of
// its metadata, and of that of its template.
func serviceBody(name, meta, template string) string {
	return `{"apiVersion":"serving.knative.dev/v1","kind":"Service","metadata":{"name":"` + name + `"` + meta + `},
		"spec":{"template":{"metadata":{"labels":{"client.knative.dev/nonce":"abcdefghij"}` + template + `},
		"spec":{"containers":[{"image":"busybox","ports":[{"name":"h2c","containerPort":9090}]}]}}},"status":{"url":"x"}}`
}

// deploy makes a service and waits until it is ready.
func (c *client) deploy(name string) object {
	c.t.Helper()
	c.call(http.StatusOK, "POST", serving+"/services", serviceBody(name, "", ""))
	return c.until(serving+"/services/"+name, ready)
}

// ready reports whether a service, or a revision, is what was wanted last.
func ready(o object) bool {
	return settled(o) && o.text("metadata generation") == o.text("status observedGeneration")
}

// contract: REV-1 REV-3 REV-7 REV-8 TR-1
func TestAServiceLives(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	c.call(http.StatusOK, "POST", serving+"/services", serviceBody("hello", `,"namespace":"local","labels":{"team":"web"},"annotations":{"run.googleapis.com/client-name":"gcloud","run.googleapis.com/ingress":"internal"}`, ""))
	service := c.until(serving+"/services/hello", ready)
	service.expect(map[string]string{
		"apiVersion": "serving.knative.dev/v1", "kind": "Service",
		"metadata namespace": controltest.ProjectNumber, "metadata generation": "1",
		"metadata selfLink":                                           "/apis/serving.knative.dev/v1/namespaces/" + controltest.ProjectNumber + "/services/hello",
		"metadata labels team":                                        "web",
		"metadata labels cloud.googleapis.com/location":               "us-central1",
		"metadata annotations run.googleapis.com/client-name":         "gcloud",
		"metadata annotations run.googleapis.com/ingress":             "internal",
		"metadata annotations run.googleapis.com/ingress-status":      "internal",
		"metadata annotations run.googleapis.com/operation-id":        "null",
		"spec template metadata labels client.knative.dev/nonce":      "abcdefghij",
		"spec template spec containerConcurrency":                     "80",
		"spec template spec timeoutSeconds":                           "300",
		"spec template spec containers 0 name":                        "null",
		"spec template spec containers 0 startupProbe tcpSocket port": "9090",
		"spec traffic 0 latestRevision":                               "true",
		"spec traffic 0 percent":                                      "100",
		"status conditions 0 type":                                    "Ready",
		"status conditions 0 status":                                  "True",
		"status conditions 1 type":                                    "ConfigurationsReady",
		"status conditions 2 type":                                    "RoutesReady",
		"status observedGeneration":                                   "1",
		"status traffic 0 latestRevision":                             "true",
		"status traffic 0 percent":                                    "100",
	})
	revision := service.text("status latestReadyRevisionName")
	service.expect(map[string]string{"status latestCreatedRevisionName": revision, "status traffic 0 revisionName": revision})
	if url := service.text("status url"); !strings.HasPrefix(url, "http") || service.text("status address url") != url {
		t.Errorf("url = %s", url)
	}
	c.call(http.StatusConflict, "POST", serving+"/services", serviceBody("hello", "", "")).expect(map[string]string{"error status": "ALREADY_EXISTS"})

	version := service.text("metadata resourceVersion")
	c.call(http.StatusOK, "PUT", serving+"/services/hello", serviceBody("hello", `,"labels":{"team":"data"},"resourceVersion":"`+version+`"`, "")).
		expect(map[string]string{"metadata labels team": "data", "metadata generation": "2"})
	c.call(http.StatusConflict, "PUT", serving+"/services/hello", serviceBody("hello", `,"resourceVersion":"`+version+`"`, "")).
		expect(map[string]string{"error status": "ABORTED", "error code": "409"})
	c.until(serving+"/services/hello", ready).expect(map[string]string{"status latestCreatedRevisionName": revision})
	c.call(http.StatusOK, "PUT", serving+"/services/hello", serviceBody("hello", "", `,"name":"hello-two"`))
	c.until(serving+"/services/hello", ready).expect(map[string]string{"status latestReadyRevisionName": "hello-two"})
	c.call(http.StatusNotFound, "PUT", serving+"/services/other", serviceBody("other", "", "")).expect(map[string]string{"error status": "NOT_FOUND"})

	c.call(http.StatusOK, "DELETE", serving+"/services/hello", "").
		expect(map[string]string{"status": "Success", "details name": "hello", "details kind": "services", "details group": "serving.knative.dev"})
	c.gone(serving + "/services/hello")
	c.gone(serving + "/revisions/" + revision)
}

// contract: REV-1
func TestReplacingAServiceByItselfChangesNothing(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	export := func() string {
		service, err := c.world.Control.Service(t.Context(), controltest.Parent+"/services/hello")
		if err != nil {
			t.Fatal(err)
		}
		text, err := yaml.Marshal(v1.FormatService(service, v1.Options{Namespace: controltest.ProjectNumber, Export: true}))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	shown, exported := c.deploy("hello"), export()
	again, err := yaml.YAMLToJSON([]byte(exported))
	if err != nil {
		t.Fatal(err)
	}
	for _, replacement := range []string{encode(t, shown.tree), string(again)} {
		c.call(http.StatusOK, "PUT", serving+"/services/hello", replacement)
		now := c.until(serving+"/services/hello", ready)
		now.expect(map[string]string{
			"metadata generation": "1", "status latestCreatedRevisionName": shown.text("status latestCreatedRevisionName"), "spec": shown.text("spec"),
		})
		if got := export(); got != exported {
			t.Errorf("replaced by\n%s\nit exports as\n%s\nwas\n%s", replacement, got, exported)
		}
	}
}

// A service that v2 has made is one that v1 changes nothing of by replacing it.
func TestAServiceOfV2IsReplacedByItself(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	service := controltest.NewService()
	service.Template.Containers = []*runpb.Container{
		{Name: "app", Image: controltest.Image, Ports: []*runpb.ContainerPort{{ContainerPort: 80}}, Resources: &runpb.ResourceRequirements{Limits: map[string]string{"cpu": "2"}}},
		{Name: "sidecar", Image: controltest.Image},
	}
	if _, _, err := c.world.Control.CreateService(t.Context(), &runpb.CreateServiceRequest{Parent: controltest.Parent, ServiceId: "hello", Service: service}); err != nil {
		t.Fatal(err)
	}
	shown := c.until(serving+"/services/hello", ready)
	c.call(http.StatusOK, "PUT", serving+"/services/hello", encode(t, shown.tree))
	c.until(serving+"/services/hello", ready).expect(map[string]string{
		"metadata generation": "1", "status latestCreatedRevisionName": shown.text("status latestCreatedRevisionName"),
	})
}

// contract: REV-7
func TestADryRunOfAServiceStoresNothing(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	c.call(http.StatusOK, "POST", serving+"/services?dryRun=all", serviceBody("hello", "", "")).expect(map[string]string{"metadata name": "hello"})
	c.call(http.StatusNotFound, "GET", serving+"/services/hello", "")
	c.deploy("hello")
	c.call(http.StatusOK, "PUT", serving+"/services/hello?dryRun=all", serviceBody("hello", `,"labels":{"a":"b"}`, "")).expect(map[string]string{"metadata labels a": "b"})
	c.call(http.StatusOK, "DELETE", serving+"/services/hello?dryRun=all", "")
	c.call(http.StatusOK, "GET", serving+"/services/hello", "").expect(map[string]string{"metadata labels a": "null", "metadata generation": "1"})
}

func TestLocationsOfServicesAreKeptApart(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	c.deploy("hello")
	c.host = "europe-west9-localhost"
	c.call(http.StatusNotFound, "GET", serving+"/services/hello", "")
	c.deploy("bonjour")
	c.host = anywhere
	c.call(http.StatusOK, "POST", serving+"/services", serviceBody("labelled", `,"labels":{"cloud.googleapis.com/location":"asia-east1"}`, ""))
	for name, location := range map[string]string{"hello": "us-central1", "bonjour": "europe-west9", "labelled": "asia-east1"} {
		c.call(http.StatusOK, "GET", serving+"/services/"+name, "").expect(map[string]string{"metadata labels cloud.googleapis.com/location": location})
	}
	for path, want := range map[string]string{
		serving: "labelled bonjour hello", "/v1/projects/local/locations/-": "labelled bonjour hello",
		located: "hello", "/v1/projects/" + controltest.ProjectNumber + "/locations/europe-west9": "bonjour", "/v1/projects/local/locations/x": "",
	} {
		if got := names(c.call(http.StatusOK, "GET", path+"/services", "")); got != want {
			t.Errorf("at %s there are %q, want %q", path, got, want)
		}
	}
	c.call(http.StatusOK, "GET", located+"/services/hello", "")
	c.call(http.StatusNotFound, "GET", located+"/services/bonjour", "")
	c.call(http.StatusOK, "PUT", serving+"/services/bonjour", serviceBody("bonjour", "", "")).expect(map[string]string{"metadata labels cloud.googleapis.com/location": "europe-west9"})
	c.call(http.StatusOK, "DELETE", serving+"/services/bonjour", "")
}

func TestConfigurationsAndRoutesAreServices(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	service := c.deploy("hello")
	for _, prefix := range []string{serving, located} {
		c.call(http.StatusOK, "GET", prefix+"/configurations/hello", "").expect(map[string]string{
			"kind": "Configuration", "spec template": service.text("spec template"), "status conditions 0 type": "Ready", "status conditions 1": "null",
			"status latestReadyRevisionName": service.text("status latestReadyRevisionName"), "metadata labels serving.knative.dev/service": "hello",
		})
		c.call(http.StatusOK, "GET", prefix+"/routes/hello", "").expect(map[string]string{
			"kind": "Route", "spec traffic": service.text("spec traffic"), "status url": service.text("status url"), "status traffic": service.text("status traffic"),
		})
		c.call(http.StatusOK, "GET", prefix+"/configurations", "").expect(map[string]string{"kind": "ConfigurationList", "items 0 kind": "Configuration", "items 1": "null"})
		c.call(http.StatusOK, "GET", prefix+"/routes", "").expect(map[string]string{"kind": "RouteList", "items 0 kind": "Route", "items 1": "null"})
	}
	c.call(http.StatusNotFound, "GET", serving+"/routes/none", "")
	c.call(http.StatusNotFound, "DELETE", serving+"/routes/hello", "")
}
