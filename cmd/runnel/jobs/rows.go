package jobs

import (
	"encoding/json"
	"fmt"

	"cloud.google.com/go/run/apiv2/runpb"

	v1 "runnel/api/v1"
	"runnel/cmd/runnel/format"
	"runnel/cmd/runnel/sheet"
	"runnel/cmd/runnel/verb"
)

// jobRow is a job as --format sees it; export leaves out what belongs to this
// host.
func (c *commands) jobRow(job *runpb.Job, export bool) (format.Row, error) {
	return sheet.Row(v1.FormatJob(job, v1.Options{Export: export}), map[string]any{
		"ready_symbol":       c.Mark(sheet.StateOf(job.GetTerminalCondition())).Symbol,
		"name":               verb.Short(job.GetName()),
		"region":             verb.Part(job.GetName(), "locations"),
		"author":             job.GetCreator(),
		"last_modifier":      job.GetLastModifier(),
		"creation_timestamp": sheet.Timestamp(job.GetCreateTime()),
	})
}

// executionRow is the same for an execution.
func (c *commands) executionRow(x *runpb.Execution, export bool) (format.Row, error) {
	return sheet.Row(v1.FormatExecution(x, v1.Options{Export: export}), map[string]any{
		"ready_symbol":       c.Mark(sheet.StateOf(completed(x))).Symbol,
		"name":               verb.Short(x.GetName()),
		"job_name":           verb.Part(x.GetName(), "jobs"),
		"region":             verb.Part(x.GetName(), "locations"),
		"author":             x.GetCreator(),
		"creation_timestamp": sheet.Timestamp(x.GetCreateTime()),
	})
}

// taskRow is the same for a task.
func (c *commands) taskRow(t *runpb.Task, export bool) (format.Row, error) {
	attributes := map[string]any{
		"ready_symbol":    c.Mark(taskState(t)).Symbol,
		"name":            verb.Short(t.GetName()),
		"index":           json.Number(fmt.Sprint(t.GetIndex())),
		"running_state":   runningState(t),
		"execution_name":  verb.Part(t.GetName(), "executions"),
		"job_name":        verb.Part(t.GetName(), "jobs"),
		"start_time":      sheet.Timestamp(t.GetStartTime()),
		"completion_time": sheet.Timestamp(t.GetCompletionTime()),
	}
	if t.GetStartTime() != nil {
		attributes["retries"] = json.Number(fmt.Sprint(t.GetRetried()))
	}
	return sheet.Row(v1.FormatTask(t, v1.Options{Export: export}), attributes)
}
