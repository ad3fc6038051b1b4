package v1_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"cloud.google.com/go/run/apiv2/runpb"
	"sigs.k8s.io/yaml"

	v1 "runnel/api/v1"
	"runnel/control/controltest"
)

const pools = namespace + "/workerpools"

// poolBody is a worker pool as clients send it; meta and template are more of its
// metadata, and of that of its template.
func poolBody(name, meta, template string) string {
	return `{"apiVersion":"run.googleapis.com/v1","kind":"WorkerPool","metadata":{"name":"` + name + `"` + meta + `},
		"spec":{"template":{"metadata":{"labels":{"client.knative.dev/nonce":"abcdefghij"}` + template + `},
		"spec":{"containers":[{"image":"busybox"}]}}},"status":{"latestReadyRevisionName":"x"}}`
}

// deployPool makes a worker pool and waits until it is ready.
func (c *client) deployPool(name string) object {
	c.t.Helper()
	c.call(http.StatusOK, "POST", pools, poolBody(name, "", ""))
	return c.until(pools+"/"+name, ready)
}

// contract: WP-1 WP-2 WP-7 WP-8
func TestAWorkerPoolLives(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	c.call(http.StatusOK, "POST", pools, poolBody("queue", `,"namespace":"local","labels":{"team":"web"},"annotations":{"run.googleapis.com/client-name":"gcloud","run.googleapis.com/description":"it works"}`, ""))
	pool := c.until(pools+"/queue", ready)
	pool.expect(map[string]string{
		"apiVersion": "run.googleapis.com/v1", "kind": "WorkerPool",
		"metadata namespace": controltest.ProjectNumber, "metadata generation": "1",
		"metadata selfLink":                                           "/apis/run.googleapis.com/v1/namespaces/" + controltest.ProjectNumber + "/workerpools/queue",
		"metadata labels team":                                        "web",
		"metadata labels cloud.googleapis.com/location":               "us-central1",
		"metadata annotations run.googleapis.com/client-name":         "gcloud",
		"metadata annotations run.googleapis.com/description":         "it works",
		"metadata annotations run.googleapis.com/scalingMode":         "manual",
		"metadata annotations run.googleapis.com/manualInstanceCount": "1",
		"metadata annotations run.googleapis.com/operation-id":        "null",
		"spec template metadata labels client.knative.dev/nonce":      "abcdefghij",
		"spec template spec containerConcurrency":                     "null",
		"spec template spec timeoutSeconds":                           "null",
		"spec template spec containers 0 ports":                       "null",
		"spec template spec containers 0 startupProbe":                "null",
		"spec instanceSplits 0 latestRevision":                        "true",
		"spec instanceSplits 0 percent":                               "100",
		"status conditions 0 type":                                    "Ready",
		"status conditions 0 status":                                  "True",
		"status observedGeneration":                                   "1",
		"status instanceSplits 0 latestRevision":                      "true",
		"status instanceSplits 0 percent":                             "100",
		"status url":                                                  "null",
	})
	revision := pool.text("status latestReadyRevisionName")
	pool.expect(map[string]string{"status latestCreatedRevisionName": revision, "status instanceSplits 0 revisionName": revision})
	c.call(http.StatusConflict, "POST", pools, poolBody("queue", "", "")).expect(map[string]string{"error status": "ALREADY_EXISTS"})

	version := pool.text("metadata resourceVersion")
	more := `,"annotations":{"run.googleapis.com/manualInstanceCount":"3"},"resourceVersion":"` + version + `"`
	c.call(http.StatusOK, "PUT", pools+"/queue", poolBody("queue", more, "")).
		expect(map[string]string{"metadata annotations run.googleapis.com/manualInstanceCount": "3", "metadata generation": "2"})
	c.call(http.StatusConflict, "PUT", pools+"/queue", poolBody("queue", `,"resourceVersion":"`+version+`"`, "")).
		expect(map[string]string{"error status": "ABORTED", "error code": "409"})
	c.until(pools+"/queue", ready).expect(map[string]string{"status latestCreatedRevisionName": revision})
	c.call(http.StatusOK, "PUT", pools+"/queue", poolBody("queue", "", `,"name":"queue-two"`))
	c.until(pools+"/queue", ready).expect(map[string]string{"status latestReadyRevisionName": "queue-two"})
	c.call(http.StatusNotFound, "PUT", pools+"/other", poolBody("other", "", "")).expect(map[string]string{"error status": "NOT_FOUND"})
	list := c.call(http.StatusOK, "GET", pools, "")
	list.expect(map[string]string{"kind": "WorkerPoolList", "apiVersion": "run.googleapis.com/v1", "items 0 kind": "WorkerPool", "items 1": "null"})

	c.call(http.StatusOK, "DELETE", pools+"/queue", "").
		expect(map[string]string{"status": "Success", "details name": "queue", "details kind": "workerpools", "details group": "run.googleapis.com"})
	c.gone(pools + "/queue")
	c.gone(serving + "/revisions/" + revision)
}

// contract: WP-2
func TestAWorkerPoolMayHaveNoInstance(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	c.call(http.StatusOK, "POST", pools, poolBody("queue", `,"annotations":{"run.googleapis.com/scalingMode":"manual","run.googleapis.com/manualInstanceCount":"0"}`, ""))
	c.until(pools+"/queue", ready).expect(map[string]string{
		"metadata annotations run.googleapis.com/manualInstanceCount": "0", "status conditions 0 status": "True",
	})
}

func TestReplacingAWorkerPoolByItselfChangesNothing(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	export := func() string {
		pool, err := c.world.Control.WorkerPool(t.Context(), controltest.Parent+"/workerPools/queue")
		if err != nil {
			t.Fatal(err)
		}
		text, err := yaml.Marshal(v1.FormatWorkerPool(pool, v1.Options{Namespace: controltest.ProjectNumber, Export: true}))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	shown, exported := c.deployPool("queue"), export()
	again, err := yaml.YAMLToJSON([]byte(exported))
	if err != nil {
		t.Fatal(err)
	}
	for _, replacement := range []string{encode(t, shown.tree), string(again)} {
		c.call(http.StatusOK, "PUT", pools+"/queue", replacement)
		now := c.until(pools+"/queue", ready)
		now.expect(map[string]string{
			"metadata generation": "1", "status latestCreatedRevisionName": shown.text("status latestCreatedRevisionName"), "spec": shown.text("spec"),
		})
		if got := export(); got != exported {
			t.Errorf("replaced by\n%s\nit exports as\n%s\nwas\n%s", replacement, got, exported)
		}
	}
}

// A worker pool that v2 has made is one that v1 changes nothing of by replacing
// it.
func TestAWorkerPoolOfV2IsReplacedByItself(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	pool := &runpb.WorkerPool{Template: &runpb.WorkerPoolRevisionTemplate{Containers: []*runpb.Container{
		{Name: "app", Image: controltest.Image, Resources: &runpb.ResourceRequirements{Limits: map[string]string{"cpu": "2"}}, DependsOn: []string{"sidecar"}},
		{Name: "sidecar", Image: controltest.Image, StartupProbe: &runpb.Probe{ProbeType: &runpb.Probe_TcpSocket{TcpSocket: &runpb.TCPSocketAction{Port: 9000}}}},
	}}}
	if _, _, err := c.world.Control.CreateWorkerPool(t.Context(), &runpb.CreateWorkerPoolRequest{Parent: controltest.Parent, WorkerPoolId: "queue", WorkerPool: pool}); err != nil {
		t.Fatal(err)
	}
	shown := c.until(pools+"/queue", ready)
	c.call(http.StatusOK, "PUT", pools+"/queue", encode(t, shown.tree))
	c.until(pools+"/queue", ready).expect(map[string]string{
		"metadata generation": "1", "status latestCreatedRevisionName": shown.text("status latestCreatedRevisionName"),
	})
}

func TestADryRunOfAWorkerPoolStoresNothing(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	c.call(http.StatusOK, "POST", pools+"?dryRun=all", poolBody("queue", "", "")).expect(map[string]string{"metadata name": "queue"})
	c.call(http.StatusNotFound, "GET", pools+"/queue", "")
	c.deployPool("queue")
	c.call(http.StatusOK, "PUT", pools+"/queue?dryRun=all", poolBody("queue", `,"labels":{"a":"b"}`, "")).expect(map[string]string{"metadata labels a": "b"})
	c.call(http.StatusOK, "DELETE", pools+"/queue?dryRun=all", "")
	c.call(http.StatusOK, "GET", pools+"/queue", "").expect(map[string]string{"metadata labels a": "null", "metadata generation": "1"})
}

func TestLocationsOfWorkerPoolsAreKeptApart(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	c.deployPool("queue")
	c.host = "europe-west9-localhost"
	c.call(http.StatusNotFound, "GET", pools+"/queue", "")
	c.deployPool("file")
	c.host = anywhere
	for name, location := range map[string]string{"queue": "us-central1", "file": "europe-west9"} {
		c.call(http.StatusOK, "GET", pools+"/"+name, "").expect(map[string]string{"metadata labels cloud.googleapis.com/location": location})
	}
	if got := names(c.call(http.StatusOK, "GET", pools, "")); got != "file queue" {
		t.Errorf("everywhere there are %q", got)
	}
	c.call(http.StatusOK, "PUT", pools+"/file", poolBody("file", "", "")).expect(map[string]string{"metadata labels cloud.googleapis.com/location": "europe-west9"})
	c.call(http.StatusOK, "DELETE", pools+"/file", "")
	c.gone(pools + "/file")
}

// contract: WP-7 WP-8
func TestRevisionsOfWorkerPoolsAreRead(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	service := c.deploy("queue").text("status latestReadyRevisionName")
	first := c.deployPool("queue").text("status latestReadyRevisionName")
	other := c.deployPool("other").text("status latestReadyRevisionName")
	c.call(http.StatusOK, "PUT", pools+"/queue", strings.Replace(poolBody("queue", "", ""), "abcdefghij", "bbbbbbbbbb", 1))
	second := c.until(pools+"/queue", ready).text("status latestReadyRevisionName")

	r := c.until(serving+"/revisions/"+second, settled)
	r.expect(map[string]string{
		"kind": "Revision", "apiVersion": "serving.knative.dev/v1",
		"metadata labels run.googleapis.com/workerPool": "queue",
		"metadata labels serving.knative.dev/service":   "null",
		"spec containerConcurrency":                     "null",
		"spec timeoutSeconds":                           "null",
		"status conditions 0 type":                      "Ready",
		"status conditions 0 status":                    "True",
	})
	if got := r.text("status imageDigest"); !strings.Contains(got, "@sha256:") {
		t.Errorf("imageDigest = %s", got)
	}
	const list = serving + "/revisions"
	for query, want := range map[string]string{
		"?labelSelector=run.googleapis.com/workerPool+%3D+queue":     second + " " + first,
		"?labelSelector=run.googleapis.com/workerPool=none":          "",
		"?labelSelector=run.googleapis.com/workerPool":               second + " " + other + " " + first,
		"?labelSelector=serving.knative.dev/service=queue":           service,
		"?labelSelector=client.knative.dev/nonce=bbbbbbbbbb":         second,
		"?labelSelector=run.googleapis.com/workerPool=queue&limit=1": second,
		"": service + " " + second + " " + other + " " + first,
	} {
		if got := names(c.call(http.StatusOK, "GET", list+query, "")); got != want {
			t.Errorf("%s: %q, want %q", query, got, want)
		}
	}
	var paged []string
	for token := ""; ; {
		page := c.call(http.StatusOK, "GET", list+"?limit=1&continue="+token, "")
		paged = append(paged, strings.Fields(names(page))...)
		if token = page.text("metadata continue"); token == "null" {
			break
		}
	}
	if got, want := strings.Join(paged, " "), service+" "+second+" "+other+" "+first; got != want {
		t.Errorf("by pages there are %q, want %q", got, want)
	}

	c.call(http.StatusBadRequest, "DELETE", list+"/"+second, "").expect(map[string]string{"error status": "FAILED_PRECONDITION"})
	c.call(http.StatusOK, "DELETE", list+"/"+first, "").expect(map[string]string{"status": "Success", "details name": first, "details kind": "revisions"})
	c.gone(list + "/" + first)
	c.call(http.StatusNotFound, "DELETE", list+"/"+first, "")
}

// contract: WP-7
func TestInstancesStayWhereTheyWerePut(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	first := c.deployPool("queue").text("status latestReadyRevisionName")
	body := strings.Replace(poolBody("queue", `,"annotations":{"run.googleapis.com/manualInstanceCount":"10"}`, ""), "abcdefghij", "bbbbbbbbbb", 1)
	body = strings.Replace(body, `"spec":{"template"`, `"spec":{"instanceSplits":[{"revisionName":"`+first+`","percent":30},{"latestRevision":true,"percent":70}],"template"`, 1)
	c.call(http.StatusOK, "PUT", pools+"/queue", body)
	pool := c.until(pools+"/queue", ready)
	latest := pool.text("status latestReadyRevisionName")
	pool.expect(map[string]string{
		"spec instanceSplits 0 revisionName": first, "spec instanceSplits 0 percent": "30", "spec instanceSplits 1 latestRevision": "true", "spec instanceSplits 1 revisionName": "null",
		"status instanceSplits 0 revisionName": first, "status instanceSplits 0 percent": "30",
		"status instanceSplits 1 revisionName": latest, "status instanceSplits 1 latestRevision": "true", "status instanceSplits 1 percent": "70",
	})
	if latest == first {
		t.Error("no new revision")
	}
}

// Whoever waits for a worker pool as gcloud does is shown one of v1.
func TestTheOperationOfAWorkerPoolIsWaitedFor(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	c.world.Fleet.Play(func(*runpb.Revision) controltest.Trial { return controltest.Trial{Hold: true} })
	posted := c.call(http.StatusOK, "POST", pools, poolBody("queue", "", ""))
	id := posted.text("metadata annotations run.googleapis.com/operation-id")
	posted.expect(map[string]string{"status conditions 0 status": "Unknown"})
	path := located + "/operations/" + id
	c.call(http.StatusOK, "POST", path+":wait", `{"timeout":"0.01s"}`).expect(map[string]string{
		"name": controltest.Parent + "/operations/" + id, "done": "null", "response": "null",
		"metadata apiVersion": "run.googleapis.com/v1", "metadata metadata name": "queue", "metadata status conditions 0 status": "Unknown",
	})
	done := make(chan object, 1)
	go func() { done <- c.call(http.StatusOK, "POST", path+":wait", `{"timeout":"30s"}`) }()
	// Whether the trial has begun or not: it ends.
	c.world.Fleet.Play(func(*runpb.Revision) controltest.Trial { return controltest.Trial{} })
	c.world.Fleet.Release()
	select {
	case o := <-done:
		o.expect(map[string]string{
			"done": "true", "error": "null", "response @type": "type.googleapis.com/google.cloud.run.v1.WorkerPool",
			"response metadata name": "queue", "response metadata namespace": controltest.ProjectNumber,
			"response status conditions 0 status": "True", "response metadata generation": "1", "response status observedGeneration": "1",
		})
	case <-time.After(time.Minute):
		t.Fatal("the operation does not end")
	}
}

func TestWorkerPoolsHavePolicies(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	c.deployPool("queue")
	const path = located + "/workerpools/queue:"
	c.call(http.StatusOK, "GET", path+"getIamPolicy?options.requestedPolicyVersion=3", "").expect(map[string]string{"etag": "ACAB"})
	c.call(http.StatusOK, "POST", path+"setIamPolicy", `{"policy":{"bindings":[{"role":"roles/run.viewer","members":["user:a@b.example"]}],"etag":"ACAB"}}`)
	c.call(http.StatusOK, "GET", path+"getIamPolicy", "").expect(map[string]string{"bindings 0 members 0": "user:a@b.example"})
	c.call(http.StatusConflict, "POST", path+"setIamPolicy", `{"policy":{"etag":"ACAB"}}`)
	c.call(http.StatusOK, "POST", path+"testIamPermissions", `{"permissions":["run.workerpools.get"]}`).expect(map[string]string{"permissions 0": "run.workerpools.get"})
	c.call(http.StatusNotFound, "GET", located+"/workerpools/none:getIamPolicy", "")
	c.call(http.StatusNotFound, "POST", path+"fly", "")
}

// contract: WP-1 WP-9
func TestBadRequestsAboutWorkerPoolsAreRefusedWithThePath(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	c.deployPool("there")
	good := poolBody("new", "", "")
	const spec = "spec.template.spec."
	in := func(old, new string) string { return strings.Replace(good, old, new, 1) }
	many := `"containers":[` + strings.TrimSuffix(strings.Repeat(`{"image":"busybox"},`, 11), ",") + `]`
	for _, tt := range []struct{ name, method, path, body, field, message string }{
		{"empty", "POST", pools, "", "", "want a WorkerPool"},
		{"a service", "POST", pools, serviceBody("x", "", ""), "kind", "Service is not accepted here: want WorkerPool"},
		{"a worker pool for a service", "POST", serving + "/services", good, "kind", "WorkerPool is not accepted here: want Service"},
		{"unknown field", "POST", pools, in(`"containers"`, `"container":1,"containers"`), spec + "container", "did you mean containers?"},
		{"ports", "POST", pools, in(`"image"`, `"ports":[{"containerPort":80}],"image"`), spec + "containers[0].ports", "takes no requests"},
		{"timeout", "POST", pools, in(`"containers"`, `"timeoutSeconds":300,"containers"`), spec + "timeoutSeconds", "takes no requests"},
		{"concurrency", "POST", pools, in(`"containers"`, `"containerConcurrency":1,"containers"`), spec + "containerConcurrency", "takes no requests"},
		{"no image", "POST", pools, in(`"image":"busybox"`, ``), spec + "containers[0].image", "missing"},
		{"too many containers", "POST", pools, in(`"containers":[{"image":"busybox"}]`, many), spec + "containers", "at most 10"},
		{"number", "POST", pools, in(`"new"`, `"new","annotations":{"run.googleapis.com/manualInstanceCount":"x"}`), `metadata.annotations["run.googleapis.com/manualInstanceCount"]`, "whole number"},
		{"automatic", "POST", pools, in(`"new"`, `"new","annotations":{"run.googleapis.com/scalingMode":"automatic"}`), `metadata.annotations["run.googleapis.com/scalingMode"]`, "not scaled automatically"},
		{"revision", "POST", pools, poolBody("new", "", `,"name":"old-1"`), "spec.template.metadata.name", ""},
		{"percent", "POST", pools, in(`"spec":{"template"`, `"spec":{"instanceSplits":[{"latestRevision":true,"percent":99}],"template"`), "spec.instanceSplits", "99"},
		{"no such revision", "PUT", pools + "/there", strings.Replace(poolBody("there", "", ""), `"spec":{"template"`, `"spec":{"instanceSplits":[{"revisionName":"there-9","percent":100}],"template"`, 1), "spec.instanceSplits[0].revisionName", "there-9"},
		{"long name", "POST", pools, in(`"new"`, `"n`+strings.Repeat("x", 63)+`"`), "metadata.name", ""},
		{"other name", "PUT", pools + "/there", good, "metadata.name", "differs"},
		{"bad version", "PUT", pools + "/new", in(`"new"`, `"new","resourceVersion":"5"`), "metadata.resourceVersion", ""},
		{"dry run", "POST", pools + "?dryRun=some", good, "", "dryRun"},
		{"dash", "GET", pools + "/-", "", "", "not a name"},
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
