package v1

import (
	"encoding/json"

	"cloud.google.com/go/longrunning/autogen/longrunningpb"
	"cloud.google.com/go/run/apiv2/runpb"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/types/known/anypb"
)

// operation is an operation as v1 writes it. Services, worker pools and revisions
// in it are those of v1, which is what those who wait for them here can read; other
// resources are those of v2.
type operation struct {
	Name     string          `json:"name,omitempty"`
	Metadata any             `json:"metadata,omitempty"`
	Done     bool            `json:"done,omitempty"`
	Error    json.RawMessage `json:"error,omitempty"`
	Response any             `json:"response,omitempty"`
}

// operationList is one page of operations.
type operationList struct {
	Operations    []*operation `json:"operations,omitempty"`
	NextPageToken string       `json:"nextPageToken,omitempty"`
}

// operation is op in v1.
func (h *handler) operation(op *longrunningpb.Operation) (*operation, error) {
	out := &operation{Name: op.GetName(), Done: op.GetDone()}
	var err error
	if op.GetMetadata() != nil {
		if out.Metadata, err = h.packed(op.GetMetadata()); err != nil {
			return nil, err
		}
	}
	if op.GetResponse() != nil {
		if out.Response, err = h.packed(op.GetResponse()); err != nil {
			return nil, err
		}
	}
	if op.GetError() != nil {
		if out.Error, err = protojson.Marshal(op.GetError()); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// typeOfV1 is what the types of v1 begin with where one is named beside a
// value.
const typeOfV1 = "type.googleapis.com/google.cloud.run.v1."

// packedService and those below name their type, as what stands in an operation
// does.
type packedService struct {
	Type string `json:"@type"`
	*Service
}

type packedRevision struct {
	Type string `json:"@type"`
	*Revision
}

type packedWorkerPool struct {
	Type string `json:"@type"`
	*WorkerPool
}

// packed is what stands in an operation, in v1 or as JSON.
func (h *handler) packed(a *anypb.Any) (any, error) {
	m, err := a.UnmarshalNew()
	if err != nil {
		return nil, err
	}
	switch r := m.(type) {
	case *runpb.Service:
		return packedService{typeOfV1 + KindService, FormatService(r, h.optionsFor(r.GetName()))}, nil
	case *runpb.WorkerPool:
		return packedWorkerPool{typeOfV1 + KindWorkerPool, FormatWorkerPool(r, h.optionsFor(r.GetName()))}, nil
	case *runpb.Revision:
		return packedRevision{typeOfV1 + KindRevision, FormatRevision(r, h.optionsFor(r.GetName()))}, nil
	}
	text, err := protojson.Marshal(a)
	return json.RawMessage(text), err
}

// optionsFor are the options for the resource called name.
func (h *handler) optionsFor(name string) Options {
	return Options{Namespace: h.control.ProjectNumber(split(name).project)}
}
