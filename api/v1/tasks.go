package v1

import (
	"net/http"

	"cloud.google.com/go/run/apiv2/runpb"

	"runnel/control"
)

func (h *handler) getTask(r *http.Request) (any, error) {
	s := h.scopeOf(r)
	short, err := objectName(r)
	if err != nil {
		return nil, err
	}
	name, err := h.taskName(r.Context(), s, short)
	if err != nil {
		return nil, err
	}
	task, err := h.control.Task(r.Context(), name)
	if err != nil {
		return nil, err
	}
	return FormatTask(task, s.options), nil
}

func (h *handler) listTasks(r *http.Request) (any, error) {
	s := h.scopeOf(r)
	p, err := pageOf(r)
	if err != nil {
		return nil, err
	}
	job, ok := p.selector.only(jobKey)
	if !ok {
		job = "-"
	}
	execution, ok := p.selector.only(executionKey)
	if !ok {
		execution = "-"
	}
	return list(p, s, pluralTasks, "TasksList", FormatTask, taskLabels,
		func(q control.Query[*runpb.Task]) ([]*runpb.Task, string, error) {
			q.Parent = s.parent() + "/jobs/" + job + "/executions/" + execution
			return h.control.Tasks(r.Context(), q)
		})
}
