package v1

import (
	"net/http"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"runnel/control"
)

// handler answers requests with what control says.
type handler struct{ control *control.Control }

// NewHandler answers, for c, what v1 has of jobs, executions and tasks under
// /apis/run.googleapis.com/v1/, and of operations and the jobs' policies under
// /v1/projects/. The location of an object is not in its path: it is what
// stands before the host's name, as in us-central1-localhost. Without it a list
// is one of all locations, one object is found in whichever has it, and a new
// one goes where its label says or to the default.
//
// It asks nobody who they are and bounds nothing but bodies: who takes the
// connections does.
func NewHandler(c *control.Control) http.Handler {
	h := &handler{control: c}
	mux := http.NewServeMux()
	for pattern, answer := range h.routes() {
		mux.Handle(pattern, reply(answer))
	}
	return mux
}

// answer is what one request comes to: an object of this package, or a
// protocol buffer message.
type answer func(r *http.Request) (any, error)

func (h *handler) routes() map[string]answer {
	const (
		namespace  = " /apis/" + APIVersion + "/namespaces/{namespace}"
		jobs       = namespace + "/" + pluralJobs
		executions = namespace + "/" + pluralExecutions
		tasks      = namespace + "/" + pluralTasks
		location   = " /v1/projects/{project}/locations/{location}"
		operations = location + "/operations"
	)
	return map[string]answer{
		"GET" + jobs:                      h.listJobs,
		"POST" + jobs:                     h.createJob,
		"GET" + jobs + "/{name}":          h.getJob,
		"PUT" + jobs + "/{name}":          h.replaceJob,
		"DELETE" + jobs + "/{name}":       h.deleteJob,
		"POST" + jobs + "/{name}":         verbs{"run": h.runJob}.answer,
		"GET" + executions:                h.listExecutions,
		"GET" + executions + "/{name}":    h.getExecution,
		"DELETE" + executions + "/{name}": h.deleteExecution,
		"POST" + executions + "/{name}":   verbs{"cancel": h.cancelExecution}.answer,
		"GET" + tasks:                     h.listTasks,
		"GET" + tasks + "/{name}":         h.getTask,

		"GET" + operations:                h.listOperations,
		"GET" + operations + "/{name}":    h.getOperation,
		"DELETE" + operations + "/{name}": h.deleteOperation,
		"POST" + operations + "/{name}":   verbs{"wait": h.waitOperation}.answer,

		"GET" + location + "/jobs/{name}": verbs{"getIamPolicy": h.getPolicy}.answer,
		"POST" + location + "/jobs/{name}": verbs{
			"setIamPolicy": h.setPolicy, "testIamPermissions": h.testPermissions,
		}.answer,

		"/": nowhere,
	}
}

// verbs answer what follows the colon at the end of a path.
type verbs map[string]answer

func (v verbs) answer(r *http.Request) (any, error) {
	name, verb := cutVerb(r.PathValue("name"))
	next, ok := v[verb]
	if !ok {
		return nowhere(r)
	}
	r.SetPathValue("name", name)
	return next(r)
}

func nowhere(r *http.Request) (any, error) {
	return nil, status.Errorf(codes.NotFound, "There is no %s %s here.", r.Method, r.URL.Path)
}
