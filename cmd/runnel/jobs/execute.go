package jobs

import (
	"context"
	"errors"
	"fmt"
	"io"

	"cloud.google.com/go/run/apiv2/runpb"
	"github.com/spf13/cobra"
	"google.golang.org/grpc/codes"

	"runnel/cmd/runnel/cli"
	"runnel/cmd/runnel/client"
	"runnel/cmd/runnel/jobs/change"
	"runnel/cmd/runnel/stages"
	"runnel/cmd/runnel/verb"
)

// executionFailed is an execution that has ended badly.
type executionFailed struct{ x *runpb.Execution }

// Error says no more than that; what there is to know is in the execution.
func (e *executionFailed) Error() string { return "the execution failed" }

// executeCommand builds "runnel jobs execute".
func (c *commands) executeCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "execute NAME [flags]",
		Short: "Execute a job",
		Long: `Execute a job, and return when the execution has started, with --wait when it
has ended, and with --async at once. What the flags change holds for this
execution only: arguments and the number of tasks replace the job's, environment
variables are merged with them.

The exit status is 0 if the execution has started (with --wait: if every task
succeeded), and 1 if it failed. Ctrl-C leaves the execution to itself.`,
		Example: `  runnel jobs execute etl --wait
  runnel jobs execute etl --args '-c,date' --update-env-vars DAY=2026-11-21 --tasks 1`,
		Args:              verb.WantOne("the job's name"),
		ValidArgsFunction: c.completeJobs,
	}
	s := &submission{commands: c}
	cmd.Flags().SortFlags = false
	overrides := change.RegisterOverrides(cmd.Flags())
	s.registerWaiting(cmd)
	var request runpb.RunJobRequest
	check := func() (err error) {
		if s.async && s.wait {
			return cli.Usagef("--async: cannot stand beside --wait")
		}
		request.Overrides, err = overrides.Request()
		return err
	}
	cmd.RunE = c.Checked(check, func(ctx context.Context, r *verb.Remote, args []string) error {
		request.Name = r.Full(jobsOf, args[0])
		return s.executeOnly(ctx, r, &request)
	})
	return cmd
}

// executeOnly executes a job that is there, and tells how it went.
func (s *submission) executeOnly(ctx context.Context, r *verb.Remote, request *runpb.RunJobRequest) error {
	env := s.Env
	if s.async {
		env.Stderr, env.Screen = io.Discard, false
	}
	tracker := stages.New(env, "Creating execution...", executionStages(s.wait)...)
	x, err := s.execute(ctx, r, tracker, request)
	if err != nil {
		return s.ended(ctx, tracker, "Executing job failed", x, err)
	}
	tracker.Close(stages.Done, "Done.")
	switch name := verb.Short(x.GetName()); {
	case s.async:
		s.Say("Execution [%s] is being started asynchronously.", name)
	case s.wait:
		s.Say("Execution [%s] has successfully completed.", name)
	default:
		s.Say("Execution [%s] has successfully started running.", name)
	}
	s.Say("%s", describeHint(x))
	if s.Nothing() {
		return nil
	}
	return s.showExecution(x)
}

// execute has the daemon execute a job and waits as long as the flags say. It
// returns the execution with an error if it has come to be: *executionFailed if
// it has failed.
func (s *submission) execute(ctx context.Context, r *verb.Remote, tracker *stages.Tracker, request *runpb.RunJobRequest) (*runpb.Execution, error) {
	op, err := r.Client.Jobs.RunJob(ctx, request)
	switch {
	case verb.Is(err, codes.ResourceExhausted):
		return nil, client.NewError("too many executions run already; wait until one has ended", err)
	case err != nil:
		return nil, missing(r, err, "job", verb.Short(request.GetName()))
	}
	x := &runpb.Execution{}
	if err := verb.Unpack(op, x); err != nil {
		return nil, err
	}
	if s.async {
		return x, nil
	}
	x, err = verb.Follow(ctx, r, op, x, func(x *runpb.Execution) bool {
		showExecutionStages(tracker, x, s.wait)
		return !s.wait && started(x)
	})
	var failure *verb.Failed
	if err == nil && !succeeded(x) && (s.wait || !started(x)) || errors.As(err, &failure) && !(started(x) && !s.wait) {
		return x, &executionFailed{x}
	}
	if failure != nil {
		err = nil // it has started, which is all that was waited for
	}
	return x, err
}

// ended closes the tracker after err, and says what there is to know about the
// execution, if one has begun.
func (s *submission) ended(ctx context.Context, tracker *stages.Tracker, word string, x *runpb.Execution, err error) error {
	var stopped *cli.Interrupted
	var failure *executionFailed
	switch {
	case errors.As(context.Cause(ctx), &stopped):
		tracker.Close(stages.Interrupted, "Aborted.")
		if x != nil {
			name := verb.Short(x.GetName())
			s.Say("Execution [%s] goes on without this command.\n\nTo see how it is doing, use:\nrunnel jobs executions describe %[1]s\n\nTo cancel it, use:\nrunnel jobs executions cancel %[1]s", name)
		}
		return stopped
	case errors.As(err, &failure):
		tracker.Close(stages.Failed, word)
		s.Say("The execution failed.")
		if message := completed(x).GetMessage(); message != "" {
			s.Say("%s", message)
		}
		s.Say("%s", describeHint(x))
		s.Say("\nSee what it printed by running:\nrunnel jobs executions logs %s", verb.Short(x.GetName()))
		return cli.ErrFailed
	}
	tracker.Close(stages.Failed, word)
	return err
}

// describeHint says how to learn more about an execution.
func describeHint(x *runpb.Execution) string {
	return fmt.Sprintf("\nView details about this execution by running:\nrunnel jobs executions describe %s", verb.Short(x.GetName()))
}
