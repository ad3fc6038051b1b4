package gcloud

import (
	"encoding/json"
	"net/http"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"runnel/api/rest"
	"runnel/control"
)

// NewHandler answers what is below Path, of every project there is for c.
func NewHandler(c *control.Control) http.Handler {
	h := handler{c}
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+resourceManagerPath+"v1/projects/{project}", h.project)
	mux.HandleFunc("GET "+serviceUsagePath+"v1/projects/{project}/services/{service}", h.service)
	mux.HandleFunc("GET "+serviceUsagePath+"v1/projects/{project}/services:batchGet", h.services)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		rest.WriteError(w, status.Errorf(codes.NotFound, "There is no %s %s on this host.", r.Method, r.URL.Path))
	})
	return mux
}

type handler struct{ control *control.Control }

// project is a project of Cloud Resource Manager.
type project struct {
	ProjectNumber  string `json:"projectNumber"`
	ProjectID      string `json:"projectId"`
	Name           string `json:"name"`
	LifecycleState string `json:"lifecycleState"`
}

func (h handler) project(w http.ResponseWriter, r *http.Request) {
	id := h.control.ProjectID(r.PathValue("project"))
	write(w, project{ProjectNumber: h.control.ProjectNumber(id), ProjectID: id, Name: id, LifecycleState: "ACTIVE"})
}

// service is a service of a project.
type service struct {
	Name   string        `json:"name"`
	Parent string        `json:"parent"`
	Config serviceConfig `json:"config"`
	State  string        `json:"state"`
}

type serviceConfig struct {
	Name string `json:"name"`
}

func (h handler) service(w http.ResponseWriter, r *http.Request) {
	write(w, h.newService(r.PathValue("project"), r.PathValue("service")))
}

// maxNames is how many services may be asked for at once.
// Source: Service Usage API v1, services.batchGet.
const maxNames = 30

func (h handler) services(w http.ResponseWriter, r *http.Request) {
	names := r.URL.Query()["names"]
	if len(names) > maxNames {
		rest.WriteError(w, status.Errorf(codes.InvalidArgument, "names: %d services are asked for: want at most %d", len(names), maxNames))
		return
	}
	var all struct {
		Services []service `json:"services"`
	}
	for _, name := range names {
		all.Services = append(all.Services, h.newService(r.PathValue("project"), name[strings.LastIndex(name, "/")+1:]))
	}
	write(w, all)
}

// newService says whether this host offers what the service called name does.
func (h handler) newService(project, name string) service {
	parent := "projects/" + h.control.ProjectNumber(h.control.ProjectID(project))
	s := service{Name: parent + "/services/" + name, Parent: parent, Config: serviceConfig{name}, State: "DISABLED"}
	switch name {
	case "run.googleapis.com", "cloudscheduler.googleapis.com", "logging.googleapis.com", "cloudresourcemanager.googleapis.com", "serviceusage.googleapis.com":
		s.State = "ENABLED"
	}
	return s
}

// write answers with v.
func write(w http.ResponseWriter, v any) {
	data, err := json.Marshal(v)
	if err != nil {
		rest.WriteError(w, err)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	_, _ = w.Write(append(data, '\n')) // the client may have gone
}
