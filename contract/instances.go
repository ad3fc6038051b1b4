package contract

import (
	"fmt"
	"strings"
	"time"
)

// StartReason is why an instance was started.
type StartReason string

// The reasons.
const (
	StartAutoscaling StartReason = "AUTOSCALING"
	StartDeployment  StartReason = "DEPLOYMENT_ROLLOUT"
	StartMinimum     StartReason = "MANUAL_OR_CUSTOMER_MIN_INSTANCE"
)

// Line announces, in a revision's system log, an instance that is started for the
// reason.
// Source: observed system log of Cloud Run; "Logging", start of instances.
func (r StartReason) Line() string {
	why := map[StartReason]string{
		StartAutoscaling: "Instance started due to configured scaling factors (e.g. CPU utilization, request throughput, etc.) or no existing capacity for current traffic.",
		StartDeployment:  "Instance started due to traffic shifting between revisions due to deployment, traffic split adjustment, or deployment health check.",
		StartMinimum:     "Instance started because of customer-configured min-instances or manual scaling.",
	}[r]
	return "Starting new instance. Reason: " + string(r) + " - " + why
}

// DisabledLine is told of an instance that is stopped because its revision is to
// have none any more.
// Source: observed system log of Cloud Run.
const DisabledLine = "Shutting down user disabled instance"

// ProbeLog is what the log calls a probe.
type ProbeLog struct {
	// Default says that nobody has asked for it; Purpose is STARTUP, LIVENESS or
	// READINESS, Kind TCP, HTTP or GRPC.
	Default       bool
	Purpose, Kind string
	// Container is the container's name; Path is that of an HTTP probe.
	Container string
	Port      int
	Path      string
}

// of are the words before and after what happened.
func (p ProbeLog) of(happened string) string {
	var b strings.Builder
	if p.Default {
		b.WriteString("Default ")
	}
	fmt.Fprintf(&b, "%s %s probe %s for container %q on port %d", p.Purpose, p.Kind, happened, p.Container, p.Port)
	if p.Path != "" {
		fmt.Fprintf(&b, " path %q", p.Path)
	}
	return b.String()
}

// Succeeded tells of the first success, after so many attempts.
// Source: observed system log of Cloud Run, as the other lines of probes.
func (p ProbeLog) Succeeded(attempts int) string {
	return p.of("succeeded after " + count(attempts, "attempt"))
}

// NotStarted tells that a container did not come up; exited says that it has
// ended by itself.
func (p ProbeLog) NotStarted(failures int, exited bool) string {
	line := p.of("failed "+count(failures, "time")+" consecutively") + ". The instance was not started."
	switch {
	case exited:
		line += " Connection failed with status CANCELLED."
	case p.Kind == "TCP":
		line += " Connection failed with status DEADLINE_EXCEEDED."
	}
	return line
}

// ShutDown tells that an instance is ended because of the probe.
func (p ProbeLog) ShutDown(failures int) string {
	return p.of("failed "+count(failures, "time")+" consecutively") + ". The instance has been shut down."
}

// OutOfTurn tells that an instance gets no requests because of the probe.
func (p ProbeLog) OutOfTurn(failures int) string {
	return p.of("failed "+count(failures, "time")+" consecutively") + ". The instance will not receive traffic."
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// ListenMessage is what a revision says whose container does not listen in time.
// Source: observed condition of failed revisions.
func ListenMessage(port int) string {
	return fmt.Sprintf("The user-provided container failed to start and listen on the port defined provided by the PORT=%d environment variable within the allocated timeout. "+
		"This can happen when the container port is misconfigured or if the timeout is too short. "+
		"The health check timeout can be extended. Logs for this revision might contain more information.", port)
}

// ProbeMessage is what a revision says whose own start-up probe failed.
// Source: observed condition of failed revisions.
const ProbeMessage = "The user-provided container failed the configured startup probe checks. " +
	"Logs for this revision might contain more information."

// EndedMessage is what the revision of a worker pool says whose container does
// not go on. Cloud Run's own words are not known.
const EndedMessage = "The user-provided container ended before the instance was ready. " +
	"The containers of a worker pool are to run until they are stopped. " +
	"Logs for this revision might contain more information."

// SilentLine tells of a start-up probe on whose port nothing listened to the end.
// Cloud Run says no such thing.
func SilentLine(port int) string {
	return fmt.Sprintf("Nothing listened on port %d of the instance; what listens on 127.0.0.1 alone cannot be reached.", port)
}

// Bounds and defaults of probes.
// Source: "Configure container health checks"; run.v2 protos, Probe.
const (
	DefaultProbeTimeout   = time.Second
	DefaultProbePeriod    = 10 * time.Second
	DefaultProbeThreshold = 3
)

// BoostCPU is what a container with that limit may use while it starts, where
// the start-up boost is on.
// Source: "Configure CPU limits", startup CPU boost.
func BoostCPU(limit MilliCPU) MilliCPU {
	switch {
	case limit <= 1000:
		return 2000
	case limit <= 2000:
		return 4000
	case limit <= MaxCPU:
		return MaxCPU
	}
	return limit
}
