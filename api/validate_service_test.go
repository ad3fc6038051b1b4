package api_test

import (
	"strings"
	"testing"
	"time"

	"cloud.google.com/go/run/apiv2/runpb"
	gapi "google.golang.org/genproto/googleapis/api"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"

	"runnel/api"
)

// sampleService is a service that says as little as a service can.
func sampleService() *runpb.Service {
	return &runpb.Service{Name: "hello", Template: &runpb.RevisionTemplate{Containers: []*runpb.Container{{Image: "nginx"}}}}
}

// containers are n of them, the first of which takes the requests.
func containers(n int) (all []*runpb.Container) {
	for i := range n {
		all = append(all, &runpb.Container{Name: "c" + string(rune('a'+i)), Image: "nginx"})
	}
	all[0].Ports = []*runpb.ContainerPort{{ContainerPort: 8080}}
	return all
}

func limit(s *runpb.Service, i int, kv ...string) {
	k := s.Template.Containers[i]
	k.Resources = &runpb.ResourceRequirements{Limits: map[string]string{}}
	for i := 0; i < len(kv); i += 2 {
		k.Resources.Limits[kv[i]] = kv[i+1]
	}
}

// serviceCase is a change of the sample, and the paths that must be refused.
type serviceCase struct {
	name   string
	change func(*runpb.Service)
	want   []string
}

func checkServices(t *testing.T, cases []serviceCase) {
	t.Helper()
	for _, tt := range cases {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := sampleService()
			tt.change(s)
			err := api.ValidateService(s)
			checkPaths(t, err, tt.want)
			if err == nil {
				api.DefaultService(s)
				if err := api.ValidateService(s); err != nil {
					t.Errorf("its defaults are refused: %v", err)
				}
			}
		})
	}
}

// contract: IMG-13 REQ-3 SC-2 SC-13 TAG-2 TR-2 REQ-1
func TestValidateService(t *testing.T) {
	t.Parallel()
	latest, revision := to("", 100, ""), to("hello-1", 0, "blue")
	count := func(n int32) *int32 { return &n }
	checkServices(t, []serviceCase{
		{"as little as possible", func(*runpb.Service) {}, nil},
		{"no template", func(s *runpb.Service) { s.Template = nil }, []string{"template"}},
		{"full name", func(s *runpb.Service) { s.Name = "projects/p/locations/r/services/hello" }, nil},
		{"a job's name", func(s *runpb.Service) { s.Name = "projects/p/locations/r/jobs/hello" }, []string{"name"}},
		{"name of 50", func(s *runpb.Service) { s.Name = strings.Repeat("a", 50) }, []string{"name"}},
		{"name like a tag's host", func(s *runpb.Service) { s.Name = "next---hello" }, []string{"name"}},
		{"description of 512", func(s *runpb.Service) { s.Description = strings.Repeat("é", 512) }, nil},
		{"description of 513", func(s *runpb.Service) { s.Description = strings.Repeat("é", 513) }, []string{"description"}},
		{"unknown ingress", func(s *runpb.Service) { s.Ingress = 99 }, []string{"ingress"}},
		{"reserved label", func(s *runpb.Service) { s.Labels = map[string]string{"run.googleapis.com/x": ""} }, []string{`labels["run.googleapis.com/x"]`}},
		{"empty audience", func(s *runpb.Service) { s.CustomAudiences = []string{"https://a", ""} }, []string{"customAudiences[1]"}},
		{"proxy", func(s *runpb.Service) { s.IapEnabled = true }, []string{"iapEnabled"}},
		{"build", func(s *runpb.Service) { s.BuildConfig = &runpb.BuildConfig{} }, []string{"buildConfig"}},

		{"concurrency of 1000", func(s *runpb.Service) { s.Template.MaxInstanceRequestConcurrency = 1000 }, nil},
		{"concurrency of 1001", func(s *runpb.Service) { s.Template.MaxInstanceRequestConcurrency = 1001 }, []string{"template.maxInstanceRequestConcurrency"}},
		{"timeout of an hour", func(s *runpb.Service) { s.Template.Timeout = durationpb.New(time.Hour) }, nil},
		{"timeout above an hour", func(s *runpb.Service) { s.Template.Timeout = durationpb.New(time.Hour + 1) }, []string{"template.timeout"}},
		{"no time", func(s *runpb.Service) { s.Template.Timeout = durationpb.New(0) }, []string{"template.timeout"}},
		{"revision", func(s *runpb.Service) { s.Template.Revision = "hello-v1" }, nil},
		{"another's revision", func(s *runpb.Service) { s.Template.Revision = "other-v1" }, []string{"template.revision"}},
		{"revision of 64", func(s *runpb.Service) { s.Template.Revision = "hello-" + strings.Repeat("a", 58) }, []string{"template.revision"}},
		{"minimum above maximum", func(s *runpb.Service) {
			s.Template.Scaling = &runpb.RevisionScaling{MinInstanceCount: 3, MaxInstanceCount: 2}
		}, []string{"template.scaling.minInstanceCount"}},
		{"minimum above the default", func(s *runpb.Service) { s.Template.Scaling = &runpb.RevisionScaling{MinInstanceCount: 101} }, []string{"template.scaling.minInstanceCount"}},
		{"negative maximum", func(s *runpb.Service) { s.Scaling = &runpb.ServiceScaling{MaxInstanceCount: -1} }, []string{"scaling.maxInstanceCount"}},
		{"manual", func(s *runpb.Service) {
			s.Scaling = &runpb.ServiceScaling{ScalingMode: runpb.ServiceScaling_MANUAL, ManualInstanceCount: count(0)}
		}, nil},
		{"manual without a number", func(s *runpb.Service) {
			s.Scaling = &runpb.ServiceScaling{ScalingMode: runpb.ServiceScaling_MANUAL}
		}, []string{"scaling.manualInstanceCount"}},
		{"a number without manual", func(s *runpb.Service) { s.Scaling = &runpb.ServiceScaling{ManualInstanceCount: count(1)} }, []string{"scaling.scalingMode"}},

		{"traffic", func(s *runpb.Service) { s.Traffic = []*runpb.TrafficTarget{latest, revision} }, nil},
		{"99 percent", func(s *runpb.Service) { s.Traffic = []*runpb.TrafficTarget{to("", 99, "")} }, []string{"traffic"}},
		{"more than all", func(s *runpb.Service) { s.Traffic = []*runpb.TrafficTarget{to("", 101, ""), to("", -1, "")} }, []string{"traffic[0].percent", "traffic[1].percent"}},
		{"a tag twice", func(s *runpb.Service) { s.Traffic = []*runpb.TrafficTarget{latest, revision, revision} }, []string{"traffic[2].tag"}},
		{"a tag in capitals", func(s *runpb.Service) { s.Traffic = []*runpb.TrafficTarget{to("", 100, "Blue")} }, []string{"traffic[0].tag"}},
		{"a tag of 55", func(s *runpb.Service) { s.Traffic = []*runpb.TrafficTarget{to("", 100, strings.Repeat("a", 55))} }, nil},
		{"a tag of 56", func(s *runpb.Service) { s.Traffic = []*runpb.TrafficTarget{to("", 100, strings.Repeat("a", 56))} }, []string{"traffic[0].tag"}},
		{"another's revision has traffic", func(s *runpb.Service) { s.Traffic = []*runpb.TrafficTarget{to("other-1", 100, "")} }, []string{"traffic[0].revision"}},
		{"latest by name", func(s *runpb.Service) {
			s.Traffic = []*runpb.TrafficTarget{to("hello-1", 100, "")}
			s.Traffic[0].Type = runpb.TrafficTargetAllocationType_TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST
		}, []string{"traffic[0].revision"}},
		{"a revision without a name", func(s *runpb.Service) {
			s.Traffic = []*runpb.TrafficTarget{to("", 100, "")}
			s.Traffic[0].Type = runpb.TrafficTargetAllocationType_TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION
		}, []string{"traffic[0].revision"}},
	})
}

func to(revision string, percent int32, tag string) *runpb.TrafficTarget {
	return &runpb.TrafficTarget{Revision: revision, Percent: percent, Tag: tag}
}

// contract: NET-2 DEP-3 REQ-4 CPU-2 CPU-3 ENV-7 ENV-8 ENV-9 MEM-4
func TestValidateContainersOfAService(t *testing.T) {
	t.Parallel()
	multi := func(n int) func(*runpb.Service) {
		return func(s *runpb.Service) { s.Template.Containers = containers(n) }
	}
	depend := func(on ...string) func(*runpb.Service) {
		return func(s *runpb.Service) {
			s.Template.Containers = containers(3)
			for i, name := range on {
				if name != "" {
					s.Template.Containers[i].DependsOn = []string{name}
				}
			}
		}
	}
	checkServices(t, []serviceCase{
		{"none", func(s *runpb.Service) { s.Template.Containers = nil }, []string{"template.containers"}},
		{"10", multi(10), nil},
		{"11", multi(11), []string{"template.containers"}},
		{"no port among two", func(s *runpb.Service) { multi(2)(s); s.Template.Containers[0].Ports = nil }, []string{"template.containers"}},
		{"two ports among two", func(s *runpb.Service) {
			multi(2)(s)
			s.Template.Containers[1].Ports = []*runpb.ContainerPort{{}}
		}, []string{"template.containers[1].ports"}},
		{"two ports in one", func(s *runpb.Service) {
			s.Template.Containers[0].Ports = []*runpb.ContainerPort{{}, {}}
		}, []string{"template.containers[0].ports"}},
		{"h2c", func(s *runpb.Service) { s.Template.Containers[0].Ports = []*runpb.ContainerPort{{Name: "h2c"}} }, nil},
		{"h3", func(s *runpb.Service) { s.Template.Containers[0].Ports = []*runpb.ContainerPort{{Name: "h3"}} }, []string{"template.containers[0].ports[0].name"}},
		{"port 65536", func(s *runpb.Service) {
			s.Template.Containers[0].Ports = []*runpb.ContainerPort{{ContainerPort: 65536}}
		}, []string{"template.containers[0].ports[0].containerPort"}},
		{"one name for two", func(s *runpb.Service) { multi(2)(s); s.Template.Containers[1].Name = "ca" }, []string{"template.containers[1].name"}},
		{"no names for two", func(s *runpb.Service) {
			multi(2)(s)
			s.Template.Containers[0].Name, s.Template.Containers[1].Name = "", ""
		}, nil},

		{"1.5 CPU", func(s *runpb.Service) { limit(s, 0, "cpu", "1.5") }, []string{`template.containers[0].resources.limits["cpu"]`}},
		{"5Gi for 1 CPU", func(s *runpb.Service) { limit(s, 0, "memory", "5Gi") }, []string{`template.containers[0].resources.limits["memory"]`}},
		{"a sidecar's limits", func(s *runpb.Service) { multi(2)(s); limit(s, 1, "cpu", "0.0805") }, []string{`template.containers[1].resources.limits["cpu"]`}},
		{"GPU", func(s *runpb.Service) { limit(s, 0, "nvidia.com/gpu", "1") }, []string{`template.containers[0].resources.limits["nvidia.com/gpu"]`}},
		{"half a CPU for two requests", func(s *runpb.Service) {
			limit(s, 0, "cpu", "0.5")
			s.Template.MaxInstanceRequestConcurrency = 2
		}, []string{"template.maxInstanceRequestConcurrency"}},
		{"half a CPU and another half", func(s *runpb.Service) {
			multi(2)(s)
			limit(s, 0, "cpu", "0.5")
			limit(s, 1, "cpu", "500m")
			s.Template.MaxInstanceRequestConcurrency = 2
		}, nil},
		{"reserved variable", func(s *runpb.Service) { s.Template.Containers[0].Env = env("PORT", "1") }, []string{"template.containers[0].env[0].name"}},
		{"a variable twice", func(s *runpb.Service) { s.Template.Containers[0].Env = env("A", "1", "A", "2") }, nil},
		{"secret", func(s *runpb.Service) { s.Template.Containers[0].Env = []*runpb.EnvVar{secret("A")} }, []string{"template.containers[0].env[0].valueSource"}},
		{"no image", func(s *runpb.Service) { s.Template.Containers[0].Image = "" }, []string{"template.containers[0].image"}},
		{"source", func(s *runpb.Service) { s.Template.Containers[0].SourceCode = &runpb.SourceCode{} }, []string{"template.containers[0].sourceCode"}},

		{"in order", depend("cb", "cc"), nil},
		{"after itself", depend("ca"), []string{"template.containers[0].dependsOn[0]"}},
		{"after nobody", depend("cx"), []string{"template.containers[0].dependsOn[0]"}},
		{"two in a circle", depend("", "cc", "cb"), []string{"template.containers[1].dependsOn"}},
		{"three in a circle", depend("cb", "cc", "ca"), []string{"template.containers[0].dependsOn"}},
		{"a circle further on", depend("cb", "cc", "cb"), []string{"template.containers[1].dependsOn"}},
	})
}

// contract: VOL-1 VOL-2 VOL-7
func TestValidateVolumes(t *testing.T) {
	t.Parallel()
	memory := func(name, size string) *runpb.Volume {
		return &runpb.Volume{Name: name, VolumeType: &runpb.Volume_EmptyDir{EmptyDir: &runpb.EmptyDirVolumeSource{Medium: runpb.EmptyDirVolumeSource_MEMORY, SizeLimit: size}}}
	}
	mount := func(where, sub string) func(*runpb.Service) {
		return func(s *runpb.Service) {
			s.Template.Volumes = []*runpb.Volume{memory("v", "")}
			s.Template.Containers[0].VolumeMounts = []*runpb.VolumeMount{{Name: "v", MountPath: where, SubPath: sub}}
		}
	}
	volumes := func(all ...*runpb.Volume) func(*runpb.Service) {
		return func(s *runpb.Service) { s.Template.Volumes = all }
	}
	const at = "template.containers[0].volumeMounts[0]."
	checkServices(t, []serviceCase{
		{"in memory", volumes(memory("v", "1Gi")), nil},
		{"without a size", volumes(memory("v", "")), nil},
		{"of no size", volumes(memory("v", "0")), []string{"template.volumes[0].emptyDir.sizeLimit"}},
		{"of a size that is none", volumes(memory("v", "big")), []string{"template.volumes[0].emptyDir.sizeLimit"}},
		{"reserved", volumes(memory("cloudsql", "")), []string{"template.volumes[0].name"}},
		{"one name for two", volumes(memory("v", ""), memory("v", "")), []string{"template.volumes[1].name"}},
		{"without a name", volumes(memory("", "")), []string{"template.volumes[0].name"}},
		{"of no kind", volumes(&runpb.Volume{Name: "v"}), []string{"template.volumes[0]"}},
		{"secret", volumes(&runpb.Volume{Name: "v", VolumeType: &runpb.Volume_Secret{}}), []string{"template.volumes[0].secret"}},
		{"NFS", volumes(&runpb.Volume{Name: "v", VolumeType: &runpb.Volume_Nfs{}}), []string{"template.volumes[0].nfs"}},
		{"bucket", volumes(&runpb.Volume{Name: "v", VolumeType: &runpb.Volume_Gcs{}}), []string{"template.volumes[0].gcs"}},
		{"Cloud SQL", volumes(&runpb.Volume{Name: "cloudsql", VolumeType: &runpb.Volume_CloudSqlInstance{}}), []string{"template.volumes[0].cloudSqlInstance"}},
		{"mounted", mount("/data", "a/b"), nil},
		{"mounted with a colon", mount("/da:ta", ""), []string{at + "mountPath"}},
		{"mounted nowhere", mount("data", ""), []string{at + "mountPath"}},
		{"mounted over all", mount("/", ""), []string{at + "mountPath"}},
		{"mounted over the system", mount("/x/../proc/1", ""), []string{at + "mountPath"}},
		{"out of the volume", mount("/data", "a/../.."), []string{at + "subPath"}},
		{"nothing mounted", func(s *runpb.Service) {
			s.Template.Containers[0].VolumeMounts = []*runpb.VolumeMount{{Name: "v", MountPath: "/data"}}
		}, []string{at + "name"}},
		{"two in one place", func(s *runpb.Service) {
			mount("/data", "")(s)
			s.Template.Containers[0].VolumeMounts = append(s.Template.Containers[0].VolumeMounts, &runpb.VolumeMount{Name: "v", MountPath: "/data/"})
		}, []string{"template.containers[0].volumeMounts[1].mountPath"}},
	})
}

// contract: HC-1 REQ-3 CPU-9 NET-2 TR-1 SC-11
func TestDefaultService(t *testing.T) {
	t.Parallel()
	s := sampleService()
	api.DefaultService(s)
	want := &runpb.Service{
		Name: "hello", Ingress: runpb.IngressTraffic_INGRESS_TRAFFIC_ALL, LaunchStage: gapi.LaunchStage_GA,
		Template: &runpb.RevisionTemplate{
			Scaling: &runpb.RevisionScaling{MaxInstanceCount: 100},
			Timeout: durationpb.New(300 * time.Second),
			Containers: []*runpb.Container{{
				Image:     "nginx",
				Resources: &runpb.ResourceRequirements{Limits: map[string]string{"cpu": "1000m", "memory": "512Mi"}, CpuIdle: true},
				Ports:     []*runpb.ContainerPort{{Name: "http1", ContainerPort: 8080}},
				StartupProbe: &runpb.Probe{TimeoutSeconds: 240, PeriodSeconds: 240, FailureThreshold: 1,
					ProbeType: &runpb.Probe_TcpSocket{TcpSocket: &runpb.TCPSocketAction{Port: 8080}}},
			}},
			MaxInstanceRequestConcurrency: 80,
		},
		Traffic: []*runpb.TrafficTarget{{Type: runpb.TrafficTargetAllocationType_TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST, Percent: 100}},
	}
	if !proto.Equal(s, want) {
		t.Errorf("got  %v\nwant %v", s, want)
	}
	if api.DefaultService(s); !proto.Equal(s, want) {
		t.Errorf("twice: %v", s)
	}
	limit(s, 0, "cpu", "0.5")
	s.Template.MaxInstanceRequestConcurrency = 0
	api.DefaultService(s)
	if s.Template.Containers[0].Resources.CpuIdle || s.Template.MaxInstanceRequestConcurrency != 1 {
		t.Errorf("with limits CPU is always there, and half of one takes one request: %v", s)
	}
	s.Template.Containers = containers(2)
	s.Template.Containers[1].StartupProbe = &runpb.Probe{ProbeType: &runpb.Probe_HttpGet{HttpGet: &runpb.HTTPGetAction{Port: 9090}}}
	s.Template.Containers[0].LivenessProbe = &runpb.Probe{ProbeType: &runpb.Probe_Grpc{Grpc: &runpb.GRPCAction{}}}
	api.DefaultService(s)
	side, main := s.Template.Containers[1], s.Template.Containers[0]
	if len(side.Ports) > 0 || side.StartupProbe.PeriodSeconds != 10 || side.StartupProbe.GetHttpGet().Path != "/" || side.StartupProbe.GetHttpGet().Port != 9090 {
		t.Errorf("sidecar: %v", side)
	}
	if p := main.LivenessProbe; p.GetGrpc().Port != 8080 || p.TimeoutSeconds != 1 || p.FailureThreshold != 3 || main.StartupProbe.GetTcpSocket() == nil {
		t.Errorf("ingress container: %v", main)
	}
}
