package services

import (
	"bytes"
	"context"
	"regexp"
	"strings"
	"testing"

	"cloud.google.com/go/iam/apiv1/iampb"
	"cloud.google.com/go/longrunning/autogen/longrunningpb"
	"cloud.google.com/go/run/apiv2/runpb"
	"github.com/spf13/cobra"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"runnel/cmd/runnel/cli"
)

func (d *fakeDaemon) DeleteService(_ context.Context, r *runpb.DeleteServiceRequest) (*longrunningpb.Operation, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	s := d.services[r.GetName()]
	delete(d.services, r.GetName())
	return &longrunningpb.Operation{Name: parent + "/operations/x", Done: true, Metadata: d.pack(s), Result: &longrunningpb.Operation_Response{Response: d.pack(s)}}, nil
}

func (d *fakeDaemon) GetRevision(_ context.Context, r *runpb.GetRevisionRequest) (*runpb.Revision, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, revision := range d.revisions {
		if strings.HasSuffix(revision.GetName(), r.GetName()[strings.LastIndexByte(r.GetName(), '/'):]) {
			return revision, nil
		}
	}
	return nil, status.Errorf(codes.NotFound, "revision %s is not there", r.GetName())
}

func (d *fakeDaemon) ListRevisions(_ context.Context, r *runpb.ListRevisionsRequest) (*runpb.ListRevisionsResponse, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	page := &runpb.ListRevisionsResponse{}
	for _, revision := range d.revisions {
		if strings.HasSuffix(r.GetParent(), "/-") || strings.HasPrefix(revision.GetName(), r.GetParent()+"/") {
			page.Revisions = append(page.Revisions, revision)
		}
	}
	if len(page.Revisions) == 0 && !strings.HasSuffix(r.GetParent(), "/-") {
		return nil, status.Errorf(codes.NotFound, "service %s is not there", r.GetParent())
	}
	return page, nil
}

func (d *fakeDaemon) DeleteRevision(_ context.Context, r *runpb.DeleteRevisionRequest) (*longrunningpb.Operation, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	x := &runpb.Revision{Name: r.GetName()}
	return &longrunningpb.Operation{Name: parent + "/operations/x", Done: true, Metadata: d.pack(x), Result: &longrunningpb.Operation_Response{Response: d.pack(x)}}, nil
}

func (d *fakeDaemon) GetIamPolicy(_ context.Context, r *iampb.GetIamPolicyRequest) (*iampb.Policy, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.services[r.GetResource()] == nil {
		return nil, status.Errorf(codes.NotFound, "service %s is not there", r.GetResource())
	}
	if p := d.policies[r.GetResource()]; p != nil {
		return proto.Clone(p).(*iampb.Policy), nil
	}
	return &iampb.Policy{Etag: []byte("new")}, nil
}

func (d *fakeDaemon) SetIamPolicy(_ context.Context, r *iampb.SetIamPolicyRequest) (*iampb.Policy, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.denied {
		return nil, status.Error(codes.PermissionDenied, "policies are not yours to set")
	}
	d.policies[r.GetResource()] = r.GetPolicy()
	return r.GetPolicy(), nil
}

// outcome is what a command came to.
type outcome struct {
	code           int
	stdout, stderr string
}

// in executes a command line in an environment.
func (d *fakeDaemon) in(e cli.Env, line ...string) outcome {
	d.t.Helper()
	var stdout, stderr bytes.Buffer
	if e.Stdout == nil {
		e.Stdout = &stdout
	}
	if e.Stderr == nil {
		e.Stderr = &stderr
	}
	if e.Stdin == nil {
		e.Stdin = strings.NewReader("")
	}
	e.Getenv = func(name string) string { return map[string]string{"RUNNEL_HOST": d.host}[name] }
	root := cli.Group(&cobra.Command{Use: "runnel"})
	root.AddCommand(NewDeploy(e), New(e), NewRevisions(e))
	code := cli.Execute(e, root, line)
	return outcome{code, stdout.String(), stderr.String()}
}

// do executes a command line that has no quotes.
func (d *fakeDaemon) do(line string) outcome {
	d.t.Helper()
	return d.in(cli.Env{}, strings.Fields(line)...)
}

// must executes a command that has to succeed, and returns its result.
func (d *fakeDaemon) must(line string) string {
	d.t.Helper()
	got := d.do(line)
	if got.code != 0 {
		d.t.Fatalf("runnel %s: exit %d\n%s", line, got.code, got.stderr)
	}
	return got.stdout
}

// steady replaces what differs from run to run.
func steady(s string) string {
	return regexp.MustCompile(`(-\d{5}-)[a-z]{3}\b`).ReplaceAllString(s, "${1}xxx")
}

// expect executes a command line, and compares how it ends and what it says.
func (d *fakeDaemon) expect(t *testing.T, line string, code int, stderr string) {
	t.Helper()
	if got := d.do(line); got.code != code || steady(got.stderr) != stderr {
		t.Errorf("runnel %s: exit %d, want %d\n%swant\n%s", line, got.code, code, steady(got.stderr), stderr)
	}
}
