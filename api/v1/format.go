package v1

import (
	"encoding/json"
	"fmt"
	"maps"
	"strconv"

	"cloud.google.com/go/run/apiv2/runpb"
	apipb "google.golang.org/genproto/googleapis/api"
	"sigs.k8s.io/yaml"
)

// FormatJob writes job as a v1 file: what ParseJob reads, without what only a
// server sets. ParseJob of it gives the same job, and writing that again the
// same bytes. It fails for a job that holds what Runnel does not support.
func FormatJob(job *runpb.Job) ([]byte, error) {
	if err := validate(withoutReserved(job)); err != nil {
		return nil, fmt.Errorf("job %s has no v1 form: %w", job.GetName(), err)
	}
	out := Job{
		APIVersion: APIVersion, Kind: KindJob,
		Metadata: ObjectMeta{Name: shortName(job.GetName()), Labels: job.GetLabels(), Annotations: lowerJob(job)},
		Spec:     JobSpec{StartExecutionToken: job.GetStartExecutionToken(), RunExecutionToken: job.GetRunExecutionToken()},
	}
	t := job.GetTemplate()
	annotations, err := lowerTask(t)
	if err != nil {
		return nil, fmt.Errorf("job %s: %w", job.GetName(), err)
	}
	out.Spec.Template = &ExecutionTemplate{
		Metadata: TemplateMeta{Labels: t.GetLabels(), Annotations: annotations},
		Spec: &ExecutionSpec{
			Parallelism: nonZero(t.GetParallelism()), TaskCount: nonZero(t.GetTaskCount()),
			Template: &TaskTemplate{Spec: taskSpec(t.GetTemplate())},
		},
	}
	data, err := yaml.Marshal(out)
	if err != nil {
		return nil, fmt.Errorf("job %s: %w", job.GetName(), err)
	}
	return data, nil
}

func taskSpec(t *runpb.TaskTemplate) *TaskSpec {
	s := &TaskSpec{ServiceAccountName: t.GetServiceAccount()}
	if t.GetRetries() != nil {
		retries := t.GetMaxRetries()
		s.MaxRetries = &retries
	}
	if t.GetTimeout() != nil {
		timeout := seconds(t.GetTimeout())
		s.TimeoutSeconds = &timeout
	}
	if a := t.GetNodeSelector().GetAccelerator(); a != "" {
		s.NodeSelector = map[string]string{acceleratorKey: a}
	}
	for _, c := range t.GetContainers() {
		out := Container{
			Name: c.GetName(), Image: c.GetImage(), Command: c.GetCommand(), Args: c.GetArgs(), WorkingDir: c.GetWorkingDir(),
		}
		for _, e := range c.GetEnv() {
			out.Env = append(out.Env, EnvVar{Name: e.GetName(), Value: e.GetValue()})
		}
		for k, v := range c.GetResources().GetLimits() {
			if out.Resources.Limits == nil {
				out.Resources.Limits = map[string]Quantity{}
			}
			out.Resources.Limits[k] = Quantity(v)
		}
		s.Containers = append(s.Containers, out)
	}
	return s
}

// lowerJob returns the job's annotations and, among them, the fields that v1
// keeps there.
func lowerJob(job *runpb.Job) map[string]string {
	a := annotations{}
	maps.Copy(a, job.GetAnnotations())
	if job.GetLaunchStage() != apipb.LaunchStage_LAUNCH_STAGE_UNSPECIFIED {
		a[launchStageKey] = job.GetLaunchStage().String()
	}
	a.set(clientNameKey, job.GetClient())
	a.set(clientVersionKey, job.GetClientVersion())
	b := job.GetBinaryAuthorization()
	a.set(breakglassKey, b.GetBreakglassJustification())
	a.set(binauthzKey, b.GetPolicy())
	if b.GetUseDefault() {
		a[binauthzKey] = "default"
	}
	return a
}

// lowerTask does the same for the execution template and its tasks.
func lowerTask(e *runpb.ExecutionTemplate) (map[string]string, error) {
	a := annotations{}
	maps.Copy(a, e.GetAnnotations())
	t := e.GetTemplate()
	if t.GetExecutionEnvironment() == runpb.ExecutionEnvironment_EXECUTION_ENVIRONMENT_GEN2 {
		a[environmentKey] = "gen2"
	}
	a.set(encryptionKey, t.GetEncryptionKey())
	if t.GpuZonalRedundancyDisabled != nil {
		a[zonalKey] = strconv.FormatBool(t.GetGpuZonalRedundancyDisabled())
	}
	vpc := t.GetVpcAccess()
	a.set(connectorKey, vpc.GetConnector())
	switch vpc.GetEgress() {
	case runpb.VpcAccess_ALL_TRAFFIC:
		a[egressKey] = "all-traffic"
	case runpb.VpcAccess_PRIVATE_RANGES_ONLY:
		a[egressKey] = "private-ranges-only"
	}
	if len(vpc.GetNetworkInterfaces()) == 0 {
		return a, nil
	}
	var interfaces []networkInterface
	for _, i := range vpc.GetNetworkInterfaces() {
		interfaces = append(interfaces, networkInterface{i.GetNetwork(), i.GetSubnetwork(), i.GetTags()})
	}
	text, err := json.Marshal(interfaces)
	a[interfacesKey] = string(text)
	return a, err
}

// annotations are those of one object.
type annotations map[string]string

// set adds an annotation that has a value.
func (a annotations) set(k, v string) {
	if v != "" {
		a[k] = v
	}
}

// nonZero is n where v1 writes it: 0 and nothing are the same in v2.
func nonZero(n int32) *int32 {
	if n == 0 {
		return nil
	}
	return &n
}
