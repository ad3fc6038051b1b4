package main

import (
	"github.com/spf13/cobra"

	"runnel/cmd/runnel/cli"
	"runnel/cmd/runnel/daemon"
	"runnel/cmd/runnel/gcloudenv"
	"runnel/cmd/runnel/jobs"
)

// run executes one command and returns the program's exit code.
func run(e env) int { return cli.Execute(e.Env, newRoot(e), e.Args) }

func newRoot(e env) *cobra.Command {
	root := cli.Group(&cobra.Command{
		Use:   "runnel",
		Short: "Run Cloud Run jobs on this host",
		Long: `Runnel runs OCI images as Cloud Run jobs on one Linux host, under Cloud Run's
container contract: isolated tasks with their own network, metadata server,
CPU and memory limits, retries and timeouts. It needs neither Docker nor
Kubernetes.`,
		Example: `  sudo runnel doctor
  sudo runnel run --image debian:stable-slim --command echo --args hello --tasks 3
  sudo runnel run job.yaml`,
	})
	root.AddCommand(newRunCommand(e), daemon.NewServeCommand(e.Env), jobs.New(e.Env), gcloudenv.New(e.Env), newDoctorCommand(e), newVersionCommand(e))
	return root
}
