package contract

import (
	"fmt"
	"strings"
	"time"
)

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

// ParseConcurrencyPolicy reads a policy, in whatever case; "" is Allow.
func ParseConcurrencyPolicy(s string) (ConcurrencyPolicy, error) {
	if s == "" {
		return AllowConcurrent, nil
	}
	for _, p := range []ConcurrencyPolicy{AllowConcurrent, ForbidConcurrent, ReplaceConcurrent} {
		if strings.EqualFold(s, string(p)) {
			return p, nil
		}
	}
	return "", fmt.Errorf("%q is not a policy: want Allow, Forbid or Replace", s)
}

// Bounds of a schedule, and what it has where it says nothing.
// Source: Cloud Scheduler API v1, Job, HttpTarget and RetryConfig; "Quotas and
// limits" of Cloud Scheduler.
const (
	// MaxScheduleName and MaxScheduleDescription are in characters, MaxTargetURI
	// and MaxTargetHeaders in bytes.
	MaxScheduleName        = 500
	MaxScheduleDescription = 500
	MaxTargetURI           = 2083
	MaxTargetHeaders       = 80 << 10

	DefaultAttemptDeadline = 3 * time.Minute
	MinAttemptDeadline     = 15 * time.Second
	MaxAttemptDeadline     = 30 * time.Minute

	MaxScheduleRetries       = 5
	DefaultMinBackoff        = 5 * time.Second
	DefaultMaxBackoff        = time.Hour
	DefaultScheduleDoublings = 5
)

// CheckScheduleName says whether name may name a schedule.
// Source: Cloud Scheduler API v1, Job.name.
func CheckScheduleName(name string) error {
	odd := func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_')
	}
	if name == "" || len(name) > MaxScheduleName || strings.ContainsFunc(name, odd) {
		return fmt.Errorf("%q is not a schedule's name: want at most %d letters, digits, hyphens and underscores", name, MaxScheduleName)
	}
	return nil
}
