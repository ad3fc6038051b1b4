package daemon

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"runtime/debug"
	"strings"
	"sync"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"runnel/cmd/runnel/cli"
)

const longServe = `Run the daemon: services and jobs on this host behind the Cloud Run Admin API,
v1 and v2, REST and gRPC, on one port and one unix socket; and the requests of
services on another port.

What was submitted survives: services, revisions, jobs, executions and the result
of every task are kept under the root. When the daemon is stopped or killed,
tasks and instances that run go on, and the next daemon on the same root takes
them over.

The socket is for root and the group runnel, who need no token. Callers over TCP
bring the token that stands in ROOT/api-token.

Fields of the configuration file (YAML; ` + DefaultConfigFile + ` is read if it is there):
  root, api, socket, socketGroup, project, projectNumber, region, serviceAccount,
  tls: {cert, key, generate, hosts}, executions: {keep, running},
  ingress: {address, tlsAddress, domain, domains: {HOST: SERVICE}, tls},
  images: {trustedHosts: [HOST:PORT]}, services: {idleTime}, kf: {keepTasks, env},
  capacity: {cpu, memory}, logs: {perInstance, total}, ephemeral
Flags win over the file.`

const exampleServe = `  # As configured, or with the defaults
  sudo runnel serve

  # Apart from any other, ended with all its tasks by Ctrl-C
  sudo runnel serve --root /tmp/runnel --socket /tmp/runnel.sock --api 127.0.0.1:9000 \
       --ingress 127.0.0.1:9080 --ephemeral

  # Then, in another terminal
  sudo runnel deploy web --image nginx --port 80 --allow-unauthenticated \
       --host unix:///tmp/runnel.sock
  curl http://web.run.localhost:9080/`

// NewServeCommand builds "runnel serve".
func NewServeCommand(e cli.Env) *cobra.Command {
	var file string
	flags := DefaultConfig()
	cmd := &cobra.Command{
		Use:     "serve",
		Short:   "Run the daemon",
		Long:    longServe,
		Example: exampleServe,
		Args:    cli.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := configure(file, flags, cmd.Flags())
			if err != nil {
				return err
			}
			return serve(cmd.Context(), e, cfg)
		},
	}
	set := cmd.Flags()
	set.SortFlags = false
	set.StringVar(&file, "config", "", "configuration `file` (default "+DefaultConfigFile+", if it is there)")
	register(set, &flags)
	_ = cmd.MarkFlagDirname("root") // fails only for flags that do not exist
	return cmd
}

// register adds the flags that stand for fields of the configuration.
func register(set *pflag.FlagSet, c *Config) {
	set.StringVar(&c.Root, "root", c.Root, "`directory` of everything that is kept")
	set.StringVar(&c.API, "api", c.API, "TCP `address` of the API; empty for none")
	set.StringVar(&c.Socket, "socket", c.Socket, "unix socket of the API; empty for none")
	set.StringVar(&c.Project, "project", c.Project, "project of who names none")
	set.StringVar(&c.ProjectNumber, "project-number", c.ProjectNumber, "that project's number")
	set.StringVar(&c.Region, "region", c.Region, "region of who names none")
	set.StringVar(&c.ServiceAccount, "service-account", c.ServiceAccount, "service account of jobs that name none")
	set.StringVar(&c.Ingress.Address, "ingress", c.Ingress.Address, "TCP `address` where services take requests; empty for none")
	set.StringVar(&c.Ingress.TLSAddress, "ingress-tls", c.Ingress.TLSAddress, "TCP `address` where they take them by TLS")
	set.StringVar(&c.Ingress.Domain, "domain", c.Ingress.Domain, "`name` that the hosts of services are below")
	set.BoolVar(&c.TLS.Generate, "tls", c.TLS.Generate, "serve TLS with a certificate made under the root")
	set.StringVar(&c.TLS.Cert, "tls-cert", c.TLS.Cert, "serve TLS with this certificate, a PEM `file`")
	set.StringVar(&c.TLS.Key, "tls-key", c.TLS.Key, "the key of --tls-cert, a PEM `file`")
	set.BoolVar(&c.Ephemeral, "ephemeral", c.Ephemeral, "end all tasks when the daemon is stopped; the next one tries them again, within their retries")
}

// configure lays the flags that were given over the file.
func configure(file string, flags Config, set *pflag.FlagSet) (Config, error) {
	cfg, err := ReadConfig(file)
	if err != nil {
		return cfg, err
	}
	target := pflag.NewFlagSet("", pflag.ContinueOnError)
	register(target, &cfg)
	set.Visit(func(f *pflag.Flag) {
		if t := target.Lookup(f.Name); t != nil {
			err = errors.Join(err, t.Value.Set(f.Value.String()))
		}
	})
	if err != nil {
		return cfg, err
	}
	if err := cfg.Validate(); err != nil {
		return cfg, &cli.UsageError{Lines: strings.Split(err.Error(), "\n")}
	}
	return cfg, nil
}

// gcPercent lets the heap grow to four times what is alive before it is
// collected: that is a few MiB, and collecting it less often saves a tenth of the
// CPU of a request.
const gcPercent = 300

// serve runs the daemon until a signal asks it to stop.
func serve(ctx context.Context, e cli.Env, cfg Config) error {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	done := make(chan struct{})
	var watching sync.WaitGroup
	defer watching.Wait()
	defer close(done)
	watching.Go(func() {
		select {
		case s := <-e.Signals:
			cancel(&cli.Interrupted{Signal: s})
		case <-done:
		}
	})
	d, err := Open(ctx, cfg, newLogger(e))
	if err != nil {
		return err
	}
	err = d.Serve(ctx)
	return errors.Join(err, d.Close())
}

// newLogger writes for people on a terminal and for programs elsewhere.
func newLogger(e cli.Env) *slog.Logger {
	if e.Screen {
		return slog.New(slog.NewTextHandler(e.Stderr, nil))
	}
	return slog.New(slog.NewJSONHandler(e.Stderr, nil))
}
