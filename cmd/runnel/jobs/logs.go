package jobs

import (
	"context"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"runnel/cmd/runnel/cli"
	"runnel/cmd/runnel/entries"
	"runnel/cmd/runnel/verb"
	"runnel/contract"
)

// jobLogs builds "runnel jobs logs".
func (c *commands) jobLogs() *cobra.Command {
	return entries.Command(&cobra.Command{
		Use:   "logs NAME",
		Short: "Show what the tasks of a job have printed",
		Long: `Show what the tasks of a job's executions have printed, the oldest lines first.
With --follow, go on until the executions that run have ended.`,
		Example: `  runnel jobs logs etl --limit 100
  runnel jobs logs etl --follow
  runnel jobs logs etl --log-filter 'severity>=ERROR' --format json`,
		Args:              verb.WantOne("the job's name"),
		ValidArgsFunction: c.completeJobs,
	}, c.logging(func(ctx context.Context, r *verb.Remote, name string) (string, error) {
		job, err := getJob(ctx, r, name)
		return job.GetName(), err
	}))
}

// executionLogs builds "runnel jobs executions logs".
func (c *commands) executionLogs() *cobra.Command {
	return entries.Command(&cobra.Command{
		Use:   "logs NAME",
		Short: "Show what the tasks of an execution have printed",
		Long: `Show what the tasks of an execution have printed, the oldest lines first. With
--follow, go on until the execution has ended.`,
		Example: `  runnel jobs executions logs etl-abcde --task 3
  runnel jobs executions logs etl-abcde --follow`,
		Args:              verb.WantOne("the execution's name"),
		ValidArgsFunction: c.completeExecutions,
	}, c.logging(func(ctx context.Context, r *verb.Remote, name string) (string, error) {
		x, err := getExecution(ctx, r, name)
		return x.GetName(), err
	}))
}

// logging makes verbs that show what tasks have printed; find is the full name
// of whose tasks they are.
func (c *commands) logging(find func(ctx context.Context, r *verb.Remote, name string) (full string, err error)) func() *entries.Logging {
	return func() *entries.Logging {
		task := -1
		return &entries.Logging{
			Frame: c.Frame, Find: find, Of: "tasks",
			About: func(name string) []string { return about(name, task) },
			Flags: func(set *pflag.FlagSet) {
				set.IntVar(&task, "task", task, "`index` of the only task to show")
				set.Lookup("task").DefValue = "0" // a zero value, which help does not show
			},
			CheckFlags: func() error {
				if task < -1 || task >= contract.MaxTasks {
					return cli.Usagef("--task %d: want 0 to %d", task, contract.MaxTasks-1)
				}
				return nil
			},
			Query: func() map[string][]string {
				if task < 0 {
					return nil
				}
				return map[string][]string{"task": {strconv.Itoa(task)}}
			},
			Chosen: func() bool { return task >= 0 },
		}
	}
}

// about are the terms of a filter for the entries of a job or an execution, or
// of one of its tasks.
func about(name string, task int) []string {
	terms := []string{
		`resource.type = "cloud_run_job"`,
		fmt.Sprintf("resource.labels.job_name = %q", verb.Part(name, "jobs")),
		fmt.Sprintf("resource.labels.location = %q", verb.Part(name, "locations")),
	}
	if execution := verb.Part(name, "executions"); execution != "" {
		terms = append(terms, fmt.Sprintf(`labels."run.googleapis.com/execution_name" = %q`, execution))
	}
	if task >= 0 {
		terms = append(terms, fmt.Sprintf(`labels."run.googleapis.com/task_index" = "%d"`, task))
	}
	return terms
}
