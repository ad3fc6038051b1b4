package jobs

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"cloud.google.com/go/run/apiv2/runpb"
	"google.golang.org/protobuf/types/known/durationpb"
)

// jobText describes a job to people.
func (c *commands) jobText(job *runpb.Job) []byte {
	var b bytes.Buffer
	c.heading(&b, stateOf(job.GetTerminalCondition()), "Job", job.GetName())
	fmt.Fprintf(&b, "Executed %s\n", count(job.GetExecutionCount(), "time"))
	if last := job.GetLatestCreatedExecution(); last.GetName() != "" {
		fmt.Fprintf(&b, "Last executed %v with execution %s\n", timestamp(last.GetCreateTime()), short(last.GetName()))
	}
	fmt.Fprintf(&b, "Last updated on %v by %s\n\n", timestamp(job.GetUpdateTime()), cmp.Or(job.GetLastModifier(), "?"))
	writeLabels(&b, job.GetLabels())
	t := job.GetTemplate()
	writeSheet(&b, append(countsSheet(t.GetTaskCount(), t.GetParallelism()), taskSheet(t.GetTemplate())...))
	c.writeMessage(&b, job.GetTerminalCondition())
	return b.Bytes()
}

// executionText describes an execution to people.
func (c *commands) executionText(x *runpb.Execution) []byte {
	var b bytes.Buffer
	done := completed(x)
	c.heading(&b, stateOf(done), "Execution", x.GetName())
	if stateOf(done) == working {
		fmt.Fprintf(&b, "%s currently running\n", count(x.GetRunningCount(), "task"))
	}
	fmt.Fprintf(&b, "%s completed successfully\n", count(x.GetSucceededCount(), "task"))
	if n := x.GetFailedCount(); n > 0 {
		fmt.Fprintf(&b, "%s failed to complete\n", count(n, "task"))
	}
	if n := x.GetCancelledCount(); n > 0 {
		fmt.Fprintf(&b, "%s cancelled\n", count(n, "task"))
	}
	if x.GetCompletionTime() != nil {
		fmt.Fprintf(&b, "Elapsed time: %s\n", elapsed(x.GetCompletionTime().AsTime().Sub(x.GetCreateTime().AsTime())))
	}
	if uri := x.GetLogUri(); uri != "" {
		fmt.Fprintf(&b, "\nLog URI: %s\n", uri)
	}
	fmt.Fprintln(&b)
	writeLabels(&b, x.GetLabels())
	writeSheet(&b, append(countsSheet(x.GetTaskCount(), x.GetParallelism()), taskSheet(x.GetTemplate())...))
	c.writeMessage(&b, done)
	return b.Bytes()
}

// taskText describes a task to people.
func (c *commands) taskText(t *runpb.Task) []byte {
	var b bytes.Buffer
	c.heading(&b, taskState(t), "Task", t.GetName())
	sheet := []item{{"Running state", runningState(t), 0}}
	if last := t.GetLastAttemptResult(); last != nil && t.GetCompletionTime() != nil {
		sheet = append(sheet, item{"Last Attempt Result", "", 0})
		message := last.GetStatus().GetMessage()
		switch signal, code := last.GetTermSignal(), last.GetExitCode(); {
		case signal != 0:
			sheet = append(sheet, item{"Signal", fmt.Sprint(signal), 1})
		case code != 0 || message == "": // who has failed without a code has not run
			sheet = append(sheet, item{"Exit Code", fmt.Sprint(code), 1})
		}
		sheet = append(sheet, item{"Message", message, 1})
	}
	writeSheet(&b, sheet)
	fmt.Fprintln(&b)
	writeSheet(&b, taskSheet(&runpb.TaskTemplate{
		Containers: t.GetContainers(), Timeout: t.GetTimeout(), ServiceAccount: t.GetServiceAccount(),
		Retries: &runpb.TaskTemplate_MaxRetries{MaxRetries: t.GetMaxRetries()},
	}))
	c.writeMessage(&b, condition(t.GetConditions(), conditionCompleted))
	return b.Bytes()
}

// heading writes the first line of a description.
func (c *commands) heading(b *bytes.Buffer, s state, kind, name string) {
	fmt.Fprintf(b, "%s %s %s in region %s\n", c.cell(s), kind, short(name), part(name, "locations"))
}

// writeMessage writes what the condition says that ends a resource's work.
func (c *commands) writeMessage(b *bytes.Buffer, done *runpb.Condition) {
	if message := done.GetMessage(); message != "" {
		m := c.mark(stateOf(done))
		fmt.Fprintln(b, c.colored(m, m.symbol+" "+message))
	}
}

// writeLabels writes labels in one line, if there are some.
func writeLabels(b *bytes.Buffer, labels map[string]string) {
	var all []string
	for k, v := range labels {
		all = append(all, k+":"+v)
	}
	if len(all) > 0 {
		slices.Sort(all)
		fmt.Fprintf(b, "%s\n\n", strings.Join(all, " "))
	}
}

// count is a number of things.
func count(n int32, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// elapsed is a duration in its two largest units, of which days are none.
func elapsed(d time.Duration) string {
	hours, minutes, seconds := int32(d.Hours()), int32(d.Minutes())%60, int32(d.Seconds())%60
	switch {
	case hours > 0:
		return count(hours, "hour") + " and " + count(minutes, "minute")
	case minutes > 0:
		return count(minutes, "minute") + " and " + count(seconds, "second")
	}
	return count(seconds, "second")
}

// brief is a duration such as 1h1m, without the units that are zero.
func brief(d *durationpb.Duration) string {
	if d == nil {
		return ""
	}
	left := d.AsDuration().Round(time.Second)
	var b strings.Builder
	for _, unit := range []struct {
		letter string
		length time.Duration
	}{{"d", 24 * time.Hour}, {"h", time.Hour}, {"m", time.Minute}, {"s", time.Second}} {
		if n := left / unit.length; n > 0 {
			fmt.Fprintf(&b, "%d%s", n, unit.letter)
			left -= n * unit.length
		}
	}
	return cmp.Or(b.String(), "0s")
}
