// Package v1 is Cloud Run's v1 API for jobs, the Knative-shaped one that
// gcloud and hand-written YAML files speak: its objects, their conversion to
// the one vocabulary of resources (runpb) and back, and the HTTP handler that
// serves them. It is a facade: nothing is stored in this form, and every
// decision is control's.
//
// Reading is strict: what is not understood is refused with its path, and in a
// file with its line, never dropped. The types are Runnel's own and hold what
// Runnel supports; they keep an explicit 0 apart from a field that is not
// there. The package needs no privilege, and but for its handler does no I/O.
package v1

// APIVersion is that of jobs, executions and tasks.
const APIVersion = "run.googleapis.com/v1"

// Kinds of objects.
const (
	KindJob       = "Job"
	KindExecution = "Execution"
	KindTask      = "Task"
)

// Kinds as paths have them.
const (
	pluralJobs       = "jobs"
	pluralExecutions = "executions"
	pluralTasks      = "tasks"
)
