package v1

import (
	"strings"

	"cloud.google.com/go/run/apiv2/runpb"
)

// conditions are those of an object, which may be about to be deleted. Then
// nothing about it is failed any more, only not settled: a client that waits
// for the end of a deletion takes a failure for the deletion's.
func conditions(all []*runpb.Condition, deleted bool) []Condition {
	out := make([]Condition, 0, len(all))
	for _, c := range all {
		if c == nil {
			continue
		}
		v1 := condition(c)
		if deleted && v1.Status == statusFalse {
			v1.Status = statusUnknown
		}
		out = append(out, v1)
	}
	return out
}

// Values of Condition.Status.
const (
	statusTrue    = "True"
	statusFalse   = "False"
	statusUnknown = "Unknown"
)

func condition(c *runpb.Condition) Condition {
	out := Condition{
		Type:               c.GetType(),
		Status:             statusUnknown,
		Reason:             camel(reason(c)),
		Message:            c.GetMessage(),
		LastTransitionTime: timestamp(c.GetLastTransitionTime()),
	}
	switch c.GetState() {
	case runpb.Condition_CONDITION_SUCCEEDED:
		out.Status = statusTrue
	case runpb.Condition_CONDITION_FAILED:
		out.Status = statusFalse
	}
	switch c.GetSeverity() {
	case runpb.Condition_WARNING:
		out.Severity = "Warning"
	case runpb.Condition_INFO:
		out.Severity = "Info"
	}
	return out
}

// reason is the name of c's reason in v2, empty if it has none.
func reason(c *runpb.Condition) string {
	switch r := c.GetReasons().(type) {
	case *runpb.Condition_Reason:
		if r.Reason != runpb.Condition_COMMON_REASON_UNDEFINED {
			return r.Reason.String()
		}
	case *runpb.Condition_RevisionReason_:
		if r.RevisionReason != runpb.Condition_REVISION_REASON_UNDEFINED {
			return r.RevisionReason.String()
		}
	case *runpb.Condition_ExecutionReason_:
		if r.ExecutionReason != runpb.Condition_EXECUTION_REASON_UNDEFINED {
			return r.ExecutionReason.String()
		}
	}
	return ""
}

// camel turns NON_ZERO_EXIT_CODE into NonZeroExitCode.
func camel(name string) string {
	var out strings.Builder
	for word := range strings.SplitSeq(name, "_") {
		if word != "" {
			out.WriteString(word[:1] + strings.ToLower(word[1:]))
		}
	}
	return out.String()
}
