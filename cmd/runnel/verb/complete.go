package verb

import (
	"context"
	"time"

	"github.com/spf13/cobra"
)

const (
	// completionTime is how long a shell waits for names.
	completionTime = time.Second
	// MaxCompletions is how many names it is told.
	MaxCompletions = 100
)

// Complete asks the daemon for the names that an argument may have, if it is the
// first, or a flag. If the daemon does not answer in time there are none.
func (f *Frame) Complete(cmd *cobra.Command, args []string, names func(context.Context, *Remote) []string) ([]cobra.Completion, cobra.ShellCompDirective) {
	const directive = cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveKeepOrder
	if len(args) > 0 {
		return nil, directive
	}
	ctx, cancel := context.WithTimeout(contextOf(cmd), completionTime)
	defer cancel()
	r, err := f.Connect(ctx)
	if err != nil {
		return nil, directive
	}
	defer func() { _ = r.Client.Close() }() // nobody to tell
	return names(ctx, r), directive
}

// contextOf is the context of cmd, which has none while it is completed.
func contextOf(cmd *cobra.Command) context.Context {
	if ctx := cmd.Context(); ctx != nil {
		return ctx
	}
	return context.Background()
}
