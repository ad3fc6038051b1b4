package v1

import (
	"maps"
	"net/http"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"runnel/control"
)

// handler answers requests with what control says.
type handler struct{ control *control.Control }

// NewHandler answers, for c, what v1 has of jobs, executions, tasks and worker
// pools under /apis/run.googleapis.com/v1/, of services, revisions, configurations and
// routes under /apis/serving.knative.dev/v1/, and of operations and policies
// under /v1/projects/. The location of an object is not in its path: it is what
// stands before the host's name, as in us-central1-localhost. Without it a list
// is one of all locations, one object is found in whichever has it, and a new
// one goes where its label says or to the default. Services, and what belongs
// to them, are found below /v1/projects/PROJECT/locations/LOCATION as well.
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

// location is where those paths begin that name one.
const location = " /v1/projects/{project}/locations/{location}"

func (h *handler) routes() map[string]answer {
	const operations = location + "/operations"
	all := map[string]answer{
		"GET" + operations:                h.listOperations,
		"GET" + operations + "/{name}":    h.getOperation,
		"DELETE" + operations + "/{name}": h.deleteOperation,
		"POST" + operations + "/{name}":   verbs{"wait": h.waitOperation}.answer,

		"/": nowhere,
	}
	h.addJobs(all, " /apis/"+APIVersion+"/namespaces/{namespace}/")
	h.addWorkerPools(all, " /apis/"+APIVersion+"/namespaces/{namespace}/"+pluralWorkerPools)
	h.addServices(all, " /apis/"+ServingVersion+"/namespaces/{namespace}/")
	h.addServices(all, location+"/")
	policies{h, pluralJobs}.add(all, location+"/"+pluralJobs)
	policies{h, workerPoolsOf}.add(all, location+"/"+pluralWorkerPools)
	services := policies{h, pluralServices}
	services.add(all, location+"/"+pluralServices)
	all["GET"+location+"/services/{name}"] = verbs{"getIamPolicy": services.get, "": h.getService}.answer
	return all
}

// addJobs adds the routes of jobs and what belongs to them, below prefix.
func (h *handler) addJobs(all map[string]answer, prefix string) {
	jobs, executions, tasks := prefix+pluralJobs, prefix+pluralExecutions, prefix+pluralTasks
	maps.Copy(all, map[string]answer{
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
	})
}

// addServices adds the routes of services and what belongs to them, below
// prefix.
func (h *handler) addServices(all map[string]answer, prefix string) {
	services, revisions := prefix+pluralServices, prefix+pluralRevisions
	configurations, routes := prefix+pluralConfigurations, prefix+pluralRoutes
	maps.Copy(all, map[string]answer{
		"GET" + services:                   h.listServices,
		"POST" + services:                  h.createService,
		"GET" + services + "/{name}":       h.getService,
		"PUT" + services + "/{name}":       h.replaceService,
		"DELETE" + services + "/{name}":    h.deleteService,
		"GET" + revisions:                  h.listRevisions,
		"GET" + revisions + "/{name}":      h.getRevision,
		"DELETE" + revisions + "/{name}":   h.deleteRevision,
		"GET" + configurations:             view[Configuration]{h, pluralConfigurations, "ConfigurationList", FormatConfiguration}.list,
		"GET" + configurations + "/{name}": view[Configuration]{h, pluralConfigurations, "ConfigurationList", FormatConfiguration}.get,
		"GET" + routes:                     view[Route]{h, pluralRoutes, "RouteList", FormatRoute}.list,
		"GET" + routes + "/{name}":         view[Route]{h, pluralRoutes, "RouteList", FormatRoute}.get,
	})
}

// addWorkerPools adds the routes of worker pools, at path.
func (h *handler) addWorkerPools(all map[string]answer, path string) {
	maps.Copy(all, map[string]answer{
		"GET" + path:                h.listWorkerPools,
		"POST" + path:               h.createWorkerPool,
		"GET" + path + "/{name}":    h.getWorkerPool,
		"PUT" + path + "/{name}":    h.replaceWorkerPool,
		"DELETE" + path + "/{name}": h.deleteWorkerPool,
	})
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
