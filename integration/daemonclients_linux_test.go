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

	"runnel/integration/rig"
)

// contract: JOB-11, JOB-22, JOB-30
// Google's client for Go, over REST and over gRPC, before and after a kill.
func TestGoClient(t *testing.T) {
	rig.HostOnly(t, "it does not depend on the kernel's version")
	h := openHost(t)
	d := h.Serve()
	ctx := h.Limit(3 * rig.Patience())
	for name, open := range map[string]func() (*run.JobsClient, error){
		"rest": func() (*run.JobsClient, error) { return run.NewJobsRESTClient(ctx, d.REST()...) },
		"grpc": func() (*run.JobsClient, error) { return run.NewJobsClient(ctx, d.GRPC()...) },
	} {
		jobs, err := open()
		if err != nil {
			t.Fatal(err)
		}
		h.Cleanup(func() { _ = jobs.Close() }) // grpc closes its connection with the options
		job := driveGoClient(ctx, t, jobs, name+"-job", single(h, `echo $GREETING; exit $CODE`))
		d.Kill()
		d.Start()
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
	op, err := jobs.CreateJob(ctx, &runpb.CreateJobRequest{Parent: rig.Parent, JobId: id, Job: &runpb.Job{Template: template}})
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
	rig.HostOnly(t, "there is no Node.js")
	h := openHost(t)
	d := h.Serve()
	for range 2 {
		runNode(d, "client.mjs", h.Shell())
		d.Kill()
		d.Start()
	}
}

// runNode runs a script of testdata with the port of the API, the token's file, and
// args. "make test" has brought its packages: here there is no way out.
func runNode(d *rig.Daemon, script string, args ...string) {
	d.Host.Helper()
	modules, err := filepath.Abs("../.cache/node/node_modules")
	if err != nil {
		d.Host.Fatal(err)
	}
	if _, err := os.Stat(modules); err != nil {
		d.Host.Fatalf("%v: run make .cache/node first", err)
	}
	dir := d.Host.TempDir()
	if err := errors.Join(os.CopyFS(dir, os.DirFS("testdata/node")), os.Symlink(modules, dir+"/node_modules")); err != nil {
		d.Host.Fatal(err)
	}
	port := d.Address[strings.LastIndexByte(d.Address, ':')+1:]
	c := exec.CommandContext(d.Host.Limit(2*rig.Patience()), "node", append([]string{script, port, filepath.Join(d.Root, "api-token")}, args...)...)
	c.Dir = dir
	if out, err := c.CombinedOutput(); err != nil {
		d.Host.Fatalf("%s: %v\n%s", script, err, out)
	}
}

// The documented REST examples with curl, over TCP, with the token, before and
// after a kill.
func TestDocumentedRequests(t *testing.T) {
	rig.HostOnly(t, "there is no curl")
	h := openHost(t)
	d := h.Serve()
	base := "http://" + d.Address + "/v2/" + rig.Parent + "/jobs"
	body := func(args string) string {
		text, err := json.Marshal(map[string]any{"template": map[string]any{"template": map[string]any{
			"containers": []any{map[string]any{"image": h.Shell(), "args": []string{args}}},
		}}})
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	if code, text := runCurl(d, "-X", "POST", base+"?jobId=hello", "-d", body("echo hello")); code != http.StatusOK || !strings.Contains(text, "google.cloud.run.v2.Job") {
		t.Fatalf("create: %d\n%s", code, text)
	}
	d.Eventually("the job is ready", func() bool {
		_, text := runCurl(d, base+"/hello")
		return strings.Contains(text, "CONDITION_SUCCEEDED")
	})
	d.Kill()
	d.Start()
	if code, text := runCurl(d, "-X", "PATCH", base+"/hello", "-d", body("echo again")); code != http.StatusOK {
		t.Fatalf("update: %d\n%s", code, text)
	}
	if _, text := runCurl(d, base+"/hello"); !strings.Contains(text, "echo again") || !strings.Contains(text, `"generation": "2"`) {
		t.Errorf("after the update: %s", text)
	}
	if code, text := runCurl(d, "-X", "POST", base+"/hello:run", "-d", "{}"); code != http.StatusOK {
		t.Errorf("run: %d\n%s", code, text)
	}
	d.Eventually("the execution has ended", func() bool {
		_, text := runCurl(d, base+"/hello/executions")
		return strings.Contains(text, `"succeededCount": 1`)
	})
	if code, text := runCurl(d, base+"/nobody"); code != http.StatusNotFound || !strings.Contains(text, "NOT_FOUND") {
		t.Errorf("a job that is not there: %d\n%s", code, text)
	}
	if code, text := runCurl(d, "-H", "Authorization: Bearer wrong", base); code != http.StatusUnauthorized || !strings.Contains(text, "UNAUTHENTICATED") {
		t.Errorf("a wrong token: %d\n%s", code, text)
	}
}

// runCurl runs curl with the token, unless args bring another.
func runCurl(d *rig.Daemon, args ...string) (code int, body string) {
	d.Host.Helper()
	token := []string{"-H", "Authorization: Bearer " + d.Token()}
	if strings.Contains(strings.Join(args, " "), "Authorization") {
		token = nil
	}
	args = append(append([]string{"-s", "-m", "60", "-w", "\n%{http_code}", "-H", "Content-Type: application/json"}, token...), args...)
	out, err := exec.Command("curl", args...).Output()
	if err != nil {
		d.Host.Fatalf("curl: %v", err)
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
	d := h.Serve()
	file := filepath.Join(t.TempDir(), "job.yaml")
	yaml := "apiVersion: run.googleapis.com/v1\nkind: Job\nmetadata:\n  name: from-file\nspec:\n  template:\n    spec:\n      taskCount: 2\n" +
		"      template:\n        spec:\n          containers:\n          - image: " + h.Shell() + "\n            args: [\"echo hello\"]\n"
	if err := os.WriteFile(file, []byte(yaml), 0o600); err != nil {
		t.Fatal(err)
	}
	d.CLI("jobs", "replace", file).Exits(0)
	first := d.CLI("jobs", "describe", "from-file", "--format", "export").Exits(0).Stdout
	d.Kill()
	d.Start()
	if err := os.WriteFile(file, []byte(first), 0o600); err != nil {
		t.Fatal(err)
	}
	d.CLI("jobs", "replace", file).Exits(0)
	if second := d.CLI("jobs", "describe", "from-file", "--format", "export").Exits(0).Stdout; second != first {
		t.Errorf("exported\n%sreplaced and exported again\n%s", first, second)
	}
	if got := d.CLI("jobs", "describe", "from-file", "--format", "value(metadata.generation)").Exits(0).Stdout; got != "1\n" {
		t.Errorf("generation %q, want 1: nothing was changed", got)
	}
	d.CLI("jobs", "create", "now", "--image", h.Shell(), "--args", "echo now", "--execute-now", "--wait").Exits(0)
	d.Kill()
	d.Start()
	d.CLI("jobs", "execute", "now", "--wait").Exits(0)
	d.CLI("jobs", "create", "bad", "--image", h.Shell(), "--args", "exit 3", "--max-retries", "0", "--execute-now", "--wait").Exits(1)
}
