package contract

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"cloud.google.com/go/run/apiv2/runpb"

	"runnel/integration/rig"
	"runnel/internal/inside/look"
	"runnel/internal/testenv"
)

// contract: CPU-1
func TestCPU1ContainersHaveOneCPUUnlessToldOtherwise(t *testing.T) {
	d := daemon(t)
	if quota, _ := insideLimits(taskSees(t, d).Cgroup.Settings); quota != "100000" {
		t.Errorf("a task has %s microseconds of 100 ms unless told otherwise, want all of them", quota)
	}
	pairUp(t, d)
	main, side := pairSees(d, "cgroup")
	for want, r := range map[string]*look.Report{"50000": main, "40000": side} {
		if quota, _ := insideLimits(r.Cgroup.Settings); quota != want {
			t.Errorf("a container of the pair has %s microseconds of 100 ms, want its own %s", quota, want)
		}
	}
}

// contract: CPU-2
func TestCPU2CPUsThatThereAre(t *testing.T) {
	d := daemon(t)
	c := newChecker(d)
	for cpu, memory := range map[string]string{
		"0.08": "512Mi", "0.081": "512Mi", "0.999": "512Mi", "1": "512Mi", "500m": "512Mi", "2": "512Mi", "4": "2Gi", "6": "4Gi", "8": "4Gi",
	} {
		c.taken(cpu+" CPU of a job", c.job(limited(cpu, memory)))
		c.taken(cpu+" CPU of a service", c.service(limited(cpu, memory)))
	}
	for _, cpu := range []string{"0.079", "0.0805", "0.9999", "1.001", "1.5", "3", "5", "7", "9", "10", "0", "-1", "all"} {
		c.refused(cpu+" CPU of a job", c.job(limited(cpu, "4Gi")), "cpu", cpu)
		c.refused(cpu+" CPU of a service", c.service(limited(cpu, "4Gi")), "cpu", cpu)
	}
}

// contract: CPU-3
func TestCPU3MemoryIsBoundedByCPU(t *testing.T) {
	d := daemon(t)
	c := newChecker(d)
	for _, b := range []struct {
		cpu         string
		least, most int // MiB
	}{{"0.08", 0, 512}, {"0.5", 0, 1024}, {"1", 0, 4096}, {"2", 0, 8192}, {"4", 2048, 16384}, {"6", 4096, 24576}, {"8", 4096, 32768}} {
		with := func(mib int) error { return c.job(limited(b.cpu, fmt.Sprintf("%dMi", mib))) }
		c.taken(b.cpu+" CPU with the most", with(b.most))
		c.refused(b.cpu+" CPU with more", with(b.most+1), "memory")
		if b.least > 0 {
			c.taken(b.cpu+" CPU with the least", with(b.least))
			c.refused(b.cpu+" CPU with less", with(b.least-1), "memory")
		}
	}
	c.refused("a service with 1 CPU and more than 4 GiB", c.service(limited("1", "4097Mi")), "memory")
}

// spun is what the program tells of threads that computed.
type spun struct {
	WallSeconds, CPUSeconds float64
	Handovers               int
}

// within fails the test if they had more than their CPUs: within one period of
// 100 ms they may have that of two.
func (s spun) within(t *testing.T, cpus float64) {
	t.Helper()
	if most := cpus*(s.WallSeconds+0.1)*1.2 + 0.05; s.CPUSeconds > most {
		t.Errorf("%.2f s of CPU in %.2f s, want at most %.2f s of %v CPU", s.CPUSeconds, s.WallSeconds, most, cpus)
	}
}

// contract: CPU-4
//
// It has the host to itself, and so a daemon of its own: tests that share one begin
// when those that do not run beside others have ended.
func TestCPU4SeveralCoresAtOnce(t *testing.T) {
	testenv.Root(t)
	d := rig.Open(t, &shared.images).ServeRequests()
	two, some := nameOf(t, "two"), nameOf(t, "some")
	serveInside(d, two, "--cpu", "2", "--no-cpu-boost")
	serveInside(d, some, "--cpu", "0.2", "--concurrency", "1", "--no-cpu-boost")
	var r look.Report
	act(d, two, "report", &r, "only", "cgroup")
	if quota, _ := insideLimits(r.Cgroup.Settings); quota != "200000" {
		t.Errorf("a container with 2 CPU has %s microseconds of 100 ms", quota)
	}
	// Threads on one core hand over as often as the kernel changes between them,
	// some hundred times in a second; on two, millions of times. A machine that is
	// emulated has its cores in turn, but counts the time of both; with the CPU of
	// one, no thread could have more than 400 ms of 300. The host may have only one
	// core to give for a while.
	d.Eventually("two threads compute at the same time", func() bool {
		var s spun
		act(d, two, "spin", &s, "threads", "2", "for", "300ms")
		s.within(t, 2)
		return s.Handovers > 2000 || s.CPUSeconds > 1.4*s.WallSeconds
	})
	var s spun
	act(d, some, "spin", &s, "threads", "2", "for", "1s")
	s.within(t, 0.2)
}

// contract: CPU-5
func TestCPU5InstancesHaveCPUWithRequestsAlone(t *testing.T) {
	d := daemon(t)
	name := nameOf(t)
	counting(t, d, name, "--cpu-throttling")
	d.Eventually("the quota is the least between requests", func() bool { return hasQuota(d, name, "1000") })
	d.Eventually("it hardly computes between requests", func() bool {
		idle, busy := turnsOf(d, name, "")
		return idle < busy/3
	})
	holdOpen(t, d, name, "/sleep?for=1h")
	d.Eventually("the quota is all of it with a request", func() bool { return hasQuota(d, name, "20000") && !hasQuota(d, name, "1000") })
}

// contract: CPU-6
func TestCPU6AlwaysOnMeansAlways(t *testing.T) {
	d := daemon(t)
	name := nameOf(t)
	counting(t, d, name, "--no-cpu-throttling")
	d.Eventually("it computes between requests as well", func() bool {
		idle, busy := turnsOf(d, name, "")
		return idle > busy/2
	})
	if hasQuota(d, name, "1000") || !hasQuota(d, name, "20000") {
		t.Errorf("the quotas are %v", groupSettings(d, name, "cpu.max", "cpu.cfs_quota_us"))
	}
}

// counting deploys a server with 0.2 CPU that counts as fast as it can.
func counting(t *testing.T, d *rig.Daemon, name string, flags ...string) {
	t.Helper()
	d.Deploy(name, append(flags, "--no-cpu-boost", "--cpu", "0.2", "--memory", "128Mi", "--concurrency", "1", "--max-instances", "1", "--set-env-vars", "SPIN=1")...).Exits(0)
	t.Cleanup(func() { d.CLI("services", "delete", name, "--quiet") }) // it computes until then
}

// turnsOf is how far a service counts in a second without a request, and in one
// with; or how far the server beside it does, at that address.
func turnsOf(d *rig.Daemon, name, beside string) (idle, busy float64) {
	d.Host.Helper()
	const while = 2 * time.Second
	began, turns := time.Now(), countOf(d, name, beside)
	since := func() float64 {
		was := turns
		took := time.Since(began).Seconds()
		began, turns = time.Now(), countOf(d, name, beside)
		return (turns - was) / took
	}
	<-time.After(while)
	idle = since()
	d.Get(name, "/sleep?for="+while.String()).Is(d.Host, 200)
	return idle, since()
}

// countOf is what it has counted.
func countOf(d *rig.Daemon, name, beside string) (n float64) {
	d.Host.Helper()
	var answer struct{ Body string }
	if beside == "" {
		answer.Body = d.Get(name, "/count").Is(d.Host, 200).Body
	} else {
		d.Get(name, "/fetch?url="+beside+"/count").Is(d.Host, 200).Decode(d.Host, &answer)
	}
	if _, err := fmt.Sscan(strings.TrimSpace(answer.Body), &n); err != nil {
		d.Host.Fatalf("%v in %q", err, answer.Body)
	}
	return n
}

// contract: CPU-7
func TestCPU7SidecarsHaveCPUWithRequests(t *testing.T) {
	d := daemon(t)
	name := nameOf(t)
	d.CLI("deploy", name, "--allow-unauthenticated", "--max-instances", "1", "--no-cpu-boost",
		"--container", "main", "--image", d.Host.Server(), "--port", "8080", "--cpu", "0.2", "--memory", "128Mi", "--concurrency", "1", "--depends-on", "side",
		"--container", "side", "--image", d.Host.Server(), "--cpu", "0.2", "--memory", "128Mi", "--set-env-vars", "SPIN=1,SIDE_PORT=9090",
		"--startup-probe", "tcpSocket.port=9090,periodSeconds=10").Exits(0)
	t.Cleanup(func() { d.CLI("services", "delete", name, "--quiet") }) // it computes until then
	d.Eventually("the quota is the least between requests", func() bool { return hasQuota(d, name, "1000") && !hasQuota(d, name, "20000") })
	d.Eventually("the container beside computes with a request, and hardly without", func() bool {
		idle, busy := turnsOf(d, name, "http://localhost:9090")
		return idle < busy/3
	})
}

// contract: CPU-8
func TestCPU8NewServicesAreHelpedToStart(t *testing.T) {
	d := daemon(t)
	boosted(t, d, "half", "0.5", "200000", "--memory", "128Mi", "--concurrency", "1")
	boosted(t, d, "one", "1", "200000", "--memory", "128Mi")
	boosted(t, d, "two", "2", "400000", "--memory", "128Mi")
}

// contract: CPU-8
func TestCPU8LargeInstancesAreHelpedToStart(t *testing.T) {
	d := daemon(t)
	rig.HostOnly(t, "it reserves up to 4 GiB of memory")
	boosted(t, d, "four", "4", "800000", "--memory", "2Gi")
	boosted(t, d, "six", "6", "800000", "--memory", "4Gi")
	boosted(t, d, "eight", "8", "800000", "--memory", "4Gi")
}

// boosted looks at the CPU that a new service has while it starts, and for ten
// seconds after that.
func boosted(t *testing.T, d *rig.Daemon, side, cpu, quota string, flags ...string) {
	t.Helper()
	name := nameOf(t, side)
	const delay = time.Second
	deployed := d.Host.StartWith(d.Lead, append([]string{"deploy", name, "--image", d.Host.Server(), "--allow-unauthenticated", "--cpu", cpu,
		"--max-instances", "1", "--set-env-vars", "START_DELAY=" + delay.String()}, flags...)...)
	begin := time.Now()
	d.Eventually(cpu+" CPU start with "+quota, func() bool { return hasQuota(d, name, quota) })
	deployed.Wait().Exits(0)
	ready := time.Now()
	d.Eventually("the quota is the least", func() bool { return hasQuota(d, name, "1000") })
	if took, idle := time.Since(begin), time.Since(ready); took < delay+10*time.Second || idle > mostGrace() {
		t.Errorf("the help with %s CPU is over after %v, %v after the start", cpu, took, idle)
	}
	d.CLI("services", "delete", name, "--quiet").Exits(0)
}

// contract: CPU-9
func TestCPU9LimitsWithoutCPUIdleMeanAlwaysOn(t *testing.T) {
	d := daemon(t)
	c := newChecker(d)
	name := nameOf(t)
	k := limited("0.5", "128Mi")
	k.Image = d.Host.Server()
	op, err := c.services.CreateService(c.ctx, &runpb.CreateServiceRequest{Parent: here, ServiceId: name, Service: &runpb.Service{
		Template: &runpb.RevisionTemplate{Containers: []*runpb.Container{k}, MaxInstanceRequestConcurrency: 1, Scaling: &runpb.RevisionScaling{MinInstanceCount: 1}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.CLI("services", "delete", name, "--quiet") })
	s, err := op.Wait(c.ctx)
	if err != nil || s.GetTemplate().GetContainers()[0].GetResources().GetCpuIdle() {
		t.Errorf("it is %v, %v", s.GetTemplate(), err)
	}
	// One that is throttled is so some tens of milliseconds after its start.
	<-time.After(time.Second)
	if hasQuota(d, name, "1000") || !hasQuota(d, name, "50000") {
		t.Errorf("the quotas are %v", groupSettings(d, name, "cpu.max", "cpu.cfs_quota_us"))
	}
	op, err = c.services.CreateService(c.ctx, &runpb.CreateServiceRequest{Parent: here, ServiceId: nameOf(t, "none"), ValidateOnly: true, Service: &runpb.Service{
		Template: &runpb.RevisionTemplate{Containers: []*runpb.Container{{Image: k.Image}}},
	}})
	if err == nil {
		s, err = op.Wait(c.ctx)
	}
	if err != nil || !s.GetTemplate().GetContainers()[0].GetResources().GetCpuIdle() {
		t.Errorf("without resources it is %v, %v", s.GetTemplate(), err)
	}
}
