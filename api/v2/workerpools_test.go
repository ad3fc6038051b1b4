package v2_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"runnel/control/controltest"
)

const pools = "/v2/" + controltest.Parent + "/workerPools"

// contract: WP-2 WP-7 WP-8
func TestAWorkerPoolLivesOverREST(t *testing.T) {
	t.Parallel()
	d := open(t)
	made := d.apply("POST", pools+"?workerPoolId=work&$alt=json;enum-encoding=int",
		`{"name":"ignored","launchStage":4,"template":{"containers":[`+container+`]},"scaling":{"manualInstanceCount":"2"}}`)
	if made["@type"] != "type.googleapis.com/google.cloud.run.v2.WorkerPool" || made["name"] != controltest.Parent+"/workerPools/work" || made["generation"] != "1" {
		t.Errorf("made: %v", made)
	}
	if text, _ := json.Marshal(made); strings.Contains(string(text), "uri") || strings.Contains(string(text), "traffic") {
		t.Errorf("it is as if requests came: %s", text)
	}
	first, etag := made["latestReadyRevision"].(string), made["etag"].(string)
	if got := d.apply("PATCH", pools+"/work?updateMask=description", `{"description":"d"}`); got["latestReadyRevision"] != first || got["generation"] != "2" || got["description"] != "d" {
		t.Errorf("described: %v", got)
	}
	stale, err := json.Marshal(map[string]any{"etag": etag})
	if err != nil {
		t.Fatal(err)
	}
	d.call(http.StatusConflict, "PATCH", pools+"/work?updateMask=description", string(stale))
	got := d.apply("PATCH", pools+"/work?updateMask=template.labels,instanceSplits,scaling.manual_instance_count",
		`{"template":{"labels":{"a":"b"}},"instanceSplits":[{"type":"INSTANCE_SPLIT_ALLOCATION_TYPE_REVISION","revision":"`+short(first)+`","percent":60},{"type":1,"percent":40}],"scaling":{"manualInstanceCount":5}}`)
	second := got["latestReadyRevision"].(string)
	if statuses, _ := got["instanceSplitStatuses"].([]any); len(statuses) != 2 || second == first || got["description"] != "d" {
		t.Errorf("changed: %v", got)
	}
	if n, m := len(d.world.Fleet.Living(first)), len(d.world.Fleet.Living(second)); n != 3 || m != 2 {
		t.Errorf("%d and %d instances", n, m)
	}
	if got := d.call(http.StatusOK, "GET", "/v2/"+second, ""); got["labels"].(map[string]any)["run.googleapis.com/workerPool"] != "work" || got["generation"] != "1" {
		t.Errorf("the second revision: %v", got)
	}
	if got := d.call(http.StatusOK, "GET", pools+"/-/revisions?pageSize=1", ""); got["nextPageToken"] == nil || got["revisions"].([]any)[0].(map[string]any)["name"] != second {
		t.Errorf("revisions: %v", got)
	}
	d.call(http.StatusBadRequest, "DELETE", "/v2/"+first, "")
	d.apply("PATCH", pools+"/work?updateMask=instanceSplits", `{}`)
	d.apply("DELETE", "/v2/"+first, "")
	if got := d.call(http.StatusOK, "GET", pools, ""); len(got["workerPools"].([]any)) != 1 {
		t.Errorf("worker pools: %v", got)
	}
	if gone := d.apply("DELETE", pools+"/work", ""); gone["deleteTime"] == nil {
		t.Errorf("deleted: %v", gone)
	}
	d.call(http.StatusNotFound, "GET", pools+"/work", "")
}

func TestANewRevisionOfAWorkerPoolCanBeForced(t *testing.T) {
	t.Parallel()
	d := open(t)
	body := `{"template":{"containers":[` + container + `]}}`
	first := d.apply("POST", pools+"?workerPoolId=work", body)["latestReadyRevision"]
	for query, renewed := range map[string]bool{"": false, "?forceNewRevision=false": false, "?forceNewRevision=true": true, "?force_new_revision=true&updateMask=description": true} {
		next := d.apply("PATCH", pools+"/work"+query, body)["latestReadyRevision"]
		if (next != first) != renewed {
			t.Errorf("%q: %v after %v", query, next, first)
		}
		first = next
	}
}

func TestADryRunOfAWorkerPoolStoresNothing(t *testing.T) {
	t.Parallel()
	d := open(t)
	body := `{"template":{"containers":[` + container + `]}}`
	d.call(http.StatusOK, "POST", pools+"?workerPoolId=work&validateOnly=true", body)
	d.call(http.StatusNotFound, "GET", pools+"/work", "")
	d.call(http.StatusNotFound, "PATCH", pools+"/work", body)
	d.call(http.StatusOK, "PATCH", pools+"/work?allowMissing=true&validateOnly=true", body)
	d.call(http.StatusNotFound, "GET", pools+"/work", "")
	d.apply("PATCH", pools+"/work?allowMissing=true", body)
	d.call(http.StatusOK, "DELETE", pools+"/work?validateOnly=true", "")
	d.call(http.StatusOK, "GET", pools+"/work", "")
}

// contract: WP-1 WP-9
func TestWhatIsWrongWithAWorkerPoolIsToldByItsPath(t *testing.T) {
	t.Parallel()
	d := open(t)
	for body, path := range map[string]string{
		`{"template":{"containers":[{"image":"x","ports":[{"containerPort":80}]}]}}`:           "workerPool.template.containers[0].ports",
		`{"template":{"containers":[` + container + `]},"scaling":{"manualInstanceCount":-1}}`: "workerPool.scaling.manualInstanceCount",
		`{"template":{"containers":[` + container + `]},"instanceSplits":[{"percent":50}]}`:    "workerPool.instanceSplits",
		`{"template":{"containers":[` + container + strings.Repeat(","+container, 10) + `]}}`:  "workerPool.template.containers",
		`{}`: "workerPool.template",
	} {
		answer := d.call(http.StatusBadRequest, "POST", pools+"?workerPoolId=work", body)
		if text, _ := json.Marshal(answer); !strings.Contains(string(text), `"field":"`+path+`"`) {
			t.Errorf("%s: %s", body, text)
		}
	}
	// What only services have is no field of a worker pool.
	d.call(http.StatusBadRequest, "POST", pools+"?workerPoolId=work", `{"template":{"timeout":"5s","containers":[`+container+`]}}`)
	d.call(http.StatusBadRequest, "POST", pools, `{"template":{"containers":[`+container+`]}}`)
	answer := d.call(http.StatusBadRequest, "GET", "/v2/projects/local/locations/-/workerPools", "")
	if text, _ := json.Marshal(answer); !strings.Contains(string(text), "parent: ") {
		t.Errorf("%s", text)
	}
}
