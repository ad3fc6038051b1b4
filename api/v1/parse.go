package v1

import (
	"errors"
	"fmt"
	"slices"
	"strings"

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
	root, err := document(data, KindJob)
	if err != nil {
		return nil, err
	}
	if _, err := checkKind(root, KindJob); err != nil {
		return nil, err
	}
	return jobOf(root)
}

// ParseService reads the one Service of a file, as ParseJob does a Job.
func ParseService(data []byte) (*runpb.Service, error) {
	root, err := document(data, KindService)
	if err != nil {
		return nil, err
	}
	if _, err := checkKind(root, KindService); err != nil {
		return nil, err
	}
	return serviceOf(root)
}

// Resource is what one document of a file says: a job or a service. The other
// is nil.
type Resource struct {
	Job     *runpb.Job
	Service *runpb.Service
}

// Parse reads all documents of a file, at least one, in their order. It refuses
// what ParseJob and ParseService do; what is wrong with any of them is told of
// all at once, for lines count through the whole file.
func Parse(data []byte) ([]Resource, error) {
	roots, err := documents(data)
	if err != nil {
		return nil, err
	}
	if len(roots) == 0 {
		return nil, errors.New("the file is empty: want a Job or a Service")
	}
	var all []Resource
	var errs []error
	for _, root := range roots {
		kind, err := checkKind(root, KindJob, KindService)
		var r Resource
		switch {
		case err != nil:
		case kind == KindJob:
			r.Job, err = jobOf(root)
		default:
			r.Service, err = serviceOf(root)
		}
		if err != nil && len(roots) > 1 {
			err = fmt.Errorf("the document on line %d: %w", root.Line, err)
		}
		all, errs = append(all, r), append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return all, nil
}

// jobOf reads a document of a file that is a Job.
func jobOf(root *yaml.Node) (*runpb.Job, error) {
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

// serviceOf reads a document of a file that is a Service.
func serviceOf(root *yaml.Node) (*runpb.Service, error) {
	var service Service
	if err := decode(root, &service, true); err != nil {
		return nil, err
	}
	converted, err := service.resource()
	if err != nil {
		return nil, err
	}
	return converted, nil
}

// versions are those of the kinds that can be read.
var versions = map[string]string{KindJob: APIVersion, KindService: ServingVersion}

// checkKind refuses everything that is none of the kinds wanted before its
// fields are looked at: they would all be unknown.
func checkKind(root *yaml.Node, wanted ...string) (kind string, err error) {
	want := strings.Join(wanted, " or ")
	if root.Kind != yaml.MappingNode {
		return "", api.FieldErrors{{Message: fmt.Sprintf("found %s: want a %s, which begins with apiVersion and kind", describe(root), want)}}
	}
	var version string
	for i := 0; i+1 < len(root.Content); i += 2 {
		switch root.Content[i].Value {
		case "apiVersion":
			version = root.Content[i+1].Value
		case "kind":
			kind = root.Content[i+1].Value
		}
	}
	if !slices.Contains(wanted, kind) {
		return "", wrongKind(kind, want)
	}
	switch version {
	case versions[kind]:
		return kind, nil
	case "":
		return "", api.FieldErrors{{Path: "apiVersion", Message: "is missing: want " + versions[kind]}}
	}
	return "", api.FieldErrors{{Path: "apiVersion", Message: fmt.Sprintf("%q is not accepted: want %s", version, versions[kind])}}
}

// wrongKind says that a kind is not the one that is wanted.
func wrongKind(kind, want string) error {
	message := fmt.Sprintf("%q is not accepted: want %s", kind, want)
	switch kind {
	case "":
		message = "is missing: want " + want
	case KindJob, KindService, KindExecution, KindTask, KindRevision, KindConfiguration, KindRoute:
		message = kind + " is not accepted here: want " + want
	case "WorkerPool", "Instance":
		message = kind + " is not supported here yet: want " + want
	}
	return api.FieldErrors{{Path: "kind", Message: message}}
}

// ValidateJob is api.ValidateJob for a job that came from a v1 file: paths are
// those of the file, and labels and annotations in the platform's own domains
// are welcome, since v1 keeps settings there.
func ValidateJob(job *runpb.Job) error {
	return withPaths(api.ValidateJob(job), Path)
}

// ValidateService is api.ValidateService for a service that came from a v1
// file, likewise.
func ValidateService(service *runpb.Service) error {
	return withPaths(api.ValidateService(service), ServicePath)
}
