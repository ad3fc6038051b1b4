package jobs

import (
	"cmp"
	"context"

	"cloud.google.com/go/longrunning/autogen/longrunningpb"
	"cloud.google.com/go/run/apiv2/runpb"
	"github.com/spf13/cobra"
	"google.golang.org/grpc/codes"

	"runnel/cmd/runnel/cli"
	"runnel/cmd/runnel/client"
	"runnel/cmd/runnel/verb"
)

// clientName is what jobs remember of the program that stored them.
const clientName = "runnel"

// create builds "runnel jobs create".
func (c *commands) create() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "create NAME {--image IMAGE | --source DIR} [flags]",
		Short: "Create a job",
		Long: `Create a job from flags, and execute it if --execute-now or --wait says so.

Lists are separated by commas; a list that begins with ^X^ is separated by X
instead. The daemon fetches the image before the command returns. --source deploys
a directory in its place, as "runnel deploy --help" tells.`,
		Example: `  runnel jobs create hello --image busybox --command echo --args hello
  runnel jobs create etl --image host:5000/etl:v2 --tasks 100 --parallelism 10 \
       --cpu 2 --memory 1Gi --task-timeout 10m5s --set-env-vars MODE=full --wait`,
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	s := c.newSubmission(cmd)
	cmd.RunE = c.Checked(s.check, func(ctx context.Context, r *verb.Remote, args []string) error {
		if err := s.wantImage(); err != nil {
			return err
		}
		name, err := c.NameArgument(ctx, args, "job", cmp.Or(s.changes.Image(), s.source.Name()))
		if err != nil {
			return err
		}
		return s.store(ctx, r, r.Full(jobsOf, name), words{"Creating", "Creating", "created"}, func(ctx context.Context) (*longrunningpb.Operation, error) {
			op, err := s.createJob(ctx, r, name)
			if err = r.Client.Explain(err); verb.Is(err, codes.AlreadyExists) {
				err = client.NewError("job ["+name+"] exists already; change it with \"runnel jobs update\" or \"runnel jobs deploy\"", err)
			}
			return op, err
		})
	})
	return cmd
}

// deploy builds "runnel jobs deploy".
func (c *commands) deploy() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "deploy NAME {--image IMAGE | --source DIR} [flags]",
		Short: "Create a job, or update it if it exists",
		Long: `Create a job if there is none of that name, and update it otherwise. What no
flag names stays as it is.`,
		Example: `  runnel jobs deploy etl --image host:5000/etl:v3 --execute-now
  runnel jobs deploy etl --source . --no-build --base-image python:3-slim \
       --command python3 --args main.py`,
		ValidArgsFunction: c.completeJobs,
	}
	s := c.newSubmission(cmd)
	cmd.RunE = c.Checked(s.check, func(ctx context.Context, r *verb.Remote, args []string) error {
		if err := s.wantImage(); err != nil {
			return err
		}
		name, err := c.NameArgument(ctx, args, "job", cmp.Or(s.changes.Image(), s.source.Name()))
		if err != nil {
			return err
		}
		step := "Updating"
		if _, err := r.Client.Jobs.GetJob(ctx, &runpb.GetJobRequest{Name: r.Full(jobsOf, name)}); verb.Is(err, codes.NotFound) {
			step = "Creating"
		} else if err != nil {
			return err
		}
		return s.store(ctx, r, r.Full(jobsOf, name), words{"Deploying container to", step, "deployed"}, func(ctx context.Context) (*longrunningpb.Operation, error) {
			if step == "Creating" {
				op, err := s.createJob(ctx, r, name)
				if !verb.Is(err, codes.AlreadyExists) {
					return op, err
				}
			}
			return s.updateJob(ctx, r, name)
		})
	})
	return cmd
}

// wantImage refuses a new job without an image, and a file in place of one.
func (s *submission) wantImage() error {
	image := s.changes.Image()
	if image == "" && !s.source.Given() {
		return cli.Usagef("--image is missing: name an image, such as debian:stable-slim, or a directory with --source")
	}
	return cli.CheckImage(image)
}

// createJob asks the daemon to create the job that the flags describe.
func (s *submission) createJob(ctx context.Context, r *verb.Remote, name string) (*longrunningpb.Operation, error) {
	job := &runpb.Job{Client: clientName}
	if err := s.changes.Apply(job); err != nil {
		return nil, err
	}
	return r.Client.Jobs.CreateJob(ctx, &runpb.CreateJobRequest{Parent: r.Location(), JobId: name, Job: job})
}
