package jobs

import (
	"context"

	"cloud.google.com/go/longrunning/autogen/longrunningpb"
	"cloud.google.com/go/run/apiv2/runpb"
	"github.com/spf13/cobra"
	"google.golang.org/grpc/codes"

	"runnel/cmd/runnel/cli"
	"runnel/cmd/runnel/verb"
)

// maxConflicts is how often an update begins again because somebody else has
// changed the job meanwhile.
const maxConflicts = 5

// update builds "runnel jobs update".
func (c *commands) update() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "update NAME [flags]",
		Short: "Change a job",
		Long:  `Change what the flags name. All else stays as it is; so do executions.`,
		Example: `  runnel jobs update etl --image host:5000/etl:v3
  runnel jobs update etl --update-env-vars MODE=delta --remove-env-vars DAY --execute-now`,
		ValidArgsFunction: c.completeJobs,
	}
	s := c.newSubmission(cmd)
	cmd.Args = verb.WantOne("the job's name")
	check := func() error {
		if err := s.check(); err != nil {
			return err
		}
		if !s.changes.Given() && !s.source.Given() && !s.executeNow {
			return cli.Usagef("nothing to change: name at least one setting, see %s --help", cmd.CommandPath())
		}
		return nil
	}
	cmd.RunE = c.Checked(check, func(ctx context.Context, r *verb.Remote, args []string) error {
		return s.store(ctx, r, r.Full(jobsOf, args[0]), words{"Updating", "Updating", "updated"}, func(ctx context.Context) (*longrunningpb.Operation, error) {
			return s.updateJob(ctx, r, args[0])
		})
	})
	return cmd
}

// updateJob changes the job as it is now, and begins again if it is another by
// then.
func (s *submission) updateJob(ctx context.Context, r *verb.Remote, name string) (op *longrunningpb.Operation, err error) {
	for range maxConflicts {
		var job *runpb.Job
		if job, err = getJob(ctx, r, name); err != nil {
			return nil, err
		}
		if err = s.changes.Apply(job); err != nil {
			return nil, err
		}
		job.Client, job.ClientVersion = clientName, ""
		op, err = r.Client.Jobs.UpdateJob(ctx, &runpb.UpdateJobRequest{Job: job})
		if !verb.Is(err, codes.Aborted) {
			return op, err
		}
	}
	return op, err
}

// getJob is the job of a name.
func getJob(ctx context.Context, r *verb.Remote, name string) (*runpb.Job, error) {
	job, err := r.Client.Jobs.GetJob(ctx, &runpb.GetJobRequest{Name: r.Full(jobsOf, name)})
	return job, missing(r, err, "job", name)
}

// missing says what cannot be found, if that is what err is about.
func missing(r *verb.Remote, err error, kind, name string) error {
	look := map[string]string{"job": "list", "execution": "executions list", "task": "executions tasks list"}[kind]
	return r.Missing(err, kind, name, "runnel jobs "+look)
}
