package v1

import (
	"net/http"

	"cloud.google.com/go/run/apiv2/runpb"

	"runnel/control"
)

func (h *handler) runJob(r *http.Request) (any, error) {
	s := h.scopeOf(r)
	overrides, err := readOverrides(r)
	if err != nil {
		return nil, err
	}
	name, err := h.jobName(r, s)
	if err != nil {
		return nil, err
	}
	x, _, err := h.control.RunJob(r.Context(), &runpb.RunJobRequest{Name: name, Overrides: overrides})
	if err != nil {
		return nil, err
	}
	return FormatExecution(x, s.options), nil
}

func (h *handler) getExecution(r *http.Request) (any, error) {
	s := h.scopeOf(r)
	name, err := objectName(r)
	if err != nil {
		return nil, err
	}
	x, err := h.control.Execution(r.Context(), s.execution(name))
	if err != nil {
		return nil, err
	}
	return FormatExecution(x, s.options), nil
}

func (h *handler) cancelExecution(r *http.Request) (any, error) {
	s := h.scopeOf(r)
	name, err := h.executionName(r, s)
	if err != nil {
		return nil, err
	}
	x, _, err := h.control.CancelExecution(r.Context(), &runpb.CancelExecutionRequest{Name: name})
	if err != nil {
		return nil, err
	}
	return FormatExecution(x, s.options), nil
}

func (h *handler) deleteExecution(r *http.Request) (any, error) {
	dryRun, err := dryRun(r)
	if err != nil {
		return nil, err
	}
	name, err := h.executionName(r, h.scopeOf(r))
	if err != nil {
		return nil, err
	}
	x, _, err := h.control.DeleteExecution(r.Context(), &runpb.DeleteExecutionRequest{Name: name, ValidateOnly: dryRun})
	if err != nil {
		return nil, err
	}
	return success(x, pluralExecutions), nil
}

func (h *handler) listExecutions(r *http.Request) (any, error) {
	s := h.scopeOf(r)
	p, err := pageOf(r)
	if err != nil {
		return nil, err
	}
	job, ok := p.selector.only(jobKey)
	if !ok {
		job = "-"
	}
	return list(p, s, pluralExecutions, "ExecutionsList", FormatExecution, executionLabels,
		func(q control.Query[*runpb.Execution]) ([]*runpb.Execution, string, error) {
			q.Parent = s.parent() + "/jobs/" + job
			return h.control.Executions(r.Context(), q)
		})
}
