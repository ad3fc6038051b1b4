package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// Execute executes the command below root that args name, says what is wrong
// and returns what the program exits with. Results and help go to the streams
// of e.
func Execute(e Env, root *cobra.Command, args []string) int {
	root.SilenceErrors, root.SilenceUsage = true, true
	root.SetFlagErrorFunc(flagError)
	root.SetArgs(args)
	root.SetIn(e.Stdin)
	root.SetOut(e.Stdout)
	root.SetErr(e.Stderr)
	if len(args) > 0 && args[0] == cobra.ShellCompRequestCmd {
		unquote(root)
	}
	cmd, err := root.ExecuteC()
	if err != nil && !told(err) {
		for line := range strings.Lines(err.Error()) {
			fmt.Fprintf(e.Stderr, "%s: %s\n", cmd.CommandPath(), strings.TrimSuffix(line, "\n"))
		}
	}
	return ExitCode(err)
}

// unquote removes from the descriptions of flags what marks the names of their
// values for the help: completion would show it.
func unquote(cmd *cobra.Command) {
	plain := func(f *pflag.Flag) { f.Usage = strings.ReplaceAll(f.Usage, "`", "") }
	cmd.Flags().VisitAll(plain)
	cmd.PersistentFlags().VisitAll(plain)
	for _, c := range cmd.Commands() {
		unquote(c)
	}
}
