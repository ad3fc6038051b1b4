package v1

import (
	"context"
	"net/http"
	"regexp"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// scope is the part of the world that a request is about.
type scope struct {
	project string
	// location is empty if the request names none.
	location string
	options  Options
}

// scopeOf reads the namespace and the host of r, or where its path says project
// and location, these.
func (h *handler) scopeOf(r *http.Request) scope {
	namespace, location := r.PathValue("namespace"), hostLocation(r.Host, h.control.Region())
	if named := r.PathValue("location"); named != "" {
		namespace, location = r.PathValue("project"), named
	}
	if location == anywhere {
		location = ""
	}
	project := h.control.ProjectID(namespace)
	return scope{project: project, location: location, options: Options{Namespace: h.control.ProjectNumber(project)}}
}

// anywhere stands in a name for every location or parent.
const anywhere = "-"

// regionHost is a host's name with a region of Google's before it.
var regionHost = regexp.MustCompile(`^((?:africa|asia|australia|europe|me|northamerica|southamerica|us)-[a-z]+[0-9]+)-`)

// hostLocation is the location that stands before the name of host, which may
// be region, the default one, whatever it is called. It is empty if there is
// none.
func hostLocation(host, region string) string {
	host = strings.ToLower(host)
	if region != "" && strings.HasPrefix(host, region+"-") {
		return region
	}
	if m := regionHost.FindStringSubmatch(host); m != nil {
		return m[1]
	}
	return ""
}

// parent is what all jobs and services of s are in.
func (s scope) parent() string { return s.in(s.location) }

// in is what the jobs and services in location are in, or those of everywhere.
func (s scope) in(location string) string {
	if location == "" {
		location = anywhere
	}
	return "projects/" + s.project + "/locations/" + location
}

// objectName is the short name that r's path ends with. It becomes a part of a
// resource name, so it must be one.
func objectName(r *http.Request) (string, error) {
	name := r.PathValue("name")
	if name == "" || name == anywhere || strings.Contains(name, "/") {
		return "", status.Errorf(codes.InvalidArgument, "%q is not a name.", name)
	}
	return name, nil
}

// cutVerb takes "job:run" apart.
func cutVerb(name string) (string, string) {
	if i := strings.LastIndex(name, ":"); i >= 0 {
		return name[:i], name[i+1:]
	}
	return name, ""
}

// jobName is the full name of the job that r's path ends with. Where no
// location is known, that is the name of the job that exists.
func (h *handler) jobName(r *http.Request, s scope) (string, error) {
	name, err := objectName(r)
	if err != nil {
		return "", err
	}
	full := s.parent() + "/jobs/" + name
	if s.location != "" {
		return full, nil
	}
	job, err := h.control.Job(r.Context(), full)
	return job.GetName(), err
}

// executionName is the full name of the execution that r's path ends with,
// which exists.
func (h *handler) executionName(r *http.Request, s scope) (string, error) {
	name, err := objectName(r)
	if err != nil {
		return "", err
	}
	x, err := h.control.Execution(r.Context(), s.execution(name))
	return x.GetName(), err
}

// execution is the name of an execution of whichever job.
func (s scope) execution(name string) string { return s.parent() + "/jobs/-/executions/" + name }

// taskName is the full name of a task, whose short name begins with that of
// its execution.
func (h *handler) taskName(ctx context.Context, s scope, name string) (string, error) {
	i := strings.LastIndex(name, "-task")
	if i < 0 {
		return "", status.Errorf(codes.NotFound, "Resource '%s' of kind 'TASK' in region '%s' in project '%s' does not exist.", name, s.location, s.project)
	}
	x, err := h.control.Execution(ctx, s.execution(name[:i]))
	if err != nil {
		return "", err
	}
	return x.GetName() + "/tasks/" + name, nil
}
