package v1

import (
	"cloud.google.com/go/run/apiv2/runpb"
)

// revisionSpec is what t says in v1, but for what v1 says in annotations.
func revisionSpec(t *runpb.RevisionTemplate) *RevisionSpec {
	s := &RevisionSpec{
		ContainerConcurrency: nonZero(t.GetMaxInstanceRequestConcurrency()),
		InstanceSpec:         instanceSpec(t),
	}
	if t.GetTimeout() != nil {
		timeout := int32(seconds(t.GetTimeout()))
		s.TimeoutSeconds = &timeout
	}
	for _, c := range t.GetContainers() {
		out := ServiceContainer{InstanceContainer: instanceContainer(c), ReadinessProbe: probe(c.GetReadinessProbe())}
		for _, p := range c.GetPorts() {
			out.Ports = append(out.Ports, ContainerPort{Name: p.GetName(), ContainerPort: p.GetContainerPort()})
		}
		s.Containers = append(s.Containers, out)
	}
	return s
}

// instanceSpec is what t says of the instances of services and worker pools
// alike.
func instanceSpec(t *runpb.RevisionTemplate) InstanceSpec {
	s := InstanceSpec{ServiceAccountName: t.GetServiceAccount()}
	if a := t.GetNodeSelector().GetAccelerator(); a != "" {
		s.NodeSelector = map[string]string{acceleratorKey: a}
	}
	for _, v := range t.GetVolumes() {
		s.Volumes = append(s.Volumes, volume(v))
	}
	return s
}

func instanceContainer(c *runpb.Container) InstanceContainer {
	plain := container(c)
	out := InstanceContainer{
		Name: plain.Name, Image: plain.Image, Command: plain.Command, Args: plain.Args,
		Env: plain.Env, Resources: plain.Resources, WorkingDir: plain.WorkingDir,
		StartupProbe: probe(c.GetStartupProbe()), LivenessProbe: probe(c.GetLivenessProbe()),
	}
	for _, m := range c.GetVolumeMounts() {
		out.VolumeMounts = append(out.VolumeMounts, VolumeMount{Name: m.GetName(), MountPath: m.GetMountPath(), SubPath: m.GetSubPath()})
	}
	return out
}

// probe is p in v1, nil if there is none.
func probe(p *runpb.Probe) *Probe {
	if p == nil {
		return nil
	}
	out := &Probe{
		InitialDelaySeconds: p.GetInitialDelaySeconds(), TimeoutSeconds: p.GetTimeoutSeconds(),
		PeriodSeconds: p.GetPeriodSeconds(), FailureThreshold: p.GetFailureThreshold(),
	}
	switch kind := p.GetProbeType().(type) {
	case *runpb.Probe_HttpGet:
		get := &HTTPGet{Path: kind.HttpGet.GetPath(), Port: kind.HttpGet.GetPort()}
		for _, h := range kind.HttpGet.GetHttpHeaders() {
			get.HTTPHeaders = append(get.HTTPHeaders, HTTPHeader{Name: h.GetName(), Value: h.GetValue()})
		}
		out.HTTPGet = get
	case *runpb.Probe_TcpSocket:
		out.TCPSocket = &TCPSocket{Port: kind.TcpSocket.GetPort()}
	case *runpb.Probe_Grpc:
		out.GRPC = &GRPC{Port: kind.Grpc.GetPort(), Service: kind.Grpc.GetService()}
	}
	return out
}

func volume(v *runpb.Volume) Volume {
	out := Volume{Name: v.GetName()}
	if dir := v.GetEmptyDir(); dir != nil {
		out.EmptyDir = &EmptyDir{SizeLimit: Quantity(dir.GetSizeLimit())}
		if dir.GetMedium() == runpb.EmptyDirVolumeSource_MEMORY {
			out.EmptyDir.Medium = mediumMemory
		}
	}
	return out
}
