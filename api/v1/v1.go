// Package v1 is Cloud Run's v1 API for jobs, services and worker pools, the Knative-shaped one
// that gcloud and hand-written YAML files speak: its objects, their conversion to
// the one vocabulary of resources (runpb) and back, and the HTTP handler that
// serves them. It is a facade: nothing is stored in this form, and every
// decision is control's.
//
// Reading is strict: what is not understood is refused with its path, and in a
// file with its line, never dropped. The types are Runnel's own and hold what
// Runnel supports; they keep an explicit 0 apart from a field that is not
// there. The package needs no privilege, and but for its handler does no I/O.
package v1

// APIVersion is that of jobs, executions, tasks and worker pools, ServingVersion
// that of services and what belongs to them, and of all revisions.
const (
	APIVersion     = "run.googleapis.com/v1"
	ServingVersion = "serving.knative.dev/v1"
)

// Kinds of objects.
const (
	KindJob       = "Job"
	KindExecution = "Execution"
	KindTask      = "Task"

	KindService       = "Service"
	KindRevision      = "Revision"
	KindConfiguration = "Configuration"
	KindRoute         = "Route"

	KindWorkerPool = "WorkerPool"
)

// Kinds as paths have them.
const (
	pluralJobs       = "jobs"
	pluralExecutions = "executions"
	pluralTasks      = "tasks"

	pluralServices       = "services"
	pluralRevisions      = "revisions"
	pluralConfigurations = "configurations"
	pluralRoutes         = "routes"

	pluralWorkerPools = "workerpools"
)

// workerPoolsOf is what precedes the id of a worker pool in a name of v2.
const workerPoolsOf = "workerPools"

// versionOf is the version of the kind that paths call plural.
func versionOf(plural string) string {
	switch plural {
	case pluralServices, pluralRevisions, pluralConfigurations, pluralRoutes:
		return ServingVersion
	}
	return APIVersion
}
