package control

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"cloud.google.com/go/run/apiv2/runpb"
)

// servedRevision is a revision of a service, with its note.
type servedRevision struct {
	*runpb.Revision
	note revisionNote
}

// id is the short name.
func (r servedRevision) id() string { return split(r.GetName()).id() }

// standing is a service as it is stored, with its revisions, the newest first.
type standing struct {
	service   *runpb.Service
	note      serviceNote
	revisions []servedRevision
}

// revision is the one with a short name, nil if there is none.
func (s standing) revision(id string) *servedRevision {
	for i := range s.revisions {
		if s.revisions[i].id() == id {
			return &s.revisions[i]
		}
	}
	return nil
}

// created is the revision that was created last, nil if there is none.
func (s standing) created() *servedRevision {
	return s.revision(shortID(s.service.GetLatestCreatedRevision()))
}

// shortID is the last part of a full name, empty if that is.
func shortID(full string) string { return full[strings.LastIndex(full, "/")+1:] }

// latestReady is the short name of the newest revision that is ready, or would
// be if the one called with were; empty if there is none.
func (s standing) latestReady(with string) string {
	for _, r := range s.revisions {
		if (isReady(r.Revision) || r.id() == with) && r.note.Deleted.IsZero() {
			return r.id()
		}
	}
	return ""
}

// routes is how the service wants its requests shared, as if the revision called
// with, which may be empty, were ready. The error says which revision is not;
// what is shared then is not complete.
func (s standing) routes(with string) (routes []route, err *unreadyError) {
	latest := s.latestReady(with)
	for _, t := range s.service.GetTraffic() {
		r := route{Revision: t.GetRevision(), Percent: int(t.GetPercent()), Tag: t.GetTag()}
		if r.Revision == "" {
			r.Revision, r.Latest = latest, true
		}
		target := s.revision(r.Revision)
		if target == nil && r.Latest {
			target = s.created()
		}
		if target == nil || !isReady(target.Revision) && target.id() != with {
			err = cmp.Or(err, &unreadyError{id: t.GetRevision(), revision: target})
			continue
		}
		routes = append(routes, r)
	}
	return routes, err
}

// unreadyError is a revision that is not ready, as it would have to be.
type unreadyError struct {
	// id is its short name, and revision the revision; nil if there is none.
	id       string
	revision *servedRevision
}

// condition says so, as a condition of a kind.
func (u *unreadyError) condition(kind string) *runpb.Condition {
	if u.revision == nil {
		why := &runpb.Condition{Reasons: &runpb.Condition_Reason{Reason: runpb.Condition_REVISION_FAILED}}
		return failing(kind, fmt.Sprintf("Revision '%s' does not exist.", u.id), why)
	}
	why := conditionOf(u.revision.GetConditions(), readyCondition)
	cannot := "serve traffic"
	if isPool(u.revision.GetName()) {
		cannot = "have instances"
	}
	message := fmt.Sprintf("Revision '%s' is not ready and cannot %s.", u.revision.id(), cannot)
	if why.GetMessage() != "" {
		message += " " + why.GetMessage()
	}
	return failing(kind, message, why)
}

// usesLatest reports whether a service sends requests to its latest revision.
func usesLatest(s *runpb.Service) bool {
	return slices.ContainsFunc(s.GetTraffic(), func(t *runpb.TrafficTarget) bool {
		return t.GetRevision() == "" && (t.GetPercent() > 0 || t.GetTag() != "")
	})
}

// trafficStatuses tells how requests are shared.
func trafficStatuses(routes []route) (all []*runpb.TrafficTargetStatus) {
	for _, r := range routes {
		t := &runpb.TrafficTargetStatus{
			Type:     runpb.TrafficTargetAllocationType_TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION,
			Revision: r.Revision, Percent: int32(r.Percent), Tag: r.Tag,
		}
		if r.Latest {
			t.Type = runpb.TrafficTargetAllocationType_TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST
		}
		all = append(all, t)
	}
	return all
}

// tag notes since when the service s, as it is to be, has its tags.
func (n *serviceNote) tag(s *runpb.Service) {
	tagged := map[string]time.Time{}
	for _, t := range s.GetTraffic() {
		if tag := t.GetTag(); tag != "" {
			tagged[tag] = s.GetUpdateTime().AsTime()
			if old, ok := n.Tagged[tag]; ok {
				tagged[tag] = old
			}
		}
	}
	n.Tagged = tagged
}
