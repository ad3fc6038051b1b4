// Package verb is what the verbs of jobs and of services have in common: the
// flags that say which daemon and which place are meant, the connection, waiting
// for operations, lists, questions and completion. What a verb returns goes to
// standard output, all that is said about it to standard error.
package verb

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"runnel/cmd/runnel/cli"
	"runnel/cmd/runnel/client"
	"runnel/cmd/runnel/format"
)

// Frame is what all verbs share: the world outside, and the flags that each of
// them has.
type Frame struct {
	Env cli.Env
	// Quiet says that nothing is asked.
	Quiet bool

	host, tokenFile, caFile string
	project, region         string
	format                  string
}

// NewFrame is the frame of commands in the surroundings e.
func NewFrame(e cli.Env) *Frame { return &Frame{Env: e} }

// Register adds the flags to the command that holds the verbs, or is one; what
// is the kind of resource that they are about.
func (f *Frame) Register(root *cobra.Command, what string) {
	flags := root.PersistentFlags()
	flags.StringVar(&f.host, "host", f.Env.Variable("RUNNEL_HOST"), "`URL` of the daemon (default "+client.DefaultHost+")")
	flags.StringVar(&f.tokenFile, "token-file", f.Env.Variable("RUNNEL_TOKEN_FILE"), "`file` that holds the daemon's token")
	// Help tells what holds for everybody, not what this environment says.
	flags.Lookup("host").DefValue, flags.Lookup("token-file").DefValue = "", ""
	flags.StringVar(&f.caFile, "ca-file", "", "`file` of certificates to trust for https")
	flags.StringVar(&f.project, "project", "", "project of the "+what+" (default the daemon's)")
	flags.StringVar(&f.region, "region", "", "region of the "+what+" (default the daemon's; lists show all)")
	flags.StringVar(&f.format, "format", "", "form of the result: json, yaml, export, value(KEY,...), csv(KEY,...), table(KEY,...), none")
	flags.BoolVarP(&f.Quiet, "quiet", "q", false, "ask nothing: every answer is yes")
	_ = root.RegisterFlagCompletionFunc("format", cobra.FixedCompletions(format.Kinds(), cobra.ShellCompDirectiveNoFileComp))
	_ = root.RegisterFlagCompletionFunc("project", cobra.NoFileCompletions)
	_ = root.RegisterFlagCompletionFunc("region", cobra.NoFileCompletions) // all fail only for flags that do not exist
}

// Connected is the RunE of a verb: do gets a connection to the daemon, and a
// context that ends with the first signal, whose error then is *cli.Interrupted.
func (f *Frame) Connected(do func(ctx context.Context, r *Remote, args []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) (err error) {
		if _, err := f.Form(); err != nil {
			return err
		}
		ctx, stop := f.interruptible(cmd.Context())
		defer stop()
		r, err := f.Connect(ctx)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, r.Client.Close()) }()
		err = r.Client.Explain(do(ctx, r, args))
		if stopped := (*cli.Interrupted)(nil); err != nil && errors.As(context.Cause(ctx), &stopped) {
			return stopped
		}
		return err
	}
}

// interruptible is a context that a signal cancels. The caller must call stop.
func (f *Frame) interruptible(parent context.Context) (ctx context.Context, stop func()) {
	ctx, cancel := context.WithCancelCause(parent)
	done := make(chan struct{})
	go func() {
		defer close(done)
		select {
		case s := <-f.Env.Signals:
			cancel(&cli.Interrupted{Signal: s})
		case <-ctx.Done():
		}
	}()
	return ctx, func() {
		cancel(nil)
		<-done
	}
}

// Form is the value of --format.
func (f *Frame) Form() (format.Format, error) {
	form, err := format.Parse(f.format)
	if err != nil {
		return form, cli.Usagef("--format %s: %v", f.format, err)
	}
	return form, nil
}

// Show writes a result: as --format says or, if it says nothing, as text.
func (f *Frame) Show(row func(export bool) (format.Row, error), text func() []byte) error {
	form, err := f.Form()
	if err != nil {
		return err
	}
	var out []byte
	if form.Kind == format.Default {
		out = text()
	} else {
		resource, err := row(form.Kind == format.Export)
		if err != nil {
			return err
		}
		if out, err = form.One(resource); err != nil {
			return err
		}
	}
	return f.Write(out)
}

// Write writes to standard output.
func (f *Frame) Write(out []byte) error {
	if _, err := f.Env.Stdout.Write(out); err != nil {
		return fmt.Errorf("cannot write the output: %w", err)
	}
	return nil
}

// Say writes a line to standard error.
func (f *Frame) Say(format string, args ...any) {
	fmt.Fprintf(f.Env.Stderr, format+"\n", args...)
}

// WantOne is the Args of a verb that is about one thing.
func WantOne(what string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		switch {
		case len(args) == 0 || args[0] == "":
			return cli.Usagef("%s is missing", what)
		case len(args) > 1:
			return cli.Usagef("unexpected argument %q: want one name", args[1])
		}
		return nil
	}
}

// Nothing reports whether --format asks for no result where none is shown by
// default either.
func (f *Frame) Nothing() bool {
	form, err := f.Form()
	return err != nil || slices.Contains([]format.Kind{format.Default, format.None}, form.Kind)
}

// Checked is Connected for a verb whose flags are checked first.
func (f *Frame) Checked(check func() error, do func(ctx context.Context, r *Remote, args []string) error) func(*cobra.Command, []string) error {
	run := f.Connected(do)
	return func(cmd *cobra.Command, args []string) error {
		if err := check(); err != nil {
			return err
		}
		return run(cmd, args)
	}
}

// WantAtMostOne is the Args of a verb that makes up what is missing.
func WantAtMostOne(what string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) > 1 {
			return cli.Usagef("unexpected argument %q: want one %s", args[1], what)
		}
		return nil
	}
}
