package change

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"cloud.google.com/go/run/apiv2/runpb"
	"github.com/spf13/pflag"
	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"
)

// flags parses arguments.
func flags(t *testing.T, args ...string) *Flags {
	t.Helper()
	set := pflag.NewFlagSet("test", pflag.ContinueOnError)
	f := Register(set)
	if err := set.Parse(args); err != nil {
		t.Fatal(err)
	}
	return f
}

// existing is a service with an ingress container and a sidecar.
func existing() *runpb.Service {
	s := &runpb.Service{}
	err := prototext.Unmarshal([]byte(`
		name: "projects/p/locations/l/services/hello" generation: 3 description: "old" labels: {key: "team" value: "web"}
		latest_ready_revision: "projects/p/locations/l/services/hello/revisions/hello-00003-abc"
		custom_audiences: "a" custom_audiences: "b"
		scaling: {min_instance_count: 1}
		template: {
			revision: "hello-v3" labels: {key: "team" value: "web"}
			scaling: {min_instance_count: 1 max_instance_count: 5}
			timeout: {seconds: 60} max_instance_request_concurrency: 10 service_account: "a@b.c"
			containers: {
				name: "front" image: "nginx" ports: {name: "http1" container_port: 8080} depends_on: "side"
				resources: {limits: {key: "cpu" value: "1"} cpu_idle: true}
				env: {name: "A" value: "1"} env: {name: "B" value: "2"}
				startup_probe: {tcp_socket: {port: 8080}}
				volume_mounts: {name: "v" mount_path: "/v"}
			}
			containers: {name: "side" image: "busybox" resources: {cpu_idle: false}}
			volumes: {name: "v" empty_dir: {medium: MEMORY size_limit: "1Gi"}}
		}
		traffic: {type: TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST percent: 100}`), s)
	if err != nil {
		panic(err)
	}
	return s
}

// apply applies arguments to a service.
func apply(t *testing.T, s *runpb.Service, args ...string) error {
	t.Helper()
	f := flags(t, args...)
	if err := f.Check(); err != nil {
		return err
	}
	return f.Apply(s, func() string { return "hello-00004-xyz" })
}

// front and side are the containers of existing.
func front(s *runpb.Service) *runpb.Container { return s.Template.Containers[0] }
func side(s *runpb.Service) *runpb.Container  { return s.Template.Containers[1] }

// What no flag names stays, but for the name of the revision before.
// contract: CLI-11, CLI-12, CLI-13
func TestOneFlagChangesOneThing(t *testing.T) {
	t.Parallel()
	for args, change := range map[string]func(*runpb.Service){
		"":               func(*runpb.Service) {},
		"--image alpine": func(s *runpb.Service) { front(s).Image = "alpine" },
		"--port 3000": func(s *runpb.Service) {
			front(s).Ports[0].ContainerPort = 3000
			front(s).StartupProbe.GetTcpSocket().Port = 3000
		},
		"--port default":             func(*runpb.Service) {},
		"--use-http2":                func(s *runpb.Service) { front(s).Ports[0].Name = "h2c" },
		"--no-use-http2":             func(*runpb.Service) {},
		"--cpu 2":                    func(s *runpb.Service) { front(s).Resources.Limits["cpu"] = "2" },
		"--memory 1Gi":               func(s *runpb.Service) { front(s).Resources.Limits["memory"] = "1Gi" },
		"--command=sh,-c":            func(s *runpb.Service) { front(s).Command = []string{"sh", "-c"} },
		"--args=^;^a,b;c":            func(s *runpb.Service) { front(s).Args = []string{"a,b", "c"} },
		"--workdir /x":               func(s *runpb.Service) { front(s).WorkingDir = "/x" },
		"--depends-on=":              func(s *runpb.Service) { front(s).DependsOn = nil },
		"--remove-env-vars A":        func(s *runpb.Service) { front(s).Env = front(s).Env[1:] },
		"--clear-env-vars":           func(s *runpb.Service) { front(s).Env = nil },
		"--startup-probe=":           func(s *runpb.Service) { front(s).StartupProbe = nil },
		"--remove-volume-mount /v":   func(s *runpb.Service) { front(s).VolumeMounts = nil },
		"--clear-volume-mounts":      func(s *runpb.Service) { front(s).VolumeMounts = nil },
		"--container side --image x": func(s *runpb.Service) { side(s).Image = "x" },
		"--container front --cpu 4 --container side --memory 1Gi": func(s *runpb.Service) {
			front(s).Resources.Limits["cpu"] = "4"
			side(s).Resources.Limits = map[string]string{"memory": "1Gi"}
		},
		"--container side --cpu 1 --container front --cpu 2 --container side --cpu 4": func(s *runpb.Service) {
			front(s).Resources.Limits["cpu"] = "2"
			side(s).Resources.Limits = map[string]string{"cpu": "4"}
		},
		"--container new --image y --cpu 1": func(s *runpb.Service) {
			s.Template.Containers = append(s.Template.Containers, &runpb.Container{Name: "new", Image: "y", Resources: &runpb.ResourceRequirements{Limits: map[string]string{"cpu": "1"}, CpuIdle: true}})
		},
		"--remove-containers side": func(s *runpb.Service) { s.Template.Containers = s.Template.Containers[:1] },
		"--concurrency 1000":       func(s *runpb.Service) { s.Template.MaxInstanceRequestConcurrency = 1000 },
		"--concurrency default":    func(s *runpb.Service) { s.Template.MaxInstanceRequestConcurrency = 0 },
		"--timeout 10m5s":          func(s *runpb.Service) { s.Template.Timeout.Seconds = 605 },
		"--timeout 3600":           func(s *runpb.Service) { s.Template.Timeout.Seconds = 3600 },
		"--min-instances 3":        func(s *runpb.Service) { s.Template.Scaling.MinInstanceCount = 3 },
		"--max-instances default":  func(s *runpb.Service) { s.Template.Scaling.MaxInstanceCount = 0 },
		"--min default":            func(s *runpb.Service) { s.Scaling.MinInstanceCount = 0 },
		"--max 7":                  func(s *runpb.Service) { s.Scaling.MaxInstanceCount = 7 },
		"--scaling 3":              func(s *runpb.Service) { s.Scaling = manually(3) },
		"--scaling 0":              func(s *runpb.Service) { s.Scaling = manually(0) },
		"--scaling auto":           func(s *runpb.Service) { s.Scaling.ScalingMode = runpb.ServiceScaling_AUTOMATIC },
		"--no-cpu-throttling":      func(s *runpb.Service) { front(s).Resources.CpuIdle, side(s).Resources.CpuIdle = false, false },
		"--cpu-boost": func(s *runpb.Service) {
			front(s).Resources.StartupCpuBoost, side(s).Resources.StartupCpuBoost = true, true
		},
		"--no-cpu-boost":                     func(*runpb.Service) {},
		"--session-affinity":                 func(s *runpb.Service) { s.Template.SessionAffinity = true },
		"--service-account=":                 func(s *runpb.Service) { s.Template.ServiceAccount = "" },
		"--no-deploy-health-check":           func(s *runpb.Service) { s.Template.HealthCheckDisabled = true },
		"--clear-volumes":                    func(s *runpb.Service) { s.Template.Volumes = nil },
		"--remove-volume v":                  func(s *runpb.Service) { s.Template.Volumes = nil },
		"--add-volume name=v,type=in-memory": func(s *runpb.Service) { s.Template.Volumes[0].GetEmptyDir().SizeLimit = "" },
		"--ingress internal":                 func(s *runpb.Service) { s.Ingress = runpb.IngressTraffic_INGRESS_TRAFFIC_INTERNAL_ONLY },
		"--no-invoker-iam-check":             func(s *runpb.Service) { s.InvokerIamDisabled = true },
		"--no-default-url":                   func(s *runpb.Service) { s.DefaultUriDisabled = true },
		"--description=":                     func(s *runpb.Service) { s.Description = "" },
		"--clear-labels":                     func(s *runpb.Service) { s.Labels, s.Template.Labels = nil, nil },
		"--add-custom-audiences a,c":         func(s *runpb.Service) { s.CustomAudiences = []string{"a", "b", "c"} },
		"--set-custom-audiences c":           func(s *runpb.Service) { s.CustomAudiences = []string{"c"} },
		"--remove-custom-audiences a":        func(s *runpb.Service) { s.CustomAudiences = []string{"b"} },
		"--clear-custom-audiences":           func(s *runpb.Service) { s.CustomAudiences = nil },
		"--no-traffic": func(s *runpb.Service) {
			s.Traffic[0].Type, s.Traffic[0].Revision = runpb.TrafficTargetAllocationType_TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION, "hello-00003-abc"
		},
		"--revision-suffix v4": func(s *runpb.Service) { s.Template.Revision = "hello-v4" },
		"--tag next": func(s *runpb.Service) {
			s.Template.Revision = "hello-00004-xyz"
			s.Traffic = append(s.Traffic, &runpb.TrafficTarget{Type: runpb.TrafficTargetAllocationType_TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION, Revision: "hello-00004-xyz", Tag: "next"})
		},
	} {
		got, want := existing(), existing()
		want.Template.Revision = ""
		change(want)
		if err := apply(t, got, strings.Fields(args)...); err != nil {
			t.Errorf("%s: %v", args, err)
		}
		if !proto.Equal(got, want) {
			t.Errorf("%s: got\n%v\nwant\n%v", args, got, want)
		}
	}
}

// manually is a scaling to n instances.
func manually(n int32) *runpb.ServiceScaling {
	return &runpb.ServiceScaling{ScalingMode: runpb.ServiceScaling_MANUAL, ManualInstanceCount: &n}
}

// contract: CLI-12, HC-2
func TestProbes(t *testing.T) {
	t.Parallel()
	for args, want := range map[string]string{
		"--startup-probe httpGet.path=/x,httpGet.port=1": `startup_probe: {http_get: {path: "/x" port: 1}}`,
		"--startup-probe periodSeconds=2":                `startup_probe: {tcp_socket: {} period_seconds: 2}`,
		"--startup-probe tcpSocket.port=9":               `startup_probe: {tcp_socket: {port: 9}}`,
		"--startup-probe initialDelaySeconds=1,timeoutSeconds=2,periodSeconds=3,failureThreshold=4,grpc.port=5,grpc.service=s": `startup_probe: {initial_delay_seconds: 1 timeout_seconds: 2 period_seconds: 3 failure_threshold: 4 grpc: {port: 5 service: "s"}}`,
		"--liveness-probe httpGet.path=/live": `liveness_probe: {http_get: {path: "/live"}}`,
		"--readiness-probe grpc.service=s":    `readiness_probe: {grpc: {service: "s"}}`,
	} {
		s := &runpb.Service{}
		if err := apply(t, s, append(strings.Fields(args), "--image", "x")...); err != nil {
			t.Errorf("%s: %v", args, err)
			continue
		}
		wanted := &runpb.Container{}
		if err := prototext.Unmarshal([]byte(`image: "x" resources: {cpu_idle: true startup_cpu_boost: true} `+want), wanted); err != nil {
			t.Fatal(err)
		}
		if got := s.Template.Containers[0]; !proto.Equal(got, wanted) {
			t.Errorf("%s: got %v\nwant %v", args, got, wanted)
		}
	}
}

// Environments belong to the container that they stand behind.
func TestEnvironmentsOfContainers(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "a.env")
	if err := os.WriteFile(file, []byte("X=1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := existing()
	if err := apply(t, s, "--container", "side", "--env-vars-file", file, "--container", "front", "--update-env-vars", "B=9,C=3"); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range s.Template.Containers {
		for _, v := range c.Env {
			got = append(got, c.Name+"."+v.Name+"="+v.GetValue())
		}
	}
	if text := strings.Join(got, " "); text != "front.A=1 front.B=9 front.C=3 side.X=1" {
		t.Errorf("the environments are %s", text)
	}
}

func TestWhatCannotBeApplied(t *testing.T) {
	t.Parallel()
	for args, want := range map[string]string{
		"--container none --cpu 1":                              "--container none: --image is missing: the service has no container of that name yet",
		"--remove-containers none":                              "--remove-containers none: the service has no container of that name",
		"--env-vars-file /no/such":                              "--env-vars-file: /no/such: no such file or directory",
		"--env-vars-file=":                                      "--env-vars-file: want the name of a file",
		"--container side --env-vars-file=x --set-env-vars A=1": "--container side: --set-env-vars: cannot stand beside --env-vars-file",
	} {
		if err := apply(t, existing(), strings.Fields(args)...); err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", args, err, want)
		}
	}
	s := existing()
	s.Template.Containers[0].Ports = nil
	if err := apply(t, s, "--image", "x"); err == nil || !strings.Contains(err.Error(), "say with --container which one is meant") {
		t.Errorf("no container takes the requests: %v", err)
	}
	if err := apply(t, &runpb.Service{Name: "projects/p/locations/l/services/hello"}, "--image", "x", "--no-traffic"); err == nil {
		t.Error("a new service without traffic")
	}
}

func TestWhatWasGiven(t *testing.T) {
	t.Parallel()
	for args, want := range map[string]bool{"": false, "--image x": true, "--no-cpu-boost": true, "--container a": true, "--clear-labels": true, "--no-traffic": true} {
		if got := flags(t, strings.Fields(args)...).Given(); got != want {
			t.Errorf("%q: given %v", args, got)
		}
	}
	f := flags(t, "--container", "a", "--cpu", "1", "--container", "b", "--image", "x", "--container", "c", "--image", "y")
	if f.Containers().Image() != "x" || strings.Join(f.Containers().Images(), " ") != "x y" {
		t.Errorf("images %v, the first %s", f.Containers().Images(), f.Containers().Image())
	}
}
