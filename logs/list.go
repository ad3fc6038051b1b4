package logs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	"runnel/api/rest"
	"runnel/logs/filter"
)

// ListPath is what List answers.
const ListPath = "/v2/entries:list"

const (
	// maxRequest bounds a request, in bytes.
	maxRequest = 1 << 20
	// Sizes of pages, in entries.
	// Source: Cloud Logging API v2, entries.list.
	defaultPageSize = 50
	maxPageSize     = 1000
)

// listRequest is a ListLogEntriesRequest.
// Source: Cloud Logging API v2, entries.list.
type listRequest struct {
	ResourceNames []string `json:"resourceNames"`
	ProjectIDs    []string `json:"projectIds"`
	Filter        string   `json:"filter"`
	OrderBy       string   `json:"orderBy"`
	PageSize      int      `json:"pageSize"`
	PageToken     string   `json:"pageToken"`

	filter   *filter.Filter
	projects []string
	newest   bool
}

// List answers POST requests for ListPath, entries.list of the Cloud Logging
// API v2: the entries of all jobs, services and worker pools of some projects that a
// filter lets through. They are ordered by when they were read from the instances.
func (l *Logs) List() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer, err := l.list(r.Context(), http.MaxBytesReader(w, r.Body, maxRequest), readsText(r))
		if err != nil {
			rest.WriteError(w, err)
			return
		}
		w.Header().Set("Content-Type", "application/json; charset=UTF-8")
		j := json.NewEncoder(w)
		j.SetEscapeHTML(false)
		_ = j.Encode(answer) // who has gone needs no answer
	})
}

// readsText reports whether a request comes from "gcloud run jobs logs read" or
// one like it. It reads nothing but textPayload, and crashes where there is
// none.
// Source: gcloud 528, FormatLog in api_lib/logging/formatter.py.
func readsText(r *http.Request) bool {
	_, command, ok := strings.Cut(r.UserAgent(), " command/gcloud.")
	command, _, _ = strings.Cut(command, " ")
	return ok && strings.Contains("."+command, ".run.") && strings.HasSuffix(command, ".logs.read")
}

// listAnswer is a ListLogEntriesResponse.
type listAnswer struct {
	Entries       []json.RawMessage `json:"entries,omitempty"`
	NextPageToken string            `json:"nextPageToken,omitempty"`
}

// list answers one request.
func (l *Logs) list(ctx context.Context, body io.Reader, text bool) (*listAnswer, error) {
	r, err := parseList(body)
	if err != nil {
		return nil, err
	}
	p := page{size: r.PageSize, newest: r.newest, text: text, query: query{
		task: -1, from: firstKey, before: lastKey, system: true,
		match: func(e *Entry) bool { return r.filter.Match(record{e}) },
	}}
	if r.PageToken != "" {
		place, err := r.readToken()
		if err != nil {
			return nil, err
		}
		if r.newest {
			p.query.before = place
		} else {
			p.query.from = place.after()
		}
	}
	select {
	case l.lists <- struct{}{}:
		defer func() { <-l.lists }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	groups, err := l.wanted(ctx, r)
	if err != nil {
		return nil, err
	}
	if err := p.read(ctx, l, groups); err != nil {
		return nil, err
	}
	answer := &listAnswer{Entries: p.entries}
	if p.more {
		answer.NextPageToken = r.token(p.last)
	}
	return answer, nil
}

// parseList reads a request.
func parseList(body io.Reader) (*listRequest, error) {
	r := &listRequest{}
	j := json.NewDecoder(body)
	j.DisallowUnknownFields()
	if err := j.Decode(r); err != nil && !errors.Is(err, io.EOF) {
		return nil, violation("body", "it is not a request: %v", err)
	}
	var err error
	if r.filter, err = filter.Parse(r.Filter, schema()); err != nil {
		return nil, violation("filter", "%v", err)
	}
	switch strings.Join(strings.Fields(r.OrderBy), " ") {
	case "", "timestamp", "timestamp asc":
	case "timestamp desc":
		r.newest = true
	default:
		return nil, violation("orderBy", "%q is not timestamp asc or timestamp desc", r.OrderBy)
	}
	switch {
	case r.PageSize < 0:
		return nil, violation("pageSize", "%d is not a number of entries", r.PageSize)
	case r.PageSize == 0:
		r.PageSize = defaultPageSize
	}
	r.PageSize = min(r.PageSize, maxPageSize)
	return r, r.parseProjects()
}

// parseProjects reads which projects the request is about.
func (r *listRequest) parseProjects() error {
	r.projects = r.ProjectIDs
	for _, name := range r.ResourceNames {
		parts := strings.Split(name, "/")
		if len(parts) < 2 || parts[0] != "projects" || parts[1] == "" {
			return violation("resourceNames", "%q is not a project, which alone have entries here", name)
		}
		r.projects = append(r.projects, parts[1])
	}
	if len(r.projects) == 0 {
		return violation("resourceNames", "%s", "name at least one project: projects/PROJECT")
	}
	slices.Sort(r.projects)
	r.projects = slices.Compact(r.projects)
	return nil
}

// binding is what a token of the request belongs to.
func (r *listRequest) binding() string {
	return fmt.Sprintf("%q %q %v", r.projects, r.Filter, r.newest)
}
