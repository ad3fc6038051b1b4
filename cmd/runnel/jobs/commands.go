package jobs

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

// commands is what all verbs share: the world outside, and the flags that each
// of them has.
type commands struct {
	env cli.Env

	host, tokenFile, caFile string
	project, region         string
	format                  string
	quiet                   bool
}

// register adds the flags to the command that holds the verbs.
func (c *commands) register(root *cobra.Command) {
	flags := root.PersistentFlags()
	flags.StringVar(&c.host, "host", c.env.Variable("RUNNEL_HOST"), "`URL` of the daemon (default "+client.DefaultHost+")")
	flags.StringVar(&c.tokenFile, "token-file", c.env.Variable("RUNNEL_TOKEN_FILE"), "`file` that holds the daemon's token")
	// Help tells what holds for everybody, not what this environment says.
	flags.Lookup("host").DefValue, flags.Lookup("token-file").DefValue = "", ""
	flags.StringVar(&c.caFile, "ca-file", "", "`file` of certificates to trust for https")
	flags.StringVar(&c.project, "project", "", "project of the job (default the daemon's)")
	flags.StringVar(&c.region, "region", "", "region of the job (default the daemon's; lists show all)")
	flags.StringVar(&c.format, "format", "", "form of the result: json, yaml, export, value(KEY,...), csv(KEY,...), table(KEY,...), none")
	flags.BoolVarP(&c.quiet, "quiet", "q", false, "ask nothing: every answer is yes")
	_ = root.RegisterFlagCompletionFunc("format", cobra.FixedCompletions(format.Kinds(), cobra.ShellCompDirectiveNoFileComp))
	_ = root.RegisterFlagCompletionFunc("project", cobra.NoFileCompletions)
	_ = root.RegisterFlagCompletionFunc("region", cobra.NoFileCompletions) // all fail only for flags that do not exist
}

// connected is the RunE of a verb: do gets a connection to the daemon, and a
// context that ends with the first signal, whose error then is *cli.Interrupted.
func (c *commands) connected(do func(ctx context.Context, r *remote, args []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) (err error) {
		if _, err := c.form(); err != nil {
			return err
		}
		ctx, stop := c.interruptible(cmd.Context())
		defer stop()
		r, err := c.connect(ctx)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, r.client.Close()) }()
		err = r.client.Explain(do(ctx, r, args))
		if stopped := (*cli.Interrupted)(nil); err != nil && errors.As(context.Cause(ctx), &stopped) {
			return stopped
		}
		return err
	}
}

// interruptible is a context that a signal cancels. The caller must call stop.
func (c *commands) interruptible(parent context.Context) (ctx context.Context, stop func()) {
	ctx, cancel := context.WithCancelCause(parent)
	done := make(chan struct{})
	go func() {
		defer close(done)
		select {
		case s := <-c.env.Signals:
			cancel(&cli.Interrupted{Signal: s})
		case <-ctx.Done():
		}
	}()
	return ctx, func() {
		cancel(nil)
		<-done
	}
}

// form is the value of --format.
func (c *commands) form() (format.Format, error) {
	f, err := format.Parse(c.format)
	if err != nil {
		return f, cli.Usagef("--format %s: %v", c.format, err)
	}
	return f, nil
}

// show writes a result: as --format says or, if it says nothing, as text.
func (c *commands) show(row func(export bool) (format.Row, error), text func() []byte) error {
	f, err := c.form()
	if err != nil {
		return err
	}
	var out []byte
	if f.Kind == format.Default {
		out = text()
	} else {
		resource, err := row(f.Kind == format.Export)
		if err != nil {
			return err
		}
		if out, err = f.One(resource); err != nil {
			return err
		}
	}
	return c.write(out)
}

// write writes to standard output.
func (c *commands) write(out []byte) error {
	if _, err := c.env.Stdout.Write(out); err != nil {
		return fmt.Errorf("cannot write the output: %w", err)
	}
	return nil
}

// say writes a line to standard error.
func (c *commands) say(format string, args ...any) {
	fmt.Fprintf(c.env.Stderr, format+"\n", args...)
}

// wantOne is the Args of a verb that is about one thing.
func wantOne(what string) cobra.PositionalArgs {
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

// nothing reports whether --format asks for no result where none is shown by
// default either.
func (c *commands) nothing() bool {
	f, err := c.form()
	return err != nil || slices.Contains([]format.Kind{format.Default, format.None}, f.Kind)
}
