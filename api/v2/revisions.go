package v2

import (
	"context"
	"strings"

	"cloud.google.com/go/longrunning/autogen/longrunningpb"
	"cloud.google.com/go/run/apiv2/runpb"

	"runnel/control"
)

// revisions is the service of revisions: those of services. Worker pools, which
// have some as well, are not there.
type revisions struct {
	runpb.UnimplementedRevisionsServer
	c *control.Control
}

// GetRevision implements runpb.RevisionsServer.
func (s revisions) GetRevision(ctx context.Context, r *runpb.GetRevisionRequest) (*runpb.Revision, error) {
	if ofWorkerPool(r.GetName()) {
		return nil, notImplemented("Revisions.GetRevision of a worker pool")
	}
	return s.c.Revision(ctx, r.GetName())
}

// ListRevisions implements runpb.RevisionsServer.
func (s revisions) ListRevisions(ctx context.Context, r *runpb.ListRevisionsRequest) (*runpb.ListRevisionsResponse, error) {
	if ofWorkerPool(r.GetParent()) {
		return nil, notImplemented("Revisions.ListRevisions of a worker pool")
	}
	items, next, err := s.c.Revisions(ctx, query[*runpb.Revision](r))
	if err != nil {
		return nil, err
	}
	return &runpb.ListRevisionsResponse{Revisions: items, NextPageToken: next}, nil
}

// DeleteRevision implements runpb.RevisionsServer.
func (s revisions) DeleteRevision(ctx context.Context, r *runpb.DeleteRevisionRequest) (*longrunningpb.Operation, error) {
	if ofWorkerPool(r.GetName()) {
		return nil, notImplemented("Revisions.DeleteRevision of a worker pool")
	}
	_, op, err := s.c.DeleteRevision(ctx, r)
	return op, err
}

// ofWorkerPool reports whether a name leads to a worker pool or into one.
func ofWorkerPool(name string) bool { return strings.Contains(name, "/workerPools/") }
