package v1

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"cloud.google.com/go/run/apiv2/runpb"

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
	return header{&job.LaunchStage, &job.Client, &job.ClientVersion, &job.BinaryAuthorization}.lift(k, v)
}

// liftTask reads an annotation of the execution template. v2 has these on the
// tasks.
func liftTask(task *runpb.TaskTemplate, k, v string) (known bool, err error) {
	p := place{&task.ExecutionEnvironment, &task.EncryptionKey, &task.VpcAccess, &task.GpuZonalRedundancyDisabled}
	if known, err := p.lift(k, v); known {
		return true, err
	}
	switch k {
	case throttlingKey, boostKey:
		err = liftResources(task, k, v)
	case cloudSQLKey:
		err = errCloudSQL
	case secretsKey:
		err = errSecrets
	case dependenciesKey:
		err = errors.New("a task with more than one container is not supported yet")
	case clientNameKey, clientVersionKey:
		// The job's own say the same.
	default:
		return false, nil
	}
	return true, err
}

// liftResources reads an annotation about the CPU of a task's containers.
func liftResources(task *runpb.TaskTemplate, k, v string) error {
	on, err := parseBool(v)
	if err != nil {
		return err
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

// annotationOfServer reports whether only a server writes the annotation k: a
// file that was exported carries them, and storing them would make them stale.
func annotationOfServer(k string) bool {
	switch k {
	case creatorKey, lastModifierKey, scheduledKey, operationKey, ingressStatusKey, urlsKey,
		servingCreatorKey, servingModifierKey:
		return true
	}
	return false
}

// labelOfServer reports the same of a label.
func labelOfServer(k string) bool {
	switch k {
	case lastUpdatedKey, jobKey, executionKey, serviceKey, configurationKey, generationKey, routeKey, serviceUIDKey, workerPoolKey, probeTypeKey:
		return true
	}
	return strings.HasPrefix(k, "cloud.googleapis.com/")
}
