package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"runnel/cmd/runnel/cli"
	"runnel/cmd/runnel/doctor"
	"runnel/cmd/runnel/machine"
)

// newDoctorCommand builds "runnel doctor".
func newDoctorCommand(e env) *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Tell what this host lacks to run services and jobs",
		Long: `Look at each thing that this host must offer, and try it where that is possible
without changing anything. "degraded" means that jobs run, but that not
everything is as Cloud Run promises it; "missing" that they cannot run.

The exit status is 1 if anything is missing.`,
		Example: `  sudo runnel doctor
  sudo runnel doctor --format json | jq -r '.[] | select(.status != "ok").advice'`,
		Args: cli.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !slices.Contains(formats(), format) {
				return cli.Usagef("--format %s: want text or json", format)
			}
			return examine(cmd.Context(), e, format)
		},
	}
	cmd.Flags().StringVar(&format, "format", formatText, "output form, text or json")
	_ = cmd.RegisterFlagCompletionFunc("format", cobra.FixedCompletions(formats(), cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

// examine examines the host and shows the findings.
func examine(ctx context.Context, e env, format string) error {
	look := e.Examine
	if look == nil {
		look = examineHost
	}
	findings := look(ctx)
	out := findingsTable(findings)
	if format == formatJSON {
		data, err := json.MarshalIndent(findings, "", "  ")
		if err != nil {
			return err
		}
		out = append(data, '\n')
	}
	if _, err := e.Stdout.Write(out); err != nil {
		return fmt.Errorf("cannot write the output: %w", err)
	}
	if !doctor.Healthy(findings) {
		return cli.ErrFailed
	}
	return nil
}

// examineHost examines this machine.
func examineHost(ctx context.Context) []doctor.Finding {
	cfg := doctor.Config{StateDir: machine.PrivateRoots}
	cfg.Shim, cfg.ShimErr = machine.FindShim()
	return doctor.Examine(ctx, cfg)
}

// findingsTable shows findings to people.
func findingsTable(findings []doctor.Finding) []byte {
	var b bytes.Buffer
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "CHECK\tSTATUS\tDETAIL\tWHAT TO DO")
	for _, f := range findings {
		advice := f.Advice
		if advice == "" {
			advice = "-"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", f.Name, f.Status, f.Detail, advice)
	}
	_ = w.Flush() // a buffer takes everything
	return b.Bytes()
}
