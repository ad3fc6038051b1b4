package contract

import (
	"fmt"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"cloud.google.com/go/run/apiv2/runpb"

	"runnel/integration/rig"
)

// contract: WP-1
func TestWP1WorkerPoolsTakeNoRequests(t *testing.T) {
	m := millOf(t, daemon(t))
	m.deploys(obedient, "--port", "8080").Exits(2).Shows("--port: a worker pool takes no requests")
	ports := `{"template":{"containers":[{"image":"x","ports":[{"containerPort":8080}]}]}}`
	apiCall(m.Daemon, http.MethodPost, "/v2/"+here+"/workerPools?workerPoolId="+m.name, ports).Is(m.Host, 400, "containers[0].ports")
	m.deploys(obedient).Exits(0)
	for _, env := range m.number(1) {
		if port, ok := env["PORT"]; ok {
			t.Errorf("PORT is %q", port)
		}
	}
	if text := m.call(http.MethodGet, "", "").Is(m.Host, 200).Body; strings.Contains(text, "http://") || strings.Contains(text, `"uri"`) {
		t.Errorf("it has a URL:\n%s", text)
	}
	m.Get(m.name, "/").Is(m.Host, 404)
}

// contract: WP-2
func TestWP2InstancesAreAsManyAsAreSaid(t *testing.T) {
	m := millOf(t, daemon(t))
	m.deploys("echo here; "+obedient, "--instances", "0").Exits(0)
	if p := m.is(); p.GetTerminalCondition().GetState() != runpb.Condition_CONDITION_SUCCEEDED || p.GetLatestReadyRevision() == "" {
		t.Errorf("with no instance it is %v", p)
	}
	if n := len(m.times("here")); n != 0 || len(m.processes()) != 0 {
		t.Errorf("%d instances have been started for nobody", n)
	}
	for _, n := range []int{3, 1, 0} {
		m.verb("update", "--instances", fmt.Sprint(n)).Exits(0)
		m.number(n)
	}
	m.verb("update", "--instances", "-1").Exits(2)

	other := millOf(t, m.Daemon, "default")
	other.deploys(obedient).Exits(0)
	if other.number(1); other.is().GetScaling().GetManualInstanceCount() != 1 {
		t.Errorf("the default is %v", other.is().GetScaling())
	}
}

// contract: WP-3
func TestWP3NothingTakesCPUFromAWorker(t *testing.T) {
	m := millOf(t, daemon(t))
	m.deploys(sleeper, "--cpu", "1").Exits(0)
	m.number(1)
	group := ""
	for end := time.Now().Add(3 * time.Second); time.Now().Before(end); <-time.After(100 * time.Millisecond) {
		for pid := range m.number(1) {
			group = groupOf(m.t, m.Daemon, pid)
		}
		quota, err := os.ReadFile(filepath.Join(group, "cpu.cfs_quota_us"))
		if os.IsNotExist(err) {
			quota, err = os.ReadFile(filepath.Join(group, "cpu.max"))
		}
		if words := strings.Fields(string(quota)); err != nil || words[0] != "100000" {
			t.Fatalf("its quota is %q, %v; want one CPU", quota, err)
		}
	}
}

// groupOf is the directory of the group that bounds the CPU of a process.
func groupOf(t *testing.T, d *rig.Daemon, pid string) (dir string) {
	t.Helper()
	for _, root := range rig.CgroupDirs(t, d.Root) {
		found, err := filepath.Glob(root + "/*/cgroup.procs")
		deeper, _ := filepath.Glob(root + "/*/*/cgroup.procs") // the pattern is as good
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range append(found, deeper...) {
			at := filepath.Dir(file)
			text, _ := os.ReadFile(file) // it may be gone
			_, v1 := os.Stat(at + "/cpu.cfs_quota_us")
			_, v2 := os.Stat(at + "/cpu.max")
			if (v1 == nil || v2 == nil) && strings.Contains("\n"+string(text), "\n"+pid+"\n") {
				dir = at
			}
		}
	}
	return dir
}

// contract: WP-4
func TestWP4AllContainersMustBeHealthy(t *testing.T) {
	m := millOf(t, daemon(t))
	probe := []string{"--startup-probe", "tcpSocket.port=9090,periodSeconds=2,failureThreshold=1"}
	// Flags stand behind the container that they are about: b.
	after := func(second string, flags ...string) rig.Result {
		return m.verb("deploy", append([]string{
			"--container", "a", "--image", m.Host.Shell(), "--memory", "128Mi", "--depends-on", "b", "--args", "^\x01^echo a is here; " + obedient,
			"--container", "b", "--image", m.Host.Shell(), "--memory", "128Mi", "--args", "^\x01^echo b is here; " + second,
		}, flags...)...)
	}
	after(sleeper, probe...).Exits(1)
	if p := m.is(); p.GetTerminalCondition().GetState() != runpb.Condition_CONDITION_FAILED || p.GetLatestReadyRevision() != "" {
		t.Errorf("it is %v", p)
	}
	m.says(1, "b is here")
	if n := len(m.times("a is here")); n != 0 {
		t.Errorf("a has been started %d times, though b, on which it depends, is not well", n)
	}
	const serve = "mkdir /www; echo yes >/www/alive; sleep 1; echo b listens; (sleep 12; rm /www/alive) & exec httpd -f -p 9090 -h /www"
	after(serve, "--startup-probe", "tcpSocket.port=9090,periodSeconds=2,failureThreshold=100",
		"--liveness-probe", "httpGet.path=/alive,httpGet.port=9090,periodSeconds=1,failureThreshold=2").Exits(0)
	if a, b := m.says(1, "a is here"), m.says(1, "b listens"); a[0].Before(b[0]) {
		t.Errorf("a is here at %v, b listens at %v", a[0], b[0])
	}
	m.says(1, "LIVENESS HTTP probe failed 2 times consecutively for container \"b\"")
	m.says(2, "a is here") // the whole instance is another
}

// contract: WP-5
func TestWP5WorkersHaveTenSecondsToEnd(t *testing.T) {
	m := millOf(t, daemon(t))
	// Each tells that it has been told, and goes on: the second's clock ticks until
	// it is killed.
	const stays = "trap 'echo told to end' TERM; while :; do echo tick; sleep 0.1; done"
	m.pair(stays, stays).Exits(0)
	m.says(2, "tick")
	begin := time.Now()
	m.verb("update", "--instances", "0").Exits(0)
	m.says(2, "told to end")
	m.number(0)
	ticks := m.times("tick")
	if d := ticks[len(ticks)-1].Sub(begin); d < grace-inexact || d > mostGrace() {
		t.Errorf("the last one runs for %v after it was told to end, want %v", d, grace)
	}
	polite := millOf(t, m.Daemon, "polite")
	polite.pair(obedient, obedient).Exits(0)
	polite.number(2)
	polite.verb("update", "--instances", "0").Exits(0)
	polite.says(2, "told to end")
	polite.number(0)
}

// contract: WP-6
func TestWP6MemoryAboveTheSumEndsTheInstance(t *testing.T) {
	m := millOf(t, daemon(t))
	// On v1 the kernel ends the one process, and Runnel a moment later all others.
	m.pair("echo begin; sleep 3; dd if=/dev/zero of=/fill bs=1M count=300; sleep 3; echo still here; "+sleeper, "echo beside; "+sleeper).Exits(0)
	m.says(2, "begin") // both have ended, and begin anew
	m.says(2, "beside")
	m.says(1, "Memory limit of 256 MiB exceeded with ")
	if n := len(m.times("still here")); n != 0 {
		t.Errorf("it has gone on %d times", n)
	}
}

// contract: WP-7
func TestWP7InstancesAreSplitByPercent(t *testing.T) {
	m := millOf(t, daemon(t))
	one, two, three := m.name+"-one", m.name+"-two", m.name+"-three"
	m.deploys(obedient, "--instances", "4", "--revision-suffix", "one").Exits(0)
	m.runs(map[string]int{one: 4})
	m.deploys(obedient, "--revision-suffix", "two").Exits(0)
	m.runs(map[string]int{two: 4}) // LATEST follows
	m.verb("update-instance-split", "--to-revisions", one+"=75,"+two+"=25").Exits(0)
	m.runs(map[string]int{one: 3, two: 1})
	m.verb("update-instance-split", "--to-revisions", one+"=75,"+two+"=26").Exits(2)
	m.verb("update-instance-split", "--to-latest").Exits(0)
	m.runs(map[string]int{two: 4})
	m.deploys(obedient, "--revision-suffix", "three", "--no-promote").Exits(0)
	if got := path.Base(m.is().GetLatestReadyRevision()); got != three {
		t.Errorf("the latest is %s", got)
	}
	m.deploys(obedient, "--revision-suffix", "four").Exits(0)
	m.runs(map[string]int{two: 4})
	m.verb("update-instance-split", "--to-latest").Exits(0)
	m.runs(map[string]int{m.name + "-four": 4})
}

// contract: WP-8
func TestWP8LabelsAndResourcesNameTheWorkerPool(t *testing.T) {
	m := millOf(t, daemon(t))
	m.deploys("echo here; " + obedient).Exits(0)
	m.says(1, "here")
	revision := path.Base(m.is().GetLatestReadyRevision())
	var shown struct {
		Metadata struct{ Labels map[string]string }
	}
	apiCall(m.Daemon, http.MethodGet, knative+"/revisions/"+revision, "").Is(m.Host, 200).Decode(m.Host, &shown)
	if got := shown.Metadata.Labels["run.googleapis.com/workerPool"]; got != m.name {
		t.Errorf("the labels are %v", shown.Metadata.Labels)
	}
	for _, l := range m.lines() {
		of := l.Resource
		if of.Type != "cloud_run_worker_pool" || of.Labels["worker_pool_name"] != m.name || of.Labels["revision_name"] != revision {
			t.Errorf("%q is of %v", l.TextPayload, of)
		}
	}
}

// contract: WP-9
func TestWP9InstancesHaveAtMostTenContainers(t *testing.T) {
	d := daemon(t)
	create := func(n int) rig.Answer {
		var all []string
		for i := range n {
			all = append(all, fmt.Sprintf(`{"name":"c%d","image":%q,"resources":{"limits":{"memory":"128Mi"}}}`, i, d.Host.Shell()))
		}
		body := `{"template":{"containers":[` + strings.Join(all, ",") + `]}}`
		return apiCall(d, http.MethodPost, "/v2/"+here+"/workerPools?validateOnly=true&workerPoolId="+nameOf(t), body)
	}
	create(10).Is(d.Host, 200)
	create(11).Is(d.Host, 400, "template.containers", "10")
}

// contract: WP-11
func TestWP11WorkersThatEndAreStartedAgain(t *testing.T) {
	d := daemon(t)
	all := map[*mill]int{millOf(t, d, "fails"): 1, millOf(t, d, "ends"): 0}
	for m, exit := range all {
		m.deploys(fmt.Sprintf("%s; sleep 1; exit %d", rig.TellStart, exit)).Exits(0)
	}
	for m, exit := range all {
		m.says(4, "start at ")
		at := rig.Starts(t, m.text())
		for n, pause := range []time.Duration{time.Second, 2 * time.Second, 4 * time.Second} {
			if gap := at[n+1] - at[n]; gap < pause+time.Second {
				t.Errorf("%s: start %d comes %v after the one before, want a second and %v at least", m.name, n+2, gap, pause)
			}
		}
		m.says(1, fmt.Sprintf("Container called exit(%d).", exit))
	}
}
