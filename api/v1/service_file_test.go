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

// contract: DEP-1 DEP-4 HC-1
func TestServiceFilesConvertBothWays(t *testing.T) {
	t.Parallel()
	service, err := v1.ParseService(read(t, "service.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var want runpb.Service
	if err := protojson.Unmarshal(read(t, "service.golden.json"), &want); err != nil {
		t.Fatal(err)
	}
	if !proto.Equal(service, &want) {
		t.Errorf("it reads as\n%v\nwant\n%v", protojson.Format(service), protojson.Format(&want))
	}
	if err := errors.Join(api.ValidateService(service), v1.ValidateService(service)); err != nil {
		t.Errorf("it is refused: %v", err)
	}
	text, err := yaml.Marshal(v1.FormatService(service, v1.Options{Export: true}))
	if err != nil || !bytes.Equal(text, read(t, "service.golden.yaml")) {
		t.Errorf("it is written as\n%s\n%v", text, err)
	}
	again, err := v1.ParseService(text)
	if err != nil || !proto.Equal(again, withoutClient(service)) {
		t.Errorf("written and read, it is\n%v\n%v", protojson.Format(again), err)
	}
}

// withoutClient is s as an export says it.
func withoutClient(s *runpb.Service) *runpb.Service {
	s = proto.CloneOf(s)
	s.Client, s.ClientVersion = "", ""
	return s
}

func TestTheLeastServiceIsRead(t *testing.T) {
	t.Parallel()
	got, err := v1.ParseService([]byte("apiVersion: serving.knative.dev/v1\nkind: Service\nmetadata: {name: s}\nspec: {template: {spec: {containers: [{image: x}]}}}"))
	if err != nil {
		t.Fatal(err)
	}
	want := &runpb.Service{Name: "s", Template: &runpb.RevisionTemplate{
		Containers: []*runpb.Container{{Image: "x", Resources: &runpb.ResourceRequirements{CpuIdle: true}}},
	}}
	if !proto.Equal(got, want) {
		t.Errorf("ParseService = %v, want %v", got, want)
	}
}

const serviceHead = "apiVersion: serving.knative.dev/v1\nkind: Service\n"

func TestBadServiceFilesAreRefusedWithPathAndLine(t *testing.T) {
	t.Parallel()
	const c = "spec.template.spec.containers[0]."
	inContainer := func(text string) string {
		return serviceHead + "metadata: {name: s}\nspec: {template: {spec: {\n  containers: [{image: x, " + text + "}]}}}"
	}
	inSpec := func(text string) string {
		return serviceHead + "metadata: {name: s}\nspec: {template: {spec: {\n  " + text + ", containers: [{image: x}]}}}"
	}
	inTraffic := func(text string) string {
		return serviceHead + "metadata: {name: s}\nspec: {\n  traffic: [" + text + "], template: {spec: {containers: [{image: x}]}}}"
	}
	for _, tt := range []struct{ name, file, want string }{
		{"empty", "---\n", "the file is empty: want a Service"},
		{"a job", "apiVersion: run.googleapis.com/v1\nkind: Job", "kind: Job is not accepted here: want Service"},
		{"a revision", "kind: Revision", "kind: Revision is not accepted here: want Service"},
		{"two", serviceHead + "---\n" + serviceHead, "line 4 begins a second document: want exactly one Service in a file"},
		{"a service of Kubernetes", "apiVersion: v1\nkind: Service", `apiVersion: "v1" is not accepted: want serving.knative.dev/v1`},
		{"no name", serviceHead + "metadata: {}", "metadata.name: is missing: want the service's name"},
		{"full name", serviceHead + "metadata: {name: a/b}", "metadata.name: holds a slash"},
		{"misspelt", inSpec("containerConcurency: 3"), "spec.template.spec.containerConcurency: unknown field; did you mean containerConcurrency? (line 5)"},
		{"misspelt in a probe", inContainer("livenessProbe: {httpget: {path: /}}"), c + "livenessProbe.httpget: unknown field; did you mean httpGet? (line 5)"},
		{"misspelt at the top", serviceHead + "specs: {}", "specs: unknown field; did you mean spec? (line 3)"},
		{"seconds as text", inSpec("timeoutSeconds: '300'"), "spec.template.spec.timeoutSeconds: is text: want a whole number, without quotes (line 5)"},
		{"named port", inContainer("livenessProbe: {httpGet: {port: http}}"), c + "livenessProbe.httpGet.port: is text: want a whole number"},
		{"command", inContainer("livenessProbe: {exec: {command: [x]}}"), c + "livenessProbe.exec: is not supported: Cloud Run runs no commands for a probe"},
		{"two ways", inContainer("startupProbe: {httpGet: {path: /}, grpc: {port: 1}}"), c + "startupProbe: asks in 2 ways at once"},
		{"successes", inContainer("readinessProbe: {httpGet: {path: /}, successThreshold: 2}"), c + "readinessProbe.successThreshold: is not supported: want 1"},
		{"secret in a variable", inContainer("env: [{name: A, valueFrom: {secretKeyRef: {name: s, key: '1'}}}]"), c + "env[0].valueFrom: is not supported: secrets are not supported yet"},
		{"secret volume", inSpec("volumes: [{name: v, secret: {secretName: s}}]"), "spec.template.spec.volumes[0].secret: is not supported"},
		{"bucket", inSpec("volumes: [{name: v, csi: {driver: gcsfuse.run.googleapis.com}}]"), "spec.template.spec.volumes[0].csi: is not supported"},
		{"disk", inSpec("volumes: [{name: v, emptyDir: {medium: Disk}}]"), `spec.template.spec.volumes[0].emptyDir.medium: "Disk" is not supported: want Memory`},
		{"read-only", inContainer("volumeMounts: [{name: v, mountPath: /v, readOnly: true}]"), c + "volumeMounts[0].readOnly: is not supported"},
		{"configuration", inTraffic("{configurationName: s, percent: 100}"), "spec.traffic[0].configurationName: is not supported"},
		{"nothing", inTraffic("{latestRevision: false, percent: 100}"), "spec.traffic[0].revisionName: is missing: want a revision's name, or latestRevision: true"},
		{"both", inTraffic("{latestRevision: true, revisionName: s-1, percent: 100}"), "spec.traffic[0].revisionName: cannot be set together"},
		{"fraction", inTraffic("{latestRevision: true, percent: 0.5}"), "spec.traffic[0].percent: is a number: want a whole number"},
		{"selector", inSpec("nodeSelector: {zone: a}"), `spec.template.spec.nodeSelector["zone"]: is not a selector`},
		{"base image", inSpec("runtimeClassName: run.googleapis.com/linux-base-image-update"), "spec.template.spec.runtimeClassName: is not supported"},
	} {
		if got, err := v1.ParseService([]byte(tt.file)); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: ParseService = %v, %v\nwant %q", tt.name, got, err, tt.want)
		}
	}
}
