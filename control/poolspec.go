package control

import (
	"cloud.google.com/go/run/apiv2/runpb"
	"google.golang.org/protobuf/proto"

	"runnel/api"
)

// Names of requests about worker pools, as errors write them.
const (
	createPoolRequest = "CreateWorkerPoolRequest"
	updatePoolRequest = "UpdateWorkerPoolRequest"
)

// wantedPool is the part of a worker pool that a client may set. It shares what
// it has with the worker pool.
func wantedPool(w *runpb.WorkerPool) *runpb.WorkerPool {
	return &runpb.WorkerPool{
		Description:         w.GetDescription(),
		Labels:              w.GetLabels(),
		Annotations:         w.GetAnnotations(),
		Client:              w.GetClient(),
		ClientVersion:       w.GetClientVersion(),
		LaunchStage:         w.GetLaunchStage(),
		BinaryAuthorization: w.GetBinaryAuthorization(),
		Template:            w.GetTemplate(),
		InstanceSplits:      w.GetInstanceSplits(),
		Scaling:             w.GetScaling(),
	}
}

// wantsPool returns what a request wants of the worker pool called n, as a
// service.
func (c *Control) wantsPool(n name, from *runpb.WorkerPool, mask []string, request string) func(old *runpb.Service) (*runpb.Service, error) {
	return func(old *runpb.Service) (*runpb.Service, error) {
		w, err := merged(poolOf(old), from, old != nil, mask, wantedPool)
		if err != nil {
			return nil, err
		}
		w.Name = n.String()
		if err := c.completePool(w, request); err != nil {
			return nil, err
		}
		return serviceOf(w), nil
	}
}

// completePool checks a worker pool that a request asks for and fills in what it
// leaves out. Paths of errors are those of the request's field "workerPool".
func (c *Control) completePool(w *runpb.WorkerPool, request string) error {
	translate := func(path string) string {
		if path == "name" && request == createPoolRequest {
			return "workerPoolId"
		}
		return "workerPool." + path
	}
	if err := api.ValidateWorkerPool(w); err != nil {
		return invalidResource(err, request, translate)
	}
	if err := checkContainers(w.GetTemplate().GetContainers(), request, translate); err != nil {
		return err
	}
	if _, err := proto.Marshal(w); err != nil {
		return violation("workerPool", "holds text that is not UTF-8")
	}
	api.DefaultWorkerPool(w)
	if w.Template.GetServiceAccount() == "" {
		w.Template.ServiceAccount = c.config.ServiceAccount
	}
	return nil
}
