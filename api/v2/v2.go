// Package v2 is the Admin API v2: the generated servers of jobs, executions,
// tasks, services, worker pools, revisions, operations and locations over the
// control plane. It holds no state and no rules; what a request means and what is
// wrong with it, control says.
package v2

import (
	"cloud.google.com/go/longrunning/autogen/longrunningpb"
	"cloud.google.com/go/run/apiv2/runpb"
	"google.golang.org/grpc"

	"runnel/control"
)

// Register registers the services with r: a gRPC server, or what carries
// HTTP/JSON to the same calls. The kinds that Runnel does not run yet are
// registered too, and answer UNIMPLEMENTED.
func Register(r grpc.ServiceRegistrar, c *control.Control) {
	runpb.RegisterJobsServer(r, jobs{c: c})
	runpb.RegisterExecutionsServer(r, executions{c: c})
	runpb.RegisterTasksServer(r, tasks{c: c})
	runpb.RegisterServicesServer(r, services{c: c})
	runpb.RegisterWorkerPoolsServer(r, workerPools{c: c})
	runpb.RegisterRevisionsServer(r, revisions{c: c})
	longrunningpb.RegisterOperationsServer(r, operations{c: c})
	registerLocations(r, locations{c: c})
	for _, desc := range []grpc.ServiceDesc{
		runpb.Instances_ServiceDesc,
		runpb.Builds_ServiceDesc,
	} {
		registerAbsent(r, desc)
	}
}
