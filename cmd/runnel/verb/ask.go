package verb

import (
	"bufio"
	"context"
	"fmt"
	"strings"

	"runnel/cmd/runnel/cli"
)

// Confirm tells what is about to happen and asks whether it shall. Where nobody
// is there to answer, only --quiet lets it happen.
func (f *Frame) Confirm(ctx context.Context, what string) error {
	if f.Quiet {
		return nil
	}
	if !f.Env.Attended {
		return cli.Usagef("%s Nobody is here to confirm that: add --quiet to go ahead", what)
	}
	fmt.Fprintf(f.Env.Stderr, "%s\n\nDo you want to continue (Y/n)?  ", what)
	answer, err := f.answer(ctx)
	if err != nil {
		return err
	}
	switch strings.ToLower(answer) {
	case "", "y", "yes":
		return nil
	}
	f.Say("Aborted by user.")
	return cli.ErrFailed
}

// Agrees asks a question whose answer is no unless somebody says yes; who is not
// there must not be asked.
func (f *Frame) Agrees(ctx context.Context, question string) (bool, error) {
	fmt.Fprintf(f.Env.Stderr, "%s (y/N)?  ", question)
	answer, err := f.answer(ctx)
	return strings.EqualFold(answer, "y") || strings.EqualFold(answer, "yes"), err
}

// answer reads a line of what a person types.
func (f *Frame) answer(ctx context.Context) (string, error) {
	type line struct {
		text string
		err  error
	}
	read := make(chan line, 1)
	// Nothing ends reading from a terminal: after a signal the goroutine ends
	// with the process.
	go func() {
		text, err := bufio.NewReader(f.Env.Stdin).ReadString('\n')
		read <- line{text, err}
	}()
	select {
	case <-ctx.Done():
		fmt.Fprintln(f.Env.Stderr)
		return "", context.Cause(ctx)
	case l := <-read:
		if l.err != nil && l.text == "" {
			fmt.Fprintln(f.Env.Stderr)
			f.Say("Aborted by user.")
			return "", cli.ErrFailed
		}
		return strings.TrimSpace(l.text), nil
	}
}

// NameArgument is the name that was given to a verb that makes a resource of a
// kind, such as job or worker pool, or that a person agrees to.
func (f *Frame) NameArgument(ctx context.Context, args []string, kind, image string) (string, error) {
	if len(args) > 0 {
		return args[0], nil
	}
	if !f.Env.Attended || f.Quiet || image == "" {
		return "", cli.Usagef("the %s's name is missing", kind)
	}
	suggestion := cli.NameOf(strings.ReplaceAll(kind, " ", "-"), image)
	fmt.Fprintf(f.Env.Stderr, "%s name (%s):  ", strings.ToUpper(kind[:1])+kind[1:], suggestion)
	name, err := f.answer(ctx)
	if err != nil || name != "" {
		return name, err
	}
	return suggestion, nil
}
