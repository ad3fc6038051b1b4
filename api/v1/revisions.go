package v1

import (
	"net/http"
	"strings"

	"cloud.google.com/go/run/apiv2/runpb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"runnel/control"
)

// revision is the one that r's path ends with, of whichever service or worker
// pool.
func (h *handler) revision(r *http.Request, s scope) (*runpb.Revision, error) {
	name, err := objectName(r)
	if err != nil {
		return nil, err
	}
	revision, err := h.control.Revision(r.Context(), s.parent()+"/services/"+anywhere+"/revisions/"+name)
	if status.Code(err) == codes.NotFound {
		if other, wrong := h.control.Revision(r.Context(), s.parent()+"/"+workerPoolsOf+"/"+anywhere+"/revisions/"+name); wrong == nil {
			return other, nil
		}
	}
	return revision, err
}

func (h *handler) getRevision(r *http.Request) (any, error) {
	s := h.scopeOf(r)
	revision, err := h.revision(r, s)
	if err != nil {
		return nil, err
	}
	return FormatRevision(revision, s.options), nil
}

func (h *handler) deleteRevision(r *http.Request) (any, error) {
	dryRun, err := dryRun(r)
	if err != nil {
		return nil, err
	}
	revision, err := h.revision(r, h.scopeOf(r))
	if err != nil {
		return nil, err
	}
	revision, _, err = h.control.DeleteRevision(r.Context(), &runpb.DeleteRevisionRequest{Name: revision.GetName(), ValidateOnly: dryRun})
	if err != nil {
		return nil, err
	}
	return success(revision, pluralRevisions), nil
}

func (h *handler) listRevisions(r *http.Request) (any, error) {
	s := h.scopeOf(r)
	p, err := pageOf(r)
	if err != nil {
		return nil, err
	}
	return list(p, s, pluralRevisions, "RevisionList", FormatRevision, revisionLabels,
		func(q control.Query[*runpb.Revision]) ([]*runpb.Revision, string, error) {
			return h.revisions(r, s, p.selector, q)
		})
}

// tokenOfPools begins a token of the second part of a list of revisions.
const tokenOfPools = workerPoolsOf + ":"

// revisions is a page of the revisions of services and after them of worker
// pools, or of those alone that a selector asks for.
func (h *handler) revisions(r *http.Request, s scope, wanted selector, q control.Query[*runpb.Revision]) ([]*runpb.Revision, string, error) {
	service, ofService := wanted.only(serviceKey)
	pool, ofPool := wanted.only(workerPoolKey)
	token, second := strings.CutPrefix(q.PageToken, tokenOfPools)
	if !ofPool && !second {
		if !ofService {
			service = anywhere
		}
		q.Parent = s.parent() + "/services/" + service
		items, next, err := h.control.Revisions(r.Context(), q)
		if next == "" && err == nil && !ofService {
			next = tokenOfPools
		}
		return items, next, err
	}
	if !ofPool {
		pool = anywhere
	}
	q.Parent, q.PageToken = s.parent()+"/"+workerPoolsOf+"/"+pool, token
	items, next, err := h.control.Revisions(r.Context(), q)
	if next != "" {
		next = tokenOfPools + next
	}
	return items, next, err
}
