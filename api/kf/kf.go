// Package kf answers the two calls that Kf's commands have beside Cloud Run's
// own: to run a task of an app, and to terminate one. Everything else about apps,
// which are jobs, and tasks, which are executions, goes through Cloud Run's API.
// It decides nothing, and needs no privilege.
package kf

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"

	"cloud.google.com/go/longrunning/autogen/longrunningpb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"

	"runnel/api/rest"
	"runnel/control"
)

// Path is the beginning of all paths that the handler answers.
const Path = "/kf/v1/"

// Task is the body of a request to run a task: what the task has in the place of
// its app's settings. All of it may be left out.
type Task struct {
	// Command is the start command.
	Command string `json:"command,omitempty"`
	// CPU is a quantity such as 0.5 or 500m; Memory and Disk are as Cloud Foundry
	// writes them, such as 256M.
	CPU    string `json:"cpu,omitempty"`
	Memory string `json:"memory,omitempty"`
	Disk   string `json:"disk,omitempty"`
	// DisplayName is what the task is called beside its name.
	DisplayName string `json:"displayName,omitempty"`
}

// NewHandler answers, for c:
//
//	POST /kf/v1/projects/P/locations/L/jobs/J:runTask
//	POST /kf/v1/projects/P/locations/L/jobs/J/executions/E:terminate
//
// Both answer with the operation that is done when the task has ended.
func NewHandler(c *control.Control) http.Handler {
	h := handler{c}
	const jobs = "POST " + Path + "projects/{project}/locations/{location}/jobs/"
	mux := http.NewServeMux()
	mux.HandleFunc(jobs+"{name}", reply("runTask", h.runTask))
	mux.HandleFunc(jobs+"{job}/executions/{name}", reply("terminate", h.terminate))
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { rest.WriteError(w, nowhere(r)) })
	return mux
}

type handler struct{ control *control.Control }

func (h handler) runTask(r *http.Request, name string) (*longrunningpb.Operation, error) {
	var t Task
	body := json.NewDecoder(r.Body)
	body.DisallowUnknownFields()
	if err := body.Decode(&t); err != nil && !errors.Is(err, io.EOF) {
		return nil, status.Errorf(codes.InvalidArgument, "the body is no task: %v", err)
	}
	if _, err := body.Token(); !errors.Is(err, io.EOF) {
		return nil, status.Error(codes.InvalidArgument, "the body is no task: something follows it")
	}
	_, op, err := h.control.RunTask(r.Context(), name, control.TaskOverrides{
		Command: t.Command, CPU: t.CPU, Memory: t.Memory, Disk: t.Disk, DisplayName: t.DisplayName,
	})
	return op, err
}

func (h handler) terminate(r *http.Request, name string) (*longrunningpb.Operation, error) {
	_, op, err := h.control.TerminateTask(r.Context(), name)
	return op, err
}

// reply serves what call does to the resource whose name stands between Path and
// the colon before verb.
func reply(verb string, call func(*http.Request, string) (*longrunningpb.Operation, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		name, ok := strings.CutSuffix(strings.TrimPrefix(r.URL.Path, Path), ":"+verb)
		if !ok {
			rest.WriteError(w, nowhere(r))
			return
		}
		op, err := call(r, name)
		if err != nil {
			rest.WriteError(w, err)
			return
		}
		text, err := protojson.Marshal(op)
		if err != nil {
			rest.WriteError(w, err)
			return
		}
		w.Header().Set("Content-Type", "application/json; charset=UTF-8")
		_, _ = w.Write(append(text, '\n')) // the client may have gone
	}
}

func nowhere(r *http.Request) error {
	return status.Errorf(codes.NotFound, "There is no %s %s here.", r.Method, r.URL.Path)
}
