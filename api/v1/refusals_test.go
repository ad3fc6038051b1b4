package v1_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
)

func encode(t *testing.T, v any) string {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestBadRequestsAreRefusedWithThePath(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	c.create("there")
	good := body("new", "")
	const jobs = namespace + "/jobs"
	in := func(old, new string) string { return strings.Replace(good, old, new, 1) }
	for _, tt := range []struct{ name, method, path, body, field, message string }{
		{"unknown field", "POST", jobs, in(`"taskCount"`, `"taskCounts"`), "spec.template.spec.taskCounts", "did you mean taskCount?"},
		{"fraction", "POST", jobs, in(`"taskCount":2`, `"taskCount":2.5`), "spec.template.spec.taskCount", "want a whole number"},
		{"no tasks", "POST", jobs, in(`"taskCount":2`, `"taskCount":0`), "spec.template.spec.taskCount", "0 tasks"},
		{"too many tasks", "POST", jobs, in(`"taskCount":2`, `"taskCount":10001`), "spec.template.spec.taskCount", "10001"},
		{"too many retries", "POST", jobs, in(`"containers"`, `"maxRetries":11,"containers"`), task + "maxRetries", "11 retries"},
		{"no time", "POST", jobs, in(`"containers"`, `"timeoutSeconds":"0","containers"`), task + "timeoutSeconds", ""},
		{"too much time", "POST", jobs, in(`"containers"`, `"timeoutSeconds":608400,"containers"`), task + "timeoutSeconds", ""},
		{"long name", "POST", jobs, in(`"new"`, `"n`+strings.Repeat("x", 49)+`"`), "metadata.name", ""},
		{"capital", "POST", jobs, in(`"new"`, `"New"`), "metadata.name", ""},
		{"slash", "POST", jobs, in(`"new"`, `"a/b"`), "metadata.name", "slash"},
		{"long beginning", "POST", jobs, in(`"name":"new"`, `"generateName":"`+strings.Repeat("x", 31)+`"`), "metadata.generateName", "too long"},
		{"bad label", "POST", jobs, in(`"new"`, `"new","labels":{"A":"b"}`), `metadata.labels["A"]`, ""},
		{"no image", "POST", jobs, in(`"image":"busybox"`, ``), task + "containers[0].image", "missing"},
		{"secret", "POST", jobs, in(`"image":"busybox"`, `"image":"b","env":[{"name":"A","valueFrom":{"secretKeyRef":{"name":"s","key":"1"}}}]`), task + "containers[0].env[0].valueFrom", "not supported"},
		{"other kind", "POST", jobs, in(`"kind":"Job"`, `"kind":"Execution"`), "kind", ""},
		{"other version", "POST", jobs, in(`run.googleapis.com/v1`, `batch/v1`), "apiVersion", ""},
		{"other project", "POST", jobs, in(`"new"`, `"new","namespace":"elsewhere"`), "metadata.namespace", "differs"},
		{"other name", "PUT", jobs + "/there", good, "metadata.name", "differs"},
		{"bad version", "PUT", jobs + "/new", in(`"new"`, `"new","resourceVersion":"5"`), "metadata.resourceVersion", ""},
		{"no JSON", "POST", jobs, "kind: Job", "", "Invalid JSON"},
		{"half JSON", "POST", jobs, good[:100], "", "Invalid JSON"},
		{"list", "POST", jobs, "[]", "", "found a list"},
		{"nothing", "POST", jobs, "", "", "empty"},
		{"too large", "POST", jobs, in("busybox", strings.Repeat("x", 4<<20)), "", "larger than the limit"},
		{"too many values", "POST", jobs, in(`"containers"`, `"x":[`+strings.Repeat("1,", 20000)+`1],"containers"`), "", "more than 20000 values"},
		{"dry run", "POST", jobs + "?dryRun=some", good, "", "dryRun"},
		{"limit", "GET", jobs + "?limit=x", "", "", "limit"},
		{"negative limit", "GET", jobs + "?limit=-1", "", "", "limit"},
		{"selector", "GET", jobs + "?labelSelector=a+b", "", "", "labelSelector"},
		{"token", "GET", jobs + "?continue=x", "", "", ""},
		{"override", "POST", jobs + "/there:run", `{"overrides":{"tasks":1}}`, "overrides.tasks", "unknown field"},
		{"overridden tasks", "POST", jobs + "/there:run", `{"overrides":{"taskCount":10001}}`, "overrides.taskCount", ""},
		{"overridden time", "POST", jobs + "/there:run", `{"overrides":{"timeoutSeconds":608401}}`, "overrides.timeoutSeconds", ""},
		{"dash", "GET", jobs + "/-", "", "", "not a name"},
		{"path in a name", "GET", jobs + "/a%2Fb", "", "", "not a name"},
	} {
		o := c.call2(t, tt.name, tt.method, tt.path, tt.body)
		o.expect(map[string]string{"error status": "INVALID_ARGUMENT", "error code": "400"})
		if !strings.Contains(o.text("error message"), tt.message) {
			t.Errorf("%s: %s", tt.name, o.text("error message"))
		}
		if tt.field == "" {
			continue
		}
		if got, _ := o.at("error", "details", "0", "fieldViolations", "0", "field").(string); got != tt.field {
			t.Errorf("%s: the field is %s, want %s", tt.name, got, tt.field)
		}
	}
}

// call2 is call for one case of a table, where code is 400.
func (c *client) call2(t *testing.T, name, method, path, body string) (o object) {
	t.Helper()
	t.Run(name, func(t *testing.T) {
		one := *c
		one.t = t
		o = one.call(http.StatusBadRequest, method, path, body)
	})
	o.t = t
	return o
}

func TestWhatDoesNotExistIsNotFound(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	for _, tt := range []struct{ method, path string }{
		{"GET", namespace + "/jobs/none"},
		{"POST", namespace + "/jobs/none:run"},
		{"DELETE", namespace + "/jobs/none"},
		{"POST", namespace + "/jobs/none:fly"},
		{"POST", namespace + "/jobs/none"},
		{"PATCH", namespace + "/jobs/none"},
		{"GET", namespace + "/executions/none-abcde"},
		{"DELETE", namespace + "/executions/none-abcde"},
		{"POST", namespace + "/executions/none-abcde:cancel"},
		{"GET", namespace + "/tasks/none-abcde-task0"},
		{"GET", namespace + "/tasks/none"},
		{"GET", namespace + "/services"},
		{"GET", "/apis/serving.knative.dev/v1/namespaces/local/domainmappings"},
		{"GET", "/v1/projects/local/locations/us-central1/operations/none"},
		{"GET", "/v1/projects/local/locations/us-central1/jobs/none:getIamPolicy"},
		{"GET", "/v1/projects/local/locations/us-central1/jobs/none"},
		{"GET", "/"},
	} {
		c.call(http.StatusNotFound, tt.method, tt.path, "").expect(map[string]string{"error status": "NOT_FOUND", "error code": "404"})
	}
}
