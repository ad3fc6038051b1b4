package wire_test

import (
	"context"
	"crypto/tls"
	"errors"
	"net/http"
	"strings"
	"testing"

	run "cloud.google.com/go/run/apiv2"
	"cloud.google.com/go/run/apiv2/runpb"
	"github.com/googleapis/gax-go/v2/apierror"
	"google.golang.org/api/iterator"
	"google.golang.org/api/option"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"

	"runnel/api/wire"
	"runnel/certs"
	"runnel/contract"
	"runnel/control/controltest"
	rruntime "runnel/runtime"
)

// clients are Google's own clients of one server.
type clients struct {
	jobs       *run.JobsClient
	executions *run.ExecutionsClient
	tasks      *run.TasksClient
}

// transport is one of the ways in.
type transport struct {
	name string
	dial func(t *testing.T, s *server, trust *tls.Config) clients
}

var transports = []transport{
	{"REST", restClients},
	{"gRPC in the clear", func(t *testing.T, s *server, _ *tls.Config) clients { return grpcClients(t, dial(t, s.addr, bearer())) }},
	{"gRPC over TLS", func(t *testing.T, s *server, trust *tls.Config) clients {
		return grpcClients(t, dial(t, s.addr, bearer(), grpc.WithTransportCredentials(credentials.NewTLS(trust))))
	}},
}

// bearer brings the token with every call of a connection.
func bearer() grpc.DialOption { return grpc.WithPerRPCCredentials(credential{}) }

type credential struct{}

// GetRequestMetadata implements credentials.PerRPCCredentials.
func (credential) GetRequestMetadata(context.Context, ...string) (map[string]string, error) {
	return map[string]string{"authorization": "Bearer " + token}, nil
}

// RequireTransportSecurity implements credentials.PerRPCCredentials.
func (credential) RequireTransportSecurity() bool { return false }

// withToken is a RoundTripper that brings the token.
type withToken struct{ http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (w withToken) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+token)
	return w.RoundTripper.RoundTrip(r)
}

func restClients(t *testing.T, s *server, _ *tls.Config) clients {
	t.Helper()
	client := &http.Client{Transport: withToken{newClient(t, false, nil).Transport}}
	opts := []option.ClientOption{option.WithEndpoint("http://" + s.addr), option.WithHTTPClient(client)}
	jobs, err1 := run.NewJobsRESTClient(t.Context(), opts...)
	executions, err2 := run.NewExecutionsRESTClient(t.Context(), opts...)
	tasks, err3 := run.NewTasksRESTClient(t.Context(), opts...)
	if err := errors.Join(err1, err2, err3); err != nil {
		t.Fatal(err)
	}
	return clients{jobs, executions, tasks}
}

func grpcClients(t *testing.T, c *grpc.ClientConn) clients {
	t.Helper()
	opt := option.WithGRPCConn(c)
	jobs, err1 := run.NewJobsClient(t.Context(), opt)
	executions, err2 := run.NewExecutionsClient(t.Context(), opt)
	tasks, err3 := run.NewTasksClient(t.Context(), opt)
	if err := errors.Join(err1, err2, err3); err != nil {
		t.Fatal(err)
	}
	return clients{jobs, executions, tasks}
}

// Google's own Go client does everything that there is to do with a job, by
// each of the ways in.
//
// contract: JOB-11 JOB-12 JOB-30
func TestGoClient(t *testing.T) {
	t.Parallel()
	for _, tr := range transports {
		t.Run(tr.name, func(t *testing.T) {
			t.Parallel()
			w := controltest.New(t)
			dir := t.TempDir()
			config, err := certs.LoadOrCreate(dir, nil)
			if err != nil {
				t.Fatal(err)
			}
			s := start(t, wire.Config{Control: w.Control, Token: token, TLS: config})
			ctx, cancel := context.WithTimeout(t.Context(), limit)
			defer cancel()
			c := tr.dial(t, s, trust(t, dir))
			testJobs(ctx, t, c)
			testExecutions(ctx, t, c, w)
			testErrors(ctx, t, c)
		})
	}
}

// newJob is a job of one container.
func newJob() *runpb.Job {
	return &runpb.Job{Template: &runpb.ExecutionTemplate{Template: &runpb.TaskTemplate{
		Containers: []*runpb.Container{{Image: "example.com/app:1"}},
	}}}
}

// create creates a job and waits until it is ready.
func create(ctx context.Context, t *testing.T, c clients, id string) *runpb.Job {
	t.Helper()
	op, err := c.jobs.CreateJob(ctx, &runpb.CreateJobRequest{Parent: controltest.Parent, JobId: id, Job: newJob()})
	if err != nil {
		t.Fatalf("create %s: %v", id, err)
	}
	job, err := op.Wait(ctx)
	if err != nil {
		t.Fatalf("create %s: %v", id, err)
	}
	return job
}

// testJobs creates, gets, lists, updates and deletes jobs.
func testJobs(ctx context.Context, t *testing.T, c clients) {
	t.Helper()
	for _, id := range []string{"a", "b", "c"} {
		job := create(ctx, t, c, id)
		if job.GetName() != controltest.Parent+"/jobs/"+id || job.GetCreator() != "api" || job.GetTerminalCondition().GetState() != runpb.Condition_CONDITION_SUCCEEDED {
			t.Errorf("created: %v", job)
		}
	}
	if job := create(ctx, t, c, ""); !strings.HasPrefix(job.GetName(), controltest.Parent+"/jobs/") {
		t.Errorf("created with a name of the server's: %v", job)
	}
	var names []string
	it := c.jobs.ListJobs(ctx, &runpb.ListJobsRequest{Parent: controltest.Parent, PageSize: 1})
	for job, err := it.Next(); !errors.Is(err, iterator.Done); job, err = it.Next() {
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, job.GetName()[strings.LastIndex(job.GetName(), "/")+1:])
	}
	if len(names) != 4 || strings.Join(names[1:], "") != "cba" {
		t.Errorf("listed: %v, want the newest first", names)
	}
	job, err := c.jobs.GetJob(ctx, &runpb.GetJobRequest{Name: controltest.Parent + "/jobs/a"})
	if err != nil {
		t.Fatal(err)
	}
	job.Template.TaskCount, job.Labels = 3, map[string]string{"team": "x"}
	op, err := c.jobs.UpdateJob(ctx, &runpb.UpdateJobRequest{Job: job})
	if err != nil {
		t.Fatal(err)
	}
	if job, err = op.Wait(ctx); err != nil || job.GetTemplate().GetTaskCount() != 3 || job.GetGeneration() != 2 || job.GetLabels()["team"] != "x" {
		t.Errorf("updated: %v %v", job, err)
	}
	gone, err := c.jobs.DeleteJob(ctx, &runpb.DeleteJobRequest{Name: controltest.Parent + "/jobs/b"})
	if err != nil {
		t.Fatal(err)
	}
	if job, err := gone.Wait(ctx); err != nil || job.GetName() != controltest.Parent+"/jobs/b" {
		t.Errorf("deleted: %v %v", job, err)
	}
}

// testExecutions runs a job to its end, fails one, cancels one, and looks at
// what is left.
func testExecutions(ctx context.Context, t *testing.T, c clients, w *controltest.World) {
	t.Helper()
	name := controltest.Parent + "/jobs/a"
	op, err := c.jobs.RunJob(ctx, &runpb.RunJobRequest{Name: name})
	if err != nil {
		t.Fatal(err)
	}
	if x, err := op.Wait(ctx); err != nil || x.GetSucceededCount() != 3 {
		t.Errorf("run: %v %v", x, err)
	}
	w.Instances.Play(func(rruntime.Spec) controltest.Script {
		return controltest.Script{Exit: contract.Exit{Code: 7}}
	})
	op, err = c.jobs.RunJob(ctx, &runpb.RunJobRequest{Name: name, Overrides: &runpb.RunJobRequest_Overrides{TaskCount: 1}})
	if err != nil {
		t.Fatal(err)
	}
	var failed *apierror.APIError
	if x, err := op.Wait(ctx); !errors.As(err, &failed) || failed.GRPCStatus().Code() != codes.Aborted {
		t.Errorf("run that fails: %v %v", x, err)
	}
	w.Instances.Play(func(rruntime.Spec) controltest.Script { return controltest.Script{Hold: true} })
	running, err := c.jobs.RunJob(ctx, &runpb.RunJobRequest{Name: name})
	if err != nil {
		t.Fatal(err)
	}
	x, err := running.Metadata()
	if err != nil {
		t.Fatal(err)
	}
	cancelling, err := c.executions.CancelExecution(ctx, &runpb.CancelExecutionRequest{Name: x.GetName()})
	if err != nil {
		t.Fatal(err)
	}
	if x, err = cancelling.Wait(ctx); err != nil || x.GetCancelledCount() != 3 {
		t.Errorf("cancelled: %v %v", x, err)
	}
	testTasks(ctx, t, c, x.GetName())
	deleting, err := c.executions.DeleteExecution(ctx, &runpb.DeleteExecutionRequest{Name: x.GetName()})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := deleting.Wait(ctx); err != nil {
		t.Error(err)
	}
	all, err := collect(c.executions.ListExecutions(ctx, &runpb.ListExecutionsRequest{Parent: controltest.Parent + "/jobs/-"}).Next)
	if err != nil || len(all) != 2 {
		t.Errorf("executions left: %v %v", all, err)
	}
}

// testTasks looks at the tasks of a cancelled execution.
func testTasks(ctx context.Context, t *testing.T, c clients, execution string) {
	t.Helper()
	all, err := collect(c.tasks.ListTasks(ctx, &runpb.ListTasksRequest{Parent: execution, PageSize: 2}).Next)
	if err != nil || len(all) != 3 {
		t.Fatalf("tasks: %v %v", all, err)
	}
	task, err := c.tasks.GetTask(ctx, &runpb.GetTaskRequest{Name: all[1].GetName()})
	if err != nil || task.GetIndex() != all[1].GetIndex() {
		t.Errorf("%v %v", task, err)
	}
}

// collect is everything that an iterator has.
func collect[M any](next func() (M, error)) (all []M, err error) {
	for {
		m, err := next()
		if errors.Is(err, iterator.Done) {
			return all, nil
		}
		if err != nil {
			return all, err
		}
		all = append(all, m)
	}
}

// testErrors sees that errors come with their codes and details.
func testErrors(ctx context.Context, t *testing.T, c clients) {
	t.Helper()
	_, err := c.jobs.GetJob(ctx, &runpb.GetJobRequest{Name: controltest.Parent + "/jobs/none"})
	checkError(t, err, codes.NotFound, 404)
	_, err = c.jobs.CreateJob(ctx, &runpb.CreateJobRequest{Parent: controltest.Parent, JobId: "a", Job: newJob()})
	checkError(t, err, codes.AlreadyExists, 409)
	stale := newJob()
	stale.Name, stale.Etag = controltest.Parent+"/jobs/a", `"stale"`
	_, err = c.jobs.UpdateJob(ctx, &runpb.UpdateJobRequest{Job: stale})
	checkError(t, err, codes.Aborted, 409)
	bad := newJob()
	bad.Template.Template.Retries = &runpb.TaskTemplate_MaxRetries{MaxRetries: 11}
	_, err = c.jobs.CreateJob(ctx, &runpb.CreateJobRequest{Parent: controltest.Parent, JobId: "d", Job: bad})
	e := checkError(t, err, codes.InvalidArgument, 400)
	violations := e.Details().BadRequest.GetFieldViolations()
	if len(violations) != 1 || !strings.HasSuffix(violations[0].GetField(), "template.template.maxRetries") {
		t.Errorf("11 retries: %v", violations)
	}
}

// checkError sees that err is the error of a code. Over REST the client knows but
// the HTTP status.
func checkError(t *testing.T, err error, c codes.Code, httpCode int) *apierror.APIError {
	t.Helper()
	var e *apierror.APIError
	if !errors.As(err, &e) {
		t.Fatalf("%v, want %v", err, c)
	}
	if e.GRPCStatus().Code() != c && e.HTTPCode() != httpCode {
		t.Errorf("%v, want %v", err, c)
	}
	return e
}
