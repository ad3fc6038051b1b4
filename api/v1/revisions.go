package v1

import (
	"net/http"

	"cloud.google.com/go/run/apiv2/runpb"

	"runnel/control"
)

// revision is the one that r's path ends with, of whichever service.
func (h *handler) revision(r *http.Request, s scope) (*runpb.Revision, error) {
	name, err := objectName(r)
	if err != nil {
		return nil, err
	}
	return h.control.Revision(r.Context(), s.parent()+"/services/"+anywhere+"/revisions/"+name)
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
	service, ok := p.selector.only(serviceKey)
	if !ok {
		service = anywhere
	}
	return list(p, s, pluralRevisions, "RevisionList", FormatRevision, revisionLabels,
		func(q control.Query[*runpb.Revision]) ([]*runpb.Revision, string, error) {
			q.Parent = s.parent() + "/services/" + service
			return h.control.Revisions(r.Context(), q)
		})
}
