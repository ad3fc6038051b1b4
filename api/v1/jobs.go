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
		Parent: s.in(h.newLocation(s, object.Metadata)), JobId: id, Job: job, ValidateOnly: dryRun,
	})
	if err != nil {
		return nil, err
	}
	return FormatJob(job, s.options), nil
}

// newLocation is where a new object goes.
func (h *handler) newLocation(s scope, meta ObjectMeta) string {
	for _, location := range []string{s.location, meta.Labels[locationKey]} {
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

// checkSame says if m has another name than the path that it was sent to.
func (m *ObjectMeta) checkSame(name string) error {
	if m.Name == name {
		return nil
	}
	return api.FieldErrors{{Path: "metadata.name", Message: "differs from the name in the path: want " + name}}
}

// etag is that of the version that a replacement of the resource called name
// was made from, empty if that is not said.
func (m *ObjectMeta) etag(name string) (string, error) {
	if m.ResourceVersion == "" {
		return "", nil
	}
	updated, err := ParseResourceVersion(m.ResourceVersion)
	if err != nil {
		return "", api.FieldErrors{{Path: "metadata.resourceVersion", Message: err.Error()}}
	}
	return control.Etag(name, updated), nil
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
	if err := object.Metadata.checkSame(r.PathValue("name")); err != nil {
		return nil, err
	}
	job, err := object.resource()
	if err != nil {
		return nil, err
	}
	if job.Name, err = h.jobName(r, s); err != nil {
		return nil, err
	}
	if job.Etag, err = object.Metadata.etag(job.Name); err != nil {
		return nil, err
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
