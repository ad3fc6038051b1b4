package contract

// ConcurrencyPolicyHeader is a header of the request that a schedule makes. It
// says what is to happen where the job's last scheduled execution still runs;
// Cloud Scheduler, which has no such setting, passes it on and Cloud Run ignores
// it. Its values are the ConcurrencyPolicies; without it they are allowed.
const ConcurrencyPolicyHeader = "Runnel-Concurrency-Policy"

// ConcurrencyPolicy is what becomes of a scheduled run where the one before it
// has not ended.
// Source: Kubernetes CronJob, spec.concurrencyPolicy; kf create-job -c.
type ConcurrencyPolicy string

// The policies.
const (
	// AllowConcurrent runs both.
	AllowConcurrent ConcurrencyPolicy = "Allow"
	// ForbidConcurrent leaves the new one out.
	ForbidConcurrent ConcurrencyPolicy = "Forbid"
	// ReplaceConcurrent cancels the old one first.
	ReplaceConcurrent ConcurrencyPolicy = "Replace"
)
