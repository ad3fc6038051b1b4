package v1

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"cloud.google.com/go/run/apiv2/runpb"
	apipb "google.golang.org/genproto/googleapis/api"

	"runnel/api"
)

// Annotations of v1 that are fields in v2.
const (
	domain = "run.googleapis.com/"

	launchStageKey   = domain + "launch-stage"
	clientNameKey    = domain + "client-name"
	clientVersionKey = domain + "client-version"
	binauthzKey      = domain + "binary-authorization"
	breakglassKey    = domain + "binary-authorization-breakglass"

	creatorKey      = domain + "creator"
	lastModifierKey = domain + "lastModifier"
	scheduledKey    = domain + "scheduled-time"
	throttlingKey   = domain + "cpu-throttling"
	boostKey        = domain + "startup-cpu-boost"

	environmentKey   = domain + "execution-environment"
	encryptionKey    = domain + "encryption-key"
	connectorKey     = domain + "vpc-access-connector"
	egressKey        = domain + "vpc-access-egress"
	interfacesKey    = domain + "network-interfaces"
	zonalKey         = domain + "gpu-zonal-redundancy-disabled"
	cloudSQLKey      = domain + "cloudsql-instances"
	secretsKey       = domain + "secrets"
	dependenciesKey  = domain + "container-dependencies"
	acceleratorKey   = domain + "accelerator"
	jobAnnotations   = "metadata.annotations"
	templateMetadata = "spec.template.metadata"
)

// lifter moves annotations into the fields they stand for.
type lifter struct{ errs api.FieldErrors }

// each calls set for every annotation that it knows and takes those out of
// annotations; what set does not know stays.
func (l *lifter) each(path string, annotations map[string]string, set func(k, v string) (known bool, err error)) {
	for _, k := range slices.Sorted(maps.Keys(annotations)) {
		known, err := set(k, annotations[k])
		if err != nil {
			l.errs = append(l.errs, api.FieldError{Path: fmt.Sprintf("%s[%q]", path, k), Message: err.Error()})
		}
		if known {
			delete(annotations, k)
		}
	}
}

// liftAnnotations moves what v1 says in annotations to job's fields. What only
// a server sets is dropped, what is not known is kept.
func liftAnnotations(job *runpb.Job) api.FieldErrors {
	var l lifter
	l.each(jobAnnotations, job.Annotations, func(k, v string) (bool, error) { return liftJob(job, k, v) })
	if job.Template == nil {
		return l.errs
	}
	task := job.Template.Template
	if task == nil {
		task = &runpb.TaskTemplate{} // the job is refused later; its annotations are read all the same
	}
	l.each(templateMetadata+".annotations", job.Template.Annotations, func(k, v string) (bool, error) { return liftTask(task, k, v) })
	return l.errs
}

// liftJob reads an annotation of the job itself.
func liftJob(job *runpb.Job, k, v string) (known bool, err error) {
	switch k {
	case launchStageKey:
		stage, ok := apipb.LaunchStage_value[v]
		if !ok {
			return true, fmt.Errorf("%q is not a launch stage: want ALPHA, BETA or GA", v)
		}
		job.LaunchStage = apipb.LaunchStage(stage)
	case clientNameKey:
		job.Client = v
	case clientVersionKey:
		job.ClientVersion = v
	case binauthzKey, breakglassKey:
		if job.BinaryAuthorization == nil {
			job.BinaryAuthorization = &runpb.BinaryAuthorization{}
		}
		switch {
		case k == breakglassKey:
			job.BinaryAuthorization.BreakglassJustification = v
		case v == "default":
			job.BinaryAuthorization.BinauthzMethod = &runpb.BinaryAuthorization_UseDefault{UseDefault: true}
		default:
			job.BinaryAuthorization.BinauthzMethod = &runpb.BinaryAuthorization_Policy{Policy: v}
		}
	default:
		return false, nil
	}
	return true, nil
}

// liftTask reads an annotation of the execution template. v2 has these on the
// tasks.
func liftTask(task *runpb.TaskTemplate, k, v string) (known bool, err error) {
	switch k {
	case environmentKey:
		task.ExecutionEnvironment, err = parseEnvironment(v)
	case encryptionKey:
		task.EncryptionKey = v
	case connectorKey, egressKey, interfacesKey:
		if task.VpcAccess == nil {
			task.VpcAccess = &runpb.VpcAccess{}
		}
		err = liftVPC(task.VpcAccess, k, v)
	case zonalKey:
		disabled, bad := strconv.ParseBool(v)
		if bad != nil {
			return true, fmt.Errorf("%q is neither true nor false", v)
		}
		task.GpuZonalRedundancyDisabled = &disabled
	case throttlingKey, boostKey:
		err = liftResources(task, k, v)
	case cloudSQLKey:
		err = fmt.Errorf("connections to Cloud SQL are not supported")
	case secretsKey:
		err = fmt.Errorf("secrets are not supported yet")
	case dependenciesKey:
		err = fmt.Errorf("a task with more than one container is not supported yet")
	case clientNameKey, clientVersionKey:
		// The job's own say the same.
	default:
		return false, nil
	}
	return true, err
}

// liftResources reads an annotation about the CPU of a task's containers.
func liftResources(task *runpb.TaskTemplate, k, v string) error {
	on, err := strconv.ParseBool(v)
	if err != nil {
		return fmt.Errorf("%q is neither true nor false", v)
	}
	for _, c := range task.GetContainers() {
		if on && c.Resources == nil {
			c.Resources = &runpb.ResourceRequirements{}
		}
		switch {
		case !on: // as if it was not there
		case k == throttlingKey:
			c.Resources.CpuIdle = true
		default:
			c.Resources.StartupCpuBoost = true
		}
	}
	return nil
}

func parseEnvironment(v string) (runpb.ExecutionEnvironment, error) {
	switch v {
	case "gen1":
		return runpb.ExecutionEnvironment_EXECUTION_ENVIRONMENT_GEN1, nil
	case "gen2":
		return runpb.ExecutionEnvironment_EXECUTION_ENVIRONMENT_GEN2, nil
	}
	return 0, fmt.Errorf("%q is not an execution environment: want gen2", v)
}

// liftVPC reads an annotation about the network that a task is attached to.
func liftVPC(vpc *runpb.VpcAccess, k, v string) error {
	switch k {
	case connectorKey:
		vpc.Connector = v
	case egressKey:
		switch v {
		case "all-traffic", "all":
			vpc.Egress = runpb.VpcAccess_ALL_TRAFFIC
		case "private-ranges-only":
			vpc.Egress = runpb.VpcAccess_PRIVATE_RANGES_ONLY
		default:
			return fmt.Errorf("%q is not accepted: want all-traffic or private-ranges-only", v)
		}
	case interfacesKey:
		var interfaces []networkInterface
		if err := json.Unmarshal([]byte(v), &interfaces); err != nil {
			return fmt.Errorf("is not a JSON list of network, subnetwork and tags: %v", err)
		}
		for _, i := range interfaces {
			vpc.NetworkInterfaces = append(vpc.NetworkInterfaces, &runpb.VpcAccess_NetworkInterface{Network: i.Network, Subnetwork: i.Subnetwork, Tags: i.Tags})
		}
	}
	return nil
}

// networkInterface is an element of the list in interfacesKey.
type networkInterface struct {
	Network    string   `json:"network,omitempty"`
	Subnetwork string   `json:"subnetwork,omitempty"`
	Tags       []string `json:"tags,omitempty"`
}

// annotationOfServer reports whether only a server writes the annotation k: a
// file that was exported carries them, and storing them would make them stale.
func annotationOfServer(k string) bool {
	switch k {
	case creatorKey, lastModifierKey, scheduledKey, domain + "operation-id",
		"serving.knative.dev/creator", "serving.knative.dev/lastModifier":
		return true
	}
	return false
}

// labelOfServer reports the same of a label.
func labelOfServer(k string) bool {
	return k == lastUpdatedKey || k == jobKey || k == executionKey || strings.HasPrefix(k, "cloud.googleapis.com/")
}
