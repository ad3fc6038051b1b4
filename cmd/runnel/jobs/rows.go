package jobs

import (
	"bytes"
	"encoding/json"
	"fmt"

	"cloud.google.com/go/run/apiv2/runpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	v1 "runnel/api/v1"
	"runnel/cmd/runnel/format"
)

// timeLayout is that of times in tables, which are in UTC.
const timeLayout = "2006-01-02 15:04:05 UTC"

// jobRow is a job as --format sees it; export leaves out what belongs to this
// host.
func (c *commands) jobRow(job *runpb.Job, export bool) (format.Row, error) {
	return row(v1.FormatJob(job, v1.Options{Export: export}), map[string]any{
		"ready_symbol":       c.mark(stateOf(job.GetTerminalCondition())).symbol,
		"name":               short(job.GetName()),
		"region":             part(job.GetName(), "locations"),
		"author":             job.GetCreator(),
		"last_modifier":      job.GetLastModifier(),
		"creation_timestamp": timestamp(job.GetCreateTime()),
	})
}

// executionRow is the same for an execution.
func (c *commands) executionRow(x *runpb.Execution, export bool) (format.Row, error) {
	return row(v1.FormatExecution(x, v1.Options{Export: export}), map[string]any{
		"ready_symbol":       c.mark(stateOf(completed(x))).symbol,
		"name":               short(x.GetName()),
		"job_name":           part(x.GetName(), "jobs"),
		"region":             part(x.GetName(), "locations"),
		"author":             x.GetCreator(),
		"creation_timestamp": timestamp(x.GetCreateTime()),
	})
}

// taskRow is the same for a task.
func (c *commands) taskRow(t *runpb.Task, export bool) (format.Row, error) {
	attributes := map[string]any{
		"ready_symbol":    c.mark(taskState(t)).symbol,
		"name":            short(t.GetName()),
		"index":           json.Number(fmt.Sprint(t.GetIndex())),
		"running_state":   runningState(t),
		"execution_name":  part(t.GetName(), "executions"),
		"job_name":        part(t.GetName(), "jobs"),
		"start_time":      timestamp(t.GetStartTime()),
		"completion_time": timestamp(t.GetCompletionTime()),
	}
	if t.GetStartTime() != nil {
		attributes["retries"] = json.Number(fmt.Sprint(t.GetRetried()))
	}
	return row(v1.FormatTask(t, v1.Options{Export: export}), attributes)
}

// row makes one of a resource's v1 form.
func row(resource any, attributes map[string]any) (format.Row, error) {
	data, err := json.Marshal(resource)
	if err != nil {
		return format.Row{}, fmt.Errorf("write JSON: %w", err)
	}
	out := format.Row{Attributes: attributes}
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	if err := d.Decode(&out.Resource); err != nil {
		return format.Row{}, fmt.Errorf("write JSON: %w", err)
	}
	return out, nil
}

// timestamp is t as v1 writes it; nil if it has not come.
func timestamp(t *timestamppb.Timestamp) any {
	if t == nil {
		return nil
	}
	return t.AsTime().Format("2006-01-02T15:04:05.000000Z")
}

// moment is t in a table, empty if it has not come.
func moment(t *timestamppb.Timestamp) string {
	if t == nil {
		return ""
	}
	return t.AsTime().Format(timeLayout)
}
