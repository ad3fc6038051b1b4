package services

import (
	"context"
	"errors"
	"net"
	"net/url"
	"os"
	"strings"
	"syscall"

	"cloud.google.com/go/run/apiv2/runpb"
	"github.com/spf13/cobra"

	"runnel/cmd/runnel/cli"
	"runnel/cmd/runnel/services/proxy"
	"runnel/cmd/runnel/verb"
)

// defaultProxyPort is that of gcloud and one more: 8080 is where a daemon of
// this machine takes the requests.
const defaultProxyPort = "8081"

// proxying is the flags of proxy.
type proxying struct {
	*commands
	port, token, tag string
}

// proxy builds "runnel services proxy".
func (c *commands) proxy() *cobra.Command {
	p := &proxying{commands: c}
	cmd := &cobra.Command{
		Use:   "proxy NAME",
		Short: "Call a private service through a port of this machine",
		Long: `Listen on a port of 127.0.0.1, and hand all requests on to a service with an
identity token in X-Serverless-Authorization, so that programs without one can
call it. The token is the daemon's for whoever may use it, and is renewed before
it ends; Ctrl-C ends it all. WebSockets, gRPC and streams pass through.`,
		Example: `  runnel services proxy hello
  runnel services proxy hello --port 9000 --tag next
  curl http://127.0.0.1:8081/`,
		Args:              verb.WantOne("the service's name"),
		ValidArgsFunction: c.completeServices,
	}
	cmd.Flags().StringVar(&p.port, "port", defaultProxyPort, "port of 127.0.0.1 to listen on; 0 for any that is free")
	cmd.Flags().StringVar(&p.token, "token", "", "identity `token` to use instead of the daemon's")
	cmd.Flags().StringVar(&p.tag, "tag", "", "traffic `tag` whose revision to call (default whichever has the traffic)")
	cmd.RunE = c.Checked(p.check, func(ctx context.Context, r *verb.Remote, args []string) error {
		service, err := getService(ctx, r, args[0])
		if err != nil {
			return err
		}
		return p.serve(ctx, r, service)
	})
	return cmd
}

// check reads the flags.
func (p *proxying) check() error {
	if _, err := net.LookupPort("tcp", p.port); err != nil || strings.Trim(p.port, "0123456789") != "" || p.port == "" {
		return cli.Usagef("--port %s: want 0 to 65535", p.port)
	}
	return nil
}

// serve hands requests on until ctx ends.
func (p *proxying) serve(ctx context.Context, r *verb.Remote, service *runpb.Service) error {
	target, err := p.target(service)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:"+p.port)
	if err != nil {
		if errors.Is(err, syscall.EADDRINUSE) {
			return cli.Usagef("--port %s: is in use already: choose another", p.port)
		}
		return cli.Usagef("--port %s: %v", p.port, os.NewSyscallError("listen", errors.Unwrap(err)))
	}
	defer listener.Close()
	way, err := proxy.Ask(ctx, r.Client, target)
	if err != nil {
		return err
	}
	tokens := proxy.Fixed(p.token)
	if p.token == "" {
		// The first token is asked for now: who gets none should learn so at once.
		tokens = proxy.Tokens(r.Client, service.GetUri())
		if _, err := tokens(ctx); err != nil {
			return r.Client.Explain(err)
		}
	}
	p.Say("Proxying to Cloud Run service [%s] in project [%s] region [%s]", verb.Short(service.GetName()), r.Project, r.Region)
	p.Say("http://%s proxies to %s", listener.Addr(), target)
	return proxy.Serve(ctx, listener, target, way, tokens)
}

// target is the URL that requests are handed on to.
func (p *proxying) target(service *runpb.Service) (*url.URL, error) {
	name := verb.Short(service.GetName())
	address := service.GetUri()
	switch {
	case service.GetDefaultUriDisabled():
		return nil, cli.Usagef("service [%s] has no default URL; give it one with \"runnel services update %[1]s --default-url\"", name)
	case p.tag != "":
		if address = tagURL(service, p.tag); address == "" {
			return nil, cli.Usagef("--tag %s: service [%s] has no such tag; see \"runnel services describe %[2]s\"", p.tag, name)
		}
	case address == "":
		return nil, cli.Usagef("service [%s] has no URL yet; see \"runnel services describe %[1]s\"", name)
	}
	return url.Parse(address)
}
