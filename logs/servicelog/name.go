package servicelog

import (
	"net/url"
	"strings"
)

// Kind is what a log of a service or a worker pool holds.
type Kind string

// The kinds.
const (
	// Requests are entries of the stream "request", with a Request each.
	Requests Kind = "requests"
	// System are entries of the stream "event", with an Event each.
	System Kind = "system"
)

// The collections of owners.
const (
	services    = "services"
	workerPools = "workerPools"
)

// IsWorkerPool reports whether the full name of a service or worker pool, or of a
// revision, is that of a worker pool or of one of its own.
func IsWorkerPool(name string) bool { return strings.Contains(name, "/"+workerPools+"/") }

// Kinds are those of the logs that a service or worker pool has, by its full name.
func Kinds(owner string) []Kind {
	if IsWorkerPool(owner) {
		return []Kind{System}
	}
	return []Kind{Requests, System}
}

// ID names a log among those of instances, as logfile.Path has it, by the full
// name of the service or worker pool. No instance is called so.
func ID(owner string, kind Kind) string {
	parts := strings.Split(owner, "/")
	var names []string
	for i := 1; i < len(parts); i += 2 {
		if parts[i-1] == workerPools {
			names = append(names, workerPools)
		}
		names = append(names, parts[i])
	}
	return url.PathEscape(strings.Join(append(names, string(kind)), "/"))
}

// Owner is the full name of the service or worker pool that a log is about, by its
// ID. It reports whether there is one: IDs of instances are about none.
func Owner(id string) (name string, ok bool) {
	if !strings.Contains(id, "%") {
		return "", false // nearly always
	}
	text, err := url.PathUnescape(id)
	parts := strings.Split(text, "/")
	collection := services
	if len(parts) == 5 && parts[2] == workerPools {
		collection = workerPools
		parts = append(parts[:2], parts[3:]...)
	}
	if err != nil || len(parts) != 4 {
		return "", false
	}
	return "projects/" + parts[0] + "/locations/" + parts[1] + "/" + collection + "/" + parts[2], true
}

// ownerOf is the full name of a revision's service or worker pool.
func ownerOf(revision string) string {
	owner, _, _ := strings.Cut(revision, "/revisions/")
	return owner
}
