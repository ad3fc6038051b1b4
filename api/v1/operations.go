package v1

import (
	"context"
	"net/http"
	"strconv"

	"cloud.google.com/go/longrunning/autogen/longrunningpb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"
)

// locationName is the location in r's path.
func (h *handler) locationName(r *http.Request) string {
	return "projects/" + h.control.ProjectID(r.PathValue("project")) + "/locations/" + r.PathValue("location")
}

// operationName is the full name of the operation that r's path ends with.
func (h *handler) operationName(r *http.Request) (string, error) {
	name, err := objectName(r)
	return h.locationName(r) + "/operations/" + name, err
}

func (h *handler) listOperations(r *http.Request) (any, error) {
	q := r.URL.Query()
	var size int64
	if text := q.Get("pageSize"); text != "" {
		var err error
		if size, err = strconv.ParseInt(text, 10, 32); err != nil {
			return nil, status.Errorf(codes.InvalidArgument, "pageSize: %q is not a number of operations.", text)
		}
	}
	items, next, err := h.control.Operations(r.Context(), h.locationName(r), q.Get("filter"), int(size), q.Get("pageToken"))
	if err != nil {
		return nil, err
	}
	out := operationList{NextPageToken: next}
	for _, op := range items {
		shown, err := h.operation(op)
		if err != nil {
			return nil, err
		}
		out.Operations = append(out.Operations, shown)
	}
	return out, nil
}

func (h *handler) getOperation(r *http.Request) (any, error) {
	name, err := h.operationName(r)
	if err != nil {
		return nil, err
	}
	op, err := h.control.Operation(r.Context(), name)
	if err != nil {
		return nil, err
	}
	return h.operation(op)
}

func (h *handler) waitOperation(r *http.Request) (any, error) {
	var body longrunningpb.WaitOperationRequest
	if err := readMessage(r, &body); err != nil {
		return nil, err
	}
	name, err := h.operationName(r)
	if err != nil {
		return nil, err
	}
	op, err := h.control.WaitOperation(r.Context(), name, body.GetTimeout().AsDuration())
	if cause := context.Cause(r.Context()); err != nil && cause != nil {
		err = cause // it says whether to ask again
	}
	if err != nil {
		return nil, err
	}
	return h.operation(op)
}

func (h *handler) deleteOperation(r *http.Request) (any, error) {
	name, err := h.operationName(r)
	if err != nil {
		return nil, err
	}
	return &emptypb.Empty{}, h.control.DeleteOperation(r.Context(), name)
}
