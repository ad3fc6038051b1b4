package v1

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"

	"cloud.google.com/go/run/apiv2/runpb"
	"go.yaml.in/yaml/v3"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"

	"runnel/api"
	"runnel/api/rest"
)

// maxRequest bounds a request, in bytes. It is no less than v2 takes: what was
// made there can be changed here.
const maxRequest = 4 << 20

// readBody is the body of r. It may be empty.
func readBody(r *http.Request) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r.Body, maxRequest+1))
	switch {
	case len(data) > maxRequest || errors.As(err, new(*http.MaxBytesError)):
		return nil, status.Errorf(codes.InvalidArgument, "The request is %v (%d bytes).", ErrTooLarge, maxRequest)
	case err != nil:
		return nil, status.Errorf(codes.InvalidArgument, "reading the request: %v", err)
	}
	if err := rest.CheckValues(data); err != nil {
		return nil, status.Error(codes.InvalidArgument, err.Error())
	}
	return data, nil
}

// readMessage fills m, a message of one of Google's other APIs, from the body
// of r.
func readMessage(r *http.Request, m proto.Message) error {
	data, err := readBody(r)
	if err != nil || len(data) == 0 {
		return err
	}
	if err := protojson.Unmarshal(data, m); err != nil {
		return status.Errorf(codes.InvalidArgument, "Invalid JSON payload received. %v", err)
	}
	return nil
}

// readJob reads the job in the body of r, which must belong to the project of
// s.
func (h *handler) readJob(r *http.Request, s scope) (*Job, error) {
	var job Job
	if err := h.readObject(r, s, KindJob, &job, &job.Metadata); err != nil {
		return nil, err
	}
	return &job, nil
}

// readService reads the service in the body of r, likewise.
func (h *handler) readService(r *http.Request, s scope) (*Service, error) {
	var service Service
	if err := h.readObject(r, s, KindService, &service, &service.Metadata); err != nil {
		return nil, err
	}
	return &service, nil
}

// readWorkerPool reads the worker pool in the body of r, likewise.
func (h *handler) readWorkerPool(r *http.Request, s scope) (*WorkerPool, error) {
	var pool WorkerPool
	if err := h.readObject(r, s, KindWorkerPool, &pool, &pool.Metadata); err != nil {
		return nil, err
	}
	return &pool, nil
}

// readObject fills object, which is of a kind and has the metadata meta, from
// the body of r.
func (h *handler) readObject(r *http.Request, s scope, kind string, object any, meta *ObjectMeta) error {
	root, err := readJSON(r)
	if err != nil {
		return err
	}
	if root == nil {
		return status.Errorf(codes.InvalidArgument, "The request is empty: want a %s.", kind)
	}
	if err := checkKind(root, kind); err != nil {
		return err
	}
	if err := decode(root, object, false); err != nil {
		return err
	}
	if n := string(meta.Namespace); n != "" && h.control.ProjectID(n) != s.project {
		return api.FieldErrors{{Path: "metadata.namespace", Message: fmt.Sprintf("%q differs from the project in the path", n)}}
	}
	return nil
}

// readJSON is the body of r as a tree, nil if there is none.
func readJSON(r *http.Request) (*yaml.Node, error) {
	data, err := readBody(r)
	if err != nil || len(data) == 0 {
		return nil, err
	}
	root, err := jsonTree(data)
	if err != nil {
		return nil, status.Errorf(codes.InvalidArgument, "Invalid JSON payload received. %v", err)
	}
	return root, nil
}

// runRequest is the body of a job's :run.
type runRequest struct {
	Overrides *overrides `json:"overrides"`
}

// overrides is what one execution does differently.
type overrides struct {
	ContainerOverrides []containerOverride `json:"containerOverrides"`
	TaskCount          *int32              `json:"taskCount"`
	TimeoutSeconds     *Seconds            `json:"timeoutSeconds"`
	DelayExecution     Ignored             `json:"delayExecution"`
}

type containerOverride struct {
	Name      string   `json:"name"`
	Args      []string `json:"args"`
	Env       []EnvVar `json:"env"`
	ClearArgs bool     `json:"clearArgs"`
}

// readOverrides reads the body of a job's :run, which may be empty.
func readOverrides(r *http.Request) (*runpb.RunJobRequest_Overrides, error) {
	root, err := readJSON(r)
	if err != nil || root == nil {
		return nil, err
	}
	var body runRequest
	if err := decode(root, &body, false); err != nil || body.Overrides == nil {
		return nil, err
	}
	o := body.Overrides
	out := &runpb.RunJobRequest_Overrides{}
	if o.TaskCount != nil {
		out.TaskCount = *o.TaskCount
	}
	if o.TimeoutSeconds != nil {
		out.Timeout = &durationpb.Duration{Seconds: int64(*o.TimeoutSeconds)}
	}
	for _, c := range o.ContainerOverrides {
		out.ContainerOverrides = append(out.ContainerOverrides, &runpb.RunJobRequest_Overrides_ContainerOverride{
			Name: c.Name, Args: c.Args, Env: environment(c.Env), ClearArgs: c.ClearArgs,
		})
	}
	return out, nil
}

// dryRun reports whether r only asks what would happen.
func dryRun(r *http.Request) (bool, error) {
	switch v := r.URL.Query().Get("dryRun"); v {
	case "":
		return false, nil
	case "all":
		return true, nil
	default:
		return false, status.Errorf(codes.InvalidArgument, "dryRun: %q is not accepted: want all.", v)
	}
}

// decode fills object, a pointer to a struct, from root. In a file, problems
// are told with their line, and a number is not taken for text.
func decode(root *yaml.Node, object any, file bool) error {
	d := decoder{file: file}
	d.decode(root, "", reflect.ValueOf(object).Elem(), 0)
	err := d.errs.Err()
	if d.full && len(d.errs) <= maxErrors {
		return fmt.Errorf("%w: %w", ErrTooLarge, err)
	}
	return err
}
