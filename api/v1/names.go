package v1

import "strings"

// resource is the name of a v2 resource, taken apart. A short name alone is
// one without project and location.
type resource struct{ project, location, job, execution, service, pool, name string }

// split takes apart the name of a job, a service or a worker pool, or of what
// belongs to one.
func split(name string) resource {
	parts := strings.Split(name, "/")
	r := resource{name: parts[len(parts)-1]}
	for i := 0; i+1 < len(parts); i += 2 {
		switch parts[i] {
		case "projects":
			r.project = parts[i+1]
		case "locations":
			r.location = parts[i+1]
		case "jobs":
			r.job = parts[i+1]
		case pluralServices:
			r.service = parts[i+1]
		case workerPoolsOf:
			r.pool = parts[i+1]
		case "executions":
			r.execution = parts[i+1]
		}
	}
	return r
}

// shortName is the last part of a resource name.
func shortName(name string) string { return name[strings.LastIndex(name, "/")+1:] }
