package v1_test

import (
	"fmt"
	"strings"
	"testing"

	"cloud.google.com/go/run/apiv2/runpb"
	apipb "google.golang.org/genproto/googleapis/api"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"sigs.k8s.io/yaml"

	v1 "runnel/api/v1"
)

// annotatedPool returns a file with one annotation on the worker pool and one on
// its revisions. It has two containers.
func annotatedPool(onPool, onRevision string) []byte {
	return []byte(poolHead + "metadata: {name: w, annotations: {" + onPool + "}}\nspec: {template: {metadata: {annotations: {" + onRevision + "}}, spec: " +
		"{containers: [{name: app, image: x}, {name: proxy, image: y}]}}}\n")
}

// contract: WP-2 WP-3 WP-4
func TestAnnotationsOfWorkerPoolsAreFieldsInV2(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		onPool, onRevision string
		want               func(*runpb.WorkerPool)
		// again is what is written for it, where that is not the same.
		again string
	}{
		{onPool: "run.googleapis.com/launch-stage: ALPHA", want: func(w *runpb.WorkerPool) { w.LaunchStage = apipb.LaunchStage_ALPHA }},
		{onPool: "run.googleapis.com/description: a b", want: func(w *runpb.WorkerPool) { w.Description = "a b" }},
		{onPool: "run.googleapis.com/client-name: c", want: func(w *runpb.WorkerPool) { w.Client = "c" }},
		{onPool: `run.googleapis.com/scalingMode: manual, run.googleapis.com/manualInstanceCount: "0"`, want: func(w *runpb.WorkerPool) {
			w.Scaling = &runpb.WorkerPoolScaling{ManualInstanceCount: proto.Int32(0)}
		}},
		{onPool: `run.googleapis.com/manualInstanceCount: "7"`, want: func(w *runpb.WorkerPool) {
			w.Scaling = &runpb.WorkerPoolScaling{ManualInstanceCount: proto.Int32(7)}
		}, again: `{run.googleapis.com/scalingMode: manual, run.googleapis.com/manualInstanceCount: "7"}`},
		{onPool: "run.googleapis.com/scalingMode: Manual", want: func(*runpb.WorkerPool) {}, again: "{}"},
		{onPool: "run.googleapis.com/binary-authorization-breakglass: b", want: func(w *runpb.WorkerPool) {
			w.BinaryAuthorization = &runpb.BinaryAuthorization{BreakglassJustification: "b"}
		}},
		{onPool: "serving.knative.dev/creator: me, run.googleapis.com/operation-id: x", want: func(*runpb.WorkerPool) {}, again: "{}"},

		{onRevision: `run.googleapis.com/cpu-throttling: "false"`, want: func(*runpb.WorkerPool) {}, again: "{}"},
		{onRevision: `run.googleapis.com/startup-cpu-boost: "true", v2.runnel/startup-cpu-boost-unlike: '["proxy"]'`, want: func(w *runpb.WorkerPool) {
			w.Template.Containers[0].Resources = &runpb.ResourceRequirements{StartupCpuBoost: true}
		}},
		{onRevision: `run.googleapis.com/execution-environment: gen2`, want: func(w *runpb.WorkerPool) {
			w.Template.Annotations = map[string]string{"v1.runnel/annotations/run.googleapis.com/execution-environment": "gen2"}
		}},
		{onRevision: `run.googleapis.com/container-dependencies: '{"app":["proxy"]}'`, want: func(w *runpb.WorkerPool) { w.Template.Containers[0].DependsOn = []string{"proxy"} }},
		{onRevision: `run.googleapis.com/vpc-access-egress: all-traffic`, want: func(w *runpb.WorkerPool) {
			w.Template.VpcAccess = &runpb.VpcAccess{Egress: runpb.VpcAccess_ALL_TRAFFIC}
		}},
		{onRevision: `run.googleapis.com/encryption-key: k`, want: func(w *runpb.WorkerPool) { w.Template.EncryptionKey = "k" }},
		{onRevision: `run.googleapis.com/client-name: gcloud`, want: func(*runpb.WorkerPool) {}, again: "{}"},
	} {
		got, err := v1.ParseWorkerPool(annotatedPool(tt.onPool, tt.onRevision))
		if err != nil {
			t.Errorf("%s%s: %v", tt.onPool, tt.onRevision, err)
			continue
		}
		want := &runpb.WorkerPool{Name: "w", Template: &runpb.WorkerPoolRevisionTemplate{Containers: []*runpb.Container{{Name: "app", Image: "x"}, {Name: "proxy", Image: "y"}}}}
		tt.want(want)
		if !proto.Equal(got, want) {
			t.Errorf("%s%s is\n%v\nwant\n%v", tt.onPool, tt.onRevision, protojson.Format(got), protojson.Format(want))
		}
		if tt.again == "" {
			tt.again = "{" + tt.onPool + tt.onRevision + "}"
		}
		var again map[string]string
		if err := yaml.Unmarshal([]byte(tt.again), &again); err != nil {
			t.Fatal(err)
		}
		written := v1.FormatWorkerPool(got, v1.Options{})
		back := written.Metadata.Annotations
		if tt.onRevision != "" {
			back = written.Spec.Template.Metadata.Annotations
		}
		if fmt.Sprint(back) != fmt.Sprint(again) {
			t.Errorf("%s%s comes back as %v", tt.onPool, tt.onRevision, back)
		}
	}
}

// contract: WP-1 WP-3 WP-10 LIM-8
func TestBadAnnotationsOfWorkerPoolsAreRefused(t *testing.T) {
	t.Parallel()
	const (
		pool     = `metadata.annotations["run.googleapis.com/`
		revision = `spec.template.metadata.annotations["run.googleapis.com/`
		scaled   = "a worker pool is not scaled automatically, want run.googleapis.com/manualInstanceCount"
	)
	for _, tt := range []struct{ onPool, onRevision, want string }{
		{"run.googleapis.com/manualInstanceCount: '-1'", "", pool + `manualInstanceCount"]: "-1" is not a whole number of 0 or more`},
		{"run.googleapis.com/manualInstanceCount: 1", "", pool + `manualInstanceCount"]: is a number: want text, in quotes`},
		{"run.googleapis.com/scalingMode: automatic", "", pool + `scalingMode"]: is not supported: ` + scaled},
		{"run.googleapis.com/scalingMode: fast", "", pool + `scalingMode"]: "fast" is not a scaling mode: want manual`},
		{"run.googleapis.com/minScale: '1'", "", pool + `minScale"]: is not supported: ` + scaled},
		{"run.googleapis.com/maxScale: '1'", "", pool + `maxScale"]: is not supported: ` + scaled},
		{"run.googleapis.com/ingress: all", "", pool + `ingress"]: is for services: a worker pool takes no requests`},
		{"run.googleapis.com/invoker-iam-disabled: 'true'", "", pool + `invoker-iam-disabled"]: is for services`},
		{"", "autoscaling.knative.dev/maxScale: '3'", `spec.template.metadata.annotations["autoscaling.knative.dev/maxScale"]: is not supported: ` + scaled},
		{"", "run.googleapis.com/sessionAffinity: 'true'", revision + `sessionAffinity"]: is for services`},
		{"", "run.googleapis.com/health-check-disabled: 'true'", revision + `health-check-disabled"]: is for services: give the worker pool's containers no probes`},
		{"", "run.googleapis.com/cpu-throttling: 'true'", revision + `cpu-throttling"]: is not supported: the instances of a worker pool have their CPU all the time, want false`},
		{"", "run.googleapis.com/execution-environment: gen1", revision + `execution-environment"]: gen1 is not possible: worker pools always run in the second generation`},
		{"", "run.googleapis.com/execution-environment: gen3", revision + `execution-environment"]: "gen3"`},
		{"", "run.googleapis.com/cpu-throttling: off", revision + `cpu-throttling"]: "off" is neither`},
		{"", `run.googleapis.com/container-dependencies: '{"web":["db"]}'`, revision + `container-dependencies"]: there is no container "web"`},
		{"", "run.googleapis.com/cloudsql-instances: a:b:c", "Cloud SQL"},
		{"", "run.googleapis.com/secrets: a", "secrets are not supported yet"},
	} {
		if got, err := v1.ParseWorkerPool(annotatedPool(tt.onPool, tt.onRevision)); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s%s: ParseWorkerPool = %v, %v\nwant %q", tt.onPool, tt.onRevision, got, err, tt.want)
		}
	}
}
