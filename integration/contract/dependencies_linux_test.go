package contract

import (
	"net/http"
	"strings"
	"testing"
)

// pair deploys two containers of the shell's image, of which main listens and
// depends on side. Both tell when they begin.
func (s *ownService) pair(side string, flags ...string) {
	s.t.Helper()
	args := []string{
		"deploy", s.name, "--allow-unauthenticated",
		"--container", "main", "--image", s.Host.Shell(), "--port", "8080", "--cpu", "0.5", "--memory", "128Mi", "--concurrency", "1",
		"--depends-on", "side", "--args", "^\x01^echo main begins; exec httpd -f -p 8080 -h /bin",
		"--container", "side", "--image", s.Host.Shell(), "--cpu", "0.5", "--memory", "128Mi", "--args", "^\x01^" + side,
	}
	s.CLI(append(args, flags...)...).Exits(0)
}

// contract: DEP-1
func TestDEP1ContainerWaitsForTheProbeOfTheOther(t *testing.T) {
	s := serviceOf(t, daemon(t))
	s.pair("sleep 2; echo side listens; exec httpd -f -p 9090 -h /bin", "--startup-probe", "tcpSocket.port=9090,periodSeconds=1,failureThreshold=200")
	log := s.says("main begins", "side listens", `for container "side" on port 9090`)
	if strings.Index(log, "main begins") < strings.Index(log, "side listens") {
		t.Errorf("main has not waited for the probe of side:\n%s", log)
	}
}

// contract: DEP-2
func TestDEP2WithoutAProbeNobodyWaits(t *testing.T) {
	s := serviceOf(t, daemon(t))
	s.pair("echo side begins; exec sleep 1000000")
	s.says("main begins", "side begins")
	s.asked("/busybox").Is(s.Host, 200)
}

// contract: DEP-3
func TestDEP3CirclesAreRefused(t *testing.T) {
	d := daemon(t)
	create := func(first, second string) {
		body := `{"template":{"containers":[{"name":"a","image":"x","ports":[{"containerPort":8080}],"dependsOn":[` + first + `]},{"name":"b","image":"x","dependsOn":[` + second + `]}]}}`
		a := apiCall(d, http.MethodPost, "/v2/"+here+"/services?validateOnly=true&serviceId="+nameOf(t), body)
		if circle := second != ""; circle {
			a.Is(d.Host, 400, "dependsOn", "INVALID_ARGUMENT")
		} else {
			a.Is(d.Host, 200)
		}
	}
	create(`"b"`, ``)
	create(`"b"`, `"a"`)
	create(``, `"b"`)
}

// contract: DEP-4
func TestDEP4HealthCheckCanBeLeftOut(t *testing.T) {
	d := daemon(t)
	s := serviceOf(t, d)
	broken := []string{"deploy", s.name, "--image", d.Host.Shell(), "--args", "^\x01^echo it starts; exit 7", "--memory", "128Mi", "--allow-unauthenticated"}
	d.CLI(append(broken, "--no-deploy-health-check")...).Exits(0)
	r := s.revisions()[0]
	if s.is().GetLatestReadyRevision() != r.GetName() || s.is().GetTerminalCondition().GetState().String() != "CONDITION_SUCCEEDED" {
		t.Errorf("%s is not ready", r.GetName())
	}
	if c := condition(r.GetConditions(), "ContainerHealthy"); c.GetRevisionReason().String() != "HEALTH_CHECK_SKIPPED" {
		t.Errorf("it is %v", r.GetConditions())
	}
	if log := s.said(); strings.Contains(log, "it starts") || strings.Contains(log, "Starting new instance") {
		t.Errorf("it has been started:\n%s", log)
	}
	d.CLI(append(broken, "--deploy-health-check")...).Exits(1)
	s.says("it starts")
	if ready := s.is().GetLatestReadyRevision(); ready != r.GetName() {
		t.Errorf("%s is ready, which was checked", ready)
	}
}
