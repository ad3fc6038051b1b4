package logs

import (
	"context"

	"cloud.google.com/go/run/apiv2/runpb"

	"runnel/control"
)

// Logs are the logs of all instances, services and worker pools of a control
// plane. It is safe for concurrent use.
type Logs struct {
	control  *control.Control
	services services
	pools    pools
	dir      string
	// lists bounds how many lists are made at a time: each may hold maxPage
	// bytes.
	lists chan struct{}
}

// services is what is asked of the control plane about services.
type services interface {
	Service(ctx context.Context, name string) (*runpb.Service, error)
	Services(ctx context.Context, q control.Query[*runpb.Service]) (items []*runpb.Service, next string, err error)
	Revision(ctx context.Context, name string) (*runpb.Revision, error)
	ServiceInstances(ctx context.Context, name string) ([]control.ServiceInstance, error)
}

// pools is what is asked of the control plane about worker pools; services tells
// of their revisions and instances.
type pools interface {
	WorkerPool(ctx context.Context, name string) (*runpb.WorkerPool, error)
	WorkerPools(ctx context.Context, q control.Query[*runpb.WorkerPool]) (items []*runpb.WorkerPool, next string, err error)
}

// concurrentLists is how many lists are made at a time.
const concurrentLists = 8

// New returns the logs of c's instances, services and worker pools, which are in dir, the
// launcher's log directory.
func New(c *control.Control, dir string) *Logs {
	return &Logs{control: c, services: c, pools: c, dir: dir, lists: make(chan struct{}, concurrentLists)}
}
