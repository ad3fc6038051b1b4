// Package gcloudenv is "runnel gcloud-env": it prints the environment that
// sends gcloud to this host. It needs what the daemon's socket asks for.
package gcloudenv

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"runnel/api/gcloud"
	"runnel/cmd/runnel/cli"
	"runnel/cmd/runnel/client"
	"runnel/cmd/runnel/daemon"
)

const long = `Print shell commands that send gcloud to this host: endpoints, a token, the
default project and region. gcloud keeps its configuration; a new shell is as
before.

The token is copied to the user's own configuration directory, because gcloud
reads it from a file. Run this as the user that runs gcloud: root, or a member
of the group runnel.`

const example = `  eval "$(runnel gcloud-env)"
  gcloud run jobs deploy hello --image debian:stable-slim --command echo --args hello
  gcloud run jobs execute hello --wait`

// New builds "runnel gcloud-env".
func New(e cli.Env) *cobra.Command {
	var cfg client.Config
	var dir string
	cmd := &cobra.Command{
		Use:     "gcloud-env",
		Short:   "Print the environment that sends gcloud to this host",
		Long:    long,
		Example: example,
		Args:    cli.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if cfg.Host == "" {
				cfg.Host = e.Variable("RUNNEL_HOST")
			}
			if strings.HasPrefix(cfg.Host, "http:") || strings.HasPrefix(cfg.Host, "https:") {
				return cli.Usagef("--host: %s: want the daemon's unix socket, where alone it hands out its token; run this on the daemon's machine", cfg.Host)
			}
			if dir == "" {
				var err error
				if dir, err = ownDir(cfg.Host); err != nil {
					return err
				}
			}
			return printEnvironment(cmd.Context(), e, cfg, dir)
		},
	}
	cmd.Flags().StringVar(&cfg.Host, "host", "", "the daemon's unix socket, unix:///PATH (default "+client.DefaultHost+")")
	cmd.Flags().StringVar(&dir, "dir", "", "`directory` for copies of the token and the certificate (default ~/.config/runnel)")
	_ = cmd.MarkFlagDirname("dir") // fails only for flags that do not exist
	return cmd
}

// ownDir is the user's own directory for what runnel keeps for them of a daemon:
// one for the usual daemon, and one below it for each other.
func ownDir(host string) (string, error) {
	dir, err := os.UserConfigDir()
	if err != nil {
		return "", fmt.Errorf("cannot tell where to copy the token to, give --dir: %w", err)
	}
	dir = filepath.Join(dir, "runnel")
	if host = strings.TrimPrefix(host, "unix://"); host != "" && "unix://"+host != client.DefaultHost {
		dir = filepath.Join(dir, url.PathEscape(strings.TrimPrefix(host, "/")))
	}
	return dir, nil
}

// printEnvironment asks the daemon and prints what a shell should do.
func printEnvironment(ctx context.Context, e cli.Env, cfg client.Config, dir string) error {
	c, err := client.Open(cfg)
	if err != nil {
		return err
	}
	defer c.Close()
	var s daemon.Settings
	text, err := c.Read(ctx, daemon.SettingsPath)
	if err == nil {
		err = json.Unmarshal(text, &s)
	}
	if err != nil {
		return c.Explain(err)
	}
	if s.API == "" {
		return errors.New("the daemon has no TCP address, which gcloud needs: give it --api")
	}
	token, err := copyOf(ctx, c, daemon.TokenPath, filepath.Join(dir, "api-token"))
	if err != nil {
		return err
	}
	host, ok := localName(ctx, s.Region, net.DefaultResolver.LookupHost)
	if !ok {
		fmt.Fprintf(e.Stderr, "gcloud talks to %s-localhost, which this machine does not know yet:\n"+
			"  echo '127.0.0.1 %[1]s-localhost' | sudo tee -a /etc/hosts\n", s.Region)
	}
	endpoint, err := endpointOf(s, host)
	if err != nil {
		return err
	}
	lines := gcloud.Environment(endpoint, token, s.Project, s.Region)
	if s.CA {
		ca, err := copyOf(ctx, c, daemon.CAPath, filepath.Join(dir, "ca.pem"))
		if err != nil {
			return err
		}
		lines = append(lines, "CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE="+ca)
		// Python's requests, which gcloud uses, lets these win over gcloud's own.
		if e.Variable("REQUESTS_CA_BUNDLE") != "" || e.Variable("CURL_CA_BUNDLE") != "" {
			lines = append(lines, "REQUESTS_CA_BUNDLE="+ca)
		}
	}
	for _, line := range lines {
		name, value, _ := strings.Cut(line, "=")
		fmt.Fprintf(e.Stdout, "export %s=%s\n", name, quote(value))
	}
	return nil
}

// localName is a name of this machine such that it is still one with the region
// before it, as gcloud wants; ok says that it is known.
func localName(ctx context.Context, region string, lookup func(context.Context, string) ([]string, error)) (name string, ok bool) {
	for _, name := range []string{"localhost", "run.localhost"} {
		addresses, err := lookup(ctx, region+"-"+name)
		if err == nil && len(addresses) > 0 {
			return name, true
		}
	}
	return "localhost", false
}

// endpointOf is the daemon's URL, with a name for an address of this machine.
func endpointOf(s daemon.Settings, local string) (string, error) {
	host, port, err := net.SplitHostPort(s.API)
	if err != nil {
		return "", fmt.Errorf("the daemon's address: %w", err)
	}
	if ip := net.ParseIP(host); ip != nil && (ip.IsLoopback() || ip.IsUnspecified()) {
		host = local
	}
	scheme := "http"
	if s.TLS {
		scheme = "https"
	}
	return scheme + "://" + net.JoinHostPort(host, port), nil
}

// copyOf writes one of the daemon's answers to a file for the user alone.
func copyOf(ctx context.Context, c *client.Client, path, file string) (string, error) {
	text, err := c.Read(ctx, path)
	if err != nil {
		return "", c.Explain(err)
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return "", fmt.Errorf("cannot copy: %w", err)
	}
	fresh, err := os.CreateTemp(filepath.Dir(file), filepath.Base(file)+".*") // mode 0600
	if err != nil {
		return "", fmt.Errorf("cannot copy: %w", err)
	}
	_, err = fresh.Write(text)
	if err := errors.Join(err, fresh.Close()); err != nil {
		return "", errors.Join(fmt.Errorf("cannot copy: %w", err), os.Remove(fresh.Name()))
	}
	if err := os.Rename(fresh.Name(), file); err != nil {
		return "", errors.Join(fmt.Errorf("cannot copy: %w", err), os.Remove(fresh.Name()))
	}
	return file, nil
}

// quote makes a word of a shell that means s.
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
