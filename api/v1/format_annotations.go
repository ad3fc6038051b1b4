package v1

import (
	"strconv"

	"cloud.google.com/go/run/apiv2/runpb"
)

// jobAnnotations are the fields of job that v1 keeps in its annotations.
func (o Options) jobAnnotations(job *runpb.Job) texts {
	a := texts{}
	a.header(job)
	if !o.Export {
		a.set(clientNameKey, job.GetClient())
		a.set(clientVersionKey, job.GetClientVersion())
		a.set(creatorKey, job.GetCreator())
		a.set(lastModifierKey, job.GetLastModifier())
	}
	return a
}

// taskAnnotations are the fields of t that v1 keeps in the annotations of the
// execution, or of its template.
func taskAnnotations(t *runpb.TaskTemplate) texts {
	a := texts{}
	a.place(t)
	if t != nil && t.GpuZonalRedundancyDisabled != nil {
		a[zonalKey] = strconv.FormatBool(t.GetGpuZonalRedundancyDisabled())
	}
	for _, c := range t.GetContainers() {
		if c.GetResources().GetCpuIdle() {
			a[throttlingKey] = "true"
		}
		if c.GetResources().GetStartupCpuBoost() {
			a[boostKey] = "true"
		}
	}
	return a
}

// vpc adds how a task is attached to a network.
func (a texts) vpc(vpc *runpb.VpcAccess) {
	a.set(connectorKey, vpc.GetConnector())
	switch vpc.GetEgress() {
	case runpb.VpcAccess_ALL_TRAFFIC:
		a[egressKey] = "all-traffic"
	case runpb.VpcAccess_PRIVATE_RANGES_ONLY:
		a[egressKey] = "private-ranges-only"
	}
	if len(vpc.GetNetworkInterfaces()) == 0 {
		return
	}
	var interfaces []networkInterface
	for _, i := range vpc.GetNetworkInterfaces() {
		interfaces = append(interfaces, networkInterface{i.GetNetwork(), i.GetSubnetwork(), i.GetTags()})
	}
	a[interfacesKey] = jsonText(interfaces)
}

// texts are labels or annotations.
type texts map[string]string

// set adds what has a value.
func (t texts) set(k, v string) {
	if v != "" {
		t[k] = v
	}
}

// orNil is t, or nil if t is empty.
func (t texts) orNil() map[string]string {
	if len(t) == 0 {
		return nil
	}
	return t
}
