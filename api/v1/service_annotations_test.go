package v1_test

import (
	"fmt"
	"strings"
	"testing"

	"cloud.google.com/go/run/apiv2/runpb"
	"google.golang.org/genproto/googleapis/api"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
	"sigs.k8s.io/yaml"

	v1 "runnel/api/v1"
)

// annotatedService returns a file with one annotation on the service and one on
// its revisions. It has two containers.
func annotatedService(onService, onRevision string) []byte {
	return []byte(serviceHead + "metadata: {name: s, annotations: {" + onService + "}}\nspec: {template: {metadata: {annotations: {" + onRevision + "}}, spec: " +
		"{containers: [{name: app, image: x, ports: [{containerPort: 1}]}, {name: proxy, image: y}]}}}\n")
}

func plainService() *runpb.Service {
	idle := func() *runpb.ResourceRequirements { return &runpb.ResourceRequirements{CpuIdle: true} }
	return &runpb.Service{Name: "s", Template: &runpb.RevisionTemplate{Containers: []*runpb.Container{
		{Name: "app", Image: "x", Ports: []*runpb.ContainerPort{{ContainerPort: 1}}, Resources: idle()},
		{Name: "proxy", Image: "y", Resources: idle()},
	}}}
}

// contract: DEP-1 DEP-4
func TestAnnotationsOfServicesAreFieldsInV2(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		onService, onRevision string
		want                  func(*runpb.Service)
		// again is what is written for it, where that is not the same.
		again string
	}{
		{onService: "run.googleapis.com/ingress: all", want: func(s *runpb.Service) { s.Ingress = runpb.IngressTraffic_INGRESS_TRAFFIC_ALL }},
		{onService: "run.googleapis.com/ingress: internal", want: func(s *runpb.Service) { s.Ingress = runpb.IngressTraffic_INGRESS_TRAFFIC_INTERNAL_ONLY }},
		{onService: "run.googleapis.com/ingress: internal-and-cloud-load-balancing", want: func(s *runpb.Service) { s.Ingress = runpb.IngressTraffic_INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER }},
		{onService: "run.googleapis.com/ingress: none", want: func(s *runpb.Service) { s.Ingress = runpb.IngressTraffic_INGRESS_TRAFFIC_NONE }},
		{onService: "run.googleapis.com/launch-stage: ALPHA", want: func(s *runpb.Service) { s.LaunchStage = api.LaunchStage_ALPHA }},
		{onService: "run.googleapis.com/description: a b", want: func(s *runpb.Service) { s.Description = "a b" }},
		{onService: "run.googleapis.com/client-name: c", want: func(s *runpb.Service) { s.Client = "c" }},
		{onService: `run.googleapis.com/client-version: "5"`, want: func(s *runpb.Service) { s.ClientVersion = "5" }},
		{onService: `run.googleapis.com/custom-audiences: '["a","b"]'`, want: func(s *runpb.Service) { s.CustomAudiences = []string{"a", "b"} }},
		{onService: `run.googleapis.com/invoker-iam-disabled: "true"`, want: func(s *runpb.Service) { s.InvokerIamDisabled = true }},
		{onService: `run.googleapis.com/default-url-disabled: "true"`, want: func(s *runpb.Service) { s.DefaultUriDisabled = true }},
		{onService: `run.googleapis.com/default-url-disabled: "False"`, want: func(*runpb.Service) {}, again: "null"},
		{onService: `run.googleapis.com/iap-enabled: "true"`, want: func(s *runpb.Service) { s.IapEnabled = true }},
		{onService: `run.googleapis.com/minScale: "2"`, want: func(s *runpb.Service) { s.Scaling = &runpb.ServiceScaling{MinInstanceCount: 2} }},
		{onService: `run.googleapis.com/maxScale: "3"`, want: func(s *runpb.Service) { s.Scaling = &runpb.ServiceScaling{MaxInstanceCount: 3} }},
		{onService: `run.googleapis.com/minScale: "0"`, want: func(*runpb.Service) {}, again: "null"},
		{onService: `run.googleapis.com/scalingMode: automatic`, want: func(s *runpb.Service) { s.Scaling = &runpb.ServiceScaling{ScalingMode: runpb.ServiceScaling_AUTOMATIC} }},
		{onService: `run.googleapis.com/scalingMode: manual, run.googleapis.com/manualInstanceCount: "0"`, want: func(s *runpb.Service) {
			s.Scaling = &runpb.ServiceScaling{ScalingMode: runpb.ServiceScaling_MANUAL, ManualInstanceCount: proto.Int32(0)}
		}},
		{onService: "run.googleapis.com/binary-authorization: default", want: func(s *runpb.Service) {
			s.BinaryAuthorization = &runpb.BinaryAuthorization{BinauthzMethod: &runpb.BinaryAuthorization_UseDefault{UseDefault: true}}
		}},
		{onService: "serving.knative.dev/creator: me, run.googleapis.com/operation-id: x, run.googleapis.com/urls: '[]', run.googleapis.com/ingress-status: all", want: func(*runpb.Service) {}, again: "null"},

		{onRevision: `autoscaling.knative.dev/minScale: "1"`, want: func(s *runpb.Service) { s.Template.Scaling = &runpb.RevisionScaling{MinInstanceCount: 1} }},
		{onRevision: `autoscaling.knative.dev/maxScale: "5"`, want: func(s *runpb.Service) { s.Template.Scaling = &runpb.RevisionScaling{MaxInstanceCount: 5} }},
		{onRevision: `run.googleapis.com/cpu-throttling: "false"`, want: func(s *runpb.Service) {
			s.Template.Containers[0].Resources.CpuIdle, s.Template.Containers[1].Resources.CpuIdle = false, false
		}},
		{onRevision: `run.googleapis.com/cpu-throttling: "true"`, want: func(*runpb.Service) {}, again: "null"},
		{onRevision: `run.googleapis.com/startup-cpu-boost: "true"`, want: func(s *runpb.Service) {
			s.Template.Containers[0].Resources.StartupCpuBoost, s.Template.Containers[1].Resources.StartupCpuBoost = true, true
		}},
		{onRevision: `run.googleapis.com/startup-cpu-boost: "true", v2.runnel/startup-cpu-boost-unlike: '["proxy"]'`, want: func(s *runpb.Service) {
			s.Template.Containers[0].Resources.StartupCpuBoost = true
		}},
		{onRevision: `run.googleapis.com/sessionAffinity: "true"`, want: func(s *runpb.Service) { s.Template.SessionAffinity = true }},
		{onRevision: `run.googleapis.com/health-check-disabled: "true"`, want: func(s *runpb.Service) { s.Template.HealthCheckDisabled = true }},
		{onRevision: `run.googleapis.com/execution-environment: gen1`, want: func(s *runpb.Service) {
			s.Template.ExecutionEnvironment = runpb.ExecutionEnvironment_EXECUTION_ENVIRONMENT_GEN1
		}},
		{onRevision: `run.googleapis.com/container-dependencies: '{"app":["proxy"]}'`, want: func(s *runpb.Service) { s.Template.Containers[0].DependsOn = []string{"proxy"} }},
		{onRevision: `run.googleapis.com/vpc-access-egress: all-traffic`, want: func(s *runpb.Service) { s.Template.VpcAccess = &runpb.VpcAccess{Egress: runpb.VpcAccess_ALL_TRAFFIC} }},
		{onRevision: `run.googleapis.com/mesh: m`, want: func(s *runpb.Service) { s.Template.ServiceMesh = &runpb.ServiceMesh{Mesh: "m"} }},
		{onRevision: `run.googleapis.com/encryption-key: k, run.googleapis.com/encryption-key-shutdown-hours: "2", run.googleapis.com/post-key-revocation-action-type: shut-down`, want: func(s *runpb.Service) {
			s.Template.EncryptionKey, s.Template.EncryptionKeyRevocationAction = "k", runpb.EncryptionKeyRevocationAction_SHUTDOWN
			s.Template.EncryptionKeyShutdownDuration = &durationpb.Duration{Seconds: 7200}
		}},
		{onRevision: `run.googleapis.com/client-name: gcloud, run.googleapis.com/client-version: "1"`, want: func(*runpb.Service) {}, again: "null"},
	} {
		got, err := v1.ParseService(annotatedService(tt.onService, tt.onRevision))
		if err != nil {
			t.Errorf("%s%s: %v", tt.onService, tt.onRevision, err)
			continue
		}
		want := plainService()
		tt.want(want)
		if !proto.Equal(got, want) {
			t.Errorf("%s%s is\n%v\nwant\n%v", tt.onService, tt.onRevision, protojson.Format(got), protojson.Format(want))
		}
		var given map[string]string
		if err := yaml.Unmarshal([]byte("{"+tt.onService+tt.onRevision+"}"), &given); err != nil {
			t.Fatal(err)
		}
		written := v1.FormatService(got, v1.Options{})
		back := written.Metadata.Annotations
		if tt.onRevision != "" {
			back = written.Spec.Template.Metadata.Annotations
		}
		delete(back, "run.googleapis.com/ingress-status")
		if tt.again == "null" {
			given = nil
		}
		if fmt.Sprint(back) != fmt.Sprint(given) {
			t.Errorf("%s%s comes back as %v", tt.onService, tt.onRevision, back)
		}
	}
}

func TestBadAnnotationsOfServicesAreRefused(t *testing.T) {
	t.Parallel()
	const (
		service  = `metadata.annotations["run.googleapis.com/`
		revision = `spec.template.metadata.annotations["run.googleapis.com/`
	)
	for _, tt := range []struct{ onService, onRevision, want string }{
		{"run.googleapis.com/ingress: public", "", service + `ingress"]: "public" is not accepted: want all, internal,`},
		{"run.googleapis.com/launch-stage: beta", "", service + `launch-stage"]: "beta" is not a launch stage`},
		{"run.googleapis.com/custom-audiences: a", "", service + `custom-audiences"]: "a" is not a JSON list`},
		{"run.googleapis.com/invoker-iam-disabled: maybe", "", service + `invoker-iam-disabled"]: "maybe" is neither true nor false`},
		{`run.googleapis.com/minScale: "-1"`, "", service + `minScale"]: "-1" is not a whole number of 0 or more`},
		{"run.googleapis.com/maxScale: many", "", service + `maxScale"]: "many" is not a whole number`},
		{"run.googleapis.com/scalingMode: fast", "", service + `scalingMode"]: "fast" is not a scaling mode: want automatic or manual`},
		{"run.googleapis.com/manualInstanceCount: '1.5'", "", service + `manualInstanceCount"]: "1.5"`},
		{"run.googleapis.com/minScale: 1", "", service + `minScale"]: is a number: want text, in quotes`},
		{"", "autoscaling.knative.dev/maxScale: '3000000000'", `spec.template.metadata.annotations["autoscaling.knative.dev/maxScale"]: "3000000000"`},
		{"", "run.googleapis.com/cpu-throttling: off", revision + `cpu-throttling"]: "off" is neither`},
		{"", "run.googleapis.com/startup-cpu-boost: 'yes'", revision + `startup-cpu-boost"]: "yes" is neither`},
		{"", `v2.runnel/startup-cpu-boost-unlike: '["db"]'`, `["v2.runnel/startup-cpu-boost-unlike"]: there is no container "db"`},
		{"", `v2.runnel/cpu-throttling-unlike: db`, `"db" is not a JSON list`},
		{"", "run.googleapis.com/sessionAffinity: sticky", revision + `sessionAffinity"]: "sticky" is neither`},
		{"", "run.googleapis.com/health-check-disabled: x", revision + `health-check-disabled"]: "x" is neither`},
		{"", "run.googleapis.com/execution-environment: gen3", revision + `execution-environment"]: "gen3"`},
		{"", "run.googleapis.com/container-dependencies: app", revision + `container-dependencies"]: "app" is not a JSON object`},
		{"", `run.googleapis.com/container-dependencies: '{"web":["db"]}'`, revision + `container-dependencies"]: there is no container "web"`},
		{"", "run.googleapis.com/post-key-revocation-action-type: x", revision + `post-key-revocation-action-type"]: "x" is not accepted`},
		{"", "run.googleapis.com/cloudsql-instances: a:b:c", "Cloud SQL"},
		{"", "run.googleapis.com/secrets: a", "secrets are not supported yet"},
	} {
		if got, err := v1.ParseService(annotatedService(tt.onService, tt.onRevision)); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s%s: ParseService = %v, %v\nwant %q", tt.onService, tt.onRevision, got, err, tt.want)
		}
	}
}

func TestServicePath(t *testing.T) {
	t.Parallel()
	const spec = "spec.template.spec"
	on := func(k string) string { return `metadata.annotations["run.googleapis.com/` + k + `"]` }
	for v2, want := range map[string]string{
		"":                                         "",
		"name":                                     "metadata.name",
		`labels["a.b"]`:                            `metadata.labels["a.b"]`,
		"ingress":                                  on("ingress"),
		"description":                              on("description"),
		"customAudiences[1]":                       on("custom-audiences") + "[1]",
		"scaling.manualInstanceCount":              on("manualInstanceCount"),
		"scaling.minInstanceCount":                 on("minScale"),
		"traffic":                                  "spec.traffic",
		"traffic[1].revision":                      "spec.traffic[1].revisionName",
		"traffic[1].tag":                           "spec.traffic[1].tag",
		"template":                                 "spec.template",
		"template.revision":                        "spec.template.metadata.name",
		`template.labels["x"]`:                     `spec.template.metadata.labels["x"]`,
		"template.timeout":                         spec + ".timeoutSeconds",
		"template.maxInstanceRequestConcurrency":   spec + ".containerConcurrency",
		"template.serviceAccount":                  spec + ".serviceAccountName",
		"template.scaling.maxInstanceCount":        `spec.template.metadata.annotations["autoscaling.knative.dev/maxScale"]`,
		"template.serviceMesh":                     "spec.template." + on("mesh"),
		"template.encryptionKey":                   "spec.template." + on("encryption-key"),
		"template.encryptionKeyShutdownDuration":   "spec.template." + on("encryption-key-shutdown-hours"),
		"template.volumes[0].emptyDir.sizeLimit":   spec + ".volumes[0].emptyDir.sizeLimit",
		"template.containers":                      spec + ".containers",
		"template.containers[1].dependsOn[0]":      "spec.template." + on("container-dependencies"),
		"template.containers[0].resources.cpuIdle": "spec.template." + on("cpu-throttling"),
		`template.containers[0].resources.limits["cpu"]`:   spec + `.containers[0].resources.limits["cpu"]`,
		"template.containers[0].ports[0].containerPort":    spec + ".containers[0].ports[0].containerPort",
		"template.containers[0].startupProbe.httpGet.port": spec + ".containers[0].startupProbe.httpGet.port",
		"template.containers[0].env[2].valueSource":        spec + ".containers[0].env[2].valueFrom",
		"etag":        "metadata.resourceVersion",
		"nameless":    "nameless",
		"templates.x": "templates.x",
	} {
		if got := v1.ServicePath(v2); got != want {
			t.Errorf("ServicePath(%q) = %q, want %q", v2, got, want)
		}
	}
}
