package jobs

import (
	"context"

	"cloud.google.com/go/longrunning/autogen/longrunningpb"
	"cloud.google.com/go/run/apiv2/runpb"
	"github.com/spf13/cobra"
	"google.golang.org/grpc/codes"

	v1 "runnel/api/v1"
	"runnel/cmd/runnel/cli"
	"runnel/cmd/runnel/verb"
)

// replace builds "runnel jobs replace".
func (c *commands) replace() *cobra.Command {
	s := &submission{commands: c}
	cmd := &cobra.Command{
		Use:   "replace FILE",
		Short: "Create or replace a job from a file",
		Long: `Create a job from a Cloud Run v1 Job file (kind Job of run.googleapis.com/v1), or
make the job of that name what the file says: what the file does not mention
gets its default. "-" reads the file from standard input.`,
		Example: `  runnel jobs describe etl --format export > etl.yaml
  runnel jobs replace etl.yaml`,
		Args: verb.WantOne("the job's file"),
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		job, err := cli.ParseFile(args[0], c.Env.Stdin, v1.ParseJob, v1.ValidateJob)
		if err != nil {
			return err
		}
		return c.Connected(func(ctx context.Context, r *verb.Remote, _ []string) error { return s.replaceJob(ctx, r, job) })(cmd, args)
	}
	cmd.Flags().BoolVar(&s.async, "async", false, "return at once, and let things happen")
	return cmd
}

// replaceJob stores a job that a file describes in full.
func (s *submission) replaceJob(ctx context.Context, r *verb.Remote, job *runpb.Job) error {
	id := verb.Short(job.GetName())
	job.Name, job.Client, job.ClientVersion = r.Full(jobsOf, id), clientName, ""
	w := words{"Updating", "Updating", "updated"}
	if _, err := r.Client.Jobs.GetJob(ctx, &runpb.GetJobRequest{Name: job.GetName()}); verb.Is(err, codes.NotFound) {
		w = words{"Creating", "Creating", "created"}
	} else if err != nil {
		return err
	}
	return s.store(ctx, r, job.GetName(), w, func(ctx context.Context) (*longrunningpb.Operation, error) {
		return r.Client.Jobs.UpdateJob(ctx, &runpb.UpdateJobRequest{Job: job, AllowMissing: true})
	})
}
