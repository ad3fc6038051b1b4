package v1

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"strings"

	"cloud.google.com/go/run/apiv2/runpb"

	"runnel/api"
	"runnel/control"
)

func (h *handler) getJob(r *http.Request) (any, error) {
	s := h.scopeOf(r)
	name, err := objectName(r)
	if err != nil {
		return nil, err
	}
	job, err := h.control.Job(r.Context(), s.parent()+"/jobs/"+name)
	if err != nil {
		return nil, err
	}
	return FormatJob(job, s.options), nil
}

func (h *handler) createJob(r *http.Request) (any, error) {
	s := h.scopeOf(r)
	dryRun, err := dryRun(r)
	if err != nil {
		return nil, err
	}
	object, err := h.readJob(r, s)
	if err != nil {
		return nil, err
	}
	if err := object.Metadata.complete(); err != nil {
		return nil, err
	}
	job, err := object.resource()
	if err != nil {
		return nil, err
	}
	id := job.Name
	job.Name = "" // it is made of the parent and the id
	job, _, err = h.control.CreateJob(r.Context(), &runpb.CreateJobRequest{
		Parent: s.in(h.newLocation(s, object)), JobId: id, Job: job, ValidateOnly: dryRun,
	})
	if err != nil {
		return nil, err
	}
	return FormatJob(job, s.options), nil
}

// newLocation is where a new object goes.
func (h *handler) newLocation(s scope, object *Job) string {
	for _, location := range []string{s.location, object.Metadata.Labels[locationKey]} {
		if location != "" {
			return location
		}
	}
	return h.control.Region()
}

// maxGenerateName bounds the beginning of a name that the server completes.
// Source: run.v1 discovery document, ObjectMeta.generateName.
const maxGenerateName = 30

// complete makes up the name that m leaves to the server.
func (m *ObjectMeta) complete() error {
	switch {
	case m.Name != "" || m.GenerateName == "":
		return nil
	case len(m.GenerateName) > maxGenerateName:
		return api.FieldErrors{{Path: "metadata.generateName", Message: fmt.Sprintf("is too long: want at most %d characters", maxGenerateName)}}
	}
	m.Name = m.GenerateName + strings.ToLower(rand.Text()[:5])
	return nil
}

func (h *handler) replaceJob(r *http.Request) (any, error) {
	s := h.scopeOf(r)
	dryRun, err := dryRun(r)
	if err != nil {
		return nil, err
	}
	object, err := h.readJob(r, s)
	if err != nil {
		return nil, err
	}
	if s.location == "" {
		s.location = object.Metadata.Labels[locationKey]
	}
	if name := r.PathValue("name"); object.Metadata.Name != name {
		return nil, api.FieldErrors{{Path: "metadata.name", Message: "differs from the name in the path: want " + name}}
	}
	job, err := object.resource()
	if err != nil {
		return nil, err
	}
	if job.Name, err = h.jobName(r, s); err != nil {
		return nil, err
	}
	if version := object.Metadata.ResourceVersion; version != "" {
		updated, err := ParseResourceVersion(version)
		if err != nil {
			return nil, api.FieldErrors{{Path: "metadata.resourceVersion", Message: err.Error()}}
		}
		job.Etag = control.Etag(job.Name, updated)
	}
	job, _, err = h.control.UpdateJob(r.Context(), &runpb.UpdateJobRequest{Job: job, ValidateOnly: dryRun})
	if err != nil {
		return nil, err
	}
	return FormatJob(job, s.options), nil
}

func (h *handler) deleteJob(r *http.Request) (any, error) {
	dryRun, err := dryRun(r)
	if err != nil {
		return nil, err
	}
	name, err := h.jobName(r, h.scopeOf(r))
	if err != nil {
		return nil, err
	}
	job, _, err := h.control.DeleteJob(r.Context(), &runpb.DeleteJobRequest{Name: name, ValidateOnly: dryRun})
	if err != nil {
		return nil, err
	}
	return success(job, pluralJobs), nil
}

func (h *handler) listJobs(r *http.Request) (any, error) {
	s := h.scopeOf(r)
	p, err := pageOf(r)
	if err != nil {
		return nil, err
	}
	return list(p, s, pluralJobs, "JobsList", FormatJob, jobLabels,
		func(q control.Query[*runpb.Job]) ([]*runpb.Job, string, error) {
			q.Parent = s.parent()
			return h.control.Jobs(r.Context(), q)
		})
}
