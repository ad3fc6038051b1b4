package contract

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Bounds and defaults of services and their revisions.
// Source: run.v2 protos; "Quotas and limits"; "Set request timeout";
// "Maximum concurrent requests"; "About instance autoscaling".
const (
	DefaultPort = 8080

	DefaultRequestTimeout = 5 * time.Minute
	MinRequestTimeout     = time.Second
	MaxRequestTimeout     = time.Hour

	// DefaultConcurrency holds from one CPU on; below it is 1.
	DefaultConcurrency = 80
	MaxConcurrency     = 1000

	// DefaultMaxInstances bounds a revision that names no maximum.
	DefaultMaxInstances = 100

	// DefaultPoolInstances is how many instances a worker pool has that names no
	// number.
	DefaultPoolInstances = 1

	// MaxContainers is how many containers an instance may have.
	MaxContainers = 10
	// MaxRevisions is how many revisions of a service are kept.
	MaxRevisions = 1000
	// MaxTags is how many traffic tags a region may have.
	MaxTags = 2000
	// MaxDescription is in characters.
	MaxDescription = 512
)

// The life of a service's instance.
// Source: Cloud Run container runtime contract.
const (
	// StartTime is how long an instance may take to listen.
	StartTime = 4 * time.Minute
	// IdleTime is how long an instance without requests is kept.
	IdleTime = 15 * time.Minute
	// BoostTime is how long the start-up boost of the CPU lasts once an
	// instance is ready.
	BoostTime = 10 * time.Second
)

// ServiceEnv names one revision of one service, as its containers see it.
type ServiceEnv struct {
	Service, Revision string
	// Port is set in the ingress container alone; 0 leaves PORT out.
	Port int
	// Timeout is the revision's request timeout.
	Timeout time.Duration
}

// Environ lists the variables of e as NAME=value, in a fixed order.
// Source: Cloud Run container runtime contract, "Environment variables for
// services"; CLOUD_RUN_TIMEOUT_SECONDS as observed.
func (e ServiceEnv) Environ() []string {
	env := []string{
		"K_SERVICE=" + e.Service,
		"K_REVISION=" + e.Revision,
		"K_CONFIGURATION=" + e.Service,
	}
	if e.Port > 0 {
		env = append(env, "PORT="+strconv.Itoa(e.Port))
	}
	return append(env, "CLOUD_RUN_TIMEOUT_SECONDS="+strconv.FormatInt(int64(e.Timeout/time.Second), 10))
}

// RevisionName names the revision that the given generation of a service makes:
// the service's name, the generation in five digits, and three lower-case
// letters drawn from random.
// Source: observed names of Cloud Run.
func RevisionName(service string, generation int64, random [3]byte) string {
	suffix := make([]byte, len(random))
	for i, b := range random {
		suffix[i] = 'a' + b%26
	}
	return fmt.Sprintf("%s-%05d-%s", service, generation, suffix)
}

// Patience is how long a request may wait for an instance: 3.5 times the mean
// time that a service's instances take to start, and ten seconds at least.
// Source: Cloud Run container runtime contract, "Request timeouts"; "About
// instance autoscaling".
func Patience(meanStart time.Duration) time.Duration {
	return max(10*time.Second, meanStart*7/2)
}

// CheckRevisionName says whether name may name a revision of a service.
// Source: "Configure labels for services"; run.v2 protos, RevisionTemplate.
func CheckRevisionName(service, name string) error {
	const most = 63
	if strings.HasPrefix(name, service+"-") && len(name) <= most && IsLabel(name) {
		return nil
	}
	return fmt.Errorf("%q is not a revision of %s: want %s-SUFFIX with lower-case letters, digits and hyphens, at most %d characters in all and not ending with a hyphen", name, service, service, most)
}

// TagMark stands between a tag and its service in a host name.
const TagMark = "---"

// CheckTag says whether tag may name a target of a service's traffic: with the
// service's name it makes one label of a host name.
// Source: "Rollbacks, gradual rollouts, and traffic migration".
func CheckTag(service, tag string) error {
	switch {
	case !IsLabel(tag) || tag[0] < 'a' || strings.Contains(tag, TagMark):
		return fmt.Errorf("%q is not a tag: want lower-case letters, digits and hyphens, beginning with a letter, not ending with a hyphen, and without %s", tag, TagMark)
	case len(tag)+len(TagMark)+len(service) > 63:
		return fmt.Errorf("%q is too long for a tag of %s: %s%s%s must have at most 63 characters", tag, service, tag, TagMark, service)
	}
	return nil
}

// TagLabel is what a tag's host names begin with, in place of label, which those
// of the service begin with.
func TagLabel(tag, label string) string { return tag + TagMark + label }

// CheckRequestTimeout says whether a request may be given d.
func CheckRequestTimeout(d time.Duration) error {
	if d < MinRequestTimeout || d > MaxRequestTimeout {
		return fmt.Errorf("a timeout of %gs is not possible: want %d to %d seconds (one hour)", d.Seconds(), int64(MinRequestTimeout/time.Second), int64(MaxRequestTimeout/time.Second))
	}
	return nil
}

// CheckConcurrency says whether an instance with cpu may take n requests at a
// time.
// Source: "Maximum concurrent requests"; "Configure CPU limits for services".
func CheckConcurrency(n int64, cpu MilliCPU) error {
	switch {
	case n < 1 || n > MaxConcurrency:
		return fmt.Errorf("%d requests at a time are not possible: want 1 to %d", n, MaxConcurrency)
	case n > 1 && cpu < 1000:
		return fmt.Errorf("%d requests at a time need at least 1 CPU, and the instance has %s: want 1, or more CPU", n, cpu.CPUs())
	}
	return nil
}

// ContainerName is what the container at a place among n is called in logs where
// it has no name of its own: worker if it is the only one, and else what its
// image is called with its place, counted from 1.
// Source: observed logs of Cloud Run.
func ContainerName(name, image string, place, n int) string {
	switch {
	case name != "":
		return name
	case n == 1:
		return "worker"
	}
	image, _, _ = strings.Cut(image[strings.LastIndex(image, "/")+1:], "@")
	image, _, _ = strings.Cut(image, ":")
	return image + "-" + strconv.Itoa(place+1)
}
