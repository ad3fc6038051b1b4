package change

import (
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

// existing is a worker pool with two containers.
func existing() *runpb.WorkerPool {
	p := &runpb.WorkerPool{}
	err := prototext.Unmarshal([]byte(`
		name: "projects/p/locations/l/workerPools/puller" generation: 3 description: "old" labels: {key: "team" value: "data"}
		latest_ready_revision: "projects/p/locations/l/workerPools/puller/revisions/puller-v3"
		scaling: {manual_instance_count: 4}
		template: {
			revision: "puller-v3" labels: {key: "team" value: "data"} service_account: "a@b.c"
			containers: {
				name: "worker" image: "nginx" depends_on: "side"
				resources: {limits: {key: "cpu" value: "1"}}
				env: {name: "A" value: "1"} env: {name: "B" value: "2"}
				startup_probe: {tcp_socket: {port: 8080}}
				volume_mounts: {name: "v" mount_path: "/v"}
			}
			containers: {name: "side" image: "busybox"}
			volumes: {name: "v" empty_dir: {medium: MEMORY size_limit: "1Gi"}}
		}
		instance_splits: {type: INSTANCE_SPLIT_ALLOCATION_TYPE_REVISION revision: "puller-v1" percent: 30}
		instance_splits: {type: INSTANCE_SPLIT_ALLOCATION_TYPE_LATEST percent: 70}`), p)
	if err != nil {
		panic(err)
	}
	return p
}

// worker and side are the containers of existing.
func worker(p *runpb.WorkerPool) *runpb.Container { return p.Template.Containers[0] }
func side(p *runpb.WorkerPool) *runpb.Container   { return p.Template.Containers[1] }

// instances is a scaling to n instances.
func instances(n int32) *runpb.WorkerPoolScaling {
	return &runpb.WorkerPoolScaling{ManualInstanceCount: &n}
}

// splits are shares of puller-v1, puller-v3 and the latest revision.
func splits(v1, v3, latest int32) (all []*runpb.InstanceSplit) {
	for _, s := range []*runpb.InstanceSplit{
		{Type: runpb.InstanceSplitAllocationType_INSTANCE_SPLIT_ALLOCATION_TYPE_REVISION, Revision: "puller-v1", Percent: v1},
		{Type: runpb.InstanceSplitAllocationType_INSTANCE_SPLIT_ALLOCATION_TYPE_REVISION, Revision: "puller-v3", Percent: v3},
		{Type: runpb.InstanceSplitAllocationType_INSTANCE_SPLIT_ALLOCATION_TYPE_LATEST, Percent: latest},
	} {
		if s.Percent > 0 {
			all = append(all, s)
		}
	}
	return all
}

// What no flag names stays, but for the name of the revision before.
// contract: CLI-11, CLI-12, WP-2, WP-7
func TestOneFlagChangesOneThing(t *testing.T) {
	t.Parallel()
	for args, change := range map[string]func(*runpb.WorkerPool){
		"":                                   func(*runpb.WorkerPool) {},
		"--instances 0":                      func(p *runpb.WorkerPool) { p.Scaling = instances(0) },
		"--instances 7":                      func(p *runpb.WorkerPool) { p.Scaling = instances(7) },
		"--scaling 7":                        func(p *runpb.WorkerPool) { p.Scaling = instances(7) },
		"--no-promote":                       func(p *runpb.WorkerPool) { p.InstanceSplits = splits(30, 70, 0) },
		"--promote":                          func(p *runpb.WorkerPool) { p.InstanceSplits = splits(0, 0, 100) },
		"--revision-suffix v4":               func(p *runpb.WorkerPool) { p.Template.Revision = "puller-v4" },
		"--service-account=":                 func(p *runpb.WorkerPool) { p.Template.ServiceAccount = "" },
		"--description=":                     func(p *runpb.WorkerPool) { p.Description = "" },
		"--clear-labels":                     func(p *runpb.WorkerPool) { p.Labels, p.Template.Labels = nil, nil },
		"--clear-volumes":                    func(p *runpb.WorkerPool) { p.Template.Volumes = nil },
		"--add-volume name=v,type=in-memory": func(p *runpb.WorkerPool) { p.Template.Volumes[0].GetEmptyDir().SizeLimit = "" },
		"--container worker --image alpine":  func(p *runpb.WorkerPool) { worker(p).Image = "alpine" },
		"--container worker --cpu 2":         func(p *runpb.WorkerPool) { worker(p).Resources.Limits["cpu"] = "2" },
		"--container worker --depends-on=":   func(p *runpb.WorkerPool) { worker(p).DependsOn = nil },
		"--container worker --remove-env-vars A --update-env-vars C=3": func(p *runpb.WorkerPool) {
			worker(p).Env = append(worker(p).Env[1:], &runpb.EnvVar{Name: "C", Values: &runpb.EnvVar_Value{Value: "3"}})
		},
		"--container worker --startup-probe=": func(p *runpb.WorkerPool) { worker(p).StartupProbe = nil },
		"--container worker --startup-probe httpGet.path=/x,httpGet.port=1": func(p *runpb.WorkerPool) {
			worker(p).StartupProbe = &runpb.Probe{ProbeType: &runpb.Probe_HttpGet{HttpGet: &runpb.HTTPGetAction{Path: "/x", Port: 1}}}
		},
		"--container worker --clear-volume-mounts": func(p *runpb.WorkerPool) { worker(p).VolumeMounts = nil },
		"--container side --memory 1Gi --command sh": func(p *runpb.WorkerPool) {
			side(p).Resources = &runpb.ResourceRequirements{Limits: map[string]string{"memory": "1Gi"}}
			side(p).Command = []string{"sh"}
		},
		"--container new --image y": func(p *runpb.WorkerPool) {
			p.Template.Containers = append(p.Template.Containers, &runpb.Container{Name: "new", Image: "y"})
		},
		"--remove-containers side": func(p *runpb.WorkerPool) { p.Template.Containers = p.Template.Containers[:1] },
		"--remove-containers side --image x": func(p *runpb.WorkerPool) {
			p.Template.Containers = p.Template.Containers[:1]
			worker(p).Image = "x"
		},
	} {
		got, want := existing(), existing()
		want.Template.Revision = ""
		change(want)
		f := flags(t, strings.Fields(args)...)
		if err := f.Check(); err != nil {
			t.Errorf("%s: %v", args, err)
		}
		if err := f.Apply(got); err != nil {
			t.Errorf("%s: %v", args, err)
		}
		if !proto.Equal(got, want) {
			t.Errorf("%s: got\n%v\nwant\n%v", args, got, want)
		}
		if given := f.Given(); given != (args != "") {
			t.Errorf("%s: given %v", args, given)
		}
	}
}

func TestWhatCannotBeApplied(t *testing.T) {
	t.Parallel()
	for args, want := range map[string]string{
		"--image x":                "the worker pool has several containers: say with --container which one is meant",
		"--container none --cpu 1": "--container none: --image is missing: the worker pool has no container of that name yet",
	} {
		if err := flags(t, strings.Fields(args)...).Apply(existing()); err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", args, err, want)
		}
	}
	fresh := &runpb.WorkerPool{Name: "projects/p/locations/l/workerPools/puller"}
	if err := flags(t, "--image", "x", "--no-promote").Apply(fresh); err == nil || !strings.HasPrefix(err.Error(), "--no-promote: ") {
		t.Errorf("a new worker pool without instances: %v", err)
	}
}

// Fields are told as the flags that have set them.
func TestFieldsAreNamedAsFlags(t *testing.T) {
	t.Parallel()
	f := flags(t, strings.Fields("--instances 3 --labels A=b --revision-suffix x --no-promote --add-volume name=v,type=in-memory --container side --cpu 9 --liveness-probe grpc.port=1")...)
	if err := f.Apply(existing()); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		"workerPool.scaling.manualInstanceCount":                    "--instances 3",
		"workerPool.labels":                                         "--labels",
		"workerPool.template.labels":                                "--labels",
		"workerPool.template.revision":                              "--revision-suffix x",
		"workerPool.instanceSplits[0].revision":                     "--no-promote",
		"workerPool.template.volumes[0].name":                       "--add-volume",
		`workerPool.template.containers[1].resources.limits["cpu"]`: "--container side: --cpu 9",
		"workerPool.template.containers[1].livenessProbe.grpc.port": "--container side: --liveness-probe grpc.port=1",
		"workerPool.template.containers[0].image":                   "template.containers[0].image",
		"workerPool.description":                                    "description",
	} {
		if got := f.FlagOf(path); got != want {
			t.Errorf("%s is %s, want %s", path, got, want)
		}
	}
}
