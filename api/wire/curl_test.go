package wire_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"strings"
	"testing"

	"runnel/api/wire"
	"runnel/control/controltest"
)

// findCurl is the path of curl. Without it the test is skipped, but fails where
// tests must run. The variable is testenv.EnvMustRun, by its name: the virtual
// machine, which has no curl, would test a package that imports testenv.
func findCurl(t *testing.T) string {
	t.Helper()
	curl, err := exec.LookPath("curl")
	if err == nil {
		return curl
	}
	const mustRun = "RUNNEL_TEST_MUST_RUN"
	if os.Getenv(mustRun) == "1" {
		t.Fatalf("%s=1 forbids to skip: %v: install curl (make setup does)", mustRun, err)
	}
	t.Skipf("%v: install curl (make setup does)", err)
	return ""
}

// The calls of the documentation work as people type them.
func TestCurl(t *testing.T) {
	t.Parallel()
	curl := findCurl(t)
	w := controltest.New(t)
	s := start(t, wire.Config{Control: w.Control, Token: token})
	base := "http://" + s.addr + "/v2/" + controltest.Parent
	const job = `{"template":{"template":{"containers":[{"image":"us-docker.pkg.dev/cloudrun/container/job:latest"}]}}}`
	for _, tt := range []struct {
		name string
		args []string
		// want are parts of the answer, which is JSON with a member.
		member string
		want   []string
	}{
		{"create", []string{"-X", "POST", "-d", job, base + "/jobs?jobId=hello"}, "name", []string{`/operations/`, `"@type": "type.googleapis.com/google.cloud.run.v2.Job"`}},
		{"create again", []string{"-X", "POST", "-d", job, base + "/jobs?jobId=hello"}, "error", []string{`"code": 409`, `"ALREADY_EXISTS"`}},
		{"get", []string{base + "/jobs/hello"}, "template", []string{`"generation": "1"`, `"uid": "`, `"maxRetries": 3`}},
		{"update", []string{"-X", "PATCH", "-d", job, base + "/jobs/hello"}, "name", []string{`/operations/`}},
		{"list", []string{base + "/jobs"}, "jobs", []string{controltest.Parent + "/jobs/hello"}},
		{"execute", []string{"-X", "POST", base + "/jobs/hello:run"}, "metadata", []string{`google.cloud.run.v2.Execution`}},
		{"executions", []string{base + "/jobs/hello/executions"}, "executions", []string{`/executions/hello-`}},
		{"operations", []string{"-g", base + "/operations?filter=done:true&pageSize=100"}, "operations", []string{`"done": true`}},
		{"policy", []string{base + "/jobs/hello:getIamPolicy?options.requestedPolicyVersion=3"}, "etag", []string{`"ACAB"`}},
		{"locations", []string{"http://" + s.addr + "/v1/projects/p/locations"}, "locations", []string{`"us-central1"`}},
		{"delete", []string{"-X", "DELETE", base + "/jobs/hello"}, "name", []string{`/operations/`}},
		{"instances", []string{base + "/instances"}, "error", []string{`"code": 501`}},
	} {
		args := append([]string{"-sS", "-m", "60", "-H", "Authorization: Bearer " + token, "-H", "Content-Type: application/json; charset=utf-8"}, tt.args...)
		out, err := exec.CommandContext(t.Context(), curl, args...).CombinedOutput()
		if err != nil {
			t.Errorf("%s: %v: %s", tt.name, err, out)
			continue
		}
		var members map[string]json.RawMessage
		if err := json.Unmarshal(out, &members); err != nil || members[tt.member] == nil {
			t.Errorf("%s: no %s: %s", tt.name, tt.member, out)
		}
		for _, want := range tt.want {
			if !strings.Contains(string(out), want) {
				t.Errorf("%s: no %s in %s", tt.name, want, out)
			}
		}
	}
}
