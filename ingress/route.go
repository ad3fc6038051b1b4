package ingress

import "time"

// Route is how requests for one service find their revision.
type Route struct {
	// Name is the service's full resource name.
	Name string
	// Service is its short name, Project and Region are where it is, for logs.
	Service, Project, Region string
	// Hosts are the service's own, in lower case, without a port. A host that
	// begins with "*." stands for every name below it.
	Hosts []string
	// Splits share the requests for Hosts. Their percents sum to 100, or there
	// is none: then nothing is ready yet.
	Splits []Split
	// Tags are targets with hosts of their own.
	Tags []Tag
	// Disabled services answer that they are.
	Disabled bool
	// Internal services are for listeners that are internal alone.
	Internal bool
	// Access says who may call.
	Access Access
}

// Split is a share of a service's requests.
type Split struct {
	Target *Target
	// Percent is 1 to 100.
	Percent int
}

// Tag is a target with a name.
type Tag struct {
	Name string
	// Hosts are as Route.Hosts.
	Hosts  []string
	Target *Target
}

// Target is a revision that takes requests.
type Target struct {
	// Revision is its short name.
	Revision string
	Pool     *Pool
	// Timeout bounds a request, from its arrival to the end of its answer.
	Timeout time.Duration
	// Affinity keeps a client's requests on one instance, as far as that goes.
	Affinity bool
}

// Access is who may call a service.
type Access struct {
	// Public services ask nobody.
	Public bool
	// Audiences are those of tokens that are good here beside the URLs of the
	// service's hosts, with or without a slash at the end.
	Audiences []string
	// Allows reports whether a caller, by its email address, may call. Nil: none
	// may.
	Allows func(email string) bool
}
