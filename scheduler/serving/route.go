package serving

import (
	"maps"
	"path"
	"slices"
	"strings"

	"runnel/ingress"
)

// Service is how the requests of a service are to be served.
type Service struct {
	// Name is the service's full resource name.
	Name string
	// Hosts are its own, as ingress.Route has them.
	Hosts []string
	// Traffic shares the requests. Revisions are ones that were added; percents
	// sum to 100 or there is none.
	Traffic []Traffic
	// Disabled services answer that they are; Internal ones are for internal
	// listeners alone.
	Disabled, Internal bool
	// Public services ask nobody who calls. Of others Audiences are those of
	// tokens beside the service's URLs, and Allows reports whether a caller, by
	// its email address, may call.
	Public    bool
	Audiences []string
	Allows    func(email string) bool
}

// Traffic is what one revision gets of a service's requests.
type Traffic struct {
	// Revision is the full name.
	Revision string
	// Percent is 0 to 100.
	Percent int
	// Tag names a target with hosts of its own, TagHosts; empty for none.
	Tag      string
	TagHosts []string
}

// Route has the requests of a service served so from now on; those under way go
// on as they are.
func (f *Fleet) Route(s Service) {
	targets, names := f.targets(s)
	f.setRouted(s.Name, names, true)
	f.config.Server.Set(s.route(targets))
	f.setRouted(s.Name, names, false)
}

// Unroute has a service's hosts answered as unknown.
func (f *Fleet) Unroute(name string) {
	f.config.Server.Remove(name)
	f.setRouted(name, nil, false)
}

// targets are those of a service's traffic, in its order, and the revisions
// among them that get any of it or have a tag. One that is not known stands for
// a revision that never has an instance.
func (f *Fleet) targets(s Service) (targets []*ingress.Target, names []string) {
	of := make(map[string]*ingress.Target)
	for _, t := range s.Traffic {
		target := of[t.Revision]
		if target == nil {
			target = f.target(s.Name, t.Revision)
			of[t.Revision] = target
		}
		targets = append(targets, target)
		if t.Percent > 0 || t.Tag != "" {
			names = append(names, t.Revision)
		}
	}
	return targets, names
}

func (f *Fleet) target(service, revision string) *ingress.Target {
	l := f.find(revision)
	if l == nil {
		f.config.Logger.Error("a route names an unknown revision", "service", service, "revision", revision)
		return &ingress.Target{Revision: path.Base(revision), Pool: ingress.NewPool(ingress.PoolConfig{})}
	}
	return &ingress.Target{
		Revision: l.plan.revision, Pool: l.pool, Timeout: l.plan.timeout, Affinity: l.plan.affinity,
	}
}

// route is what the server is told.
func (s *Service) route(targets []*ingress.Target) *ingress.Route {
	r := &ingress.Route{
		Name: s.Name, Service: path.Base(s.Name), Hosts: s.Hosts,
		Disabled: s.Disabled, Internal: s.Internal,
		Access: ingress.Access{Public: s.Public, Audiences: s.Audiences, Allows: s.Allows},
	}
	rest := strings.TrimPrefix(s.Name, "projects/")
	r.Project, rest, _ = strings.Cut(rest, "/locations/")
	r.Region, _, _ = strings.Cut(rest, "/services/")
	for n, t := range s.Traffic {
		if t.Percent > 0 {
			r.Splits = append(r.Splits, ingress.Split{Target: targets[n], Percent: t.Percent})
		}
		if t.Tag != "" {
			r.Tags = append(r.Tags, ingress.Tag{Name: t.Tag, Hosts: t.TagHosts, Target: targets[n]})
		}
	}
	return r
}

// setRouted tells revisions whether requests may come to them: those that a
// service's route names, and those that it has named, which are kept if also is
// set.
func (f *Fleet) setRouted(service string, names []string, also bool) {
	f.mu.Lock()
	changed := make(map[string]bool)
	for _, name := range slices.Concat(names, f.routes[service]) {
		changed[name] = true
	}
	if also {
		names = slices.Concat(names, f.routes[service])
	}
	f.routes[service] = names
	if len(names) == 0 {
		delete(f.routes, service)
	}
	routed := make(map[*loop]bool)
	for name := range maps.Keys(changed) {
		if l := f.revisions[name]; l != nil {
			routed[l] = f.routed(name)
		}
	}
	f.mu.Unlock()
	for l, is := range routed {
		l.wish(func(w *wishes) {
			if is && !w.routed {
				w.bare = false
			}
			w.routed = is
		})
	}
}

// routed reports whether a route names the revision. The caller holds mu.
func (f *Fleet) routed(revision string) bool {
	for _, names := range f.routes {
		if slices.Contains(names, revision) {
			return true
		}
	}
	return false
}
