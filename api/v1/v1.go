// Package v1 reads and writes the Knative-shaped resources of Cloud Run's v1
// API, as gcloud and hand-written YAML files hold them, and converts them to
// the one vocabulary of resources (runpb) and back.
//
// Reading is strict: what is not understood is refused with its path and its
// line, never dropped. The types are Runnel's own and hold what Runnel
// supports; they keep an explicit 0 apart from a field that is not there. The
// package does no I/O and needs no privilege.
package v1

// APIVersion is that of jobs, executions and tasks.
const APIVersion = "run.googleapis.com/v1"

// KindJob is the kind of a Job.
const KindJob = "Job"
