package v1_test

import (
	"strings"
	"testing"

	"cloud.google.com/go/run/apiv2/runpb"

	v1 "runnel/api/v1"
)

func TestPath(t *testing.T) {
	t.Parallel()
	const spec = "spec.template.spec.template.spec"
	for v2, want := range map[string]string{
		"":                                       "",
		"name":                                   "metadata.name",
		`labels["a.b"]`:                          `metadata.labels["a.b"]`,
		"annotations":                            "metadata.annotations",
		"launchStage":                            `metadata.annotations["run.googleapis.com/launch-stage"]`,
		"client":                                 `metadata.annotations["run.googleapis.com/client-name"]`,
		"clientVersion":                          `metadata.annotations["run.googleapis.com/client-version"]`,
		"binaryAuthorization.policy":             `metadata.annotations["run.googleapis.com/binary-authorization"].policy`,
		"startExecutionToken":                    "spec.startExecutionToken",
		"template":                               "spec.template",
		"template.taskCount":                     "spec.template.spec.taskCount",
		"template.parallelism":                   "spec.template.spec.parallelism",
		`template.labels["x"]`:                   `spec.template.metadata.labels["x"]`,
		"template.annotations":                   "spec.template.metadata.annotations",
		"template.template":                      "spec.template.spec.template",
		"template.template.timeout":              spec + ".timeoutSeconds",
		"template.template.maxRetries":           spec + ".maxRetries",
		"template.template.serviceAccount":       spec + ".serviceAccountName",
		"template.template.executionEnvironment": `spec.template.metadata.annotations["run.googleapis.com/execution-environment"]`,
		"template.template.nodeSelector.accelerator":                              spec + `.nodeSelector["run.googleapis.com/accelerator"]`,
		"template.template.volumes[2]":                                            spec + ".volumes[2]",
		"template.template.containers":                                            spec + ".containers",
		`template.template.containers[0].resources.limits["cpu"]`:                 spec + `.containers[0].resources.limits["cpu"]`,
		"template.template.containers[1].env[2].valueSource.secretKeyRef.secret":  spec + ".containers[1].env[2].valueFrom.secretKeyRef.name",
		"template.template.containers[1].env[2].valueSource.secretKeyRef.version": spec + ".containers[1].env[2].valueFrom.secretKeyRef.key",
		"template.template.containers[0].env[0].valueSource":                      spec + ".containers[0].env[0].valueFrom",
		"template.template.containers[0].dependsOn[1]":                            `spec.template.metadata.annotations["run.googleapis.com/container-dependencies"]`,
		"nameless":    "nameless",
		"templates.x": "templates.x",
	} {
		if got := v1.Path(v2); got != want {
			t.Errorf("Path(%q) = %q, want %q", v2, got, want)
		}
	}
}

func TestValidationSpeaksOfTheFile(t *testing.T) {
	t.Parallel()
	got, err := v1.ParseJob([]byte(`
apiVersion: run.googleapis.com/v1
kind: Job
metadata:
  name: J
  annotations: {run.googleapis.com/newer-than-this: "1", autoscaling.knative.dev/maxScale: "3"}
spec:
  template:
    metadata:
      annotations: {run.googleapis.com/execution-environment: gen1}
    spec:
      template:
        spec:
          maxRetries: 11
          timeoutSeconds: 9223372036854775807
          containers: [{resources: {limits: {cpu: "1.5"}}}]
`))
	if err != nil {
		t.Fatal(err)
	}
	// What is not known is kept.
	if len(got.Annotations) != 2 {
		t.Errorf("annotations = %v", got.Annotations)
	}
	err = v1.ValidateJob(got)
	for _, want := range []string{
		"metadata.name: ",
		task + "containers[0].image: ",
		task + `containers[0].resources.limits["cpu"]: 1.5 CPU`,
		task + "maxRetries: 11 retries",
		task + "timeoutSeconds: ",
		`spec.template.metadata.annotations["run.googleapis.com/execution-environment"]: gen1`,
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("ValidateJob:\n%v\nwant %q", err, want)
		}
	}
	if n := strings.Count(err.Error(), "\n"); n != 5 {
		t.Errorf("ValidateJob gives %d lines:\n%v", n+1, err)
	}
	if len(got.Annotations) != 2 {
		t.Errorf("ValidateJob changed the annotations: %v", got.Annotations)
	}
	if err := v1.ValidateJob(&runpb.Job{}); err == nil || err.Error() != "spec.template: is missing: want the template of the job's executions" {
		t.Errorf("ValidateJob of nothing = %v", err)
	}
}
