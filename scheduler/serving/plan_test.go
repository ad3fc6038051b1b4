package serving

import (
	"slices"
	"strings"
	"testing"
	"time"

	"cloud.google.com/go/run/apiv2/runpb"
	"google.golang.org/protobuf/types/known/durationpb"

	"runnel/contract"
	rimage "runnel/image"
	"runnel/probe"
	rruntime "runnel/runtime"
)

func planOf(t *testing.T, change func(*runpb.Revision)) (*plan, error) {
	t.Helper()
	r := revision("hello-00001-abc", change)
	c := &Config{ProjectNumber: func(string) string { return "123456789012" }, PIDs: 7}
	return newPlan(c, r, make([]*rimage.Image, len(r.GetContainers())))
}

// twoContainers has a sidecar before the container with the port.
func twoContainers(r *runpb.Revision) {
	main := r.GetContainers()[0]
	main.Ports = []*runpb.ContainerPort{{Name: "h2c", ContainerPort: 9000}}
	main.Env = []*runpb.EnvVar{{Name: "A", Values: &runpb.EnvVar_Value{Value: "1"}}}
	main.VolumeMounts = []*runpb.VolumeMount{{Name: "cache", MountPath: "/var/../cache/", SubPath: "hello"}}
	r.Containers = []*runpb.Container{
		{Name: "side", Resources: &runpb.ResourceRequirements{Limits: map[string]string{"cpu": "0.5", "memory": "256Mi"}}},
		main,
	}
	r.Volumes = []*runpb.Volume{{Name: "cache", VolumeType: &runpb.Volume_EmptyDir{
		EmptyDir: &runpb.EmptyDirVolumeSource{Medium: runpb.EmptyDirVolumeSource_MEMORY},
	}}}
	r.Timeout = durationpb.New(90 * time.Second)
	r.MaxInstanceRequestConcurrency = 0
}

// contract: ENV-1, ENV-2, ENV-10, CPU-1, MEM-1, MEM-2, NET-4, REQ-3, VOL-2
func TestPlanOfTwoContainers(t *testing.T) {
	t.Parallel()
	p, err := planOf(t, twoContainers)
	if err != nil {
		t.Fatal(err)
	}
	common := []string{
		"K_SERVICE=hello", "K_REVISION=hello-00001-abc", "K_CONFIGURATION=hello",
	}
	side, main := p.spec.Containers[0], p.spec.Containers[1]
	if want := append(slices.Clone(common), "CLOUD_RUN_TIMEOUT_SECONDS=90"); !slices.Equal(side.Env, want) {
		t.Errorf("sidecar: %q", side.Env)
	}
	if want := slices.Concat([]string{"A=1"}, common, []string{"PORT=9000", "CLOUD_RUN_TIMEOUT_SECONDS=90"}); !slices.Equal(main.Env, want) {
		t.Errorf("main: %q", main.Env)
	}
	if p.ingress != 1 || p.port != 9000 || !p.h2c || p.concurrency != contract.DefaultConcurrency || p.timeout != 90*time.Second {
		t.Errorf("ingress %d, port %d, h2c %v, concurrency %d, timeout %v", p.ingress, p.port, p.h2c, p.concurrency, p.timeout)
	}
	if p.cpu != 1500 || p.need.CPU != 0 || p.need.Memory != 768*contract.MiB || side.Limits.Memory != 256*contract.MiB || main.Limits.PIDs != 7 {
		t.Errorf("needs %v; limits %v and %v", p.need, side.Limits, main.Limits)
	}
	if want := (rruntime.Volume{Name: "cache", Size: 384 * contract.MiB}); p.spec.Volumes[0] != want {
		t.Errorf("volume %v", p.spec.Volumes[0])
	}
	if want := (rruntime.Mount{Volume: "cache", Path: "/cache", SubPath: "hello"}); main.Mounts[0] != want {
		t.Errorf("mount %v", main.Mounts[0])
	}
}

// contract: CPU-8
func TestEveryContainerMayBeHelpedToStart(t *testing.T) {
	t.Parallel()
	p, err := planOf(t, func(r *runpb.Revision) {
		twoContainers(r)
		for _, c := range r.GetContainers() {
			if c.Resources == nil {
				c.Resources = &runpb.ResourceRequirements{}
			}
			c.Resources.StartupCpuBoost = true
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	for n, cpu := range p.full {
		if want := contract.BoostCPU(cpu); p.boosted[n] != want {
			t.Errorf("container %d starts with %v, want %v", n, p.boosted[n], want)
		}
	}
}

// contract: REQ-3
func TestDefaults(t *testing.T) {
	t.Parallel()
	p, err := planOf(t, func(r *runpb.Revision) {
		r.MaxInstanceRequestConcurrency = 0
		r.Containers = []*runpb.Container{{}}
	})
	if err != nil {
		t.Fatal(err)
	}
	if p.port != 8080 || p.h2c || p.concurrency != 80 || p.timeout != 5*time.Minute || !p.throttled || p.boosted != nil {
		t.Errorf("%+v", p)
	}
	if p.cpu != 1000 || p.need.Memory != 512*contract.MiB || p.containers[0].name != "worker" {
		t.Errorf("needs %v, is called %s", p.need, p.containers[0].name)
	}
	p, err = planOf(t, func(r *runpb.Revision) {
		r.MaxInstanceRequestConcurrency = 0
		r.GetContainers()[0].GetResources().Limits["cpu"] = "0.5"
		r.GetContainers()[0].GetResources().CpuIdle = false
	})
	if err != nil || p.concurrency != 1 || p.throttled {
		t.Errorf("concurrency %d, throttled %v: %v", p.concurrency, p.throttled, err)
	}
}

// contract: HC-1, HC-2, HC-3, HC-13, LIFE-3
func TestProbes(t *testing.T) {
	t.Parallel()
	p, err := planOf(t, func(r *runpb.Revision) {
		c := r.GetContainers()[0]
		c.LivenessProbe = &runpb.Probe{FailureThreshold: 5, TimeoutSeconds: 2, ProbeType: &runpb.Probe_HttpGet{
			HttpGet: &runpb.HTTPGetAction{Path: "/live", HttpHeaders: []*runpb.HTTPHeader{{Name: "X-A", Value: "b"}}},
		}}
		c.ReadinessProbe = &runpb.Probe{PeriodSeconds: 3, InitialDelaySeconds: 4, ProbeType: &runpb.Probe_Grpc{
			Grpc: &runpb.GRPCAction{Port: 9090, Service: "s"},
		}}
	})
	if err != nil {
		t.Fatal(err)
	}
	c := p.containers[0]
	if s := c.startup; s.check.Kind != probe.TCP || s.check.Port != 8080 || s.period != 240*time.Second || s.threshold != 1 || !s.log.Default {
		t.Errorf("start-up: %+v", s)
	}
	l := c.liveness
	if l.check.Kind != probe.HTTP || l.check.Port != 8080 || l.check.Path != "/live" || l.check.Timeout != 2*time.Second ||
		l.check.Headers[0] != (probe.Header{Name: "X-A", Value: "b"}) || l.period != 10*time.Second || l.threshold != 5 || l.delay != 0 {
		t.Errorf("liveness: %+v", l)
	}
	r := c.readiness
	if r.check.Kind != probe.GRPC || r.check.Port != 9090 || r.check.Service != "s" || r.check.Timeout != time.Second ||
		r.period != 3*time.Second || r.threshold != 3 || r.delay != 4*time.Second {
		t.Errorf("readiness: %+v", r)
	}
}

// contract: DEP-3
func TestRefusals(t *testing.T) {
	t.Parallel()
	for want, change := range map[string]func(*runpb.Revision){
		"as many of both":               func(r *runpb.Revision) { r.Containers = nil },
		"full resource name":            func(r *runpb.Revision) { r.Name = "hello-00001-abc" },
		"of a service or a worker pool": func(r *runpb.Revision) { r.Name = strings.Replace(r.Name, "services", "jobs", 1) },
		"cpu limit":                     func(r *runpb.Revision) { r.Containers[0].Resources.Limits["cpu"] = "much" },
		"want an email address":         func(r *runpb.Revision) { r.ServiceAccount = "root" },
		"size limit":                    func(r *runpb.Revision) { twoContainers(r); r.Volumes[0].GetEmptyDir().SizeLimit = "much" },
		"only volumes in memory":        func(r *runpb.Revision) { r.Volumes = []*runpb.Volume{{Name: "v"}} },
		"values from secrets": func(r *runpb.Revision) {
			r.Containers[0].Env = []*runpb.EnvVar{{Name: "A", Values: &runpb.EnvVar_ValueSource{ValueSource: &runpb.EnvVarSource{}}}}
		},
		"there is no such container": func(r *runpb.Revision) { r.Containers[0].DependsOn = []string{"nosuch"} },
		"hello-1 depends on itself":  func(r *runpb.Revision) { r.Containers[0].DependsOn = []string{"hello-1"} },
		"depends on itself by way of": func(r *runpb.Revision) {
			twoContainers(r)
			r.Containers[0].DependsOn = []string{"hello-1"}
			r.Containers[1].DependsOn = []string{"side"}
		},
	} {
		if _, err := planOf(t, change); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: want %q", err, want)
		}
	}
}

func TestInstanceIDs(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, service := range []string{"a", strings.Repeat("long-", 9) + "name", strings.Repeat("x", 49)} {
		var uid string
		p, err := planOf(t, func(r *runpb.Revision) {
			r.Name = strings.Replace(r.Name, "services/hello", "services/"+service, 1)
			uid = r.GetUid()
		})
		if err != nil {
			t.Fatal(err)
		}
		for range 100 {
			id := newInstanceID(p)
			if len(id) > maxInstanceID || !contract.IsLabel(id) || seen[id] {
				t.Fatalf("%q", id)
			}
			seen[id] = true
			// The control plane has the UID as it is.
			if got, want := p.instance(id).Identity.InstanceID, PublicID(uid, id); got != want || !strings.Contains(uid, "-") {
				t.Fatalf("%s is told to be %s, its logs say %s", id, got, want)
			}
		}
	}
}
