package integration

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	run "cloud.google.com/go/run/apiv2"
	"cloud.google.com/go/run/apiv2/runpb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// contract: JOB-11, JOB-22, JOB-30
// Google's client for Go, over REST and over gRPC, before and after a kill.
func TestGoClient(t *testing.T) {
	hostOnly(t, "it does not depend on the kernel's version")
	h := openHost(t)
	d := h.serve()
	ctx := h.limit(3 * patience())
	for name, open := range map[string]func() (*run.JobsClient, error){
		"rest": func() (*run.JobsClient, error) { return run.NewJobsRESTClient(ctx, d.rest()...) },
		"grpc": func() (*run.JobsClient, error) { return run.NewJobsClient(ctx, d.grpc()...) },
	} {
		jobs, err := open()
		if err != nil {
			t.Fatal(err)
		}
		h.Cleanup(func() { _ = jobs.Close() }) // grpc closes its connection with the options
		job := driveGoClient(ctx, t, jobs, name+"-job", single(h, `echo $GREETING; exit $CODE`))
		d.kill()
		d.start()
		op, err := jobs.DeleteJob(ctx, &runpb.DeleteJobRequest{Name: job})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if gone, err := op.Wait(ctx); err != nil || gone.GetName() != job {
			t.Errorf("%s: deleted %v, %v", name, gone, err)
		}
		if _, err := jobs.GetJob(ctx, &runpb.GetJobRequest{Name: job}); status.Code(err) != codes.NotFound {
			t.Errorf("%s: the deleted job: %v", name, err)
		}
	}
}

// driveGoClient creates a job and runs it, well and badly.
func driveGoClient(ctx context.Context, t *testing.T, jobs *run.JobsClient, id string, template *runpb.ExecutionTemplate) string {
	t.Helper()
	template.Template.Retries = &runpb.TaskTemplate_MaxRetries{MaxRetries: 0}
	op, err := jobs.CreateJob(ctx, &runpb.CreateJobRequest{Parent: parent, JobId: id, Job: &runpb.Job{Template: template}})
	if err != nil {
		t.Fatalf("%s: %v", id, err)
	}
	job, err := op.Wait(ctx)
	if err != nil {
		t.Fatalf("%s: %v", id, err)
	}
	for code, want := range map[string]codes.Code{"0": codes.OK, "1": codes.Aborted} {
		op, err := jobs.RunJob(ctx, &runpb.RunJobRequest{Name: job.GetName(), Overrides: &runpb.RunJobRequest_Overrides{
			TaskCount: 2,
			ContainerOverrides: []*runpb.RunJobRequest_Overrides_ContainerOverride{{
				Env: []*runpb.EnvVar{{Name: "CODE", Values: &runpb.EnvVar_Value{Value: code}}},
			}},
		}})
		if err != nil {
			t.Fatalf("%s: %v", id, err)
		}
		x, err := op.Wait(ctx)
		if status.Code(err) != want || err == nil && x.GetSucceededCount() != 2 {
			t.Errorf("%s: exit code %s: %v, %v", id, code, x, err)
		}
	}
	return job.GetName()
}

// Google's client for Node.js, over REST, with nothing changed but the endpoint,
// before and after a kill.
func TestNodeClient(t *testing.T) {
	hostOnly(t, "there is no Node.js")
	h := openHost(t)
	d := h.serve()
	for range 2 {
		d.node("client.mjs", h.shell())
		d.kill()
		d.start()
	}
}

// node runs a script of testdata with the port of the API, the token's file, and
// args. "make test" has brought its packages: here there is no way out.
func (d *daemon) node(script string, args ...string) {
	d.h.Helper()
	modules, err := filepath.Abs("../.cache/node/node_modules")
	if err != nil {
		d.h.Fatal(err)
	}
	if _, err := os.Stat(modules); err != nil {
		d.h.Fatalf("%v: run make .cache/node first", err)
	}
	dir := d.h.TempDir()
	if err := errors.Join(os.CopyFS(dir, os.DirFS("testdata/node")), os.Symlink(modules, dir+"/node_modules")); err != nil {
		d.h.Fatal(err)
	}
	port := d.address[strings.LastIndexByte(d.address, ':')+1:]
	c := exec.CommandContext(d.h.limit(2*patience()), "node", append([]string{script, port, filepath.Join(d.root, "api-token")}, args...)...)
	c.Dir = dir
	if out, err := c.CombinedOutput(); err != nil {
		d.h.Fatalf("%s: %v\n%s", script, err, out)
	}
}

// The documented REST examples with curl, over TCP, with the token, before and
// after a kill.
func TestDocumentedRequests(t *testing.T) {
	hostOnly(t, "there is no curl")
	h := openHost(t)
	d := h.serve()
	base := "http://" + d.address + "/v2/" + parent + "/jobs"
	body := func(args string) string {
		text, err := json.Marshal(map[string]any{"template": map[string]any{"template": map[string]any{
			"containers": []any{map[string]any{"image": h.shell(), "args": []string{args}}},
		}}})
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	if code, text := d.curl("-X", "POST", base+"?jobId=hello", "-d", body("echo hello")); code != http.StatusOK || !strings.Contains(text, "google.cloud.run.v2.Job") {
		t.Fatalf("create: %d\n%s", code, text)
	}
	d.eventually("the job is ready", func() bool {
		_, text := d.curl(base + "/hello")
		return strings.Contains(text, "CONDITION_SUCCEEDED")
	})
	d.kill()
	d.start()
	if code, text := d.curl("-X", "PATCH", base+"/hello", "-d", body("echo again")); code != http.StatusOK {
		t.Fatalf("update: %d\n%s", code, text)
	}
	if _, text := d.curl(base + "/hello"); !strings.Contains(text, "echo again") || !strings.Contains(text, `"generation": "2"`) {
		t.Errorf("after the update: %s", text)
	}
	if code, text := d.curl("-X", "POST", base+"/hello:run", "-d", "{}"); code != http.StatusOK {
		t.Errorf("run: %d\n%s", code, text)
	}
	d.eventually("the execution has ended", func() bool {
		_, text := d.curl(base + "/hello/executions")
		return strings.Contains(text, `"succeededCount": 1`)
	})
	if code, text := d.curl(base + "/nobody"); code != http.StatusNotFound || !strings.Contains(text, "NOT_FOUND") {
		t.Errorf("a job that is not there: %d\n%s", code, text)
	}
	if code, text := d.curl("-H", "Authorization: Bearer wrong", base); code != http.StatusUnauthorized || !strings.Contains(text, "UNAUTHENTICATED") {
		t.Errorf("a wrong token: %d\n%s", code, text)
	}
}

// curl runs curl with the token, unless args bring another.
func (d *daemon) curl(args ...string) (code int, body string) {
	d.h.Helper()
	token := []string{"-H", "Authorization: Bearer " + d.token()}
	if strings.Contains(strings.Join(args, " "), "Authorization") {
		token = nil
	}
	args = append(append([]string{"-s", "-m", "60", "-w", "\n%{http_code}", "-H", "Content-Type: application/json"}, token...), args...)
	out, err := exec.Command("curl", args...).Output()
	if err != nil {
		d.h.Fatalf("curl: %v", err)
	}
	text := strings.TrimSuffix(string(out), "\n")
	cut := strings.LastIndexByte(text, '\n')
	for _, c := range text[cut+1:] {
		code = 10*code + int(c-'0')
	}
	return code, text[:max(cut, 0)]
}

// contract: JOB-28, CLI-10
// The documented YAML, exported and replaced without a change, before and after
// a kill.
func TestYAMLRoundTrip(t *testing.T) {
	h := openHost(t)
	d := h.serve()
	file := filepath.Join(t.TempDir(), "job.yaml")
	yaml := "apiVersion: run.googleapis.com/v1\nkind: Job\nmetadata:\n  name: from-file\nspec:\n  template:\n    spec:\n      taskCount: 2\n" +
		"      template:\n        spec:\n          containers:\n          - image: " + h.shell() + "\n            args: [\"echo hello\"]\n"
	if err := os.WriteFile(file, []byte(yaml), 0o600); err != nil {
		t.Fatal(err)
	}
	d.cli("jobs", "replace", file).exits(0)
	first := d.cli("jobs", "describe", "from-file", "--format", "export").exits(0).stdout
	d.kill()
	d.start()
	if err := os.WriteFile(file, []byte(first), 0o600); err != nil {
		t.Fatal(err)
	}
	d.cli("jobs", "replace", file).exits(0)
	if second := d.cli("jobs", "describe", "from-file", "--format", "export").exits(0).stdout; second != first {
		t.Errorf("exported\n%sreplaced and exported again\n%s", first, second)
	}
	if got := d.cli("jobs", "describe", "from-file", "--format", "value(metadata.generation)").exits(0).stdout; got != "1\n" {
		t.Errorf("generation %q, want 1: nothing was changed", got)
	}
	d.cli("jobs", "create", "now", "--image", h.shell(), "--args", "echo now", "--execute-now", "--wait").exits(0)
	d.kill()
	d.start()
	d.cli("jobs", "execute", "now", "--wait").exits(0)
	d.cli("jobs", "create", "bad", "--image", h.shell(), "--args", "exit 3", "--max-retries", "0", "--execute-now", "--wait").exits(1)
}
