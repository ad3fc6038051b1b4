package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
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
	cmd, err := root.ExecuteC()
	if err != nil && !told(err) {
		for line := range strings.Lines(err.Error()) {
			fmt.Fprintf(e.Stderr, "%s: %s\n", cmd.CommandPath(), strings.TrimSuffix(line, "\n"))
		}
	}
	return ExitCode(err)
}
