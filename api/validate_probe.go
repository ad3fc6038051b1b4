package api

import (
	"strings"

	"cloud.google.com/go/run/apiv2/runpb"
)

// Bounds of probes, in seconds.
// Source: run.v2 protos, Probe; "Configure container health checks".
const (
	maxStartupSeconds  = 240
	maxProbeSeconds    = 3600
	maxProbePath       = 2048
	maxProbeHeaders    = 100
	maxProbeHeaderSize = 8 << 10
)

// probeKind is what a probe is for.
type probeKind int

const (
	startupProbe probeKind = iota
	livenessProbe
	readinessProbe
)

// most is the longest delay and the longest period of a probe.
func (k probeKind) most() int32 {
	if k == startupProbe {
		return maxStartupSeconds
	}
	return maxProbeSeconds
}

// probe checks a probe, which may be nil; needsPort says that its container has
// none of its own.
func (c *checker) probe(path string, kind probeKind, p *runpb.Probe, needsPort bool) {
	if p == nil {
		return
	}
	c.probeType(path, kind, p, needsPort)
	c.seconds(path+".initialDelaySeconds", p.GetInitialDelaySeconds(), 0, kind.most())
	period, timeout, failures := p.GetPeriodSeconds(), p.GetTimeoutSeconds(), p.GetFailureThreshold()
	if period == 0 {
		period = defaultProbePeriod
	} else {
		c.seconds(path+".periodSeconds", period, 1, kind.most())
	}
	if timeout != 0 {
		c.seconds(path+".timeoutSeconds", timeout, 1, maxProbeSeconds)
	} else {
		timeout = defaultProbeTimeout
	}
	if timeout > period {
		c.add(path+".timeoutSeconds", "%d seconds are longer than the period of %d: want at most that", timeout, period)
	}
	if failures < 0 {
		c.add(path+".failureThreshold", "%d is not a number of failures: want at least 1", failures)
	} else if failures == 0 {
		failures = defaultProbeThreshold
	}
	if total := int64(failures) * int64(period); kind == startupProbe && total > maxStartupSeconds {
		c.add(path+".failureThreshold", "%d failures, %d seconds apart, take %d seconds: want at most %d", failures, period, total, maxStartupSeconds)
	}
}

// seconds checks a number of seconds.
func (c *checker) seconds(path string, n, least, most int32) {
	if n < least || n > most {
		c.add(path, "%d seconds are not possible: want %d to %d", n, least, most)
	}
}

// probeType checks what a probe asks.
func (c *checker) probeType(path string, kind probeKind, p *runpb.Probe, needsPort bool) {
	var port int32
	switch t := p.GetProbeType().(type) {
	case *runpb.Probe_HttpGet:
		path += ".httpGet"
		port = t.HttpGet.GetPort()
		c.httpGet(path, t.HttpGet)
	case *runpb.Probe_TcpSocket:
		path += ".tcpSocket"
		port = t.TcpSocket.GetPort()
		if kind != startupProbe {
			c.add(path, "a connection alone is enough for a start-up probe only: want httpGet or grpc")
		}
	case *runpb.Probe_Grpc:
		path += ".grpc"
		port = t.Grpc.GetPort()
	default:
		if kind == startupProbe {
			c.add(path, "does not say what to ask: want httpGet, tcpSocket or grpc")
		} else {
			c.add(path, "does not say what to ask: want httpGet or grpc")
		}
		return
	}
	switch {
	case port != 0:
		c.port(path+".port", port)
	case needsPort:
		c.add(path+".port", "is missing: the container has no port of its own")
	}
}

// httpGet checks the request of an HTTP probe.
func (c *checker) httpGet(path string, get *runpb.HTTPGetAction) {
	if p := get.GetPath(); p != "" && (p[0] != '/' || len(p) > maxProbePath || strings.ContainsFunc(p, isControl)) {
		c.add(path+".path", "%q is not a path: want one of at most %d bytes that begins with a slash", p, maxProbePath)
	}
	if n := len(get.GetHttpHeaders()); n > maxProbeHeaders {
		c.add(path+".httpHeaders", "has %d headers: want at most %d", n, maxProbeHeaders)
	}
	for i, h := range get.GetHttpHeaders() {
		at := index(path+".httpHeaders", i)
		if !isToken(h.GetName()) {
			c.add(at+".name", "%q is not the name of a header", h.GetName())
		}
		if v := h.GetValue(); len(v) > maxProbeHeaderSize || strings.ContainsFunc(v, isControl) {
			c.add(at+".value", "is not the value of a header: want at most %d visible characters", maxProbeHeaderSize)
		}
	}
}

// isControl reports whether r has no place in a request's line or header.
func isControl(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }

// isToken reports whether s may be the name of a header.
// Source: RFC 9110, section 5.6.2.
func isToken(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return r <= ' ' || r >= 0x7f || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, r)
	})
}
