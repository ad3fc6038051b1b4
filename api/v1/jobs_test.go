package v1_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"cloud.google.com/go/run/apiv2/runpb"
	"sigs.k8s.io/yaml"

	v1 "runnel/api/v1"
	"runnel/control/controltest"
)

func TestAJobLives(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	c.call(http.StatusOK, "POST", namespace+"/jobs", body("hello", `,"namespace":"local","labels":{"team":"data"},"annotations":{"run.googleapis.com/client-name":"gcloud","run.googleapis.com/client-version":"528.0.0"}`))
	job := c.until(namespace+"/jobs/hello", settled)
	job.expect(map[string]string{
		"apiVersion": "run.googleapis.com/v1", "kind": "Job",
		"metadata namespace": controltest.ProjectNumber, "metadata generation": "1",
		"metadata selfLink":                                   "/apis/run.googleapis.com/v1/namespaces/" + controltest.ProjectNumber + "/jobs/hello",
		"metadata labels team":                                "data",
		"metadata labels cloud.googleapis.com/location":       "us-central1",
		"metadata annotations run.googleapis.com/client-name": "gcloud",
		"spec template spec taskCount":                        "2",
		"spec template spec template spec maxRetries":         "3",
		"spec template spec template spec timeoutSeconds":     "600",
		"status conditions 0 type":                            "Ready",
		"status conditions 0 status":                          "True",
		"status observedGeneration":                           "1",
	})
	c.call(http.StatusConflict, "POST", namespace+"/jobs", body("hello", "")).expect(map[string]string{"error status": "ALREADY_EXISTS"})

	version := job.text("metadata resourceVersion")
	c.call(http.StatusOK, "PUT", namespace+"/jobs/hello", body("hello", `,"labels":{"team":"web"},"resourceVersion":"`+version+`"`)).
		expect(map[string]string{"metadata labels team": "web", "metadata annotations run.googleapis.com/client-name": "null"})
	c.call(http.StatusConflict, "PUT", namespace+"/jobs/hello", body("hello", `,"resourceVersion":"`+version+`"`)).
		expect(map[string]string{"error status": "ABORTED", "error code": "409"})
	c.call(http.StatusOK, "PUT", namespace+"/jobs/hello", body("hello", ""))
	c.call(http.StatusNotFound, "PUT", namespace+"/jobs/other", body("other", "")).expect(map[string]string{"error status": "NOT_FOUND"})

	c.call(http.StatusOK, "DELETE", namespace+"/jobs/hello?propagationPolicy=Background", "").
		expect(map[string]string{"status": "Success", "details name": "hello", "details kind": "jobs", "details group": "run.googleapis.com"})
	c.gone(namespace + "/jobs/hello")
	c.call(http.StatusNotFound, "DELETE", namespace+"/jobs/hello", "")
}

// What v2 takes v1 takes back.
func TestALargeJobCanBeReplaced(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	job := controltest.NewJob(1)
	for i := range 100 {
		job.Template.Template.Containers[0].Env = append(job.Template.Template.Containers[0].Env,
			&runpb.EnvVar{Name: fmt.Sprint("A", i), Values: &runpb.EnvVar_Value{Value: strings.Repeat("x", 32<<10)}})
	}
	if _, _, err := c.world.Control.CreateJob(t.Context(), &runpb.CreateJobRequest{Parent: controltest.Parent, JobId: "large", Job: job}); err != nil {
		t.Fatal(err)
	}
	shown := c.until(namespace+"/jobs/large", settled)
	c.call(http.StatusOK, "PUT", namespace+"/jobs/large", encode(t, shown.tree))
}

// contract: JOB-28
func TestReplacingAJobByItselfChangesNothing(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	export := func() string {
		job, err := c.world.Control.Job(t.Context(), controltest.Parent+"/jobs/hello")
		if err != nil {
			t.Fatal(err)
		}
		text, err := yaml.Marshal(v1.FormatJob(job, v1.Options{Namespace: controltest.ProjectNumber, Export: true}))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	shown, exported := c.create("hello"), export()
	again, err := yaml.YAMLToJSON([]byte(exported))
	if err != nil {
		t.Fatal(err)
	}
	for _, replacement := range []string{encode(t, shown.tree), string(again)} {
		c.call(http.StatusOK, "PUT", namespace+"/jobs/hello", replacement)
		now := c.until(namespace+"/jobs/hello", settled)
		if got := export(); got != exported || now.text("metadata generation") != "1" {
			t.Errorf("replaced by\n%s\nit exports as\n%s\nwas\n%s\n%v", replacement, got, exported, now.tree)
		}
		if got, want := now.text("spec"), shown.text("spec"); got != want {
			t.Errorf("spec is %s, was %s", got, want)
		}
	}
}

func TestADryRunStoresNothing(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	c.call(http.StatusOK, "POST", namespace+"/jobs?dryRun=all", body("hello", "")).expect(map[string]string{"metadata name": "hello"})
	c.call(http.StatusNotFound, "GET", namespace+"/jobs/hello", "")
	c.create("hello")
	c.call(http.StatusOK, "PUT", namespace+"/jobs/hello?dryRun=all", body("hello", `,"labels":{"a":"b"}`)).expect(map[string]string{"metadata labels a": "b"})
	c.call(http.StatusOK, "DELETE", namespace+"/jobs/hello?dryRun=all", "")
	c.call(http.StatusOK, "GET", namespace+"/jobs/hello", "").expect(map[string]string{"metadata labels a": "null"})
}

func TestTheServerCompletesAName(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	text := strings.Replace(body("x", ""), `"name":"x"`, `"generateName":"report-"`, 1)
	name := c.call(http.StatusOK, "POST", namespace+"/jobs", text).text("metadata name")
	if !strings.HasPrefix(name, "report-") || len(name) != len("report-")+5 {
		t.Errorf("name = %s", name)
	}
	c.call(http.StatusOK, "GET", namespace+"/jobs/"+name, "")
}

func TestLocationsAreKeptApart(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	c.create("hello")
	c.host = "europe-west9-localhost"
	c.call(http.StatusNotFound, "GET", namespace+"/jobs/hello", "")
	c.create("bonjour")
	c.host = anywhere
	c.call(http.StatusOK, "POST", namespace+"/jobs", body("labelled", `,"labels":{"cloud.googleapis.com/location":"asia-east1"}`))
	c.call(http.StatusOK, "POST", namespace+"/jobs", body("default", ""))
	for name, location := range map[string]string{"hello": "us-central1", "bonjour": "europe-west9", "labelled": "asia-east1", "default": "us-central1"} {
		c.call(http.StatusOK, "GET", namespace+"/jobs/"+name, "").expect(map[string]string{"metadata labels cloud.googleapis.com/location": location})
	}
	for host, want := range map[string]string{anywhere: "default labelled bonjour hello", here: "default hello", "europe-west9-localhost": "bonjour", "us-west1-x": ""} {
		c.host = host
		if got := names(c.call(http.StatusOK, "GET", namespace+"/jobs", "")); got != want {
			t.Errorf("at %s there are %q, want %q", host, got, want)
		}
	}
	c.host = anywhere
	c.call(http.StatusOK, "PUT", namespace+"/jobs/bonjour", body("bonjour", "")).expect(map[string]string{"metadata labels cloud.googleapis.com/location": "europe-west9"})
	c.call(http.StatusOK, "DELETE", namespace+"/jobs/bonjour", "")
	c.call(http.StatusOK, "GET", strings.Replace(namespace, controltest.Project, controltest.ProjectNumber, 1)+"/jobs/hello", "")
}

// names are those of a list's items.
func names(o object) string {
	items, _ := o.at("items").([]any)
	var out []string
	for _, item := range items {
		out = append(out, object{o.t, item}.text("metadata name"))
	}
	return strings.Join(out, " ")
}

func TestListsComeInPages(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	for _, name := range []string{"a", "b", "c"} {
		c.call(http.StatusOK, "POST", namespace+"/jobs", body(name, `,"labels":{"team":"x"}`))
	}
	c.call(http.StatusOK, "POST", namespace+"/jobs", body("d", ""))
	all := c.call(http.StatusOK, "GET", namespace+"/jobs", "")
	all.expect(map[string]string{"kind": "JobsList", "apiVersion": "run.googleapis.com/v1", "metadata continue": "null"})
	if got := names(all); got != "d c b a" {
		t.Errorf("all = %s", got)
	}
	path, seen := namespace+"/jobs?limit=1&labelSelector=team+%3D+x", ""
	for token := ""; ; {
		page := c.call(http.StatusOK, "GET", path+"&continue="+token, "")
		seen += names(page) + ";"
		token = page.text("metadata continue")
		if token == "null" {
			break
		}
		c.call(http.StatusBadRequest, "GET", namespace+"/jobs?limit=1&continue="+token, "")
	}
	if seen != "c;b;a;" {
		t.Errorf("pages = %s", seen)
	}
}
