package v1

import (
	"fmt"

	"cloud.google.com/go/run/apiv2/runpb"
	"go.yaml.in/yaml/v3"

	"runnel/api"
)

// ParseJob reads the one Job of a YAML or JSON file of at most 1 MiB.
//
// It refuses what is not YAML (ErrSyntax), what is too large (ErrTooLarge),
// other kinds, and, as api.FieldErrors with paths as the file has them, fields
// that do not exist, that hold the wrong kind of value, or that are not
// supported. What the values mean is not checked: that is ValidateJob's, once
// defaults are filled in. The job's name is the short one.
func ParseJob(data []byte) (*runpb.Job, error) {
	root, err := document(data)
	if err != nil {
		return nil, err
	}
	if err := checkKind(root); err != nil {
		return nil, err
	}
	var job Job
	if err := decode(root, &job, true); err != nil {
		return nil, err
	}
	converted, err := job.resource()
	if err != nil {
		return nil, err
	}
	return converted, nil
}

// checkKind refuses everything that is not a Job before its fields are looked
// at: they would all be unknown.
func checkKind(root *yaml.Node) error {
	if root.Kind != yaml.MappingNode {
		return api.FieldErrors{{Message: fmt.Sprintf("found %s: want a Job, which begins with apiVersion and kind", describe(root))}}
	}
	var version, kind string
	for i := 0; i+1 < len(root.Content); i += 2 {
		switch root.Content[i].Value {
		case "apiVersion":
			version = root.Content[i+1].Value
		case "kind":
			kind = root.Content[i+1].Value
		}
	}
	switch kind {
	case KindJob:
	case "":
		return api.FieldErrors{{Path: "kind", Message: "is missing: want " + KindJob}}
	case "Service", "WorkerPool", "Execution", "Task", "Revision", "Instance":
		return api.FieldErrors{{Path: "kind", Message: kind + " is not supported here yet: want " + KindJob}}
	default:
		return api.FieldErrors{{Path: "kind", Message: fmt.Sprintf("%q is not accepted: want %s", kind, KindJob)}}
	}
	switch version {
	case APIVersion:
		return nil
	case "":
		return api.FieldErrors{{Path: "apiVersion", Message: "is missing: want " + APIVersion}}
	}
	return api.FieldErrors{{Path: "apiVersion", Message: fmt.Sprintf("%q is not accepted: want %s", version, APIVersion)}}
}

// ValidateJob is api.ValidateJob for a job that came from a v1 file: paths are
// those of the file, and labels and annotations in the platform's own domains
// are welcome, since v1 keeps settings there.
func ValidateJob(job *runpb.Job) error {
	return validate(job)
}
