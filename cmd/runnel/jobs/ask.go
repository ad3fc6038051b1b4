package jobs

import (
	"bufio"
	"context"
	"fmt"
	"strings"

	"runnel/cmd/runnel/cli"
)

// confirm tells what is about to happen and asks whether it shall. Where nobody
// is there to answer, only --quiet lets it happen.
func (c *commands) confirm(ctx context.Context, what string) error {
	if c.quiet {
		return nil
	}
	if !c.env.Attended {
		return cli.Usagef("%s Nobody is here to confirm that: add --quiet to go ahead", what)
	}
	fmt.Fprintf(c.env.Stderr, "%s\n\nDo you want to continue (Y/n)?  ", what)
	answer, err := c.answer(ctx)
	if err != nil {
		return err
	}
	switch strings.ToLower(answer) {
	case "", "y", "yes":
		return nil
	}
	c.say("Aborted by user.")
	return cli.ErrFailed
}

// answer reads a line of what a person types.
func (c *commands) answer(ctx context.Context) (string, error) {
	type line struct {
		text string
		err  error
	}
	read := make(chan line, 1)
	// Nothing ends reading from a terminal: after a signal the goroutine ends
	// with the process.
	go func() {
		text, err := bufio.NewReader(c.env.Stdin).ReadString('\n')
		read <- line{text, err}
	}()
	select {
	case <-ctx.Done():
		fmt.Fprintln(c.env.Stderr)
		return "", context.Cause(ctx)
	case l := <-read:
		if l.err != nil && l.text == "" {
			fmt.Fprintln(c.env.Stderr)
			c.say("Aborted by user.")
			return "", cli.ErrFailed
		}
		return strings.TrimSpace(l.text), nil
	}
}

// jobArgument is the name that was given to a verb that makes a job, or that a
// person agrees to.
func (c *commands) jobArgument(ctx context.Context, args []string, image string) (string, error) {
	if len(args) > 0 {
		return args[0], nil
	}
	if !c.env.Attended || c.quiet || image == "" {
		return "", cli.Usagef("the job's name is missing")
	}
	suggestion := cli.JobName(image)
	fmt.Fprintf(c.env.Stderr, "Job name (%s):  ", suggestion)
	name, err := c.answer(ctx)
	if err != nil || name != "" {
		return name, err
	}
	return suggestion, nil
}
