package v2

import (
	"context"

	"cloud.google.com/go/iam/apiv1/iampb"
	"cloud.google.com/go/longrunning/autogen/longrunningpb"
	"cloud.google.com/go/run/apiv2/runpb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"runnel/control"
)

// services is the service of services.
type services struct {
	runpb.UnimplementedServicesServer
	c *control.Control
}

// CreateService implements runpb.ServicesServer.
func (s services) CreateService(ctx context.Context, r *runpb.CreateServiceRequest) (*longrunningpb.Operation, error) {
	_, op, err := s.c.CreateService(ctx, r)
	return op, err
}

// GetService implements runpb.ServicesServer.
func (s services) GetService(ctx context.Context, r *runpb.GetServiceRequest) (*runpb.Service, error) {
	return s.c.Service(ctx, r.GetName())
}

// ListServices implements runpb.ServicesServer. It is of one location, as on
// Cloud Run, and every location there is can be reached. What has been deleted
// is gone, so showDeleted shows nothing more.
func (s services) ListServices(ctx context.Context, r *runpb.ListServicesRequest) (*runpb.ListServicesResponse, error) {
	if locationOf(r.GetParent()) == anyID {
		return nil, status.Errorf(codes.InvalidArgument, "parent: %q is of all locations: want projects/PROJECT/locations/LOCATION with one of them", r.GetParent())
	}
	items, next, err := s.c.Services(ctx, query[*runpb.Service](r))
	if err != nil {
		return nil, err
	}
	return &runpb.ListServicesResponse{Services: items, NextPageToken: next}, nil
}

// UpdateService implements runpb.ServicesServer.
func (s services) UpdateService(ctx context.Context, r *runpb.UpdateServiceRequest) (*longrunningpb.Operation, error) {
	_, op, err := s.c.UpdateService(ctx, r)
	return op, err
}

// DeleteService implements runpb.ServicesServer.
func (s services) DeleteService(ctx context.Context, r *runpb.DeleteServiceRequest) (*longrunningpb.Operation, error) {
	_, op, err := s.c.DeleteService(ctx, r)
	return op, err
}

// GetIamPolicy implements runpb.ServicesServer.
func (s services) GetIamPolicy(ctx context.Context, r *iampb.GetIamPolicyRequest) (*iampb.Policy, error) {
	return s.c.Policy(ctx, r.GetResource())
}

// SetIamPolicy implements runpb.ServicesServer.
func (s services) SetIamPolicy(ctx context.Context, r *iampb.SetIamPolicyRequest) (*iampb.Policy, error) {
	return s.c.SetPolicy(ctx, r.GetResource(), r.GetPolicy(), r.GetUpdateMask())
}

// TestIamPermissions implements runpb.ServicesServer.
func (s services) TestIamPermissions(ctx context.Context, r *iampb.TestIamPermissionsRequest) (*iampb.TestIamPermissionsResponse, error) {
	granted, err := s.c.TestPermissions(ctx, r.GetResource(), r.GetPermissions())
	if err != nil {
		return nil, err
	}
	return &iampb.TestIamPermissionsResponse{Permissions: granted}, nil
}
