package api

import (
	"cloud.google.com/go/run/apiv2/runpb"
	gapi "google.golang.org/genproto/googleapis/api"
	"google.golang.org/protobuf/types/known/durationpb"

	"runnel/contract"
)

// DefaultService fills in what service leaves unset, as Cloud Run does when it
// stores one. What is set stays as it was written, whether valid or not. Names
// of containers, labels and the like are never made up: clients would take
// them for a change.
// Source: run.v2 protos; observed services of Cloud Run.
func DefaultService(service *runpb.Service) {
	if service.Ingress == runpb.IngressTraffic_INGRESS_TRAFFIC_UNSPECIFIED {
		service.Ingress = runpb.IngressTraffic_INGRESS_TRAFFIC_ALL
	}
	if service.LaunchStage == gapi.LaunchStage_LAUNCH_STAGE_UNSPECIFIED {
		service.LaunchStage = gapi.LaunchStage_GA
	}
	if service.Template == nil {
		service.Template = &runpb.RevisionTemplate{}
	}
	defaultRevision(service.Template)
	if len(service.Traffic) == 0 {
		service.Traffic = []*runpb.TrafficTarget{{
			Type:    runpb.TrafficTargetAllocationType_TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST,
			Percent: 100,
		}}
	}
	for _, t := range service.Traffic {
		if t.GetType() == runpb.TrafficTargetAllocationType_TRAFFIC_TARGET_ALLOCATION_TYPE_UNSPECIFIED {
			t.Type = runpb.TrafficTargetAllocationType_TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST
			if t.GetRevision() != "" {
				t.Type = runpb.TrafficTargetAllocationType_TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION
			}
		}
	}
}

// defaultRevision fills in what a template leaves unset.
func defaultRevision(t *runpb.RevisionTemplate) {
	if t.Scaling == nil {
		t.Scaling = &runpb.RevisionScaling{}
	}
	if t.Scaling.MaxInstanceCount == 0 {
		t.Scaling.MaxInstanceCount = contract.DefaultMaxInstances
	}
	if t.Timeout == nil {
		t.Timeout = durationpb.New(contract.DefaultRequestTimeout)
	}
	for _, k := range t.Containers {
		if k.Resources == nil {
			k.Resources = &runpb.ResourceRequirements{CpuIdle: true}
		}
		defaultLimits(k)
	}
	defaultIngress(t.Containers)
	for _, k := range t.Containers {
		defaultProbes(k)
	}
	if t.MaxInstanceRequestConcurrency == 0 {
		t.MaxInstanceRequestConcurrency = 1
		if cpu, ok := totalCPU(t.Containers); !ok || cpu >= 1000 {
			t.MaxInstanceRequestConcurrency = contract.DefaultConcurrency
		}
	}
}

// Names of ports.
const (
	portHTTP1 = "http1"
	portH2C   = "h2c"
)

// defaultIngress completes the port of the container that takes requests, and
// gives it a start-up probe: a connection to that port.
func defaultIngress(containers []*runpb.Container) {
	if len(containers) == 1 && len(containers[0].GetPorts()) == 0 {
		containers[0].Ports = []*runpb.ContainerPort{{}}
	}
	k := IngressContainer(containers)
	if k == nil || len(k.GetPorts()) == 0 {
		return
	}
	port := k.GetPorts()[0]
	if port.GetContainerPort() == 0 {
		port.ContainerPort = contract.DefaultPort
	}
	if port.GetName() == "" {
		port.Name = portHTTP1
	}
	if k.GetStartupProbe() == nil {
		seconds := int32(contract.StartTime.Seconds())
		k.StartupProbe = &runpb.Probe{
			TimeoutSeconds: seconds, PeriodSeconds: seconds, FailureThreshold: 1,
			ProbeType: &runpb.Probe_TcpSocket{TcpSocket: &runpb.TCPSocketAction{Port: port.GetContainerPort()}},
		}
	}
}

// IngressContainer is the container that takes the requests: the only one, or
// the one that has a port. It is nil where there is none.
func IngressContainer(containers []*runpb.Container) *runpb.Container {
	if len(containers) == 1 {
		return containers[0]
	}
	for _, k := range containers {
		if len(k.GetPorts()) > 0 {
			return k
		}
	}
	return nil
}

// totalCPU is the CPU of all containers together, if all of them can be read.
func totalCPU(containers []*runpb.Container) (sum contract.MilliCPU, ok bool) {
	for _, k := range containers {
		cpu := contract.DefaultCPU
		if s, set := k.GetResources().GetLimits()[limitCPU]; set {
			var err error
			if cpu, err = contract.ParseCPU(s); err != nil {
				return 0, false
			}
		}
		sum += cpu
	}
	return sum, true
}

// Defaults of probes.
// Source: run.v2 protos, Probe.
const (
	defaultProbeTimeout   = 1
	defaultProbePeriod    = 10
	defaultProbeThreshold = 3
)

// defaultProbes completes the probes that a container has.
func defaultProbes(k *runpb.Container) {
	var port int32
	if len(k.GetPorts()) > 0 {
		port = k.GetPorts()[0].GetContainerPort()
	}
	for _, p := range []*runpb.Probe{k.GetStartupProbe(), k.GetLivenessProbe(), k.GetReadinessProbe()} {
		if p != nil {
			defaultProbe(p, port)
		}
	}
}

func defaultProbe(p *runpb.Probe, port int32) {
	if p.TimeoutSeconds == 0 {
		p.TimeoutSeconds = defaultProbeTimeout
	}
	if p.PeriodSeconds == 0 {
		p.PeriodSeconds = defaultProbePeriod
	}
	if p.FailureThreshold == 0 {
		p.FailureThreshold = defaultProbeThreshold
	}
	switch kind := p.ProbeType.(type) {
	case *runpb.Probe_HttpGet:
		if kind.HttpGet.GetPath() == "" {
			kind.HttpGet.Path = "/"
		}
		if kind.HttpGet.GetPort() == 0 {
			kind.HttpGet.Port = port
		}
	case *runpb.Probe_TcpSocket:
		if kind.TcpSocket.GetPort() == 0 {
			kind.TcpSocket.Port = port
		}
	case *runpb.Probe_Grpc:
		if kind.Grpc.GetPort() == 0 {
			kind.Grpc.Port = port
		}
	}
}
