package control

import (
	"strconv"
	"strings"
	"time"

	"cloud.google.com/go/run/apiv2/runpb"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// Types of conditions of services and revisions; readyCondition is of both.
const (
	routesReady         = "RoutesReady"
	configurationsReady = "ConfigurationsReady"

	activeCondition    = "Active"
	resourcesAvailable = "ResourcesAvailable"
	containerReady     = "ContainerReady"
	containerHealthy   = "ContainerHealthy"
	minProvisioned     = "MinInstancesProvisioned"
)

// conditionOf is the condition of a type, nil if there is none.
func conditionOf(all []*runpb.Condition, kind string) *runpb.Condition {
	for _, c := range all {
		if c.GetType() == kind {
			return c
		}
	}
	return nil
}

// setCondition puts a condition in place of the one of its type. The time of the
// transition stays where nothing but the time would change.
func setCondition(all []*runpb.Condition, next *runpb.Condition, at *timestamppb.Timestamp) []*runpb.Condition {
	next.LastTransitionTime = at
	for i, old := range all {
		if old.GetType() == next.GetType() {
			all[i] = keepTime(old, next)
			return all
		}
	}
	return append(all, next)
}

// keepTime is next, or old if next says the same.
func keepTime(old, next *runpb.Condition) *runpb.Condition {
	same := proto.CloneOf(next)
	same.LastTransitionTime = old.GetLastTransitionTime()
	if proto.Equal(same, old) {
		return old
	}
	return next
}

// succeeded is a condition that holds.
func succeeded(kind, message string) *runpb.Condition {
	return &runpb.Condition{Type: kind, State: runpb.Condition_CONDITION_SUCCEEDED, Message: message}
}

// underWay is a condition that is to hold.
func underWay(kind, message string) *runpb.Condition {
	return &runpb.Condition{Type: kind, State: runpb.Condition_CONDITION_RECONCILING, Message: message}
}

// failing is a condition that does not hold, for the reasons of another one.
func failing(kind, message string, why *runpb.Condition) *runpb.Condition {
	return &runpb.Condition{Type: kind, State: runpb.Condition_CONDITION_FAILED, Message: message, Reasons: why.GetReasons()}
}

// revisionPending gives a new revision its conditions.
func revisionPending(r *runpb.Revision) {
	r.Reconciling = true
	for _, c := range []*runpb.Condition{
		underWay(readyCondition, "Deploying revision."),
		underWay(resourcesAvailable, "Provisioning imported containers."),
		underWay(containerReady, "Importing the container images."),
		underWay(containerHealthy, "Waiting for a container to start."),
	} {
		r.Conditions = setCondition(r.Conditions, c, r.GetUpdateTime())
	}
}

// revisionState is whether a revision is ready, cannot be, or is on its way.
func revisionState(r *runpb.Revision) runpb.Condition_State {
	return conditionOf(r.GetConditions(), readyCondition).GetState()
}

// isReady, isBroken and isPending are the three.
func isReady(r *runpb.Revision) bool {
	return revisionState(r) == runpb.Condition_CONDITION_SUCCEEDED
}
func isBroken(r *runpb.Revision) bool  { return revisionState(r) == runpb.Condition_CONDITION_FAILED }
func isPending(r *runpb.Revision) bool { return !isReady(r) && !isBroken(r) }

// serviceReconciling has a service be on its way, to the revision created for it
// if there is a new one.
func serviceReconciling(s *runpb.Service, created *runpb.Revision) {
	s.Reconciling = true
	next := underWay(readyCondition, "Deploying the "+split(s.GetName()).noun()+".")
	next.LastTransitionTime = s.GetUpdateTime()
	s.TerminalCondition = next
	if isPool(s.GetName()) {
		if created != nil {
			s.Conditions = poolConditions(created)
		}
		return
	}
	s.Conditions = setCondition(s.Conditions, underWay(routesReady, ""), s.GetUpdateTime())
	s.Conditions = setCondition(s.Conditions, underWay(configurationsReady, ""), s.GetUpdateTime())
}

// poolConditions are the conditions of a worker pool beside the terminal one: how
// far its latest revision is.
func poolConditions(latest *runpb.Revision) (all []*runpb.Condition) {
	for _, c := range latest.GetConditions() {
		if c.GetType() != readyCondition && c.GetType() != activeCondition {
			all = append(all, proto.CloneOf(c))
		}
	}
	return all
}

// took is how long something took, as conditions write it: 9.84s, 1m3.6s.
// Source: observed conditions of Cloud Run.
func took(d time.Duration) string {
	d = max(d, 0).Round(10 * time.Millisecond)
	text := strconv.FormatFloat((d % time.Minute).Seconds(), 'f', 2, 64)
	text = strings.TrimSuffix(strings.TrimRight(text, "0"), ".") + "s"
	if m := d / time.Minute; m > 0 {
		text = strconv.FormatInt(int64(m), 10) + "m" + text
	}
	return text
}
