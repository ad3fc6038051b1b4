package api_test

import (
	"testing"

	"cloud.google.com/go/run/apiv2/runpb"
)

// contract: HC-2 HC-3 HC-4
func TestValidateProbes(t *testing.T) {
	t.Parallel()
	tcp := func(delay, timeout, period, failures int32) *runpb.Probe {
		return &runpb.Probe{
			InitialDelaySeconds: delay, TimeoutSeconds: timeout, PeriodSeconds: period, FailureThreshold: failures,
			ProbeType: &runpb.Probe_TcpSocket{TcpSocket: &runpb.TCPSocketAction{}},
		}
	}
	http := func(path string, port int32, headers ...*runpb.HTTPHeader) *runpb.Probe {
		return &runpb.Probe{ProbeType: &runpb.Probe_HttpGet{HttpGet: &runpb.HTTPGetAction{Path: path, Port: port, HttpHeaders: headers}}}
	}
	live := func(delay, timeout, period, failures int32) *runpb.Probe {
		p := tcp(delay, timeout, period, failures)
		p.ProbeType = http("", 0).ProbeType
		return p
	}
	startup := func(p *runpb.Probe) func(*runpb.Service) {
		return func(s *runpb.Service) { s.Template.Containers[0].StartupProbe = p }
	}
	liveness := func(p *runpb.Probe) func(*runpb.Service) {
		return func(s *runpb.Service) { s.Template.Containers[0].LivenessProbe = p }
	}
	readiness := func(p *runpb.Probe) func(*runpb.Service) {
		return func(s *runpb.Service) { s.Template.Containers[0].ReadinessProbe = p }
	}
	const at = "template.containers[0].startupProbe."
	const live0 = "template.containers[0].livenessProbe."
	checkServices(t, []serviceCase{
		{"defaults", startup(tcp(0, 0, 0, 0)), nil},
		{"the longest", startup(tcp(240, 240, 240, 1)), nil},
		{"24 of 10 seconds", startup(tcp(0, 1, 10, 24)), nil},
		{"25 of 10 seconds", startup(tcp(0, 1, 10, 25)), []string{at + "failureThreshold"}},
		{"a delay of 241", startup(tcp(241, 0, 0, 0)), []string{at + "initialDelaySeconds"}},
		{"a negative delay", startup(tcp(-1, 0, 0, 0)), []string{at + "initialDelaySeconds"}},
		{"a period of 241", startup(tcp(0, 0, 241, 1)), []string{at + "periodSeconds", at + "failureThreshold"}},
		{"a timeout above the period", startup(tcp(0, 11, 10, 1)), []string{at + "timeoutSeconds"}},
		{"a timeout above the default period", startup(tcp(0, 11, 0, 1)), []string{at + "timeoutSeconds"}},
		{"negative failures", startup(tcp(0, 0, 0, -1)), []string{at + "failureThreshold"}},
		{"of no kind", startup(&runpb.Probe{}), []string{"template.containers[0].startupProbe"}},
		{"http", startup(http("/ready", 9000)), nil},
		{"no path", startup(http("ready", 0)), []string{at + "httpGet.path"}},
		{"a path with a line", startup(http("/a\r\nb", 0)), []string{at + "httpGet.path"}},
		{"port 65536", startup(http("/", 65536)), []string{at + "httpGet.port"}},
		{"headers", startup(http("/", 0, &runpb.HTTPHeader{Name: "X-A", Value: "b c"})), nil},
		{"bad headers", startup(http("/", 0, &runpb.HTTPHeader{Name: "X A"}, &runpb.HTTPHeader{Name: "B", Value: "a\nb"})),
			[]string{at + "httpGet.httpHeaders[0].name", at + "httpGet.httpHeaders[1].value"}},
		{"a sidecar without a port", func(s *runpb.Service) {
			s.Template.Containers = containers(2)
			s.Template.Containers[1].StartupProbe = tcp(0, 0, 0, 0)
		}, []string{"template.containers[1].startupProbe.tcpSocket.port"}},

		{"liveness by tcp", liveness(tcp(0, 0, 0, 0)), []string{live0 + "tcpSocket"}},
		{"readiness by tcp", readiness(tcp(0, 0, 0, 0)), []string{"template.containers[0].readinessProbe.tcpSocket"}},
		{"liveness for long", liveness(live(3600, 3600, 3600, 100)), nil},
		{"liveness for too long", liveness(live(3601, 0, 3601, 1)), []string{live0 + "initialDelaySeconds", live0 + "periodSeconds"}},
		{"liveness by gRPC", liveness(&runpb.Probe{ProbeType: &runpb.Probe_Grpc{Grpc: &runpb.GRPCAction{Service: "s"}}}), nil},
		{"liveness of no kind", liveness(&runpb.Probe{}), []string{"template.containers[0].livenessProbe"}},
	})
}
