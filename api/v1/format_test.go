package v1_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"cloud.google.com/go/run/apiv2/runpb"
	apipb "google.golang.org/genproto/googleapis/api"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"
	"sigs.k8s.io/yaml"

	v1 "runnel/api/v1"
)

const number = "123456789012"

func indented(t *testing.T, object any) []byte {
	t.Helper()
	data, err := json.MarshalIndent(object, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return append(data, '\n')
}

// contract: JOB-18 JOB-19 JOB-22
func TestResourcesAreWrittenAsV1HasThem(t *testing.T) {
	t.Parallel()
	o := v1.Options{Namespace: number}
	var (
		job       runpb.Job
		execution runpb.Execution
		task      runpb.Task
	)
	for _, tt := range []struct {
		name   string
		m      proto.Message
		format func() any
	}{
		{"job", &job, func() any { return v1.FormatJob(&job, o) }},
		{"execution", &execution, func() any { return v1.FormatExecution(&execution, o) }},
		{"task", &task, func() any { return v1.FormatTask(&task, o) }},
	} {
		if err := protojson.Unmarshal(read(t, tt.name+".v2.json"), tt.m); err != nil {
			t.Fatal(err)
		}
		got := indented(t, tt.format())
		if want := read(t, tt.name+".v1.golden.json"); !bytes.Equal(got, want) {
			t.Errorf("the %s is written as\n%s\nwant\n%s", tt.name, got, want)
		}
	}
}

func TestTheProjectsIDStandsInForItsNumber(t *testing.T) {
	t.Parallel()
	got := v1.FormatJob(&runpb.Job{Name: "projects/p/locations/l/jobs/j"}, v1.Options{}).Metadata
	if got.Namespace != "p" || got.SelfLink != "/apis/run.googleapis.com/v1/namespaces/p/jobs/j" {
		t.Errorf("metadata = %+v", got)
	}
}

func TestWhatIsBeingDeletedDoesNotFail(t *testing.T) {
	t.Parallel()
	failed := []*runpb.Condition{{Type: "Completed", State: runpb.Condition_CONDITION_FAILED}, {Type: "Started", State: runpb.Condition_CONDITION_SUCCEEDED}}
	for _, tt := range []struct {
		deleted *timestamppb.Timestamp
		want    string
	}{{nil, "False True"}, {timestamppb.Now(), "Unknown True"}} {
		x := v1.FormatExecution(&runpb.Execution{Conditions: failed, DeleteTime: tt.deleted}, v1.Options{})
		if got := x.Status.Conditions[0].Status + " " + x.Status.Conditions[1].Status; got != tt.want {
			t.Errorf("deleted at %v: %s, want %s", tt.deleted, got, tt.want)
		}
	}
}

func TestResourceVersionsAreThoseOfCloudRun(t *testing.T) {
	t.Parallel()
	at := time.Date(2024, 7, 10, 16, 54, 59, 38309000, time.UTC)
	if got := v1.ResourceVersion(at); got != "AAYc54GvVGU" {
		t.Errorf("ResourceVersion = %s", got)
	}
	if got, err := v1.ParseResourceVersion("AAYc54GvVGU"); err != nil || !got.Equal(at) {
		t.Errorf("ParseResourceVersion = %v, %v", got, err)
	}
	for _, bad := range []string{"", "x", "AAYc54GvVGU=", "AAYc54GvVGUA"} {
		if _, err := v1.ParseResourceVersion(bad); err == nil {
			t.Errorf("%q is accepted", bad)
		}
	}
}

// What v2 has no place for comes back in v1, and shows under no reserved key
// in v2.
func TestUnknownKeysAreCarried(t *testing.T) {
	t.Parallel()
	file := []byte(`{apiVersion: run.googleapis.com/v1, kind: Job, metadata: {name: j, labels: {a: b, run.googleapis.com/new: x}, annotations: {run.googleapis.com/newer: w, c: d}},
		spec: {template: {metadata: {labels: {client.knative.dev/nonce: k, serving.knative.dev/l: m}, annotations: {autoscaling.knative.dev/z: q}}, spec: {template: {spec: {containers: [{image: x}]}}}}}}`)
	job, err := v1.ParseJob(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := v1.ValidateJob(job); err != nil {
		t.Errorf("v2 refuses it: %v", err)
	}
	var want, got struct {
		Metadata v1.ObjectMeta
		Spec     v1.JobSpec
	}
	text, err := json.Marshal(v1.FormatJob(job, v1.Options{}))
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(file, &want); err != nil {
		t.Fatal(err)
	}
	for name, maps := range map[string][2]map[string]string{
		"labels":                 {got.Metadata.Labels, want.Metadata.Labels},
		"annotations":            {got.Metadata.Annotations, want.Metadata.Annotations},
		"template's labels":      {got.Spec.Template.Metadata.Labels, want.Spec.Template.Metadata.Labels},
		"template's annotations": {got.Spec.Template.Metadata.Annotations, want.Spec.Template.Metadata.Annotations},
	} {
		if fmt.Sprint(maps[0]) != fmt.Sprint(maps[1]) {
			t.Errorf("%s come back as %v, want %v", name, maps[0], maps[1])
		}
	}
}

// contract: JOB-28
func TestConversionsLoseNothing(t *testing.T) {
	t.Parallel()
	for seed := range uint64(500) {
		job := randomJob(rand.New(rand.NewPCG(seed, 7)))
		text, err := json.Marshal(v1.FormatJob(job, v1.Options{Namespace: number}))
		if err != nil {
			t.Fatal(err)
		}
		got, err := v1.ParseJob(text)
		if err != nil {
			t.Fatalf("seed %d: %v\n%s", seed, err, text)
		}
		want := proto.CloneOf(job)
		want.Name = "j"
		want.Uid, want.Generation, want.CreateTime, want.UpdateTime, want.Creator = "", 0, nil, nil, ""
		if !proto.Equal(got, want) {
			t.Fatalf("seed %d:\n%v\nis\n%s\nand again\n%v", seed, want, text, got)
		}
		exported, err := yaml.Marshal(v1.FormatJob(job, v1.Options{Namespace: number, Export: true}))
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(exported), number) || strings.Contains(string(exported), "someone") {
			t.Fatalf("seed %d: the export says whose it is:\n%s", seed, exported)
		}
		if got, err = v1.ParseJob(exported); err != nil {
			t.Fatalf("seed %d: %v\n%s", seed, err, exported)
		}
		if again, err := yaml.Marshal(v1.FormatJob(got, v1.Options{Export: true})); err != nil || !bytes.Equal(again, exported) {
			t.Fatalf("seed %d: exported\n%s\nand again\n%s\n%v", seed, exported, again, err)
		}
	}
}

// randomJob is a stored job with all that v1 and v2 both know.
func randomJob(r *rand.Rand) *runpb.Job {
	texts := func(keys ...string) map[string]string {
		m := map[string]string{}
		for _, k := range keys {
			if r.IntN(2) == 0 {
				m[k] = fmt.Sprint("v", r.IntN(100))
			}
		}
		return m
	}
	some := func(s string) string {
		if r.IntN(2) == 0 {
			return ""
		}
		return s
	}
	container := &runpb.Container{
		Name: some("main"), Image: "busybox", WorkingDir: some("/srv"),
		Command: [][]string{nil, {"sh"}, {"sh", "-c"}}[r.IntN(3)], Args: [][]string{nil, {""}, {"a\nb", "é😀", "0", "true"}}[r.IntN(3)],
	}
	for i := range r.IntN(4) {
		container.Env = append(container.Env, &runpb.EnvVar{Name: fmt.Sprint("A", i), Values: &runpb.EnvVar_Value{Value: some("x: 1")}})
	}
	if limits := texts("cpu", "memory"); len(limits) > 0 {
		container.Resources = &runpb.ResourceRequirements{Limits: limits, CpuIdle: r.IntN(2) == 0, StartupCpuBoost: r.IntN(2) == 0}
	}
	task := &runpb.TaskTemplate{
		Containers: []*runpb.Container{container}, ServiceAccount: some("a@b.example"), EncryptionKey: some("k"),
		ExecutionEnvironment: runpb.ExecutionEnvironment(2 * r.IntN(2)),
	}
	if r.IntN(2) == 0 {
		task.Retries = &runpb.TaskTemplate_MaxRetries{MaxRetries: r.Int32N(4)}
		task.Timeout = &durationpb.Duration{Seconds: r.Int64N(1000)}
		task.GpuZonalRedundancyDisabled = proto.Bool(r.IntN(2) == 0)
		task.VpcAccess = &runpb.VpcAccess{Connector: "c", Egress: runpb.VpcAccess_VpcEgress(r.Int32N(3))}
		if r.IntN(2) == 0 {
			task.VpcAccess.NetworkInterfaces = []*runpb.VpcAccess_NetworkInterface{{Network: some("n"), Subnetwork: some("s"), Tags: []string{"t"}}}
		}
	}
	job := &runpb.Job{
		Name: "projects/p/locations/l/jobs/j", Uid: "u", Generation: 3, CreateTime: timestamppb.Now(), UpdateTime: timestamppb.Now(), Creator: "someone",
		Labels: texts("a", "b"), Annotations: texts("c", "example.com/d"),
		Client: some("gcloud"), ClientVersion: some("528.0.0"), LaunchStage: apipb.LaunchStage(r.IntN(5)),
		Template: &runpb.ExecutionTemplate{
			Labels: texts("e"), Annotations: texts("f"), Parallelism: r.Int32N(3), TaskCount: r.Int32N(5), Template: task,
		},
	}
	switch r.IntN(4) {
	case 0:
		job.CreateExecution = &runpb.Job_StartExecutionToken{StartExecutionToken: "t1"}
	case 1:
		job.CreateExecution = &runpb.Job_RunExecutionToken{RunExecutionToken: "t2"}
		job.BinaryAuthorization = &runpb.BinaryAuthorization{BreakglassJustification: "b"}
	case 2:
		job.BinaryAuthorization = &runpb.BinaryAuthorization{BinauthzMethod: &runpb.BinaryAuthorization_UseDefault{UseDefault: true}}
	}
	return job
}
