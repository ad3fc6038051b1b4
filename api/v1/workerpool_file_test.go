package v1_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"cloud.google.com/go/run/apiv2/runpb"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"sigs.k8s.io/yaml"

	"runnel/api"
	v1 "runnel/api/v1"
)

// contract: WP-2 WP-4 WP-7
func TestWorkerPoolFilesConvertBothWays(t *testing.T) {
	t.Parallel()
	pool, err := v1.ParseWorkerPool(read(t, "workerpool.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var want runpb.WorkerPool
	if err := protojson.Unmarshal(read(t, "workerpool.golden.json"), &want); err != nil {
		t.Fatal(err)
	}
	if !proto.Equal(pool, &want) {
		t.Errorf("it reads as\n%v\nwant\n%v", protojson.Format(pool), protojson.Format(&want))
	}
	if err := errors.Join(api.ValidateWorkerPool(pool), v1.ValidateWorkerPool(pool)); err != nil {
		t.Errorf("it is refused: %v", err)
	}
	text, err := yaml.Marshal(v1.FormatWorkerPool(pool, v1.Options{Export: true}))
	if err != nil || !bytes.Equal(text, read(t, "workerpool.golden.yaml")) {
		t.Errorf("it is written as\n%s\n%v", text, err)
	}
	again, err := v1.ParseWorkerPool(text)
	exported := proto.CloneOf(pool)
	exported.Client, exported.ClientVersion = "", ""
	if err != nil || !proto.Equal(again, exported) {
		t.Errorf("written and read, it is\n%v\n%v", protojson.Format(again), err)
	}
}

func TestTheLeastWorkerPoolIsRead(t *testing.T) {
	t.Parallel()
	got, err := v1.ParseWorkerPool([]byte(poolHead + "metadata: {name: w}\nspec: {template: {spec: {containers: [{image: x}]}}}"))
	if err != nil {
		t.Fatal(err)
	}
	want := &runpb.WorkerPool{Name: "w", Template: &runpb.WorkerPoolRevisionTemplate{Containers: []*runpb.Container{{Image: "x"}}}}
	if !proto.Equal(got, want) {
		t.Errorf("ParseWorkerPool = %v, want %v", got, want)
	}
}

const poolHead = "apiVersion: run.googleapis.com/v1\nkind: WorkerPool\n"

// contract: WP-1
func TestBadWorkerPoolFilesAreRefusedWithPathAndLine(t *testing.T) {
	t.Parallel()
	const s = "spec.template.spec."
	const c = s + "containers[0]."
	inContainer := func(text string) string {
		return poolHead + "metadata: {name: w}\nspec: {template: {spec: {\n  containers: [{image: x, " + text + "}]}}}"
	}
	inSpec := func(text string) string {
		return poolHead + "metadata: {name: w}\nspec: {template: {spec: {\n  " + text + ", containers: [{image: x}]}}}"
	}
	inSplits := func(text string) string {
		return poolHead + "metadata: {name: w}\nspec: {\n  instanceSplits: [" + text + "], template: {spec: {containers: [{image: x}]}}}"
	}
	for _, tt := range []struct{ name, file, want string }{
		{"empty", "---\n", "the file is empty: want a WorkerPool"},
		{"a service", "kind: Service", "kind: Service is not accepted here: want WorkerPool"},
		{"the version of services", "apiVersion: serving.knative.dev/v1\nkind: WorkerPool", `apiVersion: "serving.knative.dev/v1" is not accepted: want run.googleapis.com/v1`},
		{"no name", poolHead + "metadata: {}", "metadata.name: is missing: want the worker pool's name"},
		{"full name", poolHead + "metadata: {name: a/b}", "metadata.name: holds a slash"},
		{"ports", inContainer("ports: [{containerPort: 80}]"), c + "ports: is not supported: a worker pool takes no requests, so its containers have no port (line 5)"},
		{"readiness", inContainer("readinessProbe: {httpGet: {path: /}}"), c + "readinessProbe: is not supported: a worker pool takes no requests"},
		{"concurrency", inSpec("containerConcurrency: 80"), s + "containerConcurrency: is not supported: a worker pool takes no requests (line 5)"},
		{"timeout", inSpec("timeoutSeconds: 300"), s + "timeoutSeconds: is not supported: a worker pool takes no requests, and its instances have no end (line 5)"},
		{"grace period", inSpec("terminationGracePeriodSeconds: 30"), s + "terminationGracePeriodSeconds: is not supported"},
		{"misspelt", inSpec("serviceAcountName: a"), s + "serviceAcountName: unknown field; did you mean serviceAccountName? (line 5)"},
		{"misspelt in a container", inContainer("livenesProbe: {}"), c + "livenesProbe: unknown field; did you mean livenessProbe?"},
		{"two ways", inContainer("startupProbe: {httpGet: {path: /}, grpc: {port: 1}}"), c + "startupProbe: asks in 2 ways at once"},
		{"successes", inContainer("livenessProbe: {httpGet: {path: /}, successThreshold: 2}"), c + "livenessProbe.successThreshold: is not supported: want 1"},
		{"secret", inContainer("env: [{name: A, valueFrom: {secretKeyRef: {name: s, key: '1'}}}]"), c + "env[0].valueFrom: is not supported"},
		{"traffic", poolHead + "metadata: {name: w}\nspec: {\n  traffic: []}", "spec.traffic: unknown field (line 5)"},
		{"tag", inSplits("{latestRevision: true, percent: 100, tag: t}"), "spec.instanceSplits[0].tag: unknown field"},
		{"no revision", inSplits("{latestRevision: false, percent: 100}"), "spec.instanceSplits[0].revisionName: is missing: want a revision's name, or latestRevision: true"},
		{"both", inSplits("{latestRevision: true, revisionName: w-1, percent: 100}"), "spec.instanceSplits[0].revisionName: cannot be set together"},
		{"fraction", inSplits("{latestRevision: true, percent: 0.5}"), "spec.instanceSplits[0].percent: is a number: want a whole number"},
	} {
		if got, err := v1.ParseWorkerPool([]byte(tt.file)); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: ParseWorkerPool = %v, %v\nwant %q", tt.name, got, err, tt.want)
		}
	}
}

func TestWorkerPoolPath(t *testing.T) {
	t.Parallel()
	const spec = "spec.template.spec"
	for v2, want := range map[string]string{
		"name":                                   "metadata.name",
		"scaling.manualInstanceCount":            `metadata.annotations["run.googleapis.com/manualInstanceCount"]`,
		"instanceSplits":                         "spec.instanceSplits",
		"instanceSplits[1].revision":             "spec.instanceSplits[1].revisionName",
		"instanceSplits[1].percent":              "spec.instanceSplits[1].percent",
		"description":                            `metadata.annotations["run.googleapis.com/description"]`,
		"template":                               "spec.template",
		"template.revision":                      "spec.template.metadata.name",
		"template.serviceAccount":                spec + ".serviceAccountName",
		"template.containers":                    spec + ".containers",
		"template.containers[1].dependsOn[0]":    `spec.template.metadata.annotations["run.googleapis.com/container-dependencies"]`,
		"template.containers[0].env[2].name":     spec + ".containers[0].env[2].name",
		"template.volumes[0].emptyDir.sizeLimit": spec + ".volumes[0].emptyDir.sizeLimit",
		"nameless":                               "nameless",
	} {
		if got := v1.WorkerPoolPath(v2); got != want {
			t.Errorf("WorkerPoolPath(%q) = %q, want %q", v2, got, want)
		}
	}
}
