package control

import (
	"maps"
	"slices"
	"strings"

	"cloud.google.com/go/iam/apiv1/iampb"
	"cloud.google.com/go/run/apiv2/runpb"

	"runnel/scheduler/serving"
	"runnel/store"
)

// reroute has the requests of a service served as is stored of it: by its
// routes, its policy and its settings. All that changes how requests are served
// is stored first, and put in force here.
func (c *Control) reroute(service string) error {
	if isPool(service) {
		return nil // which gets no requests
	}
	c.routing.Lock()
	defer c.routing.Unlock()
	var s *runpb.Service
	var of serviceNote
	var policy *iampb.Policy
	err := c.view(func(tx *store.Tx) (err error) {
		if s = getService(tx, service); s == nil || s.GetDeleteTime() != nil {
			return nil
		}
		of = getServiceNote(tx, service)
		policy, err = getPolicy(tx, split(service))
		return err
	})
	switch {
	case err != nil:
		return err
	case s == nil || s.GetDeleteTime() != nil:
		c.config.Fleet.Unroute(service)
	case c.keepsAll(service, of.Routes):
		c.config.Fleet.Route(c.served(s, of.Routes, policy))
	}
	return nil
}

// keepsAll reports whether the fleet has every revision of the routes.
func (c *Control) keepsAll(service string, routes []route) bool {
	return !slices.ContainsFunc(routes, func(r route) bool {
		return !c.kept.has(split(service).revision(r.Revision).String())
	})
}

// served is how the requests of a service are to be served.
func (c *Control) served(s *runpb.Service, routes []route, policy *iampb.Policy) serving.Service {
	n := split(s.GetName())
	hosts := c.allHosts(n)
	switch {
	case s.GetIngress() == runpb.IngressTraffic_INGRESS_TRAFFIC_NONE:
		hosts = nil
	case s.GetDefaultUriDisabled():
		hosts = c.givenHosts(n)
	}
	invokers := invokersOf(policy)
	x := serving.Service{
		Name:      s.GetName(),
		Hosts:     hosts,
		Disabled:  disabled(s),
		Internal:  isInternal(s.GetIngress()),
		Public:    s.GetInvokerIamDisabled() || invokers.everybody,
		Audiences: c.audiences(s),
		Allows:    invokers.allows,
	}
	for _, r := range routes {
		t := serving.Traffic{Revision: n.revision(r.Revision).String(), Percent: r.Percent, Tag: r.Tag}
		if r.Tag != "" {
			t.TagHosts = tagHosts(hosts, r.Tag)
		}
		x.Traffic = append(x.Traffic, t)
	}
	return x
}

// isInternal reports whether requests from elsewhere are refused.
func isInternal(i runpb.IngressTraffic) bool {
	switch i {
	case runpb.IngressTraffic_INGRESS_TRAFFIC_INTERNAL_ONLY, runpb.IngressTraffic_INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER:
		return true
	}
	return false
}

// audiences are those that a token for the service may be for beside the URL
// that is called: every URL of the service, and what it names itself.
func (c *Control) audiences(s *runpb.Service) []string {
	return append(c.urls(c.allHosts(split(s.GetName()))), s.GetCustomAudiences()...)
}

// invokers are those who may call a service.
type invokers struct {
	// everybody needs no credentials, anybody who has some may call.
	everybody, anybody bool
	emails, domains    map[string]bool
}

// invokes reports whether a role has the permission to call services.
// Source: "Cloud Run IAM roles".
func invokes(role string) bool {
	switch role {
	case "roles/run.invoker", "roles/run.servicesInvoker", "roles/run.admin", "roles/owner":
		return true
	}
	return false
}

// invokersOf reads a policy.
func invokersOf(p *iampb.Policy) invokers {
	who := invokers{emails: map[string]bool{}, domains: map[string]bool{}}
	for _, b := range p.GetBindings() {
		if !invokes(b.GetRole()) {
			continue
		}
		for _, m := range b.GetMembers() {
			kind, id, _ := strings.Cut(m, ":")
			switch id = strings.ToLower(id); kind {
			case "allUsers":
				who.everybody = true
			case "allAuthenticatedUsers":
				who.anybody = true
			case "user", "serviceAccount":
				who.emails[id] = true
			case "domain":
				who.domains[id] = true
			}
		}
	}
	return who
}

// allows reports whether a caller may call, by its email address. The
// administrator always may, as an owner of a project does.
func (i invokers) allows(email string) bool {
	email = strings.ToLower(email)
	if email == Administrator {
		return true
	}
	_, domain, _ := strings.Cut(email, "@")
	return i.everybody || i.anybody || i.emails[email] || i.domains[domain]
}

// rescale tells the fleet how many instances each revision of a service may have
// where its requests are shared so.
func (c *Control) rescale(s standing, routes []route) {
	for id, scale := range s.scales(routes) {
		if full := split(s.service.GetName()).revision(id).String(); c.kept.has(full) {
			c.config.Fleet.SetScale(full, scale)
		}
	}
}

// scales are those of all revisions. One that is not ready yet has what it will
// have, and room for an instance that shows whether it can be.
func (s standing) scales(routes []route) map[string]serving.Scale {
	all := make(map[string]serving.Scale, len(s.revisions))
	for _, r := range s.revisions {
		if isPending(r.Revision) {
			all[r.id()] = s.trialScale(r)
		} else {
			x := scale(s.service, r.Revision, routes)
			x.Yield = s.yields(r, x)
			all[r.id()] = x
		}
	}
	return all
}

// yields is how many instances of a worker pool's revision are to go as soon as
// one that is not ready yet is.
func (s standing) yields(r servedRevision, now serving.Scale) (most int) {
	for _, next := range s.revisions {
		if !isPool(r.GetName()) || !isPending(next.Revision) {
			continue
		}
		if routes, err := s.routes(next.id()); err == nil {
			most = max(most, now.Manual-scale(s.service, r.Revision, routes).Manual)
		}
	}
	return most
}

// trialScale is that of a revision which is not ready yet.
func (s standing) trialScale(r servedRevision) serving.Scale {
	routes, _ := s.routes(r.id())
	x := scale(s.service, r.Revision, routes)
	if isPool(r.GetName()) {
		return x // instances of a worker pool do work, where they are to be none too
	}
	if x.Manual == 0 {
		x.Manual = -1
	}
	x.Max = max(x.Max, 1)
	return x
}

// sharedRevisions are the short names of the revisions that routes lead to.
func sharedRevisions(routes []route) []string {
	all, _ := shares(routes)
	return slices.Sorted(maps.Keys(all))
}
