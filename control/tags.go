package control

import (
	"slices"
	"time"

	"cloud.google.com/go/run/apiv2/runpb"

	"runnel/store"
)

// placedTag is a tag of a service's traffic.
type placedTag struct {
	service, tag string
	since        time.Time
	// idle tags have no share of the requests.
	idle bool
}

// evictTags removes the oldest idle tags of the location of n, a service that
// has just been stored, beyond the number of those that there may be. It returns
// the services that have lost one. Tags that are not idle are never removed.
func (c *Control) evictTags(tx *store.Tx, n name) (services []string) {
	if len(getServiceNote(tx, n.String()).Tagged) == 0 {
		return nil
	}
	all := tagsIn(tx, n.up(atLocation))
	over := len(all) - c.config.KeepTags
	if over <= 0 {
		return nil
	}
	all = slices.DeleteFunc(all, func(t placedTag) bool { return !t.idle })
	slices.SortStableFunc(all, func(a, b placedTag) int { return a.since.Compare(b.since) })
	for _, t := range all[:min(over, len(all))] {
		s := getService(tx, t.service)
		s.Traffic = slices.DeleteFunc(s.Traffic, func(x *runpb.TrafficTarget) bool { return x.GetTag() == t.tag })
		s.UpdateTime = after(s.GetUpdateTime())
		s.Generation++
		serviceReconciling(s, nil)
		of := getServiceNote(tx, t.service)
		delete(of.Tagged, t.tag)
		putService(tx, s)
		putServiceNote(tx, s, of)
		if t.service != n.String() && !slices.Contains(services, t.service) {
			services = append(services, t.service)
		}
	}
	return services
}

// tagsIn are the tags of all services of a location.
func tagsIn(tx *store.Tx, location name) (all []placedTag) {
	for e := range tx.Under(kindServices, location.String()+"/") {
		of := getServiceNote(tx, e.Name)
		if len(of.Tagged) == 0 {
			continue
		}
		for _, t := range getService(tx, e.Name).GetTraffic() {
			if tag := t.GetTag(); tag != "" {
				all = append(all, placedTag{service: e.Name, tag: tag, since: of.Tagged[tag], idle: t.GetPercent() == 0})
			}
		}
	}
	return all
}
