package control

import (
	"maps"
	"slices"
	"strings"

	"cloud.google.com/go/run/apiv2/runpb"

	"runnel/contract"
)

// defaultDomain is what the host names of services end with.
const defaultDomain = "run.localhost"

// hosts are the host names of a service: the one that tells its project and
// region, and a short one where these are the daemon's own.
func (c *Control) hosts(n name) (all []string) {
	return c.hostsBelow(n, c.config.Domain)
}

// hostsBelow are those below a domain.
func (c *Control) hostsBelow(n name, domain string) (all []string) {
	all = append(all, n.id()+"-"+c.ProjectNumber(n.project())+"."+n.location()+"."+domain)
	if c.isOwn(n) {
		all = append(all, n.id()+"."+domain)
	}
	return all
}

// isOwn reports whether a service is in the daemon's own project and region.
func (c *Control) isOwn(n name) bool {
	return n.project() == c.config.Project && n.location() == c.config.Region
}

// allHosts are the host names that lead to a service: its own, the same below
// other domains, and those that the configuration gives it.
func (c *Control) allHosts(n name) []string {
	all := c.hosts(n)
	for _, domain := range c.config.MoreDomains {
		all = append(all, c.hostsBelow(n, domain)...)
	}
	return append(all, c.givenHosts(n)...)
}

// givenHosts are those that the configuration gives a service, by its full name
// or, where project and region are the daemon's own, by its id.
func (c *Control) givenHosts(n name) (all []string) {
	for _, host := range slices.Sorted(maps.Keys(c.config.Domains)) {
		if to := c.config.Domains[host]; to == n.String() || c.isOwn(n) && to == n.id() {
			all = append(all, host)
		}
	}
	return all
}

// tagHosts are the host names of a tag of a service: those whose first label is
// not too long for one.
func tagHosts(hosts []string, tag string) (all []string) {
	for _, h := range hosts {
		label, rest, _ := strings.Cut(h, ".")
		if label = contract.TagLabel(tag, label); contract.IsLabel(label) {
			all = append(all, label+"."+rest)
		}
	}
	return all
}

// urls are the URLs of hosts.
func (c *Control) urls(hosts []string) []string {
	all := make([]string, len(hosts))
	for i, h := range hosts {
		all[i] = c.config.URL(h)
	}
	return all
}

// last is the last of some texts: of hosts and URLs, the short one; empty if
// there is none.
func last(all []string) string {
	if len(all) == 0 {
		return ""
	}
	return all[len(all)-1]
}

// showService adds to a service, which is the caller's own, what is not stored
// with it: its version, and where it is.
func (c *Control) showService(s *runpb.Service) *runpb.Service {
	s.Etag = Etag(s.GetName(), s.GetUpdateTime().AsTime())
	hosts := c.hosts(split(s.GetName()))
	if s.GetDefaultUriDisabled() {
		return s
	}
	s.Urls = c.urls(hosts)
	s.Uri = last(s.GetUrls())
	for _, t := range s.GetTrafficStatuses() {
		if t.GetTag() != "" {
			t.Uri = last(c.urls(tagHosts(hosts, t.GetTag())))
		}
	}
	return s
}
