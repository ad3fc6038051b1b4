package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"runnel/api"
)

// run executes one command and returns the program's exit code.
func run(e env) int {
	root := newRoot(e)
	root.SetArgs(e.Args)
	root.SetIn(e.Stdin)
	root.SetOut(e.Stdout)
	root.SetErr(e.Stderr)
	cmd, err := root.ExecuteC()
	if err != nil && !told(err) {
		for line := range strings.Lines(err.Error()) {
			fmt.Fprintf(e.Stderr, "%s: %s\n", cmd.CommandPath(), strings.TrimSuffix(line, "\n"))
		}
	}
	return exitCode(err)
}

func newRoot(e env) *cobra.Command {
	root := &cobra.Command{
		Use:   "runnel",
		Short: "Run Cloud Run jobs on this host",
		Long: `Runnel runs OCI images as Cloud Run jobs on one Linux host, under Cloud Run's
container contract: isolated tasks with their own network, metadata server,
CPU and memory limits, retries and timeouts. It needs neither Docker nor
Kubernetes.`,
		Example: `  sudo runnel doctor
  sudo runnel run --image debian:stable-slim --command echo --args hello --tasks 3
  sudo runnel run job.yaml`,
		SilenceErrors: true,
		SilenceUsage:  true,
		// Without a Run cobra would report unknown commands in its own way.
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return cmd.Help()
			}
			return unknownCommand(cmd, args[0])
		},
	}
	root.SetFlagErrorFunc(flagError)
	root.AddCommand(newRunCommand(e), newDoctorCommand(e), newVersionCommand(e))
	return root
}

// unknownCommand names the command that was probably meant.
func unknownCommand(cmd *cobra.Command, name string) error {
	names := make([]string, 0, len(cmd.Commands()))
	for _, c := range cmd.Commands() {
		names = append(names, c.Name())
	}
	return usagef("unknown command %q%s", name, didYouMean(cmd.CommandPath(), "", api.Nearest(name, names)))
}

// flagError words what the flag parser has found.
func flagError(cmd *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	var missing *pflag.ValueRequiredError
	var invalid *pflag.InvalidValueError
	switch {
	case errors.As(err, &unknown):
		name := unknown.GetSpecifiedName()
		if unknown.GetSpecifiedShortnames() != "" {
			return usagef("unknown flag -%s", name)
		}
		var names []string
		cmd.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
		return usagef("unknown flag --%s%s", name, didYouMean(cmd.CommandPath(), "--", meant(name, names)))
	case errors.As(err, &missing):
		return usagef("--%s: a value is missing", missing.GetSpecifiedName())
	case errors.As(err, &invalid):
		f := invalid.GetFlag()
		return usagef("--%s %s: want %s", f.Name, invalid.GetValue(), wanted(f.Value.Type()))
	}
	return usagef("%v", err)
}

// wanted describes a flag's type to people.
func wanted(flagType string) string {
	switch flagType {
	case "int", "int64":
		return "a whole number"
	case "bool":
		return "true or false"
	}
	return "a " + flagType
}

// noArgs refuses arguments.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usagef("unexpected argument %q: this command takes none", args[0])
	}
	return nil
}
