package v1

import (
	"net/http"

	"cloud.google.com/go/run/apiv2/runpb"

	"runnel/control"
)

func (h *handler) getWorkerPool(r *http.Request) (any, error) {
	s := h.scopeOf(r)
	pool, err := h.workerPool(r, s)
	if err != nil {
		return nil, err
	}
	return FormatWorkerPool(pool, s.options), nil
}

// workerPool is the one that r's path ends with.
func (h *handler) workerPool(r *http.Request, s scope) (*runpb.WorkerPool, error) {
	name, err := objectName(r)
	if err != nil {
		return nil, err
	}
	return h.control.WorkerPool(r.Context(), s.parent()+"/"+workerPoolsOf+"/"+name)
}

// workerPoolName is its full name. Where no location is known, that is the name
// of the worker pool that exists.
func (h *handler) workerPoolName(r *http.Request, s scope) (string, error) {
	if s.location == "" {
		pool, err := h.workerPool(r, s)
		return pool.GetName(), err
	}
	name, err := objectName(r)
	return s.parent() + "/" + workerPoolsOf + "/" + name, err
}

func (h *handler) createWorkerPool(r *http.Request) (any, error) {
	s := h.scopeOf(r)
	dryRun, err := dryRun(r)
	if err != nil {
		return nil, err
	}
	object, err := h.readWorkerPool(r, s)
	if err != nil {
		return nil, err
	}
	if err := object.Metadata.complete(); err != nil {
		return nil, err
	}
	pool, err := object.resource()
	if err != nil {
		return nil, err
	}
	id := pool.Name
	pool.Name = "" // it is made of the parent and the id
	pool, op, err := h.control.CreateWorkerPool(r.Context(), &runpb.CreateWorkerPoolRequest{
		Parent: s.in(h.newLocation(s, object.Metadata)), WorkerPoolId: id, WorkerPool: pool, ValidateOnly: dryRun,
	})
	if err != nil {
		return nil, err
	}
	return FormatWorkerPool(pool, s.options.about(op)), nil
}

// replaceWorkerPool replaces a pool. Whoever waits for it afterwards waits for
// the operation that its annotations name.
func (h *handler) replaceWorkerPool(r *http.Request) (any, error) {
	s := h.scopeOf(r)
	dryRun, err := dryRun(r)
	if err != nil {
		return nil, err
	}
	object, err := h.readWorkerPool(r, s)
	if err != nil {
		return nil, err
	}
	if s.location == "" {
		s.location = object.Metadata.Labels[locationKey]
	}
	if err := object.Metadata.checkSame(r.PathValue("name")); err != nil {
		return nil, err
	}
	pool, err := object.resource()
	if err != nil {
		return nil, err
	}
	if pool.Name, err = h.workerPoolName(r, s); err != nil {
		return nil, err
	}
	if pool.Etag, err = object.Metadata.etag(pool.Name); err != nil {
		return nil, err
	}
	pool, op, err := h.control.UpdateWorkerPool(r.Context(), &runpb.UpdateWorkerPoolRequest{WorkerPool: pool, ValidateOnly: dryRun})
	if err != nil {
		return nil, err
	}
	return FormatWorkerPool(pool, s.options.about(op)), nil
}

func (h *handler) deleteWorkerPool(r *http.Request) (any, error) {
	dryRun, err := dryRun(r)
	if err != nil {
		return nil, err
	}
	name, err := h.workerPoolName(r, h.scopeOf(r))
	if err != nil {
		return nil, err
	}
	pool, _, err := h.control.DeleteWorkerPool(r.Context(), &runpb.DeleteWorkerPoolRequest{Name: name, ValidateOnly: dryRun})
	if err != nil {
		return nil, err
	}
	return success(pool, pluralWorkerPools), nil
}

func (h *handler) listWorkerPools(r *http.Request) (any, error) {
	s := h.scopeOf(r)
	p, err := pageOf(r)
	if err != nil {
		return nil, err
	}
	return list(p, s, pluralWorkerPools, "WorkerPoolList", FormatWorkerPool, workerPoolLabels,
		func(q control.Query[*runpb.WorkerPool]) ([]*runpb.WorkerPool, string, error) {
			q.Parent = s.parent()
			return h.control.WorkerPools(r.Context(), q)
		})
}
