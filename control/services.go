package control

import (
	"context"

	"cloud.google.com/go/longrunning/autogen/longrunningpb"
	"cloud.google.com/go/run/apiv2/runpb"
)

// CreateService stores a new service. It is ready, and the operation done, when
// its revision is and has the traffic.
func (c *Control) CreateService(ctx context.Context, r *runpb.CreateServiceRequest) (*runpb.Service, *longrunningpb.Operation, error) {
	panic("not built yet")
}

// UpdateService changes what is wanted of a service: the fields that the mask
// names, or all of them without one.
func (c *Control) UpdateService(ctx context.Context, r *runpb.UpdateServiceRequest) (*runpb.Service, *longrunningpb.Operation, error) {
	panic("not built yet")
}

// DeleteService deletes a service with its revisions.
func (c *Control) DeleteService(ctx context.Context, r *runpb.DeleteServiceRequest) (*runpb.Service, *longrunningpb.Operation, error) {
	panic("not built yet")
}

// Service is a service as it stands. Its location may be "-", if no other one
// has a service of that id.
func (c *Control) Service(ctx context.Context, name string) (*runpb.Service, error) {
	panic("not built yet")
}

// Services is a page of the services of a location, the newest first.
func (c *Control) Services(ctx context.Context, q Query[*runpb.Service]) (items []*runpb.Service, next string, err error) {
	panic("not built yet")
}

// Revision is a revision as it stands. Its location and its service may be "-".
func (c *Control) Revision(ctx context.Context, name string) (*runpb.Revision, error) {
	panic("not built yet")
}

// Revisions is a page of the revisions of a service, the newest first.
func (c *Control) Revisions(ctx context.Context, q Query[*runpb.Revision]) (items []*runpb.Revision, next string, err error) {
	panic("not built yet")
}

// DeleteRevision deletes a revision that has no traffic and is not the latest.
func (c *Control) DeleteRevision(ctx context.Context, r *runpb.DeleteRevisionRequest) (*runpb.Revision, *longrunningpb.Operation, error) {
	panic("not built yet")
}

// AwaitService returns when the service is no longer what its version etag
// says, or when ctx ends: the service as it then stands.
func (c *Control) AwaitService(ctx context.Context, name, etag string) (*runpb.Service, error) {
	panic("not built yet")
}

// ServiceInstance is one instance that a revision has or had.
type ServiceInstance struct {
	// ID is the instance's, PublicID what its metadata server and its logs call
	// it. Revision is the full name of its revision.
	ID, PublicID, Revision string
	// Containers are the names of its containers, in their order; logs are kept
	// for each.
	Containers []string
	// Live says that there may come more of it.
	Live bool
}

// ServiceInstances are the instances of a service, or of a revision, by its full
// name, the newest first; the service's id in a revision's name may be "-".
func (c *Control) ServiceInstances(ctx context.Context, name string) ([]ServiceInstance, error) {
	panic("not built yet")
}
