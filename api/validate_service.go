package api

import (
	"strings"
	"unicode/utf8"

	"cloud.google.com/go/run/apiv2/runpb"

	"runnel/contract"
)

// ValidateService reports everything that keeps service from being served as it
// says, as FieldErrors, or nil. What is unset and has a default is fine; so is
// an empty name, which may still be given from elsewhere.
//
// Refused is what would silently not work on this host: secrets, GPUs, volumes
// other than memory, the Identity-Aware Proxy. Settings that have no meaning on
// one host and change nothing for the program (vpcAccess, encryptionKey,
// binaryAuthorization, launchStage, executionEnvironment) are accepted.
func ValidateService(service *runpb.Service) error {
	c := &checker{}
	name := c.serviceName("name", service.GetName())
	c.header(service)
	if _, ok := runpb.IngressTraffic_name[int32(service.GetIngress())]; !ok {
		c.add("ingress", "%d is no ingress setting", service.GetIngress())
	}
	c.serviceScaling("scaling", service.GetScaling())
	c.traffic("traffic", name, service.GetTraffic())
	c.unsupportedService(service)
	if service.GetTemplate() == nil {
		c.add("template", "is missing: want the template of the service's revisions")
		return c.errs.Err()
	}
	c.revisionTemplate("template", name, service.GetTemplate())
	return c.errs.Err()
}

// header checks what services and worker pools say of themselves.
func (c *checker) header(owner interface {
	GetLabels() map[string]string
	GetAnnotations() map[string]string
	GetDescription() string
	GetCustomAudiences() []string
}) {
	c.labels("labels", owner.GetLabels())
	c.annotations("annotations", owner.GetAnnotations())
	if n := utf8.RuneCountInString(owner.GetDescription()); n > contract.MaxDescription {
		c.add("description", "has %d characters: want at most %d", n, contract.MaxDescription)
	}
	for i, a := range owner.GetCustomAudiences() {
		if a == "" || strings.ContainsFunc(a, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
			c.add(index("customAudiences", i), "%q is not an audience: want a text without white space", a)
		}
	}
}

// unsupportedService refuses what a service on this host cannot have.
func (c *checker) unsupportedService(service *runpb.Service) {
	if service.GetIapEnabled() {
		c.add("iapEnabled", "the Identity-Aware Proxy is not supported")
	}
	if service.GetMultiRegionSettings() != nil {
		c.add("multiRegionSettings", "services of several regions are not supported")
	}
	if service.GetBuildConfig() != nil {
		c.add("buildConfig", "building from source is not supported: want an image")
	}
}

// serviceName checks a service's name, short or as a full resource name, and
// returns the short one: empty if it is not one.
func (c *checker) serviceName(path, name string) string {
	name = c.ownerName(path, name, "services", "a service")
	if strings.Contains(name, contract.TagMark) {
		c.add(path, "%q cannot name a service: %s stands between a traffic tag and a service in host names", name, contract.TagMark)
		return ""
	}
	return name
}

// ownerName checks the name of a service or a worker pool, which are in collection,
// short or as a full resource name, and returns the short one: empty if it is not
// one.
func (c *checker) ownerName(path, name, collection, what string) string {
	if name == "" {
		return ""
	}
	if strings.Contains(name, "/") {
		parts := strings.Split(name, "/")
		if len(parts) != 6 || parts[0] != "projects" || parts[2] != "locations" || parts[4] != collection ||
			parts[1] == "" || parts[3] == "" {
			c.add(path, "%q is not the name of %s: want projects/PROJECT/locations/REGION/%s/NAME", name, what, collection)
			return ""
		}
		name = parts[5]
	}
	if err := contract.CheckJobName(name); err != nil {
		c.check(path, err)
		return ""
	}
	return name
}

// serviceScaling checks how many instances a service may have in all.
func (c *checker) serviceScaling(path string, s *runpb.ServiceScaling) {
	c.instances(path, s.GetMinInstanceCount(), s.GetMaxInstanceCount())
	switch mode := s.GetScalingMode(); {
	case mode == runpb.ServiceScaling_MANUAL && s.ManualInstanceCount == nil:
		c.add(path+".manualInstanceCount", "is missing: with the scaling mode MANUAL want a number of instances, 0 to disable the service")
	case mode == runpb.ServiceScaling_SCALING_MODE_UNSPECIFIED && s != nil && s.ManualInstanceCount != nil:
		c.add(path+".scalingMode", "is missing: a manual number of instances wants MANUAL")
	}
	if n := s.GetManualInstanceCount(); n < 0 {
		c.add(path+".manualInstanceCount", "%d is not a number of instances", n)
	}
}

// instances checks a minimum and a maximum of instances, where 0 is none.
func (c *checker) instances(path string, least, most int32) {
	switch {
	case least < 0:
		c.add(path+".minInstanceCount", "%d is not a number of instances", least)
	case most < 0:
		c.add(path+".maxInstanceCount", "%d is not a number of instances", most)
	case most > 0 && least > most:
		c.add(path+".minInstanceCount", "%d is more than the maximum of %d", least, most)
	}
}

// traffic checks how requests are shared. Whether the revisions exist is not
// known here.
func (c *checker) traffic(path, service string, targets []*runpb.TrafficTarget) {
	if len(targets) == 0 {
		return
	}
	sum, tags := int64(0), map[string]bool{}
	for i, t := range targets {
		at := index(path, i)
		c.target(at, service, t)
		if p := t.GetPercent(); p < 0 || p > 100 {
			c.add(at+".percent", "%d is not a share: want 0 to 100", p)
		}
		sum += int64(t.GetPercent())
		if tag := t.GetTag(); tag != "" {
			c.check(at+".tag", contract.CheckTag(service, tag))
			if tags[tag] {
				c.add(at+".tag", "%q names another target already", tag)
			}
			tags[tag] = true
		}
	}
	if sum != 100 {
		c.add(path, "the percentages sum to %d: want 100", sum)
	}
}

// target checks which revision a share of the traffic is for.
func (c *checker) target(path, service string, t *runpb.TrafficTarget) {
	switch t.GetType() {
	case runpb.TrafficTargetAllocationType_TRAFFIC_TARGET_ALLOCATION_TYPE_UNSPECIFIED:
	case runpb.TrafficTargetAllocationType_TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST:
		if t.GetRevision() != "" {
			c.add(path+".revision", "%q cannot be named where the latest one is meant: leave it out, or set type to TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION", t.GetRevision())
		}
		return
	case runpb.TrafficTargetAllocationType_TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION:
		if t.GetRevision() == "" {
			c.add(path+".revision", "is missing: want the name of a revision")
		}
	default:
		c.add(path+".type", "%d is no type of target", t.GetType())
	}
	if t.GetRevision() != "" && service != "" {
		c.check(path+".revision", contract.CheckRevisionName(service, t.GetRevision()))
	}
}
