package api_test

import (
	"strings"
	"testing"

	"cloud.google.com/go/run/apiv2/runpb"
	gapi "google.golang.org/genproto/googleapis/api"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"

	"runnel/api"
)

// samplePool is a worker pool that says as little as a worker pool can.
func samplePool() *runpb.WorkerPool {
	return &runpb.WorkerPool{Name: "work", Template: &runpb.WorkerPoolRevisionTemplate{Containers: []*runpb.Container{{Image: "nginx"}}}}
}

// part is a split of a worker pool's instances.
func part(revision string, percent int32) *runpb.InstanceSplit {
	return &runpb.InstanceSplit{Revision: revision, Percent: percent}
}

// manual is a number of instances.
func manual(n int32) *runpb.WorkerPoolScaling {
	return &runpb.WorkerPoolScaling{ManualInstanceCount: &n}
}

// contract: WP-1 WP-2 WP-4 WP-7 WP-9
func TestValidateWorkerPool(t *testing.T) {
	t.Parallel()
	first := func(p *runpb.WorkerPool) *runpb.Container { return p.Template.Containers[0] }
	get := func(port int32) *runpb.Probe {
		return &runpb.Probe{ProbeType: &runpb.Probe_HttpGet{HttpGet: &runpb.HTTPGetAction{Port: port}}}
	}
	for _, tt := range []struct {
		name   string
		change func(*runpb.WorkerPool)
		want   []string
	}{
		{"as little as possible", func(*runpb.WorkerPool) {}, nil},
		{"no template", func(p *runpb.WorkerPool) { p.Template = nil }, []string{"template"}},
		{"full name", func(p *runpb.WorkerPool) { p.Name = "projects/p/locations/r/workerPools/work" }, nil},
		{"a service's name", func(p *runpb.WorkerPool) { p.Name = "projects/p/locations/r/services/work" }, []string{"name"}},
		{"name of 50", func(p *runpb.WorkerPool) { p.Name = strings.Repeat("a", 50) }, []string{"name"}},
		{"description of 513", func(p *runpb.WorkerPool) { p.Description = strings.Repeat("é", 513) }, []string{"description"}},
		{"reserved label", func(p *runpb.WorkerPool) { p.Labels = map[string]string{"run.googleapis.com/x": ""} }, []string{`labels["run.googleapis.com/x"]`}},
		{"none", func(p *runpb.WorkerPool) { p.Scaling = manual(0) }, nil},
		{"fewer than none", func(p *runpb.WorkerPool) { p.Scaling = manual(-1) }, []string{"scaling.manualInstanceCount"}},
		{"port", func(p *runpb.WorkerPool) { first(p).Ports = []*runpb.ContainerPort{{}} }, []string{"template.containers[0].ports"}},
		{"throttled", func(p *runpb.WorkerPool) { first(p).Resources = &runpb.ResourceRequirements{CpuIdle: true} }, []string{"template.containers[0].resources.cpuIdle"}},
		{"boost", func(p *runpb.WorkerPool) { first(p).Resources = &runpb.ResourceRequirements{StartupCpuBoost: true} }, nil},
		{"readiness", func(p *runpb.WorkerPool) { first(p).ReadinessProbe = get(80) }, []string{"template.containers[0].readinessProbe"}},
		{"probes", func(p *runpb.WorkerPool) { first(p).StartupProbe, first(p).LivenessProbe = get(80), get(80) }, nil},
		{"probes of no port", func(p *runpb.WorkerPool) { first(p).StartupProbe, first(p).LivenessProbe = get(0), get(0) },
			[]string{"template.containers[0].startupProbe.httpGet.port", "template.containers[0].livenessProbe.httpGet.port"}},
		{"no containers", func(p *runpb.WorkerPool) { p.Template.Containers = nil }, []string{"template.containers"}},
		{"10 containers", func(p *runpb.WorkerPool) { p.Template.Containers = workers(10) }, nil},
		{"11 containers", func(p *runpb.WorkerPool) { p.Template.Containers = workers(11) }, []string{"template.containers"}},
		{"same name", func(p *runpb.WorkerPool) {
			p.Template.Containers = append(workers(1), workers(1)...)
		}, []string{"template.containers[1].name"}},
		{"in order", func(p *runpb.WorkerPool) {
			p.Template.Containers = workers(2)
			first(p).DependsOn = []string{"cb"}
		}, nil},
		{"waits for nobody", func(p *runpb.WorkerPool) { first(p).DependsOn = []string{"x"} }, []string{"template.containers[0].dependsOn[0]"}},
		{"no such volume", func(p *runpb.WorkerPool) {
			first(p).VolumeMounts = []*runpb.VolumeMount{{Name: "x", MountPath: "/x"}}
		}, []string{"template.containers[0].volumeMounts[0].name"}},
		{"GPU", func(p *runpb.WorkerPool) { p.Template.NodeSelector = &runpb.NodeSelector{Accelerator: "nvidia-l4"} }, []string{"template.nodeSelector.accelerator"}},
		{"splits", func(p *runpb.WorkerPool) { p.InstanceSplits = []*runpb.InstanceSplit{part("", 70), part("work-1", 30)} }, nil},
		{"99 percent", func(p *runpb.WorkerPool) { p.InstanceSplits = []*runpb.InstanceSplit{part("", 99)} }, []string{"instanceSplits"}},
		{"shares beyond bounds", func(p *runpb.WorkerPool) {
			p.InstanceSplits = []*runpb.InstanceSplit{part("", 101), part("work-1", -1)}
		},
			[]string{"instanceSplits[0].percent", "instanceSplits[1].percent"}},
		{"another's revision", func(p *runpb.WorkerPool) { p.InstanceSplits = []*runpb.InstanceSplit{part("other-1", 100)} }, []string{"instanceSplits[0].revision"}},
		{"the latest, named", func(p *runpb.WorkerPool) {
			p.InstanceSplits = []*runpb.InstanceSplit{{Type: 1, Revision: "work-1", Percent: 100}}
		}, []string{"instanceSplits[0].revision"}},
		{"one that is not named", func(p *runpb.WorkerPool) { p.InstanceSplits = []*runpb.InstanceSplit{{Type: 2, Percent: 100}} }, []string{"instanceSplits[0].revision"}},
		{"unknown type", func(p *runpb.WorkerPool) { p.InstanceSplits = []*runpb.InstanceSplit{{Type: 9, Percent: 100}} }, []string{"instanceSplits[0].type"}},
		{"not a duration", func(p *runpb.WorkerPool) {
			p.Template.EncryptionKeyShutdownDuration = &durationpb.Duration{Seconds: 1, Nanos: -1}
		}, []string{"template.encryptionKeyShutdownDuration"}},
		{"another's name", func(p *runpb.WorkerPool) { p.Template.Revision = "other-1" }, []string{"template.revision"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := samplePool()
			tt.change(p)
			err := api.ValidateWorkerPool(p)
			checkPaths(t, err, tt.want)
			if err == nil {
				api.DefaultWorkerPool(p)
				if err := api.ValidateWorkerPool(p); err != nil {
					t.Errorf("its defaults are refused: %v", err)
				}
			}
		})
	}
}

// workers are n containers of a worker pool.
func workers(n int) []*runpb.Container {
	all := containers(n)
	all[0].Ports = nil
	return all
}

// contract: WP-1 WP-2 WP-3 WP-7
func TestDefaultWorkerPool(t *testing.T) {
	t.Parallel()
	p := samplePool()
	p.InstanceSplits = []*runpb.InstanceSplit{part("work-1", 40), part("", 60)}
	api.DefaultWorkerPool(p)
	want := &runpb.WorkerPool{
		Name:        "work",
		LaunchStage: gapi.LaunchStage_GA,
		Scaling:     manual(1),
		Template: &runpb.WorkerPoolRevisionTemplate{Containers: []*runpb.Container{{
			Image:     "nginx",
			Resources: &runpb.ResourceRequirements{Limits: map[string]string{"cpu": "1000m", "memory": "512Mi"}},
		}}},
		InstanceSplits: []*runpb.InstanceSplit{
			{Type: runpb.InstanceSplitAllocationType_INSTANCE_SPLIT_ALLOCATION_TYPE_REVISION, Revision: "work-1", Percent: 40},
			{Type: runpb.InstanceSplitAllocationType_INSTANCE_SPLIT_ALLOCATION_TYPE_LATEST, Percent: 60},
		},
	}
	for range 2 {
		if !proto.Equal(p, want) {
			t.Errorf("DefaultWorkerPool = %v\nwant %v", p, want)
		}
		api.DefaultWorkerPool(p)
	}
	none := &runpb.WorkerPool{Scaling: manual(0)}
	api.DefaultWorkerPool(none)
	if n := none.GetScaling().ManualInstanceCount; *n != 0 || len(none.GetInstanceSplits()) != 1 || none.GetInstanceSplits()[0].GetPercent() != 100 {
		t.Errorf("of nothing: %v", none)
	}
}
