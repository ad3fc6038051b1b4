package servicelog

import (
	"net/url"
	"strings"
)

// Kind is what a log of a service holds.
type Kind string

// The kinds.
const (
	// Requests are entries of the stream "request", with a Request each.
	Requests Kind = "requests"
	// System are entries of the stream "event", with an Event each.
	System Kind = "system"
)

// Kinds are all kinds.
func Kinds() []Kind { return []Kind{Requests, System} }

// ID names a log among those of instances, as logfile.Path has it, by the full
// name of the service. No instance is called so.
func ID(service string, kind Kind) string {
	parts := strings.Split(service, "/")
	var names []string
	for i := 1; i < len(parts); i += 2 {
		names = append(names, parts[i])
	}
	return url.PathEscape(strings.Join(append(names, string(kind)), "/"))
}

// Service is the full name of the service that a log is about, by its ID. It
// reports whether there is one: IDs of instances are about none.
func Service(id string) (name string, ok bool) {
	if !strings.Contains(id, "%") {
		return "", false // nearly always
	}
	text, err := url.PathUnescape(id)
	parts := strings.Split(text, "/")
	if err != nil || len(parts) != 4 {
		return "", false
	}
	return "projects/" + parts[0] + "/locations/" + parts[1] + "/services/" + parts[2], true
}

// serviceOf is the full name of a revision's service.
func serviceOf(revision string) string {
	service, _, _ := strings.Cut(revision, "/revisions/")
	return service
}
