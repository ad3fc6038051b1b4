package logs

import (
	"context"

	"cloud.google.com/go/run/apiv2/runpb"

	"runnel/control"
)

// Logs are the logs of all instances and services of a control plane. It is safe
// for concurrent use.
type Logs struct {
	control  *control.Control
	services services
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

// concurrentLists is how many lists are made at a time.
const concurrentLists = 8

// New returns the logs of c's instances and services, which are in dir, the
// launcher's log directory.
func New(c *control.Control, dir string) *Logs {
	return &Logs{control: c, services: c, dir: dir, lists: make(chan struct{}, concurrentLists)}
}
