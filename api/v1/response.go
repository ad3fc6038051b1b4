package v1

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"runnel/api"
	"runnel/api/rest"
)

// Status is the answer to a delete.
type Status struct {
	Metadata ListMeta      `json:"metadata"`
	Status   string        `json:"status"`
	Details  StatusDetails `json:"details"`
}

// StatusDetails say what was deleted.
type StatusDetails struct {
	Name  string `json:"name,omitempty"`
	Group string `json:"group,omitempty"`
	Kind  string `json:"kind,omitempty"`
	UID   string `json:"uid,omitempty"`
}

// success says that r is being deleted.
func success(r resourceMeta, plural string) *Status {
	group, _, _ := strings.Cut(versionOf(plural), "/")
	return &Status{
		Status:  "Success",
		Details: StatusDetails{Name: shortName(r.GetName()), Group: group, Kind: plural, UID: r.GetUid()},
	}
}

// reply serves what a comes to.
func reply(a answer) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		object, err := a(r)
		if err != nil {
			rest.WriteError(w, explain(err))
			return
		}
		data, err := marshal(object)
		if err != nil {
			rest.WriteError(w, err)
			return
		}
		w.Header().Set("Content-Type", "application/json; charset=UTF-8")
		_, _ = w.Write(append(data, '\n')) // the client may have gone
	})
}

func marshal(object any) ([]byte, error) {
	if m, ok := object.(proto.Message); ok {
		return protojson.Marshal(m)
	}
	return json.Marshal(object)
}

// explain is err with the paths of v1. Problems with the request's own fields
// become INVALID_ARGUMENT.
func explain(err error) error {
	var fields api.FieldErrors
	if errors.As(err, &fields) {
		return invalid(fields)
	}
	st := status.Convert(err)
	for _, detail := range st.Details() {
		bad, ok := detail.(*errdetails.BadRequest)
		if !ok {
			continue
		}
		for _, v := range bad.GetFieldViolations() {
			fields = append(fields, api.FieldError{Path: fieldPath(v.GetField()), Message: v.GetDescription()})
		}
	}
	if st.Code() != codes.InvalidArgument || len(fields) == 0 {
		return err
	}
	return invalid(fields)
}

// fieldPath is where v1 has a field of a request of v2.
func fieldPath(path string) string {
	if field, ok := strings.CutPrefix(path, "job."); ok {
		return Path(field)
	}
	if field, ok := strings.CutPrefix(path, "service."); ok {
		return ServicePath(field)
	}
	if field, ok := strings.CutPrefix(path, "workerPool."); ok {
		return WorkerPoolPath(field)
	}
	switch path {
	case "job_id", "jobId", "service_id", "serviceId", "workerPoolId":
		return "metadata.name"
	case "overrides.timeout":
		return "overrides.timeoutSeconds"
	}
	return path
}

// invalid is INVALID_ARGUMENT with everything that is wrong.
func invalid(fields api.FieldErrors) error {
	bad := &errdetails.BadRequest{}
	for _, f := range fields {
		bad.FieldViolations = append(bad.FieldViolations, &errdetails.BadRequest_FieldViolation{Field: f.Path, Description: f.Message})
	}
	st := status.New(codes.InvalidArgument, fields.Error())
	if detailed, err := st.WithDetails(bad); err == nil {
		st = detailed
	}
	return st.Err()
}
