package logs

import (
	"context"
	"path"
	"slices"
	"strings"
	"time"

	"cloud.google.com/go/run/apiv2/runpb"

	"runnel/contract"
	"runnel/control"
	"runnel/logs/servicelog"
)

// named are the groups of a job, an execution, a service, a worker pool or a
// revision.
func (l *Logs) named(ctx context.Context, name string) ([]group, error) {
	switch {
	case strings.Contains(name, "/services/"), servicelog.IsWorkerPool(name):
		s, err := l.ownedBy(ctx, name)
		if err != nil {
			return nil, err
		}
		return []group{s}, nil
	case strings.Contains(name, "/executions/"):
		x, err := l.control.Execution(ctx, name)
		if err != nil {
			return nil, err
		}
		return []group{newRun(x)}, nil
	}
	if !strings.HasSuffix(name, "/-") {
		if _, err := l.control.Job(ctx, name); err != nil {
			return nil, err
		}
	}
	runs, err := l.runsBelow(ctx, name, nil)
	return asGroups(runs), err
}

func asGroups(runs []*run) (groups []group) {
	for _, r := range runs {
		groups = append(groups, r)
	}
	return groups
}

// runsBelow are those of a job, whose location and own name may be "-", if they
// match.
func (l *Logs) runsBelow(ctx context.Context, job string, match func(*runpb.Execution) bool) (runs []*run, err error) {
	for token := ""; ; {
		some, next, err := l.control.Executions(ctx, control.Query[*runpb.Execution]{
			Parent: job, PageSize: 1000, PageToken: token, Match: match,
		})
		if err != nil {
			return nil, err
		}
		for _, x := range some {
			runs = append(runs, newRun(x))
		}
		if token = next; token == "" {
			return runs, nil
		}
	}
}

// offClock is more than the times that entries give themselves are off.
const offClock = time.Hour

// wanted are the groups that may have entries that the request's filter lets
// through.
func (l *Logs) wanted(ctx context.Context, r *listRequest) (groups []group, err error) {
	location := "-"
	if id, ok := r.filter.Equal("resource", "labels", "location"); ok {
		if location = strings.ToLower(id); !contract.IsLabel(location) {
			return nil, nil // there is none of that name
		}
	}
	for _, project := range r.projects {
		parent := "projects/" + project + "/locations/" + location
		if r.about(jobType, "job_name") {
			runs, err := l.wantedRuns(ctx, r, parent)
			if err != nil {
				return nil, err
			}
			groups = append(groups, asGroups(runs)...)
		}
		for _, k := range l.kinds() {
			if !r.about(k.resource, append(k.names, "revision_name")...) {
				continue
			}
			some, err := wantedOf(ctx, r, parent, k)
			if err != nil {
				return nil, err
			}
			groups = append(groups, some...)
		}
	}
	return groups, nil
}

// about reports whether the filter may let entries through that are about a type
// of resource, which has these labels beside those that all types have.
func (r *listRequest) about(kind string, labels ...string) bool {
	if t, ok := r.filter.Equal("resource", "type"); ok && !strings.EqualFold(t, kind) {
		return false
	}
	for _, label := range []string{"job_name", "service_name", "configuration_name", labelPool, "revision_name"} {
		if _, ok := r.filter.Equal("resource", "labels", label); ok && !slices.Contains(labels, label) {
			return false
		}
	}
	return true
}

// wantedRuns are those of wanted below a location.
func (l *Logs) wantedRuns(ctx context.Context, r *listRequest, location string) ([]*run, error) {
	job := "-"
	if id, ok := r.filter.Equal("resource", "labels", "job_name"); ok {
		if job = strings.ToLower(id); !contract.IsLabel(job) {
			return nil, nil // there is none of that name
		}
	}
	execution, one := r.filter.Equal("labels", labelExecution)
	from, until := r.filter.Bounds("timestamp")
	return l.runsBelow(ctx, location+"/jobs/"+job, func(x *runpb.Execution) bool {
		switch end := x.GetCompletionTime(); {
		case one && !strings.EqualFold(path.Base(x.GetName()), execution):
			return false
		case !until.IsZero() && x.GetCreateTime().AsTime().After(until.Add(offClock)):
			return false
		case end != nil && end.AsTime().Add(offClock).Before(from):
			return false
		}
		return true
	})
}
