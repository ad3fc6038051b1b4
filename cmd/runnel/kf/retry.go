package kf

import (
	"context"
	"errors"
	"time"

	"github.com/spf13/cobra"

	"runnel/cmd/runnel/cli"
	"runnel/cmd/runnel/client"
	"runnel/cmd/runnel/verb"
)

// Defaults of retrying. Source: kf terminate-task.
const (
	defaultRetries    = 5
	defaultRetryDelay = time.Second
)

// retrying is the flags of commands that end something.
type retrying struct {
	async   bool
	retries int
	delay   time.Duration
}

// register adds the flags to cmd.
func (f *retrying) register(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&f.async, "async", false, "return at once, and let things happen")
	cmd.Flags().IntVar(&f.retries, "retries", defaultRetries, "how often to try again while the daemon is away")
	cmd.Flags().DurationVar(&f.delay, "retry-delay", defaultRetryDelay, "`time` between two tries")
}

// check refuses what cannot be waited.
func (f *retrying) check() error {
	switch {
	case f.retries < 0:
		return cli.Usagef("--retries %d: want 0 or more", f.retries)
	case f.delay < 0:
		return cli.Usagef("--retry-delay %s: want 0s or more", f.delay)
	}
	return nil
}

// try does something, and again while nobody answers. What the daemon refuses it
// would refuse again.
func (f *retrying) try(ctx context.Context, do func() error) error {
	for tries := 0; ; tries++ {
		err := do()
		if err == nil || !(client.Lost(err) || errors.Is(err, client.ErrUnreachable)) || tries == f.retries {
			return err
		}
		if err := verb.Pause(ctx, f.delay); err != nil {
			return err
		}
	}
}
