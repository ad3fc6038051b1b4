package control

import (
	"strings"

	"cloud.google.com/go/run/apiv2/runpb"

	"runnel/contract"
)

// defaultDomain is what the host names of services end with.
const defaultDomain = "run.localhost"

// hosts are the host names of a service: the one that tells its project and
// region, and a short one where these are the daemon's own.
func (c *Control) hosts(n name) (all []string) {
	number := c.ProjectNumber(n.project())
	all = append(all, n.id()+"-"+number+"."+n.location()+"."+c.config.Domain)
	if n.project() == c.config.Project && n.location() == c.config.Region {
		all = append(all, n.id()+"."+c.config.Domain)
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
