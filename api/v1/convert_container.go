package v1

import (
	"fmt"

	"cloud.google.com/go/run/apiv2/runpb"

	"runnel/api"
	"runnel/contract"
)

// resource is c, which stands at path, in v2.
func (c *ServiceContainer) resource(path string) (*runpb.Container, api.FieldErrors) {
	out, errs := c.InstanceContainer.resource(path)
	for _, p := range c.Ports {
		out.Ports = append(out.Ports, &runpb.ContainerPort{Name: p.Name, ContainerPort: p.ContainerPort})
	}
	if c.ReadinessProbe != nil {
		out.ReadinessProbe = c.ReadinessProbe.resource(path+".readinessProbe", &errs)
	}
	return out, errs
}

// resource is c, which stands at path, in v2.
func (c *InstanceContainer) resource(path string) (_ *runpb.Container, errs api.FieldErrors) {
	out := &runpb.Container{
		Name: c.Name, Image: c.Image, Command: c.Command, Args: c.Args, WorkingDir: c.WorkingDir,
		Env: environment(c.Env), Resources: c.Resources.resource(),
	}
	for i, m := range c.VolumeMounts {
		if m.ReadOnly {
			errs = append(errs, api.FieldError{Path: indexed(path+".volumeMounts", i) + ".readOnly", Message: "is not supported: a volume can be written to wherever it is mounted"})
		}
		out.VolumeMounts = append(out.VolumeMounts, &runpb.VolumeMount{Name: m.Name, MountPath: m.MountPath, SubPath: m.SubPath})
	}
	if c.StartupProbe != nil {
		out.StartupProbe = c.StartupProbe.resource(path+".startupProbe", &errs)
	}
	if c.LivenessProbe != nil {
		out.LivenessProbe = c.LivenessProbe.resource(path+".livenessProbe", &errs)
	}
	return out, errs
}

// resource is r in v2: nil where there are no limits.
func (r Resources) resource() *runpb.ResourceRequirements {
	if r.Limits == nil {
		return nil
	}
	limits := make(map[string]string, len(r.Limits))
	for k, q := range r.Limits {
		limits[k] = string(q)
	}
	return &runpb.ResourceRequirements{Limits: limits}
}

// resource is p, which stands at path, in v2. What is wrong with it is added to
// errs.
func (p *Probe) resource(path string, errs *api.FieldErrors) *runpb.Probe {
	out := &runpb.Probe{
		InitialDelaySeconds: p.InitialDelaySeconds, TimeoutSeconds: p.TimeoutSeconds,
		PeriodSeconds: p.PeriodSeconds, FailureThreshold: p.FailureThreshold,
	}
	kinds := 0
	if h := p.HTTPGet; h != nil {
		kinds++
		get := &runpb.HTTPGetAction{Path: h.Path, Port: h.Port}
		for _, header := range h.HTTPHeaders {
			get.HttpHeaders = append(get.HttpHeaders, &runpb.HTTPHeader{Name: header.Name, Value: header.Value})
		}
		out.ProbeType = &runpb.Probe_HttpGet{HttpGet: get}
	}
	if p.TCPSocket != nil {
		kinds++
		out.ProbeType = &runpb.Probe_TcpSocket{TcpSocket: &runpb.TCPSocketAction{Port: p.TCPSocket.Port}}
	}
	if p.GRPC != nil {
		kinds++
		out.ProbeType = &runpb.Probe_Grpc{Grpc: &runpb.GRPCAction{Port: p.GRPC.Port, Service: p.GRPC.Service}}
	}
	switch {
	case kinds > 1:
		*errs = append(*errs, api.FieldError{Path: path, Message: fmt.Sprintf("asks in %d ways at once: want one of httpGet, tcpSocket and grpc", kinds)})
	case p.SuccessThreshold != nil && *p.SuccessThreshold != 1:
		*errs = append(*errs, api.FieldError{Path: path + ".successThreshold", Message: "is not supported: want 1, or none"})
	}
	return out
}

// Cloud Run tells the start-up probe that it fills in from one that somebody
// has asked for by a label of the template.
const (
	probeTypeKey     = domain + "startupProbeType"
	probeTypeDefault = "Default"

	defaultProbeSeconds = 240
)

// isDefaultProbe reports whether p is what a container gets that has no
// start-up probe, at whatever port.
// Source: observed services of Cloud Run.
func isDefaultProbe(p *runpb.Probe) bool {
	return p.GetTcpSocket() != nil && p.GetTimeoutSeconds() == defaultProbeSeconds && p.GetPeriodSeconds() == defaultProbeSeconds &&
		p.GetFailureThreshold() == 1 && p.GetInitialDelaySeconds() == 0
}

// dropDefaultProbe takes a probe that was filled in out of a template that says
// so: it is filled in again, for the port that the container has by then.
func dropDefaultProbe(t *runpb.RevisionTemplate) {
	if t.Labels[probeTypeKey] != probeTypeDefault {
		return
	}
	if c := ingressContainer(t.GetContainers()); c != nil && isDefaultProbe(c.GetStartupProbe()) {
		c.StartupProbe = nil
	}
}

// hasDefaultProbe reports whether a template's start-up probe is the one that
// is filled in.
func hasDefaultProbe(t *runpb.RevisionTemplate) bool {
	c := ingressContainer(t.GetContainers())
	port := int32(contract.DefaultPort)
	if len(c.GetPorts()) > 0 {
		port = c.GetPorts()[0].GetContainerPort()
	}
	return isDefaultProbe(c.GetStartupProbe()) && c.GetStartupProbe().GetTcpSocket().GetPort() == port
}

// indexed is the path of an element of the list at path.
func indexed(path string, i int) string { return fmt.Sprintf("%s[%d]", path, i) }
