package serving

import (
	"cmp"
	"time"

	"cloud.google.com/go/run/apiv2/runpb"

	"runnel/contract"
	"runnel/probe"
)

// prober is one probe of one container.
type prober struct {
	check probe.Check
	// delay is how long it is left alone at first, period how far attempts are
	// apart, threshold how many have to fail in a row.
	delay, period time.Duration
	threshold     int
	log           contract.ProbeLog
}

// The purposes of probes, as logs write them.
const (
	startup   = "STARTUP"
	liveness  = "LIVENESS"
	readiness = "READINESS"
)

// probes are those of container n. The one that takes requests is always waited
// for.
func (p *plan) probes(n int, called string, from *runpb.Container) container {
	c := container{
		name:      called,
		startup:   p.prober(startup, called, from.GetStartupProbe()),
		liveness:  p.prober(liveness, called, from.GetLivenessProbe()),
		readiness: p.prober(readiness, called, from.GetReadinessProbe()),
	}
	switch {
	case c.startup != nil:
	case n == p.ingress:
		c.startup = defaultProbe(c.name, p.port)
	case !p.serves():
		c.steady = steadyTime
	}
	return c
}

// defaultProbe is that of a container which names none.
// Source: Cloud Run, "Configure container health checks": TCP, 240 s, once.
func defaultProbe(name string, port int) *prober {
	return &prober{
		check:     probe.Check{Kind: probe.TCP, Port: port, Timeout: contract.StartTime},
		period:    contract.StartTime,
		threshold: 1,
		log: contract.ProbeLog{
			Default: true, Purpose: startup, Kind: probe.TCP.String(), Container: name, Port: port,
		},
	}
}

// prober reads a probe; nil if there is none.
func (p *plan) prober(purpose, of string, from *runpb.Probe) *prober {
	if from == nil {
		return nil
	}
	out := &prober{
		check:     p.check(from),
		delay:     seconds(from.GetInitialDelaySeconds(), 0),
		period:    seconds(from.GetPeriodSeconds(), contract.DefaultProbePeriod),
		threshold: cmp.Or(int(from.GetFailureThreshold()), contract.DefaultProbeThreshold),
	}
	out.check.Timeout = seconds(from.GetTimeoutSeconds(), contract.DefaultProbeTimeout)
	out.log = contract.ProbeLog{
		Purpose: purpose, Kind: out.check.Kind.String(), Container: of,
		Port: out.check.Port, Path: out.check.Path,
	}
	// What control fills in where there is no probe is the default one.
	out.log.Default = purpose == startup && p.serves() && out.check.Kind == probe.TCP && out.check.Port == p.port &&
		out.delay == 0 && out.period == contract.StartTime && out.threshold == 1
	return out
}

// check is what a probe asks.
func (p *plan) check(from *runpb.Probe) probe.Check {
	switch {
	case from.GetHttpGet() != nil:
		get := from.GetHttpGet()
		c := probe.Check{Kind: probe.HTTP, Port: cmp.Or(int(get.GetPort()), p.port), Path: cmp.Or(get.GetPath(), "/")}
		for _, h := range get.GetHttpHeaders() {
			c.Headers = append(c.Headers, probe.Header{Name: h.GetName(), Value: h.GetValue()})
		}
		return c
	case from.GetGrpc() != nil:
		return probe.Check{
			Kind: probe.GRPC, Port: cmp.Or(int(from.GetGrpc().GetPort()), p.port), Service: from.GetGrpc().GetService(),
		}
	}
	return probe.Check{Kind: probe.TCP, Port: cmp.Or(int(from.GetTcpSocket().GetPort()), p.port)}
}

func seconds(n int32, otherwise time.Duration) time.Duration {
	return cmp.Or(time.Duration(n)*time.Second, otherwise)
}
