package v1_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"cloud.google.com/go/run/apiv2/runpb"
	apipb "google.golang.org/genproto/googleapis/api"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"
	"sigs.k8s.io/yaml"

	v1 "runnel/api/v1"
)

func TestConversionsOfServicesLoseNothing(t *testing.T) {
	t.Parallel()
	for seed := range uint64(500) {
		service := random{rand.New(rand.NewPCG(seed, 7))}.service()
		text, err := json.Marshal(v1.FormatService(service, v1.Options{Namespace: number}))
		if err != nil {
			t.Fatal(err)
		}
		got, err := v1.ParseService(text)
		if err != nil {
			t.Fatalf("seed %d: %v\n%s", seed, err, text)
		}
		want := proto.CloneOf(service)
		want.Name = "s"
		want.Uid, want.Generation, want.CreateTime, want.UpdateTime, want.Creator, want.Urls, want.Uri = "", 0, nil, nil, "", nil, ""
		if !proto.Equal(got, want) {
			t.Fatalf("seed %d:\n%v\nis\n%s\nand again\n%v", seed, want, text, got)
		}
		exported, err := yaml.Marshal(v1.FormatService(service, v1.Options{Namespace: number, Export: true}))
		if err != nil {
			t.Fatal(err)
		}
		for _, whose := range []string{number, "someone", "run.localhost", "status"} {
			if strings.Contains(string(exported), whose) {
				t.Fatalf("seed %d: the export says %s:\n%s", seed, whose, exported)
			}
		}
		if got, err = v1.ParseService(exported); err != nil {
			t.Fatalf("seed %d: %v\n%s", seed, err, exported)
		}
		if again, err := yaml.Marshal(v1.FormatService(got, v1.Options{Export: true})); err != nil || !bytes.Equal(again, exported) {
			t.Fatalf("seed %d: exported\n%s\nand again\n%s\n%v", seed, exported, again, err)
		}
	}
}

// random makes things up.
type random struct{ *rand.Rand }

func (r random) some(s string) string {
	if r.IntN(2) == 0 {
		return ""
	}
	return s
}

func (r random) texts(keys ...string) map[string]string {
	m := map[string]string{}
	for _, k := range keys {
		if r.IntN(2) == 0 {
			m[k] = fmt.Sprint("v", r.IntN(100))
		}
	}
	return m
}

// service is a stored service with all that v1 and v2 both know.
func (r random) service() *runpb.Service {
	s := &runpb.Service{
		Name: "projects/p/locations/l/services/s", Uid: "u", Generation: 3, CreateTime: timestamppb.Now(), UpdateTime: timestamppb.Now(),
		Creator: "someone", Uri: "http://s.run.localhost", Urls: []string{"http://s.run.localhost"},
		Labels: r.texts("a", "b"), Annotations: r.texts("c", "example.com/d"), Description: r.some("what it: is"),
		Client: r.some("gcloud"), ClientVersion: r.some("578.0.0"), LaunchStage: apipb.LaunchStage(r.IntN(5)),
		Ingress: runpb.IngressTraffic(r.IntN(5)), InvokerIamDisabled: r.IntN(2) == 0, DefaultUriDisabled: r.IntN(2) == 0,
		Template: r.template(),
	}
	if r.IntN(2) == 0 {
		s.CustomAudiences = []string{"https://a.example", `b"c`}
		s.Scaling = &runpb.ServiceScaling{MinInstanceCount: 1 + r.Int32N(3), ScalingMode: runpb.ServiceScaling_ScalingMode(r.IntN(3)), ManualInstanceCount: proto.Int32(r.Int32N(2))}
		s.BinaryAuthorization = &runpb.BinaryAuthorization{BinauthzMethod: &runpb.BinaryAuthorization_Policy{Policy: "p"}}
	}
	for i := range r.IntN(3) {
		target := &runpb.TrafficTarget{Type: runpb.TrafficTargetAllocationType(1 + r.IntN(2)), Percent: r.Int32N(100), Tag: r.some("t")}
		if target.Type == runpb.TrafficTargetAllocationType_TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION {
			target.Revision = fmt.Sprint("s-", i)
		}
		s.Traffic = append(s.Traffic, target)
	}
	return s
}

func (r random) template() *runpb.RevisionTemplate {
	t := &runpb.RevisionTemplate{
		Revision: r.some("s-one"), Labels: r.texts("e", "client.knative.dev/nonce"), Annotations: r.texts("f"),
		ServiceAccount: r.some("a@b.example"), EncryptionKey: r.some("k"), MaxInstanceRequestConcurrency: r.Int32N(3),
		ExecutionEnvironment: runpb.ExecutionEnvironment(r.IntN(3)), SessionAffinity: r.IntN(2) == 0, HealthCheckDisabled: r.IntN(2) == 0,
		EncryptionKeyRevocationAction: runpb.EncryptionKeyRevocationAction(r.IntN(3)),
	}
	if r.IntN(2) == 0 {
		t.Scaling = &runpb.RevisionScaling{MinInstanceCount: r.Int32N(2), MaxInstanceCount: 1 + r.Int32N(3)}
		t.Timeout = &durationpb.Duration{Seconds: r.Int64N(1000)}
		t.EncryptionKeyShutdownDuration = &durationpb.Duration{Seconds: 3600 * r.Int64N(3)}
		t.GpuZonalRedundancyDisabled = proto.Bool(r.IntN(2) == 0)
		t.VpcAccess = &runpb.VpcAccess{Connector: "c", Egress: runpb.VpcAccess_VpcEgress(r.Int32N(3))}
		t.Volumes = []*runpb.Volume{{Name: "v", VolumeType: &runpb.Volume_EmptyDir{EmptyDir: &runpb.EmptyDirVolumeSource{
			Medium: runpb.EmptyDirVolumeSource_Medium(r.IntN(2)), SizeLimit: r.some("16Mi"),
		}}}}
	}
	containers := 1 + r.IntN(3)
	for i := range containers {
		name := fmt.Sprint("c", i)
		if containers == 1 {
			name = r.some(name)
		}
		t.Containers = append(t.Containers, r.container(name))
	}
	if containers > 1 {
		t.Containers[1].DependsOn = []string{"c0"}
	}
	t.Containers[r.IntN(containers)].Ports = []*runpb.ContainerPort{{Name: r.some("h2c"), ContainerPort: 1 + r.Int32N(65535)}}
	return t
}

func (r random) container(name string) *runpb.Container {
	c := &runpb.Container{
		Name: name, Image: "busybox", WorkingDir: r.some("/srv"), Args: [][]string{nil, {""}, {"a\nb", "é😀", "0", "true"}}[r.IntN(3)],
		Resources:    &runpb.ResourceRequirements{CpuIdle: r.IntN(2) == 0, StartupCpuBoost: r.IntN(2) == 0},
		StartupProbe: r.probe(), LivenessProbe: r.probe(), ReadinessProbe: r.probe(),
	}
	for i := range r.IntN(3) {
		c.Env = append(c.Env, &runpb.EnvVar{Name: fmt.Sprint("A", i), Values: &runpb.EnvVar_Value{Value: r.some("x: 1")}})
		c.VolumeMounts = append(c.VolumeMounts, &runpb.VolumeMount{Name: "v", MountPath: fmt.Sprint("/v", i), SubPath: r.some("p")})
	}
	if limits := r.texts("cpu", "memory"); len(limits) > 0 {
		c.Resources.Limits = limits
	}
	return c
}

func (r random) probe() *runpb.Probe {
	p := &runpb.Probe{InitialDelaySeconds: r.Int32N(3), TimeoutSeconds: r.Int32N(3), PeriodSeconds: r.Int32N(3), FailureThreshold: r.Int32N(3)}
	switch r.IntN(4) {
	case 0:
		return nil
	case 1:
		p.ProbeType = &runpb.Probe_HttpGet{HttpGet: &runpb.HTTPGetAction{Path: r.some("/"), Port: r.Int32N(2), HttpHeaders: []*runpb.HTTPHeader{{Name: "N", Value: r.some("v")}}}}
	case 2:
		p.ProbeType = &runpb.Probe_TcpSocket{TcpSocket: &runpb.TCPSocketAction{Port: r.Int32N(2)}}
	case 3:
		p.ProbeType = &runpb.Probe_Grpc{Grpc: &runpb.GRPCAction{Port: r.Int32N(2), Service: r.some("s")}}
	}
	return p
}

func FuzzParseService(f *testing.F) {
	for _, name := range []string{"service.yaml", "service.golden.yaml", "handwritten.yaml"} {
		data, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		service, err := v1.ParseService(data)
		if err != nil {
			if service != nil {
				t.Errorf("a service and %v", err)
			}
			return
		}
		if v1.ValidateService(service) != nil {
			return
		}
		text, err := yaml.Marshal(v1.FormatService(service, v1.Options{}))
		if err != nil {
			t.Fatal(err)
		}
		again, err := v1.ParseService(text)
		if err != nil {
			t.Fatalf("%v in what FormatService wrote:\n%s", err, text)
		}
		if twice, err := yaml.Marshal(v1.FormatService(again, v1.Options{})); err != nil || !bytes.Equal(twice, text) {
			t.Fatalf("written twice:\n%s\nwas\n%s\n%v", twice, text, err)
		}
	})
}
