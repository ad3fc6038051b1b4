package main

import (
	"github.com/spf13/cobra"

	"runnel/cmd/runnel/cli"
)

// longRun teaches the command.
const longRun = `Run a job once and wait for its end.

The job comes from flags, or from a Cloud Run v1 Job file (kind Job of
run.googleapis.com/v1, as "gcloud run jobs describe --format export" writes
it); "-" reads the file from standard input.

Each line that a task prints goes to standard output as
"TASK-INDEX STREAM TEXT", at the end comes a table of the tasks. With
--format json each line is a JSON object, the last one describes the execution.
Progress goes to standard error.

The exit status is 0 if every task succeeded, 1 if the execution failed, 2 if
the command line or the file is wrong, 130 after Ctrl-C. Ctrl-C sends SIGTERM to
every task and SIGKILL 10 seconds later; a second Ctrl-C kills at once.

An IMAGE is a registry reference (debian, host:5000/repo:tag, repo@sha256:...),
oci:DIR[:TAG], oci-archive:FILE or docker-archive:FILE. Lists are separated by
commas; a list that begins with ^X^ is separated by X instead.`

const exampleRun = `  # Three tasks, each with its own index, two at a time
  sudo runnel run --image debian:stable-slim --tasks 3 --parallelism 2 \
       --command sh --args '-c,echo I am $CLOUD_RUN_TASK_INDEX'

  # Limits, a timeout for each attempt, no retries
  sudo runnel run --image host:5000/etl:v2 --cpu 2 --memory 1Gi \
       --task-timeout 10m5s --max-retries 0 --set-env-vars MODE=full,DAY=2026-11-21

  # A file, its result for a program to read
  sudo runnel run job.yaml --format json | jq -r 'select(.execution)'`

// newRunCommand builds "runnel run".
func newRunCommand(e env) *cobra.Command {
	f := new(runFlags)
	cmd := &cobra.Command{
		Use:     "run --image IMAGE [flags] | run FILE [flags]",
		Short:   "Run a job once and wait for its end",
		Long:    longRun,
		Example: exampleRun,
		Args:    cli.NotBeside,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := f.check(cmd.Flags(), args); err != nil {
				return err
			}
			job, err := f.job(cmd.Flags(), args, e.Stdin)
			if err != nil {
				return err
			}
			return newRunner(e, f).run(cmd.Context(), job)
		},
	}
	f.register(cmd.Flags())
	_ = cmd.RegisterFlagCompletionFunc("format", cobra.FixedCompletions(formats(), cobra.ShellCompDirectiveNoFileComp))
	_ = cmd.MarkFlagDirname("root") // both fail only for flags that do not exist
	return cmd
}
