package control

import (
	"cloud.google.com/go/run/apiv2/runpb"
	"google.golang.org/protobuf/proto"

	"runnel/store"
)

// outcome is the service as it stands with its revisions: ready, failed, or still
// on its way. unready is the revision that its traffic lacks, nil if none. The
// service's version is the one that is stored.
func (s standing) outcome(unready *unreadyError) *runpb.Service {
	next := proto.CloneOf(s.service)
	if id := s.latestReady(""); id != "" {
		next.LatestReadyRevision = split(next.GetName()).revision(id).String()
	}
	next.TrafficStatuses = trafficStatuses(s.note.Routes)
	created := s.created()
	if created != nil && isPending(created.Revision) || unready != nil && unready.revision != nil && isPending(unready.revision.Revision) {
		return next
	}
	configurations, routes := succeeded(configurationsReady, ""), succeeded(routesReady, "")
	if created != nil && isBroken(created.Revision) {
		configurations = (&unreadyError{revision: created}).condition(configurationsReady)
	}
	if unready != nil {
		routes = unready.condition(routesReady)
	}
	next.Conditions = s.parts(next, routes, configurations)
	next.TerminalCondition = keepTime(next.GetTerminalCondition(), s.terminal(routes, configurations))
	// On a failure too: clients wait for the two to be the same.
	next.Reconciling, next.ObservedGeneration = false, next.GetGeneration()
	return next
}

// parts are the conditions beside the terminal one. A worker pool has those of its
// latest revision.
func (s standing) parts(next *runpb.Service, routes, configurations *runpb.Condition) []*runpb.Condition {
	all := []*runpb.Condition{routes, configurations}
	if isPool(next.GetName()) {
		if all = nil; s.created() != nil {
			all = poolConditions(s.created().Revision)
		}
	}
	for i, c := range all {
		c.LastTransitionTime = next.GetUpdateTime()
		if old := conditionOf(next.GetConditions(), c.GetType()); old != nil {
			all[i] = keepTime(old, c)
		}
	}
	return all
}

// terminal sums up how a service stands. A revision that failed counts against
// it as long as it is what was wanted: until the traffic has been turned away
// from it on purpose.
func (s standing) terminal(routes, configurations *runpb.Condition) *runpb.Condition {
	failed := func(c *runpb.Condition) bool { return c.GetState() == runpb.Condition_CONDITION_FAILED }
	wanted := usesLatest(s.service) || s.created() != nil && s.created().note.Generation == s.service.GetGeneration()
	switch {
	case failed(configurations) && wanted:
		return failing(readyCondition, configurations.GetMessage(), configurations)
	case failed(routes):
		return failing(readyCondition, routes.GetMessage(), routes)
	}
	return succeeded(readyCondition, "")
}

// stampConditions gives the conditions of next that old does not have so the
// time of next.
func stampConditions(old, next *runpb.Service) {
	for i, c := range next.Conditions {
		if before := conditionOf(old.GetConditions(), c.GetType()); !proto.Equal(before, c) {
			next.Conditions[i] = proto.CloneOf(c)
			next.Conditions[i].LastTransitionTime = next.GetUpdateTime()
		}
	}
	if !proto.Equal(old.GetTerminalCondition(), next.GetTerminalCondition()) {
		next.TerminalCondition.LastTransitionTime = next.GetUpdateTime()
	}
}

// settleRevisions stores of each revision that is ready whether it can be
// reached, and how many instances it is to have. It returns the names of those
// where that has changed.
func (s standing) settleRevisions(tx *store.Tx) (changed []string) {
	scales := s.scales(s.note.Routes)
	reached, _ := shares(s.note.Routes)
	for _, r := range s.revisions {
		now := getRevision(tx, r.GetName())
		if now == nil || !isReady(now) {
			continue
		}
		next := proto.CloneOf(now)
		next.ScalingStatus = nil
		if n := least(scales[r.id()]); n > 0 {
			next.ScalingStatus = &runpb.RevisionScalingStatus{DesiredMinInstanceCount: n}
		}
		at := after(now.GetUpdateTime())
		_, active := reached[r.id()]
		next.Conditions = setCondition(next.Conditions, activity(active), at)
		if proto.Equal(next, now) {
			continue
		}
		next.UpdateTime = at
		putRevision(tx, next)
		changed = append(changed, r.GetName())
	}
	return changed
}

// activity is the condition of a revision that can be reached, or cannot.
func activity(active bool) *runpb.Condition {
	c := succeeded(activeCondition, "")
	if !active {
		c = &runpb.Condition{
			Type: activeCondition, State: runpb.Condition_CONDITION_FAILED, Message: "Revision retired.",
			Reasons: &runpb.Condition_RevisionReason_{RevisionReason: runpb.Condition_RETIRED},
		}
	}
	c.Severity = runpb.Condition_INFO
	return c
}

// surplus are the oldest revisions beyond the number of those to be kept which
// nothing leads to.
func (s standing) surplus(keep int) (names []string) {
	used := map[string]bool{
		shortID(s.service.GetLatestCreatedRevision()): true,
		s.latestReady(""): true,
	}
	for _, r := range s.note.Routes {
		used[r.Revision] = true
	}
	for _, t := range s.service.GetTraffic() {
		used[t.GetRevision()] = true
	}
	over := len(s.revisions) - keep
	for i := len(s.revisions) - 1; i >= 0 && over > 0; i-- {
		if r := s.revisions[i]; !used[r.id()] {
			over--
			if r.note.Deleted.IsZero() {
				names = append(names, r.GetName())
			}
		}
	}
	return names
}
