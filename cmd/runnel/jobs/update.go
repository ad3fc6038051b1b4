package jobs

import (
	"context"
	"fmt"

	"cloud.google.com/go/longrunning/autogen/longrunningpb"
	"cloud.google.com/go/run/apiv2/runpb"
	"github.com/spf13/cobra"
	"google.golang.org/grpc/codes"

	"runnel/cmd/runnel/cli"
	"runnel/cmd/runnel/client"
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
	cmd.Args = wantOne("the job's name")
	check := func() error {
		if err := s.check(); err != nil {
			return err
		}
		if !s.changes.Given() && !s.executeNow {
			return cli.Usagef("nothing to change: name at least one setting, see %s --help", cmd.CommandPath())
		}
		return nil
	}
	cmd.RunE = c.checked(check, func(ctx context.Context, r *remote, args []string) error {
		return s.store(ctx, r, r.job(args[0]), words{"Updating", "Updating", "updated"}, func(ctx context.Context) (*longrunningpb.Operation, error) {
			return s.updateJob(ctx, r, args[0])
		})
	})
	return cmd
}

// updateJob changes the job as it is now, and begins again if it is another by
// then.
func (s *submission) updateJob(ctx context.Context, r *remote, name string) (op *longrunningpb.Operation, err error) {
	for range maxConflicts {
		var job *runpb.Job
		if job, err = r.getJob(ctx, name); err != nil {
			return nil, err
		}
		if err = s.changes.Apply(job); err != nil {
			return nil, err
		}
		job.Client, job.ClientVersion = clientName, ""
		op, err = r.client.Jobs.UpdateJob(ctx, &runpb.UpdateJobRequest{Job: job})
		if !is(err, codes.Aborted) {
			return op, err
		}
	}
	return op, err
}

// getJob is the job of a name.
func (r *remote) getJob(ctx context.Context, name string) (*runpb.Job, error) {
	job, err := r.client.Jobs.GetJob(ctx, &runpb.GetJobRequest{Name: r.job(name)})
	return job, r.missing(err, "job", name)
}

// missing says what cannot be found, and where, if that is what err is about.
func (r *remote) missing(err error, kind, name string) error {
	if !is(err, codes.NotFound) {
		return err
	}
	message := fmt.Sprintf("cannot find %s [%s] in project [%s] region [%s]; see \"runnel jobs %slist\"",
		kind, short(name), r.project, r.region, map[string]string{"execution": "executions ", "task": "executions tasks "}[kind])
	return client.NewError(message, err)
}
