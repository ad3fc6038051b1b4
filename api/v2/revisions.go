package v2

import (
	"context"

	"cloud.google.com/go/longrunning/autogen/longrunningpb"
	"cloud.google.com/go/run/apiv2/runpb"

	"runnel/control"
)

// revisions is the service of revisions: those of services, and those of worker
// pools.
type revisions struct {
	runpb.UnimplementedRevisionsServer
	c *control.Control
}

// GetRevision implements runpb.RevisionsServer.
func (s revisions) GetRevision(ctx context.Context, r *runpb.GetRevisionRequest) (*runpb.Revision, error) {
	revision, err := s.c.Revision(ctx, r.GetName())
	if revision.GetDeleteTime() != nil {
		leaving(revision.GetConditions()...)
	}
	return revision, err
}

// ListRevisions implements runpb.RevisionsServer.
func (s revisions) ListRevisions(ctx context.Context, r *runpb.ListRevisionsRequest) (*runpb.ListRevisionsResponse, error) {
	items, next, err := s.c.Revisions(ctx, query[*runpb.Revision](r))
	if err != nil {
		return nil, err
	}
	return &runpb.ListRevisionsResponse{Revisions: items, NextPageToken: next}, nil
}

// DeleteRevision implements runpb.RevisionsServer.
func (s revisions) DeleteRevision(ctx context.Context, r *runpb.DeleteRevisionRequest) (*longrunningpb.Operation, error) {
	_, op, err := s.c.DeleteRevision(ctx, r)
	return op, err
}
