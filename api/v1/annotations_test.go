package v1_test

import (
	"strings"
	"testing"

	"cloud.google.com/go/run/apiv2/runpb"
	"google.golang.org/genproto/googleapis/api"
	"google.golang.org/protobuf/proto"
	"sigs.k8s.io/yaml"

	v1 "runnel/api/v1"
)

// annotated returns a file with one annotation on the job and one on its
// executions.
func annotated(onJob, onExecution string) []byte {
	return []byte("apiVersion: run.googleapis.com/v1\nkind: Job\nmetadata: {name: j, annotations: {" + onJob + "}}\n" +
		"spec: {template: {metadata: {annotations: {" + onExecution + "}}, spec: {template: {spec: {containers: [{image: x}]}}}}}\n")
}

func TestAnnotationsBecomeFields(t *testing.T) {
	t.Parallel()
	got, err := v1.ParseJob(annotated(`run.googleapis.com/launch-stage: ALPHA, run.googleapis.com/client-name: gcloud,
		run.googleapis.com/client-version: "578.0.0", run.googleapis.com/binary-authorization: default,
		run.googleapis.com/binary-authorization-breakglass: reason, run.googleapis.com/creator: me, mine: "1"`,
		`run.googleapis.com/execution-environment: gen2, run.googleapis.com/vpc-access-connector: c, run.googleapis.com/vpc-access-egress: all,
		run.googleapis.com/encryption-key: k, run.googleapis.com/gpu-zonal-redundancy-disabled: "true", run.googleapis.com/client-name: gcloud, mine: "2"`))
	if err != nil {
		t.Fatal(err)
	}
	want := &runpb.Job{
		Name: "j", Annotations: map[string]string{"mine": "1"}, LaunchStage: api.LaunchStage_ALPHA,
		Client: "gcloud", ClientVersion: "578.0.0",
		BinaryAuthorization: &runpb.BinaryAuthorization{
			BinauthzMethod: &runpb.BinaryAuthorization_UseDefault{UseDefault: true}, BreakglassJustification: "reason",
		},
		Template: &runpb.ExecutionTemplate{
			Annotations: map[string]string{"mine": "2"},
			Template: &runpb.TaskTemplate{
				Containers:                 []*runpb.Container{{Image: "x"}},
				ExecutionEnvironment:       runpb.ExecutionEnvironment_EXECUTION_ENVIRONMENT_GEN2,
				EncryptionKey:              "k",
				GpuZonalRedundancyDisabled: proto.Bool(true),
				VpcAccess:                  &runpb.VpcAccess{Connector: "c", Egress: runpb.VpcAccess_ALL_TRAFFIC},
			},
		},
	}
	if !proto.Equal(got, want) {
		t.Errorf("ParseJob =\n%v\nwant\n%v", got, want)
	}
	text, err := yaml.Marshal(v1.FormatJob(got, v1.Options{}))
	if err != nil {
		t.Fatal(err)
	}
	if again, err := v1.ParseJob(text); err != nil || !proto.Equal(again, want) {
		t.Errorf("written and read: %v, %v\n%s", again, err, text)
	}
}

func TestBadAnnotationsAreRefused(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ onJob, onExecution, want string }{
		{"run.googleapis.com/launch-stage: beta", "", `metadata.annotations["run.googleapis.com/launch-stage"]: "beta" is not a launch stage`},
		{"", "run.googleapis.com/execution-environment: gen3", `spec.template.metadata.annotations["run.googleapis.com/execution-environment"]: "gen3"`},
		{"", "run.googleapis.com/vpc-access-egress: none", `"none" is not accepted: want all-traffic or private-ranges-only`},
		{"", "run.googleapis.com/network-interfaces: x", "is not a JSON list"},
		{"", "run.googleapis.com/gpu-zonal-redundancy-disabled: maybe", "neither true nor false"},
		{"", "run.googleapis.com/cloudsql-instances: a:b:c", "Cloud SQL"},
		{"", "run.googleapis.com/secrets: a", "secrets are not supported yet"},
		{"", "run.googleapis.com/container-dependencies: '{}'", "more than one container"},
		{"run.googleapis.com/x: true", "", `metadata.annotations["run.googleapis.com/x"]: is true or false: want text`},
	} {
		if _, err := v1.ParseJob(annotated(tt.onJob, tt.onExecution)); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("ParseJob = %v, want %q", err, tt.want)
		}
	}
}
