package jobs

import (
	"bytes"
	"cmp"
	"fmt"

	"cloud.google.com/go/run/apiv2/runpb"

	"runnel/cmd/runnel/sheet"
	"runnel/cmd/runnel/verb"
)

// jobText describes a job to people.
func (c *commands) jobText(job *runpb.Job) []byte {
	var b bytes.Buffer
	c.Heading(&b, sheet.StateOf(job.GetTerminalCondition()), "Job", job.GetName())
	fmt.Fprintf(&b, "Executed %s\n", sheet.Count(job.GetExecutionCount(), "time"))
	if last := job.GetLatestCreatedExecution(); last.GetName() != "" {
		fmt.Fprintf(&b, "Last executed %v with execution %s\n", sheet.Timestamp(last.GetCreateTime()), verb.Short(last.GetName()))
	}
	fmt.Fprintf(&b, "Last updated on %v by %s\n\n", sheet.Timestamp(job.GetUpdateTime()), cmp.Or(job.GetLastModifier(), "?"))
	sheet.Labels(&b, job.GetLabels())
	t := job.GetTemplate()
	sheet.Write(&b, append(countsSheet(t.GetTaskCount(), t.GetParallelism()), taskSheet(t.GetTemplate())...))
	c.Message(&b, job.GetTerminalCondition())
	return b.Bytes()
}

// executionText describes an execution to people.
func (c *commands) executionText(x *runpb.Execution) []byte {
	var b bytes.Buffer
	done := completed(x)
	c.Heading(&b, sheet.StateOf(done), "Execution", x.GetName())
	if sheet.StateOf(done) == sheet.Working {
		fmt.Fprintf(&b, "%s currently running\n", sheet.Count(x.GetRunningCount(), "task"))
	}
	fmt.Fprintf(&b, "%s completed successfully\n", sheet.Count(x.GetSucceededCount(), "task"))
	if n := x.GetFailedCount(); n > 0 {
		fmt.Fprintf(&b, "%s failed to complete\n", sheet.Count(n, "task"))
	}
	if n := x.GetCancelledCount(); n > 0 {
		fmt.Fprintf(&b, "%s cancelled\n", sheet.Count(n, "task"))
	}
	if x.GetCompletionTime() != nil {
		fmt.Fprintf(&b, "Elapsed time: %s\n", sheet.Elapsed(x.GetCompletionTime().AsTime().Sub(x.GetCreateTime().AsTime())))
	}
	if uri := x.GetLogUri(); uri != "" {
		fmt.Fprintf(&b, "\nLog URI: %s\n", uri)
	}
	fmt.Fprintln(&b)
	sheet.Labels(&b, x.GetLabels())
	sheet.Write(&b, append(countsSheet(x.GetTaskCount(), x.GetParallelism()), taskSheet(x.GetTemplate())...))
	c.Message(&b, done)
	return b.Bytes()
}

// taskText describes a task to people.
func (c *commands) taskText(t *runpb.Task) []byte {
	var b bytes.Buffer
	c.Heading(&b, taskState(t), "Task", t.GetName())
	all := []sheet.Item{sheet.Line(0, "Running state", runningState(t))}
	if last := t.GetLastAttemptResult(); last != nil && t.GetCompletionTime() != nil {
		all = append(all, sheet.Line(0, "Last Attempt Result", ""))
		message := last.GetStatus().GetMessage()
		switch signal, code := last.GetTermSignal(), last.GetExitCode(); {
		case signal != 0:
			all = append(all, sheet.Line(1, "Signal", fmt.Sprint(signal)))
		case code != 0 || message == "": // who has failed without a code has not run
			all = append(all, sheet.Line(1, "Exit Code", fmt.Sprint(code)))
		}
		all = append(all, sheet.Line(1, "Message", message))
	}
	sheet.Write(&b, all)
	fmt.Fprintln(&b)
	sheet.Write(&b, taskSheet(&runpb.TaskTemplate{
		Containers: t.GetContainers(), Timeout: t.GetTimeout(), ServiceAccount: t.GetServiceAccount(),
		Retries: &runpb.TaskTemplate_MaxRetries{MaxRetries: t.GetMaxRetries()},
	}))
	c.Message(&b, sheet.Condition(t.GetConditions(), conditionCompleted))
	return b.Bytes()
}
