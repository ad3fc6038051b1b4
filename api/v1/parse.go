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
	var job Job
	if err := parse(data, KindJob, &job); err != nil {
		return nil, err
	}
	converted, err := job.resource()
	if err != nil {
		return nil, err
	}
	return converted, nil
}

// ParseService reads the one Service of a file, as ParseJob does a Job.
func ParseService(data []byte) (*runpb.Service, error) {
	var service Service
	if err := parse(data, KindService, &service); err != nil {
		return nil, err
	}
	converted, err := service.resource()
	if err != nil {
		return nil, err
	}
	return converted, nil
}

// ParseWorkerPool reads the one WorkerPool of a file, as ParseJob does a Job.
func ParseWorkerPool(data []byte) (*runpb.WorkerPool, error) {
	var pool WorkerPool
	if err := parse(data, KindWorkerPool, &pool); err != nil {
		return nil, err
	}
	converted, err := pool.resource()
	if err != nil {
		return nil, err
	}
	return converted, nil
}

// parse reads the one document of a file, which is to be of a kind.
func parse(data []byte, kind string, into any) error {
	root, err := document(data, kind)
	if err != nil {
		return err
	}
	if err := checkKind(root, kind); err != nil {
		return err
	}
	return decode(root, into, true)
}

// versions are those of the kinds that can be read.
var versions = map[string]string{KindJob: APIVersion, KindService: ServingVersion, KindWorkerPool: APIVersion}

// checkKind refuses everything that is not of the kind wanted before its fields
// are looked at: they would all be unknown.
func checkKind(root *yaml.Node, want string) error {
	if root.Kind != yaml.MappingNode {
		return api.FieldErrors{{Message: fmt.Sprintf("found %s: want a %s, which begins with apiVersion and kind", describe(root), want)}}
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
	if kind != want {
		return wrongKind(kind, want)
	}
	switch version {
	case versions[kind]:
		return nil
	case "":
		return api.FieldErrors{{Path: "apiVersion", Message: "is missing: want " + versions[kind]}}
	}
	return api.FieldErrors{{Path: "apiVersion", Message: fmt.Sprintf("%q is not accepted: want %s", version, versions[kind])}}
}

// wrongKind says that a kind is not the one that is wanted.
func wrongKind(kind, want string) error {
	message := fmt.Sprintf("%q is not accepted: want %s", kind, want)
	switch kind {
	case "":
		message = "is missing: want " + want
	case KindJob, KindService, KindExecution, KindTask, KindRevision, KindConfiguration, KindRoute, KindWorkerPool:
		message = kind + " is not accepted here: want " + want
	case "Instance":
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

// ValidateWorkerPool is api.ValidateWorkerPool for a worker pool that came from a
// v1 file, likewise.
func ValidateWorkerPool(pool *runpb.WorkerPool) error {
	return withPaths(api.ValidateWorkerPool(pool), WorkerPoolPath)
}
