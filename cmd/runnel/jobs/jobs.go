// Package jobs is "runnel jobs": the verbs of gcloud run jobs, as a client of a
// daemon's API. What a verb returns goes to standard output, all that is said
// about it to standard error. Whatever the daemon decides is left to it.
package jobs

import (
	"github.com/spf13/cobra"

	"runnel/cmd/runnel/cli"
	"runnel/cmd/runnel/client"
	"runnel/cmd/runnel/sheet"
	"runnel/cmd/runnel/verb"
)

const longJobs = `Create, run and look after the jobs of a daemon ("runnel serve"), with the flags
and the output of "gcloud run jobs".

The daemon is that of this machine, on ` + client.DefaultHost + `,
unless --host or RUNNEL_HOST names another: unix:///PATH, http://HOST:PORT or
https://HOST:PORT. Over TCP it asks for a token (--token-file or
RUNNEL_TOKEN_FILE).

A job holds what its executions are made from; an execution is one run of it,
and consists of tasks. Each task is tried again until it succeeds or has no
retry left.`

const exampleJobs = `  runnel jobs create etl --image debian:stable-slim --tasks 3 \
       --command sh --args '-c,echo I am $CLOUD_RUN_TASK_INDEX'
  runnel jobs execute etl --wait
  runnel jobs executions list --job etl
  runnel jobs executions logs etl-abcde
  runnel jobs schedule etl "0 3 * * *"
  runnel jobs update etl --max-retries 0 --execute-now
  runnel jobs describe etl --format export > etl.yaml
  runnel jobs replace etl.yaml`

// Collections of what the verbs are about, below a location.
const (
	jobsOf       = "jobs"
	executionsOf = "jobs/" + verb.AnyID + "/executions" // whatever their job
)

// commands is what all verbs share.
type commands struct {
	*verb.Frame
	sheet.Palette
}

// newCommands is what they share in the surroundings e.
func newCommands(e cli.Env) *commands {
	return &commands{Frame: verb.NewFrame(e), Palette: sheet.PaletteOf(e)}
}

// New builds "runnel jobs" with everything below it.
func New(e cli.Env) *cobra.Command {
	c := newCommands(e)
	root := cli.Group(&cobra.Command{
		Use:     "jobs",
		Short:   "Create, run and look after the jobs of a daemon",
		Long:    longJobs,
		Example: exampleJobs,
	})
	c.Register(root, "job")
	root.AddCommand(
		c.create(), c.deploy(), c.update(), c.replace(), c.executeCommand(), c.schedule(),
		c.describeJob(), c.listJobs(), c.deleteJob(), c.jobLogs(), c.executions(),
	)
	return root
}

// executions builds "runnel jobs executions".
func (c *commands) executions() *cobra.Command {
	group := cli.Group(&cobra.Command{
		Use:   "executions",
		Short: "Look after the executions of jobs",
		Example: `  runnel jobs executions list --job etl
  runnel jobs executions describe etl-abcde
  runnel jobs executions cancel etl-abcde`,
	})
	tasks := cli.Group(&cobra.Command{
		Use:   "tasks",
		Short: "See how the tasks of an execution are doing",
		Example: `  runnel jobs executions tasks list --execution etl-abcde --failed
  runnel jobs executions tasks describe etl-abcde-task0`,
	})
	tasks.AddCommand(c.listTasks(), c.describeTask())
	group.AddCommand(
		c.listExecutions(), c.describeExecution(), c.cancelExecution(), c.deleteExecution(), c.executionLogs(), tasks,
	)
	return group
}
