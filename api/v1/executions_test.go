package v1_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"runnel/contract"
	"runnel/control/controltest"
)

// contract: JOB-11 JOB-18 JOB-19 JOB-22
func TestAnExecutionRuns(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	c.create("hello")
	x := c.call(http.StatusOK, "POST", namespace+"/jobs/hello:run", `{"overrides":{"taskCount":3,"timeoutSeconds":"30","containerOverrides":[{"args":["a"],"env":[{"name":"A","value":"b"}]}]}}`)
	x.expect(map[string]string{
		"kind": "Execution", "apiVersion": "run.googleapis.com/v1",
		"spec taskCount": "3", "spec template spec timeoutSeconds": "30",
		"spec template spec containers 0 args 0":        "a",
		"spec template spec containers 0 env 0 name":    "A",
		"metadata labels run.googleapis.com/job":        "hello",
		"metadata labels cloud.googleapis.com/location": "us-central1",
	})
	name := x.text("metadata name")
	x = c.until(namespace+"/executions/"+name, settled)
	x.expect(map[string]string{
		"status conditions 0 type": "Completed", "status conditions 0 status": "True",
		"status succeededCount": "3", "status failedCount": "null",
	})
	c.call(http.StatusOK, "GET", namespace+"/jobs/hello", "").expect(map[string]string{
		"status executionCount": "1", "status latestCreatedExecution name": name,
		"status latestCreatedExecution completionStatus": "EXECUTION_SUCCEEDED", "spec template spec taskCount": "2",
	})
	c.call(http.StatusOK, "GET", namespace+"/tasks/"+name+"-task1", "").expect(map[string]string{
		"kind": "Task", "status index": "1",
		"metadata labels run.googleapis.com/runningState": "Succeeded",
		"metadata labels run.googleapis.com/execution":    name,
		"metadata labels run.googleapis.com/job":          "hello",
	})
	c.call(http.StatusNotFound, "GET", namespace+"/tasks/"+name+"-task3", "")
	c.call(http.StatusBadRequest, "POST", namespace+"/executions/"+name+":cancel", "{}").expect(map[string]string{"error status": "FAILED_PRECONDITION"})
	c.call(http.StatusOK, "DELETE", namespace+"/executions/"+name, "").expect(map[string]string{"status": "Success", "details kind": "executions"})
	c.gone(namespace + "/executions/" + name)
}

// contract: JOB-12
func TestAnExecutionIsCancelled(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	c.world.Instances.Always(controltest.Script{Hold: true})
	c.create("hello")
	name := c.call(http.StatusOK, "POST", namespace+"/jobs/hello:run", "").text("metadata name")
	c.until(namespace+"/executions/"+name, func(o object) bool { return o.text("status runningCount") == "2" })
	c.call(http.StatusOK, "POST", namespace+"/executions/"+name+":cancel", "{}")
	c.until(namespace+"/executions/"+name, settled).expect(map[string]string{
		"status conditions 0 status": "False", "status conditions 0 reason": "Cancelled", "status cancelledCount": "2",
	})
}

// What runs can be deleted, and never looks as if the deletion had failed.
func TestARunningExecutionIsDeleted(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	c.world.Instances.Always(controltest.Script{Hold: true})
	c.create("hello")
	name := c.call(http.StatusOK, "POST", namespace+"/jobs/hello:run", "").text("metadata name")
	path := namespace + "/executions/" + name
	c.until(path, func(o object) bool { return o.text("status runningCount") == "2" })
	c.call(http.StatusOK, "DELETE", path, "")
	c.gone(path)
}

func TestListsAreChosenByLabel(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	for _, job := range []string{"a", "b"} {
		c.create(job)
	}
	c.world.Instances.Always(controltest.Script{Exit: contract.Exit{Code: 3}})
	run := func(job string) string {
		name := c.call(http.StatusOK, "POST", namespace+"/jobs/"+job+":run", `{"overrides":{"taskCount":2}}`).text("metadata name")
		c.until(namespace+"/executions/"+name, settled)
		return name
	}
	a := run("a")
	c.world.Instances.Always(controltest.Script{})
	a2, b := run("a"), run("b")
	for selector, want := range map[string]string{
		"":                                    b + " " + a2 + " " + a,
		"run.googleapis.com/job = a":          a2 + " " + a,
		"run.googleapis.com/job != a":         b,
		"run.googleapis.com/job = none":       "",
		"run.googleapis.com/job in (a,b),!x":  b + " " + a2 + " " + a,
		"cloud.googleapis.com/location=local": "",
	} {
		list := c.call(http.StatusOK, "GET", namespace+"/executions?limit=100&labelSelector="+url.QueryEscape(selector), "")
		list.expect(map[string]string{"kind": "ExecutionsList"})
		if got := names(list); got != want {
			t.Errorf("%s: %s, want %s", selector, got, want)
		}
	}
	const execution, state = "run.googleapis.com/execution", "run.googleapis.com/runningState"
	for selector, want := range map[string]string{
		execution + " = " + a: a + "-task0 " + a + "-task1",
		execution + " = " + a + "," + state + " in (Failed,Cancelled)": a + "-task0 " + a + "-task1",
		execution + " = " + a + "," + state + " = Succeeded":           "",
		execution + " = none":        "",
		"run.googleapis.com/job = b": b + "-task0 " + b + "-task1",
	} {
		list := c.call(http.StatusOK, "GET", namespace+"/tasks?labelSelector="+url.QueryEscape(selector), "")
		list.expect(map[string]string{"kind": "TasksList"})
		if got := names(list); got != want {
			t.Errorf("%s: %s, want %s", selector, got, want)
		}
	}
}

func TestOperationsAndPoliciesAreServed(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	c.create("hello")
	const location = "/v1/projects/local/locations/us-central1"
	list := c.call(http.StatusOK, "GET", location+"/operations?pageSize=10", "")
	name := list.text("operations 0 name")
	if !strings.HasPrefix("/v1/"+name, location+"/operations/") {
		t.Fatalf("operations = %v", list.tree)
	}
	c.call(http.StatusOK, "POST", "/v1/"+name+":wait", `{"timeout":"10s"}`).expect(map[string]string{
		"done": "true", "response @type": "type.googleapis.com/google.cloud.run.v2.Job",
	})
	c.call(http.StatusOK, "GET", "/v1/"+name, "").expect(map[string]string{"name": name})
	c.call(http.StatusOK, "DELETE", "/v1/"+name, "")
	c.call(http.StatusNotFound, "GET", "/v1/"+name, "")

	const job = location + "/jobs/hello"
	c.call(http.StatusOK, "GET", job+":getIamPolicy", "").expect(map[string]string{"etag": "ACAB"})
	set := c.call(http.StatusOK, "POST", job+":setIamPolicy", `{"policy":{"bindings":[{"role":"roles/run.invoker","members":["user:a@example.com"]}],"etag":"ACAB"}}`)
	set.expect(map[string]string{"bindings 0 role": "roles/run.invoker"})
	c.call(http.StatusOK, "GET", job+":getIamPolicy", "").expect(map[string]string{"etag": set.text("etag"), "bindings 0 members 0": "user:a@example.com"})
	c.call(http.StatusConflict, "POST", job+":setIamPolicy", `{"policy":{"etag":"ACAB"}}`)
	c.call(http.StatusBadRequest, "POST", job+":setIamPolicy", `{"policies":{}}`)
	c.call(http.StatusOK, "POST", job+":testIamPermissions", `{"permissions":["run.jobs.run"]}`).expect(map[string]string{"permissions 0": "run.jobs.run"})
}

func TestAListWithoutALimitIsWhole(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	c.world.Instances.Always(controltest.Script{Hold: true})
	c.create("hello")
	name := c.call(http.StatusOK, "POST", namespace+"/jobs/hello:run", `{"overrides":{"taskCount":1005}}`).text("metadata name")
	list := c.call(http.StatusOK, "GET", namespace+"/tasks?labelSelector="+url.QueryEscape("run.googleapis.com/execution = "+name), "")
	if got := len(list.at("items").([]any)); got != 1005 || list.text("metadata continue") != "null" {
		t.Errorf("%d tasks are listed, continued at %s", got, list.text("metadata continue"))
	}
}
