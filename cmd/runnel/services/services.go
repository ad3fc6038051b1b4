// Package services is "runnel deploy", "runnel services" and "runnel
// revisions": the verbs of gcloud run for services, as a client of a daemon's
// API. What a verb returns goes to standard output, all that is said about it to
// standard error. Whatever the daemon decides is left to it.
package services

import (
	"context"

	"cloud.google.com/go/run/apiv2/runpb"
	"github.com/spf13/cobra"

	"runnel/cmd/runnel/cli"
	"runnel/cmd/runnel/client"
	"runnel/cmd/runnel/sheet"
	"runnel/cmd/runnel/verb"
)

const where = `
The daemon is that of this machine, on ` + client.DefaultHost + `,
unless --host or RUNNEL_HOST names another: unix:///PATH, http://HOST:PORT or
https://HOST:PORT. Over TCP it asks for a token (--token-file or
RUNNEL_TOKEN_FILE).`

const longServices = `Look after the services of a daemon ("runnel serve"), with the flags and the
output of "gcloud run services". "runnel deploy" makes them.

A service answers requests at a URL. Each deploy makes a revision of it, which
never changes; traffic says which of them gets which share of the requests. A
revision has as many instances as its requests need, down to none.
` + where

const exampleServices = `  runnel deploy hello --image host:5000/hello:v1 --allow-unauthenticated
  runnel services list
  runnel services update hello --concurrency 20 --memory 1Gi
  runnel services update-traffic hello --to-revisions hello-00001-abc=90,LATEST=10
  runnel services describe hello --format export > hello.yaml
  runnel services replace hello.yaml
  runnel services logs hello --follow`

const longRevisions = `Look after the revisions of services, with the flags and the output of "gcloud
run revisions". Deploying a service makes one, and so does each change of what
its instances run.
` + where

const exampleRevisions = `  runnel revisions list --service hello
  runnel revisions describe hello-00001-abc
  runnel revisions delete hello-00001-abc --quiet`

// Collections of what the verbs are about, below a location.
const (
	servicesOf  = "services"
	revisionsOf = servicesOf + "/" + verb.AnyID + "/revisions" // whatever their service
)

// commands is what all verbs share.
type commands struct {
	*verb.Frame
	sheet.Palette
}

// newCommands is what they share in the surroundings e.
func newCommands(e cli.Env) *commands {
	return &commands{Frame: verb.NewFrame(e), Palette: sheet.PaletteOf(e)}
}

// New builds "runnel services" with everything below it.
func New(e cli.Env) *cobra.Command {
	c := newCommands(e)
	root := cli.Group(&cobra.Command{
		Use:     "services",
		Short:   "Look after the services of a daemon",
		Long:    longServices,
		Example: exampleServices,
	})
	c.Register(root, "service")
	root.AddCommand(
		c.listServices(), c.describeService(), c.update(), c.updateTraffic(), c.replace(), c.deleteService(), c.serviceLogs(), c.proxy(),
		c.getPolicy(), c.addBinding(), c.removeBinding(), c.setPolicy(),
	)
	return root
}

// NewRevisions builds "runnel revisions" with everything below it.
func NewRevisions(e cli.Env) *cobra.Command {
	c := newCommands(e)
	root := cli.Group(&cobra.Command{
		Use:     "revisions",
		Short:   "Look after the revisions of services",
		Long:    longRevisions,
		Example: exampleRevisions,
	})
	c.Register(root, "revision")
	root.AddCommand(c.listRevisions(), c.describeRevision(), c.deleteRevision())
	return root
}

// getService is the service of a name.
func getService(ctx context.Context, r *verb.Remote, name string) (*runpb.Service, error) {
	service, err := r.Client.Services.GetService(ctx, &runpb.GetServiceRequest{Name: r.Full(servicesOf, name)})
	return service, missing(r, err, name)
}

// missing says which service cannot be found, if that is what err is about.
func missing(r *verb.Remote, err error, name string) error {
	return r.Missing(err, "service", name, "runnel services list")
}

// getRevision is the revision of a name, whatever its service.
func getRevision(ctx context.Context, r *verb.Remote, name string) (*runpb.Revision, error) {
	revision, err := r.Client.Revisions.GetRevision(ctx, &runpb.GetRevisionRequest{Name: r.Full(revisionsOf, name)})
	return revision, r.Missing(err, "revision", name, "runnel revisions list")
}
