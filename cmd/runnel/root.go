package main

import (
	"github.com/spf13/cobra"

	"runnel/cmd/runnel/cli"
	"runnel/cmd/runnel/daemon"
	"runnel/cmd/runnel/gcloudenv"
	"runnel/cmd/runnel/jobs"
	"runnel/cmd/runnel/kf"
	"runnel/cmd/runnel/schedules"
	"runnel/cmd/runnel/services"
	"runnel/cmd/runnel/workerpools"
)

// run executes one command and returns the program's exit code.
func run(e env) int { return cli.Execute(e.Env, newRoot(e), e.Args) }

func newRoot(e env) *cobra.Command {
	root := cli.Group(&cobra.Command{
		Use:   "runnel",
		Short: "Run Cloud Run services, jobs and worker pools on this host",
		Long: `Runnel runs OCI images as Cloud Run services, jobs and worker pools on one Linux
host, under Cloud Run's container contract: requests start instances, load scales
them and silence stops them; tasks run to their end, with retries and timeouts;
workers run as many as they are told, all the time. Each has its own network,
metadata server, CPU and memory limits. It needs neither Docker nor Kubernetes.`,
		Example: `  sudo runnel doctor
  sudo runnel serve
  runnel deploy hello --image host:5000/hello --allow-unauthenticated
  runnel jobs create etl --image debian:stable-slim --tasks 3
  runnel jobs schedule etl "0 3 * * *" --time-zone Europe/Paris
  runnel worker-pools deploy puller --image host:5000/puller --instances 3
  runnel deploy site --source . --no-build --base-image python:3-slim \
       --command python3 --args main.py
  sudo runnel run --image debian:stable-slim --command echo --args hello --tasks 3
  sudo runnel run job.yaml`,
	})
	root.AddCommand(
		newRunCommand(e), daemon.NewServeCommand(e.Env),
		services.NewDeploy(e.Env), services.New(e.Env), services.NewRevisions(e.Env), workerpools.New(e.Env),
		jobs.New(e.Env), schedules.New(e.Env), kf.New(e.Env),
		gcloudenv.New(e.Env), newDoctorCommand(e), newVersionCommand(e),
	)
	return root
}
